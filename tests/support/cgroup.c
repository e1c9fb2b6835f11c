#include "tests/support/cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *root(void)
{
    if (access("/sys/fs/cgroup/memory/memory.usage_in_bytes", F_OK) == 0)
        return "/sys/fs/cgroup/memory";
    return access("/sys/fs/cgroup/cgroup.subtree_control", F_OK) == 0 ? "/sys/fs/cgroup" : NULL;
}

static int put(const char *dir, const char *name, const char *text)
{
    char path[640];
    int fd = -1, ok = 0;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return ok;
}

int live_cgroup_make(struct live_cgroup *cgroup, const struct live_cgroup *parent, const char *name)
{
    const char *above = parent ? parent->dir : root();

    cgroup->dir[0] = '\0';
    if (!above || above[0] == '\0')
        return 0;
    if (parent)
        (void)snprintf(cgroup->path, sizeof cgroup->path, "%.200s/%.50s", parent->path, name);
    else
        (void)snprintf(cgroup->path, sizeof cgroup->path, "/oomcast-test-%d-%.50s", (int)getpid(),
                       name);
    (void)put(above, "cgroup.subtree_control", "+memory +pids"); /* version 2 */
    (void)snprintf(cgroup->dir, sizeof cgroup->dir, "%.255s%s", root(), cgroup->path);
    if (mkdir(cgroup->dir, 0755) == 0)
        return 1;
    cgroup->dir[0] = '\0';
    return 0;
}

int live_cgroup_write(const struct live_cgroup *cgroup, const char *file, const char *text)
{
    return cgroup->dir[0] != '\0' && put(cgroup->dir, file, text);
}

int live_cgroup_limit(const struct live_cgroup *cgroup, const char *bytes)
{
    const char *v1 = strcmp(bytes, "max") == 0 ? "-1" : bytes;

    (void)live_cgroup_write(cgroup, "memory.swap.max", "0");
    return live_cgroup_write(cgroup, "memory.limit_in_bytes", v1) ||
           live_cgroup_write(cgroup, "memory.max", bytes);
}

int live_cgroup_enter(const struct live_cgroup *cgroup, pid_t pid)
{
    char text[16];

    (void)snprintf(text, sizeof text, "%d", (int)pid);
    return live_cgroup_write(cgroup, "cgroup.procs", text);
}

void live_cgroup_remove(struct live_cgroup *cgroup)
{
    if (cgroup->dir[0] != '\0')
        (void)rmdir(cgroup->dir);
    cgroup->dir[0] = '\0';
}
