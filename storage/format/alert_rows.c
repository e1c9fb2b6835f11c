#include "storage/format/alert_rows.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

/* ---- cells ---- */

static double real_or_nan(sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return NAN;
    return sqlite3_column_double(statement, column);
}

/* Copies a text; 0 where there is none. */
static int copy_text(sqlite3_stmt *statement, int column, char *out, size_t out_bytes)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    (void)oc_text_copy(out, out_bytes, text ? text : "");
    return text != NULL;
}

/* Whether a whole number is within 0 … max. */
static int is_within(sqlite3_stmt *statement, int column, int64_t max)
{
    int64_t value = sqlite3_column_int64(statement, column);

    return value >= 0 && value <= max;
}

static uint64_t u64(sqlite3_stmt *statement, int column)
{
    int64_t value = sqlite3_column_int64(statement, column);

    return value > 0 ? (uint64_t)value : 0;
}

/* ---- alerts ---- */

static int can_be_alert(sqlite3_stmt *statement)
{
    static const struct {
        int column;
        int64_t max;
    } bounds[] = {
        { OC_COLUMN_KIND, UINT8_MAX },
        { OC_COLUMN_SEVERITY, OC_SEVERITY_CRITICAL },
        { OC_COLUMN_STATE, OC_ALERT_STATES - 1 },
        { OC_COLUMN_MUTED, UINT8_MAX },
        { OC_COLUMN_SOURCE_KIND, UINT8_MAX },
        { OC_COLUMN_FLAPS, UINT32_MAX },
        { OC_COLUMN_SOURCE, UINT32_MAX },
        { OC_COLUMN_PID, UINT32_MAX },
        { OC_COLUMN_LIMIT_KIND, UINT8_MAX },
        { OC_COLUMN_METRIC, UINT16_MAX },
        { OC_COLUMN_FORECAST_STATE, UINT8_MAX },
    };

    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (!is_within(statement, bounds[i].column, bounds[i].max))
            return 0;
    return sqlite3_column_int64(statement, OC_COLUMN_EPISODE) > 0;
}

static void read_limit(sqlite3_stmt *statement, struct oc_limit *out_limit)
{
    double ceiling = real_or_nan(statement, OC_COLUMN_CEILING);

    out_limit->kind = (uint8_t)sqlite3_column_int(statement, OC_COLUMN_LIMIT_KIND);
    out_limit->metric = (uint16_t)sqlite3_column_int(statement, OC_COLUMN_METRIC);
    if (ceiling >= 18446744073709551615.0)
        out_limit->value = UINT64_MAX;
    else if (ceiling > 0.0)
        out_limit->value = (uint64_t)ceiling;
    (void)copy_text(statement, OC_COLUMN_LIMIT_PLACE, out_limit->where, sizeof out_limit->where);
}

static void read_forecast(sqlite3_stmt *statement, struct oc_forecast *out_forecast)
{
    *out_forecast = (struct oc_forecast){
        .state = (uint8_t)sqlite3_column_int(statement, OC_COLUMN_FORECAST_STATE),
        .metric = (uint16_t)sqlite3_column_int(statement, OC_COLUMN_METRIC),
        .t_ms = sqlite3_column_int64(statement, OC_COLUMN_FORECAST_AT),
        .since_ms = sqlite3_column_int64(statement, OC_COLUMN_SINCE_AT),
        .samples = u64(statement, OC_COLUMN_SAMPLES),
        .value = real_or_nan(statement, OC_COLUMN_LAST),
        .limit = real_or_nan(statement, OC_COLUMN_CEILING),
        .growth_per_h = real_or_nan(statement, OC_COLUMN_GROWTH),
        .growth_error_per_h = real_or_nan(statement, OC_COLUMN_GROWTH_ERROR),
        .chance = real_or_nan(statement, OC_COLUMN_GOES_ON),
        .p10_s = real_or_nan(statement, OC_COLUMN_P10),
        .p50_s = real_or_nan(statement, OC_COLUMN_P50),
        .p90_s = real_or_nan(statement, OC_COLUMN_P90),
        .saved_life_s = real_or_nan(statement, OC_COLUMN_SAVED_LIFE),
    };
}

static void read_state(sqlite3_stmt *statement, struct oc_alert *out)
{
    out->fingerprint = (uint64_t)sqlite3_column_int64(statement, OC_COLUMN_FINGERPRINT);
    out->episode = u64(statement, OC_COLUMN_EPISODE);
    out->kind = (uint8_t)sqlite3_column_int(statement, OC_COLUMN_KIND);
    out->severity = (uint8_t)sqlite3_column_int(statement, OC_COLUMN_SEVERITY);
    out->state = (uint8_t)sqlite3_column_int(statement, OC_COLUMN_STATE);
    out->mutes = (uint8_t)sqlite3_column_int(statement, OC_COLUMN_MUTED);
    out->was_told = sqlite3_column_int(statement, OC_COLUMN_WAS_TOLD) != 0;
    out->not_durable = sqlite3_column_int(statement, OC_COLUMN_NOT_DURABLE) != 0;
    out->source_kind = (uint8_t)sqlite3_column_int(statement, OC_COLUMN_SOURCE_KIND);
    out->flaps = (uint32_t)sqlite3_column_int64(statement, OC_COLUMN_FLAPS);
    out->pending_unix_ms = sqlite3_column_int64(statement, OC_COLUMN_PENDING_AT);
    out->firing_unix_ms = sqlite3_column_int64(statement, OC_COLUMN_FIRING_AT);
    out->ended_unix_ms = sqlite3_column_int64(statement, OC_COLUMN_ENDED_AT);
    out->acked_unix_ms = sqlite3_column_int64(statement, OC_COLUMN_ACKED_AT);
    out->changed_unix_ms = sqlite3_column_int64(statement, OC_COLUMN_CHANGED_AT);
}

int oc_alert_read(sqlite3_stmt *statement, struct oc_alert *out_alert)
{
    if (!can_be_alert(statement))
        return 0;
    memset(out_alert, 0, sizeof *out_alert);
    read_state(statement, out_alert);
    out_alert->source = (uint32_t)sqlite3_column_int64(statement, OC_COLUMN_SOURCE);
    out_alert->pid = (uint32_t)sqlite3_column_int64(statement, OC_COLUMN_PID);
    out_alert->value = real_or_nan(statement, OC_COLUMN_VALUE);
    out_alert->bound = real_or_nan(statement, OC_COLUMN_BOUND);
    out_alert->chance = real_or_nan(statement, OC_COLUMN_CHANCE);
    (void)copy_text(statement, OC_COLUMN_WHY, out_alert->why, sizeof out_alert->why);
    read_limit(statement, &out_alert->about.limit);
    read_forecast(statement, &out_alert->about.forecast);
    return copy_text(statement, OC_COLUMN_RULE, out_alert->rule, sizeof out_alert->rule) &&
           copy_text(statement, OC_COLUMN_SUBJECT, out_alert->subject, sizeof out_alert->subject);
}

/* ---- decisions ---- */

int oc_alert_decision_read(sqlite3_stmt *statement, struct oc_alert_decision *out)
{
    if (!is_within(statement, 3, OC_ALERT_STATES - 1) ||
        !is_within(statement, 4, OC_ALERT_STATES - 1) || !is_within(statement, 5, UINT8_MAX))
        return 0;
    out->t_unix_ms = sqlite3_column_int64(statement, 0);
    out->episode = u64(statement, 1);
    out->fingerprint = (uint64_t)sqlite3_column_int64(statement, 2);
    out->from = (uint8_t)sqlite3_column_int(statement, 3);
    out->to = (uint8_t)sqlite3_column_int(statement, 4);
    out->mutes = (uint8_t)sqlite3_column_int(statement, 5);
    out->rule = (const char *)sqlite3_column_text(statement, 6);
    out->subject = (const char *)sqlite3_column_text(statement, 7);
    out->reason = (const char *)sqlite3_column_text(statement, 8);
    return out->rule && out->subject && out->reason;
}

/* ---- the outbox ---- */

int oc_outbox_read(sqlite3_stmt *statement, struct oc_outbox_row *out_row)
{
    enum { STATE = 3, ATTEMPTS = 6, STATUS = 10, WHY = 11, BODY = 12 };
    int64_t status = sqlite3_column_int64(statement, STATUS);

    if (!is_within(statement, STATE, OC_OUTBOX_DROPPED) ||
        !is_within(statement, STATE + 1, OC_SEVERITY_CRITICAL) ||
        !is_within(statement, ATTEMPTS, UINT32_MAX) || status < INT32_MIN || status > INT32_MAX)
        return 0;
    memset(out_row, 0, sizeof *out_row);
    out_row->group = (uint64_t)sqlite3_column_int64(statement, 2);
    out_row->state = (uint8_t)sqlite3_column_int(statement, STATE);
    out_row->severity = (uint8_t)sqlite3_column_int(statement, STATE + 1);
    out_row->is_digest = sqlite3_column_int(statement, STATE + 2) != 0;
    out_row->attempts = (uint32_t)sqlite3_column_int64(statement, ATTEMPTS);
    out_row->made_unix_ms = sqlite3_column_int64(statement, ATTEMPTS + 1);
    out_row->next_unix_ms = sqlite3_column_int64(statement, ATTEMPTS + 2);
    out_row->done_unix_ms = sqlite3_column_int64(statement, ATTEMPTS + 3);
    out_row->status = (int32_t)status;
    out_row->why = (const char *)sqlite3_column_text(statement, WHY);
    out_row->body = (const char *)sqlite3_column_text(statement, BODY);
    out_row->body_bytes = (size_t)sqlite3_column_bytes(statement, BODY);
    return copy_text(statement, 0, out_row->id, sizeof out_row->id) && out_row->id[0] &&
           copy_text(statement, 1, out_row->receiver, sizeof out_row->receiver) && out_row->why;
}

/* ---- silences ---- */

enum silence_column {
    SILENCE_ID,
    SILENCE_BEGIN,
    SILENCE_END,
    SILENCE_AUTHOR,
    SILENCE_COMMENT,
    SILENCE_NAME,
    SILENCE_GLOB,
    SILENCE_NEGATIVE
};

static const char silences_sql[] =
    "SELECT s.id, s.begin_unix_ms, s.end_unix_ms, s.author, s.comment, m.name, m.glob,"
    " m.is_negative FROM main.silence s LEFT JOIN main.silence_matcher m ON m.silence = s.id"
    " WHERE s.id > 0 AND s.end_unix_ms > ?1 ORDER BY s.id, m.n";

static void begin_silence(sqlite3_stmt *statement, struct oc_silence *out)
{
    memset(out, 0, sizeof *out);
    out->id = u64(statement, SILENCE_ID);
    out->begin_unix_ms = sqlite3_column_int64(statement, SILENCE_BEGIN);
    out->end_unix_ms = sqlite3_column_int64(statement, SILENCE_END);
    (void)copy_text(statement, SILENCE_AUTHOR, out->author, sizeof out->author);
    (void)copy_text(statement, SILENCE_COMMENT, out->comment, sizeof out->comment);
}

/* 0 where it cannot be: a matcher that is left out would silence more than was asked for. */
static int add_matcher(sqlite3_stmt *statement, struct oc_silence *silence)
{
    struct oc_silence_matcher *matcher = &silence->matchers[silence->matcher_count];

    if (silence->matcher_count == OC_SILENCE_MATCHERS_MAX)
        return 0;
    matcher->is_negative = sqlite3_column_int(statement, SILENCE_NEGATIVE) != 0;
    if (!copy_text(statement, SILENCE_NAME, matcher->name, sizeof matcher->name) ||
        !copy_text(statement, SILENCE_GLOB, matcher->glob, sizeof matcher->glob) ||
        !matcher->name[0])
        return 0;
    silence->matcher_count++;
    return 1;
}

/* Gives the one that is whole now. Whether fn asked to stop. */
static int give_silence(struct oc_silence_listing *listing, const struct oc_silence *silence,
                        int is_sound)
{
    if (!silence->id)
        return 0;
    if (!is_sound || !silence->matcher_count) {
        listing->skipped++;
        return 0;
    }
    listing->given++;
    return listing->fn(silence, listing->context) != 0;
}

static int step_silences(sqlite3_stmt *statement, struct oc_silence_listing *listing)
{
    struct oc_silence silence = { 0 };
    int is_sound = 1, rc;

    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        if (u64(statement, SILENCE_ID) != silence.id) {
            if (give_silence(listing, &silence, is_sound))
                return rc;
            begin_silence(statement, &silence);
            is_sound = 1;
        }
        is_sound = is_sound && add_matcher(statement, &silence);
    }
    if (rc == SQLITE_DONE)
        (void)give_silence(listing, &silence, is_sound); /* there is nothing to stop any more */
    return rc;
}

int oc_silences_read(sqlite3 *db, struct oc_silence_listing *listing)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, silences_sql, -1, &statement, NULL);

    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_int64(statement, 1, listing->since_unix_ms);
        rc = step_silences(statement, listing);
    }
    (void)sqlite3_finalize(statement); /* step told */
    return rc;
}
