/*
 * Walks, modules and limits grow old: all changes while raw samples are kept, then the last walk of
 * each hour as long as minutes are, then of each day, and of what is older than hours the last one.
 * A walk that goes leaves its rows to the next one of its hour or day, where that has none for the
 * same cell or family: what was known at that one stays what it was.
 */
#include "storage/write/upkeep_impl.h"

#include "base/err.h"

#define OC_DAY_MS INT64_C(86400000)
#define OC_THIN_WALKS 32 /* merged in one transaction */
#define OC_THIN_ROWS 500 /* modules or limits deleted in one */

/* Times of one width: [from, to) of boot time, whole ones. */
struct zone {
    int64_t from, to, width;
};

struct thinning {
    uint32_t source;
    struct zone zone;
    int64_t bucket_begin, bucket_end;
};

static int64_t floor_to(int64_t t, int64_t width)
{
    int64_t whole = t / width * width;

    return whole > t ? whole - width : whole;
}

/* a - b, where a may be the least time there is. */
static int64_t minus(int64_t a, int64_t b)
{
    if (b > 0 && a < INT64_MIN + b)
        return INT64_MIN;
    if (b < 0 && a > INT64_MAX + b)
        return INT64_MAX;
    return a - b;
}

/* Of the tier whose cut it is: its times just became too old for what they were kept by. */
static struct zone zone_of(const struct oc_upkeep *upkeep, enum oc_tier tier, int64_t zero_unix_ms)
{
    struct zone zone = { .width = tier == OC_TIER_RAW ? OC_HOUR_MS : OC_DAY_MS };

    zone.to = floor_to(minus(upkeep->cut_unix_ms[tier], zero_unix_ms), zone.width);
    zone.from = INT64_MIN;
    if (tier != OC_TIER_HOUR && upkeep->thinned_unix_ms[tier] != INT64_MIN)
        zone.from =
            floor_to(minus(upkeep->thinned_unix_ms[tier], zero_unix_ms), zone.width) - zone.width;
    if (tier == OC_TIER_HOUR)
        zone.width = INT64_MAX; /* all of it is one */
    return zone;
}

static sqlite3_stmt *bind_zone(oc_store *store, enum oc_upkeep_sql which,
                               const struct thinning *thinning)
{
    sqlite3_stmt *statement = oc_upkeep_statement(store, which);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, thinning->source);
        (void)sqlite3_bind_int64(statement, 2, thinning->zone.from);
        (void)sqlite3_bind_int64(statement, 3, thinning->zone.to);
        (void)sqlite3_bind_int64(statement, 4, thinning->zone.width);
        (void)sqlite3_bind_int(statement, 5, OC_THIN_ROWS);
    }
    return statement;
}

/* ---- walks ---- */

/* The first hour or day with more than one walk. 1 with its bounds, 0, or a code. */
static int find_bucket(oc_store *store, struct thinning *thinning)
{
    sqlite3_stmt *statement = bind_zone(store, OC_UPKEEP_WALK_TIMES, thinning);
    const struct zone *zone = &thinning->zone;
    int is_one = zone->width == INT64_MAX, found = 0, step = SQLITE_DONE;
    int64_t last = INT64_MIN;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    while (!found && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t t = sqlite3_column_int64(statement, 0);

        found = last != INT64_MIN &&
                (is_one || floor_to(t, zone->width) == floor_to(last, zone->width));
        last = t;
    }
    (void)sqlite3_reset(statement); /* says again what step said */
    if (!found)
        return oc_sqlite_err(step);
    thinning->bucket_begin = is_one ? INT64_MIN : floor_to(last, zone->width);
    thinning->bucket_end = is_one ? zone->to : thinning->bucket_begin + zone->width;
    return 1;
}

struct walk {
    int64_t t, id; /* id 0: it has no rows */
};

static int run_pair(oc_store *store, enum oc_upkeep_sql which, int64_t to, int64_t from)
{
    sqlite3_stmt *statement = oc_upkeep_statement(store, which);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, to);
        (void)sqlite3_bind_int64(statement, 2, from);
    }
    return oc_store_run(store, statement);
}

static int drop_rows(oc_store *store, int64_t id)
{
    int rc = run_pair(store, OC_UPKEEP_CELLS_DROP, 0, id);

    return rc < 0 ? rc : run_pair(store, OC_UPKEEP_COUNTS_DROP, 0, id);
}

static int drop_walk(oc_store *store, uint32_t source, int64_t t)
{
    return run_pair(store, OC_UPKEEP_WALK_DROP, source, t);
}

/* What `old` said and `kept` does not; then it goes. */
static int merge_walk(oc_store *store, uint32_t source, struct walk *kept, const struct walk *old)
{
    sqlite3_stmt *statement = oc_upkeep_statement(store, OC_UPKEEP_WALK_MERGE);
    int rc = OC_OK;

    if (old->id && kept->id) {
        rc = run_pair(store, OC_UPKEEP_CELLS_MOVE, kept->id, old->id);
        if (rc == OC_OK)
            rc = run_pair(store, OC_UPKEEP_COUNTS_MOVE, kept->id, old->id);
        if (rc == OC_OK)
            rc = drop_rows(store, old->id);
    }
    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, source);
        (void)sqlite3_bind_int64(statement, 2, kept->t);
        (void)sqlite3_bind_int64(statement, 3, old->t);
    }
    if (rc == OC_OK)
        rc = oc_store_run(store, statement);
    if (!kept->id)
        kept->id = old->id; /* and it has taken them over */
    return rc < 0 ? rc : drop_walk(store, source, old->t);
}

/* Walks of the bucket, the newest first, into walks[]. How many, or a code. */
static int bucket_walks(oc_store *store, const struct thinning *thinning, struct walk *walks)
{
    sqlite3_stmt *statement = oc_upkeep_statement(store, OC_UPKEEP_WALKS);
    int count = 0, step = SQLITE_DONE;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    (void)sqlite3_bind_int64(statement, 1, thinning->source);
    (void)sqlite3_bind_int64(statement, 2, thinning->bucket_begin);
    (void)sqlite3_bind_int64(statement, 3, thinning->bucket_end);
    while (count < OC_THIN_WALKS && (step = sqlite3_step(statement)) == SQLITE_ROW)
        walks[count++] = (struct walk){ .t = sqlite3_column_int64(statement, 0),
                                        .id = sqlite3_column_int64(statement, 1) };
    (void)sqlite3_reset(statement); /* says again what step said */
    return count < OC_THIN_WALKS && step != SQLITE_DONE ? oc_sqlite_err(step) : count;
}

/* What was gone by the first walk that is left says nothing any more, once no older one is. */
static int drop_gone(oc_store *store, const struct walk *first)
{
    int rc = run_pair(store, OC_UPKEEP_CELLS_DROP_GONE, 0, first->id);

    return rc < 0 ? rc : run_pair(store, OC_UPKEEP_COUNTS_DROP_GONE, 0, first->id);
}

static int merge_bucket(oc_store *store, void *context)
{
    struct walk walks[OC_THIN_WALKS] = { { 0 } };
    const struct thinning *thinning = context;
    int count = bucket_walks(store, thinning, walks), rc = count < 0 ? count : OC_OK;

    for (int i = 1; i < count && rc == OC_OK; i++)
        rc = merge_walk(store, thinning->source, &walks[0], &walks[i]);
    if (rc == OC_OK && count > 0 && count < OC_THIN_WALKS && thinning->zone.width == INT64_MAX)
        rc = drop_gone(store, &walks[0]);
    store->upkeep->dropped |= count > 1;
    return rc;
}

/* ---- modules that came and went between two walks that are kept, limits the same ---- */

static int drop_between(oc_store *store, void *context)
{
    const struct thinning *thinning = context;
    int rc = oc_store_run(store, bind_zone(store, OC_UPKEEP_GONE_THIN, thinning));
    int full = rc == OC_OK && sqlite3_changes(store->db) == OC_THIN_ROWS;

    if (rc == OC_OK)
        rc = oc_store_run(store, bind_zone(store, OC_UPKEEP_LIMITS_THIN, thinning));
    return rc < 0 ? rc : full;
}

static int has_between(oc_store *store, const struct thinning *thinning)
{
    sqlite3_stmt *statement = bind_zone(store, OC_UPKEEP_HAS_BETWEEN, thinning);
    int step;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    step = sqlite3_step(statement);
    (void)sqlite3_reset(statement); /* says again what step said */
    return step == SQLITE_ROW ? 1 : oc_sqlite_err(step);
}

/* ---- one zone ---- */

static int thin_zone(oc_store *store, struct thinning *thinning)
{
    int rc;

    if (thinning->zone.from >= thinning->zone.to)
        return 0;
    rc = find_bucket(store, thinning);
    if (rc == 1)
        rc = oc_upkeep_transaction(store, merge_bucket, thinning);
    else if (rc == 0 && (rc = has_between(store, thinning)) == 1)
        rc = oc_upkeep_transaction(store, drop_between, thinning);
    else
        return rc;
    store->upkeep->texts_dropped = 1;
    return rc < 0 ? rc : 1;
}

/* The oldest walk that a tier's cut does not reach: what pressing is counted from. */
static int note_oldest(oc_store *store, struct thinning *thinning, enum oc_tier tier,
                       int64_t zero_unix_ms)
{
    struct oc_upkeep *upkeep = store->upkeep;
    sqlite3_stmt *statement;
    int step;

    thinning->zone.from = minus(upkeep->cut_unix_ms[tier], zero_unix_ms);
    thinning->zone.to = INT64_MAX;
    statement = bind_zone(store, OC_UPKEEP_WALK_TIMES, thinning);
    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    step = sqlite3_step(statement);
    if (step == SQLITE_ROW) {
        int64_t oldest = zero_unix_ms + sqlite3_column_int64(statement, 0);

        if (oldest < upkeep->oldest_unix_ms[tier])
            upkeep->oldest_unix_ms[tier] = oldest;
    }
    (void)sqlite3_reset(statement); /* says again what step said */
    return oc_sqlite_err(step);
}

/* ---- a source that is forgotten ---- */

static int forget_walks(oc_store *store, uint32_t source)
{
    struct walk walks[OC_THIN_WALKS] = { { 0 } };
    struct thinning all = { .source = source, .bucket_begin = INT64_MIN, .bucket_end = INT64_MAX };
    int count = bucket_walks(store, &all, walks), rc = count < 0 ? count : OC_OK;

    for (int i = 0; i < count && rc == OC_OK; i++) {
        rc = drop_rows(store, walks[i].id);
        if (rc == OC_OK)
            rc = drop_walk(store, source, walks[i].t);
    }
    return rc < 0 ? rc : count == OC_THIN_WALKS;
}

int oc_thin_forget(oc_store *store, uint32_t source)
{
    static const enum oc_upkeep_sql tables[] = { OC_UPKEEP_MODULES_FORGET, OC_UPKEEP_GONE_FORGET,
                                                 OC_UPKEEP_LIMITS_FORGET };
    int rc = forget_walks(store, source);

    for (size_t i = 0; i < sizeof tables / sizeof *tables && rc == OC_OK; i++) {
        rc = run_pair(store, tables[i], source, OC_THIN_ROWS);
        if (rc == OC_OK)
            rc = sqlite3_changes(store->db) == OC_THIN_ROWS;
    }
    if (rc == OC_OK)
        rc = oc_thin_forget_forecasts(store, source);
    store->upkeep->texts_dropped = 1;
    return rc;
}

/* ---- a source ---- */

/* Most have nothing: the host, cgroups without a limit, lives too short for a walk. */
static int has_any(oc_store *store, uint32_t source)
{
    sqlite3_stmt *statement = oc_upkeep_statement(store, OC_UPKEEP_HAS_ANY);
    int step;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    (void)sqlite3_bind_int64(statement, 1, source);
    step = sqlite3_step(statement);
    (void)sqlite3_reset(statement); /* says again what step said */
    return step == SQLITE_ROW ? 1 : oc_sqlite_err(step);
}

static int forget_details(oc_store *store, void *context)
{
    const struct thinning *thinning = context;

    store->upkeep->dropped = 1;
    return oc_thin_forget(store, thinning->source);
}

static int thin_zones(oc_store *store, struct thinning *thinning, int64_t zero_unix_ms)
{
    int rc = OC_OK;

    for (int tier = OC_TIER_HOUR; tier >= OC_TIER_RAW && rc == OC_OK; tier--) {
        thinning->zone = zone_of(store->upkeep, (enum oc_tier)tier, zero_unix_ms);
        rc = thin_zone(store, thinning);
        if (rc == OC_OK)
            rc = note_oldest(store, thinning, (enum oc_tier)tier, zero_unix_ms);
    }
    return rc;
}

int oc_thin_step(oc_store *store, const struct oc_upkeep_source *source, int64_t zero_unix_ms)
{
    struct oc_upkeep *upkeep = store->upkeep;
    struct thinning thinning = { .source = source->id };
    int64_t end_unix_ms = zero_unix_ms + source->end_ms;
    int rc = has_any(store, source->id);

    if (rc != 1)
        return rc;
    if (source->ended && end_unix_ms < upkeep->cut_detail_unix_ms)
        return oc_upkeep_transaction(store, forget_details, &thinning);
    if (source->ended && end_unix_ms < upkeep->oldest_detail_unix_ms)
        upkeep->oldest_detail_unix_ms = end_unix_ms;
    rc = thin_zones(store, &thinning, zero_unix_ms);
    return rc == OC_OK ? oc_thin_forecasts(store, source->id, zero_unix_ms) : rc;
}
