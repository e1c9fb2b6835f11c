/* Whether somebody else could change a file, or what its path names. */
#include "base/os.h"

#include "base/err.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is looked at: a folder far above may be writable for all where the sticky bit keeps its entries. */
enum guarded_part { PART_FILE, PART_FOLDER, PART_ABOVE };

static int check_part(const char *path, enum guarded_part part, struct oc_detail *detail)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return oc_detail_set(detail, oc_err_from_errno(errno), "%.300s: %s", path,
                             oc_err_text(oc_err_from_errno(errno)));
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return oc_detail_set(detail, OC_E_DENIED,
                             "%.300s belongs to user %u, who could change it: 'chown root' it",
                             path, (unsigned)st.st_uid);
    if (part == PART_ABOVE && (st.st_mode & S_ISVTX))
        return OC_OK;
    if ((st.st_mode & S_IWOTH) || ((st.st_mode & S_IWGRP) && st.st_gid != 0))
        return oc_detail_set(detail, OC_E_DENIED,
                             "%.300s can be written by others: 'chmod go-w' it", path);
    return OC_OK;
}

/* Each folder of a path, from the nearest up. */
static int check_folders(char *path, struct oc_detail *detail)
{
    enum guarded_part part = PART_FOLDER;
    char *slash = NULL;
    int rc = OC_OK;

    while (rc == OC_OK && (slash = strrchr(path, '/')) != NULL) {
        int is_root = slash == path;

        slash[is_root] = '\0';
        rc = check_part(path, part, detail);
        part = PART_ABOVE;
        if (is_root)
            break;
    }
    return rc;
}

int oc_file_guarded(const char *path, struct oc_detail *detail)
{
    char real[PATH_MAX], written[PATH_MAX];
    int rc = OC_OK;

    if (!realpath(path, real))
        return oc_detail_set(detail, oc_err_from_errno(errno), "%.300s: %s", path,
                             oc_err_text(oc_err_from_errno(errno)));
    if (oc_text_copy(written, sizeof(written), path[0] == '/' ? path : real) < 0)
        return oc_detail_set(detail, OC_E_TOOBIG, "%.300s: the path is too long", path);
    rc = check_part(real, PART_FILE, detail);
    if (rc == OC_OK)
        rc = check_folders(real, detail);
    if (rc == OC_OK)
        rc = check_folders(written, detail); /* a link on the way is changed where it stands */
    return rc;
}
