/*
 * Forecasts grow old: all rows while raw samples are kept, then of each series the last of an hour,
 * and of a day where nothing grew, as long as minutes are. The newest of a series stays as long as
 * its source. What was learnt of subjects and programs has a maximum of rows; so has the record:
 * those longest without an entry are added up as one subject, "others".
 */
#include "storage/write/upkeep_impl.h"

#include "base/err.h"

#define OC_DAY_MS INT64_C(86400000)
#define OC_THIN_FORECASTS 500 /* deleted in one transaction */
#define OC_MEMORY_MAX_LEARNT 20000
#define OC_RECORD_MAX_ROWS 20000

struct thinning {
    enum oc_upkeep_sql which;
    uint32_t source;
    int64_t from_ms, to_ms;
};

/* Whole days, so that all rows of one are seen together. */
static int64_t day_of(int64_t unix_ms, int64_t zero_unix_ms)
{
    int64_t boot_ms = unix_ms < INT64_MIN / 2 ? INT64_MIN / 2 : unix_ms - zero_unix_ms;

    return (boot_ms / OC_DAY_MS - (boot_ms < 0)) * OC_DAY_MS;
}

static int delete_some(oc_store *store, void *context)
{
    const struct thinning *thinning = context;
    sqlite3_stmt *statement = oc_upkeep_statement(store, thinning->which);
    int rc;

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, thinning->source);
        (void)sqlite3_bind_int64(statement, 2, thinning->from_ms);
        (void)sqlite3_bind_int64(statement, 3, thinning->to_ms);
        (void)sqlite3_bind_int(statement, 4, OC_THIN_FORECASTS);
    }
    rc = oc_store_run(store, statement);
    if (rc < 0)
        return rc;
    store->upkeep->dropped |= sqlite3_changes(store->db) > 0;
    return sqlite3_changes(store->db) == OC_THIN_FORECASTS;
}

/* Whether there is anything to look at before a time: most visits need no transaction. */
static int has_old(oc_store *store, const struct thinning *thinning)
{
    sqlite3_stmt *statement = oc_upkeep_statement(store, OC_UPKEEP_FORECASTS_OLD);
    int step;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    (void)sqlite3_bind_int64(statement, 1, thinning->source);
    (void)sqlite3_bind_int64(statement, 2, thinning->from_ms);
    (void)sqlite3_bind_int64(statement, 3, thinning->to_ms);
    step = sqlite3_step(statement);
    (void)sqlite3_reset(statement); /* says again what step said */
    return step == SQLITE_ROW ? 1 : oc_sqlite_err(step);
}

static int thin(oc_store *store, struct thinning *thinning)
{
    int rc = thinning->from_ms < thinning->to_ms ? has_old(store, thinning) : 0;

    return rc == 1 ? oc_upkeep_transaction(store, delete_some, thinning) : rc;
}

int oc_thin_forecasts(oc_store *store, uint32_t source, int64_t zero_unix_ms)
{
    struct oc_upkeep *upkeep = store->upkeep;
    struct thinning old = { .which = OC_UPKEEP_FORECASTS_DROP,
                            .source = source,
                            .from_ms = INT64_MIN,
                            .to_ms = upkeep->cut_unix_ms[OC_TIER_MINUTE] - zero_unix_ms };
    struct thinning dense = {
        .which = OC_UPKEEP_FORECASTS_THIN,
        .source = source,
        .from_ms = day_of(upkeep->thinned_unix_ms[OC_TIER_RAW], zero_unix_ms) - OC_DAY_MS,
        .to_ms = day_of(upkeep->cut_unix_ms[OC_TIER_RAW], zero_unix_ms)
    };
    int rc = thin(store, &old);

    return rc == OC_OK ? thin(store, &dense) : rc;
}

int oc_thin_forget_forecasts(oc_store *store, uint32_t source)
{
    static const enum oc_upkeep_sql tables[] = { OC_UPKEEP_FORECASTS_FORGET,
                                                 OC_UPKEEP_FORECAST_SERIES_FORGET };
    int rc = OC_OK;

    for (size_t i = 0; i < sizeof tables / sizeof *tables && rc == OC_OK; i++) {
        sqlite3_stmt *statement = oc_upkeep_statement(store, tables[i]);

        if (statement) {
            (void)sqlite3_bind_int64(statement, 1, source);
            (void)sqlite3_bind_int(statement, 2, OC_THIN_FORECASTS);
        }
        rc = oc_store_run(store, statement);
        if (rc == OC_OK)
            rc = sqlite3_changes(store->db) == OC_THIN_FORECASTS;
    }
    return rc;
}

/* What is too much of it goes; mostly nothing is. */
struct surplus {
    const char *count_sql;
    int64_t max;
    enum oc_upkeep_sql steps[2];
    int step_count;
};

struct dropping {
    const struct surplus *of;
    int64_t rows;
};

static int drop_surplus(oc_store *store, void *context)
{
    const struct dropping *dropping = context;
    int rc = OC_OK;

    for (int i = 0; i < dropping->of->step_count && rc == OC_OK; i++) {
        sqlite3_stmt *statement = oc_upkeep_statement(store, dropping->of->steps[i]);

        if (statement)
            (void)sqlite3_bind_int64(statement, 1, dropping->rows);
        rc = oc_store_run(store, statement);
    }
    return rc;
}

int oc_thin_learnt(oc_store *store)
{
    static const struct surplus surpluses[] = {
        { "SELECT count(*) FROM forecaster WHERE kind >= 3",
          OC_MEMORY_MAX_LEARNT,
          { OC_UPKEEP_MEMORY_DROP },
          1 },
        { "SELECT count(*) FROM forecast_record WHERE subject <> 'others'",
          OC_RECORD_MAX_ROWS,
          { OC_UPKEEP_RECORD_FOLD, OC_UPKEEP_RECORD_DROP },
          2 },
    };
    int rc = OC_OK;

    for (size_t i = 0; i < sizeof surpluses / sizeof *surpluses && rc == OC_OK; i++) {
        struct dropping dropping = { .of = &surpluses[i] };

        rc = oc_sqlite_err(oc_sqlite_number(store->db, surpluses[i].count_sql, &dropping.rows));
        dropping.rows -= surpluses[i].max;
        if (rc == OC_OK && dropping.rows > 0)
            rc = oc_upkeep_transaction(store, drop_surplus, &dropping);
    }
    return rc;
}
