/*
 * The program oomcast-notify as a child of the daemon, with a pipe each way. linux/ and windows/ fulfil it: Windows gives it a
 * token with hardly any rights, where on Linux it gives them up itself. All is the loop thread's.
 */
#ifndef OC_DAEMON_CHILD_H
#define OC_DAEMON_CHILD_H

#include <stdint.h>
#include <uv.h>

/* Its name beside this program. */
extern const char oc_child_program[];

typedef struct oc_child oc_child;

struct oc_child_start {
    const char *program;      /* its path */
    char *const *environment; /* "NAME=value", ends with NULL: all of it; borrowed for the call */
    /* It ended, once; not after oc_child_close(). signal_number: what ended it; 0: nothing did. */
    void (*ended)(void *context, int64_t status, int signal_number);
    void *context;
};

/*
 * Starts it. *in and *out, made by uv_pipe_init(), become the writing end of its standard input and the reading end of its
 * standard output; standard error is ours. 0, or libuv's code: nothing is to be closed but the pipes.
 */
int oc_child_start(uv_loop_t *loop, const struct oc_child_start *start, uv_pipe_t *in,
                   uv_pipe_t *out, oc_child **out_child);
uint32_t oc_child_pid(const oc_child *child);
/* At once. */
void oc_child_kill(oc_child *child);
/* Asks it to end; closing its standard input does too. */
void oc_child_ask_to_end(oc_child *child);
/* Lets go of it, ended or not; freed once the loop ran. NULL is allowed. */
void oc_child_close(oc_child *child);

#endif
