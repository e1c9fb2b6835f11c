/*
 * Makes the Nth allocation of oomcastd fail, for one N after the other, from its start through its
 * first ticks. Each time it must either go on and stop cleanly, or end with status 1 and a word
 * about why: never by a signal, never hang.
 *
 * usage: alloc_sweep OOMCASTD LEAKER; OC_SWEEP_FIRST (1), OC_SWEEP_LAST (9000), OC_SWEEP_STEP (163).
 * With a daemon under AddressSanitizer leaks are found too: they end it with another status.
 */
#include "tests/integration/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAKERS 3
#define FIRST_ACK_DEADLINE_MS 20000
#define TICKS_MS 250 /* some ticks of 100 ms after the first commit */
#define STOP_DEADLINE_MS 10000
#define SANITIZER_STATUS "99"

struct sweep {
    char *oomcastd;
    char dir[128], pids[160], data[160];
    struct leakers leakers;
    struct acks acks;
    uint64_t ran_on, ended_early; /* outcomes */
};

static pid_t start_daemon(const struct sweep *sweep, uint64_t nth, int ack_fd)
{
    char nth_text[32] = "", ack_text[16] = "";
    char *argv[] = { sweep->oomcastd, "--foreground", "--pids-from", (char *)(uintptr_t)sweep->pids,
                     "--interval",    "100ms",        "--data",      (char *)(uintptr_t)sweep->data,
                     "--ack-fd",      ack_text,       NULL };

    (void)snprintf(ack_text, sizeof(ack_text), "%d", ACK_FD);
    (void)snprintf(nth_text, sizeof(nth_text), "%" PRIu64, nth);
    if (setenv("OOMCAST_FAIL_ALLOC", nth_text, 1) != 0)
        return -1;
    return start(argv, ack_fd, ACK_FD);
}

/* It goes on: then it stops when asked to. */
static int stop_it(pid_t pid, int *out_status)
{
    (void)kill(pid, SIGTERM);
    return wait_end(pid, now_ms() + STOP_DEADLINE_MS, out_status);
}

static int judge(struct sweep *sweep, uint64_t nth, int went_on, int status)
{
    const int good = WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 1);

    if (good && went_on)
        sweep->ran_on++;
    else if (good)
        sweep->ended_early++;
    else if (WIFSIGNALED(status))
        fprintf(stderr, "allocation %" PRIu64 ": killed by signal %d\n", nth, WTERMSIG(status));
    else
        fprintf(stderr, "allocation %" PRIu64 ": ended with status %d\n", nth, WEXITSTATUS(status));
    return good ? 0 : -1;
}

/* 0, or -1 where it crashed, hung or leaked. */
static int fail_one(struct sweep *sweep, uint64_t nth)
{
    int ends[2];
    int status = 0, ended = -1;
    int went_on = 0;
    pid_t pid = 0;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail("pipe", strerror(errno));
    acks_from(&sweep->acks, ends[0]);
    pid = start_daemon(sweep, nth, ends[1]);
    (void)close(ends[1]);
    if (pid > 0) {
        went_on = acks_first(&sweep->acks, now_ms() + FIRST_ACK_DEADLINE_MS) == 0 &&
                  acks_until(&sweep->acks, now_ms() + TICKS_MS) == 0;
        ended = stop_it(pid, &status);
    }
    (void)close(ends[0]);
    if (ended != 0 && pid > 0) {
        fprintf(stderr, "allocation %" PRIu64 ": it hangs\n", nth);
        stop(pid, SIGKILL);
    }
    return ended == 0 ? judge(sweep, nth, went_on, status) : -1;
}

static int sweep_all(struct sweep *sweep)
{
    const uint64_t last = from_environment("OC_SWEEP_LAST", 9000);
    const uint64_t step = from_environment("OC_SWEEP_STEP", 163);
    int rc = 0;

    for (uint64_t n = from_environment("OC_SWEEP_FIRST", 1); n <= last; n += step ? step : 1) {
        if (fail_one(sweep, n) != 0)
            rc = -1;
        if (n % 4 == 0) /* now and then an empty store, which makes its tables first */
            remove_folder(sweep->data);
    }
    return rc;
}

static int prepare(struct sweep *sweep, const char *leaker)
{
    if (make_folder("oomcast-sweep", sweep->dir, sizeof(sweep->dir)) != 0)
        return -1;
    (void)snprintf(sweep->pids, sizeof(sweep->pids), "%s/pids", sweep->dir);
    (void)snprintf(sweep->data, sizeof(sweep->data), "%s/data", sweep->dir);
    return leakers_start(&sweep->leakers, leaker, LEAKERS, sweep->pids);
}

int main(int argc, char **argv)
{
    static struct sweep sweep;
    int rc = -1;

    if (argc != 3) {
        fprintf(stderr, "usage: alloc_sweep OOMCASTD LEAKER\n");
        return 2;
    }
    sweep.oomcastd = argv[1];
    /* A leak must not look like the daemon's own "runtime error". */
    (void)setenv("ASAN_OPTIONS",
                 "detect_leaks=1:allocator_may_return_null=1:exitcode=" SANITIZER_STATUS, 1);
    (void)setenv("LSAN_OPTIONS", "exitcode=" SANITIZER_STATUS, 1);
    if (prepare(&sweep, argv[2]) == 0)
        rc = sweep_all(&sweep);
    leakers_stop(&sweep.leakers);
    printf("went on: %" PRIu64 ", ended with an error: %" PRIu64 "%s\n", sweep.ran_on,
           sweep.ended_early, rc ? ", and the failures above" : "");
    remove_folder(sweep.dir);
    acks_clear(&sweep.acks);
    return rc ? 1 : 0;
}
