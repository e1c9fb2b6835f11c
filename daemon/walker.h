/*
 * The threads that do what may block: walks of mappings, looks at limits, and the facts that
 * targets ask for (cmdline, exe, names). Two of them, so that one that is stuck holds up no other;
 * neither is waited for at the end. They keep within a budget of CPU time for all walks; walks.h
 * decides who is walked when.
 */
#ifndef OC_DAEMON_WALKER_H
#define OC_DAEMON_WALKER_H

#include "probes/probe.h"

#include <stdint.h>
#include <uv.h>

typedef struct oc_walker oc_walker;

#define OC_WALKER_THREADS 2

enum oc_job_kind {
    OC_JOB_WALK,   /* of a watched process */
    OC_JOB_LIMITS, /* the limits of a watched process, no more */
    OC_JOB_FACTS,  /* who a process is: whether a target matches it */
    OC_JOB_KINDS
};

struct oc_job {
    uint8_t kind;  /* enum oc_job_kind */
    unsigned want; /* OC_WALK_… */
    uint32_t slot; /* of the source; OC_NO_SLOT: not watched */
    uint32_t pid;
    uint64_t start_ticks; /* 0: any */
};

/* A job done. Owned by who took it; oc_job_result_free(). */
struct oc_job_result {
    struct oc_job_result *next;
    struct oc_job job;
    int rc;
    struct oc_walk walk; /* rc 0: the census may be moved out */
};
void oc_job_result_free(struct oc_job_result *take_result);

/* oc_probe_walk(), or what a test puts in its place. Called on the walker's threads. */
typedef int oc_walk_fn(const struct oc_probe_options *options,
                       const struct oc_walk_request *request, struct oc_walk *out_walk);

struct oc_walker_options {
    const struct oc_probe_options *probe; /* strings outlive the threads: they are argv's */
    oc_walk_fn *walk;
    int64_t budget_percent; /* of a core, for walks and looks at limits */
    /* On the loop's thread: results wait, for oc_walker_take(). */
    void (*done)(void *context);
    void *context;
};

struct oc_walker_stats {
    uint64_t made[OC_JOB_KINDS], failed[OC_JOB_KINDS];
    uint64_t cpu_us;         /* of walks and looks at limits */
    uint64_t facts_cpu_us;   /* of facts, which have a budget of their own */
    uint64_t worst_stall_us; /* the longest that a watched process may have waited for a walk */
    uint32_t worst_stall_pid;
    uint64_t waiting[OC_JOB_KINDS]; /* asked for and not begun */
    uint32_t stuck_pid;             /* of the job that has been going on longest */
    int64_t stuck_ms;               /* how long; 0: none */
    unsigned under_way;             /* threads at work */
};

/* Starts the threads. 0 or OC_E_NOMEM. */
int oc_walker_start(uv_loop_t *loop, const struct oc_walker_options *options,
                    oc_walker **out_walker);

/* Asks for a job. 0, OC_E_TOOBIG (too many wait) or OC_E_NOMEM. Never blocks for long. */
int oc_walker_ask(oc_walker *walker, const struct oc_job *job);

/* The oldest result that waits, or NULL; the caller's from here on. */
struct oc_job_result *oc_walker_take(oc_walker *walker);

void oc_walker_set_budget(oc_walker *walker, int64_t budget_percent);
void oc_walker_stats(oc_walker *walker, struct oc_walker_stats *out_stats);

/* Ends the threads; one that is stuck beyond timeout_ms is left behind. NULL is allowed. */
void oc_walker_stop(oc_walker *walker, int64_t timeout_ms);

#endif
