/*
 * Processes that are watched against a config that changed, or after an exec: what is the same
 * stays as it is, what is called otherwise now begins anew, what no target wants is let go.
 */
#ifndef OC_DAEMON_REFIT_H
#define OC_DAEMON_REFIT_H

#include "daemon/watch.h"

#include "probes/probe.h"

struct oc_config;
struct oc_daemon;

/*
 * A watched process is another program now. Returns 1 and as what it is to be watched (subject is
 * room for its text), or 0: no more, or more must be known.
 */
int oc_refit_exec(struct oc_daemon *daemon, struct oc_source *source, struct oc_watch_as *out_as,
                  char subject[OC_SUBJECT_BYTES]);

/*
 * A reload in two steps. With both configs there: each source is given the target of the same name.
 * With the new one in force: all are looked at; one whose answer takes facts is asked and stays as
 * it is until oc_refit_facts().
 */
void oc_refit_map(struct oc_daemon *daemon, const struct oc_config *next);
void oc_refit_all(struct oc_daemon *daemon);
void oc_refit_facts(struct oc_daemon *daemon, struct oc_source *source, const struct oc_walk *walk);

#endif
