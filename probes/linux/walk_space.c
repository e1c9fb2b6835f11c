/* The memory of a process: /proc/PID/maps, or smaps, read piece by piece. */
#include "probes/linux/walk.h"

#include "base/alloc.h"
#include "probes/linux/limits.h"
#include "probes/linux/tally.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LINES_MAX (1u << 24) /* of one file: more is no process's */

/* ---- pieces ---- */

typedef int line_fn(const char *line, const char *newline, void *context);

/*
 * Gives each whole line to the callback. The kernel writes a page or so at a time and lets its
 * lock go in between, however much is asked for. 0, or a code: of the callback, or OC_E_PARSE where a
 * line has no end.
 */
static int read_lines(struct oc_lx_walker *walker, int fd, line_fn *on_line, void *context)
{
    size_t held_bytes = 0;
    uint32_t lines = 0;

    for (;;) {
        ssize_t got_bytes =
            oc_lx_walk_timed(walker, fd, walker->text + held_bytes, OC_LX_TEXT_BYTES - held_bytes);
        const char *line = walker->text, *end = line, *newline = NULL;
        int rc = OC_OK;

        if (got_bytes <= 0)
            return (int)got_bytes;
        end += held_bytes + (size_t)got_bytes;
        while (line < end && (newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
            rc = ++lines > LINES_MAX ? OC_E_PARSE : on_line(line, newline, context);
            if (rc != OC_OK)
                return rc;
            line = newline + 1;
        }
        held_bytes = (size_t)(end - line);
        if (held_bytes == OC_LX_TEXT_BYTES)
            return OC_E_PARSE;
        memmove(walker->text, line, held_bytes);
    }
}

/* ---- counts alone ---- */

static int count_line(const char *line, const char *newline, void *context)
{
    size_t used_bytes = 0;

    return oc_lx_maps_parse(line, (size_t)(newline + 1 - line), context, &used_bytes);
}

void oc_lx_walk_counts(struct oc_lx_walker *walker)
{
    struct oc_lx_maps maps = { 0, 0, 0 };
    int fd = openat(walker->dir_fd, "maps", O_RDONLY | O_CLOEXEC);
    int rc = fd < 0 ? OC_E_DENIED : read_lines(walker, fd, count_line, &maps);

    if (fd >= 0)
        (void)close(fd);
    if (rc != OC_OK || maps.mappings == 0)
        return; /* another user's, or a kernel thread */
    oc_lx_walk_set(walker, OC_METRIC_MAPPINGS, maps.mappings);
    oc_lx_walk_set(walker, OC_METRIC_MODULES, maps.modules);
    oc_lx_walk_set(walker, OC_METRIC_BRK_HEAP, maps.heap_bytes);
}

/* ---- all of it ---- */

struct look {
    const struct oc_lx_walker *walker;
    struct oc_lx_space space;
    struct oc_lx_tally tally;
    uint64_t lines;
    int is_taken; /* the last line's mapping is the last of the space */
};

static int take_mount(const char *line, const char *newline, void *context)
{
    oc_lx_space_add_mount(context, line, newline);
    return OC_OK;
}

/* With a text of its own: that of the walker may hold mappings. */
static int read_mounts(const struct look *look, struct oc_lx_space *space)
{
    struct oc_lx_walker reader = *look->walker;
    int fd = openat(reader.dir_fd, "mountinfo", O_RDONLY | O_CLOEXEC), rc = OC_OK;

    if (fd < 0)
        return OC_OK; /* they stay files */
    reader.text = oc_malloc(OC_LX_TEXT_BYTES);
    rc = reader.text ? read_lines(&reader, fd, take_mount, space) : OC_E_NOMEM;
    oc_free(reader.text);
    (void)close(fd);
    return rc == OC_E_NOMEM ? rc : OC_OK;
}

static int take_all(struct look *look)
{
    if (look->space.needs_mounts && look->space.tmpfs_count == 0) {
        int rc = read_mounts(look, &look->space);

        if (rc != OC_OK)
            return rc;
    }
    oc_lx_classify(&look->space);
    return oc_lx_tally_add(&look->tally, &look->space);
}

static int take_line(const char *text, const char *newline, void *context)
{
    struct look *look = context;
    struct oc_lx_line line;
    uint64_t rss_bytes = 0;
    int rc = OC_OK;

    if (oc_lx_is_smaps_key(text)) {
        rc = oc_lx_smaps_key_parse(text, newline, &rss_bytes);
        if (rc == 1 && look->is_taken)
            look->space.mappings[look->space.count - 1].resident_bytes = rss_bytes;
        return rc < 0 ? rc : OC_OK;
    }
    rc = oc_lx_line_parse(text, newline, &line);
    if (rc != OC_OK)
        return rc;
    look->lines++;
    rc = oc_lx_space_add(&look->space, &line, 0);
    if (rc == OC_E_TOOBIG) { /* what spans the seam is not seen as one */
        look->space.is_truncated = 1;
        rc = take_all(look);
        oc_lx_space_next(&look->space);
        if (rc == OC_OK)
            rc = oc_lx_space_add(&look->space, &line, 0);
    }
    look->is_taken = rc == 1;
    return rc < 0 ? rc : OC_OK;
}

static int read_space(struct oc_lx_walker *walker, struct look *look)
{
    const char *name = oc_lx_wants(walker, OC_WALK_RESIDENT) ? "smaps" : "maps";
    int fd = openat(walker->dir_fd, name, O_RDONLY | O_CLOEXEC);
    int rc = fd < 0 ? OC_E_DENIED : read_lines(walker, fd, take_line, look);

    if (fd >= 0)
        (void)close(fd);
    if (rc == OC_OK)
        rc = look->lines == 0 ? OC_E_NOENT : take_all(look);
    return rc;
}

static void set_figures(struct oc_lx_walker *walker, const struct look *look)
{
    const struct oc_lx_tally *tally = &look->tally;

    oc_lx_walk_set(walker, OC_METRIC_MAPPINGS, look->lines);
    oc_lx_walk_set(walker, OC_METRIC_MODULES, tally->code_mappings);
    oc_lx_walk_set(walker, OC_METRIC_BRK_HEAP, tally->brk_bytes);
    oc_lx_walk_set(walker, OC_METRIC_RESERVED, tally->reserved_bytes);
    oc_lx_walk_set(walker, OC_METRIC_MAIN_STACK, tally->main_stack_bytes);
    oc_lx_walk_set(walker, OC_METRIC_ARENAS, tally->arena_count);
}

/* A hole of 128 TiB is no limit: told only where the address space has one that can be met. */
static void set_largest_free(struct oc_lx_walker *walker, const struct look *look)
{
    const uint64_t hole_bytes = look->tally.largest_free_bytes, used_bytes = look->tally.bytes;
    struct oc_lx_rlimits rlimits = { .as_bytes = OC_LX_MAX };
    ssize_t len_bytes = oc_lx_walk_read(walker, "limits");
    uint64_t room_bytes = UINT64_MAX;

    if (len_bytes > 0)
        (void)oc_lx_rlimits_parse(walker->text, (size_t)len_bytes, &rlimits);
    if (rlimits.as_bytes != OC_LX_MAX)
        room_bytes = rlimits.as_bytes > used_bytes ? rlimits.as_bytes - used_bytes : 0;
    if (look->space.is_32bit || rlimits.as_bytes != OC_LX_MAX)
        oc_lx_walk_set(walker, OC_METRIC_LARGEST_FREE,
                       hole_bytes < room_bytes ? hole_bytes : room_bytes);
}

static int fill_census(struct oc_lx_walker *walker, struct look *look)
{
    struct oc_census *census = &walker->walk->census;
    int rc = oc_lx_tally_finish(&look->tally, &look->space, census);

    if (rc == OC_OK && oc_lx_wants(walker, OC_WALK_MODULES))
        rc = oc_lx_walk_modules(walker, &look->space);
    if (rc == OC_OK && walker->families)
        rc = oc_lx_walk_file_families(walker, &look->space);
    census->has_regions = 1;
    (void)strncpy(census->runtime, oc_lx_runtime_name(look->space.runtime),
                  sizeof census->runtime - 1);
    if (rc != OC_OK)
        return rc;
    set_figures(walker, look);
    set_largest_free(walker, look);
    return OC_OK;
}

static int walk_look(struct oc_lx_walker *walker, struct look *look)
{
    int rc = OC_OK;

    look->walker = walker;
    oc_lx_tally_init(&look->tally);
    look->tally.on_region = walker->request->on_region;
    look->tally.context = walker->request->context;
    look->tally.families = walker->families;
    look->tally.has_resident = oc_lx_wants(walker, OC_WALK_RESIDENT);
    rc = oc_lx_walk_threads(walker, &look->space);
    if (rc == OC_OK)
        rc = read_space(walker, look);
    if (rc == OC_OK)
        rc = fill_census(walker, look);
    if (rc != OC_E_NOMEM && walker->families) /* their names need no maps */
        rc = oc_lx_walk_thread_families(walker, &look->space);
    walker->walk->census.is_truncated |= (uint8_t)look->space.is_truncated;
    return rc == OC_E_NOMEM ? rc : OC_OK;
}

int oc_lx_walk_space(struct oc_lx_walker *walker)
{
    struct look *look = oc_calloc(1, sizeof *look);
    int rc = look ? walk_look(walker, look) : OC_E_NOMEM;

    if (look)
        oc_lx_space_clear(&look->space);
    oc_free(look);
    return rc;
}
