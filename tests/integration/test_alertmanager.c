/*
 * A real Prometheus Alertmanager between the daemon and who is told. It forgets what it is not told again, and it, the daemon
 * or both may be restarted: whoever is behind it is to hear of an alert once, and of its end once, when it ends.
 */
#include "tests/integration/alert_stage.h"
#include "tests/integration/cli_run.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "prometheus-alertmanager"
#define EXIT_SKIPPED 77 /* meson's word for it */
#define POSTS 30        /* after the restarts: at one a minute half an hour */
#define POSTS_MS 120000
#define POLL_US 100000
#define METRIC "alertmanager_alerts_received_total{status=\"firing\",version=\"v2\"}"

static int am_port;
static pid_t am, big;

/* ---- Alertmanager ---- */

static void start_alertmanager(void)
{
    static char config[200], storage[200], listen[64];
    char *argv[] = { (char *)(uintptr_t) "/usr/bin/env",
                     (char *)(uintptr_t)PROGRAM,
                     config,
                     storage,
                     listen,
                     (char *)(uintptr_t) "--cluster.listen-address=",
                     (char *)(uintptr_t) "--log.level=warn",
                     NULL };

    (void)snprintf(config, sizeof(config), "--config.file=%s/am.yml", stage_dir());
    (void)snprintf(storage, sizeof(storage), "--storage.path=%s/am", stage_dir());
    (void)snprintf(listen, sizeof(listen), "--web.listen-address=127.0.0.1:%d", am_port);
    am = stage_program(argv);
    eventually("bash -c 'exec 3<>/dev/tcp/127.0.0.1/$AM && printf \"GET /-/ready "
               "HTTP/1.0\\r\\n\\r\\n\" >&3 && head -n 1 <&3 | grep -q 200'");
}

/* All that is said is said at once, and nothing is said again. */
static void write_alertmanager_config(void)
{
    at_once("cat >\"$D/am.yml\" <<END\n"
            "route: { receiver: hook, group_by: [alertname, subject], group_wait: 1s, "
            "group_interval: 1s, repeat_interval: 4h }\n"
            "receivers:\n"
            "- name: hook\n"
            "  webhook_configs: [ { url: 'http://127.0.0.1:$(cat \"$D/port\")/am', send_resolved: "
            "true } ]\n"
            "END");
}

/* Posts that it took since it was started last. */
static long posts(void)
{
    const char *at;

    if (run("bash -c 'exec 3<>/dev/tcp/127.0.0.1/$AM && printf \"GET /metrics "
            "HTTP/1.0\\r\\n\\r\\n\" "
            ">&3 && cat <&3'") != 0)
        return 0;
    at = strstr(out, METRIC " ");
    return at ? strtol(at + sizeof(METRIC), NULL, 10) : 0;
}

static void wait_posts(long least)
{
    int64_t deadline_ms = now_ms() + POSTS_MS;

    while (posts() < least) {
        ck_assert_msg(now_ms() < deadline_ms, "only %ld posts came", posts());
        (void)usleep(POLL_US);
    }
}

/* ---- what the one behind it hears ---- */

static void heard(int firing, int resolved)
{
    char line[300];

    (void)snprintf(line, sizeof(line),
                   "test \"$(grep -c 'status[\\\\\":]*firing' \"$D/received\")\" -eq %d && "
                   "test \"$(grep '/am' \"$D/received\" | wc -l)\" -eq %d",
                   firing, firing + resolved);
    ck_assert_msg(run(line) == 0, "not %d firing, %d resolved: %s", firing, resolved,
                  run("cat \"$D/received\"") == 0 ? out : "");
}

START_TEST(it_is_told_once)
{
    eventually("test -s \"$D/received\"");
    wait_posts(3);
    heard(1, 0);
    at_once("grep -q 'TooBig' \"$D/received\" && grep -q 'proc:alert-big' \"$D/received\"");
    ck_assert_int_ne(run("grep -q 'alert-small' \"$D/received\""), 0);
}
END_TEST

START_TEST(restarts_of_either_tell_nothing_anew)
{
    stage_program_stop(am, SIGTERM); /* in order: it keeps what it has told */
    start_alertmanager();
    wait_posts(3);
    stage_daemon_stop(SIGKILL);
    stage_daemon();
    wait_posts(POSTS);
    heard(1, 0);
    eventually("\"$O\" alerts --json | grep -q '\"episode\":1,'"); /* of ours too */
}
END_TEST

START_TEST(its_end_is_told_once)
{
    stage_program_stop(big, SIGTERM);
    eventually("grep -q 'status[\\\\\":]*resolved' \"$D/received\"");
    heard(1, 1);
}
END_TEST

START_TEST(a_test_reaches_it)
{
    at_once("\"$O\" alerts test am");
    ck_assert_msg(holds(out, "sent: answer 200"), "%s", out);
}
END_TEST

static void set_up(void)
{
    char port[16];

    stage_begin("alertmanager");
    am_port = stage_free_port();
    (void)snprintf(port, sizeof(port), "%d", am_port);
    ck_assert_int_eq(setenv("AM", port, 1), 0);
    stage_receiver(NULL);
    write_alertmanager_config();
    start_alertmanager();
    stage_config_too_big(", \"receivers\": [ { \"name\": \"am\", \"type\": \"alertmanager\", "
                         "\"url\": \"http://127.0.0.1:$AM\", \"interval\": \"1s\" } ]");
    big = stage_leaker("alert-big", "64M");
    (void)stage_leaker("alert-small", "16M");
    stage_daemon();
}

int main(void)
{
    Suite *suite = suite_create("alertmanager");
    TCase *tcase = tcase_create("real");
    SRunner *runner;
    int failed;

    if (!stage_has(PROGRAM, "alertmanager", "prometheus-alertmanager"))
        return EXIT_SKIPPED;
    tcase_set_timeout(tcase, 200);
    tcase_add_unchecked_fixture(tcase, set_up, stage_end);
    tcase_add_test(tcase, it_is_told_once);
    tcase_add_test(tcase, restarts_of_either_tell_nothing_anew);
    tcase_add_test(tcase, its_end_is_told_once);
    tcase_add_test(tcase, a_test_reaches_it); /* last: it is told of too */
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
