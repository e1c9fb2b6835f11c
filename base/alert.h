/*
 * What an alert is: plain types that the rooms share. alert/ decides, storage/ keeps, daemon/ and
 * notify/ tell, cli/ shows.
 */
#ifndef OC_BASE_ALERT_H
#define OC_BASE_ALERT_H

#include "base/forecast.h"
#include "base/rule.h"

#include <stddef.h>
#include <stdint.h>

/* Numbers are in stores for ever. */
enum oc_alert_state {
    OC_ALERT_INACTIVE = 0,
    OC_ALERT_PENDING = 1, /* the condition holds, not yet for long enough */
    OC_ALERT_FIRING = 2,
    OC_ALERT_RESOLVED = 3, /* the condition is over, and the subject lives */
    OC_ALERT_DIED = 4      /* the subject ended of it while it was firing */
};
#define OC_ALERT_STATES 5
/* "inactive" "pending" "firing" "resolved" "died". Borrowed for ever. */
const char *oc_alert_state_name(unsigned state);

#define OC_ALERT_SUBJECT_BYTES 640 /* OC_SUBJECT_NAME_BYTES of storage/ */
#define OC_ALERT_WHY_BYTES 256
#define OC_ALERT_LABELS_MAX 32

/* Why an alert is not told though it fires. Bits. */
#define OC_ALERT_SILENCED 1u
#define OC_ALERT_INHIBITED 2u   /* a worse one of the subject, of its host or of the daemon fires */
#define OC_ALERT_MAINTENANCE 4u /* in a window of the config */
#define OC_ALERT_PLANNED 8u     /* the limit lies beyond the next planned end */
#define OC_ALERT_FLAPPING 16u   /* it comes and goes: told once, then damped */
#define OC_ALERT_ACKED 32u      /* someone has it: no reminders */
#define OC_ALERT_MUTES                                                                             \
    (OC_ALERT_SILENCED | OC_ALERT_INHIBITED | OC_ALERT_MAINTENANCE | OC_ALERT_PLANNED)

/* One episode of a rule for a subject, from pending to its end. Zeroed is empty. */
struct oc_alert {
    uint64_t fingerprint; /* of rule, subject, severity and host: the same in each episode */
    uint64_t episode;     /* unique in a store, ascending; 0: none yet */
    char rule[OC_RULE_NAME_BYTES];
    char subject[OC_ALERT_SUBJECT_BYTES];
    uint8_t kind;        /* enum oc_rule_kind */
    uint8_t severity;    /* enum oc_severity */
    uint8_t state;       /* enum oc_alert_state */
    uint8_t mutes;       /* OC_ALERT_… bits */
    uint8_t was_told;    /* someone was told that it fires: so they are told its end */
    uint8_t not_durable; /* it could not be written to the store */
    uint8_t source_kind; /* enum oc_source_kind */
    uint32_t flaps;      /* returns within the hour */
    int64_t pending_unix_ms, firing_unix_ms, ended_unix_ms; /* 0: not yet */
    int64_t changed_unix_ms; /* of the state, or of what it is about */
    int64_t acked_unix_ms;
    /* what it is about, as of the last look while it held */
    uint32_t source; /* id in the store; 0: unknown or the daemon itself */
    uint32_t pid;    /* 0: none, or several */
    double value;    /* what was held against the rule; NAN: nothing */
    double bound;    /* the rule's enter bound in the same unit; NAN: none */
    double chance;   /* forecast: of the limit within the rule's horizon; NAN */
    struct oc_forecast_row
        about; /* forecast, growth, exhausted: the binding one; limit.kind and state 0: none */
    char why
        [OC_ALERT_WHY_BYTES]; /* a sentence for people: "private bytes will meet memory.max of … in 3 h (2 h - 5 h)" */
};

/* What was decided of an alert and why: a row of `alerts log`. */
struct oc_alert_decision {
    int64_t t_unix_ms;
    uint64_t episode;
    uint64_t fingerprint;
    uint8_t from, to; /* enum oc_alert_state; the same where only being told was decided */
    uint8_t mutes;
    const char *rule, *subject; /* borrowed */
    const char *reason;         /* "P(limit in 24 h) 0.63 >= 0.5 for 2 min"; borrowed */
};

/* ---- silences ---- */

#define OC_SILENCE_MATCHERS_MAX 8
#define OC_SILENCE_TEXT_BYTES 256
/* subject, alertname, severity or a label of the user's, by glob. All of a silence must match. */
struct oc_silence {
    uint64_t id; /* 0: not yet given */
    int64_t begin_unix_ms, end_unix_ms;
    char author[OC_SILENCE_TEXT_BYTES], comment[OC_SILENCE_TEXT_BYTES];
    uint32_t matcher_count;
    struct oc_silence_matcher {
        char name[64];
        char glob[OC_SILENCE_TEXT_BYTES];
        int is_negative; /* NAME!=GLOB */
    } matchers[OC_SILENCE_MATCHERS_MAX];
};

/* ---- the outbox ---- */

/* Numbers are in stores for ever. */
enum oc_outbox_state {
    OC_OUTBOX_WAITING = 0, /* to be sent at next_unix_ms */
    OC_OUTBOX_PARKED = 1,  /* the receiver refused it for good: until `alerts retry` or a reload */
    OC_OUTBOX_SENT = 2,    /* kept a while for `alerts log` */
    OC_OUTBOX_DROPPED = 3  /* too old or too many: counted */
};
const char *oc_outbox_state_name(unsigned state); /* "waiting" "parked" "sent" "dropped" */

#define OC_OUTBOX_ID_BYTES 40
/* One notification to one receiver. The id is the same in each attempt. */
struct oc_outbox_row {
    char id[OC_OUTBOX_ID_BYTES]; /* "msg_…" and digits: ascending in the order of making */
    char receiver[OC_RULE_NAME_BYTES];
    uint64_t group;    /* key of the group: those of one are sent in order */
    uint8_t state;     /* enum oc_outbox_state */
    uint8_t severity;  /* the worst in it: critical first */
    uint8_t is_digest; /* made of what was over the rate */
    uint32_t attempts;
    int64_t made_unix_ms, next_unix_ms, done_unix_ms;
    int32_t status;   /* of the last answer: HTTP or SMTP; 0: none came */
    const char *why;  /* of the last failure; "" none; borrowed */
    const char *body; /* the notice as JSON (alert/notice.h); borrowed */
    size_t body_bytes;
};

#endif
