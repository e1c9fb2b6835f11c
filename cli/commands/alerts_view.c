/* Alerts: table, JSON, CSV. */
#include "cli/commands/alerts_view.h"

#include "base/ahead.h"
#include "cli/commands/forecast_view.h"
#include "cli/show/rows.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

const char *oc_alerts_fingerprint(uint64_t fingerprint, char *out, size_t out_bytes)
{
    (void)snprintf(out, out_bytes, "%016" PRIx64, fingerprint);
    return out;
}

/* When it began to fire, or to be pending. */
static int64_t began_ms(const struct oc_alert *alert)
{
    return alert->firing_unix_ms ? alert->firing_unix_ms : alert->pending_unix_ms;
}

static int is_over(const struct oc_alert *alert)
{
    return alert->state == OC_ALERT_RESOLVED || alert->state == OC_ALERT_DIED;
}

/* ---- the table ---- */

static void put_row(const struct oc_cli *cli, const struct oc_alert *alert, struct oc_table *table)
{
    struct oc_outlook_row ahead;
    int has_ahead = !is_over(alert) && oc_alert_ahead(alert, cli->now_unix_ms, &ahead);
    char text[96], mutes[96];

    oc_table_cell(table, oc_severity_name(alert->severity));
    (void)oc_alert_mutes_text(alert->mutes, mutes, sizeof(mutes));
    oc_table_cellf(table, "%s%s%s", oc_alert_state_name(alert->state), mutes[0] ? ", " : "", mutes);
    oc_table_cell(table, alert->subject);
    oc_table_cell(table, alert->rule);
    oc_table_cell(table, oc_timespec_short(began_ms(alert), cli->now_unix_ms, text, sizeof(text)));
    if (is_over(alert) && alert->ended_unix_ms)
        oc_table_cell(
            table, oc_timespec_short(alert->ended_unix_ms, cli->now_unix_ms, text, sizeof(text)));
    else
        oc_table_cell(table, NULL);
    oc_table_cell(table, has_ahead ? oc_forecast_time(&ahead, text, sizeof(text)) : NULL);
    oc_table_cell(table, has_ahead ? oc_forecast_interval(&ahead, text, sizeof(text)) : NULL);
    oc_table_cell(table, oc_alerts_fingerprint(alert->fingerprint, text, sizeof(text)));
    oc_table_cell(table, alert->why);
}

#define ENDED_COLUMN 5

int oc_alerts_table(struct oc_cli *cli, const struct oc_alert_list *list, int has_past)
{
    static const struct oc_column columns[] = {
        { "SEVERITY", OC_ALIGN_LEFT, 0, 0 },
        { "STATE", OC_ALIGN_LEFT, 0, 0 },
        { "SUBJECT", OC_ALIGN_PATH, 40, OC_SHRINKS },
        { "ALERT", OC_ALIGN_LEFT, 0, 0 },
        { "SINCE", OC_ALIGN_LEFT, 0, OC_GOES(1) },
        { "ENDED", OC_ALIGN_LEFT, 0, OC_GOES(2) },
        { "IN", OC_ALIGN_RIGHT, 0, 0 },
        { "10 % - 90 %", OC_ALIGN_LEFT, 0, OC_GOES(3) },
        { "FINGERPRINT", OC_ALIGN_LEFT, 0, OC_GOES(4) },
        { "WHY", OC_ALIGN_LEFT, 0, OC_SHRINKS },
        { 0 },
    };
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < list->count; i++)
        put_row(cli, &list->items[i], &table);
    if (!has_past)
        oc_table_hide(&table, ENDED_COLUMN);
    rc = table.cell_count ? oc_table_print(&table, &style, &cli->out) : table.err;
    oc_table_clear(&table);
    return rc;
}

/* ---- JSON ---- */

static void json_known(struct oc_json *json, const char *key, double value)
{
    if (oc_ahead_is_known(value))
        oc_json_put_dbl(json, key, value);
}

void oc_alerts_json_mutes(struct oc_json *json, unsigned mutes)
{
    oc_json_array(json);
    for (unsigned bit = 1; bit < 0x100; bit <<= 1) {
        const char *name = oc_alert_mute_name(mutes & bit);

        if (*name)
            oc_json_str(json, name);
    }
    oc_json_array_end(json);
}

/* What it is about: the limit, and the time to it where it lies ahead. */
static void json_about(struct oc_json *json, const struct oc_alert *alert, int64_t now_unix_ms)
{
    struct oc_outlook_row ahead;
    const struct oc_limit_row *limit = oc_limit_row(alert->about.limit.kind);
    const struct oc_metric_row *metric = oc_metric_by_number(alert->about.forecast.metric);

    if (!oc_alert_ahead(alert, now_unix_ms, &ahead))
        return;
    if (metric)
        oc_json_put_str(json, "metric", metric->name);
    if (limit) {
        oc_json_put_str(json, "limit", limit->name);
        if (alert->about.limit.where[0])
            oc_json_put_str(json, "where", alert->about.limit.where);
    }
    json_known(json, "growth_per_h", alert->about.forecast.growth_per_h);
    if (!is_over(alert))
        oc_forecast_json_time(json, &ahead);
}

static void json_alert(struct oc_json *json, const struct oc_alert *alert, int64_t now_unix_ms)
{
    char fingerprint[20];

    oc_json_object(json);
    oc_json_put_str(json, "fingerprint",
                    oc_alerts_fingerprint(alert->fingerprint, fingerprint, sizeof(fingerprint)));
    oc_json_put_u64(json, "episode", alert->episode);
    oc_json_put_str(json, "alertname", alert->rule);
    oc_json_put_str(json, "kind", oc_rule_kind_name(alert->kind));
    oc_json_put_str(json, "severity", oc_severity_name(alert->severity));
    oc_json_put_str(json, "state", oc_alert_state_name(alert->state));
    oc_json_put_str(json, "subject", alert->subject);
    if (alert->pid)
        oc_json_put_u64(json, "pid", alert->pid);
    oc_json_key(json, "muted_by");
    oc_alerts_json_mutes(json, alert->mutes);
    oc_json_put_bool(json, "was_told", alert->was_told);
    oc_json_put_bool(json, "not_durable", alert->not_durable);
    oc_json_put_time(json, "pending_since", alert->pending_unix_ms);
    oc_json_put_time(json, "firing_since", alert->firing_unix_ms);
    oc_json_put_time(json, "ended", alert->ended_unix_ms);
    oc_json_put_time(json, "acked", alert->acked_unix_ms);
    oc_json_put_time(json, "changed", alert->changed_unix_ms);
    json_known(json, "value", alert->value);
    json_known(json, "bound", alert->bound);
    json_known(json, "chance", alert->chance);
    json_about(json, alert, now_unix_ms);
    oc_json_put_str(json, "why", alert->why);
    oc_json_object_end(json);
}

void oc_alerts_json(struct oc_json *json, const struct oc_alert_list *list, int64_t now_unix_ms)
{
    oc_json_array(json);
    for (size_t i = 0; i < list->count; i++)
        json_alert(json, &list->items[i], now_unix_ms);
    oc_json_array_end(json);
}

void oc_alerts_json_counts(struct oc_json *json, const struct oc_alert_counts *counts)
{
    oc_json_object(json);
    oc_json_put_u64(json, "critical", counts->critical);
    oc_json_put_u64(json, "warning", counts->warning);
    oc_json_put_u64(json, "acked", counts->acked);
    oc_json_put_u64(json, "muted", counts->muted);
    oc_json_put_u64(json, "pending", counts->pending);
    oc_json_object_end(json);
}

/* ---- CSV ---- */

static const char *const alert_columns[] = {
    "fingerprint", "episode",       "alertname",    "severity", "state", "subject", "pid",
    "muted_by",    "pending_since", "firing_since", "ended",    "acked", "value",   "bound",
    "chance",      "limit",         "p10_s",        "p50_s",    "p90_s", "why",     NULL
};

static void csv_ahead(struct oc_rows *rows, const struct oc_alert *alert, int64_t now_unix_ms)
{
    const struct oc_limit_row *limit = oc_limit_row(alert->about.limit.kind);
    struct oc_outlook_row ahead;
    int has_ahead = !is_over(alert) && oc_alert_ahead(alert, now_unix_ms, &ahead);

    oc_rows_str(rows, limit ? limit->name : NULL);
    oc_rows_known(rows, has_ahead ? ahead.p10_s : NAN);
    oc_rows_known(rows, has_ahead ? ahead.p50_s : NAN);
    oc_rows_known(rows, has_ahead ? ahead.p90_s : NAN);
}

void oc_alerts_csv(struct oc_cli *cli, const struct oc_alert_list *list)
{
    struct oc_rows rows;
    char text[96];

    oc_rows_begin(&rows, OC_ROWS_CSV, alert_columns, &cli->out);
    for (size_t i = 0; i < list->count; i++) {
        const struct oc_alert *alert = &list->items[i];

        oc_rows_str(&rows, oc_alerts_fingerprint(alert->fingerprint, text, sizeof(text)));
        oc_rows_u64(&rows, alert->episode);
        oc_rows_str(&rows, alert->rule);
        oc_rows_str(&rows, oc_severity_name(alert->severity));
        oc_rows_str(&rows, oc_alert_state_name(alert->state));
        oc_rows_str(&rows, alert->subject);
        if (alert->pid)
            oc_rows_u64(&rows, alert->pid);
        else
            oc_rows_none(&rows);
        oc_rows_str(&rows, oc_alert_mutes_text(alert->mutes, text, sizeof(text)));
        oc_rows_time(&rows, alert->pending_unix_ms);
        oc_rows_time(&rows, alert->firing_unix_ms);
        oc_rows_time(&rows, alert->ended_unix_ms);
        oc_rows_time(&rows, alert->acked_unix_ms);
        oc_rows_known(&rows, alert->value);
        oc_rows_known(&rows, alert->bound);
        oc_rows_known(&rows, alert->chance);
        csv_ahead(&rows, alert, cli->now_unix_ms);
        oc_rows_str(&rows, alert->why);
        oc_rows_end(&rows);
    }
}
