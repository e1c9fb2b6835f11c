/* Censuses that a test makes up, and a store to put them in. */
#ifndef OC_TEST_WALK_FIXTURE_H
#define OC_TEST_WALK_FIXTURE_H

#include "base/alloc.h"
#include "storage/reader.h"
#include "storage/store.h"
#include "tests/support/folder.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#endif
