/* What a series is made of. All but the pointers is saved. */
#ifndef OC_FORECAST_SERIES_IMPL_H
#define OC_FORECAST_SERIES_IMPL_H

#include "forecast/forecast.h"
#include "forecast/pyramid.h"
#include "forecast/view.h"

#define SMALL_LEVELS 10 /* 10,000 samples: a day at one in ten seconds */
#define SMALL_CAP 5
#define LARGE_LEVELS 24 /* 2^25 samples: 388 days at one a second, ten years at ten seconds */
#define LARGE_CAP 9
#define SAMPLES_PER_BLOCK 2
#define DAY_PARTS 12
#define DAY_PART_MS INT64_C(7200000)

/* What is said of a limit: an alert, and the times to it as they were last made out. */
struct oc_slot {
    float floor;          /* of the window that raised the alert */
    float slack;          /* it is cleared when the floor falls by so much */
    double clock;         /* when it was raised */
    double outlook_clock; /* when the following was made out */
    float p10_s, p50_s, p90_s;
    float sure;  /* log odds that it goes on to the limit */
    uint8_t is_leaking;
    uint8_t level;         /* that raised the alert */
    uint8_t has_outlook;   /* it grows */
    uint8_t outlook_level; /* that the line was taken from */
};

/* Once it grows: what is needed to tell a leak. */
struct oc_large {
    struct oc_large *next_free; /* not saved */
    struct oc_bin blocks[LARGE_LEVELS * LARGE_CAP];
    float top[LARGE_LEVELS], fall[LARGE_LEVELS];
    uint8_t used[LARGE_LEVELS];
    uint32_t calm_blocks; /* finished since anything grew */
    struct oc_view views[LARGE_LEVELS];
    struct oc_slot slots[OC_SERIES_LIMITS];
};

struct oc_series {
    /* not saved */
    struct oc_forecast_pool *pool;
    struct oc_series *next_free;
    const struct oc_series *companion;
    struct oc_large *large; /* NULL: nothing grows */

    struct oc_series_options options;
    int64_t last_ms;                 /* of the last sample */
    double clock;                    /* seconds of this life, pauses taken out */
    double interval;                 /* seconds, as it mostly is; 0: not known */
    double origin;                   /* blocks hold offsets from it */
    double value;                    /* the last one, turned round if it falls */
    double scale;                    /* of a falling metric: turned round about it */
    double limits[OC_SERIES_LIMITS]; /* NAN: none; turned round too */
    uint64_t samples;                /* of this life */
    uint64_t blocks_count;           /* finished, of the finest size */
    struct oc_prior prior;
    float begin;        /* floor of the first blocks of this life, an offset */
    float peak;         /* highest value of this life, an offset */
    float quantum;      /* the smallest move seen, 0: none yet */
    float day_gain;     /* mean of (floor of two hours less that of the same ones yesterday) */
    float day_up;       /* mean of its sign */
    float part_low;     /* floor of the two hours at hand */
    uint32_t left_out;  /* samples that were no numbers */
    int32_t day_part;   /* of part_low: a count of two hours; -1: none */
    uint16_t day_count; /* of them that had a yesterday */
    uint16_t day_known; /* of them in a row */
    uint8_t part_count; /* samples in `part` */
    uint8_t is_met;     /* a bit for each limit: the value is at or above it */
    float day_low[DAY_PARTS];
    struct oc_piece part; /* the block that is being filled */
    float top[SMALL_LEVELS], fall[SMALL_LEVELS];
    uint8_t used[SMALL_LEVELS];
    struct oc_bin blocks[SMALL_LEVELS * SMALL_CAP];
};

_Static_assert(sizeof(struct oc_series) <= OC_SERIES_SMALL_BYTES, "what is calm is small");
_Static_assert(sizeof(struct oc_series) + sizeof(struct oc_large) <= OC_SERIES_LARGE_BYTES,
               "what grows is bounded");

static inline struct oc_pyramid oc_series_pyramid(const struct oc_series *series)
{
    struct oc_series *s = (struct oc_series *)series; /* a reader of it changes nothing */
    struct oc_large *large = series->large;
    struct oc_pyramid small = { s->blocks, s->used, s->top, s->fall, SMALL_LEVELS, SMALL_CAP };
    struct oc_pyramid big = { 0 };

    if (!large)
        return small;
    big = (struct oc_pyramid){ large->blocks, large->used,  large->top,
                               large->fall,   LARGE_LEVELS, LARGE_CAP };
    return big;
}

static inline const struct oc_view *oc_series_view(const struct oc_series *series, int level)
{
    if (!series->large || level < 0 || level >= LARGE_LEVELS || !series->large->views[level].count)
        return NULL;
    return &series->large->views[level];
}

/* ---- pool.c ---- */
const struct oc_forecast_settings *oc_pool_settings(const struct oc_forecast_pool *pool);
/* Memory for growth, zeroed; NULL: no room. */
struct oc_large *oc_pool_large(struct oc_forecast_pool *pool);
void oc_pool_large_free(struct oc_forecast_pool *pool, struct oc_large *large);

/* ---- series.c ---- */
/* An empty one, in memory of the pool. */
void oc_series_begin(struct oc_series *series, struct oc_forecast_pool *pool,
                     const struct oc_series_options *options);

/* A time of the series' own clock on that of its samples; the last sample's at most. No overflow. */
int64_t oc_series_time(const struct oc_series *series, double clock);

/* ---- prior.c ---- */
void oc_prior_learn(const struct oc_series *series, enum oc_life_over over, struct oc_prior *prior);

/* ---- day.c: the same time yesterday ---- */
void oc_day_note(struct oc_series *series, int64_t t_ms, float low);

/* ---- decide.c: after blocks of levels 0 … changed - 1 were finished ---- */
/* Of a large series: its views, alerts and times. Returns whether anything rises. */
int oc_decide(struct oc_series *series, unsigned changed);
/* Another limit, or what earlier lives taught: judged anew. */
void oc_decide_again(struct oc_series *series, unsigned slot);
int oc_is_leaking(const struct oc_series *series); /* towards any limit */
/* Whether something may grow: then a small series becomes large. */
int oc_is_stirring(const struct oc_series *series, unsigned changed);

#endif
