/* One look at all of a process: may block on its memory lock, so a walker thread runs it. */
#include "probes/linux/lx.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 65536 /* descriptors whose names are read: 1 µs each */
#define INODES_MAX 256  /* memfds told apart; with more their sum is unknown */

struct walker {
    int root_fd;
    int is_live; /* the root is /proc itself */
    int dir_fd;  /* /proc/PID: stays this process's, whoever gets the PID later */
    char *text;  /* OC_LX_TEXT_BYTES */
    const struct oc_walk_request *request;
    struct oc_walk *walk;
};

static ssize_t read_file(const struct walker *walker, const char *name)
{
    int fd = openat(walker->dir_fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t got_bytes = 0;

    if (fd < 0)
        return oc_err_from_errno(errno);
    got_bytes = oc_lx_read_all(fd, walker->text, OC_LX_TEXT_BYTES);
    (void)close(fd);
    return got_bytes;
}

static int open_process(struct walker *walker, const char *root)
{
    char pid[16];

    walker->is_live = !root || strcmp(root, "/proc") == 0;
    walker->root_fd = open(root ? root : "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (walker->root_fd < 0)
        return oc_err_from_errno(errno);
    (void)snprintf(pid, sizeof pid, "%u", walker->request->pid);
    walker->dir_fd = openat(walker->root_fd, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (walker->dir_fd < 0)
        return errno == ENOENT ? OC_E_GONE : oc_err_from_errno(errno);
    return OC_OK;
}

/* ---- facts ---- */

/* When the machine started. /proc/stat says it too, for 100 µs on a large machine: only for captures. */
static int64_t boot_unix_ms(struct walker *walker)
{
    static const char *const keys[] = { "btime" };
    uint64_t unix_s = 0;
    int fd = -1;
    ssize_t len_bytes = -1;

    if (walker->is_live)
        return oc_clock_unix_ms() - oc_clock_boot_ns() / 1000000;
    fd = openat(walker->root_fd, "stat", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        len_bytes = oc_lx_read_all(fd, walker->text, OC_LX_TEXT_BYTES);
        (void)close(fd);
    }
    if (len_bytes <= 0 ||
        oc_lx_keyed_parse(walker->text, (size_t)len_bytes, keys, 1, &unix_s) != 1 ||
        unix_s > UINT32_MAX)
        return 0;
    return (int64_t)unix_s * 1000;
}

static void set_start(struct walker *walker, uint64_t start_ticks)
{
    struct oc_proc_facts *facts = &walker->walk->facts;
    long ticks_per_s = sysconf(_SC_CLK_TCK);
    int64_t boot_ms = boot_unix_ms(walker);

    facts->id.start_ticks = start_ticks;
    if (boot_ms != 0 && ticks_per_s > 0 && start_ticks < UINT64_C(1) << 50)
        facts->start_unix_ms = boot_ms + (int64_t)(start_ticks * 1000 / (uint64_t)ticks_per_s);
}

/* Name, parent and start; OC_E_GONE where the PID is another's now. */
static int walk_stat(struct walker *walker)
{
    struct oc_proc_facts *facts = &walker->walk->facts;
    struct oc_lx_stat stat;
    ssize_t len_bytes = read_file(walker, "stat");

    if (len_bytes == OC_E_GONE || len_bytes == OC_E_NOENT)
        return OC_E_GONE;
    if (len_bytes < 0)
        return (int)len_bytes;
    if (oc_lx_stat_parse(walker->text, (size_t)len_bytes, &stat) != OC_OK)
        return OC_OK;
    if (walker->request->start_ticks != 0 && stat.start_ticks != walker->request->start_ticks)
        return OC_E_GONE;
    if (stat.state == 'Z' || stat.state == 'X')
        return OC_E_GONE;
    oc_text_copy_utf8(facts->name, sizeof facts->name, stat.name, stat.name_bytes);
    facts->parent_pid = stat.parent_pid;
    set_start(walker, stat.start_ticks);
    return OC_OK;
}

static void walk_status(struct walker *walker)
{
    struct oc_lx_status status = { 0 };
    ssize_t len_bytes = read_file(walker, "status");

    if (len_bytes > 0)
        (void)oc_lx_status_parse(walker->text, (size_t)len_bytes, &status);
    if (oc_lx_status_has(&status, OC_LX_UID))
        walker->walk->facts.uid = (int64_t)status.values[OC_LX_UID];
}

/* The memory controller's path where that is of version 1, else the unified one. */
static void walk_cgroup(struct walker *walker)
{
    struct oc_proc_facts *facts = &walker->walk->facts;
    const char *path = NULL;
    size_t path_bytes = 0;
    ssize_t len_bytes = read_file(walker, "cgroup");

    if (len_bytes <= 0)
        return;
    if (oc_lx_cgroup_parse(walker->text, (size_t)len_bytes, "memory", &path, &path_bytes) ==
            OC_OK ||
        oc_lx_cgroup_parse(walker->text, (size_t)len_bytes, NULL, &path, &path_bytes) == OC_OK)
        oc_text_copy_utf8(facts->cgroup, sizeof facts->cgroup, path, path_bytes);
}

static void walk_exe(struct walker *walker)
{
    struct oc_proc_facts *facts = &walker->walk->facts;
    ssize_t len_bytes = readlinkat(walker->dir_fd, "exe", walker->text, OC_LX_TEXT_BYTES);

    if (len_bytes > 0)
        oc_text_copy_utf8(facts->exe, sizeof facts->exe, walker->text, (size_t)len_bytes);
}

static void walk_cmdline(struct walker *walker)
{
    struct oc_proc_facts *facts = &walker->walk->facts;
    ssize_t len_bytes = read_file(walker, "cmdline");

    while (len_bytes > 0 && walker->text[len_bytes - 1] == '\0')
        len_bytes--;
    if (len_bytes <= 0)
        return;
    for (ssize_t i = 0; i < len_bytes; i++) {
        if (walker->text[i] == '\0')
            walker->text[i] = ' ';
    }
    oc_text_copy_utf8(facts->cmdline, sizeof facts->cmdline, walker->text, (size_t)len_bytes);
}

/* ---- figures ---- */

static void set_count(struct walker *walker, enum oc_metric metric, uint64_t value)
{
    oc_sample_set(&walker->walk->sample, metric, (int64_t)value);
}

static void walk_maps(struct walker *walker)
{
    struct oc_lx_maps maps = { 0, 0, 0 };
    int fd = openat(walker->dir_fd, "maps", O_RDONLY | O_CLOEXEC);
    int rc = fd < 0 ? OC_E_DENIED : oc_lx_maps_read(fd, walker->text, OC_LX_TEXT_BYTES, &maps);

    if (fd >= 0)
        (void)close(fd);
    if (rc != OC_OK || maps.mappings == 0)
        return; /* another user's, or a kernel thread */
    set_count(walker, OC_METRIC_MAPPINGS, maps.mappings);
    set_count(walker, OC_METRIC_MODULES, maps.modules);
    set_count(walker, OC_METRIC_BRK_HEAP, maps.heap_bytes);
}

static void walk_pages(struct walker *walker)
{
    struct oc_lx_rollup rollup;
    ssize_t len_bytes = read_file(walker, "smaps_rollup");

    if (len_bytes <= 0 || oc_lx_rollup_parse(walker->text, (size_t)len_bytes, &rollup) != OC_OK)
        return;
    set_count(walker, OC_METRIC_PSS, rollup.pss_bytes);
    set_count(walker, OC_METRIC_USS, rollup.uss_bytes);
}

struct memfds {
    uint64_t inodes[INODES_MAX];
    uint32_t count;
    uint64_t bytes;
    int unsure; /* a limit was met, or one could not be looked at */
};

static int is_known(const struct memfds *memfds, uint64_t inode)
{
    for (uint32_t i = 0; i < memfds->count; i++) {
        if (memfds->inodes[i] == inode)
            return 1;
    }
    return 0;
}

/* Counts a descriptor if it is a memfd that is not counted yet. */
static void count_memfd(struct walker *walker, int fds_fd, const char *name, struct memfds *memfds)
{
    struct oc_walk *walk = walker->walk;
    struct stat info;
    char target[16];
    ssize_t len_bytes = readlinkat(fds_fd, name, target, sizeof target);

    if (len_bytes < 7 || memcmp(target, "/memfd:", 7) != 0)
        return;
    if (fstatat(fds_fd, name, &info, 0) != 0 || memfds->count == INODES_MAX) {
        memfds->unsure = 1;
        return;
    }
    if (is_known(memfds, (uint64_t)info.st_ino))
        return;
    if (memfds->count < OC_WALK_MEMFDS_MAX)
        walk->memfds[memfds->count] =
            (struct oc_walk_memfd){ (int)strtol(name, NULL, 10), (uint64_t)info.st_ino };
    memfds->inodes[memfds->count++] = (uint64_t)info.st_ino;
    memfds->bytes += (uint64_t)info.st_blocks * 512;
}

static void walk_fds(struct walker *walker)
{
    struct memfds memfds = { .count = 0 };
    struct dirent *entry = NULL;
    uint64_t count = 0;
    int fd = openat(walker->dir_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (++count <= LINKS_MAX)
            count_memfd(walker, fd, entry->d_name, &memfds);
    }
    (void)closedir(dir);
    set_count(walker, OC_METRIC_FDS, count);
    if (count > LINKS_MAX || memfds.unsure)
        return;
    set_count(walker, OC_METRIC_MEMFD, memfds.bytes);
    walker->walk->memfd_count =
        memfds.count > OC_WALK_MEMFDS_MAX ? OC_WALK_MEMFDS_MAX + 1 : memfds.count;
}

static int walk_all(struct walker *walker)
{
    int rc = walk_stat(walker);

    if (rc != OC_OK)
        return rc;
    walk_status(walker);
    walk_cgroup(walker);
    walk_exe(walker);
    walk_cmdline(walker);
    walk_maps(walker);
    if (walker->request->want & OC_WALK_PAGES)
        walk_pages(walker);
    walk_fds(walker);
    return walk_stat(walker); /* still there: what lies between is its own */
}

int oc_probe_walk(const struct oc_probe_options *options, const struct oc_walk_request *request,
                  struct oc_walk *out_walk)
{
    struct walker walker = { .root_fd = -1, .dir_fd = -1, .request = request };
    struct oc_walk *walk = oc_calloc(1, sizeof *walk);
    int64_t cpu_ns = oc_clock_thread_cpu_ns(), wall_ns = oc_clock_mono_ns();
    int rc = OC_E_NOMEM;

    walker.walk = walk;
    walker.text = oc_malloc(OC_LX_TEXT_BYTES);
    if (!walk || !walker.text)
        goto out;
    walk->sample.block = OC_BLOCK_PROCESS;
    walk->facts.id.pid = request->pid;
    walk->facts.uid = -1;
    rc = open_process(&walker, options ? options->proc_root : NULL);
    if (rc == OC_OK)
        rc = walk_all(&walker);
    if (rc != OC_OK)
        goto out;
    walk->cpu_ns = oc_clock_thread_cpu_ns() - cpu_ns;
    walk->wall_ns = oc_clock_mono_ns() - wall_ns;
    *out_walk = *walk;
out:
    if (walker.dir_fd >= 0)
        (void)close(walker.dir_fd);
    if (walker.root_fd >= 0)
        (void)close(walker.root_fd);
    oc_free(walker.text);
    oc_free(walk);
    return rc;
}
