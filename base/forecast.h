/*
 * What a forecast says: a plain type that the rooms share. forecast/ makes it, storage keeps it, the
 * command line shows it.
 */
#ifndef OC_BASE_FORECAST_H
#define OC_BASE_FORECAST_H

#include "base/limit.h"

#include <stdint.h>

/* Numbers are in stores for ever. */
enum oc_forecast_state {
    OC_FORECAST_LEARNING = 0, /* too few samples to say anything */
    OC_FORECAST_FLAT = 1,     /* nothing grows */
    OC_FORECAST_CYCLIC = 2,   /* it rises and falls back: a collected heap, the load of a day */
    OC_FORECAST_WARMING =
        3, /* it grows, slower and slower, or as earlier lives did before they levelled off */
    OC_FORECAST_GROWING = 4,   /* it grows; not yet sure, or not to this limit */
    OC_FORECAST_LEAKING = 5,   /* it grows and will meet the limit: what alerts are for */
    OC_FORECAST_SAVED = 6,     /* it leaks, and restarts have always come first */
    OC_FORECAST_EXHAUSTED = 7, /* the limit is met */
    OC_FORECAST_STATES
};

/* "learning", "flat" … "saved by restarts" "exhausted". Borrowed for ever. */
const char *oc_forecast_state_name(unsigned state);

/*
 * One forecast, of a series against one limit, or against none (limit.kind 0: only state and growth).
 * Times to the limit are from `t_ms` on; INFINITY: not in sight; NAN: not known. p10 and p90 hold
 * the outcome in 80 % of the cases, given that it goes on.
 */
struct oc_forecast {
    uint8_t state;             /* enum oc_forecast_state */
    uint16_t metric;           /* number */
    int64_t t_ms;              /* of the last sample; the clock is that of the samples */
    int64_t since_ms;          /* growth, or the state, began about here; t_ms where unknown */
    uint64_t samples;          /* behind it, of this life */
    double value;              /* the last one */
    double limit;              /* NAN: none */
    double growth_per_h;       /* per hour; falling to a floor: negative. NAN: unknown */
    double growth_error_per_h; /* of it, one standard deviation; NAN: unknown */
    double chance;             /* 0 … 1: that it goes on to the limit; NAN: unknown */
    double p10_s, p50_s, p90_s;
    double saved_life_s; /* SAVED: how long a life would be without restarts; else NAN */
};

/* A limit of a source and what is forecast of it: as it is stored. */
struct oc_forecast_row {
    struct oc_limit limit; /* kind 0: growth without a limit; use is not kept */
    struct oc_forecast forecast;
};

/* What came of forecasts, counted. Sums of rows of the same key may be added. */
struct oc_accuracy {
    uint64_t judged;   /* intervals whose outcome is known */
    uint64_t inside;   /* it lay within p10 … p90 */
    uint64_t early;    /* the end came before p10 */
    uint64_t late;     /* the end came after p90, or p90 passed and nothing had happened */
    uint64_t censored; /* the life ended by plan, or the limit moved: nothing can be said */
    uint64_t ends;     /* limits met */
    uint64_t foretold; /* of these, with LEAKING before the last twentieth of the growth */
    uint64_t alarms;   /* times that LEAKING began */
    uint64_t
        false_alarms;  /* of these, it was taken back without an end, a restart or a moved limit */
    double error_sum;  /* of |ln(p50 / what it really took)| */
    uint64_t errors;   /* terms in that sum */
    double lead_s_sum; /* from LEAKING to the end, over `foretold` */
    double watched_s;  /* time under forecast */
};
void oc_accuracy_add(struct oc_accuracy *sum, const struct oc_accuracy *more);

/* In what is learnt of a subject, in place of a metric: what program its lives ran. */
#define OC_PRIOR_PROGRAM 0

/* Which program; zeroed: not known. Stored as it is. */
struct oc_prior_program {
    uint64_t stamp;        /* of its file; 0: not known */
    int64_t since_unix_ms; /* the first life with it began; 0: the first that was seen at all */
    uint8_t reserved[48];
};

#endif
