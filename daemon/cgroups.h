/*
 * The memory cgroup of each watched process and all of its ancestors are sources too: one per
 * path and inode, shared by all that are in it, unwatched with the last of them.
 */
#ifndef OC_DAEMON_CGROUPS_H
#define OC_DAEMON_CGROUPS_H

#include "daemon/source.h"

struct oc_daemon;

/* The process is in the cgroup of that path ("": unknown). What cannot be watched is left out. */
void oc_cgroups_use(struct oc_daemon *daemon, struct oc_source *process, const char *path);

/* It is in another one now. */
void oc_cgroups_move(struct oc_daemon *daemon, struct oc_source *process, const char *path);

/* The source, which ends, uses its cgroup no more. */
void oc_cgroups_release(struct oc_daemon *daemon, struct oc_source *source);

/* The cgroup itself ended. */
void oc_cgroups_gone(struct oc_daemon *daemon, struct oc_source *cgroup);

#endif
