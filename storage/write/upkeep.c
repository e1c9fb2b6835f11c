#include "storage/write/upkeep_impl.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/os.h"
#include "storage/format/alert_rows.h"

#include <string.h>

#define OC_UPKEEP_FIRST_MS 60000 /* after the start, or a failure */
#define OC_UPKEEP_ROUND_MS                                                                         \
    3600000 /* tiers are looked at: a source has one to be made every four hours */
#define OC_RETENTION_ROUND_MS 3600000
#define OC_SWEEP_FIRST_MS 3600000
#define OC_SWEEP_ROUND_MS 86400000
#define OC_VACUUM_PAGES "64"      /* given back at a time */
#define OC_VACUUM_SHARE 16        /* free pages beyond a sixteenth of the file are given back … */
#define OC_VACUUM_LEAST_PAGES 512 /* … but for what the journal will take again */

#define OC_RANGE " id >= ?1 AND id <= ?2 "
#define OC_CHUNK_COLUMNS " id, t0, t1, n, summary, data "

/* %s: the tier's table. */
static const char *const tier_texts[OC_TIER_SQL_COUNT] = {
    [OC_TIER_LAST] =
        ("SELECT id, t0, t1 FROM %s WHERE" OC_RANGE "AND block = ?3 ORDER BY id DESC LIMIT 1"),
    [OC_TIER_BEFORE] = ("SELECT id, t0, t1 FROM %s WHERE" OC_RANGE
                        "AND block = ?3 AND t1 < ?4 ORDER BY id DESC LIMIT 1"),
    [OC_TIER_AFTER] =
        ("SELECT" OC_CHUNK_COLUMNS "FROM %s WHERE" OC_RANGE "AND block = ?3 ORDER BY id"),
    [OC_TIER_PUT] = "INSERT INTO %s(id, block, t0, t1, n, summary, data) VALUES(?,?,?,?,?,?,?)",
    [OC_TIER_DELETE] = "DELETE FROM %s WHERE id = ?1",
    [OC_TIER_FIRST] = ("SELECT id, t0, t1 FROM %s WHERE" OC_RANGE "ORDER BY id LIMIT 1"),
    [OC_TIER_LAST_ANY] = ("SELECT id, t0, t1 FROM %s WHERE" OC_RANGE "ORDER BY id DESC LIMIT 1"),
    [OC_TIER_BLOCKS] = ("SELECT block FROM %s WHERE" OC_RANGE "ORDER BY id DESC LIMIT 16"),
};

static const char *const texts[OC_UPKEEP_SQL_COUNT] = {
    [OC_UPKEEP_NEXT] =
        ("SELECT id, boot, end_ms IS NOT NULL, end_ms FROM source WHERE upkeep = 1 AND"
         " id > ?1 ORDER BY id LIMIT 1"),
    [OC_UPKEEP_DONE] = "UPDATE source SET upkeep = 0 WHERE id = ?1 AND end_ms IS NOT NULL",
    [OC_UPKEEP_NEXT_ANY] =
        ("SELECT id, boot, end_ms IS NOT NULL, end_ms FROM source WHERE id > ?1 ORDER BY id"
         " LIMIT 1"),
    [OC_UPKEEP_FORGET_SOURCE] = "DELETE FROM source WHERE id = ?1 AND end_ms < ?2",
    [OC_UPKEEP_FORGET_LIFE] =
        "DELETE FROM life WHERE source = ?1 AND NOT EXISTS (SELECT 1 FROM source WHERE id = ?1)",
    [OC_UPKEEP_FORGET_SUBJECTS] =
        "DELETE FROM subject WHERE id NOT IN (SELECT subject FROM source)",
    [OC_UPKEEP_CLOCK] =
        "SELECT unix_ms - boot_ms FROM clock WHERE boot = ?1 ORDER BY boot_ms DESC LIMIT 1",
    [OC_UPKEEP_MAY_FORGET] = "SELECT 1 FROM source WHERE id = ?1 AND end_ms < ?2",
    [OC_UPKEEP_FORGET_LABELS] =
        "DELETE FROM subject_label WHERE subject NOT IN (SELECT id FROM subject)",
    [OC_UPKEEP_FORGET_TEXT] = "DELETE FROM text WHERE id = ?1",
    [OC_UPKEEP_FORGET_FAMILY] = "DELETE FROM family WHERE id = ?1",

    [OC_UPKEEP_HAS_ANY] = ("SELECT 1 WHERE EXISTS (SELECT 1 FROM walk WHERE source = ?1) OR"
                           " EXISTS (SELECT 1 FROM limit_value WHERE source = ?1) OR"
                           " EXISTS (SELECT 1 FROM forecast_series WHERE source = ?1)"),
    [OC_UPKEEP_WALK_TIMES] =
        "SELECT t FROM walk WHERE source = ?1 AND t >= ?2 AND t < ?3 ORDER BY t",
    [OC_UPKEEP_WALKS] = ("SELECT t, ifnull(id, 0) FROM walk WHERE source = ?1 AND t >= ?2 AND"
                         " t < ?3 ORDER BY t DESC"),
    [OC_UPKEEP_WALK_MERGE] =
        ("UPDATE walk SET id = ifnull(walk.id, o.id), keyed = max(walk.keyed, o.keyed),"
         " seen = walk.seen | o.seen, runtime = ifnull(walk.runtime, o.runtime),"
         " largest_free = iif(walk.seen & 1, walk.largest_free, o.largest_free),"
         " largest_free_at = iif(walk.seen & 1, walk.largest_free_at, o.largest_free_at),"
         " arenas = iif(walk.seen & 1, walk.arenas, o.arenas)"
         " FROM walk AS o WHERE walk.source = ?1 AND walk.t = ?2 AND o.source = ?1 AND o.t = ?3"),
    [OC_UPKEEP_WALK_DROP] = "DELETE FROM walk WHERE source = ?1 AND t = ?2",
    [OC_UPKEEP_CELLS_MOVE] =
        ("INSERT OR IGNORE INTO region_total(walk, cell, count, bytes, largest, resident)"
         " SELECT ?1, cell, count, bytes, largest, resident FROM region_total WHERE walk = ?2"),
    [OC_UPKEEP_CELLS_DROP] = "DELETE FROM region_total WHERE walk = ?2",
    [OC_UPKEEP_CELLS_DROP_GONE] = "DELETE FROM region_total WHERE walk = ?2 AND count = 0",
    [OC_UPKEEP_COUNTS_DROP_GONE] = "DELETE FROM family_count WHERE walk = ?2 AND count = 0",
    [OC_UPKEEP_COUNTS_MOVE] =
        ("INSERT OR IGNORE INTO family_count(walk, family, count, names, bytes, deleted)"
         " SELECT ?1, family, count, names, bytes, deleted FROM family_count WHERE walk = ?2"),
    [OC_UPKEEP_COUNTS_DROP] = "DELETE FROM family_count WHERE walk = ?2",
    [OC_UPKEEP_HAS_BETWEEN] =
        ("SELECT 1 FROM (SELECT 1 FROM module_gone WHERE source = ?1 AND unloaded >= ?2 AND"
         " unloaded < ?3 AND loaded / ?4 = unloaded / ?4 UNION ALL SELECT 1 FROM limit_value WHERE"
         " source = ?1 AND end_ms >= ?2 AND end_ms < ?3 AND begin_ms / ?4 = end_ms / ?4) LIMIT 1"),
    [OC_UPKEEP_GONE_THIN] =
        ("DELETE FROM module_gone WHERE (source, unloaded, n) IN (SELECT source, unloaded, n FROM"
         " module_gone WHERE source = ?1 AND unloaded >= ?2 AND unloaded < ?3 AND"
         " loaded / ?4 = unloaded / ?4 LIMIT ?5)"),
    [OC_UPKEEP_LIMITS_THIN] = ("DELETE FROM limit_value WHERE source = ?1 AND end_ms >= ?2 AND"
                               " end_ms < ?3 AND begin_ms / ?4 = end_ms / ?4"),
    [OC_UPKEEP_MODULES_FORGET] =
        ("DELETE FROM module WHERE (source, loaded, n) IN (SELECT source, loaded, n FROM module"
         " WHERE source = ?1 LIMIT ?2)"),
    [OC_UPKEEP_GONE_FORGET] =
        ("DELETE FROM module_gone WHERE (source, unloaded, n) IN (SELECT source, unloaded, n FROM"
         " module_gone WHERE source = ?1 LIMIT ?2)"),
    [OC_UPKEEP_LIMITS_FORGET] =
        ("DELETE FROM limit_value WHERE (source, kind, metric, place, begin_ms) IN (SELECT source,"
         " kind, metric, place, begin_ms FROM limit_value WHERE source = ?1 LIMIT ?2)"),

    [OC_UPKEEP_FORECASTS_OLD] =
        ("SELECT 1 FROM forecast_series q JOIN forecast f ON f.series = q.id WHERE q.source = ?1"
         " AND f.t >= ?2 AND f.t < ?3 LIMIT 1"),
    [OC_UPKEEP_FORECASTS_DROP] =
        ("DELETE FROM forecast WHERE (series, t) IN (SELECT f.series, f.t FROM forecast_series q"
         " JOIN forecast f ON f.series = q.id WHERE q.source = ?1 AND f.t >= ?2 AND f.t < ?3 AND"
         " EXISTS (SELECT 1 FROM forecast g WHERE g.series = f.series AND g.t > f.t) LIMIT ?4)"),
    /* states up to 2 do not grow */
    [OC_UPKEEP_FORECASTS_THIN] =
        ("DELETE FROM forecast WHERE (series, t) IN (SELECT series, t FROM (SELECT f.series, f.t,"
         " f.state, lead(f.t) OVER of_it AS next_t, lead(f.state) OVER of_it AS next_state FROM"
         " forecast_series q JOIN forecast f ON f.series = q.id WHERE q.source = ?1 AND f.t >= ?2"
         " AND f.t < ?3 WINDOW of_it AS (PARTITION BY f.series ORDER BY f.t)) WHERE"
         " next_t / 3600000 = t / 3600000 OR (next_t / 86400000 = t / 86400000 AND state <= 2 AND"
         " next_state = state) LIMIT ?4)"),
    [OC_UPKEEP_FORECASTS_FORGET] =
        ("DELETE FROM forecast WHERE (series, t) IN (SELECT f.series, f.t FROM forecast_series q"
         " JOIN forecast f ON f.series = q.id WHERE q.source = ?1 LIMIT ?2)"),
    [OC_UPKEEP_FORECAST_SERIES_FORGET] =
        ("DELETE FROM forecast_series WHERE id IN (SELECT id FROM forecast_series WHERE source = ?1"
         " LIMIT ?2)"),
    [OC_UPKEEP_MEMORY_DROP] =
        ("DELETE FROM forecaster WHERE id IN (SELECT id FROM forecaster WHERE kind >= 3 ORDER BY"
         " row LIMIT ?1)"),
    [OC_UPKEEP_RECORD_FOLD] =
        ("INSERT INTO forecast_record(subject, metric, kind, first_unix_ms, last_unix_ms, judged,"
         " inside, early, late, censored, ends, foretold, alarms, false_alarms, error_sum, errors,"
         " lead_s_sum, watched_s) SELECT 'others', metric, kind, min(first_unix_ms),"
         " max(last_unix_ms), sum(judged), sum(inside), sum(early), sum(late), sum(censored),"
         " sum(ends), sum(foretold), sum(alarms), sum(false_alarms), sum(error_sum), sum(errors),"
         " sum(lead_s_sum), sum(watched_s) FROM (SELECT * FROM forecast_record WHERE subject <>"
         " 'others' ORDER BY last_unix_ms, subject, metric, kind LIMIT ?1) WHERE true"
         " GROUP BY metric, kind" OC_RECORD_ADD),
    [OC_UPKEEP_RECORD_DROP] =
        ("DELETE FROM forecast_record WHERE (subject, metric, kind) IN (SELECT subject, metric,"
         " kind FROM forecast_record WHERE subject <> 'others' ORDER BY last_unix_ms, subject,"
         " metric, kind LIMIT ?1)"),

    /* the last episode stays: the next one is counted from it */
    [OC_UPKEEP_ALERTS_OLD] =
        ("DELETE FROM alert WHERE episode IN (SELECT episode FROM alert WHERE " OC_ALERT_IS_OVER
         " AND changed_unix_ms < ?1 AND episode < (SELECT max(episode) FROM alert) LIMIT ?2)"),
    [OC_UPKEEP_ALERTS_DROP] =
        ("DELETE FROM alert WHERE episode IN (SELECT episode FROM alert WHERE " OC_ALERT_IS_OVER
         " AND episode < (SELECT max(episode) FROM alert) ORDER BY changed_unix_ms LIMIT ?2)"),
    /* in the order of their ids they are in that of time, but where the clock was set */
    [OC_UPKEEP_DECISIONS_OLD] =
        ("DELETE FROM alert_decision WHERE id IN (SELECT id FROM (SELECT id, t_unix_ms FROM"
         " alert_decision ORDER BY id LIMIT ?2) WHERE t_unix_ms < ?1)"),
    [OC_UPKEEP_DECISIONS_DROP] = ("DELETE FROM alert_decision WHERE id IN (SELECT id FROM"
                                  " alert_decision ORDER BY id LIMIT ?2)"),
    [OC_UPKEEP_OUTBOX_OLD] =
        ("DELETE FROM outbox WHERE row IN (SELECT row FROM outbox WHERE " OC_OUTBOX_IS_OVER
         " AND done_unix_ms < ?1 LIMIT ?2)"),
    [OC_UPKEEP_OUTBOX_DROP] =
        ("DELETE FROM outbox WHERE row IN (SELECT row FROM outbox WHERE " OC_OUTBOX_IS_OVER
         " ORDER BY done_unix_ms LIMIT ?2)"),
    [OC_UPKEEP_SILENCES_OLD] = ("DELETE FROM silence WHERE id IN (SELECT id FROM silence WHERE"
                                " end_unix_ms < ?1 LIMIT ?2)"),
    [OC_UPKEEP_SILENCES_DROP] = ("DELETE FROM silence WHERE id IN (SELECT id FROM silence WHERE"
                                 " end_unix_ms < ?1 ORDER BY end_unix_ms LIMIT ?2)"),
};

/* ---- statements ---- */

sqlite3_stmt *oc_upkeep_tier_statement(oc_store *store, enum oc_tier tier, enum oc_tier_sql which)
{
    sqlite3_stmt *made = store->upkeep->tier_statements[tier][which];
    char *sql;

    if (made)
        return made;
    sql = sqlite3_mprintf(tier_texts[which], oc_tiers[tier].table);
    store->last_sqlite_rc = SQLITE_NOMEM;
    if (sql)
        store->last_sqlite_rc =
            sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, NULL);
    sqlite3_free(sql);
    store->upkeep->tier_statements[tier][which] = made;
    return made;
}

sqlite3_stmt *oc_upkeep_statement(oc_store *store, enum oc_upkeep_sql which)
{
    sqlite3_stmt **kept = &store->upkeep->statements[which];

    if (!*kept)
        store->last_sqlite_rc =
            sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, kept, NULL);
    return *kept;
}

void oc_upkeep_bind_source(sqlite3_stmt *statement, uint32_t source)
{
    (void)sqlite3_bind_int64(statement, 1, OC_CHUNK_ROWID(source, 0));
    (void)sqlite3_bind_int64(statement, 2, OC_CHUNK_ROWID(source, OC_CHUNK_NUMBER_MAX));
}

int oc_upkeep_find(oc_store *store, const struct oc_tier_question *question,
                   struct oc_tier_chunk *out_chunk)
{
    sqlite3_stmt *statement = oc_upkeep_tier_statement(store, question->tier, question->which);
    int rc;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    oc_upkeep_bind_source(statement, question->source);
    if (question->which == OC_TIER_LAST || question->which == OC_TIER_BEFORE)
        (void)sqlite3_bind_int64(statement, 3, question->block);
    if (question->which == OC_TIER_BEFORE)
        (void)sqlite3_bind_int64(statement, 4, question->before_ms);
    rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *out_chunk = (struct oc_tier_chunk){ .rowid = sqlite3_column_int64(statement, 0),
                                             .t0_ms = sqlite3_column_int64(statement, 1),
                                             .t1_ms = sqlite3_column_int64(statement, 2) };
    (void)sqlite3_reset(statement); /* says again what step said */
    return rc == SQLITE_ROW ? 1 : oc_sqlite_err(rc);
}

int oc_upkeep_transaction(oc_store *store, int (*work)(oc_store *, void *), void *context)
{
    int rc = oc_store_run(store, oc_store_statement(store, OC_SQL_BEGIN));

    if (rc < 0)
        return rc;
    rc = work(store, context);
    if (rc >= 0) {
        int commit_rc = oc_store_run(store, oc_store_statement(store, OC_SQL_COMMIT));

        rc = commit_rc < 0 ? commit_rc : rc;
    }
    if (rc < 0 && !sqlite3_get_autocommit(store->db))
        (void)oc_store_run(store, oc_store_statement(store, OC_SQL_ROLLBACK));
    return rc;
}

/* ---- memory ---- */

void oc_upkeep_free(struct oc_upkeep *upkeep)
{
    if (!upkeep)
        return;
    for (int tier = 0; tier < OC_TIER_COUNT; tier++)
        for (int i = 0; i < OC_TIER_SQL_COUNT; i++)
            (void)sqlite3_finalize(upkeep->tier_statements[tier][i]); /* nothing is running */
    for (int i = 0; i < OC_UPKEEP_SQL_COUNT; i++)
        (void)sqlite3_finalize(upkeep->statements[i]);
    for (int i = 0; i < OC_BLOCK_METRICS; i++)
        oc_free(upkeep->columns[i].count); /* one block of memory for all of a column */
    for (int i = 0; i < 5; i++)
        oc_free(upkeep->tier_values[i]);
    oc_sweep_clear(&upkeep->sweep);
    oc_codec_free(upkeep->reader);
    oc_free(upkeep->times);
    oc_free(upkeep->values);
    oc_free(upkeep->known);
    oc_free(upkeep->rows);
    oc_free(upkeep);
}

static int make_upkeep(oc_store *store, int64_t now_boot_ms)
{
    struct oc_upkeep *made = oc_calloc(1, sizeof *made);

    if (!made)
        return OC_E_NOMEM;
    made->reader = oc_codec_new();
    made->times = oc_malloc(OC_CHUNK_MAX_SAMPLES * sizeof *made->times);
    made->values = oc_malloc(OC_CHUNK_MAX_SAMPLES * sizeof *made->values);
    made->known = oc_malloc(OC_CHUNK_MAX_SAMPLES);
    made->rows = oc_malloc(OC_CHUNK_MAX_SAMPLES * sizeof *made->rows);
    if (!made->reader || !made->times || !made->values || !made->known || !made->rows) {
        oc_upkeep_free(made);
        return OC_E_NOMEM;
    }
    /* not at once: what is there at the start has waited longer than that */
    made->next_round_boot_ms = now_boot_ms + OC_UPKEEP_FIRST_MS;
    made->next_retention_boot_ms = now_boot_ms + OC_UPKEEP_FIRST_MS;
    made->next_sweep_boot_ms = now_boot_ms + OC_SWEEP_FIRST_MS;
    for (int tier = 0; tier < OC_TIER_COUNT; tier++)
        made->thinned_unix_ms[tier] = INT64_MIN;
    store->upkeep = made;
    return OC_OK;
}

/* ---- one source ---- */

/* A bit for each block that the source's chunks are of. */
static int blocks_of(oc_store *store, uint32_t source, enum oc_tier tier, unsigned *out_blocks)
{
    sqlite3_stmt *statement = oc_upkeep_tier_statement(store, tier, OC_TIER_BLOCKS);
    int rc = SQLITE_DONE;

    *out_blocks = 0;
    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    oc_upkeep_bind_source(statement, source);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        int block = sqlite3_column_int(statement, 0);

        if (block >= 0 && block < OC_BLOCK_COUNT)
            *out_blocks |= 1u << block;
    }
    (void)sqlite3_reset(statement); /* says again what step said */
    return oc_sqlite_err(rc);
}

/* Makes one chunk of an upper tier, if one is due. 1, 0 or a code. */
static int tend_source(oc_store *store, const struct oc_upkeep_source *source)
{
    int rc = OC_OK;

    for (int tier = OC_TIER_MINUTE; tier <= OC_TIER_HOUR; tier++) {
        unsigned blocks = 0;

        rc = blocks_of(store, source->id, (enum oc_tier)(tier - 1), &blocks);
        for (unsigned block = 0; block < OC_BLOCK_COUNT && rc == OC_OK; block++)
            if (blocks >> block & 1)
                rc = oc_tiers_step(store, source, block, (enum oc_tier)tier);
        if (rc != OC_OK)
            return rc;
    }
    return OC_OK;
}

static int done_with(oc_store *store, void *context)
{
    const struct oc_upkeep_source *source = context;
    sqlite3_stmt *statement = oc_upkeep_statement(store, OC_UPKEEP_DONE);

    if (statement)
        (void)sqlite3_bind_int64(statement, 1, source->id);
    return oc_store_run(store, statement);
}

/* The source after the cursor. 1, 0 at the end, or a code. */
static int next_source(oc_store *store, enum oc_upkeep_sql which, struct oc_upkeep_source *out)
{
    struct oc_upkeep *upkeep = store->upkeep;
    sqlite3_stmt *statement = oc_upkeep_statement(store, which);
    int rc;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    (void)sqlite3_bind_int64(statement, 1, upkeep->at_begin ? -1 : (int64_t)upkeep->cursor);
    rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        out->id = (uint32_t)sqlite3_column_int64(statement, 0);
        out->boot = sqlite3_column_int64(statement, 1);
        out->ended = sqlite3_column_int(statement, 2);
        out->end_ms = sqlite3_column_int64(statement, 3);
    }
    (void)sqlite3_reset(statement); /* says again what step said */
    return rc == SQLITE_ROW ? 1 : oc_sqlite_err(rc);
}

static void visited(struct oc_upkeep *upkeep, const struct oc_upkeep_source *source)
{
    upkeep->cursor = source->id;
    upkeep->at_begin = 0;
}

static void begin_stage(struct oc_upkeep *upkeep, enum oc_upkeep_stage stage)
{
    upkeep->stage = stage;
    upkeep->at_begin = 1;
}

/* ---- stages: each step is short ---- */

static int step_tiers(oc_store *store, int64_t now_boot_ms, int64_t now_unix_ms)
{
    struct oc_upkeep *upkeep = store->upkeep;
    struct oc_upkeep_source source = { 0 };
    int rc = next_source(store, OC_UPKEEP_NEXT, &source);

    if (rc < 0)
        return rc;
    if (rc == 0) {
        int due = now_boot_ms >= upkeep->next_retention_boot_ms;

        begin_stage(upkeep, due ? OC_STAGE_RETENTION : OC_STAGE_VACUUM);
        return due ? oc_retention_begin(store, now_unix_ms) : OC_OK;
    }
    rc = tend_source(store, &source);
    if (rc == 1)
        return OC_OK; /* the same source once more */
    visited(upkeep, &source);
    /* a chunk that cannot be read must not stop all others */
    if (rc == OC_E_PARSE || rc == OC_E_NEWER)
        rc = OC_OK;
    /* its end is in the file only with its last chunks: nothing more will come */
    if (rc == OC_OK && source.ended)
        rc = oc_upkeep_transaction(store, done_with, &source);
    return rc;
}

/* All rows that name a text are looked at: once a day, and only where some went. */
static int begin_sweep_if_due(oc_store *store, int64_t now_boot_ms)
{
    struct oc_upkeep *upkeep = store->upkeep;
    int rc;

    if (!upkeep->texts_dropped || now_boot_ms < upkeep->next_sweep_boot_ms)
        return OC_OK;
    upkeep->texts_dropped = 0;
    upkeep->next_sweep_boot_ms = now_boot_ms + OC_SWEEP_ROUND_MS;
    rc = oc_sweep_begin(store);
    if (rc == 1)
        begin_stage(upkeep, OC_STAGE_TEXTS);
    return rc < 0 ? rc : OC_OK;
}

static int step_texts(oc_store *store)
{
    int rc = oc_sweep_step(store);

    if (rc == 0)
        begin_stage(store->upkeep, OC_STAGE_VACUUM);
    return rc < 0 ? rc : OC_OK;
}

static int step_retention(oc_store *store, int64_t now_boot_ms, int64_t now_unix_ms)
{
    struct oc_upkeep *upkeep = store->upkeep;
    struct oc_upkeep_source source = { 0 };
    int rc = next_source(store, OC_UPKEEP_NEXT_ANY, &source);

    if (rc < 0)
        return rc;
    if (rc == 0) {
        if (oc_retention_end(store)) {
            upkeep->at_begin = 1;
            return oc_retention_begin(store, now_unix_ms);
        }
        upkeep->next_retention_boot_ms = now_boot_ms + OC_RETENTION_ROUND_MS;
        begin_stage(upkeep, OC_STAGE_VACUUM);
        return begin_sweep_if_due(store, now_boot_ms);
    }
    rc = oc_retention_step(store, &source, now_boot_ms, now_unix_ms);
    if (rc != 1)
        visited(upkeep, &source);
    return rc < 0 ? rc : OC_OK;
}

static int step_vacuum(oc_store *store, int64_t now_boot_ms)
{
    int64_t pages = 0, free_pages = 0;
    int rc = oc_sqlite_number(store->db, "PRAGMA page_count", &pages);

    if (rc == SQLITE_OK)
        rc = oc_sqlite_number(store->db, "PRAGMA freelist_count", &free_pages);
    if (oc_sqlite_err(rc) < 0)
        return oc_sqlite_err(rc);
    if (free_pages > pages / OC_VACUUM_SHARE && free_pages > OC_VACUUM_LEAST_PAGES)
        return oc_store_exec(store, "PRAGMA incremental_vacuum(" OC_VACUUM_PAGES ")");
    store->upkeep->stage = OC_STAGE_IDLE;
    store->upkeep->next_round_boot_ms = now_boot_ms + OC_UPKEEP_ROUND_MS;
    return OC_OK;
}

static int step(oc_store *store, int64_t now_boot_ms, int64_t now_unix_ms)
{
    switch (store->upkeep->stage) {
    case OC_STAGE_TIERS:
        return step_tiers(store, now_boot_ms, now_unix_ms);
    case OC_STAGE_RETENTION:
        return step_retention(store, now_boot_ms, now_unix_ms);
    case OC_STAGE_TEXTS:
        return step_texts(store);
    case OC_STAGE_VACUUM:
        return step_vacuum(store, now_boot_ms);
    case OC_STAGE_IDLE:
        break;
    }
    return OC_OK;
}

int oc_store_maintain(oc_store *store, int64_t now_boot_ms, int64_t now_unix_ms, int64_t budget_us)
{
    int64_t until_ns = oc_clock_mono_ns() + budget_us * 1000;
    struct oc_upkeep *upkeep;
    int rc = store->upkeep ? OC_OK : make_upkeep(store, now_boot_ms);

    if (rc < 0)
        return rc;
    upkeep = store->upkeep;
    oc_store_sync_if_due(store, now_boot_ms);
    if (upkeep->stage == OC_STAGE_IDLE) {
        if (now_boot_ms < upkeep->next_round_boot_ms)
            return 0;
        begin_stage(upkeep, OC_STAGE_TIERS);
    }
    do
        rc = step(store, now_boot_ms, now_unix_ms);
    while (rc == OC_OK && upkeep->stage != OC_STAGE_IDLE && oc_clock_mono_ns() < until_ns);
    store->is_corrupt |= rc == OC_E_CORRUPT;
    if (rc < 0) { /* a full disk, say: with the next round */
        oc_sweep_clear(&upkeep->sweep);
        upkeep->stage = OC_STAGE_IDLE;
        upkeep->next_round_boot_ms = now_boot_ms + OC_UPKEEP_FIRST_MS;
        return rc;
    }
    return upkeep->stage != OC_STAGE_IDLE;
}
