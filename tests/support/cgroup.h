/* Cgroups that a test makes on the machine itself, of version 1 or 2, where it may. */
#ifndef OC_TESTS_SUPPORT_CGROUP_H
#define OC_TESTS_SUPPORT_CGROUP_H

#include <sys/types.h>

struct live_cgroup {
    char dir[512];  /* its folder; "" not made */
    char path[256]; /* as /proc/PID/cgroup has it */
};

/* Makes one below another (NULL: below the root of the memory controller's hierarchy). 1, or 0 where that is not ours to do. */
int live_cgroup_make(struct live_cgroup *cgroup, const struct live_cgroup *parent,
                     const char *name);
/* Its memory limit in bytes ("max": none), and no swap. 1, or 0. */
int live_cgroup_limit(const struct live_cgroup *cgroup, const char *bytes);
int live_cgroup_write(const struct live_cgroup *cgroup, const char *file, const char *text);
/* Moves a process there. 1, or 0. */
int live_cgroup_enter(const struct live_cgroup *cgroup, pid_t pid);
/* Removes it; nothing for one that was not made, or is gone. */
void live_cgroup_remove(struct live_cgroup *cgroup);

#endif
