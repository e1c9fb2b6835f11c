/* Which series a source has, and which limit is in which of their slots. */
#include "daemon/forecast.h"

#include "daemon/daemon.h"

#include "base/alloc.h"

#include <math.h>
#include <string.h>

/* Those of one metric that matter: of more than there are slots, the nearest. */
struct nearest {
    const struct oc_limit *items[OC_SERIES_LIMITS];
    unsigned count;
};

static int is_nearer(const struct oc_track *track, const struct oc_limit *a,
                     const struct oc_limit *b)
{
    return track->falls ? a->value > b->value : a->value < b->value;
}

static void note_nearest(const struct oc_track *track, const struct oc_limit *limit,
                         struct nearest *nearest)
{
    unsigned at = nearest->count < OC_SERIES_LIMITS ? nearest->count++ : OC_SERIES_LIMITS;

    for (; at > 0 && is_nearer(track, limit, nearest->items[at - 1]); at--) {
        if (at < OC_SERIES_LIMITS)
            nearest->items[at] = nearest->items[at - 1];
    }
    if (at < OC_SERIES_LIMITS)
        nearest->items[at] = limit;
}

/* Kubernetes and MemorySwapMax=0 allow no swap at all: nothing runs out, memory.max is met the sooner. */
static int is_forecast(const struct oc_limit *limit)
{
    return limit->metric != 0 && !(limit->kind == OC_LIMIT_CGROUP_SWAP && limit->value == 0);
}

/* ---- slots ---- */

static const char *where_of(const struct oc_source *source, const struct oc_track_limit *slot)
{
    if (slot->where)
        return slot->where;
    return source->cgroup ? oc_cgroup_path(source->cgroup) : "";
}

static int is_of(const struct oc_source *source, const struct oc_track_limit *slot,
                 const struct oc_limit *limit)
{
    return slot->kind == limit->kind && strcmp(where_of(source, slot), limit->where) == 0;
}

/* The value that the series has in a slot that is free here: it was saved with it. */
static int is_saved_as(const struct oc_track *track, unsigned slot, uint64_t value)
{
    struct oc_forecast forecast;

    oc_series_forecast(track->series, slot, &forecast);
    return forecast.limit >= (double)value && forecast.limit <= (double)value;
}

static int is_free(const struct oc_track *track, unsigned slot)
{
    return slot >= track->limit_count || track->limits[slot].kind == 0;
}

/* Where the limit goes that has no slot: that where the series has it, else the first. */
static unsigned choose_slot(const struct oc_track *track, uint64_t value)
{
    unsigned first = OC_SERIES_LIMITS;

    for (unsigned slot = 0; slot < OC_SERIES_LIMITS; slot++) {
        if (!is_free(track, slot))
            continue;
        if (is_saved_as(track, slot, value))
            return slot;
        if (first == OC_SERIES_LIMITS)
            first = slot;
    }
    return first;
}

static void free_slot(struct oc_track_limit *slot)
{
    oc_free(slot->where);
    oc_free(slot->record);
    *slot = (struct oc_track_limit){ .said.ms = INT64_MIN };
}

/* 0 or OC_E_NOMEM. */
static int put(const struct oc_source *source, struct oc_track *track, const struct oc_limit *limit)
{
    unsigned at = choose_slot(track, limit->value);
    struct oc_track_limit *slot = NULL;
    char *where = NULL;
    int rc = at < OC_SERIES_LIMITS ? oc_track_make_slot(track, at) : OC_E_TOOBIG;

    if (rc < 0)
        return rc;
    slot = &track->limits[at];
    if (!source->cgroup && limit->where[0]) {
        where = oc_strdup(limit->where);
        if (!where)
            return OC_E_NOMEM;
    }
    if (slot->record && !is_saved_as(track, at, limit->value)) {
        oc_free(slot->record); /* it was about another limit */
        slot->record = NULL;
    }
    slot->kind = limit->kind;
    slot->value = limit->value;
    slot->where = where;
    return OC_OK;
}

/* Slots whose limit is not there any more are freed; those with another value have it now. */
static void keep_or_free(struct oc_daemon *daemon, const struct oc_source *source,
                         struct oc_track *track, struct nearest *nearest)
{
    for (unsigned at = 0; at < track->limit_count; at++) {
        struct oc_track_limit *slot = &track->limits[at];
        unsigned found = 0;

        while (found < nearest->count &&
               (!nearest->items[found] || !is_of(source, slot, nearest->items[found])))
            found++;
        if (slot->kind == 0)
            continue;
        if (found == nearest->count || nearest->items[found]->value != slot->value)
            oc_forecast_close(daemon, source, track, slot, 0);
        if (found == nearest->count) {
            free_slot(slot);
        } else {
            slot->value = nearest->items[found]->value;
            nearest->items[found] = NULL; /* it has its slot */
        }
    }
}

static void apply(struct oc_daemon *daemon, struct oc_source *source, struct oc_track *track,
                  const struct oc_limit *limits, size_t count)
{
    struct nearest nearest = { .count = 0 };

    for (size_t i = 0; i < count; i++) {
        if (is_forecast(&limits[i]) && limits[i].metric == track->metric)
            note_nearest(track, &limits[i], &nearest);
    }
    keep_or_free(daemon, source, track, &nearest);
    for (unsigned i = 0; i < nearest.count; i++) {
        if (nearest.items[i] && put(source, track, nearest.items[i]) < 0)
            daemon->troubles.no_memory++;
    }
    oc_track_limits_changed(track);
}

/* ---- companions ---- */

static void pair(struct oc_source *source, unsigned metric, unsigned with)
{
    const struct oc_track *track = oc_tracks_find(source->tracks, metric);
    const struct oc_track *other = oc_tracks_find(source->tracks, with);

    if (track && other)
        oc_series_companion(track->series, other->series);
}

/* More of these beside more bytes says what the bytes are. The later ones are the better. */
static void pair_all(struct oc_source *source)
{
    pair(source, OC_METRIC_PRIVATE, OC_METRIC_THREADS);
    pair(source, OC_METRIC_PRIVATE, OC_METRIC_MAPPINGS);
    pair(source, OC_METRIC_VIRTUAL, OC_METRIC_THREADS);
    pair(source, OC_METRIC_VIRTUAL, OC_METRIC_MAPPINGS);
    pair(source, OC_METRIC_MAPPINGS, OC_METRIC_MODULES);
    pair(source, OC_METRIC_CGROUP_CHARGE, OC_METRIC_CGROUP_TASKS);
}

/* ---- all of them ---- */

/*
 * What was saved stands against the limits that it was saved with; those of a process come back
 * with its first walk, those of cgroups and the host with their first sample.
 */
static int must_wait(const struct oc_source *source)
{
    return source->tracks->was_saved && !source->limits && source->kind != OC_SOURCE_GROUP;
}

void oc_forecast_limits(struct oc_daemon *daemon, struct oc_source *source,
                        const struct oc_limit *limits, size_t count)
{
    if (!source->tracks || must_wait(source))
        return;
    source->tracks->was_saved = 0;
    oc_tracks_flush(source->tracks); /* what was sampled before stands against what was in force */
    for (size_t i = 0; i < count; i++) {
        if (is_forecast(&limits[i]))
            (void)oc_forecast_want(daemon, source, limits[i].metric);
    }
    for (uint32_t i = 0; i < source->tracks->count; i++)
        apply(daemon, source, &source->tracks->items[i], limits, count);
    pair_all(source);
    source->tracks->say_ms = INT64_MIN;
}
