#include "storage/read/walk.h"

#include "base/buf.h"

#include <math.h>
#include <string.h>

#define OC_CHECK_MAX_LINES 100 /* of SQLite's own check */
#define OC_CHECK_PROGRESS_ROWS 200

struct checking {
    oc_reader *reader;
    oc_finding_fn *fn;
    void (*progress)(double ratio, void *context);
    void *context;
    enum oc_tier tier;
    oc_replay *replay;
    uint64_t rows, done_rows; /* of chunks and journal */
    int findings;
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
find(struct checking *checking, const char *format, ...)
{
    struct oc_buf text;
    va_list args;

    checking->findings++;
    oc_buf_init(&text, 4096);
    va_start(args, format);
    oc_buf_vprintf(&text, format, args);
    va_end(args);
    if (checking->fn)
        checking->fn(text.data ? text.data : "out of memory", checking->context);
    oc_buf_clear(&text);
}

static void advance(struct checking *checking)
{
    checking->done_rows++;
    if (checking->progress && checking->rows > 0 &&
        checking->done_rows % OC_CHECK_PROGRESS_ROWS == 0)
        checking->progress((double)checking->done_rows / (double)checking->rows, checking->context);
}

/* ---- chunks against their summaries ---- */

static void chunk_finding(struct checking *checking, const struct oc_chunk_row *row,
                          const char *what)
{
    find(checking, "%s chunk %lld (source %lu): %s", oc_tiers[checking->tier].table,
         (long long)row->id, (unsigned long)OC_CHUNK_SOURCE(row->id), what);
}

static int same_sum(double a, double b) { return fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b)) + 0.5; }

static void compare(struct checking *checking, const struct oc_chunk_row *row,
                    const struct oc_summary *said, const struct oc_summary *is)
{
    char what[128];

    if (said->count == is->count &&
        (is->count == 0 || (said->min == is->min && said->max == is->max &&
                            said->last == is->last && same_sum(said->sum, is->sum))))
        return;
    (void)sqlite3_snprintf((int)sizeof what, what,
                           "the summary of metric %u is not that of its data", is->number);
    chunk_finding(checking, row, what);
}

/* What the rows of an upper tier come to; the first value is not kept there. */
static void tier_summary(const struct oc_scan *scan, struct oc_summary *out_summary)
{
    memset(out_summary, 0, sizeof *out_summary);
    for (uint32_t i = 0; i < scan->chunk.sample_count; i++) {
        if (scan->count[i] <= 0)
            continue;
        if (out_summary->count == 0 || scan->min[i] < out_summary->min)
            out_summary->min = scan->min[i];
        if (out_summary->count == 0 || scan->max[i] > out_summary->max)
            out_summary->max = scan->max[i];
        out_summary->count += (uint64_t)scan->count[i];
        out_summary->sum += (double)scan->sum[i];
        out_summary->last = scan->values[i];
    }
}

/* 1 with what the data says of a metric, 0 (nothing), or a code. */
static int summarize(struct checking *checking, unsigned metric, struct oc_summary *out_summary)
{
    struct oc_scan *scan = &checking->reader->scan;
    int is_raw = checking->tier == OC_TIER_RAW;
    int rc = is_raw ? oc_scan_raw_column(scan, metric) : oc_scan_tier_column(scan, metric);

    if (rc != 1)
        return rc;
    if (is_raw)
        oc_summary_of(metric, scan->values, scan->known, scan->chunk.sample_count, out_summary);
    else
        tier_summary(scan, out_summary);
    out_summary->number = metric;
    return 1;
}

static void check_summaries(struct checking *checking, const struct oc_chunk_row *row)
{
    struct oc_scan *scan = &checking->reader->scan;
    int count = oc_scan_summaries(scan, row);

    if (count < 0) {
        chunk_finding(checking, row, "its summary cannot be read");
        return;
    }
    for (int i = 0; i < count; i++) {
        struct oc_summary is = { .count = 0 };
        int rc = summarize(checking, scan->summaries[i].number, &is);

        is.number = scan->summaries[i].number;
        if (rc < 0)
            chunk_finding(checking, row, "a column cannot be decoded");
        else
            compare(checking, row, &scan->summaries[i], &is);
    }
}

/* Every column is decoded, also those that no summary names. */
static void check_columns(struct checking *checking, const struct oc_chunk_row *row)
{
    struct oc_scan *scan = &checking->reader->scan;
    uint32_t bad = 0;

    for (uint32_t i = 0; i < scan->chunk.column_count; i++)
        bad += oc_chunk_values(&scan->chunk, i, scan->values, scan->known) < 0;
    if (bad > 0)
        chunk_finding(checking, row, "a column cannot be decoded");
}

static void check_times(struct checking *checking, const struct oc_chunk_row *row)
{
    const struct oc_scan *scan = &checking->reader->scan;
    uint32_t count = scan->chunk.sample_count;

    if (count != row->rows || scan->times[0] != row->t0_boot_ms ||
        scan->times[count - 1] != row->t1_boot_ms)
        chunk_finding(checking, row, "its times are not those of its row");
    for (uint32_t i = 1; i < count; i++) {
        if (scan->times[i] <= scan->times[i - 1]) {
            chunk_finding(checking, row, "its times do not ascend");
            break;
        }
    }
}

static int check_chunk(const struct oc_walk_row *row, void *context)
{
    struct checking *checking = context;
    int rc;

    advance(checking);
    if (row->boot < 0)
        chunk_finding(checking, &row->chunk, "there is no such source");
    if (row->chunk.block >= OC_BLOCK_COUNT || row->chunk.t0_boot_ms > row->chunk.t1_boot_ms) {
        chunk_finding(checking, &row->chunk, "its row does not hold together");
        return OC_OK;
    }
    rc = oc_scan_open_chunk(&checking->reader->scan, &row->chunk);
    if (rc == OC_E_NOMEM)
        return rc;
    if (rc < 0) {
        chunk_finding(checking, &row->chunk, "its data cannot be unpacked");
        return OC_OK;
    }
    check_times(checking, &row->chunk);
    check_columns(checking, &row->chunk);
    check_summaries(checking, &row->chunk);
    return OC_OK;
}

/* ---- the journal ---- */

static int check_journal_row(sqlite3_stmt *statement, void *context)
{
    struct checking *checking = context;
    const void *blob = sqlite3_column_blob(statement, 2);
    int rc = OC_E_PARSE;

    advance(checking);
    if (blob)
        rc = oc_replay_row(checking->replay, sqlite3_column_int(statement, 1), blob,
                           (size_t)sqlite3_column_bytes(statement, 2), NULL, NULL);
    if (rc == OC_E_NOMEM)
        return rc;
    if (rc < 0)
        find(checking, "journal row %lld: it cannot be read (%s)",
             (long long)sqlite3_column_int64(statement, 0), oc_err_text(rc));
    return OC_OK;
}

static int check_journal(struct checking *checking)
{
    int rc;

    checking->replay = oc_replay_new(OC_READER_ALL_SOURCES);
    if (!checking->replay)
        return OC_E_NOMEM;
    rc = oc_walk_journal(checking->reader, check_journal_row, checking);
    oc_replay_free(checking->replay);
    return rc;
}

/* ---- plain tables ---- */

/* Each counts rows that refer to what is not there. */
static const struct {
    const char *sql, *text;
} references[] = {
    { "SELECT count(*) FROM main.source WHERE subject NOT IN (SELECT id FROM main.subject)",
      "sources without their subject" },
    { "SELECT count(*) FROM main.source WHERE boot NOT IN (SELECT id FROM main.boot)",
      "sources without their boot" },
    { "SELECT count(*) FROM main.life WHERE source NOT IN (SELECT id FROM main.source)",
      "lives without their source" },
    { "SELECT count(*) FROM main.source WHERE boot NOT IN (SELECT boot FROM main.clock)",
      "sources of a boot that has no wall clock" },
    { "SELECT count(*) FROM main.source WHERE end_ms < begin_ms",
      "sources that end before they begin" },
    { "SELECT count(*) FROM main.source WHERE killer NOT BETWEEN 0 AND 255",
      "sources with a killer that cannot be" },
    { "SELECT count(*) FROM main.walk WHERE source NOT IN (SELECT id FROM main.source)",
      "walks without their source" },
    { "SELECT count(*) - count(DISTINCT id) FROM main.walk WHERE id IS NOT NULL",
      "walks that share their rows" },
    { "SELECT count(*) FROM main.walk WHERE cpu_us < 0 OR wall_us < 0 OR stall_us < 0 OR "
      "largest_free < 0 OR arenas < 0 OR seen < 0 OR known < 0",
      "walks with numbers that cannot be" },
    { "SELECT count(*) FROM main.region_total WHERE walk NOT IN (SELECT id FROM main.walk WHERE "
      "id IS NOT NULL)",
      "totals of regions without their walk" },
    { "SELECT count(*) FROM main.region_total WHERE cell NOT BETWEEN 0 AND 255 OR cell >> 4 > 15 "
      "OR (cell & 3) = 3 OR count < 0 OR bytes < 0 OR largest < 0 OR largest > bytes OR "
      "resident < 0",
      "totals of regions with numbers that cannot be" },
    { "SELECT count(*) FROM main.family_count WHERE walk NOT IN (SELECT id FROM main.walk WHERE "
      "id IS NOT NULL)",
      "counts of families without their walk" },
    { "SELECT count(*) FROM main.family_count WHERE family NOT IN (SELECT id FROM main.family)",
      "counts of families without their family" },
    { "SELECT count(*) FROM main.family_count WHERE count < 0 OR names < 0 OR bytes < 0",
      "counts of families with numbers that cannot be" },
    { "SELECT (SELECT count(*) FROM main.module WHERE source NOT IN (SELECT id FROM main.source)) "
      "+ (SELECT count(*) FROM main.module_gone WHERE source NOT IN (SELECT id FROM main.source))",
      "modules without their source" },
    { "SELECT (SELECT count(*) FROM main.module WHERE name NOT IN (SELECT id FROM main.text)) + "
      "(SELECT count(*) FROM main.module_gone WHERE name NOT IN (SELECT id FROM main.text))",
      "modules without their name" },
    { "SELECT count(*) FROM main.module_gone WHERE unloaded < loaded",
      "modules that went before they came" },
    { "SELECT count(*) FROM main.limit_value WHERE source NOT IN (SELECT id FROM main.source)",
      "limits without their source" },
    { "SELECT count(*) FROM main.limit_value WHERE place NOT IN (SELECT id FROM main.text)",
      "limits without their place" },
    { "SELECT count(*) FROM main.limit_value WHERE value < 0 OR kind NOT BETWEEN 1 AND 255 OR "
      "metric NOT BETWEEN 0 AND 65535",
      "limits with numbers that cannot be" },
    { "SELECT count(*) FROM main.limit_value WHERE end_ms < begin_ms",
      "limits that end before they begin" },
    { "SELECT count(*) FROM (SELECT begin_ms, lag(ifnull(end_ms, 9223372036854775807)) OVER "
      "(PARTITION BY source, kind, metric, place ORDER BY begin_ms) AS before FROM "
      "main.limit_value) WHERE begin_ms < before",
      "limits that begin before the one before them ends" },
    { "SELECT count(*) FROM main.subject_label WHERE subject NOT IN (SELECT id FROM main.subject)",
      "labels without their subject" },
    { "SELECT count(*) FROM main.forecast_series WHERE source NOT IN (SELECT id FROM main.source)",
      "series of forecasts without their source" },
    { "SELECT count(*) FROM main.forecast_series WHERE place NOT IN (SELECT id FROM main.text)",
      "series of forecasts without their place" },
    { "SELECT count(*) FROM main.forecast_series WHERE kind NOT BETWEEN 0 AND 255 OR "
      "metric NOT BETWEEN 0 AND 65535",
      "series of forecasts with numbers that cannot be" },
    { "SELECT count(*) FROM main.forecast WHERE series NOT IN (SELECT id FROM main.forecast_series)",
      "forecasts without their series" },
    { "SELECT count(*) FROM main.forecast WHERE state NOT BETWEEN 0 AND 255 OR samples < 0 OR "
      "chance NOT BETWEEN 0 AND 1 OR p10 > p50 OR p50 > p90 OR p10 < 0",
      "forecasts with numbers that cannot be" },
    { "SELECT count(*) FROM main.forecaster WHERE kind IN (1, 2) AND name NOT IN "
      "(SELECT CAST(id AS TEXT) FROM main.source WHERE end_ms IS NULL)",
      "memories of sources that do not run" },
    { "SELECT count(*) FROM main.forecaster WHERE kind NOT BETWEEN 1 AND 4 OR "
      "key NOT BETWEEN 0 AND 4294967295 OR typeof(bytes) <> 'blob' OR "
      "length(bytes) NOT BETWEEN 1 AND 16384",
      "memories of the forecaster that cannot be" },
    { "SELECT count(*) FROM main.forecast_record WHERE min(judged, inside, early, late, censored, ends, "
      "foretold, alarms, false_alarms, errors) < 0 OR inside > judged OR foretold > ends OR "
      "first_unix_ms > last_unix_ms OR min(error_sum, lead_s_sum, "
      "watched_s) < 0 OR metric NOT BETWEEN 0 AND 65535 OR kind NOT BETWEEN 0 AND 255",
      "records of forecasts with numbers that cannot be" },
    { "SELECT count(*) FROM main.alert WHERE episode < 1 OR kind NOT BETWEEN 0 AND 255 OR severity "
      "NOT BETWEEN 0 AND 2 OR state NOT BETWEEN 0 AND 4 OR mutes NOT BETWEEN 0 AND 255 OR "
      "source_kind NOT BETWEEN 0 AND 255 OR flaps NOT BETWEEN 0 AND 4294967295 OR source NOT "
      "BETWEEN 0 AND 4294967295 OR pid NOT BETWEEN 0 AND 4294967295 OR limit_kind NOT BETWEEN 0 "
      "AND 255 OR metric NOT BETWEEN 0 AND 65535 OR forecast_state NOT BETWEEN 0 AND 255 OR "
      "typeof(rule) <> 'text' OR typeof(subject) <> 'text'",
      "alerts with numbers that cannot be" },
    { "SELECT count(*) FROM main.alert WHERE firing_unix_ms < pending_unix_ms OR ended_unix_ms < "
      "firing_unix_ms OR (state = 2 AND firing_unix_ms IS NULL)",
      "alerts with times that cannot be" },
    { "SELECT count(*) - count(DISTINCT fingerprint) FROM main.alert WHERE state IN (1, 2)",
      "alerts that are there twice" },
    { "SELECT count(*) FROM main.alert_decision WHERE from_state NOT BETWEEN 0 AND 4 OR to_state "
      "NOT BETWEEN 0 AND 4 OR mutes NOT BETWEEN 0 AND 255 OR episode < 0 OR typeof(rule) <> "
      "'text' OR typeof(subject) <> 'text' OR typeof(reason) <> 'text'",
      "decisions of alerts with numbers that cannot be" },
    { "SELECT count(*) FROM main.outbox WHERE state NOT BETWEEN 0 AND 3 OR severity NOT BETWEEN 0 "
      "AND 2 OR attempts NOT BETWEEN 0 AND 4294967295 OR status NOT BETWEEN -2147483648 AND "
      "2147483647 OR id = '' OR typeof(id) <> 'text' OR typeof(receiver) <> 'text' OR "
      "typeof(why) <> 'text'",
      "rows of the outbox with numbers that cannot be" },
    { "SELECT count(*) FROM main.outbox WHERE state IN (0, 1) AND body IS NULL",
      "rows of the outbox that wait without a body" },
    { "SELECT count(*) FROM main.silence WHERE id < 1 OR end_unix_ms < begin_unix_ms OR id NOT IN "
      "(SELECT silence FROM main.silence_matcher) OR (SELECT count(*) FROM main.silence_matcher m "
      "WHERE m.silence = silence.id) > 8",
      "silences that cannot be" },
    { "SELECT count(*) FROM main.silence_matcher WHERE silence NOT IN (SELECT id FROM "
      "main.silence)",
      "matchers without their silence" },
    { "SELECT count(*) FROM main.silence_matcher WHERE name = '' OR typeof(name) <> 'text' OR "
      "typeof(glob) <> 'text'",
      "matchers of silences that cannot be" },
};

static int check_references(struct checking *checking)
{
    int rc = OC_OK;

    for (size_t i = 0; i < sizeof references / sizeof *references && rc == OC_OK; i++) {
        sqlite3_stmt *statement = NULL;
        int step = SQLITE_DONE;

        rc = oc_scan_prepare(checking->reader->scan.db, &statement, "%s", references[i].sql);
        if (rc == OC_OK)
            step = sqlite3_step(statement);
        if (step == SQLITE_ROW && sqlite3_column_int64(statement, 0) > 0)
            find(checking, "%lld %s", (long long)sqlite3_column_int64(statement, 0),
                 references[i].text);
        (void)sqlite3_finalize(statement);
        if (rc == OC_OK)
            rc = oc_scan_code(step);
    }
    return rc;
}

static int check_integrity(struct checking *checking)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(checking->reader->scan.db, &statement,
                             "PRAGMA main.integrity_check(%d)", OC_CHECK_MAX_LINES);

    while (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(statement, 0);

        if (line && strcmp(line, "ok") != 0)
            find(checking, "SQLite: %s", line);
    }
    (void)sqlite3_finalize(statement);
    return rc < 0 ? rc : oc_scan_code(step);
}

static int count_rows(struct checking *checking)
{
    sqlite3_stmt *statement = NULL;
    int rc = oc_scan_prepare(checking->reader->scan.db, &statement,
                             "SELECT (SELECT count(*) FROM main.raw) + (SELECT count(*) FROM "
                             "main.minute) + (SELECT count(*) FROM main.hour) + "
                             "(SELECT count(*) FROM main.journal)");
    int step = rc == OC_OK ? sqlite3_step(statement) : SQLITE_DONE;

    if (step == SQLITE_ROW)
        checking->rows = (uint64_t)sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return rc < 0 ? rc : oc_scan_code(step);
}

/* ---- all of it ---- */

/* A table that SQLite itself cannot read is a finding; the others are looked at all the same. */
static int survive(struct checking *checking, int rc, const char *what)
{
    if (rc == OC_OK || rc == OC_E_NOMEM || rc == OC_E_AGAIN || rc == OC_E_BUSY)
        return rc;
    find(checking, "%s cannot be read: %s", what, sqlite3_errmsg(checking->reader->scan.db));
    return OC_OK;
}

int oc_reader_check(oc_reader *reader, oc_finding_fn *fn, void (*progress)(double ratio, void *),
                    void *context)
{
    struct checking checking = {
        .reader = reader, .fn = fn, .progress = progress, .context = context
    };
    int rc = survive(&checking, check_integrity(&checking), "the file");

    if (rc == OC_OK)
        rc = survive(&checking, count_rows(&checking), "the file");
    if (rc == OC_OK)
        rc = survive(&checking, check_references(&checking), "a table");
    for (int tier = OC_TIER_COUNT - 1; tier >= 0 && rc == OC_OK; tier--) {
        checking.tier = (enum oc_tier)tier;
        rc = survive(&checking, oc_walk_chunks(reader, checking.tier, check_chunk, &checking),
                     oc_tiers[tier].table);
    }
    if (rc == OC_OK)
        rc = survive(&checking, check_journal(&checking), "the journal");
    if (rc == OC_OK && progress)
        progress(1.0, context);
    return rc < 0 ? rc : checking.findings;
}
