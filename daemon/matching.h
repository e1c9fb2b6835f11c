/*
 * Processes against the targets of the config: the new ones of a scan, and those that a walker
 * brought facts of. Children that nothing matches go to the subject of an ancestor whose target
 * folds them. refit.h is for those that are watched.
 */
#ifndef OC_DAEMON_MATCHING_H
#define OC_DAEMON_MATCHING_H

#include "daemon/walker.h"

#include "probes/probe.h"

struct oc_daemon;
struct oc_source;

/*
 * One of a scan that is not watched: becomes a candidate, is asked, or is known not to be wanted.
 * Does not call the probe.
 */
void oc_matching_seen(struct oc_daemon *daemon, const struct oc_seen *seen);

/* The facts of one that was asked; source: where it is watched and the question was after a reload. */
void oc_matching_facts(struct oc_daemon *daemon, struct oc_source *source,
                       const struct oc_job_result *result);

/*
 * The nearest ancestor that is watched and whose target folds children, or NULL. start_ticks: of the
 * child; an ancestor is not younger. O(depth).
 */
struct oc_source *oc_matching_folder(const struct oc_daemon *daemon, uint32_t parent_pid,
                                     uint64_t start_ticks);

/* Ahead of a scan: the pidfiles of targets are read again. */
void oc_matching_pidfiles(struct oc_daemon *daemon);

/* How many processes each target matches now; out_counts has room for all targets of the config. */
void oc_matching_count(const struct oc_daemon *daemon, uint32_t *out_counts);

#endif
