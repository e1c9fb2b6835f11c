/*
 * What the files behind dispatch.h share.
 *
 *   entry   an alert that someone is told of, as of its last change
 *   told    what one receiver knows of one alert
 *   group   one rule's alerts of one receiver
 *   row     a notice in the outbox. "Open" until it is first handed over: until then news change it in place, its id
 *           stays. Once handed over it is never changed: it may have arrived, and a repeat must be the same
 *   box     a receiver with its rows
 *
 * dispatch.c  settings, alerts in       group.c   who is to be told what, and when
 * known.c     entries, told, groups     content.c what a row says; folding
 * box.c       receivers                 outbox.c  rows, their order, bounds
 * serve.c     handing over              answer.c  what comes of it
 * restore.c   after a restart           rate.c    messages in an hour
 * heap.c      rows by what is next
 */
#ifndef OC_ALERT_DISPATCH_OWN_H
#define OC_ALERT_DISPATCH_OWN_H

#include "alert/dispatch.h"

#define OC_NEVER INT64_MAX
#define OC_TICK_MAX_MS 60000
#define OC_TICK_AGAIN_MS 1000 /* memory was short */
#define OC_ENTRY_BUCKETS 4096
#define OC_GROUP_BUCKETS 1024
#define OC_ENTRIES_MAX 20000
#define OC_ROWS_OF_ONE_MAX 2000
#define OC_FOLD_AFTER                                                                              \
    3 /* failures in a row: the receiver is out, what waits is told as it is then */
#define OC_CLASSES 3

struct oc_row;
struct oc_box;
struct oc_group;

/* What was said of an alert. */
enum oc_said { OC_SAID_NOTHING, OC_SAID_FIRING, OC_SAID_ENDED };

/* Why it is told though nothing is new. */
enum oc_again { OC_AGAIN_NOT, OC_AGAIN_REMINDER, OC_AGAIN_UNDELIVERED };

struct oc_entry {
    struct oc_alert alert;
    char **labels;        /* owned: pairs, ended by NULL; NULL: none */
    uint8_t is_confirmed; /* by who decides: else it is known by a row of an earlier run alone */
    struct oc_told *told;
    struct oc_entry *next; /* of the bucket */
};

struct oc_told {
    struct oc_entry *entry;
    struct oc_group *group;
    struct oc_row *row; /* that was not delivered yet and tells of it: the newest; NULL */
    struct oc_told *next_of_entry;
    struct oc_told *prev_in_group, *next_in_group;
    struct oc_told *prev_in_row, *next_in_row;
    uint8_t heard;   /* enum oc_said: by what was handed over last */
    uint8_t said;    /* enum oc_said: by the body of `row` */
    uint8_t again;   /* enum oc_again */
    int64_t told_ms; /* when it was handed over last */
};

struct oc_group {
    uint64_t key;
    char rule[OC_RULE_NAME_BYTES]; /* "": of digests */
    struct oc_box *to;
    struct oc_told *told;
    struct oc_row *first, *last; /* waiting ones, in order; parked ones are not in here */
    struct oc_row *open;         /* the last of them, if it is open; NULL */
    uint8_t rank;                /* the worst severity of those that wait: the first is as urgent */
    int64_t last_ms;             /* when something was handed over; 0: never */
    uint8_t is_dirty;
    struct oc_group *next_dirty;
    struct oc_group *next; /* of the bucket */
};

struct oc_row {
    struct oc_outbox_row plain; /* its texts are `why` and `body` */
    char why[OC_ALERT_WHY_BYTES];
    char *body; /* owned; NULL: not written yet */
    struct oc_group *group;
    struct oc_told *told;
    size_t told_count, handed_count;        /* alerts that it told of when it was handed over */
    uint32_t unnamed_firing, unnamed_ended; /* of an earlier run, told as "more" */
    uint32_t folded;
    uint32_t failures, losts; /* in a row */
    uint64_t order;           /* of making */
    uint8_t is_in_flight, is_counted /* in the rate */, rank, was_parked, class;
    int64_t handed_ms;
    struct oc_row *prev_in_class, *next_in_class;
    struct oc_row *prev_in_group, *next_in_group;
    struct oc_row *next_folded; /* while a list of rows to fold is held */
    struct oc_heap *heap;       /* NULL: in none */
    size_t heap_at;
};

/* The least first, by is_before. Grows by oc_heap_reserve() alone. */
struct oc_heap {
    struct oc_row **items;
    size_t count, capacity;
    int (*is_before)(const struct oc_row *a, const struct oc_row *b);
};
int oc_heap_reserve(struct oc_heap *heap, size_t count); /* 0, OC_E_NOMEM */
void oc_heap_add(struct oc_heap *heap, struct oc_row *row);
void oc_heap_remove(struct oc_row *row); /* from its heap, if it is in one */

#define OC_RATE_SLOTS 61 /* minutes: an hour at least */
struct oc_rate {
    uint32_t counts[OC_RATE_SLOTS];
    uint32_t sum;
    int64_t minute; /* of the newest */
};

struct oc_box {
    const struct oc_receiver *receiver; /* in dispatch->receivers */
    uint8_t is_offered;                 /* it was held against all that fires */
    struct oc_group *digests;           /* NULL: none yet */
    struct {
        struct oc_row *first, *last; /* in the order of making; of parked ones of parking */
    } classes[OC_CLASSES];           /* what is dropped first: parked, warnings, critical */
    struct oc_heap waiting, ready;
    uint32_t rows, parked, in_flight;
    uint32_t failures; /* in a row */
    int64_t paused_until_ms, last_failure_ms, last_digest_ms;
    int64_t paced_until_ms; /* HOOK: its program is not run again before */
    struct oc_rate rate;
    uint64_t sent, failed, dropped, digest_count;
    int64_t failing_since_ms, last_sent_ms;
    int32_t status;
    char why[OC_ALERT_WHY_BYTES];
};

struct oc_dispatch {
    struct oc_dispatch_options options;
    char instance[256];
    struct oc_dispatch_calls calls;
    struct oc_receivers receivers;
    struct oc_box *boxes[OC_RECEIVERS_MAX];
    size_t box_count;
    struct oc_entry *entries[OC_ENTRY_BUCKETS];
    struct oc_group *groups[OC_GROUP_BUCKETS];
    size_t entry_count;
    struct oc_group *dirty;
    struct oc_row **in_flight; /* options.max_in_flight of them */
    uint32_t in_flight_count;
    uint64_t rows, bytes, next_order;
    int64_t next_scan_ms; /* when the next reminder is due at the earliest */
    int64_t id_ms;        /* of the last id */
    uint32_t id_count;
    uint64_t random;
    struct {
        char rule[OC_RULE_NAME_BYTES];
        int64_t ms;
    } renotify[OC_RULES_MAX];
    size_t renotify_count;
};

/* ---- dispatch.c ---- */

/* Groups that were marked. 0, or OC_E_NOMEM: some stay marked. */
int oc_dispatch_update(oc_dispatch *dispatch, int64_t now_ms);

/* ---- known.c ---- */

struct oc_entry *oc_entry_find(const oc_dispatch *dispatch, uint64_t fingerprint);
/* Finds or makes, and takes over what alert says. 0, OC_E_NOMEM, OC_E_TOOBIG. */
int oc_entry_put(oc_dispatch *dispatch, const struct oc_alert *alert,
                 const char *const *label_pairs, struct oc_entry **out_entry);
void oc_entry_free_if_unused(oc_dispatch *dispatch, struct oc_entry *entry);
struct oc_told *oc_told_find(const struct oc_entry *entry, const struct oc_box *box);
int oc_told_put(oc_dispatch *dispatch, struct oc_entry *entry, struct oc_box *box,
                struct oc_told **out_told);                     /* 0, OC_E_NOMEM */
void oc_told_free(oc_dispatch *dispatch, struct oc_told *told); /* the entry may go with it */
void oc_told_enter(struct oc_told *told, struct oc_row *row);   /* leaves the one it is in */
void oc_told_leave(struct oc_told *told);
int oc_group_put(oc_dispatch *dispatch, struct oc_box *box, uint64_t key, const char *rule,
                 struct oc_group **out_group); /* 0, OC_E_NOMEM */
uint64_t oc_group_key(const struct oc_receiver *receiver, const char *rule);
void oc_group_mark(oc_dispatch *dispatch,
                   struct oc_group *group); /* it is looked at by the next tick */
void oc_known_forget(oc_dispatch *dispatch, const struct oc_box *box); /* told and groups of it */

/* ---- group.c ---- */

static inline int oc_alert_fires(const struct oc_alert *alert)
{
    return alert->state == OC_ALERT_FIRING;
}
static inline enum oc_said oc_alert_says(const struct oc_alert *alert)
{
    return oc_alert_fires(alert) ? OC_SAID_FIRING : OC_SAID_ENDED;
}
/* News go into the open row, what is no news any more leaves it. 0, or OC_E_NOMEM: once more later. */
int oc_group_update(oc_dispatch *dispatch, struct oc_group *group, int64_t now_ms);
/* After a row was delivered or given up: what has ended and is told is forgotten. */
void oc_told_settle(oc_dispatch *dispatch, struct oc_told *told);
void oc_groups_scan(oc_dispatch *dispatch, int64_t now_ms); /* reminders */
int64_t oc_renotify_of(const oc_dispatch *dispatch, const char *rule);

/* ---- content.c ---- */

/*
 * Writes what `row` and those behind it (next_folded) tell of into `row`, stores it, and then drops the others with the
 * reason. 0, or OC_E_NOMEM: all is as it was.
 */
int oc_row_fold(oc_dispatch *dispatch, struct oc_row *row, int64_t now_ms);

/* ---- outbox.c ---- */

uint64_t oc_dispatch_random(oc_dispatch *dispatch);

/* An open row at the end of the group. 0, OC_E_NOMEM. id NULL: a new one. */
int oc_row_new(oc_dispatch *dispatch, struct oc_group *group, const char *id, int64_t now_ms,
               struct oc_row **out_row);
/* Gone from all lists; what stood in it stands in none. */
void oc_row_free(oc_dispatch *dispatch, struct oc_row *row);
/* The same, with a last word to the store. */
void oc_row_end(oc_dispatch *dispatch, struct oc_row *row, unsigned state, const char *why,
                int64_t now_ms);
void oc_row_store(oc_dispatch *dispatch, const struct oc_row *row, int with_body);
void oc_row_set_body(oc_dispatch *dispatch, struct oc_row *row, char *take_body, size_t bytes);
void oc_row_set_class(struct oc_row *row); /* after its state or severity changed */
/* The first of a group stands in a heap, unless it is under way: after its time or a severity changed. */
void oc_group_place(struct oc_group *group);
void oc_row_park(struct oc_row *row);
void oc_row_unpark(oc_dispatch *dispatch, struct oc_row *row, int64_t now_ms);
void oc_box_bound(oc_dispatch *dispatch, struct oc_box *box,
                  int64_t now_ms); /* drops beyond the bounds */

/* ---- serve.c ---- */

void oc_box_serve(oc_dispatch *dispatch, struct oc_box *box, int64_t now_ms);
int64_t oc_box_due(const oc_dispatch *dispatch, const struct oc_box *box, int64_t now_ms);
/* Not before then. */
void oc_row_put_off(struct oc_row *row, int64_t until_ms);

/* ---- rate.c ---- */

uint32_t oc_rate_used(struct oc_rate *rate, int64_t now_ms);
void oc_rate_count(struct oc_rate *rate, int64_t now_ms);
void oc_rate_shift(struct oc_rate *rate, int64_t delta_ms);
/* Of max an hour so many are kept for digests. */
uint32_t oc_rate_kept(uint32_t max_per_hour);

/* ---- box.c ---- */

int oc_box_is_fed(const struct oc_box *box); /* not HEARTBEAT, ALERTMANAGER */
struct oc_box *oc_box_find(const oc_dispatch *dispatch, const char *name);
int oc_boxes_offer(
    oc_dispatch *dispatch); /* what fires, to those that do not know of it; 0, OC_E_NOMEM */

#endif
