#include "base/alert.h"

static const char *const state_names[OC_ALERT_STATES] = { "inactive", "pending", "firing",
                                                          "resolved", "died" };
static const char *const outbox_names[] = { "waiting", "parked", "sent", "dropped" };

const char *oc_alert_state_name(unsigned state)
{
    return state < OC_ALERT_STATES ? state_names[state] : "?";
}

const char *oc_outbox_state_name(unsigned state)
{
    return state < sizeof(outbox_names) / sizeof(outbox_names[0]) ? outbox_names[state] : "?";
}
