/* The rules in use elsewhere: a threshold, and a line through the last hours. */
#include "forecast/rules.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#define LIMIT 1000.0

START_TEST(threshold_alerts_at_its_share)
{
    oc_rule *rule = oc_rule_threshold(0.9);
    double eta_s = 0;

    ck_assert(!oc_rule_feed(rule, 0, 899, LIMIT, &eta_s));
    ck_assert(isinf(eta_s));
    ck_assert(oc_rule_feed(rule, 1000, 900, LIMIT, &eta_s));
    ck_assert(!oc_rule_feed(rule, 2000, 900, 2 * LIMIT, &eta_s));
    ck_assert(!oc_rule_feed(rule, 3000, (double)NAN, LIMIT, &eta_s));
    oc_rule_free(rule);
}
END_TEST

/* 1 a minute from 100 on. */
static double growing(int64_t t_ms) { return 100 + (double)t_ms / 60000.0; }

START_TEST(line_knows_when)
{
    oc_rule *rule = oc_rule_line(3600, 4 * 3600.0);
    double eta_s = 0, true_s;
    int alert = 0;
    int64_t t_ms;

    for (t_ms = 0; t_ms < INT64_C(7200000); t_ms += 10000)
        alert = oc_rule_feed(rule, t_ms, growing(t_ms), LIMIT, &eta_s);
    true_s = (LIMIT - growing(t_ms - 10000)) * 60;
    ck_assert_double_eq_tol(eta_s / true_s, 1, 1e-9);
    ck_assert(!alert); /* 13 hours to go */
    for (; growing(t_ms) < LIMIT - 200; t_ms += 10000)
        alert = oc_rule_feed(rule, t_ms, growing(t_ms), LIMIT, &eta_s);
    ck_assert(alert);
    oc_rule_free(rule);
}
END_TEST

START_TEST(line_leaves_what_is_flat)
{
    oc_rule *rule = oc_rule_line(3600, 4 * 3600.0);
    double eta_s = 0;

    for (int64_t t_ms = 0; t_ms < INT64_C(36000000); t_ms += 10000) {
        ck_assert(!oc_rule_feed(rule, t_ms, 500, LIMIT, &eta_s));
        ck_assert(isinf(eta_s));
    }
    oc_rule_free(rule);
}
END_TEST

START_TEST(line_forgets_what_left_the_window)
{
    oc_rule *rule = oc_rule_line(3600, 4 * 3600.0);
    double eta_s = 0;
    int64_t t_ms;

    for (t_ms = 0; t_ms < INT64_C(36000000); t_ms += 10000)
        (void)oc_rule_feed(rule, t_ms, growing(t_ms), LIMIT, &eta_s);
    for (int i = 0; i < 380; i++, t_ms += 10000) /* an hour and some */
        (void)oc_rule_feed(rule, t_ms, 700, LIMIT, &eta_s);
    ck_assert(isinf(eta_s) || eta_s > 1e6);
    oc_rule_free(rule);
}
END_TEST

/* Against least squares over exactly the samples of the window, after months of them. */
START_TEST(line_keeps_its_digits)
{
    enum { COUNT = 300000, WINDOW = 360 };
    static double values[COUNT];
    oc_rule *rule = oc_rule_line(WINDOW * 10 - 5, 3600);
    double eta_s = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, slope, level;

    for (int i = 0; i < COUNT; i++) {
        values[i] = 1e9 + 3.0 * i + 1000.0 * sin(i / 7.0);
        (void)oc_rule_feed(rule, (int64_t)i * 10000, values[i], 2e9, &eta_s);
    }
    for (int i = 0; i < WINDOW; i++) {
        double x = 10.0 * (i - WINDOW + 1), y = values[COUNT - WINDOW + i] - 1e9;

        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    slope = (sxy - sx * sy / WINDOW) / (sxx - sx * sx / WINDOW);
    level = 1e9 + sy / WINDOW - slope * sx / WINDOW;
    ck_assert_double_eq_tol(eta_s / ((2e9 - level) / slope), 1, 1e-6);
    oc_rule_free(rule);
}
END_TEST

START_TEST(line_begins_anew_after_a_restart)
{
    oc_rule *rule = oc_rule_line(3600, 4 * 3600.0);
    double eta_s = 0;
    int64_t t_ms;

    for (t_ms = 0; t_ms < INT64_C(3600000); t_ms += 10000)
        (void)oc_rule_feed(rule, t_ms, growing(t_ms) + 800, LIMIT, &eta_s);
    oc_rule_restart(rule);
    for (int i = 0; i < 10; i++, t_ms += 10000)
        ck_assert(!oc_rule_feed(rule, t_ms, 100, LIMIT, &eta_s));
    ck_assert(isinf(eta_s));
    oc_rule_free(rule);
}
END_TEST

START_TEST(line_survives_odd_times_and_values)
{
    static const double odd[] = { NAN, INFINITY, -INFINITY, 1e300, -1e300, 0 };
    static const int64_t times_ms[] = { 5000, 5000, 0, -1000000, INT64_MAX, INT64_MIN, 6000 };
    oc_rule *rule = oc_rule_line(3600, 4 * 3600.0);
    double eta_s = 0;

    for (int i = 0; i < 2000; i++) {
        (void)oc_rule_feed(rule, times_ms[i % 7], odd[i % 6], LIMIT, &eta_s);
        ck_assert(!isnan(eta_s));
    }
    oc_rule_free(rule);
    oc_rule_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rules");
    TCase *tcase = tcase_create("rules");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, threshold_alerts_at_its_share);
    tcase_add_test(tcase, line_knows_when);
    tcase_add_test(tcase, line_leaves_what_is_flat);
    tcase_add_test(tcase, line_forgets_what_left_the_window);
    tcase_add_test(tcase, line_keeps_its_digits);
    tcase_add_test(tcase, line_begins_anew_after_a_restart);
    tcase_add_test(tcase, line_survives_odd_times_and_values);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
