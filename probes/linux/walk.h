/* What the files of a walk share. */
#ifndef OC_PROBES_LINUX_WALK_H
#define OC_PROBES_LINUX_WALK_H

#include "probes/family.h"
#include "probes/linux/lx.h"
#include "probes/linux/roots.h"
#include "probes/linux/space.h"

struct oc_lx_walker {
    const struct oc_lx_roots *roots;
    int root_fd;
    int is_live; /* the root is /proc itself */
    int dir_fd;  /* /proc/PID: stays this process's, whoever gets the PID later */
    char *text;  /* OC_LX_TEXT_BYTES */
    const struct oc_walk_request *request;
    struct oc_walk *walk;
    oc_families *families;      /* NULL: not asked for */
    struct oc_lx_status status; /* of this walk */
    uint64_t start_stack;       /* another one after an exec; 0: not ours to see */
};

static inline int oc_lx_wants(const struct oc_lx_walker *walker, unsigned what)
{
    return (walker->request->want & what) != 0;
}

static inline void oc_lx_walk_set(struct oc_lx_walker *walker, enum oc_metric metric,
                                  uint64_t value)
{
    oc_sample_set(&walker->walk->sample, metric, (int64_t)value);
}

/* Reads a file of the process into walker->text: bytes or a code. */
ssize_t oc_lx_walk_read(const struct oc_lx_walker *walker, const char *name);
/* read(), by the clock: of a file that holds the watched's memory lock. Bytes or a code. */
ssize_t oc_lx_walk_timed(struct oc_lx_walker *walker, int fd, char *text, size_t max_bytes);
/* All of such a file into walker->text. */
ssize_t oc_lx_walk_read_timed(struct oc_lx_walker *walker, const char *name);

/* ---- walk_facts.c ---- */
/* Name, parent and start. OC_E_GONE: ended, or the PID is another's now; OC_E_AGAIN: it became another program since the last call. */
int oc_lx_walk_stat(struct oc_lx_walker *walker);
void oc_lx_walk_facts(struct oc_lx_walker *walker); /* the rest of them */

/* ---- walk_space.c: maps and smaps. 0 or OC_E_NOMEM, as all below ---- */
int oc_lx_walk_space(struct oc_lx_walker *walker);
/* Counts alone: nothing is kept of it. */
void oc_lx_walk_counts(struct oc_lx_walker *walker);

/* ---- walk_threads.c: stack pointers, and names where asked for ---- */
int oc_lx_walk_threads(struct oc_lx_walker *walker, struct oc_lx_space *space);
int oc_lx_walk_thread_families(struct oc_lx_walker *walker, const struct oc_lx_space *space);

/* ---- walk_files.c: modules, and families of all that is mapped ---- */
int oc_lx_walk_modules(struct oc_lx_walker *walker, const struct oc_lx_space *space);
int oc_lx_walk_file_families(struct oc_lx_walker *walker, const struct oc_lx_space *space);

/* ---- walk_fds.c ---- */
int oc_lx_walk_fds(struct oc_lx_walker *walker);

#endif
