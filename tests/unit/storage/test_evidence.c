/* What is known of how something grew: who is meant, since when, figures, walks, limits, the end. */
#include "walk_fixture.h"

#include "base/err.h"

#include <math.h>

enum { SECOND = 1000 };

static struct oc_tick tick;
static struct oc_evidence evidence;
static uint32_t leak, idle, young, group, cgroup, parent, host;

static void setup(void)
{
    walk_setup();
    oc_tick_init(&tick);
    memset(&evidence, 0, sizeof evidence);
}

static void teardown(void)
{
    oc_tick_clear(&tick);
    walk_teardown();
}

static uint32_t begin_source(enum oc_source_kind kind, const char *subject, int64_t boot_ms)
{
    struct oc_source_info info = {
        .kind = kind, .subject = subject, .begin_boot_ms = boot_ms, .interval_ms = 10 * SECOND
    };
    uint32_t source = 0;

    ck_assert_int_eq(oc_store_source_begin(store, &info, &source), 0);
    return source;
}

static uint32_t begin_process(const char *subject, uint32_t pid, int64_t boot_ms)
{
    struct oc_proc_facts facts = { .id = { .pid = pid, .start_ticks = pid },
                                   .name = "made",
                                   .exe = "/usr/bin/made",
                                   .cgroup = "/a/b/c",
                                   .cmdline = "made --leak" };
    struct oc_source_info info = { .kind = OC_SOURCE_PROCESS,
                                   .subject = subject,
                                   .begin_boot_ms = boot_ms,
                                   .facts = &facts,
                                   .interval_ms = 10 * SECOND };
    uint32_t source = 0;

    ck_assert_int_eq(oc_store_source_begin(store, &info, &source), 0);
    return source;
}

static void put(uint32_t source, enum oc_metric metric, int64_t value)
{
    struct oc_sample sample = { .block = (uint8_t)OC_METRIC_BLOCK(metric) };

    oc_sample_set(&sample, metric, value);
    oc_tick_put(&tick, source, &sample);
}

/* leak grows by 10 a tick, idle does not, young began at half time; figures of its cgroup and host. */
static void put_ticks(int from, int until)
{
    for (int n = from; n < until; n++) {
        int64_t t_ms = (int64_t)n * 10 * SECOND;

        oc_tick_begin(&tick, t_ms);
        put(leak, OC_METRIC_PRIVATE, 1000 + 10 * n);
        put(idle, OC_METRIC_PRIVATE, 5000);
        if (n >= 50)
            put(young, OC_METRIC_PRIVATE, 100);
        put(cgroup, OC_METRIC_CGROUP_CHARGE, 7000 + 10 * n);
        put(host, OC_METRIC_HOST_AVAILABLE, 90000 - 10 * n);
        ck_assert_int_eq(oc_store_append(store, &tick), 0);
        ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, t_ms), 0);
    }
}

static void begin_all(void)
{
    walk_open_at(0);
    leak = begin_process("proc:made", 11, 0);
    idle = begin_process("proc:made", 12, 0);
    group = begin_source(OC_SOURCE_GROUP, "proc:made", 0);
    cgroup = begin_source(OC_SOURCE_CGROUP, "cgroup:/a/b", 0);
    parent = begin_source(OC_SOURCE_CGROUP, "cgroup:/a", 0);
    host = begin_source(OC_SOURCE_HOST, "host", 0);
    (void)begin_process("proc:other", 99, 0);
}

/* 100 ticks: 0 … 990 s. */
static void make_all(void)
{
    begin_all();
    put_ticks(0, 50);
    young = begin_process("proc:made", 13, 500 * SECOND);
    put_ticks(50, 100);
}

static struct oc_forecast_row row_of(enum oc_limit_kind kind, const char *where, unsigned state,
                                     double p50_s)
{
    struct oc_forecast_row row = { .forecast = { .state = (uint8_t)state,
                                                 .metric = OC_METRIC_PRIVATE,
                                                 .t_ms = 990 * SECOND,
                                                 .since_ms = 300 * SECOND,
                                                 .samples = 99,
                                                 .chance = 0.9,
                                                 .p10_s = p50_s / 2,
                                                 .p50_s = p50_s,
                                                 .p90_s = p50_s * 2 } };

    if (kind)
        row.limit = limit_of(kind, 1 << 20, where);
    return row;
}

static int ask_evidence(struct oc_evidence_query query)
{
    oc_reader *reader = walk_reader();
    int rc;

    if (!query.until_unix_ms)
        query.until_unix_ms = INT64_MAX;
    rc = oc_reader_evidence(reader, &query, &evidence);
    oc_reader_close(reader);
    return rc;
}

static void check_moved(const struct oc_moved *moved, int64_t then, int64_t now)
{
    ck_assert_int_eq(moved->has_then, 1);
    ck_assert_int_eq(moved->has_now, 1);
    ck_assert_int_eq(moved->then, then);
    ck_assert_int_eq(moved->now, now);
}

/* ---- who ---- */

START_TEST(a_subject_means_the_process_that_grew_most)
{
    make_all();
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .subject = "made" }), 0);
    ck_assert_str_eq(evidence.subject, "proc:made");
    ck_assert_uint_eq(evidence.source, leak);
    ck_assert_uint_eq(evidence.pid, 11);
    ck_assert_uint_eq(evidence.source_kind, OC_SOURCE_PROCESS);
    ck_assert_str_eq(evidence.name, "made");
    ck_assert_str_eq(evidence.exe, "/usr/bin/made");
    ck_assert_str_eq(evidence.cgroup, "/a/b/c");
    ck_assert_str_eq(evidence.cmdline, "made --leak");
    ck_assert_int_eq(evidence.is_live, 1);
    ck_assert_int_eq(evidence.has_end, 0);
    ck_assert_uint_eq(evidence.members_in_all, 3);
    ck_assert_uint_eq(evidence.member_count, 3);
    ck_assert_uint_eq(evidence.members[0].pid, 11);
    check_moved(&evidence.members[0].private_bytes, 1000, 1990);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){
                         .subject = "made", .since_unix_ms = WALK_UNIX_MS + 400 * SECOND }),
                     0);
    ck_assert_uint_eq(evidence.members[2].pid, 12); /* 13 began since: it has grown by 100 */
    ck_assert_int_eq(evidence.members[1].begin_unix_ms, WALK_UNIX_MS + 500 * SECOND);
    check_moved(&evidence.members[0].private_bytes, 1400, 1990);
    ck_assert_int_eq(evidence.members[1].private_bytes.has_then, 0);
    ck_assert_int_eq(evidence.members[1].private_bytes.now, 100);
}
END_TEST

START_TEST(a_source_and_a_pid_mean_themselves)
{
    make_all();
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = idle }), 0);
    ck_assert_uint_eq(evidence.pid, 12);
    ck_assert_uint_eq(evidence.member_count, 3);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .pid = 13 }), 0);
    ck_assert_uint_eq(evidence.source, young);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = group }), 0);
    ck_assert_uint_eq(evidence.source, leak);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = host }), 0);
    ck_assert_uint_eq(evidence.source_kind, OC_SOURCE_HOST);
    check_moved(&evidence.metrics[OC_METRIC_HOST_AVAILABLE], 90000, 89010);
}
END_TEST

START_TEST(a_cgroup_means_who_in_it_grew_most)
{
    uint32_t empty;

    make_all();
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = cgroup }), 0);
    ck_assert_uint_eq(evidence.source, leak);
    ck_assert_str_eq(evidence.subject, "proc:made");
    ck_assert_uint_eq(evidence.members_in_all, 4); /* of all subjects in it */
    check_moved(&evidence.metrics[OC_METRIC_CGROUP_CHARGE], 7000, 7990);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .subject = "cgroup:/a/b" }), 0);
    ck_assert_uint_eq(evidence.source, leak);
    /* with nobody in it that is watched it stands alone; names that only begin alike are others */
    empty = begin_source(OC_SOURCE_CGROUP, "cgroup:/a/b/cc", 0);
    put_ticks(100, 101);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = empty }), 0);
    ck_assert_uint_eq(evidence.source, empty);
    ck_assert_str_eq(evidence.subject, "cgroup:/a/b/cc");
    ck_assert_uint_eq(evidence.source_kind, OC_SOURCE_CGROUP);
}
END_TEST

START_TEST(who_is_not_there_is_said_so)
{
    make_all();
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .subject = "nobody" }), OC_E_NOENT);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .pid = 4711 }), OC_E_NOENT);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = 4711 }), OC_E_NOENT);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .pid = 0 }), OC_E_INVAL);
    ck_assert_int_eq(
        ask_evidence((struct oc_evidence_query){ .subject = "proc:made", .want_ended = 1 }),
        OC_E_NOENT);
}
END_TEST

/* ---- figures ---- */

START_TEST(figures_are_of_the_life_and_where_it_lives)
{
    make_all();
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = leak }), 0);
    ck_assert_int_eq(evidence.then_unix_ms, WALK_UNIX_MS);
    ck_assert_int_eq(evidence.now_unix_ms, WALK_UNIX_MS + 990 * SECOND);
    ck_assert_int_eq(evidence.is_one_look, 0);
    ck_assert_uint_eq(evidence.samples, 100);
    check_moved(&evidence.metrics[OC_METRIC_PRIVATE], 1000, 1990);
    check_moved(&evidence.metrics[OC_METRIC_CGROUP_CHARGE], 7000, 7990);
    check_moved(&evidence.metrics[OC_METRIC_HOST_AVAILABLE], 90000, 89010);
    ck_assert_int_eq(evidence.metrics[OC_METRIC_RSS].has_now, 0); /* nobody looked */
}
END_TEST

START_TEST(a_span_is_as_asked)
{
    make_all();
    ck_assert_int_eq(
        ask_evidence((struct oc_evidence_query){ .source = leak,
                                                 .since_unix_ms = WALK_UNIX_MS + 195 * SECOND,
                                                 .until_unix_ms = WALK_UNIX_MS + 405 * SECOND }),
        0);
    ck_assert_int_eq(evidence.then_unix_ms, WALK_UNIX_MS + 200 * SECOND);
    ck_assert_int_eq(evidence.now_unix_ms, WALK_UNIX_MS + 400 * SECOND);
    ck_assert_uint_eq(evidence.samples, 21);
    check_moved(&evidence.metrics[OC_METRIC_PRIVATE], 1200, 1400);
    check_moved(&evidence.metrics[OC_METRIC_CGROUP_CHARGE], 7200, 7400);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = leak, .since_unix_ms = 5 }),
                     0);
    ck_assert_int_eq(evidence.then_unix_ms, WALK_UNIX_MS); /* not before there was anything */
}
END_TEST

START_TEST(one_sample_is_one_look)
{
    begin_all();
    young = idle;
    put_ticks(0, 1);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = leak }), 0);
    ck_assert_int_eq(evidence.is_one_look, 1);
    ck_assert_int_eq(evidence.metrics[OC_METRIC_PRIVATE].has_now, 1);
    ck_assert_int_eq(evidence.metrics[OC_METRIC_PRIVATE].has_then, 0);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .pid = 99 }),
                     0); /* no sample at all */
    ck_assert_int_eq(evidence.is_one_look, 1);
    ck_assert_int_eq(evidence.now_unix_ms, 0);
    ck_assert_uint_eq(evidence.samples, 0);
}
END_TEST

START_TEST(figures_come_from_chunks_too)
{
    walk_options.seal_samples = 20;
    make_all();
    ck_assert_int_gt(strtol(ask("SELECT count(*) FROM main.raw"), NULL, 10), 6);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = leak }), 0);
    check_moved(&evidence.metrics[OC_METRIC_PRIVATE], 1000, 1990);
    check_moved(&evidence.metrics[OC_METRIC_CGROUP_CHARGE], 7000, 7990);
    ck_assert_uint_eq(evidence.samples, 100);
    check_moved(&evidence.members[0].private_bytes, 1000, 1990);
    ck_assert_int_eq(
        ask_evidence((struct oc_evidence_query){ .source = leak,
                                                 .since_unix_ms = WALK_UNIX_MS + 195 * SECOND,
                                                 .until_unix_ms = WALK_UNIX_MS + 405 * SECOND }),
        0);
    check_moved(&evidence.metrics[OC_METRIC_PRIVATE], 1200, 1400);
}
END_TEST

/* Raw samples are gone after 7 days: where it began, the minutes say it. */
START_TEST(what_is_old_comes_from_the_tiers)
{
    const int64_t hours = 24 * 20;
    int rc;

    walk_options.seal_samples = 20;
    walk_open_at(0);
    leak = begin_process("proc:made", 11, 0);
    for (int64_t n = 0; n < hours; n++) {
        oc_tick_begin(&tick, n * HOUR);
        put(leak, OC_METRIC_PRIVATE, 1000 + 10 * n);
        ck_assert_int_eq(oc_store_append(store, &tick), 0);
        walk_commit(n * HOUR);
    }
    ck_assert_int_ge(oc_store_maintain(store, 0, WALK_UNIX_MS, 1000), 0);
    do
        rc = oc_store_maintain(store, hours * HOUR, WALK_UNIX_MS + hours * HOUR, 1000000);
    while (rc == 1);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_gt(strtol(ask("SELECT min(t0) FROM main.raw"), NULL, 10), 10 * 24 * HOUR);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = leak }), 0);
    check_moved(&evidence.metrics[OC_METRIC_PRIVATE], 1000, 1000 + 10 * (hours - 1));
    ck_assert_int_le(evidence.then_unix_ms, WALK_UNIX_MS + MINUTE);
    ck_assert_int_eq(evidence.now_unix_ms, WALK_UNIX_MS + (hours - 1) * HOUR);
    ck_assert_int_eq(
        ask_evidence((struct oc_evidence_query){ .source = leak,
                                                 .since_unix_ms = WALK_UNIX_MS + 24 * HOUR,
                                                 .until_unix_ms = WALK_UNIX_MS + 48 * HOUR }),
        0);
    check_moved(&evidence.metrics[OC_METRIC_PRIVATE], 1240, 1480);
}
END_TEST

/* The clock is set an hour ahead at half time: times are told by it, the axis stays straight. */
START_TEST(a_clock_that_was_set_moves_no_figure)
{
    begin_all();
    put_ticks(0, 50);
    young = idle;
    ck_assert_int_eq(oc_store_clock(store, 500 * SECOND, WALK_UNIX_MS + 500 * SECOND + HOUR), 0);
    put_ticks(50, 100);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = leak }), 0);
    check_moved(&evidence.metrics[OC_METRIC_PRIVATE], 1000, 1990);
    ck_assert_int_eq(evidence.then_unix_ms, WALK_UNIX_MS);
    ck_assert_int_eq(evidence.now_unix_ms, WALK_UNIX_MS + 990 * SECOND + HOUR);
    ck_assert_int_eq(/* a time that never was: what comes next */
                     ask_evidence((struct oc_evidence_query){
                         .source = leak, .since_unix_ms = WALK_UNIX_MS + 30 * MINUTE }),
                     0);
    check_moved(&evidence.metrics[OC_METRIC_PRIVATE], 1500, 1990);
}
END_TEST

/* A life of an earlier boot, and the same subject in this one. */
START_TEST(lives_of_another_boot_are_told_apart)
{
    make_all();
    walk_close();
    walk_options.boot_id = "boot 2";
    walk_options.now_unix_ms = WALK_UNIX_MS + 2 * HOUR;
    walk_options.now_boot_ms = 0;
    {
        struct oc_store_report report;
        struct oc_detail detail = { 0 };

        ck_assert_int_eq(oc_store_open(&walk_options, &store, &report, &detail), 0);
    }
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .subject = "made" }), 0);
    ck_assert_int_eq(evidence.has_end, 1); /* none runs: the newest that is over */
    ck_assert_int_eq(evidence.end, OC_END_UNKNOWN);
    ck_assert_int_eq(evidence.killer, OC_KILLER_UNKNOWN);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = leak }), 0);
    check_moved(&evidence.metrics[OC_METRIC_PRIVATE], 1000, 1990);
    check_moved(&evidence.metrics[OC_METRIC_CGROUP_CHARGE], 7000, 7990);
    ck_assert_int_eq(evidence.now_unix_ms, WALK_UNIX_MS + 990 * SECOND);
    leak = begin_process("proc:made", 11, 1000);
    oc_tick_begin(&tick, 2000);
    put(leak, OC_METRIC_PRIVATE, 5);
    ck_assert_int_eq(oc_store_append(store, &tick), 0);
    walk_commit(2000);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .subject = "made" }), 0);
    ck_assert_uint_eq(evidence.source, leak);
    ck_assert_int_eq(evidence.metrics[OC_METRIC_PRIVATE].now, 5);
    ck_assert_int_eq(evidence.metrics[OC_METRIC_CGROUP_CHARGE].has_now, 0);
}
END_TEST

/* ---- forecasts and limits ---- */

START_TEST(growth_begins_where_the_forecast_says)
{
    struct oc_forecast_row rows[2];

    make_all();
    rows[0] = row_of(0, "", OC_FORECAST_LEAKING, (double)INFINITY);
    rows[1] = row_of(OC_LIMIT_CGROUP_MAX, "/a/b", OC_FORECAST_LEAKING, 7200);
    ck_assert_int_eq(oc_store_forecasts(store, leak, rows, 2), 0);
    rows[0] = row_of(OC_LIMIT_CGROUP_MAX, "/a", OC_FORECAST_LEAKING, 3600);
    rows[0].forecast.metric = OC_METRIC_CGROUP_CHARGE;
    ck_assert_int_eq(oc_store_forecasts(store, parent, rows, 1), 0);
    rows[0] = row_of(OC_LIMIT_HOST_MEMORY, "", OC_FORECAST_LEAKING, 60);
    ck_assert_int_eq(oc_store_forecasts(store, host, rows, 1), 0);
    walk_commit(991 * SECOND);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .subject = "proc:made" }), 0);
    ck_assert_int_eq(evidence.then_unix_ms, WALK_UNIX_MS + 300 * SECOND);
    check_moved(&evidence.metrics[OC_METRIC_PRIVATE], 1300, 1990);
    check_moved(&evidence.members[0].private_bytes, 1300, 1990);
    ck_assert_int_eq(evidence.has_forecast, 1);
    ck_assert_str_eq(evidence.forecast.limit.where, "/a"); /* the sooner one of its cgroups */
    ck_assert(evidence.forecast.forecast.p50_s == 3600);
    /* of one that does not grow, what others do to a cgroup is no forecast */
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = idle }), 0);
    ck_assert_int_eq(evidence.has_forecast, 0);
    ck_assert_int_eq(evidence.then_unix_ms, WALK_UNIX_MS);
}
END_TEST

/* All share the host: its limit is told of whom most of its growth is, and not of the others. */
START_TEST(the_host_binds_who_fills_it)
{
    struct oc_forecast_row row = row_of(0, "", OC_FORECAST_LEAKING, (double)INFINITY);

    make_all();
    row.forecast.growth_per_h = 600;
    ck_assert_int_eq(oc_store_forecasts(store, leak, &row, 1), 0);
    row.forecast.growth_per_h = 100;
    ck_assert_int_eq(oc_store_forecasts(store, idle, &row, 1), 0);
    row = row_of(OC_LIMIT_HOST_MEMORY, "", OC_FORECAST_LEAKING, 60);
    row.forecast.metric = OC_METRIC_HOST_AVAILABLE;
    row.forecast.growth_per_h = 1000;
    ck_assert_int_eq(oc_store_forecasts(store, host, &row, 1), 0);
    walk_commit(991 * SECOND);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = leak }), 0);
    ck_assert_uint_eq(evidence.forecast.limit.kind, OC_LIMIT_HOST_MEMORY);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = idle }), 0);
    ck_assert_int_eq(evidence.has_forecast, 1);
    ck_assert_uint_eq(evidence.forecast.limit.kind, 0);
    ck_assert_uint_eq(evidence.forecast.forecast.metric, OC_METRIC_PRIVATE);
}
END_TEST

START_TEST(limits_are_those_it_can_meet)
{
    struct oc_limit limits[2];

    make_all();
    limits[0] = limit_of(OC_LIMIT_RLIMIT_AS, 1 << 30, "");
    limits[1] = limit_of(OC_LIMIT_MAX_MAP_COUNT, 65530, "");
    put_limits(leak, 100 * SECOND, limits, 2);
    put_limits(leak, 200 * SECOND, limits, 1); /* the second is there no more */
    limits[0] = limit_of(OC_LIMIT_CGROUP_MAX, 9000, "/a/b");
    put_limits(cgroup, 100 * SECOND, limits, 1);
    limits[0] = limit_of(OC_LIMIT_CGROUP_MAX, 99000, "/a");
    put_limits(parent, 100 * SECOND, limits, 1);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = leak }), 0);
    ck_assert_uint_eq(evidence.limit_count, 3);
    ck_assert_uint_eq(evidence.limits[0].kind, OC_LIMIT_RLIMIT_AS);
    ck_assert_int_eq(evidence.limits[0].has_use, 0);
    ck_assert_str_eq(evidence.limits[1].where, "/a/b");
    ck_assert_int_eq(evidence.limits[1].has_use, 1);
    ck_assert_uint_eq(evidence.limits[1].use, 7990);
    ck_assert_str_eq(evidence.limits[2].where, "/a");
    ck_assert_int_eq(evidence.limits[2].has_use, 0); /* its figures were not asked for */
}
END_TEST

/* ---- walks ---- */

static const struct oc_evidence_family *family_named(const char *name)
{
    for (size_t i = 0; i < evidence.family_count; i++)
        if (strcmp(evidence.families[i].name, name) == 0)
            return &evidence.families[i];
    return NULL;
}

START_TEST(walks_say_what_grew)
{
    const struct oc_evidence_family *family;

    walk_open_at(0);
    leak = walk_begin("proc:made", 11);
    put_walks(leak, 1, 30);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = leak }), 0);
    ck_assert_uint_eq(evidence.walks, 29);
    ck_assert_int_eq(evidence.walk_then_unix_ms, WALK_UNIX_MS + 10 * MINUTE);
    ck_assert_int_eq(evidence.walk_now_unix_ms, WALK_UNIX_MS + 290 * MINUTE);
    check_moved(&evidence.usage_commit[OC_USAGE_HEAP], 1000, 29000);
    check_moved(&evidence.usage_count[OC_USAGE_HEAP], 3, 3);
    check_moved(&evidence.usage_commit[OC_USAGE_STACK], 8 << 20, 8 << 20);
    check_moved(&evidence.usage_commit[OC_USAGE_MANAGED_HEAP], 0, 0);
    check_moved(&evidence.usage_reserve[OC_USAGE_HEAP], 0, 0);
    ck_assert_int_eq(evidence.usage_resident[OC_USAGE_HEAP].has_now, 0);
    check_moved(&evidence.arenas, 1, 29);
    check_moved(&evidence.largest_free_bytes, INT64_C(1) << 40, INT64_C(1) << 40);
    ck_assert_str_eq(evidence.runtime, "dotnet");
    family = family_named("qrt-*.dll");
    ck_assert_ptr_nonnull(family);
    ck_assert_uint_eq(family->kind, OC_FAMILY_MODULE);
    ck_assert_uint_eq(family->flags, OC_FAMILY_FOLDED);
    check_moved(&family->count, 10, 290);
    check_moved(&family->bytes, 4096, 4096 * 29);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(family->course[i], 10 * (1 + (i + 1) * 4));
    family = family_named("socket");
    ck_assert_ptr_nonnull(family);
    check_moved(&family->count, 1, 29);
    ck_assert_int_eq(family->course[1], 0); /* the ninth walk found none */
    ck_assert_ptr_nonnull(family_named("worker-*"));
}
END_TEST

START_TEST(between_two_walks_nothing_is_known)
{
    walk_open_at(0);
    leak = walk_begin("proc:made", 11);
    put_walks(leak, 1, 2);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = leak }), 0);
    ck_assert_int_eq(evidence.walk_then_unix_ms, 0);
    ck_assert_int_eq(evidence.usage_commit[OC_USAGE_HEAP].has_then, 0);
    ck_assert_int_eq(evidence.usage_commit[OC_USAGE_HEAP].now, 1000);
    ck_assert_ptr_nonnull(family_named("qrt-*.dll"));
    ck_assert_int_eq(family_named("qrt-*.dll")->count.has_then, 0);
    put_walks(leak, 2, 3);
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .source = leak }), 0);
    check_moved(&evidence.usage_commit[OC_USAGE_HEAP], 1000, 2000);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(family_named("qrt-*.dll")->course[i], -1);
}
END_TEST

/* ---- the end ---- */

START_TEST(a_life_that_is_over_says_how)
{
    struct oc_forecast_row rows[2];

    make_all();
    rows[0] = row_of(OC_LIMIT_RLIMIT_AS, "", OC_FORECAST_LEAKING, 20);
    rows[1] = row_of(OC_LIMIT_CGROUP_MAX, "/a/b", OC_FORECAST_LEAKING, 30);
    ck_assert_int_eq(oc_store_forecasts(store, leak, rows, 2), 0);
    ck_assert_int_eq(oc_store_source_killer(store, leak, OC_KILLER_CGROUP, "/a/b"), 0);
    ck_assert_int_eq(oc_store_source_end(store, leak, 995 * SECOND, OC_END_OOM_KILLED, 9), 0);
    walk_commit(996 * SECOND);
    put_ticks(100, 101);
    ck_assert_int_eq(
        ask_evidence((struct oc_evidence_query){ .subject = "proc:made", .want_ended = 1 }), 0);
    ck_assert_uint_eq(evidence.source, leak);
    ck_assert_int_eq(evidence.is_live, 0);
    ck_assert_int_eq(evidence.has_end, 1);
    ck_assert_int_eq(evidence.end, OC_END_OOM_KILLED);
    ck_assert_int_eq(evidence.status, 9);
    ck_assert_int_eq(evidence.killer, OC_KILLER_CGROUP);
    ck_assert_str_eq(evidence.killer_scope, "/a/b");
    ck_assert_int_eq(evidence.end_unix_ms, WALK_UNIX_MS + 995 * SECOND);
    ck_assert_int_eq(evidence.now_unix_ms, WALK_UNIX_MS + 990 * SECOND);
    check_moved(&evidence.metrics[OC_METRIC_PRIVATE], 1300, 1990);
    ck_assert_int_eq(evidence.has_last_forecast, 1);
    ck_assert_uint_eq(evidence.last_forecast.limit.kind, OC_LIMIT_CGROUP_MAX);
    ck_assert_uint_eq(evidence.forecast.limit.kind, OC_LIMIT_RLIMIT_AS);
    /* of the subject that lives on */
    ck_assert_int_eq(ask_evidence((struct oc_evidence_query){ .subject = "proc:made" }), 0);
    ck_assert_uint_eq(evidence.members_in_all, 2);
    ck_assert_int_eq(evidence.is_live, 1);
}
END_TEST

/* Met, or the cgroup already empty: that was said of the end, and foretells nothing. */
START_TEST(the_last_forecast_is_of_before_the_end)
{
    static const struct {
        unsigned state;
        double p50_s;
        int64_t t_s;
        unsigned last;
    } cases[] = { { OC_FORECAST_EXHAUSTED, 0, 991, OC_FORECAST_LEAKING },
                  { OC_FORECAST_CYCLIC, (double)INFINITY, 994, OC_FORECAST_LEAKING },
                  { OC_FORECAST_LEAKING, 1, 994, OC_FORECAST_LEAKING },
                  /* long before it: that was taken back */
                  { OC_FORECAST_CYCLIC, (double)INFINITY, 980, OC_FORECAST_CYCLIC } };
    struct oc_forecast_row row = row_of(OC_LIMIT_CGROUP_MAX, "/a/b", OC_FORECAST_LEAKING, 30);

    make_all();
    row.forecast.t_ms = 970 * SECOND;
    ck_assert_int_eq(oc_store_forecasts(store, leak, &row, 1), 0);
    row = row_of(OC_LIMIT_CGROUP_MAX, "/a/b", cases[_i].state, cases[_i].p50_s);
    row.forecast.t_ms = cases[_i].t_s * SECOND;
    ck_assert_int_eq(oc_store_forecasts(store, leak, &row, 1), 0);
    ck_assert_int_eq(oc_store_source_killer(store, leak, OC_KILLER_CGROUP, "/a/b"), 0);
    ck_assert_int_eq(oc_store_source_end(store, leak, 995 * SECOND, OC_END_OOM_KILLED, 9), 0);
    walk_commit(996 * SECOND);
    ck_assert_int_eq(
        ask_evidence((struct oc_evidence_query){ .subject = "proc:made", .want_ended = 1 }), 0);
    ck_assert_uint_eq(evidence.last_forecast.forecast.state, cases[_i].last);
}
END_TEST

START_TEST(memory_that_is_short_leaks_nothing)
{
    make_all();
    put_walks(leak, 2, 5);
    for (uint64_t n = 1; n < 3000; n++) {
        struct oc_evidence_query query = { .subject = "proc:made", .until_unix_ms = INT64_MAX };
        oc_reader *reader = walk_reader();
        int rc;

        oc_alloc_fail_at(n, 0);
        rc = oc_reader_evidence(reader, &query, &evidence);
        oc_alloc_fail_at(0, 0);
        oc_reader_close(reader);
        if (rc == 0)
            return;
        ck_assert_int_eq(rc, OC_E_NOMEM);
    }
    ck_abort_msg("it never came through");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("evidence");
    TCase *tests = tcase_create("evidence");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, a_subject_means_the_process_that_grew_most);
    tcase_add_test(tests, a_source_and_a_pid_mean_themselves);
    tcase_add_test(tests, a_cgroup_means_who_in_it_grew_most);
    tcase_add_test(tests, who_is_not_there_is_said_so);
    tcase_add_test(tests, figures_are_of_the_life_and_where_it_lives);
    tcase_add_test(tests, a_span_is_as_asked);
    tcase_add_test(tests, one_sample_is_one_look);
    tcase_add_test(tests, figures_come_from_chunks_too);
    tcase_add_test(tests, what_is_old_comes_from_the_tiers);
    tcase_add_test(tests, a_clock_that_was_set_moves_no_figure);
    tcase_add_test(tests, lives_of_another_boot_are_told_apart);
    tcase_add_test(tests, growth_begins_where_the_forecast_says);
    tcase_add_test(tests, the_host_binds_who_fills_it);
    tcase_add_test(tests, limits_are_those_it_can_meet);
    tcase_add_test(tests, walks_say_what_grew);
    tcase_add_test(tests, between_two_walks_nothing_is_known);
    tcase_add_test(tests, a_life_that_is_over_says_how);
    tcase_add_loop_test(tests, the_last_forecast_is_of_before_the_end, 0, 4);
    tcase_add_test(tests, memory_that_is_short_leaks_nothing);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
