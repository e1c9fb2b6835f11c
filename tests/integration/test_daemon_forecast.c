/* The real daemon forecasts real processes: what it says, and that it goes on saying it. */
#include "base/metric.h"
#include "storage/reader.h"
#include "tests/integration/daemon_run.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STOP_MS 2000
#define POLL_US 50000
#define LONG_MS 90000 /* against hanging: a leak that takes 20 s, on a loaded machine */
#define MAX_ROWS 200

static struct daemon_run run;
static pid_t children[8];
static size_t child_count;

static void setup(void)
{
    child_count = 0;
    run_setup(&run);
}

static void teardown(void)
{
    for (size_t i = 0; i < child_count; i++)
        stop(children[i], SIGKILL);
    run_teardown(&run);
}

/* "fcst" becomes a name of this run's own. */
static const char *own(const char *text)
{
    static char owned[600];
    const char *at = strstr(text, "fcst");

    if (!at)
        return text;
    (void)snprintf(owned, sizeof(owned), "%.*sf%lx%s", (int)(at - text), text, (long)getpid(),
                   at + strlen("fcst"));
    return owned;
}

static pid_t start_leaker(const char *kind, const char *rate, const char *max, const char *period)
{
    const char *argv[] = {
        getenv("OC_LEAKER"), kind,   "--base", "8M",        "--rate", rate,  "--max", max,
        "--period",          period, "--name", own("fcst"), "--for",  "120", NULL
    };
    pid_t pid = start_ready((char **)(uintptr_t)argv);

    ck_assert_int_gt(pid, 0);
    children[child_count++] = pid;
    return pid;
}

/* With a limit of the user's on private bytes. */
static void configure(const char *limit)
{
    char text[600];

    (void)snprintf(
        text, sizeof(text),
        "{ \"targets\": [{ \"name\": \"fcst\", \"limits\": { \"private_bytes\": \"%s\" } }], "
        "\"interval\": \"100ms\", \"discovery_interval\": \"1s\", \"batch\": \"100ms\" }",
        limit);
    run_write_config(&run, own(text));
}

static void start_daemon(void)
{
    run_start(&run, (const char *[]){ "--config", run.config, NULL });
}

static void kill_daemon(void)
{
    stop(run.pid, SIGKILL);
    run.pid = 0;
}

/* ---- what the store says ---- */

/* Forecasts of the process's private bytes against the user's limit, the oldest first. */
static struct oc_forecast rows[MAX_ROWS];
static size_t row_count;

static int on_row(const struct oc_forecast_span *span, void *context)
{
    (void)context;
    if (strcmp(span->subject, own("proc:fcst")) == 0 && span->row->limit.kind == OC_LIMIT_USER &&
        row_count < MAX_ROWS)
        rows[row_count++] = span->row->forecast;
    return 0;
}

static void look(void)
{
    struct oc_forecast_filter filter = { .source = OC_READER_ALL_SOURCES,
                                         .until_unix_ms = INT64_MAX };
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;
    char path[200];

    row_count = 0;
    (void)snprintf(path, sizeof(path), "%s/oomcast.db", run.dir);
    ck_assert_msg(oc_reader_open(path, &reader, &detail) == OC_OK, "%s", detail.text);
    ck_assert_int_ge(oc_reader_forecasts(reader, &filter, on_row, NULL), 0);
    oc_reader_close(reader);
}

/* The first of that state at or behind a row; NULL: none. */
static const struct oc_forecast *find(unsigned state, size_t from)
{
    for (size_t i = from; i < row_count; i++) {
        if (rows[i].state == state)
            return &rows[i];
    }
    return NULL;
}

static const struct oc_forecast *wait_for(unsigned state)
{
    int64_t deadline_ms = now_ms() + LONG_MS;

    for (;;) {
        const struct oc_forecast *found = NULL;

        look();
        found = find(state, 0);
        if (found)
            return found;
        ck_assert_msg(now_ms() < deadline_ms, "never %s", oc_forecast_state_name(state));
        (void)usleep(POLL_US);
    }
}

/* ---- tests ---- */

/* Whether an interval holds a time, give or take a quarter: four of five do without. */
static int holds(const struct oc_forecast *forecast, double took_s)
{
    return took_s >= forecast->p10_s * 0.75 - 0.5 &&
           (isinf(forecast->p90_s) || took_s <= forecast->p90_s * 1.25 + 0.5);
}

START_TEST(a_leaking_process_is_told_before_it_meets_its_limit)
{
    const struct oc_forecast *leaking = NULL, *met = NULL;

    configure("96MiB");
    start_leaker("line", "2M", "1G", "1000");
    start_daemon();
    met = wait_for(OC_FORECAST_EXHAUSTED);
    leaking = find(OC_FORECAST_LEAKING, 0);
    ck_assert_ptr_nonnull(leaking);
    ck_assert_int_lt(leaking->t_ms, met->t_ms);
    ck_assert_msg(holds(leaking, (double)(met->t_ms - leaking->t_ms) / 1000),
                  "%.1f s in %.1f .. %.1f", (double)(met->t_ms - leaking->t_ms) / 1000,
                  leaking->p10_s, leaking->p90_s);
    ck_assert_double_gt(leaking->growth_per_h, 0.5 * 2 * 1048576 * 3600);
    ck_assert_double_lt(leaking->growth_per_h, 2.0 * 2 * 1048576 * 3600);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(one_that_is_filled_and_emptied_is_not_told_of)
{
    configure("96MiB");
    start_leaker("sawtooth", "16M", "24M", "1500");
    start_daemon();
    run_wait_number(&run, "processes", 1);
    run_wait_number(&run, "samples", 600); /* some 15 s of it and what there is besides */
    ck_assert_int_eq(run_number(&run, "leaking"), 0);
    run_stop(&run, STOP_MS);
    look();
    ck_assert_ptr_null(find(OC_FORECAST_LEAKING, 0));
    ck_assert_ptr_null(find(OC_FORECAST_EXHAUSTED, 0));
}
END_TEST

/* What is known of its growth before the daemon was killed is known afterwards. */
START_TEST(a_daemon_killed_in_mid_leak_goes_on_with_the_forecast)
{
    const struct oc_forecast *before = NULL, *after = NULL;
    uint64_t samples = 0;
    int64_t since_ms = 0;
    size_t count = 0;

    configure("96MiB");
    start_leaker("line", "6M", "1G", "1000");
    start_daemon();
    before = wait_for(OC_FORECAST_GROWING);
    samples = before->samples;
    since_ms = before->since_ms;
    kill_daemon();
    look();
    count = row_count;
    start_daemon();
    run_wait_number(&run, "replayed", (int64_t)samples);
    (void)wait_for(OC_FORECAST_EXHAUSTED);
    ck_assert_uint_gt(row_count, count);
    after = &rows[count];
    ck_assert_uint_ge(after->samples, samples);
    ck_assert_int_le(llabs(after->since_ms - since_ms), 5000);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(a_daemon_that_was_stopped_takes_up_what_it_saved)
{
    uint64_t samples = 0;

    configure("96MiB");
    start_leaker("line", "6M", "1G", "1000");
    start_daemon();
    (void)wait_for(OC_FORECAST_GROWING);
    run_stop(&run, STOP_MS);
    look();
    samples = rows[row_count - 1].samples;
    start_daemon();
    (void)wait_for(OC_FORECAST_EXHAUSTED);
    ck_assert_uint_gt(rows[row_count - 1].samples, samples);
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"status\"}"), 0);
    ck_assert_int_lt(run_number(&run, "replayed"), (int64_t)rows[row_count - 1].samples);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(the_next_process_does_not_take_up_what_another_one_did)
{
    configure("1GiB");
    start_leaker("line", "6M", "1G", "1000");
    start_daemon();
    (void)wait_for(OC_FORECAST_GROWING);
    kill_daemon();
    stop(children[0], SIGKILL);
    children[0] = 0;
    start_leaker("idle", "1", "1", "1000");
    start_daemon();
    run_wait_number(&run, "processes", 1);
    run_wait_number(&run, "samples", 200);
    run_stop(&run, STOP_MS);
    look();
    ck_assert_int_eq(rows[row_count - 1].state == OC_FORECAST_GROWING ||
                         rows[row_count - 1].state == OC_FORECAST_LEAKING,
                     rows[row_count - 1].value > 12.0 * 1048576);
}
END_TEST

START_TEST(a_reload_keeps_the_series_and_moves_the_limit_at_once)
{
    const struct oc_forecast *met = NULL;
    uint64_t samples = 0;

    configure("1GiB");
    start_leaker("line", "1M", "1G", "1000");
    start_daemon();
    samples = wait_for(OC_FORECAST_GROWING)->samples;
    configure("4MiB");
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"reload\"}"), 0);
    ck_assert_ptr_nonnull(strstr(run.answer, "\"ok\":true"));
    met = wait_for(OC_FORECAST_EXHAUSTED);
    ck_assert_uint_gt(met->samples, samples);
    ck_assert_double_eq(met->limit, 4.0 * 1048576);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(with_forecasts_off_nothing_is_said)
{
    run_write_config(&run, own("{ \"targets\": [{ \"name\": \"fcst\" }], \"forecast\": \"off\", "
                               "\"interval\": \"100ms\", \"discovery_interval\": \"1s\" }"));
    start_leaker("line", "6M", "1G", "1000");
    start_daemon();
    run_wait_number(&run, "processes", 1);
    run_wait_number(&run, "samples", 100);
    ck_assert_ptr_null(strstr(run.answer, "\"forecast\""));
    run_stop(&run, STOP_MS);
    look();
    ck_assert_uint_eq(row_count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("daemon forecast");
    TCase *tests = tcase_create("daemon forecast");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 150);
    tcase_add_test(tests, a_leaking_process_is_told_before_it_meets_its_limit);
    tcase_add_test(tests, one_that_is_filled_and_emptied_is_not_told_of);
    tcase_add_test(tests, a_daemon_killed_in_mid_leak_goes_on_with_the_forecast);
    tcase_add_test(tests, a_daemon_that_was_stopped_takes_up_what_it_saved);
    tcase_add_test(tests, the_next_process_does_not_take_up_what_another_one_did);
    tcase_add_test(tests, a_reload_keeps_the_series_and_moves_the_limit_at_once);
    tcase_add_test(tests, with_forecasts_off_nothing_is_said);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
