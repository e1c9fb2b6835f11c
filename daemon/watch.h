/* From first sight to the end: attaching to processes and cgroups, their sources in the store. */
#ifndef OC_DAEMON_WATCH_H
#define OC_DAEMON_WATCH_H

#include "config/target.h"
#include "daemon/source.h"

#include <stdint.h>

struct oc_daemon;

/* As what a process is watched. */
struct oc_watch_as {
    uint32_t target;     /* of the config; OC_TARGET_NONE: none */
    const char *subject; /* NULL: what the target says by the facts read on attaching */
    int folded;          /* it belongs to an ancestor's subject */
};

/*
 * Begins to watch a process. Returns 0, OC_E_GONE, OC_E_EXISTS (it is watched), OC_E_NOFILE,
 * OC_E_NOMEM, OC_E_TOOBIG.
 */
int oc_watch_process(struct oc_daemon *daemon, uint32_t pid, const struct oc_watch_as *as);

/*
 * One life, watched, ends and another of the same process begins: after an exec, or under another
 * subject (OC_END_UNWATCHED).
 */
void oc_watch_renew(struct oc_daemon *daemon, struct oc_source *source, enum oc_end end,
                    const struct oc_watch_as *as);

/* The host and oomcastd itself. 0 or a code. */
int oc_watch_system(struct oc_daemon *daemon);

/* Its life ends, or its watching (OC_END_UNWATCHED). The source is gone afterwards. */
void oc_watch_end(struct oc_daemon *daemon, struct oc_source *source, enum oc_end end, int status);

/* Asks the store for the source's id; takes the subject's text. 0 or OC_E_NOMEM. */
int oc_watch_begin(struct oc_daemon *daemon, struct oc_source *source, char *take_subject,
                   const struct oc_proc_facts *facts);

/* The answer of the writer. */
void oc_watch_begun(void *daemon, uint32_t slot, int rc, uint32_t id);

/* Takes all events of the probe. */
void oc_watch_events(void *daemon);

/* After a tick that found some gone: their events, or the end without one. */
void oc_watch_gone(void *daemon);

/* What a process or the rest is sampled at, by the config in force. */
int32_t oc_watch_interval_ms(const struct oc_daemon *daemon, const struct oc_source *source);
/* Puts it into a group of the interval that is right now; where that fails its watching ends. */
void oc_watch_set_interval(struct oc_daemon *daemon, struct oc_source *source);

/* The target of the config in force that a source hangs on, or NULL. */
const struct oc_target *oc_target_of(const struct oc_daemon *daemon,
                                     const struct oc_source *source);

#endif
