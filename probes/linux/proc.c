#include "probes/linux/lx.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STAT_TEXT_BYTES 1024
#define STATUS_TEXT_BYTES 8192 /* CPU and memory masks of a large machine come last */
#define CGROUP_TEXT_BYTES 8192

static ssize_t read_once(struct oc_lx_proc *proc, const char *name, char *text, size_t max_bytes)
{
    char path[64];

    (void)snprintf(path, sizeof path, "%u/%s", proc->pid, name);
    return oc_lx_read_path(proc->probe, path, text, max_bytes);
}

/* Name, parent and start; they must be there. */
static int read_stat(struct oc_lx_proc *proc)
{
    char *text = proc->probe->text;
    struct oc_lx_stat stat;
    ssize_t len_bytes = read_once(proc, "stat", text, STAT_TEXT_BYTES);
    int rc = OC_OK;

    if (len_bytes < 0)
        return (int)len_bytes;
    rc = oc_lx_stat_parse(text, (size_t)len_bytes, &stat);
    if (rc != OC_OK)
        return rc;
    oc_text_copy_utf8(proc->name, sizeof proc->name, stat.name, stat.name_bytes);
    proc->parent_pid = stat.parent_pid;
    proc->start_ticks = stat.start_ticks;
    if (stat.flags & OC_LX_PF_KTHREAD)
        proc->flags |= OC_LX_KTHREAD;
    return OC_OK;
}

static void read_uid(struct oc_lx_proc *proc)
{
    char *text = proc->probe->text;
    struct oc_lx_status status;
    ssize_t len_bytes = read_once(proc, "status", text, STATUS_TEXT_BYTES);

    proc->uid = -1;
    if (len_bytes < 0)
        return;
    (void)oc_lx_status_parse(text, (size_t)len_bytes, &status); /* the user comes early in it */
    if (oc_lx_status_has(&status, OC_LX_UID))
        proc->uid = (int64_t)status.values[OC_LX_UID];
}

static void read_cgroup(struct oc_lx_proc *proc)
{
    char *text = proc->probe->text;
    const struct oc_lx_tree *tree = &proc->probe->trees.memory;
    const char *controller = oc_lx_tree_controller(tree, "memory");
    char whole[OC_LX_CGROUP_PATH_MAX];
    const char *path = NULL;
    size_t path_bytes = 0;
    ssize_t len_bytes = read_once(proc, "cgroup", text, CGROUP_TEXT_BYTES);

    if (len_bytes <= 0 ||
        oc_lx_cgroup_parse(text, (size_t)len_bytes, controller, &path, &path_bytes) != OC_OK)
        return;
    oc_free(proc->cgroup_path); /* NULL: unknown, no more than that */
    if (oc_lx_tree_path(tree, path, path_bytes, whole, sizeof whole) == OC_OK)
        proc->cgroup_path = oc_strdup(whole);
    else /* of another namespace: no folder of ours, but a name */
        proc->cgroup_path = oc_strndup(path, path_bytes);
}

void oc_lx_proc_execed(struct oc_lx_proc *proc)
{
    struct oc_event event = { OC_EVENT_PROC_EXEC, proc->pid, proc->base.tag, OC_END_EXECED, -1,
                              OC_KILLER_UNKNOWN,  NULL };

    proc->exec_count++;
    proc->deep.peak_bytes = 0;
    proc->deep.start_stack = 0;
    proc->flags &= (uint8_t) ~(OC_LX_DEEP_SEEN | OC_LX_NO_MEMFDS);
    oc_free(proc->memfds); /* found in the former program */
    proc->memfds = NULL;
    (void)read_stat(proc);
    read_uid(proc);
    read_cgroup(proc); /* who starts services moves them before */
    oc_lx_events_push(proc->probe, &event, proc);
}

/* A pidfd tells the end at once. Not with very many processes: then the looks find it. */
static void open_pidfd(struct oc_lx_proc *proc)
{
    struct oc_lx_probe *probe = proc->probe;
    int fd = -1;

    if (!probe->live || !oc_lx_may_keep(probe))
        return;
    if (probe->proc_count >= OC_LX_KEEP_ALL_MAX) {
        proc->flags |= OC_LX_THINNED;
        return;
    }
    fd = probe->sys->pidfd_open(proc->pid);
    if (fd < 0)
        return;
    if (oc_lx_events_watch(probe, fd, EPOLLIN, proc, 0) != OC_OK) {
        (void)close(fd);
        return;
    }
    proc->pidfd = fd;
    oc_lx_kept(probe);
}

static void close_pidfd(struct oc_lx_proc *proc)
{
    if (proc->pidfd < 0)
        return;
    oc_lx_events_forget(proc->probe, proc->pidfd, proc, 0);
    oc_lx_close_kept(proc->probe, &proc->pidfd);
}

/* The PID may be another's by now: then the file that was opened for this one cannot be read. */
void oc_lx_proc_keep_again(struct oc_lx_proc *proc)
{
    const struct oc_lx_probe *probe = proc->probe;
    int first_fd = proc->fd[oc_lx_first_file(probe)];
    char text[64];

    if (probe->proc_count > OC_LX_KEEP_AGAIN || first_fd < 0 || !oc_lx_may_keep(probe))
        return;
    proc->flags &= (uint8_t)~OC_LX_THINNED;
    open_pidfd(proc);
    if (oc_lx_pread(first_fd, text, sizeof text) <= 0)
        close_pidfd(proc);
}

/* One too many: from here on statm alone stays open, for all. */
static void thin_out(struct oc_lx_probe *probe)
{
    enum oc_lx_file first = oc_lx_first_file(probe);

    for (size_t i = 0; i < probe->table.capacity; i++) {
        for (struct oc_lx_proc *proc = probe->table.slots[i]; proc; proc = proc->older) {
            if (proc->pidfd >= 0)
                proc->flags |= OC_LX_THINNED;
            close_pidfd(proc);
            for (int file = 0; file < OC_LX_FILES; file++) {
                if (file != (int)first)
                    oc_lx_proc_close_file(proc, (enum oc_lx_file)file);
            }
        }
    }
}

static struct oc_lx_proc *new_proc(struct oc_lx_probe *probe, uint32_t pid)
{
    struct oc_lx_proc *proc = oc_calloc(1, sizeof *proc);

    if (!proc)
        return NULL;
    proc->base.ops = probe->base.ops;
    proc->probe = probe;
    proc->pid = pid;
    proc->pidfd = -1;
    proc->uid = -1;
    proc->end_code = -1;
    proc->cpu_ns = -1;
    for (int file = 0; file < OC_LX_FILES; file++)
        proc->fd[file] = -1;
    return proc;
}

static void free_proc(struct oc_lx_proc *proc)
{
    close_pidfd(proc);
    for (int file = 0; file < OC_LX_FILES; file++)
        oc_lx_proc_close_file(proc, (enum oc_lx_file)file);
    oc_free(proc->cgroup_path);
    oc_free(proc->memfds);
    oc_free(proc);
}

/*
 * Opens what tells this process from a later one of its PID first and reads it last: what lies
 * between is then of this one.
 */
static int read_identity(struct oc_lx_proc *proc)
{
    char statm[128];
    ssize_t len_bytes = oc_lx_proc_pread(proc, OC_LX_STATM, statm, sizeof statm);
    int rc = OC_OK;

    if (len_bytes == OC_E_GONE || len_bytes == OC_E_NOFILE)
        return (int)len_bytes;
    rc = read_stat(proc);
    if (rc != OC_OK && rc != OC_E_DENIED && rc != OC_E_PARSE)
        return rc;
    read_uid(proc);
    read_cgroup(proc);
    open_pidfd(proc);
    len_bytes = oc_lx_proc_pread(proc, OC_LX_STATM, statm, sizeof statm);
    return len_bytes == OC_E_GONE ? OC_E_GONE : OC_OK;
}

/* Whether one that /proc does not show is there all the same: signals know nothing of hidepid. */
static int is_hidden(const struct oc_lx_probe *probe, uint32_t pid)
{
    return probe->live && probe->sys == &oc_lx_kernel && pid <= INT32_MAX &&
           (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

/* The folder of one that is there can be listed, whoever owns it; with hidepid=2 it is none. */
static int why_gone(const struct oc_lx_probe *probe, uint32_t pid)
{
    char path[32];

    if (!is_hidden(probe, pid))
        return OC_E_GONE;
    (void)snprintf(path, sizeof path, "%u", pid);
    return faccessat(probe->proc_fd, path, F_OK, 0) == 0 ? OC_E_GONE : OC_E_DENIED;
}

int oc_lx_attach(oc_probe *base, uint32_t pid, oc_proc **out_proc)
{
    struct oc_lx_probe *probe = oc_lx_probe_of(base);
    struct oc_lx_proc *proc = NULL;
    int rc = OC_OK;

    if (probe->proc_count >= OC_LX_PROCS_MAX)
        return OC_E_NOMEM;
    proc = new_proc(probe, pid);
    if (!proc)
        return OC_E_NOMEM;
    proc->attached_mono_ns = (uint64_t)oc_clock_mono_ns();
    rc = read_identity(proc);
    if (rc == OC_OK)
        rc = oc_lx_table_add(&probe->table, proc);
    if (rc != OC_OK) {
        free_proc(proc);
        return rc == OC_E_GONE ? why_gone(probe, pid) : rc;
    }
    if (probe->proc_count++ == OC_LX_KEEP_ALL_MAX)
        thin_out(probe);
    *out_proc = &proc->base;
    return OC_OK;
}

void oc_lx_detach(oc_probe *base, oc_proc *handle)
{
    struct oc_lx_probe *probe = oc_lx_probe_of(base);
    struct oc_lx_proc *proc = oc_lx_proc_of(handle);

    oc_lx_events_drop(probe, proc);
    oc_lx_table_remove(&probe->table, proc);
    probe->proc_count--;
    free_proc(proc);
}

static int64_t start_unix_ms(const struct oc_lx_proc *proc)
{
    const struct oc_lx_probe *probe = proc->probe;

    if (probe->host.boot_unix_ms == 0 || proc->start_ticks > UINT64_C(1) << 50)
        return 0;
    return probe->host.boot_unix_ms + (int64_t)(proc->start_ticks * 1000 / probe->ticks_per_s);
}

const struct oc_proc_facts *oc_lx_facts(const oc_proc *handle)
{
    const struct oc_lx_proc *proc = (const struct oc_lx_proc *)(const void *)handle;
    struct oc_proc_facts *facts = &proc->probe->facts;
    const char *cgroup = proc->cgroup_path ? proc->cgroup_path : "";

    facts->id = (struct oc_proc_id){ proc->pid, proc->exec_count, proc->start_ticks };
    facts->parent_pid = proc->parent_pid;
    facts->uid = proc->uid;
    facts->start_unix_ms = start_unix_ms(proc);
    (void)oc_text_copy(facts->name, sizeof facts->name, proc->name);
    oc_text_copy_utf8(facts->cgroup, sizeof facts->cgroup, cgroup, strlen(cgroup));
    facts->exe[0] = '\0';
    facts->cmdline[0] = '\0';
    return facts;
}
