/* What walks found: a census at a time, put together from what changed, and courses of its parts. */
#include "storage/read/reader_impl.h"

#include "base/alloc.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

/* ---- sources and their times ---- */

int oc_reader_boot_of(oc_reader *reader, uint32_t source, uint32_t *out_boot)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(reader->scan.db, &statement,
                             "SELECT boot FROM main.source WHERE id = %lld", (long long)source);

    if (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW)
        *out_boot = (uint32_t)sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement); /* step told */
    if (rc < 0)
        return rc;
    return step == SQLITE_ROW ? OC_OK : step == SQLITE_DONE ? OC_E_NOENT : oc_scan_code(step);
}

/* The source's last walk in [begin, end) of boot time. 1, 0 or a code. */
static int last_walk(sqlite3_stmt *statement, const struct oc_clockmap_span *span, int64_t *out_t)
{
    int step;

    (void)sqlite3_bind_int64(statement, 2, span->begin_boot_ms);
    (void)sqlite3_bind_int64(statement, 3, span->end_boot_ms);
    step = sqlite3_step(statement);
    if (step == SQLITE_ROW)
        *out_t = sqlite3_column_int64(statement, 0);
    (void)sqlite3_reset(statement); /* says again what step said */
    return step == SQLITE_ROW ? 1 : oc_scan_code(step);
}

/* Boot time of the last walk at or before a wall-clock time: OC_E_NOENT where there is none. */
static int walk_at(oc_reader *reader, uint32_t source, uint32_t boot, int64_t at_unix_ms,
                   int64_t *out_t)
{
    int64_t until_unix_ms = at_unix_ms == INT64_MAX ? INT64_MAX : at_unix_ms + 1;
    struct oc_clockmap_span span;
    sqlite3_stmt *statement = NULL;
    size_t index = 0;
    int found = 0;
    int rc = oc_scan_prepare(reader->scan.db, &statement,
                             "SELECT t FROM main.walk WHERE source = %lld AND t >= ?2 AND t < ?3 "
                             "ORDER BY t DESC LIMIT 1",
                             (long long)source);

    while (rc >= 0 && oc_clockmap_next_span(&reader->scan.clock, boot, INT64_MIN, until_unix_ms,
                                            &index, &span)) {
        rc = last_walk(statement, &span, out_t); /* spans ascend: the last that has one */
        found |= rc == 1;
    }
    (void)sqlite3_finalize(statement); /* nothing is running */
    return rc < 0 ? rc : found ? OC_OK : OC_E_NOENT;
}

/* ---- the parts of a census ---- */

static int put_totals(const struct oc_walk_state *state, struct oc_census *out)
{
    out->totals = oc_calloc(OC_WALK_CELLS, sizeof *out->totals);
    if (!out->totals)
        return OC_E_NOMEM;
    for (unsigned i = 0; i < OC_WALK_CELLS; i++) {
        const struct oc_walk_cell *cell = &state->cells[i];

        if (cell->count > 0)
            out->totals[out->total_count++] =
                (struct oc_region_total){ .usage = (uint8_t)(i >> 4),
                                          .type = (uint8_t)(i >> 2 & 3),
                                          .state = (uint8_t)(i & 3),
                                          .count = cell->count,
                                          .bytes = cell->bytes,
                                          .largest_bytes = cell->largest_bytes,
                                          .resident_bytes = cell->resident_bytes };
    }
    return OC_OK;
}

static int put_text(struct oc_census *out, sqlite3_stmt *statement, int column, uint32_t *out_at)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    return oc_census_add_text(out, text ? text : "", text ? strlen(text) : 0, out_at);
}

static int put_family(const struct oc_walk_family *from, sqlite3_stmt *statement,
                      struct oc_census *out)
{
    struct oc_family *family = &out->families[out->family_count];
    int64_t kind = sqlite3_column_int64(statement, 0);
    int rc;

    if (kind < 0 || kind >= OC_FAMILY_KINDS)
        return OC_OK;
    *family = (struct oc_family){
        .kind = (uint8_t)kind, .count = from->count, .distinct = from->names, .bytes = from->bytes
    };
    if (sqlite3_column_int(statement, 1))
        family->flags |= OC_FAMILY_FOLDED;
    if (from->deleted)
        family->flags |= OC_FAMILY_DELETED;
    rc = put_text(out, statement, 2, &family->name);
    family->example = family->name;
    if (rc == OC_OK && sqlite3_column_type(statement, 3) != SQLITE_NULL)
        rc = put_text(out, statement, 3, &family->example);
    out->family_count += rc == OC_OK;
    return rc;
}

static int by_size(const void *a, const void *b)
{
    const struct oc_family *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->name > y->name) - (x->name < y->name);
}

/* Families of which nothing is left of their name are passed over. */
static int put_families(oc_reader *reader, const struct oc_walk_state *state, struct oc_census *out)
{
    sqlite3_stmt *statement = NULL;
    int rc = oc_scan_prepare(reader->scan.db, &statement,
                             "SELECT kind, folded, name, example FROM main.family WHERE id = ?1");

    out->families = oc_calloc(state->family_count + 1, sizeof *out->families);
    if (!out->families)
        rc = OC_E_NOMEM;
    for (size_t i = 0; i < state->family_count && rc == OC_OK; i++) {
        int step;

        if (state->families[i].count == 0)
            continue;
        (void)sqlite3_bind_int64(statement, 1, state->families[i].family);
        step = sqlite3_step(statement);
        rc = step == SQLITE_ROW ? put_family(&state->families[i], statement, out)
                                : oc_scan_code(step);
        (void)sqlite3_reset(statement); /* says again what step said */
    }
    (void)sqlite3_finalize(statement); /* nothing is running */
    if (out->families && out->family_count)
        qsort(out->families, out->family_count, sizeof *out->families, by_size);
    return rc;
}

static int put_module(struct oc_census *out, size_t *cap, sqlite3_stmt *statement)
{
    void *modules = out->modules;
    struct oc_module *module;
    int rc = oc_array_grow(&modules, cap, out->module_count + 1, sizeof *out->modules,
                           OC_CENSUS_MODULES_MAX);

    out->modules = modules;
    if (rc < 0)
        return rc;
    module = &out->modules[out->module_count];
    *module = (struct oc_module){ .base = (uint64_t)sqlite3_column_int64(statement, 0),
                                  .bytes = oc_walk_u64(statement, 1),
                                  .inode = (uint64_t)sqlite3_column_int64(statement, 2),
                                  .flags = (uint8_t)sqlite3_column_int(statement, 3) };
    rc = put_text(out, statement, 4, &module->name);
    out->module_count += rc == OC_OK;
    return rc;
}

/* What was loaded at a boot time: those still there, and those that went later. */
static int put_modules(oc_reader *reader, uint32_t source, int64_t t_boot_ms, struct oc_census *out)
{
    sqlite3_stmt *statement = NULL;
    size_t cap = 0;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(
        reader->scan.db, &statement,
        "SELECT m.base AS base, m.bytes, m.inode, m.flags, x.text FROM main.module m "
        "LEFT JOIN main.text x ON x.id = m.name WHERE m.source = ?1 AND m.loaded <= ?2 "
        "UNION ALL SELECT g.base, g.bytes, g.inode, g.flags, x.text FROM main.module_gone g "
        "LEFT JOIN main.text x ON x.id = g.name WHERE g.source = ?1 AND g.unloaded > ?2 "
        "AND g.loaded <= ?2 ORDER BY base");

    if (rc == OC_OK) {
        (void)sqlite3_bind_int64(statement, 1, source);
        (void)sqlite3_bind_int64(statement, 2, t_boot_ms);
    }
    while (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW)
        rc = put_module(out, &cap, statement);
    (void)sqlite3_finalize(statement); /* step told */
    if (rc != OC_E_TOOBIG)
        return rc < 0 ? rc : oc_scan_code(step);
    out->is_truncated = 1;
    return OC_OK;
}

static void put_figures(const struct oc_walk_state *state, struct oc_census *out)
{
    out->largest_free_bytes = state->largest_free_bytes;
    out->largest_free_start = state->largest_free_start;
    out->arena_count = state->arena_count;
    out->has_regions = (state->known & OC_WALK_REGIONS) != 0;
    out->has_families = (uint8_t)((state->known & OC_WALK_FAMILIES) / OC_WALK_FAMILY(0));
    out->is_truncated = (state->seen & OC_WALK_TRUNCATED) != 0;
    out->is_32bit = (state->seen & OC_WALK_32BIT) != 0;
    memcpy(out->runtime, state->runtime, sizeof out->runtime);
}

int oc_reader_make_census(oc_reader *reader, uint32_t source, int64_t t_boot_ms, int want_modules,
                          struct oc_census *out)
{
    struct oc_walk_state *state = &reader->walk_state;
    int rc = oc_scan_code(oc_walk_rows_init(&reader->walk_rows, reader->scan.db));

    if (rc == OC_OK)
        rc = oc_walk_state_load(&reader->walk_rows, source, t_boot_ms, state);
    if (rc == OC_OK)
        rc = put_totals(state, out);
    if (rc == OC_OK)
        rc = put_families(reader, state, out);
    if (rc < 0)
        return rc;
    put_figures(state, out);
    if (!want_modules || !(state->known & OC_WALK_MODULES))
        return OC_OK;
    out->has_modules = 1;
    return put_modules(reader, source, t_boot_ms, out);
}

int oc_reader_census(oc_reader *reader, uint32_t source, int64_t at_unix_ms, int want_modules,
                     struct oc_census *out_census, int64_t *out_unix_ms)
{
    struct oc_census census = { 0 };
    uint32_t boot = 0;
    int64_t t_boot_ms = 0;
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = oc_reader_boot_of(reader, source, &boot);
    if (rc == OC_OK)
        rc = walk_at(reader, source, boot, at_unix_ms, &t_boot_ms);
    if (rc == OC_OK)
        rc = oc_reader_make_census(reader, source, t_boot_ms, want_modules, &census);
    oc_reader_end(reader);
    if (rc < 0) {
        oc_census_clear(&census);
        return rc;
    }
    oc_census_move(&census, out_census);
    if (out_unix_ms)
        *out_unix_ms = oc_clockmap_unix_ms(&reader->scan.clock, boot, t_boot_ms);
    return OC_OK;
}

/* ---- modules that came and went ---- */

struct module_listing {
    oc_reader *reader;
    uint32_t source, boot;
    int64_t since_unix_ms, until_unix_ms;
    oc_module_event_fn *fn;
    void *context;
    int given;
};

static int is_within(const struct module_listing *listing, int64_t t_unix_ms)
{
    return t_unix_ms >= listing->since_unix_ms && t_unix_ms < listing->until_unix_ms;
}

/* 0 to go on, 1 where fn asked to stop. */
static int give_module(struct module_listing *listing, sqlite3_stmt *statement)
{
    const struct oc_clockmap *clock = &listing->reader->scan.clock;
    const char *name = (const char *)sqlite3_column_text(statement, 0);
    struct oc_module_event event = { .source = listing->source,
                                     .name = name ? name : "",
                                     .base = (uint64_t)sqlite3_column_int64(statement, 1),
                                     .bytes = oc_walk_u64(statement, 2),
                                     .unloaded_unix_ms = INT64_MAX };

    event.loaded_unix_ms =
        oc_clockmap_unix_ms(clock, listing->boot, sqlite3_column_int64(statement, 3));
    if (sqlite3_column_type(statement, 4) != SQLITE_NULL)
        event.unloaded_unix_ms =
            oc_clockmap_unix_ms(clock, listing->boot, sqlite3_column_int64(statement, 4));
    if (!is_within(listing, event.loaded_unix_ms) && !is_within(listing, event.unloaded_unix_ms))
        return 0;
    listing->given++;
    return listing->fn(&event, listing->context) != 0;
}

static int list_modules(struct module_listing *listing)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(
        listing->reader->scan.db, &statement,
        "SELECT x.text, g.base, g.bytes, g.loaded AS loaded, g.unloaded FROM main.module_gone g "
        "LEFT JOIN main.text x ON x.id = g.name WHERE g.source = ?1 "
        "UNION ALL SELECT x.text, m.base, m.bytes, m.loaded, NULL FROM main.module m "
        "LEFT JOIN main.text x ON x.id = m.name WHERE m.source = ?1 ORDER BY loaded");

    if (rc == OC_OK)
        (void)sqlite3_bind_int64(statement, 1, listing->source);
    while (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW)
        rc = give_module(listing, statement);
    (void)sqlite3_finalize(statement); /* step told */
    return rc != 0 ? rc : oc_scan_code(step);
}

int oc_reader_modules(oc_reader *reader, uint32_t source, int64_t since_unix_ms,
                      int64_t until_unix_ms, oc_module_event_fn *fn, void *context)
{
    struct module_listing listing = { .reader = reader,
                                      .source = source,
                                      .since_unix_ms = since_unix_ms,
                                      .until_unix_ms = until_unix_ms,
                                      .fn = fn,
                                      .context = context };
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = oc_reader_boot_of(reader, source, &listing.boot);
    if (rc == OC_OK)
        rc = list_modules(&listing);
    oc_reader_end(reader);
    return rc < 0 ? rc : listing.given;
}

/* ---- a family's course ---- */

struct course {
    oc_reader *reader;
    uint32_t source, boot;
    int64_t since_unix_ms, until_unix_ms;
    struct oc_family_point point; /* now; t: of the row that made it so */
    int has_point, is_given;      /* at all; within the time */
    oc_family_point_fn *fn;
    void *context;
    int given, stopped;
};

static void give_point(struct course *course)
{
    if (!course->has_point || course->is_given || course->stopped)
        return;
    course->is_given = 1;
    course->given++;
    course->stopped = course->fn(&course->point, course->context) != 0;
}

/* The family is as the row says from its time on. */
static void take_point(struct course *course, sqlite3_stmt *statement)
{
    struct oc_family_point now = { .count = oc_walk_u32(statement, 1),
                                   .distinct = oc_walk_u32(statement, 2),
                                   .bytes = oc_walk_u64(statement, 3) };

    now.t_unix_ms = oc_clockmap_unix_ms(&course->reader->scan.clock, course->boot,
                                        sqlite3_column_int64(statement, 0));
    if (now.t_unix_ms >= course->until_unix_ms ||
        (course->has_point && now.count == course->point.count &&
         now.distinct == course->point.distinct && now.bytes == course->point.bytes))
        return;
    if (now.t_unix_ms >= course->since_unix_ms)
        give_point(course); /* what it was before that time */
    course->point = now;
    course->has_point = 1;
    course->is_given = 0;
    if (now.t_unix_ms >= course->since_unix_ms)
        give_point(course);
}

/* From the last keyed walk before the time on: earlier rows say nothing more. */
static int follow(struct course *course, unsigned kind, const char *name)
{
    sqlite3_stmt *statement = NULL;
    int64_t since_boot_ms = INT64_MIN;
    struct oc_clockmap_span span;
    size_t index = 0;
    int step = SQLITE_DONE, rc;

    if (oc_clockmap_next_span(&course->reader->scan.clock, course->boot, course->since_unix_ms,
                              INT64_MAX, &index, &span))
        since_boot_ms = span.begin_boot_ms;
    rc = oc_scan_prepare(
        course->reader->scan.db, &statement,
        "SELECT w.t, sum(c.count), sum(c.names), sum(c.bytes) FROM main.walk w "
        "CROSS JOIN main.family f CROSS JOIN main.family_count c ON c.walk = w.id AND "
        "c.family = f.id WHERE w.source = ?1 AND f.hash = ?2 AND f.kind = ?3 AND f.name = ?4 AND "
        "w.t >= ifnull((SELECT max(t) FROM main.walk WHERE source = ?1 AND keyed AND t <= ?5), ?6) "
        "GROUP BY w.t ORDER BY w.t");
    if (rc == OC_OK) {
        (void)sqlite3_bind_int64(statement, 1, course->source);
        (void)sqlite3_bind_int(statement, 2, oc_text_hash(name, strlen(name)));
        (void)sqlite3_bind_int64(statement, 3, kind);
        (void)sqlite3_bind_text(statement, 4, name, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 5, since_boot_ms);
        (void)sqlite3_bind_int64(statement, 6, INT64_MIN);
    }
    while (rc == OC_OK && !course->stopped && (step = sqlite3_step(statement)) == SQLITE_ROW)
        take_point(course, statement);
    give_point(course);                /* all of it lies before the time */
    (void)sqlite3_finalize(statement); /* step told */
    return rc < 0 ? rc : oc_scan_code(step);
}

int oc_reader_family(oc_reader *reader, uint32_t source, enum oc_family_kind kind, const char *name,
                     int64_t since_unix_ms, int64_t until_unix_ms, oc_family_point_fn *fn,
                     void *context)
{
    struct course course = { .reader = reader,
                             .source = source,
                             .since_unix_ms = since_unix_ms,
                             .until_unix_ms = until_unix_ms,
                             .fn = fn,
                             .context = context };
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = oc_reader_boot_of(reader, source, &course.boot);
    if (rc == OC_OK)
        rc = follow(&course, (unsigned)kind, name);
    oc_reader_end(reader);
    return rc < 0 ? rc : course.given;
}
