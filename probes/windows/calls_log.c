/* Real calls that read the event log. */
#include "probes/windows/calls.h"

static int real_records(struct oc_win *win, oc_win_record_fn *fn, void *context)
{
    const int64_t begin_ns = oc_win_begin(win, OC_WIN_CALL_EVENTS);

    (void)fn;
    (void)context;
    oc_win_end(win, OC_WIN_CALL_EVENTS, begin_ns);
    return OC_E_NOTSUP;
}

void oc_win_log_close(struct oc_win_real *real) { (void)real; }

void oc_win_calls_log(struct oc_win *win) { win->records = real_records; }
