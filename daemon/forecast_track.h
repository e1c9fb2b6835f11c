/*
 * The series of one source: one for each metric that can run into something, each against its
 * limits. Samples are fed as they come where something grows; where nothing does, the lowest and the
 * highest of a minute are, so that a quiet source costs a comparison and no more.
 */
#ifndef OC_DAEMON_FORECAST_TRACK_H
#define OC_DAEMON_FORECAST_TRACK_H

#include "base/limit.h"
#include "base/sample.h"
#include "forecast/forecast.h"
#include "forecast/score.h"

#include <float.h>
#include <stdint.h>

#define OC_TRACKS_MAX 16             /* of one source */
#define OC_TRACK_FOLD_MS 60000       /* of samples that are fed as one range */
#define OC_TRACK_FOLD_SAME_MS 600000 /* where none of them was another than the last */

/* Neither NAN nor infinite; isfinite() and isnan() warn on mingw. */
static inline int oc_is_number(double value) { return value >= -DBL_MAX && value <= DBL_MAX; }

#define OC_TRACK_MET INT64_C(-1)

/* What the store was told last. */
struct oc_track_said {
    int64_t ms; /* INT64_MIN: nothing yet */
    float p50_s;
    uint8_t state;
};

/* From the first growth on. */
struct oc_track_record {
    struct oc_book book;
    struct oc_accuracy sum; /* not yet told */
};

struct oc_track_limit {
    uint64_t value;
    char *where; /* owned; NULL: "", or the path of the source's cgroup */
    struct oc_track_record
        *record; /* owned; NULL: nothing grew yet. In a free slot: as it was saved */
    struct oc_track_said said;
    float watched_s; /* without a record, not yet told */
    int64_t met_ms;  /* since when it is; 0: it is not; OC_TRACK_MET: and that is known */
    uint8_t kind;    /* enum oc_limit_kind; 0: a free slot */
};

struct oc_track {
    oc_series *series;             /* the pool's */
    struct oc_track_limit *limits; /* owned; the index is the slot */
    double last;                   /* NAN: none yet */
    double low, high;              /* of the samples that wait */
    double fed_low, fed_high;      /* what was fed of late: what lies in there can wait */
    double edge;                   /* the nearest limit: INFINITY, of a floor -INFINITY: none */
    uint32_t waiting;              /* samples taken in since the last one that was fed */
    uint16_t metric;
    uint8_t limit_count; /* slots in use up to here */
    uint8_t falls;
    uint8_t is_calm;           /* oc_series_is_calm() as of the last feed */
    uint8_t is_ticked;         /* known each tick: a "same" is a sample of it too */
    uint8_t is_shown;          /* its growth is told though it has no limit */
    uint8_t moved;             /* since it was saved */
    struct oc_track_said said; /* of growth without a limit */
};

enum oc_tracks_phase {
    OC_TRACKS_READY,
    OC_TRACKS_WAITING, /* the store is to be asked for what came while nobody fed them */
    OC_TRACKS_ASKED
};

struct oc_tracks {
    /* what a sample that stands touches, in half a cache line */
    int64_t due_ms;          /* when the ranges are fed */
    int64_t say_ms;          /* when all is forecast again */
    int64_t last_ms;         /* of the last sample; INT64_MIN: none */
    uint32_t same;           /* samples that stood, not yet taken in */
    uint8_t restless;        /* a series is not calm: it wants each sample */
    uint8_t phase;           /* enum oc_tracks_phase */
    uint8_t say_now;         /* a state is another than was told */
    uint8_t stirred;         /* a value moved since the ranges were fed */
    uint8_t is_counted_anew; /* the next sample counts something else: rebase */

    struct oc_track *items; /* owned */
    uint32_t count, capacity;
    uint8_t was_saved; /* its limits are not known again yet */
    int64_t looked_ms; /* when all was forecast last; INT64_MIN: never */
    int64_t saved_ms;  /* INT64_MIN: never */
    float space_s;     /* until address space runs out, as of looked_ms; INFINITY: not in sight */
    int64_t killed_ms; /* a limit of it was met by a kill then; INT64_MIN: none was */
    uint32_t members;  /* of a group: oc_subject.changes as of the last sample */
    int64_t processes;
    struct oc_sample *held; /* owned: the newest while others are fed first; NULL: none */
    int64_t held_ms;        /* its time, or that of one that stood; INT64_MIN: none */
    char *program;          /* owned; path of the executable; NULL: not known */
};

/* NULL: no memory. */
struct oc_tracks *oc_tracks_new(void);
/* With its series. NULL is allowed. */
void oc_tracks_free(struct oc_tracks *tracks);

struct oc_track *oc_tracks_find(const struct oc_tracks *tracks, unsigned metric);

/*
 * Takes a series in as that of a metric; it is the pool's, and goes with the tracks. Falls: as in its
 * options. NULL: OC_TRACKS_MAX is reached or no memory; the series is still the caller's.
 * Pointers into the tracks are not valid afterwards.
 */
struct oc_track *oc_tracks_add(struct oc_tracks *tracks, unsigned metric, int falls,
                               oc_series *take_series);

/* A sample at t_ms, NULL: the last one stands. Sets say_now. No allocation. */
void oc_tracks_feed(struct oc_tracks *tracks, int64_t t_ms, const struct oc_sample *sample);

/* While those before it are on their way: the newest is kept, and fed when they are in. */
void oc_tracks_hold(struct oc_tracks *tracks, int64_t t_ms, const struct oc_sample *sample);
void oc_tracks_let_go(struct oc_tracks *tracks);

/* Whether a sample that stands asks for no more than being counted: the way of most ticks. */
static inline int oc_tracks_is_quiet(const struct oc_tracks *tracks, int64_t t_ms)
{
    return !tracks->restless && t_ms < tracks->due_ms && t_ms < tracks->say_ms;
}

/* Takes what waits into the series: ahead of a restart, a limit's change or the end. */
void oc_tracks_flush(struct oc_tracks *tracks);

/* Ahead of saving: all that was sampled is fed, and what is fed next hangs on the series alone. */
void oc_tracks_settle(struct oc_tracks *tracks);
/* A series that was saved was taken in: it goes on as one that was settled and not stopped. */
void oc_tracks_resume(struct oc_tracks *tracks, struct oc_track *track);

/* How long its address space will do; INT64_MAX: no end of it is in sight. */
int64_t oc_tracks_space_ms(const struct oc_tracks *tracks);

/* A slot that may be filled: 0 or OC_E_NOMEM. */
int oc_track_make_slot(struct oc_track *track, unsigned slot);
/* The value of a slot's limit as the series has it: NAN where the slot is free. */
double oc_track_limit_value(const struct oc_track *track, unsigned slot);
/* Whether LEAKING was told of one of its limits. */
int oc_tracks_is_leaking(const struct oc_tracks *tracks);
int oc_track_has_limit(const struct oc_track *track);
/* After limits changed: edge, and what each slot of the series is. */
void oc_track_limits_changed(struct oc_track *track);

#endif
