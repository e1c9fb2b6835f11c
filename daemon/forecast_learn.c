/* What a life teaches the next one of its subject, and others of its program. */
#include "daemon/forecast.h"

#include "daemon/daemon.h"

#include "base/alloc.h"
#include "base/log.h"

#include <math.h>
#include <signal.h>
#include <string.h>

#define KILLED_MS 10000 /* a cgroup ends so long after the last process in it was killed, at most */
#define ENDED_BY_CTRL_C 0xC000013AU /* of Windows: Ctrl+C, or its console was closed */
#define NEAR_SHARE 0.9 /* of a limit in use: who ends so without a word, likely ended of it */

/* The tracks of a life that ended, for the next one under the same name. */
struct oc_parked {
    struct oc_parked *next;
    struct oc_tracks *tracks; /* owned */
    int64_t mono_ms;
    enum oc_life_over over;
    uint8_t kind;
    char name[];
};

/* A sum goes on over the lives of its members; it has none of its own. */
const char *oc_forecast_name(const struct oc_source *source)
{
    switch (source->kind) {
    case OC_SOURCE_PROCESS:
        return source->subject ? source->subject->name : NULL;
    case OC_SOURCE_CGROUP:
        return source->held_as ? source->held_as : oc_cgroup_path(source->cgroup);
    default:
        return NULL;
    }
}

/* ---- before a life ---- */

static const struct oc_prior_entry *find_prior(const struct oc_daemon *daemon,
                                               const struct oc_source *source, unsigned metric)
{
    const struct oc_priors *priors = &daemon->forecasts.priors;
    const char *name = oc_forecast_name(source);
    const struct oc_prior_entry *entry =
        name ? oc_priors_find(priors, OC_MEMORY_SUBJECT, name, metric) : NULL;

    if (entry && entry->u.prior.lives > 0)
        return entry;
    return source->tracks->program
               ? oc_priors_find(priors, OC_MEMORY_IMAGE, source->tracks->program, metric)
               : NULL;
}

void oc_forecast_set_prior(struct oc_daemon *daemon, const struct oc_source *source,
                           struct oc_track *track)
{
    const struct oc_prior_entry *entry = find_prior(daemon, source, track->metric);

    if (entry)
        oc_series_set_prior(track->series, &entry->u.prior);
}

/* What was learnt under a name with another program counts less. */
static void discount(struct oc_daemon *daemon, enum oc_memory_kind kind, const char *name,
                     const struct oc_tracks *tracks)
{
    for (uint32_t i = 0; i < tracks->count; i++) {
        struct oc_prior_entry *entry =
            oc_priors_find(&daemon->forecasts.priors, kind, name, tracks->items[i].metric);

        if (!entry)
            continue;
        oc_prior_discount(&entry->u.prior);
        entry->dirty = 1;
    }
}

/* Whether the name ran another program before. Keeps which it runs now. */
static int is_changed(struct oc_daemon *daemon, enum oc_memory_kind kind, const char *name,
                      uint64_t stamp)
{
    struct oc_prior_entry *entry =
        oc_priors_want(&daemon->forecasts.priors, kind, name, OC_PRIOR_PROGRAM);
    int changed = 0;

    if (!entry || entry->u.program.stamp == stamp)
        return 0;
    changed = entry->u.program.stamp != 0;
    entry->u.program.stamp = stamp;
    entry->u.program.since_unix_ms = changed ? oc_clock_unix_ms() : 0;
    entry->dirty = 1;
    return changed;
}

void oc_forecast_program(struct oc_daemon *daemon, struct oc_source *source, const char *path,
                         uint64_t stamp)
{
    struct oc_tracks *tracks = source->tracks;
    const char *name = tracks ? oc_forecast_name(source) : NULL;

    if (!name || path[0] == '\0' || (tracks->program && strcmp(tracks->program, path) == 0))
        return;
    oc_free(tracks->program);
    tracks->program = oc_strdup(path);
    if (!tracks->program)
        return; /* then the subject alone teaches */
    if (stamp != 0 && is_changed(daemon, OC_MEMORY_IMAGE, path, stamp))
        discount(daemon, OC_MEMORY_IMAGE, path, tracks);
    if (stamp != 0 && is_changed(daemon, OC_MEMORY_SUBJECT, name, stamp)) {
        discount(daemon, OC_MEMORY_SUBJECT, name, tracks);
        oc_log(OC_LOG_INFO, "program_changed", oc_str("subject", name), oc_str("exe", path),
               oc_str("then", "what earlier lives taught counts less"));
    }
    if (tracks->was_saved)
        return; /* the series has what it was given when its life began */
    for (uint32_t i = 0; i < tracks->count; i++)
        oc_forecast_set_prior(daemon, source, &tracks->items[i]);
}

/* ---- after it ---- */

int oc_track_is_near(const struct oc_track *track, const struct oc_track_limit *limit)
{
    double value = (double)limit->value;

    if (limit->kind == 0)
        return 0;
    return track->falls ? track->last <= value / NEAR_SHARE : track->last >= value * NEAR_SHARE;
}

static int has_near(const struct oc_tracks *tracks)
{
    for (uint32_t i = 0; i < tracks->count; i++) {
        const struct oc_track *track = &tracks->items[i];

        for (unsigned slot = 0; slot < track->limit_count; slot++) {
            if (oc_track_is_near(track, &track->limits[slot]))
                return 1;
        }
    }
    return 0;
}

/* Signals by which a person or a supervisor asks for the end. */
static int is_asked_for(const struct oc_source *source)
{
    return source->end == OC_END_EXITED
               ? source->end_status == 0 || (uint32_t)source->end_status == ENDED_BY_CTRL_C
               : source->end == OC_END_SIGNALED &&
                     (source->end_status == SIGTERM || source->end_status == SIGINT);
}

int oc_forecast_was_killed(const struct oc_source *source)
{
    const struct oc_tracks *tracks = source->tracks;

    if (source->kind == OC_SOURCE_CGROUP)
        return tracks->killed_ms != INT64_MIN && tracks->last_ms - tracks->killed_ms <= KILLED_MS;
    if (oc_source_ended_by_plan(source))
        return 0;
    if (source->end == OC_END_OOM_KILLED || source->killer != OC_KILLER_UNKNOWN)
        return 1;
    if (source->end == OC_END_EXITED || source->end == OC_END_SIGNALED)
        return !is_asked_for(source) && has_near(tracks);
    return 0; /* nobody knows how, or it lives on */
}

/* Whether it was a life to its end. A cgroup is watched no more once nobody is in it: that is its end. */
static int is_over(const struct oc_source *source)
{
    return source->kind == OC_SOURCE_CGROUP ||
           (source->end != OC_END_UNWATCHED && source->end != OC_END_EXECED);
}

static void teach_one(struct oc_daemon *daemon, const struct oc_track *track,
                      enum oc_memory_kind kind, const char *name, enum oc_life_over over)
{
    struct oc_prior_entry *entry =
        name ? oc_priors_want(&daemon->forecasts.priors, kind, name, track->metric) : NULL;

    if (!entry)
        return;
    oc_series_teach(track->series, over, &entry->u.prior);
    entry->dirty = 1;
}

/* A limit at which a new process takes its place is met by just that, where it is near. */
static int is_met(const struct oc_source *source, const struct oc_track *track,
                  const struct oc_track_limit *limit, int killed)
{
    const struct oc_limit_row *row = oc_limit_row(limit->kind);

    if (oc_source_ended_by_plan(source))
        killed = row && row->effect == OC_EFFECT_RECYCLED;
    return killed && oc_track_is_near(track, limit);
}

static void close_limits(struct oc_daemon *daemon, const struct oc_source *source, int killed)
{
    for (uint32_t i = 0; i < source->tracks->count; i++) {
        struct oc_track *track = &source->tracks->items[i];

        for (unsigned slot = 0; slot < track->limit_count; slot++) {
            struct oc_track_limit *limit = &track->limits[slot];

            if (limit->kind != 0)
                oc_forecast_close(daemon, source, track, limit,
                                  is_met(source, track, limit, killed));
        }
    }
}

/* Nothing more is said of the old life; its limits are those of the next until it has its own. */
static void forget_said(struct oc_tracks *tracks)
{
    for (uint32_t i = 0; i < tracks->count; i++) {
        struct oc_track *track = &tracks->items[i];

        track->said = (struct oc_track_said){ .ms = INT64_MIN };
        for (unsigned slot = 0; slot < track->limit_count; slot++)
            track->limits[slot].said = (struct oc_track_said){ .ms = INT64_MIN };
    }
    tracks->space_s = INFINITY;
    oc_free(tracks->program); /* the next life may run another */
    tracks->program = NULL;
    tracks->say_ms = INT64_MIN;
    tracks->looked_ms = INT64_MIN;
    tracks->saved_ms = INT64_MIN;
    tracks->killed_ms = INT64_MIN;
}

/* Whether the next life goes on with the series: where one at a time runs under the name. */
static int is_alone(const struct oc_source *source)
{
    return source->kind == OC_SOURCE_CGROUP ||
           (source->subject && source->subject->member_count == 1 && !source->subject->sum);
}

static int park(struct oc_forecasts *forecasts, const struct oc_source *source, const char *name,
                enum oc_life_over over)
{
    size_t bytes = strlen(name) + 1;
    struct oc_parked *parked = oc_malloc(sizeof(*parked) + bytes);

    if (!parked)
        return OC_E_NOMEM;
    *parked = (struct oc_parked){ .next = forecasts->parked,
                                  .tracks = source->tracks,
                                  .mono_ms = oc_now_mono_ms(),
                                  .over = over,
                                  .kind = source->kind };
    memcpy(parked->name, name, bytes);
    forecasts->parked = parked;
    forecasts->parked_count++;
    forget_said(source->tracks);
    return OC_OK;
}

static void free_parked(struct oc_forecasts *forecasts, struct oc_parked **at)
{
    struct oc_parked *parked = *at;

    *at = parked->next;
    oc_tracks_free(parked->tracks);
    oc_free(parked);
    forecasts->parked_count--;
}

void oc_forecast_drop_parked(struct oc_forecasts *forecasts, int64_t before_mono_ms)
{
    struct oc_parked **at = &forecasts->parked;

    for (uint32_t i = 0; *at; i++) {
        if (i >= OC_FORECAST_PARKED_MAX || (*at)->mono_ms <= before_mono_ms)
            free_parked(forecasts, at);
        else
            at = &(*at)->next;
    }
}

struct oc_tracks *oc_forecast_unpark(struct oc_daemon *daemon, const struct oc_source *source)
{
    const char *name = oc_forecast_name(source);
    struct oc_parked **at = &daemon->forecasts.parked;
    struct oc_parked *parked = NULL;
    struct oc_tracks *tracks = NULL;

    while (name && *at && ((*at)->kind != source->kind || strcmp((*at)->name, name) != 0))
        at = &(*at)->next;
    if (!name || !*at)
        return NULL;
    parked = *at;
    *at = parked->next;
    daemon->forecasts.parked_count--;
    tracks = parked->tracks;
    for (uint32_t i = 0; i < tracks->count; i++)
        oc_series_restart(tracks->items[i].series, parked->over);
    oc_free(parked);
    return tracks;
}

void oc_forecast_learn(struct oc_daemon *daemon, struct oc_source *source)
{
    const char *name = oc_forecast_name(source);
    struct oc_tracks *tracks = source->tracks;
    int killed = oc_forecast_was_killed(source);
    enum oc_life_over over = killed ? OC_LIFE_KILLED : OC_LIFE_PLANNED;

    close_limits(daemon, source, killed);
    if (name && is_over(source)) {
        for (uint32_t i = 0; i < tracks->count; i++) {
            teach_one(daemon, &tracks->items[i], OC_MEMORY_SUBJECT, name, over);
            teach_one(daemon, &tracks->items[i], OC_MEMORY_IMAGE, tracks->program, over);
        }
    }
    if (!name || !is_over(source) || !is_alone(source) ||
        park(&daemon->forecasts, source, name, over) < 0)
        oc_tracks_free(tracks);
    source->tracks = NULL;
    oc_forecast_drop_parked(&daemon->forecasts, oc_now_mono_ms() - OC_FORECAST_PARKED_MS);
}

/* ---- kills ---- */

/* The limit of a kind, where it is so near that it was the one. */
static void note_kill(struct oc_daemon *daemon, const struct oc_source *source, unsigned metric,
                      unsigned kind)
{
    struct oc_track *track = source->tracks ? oc_tracks_find(source->tracks, metric) : NULL;

    for (unsigned slot = 0; track && slot < track->limit_count; slot++) {
        struct oc_track_limit *limit = &track->limits[slot];

        if (limit->kind != kind || !oc_track_is_near(track, limit))
            continue;
        oc_forecast_close(daemon, source, track, limit, 1);
        source->tracks->killed_ms = source->tracks->last_ms;
    }
}

void oc_forecast_oom_kill(struct oc_daemon *daemon, const struct oc_source *cgroup)
{
    note_kill(daemon, cgroup, OC_METRIC_CGROUP_CHARGE, OC_LIMIT_CGROUP_MAX);
}

static void note_host_kill(struct oc_daemon *daemon)
{
    for (size_t i = 0; i < daemon->sources.count; i++) {
        const struct oc_source *source = daemon->sources.slots[i];

        if (source && source->kind == OC_SOURCE_HOST)
            note_kill(daemon, source, OC_METRIC_HOST_USED, OC_LIMIT_HOST_MEMORY);
    }
}

void oc_forecast_victim(struct oc_daemon *daemon, const struct oc_source *process)
{
    const struct oc_source *cgroup = oc_sources_at(&daemon->sources, process->cgroup_slot);

    if (process->killer == OC_KILLER_HOST)
        note_host_kill(daemon);
    if (process->killer != OC_KILLER_CGROUP || !process->killer_scope)
        return;
    while (cgroup && strcmp(oc_cgroup_path(cgroup->cgroup), process->killer_scope) != 0)
        cgroup = oc_sources_at(&daemon->sources, cgroup->cgroup_slot);
    if (cgroup)
        oc_forecast_oom_kill(daemon, cgroup);
}
