/* Saving series, books and what was learnt; going on from there after a restart. */
#include "daemon/forecast.h"

#include "daemon/daemon.h"
#include "daemon/limits.h"

#include "base/alloc.h"
#include "base/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_MS 1000
#define UNMOVED_MS                                                                                 \
    3600000 /* one whose value stands is saved this rarely: it is replayed from there */
#define SAVED_WAIT_MS 180000 /* for sources of an earlier run to be found again */
#define REPLAY_MS 86400000   /* at most so much of the past is fed again */
#define STOP_QUEUE_BYTES (4u << 20)
#define STOP_MS 1000 /* of the time in which SIGTERM must end it */
#define NAME_BYTES 16

struct oc_saved_series {
    uint32_t source;
    uint32_t key;
    oc_series *series;              /* of a series */
    struct oc_track_record *record; /* of a book */
};

/* ---- saving ---- */

/* 0, or a code: another time, then. */
static int put(struct oc_daemon *daemon, enum oc_memory_kind kind, const char *name, uint32_t key,
               const void *bytes, size_t len_bytes)
{
    struct oc_message *message = oc_writer_message(daemon->writer, OC_MESSAGE_MEMORY);

    if (!message)
        return OC_E_NOMEM;
    message->memory = kind;
    message->key = key;
    message->text = oc_strdup(name);
    message->bytes = oc_malloc(len_bytes);
    message->len_bytes = len_bytes;
    if (!message->text || !message->bytes) {
        oc_writer_give_back(daemon->writer, message);
        return OC_E_NOMEM;
    }
    memcpy(message->bytes, bytes, len_bytes);
    oc_writer_push(daemon->writer, message);
    return OC_OK;
}

static int save_books(struct oc_daemon *daemon, const char *name, const struct oc_track *track)
{
    uint8_t blob[OC_BOOK_BLOB_BYTES];
    int rc = OC_OK;

    for (unsigned slot = 0; rc == OC_OK && slot < track->limit_count; slot++) {
        const struct oc_track_record *record = track->limits[slot].record;

        if (record)
            rc = put(daemon, OC_MEMORY_BOOK, name, (uint32_t)track->metric << 8 | slot, blob,
                     oc_book_save(&record->book, blob));
    }
    return rc;
}

static int save_track(struct oc_daemon *daemon, const char *name, const struct oc_track *track)
{
    uint8_t blob[OC_SERIES_BLOB_BYTES];
    size_t len_bytes = oc_series_save(track->series, blob);
    int rc = len_bytes == 0 ? OC_OK
                            : put(daemon, OC_MEMORY_SERIES, name, track->metric, blob, len_bytes);

    return rc == OC_OK ? save_books(daemon, name, track) : rc;
}

static int has_moved(const struct oc_tracks *tracks)
{
    for (uint32_t i = 0; i < tracks->count; i++) {
        if (tracks->items[i].moved)
            return 1;
    }
    return 0;
}

static void save_source(struct oc_daemon *daemon, const struct oc_source *source)
{
    struct oc_tracks *tracks = source->tracks;
    int all = tracks->saved_ms == INT64_MIN || tracks->last_ms - tracks->saved_ms >= UNMOVED_MS;
    char name[NAME_BYTES];

    if (tracks->phase != OC_TRACKS_READY || tracks->last_ms == INT64_MIN ||
        source->state != OC_SOURCE_TICKING || (!all && !has_moved(tracks)))
        return;
    (void)snprintf(name, sizeof(name), "%lu", (unsigned long)source->id);
    oc_tracks_settle(tracks);
    for (uint32_t i = 0; i < tracks->count; i++) {
        struct oc_track *track = &tracks->items[i];

        if (!all && !track->moved)
            continue;
        if (save_track(daemon, name, track) < 0)
            return;
        track->moved = 0;
    }
    if (all)
        tracks->saved_ms = tracks->last_ms;
}

static void save_bucket(struct oc_daemon *daemon, size_t bucket)
{
    uint8_t blob[OC_PRIOR_BLOB_BYTES];

    for (struct oc_prior_entry *entry = daemon->forecasts.priors.buckets[bucket]; entry;
         entry = entry->next) {
        if (entry->dirty && put(daemon, (enum oc_memory_kind)entry->kind, entry->name,
                                entry->metric, blob, oc_prior_entry_save(entry, blob)) == OC_OK)
            entry->dirty = 0;
    }
}

/* A part of all, so that each has had its turn after OC_FORECAST_SAVE_S rounds. */
static void save_some(struct oc_daemon *daemon)
{
    struct oc_forecasts *forecasts = &daemon->forecasts;
    size_t sources = daemon->sources.count / OC_FORECAST_SAVE_S + 1;
    size_t buckets = forecasts->priors.bucket_count / OC_FORECAST_SAVE_S + 1;

    for (size_t i = 0; i < sources && daemon->sources.count > 0; i++) {
        const struct oc_source *source = oc_sources_at(&daemon->sources, forecasts->save_at);

        if (source && source->tracks)
            save_source(daemon, source);
        forecasts->save_at = (forecasts->save_at + 1) % daemon->sources.count;
    }
    for (size_t i = 0; i < buckets && forecasts->priors.bucket_count > 0; i++) {
        save_bucket(daemon, forecasts->prior_at);
        forecasts->prior_at = (forecasts->prior_at + 1) % forecasts->priors.bucket_count;
    }
}

/* ---- loading ---- */

static int by_source(const void *a, const void *b)
{
    const struct oc_saved_series *x = a, *y = b;

    return x->source < y->source ? -1 : x->source > y->source;
}

static void free_saved(struct oc_saved_series *saved)
{
    oc_series_free(saved->series);
    oc_free(saved->record);
    *saved = (struct oc_saved_series){ .source = saved->source };
}

static void drop_saved(struct oc_forecasts *forecasts)
{
    for (size_t i = 0; i < forecasts->saved_count; i++)
        free_saved(&forecasts->saved[i]);
    oc_free(forecasts->saved);
    forecasts->saved = NULL;
    forecasts->saved_count = 0;
    forecasts->saved_capacity = 0;
}

/* A place for one; NULL: no memory, or the name is no source's. */
static struct oc_saved_series *add_saved(struct oc_forecasts *forecasts, const char *name,
                                         uint32_t key)
{
    void *saved = forecasts->saved;
    char *end = NULL;
    unsigned long source = strtoul(name, &end, 10);

    if (end == name || *end != '\0' || source > UINT32_MAX)
        return NULL;
    if (oc_array_grow(&saved, &forecasts->saved_capacity, forecasts->saved_count + 1,
                      sizeof(forecasts->saved[0]), (size_t)OC_MAX_SOURCES * OC_TRACKS_MAX) < 0)
        return NULL;
    forecasts->saved = saved;
    forecasts->saved[forecasts->saved_count] =
        (struct oc_saved_series){ .source = (uint32_t)source, .key = key };
    return &forecasts->saved[forecasts->saved_count];
}

/* What cannot be read is made anew out of the samples: no callback ends the loading. */
static int on_series(const char *name, uint32_t key, const void *bytes, size_t len_bytes,
                     void *context)
{
    struct oc_forecasts *forecasts = context;
    struct oc_saved_series *saved = add_saved(forecasts, name, key);

    if (saved && oc_series_load(forecasts->pool, bytes, len_bytes, &saved->series) == OC_OK)
        forecasts->saved_count++;
    return 0;
}

static int on_book(const char *name, uint32_t key, const void *bytes, size_t len_bytes,
                   void *context)
{
    struct oc_forecasts *forecasts = context;
    struct oc_saved_series *saved = add_saved(forecasts, name, key);
    struct oc_track_record *record = saved ? oc_calloc(1, sizeof(*record)) : NULL;

    if (!record)
        return 0;
    if (oc_book_load(bytes, len_bytes, &record->book) < 0) {
        oc_free(record);
        return 0;
    }
    saved->record = record;
    forecasts->saved_count++;
    return 0;
}

static int on_subject(const char *name, uint32_t key, const void *bytes, size_t len_bytes,
                      void *context)
{
    struct oc_forecasts *forecasts = context;

    (void)oc_priors_load(&forecasts->priors, OC_MEMORY_SUBJECT, name, key, bytes, len_bytes);
    return forecasts->priors.count >= OC_PRIORS_MAX;
}

static int on_image(const char *name, uint32_t key, const void *bytes, size_t len_bytes,
                    void *context)
{
    struct oc_forecasts *forecasts = context;

    (void)oc_priors_load(&forecasts->priors, OC_MEMORY_IMAGE, name, key, bytes, len_bytes);
    return forecasts->priors.count >= OC_PRIORS_MAX;
}

static void load_kind(struct oc_daemon *daemon, enum oc_memory_kind kind, oc_store_memory_fn *fn)
{
    int rc = oc_store_memory(daemon->store, kind, fn, &daemon->forecasts);

    if (rc < 0)
        oc_log(OC_LOG_WARN, "forecasts_not_loaded", oc_str("err", oc_err_name(rc)),
               oc_str("then", "they begin anew with the samples of the last day"));
}

int oc_forecast_load(struct oc_daemon *daemon)
{
    struct oc_forecasts *forecasts = &daemon->forecasts;

    if (strcmp(daemon->config.forecast, "off") == 0)
        return OC_OK;
    forecasts->pool = oc_forecast_pool_new((size_t)daemon->config.forecast_memory_bytes, NULL);
    if (!forecasts->pool)
        return OC_E_NOMEM;
    load_kind(daemon, OC_MEMORY_SUBJECT, on_subject);
    load_kind(daemon, OC_MEMORY_IMAGE, on_image);
    load_kind(daemon, OC_MEMORY_SERIES, on_series);
    load_kind(daemon, OC_MEMORY_BOOK, on_book);
    if (forecasts->saved_count > 0)
        qsort(forecasts->saved, forecasts->saved_count, sizeof(forecasts->saved[0]), by_source);
    forecasts->saved_until_ms = oc_now_mono_ms() + SAVED_WAIT_MS;
    return OC_OK;
}

/* ---- taking up ---- */

static size_t first_of(const struct oc_forecasts *forecasts, uint32_t source)
{
    size_t low = 0, high = forecasts->saved_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (forecasts->saved[middle].source < source)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int take_series(struct oc_tracks *tracks, struct oc_saved_series *saved)
{
    struct oc_track *track = NULL;

    if (!saved->series || oc_tracks_find(tracks, saved->key))
        return 0;
    track = oc_tracks_add(tracks, saved->key, oc_forecast_falls(saved->key), saved->series);
    if (!track)
        return 0;
    oc_tracks_resume(tracks, track);
    track->is_shown = oc_forecast_is_shown(saved->key) != 0;
    saved->series = NULL;
    return 1;
}

/* Into the slot that it was of: its limit comes later. */
static void take_book(struct oc_tracks *tracks, struct oc_saved_series *saved)
{
    struct oc_track *track = saved->record ? oc_tracks_find(tracks, saved->key >> 8) : NULL;
    unsigned slot = saved->key & 0xff;

    if (!track || slot >= OC_SERIES_LIMITS || oc_track_make_slot(track, slot) < 0 ||
        track->limits[slot].record)
        return;
    track->limits[slot].record = saved->record;
    saved->record = NULL;
}

int oc_forecast_take_saved(struct oc_daemon *daemon, struct oc_source *source)
{
    struct oc_forecasts *forecasts = &daemon->forecasts;
    size_t first = first_of(forecasts, source->id), at = first;
    int taken = 0;

    for (; at < forecasts->saved_count && forecasts->saved[at].source == source->id; at++)
        taken += take_series(source->tracks, &forecasts->saved[at]);
    for (at = first; at < forecasts->saved_count && forecasts->saved[at].source == source->id; at++)
        take_book(source->tracks, &forecasts->saved[at]);
    return taken;
}

/* ---- asking for what came since ---- */

static uint64_t wanted_of(const struct oc_tracks *tracks, unsigned *out_block)
{
    uint64_t wanted = 0;

    for (uint32_t i = 0; i < tracks->count; i++) {
        *out_block = OC_METRIC_BLOCK(tracks->items[i].metric);
        wanted |= OC_METRIC_BIT(tracks->items[i].metric);
    }
    return wanted;
}

static unsigned count_bits(uint64_t bits)
{
    unsigned count = 0;

    for (; bits; bits &= bits - 1)
        count++;
    return count;
}

/* 0, or a code: nothing was asked. */
static int ask_for(struct oc_daemon *daemon, const struct oc_source *source)
{
    struct oc_message *message = oc_writer_message(daemon->writer, OC_MESSAGE_PAST);
    int64_t earliest_ms = oc_now_boot_ms() - REPLAY_MS;
    int64_t last_ms = source->tracks->last_ms;

    if (message)
        message->past = oc_calloc(1, sizeof(*message->past));
    if (!message || !message->past) {
        oc_writer_give_back(daemon->writer, message);
        return OC_E_NOMEM;
    }
    message->slot = source->slot;
    message->source = source->id;
    message->past->wanted = wanted_of(source->tracks, &message->past->block);
    message->past->width = count_bits(message->past->wanted);
    message->past->since_ms = last_ms > earliest_ms ? last_ms : earliest_ms;
    oc_writer_push(daemon->writer, message);
    return OC_OK;
}

static void ask_one(struct oc_daemon *daemon, struct oc_source *source)
{
    struct oc_forecasts *forecasts = &daemon->forecasts;

    forecasts->waiting--;
    source->tracks->phase = OC_TRACKS_READY; /* what cannot be asked for is a gap */
    if (source->tracks->count == 0 || ask_for(daemon, source) < 0)
        return;
    source->tracks->phase = OC_TRACKS_ASKED;
    forecasts->asked++;
}

/* Goes on where it was: each source is passed once, not with each answer. */
void oc_forecast_ask(struct oc_daemon *daemon)
{
    struct oc_forecasts *forecasts = &daemon->forecasts;

    for (size_t i = 0; i < daemon->sources.count && forecasts->waiting > 0 &&
                       forecasts->asked < OC_FORECAST_REPLAYS_MAX;
         i++) {
        struct oc_source *source = oc_sources_at(&daemon->sources, forecasts->ask_at);

        if (source && source->tracks && source->tracks->phase == OC_TRACKS_WAITING)
            ask_one(daemon, source);
        forecasts->ask_at = (forecasts->ask_at + 1) % daemon->sources.count;
    }
}

/* ---- the part ---- */

/* Who is not found again by now has ended; whose limits are not known by now has none. */
static void end_waiting(struct oc_daemon *daemon)
{
    drop_saved(&daemon->forecasts);
    daemon->forecasts.saved_until_ms = INT64_MAX;
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];

        if (!source || !source->tracks || !source->tracks->was_saved)
            continue;
        source->tracks->was_saved = 0;
        oc_limits_tell(daemon, source);
    }
}

static void on_round(uv_timer_t *timer)
{
    struct oc_daemon *daemon = timer->data;

    if (oc_now_mono_ms() >= daemon->forecasts.saved_until_ms)
        end_waiting(daemon);
    oc_forecast_ask(daemon);
    if (!oc_writer_is_degraded(daemon->writer)) /* else the series themselves are what is kept */
        save_some(daemon);
}

void oc_forecast_start(struct oc_daemon *daemon)
{
    if (!daemon->forecasts.pool)
        return;
    daemon->forecasts.timer.data = daemon;
    (void)uv_timer_init(&daemon->loop, &daemon->forecasts.timer); /* neither can fail */
    (void)uv_timer_start(&daemon->forecasts.timer, on_round, ROUND_MS, ROUND_MS);
}

/* The writer works meanwhile; the queue holds no more than it does else. */
static int has_room(struct oc_daemon *daemon, int64_t until_ms)
{
    struct oc_writer_stats stats;

    for (;;) {
        oc_writer_stats(daemon->writer, &stats);
        if (stats.queued_bytes < STOP_QUEUE_BYTES)
            return 1;
        if (oc_now_mono_ms() >= until_ms)
            return 0;
        uv_sleep(1);
    }
}

void oc_forecast_stop(struct oc_daemon *daemon)
{
    int64_t until_ms = oc_now_mono_ms() + STOP_MS;

    if (!daemon->forecasts.pool)
        return;
    uv_close((uv_handle_t *)&daemon->forecasts.timer, NULL);
    for (size_t i = 0; i < daemon->sources.count && has_room(daemon, until_ms); i++) {
        const struct oc_source *source = daemon->sources.slots[i];

        if (source && source->tracks)
            save_source(daemon, source);
    }
    for (size_t i = 0; i < daemon->forecasts.priors.bucket_count; i++)
        save_bucket(daemon, i);
}

void oc_forecast_clear(struct oc_forecasts *forecasts)
{
    drop_saved(forecasts);
    oc_forecast_drop_parked(forecasts, INT64_MAX);
    oc_priors_clear(&forecasts->priors);
    oc_forecast_pool_free(forecasts->pool);
    *forecasts = (struct oc_forecasts){ 0 };
}
