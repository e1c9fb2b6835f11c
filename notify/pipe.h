/*
 * The notifier's end of the pipe: lines in on standard input, reports out on standard output. Bounded both ways: a line
 * beyond OC_WIRE_LINE_MAX is passed over, and reading rests while too much waits.
 */
#ifndef OC_NOTIFY_PIPE_H
#define OC_NOTIFY_PIPE_H

#include "alert/wire.h"
#include "base/buf.h"

#include <uv.h>

#define OC_PIPE_REPORT_MAX 16384 /* bytes of one report's line */

struct oc_pipe_calls {
    /* A line without its newline. too_long: it is only the beginning of one that was passed over. */
    void (*line)(const char *line, size_t len_bytes, int too_long, void *context);
    /* Standard input ended, or nobody takes the reports: nothing comes any more. */
    void (*end)(void *context);
    /* Reports went out. */
    void (*sent)(void *context);
    void *context;
};

struct oc_pipe {
    uv_pipe_t in, out;
    uv_write_t write;
    uv_timer_t again; /* reading, once memory was short */
    struct oc_pipe_calls calls;
    struct oc_buf line;                  /* what came of the next one */
    struct oc_buf waiting, going;        /* reports: to be written next; being written */
    int is_passing_over;                 /* of a line that is too long, the rest */
    int is_reading, is_writing, is_deaf; /* is_deaf: nobody takes reports */
    int wants_reading, is_in_line;
};

/* Of standard input and output. 0, OC_E_NOMEM, OC_E_IO (no pipes, sockets or terminals). */
int oc_pipe_open(uv_loop_t *loop, const struct oc_pipe_calls *calls, struct oc_pipe *out_pipe);
/* Once the loop has ended. */
void oc_pipe_clear(struct oc_pipe *pipe);

/* Goes on or rests; resting is at once: lines that came already wait too. */
void oc_pipe_read(struct oc_pipe *pipe, int wanted);
/* Never fails: where memory is short, or nobody reads, what is under way counts as lost, and calls.end() is called. */
void oc_pipe_report(struct oc_pipe *pipe, const struct oc_wire_report *report);
/* "warn" and a sentence, for oomcastd's log. */
void oc_pipe_note(struct oc_pipe *pipe, const char *text);
/* Bytes of reports that wait for their reader. */
size_t oc_pipe_backlog(const struct oc_pipe *pipe);

#endif
