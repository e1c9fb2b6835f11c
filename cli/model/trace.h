/*
 * A trace as text: CSV whose head names its columns, t (seconds), value and, where known, inc (goes
 * up with each restart), limit (in force at that sample) and further figures of the same process.
 *
 *     t,value,inc,limit,modules
 *     0,246775808,0,1073741824,61
 *
 * Pure and strict: a line that is not so is an error with its number and the mend. A figure may be an
 * empty field (unknown), nan or inf; what to make of these is the caller's business.
 */
#ifndef OC_CLI_MODEL_TRACE_H
#define OC_CLI_MODEL_TRACE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define OC_TRACE_MAX_COLUMNS 32
#define OC_TRACE_NAME_BYTES 32
#define OC_TRACE_NONE OC_TRACE_MAX_COLUMNS /* no such column */
#define OC_TRACE_MAX_TIME_S 9e12           /* either side of 0: milliseconds fit in an int64_t */

struct oc_trace {
    uint64_t line; /* number of the last line that was read; the head is 1 */
    unsigned column_count;
    unsigned t_at, value_at, inc_at, limit_at; /* columns; OC_TRACE_NONE */
    char names[OC_TRACE_MAX_COLUMNS][OC_TRACE_NAME_BYTES];
    double fields[OC_TRACE_MAX_COLUMNS]; /* of the last row; NAN: empty */
};

struct oc_trace_row {
    int64_t t_ms;
    double value; /* NAN: unknown; may be infinite or below 0 */
    double inc;   /* finite; 0 without the column */
    double limit; /* NAN: none in force, or no such column */
};

/*
 * Reads the head: a line that ends with '\n'. Returns the bytes taken, or OC_E_PARSE, OC_E_TOOBIG
 * (too many columns, or a name too long).
 */
int oc_trace_head(struct oc_trace *out_trace, const char *line, struct oc_detail *detail);

/*
 * Reads a row: a line that ends with '\n'; only up to there is anything looked at. Returns the bytes
 * taken, or OC_E_PARSE. Cost: 1 ns a digit.
 */
int oc_trace_row(struct oc_trace *trace, const char *line, struct oc_trace_row *out_row,
                 struct oc_detail *detail);

/* isnan(), which warns on mingw. */
static inline int oc_trace_is_unknown(double value) { return !(value <= value); }

/* Whether two figures are not the same; NAN is the same as NAN. */
static inline int oc_trace_differs(double a, double b)
{
    return a < b || a > b || oc_trace_is_unknown(a) != oc_trace_is_unknown(b);
}

/* The column of a name, or OC_TRACE_NONE. */
unsigned oc_trace_column(const struct oc_trace *trace, const char *name);

#endif
