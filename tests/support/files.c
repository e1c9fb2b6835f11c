/* Files of a test, by what base/ has: on every system. */
#include "tests/support/folder.h"

#include "base/alloc.h"
#include "base/os.h"

#include <stdint.h>
#include <stdio.h>

#define MAX_BYTES (UINT64_C(1) << 30)

int copy_file(const char *from, const char *to)
{
    char *bytes = NULL;
    size_t len_bytes = 0;
    uint64_t size_bytes = 0;
    int rc = oc_file_size(from, &size_bytes);

    if (rc == 0 && size_bytes < MAX_BYTES)
        rc = oc_file_read(from, (size_t)size_bytes, &bytes, &len_bytes);
    if (rc == 0 && bytes)
        rc = oc_file_write_atomic(to, bytes, len_bytes);
    oc_free(bytes);
    return rc == 0 && bytes ? 0 : -1;
}

void remove_database(const char *path)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char name[512];

        (void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        (void)oc_file_remove(name);
    }
}
