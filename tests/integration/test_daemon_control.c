/* The real daemon and those who speak with it: control socket, signals, a second daemon. */
#include "tests/integration/daemon_run.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define STOP_MS 2000 /* what is promised */
#define MANY_CLIENTS 20
#define MAX_CLIENTS 16

static struct daemon_run run;
static char log_text[8192];

static void setup(void) { run_setup(&run); }
static void teardown(void) { run_teardown(&run); }

/* No process fits this, so that nothing but the daemon is in play. */
#define NOBODY "\"targets\": [{ \"name\": \"no-process-has-this\" }]"

START_TEST(status_is_one_line_of_json)
{
    run_write_config(&run, "{ " NOBODY ", \"interval\": \"250ms\" }");
    run_start(&run, (const char *[]){ "--config", run.config, NULL });
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"status\"}"), 0);
    ck_assert_int_eq(run.answer[0], '{');
    ck_assert_ptr_nonnull(strstr(run.answer, "\"ok\":true"));
    ck_assert_int_eq(run_number(&run, "pid"), run.pid);
    ck_assert_int_eq(run_number(&run, "interval_ms"), 250);
    ck_assert_int_eq(run_number(&run, "lost_samples"), 0);
    run_wait_number(&run, "commits", 2);
}
END_TEST

START_TEST(nonsense_is_answered_and_does_no_harm)
{
    static const char *const lines[] = {
        "", "x", "{}", "[]", "{\"cmd\":\"fly\"}", "\xff\xff", "{\"cmd\":\"walk-now\",\"pid\":0}"
    };

    run_start(&run, (const char *[]){ NULL });
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        ck_assert_int_eq(run_ask(&run, lines[i]), 0);
        ck_assert_ptr_nonnull(strstr(run.answer, "\"ok\":false"));
        ck_assert_ptr_nonnull(strstr(run.answer, "\"text\":"));
    }
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"status\"}"), 0);
}
END_TEST

START_TEST(several_lines_at_once_are_answered_in_turn)
{
    static const char lines[] = "{\"cmd\":\"fly\"}\n{\"cmd\":\"walk-now\",\"pid\":1}\n";
    char text[1024] = "";
    size_t len = 0;
    int fd = -1;

    run_write_config(&run, "{ " NOBODY " }");
    run_start(&run, (const char *[]){ "--config", run.config, NULL });
    fd = run_connect(&run);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(send(fd, lines, sizeof(lines) - 1, MSG_NOSIGNAL), sizeof(lines) - 1);
    while (len < sizeof(text) - 1 &&
           !(strchr(text, '\n') && strchr(strchr(text, '\n') + 1, '\n'))) {
        ssize_t got = read(fd, text + len, sizeof(text) - 1 - len);

        ck_assert_int_gt(got, 0);
        len += (size_t)got;
        text[len] = '\0';
    }
    ck_assert_ptr_nonnull(strstr(text, "unknown_command"));
    ck_assert_ptr_nonnull(strstr(strchr(text, '\n'), "not_found"));
    (void)close(fd);
}
END_TEST

START_TEST(a_line_without_end_is_cut_off)
{
    char block[4096];
    size_t sent = 0;
    int fd = -1;

    run_start(&run, (const char *[]){ NULL });
    fd = run_connect(&run);
    memset(block, 'x', sizeof(block));
    while (sent < (1u << 20)) {
        ssize_t got = send(fd, block, sizeof(block), MSG_NOSIGNAL);

        if (got <= 0)
            break;
        sent += (size_t)got;
    }
    ck_assert_uint_lt(sent, 1u << 20); /* the daemon hung up */
    (void)close(fd);
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"status\"}"), 0);
}
END_TEST

START_TEST(clients_beyond_the_sixteenth_are_turned_away)
{
    int fds[MANY_CLIENTS];
    char byte = 0;

    run_start(&run, (const char *[]){ NULL });
    for (size_t i = 0; i < MANY_CLIENTS; i++)
        fds[i] = run_connect(&run);
    ck_assert_int_eq(read(fds[MANY_CLIENTS - 1], &byte, 1), 0); /* closed at once */
    for (size_t i = 0; i < MANY_CLIENTS; i++)
        (void)close(fds[i]);
    while (run_ask(&run, "{\"cmd\":\"status\"}") != 0)
        (void)usleep(1000); /* the others are let go one by one */
}
END_TEST

START_TEST(the_socket_is_for_owner_and_group)
{
    struct stat stat_;

    run_start(&run, (const char *[]){ NULL });
    ck_assert_int_eq(stat(run.socket, &stat_), 0);
    ck_assert_uint_eq(stat_.st_mode & 0777, 0660);
    run_stop(&run, STOP_MS);
    ck_assert_int_ne(stat(run.socket, &stat_), 0);
}
END_TEST

START_TEST(another_user_may_ask_for_the_status_alone)
{
    pid_t child = -1;
    int status = 0;

    if (geteuid() != 0) {
        printf("SKIP another_user_may_ask_for_the_status_alone: not root\n");
        return;
    }
    run_start(&run, (const char *[]){ NULL });
    ck_assert_int_eq(chmod(run.dir, 0755), 0);
    ck_assert_int_eq(chmod(run.socket, 0666), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        int ok = setuid(65534) == 0 && run_ask(&run, "{\"cmd\":\"status\"}") == 0 &&
                 strstr(run.answer, "\"ok\":true") && run_ask(&run, "{\"cmd\":\"stop\"}") == 0 &&
                 strstr(run.answer, "denied");

        _exit(ok ? 0 : 1);
    }
    ck_assert_int_eq(wait_end(child, now_ms() + READY_DEADLINE_MS, &status), 0);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"status\"}"), 0);
}
END_TEST

START_TEST(stop_ends_it)
{
    int status = -1;

    run_start(&run, (const char *[]){ NULL });
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"stop\"}"), 0);
    ck_assert_str_eq(run.answer, "{\"ok\":true}");
    ck_assert_int_eq(wait_end(run.pid, now_ms() + STOP_MS, &status), 0);
    run.pid = 0;
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_second_daemon_on_the_same_store_is_refused)
{
    char wanted[64];

    run_start(&run, (const char *[]){ NULL });
    ck_assert_int_eq(run_to_end(&run, (const char *[]){ NULL }, log_text, sizeof(log_text)), 1);
    (void)snprintf(wanted, sizeof(wanted), "PID %ld", (long)run.pid);
    ck_assert_msg(strstr(log_text, wanted) != NULL, "%s", log_text);
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"status\"}"), 0); /* the first one is unharmed */
    run_stop(&run, STOP_MS);
    run_start(&run, (const char *[]){ NULL }); /* and the store is free afterwards */
}
END_TEST

START_TEST(a_socket_left_by_a_killed_daemon_is_no_obstacle)
{
    run_start(&run, (const char *[]){ NULL });
    stop(run.pid, SIGKILL);
    ck_assert_int_eq(access(run.socket, F_OK), 0);
    run_start(&run, (const char *[]){ NULL });
}
END_TEST

START_TEST(a_good_config_is_put_in_force_by_hup)
{
    run_write_config(&run, "{ " NOBODY ", \"interval\": \"10s\" }");
    run_start(&run, (const char *[]){ "--config", run.config, NULL });
    run_write_config(&run, "{ " NOBODY ", \"interval\": \"200ms\" }");
    ck_assert_int_eq(kill(run.pid, SIGHUP), 0);
    run_wait_number(&run, "reloads", 1);
    run_wait_text(&run, "{\"interval_ms\":200,\"members\":1}"); /* the host's group */
}
END_TEST

START_TEST(a_bad_config_keeps_the_old_one_and_says_where)
{
    run_write_config(&run, "{ " NOBODY ", \"interval\": \"300ms\" }");
    run_start(&run, (const char *[]){ "--config", run.config, NULL });
    run_write_config(&run, "{ " NOBODY ",\n  \"intervall\": \"1s\" }");
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"reload\"}"), 0);
    ck_assert_msg(strstr(run.answer, "did you mean \\\"interval\\\"?") != NULL, "%s", run.answer);
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"status\"}"), 0);
    ck_assert_int_eq(run_number(&run, "error_line"), 2);
    ck_assert_int_eq(run_number(&run, "interval_ms"), 300);
    run_write_config(&run, "{ " NOBODY ", \"interval\": \"400ms\" }");
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"reload\"}"), 0);
    ck_assert_str_eq(run.answer, "{\"ok\":true}");
    ck_assert_int_eq(run_ask(&run, "{\"cmd\":\"status\"}"), 0);
    ck_assert_int_eq(run_number(&run, "error_line"), -1);
    ck_assert_int_eq(run_number(&run, "interval_ms"), 400);
}
END_TEST

START_TEST(a_bad_config_at_start_is_an_error_with_its_place)
{
    run_write_config(&run, "{ \"interval\": \"fast\" }");
    ck_assert_int_eq(run_to_end(&run, (const char *[]){ "--config", run.config, NULL }, log_text,
                                sizeof(log_text)),
                     1);
    ck_assert_msg(strstr(log_text, ":1:15:") != NULL, "%s", log_text);
}
END_TEST

START_TEST(wrong_usage_is_status_2)
{
    ck_assert_int_eq(
        run_to_end(&run, (const char *[]){ "--intervall", "1s", NULL }, log_text, sizeof(log_text)),
        2);
    ck_assert_ptr_nonnull(strstr(log_text, "did you mean --interval"));
}
END_TEST

START_TEST(ticks_that_were_missed_are_counted)
{
    const struct timespec pause = { .tv_nsec = 900000000 };
    int64_t made = 0;

    run_write_config(&run, "{ " NOBODY ", \"interval\": \"100ms\" }");
    run_start(&run, (const char *[]){ "--config", run.config, NULL });
    run_wait_number(&run, "made", 3);
    ck_assert_int_eq(kill(run.pid, SIGSTOP), 0);
    (void)nanosleep(&pause, NULL); /* the gap itself, not a wait for something */
    ck_assert_int_eq(kill(run.pid, SIGCONT), 0);
    run_wait_number(&run, "skipped", 7);
    made = run_number(&run, "made");
    run_wait_number(&run, "made", made + 3); /* and it goes on */
}
END_TEST

/* What a service manager hears over its socket. */
START_TEST(the_service_manager_is_told)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval timeout = { .tv_sec = 20 };
    char text[512] = "";
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/notify", run.dir);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    (void)setenv("NOTIFY_SOCKET", address.sun_path, 1);
    (void)setenv("WATCHDOG_USEC", "100000", 1);
    run_start(&run, (const char *[]){ NULL });
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
    ck_assert_int_eq(strncmp(text, "READY=1\n", 8), 0);
    memset(text, 0, sizeof(text));
    ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
    ck_assert_str_eq(text, "WATCHDOG=1");
    ck_assert_int_eq(kill(run.pid, SIGTERM), 0);
    while (strcmp(text, "STOPPING=1") != 0) {
        memset(text, 0, sizeof(text));
        ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
    }
    (void)close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("daemon_control");
    TCase *control = tcase_create("control");
    TCase *config = tcase_create("config");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(control, setup, teardown);
    tcase_add_checked_fixture(config, setup, teardown);
    tcase_add_test(control, status_is_one_line_of_json);
    tcase_add_test(control, nonsense_is_answered_and_does_no_harm);
    tcase_add_test(control, several_lines_at_once_are_answered_in_turn);
    tcase_add_test(control, a_line_without_end_is_cut_off);
    tcase_add_test(control, clients_beyond_the_sixteenth_are_turned_away);
    tcase_add_test(control, the_socket_is_for_owner_and_group);
    tcase_add_test(control, another_user_may_ask_for_the_status_alone);
    tcase_add_test(control, stop_ends_it);
    tcase_add_test(control, a_second_daemon_on_the_same_store_is_refused);
    tcase_add_test(control, a_socket_left_by_a_killed_daemon_is_no_obstacle);
    tcase_add_test(control, the_service_manager_is_told);
    tcase_add_test(control, ticks_that_were_missed_are_counted);
    tcase_add_test(config, a_good_config_is_put_in_force_by_hup);
    tcase_add_test(config, a_bad_config_keeps_the_old_one_and_says_where);
    tcase_add_test(config, a_bad_config_at_start_is_an_error_with_its_place);
    tcase_add_test(config, wrong_usage_is_status_2);
    suite_add_tcase(suite, control);
    suite_add_tcase(suite, config);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
