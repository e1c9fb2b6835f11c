#include "probes/linux/roots.h"

#include "base/text.h"
#include "probes/linux/lx.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PROC_SUPER_MAGIC 0x9fa0 /* linux/magic.h */

static int set_root(struct oc_lx_roots *roots, const char *root)
{
    size_t len_bytes = root ? strlen(root) : 0;

    while (len_bytes > 0 && root[len_bytes - 1] == '/')
        len_bytes--;
    if (len_bytes >= sizeof roots->root)
        return OC_E_TOOBIG;
    memcpy(roots->root, root ? root : "", len_bytes);
    roots->root[len_bytes] = '\0';
    return OC_OK;
}

static int set_path(const struct oc_lx_roots *roots, const char *named, const char *path, char *out)
{
    if (named)
        return oc_text_copy(out, OC_LX_ROOT_BYTES, named);
    return oc_lx_roots_path(roots, path, out, OC_LX_ROOT_BYTES);
}

int oc_lx_roots_of(const struct oc_probe_options *options, struct oc_lx_roots *out_roots)
{
    static const struct oc_probe_options own;
    struct oc_lx_roots roots = { .root = "" };
    int rc = OC_OK;

    if (!options)
        options = &own;
    roots.is_fixed_cgroup = options->cgroup_root != NULL;
    roots.has_files = options->root != NULL || options->proc_root == NULL;
    rc = set_root(&roots, options->root);
    if (rc == OC_OK)
        rc = set_path(&roots, options->proc_root, "/proc", roots.proc);
    if (rc == OC_OK)
        rc = set_path(&roots, options->cgroup_root, "/sys/fs/cgroup", roots.cgroup);
    if (rc == OC_OK)
        *out_roots = roots;
    return rc;
}

int oc_lx_roots_path(const struct oc_lx_roots *roots, const char *path, char *out, size_t out_bytes)
{
    int len_bytes = snprintf(out, out_bytes, "%s%s", roots->root, path);

    return len_bytes < 0 || (size_t)len_bytes >= out_bytes ? OC_E_TOOBIG : OC_OK;
}

/* -1 and errno; ENOSYS, or EPERM of a sandbox, where the kernel has no such call. */
static int open_below(int root_fd, const char *path, int flags)
{
    struct open_how how = { .flags = (unsigned)flags, .resolve = RESOLVE_IN_ROOT };

    return (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
}

int oc_lx_roots_open(const struct oc_lx_roots *roots, const char *path, int flags)
{
    char full[OC_LX_ROOT_BYTES + 512];
    int root_fd = -1, fd = -1;

    flags |= O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    if (oc_lx_roots_path(roots, path, full, sizeof full) != OC_OK)
        return OC_E_TOOBIG;
    if (roots->root[0] == '\0') {
        fd = open(full, flags);
        return fd < 0 ? oc_err_from_errno(errno) : fd;
    }
    root_fd = open(roots->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return oc_err_from_errno(errno);
    fd = open_below(root_fd, path, flags);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = open(full, flags);
    if (fd < 0)
        fd = oc_err_from_errno(errno);
    (void)close(root_fd);
    return fd;
}

/* How many PIDs we have in there: one for each namespace from its own down to ours. 0: unknown. */
static int count_own_pids(int proc_fd)
{
    char text[4096];
    const char *line = NULL, *end = NULL;
    int fd = openat(proc_fd, "self/status", O_RDONLY | O_CLOEXEC), count = 0;
    ssize_t len_bytes = 0;

    if (fd < 0)
        return 0;
    len_bytes = oc_lx_read_all(fd, text, sizeof text - 1);
    (void)close(fd);
    text[len_bytes > 0 ? len_bytes : 0] = '\0';
    line = strstr(text, "\nNSpid:");
    end = line ? strchr(line + 1, '\n') : NULL;
    for (; end && line < end; line++)
        count += *line == '\t';
    return count;
}

int oc_lx_is_live(int proc_fd)
{
    char target[32] = "", pid[32];
    struct statfs volume;

    if (fstatfs(proc_fd, &volume) != 0 || volume.f_type != PROC_SUPER_MAGIC)
        return 0;
    if (readlinkat(proc_fd, "self", target, sizeof target - 1) <= 0)
        return 0;
    (void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
    return strcmp(target, pid) == 0 && count_own_pids(proc_fd) <= 1;
}
