/*
 * The rules in use elsewhere, for comparison: a static threshold, and a straight line through the
 * last hours (what PromQL calls predict_linear). Fed like a series.
 */
#ifndef OC_FORECAST_RULES_H
#define OC_FORECAST_RULES_H

#include <stdint.h>

typedef struct oc_simple_rule oc_rule;

/* Alerts while value ≥ share of the limit. NULL: no memory. */
oc_rule *oc_rule_threshold(double share);
/* Alerts while the least-squares line of the last window_s reaches the limit within ahead_s. */
oc_rule *oc_rule_line(double window_s, double ahead_s);
void oc_rule_free(oc_rule *rule);

void oc_rule_restart(oc_rule *rule);
/* Takes a sample; returns whether it alerts now. *out_eta_s: the time to the limit, INFINITY none (a threshold never has one). */
int oc_rule_feed(oc_rule *rule, int64_t t_ms, double value, double limit, double *out_eta_s);

#endif
