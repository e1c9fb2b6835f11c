/* Steps by the local clock, over the days when it is changed. */
#include "suites.h"

#include "cli/show/axis.h"
#include "cli/show/calendar.h"
#include "local_time.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

#define AUTUMN INT64_C(1792879200000) /* 2026-10-25 00:00 in Berlin: an hour comes twice */
#define SPRING INT64_C(1774738800000) /* 2026-03-29 00:00 in Berlin: an hour is left out */

static void berlin(void) { (void)set_local_time(BERLIN); }

static void check_steps(const int64_t *begins, size_t count, int64_t step_ms)
{
    for (size_t i = 0; i + 1 < count; i++) {
        ck_assert_int_eq(oc_calendar_begin(begins[i], step_ms), begins[i]);
        ck_assert_int_eq(oc_calendar_begin(begins[i + 1] - 1, step_ms), begins[i]);
        ck_assert_int_eq(oc_calendar_next(begins[i], step_ms), begins[i + 1]);
    }
}

START_TEST(days_begin_at_local_midnight)
{
    const int64_t autumn[] = { AUTUMN - DAY_MS, AUTUMN, AUTUMN + 25 * HOUR_MS,
                               AUTUMN + 49 * HOUR_MS };
    const int64_t spring[] = { SPRING - DAY_MS, SPRING, SPRING + 23 * HOUR_MS,
                               SPRING + 47 * HOUR_MS };

    check_steps(autumn, 4, DAY_MS);
    check_steps(spring, 4, DAY_MS);
}
END_TEST

START_TEST(steps_of_hours_keep_to_the_clock)
{
    const int64_t autumn[] = { AUTUMN, AUTUMN + 2 * HOUR_MS, AUTUMN + 5 * HOUR_MS,
                               AUTUMN + 7 * HOUR_MS };
    const int64_t spring[] = { SPRING, SPRING + 2 * HOUR_MS, SPRING + 3 * HOUR_MS,
                               SPRING + 5 * HOUR_MS };

    check_steps(autumn, 4, 2 * HOUR_MS);
    check_steps(spring, 4, 2 * HOUR_MS);
}
END_TEST

START_TEST(steps_of_an_hour_are_never_longer)
{
    int64_t begin_ms = oc_calendar_begin(AUTUMN - 1, HOUR_MS);

    ck_assert_int_eq(begin_ms, AUTUMN - HOUR_MS);
    for (int i = 0; i < 30; i++, begin_ms += HOUR_MS)
        ck_assert_int_eq(oc_calendar_next(begin_ms, HOUR_MS), begin_ms + HOUR_MS);
}
END_TEST

START_TEST(a_day_without_midnight_begins_at_one)
{
    const int64_t one = INT64_C(1792292400000); /* 2026-10-18 03:00 UTC */
    const int64_t days[] = { one - DAY_MS, one, one + 23 * HOUR_MS };

    (void)set_local_time("BRT3BRST,M10.3.0/0,M2.3.0/0");
    check_steps(days, 3, DAY_MS);
}
END_TEST

START_TEST(an_axis_has_its_days_at_midnight)
{
    struct oc_axis axis;
    char label[48];

    oc_axis_time(&axis, AUTUMN - DAY_MS, AUTUMN + 4 * DAY_MS, 0, 6);
    ck_assert_uint_eq(axis.tick_count, 5);
    ck_assert_int_eq((int64_t)axis.ticks[2], AUTUMN + 25 * HOUR_MS);
    (void)oc_axis_time_label(&axis, axis.ticks[2], 0, label, sizeof(label));
    ck_assert_str_eq(label, "10-26");
}
END_TEST

Suite *calendar_suite(void)
{
    Suite *suite = suite_create("calendar");
    TCase *tcase = tcase_create("calendar");

    tcase_add_checked_fixture(tcase, berlin, restore_local_time);
    tcase_add_test(tcase, days_begin_at_local_midnight);
    tcase_add_test(tcase, steps_of_hours_keep_to_the_clock);
    tcase_add_test(tcase, steps_of_an_hour_are_never_longer);
    tcase_add_test(tcase, a_day_without_midnight_begins_at_one);
    tcase_add_test(tcase, an_axis_has_its_days_at_midnight);
    if (set_local_time(BERLIN))
        suite_add_tcase(suite, tcase);
    restore_local_time();
    return suite;
}
