#include "tests/support/disk.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>

int mount_small_disk(const char *folder, const char *size)
{
    char options[64];

    (void)snprintf(options, sizeof(options), "size=%s", size);
    return mount("none", folder, "tmpfs", 0, options) == 0 ? 0 : -1;
}

int unmount_disk(const char *folder) { return umount(folder) == 0 ? 0 : -1; }

int limit_files(uint64_t bytes)
{
    struct rlimit limit;

    (void)signal(SIGXFSZ, SIG_IGN);
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0)
        return -1;
    limit.rlim_cur = bytes == UINT64_MAX ? limit.rlim_max : bytes;
    return setrlimit(RLIMIT_FSIZE, &limit);
}
