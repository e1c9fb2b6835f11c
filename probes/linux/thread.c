#include "probes/linux/lx.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_TRIED_MAX 64 /* that end one after the other while we look */

/* Whether the PID is still that of this process. */
static int is_still_it(struct oc_lx_proc *proc)
{
    char path[64], text[1024];
    struct oc_lx_stat stat;
    ssize_t len_bytes = 0;

    (void)snprintf(path, sizeof path, "%u/stat", proc->pid);
    len_bytes = oc_lx_read_path(proc->probe, path, text, sizeof text);
    return len_bytes > 0 && oc_lx_stat_parse(text, (size_t)len_bytes, &stat) == OC_OK &&
           stat.start_ticks == proc->start_ticks && stat.threads > 1;
}

/* Makes its files those of the thread; whether that one has memory. */
static int try_thread(struct oc_lx_proc *proc, uint32_t thread)
{
    struct oc_lx_statm statm = { 0 };
    char text[128];
    ssize_t len_bytes = 0;

    for (int file = 0; file < OC_LX_FILES; file++) {
        if (file != OC_LX_STAT) /* the leader's goes on counting for all of them */
            oc_lx_proc_close_file(proc, (enum oc_lx_file)file);
    }
    proc->thread = thread;
    len_bytes = oc_lx_proc_pread(proc, OC_LX_STATM, text, sizeof text);
    return len_bytes > 0 &&
           oc_lx_statm_parse(text, (size_t)len_bytes, proc->probe->page_shift, &statm) == OC_OK &&
           statm.size_bytes > 0;
}

static DIR *open_tasks(struct oc_lx_proc *proc)
{
    char path[64];
    int fd = -1;
    DIR *dir = NULL;

    (void)snprintf(path, sizeof path, "%u/task", proc->pid);
    fd = oc_lx_open(proc->probe, path);
    if (fd < 0)
        return NULL;
    dir = fdopendir(fd);
    if (!dir)
        (void)close(fd);
    return dir;
}

int oc_lx_find_thread(struct oc_lx_proc *proc)
{
    DIR *dir = NULL;
    struct dirent *entry = NULL;
    int rc = OC_E_GONE;

    if (!is_still_it(proc))
        return OC_E_GONE;
    dir = open_tasks(proc);
    for (int tried = 0; dir && tried < THREADS_TRIED_MAX && (entry = readdir(dir)) != NULL;) {
        unsigned long thread = strtoul(entry->d_name, NULL, 10);

        if (thread == 0 || thread == proc->pid)
            continue;
        tried++;
        if (try_thread(proc, (uint32_t)thread)) {
            rc = OC_OK;
            break;
        }
    }
    if (dir)
        (void)closedir(dir);
    return rc;
}
