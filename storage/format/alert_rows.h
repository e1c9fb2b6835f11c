/*
 * Rows of the tables of alerts, as both sides of the store read them. What a row holds that cannot
 * be is told from what can: a row that was damaged is passed over.
 */
#ifndef OC_STORAGE_FORMAT_ALERT_ROWS_H
#define OC_STORAGE_FORMAT_ALERT_ROWS_H

#include "base/alert.h"
#include "storage/format/sqlite_api.h"

/* Columns of table alert; a parameter's number is one more. */
enum oc_alert_column {
    OC_COLUMN_EPISODE,
    OC_COLUMN_FINGERPRINT,
    OC_COLUMN_RULE,
    OC_COLUMN_SUBJECT,
    OC_COLUMN_KIND,
    OC_COLUMN_SEVERITY,
    OC_COLUMN_STATE,
    OC_COLUMN_MUTED,
    OC_COLUMN_WAS_TOLD,
    OC_COLUMN_NOT_DURABLE,
    OC_COLUMN_SOURCE_KIND,
    OC_COLUMN_FLAPS,
    OC_COLUMN_PENDING_AT,
    OC_COLUMN_FIRING_AT,
    OC_COLUMN_ENDED_AT,
    OC_COLUMN_ACKED_AT,
    OC_COLUMN_CHANGED_AT,
    OC_COLUMN_SOURCE,
    OC_COLUMN_PID,
    OC_COLUMN_VALUE,
    OC_COLUMN_BOUND,
    OC_COLUMN_CHANCE,
    OC_COLUMN_WHY,
    OC_COLUMN_LIMIT_KIND,
    OC_COLUMN_LIMIT_PLACE,
    OC_COLUMN_METRIC,
    OC_COLUMN_FORECAST_STATE,
    OC_COLUMN_FORECAST_AT,
    OC_COLUMN_SINCE_AT,
    OC_COLUMN_SAMPLES,
    OC_COLUMN_LAST,
    OC_COLUMN_CEILING,
    OC_COLUMN_GROWTH,
    OC_COLUMN_GROWTH_ERROR,
    OC_COLUMN_GOES_ON,
    OC_COLUMN_P10,
    OC_COLUMN_P50,
    OC_COLUMN_P90,
    OC_COLUMN_SAVED_LIFE,
    OC_ALERT_COLUMN_COUNT
};
#define OC_ALERT_COLUMNS                                                                           \
    "episode, fingerprint, rule, subject, kind, severity, state, mutes, was_told, not_durable,"    \
    " source_kind, flaps, pending_unix_ms, firing_unix_ms, ended_unix_ms, acked_unix_ms,"          \
    " changed_unix_ms, source, pid, value, bound, chance, why, limit_kind, limit_place, metric,"   \
    " forecast_state, forecast_unix_ms, since_unix_ms, samples, last, ceiling, growth,"            \
    " growth_error, goes_on, p10, p50, p90, saved_life"

/* What is pending or firing; the same words as in its index. */
#define OC_ALERT_IS_OPEN "state IN (1, 2)"
#define OC_ALERT_IS_OVER "state NOT IN (1, 2)"
#define OC_OUTBOX_IS_OPEN "state IN (0, 1)"
#define OC_OUTBOX_IS_OVER "state NOT IN (0, 1)"

/* The alert of a row of OC_ALERT_COLUMNS. 1, or 0: it cannot be. */
int oc_alert_read(sqlite3_stmt *statement, struct oc_alert *out_alert);

/* Of a decision; texts are the statement's until its next step. 1 or 0. */
#define OC_DECISION_COLUMNS                                                                        \
    "t_unix_ms, episode, fingerprint, from_state, to_state, mutes, rule, subject, reason"
int oc_alert_decision_read(sqlite3_stmt *statement, struct oc_alert_decision *out_decision);

/* Of the outbox; why and body are the statement's until its next step. body NULL: none. 1 or 0. */
#define OC_OUTBOX_COLUMNS                                                                          \
    "id, receiver, group_key, state, severity, is_digest, attempts, made_unix_ms, next_unix_ms,"   \
    " done_unix_ms, status, why, "
int oc_outbox_read(sqlite3_stmt *statement, struct oc_outbox_row *out_row);

/*
 * Silences, each with its matchers, by id. Rows that cannot be are passed over and counted: a silence
 * without a matcher would silence all. fn: a callback other than 0 ends it. Returns an SQLite code:
 * SQLITE_DONE at the end, SQLITE_ROW where fn ended it.
 */
struct oc_silence_listing {
    int64_t since_unix_ms; /* those that end later; INT64_MIN: all */
    int (*fn)(const struct oc_silence *silence, void *context);
    void *context;
    int given, skipped;
};
int oc_silences_read(sqlite3 *db, struct oc_silence_listing *listing);

#endif
