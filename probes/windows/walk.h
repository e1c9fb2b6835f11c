/* What the files of a walk share. */
#ifndef OC_PROBES_WINDOWS_WALK_H
#define OC_PROBES_WINDOWS_WALK_H

#include "probes/family.h"
#include "probes/probe.h"
#include "probes/windows/pe.h"
#include "probes/windows/space.h"
#include "probes/windows/tally.h"
#include "probes/windows/win.h"

#define OC_WIN_THREADS_MAX 4096u /* whose environment blocks are looked at: four calls each */
#define OC_WIN_HEAPS_MAX 1024u
#define OC_WIN_HEAP_LINKS_MAX (1u << 16) /* segments and large blocks of all heaps */

struct oc_win_walker {
    struct oc_win *win;
    const struct oc_walk_request *request;
    struct oc_walk *walk;
    oc_win_handle process;
    enum oc_win_access access;
    struct oc_win_basics basics; /* peb32 is an address, or 0 */
    struct oc_win_host host;     /* zeroed: unknown */
    struct oc_win_pe pe;
    int has_pe;
    uint64_t image_base;
    oc_families *families; /* NULL: not asked for */
    struct oc_win_space space;
    struct oc_win_tally tally;
    char device[128]; /* "\Device\HarddiskVolume3", which `drive` stands for; "": unknown */
    char drive[4];    /* "C:" */
};

static inline int oc_win_wants(const struct oc_win_walker *walker, unsigned what)
{
    return (walker->request->want & what) != 0;
}

static inline void oc_win_walk_set(struct oc_win_walker *walker, enum oc_metric metric,
                                   uint64_t value)
{
    oc_sample_set(&walker->walk->sample, metric, (int64_t)value);
}

/* A number of 4 or 8 bytes out of bytes that were read; pointers of the process are 4 or 8 bytes. */
static inline uint64_t oc_win_number(const unsigned char *bytes, unsigned size_bytes)
{
    uint64_t value = 0;

    for (unsigned i = size_bytes; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    return value;
}

/* All of it or a code; by the clock, since it holds the lock of the process's address space. */
int oc_win_walk_read(struct oc_win_walker *walker, uint64_t address, void *out, size_t bytes);

/* ---- image.c: the program's header, and what its drive is called ---- */
void oc_win_walk_image(struct oc_win_walker *walker);
/* A mapped file's name as people know it: "C:\…" where the volume is known, else as Windows says it. In place. */
void oc_win_walk_path(const struct oc_win_walker *walker, char *path);

/* ---- stacks.c: environment blocks and stacks of threads. 0 or OC_E_NOMEM, as all below ---- */
int oc_win_walk_threads(struct oc_win_walker *walker);

/* ---- heaps.c: NT heaps, from the process environment block ---- */
int oc_win_walk_heaps(struct oc_win_walker *walker);

/* ---- regions.c: all of the address space into the tally and the census ---- */
int oc_win_walk_regions(struct oc_win_walker *walker);

/* ---- limits.c: the process's own, after the others ---- */
int oc_win_walk_limits(struct oc_win_walker *walker);

#endif
