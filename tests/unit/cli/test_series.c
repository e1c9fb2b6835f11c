/* Running summaries, and lines with a maximum of points. */
#include "suites.h"

#include "cli/model/recording.h"
#include "cli/model/series.h"

#include <math.h>
#include <string.h>

#define T0 INT64_C(1790000000000)

START_TEST(trend_of_a_line_is_its_slope)
{
    struct oc_trend trend = { 0 };
    double per_hour = 0;

    for (int i = 0; i <= 120; i++)
        oc_trend_add(&trend, T0 + i * 1000, 1000000 + i * 50);
    ck_assert_int_eq(oc_trend_per_hour(&trend, &per_hour), 0);
    ck_assert_double_eq_tol(per_hour, 50.0 * 3600, 1);
    ck_assert_int_eq(trend.min, 1000000);
    ck_assert_int_eq(trend.max, 1006000);
    ck_assert_double_eq_tol(oc_trend_mean(&trend), 1003000, 0.01);
}
END_TEST

START_TEST(trend_of_a_short_run_has_no_rate)
{
    struct oc_trend trend = { 0 };
    double per_hour = 42;

    for (int i = 0; i < 20; i++)
        oc_trend_add(&trend, T0 + i * 100, i);
    ck_assert_int_eq(oc_trend_per_hour(&trend, &per_hour), OC_E_AGAIN);
    ck_assert_double_eq_tol(per_hour, 42, 1e-9);
}
END_TEST

START_TEST(trend_keeps_digits_of_large_values)
{
    struct oc_trend trend = { 0 };
    double per_hour = 0;

    for (int i = 0; i < 100; i++)
        oc_trend_add(&trend, T0 + i * 1000, (INT64_C(1) << 45) + i);
    ck_assert_int_eq(oc_trend_per_hour(&trend, &per_hour), 0);
    ck_assert_double_eq_tol(per_hour, 3600, 0.01);
}
END_TEST

START_TEST(a_full_series_keeps_ends_and_extremes)
{
    struct oc_series series;
    uint64_t samples = 0;

    oc_series_init(&series);
    for (int i = 0; i < 100000; i++)
        ck_assert_int_eq(oc_series_add(&series, T0 + i, i == 77777 ? -5 : i), 0);
    ck_assert_uint_le(series.count, OC_SERIES_MAX_POINTS);
    for (size_t i = 0; i < series.count; i++)
        samples += series.points[i].count;
    ck_assert_uint_eq(samples, 100000);
    ck_assert_int_eq(series.points[0].first, 0);
    ck_assert_int_eq(series.points[series.count - 1].last, 99999);
    for (size_t i = 1; i < series.count; i++)
        ck_assert_int_gt(series.points[i].t_unix_ms, series.points[i - 1].t_unix_ms);
    for (size_t i = 0; i < series.count; i++)
        samples -= series.points[i].min == -5;
    ck_assert_uint_eq(samples, 99999);
    oc_series_clear(&series);
}
END_TEST

static void fill(struct oc_recording *recording)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    oc_recording_init(recording, OC_METRIC_PRIVATE);
    recording->begin_unix_ms = T0;
    recording->interval_ms = 1000;
    recording->facts.id.pid = 7;
    recording->status = -1;
    (void)strcpy(recording->facts.name, "a\033[2Jb");
    for (int i = 0; i < 10; i++) {
        oc_sample_set(&sample, OC_METRIC_PRIVATE, 1000 * i);
        ck_assert_int_eq(oc_recording_add(recording, T0 + i * 1000, &sample), 0);
    }
}

START_TEST(recording_leaves_unknown_figures_out)
{
    struct oc_recording recording;
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
    struct oc_buf out;

    fill(&recording);
    oc_buf_init(&out, 1u << 16);
    oc_recording_json(&recording, &out);
    ck_assert_ptr_nonnull(strstr(out.data, "\"private_bytes\":{\"first\":0,\"min\":0"));
    ck_assert_ptr_null(strstr(out.data, "rss_bytes"));
    ck_assert_ptr_null(strstr(out.data, "exit_code"));
    oc_buf_reset(&out);
    oc_sample_set(&sample, OC_METRIC_VIRTUAL, 9);
    oc_recording_csv_row(&recording, T0, &sample, &out);
    ck_assert_ptr_nonnull(strstr(out.data, ",0,,9,,"));
    oc_buf_clear(&out);
    oc_recording_clear(&recording);
}
END_TEST

START_TEST(recording_escapes_names)
{
    struct oc_recording recording;
    struct oc_buf out;

    fill(&recording);
    oc_buf_init(&out, 1u << 16);
    oc_recording_live(&recording, 200, 1, &out);
    ck_assert_ptr_null(strchr(out.data, '\033'));
    oc_buf_reset(&out);
    ck_assert_int_eq(oc_recording_report(&recording, 0, 1, NULL, &out), 0);
    ck_assert_ptr_null(strchr(out.data, '\033'));
    ck_assert_ptr_nonnull(strstr(out.data, "a\\e[2Jb (pid 7)"));
    oc_buf_clear(&out);
    oc_recording_clear(&recording);
}
END_TEST

Suite *series_suite(void)
{
    Suite *suite = suite_create("series");
    TCase *tcase = tcase_create("series");

    tcase_add_test(tcase, trend_of_a_line_is_its_slope);
    tcase_add_test(tcase, trend_of_a_short_run_has_no_rate);
    tcase_add_test(tcase, trend_keeps_digits_of_large_values);
    tcase_add_test(tcase, a_full_series_keeps_ends_and_extremes);
    tcase_add_test(tcase, recording_leaves_unknown_figures_out);
    tcase_add_test(tcase, recording_escapes_names);
    suite_add_tcase(suite, tcase);
    return suite;
}
