/* The book: forecasts held against what happened, and what is counted of that. */
#include "forecast/score.h"

#include "base/err.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)

static struct oc_forecast forecast_of(enum oc_forecast_state state, int64_t t_ms, double p50_s)
{
    return (struct oc_forecast){ .state = (uint8_t)state,
                                 .t_ms = t_ms,
                                 .since_ms = 0,
                                 .p10_s = p50_s * 0.8,
                                 .p50_s = p50_s,
                                 .p90_s = p50_s * 1.25 };
}

/* A leak to its end at end_ms, told each minute by somebody who is `factor` times too hopeful. */
static void leak(struct oc_book *book, int64_t end_ms, int64_t alarm_ms, double factor,
                 struct oc_accuracy *sum)
{
    for (int64_t t_ms = 0; t_ms < end_ms; t_ms += 60000) {
        struct oc_forecast forecast =
            forecast_of(t_ms >= alarm_ms ? OC_FORECAST_LEAKING : OC_FORECAST_GROWING, t_ms,
                        (double)(end_ms - t_ms) / 1000.0 * factor);

        oc_book_forecast(book, &forecast, sum);
    }
    oc_book_met(book, end_ms, sum);
}

START_TEST(book_finds_right_forecasts_right)
{
    struct oc_accuracy sum = { 0 };
    struct oc_book book;

    oc_book_init(&book);
    leak(&book, 10 * HOUR_MS, 4 * HOUR_MS, 1.0, &sum);
    ck_assert_uint_ge(sum.judged, 8); /* a life leaves some ten */
    ck_assert_uint_le(sum.judged, OC_BOOK_OPEN);
    ck_assert_uint_eq(sum.inside, sum.judged);
    ck_assert_uint_eq(sum.errors, sum.judged);
    ck_assert_double_lt(sum.error_sum / (double)sum.errors, 0.01);
    ck_assert_uint_eq(sum.ends, 1);
    ck_assert_uint_eq(sum.alarms, 1);
    ck_assert_uint_eq(sum.false_alarms, 0);
    ck_assert_uint_eq(sum.foretold, 1);
    ck_assert_double_eq_tol(sum.lead_s_sum, 6 * 3600.0, 1);
    ck_assert_double_eq_tol(sum.watched_s, 10 * 3600.0, 1);
    ck_assert_uint_eq(book.count, 0);
    ck_assert(!book.leaking);
}
END_TEST

START_TEST(book_tells_early_from_late)
{
    struct oc_accuracy sum = { 0 };
    struct oc_book book;

    oc_book_init(&book);
    leak(&book, 10 * HOUR_MS, 4 * HOUR_MS, 2.0, &sum); /* too hopeful: the end came before p10 */
    ck_assert_uint_eq(sum.early, sum.judged);
    ck_assert_double_eq_tol(sum.error_sum / (double)sum.errors, log(2), 0.01);
    memset(&sum, 0, sizeof(sum));
    leak(&book, 10 * HOUR_MS, 4 * HOUR_MS, 0.5, &sum); /* too dark: p90 passed */
    ck_assert_uint_gt(sum.judged, 0);
    ck_assert_uint_eq(sum.late, sum.judged);
}
END_TEST

START_TEST(book_takes_an_alarm_in_the_last_twentieth_for_none)
{
    struct oc_accuracy sum = { 0 };
    struct oc_book book;

    oc_book_init(&book);
    leak(&book, 100 * HOUR_MS, 96 * HOUR_MS, 1.0, &sum);
    ck_assert_uint_eq(sum.alarms, 1);
    ck_assert_uint_eq(sum.ends, 1);
    ck_assert_uint_eq(sum.foretold, 0);
    ck_assert_double_eq_tol(sum.lead_s_sum, 0, 1e-9);
}
END_TEST

START_TEST(book_counts_an_alarm_that_is_taken_back)
{
    struct oc_accuracy sum = { 0 };
    struct oc_book book;
    struct oc_forecast forecast = forecast_of(OC_FORECAST_LEAKING, 0, 3600);

    oc_book_init(&book);
    oc_book_forecast(&book, &forecast, &sum);
    forecast = forecast_of(OC_FORECAST_FLAT, HOUR_MS / 2, (double)INFINITY);
    oc_book_forecast(&book, &forecast, &sum);
    ck_assert_uint_eq(sum.alarms, 1);
    ck_assert_uint_eq(sum.false_alarms, 1);
    ck_assert_uint_eq(sum.judged, 0);
    forecast.t_ms = 2 * HOUR_MS;
    oc_book_forecast(&book, &forecast, &sum); /* p90 of the first one has passed */
    ck_assert_uint_eq(sum.judged, 1);
    ck_assert_uint_eq(sum.late, 1);
    ck_assert_uint_eq(sum.errors, 0);
}
END_TEST

START_TEST(book_leaves_an_alarm_that_a_restart_ended)
{
    struct oc_accuracy sum = { 0 };
    struct oc_book book;
    struct oc_forecast forecast = forecast_of(OC_FORECAST_LEAKING, 0, 3600);

    oc_book_init(&book);
    oc_book_forecast(&book, &forecast, &sum);
    oc_book_censor(&book, HOUR_MS / 2, &sum);
    forecast = forecast_of(OC_FORECAST_FLAT, 2 * HOUR_MS, (double)INFINITY);
    oc_book_forecast(&book, &forecast, &sum);
    ck_assert_uint_eq(sum.alarms, 1);
    ck_assert_uint_eq(sum.false_alarms, 0);
    ck_assert_uint_eq(sum.judged, 0);
    ck_assert_uint_eq(sum.censored, 1);
}
END_TEST

START_TEST(book_leaves_an_alarm_that_becomes_saved)
{
    struct oc_accuracy sum = { 0 };
    struct oc_book book;
    struct oc_forecast forecast = forecast_of(OC_FORECAST_LEAKING, 0, 3600);

    oc_book_init(&book);
    oc_book_forecast(&book, &forecast, &sum);
    forecast = forecast_of(OC_FORECAST_SAVED, 60000, 3500);
    oc_book_forecast(&book, &forecast, &sum);
    ck_assert_uint_eq(sum.false_alarms, 0);
    ck_assert(!book.leaking);
}
END_TEST

START_TEST(book_keeps_open_ends_open)
{
    struct oc_accuracy sum = { 0 };
    struct oc_book book;
    struct oc_forecast forecast = forecast_of(OC_FORECAST_GROWING, 0, 3600);

    oc_book_init(&book);
    forecast.p90_s = (double)INFINITY;
    oc_book_forecast(&book, &forecast, &sum);
    forecast = forecast_of(OC_FORECAST_FLAT, 1000 * HOUR_MS, (double)INFINITY);
    oc_book_forecast(&book, &forecast, &sum);
    ck_assert_uint_eq(sum.judged, 0);
    oc_book_met(&book, 1001 * HOUR_MS, &sum);
    ck_assert_uint_eq(sum.inside, 1);
}
END_TEST

START_TEST(book_leaves_what_says_nothing)
{
    static const double times_s[] = { NAN, INFINITY, 1e300 };
    struct oc_accuracy sum = { 0 };
    struct oc_book book;

    oc_book_init(&book);
    for (size_t i = 0; i < sizeof(times_s) / sizeof(times_s[0]); i++) {
        struct oc_forecast forecast =
            forecast_of(OC_FORECAST_GROWING, (int64_t)i * HOUR_MS, times_s[i]);

        oc_book_forecast(&book, &forecast, &sum);
    }
    ck_assert_uint_eq(book.count, 0);
}
END_TEST

START_TEST(book_stays_small_and_keeps_the_first)
{
    struct oc_accuracy sum = { 0 };
    struct oc_book book;

    oc_book_init(&book);
    for (int64_t hour = 0; hour < 20000; hour++) { /* always a day away, and never there */
        struct oc_forecast forecast = forecast_of(OC_FORECAST_GROWING, hour * HOUR_MS, 86400);

        forecast.p90_s = (double)INFINITY;
        oc_book_forecast(&book, &forecast, &sum);
    }
    ck_assert_uint_eq(book.count, OC_BOOK_OPEN);
    ck_assert_int_eq(book.open[0].t_ms, 0);
    for (uint32_t i = 1; i < book.count; i++)
        ck_assert_int_gt(book.open[i].t_ms, book.open[i - 1].t_ms);
}
END_TEST

START_TEST(book_survives_a_clock_that_steps_back)
{
    struct oc_accuracy sum = { 0 };
    struct oc_book book;
    struct oc_forecast forecast = forecast_of(OC_FORECAST_LEAKING, 10 * HOUR_MS, 7200);

    oc_book_init(&book);
    oc_book_forecast(&book, &forecast, &sum);
    forecast.t_ms = 9 * HOUR_MS;
    oc_book_forecast(&book, &forecast, &sum);
    forecast.t_ms = INT64_MIN + 1;
    oc_book_forecast(&book, &forecast, &sum);
    ck_assert_double_ge(sum.watched_s, 0);
    oc_book_met(&book, 12 * HOUR_MS, &sum);
    ck_assert_uint_eq(sum.inside, 1);
    ck_assert_double_eq_tol(sum.watched_s, 7200, 1);
}
END_TEST

START_TEST(book_goes_on_after_saving)
{
    struct oc_accuracy one = { 0 }, two = { 0 };
    struct oc_book book, loaded;
    uint8_t blob[OC_BOOK_BLOB_BYTES];

    oc_book_init(&book);
    for (int64_t minute = 0; minute < 240; minute++) {
        struct oc_forecast forecast =
            forecast_of(OC_FORECAST_LEAKING, minute * 60000, (double)(300 - minute) * 60);

        oc_book_forecast(&book, &forecast, &one);
    }
    two = one;
    ck_assert_uint_eq(oc_book_save(&book, blob), sizeof(blob));
    ck_assert_int_eq(oc_book_load(blob, sizeof(blob), &loaded), OC_OK);
    ck_assert_mem_eq(&book, &loaded, sizeof(book));
    oc_book_met(&book, 5 * HOUR_MS, &one);
    oc_book_met(&loaded, 5 * HOUR_MS, &two);
    ck_assert_mem_eq(&one, &two, sizeof(one));
}
END_TEST

START_TEST(book_refuses_a_damaged_blob)
{
    struct oc_accuracy sum = { 0 };
    struct oc_book book, loaded;
    struct oc_forecast forecast = forecast_of(OC_FORECAST_LEAKING, HOUR_MS, 7200);
    uint8_t blob[OC_BOOK_BLOB_BYTES];

    oc_book_init(&book);
    oc_book_forecast(&book, &forecast, &sum);
    (void)oc_book_save(&book, blob);
    memset(&loaded, 7, sizeof(loaded));
    ck_assert_int_eq(oc_book_load(blob, sizeof(blob) - 1, &loaded), OC_E_PARSE);
    for (size_t i = 0; i < sizeof(blob); i++) {
        blob[i] ^= 0x40;
        ck_assert_int_eq(oc_book_load(blob, sizeof(blob), &loaded), OC_E_PARSE);
        blob[i] ^= 0x40;
    }
    ck_assert_uint_eq(loaded.count, 0x07070707u); /* untouched */
    ck_assert_int_eq(oc_book_load(blob, sizeof(blob), &loaded), OC_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("score");
    TCase *tcase = tcase_create("book");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, book_finds_right_forecasts_right);
    tcase_add_test(tcase, book_tells_early_from_late);
    tcase_add_test(tcase, book_takes_an_alarm_in_the_last_twentieth_for_none);
    tcase_add_test(tcase, book_counts_an_alarm_that_is_taken_back);
    tcase_add_test(tcase, book_leaves_an_alarm_that_a_restart_ended);
    tcase_add_test(tcase, book_leaves_an_alarm_that_becomes_saved);
    tcase_add_test(tcase, book_keeps_open_ends_open);
    tcase_add_test(tcase, book_leaves_what_says_nothing);
    tcase_add_test(tcase, book_stays_small_and_keeps_the_first);
    tcase_add_test(tcase, book_survives_a_clock_that_steps_back);
    tcase_add_test(tcase, book_goes_on_after_saving);
    tcase_add_test(tcase, book_refuses_a_damaged_blob);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
