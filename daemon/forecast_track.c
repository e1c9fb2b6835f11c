#include "daemon/forecast_track.h"

#include "base/alloc.h"

#include <math.h>
#include <string.h>

#define MS_MAX 9e15   /* beyond it a double is no time */
#define MORE_TRACKS 2 /* most sources have four to six */
#define FAR_PART 64   /* what lies so far from what was fed of late is fed at once */

struct oc_tracks *oc_tracks_new(void)
{
    struct oc_tracks *tracks = oc_calloc(1, sizeof(*tracks));

    if (!tracks)
        return NULL;
    tracks->last_ms = INT64_MIN;
    tracks->saved_ms = INT64_MIN;
    tracks->killed_ms = INT64_MIN;
    tracks->due_ms = INT64_MIN;
    tracks->say_ms = INT64_MIN;
    tracks->looked_ms = INT64_MIN;
    tracks->held_ms = INT64_MIN;
    tracks->processes = -1;
    tracks->space_s = INFINITY;
    return tracks;
}

int64_t oc_tracks_space_ms(const struct oc_tracks *tracks)
{
    double ms = (double)tracks->space_s * 1000;

    return ms >= 0 && ms < MS_MAX ? (int64_t)ms : INT64_MAX;
}

static void clear_track(struct oc_track *track)
{
    for (unsigned slot = 0; slot < track->limit_count; slot++) {
        oc_free(track->limits[slot].where);
        oc_free(track->limits[slot].record);
    }
    oc_free(track->limits);
}

void oc_tracks_free(struct oc_tracks *tracks)
{
    if (!tracks)
        return;
    for (uint32_t i = 0; i < tracks->count; i++) /* ahead of who they may lean on */
        oc_series_companion(tracks->items[i].series, NULL);
    for (uint32_t i = 0; i < tracks->count; i++) {
        oc_series_free(tracks->items[i].series);
        clear_track(&tracks->items[i]);
    }
    oc_free(tracks->items);
    oc_free(tracks->held);
    oc_free(tracks->program);
    oc_free(tracks);
}

struct oc_track *oc_tracks_find(const struct oc_tracks *tracks, unsigned metric)
{
    for (uint32_t i = 0; i < tracks->count; i++) {
        if (tracks->items[i].metric == metric)
            return &tracks->items[i];
    }
    return NULL;
}

struct oc_track *oc_tracks_add(struct oc_tracks *tracks, unsigned metric, int falls,
                               oc_series *take_series)
{
    struct oc_track *track = NULL;

    if (tracks->count == tracks->capacity) {
        uint32_t capacity = tracks->capacity + MORE_TRACKS;
        struct oc_track *items = NULL;

        if (capacity > OC_TRACKS_MAX)
            return NULL;
        items = oc_realloc(tracks->items, capacity * sizeof(items[0]));
        if (!items)
            return NULL;
        tracks->items = items;
        tracks->capacity = capacity;
    }
    track = &tracks->items[tracks->count++];
    *track = (struct oc_track){ .series = take_series,
                                .metric = (uint16_t)metric,
                                .falls = falls != 0,
                                .last = (double)NAN,
                                .edge = falls ? -(double)INFINITY : (double)INFINITY,
                                .said.ms = INT64_MIN };
    tracks->restless = 1; /* until its first feed says otherwise */
    return track;
}

/* ---- limits ---- */

int oc_track_make_slot(struct oc_track *track, unsigned slot)
{
    struct oc_track_limit *limits = NULL;

    if (slot < track->limit_count)
        return OC_OK;
    limits = oc_realloc(track->limits, (slot + 1) * sizeof(limits[0]));
    if (!limits)
        return OC_E_NOMEM;
    track->limits = limits;
    while (track->limit_count <= slot)
        limits[track->limit_count++] = (struct oc_track_limit){ .said.ms = INT64_MIN };
    return OC_OK;
}

double oc_track_limit_value(const struct oc_track *track, unsigned slot)
{
    if (slot >= track->limit_count || track->limits[slot].kind == 0)
        return (double)NAN;
    return (double)track->limits[slot].value;
}

int oc_track_has_limit(const struct oc_track *track)
{
    for (unsigned slot = 0; slot < track->limit_count; slot++) {
        if (track->limits[slot].kind != 0)
            return 1;
    }
    return 0;
}

int oc_tracks_is_leaking(const struct oc_tracks *tracks)
{
    for (uint32_t i = 0; i < tracks->count; i++) {
        const struct oc_track *track = &tracks->items[i];

        for (unsigned slot = 0; slot < track->limit_count; slot++) {
            if (track->limits[slot].kind != 0 &&
                track->limits[slot].said.state == OC_FORECAST_LEAKING)
                return 1;
        }
    }
    return 0;
}

void oc_track_limits_changed(struct oc_track *track)
{
    track->edge = track->falls ? -(double)INFINITY : (double)INFINITY;
    for (unsigned slot = 0; slot < OC_SERIES_LIMITS; slot++) {
        double value = oc_track_limit_value(track, slot);

        oc_series_limit(track->series, slot, value);
        if (oc_is_number(value))
            track->edge = track->falls ? fmax(track->edge, value) : fmin(track->edge, value);
    }
}

/* ---- feeding ---- */

/* What waits, as one range that ended with the last sample. */
static void feed_waiting(struct oc_track *track, int64_t last_ms)
{
    if (track->waiting == 1)
        oc_series_feed(track->series, last_ms, track->last);
    else if (track->waiting > 1)
        oc_series_feed_range(track->series, last_ms, track->low, track->high, track->last,
                             track->waiting);
    if (track->waiting > 0) {
        track->fed_low = fmin(track->fed_low, track->low);
        track->fed_high = fmax(track->fed_high, track->high);
    }
    track->waiting = 0;
}

static void put_waiting(struct oc_track *track, double value, uint32_t count)
{
    if (track->waiting == 0) {
        track->low = value;
        track->high = value;
    }
    track->low = fmin(track->low, value);
    track->high = fmax(track->high, value);
    track->waiting += count;
    track->last = value;
}

static int is_beyond(const struct oc_track *track, double value)
{
    return track->falls ? value <= track->edge : value >= track->edge;
}

/* Beyond what the last minute was like: that is news. */
static int is_far(const struct oc_track *track, double value)
{
    return (track->fed_low - value) * FAR_PART > fabs(track->fed_low) ||
           (value - track->fed_high) * FAR_PART > fabs(track->fed_high);
}

/* From here on what was fed of late begins with this. */
static void note_range(struct oc_track *track, double low, double high)
{
    track->fed_low = low;
    track->fed_high = high;
}

static void note_fed(struct oc_tracks *tracks, struct oc_track *track)
{
    track->is_calm = oc_series_is_calm(track->series) != 0;
    if (track->is_shown && !oc_track_has_limit(track))
        tracks->say_now |= oc_series_state(track->series, OC_SERIES_LIMITS) != track->said.state;
    for (unsigned slot = 0; slot < track->limit_count; slot++)
        tracks->say_now |= track->limits[slot].kind != 0 &&
                           oc_series_state(track->series, slot) != track->limits[slot].said.state;
}

/* Of a calm one: waits for the end of its minute, unless it is news. Returns whether it was fed. */
static int take_calmly(struct oc_tracks *tracks, struct oc_track *track, int64_t t_ms, double value)
{
    int is_due = t_ms >= tracks->due_ms && track->waiting > 0;

    if (is_due) {
        double low = track->low, high = track->high;

        feed_waiting(track, tracks->last_ms);
        note_range(track, low, high);
    }
    put_waiting(track, value, 1);
    if (is_far(track, value)) {
        feed_waiting(track, t_ms);
        return 1;
    }
    return is_due;
}

static void take(struct oc_tracks *tracks, struct oc_track *track, int64_t t_ms, double value)
{
    int is_fed = 1;

    if (track->is_calm && track->is_ticked && !is_beyond(track, value)) {
        is_fed = take_calmly(tracks, track, t_ms, value);
    } else {
        feed_waiting(track, tracks->last_ms);
        oc_series_feed(track->series, t_ms, value);
        track->last = value;
        note_range(track, value, value);
    }
    if (is_fed)
        note_fed(tracks, track);
}

/* Samples that stood were only counted: now they are samples of all that is known each tick. */
static void take_same(struct oc_tracks *tracks)
{
    for (uint32_t i = 0; tracks->same > 0 && i < tracks->count; i++) {
        struct oc_track *track = &tracks->items[i];

        if (track->is_ticked && oc_is_number(track->last))
            put_waiting(track, track->last, tracks->same);
    }
    tracks->same = 0;
}

/* What is counted is something else from this sample on: the step is none of the series'. */
static void rebase(const struct oc_tracks *tracks, struct oc_track *track, double value)
{
    if (!oc_is_number(track->last))
        return;
    feed_waiting(track, tracks->last_ms);
    oc_series_rebase(track->series, value - track->last);
}

static void take_sample(struct oc_tracks *tracks, int64_t t_ms, const struct oc_sample *sample)
{
    for (uint32_t i = 0; i < tracks->count; i++) {
        struct oc_track *track = &tracks->items[i];
        const struct oc_metric_row *row = oc_metric_by_number(track->metric);
        double value = 0;

        track->is_ticked = row && row->rung == OC_RUNG_TICK &&
                           oc_sample_has(sample, (enum oc_metric)track->metric);
        if (!oc_sample_has(sample, (enum oc_metric)track->metric))
            continue;
        value = (double)oc_sample_get(sample, (enum oc_metric)track->metric);
        if (value < track->last || value > track->last || !oc_is_number(track->last)) {
            track->moved = 1;
            tracks->stirred = 1;
        }
        if (tracks->is_counted_anew)
            rebase(tracks, track, value);
        take(tracks, track, t_ms, value);
    }
    tracks->is_counted_anew = 0;
}

static void take_again(struct oc_tracks *tracks, int64_t t_ms)
{
    for (uint32_t i = 0; i < tracks->count; i++) {
        struct oc_track *track = &tracks->items[i];

        if (track->is_ticked && oc_is_number(track->last))
            take(tracks, track, t_ms, track->last);
    }
}

/* The end of this minute, or, as long as nothing moves, of these ten. */
static void note_due(struct oc_tracks *tracks, int64_t t_ms)
{
    int64_t minute_ms = (t_ms / OC_TRACK_FOLD_MS + 1) * OC_TRACK_FOLD_MS;
    int64_t ten_ms = (t_ms / OC_TRACK_FOLD_SAME_MS + 1) * OC_TRACK_FOLD_SAME_MS;

    if (t_ms >= tracks->due_ms) {
        tracks->due_ms = tracks->stirred ? minute_ms : ten_ms;
        tracks->stirred = 0;
    } else if (tracks->stirred && minute_ms < tracks->due_ms) {
        tracks->due_ms = minute_ms;
    }
}

void oc_tracks_feed(struct oc_tracks *tracks, int64_t t_ms, const struct oc_sample *sample)
{
    take_same(tracks);
    if (sample)
        take_sample(tracks, t_ms, sample);
    else
        take_again(tracks, t_ms);
    tracks->last_ms = t_ms;
    tracks->restless = 0;
    for (uint32_t i = 0; i < tracks->count; i++)
        tracks->restless |= !tracks->items[i].is_calm && tracks->items[i].is_ticked;
    note_due(tracks, t_ms);
}

void oc_tracks_flush(struct oc_tracks *tracks)
{
    take_same(tracks);
    for (uint32_t i = 0; i < tracks->count; i++) {
        if (tracks->items[i].waiting == 0)
            continue;
        feed_waiting(&tracks->items[i], tracks->last_ms);
        note_fed(tracks, &tracks->items[i]);
    }
}

/* ---- saving ---- */

static void settle(struct oc_track *track)
{
    track->is_calm = oc_series_is_calm(track->series) != 0;
    note_range(track, track->last, track->last);
}

void oc_tracks_settle(struct oc_tracks *tracks)
{
    oc_tracks_flush(tracks);
    tracks->due_ms = INT64_MIN;
    tracks->stirred = 0;
    for (uint32_t i = 0; i < tracks->count; i++)
        settle(&tracks->items[i]);
}

void oc_tracks_resume(struct oc_tracks *tracks, struct oc_track *track)
{
    struct oc_forecast forecast;
    int64_t last_ms = oc_series_last_ms(track->series);

    oc_series_forecast(track->series, OC_SERIES_LIMITS, &forecast);
    track->last = forecast.value;
    settle(track);
    if (last_ms > tracks->last_ms)
        tracks->last_ms = last_ms;
}

/* ---- samples that came too early ---- */

void oc_tracks_hold(struct oc_tracks *tracks, int64_t t_ms, const struct oc_sample *sample)
{
    tracks->held_ms = t_ms;
    if (!sample)
        return;
    if (!tracks->held)
        tracks->held = oc_malloc(sizeof(*tracks->held));
    if (tracks->held)
        *tracks->held = *sample;
}

void oc_tracks_let_go(struct oc_tracks *tracks)
{
    if (tracks->held_ms > tracks->last_ms)
        oc_tracks_feed(tracks, tracks->held_ms, tracks->held);
    oc_free(tracks->held);
    tracks->held = NULL;
    tracks->held_ms = INT64_MIN;
}
