/* Rules tried over a replay, and held against what was expected. */
#include "cli/model/replay.h"
#include "cli/model/replay_tried.h"

#include "base/alloc.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIB 1048576.0
#define EVERY_MS INT64_C(10000)

static struct oc_replay_tried tried;
static struct oc_replay replay;

static void begin(void)
{
    tried = (struct oc_replay_tried){ 0 };
    ck_assert_int_eq(oc_rules_default(&tried.rules), OC_OK);
    ck_assert_int_eq(oc_replay_init(&replay, NULL, 0), OC_OK);
    replay.tried = &tried;
}

static void end(void)
{
    oc_replay_clear(&replay);
    oc_replay_tried_clear(&tried);
}

/* A life of so many hours, from 100 MiB on with a slope, that ends so. */
static int live(double hours, double mib_per_h, enum oc_replay_over over)
{
    oc_replay_lane *lane = NULL;
    const struct oc_replay_lane_options options = { .subject = "unit:shop.service" };
    int64_t t_ms = 0;
    int rc = oc_replay_lane_new(&replay, &options, &lane);

    if (rc < 0)
        return rc;
    oc_replay_lane_begin(lane, 1, 1);
    oc_replay_lane_limit(lane, 0, 0, "", 1000 * MIB, 0);
    for (; (double)t_ms < hours * 3600000; t_ms += EVERY_MS) {
        double hour = (double)t_ms / 3600000;

        oc_replay_lane_feed(lane, t_ms, floor((100 + mib_per_h * hour) * 256) * 4096);
    }
    oc_replay_lane_end(lane, over, t_ms);
    oc_replay_lane_free(lane);
    oc_replay_tried_sort(&tried);
    return tried.err;
}

static int compare(const char *expected, struct oc_buf *out)
{
    oc_buf_init(out, 1 << 20);
    return oc_tried_compare(&tried, expected, strlen(expected), out, NULL);
}

START_TEST(a_leak_that_dies_is_told_and_died)
{
    static const char expected[] = "t,subject,rule,severity,state,told\n"
                                   "# whenever it may be\n"
                                   ",unit:shop.service,MemoryLimitForecast,warning,firing,yes\n"
                                   ",,,critical,firing,yes\r\n"
                                   "\n"
                                   ",,,warning,firing,no\n"
                                   ",,,critical,died\n"
                                   ",,,warning,died\n";
    struct oc_buf out;

    ck_assert_int_eq(live(17.9, 50, OC_OVER_MET), OC_OK);
    ck_assert_msg(compare(expected, &out) == 0, "%s", out.data);
    oc_buf_clear(&out);
}
END_TEST

START_TEST(what_does_not_grow_says_nothing)
{
    struct oc_buf out;

    ck_assert_int_eq(live(17.9, 0, OC_OVER_RESTARTED), OC_OK);
    ck_assert_uint_eq(tried.count, 0);
    ck_assert_int_eq(compare("", &out), 0);
    oc_buf_clear(&out);
}
END_TEST

static void made(int64_t t_ms, const char *subject, unsigned state)
{
    void *items = tried.items;

    ck_assert_int_eq(oc_array_grow(&items, &tried.capacity, tried.count + 1, sizeof(tried.items[0]),
                                   OC_TRIED_CHANGES_MAX),
                     OC_OK);
    tried.items = items;
    tried.items[tried.count] = (struct oc_tried_change){ .t_ms = t_ms,
                                                         .subject = oc_strdup(subject),
                                                         .rule = "R",
                                                         .severity = OC_SEVERITY_WARN,
                                                         .state = (uint8_t)state,
                                                         .is_told = 1 };
    tried.count++;
}

static const struct {
    const char *expected;
    int differences;
    const char *out;
} comparisons[] = {
    { "1.5,\"a, \"\"b\"\"\",R,warning,firing,yes\n60,,,,resolved\n", 0, NULL },
    { "1\n61\n", 0, NULL }, /* a second off */
    { "4\n60\n", 2, "-4\n+1.500," },
    { "\"1.5\"\n", 1, "+60.000," },
    { "1.5\n60\n70\n", 1, "-70\n" },
    { ",,S\n60\n", 2, "-,,S\n" },
    { "1.5\n60,,,critical", 2, "-60,,,critical\n" },
    { "1,2,3,4,5,6,7\n", OC_E_PARSE, NULL },
    { "\"open\n", OC_E_PARSE, NULL },
    { "\"a\"b,\n", OC_E_PARSE, NULL },
};

START_TEST(differences_are_counted_and_shown)
{
    struct oc_buf out;
    int differences;

    made(1500, "a, \"b\"", OC_ALERT_FIRING);
    made(60000, "c", OC_ALERT_RESOLVED);
    differences = compare(comparisons[_i].expected, &out);
    ck_assert_msg(differences == comparisons[_i].differences, "%d: %s", differences,
                  out.data ? out.data : "");
    if (comparisons[_i].out)
        ck_assert_msg(strstr(out.data, comparisons[_i].out) != NULL, "%s", out.data);
    oc_buf_clear(&out);
}
END_TEST

START_TEST(what_is_written_is_as_expected)
{
    struct oc_buf lines, out;

    made(1500, "a, \"b\"", OC_ALERT_FIRING);
    made(60000, "c", OC_ALERT_RESOLVED);
    oc_buf_init(&lines, 1 << 20);
    for (size_t i = 0; i < tried.count; i++) {
        oc_tried_write(&tried.items[i], &lines);
        oc_buf_putc(&lines, '\n');
    }
    ck_assert_int_eq(compare(lines.data, &out), 0);
    oc_buf_clear(&lines);
    oc_buf_clear(&out);
}
END_TEST

START_TEST(each_allocation_may_fail)
{
    uint64_t count;
    int64_t live_blocks;

    oc_alloc_fail_at(0, 0);
    ck_assert_int_eq(live(17.9, 50, OC_OVER_MET), OC_OK);
    count = oc_alloc_count();
    end();
    live_blocks = oc_alloc_live();
    for (uint64_t nth = 1; nth <= count; nth++) {
        begin();
        oc_alloc_fail_at(nth, 0);
        (void)live(17.9, 50, OC_OVER_MET);
        oc_alloc_fail_at(0, 0);
        end();
    }
    ck_assert_int_eq(oc_alloc_live(), live_blocks);
    begin();
}
END_TEST

static Suite *tried_suite(void)
{
    Suite *suite = suite_create("tried");
    TCase *tcase = tcase_create("tried");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_leak_that_dies_is_told_and_died);
    tcase_add_test(tcase, what_does_not_grow_says_nothing);
    tcase_add_loop_test(tcase, differences_are_counted_and_shown, 0,
                        sizeof(comparisons) / sizeof(comparisons[0]));
    tcase_add_test(tcase, what_is_written_is_as_expected);
    tcase_add_test(tcase, each_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(tried_suite());
    int failed = 0;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
