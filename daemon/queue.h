/*
 * The bounded queue from the loop to the writer: ticks, walks, and what is told of sources (begin,
 * facts, limits, labels, forecasts, end) and of alerts, in order. Messages are reused: in steady state nothing is allocated.
 *
 * Only walks and ticks are ever dropped: the oldest walks first, then the oldest ticks. A tick that says "same" of a source leans on the
 * ticks before it, so with a dropped tick go the following ones of its group up to the next
 * keyed one; oc_queue_epoch() tells the loop that its next ticks must be keyed.
 */
#ifndef OC_DAEMON_QUEUE_H
#define OC_DAEMON_QUEUE_H

#include "base/sample.h"
#include "daemon/alert_ops.h"
#include "storage/store.h"
#include "storage/tick.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum oc_message_kind {
    OC_MESSAGE_TICK,
    OC_MESSAGE_BEGIN,
    OC_MESSAGE_FACTS,
    OC_MESSAGE_END,
    OC_MESSAGE_CLOCK,
    OC_MESSAGE_WALK,
    OC_MESSAGE_LIMITS,
    OC_MESSAGE_LABELS,
    OC_MESSAGE_KILLER,
    OC_MESSAGE_PLAN,
    OC_MESSAGE_FORECASTS,
    OC_MESSAGE_MEMORY,
    OC_MESSAGE_ACCURACY,
    OC_MESSAGE_PAST,
    OC_MESSAGE_ALERTS
};

/* A question for samples that the store has of a source, and the answer: what came after since_ms. */
struct oc_past {
    unsigned block;    /* enum oc_block */
    uint64_t wanted;   /* bits */
    int64_t since_ms;  /* boot ms */
    unsigned width;    /* bits in wanted */
    uint32_t count;    /* samples */
    uint32_t capacity; /* of the arrays, in samples */
    int is_cut;        /* there is more */
    int64_t *times;    /* owned */
    uint64_t *known;   /* owned */
    int64_t *values;   /* owned; width of each sample, in the order of the bits */
};
#define OC_PAST_SAMPLES_MAX 32768        /* in one answer */
void oc_past_free(struct oc_past *past); /* NULL is allowed */
/* Takes in a sample, of the bits that are wanted. 0, OC_E_TOOBIG (then is_cut) or OC_E_NOMEM. */
int oc_past_add(struct oc_past *past, int64_t t_ms, const struct oc_sample *sample);

struct oc_message {
    struct oc_message *next;
    enum oc_message_kind kind;
    uint32_t group;              /* TICK: whose chain of "same" it is part of */
    uint32_t slot;               /* BEGIN, REPLAY: whom to tell */
    uint32_t source;             /* BEGIN: the answer; all but TICK and CLOCK: whose */
    int rc;                      /* BEGIN, REPLAY: the answer */
    size_t charge_bytes;         /* while queued */
    struct oc_tick tick;         /* its memory stays with the message */
    struct oc_source_info info;  /* BEGIN: points to subject and facts below */
    char *subject;               /* BEGIN: owned */
    struct oc_proc_facts *facts; /* FACTS, BEGIN of a process: owned */
    int64_t boot_ms, unix_ms;    /* END, WALK, LIMITS, ACCURACY: boot_ms; CLOCK */
    enum oc_end end;
    int status;
    struct oc_store_walk walk; /* WALK: its census is the one below */
    struct oc_census *census;  /* WALK: owned */
    struct oc_limit *limits;   /* LIMITS: owned */
    size_t limit_count;
    enum oc_killer killer;
    char *
        text; /* owned; KILLER: scope, or NULL; PLAN: its words; LABELS: key, NUL, value, NUL … an empty key; MEMORY: name */
    struct oc_forecast_row *forecasts; /* FORECASTS: owned */
    size_t forecast_count;
    enum oc_memory_kind memory; /* MEMORY: with key, and bytes that are owned */
    uint32_t key;
    void *bytes;
    size_t len_bytes;
    uint16_t metric; /* ACCURACY */
    uint8_t limit_kind;
    struct oc_accuracy accuracy;
    struct oc_past *past;    /* REPLAY: owned; comes back with the answer */
    struct oc_alert_ops ops; /* ALERTS: owned; those that the store took in are gone from it */
    uint64_t turn;           /* ALERTS: ascending */
    int is_durable;          /* ALERTS: to survive a power cut before anyone is told */
};

struct oc_queue {
    uv_mutex_t mutex; /* guards all below */
    uv_cond_t filled;
    struct oc_message *head, *tail;
    struct oc_message *spare; /* last used first, so that few stay warm */
    uint32_t spare_count;
    size_t queued_bytes, max_bytes;
    uint32_t queued_ticks;
    uint32_t queued_walks;
    uint64_t lost_samples, lost_ticks, lost_walks, epoch;
};

/* Returns 0 or OC_E_NOMEM. max_bytes bounds the memory of queued ticks and walks. */
int oc_queue_init(struct oc_queue *queue, size_t max_bytes);
void oc_queue_clear(struct oc_queue *queue);

/* A message to fill, its tick empty; NULL: out of memory. Yours until pushed or given back. */
struct oc_message *oc_queue_take_spare(struct oc_queue *queue, enum oc_message_kind kind);
void oc_queue_give_back(struct oc_queue *queue, struct oc_message *take_message);

/*
 * Appends. Where a tick or a walk does not fit, the oldest walks go and are counted, then, for a
 * tick, the oldest ticks; a walk is lost itself where ticks have more than half of the room. Wakes
 * nobody.
 */
void oc_queue_push(struct oc_queue *queue, struct oc_message *take_message);

/* The oldest message or NULL; yours to give back, or to put back in front. */
struct oc_message *oc_queue_pop(struct oc_queue *queue);
void oc_queue_put_back(struct oc_queue *queue, struct oc_message *take_message);

/* Grows with each drop: a group that saw another number makes its next tick keyed. */
uint64_t oc_queue_epoch(struct oc_queue *queue);

#endif
