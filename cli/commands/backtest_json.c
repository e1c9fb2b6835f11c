/* oomcast backtest: what was replayed, as JSON. */
#include "cli/commands/backtest.h"

#include "base/ahead.h"
#include "base/metric.h"
#include "cli/show/json.h"

#include <math.h>

#define MS_PER_S 1000.0

static void json_time(struct oc_json *json, const char *key, int64_t t_ms)
{
    if (t_ms >= OC_BACKTEST_LEAST_WALL_MS)
        oc_json_put_time(json, key, t_ms);
    else
        oc_json_put_dbl(json, key, (double)t_ms / MS_PER_S);
}

static void json_name(struct oc_json *json, const struct oc_replay_name *name)
{
    const struct oc_metric_row *metric = oc_metric_by_number(name->metric);

    oc_json_put_str(json, "subject", name->subject);
    if (name->source)
        oc_json_put_u64(json, "source", name->source);
    if (name->pid)
        oc_json_put_u64(json, "pid", name->pid);
    if (metric)
        oc_json_put_str(json, "metric", metric->name);
    oc_json_put_str(json, "limit", oc_backtest_limit_name(name));
    if (name->where[0])
        oc_json_put_str(json, "where", name->where);
}

static void json_end(const struct oc_replay *replay, struct oc_json *json,
                     const struct oc_replay_end *end)
{
    oc_json_object(json);
    json_name(json, &replay->names[end->name]);
    oc_json_put_dbl(json, "limit_value", end->limit);
    json_time(json, "t", end->t_ms);
    oc_json_put_bool(json, "foretold", !oc_backtest_is_miss(end));
    oc_json_object_end(json);
}

/* Null of a time is never, or not known: of rules. */
static void json_alert(const struct oc_replay *replay, struct oc_json *json,
                       const struct oc_replay_alert *alert)
{
    oc_json_object(json);
    oc_json_put_str(json, "method", oc_replay_method_name(alert->method));
    json_name(json, &replay->names[alert->name]);
    oc_json_put_dbl(json, "limit_value", alert->limit);
    oc_json_put_dbl(json, "value", alert->value);
    json_time(json, "raised", alert->raised_ms);
    json_time(json, "over", alert->over_ms);
    oc_json_put_dbl(json, "after_s", (double)(alert->over_ms - alert->raised_ms) / MS_PER_S);
    oc_json_put_str(json, "came", oc_replay_came_name(alert->came));
    if (oc_ahead_is_known(alert->growth_per_h))
        oc_json_put_dbl(json, "growth_per_h", alert->growth_per_h);
    oc_json_put_dbl(json, "p10_s", alert->p10_s);
    oc_json_put_dbl(json, "p50_s", alert->p50_s);
    oc_json_put_dbl(json, "p90_s", alert->p90_s);
    oc_json_object_end(json);
}

static int json_method(const struct oc_replay *replay, struct oc_json *json, unsigned method)
{
    struct oc_replay_tally tally;
    int rc = oc_replay_tally(replay, (enum oc_replay_method)method, &tally);

    if (rc)
        return rc;
    oc_json_object(json);
    oc_json_put_str(json, "method", oc_replay_method_name(method));
    oc_json_put_u64(json, "alerts", tally.alerts);
    oc_json_put_u64(json, "foretold", tally.met);
    oc_json_put_u64(json, "false", tally.cleared);
    oc_json_put_u64(json, "restarted", tally.restarted);
    oc_json_put_u64(json, "limit_moved", tally.moved);
    oc_json_put_u64(json, "stands", tally.stands);
    oc_json_put_dbl(json, "false_per_week", tally.false_per_week);
    oc_json_put_dbl(json, "lead_s", tally.lead_s);
    oc_json_put_dbl(json, "lead_p10_s", tally.least_lead_s);
    oc_json_object_end(json);
    return OC_OK;
}

static void json_accuracy(struct oc_json *json, const struct oc_accuracy *sum)
{
    oc_json_key(json, "intervals");
    oc_json_object(json);
    oc_json_put_u64(json, "judged", sum->judged);
    oc_json_put_u64(json, "inside", sum->inside);
    oc_json_put_u64(json, "early", sum->early);
    oc_json_put_u64(json, "late", sum->late);
    oc_json_put_u64(json, "censored", sum->censored);
    if (sum->errors)
        oc_json_put_dbl(json, "error_factor", exp(sum->error_sum / (double)sum->errors));
    oc_json_object_end(json);
}

int oc_backtest_json(struct oc_cli *cli, const struct oc_replay *replay)
{
    unsigned methods = replay->with_rules ? OC_METHODS : 1;
    struct oc_json json;
    int rc = OC_OK;

    oc_json_init(&json, &cli->out);
    oc_json_object(&json);
    oc_json_put_u64(&json, "samples", replay->samples);
    oc_json_put_u64(&json, "series", replay->series);
    oc_json_put_u64(&json, "lives", replay->lives);
    oc_json_put_u64(&json, "limits_met", replay->end_count);
    if (replay->samples) {
        json_time(&json, "begin", replay->begin_ms);
        json_time(&json, "end", replay->end_ms);
    }
    oc_json_key(&json, "methods");
    oc_json_array(&json);
    for (unsigned i = 0; i < methods && !rc; i++)
        rc = json_method(replay, &json, i);
    oc_json_array_end(&json);
    json_accuracy(&json, &replay->accuracy);
    oc_json_key(&json, "alerts");
    oc_json_array(&json);
    for (size_t i = 0; i < replay->alert_count; i++)
        json_alert(replay, &json, &replay->alerts[i]);
    oc_json_array_end(&json);
    oc_json_key(&json, "ends");
    oc_json_array(&json);
    for (size_t i = 0; i < replay->end_count; i++)
        json_end(replay, &json, &replay->ends[i]);
    oc_json_array_end(&json);
    oc_json_object_end(&json);
    oc_buf_putc(&cli->out, '\n');
    return rc;
}
