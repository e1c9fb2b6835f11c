/*
 * Real calls that read the event log: Windows collects records of a few sources for us from the first call on, and each
 * call takes those that came. A question of the whole log would read all of its file. Never run on a real Windows by us;
 * Wine has none of it.
 */
#include "probes/windows/calls.h"

#include "base/alloc.h"
#include "probes/windows/identity.h"
#include "probes/windows/utf16.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <winevt.h>

#define STRINGS_MAX 12
#define STRING_BYTES 1024
#define VALUES_BYTES (64u << 10) /* of one record */
#define RECORDS_MAX 256          /* taken by a call: a storm goes on with the next */
#define BATCH 16

enum { CHANNELS = 2 };

static const WCHAR *const channels[CHANNELS] = { L"System", L"Application" };
/* The sources that records.c knows, as an XPath of the log's. */
static const WCHAR *const sources[CHANNELS] = {
    L"@Name='Microsoft-Windows-WAS' or @Name='Microsoft-Windows-Resource-Exhaustion-Detector'",
    L"@Name='.NET Runtime' or @Name='Application Error'"
};

struct oc_win_log {
    HMODULE library;
    EVT_HANDLE(WINAPI *subscribe)
    (EVT_HANDLE, HANDLE, const WCHAR *, const WCHAR *, EVT_HANDLE, void *, void *, DWORD);
    BOOL(WINAPI *next)(EVT_HANDLE, DWORD, EVT_HANDLE *, DWORD, DWORD, DWORD *);
    BOOL(WINAPI *render)(EVT_HANDLE, EVT_HANDLE, DWORD, DWORD, void *, DWORD *, DWORD *);
    EVT_HANDLE(WINAPI *render_context)(DWORD, const WCHAR **, DWORD);
    BOOL(WINAPI *close)(EVT_HANDLE);
    EVT_HANDLE system_values, user_values; /* what is asked of a record */
    EVT_HANDLE channels[CHANNELS];         /* NULL: closed to us */
    HANDLE arrived;                        /* asked for by Windows; nobody waits for it */
    EVT_VARIANT *values;                   /* VALUES_BYTES */
    char source[128];
    char strings[STRINGS_MAX][STRING_BYTES];
};

/* ---- opening ---- */

static int look_up(HMODULE library, const char *name, void *out_function)
{
    FARPROC found = GetProcAddress(library, name);

    memcpy(out_function, &found, sizeof found);
    return found != NULL;
}

static int find_functions(struct oc_win_log *log)
{
    log->library = LoadLibraryExW(L"wevtapi.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    return log->library && look_up(log->library, "EvtSubscribe", &log->subscribe) &&
           look_up(log->library, "EvtNext", &log->next) &&
           look_up(log->library, "EvtRender", &log->render) &&
           look_up(log->library, "EvtCreateRenderContext", &log->render_context) &&
           look_up(log->library, "EvtClose", &log->close);
}

static void free_log(struct oc_win_log *log)
{
    for (int channel = 0; channel < CHANNELS; channel++) {
        if (log->channels[channel])
            (void)log->close(log->channels[channel]);
    }
    if (log->arrived)
        (void)CloseHandle(log->arrived);
    if (log->system_values)
        (void)log->close(log->system_values);
    if (log->user_values)
        (void)log->close(log->user_values);
    if (log->library)
        (void)FreeLibrary(log->library);
    oc_free(log->values);
    oc_free(log);
}

/* Of both, or of the one that is open to us. */
static int subscribe(struct oc_win_log *log)
{
    int rc = OC_OK, has_one = 0;

    for (int channel = 0; channel < CHANNELS; channel++) {
        WCHAR query[256];

        (void)_snwprintf(query, 255, L"*[System[Provider[%ls]]]", sources[channel]);
        query[255] = L'\0';
        log->channels[channel] = log->subscribe(NULL, log->arrived, channels[channel], query, NULL,
                                                NULL, NULL, EvtSubscribeToFutureEvents);
        if (!log->channels[channel])
            rc = oc_win_error(GetLastError());
        else
            has_one = 1;
    }
    return has_one ? OC_OK : rc;
}

static int fill_log(struct oc_win_log *log)
{
    if (!find_functions(log))
        return OC_E_NOTSUP;
    log->values = oc_malloc(VALUES_BYTES);
    if (!log->values)
        return OC_E_NOMEM;
    log->arrived = CreateEventW(NULL, TRUE, FALSE, NULL);
    log->system_values = log->render_context(0, NULL, EvtRenderContextSystem);
    log->user_values = log->render_context(0, NULL, EvtRenderContextUser);
    if (!log->arrived || !log->system_values || !log->user_values)
        return oc_win_error(GetLastError());
    return subscribe(log);
}

static int open_log(struct oc_win_real *real)
{
    struct oc_win_log *log = NULL;
    int rc = OC_OK;

    if (real->win.is_wine)
        return OC_E_NOTSUP; /* its functions are there and do nothing */
    log = oc_calloc(1, sizeof *log);
    if (!log)
        return OC_E_NOMEM;
    rc = fill_log(log);
    if (rc == OC_OK)
        real->log = log;
    else
        free_log(log);
    return rc;
}

void oc_win_log_close(struct oc_win_real *real)
{
    if (real->log)
        free_log(real->log);
    real->log = NULL;
}

/* ---- a record ---- */

/* A value as the log's viewer shows it, or "". */
static void print_value(const EVT_VARIANT *value, char *out, size_t out_bytes)
{
    out[0] = '\0';
    switch (value->Type) {
    case EvtVarTypeString:
        if (value->StringVal)
            (void)oc_win_utf8(value->StringVal, wcslen(value->StringVal), out, out_bytes);
        break;
    case EvtVarTypeByte:
        (void)snprintf(out, out_bytes, "%u", (unsigned)value->ByteVal);
        break;
    case EvtVarTypeUInt16:
        (void)snprintf(out, out_bytes, "%u", (unsigned)value->UInt16Val);
        break;
    case EvtVarTypeInt32:
        (void)snprintf(out, out_bytes, "%" PRId32, (int32_t)value->Int32Val);
        break;
    case EvtVarTypeUInt32:
        (void)snprintf(out, out_bytes, "%" PRIu32, (uint32_t)value->UInt32Val);
        break;
    case EvtVarTypeInt64:
        (void)snprintf(out, out_bytes, "%" PRId64, (int64_t)value->Int64Val);
        break;
    case EvtVarTypeUInt64:
        (void)snprintf(out, out_bytes, "%" PRIu64, (uint64_t)value->UInt64Val);
        break;
    case EvtVarTypeHexInt32:
        (void)snprintf(out, out_bytes, "0x%" PRIx32, (uint32_t)value->UInt32Val);
        break;
    case EvtVarTypeHexInt64:
        (void)snprintf(out, out_bytes, "0x%" PRIx64, (uint64_t)value->UInt64Val);
        break;
    default: /* binary data, SIDs, times: nobody asks for them */
        break;
    }
}

static int render(const struct oc_win_log *log, EVT_HANDLE what, EVT_HANDLE event, DWORD *out_count)
{
    DWORD used_bytes = 0;

    return log->render(what, event, EvtRenderEventValues, VALUES_BYTES, log->values, &used_bytes,
                       out_count);
}

/* What every record has; 0 where it is not as the log says of records. */
static int read_system(struct oc_win_log *log, EVT_HANDLE event, struct oc_win_record *record)
{
    const EVT_VARIANT *values = log->values;
    DWORD count = 0;

    if (!render(log, log->system_values, event, &count) || count <= EvtSystemTimeCreated ||
        values[EvtSystemProviderName].Type != EvtVarTypeString ||
        values[EvtSystemEventID].Type != EvtVarTypeUInt16 ||
        values[EvtSystemTimeCreated].Type != EvtVarTypeFileTime)
        return 0;
    print_value(&values[EvtSystemProviderName], log->source, sizeof log->source);
    record->source = log->source;
    record->id = values[EvtSystemEventID].UInt16Val;
    record->unix_ms = oc_win_unix_ms(values[EvtSystemTimeCreated].FileTimeVal);
    return 1;
}

static void read_strings(struct oc_win_log *log, EVT_HANDLE event, struct oc_win_record *record)
{
    DWORD count = 0;

    if (!render(log, log->user_values, event, &count))
        return;
    for (; record->string_count < count && record->string_count < STRINGS_MAX;
         record->string_count++) {
        print_value(&log->values[record->string_count], log->strings[record->string_count],
                    STRING_BYTES);
        record->strings[record->string_count] = log->strings[record->string_count];
    }
}

static void tell(struct oc_win_log *log, EVT_HANDLE event, oc_win_record_fn *fn, void *context)
{
    struct oc_win_record record = { .source = NULL };

    if (!read_system(log, event, &record))
        return;
    read_strings(log, event, &record);
    fn(&record, context);
}

/* ---- a call ---- */

static void read_channel(struct oc_win_log *log, EVT_HANDLE channel, oc_win_record_fn *fn,
                         void *context)
{
    EVT_HANDLE events[BATCH];
    DWORD count = 0;

    for (unsigned told = 0; told < RECORDS_MAX; told += count) {
        count = 0;
        if (!log->next(channel, BATCH, events, 0, 0, &count))
            return; /* ERROR_NO_MORE_ITEMS: none is left now */
        for (DWORD i = 0; i < count; i++) {
            tell(log, events[i], fn, context);
            (void)log->close(events[i]);
        }
    }
}

static int read_channels(struct oc_win_real *real, oc_win_record_fn *fn, void *context)
{
    if (!real->log && real->log_code == OC_OK)
        real->log_code = open_log(real);
    if (!real->log)
        return real->log_code;
    (void)ResetEvent(real->log->arrived);
    for (int channel = 0; channel < CHANNELS; channel++) {
        if (real->log->channels[channel])
            read_channel(real->log, real->log->channels[channel], fn, context);
    }
    return OC_OK;
}

static int real_records(struct oc_win *win, oc_win_record_fn *fn, void *context)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_EVENTS);
    int rc = read_channels(oc_win_real_of(win), fn, context);

    oc_win_end(win, OC_WIN_CALL_EVENTS, begin_ns);
    return rc;
}

void oc_win_calls_log(struct oc_win *win) { win->records = real_records; }
