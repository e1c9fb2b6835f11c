/* The series of one source: how samples, and samples that stand, become what is fed. */
#include "base/alloc.h"
#include "daemon/forecast_track.h"
#include "suites.h"

#include <math.h>
#include <string.h>

#define TICK_MS 1000
#define MIB 1048576.0

static oc_forecast_pool *pool;
static struct oc_tracks *tracks;

static struct oc_tracks *make(void)
{
    struct oc_series_options options = { .metric = OC_METRIC_PRIVATE };
    struct oc_tracks *made = oc_tracks_new();
    oc_series *series = NULL;

    ck_assert_ptr_nonnull(made);
    ck_assert_int_eq(oc_series_new(pool, &options, &series), OC_OK);
    ck_assert_ptr_nonnull(oc_tracks_add(made, OC_METRIC_PRIVATE, 0, series));
    return made;
}

static void setup(void)
{
    pool = oc_forecast_pool_new(1u << 20, NULL);
    ck_assert_ptr_nonnull(pool);
    tracks = make();
}

static void teardown(void)
{
    oc_tracks_free(tracks);
    oc_forecast_pool_free(pool);
    ck_assert_int_eq(oc_alloc_live(), 0);
}

static void feed(struct oc_tracks *to, int64_t t_ms, double value)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    oc_sample_set(&sample, OC_METRIC_PRIVATE, (int64_t)value);
    oc_tracks_feed(to, t_ms, &sample);
}

static uint64_t samples(const struct oc_tracks *of)
{
    struct oc_forecast forecast;

    oc_series_forecast(of->items[0].series, OC_SERIES_LIMITS, &forecast);
    return forecast.samples;
}

static void set_limit(struct oc_tracks *of, uint64_t value)
{
    ck_assert_int_eq(oc_track_make_slot(&of->items[0], 0), OC_OK);
    of->items[0].limits[0].kind = OC_LIMIT_USER;
    of->items[0].limits[0].value = value;
    oc_track_limits_changed(&of->items[0]);
}

static void check_equal(const struct oc_tracks *a, const struct oc_tracks *b)
{
    static uint8_t of_a[OC_SERIES_BLOB_BYTES], of_b[OC_SERIES_BLOB_BYTES];
    size_t bytes = oc_series_save(a->items[0].series, of_a);

    ck_assert_uint_eq(oc_series_save(b->items[0].series, of_b), bytes);
    ck_assert_mem_eq(of_a, of_b, bytes);
}

START_TEST(a_calm_minute_is_fed_as_one_range)
{
    for (int i = 1; i <= 600; i++)
        feed(tracks, i * TICK_MS, 100 * MIB + i % 3 * 4096);
    ck_assert_int_eq(tracks->items[0].is_calm, 1);
    ck_assert_uint_gt(tracks->items[0].waiting, 0);
    ck_assert_uint_le(tracks->items[0].waiting, 60);
    ck_assert_uint_eq(samples(tracks) + tracks->items[0].waiting, 600);
    oc_tracks_flush(tracks);
    ck_assert_uint_eq(samples(tracks), 600);
}
END_TEST

START_TEST(what_leaves_the_range_of_late_is_fed_at_once)
{
    for (int i = 1; i <= 630; i++)
        feed(tracks, i * TICK_MS, 100 * MIB);
    ck_assert_uint_gt(tracks->items[0].waiting, 0);
    feed(tracks, 631 * TICK_MS, 110 * MIB);
    ck_assert_uint_eq(tracks->items[0].waiting, 0);
    ck_assert_uint_eq(samples(tracks), 631);
}
END_TEST

START_TEST(a_limit_is_met_in_the_sample_that_meets_it)
{
    set_limit(tracks, (uint64_t)(101 * MIB));
    for (int i = 1; i <= 630; i++)
        feed(tracks, i * TICK_MS, 100 * MIB);
    ck_assert_int_ne(oc_series_state(tracks->items[0].series, 0), OC_FORECAST_EXHAUSTED);
    feed(tracks, 631 * TICK_MS, 101 * MIB);
    ck_assert_int_eq(oc_series_state(tracks->items[0].series, 0), OC_FORECAST_EXHAUSTED);
    ck_assert_int_eq(tracks->say_now, 1);
}
END_TEST

/* As forecast.c does it: most of those that stand are counted, and no more. */
static void stand(struct oc_tracks *of, int64_t t_ms)
{
    if (oc_tracks_is_quiet(of, t_ms)) {
        of->same++;
        of->last_ms = t_ms;
    } else {
        oc_tracks_feed(of, t_ms, NULL);
    }
}

/* tracks were told that it stands, others the value again. */
START_TEST(a_sample_that_stands_is_one_of_the_same_value)
{
    struct oc_tracks *others = make();
    double value = 100 * MIB;

    tracks->say_ms = INT64_MAX;
    for (int i = 1; i <= 900; i++) {
        if (i % 97 == 1) {
            value += 3 * 4096;
            feed(tracks, i * TICK_MS, value);
        } else {
            stand(tracks, i * TICK_MS);
        }
        feed(others, i * TICK_MS, value);
    }
    oc_tracks_flush(tracks);
    oc_tracks_flush(others);
    check_equal(tracks, others);
    oc_tracks_free(others);
}
END_TEST

/* A quiet start, then more and more. */
static double course(int i)
{
    return 100 * MIB + i % 50 * 4096 + (i > 2000 ? (i - 2000) * 65536.0 : 0);
}

/* One goes on, one is taken up again after it was saved, in the middle of a minute. */
static void check_goes_on(int saved_at)
{
    static uint8_t blob[OC_SERIES_BLOB_BYTES];
    struct oc_tracks *again = oc_tracks_new();
    oc_series *series = NULL;
    struct oc_track *track = NULL;

    for (int i = 1; i <= saved_at; i++)
        feed(tracks, i * TICK_MS, course(i));
    oc_tracks_settle(tracks);
    ck_assert_int_eq(
        oc_series_load(pool, blob, oc_series_save(tracks->items[0].series, blob), &series), OC_OK);
    track = oc_tracks_add(again, OC_METRIC_PRIVATE, 0, series);
    ck_assert_ptr_nonnull(track);
    oc_tracks_resume(again, track);
    ck_assert_int_eq(again->last_ms, saved_at * TICK_MS);
    for (int i = saved_at + 1; i <= 4000; i++) {
        feed(tracks, i * TICK_MS, course(i));
        feed(again, i * TICK_MS, course(i));
    }
    ck_assert_uint_eq(tracks->items[0].waiting, again->items[0].waiting);
    check_equal(tracks, again);
    oc_tracks_free(again);
}

START_TEST(a_saved_one_goes_on_bit_for_bit)
{
    static const int at[] = { 5, 1510, 2500 };

    check_goes_on(at[_i]);
}
END_TEST

/* Whether it is taken for growth that one joined. */
static int grows_when_one_joins(int is_told)
{
    struct oc_tracks *sum = make();
    struct oc_forecast forecast;

    set_limit(sum, (uint64_t)(1300 * MIB));
    for (int i = 1; i <= 7200; i++) {
        int members = 50 + i / 120;

        sum->is_counted_anew = is_told && i % 120 == 0;
        feed(sum, i * TICK_MS, members * 10.0 * MIB);
    }
    oc_tracks_flush(sum);
    oc_series_forecast(sum->items[0].series, 0, &forecast);
    oc_tracks_free(sum);
    return forecast.state == OC_FORECAST_GROWING || forecast.state == OC_FORECAST_LEAKING;
}

START_TEST(a_member_that_joins_a_sum_is_no_growth) { ck_assert_int_eq(grows_when_one_joins(1), 0); }
END_TEST

START_TEST(steps_of_a_sum_are_growth_where_nobody_joined)
{
    ck_assert_int_eq(grows_when_one_joins(0), 1);
}
END_TEST

START_TEST(the_newest_sample_waits_for_those_before_it)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    feed(tracks, 1000, 100 * MIB);
    oc_sample_set(&sample, OC_METRIC_PRIVATE, (int64_t)(103 * MIB));
    oc_tracks_hold(tracks, 4000, &sample);
    feed(tracks, 2000, 101 * MIB);
    feed(tracks, 3000, 102 * MIB);
    oc_tracks_let_go(tracks);
    ck_assert_int_eq(tracks->last_ms, 4000);
    ck_assert_int_eq((int)(tracks->items[0].last / MIB), 103);
    oc_tracks_hold(tracks, 3500, NULL); /* one that is not newer says nothing */
    oc_tracks_let_go(tracks);
    ck_assert_int_eq(tracks->last_ms, 4000);
}
END_TEST

START_TEST(figures_of_walks_are_fed_when_a_walk_brings_them)
{
    struct oc_series_options options = { .metric = OC_METRIC_MAPPINGS };
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
    oc_series *series = NULL;

    ck_assert_int_eq(oc_series_new(pool, &options, &series), OC_OK);
    ck_assert_ptr_nonnull(oc_tracks_add(tracks, OC_METRIC_MAPPINGS, 0, series));
    for (int i = 1; i <= 600; i++) {
        sample.known = 0;
        oc_sample_set(&sample, OC_METRIC_PRIVATE, (int64_t)(100 * MIB));
        if (i % 200 == 0)
            oc_sample_set(&sample, OC_METRIC_MAPPINGS, 30);
        oc_tracks_feed(tracks, i * TICK_MS, &sample);
    }
    ck_assert_int_eq(oc_series_last_ms(tracks->items[1].series), 600 * TICK_MS);
    ck_assert_uint_eq(tracks->items[1].waiting, 0);
    ck_assert_int_eq(tracks->restless, 0);
}
END_TEST

Suite *tracks_suite(void)
{
    Suite *suite = suite_create("tracks");
    TCase *tests = tcase_create("tracks");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_calm_minute_is_fed_as_one_range);
    tcase_add_test(tests, what_leaves_the_range_of_late_is_fed_at_once);
    tcase_add_test(tests, a_limit_is_met_in_the_sample_that_meets_it);
    tcase_add_test(tests, a_sample_that_stands_is_one_of_the_same_value);
    tcase_add_loop_test(tests, a_saved_one_goes_on_bit_for_bit, 0, 3);
    tcase_add_test(tests, a_member_that_joins_a_sum_is_no_growth);
    tcase_add_test(tests, steps_of_a_sum_are_growth_where_nobody_joined);
    tcase_add_test(tests, the_newest_sample_waits_for_those_before_it);
    tcase_add_test(tests, figures_of_walks_are_fed_when_a_walk_brings_them);
    suite_add_tcase(suite, tests);
    return suite;
}
