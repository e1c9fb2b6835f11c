/*
 * Walks: what may block (mappings, page tables, cmdline, exe) is read on a thread of our own, one
 * process at a time, within a budget of 5 % of a core in all and 1 % for each process. A walk that
 * is stuck holds up other walks and nothing else; it is never waited for at the end.
 */
#ifndef OC_DAEMON_WALKER_H
#define OC_DAEMON_WALKER_H

#include "probes/probe.h"

#include <stdint.h>
#include <uv.h>

struct oc_daemon;
struct oc_source;
typedef struct oc_walker oc_walker;

struct oc_walker_stats {
    uint64_t walks, failed;
    uint64_t cpu_us;
    uint64_t waiting;   /* asked for and not begun */
    uint32_t stuck_pid; /* of the walk at hand, or the last */
    int64_t stuck_ms;   /* how long the walk at hand has been going on; 0: none */
};

/* Starts the thread. 0 or OC_E_NOMEM. */
int oc_walker_start(struct oc_daemon *daemon, oc_walker **out_walker);

/* Between the end of a walk and the next one of the same life, whoever asks: the watched was stalled. */
#define OC_WALK_GAP_MS 10000

/* Whether it may be walked, and whether it is time to: it ran since, and its interval has passed. Pure. */
int oc_walker_may(const struct oc_source *source, int64_t now_mono_ms);
int oc_walker_is_due(const struct oc_source *source, int64_t now_mono_ms);

/* Asks for a walk of a process, where it may be walked. One while another is under way is that one. */
void oc_walker_want(struct oc_daemon *daemon, struct oc_source *source);

/* Asks for those that are due. Called now and then. */
void oc_walker_round(struct oc_daemon *daemon);

/* Asks for all, or for that of one PID. Returns how many; *out_fresh: those walked just now. */
uint32_t oc_walker_now(struct oc_daemon *daemon, uint32_t pid, uint32_t *out_fresh);

void oc_walker_stats(oc_walker *walker, struct oc_walker_stats *out_stats);

/* Ends the thread; where it is stuck beyond timeout_ms it is left behind. NULL is allowed. */
void oc_walker_stop(oc_walker *walker, int64_t timeout_ms);

#endif
