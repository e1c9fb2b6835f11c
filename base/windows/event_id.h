/*
 * The numbers of our events in Windows' event log (log "Application", source "oomcast"). Monitors filter by them: a number is
 * never reused nor given another meaning. Their texts are in daemon/windows/messages.mc; a test holds both equal.
 */
#ifndef OC_BASE_WINDOWS_EVENT_ID_H
#define OC_BASE_WINDOWS_EVENT_ID_H

enum oc_event_id {
    OC_EVENT_ID_OTHER = 1, /* what has no number of its own: the text says its name */

    /* the service */
    OC_EVENT_ID_STARTED = 100,
    OC_EVENT_ID_STOPPING = 101,
    OC_EVENT_ID_STOPPED = 102,
    OC_EVENT_ID_NOT_STARTED = 103,
    OC_EVENT_ID_GAVE_UP = 104,
    OC_EVENT_ID_RELOADED = 105,
    OC_EVENT_ID_CONFIG_KEPT = 106,
    OC_EVENT_ID_OPTION_NEEDS_RESTART = 107,
    OC_EVENT_ID_CONTROL_UNAVAILABLE = 108,
    OC_EVENT_ID_CONTROL_REFUSED = 109,
    OC_EVENT_ID_WRITER_STUCK = 110,

    /* the store */
    OC_EVENT_ID_STORE_FAILING = 120,
    OC_EVENT_ID_STORE_WORKS_AGAIN = 121,
    OC_EVENT_ID_STORE_CORRUPT = 122,
    OC_EVENT_ID_STORE_UPGRADED = 123,
    OC_EVENT_ID_STORE_RECOVERED = 124,
    OC_EVENT_ID_STORE_NOT_CLOSED = 125,
    OC_EVENT_ID_ALERT_NOT_DURABLE = 126,

    /* who is watched */
    OC_EVENT_ID_PROCESS_NOT_WATCHED = 140,
    OC_EVENT_ID_PROCESS_KILLED = 141,
    OC_EVENT_ID_SYSTEM_SAYS = 142,
    OC_EVENT_ID_PROGRAM_CHANGED = 143,
    OC_EVENT_ID_WALK_STUCK = 144,
    OC_EVENT_ID_WALK_GOES_ON = 145,

    /* oomcast-notify */
    OC_EVENT_ID_NOTIFIER_READY = 160,
    OC_EVENT_ID_NOTIFIER_DIED = 161,
    OC_EVENT_ID_NOTIFIER_NOT_STARTED = 162,

    /* alerts, as the service decides them */
    OC_EVENT_ID_ALERT_CRITICAL = 200,
    OC_EVENT_ID_ALERT_WARNING = 201,
    OC_EVENT_ID_ALERT_INFO = 202,
    OC_EVENT_ID_ALERT_RESOLVED = 203,
    OC_EVENT_ID_ALERT_DIED = 204,

    /* notices, as a receiver of the kind "eventlog" gets them: grouped, muted and explained; %1 is the whole text */
    OC_EVENT_ID_NOTICE_CRITICAL = 300,
    OC_EVENT_ID_NOTICE_WARNING = 301,
    OC_EVENT_ID_NOTICE_INFO = 302,
    OC_EVENT_ID_NOTICE_RESOLVED = 303,
    OC_EVENT_ID_NOTICE_TEST = 304
};

#endif
