#include "storage/read/scan.h"

#include "base/alloc.h"
#include "base/err.h"

#include <stdarg.h>
#include <string.h>

int oc_scan_code(int sqlite_code)
{
    switch (sqlite_code & 0xff) {
    case SQLITE_ERROR: /* a table that is not there, or not as it should be */
    case SQLITE_MISMATCH:
        return OC_E_CORRUPT;
    case SQLITE_NOTADB:
        return OC_E_FOREIGN;
    case SQLITE_INTERRUPT:
        return OC_E_AGAIN;
    default:
        return oc_sqlite_err(sqlite_code);
    }
}

static int64_t *column_memory(void) { return oc_calloc(OC_CHUNK_MAX_SAMPLES, sizeof(int64_t)); }

int oc_scan_init(struct oc_scan *scan, sqlite3 *db)
{
    memset(scan, 0, sizeof *scan);
    scan->db = db;
    scan->codec = oc_codec_new();
    scan->times = column_memory();
    scan->values = column_memory();
    scan->count = column_memory();
    scan->min = column_memory();
    scan->max = column_memory();
    scan->sum = column_memory();
    scan->known = oc_calloc(OC_CHUNK_MAX_SAMPLES, 1);
    if (!scan->codec || !scan->times || !scan->values || !scan->count || !scan->min || !scan->max ||
        !scan->sum || !scan->known)
        return OC_E_NOMEM;
    return OC_OK;
}

void oc_scan_clear(struct oc_scan *scan)
{
    for (int tier = 0; tier < OC_TIER_COUNT; tier++) {
        for (int kept = 0; kept < OC_KEPT_COUNT; kept++)
            (void)sqlite3_finalize(scan->kept[tier][kept]);
    }
    oc_codec_free(scan->codec);
    oc_clockmap_clear(&scan->clock);
    oc_free(scan->times);
    oc_free(scan->values);
    oc_free(scan->count);
    oc_free(scan->min);
    oc_free(scan->max);
    oc_free(scan->sum);
    oc_free(scan->known);
    memset(scan, 0, sizeof *scan);
}

int oc_scan_prepare(sqlite3 *db, sqlite3_stmt **out_statement, const char *format, ...)
{
    va_list args;
    char *sql;
    int rc;

    va_start(args, format);
    sql = sqlite3_vmprintf(format, args);
    va_end(args);
    if (!sql)
        return OC_E_NOMEM;
    rc = sqlite3_prepare_v2(db, sql, -1, out_statement, NULL);
    sqlite3_free(sql);
    return oc_scan_code(rc);
}

int oc_scan_load_clock(struct oc_scan *scan)
{
    sqlite3_stmt *statement = NULL;
    int rc =
        oc_scan_prepare(scan->db, &statement,
                        "SELECT boot, boot_ms, unix_ms FROM main.clock ORDER BY boot, boot_ms");
    int step = SQLITE_DONE;

    scan->clock.count = 0;
    while (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW)
        rc =
            oc_clockmap_add(&scan->clock, (uint32_t)sqlite3_column_int64(statement, 0),
                            sqlite3_column_int64(statement, 1), sqlite3_column_int64(statement, 2));
    (void)sqlite3_finalize(statement);
    return rc < 0 ? rc : oc_scan_code(step);
}

/* ---- chunks ---- */

/* ---- statements that are kept: a question about many sources asks each of them many times ---- */

static const char *const kept_sql[OC_KEPT_COUNT] = {
    [OC_KEPT_SEEK] = "SELECT id, t0, t1 FROM main.\"%w\" WHERE id BETWEEN ?1 AND ?2 AND block = ?3 "
                     "ORDER BY id LIMIT 1",
    [OC_KEPT_LAST] = "SELECT id, t0, t1 FROM main.\"%w\" WHERE id BETWEEN ?1 AND ?2 AND block = ?3 "
                     "ORDER BY id DESC LIMIT 1",
    [OC_KEPT_NEWEST] = "SELECT block, t1 FROM main.\"%w\" WHERE id BETWEEN ?1 AND ?2 "
                       "ORDER BY id DESC LIMIT ?3",
};

static int kept(struct oc_scan *scan, enum oc_tier tier, enum oc_kept which,
                sqlite3_stmt **out_statement)
{
    sqlite3_stmt **place = &scan->kept[tier][which];
    int rc = OC_OK;

    if (!*place)
        rc = oc_scan_prepare(scan->db, place, kept_sql[which], oc_tiers[tier].table);
    *out_statement = *place;
    return rc;
}

/* The first or last row of a block with an id in [low, high]. 1, 0 or a code. */
struct bound {
    int64_t id, t0_boot_ms, t1_boot_ms;
};

static int find_bound(struct oc_scan *scan, enum oc_tier tier, enum oc_kept which, unsigned block,
                      const int64_t ids[2], struct bound *out_bound)
{
    sqlite3_stmt *statement;
    int rc = kept(scan, tier, which, &statement);

    if (rc < 0)
        return rc;
    sqlite3_bind_int64(statement, 1, ids[0]);
    sqlite3_bind_int64(statement, 2, ids[1]);
    sqlite3_bind_int64(statement, 3, (int64_t)block);
    rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *out_bound = (struct bound){ .id = sqlite3_column_int64(statement, 0),
                                     .t0_boot_ms = sqlite3_column_int64(statement, 1),
                                     .t1_boot_ms = sqlite3_column_int64(statement, 2) };
    (void)sqlite3_reset(statement); /* says again what step said */
    return rc == SQLITE_ROW ? 1 : oc_scan_code(rc);
}

static void all_ids(uint32_t source, int64_t out_ids[2])
{
    out_ids[0] = OC_CHUNK_ROWID(source, 0);
    out_ids[1] = OC_CHUNK_ROWID(source, OC_CHUNK_NUMBER_MAX);
}

/*
 * The first row of a block that ends at t or later (OC_KEPT_SEEK by t1) or begins at t or later (by
 * t0), by halving: numbers ascend with time. *out_id is one beyond the last where there is none.
 */
static int bisect(struct oc_scan *scan, enum oc_tier tier, uint32_t source, unsigned block,
                  int64_t t_boot_ms, int by_begin, int64_t *out_id)
{
    int64_t ids[2];
    struct bound bound = { .id = 0 };
    int rc;

    all_ids(source, ids);
    rc = find_bound(scan, tier, OC_KEPT_LAST, block, ids, &bound);
    if (rc != 1) {
        *out_id = ids[1] + 1;
        return rc;
    }
    *out_id = ids[1] = bound.id + 1;
    while (ids[0] < ids[1]) {
        int64_t half[2] = { ids[0] + (ids[1] - ids[0]) / 2, *out_id };

        rc = find_bound(scan, tier, OC_KEPT_SEEK, block, half, &bound);
        if (rc < 0)
            return rc;
        if (rc == 0 || (by_begin ? bound.t0_boot_ms : bound.t1_boot_ms) >= t_boot_ms) {
            ids[1] = half[0];
            *out_id = rc == 1 ? bound.id : *out_id;
        } else {
            ids[0] = bound.id + 1;
        }
    }
    return OC_OK;
}

/* Ids of the chunks of one block that may have a part of [begin, end). */
static int block_ids(struct oc_scan *scan, enum oc_tier tier, uint32_t source, unsigned block,
                     const int64_t span_boot_ms[2], int64_t out_ids[2])
{
    int64_t beyond;
    int rc = OC_OK;

    all_ids(source, out_ids);
    if (span_boot_ms[0] > 0)
        rc = bisect(scan, tier, source, block, span_boot_ms[0], 0, &out_ids[0]);
    if (rc < 0 || span_boot_ms[1] > OC_SCAN_MAX_TIME_MS)
        return rc < 0 ? rc : OC_OK;
    rc = bisect(scan, tier, source, block, span_boot_ms[1], 1, &beyond);
    out_ids[1] = beyond - 1;
    return rc < 0 ? rc : OC_OK;
}

/* The same over all blocks that the newest chunks are of. */
static int any_block_ids(struct oc_scan *scan, enum oc_tier tier, uint32_t source,
                         const int64_t span_boot_ms[2], int64_t out_ids[2])
{
    int64_t ends[OC_BLOCK_COUNT], ids[2];
    int rc = oc_scan_ends(scan, tier, source, ends);

    out_ids[0] = OC_CHUNK_ROWID(source, OC_CHUNK_NUMBER_MAX);
    out_ids[1] = OC_CHUNK_ROWID(source, 0) - 1;
    for (unsigned block = 0; block < OC_BLOCK_COUNT && rc == OC_OK; block++) {
        if (ends[block] == INT64_MIN)
            continue;
        rc = block_ids(scan, tier, source, block, span_boot_ms, ids);
        out_ids[0] = ids[0] < out_ids[0] ? ids[0] : out_ids[0];
        out_ids[1] = ids[1] > out_ids[1] ? ids[1] : out_ids[1];
    }
    return rc;
}

int oc_scan_chunks(struct oc_scan *scan, enum oc_tier tier, uint32_t source, unsigned block,
                   int64_t begin_boot_ms, int64_t end_boot_ms, sqlite3_stmt **out_statement)
{
    int64_t resolution_ms = oc_tiers[tier].resolution_ms;
    int64_t span[2] = { begin_boot_ms, end_boot_ms }, ids[2];
    int is_any = block >= OC_BLOCK_COUNT, rc;

    if (begin_boot_ms > INT64_MIN + resolution_ms)
        span[0] -= resolution_ms; /* a row's time is its beginning */
    rc = is_any ? any_block_ids(scan, tier, source, span, ids)
                : block_ids(scan, tier, source, block, span, ids);
    if (rc == OC_OK)
        rc = oc_scan_prepare(scan->db, out_statement,
                             "SELECT id, block, t0, t1, n, summary, data FROM main.\"%w\" WHERE id "
                             "BETWEEN ?1 AND ?2 AND t1 >= ?3 AND t0 < ?4%s ORDER BY id",
                             oc_tiers[tier].table, is_any ? "" : " AND block = ?5");
    if (rc < 0)
        return rc;
    sqlite3_bind_int64(*out_statement, 1, ids[0]);
    sqlite3_bind_int64(*out_statement, 2, ids[1]);
    sqlite3_bind_int64(*out_statement, 3, span[0]);
    sqlite3_bind_int64(*out_statement, 4, span[1]);
    if (!is_any)
        sqlite3_bind_int64(*out_statement, 5, (int64_t)block);
    return OC_OK;
}

int oc_scan_next_chunk(sqlite3_stmt *statement, struct oc_chunk_row *out_row)
{
    int step = sqlite3_step(statement);

    if (step != SQLITE_ROW)
        return oc_scan_code(step);
    out_row->id = sqlite3_column_int64(statement, 0);
    out_row->block = (unsigned)sqlite3_column_int64(statement, 1);
    out_row->t0_boot_ms = sqlite3_column_int64(statement, 2);
    out_row->t1_boot_ms = sqlite3_column_int64(statement, 3);
    out_row->rows = (uint32_t)sqlite3_column_int64(statement, 4);
    out_row->statement = statement;
    if (out_row->t0_boot_ms < -OC_SCAN_MAX_TIME_MS || out_row->t1_boot_ms > OC_SCAN_MAX_TIME_MS ||
        out_row->t0_boot_ms > out_row->t1_boot_ms || out_row->block >= OC_BLOCK_COUNT)
        return OC_E_CORRUPT;
    return 1;
}

int oc_scan_summaries(struct oc_scan *scan, const struct oc_chunk_row *row)
{
    const void *blob = sqlite3_column_blob(row->statement, 5);
    int bytes = sqlite3_column_bytes(row->statement, 5);

    if (!blob)
        return OC_E_PARSE;
    return oc_summary_read(blob, (size_t)bytes, row->rows, scan->summaries, OC_SCAN_MAX_SUMMARIES);
}

int oc_scan_summary(struct oc_scan *scan, const struct oc_chunk_row *row, unsigned metric,
                    struct oc_summary *out_summary)
{
    int count = oc_scan_summaries(scan, row);

    for (int i = 0; i < count; i++) {
        if (scan->summaries[i].number == metric) {
            *out_summary = scan->summaries[i];
            return 1;
        }
    }
    return count < 0 ? count : 0;
}

/* Times of a damaged chunk could be anything: those who add to them rely on the row's bounds. */
static int check_times(const struct oc_scan *scan, const struct oc_chunk_row *row)
{
    int bad = 0;

    for (uint32_t i = 0; i < scan->chunk.sample_count; i++)
        bad |= scan->times[i] < row->t0_boot_ms || scan->times[i] > row->t1_boot_ms;
    return bad ? OC_E_PARSE : OC_OK;
}

int oc_scan_open_chunk(struct oc_scan *scan, const struct oc_chunk_row *row)
{
    const void *blob = sqlite3_column_blob(row->statement, 6);
    int bytes = sqlite3_column_bytes(row->statement, 6);
    int rc;

    if (!blob)
        return OC_E_PARSE;
    rc = oc_chunk_open(scan->codec, blob, (size_t)bytes, &scan->chunk);
    if (rc == OC_OK && scan->chunk.sample_count > OC_CHUNK_MAX_SAMPLES)
        rc = OC_E_TOOBIG;
    if (rc == OC_OK)
        rc = oc_chunk_times(&scan->chunk, scan->times);
    return rc < 0 ? rc : check_times(scan, row);
}

int oc_scan_raw_column(struct oc_scan *scan, unsigned metric)
{
    int column = oc_chunk_find(&scan->chunk, metric, OC_ROLE_VALUE);
    int rc;

    if (column < 0)
        return 0;
    rc = oc_chunk_values(&scan->chunk, (unsigned)column, scan->values, scan->known);
    return rc < 0 ? rc : 1;
}

int oc_scan_tier_column(struct oc_scan *scan, unsigned metric)
{
    const struct oc_tier_columns columns = { .count = scan->count,
                                             .last = scan->values,
                                             .min = scan->min,
                                             .max = scan->max,
                                             .sum = scan->sum };

    return oc_chunk_tier(&scan->chunk, metric, &columns, scan->known);
}

/* The first or last row of a block that the source has. 1, 0 or a code. */
static int find_of_all(struct oc_scan *scan, enum oc_tier tier, enum oc_kept which, uint32_t source,
                       unsigned block, struct bound *out_bound)
{
    int64_t ids[2];

    all_ids(source, ids);
    return find_bound(scan, tier, which, block, ids, out_bound);
}

int oc_scan_first(struct oc_scan *scan, enum oc_tier tier, uint32_t source, unsigned block,
                  int64_t *out_t0_boot_ms)
{
    struct bound bound = { .id = 0 };
    int rc = find_of_all(scan, tier, OC_KEPT_SEEK, source, block, &bound);

    *out_t0_boot_ms = rc == 1 ? bound.t0_boot_ms : INT64_MAX;
    return rc < 0 ? rc : OC_OK;
}

int oc_scan_tier_end(struct oc_scan *scan, enum oc_tier tier, uint32_t source, unsigned block,
                     int64_t *out_end_boot_ms)
{
    struct bound bound = { .id = 0 };
    int rc = find_of_all(scan, tier, OC_KEPT_LAST, source, block, &bound);

    *out_end_boot_ms = INT64_MIN;
    if (rc == 1 && bound.t1_boot_ms < OC_SCAN_MAX_TIME_MS)
        *out_end_boot_ms = bound.t1_boot_ms + oc_tiers[tier].resolution_ms;
    return rc < 0 ? rc : OC_OK;
}

int oc_scan_ends(struct oc_scan *scan, enum oc_tier tier, uint32_t source,
                 int64_t out_boot_ms[OC_BLOCK_COUNT])
{
    sqlite3_stmt *statement;
    int64_t ids[2];
    int step, rc = kept(scan, tier, OC_KEPT_NEWEST, &statement);

    for (unsigned block = 0; block < OC_BLOCK_COUNT; block++)
        out_boot_ms[block] = INT64_MIN;
    if (rc < 0)
        return rc;
    all_ids(source, ids);
    sqlite3_bind_int64(statement, 1, ids[0]);
    sqlite3_bind_int64(statement, 2, ids[1]);
    sqlite3_bind_int(statement, 3, OC_SCAN_LAST_CHUNKS);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t block = sqlite3_column_int64(statement, 0);
        int64_t t1_boot_ms = sqlite3_column_int64(statement, 1);

        if (block >= 0 && block < OC_BLOCK_COUNT && t1_boot_ms > out_boot_ms[block])
            out_boot_ms[block] = t1_boot_ms;
    }
    (void)sqlite3_reset(statement); /* says again what step said */
    return oc_scan_code(step);
}

int oc_scan_sealed(struct oc_scan *scan, uint32_t source, int64_t out_boot_ms[OC_BLOCK_COUNT])
{
    return oc_scan_ends(scan, OC_TIER_RAW, source, out_boot_ms);
}

/* ---- the journal ---- */

int oc_scan_newest_tick(struct oc_scan *scan, uint32_t *out_boot, int64_t *out_boot_ms)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(scan->db, &statement,
                             "SELECT boot, t1 FROM main.journal ORDER BY id DESC LIMIT 1");

    if (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        *out_boot = (uint32_t)sqlite3_column_int64(statement, 0);
        *out_boot_ms = sqlite3_column_int64(statement, 1);
    }
    (void)sqlite3_finalize(statement);
    if (rc < 0 || step == SQLITE_DONE)
        return rc;
    return step == SQLITE_ROW ? 1 : oc_scan_code(step);
}

int oc_scan_journal_rows(struct oc_scan *scan, const struct oc_scan_replay *what,
                         sqlite3_stmt **out_statement)
{
    int rc = oc_scan_prepare(scan->db, out_statement,
                             "SELECT id, keyed, data FROM main.journal WHERE boot = ?1 AND id >= "
                             "coalesce((SELECT max(id) FROM main.journal WHERE keyed = 1 AND "
                             "boot = ?1 AND t0 <= ?2), 0) ORDER BY id");

    if (rc < 0)
        return rc;
    sqlite3_bind_int64(*out_statement, 1, (int64_t)what->boot);
    sqlite3_bind_int64(*out_statement, 2, what->begin_boot_ms);
    return OC_OK;
}

int oc_scan_journal(struct oc_scan *scan, const struct oc_scan_replay *what, oc_replay *replay,
                    oc_replay_fn *fn, void *context)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_journal_rows(scan, what, &statement);

    while (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        const void *blob = sqlite3_column_blob(statement, 2);

        rc = blob ? oc_replay_row(replay, sqlite3_column_int(statement, 1), blob,
                                  (size_t)sqlite3_column_bytes(statement, 2), fn, context)
                  : OC_E_PARSE;
    }
    (void)sqlite3_finalize(statement);
    return rc != OC_OK ? rc : oc_scan_code(step);
}
