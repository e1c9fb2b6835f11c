/* Rows for programs, one at a time: CSV, or JSON lines with the same names. */
#ifndef OC_CLI_SHOW_ROWS_H
#define OC_CLI_SHOW_ROWS_H

#include "base/buf.h"
#include "cli/show/json.h"

#include <stddef.h>
#include <stdint.h>

enum oc_rows_format { OC_ROWS_CSV, OC_ROWS_JSON_LINES };

struct oc_rows {
    struct oc_buf *out;         /* borrowed */
    const char *const *columns; /* borrowed; ended by NULL */
    enum oc_rows_format format;
    struct oc_json json;
    size_t at;      /* the column that comes next */
    uint64_t count; /* rows that are whole */
};

/* CSV begins with its head. columns is borrowed. */
void oc_rows_begin(struct oc_rows *rows, enum oc_rows_format format, const char *const *columns,
                   struct oc_buf *out);

/* The next field of the row: fields come in the order of the columns, all of them. What is unknown
 * is an empty field, and no key. */
void oc_rows_str(struct oc_rows *rows, const char *value); /* NULL: unknown */
void oc_rows_i64(struct oc_rows *rows, int64_t value);
void oc_rows_u64(struct oc_rows *rows, uint64_t value);
void oc_rows_dbl(struct oc_rows *rows, double value); /* finite */
void oc_rows_bool(struct oc_rows *rows, int value);
void oc_rows_time(struct oc_rows *rows, int64_t unix_ms); /* 0 and INT64_MAX: unknown */
void oc_rows_none(struct oc_rows *rows);
/* A figure, or nothing where it is NAN or infinite. */
void oc_rows_known(struct oc_rows *rows, double value);
void oc_rows_end(struct oc_rows *rows); /* of the row */

#endif
