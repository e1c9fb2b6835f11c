/* What the event log says, as events of the probe. */
#include "probes/windows/probe_windows.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "probes/windows/identity.h"

#include <string.h>

#define EVERY_NS INT64_C(5000000000) /* a question of two logs */

/* ---- reading ---- */

static void push(struct oc_win_probe *probe, const struct oc_win_told *told)
{
    struct oc_win_told_log *log = probe->log;
    struct oc_win_told_text *text = NULL;

    if (log->count == OC_WIN_TOLD_MAX)
        return; /* a storm: those that wait say enough */
    text = &log->queue[(log->first + log->count++) % OC_WIN_TOLD_MAX];
    text->pid = told->pid;
    oc_text_copy_utf8(text->text, sizeof text->text, told->text, strlen(told->text));
    if (probe->signal != 0)
        probe->win->signal_set(probe->win, probe->signal);
}

static void take_record(const struct oc_win_record *record, void *context)
{
    struct oc_win_probe *probe = context;
    struct oc_win_told told;

    if (!oc_win_record_tell(record, &told))
        return;
    oc_win_reasons_note(&probe->log->reasons, &told, record->unix_ms);
    push(probe, &told);
}

static void close_log(struct oc_win_probe *probe)
{
    oc_free(probe->log);
    probe->log = NULL;
}

void oc_win_told_poll(struct oc_win_probe *probe)
{
    int rc = OC_OK;

    if (!probe->log)
        return;
    probe->log->mono_ns = probe->now_mono_ns;
    rc = probe->win->records(probe->win, take_record, probe);
    if (rc == OC_E_NOTSUP || rc == OC_E_DENIED)
        close_log(probe);
}

int oc_win_told_open(struct oc_win_probe *probe)
{
    probe->log = oc_calloc(1, sizeof *probe->log);
    if (!probe->log)
        return OC_E_NOMEM;
    oc_win_told_poll(probe); /* from now on */
    return OC_OK;
}

void oc_win_told_tick(struct oc_win_probe *probe)
{
    if (probe->log && probe->now_mono_ns - probe->log->mono_ns >= EVERY_NS)
        oc_win_told_poll(probe);
}

/* ---- telling ---- */

static uint64_t tag_of(const struct oc_win_probe *probe, uint32_t pid)
{
    const struct oc_win_proc *proc = probe->procs;

    while (proc && (pid == 0 || proc->pid != pid))
        proc = proc->next;
    return proc ? proc->base.tag : 0;
}

int oc_win_told_next(struct oc_win_probe *probe, struct oc_event *out_event)
{
    struct oc_win_told_log *log = probe->log;
    const struct oc_win_told_text *text = NULL;

    if (!log || log->count == 0)
        return 0;
    text = &log->queue[log->first];
    log->first = (log->first + 1) % OC_WIN_TOLD_MAX;
    log->count--;
    memcpy(log->scope, text->text, sizeof log->scope);
    *out_event = (struct oc_event){ .kind = OC_EVENT_TOLD,
                                    .pid = text->pid,
                                    .tag = tag_of(probe, text->pid),
                                    .end = OC_END_RUNNING,
                                    .status = -1,
                                    .killer_scope = log->scope };
    return 1;
}

const char *oc_win_told_reason(struct oc_win_probe *probe, const struct oc_win_proc *proc)
{
    if (!probe->log)
        return NULL;
    oc_win_told_poll(probe); /* it may be said a moment ago */
    if (!probe->log)
        return NULL;
    return oc_win_reasons_of(&probe->log->reasons, proc->pid, proc->pool ? proc->pool : "",
                             oc_win_unix_ms(proc->created), oc_clock_unix_ms());
}
