/* A dispatch with a made clock, a made store and made receivers. */
#ifndef OC_TESTS_UNIT_ALERT_DISPATCH_RIG_H
#define OC_TESTS_UNIT_ALERT_DISPATCH_RIG_H

#include "alert/dispatch.h"

#include <stddef.h>
#include <stdint.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define RIG_BEGIN INT64_C(1700000000000)
#define RIG_LATENCY 200 /* of a receiver, unless the rig says another */

/* What a receiver does with a delivery. */
typedef struct oc_delivery_result rig_answer_fn(const struct oc_notice *notice, int64_t now_ms);
struct oc_delivery_result rig_ok(const struct oc_notice *notice, int64_t now_ms);
struct oc_delivery_result rig_500(const struct oc_notice *notice, int64_t now_ms);
struct oc_delivery_result rig_400(const struct oc_notice *notice, int64_t now_ms);
struct oc_delivery_result rig_403(const struct oc_notice *notice, int64_t now_ms);

/* An attempt, as a receiver saw it. */
struct rig_attempt {
    char id[OC_OUTBOX_ID_BYTES], receiver[OC_RULE_NAME_BYTES];
    int64_t at_ms;
    uint8_t kind, severity, is_firing;
    uint32_t firing, ended, more, folded;
    enum oc_delivery_outcome outcome;
    size_t count;
    struct {
        uint64_t fingerprint;
        uint8_t state;
    } alerts[OC_NOTICE_ALERTS_MAX];
};

struct rig_stored {
    struct oc_outbox_row row;
    char *body, *why;
};
/* What the store holds, as it would be after a kill. */
struct rig_store {
    struct rig_stored *rows;
    size_t count, capacity;
    uint64_t writes;
};

struct rig {
    oc_dispatch *dispatch;
    int64_t now_ms, next_ms;
    struct rig_store store;
    struct rig_attempt *attempts;
    size_t attempt_count, attempt_capacity;
    struct { /* handed over, to be answered */
        char id[OC_OUTBOX_ID_BYTES];
        struct oc_delivery_result result;
        int64_t at_ms;
        size_t attempt;
    } flights[256];
    size_t flight_count;
    rig_answer_fn *answer; /* of all */
    uint64_t told[16384];  /* fingerprints */
    size_t told_count;
    int is_mute; /* the notifier never answers */
    int fail_describe;
    const char *explanation; /* what is known of why by now */
    int64_t latency_ms; /* of the receivers */
    size_t body_bytes_max;
};

/* One more, that takes all. */
struct oc_receiver *rig_receiver(struct oc_receivers *receivers, const char *name);

void rig_open(struct rig *rig, const struct oc_receivers *receivers,
              const struct oc_dispatch_options *options);
void rig_close(struct rig *rig); /* with what the store holds */
/* The process is killed: a new dispatch with what the store holds. Alerts: the caller's. */
void rig_kill(struct rig *rig, const struct oc_receivers *receivers,
              const struct oc_dispatch_options *options);
void rig_run(struct rig *rig, int64_t ms); /* lets time pass */

struct oc_alert rig_alert(unsigned number, const char *rule, unsigned severity);
void rig_say(struct rig *rig, struct oc_alert *alert, unsigned state);
/* Of those that were taken: how many, and of these how many tell of an alert in a state. */
size_t rig_taken(const struct rig *rig);
size_t rig_told_of(const struct rig *rig, uint64_t fingerprint, unsigned state);
/* The last state of an alert that a receiver took; INACTIVE: none. */
unsigned rig_last_of(const struct rig *rig, const char *receiver, uint64_t fingerprint);
size_t rig_rows(const struct rig *rig, unsigned state);

#endif
