#include "suites.h"

#include "base/os.h"
#include "tests/support/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_MS 10000

extern char **environ;

static void await_ready(const struct fixture *fixture)
{
    char text[16] = "";
    struct pollfd poll_fd = { fixture->out_fd, POLLIN, 0 };

    ck_assert_int_eq(poll(&poll_fd, 1, DEADLINE_MS), 1);
    ck_assert_int_eq(read(fixture->out_fd, text, 6), 6);
    ck_assert_str_eq(text, "ready\n");
}

struct fixture fixture_run(const char *const *args)
{
    struct fixture fixture = { 0, -1, -1 };
    posix_spawn_file_actions_t actions;
    int in[2], out[2];

    ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    ck_assert_int_eq(posix_spawn(&fixture.pid, args[0], &actions, NULL,
                                 (char *const *)(uintptr_t)args, environ),
                     0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    fixture.in_fd = in[1];
    fixture.out_fd = out[0];
    await_ready(&fixture);
    return fixture;
}

struct fixture fixture_start(const char *mode)
{
    const char *const args[] = { PROC_FIXTURE, mode, NULL };

    return fixture_run(args);
}

static char state_of(pid_t pid)
{
    char path[64], text[512] = "", *behind = NULL;
    ssize_t len_bytes = 0;
    int fd = -1;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    len_bytes = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        (void)close(fd);
    text[len_bytes > 0 ? len_bytes : 0] = '\0';
    behind = strrchr(text, ')');
    return behind && behind[1] ? behind[2] : '\0';
}

/* The kernel adds up what a process ran when it stops running, or at a tick of its own. */
static void await_sleep(pid_t pid)
{
    int64_t until_ns = oc_clock_mono_ns() + DEADLINE_MS * INT64_C(1000000);

    while (state_of(pid) == 'R')
        ck_assert_msg(oc_clock_mono_ns() < until_ns, "the fixture runs on and on");
}

void fixture_tell(const struct fixture *fixture, const char *line)
{
    ck_assert_int_eq(write(fixture->in_fd, line, strlen(line)), (ssize_t)strlen(line));
    await_ready(fixture);
    await_sleep(fixture->pid);
}

void fixture_reap(struct fixture *fixture)
{
    int status = 0;

    close(fixture->in_fd);
    close(fixture->out_fd);
    ck_assert_int_eq(waitpid(fixture->pid, &status, 0), fixture->pid);
}

int fixture_end(struct fixture *fixture)
{
    int status = 0;

    close(fixture->in_fd);
    ck_assert_int_eq(waitpid(fixture->pid, &status, 0), fixture->pid);
    close(fixture->out_fd);
    return status;
}

struct oc_event await_event(oc_probe *probe, enum oc_event_kind kind, uint64_t tag)
{
    int64_t until_ns = oc_clock_mono_ns() + DEADLINE_MS * INT64_C(1000000);
    struct pollfd poll_fd = { oc_probe_event_fd(probe), POLLIN, 0 };
    struct oc_event event = { 0 };

    while (oc_clock_mono_ns() < until_ns) {
        while (oc_probe_next_event(probe, &event) == 1) {
            if (event.kind == kind && event.tag == tag)
                return event;
        }
        (void)poll(&poll_fd, 1, 100);
    }
    ck_abort_msg("no event of kind %d, tag %d", (int)kind, (int)tag);
    return event;
}

static oc_probe *open_probe(const struct oc_probe_options *options)
{
    struct oc_detail detail = { 0 };
    oc_probe *probe = NULL;
    int rc = oc_probe_open(options, &probe, &detail);

    ck_assert_msg(rc == OC_OK, "open: %s: %s", oc_err_name(rc), detail.text);
    ck_assert_int_eq(oc_probe_tick_begin(probe, 1), OC_OK);
    return probe;
}

oc_probe *open_live(enum oc_look look)
{
    const struct oc_probe_options options = { .look = look };

    return open_probe(&options);
}

oc_probe *open_tree(const char *dir, enum oc_look look)
{
    char proc[512], cgroup[512];
    const struct oc_probe_options options = { .proc_root = proc,
                                              .cgroup_root = cgroup,
                                              .look = look };

    (void)snprintf(proc, sizeof proc, "%s/proc", dir);
    (void)snprintf(cgroup, sizeof cgroup, "%s/cgroup", dir);
    return open_probe(&options);
}

oc_probe *open_capture(const char *tree, enum oc_look look)
{
    char dir[400];

    (void)snprintf(dir, sizeof dir, "%s/%s", OC_TEST_DATA, tree);
    return open_tree(dir, look);
}

int open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = -3; /* ".", "..", and that of the folder itself */

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* ---- trees ---- */

struct tree tree_new(void)
{
    struct tree tree;

    ck_assert_int_eq(make_folder("oomcast-test", tree.dir, sizeof tree.dir), 0);
    tree_write(&tree, "proc/meminfo", "MemTotal: 1000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
    tree_write(&tree, "proc/stat", "cpu 1\nbtime 1700000000\n");
    return tree;
}

static void tree_path(const struct tree *tree, const char *path, char *out, size_t out_bytes)
{
    ck_assert_int_lt(snprintf(out, out_bytes, "%s/%s", tree->dir, path), (int)out_bytes);
}

void tree_write_bytes(const struct tree *tree, const char *path, const void *bytes, size_t len)
{
    char full[512], folder[512];
    FILE *file = NULL;

    tree_path(tree, path, full, sizeof full);
    (void)snprintf(folder, sizeof folder, "%s", full);
    *strrchr(folder, '/') = '\0';
    ck_assert_int_eq(oc_os_mkdir_all(folder), OC_OK);
    file = fopen(full, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
    ck_assert_int_eq(fclose(file), 0);
}

void tree_write(const struct tree *tree, const char *path, const char *text)
{
    tree_write_bytes(tree, path, text, strlen(text));
}

void tree_remove(const struct tree *tree, const char *path)
{
    char full[512];

    tree_path(tree, path, full, sizeof full);
    ck_assert_int_eq(remove_folder(full), 0);
}

void tree_free(const struct tree *tree) { ck_assert_int_eq(remove_folder(tree->dir), 0); }

void tree_process(const struct tree *tree, unsigned pid, const char *name, unsigned start)
{
    char path[64], text[512];

    (void)snprintf(path, sizeof path, "proc/%u/statm", pid);
    tree_write(tree, path, "1000 500 100 10 0 300 0\n");
    (void)snprintf(path, sizeof path, "proc/%u/stat", pid);
    (void)snprintf(text, sizeof text,
                   "%u (%s) S 1 1 1 0 -1 4194560 10 0 2 0 5 5 0 0 20 0 1 0 %u 4096000 500 "
                   "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
                   pid, name, start);
    tree_write(tree, path, text);
    (void)snprintf(path, sizeof path, "proc/%u/status", pid);
    tree_write(tree, path,
               "Name:\tx\nPPid:\t1\nUid:\t5\t5\t5\t5\nVmPeak:\t    5000 kB\nVmSize:\t    4000 kB\n"
               "VmHWM:\t    2000 kB\nVmRSS:\t    2000 kB\nRssAnon:\t    1600 kB\nRssFile:\t     "
               "300 kB\nRssShmem:\t     100 kB\nVmData:\t    1000 kB\nVmStk:\t     200 kB\n"
               "VmPTE:\t      40 kB\nVmSwap:\t       0 kB\nThreads:\t3\n");
    (void)snprintf(path, sizeof path, "proc/%u/cgroup", pid);
    tree_write(tree, path, "0::/a\n");
}
