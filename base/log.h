/*
 * Events with a fixed snake_case name and typed fields. Rooms return, programs log: only daemon/
 * and cli/ call oc_log(). Where the lines go is the program's business (oc_log_set_sink).
 */
#ifndef OC_BASE_LOG_H
#define OC_BASE_LOG_H

#include "base/buf.h"

#include <stdint.h>

enum oc_log_level {
    OC_LOG_ERROR, /* the daemon cannot do its work */
    OC_LOG_WARN,  /* it goes on, and says how */
    OC_LOG_INFO,  /* a state changed */
    OC_LOG_DEBUG
};

enum oc_log_format { OC_LOG_TEXT, OC_LOG_JSON };

enum oc_field_type { OC_FIELD_END = 0, OC_FIELD_I64, OC_FIELD_U64, OC_FIELD_STR, OC_FIELD_DOUBLE };

struct oc_field {
    enum oc_field_type type;
    const char *name;
    union {
        int64_t i64;
        uint64_t u64;
        const char *str;
        double dbl;
    } value;
};

struct oc_field oc_i64(const char *name, int64_t value);
struct oc_field oc_u64(const char *name, uint64_t value);
struct oc_field oc_str(const char *name, const char *value);
struct oc_field oc_dbl(const char *name, double value);
struct oc_field oc_field_end(void);

struct oc_log_event {
    enum oc_log_level level;
    const char *event;
    const struct oc_field *fields; /* ended by OC_FIELD_END */
    int64_t unix_ms;
};

/* Called with each event at or above the level, from any thread, one at a time. */
typedef void oc_log_sink(const struct oc_log_event *event, void *context);

/* Before other threads start. NULL: to standard error as text (the default, level info). */
void oc_log_set_sink(oc_log_sink *sink, void *context);
void oc_log_set_level(enum oc_log_level level);
int oc_log_level_from_name(const char *name, enum oc_log_level *out_level); /* 0 or OC_E_PARSE */
const char *oc_log_level_name(enum oc_log_level level);

/* One line, without its newline: text "warn process_unreadable pid=12 err=denied", or a JSON object
 * with ts, level, event. */
void oc_log_format(const struct oc_log_event *event, enum oc_log_format format,
                   struct oc_buf *out_line);

/* oc_log(OC_LOG_WARN, "process_unreadable", oc_i64("pid", pid), oc_str("err", oc_err_name(rc))); */
void oc_log_emit(enum oc_log_level level, const char *event, const struct oc_field *fields);
#define oc_log(level, event, ...)                                                                  \
    oc_log_emit((level), (event), (const struct oc_field[]){ __VA_ARGS__, oc_field_end() })

#endif
