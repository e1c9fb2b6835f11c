/* Descriptors: how many, what they are open on, and memfds. */
#include "probes/linux/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 65536 /* descriptors whose names are read: 1 µs each */
#define INODES_MAX 256  /* memfds told apart; with more their sum is unknown */
#define TARGET_BYTES 4096

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

/* Counts a memfd if it is not counted yet. */
static void count_memfd(struct oc_lx_walker *walker, int fds_fd, const char *name,
                        struct memfds *memfds)
{
    struct oc_walk *walk = walker->walk;
    struct stat info;

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

static int ends_with(const char *text, size_t bytes, const char *end)
{
    const size_t end_bytes = strlen(end);

    return bytes > end_bytes && memcmp(text + bytes - end_bytes, end, end_bytes) == 0;
}

/* "socket:[1234]" is a socket, as all are; "anon_inode:[eventpoll]" and paths stand as they are. */
static int add_family(struct oc_lx_walker *walker, const char *target, size_t bytes)
{
    const char *colon = memchr(target, ':', bytes);
    uint32_t deleted = 0;

    if (target[0] != '/' && colon && strncmp(target, "anon_inode:", 11) != 0)
        bytes = (size_t)(colon - target);
    else if (ends_with(target, bytes, " (deleted)")) {
        bytes -= sizeof " (deleted)" - 1;
        deleted = strncmp(target, "/memfd:", 7) != 0;
    }
    return oc_families_add(walker->families, OC_FAMILY_FD, target, bytes, 1, 0, deleted);
}

static int look_at(struct oc_lx_walker *walker, int fds_fd, const char *name, struct memfds *memfds)
{
    char target[TARGET_BYTES + 1]; /* its name need not be whole to be counted */
    const size_t max_bytes = walker->families ? TARGET_BYTES : 16;
    ssize_t bytes = readlinkat(fds_fd, name, target, max_bytes);

    if (bytes <= 0)
        return OC_OK; /* closed meanwhile */
    target[bytes] = '\0';
    if (strncmp(target, "/memfd:", 7) == 0)
        count_memfd(walker, fds_fd, name, memfds);
    return walker->families ? add_family(walker, target, (size_t)bytes) : OC_OK;
}

static void set_figures(struct oc_lx_walker *walker, uint64_t count, const struct memfds *memfds)
{
    oc_lx_walk_set(walker, OC_METRIC_FDS, count);
    if (count > LINKS_MAX || memfds->unsure)
        return;
    oc_lx_walk_set(walker, OC_METRIC_MEMFD, memfds->bytes);
    walker->walk->memfd_count =
        memfds->count > OC_WALK_MEMFDS_MAX ? OC_WALK_MEMFDS_MAX + 1 : memfds->count;
}

int oc_lx_walk_fds(struct oc_lx_walker *walker)
{
    struct memfds memfds = { .count = 0 };
    struct dirent *entry = NULL;
    uint64_t count = 0;
    int fd = openat(walker->dir_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = OC_OK;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir) {
        if (fd >= 0)
            (void)close(fd);
        return OC_OK;
    }
    while (rc == OC_OK && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (++count <= LINKS_MAX)
            rc = look_at(walker, fd, entry->d_name, &memfds);
    }
    (void)closedir(dir);
    set_figures(walker, count, &memfds);
    if (count > LINKS_MAX && walker->families)
        oc_families_add_rest(walker->families, OC_FAMILY_FD, (uint32_t)(count - LINKS_MAX));
    return rc;
}
