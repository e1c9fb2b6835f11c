#include "daemon/forecast.h"

#include "daemon/daemon.h"
#include "daemon/status.h"

#include "base/log.h"

int oc_forecast_falls(unsigned metric)
{
    return metric == OC_METRIC_LARGEST_FREE || metric == OC_METRIC_HOST_AVAILABLE ||
           metric == OC_METRIC_HOST_FREE || metric == OC_METRIC_HOST_SWAP_FREE;
}

int oc_forecast_is_shown(unsigned metric)
{
    return metric == OC_METRIC_PRIVATE || metric == OC_METRIC_CGROUP_CHARGE ||
           metric == OC_METRIC_HOST_AVAILABLE;
}

/* ---- series ---- */

static void say_when_full(struct oc_daemon *daemon, int rc)
{
    if (daemon->forecasts.refused++ > 0)
        return;
    oc_log(OC_LOG_WARN, "forecasts_full", oc_str("err", oc_err_name(rc)),
           oc_u64("max_bytes", daemon->config.forecast_memory_bytes),
           oc_str("then", "what has no series is not forecast; raise forecast_memory"));
}

struct oc_track *oc_forecast_want(struct oc_daemon *daemon, struct oc_source *source,
                                  unsigned metric)
{
    struct oc_series_options options = { .metric = (uint16_t)metric,
                                         .falls = oc_forecast_falls(metric) };
    struct oc_track *track = oc_tracks_find(source->tracks, metric);
    oc_series *series = NULL;
    int rc = OC_OK;

    if (track)
        return track;
    rc = oc_series_new(daemon->forecasts.pool, &options, &series);
    if (rc == OC_OK)
        track = oc_tracks_add(source->tracks, metric, options.falls, series);
    if (!track) {
        oc_series_free(series);
        say_when_full(daemon, rc < 0 ? rc : OC_E_NOMEM);
        return NULL;
    }
    track->is_shown = oc_forecast_is_shown(metric) != 0;
    oc_forecast_set_prior(daemon, source, track);
    return track;
}

/* What is forecast whether or not it has a limit. */
static void want_usual(struct oc_daemon *daemon, struct oc_source *source)
{
    switch (source->kind) {
    case OC_SOURCE_SELF:
    case OC_SOURCE_PROCESS:
    case OC_SOURCE_GROUP:
        (void)oc_forecast_want(daemon, source, OC_METRIC_PRIVATE);
        break;
    case OC_SOURCE_CGROUP:
        if (source->held_as)
            (void)oc_forecast_want(daemon, source, OC_METRIC_CGROUP_CHARGE);
        break;
    case OC_SOURCE_HOST:
        (void)oc_forecast_want(daemon, source, OC_METRIC_HOST_AVAILABLE);
        break;
    }
}

/* The source is always the same, the process never: what came before was another life. */
static void restart_self(struct oc_tracks *tracks)
{
    for (uint32_t i = 0; i < tracks->count; i++)
        oc_series_restart(tracks->items[i].series, OC_LIFE_PLANNED);
    tracks->was_saved = 0;
}

void oc_forecast_begin(struct oc_daemon *daemon, struct oc_source *source)
{
    if (!daemon->forecasts.pool || source->tracks)
        return;
    source->tracks = oc_forecast_unpark(daemon, source);
    if (!source->tracks)
        source->tracks = oc_tracks_new();
    if (!source->tracks) {
        say_when_full(daemon, OC_E_NOMEM);
        return;
    }
    source->tracks->was_saved = oc_forecast_take_saved(daemon, source) > 0;
    want_usual(daemon, source);
    if (source->kind == OC_SOURCE_SELF) {
        restart_self(source->tracks);
        return;
    }
    source->tracks->phase = OC_TRACKS_WAITING;
    daemon->forecasts.waiting++;
    oc_forecast_ask(daemon);
}

/* ---- samples ---- */

/* A process joined the sum, or left it: the step is none of its growth. */
static void note_members(struct oc_source *source, const struct oc_sample *sample)
{
    struct oc_tracks *tracks = source->tracks;
    uint32_t members = source->subject ? source->subject->changes : tracks->members;
    int64_t processes = oc_sample_has(sample, OC_METRIC_PROCESSES)
                            ? oc_sample_get(sample, OC_METRIC_PROCESSES)
                            : tracks->processes;

    if (members != tracks->members || processes != tracks->processes)
        tracks->is_counted_anew = 1;
    tracks->members = members;
    tracks->processes = processes;
}

void oc_forecast_fed(void *context, struct oc_source *source, int64_t t_ms,
                     const struct oc_sample *sample)
{
    struct oc_tracks *tracks = source->tracks;

    if (!tracks || tracks->phase == OC_TRACKS_WAITING)
        return; /* what comes now will be in the store's answer */
    if (!sample && oc_tracks_is_quiet(tracks, t_ms)) {
        tracks->same++;
        tracks->last_ms = t_ms;
        return;
    }
    if (source->kind == OC_SOURCE_GROUP && sample)
        note_members(source, sample);
    if (tracks->phase == OC_TRACKS_ASKED) {
        oc_tracks_hold(tracks, t_ms, sample);
        return;
    }
    oc_tracks_feed(tracks, t_ms, sample);
    if (tracks->say_now || t_ms >= tracks->say_ms)
        oc_forecast_say(context, source, t_ms);
}

/* ---- what came while nobody fed them ---- */

static void feed_replay(struct oc_tracks *tracks, const struct oc_past *past)
{
    struct oc_sample sample = { .block = (uint8_t)past->block };

    for (uint32_t i = 0; i < past->count; i++) {
        const int64_t *values = past->values + (size_t)i * past->width;

        for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
            if (past->wanted & OC_METRIC_BIT(bit))
                sample.values[bit] = *values++;
        }
        sample.known = past->known[i];
        oc_tracks_feed(tracks, past->times[i], &sample);
    }
}

static void take_replay(struct oc_daemon *daemon, struct oc_tracks *tracks,
                        const struct oc_message *message)
{
    if (message->rc >= 0) {
        feed_replay(tracks, message->past);
        daemon->forecasts.replayed += message->past->count;
    }
    if (message->rc >= 0 && message->past->is_cut) {
        tracks->phase = OC_TRACKS_WAITING; /* for the rest, and what was sampled meanwhile */
        daemon->forecasts.waiting++;
        return;
    }
    tracks->phase = OC_TRACKS_READY;
    oc_tracks_let_go(tracks);
}

void oc_forecast_replayed(void *context, const struct oc_message *message)
{
    struct oc_daemon *daemon = context;
    struct oc_source *source = oc_sources_at(&daemon->sources, message->slot);
    struct oc_tracks *tracks = source ? source->tracks : NULL;

    daemon->forecasts.asked--;
    if (tracks && source->id == message->source && tracks->phase == OC_TRACKS_ASKED)
        take_replay(daemon, tracks, message);
    oc_forecast_ask(daemon);
}

/* ---- the end ---- */

void oc_forecast_end(struct oc_daemon *daemon, struct oc_source *source)
{
    struct oc_tracks *tracks = source->tracks;

    if (!tracks)
        return;
    if (tracks->phase == OC_TRACKS_WAITING)
        daemon->forecasts.waiting--;
    tracks->phase = OC_TRACKS_READY;
    oc_tracks_flush(tracks);
    oc_forecast_learn(daemon, source);
    source->tracks = NULL;
}

/* ---- status ---- */

static uint64_t count_leaking(const struct oc_daemon *daemon)
{
    uint64_t count = 0;

    for (size_t i = 0; i < daemon->sources.count; i++) {
        const struct oc_source *source = daemon->sources.slots[i];

        count += source && source->tracks && oc_tracks_is_leaking(source->tracks);
    }
    return count;
}

void oc_forecast_status(const struct oc_daemon *daemon, struct oc_buf *out)
{
    const struct oc_forecasts *forecasts = &daemon->forecasts;
    struct oc_forecast_pool_stats stats = { 0 };

    if (!forecasts->pool)
        return;
    oc_forecast_pool_stats(forecasts->pool, &stats);
    oc_buf_puts(out, "\"forecast\":{");
    oc_status_u64(out, "series", stats.series);
    oc_status_u64(out, "large", stats.large);
    oc_status_u64(out, "bytes", stats.used_bytes);
    oc_status_u64(out, "max_bytes", stats.max_bytes);
    oc_status_u64(out, "refused", stats.refused);
    oc_status_u64(out, "leaking", count_leaking(daemon));
    oc_status_u64(out, "learnt", forecasts->priors.count);
    oc_status_u64(out, "replayed", forecasts->replayed);
    oc_status_u64(out, "unreplayed", forecasts->waiting + forecasts->asked);
    oc_status_close(out, "},");
}
