#include "tests/support/disk.h"

int mount_small_disk(const char *folder, const char *size)
{
    (void)folder;
    (void)size;
    return -1;
}

int unmount_disk(const char *folder)
{
    (void)folder;
    return -1;
}

int limit_files(uint64_t bytes) { return bytes == UINT64_MAX ? 0 : -1; }
