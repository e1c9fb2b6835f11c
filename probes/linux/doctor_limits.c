/* Whether limits, killers and names can be told here. */
#include "probes/linux/doctor.h"

#include "probes/linux/limits.h"
#include "probes/linux/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* ---- limits ---- */

/* Whether a file of the process can be opened: 0 or a code. */
static int try_file(const struct oc_lx_doctor *doctor, const char *name)
{
    char path[64];
    int fd = -1;

    (void)snprintf(path, sizeof path, "%u/%s", doctor->pid, name);
    fd = openat(doctor->probe->proc_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return oc_err_from_errno(errno);
    (void)close(fd);
    return OC_OK;
}

static void check_own(const struct oc_lx_doctor *doctor)
{
    int rc = try_file(doctor, "limits");

    if (rc == OC_OK)
        oc_lx_doctor_ok(doctor, "rlimits");
    else
        oc_lx_doctor_tell(doctor, "rlimits", rc, "its limits file cannot be read", "");
    rc = try_file(doctor, "exe");
    if (rc == OC_OK)
        oc_lx_doctor_ok(doctor, "32-bit address space");
    else if (rc == OC_E_DENIED)
        oc_lx_doctor_tell(doctor, "32-bit address space", rc,
                          "its executable cannot be read: the process is another user's",
                          oc_lx_doctor_ptrace_mend);
    else
        oc_lx_doctor_tell(doctor, "32-bit address space", OC_E_NOTSUP,
                          "its executable is not here: a kernel thread, or a copy of /proc", "");
}

static void check_kernel(const struct oc_lx_doctor *doctor, const struct oc_probe_options *options)
{
    static const char mend[] = "mount /proc without subset=pid (systemd: ProcSubset=all)";
    char text[64];

    if (oc_lx_read_path(doctor->probe, "sys/vm/max_map_count", text, sizeof text) > 0)
        oc_lx_doctor_ok(doctor, "vm.max_map_count");
    else
        oc_lx_doctor_tell(doctor, "vm.max_map_count", OC_E_NOENT,
                          "/proc/sys is not there: /proc is cut down, or a copy", mend);
    if (oc_probe_commit_is_enforced(options) >= 0)
        oc_lx_doctor_ok(doctor, "overcommit mode");
    else
        oc_lx_doctor_tell(doctor, "overcommit mode", OC_E_NOENT,
                          "/proc/sys is not there: CommitLimit is taken for not enforced", mend);
}

/* ---- whose limit a kill was ---- */

static void check_chain(const struct oc_lx_doctor *doctor)
{
    const struct oc_lx_tree *tree = &doctor->probe->trees.memory;

    if (tree->version == OC_LX_CGROUP_NONE)
        return; /* said with the cgroup */
    if (tree->is_whole)
        oc_lx_doctor_ok(doctor, "all cgroups above");
    else
        oc_lx_doctor_tell(
            doctor, "all cgroups above", OC_E_NOTSUP,
            "a part of the cgroup tree is mounted here: limits above it are not seen, "
            "and kills for them have no name",
            "mount the host's /sys/fs/cgroup and name it with --root, or use the "
            "host's cgroup namespace");
}

static void check_kills(const struct oc_lx_doctor *doctor)
{
    if (doctor->probe->host.oom_kills != OC_LX_MAX)
        oc_lx_doctor_ok(doctor, "oom kills");
    else
        oc_lx_doctor_tell(doctor, "oom kills", OC_E_NOTSUP,
                          "/proc/vmstat oom_kill: Linux 4.13 and later, and /proc not cut down",
                          "");
}

/* ---- names ---- */

/* A source of names: said only where it is there, or ought to be. */
static void check_names(const struct oc_lx_doctor *doctor, const struct oc_lx_roots *roots,
                        const char *figure, const char *path, int is_needed)
{
    char why[160];
    int fd = oc_lx_roots_open(roots, path, 0);

    if (fd >= 0) {
        (void)close(fd);
        oc_lx_doctor_ok(doctor, figure);
        return;
    }
    if (fd != OC_E_DENIED && !is_needed)
        return;
    (void)snprintf(why, sizeof why, "%.70s%.70s cannot be read", roots->root, path);
    oc_lx_doctor_tell(doctor, figure, fd, why,
                      fd == OC_E_DENIED ? "run as root, or grant CAP_DAC_READ_SEARCH" : "");
}

void oc_lx_doctor_limits(const struct oc_lx_doctor *doctor, const struct oc_probe_options *options)
{
    struct oc_lx_roots roots;

    check_own(doctor);
    check_kernel(doctor, options);
    check_chain(doctor);
    check_kills(doctor);
    if (oc_lx_roots_of(options, &roots) != OC_OK || !roots.has_files)
        return;
    check_names(doctor, &roots, "user names", "/etc/passwd", 1);
    check_names(doctor, &roots, "docker container names", "/var/lib/docker/containers", 0);
    check_names(doctor, &roots, "podman container names",
                "/var/lib/containers/storage/overlay-containers/containers.json", 0);
    check_names(doctor, &roots, "pod names", "/var/log/pods", 0);
}
