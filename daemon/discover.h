/*
 * Which processes are watched: those of the PID file, or those that a scan finds and the config
 * wants (matching.h). A scan runs on its own timer, sooner where the kernel tells of new processes,
 * never on a tick. One that is watched stays so though it shrinks.
 */
#ifndef OC_DAEMON_DISCOVER_H
#define OC_DAEMON_DISCOVER_H

#include "base/err.h"
#include "daemon/known.h"
#include "daemon/watch.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct oc_daemon;

struct oc_candidate {
    uint32_t pid;
    uint32_t target;     /* of the config, or OC_TARGET_NONE */
    uint32_t folder_pid; /* the ancestor to whose subject it belongs; 0: none */
};

struct oc_discovery {
    uv_timer_t timer;
    struct oc_candidate *candidates; /* to be attached, a few at a time */
    size_t count, at, capacity;
    uint32_t *replaced; /* slots whose PID is another process's now */
    size_t replaced_count, replaced_capacity;
    int64_t last_scan_mono_ms;
    int listed; /* a scan, or the PID file, told what there is */
    int soon;   /* the timer is set for an early scan */
    uint64_t scans;
    uint64_t scan_worst_us;
    uint64_t processes; /* seen by the last scan */
    uint64_t missing;   /* PIDs of the file that were no process */
    struct oc_knowns knowns;
    int folds, has_pidfiles; /* what the config's targets ask for */
    uint64_t unasked;        /* times that a process could not be looked into: too many at once */
};

/* Reads the PID file, or scans once; then goes on by timer. 0 or a code with detail. */
int oc_discovery_start(struct oc_daemon *daemon, struct oc_detail *detail);
void oc_discovery_close(struct oc_daemon *daemon);

/* New processes were told of, or events were lost. */
void oc_discovery_soon(struct oc_daemon *daemon);

/* Found by a scan: to be attached to after it. */
void oc_discovery_add(struct oc_daemon *daemon, uint32_t pid, uint32_t target, uint32_t folder_pid);

/* Attaches to one now; what goes wrong is said and counted. */
void oc_discovery_attach(struct oc_daemon *daemon, uint32_t pid, const struct oc_watch_as *as);

/* Another config is in force: what its targets ask for is noted. */
void oc_discovery_note_config(struct oc_daemon *daemon);

/* Attaches candidates while the store has not many unanswered begins. */
void oc_discovery_pump(struct oc_daemon *daemon);

/* Reads the PID file again, where there is one; new PIDs are watched with the next reload. 0 or a
 * code with detail: then nothing changed. */
int oc_discovery_read_pids(struct oc_daemon *daemon, struct oc_detail *detail);

/* The config changed: what no longer fits is let go, intervals are set anew, a scan follows. */
void oc_discovery_reload(struct oc_daemon *daemon);

#endif
