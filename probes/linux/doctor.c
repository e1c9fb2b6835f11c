/* Which figures can be read here; for the others which right or kernel feature is missing. */
#include "probes/linux/doctor.h"

#include "probes/linux/cgroup.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char oc_lx_doctor_ptrace_mend[] =
    "run as root or as its user, or grant the daemon CAP_SYS_PTRACE (systemd: AmbientCapabilities="
    "CAP_SYS_PTRACE CAP_DAC_READ_SEARCH)";

void oc_lx_doctor_ok(const struct oc_lx_doctor *doctor, const char *figure)
{
    struct oc_ability ability = { .figure = figure };

    doctor->fn(&ability, doctor->context);
}

void oc_lx_doctor_tell(const struct oc_lx_doctor *doctor, const char *figure, int rc,
                       const char *why, const char *mend)
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
    { OC_METRIC_LARGEST_FREE, "maps",
      "told where address space is short: 32-bit programs, RLIMIT_AS" },
    { OC_METRIC_RESERVED, "maps", "a kernel thread has no mappings" },
    { OC_METRIC_MAIN_STACK, "maps", "a kernel thread has no mappings" },
    { OC_METRIC_ARENAS, "maps", "a kernel thread has no mappings" },
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
static void explain_process(const struct oc_lx_doctor *doctor, const char *name,
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
        oc_lx_doctor_tell(doctor, name, OC_E_NOTSUP, figure->absent, "");
        return;
    }
    if (strncmp(figure->file, "stat", 4) == 0) /* stat, statm, status: for all to see, else */
        oc_lx_doctor_tell(doctor, name, OC_E_DENIED,
                          "/proc hides other users' processes (mounted with hidepid)",
                          "run as root, or join the group that the mount's gid= names");
    else
        oc_lx_doctor_tell(doctor, name, OC_E_DENIED,
                          "the process is another user's, or not dumpable",
                          oc_lx_doctor_ptrace_mend);
}

static void check_process(const struct oc_lx_doctor *doctor)
{
    for (unsigned bit = 1; bit < OC_BLOCK_METRICS; bit++) {
        unsigned number = OC_METRIC_NUMBER((unsigned)OC_BLOCK_PROCESS, bit);
        const struct oc_metric_row *row = oc_metric_by_number(number);

        if (!row || number == OC_METRIC_PROCESSES) /* of groups alone */
            continue;
        if ((doctor->look.known | doctor->walk.known) & OC_METRIC_BIT(number))
            oc_lx_doctor_ok(doctor, row->name);
        else
            explain_process(doctor, row->name, figure_of(number));
    }
}

/* One look and one walk of the process, with pages. */
static int look_at(struct oc_lx_doctor *doctor, const struct oc_probe_options *options)
{
    const struct oc_walk_request request = {
        .pid = doctor->pid, .want = OC_WALK_FACTS | OC_WALK_COUNTS | OC_WALK_REGIONS | OC_WALK_PAGES
    };
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
    if (number == OC_METRIC_CGROUP_TASKS || number == OC_METRIC_CGROUP_TASKS_LIMIT)
        return "pids.current: the pids controller is not on here, or has another path; a root has "
               "none";
    if (number == OC_METRIC_CGROUP_MEMSW || number == OC_METRIC_CGROUP_MEMSW_LIMIT)
        return "memory.memsw.*: version 1 and a kernel with swapaccount=1; version 2 counts swap "
               "apart";
    if (probe->trees.memory.version == OC_LX_CGROUP_V1)
        return "version 1 of cgroups has no such figure";
    switch (number) {
    case OC_METRIC_CGROUP_PEAK:
        return "memory.peak: Linux 5.19 and later; a root has none";
    case OC_METRIC_CGROUP_PSI_SOME_US:
    case OC_METRIC_CGROUP_PSI_FULL_US:
        return "memory.pressure: a kernel with CONFIG_PSI, not booted with psi=0";
    default:
        return "the root cgroup has no such file, or the kernel is older";
    }
}

/* The figure of what such a limit limits: where that is known, so is that there is none. */
static unsigned limited_by(unsigned number, int v1)
{
    switch (number) {
    case OC_METRIC_CGROUP_LIMIT:
        return OC_METRIC_CGROUP_CURRENT;
    case OC_METRIC_CGROUP_HIGH:
        return v1 ? 0 : OC_METRIC_CGROUP_CURRENT;
    case OC_METRIC_CGROUP_SWAP_LIMIT:
        return v1 ? 0 : OC_METRIC_CGROUP_SWAP;
    case OC_METRIC_CGROUP_TASKS_LIMIT:
        return OC_METRIC_CGROUP_TASKS;
    case OC_METRIC_CGROUP_MEMSW_LIMIT:
        return OC_METRIC_CGROUP_MEMSW;
    default:
        return 0;
    }
}

static int is_known(const struct oc_sample *sample, unsigned number)
{
    return number != 0 && (sample->known & OC_METRIC_BIT(number)) != 0;
}

static void tell_cgroup(const struct oc_lx_doctor *doctor, const struct oc_sample *sample)
{
    const int v1 = doctor->probe->trees.memory.version == OC_LX_CGROUP_V1;

    for (unsigned bit = 1; bit < OC_BLOCK_METRICS; bit++) {
        unsigned number = OC_METRIC_NUMBER((unsigned)OC_BLOCK_CGROUP, bit);
        const struct oc_metric_row *row = oc_metric_by_number(number);

        if (!row)
            continue;
        if (is_known(sample, number) || is_known(sample, limited_by(number, v1)))
            oc_lx_doctor_ok(doctor,
                            row->name); /* a limit that is not set is no number, but can be read */
        else
            oc_lx_doctor_tell(doctor, row->name, OC_E_NOTSUP,
                              why_no_cgroup_figure(doctor->probe, number), "");
    }
}

static void check_cgroup(const struct oc_lx_doctor *doctor, const char *path)
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
        oc_lx_doctor_tell(doctor, "cgroup memory", rc,
                          "no hierarchy with the memory controller is mounted",
                          "boot with cgroup_enable=memory, or mount cgroup2 on /sys/fs/cgroup");
    else
        oc_lx_doctor_tell(
            doctor, "cgroup memory", rc,
            "the process's cgroup is not below the mounted tree: another cgroup namespace",
            "run in the host's cgroup namespace (docker: --cgroupns=host)");
    oc_probe_cgroup_detach(probe, cgroup);
}

/* ---- of the host ---- */

static void check_host(const struct oc_lx_doctor *doctor)
{
    struct oc_sample sample;

    (void)oc_probe_host_read(&doctor->probe->base, &sample);
    for (unsigned bit = 1; bit < OC_BLOCK_METRICS; bit++) {
        unsigned number = OC_METRIC_NUMBER((unsigned)OC_BLOCK_HOST, bit);
        const struct oc_metric_row *row = oc_metric_by_number(number);

        if (!row)
            continue;
        if (sample.known & OC_METRIC_BIT(number))
            oc_lx_doctor_ok(doctor, row->name);
        else if (number == OC_METRIC_HOST_PSI_SOME_US || number == OC_METRIC_HOST_PSI_FULL_US)
            oc_lx_doctor_tell(doctor, row->name, OC_E_NOTSUP,
                              "/proc/pressure/memory: a kernel with CONFIG_PSI",
                              "boot with psi=1 where the kernel has it switched off");
        else
            oc_lx_doctor_tell(doctor, row->name, OC_E_NOTSUP,
                              "this kernel does not say, or /proc is cut down",
                              "mount /proc without subset=pid (systemd: ProcSubset=all)");
    }
}

/* ---- facilities ---- */

static void check_connector(const struct oc_lx_doctor *doctor)
{
    static const char figure[] = "proc connector";
    int rc = oc_lx_connector_open(doctor->probe);

    if (rc == OC_OK) {
        oc_lx_connector_close(doctor->probe);
        oc_lx_doctor_ok(doctor, figure);
    } else if (rc == OC_E_DENIED) {
        oc_lx_doctor_tell(
            doctor, figure, rc, "CAP_NET_ADMIN is missing; scans find births and execs later",
            "run as root, or grant CAP_NET_ADMIN (systemd: AmbientCapabilities=CAP_NET_ADMIN)");
    } else {
        oc_lx_doctor_tell(
            doctor, figure, rc,
            "no CONFIG_PROC_EVENTS, or not in the host's network, user and PID namespaces",
            "run in the host's namespaces (systemd: no PrivateNetwork, PrivateUsers)");
    }
}

static void check_pidfd(const struct oc_lx_doctor *doctor)
{
    int fd = doctor->probe->sys->pidfd_open((uint32_t)getpid());

    if (fd < 0) {
        oc_lx_doctor_tell(doctor, "pidfd", OC_E_NOTSUP,
                          "Linux 5.3 and later; the end of a process is found at its next look",
                          "");
        return;
    }
    oc_lx_doctor_ok(doctor, "pidfd");
    if (oc_lx_pidfd_tells(fd))
        oc_lx_doctor_ok(doctor, "pidfd exit status");
    else
        oc_lx_doctor_tell(
            doctor, "pidfd exit status", OC_E_NOTSUP,
            "Linux 6.15 and later; else the proc connector tells it, or a zombie's stat", "");
    (void)close(fd);
}

static void check_cpu_clock(const struct oc_lx_doctor *doctor)
{
    if (doctor->probe->live)
        oc_lx_doctor_ok(doctor, "cpu clock");
    else
        oc_lx_doctor_tell(
            doctor, "cpu clock", OC_E_NOTSUP,
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
    struct oc_lx_doctor doctor = { .pid = pid ? pid : (uint32_t)getpid(),
                                   .fn = fn,
                                   .context = context };
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
        oc_lx_doctor_limits(&doctor, &mine);
        check_cpu_clock(&doctor);
        check_connector(&doctor);
        check_pidfd(&doctor);
    }
    oc_probe_detach(probe, proc);
    oc_probe_close(probe);
    return rc;
}

/* Its figures are files: a copy of them is a recording, and --root looks at it. */
int oc_probe_record(const struct oc_probe_options *options, uint32_t pid, struct oc_buf *out,
                    struct oc_detail *detail)
{
    (void)options;
    (void)pid;
    (void)out;
    return oc_detail_set(detail, OC_E_NOTSUP,
                         "a recording is of Windows alone; on Linux copy the files of /proc/PID "
                         "and look at the copy with --root");
}
