/* The log of Windows: an event for each notice, in the log "Application" under the source that the service is set up with. */
#include "notify/transport.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/windows/event_id.h"
#include "base/windows/service.h"
#include "base/windows/wide.h"

#include <string.h>
#include <windows.h>

#define TEXT_MAX_UNITS 31839 /* ReportEvent takes no longer string */

struct grade {
    const char *priority; /* as the journal has it */
    WORD type;
    enum oc_event_id id;
};

static const struct grade grades[] = {
    { "2", EVENTLOG_ERROR_TYPE, OC_EVENT_ID_NOTICE_CRITICAL },
    { "4", EVENTLOG_WARNING_TYPE, OC_EVENT_ID_NOTICE_WARNING },
    { "5", EVENTLOG_INFORMATION_TYPE, OC_EVENT_ID_NOTICE_RESOLVED },
    { "6", EVENTLOG_INFORMATION_TYPE, OC_EVENT_ID_NOTICE_TEST },
};

static const char *field_of(const struct oc_wire_delivery *delivery, const char *name)
{
    for (size_t i = 0; i + 1 < delivery->fields.count; i += 2) {
        if (strcmp(delivery->fields.items[i], name) == 0)
            return delivery->fields.items[i + 1];
    }
    return "";
}

static struct grade grade_of(const struct oc_wire_delivery *delivery)
{
    const char *priority = field_of(delivery, "PRIORITY");
    struct grade grade = { "", EVENTLOG_INFORMATION_TYPE, OC_EVENT_ID_NOTICE_INFO };

    for (size_t i = 0; i < sizeof(grades) / sizeof(grades[0]); i++) {
        if (strcmp(priority, grades[i].priority) == 0)
            grade = grades[i];
    }
    if (grade.id == OC_EVENT_ID_NOTICE_WARNING &&
        strcmp(field_of(delivery, "OOMCAST_SEVERITY"), "info") == 0)
        grade.id = OC_EVENT_ID_NOTICE_INFO;
    return grade;
}

/* The body, cut to what an event takes. Yours to free; NULL: no memory. */
static wchar_t *text_of(const struct oc_wire_delivery *delivery)
{
    size_t bytes = delivery->body_bytes < TEXT_MAX_UNITS ? delivery->body_bytes : TEXT_MAX_UNITS;
    wchar_t *out = oc_malloc((bytes + 1) * sizeof(*out));
    int units = 0;

    if (!out)
        return NULL;
    while (bytes > 0 && delivery->body[bytes - 1] == '\n')
        bytes--;
    if (bytes > 0) /* never more units than bytes; half a character at the end is a mark */
        units = MultiByteToWideChar(CP_UTF8, 0, delivery->body, (int)bytes, out, (int)bytes);
    out[units] = L'\0';
    return out;
}

static DWORD report(const struct grade *grade, const wchar_t *text)
{
    HANDLE source = RegisterEventSourceW(NULL, OC_EVENT_SOURCE);
    DWORD error = 0;

    if (!source)
        return GetLastError();
    if (!ReportEventW(source, grade->type, 0, (DWORD)grade->id, NULL, 1, 0, &text, NULL))
        error = GetLastError();
    (void)DeregisterEventSource(source);
    return error;
}

void oc_journal_send(const char *path, const struct oc_wire_delivery *delivery,
                     struct oc_outcome *out)
{
    struct grade grade = grade_of(delivery);
    wchar_t *text = text_of(delivery);
    DWORD error = 0;

    (void)path;
    if (!text) {
        oc_outcome_set(out, OC_DELIVERY_LATER, "out of memory");
        return;
    }
    error = report(&grade, text);
    oc_free(text);
    if (error == 0)
        oc_outcome_set(out, OC_DELIVERY_SENT, "%s", "");
    else
        oc_outcome_set(out, OC_DELIVERY_LATER, "the event log does not take it: %s (%lu)",
                       oc_err_text(oc_err_from_windows(error)), (unsigned long)error);
}
