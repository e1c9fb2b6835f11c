/* The rules that look at a figure itself. */
#include "alert/engine.h"

static double clear_of(const struct oc_rule *rule)
{
    return rule->clear == rule->clear ? rule->clear : rule->enter;
}

void oc_rule_judge_threshold(const struct oc_rule *rule, double value, struct oc_verdict *verdict)
{
    int is_met = rule->is_below ? value <= rule->enter : value >= rule->enter;
    int is_clear = rule->is_below ? value > clear_of(rule) : value < clear_of(rule);

    verdict->value = value;
    verdict->bound = rule->enter;
    verdict->hold = is_met ? OC_HOLD_YES : is_clear ? OC_HOLD_OVER : OC_HOLD_BETWEEN;
}
