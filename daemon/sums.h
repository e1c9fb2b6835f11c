/*
 * Group sources (OC_SOURCE_GROUP): the sums of a subject of several processes, as a series of its
 * own. Begun when a subject has its second process, or its target folds children; ended with the
 * last process.
 */
#ifndef OC_DAEMON_SUMS_H
#define OC_DAEMON_SUMS_H

struct oc_daemon;
struct oc_source;

/* A process joined its subject: makes the sums' source where it is wanted now. */
void oc_sums_joined(struct oc_daemon *daemon, struct oc_source *process);

/* A process is about to leave its subject: with the last one, the sums end. */
void oc_sums_leaving(struct oc_daemon *daemon, struct oc_source *process);

#endif
