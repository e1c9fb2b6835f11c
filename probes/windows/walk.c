/* One look at all of a process: by reads of its memory alone, nothing in it is stopped. */
#include "probes/windows/walk.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "probes/windows/contract.h"
#include "probes/windows/handles.h"
#include "probes/windows/identity.h"

#include <string.h>

/* What needs its memory: all else is asked by a limited handle. */
#define NEEDS_MEMORY                                                                               \
    (OC_WALK_COUNTS | OC_WALK_REGIONS | OC_WALK_MODULES | OC_WALK_FAMILIES | OC_WALK_RESIDENT |    \
     OC_WALK_LIMITS)
#define NEEDS_REGIONS                                                                              \
    (OC_WALK_COUNTS | OC_WALK_REGIONS | OC_WALK_MODULES | OC_WALK_FAMILIES | OC_WALK_RESIDENT)
#define WINE_PEB32 1u             /* what Wine says of the 32-bit block … */
#define WINE_PEB32_OFFSET 0x1000u /* … which lies a page behind the other */

int oc_win_walk_read(struct oc_win_walker *walker, uint64_t address, void *out, size_t bytes)
{
    const int64_t begin_ns = oc_clock_mono_ns();
    const int rc = walker->win->read(walker->win, walker->process, address, out, bytes);
    const int64_t took_ns = oc_clock_mono_ns() - begin_ns;

    if (took_ns > walker->walk->stall_ns)
        walker->walk->stall_ns = took_ns;
    return rc;
}

/* ---- who it is ---- */

static int open_limited(struct oc_win_walker *walker)
{
    walker->access = OC_WIN_LIMITED;
    return walker->win->open(walker->win, walker->request->pid, OC_WIN_LIMITED, &walker->process);
}

static int open_process(struct oc_win_walker *walker)
{
    const struct oc_walk_request *request = walker->request;
    int rc = OC_OK;

    if (!oc_win_wants(walker, NEEDS_MEMORY))
        return open_limited(walker);
    walker->access = OC_WIN_READ;
    rc = oc_win_open_read(walker->win, request->pid, request->start_ticks, &walker->process);
    return rc == OC_E_DENIED ? open_limited(walker) : rc; /* who it is can be told still */
}

static int check_start(struct oc_win_walker *walker)
{
    struct oc_win_times times;
    const int rc = walker->win->times(walker->win, walker->process, &times);

    if (rc != OC_OK)
        return rc == OC_E_GONE ? rc : OC_OK;
    if (walker->request->start_ticks != 0 && times.created != walker->request->start_ticks)
        return OC_E_GONE;
    walker->walk->facts.id.start_ticks = times.created;
    walker->walk->facts.start_unix_ms = oc_win_unix_ms(times.created);
    return OC_OK;
}

static int check_alive(struct oc_win_walker *walker)
{
    uint32_t code = 0;

    return walker->win->exited(walker->win, walker->process, &code) == 1 ? OC_E_GONE : OC_OK;
}

/* Its name alone, where nothing else is asked for. */
static void read_name(struct oc_win_walker *walker)
{
    struct oc_proc_facts *facts = &walker->walk->facts;
    char path[sizeof facts->exe] = "";
    const char *slash = NULL;

    if (walker->win->image(walker->win, walker->process, path, sizeof path) != OC_OK)
        return;
    slash = strrchr(path, '\\');
    slash = slash ? slash + 1 : path;
    oc_text_copy_utf8(facts->name, sizeof facts->name, slash, strlen(slash));
}

static int read_facts(struct oc_win_walker *walker)
{
    struct oc_win_basics *basics = &walker->basics;
    int rc = check_start(walker);

    if (rc != OC_OK)
        return rc;
    if (oc_win_wants(walker, OC_WALK_FACTS | OC_WALK_LIMITS)) {
        rc = oc_win_identity(walker->win, walker->process, walker->access, walker->walk, basics);
    } else {
        read_name(walker);
        if (walker->win->basics(walker->win, walker->process, basics) != OC_OK)
            *basics = (struct oc_win_basics){ 0 };
    }
    if (basics->peb32 == WINE_PEB32)
        basics->peb32 = basics->peb ? basics->peb + WINE_PEB32_OFFSET : 0;
    return rc;
}

/* ---- its memory ---- */

static void measure_space(struct oc_win_walker *walker)
{
    struct oc_win_space *space = &walker->space;

    if (walker->win->host(walker->win, &walker->host) != OC_OK)
        walker->host = (struct oc_win_host){ 0 };
    oc_win_walk_image(walker);
    /* a .NET program for any CPU has the header of a 32-bit one on disk */
    if (!walker->has_pe || walker->basics.peb != 0)
        walker->pe.is_32bit = walker->basics.is_32bit;
    space->is_32bit = walker->pe.is_32bit;
    space->is_wine_32bit = walker->win->is_wine && space->is_32bit;
    space->top = oc_win_pe_top(&walker->pe, walker->host.top_address);
}

static int walk_regions(struct oc_win_walker *walker)
{
    int rc = OC_OK;

    /* what a 32-bit process meets first is told by its regions alone */
    if (!oc_win_wants(walker, NEEDS_REGIONS) && !walker->space.is_32bit)
        return OC_OK;
    if (oc_win_wants(walker, OC_WALK_FAMILIES)) {
        walker->families = oc_families_new();
        if (!walker->families)
            return OC_E_NOMEM;
    }
    rc = oc_win_walk_regions(walker);
    if (rc == OC_OK && walker->families)
        rc = oc_families_finish(walker->families, &walker->walk->census);
    if (rc == OC_OK && walker->families)
        walker->walk->census.has_families |= 1u << OC_FAMILY_MODULE | 1u << OC_FAMILY_MAPPING;
    return rc;
}

static int walk_all(struct oc_win_walker *walker)
{
    int rc = read_facts(walker);

    if (rc == OC_OK && walker->access == OC_WIN_READ) {
        measure_space(walker);
        rc = walk_regions(walker);
    }
    if (rc != OC_OK)
        return rc;
    if (oc_win_wants(walker, OC_WALK_FACTS | OC_WALK_LIMITS))
        rc = oc_win_walk_limits(walker);
    return rc == OC_OK ? check_alive(walker) : rc; /* still there: what lies between is its own */
}

static int walk_once(struct oc_win_walker *walker)
{
    struct oc_walk *walk = walker->walk;
    int rc = OC_OK;

    walk->sample.block = OC_BLOCK_PROCESS;
    walk->facts.id.pid = walker->request->pid;
    walk->facts.uid = -1;
    rc = open_process(walker);
    if (rc == OC_OK) {
        rc = walk_all(walker);
        walker->win->close(walker->win, walker->process);
    }
    oc_win_space_clear(&walker->space);
    oc_families_free(walker->families);
    return rc;
}

int oc_win_walk(struct oc_win *win, const struct oc_walk_request *request, struct oc_walk *out_walk)
{
    struct oc_win_walker *walker = oc_calloc(1, sizeof *walker);
    struct oc_walk *walk = oc_calloc(1, sizeof *walk);
    const int64_t cpu_ns = oc_clock_thread_cpu_ns(), wall_ns = oc_clock_mono_ns();
    int rc = OC_E_NOMEM;

    if (walker && walk) {
        walker->win = win;
        walker->request = request;
        walker->walk = walk;
        rc = walk_once(walker);
    }
    if (rc == OC_OK) {
        walk->cpu_ns = oc_clock_thread_cpu_ns() - cpu_ns;
        walk->wall_ns = oc_clock_mono_ns() - wall_ns;
        *out_walk = *walk;
    } else if (walk) {
        oc_walk_clear(walk);
    }
    oc_free(walk);
    oc_free(walker);
    return rc;
}
