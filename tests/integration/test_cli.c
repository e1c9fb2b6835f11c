/*
 * The program oomcast, as people and scripts run it: watch and doctor by themselves; top, history,
 * lives and status beside a daemon that watches three leakers, and offline once it has stopped.
 */
#include "base/metric.h"
#include "tests/integration/cli_run.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (INT64_C(1) << 20)
#define FIRST_ACK_DEADLINE_MS 30000
#define DEADLINE_MS 20000
#define WATCH_MS 3000
#define HOSTILE "a) R (\n\033[2Jb"

enum { LINE, IDLE, EVIL, LEAKERS };

static pid_t leakers[LEAKERS], daemon_pid;
static char dir[128];

/* ---- watch, doctor, usage: no daemon ---- */

START_TEST(watch_passes_the_exit_code_on)
{
    ck_assert_int_eq(run("\"$O\" watch -- sh -c 'echo hello; exit 7'"), 7);
    ck_assert_str_eq(out, "hello\n"); /* the command's alone */
    ck_assert(holds(err, "exit code 7"));
    ck_assert_int_eq(run("\"$O\" watch -- sh -c 'kill -9 $$'"), 128 + SIGKILL);
    ck_assert(holds(err, "killed by SIGKILL"));
    ck_assert_int_eq(run("\"$O\" watch -- /nonexistent"), 127);
    ck_assert_int_eq(run("\"$O\" watch -- /etc/passwd"), 126);
    ck_assert_int_eq(run("\"$O\" watch -- true"), 0);
}
END_TEST

START_TEST(watch_measures_a_run)
{
    cJSON *root, *figures, *private_bytes;
    char line[512];

    (void)snprintf(line, sizeof(line), "\"$O\" watch --json -- '%s' step --base 20M --for 1",
                   getenv("OC_LEAKER"));
    ck_assert_int_eq(run(line), 0);
    root = json(); /* what the leaker says went to standard error */
    ck_assert(holds(err, "ready"));
    figures = cJSON_GetObjectItem(root, "figures");
    private_bytes = cJSON_GetObjectItem(figures, "private_bytes");
    ck_assert_double_ge(number(private_bytes, "max"), 20.0 * MIB);
    ck_assert_double_le(number(private_bytes, "max"), 24.0 * MIB);
    ck_assert_double_ge(number(root, "samples"), 8);
    ck_assert_double_le(number(root, "samples"), 13);
    ck_assert_double_eq_tol(number(root, "exit_code"), 0, 1e-9);
    cJSON_Delete(root);
}
END_TEST

START_TEST(watch_adds_up_what_a_command_starts)
{
    static const char *const shapes[] = { "", "--alone" };
    cJSON *root, *private_bytes;
    char line[1024];

    (void)snprintf(line, sizeof(line),
                   "\"$O\" watch --json %s -- sh -c \"'%s' idle --base 20M --for 1 & '%s' idle "
                   "--base 20M --for 1; wait\"",
                   shapes[_i], getenv("OC_LEAKER"), getenv("OC_LEAKER"));
    ck_assert_int_eq(run(line), 0);
    root = json();
    private_bytes = cJSON_GetObjectItem(cJSON_GetObjectItem(root, "figures"), "private_bytes");
    ck_assert_double_eq_tol(number(root, "processes"), _i == 0 ? 3 : 1, 1e-9);
    if (_i == 0)
        ck_assert_double_ge(number(private_bytes, "max"), 40.0 * MIB);
    else
        ck_assert_double_le(number(private_bytes, "max"), 2.0 * MIB);
    cJSON_Delete(root);
}
END_TEST

START_TEST(watch_passes_signals_on)
{
    char command[1024];
    int out_fd, err_fd, status = 0;
    char ready[8] = "";
    pid_t pid;

    (void)snprintf(command, sizeof(command),
                   "exec '%s' watch -- sh -c 'trap \"exit 9\" TERM; echo ready; while :; do sleep "
                   "0.05; done'",
                   oomcast());
    pid = start_with_pipes(command, &out_fd, &err_fd);
    ck_assert_int_gt(read(out_fd, ready, sizeof(ready) - 1), 0);
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    ck_assert_int_eq(wait_end(pid, now_ms() + DEADLINE_MS, &status), 0);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 9);
    (void)close(out_fd);
    (void)close(err_fd);
}
END_TEST

START_TEST(watch_of_a_pid_ends_with_it)
{
    char line[512];

    (void)snprintf(line, sizeof(line),
                   "'%s' idle --base 5M --for 1 --exit 3 > /dev/null & \"$O\" watch -i 100ms $!",
                   getenv("OC_LEAKER"));
    ck_assert_int_eq(run(line), 0);
    ck_assert_msg(holds(out, "exit code 3") || holds(out, "; ended"), "%s", out);
    ck_assert(holds(out, "private_bytes"));
}
END_TEST

START_TEST(watch_writes_files)
{
    char line[1024];

    (void)snprintf(line, sizeof(line),
                   "cd '%s' && \"$O\" watch --for 500ms -i 50ms --out w.csv --plot w.svg $$ && cat "
                   "w.csv && tail -c 7 w.svg",
                   dir);
    ck_assert_int_eq(run(line), 0);
    ck_assert(holds(out, "time,elapsed_ms,private_bytes,"));
    ck_assert(holds(out, "</svg>"));
    ck_assert_int_eq(run("\"$O\" watch --for 100ms --out /nonexistent/x.csv $$"), 1);
    ck_assert(holds(err, "cannot write /nonexistent/x.csv"));
}
END_TEST

static const struct {
    const char *line;
    int exit_code;
    const char *says;
} wrong[] = {
    { "\"$O\" hisotry x", 2, "did you mean 'history'" },
    { "\"$O\" top --srot rss", 2, "did you mean '--sort'" },
    { "\"$O\" hist x", 2, "did you mean 'history'" },
    { "\"$O\" history", 2, "something is missing" },
    { "\"$O\" --db /nonexistent", 2, "a command is missing" },
    { "\"$O\" --db /nonexistent top", 1, "no store at /nonexistent" },
    { "\"$O\" watch 4294967295", 1, "no process" },
    { "\"$O\" watch abc", 2, "behind '--'" },
    { "\"$O\" top --db /nonexistent", 1, "oomcastd" },
    { "\"$O\" top --db /etc", 1, "no store at /etc/oomcast.db" },
    { "\"$O\" top --db /etc/passwd", 1, "/etc/passwd is not an oomcast store" },
    { "\"$O\" status --db /nonexistent", 1, "/nonexistent/oomcastd.sock" },
    { "\"$O\" history host nope", 2, "'oomcast metrics' lists them" },
    { "\"$O\" status --db /nonexistent/oomcast.db", 1, "start it" },
    { "\"$O\" help > /dev/full", 1, "cannot write" },
};

START_TEST(errors_say_what_to_do)
{
    ck_assert_int_eq(run(wrong[_i].line), wrong[_i].exit_code);
    ck_assert_msg(holds(err, wrong[_i].says), "%s: %s", wrong[_i].line, err);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(doctor_says_what_can_be_read)
{
    cJSON *root;

    ck_assert_int_eq(run("\"$O\" doctor --db /nonexistent"), 0);
    ck_assert(holds(out, "private_bytes"));
    ck_assert(holds(out, "start the daemon"));
    ck_assert_int_eq(run("\"$O\" doctor --json $$"), 0);
    root = json();
    ck_assert_int_gt(cJSON_GetArraySize(cJSON_GetObjectItem(root, "findings")), 20);
    cJSON_Delete(root);
    ck_assert_int_eq(run("\"$O\" doctor 4294967295"), 1);
}
END_TEST

/* ---- beside a daemon ---- */

static pid_t start_daemon(int ack_fd)
{
    char pid_file[160], ack_text[16];
    char *argv[] = { getenv("OC_OOMCASTD"),
                     "--foreground",
                     "--pids-from",
                     pid_file,
                     "--interval",
                     "100ms",
                     "--data",
                     dir,
                     "--ack-fd",
                     ack_text,
                     NULL };
    FILE *file;

    (void)snprintf(pid_file, sizeof(pid_file), "%s/pids", dir);
    (void)snprintf(ack_text, sizeof(ack_text), "%d", ACK_FD);
    file = fopen(pid_file, "we");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < LEAKERS; i++)
        fprintf(file, "%ld\n", (long)leakers[i]);
    ck_assert_int_eq(fclose(file), 0);
    return start(argv, ack_fd, ACK_FD);
}

static void set_up(void)
{
    static struct acks acks;
    char *leaker = getenv("OC_LEAKER");
    char *commands[LEAKERS][8] = {
        [LINE] = { leaker, "line", "--base", "10M", "--rate", "4M", NULL },
        [IDLE] = { leaker, "idle", "--base", "3M", NULL },
        [EVIL] = { leaker, "idle", "--name", HOSTILE, NULL },
    };
    int ends[2];

    ck_assert_int_eq(make_folder("oomcast-cli", dir, sizeof(dir)), 0);
    ck_assert_int_eq(setenv("OOMCAST_DB", dir, 1), 0);
    for (size_t i = 0; i < LEAKERS; i++) {
        leakers[i] = start_ready(commands[i]);
        ck_assert_int_gt(leakers[i], 0);
    }
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    acks_from(&acks, ends[0]);
    daemon_pid = start_daemon(ends[1]);
    (void)close(ends[1]);
    ck_assert_int_eq(acks_first(&acks, now_ms() + FIRST_ACK_DEADLINE_MS), 0);
    ck_assert_int_eq(acks_until(&acks, now_ms() + WATCH_MS), 0);
    /* The pipe stays open: the daemon goes on writing to it, more slowly than it can fill. */
    acks_clear(&acks);
}

static void tear_down(void)
{
    stop(daemon_pid, SIGTERM);
    for (size_t i = 0; i < LEAKERS; i++)
        stop(leakers[i], SIGKILL);
    remove_folder(dir);
}

static const cJSON *process_of(const cJSON *list, pid_t pid)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        if ((pid_t)number(item, "pid") == pid)
            return item;
    }
    ck_abort_msg("pid %ld is not there: %.300s", (long)pid, out);
    return NULL;
}

static void check_top(void)
{
    cJSON *root;

    ck_assert_int_eq(run("\"$O\" top --json"), 0);
    root = json();
    ck_assert_double_ge(
        number(process_of(cJSON_GetObjectItem(root, "processes"), leakers[LINE]), "private_bytes"),
        11.0 * MIB);
    cJSON_Delete(root);
    ck_assert_int_eq(run("\"$O\" top --sort change -n 1"), 0);
    ck_assert_msg(holds(out, "proc:leaker"), "%s", out);
}

static void check_history(void)
{
    char line[256];
    cJSON *root, *first_line;

    (void)snprintf(line, sizeof(line), "\"$O\" history %ld --samples --json", (long)leakers[LINE]);
    ck_assert_int_eq(run(line), 0);
    root = json();
    first_line = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "lines"), 0);
    ck_assert_double_ge(number(first_line, "samples"), 20);
    ck_assert_double_ge(number(first_line, "last") - number(first_line, "first"), 8.0 * MIB);
    cJSON_Delete(root);
    ck_assert_int_eq(run("\"$O\" history leaker rss --step 1s --csv"), 0);
    ck_assert(holds(out, ",proc:leaker,,rss_bytes,"));
    ck_assert_int_eq(run("\"$O\" history proc:leaker --chart"), 0);
    ck_assert(holds(out, "(2 lives, summed up)"));
    ck_assert_int_eq(run("\"$O\" history leeaker"), 1);
    ck_assert(holds(err, "oomcast lives"));
    ck_assert_int_eq(run("\"$O\" history host rss"), 1);
    ck_assert_msg(holds(err, "is a metric of a process"), "%s", err);
}

static void check_lives(void)
{
    cJSON *root;

    ck_assert_int_eq(run("\"$O\" lives --json"), 0);
    root = json();
    ck_assert_int_eq(cJSON_GetArraySize(root), LEAKERS);
    ck_assert(cJSON_HasObjectItem(process_of(root, leakers[LINE]), "private_bytes"));
    cJSON_Delete(root);
    ck_assert_int_eq(run("\"$O\" lives --csv"), 0);
    ck_assert(holds(out, "subject,pid,begin,"));
}

START_TEST(questions_are_answered_while_it_writes)
{
    check_top();
    check_history();
    check_lives();
}
END_TEST

START_TEST(status_is_the_daemons)
{
    cJSON *root;

    ck_assert_int_eq(run("\"$O\" status"), 0);
    ck_assert(holds(out, "oomcastd "));
    ck_assert_int_eq(run("\"$O\" status --json"), 0);
    root = json();
    ck_assert_double_eq_tol(
        number(cJSON_GetObjectItem(cJSON_GetObjectItem(root, "daemon"), "targets"), "processes"),
        LEAKERS, 1e-9);
    cJSON_Delete(root);
    ck_assert_int_eq(run("\"$O\" walk-now"), 0);
    ck_assert_int_eq(run("\"$O\" walk-now x"), 2);
}
END_TEST

START_TEST(hostile_names_reach_no_terminal)
{
    static const char *const lines[] = { "\"$O\" top",
                                         "\"$O\" top --each",
                                         "\"$O\" lives",
                                         "\"$O\" history 'proc:a) R*' --chart",
                                         "\"$O\" history 'proc:a) R*' --table",
                                         "\"$O\" history 'proc:a) R*' --json" };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        ck_assert_msg(run(lines[i]) == 0, "%s: %s", lines[i], err);
        ck_assert_msg(!holds(out, "\033"), "%s", lines[i]);
    }
    ck_assert_int_eq(run("\"$O\" lives \"$(printf 'x\\033[2J')\""), 0);
    ck_assert_int_eq(run("\"$O\" history \"$(printf 'x\\033[2J')\""), 1);
    ck_assert(!holds(err, "\033"));
}
END_TEST

/* ---- a terminal ---- */

/* Runs it on a terminal of 80 × 24 until it ends; typed goes in once the screen is drawn. */
static int run_on_terminal(char *const argv[], const char *typed, int signal_number)
{
    struct winsize size = { .ws_row = 24, .ws_col = 80 };
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    int fd = -1, status = 0;
    size_t len = 0;
    pid_t pid;

    ck_assert_ptr_nonnull(argv[0]);
    pid = forkpty(&fd, NULL, NULL, &size);
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)setenv("TERM", "xterm", 1);
        (void)setenv("LC_ALL", "C.UTF-8", 1);
        (void)execv(argv[0], argv);
        _exit(125);
    }
    while (now_ms() < deadline_ms) {
        ssize_t got = read(fd, out + len, CLI_MAX_ANSWER - 1 - len);

        if (got <= 0)
            break;
        len += (size_t)got;
        out[len] = '\0';
        if (!holds(out, "q quit"))
            continue;
        if (typed)
            ck_assert_int_eq(write(fd, typed, strlen(typed)), (ssize_t)strlen(typed));
        if (signal_number)
            ck_assert_int_eq(kill(pid, signal_number), 0);
        typed = NULL;
        signal_number = 0;
    }
    ck_assert_int_eq(wait_end(pid, now_ms() + DEADLINE_MS, &status), 0);
    (void)close(fd);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void check_restored(void)
{
    const char *leave = strstr(out, "\033[?1049l");

    ck_assert_msg(strncmp(out, "\033[?1049h", 8) == 0, "%.40s", out);
    ck_assert_ptr_nonnull(leave);
    ck_assert(holds(out, "\033[?25h"));
    ck_assert_ptr_null(strstr(leave, "\033[?1049h"));
}

START_TEST(top_gives_the_terminal_back)
{
    char *live[] = { getenv("OC_OOMCAST"), "top", "-i", "200ms", NULL };
    char *limited[] = { getenv("OC_OOMCAST"), "top", "--for", "500ms", NULL };

    ck_assert_int_eq(run_on_terminal(live, "cR\033[Be?xq", 0),
                     0); /* keys, a sequence, help, quit */
    check_restored();
    ck_assert_int_eq(run_on_terminal(live, "\003", 0), 0);
    check_restored();
    ck_assert_int_eq(run_on_terminal(live, NULL, SIGTERM), 0);
    check_restored();
    ck_assert_int_eq(run_on_terminal(limited, NULL, 0), 0);
    check_restored();
    ck_assert(holds(strstr(out, "\033[?1049l"), "proc:leaker")); /* the last look stays */
}
END_TEST

/* Last: it stops the daemon. */
START_TEST(questions_are_answered_offline)
{
    int status = 0;

    ck_assert_int_eq(kill(daemon_pid, SIGTERM), 0);
    ck_assert_int_eq(wait_end(daemon_pid, now_ms() + DEADLINE_MS, &status), 0);
    daemon_pid = 0;
    check_history();
    check_lives();
    ck_assert_int_eq(run("\"$O\" status"), 1);
    ck_assert(holds(err, "start it"));
    ck_assert(holds(out, "samples from"));
    ck_assert_int_eq(run("\"$O\" reload"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli");
    TCase *tcase = tcase_create("cli");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tcase, 0);
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, watch_passes_the_exit_code_on);
    tcase_add_test(tcase, watch_measures_a_run);
    tcase_add_loop_test(tcase, watch_adds_up_what_a_command_starts, 0, 2);
    tcase_add_test(tcase, watch_passes_signals_on);
    tcase_add_test(tcase, watch_of_a_pid_ends_with_it);
    tcase_add_test(tcase, watch_writes_files);
    tcase_add_loop_test(tcase, errors_say_what_to_do, 0, sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(tcase, doctor_says_what_can_be_read);
    tcase_add_test(tcase, questions_are_answered_while_it_writes);
    tcase_add_test(tcase, status_is_the_daemons);
    tcase_add_test(tcase, hostile_names_reach_no_terminal);
    tcase_add_test(tcase, top_gives_the_terminal_back);
    tcase_add_test(tcase, questions_are_answered_offline);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
