/* Forecasts with the times they were made, the record of what came of them, and the forecaster's memory. */
#include "storage/read/reader_impl.h"

#include "base/alloc.h"
#include "base/text.h"
#include "storage/format/schema.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct listing {
    oc_reader *reader;
    const struct oc_forecast_filter *filter;
    oc_forecast_span_fn *fn;
    void *context;
    int given;
};

enum column {
    COLUMN_SOURCE,
    COLUMN_SUBJECT,
    COLUMN_SOURCE_KIND,
    COLUMN_BOOT,
    COLUMN_KIND,
    COLUMN_METRIC,
    COLUMN_WHERE,
    COLUMN_T,
    COLUMN_STATE,
    COLUMN_SINCE,
    COLUMN_SAMPLES,
    COLUMN_VALUE,
    COLUMN_CEILING,
    COLUMN_GROWTH,
    COLUMN_GROWTH_ERROR,
    COLUMN_CHANCE,
    COLUMN_P10,
    COLUMN_P50,
    COLUMN_P90,
    COLUMN_SAVED_LIFE
};

/* In the order of the keys of both tables: nothing is sorted. */
static const char forecasts_sql[] =
    "SELECT q.source, b.name, s.kind, s.boot, q.kind, q.metric, x.text, f.t, f.state, f.since, "
    "f.samples, f.value, f.ceiling, f.growth, f.growth_error, f.chance, f.p10, f.p50, f.p90, "
    "f.saved_life FROM main.forecast_series q CROSS JOIN main.source s ON s.id = q.source "
    "JOIN main.subject b ON b.id = s.subject CROSS JOIN main.forecast f ON f.series = q.id "
    "LEFT JOIN main.text x ON x.id = q.place WHERE q.source BETWEEN ?1 AND ?2 ";

static const char now_sql[] = "AND q.end_ms IS NULL AND s.end_ms IS NULL AND "
                              "f.t = (SELECT max(g.t) FROM main.forecast g WHERE g.series = q.id) ";

static const char *text_or_empty(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    return text ? text : "";
}

static double real_or_nan(sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return NAN;
    return sqlite3_column_double(statement, column);
}

/* Whether the row is of a limit and metric that there can be. */
static int read_limit(sqlite3_stmt *statement, struct oc_limit *out_limit)
{
    int64_t kind = sqlite3_column_int64(statement, COLUMN_KIND);
    int64_t metric = sqlite3_column_int64(statement, COLUMN_METRIC);
    double ceiling = real_or_nan(statement, COLUMN_CEILING);

    if (kind < 0 || kind > UINT8_MAX || metric < 0 || metric > UINT16_MAX)
        return 0;
    memset(out_limit, 0, sizeof *out_limit);
    out_limit->kind = (uint8_t)kind;
    out_limit->metric = (uint16_t)metric;
    if (ceiling >= 18446744073709551615.0)
        out_limit->value = UINT64_MAX;
    else if (ceiling > 0.0)
        out_limit->value = (uint64_t)ceiling;
    (void)oc_text_copy(out_limit->where, sizeof out_limit->where,
                       text_or_empty(statement, COLUMN_WHERE));
    return 1;
}

static void read_forecast(const struct oc_clockmap *clock, sqlite3_stmt *statement,
                          struct oc_forecast *out_forecast)
{
    uint32_t boot = (uint32_t)sqlite3_column_int64(statement, COLUMN_BOOT);

    *out_forecast = (struct oc_forecast){
        .state = (uint8_t)sqlite3_column_int(statement, COLUMN_STATE),
        .metric = (uint16_t)sqlite3_column_int64(statement, COLUMN_METRIC),
        .t_ms = oc_clockmap_unix_ms(clock, boot, sqlite3_column_int64(statement, COLUMN_T)),
        .since_ms = oc_clockmap_unix_ms(clock, boot, sqlite3_column_int64(statement, COLUMN_SINCE)),
        .samples = oc_walk_u64(statement, COLUMN_SAMPLES),
        .value = real_or_nan(statement, COLUMN_VALUE),
        .limit = real_or_nan(statement, COLUMN_CEILING),
        .growth_per_h = real_or_nan(statement, COLUMN_GROWTH),
        .growth_error_per_h = real_or_nan(statement, COLUMN_GROWTH_ERROR),
        .chance = real_or_nan(statement, COLUMN_CHANCE),
        .p10_s = real_or_nan(statement, COLUMN_P10),
        .p50_s = real_or_nan(statement, COLUMN_P50),
        .p90_s = real_or_nan(statement, COLUMN_P90),
        .saved_life_s = real_or_nan(statement, COLUMN_SAVED_LIFE),
    };
}

static int is_asked(const struct oc_forecast_filter *filter, int64_t t_unix_ms)
{
    return filter->now_only ||
           (t_unix_ms >= filter->since_unix_ms && t_unix_ms < filter->until_unix_ms);
}

/* 0 to go on, 1 where fn asked to stop. */
static int give(struct listing *listing, sqlite3_stmt *statement)
{
    struct oc_forecast_row row;
    struct oc_forecast_span span = {
        .source = (uint32_t)sqlite3_column_int64(statement, COLUMN_SOURCE),
        .subject = text_or_empty(statement, COLUMN_SUBJECT),
        .source_kind = (uint8_t)sqlite3_column_int(statement, COLUMN_SOURCE_KIND),
        .row = &row,
    };

    if (!read_limit(statement, &row.limit))
        return 0;
    read_forecast(&listing->reader->scan.clock, statement, &row.forecast);
    if (!is_asked(listing->filter, row.forecast.t_ms))
        return 0;
    listing->given++;
    return listing->fn(&span, listing->context) != 0;
}

static int list_forecasts(struct listing *listing)
{
    const struct oc_forecast_filter *filter = listing->filter;
    int is_all = filter->source == OC_READER_ALL_SOURCES;
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(listing->reader->scan.db, &statement,
                             "%s%s ORDER BY q.source, q.kind, q.metric, q.place, f.t",
                             forecasts_sql, filter->now_only ? now_sql : "");

    if (rc == OC_OK) {
        (void)sqlite3_bind_int64(statement, 1, is_all ? 0 : filter->source);
        (void)sqlite3_bind_int64(statement, 2, filter->source);
    }
    while (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW)
        rc = give(listing, statement);
    (void)sqlite3_finalize(statement); /* step told */
    return rc != 0 ? rc : oc_scan_code(step);
}

int oc_reader_forecasts(oc_reader *reader, const struct oc_forecast_filter *filter,
                        oc_forecast_span_fn *fn, void *context)
{
    struct listing listing = { .reader = reader, .filter = filter, .fn = fn, .context = context };
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = list_forecasts(&listing);
    oc_reader_end(reader);
    return rc < 0 ? rc : listing.given;
}

/* ---- the record ---- */

static void read_accuracy(sqlite3_stmt *statement, struct oc_accuracy_row *out_row)
{
    *out_row = (struct oc_accuracy_row){
        .subject = text_or_empty(statement, 0),
        .metric = (uint16_t)sqlite3_column_int64(statement, 1),
        .limit_kind = (uint8_t)sqlite3_column_int64(statement, 2),
        .first_unix_ms = sqlite3_column_int64(statement, 3),
        .last_unix_ms = sqlite3_column_int64(statement, 4),
        .sum = { .judged = oc_walk_u64(statement, 5),
                 .inside = oc_walk_u64(statement, 6),
                 .early = oc_walk_u64(statement, 7),
                 .late = oc_walk_u64(statement, 8),
                 .censored = oc_walk_u64(statement, 9),
                 .ends = oc_walk_u64(statement, 10),
                 .foretold = oc_walk_u64(statement, 11),
                 .alarms = oc_walk_u64(statement, 12),
                 .false_alarms = oc_walk_u64(statement, 13),
                 .error_sum = sqlite3_column_double(statement, 14),
                 .errors = oc_walk_u64(statement, 15),
                 .lead_s_sum = sqlite3_column_double(statement, 16),
                 .watched_s = sqlite3_column_double(statement, 17) },
    };
}

static int list_accuracy(oc_reader *reader, oc_accuracy_fn *fn, void *context)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE, given = 0, stopped = 0;
    int rc = oc_scan_prepare(
        reader->scan.db, &statement,
        "SELECT subject, metric, kind, first_unix_ms, last_unix_ms, judged, inside, early, late, "
        "censored, ends, foretold, alarms, false_alarms, error_sum, errors, lead_s_sum, watched_s "
        "FROM main.forecast_record WHERE metric BETWEEN 0 AND 65535 AND kind BETWEEN 0 AND 255 "
        "ORDER BY subject, metric, kind");

    while (rc == OC_OK && !stopped && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct oc_accuracy_row row;

        read_accuracy(statement, &row);
        given++;
        stopped = fn(&row, context) != 0;
    }
    (void)sqlite3_finalize(statement); /* step told */
    rc = rc < 0 ? rc : oc_scan_code(step);
    return rc < 0 ? rc : given;
}

int oc_reader_accuracy(oc_reader *reader, oc_accuracy_fn *fn, void *context)
{
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = list_accuracy(reader, fn, context);
    oc_reader_end(reader);
    return rc;
}

/* ---- the forecaster's memory ---- */

static int copy_blob(sqlite3_stmt *statement, void **out_bytes, size_t *out_len_bytes)
{
    const void *blob = sqlite3_column_blob(statement, 0);
    size_t len_bytes = (size_t)sqlite3_column_bytes(statement, 0);
    void *copy;

    if (!blob)
        return OC_E_NOENT;
    copy = oc_malloc(len_bytes);
    if (!copy)
        return OC_E_NOMEM;
    memcpy(copy, blob, len_bytes);
    *out_bytes = copy;
    *out_len_bytes = len_bytes;
    return OC_OK;
}

static int find_bytes(oc_reader *reader, int kind, const char *name, unsigned key, void **out_bytes,
                      size_t *out_len_bytes)
{
    sqlite3_stmt *statement = NULL;
    int rc = oc_scan_prepare(reader->scan.db, &statement,
                             "SELECT bytes FROM main.forecaster WHERE kind = ?1 AND name = ?2 "
                             "AND key = ?3");
    int step = SQLITE_DONE;

    if (rc == OC_OK) {
        (void)sqlite3_bind_int(statement, 1, kind);
        (void)sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 3, key);
        step = sqlite3_step(statement);
    }
    if (step == SQLITE_ROW)
        rc = copy_blob(statement, out_bytes, out_len_bytes);
    else if (rc == OC_OK)
        rc = step == SQLITE_DONE ? OC_E_NOENT : oc_scan_code(step);
    (void)sqlite3_finalize(statement); /* step told */
    return rc;
}

static int read_bytes(oc_reader *reader, int kind, const char *name, unsigned key, void **out_bytes,
                      size_t *out_len_bytes)
{
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = find_bytes(reader, kind, name, key, out_bytes, out_len_bytes);
    oc_reader_end(reader);
    return rc;
}

int oc_reader_series(oc_reader *reader, uint32_t source, unsigned metric, void **out_bytes,
                     size_t *out_len_bytes)
{
    char name[16];

    (void)snprintf(name, sizeof name, "%" PRIu32, source);
    return read_bytes(reader, OC_FORECASTER_SERIES, name, metric, out_bytes, out_len_bytes);
}

int oc_reader_program(oc_reader *reader, const char *subject, struct oc_prior_program *out_program)
{
    void *bytes = NULL;
    size_t len_bytes = 0;
    int rc =
        read_bytes(reader, OC_FORECASTER_SUBJECT, subject, OC_PRIOR_PROGRAM, &bytes, &len_bytes);

    if (rc == OC_OK && len_bytes != sizeof *out_program)
        rc = OC_E_PARSE;
    if (rc == OC_OK)
        memcpy(out_program, bytes, sizeof *out_program);
    oc_free(bytes);
    return rc;
}
