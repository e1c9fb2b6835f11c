/*
 * What is known of processes that are not watched, so that they are not asked again and again: the
 * answer that the config gave for them, and from which size it may be another one. Of the PIDs
 * there are; what a scan does not see any more is let go.
 */
#ifndef OC_DAEMON_KNOWN_H
#define OC_DAEMON_KNOWN_H

#include <stddef.h>
#include <stdint.h>

#define OC_KNOWN_MAX 262144 /* beyond, processes are not looked into */

enum oc_known_state {
    OC_KNOWN_ASKED,   /* the walker was asked for its facts */
    OC_KNOWN_NO,      /* no target matches */
    OC_KNOWN_IGNORED, /* a target says that it is not to be watched by itself */
    OC_KNOWN_FAILED   /* its facts could not be had */
};

struct oc_known {
    uint64_t start_ticks;
    uint64_t from_bytes; /* at this resident size a target may match after all */
    uint64_t rss_bytes;  /* as seen when it was asked */
    uint32_t pid;        /* 0: an empty place */
    uint32_t parent_pid; /* 0: unknown */
    uint8_t state;       /* enum oc_known_state */
    uint8_t seen;        /* by the scan at hand */
    uint8_t named;       /* a pidfile names it, and that was heeded */
};

struct oc_knowns {
    struct oc_known *items; /* open addressing by PID */
    size_t capacity, used;  /* a power of 2; forgotten ones count until the next sweep */
};

void oc_knowns_clear(struct oc_knowns *knowns);

/* The entry of a PID, or NULL. Borrowed until the next put or sweep. O(1). */
struct oc_known *oc_knowns_find(const struct oc_knowns *knowns, uint32_t pid);

/* Its entry, made where it is missing, for the life of this start. 0, OC_E_NOMEM or OC_E_TOOBIG. */
int oc_knowns_put(struct oc_knowns *knowns, uint32_t pid, uint64_t start_ticks,
                  struct oc_known **out_known);

/* What was known of it no longer holds (exec, another pidfile). */
void oc_knowns_forget(struct oc_knowns *knowns, uint32_t pid);

/* After a scan: lets go of those that it did not see, once they are many. */
void oc_knowns_sweep(struct oc_knowns *knowns);

#endif
