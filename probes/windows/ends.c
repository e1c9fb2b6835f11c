/* Ends of processes: told by threads that wait, taken by the probe's own. */
#include "probes/windows/probe_windows.h"

/* A stack: who waits pushes, each process once; the probe's thread takes all of it at once. */
void oc_win_ended(struct oc_win_proc *proc)
{
    struct oc_win_probe *probe = proc->probe;
    struct oc_win_proc *head = NULL;

    if (atomic_exchange(&proc->has_ended, 1))
        return;
    head = atomic_load(&probe->ended);
    do {
        proc->next_ended = head;
    } while (!atomic_compare_exchange_weak(&probe->ended, &head, proc));
    if (probe->signal != 0)
        probe->win->signal_set(probe->win, probe->signal);
}

static void take_all(struct oc_win_probe *probe)
{
    struct oc_win_proc *list = atomic_exchange(&probe->ended, NULL);

    while (list) { /* the last that was pushed comes first: turned round */
        struct oc_win_proc *proc = list;

        list = proc->next_ended;
        proc->next_ended = probe->ends;
        probe->ends = proc;
    }
}

void oc_win_forget_end(struct oc_win_probe *probe, struct oc_win_proc *proc)
{
    struct oc_win_proc **link = &probe->ends;

    if (!atomic_load(&proc->has_ended) || proc->is_told)
        return;
    take_all(probe);
    while (*link && *link != proc)
        link = &(*link)->next_ended;
    if (*link)
        *link = proc->next_ended;
}

/* Only of workers: the log says nothing of others' plans. */
static int is_worker(const struct oc_win_proc *proc)
{
    static const char worker[] = "w3wp.exe";

    for (size_t i = 0; i < sizeof worker; i++) {
        char c = proc->name[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != worker[i])
            return 0;
    }
    return 1;
}

static void tell_end(struct oc_win_probe *probe, struct oc_win_proc *proc, struct oc_event *out)
{
    const char *reason = is_worker(proc) ? oc_win_told_reason(probe, proc) : NULL;
    uint32_t code = 0;

    *out = (struct oc_event){ .kind = OC_EVENT_PROC_END,
                              .pid = proc->pid,
                              .tag = proc->base.tag,
                              .end = OC_END_UNKNOWN,
                              .status = -1 };
    if (proc->handle != 0 && probe->win->exited(probe->win, proc->handle, &code) == 1) {
        out->end = OC_END_EXITED;
        out->status = (int)code; /* crashes are negative: 0xc0000005 */
    }
    if (reason) {
        out->end = OC_END_RECYCLED;
        out->killer = OC_KILLER_IIS;
        out->killer_scope = reason;
    }
}

int oc_win_next_event(oc_probe *base, struct oc_event *out_event)
{
    struct oc_win_probe *probe = oc_win_probe_of(base);
    struct oc_win_proc *proc = NULL;

    if (oc_win_told_next(probe, out_event))
        return 1;
    take_all(probe);
    if (!probe->ends && probe->signal != 0) {
        probe->win->signal_reset(probe->win, probe->signal);
        take_all(probe); /* what came before the reset */
        if (probe->ends)
            probe->win->signal_set(probe->win, probe->signal);
    }
    proc = probe->ends;
    if (!proc)
        return 0;
    probe->ends = proc->next_ended;
    proc->next_ended = NULL;
    proc->is_told = 1;
    tell_end(probe, proc, out_event);
    return 1;
}

int oc_win_event_fd(const oc_probe *base)
{
    const struct oc_win_probe *probe = (const struct oc_win_probe *)(const void *)base;

    return probe->signal != 0 && probe->signal <= INT32_MAX ? (int)probe->signal : -1;
}
