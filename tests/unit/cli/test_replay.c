/* Traces as text, and lanes: what would have been said, and what came of it. */
#include "cli/model/replay_file.h"
#include "cli/model/replay_plan.h"
#include "cli/model/trace.h"

#include "base/alloc.h"
#include "base/metric.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIB 1048576.0
#define HOUR_MS INT64_C(3600000)

/* ---- text ---- */

static struct oc_trace head_of(const char *line)
{
    struct oc_trace trace;

    ck_assert_int_eq(oc_trace_head(&trace, line, NULL), (int)strlen(line));
    return trace;
}

START_TEST(head_finds_its_columns)
{
    struct oc_trace trace = head_of("value,modules,t,limit\r\n");
    uint16_t metric = 0;

    ck_assert_uint_eq(trace.value_at, 0);
    ck_assert_uint_eq(trace.t_at, 2);
    ck_assert_uint_eq(trace.inc_at, OC_TRACE_NONE);
    ck_assert_uint_eq(trace.limit_at, 3);
    ck_assert_uint_eq(oc_trace_companion(&trace, &metric), 1);
    ck_assert_uint_eq(metric, OC_METRIC_MODULES);
    trace = head_of("t,value,private,odd\n");
    ck_assert_uint_eq(oc_trace_companion(&trace, &metric), 2);
    ck_assert_uint_eq(metric, OC_METRIC_PRIVATE);
    trace = head_of("t,value\n");
    ck_assert_uint_eq(oc_trace_companion(&trace, &metric), OC_TRACE_NONE);
}
END_TEST

static const struct {
    const char *line, *says;
} bad_heads[] = { { "\n", "has no name" },
                  { "t\n", "no column value" },
                  { "value\n", "no column t" },
                  { "t,value,t\n", "two columns" },
                  { "t,value,\n", "has no name" },
                  { "t,\xff\xfe,value\n", "no text" },
                  { "t,value\rx\n", "carriage return" },
                  { "t,value,a_name_that_is_longer_than_thirty_one\n", "longer" } };

START_TEST(head_says_what_is_wrong)
{
    struct oc_trace trace;
    struct oc_detail detail = { 0 };

    ck_assert_int_lt(oc_trace_head(&trace, bad_heads[_i].line, &detail), 0);
    ck_assert_msg(strstr(detail.text, bad_heads[_i].says) != NULL, "%s", detail.text);
}
END_TEST

static const struct {
    const char *line;
    int64_t t_ms;
    double value;
} good_rows[] = {
    { "0,0,0\n", 0, 0 },
    { "10,246775808,0\r\n", 10000, 246775808 },
    { "0.73,-5,2\n", 730, -5 },
    { "-1.5,1e3,0\n", -1500, 1000 },
    { "5.0004,123456789.125,0\n", 5000, 123456789.125 },
    { "1,18446744073709551616,0\n", 1000, 18446744073709551616.0 },
    { "1,9007199254740993,0\n", 1000, 9007199254740992.0 },
    { "1,0.1,0\n", 1000, 0.1 },
    { "1,inf,0\n", 1000, INFINITY },
    { "1,-Infinity,0\n", 1000, -INFINITY },
    { "1,1e999,0\n", 1000, INFINITY },
};

START_TEST(row_gives_its_numbers)
{
    struct oc_trace trace = head_of("t,value,inc\n");
    struct oc_trace_row row = { 0 };

    ck_assert_int_eq(oc_trace_row(&trace, good_rows[_i].line, &row, NULL),
                     (int)strlen(good_rows[_i].line));
    ck_assert_int_eq(row.t_ms, good_rows[_i].t_ms);
    ck_assert(row.value >= good_rows[_i].value && row.value <= good_rows[_i].value);
    ck_assert(isnan(row.limit));
}
END_TEST

START_TEST(row_takes_unknown_for_unknown)
{
    static const char *const lines[] = { "1,,0,\n", "1,nan,0,NaN\n", "1,-nan,0,+nan\n" };
    struct oc_trace trace = head_of("t,value,inc,limit\n");

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct oc_trace_row row = { 0 };

        ck_assert_int_gt(oc_trace_row(&trace, lines[i], &row, NULL), 0);
        ck_assert(isnan(row.value));
        ck_assert(isnan(row.limit));
    }
}
END_TEST

static const struct {
    const char *line, *says;
} bad_rows[] = { { "\n", "1 field" },
                 { "1,2\n", "2 fields" },
                 { "1,2,3,4\n", "4 fields" },
                 { "1,2,0,\n", "4 fields" },
                 { "1,0x10,0\n", "'0x10' in column value" },
                 { "1, 2,0\n", "no number" },
                 { "1,2.5.5,0\n", "no number" },
                 { "1,-,0\n", "no number" },
                 { "1,.,0\n", "no number" },
                 { "1,nano,0\n", "no number" },
                 { ",2,0\n", "time is unknown" },
                 { "1e18,2,0\n", "out of range" },
                 { "-inf,2,0\n", "out of range" },
                 { "1,2,\n", "inc" },
                 { "1,2,inf\n", "inc" },
                 { "1,2,0\rx\n", "carriage return" } };

START_TEST(row_says_what_is_wrong)
{
    struct oc_trace trace = head_of("t,value,inc\n");
    struct oc_trace_row row;
    struct oc_detail detail = { 0 };

    ck_assert_int_eq(oc_trace_row(&trace, bad_rows[_i].line, &row, &detail), OC_E_PARSE);
    ck_assert_msg(strstr(detail.text, bad_rows[_i].says) != NULL, "%s", detail.text);
    ck_assert_uint_eq(detail.line, 2);
}
END_TEST

/* ---- lanes ---- */

struct play {
    struct oc_replay replay;
    oc_replay_lane *lane;
    int64_t t_ms;
};

static void begin(struct play *play, int falls, double limit)
{
    const struct oc_replay_lane_options options = { .subject = "proc:x", .falls = falls };

    play->t_ms = 0;
    ck_assert_int_eq(oc_replay_init(&play->replay, NULL, 1), OC_OK);
    ck_assert_int_eq(oc_replay_lane_new(&play->replay, &options, &play->lane), OC_OK);
    oc_replay_lane_begin(play->lane, 3, 42);
    oc_replay_lane_limit(play->lane, 0, OC_LIMIT_USER, "", limit, 0);
}

static void end(struct play *play)
{
    oc_replay_lane_free(play->lane);
    oc_replay_clear(&play->replay);
}

/* From a value to another in so many hours, at 10 s. */
static void go(struct play *play, double from, double to, double hours)
{
    int64_t steps = (int64_t)(hours * 360);

    for (int64_t i = 0; i < steps; i++, play->t_ms += 10000)
        oc_replay_lane_feed(play->lane, play->t_ms, from + (to - from) * (double)i / (double)steps);
}

static struct oc_replay_tally tally_of(const struct play *play, enum oc_replay_method method)
{
    struct oc_replay_tally tally;

    ck_assert_int_eq(oc_replay_tally(&play->replay, method, &tally), OC_OK);
    return tally;
}

START_TEST(lane_knows_an_end_that_was_foretold)
{
    struct play play;
    struct oc_replay_tally tally;

    begin(&play, 0, 1000 * MIB);
    go(&play, 100 * MIB, 1001 * MIB, 20);
    oc_replay_lane_end(play.lane, OC_OVER_KILLED, play.t_ms);
    ck_assert_uint_eq(play.replay.end_count, 1);
    tally = tally_of(&play, OC_METHOD_USED_80);
    ck_assert_uint_eq(tally.alerts, 1);
    ck_assert_uint_eq(tally.met, 1);
    ck_assert_double_eq_tol(tally.lead_s, 20 * 3600 * 0.2 / 0.9 - 600,
                            120); /* it held for 10 min */
    tally = tally_of(&play, OC_METHOD_LINE_1H);
    ck_assert_uint_eq(tally.met, 1);
    ck_assert_double_eq_tol(tally.lead_s, 4 * 3600 - 600, 120);
    tally = tally_of(&play, OC_METHOD_FORECAST);
    ck_assert_uint_eq(tally.met, 1);
    ck_assert_double_gt(tally.lead_s, 3600);
    ck_assert_uint_eq(play.replay.accuracy.ends, 1);
    ck_assert_uint_eq(play.replay.ends[0].alerts, (1u << OC_METHODS) - 1); /* all said so */
    ck_assert_uint_gt(play.replay.accuracy.judged, 0);
    end(&play);
}
END_TEST

START_TEST(lane_calls_what_is_taken_back_false)
{
    struct play play;
    struct oc_replay_tally tally;

    begin(&play, 0, 1000 * MIB);
    go(&play, 850 * MIB, 850 * MIB, 1);
    go(&play, 500 * MIB, 500 * MIB, 1);
    oc_replay_lane_end(play.lane, OC_OVER_NOT_YET, play.t_ms);
    tally = tally_of(&play, OC_METHOD_USED_80);
    ck_assert_uint_eq(tally.cleared, 1);
    ck_assert_double_eq_tol(tally.false_per_week, 7 * 24 / 2.0, 0.5);
    ck_assert_uint_eq(tally_of(&play, OC_METHOD_USED_90).alerts, 0);
    end(&play);
}
END_TEST

START_TEST(lane_leaves_a_peak_that_a_rule_does_not_hold_for)
{
    struct play play;

    begin(&play, 0, 1000 * MIB);
    for (int i = 0; i < 5; i++) {
        go(&play, 500 * MIB, 500 * MIB, 0.5);
        go(&play, 950 * MIB, 950 * MIB, 0.1); /* 6 minutes */
    }
    ck_assert_uint_eq(tally_of(&play, OC_METHOD_USED_80).alerts, 0);
    ck_assert_uint_eq(play.replay.end_count, 0);
    end(&play);
}
END_TEST

START_TEST(lane_tells_what_came_apart)
{
    struct play play;
    struct oc_replay_tally tally;

    begin(&play, 0, 1000 * MIB);
    go(&play, 850 * MIB, 850 * MIB, 1);
    oc_replay_lane_limit(play.lane, 0, OC_LIMIT_USER, "", 1050 * MIB, play.t_ms);
    go(&play, 850 * MIB, 850 * MIB, 1);
    oc_replay_lane_end(play.lane, OC_OVER_RESTARTED, play.t_ms);
    oc_replay_lane_begin(play.lane, 4, 43);
    go(&play, 850 * MIB, 850 * MIB, 1);
    oc_replay_lane_end(play.lane, OC_OVER_NOT_YET, play.t_ms);
    tally = tally_of(&play, OC_METHOD_USED_80);
    ck_assert_uint_eq(tally.alerts, 3);
    ck_assert_uint_eq(tally.moved, 1);
    ck_assert_uint_eq(tally.restarted, 1);
    ck_assert_uint_eq(tally.stands, 1);
    ck_assert_uint_eq(tally.cleared, 0);
    ck_assert_uint_eq(play.replay.series, 2);
    end(&play);
}
END_TEST

START_TEST(lane_at_its_limit_meets_it_once)
{
    struct play play;

    begin(&play, 0, 1000 * MIB);
    go(&play, 900 * MIB, 1001 * MIB, 1);
    for (int i = 0; i < 50; i++) { /* a cgroup that is reclaimed from */
        go(&play, 990 * MIB, 990 * MIB, 0.02);
        go(&play, 1000 * MIB, 1000 * MIB, 0.02);
    }
    ck_assert_uint_eq(play.replay.end_count, 1);
    go(&play, 500 * MIB, 500 * MIB, 1);
    go(&play, 1000 * MIB, 1000 * MIB, 0.02);
    ck_assert_uint_eq(play.replay.end_count, 2);
    end(&play);
}
END_TEST

START_TEST(lane_falls_to_its_limit)
{
    struct play play;

    begin(&play, 1, 100 * MIB);
    go(&play, 1000 * MIB, 99 * MIB, 20);
    ck_assert_uint_eq(play.replay.end_count, 1);
    ck_assert_uint_eq(tally_of(&play, OC_METHOD_USED_80).met, 1);
    ck_assert_uint_eq(tally_of(&play, OC_METHOD_LINE_6H).met, 1);
    end(&play);
}
END_TEST

START_TEST(lane_without_a_limit_says_nothing)
{
    struct play play;

    begin(&play, 0, (double)NAN);
    go(&play, 100 * MIB, 5000 * MIB, 20);
    oc_replay_lane_end(play.lane, OC_OVER_KILLED, play.t_ms);
    ck_assert_uint_eq(play.replay.alert_count, 0);
    ck_assert_uint_eq(play.replay.end_count, 0);
    end(&play);
}
END_TEST

/* An allocation that fails ends in a code, not in a crash, and leaves nothing behind. */
START_TEST(lane_survives_no_memory)
{
    const struct oc_replay_lane_options options = { .subject = "proc:x" };

    for (uint64_t nth = 1; nth < 60; nth++) {
        int64_t live = oc_alloc_live();
        struct play play = { 0 };

        oc_alloc_fail_at(nth, 0);
        if (oc_replay_init(&play.replay, NULL, 1) == OC_OK &&
            oc_replay_lane_new(&play.replay, &options, &play.lane) == OC_OK) {
            oc_replay_lane_begin(play.lane, 3, 42);
            oc_replay_lane_limit(play.lane, 0, OC_LIMIT_USER, "", 1000 * MIB, 0);
            if (!play.replay.err)
                go(&play, 850 * MIB, 1001 * MIB, 1);
            oc_replay_lane_end(play.lane, OC_OVER_KILLED, play.t_ms);
        }
        oc_alloc_fail_at(0, 0);
        end(&play);
        ck_assert_int_eq(oc_alloc_live(), live);
    }
}
END_TEST

/* ---- plans ---- */

static struct oc_replay_span span_of(uint8_t kind, double value, int64_t from_ms, int64_t until_ms)
{
    static char nowhere[] = "";

    return (struct oc_replay_span){ OC_METRIC_PRIVATE, kind, nowhere, value, from_ms, until_ms };
}

START_TEST(plan_takes_the_nearest)
{
    struct oc_replay_span spans[6];
    struct oc_replay_life life = { .spans = spans, .span_count = 6 };
    struct oc_replay_plan plan = { 0 };

    for (uint8_t i = 0; i < 6; i++)
        spans[i] = span_of((uint8_t)(i + 1), 100.0 * (i % 2 ? i : 10 - i), 0, INT64_MAX);
    spans[5].metric = OC_METRIC_VIRTUAL;
    ck_assert_int_eq(oc_replay_plan_make(&plan, &life, OC_METRIC_PRIVATE), OC_OK);
    ck_assert_uint_eq(plan.slot_count, OC_SERIES_LIMITS);
    for (unsigned i = 0; i < plan.slot_count; i++)
        ck_assert_double_lt(plan.slots[i]->value, 1000); /* the farthest of five has no slot */
    ck_assert_uint_eq(plan.count, OC_SERIES_LIMITS);
    oc_replay_plan_clear(&plan);
}
END_TEST

START_TEST(plan_goes_on_where_a_limit_begins_again)
{
    struct oc_replay_span spans[] = { span_of(1, 1000 * MIB, 0, HOUR_MS),
                                      span_of(2, 1100 * MIB, 0, HOUR_MS),
                                      span_of(1, 1000 * MIB, HOUR_MS, 2 * HOUR_MS),
                                      span_of(2, 1200 * MIB, HOUR_MS, INT64_MAX) };
    struct oc_replay_life life = { .spans = spans, .span_count = 4 };
    struct oc_replay_plan plan = { 0 };
    struct play play;
    struct oc_replay_tally tally;

    begin(&play, 0, (double)NAN);
    ck_assert_int_eq(oc_replay_plan_make(&plan, &life, OC_METRIC_PRIVATE), OC_OK);
    for (; play.t_ms < 3 * HOUR_MS; play.t_ms += 10000) {
        if (oc_replay_plan_is_due(&plan, play.t_ms))
            oc_replay_plan_apply(&plan, play.lane, play.t_ms);
        oc_replay_lane_feed(play.lane, play.t_ms, 970 * MIB);
    }
    tally = tally_of(&play, OC_METHOD_USED_80);
    ck_assert_uint_eq(tally.alerts, 3);
    ck_assert_uint_eq(tally.moved, 2); /* one was raised, the other ended; neither at its renewal */
    ck_assert_uint_eq(tally.stands, 1);
    oc_replay_plan_clear(&plan);
    end(&play);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay");
    TCase *tcase = tcase_create("replay");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, head_finds_its_columns);
    tcase_add_loop_test(tcase, head_says_what_is_wrong, 0,
                        (int)(sizeof(bad_heads) / sizeof(bad_heads[0])));
    tcase_add_loop_test(tcase, row_gives_its_numbers, 0,
                        (int)(sizeof(good_rows) / sizeof(good_rows[0])));
    tcase_add_test(tcase, row_takes_unknown_for_unknown);
    tcase_add_loop_test(tcase, row_says_what_is_wrong, 0,
                        (int)(sizeof(bad_rows) / sizeof(bad_rows[0])));
    tcase_add_test(tcase, lane_knows_an_end_that_was_foretold);
    tcase_add_test(tcase, lane_calls_what_is_taken_back_false);
    tcase_add_test(tcase, lane_leaves_a_peak_that_a_rule_does_not_hold_for);
    tcase_add_test(tcase, lane_tells_what_came_apart);
    tcase_add_test(tcase, lane_at_its_limit_meets_it_once);
    tcase_add_test(tcase, lane_falls_to_its_limit);
    tcase_add_test(tcase, lane_without_a_limit_says_nothing);
    tcase_add_test(tcase, lane_survives_no_memory);
    tcase_add_test(tcase, plan_takes_the_nearest);
    tcase_add_test(tcase, plan_goes_on_where_a_limit_begins_again);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
