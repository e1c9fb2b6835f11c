/* The real daemon and real processes: found, sampled, ended, replaced, taken up again. */
#include "base/metric.h"
#include "storage/reader.h"
#include "tests/integration/daemon_run.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_MS 2000
#define MAX_LIVES 400
#define MANY 300

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

/*
 * "oc-life-x" becomes "lPID-x" of this test, so that two that run at once do not find each other's. At
 * most 15 bytes of it are the name of a process.
 */
static const char *own(const char *text)
{
    static char owned[200];
    const char *at = strstr(text, "oc-life");

    if (!at)
        return text;
    (void)snprintf(owned, sizeof(owned), "%.*sl%lx%s", (int)(at - text), text, (long)getpid(),
                   at + strlen("oc-life"));
    return owned;
}

static pid_t start_leaker(const char *name, const char *seconds, const char *status)
{
    const char *argv[] = { getenv("OC_LEAKER"),
                           "idle",
                           "--base",
                           "2M",
                           "--name",
                           own(name),
                           "--for",
                           seconds,
                           "--exit",
                           status,
                           NULL };
    pid_t pid = start_ready((char **)(uintptr_t)argv);

    ck_assert_int_gt(pid, 0);
    children[child_count++] = pid;
    return pid;
}

/* ---- what the store says ---- */

struct life {
    uint32_t source, pid, exec_count;
    enum oc_end end;
    int status;
    uint64_t samples;
    int64_t begin_unix_ms, end_unix_ms, last_unix_ms;
    char subject[100], cmdline[200];
};

static struct life lives[MAX_LIVES];
static size_t life_count;

static int on_life(const struct oc_life_row *row, void *context)
{
    struct life *life = &lives[life_count];

    (void)context;
    if (life_count >= MAX_LIVES)
        return 1;
    life_count++;
    *life = (struct life){ .source = row->source,
                           .pid = row->facts.id.pid,
                           .exec_count = row->facts.id.exec_count,
                           .end = row->end,
                           .status = row->status,
                           .samples = row->samples,
                           .begin_unix_ms = row->begin_unix_ms,
                           .end_unix_ms = row->end_unix_ms,
                           .last_unix_ms = row->last_unix_ms };
    (void)snprintf(life->subject, sizeof(life->subject), "%s", row->subject);
    (void)snprintf(life->cmdline, sizeof(life->cmdline), "%.199s", row->facts.cmdline);
    return 0;
}

/* The lives of a subject, oldest first. */
static void look(const char *subject)
{
    struct oc_life_filter filter = { .subject = own(subject), .until_unix_ms = INT64_MAX };
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;
    char path[200];

    (void)snprintf(path, sizeof(path), "%s/oomcast.db", run.dir);
    ck_assert_msg(oc_reader_open(path, &reader, &detail) == OC_OK, "%s", detail.text);
    life_count = 0;
    ck_assert_int_ge(oc_reader_lives(reader, &filter, on_life, NULL), 0);
    oc_reader_close(reader);
}

/* ---- tests ---- */

#define BY_NAME                                                                                    \
    "{ \"targets\": [{ \"name\": \"oc-life-*\" }], \"interval\": \"100ms\", \"discovery_interval\": \"1s\", "      \
    "\"batch\": \"100ms\" }"

static void start_by_name(void)
{
    run_write_config(&run, own(BY_NAME));
    run_start(&run, (const char *[]){ "--config", run.config, NULL });
}

START_TEST(a_process_is_found_by_name_with_its_facts)
{
    pid_t pid = start_leaker("oc-life-a", "60", "0");

    start_by_name();
    run_wait_number(&run, "processes", 1);
    run_wait_text(&run, "\"walks\":{\"made\":1");
    run_wait_number(&run, "samples", 10);
    run_stop(&run, STOP_MS);
    look("proc:oc-life-a");
    ck_assert_uint_eq(life_count, 1);
    ck_assert_uint_eq(lives[0].pid, (uint32_t)pid);
    ck_assert_int_eq(lives[0].end, OC_END_RUNNING);
    ck_assert_uint_gt(lives[0].samples, 0);
    ck_assert_ptr_nonnull(strstr(lives[0].cmdline, "--base"));
}
END_TEST

START_TEST(one_that_starts_later_is_found)
{
    start_by_name();
    ck_assert_int_eq(run_number(&run, "processes"), 0);
    start_leaker("oc-life-late", "60", "0");
    run_wait_number(&run, "processes", 1);
}
END_TEST

START_TEST(ends_are_told_with_exit_status_and_signal)
{
    pid_t killed = 0;
    int status = 0;

    start_leaker("oc-life-exits", "3", "5");
    killed = start_leaker("oc-life-killed", "60", "0");
    start_by_name();
    run_wait_number(&run, "processes", 2);
    ck_assert_int_eq(kill(killed, SIGKILL), 0);
    ck_assert_int_eq(wait_end(killed, now_ms() + READY_DEADLINE_MS, &status), 0);
    ck_assert_int_eq(wait_end(children[0], now_ms() + READY_DEADLINE_MS, &status), 0);
    child_count = 0;
    run_wait_text(&run, "\"processes\":0");
    run_stop(&run, STOP_MS);
    look("proc:oc-life-exits");
    ck_assert_uint_eq(life_count, 1);
    ck_assert(lives[0].end == OC_END_EXITED || lives[0].end == OC_END_UNKNOWN);
    if (lives[0].end == OC_END_EXITED)
        ck_assert_int_eq(lives[0].status, 5);
    look("proc:oc-life-killed");
    ck_assert_uint_eq(life_count, 1);
    ck_assert(lives[0].end == OC_END_SIGNALED || lives[0].end == OC_END_UNKNOWN);
    if (lives[0].end == OC_END_SIGNALED)
        ck_assert_int_eq(lives[0].status, SIGKILL);
}
END_TEST

START_TEST(exec_in_place_is_another_life)
{
    int gate[2];
    pid_t pid = 0;

    ck_assert_int_eq(pipe(gate), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        char byte = 0;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_NAME, "oc-life-first");
        (void)close(gate[1]);
        (void)read(gate[0], &byte, 1);
        execlp("sleep", "sleep", "60", (char *)NULL);
        _exit(127);
    }
    children[child_count++] = pid;
    (void)close(gate[0]);
    run_write_pids(&run, &pid, 1);
    run_start(&run, (const char *[]){ "--pids-from", run.pids, "--interval", "100ms", NULL });
    run_wait_number(&run, "processes", 1);
    run_wait_number(&run, "samples", 5);
    ck_assert_int_eq(write(gate[1], "x", 1), 1);
    (void)close(gate[1]);
    run_wait_text(&run, "\"walks\":{\"made\":2"); /* the new life's first */
    run_stop(&run, STOP_MS);
    look("proc:*");
    ck_assert_uint_eq(life_count, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(lives[i].pid, (uint32_t)pid);
        if (strcmp(lives[i].subject, "proc:sleep") == 0)
            ck_assert_int_eq(lives[i].end, OC_END_RUNNING);
        else
            ck_assert_int_eq(lives[i].end, OC_END_EXECED);
    }
}
END_TEST

START_TEST(a_restarted_daemon_takes_the_same_life_up_again)
{
    uint32_t source = 0;
    uint64_t samples = 0;

    start_leaker("oc-life-goes-on", "60", "0");
    start_by_name();
    run_wait_number(&run, "samples", 10);
    run_stop(&run, STOP_MS);
    look("proc:oc-life-goes-on");
    ck_assert_uint_eq(life_count, 1);
    source = lives[0].source;
    samples = lives[0].samples;
    start_by_name();
    run_wait_number(&run, "samples", 10);
    run_stop(&run, STOP_MS);
    look("proc:oc-life-goes-on");
    ck_assert_uint_eq(life_count, 1);
    ck_assert_uint_eq(lives[0].source, source);
    ck_assert_uint_gt(lives[0].samples, samples);
}
END_TEST

/* Looks at a subject's only life until it has ended. */
static void wait_ended(const char *subject, int64_t max_ms)
{
    int64_t deadline_ms = now_ms() + max_ms;

    for (;;) {
        look(subject);
        ck_assert_uint_eq(life_count, 1);
        if (lives[0].end != OC_END_RUNNING)
            return;
        ck_assert_msg(now_ms() < deadline_ms, "%s still runs", subject);
        (void)usleep(20000);
    }
}

static void kill_child(size_t i)
{
    int status = 0;

    ck_assert_int_eq(kill(children[i], SIGKILL), 0);
    ck_assert_int_eq(wait_end(children[i], now_ms() + READY_DEADLINE_MS, &status), 0);
    children[i] = 0;
}

static void kill_daemon(void)
{
    stop(run.pid, SIGKILL);
    run.pid = 0;
}

/* By names (0) and by PIDs (1). */
START_TEST(a_life_that_ended_while_nobody_watched_ends_as_unknown)
{
    const char *const by_pids[] = { "--pids-from", run.pids, "--config", run.config, NULL };
    const char *const by_name[] = { "--config", run.config, NULL };
    pid_t pids[] = { start_leaker("oc-life-gone", "60", "0"),
                     start_leaker("oc-life-here", "60", "0") };
    int64_t last_unix_ms = 0;

    run_write_pids(&run, pids, 2);
    run_write_config(&run, own(BY_NAME));
    run_start(&run, _i ? by_pids : by_name);
    run_wait_number(&run, "processes", 2);
    run_wait_number(&run, "samples", 20);
    kill_daemon();
    look("proc:oc-life-gone");
    last_unix_ms = lives[0].last_unix_ms;
    kill_child(0);
    run_start(&run, _i ? by_pids : by_name);
    wait_ended("proc:oc-life-gone", 5000);
    ck_assert_int_eq(lives[0].end, OC_END_UNKNOWN);
    ck_assert_int_le(llabs(lives[0].end_unix_ms - last_unix_ms), 1000);
    look("proc:oc-life-here");
    ck_assert_uint_eq(life_count, 1);
    ck_assert_int_eq(lives[0].end, OC_END_RUNNING);
    look("oomcastd"); /* another process, and yet the same source */
    ck_assert_uint_eq(life_count, 1);
    ck_assert_int_eq(lives[0].end, OC_END_RUNNING);
}
END_TEST

START_TEST(one_that_lives_on_and_is_not_wanted_now_is_not_ended_as_gone)
{
    pid_t pids[] = { start_leaker("oc-life-left", "60", "0"),
                     start_leaker("oc-life-gone", "60", "0") };
    const char *const words[] = { "--pids-from", run.pids, "--interval", "100ms", NULL };

    run_write_pids(&run, pids, 2);
    run_start(&run, words);
    run_wait_number(&run, "samples", 10);
    kill_daemon();
    kill_child(1);
    run_write_pids(&run, pids, 0);
    run_start(&run, words);
    wait_ended("proc:oc-life-gone", 5000); /* comes behind the other in the list */
    look("proc:oc-life-left");
    ck_assert_int_eq(lives[0].end, OC_END_RUNNING);
}
END_TEST

START_TEST(the_tail_is_saved_by_a_stop)
{
    pid_t pid = start_leaker("oc-life-tail", "60", "0");

    run_write_pids(&run, &pid, 1);
    run_write_config(&run, "{ \"batch\": \"1m\" }"); /* nothing is written before the stop */
    run_start(&run, (const char *[]){ "--pids-from", run.pids, "--interval", "100ms", "--config",
                                      run.config, NULL });
    run_wait_text(&run, "\"processes\":1");
    do {
        (void)usleep(20000);
        ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"status\"}"), 0);
    } while (run_number(&run, "made") < 10);
    ck_assert_int_le(run_stop(&run, STOP_MS), STOP_MS);
    look("proc:oc-life-tail");
    ck_assert_uint_eq(life_count, 1);
    ck_assert_uint_ge(lives[0].samples, 9);
}
END_TEST

START_TEST(pids_that_are_none_are_left_out)
{
    pid_t pids[] = { start_leaker("oc-life-one", "60", "0"), 4194303 };

    run_write_pids(&run, pids, 2);
    run_start(&run, (const char *[]){ "--pids-from", run.pids, "--interval", "100ms", NULL });
    run_wait_number(&run, "processes", 1);
    run_wait_number(&run, "pids_missing", 1);
}
END_TEST

START_TEST(a_pid_file_is_read_again_by_a_reload)
{
    pid_t pids[] = { start_leaker("oc-life-one", "60", "0"),
                     start_leaker("oc-life-two", "60", "0") };
    FILE *file = NULL;

    run_write_pids(&run, pids, 1);
    run_start(&run, (const char *[]){ "--pids-from", run.pids, "--interval", "100ms", NULL });
    run_wait_number(&run, "processes", 1);
    run_write_pids(&run, pids, 2);
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"reload\"}"), 0);
    ck_assert_str_eq(run.answer, "{\"ok\":true}");
    run_wait_number(&run, "processes", 2);
    file = fopen(run.pids, "we");
    ck_assert_ptr_nonnull(file);
    (void)fputs("1x\n", file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"reload\"}"), 0);
    ck_assert_ptr_nonnull(strstr(run.answer, "is no PID"));
    run_wait_number(&run, "processes", 2);
}
END_TEST

START_TEST(a_pid_file_that_is_none_is_an_error)
{
    static char log_text[4096];
    FILE *file = fopen(run.pids, "we");

    ck_assert_ptr_nonnull(file);
    (void)fputs("12\nx\n", file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(run_to_end(&run, (const char *[]){ "--pids-from", run.pids, NULL }, log_text,
                                sizeof(log_text)),
                     1);
    ck_assert_msg(strstr(log_text, ":2: 'x' is no PID") != NULL, "%s", log_text);
}
END_TEST

START_TEST(walk_now_walks_at_once_but_for_the_ten_seconds_after_a_walk)
{
    pid_t pid = start_leaker("oc-life-walk", "60", "0");
    int64_t begin_ms = 0;
    char line[64];

    run_write_pids(&run, &pid, 1);
    run_start(&run, (const char *[]){ "--pids-from", run.pids, "--interval", "100ms", NULL });
    run_wait_number(&run, "samples", 1);
    begin_ms = now_ms();
    (void)snprintf(line, sizeof(line), "{\"cmd\":\"walk-now\",\"pid\":%ld}", (long)pid);
    for (;;) {
        ck_assert_int_eq(run_ask(&run, line), 0);
        if (run_number(&run, "fresh") == 0 && now_ms() - begin_ms > 1000)
            break;
        ck_assert_int_eq(run_number(&run, "walks") + run_number(&run, "fresh"), 1);
        ck_assert_int_lt(now_ms(), begin_ms + READY_DEADLINE_MS);
        (void)usleep(50000);
    }
    ck_assert_int_eq(run_number(&run, "walks"), 1);
    ck_assert_int_ge(now_ms() - begin_ms, 8000);
    run_wait_text(&run, "\"walks\":{\"made\":2");
}
END_TEST

START_TEST(a_stopped_process_is_watched_on)
{
    pid_t pid = start_leaker("oc-life-stopped", "60", "0");
    int64_t samples = 0;

    run_write_pids(&run, &pid, 1);
    run_start(&run, (const char *[]){ "--pids-from", run.pids, "--interval", "100ms", NULL });
    run_wait_number(&run, "samples", 3);
    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    samples = run_number(&run, "samples");
    run_wait_number(&run, "samples", samples + 10);
    ck_assert_int_eq(run_number(&run, "processes"), 1);
}
END_TEST

/* ---- few descriptors ---- */

static pid_t many[MANY];

/* Children that do nothing: forked, since 300 programs would be much to start. */
static void start_many(void)
{
    for (size_t i = 0; i < MANY; i++) {
        many[i] = fork();
        ck_assert_int_ge(many[i], 0);
        if (many[i] == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                (void)pause();
        }
    }
}

static void stop_many(void)
{
    for (size_t i = 0; i < MANY; i++)
        stop(many[i], SIGKILL);
}

/* The daemon by a script that first takes its descriptors away; its log goes to a file. */
static void write_wrapper(const char *path, const char *program)
{
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    (void)fprintf(file, "#!/bin/sh\nulimit -n 64\nexec '%s' \"$@\" 2>'%s/log'\n", program, run.dir);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, 0700), 0);
}

static int count_in_log(const char *word)
{
    char path[160], line[1000];
    FILE *file = NULL;
    int count = 0;

    (void)snprintf(path, sizeof(path), "%s/log", run.dir);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file))
        count += strstr(line, word) != NULL;
    (void)fclose(file);
    return count;
}

START_TEST(with_few_descriptors_all_are_sampled_and_it_is_said_once)
{
    char wrapper[160], program[500];

    (void)snprintf(program, sizeof(program), "%s", getenv("OC_OOMCASTD"));
    (void)snprintf(wrapper, sizeof(wrapper), "%s/few", run.dir);
    write_wrapper(wrapper, program);
    start_many();
    run_write_pids(&run, many, MANY);
    (void)setenv("OC_OOMCASTD", wrapper, 1);
    run_start(&run, (const char *[]){ "--pids-from", run.pids, "--interval", "200ms", "--rung",
                                      "least", NULL });
    (void)setenv("OC_OOMCASTD", program, 1);
    run_wait_number(&run, "processes", MANY);
    run_wait_number(&run, "samples", 5 * MANY);
    run_wait_number(&run, "unkept", MANY - 32);
    ck_assert_int_eq(run_number(&run, "no_descriptor"), 0);
    ck_assert_int_eq(run_number(&run, "lost_samples"), 0);
    run_stop(&run, STOP_MS);
    stop_many();
    look("proc:*");
    ck_assert_uint_eq(life_count, MANY);
    for (size_t i = 0; i < life_count; i++)
        ck_assert_uint_ge(lives[i].samples, 4);
    ck_assert_int_eq(count_in_log("descriptors_scarce"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("daemon_lives");
    TCase *tcase = tcase_create("lives");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_process_is_found_by_name_with_its_facts);
    tcase_add_test(tcase, one_that_starts_later_is_found);
    tcase_add_test(tcase, ends_are_told_with_exit_status_and_signal);
    tcase_add_test(tcase, exec_in_place_is_another_life);
    tcase_add_test(tcase, a_restarted_daemon_takes_the_same_life_up_again);
    tcase_add_loop_test(tcase, a_life_that_ended_while_nobody_watched_ends_as_unknown, 0, 2);
    tcase_add_test(tcase, one_that_lives_on_and_is_not_wanted_now_is_not_ended_as_gone);
    tcase_add_test(tcase, the_tail_is_saved_by_a_stop);
    tcase_add_test(tcase, pids_that_are_none_are_left_out);
    tcase_add_test(tcase, a_pid_file_is_read_again_by_a_reload);
    tcase_add_test(tcase, a_pid_file_that_is_none_is_an_error);
    tcase_add_test(tcase, walk_now_walks_at_once_but_for_the_ten_seconds_after_a_walk);
    tcase_add_test(tcase, a_stopped_process_is_watched_on);
    tcase_add_test(tcase, with_few_descriptors_all_are_sampled_and_it_is_said_once);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
