/* A trace from a file, replayed. */
#ifndef OC_CLI_MODEL_REPLAY_FILE_H
#define OC_CLI_MODEL_REPLAY_FILE_H

#include "cli/model/replay.h"
#include "cli/model/trace.h"

/*
 * The column that says most about the growth of the values beside them: things that are counted
 * first, then other bytes; *out_metric: its number, 0 where it is no name of a metric. OC_TRACE_NONE:
 * there is none.
 */
unsigned oc_trace_companion(const struct oc_trace *trace, uint16_t *out_metric);

/* Where neither a limit was given nor a column has it: what to do. */
extern const char oc_trace_no_limit[];

struct oc_replay_file {
    const char *path; /* "-": standard input */
    const char *name; /* what it is called */
    unsigned metric;  /* what its values are; 0: bytes that have no name */
    double limit;     /* in force until a column says otherwise; NAN: none */
    int ends_met;     /* it ends since the limit was met */
    void (*progress)(uint64_t samples, void *context); /* now and then; may be NULL */
    void *context;
};

/* 0, OC_E_INVAL (no limit), OC_E_NOENT and other codes of opening, or those of oc_trace_read(); *detail says it. */
int oc_replay_of_file(struct oc_replay *replay, const struct oc_replay_file *file,
                      struct oc_detail *detail);

#endif
