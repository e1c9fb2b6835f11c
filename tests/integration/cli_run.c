#include "tests/integration/cli_run.h"

#include "tests/integration/harness.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

char out[CLI_MAX_ANSWER], err[CLI_MAX_ANSWER];

const char *oomcast(void) { return getenv("OC_OOMCAST"); }

/* Reads both pipes to their ends, or to the deadline. */
static void read_both(int out_fd, int err_fd)
{
    struct pollfd polls[2] = { { out_fd, POLLIN, 0 }, { err_fd, POLLIN, 0 } };
    char *texts[2] = { out, err };
    size_t lens[2] = { 0, 0 };
    int64_t deadline_ms = now_ms() + CLI_DEADLINE_MS;

    while ((polls[0].fd >= 0 || polls[1].fd >= 0) && now_ms() < deadline_ms) {
        (void)poll(polls, 2, 1000);
        for (int i = 0; i < 2; i++) {
            ssize_t got;

            if (polls[i].fd < 0 || !polls[i].revents)
                continue;
            got = read(polls[i].fd, texts[i] + lens[i], CLI_MAX_ANSWER - 1 - lens[i]);
            if (got > 0)
                lens[i] += (size_t)got;
            else
                polls[i].fd = -1;
        }
    }
    out[lens[0]] = err[lens[1]] = '\0';
}

pid_t start_with_pipes(const char *command, int *out_fd, int *err_fd)
{
    int outs[2], errs[2];
    pid_t pid;

    ck_assert_int_eq(pipe2(outs, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(errs, O_CLOEXEC), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

        (void)dup2(null, 0);
        (void)dup2(outs[1], 1);
        (void)dup2(errs[1], 2);
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(125);
    }
    (void)close(outs[1]);
    (void)close(errs[1]);
    *out_fd = outs[0];
    *err_fd = errs[0];
    return pid;
}

int run(const char *line)
{
    char command[2048];
    int out_fd, err_fd, status = 0;
    pid_t pid;

    (void)snprintf(command, sizeof(command), "O='%s'; %s", oomcast(), line);
    pid = start_with_pipes(command, &out_fd, &err_fd);
    read_both(out_fd, err_fd);
    ck_assert_int_eq(wait_end(pid, now_ms() + CLI_DEADLINE_MS, &status), 0);
    (void)close(out_fd);
    (void)close(err_fd);
    ck_assert_msg(WIFEXITED(status), "%s: %s", line, err);
    return WEXITSTATUS(status);
}

cJSON *json(void)
{
    cJSON *root = cJSON_Parse(out);

    ck_assert_msg(root != NULL, "no JSON: %.200s%.200s", out, err);
    return root;
}

double number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    ck_assert_msg(cJSON_IsNumber(item), "no number '%s'", key);
    return item->valuedouble;
}

int holds(const char *text, const char *part) { return strstr(text, part) != NULL; }
