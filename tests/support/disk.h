/* A disk that is soon full. For the tests of all rooms. */
#ifndef OC_TESTS_SUPPORT_DISK_H
#define OC_TESTS_SUPPORT_DISK_H

#include <stdint.h>

/* A small file system of its own over a folder. 0, or -1 where that is not ours to do. */
int mount_small_disk(const char *folder, const char *size);
int unmount_disk(const char *folder);

/* No file of this process may grow beyond; UINT64_MAX: none is held back. A write beyond is an error, as on a full disk. 0, or -1
 * where the system has no such limit. */
int limit_files(uint64_t bytes);

#endif
