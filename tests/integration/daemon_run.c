#include "tests/integration/daemon_run.h"

#include "tests/integration/harness.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORDS 24
#define POLL_US 10000
#define ANSWER_S 10

static char *word(const char *text) { return (char *)(uintptr_t)text; }

static void make_command(const struct daemon_run *run, const char *const *words,
                         char *out_argv[MAX_WORDS])
{
    size_t count = 0;
    const char *program = getenv("OC_OOMCASTD");

    ck_assert_msg(program != NULL, "OC_OOMCASTD names the program under test");
    out_argv[count++] = word(program);
    out_argv[count++] = word("--data");
    out_argv[count++] = word(run->dir);
    while (words && *words && count < MAX_WORDS - 1)
        out_argv[count++] = word(*words++);
    out_argv[count] = NULL;
}

void run_setup(struct daemon_run *run)
{
    memset(run, 0, sizeof(*run));
    ck_assert_int_eq(make_folder("daemon", run->dir, sizeof(run->dir)), 0);
    (void)snprintf(run->socket, sizeof(run->socket), "%s/oomcastd.sock", run->dir);
    (void)snprintf(run->config, sizeof(run->config), "%s/config.json", run->dir);
    (void)snprintf(run->pids, sizeof(run->pids), "%s/pids", run->dir);
}

void run_teardown(struct daemon_run *run)
{
    stop(run->pid, SIGKILL);
    remove_folder(run->dir);
}

void run_start(struct daemon_run *run, const char *const *words)
{
    char *argv[MAX_WORDS];
    int64_t deadline_ms = now_ms() + READY_DEADLINE_MS;
    int status = 0;

    make_command(run, words, argv);
    run->pid = start(argv, STDIN_FILENO, STDIN_FILENO);
    ck_assert_int_gt(run->pid, 0);
    while (run_ask(run, "{\"cmd\":\"status\"}") != 0) {
        ck_assert_int_lt(now_ms(), deadline_ms);
        ck_assert_msg(wait_end(run->pid, now_ms(), &status) != 0, "it ended: %d", status);
        (void)usleep(POLL_US);
    }
}

static void copy_log(int fd, char *out_log, size_t log_bytes)
{
    size_t len = 0;
    ssize_t got = 0;

    while (len + 1 < log_bytes && (got = read(fd, out_log + len, log_bytes - len - 1)) > 0)
        len += (size_t)got;
    out_log[len] = '\0';
}

int run_to_end(struct daemon_run *run, const char *const *words, char *out_log, size_t log_bytes)
{
    char *argv[MAX_WORDS];
    int ends[2];
    int status = -1;
    pid_t pid = 0;

    make_command(run, words, argv);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid = start(argv, ends[1], STDERR_FILENO);
    ck_assert_int_gt(pid, 0);
    (void)close(ends[1]);
    copy_log(ends[0], out_log, log_bytes);
    (void)close(ends[0]);
    ck_assert_int_eq(wait_end(pid, now_ms() + READY_DEADLINE_MS, &status), 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int64_t run_stop(struct daemon_run *run, int64_t max_ms)
{
    int64_t begin_ms = now_ms();
    int status = -1;

    ck_assert_int_eq(kill(run->pid, SIGTERM), 0);
    ck_assert_msg(wait_end(run->pid, begin_ms + max_ms, &status) == 0, "it did not end in time");
    run->pid = 0;
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %d", status);
    return now_ms() - begin_ms;
}

int run_connect(const struct daemon_run *run)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval timeout = { .tv_sec = ANSWER_S };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_uint_lt(strlen(run->socket), sizeof(address.sun_path));
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", run->socket);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static int read_line(int fd, char *out, size_t out_bytes)
{
    size_t len = 0;

    while (len + 1 < out_bytes) {
        ssize_t got = read(fd, out + len, out_bytes - len - 1);

        if (got <= 0)
            break;
        len += (size_t)got;
        if (out[len - 1] == '\n') {
            out[len - 1] = '\0';
            return 0;
        }
    }
    out[len] = '\0';
    return -1;
}

int run_ask(struct daemon_run *run, const char *line)
{
    int fd = run_connect(run);
    int rc = -1;

    if (fd < 0)
        return -1;
    if (send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line) &&
        send(fd, "\n", 1, MSG_NOSIGNAL) == 1)
        rc = read_line(fd, run->answer, sizeof(run->answer));
    (void)close(fd);
    return rc;
}

int64_t run_number(const struct daemon_run *run, const char *key)
{
    char pattern[80];
    const char *at = NULL;

    (void)snprintf(pattern, sizeof(pattern), "\"%s\":", key);
    at = strstr(run->answer, pattern);
    return at ? strtoll(at + strlen(pattern), NULL, 10) : -1;
}

void run_wait_number(struct daemon_run *run, const char *key, int64_t least)
{
    int64_t deadline_ms = now_ms() + READY_DEADLINE_MS;

    for (;;) {
        ck_assert_int_eq(run_ask(run, "{\"cmd\":\"status\"}"), 0);
        if (run_number(run, key) >= least)
            return;
        ck_assert_msg(now_ms() < deadline_ms, "%s: %s", key, run->answer);
        (void)usleep(POLL_US);
    }
}

void run_wait_text(struct daemon_run *run, const char *text)
{
    int64_t deadline_ms = now_ms() + READY_DEADLINE_MS;

    for (;;) {
        ck_assert_int_eq(run_ask(run, "{\"cmd\":\"status\"}"), 0);
        if (strstr(run->answer, text))
            return;
        ck_assert_msg(now_ms() < deadline_ms, "%s: %s", text, run->answer);
        (void)usleep(POLL_US);
    }
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

void run_write_config(struct daemon_run *run, const char *text) { write_file(run->config, text); }

void run_write_pids(struct daemon_run *run, const pid_t *pids, size_t count)
{
    char text[4096] = "";
    size_t len = 0;

    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%ld\n", (long)pids[i]);
    write_file(run->pids, text);
}
