#include "tests/support/folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define OPEN_FOLDERS 16

static int fail_with(const char *path, const char *why)
{
    fprintf(stderr, "%s: %s\n", path, why);
    return -1;
}

int make_folder(const char *prefix, char *out_path, size_t out_bytes)
{
    const char *tmp = getenv("TMPDIR");
    const int len = snprintf(out_path, out_bytes, "%s/%s-XXXXXX", tmp ? tmp : "/tmp", prefix);

    if (len < 0 || (size_t)len >= out_bytes)
        return fail_with("TMPDIR", "too long");
    return mkdtemp(out_path) ? 0 : fail_with(out_path, strerror(errno));
}

/* Something may go by itself while this runs: a program that still cleans up. */
static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path) != 0 && errno != ENOENT;
}

int remove_folder(const char *path)
{
    if (nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return 0;
    return fail_with(path, strerror(errno));
}
