/*
 * Who is told of which alert, when, and how a delivery is tried: groups, the outbox, rates, digests.
 * Pure: changes, results and the time come in; what is to be stored and sent comes out by a callback.
 *
 * A group is one rule's alerts of one receiver. The first news of a group waits 30 s (group_wait) so that
 * what comes together is told together; later ones are 30 s apart at least where something critical is among them, else 5 min
 * (group_interval). A group whose alerts still fire is told again after renotify (4 h), but for acked ones.
 * Who was told firing is told the end, whatever mutes it meanwhile.
 *
 * News become a row of the outbox at once (one transaction with the alerts' rows: the caller's), which is due when the group is. Until it is first
 * handed over it is changed in place as news come, so a row says the latest state of each alert; afterwards never: a repeat is the same under the same id.
 * Sent are critical ones first, in order within a group, at most one of a group under way. A failure is tried again after
 * 5 s × 2^n ± 20 % up to 10 min (Retry-After is honoured up to a day), and meanwhile the receiver gets one at a time; 401, 403, 404: each 15 min;
 * other 4xx: parked with the reason, until oc_dispatch_retry() or new settings. After three failures what waits for one group is folded into its newest.
 * A fifth of max_per_hour is kept for digests: what is due beyond the rest waits for one of all groups, and no newer message overtakes it.
 * Rows older than 7 d or beyond 20,000 (2,000 of one receiver) or 32 MiB are dropped (parked first, then warnings) and counted. A receiver that
 * fails for 5 min is told through the others (degraded, the caller's). How many were sent within the hour is not known after a restart.
 */
#ifndef OC_ALERT_DISPATCH_H
#define OC_ALERT_DISPATCH_H

#include "alert/notice.h"
#include "base/alert.h"
#include "base/err.h"
#include "base/rule.h"

#include <stddef.h>
#include <stdint.h>

typedef struct oc_dispatch oc_dispatch;

struct oc_dispatch_options {
    const char *instance;      /* copied */
    int64_t group_wait_ms;     /* 0: 30 s */
    int64_t group_interval_ms; /* 0: 5 min */
    int64_t renotify_ms;       /* 0: 4 h */
    uint32_t max_rows;         /* 0: 20,000 */
    uint64_t max_bytes;        /* of bodies; 0: 32 MiB */
    int64_t max_age_ms;        /* 0: 7 d */
    uint32_t max_in_flight;    /* handed to the notifier at a time; 0: 64, of one receiver 8 */
    uint64_t seed;             /* of jitter and ids: tests give one */
};

/* What the caller does, in this order within a call. Strings are borrowed during it. */
struct oc_dispatch_calls {
    /* What an alert is told with: fills labels, explanation, next, runbook_url (all may stay NULL). out->alert is a copy of it: figures of what
     * still fires may be brought up to date. 0 or OC_E_NOMEM. Asked when there is news, and once more when it is first sent. */
    int (*describe)(const struct oc_alert *alert, struct oc_notice_alert *out, void *context);
    /* A row is new or changed (state, attempts, next time): to be stored. */
    void (*store)(const struct oc_outbox_row *row, void *context);
    /* A row is to be sent now. The caller renders notice for the receiver; oc_dispatch_result() must follow. */
    void (*send)(const struct oc_outbox_row *row, const struct oc_notice *notice,
                 const struct oc_receiver *receiver, void *context);
    /* Someone is told now that an alert fires: oc_alerts_note_told(). */
    void (*told)(uint64_t fingerprint, void *context);
    void *context;
};

int oc_dispatch_new(const struct oc_dispatch_options *options,
                    const struct oc_dispatch_calls *calls, oc_dispatch **out_dispatch);
void oc_dispatch_free(oc_dispatch *dispatch);

/* Receivers in force; copied. Parked rows of those that are there are tried again; rows of those that are gone are dropped,
 * with the reason. Never sends to HEARTBEAT or ALERTMANAGER. 0 or OC_E_NOMEM. */
int oc_dispatch_set_receivers(oc_dispatch *dispatch, const struct oc_receivers *receivers,
                              int64_t now_ms);
/* The times of the options anew, at a reload; 0: the defaults. What waits keeps its time. */
void oc_dispatch_set_times(oc_dispatch *dispatch, int64_t group_wait_ms, int64_t group_interval_ms,
                           int64_t renotify_ms);
/* Of one rule: how it is told again. 0: the common one. */
void oc_dispatch_set_renotify(oc_dispatch *dispatch, const struct oc_rules *rules);

/* An alert changed so that it may be news (struct oc_alert_change.is_news). label_pairs: for receivers' globs. 0, OC_E_NOMEM: say it again
 * later, it may have been lost on some; OC_E_TOOBIG: 20,000 are told of already. */
int oc_dispatch_alert(oc_dispatch *dispatch, const struct oc_alert *alert,
                       const char *const *label_pairs, int64_t now_ms);
/* At start, after the receivers: rows of the outbox in the order of their ids, and alerts that fire: when they were told before the restart; 0: they
 * were not, and those that take them are told. 0, OC_E_PARSE (a damaged body: dropped), OC_E_NOMEM (nothing of it was taken). */
int oc_dispatch_restore_alert(oc_dispatch *dispatch, const struct oc_alert *alert,
                              const char *const *label_pairs, int64_t told_unix_ms);
int oc_dispatch_restore_row(oc_dispatch *dispatch, const struct oc_outbox_row *row);

/* News become rows, at once, so that they are as durable as the alerts (call it in the same turn); rows that are due are sent. Returns when it
 * wants to be called next (≤ 60 s). */
int64_t oc_dispatch_tick(oc_dispatch *dispatch, int64_t now_ms);

enum oc_delivery_outcome {
    OC_DELIVERY_SENT,
    OC_DELIVERY_LATER, /* no answer, 408, 429, 5xx, a broken line: tried again */
    OC_DELIVERY_SLOW,  /* 401, 403, 404: a person must mend it; tried each 15 min */
    OC_DELIVERY_NEVER, /* it will not take this one: parked */
    OC_DELIVERY_LOST   /* the notifier died before it answered: tried again at once, the same id */
};
struct oc_delivery_result {
    const char *id; /* of the row */
    enum oc_delivery_outcome outcome;
    int32_t status;         /* 0: none */
    int64_t retry_after_ms; /* 0: none was asked for */
    const char *why;        /* "" */
};
/* OC_E_NOENT: no such row is under way (a second answer). What waits for room is sent at once: not to be called from within send(). */
int oc_dispatch_result(oc_dispatch *dispatch, const struct oc_delivery_result *result,
                       int64_t now_ms);
/* The notifier died: all that was under way is LOST. */
void oc_dispatch_lost(oc_dispatch *dispatch, int64_t now_ms);
/* A person says so: parked and waiting rows of a receiver (NULL: all) are tried now. Returns how many. */
int oc_dispatch_retry(oc_dispatch *dispatch, const char *receiver, int64_t now_ms);
void oc_dispatch_clock(oc_dispatch *dispatch, int64_t delta_ms);

struct oc_receiver_state {
    const char *name; /* borrowed */
    uint8_t type;
    uint32_t waiting, parked, in_flight;
    uint64_t sent, failed, dropped, digests; /* since start; failed: attempts */
    int64_t failing_since_unix_ms;           /* 0: it does not fail */
    int64_t last_sent_unix_ms;
    int32_t status;
    const char *why; /* of the last failure; "" */
};
typedef int oc_receiver_state_fn(const struct oc_receiver_state *state, void *context);
int oc_dispatch_each(const oc_dispatch *dispatch, oc_receiver_state_fn *fn, void *context);
/* Whether a receiver would be told of an alert at all; for `config check` and `alerts test`. */
int oc_receiver_takes(const struct oc_receiver *receiver, const struct oc_alert *alert,
                      const char *const *label_pairs);

#endif
