/* Which figures can be read here, which right is missing for the others, and what each call costs. */
#include "probes/windows/contract.h"

#include "base/os.h"
#include "base/text.h"
#include "probes/windows/iis.h"
#include "probes/windows/probe_windows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STEADY_TICKS 10

struct doctor {
    struct oc_win *win;
    uint32_t pid;
    oc_probe *probe;
    oc_proc *proc;
    struct oc_sample look, walk, host;
    int walk_code;
    oc_ability_fn *fn;
    void *context;
};

static const char debug_mend[] =
    "run it as the service, or from a console that was opened as administrator";

static void tell(const struct doctor *doctor, const char *figure, int rc, const char *why,
                 const char *mend)
{
    struct oc_ability ability = { .figure = figure, .rc = rc };

    oc_text_copy_utf8(ability.why, sizeof ability.why, why, strlen(why));
    oc_text_copy_utf8(ability.mend, sizeof ability.mend, mend, strlen(mend));
    doctor->fn(&ability, doctor->context);
}

/* ---- figures ---- */

static const char *why_no_figure(const struct doctor *doctor, unsigned number)
{
    if (doctor->walk_code == OC_E_DENIED)
        return "its memory is not ours to read: another user's, protected, or the system's";
    if (number == OC_METRIC_VIRTUAL && doctor->win->is_wine)
        return "Wine gives the size of its Unix process; a walk counts the regions";
    if (number == OC_METRIC_LARGEST_FREE || number == OC_METRIC_UNUSABLE)
        return "told where address space is short: of 32-bit processes";
    return "this Windows does not say";
}

static void tell_process(const struct doctor *doctor)
{
    for (unsigned bit = 1; bit < OC_BLOCK_METRICS; bit++) {
        unsigned number = OC_METRIC_NUMBER((unsigned)OC_BLOCK_PROCESS, bit);
        const struct oc_metric_row *row = oc_metric_by_number(number);

        if (!row || !row->windows_source || number == OC_METRIC_PROCESSES)
            continue;
        if ((doctor->look.known | doctor->walk.known) & OC_METRIC_BIT(number))
            tell(doctor, row->name, OC_OK, "", "");
        else if (doctor->walk_code == OC_E_DENIED && row->rung != OC_RUNG_TICK)
            tell(doctor, row->name, OC_E_DENIED, why_no_figure(doctor, number),
                 doctor->win->has_debug ? "" : debug_mend);
        else
            tell(doctor, row->name, OC_E_NOTSUP, why_no_figure(doctor, number), "");
    }
}

static void tell_host(const struct doctor *doctor)
{
    for (unsigned bit = 1; bit < OC_BLOCK_METRICS; bit++) {
        unsigned number = OC_METRIC_NUMBER((unsigned)OC_BLOCK_HOST, bit);
        const struct oc_metric_row *row = oc_metric_by_number(number);

        if (!row || !row->windows_source)
            continue;
        if (doctor->host.known & OC_METRIC_BIT(number))
            tell(doctor, row->name, OC_OK, "", "");
        else
            tell(doctor, row->name, OC_E_NOTSUP, "Windows does not say here", "");
    }
}

/* ---- rights ---- */

static void tell_rights(const struct doctor *doctor)
{
    if (doctor->win->has_debug)
        tell(doctor, "SeDebugPrivilege", OC_OK, "", "");
    else
        tell(doctor, "SeDebugPrivilege", OC_E_DENIED,
             doctor->win->is_elevated
                 ? "it was taken away: memory of other users' processes is not looked into"
                 : "not elevated: other users' processes have counters alone, no regions",
             debug_mend);
}

static void tell_job(const struct doctor *doctor)
{
    const struct oc_win_proc *proc = (const struct oc_win_proc *)(const void *)doctor->proc;
    struct oc_win_basics basics;

    if (proc->handle == 0 || doctor->win->basics(doctor->win, proc->handle, &basics) != OC_OK ||
        !basics.has_job || !basics.is_in_job)
        return;
    tell(doctor, "job", OC_E_NOTSUP,
         "the process is in a job, whose limits nobody outside can read: they are absent", "");
}

static void ignore_record(const struct oc_win_record *record, void *context)
{
    (void)record;
    (void)context;
}

static void tell_log(const struct doctor *doctor)
{
    int rc = doctor->win->records(doctor->win, ignore_record, NULL);

    if (rc == OC_OK)
        tell(doctor, "event log", OC_OK, "", "");
    else
        tell(doctor, "event log", rc,
             "why IIS recycled a worker, and crashes, are not told; ends and exit codes are",
             rc == OC_E_DENIED ? "join the group Event Log Readers" : "");
}

/* ---- cost ---- */

static void tell_costs(const struct doctor *doctor)
{
    const struct oc_win_counts *counts = &doctor->win->counts;

    for (unsigned call = 0; call < OC_WIN_CALL_COUNT; call++) {
        char why[160];

        if (counts->calls[call] == 0)
            continue;
        (void)snprintf(why, sizeof why, "%" PRIu64 " calls, %.1f \xc2\xb5s each",
                       counts->calls[call],
                       (double)counts->ns[call] / 1e3 / (double)counts->calls[call]);
        tell(doctor, oc_win_call_name((enum oc_win_call)call), OC_OK, why, "");
    }
}

static uint64_t calls_in_all(const struct oc_win_counts *counts)
{
    uint64_t sum = 0;

    for (unsigned call = 0; call < OC_WIN_CALL_COUNT; call++)
        sum += counts->calls[call];
    return sum;
}

/* What a tick costs once all is open. */
static void tell_steady(const struct doctor *doctor)
{
    const struct oc_win_counts *counts = &doctor->win->counts;
    const uint64_t opened = counts->calls[OC_WIN_CALL_OPEN], calls = calls_in_all(counts);
    struct oc_sample sample;
    char why[160];

    for (int tick = 0; tick < STEADY_TICKS; tick++) {
        (void)oc_probe_tick_begin(doctor->probe, oc_clock_mono_ns());
        (void)oc_probe_read(doctor->probe, doctor->proc, &sample);
    }
    (void)snprintf(why, sizeof why,
                   "%.1f system calls for this process, %" PRIu64 " handles opened in %d ticks",
                   (double)(calls_in_all(counts) - calls) / STEADY_TICKS,
                   counts->calls[OC_WIN_CALL_OPEN] - opened, STEADY_TICKS);
    tell(doctor, "tick", OC_OK, why, "");
}

/* ---- all of it ---- */

static int look_at(struct doctor *doctor)
{
    const struct oc_walk_request request = { .pid = doctor->pid,
                                             .want =
                                                 OC_WALK_FACTS | OC_WALK_COUNTS | OC_WALK_REGIONS };
    static const struct oc_walk none; /* all clear */
    struct oc_walk walk = none;
    int rc = oc_probe_read(doctor->probe, doctor->proc, &doctor->look);

    if (rc != OC_OK)
        return rc;
    doctor->walk_code = oc_win_walk(doctor->win, &request, &walk);
    doctor->walk = walk.sample;
    oc_walk_clear(&walk);
    return doctor->walk_code == OC_E_DENIED ? OC_OK : doctor->walk_code;
}

static int examine(struct doctor *doctor)
{
    int rc = look_at(doctor);

    if (rc != OC_OK)
        return rc;
    (void)oc_probe_host_read(doctor->probe, &doctor->host);
    tell_process(doctor);
    tell_host(doctor);
    tell_rights(doctor);
    tell_job(doctor);
    tell_log(doctor);
    rc = oc_win_iis_doctor(doctor->win, doctor->fn, doctor->context);
    tell_steady(doctor);
    tell_costs(doctor);
    return rc;
}

static void count_seen(const struct oc_seen *seen, void *context)
{
    (void)seen;
    (void)context;
}

static void keep_win(struct oc_win *win) { (void)win; } /* it is the caller's */

int oc_win_doctor(struct oc_win *win, uint32_t pid, oc_ability_fn *fn, void *context)
{
    const struct oc_probe_options options = { .no_connector = 1 };
    struct doctor doctor = {
        .win = win, .pid = pid ? pid : oc_os_pid(), .fn = fn, .context = context
    };
    int rc = OC_OK;

    win->counts.has_times = 1;
    rc = oc_win_probe_open(win, keep_win, &options, &doctor.probe);
    if (rc != OC_OK)
        return rc;
    (void)oc_probe_tick_begin(doctor.probe, oc_clock_mono_ns());
    (void)oc_probe_scan(doctor.probe, count_seen, NULL);
    rc = oc_probe_attach(doctor.probe, doctor.pid, &doctor.proc);
    if (rc == OC_OK)
        rc = examine(&doctor);
    oc_probe_detach(doctor.probe, doctor.proc);
    oc_probe_close(doctor.probe);
    return rc;
}
