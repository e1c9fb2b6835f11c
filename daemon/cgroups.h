/*
 * The memory cgroup of each watched process and all of its ancestors are sources too: one per
 * path and inode, shared by all that are in it, unwatched with the last of them.
 */
#ifndef OC_DAEMON_CGROUPS_H
#define OC_DAEMON_CGROUPS_H

#include "daemon/source.h"

#include <stdint.h>

struct oc_daemon;

/* The process is in the cgroup of that path ("": unknown). What cannot be watched is left out. */
void oc_cgroups_use(struct oc_daemon *daemon, struct oc_source *process, const char *path);

/* It is in another one now. */
void oc_cgroups_move(struct oc_daemon *daemon, struct oc_source *process, const char *path);

/* The source, which ends, uses its cgroup no more. */
void oc_cgroups_release(struct oc_daemon *daemon, struct oc_source *source);

/*
 * A target asks for the cgroup itself: it is watched under that subject from now on, and until it
 * ends. Where it was watched under another, that series ends. 0, OC_E_NOMEM, or OC_E_BUSY: the store
 * has not answered for it yet, so that it must be asked for again.
 */
int oc_cgroups_hold(struct oc_daemon *daemon, const char *path, uint32_t target,
                    const char *subject);
/* No target asks for it any more. */
void oc_cgroups_let_go(struct oc_daemon *daemon, struct oc_source *cgroup);

/* The cgroup itself ended. */
void oc_cgroups_gone(struct oc_daemon *daemon, struct oc_source *cgroup);

#endif
