/*
 * The real daemon and namespaces: processes in others than its own, the daemon in one of its own,
 * and a /proc that hides what is not ours. As root; else each is skipped.
 */
#include "base/metric.h"
#include "probes/probe.h"
#include "storage/reader.h"
#include "tests/integration/daemon_run.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_MS 2000
#define TEXT_BYTES 4000
#define NOBODY 65534
#define CAN_UNSHARE "unshare --pid --mount --fork --mount-proc true 2>/dev/null"
#define AS_NOBODY "setpriv --reuid=65534 --regid=65534 --clear-groups"
#define HIDING "mount -t proc -o hidepid=2 proc /proc"

static struct daemon_run run;
static pid_t outer; /* a process started by a test */

static void setup(void)
{
    outer = 0;
    run_setup(&run);
}

static void teardown(void)
{
    stop(outer, SIGKILL);
    run_teardown(&run);
}

static int can(const char *name, const char *command)
{
    if (geteuid() == 0 && system(command) == 0) /* NOLINT(cert-env33-c): fixed text */
        return 1;
    printf("SKIP %s: wants root and '%s'\n", name, command);
    return 0;
}

/* A name of this test run alone: of at most 15 bytes. */
static const char *name_of(const char *word)
{
    static char name[32];

    (void)snprintf(name, sizeof(name), "s%lx-%s", (long)getpid(), word);
    return name;
}

static pid_t start_words(const char *const *words)
{
    pid_t pid = start_ready((char **)(uintptr_t)words);

    ck_assert_int_gt(pid, 0);
    return pid;
}

/* A shell script that stands for the program of the daemon. */
static void write_wrapper(const char *body)
{
    char path[160];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/wrapper", run.dir);
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    (void)fprintf(file, "#!/bin/sh\n%s\n", body);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, 0755), 0);
}

static void start_wrapped(const char *const *words)
{
    char path[160], program[500];

    (void)snprintf(program, sizeof(program), "%s", getenv("OC_OOMCASTD"));
    (void)snprintf(path, sizeof(path), "%s/wrapper", run.dir);
    (void)setenv("OC_OOMCASTD", path, 1);
    run_start(&run, words);
    (void)setenv("OC_OOMCASTD", program, 1);
}

/* By the control socket: a signal would reach the wrapper alone. */
static void stop_wrapped(void)
{
    int status = 0;

    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"stop\"}"), 0);
    ck_assert_int_eq(wait_end(run.pid, now_ms() + READY_DEADLINE_MS, &status), 0);
    run.pid = 0;
}

static void watch_names(const char *glob)
{
    char text[300];

    (void)snprintf(
        text, sizeof(text),
        "{ \"targets\": [{ \"name\": \"%s\" }], \"interval\": \"100ms\", \"discovery_interval\": \"1s\", "
        "\"batch\": \"100ms\" }",
        glob);
    run_write_config(&run, text);
}

/* ---- what the store says ---- */

static struct oc_life_row life; /* the last of a subject; its texts are gone */
static char cmdline[200];
static unsigned life_count;

static int on_life(const struct oc_life_row *row, void *context)
{
    (void)context;
    life = *row;
    life_count++;
    (void)snprintf(cmdline, sizeof(cmdline), "%.199s", row->facts.cmdline);
    return 0;
}

static void look(const char *name)
{
    char path[200], subject[64];
    struct oc_life_filter filter = { .subject = subject, .until_unix_ms = INT64_MAX };
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;

    (void)snprintf(subject, sizeof(subject), "proc:%s", name);
    (void)snprintf(path, sizeof(path), "%s/oomcast.db", run.dir);
    ck_assert_msg(oc_reader_open(path, &reader, &detail) == OC_OK, "%s", detail.text);
    life_count = 0;
    ck_assert_int_ge(oc_reader_lives(reader, &filter, on_life, NULL), 0);
    oc_reader_close(reader);
}

/* ---- seen from outside ---- */

/* The only child of a process. */
static pid_t child_of(pid_t parent)
{
    char path[64], text[64] = "";
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)parent, (long)parent);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
    (void)fclose(file);
    return (pid_t)strtol(text, NULL, 10);
}

/* In PID and mount namespaces of its own. Its outer PID. */
static pid_t start_inner(const char *name, const char *seconds, const char *status)
{
    outer = start_words((const char *[]){ "/usr/bin/unshare", "--pid", "--mount", "--fork",
                                          "--kill-child", "--mount-proc", getenv("OC_LEAKER"),
                                          "idle", "--base", "2M", "--name", name, "--for", seconds,
                                          "--exit", status, NULL });
    return child_of(outer);
}

static void check_figures(pid_t pid)
{
    static const enum oc_metric ticks[] = { OC_METRIC_PRIVATE,     OC_METRIC_VIRTUAL,
                                            OC_METRIC_RSS,         OC_METRIC_RSS_ANON,
                                            OC_METRIC_COMMIT,      OC_METRIC_THREADS,
                                            OC_METRIC_CPU_TIME,    OC_METRIC_PAGE_TABLE,
                                            OC_METRIC_MINOR_FAULTS };
    struct oc_walk_request request = { .pid = (uint32_t)pid,
                                       .want = OC_WALK_FACTS | OC_WALK_COUNTS | OC_WALK_PAGES };
    struct oc_probe_options options = { .no_connector = 1 };
    static struct oc_walk walk;
    struct oc_sample sample;
    oc_probe *probe = NULL;
    oc_proc *proc = NULL;

    ck_assert_int_eq(oc_probe_open(&options, &probe, NULL), OC_OK);
    ck_assert_int_eq(oc_probe_tick_begin(probe, 1), OC_OK);
    ck_assert_int_eq(oc_probe_attach(probe, (uint32_t)pid, &proc), OC_OK);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++)
        ck_assert_msg(oc_sample_has(&sample, ticks[i]), "metric %d is unknown", (int)ticks[i]);
    ck_assert_int_ge(oc_sample_get(&sample, OC_METRIC_RSS), 2 << 20);
    oc_probe_close(probe);
    ck_assert_int_eq(oc_probe_walk(&options, &request, &walk), OC_OK);
    ck_assert(oc_sample_has(&walk.sample, OC_METRIC_MAPPINGS));
    ck_assert(oc_sample_has(&walk.sample, OC_METRIC_PSS));
    ck_assert_ptr_nonnull(strstr(walk.facts.exe, "leaker"));
}

START_TEST(a_process_in_other_namespaces_is_watched_by_its_outer_pid)
{
    const char *name = name_of("inner");
    int status = 0;
    pid_t pid = 0;

    if (!can("a_process_in_other_namespaces_is_watched_by_its_outer_pid", CAN_UNSHARE))
        return;
    pid = start_inner(name, "4", "5");
    check_figures(pid);
    watch_names(name);
    run_start(&run, (const char *[]){ "--config", run.config, NULL });
    run_wait_number(&run, "processes", 1);
    run_wait_text(&run, "\"walks\":{\"made\":1");
    ck_assert_int_eq(wait_end(outer, now_ms() + READY_DEADLINE_MS, &status), 0);
    outer = 0;
    run_wait_text(&run, "\"processes\":0");
    run_stop(&run, STOP_MS);
    look(name);
    ck_assert_uint_eq(life_count, 1);
    ck_assert_uint_eq(life.facts.id.pid, (uint32_t)pid);
    ck_assert_uint_gt(life.samples, 0);
    ck_assert_ptr_nonnull(strstr(cmdline, "--base"));
    ck_assert(life.end == OC_END_EXITED || life.end == OC_END_UNKNOWN);
    if (life.end == OC_END_EXITED)
        ck_assert_int_eq(life.status, 5);
}
END_TEST

/* ---- seen from inside ---- */

START_TEST(a_daemon_in_a_pid_namespace_watches_what_is_in_there)
{
    const char *glob = name_of("*");
    char body[TEXT_BYTES], outside[32], inside[32];

    if (!can("a_daemon_in_a_pid_namespace_watches_what_is_in_there", CAN_UNSHARE))
        return;
    watch_names(glob);
    (void)snprintf(outside, sizeof(outside), "%s", name_of("out"));
    outer = start_words((const char *[]){ getenv("OC_LEAKER"), "idle", "--base", "2M", "--name",
                                          outside, "--for", "60", NULL });
    (void)snprintf(inside, sizeof(inside), "%s", name_of("in"));
    (void)snprintf(
        body, sizeof(body),
        "exec unshare --pid --mount --fork --kill-child --mount-proc sh -c '"
        "\"%s\" idle --base 2M --name %s --for 60 >/dev/null & exec \"%s\" \"$@\"' sh \"$@\"",
        getenv("OC_LEAKER"), inside, getenv("OC_OOMCASTD"));
    write_wrapper(body);
    start_wrapped((const char *[]){ "--config", run.config, NULL });
    ck_assert_int_eq(run_number(&run, "pid"), 1);
    run_wait_number(&run, "processes", 1);
    run_wait_number(&run, "samples", 10);
    ck_assert_int_eq(run_number(&run, "processes"), 1);
    stop_wrapped();
    look(inside);
    ck_assert_uint_eq(life_count, 1);
    ck_assert_uint_lt(life.facts.id.pid, 100); /* as it is called in there */
    look(outside);
    ck_assert_uint_eq(life_count, 0);
}
END_TEST

/* ---- what a command says ---- */

static char said[TEXT_BYTES];

static void say(const char *command)
{
    FILE *pipe = popen(command, "re"); /* NOLINT(cert-env33-c): of the tests */
    size_t len = 0;

    ck_assert_ptr_nonnull(pipe);
    len = fread(said, 1, sizeof(said) - 1, pipe);
    said[len] = '\0';
    while (fgetc(pipe) != EOF)
        ;
    (void)pclose(pipe);
}

START_TEST(doctor_in_a_pid_namespace_says_why_there_is_no_connector)
{
    char command[TEXT_BYTES];

    if (!can("doctor_in_a_pid_namespace_says_why_there_is_no_connector", CAN_UNSHARE))
        return;
    (void)snprintf(
        command, sizeof(command),
        "unshare --pid --mount --fork --mount-proc \"%s\" doctor | grep -A1 'proc connector'",
        getenv("OC_OOMCAST"));
    say(command);
    ck_assert_msg(strstr(said, "PID namespace") != NULL, "%s", said);
}
END_TEST

/* ---- hidepid ---- */

/* A copy of a program that nobody may run: the build may lie where that user cannot go. */
static void copy_program(const char *from, const char *name)
{
    char command[TEXT_BYTES];

    (void)snprintf(command, sizeof(command), "cp '%s' '%s/%s' && chmod 755 '%s/%s'", from, run.dir,
                   name, run.dir, name);
    ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c): of the tests */
}

static void give_folder_to_nobody(void)
{
    char command[TEXT_BYTES];

    (void)snprintf(command, sizeof(command), "chown -R %d:%d '%s'", NOBODY, NOBODY, run.dir);
    ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c): of the tests */
}

static int can_hide(const char *name)
{
    return can(name, "unshare --mount sh -c '" HIDING " && " AS_NOBODY " true' 2>/dev/null");
}

static void write_hiding_wrapper(const char *before)
{
    char body[2 * TEXT_BYTES];

    (void)snprintf(body, sizeof(body),
                   "exec unshare --mount sh -c '" HIDING " && %s exec " AS_NOBODY
                   " \"%s/oomcastd\" \"$@\"' sh \"$@\"",
                   before, run.dir);
    copy_program(getenv("OC_OOMCASTD"), "oomcastd");
    write_wrapper(body);
}

START_TEST(what_proc_hides_is_absent_and_no_error)
{
    char before[TEXT_BYTES], own[32], hidden[32];

    if (!can_hide("what_proc_hides_is_absent_and_no_error"))
        return;
    (void)snprintf(hidden, sizeof(hidden), "%s", name_of("hid"));
    outer = start_words((const char *[]){ getenv("OC_LEAKER"), "idle", "--base", "2M", "--name",
                                          hidden, "--for", "60", NULL });
    (void)snprintf(own, sizeof(own), "%s", name_of("own"));
    copy_program(getenv("OC_LEAKER"), "leaker");
    (void)snprintf(before, sizeof(before),
                   AS_NOBODY " \"%s/leaker\" idle --base 2M --name %s --for 20 >/dev/null &",
                   run.dir, own);
    watch_names(name_of("*"));
    write_hiding_wrapper(before);
    give_folder_to_nobody();
    start_wrapped((const char *[]){ "--config", run.config, NULL });
    run_wait_number(&run, "processes", 1);
    run_wait_number(&run, "scans", 3);
    ck_assert_int_eq(run_number(&run, "processes"), 1);
    ck_assert_int_eq(run_number(&run, "hidden"), 0); /* nobody asked for it */
    run_stop(&run, STOP_MS);
    look(own);
    ck_assert_uint_eq(life_count, 1);
    look(hidden);
    ck_assert_uint_eq(life_count, 0);
}
END_TEST

START_TEST(a_pid_that_proc_hides_is_said_to_be_hidden_and_not_missing)
{
    char command[TEXT_BYTES];

    if (!can_hide("a_pid_that_proc_hides_is_said_to_be_hidden_and_not_missing"))
        return;
    outer = start_words((const char *[]){ getenv("OC_LEAKER"), "idle", "--base", "2M", "--name",
                                          name_of("hid"), "--for", "60", NULL });
    run_write_pids(&run, &outer, 1);
    write_hiding_wrapper("");
    copy_program(getenv("OC_OOMCAST"), "oomcast");
    give_folder_to_nobody();
    start_wrapped((const char *[]){ "--pids-from", run.pids, "--interval", "100ms", NULL });
    run_wait_number(&run, "hidden", 1);
    ck_assert_int_eq(run_number(&run, "pids_missing"), 0);
    run_stop(&run, STOP_MS);
    (void)snprintf(command, sizeof(command),
                   "unshare --mount sh -c '" HIDING " && exec " AS_NOBODY
                   " \"%s/oomcast\" doctor %ld 2>&1'",
                   run.dir, (long)outer);
    say(command);
    ck_assert_msg(strstr(said, "hidepid") != NULL, "%s", said);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("daemon_spaces");
    TCase *tcase = tcase_create("spaces");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_process_in_other_namespaces_is_watched_by_its_outer_pid);
    tcase_add_test(tcase, a_daemon_in_a_pid_namespace_watches_what_is_in_there);
    tcase_add_test(tcase, doctor_in_a_pid_namespace_says_why_there_is_no_connector);
    tcase_add_test(tcase, what_proc_hides_is_absent_and_no_error);
    tcase_add_test(tcase, a_pid_that_proc_hides_is_said_to_be_hidden_and_not_missing);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
