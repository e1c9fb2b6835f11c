/* Where the cgroup hierarchies are mounted, by /proc/PID/mountinfo. Pure but for what is said. */
#ifndef OC_PROBES_LINUX_MOUNTS_H
#define OC_PROBES_LINUX_MOUNTS_H

#include <stddef.h>

#define OC_LX_MOUNT_BYTES 512

struct oc_lx_mount {
    char root[OC_LX_MOUNT_BYTES]; /* what of the hierarchy is mounted: "/", "/docker/…", "/../.." */
    char point[OC_LX_MOUNT_BYTES]; /* where */
    int is_v2;
    const char *options; /* of the hierarchy: "rw,memory"; borrowed from the text */
    size_t options_bytes;
};

/*
 * The next mount of a cgroup hierarchy, from *at_bytes on, which moves on. 1, or 0 at the end. Other
 * mounts, and lines that are odd, cut or too long, are passed over.
 */
int oc_lx_mount_next(const char *text, size_t len_bytes, size_t *at_bytes,
                     struct oc_lx_mount *out_mount);
/* Whether its options have the word: a controller of version 1. */
int oc_lx_mount_has(const struct oc_lx_mount *mount, const char *word);

#endif
