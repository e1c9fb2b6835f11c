/*
 * A scripted probe: processes that start, grow and end as the test says. It fulfils the same
 * table of calls as the real ones, so that the daemon runs on it, and is where a port begins.
 *
 * The probe is of one thread. Figures keep the value given last; a read gives OC_READ_SAME where
 * nothing was given since the last one. Unknown PIDs and paths in a script are a bug of the test.
 */
#ifndef OC_PROBES_FAKE_H
#define OC_PROBES_FAKE_H

#include "probes/probe.h"

#define OC_FAKE_PROCS_MAX 65536
#define OC_FAKE_CGROUPS_MAX 1024

/* 0 or OC_E_NOMEM. Closed by oc_probe_close(). */
int oc_fake_open(oc_probe **out_probe);

/* ---- processes ---- */

/*
 * Starts a process; copies the facts. id.pid must be free; id.start_ticks tells it from an earlier one.
 * Queues OC_EVENT_PROC_START. 0, OC_E_NOMEM or OC_E_EXISTS.
 */
int oc_fake_start(oc_probe *probe, const struct oc_proc_facts *facts);

/* Gives a figure, or makes one unknown. */
void oc_fake_set(oc_probe *probe, uint32_t pid, enum oc_metric metric, int64_t value);
void oc_fake_unset(oc_probe *probe, uint32_t pid, enum oc_metric metric);

/* Another program in place: a new name, one more exec; OC_EVENT_PROC_EXEC if it is looked at. */
void oc_fake_exec(oc_probe *probe, uint32_t pid, const char *name);

/* Ends it: later reads give OC_E_GONE; OC_EVENT_PROC_END if it is looked at. The PID is free then. */
void oc_fake_end(oc_probe *probe, uint32_t pid, enum oc_end end, int status);

/* As OC_END_OOM_KILLED, with who did it. scope is borrowed until the event was taken; NULL: none. */
void oc_fake_kill(oc_probe *probe, uint32_t pid, enum oc_killer killer, const char *scope);

/* From now on reads of it, or attaching to it, give this code; 0 ends that. */
void oc_fake_fail(oc_probe *probe, uint32_t pid, int code);

/*
 * Called at each read with the time of the tick, to fill in or change figures: growth as a
 * function of time. It returns OC_OK (a new sample) or OC_READ_SAME.
 */
typedef int oc_fake_fill_fn(uint32_t pid, int64_t now_mono_ns, struct oc_sample *sample,
                            void *context);
void oc_fake_set_fill(oc_probe *probe, oc_fake_fill_fn *fill, void *context);

/* How often processes were read, for tests of who is looked at when. */
uint64_t oc_fake_reads(const oc_probe *probe, uint32_t pid);

/* ---- cgroups, host ---- */

int oc_fake_cgroup(oc_probe *probe, const char *path, uint64_t inode); /* makes one; OC_E_NOMEM */
void oc_fake_cgroup_set(oc_probe *probe, const char *path, enum oc_metric metric, int64_t value);
void oc_fake_cgroup_oom_kill(oc_probe *probe, const char *path);
void oc_fake_cgroup_end(oc_probe *probe, const char *path);
void oc_fake_host_set(oc_probe *probe, enum oc_metric metric, int64_t value);

/* ---- events ---- */

/* As if some were lost: OC_EVENT_RESCAN. */
void oc_fake_lose_events(oc_probe *probe);

#endif
