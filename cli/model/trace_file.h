/* A trace read from a stream to its end, block by block. */
#ifndef OC_CLI_MODEL_TRACE_FILE_H
#define OC_CLI_MODEL_TRACE_FILE_H

#include "cli/model/trace.h"

#include <stdio.h>

struct oc_trace_calls {
    /* The head was read. 0, or a code, which ends it. */
    int (*head)(const struct oc_trace *trace, void *context);
    void (*row)(const struct oc_trace *trace, const struct oc_trace_row *row, void *context);
    /* Some thousand rows are done. 0, or a code, which ends it. May be NULL. */
    int (*pause)(const struct oc_trace *trace, void *context);
};

/*
 * Reads all. The rows before a bad line have been told. Returns 0, OC_E_PARSE, OC_E_TOOBIG (a line
 * beyond 64 KiB), OC_E_IO, OC_E_NOMEM or what a call gave; *detail says what and where.
 */
int oc_trace_read(FILE *file, const struct oc_trace_calls *calls, void *context,
                  struct oc_detail *detail);

#endif
