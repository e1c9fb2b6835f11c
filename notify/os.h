/*
 * What the notifier needs of an OS beyond base/os.h, libuv and libcurl: rights, a digest, programs to be run. linux/ and
 * windows/ fulfil it, and rights.h, trust.h and the journal of transport.h.
 */
#ifndef OC_NOTIFY_OS_H
#define OC_NOTIFY_OS_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* First of all that is done: a closed pipe is an error and no signal. */
void oc_notify_os_init(void);

/* ---- secrets ---- */

#define OC_SHA256_BYTES 32

/* HMAC-SHA256. 0, OC_E_NOMEM. */
int oc_hmac_sha256(const void *key, size_t key_bytes, const void *data, size_t data_bytes,
                   unsigned char out[OC_SHA256_BYTES]);
/* Overwrites, also where the compiler sees that nobody reads it any more. */
void oc_wipe(void *bytes, size_t len_bytes);

/* ---- options that mean something else, or nothing, on another OS ---- */

/* What --help says of --user and --journal; NULL: not offered here. Borrowed for ever. */
const char *oc_user_option_text(void);
const char *oc_journal_option_text(void);
/* Where the log of the OS listens, with none named; "": it has no address. Borrowed for ever. */
const char *oc_journal_default(void);

/* ---- programs: each with all that it starts (Linux: a process group; Windows: a job) ---- */

typedef struct oc_program oc_program;

struct oc_program_start {
    char *const *argv;        /* ends with NULL; the first is the program's path */
    char *const *environment; /* "NAME=value"; ends with NULL: all of it */
    const char *input;        /* its standard input, borrowed for the call */
    size_t input_bytes;
    /* It ended, on the loop's thread: its status, and the signal that ended it or 0. */
    void (*ended)(void *context, int64_t status, int signal_number);
    void (*closed)(void *context); /* after oc_program_close() */
    void *context;
};

/* "NAME", "value" …, NULL: what each program is to find in its environment. Borrowed until the next call. */
const char *const *oc_program_environment(void);
/*
 * Runs it. *output, made by uv_pipe_init(), becomes the reading end of its standard output and error. 0, or libuv's code;
 * then closed() is not called.
 */
int oc_program_start(uv_loop_t *loop, const struct oc_program_start *start, uv_pipe_t *output,
                     oc_program **out_program);
/* What it wrote last and the loop has not read yet, into out. Bytes; 0: no more. Once it ended. */
size_t oc_program_rest(uv_pipe_t *output, void *out, size_t out_bytes);
/* With all that it started. */
void oc_program_kill(oc_program *program);
/* Closes what belongs to it; closed() follows on the loop, and it is freed. It may still run. */
void oc_program_close(oc_program *program);

#endif
