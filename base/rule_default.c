/* The rules that are in force without any config. docs/alerts.md says why each is as it is. */
#include "base/rule.h"

#include "base/alloc.h"
#include "base/err.h"

#include <math.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

/* Chosen on made traces of known ends: docs/forecast.md has the figures. */
#define WARN_CHANCE 0.25 /* at 0.5 one leak in nine is told later than 4 h before its end */
#define CRITICAL_CHANCE 0.5

#define NOT_A_NUMBER ((double)NAN)

/* What all have: no bound but those that are said. */
#define RULE(of_kind, how_bad) .kind = (of_kind), .severity = (how_bad), .clear = NOT_A_NUMBER

/* In the order in which `config show` lists them. */
static const struct oc_rule defaults[] = {
    { RULE(OC_RULE_FORECAST, OC_SEVERITY_WARN), .name = "MemoryLimitForecast",
      .chance = WARN_CHANCE, .horizon_ms = 24 * HOUR, .for_ms = 10 * MINUTE,
      .keep_ms = 30 * MINUTE },
    { RULE(OC_RULE_FORECAST, OC_SEVERITY_CRITICAL), .name = "MemoryLimitForecast",
      .chance = CRITICAL_CHANCE, .horizon_ms = 4 * HOUR, .for_ms = 20 * MINUTE,
      .keep_ms = 20 * MINUTE },
    { RULE(OC_RULE_EXHAUSTED, OC_SEVERITY_CRITICAL), .name = "MemoryExhausted", .for_ms = MINUTE,
      .keep_ms = 2 * MINUTE },
    /* an event: it is over when none came for so long */
    { RULE(OC_RULE_OOM_KILL, OC_SEVERITY_CRITICAL), .name = "OutOfMemoryKill",
      .keep_ms = 15 * MINUTE },
    { RULE(OC_RULE_RESTART_LOOP, OC_SEVERITY_WARN), .name = "RestartLoop", .count = 5,
      .window_ms = 15 * MINUTE, .keep_ms = 15 * MINUTE },
    { RULE(OC_RULE_MISSING, OC_SEVERITY_CRITICAL), .name = "SubjectMissing", .for_ms = MINUTE,
      .keep_ms = 10 * SECOND },
    { RULE(OC_RULE_DEGRADED, OC_SEVERITY_WARN), .name = "OomcastDegraded", .for_ms = MINUTE,
      .keep_ms = 2 * MINUTE },
    { RULE(OC_RULE_HEAP_CAP, OC_SEVERITY_WARN), .name = "HeapCapAboveLimit", .for_ms = 5 * MINUTE,
      .keep_ms = 10 * MINUTE },
    { RULE(OC_RULE_NO_LIMIT, OC_SEVERITY_WARN), .name = "NoMemoryLimit", .for_ms = 30 * MINUTE,
      .keep_ms = HOUR },
};
#define COUNT (sizeof(defaults) / sizeof(defaults[0]))

int oc_rules_default(struct oc_rules *out_rules)
{
    struct oc_rule *items = oc_calloc(COUNT, sizeof(*items));

    if (!items)
        return OC_E_NOMEM;
    for (size_t i = 0; i < COUNT; i++) {
        items[i] = defaults[i];
        items[i].enter = NOT_A_NUMBER;
        items[i].is_builtin = 1;
    }
    *out_rules = (struct oc_rules){ .items = items, .count = COUNT };
    return OC_OK;
}
