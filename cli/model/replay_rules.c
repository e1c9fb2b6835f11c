#include "cli/model/replay_rules.h"

#include "base/alloc.h"

#include <math.h>

/* As daemon/forecast_say.c looks. */
#define LOOK_MS INT64_C(600000)
#define LOOK_GROWING_MS INT64_C(60000)
#define LOOK_LEAST_MS INT64_C(1000)
#define LOOK_PART 20
#define SAMPLES_MAX 9e18
#define CLOCK_MS                                                                                   \
    INT64_C(1767225600000) /* ahead of a trace that counts from its own beginning: no time is 0 */
#define LEAST_WALL_MS INT64_C(100000000000) /* 1973: a trace with less has a clock of its own */

struct oc_replay_rules {
    oc_alerts *alerts;
    uint32_t subject, source;
    oc_replay_rules_fn *fn;
    void *context;
    struct oc_windows windows;
    int64_t ahead_ms; /* of the trace's clock */
    int64_t now_ms, look_ms, tick_ms;
    uint8_t states[OC_SERIES_LIMITS];
};

static void hear(const struct oc_alert_change *change, void *context)
{
    const oc_replay_rules *rules = context;

    rules->fn(rules->now_ms - rules->ahead_ms, change, rules->context);
}

int oc_replay_rules_new(const struct oc_rules *rules, const struct oc_windows *windows,
                        const char *subject, oc_replay_rules_fn *fn, void *context,
                        oc_replay_rules **out_rules)
{
    oc_replay_rules *made = oc_calloc(1, sizeof(*made));

    if (!made)
        return OC_E_NOMEM;
    made->fn = fn;
    made->context = context;
    made->source = 1;
    made->now_ms = INT64_MIN;
    if (oc_alerts_new(&(struct oc_alerts_options){ .max_alerts = OC_RULES_MAX }, hear, made,
                      &made->alerts) < 0 ||
        oc_alerts_set_rules(made->alerts, rules, CLOCK_MS) < 0 ||
        (windows && oc_windows_copy(windows, &made->windows) < 0)) {
        oc_replay_rules_free(made);
        return OC_E_NOMEM;
    }
    made->subject = oc_alerts_subject(made->alerts, subject, OC_SOURCE_PROCESS);
    if (made->subject == OC_ALERT_NO_SUBJECT) {
        oc_replay_rules_free(made);
        return OC_E_NOMEM;
    }
    *out_rules = made;
    return OC_OK;
}

void oc_replay_rules_free(oc_replay_rules *rules)
{
    if (!rules)
        return;
    oc_alerts_free(rules->alerts);
    oc_windows_clear(&rules->windows);
    oc_free(rules);
}

/* ---- time ---- */

/* The first time says which clock it is. Without memory for them there are no windows. */
static void start(oc_replay_rules *rules, int64_t t_ms)
{
    rules->ahead_ms = t_ms < LEAST_WALL_MS ? CLOCK_MS : 0;
    rules->now_ms = rules->tick_ms = t_ms + rules->ahead_ms;
    if (rules->ahead_ms == 0 && rules->windows.count > 0)
        (void)oc_alerts_set_windows(rules->alerts, &rules->windows, rules->now_ms);
}

/* What was due until then by time alone. Clocks of traces may step back: nothing is done again. */
static void pass(oc_replay_rules *rules, int64_t t_ms)
{
    int64_t until_ms;

    if (rules->now_ms == INT64_MIN)
        start(rules, t_ms);
    until_ms = t_ms + rules->ahead_ms;
    while (rules->tick_ms < until_ms) {
        if (rules->tick_ms > rules->now_ms)
            rules->now_ms = rules->tick_ms;
        rules->tick_ms = oc_alerts_tick(rules->alerts, rules->now_ms);
    }
    if (until_ms > rules->now_ms)
        rules->now_ms = until_ms;
}

/* ---- facts ---- */

static void tell_sample(oc_replay_rules *rules, unsigned metric, double value)
{
    struct oc_sample sample = { .block = (uint8_t)OC_METRIC_BLOCK(metric) };

    if (!(oc_alerts_wanted_metrics(rules->alerts, rules->subject, sample.block) &
          OC_METRIC_BIT(metric)) ||
        !(fabs(value) < SAMPLES_MAX))
        return;
    oc_sample_set(&sample, (enum oc_metric)metric, (int64_t)value);
    oc_alerts_sample(rules->alerts, rules->subject, rules->source, 0, &sample, rules->now_ms);
}

static int is_growing(unsigned state)
{
    return state == OC_FORECAST_GROWING || state == OC_FORECAST_LEAKING ||
           state == OC_FORECAST_SAVED;
}

static int has_changed(const oc_replay_rules *rules, const oc_series *series,
                       const struct oc_limit *limits, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (limits[i].kind && oc_series_state(series, i) != rules->states[i])
            return 1;
    }
    return 0;
}

static void plan_look(oc_replay_rules *rules, const struct oc_forecast_row *rows, size_t count)
{
    double wait_ms = (double)LOOK_MS;

    for (size_t i = 0; i < count; i++) {
        if (!is_growing(rows[i].forecast.state))
            continue;
        wait_ms = fmin(wait_ms, (double)LOOK_GROWING_MS);
        if (rows[i].forecast.p50_s * 1000 / LOOK_PART < wait_ms)
            wait_ms = fmax(rows[i].forecast.p50_s * 1000 / LOOK_PART, (double)LOOK_LEAST_MS);
    }
    rules->look_ms = rules->now_ms + (int64_t)wait_ms;
}

static void tell_forecasts(oc_replay_rules *rules, const oc_series *series,
                           const struct oc_limit *limits, unsigned count)
{
    struct oc_forecast_row rows[OC_SERIES_LIMITS];
    size_t told = 0;

    for (unsigned i = 0; i < count; i++) {
        if (limits[i].kind == 0)
            continue;
        rows[told].limit = limits[i];
        oc_series_forecast(series, i, &rows[told].forecast);
        rules->states[i] = (uint8_t)oc_series_state(series, i);
        rows[told].forecast.t_ms = rules->now_ms;
        told++;
    }
    plan_look(rules, rows, told);
    oc_alerts_forecasts(
        rules->alerts, rules->subject,
        &(struct oc_alert_outlook){ .source = rules->source, .rows = rows, .count = told },
        rules->now_ms);
}

void oc_replay_rules_fed(oc_replay_rules *rules, const oc_series *series,
                         const struct oc_limit *limits, unsigned count, unsigned metric,
                         double value, int64_t t_ms)
{
    pass(rules, t_ms);
    if (metric != 0)
        tell_sample(rules, metric, value);
    if (rules->now_ms >= rules->look_ms || has_changed(rules, series, limits, count))
        tell_forecasts(rules, series, limits, count);
}

void oc_replay_rules_end(oc_replay_rules *rules, enum oc_end end, enum oc_killer killer,
                         int64_t t_ms)
{
    const struct oc_alert_event over = { .kind = OC_ALERT_EVENT_ENDED,
                                         .source = rules->source,
                                         .end = end,
                                         .status = end == OC_END_EXITED ? 0 : 9,
                                         .killer = killer };
    const struct oc_alert_event begins = { .kind = OC_ALERT_EVENT_BEGAN,
                                           .source = rules->source + 1 };

    pass(rules, t_ms);
    oc_alerts_event(rules->alerts, rules->subject, &over, rules->now_ms);
    oc_alerts_event(rules->alerts, rules->subject, &begins, rules->now_ms);
    rules->source++;
    rules->look_ms = rules->now_ms;
}

int oc_replay_rules_is_told(const struct oc_alert *alert)
{
    const unsigned kept_back = OC_ALERT_SILENCED | OC_ALERT_MAINTENANCE | OC_ALERT_PLANNED;

    return alert->state == OC_ALERT_FIRING && !(alert->mutes & kept_back);
}
