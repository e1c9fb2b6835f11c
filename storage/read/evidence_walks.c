/* What memory was made of at the two walks nearest to two times, and the course of families between. */
#include "storage/read/evidence.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { COURSE = sizeof((struct oc_evidence_family *)0)->course / sizeof(int64_t) };

struct between {
    oc_reader *reader;
    uint32_t source;
    int64_t then_ms, now_ms; /* of the walks */
    int has_then;
    struct oc_census then, now;
};

/* ---- which walks ---- */

/* The walk at or before a time, or at or after it. 1, 0 or a code. */
static int find_walk(oc_reader *reader, uint32_t source, int64_t t_ms, int is_after,
                     int64_t *out_ms)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc =
        oc_scan_prepare(reader->scan.db, &statement,
                        "SELECT t FROM main.walk WHERE source = ?1 AND t %s ?2 AND t BETWEEN ?3 "
                        "AND ?4 ORDER BY t %s LIMIT 1",
                        is_after ? ">=" : "<=", is_after ? "" : "DESC");

    if (rc == OC_OK) {
        (void)sqlite3_bind_int64(statement, 1, source);
        (void)sqlite3_bind_int64(statement, 2, t_ms);
        (void)sqlite3_bind_int64(statement, 3, -OC_SCAN_MAX_TIME_MS);
        (void)sqlite3_bind_int64(statement, 4, OC_SCAN_MAX_TIME_MS);
        step = sqlite3_step(statement);
        if (step == SQLITE_ROW)
            *out_ms = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement); /* step told */
    if (rc < 0)
        return rc;
    return step == SQLITE_ROW ? 1 : oc_scan_code(step);
}

/* The walk nearest to a time. 1, 0 or a code. */
static int nearest_walk(oc_reader *reader, uint32_t source, int64_t t_ms, int64_t *out_ms)
{
    int64_t before_ms = 0, after_ms = 0;
    int before = find_walk(reader, source, t_ms, 0, &before_ms), after;

    if (before < 0)
        return before;
    after = find_walk(reader, source, t_ms, 1, &after_ms);
    if (after < 0 || (!before && !after))
        return after;
    *out_ms = !after || (before && t_ms - before_ms <= after_ms - t_ms) ? before_ms : after_ms;
    return 1;
}

static int count_walks(oc_reader *reader, uint32_t source, int64_t then_ms, int64_t now_ms,
                       uint32_t *out_count)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc =
        oc_scan_prepare(reader->scan.db, &statement,
                        "SELECT count(*) FROM main.walk WHERE source = ?1 AND t BETWEEN ?2 AND "
                        "?3");

    if (rc == OC_OK) {
        (void)sqlite3_bind_int64(statement, 1, source);
        (void)sqlite3_bind_int64(statement, 2, then_ms);
        (void)sqlite3_bind_int64(statement, 3, now_ms);
        step = sqlite3_step(statement);
        if (step == SQLITE_ROW)
            *out_count = (uint32_t)sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement); /* step told */
    return rc < 0 ? rc : oc_scan_code(step);
}

/* ---- usages ---- */

static void put(struct oc_moved *moved, int is_now, uint64_t value)
{
    int64_t figure = value > INT64_MAX ? INT64_MAX : (int64_t)value;
    int64_t *sum = is_now ? &moved->now : &moved->then;

    *(is_now ? &moved->has_now : &moved->has_then) = 1;
    *sum = *sum > INT64_MAX - figure ? INT64_MAX : *sum + figure; /* of a damaged row */
}

static void forget(struct oc_moved *moved, int is_now)
{
    if (is_now)
        moved->has_now = 0, moved->now = 0;
    else
        moved->has_then = 0, moved->then = 0;
}

/* Pages that only some cells of a usage were looked at for are no sum. */
static void put_resident(const struct oc_census *census, int is_now, struct oc_evidence *evidence)
{
    uint32_t known = 0, unknown = 0;

    for (size_t i = 0; i < census->total_count; i++) {
        const struct oc_region_total *total = &census->totals[i];

        if (total->usage >= OC_USAGE_COUNT || total->state != OC_REGION_COMMIT)
            continue;
        if (total->resident_bytes == OC_RESIDENT_UNKNOWN) {
            unknown |= 1u << total->usage;
        } else {
            known |= 1u << total->usage;
            put(&evidence->usage_resident[total->usage], is_now, total->resident_bytes);
        }
    }
    for (unsigned usage = 0; usage < OC_USAGE_COUNT; usage++)
        if (unknown >> usage & 1)
            forget(&evidence->usage_resident[usage], is_now);
        else if (known && !(known >> usage & 1)) /* it was looked for: there is none of it */
            put(&evidence->usage_resident[usage], is_now, 0);
}

static void put_totals(const struct oc_census *census, int is_now, struct oc_evidence *evidence)
{
    for (unsigned usage = OC_USAGE_FREE + 1; usage < OC_USAGE_COUNT; usage++) {
        put(&evidence->usage_commit[usage], is_now, 0);
        put(&evidence->usage_reserve[usage], is_now, 0);
        put(&evidence->usage_count[usage], is_now, 0);
    }
    for (size_t i = 0; i < census->total_count; i++) {
        const struct oc_region_total *total = &census->totals[i];

        if (total->usage == OC_USAGE_FREE || total->usage >= OC_USAGE_COUNT)
            continue;
        put(&evidence->usage_count[total->usage], is_now, total->count);
        if (total->state == OC_REGION_COMMIT)
            put(&evidence->usage_commit[total->usage], is_now, total->bytes);
        else if (total->state == OC_REGION_RESERVE)
            put(&evidence->usage_reserve[total->usage], is_now, total->bytes);
    }
}

static void put_usages(const struct oc_census *census, int is_now, struct oc_evidence *evidence)
{
    if (!census->has_regions)
        return;
    put_totals(census, is_now, evidence);
    put_resident(census, is_now, evidence);
    put(&evidence->arenas, is_now, census->arena_count);
    if (census->largest_free_bytes)
        put(&evidence->largest_free_bytes, is_now, census->largest_free_bytes);
}

/* ---- families ---- */

struct ranked {
    const struct oc_family *then, *now; /* NULL: there is none */
    uint8_t kind;
    int64_t grown; /* by the kind's own measure */
};

static int has_kind(const struct oc_census *census, unsigned kind)
{
    return census->has_families >> kind & 1;
}

static int by_name(const struct oc_census *a_of, const struct oc_family *a,
                   const struct oc_census *b_of, const struct oc_family *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return strcmp(oc_census_text(a_of, a->name), oc_census_text(b_of, b->name));
}

/* No more than 1,024 on each side, of four kinds. */
static const struct oc_family *find_family(const struct oc_census *census,
                                           const struct oc_census *like_of,
                                           const struct oc_family *like)
{
    for (size_t i = 0; i < census->family_count; i++)
        if (by_name(census, &census->families[i], like_of, like) == 0)
            return &census->families[i];
    return NULL;
}

/* Mappings by their bytes, all else by how many. */
static int64_t measure(const struct oc_family *family)
{
    if (!family)
        return 0;
    if (family->kind == OC_FAMILY_MAPPING)
        return family->bytes > INT64_MAX ? INT64_MAX : (int64_t)family->bytes;
    return family->count;
}

static int by_growth(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->grown != y->grown)
        return x->grown > y->grown ? -1 : 1;
    return 0;
}

/* Those that are there now, ranked by kind. Where there is no then, by their size. */
static size_t rank(const struct between *between, struct ranked *ranked)
{
    size_t count = 0;

    for (size_t i = 0; i < between->now.family_count; i++) {
        const struct oc_family *now = &between->now.families[i];
        const struct oc_family *then =
            between->has_then ? find_family(&between->then, &between->now, now) : NULL;

        if (now->kind >= OC_FAMILY_KINDS)
            continue;
        ranked[count++] = (struct ranked){
            .then = then, .now = now, .kind = now->kind, .grown = measure(now) - measure(then)
        };
    }
    if (count > 1)
        qsort(ranked, count, sizeof *ranked, by_growth);
    return count;
}

static void put_family_figures(struct oc_evidence_family *out, const struct oc_family *family,
                               int is_now)
{
    put(&out->count, is_now, family ? family->count : 0);
    put(&out->distinct, is_now, family ? family->distinct : 0);
    put(&out->bytes, is_now, family ? family->bytes : 0);
}

static void put_family(const struct between *between, const struct ranked *ranked,
                       struct oc_evidence *evidence)
{
    struct oc_evidence_family *out = &evidence->families[evidence->family_count++];
    const struct oc_family *now = ranked->now;

    out->kind = now->kind;
    out->flags = now->flags;
    oc_text_copy_utf8(out->name, sizeof out->name, oc_census_text(&between->now, now->name),
                      strlen(oc_census_text(&between->now, now->name)));
    oc_text_copy_utf8(out->example, sizeof out->example,
                      oc_census_text(&between->now, now->example),
                      strlen(oc_census_text(&between->now, now->example)));
    put_family_figures(out, now, 1);
    if (between->has_then && has_kind(&between->then, now->kind))
        put_family_figures(out, ranked->then, 0);
    for (int i = 0; i < COURSE; i++)
        out->course[i] = -1;
}

/* In turn the one of each kind that grew most: many families of one kind hide no other kind. */
static void choose_families(const struct between *between, const struct ranked *ranked,
                            size_t count, struct oc_evidence *evidence)
{
    size_t next[OC_FAMILY_KINDS + 1];
    int took = 1;

    for (unsigned kind = 0, i = 0; kind <= OC_FAMILY_KINDS; kind++) {
        while (i < count && ranked[i].kind < kind)
            i++;
        next[kind] = i;
    }
    while (took && evidence->family_count < OC_EVIDENCE_FAMILIES) {
        took = 0;
        for (unsigned kind = 0; kind < OC_FAMILY_KINDS; kind++) {
            size_t at = next[kind];

            if (at >= count || ranked[at].kind != kind || ranked[at].grown <= 0 ||
                evidence->family_count == OC_EVIDENCE_FAMILIES)
                continue;
            put_family(between, &ranked[at], evidence);
            next[kind]++;
            took = 1;
        }
    }
}

static int put_families(const struct between *between, struct oc_evidence *evidence)
{
    struct ranked *ranked;

    if (!between->now.family_count)
        return OC_OK;
    ranked = oc_calloc(between->now.family_count, sizeof *ranked);
    if (!ranked)
        return OC_E_NOMEM;
    choose_families(between, ranked, rank(between, ranked), evidence);
    oc_free(ranked);
    return OC_OK;
}

/* ---- the course ---- */

static void put_point(const struct oc_census *census, int point, struct oc_evidence *evidence)
{
    for (size_t i = 0; i < evidence->family_count; i++) {
        struct oc_evidence_family *family = &evidence->families[i];

        if (!has_kind(census, family->kind))
            continue;
        family->course[point] = 0;
        for (size_t k = 0; k < census->family_count; k++)
            if (census->families[k].kind == family->kind &&
                strcmp(oc_census_text(census, census->families[k].name), family->name) == 0)
                family->course[point] = census->families[k].count;
    }
}

/* At a point in time that no walk came before since the last point, nothing new is known. */
static int put_course(const struct between *between, struct oc_evidence *evidence)
{
    int64_t step_ms = (between->now_ms - between->then_ms) / (COURSE + 1);
    int64_t last_ms = between->then_ms;
    int rc = OC_OK;

    for (int i = 0; i < COURSE && rc == OC_OK && evidence->family_count; i++) {
        struct oc_census census = { 0 };
        int64_t walk_ms = 0;
        int found = find_walk(between->reader, between->source,
                              between->then_ms + (i + 1) * step_ms, 0, &walk_ms);

        if (found != 1 || walk_ms <= last_ms) {
            rc = found < 0 ? found : OC_OK;
            continue;
        }
        last_ms = walk_ms;
        rc = oc_reader_make_census(between->reader, between->source, walk_ms, 0, &census);
        if (rc == OC_OK)
            put_point(&census, i, evidence);
        oc_census_clear(&census);
    }
    return rc;
}

/* ---- all of it ---- */

static int put_all(struct between *between, struct oc_evidence *evidence)
{
    int rc =
        oc_reader_make_census(between->reader, between->source, between->now_ms, 0, &between->now);

    if (rc == OC_OK && between->has_then)
        rc = oc_reader_make_census(between->reader, between->source, between->then_ms, 0,
                                   &between->then);
    if (rc < 0)
        return rc;
    put_usages(&between->now, 1, evidence);
    if (between->has_then)
        put_usages(&between->then, 0, evidence);
    (void)oc_text_copy(evidence->runtime, sizeof evidence->runtime, between->now.runtime);
    rc = put_families(between, evidence);
    return rc == OC_OK && between->has_then ? put_course(between, evidence) : rc;
}

int oc_evidence_walks(oc_reader *reader, const struct oc_evidence_source *source,
                      int64_t then_boot_ms, int64_t now_boot_ms, struct oc_evidence *evidence)
{
    struct between between = { .reader = reader, .source = source->id };
    int rc = nearest_walk(reader, source->id, oc_evidence_clamp(now_boot_ms), &between.now_ms);

    if (rc != 1)
        return rc;
    rc = nearest_walk(reader, source->id, oc_evidence_clamp(then_boot_ms), &between.then_ms);
    between.has_then = rc == 1 && between.then_ms < between.now_ms;
    if (!between.has_then)
        between.then_ms = between.now_ms;
    if (rc >= 0)
        rc = count_walks(reader, source->id, between.then_ms, between.now_ms, &evidence->walks);
    if (rc >= 0)
        rc = put_all(&between, evidence);
    oc_census_clear(&between.then);
    oc_census_clear(&between.now);
    evidence->walk_now_unix_ms =
        oc_clockmap_unix_ms(&reader->scan.clock, source->boot, between.now_ms);
    if (between.has_then)
        evidence->walk_then_unix_ms =
            oc_clockmap_unix_ms(&reader->scan.clock, source->boot, between.then_ms);
    return rc < 0 ? rc : OC_OK;
}
