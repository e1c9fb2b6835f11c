#include "cli/model/replay_tried.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 6
#define FIELD_BYTES OC_ALERT_SUBJECT_BYTES
#define MS_PER_S 1000
#define TIME_OFF_MS 1000

/* ---- what is said ---- */

void oc_replay_tried_clear(struct oc_replay_tried *tried)
{
    for (size_t i = 0; i < tried->count; i++)
        oc_free(tried->items[i].subject);
    oc_free(tried->items);
    oc_rules_clear(&tried->rules);
    oc_windows_clear(&tried->windows);
    *tried = (struct oc_replay_tried){ 0 };
}

static int add(struct oc_replay_tried *tried, int64_t t_ms, const struct oc_alert_change *change)
{
    void *items = tried->items;
    struct oc_tried_change *made = NULL;
    char *subject = oc_strdup(change->alert->subject);
    int rc = subject ? oc_array_grow(&items, &tried->capacity, tried->count + 1, sizeof(*made),
                                     OC_TRIED_CHANGES_MAX)
                     : OC_E_NOMEM;

    tried->items = items;
    if (rc < 0) {
        oc_free(subject);
        return rc;
    }
    made = &tried->items[tried->count++];
    *made = (struct oc_tried_change){ .t_ms = t_ms,
                                      .subject = subject,
                                      .severity = change->alert->severity,
                                      .state = change->alert->state,
                                      .is_told = !(change->alert->mutes & OC_ALERT_MUTES) };
    (void)oc_text_copy(made->rule, sizeof(made->rule), change->alert->rule);
    oc_text_copy_utf8(made->reason, sizeof(made->reason), change->why.reason,
                      strlen(change->why.reason));
    return OC_OK;
}

static void hear(int64_t t_ms, const struct oc_alert_change *change, void *context)
{
    struct oc_replay_tried *tried = context;
    int rc = OC_OK;

    if (!change->is_news)
        return;
    if (tried->count == OC_TRIED_CHANGES_MAX) {
        tried->dropped++;
        return;
    }
    rc = add(tried, t_ms, change);
    if (rc < 0 && !tried->err)
        tried->err = rc;
}

int oc_replay_tried_begin(struct oc_replay_tried *tried, const char *subject,
                          oc_replay_rules **out_rules)
{
    return oc_replay_rules_new(&tried->rules, &tried->windows, subject, hear, tried, out_rules);
}

static int compare_changes(const void *a, const void *b)
{
    const struct oc_tried_change *left = a, *right = b;
    int order = 0;

    if (left->t_ms != right->t_ms)
        return left->t_ms < right->t_ms ? -1 : 1;
    order = strcmp(left->subject, right->subject);
    if (order == 0)
        order = strcmp(left->rule, right->rule);
    if (order == 0)
        order = (int)right->severity - (int)left->severity;
    return order;
}

void oc_replay_tried_sort(struct oc_replay_tried *tried)
{
    if (tried->count > 0)
        qsort(tried->items, tried->count, sizeof(tried->items[0]), compare_changes);
}

void oc_tried_write(const struct oc_tried_change *change, struct oc_buf *out)
{
    oc_buf_printf(
        out, "%" PRId64 ".%03d,", change->t_ms / MS_PER_S,
        (int)(change->t_ms % MS_PER_S < 0 ? -(change->t_ms % MS_PER_S) : change->t_ms % MS_PER_S));
    oc_buf_csv_field(out, change->subject);
    oc_buf_printf(out, ",%s,%s,%s,%s", change->rule, oc_severity_name(change->severity),
                  oc_alert_state_name(change->state), change->is_told ? "yes" : "no");
}

/* ---- what was expected ---- */

struct expected {
    unsigned count; /* fields that are there */
    char fields[FIELDS][FIELD_BYTES];
};

/* One field up to its comma or the line's end; quotes as RFC 4180 has them. Where it goes on; NULL: it is not CSV. */
static const char *take_field(const char *at, const char *end, char out[FIELD_BYTES])
{
    size_t len = 0;
    int is_quoted = at < end && *at == '"';

    if (is_quoted)
        at++;
    while (at < end && (is_quoted || *at != ',')) {
        if (is_quoted && *at == '"') {
            if (at + 1 == end || at[1] != '"') {
                is_quoted = 0;
                at++;
                break;
            }
            at++;
        }
        if (len + 1 >= FIELD_BYTES)
            return NULL;
        out[len++] = *at++;
    }
    out[len] = '\0';
    return is_quoted || (at < end && *at != ',') ? NULL : at;
}

/* 0 or OC_E_PARSE. */
static int take_line(const char *line, const char *end, struct expected *out)
{
    const char *at = line;

    out->count = 0;
    for (;;) {
        if (out->count == FIELDS)
            return OC_E_PARSE;
        at = take_field(at, end, out->fields[out->count]);
        if (!at)
            return OC_E_PARSE;
        out->count++;
        if (at == end)
            return OC_OK;
        at++;
    }
}

/* Seconds with decimals; an empty field is any time. */
static int same_time(const char *field, int64_t t_ms)
{
    char *end = NULL;
    double seconds = strtod(field, &end);
    double off_ms = seconds * MS_PER_S - (double)t_ms;

    return field[0] == '\0' ||
           (end != field && *end == '\0' && off_ms <= TIME_OFF_MS && off_ms >= -TIME_OFF_MS);
}

static int is_as_expected(const struct expected *expected, const struct oc_tried_change *change)
{
    const char *is[FIELDS] = { NULL,
                               change->subject,
                               change->rule,
                               oc_severity_name(change->severity),
                               oc_alert_state_name(change->state),
                               change->is_told ? "yes" : "no" };

    if (!same_time(expected->fields[0], change->t_ms))
        return 0;
    for (unsigned i = 1; i < expected->count; i++) {
        if (expected->fields[i][0] && strcmp(expected->fields[i], is[i]) != 0)
            return 0;
    }
    return 1;
}

static int is_passed_over(const char *line, const char *end)
{
    return line == end || *line == '#' || ((size_t)(end - line) >= 2 && memcmp(line, "t,", 2) == 0);
}

static void say_missing(const char *line, const char *end, struct oc_buf *out)
{
    oc_buf_puts(out, "-");
    oc_buf_add(out, line, (size_t)(end - line));
    oc_buf_putc(out, '\n');
}

static void say_odd(const struct oc_tried_change *change, struct oc_buf *out)
{
    oc_buf_puts(out, "+");
    oc_tried_write(change, out);
    oc_buf_putc(out, '\n');
}

/* The next change that is as expected, from `from` on; the count: there is none. */
static size_t find_expected(const struct oc_replay_tried *tried, size_t from,
                            const struct expected *expected)
{
    while (from < tried->count && !is_as_expected(expected, &tried->items[from]))
        from++;
    return from;
}

struct comparing {
    const struct oc_replay_tried *tried;
    struct oc_buf *out;
    size_t at; /* the next change */
    int differences;
};

static void compare_line(struct comparing *comparing, const struct expected *expected,
                         const char *line, const char *end)
{
    size_t found = find_expected(comparing->tried, comparing->at, expected);

    if (found == comparing->tried->count) {
        say_missing(line, end, comparing->out);
        comparing->differences++;
        return;
    }
    for (; comparing->at < found; comparing->at++) {
        say_odd(&comparing->tried->items[comparing->at], comparing->out);
        comparing->differences++;
    }
    comparing->at++;
}

int oc_tried_compare(const struct oc_replay_tried *tried, const char *expected, size_t len_bytes,
                     struct oc_buf *out, struct oc_detail *detail)
{
    struct comparing comparing = { .tried = tried, .out = out };
    const char *text_end = expected + len_bytes;
    struct expected line_of;
    uint32_t number = 0;

    for (const char *line = expected; line < text_end;) {
        const char *newline = memchr(line, '\n', (size_t)(text_end - line));
        const char *next = newline ? newline + 1 : text_end, *end = newline ? newline : text_end;

        number++;
        if (end > line && end[-1] == '\r')
            end--;
        if (!is_passed_over(line, end)) {
            if (take_line(line, end, &line_of) < 0) {
                (void)oc_detail_set(detail, OC_E_PARSE,
                                    "line %" PRIu32 " is not \"" OC_TRIED_HEAD "\"", number);
                return OC_E_PARSE;
            }
            compare_line(&comparing, &line_of, line, end);
        }
        line = next;
    }
    for (; comparing.at < tried->count; comparing.at++) {
        say_odd(&tried->items[comparing.at], out);
        comparing.differences++;
    }
    return comparing.differences;
}
