/* Where the files of the system that is looked at lie: our own, or one below a folder. */
#ifndef OC_PROBES_LINUX_ROOTS_H
#define OC_PROBES_LINUX_ROOTS_H

#include "probes/probe.h"

#include <stddef.h>

#define OC_LX_ROOT_BYTES 256

struct oc_lx_roots {
    char root[OC_LX_ROOT_BYTES]; /* "" is "/"; without a slash at its end */
    char proc[OC_LX_ROOT_BYTES];
    char cgroup[OC_LX_ROOT_BYTES];
    int is_fixed_cgroup; /* the caller named the cgroup folder: mounts are not asked */
    int has_files; /* /etc, /var … below root belong to this /proc; not where a test named only the latter */
};

/* From the options; NULL: our own system. 0, or OC_E_TOOBIG where a path is too long. */
int oc_lx_roots_of(const struct oc_probe_options *options, struct oc_lx_roots *out_roots);

/* ROOT and an absolute path, as "/host/etc/passwd". 0 or OC_E_TOOBIG. */
int oc_lx_roots_path(const struct oc_lx_roots *roots, const char *path, char *out,
                     size_t out_bytes);

/*
 * Opens ROOT/path read only, with what links in it point to taken as paths below ROOT too (from
 * Linux 5.6 on). A descriptor or a code.
 */
int oc_lx_roots_open(const struct oc_lx_roots *roots, const char *path, int flags);

/*
 * Whether the PIDs in a proc folder are those that our system calls mean: procfs, "self" in it is
 * us, and it knows us by no more than one number (else it is of an outer PID namespace).
 */
int oc_lx_is_live(int proc_fd);

#endif
