/* Points in time as people write them. The zone is two hours east of UTC (test_cli.c). */
#include "suites.h"

#include "cli/show/timespec.h"

#include "base/err.h"

#include <stdint.h>
#include <string.h>

#define NOW INT64_C(1790000000000) /* 2026-09-21T14:13:20Z, 16:13:20 here */
#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define MIDNIGHT (NOW - 16 * HOUR - 13 * 60000 - 20000)

static const struct {
    const char *text;
    int64_t unix_ms;
} good[] = {
    { "now", NOW },
    { "today", MIDNIGHT },
    { "yesterday", MIDNIGHT - DAY },
    { "6h", NOW - 6 * HOUR },
    { "2d", NOW - 2 * DAY },
    { "1h30m", NOW - HOUR - HOUR / 2 },
    { "100y", 0 },
    { "16:13", MIDNIGHT + 16 * HOUR + 13 * 60000 },
    { "16:14", MIDNIGHT - DAY + 16 * HOUR + 14 * 60000 }, /* not yet today: yesterday's */
    { "14:30:05", MIDNIGHT + 14 * HOUR + 30 * 60000 + 5000 },
    { "14:30:05.25", MIDNIGHT + 14 * HOUR + 30 * 60000 + 5250 },
    { "2026-09-21", MIDNIGHT },
    { "2026-09-21 01:00", MIDNIGHT + HOUR },
    { "2026-09-21T01:00:01", MIDNIGHT + HOUR + 1000 },
    { "2026-09-21T14:13:20Z", NOW },
    { "2026-09-21t14:13:20z", NOW },
    { "2026-09-21T14:13:20.5Z", NOW + 500 },
    { "2026-09-21T14:13:20.123456789Z", NOW + 123 },
    { "2026-09-21T15:13:20+01:00", NOW },
    { "2026-09-21T08:43:20-0530", NOW },
    { "1970-01-01T00:00:00Z", 0 },
    { "2024-02-29T00:00:00Z", INT64_C(1709164800000) },
    { "@1790000000", NOW },
    { "@1790000000.5", NOW + 500 },
};

START_TEST(understands_times)
{
    int64_t unix_ms = -1;

    ck_assert_msg(oc_timespec_parse(good[_i].text, NOW, &unix_ms) == OC_OK, "%s", good[_i].text);
    ck_assert_msg(unix_ms == good[_i].unix_ms, "%s: %lld", good[_i].text,
                  (long long)(unix_ms - good[_i].unix_ms));
}
END_TEST

static const char *const bad[] = {
    "",
    " ",
    "6",
    "6x",
    "-6h",
    "h",
    "yesterda",
    "24:00",
    "12:60",
    "1:30",
    "12:30:",
    "12:30:05.",
    "12:30 ",
    "2026-13-01",
    "2026-02-29",
    "2026-00-10",
    "2026-01-00",
    "2026-9-21",
    "1969-12-31",
    "2026-09-21T",
    "2026-09-21T12",
    "2026-09-21T12:00:00+",
    "2026-09-21T12:00:00+24:00",
    "2026-09-21T12:00:00Zx",
    "2026-09-21x12:00",
    "@",
    "@-5",
    "@1e9",
    "@99999999999999",
    "@1.",
    "99999999999999999999h",
    "tomorrow\n",
};

START_TEST(refuses_what_is_no_time)
{
    int64_t unix_ms = 42;

    ck_assert_msg(oc_timespec_parse(bad[_i], NOW, &unix_ms) == OC_E_PARSE, "'%s'", bad[_i]);
    ck_assert_int_eq(unix_ms, 42);
}
END_TEST

START_TEST(writes_what_it_reads)
{
    static const int64_t times[] = { 0, NOW, NOW + 7, INT64_C(1709164800000), MIDNIGHT - 1 };
    char text[48];
    int64_t again = -1;

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        (void)oc_timespec_format(times[i], text, sizeof(text));
        ck_assert_int_eq(oc_timespec_parse(text, NOW, &again), OC_OK);
        ck_assert_int_eq(again, times[i]);
    }
    ck_assert_str_eq(oc_timespec_format(NOW, text, sizeof(text)), "2026-09-21T16:13:20+02:00");
}
END_TEST

START_TEST(shortens_by_distance)
{
    char text[32];

    ck_assert_str_eq(oc_timespec_short(NOW, NOW, text, sizeof(text)), "16:13:20");
    ck_assert_str_eq(oc_timespec_short(NOW - DAY, NOW, text, sizeof(text)), "09-20 16:13");
    ck_assert_str_eq(oc_timespec_short(NOW - 365 * DAY, NOW, text, sizeof(text)),
                     "2025-09-21 16:13");
}
END_TEST

Suite *timespec_suite(void)
{
    Suite *suite = suite_create("timespec");
    TCase *tcase = tcase_create("timespec");

    tcase_add_loop_test(tcase, understands_times, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(tcase, refuses_what_is_no_time, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tcase, writes_what_it_reads);
    tcase_add_test(tcase, shortens_by_distance);
    suite_add_tcase(suite, tcase);
    return suite;
}
