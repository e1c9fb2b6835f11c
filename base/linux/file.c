/* Files and folders on Linux. */
#include "base/os.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

int oc_os_mkdir_all(const char *path)
{
    char part[4096];
    int rc = oc_text_copy(part, sizeof part, path);

    if (rc)
        return rc;
    for (char *at = part + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(part, 0750) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
            return oc_err_from_errno(errno);
        *at = '/';
    }
    if (mkdir(part, 0750) != 0 && errno != EEXIST)
        return oc_err_from_errno(errno);
    return OC_OK;
}

/* Reads until the end or the maximum; the byte for the NUL tells too long from just right. */
static int read_all(int fd, char *text, size_t max_bytes, size_t *out_bytes)
{
    size_t got_bytes = 0;

    while (got_bytes <= max_bytes) {
        ssize_t n = read(fd, text + got_bytes, max_bytes + 1 - got_bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oc_err_from_errno(errno);
        if (n == 0) {
            *out_bytes = got_bytes;
            return OC_OK;
        }
        got_bytes += (size_t)n;
    }
    return OC_E_TOOBIG;
}

int oc_file_read(const char *path, size_t max_bytes, char **out_text, size_t *out_bytes)
{
    char *text = NULL;
    size_t got_bytes = 0;
    int rc = OC_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return oc_err_from_errno(errno);
    text = oc_malloc(max_bytes + 2);
    rc = text ? read_all(fd, text, max_bytes, &got_bytes) : OC_E_NOMEM;
    (void)close(fd); /* read only: nothing to lose */
    if (rc) {
        oc_free(text);
        return rc;
    }
    text[got_bytes] = '\0';
    *out_text = text;
    *out_bytes = got_bytes;
    return OC_OK;
}

static int write_all(int fd, const char *bytes, size_t len_bytes)
{
    while (len_bytes) {
        ssize_t n = write(fd, bytes, len_bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oc_err_from_errno(errno);
        bytes += n;
        len_bytes -= (size_t)n;
    }
    return fsync(fd) == 0 ? OC_OK : oc_err_from_errno(errno);
}

int oc_file_write_atomic(const char *path, const void *bytes, size_t len_bytes)
{
    char beside[4096];
    int rc = OC_OK, fd = -1;
    int len = snprintf(beside, sizeof beside, "%s.new-%ld", path, (long)getpid());

    if (len < 0 || (size_t)len >= sizeof beside)
        return OC_E_TOOBIG;
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return oc_err_from_errno(errno);
    rc = write_all(fd, bytes, len_bytes);
    if (close(fd) != 0 && !rc)
        rc = oc_err_from_errno(errno);
    if (!rc && rename(beside, path) != 0)
        rc = oc_err_from_errno(errno);
    if (rc)
        (void)unlink(beside);
    return rc;
}

int oc_file_exists(const char *path) { return access(path, F_OK) == 0; }

int oc_file_size(const char *path, uint64_t *out_bytes)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return oc_err_from_errno(errno);
    *out_bytes = (uint64_t)st.st_size;
    return OC_OK;
}

int oc_file_rename(const char *from, const char *to)
{
    return rename(from, to) == 0 ? OC_OK : oc_err_from_errno(errno);
}

int oc_file_remove(const char *path)
{
    return unlink(path) == 0 ? OC_OK : oc_err_from_errno(errno);
}

int oc_file_readable(const char *path)
{
    return access(path, R_OK) == 0 ? OC_OK : oc_err_from_errno(errno);
}

int oc_file_owner(const char *path, char *out_user, size_t user_bytes, char *out_group,
                  size_t group_bytes)
{
    struct stat st;
    const struct passwd *user = NULL;
    const struct group *group = NULL;

    if (stat(path, &st) != 0)
        return oc_err_from_errno(errno);
    user = getpwuid(st.st_uid);
    group = getgrgid(st.st_gid);
    (void)oc_text_copy(out_user, user_bytes, user ? user->pw_name : "");
    (void)oc_text_copy(out_group, group_bytes, group ? group->gr_name : "");
    return OC_OK;
}

int oc_os_free_bytes(const char *path, uint64_t *out_bytes)
{
    struct statvfs vfs;

    if (statvfs(path, &vfs) != 0)
        return oc_err_from_errno(errno);
    *out_bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    return OC_OK;
}
