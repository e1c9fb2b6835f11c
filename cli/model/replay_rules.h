/*
 * Rules over what is replayed: the forecasts of one figure go in as the daemon tells them (each minute where something grows, each ten
 * where nothing does, at once when the state changes), what becomes of alerts comes out.
 */
#ifndef OC_CLI_MODEL_REPLAY_RULES_H
#define OC_CLI_MODEL_REPLAY_RULES_H

#include "alert/alert.h"
#include "forecast/forecast.h"

#include <stdint.h>

typedef struct oc_replay_rules oc_replay_rules;

/* t_ms: of the trace's own clock. change is borrowed; its times are another clock's. */
typedef void oc_replay_rules_fn(int64_t t_ms, const struct oc_alert_change *change, void *context);

/* rules are copied, and windows (NULL: none), which hold only where the trace has the time of day. 0 or OC_E_NOMEM. */
int oc_replay_rules_new(const struct oc_rules *rules, const struct oc_windows *windows,
                        const char *subject, oc_replay_rules_fn *fn, void *context,
                        oc_replay_rules **out_rules);
void oc_replay_rules_free(oc_replay_rules *rules); /* NULL is allowed */

/* A sample was fed: limits[i] is that of slot i, kind 0: none is in force there. metric 0: not known. */
void oc_replay_rules_fed(oc_replay_rules *rules, const oc_series *series,
                         const struct oc_limit *limits, unsigned count, unsigned metric,
                         double value, int64_t t_ms);
/* The life is over. */
void oc_replay_rules_end(oc_replay_rules *rules, enum oc_end end, enum oc_killer killer,
                         int64_t t_ms);

/* Whether it is told: it fires, and no silence, window or planned end keeps it back. */
int oc_replay_rules_is_told(const struct oc_alert *alert);

#endif
