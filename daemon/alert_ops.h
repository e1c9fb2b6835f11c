/*
 * What is to be stored of alerts, in the order in which it was decided: copies that wait for the end of a
 * turn and then go to the writer in one message. Where memory is short a small reserve that is taken at
 * start serves, so that one failed allocation loses nothing.
 */
#ifndef OC_DAEMON_ALERT_OPS_H
#define OC_DAEMON_ALERT_OPS_H

#include "base/alert.h"
#include "storage/store.h"

#include <stddef.h>

#define OC_ALERT_OPS_MAX_BYTES (48u << 20) /* of all that wait, also for a store that fails */

enum oc_alert_op_kind {
    OC_ALERT_OP_ALERT,
    OC_ALERT_OP_DECISION,
    OC_ALERT_OP_OUTBOX,
    OC_ALERT_OP_SILENCE
};

/* The payload stands behind it. */
struct oc_alert_op {
    struct oc_alert_op *next;
    size_t bytes; /* with the payload */
    uint8_t kind; /* enum oc_alert_op_kind */
    uint8_t is_reserved;
    uint8_t is_news; /* ALERT: not yet told to dispatch */
};

struct oc_alert_ops {
    struct oc_alert_op *first, *last;
    size_t bytes;
};

/* Takes the reserve. First of all here. */
void oc_alert_ops_init(void);

/* Each copies and appends. 0, OC_E_NOMEM, or OC_E_TOOBIG (too much waits). */
int oc_alert_ops_alert(struct oc_alert_ops *ops, const struct oc_alert *alert, int is_news);
int oc_alert_ops_decision(struct oc_alert_ops *ops, const struct oc_alert_decision *decision);
int oc_alert_ops_outbox(struct oc_alert_ops *ops, const struct oc_outbox_row *row);
int oc_alert_ops_silence(struct oc_alert_ops *ops, const struct oc_silence *silence);

/* The alert of such an op. Borrowed. */
const struct oc_alert *oc_alert_op_alert(const struct oc_alert_op *op);

/*
 * Gives them to the store, each once: those that were taken in are gone from the list. 0, or the store's
 * code for the first that is left. One that the store calls wrong (OC_E_INVAL) is dropped.
 */
int oc_alert_ops_store(struct oc_alert_ops *ops, oc_store *store);

void oc_alert_ops_clear(struct oc_alert_ops *ops);

#endif
