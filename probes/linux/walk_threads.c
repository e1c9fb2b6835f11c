/* The threads of a process: where their stacks are, and what they are called. */
#include "probes/linux/walk.h"

#include "base/alloc.h"
#include "base/os.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSCALL_BYTES 256 /* nine numbers of at most 18 characters, and blanks */

static ssize_t read_of_thread(int task_fd, const char *tid, const char *name, char *out,
                              size_t out_bytes)
{
    char path[48];
    ssize_t got_bytes = -1;
    int fd = -1;

    if (snprintf(path, sizeof path, "%.24s/%s", tid, name) >= (int)sizeof path)
        return -1;
    fd = openat(task_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    got_bytes = oc_lx_pread(fd, out, out_bytes - 1);
    (void)close(fd);
    if (got_bytes >= 0)
        out[got_bytes] = '\0';
    return got_bytes;
}

/* Of "NR ARG… STACK-POINTER PC", or "-1 STACK-POINTER PC": the last but one. 0: "running". */
static uint64_t stack_pointer_of(const char *text)
{
    const char *last = strrchr(text, ' ');
    const char *at = last;

    while (at && at > text && at[-1] != ' ')
        at--;
    return at && at > text ? strtoull(at, NULL, 16) : 0;
}

static void look_at_thread(struct oc_lx_walker *walker, struct oc_lx_space *space, int task_fd,
                           const char *tid)
{
    struct oc_lx_thread *thread = &space->threads[space->thread_count];
    char text[SYSCALL_BYTES];
    ssize_t bytes = read_of_thread(task_fd, tid, "syscall", text, sizeof text);

    memset(thread, 0, sizeof *thread);
    if (bytes > 0)
        thread->stack_pointer = stack_pointer_of(text);
    else
        space->knows_threads = 0;
    if (oc_lx_wants(walker, OC_WALK_FAMILIES) || walker->request->on_region) {
        bytes = read_of_thread(task_fd, tid, "comm", text, sizeof text);
        if (bytes <= 0)
            return; /* it ended */
        text[bytes - (text[bytes - 1] == '\n')] = '\0';
        (void)snprintf(thread->name, sizeof thread->name, "%.15s", text);
    }
    space->thread_count++;
}

static int look_at_all(struct oc_lx_walker *walker, struct oc_lx_space *space, int task_fd,
                       DIR *dir)
{
    struct dirent *entry = NULL;
    size_t capacity = 0;

    space->knows_threads = 1;
    while ((entry = readdir(dir)) != NULL) {
        int rc = OC_OK;

        if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
            continue;
        rc = oc_array_grow((void **)&space->threads, &capacity, space->thread_count + 1,
                           sizeof *space->threads, OC_LX_THREADS_MAX);
        if (rc == OC_E_TOOBIG) {
            space->knows_threads = 0;
            space->is_truncated = 1;
            space->more_threads++;
            continue;
        }
        if (rc != OC_OK)
            return rc;
        look_at_thread(walker, space, task_fd, entry->d_name);
    }
    return OC_OK;
}

int oc_lx_walk_threads(struct oc_lx_walker *walker, struct oc_lx_space *space)
{
    int fd = openat(walker->dir_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    int rc = OC_OK;

    if (!dir) {
        if (fd >= 0)
            (void)close(fd);
        return OC_OK; /* a capture without it, or it ended: the stacks' shapes must do */
    }
    rc = look_at_all(walker, space, fd, dir);
    (void)closedir(dir);
    oc_lx_space_sort_threads(space);
    return rc;
}

int oc_lx_walk_thread_families(struct oc_lx_walker *walker, const struct oc_lx_space *space)
{
    int rc = OC_OK;

    oc_families_add_rest(walker->families, OC_FAMILY_THREAD, space->more_threads);
    for (size_t i = 0; i < space->thread_count && rc == OC_OK; i++) {
        const struct oc_lx_thread *thread = &space->threads[i];

        rc = oc_families_add(walker->families, OC_FAMILY_THREAD, thread->name, strlen(thread->name),
                             1, thread->stack_bytes, 0);
    }
    return rc;
}
