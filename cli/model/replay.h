/*
 * What would have been said: one figure's samples against its limits, told in order to the
 * forecaster and, where wanted, to the rules in use elsewhere; what came of each alert is kept.
 *
 * A lane is one figure of one source. Quiet stretches are fed as the daemon feeds them: the lowest
 * and highest of a minute. Nothing is looked at before its time.
 */
#ifndef OC_CLI_MODEL_REPLAY_H
#define OC_CLI_MODEL_REPLAY_H

#include "base/err.h"
#include "base/forecast.h"
#include "forecast/forecast.h"

#include <stddef.h>
#include <stdint.h>

#define OC_REPLAY_MAX_ALERTS ((size_t)100000)
#define OC_REPLAY_MAX_LANES ((size_t)65536)
#define OC_REPLAY_HOLD_MS INT64_C(600000) /* a rule must say so for as long: `for: 10m` */

enum oc_replay_method {
    OC_METHOD_FORECAST,
    OC_METHOD_USED_80, /* value ≥ 80 % of the limit */
    OC_METHOD_USED_90,
    OC_METHOD_LINE_1H, /* the line of the last hour meets the limit within 4 hours */
    OC_METHOD_LINE_6H, /* that of the last 6 hours, within 24 */
    OC_METHODS
};
/* "oomcast", "80 % used", … Borrowed for ever. */
const char *oc_replay_method_name(unsigned method);

enum oc_replay_came {
    OC_CAME_STANDS,    /* nothing yet: it stands at the end of what is known */
    OC_CAME_MET,       /* the limit was met */
    OC_CAME_CLEARED,   /* it was taken back: a false alarm */
    OC_CAME_RESTARTED, /* the life ended otherwise */
    OC_CAME_MOVED      /* the limit moved */
};
/* "stands", "met", "cleared", "restarted", "limit moved". Borrowed for ever. */
const char *oc_replay_came_name(unsigned came);

/* Whose samples they were. */
struct oc_replay_name {
    char *subject; /* owned */
    char *where;   /* owned; of the limit */
    uint32_t source, pid;
    uint16_t metric;    /* 0: of a file that does not say */
    uint8_t limit_kind; /* enum oc_limit_kind; 0: given on the command line */
};

struct oc_replay_alert {
    uint32_t name; /* index of the replay's names */
    uint8_t method, came;
    int64_t raised_ms, over_ms; /* over: when it came; of one that stands the last sample */
    double value, limit;        /* when it was raised */
    double growth_per_h;        /* NAN: unknown */
    double p10_s, p50_s, p90_s; /* of the time to the limit; INFINITY: never; NAN: not said */
};

/* A limit that was met. */
struct oc_replay_end {
    uint32_t name;   /* index of the replay's names */
    uint32_t alerts; /* bit of each method whose alert stood */
    int64_t t_ms;
    double limit;
};

struct oc_replay_tried; /* replay_tried.h */

struct oc_replay {
    oc_forecast_pool *pool;
    int with_rules;
    struct oc_replay_tried *tried; /* borrowed: rules that are tried; NULL: none */
    int64_t begin_ms, end_ms; /* of all samples; begin > end: none */
    uint64_t samples;
    uint64_t lives;               /* as who replays them counts */
    uint64_t series;              /* a figure of a life each */
    struct oc_accuracy accuracy;  /* of the forecasts */
    struct oc_replay_name *names; /* owned */
    size_t name_count, name_capacity;
    struct oc_replay_alert
        *alerts; /* owned; in the order in which they were raised, lane by lane */
    size_t alert_count, alert_capacity;
    struct oc_replay_end *ends; /* owned */
    size_t end_count, end_capacity;
    uint64_t dropped; /* alerts and ends beyond the maximum */
    int err;          /* the first failure stays */
};

/* settings NULL: the defaults. 0 or OC_E_NOMEM; cleared by the caller also then. */
int oc_replay_init(struct oc_replay *replay, const struct oc_forecast_settings *settings,
                   int with_rules);
void oc_replay_clear(struct oc_replay *replay);

/* Alerts and ends in the order of time. Once no lane is left. */
void oc_replay_sort(struct oc_replay *replay);

/* What became of a method's alerts. */
struct oc_replay_tally {
    uint64_t alerts, met, cleared, restarted, moved, stands;
    double false_per_week;       /* of the time that was replayed; NAN: no time */
    double lead_s, least_lead_s; /* median and tenth percentile of the leads; NAN: none */
};
/* 0 or OC_E_NOMEM. */
int oc_replay_tally(const struct oc_replay *replay, enum oc_replay_method method,
                    struct oc_replay_tally *out_tally);

/* ---- lanes ---- */

typedef struct oc_replay_lane oc_replay_lane;

struct oc_replay_lane_options {
    const char *subject; /* copied; "" where it has no name */
    unsigned metric;     /* number; 0: bytes */
    int falls;           /* it runs down to its limits */
};
/* 0, OC_E_NOMEM or OC_E_TOOBIG. The lane's series is the replay's pool's. */
int oc_replay_lane_new(struct oc_replay *replay, const struct oc_replay_lane_options *options,
                       oc_replay_lane **out_lane);
void oc_replay_lane_free(oc_replay_lane *lane);         /* NULL is allowed */
oc_series *oc_replay_lane_series(oc_replay_lane *lane); /* borrowed: to teach, to give a prior */

/* A life begins: of a process, or of a file's next incarnation. */
void oc_replay_lane_begin(oc_replay_lane *lane, uint32_t source, uint32_t pid);

/* A limit is in force from t_ms on in a slot 0 … OC_SERIES_LIMITS - 1; value NAN: none is. */
void oc_replay_lane_limit(oc_replay_lane *lane, unsigned slot, unsigned kind, const char *where,
                          double value, int64_t t_ms);

/* None is in force any more. */
void oc_replay_lane_no_limits(oc_replay_lane *lane, int64_t t_ms);

void oc_replay_lane_feed(oc_replay_lane *lane, int64_t t_ms, double value);
/* A row of an upper tier, in place of its samples. */
void oc_replay_lane_feed_range(oc_replay_lane *lane, int64_t t_ms, double low, double high,
                               double last, uint32_t count);
/* What is counted changed: from the next sample on, its step is no growth. */
void oc_replay_lane_rebase(oc_replay_lane *lane);
/* Another figure of the same process, told ahead of the sample of the same time. */
void oc_replay_lane_feed_companion(oc_replay_lane *lane, unsigned metric, int64_t t_ms,
                                   double value);

enum oc_replay_over {
    OC_OVER_NOT_YET,   /* it runs on, or nobody knows */
    OC_OVER_RESTARTED, /* it ended by itself, or by plan */
    OC_OVER_UNASKED,   /* it crashed: killed, where a limit was near */
    OC_OVER_KILLED,    /* out of memory: limits that were near are met */
    OC_OVER_MET        /* all limits in force were met */
};
/* The life is over. Another may begin: the series then goes on as in the daemon. */
void oc_replay_lane_end(oc_replay_lane *lane, enum oc_replay_over over, int64_t t_ms);
/* Whether the last life that ended was ended by a limit, as far as can be told. */
int oc_replay_lane_was_killed(const oc_replay_lane *lane);

#endif
