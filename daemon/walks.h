/*
 * Who is walked when: at birth, when it grew, when its interval has passed and it ran since. A walk
 * that is dear is made more rarely: what it cost is at most the target's share of a core until the
 * next one. Results go to the store, the next sample and the limits in force.
 */
#ifndef OC_DAEMON_WALKS_H
#define OC_DAEMON_WALKS_H

#include "daemon/walker.h"

#include <stdint.h>
#include <uv.h>

struct oc_daemon;
struct oc_source;

/* Growth (or shrinkage) of address space or data since the last walk that asks for another: the
 * larger of these. */
#define OC_WALK_GROWTH_BYTES (INT64_C(16) << 20)
#define OC_WALK_GROWTH_PART 8
#define OC_LIMITS_INTERVAL_MS 60000 /* between two looks at the limits of a process that runs */

struct oc_walks {
    uv_timer_t timer;
    int said_stuck;
};

/* Whether it may be walked now: gap_ms after its last walk ended, whoever asks, since the watched was stalled. Pure. */
int oc_walks_may(const struct oc_source *source, int64_t gap_ms, int64_t now_mono_ms);
/* Whether it is time to: never walked, or it grew, or ran and the interval has passed. Pure. */
int oc_walks_is_due(const struct oc_source *source, int64_t interval_ms, int64_t gap_ms,
                    int64_t now_mono_ms);
/* A new sample of a process: whether its space moved far since its last walk. Pure. */
void oc_walks_note_growth(struct oc_source *source, const struct oc_sample *sample);

/* Starts the threads and the timer of rounds. 0 or OC_E_NOMEM. */
int oc_walks_start(struct oc_daemon *daemon);
void oc_walks_stop(struct oc_daemon *daemon, int64_t timeout_ms);

/* Asks for a walk of a process, where it may be walked. One while another is under way is that one. */
void oc_walks_want(struct oc_daemon *daemon, struct oc_source *source);

/* Asks for those that are due, and for limits; says what is stuck. */
void oc_walks_round(struct oc_daemon *daemon);

/*
 * Asks for all, or for that of one PID. Returns how many; *out_fresh: those walked just now, of
 * which only the limits are looked at.
 */
uint32_t oc_walks_now(struct oc_daemon *daemon, uint32_t pid, uint32_t *out_fresh);

/* The time between two walks of a process that the config asks for. */
int64_t oc_walks_interval_ms(const struct oc_daemon *daemon, const struct oc_source *source);

/* Takes all results that wait. */
void oc_walks_take(void *daemon);

#endif
