#include "cli/show/rows.h"

#include "base/ahead.h"
#include "cli/show/timespec.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

void oc_rows_begin(struct oc_rows *rows, enum oc_rows_format format, const char *const *columns,
                   struct oc_buf *out)
{
    memset(rows, 0, sizeof(*rows));
    rows->out = out;
    rows->columns = columns;
    rows->format = format;
    if (format != OC_ROWS_CSV)
        return;
    for (size_t i = 0; columns[i]; i++)
        oc_buf_printf(out, "%s%s", i ? "," : "", columns[i]);
    oc_buf_puts(out, "\r\n");
}

/* Whether it is a field of CSV, whose comma is written; else its key is. */
static int begin_field(struct oc_rows *rows)
{
    const char *name = rows->columns[rows->at];

    assert(name);
    if (rows->at == 0 && rows->format == OC_ROWS_JSON_LINES) {
        oc_json_init(&rows->json, rows->out);
        oc_json_object(&rows->json);
    }
    if (rows->at > 0 && rows->format == OC_ROWS_CSV)
        oc_buf_putc(rows->out, ',');
    rows->at++;
    if (rows->format == OC_ROWS_CSV)
        return 1;
    oc_json_key(&rows->json, name);
    return 0;
}

void oc_rows_none(struct oc_rows *rows)
{
    if (rows->format == OC_ROWS_CSV) {
        (void)begin_field(rows);
        return;
    }
    if (rows->at == 0) {
        oc_json_init(&rows->json, rows->out);
        oc_json_object(&rows->json);
    }
    rows->at++;
}

void oc_rows_known(struct oc_rows *rows, double value)
{
    if (oc_ahead_is_known(value))
        oc_rows_dbl(rows, value);
    else
        oc_rows_none(rows);
}

void oc_rows_str(struct oc_rows *rows, const char *value)
{
    if (!value)
        oc_rows_none(rows);
    else if (begin_field(rows))
        oc_buf_csv_field(rows->out, value);
    else
        oc_json_str(&rows->json, value);
}

void oc_rows_i64(struct oc_rows *rows, int64_t value)
{
    if (begin_field(rows))
        oc_buf_printf(rows->out, "%" PRId64, value);
    else
        oc_json_i64(&rows->json, value);
}

void oc_rows_u64(struct oc_rows *rows, uint64_t value)
{
    if (begin_field(rows))
        oc_buf_printf(rows->out, "%" PRIu64, value);
    else
        oc_json_u64(&rows->json, value);
}

void oc_rows_dbl(struct oc_rows *rows, double value)
{
    if (begin_field(rows))
        oc_buf_printf(rows->out, "%.15g", value);
    else
        oc_json_dbl(&rows->json, value);
}

void oc_rows_bool(struct oc_rows *rows, int value)
{
    if (begin_field(rows))
        oc_buf_puts(rows->out, value ? "1" : "0");
    else
        oc_json_bool(&rows->json, value);
}

void oc_rows_time(struct oc_rows *rows, int64_t unix_ms)
{
    char text[48];

    if (unix_ms == 0 || unix_ms == INT64_MAX)
        oc_rows_none(rows);
    else
        oc_rows_str(rows, oc_timespec_format(unix_ms, text, sizeof(text)));
}

void oc_rows_end(struct oc_rows *rows)
{
    assert(rows->columns[rows->at] == NULL);
    rows->at = 0;
    rows->count++;
    if (rows->format == OC_ROWS_CSV) {
        oc_buf_puts(rows->out, "\r\n");
        return;
    }
    oc_json_object_end(&rows->json);
    oc_buf_putc(rows->out, '\n');
}
