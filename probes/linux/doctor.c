/* Which figures can be read here; for the others which right or kernel feature is missing. */
#include "probes/linux/cgroup.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char ptrace_mend[] =
    "run as root or as its user, or grant the daemon CAP_SYS_PTRACE (systemd: AmbientCapabilities="
    "CAP_SYS_PTRACE CAP_DAC_READ_SEARCH)";

struct doctor {
    struct oc_lx_probe *probe;
    uint32_t pid;
    struct oc_sample look, walk;
    oc_ability_fn *fn;
    void *context;
};

static void tell_ok(const struct doctor *doctor, const char *figure)
{
    struct oc_ability ability = { .figure = figure };

    doctor->fn(&ability, doctor->context);
}

static void tell(const struct doctor *doctor, const char *figure, int rc, const char *why,
                 const char *mend)
{
    struct oc_ability ability = { .figure = figure, .rc = rc };

    (void)oc_text_copy(ability.why, sizeof ability.why, why);
    (void)oc_text_copy(ability.mend, sizeof ability.mend, mend);
    doctor->fn(&ability, doctor->context);
}

/* ---- of a process ---- */

struct figure {
    enum oc_metric metric;
    const char *file; /* in /proc/PID */
    const char
        *absent; /* what is missing where the file is there and does not say it, or is not there */
};

static const struct figure process_figures[] = {
    { OC_METRIC_PRIVATE, "status",
      "RssAnon and VmSwap: Linux 4.5 and later; a kernel thread has none" },
    { OC_METRIC_SWAP, "status", "VmSwap: a kernel with swap; a kernel thread has none" },
    { OC_METRIC_RSS_FILE, "status", "RssFile: Linux 4.5 and later; a kernel thread has none" },
    { OC_METRIC_RSS_SHMEM, "status", "RssShmem: Linux 4.5 and later; a kernel thread has none" },
    { OC_METRIC_PAGE_TABLE, "status", "VmPTE: a kernel thread has none" },
    { OC_METRIC_RSS_PEAK, "status", "VmHWM: a kernel thread has none" },
    { OC_METRIC_THREADS, "status", "Threads is not in its status" },
    { OC_METRIC_MINOR_FAULTS, "stat", "its stat cannot be read" },
    { OC_METRIC_MAJOR_FAULTS, "stat", "its stat cannot be read" },
    { OC_METRIC_FDS, "fd", "the kernel counts descriptors from Linux 6.2 on, else walks do" },
    { OC_METRIC_MEMFD, "fd", "its descriptors cannot be listed" },
    { OC_METRIC_MAPPINGS, "maps", "a kernel thread has no mappings" },
    { OC_METRIC_MODULES, "maps", "a kernel thread has no mappings" },
    { OC_METRIC_BRK_HEAP, "maps", "a kernel thread has no mappings" },
    { OC_METRIC_PSS, "smaps_rollup",
      "smaps_rollup: Linux 4.14 and later with CONFIG_PROC_PAGE_MONITOR" },
    { OC_METRIC_USS, "smaps_rollup",
      "smaps_rollup: Linux 4.14 and later with CONFIG_PROC_PAGE_MONITOR" },
};

static const struct figure *figure_of(unsigned number)
{
    static const struct figure other = { OC_METRIC_RSS, "statm", "a kernel thread has no memory" };

    for (size_t i = 0; i < sizeof process_figures / sizeof process_figures[0]; i++) {
        if ((unsigned)process_figures[i].metric == number)
            return &process_figures[i];
    }
    return &other;
}

/* Why one that is not known is not: whether its file can be opened, and read. */
static void explain_process(const struct doctor *doctor, const char *name,
                            const struct figure *figure)
{
    char path[64], byte = 0;
    int fd = -1, error = 0;

    (void)snprintf(path, sizeof path, "%u/%s", doctor->pid, figure->file);
    fd = openat(doctor->probe->proc_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (read(fd, &byte, 1) < 0 && errno != EISDIR))
        error = errno;
    if (fd >= 0)
        (void)close(fd);
    if (error != EACCES && error != EPERM) {
        tell(doctor, name, OC_E_NOTSUP, figure->absent, "");
        return;
    }
    if (strncmp(figure->file, "stat", 4) == 0) /* stat, statm, status: for all to see, else */
        tell(doctor, name, OC_E_DENIED, "/proc hides other users' processes (mounted with hidepid)",
             "run as root, or join the group that the mount's gid= names");
    else
        tell(doctor, name, OC_E_DENIED, "the process is another user's, or not dumpable",
             ptrace_mend);
}

static void check_process(const struct doctor *doctor)
{
    for (unsigned bit = 1; bit < OC_BLOCK_METRICS; bit++) {
        unsigned number = OC_METRIC_NUMBER((unsigned)OC_BLOCK_PROCESS, bit);
        const struct oc_metric_row *row = oc_metric_by_number(number);

        if (!row)
            continue;
        if ((doctor->look.known | doctor->walk.known) & OC_METRIC_BIT(number))
            tell_ok(doctor, row->name);
        else
            explain_process(doctor, row->name, figure_of(number));
    }
}

/* One look and one walk of the process, with pages. */
static int look_at(struct doctor *doctor, const struct oc_probe_options *options)
{
    const struct oc_walk_request request = { .pid = doctor->pid,
                                             .want =
                                                 OC_WALK_FACTS | OC_WALK_COUNTS | OC_WALK_PAGES };
    static const struct oc_walk none; /* all clear */
    struct oc_walk walk = none;
    oc_proc *proc = NULL;
    int rc = oc_probe_attach(&doctor->probe->base, doctor->pid, &proc);

    if (rc != OC_OK)
        return rc;
    rc = oc_probe_read(&doctor->probe->base, proc, &doctor->look);
    oc_probe_detach(&doctor->probe->base, proc);
    if (rc != OC_OK)
        return rc;
    rc = oc_probe_walk(options, &request, &walk);
    doctor->walk = walk.sample;
    oc_walk_clear(&walk);
    return rc == OC_E_DENIED ? OC_OK : rc;
}

/* ---- of its cgroup ---- */

static const char *why_no_cgroup_figure(const struct oc_lx_probe *probe, unsigned number)
{
    if (probe->trees.memory.version == OC_LX_CGROUP_V1)
        return "version 1 of cgroups has no such figure";
    switch (number) {
    case OC_METRIC_CGROUP_PEAK:
        return "memory.peak: Linux 5.19 and later; a root has none";
    case OC_METRIC_CGROUP_PSI_SOME_US:
    case OC_METRIC_CGROUP_PSI_FULL_US:
        return "memory.pressure: a kernel with CONFIG_PSI, not booted with psi=0";
    case OC_METRIC_CGROUP_TASKS:
        return "pids.current: the pids controller is not on here; a root has none";
    default:
        return "the root cgroup has no such file, or the kernel is older";
    }
}

static int is_limit(unsigned number)
{
    return number == OC_METRIC_CGROUP_LIMIT || number == OC_METRIC_CGROUP_HIGH ||
           number == OC_METRIC_CGROUP_SWAP_LIMIT;
}

static void tell_cgroup(const struct doctor *doctor, const struct oc_sample *sample)
{
    const int v1 = doctor->probe->trees.memory.version == OC_LX_CGROUP_V1;

    for (unsigned bit = 1; bit < OC_BLOCK_METRICS; bit++) {
        unsigned number = OC_METRIC_NUMBER((unsigned)OC_BLOCK_CGROUP, bit);
        const struct oc_metric_row *row = oc_metric_by_number(number);

        if (!row)
            continue;
        if ((sample->known & OC_METRIC_BIT(number)) ||
            (is_limit(number) && (!v1 || number == OC_METRIC_CGROUP_LIMIT)))
            tell_ok(doctor, row->name); /* a limit that is not set is no number, but can be read */
        else
            tell(doctor, row->name, OC_E_NOTSUP, why_no_cgroup_figure(doctor->probe, number), "");
    }
}

static void check_cgroup(const struct doctor *doctor, const char *path)
{
    oc_probe *probe = &doctor->probe->base;
    struct oc_sample sample;
    oc_cgroup *cgroup = NULL;
    int rc = oc_probe_cgroup_attach(probe, path, &cgroup);

    if (rc == OC_OK)
        rc = oc_probe_cgroup_read(probe, cgroup, &sample);
    if (rc == OC_OK)
        tell_cgroup(doctor, &sample);
    else if (rc == OC_E_NOTSUP)
        tell(doctor, "cgroup memory", rc, "no hierarchy with the memory controller is mounted",
             "boot with cgroup_enable=memory, or mount cgroup2 on /sys/fs/cgroup");
    else
        tell(doctor, "cgroup memory", rc,
             "the process's cgroup is not below the mounted tree: another cgroup namespace",
             "run in the host's cgroup namespace (docker: --cgroupns=host)");
    oc_probe_cgroup_detach(probe, cgroup);
}

/* ---- of the host ---- */

static void check_host(const struct doctor *doctor)
{
    struct oc_sample sample;

    (void)oc_probe_host_read(&doctor->probe->base, &sample);
    for (unsigned bit = 1; bit < OC_BLOCK_METRICS; bit++) {
        unsigned number = OC_METRIC_NUMBER((unsigned)OC_BLOCK_HOST, bit);
        const struct oc_metric_row *row = oc_metric_by_number(number);

        if (!row)
            continue;
        if (sample.known & OC_METRIC_BIT(number))
            tell_ok(doctor, row->name);
        else if (number == OC_METRIC_HOST_PSI_SOME_US || number == OC_METRIC_HOST_PSI_FULL_US)
            tell(doctor, row->name, OC_E_NOTSUP, "/proc/pressure/memory: a kernel with CONFIG_PSI",
                 "boot with psi=1 where the kernel has it switched off");
        else
            tell(doctor, row->name, OC_E_NOTSUP, "this kernel does not say, or /proc is cut down",
                 "mount /proc without subset=pid (systemd: ProcSubset=all)");
    }
}

/* ---- facilities ---- */

static void check_connector(const struct doctor *doctor)
{
    static const char figure[] = "proc connector";
    int rc = oc_lx_connector_open(doctor->probe);

    if (rc == OC_OK) {
        oc_lx_connector_close(doctor->probe);
        tell_ok(doctor, figure);
    } else if (rc == OC_E_DENIED) {
        tell(doctor, figure, rc, "CAP_NET_ADMIN is missing; scans find births and execs later",
             "run as root, or grant CAP_NET_ADMIN (systemd: AmbientCapabilities=CAP_NET_ADMIN)");
    } else {
        tell(doctor, figure, rc,
             "no CONFIG_PROC_EVENTS, or not in the host's network, user and PID namespaces",
             "run in the host's namespaces (systemd: no PrivateNetwork, PrivateUsers)");
    }
}

static void check_pidfd(const struct doctor *doctor)
{
    int fd = doctor->probe->sys->pidfd_open((uint32_t)getpid());

    if (fd < 0) {
        tell(doctor, "pidfd", OC_E_NOTSUP,
             "Linux 5.3 and later; the end of a process is found at its next look", "");
        return;
    }
    tell_ok(doctor, "pidfd");
    if (oc_lx_pidfd_tells(fd))
        tell_ok(doctor, "pidfd exit status");
    else
        tell(doctor, "pidfd exit status", OC_E_NOTSUP,
             "Linux 6.15 and later; else the proc connector tells it, or a zombie's stat", "");
    (void)close(fd);
}

static void check_cpu_clock(const struct doctor *doctor)
{
    if (doctor->probe->live)
        tell_ok(doctor, "cpu clock");
    else
        tell(doctor, "cpu clock", OC_E_NOTSUP,
             "/proc is of another PID namespace, or a copy: idle processes are read each time", "");
}

static void count_seen(const struct oc_seen *seen, void *context)
{
    (void)seen;
    (void)context;
}

int oc_probe_doctor(const struct oc_probe_options *options, uint32_t pid, oc_ability_fn *fn,
                    void *context)
{
    struct oc_probe_options mine = options ? *options : (struct oc_probe_options){ 0 };
    struct doctor doctor = { .pid = pid ? pid : (uint32_t)getpid(), .fn = fn, .context = context };
    oc_probe *probe = NULL;
    oc_proc *proc = NULL;
    int rc = OC_OK;

    mine.look = OC_LOOK_LADDER;
    mine.no_connector = 1;
    rc = oc_probe_open(&mine, &probe, NULL);
    if (rc != OC_OK)
        return rc;
    doctor.probe = oc_lx_probe_of(probe);
    (void)oc_probe_scan(probe, count_seen, NULL);
    rc = look_at(&doctor, &mine);
    if (rc == OC_OK)
        rc = oc_probe_attach(probe, doctor.pid, &proc);
    if (rc == OC_OK) {
        check_process(&doctor);
        check_cgroup(&doctor, oc_proc_facts(proc)->cgroup);
        check_host(&doctor);
        check_cpu_clock(&doctor);
        check_connector(&doctor);
        check_pidfd(&doctor);
    }
    oc_probe_detach(probe, proc);
    oc_probe_close(probe);
    return rc;
}
