/* Who a process is: what a walk reads besides its memory. */
#include "probes/linux/walk.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/redact.h"
#include "base/text.h"
#include "probes/linux/names.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* When the machine started. /proc/stat says it too, for 100 µs on a large machine: only for captures. */
static int64_t boot_unix_ms(struct oc_lx_walker *walker)
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

static void set_start(struct oc_lx_walker *walker, uint64_t start_ticks)
{
    struct oc_proc_facts *facts = &walker->walk->facts;
    long ticks_per_s = sysconf(_SC_CLK_TCK);
    int64_t boot_ms = boot_unix_ms(walker);

    facts->id.start_ticks = start_ticks;
    if (boot_ms != 0 && ticks_per_s > 0 && start_ticks < UINT64_C(1) << 50)
        facts->start_unix_ms = boot_ms + (int64_t)(start_ticks * 1000 / (uint64_t)ticks_per_s);
}

int oc_lx_walk_stat(struct oc_lx_walker *walker)
{
    struct oc_proc_facts *facts = &walker->walk->facts;
    struct oc_lx_stat stat;
    ssize_t len_bytes = oc_lx_walk_read(walker, "stat");

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
    if (walker->start_stack != 0 && stat.start_stack != walker->start_stack)
        return OC_E_AGAIN;
    walker->start_stack = stat.start_stack;
    oc_text_copy_utf8(facts->name, sizeof facts->name, stat.name, stat.name_bytes);
    facts->parent_pid = stat.parent_pid;
    set_start(walker, stat.start_ticks);
    return OC_OK;
}

static void read_status(struct oc_lx_walker *walker)
{
    ssize_t len_bytes = oc_lx_walk_read(walker, "status");

    if (len_bytes > 0)
        (void)oc_lx_status_parse(walker->text, (size_t)len_bytes, &walker->status);
    if (oc_lx_status_has(&walker->status, OC_LX_UID))
        walker->walk->facts.uid = (int64_t)walker->status.values[OC_LX_UID];
}

/* The memory controller's path where that is of version 1, else the unified one. */
static void read_cgroup(struct oc_lx_walker *walker)
{
    struct oc_proc_facts *facts = &walker->walk->facts;
    char whole[OC_LX_CGROUP_PATH_MAX];
    const char *path = NULL;
    size_t path_bytes = 0;
    ssize_t len_bytes = oc_lx_walk_read(walker, "cgroup");

    if (len_bytes <= 0)
        return;
    if (oc_lx_cgroup_parse(walker->text, (size_t)len_bytes, "memory", &path, &path_bytes) !=
            OC_OK &&
        oc_lx_cgroup_parse(walker->text, (size_t)len_bytes, NULL, &path, &path_bytes) != OC_OK)
        return;
    if (oc_lx_trees_path(walker->roots, walker->root_fd, path, path_bytes, whole, sizeof whole) ==
        OC_OK) {
        path = whole;
        path_bytes = strlen(whole);
    } /* else it is of another namespace: no folder of ours, but a name */
    oc_text_copy_utf8(facts->cgroup, sizeof facts->cgroup, path, path_bytes);
}

static uint64_t mix(uint64_t hash, uint64_t more)
{
    return ((hash ^ more) ^ ((hash ^ more) >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
}

/* Of the file that runs, be it replaced or removed by now. */
static uint64_t stamp_of(const struct stat *file)
{
    uint64_t hash = mix(UINT64_C(0x9e3779b97f4a7c15), (uint64_t)file->st_ino);

    hash = mix(hash, (uint64_t)file->st_size);
    hash = mix(hash, (uint64_t)file->st_mtim.tv_sec);
    hash = mix(hash, (uint64_t)file->st_mtim.tv_nsec);
    return hash ? hash : 1;
}

static void read_exe(struct oc_lx_walker *walker)
{
    struct stat file;
    struct oc_proc_facts *facts = &walker->walk->facts;
    ssize_t len_bytes = readlinkat(walker->dir_fd, "exe", walker->text, OC_LX_TEXT_BYTES);

    if (len_bytes > 0)
        oc_text_copy_utf8(facts->exe, sizeof facts->exe, walker->text, (size_t)len_bytes);
    if (len_bytes > 0 && fstatat(walker->dir_fd, "exe", &file, 0) == 0)
        walker->walk->program_stamp = stamp_of(&file);
}

/* All of it is redacted before it is cut: a secret at the edge would not be known for one. */
static void set_cmdline(struct oc_lx_walker *walker, size_t len_bytes)
{
    struct oc_proc_facts *facts = &walker->walk->facts;
    char *redacted = oc_strndup(walker->text, len_bytes);

    walker->walk->cmdline = oc_strndup(walker->text, len_bytes);
    if (!redacted)
        return; /* unknown, rather than with what nobody may see */
    oc_redact(redacted);
    oc_text_copy_utf8(facts->cmdline, sizeof facts->cmdline, redacted, strlen(redacted));
    oc_free(redacted);
}

static void read_cmdline(struct oc_lx_walker *walker)
{
    ssize_t len_bytes = oc_lx_walk_read_timed(walker, "cmdline");

    while (len_bytes > 0 && walker->text[len_bytes - 1] == '\0')
        len_bytes--;
    if (len_bytes <= 0)
        return;
    for (ssize_t i = 0; i < len_bytes; i++) {
        if (walker->text[i] == '\0')
            walker->text[i] = ' ';
    }
    set_cmdline(walker, (size_t)len_bytes);
}

void oc_lx_walk_facts(struct oc_lx_walker *walker)
{
    struct oc_proc_facts *facts = &walker->walk->facts;

    read_status(walker);
    if (!oc_lx_wants(walker, OC_WALK_FACTS))
        return;
    read_cgroup(walker);
    read_exe(walker);
    read_cmdline(walker);
    oc_lx_names(walker->roots, facts->uid, facts->cgroup, &walker->walk->names);
}
