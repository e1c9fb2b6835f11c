/*
 * The forecaster: (time, value) and limits in, forecasts out. Arithmetic only: no clock, no I/O, and
 * no memory but from a pool with a maximum.
 *
 * A series is one metric of one source. It holds a pyramid of the lowest and highest values over
 * spans that double, at most 1 KB while nothing grows and 8 KB once something does. Several limits
 * may hang on it. Equal calls give equal bits, on one build; -ffp-contract=off and SSE arithmetic
 * keep other builds close.
 *
 * Times are milliseconds of any clock that does not jump; steps back and pauses are survived.
 * Values are bytes or counts; NAN and infinities are left out and counted.
 */
#ifndef OC_FORECAST_FORECAST_H
#define OC_FORECAST_FORECAST_H

#include "base/err.h"
#include "base/forecast.h"

#include <stddef.h>
#include <stdint.h>

#define OC_SERIES_SMALL_BYTES 1024
#define OC_SERIES_LARGE_BYTES 8192
#define OC_SERIES_LIMITS 4

typedef struct oc_forecast_pool oc_forecast_pool;
typedef struct oc_series oc_series;

/* ---- the pool ---- */

/* What may be tuned; oc_forecast_settings_init() gives what was measured to be best. */
struct oc_forecast_settings {
    double
        gate; /* 0 … 1: an alert wants growth seen for at least this share of (seen + time to go) */
    double
        alert;   /* log odds of the score from which LEAKING is said; higher is quieter and later */
    double sure; /* log odds from which p90 is a time rather than "open" */
};
void oc_forecast_settings_init(struct oc_forecast_settings *out_settings);

/*
 * Memory for series, taken in slabs as they are made, at most max_bytes. One thread at a time.
 * settings are copied; NULL: the defaults. NULL: no memory.
 */
oc_forecast_pool *oc_forecast_pool_new(size_t max_bytes,
                                       const struct oc_forecast_settings *settings);
void oc_forecast_pool_free(oc_forecast_pool *pool); /* with all its series */

struct oc_forecast_pool_stats {
    size_t used_bytes, max_bytes;
    uint32_t series, large; /* large: those of them that grow */
    uint64_t refused;       /* no room: a series was not made, or stayed small */
};
void oc_forecast_pool_stats(const oc_forecast_pool *pool, struct oc_forecast_pool_stats *out_stats);

/* ---- what earlier lives teach ---- */

/* Kept by who knows the subject, one per (subject, metric) and per (image, metric); zeroed: none yet. Plain bytes of a fixed
 * size, stored as they are by oc_prior_save(). */
struct oc_prior {
    float lives;        /* how many are behind it; fades when the binary changes */
    float plateau;      /* highest floor that a life kept without harm */
    float peak;         /* highest value of those */
    float warm_s;       /* age at which lives had 90 % of their plateau */
    float life_s;       /* mean length of ended lives */
    float death;        /* value at the last end by a limit; 0: none */
    float leaks;        /* lives that grew to their end, faded like lives */
    float growth_per_s; /* of the last life that leaked */
    float begin;        /* value soon after the start */
    float saved;        /* lives in a row that leaked and were restarted in time */
};

enum oc_life_over {
    OC_LIFE_PLANNED, /* restarted by plan, or nobody knows: censored */
    OC_LIFE_KILLED   /* by the limit */
};

/* ---- a series ---- */

struct oc_series_options {
    uint16_t metric; /* number: its unit and whether it is falling say how it is read; 0: bytes */
    int falls;       /* it runs down to a floor: MemAvailable, the largest hole */
    int is_heap;     /* a collected heap with a hard cap: judged on its floor */
    double scale; /* of a falling metric: what there is when nothing is used; 0: its first value */
};

/* 0, OC_E_TOOBIG (the pool is full) or OC_E_NOMEM. The pool owns it until oc_series_free(). */
int oc_series_new(oc_forecast_pool *pool, const struct oc_series_options *options,
                  oc_series **out_series);
void oc_series_free(oc_series *series); /* NULL is allowed */

/* A sample. O(1) amortised: 0.1 µs where nothing grows, below 1 µs where it does. */
void oc_series_feed(oc_series *series, int64_t t_ms, double value);

/* The lowest and the highest value of `count` samples that ended at t_ms, in place of them. */
void oc_series_feed_range(oc_series *series, int64_t t_ms, double low, double high, double last,
                          uint32_t count);

/*
 * Another life of the same subject goes on with the series: its limits and what was learnt stay. The
 * old life is told to `over`.
 */
void oc_series_restart(oc_series *series, enum oc_life_over over);

/* What is counted changed by delta (another mode of counting, a process joined a sum): no growth. */
void oc_series_rebase(oc_series *series, double delta);

/* A limit in a slot 0 … OC_SERIES_LIMITS - 1; NAN: none. Another value is judged anew at once. Values
 * ≤ 0 are met by anything. */
void oc_series_limit(oc_series *series, unsigned slot, double limit);

/* Another series of the same source (modules, threads, mappings) that confirms or refutes growth; borrowed, NULL: none.
 * Not saved: say it again after oc_series_load(). Take it away before freeing the other. */
void oc_series_companion(oc_series *series, const oc_series *companion);

/* What earlier lives and siblings taught: set at the start of a life. */
void oc_series_set_prior(oc_series *series, const struct oc_prior *prior);
/* Folds the life so far into what is known; the series is as before. */
void oc_series_teach(const oc_series *series, enum oc_life_over over, struct oc_prior *inout_prior);
/* The binary changed: what was learnt counts a quarter. */
void oc_prior_discount(struct oc_prior *prior);

/* The forecast against a slot's limit; OC_SERIES_LIMITS: against none. Changes nothing. Below 2 µs. */
void oc_series_forecast(const oc_series *series, unsigned slot, struct oc_forecast *out_forecast);

/* The state alone: a field, kept by feeding. */
enum oc_forecast_state oc_series_state(const oc_series *series, unsigned slot);

/* Whether (min, max) of a minute will do: nothing grows, or the end is far. */
int oc_series_is_calm(const oc_series *series);

/* A picture of what the forecaster holds, for plots and --json: blocks of time, the oldest first. */
struct oc_series_block {
    int64_t begin_ms, end_ms;
    double low, high; /* of the samples in it; low is the floor */
};
/* At most max; returns the number. */
size_t oc_series_blocks(const oc_series *series, struct oc_series_block *out_blocks, size_t max);

/* ---- saving ---- */

#define OC_SERIES_BLOB_BYTES (OC_SERIES_LARGE_BYTES + 64)
/*
 * Writes the series without pointers; returns the length. Little-endian, versioned, checked by a
 * checksum. Fed with what came since, a loaded series gives the same bits as one that was never
 * saved.
 */
size_t oc_series_save(const oc_series *series, uint8_t out_blob[OC_SERIES_BLOB_BYTES]);
/* 0, OC_E_PARSE (damaged), OC_E_NEWER (another version: replay instead), OC_E_TOOBIG, OC_E_NOMEM. */
int oc_series_load(oc_forecast_pool *pool, const void *blob, size_t len_bytes,
                   oc_series **out_series);
/* The time of its last sample. */
int64_t oc_series_last_ms(const oc_series *series);

#define OC_PRIOR_BLOB_BYTES 64
size_t oc_prior_save(const struct oc_prior *prior, uint8_t out_blob[OC_PRIOR_BLOB_BYTES]);
int oc_prior_load(const void *blob, size_t len_bytes,
                  struct oc_prior *out_prior); /* 0 or OC_E_PARSE */

#endif
