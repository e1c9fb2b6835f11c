/* A lane's samples, limits and lives. */
#include "cli/model/replay_impl.h"

#include "base/alloc.h"
#include "cli/model/replay_tried.h"

#include <math.h>
#include <string.h>

#define FOLD_MS INT64_C(60000) /* quiet samples are fed as one range: as the daemon does */
#define WIDE_PART 64           /* a range wider than this part of its value is fed at once */
#define NEAR_SHARE 0.9 /* an end without a word was this limit's doing where so much was in use */

/* ---- making ---- */

static void free_methods(struct oc_lane_slot *slot)
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

static int init_slot(struct oc_lane_slot *slot, int with_rules)
{
    slot->limit = (double)NAN;
    slot->name = UINT32_MAX;
    oc_book_init(&slot->book);
    for (unsigned i = 0; i < OC_METHODS; i++) {
        slot->methods[i].alert = OC_NO_ALERT;
        slot->methods[i].since_ms = INT64_MIN;
    }
    for (unsigned i = OC_METHOD_USED_80; with_rules && i < OC_METHODS; i++) {
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
    if (!rc && replay->tried)
        rc = oc_replay_tried_begin(replay->tried, options->subject, &lane->rules);
    if (rc) {
        oc_replay_lane_free(lane);
        return rc;
    }
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
    oc_replay_rules_free(lane->rules);
    oc_free(lane->subject);
    oc_free(lane);
}

oc_series *oc_replay_lane_series(oc_replay_lane *lane) { return lane->series; }

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
    oc_lane_look(lane, lane->last_ms);
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
    if (oc_lane_is_number(lane->last)) {
        flush(lane);
        oc_series_rebase(lane->series, value - lane->last);
    }
    lane->is_rebased = 0;
}

void oc_replay_lane_feed(oc_replay_lane *lane, int64_t t_ms, double value)
{
    if (!oc_lane_is_number(value))
        return;
    note_time(lane->replay, t_ms, 1);
    if (lane->is_rebased)
        rebase(lane, value);
    if (!wait_with(lane, t_ms, value)) {
        feed_waiting(lane);
        lane->last = value;
        lane->last_ms = t_ms;
        oc_series_feed(lane->series, t_ms, value);
        oc_lane_look(lane, t_ms);
        lane->due_ms = t_ms - t_ms % FOLD_MS + FOLD_MS;
    }
    if (lane->rules)
        oc_lane_tell_rules(lane, t_ms);
    if (lane->replay->with_rules) {
        if (!oc_lane_is_number(lane->scale))
            lane->scale = value;
        oc_lane_try_rules(lane, t_ms);
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
    oc_lane_look(lane, t_ms);
    if (lane->rules)
        oc_lane_tell_rules(lane, t_ms);
    if (lane->replay->with_rules)
        oc_lane_try_rules(lane, t_ms);
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

        if (oc_lane_is_number(limit))
            lane->edge = lane->falls ? fmax(lane->edge, limit) : fmin(lane->edge, limit);
    }
}

static int name_limit(struct oc_lane_slot *slot, unsigned kind, const char *where)
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
    struct oc_lane_slot *slot = &lane->slots[slot_index];
    int rc = OC_OK;

    while (lane->slot_count <= slot_index && !rc)
        rc = init_slot(&lane->slots[lane->slot_count++], lane->replay->with_rules);
    if (!rc && (!slot->where || strcmp(slot->where, where) != 0 || slot->kind != kind))
        rc = name_limit(slot, kind, where);
    if (rc) {
        oc_replay_fail(lane->replay, rc);
        return;
    }
    if (value >= slot->limit && value <= slot->limit)
        return;
    flush(lane);
    if (oc_lane_is_number(slot->limit)) {
        oc_lane_close_alerts(lane, slot, t_ms, OC_CAME_MOVED);
        oc_book_censor(&slot->book, t_ms, &lane->replay->accuracy);
    }
    slot->limit = value;
    slot->was_met = 0;
    slot->state = OC_FORECAST_LEARNING;
    slot->look_ms = INT64_MIN;
    oc_series_limit(lane->series, slot_index, value);
    find_edge(lane);
    if (lane->last_ms != INT64_MIN && oc_lane_is_number(lane->last))
        oc_lane_look(lane, t_ms);
}

void oc_replay_lane_no_limits(oc_replay_lane *lane, int64_t t_ms)
{
    for (unsigned slot = 0; slot < lane->slot_count; slot++)
        oc_replay_lane_limit(lane, slot, 0, "", (double)NAN, t_ms);
}

/* ---- lives ---- */

void oc_replay_lane_begin(oc_replay_lane *lane, uint32_t source, uint32_t pid)
{
    lane->replay->series++;
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

static int is_near(const oc_replay_lane *lane, const struct oc_lane_slot *slot)
{
    return oc_lane_is_number(slot->limit) && oc_lane_is_number(lane->last) &&
           !oc_lane_is_below(lane, slot, NEAR_SHARE);
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
        struct oc_lane_slot *slot = &lane->slots[i];

        if (lane->was_killed &&
            (is_near(lane, slot) || (over == OC_OVER_MET && oc_lane_is_number(slot->limit))))
            oc_lane_meet(lane, slot, t_ms);
        oc_lane_close_alerts(lane, slot, t_ms, came);
        oc_book_censor(&slot->book, t_ms, &lane->replay->accuracy);
    }
    if (lane->rules)
        oc_lane_end_rules(lane, over, t_ms);
}

int oc_replay_lane_was_killed(const oc_replay_lane *lane) { return lane->was_killed; }
