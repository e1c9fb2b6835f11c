/* Real calls that tell when something happens: ends of processes, and the signal that the loop waits for. */
#include "probes/windows/calls.h"

#include "base/alloc.h"

struct wait {
    void (*fn)(uint64_t tag, void *context);
    uint64_t tag;
    void *context;
    HANDLE registration;
};

static void CALLBACK on_end(void *context, BOOLEAN timed_out)
{
    const struct wait *wait = context;

    (void)timed_out; /* it never does */
    wait->fn(wait->tag, wait->context);
}

static int real_wait(struct oc_win *win, oc_win_handle process,
                     void (*fn)(uint64_t tag, void *context), uint64_t tag, void *context,
                     void **out_wait)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_WAIT);
    struct wait *wait = oc_malloc(sizeof *wait);
    int rc = OC_E_NOMEM;

    if (wait) {
        *wait = (struct wait){ fn, tag, context, NULL };
        rc = OC_OK;
        if (!RegisterWaitForSingleObject(&wait->registration, oc_win_handle_of(process), on_end,
                                         wait, INFINITE, WT_EXECUTEONLYONCE))
            rc = oc_win_error(GetLastError());
    }
    oc_win_end(win, OC_WIN_CALL_WAIT, begin_ns);
    if (rc == OC_OK)
        *out_wait = wait;
    else
        oc_free(wait);
    return rc;
}

static void real_unwait(struct oc_win *win, void *given)
{
    struct wait *wait = given;

    (void)win;
    (void)UnregisterWaitEx(wait->registration, INVALID_HANDLE_VALUE); /* until on_end() is done */
    oc_free(wait);
}

static int real_signal_new(struct oc_win *win, oc_win_handle *out)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_SIGNAL);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    DWORD error = event ? ERROR_SUCCESS : GetLastError();

    oc_win_end(win, OC_WIN_CALL_SIGNAL, begin_ns);
    if (event)
        *out = (oc_win_handle)event;
    return oc_win_error(error);
}

/* From any thread: not counted. */
static void real_signal_set(struct oc_win *win, oc_win_handle signal)
{
    (void)win;
    (void)SetEvent(oc_win_handle_of(signal));
}

static void real_signal_reset(struct oc_win *win, oc_win_handle signal)
{
    (void)win;
    (void)ResetEvent(oc_win_handle_of(signal));
}

static void real_signal_free(struct oc_win *win, oc_win_handle signal)
{
    (void)win;
    if (signal != 0)
        (void)CloseHandle(oc_win_handle_of(signal));
}

void oc_win_calls_wait(struct oc_win *win)
{
    win->wait = real_wait;
    win->unwait = real_unwait;
    win->signal_new = real_signal_new;
    win->signal_set = real_signal_set;
    win->signal_reset = real_signal_reset;
    win->signal_free = real_signal_free;
}
