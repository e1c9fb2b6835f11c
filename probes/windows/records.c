#include "probes/windows/records.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ENDS_WITHIN_MS 300000 /* 90 s to start the next one, 90 s to shut down, and room */
#define LATE_MS 10000         /* the log may be behind the end */
#define SOURCE_WAS "Microsoft-Windows-WAS"
#define NONE (-1)
#define HEX 16u

/* Records and which of their strings name the pool and the PID. */
struct row {
    const char *source;
    const char *shown;
    uint32_t id;
    int pool, pid; /* numbers of strings; NONE */
    int is_hex;    /* the PID */
    const char *reason;
    const char *says; /* of others than recycling */
};

static const struct row rows[] = {
    { SOURCE_WAS, "WAS", 5074, 1, 0, 0, "time limit", NULL },
    { SOURCE_WAS, "WAS", 5075, 1, 0, 0, "request limit", NULL },
    { SOURCE_WAS, "WAS", 5076, 1, 0, 0, "schedule", NULL },
    { SOURCE_WAS, "WAS", 5077, 1, 0, 0, "virtual memory limit", NULL },
    { SOURCE_WAS, "WAS", 5078, 1, 0, 0, "unhealthy ISAPI extension", NULL },
    { SOURCE_WAS, "WAS", 5079, 0, NONE, 0, "asked by an administrator", NULL },
    { SOURCE_WAS, "WAS", 5080, 0, NONE, 0, "configuration change", NULL },
    { SOURCE_WAS, "WAS", 5081, 0, NONE, 0, "trouble with the configuration store", NULL },
    { SOURCE_WAS, "WAS", 5117, 1, 0, 0, "private memory limit", NULL },
    { SOURCE_WAS, "WAS", 5186, 1, 0, 0, "idle", NULL },
    { SOURCE_WAS, "WAS", 5002, 0, NONE, 0, NULL,
      "the pool is disabled: its workers failed one after the other" },
    { SOURCE_WAS, "WAS", 5009, 0, 1, 0, NULL, "the worker ended unexpectedly" },
    { SOURCE_WAS, "WAS", 5010, 0, 1, 0, NULL, "the worker did not answer a ping" },
    { SOURCE_WAS, "WAS", 5011, 0, 1, 0, NULL, "the worker crashed: it broke off with WAS" },
    { SOURCE_WAS, "WAS", 5012, 0, 1, 0, NULL, "the worker took too long to start" },
    { SOURCE_WAS, "WAS", 5013, 0, 1, 0, NULL, "the worker took too long to shut down" },
    { ".NET Runtime", ".NET Runtime", 1026, NONE, NONE, 0, NULL,
      "ended by an unhandled exception" },
    { "Application Error", "Application Error", 1000, NONE, 8, 1, NULL, "crashed" },
    { "Microsoft-Windows-Resource-Exhaustion-Detector", "Resource-Exhaustion-Detector", 2004, NONE,
      NONE, 0, NULL, "the machine is low on virtual memory" },
};

static const struct row *row_of(const struct oc_win_record *record)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].id == record->id && record->source &&
            strcmp(rows[i].source, record->source) == 0)
            return &rows[i];
    }
    return NULL;
}

static const char *string_at(const struct oc_win_record *record, int index)
{
    if (index < 0 || (uint32_t)index >= record->string_count ||
        (size_t)index >= sizeof(record->strings) / sizeof(record->strings[0]))
        return "";
    return record->strings[index] ? record->strings[index] : "";
}

static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : HEX;
}

/* "4711", or in hex with or without "0x". 0: none. */
static uint32_t number(const char *text, int is_hex)
{
    const unsigned base = is_hex ? HEX : 10;
    uint64_t value = 0;

    if (is_hex && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    for (; digit(*text) < base && value <= UINT32_MAX; text++)
        value = value * base + digit(*text);
    return *text == '\0' && value <= UINT32_MAX ? (uint32_t)value : 0;
}

/* What stands behind a label on its line: "Exception Info: System.OutOfMemoryException". "" none. */
static void behind(const char *text, const char *label, char *out, size_t out_bytes)
{
    const char *at = strstr(text, label);

    out[0] = '\0';
    if (!at)
        return;
    at += strlen(label);
    oc_text_copy_utf8(out, out_bytes, at, strcspn(at, "\r\n"));
}

static void say_runtime(const struct oc_win_record *record, char *out, size_t out_bytes)
{
    char program[80], exception[120];

    behind(string_at(record, 0), "Application: ", program, sizeof(program));
    behind(string_at(record, 0), "Exception Info: ", exception, sizeof(exception));
    (void)snprintf(out, out_bytes, "%s ended by an unhandled exception%s%s",
                   program[0] ? program : "a program", exception[0] ? ": " : "", exception);
}

/* Who, in the words before what happened. */
static void say_who(const struct oc_win_told *told, char *out, size_t out_bytes)
{
    char who[40] = "";

    if (told->pid)
        (void)snprintf(who, sizeof(who), "worker %" PRIu32, told->pid);
    (void)snprintf(out, out_bytes, "%s%s%s%s", who, who[0] && told->pool[0] ? " of " : "",
                   told->pool[0] ? "pool " : "", told->pool);
}

static void say(const struct row *row, const struct oc_win_record *record, struct oc_win_told *told)
{
    char who[260], what[280], line[600];

    say_who(told, who, sizeof(who));
    if (row->reason)
        (void)snprintf(what, sizeof(what), "recycled by IIS: %s", row->reason);
    else if (row->id == 1026)
        say_runtime(record, what, sizeof(what));
    else if (row->is_hex)
        (void)snprintf(what, sizeof(what), "%.80s %s in %.80s, code %.20s", string_at(record, 0),
                       row->says, string_at(record, 3), string_at(record, 6));
    else
        (void)snprintf(what, sizeof(what), "%s", row->says);
    if (row->is_hex)
        (void)snprintf(who, sizeof(who), "process %" PRIu32, told->pid);
    (void)snprintf(line, sizeof(line), "%s %" PRIu32 ": %s%s%s", row->shown, row->id, who,
                   who[0] ? ": " : "", what);
    oc_text_copy_utf8(told->text, sizeof(told->text), line, strlen(line));
}

static void one_line(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
    }
}

int oc_win_record_tell(const struct oc_win_record *record, struct oc_win_told *out_told)
{
    const struct row *row = row_of(record);
    struct oc_win_told told = { .pid = 0 };
    const char *pool = NULL;

    if (!row)
        return 0;
    pool = string_at(record, row->pool);
    oc_text_copy_utf8(told.pool, sizeof(told.pool), pool, strlen(pool));
    told.pid = number(string_at(record, row->pid), row->is_hex);
    if (told.pid == 0)
        told.pid = record->pid;
    told.reason = row->reason;
    say(row, record, &told);
    one_line(told.text);
    *out_told = told;
    return 1;
}

/* ---- reasons ---- */

void oc_win_reasons_note(struct oc_win_reasons *reasons, const struct oc_win_told *told,
                         int64_t unix_ms)
{
    struct oc_win_reason *item = &reasons->items[reasons->next % OC_WIN_REASONS_MAX];

    if (!told->reason || (told->pid == 0 && !told->pool[0]))
        return;
    *item = (struct oc_win_reason){ .pid = told->pid, .reason = told->reason, .unix_ms = unix_ms };
    (void)oc_text_copy(item->pool, sizeof(item->pool), told->pool);
    reasons->next = (reasons->next + 1) % OC_WIN_REASONS_MAX;
}

static int is_of(const struct oc_win_reason *item, uint32_t pid, const char *pool)
{
    if (item->pid != 0)
        return item->pid == pid;
    return pool[0] && strcmp(item->pool, pool) == 0;
}

const char *oc_win_reasons_of(const struct oc_win_reasons *reasons, uint32_t pid, const char *pool,
                              int64_t start_unix_ms, int64_t end_unix_ms)
{
    for (size_t i = 0; i < OC_WIN_REASONS_MAX; i++) {
        const struct oc_win_reason *item = &reasons->items[i];

        if (item->reason && is_of(item, pid, pool) && item->unix_ms >= start_unix_ms &&
            item->unix_ms <= end_unix_ms + LATE_MS && item->unix_ms + ENDS_WITHIN_MS >= end_unix_ms)
            return item->reason;
    }
    return NULL;
}
