/* A real oomcastd under test: started in a folder of its own, asked through its control socket. */
#ifndef OC_TESTS_INTEGRATION_DAEMON_RUN_H
#define OC_TESTS_INTEGRATION_DAEMON_RUN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define READY_DEADLINE_MS 20000
#define MAX_ANSWER_BYTES 65536

struct daemon_run {
    char dir[128]; /* of the store */
    char socket[160];
    char config[160];
    char pids[160];
    pid_t pid;
    char answer[MAX_ANSWER_BYTES]; /* of the last question, without its newline */
};

/* Makes the folder. Asserts on failure, as all here do. */
void run_setup(struct daemon_run *run);
/* Kills what runs and removes the folder. */
void run_teardown(struct daemon_run *run);

/* Starts oomcastd with --data and these further words (ended by NULL), and waits until it answers. */
void run_start(struct daemon_run *run, const char *const *words);
/* Starts it with the words as they are, waits for its end, gives its exit status; what it said on
 * standard error goes to out_log. */
int run_to_end(struct daemon_run *run, const char *const *words, char *out_log, size_t log_bytes);

/* SIGTERM; it must end with status 0 within max_ms. Returns how long it took. */
int64_t run_stop(struct daemon_run *run, int64_t max_ms);

/* Sends a line and takes the answer into run->answer. 0, or -1: no connection or no answer. */
int run_ask(struct daemon_run *run, const char *line);
/* A connection to it, or -1. */
int run_connect(const struct daemon_run *run);

/* The number at a key of the last answer ("lost_samples"); the first with that name. -1: none. */
int64_t run_number(const struct daemon_run *run, const char *key);
/* Asks for the status until the number at key is at least least; asserts at the deadline. */
void run_wait_number(struct daemon_run *run, const char *key, int64_t least);
/* … until the answer contains the text. */
void run_wait_text(struct daemon_run *run, const char *text);

void run_write_config(struct daemon_run *run, const char *text);
void run_write_pids(struct daemon_run *run, const pid_t *pids, size_t count);

#endif
