/* One life after the other: what earlier ones teach, by restarts of the series and by priors. */
#include "forecast/forecast.h"
#include "made_load.h"
#include "sane.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define POOL_BYTES ((size_t)1 << 20)
#define EVERY_MS INT64_C(10000)
#define SAMPLES_PER_H 360
#define LIMIT 1000.0 /* MiB */

static oc_forecast_pool *pool;
static oc_series *series;
static int64_t now_ms;

static oc_series *new_series(void)
{
    oc_series *made = NULL;

    ck_assert_int_eq(oc_series_new(pool, &(struct oc_series_options){ 0 }, &made), OC_OK);
    oc_series_limit(made, 0, LIMIT * MADE_MIB);
    return made;
}

static void begin(void)
{
    pool = oc_forecast_pool_new(POOL_BYTES, NULL);
    ck_assert_ptr_nonnull(pool);
    now_ms = 0;
    series = new_series();
}

static void end(void) { oc_forecast_pool_free(pool); }

/* MiB, `hours` after the start of a life. */
typedef double life_fn(double hours);

/* A pool that fills in a straight line to 80 % of the limit. */
static double pool_fills(double hours) { return hours < 4 ? 100 + 175 * hours : 800; }

static double leak(double hours) { return 100 + 15 * hours; }

/* A life of so many hours, or until the limit is met. Returns the hour when LEAKING was said first; NAN: it was not. */
static double live(life_fn *life, double hours)
{
    double said_h = (double)NAN;

    for (uint64_t i = 0; i < (uint64_t)(hours * SAMPLES_PER_H); i++) {
        const double hour = (double)i / SAMPLES_PER_H;
        const double value = life(hour) + 3 * made_noise(i, (uint64_t)now_ms);

        if (value >= LIMIT)
            break;
        now_ms += EVERY_MS;
        oc_series_feed(series, now_ms, made_pages(value * MADE_MIB));
        if (isnan(said_h) && oc_series_state(series, 0) == OC_FORECAST_LEAKING)
            said_h = hour;
    }
    assert_all_sane(series);
    return said_h;
}

START_TEST(a_pool_that_filled_before_is_left_alone)
{
    (void)live(pool_fills, 24); /* nobody could know */
    for (int i = 0; i < 4; i++) {
        double said_h;

        oc_series_restart(series, OC_LIFE_PLANNED);
        now_ms += 60000;
        said_h = live(pool_fills, 24);
        ck_assert_msg(isnan(said_h), "life %d: said at %.1f h", i + 2, said_h);
    }
}
END_TEST

START_TEST(a_prior_tells_another_series_so)
{
    struct oc_prior prior = { 0 };
    double said_h;

    for (int i = 0; i < 3; i++) {
        (void)live(pool_fills, 24);
        oc_series_teach(series, OC_LIFE_PLANNED, &prior);
        oc_series_free(series);
        series = new_series();
        oc_series_set_prior(series, &prior);
    }
    ck_assert(prior.lives > 1);
    ck_assert_msg(prior.plateau > 700 * MADE_MIB && prior.plateau < 900 * MADE_MIB, "plateau %g",
                  (double)prior.plateau / MADE_MIB);
    said_h = live(pool_fills, 24);
    ck_assert_msg(isnan(said_h), "said at %.1f h", said_h);
}
END_TEST

/* The twin: what goes on beyond the plateau of earlier lives is told all the same. */
static double fills_and_leaks(double hours)
{
    return pool_fills(hours) + (hours > 6 ? 4 * (hours - 6) : 0);
}

START_TEST(a_leak_beyond_the_known_plateau_is_told)
{
    double said_h;

    for (int i = 0; i < 3; i++) {
        (void)live(pool_fills, 24);
        oc_series_restart(series, OC_LIFE_PLANNED);
    }
    said_h = live(fills_and_leaks, 200);
    ck_assert_msg(said_h < 6 + 50 * 0.95, "said at %.1f h of 56 h", said_h);
}
END_TEST

START_TEST(a_leak_that_killed_before_is_told_sooner)
{
    const double first_h = live(leak, 100);
    double last_h = first_h;

    ck_assert_msg(first_h < 60 * 0.95, "said at %.1f h", first_h);
    for (int i = 0; i < 3; i++) {
        oc_series_restart(series, OC_LIFE_KILLED);
        last_h = live(leak, 100);
    }
    printf("first life: said at %.1f h of 60, fourth: %.1f h\n", first_h, last_h);
    ck_assert_msg(last_h <= first_h, "%.1f h, in the first life %.1f h", last_h, first_h);
}
END_TEST

/* Restarted at two thirds of its way: it is listed, and nobody is woken. */
START_TEST(a_leak_that_restarts_hide_is_saved)
{
    struct oc_forecast forecast;
    double said_h = (double)NAN;

    for (int i = 0; i < 8; i++) {
        said_h = live(leak, 40);
        oc_series_forecast(series, 0, &forecast);
        if (i < 7)
            oc_series_restart(series, OC_LIFE_PLANNED);
    }
    ck_assert_msg(isnan(said_h), "said at %.1f h of the eighth life", said_h);
    ck_assert_msg(forecast.state == OC_FORECAST_SAVED, "%s",
                  oc_forecast_state_name(forecast.state));
    ck_assert_msg(forecast.saved_life_s > 40 * 3600 && forecast.saved_life_s < 90 * 3600,
                  "a life of %.1f h without one", forecast.saved_life_s / 3600);
}
END_TEST

/* Restarted long before anybody could be sure that it is a leak. */
START_TEST(a_leak_that_restarts_hide_early_is_saved_too)
{
    struct oc_forecast forecast;

    for (int i = 0; i < 6; i++) {
        ck_assert(isnan(live(leak, 22)));
        oc_series_forecast(series, 0, &forecast);
        if (i < 5)
            oc_series_restart(series, OC_LIFE_PLANNED);
    }
    ck_assert_msg(forecast.state == OC_FORECAST_SAVED, "%s",
                  oc_forecast_state_name(forecast.state));
}
END_TEST

/* The twin: a restart that does not come saves nobody. */
START_TEST(a_life_that_outlasts_the_others_is_leaking_again)
{
    double said_h;

    for (int i = 0; i < 5; i++) {
        (void)live(leak, 30);
        oc_series_restart(series, OC_LIFE_PLANNED);
    }
    said_h = live(leak, 100);
    ck_assert_msg(said_h > 30 && said_h < 60 * 0.95, "said at %.1f h of 60", said_h);
}
END_TEST

/* The twin: what levels off in every life is not called a leak that restarts hide. */
START_TEST(a_pool_that_restarts_empty_is_not_saved)
{
    for (int i = 0; i < 6; i++) {
        (void)live(pool_fills, 24);
        ck_assert_int_ne(oc_series_state(series, 0), OC_FORECAST_SAVED);
        oc_series_restart(series, OC_LIFE_PLANNED);
    }
    for (int hours = 1; hours < 24; hours += 2) {
        oc_series_restart(series, OC_LIFE_PLANNED);
        (void)live(pool_fills, 24);
        oc_series_restart(series, OC_LIFE_PLANNED);
        (void)live(pool_fills, hours);
        ck_assert_int_ne(oc_series_state(series, 0), OC_FORECAST_SAVED);
    }
}
END_TEST

/* What nothing limits has no end, but a growth. */
START_TEST(growth_without_a_limit_is_told)
{
    struct oc_forecast forecast;

    oc_series_limit(series, 0, (double)NAN);
    (void)live(leak, 24);
    oc_series_forecast(series, OC_SERIES_LIMITS, &forecast);
    ck_assert_msg(forecast.state == OC_FORECAST_GROWING, "%s",
                  oc_forecast_state_name(forecast.state));
    ck_assert_msg(forecast.growth_per_h > 14 * MADE_MIB && forecast.growth_per_h < 16 * MADE_MIB,
                  "%g MiB/h", forecast.growth_per_h / MADE_MIB);
    ck_assert(isnan(forecast.p50_s));
}
END_TEST

static double flat(double hours)
{
    (void)hours;
    return 300;
}

START_TEST(without_a_limit_nothing_grows_where_nothing_does)
{
    struct oc_forecast forecast;

    oc_series_limit(series, 0, (double)NAN);
    (void)live(flat, 24);
    oc_series_forecast(series, OC_SERIES_LIMITS, &forecast);
    ck_assert_int_eq(forecast.state, OC_FORECAST_FLAT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lives");
    TCase *tcase = tcase_create("lives");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_pool_that_filled_before_is_left_alone);
    tcase_add_test(tcase, a_prior_tells_another_series_so);
    tcase_add_test(tcase, a_leak_beyond_the_known_plateau_is_told);
    tcase_add_test(tcase, a_leak_that_killed_before_is_told_sooner);
    tcase_add_test(tcase, a_leak_that_restarts_hide_is_saved);
    tcase_add_test(tcase, a_leak_that_restarts_hide_early_is_saved_too);
    tcase_add_test(tcase, a_life_that_outlasts_the_others_is_leaking_again);
    tcase_add_test(tcase, a_pool_that_restarts_empty_is_not_saved);
    tcase_add_test(tcase, growth_without_a_limit_is_told);
    tcase_add_test(tcase, without_a_limit_nothing_grows_where_nothing_does);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
