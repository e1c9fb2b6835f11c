/* From first sight to the end: attaching to processes and cgroups, their sources in the store. */
#ifndef OC_DAEMON_WATCH_H
#define OC_DAEMON_WATCH_H

#include "daemon/source.h"

#include <stdint.h>

struct oc_daemon;

/*
 * Begins to watch a process. name_index: the entry of the config's names that chose it, or
 * OC_NO_SLOT. Returns 0, OC_E_GONE, OC_E_EXISTS (it is watched), OC_E_NOFILE, OC_E_NOMEM,
 * OC_E_TOOBIG.
 */
int oc_watch_process(struct oc_daemon *daemon, uint32_t pid, uint32_t name_index);

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

#endif
