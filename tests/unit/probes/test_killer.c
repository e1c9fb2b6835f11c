/* Who killed a process: in trees of files that say so, and with real kills where cgroups can be made. */
#include "suites.h"

#include "base/os.h"
#include "probes/linux/lx.h"
#include "tests/support/cgroup.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)
#define PID 70
#define TAG 42

/* Version 2: process 70 lives in /a/b; nothing has happened yet. */
struct scene {
    struct tree tree;
    oc_probe *probe;
    oc_cgroup *outer, *inner;
    oc_proc *proc;
};

static void write_events(const struct scene *scene, const char *cgroup, unsigned own_oom,
                         unsigned own_kill, unsigned all_oom, unsigned all_kill)
{
    char path[64], text[128];

    (void)snprintf(path, sizeof path, "cgroup%s/memory.events.local", cgroup);
    (void)snprintf(text, sizeof text, "low 0\nhigh 0\nmax 0\noom %u\noom_kill %u\n", own_oom,
                   own_kill);
    tree_write(&scene->tree, path, text);
    (void)snprintf(path, sizeof path, "cgroup%s/memory.events", cgroup);
    (void)snprintf(text, sizeof text, "low 0\nhigh 0\nmax 0\noom %u\noom_kill %u\n", all_oom,
                   all_kill);
    tree_write(&scene->tree, path, text);
}

static void write_host_kills(const struct scene *scene, unsigned count)
{
    char text[32];

    (void)snprintf(text, sizeof text, "oom_kill %u\n", count);
    tree_write(&scene->tree, "proc/vmstat", text);
}

static oc_cgroup *attach_cgroup(oc_probe *probe, const char *path)
{
    oc_cgroup *cgroup = NULL;
    struct oc_sample sample;

    ck_assert_int_eq(oc_probe_cgroup_attach(probe, path, &cgroup), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    return cgroup;
}

static struct scene scene_new(void)
{
    struct scene scene = { .tree = tree_new() };

    tree_write(&scene.tree, "cgroup/cgroup.controllers", "memory pids\n");
    tree_write(&scene.tree, "cgroup/a/memory.current", "1000\n");
    tree_write(&scene.tree, "cgroup/a/b/memory.current", "1000\n");
    tree_write(&scene.tree, "cgroup/a/b/memory.max", "2000\n");
    write_events(&scene, "/a", 1, 1, 5, 5);
    write_events(&scene, "/a/b", 2, 2, 2, 2);
    write_host_kills(&scene, 10);
    tree_process(&scene.tree, PID, "victim", 1000);
    tree_write(&scene.tree, "proc/70/cgroup", "0::/a/b\n");
    return scene;
}

static void scene_open(struct scene *scene)
{
    scene->probe = open_tree(scene->tree.dir, OC_LOOK_LADDER);
    scene->outer = attach_cgroup(scene->probe, "/a");
    scene->inner = attach_cgroup(scene->probe, "/a/b");
    ck_assert_int_eq(oc_probe_attach(scene->probe, PID, &scene->proc), OC_OK);
    oc_proc_set_tag(scene->proc, TAG);
}

static void scene_close(struct scene *scene)
{
    oc_probe_close(scene->probe);
    tree_free(&scene->tree);
}

/* It dies of a signal; the event that tells so. */
static struct oc_event die(struct scene *scene, int signal_number)
{
    char text[512];
    struct oc_sample sample;

    (void)snprintf(text, sizeof text,
                   "%u (victim) Z 1 1 1 0 -1 4194560 10 0 2 0 5 5 0 0 20 0 1 0 1000 0 0 "
                   "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 %d\n",
                   PID, signal_number);
    tree_write(&scene->tree, "proc/70/statm", "0 0 0 0 0 0 0\n");
    tree_write(&scene->tree, "proc/70/stat", text);
    ck_assert_int_eq(oc_probe_read(scene->probe, scene->proc, &sample), OC_E_GONE);
    return await_event(scene->probe, OC_EVENT_PROC_END, TAG);
}

static void ck_killer(const struct oc_event *event, enum oc_end end, enum oc_killer killer,
                      const char *scope)
{
    ck_assert_int_eq(event->end, end);
    ck_assert_msg(event->killer == killer, "killer is %s, not %s", oc_killer_name(event->killer),
                  oc_killer_name(killer));
    if (scope)
        ck_assert_str_eq(event->killer_scope, scope);
    else
        ck_assert_ptr_null(event->killer_scope);
}

START_TEST(its_own_limit)
{
    struct scene scene = scene_new();
    struct oc_event event;

    scene_open(&scene);
    write_events(&scene, "/a/b", 3, 3, 3, 3);
    write_events(&scene, "/a", 1, 1, 6, 6);
    write_host_kills(&scene, 11);
    event = die(&scene, SIGKILL);
    ck_killer(&event, OC_END_OOM_KILLED, OC_KILLER_CGROUP, "/a/b");
    scene_close(&scene);
}
END_TEST

START_TEST(the_limit_of_a_cgroup_above_it)
{
    struct scene scene = scene_new();
    struct oc_event event;

    scene_open(&scene);
    write_events(&scene, "/a/b", 2, 3, 2, 3);
    write_events(&scene, "/a", 2, 1, 6, 6);
    write_host_kills(&scene, 11);
    event = die(&scene, SIGKILL);
    ck_killer(&event, OC_END_OOM_KILLED, OC_KILLER_CGROUP, "/a");
    scene_close(&scene);
}
END_TEST

START_TEST(the_host_where_no_cgroup_met_its_limit)
{
    struct scene scene = scene_new();
    struct oc_event event;

    scene_open(&scene);
    write_events(&scene, "/a/b", 2, 3, 2, 3);
    write_events(&scene, "/a", 1, 1, 5, 6);
    write_host_kills(&scene, 11);
    event = die(&scene, SIGKILL);
    ck_killer(&event, OC_END_OOM_KILLED, OC_KILLER_HOST, NULL);
    scene_close(&scene);
}
END_TEST

START_TEST(nobody_is_named_below_a_namespace)
{
    struct scene scene = scene_new();
    struct oc_event event;

    tree_write(&scene.tree, "cgroup/memory.current", "2000\n"); /* not the machine's root */
    scene_open(&scene);
    write_events(&scene, "/a/b", 2, 3, 2, 3);
    write_host_kills(&scene, 11);
    event = die(&scene, SIGKILL);
    ck_killer(&event, OC_END_OOM_KILLED, OC_KILLER_UNKNOWN, NULL);
    scene_close(&scene);
}
END_TEST

START_TEST(a_kill_by_hand_is_not_that_of_another)
{
    struct scene scene = scene_new();
    struct oc_event event;

    scene_open(&scene);
    write_host_kills(&scene, 11); /* elsewhere */
    event = die(&scene, SIGKILL);
    ck_killer(&event, OC_END_SIGNALED, OC_KILLER_UNKNOWN, NULL);
    scene_close(&scene);
}
END_TEST

START_TEST(one_kill_has_one_victim)
{
    struct scene scene = scene_new();
    struct oc_event event;
    oc_proc *other = NULL;
    struct oc_sample sample;

    tree_process(&scene.tree, 71, "other", 1000);
    tree_write(&scene.tree, "proc/71/cgroup", "0::/a/b\n");
    scene_open(&scene);
    ck_assert_int_eq(oc_probe_attach(scene.probe, 71, &other), OC_OK);
    oc_proc_set_tag(other, 43);
    write_events(&scene, "/a/b", 3, 3, 3, 3);
    write_host_kills(&scene, 11);
    event = die(&scene, SIGKILL);
    ck_killer(&event, OC_END_OOM_KILLED, OC_KILLER_CGROUP, "/a/b");
    tree_write(&scene.tree, "proc/71/statm", "0 0 0 0 0 0 0\n");
    tree_write(&scene.tree, "proc/71/stat",
               "71 (other) Z 1 1 1 0 -1 4194560 10 0 2 0 5 5 0 0 20 0 1 0 1000 0 0 1 1 1 0 0 0 0 0 "
               "0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 9\n");
    ck_assert_int_eq(oc_probe_read(scene.probe, other, &sample), OC_E_GONE);
    event = await_event(scene.probe, OC_EVENT_PROC_END, 43);
    ck_killer(&event, OC_END_SIGNALED, OC_KILLER_UNKNOWN, NULL);
    scene_close(&scene);
}
END_TEST

/* _i: whether the daemon let go of the cgroup before it heard of the death. */
START_TEST(a_cgroup_that_is_gone_is_judged_by_its_parent)
{
    struct scene scene = scene_new();
    struct oc_event event;

    scene_open(&scene);
    if (_i)
        oc_probe_cgroup_detach(scene.probe, scene.inner);
    tree_remove(&scene.tree, "cgroup/a/b");
    write_events(&scene, "/a", 1, 1, 6, 6);
    write_host_kills(&scene, 11);
    event = die(&scene, SIGKILL);
    if (_i) /* files of a real one say that it is gone; those of this tree stay readable while open */
        ck_killer(&event, OC_END_OOM_KILLED, OC_KILLER_CGROUP, "/a/b");
    scene_close(&scene);
}
END_TEST

START_TEST(a_cgroup_that_is_gone_leaves_the_host)
{
    struct scene scene = scene_new();
    struct oc_event event;

    scene_open(&scene);
    oc_probe_cgroup_detach(scene.probe, scene.inner);
    tree_remove(&scene.tree, "cgroup/a/b");
    write_events(&scene, "/a", 1, 1, 5, 6); /* a kill below, and nobody's limit */
    write_host_kills(&scene, 11);
    event = die(&scene, SIGKILL);
    ck_killer(&event, OC_END_OOM_KILLED, OC_KILLER_HOST, NULL);
    scene_close(&scene);
}
END_TEST

START_TEST(a_kill_in_a_cgroup_says_whose_limit)
{
    struct scene scene = scene_new();
    struct oc_event event;
    struct oc_sample sample;

    scene_open(&scene);
    oc_cgroup_set_tag(scene.inner, 9);
    write_events(&scene, "/a/b", 2, 3, 2, 3);
    write_events(&scene, "/a", 2, 1, 6, 6);
    ck_assert_int_eq(oc_probe_tick_begin(scene.probe, 20 * SECOND_NS), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_read(scene.probe, scene.inner, &sample), OC_OK);
    event = await_event(scene.probe, OC_EVENT_CGROUP_OOM_KILL, 9);
    ck_killer(&event, OC_END_OOM_KILLED, OC_KILLER_CGROUP, "/a");
    scene_close(&scene);
}
END_TEST

/* What moved long ago tells nothing of a death now. */
START_TEST(counts_of_long_ago_do_not_count)
{
    struct scene scene = scene_new();
    struct oc_event event;
    struct oc_sample sample;

    scene_open(&scene);
    write_events(&scene, "/a", 2, 2, 6, 6);
    ck_assert_int_eq(oc_probe_tick_begin(scene.probe, 20 * SECOND_NS), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_read(scene.probe, scene.outer, &sample), OC_OK);
    ck_assert_int_eq(oc_probe_tick_begin(scene.probe, 60 * SECOND_NS), OC_OK);
    write_events(&scene, "/a/b", 2, 3, 2, 3);
    write_events(&scene, "/a", 2, 2, 6, 7);
    write_host_kills(&scene, 12);
    event = die(&scene, SIGKILL);
    ck_killer(&event, OC_END_OOM_KILLED, OC_KILLER_HOST, NULL);
    scene_close(&scene);
}
END_TEST

/* ---- version 1 ---- */

START_TEST(version_1_tells_by_failures)
{
    struct tree tree = tree_new();
    struct scene scene = { .tree = tree };
    const char *const failed =
        _i ? "cgroup/memory/a/b/memory.failcnt" : "cgroup/memory/a/memory.failcnt";
    struct oc_event event;

    tree_write(&tree, "cgroup/memory/memory.usage_in_bytes", "9000\n");
    tree_write(&tree, "cgroup/memory/a/memory.failcnt", "4\n");
    tree_write(&tree, "cgroup/memory/a/b/memory.failcnt", "0\n");
    tree_write(&tree, "cgroup/memory/a/memory.oom_control", "under_oom 0\noom_kill 0\n");
    tree_write(&tree, "cgroup/memory/a/b/memory.oom_control", "under_oom 0\noom_kill 0\n");
    tree_process(&tree, PID, "victim", 1000);
    tree_write(&tree, "proc/70/cgroup", "5:pids:/\n4:memory:/a/b\n0::/\n");
    write_host_kills(&scene, 10);
    scene_open(&scene);
    tree_write(&tree, "cgroup/memory/a/b/memory.oom_control", "under_oom 0\noom_kill 1\n");
    tree_write(&tree, failed, "77\n");
    write_host_kills(&scene, 11);
    event = die(&scene, SIGKILL);
    ck_killer(&event, OC_END_OOM_KILLED, OC_KILLER_CGROUP, _i ? "/a/b" : "/a");
    scene_close(&scene);
}
END_TEST

/* ---- killers in user space ---- */

START_TEST(systemd_oomd_is_told_by_what_it_writes)
{
    struct scene scene = scene_new();
    char dir[200];
    struct oc_event event;

    (void)snprintf(dir, sizeof dir, "%s/cgroup/a", scene.tree.dir);
    if (setxattr(dir, "user.oomd_ooms", "3", 1, 0) != 0) {
        printf("SKIP systemd_oomd_is_told_by_what_it_writes: no user attributes on %s\n", dir);
        tree_free(&scene.tree);
        return;
    }
    scene_open(&scene);
    if (_i)
        ck_assert_int_eq(setxattr(dir, "user.oomd_ooms", "4", 1, 0), 0);
    event = die(&scene, SIGKILL);
    if (_i)
        ck_killer(&event, OC_END_SIGNALED, OC_KILLER_OOMD, "/a");
    else
        ck_killer(&event, OC_END_SIGNALED, OC_KILLER_UNKNOWN, NULL);
    scene_close(&scene);
}
END_TEST

static void seen(const struct oc_seen *process, void *context)
{
    (void)process;
    (void)context;
}

/* It needs all three: the program, low memory, and one of its signals. */
START_TEST(earlyoom_is_told_when_all_fits)
{
    static const struct {
        const char *name, *meminfo;
        int signal_number;
        enum oc_killer killer;
    } cases[] = {
        { "earlyoom", "MemTotal: 1000 kB\nMemAvailable: 90 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
          SIGTERM, OC_KILLER_EARLYOOM },
        { "earlyoom", "MemTotal: 1000 kB\nMemAvailable: 50 kB\nSwapTotal: 100 kB\nSwapFree: 5 kB\n",
          SIGKILL, OC_KILLER_EARLYOOM },
        { "earlyoom",
          "MemTotal: 1000 kB\nMemAvailable: 90 kB\nSwapTotal: 100 kB\nSwapFree: 50 kB\n", SIGTERM,
          OC_KILLER_UNKNOWN },
        { "earlyoom", "MemTotal: 1000 kB\nMemAvailable: 500 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
          SIGTERM, OC_KILLER_UNKNOWN },
        { "nohang", "MemTotal: 1000 kB\nMemAvailable: 90 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
          SIGTERM, OC_KILLER_UNKNOWN },
        { "earlyoom", "MemTotal: 1000 kB\nMemAvailable: 90 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
          SIGSEGV, OC_KILLER_UNKNOWN },
    };
    struct scene scene = scene_new();
    struct oc_event event;

    tree_process(&scene.tree, 80, cases[_i].name, 900);
    tree_write(&scene.tree, "proc/meminfo", cases[_i].meminfo);
    scene_open(&scene);
    ck_assert_int_eq(oc_probe_scan(scene.probe, seen, NULL), 2);
    event = die(&scene, cases[_i].signal_number);
    ck_killer(&event, OC_END_SIGNALED, cases[_i].killer, NULL);
    scene_close(&scene);
}
END_TEST

/* ---- real kills ---- */

/* _i: bit 0 which of the two cgroups has the limit; bit 1: the inner one goes at once. */
START_TEST(a_real_kill_is_told_by_its_limit)
{
    const int is_outer = _i & 1, is_gone = _i >> 1;
    struct live_cgroup outer = { "", "" }, inner = { "", "" };
    struct fixture fixture;
    struct oc_event event;
    siginfo_t info = { 0 };
    oc_probe *probe = NULL;
    oc_cgroup *inner_cgroup = NULL;
    oc_proc *proc = NULL;

    if (!live_cgroup_make(&outer, NULL, "killer") || !live_cgroup_make(&inner, &outer, "inner") ||
        !live_cgroup_limit(is_outer ? &outer : &inner, "25165824")) {
        printf("SKIP a_real_kill_is_told_by_its_limit: no cgroup with a memory limit can be made "
               "here\n");
        live_cgroup_remove(&inner);
        live_cgroup_remove(&outer);
        return;
    }
    fixture = fixture_start("wait");
    ck_assert(live_cgroup_enter(&inner, fixture.pid));
    probe = open_live(OC_LOOK_LADDER);
    (void)attach_cgroup(probe, outer.path);
    inner_cgroup = attach_cgroup(probe, inner.path);
    ck_assert_int_eq(oc_probe_attach(probe, (uint32_t)fixture.pid, &proc), OC_OK);
    ck_assert_str_eq(oc_proc_facts(proc)->cgroup, inner.path);
    oc_proc_set_tag(proc, TAG);
    for (int i = 0; i < 16; i++)
        (void)!write(fixture.in_fd, "grow\n", 5);
    ck_assert_int_eq(waitid(P_PID, (id_t)fixture.pid, &info, WEXITED | WNOWAIT), 0);
    if (is_gone) { /* as a service manager does it */
        fixture_reap(&fixture);
        live_cgroup_remove(&inner);
    }
    event = await_event(probe, OC_EVENT_PROC_END, TAG);
    if (event.end == OC_END_UNKNOWN && is_gone) {
        printf("SKIP a_real_kill_is_told_by_its_limit: this kernel does not say how a reaped "
               "process ended\n");
    } else {
        ck_killer(&event, OC_END_OOM_KILLED, OC_KILLER_CGROUP, is_outer ? outer.path : inner.path);
        ck_assert_int_eq(event.status, SIGKILL);
    }
    oc_probe_cgroup_detach(probe, inner_cgroup);
    oc_probe_close(probe);
    if (!is_gone)
        fixture_reap(&fixture);
    live_cgroup_remove(&inner);
    live_cgroup_remove(&outer);
}
END_TEST

static void note_earlyoom(const struct oc_seen *process, void *context)
{
    if (strcmp(process->name, "earlyoom") == 0)
        *(int *)context = 1;
}

/* Step by step, with looks between them as the daemon has them, until it is ended. */
static void take_all_memory(oc_probe *probe, const struct fixture *fixture)
{
    struct oc_sample sample;
    char ready[6];

    (void)signal(SIGPIPE, SIG_IGN); /* it may end between its answer and the next line */
    do {
        ck_assert_int_eq(oc_probe_tick_begin(probe, oc_clock_mono_ns()), OC_OK);
        ck_assert_int_eq(oc_probe_host_read(probe, &sample), OC_OK);
        (void)!write(fixture->in_fd, "grow\n", 5);
    } while (read(fixture->out_fd, ready, sizeof ready) == (ssize_t)sizeof ready);
}

/* All memory of the machine is taken, so only where that is wanted: a guest made for it. */
START_TEST(a_real_kill_for_the_host_is_told)
{
    struct live_cgroup cgroup = { "", "" };
    struct fixture fixture;
    struct oc_event event;
    oc_probe *probe = NULL;
    oc_proc *proc = NULL;
    int has_earlyoom = 0;
    char path[64];
    FILE *file = NULL;

    if (!getenv("OOMCAST_TEST_HOST_OOM") || !live_cgroup_make(&cgroup, NULL, "host")) {
        printf(
            "SKIP a_real_kill_for_the_host_is_told: OOMCAST_TEST_HOST_OOM is not set, or no cgroup "
            "can be made here\n");
        return;
    }
    fixture = fixture_start("wait");
    (void)snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)fixture.pid);
    file = fopen(path, "w");
    ck_assert(file && fputs("1000", file) > 0 && fclose(file) == 0);
    ck_assert(live_cgroup_enter(&cgroup, fixture.pid));
    probe = open_live(OC_LOOK_LADDER);
    (void)attach_cgroup(probe, cgroup.path);
    ck_assert_int_gt(oc_probe_scan(probe, note_earlyoom, &has_earlyoom), 0);
    ck_assert_int_eq(oc_probe_attach(probe, (uint32_t)fixture.pid, &proc), OC_OK);
    oc_proc_set_tag(proc, TAG);
    take_all_memory(probe, &fixture);
    event = await_event(probe, OC_EVENT_PROC_END, TAG);
    printf("ended by %s, signal %d\n", oc_killer_name(event.killer), event.status);
    if (has_earlyoom) /* it comes before the kernel does */
        ck_killer(&event, OC_END_SIGNALED, OC_KILLER_EARLYOOM, NULL);
    else
        ck_killer(&event, OC_END_OOM_KILLED, OC_KILLER_HOST, NULL);
    oc_probe_close(probe);
    fixture_reap(&fixture);
    live_cgroup_remove(&cgroup);
}
END_TEST

/* What oomd writes can be read of a cgroup that is gone (_i), while its folder is open. */
START_TEST(systemd_oomd_is_told_of_a_real_cgroup)
{
    struct live_cgroup cgroup = { "", "" };
    struct fixture fixture;
    struct oc_event event;
    oc_probe *probe = NULL;
    oc_proc *proc = NULL;

    if (!live_cgroup_make(&cgroup, NULL, "oomd") ||
        !live_cgroup_write(&cgroup, "memory.high", "max") ||
        setxattr(cgroup.dir, "user.oomd_ooms", "1", 1, 0) != 0) {
        printf("SKIP systemd_oomd_is_told_of_a_real_cgroup: no version 2 cgroup with attributes\n");
        live_cgroup_remove(&cgroup);
        return;
    }
    fixture = fixture_start("wait");
    ck_assert(live_cgroup_enter(&cgroup, fixture.pid));
    probe = open_live(OC_LOOK_LADDER);
    (void)attach_cgroup(probe, cgroup.path);
    ck_assert_int_eq(oc_probe_attach(probe, (uint32_t)fixture.pid, &proc), OC_OK);
    oc_proc_set_tag(proc, TAG);
    ck_assert_int_eq(setxattr(cgroup.dir, "user.oomd_ooms", "2", 1, 0), 0);
    ck_assert_int_eq(kill(fixture.pid, SIGKILL), 0);
    if (_i) {
        fixture_reap(&fixture); /* a zombie would hold it */
        live_cgroup_remove(&cgroup);
    }
    event = await_event(probe, OC_EVENT_PROC_END, TAG);
    if (event.end == OC_END_UNKNOWN && _i)
        printf("SKIP systemd_oomd_is_told_of_a_real_cgroup: this kernel does not say how a reaped "
               "process ended\n");
    else
        ck_killer(&event, OC_END_SIGNALED, OC_KILLER_OOMD, cgroup.path);
    oc_probe_close(probe);
    if (!_i)
        fixture_reap(&fixture);
    live_cgroup_remove(&cgroup);
}
END_TEST

Suite *killer_suite(void)
{
    Suite *suite = suite_create("killer");
    TCase *tcase = tcase_create("killer");

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, its_own_limit);
    tcase_add_test(tcase, the_limit_of_a_cgroup_above_it);
    tcase_add_test(tcase, the_host_where_no_cgroup_met_its_limit);
    tcase_add_test(tcase, nobody_is_named_below_a_namespace);
    tcase_add_test(tcase, a_kill_by_hand_is_not_that_of_another);
    tcase_add_test(tcase, one_kill_has_one_victim);
    tcase_add_loop_test(tcase, a_cgroup_that_is_gone_is_judged_by_its_parent, 0, 2);
    tcase_add_test(tcase, a_cgroup_that_is_gone_leaves_the_host);
    tcase_add_test(tcase, a_kill_in_a_cgroup_says_whose_limit);
    tcase_add_test(tcase, counts_of_long_ago_do_not_count);
    tcase_add_loop_test(tcase, version_1_tells_by_failures, 0, 2);
    tcase_add_loop_test(tcase, systemd_oomd_is_told_by_what_it_writes, 0, 2);
    tcase_add_loop_test(tcase, earlyoom_is_told_when_all_fits, 0, 6);
    tcase_add_loop_test(tcase, a_real_kill_is_told_by_its_limit, 0, 4);
    tcase_add_test(tcase, a_real_kill_for_the_host_is_told);
    tcase_add_loop_test(tcase, systemd_oomd_is_told_of_a_real_cgroup, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
