/* What the daemon forecasts: from limits and samples to rows in the store, and from one life to the next. */
#include "base/alloc.h"
#include "daemon/limits.h"
#include "suites.h"
#include "tests/unit/daemon/daemon_fixture.h"
#include "tests/unit/daemon/target_fixture.h"

#include <string.h>

#define NAMED "proc:leaky"
#define TICK_MS 1000

/* ---- one process, and time that passes as told ---- */

static struct oc_source *source; /* of the process at hand */
static int64_t t_ms;             /* of its next sample: ahead of the real ticks */

static struct oc_source *process(uint32_t pid)
{
    struct oc_source *found = oc_sources_by_pid(&d->sources, pid);

    ck_assert_ptr_nonnull(found);
    ck_assert_ptr_nonnull(found->tracks);
    return found;
}

static int is_replayed(void) { return d->forecasts.asked == 0 && d->forecasts.waiting == 0; }

static void watch(uint32_t pid, uint32_t watched)
{
    start_process(pid, "leaky", 100 * MIB);
    if (watched == 1)
        begin();
    run_until_watched(watched);
    run_until(is_replayed);
    source = process(pid);
    t_ms = oc_now_boot_ms() + 1000;
}

static void sample(double value)
{
    struct oc_sample made = { .block = OC_BLOCK_PROCESS };

    oc_sample_set(&made, OC_METRIC_PRIVATE, (int64_t)value);
    oc_forecast_fed(d, source, t_ms, &made);
    t_ms += TICK_MS;
}

static void set_limits(const uint64_t *values, size_t count)
{
    struct oc_limit limits[8];

    memset(limits, 0, sizeof(limits));
    for (size_t i = 0; i < count; i++) {
        limits[i].kind = OC_LIMIT_USER;
        limits[i].metric = OC_METRIC_PRIVATE;
        limits[i].value = values[i];
        (void)snprintf(limits[i].where, sizeof(limits[i].where), "%zu", i);
    }
    oc_forecast_limits(d, source, limits, count);
}

static void set_limit(uint64_t value) { set_limits(&value, 1); }

static const struct oc_track *private_track(void)
{
    return oc_tracks_find(source->tracks, OC_METRIC_PRIVATE);
}

static unsigned state(void) { return (unsigned)oc_series_state(private_track()->series, 0); }

/* ---- what the store says ---- */

static struct oc_forecast_row rows[64];
static size_t row_count;

static int on_row(const struct oc_forecast_span *span, void *context)
{
    (void)context;
    if (strcmp(span->subject, NAMED) == 0 && row_count < 64)
        rows[row_count++] = *span->row;
    return 0;
}

static void read_rows(void)
{
    struct oc_forecast_filter filter = { .source = OC_READER_ALL_SOURCES,
                                         .until_unix_ms = INT64_MAX,
                                         .now_only = 0 };
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;

    row_count = 0;
    ck_assert_msg(oc_reader_open(d->store_path, &reader, &detail) == OC_OK, "%s", detail.text);
    ck_assert_int_ge(oc_reader_forecasts(reader, &filter, on_row, NULL), 0);
    oc_reader_close(reader);
}

static struct oc_accuracy record;

static int on_accuracy(const struct oc_accuracy_row *row, void *context)
{
    if (strcmp(row->subject, context) == 0)
        oc_accuracy_add(&record, &row->sum);
    return 0;
}

static void read_record_of(char *subject)
{
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;

    record = (struct oc_accuracy){ 0 };
    ck_assert_msg(oc_reader_open(d->store_path, &reader, &detail) == OC_OK, "%s", detail.text);
    ck_assert_int_ge(oc_reader_accuracy(reader, on_accuracy, subject), 0);
    oc_reader_close(reader);
}

static int has_state(unsigned wanted)
{
    for (size_t i = 0; i < row_count; i++) {
        if (rows[i].forecast.state == wanted)
            return 1;
    }
    return 0;
}

/* ---- tests ---- */

/* 8 KiB a second, with some hum, towards a limit that is 4 hours away, until it is met. */
static void leak_until_met(void)
{
    set_limit((uint64_t)(100 * MIB + INT64_C(4) * 3600 * 8192));
    for (int i = 0; i < 5 * 3600 && state() != OC_FORECAST_EXHAUSTED; i++)
        sample(100 * MIB + i * 8192.0 + i * 7919 % 31 * 8192.0);
    ck_assert_uint_eq(state(), OC_FORECAST_EXHAUSTED);
}

START_TEST(a_leak_is_foretold_and_its_end_is_in_the_record)
{
    watch(10, 1);
    leak_until_met();
    finish();
    read_rows();
    ck_assert(has_state(OC_FORECAST_LEAKING));
    ck_assert_uint_eq(rows[row_count - 1].forecast.state, OC_FORECAST_EXHAUSTED);
    read_record_of(NAMED);
    ck_assert_uint_eq(record.ends, 1);
    ck_assert_uint_eq(record.alarms, 1);
    ck_assert_uint_eq(record.false_alarms, 0);
    ck_assert_uint_gt(record.judged, 0);
}
END_TEST

START_TEST(one_that_stays_as_it_is_leaves_no_end_in_the_record)
{
    watch(10, 1);
    set_limit((uint64_t)(200 * MIB));
    for (int i = 0; i < 5 * 3600; i++)
        sample((double)(100 * MIB + i % 20 * 4096));
    finish();
    read_rows();
    ck_assert_uint_gt(row_count, 0);
    ck_assert(!has_state(OC_FORECAST_LEAKING));
    read_record_of(NAMED);
    ck_assert_uint_eq(record.ends + record.alarms, 0);
}
END_TEST

START_TEST(a_limit_that_moves_is_judged_at_once)
{
    watch(10, 1);
    set_limit((uint64_t)(200 * MIB));
    for (int i = 0; i < 600; i++)
        sample((double)(100 * MIB));
    ck_assert_uint_ne(state(), OC_FORECAST_EXHAUSTED);
    set_limit((uint64_t)(90 * MIB));
    ck_assert_uint_eq(state(), OC_FORECAST_EXHAUSTED);
    set_limit((uint64_t)(200 * MIB));
    ck_assert_uint_ne(state(), OC_FORECAST_EXHAUSTED);
}
END_TEST

/* ---- exhausted while alive ---- */

static void sample_hole(double mib)
{
    struct oc_sample made = { .block = OC_BLOCK_PROCESS };

    oc_sample_set(&made, OC_METRIC_LARGEST_FREE, (int64_t)(mib * (double)MIB));
    oc_forecast_fed(d, source, t_ms, &made);
    t_ms += TICK_MS;
}

/* The largest hole of a worker falls for hours to what is asked for next; then it lives on without room for a while. */
static void lives_without_room(int seconds)
{
    struct oc_limit limit = { .kind = OC_LIMIT_LARGEST_FREE,
                              .metric = OC_METRIC_LARGEST_FREE,
                              .value = (uint64_t)(16 * MIB) };

    watch(10, 1);
    oc_forecast_limits(d, source, &limit, 1);
    for (int i = 0; i < 3 * 3600; i++)
        sample_hole(1000 - i * 980.0 / (3 * 3600));
    ck_assert_int_lt(oc_tracks_space_ms(source->tracks), 3600 * 1000); /* it is walked more often */
    for (int i = 0; i < seconds; i++)
        sample_hole(12);
    for (int i = 0; i < 600; i++)
        sample_hole(seconds >= 60 ? 12 : 300);
    finish();
    read_record_of(NAMED);
}

START_TEST(exhausted_for_a_minute_is_an_end_though_it_lives)
{
    lives_without_room(90);
    ck_assert_uint_eq(record.ends, 1);
    ck_assert_uint_eq(record.foretold, 1);
}
END_TEST

START_TEST(a_moment_without_room_is_no_end)
{
    lives_without_room(30);
    ck_assert_uint_eq(record.ends, 0);
}
END_TEST

START_TEST(one_that_has_room_is_walked_as_seldom_as_ever)
{
    watch(10, 1);
    ck_assert_int_eq(oc_tracks_space_ms(source->tracks), INT64_MAX);
    for (int i = 0; i < 600; i++)
        sample_hole(900);
    ck_assert_int_eq(oc_tracks_space_ms(source->tracks), INT64_MAX);
    ck_assert_int_eq(oc_walks_interval_ms(d, source), d->config.walk_interval_ms);
}
END_TEST

static int has_limit(uint64_t value)
{
    const struct oc_track *track = private_track();

    for (unsigned slot = 0; slot < track->limit_count; slot++) {
        if (track->limits[slot].kind != 0 && track->limits[slot].value == value)
            return 1;
    }
    return 0;
}

START_TEST(of_many_limits_the_four_nearest_are_forecast)
{
    static const uint64_t values[] = { 900u << 20, 500u << 20, 800u << 20,
                                       600u << 20, 700u << 20, 400u << 20 };

    watch(10, 1);
    set_limits(values, 6);
    ck_assert_uint_eq(private_track()->limit_count, OC_SERIES_LIMITS);
    ck_assert(has_limit(400u << 20) && has_limit(500u << 20) && has_limit(600u << 20) &&
              has_limit(700u << 20));
    set_limits(values + 1, 1); /* the others are lifted */
    ck_assert(has_limit(500u << 20) && !has_limit(400u << 20) && !has_limit(700u << 20));
    set_limits(values, 0);
    ck_assert_int_eq(oc_track_has_limit(private_track()), 0);
}
END_TEST

START_TEST(a_limit_of_another_metric_makes_its_series)
{
    struct oc_limit limits[2] = { { .kind = OC_LIMIT_RLIMIT_NOFILE, .metric = OC_METRIC_FDS },
                                  { .kind = OC_LIMIT_RLIMIT_NPROC } };

    limits[0].value = 1024;
    limits[1].value = 5000; /* no metric of a process runs into it */
    watch(10, 1);
    oc_forecast_limits(d, source, limits, 2);
    ck_assert_uint_eq(source->tracks->count, 2);
    ck_assert_ptr_nonnull(oc_tracks_find(source->tracks, OC_METRIC_FDS));
}
END_TEST

static const struct oc_prior *learnt(void)
{
    const struct oc_prior_entry *entry =
        oc_priors_find(&d->forecasts.priors, OC_MEMORY_SUBJECT, NAMED, OC_METRIC_PRIVATE);

    return entry ? &entry->u.prior : NULL;
}

static void end_with(enum oc_end end, int status)
{
    oc_fake_end(d->probe, 10, end, status);
    run_until_watched(0);
}

START_TEST(a_life_that_ends_teaches_the_next_which_goes_on_with_its_series)
{
    oc_series *series = NULL;

    watch(10, 1);
    leak_until_met();
    series = private_track()->series;
    end_with(OC_END_SIGNALED, 9);
    ck_assert_ptr_nonnull(learnt());
    ck_assert(learnt()->death > 0);
    ck_assert_uint_eq(d->forecasts.parked_count, 1);
    start_process(11, "leaky", 100 * MIB);
    run_until_watched(1);
    ck_assert_ptr_eq(oc_tracks_find(process(11)->tracks, OC_METRIC_PRIVATE)->series, series);
    ck_assert_uint_eq(d->forecasts.parked_count, 0);
}
END_TEST

START_TEST(one_that_was_stopped_by_plan_died_of_nothing)
{
    watch(10, 1);
    set_limit((uint64_t)(105 * MIB)); /* near, but nobody met it */
    for (int i = 0; i < 3600; i++)
        sample((double)(100 * MIB));
    end_with(OC_END_SIGNALED, 15);
    ck_assert(!learnt() || (learnt()->death <= 0 && learnt()->leaks <= 0));
}
END_TEST

/* IIS put another worker in its place: near a limit, but nobody met it. */
START_TEST(one_that_was_recycled_died_of_nothing)
{
    watch(10, 1);
    set_limit((uint64_t)(105 * MIB));
    for (int i = 0; i < 3600; i++)
        sample((double)(90 * MIB + i * 4096));
    end_with(OC_END_RECYCLED, 1);
    ck_assert(!learnt() || learnt()->death <= 0);
    finish();
    read_record_of(NAMED);
    ck_assert_uint_eq(record.ends, 0);
}
END_TEST

START_TEST(one_that_crashed_there_died_of_it)
{
    watch(10, 1);
    set_limit((uint64_t)(105 * MIB));
    for (int i = 0; i < 3600; i++)
        sample((double)(90 * MIB + i * 4096));
    end_with(OC_END_EXITED, 1);
    ck_assert(learnt() && learnt()->death > 0);
    finish();
    read_record_of(NAMED);
    ck_assert_uint_eq(record.ends, 1);
}
END_TEST

/* Recycled for its memory: that limit is met, and foretold or not. */
START_TEST(a_recycle_for_memory_is_in_the_record)
{
    struct oc_limit limit = { .kind = OC_LIMIT_IIS_PRIVATE_MEMORY,
                              .metric = OC_METRIC_PRIVATE,
                              .value = (uint64_t)(105 * MIB) };

    watch(10, 1);
    oc_forecast_limits(d, source, &limit, 1);
    for (int i = 0; i < 3600; i++)
        sample((double)(90 * MIB + i * 4096));
    end_with(OC_END_RECYCLED, 1);
    ck_assert(!learnt() || learnt()->death <= 0);
    finish();
    read_record_of(NAMED);
    ck_assert_uint_eq(record.ends, 1);
}
END_TEST

START_TEST(one_that_is_watched_no_more_teaches_nothing)
{
    watch(10, 1);
    for (int i = 0; i < 3600; i++)
        sample((double)(100 * MIB));
    oc_watch_end(d, source, OC_END_UNWATCHED, -1);
    ck_assert_ptr_null(learnt());
    ck_assert_uint_eq(d->forecasts.parked_count, 0);
}
END_TEST

START_TEST(another_program_under_the_name_counts_less)
{
    struct oc_prior_entry *entry = NULL;

    watch(10, 1);
    oc_forecast_program(d, source, "/usr/bin/leaky", 1);
    entry = oc_priors_want(&d->forecasts.priors, OC_MEMORY_SUBJECT, NAMED, OC_METRIC_PRIVATE);
    ck_assert_ptr_nonnull(entry);
    entry->u.prior.lives = 8;
    end_with(OC_END_EXITED, 0);
    start_process(11, "leaky", 100 * MIB);
    run_until_watched(1);
    oc_forecast_program(d, process(11), "/usr/bin/leaky", 1); /* the same file */
    ck_assert_float_ge(entry->u.prior.lives, 8);
    oc_fake_end(d->probe, 11, OC_END_EXITED, 0);
    run_until_watched(0);
    start_process(12, "leaky", 100 * MIB);
    run_until_watched(1);
    oc_forecast_program(d, process(12), "/usr/bin/leaky", 2);
    ck_assert_float_lt(entry->u.prior.lives, 5);
    entry = oc_priors_find(&d->forecasts.priors, OC_MEMORY_SUBJECT, NAMED, OC_PRIOR_PROGRAM);
    ck_assert_ptr_nonnull(entry);
    ck_assert_uint_eq(entry->u.program.stamp, 2);
    ck_assert_int_gt(entry->u.program.since_unix_ms, 0);
}
END_TEST

/* Its own cgroup goes with it, and is told all the same that its limit was met. */
START_TEST(a_kill_by_its_limit_is_in_the_record_of_the_cgroup)
{
    struct oc_proc_facts facts = { .id = { .pid = 10, .start_ticks = 1010 },
                                   .name = "leaky",
                                   .cgroup = "/box" };
    struct oc_limit limit = { .kind = OC_LIMIT_CGROUP_MAX,
                              .metric = OC_METRIC_CGROUP_CHARGE,
                              .value = (uint64_t)(64 * MIB),
                              .where = "/box" };
    struct oc_sample made = { .block = OC_BLOCK_CGROUP };
    const struct oc_prior_entry *entry = NULL;
    struct oc_source *box = NULL;

    ck_assert_int_eq(oc_fake_cgroup(d->probe, "/box", 7), OC_OK);
    ck_assert_int_eq(oc_fake_start(d->probe, &facts), OC_OK);
    oc_fake_set(d->probe, 10, OC_METRIC_RSS, 100 * MIB);
    begin();
    run_until_watched(1);
    run_until(is_replayed);
    box = oc_sources_at(&d->sources, process(10)->cgroup_slot);
    ck_assert_ptr_nonnull(box);
    oc_forecast_limits(d, box, &limit, 1);
    t_ms = oc_now_boot_ms() + 1000;
    for (int i = 0; i < 3600; i++, t_ms += TICK_MS) {
        oc_sample_set(&made, OC_METRIC_CGROUP_CHARGE,
                      32 * MIB + i * 8 * 1024 + i * 7919 % 31 * 4096);
        oc_forecast_fed(d, box, t_ms, &made);
    }
    oc_fake_kill(d->probe, 10, OC_KILLER_CGROUP, "/box");
    run_until_watched(0);
    ck_assert_uint_gt(d->forecasts.parked_count, 0); /* should the service be started again */
    entry =
        oc_priors_find(&d->forecasts.priors, OC_MEMORY_SUBJECT, "/box", OC_METRIC_CGROUP_CHARGE);
    ck_assert_ptr_nonnull(entry);
    ck_assert_float_gt(entry->u.prior.death, 0);
    finish();
    read_record_of("cgroup:/box");
    ck_assert_uint_eq(record.ends, 1);
    ck_assert_uint_eq(record.censored, 0);
}
END_TEST

START_TEST(the_members_of_a_sum_hand_nothing_on)
{
    watch(10, 1);
    watch(11, 2);
    ck_assert_uint_eq(d->sources.live[OC_SOURCE_GROUP], 1);
    ck_assert_ptr_nonnull(source->subject->sum->tracks);
    oc_fake_end(d->probe, 11, OC_END_EXITED, 0);
    run_until_watched(1);
    ck_assert_uint_eq(d->forecasts.parked_count, 0);
}
END_TEST

START_TEST(what_finds_no_room_is_counted_and_the_rest_goes_on)
{
    struct oc_forecast_pool_stats stats;

    oc_forecast_pool_free(d->forecasts.pool);
    d->forecasts.pool = oc_forecast_pool_new(1, NULL);
    start_process(10, "leaky", 100 * MIB);
    begin();
    run_until_watched(1);
    run_until_samples(5);
    oc_forecast_pool_stats(d->forecasts.pool, &stats);
    ck_assert_uint_eq(stats.series, 0);
    ck_assert_uint_gt(d->forecasts.refused, 0);
    ck_assert_ptr_null(oc_tracks_find(process(10)->tracks, OC_METRIC_PRIVATE));
}
END_TEST

START_TEST(forecasts_may_be_turned_off)
{
    oc_forecast_stop(d);
    (void)uv_run(&d->loop, UV_RUN_NOWAIT); /* its timer closes */
    oc_forecast_clear(&d->forecasts);
    start_process(10, "leaky", 100 * MIB);
    begin();
    run_until_watched(1);
    run_until_samples(5);
    ck_assert_ptr_null(oc_sources_by_pid(&d->sources, 10)->tracks);
    finish();
    read_rows();
    ck_assert_uint_eq(row_count, 0);
}
END_TEST

Suite *forecast_suite(void)
{
    Suite *suite = suite_create("forecast");
    TCase *tests = tcase_create("forecast");

    tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_leak_is_foretold_and_its_end_is_in_the_record);
    tcase_add_test(tests, one_that_stays_as_it_is_leaves_no_end_in_the_record);
    tcase_add_test(tests, a_limit_that_moves_is_judged_at_once);
    tcase_add_test(tests, of_many_limits_the_four_nearest_are_forecast);
    tcase_add_test(tests, a_limit_of_another_metric_makes_its_series);
    tcase_add_test(tests, a_life_that_ends_teaches_the_next_which_goes_on_with_its_series);
    tcase_add_test(tests, one_that_was_stopped_by_plan_died_of_nothing);
    tcase_add_test(tests, one_that_was_recycled_died_of_nothing);
    tcase_add_test(tests, one_that_crashed_there_died_of_it);
    tcase_add_test(tests, a_recycle_for_memory_is_in_the_record);
    tcase_add_test(tests, exhausted_for_a_minute_is_an_end_though_it_lives);
    tcase_add_test(tests, a_moment_without_room_is_no_end);
    tcase_add_test(tests, one_that_has_room_is_walked_as_seldom_as_ever);
    tcase_add_test(tests, one_that_is_watched_no_more_teaches_nothing);
    tcase_add_test(tests, another_program_under_the_name_counts_less);
    tcase_add_test(tests, a_kill_by_its_limit_is_in_the_record_of_the_cgroup);
    tcase_add_test(tests, the_members_of_a_sum_hand_nothing_on);
    tcase_add_test(tests, what_finds_no_room_is_counted_and_the_rest_goes_on);
    tcase_add_test(tests, forecasts_may_be_turned_off);
    suite_add_tcase(suite, tests);
    return suite;
}
