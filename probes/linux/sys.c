#include "probes/linux/lx.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Of linux/pidfd.h since 6.13, exit codes since 6.15; older kernels answer ENOTTY or leave the bit. */
struct pidfd_info {
    uint64_t mask;
    uint64_t cgroup_id;
    uint32_t ids[11];
    int32_t exit_code;
};
#define INFO_EXIT (UINT64_C(1) << 3)                /* PIDFD_INFO_EXIT */
#define GET_INFO _IOWR(0xFF, 11, struct pidfd_info) /* PIDFD_GET_INFO */

/* The kernel's number for the CPU clock of a process: MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED). */
static int cpu_clock_ns(uint32_t pid, int64_t *out_ns)
{
    struct timespec time;

    if (clock_gettime((clockid_t)(~pid << 3 | 2), &time) != 0)
        return errno == EINVAL || errno == ESRCH ? OC_E_GONE : oc_err_from_errno(errno);
    *out_ns = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    return OC_OK;
}

static int pidfd_open(uint32_t pid)
{
    long fd = syscall(SYS_pidfd_open, (pid_t)pid, 0u);

    return fd < 0 ? oc_err_from_errno(errno) : (int)fd;
}

static int pidfd_exit_code(int pidfd)
{
    struct pidfd_info info = { .mask = INFO_EXIT };

    if (ioctl(pidfd, GET_INFO, &info) != 0)
        return -1;
    return info.mask & INFO_EXIT ? info.exit_code & 0xffff : -1;
}

int oc_lx_pidfd_tells(int pidfd)
{
    struct pidfd_info info = { .mask = INFO_EXIT };

    return ioctl(pidfd, GET_INFO, &info) == 0;
}

const struct oc_lx_sys oc_lx_kernel = { cpu_clock_ns, pidfd_open, pidfd_exit_code,
                                        oc_lx_connector_listen };
