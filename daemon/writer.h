/*
 * The one thread that writes the store. The loop pushes messages; the writer appends, commits
 * each batch, does the store's chores in between, and answers with the ids of new sources.
 *
 * Where the store fails (disk full), the writer says so once, keeps what it has, tries again
 * every second, and meanwhile the queue drops the oldest ticks: nothing grows, sampling goes on.
 */
#ifndef OC_DAEMON_WRITER_H
#define OC_DAEMON_WRITER_H

#include "daemon/queue.h"

#include <stdint.h>
#include <uv.h>

typedef struct oc_writer oc_writer;

/* The answer to a begin, on the loop's thread. rc 0: id is the source's. */
typedef void oc_writer_begun_fn(void *context, uint32_t slot, int rc, uint32_t id);

/* The answer to a replay, on the loop's thread: message->rc and ->past; borrowed. */
typedef void oc_writer_replayed_fn(void *context, const struct oc_message *message);

/*
 * On the loop's thread: all turns of alerts up to this one are on the disk, or the store began or ceased
 * to fail. What is not there by then must be told from memory.
 */
typedef void oc_writer_turn_fn(void *context, uint64_t turn, int is_failing);

/* The store found itself corrupt, on the loop's thread, once: nothing more can be written to it. */
typedef void oc_writer_corrupt_fn(void *context);

struct oc_writer_options {
    size_t queue_bytes; /* 0: 4 MiB */
    int64_t batch_ms;
    int ack_fd; /* "SOURCE T_MS" lines after each commit; -1: none */
    oc_writer_begun_fn *begun;
    oc_writer_replayed_fn *replayed; /* may be NULL */
    oc_writer_corrupt_fn *corrupt;   /* may be NULL */
    oc_writer_turn_fn *turned;       /* may be NULL */
    void *context;
};

struct oc_writer_stats {
    struct oc_store_stats store; /* as of the last commit */
    uint64_t queued_bytes;
    uint64_t lost_samples;  /* dropped by the queue, refused or lost by the store */
    uint64_t refused_words; /* limits and labels that the store had no room for: to be told again */
    uint64_t stored_walks;
    uint64_t lost_walks;      /* dropped by the queue or refused by the store */
    uint64_t commit_worst_us; /* since start */
    int degraded;             /* the store fails now */
    int error;                /* why: OC_E_…; 0 */
    int64_t degraded_since_boot_ms;
    uint64_t degraded_count;
};

/*
 * Starts the thread, which owns the store from here on until oc_writer_stop(). Returns 0 or
 * OC_E_NOMEM (then the store is still the caller's).
 */
int oc_writer_start(uv_loop_t *loop, oc_store *store, const struct oc_writer_options *options,
                    oc_writer **out_writer);

/* A message to fill; NULL: out of memory. */
struct oc_message *oc_writer_message(oc_writer *writer, enum oc_message_kind kind);
void oc_writer_give_back(oc_writer *writer, struct oc_message *take_message);
void oc_writer_push(oc_writer *writer, struct oc_message *take_message);

/*
 * Whether the next tick of a group must be keyed: the store fails now, or ticks were dropped
 * since the epoch that the group saw last, which is brought up to date.
 */
int oc_writer_wants_key(oc_writer *writer, uint64_t *epoch);

/* The store fails now: what can be said again later is better kept. */
int oc_writer_is_degraded(oc_writer *writer);

void oc_writer_set_batch(oc_writer *writer, int64_t batch_ms);
void oc_writer_stats(oc_writer *writer, struct oc_writer_stats *out_stats);

/*
 * Writes what is queued and commits, then ends the thread, but gives up after timeout_ms. The
 * store is the caller's again where it returns 0; OC_E_TIMEOUT: the thread is stuck, and neither
 * it nor the store may be freed. The loop must run once more for the writer to be freed.
 */
int oc_writer_stop(oc_writer *writer, int64_t timeout_ms);

#endif
