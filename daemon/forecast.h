/*
 * What will run out of what: the series of all sources, fed as they are sampled, their forecasts
 * told to the store, and what was learnt kept there. All of it is the loop thread's; the store's
 * part is done by the writer. docs/daemon.md says what is forecast.
 *
 * forecast.c      from first sight to the end, the samples
 * forecast_track  the series of one source
 * forecast_limits which series there are, and their limits
 * forecast_say    forecasts and the record of what came of them
 * forecast_learn  what a life teaches the next one
 * forecast_prior  the table of that
 * forecast_saved  saving, and going on from there
 */
#ifndef OC_DAEMON_FORECAST_H
#define OC_DAEMON_FORECAST_H

#include "base/buf.h"
#include "base/forecast.h"
#include "base/limit.h"
#include "base/sample.h"
#include "daemon/forecast_prior.h"
#include "daemon/forecast_track.h"
#include "daemon/queue.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct oc_daemon;
struct oc_source;

#define OC_FORECAST_ROWS_MAX (OC_TRACKS_MAX * OC_SERIES_LIMITS)
#define OC_FORECAST_SAVE_S 300    /* each series is saved so often, where it changed */
#define OC_FORECAST_REPLAYS_MAX 8 /* asked of the store at a time: what they hold waits in memory */
#define OC_FORECAST_PARKED_MAX 256
#define OC_FORECAST_PARKED_MS (INT64_C(24) * 3600 * 1000)

struct oc_saved_series; /* forecast_saved.c */
struct oc_parked;       /* forecast_learn.c */

struct oc_forecasts {
    oc_forecast_pool *pool; /* NULL: nothing is forecast */
    struct oc_priors priors;
    struct oc_saved_series
        *saved; /* owned: of an earlier run, by source; until they are taken up */
    size_t saved_count, saved_capacity;
    int64_t saved_until_ms;   /* mono: then the rest is let go */
    struct oc_parked *parked; /* owned: of lives that ended, the newest first */
    uint32_t parked_count;
    uv_timer_t timer;
    size_t save_at;                                    /* the slot that is saved next */
    size_t prior_at;                                   /* the bucket */
    size_t ask_at;                                     /* the slot that is asked for next */
    uint32_t asked;                                    /* replays under way */
    uint32_t waiting;                                  /* sources that wait for one */
    uint64_t replayed;                                 /* samples */
    uint64_t refused;                                  /* series: the pool or memory is full */
    struct oc_forecast_row rows[OC_FORECAST_ROWS_MAX]; /* of the source at hand */
};

/* ---- the part ---- */

/* While the store is still the caller's: the pool, and what was saved. 0 or OC_E_NOMEM. */
int oc_forecast_load(struct oc_daemon *daemon);
/* The timer of saving. Neither can fail. */
void oc_forecast_start(struct oc_daemon *daemon);
/* Saves all; with the writer still there. */
void oc_forecast_stop(struct oc_daemon *daemon);
/* After the sources are gone. */
void oc_forecast_clear(struct oc_forecasts *forecasts);

/* "forecast":{…} of the status. */
void oc_forecast_status(const struct oc_daemon *daemon, struct oc_buf *out);

/* ---- sources ---- */

/* It has its id: series are made, or gone on with, and what came meanwhile is asked for. */
void oc_forecast_begin(struct oc_daemon *daemon, struct oc_source *source);
/* It ends as source->end says, or is another's from now on; it is still under its subject. */
void oc_forecast_end(struct oc_daemon *daemon, struct oc_source *source);

/* A sample of it; NULL: the last one stands. The hook of groups. */
void oc_forecast_fed(void *daemon, struct oc_source *source, int64_t t_ms,
                     const struct oc_sample *sample);

/* The limits in force: all of them. */
void oc_forecast_limits(struct oc_daemon *daemon, struct oc_source *source,
                        const struct oc_limit *limits, size_t count);

/* What program it runs; stamp: of its file, 0 not known. */
void oc_forecast_program(struct oc_daemon *daemon, struct oc_source *source, const char *path,
                         uint64_t stamp);

/* The kernel killed in that cgroup: its memory limit was met. */
void oc_forecast_oom_kill(struct oc_daemon *daemon, const struct oc_source *cgroup);
/* The process was killed for want of memory, as source->killer says: ahead of its end, with which its
 * cgroup may go. */
void oc_forecast_victim(struct oc_daemon *daemon, const struct oc_source *process);

/* The answer to a replay. The writer's. */
void oc_forecast_replayed(void *daemon, const struct oc_message *message);

/* ---- among the files of the part ---- */

/* Whether a metric runs down to its limits; whether its growth is told though it has none. */
int oc_forecast_falls(unsigned metric);
int oc_forecast_is_shown(unsigned metric);

/* Makes the series of a metric where it is missing. NULL: the pool or memory is full. */
struct oc_track *oc_forecast_want(struct oc_daemon *daemon, struct oc_source *source,
                                  unsigned metric);

/* Forecasts all of a source, tells what is news and keeps the record. */
void oc_forecast_say(struct oc_daemon *daemon, struct oc_source *source, int64_t t_ms);
/* A limit is not there any more, or the life is over: what was said of it is met or censored. */
void oc_forecast_close(struct oc_daemon *daemon, const struct oc_source *source,
                       const struct oc_track *track, struct oc_track_limit *limit, int is_met);

/* What is known of earlier lives goes into a new series. */
void oc_forecast_set_prior(struct oc_daemon *daemon, const struct oc_source *source,
                           struct oc_track *track);
/* The end of a life: teaches, and gives the tracks to the next life of the subject or frees them. */
void oc_forecast_learn(struct oc_daemon *daemon, struct oc_source *source);
/* Those of the life before it; NULL: none. */
struct oc_tracks *oc_forecast_unpark(struct oc_daemon *daemon, const struct oc_source *source);
/* Parked ones that are too old go; all: each of them. */
void oc_forecast_drop_parked(struct oc_forecasts *forecasts, int64_t before_mono_ms);
/* What a subject's lives are kept under; NULL: none are. */
const char *oc_forecast_name(const struct oc_source *source);
/* A limit that has at least nine tenths in use, so that an end without a word was likely its doing. */
int oc_track_is_near(const struct oc_track *track, const struct oc_track_limit *limit);
int oc_forecast_was_killed(const struct oc_source *source);

/* Those of an earlier run, put into the tracks; 0: there were none. */
int oc_forecast_take_saved(struct oc_daemon *daemon, struct oc_source *source);
/* Sends the next that waits to the store. */
void oc_forecast_ask(struct oc_daemon *daemon);

#endif
