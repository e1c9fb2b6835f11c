#include "tests/integration/harness.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LEAKER_SECONDS "1800" /* they end before that, with this program */
#define READY_DEADLINE_MS 10000
#define MAX_ACKS 4000000u

int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int fail(const char *what, const char *detail)
{
    fprintf(stderr, "%s: %s\n", what, detail);
    return -1;
}

uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

/* ---- children ---- */

pid_t start(char *const argv[], int from_fd, int as_fd)
{
    const pid_t pid = fork();

    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* dup2 onto itself would leave FD_CLOEXEC set */
    if (from_fd == as_fd ? fcntl(as_fd, F_SETFD, 0) != 0 : dup2(from_fd, as_fd) < 0)
        _exit(126);
    execv(argv[0], argv);
    _exit(127);
}

int wait_end(pid_t pid, int64_t deadline_ms, int *out_status)
{
    const struct timespec pause = { .tv_nsec = 5000000 };

    for (;;) {
        if (waitpid(pid, out_status, WNOHANG) == pid)
            return 0;
        if (now_ms() >= deadline_ms)
            return -1;
        (void)nanosleep(&pause, NULL);
    }
}

void stop(pid_t pid, int signal_number)
{
    if (pid <= 0)
        return;
    (void)kill(pid, signal_number);
    (void)waitpid(pid, NULL, 0);
}

/* ---- leakers ---- */

/* "ready PID" */
static int wait_ready(int fd)
{
    char line[64] = "";
    struct pollfd wait = { .fd = fd, .events = POLLIN };

    return poll(&wait, 1, READY_DEADLINE_MS) == 1 && read(fd, line, sizeof(line) - 1) > 0 ? 0 : -1;
}

pid_t start_ready(char *const argv[])
{
    int ends[2];
    pid_t pid = -1;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid = start(argv, ends[1], STDOUT_FILENO);
    (void)close(ends[1]);
    if (pid > 0 && wait_ready(ends[0]) != 0) {
        stop(pid, SIGKILL);
        pid = -1;
    }
    (void)close(ends[0]);
    return pid;
}

static int start_leaker(struct leakers *leakers, const char *program)
{
    static const char *const kinds[] = { "line", "step", "sawtooth", "plateau", "memfd", "idle" };
    const char *kind = kinds[leakers->count % (sizeof(kinds) / sizeof(kinds[0]))];
    char *argv[] = { (char *)(uintptr_t)program,
                     (char *)(uintptr_t)kind,
                     "--rate",
                     "200K",
                     "--max",
                     "4M",
                     "--period",
                     "700",
                     "--for",
                     LEAKER_SECONDS,
                     NULL };
    const pid_t pid = start_ready(argv);

    if (pid <= 0)
        return -1;
    leakers->pids[leakers->count++] = pid;
    return 0;
}

int leakers_start(struct leakers *leakers, const char *program, size_t count, const char *pid_file)
{
    FILE *file = fopen(pid_file, "we");
    int rc = 0;

    if (!file)
        return fail(pid_file, strerror(errno));
    while (rc == 0 && leakers->count < count && leakers->count < MAX_LEAKERS) {
        rc = start_leaker(leakers, program);
        if (rc == 0)
            fprintf(file, "%ld\n", (long)leakers->pids[leakers->count - 1]);
    }
    if (fclose(file) != 0)
        rc = -1;
    return rc ? fail(program, "a leaker did not start") : 0;
}

void leakers_stop(struct leakers *leakers)
{
    for (size_t i = 0; i < leakers->count; i++)
        stop(leakers->pids[i], SIGKILL);
    leakers->count = 0;
}

/* ---- acknowledgements ---- */

/* "SOURCE T_MS" */
static int parse_ack(const char *line, struct ack *out_ack)
{
    char *end = NULL;
    const unsigned long source = strtoul(line, &end, 10);
    const char *rest = end;

    if (end == line || *end != ' ' || source > UINT32_MAX)
        return -1;
    out_ack->source = (uint32_t)source;
    out_ack->t_ms = strtoll(rest, &end, 10);
    return end > rest + 1 && *end == '\0' ? 0 : -1;
}

static int add_ack(struct acks *acks, const char *line)
{
    struct ack ack = { 0 };

    if (parse_ack(line, &ack) != 0)
        return fail("this is no acknowledgement", line);
    if (oc_array_grow((void **)&acks->items, &acks->capacity, acks->count + 1, sizeof(struct ack),
                      MAX_ACKS) != 0)
        return fail("acknowledgements", "too many");
    acks->items[acks->count++] = ack;
    return 0;
}

void acks_from(struct acks *acks, int fd)
{
    acks->fd = fd;
    acks->line_bytes = 0;
}

int acks_take(struct acks *acks)
{
    const ssize_t got =
        read(acks->fd, acks->text + acks->line_bytes, sizeof(acks->text) - 1 - acks->line_bytes);
    char *line = acks->text;
    char *end = NULL;

    if (got <= 0)
        return (int)got;
    acks->line_bytes += (size_t)got;
    acks->text[acks->line_bytes] = '\0';
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (add_ack(acks, line) != 0)
            return -1;
    }
    acks->line_bytes -= (size_t)(line - acks->text);
    memmove(acks->text, line, acks->line_bytes);
    return 1;
}

static int acks_wait(struct acks *acks, int64_t deadline_ms, size_t enough)
{
    while (now_ms() < deadline_ms && acks->count < enough) {
        struct pollfd wait = { .fd = acks->fd, .events = POLLIN };

        if (poll(&wait, 1, (int)(deadline_ms - now_ms()) + 1) > 0 && acks_take(acks) <= 0)
            return -1;
    }
    return 0;
}

int acks_until(struct acks *acks, int64_t deadline_ms)
{
    return acks_wait(acks, deadline_ms, SIZE_MAX);
}

int acks_first(struct acks *acks, int64_t deadline_ms)
{
    const size_t enough = acks->count + 1;

    return acks_wait(acks, deadline_ms, enough) == 0 && acks->count >= enough ? 0 : -1;
}

void acks_clear(struct acks *acks)
{
    oc_free(acks->items);
    acks->items = NULL;
    acks->count = acks->capacity = 0;
}
