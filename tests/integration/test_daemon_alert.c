/* The real daemon, its notifier and a receiver beside real processes: who is told of what, once, and of nothing else. */
#include "tests/integration/daemon_run.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_MS 3000
#define POLL_US 50000
#define LONG_MS 90000 /* against hanging: a leak that takes 20 s, on a loaded machine */
#define MAX_WORDS 8
#define DISK "size=3m,mode=0700"
#define FAST                                                                                       \
    "\"interval\": \"100ms\", \"discovery_interval\": \"1s\", \"batch\": \"100ms\", "              \
    "\"group_wait\": \"1s\", \"group_interval\": \"1s\""
/* Fires and ends at once. */
#define TOO_LARGE                                                                                  \
    "{ \"name\": \"TooLarge\", \"kind\": \"threshold\", \"severity\": \"critical\", \"metric\": "  \
    "\"private_bytes\", \"enter\": \"24MiB\", \"for\": \"0s\", \"keep\": \"0s\" }"
#define FIRING                                                                                     \
    "\\\"status\\\":\\\"firing\\\"" /* as it stands in the receiver's file: a body within JSON */
#define RESOLVED "\\\"status\\\":\\\"resolved\\\""

static struct daemon_run run;
static char there[128], received[160], port_file[160];
static char hook_url[80];
static pid_t receiver, children[8];
static size_t child_count;
static int mounted;

/* ---- the receiver ---- */

static void start_receiver(const char *behave)
{
    char *argv[] = { getenv("OC_RECEIVER"),
                     (char *)(uintptr_t) "--port-file",
                     port_file,
                     (char *)(uintptr_t) "--out",
                     received,
                     (char *)(uintptr_t) "--behave",
                     (char *)(uintptr_t)behave,
                     NULL };
    FILE *file = NULL;
    char port[16] = "";

    receiver = start_ready(argv);
    ck_assert_int_gt(receiver, 0);
    file = fopen(port_file, "re");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(port, sizeof(port), file));
    (void)fclose(file);
    (void)snprintf(hook_url, sizeof(hook_url), "http://127.0.0.1:%d/hook", atoi(port));
}

/* How many of the lines that came hold all of these words, ended by NULL. */
static int count_received(const char *const *words)
{
    static char line[2 << 20];
    FILE *file = fopen(received, "re");
    int count = 0;

    while (file && fgets(line, sizeof(line), file)) {
        int holds = 1;

        for (size_t i = 0; words[i]; i++)
            holds &= strstr(line, words[i]) != NULL;
        count += holds;
    }
    if (file)
        (void)fclose(file);
    return count;
}

#define RECEIVED(...) count_received((const char *const[]){ __VA_ARGS__, NULL })

static void wait_received(const char *const *words)
{
    int64_t deadline_ms = now_ms() + LONG_MS;

    while (count_received(words) == 0) {
        ck_assert_msg(now_ms() < deadline_ms, "never received: %s", words[0]);
        (void)usleep(POLL_US);
    }
}

#define WAIT_RECEIVED(...) wait_received((const char *const[]){ __VA_ARGS__, NULL })

/* ---- the rest of the stage ---- */

static void setup(void)
{
    child_count = 0;
    mounted = 0;
    run_setup(&run);
    ck_assert_int_eq(make_folder("alert", there, sizeof(there)), 0);
    (void)snprintf(received, sizeof(received), "%s/received", there);
    (void)snprintf(port_file, sizeof(port_file), "%s/port", there);
    start_receiver("ok");
}

static void teardown(void)
{
    for (size_t i = 0; i < child_count; i++)
        stop(children[i], SIGKILL);
    stop(run.pid, SIGKILL);
    run.pid = 0;
    stop(receiver, SIGKILL);
    if (mounted)
        (void)umount2(run.dir, MNT_DETACH);
    run_teardown(&run);
    remove_folder(there);
}

static pid_t start_leaker(const char *kind, const char *name, const char *base, const char *rate)
{
    char owned[32];
    const char *argv[] = {
        getenv("OC_LEAKER"), kind,   "--base", base,  "--rate", rate,  "--max", "1G",
        "--period",          "1500", "--name", owned, "--for",  "120", NULL
    };
    pid_t pid = 0;

    (void)snprintf(owned, sizeof(owned), "al%lx-%s", (long)getpid(), name);
    pid = start_ready((char **)(uintptr_t)argv);
    ck_assert_int_gt(pid, 0);
    children[child_count++] = pid;
    return pid;
}

/* Targets are this run's leakers, with a limit of their own; more: members that begin with a comma. */
static void configure(const char *limit, const char *rules, const char *more)
{
    static char text[4096];

    (void)snprintf(
        text, sizeof(text),
        "{ " FAST ", \"targets\": [{ \"name\": \"al%lx-*\", \"limits\": { \"private_bytes\": "
        "\"%s\" } }], \"rules\": [ %s ], \"receivers\": [ { \"name\": \"ops\", \"type\": "
        "\"webhook\", \"url\": \"%s\", \"max_per_hour\": 0 } ]%s }",
        (long)getpid(), limit, rules, hook_url, more);
    run_write_config(&run, text);
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

static void ask(const char *line)
{
    ck_assert_int_eq(run_ask(&run, line), 0);
    ck_assert_msg(strstr(run.answer, "\"ok\":true") != NULL, "%s: %s", line, run.answer);
}

/* Some seconds of ticks in which something might be told. */
static void let_it_tick(int64_t samples)
{
    ask("{\"cmd\":\"status\"}");
    run_wait_number(&run, "samples", run_number(&run, "samples") + samples);
}

static long resident_mib(pid_t pid)
{
    char path[64];
    long size = 0, resident = 0;
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%ld %ld", &size, &resident), 2);
    (void)fclose(file);
    return resident * sysconf(_SC_PAGESIZE) / 1048576;
}

/* ---- tests ---- */

#define LEAK                                                                                       \
    "{ \"name\": \"Leak\", \"kind\": \"forecast\", \"severity\": \"critical\", \"horizon\": "      \
    "\"1h\", "                                                                                     \
    "\"chance\": 0.5, \"for\": \"0s\" }"

START_TEST(a_leak_is_told_before_its_limit_once_and_with_its_reason)
{
    pid_t pid = 0;

    configure("96MiB", LEAK, "");
    pid = start_leaker("line", "leaks", "8M", "2M");
    start_daemon();
    WAIT_RECEIVED("Leak", FIRING, "-leaks");
    ck_assert_int_lt(resident_mib(pid), 96);
    ck_assert_int_eq(RECEIVED("Leak", "explanation", "oomcast "), 1);
    while (resident_mib(pid) < 100)
        (void)usleep(POLL_US);
    let_it_tick(40);
    ck_assert_int_eq(RECEIVED("Leak", FIRING), 1);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(what_is_filled_and_emptied_stays_quiet)
{
    configure("96MiB", LEAK, "");
    start_leaker("sawtooth", "swings", "8M", "16M");
    start_leaker("idle", "rests", "60M", "1");
    start_daemon();
    run_wait_number(&run, "processes", 2);
    let_it_tick(600);
    ck_assert_int_eq(run_number(&run, "firing"), 0);
    ck_assert_int_eq(RECEIVED("Leak"), 0);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(an_end_is_told_to_who_was_told_the_beginning)
{
    configure("1GiB", TOO_LARGE, "");
    start_leaker("idle", "large", "32M", "1");
    start_daemon();
    WAIT_RECEIVED("TooLarge", FIRING, "-large");
    stop(children[0], SIGTERM);
    children[0] = 0;
    WAIT_RECEIVED("TooLarge", RESOLVED, "-large");
    ck_assert_int_eq(RECEIVED("TooLarge", FIRING), 1);
    ck_assert_int_eq(RECEIVED("TooLarge", RESOLVED), 1);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(what_is_small_stays_quiet)
{
    configure("1GiB", TOO_LARGE, "");
    start_leaker("idle", "small", "8M", "1");
    start_daemon();
    run_wait_number(&run, "processes", 1);
    let_it_tick(100);
    ck_assert_int_eq(RECEIVED("TooLarge"), 0);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(a_restart_begins_nothing_anew)
{
    int64_t episode = 0;

    configure("1GiB", TOO_LARGE, "");
    start_leaker("idle", "large", "32M", "1");
    start_daemon();
    WAIT_RECEIVED("TooLarge", FIRING);
    ask("{\"cmd\":\"alerts\"}");
    episode = run_number(&run, "episode");
    run_stop(&run, STOP_MS);
    start_daemon();
    run_wait_number(&run, "firing", 1);
    let_it_tick(60);
    kill_daemon();
    start_daemon();
    run_wait_number(&run, "firing", 1);
    let_it_tick(60);
    ask("{\"cmd\":\"alerts\"}");
    ck_assert_int_eq(run_number(&run, "episode"), episode);
    ck_assert_int_eq(RECEIVED("TooLarge"), 1);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(a_notifier_that_is_killed_is_started_again)
{
    int64_t pid = 0;

    configure("1GiB", TOO_LARGE, "");
    start_daemon();
    run_wait_text(&run, "\"state\":\"ready\"");
    pid = run_number(&run, "under_way") >= 0
              ? strtoll(strstr(run.answer, "\"state\":\"ready\",\"pid\":") +
                            strlen("\"state\":\"ready\",\"pid\":"),
                        NULL, 10)
              : 0;
    ck_assert_int_gt(pid, 1);
    ck_assert_int_eq(kill((pid_t)pid, SIGKILL), 0);
    start_leaker("idle", "large", "32M", "1");
    WAIT_RECEIVED("TooLarge", FIRING);
    run_wait_number(&run, "deaths", 1);
    ck_assert_int_eq(RECEIVED("TooLarge"), 1);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(a_silenced_one_is_not_told_until_the_silence_ends)
{
    int64_t id = 0;

    configure("1GiB", TOO_LARGE, "");
    start_daemon();
    ask("{\"cmd\":\"silence\",\"match\":[\"alertname=Too*\",\"subject!=proc:other\"],\"for\":"
        "\"1h\","
        "\"author\":\"ann\",\"comment\":\"deploy\"}");
    id = run_number(&run, "id");
    start_leaker("idle", "large", "32M", "1");
    run_wait_number(&run, "muted", 1);
    kill_daemon(); /* what was said holds */
    start_daemon();
    run_wait_number(&run, "muted", 1);
    let_it_tick(60);
    ck_assert_int_eq(RECEIVED("TooLarge"), 0);
    ask("{\"cmd\":\"silences\"}");
    ck_assert_int_eq(run_number(&run, "id"), id);
    ck_assert_ptr_nonnull(strstr(run.answer, "\"deploy\""));
    (void)snprintf(run.answer, sizeof(run.answer), "{\"cmd\":\"unsilence\",\"id\":%lld}",
                   (long long)id);
    {
        char line[80];

        (void)snprintf(line, sizeof(line), "%.79s", run.answer);
        ask(line);
    }
    WAIT_RECEIVED("TooLarge", FIRING);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(a_reload_changes_rules_and_receivers_and_begins_nothing_anew)
{
    configure("1GiB", TOO_LARGE, "");
    start_leaker("idle", "first", "32M", "1");
    start_daemon();
    WAIT_RECEIVED("TooLarge", FIRING, "-first", "/hook");
    (void)snprintf(strrchr(hook_url, '/'), 20, "/other");
    configure("1GiB", TOO_LARGE, "");
    ask("{\"cmd\":\"reload\"}");
    start_leaker("idle", "second", "32M", "1");
    WAIT_RECEIVED("TooLarge", FIRING, "-second", "/other");
    configure("1GiB", LEAK, "");
    ask("{\"cmd\":\"reload\"}"); /* the rule is gone: so are its alerts */
    WAIT_RECEIVED("TooLarge", RESOLVED, "-first", "/other");
    run_wait_text(&run, "\"firing\":0");
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(who_is_expected_and_not_there_is_missed)
{
    char text[1500];

    (void)snprintf(
        text, sizeof(text),
        "{ " FAST ", \"targets\": [{ \"name\": \"al%lx-gone\", \"expected\": true }], "
        "\"rules\": [ { \"name\": \"SubjectMissing\", \"for\": \"0s\", \"keep\": \"0s\" } ], "
        "\"receivers\": [ { \"name\": \"ops\", \"type\": \"webhook\", \"url\": \"%s\" } ] }",
        (long)getpid(), hook_url);
    run_write_config(&run, text);
    start_daemon();
    WAIT_RECEIVED("SubjectMissing", FIRING, "-gone");
    start_leaker("idle", "gone", "8M", "1");
    WAIT_RECEIVED("SubjectMissing", RESOLVED, "-gone");
    let_it_tick(30);
    ck_assert_int_eq(RECEIVED("SubjectMissing", FIRING), 1);
    run_stop(&run, STOP_MS);
}
END_TEST

START_TEST(heartbeats_and_tests_arrive)
{
    char beat[200];

    (void)snprintf(strrchr(hook_url, '/'), 20, "/beat");
    (void)snprintf(
        beat, sizeof(beat),
        ", \"receivers\": [ { \"name\": \"dead-man\", \"type\": \"heartbeat\", \"url\": \"%s\" } ]",
        hook_url);
    {
        char text[1000];

        (void)snprintf(text, sizeof(text), "{ " FAST "%s }", beat);
        run_write_config(&run, text);
    }
    start_daemon();
    WAIT_RECEIVED("/beat", "GET");
    run_wait_text(&run, "\"receiver\":\"dead-man\"");
    ask("{\"cmd\":\"test\",\"receiver\":\"dead-man\"}");
    ck_assert_ptr_nonnull(strstr(run.answer, "\"outcome\":\"sent\""));
    ck_assert_int_eq(run_number(&run, "status"), 200);
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"test\",\"receiver\":\"nobody\"}"), 0);
    ck_assert_ptr_nonnull(strstr(run.answer, "\"not_found\""));
    run_stop(&run, STOP_MS);
}
END_TEST

/* ---- when things go wrong ---- */

static void fill_disk(void)
{
    static const char block[4096];
    char path[160];
    int fd = -1;

    (void)snprintf(path, sizeof(path), "%s/filler", run.dir);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    while (write(fd, block, sizeof(block)) == sizeof(block))
        ;
    (void)close(fd);
}

START_TEST(with_a_full_disk_it_is_sent_from_memory_and_says_so)
{
    char path[160];

    if (mount("tmpfs", run.dir, "tmpfs", 0, DISK) != 0) {
        printf("SKIP with_a_full_disk: a small disk of its own needs the right to mount a tmpfs\n");
        return;
    }
    mounted = 1;
    configure("1GiB", TOO_LARGE ", { \"name\": \"OomcastDegraded\", \"for\": \"0s\" }", "");
    start_daemon();
    let_it_tick(20);
    fill_disk();
    run_wait_text(&run, "\"state\":\"failing\"");
    start_leaker("idle", "large", "32M", "1");
    WAIT_RECEIVED("OomcastDegraded", FIRING, "cannot be written");
    (void)snprintf(path, sizeof(path), "%s/filler", run.dir);
    ck_assert_int_eq(unlink(path),
                     0); /* a process that is new has no id before the store has room */
    WAIT_RECEIVED("TooLarge", FIRING, "-large");
    run_wait_text(&run, "\"state\":\"ok\"");
    run_wait_number(&run, "not_durable", 1);
    run_stop(&run, STOP_MS);
}
END_TEST

/* A log that ends with the alert: nothing else could be had by then. */
START_TEST(the_last_words_need_no_memory)
{
    static const char *const nths[] = { "9000+", "12000+", "16000+", "22000+", "30000+", "40000+" };
    char path[160], line[4096];
    int said = 0;

    configure("1GiB", TOO_LARGE, "");
    (void)snprintf(path, sizeof(path), "%s/log", there);
    for (size_t i = 0; i < sizeof(nths) / sizeof(nths[0]) && !said; i++) {
        char *argv[] = { getenv("OC_OOMCASTD"),
                         (char *)(uintptr_t) "--data",
                         run.dir,
                         (char *)(uintptr_t) "--config",
                         run.config,
                         NULL };
        int log = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        int64_t until_ms = now_ms() + 9000;
        FILE *file = NULL;

        ck_assert_int_ge(log, 0);
        ck_assert_int_eq(setenv("OOMCAST_FAIL_ALLOC", nths[i], 1), 0);
        run.pid = start(argv, log, STDERR_FILENO);
        (void)unsetenv("OOMCAST_FAIL_ALLOC");
        start_leaker("line", "grows", "12M", "3M");
        while (now_ms() < until_ms)
            (void)usleep(POLL_US);
        stop(run.pid, SIGKILL);
        run.pid = 0;
        stop(children[child_count - 1], SIGKILL);
        file = fdopen(log, "r");
        ck_assert_ptr_nonnull(file);
        rewind(file);
        while (fgets(line, sizeof(line), file))
            said |=
                strstr(line, "alert_firing") && strstr(line, "TooLarge") && strstr(line, "-grows");
        (void)fclose(file);
    }
    ck_assert_int_eq(said, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("daemon alert");
    TCase *tests = tcase_create("daemon alert");
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 150);
    tcase_add_test(tests, a_leak_is_told_before_its_limit_once_and_with_its_reason);
    tcase_add_test(tests, what_is_filled_and_emptied_stays_quiet);
    tcase_add_test(tests, an_end_is_told_to_who_was_told_the_beginning);
    tcase_add_test(tests, what_is_small_stays_quiet);
    tcase_add_test(tests, a_restart_begins_nothing_anew);
    tcase_add_test(tests, a_notifier_that_is_killed_is_started_again);
    tcase_add_test(tests, a_silenced_one_is_not_told_until_the_silence_ends);
    tcase_add_test(tests, a_reload_changes_rules_and_receivers_and_begins_nothing_anew);
    tcase_add_test(tests, who_is_expected_and_not_there_is_missed);
    tcase_add_test(tests, heartbeats_and_tests_arrive);
    tcase_add_test(tests, with_a_full_disk_it_is_sent_from_memory_and_says_so);
    tcase_add_test(tests, the_last_words_need_no_memory);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
