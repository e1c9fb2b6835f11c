/* 2,000 subjects in trouble at once: few messages that a person can read, bounded memory, and nothing forgotten. */
#include "tests/integration/alert_stage.h"
#include "tests/integration/cli_run.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT "2000"
#define CROWD_MS 120000
#define MAX_MESSAGES 4
#define MAX_MESSAGE_KIB 256 /* a notice is cut to this */
#define MAX_DAEMON_MIB                                                                             \
    80 /* 2,000 sources, their forecasts and their alerts: 33 where this was written */
#define MAX_NOTIFIER_MIB 40

#if defined(__SANITIZE_ADDRESS__)
#define ROOM 5            /* its shadow */
#define KEPT_BACK_MIB 256 /* freed memory in its quarantine */
#else
#define ROOM 1
#define KEPT_BACK_MIB 0
#endif

static pid_t crowd;

static long number_of(const char *line)
{
    at_once(line);
    return strtol(out, NULL, 10);
}

static void set_up(void)
{
    char *argv[] = { getenv("OC_CROWD"), (char *)(uintptr_t)COUNT, (char *)(uintptr_t) "alert",
                     NULL };

    stage_begin("crowd");
    stage_receiver(NULL);
    stage_config("{ \"interval\": \"2s\", \"discovery_interval\": \"1s\", \"group_wait\": \"10s\", "
                 "\"group_interval\": \"10s\",\n"
                 "  \"targets\": [ { \"name\": \"alert-*\" } ],\n"
                 "  \"rules\": [ { \"name\": \"Alive\", \"kind\": \"threshold\", \"subjects\": "
                 "[\"proc:alert-*\"], \"metric\": "
                 "\"thread_count\", \"enter\": 1, \"for\": \"0s\", \"keep\": \"0s\" } ],\n"
                 "  \"receivers\": [ { \"name\": \"ops\", \"type\": \"webhook\", \"url\": "
                 "\"http://127.0.0.1:$(cat \"$D/port\")/ops\" } ] }");
    crowd = start_ready(argv);
    ck_assert_int_gt(crowd, 0);
    stage_daemon();
}

static void tear_down(void)
{
    stop(crowd, SIGKILL);
    stage_end();
}

START_TEST(all_of_them_fire)
{
    eventually_within("\"$O\" alerts --json --alert Alive | grep -q '\"warning\":" COUNT "'",
                      CROWD_MS);
    at_once("\"$O\" alerts --alert Alive | tail -n 1 | grep -q '" COUNT " warning'");
    ck_assert_int_eq(run("\"$O\" check"), 1);
    ck_assert_msg(holds(out, "'warning'=" COUNT ";"), "%s", out);
    ck_assert_msg(strlen(out) < 1000, "%zu", strlen(out)); /* one line, not a list */
}
END_TEST

START_TEST(a_person_can_read_what_comes)
{
    eventually_within("test -s \"$D/received\" && \"$O\" alerts outbox | grep -q 'Nothing waits'",
                      CROWD_MS);
    ck_assert_int_le(number_of("wc -l <\"$D/received\""), MAX_MESSAGES);
    ck_assert_int_le(number_of("wc -L <\"$D/received\"") / 1024, 2 * MAX_MESSAGE_KIB); /* escaped */
    at_once("grep -q 'truncatedAlerts' \"$D/received\"");
}
END_TEST

START_TEST(memory_is_bounded)
{
    long daemon_mib, notifier_mib;
    char line[200];

    (void)snprintf(line, sizeof(line), "awk '/VmHWM/ { print int($2 / 1024) }' /proc/%ld/status",
                   (long)stage_daemon_pid());
    daemon_mib = number_of(line);
    ck_assert_int_le(daemon_mib, MAX_DAEMON_MIB * ROOM + KEPT_BACK_MIB);
    (void)snprintf(line, sizeof(line),
                   "awk '/VmHWM/ { print int($2 / 1024) }' /proc/$(pgrep -P %ld)/status",
                   (long)stage_daemon_pid());
    notifier_mib = number_of(line);
    ck_assert_int_le(notifier_mib, MAX_NOTIFIER_MIB * ROOM + KEPT_BACK_MIB);
    printf("at most %ld MiB of the daemon, %ld of the notifier, %ld messages\n", daemon_mib,
           notifier_mib, number_of("wc -l <\"$D/received\""));
}
END_TEST

START_TEST(their_ends_are_few_messages_too)
{
    stop(crowd, SIGKILL);
    crowd = 0;
    eventually_within("\"$O\" alerts --json --alert Alive | grep -q '\"warning\":0'", CROWD_MS);
    eventually_within("grep -q 'status[\\\\\":]*resolved' \"$D/received\"", CROWD_MS);
    eventually_within("\"$O\" alerts outbox | grep -q 'Nothing waits'", CROWD_MS);
    ck_assert_int_le(number_of("wc -l <\"$D/received\""), 2 * MAX_MESSAGES);
    at_once(
        "\"$O\" alerts --all --limit 0 --alert Alive --csv | grep -c ',Alive,' | grep -qx " COUNT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alert crowd");
    TCase *tcase = tcase_create("crowd");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 300);
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, all_of_them_fire);
    tcase_add_test(tcase, a_person_can_read_what_comes);
    tcase_add_test(tcase, memory_is_bounded);
    tcase_add_test(tcase, their_ends_are_few_messages_too);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
