#include "base/log.h"

#include "base/err.h"
#include "base/os.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define MAX_LINE_BYTES 8192 /* what is longer is cut */

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static atomic_int current_level = OC_LOG_INFO;
static oc_log_sink *current_sink;
static void *sink_context;
static atomic_flag busy = ATOMIC_FLAG_INIT; /* one event at a time; lines are rare and short */

struct oc_field oc_i64(const char *name, int64_t value)
{
    return (struct oc_field){ .type = OC_FIELD_I64, .name = name, .value.i64 = value };
}

struct oc_field oc_u64(const char *name, uint64_t value)
{
    return (struct oc_field){ .type = OC_FIELD_U64, .name = name, .value.u64 = value };
}

struct oc_field oc_str(const char *name, const char *value)
{
    return (struct oc_field){ .type = OC_FIELD_STR, .name = name, .value.str = value };
}

struct oc_field oc_dbl(const char *name, double value)
{
    return (struct oc_field){ .type = OC_FIELD_DOUBLE, .name = name, .value.dbl = value };
}

struct oc_field oc_field_end(void) { return (struct oc_field){ .type = OC_FIELD_END }; }

void oc_log_set_sink(oc_log_sink *sink, void *context)
{
    current_sink = sink;
    sink_context = context;
}

void oc_log_set_level(enum oc_log_level level) { atomic_store(&current_level, level); }

const char *oc_log_level_name(enum oc_log_level level) { return level_names[level]; }

int oc_log_level_from_name(const char *name, enum oc_log_level *out_level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *out_level = (enum oc_log_level)i;
            return 0;
        }
    }
    return OC_E_PARSE;
}

static void put_number(const struct oc_field *field, struct oc_buf *line)
{
    if (field->type == OC_FIELD_I64)
        oc_buf_printf(line, "%lld", (long long)field->value.i64);
    else if (field->type == OC_FIELD_U64)
        oc_buf_printf(line, "%llu", (unsigned long long)field->value.u64);
    else
        oc_buf_printf(line, "%.6g", field->value.dbl);
}

static void put_text_value(const char *text, struct oc_buf *line)
{
    if (*text && !strpbrk(text, " =\"\t\r\n")) {
        oc_buf_escaped(line, text);
        return;
    }
    oc_buf_putc(line, '"');
    oc_buf_escaped(line, text);
    oc_buf_putc(line, '"');
}

static void format_text(const struct oc_log_event *event, struct oc_buf *line)
{
    oc_buf_printf(line, "%s %s", level_names[event->level], event->event);
    for (const struct oc_field *f = event->fields; f->type != OC_FIELD_END; f++) {
        oc_buf_printf(line, " %s=", f->name);
        if (f->type == OC_FIELD_STR)
            put_text_value(f->value.str ? f->value.str : "", line);
        else
            put_number(f, line);
    }
}

static void format_json(const struct oc_log_event *event, struct oc_buf *line)
{
    oc_buf_printf(line, "{\"ts_unix_ms\":%lld,\"level\":\"%s\",\"event\":\"%s\"",
                  (long long)event->unix_ms, level_names[event->level], event->event);
    for (const struct oc_field *f = event->fields; f->type != OC_FIELD_END; f++) {
        oc_buf_printf(line, ",\"%s\":", f->name);
        if (f->type == OC_FIELD_STR)
            oc_buf_json_string(line, f->value.str ? f->value.str : "");
        else
            put_number(f, line);
    }
    oc_buf_putc(line, '}');
}

void oc_log_format(const struct oc_log_event *event, enum oc_log_format format,
                   struct oc_buf *out_line)
{
    if (format == OC_LOG_JSON)
        format_json(event, out_line);
    else
        format_text(event, out_line);
}

/* One at a time, and in memory that is there from the start: the log speaks on when there is no other. */
static void to_stderr(const struct oc_log_event *event)
{
    static char room[MAX_LINE_BYTES];
    struct oc_buf line;

    oc_buf_init_fixed(&line, room, sizeof(room));
    oc_log_format(event, OC_LOG_TEXT, &line);
    (void)fprintf(stderr, "%s\n", line.data);
}

void oc_log_emit(enum oc_log_level level, const char *event, const struct oc_field *fields)
{
    struct oc_log_event whole = { .level = level, .event = event, .fields = fields };

    if ((int)level > atomic_load(&current_level))
        return;
    whole.unix_ms = oc_clock_unix_ms();
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire))
        ;
    if (current_sink)
        current_sink(&whole, sink_context);
    else
        to_stderr(&whole);
    atomic_flag_clear_explicit(&busy, memory_order_release);
}
