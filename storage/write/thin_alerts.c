/*
 * Alerts that are over grow old, and what was decided of them, what was sent, silences that ended.
 * Each has an age and a number of rows; a file that may not be large keeps fewer.
 */
#include "storage/write/upkeep_impl.h"

#include "base/err.h"
#include "storage/format/alert_rows.h"

#define OC_DAY_MS INT64_C(86400000)
#define OC_THIN_ALERTS 500      /* deleted in one transaction */
#define OC_THIN_ALERT_STEPS 40  /* transactions in a pass: the rest with the next */
#define OC_ALERTS_LEAST 1000    /* rows of each that a small file keeps too */
#define OC_ALERTS_FILE_SHIFT 30 /* the maxima are of a file of 1 GiB */

struct chore {
    enum oc_upkeep_sql old;     /* deletes what is older than ?1, ?2 rows at most */
    enum oc_upkeep_sql surplus; /* deletes the oldest ?1 rows */
    int64_t keep_ms, max_rows;
    const char *count_sql; /* of what may go */
};

static const struct chore chores[] = {
    { OC_UPKEEP_ALERTS_OLD, OC_UPKEEP_ALERTS_DROP, 730 * OC_DAY_MS, 100000,
      "SELECT count(*) FROM alert WHERE " OC_ALERT_IS_OVER },
    { OC_UPKEEP_DECISIONS_OLD, OC_UPKEEP_DECISIONS_DROP, 90 * OC_DAY_MS, 200000,
      "SELECT ifnull(max(id) - min(id) + 1, 0) FROM alert_decision" },
    { OC_UPKEEP_OUTBOX_OLD, OC_UPKEEP_OUTBOX_DROP, 7 * OC_DAY_MS, 2000,
      "SELECT count(*) FROM outbox WHERE " OC_OUTBOX_IS_OVER },
    { OC_UPKEEP_SILENCES_OLD, OC_UPKEEP_SILENCES_DROP, 90 * OC_DAY_MS, 10000,
      "SELECT count(*) FROM silence" },
};

struct deleting {
    enum oc_upkeep_sql which;
    int64_t key, rows;
};

static int delete_some(oc_store *store, void *context)
{
    const struct deleting *deleting = context;
    sqlite3_stmt *statement = oc_upkeep_statement(store, deleting->which);
    int rc;

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, deleting->key);
        (void)sqlite3_bind_int64(statement, 2, deleting->rows);
    }
    rc = oc_store_run(store, statement);
    return rc < 0 ? rc : sqlite3_changes(store->db) == OC_THIN_ALERTS;
}

/* 1 while there is more to delete: in a transaction of its own. */
static int delete_all(oc_store *store, struct deleting *deleting)
{
    int rc = 1;

    for (int i = 0; i < OC_THIN_ALERT_STEPS && rc == 1; i++)
        rc = oc_upkeep_transaction(store, delete_some, deleting);
    return rc < 0 ? rc : OC_OK;
}

static int64_t most_rows(const oc_store *store, int64_t max_rows)
{
    uint64_t share =
        (uint64_t)max_rows * (store->options.max_file_bytes >> 10) >> (OC_ALERTS_FILE_SHIFT - 10);

    if (share >= (uint64_t)max_rows)
        return max_rows;
    return share > OC_ALERTS_LEAST ? (int64_t)share : OC_ALERTS_LEAST;
}

static int do_chore(oc_store *store, const struct chore *chore, int64_t now_unix_ms)
{
    struct deleting old = { chore->old, now_unix_ms - chore->keep_ms, OC_THIN_ALERTS };
    struct deleting surplus = { chore->surplus, now_unix_ms, OC_THIN_ALERTS };
    int64_t rows = 0;
    int rc = oc_sqlite_err(oc_sqlite_number(store->db, chore->count_sql, &rows));

    if (rc == OC_OK && rows > 0) /* mostly there is nothing: no transaction then */
        rc = delete_all(store, &old);
    if (rc == OC_OK)
        rc = oc_sqlite_err(oc_sqlite_number(store->db, chore->count_sql, &rows));
    for (rows -= most_rows(store, chore->max_rows); rc == OC_OK && rows > 0; rows -= surplus.rows) {
        surplus.rows = rows < OC_THIN_ALERTS ? rows : OC_THIN_ALERTS;
        rc = oc_upkeep_transaction(store, delete_some, &surplus);
        if (rc <= 0)
            break; /* what is left may not go */
        rc = OC_OK;
    }
    return rc < 0 ? rc : OC_OK;
}

static int drop_matchers(oc_store *store, void *context)
{
    (void)context;
    return oc_store_exec(
        store, "DELETE FROM silence_matcher WHERE silence NOT IN (SELECT id FROM silence)");
}

int oc_thin_alerts(oc_store *store, int64_t now_unix_ms)
{
    int64_t left = 0;
    int rc = OC_OK;

    for (size_t i = 0; i < sizeof chores / sizeof *chores && rc == OC_OK; i++)
        rc = do_chore(store, &chores[i], now_unix_ms);
    if (rc == OC_OK)
        rc = oc_sqlite_err(oc_sqlite_number(store->db,
                                            "SELECT count(*) FROM silence_matcher WHERE silence "
                                            "NOT IN (SELECT id FROM silence)",
                                            &left));
    return rc == OC_OK && left ? oc_upkeep_transaction(store, drop_matchers, NULL) : rc;
}
