/* What a lane is made of: between the files of the replay. */
#ifndef OC_CLI_MODEL_REPLAY_IMPL_H
#define OC_CLI_MODEL_REPLAY_IMPL_H

#include "cli/model/replay.h"
#include "cli/model/replay_rules.h"
#include "forecast/rules.h"
#include "forecast/score.h"

#include <float.h>

#define OC_NO_ALERT SIZE_MAX

struct oc_lane_method {
    size_t alert;     /* index of the one that stands; OC_NO_ALERT */
    int64_t since_ms; /* the rule has said so since; INT64_MIN: it does not */
    oc_rule *rule;    /* NULL: the forecaster, or no rules are wanted */
};

struct oc_lane_slot {
    char *where;   /* owned */
    double limit;  /* NAN: none in force */
    uint32_t name; /* index of the replay's names; UINT32_MAX: not named yet in this life */
    uint8_t kind;
    uint8_t state;   /* of the forecaster, as last seen */
    uint8_t was_met; /* and use has not gone down since */
    int64_t look_ms; /* when the next forecast is kept */
    struct oc_book book;
    struct oc_lane_method methods[OC_METHODS];
};

struct oc_replay_lane {
    struct oc_replay *replay; /* borrowed */
    char *subject;
    oc_series *series, *companion; /* the pool's */
    unsigned metric;
    int falls, has_lived, is_rebased;
    int was_killed; /* the life before */
    uint32_t source, pid;
    double last;     /* NAN: none in this life */
    int64_t last_ms; /* INT64_MIN: none */
    int is_calm;
    double low, high; /* of the samples that wait */
    uint32_t waiting;
    int64_t due_ms;
    double edge;            /* the nearest limit */
    double scale;           /* of a falling figure: its first value, that rules may see it rise */
    oc_replay_rules *rules; /* NULL: none are tried */
    unsigned slot_count;
    struct oc_lane_slot slots[OC_SERIES_LIMITS];
};

/* Neither NAN nor infinite; isfinite() warns on mingw. */
static inline int oc_lane_is_number(double value) { return value >= -DBL_MAX && value <= DBL_MAX; }

/* The first failure stays. */
void oc_replay_fail(struct oc_replay *replay, int rc);

/* What is said of all limits after a feed: alerts, and forecasts that are kept. */
void oc_lane_look(oc_replay_lane *lane, int64_t t_ms);
/* The same for the rules, after each sample. */
void oc_lane_try_rules(oc_replay_lane *lane, int64_t t_ms);

/* What the rules of a config make of a sample; of the life's end. */
void oc_lane_tell_rules(oc_replay_lane *lane, int64_t t_ms);
void oc_lane_end_rules(oc_replay_lane *lane, enum oc_replay_over over, int64_t t_ms);

/* All that stand come to this. */
void oc_lane_close_alerts(oc_replay_lane *lane, struct oc_lane_slot *slot, int64_t t_ms,
                          enum oc_replay_came came);
/* The limit is met: what stood was right. Once, until use has gone down. */
void oc_lane_meet(oc_replay_lane *lane, struct oc_lane_slot *slot, int64_t t_ms);

/* Whether less than that share of a limit is in use; of one that is fallen to, the same way off. */
int oc_lane_is_below(const oc_replay_lane *lane, const struct oc_lane_slot *slot, double share);

#endif
