/*
 * The rules that look at forecasts, all rows of one source at a time: will it meet a limit soon enough, is one met at which
 * requests fail, does it leak with nothing to stop it, does it grow too fast.
 */
#include "alert/engine.h"

#include <math.h>

#define CLEAR_FACTOR 1.5            /* of the horizon: docs/alerts.md */
#define LIMITED_MS INT64_C(7200000) /* its ceilings are told each 10 min */
#define SURE_ERRORS 3               /* of a slope */
#define HOST_SHARE 0.5              /* of the host's growth */

static int is_growing(const struct oc_forecast *forecast)
{
    return forecast->state == OC_FORECAST_LEAKING || forecast->state == OC_FORECAST_GROWING ||
           forecast->state == OC_FORECAST_SAVED;
}

static unsigned effect_of(const struct oc_limit *limit)
{
    const struct oc_limit_row *row = oc_limit_row(limit->kind);

    return row ? row->effect : OC_EFFECT_DIES;
}

static double chance_within(const struct oc_forecast *forecast, double horizon_ms, int64_t now_ms)
{
    double age_s = fmax(0, (double)(now_ms - forecast->t_ms) / 1000);
    double chance = oc_forecast_within(forecast, age_s, fmax(0, horizon_ms) / 1000);

    return chance == chance ? chance : 0;
}

/* ---- what limits are to a rule ---- */

/* A line of experience is passed in silence by many; where a new process takes the place of the old one, little is lost. */
enum weight { WEIGHT_LINE, WEIGHT_RECYCLE, WEIGHT_END };

static unsigned weight_of(const struct oc_limit *limit)
{
    if (limit->kind == OC_LIMIT_DANGER_VIRTUAL || limit->kind == OC_LIMIT_DANGER_PRIVATE)
        return WEIGHT_LINE;
    return effect_of(limit) == OC_EFFECT_RECYCLED ? WEIGHT_RECYCLE : WEIGHT_END;
}

/* From now on; INFINITY: not in sight. */
static double deadline_of(const struct oc_forecast *forecast, int64_t now_ms)
{
    double left_s = forecast->p50_s - (double)(now_ms - forecast->t_ms) / 1000;

    if (forecast->state == OC_FORECAST_EXHAUSTED)
        return 0;
    return left_s == left_s ? left_s : (double)INFINITY;
}

/*
 * When it will be recycled for its memory: INFINITY: not in sight, NAN: nothing recycles it. One that is met and
 * runs on is not counted on.
 */
static double recycled_in(const struct oc_alert_outlook *outlook, int64_t now_ms)
{
    double soonest_s = (double)NAN;

    for (size_t i = 0; i < outlook->count; i++) {
        const struct oc_forecast *forecast = &outlook->rows[i].forecast;
        double left_s = (double)INFINITY;

        if (weight_of(&outlook->rows[i].limit) != WEIGHT_RECYCLE)
            continue;
        if (forecast->state == OC_FORECAST_LEAKING || forecast->state == OC_FORECAST_SAVED)
            left_s = deadline_of(forecast, now_ms);
        soonest_s = fmin(soonest_s, left_s); /* fmin() passes over what is none */
    }
    return soonest_s;
}

/* ---- forecast ---- */

/*
 * What a met limit means here. Where requests fail OC_RULE_EXHAUSTED says it; at memory.high a cgroup may live for
 * good, so that alone is not critical; IIS recycles when it looks next, and beyond a line of experience most live on.
 * What fires goes on in each case.
 */
static enum oc_hold hold_of_met(const struct oc_rule *rule, const struct oc_limit *limit)
{
    unsigned effect = effect_of(limit);

    if (effect == OC_EFFECT_FAILS || weight_of(limit) != WEIGHT_END)
        return OC_HOLD_BETWEEN;
    if (effect == OC_EFFECT_STALLS && rule->severity == OC_SEVERITY_CRITICAL)
        return OC_HOLD_BETWEEN;
    return OC_HOLD_YES;
}

/*
 * Growth that is not sure to be a leak keeps an alert, and begins none: with it there are
 * 3.7 false warnings in a process-month (docs/forecast.md).
 */
static enum oc_hold hold_of(const struct oc_rule *rule, const struct oc_forecast_row *row,
                            int64_t now_ms, double *out_chance)
{
    const double horizon_ms = (double)rule->horizon_ms;

    *out_chance = 1;
    if (row->forecast.state == OC_FORECAST_EXHAUSTED)
        return hold_of_met(rule, &row->limit);
    *out_chance = chance_within(&row->forecast, horizon_ms, now_ms);
    if (*out_chance >= rule->chance)
        return row->forecast.state == OC_FORECAST_GROWING ? OC_HOLD_BETWEEN : OC_HOLD_YES;
    *out_chance = chance_within(&row->forecast, horizon_ms * CLEAR_FACTOR, now_ms);
    return *out_chance >= rule->chance ? OC_HOLD_BETWEEN : OC_HOLD_OVER;
}

/* What there is to a verdict besides the row at hand. */
struct around {
    const struct oc_alerts *alerts;
    const struct oc_engine_subject *subject;
    int64_t planned_ms; /* of this life, or of all of the subject; OC_NEVER */
    double recycled_s;  /* as recycled_in() */
    int64_t now_ms;
};

static struct around look_around(const struct oc_alerts *alerts,
                                 const struct oc_engine_subject *subject,
                                 const struct oc_alert_outlook *outlook, int64_t now_ms)
{
    struct around around = { alerts, subject, oc_window_next_restart(alerts, subject),
                             recycled_in(outlook, now_ms), now_ms };

    if (outlook->planned_ms > now_ms && outlook->planned_ms < around.planned_ms)
        around.planned_ms = outlook->planned_ms;
    return around;
}

/* A planned end comes first, or has always come first. */
static void note_plans(const struct around *around, const struct oc_rule *rule,
                       const struct oc_forecast_row *row, struct oc_verdict *verdict)
{
    const struct oc_forecast *forecast = &row->forecast;

    verdict->is_planned = 0;
    verdict->note = OC_NOTE_NONE;
    if (forecast->state == OC_FORECAST_EXHAUSTED)
        return;
    if (around->planned_ms != OC_NEVER &&
        chance_within(forecast, (double)(around->planned_ms - around->now_ms), around->now_ms) <
            rule->chance) {
        verdict->is_planned = 1;
        verdict->note = OC_NOTE_PLANNED;
        verdict->planned_ms = around->planned_ms;
    } else if (verdict->weight == WEIGHT_END && around->recycled_s == around->recycled_s) {
        verdict->is_planned = around->recycled_s < verdict->deadline_s;
        verdict->note = verdict->is_planned ? OC_NOTE_AFTER_RECYCLE : OC_NOTE_BEFORE_RECYCLE;
    }
    if (forecast->state == OC_FORECAST_SAVED)
        verdict->is_planned = 1;
}

/* What is worse is told: it holds, is to be told, is a real end, and comes first. */
static int is_worse(const struct oc_verdict *a, const struct oc_verdict *b)
{
    if (a->hold != b->hold)
        return a->hold > b->hold;
    if (a->is_planned != b->is_planned)
        return !a->is_planned;
    if (a->weight != b->weight)
        return a->weight > b->weight;
    return a->deadline_s < b->deadline_s;
}

static void judge_limit(const struct around *around, const struct oc_rule *rule,
                        const struct oc_forecast_row *row, struct oc_verdict *worst)
{
    struct oc_verdict verdict = *worst;
    double chance = 0;

    if (row->limit.kind == 0 ||
        (!is_growing(&row->forecast) && row->forecast.state != OC_FORECAST_EXHAUSTED))
        return;
    verdict.weight = (uint8_t)weight_of(&row->limit);
    if (verdict.weight != WEIGHT_END && rule->severity == OC_SEVERITY_CRITICAL)
        return; /* the critical one is for what ends it */
    verdict.hold = (uint8_t)hold_of(rule, row, around->now_ms, &chance);
    verdict.value = verdict.chance = chance;
    verdict.deadline_s = deadline_of(&row->forecast, around->now_ms);
    note_plans(around, rule, row, &verdict);
    verdict.about = row;
    verdict.text = NULL;
    if (is_worse(&verdict, worst) || !worst->about)
        *worst = verdict;
}

static void judge_forecast(const struct around *around, const struct oc_rule *rule,
                           const struct oc_alert_outlook *outlook, struct oc_verdict *verdict)
{
    verdict->bound = rule->chance;
    verdict->text = "it does not grow any more";
    for (size_t i = 0; i < outlook->count; i++) {
        if (rule->metric == 0 || rule->metric == outlook->rows[i].forecast.metric)
            judge_limit(around, rule, &outlook->rows[i], verdict);
    }
}

/* ---- exhausted ---- */

static void judge_exhausted(const struct oc_forecast_row *rows, size_t count,
                            struct oc_verdict *verdict)
{
    verdict->text = "there is room again";
    for (size_t i = 0; i < count; i++) {
        if (rows[i].forecast.state != OC_FORECAST_EXHAUSTED ||
            effect_of(&rows[i].limit) != OC_EFFECT_FAILS)
            continue;
        verdict->hold = OC_HOLD_YES;
        verdict->about = &rows[i];
        verdict->value = rows[i].forecast.value;
        verdict->bound = rows[i].forecast.limit;
        verdict->deadline_s = 0;
        verdict->text = NULL;
        return;
    }
}

/* ---- no limit ---- */

static int is_bytes(const struct oc_forecast *forecast)
{
    const struct oc_metric_row *row = oc_metric_by_number(forecast->metric);

    return row && row->unit == OC_UNIT_BYTES;
}

/*
 * A leak that nothing but the host's memory ends. Without a limit growth cannot be told from a leak: it is one
 * where the host's memory leaks, and most of that is this one's growth.
 */
static int is_open(const struct oc_alerts *alerts, const struct oc_forecast_row *row)
{
    const struct oc_forecast *forecast = &row->forecast;

    if ((row->limit.kind != 0 && row->limit.kind != OC_LIMIT_HOST_MEMORY &&
         row->limit.kind != OC_LIMIT_HOST_PHYSICAL) ||
        !is_bytes(forecast))
        return 0;
    if (forecast->state == OC_FORECAST_LEAKING)
        return 1;
    return forecast->state == OC_FORECAST_GROWING &&
           forecast->growth_per_h > SURE_ERRORS * forecast->growth_error_per_h &&
           forecast->growth_per_h >= HOST_SHARE * alerts->host_growth_per_h;
}

static void judge_no_limit(const struct around *around, const struct oc_forecast_row *rows,
                           size_t count, struct oc_verdict *verdict)
{
    const struct oc_engine_subject *subject = around->subject;

    verdict->text = "it does not leak any more";
    if (subject->is_host)
        return;
    if (subject->limited_ms != OC_NO_TIME && around->now_ms - subject->limited_ms <= LIMITED_MS) {
        verdict->text = "it has a limit of its own";
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_open(around->alerts, &rows[i]))
            continue;
        verdict->hold = OC_HOLD_YES;
        verdict->is_planned = around->planned_ms != OC_NEVER; /* so something does end it */
        verdict->note = verdict->is_planned ? OC_NOTE_PLANNED : OC_NOTE_NONE;
        verdict->planned_ms = around->planned_ms;
        verdict->about = &rows[i];
        verdict->value = rows[i].forecast.growth_per_h;
        verdict->text = NULL;
        return;
    }
}

/* ---- growth of what is forecast ---- */

static void judge_growth(const struct oc_rule *rule, const struct oc_forecast_row *rows,
                         size_t count, struct oc_verdict *verdict)
{
    double most = -(double)INFINITY;

    verdict->bound = rule->enter;
    verdict->text = "it does not grow any more";
    for (size_t i = 0; i < count; i++) {
        const struct oc_forecast *forecast = &rows[i].forecast;

        if (!is_bytes(forecast) || !(forecast->growth_per_h > most) ||
            (!is_growing(forecast) && forecast->state != OC_FORECAST_WARMING))
            continue;
        most = forecast->growth_per_h;
        verdict->about = &rows[i];
    }
    if (!verdict->about)
        return;
    verdict->value = most;
    verdict->text = NULL;
    verdict->hold = most >= rule->enter ? OC_HOLD_YES
                    : most > (rule->clear == rule->clear ? rule->clear : rule->enter)
                        ? OC_HOLD_BETWEEN
                        : OC_HOLD_OVER;
}

void oc_rule_judge_forecast(const struct oc_alerts *alerts, const struct oc_engine_subject *subject,
                            const struct oc_rule *rule, const struct oc_alert_outlook *outlook,
                            int64_t now_ms, struct oc_verdict *verdict)
{
    const struct around around = look_around(alerts, subject, outlook, now_ms);

    switch (rule->kind) {
    case OC_RULE_FORECAST:
        judge_forecast(&around, rule, outlook, verdict);
        break;
    case OC_RULE_EXHAUSTED:
        judge_exhausted(outlook->rows, outlook->count, verdict);
        break;
    case OC_RULE_NO_LIMIT:
        judge_no_limit(&around, outlook->rows, outlook->count, verdict);
        break;
    case OC_RULE_GROWTH:
        judge_growth(rule, outlook->rows, outlook->count, verdict);
        break;
    default:
        break;
    }
}
