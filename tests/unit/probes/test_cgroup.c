#include "suites.h"

#include "tests/support/cgroup.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB(n) ((int64_t)(n)*1048576)
#define SERVICE "/system.slice/app.service"
#define SECOND_NS INT64_C(1000000000)

static oc_cgroup *attach(oc_probe *probe, const char *path)
{
    oc_cgroup *cgroup = NULL;

    ck_assert_int_eq(oc_probe_cgroup_attach(probe, path, &cgroup), OC_OK);
    ck_assert_str_eq(oc_cgroup_path(cgroup), path);
    ck_assert_uint_ne(oc_cgroup_inode(cgroup), 0);
    return cgroup;
}

START_TEST(version_2_is_read_whole)
{
    oc_probe *probe = open_capture("linux-6.1-cgroup2", OC_LOOK_LADDER);
    oc_cgroup *cgroup = attach(probe, SERVICE);
    struct oc_sample sample;

    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_assert_uint_eq(sample.block, OC_BLOCK_CGROUP);
    ck_known(&sample, OC_METRIC_CGROUP_CURRENT, MIB(1024));
    /* 1024 - 200 and 80 of files, those that wait to be written as well - 30 of slab */
    ck_known(&sample, OC_METRIC_CGROUP_CHARGE, MIB(1024 - (200 + 80) - 30));
    ck_known(&sample, OC_METRIC_CGROUP_PEAK, 1100000000);
    ck_known(&sample, OC_METRIC_CGROUP_SWAP, MIB(50));
    ck_known(&sample, OC_METRIC_CGROUP_ANON, MIB(500));
    ck_known(&sample, OC_METRIC_CGROUP_FILE, MIB(400));
    ck_known(&sample, OC_METRIC_CGROUP_SHMEM, MIB(100));
    ck_known(&sample, OC_METRIC_CGROUP_FILE_DIRTY, MIB(10));
    ck_known(&sample, OC_METRIC_CGROUP_UNEVICTABLE, MIB(20));
    ck_known(&sample, OC_METRIC_CGROUP_SLAB_RECLAIMABLE, MIB(30));
    ck_known(&sample, OC_METRIC_CGROUP_SLAB_UNRECLAIMABLE, MIB(10));
    ck_known(&sample, OC_METRIC_CGROUP_KERNEL_STACK, 196608);
    ck_known(&sample, OC_METRIC_CGROUP_PAGE_TABLES, MIB(4));
    ck_known(&sample, OC_METRIC_CGROUP_SOCK, 8192);
    ck_known(&sample, OC_METRIC_CGROUP_EVENTS_LOW, 0);
    ck_known(&sample, OC_METRIC_CGROUP_EVENTS_HIGH, 7);
    ck_known(&sample, OC_METRIC_CGROUP_EVENTS_MAX, 21);
    ck_known(&sample, OC_METRIC_CGROUP_EVENTS_OOM, 2);
    ck_known(&sample, OC_METRIC_CGROUP_EVENTS_OOM_KILL, 1);
    ck_known(&sample, OC_METRIC_CGROUP_PSI_SOME_US, 123456);
    ck_known(&sample, OC_METRIC_CGROUP_PSI_FULL_US, 4567);
    ck_known(&sample, OC_METRIC_CGROUP_LIMIT, MIB(2048));
    ck_unknown(&sample, OC_METRIC_CGROUP_HIGH); /* "max" is no number */
    ck_unknown(&sample, OC_METRIC_CGROUP_SWAP_LIMIT);
    ck_known(&sample, OC_METRIC_CGROUP_TASKS, 14);
    oc_probe_cgroup_detach(probe, cgroup);
    oc_probe_close(probe);
}
END_TEST

START_TEST(version_1_is_read_whole)
{
    oc_probe *probe = open_capture("linux-4.19-cgroup1", OC_LOOK_LADDER);
    oc_cgroup *cgroup = attach(probe, SERVICE);
    struct oc_sample sample;
    oc_proc *proc = NULL;

    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_CGROUP_CURRENT, MIB(1024));
    ck_known(&sample, OC_METRIC_CGROUP_CHARGE, MIB(1024 - (200 + 80)));
    ck_known(&sample, OC_METRIC_CGROUP_PEAK, 1200000000);
    ck_known(&sample, OC_METRIC_CGROUP_SWAP, MIB(50));
    ck_known(&sample, OC_METRIC_CGROUP_ANON, MIB(500)); /* with what lies below it: total_rss */
    ck_known(&sample, OC_METRIC_CGROUP_FILE, MIB(400));
    ck_known(&sample, OC_METRIC_CGROUP_LIMIT, MIB(1536));
    ck_known(&sample, OC_METRIC_CGROUP_EVENTS_MAX, 42);
    ck_known(&sample, OC_METRIC_CGROUP_EVENTS_OOM_KILL, 4);
    ck_unknown(&sample, OC_METRIC_CGROUP_SLAB_RECLAIMABLE);
    ck_unknown(&sample, OC_METRIC_CGROUP_PSI_SOME_US);
    cgroup = attach(probe, "/");
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_unknown(&sample, OC_METRIC_CGROUP_LIMIT); /* 2^63 less a page says "none" */
    ck_assert_int_eq(oc_probe_attach(probe, 812, &proc), OC_OK);
    ck_assert_str_eq(oc_proc_facts(proc)->cgroup, SERVICE);
    oc_probe_close(probe);
}
END_TEST

START_TEST(a_root_of_version_2_has_no_charge)
{
    oc_probe *probe = open_capture("linux-6.1-cgroup2", OC_LOOK_LADDER);
    oc_cgroup *cgroup = attach(probe, "/");
    struct oc_sample sample;

    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_unknown(&sample, OC_METRIC_CGROUP_CURRENT);
    ck_unknown(&sample, OC_METRIC_CGROUP_CHARGE);
    ck_known(&sample, OC_METRIC_CGROUP_ANON, 5000000000);
    oc_probe_close(probe);
}
END_TEST

START_TEST(paths_that_lead_elsewhere_are_refused)
{
    static const char *const paths[] = { "",           "system.slice",
                                         "/../proc",   "/system.slice/..",
                                         "/a/../../x", "/nonexistent" };
    oc_probe *probe = open_capture("linux-6.1-cgroup2", OC_LOOK_LADDER);
    oc_cgroup *cgroup = NULL;

    ck_assert_int_eq(oc_probe_cgroup_attach(probe, paths[_i], &cgroup), OC_E_NOENT);
    ck_assert_ptr_null(cgroup);
    oc_probe_close(probe);
}
END_TEST

START_TEST(ancestors_end_at_the_root)
{
    char path[64] = "/a/b.slice/c";

    ck_assert_int_eq(oc_cgroup_parent_path(path, path, sizeof path), OC_OK);
    ck_assert_str_eq(path, "/a/b.slice");
    ck_assert_int_eq(oc_cgroup_parent_path(path, path, sizeof path), OC_OK);
    ck_assert_str_eq(path, "/a");
    ck_assert_int_eq(oc_cgroup_parent_path(path, path, sizeof path), OC_OK);
    ck_assert_str_eq(path, "/");
    ck_assert_int_eq(oc_cgroup_parent_path(path, path, sizeof path), OC_E_NOENT);
    ck_assert_int_eq(oc_cgroup_parent_path("/ab/c", path, 3), OC_E_TOOBIG);
}
END_TEST

/* A tree of version 2 that a test may change. */
static struct tree service_tree(void)
{
    struct tree tree = tree_new();

    tree_write(&tree, "cgroup/cgroup.controllers", "memory\n");
    tree_write(&tree, "cgroup/s/memory.current", "1000000\n");
    tree_write(&tree, "cgroup/s/memory.max", "2000000\n");
    tree_write(&tree, "cgroup/s/memory.stat", "inactive_file 100\nactive_file 200\n");
    return tree;
}

START_TEST(memory_stat_is_read_every_ten_seconds_or_when_it_matters)
{
    struct tree tree = service_tree();
    oc_probe *probe = open_tree(tree.dir, OC_LOOK_LADDER);
    oc_cgroup *cgroup = attach(probe, "/s");
    struct oc_sample sample;

    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_CGROUP_CHARGE, 1000000 - 300);
    tree_write(&tree, "cgroup/s/memory.stat", "inactive_file 500\nactive_file 200\n");
    tree_write(&tree, "cgroup/s/memory.current", "1050000\n");
    ck_assert_int_eq(oc_probe_tick_begin(probe, 5 * SECOND_NS), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_CGROUP_CHARGE, 1050000 - 300); /* the cache of before */
    tree_write(&tree, "cgroup/s/memory.current", "1100000\n");
    ck_assert_int_eq(oc_probe_tick_begin(probe, 6 * SECOND_NS), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_CGROUP_CHARGE, 1100000 - 700); /* it moved far: read anew */
    tree_write(&tree, "cgroup/s/memory.current", "1000000\n");
    ck_assert_int_eq(oc_probe_tick_begin(probe, 17 * SECOND_NS), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_CGROUP_CHARGE, 1000000 - 700);
    tree_write(&tree, "cgroup/s/memory.current", "1800000\n");
    tree_write(&tree, "cgroup/s/memory.stat", "inactive_file 0\nactive_file 200\n");
    ck_assert_int_eq(oc_probe_tick_begin(probe, 18 * SECOND_NS), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_CGROUP_CHARGE, 1800000 - 200);
    oc_probe_close(probe);
    tree_free(&tree);
}
END_TEST

START_TEST(a_kill_by_the_oom_killer_is_told)
{
    struct tree tree = service_tree();
    oc_probe *probe = NULL;
    oc_cgroup *cgroup = NULL;
    struct oc_sample sample;
    struct oc_event event;

    tree_write(&tree, "cgroup/s/memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 2\n");
    tree_write(&tree, "cgroup/s/memory.events.local", "oom 0\noom_kill 0\n");
    probe = open_tree(tree.dir, OC_LOOK_LADDER);
    cgroup = attach(probe, "/s");
    oc_cgroup_set_tag(cgroup, 9);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0); /* that was before our time */
    tree_write(&tree, "cgroup/s/memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 3\n");
    ck_assert_int_eq(oc_probe_tick_begin(probe, 20 * SECOND_NS), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0); /* below it */
    tree_write(&tree, "cgroup/s/memory.events.local", "oom 1\noom_kill 1\n");
    ck_assert_int_eq(oc_probe_tick_begin(probe, 40 * SECOND_NS), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    event = await_event(probe, OC_EVENT_CGROUP_OOM_KILL, 9);
    ck_assert_uint_eq(oc_cgroup_tag(cgroup), 9);
    oc_probe_close(probe);
    tree_free(&tree);
}
END_TEST

/* Without kept descriptors there is nothing but a folder that is empty now. */
START_TEST(a_cgroup_that_vanishes_between_two_reads_is_gone)
{
    struct tree tree = service_tree();
    char proc[200], root[200];
    const struct oc_probe_options options = { .proc_root = proc,
                                              .cgroup_root = root,
                                              .max_descriptors = 1 };
    oc_probe *probe = NULL;
    oc_cgroup *cgroup = NULL;
    struct oc_sample sample;
    struct oc_event event;

    (void)snprintf(proc, sizeof proc, "%s/proc", tree.dir);
    (void)snprintf(root, sizeof root, "%s/cgroup", tree.dir);
    tree_write(&tree, "cgroup/s/memory.events", "oom 0\noom_kill 2\n");
    ck_assert_int_eq(oc_probe_open(&options, &probe, NULL), OC_OK);
    ck_assert_int_eq(oc_probe_tick_begin(probe, 1), OC_OK);
    cgroup = attach(probe, "/s");
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    tree_remove(&tree, "cgroup/s");
    ck_assert_int_eq(oc_probe_tick_begin(probe, _i ? 2 : 20 * SECOND_NS), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_E_GONE);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_E_GONE);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0);
    oc_probe_cgroup_detach(probe, cgroup);
    ck_assert_int_eq(oc_probe_cgroup_attach(probe, "/s", &cgroup), OC_E_NOENT);
    oc_probe_close(probe);
    tree_free(&tree);
}
END_TEST

START_TEST(files_that_say_nonsense_cost_their_figures_alone)
{
    struct tree tree = service_tree();
    oc_probe *probe = NULL;
    oc_cgroup *cgroup = NULL;
    struct oc_sample sample;

    tree_write(&tree, "cgroup/s/memory.stat", "\n\n \nactive_file\ninactive_file -1\nanon 5\nfi");
    tree_write(&tree, "cgroup/s/memory.pressure", "full\nsome total=x\n");
    tree_write(&tree, "cgroup/s/memory.events", "\x01\xff\n");
    tree_write(&tree, "cgroup/s/memory.max", "");
    probe = open_tree(tree.dir, OC_LOOK_LADDER);
    cgroup = attach(probe, "/s");
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_CGROUP_CURRENT, 1000000);
    ck_known(&sample, OC_METRIC_CGROUP_ANON, 5);
    ck_unknown(&sample, OC_METRIC_CGROUP_CHARGE);
    ck_unknown(&sample, OC_METRIC_CGROUP_LIMIT);
    ck_unknown(&sample, OC_METRIC_CGROUP_PSI_SOME_US);
    ck_unknown(&sample, OC_METRIC_CGROUP_EVENTS_OOM);
    oc_probe_close(probe);
    tree_free(&tree);
}
END_TEST

/* ---- a real cgroup, where we may make one ---- */

/* Makes one with a limit; 0 where that is not ours to do. */
static int make_live(struct live_cgroup *cgroup, const char *limit, const char *test)
{
    if (live_cgroup_make(cgroup, NULL, "cgroup") && live_cgroup_limit(cgroup, limit))
        return 1;
    live_cgroup_remove(cgroup);
    printf("SKIP %s: no cgroup with a memory limit can be made here\n", test);
    return 0;
}

START_TEST(a_live_cgroup_is_read_until_it_is_gone)
{
    struct live_cgroup live = { "", "" };
    oc_probe *probe = NULL;
    oc_cgroup *cgroup = NULL;
    struct oc_sample sample;

    if (!make_live(&live, "67108864", "a_live_cgroup_is_read_until_it_is_gone"))
        return;
    probe = open_live(OC_LOOK_LADDER);
    cgroup = attach(probe, live.path);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_CGROUP_LIMIT, MIB(64));
    ck_assert(oc_sample_has(&sample, OC_METRIC_CGROUP_CHARGE));
    live_cgroup_remove(&live);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_E_GONE);
    oc_probe_close(probe);
}
END_TEST

START_TEST(a_process_that_the_oom_killer_ends_is_told_so)
{
    struct live_cgroup live = { "", "" };
    struct fixture fixture;
    struct oc_sample sample;
    struct oc_event event;
    siginfo_t info = { 0 };
    oc_probe *probe = NULL;
    oc_proc *proc = NULL;

    if (!make_live(&live, "25165824", "a_process_that_the_oom_killer_ends_is_told_so"))
        return;
    fixture = fixture_start("wait");
    ck_assert(live_cgroup_enter(&live, fixture.pid));
    probe = open_live(OC_LOOK_LADDER);
    oc_cgroup_set_tag(attach(probe, live.path), 77);
    ck_assert_int_eq(oc_probe_attach(probe, (uint32_t)fixture.pid, &proc), OC_OK);
    ck_assert_str_eq(oc_proc_facts(proc)->cgroup, live.path);
    oc_proc_set_tag(proc, 42);
    for (int i = 0; i < 16; i++)
        (void)!write(fixture.in_fd, "grow\n", 5);
    ck_assert_int_eq(waitid(P_PID, (id_t)fixture.pid, &info, WEXITED | WNOWAIT), 0);
    if (_i) { /* the host's figures are read between the kill and its event */
        ck_assert_int_eq(oc_probe_tick_begin(probe, 20 * SECOND_NS), OC_OK);
        ck_assert_int_eq(oc_probe_host_read(probe, &sample), OC_OK);
    }
    event = await_event(probe, OC_EVENT_PROC_END, 42);
    ck_assert_int_eq(event.end, OC_END_OOM_KILLED);
    ck_assert_int_eq(event.status, SIGKILL);
    fixture_reap(&fixture);
    oc_probe_close(probe);
    live_cgroup_remove(&live);
}
END_TEST

Suite *cgroup_suite(void)
{
    Suite *suite = suite_create("cgroup");
    TCase *tcase = tcase_create("cgroup");

    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, version_2_is_read_whole);
    tcase_add_test(tcase, version_1_is_read_whole);
    tcase_add_test(tcase, a_root_of_version_2_has_no_charge);
    tcase_add_loop_test(tcase, paths_that_lead_elsewhere_are_refused, 0, 6);
    tcase_add_test(tcase, ancestors_end_at_the_root);
    tcase_add_test(tcase, memory_stat_is_read_every_ten_seconds_or_when_it_matters);
    tcase_add_test(tcase, a_kill_by_the_oom_killer_is_told);
    tcase_add_loop_test(tcase, a_cgroup_that_vanishes_between_two_reads_is_gone, 0, 2);
    tcase_add_test(tcase, files_that_say_nonsense_cost_their_figures_alone);
    tcase_add_test(tcase, a_live_cgroup_is_read_until_it_is_gone);
    tcase_add_loop_test(tcase, a_process_that_the_oom_killer_ends_is_told_so, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
