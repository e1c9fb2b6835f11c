/* What the tests of running programs share: children that cannot outlive the test, leakers, and the daemon's acknowledgements. */
#ifndef OC_TESTS_INTEGRATION_HARNESS_H
#define OC_TESTS_INTEGRATION_HARNESS_H

#include "tests/support/folder.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ACK_FD 9 /* where a daemon under test writes its acknowledgements */
#define MAX_LEAKERS 64

/* ---- small things ---- */
int64_t now_ms(void); /* CLOCK_MONOTONIC */

/* Says on standard error what went wrong. Returns -1. */
int fail(const char *what, const char *detail);

uint64_t from_environment(const char *name, uint64_t otherwise);

/* ---- children ---- */

/* Starts argv[0], with from_fd as its descriptor as_fd. It is killed when this program ends. Its pid, or -1. */
pid_t start(char *const argv[], int from_fd, int as_fd);

/* Waits for its end until the deadline (now_ms() axis). 0 and *out_status as waitpid() gives it, or -1: still there. */
int wait_end(pid_t pid, int64_t deadline_ms, int *out_status);

/* As start(), and returns once it wrote a line to its standard output, as the leaker does; -1: it did not. */
pid_t start_ready(char *const argv[]);

/* Sends it a signal and waits for its end. No pid (≤ 0): nothing. */
void stop(pid_t pid, int signal_number);

/* ---- leakers ---- */
struct leakers {
    pid_t pids[MAX_LEAKERS];
    size_t count;
};

/* Starts `count` of all kinds of growth, a few MiB each, and writes their pids to a file for --pids-from. 0 or -1. */
int leakers_start(struct leakers *leakers, const char *program, size_t count, const char *pid_file);
void leakers_stop(struct leakers *leakers);

/* ---- acknowledgements: "SOURCE T_MS" lines of --ack-fd ---- */
struct ack {
    uint32_t source;
    int64_t t_ms; /* CLOCK_BOOTTIME */
};

struct acks {
    struct ack *items;
    size_t count, capacity;
    int fd;            /* of the daemon that is running now */
    size_t line_bytes; /* of a line that has not ended yet */
    char text[65536];
};

/* From now on from this descriptor; what is left of another daemon's last line is forgotten. */
void acks_from(struct acks *acks, int fd);

/* Takes what waits. A line without its end was cut by a kill: it counts for nothing. 1, 0 at the end, -1. */
int acks_take(struct acks *acks);

/* Reads until the deadline. 0, or -1 when the daemon ended. */
int acks_until(struct acks *acks, int64_t deadline_ms);

/* Reads until something is acknowledged. 0; -1 when the daemon ended or the deadline passed. */
int acks_first(struct acks *acks, int64_t deadline_ms);

void acks_clear(struct acks *acks);

#endif
