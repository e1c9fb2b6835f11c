/* Limits with the times they were in force, and labels. */
#include "storage/read/reader_impl.h"

#include "base/text.h"

#include <string.h>

struct listing {
    oc_reader *reader;
    int64_t since_unix_ms, until_unix_ms;
    oc_limit_span_fn *fn;
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
    COLUMN_VALUE,
    COLUMN_WHERE,
    COLUMN_BEGIN,
    COLUMN_END
};

/* What is in force when its source ends ends with it. */
static const char limits_sql[] =
    "SELECT l.source, b.name, s.kind, s.boot, l.kind, l.metric, l.value, x.text, l.begin_ms, "
    "ifnull(l.end_ms, s.end_ms) FROM main.limit_value l JOIN main.source s ON s.id = l.source "
    "JOIN main.subject b ON b.id = s.subject LEFT JOIN main.text x ON x.id = l.place ";

static const char *text_or_empty(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    return text ? text : "";
}

/* Whether the row is of a limit that there can be. */
static int read_limit(sqlite3_stmt *statement, struct oc_limit *out_limit)
{
    int64_t kind = sqlite3_column_int64(statement, COLUMN_KIND);
    int64_t metric = sqlite3_column_int64(statement, COLUMN_METRIC);

    if (kind <= 0 || kind > UINT8_MAX || metric < 0 || metric > UINT16_MAX)
        return 0;
    out_limit->kind = (uint8_t)kind;
    out_limit->has_use = 0;
    out_limit->metric = (uint16_t)metric;
    out_limit->value = oc_walk_u64(statement, COLUMN_VALUE);
    out_limit->use = 0;
    (void)oc_text_copy(out_limit->where, sizeof out_limit->where,
                       text_or_empty(statement, COLUMN_WHERE));
    return 1;
}

/* 0 to go on, 1 where fn asked to stop. */
static int give_limit(struct listing *listing, sqlite3_stmt *statement)
{
    const struct oc_clockmap *clock = &listing->reader->scan.clock;
    uint32_t boot = (uint32_t)sqlite3_column_int64(statement, COLUMN_BOOT);
    struct oc_limit limit;
    struct oc_limit_span span = { .source =
                                      (uint32_t)sqlite3_column_int64(statement, COLUMN_SOURCE),
                                  .subject = text_or_empty(statement, COLUMN_SUBJECT),
                                  .source_kind =
                                      (uint8_t)sqlite3_column_int(statement, COLUMN_SOURCE_KIND),
                                  .limit = &limit,
                                  .until_unix_ms = INT64_MAX };

    span.from_unix_ms =
        oc_clockmap_unix_ms(clock, boot, sqlite3_column_int64(statement, COLUMN_BEGIN));
    if (sqlite3_column_type(statement, COLUMN_END) != SQLITE_NULL)
        span.until_unix_ms =
            oc_clockmap_unix_ms(clock, boot, sqlite3_column_int64(statement, COLUMN_END));
    if (span.from_unix_ms >= listing->until_unix_ms ||
        span.until_unix_ms <= listing->since_unix_ms || !read_limit(statement, &limit))
        return 0;
    listing->given++;
    return listing->fn(&span, listing->context) != 0;
}

static int prepare_limits(oc_reader *reader, uint32_t source, sqlite3_stmt **out_statement)
{
    if (source == OC_READER_ALL_SOURCES)
        return oc_scan_prepare(reader->scan.db, out_statement, "%s ORDER BY l.source, l.begin_ms",
                               limits_sql);
    return oc_scan_prepare(reader->scan.db, out_statement,
                           "%s WHERE l.source = ?1 ORDER BY l.begin_ms", limits_sql);
}

static int step_limits(struct listing *listing, sqlite3_stmt *statement)
{
    int step = SQLITE_DONE, rc = OC_OK;

    while (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW)
        rc = give_limit(listing, statement);
    (void)sqlite3_reset(statement); /* says again what step said */
    return rc != 0 ? rc : oc_scan_code(step);
}

/* The statement for one source is kept: many are asked for in turn. */
static int list_limits(struct listing *listing, uint32_t source)
{
    oc_reader *reader = listing->reader;
    sqlite3_stmt *all = NULL;
    sqlite3_stmt **statement = source == OC_READER_ALL_SOURCES ? &all : &reader->limits;
    int rc = *statement ? OC_OK : prepare_limits(reader, source, statement);

    if (rc == OC_OK && statement == &reader->limits)
        (void)sqlite3_bind_int64(*statement, 1, source);
    if (rc == OC_OK)
        rc = step_limits(listing, *statement);
    (void)sqlite3_finalize(all); /* nothing is running */
    return rc;
}

int oc_reader_limits(oc_reader *reader, uint32_t source, int64_t since_unix_ms,
                     int64_t until_unix_ms, oc_limit_span_fn *fn, void *context)
{
    struct listing listing = { .reader = reader,
                               .since_unix_ms = since_unix_ms,
                               .until_unix_ms = until_unix_ms,
                               .fn = fn,
                               .context = context };
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = list_limits(&listing, source);
    oc_reader_end(reader);
    return rc < 0 ? rc : listing.given;
}

static int list_labels(oc_reader *reader, const char *subject, oc_label_fn *fn, void *context)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE, given = 0, stopped = 0;
    int rc = oc_scan_prepare(reader->scan.db, &statement,
                             "SELECT l.key, l.value FROM main.subject b JOIN main.subject_label l "
                             "ON l.subject = b.id WHERE b.name = ?1 ORDER BY l.key");

    if (rc == OC_OK)
        (void)sqlite3_bind_text(statement, 1, subject, -1, SQLITE_STATIC);
    while (rc == OC_OK && !stopped && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        given++;
        stopped = fn(text_or_empty(statement, 0), text_or_empty(statement, 1), context) != 0;
    }
    (void)sqlite3_finalize(statement); /* step told */
    rc = rc < 0 ? rc : oc_scan_code(step);
    return rc < 0 ? rc : given;
}

int oc_reader_labels(oc_reader *reader, const char *subject, oc_label_fn *fn, void *context)
{
    int rc = oc_reader_begin(reader);

    if (rc == OC_OK)
        rc = list_labels(reader, subject, fn, context);
    oc_reader_end(reader);
    return rc;
}
