#include "cli/model/replay.h"

#include "base/alloc.h"
#include "base/metric.h"
#include "forecast/rules.h"
#include "forecast/score.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POOL_BYTES ((size_t)(256) << 20)
#define FOLD_MS INT64_C(60000) /* quiet samples are fed as one range: as the daemon does */
#define WIDE_PART 64           /* a range wider than this part of its value is fed at once */
#define LOOK_SHARE 0.02        /* of the time to the limit: from one forecast kept to the next */
#define LEAST_LOOK_MS INT64_C(10000)
#define MOST_LOOK_MS INT64_C(600000)
#define NEAR_SHARE 0.9   /* an end without a word was this limit's doing where so much was in use */
#define BELOW_SHARE 0.95 /* a limit that was met is met again only after less was in use */
#define NO_ALERT SIZE_MAX

struct method_state {
    size_t alert;     /* index of the one that stands; NO_ALERT */
    int64_t since_ms; /* the rule has said so since; INT64_MIN: it does not */
    oc_rule *rule;    /* NULL: the forecaster, or no rules are wanted */
};

struct slot {
    char *where;   /* owned */
    double limit;  /* NAN: none in force */
    uint32_t name; /* index of the replay's names; UINT32_MAX: not named yet in this life */
    uint8_t kind;
    uint8_t state;   /* of the forecaster, as last seen */
    uint8_t was_met; /* and use has not gone down since */
    int64_t look_ms; /* when the next forecast is kept */
    struct oc_book book;
    struct method_state methods[OC_METHODS];
};

struct oc_replay_lane {
    struct oc_replay *replay; /* borrowed */
    char *subject;
    oc_series *series, *companion; /* the pool's */
    unsigned metric, companion_metric;
    int falls, has_lived, is_rebased;
    int was_killed; /* the life before */
    uint32_t source, pid;
    double last;     /* NAN: none in this life */
    int64_t last_ms; /* INT64_MIN: none */
    int is_calm;
    double low, high; /* of the samples that wait */
    uint32_t waiting;
    int64_t due_ms;
    double edge;  /* the nearest limit */
    double scale; /* of a falling figure: its first value, that rules may see it rise */
    unsigned slot_count;
    struct slot slots[OC_SERIES_LIMITS];
};

static int is_number(double value) { return value >= -DBL_MAX && value <= DBL_MAX; }

/* ---- the replay ---- */

const char *oc_replay_method_name(unsigned method)
{
    static const char *const names[OC_METHODS] = { "oomcast", "80 % used", "90 % used",
                                                   "line of 1 h", "line of 6 h" };

    return method < OC_METHODS ? names[method] : "?";
}

const char *oc_replay_came_name(unsigned came)
{
    static const char *const names[] = { "stands", "met", "cleared", "restarted", "limit moved" };

    return came < sizeof(names) / sizeof(names[0]) ? names[came] : "?";
}

int oc_replay_init(struct oc_replay *replay, const struct oc_forecast_settings *settings,
                   int with_rules)
{
    memset(replay, 0, sizeof(*replay));
    replay->with_rules = with_rules;
    replay->begin_ms = INT64_MAX;
    replay->end_ms = INT64_MIN;
    replay->pool = oc_forecast_pool_new(POOL_BYTES, settings);
    return replay->pool ? OC_OK : OC_E_NOMEM;
}

void oc_replay_clear(struct oc_replay *replay)
{
    for (size_t i = 0; i < replay->name_count; i++) {
        oc_free(replay->names[i].subject);
        oc_free(replay->names[i].where);
    }
    oc_free(replay->names);
    oc_free(replay->alerts);
    oc_forecast_pool_free(replay->pool);
    memset(replay, 0, sizeof(*replay));
}

static void fail(struct oc_replay *replay, int rc)
{
    if (!replay->err)
        replay->err = rc;
}

/* ---- what became of them ---- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void count_alert(const struct oc_replay_alert *alert, double *leads,
                        struct oc_replay_tally *tally)
{
    tally->alerts++;
    switch (alert->came) {
    case OC_CAME_MET:
        leads[tally->met++] = (double)(alert->over_ms - alert->raised_ms) / 1000.0;
        break;
    case OC_CAME_CLEARED:
        tally->cleared++;
        break;
    case OC_CAME_RESTARTED:
        tally->restarted++;
        break;
    case OC_CAME_MOVED:
        tally->moved++;
        break;
    default:
        tally->stands++;
        break;
    }
}

int oc_replay_tally(const struct oc_replay *replay, enum oc_replay_method method,
                    struct oc_replay_tally *out_tally)
{
    double *leads = oc_malloc((replay->alert_count + 1) * sizeof(*leads));
    double weeks = (double)(replay->end_ms - replay->begin_ms) / (7 * 86400e3);

    *out_tally = (struct oc_replay_tally){ .false_per_week = (double)NAN,
                                           .lead_s = (double)NAN,
                                           .least_lead_s = (double)NAN };
    if (!leads)
        return OC_E_NOMEM;
    for (size_t i = 0; i < replay->alert_count; i++) {
        if (replay->alerts[i].method == method)
            count_alert(&replay->alerts[i], leads, out_tally);
    }
    if (replay->end_ms > replay->begin_ms)
        out_tally->false_per_week = (double)out_tally->cleared / weeks;
    if (out_tally->met > 0) {
        qsort(leads, out_tally->met, sizeof(*leads), by_size);
        out_tally->lead_s = leads[out_tally->met / 2];
        out_tally->least_lead_s = leads[out_tally->met / 10];
    }
    oc_free(leads);
    return OC_OK;
}

/* ---- a lane ---- */

static void free_methods(struct slot *slot)
{
    for (unsigned i = 0; i < OC_METHODS; i++)
        oc_rule_free(slot->methods[i].rule);
    oc_free(slot->where);
}

static oc_rule *make_rule(unsigned method)
{
    switch (method) {
    case OC_METHOD_USED_80:
        return oc_rule_threshold(0.8);
    case OC_METHOD_USED_90:
        return oc_rule_threshold(0.9);
    case OC_METHOD_LINE_1H:
        return oc_rule_line(3600, 4 * 3600.0);
    default:
        return oc_rule_line(6 * 3600.0, 24 * 3600.0);
    }
}

static int init_slot(struct slot *slot, int with_rules)
{
    slot->limit = (double)NAN;
    slot->name = UINT32_MAX;
    oc_book_init(&slot->book);
    for (unsigned i = 0; i < OC_METHODS; i++) {
        slot->methods[i].alert = NO_ALERT;
        slot->methods[i].since_ms = INT64_MIN;
        if (!with_rules || i == OC_METHOD_FORECAST)
            continue;
        slot->methods[i].rule = make_rule(i);
        if (!slot->methods[i].rule)
            return OC_E_NOMEM;
    }
    return OC_OK;
}

int oc_replay_lane_new(struct oc_replay *replay, const struct oc_replay_lane_options *options,
                       oc_replay_lane **out_lane)
{
    const struct oc_series_options series = { .metric = (uint16_t)options->metric,
                                              .falls = options->falls };
    oc_replay_lane *lane = oc_calloc(1, sizeof(*lane));
    int rc;

    if (!lane)
        return OC_E_NOMEM;
    lane->replay = replay;
    lane->metric = options->metric;
    lane->falls = options->falls;
    lane->scale = lane->last = (double)NAN;
    lane->last_ms = lane->due_ms = INT64_MIN;
    lane->subject = oc_strdup(options->subject);
    rc = lane->subject ? oc_series_new(replay->pool, &series, &lane->series) : OC_E_NOMEM;
    if (rc) {
        oc_replay_lane_free(lane);
        return rc;
    }
    replay->lanes++;
    *out_lane = lane;
    return OC_OK;
}

void oc_replay_lane_free(oc_replay_lane *lane)
{
    if (!lane)
        return;
    if (lane->series)
        oc_series_companion(lane->series, NULL);
    oc_series_free(lane->series);
    oc_series_free(lane->companion);
    for (unsigned i = 0; i < lane->slot_count; i++)
        free_methods(&lane->slots[i]);
    oc_free(lane->subject);
    oc_free(lane);
}

oc_series *oc_replay_lane_series(oc_replay_lane *lane) { return lane->series; }

/* ---- alerts ---- */

/* The entry of a slot among the names, made at its first alert of a life. OC_OK or a code. */
static int name_slot(oc_replay_lane *lane, struct slot *slot)
{
    struct oc_replay *replay = lane->replay;
    void *names = replay->names;
    struct oc_replay_name *name;
    int rc;

    if (slot->name != UINT32_MAX)
        return OC_OK;
    rc = oc_array_grow(&names, &replay->name_capacity, replay->name_count + 1, sizeof(*name),
                       OC_REPLAY_MAX_ALERTS);
    replay->names = names;
    if (rc)
        return rc;
    name = &replay->names[replay->name_count];
    *name = (struct oc_replay_name){ .source = lane->source,
                                     .pid = lane->pid,
                                     .metric = (uint16_t)lane->metric,
                                     .limit_kind = slot->kind };
    name->subject = oc_strdup(lane->subject);
    name->where = oc_strdup(slot->where ? slot->where : "");
    if (!name->subject || !name->where) {
        oc_free(name->subject);
        oc_free(name->where);
        return OC_E_NOMEM;
    }
    slot->name = (uint32_t)replay->name_count++;
    return OC_OK;
}

static void raise_alert(oc_replay_lane *lane, struct slot *slot, unsigned method, int64_t t_ms,
                        const struct oc_forecast *forecast)
{
    struct oc_replay *replay = lane->replay;
    void *alerts = replay->alerts;
    int rc;

    if (replay->alert_count == OC_REPLAY_MAX_ALERTS) {
        replay->dropped++;
        return;
    }
    rc = name_slot(lane, slot);
    if (!rc)
        rc = oc_array_grow(&alerts, &replay->alert_capacity, replay->alert_count + 1,
                           sizeof(*replay->alerts), OC_REPLAY_MAX_ALERTS);
    replay->alerts = alerts;
    if (rc) {
        fail(replay, rc);
        return;
    }
    replay->alerts[replay->alert_count] =
        (struct oc_replay_alert){ .name = slot->name,
                                  .method = (uint8_t)method,
                                  .raised_ms = t_ms,
                                  .over_ms = t_ms,
                                  .value = lane->last,
                                  .limit = slot->limit,
                                  .growth_per_h = forecast->growth_per_h,
                                  .p10_s = forecast->p10_s,
                                  .p50_s = forecast->p50_s,
                                  .p90_s = forecast->p90_s };
    slot->methods[method].alert = replay->alert_count++;
}

static void close_alert(oc_replay_lane *lane, struct slot *slot, unsigned method, int64_t t_ms,
                        enum oc_replay_came came)
{
    struct method_state *state = &slot->methods[method];

    if (state->alert != NO_ALERT) {
        lane->replay->alerts[state->alert].over_ms = t_ms;
        lane->replay->alerts[state->alert].came = (uint8_t)came;
    }
    state->alert = NO_ALERT;
    state->since_ms = INT64_MIN;
}

static void close_alerts(oc_replay_lane *lane, struct slot *slot, int64_t t_ms,
                         enum oc_replay_came came)
{
    for (unsigned i = 0; i < OC_METHODS; i++)
        close_alert(lane, slot, i, t_ms, came);
}

/* The limit is met: what stood was right. */
static void meet(oc_replay_lane *lane, struct slot *slot, int64_t t_ms)
{
    if (slot->was_met)
        return;
    slot->was_met = 1;
    lane->replay->ends++;
    close_alerts(lane, slot, t_ms, OC_CAME_MET);
    oc_book_met(&slot->book, t_ms, &lane->replay->accuracy);
}

/* ---- looking ---- */

/* The same length of way for a figure that rises to its limit and one that falls to it. */
static int is_below(const oc_replay_lane *lane, const struct slot *slot, double share)
{
    if (lane->falls)
        return lane->last * share > slot->limit;
    return lane->last < slot->limit * share;
}

/* Whether a forecast is to be kept: the state changed, or some time has passed. */
static int is_time(struct slot *slot, enum oc_forecast_state state, int64_t t_ms)
{
    if (state == slot->state && (t_ms < slot->look_ms || state == OC_FORECAST_LEARNING))
        return 0;
    slot->state = (uint8_t)state;
    return 1;
}

static void plan_look(struct slot *slot, const struct oc_forecast *forecast)
{
    double wait_ms = forecast->p50_s * LOOK_SHARE * 1000.0;

    slot->look_ms = forecast->t_ms + MOST_LOOK_MS;
    if (wait_ms < (double)MOST_LOOK_MS)
        slot->look_ms = forecast->t_ms + LEAST_LOOK_MS + (int64_t)fmax(0, wait_ms);
}

static void look_at(oc_replay_lane *lane, unsigned index, int64_t t_ms)
{
    struct slot *slot = &lane->slots[index];
    enum oc_forecast_state state = oc_series_state(lane->series, index);
    struct oc_forecast forecast;

    if (slot->was_met && (state == OC_FORECAST_EXHAUSTED || !is_below(lane, slot, BELOW_SHARE)))
        return;
    slot->was_met = 0;
    if (!is_time(slot, state, t_ms))
        return;
    oc_series_forecast(lane->series, index, &forecast);
    plan_look(slot, &forecast);
    if (state == OC_FORECAST_EXHAUSTED) {
        meet(lane, slot, t_ms);
        return;
    }
    oc_book_forecast(&slot->book, &forecast, &lane->replay->accuracy);
    if (state == OC_FORECAST_LEAKING && slot->methods[OC_METHOD_FORECAST].alert == NO_ALERT)
        raise_alert(lane, slot, OC_METHOD_FORECAST, t_ms, &forecast);
    else if (state != OC_FORECAST_LEAKING)
        close_alert(lane, slot, OC_METHOD_FORECAST, t_ms,
                    state == OC_FORECAST_SAVED ? OC_CAME_RESTARTED : OC_CAME_CLEARED);
}

static void look(oc_replay_lane *lane, int64_t t_ms)
{
    lane->is_calm = oc_series_is_calm(lane->series);
    for (unsigned i = 0; i < lane->slot_count; i++) {
        if (is_number(lane->slots[i].limit))
            look_at(lane, i, t_ms);
    }
}

/* ---- rules ---- */

static void try_rule(oc_replay_lane *lane, struct slot *slot, unsigned method, int64_t t_ms,
                     double value, double limit)
{
    struct method_state *state = &slot->methods[method];
    struct oc_forecast forecast = { .growth_per_h = (double)NAN,
                                    .p10_s = (double)NAN,
                                    .p90_s = (double)NAN };
    int says = oc_rule_feed(state->rule, t_ms, value, limit, &forecast.p50_s);

    if (!says) {
        close_alert(lane, slot, method, t_ms, OC_CAME_CLEARED);
        return;
    }
    if (state->since_ms == INT64_MIN || t_ms < state->since_ms)
        state->since_ms = t_ms;
    if (t_ms - state->since_ms >= OC_REPLAY_HOLD_MS && state->alert == NO_ALERT && !slot->was_met)
        raise_alert(lane, slot, method, t_ms, &forecast);
}

/* A figure that falls is turned over, from its first value on: rules know only what rises. */
static void try_rules(oc_replay_lane *lane, int64_t t_ms)
{
    double value = lane->falls ? lane->scale - lane->last : lane->last;

    for (unsigned i = 0; i < lane->slot_count; i++) {
        struct slot *slot = &lane->slots[i];
        double limit = lane->falls ? lane->scale - slot->limit : slot->limit;

        for (unsigned method = OC_METHOD_USED_80; is_number(limit) && method < OC_METHODS; method++)
            try_rule(lane, slot, method, t_ms, value, limit);
    }
}

/* ---- samples ---- */

static void feed_waiting(oc_replay_lane *lane)
{
    if (lane->waiting == 1)
        oc_series_feed(lane->series, lane->last_ms, lane->last);
    else if (lane->waiting > 1)
        oc_series_feed_range(lane->series, lane->last_ms, lane->low, lane->high, lane->last,
                             lane->waiting);
    lane->waiting = 0;
}

static void flush(oc_replay_lane *lane)
{
    if (lane->waiting == 0)
        return;
    feed_waiting(lane);
    look(lane, lane->last_ms);
}

static int is_beyond(const oc_replay_lane *lane, double value)
{
    return lane->falls ? value <= lane->edge : value >= lane->edge;
}

static void note_time(struct oc_replay *replay, int64_t t_ms, uint32_t count)
{
    replay->samples += count;
    if (t_ms < replay->begin_ms)
        replay->begin_ms = t_ms;
    if (t_ms > replay->end_ms)
        replay->end_ms = t_ms;
}

/* Takes it to those that wait. Returns whether it may. */
static int wait_with(oc_replay_lane *lane, int64_t t_ms, double value)
{
    double low = lane->waiting > 0 ? fmin(lane->low, value) : value;
    double high = lane->waiting > 0 ? fmax(lane->high, value) : value;

    if (!lane->is_calm || is_beyond(lane, value) || t_ms >= lane->due_ms || t_ms < lane->last_ms ||
        (high - low) * WIDE_PART > fabs(high))
        return 0;
    lane->low = low;
    lane->high = high;
    lane->waiting++;
    lane->last = value;
    lane->last_ms = t_ms;
    return 1;
}

static void rebase(oc_replay_lane *lane, double value)
{
    if (is_number(lane->last)) {
        flush(lane);
        oc_series_rebase(lane->series, value - lane->last);
    }
    lane->is_rebased = 0;
}

void oc_replay_lane_feed(oc_replay_lane *lane, int64_t t_ms, double value)
{
    if (!is_number(value))
        return;
    note_time(lane->replay, t_ms, 1);
    if (lane->is_rebased)
        rebase(lane, value);
    if (!wait_with(lane, t_ms, value)) {
        feed_waiting(lane);
        lane->last = value;
        lane->last_ms = t_ms;
        oc_series_feed(lane->series, t_ms, value);
        look(lane, t_ms);
        lane->due_ms = t_ms - t_ms % FOLD_MS + FOLD_MS;
    }
    if (lane->replay->with_rules) {
        if (!is_number(lane->scale))
            lane->scale = value;
        try_rules(lane, t_ms);
    }
}

void oc_replay_lane_feed_range(oc_replay_lane *lane, int64_t t_ms, double low, double high,
                               double last, uint32_t count)
{
    note_time(lane->replay, t_ms, count);
    if (lane->is_rebased)
        rebase(lane, last);
    feed_waiting(lane);
    lane->last = last;
    lane->last_ms = t_ms;
    oc_series_feed_range(lane->series, t_ms, low, high, last, count);
    look(lane, t_ms);
    if (lane->replay->with_rules)
        try_rules(lane, t_ms);
}

void oc_replay_lane_rebase(oc_replay_lane *lane) { lane->is_rebased = 1; }

void oc_replay_lane_feed_companion(oc_replay_lane *lane, unsigned metric, int64_t t_ms,
                                   double value)
{
    const struct oc_series_options options = { .metric = (uint16_t)metric };

    if (!lane->companion) {
        if (oc_series_new(lane->replay->pool, &options, &lane->companion))
            return; /* it does without */
        oc_series_companion(lane->series, lane->companion);
    }
    oc_series_feed(lane->companion, t_ms, value);
}

/* ---- limits ---- */

static void find_edge(oc_replay_lane *lane)
{
    lane->edge = lane->falls ? -(double)INFINITY : (double)INFINITY;
    for (unsigned i = 0; i < lane->slot_count; i++) {
        double limit = lane->slots[i].limit;

        if (is_number(limit))
            lane->edge = lane->falls ? fmax(lane->edge, limit) : fmin(lane->edge, limit);
    }
}

static int name_limit(struct slot *slot, unsigned kind, const char *where)
{
    char *copy = oc_strdup(where);

    if (!copy)
        return OC_E_NOMEM;
    oc_free(slot->where);
    slot->where = copy;
    slot->kind = (uint8_t)kind;
    return OC_OK;
}

void oc_replay_lane_limit(oc_replay_lane *lane, unsigned slot_index, unsigned kind,
                          const char *where, double value, int64_t t_ms)
{
    struct slot *slot = &lane->slots[slot_index];
    int rc = OC_OK;

    while (lane->slot_count <= slot_index && !rc)
        rc = init_slot(&lane->slots[lane->slot_count++], lane->replay->with_rules);
    if (!rc && (!slot->where || strcmp(slot->where, where) != 0 || slot->kind != kind))
        rc = name_limit(slot, kind, where);
    if (rc) {
        fail(lane->replay, rc);
        return;
    }
    if (value >= slot->limit && value <= slot->limit)
        return;
    flush(lane);
    if (is_number(slot->limit)) {
        close_alerts(lane, slot, t_ms, OC_CAME_MOVED);
        oc_book_censor(&slot->book, t_ms, &lane->replay->accuracy);
    }
    slot->limit = value;
    slot->was_met = 0;
    slot->state = OC_FORECAST_LEARNING;
    slot->look_ms = INT64_MIN;
    oc_series_limit(lane->series, slot_index, value);
    find_edge(lane);
    if (lane->last_ms != INT64_MIN && is_number(lane->last))
        look(lane, t_ms);
}

/* ---- lives ---- */

void oc_replay_lane_begin(oc_replay_lane *lane, uint32_t source, uint32_t pid)
{
    lane->replay->lives++;
    lane->source = source;
    lane->pid = pid;
    lane->last = lane->scale = (double)NAN;
    lane->last_ms = lane->due_ms = INT64_MIN;
    lane->is_rebased = 0;
    for (unsigned i = 0; i < lane->slot_count; i++) {
        lane->slots[i].name = UINT32_MAX;
        lane->slots[i].was_met = 0;
        lane->slots[i].look_ms = INT64_MIN;
        for (unsigned method = 0; method < OC_METHODS; method++) {
            if (lane->slots[i].methods[method].rule)
                oc_rule_restart(lane->slots[i].methods[method].rule);
        }
    }
    if (!lane->has_lived) {
        lane->has_lived = 1;
        return;
    }
    oc_series_restart(lane->series, lane->was_killed ? OC_LIFE_KILLED : OC_LIFE_PLANNED);
    if (lane->companion)
        oc_series_restart(lane->companion, OC_LIFE_PLANNED);
    lane->is_calm = 0;
}

static int is_near(const oc_replay_lane *lane, const struct slot *slot)
{
    return is_number(slot->limit) && is_number(lane->last) && !is_below(lane, slot, NEAR_SHARE);
}

static int has_near(const oc_replay_lane *lane)
{
    for (unsigned i = 0; i < lane->slot_count; i++) {
        if (is_near(lane, &lane->slots[i]))
            return 1;
    }
    return 0;
}

void oc_replay_lane_end(oc_replay_lane *lane, enum oc_replay_over over, int64_t t_ms)
{
    enum oc_replay_came came = over == OC_OVER_NOT_YET ? OC_CAME_STANDS : OC_CAME_RESTARTED;

    flush(lane);
    lane->was_killed = over == OC_OVER_MET || over == OC_OVER_KILLED ||
                       (over == OC_OVER_UNASKED && has_near(lane));
    for (unsigned i = 0; i < lane->slot_count; i++) {
        struct slot *slot = &lane->slots[i];

        if (lane->was_killed &&
            (is_near(lane, slot) || (over == OC_OVER_MET && is_number(slot->limit))))
            meet(lane, slot, t_ms);
        close_alerts(lane, slot, t_ms, came);
        oc_book_censor(&slot->book, t_ms, &lane->replay->accuracy);
    }
}

int oc_replay_lane_was_killed(const oc_replay_lane *lane) { return lane->was_killed; }
