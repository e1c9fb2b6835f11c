#include "cli/model/trace.h"

#include "base/text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELD_BYTES ((size_t)64)
#define SURE_DIGITS 18            /* so many fit in 64 bits whatever they are */
#define EXACT (UINT64_C(1) << 53) /* below it a double has every integer */
#define MAX_LINE_BYTES (1u << 20)

/* ---- errors ---- */

static size_t field_bytes(const char *field) { return strcspn(field, ",\r\n"); }

static int is_end(char c) { return c == '\n' || c == '\r'; }

/* At the end of a line: its bytes after the last field, 0: something else is there. */
static size_t end_bytes(const char *at)
{
    if (*at == '\n')
        return 1;
    return at[0] == '\r' && at[1] == '\n' ? 2 : 0;
}

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static int
bad_line(const struct oc_trace *trace, struct oc_detail *detail, const char *format, ...)
{
    char text[320];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)oc_detail_set(detail, OC_E_PARSE, "line %" PRIu64 ": %s", trace->line, text);
    if (detail)
        detail->line = trace->line > UINT32_MAX ? UINT32_MAX : (uint32_t)trace->line;
    return OC_E_PARSE;
}

static int bad_number(const struct oc_trace *trace, unsigned column, const char *field,
                      struct oc_detail *detail)
{
    char text[MAX_FIELD_BYTES];
    size_t len = field_bytes(field);

    oc_text_copy_utf8(text, sizeof(text), field, len);
    if (len == 0)
        return bad_line(trace, detail, "column %s is empty, and every line needs it",
                        trace->names[column]);
    return bad_line(trace, detail,
                    "'%s' in column %s is no number; leave the field empty where it is unknown",
                    text, trace->names[column]);
}

static int bad_count(const struct oc_trace *trace, unsigned count, struct oc_detail *detail)
{
    return bad_line(trace, detail,
                    "%u field%s where the head names %u columns; take the line out, or mend it",
                    count, count == 1 ? "" : "s", trace->column_count);
}

/* ---- numbers ---- */

static int is_word(const char *text, const char *word)
{
    for (; *word; text++, word++) {
        if ((*text | 0x20) != *word)
            return 0;
    }
    return *text == '\0';
}

/* What is left to the C library: an exponent, many digits, nan, inf. *out_value: NAN for "". */
static const char *rare_number(const char *field, double *out_value)
{
    char text[MAX_FIELD_BYTES];
    size_t len = field_bytes(field), sign;
    char *end;

    if (len >= sizeof(text))
        return NULL;
    memcpy(text, field, len);
    text[len] = '\0';
    sign = text[0] == '-' || text[0] == '+';
    if (len == 0 || is_word(text + sign, "nan"))
        *out_value = (double)NAN;
    else if (is_word(text + sign, "inf") || is_word(text + sign, "infinity"))
        *out_value = text[0] == '-' ? (double)-INFINITY : (double)INFINITY;
    else if (strspn(text, "+-.0123456789eE") != len)
        return NULL; /* no hexadecimal, no blanks */
    else {
        *out_value = strtod(text, &end);
        if (end == text || *end)
            return NULL;
    }
    return field + len;
}

/* Digits behind the point: exact where all of them together are. NULL: not so simple. */
static const char *fraction(const char *at, uint64_t digits, size_t taken, double *out_value)
{
    static const double tens[] = { 1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                   1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18 };
    const char *first = at;

    while ((unsigned)(*at - '0') < 10u) {
        digits = digits * 10 + (unsigned)(*at - '0');
        at++;
        if (++taken > SURE_DIGITS)
            return NULL;
    }
    if (at == first || digits >= EXACT)
        return NULL;
    *out_value = (double)digits / tens[at - first];
    return at;
}

/* A field's number; the byte behind it, or NULL: it is none. */
static const char *number(const char *field, double *out_value)
{
    const char *first = field + (*field == '-'), *at = first;
    uint64_t digits = 0;
    double value = 0;

    while ((unsigned)(*at - '0') < 10u) {
        digits =
            digits * 10 + (unsigned)(*at - '0'); /* wraps where it is too long: not used then */
        at++;
    }
    if (at == first || at - first > SURE_DIGITS)
        return rare_number(field, out_value);
    value = (double)digits;
    if (*at == '.') {
        at = fraction(at + 1, digits, (size_t)(at - first), &value);
        if (!at)
            return rare_number(field, out_value);
    }
    if (*at != ',' && !is_end(*at))
        return rare_number(field, out_value);
    *out_value = first == field ? value : -value;
    return at;
}

/* ---- the head ---- */

unsigned oc_trace_column(const struct oc_trace *trace, const char *name)
{
    for (unsigned i = 0; i < trace->column_count; i++) {
        if (strcmp(trace->names[i], name) == 0)
            return i;
    }
    return OC_TRACE_NONE;
}

static int take_name(struct oc_trace *trace, const char *field, size_t len,
                     struct oc_detail *detail)
{
    char *name;

    if (trace->column_count == OC_TRACE_MAX_COLUMNS)
        return oc_detail_set(detail, OC_E_TOOBIG, "line 1: more than %d columns",
                             OC_TRACE_MAX_COLUMNS);
    if (len >= OC_TRACE_NAME_BYTES)
        return oc_detail_set(detail, OC_E_TOOBIG,
                             "line 1: the name of column %u is longer than %d characters",
                             trace->column_count + 1, OC_TRACE_NAME_BYTES - 1);
    name = trace->names[trace->column_count];
    memcpy(name, field, len);
    name[len] = '\0';
    if (memchr(field, '\0', len) || !oc_text_is_utf8(name, len, NULL))
        return bad_line(trace, detail, "the name of column %u is no text; is this a CSV file?",
                        trace->column_count + 1);
    if (len == 0)
        return bad_line(trace, detail, "column %u has no name", trace->column_count + 1);
    if (oc_trace_column(trace, name) != OC_TRACE_NONE)
        return bad_line(trace, detail, "two columns are named %s", name);
    trace->column_count++;
    return OC_OK;
}

static int find_columns(struct oc_trace *trace, struct oc_detail *detail)
{
    trace->t_at = oc_trace_column(trace, "t");
    trace->value_at = oc_trace_column(trace, "value");
    trace->inc_at = oc_trace_column(trace, "inc");
    trace->limit_at = oc_trace_column(trace, "limit");
    if (trace->t_at == OC_TRACE_NONE)
        return bad_line(trace, detail, "no column t; a trace begins with a line such as t,value");
    if (trace->value_at == OC_TRACE_NONE)
        return bad_line(trace, detail,
                        "no column value; a trace begins with a line such as t,value");
    return OC_OK;
}

int oc_trace_head(struct oc_trace *out_trace, const char *line, struct oc_detail *detail)
{
    const char *at = line;

    memset(out_trace, 0, sizeof(*out_trace));
    out_trace->line = 1;
    for (;;) {
        size_t len = field_bytes(at);
        int rc;

        if (at + len - line > MAX_LINE_BYTES)
            return oc_detail_set(detail, OC_E_TOOBIG, "line 1 is too long");
        rc = take_name(out_trace, at, len, detail);
        if (rc)
            return rc;
        at += len;
        if (*at != ',')
            break;
        at++;
    }
    if (!end_bytes(at))
        return bad_line(out_trace, detail, "a carriage return stands within it");
    at += end_bytes(at);
    return find_columns(out_trace, detail) ? OC_E_PARSE : (int)(at - line);
}

/* ---- rows ---- */

/* Seconds to milliseconds. */
static int take_time(const struct oc_trace *trace, int64_t *out_ms, struct oc_detail *detail)
{
    double t = trace->fields[trace->t_at];

    if (!(t >= -OC_TRACE_MAX_TIME_S && t <= OC_TRACE_MAX_TIME_S))
        return bad_line(trace, detail,
                        "the time is %s; column t has seconds since any moment that stays the same",
                        oc_trace_is_unknown(t) ? "unknown" : "out of range");
    t *= 1000;
    *out_ms = (int64_t)(t < 0 ? t - 0.5 : t + 0.5);
    return OC_OK;
}

static int take_fields(struct oc_trace *trace, struct oc_trace_row *row, struct oc_detail *detail)
{
    int rc = take_time(trace, &row->t_ms, detail);

    row->value = trace->fields[trace->value_at];
    row->inc = trace->inc_at == OC_TRACE_NONE ? 0 : trace->fields[trace->inc_at];
    row->limit = trace->limit_at == OC_TRACE_NONE ? (double)NAN : trace->fields[trace->limit_at];
    if (!rc && !(row->inc >= -DBL_MAX && row->inc <= DBL_MAX))
        return bad_line(trace, detail, "column inc needs a count of restarts");
    return rc;
}

int oc_trace_row(struct oc_trace *trace, const char *line, struct oc_trace_row *out_row,
                 struct oc_detail *detail)
{
    const char *at = line;
    unsigned column = 0;
    size_t end;
    int rc;

    trace->line++;
    for (;;) {
        const char *next = number(at, &trace->fields[column]);

        if (!next)
            return bad_number(trace, column, at, detail);
        at = next;
        column++;
        if (*at != ',' || column == trace->column_count)
            break;
        at++;
    }
    end = end_bytes(at);
    if (column != trace->column_count || *at == ',')
        return bad_count(trace, column + (*at == ','), detail);
    if (!end)
        return bad_line(trace, detail, "a carriage return stands within it");
    rc = take_fields(trace, out_row, detail);
    return rc ? rc : (int)(at + end - line);
}
