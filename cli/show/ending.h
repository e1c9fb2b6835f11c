/* How a life ended, in words. */
#ifndef OC_CLI_SHOW_ENDING_H
#define OC_CLI_SHOW_ENDING_H

#include "base/sample.h"

#include <stddef.h>

/*
 * "killed: out of memory, limit of cgroup /a/b", "killed by systemd-oomd in cgroup /a/b", "killed by
 * SIGKILL", "exit code 3". scope may be NULL. out_bytes ≥ 64; a long scope is cut. Returned.
 */
const char *oc_ending_text(enum oc_end end, int status, enum oc_killer killer, const char *scope,
                           char *out, size_t out_bytes);

/* The same for a narrow table, where it is an OOM killer's work: "OOM of /a/b", "systemd-oomd". */
const char *oc_ending_short(enum oc_end end, int status, enum oc_killer killer, const char *scope,
                            char *out, size_t out_bytes);

#endif
