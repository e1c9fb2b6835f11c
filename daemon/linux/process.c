#include "daemon/os.h"

#include "base/os.h"

#include <linux/capability.h>
#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Without the capability a later mmap() beyond RLIMIT_MEMLOCK would fail: then better not locked. */
static int may_lock(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

    return syscall(SYS_capget, &header, data) == 0 &&
           (data[0].effective & (1u << CAP_IPC_LOCK)) != 0;
}

void oc_process_init(void)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    (void)mallopt(M_ARENA_MAX, 1);              /* each further arena would hold on to pages */
    (void)mallopt(M_TRIM_THRESHOLD, 256 << 10); /* what a backlog took goes back */
    (void)mallopt(M_MMAP_THRESHOLD, 256 << 10);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)umask(0027);
    if (may_lock()) /* what was touched stays in RAM, when memory is short above all; no more is */
        (void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

int oc_data_dir_make(const char *path) { return oc_os_mkdir_all(path); }
