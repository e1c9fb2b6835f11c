/* Censuses that a test makes up, and a store to put them in. */
#ifndef OC_TEST_WALK_FIXTURE_H
#define OC_TEST_WALK_FIXTURE_H

#include "base/alloc.h"
#include "storage/reader.h"
#include "storage/store.h"
#include "tests/support/folder.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE = 60000, HOUR = 3600000 };
#define WALK_UNIX_MS INT64_C(1700000000000) /* wall clock at boot time 0 */

static char walk_dir[128], walk_path[160];
static struct oc_store_options walk_options;
static oc_store *store;

static inline void walk_setup(void)
{
    ck_assert_int_eq(make_folder("oomcast-walks", walk_dir, sizeof walk_dir), 0);
    (void)snprintf(walk_path, sizeof walk_path, "%s/oomcast.db", walk_dir);
    walk_options = (struct oc_store_options){ .path = walk_path,
                                              .boot_id = "boot",
                                              .now_unix_ms = WALK_UNIX_MS };
    store = NULL;
}

static inline void walk_open_at(int64_t now_boot_ms)
{
    struct oc_store_report report;
    struct oc_detail detail = { 0 };

    walk_options.now_boot_ms = now_boot_ms;
    walk_options.now_unix_ms = WALK_UNIX_MS + now_boot_ms;
    ck_assert_msg(oc_store_open(&walk_options, &store, &report, &detail) == 0, "%s", detail.text);
}

static inline void walk_close(void)
{
    ck_assert_int_eq(oc_store_close(store), 0);
    store = NULL;
}

static inline void walk_teardown(void)
{
    (void)oc_store_close(store);
    store = NULL;
    ck_assert_int_eq(remove_folder(walk_dir), 0);
}

static inline uint32_t walk_begin(const char *subject, uint32_t pid)
{
    struct oc_proc_facts facts = { .id = { .pid = pid, .start_ticks = pid }, .name = "made" };
    struct oc_source_info info = { .kind = pid ? OC_SOURCE_PROCESS : OC_SOURCE_GROUP,
                                   .subject = subject,
                                   .begin_boot_ms = 1,
                                   .facts = pid ? &facts : NULL,
                                   .interval_ms = 1000 };
    uint32_t source = 0;

    ck_assert_int_eq(oc_store_source_begin(store, &info, &source), 0);
    return source;
}

static inline void walk_commit(int64_t now_boot_ms)
{
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, now_boot_ms), 0);
}

static inline uint32_t made_text(struct oc_census *census, const char *text)
{
    uint32_t at = 0;

    ck_assert_int_eq(oc_census_add_text(census, text, strlen(text), &at), 0);
    return at;
}

static inline void made_cell(struct oc_census *census, unsigned usage, unsigned count,
                             uint64_t bytes)
{
    census->totals = oc_realloc(census->totals, (census->total_count + 1) * sizeof *census->totals);
    census->totals[census->total_count++] =
        (struct oc_region_total){ .usage = (uint8_t)usage,
                                  .type = OC_REGION_PRIVATE,
                                  .state = OC_REGION_COMMIT,
                                  .count = count,
                                  .bytes = bytes,
                                  .largest_bytes = bytes / 2,
                                  .resident_bytes = OC_RESIDENT_UNKNOWN };
    census->has_regions = 1;
}

static inline void made_family(struct oc_census *census, unsigned kind, const char *name,
                               unsigned count, uint64_t bytes)
{
    uint32_t at = made_text(census, name);

    census->families =
        oc_realloc(census->families, (census->family_count + 1) * sizeof *census->families);
    census->families[census->family_count++] =
        (struct oc_family){ .kind = (uint8_t)kind,
                            .flags = strchr(name, '*') ? OC_FAMILY_FOLDED : 0,
                            .count = count,
                            .distinct = count,
                            .bytes = bytes,
                            .name = at,
                            .example = at };
    census->has_families |= (uint8_t)(1u << kind);
}

static inline void made_module(struct oc_census *census, uint64_t base, const char *name)
{
    uint32_t at = made_text(census, name);

    census->modules =
        oc_realloc(census->modules, (census->module_count + 1) * sizeof *census->modules);
    census->modules[census->module_count++] =
        (struct oc_module){ .base = base, .bytes = 4096, .inode = base >> 12, .name = at };
    census->has_modules = 1;
}

/* Hands it over; the census is empty afterwards. */
static inline int made_walk(uint32_t source, int64_t boot_ms, struct oc_census *census)
{
    struct oc_store_walk walk = {
        .boot_ms = boot_ms, .cpu_us = 100, .wall_us = 200, .stall_us = 3, .census = census
    };
    int rc = oc_store_walk(store, source, &walk);

    oc_census_clear(census);
    return rc;
}

static inline oc_reader *walk_reader(void)
{
    oc_reader *reader = NULL;
    struct oc_detail detail = { 0 };

    ck_assert_msg(oc_reader_open(walk_path, &reader, &detail) == 0, "%s", detail.text);
    return reader;
}

/* The census at a boot time; OC_E_… where there is none. */
static inline int census_at(uint32_t source, int64_t boot_ms, struct oc_census *out)
{
    oc_reader *reader = walk_reader();
    int64_t unix_ms = 0;
    int rc =
        oc_reader_census(reader, source, boot_ms == INT64_MAX ? INT64_MAX : WALK_UNIX_MS + boot_ms,
                         1, out, &unix_ms);

    oc_reader_close(reader);
    return rc < 0 ? rc : (int)(unix_ms - WALK_UNIX_MS);
}

static inline const struct oc_family *family_of(const struct oc_census *census, const char *name)
{
    for (size_t i = 0; i < census->family_count; i++)
        if (strcmp(oc_census_text(census, census->families[i].name), name) == 0)
            return &census->families[i];
    return NULL;
}

/* The figures of step n: some change at each, some seldom, one comes and goes. */
static inline void made_census(struct oc_census *census, int n)
{
    char name[32];

    made_cell(census, OC_USAGE_HEAP, 3, 1000u * (unsigned)n);
    made_cell(census, OC_USAGE_STACK, 8, 8u << 20);
    if (n % 5 == 0)
        made_cell(census, OC_USAGE_JIT, 1, 4096);
    made_family(census, OC_FAMILY_THREAD, "worker-*", 8 + (unsigned)n / 10, 0);
    made_family(census, OC_FAMILY_MODULE, "qrt-*.dll", 10 * (unsigned)n, 4096u * (unsigned)n);
    if (n % 3)
        made_family(census, OC_FAMILY_FD, "socket", (unsigned)n, 0);
    else
        census->has_families |= 1u << OC_FAMILY_FD;
    for (int i = n > 20 ? n - 20 : 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "/tmp/qrt-%04d.dll", i);
        made_module(census, UINT64_C(0x7f0000000000) + (uint64_t)i * 65536, name);
    }
    census->has_modules = 1;
    census->largest_free_bytes = UINT64_C(1) << 40;
    census->arena_count = (uint32_t)n;
    (void)snprintf(census->runtime, sizeof census->runtime, n < 4 ? "" : "dotnet");
}

static inline void check_same(const struct oc_census *got, const struct oc_census *want)
{
    ck_assert_uint_eq(got->total_count, want->total_count);
    for (size_t i = 0; i < want->total_count; i++) {
        ck_assert_uint_eq(got->totals[i].usage, want->totals[i].usage);
        ck_assert_uint_eq(got->totals[i].count, want->totals[i].count);
        ck_assert_uint_eq(got->totals[i].bytes, want->totals[i].bytes);
        ck_assert_uint_eq(got->totals[i].resident_bytes, want->totals[i].resident_bytes);
    }
    ck_assert_uint_eq(got->family_count, want->family_count);
    for (size_t i = 0; i < want->family_count; i++) {
        const struct oc_family *family =
            family_of(got, oc_census_text(want, want->families[i].name));

        ck_assert_ptr_nonnull(family);
        ck_assert_uint_eq(family->kind, want->families[i].kind);
        ck_assert_uint_eq(family->flags, want->families[i].flags);
        ck_assert_uint_eq(family->count, want->families[i].count);
        ck_assert_uint_eq(family->bytes, want->families[i].bytes);
    }
    ck_assert_uint_eq(got->module_count, want->module_count);
    for (size_t i = 0; i < want->module_count; i++) {
        ck_assert_uint_eq(got->modules[i].base, want->modules[i].base);
        ck_assert_str_eq(oc_census_text(got, got->modules[i].name),
                         oc_census_text(want, want->modules[i].name));
    }
    ck_assert_uint_eq(got->largest_free_bytes, want->largest_free_bytes);
    ck_assert_uint_eq(got->arena_count, want->arena_count);
    ck_assert_str_eq(got->runtime, want->runtime);
    ck_assert_uint_eq(got->has_families, want->has_families);
    ck_assert_uint_eq(got->has_regions, want->has_regions);
}

static inline void put_walks(uint32_t source, int from, int until)
{
    for (int n = from; n < until; n++) {
        struct oc_census census = { 0 };

        made_census(&census, n);
        ck_assert_int_eq(made_walk(source, n * 10 * MINUTE, &census), 0);
        walk_commit(n * 10 * MINUTE);
    }
}

static inline void check_walk(uint32_t source, int n)
{
    struct oc_census got = { 0 }, want = { 0 };

    made_census(&want, n);
    ck_assert_int_eq(census_at(source, n * 10 * MINUTE + 5, &got), n * 10 * MINUTE);
    check_same(&got, &want);
    oc_census_clear(&got);
    oc_census_clear(&want);
}

/* All rows of a question as text: columns by '|', rows by '\\n'. Borrowed until the next call. */
static inline const char *ask(const char *sql)
{
    static char text[4096];
    oc_reader *reader = walk_reader();
    sqlite3 *db = oc_reader_sqlite(reader);
    sqlite3_stmt *statement = NULL;
    size_t used = 0;

    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s: %s", sql,
                  sqlite3_errmsg(db));
    text[0] = '\0';
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *value = (const char *)sqlite3_column_text(statement, i);

            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? "|" : "",
                                     value ? value : "");
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "\n");
        ck_assert_uint_lt(used, sizeof text);
    }
    (void)sqlite3_finalize(statement);
    oc_reader_close(reader);
    return text;
}

static inline struct oc_limit limit_of(enum oc_limit_kind kind, uint64_t value, const char *where)
{
    struct oc_limit limit = { .kind = (uint8_t)kind,
                              .metric = oc_limit_row(kind)->metric,
                              .value = value,
                              .has_use = 1,
                              .use = 7 };

    (void)snprintf(limit.where, sizeof limit.where, "%s", where);
    return limit;
}

static inline void put_limits(uint32_t source, int64_t boot_ms, const struct oc_limit *limits,
                              size_t count)
{
    ck_assert_int_eq(oc_store_limits(store, source, boot_ms, limits, count), 0);
    walk_commit(boot_ms);
}

static inline int take_label(const char *key, const char *value, void *context)
{
    size_t used = strlen(context);

    (void)snprintf((char *)context + used, 256 - used, "%s=%s;", key, value);
    return 0;
}

struct life {
    enum oc_killer killer;
    char scope[64];
    int lives;
};

static inline int take_life(const struct oc_life_row *row, void *context)
{
    struct life *life = context;

    life->lives++;
    life->killer = row->killer;
    (void)snprintf(life->scope, sizeof life->scope, "%s", row->killer_scope);
    return 0;
}

static inline struct life life_of(uint32_t pid)
{
    struct oc_life_filter filter = { .pid = pid, .until_unix_ms = INT64_MAX };
    struct life life = { 0 };
    oc_reader *reader = walk_reader();

    ck_assert_int_ge(oc_reader_lives(reader, &filter, take_life, &life), 0);
    oc_reader_close(reader);
    return life;
}

#endif
