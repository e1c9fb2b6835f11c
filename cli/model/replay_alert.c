/* What a lane says: alerts as they come and go, and what came of them. */
#include "cli/model/replay_impl.h"

#include "base/alloc.h"

#include <math.h>

#define LOOK_SHARE 0.02 /* of the time to the limit: from one forecast kept to the next */
#define LEAST_LOOK_MS INT64_C(10000)
#define MOST_LOOK_MS INT64_C(600000)
#define BELOW_SHARE 0.95 /* a limit that was met is met again only after less was in use */

/* ---- alerts ---- */

/* The entry of a slot among the names, made at its first alert of a life. OC_OK or a code. */
static int name_slot(oc_replay_lane *lane, struct oc_lane_slot *slot)
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

static void raise_alert(oc_replay_lane *lane, struct oc_lane_slot *slot, unsigned method,
                        int64_t t_ms, const struct oc_forecast *forecast)
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
        oc_replay_fail(replay, rc);
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

static void close_alert(oc_replay_lane *lane, struct oc_lane_slot *slot, unsigned method,
                        int64_t t_ms, enum oc_replay_came came)
{
    struct oc_lane_method *state = &slot->methods[method];

    if (state->alert != OC_NO_ALERT) {
        lane->replay->alerts[state->alert].over_ms = t_ms;
        lane->replay->alerts[state->alert].came = (uint8_t)came;
    }
    state->alert = OC_NO_ALERT;
    state->since_ms = INT64_MIN;
}

void oc_lane_close_alerts(oc_replay_lane *lane, struct oc_lane_slot *slot, int64_t t_ms,
                          enum oc_replay_came came)
{
    for (unsigned i = 0; i < OC_METHODS; i++)
        close_alert(lane, slot, i, t_ms, came);
}

static void note_end(oc_replay_lane *lane, struct oc_lane_slot *slot, int64_t t_ms)
{
    struct oc_replay *replay = lane->replay;
    void *ends = replay->ends;
    struct oc_replay_end *end;
    int rc;

    if (replay->end_count == OC_REPLAY_MAX_ALERTS) {
        replay->dropped++;
        return;
    }
    rc = name_slot(lane, slot);
    if (!rc)
        rc = oc_array_grow(&ends, &replay->end_capacity, replay->end_count + 1, sizeof(*end),
                           OC_REPLAY_MAX_ALERTS);
    replay->ends = ends;
    if (rc) {
        oc_replay_fail(replay, rc);
        return;
    }
    end = &replay->ends[replay->end_count++];
    *end = (struct oc_replay_end){ .name = slot->name, .t_ms = t_ms, .limit = slot->limit };
    for (unsigned i = 0; i < OC_METHODS; i++) {
        if (slot->methods[i].alert != OC_NO_ALERT)
            end->alerts |= 1u << i;
    }
}

void oc_lane_meet(oc_replay_lane *lane, struct oc_lane_slot *slot, int64_t t_ms)
{
    if (slot->was_met)
        return;
    slot->was_met = 1;
    note_end(lane, slot, t_ms);
    oc_lane_close_alerts(lane, slot, t_ms, OC_CAME_MET);
    oc_book_met(&slot->book, t_ms, &lane->replay->accuracy);
}

/* ---- looking ---- */

int oc_lane_is_below(const oc_replay_lane *lane, const struct oc_lane_slot *slot, double share)
{
    if (lane->falls)
        return lane->last * share > slot->limit;
    return lane->last < slot->limit * share;
}

/* Whether a forecast is to be kept: the state changed, or some time has passed. */
static int is_time(struct oc_lane_slot *slot, enum oc_forecast_state state, int64_t t_ms)
{
    if (state == slot->state && (t_ms < slot->look_ms || state == OC_FORECAST_LEARNING))
        return 0;
    slot->state = (uint8_t)state;
    return 1;
}

static void plan_look(struct oc_lane_slot *slot, const struct oc_forecast *forecast)
{
    double wait_ms = forecast->p50_s * LOOK_SHARE * 1000.0;

    slot->look_ms = forecast->t_ms + MOST_LOOK_MS;
    if (wait_ms < (double)MOST_LOOK_MS)
        slot->look_ms = forecast->t_ms + LEAST_LOOK_MS + (int64_t)fmax(0, wait_ms);
}

static void look_at(oc_replay_lane *lane, unsigned index, int64_t t_ms)
{
    struct oc_lane_slot *slot = &lane->slots[index];
    enum oc_forecast_state state = oc_series_state(lane->series, index);
    struct oc_forecast forecast;

    if (slot->was_met &&
        (state == OC_FORECAST_EXHAUSTED || !oc_lane_is_below(lane, slot, BELOW_SHARE)))
        return;
    slot->was_met = 0;
    if (!is_time(slot, state, t_ms))
        return;
    oc_series_forecast(lane->series, index, &forecast);
    plan_look(slot, &forecast);
    if (state == OC_FORECAST_EXHAUSTED) {
        oc_lane_meet(lane, slot, t_ms);
        return;
    }
    oc_book_forecast(&slot->book, &forecast, &lane->replay->accuracy);
    if (state == OC_FORECAST_LEAKING && slot->methods[OC_METHOD_FORECAST].alert == OC_NO_ALERT)
        raise_alert(lane, slot, OC_METHOD_FORECAST, t_ms, &forecast);
    else if (state != OC_FORECAST_LEAKING)
        close_alert(lane, slot, OC_METHOD_FORECAST, t_ms,
                    state == OC_FORECAST_SAVED ? OC_CAME_RESTARTED : OC_CAME_CLEARED);
}

void oc_lane_look(oc_replay_lane *lane, int64_t t_ms)
{
    lane->is_calm = oc_series_is_calm(lane->series);
    for (unsigned i = 0; i < lane->slot_count; i++) {
        if (oc_lane_is_number(lane->slots[i].limit))
            look_at(lane, i, t_ms);
    }
}

/* ---- rules ---- */

static void try_rule(oc_replay_lane *lane, struct oc_lane_slot *slot, unsigned method, int64_t t_ms,
                     double value, double limit)
{
    struct oc_lane_method *state = &slot->methods[method];
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
    if (t_ms - state->since_ms >= OC_REPLAY_HOLD_MS && state->alert == OC_NO_ALERT &&
        !slot->was_met)
        raise_alert(lane, slot, method, t_ms, &forecast);
}

/* A figure that falls is turned over, from its first value on: rules know only what rises. */
void oc_lane_try_rules(oc_replay_lane *lane, int64_t t_ms)
{
    double value = lane->falls ? lane->scale - lane->last : lane->last;

    for (unsigned i = 0; i < lane->slot_count; i++) {
        struct oc_lane_slot *slot = &lane->slots[i];
        double limit = lane->falls ? lane->scale - slot->limit : slot->limit;

        for (unsigned method = OC_METHOD_USED_80; oc_lane_is_number(limit) && method < OC_METHODS;
             method++) {
            if (slot->methods[method].rule) /* there was memory for it */
                try_rule(lane, slot, method, t_ms, value, limit);
        }
    }
}
