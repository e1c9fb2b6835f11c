#include "probes/linux/cgroup.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- attach ---- */

static int open_dir(struct oc_lx_probe *probe, const char *path, int *out_fd, uint64_t *out_inode)
{
    char full[OC_LX_CGROUP_PATH_MAX + sizeof probe->trees.memory.dir];
    struct stat info;
    int fd = -1;

    if (oc_lx_tree_folder(&probe->trees.memory, path, full, sizeof full) != OC_OK)
        return OC_E_NOENT;
    fd = open(full,
              O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* its attributes can be read when it is gone */
    if (fd < 0 && errno == EACCES)
        fd = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return oc_err_from_errno(errno);
    *out_inode = fstat(fd, &info) == 0 ? (uint64_t)info.st_ino : 0;
    *out_fd = fd;
    oc_lx_kept(probe);
    return OC_OK;
}

/* Opens the file if it may be kept: those read at each tick. */
static void keep_file(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup,
                      enum oc_lx_cgroup_file file)
{
    const char *name = oc_lx_cgroup_file_name(probe->trees.memory.version, file);
    int fd = -1;

    if (!name || !oc_lx_may_keep(probe))
        return;
    fd = openat(cgroup->dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    cgroup->fd[file] = fd;
    oc_lx_kept(probe);
}

static void keep_files(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup)
{
    for (int file = 0; file < OC_LX_CGROUP_KEPT; file++)
        keep_file(probe, cgroup, (enum oc_lx_cgroup_file)file);
    if (cgroup->fd[OC_LX_CGROUP_EVENTS] >= 0 && probe->trees.memory.version == OC_LX_CGROUP_V2)
        (void)oc_lx_events_watch(probe, cgroup->fd[OC_LX_CGROUP_EVENTS], EPOLLPRI, cgroup, 1);
}

static void free_cgroup(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup)
{
    if (cgroup->fd[OC_LX_CGROUP_EVENTS] >= 0)
        oc_lx_events_forget(probe, cgroup->fd[OC_LX_CGROUP_EVENTS], cgroup, 1);
    for (int file = 0; file < OC_LX_CGROUP_KEPT; file++)
        oc_lx_close_kept(probe, &cgroup->fd[file]);
    oc_lx_close_kept(probe, &cgroup->dir_fd);
    oc_free(cgroup->path);
    oc_free(cgroup);
}

static struct oc_lx_cgroup *new_cgroup(const char *path)
{
    struct oc_lx_cgroup *cgroup = oc_calloc(1, sizeof *cgroup);

    if (!cgroup)
        return NULL;
    cgroup->dir_fd = -1;
    for (int file = 0; file < OC_LX_CGROUP_KEPT; file++)
        cgroup->fd[file] = -1;
    cgroup->stat_mono_ns = INT64_MIN;
    cgroup->cache_bytes = OC_LX_MAX;
    cgroup->memsw_bytes = OC_LX_MAX;
    cgroup->slow_mono_ns = INT64_MIN;
    for (int count = 0; count < OC_LX_KILL_COUNTS; count++)
        cgroup->counts[count] = (struct oc_lx_count){ OC_LX_MAX, INT64_MIN };
    cgroup->path = oc_strdup(path);
    cgroup->base.path = cgroup->path;
    if (!cgroup->path) {
        oc_free(cgroup);
        return NULL;
    }
    return cgroup;
}

static void link_cgroup(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup)
{
    cgroup->next = probe->cgroups;
    cgroup->link = &probe->cgroups;
    if (cgroup->next)
        cgroup->next->link = &cgroup->next;
    probe->cgroups = cgroup;
    probe->cgroup_count++;
}

int oc_lx_cgroup_attach(oc_probe *base, const char *path, oc_cgroup **out_cgroup)
{
    struct oc_lx_probe *probe = oc_lx_probe_of(base);
    struct oc_lx_cgroup *cgroup = NULL;
    int rc = OC_OK;

    if (probe->trees.memory.version == OC_LX_CGROUP_NONE)
        return OC_E_NOTSUP;
    if (probe->cgroup_count >= OC_LX_CGROUPS_MAX)
        return OC_E_NOMEM;
    cgroup = new_cgroup(path);
    if (!cgroup)
        return OC_E_NOMEM;
    rc = open_dir(probe, path, &cgroup->dir_fd, &cgroup->base.inode);
    if (rc != OC_OK) {
        free_cgroup(probe, cgroup);
        return rc;
    }
    keep_files(probe, cgroup);
    link_cgroup(probe, cgroup);
    (void)oc_lx_cgroup_events_read(probe, cgroup); /* what was before our time */
    *out_cgroup = &cgroup->base;
    return OC_OK;
}

void oc_lx_cgroup_detach(oc_probe *base, oc_cgroup *handle)
{
    struct oc_lx_probe *probe = oc_lx_probe_of(base);
    struct oc_lx_cgroup *cgroup = oc_lx_cgroup_of(handle);

    oc_lx_events_drop(probe, cgroup);
    *cgroup->link = cgroup->next;
    if (cgroup->next)
        cgroup->next->link = cgroup->link;
    probe->cgroup_count--;
    free_cgroup(probe, cgroup);
}
