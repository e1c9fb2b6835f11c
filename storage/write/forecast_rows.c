/* Forecasts on their way into the file: a series for each (source, limit, metric, place), and its rows. */
#include "storage/write/store_impl.h"

#include "base/err.h"
#include "base/text.h"

#include <math.h>

/* What a series is of. */
struct series {
    uint32_t source;
    unsigned kind, metric;
    int64_t place;
};

static void bind_series(sqlite3_stmt *statement, const struct series *key)
{
    (void)sqlite3_bind_int64(statement, 1, key->source);
    (void)sqlite3_bind_int64(statement, 2, key->kind);
    (void)sqlite3_bind_int64(statement, 3, key->metric);
    (void)sqlite3_bind_int64(statement, 4, key->place);
}

/* The row of the series, 0: there is none. *out_ended: it was said no more. */
static int find_series(oc_store *store, const struct series *key, int64_t *out_id, int *out_ended)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_FORECAST_SERIES);
    int step;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    bind_series(statement, key);
    step = sqlite3_step(statement);
    *out_id = step == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    *out_ended = step == SQLITE_ROW && sqlite3_column_type(statement, 1) != SQLITE_NULL;
    (void)sqlite3_reset(statement); /* says again what step said */
    return oc_sqlite_err(step);
}

/* Infinity is SQLite's own, NAN would be NULL anyway: said so that it is plain. */
static void bind_real(sqlite3_stmt *statement, int at, double value)
{
    if (value != value)
        (void)sqlite3_bind_null(statement, at);
    else
        (void)sqlite3_bind_double(statement, at, value);
}

/* A whole number takes a fraction of the room; four digits of it are more than is known. */
static double whole(double value, double from)
{
    return oc_store_is_number(value) && fabs(value) >= from ? nearbyint(value) : value;
}

static void bind_forecast(sqlite3_stmt *statement, const struct oc_forecast *forecast)
{
    (void)sqlite3_bind_int64(statement, 2, forecast->t_ms);
    (void)sqlite3_bind_int(statement, 3, forecast->state);
    (void)sqlite3_bind_int64(statement, 4, forecast->since_ms);
    (void)sqlite3_bind_int64(statement, 5, (int64_t)forecast->samples);
    bind_real(statement, 6, forecast->value);
    bind_real(statement, 7, forecast->limit);
    bind_real(statement, 8, whole(forecast->growth_per_h, 10000.0));
    bind_real(statement, 9, whole(forecast->growth_error_per_h, 10000.0));
    bind_real(statement, 10, forecast->chance);
    bind_real(statement, 11, whole(forecast->p10_s, 10000.0));
    bind_real(statement, 12, whole(forecast->p50_s, 10000.0));
    bind_real(statement, 13, whole(forecast->p90_s, 10000.0));
    bind_real(statement, 14, whole(forecast->saved_life_s, 10000.0));
}

static int put_row(oc_store *store, int64_t series, const struct oc_forecast_put *put)
{
    sqlite3_stmt *statement;
    int rc = OC_OK;

    if (put->replaces_ms != INT64_MIN) {
        statement = oc_store_statement(store, OC_SQL_FORECAST_DELETE);
        if (statement) {
            (void)sqlite3_bind_int64(statement, 1, series);
            (void)sqlite3_bind_int64(statement, 2, put->replaces_ms);
        }
        rc = oc_store_run(store, statement);
    }
    if (rc < 0)
        return rc;
    statement = oc_store_statement(store, OC_SQL_FORECAST_PUT);
    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, series);
        bind_forecast(statement, &put->row.forecast);
    }
    return oc_store_run(store, statement);
}

/* Makes it where there was none; one that is said again begins anew. */
static int open_series(oc_store *store, const struct series *key, int64_t *out_id)
{
    sqlite3_stmt *statement;
    int ended = 0, rc = find_series(store, key, out_id, &ended);

    if (rc < 0 || (*out_id && !ended))
        return rc;
    statement =
        oc_store_statement(store, ended ? OC_SQL_FORECAST_SERIES_END : OC_SQL_FORECAST_SERIES_PUT);
    if (statement && ended)
        (void)sqlite3_bind_int64(statement, 1, *out_id); /* no end */
    else if (statement)
        bind_series(statement, key);
    rc = oc_store_run(store, statement);
    if (rc == OC_OK && !ended)
        *out_id = sqlite3_last_insert_rowid(store->db);
    return rc;
}

static int end_series(oc_store *store, uint32_t source, const struct oc_forecast_put *put)
{
    sqlite3_stmt *statement = oc_store_statement(store, OC_SQL_FORECAST_END);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, source);
        (void)sqlite3_bind_int64(statement, 2, put->row.limit.kind);
        (void)sqlite3_bind_int64(statement, 3, put->row.forecast.metric);
        (void)sqlite3_bind_int64(statement, 4, put->place);
        (void)sqlite3_bind_int64(statement, 5, put->row.forecast.t_ms);
    }
    return oc_store_run(store, statement);
}

static int write_put(oc_store *store, uint32_t source, const struct oc_forecast_put *put)
{
    char where[OC_LIMIT_WHERE_BYTES];
    struct series key = { .source = source,
                          .kind = put->row.limit.kind,
                          .metric = put->row.forecast.metric };
    int64_t series = 0;
    int rc;

    if (put->is_end)
        return end_series(store, source, put);
    (void)oc_text_copy(where, sizeof where, put->row.limit.where);
    rc = oc_store_intern(store, where, &key.place);
    if (rc == OC_OK)
        rc = open_series(store, &key, &series);
    return rc < 0 ? rc : put_row(store, series, put);
}

int oc_store_write_forecasts(oc_store *store, const struct oc_op *op)
{
    const struct oc_forecast_put *puts = op->load;
    size_t count = op->load_bytes / sizeof *puts;
    int rc = OC_OK;

    for (size_t i = 0; i < count && rc == OC_OK; i++)
        rc = write_put(store, op->source, &puts[i]);
    return rc;
}
