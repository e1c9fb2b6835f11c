/*
 * The child oomcast-notify, which speaks to the network so that oomcastd need not: started with the
 * daemon where there are receivers, fed and heard by pipes (alert/wire.h), started again with a growing pause
 * when it dies, hangs or floods. What was under way then is lost, and told so: it is sent again with its id.
 *
 * Receivers with their secrets go down the pipe and nowhere else. All is the loop thread's.
 */
#ifndef OC_DAEMON_NOTIFIER_H
#define OC_DAEMON_NOTIFIER_H

#include "alert/wire.h"
#include "base/rule.h"

#include <stdint.h>
#include <uv.h>

typedef struct oc_notifier oc_notifier;

#define OC_NOTIFIER_UNDER_WAY 256 /* deliveries */

struct oc_notifier_options {
    const char *
        program; /* its path; copied; NULL: oomcast-notify beside this program, or $OOMCAST_NOTIFY */
    /* An answer; outcome OC_DELIVERY_LOST: it died before it gave one. Borrowed. */
    void (*answered)(void *context, const struct oc_wire_report *report);
    /* It is ready, or has room again. */
    void (*ready)(void *context);
    void *context;
    int64_t ready_ms; /* from its start to its first word; 0: 10 s */
    int64_t slack_ms; /* for an answer, beyond the delivery's own time limit; 0: 15 s */
};

enum oc_notifier_state {
    OC_NOTIFIER_NONE, /* no receivers, so no child */
    OC_NOTIFIER_STARTING,
    OC_NOTIFIER_READY,
    OC_NOTIFIER_ENDING,
    OC_NOTIFIER_WAITING /* to be started again */
};
const char *oc_notifier_state_name(enum oc_notifier_state state);

struct oc_notifier_stats {
    enum oc_notifier_state state;
    uint32_t pid; /* 0: none */
    uint64_t starts, deaths, answers;
    uint64_t useless;              /* lines that were no answer to anything */
    int64_t failing_since_mono_ms; /* since when it is not ready; 0: it is, or is not wanted */
    char why[160];                 /* of its last end; "" */
    uint32_t under_way;
    size_t queued_bytes; /* that it has not read */
};

/* 0 or OC_E_NOMEM. */
int oc_notifier_new(uv_loop_t *loop, const struct oc_notifier_options *options,
                    oc_notifier **out_notifier);

/*
 * Who can be reached from now on; borrowed until the next call: they are told again to each new child.
 * With none the child is told to end.
 */
void oc_notifier_set_receivers(oc_notifier *notifier, const struct oc_receivers *receivers);

/*
 * Hands one over; answered() follows within timeout_ms and a little. 0; OC_E_AGAIN: it is not
 * ready, or has enough to do: later, ready() says when; OC_E_NOMEM, OC_E_TOOBIG.
 */
int oc_notifier_deliver(oc_notifier *notifier, const struct oc_wire_delivery *delivery,
                        int64_t timeout_ms);

/* Once a second: starts it again, ends one that hangs. */
void oc_notifier_round(oc_notifier *notifier);

void oc_notifier_stats(const oc_notifier *notifier, struct oc_notifier_stats *out_stats);

/* Told to end; what it still answers is told. oc_notifier_close() afterwards. NULL is allowed. */
void oc_notifier_quit(oc_notifier *notifier);
/* Ends it; freed once the loop ran. Nothing is told any more. NULL is allowed. */
void oc_notifier_close(oc_notifier *notifier);

#endif
