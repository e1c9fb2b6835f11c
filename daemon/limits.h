/*
 * The ceilings in force of each source, and the messages to the store when one changes. A process's
 * own come with walks; those of cgroups and the host out of their samples; those that the config
 * sets hang on a subject's sums where it has such a source, else on its process.
 */
#ifndef OC_DAEMON_LIMITS_H
#define OC_DAEMON_LIMITS_H

#include "base/limit.h"
#include "base/sample.h"

#include <stddef.h>
#include <stdint.h>

struct oc_daemon;
struct oc_source;

#define OC_LIMITS_LOOK_MS 10000 /* between two looks at the limits of a cgroup or the host */

/* Without use, which the series has. */
struct oc_kept_limit {
    uint64_t value;
    uint16_t metric;
    uint8_t kind;
    char *where; /* owned; NULL: "" or the cgroup's path */
};

/* The system's, in force of one source. */
struct oc_kept_limits {
    uint32_t count;
    struct oc_kept_limit items[];
};

void oc_limits_free(struct oc_kept_limits *limits); /* NULL is allowed */

/* What a walk of a process found; none: it could not be read, the ones in force stay. */
void oc_limits_of_walk(struct oc_daemon *daemon, struct oc_source *source,
                       const struct oc_limit *limits, size_t count);

/* A sample of a cgroup or the host: looked at every OC_LIMITS_LOOK_MS. The hook of groups. */
void oc_limits_sampled(void *daemon, struct oc_source *source, const struct oc_sample *sample);

/* Where a source begins, its target is another, or its subject's sums begin: all of them again. */
void oc_limits_tell(struct oc_daemon *daemon, struct oc_source *source);

/*
 * Once a round of discovery: where memory was short, or the store had no room, when limits or labels
 * were told, all are told again. The store writes what it has not.
 */
void oc_limits_tell_again(struct oc_daemon *daemon);

/* The next sample of each cgroup and of the host is looked at, however short ago the last was. */
void oc_limits_look_soon(struct oc_daemon *daemon);

#endif
