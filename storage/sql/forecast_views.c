/* The views over forecasts and over the record of what came of them. */
#include "storage/sql/view_parts.h"

#include "base/forecast.h"
#include "base/limit.h"
#include "base/metric.h"

static const char *state_name(int state) { return oc_forecast_state_name((unsigned)state); }

static const char *metric_unit(int number)
{
    const struct oc_metric_row *row = number > 0 ? oc_metric_by_number((unsigned)number) : NULL;

    return row ? oc_unit_name((enum oc_unit)row->unit) : NULL;
}

/* A limit's kind as its name; NULL: there is no limit. */
static void add_limit(struct oc_buf *sql, const char *kind, const char *(*name)(int),
                      const char *as)
{
    oc_view_names(sql, kind, OC_LIMIT_KINDS, name);
    oc_buf_printf(sql, " AS %s, ", as);
}

static void add_metric(struct oc_buf *sql, const char *metric)
{
    oc_view_names(sql, metric, OC_METRIC_MAX, oc_view_metric_name);
    oc_buf_puts(sql, " AS metric, ");
    oc_view_names(sql, metric, OC_METRIC_MAX, metric_unit);
    oc_buf_puts(sql, " AS unit, ");
}

static void add_forecasts(struct oc_buf *sql)
{
    oc_buf_puts(sql, "CREATE TEMP VIEW IF NOT EXISTS forecasts AS SELECT q.source, "
                     "b.name AS subject, " OC_VIEW_READABLE(OC_VIEW_UNIX_MS("f.t")) " AS time, ");
    add_limit(sql, "nullif(q.kind, 0)", oc_view_limit_name, "name");
    add_limit(sql, "nullif(q.kind, 0)", oc_view_limit_scope, "scope");
    oc_buf_puts(sql, "nullif(x.text, '') AS place, ");
    add_metric(sql, "nullif(q.metric, 0)");
    oc_view_names(sql, "f.state", OC_FORECAST_STATES, state_name);
    oc_buf_puts(sql, " AS state, f.value, f.ceiling AS limit_value, ");
    add_limit(sql, "nullif(q.kind, 0)", oc_view_limit_effect, "effect");
    oc_buf_puts(sql, "f.growth AS growth_per_hour, f.growth_error AS growth_error_per_hour, "
                     "f.chance, f.p10 AS p10_s, f.p50 AS p50_s, f.p90 AS p90_s, "
                     "f.saved_life AS saved_life_s, f.samples, "
                     "q.end_ms IS NULL AND s.end_ms IS NULL AND f.t = (SELECT max(g.t) FROM "
                     "main.forecast g WHERE g.series = q.id) AS is_now, ");
    oc_buf_puts(sql, OC_VIEW_READABLE(OC_VIEW_UNIX_MS("f.since")) " AS since, ");
    oc_buf_puts(sql, OC_VIEW_UNIX_MS("f.since") " AS since_unix_ms, ");
    oc_buf_puts(sql, OC_VIEW_UNIX_MS("f.t") " AS unix_ms ");
    oc_buf_puts(sql, "FROM main.forecast_series q CROSS JOIN main.forecast f ON f.series = q.id "
                     "JOIN main.source s ON s.id = q.source JOIN main.subject b "
                     "ON b.id = s.subject LEFT JOIN main.text x ON x.id = q.place;");
}

static void add_accuracy(struct oc_buf *sql)
{
    oc_buf_puts(sql, "CREATE TEMP VIEW IF NOT EXISTS accuracy AS SELECT a.subject, ");
    add_metric(sql, "nullif(a.metric, 0)");
    add_limit(sql, "nullif(a.kind, 0)", oc_view_limit_name, "name");
    oc_buf_puts(sql, "a.judged, a.inside, 1.0 * a.inside / nullif(a.judged, 0) AS coverage, "
                     "a.early, a.late, a.censored, a.ends, a.foretold, a.alarms, a.false_alarms, "
                     "a.error_sum / nullif(a.errors, 0) AS mean_log_error, "
                     "a.lead_s_sum / nullif(a.foretold, 0) AS mean_lead_s, a.watched_s, ");
    oc_buf_puts(sql, OC_VIEW_READABLE("a.first_unix_ms") " AS first, ");
    oc_buf_puts(sql, OC_VIEW_READABLE("a.last_unix_ms") " AS last, ");
    oc_buf_puts(sql, "a.first_unix_ms, a.last_unix_ms FROM main.forecast_record a;");
}

void oc_views_add_forecasts(struct oc_buf *sql)
{
    add_forecasts(sql);
    add_accuracy(sql);
}
