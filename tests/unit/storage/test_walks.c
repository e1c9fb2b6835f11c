/* Walks, limits, labels and killers: what is written, and what a reader makes of it. */
#include "held.h"
#include "made.h"
#include "walk_fixture.h"

#include "base/os.h"

enum { MINUTE = 60000, HOUR = 3600000 };

static uint64_t heap_bytes(const struct oc_census *census)
{
    return oc_census_sum_bytes(census, OC_USAGE_HEAP, OC_REGION_TYPES, OC_REGION_STATES);
}

static int64_t rows_of(const char *table)
{
    char sql[128];

    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    return held_number(walk_path, sql);
}

/* The figures of step n: some change at each, some seldom, one comes and goes. */
static void made_census(struct oc_census *census, int n)
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

static void check_same(const struct oc_census *got, const struct oc_census *want)
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

static void put_walks(uint32_t source, int from, int until)
{
    for (int n = from; n < until; n++) {
        struct oc_census census = { 0 };

        made_census(&census, n);
        ck_assert_int_eq(made_walk(source, n * 10 * MINUTE, &census), 0);
        walk_commit(n * 10 * MINUTE);
    }
}

static void check_walk(uint32_t source, int n)
{
    struct oc_census got = { 0 }, want = { 0 };

    made_census(&want, n);
    ck_assert_int_eq(census_at(source, n * 10 * MINUTE + 5, &got), n * 10 * MINUTE);
    check_same(&got, &want);
    oc_census_clear(&got);
    oc_census_clear(&want);
}

START_TEST(a_census_of_any_time_is_put_together_again)
{
    struct oc_census none = { 0 };
    uint32_t one, two;

    walk_open_at(0);
    one = walk_begin("proc:one", 11);
    two = walk_begin("proc:two", 12);
    put_walks(two, 1, 3);
    put_walks(one, 1, 60); /* more than from one keyed walk to the next, twice */
    for (int n = 1; n < 60; n++)
        check_walk(one, n);
    check_walk(two, 2);
    ck_assert_int_eq(census_at(one, 10 * MINUTE - 1, &none), OC_E_NOENT);
    ck_assert_int_eq(census_at(77, INT64_MAX, &none), OC_E_NOENT);
    ck_assert_int_eq(census_at(one, INT64_MAX, &none), 59 * 10 * MINUTE);
    oc_census_clear(&none);
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM walk WHERE keyed"), 4);
}
END_TEST

START_TEST(walks_that_change_nothing_write_one_small_row)
{
    uint32_t source;
    int64_t cells;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    for (int i = 1; i < 20; i++) {
        struct oc_census census = { 0 };

        made_census(&census, 7);
        ck_assert_int_eq(made_walk(source, i * 1000, &census), 0);
        walk_commit(i * 1000);
        if (i == 1)
            cells = rows_of("region_total");
    }
    ck_assert_int_eq(rows_of("region_total"), cells);
    ck_assert_int_eq(rows_of("family_count"), 3);
    ck_assert_int_eq(rows_of("module"), 7);
    ck_assert_int_eq(rows_of("module_gone"), 0);
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM walk WHERE id IS NULL"), 18);
}
END_TEST

START_TEST(what_a_walk_could_not_see_stays_as_it_was)
{
    struct oc_census census = { 0 }, got = { 0 };
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_walks(source, 7, 8);
    made_family(&census, OC_FAMILY_THREAD, "worker-*", 99, 0);
    ck_assert_int_eq(made_walk(source, 100 * MINUTE, &census), 0);
    walk_commit(100 * MINUTE);
    ck_assert_int_eq(census_at(source, INT64_MAX, &got), 100 * MINUTE);
    ck_assert_uint_eq(heap_bytes(&got), 7000);
    ck_assert_uint_eq(got.module_count, 7);
    ck_assert_uint_eq(family_of(&got, "worker-*")->count, 99);
    ck_assert_uint_eq(family_of(&got, "socket")->count, 7);
    ck_assert_str_eq(got.runtime, "dotnet");
    ck_assert_uint_eq(got.largest_free_bytes, UINT64_C(1) << 40);
    oc_census_clear(&got);
    /* through the next keyed walk too */
    for (int i = 0; i < 60; i++) {
        made_family(&census, OC_FAMILY_THREAD, "worker-*", (unsigned)i, 0);
        ck_assert_int_eq(made_walk(source, 101 * MINUTE + i, &census), 0);
        walk_commit(101 * MINUTE + i);
    }
    ck_assert_int_ge(census_at(source, INT64_MAX, &got), 101 * MINUTE);
    ck_assert_uint_eq(heap_bytes(&got), 7000);
    ck_assert_uint_eq(family_of(&got, "qrt-*.dll")->count, 70);
    ck_assert_uint_eq(got.has_regions, 1);
    ck_assert_uint_eq(got.has_families,
                      1u << OC_FAMILY_THREAD | 1u << OC_FAMILY_MODULE | 1u << OC_FAMILY_FD);
    ck_assert_str_eq(got.runtime, "dotnet");
    oc_census_clear(&got);
}
END_TEST

/* ---- modules ---- */

struct events {
    int count, gone;
    int64_t loaded_ms[64], unloaded_ms[64];
    char name[64][64];
};

static int take_event(const struct oc_module_event *event, void *context)
{
    struct events *events = context;

    ck_assert_int_lt(events->count, 64);
    events->loaded_ms[events->count] = event->loaded_unix_ms - WALK_UNIX_MS;
    events->unloaded_ms[events->count] =
        event->unloaded_unix_ms == INT64_MAX ? -1 : event->unloaded_unix_ms - WALK_UNIX_MS;
    (void)snprintf(events->name[events->count++], 64, "%s", event->name);
    events->gone += event->unloaded_unix_ms != INT64_MAX;
    return 0;
}

static void events_in(uint32_t source, int64_t since_ms, int64_t until_ms, struct events *out)
{
    oc_reader *reader = walk_reader();

    memset(out, 0, sizeof *out);
    ck_assert_int_eq(oc_reader_modules(reader, source, WALK_UNIX_MS + since_ms,
                                       until_ms == INT64_MAX ? until_ms : WALK_UNIX_MS + until_ms,
                                       take_event, out),
                     out->count);
    oc_reader_close(reader);
}

START_TEST(modules_come_and_go_and_come_back)
{
    static const char *const names[] = { "/lib/a.so", "/lib/b.so", "/lib/c.so" };
    static const unsigned present[] = { 3, 7, 5, 7, 6 }; /* bits of names[] */
    struct events events;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    for (int i = 0; i < 5; i++) {
        struct oc_census census = { .has_modules = 1 };

        for (unsigned m = 0; m < 3; m++)
            if (present[i] >> m & 1)
                made_module(&census, 0x1000 * (m + 1), names[m]);
        ck_assert_int_eq(made_walk(source, (i + 1) * MINUTE, &census), 0);
        walk_commit((i + 1) * MINUTE);
    }
    events_in(source, 0, INT64_MAX, &events);
    ck_assert_int_eq(events.count, 4); /* b twice */
    ck_assert_int_eq(events.gone, 2);
    for (int i = 0; i < events.count; i++) {
        if (strcmp(events.name[i], "/lib/a.so") == 0) {
            ck_assert_int_eq(events.loaded_ms[i], MINUTE);
            ck_assert_int_eq(events.unloaded_ms[i], 5 * MINUTE);
        } else if (strcmp(events.name[i], "/lib/b.so") == 0 && events.loaded_ms[i] == MINUTE) {
            ck_assert_int_eq(events.unloaded_ms[i], 3 * MINUTE);
        } else if (strcmp(events.name[i], "/lib/b.so") == 0) {
            ck_assert_int_eq(events.loaded_ms[i], 4 * MINUTE);
            ck_assert_int_eq(events.unloaded_ms[i], -1);
        } else {
            ck_assert_int_eq(events.loaded_ms[i], 2 * MINUTE);
            ck_assert_int_eq(events.unloaded_ms[i], -1);
        }
    }
    events_in(source, 2 * MINUTE + 1, 4 * MINUTE, &events); /* b went */
    ck_assert_int_eq(events.count, 1);
    ck_assert_int_eq(rows_of("text"), 3);
}
END_TEST

START_TEST(a_module_is_told_by_base_inode_and_name)
{
    struct oc_census census = { 0 };
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    made_module(&census, 0x1000, "/lib/a.so");
    made_module(&census, 0x2000, "/lib/a.so");
    ck_assert_int_eq(made_walk(source, 1000, &census), 0);
    made_module(&census, 0x1000, "/lib/a.so"); /* the file was replaced */
    census.modules[0].inode = 99;
    made_module(&census, 0x2000, "/lib/a.so"); /* grown and deleted: the same */
    census.modules[1].bytes = 8192;
    census.modules[1].flags = OC_MODULE_DELETED;
    ck_assert_int_eq(made_walk(source, 2000, &census), 0);
    walk_commit(2000); /* two walks in one batch */
    ck_assert_int_eq(rows_of("module_gone"), 1);
    ck_assert_int_eq(held_number(walk_path, "SELECT inode FROM module WHERE loaded = 2000"), 99);
    ck_assert_int_eq(held_number(walk_path, "SELECT flags * 10000 + bytes FROM module WHERE "
                                            "loaded = 1000"),
                     18192);
}
END_TEST

/* ---- families ---- */

struct points {
    int count;
    int64_t t_ms[64];
    uint32_t members[64];
};

static int take_point(const struct oc_family_point *point, void *context)
{
    struct points *points = context;

    ck_assert_int_lt(points->count, 64);
    points->t_ms[points->count] = point->t_unix_ms - WALK_UNIX_MS;
    points->members[points->count++] = point->count;
    return 0;
}

START_TEST(a_family_has_a_course)
{
    struct points points = { 0 };
    oc_reader *reader;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_walks(source, 1, 50);
    reader = walk_reader();
    /* worker-*: 8 up to n = 9, then one more at 10, 20, 30, 40 */
    ck_assert_int_eq(oc_reader_family(reader, source, OC_FAMILY_THREAD, "worker-*",
                                      WALK_UNIX_MS + 150 * MINUTE, WALK_UNIX_MS + 400 * MINUTE,
                                      take_point, &points),
                     3);
    ck_assert_int_le(points.t_ms[0], 150 * MINUTE); /* what it was */
    ck_assert_uint_eq(points.members[0], 9);
    ck_assert_int_eq(points.t_ms[1], 200 * MINUTE);
    ck_assert_uint_eq(points.members[1], 10);
    ck_assert_int_eq(points.t_ms[2], 300 * MINUTE);
    memset(&points, 0, sizeof points);
    /* gone at each third walk */
    ck_assert_int_gt(oc_reader_family(reader, source, OC_FAMILY_FD, "socket", 0,
                                      WALK_UNIX_MS + 40 * MINUTE, take_point, &points),
                     0);
    ck_assert_int_eq(points.count, 3);
    ck_assert_uint_eq(points.members[1], 2);
    ck_assert_uint_eq(points.members[2], 0);
    ck_assert_int_eq(oc_reader_family(reader, source, OC_FAMILY_FD, "no such", 0, INT64_MAX,
                                      take_point, &points),
                     0);
    oc_reader_close(reader);
}
END_TEST

/* ---- limits ---- */

struct spans {
    int count;
    struct {
        uint32_t source;
        unsigned kind;
        uint64_t value;
        int64_t from_ms, until_ms;
        char where[64], subject[64];
    } items[64];
};

static int take_span(const struct oc_limit_span *span, void *context)
{
    struct spans *spans = context;
    int at = spans->count++;

    ck_assert_int_lt(at, 64);
    spans->items[at].source = span->source;
    spans->items[at].kind = span->limit->kind;
    spans->items[at].value = span->limit->value;
    spans->items[at].from_ms = span->from_unix_ms - WALK_UNIX_MS;
    spans->items[at].until_ms =
        span->until_unix_ms == INT64_MAX ? -1 : span->until_unix_ms - WALK_UNIX_MS;
    (void)snprintf(spans->items[at].where, 64, "%.63s", span->limit->where);
    (void)snprintf(spans->items[at].subject, 64, "%s", span->subject);
    return 0;
}

static struct spans spans_in(uint32_t source, int64_t since_ms, int64_t until_ms)
{
    struct spans spans = { 0 };
    oc_reader *reader = walk_reader();

    ck_assert_int_eq(oc_reader_limits(reader, source, WALK_UNIX_MS + since_ms,
                                      until_ms == INT64_MAX ? until_ms : WALK_UNIX_MS + until_ms,
                                      take_span, &spans),
                     spans.count);
    oc_reader_close(reader);
    return spans;
}

static struct oc_limit limit_of(enum oc_limit_kind kind, uint64_t value, const char *where)
{
    struct oc_limit limit = { .kind = (uint8_t)kind,
                              .metric = oc_limit_row(kind)->metric,
                              .value = value,
                              .has_use = 1,
                              .use = 7 };

    (void)snprintf(limit.where, sizeof limit.where, "%s", where);
    return limit;
}

static void put_limits(uint32_t source, int64_t boot_ms, const struct oc_limit *limits,
                       size_t count)
{
    ck_assert_int_eq(oc_store_limits(store, source, boot_ms, limits, count), 0);
    walk_commit(boot_ms);
}

START_TEST(limits_change_vanish_and_come_back)
{
    struct oc_limit limits[2] = { limit_of(OC_LIMIT_CGROUP_MAX, 1 << 30, "/a"),
                                  limit_of(OC_LIMIT_CGROUP_MAX, 2u << 30, "/a/b") };
    struct spans spans;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_limits(source, 1000, limits, 2);
    put_limits(source, 2000, limits, 2); /* nothing new */
    limits[1].value = 3u << 30;
    put_limits(source, 3000, limits, 2);
    put_limits(source, 4000, limits + 1, 1); /* /a went */
    put_limits(source, 5000, limits, 2);     /* and is back */
    spans = spans_in(source, 0, INT64_MAX);
    ck_assert_int_eq(spans.count, 4);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(spans.items[i].from_ms, 1000);
        ck_assert_int_eq(spans.items[i].until_ms,
                         strcmp(spans.items[i].where, "/a") == 0 ? 4000 : 3000);
    }
    ck_assert_int_eq(spans.items[2].from_ms, 3000);
    ck_assert_int_eq(spans.items[2].until_ms, -1);
    ck_assert_uint_eq(spans.items[2].value, 3u << 30);
    ck_assert_str_eq(spans.items[2].where, "/a/b");
    ck_assert_int_eq(spans.items[3].from_ms, 5000);
    ck_assert_str_eq(spans.items[3].subject, "proc:one");
    spans = spans_in(source, 4000, 5000); /* /a was not there */
    ck_assert_int_eq(spans.count, 1);
    ck_assert_int_eq(oc_store_source_end(store, source, 6000, OC_END_EXITED, 0), 0);
    walk_commit(6000);
    spans = spans_in(OC_READER_ALL_SOURCES, 5500, INT64_MAX);
    ck_assert_int_eq(spans.count, 2);
    ck_assert_int_eq(spans.items[0].until_ms, 6000); /* with its source */
}
END_TEST

START_TEST(limits_of_one_moment_and_named_twice)
{
    struct oc_limit limits[2] = { limit_of(OC_LIMIT_RLIMIT_AS, 100, ""),
                                  limit_of(OC_LIMIT_RLIMIT_AS, 200, "") };
    struct spans spans;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_limits(source, 1000, limits, 1);
    put_limits(source, 1000, limits + 1, 1); /* the last word of a moment stands */
    spans = spans_in(source, 0, INT64_MAX);
    ck_assert_int_eq(spans.count, 1);
    ck_assert_uint_eq(spans.items[0].value, 200);
    put_limits(source, 2000, limits + 1, 1);
    put_limits(source, 3000, (struct oc_limit[]){ limits[1], limits[0] }, 2);
    ck_assert_int_eq(spans_in(source, 0, INT64_MAX).count, 1);
    put_limits(source, 3000, NULL, 0);
    put_limits(source, 3000, limits, 1);
    put_limits(source, 3000, NULL, 0);
    spans = spans_in(source, 0, INT64_MAX);
    ck_assert_int_eq(spans.count, 1);
    ck_assert_int_eq(spans.items[0].until_ms, 3000);
    ck_assert_int_eq(oc_store_limits(store, source, 1, limits, 100000), OC_E_TOOBIG);
    ck_assert_int_eq(oc_store_limits(store, 99, 1, limits, 1), OC_E_NOENT);
}
END_TEST

/* ---- labels ---- */

static int take_label(const char *key, const char *value, void *context)
{
    size_t used = strlen(context);

    (void)snprintf((char *)context + used, 256 - used, "%s=%s;", key, value);
    return 0;
}

static const char *labels_of(const char *subject)
{
    static char text[256];
    oc_reader *reader = walk_reader();

    text[0] = '\0';
    ck_assert_int_ge(oc_reader_labels(reader, subject, take_label, text), 0);
    oc_reader_close(reader);
    return text;
}

START_TEST(labels_are_stable_and_change_only_when_told)
{
    const char *const first[] = { "env", "prod", "team", "web", NULL };
    const char *const other[] = { "team", "web", NULL };
    const char *const none[] = { NULL };
    uint32_t one, two;
    struct oc_store_stats before, after;

    walk_open_at(0);
    one = walk_begin("proc:one", 11);
    two = walk_begin("proc:one", 12); /* another life of the same subject */
    ck_assert_int_eq(oc_store_subject_labels(store, one, first), 0);
    walk_commit(1000);
    ck_assert_str_eq(labels_of("proc:one"), "env=prod;team=web;");
    walk_commit(1500); /* the second life's row */
    oc_store_stats(store, &before);
    ck_assert_int_eq(oc_store_subject_labels(store, two, first), 0);
    walk_commit(2000);
    oc_store_stats(store, &after);
    ck_assert_uint_eq(after.wal_bytes, before.wal_bytes); /* nothing was written */
    ck_assert_int_eq(rows_of("subject_label"), 2);
    ck_assert_int_eq(oc_store_subject_labels(store, two, other), 0);
    walk_commit(3000);
    ck_assert_str_eq(labels_of("proc:one"), "team=web;");
    ck_assert_int_eq(oc_store_subject_labels(store, two, none), 0);
    walk_commit(4000);
    ck_assert_str_eq(labels_of("proc:one"), "");
    ck_assert_str_eq(labels_of("proc:nobody"), "");
}
END_TEST

/* ---- who ended it ---- */

struct life {
    enum oc_killer killer;
    char scope[64];
    int lives;
};

static int take_life(const struct oc_life_row *row, void *context)
{
    struct life *life = context;

    life->lives++;
    life->killer = row->killer;
    (void)snprintf(life->scope, sizeof life->scope, "%s", row->killer_scope);
    return 0;
}

static struct life life_of(uint32_t pid)
{
    struct oc_life_filter filter = { .pid = pid, .until_unix_ms = INT64_MAX };
    struct life life = { 0 };
    oc_reader *reader = walk_reader();

    ck_assert_int_ge(oc_reader_lives(reader, &filter, take_life, &life), 0);
    oc_reader_close(reader);
    return life;
}

START_TEST(a_killer_is_told_before_or_after_the_end)
{
    uint32_t before, after;

    walk_open_at(0);
    before = walk_begin("proc:one", 11);
    after = walk_begin("proc:one", 12);
    (void)walk_begin("proc:one", 13);
    ck_assert_int_eq(oc_store_source_killer(store, before, OC_KILLER_CGROUP, "/a/b"), 0);
    ck_assert_int_eq(oc_store_source_end(store, before, 1000, OC_END_OOM_KILLED, 9), 0);
    ck_assert_int_eq(oc_store_source_end(store, after, 1000, OC_END_OOM_KILLED, 9), 0);
    walk_commit(1000);
    ck_assert_int_eq(oc_store_source_killer(store, after, OC_KILLER_HOST, NULL), 0);
    ck_assert_int_eq(oc_store_source_killer(store, 77, OC_KILLER_HOST, NULL), OC_E_NOENT);
    walk_commit(2000);
    ck_assert_int_eq(life_of(11).killer, OC_KILLER_CGROUP);
    ck_assert_str_eq(life_of(11).scope, "/a/b");
    ck_assert_int_eq(life_of(12).killer, OC_KILLER_HOST);
    ck_assert_str_eq(life_of(12).scope, "");
    ck_assert_int_eq(life_of(13).killer, OC_KILLER_UNKNOWN);
}
END_TEST

/* ---- views ---- */

/* All rows of a question as text: columns by '|', rows by '\\n'. Borrowed until the next call. */
static const char *ask(const char *sql)
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

START_TEST(views_say_it_in_words)
{
    const char *const labels[] = { "env", "prod", NULL };
    struct oc_limit limits[2] = { limit_of(OC_LIMIT_CGROUP_MAX, 1 << 30, "/a"),
                                  limit_of(OC_LIMIT_USER, 5, "") };
    uint32_t source;

    limits[1].metric = OC_METRIC_PRIVATE;
    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_walks(source, 4, 6);
    put_limits(source, 1000, limits, 2);
    put_limits(source, 2000, limits + 1, 1);
    ck_assert_int_eq(oc_store_subject_labels(store, source, labels), 0);
    ck_assert_int_eq(oc_store_source_end(store, source, 3600000, OC_END_OOM_KILLED, 9), 0);
    ck_assert_int_eq(oc_store_source_killer(store, source, OC_KILLER_CGROUP, "/a"), 0);
    walk_commit(3000);
    ck_assert_str_eq(ask("SELECT subject, usage, type, state, count, bytes, unix_ms FROM regions "
                         "WHERE usage = 'Heap' ORDER BY unix_ms"),
                     "proc:one|Heap|MEM_PRIVATE|MEM_COMMIT|3|4000|1700002400000\n"
                     "proc:one|Heap|MEM_PRIVATE|MEM_COMMIT|3|5000|1700003000000\n");
    ck_assert_str_eq(ask("SELECT time = strftime('%Y-%m-%d %H:%M:%S', 1700002400, 'unixepoch', "
                         "'localtime') FROM walks LIMIT 1"),
                     "1\n");
    ck_assert_str_eq(ask("SELECT subject, cpu_us, wall_us, stall_us, arena_count, runtime FROM "
                         "walks ORDER BY unix_ms LIMIT 1"),
                     "proc:one|100|200|3|4|dotnet\n");
    /* the newest of each cell and family: with max() SQLite takes the rest from that row */
    ck_assert_str_eq(ask("SELECT family, kind, count, max(unix_ms) FROM families WHERE subject = "
                         "'proc:one' GROUP BY kind, family HAVING count > 0 ORDER BY family"),
                     "qrt-*.dll|module|50|1700003000000\nsocket|fd|5|1700003000000\n"
                     "worker-*|thread|8|1700002400000\n");
    ck_assert_str_eq(ask("SELECT count(*), count(unloaded), min(module) FROM modules"),
                     "5|0|/tmp/qrt-0000.dll\n");
    ck_assert_str_eq(ask("SELECT name, scope, place, metric, value, effect, begin_unix_ms, "
                         "end_unix_ms FROM limits ORDER BY 1"),
                     "memory.max|cgroup|/a|cgroup_charge_bytes|1073741824|dies|1700000001000|"
                     "1700000002000\n"
                     "user|subject||private_bytes|5|told|1700000001000|1700003600000\n");
    ck_assert_str_eq(ask("SELECT * FROM labels"), "proc:one|env|prod\n");
    ck_assert_str_eq(ask("SELECT ended, status, killer, killer_scope FROM lives"),
                     "oom_killed|9|cgroup limit|/a\n");
}
END_TEST

/* ---- groups ---- */

struct latest {
    int groups, processes;
    int64_t private_bytes;
};

static int take_latest(const struct oc_latest_row *row, void *context)
{
    struct latest *latest = context;

    latest->groups += row->kind == OC_SOURCE_GROUP;
    latest->processes += row->kind == OC_SOURCE_PROCESS;
    if (row->kind == OC_SOURCE_GROUP) {
        ck_assert_uint_eq(row->pid, 0);
        ck_assert_uint_eq(row->sample->block, OC_BLOCK_PROCESS);
        latest->private_bytes = oc_sample_get(row->sample, OC_METRIC_PRIVATE);
    }
    return 0;
}

static int take_subject(const struct oc_subject_row *row, void *context)
{
    ck_assert_str_eq(row->name, "proc:one");
    ck_assert_uint_eq(row->kind, OC_SOURCE_PROCESS);
    ck_assert_uint_eq(row->running, 2);
    ck_assert_uint_eq(row->sources, 2);
    *(int *)context += 1;
    return 0;
}

START_TEST(a_group_is_taken_up_again_and_counts_no_process_twice)
{
    struct oc_life_filter filter = { .processes_only = 1, .until_unix_ms = INT64_MAX };
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
    struct latest latest = { 0 };
    struct life life = { 0 };
    struct oc_tick tick;
    oc_reader *reader;
    uint32_t group, one, two;
    int subjects = 0;

    walk_open_at(0);
    group = walk_begin("proc:one", 0);
    one = walk_begin("proc:one", 11);
    two = walk_begin("proc:one", 12);
    ck_assert_uint_ne(group, one);
    oc_tick_init(&tick);
    oc_tick_begin(&tick, 1000);
    oc_sample_set(&sample, OC_METRIC_PRIVATE, 300);
    oc_tick_put(&tick, group, &sample);
    oc_sample_set(&sample, OC_METRIC_PRIVATE, 150);
    oc_tick_put(&tick, one, &sample);
    oc_tick_put(&tick, two, &sample);
    ck_assert_int_eq(oc_store_append(store, &tick), 0);
    oc_tick_clear(&tick);
    walk_close();
    walk_open_at(2000);
    ck_assert_uint_eq(walk_begin("proc:one", 0), group);
    ck_assert_uint_eq(walk_begin("proc:one", 11), one);
    ck_assert_uint_eq(walk_begin("proc:one", 12), two);
    walk_commit(2000);
    reader = walk_reader();
    ck_assert_int_eq(oc_reader_latest(reader, take_latest, &latest), 3);
    ck_assert_int_eq(latest.groups, 1);
    ck_assert_int_eq(latest.processes, 2);
    ck_assert_int_eq(latest.private_bytes, 300);
    ck_assert_int_eq(oc_reader_lives(reader, &filter, take_life, &life), 2);
    ck_assert_int_eq(oc_reader_lives(reader, NULL, take_life, &life), 3);
    ck_assert_int_eq(oc_reader_subjects(reader, take_subject, &subjects), 1);
    oc_reader_close(reader);
    ck_assert_str_eq(ask("SELECT name, kind, sources, running FROM subjects"),
                     "proc:one|process|2|2\n");
    ck_assert_str_eq(ask("SELECT kind, sum(value) FROM samples WHERE metric = 'private_bytes' "
                         "GROUP BY kind"),
                     "group|300\nprocess|300\n");
}
END_TEST

/* ---- bounds ---- */

START_TEST(walks_that_cannot_be_taken_are_counted)
{
    struct oc_census census = { 0 };
    struct oc_store_stats stats;
    uint32_t source;
    int refused = 0;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    made_census(&census, 3);
    ck_assert_int_eq(made_walk(99, 1000, &census), OC_E_NOENT);
    made_census(&census, 3);
    ck_assert_int_eq(made_walk(source, 1000, &census), 0);
    made_census(&census, 3);
    ck_assert_int_eq(made_walk(source, 1000, &census), OC_E_INVAL); /* not later */
    for (int i = 0; i < 100 && !refused; i++) {                     /* nothing is committed */
        made_cell(&census, OC_USAGE_HEAP, 1, 4096);
        census.text = oc_calloc(1, 1u << 20);
        census.text_bytes = 1u << 20;
        refused = made_walk(source, 2000 + i, &census) == OC_E_TOOBIG;
    }
    ck_assert(refused);
    oc_store_stats(store, &stats);
    ck_assert_uint_eq(stats.dropped_walks, 1);
    walk_commit(5000); /* and there is room again */
    made_census(&census, 3);
    ck_assert_int_eq(made_walk(source, 6000, &census), 0);
    walk_commit(6000);
    ck_assert_int_ge(rows_of("walk"), 30);
    ck_assert_int_eq(oc_store_source_end(store, source, 7000, OC_END_EXITED, 0), 0);
    walk_commit(7000);
    made_census(&census, 3);
    ck_assert_int_eq(made_walk(source, 8000, &census), OC_E_NOENT); /* it ended */
}
END_TEST

START_TEST(a_restart_goes_on_from_the_last_walk)
{
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_walks(source, 1, 10);
    walk_close();
    walk_open_at(100 * MINUTE);
    ck_assert_uint_eq(walk_begin("proc:one", 11), source);
    put_walks(source, 10, 12);
    for (int n = 1; n < 12; n++)
        check_walk(source, n);
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM walk WHERE keyed"), 1);
}
END_TEST

START_TEST(walks_of_another_boot_keep_their_times)
{
    struct oc_census got = { 0 };
    oc_reader *reader;
    int64_t unix_ms = 0;
    uint32_t old, self_old;
    struct oc_source_info self = { .kind = OC_SOURCE_SELF, .subject = "oomcastd" };

    walk_open_at(0);
    ck_assert_int_eq(oc_store_source_begin(store, &self, &self_old), 0);
    old = walk_begin("proc:one", 11);
    put_walks(old, 1, 4);
    put_walks(self_old, 4, 5);
    walk_close();
    walk_options.boot_id = "next";
    walk_options.now_boot_ms = 1000;
    walk_options.now_unix_ms = WALK_UNIX_MS + 24 * HOUR;
    {
        struct oc_store_report report;
        struct oc_detail detail = { 0 };

        ck_assert_int_eq(oc_store_open(&walk_options, &store, &report, &detail), 0);
    }
    ck_assert_uint_ne(walk_begin("proc:one", 11), old);
    walk_commit(1000);
    check_walk(old, 3);
    /* oomcastd's own of the earlier boot moved to another number, with its walks */
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM walk WHERE source = 0"), 0);
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM walk JOIN source ON source.id ="
                                            " walk.source WHERE source.kind = 0"),
                     1);
    reader = walk_reader();
    ck_assert_int_eq(oc_reader_census(reader, old, INT64_MAX, 0, &got, &unix_ms), 0);
    ck_assert_int_eq(unix_ms, WALK_UNIX_MS + 30 * MINUTE);
    ck_assert_uint_eq(got.module_count, 0); /* not asked for */
    oc_census_clear(&got);
    oc_reader_close(reader);
}
END_TEST

/* ---- damage ---- */

static char finding[2048]; /* all of a check */

static void take_finding(const char *text, void *context)
{
    size_t used = strlen(finding);

    (void)context;
    (void)snprintf(finding + used, sizeof finding - used, "%s\n", text);
}

static int check_store(void)
{
    oc_reader *reader = walk_reader();
    int findings;

    finding[0] = '\0';
    findings = oc_reader_check(reader, take_finding, NULL, NULL);
    oc_reader_close(reader);
    return findings;
}

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    char *error = NULL;

    ck_assert_int_eq(sqlite3_open(walk_path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &error) == SQLITE_OK, "%s: %s", sql, error);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* A store with some of everything, closed. */
static uint32_t put_everything(void)
{
    const char *const labels[] = { "env", "prod", NULL };
    struct oc_limit limits[2] = { limit_of(OC_LIMIT_CGROUP_MAX, 1 << 30, "/a"),
                                  limit_of(OC_LIMIT_CGROUP_MAX, 2u << 30, "/a/b") };
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_walks(source, 1, 30);
    put_limits(source, 1000, limits, 2);
    limits[0].value = 5;
    put_limits(source, 2000, limits, 2);
    ck_assert_int_eq(oc_store_subject_labels(store, source, labels), 0);
    walk_close();
    return source;
}

START_TEST(a_check_finds_what_does_not_hold_together)
{
    static const struct {
        const char *sql, *finding;
    } damages[] = {
        { "DELETE FROM walk WHERE t = 600000", "without their walk" },
        { "UPDATE walk SET source = 99 WHERE t = 600000", "walks without their source" },
        { "UPDATE walk SET cpu_us = -1 WHERE t = 600000", "numbers that cannot be" },
        { "UPDATE walk SET id = (SELECT max(id) FROM walk) WHERE t = 1200000", "share their rows" },
        { "UPDATE region_total SET cell = cell + 1000", "numbers that cannot be" },
        { "UPDATE region_total SET bytes = -1", "numbers that cannot be" },
        { "DELETE FROM family WHERE name = 'socket'", "without their family" },
        { "UPDATE family_count SET count = -1", "numbers that cannot be" },
        { "UPDATE module SET source = 99", "modules without their source" },
        { "DELETE FROM text WHERE text LIKE '/tmp/%'", "modules without their name" },
        { "UPDATE module_gone SET loaded = unloaded + 1", "went before they came" },
        { "UPDATE limit_value SET source = 99", "limits without their source" },
        { "DELETE FROM text WHERE text = '/a'", "limits without their place" },
        { "UPDATE limit_value SET value = -1", "numbers that cannot be" },
        { "UPDATE limit_value SET end_ms = 0 WHERE end_ms", "end before they begin" },
        { "UPDATE limit_value SET end_ms = 2500 WHERE end_ms = 2000",
          "begin before the one before them ends" },
        { "UPDATE subject_label SET subject = 99", "labels without their subject" },
    };

    (void)put_everything();
    ck_assert_msg(check_store() == 0, "%s", finding);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        char copy[800];

        (void)snprintf(copy, sizeof copy, "cp '%s' '%s.sound'", walk_path, walk_path);
        ck_assert_int_eq(system(copy), 0);
        run_sql(damages[i].sql);
        ck_assert_msg(check_store() > 0, "%s", damages[i].sql);
        ck_assert_msg(strstr(finding, damages[i].finding) != NULL, "%s: %s", damages[i].sql,
                      finding);
        (void)snprintf(copy, sizeof copy, "mv '%s.sound' '%s' && rm -f '%s-wal' '%s-shm'",
                       walk_path, walk_path, walk_path, walk_path);
        ck_assert_int_eq(system(copy), 0);
    }
}
END_TEST

static int any_event(const struct oc_module_event *event, void *context)
{
    (void)context;
    return event->name == NULL;
}

static int any_point(const struct oc_family_point *point, void *context)
{
    (void)context;
    return point->count == UINT32_MAX && point->bytes == 1;
}

static int any_span(const struct oc_limit_span *span, void *context)
{
    (void)context;
    return span->limit->kind == 0;
}

/* Asks all there is to ask: an answer or a code, and no word about crashes. */
static void ask_everything(uint32_t source)
{
    struct oc_census census = { 0 };
    struct oc_db_info info;
    oc_reader *reader = NULL;
    struct oc_detail detail = { 0 };
    char text[256] = "";
    int64_t unix_ms;

    if (oc_reader_open(walk_path, &reader, &detail) < 0)
        return;
    if (oc_reader_census(reader, source, INT64_MAX, 1, &census, &unix_ms) == 0) {
        for (size_t i = 0; i < census.total_count; i++)
            ck_assert_uint_lt(census.totals[i].usage, OC_USAGE_COUNT);
        for (size_t i = 0; i < census.family_count; i++)
            ck_assert_uint_lt(census.families[i].kind, OC_FAMILY_KINDS);
    }
    oc_census_clear(&census);
    (void)oc_reader_modules(reader, source, 0, INT64_MAX, any_event, NULL);
    (void)oc_reader_family(reader, source, OC_FAMILY_MODULE, "qrt-*.dll", 0, INT64_MAX, any_point,
                           NULL);
    (void)oc_reader_limits(reader, OC_READER_ALL_SOURCES, 0, INT64_MAX, any_span, NULL);
    (void)oc_reader_labels(reader, "proc:one", take_label, text);
    (void)oc_reader_info(reader, &info);
    (void)oc_reader_check(reader, take_finding, NULL, NULL);
    (void)sqlite3_exec(oc_reader_sqlite(reader),
                       "SELECT * FROM walks; SELECT * FROM regions; SELECT * FROM families; SELECT "
                       "* FROM modules; SELECT * FROM limits; SELECT * FROM labels; SELECT * FROM "
                       "lives",
                       NULL, NULL, NULL);
    oc_reader_close(reader);
}

/* One column of one table becomes anything at all; the writer goes on with it too. */
START_TEST(hostile_rows_crash_nobody)
{
    static const char *const tables[] = { "walk",         "region_total", "family",
                                          "family_count", "module",       "module_gone",
                                          "limit_value",  "text",         "subject_label" };
    static const char *const values[] = { "NULL",    "-1",     "9223372036854775807",
                                          "'text'",  "0.5",    "zeroblob(70000)",
                                          "1 << 62", "x'00ff'" };
    uint32_t source = put_everything();
    int done = 0;

    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (int column = 0; column < 13; column++) {
            char sql[400], copy[512];
            sqlite3 *db = NULL;
            sqlite3_stmt *names = NULL;

            (void)snprintf(copy, sizeof copy, "cp '%s' '%s.sound'", walk_path, walk_path);
            ck_assert_int_eq(system(copy), 0);
            ck_assert_int_eq(sqlite3_open(walk_path, &db), SQLITE_OK);
            (void)snprintf(sql, sizeof sql,
                           "SELECT name FROM pragma_table_info('%s') WHERE cid = %d", tables[t],
                           column);
            ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &names, NULL), SQLITE_OK);
            if (sqlite3_step(names) == SQLITE_ROW) {
                (void)snprintf(
                    sql, sizeof sql, "UPDATE OR IGNORE %s SET %s = %s", tables[t],
                    (const char *)sqlite3_column_text(names, 0),
                    values[(size_t)(column + (int)t) % (sizeof values / sizeof *values)]);
                (void)sqlite3_finalize(names);
                done += sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
            } else {
                (void)sqlite3_finalize(names);
            }
            ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
            ask_everything(source);
            walk_open_at(400 * MINUTE);
            (void)walk_begin("proc:one", 11);
            {
                struct oc_census census = { 0 };

                made_census(&census, 31);
                (void)made_walk(source, 400 * MINUTE, &census);
            }
            (void)oc_store_commit(store, OC_DURABLE_BATCH, 400 * MINUTE); /* or a code */
            (void)oc_store_close(store);
            store = NULL;
            ask_everything(source);
            (void)snprintf(copy, sizeof copy, "rm -f '%s'*-* && mv '%s.sound' '%s'", walk_path,
                           walk_path, walk_path);
            ck_assert_int_eq(system(copy), 0);
        }
    }
    ck_assert_int_gt(done, 30);
}
END_TEST

/* ---- the manual ---- */

/* Every block of SQL in it. Returns how many there were. */
static int run_examples(sqlite3 *db, char *text)
{
    static const char begin[] = "```sql\n";
    int count = 0;

    for (char *at = strstr(text, begin); at; at = strstr(at, begin)) {
        char *end = strstr(at + sizeof begin - 1, "```"), *error = NULL;

        ck_assert_ptr_nonnull(end);
        *end = '\0';
        at += sizeof begin - 1;
        ck_assert_msg(sqlite3_exec(db, at, NULL, NULL, &error) == SQLITE_OK, "%s: %s", at, error);
        at = end + 1;
        count++;
    }
    return count;
}

START_TEST(examples_of_the_manual_run)
{
    char *text = NULL;
    size_t bytes = 0;
    oc_reader *reader;

    (void)put_everything();
    ck_assert_int_eq(oc_file_read(OC_TEST_DATA "/../../docs/storage.md", 1u << 20, &text, &bytes), 0);
    reader = walk_reader();
    ck_assert_int_ge(run_examples(oc_reader_sqlite(reader), text), 19);
    oc_reader_close(reader);
    oc_free(text);
}
END_TEST

/* ---- an older file ---- */

/* As version 1 left it: the tables of the later migration are taken out again. */
static void make_version_1(void)
{
    run_sql("DROP TABLE text; DROP TABLE walk; DROP TABLE region_total; DROP TABLE family;"
            "DROP TABLE family_count; DROP TABLE module; DROP TABLE module_gone;"
            "DROP TABLE limit_value; DROP TABLE subject_label;"
            "ALTER TABLE source DROP COLUMN killer; ALTER TABLE source DROP COLUMN killer_scope;"
            "PRAGMA user_version = 1");
}

START_TEST(a_file_of_version_1_is_upgraded_with_its_data_and_a_backup)
{
    struct oc_store_report report = { 0 };
    struct oc_detail detail = { 0 };
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
    struct oc_tick tick;
    oc_reader *reader = NULL;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    oc_tick_init(&tick);
    for (int step = 1; step <= 3; step++) {
        oc_tick_begin(&tick, step * 1000);
        oc_sample_set(&sample, OC_METRIC_PRIVATE, 100 * step);
        oc_tick_put(&tick, source, &sample);
        ck_assert_int_eq(oc_store_append(store, &tick), 0);
    }
    oc_tick_clear(&tick);
    walk_close();
    make_version_1();
    ck_assert_int_eq(oc_reader_open(walk_path, &reader, &detail), OC_E_NOTSUP);
    walk_options.now_boot_ms = 5000;
    walk_options.now_unix_ms = WALK_UNIX_MS + 5000;
    ck_assert_msg(oc_store_open(&walk_options, &store, &report, &detail) == 0, "%s", detail.text);
    ck_assert_str_ne(report.backup, "");
    ck_assert_int_eq(held_number(report.backup, "PRAGMA user_version"), 1);
    ck_assert_int_eq(held_number(report.backup, "SELECT count(*) FROM life"), 1);
    ck_assert_int_eq(held_number(walk_path, "PRAGMA user_version"), 2);
    ck_assert_uint_eq(walk_begin("proc:one", 11), source);
    put_walks(source, 1, 3);
    check_walk(source, 2);
    ck_assert_int_eq(life_of(11).killer, OC_KILLER_UNKNOWN);
    ck_assert_str_eq(ask("SELECT sum(value) FROM samples WHERE metric = 'private_bytes'"), "600\n");
    ck_assert_int_eq(check_store(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("walks");
    TCase *tests = tcase_create("walks");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, walk_setup, walk_teardown);
    tcase_add_test(tests, a_check_finds_what_does_not_hold_together);
    tcase_add_test(tests, hostile_rows_crash_nobody);
    tcase_add_test(tests, examples_of_the_manual_run);
    tcase_add_test(tests, a_file_of_version_1_is_upgraded_with_its_data_and_a_backup);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, a_census_of_any_time_is_put_together_again);
    tcase_add_test(tests, walks_that_change_nothing_write_one_small_row);
    tcase_add_test(tests, what_a_walk_could_not_see_stays_as_it_was);
    tcase_add_test(tests, modules_come_and_go_and_come_back);
    tcase_add_test(tests, a_module_is_told_by_base_inode_and_name);
    tcase_add_test(tests, a_family_has_a_course);
    tcase_add_test(tests, limits_change_vanish_and_come_back);
    tcase_add_test(tests, limits_of_one_moment_and_named_twice);
    tcase_add_test(tests, labels_are_stable_and_change_only_when_told);
    tcase_add_test(tests, a_killer_is_told_before_or_after_the_end);
    tcase_add_test(tests, views_say_it_in_words);
    tcase_add_test(tests, a_group_is_taken_up_again_and_counts_no_process_twice);
    tcase_add_test(tests, walks_that_cannot_be_taken_are_counted);
    tcase_add_test(tests, a_restart_goes_on_from_the_last_walk);
    tcase_add_test(tests, walks_of_another_boot_keep_their_times);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
