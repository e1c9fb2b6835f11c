/* What is said: for people, for an alert, for machines, after an end. */
#include "tests/unit/explain/made.h"

#include "base/text.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct oc_evidence evidence;
static struct oc_explanation explanation;
static struct oc_buf text;

static void set_up(void) { oc_buf_init(&text, 1u << 20); }
static void tear_down(void) { oc_buf_clear(&text); }

static int holds(const char *part) { return text.data && strstr(text.data, part) != NULL; }

static void leak(void)
{
    made_quiet(&evidence, "dotnet");
    made_grows(&evidence, OC_USAGE_HEAP, 20 * MIB, 180 * MIB);
    made_metric(&evidence, OC_METRIC_MEMFD, 10 * MIB, 410 * MIB);
    made_moved(&evidence.usage_commit[OC_USAGE_LOADER_HEAP], 10 * MIB, 350 * MIB);
    made_family(&evidence, OC_FAMILY_MODULE, OC_FAMILY_FOLDED, "qrt-*.dll", 3, 9998);
    made_family(&evidence, OC_FAMILY_MAPPING, 0, "/memfd:doublemapper", 90, 9998);
    made_limit(&evidence, OC_LIMIT_CGROUP_MAX, (uint64_t)GIB, (uint64_t)(700 * MIB));
}

/* Lines that are longer than the columns, commands left out. */
static size_t too_long(size_t columns)
{
    size_t found = 0;
    char *copy = strdup(text.data ? text.data : "");

    for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
        const int is_command = strncmp(line, "  ", 2) == 0 && line[2] != ' ';

        found += !is_command && oc_text_columns(line) > columns;
        ck_assert_msg(line[strlen(line) - 1] != ' ', "'%s' ends in a blank", line);
    }
    free(copy);
    return found;
}

static size_t lines(void)
{
    size_t count = 0;

    for (const char *at = text.data; at && *at; at++)
        count += *at == '\n';
    return count;
}

START_TEST(the_whole_says_all_of_it)
{
    leak();
    oc_explain(&evidence, &explanation);
    oc_explain_text(&evidence, &explanation, 80, 0, &text);
    ck_assert_int_eq(text.err, 0);
    ck_assert(holds("unit:shop.service (pid 4711, shop, dotnet)"));
    ck_assert(holds("grew by 560.0 MiB in 3 h 00 min"));
    ck_assert(holds("LoaderHeap"));
    ck_assert(holds("qrt-*.dll"));
    ck_assert(holds("dotnet/runtime#95369"));
    ck_assert(holds("oomcast diff unit:shop.service --from 2026-09-21T"));
    ck_assert(holds("dotnet-counters monitor -p 4711"));
    ck_assert(holds("shared memory"));
    ck_assert_uint_eq(too_long(80), 0);
}
END_TEST

START_TEST(an_alert_has_few_lines)
{
    static const unsigned most[] = { 1, 3, 8, 12 };

    leak();
    oc_explain(&evidence, &explanation);
    for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
        oc_buf_reset(&text);
        oc_explain_text(&evidence, &explanation, 80, most[i], &text);
        ck_assert_uint_le(lines(), most[i]);
        ck_assert_uint_eq(too_long(80), 0);
        ck_assert(holds("grew by 560.0 MiB"));
    }
    ck_assert(holds("likely: a family of generated modules"));
    ck_assert(holds("mend: "));
    ck_assert(holds("of it LoaderHeap"));
}
END_TEST

START_TEST(no_growth_is_said_with_what_would_be_needed)
{
    made_quiet(&evidence, "");
    evidence.walks = 1;
    oc_explain(&evidence, &explanation);
    oc_explain_text(&evidence, &explanation, 80, 0, &text);
    ck_assert(
        holds("No growth in 3 h 00 min: private_bytes was 100.0 MiB then and is 100.0 MiB now."));
    ck_assert(holds("one walk only"));
    ck_assert(holds("oomcast explain 4711 --for 10m"));
    oc_buf_reset(&text);
    evidence.metrics[OC_METRIC_PRIVATE].has_then = 0;
    oc_explain(&evidence, &explanation);
    oc_explain_text(&evidence, &explanation, 80, 0, &text);
    ck_assert(holds("are not known"));
}
END_TEST

START_TEST(one_look_says_what_there_is)
{
    made_one_look(&evidence, "");
    made_limit(&evidence, OC_LIMIT_CGROUP_MAX, (uint64_t)GIB, (uint64_t)(512 * MIB));
    oc_explain(&evidence, &explanation);
    oc_explain_text(&evidence, &explanation, 80, 0, &text);
    ck_assert(holds("private_bytes 100.0 MiB"));
    ck_assert(holds("50 % of memory.max"));
    ck_assert(holds("Nothing unusual"));
    ck_assert(!holds("grew by"));
    ck_assert(!holds("oomcast diff")); /* no store knows it */
}
END_TEST

static void foretold(int64_t p10_s, int64_t p50_s, int64_t p90_s)
{
    evidence.has_forecast = 1;
    evidence.forecast.limit.kind = OC_LIMIT_CGROUP_MAX;
    evidence.forecast.limit.value = (uint64_t)GIB;
    evidence.forecast.forecast.state = OC_FORECAST_LEAKING;
    evidence.forecast.forecast.metric = OC_METRIC_PRIVATE;
    evidence.forecast.forecast.p10_s = (double)p10_s;
    evidence.forecast.forecast.p50_s = (double)p50_s;
    evidence.forecast.forecast.p90_s = (double)p90_s;
    evidence.forecast.forecast.chance = 0.93;
}

START_TEST(the_forecast_is_said_as_elsewhere)
{
    leak();
    foretold(9600, 12000, 15000);
    oc_explain(&evidence, &explanation);
    oc_explain_text(&evidence, &explanation, 100, 0, &text);
    ck_assert(holds("leaking; memory.max (1.0 GiB) in 3 h 20 min (2 h 40 min - 4 h 10 min)"));
    ck_assert(holds("chance 93 %"));
}
END_TEST

START_TEST(names_from_outside_are_escaped)
{
    leak();
    (void)oc_text_copy(evidence.subject, sizeof(evidence.subject),
                       "proc:\033[31mred; rm -rf '/'\n");
    (void)oc_text_copy(evidence.families[0].name, sizeof(evidence.families[0].name),
                       "qrt-\033]0;x\007*.dll");
    oc_explain(&evidence, &explanation);
    oc_explain_text(&evidence, &explanation, 80, 0, &text);
    ck_assert(!strchr(text.data, '\033'));
    ck_assert(holds("'proc:\\e[31mred; rm -rf '\\''/'\\''\\n'")); /* as a shell takes it */
    oc_buf_reset(&text);
    oc_explain_json(&evidence, &explanation, &text);
    ck_assert(!strchr(text.data, '\033'));
    ck_assert(holds("\\u001b"));
    oc_buf_reset(&text);
    oc_explain_next(&explanation, 0, &text);
    ck_assert(!strchr(text.data, '\033'));
}
END_TEST

/* ---- steps ---- */

static const struct {
    const char *runtime, *cmdline, *command;
    int is_there;
} steps[] = {
    { "jvm", "", "jcmd 4711 GC.class_histogram", 1 },
    { "dotnet", "", "dotnet-gcdump collect -p 4711", 1 },
    { "node", "node --heapsnapshot-signal=SIGUSR2 a.js", "kill -USR2 4711", 1 },
    { "node", "node a.js", "kill -USR2 4711", 0 }, /* it would end it */
    { "go", "", "heaptrack --pid 4711", 0 },
    { "dotnet", "", "jcmd 4711", 0 },
    { "jvm", "", "wpr ", 0 },
};

START_TEST(steps_fit_the_runtime)
{
    int found = 0;

    made_quiet(&evidence, steps[_i].runtime);
    made_grows(&evidence, OC_USAGE_MANAGED_HEAP, 10 * MIB, 300 * MIB);
    (void)oc_text_copy(evidence.cmdline, sizeof(evidence.cmdline), steps[_i].cmdline);
    oc_explain(&evidence, &explanation);
    for (size_t i = 0; i < explanation.step_count; i++)
        found |= strstr(explanation.steps[i].command, steps[_i].command) != NULL;
    ck_assert_msg(found == steps[_i].is_there, "%s: %s", steps[_i].runtime, steps[_i].command);
    ck_assert(explanation.steps[0].is_ours);
}
END_TEST

START_TEST(steps_on_windows_are_its_own)
{
    int wpr = 0;

    made_quiet(&evidence, "");
    made_grows(&evidence, OC_USAGE_HEAP, 10 * MIB, 300 * MIB);
    (void)oc_text_copy(evidence.os, sizeof(evidence.os), "windows");
    oc_explain(&evidence, &explanation);
    for (size_t i = 0; i < explanation.step_count; i++) {
        ck_assert(!strstr(explanation.steps[i].command, "gdb"));
        ck_assert(!strstr(explanation.steps[i].command, "{"));
        wpr |= strstr(explanation.steps[i].command, "wpr -snapshotconfig heap -pid 4711") != NULL;
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(explanation.steps[i].command, explanation.steps[j].command);
    }
    ck_assert(wpr);
}
END_TEST

/* A worker of IIS that keeps assemblies: pool, process, bitness, what grows, and tools of Windows alone. */
static void worker(void)
{
    made_quiet(&evidence, "dotnet");
    (void)oc_text_copy(evidence.os, sizeof(evidence.os), "windows");
    (void)oc_text_copy(evidence.subject, sizeof(evidence.subject), "pool:Shop");
    (void)oc_text_copy(evidence.name, sizeof(evidence.name), "w3wp.exe");
    made_metric(&evidence, OC_METRIC_SECTIONS, 40, 4040);
    made_moved(&evidence.usage_commit[OC_USAGE_SECTION], 1 * MIB, 260 * MIB);
    made_metric(&evidence, OC_METRIC_PRIVATE, 100 * MIB, 160 * MIB);
    made_metric(&evidence, OC_METRIC_VIRTUAL, 700 * MIB, 1000 * MIB);
}

START_TEST(a_worker_is_told_by_pool_process_and_bitness)
{
    worker();
    made_limit(&evidence, OC_LIMIT_ADDRESS_SPACE, (uint64_t)(2 * GIB), (uint64_t)GIB);
    oc_explain(&evidence, &explanation);
    oc_explain_text(&evidence, &explanation, 100, 16, &text);
    ck_assert_msg(holds("application pool Shop: w3wp.exe, PID 4711, 32-bit"), "%s", text.data);
    ck_assert(holds("assemblies that are loaded from bytes"));
    ck_assert_uint_eq(too_long(100), 0);
    oc_explain_next(&explanation, 0, &text);
    ck_assert(holds("oomcast regions 4711"));
    ck_assert(holds("!eeheap"));
    ck_assert(!holds("strace"));
}
END_TEST

START_TEST(a_worker_of_64_bits_says_so)
{
    worker();
    oc_explain(&evidence, &explanation);
    oc_explain_text(&evidence, &explanation, 100, 0, &text);
    ck_assert(holds("w3wp.exe, PID 4711, 64-bit"));
}
END_TEST

START_TEST(the_commit_limit_of_now_is_told_beside_what_it_may_become)
{
    worker();
    evidence.has_forecast = 1;
    evidence.forecast.limit = (struct oc_limit){ .kind = OC_LIMIT_COMMIT,
                                                 .metric = OC_METRIC_HOST_COMMIT,
                                                 .value = (uint64_t)(48 * GIB) };
    evidence.forecast.forecast.state = OC_FORECAST_LEAKING;
    evidence.forecast.forecast.p50_s = 7200;
    made_metric(&evidence, OC_METRIC_HOST_COMMIT_LIMIT, 20 * GIB, 20 * GIB);
    made_metric(&evidence, OC_METRIC_HOST_COMMIT_MAX, 48 * GIB, 48 * GIB);
    oc_explain(&evidence, &explanation);
    oc_explain_text(&evidence, &explanation, 100, 0, &text);
    ck_assert(holds("the commit limit is 20.0 GiB now; page files may let it grow to 48.0 GiB"));
    oc_buf_reset(&text);
    made_metric(&evidence, OC_METRIC_HOST_COMMIT_MAX, 20 * GIB,
                20 * GIB); /* they are of one size */
    oc_explain_text(&evidence, &explanation, 100, 0, &text);
    ck_assert(!holds("page files may"));
}
END_TEST

START_TEST(what_stops_the_process_says_so)
{
    leak();
    oc_explain(&evidence, &explanation);
    for (size_t i = 0; i < explanation.step_count; i++) {
        const struct oc_step *step = &explanation.steps[i];

        ck_assert(!step->stops_it || strstr(step->text, "stop") || strstr(step->text, "stall") ||
                  strstr(step->text, "slow"));
    }
    evidence.is_live = 0; /* what has ended is not looked at */
    oc_explain(&evidence, &explanation);
    for (size_t i = 0; i < explanation.step_count; i++)
        ck_assert(!strstr(explanation.steps[i].command, "4711"));
}
END_TEST

/* ---- after the end ---- */

static void ended(int64_t after_s)
{
    made_quiet(&evidence, "");
    evidence.has_end = 1;
    evidence.is_live = 0;
    evidence.end = OC_END_OOM_KILLED;
    evidence.killer = OC_KILLER_CGROUP;
    (void)oc_text_copy(evidence.killer_scope, sizeof(evidence.killer_scope),
                       "/system.slice/shop.service");
    evidence.begin_unix_ms = THEN_UNIX_MS;
    evidence.end_unix_ms = THEN_UNIX_MS + 3 * HOUR_MS;
    foretold(3000, 3600, 4800);
    evidence.last_forecast = evidence.forecast;
    evidence.last_forecast.forecast.t_ms = evidence.end_unix_ms - after_s * 1000;
    evidence.has_last_forecast = 1;
}

START_TEST(an_end_is_held_against_its_forecast)
{
    ended(4000);
    oc_explain_life_text(&evidence, 80, &text);
    ck_assert(holds("lived:    "));
    ck_assert(holds("(3 h 00 min)"));
    ck_assert(holds("OOM killer, for the limit of cgroup"));
    ck_assert(holds("/system.slice/shop.service"));
    ck_assert(holds("memory.max (1.0 GiB)"));
    ck_assert(holds("in 60 min 00 s (50 min 00 s - 1 h 20 min)") ||
              holds("in 1 h 00 min (50 min 00 s - 1 h 20 min)"));
    ck_assert(holds("later than said; inside the interval"));
    ck_assert_uint_eq(too_long(80), 0);
    oc_buf_reset(&text);
    ended(600);
    oc_explain_life_text(&evidence, 80, &text);
    ck_assert(holds("sooner than said; outside the interval"));
    oc_buf_reset(&text);
    oc_explain_life_json(&evidence, &text);
    ck_assert(holds("\"killer\":\"cgroup limit\""));
    ck_assert(holds("\"inside\":false"));
    ck_assert(holds("\"came_after_seconds\":600"));
}
END_TEST

START_TEST(an_end_that_memory_did_not_make_is_no_test_of_a_forecast)
{
    ended(4000);
    evidence.end = OC_END_EXITED;
    evidence.status = 0;
    evidence.killer = OC_KILLER_UNKNOWN;
    oc_explain_life_text(&evidence, 80, &text);
    ck_assert(holds("itself, with exit code 0"));
    ck_assert(holds("memory did not end it"));
    oc_buf_reset(&text);
    evidence.has_last_forecast = 0;
    oc_explain_life_text(&evidence, 80, &text);
    ck_assert(holds("none was made"));
    oc_buf_reset(&text);
    evidence.has_end = 0;
    oc_explain_life_text(&evidence, 80, &text);
    ck_assert(holds("It runs"));
}
END_TEST

/* A narrow terminal, a wide one, a long word: no line is lost, none too long. */
START_TEST(text_fits_any_width)
{
    leak();
    memset(evidence.families[0].name, 'x', sizeof(evidence.families[0].name) - 1);
    oc_explain(&evidence, &explanation);
    for (unsigned columns = 60; columns < 140; columns += 7) {
        oc_buf_reset(&text);
        oc_explain_text(&evidence, &explanation, columns, 0, &text);
        ck_assert_msg(too_long(columns) == 0, "%u columns: %s", columns, text.data);
    }
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tcase = tcase_create("text");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_whole_says_all_of_it);
    tcase_add_test(tcase, an_alert_has_few_lines);
    tcase_add_test(tcase, no_growth_is_said_with_what_would_be_needed);
    tcase_add_test(tcase, one_look_says_what_there_is);
    tcase_add_test(tcase, the_forecast_is_said_as_elsewhere);
    tcase_add_test(tcase, names_from_outside_are_escaped);
    tcase_add_loop_test(tcase, steps_fit_the_runtime, 0, COUNT(steps));
    tcase_add_test(tcase, steps_on_windows_are_its_own);
    tcase_add_test(tcase, a_worker_is_told_by_pool_process_and_bitness);
    tcase_add_test(tcase, a_worker_of_64_bits_says_so);
    tcase_add_test(tcase, the_commit_limit_of_now_is_told_beside_what_it_may_become);
    tcase_add_test(tcase, what_stops_the_process_says_so);
    tcase_add_test(tcase, an_end_is_held_against_its_forecast);
    tcase_add_test(tcase, an_end_that_memory_did_not_make_is_no_test_of_a_forecast);
    tcase_add_test(tcase, text_fits_any_width);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
