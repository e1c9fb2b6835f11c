/* Looking at processes. */
#include "probes/windows/probe_windows.h"

#include "base/alloc.h"
#include "base/text.h"
#include "probes/windows/identity.h"

#include <string.h>

#define IDLE_LOOKS_MAX 60 /* as on Linux: a whole sample now and then though nothing moved */
#define THREADS_AGE_NS INT64_C(60000000000) /* the list is read anew for their number */

/* ---- attaching ---- */

static const char *file_name(const char *path)
{
    const char *name = strrchr(path, '\\');

    return name ? name + 1 : path;
}

/* By the last list, where it is in it: else one is read. */
static const struct oc_win_entry *find_entry(struct oc_win_probe *probe, uint32_t pid,
                                             uint64_t created)
{
    const struct oc_win_entry *entry = oc_win_table_find(&probe->table, pid, created);

    if (!entry && oc_win_table_read(probe) == OC_OK)
        entry = oc_win_table_find(&probe->table, pid, created);
    return entry;
}

/* Its name and parent: of the list, or where it is not there yet of the process itself. */
static int find_facts(struct oc_win_probe *probe, struct oc_win_proc *proc)
{
    const struct oc_win_entry *entry = find_entry(probe, proc->pid, proc->created);
    struct oc_win_basics basics;
    char path[1040];

    if (entry) {
        memcpy(proc->name, entry->name, sizeof proc->name);
        proc->parent_pid = entry->parent_pid;
        proc->created = entry->created;
        return OC_OK;
    }
    if (proc->handle == 0)
        return OC_E_GONE;
    if (probe->win->image(probe->win, proc->handle, path, sizeof path) == OC_OK)
        oc_text_copy_utf8(proc->name, sizeof proc->name, file_name(path), strlen(file_name(path)));
    if (probe->win->basics(probe->win, proc->handle, &basics) == OC_OK)
        proc->parent_pid = basics.parent_pid;
    return OC_OK;
}

static void on_end(uint64_t tag, void *context)
{
    (void)tag;
    oc_win_ended(context);
}

/* A handle, where one is allowed: it makes the PID its as long as it is kept. */
static int keep_handle(struct oc_win_probe *probe, struct oc_win_proc *proc)
{
    struct oc_win *win = probe->win;
    struct oc_win_times times;
    uint32_t exit_code = 0;
    int rc = OC_OK;

    if (probe->kept >= probe->kept_max)
        return OC_OK;
    rc = win->open(win, proc->pid, OC_WIN_LIMITED, &proc->handle);
    if (rc == OC_E_GONE || rc == OC_E_NOMEM)
        return rc;
    if (rc != OC_OK)
        return OC_OK; /* not ours to open: the list has its figures */
    probe->kept++;
    if (win->exited(win, proc->handle, &exit_code) == 1)
        return OC_E_GONE;
    if (win->times(win, proc->handle, &times) == OC_OK)
        proc->created = times.created;
    return OC_OK;
}

static void drop_handle(struct oc_win_probe *probe, struct oc_win_proc *proc)
{
    if (proc->wait)
        probe->win->unwait(probe->win, proc->wait);
    proc->wait = NULL;
    if (proc->handle == 0)
        return;
    probe->win->close(probe->win, proc->handle);
    proc->handle = 0;
    probe->kept--;
}

static void add(struct oc_win_probe *probe, struct oc_win_proc *proc)
{
    proc->next = probe->procs;
    proc->link = &probe->procs;
    if (proc->next)
        proc->next->link = &proc->next;
    probe->procs = proc;
    probe->proc_count++;
}

int oc_win_attach(oc_probe *base, uint32_t pid, oc_proc **out_proc)
{
    struct oc_win_probe *probe = oc_win_probe_of(base);
    struct oc_win_proc *proc = NULL;
    int rc = OC_OK;

    if (probe->proc_count >= OC_WIN_PROCS_MAX)
        return OC_E_NOMEM;
    proc = oc_calloc(1, sizeof *proc);
    if (!proc)
        return OC_E_NOMEM;
    proc->base.ops = base->ops;
    proc->probe = probe;
    proc->pid = pid;
    rc = keep_handle(probe, proc);
    if (rc == OC_OK)
        rc = find_facts(probe, proc);
    if (rc != OC_OK) {
        drop_handle(probe, proc);
        oc_free(proc);
        return rc;
    }
    if (proc->handle != 0)
        (void)probe->win->wait(probe->win, proc->handle, on_end, 0, proc, &proc->wait);
    add(probe, proc);
    *out_proc = &proc->base;
    return OC_OK;
}

void oc_win_detach(oc_probe *base, oc_proc *base_proc)
{
    struct oc_win_probe *probe = oc_win_probe_of(base);
    struct oc_win_proc *proc = oc_win_proc_of(base_proc);

    drop_handle(probe, proc);
    oc_win_forget_end(probe, proc);
    *proc->link = proc->next;
    if (proc->next)
        proc->next->link = proc->link;
    probe->proc_count--;
    oc_free(proc->pool);
    oc_free(proc);
}

const struct oc_proc_facts *oc_win_facts(const oc_proc *base_proc)
{
    const struct oc_win_proc *proc = (const struct oc_win_proc *)(const void *)base_proc;
    struct oc_proc_facts *facts = &proc->probe->facts;

    memset(facts, 0, sizeof *facts);
    facts->id.pid = proc->pid;
    facts->id.start_ticks = proc->created;
    facts->parent_pid = proc->parent_pid;
    facts->uid = -1;
    facts->start_unix_ms = oc_win_unix_ms(proc->created);
    memcpy(facts->name, proc->name, sizeof facts->name);
    return facts;
}

/* ---- figures ---- */

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Wine's sizes of address spaces are Unix's: a 32-bit process would seem to have more than there is. */
static void set_virtual(const struct oc_win_probe *probe, uint64_t bytes,
                        struct oc_win_figures *figures)
{
    if (bytes == 0 || probe->win->is_wine)
        return;
    figures->virtual_bytes = bytes;
    figures->have |= OC_WIN_HAS_VIRTUAL;
}

static void take_entry(const struct oc_win_probe *probe, const struct oc_win_entry *entry,
                       struct oc_win_figures *out)
{
    memset(out, 0, sizeof *out);
    out->private_bytes = oc_win_entry_private(entry);
    out->commit_bytes = entry->pagefile_bytes;
    out->working_set_bytes = entry->working_set_bytes;
    out->peak_working_set_bytes = entry->peak_working_set_bytes;
    out->cpu_ns = entry->cpu_ns;
    out->handle_count = entry->handle_count;
    out->thread_count = entry->thread_count;
    out->have = OC_WIN_HAS_MEMORY | OC_WIN_HAS_CPU | OC_WIN_HAS_HANDLES | OC_WIN_HAS_THREADS;
    set_virtual(probe, entry->virtual_bytes, out);
}

static int read_list(struct oc_win_proc *proc, struct oc_win_figures *out)
{
    struct oc_win_probe *probe = proc->probe;
    const struct oc_win_entry *entry = NULL;
    int rc = oc_win_table_fresh(probe);

    if (rc != OC_OK)
        return rc;
    entry = oc_win_table_find(&probe->table, proc->pid, proc->created);
    if (!entry || entry->thread_count == 0)
        return OC_E_GONE;
    take_entry(probe, entry, out);
    return OC_OK;
}

static void take_memory(const struct oc_win_probe *probe, const struct oc_win_memory *memory,
                        struct oc_win_figures *out)
{
    out->private_bytes = larger(memory->private_usage, memory->pagefile_usage);
    out->commit_bytes = memory->pagefile_usage;
    out->working_set_bytes = memory->working_set;
    out->peak_working_set_bytes = memory->peak_working_set;
    out->have |= OC_WIN_HAS_MEMORY;
    set_virtual(probe, memory->virtual_size, out);
}

/*
 * No call of a handle tells the threads: the last list does, which is seldom older than a scan; and the handles where theirs
 * failed.
 */
static void take_counts(struct oc_win_proc *proc, struct oc_win_figures *out)
{
    struct oc_win_probe *probe = proc->probe;
    const struct oc_win_entry *entry = NULL;

    if (probe->look != OC_LOOK_LADDER)
        (void)oc_win_table_fresh(probe);
    else if (!probe->table.is_there || probe->now_mono_ns - probe->table.mono_ns > THREADS_AGE_NS)
        (void)oc_win_table_read(probe);
    entry = oc_win_table_find(&probe->table, proc->pid, proc->created);
    if (!entry)
        return;
    out->thread_count = entry->thread_count;
    out->have |= OC_WIN_HAS_THREADS;
    if ((out->have & OC_WIN_HAS_HANDLES) == 0 && entry->handle_count != 0) {
        out->handle_count = entry->handle_count;
        out->have |= OC_WIN_HAS_HANDLES;
    }
}

static int has_moved(const struct oc_win_proc *proc, const struct oc_win_figures *now)
{
    const struct oc_win_figures *last = &proc->last;

    return !proc->has_last || now->private_bytes != last->private_bytes ||
           now->commit_bytes != last->commit_bytes || now->virtual_bytes != last->virtual_bytes ||
           now->working_set_bytes != last->working_set_bytes || now->cpu_ns != last->cpu_ns;
}

/*
 * Figures by its handle. OC_READ_SAME where memory and CPU time are what they were: the rest is not asked then. Windows
 * charges CPU time by the clock's tick, so that what ran for less may not show: memory is compared too, not gated by it.
 */
static int read_handle(struct oc_win_proc *proc, struct oc_win_figures *out)
{
    struct oc_win_probe *probe = proc->probe;
    struct oc_win *win = probe->win;
    struct oc_win_memory memory;
    struct oc_win_times times;
    int rc = win->memory(win, proc->handle, &memory);

    memset(out, 0, sizeof *out);
    if (rc == OC_E_GONE || rc == OC_E_NOMEM)
        return rc;
    if (rc == OC_OK)
        take_memory(probe, &memory, out);
    if (win->times(win, proc->handle, &times) == OC_OK) {
        out->cpu_ns = times.cpu_ns;
        out->have |= OC_WIN_HAS_CPU;
    }
    if (probe->look == OC_LOOK_LADDER && !has_moved(proc, out) && proc->idle_left > 1)
        return OC_READ_SAME;
    if (win->handles(win, proc->handle, &out->handle_count) == OC_OK)
        out->have |= OC_WIN_HAS_HANDLES;
    take_counts(proc, out);
    return OC_OK;
}

/* An ended process that a handle keeps still answers, with nothing left. */
static int is_over(const struct oc_win_proc *proc, const struct oc_win_figures *figures)
{
    struct oc_win *win = proc->probe->win;
    uint32_t exit_code = 0;

    if (proc->handle == 0 || (proc->wait && figures->working_set_bytes != 0))
        return 0;
    return win->exited(win, proc->handle, &exit_code) == 1;
}

static int read_figures(struct oc_win_proc *proc, struct oc_win_figures *out)
{
    int rc = OC_OK;

    if (atomic_load(&proc->has_ended))
        return OC_E_GONE;
    if (proc->handle != 0 && proc->probe->proc_count <= OC_WIN_BY_HANDLE_MAX)
        rc = read_handle(proc, out);
    else
        rc = read_list(proc, out);
    if (rc >= 0 && is_over(proc, out))
        rc = OC_E_GONE;
    if (rc == OC_E_GONE)
        oc_win_ended(proc);
    return rc;
}

static void set(struct oc_sample *sample, const struct oc_win_figures *figures, unsigned has,
                enum oc_metric metric, uint64_t value)
{
    if ((figures->have & has) == has)
        oc_sample_set(sample, metric, (int64_t)value);
}

static void fill(const struct oc_win_figures *figures, struct oc_sample *sample)
{
    sample->block = OC_BLOCK_PROCESS;
    sample->known = 0;
    set(sample, figures, OC_WIN_HAS_MEMORY, OC_METRIC_PRIVATE, figures->private_bytes);
    set(sample, figures, OC_WIN_HAS_MEMORY, OC_METRIC_COMMIT, figures->commit_bytes);
    set(sample, figures, OC_WIN_HAS_MEMORY, OC_METRIC_RSS, figures->working_set_bytes);
    set(sample, figures, OC_WIN_HAS_MEMORY, OC_METRIC_RSS_PEAK, figures->peak_working_set_bytes);
    set(sample, figures, OC_WIN_HAS_VIRTUAL, OC_METRIC_VIRTUAL, figures->virtual_bytes);
    set(sample, figures, OC_WIN_HAS_CPU, OC_METRIC_CPU_TIME, figures->cpu_ns / 1000000);
    set(sample, figures, OC_WIN_HAS_HANDLES, OC_METRIC_FDS, figures->handle_count);
    set(sample, figures, OC_WIN_HAS_THREADS, OC_METRIC_THREADS, figures->thread_count);
}

/* Spreads the rare whole samples of many that start at once. */
static void restart_idle(struct oc_win_proc *proc)
{
    proc->idle_left =
        (uint8_t)(proc->has_last ? IDLE_LOOKS_MAX : 2 + proc->pid / 4 % IDLE_LOOKS_MAX);
}

int oc_win_read(oc_probe *base, oc_proc *base_proc, struct oc_sample *out_sample)
{
    struct oc_win_proc *proc = oc_win_proc_of(base_proc);
    struct oc_win_figures figures = { 0 };
    int rc = read_figures(proc, &figures);

    (void)base;
    if (rc == OC_OK && proc->probe->look == OC_LOOK_LADDER && !has_moved(proc, &figures) &&
        proc->idle_left > 1)
        rc = OC_READ_SAME;
    if (rc == OC_READ_SAME)
        proc->idle_left--;
    if (rc != OC_OK)
        return rc;
    restart_idle(proc);
    proc->last = figures;
    proc->has_last = 1;
    fill(&figures, out_sample);
    return OC_OK;
}
