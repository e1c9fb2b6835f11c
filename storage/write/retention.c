#include "storage/write/upkeep_impl.h"

#include "base/err.h"

#define OC_RETENTION_ROWS 32 /* deleted at a time */
#define OC_PRESSED_SHIFT 3   /* an eighth of the time that a tier spans is dropped in one pass */
#define OC_PRESSED_LEAST_MS 3600000 /* of each tier always stays */

/* ---- how far each tier may reach back ---- */

static int used_bytes(oc_store *store, uint64_t *out_bytes)
{
    int64_t pages = 0;
    int rc = oc_sqlite_number(store->db,
                              "SELECT page_count - freelist_count FROM pragma_page_count,"
                              " pragma_freelist_count",
                              &pages);

    *out_bytes = (uint64_t)pages * store->page_bytes;
    return oc_sqlite_err(rc);
}

/* The tier that gives way next, and how much of it: more where a pass freed nothing, then the next tier. */
static void turn_the_screw(struct oc_upkeep *upkeep)
{
    if (upkeep->dropped) {
        upkeep->pressed_tier = OC_TIER_RAW;
        upkeep->pressed_shift = OC_PRESSED_SHIFT;
    } else if (upkeep->pressed_shift > 0) {
        upkeep->pressed_shift--;
    } else {
        upkeep->pressed_tier++;
        upkeep->pressed_shift = OC_PRESSED_SHIFT;
    }
}

/*
 * The file is too large: a tier loses its oldest part, but never its last hour. With raw samples go
 * the walks of lives that ended as long ago, so that many short lives do not push all else out.
 */
static void press(struct oc_upkeep *upkeep, int64_t now_unix_ms)
{
    int tier = upkeep->pressed_tier;
    int64_t last_hour = now_unix_ms - OC_PRESSED_LEAST_MS, cut;
    int64_t oldest = upkeep->oldest_unix_ms[tier];

    if (upkeep->oldest_detail_unix_ms < oldest)
        oldest = upkeep->oldest_detail_unix_ms;
    if (oldest >= last_hour)
        return;
    cut = oldest + ((last_hour - oldest) >> upkeep->pressed_shift);
    upkeep->cut_detail_unix_ms = cut;
    if (cut > upkeep->cut_unix_ms[tier])
        upkeep->cut_unix_ms[tier] = cut;
}

int oc_retention_begin(oc_store *store, int64_t now_unix_ms)
{
    struct oc_upkeep *upkeep = store->upkeep;
    uint64_t bytes;
    int rc = used_bytes(store, &bytes);

    if (rc < 0)
        return rc;
    if (now_unix_ms < upkeep->passed_unix_ms) /* the clock was set back: thinned up to when? */
        for (int tier = 0; tier < OC_TIER_COUNT; tier++)
            upkeep->thinned_unix_ms[tier] = INT64_MIN;
    upkeep->passed_unix_ms = now_unix_ms;
    upkeep->cut_unix_ms[OC_TIER_RAW] = now_unix_ms - store->options.raw_keep_ms;
    upkeep->cut_unix_ms[OC_TIER_MINUTE] = now_unix_ms - store->options.minute_keep_ms;
    upkeep->cut_unix_ms[OC_TIER_HOUR] = now_unix_ms - store->options.hour_keep_ms;
    upkeep->cut_detail_unix_ms = INT64_MIN;
    if (upkeep->is_pressed)
        press(upkeep, now_unix_ms);
    upkeep->oldest_detail_unix_ms = INT64_MAX;
    for (int tier = 0; tier < OC_TIER_COUNT; tier++)
        upkeep->oldest_unix_ms[tier] = INT64_MAX;
    upkeep->dropped = 0;
    rc = oc_thin_alerts(store, now_unix_ms);
    return rc < 0 ? rc : oc_thin_learnt(store);
}

int oc_retention_end(oc_store *store)
{
    struct oc_upkeep *upkeep = store->upkeep;
    uint64_t bytes;

    for (int tier = 0; tier < OC_TIER_COUNT; tier++)
        upkeep->thinned_unix_ms[tier] = upkeep->cut_unix_ms[tier];
    if (used_bytes(store, &bytes) < 0 || bytes <= store->options.max_file_bytes / 100 * 95) {
        upkeep->is_pressed = 0;
        return 0;
    }
    if (!upkeep->is_pressed)
        upkeep->is_pressed = upkeep->dropped = 1;
    turn_the_screw(upkeep);
    if (upkeep->pressed_tier == OC_TIER_COUNT)
        upkeep->is_pressed = 0; /* nothing more can go; again in an hour */
    return upkeep->is_pressed;
}

/* ---- one source ---- */

/* Wall clock of a boot's time 0, by the last row of the clock table. */
static int boot_unix_ms(oc_store *store, int64_t boot, int64_t *out_unix_ms)
{
    sqlite3_stmt *statement = oc_upkeep_statement(store, OC_UPKEEP_CLOCK);
    int rc;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    (void)sqlite3_bind_int64(statement, 1, boot);
    rc = sqlite3_step(statement);
    *out_unix_ms = rc == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_reset(statement); /* says again what step said */
    return oc_sqlite_err(rc);
}

static int delete_chunk(oc_store *store, enum oc_tier tier, int64_t rowid)
{
    sqlite3_stmt *statement = oc_upkeep_tier_statement(store, tier, OC_TIER_DELETE);

    if (statement)
        (void)sqlite3_bind_int64(statement, 1, rowid);
    return oc_store_run(store, statement);
}

struct visit {
    const struct oc_upkeep_source *source;
    int64_t zero_unix_ms; /* wall clock of its boot's time 0 */
    int64_t forget_before_ms;
    int has_chunks;
};

/* The first chunk that the source has in a tier. 1, 0 or a code. */
static int first_chunk(oc_store *store, const struct visit *visit, enum oc_tier tier,
                       struct oc_tier_chunk *out_chunk)
{
    struct oc_tier_question question = { .tier = tier,
                                         .which = OC_TIER_FIRST,
                                         .source = visit->source->id };

    return oc_upkeep_find(store, &question, out_chunk);
}

/* Deletes a tier's chunks that are too old, from the first on. 1 where there may be more of them. */
static int drop_old(oc_store *store, struct visit *visit, enum oc_tier tier)
{
    struct oc_upkeep *upkeep = store->upkeep;

    for (int i = 0; i < OC_RETENTION_ROWS; i++) {
        struct oc_tier_chunk first;
        int rc = first_chunk(store, visit, tier, &first);

        if (rc <= 0)
            return rc;
        if (visit->zero_unix_ms + first.t1_ms >= upkeep->cut_unix_ms[tier]) {
            int64_t oldest = visit->zero_unix_ms + first.t0_ms;

            visit->has_chunks = 1;
            if (oldest < upkeep->oldest_unix_ms[tier])
                upkeep->oldest_unix_ms[tier] = oldest;
            return OC_OK;
        }
        rc = delete_chunk(store, tier, first.rowid);
        if (rc < 0)
            return rc;
        upkeep->dropped = 1;
    }
    return 1;
}

/* Whether it ended so long ago. 1, 0 or a code. */
static int may_forget(oc_store *store, const struct visit *visit)
{
    sqlite3_stmt *statement = oc_upkeep_statement(store, OC_UPKEEP_MAY_FORGET);
    int step;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    (void)sqlite3_bind_int64(statement, 1, visit->source->id);
    (void)sqlite3_bind_int64(statement, 2, visit->forget_before_ms);
    step = sqlite3_step(statement);
    (void)sqlite3_reset(statement); /* says again what step said */
    return step == SQLITE_ROW ? 1 : oc_sqlite_err(step);
}

/*
 * A life of which no samples are left, after as long as hours are kept: its last walk goes, its
 * modules and limits, then its row. 1 while there is more of it, 0, or a code.
 */
static int forget_source(oc_store *store, const struct visit *visit)
{
    sqlite3_stmt *statement;
    int rc = may_forget(store, visit);

    if (rc != 1)
        return rc;
    rc = oc_thin_forget(store, visit->source->id);
    if (rc != OC_OK)
        return rc;
    statement = oc_upkeep_statement(store, OC_UPKEEP_FORGET_SOURCE);
    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, visit->source->id);
        (void)sqlite3_bind_int64(statement, 2, visit->forget_before_ms);
    }
    rc = oc_store_run(store, statement);
    if (rc < 0)
        return rc;
    statement = oc_upkeep_statement(store, OC_UPKEEP_FORGET_LIFE);
    if (statement)
        (void)sqlite3_bind_int64(statement, 1, visit->source->id);
    rc = oc_store_run(store, statement);
    if (rc < 0)
        return rc;
    rc = oc_store_run(store, oc_upkeep_statement(store, OC_UPKEEP_FORGET_SUBJECTS));
    return rc < 0 ? rc : oc_store_run(store, oc_upkeep_statement(store, OC_UPKEEP_FORGET_LABELS));
}

static int visit_source(oc_store *store, void *context)
{
    struct visit *visit = context;
    int rc = OC_OK;

    for (int tier = 0; tier < OC_TIER_COUNT && rc == OC_OK; tier++)
        rc = drop_old(store, visit, (enum oc_tier)tier);
    if (rc == OC_OK && !visit->has_chunks && visit->source->ended)
        rc = forget_source(store, visit);
    return rc;
}

/* Whether anything of the source may be too old: most visits need no transaction. */
static int is_due(oc_store *store, struct visit *visit, int *out_due)
{
    struct oc_upkeep *upkeep = store->upkeep;
    int found = 0;

    *out_due = 0;
    for (int tier = 0; tier < OC_TIER_COUNT; tier++) {
        struct oc_tier_chunk first;
        int rc = first_chunk(store, visit, (enum oc_tier)tier, &first);

        if (rc < 0)
            return rc;
        if (rc == 0)
            continue;
        found = 1;
        if (visit->zero_unix_ms + first.t1_ms < upkeep->cut_unix_ms[tier])
            *out_due = 1;
        else if (visit->zero_unix_ms + first.t0_ms < upkeep->oldest_unix_ms[tier])
            upkeep->oldest_unix_ms[tier] = visit->zero_unix_ms + first.t0_ms;
    }
    *out_due |= !found && visit->source->ended;
    return OC_OK;
}

int oc_retention_step(oc_store *store, const struct oc_upkeep_source *source, int64_t now_boot_ms,
                      int64_t now_unix_ms)
{
    struct visit visit = { .source = source, .zero_unix_ms = now_unix_ms - now_boot_ms };
    int due = 0, rc = OC_OK;

    /* of this boot, age is by the clock that never jumps, whatever the wall clock did since */
    if (source->boot != store->boot)
        rc = boot_unix_ms(store, source->boot, &visit.zero_unix_ms);
    if (rc == OC_OK) {
        visit.forget_before_ms = now_unix_ms - store->options.hour_keep_ms - visit.zero_unix_ms;
        rc = oc_thin_step(store, source, visit.zero_unix_ms);
        if (rc == OC_OK)
            rc = is_due(store, &visit, &due);
    }
    if (rc != OC_OK || !due)
        return rc;
    return oc_upkeep_transaction(store, visit_source, &visit);
}
