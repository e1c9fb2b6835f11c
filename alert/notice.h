/*
 * A notice: what one receiver is told at one time: some alerts of a group as they were then, with their
 * explanations. Kept in the outbox as JSON, rendered for a receiver when it is sent (body.h). Pure.
 */
#ifndef OC_ALERT_NOTICE_H
#define OC_ALERT_NOTICE_H

#include "base/alert.h"
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define OC_NOTICE_ALERTS_MAX 50          /* told in full; the rest is counted */
#define OC_NOTICE_MAX_BYTES (256u << 10) /* as JSON */
#define OC_NOTICE_EXPLAIN_BYTES 4096     /* of one alert's explanation */

struct oc_notice_alert {
    struct oc_alert alert;
    char **
        labels; /* owned: key, value, … NULL. alertname, severity, instance, subject and the user's */
    char *explanation; /* owned: text of explain/, lines; NULL: none */
    char *runbook_url; /* owned; NULL */
    char *next;        /* owned: commands to go on with, lines; NULL */
};

enum oc_notice_kind {
    OC_NOTICE_ALERTS = 0,
    OC_NOTICE_DIGEST = 1, /* made of what was over the rate */
    OC_NOTICE_TEST = 2    /* `alerts test` */
};

struct oc_notice {
    char id[OC_OUTBOX_ID_BYTES];
    char receiver[OC_RULE_NAME_BYTES];
    char instance[256];
    char group_key[256]; /* "{}/{rule=\"forecast\"}": stable for a group */
    uint8_t kind;        /* enum oc_notice_kind */
    uint8_t severity;    /* the worst of those that fire; of none, of all */
    uint8_t is_firing;   /* at least one fires */
    uint8_t not_durable; /* the store could not take it: it may be lost, or told again */
    int64_t made_unix_ms;
    struct oc_notice_alert *alerts; /* owned; firing first, worst first */
    size_t count;
    uint32_t more;          /* that are not in alerts */
    uint32_t firing, ended; /* in all */
    uint32_t folded;        /* earlier notices that this one takes the place of */
};
void oc_notice_clear(struct oc_notice *notice);

/* As JSON, for the outbox: into buf (its max_bytes bounds it; alerts beyond become `more`). */
void oc_notice_write(const struct oc_notice *notice, struct oc_buf *out_json);
/* The other way: bytes of a store that may be damaged. 0, OC_E_PARSE, OC_E_TOOBIG, OC_E_NOMEM. Fuzzed. */
int oc_notice_read(const char *json, size_t len_bytes, struct oc_notice *out_notice,
                   struct oc_detail *detail);

#endif
