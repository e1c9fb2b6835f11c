/* The service's log goes to the event log "Application", each event under a number of its own. */
#include "daemon/os.h"

#include "base/text.h"
#include "base/windows/event_id.h"
#include "base/windows/service.h"
#include "base/windows/wide.h"
#include "daemon/windows/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#define MAX_FIELD_BYTES 4096
#define MAX_TEXT_BYTES (16u << 10) /* an event's strings may have 31,839 characters */

struct known_event {
    const char *name;
    enum oc_event_id id;
    const char *first, *second; /* the fields that its sentence is about: %1, %2; NULL: none */
};

static const struct known_event known_events[] = {
    { "started", OC_EVENT_ID_STARTED, NULL, NULL },
    { "stopping", OC_EVENT_ID_STOPPING, "why", NULL },
    { "stopped", OC_EVENT_ID_STOPPED, NULL, NULL },
    { "not_started", OC_EVENT_ID_NOT_STARTED, "why", NULL },
    { "gave_up", OC_EVENT_ID_GAVE_UP, "why", NULL },
    { "reloaded", OC_EVENT_ID_RELOADED, NULL, NULL },
    { "config_kept", OC_EVENT_ID_CONFIG_KEPT, "why", NULL },
    { "option_needs_restart", OC_EVENT_ID_OPTION_NEEDS_RESTART, "option", NULL },
    { "control_unavailable", OC_EVENT_ID_CONTROL_UNAVAILABLE, "why", NULL },
    { "control_refused", OC_EVENT_ID_CONTROL_REFUSED, "user", NULL },
    { "writer_stuck", OC_EVENT_ID_WRITER_STUCK, NULL, NULL },
    { "store_failing", OC_EVENT_ID_STORE_FAILING, "path", "why" },
    { "store_works_again", OC_EVENT_ID_STORE_WORKS_AGAIN, "path", NULL },
    { "store_corrupt", OC_EVENT_ID_STORE_CORRUPT, "path", NULL },
    { "store_upgraded", OC_EVENT_ID_STORE_UPGRADED, "backup", NULL },
    { "store_recovered", OC_EVENT_ID_STORE_RECOVERED, "samples", NULL },
    { "store_not_closed_cleanly", OC_EVENT_ID_STORE_NOT_CLOSED, "err", NULL },
    { "alert_not_durable", OC_EVENT_ID_ALERT_NOT_DURABLE, NULL, NULL },
    { "process_not_watched", OC_EVENT_ID_PROCESS_NOT_WATCHED, "pid", "err" },
    { "process_killed", OC_EVENT_ID_PROCESS_KILLED, "name", "by" },
    { "system_says", OC_EVENT_ID_SYSTEM_SAYS, "what", NULL },
    { "program_changed", OC_EVENT_ID_PROGRAM_CHANGED, "subject", "exe" },
    { "walk_stuck", OC_EVENT_ID_WALK_STUCK, "pid", NULL },
    { "walk_goes_on", OC_EVENT_ID_WALK_GOES_ON, NULL, NULL },
    { "notifier_ready", OC_EVENT_ID_NOTIFIER_READY, NULL, NULL },
    { "notifier_died", OC_EVENT_ID_NOTIFIER_DIED, "why", NULL },
    { "notifier_not_started", OC_EVENT_ID_NOTIFIER_NOT_STARTED, "why", NULL },
    { "alert_firing", OC_EVENT_ID_ALERT_WARNING, "subject", "why" },
    { "alert_resolved", OC_EVENT_ID_ALERT_RESOLVED, "subject", "why" },
    { "alert_died", OC_EVENT_ID_ALERT_DIED, "subject", "why" },
};

static HANDLE source;

int oc_syslog_open(const char *address)
{
    (void)address;
    if (!oc_host_is_service())
        return OC_E_NOTSUP;
    if (!source)
        source = RegisterEventSourceW(NULL, OC_EVENT_SOURCE);
    return source ? OC_OK : OC_E_NOENT;
}

/* ---- an event in words ---- */

static const struct known_event *find_known(const char *name)
{
    for (size_t i = 0; i < sizeof(known_events) / sizeof(known_events[0]); i++) {
        if (strcmp(known_events[i].name, name) == 0)
            return &known_events[i];
    }
    return NULL;
}

static void put_value(const struct oc_field *field, struct oc_buf *out)
{
    switch (field->type) {
    case OC_FIELD_STR:
        oc_buf_puts(out, field->value.str ? field->value.str : "");
        break;
    case OC_FIELD_I64:
        oc_buf_printf(out, "%" PRId64, field->value.i64);
        break;
    case OC_FIELD_U64:
        oc_buf_printf(out, "%" PRIu64, field->value.u64);
        break;
    case OC_FIELD_DOUBLE:
        oc_buf_printf(out, "%.6g", field->value.dbl);
        break;
    case OC_FIELD_END:
        break;
    }
}

static const struct oc_field *find_field(const struct oc_log_event *event, const char *name)
{
    for (const struct oc_field *field = event->fields; field->type != OC_FIELD_END; field++) {
        if (strcmp(field->name, name) == 0)
            return field;
    }
    return NULL;
}

/* ReportEvent() takes "%n" of a text for an insert of its own: what came from outside has none. */
static void no_percent(char *text)
{
    for (; *text; text++) {
        if (*text == '%' && text[1] >= '0' && text[1] <= '9')
            *text = '#';
    }
}

static const wchar_t *wide_of(struct oc_buf *text, wchar_t *out, size_t out_units)
{
    if (text->data)
        no_percent(text->data);
    if (!text->data || oc_wide_from_utf8(out, out_units, text->data) < 0)
        out[0] = L'\0';
    return out;
}

static void field_text(const struct oc_log_event *event, const char *name, struct oc_buf *out)
{
    const struct oc_field *field = name ? find_field(event, name) : NULL;

    if (field)
        put_value(field, out);
}

static void all_fields(const struct oc_log_event *event, struct oc_buf *out)
{
    for (const struct oc_field *field = event->fields; field->type != OC_FIELD_END; field++) {
        oc_buf_printf(out, "%s: ", field->name);
        put_value(field, out);
        oc_buf_puts(out, "\r\n");
    }
}

/* An alert has a number and a level by how bad it is. */
static enum oc_event_id id_of(const struct known_event *known, const struct oc_log_event *event,
                              WORD *out_type)
{
    static const WORD types[] = { [OC_LOG_ERROR] = EVENTLOG_ERROR_TYPE,
                                  [OC_LOG_WARN] = EVENTLOG_WARNING_TYPE,
                                  [OC_LOG_INFO] = EVENTLOG_INFORMATION_TYPE,
                                  [OC_LOG_DEBUG] = EVENTLOG_INFORMATION_TYPE };
    const struct oc_field *severity = find_field(event, "severity");
    const char *word = severity && severity->type == OC_FIELD_STR ? severity->value.str : "";

    *out_type = types[event->level];
    if (!known)
        return OC_EVENT_ID_OTHER;
    if (known->id != OC_EVENT_ID_ALERT_WARNING)
        return known->id;
    if (strcmp(word, "critical") == 0) {
        *out_type = EVENTLOG_ERROR_TYPE;
        return OC_EVENT_ID_ALERT_CRITICAL;
    }
    if (strcmp(word, "info") == 0) {
        *out_type = EVENTLOG_INFORMATION_TYPE;
        return OC_EVENT_ID_ALERT_INFO;
    }
    return OC_EVENT_ID_ALERT_WARNING;
}

void oc_syslog_sink(const struct oc_log_event *event, void *context)
{
    static char first_room[MAX_FIELD_BYTES], second_room[MAX_FIELD_BYTES], all_room[MAX_TEXT_BYTES];
    static wchar_t first_wide[MAX_FIELD_BYTES], second_wide[MAX_FIELD_BYTES],
        all_wide[MAX_TEXT_BYTES]; /* events come one at a time; no memory is taken for them */
    const struct known_event *known = find_known(event->event);
    struct oc_buf first, second, all;
    const wchar_t *strings[3];
    WORD type = 0;
    enum oc_event_id id = id_of(known, event, &type);

    (void)context;
    oc_buf_init_fixed(&first, first_room, sizeof(first_room));
    oc_buf_init_fixed(&second, second_room, sizeof(second_room));
    oc_buf_init_fixed(&all, all_room, sizeof(all_room));
    if (known)
        field_text(event, known->first, &first);
    else
        oc_buf_puts(&first, event->event);
    field_text(event, known ? known->second : NULL, &second);
    all_fields(event, &all);
    strings[0] = wide_of(&first, first_wide, MAX_FIELD_BYTES);
    strings[1] = wide_of(&second, second_wide, MAX_FIELD_BYTES);
    strings[2] = wide_of(&all, all_wide, MAX_TEXT_BYTES);
    if (source)
        (void)ReportEventW(source, type, 0, (DWORD)id, NULL, 3, 0, strings, NULL);
}
