/* Limits of a process as Linux tells them. */
#ifndef OC_PROBES_LINUX_LIMITS_H
#define OC_PROBES_LINUX_LIMITS_H

#include "base/limit.h"

#include <stddef.h>
#include <stdint.h>

/* The soft limits in /proc/PID/limits. OC_LX_MAX: "unlimited", or not there. */
struct oc_lx_rlimits {
    uint64_t as_bytes, data_bytes, stack_bytes;
    uint64_t nproc_count, nofile_count;
};
/* Pure. 0, or OC_E_PARSE where none of them is told. */
int oc_lx_rlimits_parse(const char *text, size_t len_bytes, struct oc_lx_rlimits *out_rlimits);

/* CapEff of /proc/PID/status. Pure. 0 or OC_E_PARSE. */
int oc_lx_caps_parse(const char *text, size_t len_bytes, uint64_t *out_effective);

/*
 * The process's own limits into out_limits, room for OC_WALK_LIMITS_MAX of them: rlimits,
 * vm.max_map_count, and for a 32-bit program its address space and the floor under its largest hole.
 * RLIMIT_NPROC is absent for who is exempt from it. `use` is left to oc_limits_use().
 * proc_fd: the proc folder; dir_fd: PID in it. user: its name, "" unknown (then the number stands).
 * Returns how many. Cost: four small files, one of them the first bytes of the executable (may block on its disk).
 */
uint32_t oc_lx_walk_limits(int proc_fd, int dir_fd, int64_t uid, const char *user,
                           struct oc_limit *out_limits);

#endif
