/*
 * Recorded processes, replayed: leaks are told before they end, and what does not leak is never said
 * to. tests/data/traces has them, with what they were.
 */
#include "tests/integration/cli_run.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER OC_TEST_DATA "/traces"
#define TRACES 17       /* in the manifest */
#define EXIT_SKIPPED 77 /* meson's word for it */

static cJSON *manifest;
static struct {
    size_t intervals, inside;
    unsigned false_alarms;
} all;

static void set_up(void)
{
    ck_assert_int_eq(run("cat " FOLDER "/manifest.json"), 0);
    manifest = json();
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(manifest, "traces")), TRACES);
}

static void tear_down(void) { cJSON_Delete(manifest); }

static const cJSON *trace_of(int number)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(manifest, "traces"), number);
}

static const char *text(const cJSON *trace, const char *key)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItem(trace, key));

    ck_assert_msg(value != NULL, "no %s", key);
    return value;
}

static void replay(const cJSON *trace)
{
    char line[1000];

    (void)snprintf(line, sizeof(line),
                   "gzip -dc '" FOLDER "/%s' | $O backtest --stream --limit %.0f --every 10",
                   text(trace, "file"), number(trace, "limit"));
    ck_assert_msg(run(line) == 0, "%s: %s", text(trace, "file"), err);
}

struct told {
    double end;   /* seconds; below 0: it did not end */
    double alert; /* the alert that stands since then; below 0: none */
    unsigned raised;
    size_t intervals, inside;
};

static int holds_end(const cJSON *answer, double left)
{
    const cJSON *hi = cJSON_GetObjectItem(answer, "hi");

    return left >= number(answer, "lo") && (cJSON_IsNull(hi) || left <= cJSON_GetNumberValue(hi));
}

static void take(const cJSON *answer, struct told *told)
{
    const cJSON *alert = cJSON_GetObjectItem(answer, "alert");
    const double t = number(answer, "t");

    if (cJSON_IsBool(alert)) {
        told->raised += cJSON_IsTrue(alert) != 0;
        told->alert = cJSON_IsTrue(alert) ? t : -1;
    } else if (t >= told->end / 4 && t <= told->end * 3 / 4 &&
               cJSON_IsNumber(cJSON_GetObjectItem(answer, "lo"))) {
        told->intervals++;
        told->inside += (size_t)holds_end(answer, told->end - t);
    }
}

/* What was answered, line by line; of what came at the end's last twentieth nothing is taken. */
static struct told tell(const cJSON *trace)
{
    const cJSON *end = cJSON_GetObjectItem(trace, "end");
    struct told told = { .end = cJSON_IsNumber(end) ? end->valuedouble : -1, .alert = -1 };
    char *rest = NULL;

    replay(trace);
    for (char *line = strtok_r(out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        cJSON *answer = cJSON_Parse(line);

        ck_assert_msg(answer != NULL, "%s", line);
        if (told.end < 0 || number(answer, "t") <= told.end * 0.95)
            take(answer, &told);
        cJSON_Delete(answer);
    }
    return told;
}

START_TEST(a_recorded_process_is_told_right)
{
    const cJSON *trace = trace_of(_i);
    const struct told told = tell(trace);

    if (strcmp(text(trace, "label"), "leak") != 0) {
        if (told.raised)
            printf("%-32s alerts: %u\n", text(trace, "file"), told.raised);
        all.false_alarms += told.raised;
        ck_assert_msg(told.alert < 0, "%s: an alert stands at the end", text(trace, "file"));
        return;
    }
    printf("%-32s ends at %6.0f s, said at %6.0f s; %zu of %zu intervals held it\n",
           text(trace, "file"), told.end, told.alert, told.inside, told.intervals);
    ck_assert_msg(told.alert >= 0, "%s: no alert stood at 95 %% of its life", text(trace, "file"));
    ck_assert_uint_gt(told.intervals, 0);
    all.intervals += told.intervals;
    all.inside += told.inside;
}
END_TEST

/* 80 % are to; those of a trace come in runs, so that of few traces it may be less. */
START_TEST(ends_come_inside_what_was_said)
{
    printf("%zu of %zu intervals held the end\n", all.inside, all.intervals);
    ck_assert_uint_gt(all.intervals, 100);
    ck_assert_msg(all.inside * 100 >= all.intervals * 65, "%zu of %zu", all.inside, all.intervals);
}
END_TEST

/* node_fine grows to 60 % of its limit in its first three minutes: it may be taken for a leak, for half a minute. */
START_TEST(quiet_ones_are_left_alone) { ck_assert_uint_le(all.false_alarms, 1); }
END_TEST

int main(void)
{
    Suite *suite = suite_create("forecast_traces");
    TCase *tests = tcase_create("forecast_traces");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    if (system("gzip --version >/dev/null 2>&1") != 0) {
        printf("SKIP forecast_traces: no gzip here\n");
        return EXIT_SKIPPED;
    }
    tcase_add_unchecked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_recorded_process_is_told_right, 0, TRACES);
    tcase_add_test(tests, ends_come_inside_what_was_said);
    tcase_add_test(tests, quiet_ones_are_left_alone);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
