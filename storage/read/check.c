#include "storage/read/check_tables.h"
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

static int check_references(struct checking *checking)
{
    int rc = OC_OK;

    for (size_t i = 0; i < oc_check_count && rc == OC_OK; i++) {
        sqlite3_stmt *statement = NULL;
        int step = SQLITE_DONE;

        rc = oc_scan_prepare(checking->reader->scan.db, &statement, "%s", oc_checks[i].sql);
        if (rc == OC_OK)
            step = sqlite3_step(statement);
        if (step == SQLITE_ROW && sqlite3_column_int64(statement, 0) > 0)
            find(checking, "%lld %s", (long long)sqlite3_column_int64(statement, 0),
                 oc_checks[i].text);
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
