#include "base/forecast.h"

const char *oc_forecast_state_name(unsigned state)
{
    static const char *const names[OC_FORECAST_STATES] = {
        "learning",          "flat",      "cyclic", "warming", "growing", "leaking",
        "saved by restarts", "exhausted",
    };

    return state < OC_FORECAST_STATES ? names[state] : "unknown";
}

void oc_accuracy_add(struct oc_accuracy *sum, const struct oc_accuracy *more)
{
    sum->judged += more->judged;
    sum->inside += more->inside;
    sum->early += more->early;
    sum->late += more->late;
    sum->censored += more->censored;
    sum->ends += more->ends;
    sum->foretold += more->foretold;
    sum->alarms += more->alarms;
    sum->false_alarms += more->false_alarms;
    sum->error_sum += more->error_sum;
    sum->errors += more->errors;
    sum->lead_s_sum += more->lead_s_sum;
    sum->watched_s += more->watched_s;
}
