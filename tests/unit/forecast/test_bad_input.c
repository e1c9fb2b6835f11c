/* Values, times and limits that no process has: no crash, and a clear state afterwards. */
#include "forecast/forecast.h"
#include "made_load.h"
#include "sane.h"

#include <check.h>
#include <float.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MIB 1048576.0
#define POOL_BYTES ((size_t)1 << 20)
#define STEP_MS 10000
#define TWO_63 9223372036854775808.0

static oc_forecast_pool *pool;
static oc_series *series;

static void begin_as(const struct oc_series_options *options)
{
    pool = oc_forecast_pool_new(POOL_BYTES, NULL);
    ck_assert_ptr_nonnull(pool);
    ck_assert_int_eq(oc_series_new(pool, options, &series), OC_OK);
}

static uint64_t dice;

/* 0 … below - 1, the same each time. */
static uint32_t any(uint32_t below)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (uint32_t)(dice >> 20) % below;
}

static void begin(void) { begin_as(&(struct oc_series_options){ 0 }); }

static void end(void)
{
    oc_forecast_pool_free(pool);
    pool = NULL;
    series = NULL;
}

static enum oc_forecast_state state(void) { return oc_series_state(series, 0); }

/* A leak of 1 MiB a step from 100 MiB, with the hum of a program at work. */
static double leaked(int i) { return made_pages((100 + i + 8 * made_noise((uint64_t)i, 5)) * MIB); }

static void feed_leak(oc_series *to_feed, int from, int to)
{
    for (int i = from; i < to; i++)
        oc_series_feed(to_feed, (int64_t)i * STEP_MS, leaked(i));
}

static void feed_flat(int from, int to)
{
    for (int i = from; i < to; i++)
        oc_series_feed(series, (int64_t)i * STEP_MS, 100 * MIB);
}

/* ---- values ---- */

START_TEST(nothing_fed_is_learning)
{
    assert_all_sane(series);
    ck_assert_int_eq(state(), OC_FORECAST_LEARNING);
    oc_series_limit(series, 0, 100 * MIB);
    assert_all_sane(series);
    ck_assert_int_eq(state(), OC_FORECAST_LEARNING);
}
END_TEST

static const double no_numbers[] = { (double)NAN, (double)INFINITY, -(double)INFINITY };

/* Each third sample is one, and the forecast is that of the two others. */
START_TEST(what_is_no_number_is_left_out)
{
    const double bad = no_numbers[_i];
    struct oc_forecast with, without;
    oc_series *clean = NULL;

    ck_assert_int_eq(oc_series_new(pool, &(struct oc_series_options){ 0 }, &clean), OC_OK);
    oc_series_limit(series, 0, 1300 * MIB);
    oc_series_limit(clean, 0, 1300 * MIB);
    for (int i = 0; i < 1000; i++) {
        if (i % 3 == 1) {
            oc_series_feed(series, (int64_t)i * STEP_MS, bad);
            oc_series_feed_range(series, (int64_t)i * STEP_MS, bad, bad, bad, 6);
        } else {
            feed_leak(series, i, i + 1);
            feed_leak(clean, i, i + 1);
        }
    }
    assert_all_sane(series);
    oc_series_forecast(series, 0, &with);
    oc_series_forecast(clean, 0, &without);
    ck_assert_uint_eq(with.samples, without.samples);
    ck_assert_uint_eq(with.state, without.state);
    ck_assert_uint_eq(with.state, OC_FORECAST_LEAKING);
    ck_assert_double_eq(with.p50_s, without.p50_s);
}
END_TEST

static const double odd_values[] = { 0,       -0.0,     -1,     -100 * MIB, DBL_MIN, DBL_TRUE_MIN,
                                     DBL_MAX, -DBL_MAX, TWO_63, -TWO_63 };
#define ODD_VALUES (sizeof(odd_values) / sizeof(odd_values[0]))

START_TEST(odd_values_are_survived)
{
    const double value = odd_values[_i];

    oc_series_limit(series, 0, 2000 * MIB);
    oc_series_limit(series, 1, value);
    for (int i = 0; i < 300; i++) {
        oc_series_feed(series, (int64_t)i * STEP_MS, value);
        assert_all_sane(series);
    }
    ck_assert_int_ne(state(), OC_FORECAST_LEAKING); /* it never moved */
    if (value <= TWO_63) /* beyond that it is no number of bytes, and may be left out */
        ck_assert_int_eq(state() == OC_FORECAST_EXHAUSTED, value >= 2000 * MIB);
    feed_flat(300, 600);
    assert_all_sane(series);
    ck_assert_int_ne(state(), OC_FORECAST_EXHAUSTED);
}
END_TEST

START_TEST(one_odd_value_among_good_ones_is_survived)
{
    oc_series_limit(series, 0, 2000 * MIB);
    feed_flat(0, 300);
    oc_series_feed(series, 300 * STEP_MS, odd_values[_i]);
    assert_all_sane(series);
    feed_flat(301, 1000);
    assert_all_sane(series);
    ck_assert_int_ne(state(), OC_FORECAST_LEAKING);
    ck_assert_int_ne(state(), OC_FORECAST_EXHAUSTED);
}
END_TEST

START_TEST(ranges_that_make_no_sense_are_survived)
{
    oc_series_limit(series, 0, 2000 * MIB);
    for (int i = 0; i < 300; i++) {
        const int64_t t_ms = (int64_t)i * 60000;

        oc_series_feed_range(series, t_ms, 200 * MIB, 100 * MIB, 150 * MIB, 6); /* upside down */
        oc_series_feed_range(series, t_ms, 100 * MIB, 200 * MIB, 900 * MIB,
                             6); /* last is outside */
        oc_series_feed_range(series, t_ms, 100 * MIB, 200 * MIB, 150 * MIB, 0); /* of none */
        oc_series_feed_range(series, t_ms, 100 * MIB, (double)NAN, 150 * MIB, 6);
        oc_series_feed_range(series, t_ms, -DBL_MAX, DBL_MAX, 150 * MIB, UINT32_MAX);
        assert_all_sane(series);
    }
    ck_assert_int_ne(state(), OC_FORECAST_LEAKING);
}
END_TEST

/* ---- time ---- */

/* Steps back by some samples, as a clock that is set, and repeats. */
START_TEST(a_leak_is_found_though_time_steps_back)
{
    oc_series_limit(series, 0, 1200 * MIB);
    for (int i = 0; i < 1000; i++) {
        const int late = i % 50 == 0 ? 3 : 0;

        oc_series_feed(series, (int64_t)(i - late) * STEP_MS, leaked(i));
        if (i % 20 == 0)
            oc_series_feed(series, (int64_t)(i - late) * STEP_MS, leaked(i));
        assert_all_sane(series);
    }
    ck_assert_int_eq(state(), OC_FORECAST_LEAKING);
}
END_TEST

START_TEST(what_is_flat_stays_flat_though_time_steps_back)
{
    oc_series_limit(series, 0, 1200 * MIB);
    for (int i = 0; i < 1000; i++) {
        oc_series_feed(series, (int64_t)(i - (i % 50 == 0 ? 30 : 0)) * STEP_MS,
                       (100 + i % 3) * MIB);
        ck_assert_int_ne(state(), OC_FORECAST_LEAKING);
    }
    assert_all_sane(series);
}
END_TEST

static const int64_t odd_times[] = { 0, -1, INT64_MIN, INT64_MAX, INT64_MIN + 1, INT64_MAX - 1 };
#define ODD_TIMES (sizeof(odd_times) / sizeof(odd_times[0]))

START_TEST(odd_times_are_survived)
{
    const int64_t odd_ms = odd_times[_i];

    oc_series_limit(series, 0, 2000 * MIB);
    feed_flat(0, 100);
    oc_series_feed(series, odd_ms, 100 * MIB);
    assert_all_sane(series);
    oc_series_feed(series, odd_ms, 101 * MIB);
    oc_series_feed_range(series, odd_ms, 100 * MIB, 102 * MIB, 101 * MIB, 6);
    assert_all_sane(series);
    feed_flat(100, 400);
    assert_all_sane(series);
    ck_assert_int_ne(state(), OC_FORECAST_LEAKING);
}
END_TEST

START_TEST(a_series_that_begins_at_an_odd_time_is_survived)
{
    oc_series_limit(series, 0, 2000 * MIB);
    oc_series_feed(series, odd_times[_i], 100 * MIB);
    assert_all_sane(series);
    feed_leak(series, 1, 1000);
    assert_all_sane(series);
}
END_TEST

START_TEST(all_samples_at_one_time_are_survived)
{
    oc_series_limit(series, 0, 2000 * MIB);
    for (int i = 0; i < 1000; i++)
        oc_series_feed(series, 5000, (100 + i) * MIB);
    assert_all_sane(series);
}
END_TEST

/* A suspended machine, for a year: what grew by then did so at once. */
START_TEST(a_pause_of_a_year_is_survived)
{
    const int64_t year_ms = INT64_C(365) * 24 * 3600 * 1000;

    oc_series_limit(series, 0, 2000 * MIB);
    feed_flat(0, 500);
    for (int i = 0; i < 500; i++)
        oc_series_feed(series, year_ms + (int64_t)i * STEP_MS, 110 * MIB);
    assert_all_sane(series);
    ck_assert_int_ne(state(), OC_FORECAST_LEAKING);
}
END_TEST

/* ---- limits ---- */

static const double met_limits[] = { 0, -1, -TWO_63, -DBL_MAX, 1, 100 * MIB };

START_TEST(a_limit_that_is_met_says_so)
{
    feed_flat(0, 300);
    oc_series_limit(series, 0, met_limits[_i]);
    ck_assert_int_eq(state(), OC_FORECAST_EXHAUSTED);
    assert_all_sane(series);
    feed_flat(300, 302);
    ck_assert_int_eq(state(), OC_FORECAST_EXHAUSTED);
    oc_series_limit(series, 0, 2000 * MIB);
    ck_assert_int_ne(state(), OC_FORECAST_EXHAUSTED);
    oc_series_limit(series, 0, (double)NAN);
    ck_assert_int_ne(state(), OC_FORECAST_EXHAUSTED);
    assert_all_sane(series);
}
END_TEST

static const double far_limits[] = { TWO_63, 2 * TWO_63, DBL_MAX, (double)INFINITY };

/* Nothing that a machine has grows so far: it may grow, but no alert is due. */
START_TEST(a_limit_beyond_all_measure_is_not_in_sight)
{
    oc_series_limit(series, 0, far_limits[_i]);
    for (int i = 0; i < 1000; i++) {
        feed_leak(series, i, i + 1);
        ck_assert_int_ne(state(), OC_FORECAST_LEAKING);
        ck_assert_int_ne(state(), OC_FORECAST_EXHAUSTED);
    }
    assert_all_sane(series);
}
END_TEST

START_TEST(values_beyond_the_limit_are_survived)
{
    oc_series_limit(series, 0, 500 * MIB);
    feed_leak(series, 0, 1000);
    ck_assert_int_eq(state(), OC_FORECAST_EXHAUSTED);
    assert_all_sane(series);
    for (int i = 1000; i < 1500; i++) {
        oc_series_feed(series, (int64_t)i * STEP_MS, 100 * MIB);
        assert_all_sane(series);
    }
    ck_assert_int_ne(state(), OC_FORECAST_EXHAUSTED);
    ck_assert_int_ne(state(), OC_FORECAST_LEAKING);
}
END_TEST

START_TEST(a_limit_that_moves_at_each_sample_is_survived)
{
    dice = 1;
    for (int i = 0; i < 2000; i++) {
        oc_series_limit(series, (unsigned)i % OC_SERIES_LIMITS, (double)(any(4000)) * MIB);
        oc_series_feed(series, (int64_t)i * STEP_MS, (100 + i % 7) * MIB);
        assert_all_sane(series);
    }
}
END_TEST

/* ---- what falls ---- */

START_TEST(what_falls_survives_all_this_too)
{
    const struct oc_series_options options = { .falls = 1, .scale = _i ? odd_values[_i] : 0 };

    end();
    begin_as(&options);
    oc_series_limit(series, 0, 10 * MIB);
    for (int i = 0; i < 500; i++) {
        oc_series_feed(series, (int64_t)i * STEP_MS,
                       i % 10 ? (1000 - i) * MIB : odd_values[(size_t)i / 10 % ODD_VALUES]);
        assert_all_sane(series);
    }
    oc_series_feed(series, 500 * STEP_MS, 10 * MIB);
    ck_assert_int_eq(state(), OC_FORECAST_EXHAUSTED);
}
END_TEST

/* ---- all at once ---- */

static double odd_value(void)
{
    switch (any(8)) {
    case 0:
        return no_numbers[any(3)];
    case 1:
        return odd_values[any(ODD_VALUES)];
    default:
        return (double)(any(1000)) * MIB;
    }
}

static int64_t odd_time(int i)
{
    return any(64) ? (i + (int64_t)any(20)) * STEP_MS : odd_times[any(ODD_TIMES)];
}

static void do_something(int i)
{
    struct oc_prior prior = { 0 };

    switch (any(32)) {
    case 0:
        oc_series_restart(series, any(2) ? OC_LIFE_KILLED : OC_LIFE_PLANNED);
        break;
    case 1:
        oc_series_rebase(series, odd_value());
        break;
    case 2:
        oc_series_limit(series, any(OC_SERIES_LIMITS), odd_value());
        break;
    case 3:
        oc_series_teach(series, OC_LIFE_KILLED, &prior);
        oc_series_set_prior(series, &prior);
        break;
    case 4:
        oc_series_feed_range(series, odd_time(i), odd_value(), odd_value(), odd_value(),
                             any(UINT32_MAX));
        break;
    case 5:
        memset(&prior, (int)any(256), sizeof(prior));
        oc_prior_discount(&prior);
        oc_series_set_prior(series, &prior);
        break;
    default:
        oc_series_feed(series, odd_time(i), odd_value());
    }
}

/* Then the same series is to be of use again. */
START_TEST(a_storm_of_it_leaves_a_series_that_works)
{
    struct oc_series_block blocks[64];

    dice = (uint64_t)_i + 1;
    for (int i = 0; i < 5000; i++) {
        do_something(i);
        assert_all_sane(series);
    }
    ck_assert_uint_le(oc_series_blocks(series, blocks, 64), 64);
    oc_series_restart(series, OC_LIFE_PLANNED);
    oc_series_set_prior(series, &(struct oc_prior){ 0 });
    for (unsigned slot = 0; slot < OC_SERIES_LIMITS; slot++)
        oc_series_limit(series, slot, (double)NAN);
    oc_series_limit(series, 0, 1800 * MIB);
    for (int i = 0; i < 1500; i++)
        oc_series_feed(series, (int64_t)(10000 + i) * STEP_MS, leaked(i));
    assert_all_sane(series);
    ck_assert_int_eq(state(), OC_FORECAST_LEAKING);
}
END_TEST

/* ---- the pool ---- */

START_TEST(a_full_pool_refuses_and_goes_on)
{
    static oc_series *made[POOL_BYTES / 256];
    struct oc_forecast_pool_stats stats;
    size_t count = 0;

    while (oc_series_new(pool, &(struct oc_series_options){ 0 }, &made[count]) == OC_OK)
        ck_assert_uint_lt(++count, POOL_BYTES / 256);
    ck_assert_uint_gt(count, POOL_BYTES / OC_SERIES_SMALL_BYTES / 2);
    oc_series_limit(series, 0, 2000 * MIB); /* it grows, and there is no room to become large */
    feed_leak(series, 0, 1500);
    assert_all_sane(series);
    feed_leak(series, 1500, 2000);
    ck_assert_int_eq(state(), OC_FORECAST_EXHAUSTED);
    oc_forecast_pool_stats(pool, &stats);
    ck_assert_uint_gt(stats.refused, 0);
    ck_assert_uint_le(stats.used_bytes, stats.max_bytes);
    oc_series_free(made[1]);
    ck_assert_int_eq(oc_series_new(pool, &(struct oc_series_options){ 0 }, &made[1]), OC_OK);
}
END_TEST

static TCase *values(void)
{
    TCase *tcase = tcase_create("values");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, nothing_fed_is_learning);
    tcase_add_loop_test(tcase, what_is_no_number_is_left_out, 0, 3);
    tcase_add_loop_test(tcase, odd_values_are_survived, 0, (int)ODD_VALUES);
    tcase_add_loop_test(tcase, one_odd_value_among_good_ones_is_survived, 0, (int)ODD_VALUES);
    tcase_add_test(tcase, ranges_that_make_no_sense_are_survived);
    tcase_add_loop_test(tcase, what_falls_survives_all_this_too, 0, (int)ODD_VALUES);
    tcase_add_loop_test(tcase, a_storm_of_it_leaves_a_series_that_works, 0, 20);
    tcase_add_test(tcase, a_full_pool_refuses_and_goes_on);
    return tcase;
}

static TCase *times_and_limits(void)
{
    TCase *tcase = tcase_create("times and limits");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_leak_is_found_though_time_steps_back);
    tcase_add_test(tcase, what_is_flat_stays_flat_though_time_steps_back);
    tcase_add_loop_test(tcase, odd_times_are_survived, 0, (int)ODD_TIMES);
    tcase_add_loop_test(tcase, a_series_that_begins_at_an_odd_time_is_survived, 0, (int)ODD_TIMES);
    tcase_add_test(tcase, all_samples_at_one_time_are_survived);
    tcase_add_test(tcase, a_pause_of_a_year_is_survived);
    tcase_add_loop_test(tcase, a_limit_that_is_met_says_so, 0,
                        sizeof(met_limits) / sizeof(met_limits[0]));
    tcase_add_loop_test(tcase, a_limit_beyond_all_measure_is_not_in_sight, 0,
                        sizeof(far_limits) / sizeof(far_limits[0]));
    tcase_add_test(tcase, values_beyond_the_limit_are_survived);
    tcase_add_test(tcase, a_limit_that_moves_at_each_sample_is_survived);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("bad_input");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, values());
    suite_add_tcase(suite, times_and_limits());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
