/*
 * The log's word of each alert. Nothing here takes memory, and the log's lines are written in memory that is
 * there from the start: where all else fails, this much of an alert is said.
 */
#include "daemon/alert.h"

#include "daemon/daemon.h"

#include "base/log.h"

#include <stdio.h>

static void say(enum oc_log_level level, const char *event, const struct oc_alert *alert)
{
    char fingerprint[20];

    (void)snprintf(fingerprint, sizeof(fingerprint), "%016llx",
                   (unsigned long long)alert->fingerprint);
    oc_log(level, event, oc_str("rule", alert->rule), oc_str("subject", alert->subject),
           oc_str("severity", oc_severity_name(alert->severity)), oc_str("why", alert->why),
           oc_u64("pid", alert->pid), oc_str("fingerprint", fingerprint),
           oc_u64("episode", alert->episode),
           oc_str("muted", alert->mutes & OC_ALERT_MUTES ? "yes" : "no"));
}

void oc_alerting_say(const struct oc_alert *alert, unsigned from)
{
    if (from == alert->state)
        return;
    if (alert->state == OC_ALERT_FIRING)
        say(OC_LOG_WARN, "alert_firing", alert);
    else if (alert->state == OC_ALERT_DIED)
        say(OC_LOG_WARN, "alert_died", alert);
    else if (alert->state == OC_ALERT_RESOLVED && from == OC_ALERT_FIRING)
        say(OC_LOG_INFO, "alert_resolved", alert);
}
