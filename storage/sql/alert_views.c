/* The views over alerts, what was decided of them, the outbox and silences. */
#include "storage/sql/view_parts.h"

#include "base/alert.h"
#include "base/forecast.h"
#include "base/limit.h"
#include "base/metric.h"

static const char *state_name(int state) { return oc_alert_state_name((unsigned)state); }
static const char *rule_name(int kind) { return kind ? oc_rule_kind_name((unsigned)kind) : NULL; }
static const char *severity_name(int severity) { return oc_severity_name((unsigned)severity); }
static const char *outbox_name(int state) { return oc_outbox_state_name((unsigned)state); }
static const char *forecast_name(int state) { return oc_forecast_state_name((unsigned)state); }

#define OUTBOX_STATES (OC_OUTBOX_DROPPED + 1)
#define SEVERITIES (OC_SEVERITY_CRITICAL + 1)

/* Why it is not told, in words with blanks between; NULL: it is. Of column a.mutes. */
static void add_mutes(struct oc_buf *sql)
{
    static const struct {
        unsigned bit;
        const char *word;
    } mutes[] = { { OC_ALERT_SILENCED, "silenced" },       { OC_ALERT_INHIBITED, "inhibited" },
                  { OC_ALERT_MAINTENANCE, "maintenance" }, { OC_ALERT_PLANNED, "planned" },
                  { OC_ALERT_FLAPPING, "flapping" },       { OC_ALERT_ACKED, "acked" } };

    oc_buf_puts(sql, "nullif(trim(''");
    for (size_t i = 0; i < sizeof mutes / sizeof *mutes; i++)
        oc_buf_printf(sql, " || iif(a.mutes & %u, ' %s', '')", mutes[i].bit, mutes[i].word);
    oc_buf_puts(sql, "), '') AS muted, ");
}

static void add_about(struct oc_buf *sql)
{
    oc_view_names(sql, "nullif(a.limit_kind, 0)", OC_LIMIT_KINDS, oc_view_limit_name);
    oc_buf_puts(sql, " AS limit_name, a.limit_place AS place, ");
    oc_view_names(sql, "nullif(a.metric, 0)", OC_METRIC_MAX, oc_view_metric_name);
    oc_buf_puts(sql, " AS metric, ");
    /* with neither a limit nor a time there is no forecast: 0 is the name of a state too */
    oc_view_names(sql, "iif(a.limit_kind OR a.forecast_state, a.forecast_state, NULL)",
                  OC_FORECAST_STATES, forecast_name);
    oc_buf_puts(sql, " AS forecast, a.last AS metric_value, a.ceiling AS limit_value, "
                     "a.growth AS growth_per_hour, a.p10 AS p10_s, a.p50 AS p50_s, a.p90 AS p90_s, "
                     "nullif(a.forecast_unix_ms, 0) AS forecast_unix_ms, ");
}

static void add_alerts(struct oc_buf *sql)
{
    oc_buf_puts(sql, "CREATE TEMP VIEW IF NOT EXISTS alerts AS SELECT a.episode, a.rule, ");
    oc_view_names(sql, "a.kind", OC_RULE_KINDS, rule_name);
    oc_buf_puts(sql, " AS kind, ");
    oc_view_names(sql, "a.severity", SEVERITIES, severity_name);
    oc_buf_puts(sql, " AS severity, a.subject, ");
    oc_view_names(sql, "a.state", OC_ALERT_STATES, state_name);
    oc_buf_puts(sql, " AS state, ");
    add_mutes(sql);
    oc_buf_puts(sql, OC_VIEW_READABLE("a.pending_unix_ms") " AS pending, ");
    oc_buf_puts(sql, OC_VIEW_READABLE("a.firing_unix_ms") " AS firing, ");
    oc_buf_puts(sql, OC_VIEW_READABLE("a.ended_unix_ms") " AS ended, ");
    oc_buf_puts(sql, OC_VIEW_READABLE("a.acked_unix_ms") " AS acked, ");
    oc_buf_puts(sql, "a.why, a.value, a.bound, a.chance, ");
    add_about(sql);
    oc_buf_puts(sql, "nullif(a.source, 0) AS source, nullif(a.pid, 0) AS pid, a.was_told, "
                     "a.not_durable, a.flaps, a.state IN (1, 2) AS is_now, "
                     "printf('%016x', a.fingerprint) AS fingerprint, a.pending_unix_ms, "
                     "a.firing_unix_ms, a.ended_unix_ms, a.acked_unix_ms, a.changed_unix_ms "
                     "FROM main.alert a;");
}

static void add_alert_log(struct oc_buf *sql)
{
    oc_buf_puts(sql, "CREATE TEMP VIEW IF NOT EXISTS alert_log AS SELECT " OC_VIEW_READABLE(
                         "a.t_unix_ms") " AS time, nullif(a.episode, 0) AS episode, a.rule, "
                                        "a.subject, ");
    oc_view_names(sql, "a.from_state", OC_ALERT_STATES, state_name);
    oc_buf_puts(sql, " AS before, ");
    oc_view_names(sql, "a.to_state", OC_ALERT_STATES, state_name);
    oc_buf_puts(sql, " AS state, ");
    add_mutes(sql);
    oc_buf_puts(sql, "a.reason, printf('%016x', a.fingerprint) AS fingerprint, "
                     "a.t_unix_ms AS unix_ms, a.id FROM main.alert_decision a;");
}

static void add_outbox(struct oc_buf *sql)
{
    oc_buf_puts(sql, "CREATE TEMP VIEW IF NOT EXISTS outbox AS SELECT o.id, o.receiver, ");
    oc_view_names(sql, "o.state", OUTBOX_STATES, outbox_name);
    oc_buf_puts(sql, " AS state, ");
    oc_view_names(sql, "o.severity", SEVERITIES, severity_name);
    oc_buf_puts(sql, " AS severity, o.attempts, " OC_VIEW_READABLE("o.made_unix_ms") " AS made, ");
    oc_buf_puts(sql, "iif(o.state IN (0, 1), " OC_VIEW_READABLE("o.next_unix_ms") ", NULL) "
                                                                                  "AS next, ");
    oc_buf_puts(sql, OC_VIEW_READABLE("o.done_unix_ms") " AS done, nullif(o.status, 0) AS status, "
                                                        "nullif(o.why, '') AS why, o.is_digest, ");
    oc_buf_puts(sql, "printf('%016x', o.group_key) AS group_key, o.body, o.made_unix_ms, "
                     "o.next_unix_ms, o.done_unix_ms FROM main.outbox o;");
}

static void add_silences(struct oc_buf *sql)
{
    oc_buf_puts(sql, "CREATE TEMP VIEW IF NOT EXISTS silences AS SELECT s.id, (SELECT "
                     "group_concat(name || iif(is_negative, '!=', '=') || glob, ', ') FROM (SELECT "
                     "* FROM main.silence_matcher m WHERE m.silence = s.id ORDER BY m.n)) "
                     "AS matchers, " OC_VIEW_READABLE("s.begin_unix_ms") " AS begin, ");
    oc_buf_puts(sql, OC_VIEW_READABLE("s.end_unix_ms") " AS end, s.author, s.comment, "
                                                       "strftime('%s', 'now') * 1000 BETWEEN "
                                                       "s.begin_unix_ms AND s.end_unix_ms - 1 "
                                                       "AS is_now, s.begin_unix_ms, s.end_unix_ms "
                                                       "FROM main.silence s;");
}

void oc_views_add_alerts(struct oc_buf *sql)
{
    add_alerts(sql);
    add_alert_log(sql);
    add_outbox(sql);
    add_silences(sql);
}
