/* The real oomcast-notify and its pipe, its hooks, the journal, the rights that it gives up. */
#include "tests/integration/harness.h"
#include "tests/integration/notify_run.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_SANITIZER
#endif
#endif

static struct notify_run run;

static void setup(void) { notify_setup(&run); }
static void teardown(void) { notify_teardown(&run); }

static void tell_server(const char *name, const struct notify_server *server, const char *path,
                        int64_t timeout_ms)
{
    struct oc_receiver settings;
    char url[256];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", server->port, path);
    notify_settings(&settings, name, OC_RECEIVER_WEBHOOK, url);
    settings.timeout_ms = timeout_ms;
    notify_tell(&run, &settings);
    oc_receiver_clear(&settings);
}

/* ---- the pipe ---- */

START_TEST(garbage_is_noted_and_does_no_harm)
{
    static const char garbage[] =
        "x\n{}\n[]\n\xff\xfe\n{\"v\":1}\n{\"v\":2,\"do\":\"quit\"}\n\n"
        "{\"v\":1,\"do\":\"fly\"}\n{\"v\":1,\"do\":\"deliver\",\"id\":1}\n";
    struct notify_server *server = notify_serve(&run, NULL);
    struct oc_wire_report report;

    notify_start(&run, NULL);
    notify_say(&run, garbage, sizeof(garbage) - 1);
    notify_report(&run, OC_WIRE_NOTE, &report);
    ck_assert_str_ne(report.text, "");
    tell_server("r", server, "/", 20000);
    notify_deliver(&run, "after", "r", "{}");
    notify_result(&run, "after", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SENT);
}
END_TEST

/* Whose id can be seen is answered: else nobody would hear of it again. */
START_TEST(line_that_is_too_long_is_passed_over)
{
    struct notify_server *server = notify_serve(&run, NULL);
    struct oc_wire_report report;
    static const char head[] =
        "{\"v\":1,\"do\":\"deliver\",\"id\":\"msg_long\",\"receiver\":\"r\",\"body\":\"";
    size_t bytes = 3u << 20;
    char *line = oc_malloc(bytes);

    ck_assert_ptr_nonnull(line);
    memset(line, 'x', bytes);
    memcpy(line, head, sizeof(head) - 1);
    line[bytes - 1] = '\n';
    notify_start(&run, NULL);
    tell_server("r", server, "/", 20000);
    notify_say(&run, line, bytes);
    oc_free(line);
    notify_deliver(&run, "after", "r", "{}");
    notify_result(&run, "msg_long", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_NEVER);
    notify_result(&run, "after", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SENT);
}
END_TEST

START_TEST(receiver_that_is_not_known_is_said_to_be_so)
{
    struct notify_server *server = notify_serve(&run, NULL);
    struct oc_wire_report report;
    static const char forget[] = "{\"v\":1,\"do\":\"forget\"}\n";

    notify_start(&run, NULL);
    notify_deliver(&run, "1", "r", "{}");
    notify_result(&run, "1", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_LATER);
    tell_server("r", server, "/", 20000);
    notify_deliver(&run, "2", "r", "{}");
    notify_result(&run, "2", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SENT);
    notify_say(&run, forget, sizeof(forget) - 1);
    notify_deliver(&run, "3", "r", "{}");
    notify_result(&run, "3", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_LATER);
}
END_TEST

START_TEST(flood_of_large_bodies_is_held_up_not_kept)
{
    struct notify_server *server =
        notify_serve(&run, (const char *[]){ "--behave", "delay:1", NULL });
    size_t bytes = 200u << 10;
    char *body = oc_malloc(bytes + 1);
    char path[64], *status = NULL, *peak = NULL;
    size_t status_bytes = 0;

    ck_assert_ptr_nonnull(body);
    memset(body, 'x', bytes);
    body[bytes] = '\0';
    notify_start(&run, NULL);
    tell_server("r", server, "/", 20000);
    for (int i = 0; i < 300; i++) { /* 60 MB */
        char id[32];

        (void)snprintf(id, sizeof(id), "msg_%d", i);
        notify_deliver(&run, id, "r", body);
    }
    notify_wait_results(&run, 300);
    oc_free(body);
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)run.pid);
    ck_assert_int_eq(oc_file_read(path, 65536, &status, &status_bytes), OC_OK);
    peak = strstr(status, "VmHWM:");
    ck_assert_ptr_nonnull(peak);
#ifndef WITH_SANITIZER /* which has memory of its own */
    ck_assert_int_lt(strtol(peak + 6, NULL, 10), 40000);
#endif
    oc_free(status);
}
END_TEST

START_TEST(one_that_hangs_leaves_room_for_the_others)
{
    struct notify_server *server = notify_serve(&run, NULL);
    struct oc_wire_report report;

    notify_start(&run, NULL);
    tell_server("hangs", server, "/do/hang", 60000);
    tell_server("works", server, "/do/ok", 20000);
    for (int i = 0; i < 100; i++) {
        char id[32];

        (void)snprintf(id, sizeof(id), "hangs_%d", i);
        notify_deliver(&run, id, "hangs", "{}");
    }
    notify_deliver(&run, "works", "works", "{}");
    notify_result(&run, "works", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SENT);
}
END_TEST

START_TEST(ends_when_its_input_does)
{
    notify_start(&run, NULL);
    (void)close(run.to_fd);
    run.to_fd = -1;
    ck_assert_int_eq(notify_end(&run), 0);
}
END_TEST

START_TEST(what_is_under_way_is_answered_before_it_ends)
{
    struct notify_server *server =
        notify_serve(&run, (const char *[]){ "--behave", "delay:300", NULL });
    struct oc_wire_report report;
    static const char quit[] = "{\"v\":1,\"do\":\"quit\"}\n";

    notify_start(&run, NULL);
    tell_server("r", server, "/", 20000);
    notify_deliver(&run, "last", "r", "{}");
    notify_say(&run, quit, sizeof(quit) - 1);
    notify_result(&run, "last", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SENT);
    ck_assert_int_eq(notify_end(&run), 0);
}
END_TEST

START_TEST(nobody_reads_its_reports)
{
    struct notify_server *server = notify_serve(&run, NULL);

    notify_start(&run, NULL);
    (void)close(run.from_fd);
    run.from_fd = -1;
    tell_server("r", server, "/", 20000);
    notify_deliver(&run, "x", "r", "{}");
    ck_assert_int_eq(notify_end(&run), 1);
}
END_TEST

START_TEST(asked_to_end_it_does)
{
    notify_start(&run, NULL);
    ck_assert_int_eq(kill(run.pid, SIGTERM), 0);
    ck_assert_int_eq(notify_end(&run), 0);
}
END_TEST

/* ---- hooks ---- */

static void tell_hook(const char *name, const char *script, int64_t timeout_ms, int64_t interval_ms)
{
    struct oc_receiver settings;

    notify_settings(&settings, name, OC_RECEIVER_HOOK, NULL);
    ck_assert_int_eq(oc_strings_add(&settings.argv, "/bin/sh", 7), OC_OK);
    ck_assert_int_eq(oc_strings_add(&settings.argv, "-c", 2), OC_OK);
    ck_assert_int_eq(oc_strings_add(&settings.argv, script, strlen(script)), OC_OK);
    settings.timeout_ms = timeout_ms;
    settings.interval_ms = interval_ms;
    notify_tell(&run, &settings);
    oc_receiver_clear(&settings);
}

struct hook {
    const char *script;
    enum oc_delivery_outcome outcome;
    int32_t status;
    const char *why, *answer;
};

static const struct hook hooks[] = {
    { "cat; echo; echo \"$OOMCAST_SUBJECT/$SHLVL_NONE\"", OC_DELIVERY_SENT, 0, "",
      "{\"a\":1}\nunit:shop.service; rm -rf $HOME/" },
    { "cat /dev/stdin; exit 3", OC_DELIVERY_NEVER, 3, "failed with status 3", "{\"a\":1}" },
    { "exit 75", OC_DELIVERY_LATER, 75, "run again later", "" },
    { "kill -SEGV $$", OC_DELIVERY_NEVER, 0, "signal 11", "" },
    { "head -c 10000000 /dev/zero | tr '\\0' x", OC_DELIVERY_SENT, 0, "", "xxxxxxxx" },
    { "echo to standard error >&2", OC_DELIVERY_SENT, 0, "", "to standard error" },
    { "env | grep -c SECRET_OF_THE_DAEMON; ulimit -c", OC_DELIVERY_SENT, 0, "", "0\n0" },
    /* Its three streams, and the folder that it reads. */
    { "set -- /proc/$$/fd/*; echo $#", OC_DELIVERY_SENT, 0, "", "4" },
};
#define HOOKS ((int)(sizeof(hooks) / sizeof(hooks[0])))

START_TEST(hook_runs_and_its_end_is_told)
{
    const struct hook *hook = &hooks[_i];
    char *fields[] = { (char *)(uintptr_t) "OOMCAST_SUBJECT",
                       (char *)(uintptr_t) "unit:shop.service; rm -rf $HOME",
                       (char *)(uintptr_t) "PATH", (char *)(uintptr_t) "/tmp" };
    struct oc_wire_delivery delivery = { .id = "h",
                                         .receiver = "h",
                                         .body = (char *)(uintptr_t) "{\"a\":1}",
                                         .body_bytes = 7,
                                         .fields = { .items = fields, .count = 4 } };
    struct oc_wire_report report;

    (void)setenv("SECRET_OF_THE_DAEMON", "1", 1);
    notify_start(&run, NULL);
    (void)unsetenv("SECRET_OF_THE_DAEMON");
    tell_hook("h", hook->script, 20000, 0);
    notify_deliver_with(&run, &delivery);
    notify_result(&run, "h", &report);
    ck_assert_msg(report.outcome == hook->outcome && report.status == hook->status &&
                      strstr(report.why, hook->why) &&
                      strncmp(report.answer, hook->answer, strlen(hook->answer)) == 0,
                  "%s: %d %d '%s' '%s'", hook->script, (int)report.outcome, (int)report.status,
                  report.why, report.answer);
}
END_TEST

/* Also what it started: a marker in their command line would show them. */
START_TEST(hook_that_takes_too_long_is_killed_with_all_of_it)
{
    struct oc_wire_report report;
    char script[256], marker[64];

    (void)snprintf(marker, sizeof(marker), "7%d", (int)getpid());
    (void)snprintf(script, sizeof(script), "sleep %s & echo begun; sleep %s", marker, marker);
    notify_start(&run, NULL);
    tell_hook("h", script, 300, 0);
    notify_deliver(&run, "h", "h", "{}");
    notify_result(&run, "h", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_NEVER);
    ck_assert_ptr_nonnull(strstr(report.why, "was killed: it took more than 0.3 s"));
    ck_assert_str_eq(report.answer, "begun");
    (void)snprintf(script, sizeof(script),
                   "for i in 1 2 3 4 5 6 7 8 9 10; do grep -lsx 'sleep.%s.*' /proc/[0-9]*/cmdline "
                   ">/dev/null || exit 0; sleep 0.1; done; exit 1",
                   marker);
    ck_assert_int_eq(system(script), 0); /* NOLINT(cert-env33-c) */
}
END_TEST

START_TEST(hook_that_cannot_be_run_says_so)
{
    struct oc_receiver settings;
    struct oc_wire_report report;

    notify_start(&run, NULL);
    notify_settings(&settings, "h", OC_RECEIVER_HOOK, NULL);
    ck_assert_int_eq(oc_strings_add(&settings.argv, "/no/such/program", 16), OC_OK);
    notify_tell(&run, &settings);
    oc_receiver_clear(&settings);
    for (int i = 0; i < 3; i++) {
        notify_deliver(&run, "h", "h", "{}");
        notify_result(&run, "h", &report);
        ck_assert_int_eq(report.outcome, OC_DELIVERY_SLOW);
        ck_assert_str_eq(report.why, "/no/such/program cannot be run: no such file or directory");
    }
}
END_TEST

START_TEST(hook_rests_between_two_runs_also_over_a_reload)
{
    struct oc_wire_report report;
    static const char forget[] = "{\"v\":1,\"do\":\"forget\"}\n";

    notify_start(&run, NULL);
    tell_hook("h", "exit 0", 20000, 3600000);
    notify_deliver(&run, "1", "h", "{}");
    notify_result(&run, "1", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SENT);
    notify_say(&run, forget, sizeof(forget) - 1);
    tell_hook("h", "exit 0", 20000, 3600000);
    notify_deliver(&run, "2", "h", "{}");
    notify_result(&run, "2", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_LATER);
    ck_assert_int_gt(report.retry_after_ms, 3000000);
    tell_hook("h", "exit 0", 20000, 0);
    notify_deliver(&run, "3", "h", "{}");
    notify_result(&run, "3", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SENT);
}
END_TEST

/* One at a time: what waits too long is answered all the same, before oomcastd takes us for dead. */
START_TEST(deliveries_behind_a_slow_hook_are_answered)
{
    struct oc_wire_report report;

    notify_start(&run, NULL);
    tell_hook("h", "sleep 14", 60000, 0);
    notify_deliver(&run, "runs", "h", "{}");
    notify_deliver(&run, "waits", "h", "{}");
    notify_result(&run, "waits", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_LATER);
    ck_assert_ptr_nonnull(strstr(report.why, "take too long"));
    notify_result(&run, "runs", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SENT);
}
END_TEST

/* ---- the journal ---- */

static int journal_fd = -1;

static void listen_as_journal(char *out_path, size_t path_bytes)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    (void)snprintf(out_path, path_bytes, "%s/journal", run.dir);
    ck_assert_int_eq(oc_text_copy(address.sun_path, sizeof(address.sun_path), out_path), OC_OK);
    journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(journal_fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(chmod(out_path, 0777), 0);
}

static void tell_journal(void)
{
    struct oc_receiver settings;

    notify_settings(&settings, "j", OC_RECEIVER_JOURNAL, NULL);
    notify_tell(&run, &settings);
    oc_receiver_clear(&settings);
}

static void deliver_to_journal(const char *body)
{
    char *fields[] = { (char *)(uintptr_t) "PRIORITY",     (char *)(uintptr_t) "2",
                       (char *)(uintptr_t) "OOMCAST_RULE", (char *)(uintptr_t) "two\nlines",
                       (char *)(uintptr_t) "_PID",         (char *)(uintptr_t) "1" };
    struct oc_wire_delivery delivery = { .id = "j",
                                         .receiver = "j",
                                         .body = (char *)(uintptr_t)body,
                                         .body_bytes = strlen(body),
                                         .fields = { .items = fields, .count = 6 } };
    struct oc_wire_report report;

    notify_deliver_with(&run, &delivery);
    notify_result(&run, "j", &report);
    ck_assert_msg(report.outcome == OC_DELIVERY_SENT, "%s", report.why);
}

START_TEST(journal_gets_fields)
{
    static const char wanted[] = "MESSAGE=it leaks\nSYSLOG_IDENTIFIER=oomcast\nPRIORITY=2\n"
                                 "OOMCAST_RULE\n\x09\0\0\0\0\0\0\0two\nlines\n";
    char path[160], got[4096];

    listen_as_journal(path, sizeof(path));
    notify_start(&run, (const char *[]){ "--journal", path, NULL });
    tell_journal();
    deliver_to_journal("it leaks");
    ck_assert_int_eq(recv(journal_fd, got, sizeof(got), 0), sizeof(wanted) - 1);
    ck_assert_int_eq(memcmp(got, wanted, sizeof(wanted) - 1), 0);
    (void)close(journal_fd);
}
END_TEST

START_TEST(journal_gets_a_sealed_file_of_what_is_too_large)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control) };
    char path[160], *body = oc_malloc(600001);
    int fd = -1;
    struct stat stat;

    ck_assert_ptr_nonnull(body);
    memset(body, 'x', 600000);
    body[600000] = '\0';
    listen_as_journal(path, sizeof(path));
    notify_start(&run, (const char *[]){ "--journal", path, NULL });
    tell_journal();
    deliver_to_journal(body);
    oc_free(body);
    ck_assert_int_eq(recvmsg(journal_fd, &message, 0), 0);
    ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&message));
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    ck_assert_int_eq(fstat(fd, &stat), 0);
    ck_assert_int_gt(stat.st_size, 600000);
    ck_assert_int_ne(fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE, 0);
    (void)close(fd);
    (void)close(journal_fd);
}
END_TEST

START_TEST(no_journal_is_said_to_be_none)
{
    struct oc_wire_report report;

    notify_start(&run, (const char *[]){ "--journal", "/no/such/journal", NULL });
    tell_journal();
    notify_deliver(&run, "j", "j", "x");
    notify_result(&run, "j", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_LATER);
    ck_assert_ptr_nonnull(strstr(report.why, "/no/such/journal"));
}
END_TEST

/* ---- rights ---- */

START_TEST(rights_are_given_up)
{
    char path[64], *status = NULL;
    size_t bytes = 0;
    int inherited = open("/dev/null", O_RDONLY); /* without O_CLOEXEC: meant to be inherited */

    notify_start(&run, NULL);
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)run.pid);
    ck_assert_int_eq(oc_file_read(path, 65536, &status, &bytes), OC_OK);
    ck_assert_ptr_nonnull(strstr(status, "CapPrm:\t0000000000000000"));
    ck_assert_ptr_nonnull(strstr(status, "CapEff:\t0000000000000000"));
    ck_assert_ptr_nonnull(strstr(status, "NoNewPrivs:\t1"));
    if (geteuid() == 0) {
        ck_assert_ptr_null(strstr(status, "Uid:\t0\t"));
        ck_assert_ptr_nonnull(strstr(status, "CapBnd:\t0000000000000000"));
    }
    oc_free(status);
    (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)run.pid, inherited);
    if (geteuid() == 0) { /* others may not look: it is not dumpable */
        char target[64] = "";

        (void)readlink(path, target, sizeof(target) - 1);
        ck_assert_str_ne(target, "/dev/null");
    }
    (void)close(inherited);
}
END_TEST

/* ---- memory ---- */

/* Each allocation fails once: at most that delivery is to be tried again, and what comes after works. */
START_TEST(memory_that_fails_once_costs_one_retry_at_most)
{
    struct notify_server *server = notify_serve(&run, NULL);
    char nth[24];

    (void)snprintf(nth, sizeof(nth), "%d", (_i + 1) * 3);
    (void)setenv("OOMCAST_FAIL_ALLOC", nth, 1);
    notify_start_any(&run, NULL);
    (void)unsetenv("OOMCAST_FAIL_ALLOC");
    if (run.from_fd >= 0)
        tell_server("r", server, "/", 20000);
    for (int i = 0; i < 3 && run.from_fd >= 0; i++) {
        struct oc_wire_report report = { .outcome = OC_DELIVERY_LOST };
        char id[16];

        (void)snprintf(id, sizeof(id), "%d", i);
        notify_deliver(&run, id, "r", "{}");
        if (notify_result_or_end(&run, id, &report) && i == 2)
            ck_assert_msg(report.outcome == OC_DELIVERY_SENT, "%s: %s", nth, report.why);
    }
}
END_TEST

static void add_pipe(Suite *suite)
{
    TCase *pipe = tcase_create("pipe");

    tcase_set_timeout(pipe, 120);
    tcase_add_checked_fixture(pipe, setup, teardown);
    tcase_add_test(pipe, garbage_is_noted_and_does_no_harm);
    tcase_add_test(pipe, line_that_is_too_long_is_passed_over);
    tcase_add_test(pipe, receiver_that_is_not_known_is_said_to_be_so);
    tcase_add_test(pipe, flood_of_large_bodies_is_held_up_not_kept);
    tcase_add_test(pipe, one_that_hangs_leaves_room_for_the_others);
    tcase_add_test(pipe, ends_when_its_input_does);
    tcase_add_test(pipe, what_is_under_way_is_answered_before_it_ends);
    tcase_add_test(pipe, nobody_reads_its_reports);
    tcase_add_test(pipe, asked_to_end_it_does);
    tcase_add_test(pipe, rights_are_given_up);
    tcase_add_loop_test(pipe, memory_that_fails_once_costs_one_retry_at_most, 0, 60);
    suite_add_tcase(suite, pipe);
}

static void add_ways(Suite *suite)
{
    TCase *ways = tcase_create("hooks and journal");

    tcase_set_timeout(ways, 120);
    tcase_add_checked_fixture(ways, setup, teardown);
    tcase_add_loop_test(ways, hook_runs_and_its_end_is_told, 0, HOOKS);
    tcase_add_test(ways, hook_that_takes_too_long_is_killed_with_all_of_it);
    tcase_add_test(ways, hook_that_cannot_be_run_says_so);
    tcase_add_test(ways, hook_rests_between_two_runs_also_over_a_reload);
    tcase_add_test(ways, deliveries_behind_a_slow_hook_are_answered);
    tcase_add_test(ways, journal_gets_fields);
    tcase_add_test(ways, journal_gets_a_sealed_file_of_what_is_too_large);
    tcase_add_test(ways, no_journal_is_said_to_be_none);
    suite_add_tcase(suite, ways);
}

int main(void)
{
    Suite *suite = suite_create("notify_pipe");
    SRunner *runner = NULL;
    int failed = 0;

    (void)signal(SIGPIPE, SIG_IGN);
    add_pipe(suite);
    add_ways(suite);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
