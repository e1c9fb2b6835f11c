#include "probes/linux/lx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char *const file_names[OC_LX_FILES] = {
    [OC_LX_STATM] = "statm",         [OC_LX_STATUS] = "status", [OC_LX_STAT] = "stat",
    [OC_LX_ROLLUP] = "smaps_rollup", [OC_LX_MAPS] = "maps",
};

/* Opens with the spare descriptor's place where there is no other. */
static int open_in_spare(struct oc_lx_probe *probe, const char *path)
{
    int fd = -1;

    (void)close(probe->spare_fd);
    probe->spare_fd = -1;
    fd = openat(probe->proc_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -errno : fd;
}

int oc_lx_open(struct oc_lx_probe *probe, const char *path)
{
    int fd = openat(probe->proc_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int error = fd < 0 ? errno : 0;

    if (probe->spare_fd < 0) /* lost at a former shortage: one is free again, perhaps */
        probe->spare_fd = fcntl(probe->proc_fd, F_DUPFD_CLOEXEC, 0);
    else if (error == EMFILE || error == ENFILE) {
        fd = open_in_spare(probe, path);
        error = fd < 0 ? -fd : 0;
    }
    if (error == 0)
        return fd;
    return error == ENOENT || error == ENOTDIR ? OC_E_GONE : oc_err_from_errno(error);
}

int oc_lx_may_keep(const struct oc_lx_probe *probe)
{
    return probe->fds_kept < probe->fds_max && probe->spare_fd >= 0;
}

void oc_lx_kept(struct oc_lx_probe *probe) { probe->fds_kept++; }

void oc_lx_close_kept(struct oc_lx_probe *probe, int *fd)
{
    if (*fd < 0)
        return;
    (void)close(*fd); /* read only: nothing to lose */
    *fd = -1;
    probe->fds_kept--;
}

ssize_t oc_lx_pread(int fd, char *text, size_t max_bytes)
{
    ssize_t got_bytes = pread(fd, text, max_bytes, 0);

    while (got_bytes < 0 && errno == EINTR)
        got_bytes = pread(fd, text, max_bytes, 0);
    return got_bytes < 0 ? oc_err_from_errno(errno) : got_bytes;
}

ssize_t oc_lx_read_all(int fd, char *text, size_t max_bytes)
{
    size_t len_bytes = 0;

    while (len_bytes < max_bytes) {
        ssize_t got_bytes = pread(fd, text + len_bytes, max_bytes - len_bytes, (off_t)len_bytes);

        if (got_bytes < 0 && errno == EINTR)
            continue;
        if (got_bytes < 0)
            return oc_err_from_errno(errno);
        if (got_bytes == 0)
            break;
        len_bytes += (size_t)got_bytes;
    }
    return (ssize_t)len_bytes;
}

ssize_t oc_lx_read_path(struct oc_lx_probe *probe, const char *path, char *text, size_t max_bytes)
{
    int fd = oc_lx_open(probe, path);
    ssize_t got_bytes = 0;

    if (fd < 0)
        return fd;
    got_bytes = oc_lx_read_all(fd, text, max_bytes);
    (void)close(fd);
    return got_bytes;
}

void oc_lx_proc_path(const struct oc_lx_proc *proc, const char *name, char *out, size_t out_bytes)
{
    if (proc->thread != 0)
        (void)snprintf(out, out_bytes, "%u/task/%u/%s", proc->pid, proc->thread, name);
    else
        (void)snprintf(out, out_bytes, "%u/%s", proc->pid, name);
}

enum oc_lx_file oc_lx_first_file(const struct oc_lx_probe *probe)
{
    return probe->look == OC_LOOK_BASIC ? OC_LX_STATUS : OC_LX_STATM;
}

/* With many processes only the first file is kept; an idle one's dear files are not worth it. */
static int worth_keeping(const struct oc_lx_proc *proc, enum oc_lx_file file)
{
    const struct oc_lx_probe *probe = proc->probe;

    if (!oc_lx_may_keep(probe))
        return 0;
    if (file == oc_lx_first_file(probe))
        return 1;
    if (probe->proc_count > OC_LX_KEEP_ALL_MAX)
        return 0;
    return probe->look != OC_LOOK_LADDER || proc->deep_count > 1;
}

size_t oc_lx_unkept(const oc_probe *base)
{
    const struct oc_lx_probe *probe = (const struct oc_lx_probe *)(const void *)base;
    enum oc_lx_file first = oc_lx_first_file(probe);
    size_t count = 0;

    if (oc_lx_may_keep(probe))
        return 0;
    for (size_t i = 0; i < probe->table.capacity; i++) {
        for (const struct oc_lx_proc *proc = probe->table.slots[i]; proc; proc = proc->older)
            count += proc->fd[first] < 0;
    }
    return count;
}

static ssize_t read_unkept(struct oc_lx_proc *proc, enum oc_lx_file file, char *text,
                           size_t max_bytes)
{
    char path[64];
    ssize_t got_bytes = 0;
    int fd = -1;

    if (file == OC_LX_STAT) /* the leader's, dead or alive: it counts for all threads */
        (void)snprintf(path, sizeof path, "%u/stat", proc->pid);
    else
        oc_lx_proc_path(proc, file_names[file], path, sizeof path);
    fd = oc_lx_open(proc->probe, path);
    if (fd < 0)
        return fd;
    got_bytes = oc_lx_pread(fd, text, max_bytes);
    if (got_bytes >= 0 && worth_keeping(proc, file)) {
        proc->fd[file] = fd;
        oc_lx_kept(proc->probe);
    } else {
        (void)close(fd);
    }
    return got_bytes;
}

ssize_t oc_lx_proc_pread(struct oc_lx_proc *proc, enum oc_lx_file file, char *text,
                         size_t max_bytes)
{
    if (proc->fd[file] >= 0)
        return oc_lx_pread(proc->fd[file], text, max_bytes);
    return read_unkept(proc, file, text, max_bytes);
}

int oc_lx_maps_read(int fd, char *text, size_t max_bytes, struct oc_lx_maps *out_maps)
{
    struct oc_lx_maps maps = { 0, 0, 0 };
    off_t at_bytes = 0;
    size_t used_bytes = 0;

    for (;;) {
        ssize_t got_bytes = pread(fd, text, max_bytes, at_bytes);
        int rc = OC_OK;

        if (got_bytes < 0 && errno == EINTR)
            continue;
        if (got_bytes < 0)
            return oc_err_from_errno(errno);
        rc = oc_lx_maps_parse(text, (size_t)got_bytes, &maps, &used_bytes);
        if (rc != OC_OK)
            return rc;
        if (used_bytes == 0) /* the end, or half a line that goes no further */
            break;
        at_bytes += (off_t)used_bytes;
    }
    *out_maps = maps;
    return OC_OK;
}

int oc_lx_proc_maps(struct oc_lx_proc *proc, struct oc_lx_maps *out_maps)
{
    char path[64];
    int fd = proc->fd[OC_LX_MAPS], rc = OC_OK;

    if (fd >= 0)
        return oc_lx_maps_read(fd, proc->probe->text, OC_LX_TEXT_BYTES, out_maps);
    oc_lx_proc_path(proc, file_names[OC_LX_MAPS], path, sizeof path);
    fd = oc_lx_open(proc->probe, path);
    if (fd < 0)
        return fd;
    rc = oc_lx_maps_read(fd, proc->probe->text, OC_LX_TEXT_BYTES, out_maps);
    if (rc == OC_OK && worth_keeping(proc, OC_LX_MAPS)) {
        proc->fd[OC_LX_MAPS] = fd;
        oc_lx_kept(proc->probe);
    } else {
        (void)close(fd);
    }
    return rc;
}

void oc_lx_proc_close_file(struct oc_lx_proc *proc, enum oc_lx_file file)
{
    oc_lx_close_kept(proc->probe, &proc->fd[file]);
}
