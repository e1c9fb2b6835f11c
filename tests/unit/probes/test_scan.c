/* Discovery. */
#include "suites.h"

#include "base/os.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct found {
    uint32_t pid;
    int times, count;
    struct oc_seen seen;
};

static void note(const struct oc_seen *seen, void *context)
{
    struct found *found = context;

    found->count++;
    if (seen->pid != found->pid)
        return;
    found->times++;
    found->seen = *seen;
}

static struct found scan_for(oc_probe *probe, uint32_t pid)
{
    struct found found = { .pid = pid };
    int rc = oc_probe_scan(probe, note, &found);

    ck_assert_int_ge(rc, 0);
    ck_assert_int_eq(rc, found.count);
    return found;
}

START_TEST(each_process_is_seen_once_and_new_once)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_live(OC_LOOK_LADDER);
    struct found found = scan_for(probe, (uint32_t)fixture.pid);

    ck_assert_int_eq(found.times, 1);
    ck_assert_uint_eq(found.seen.flags, OC_SEEN_NEW);
    ck_assert_str_eq(found.seen.name, "proc_fixture");
    ck_assert_uint_gt(found.seen.rss_bytes, 4096);
    ck_assert_uint_gt(found.seen.start_ticks, 0);
    found = scan_for(probe, (uint32_t)fixture.pid);
    ck_assert_int_eq(found.times, 1);
    ck_assert_uint_eq(found.seen.flags & OC_SEEN_NEW, 0);
    fixture_end(&fixture);
    ck_assert_int_eq(scan_for(probe, (uint32_t)fixture.pid).times, 0);
    oc_probe_close(probe);
}
END_TEST

START_TEST(the_size_of_one_that_is_looked_at_is_that_of_its_last_look)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_live(OC_LOOK_LADDER);
    oc_proc *proc = NULL;
    struct oc_sample sample;

    (void)scan_for(probe, (uint32_t)fixture.pid);
    ck_assert_int_eq(oc_probe_attach(probe, (uint32_t)fixture.pid, &proc), OC_OK);
    fixture_tell(&fixture, "grow\n");
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_assert_int_eq((int64_t)scan_for(probe, (uint32_t)fixture.pid).seen.rss_bytes,
                     oc_sample_get(&sample, OC_METRIC_RSS));
    oc_probe_close(probe);
    fixture_end(&fixture);
}
END_TEST

START_TEST(threads_of_the_kernel_and_zombies_are_marked)
{
    oc_probe *probe = open_capture("linux-6.1-cgroup2", OC_LOOK_LADDER);
    struct found found = scan_for(probe, 2);
    struct oc_sample host;

    ck_assert_int_eq(found.count, 4);
    ck_assert_uint_eq(found.seen.flags, OC_SEEN_KERNEL_THREAD | OC_SEEN_NEW);
    ck_assert_uint_eq(found.seen.rss_bytes, 0);
    ck_assert_uint_eq(scan_for(probe, 900).seen.flags, OC_SEEN_ZOMBIE);
    ck_assert_str_eq(scan_for(probe, 813).seen.name, "a) R 5 (x\ny");
    ck_assert_int_eq(oc_probe_host_read(probe, &host), OC_OK);
    ck_known(&host, OC_METRIC_HOST_PROCESSES, 4);
    oc_probe_close(probe);
}
END_TEST

START_TEST(a_reused_pid_is_new)
{
    struct tree tree = tree_new();
    oc_probe *probe = NULL;

    tree_process(&tree, 70, "first", 1000);
    tree_process(&tree, 71, "other", 1000);
    probe = open_tree(tree.dir, OC_LOOK_LADDER);
    (void)scan_for(probe, 70);
    ck_assert_uint_eq(scan_for(probe, 70).seen.flags, 0);
    tree_remove(&tree, "proc/70");
    tree_process(&tree, 70, "second", 2000);
    ck_assert_uint_eq(scan_for(probe, 70).seen.flags, OC_SEEN_NEW);
    ck_assert_uint_eq(scan_for(probe, 70).seen.start_ticks, 2000);
    ck_assert_uint_eq(scan_for(probe, 71).seen.flags, 0);
    oc_probe_close(probe);
    tree_free(&tree);
}
END_TEST

/* Of many known ones a slice is read again each time: all of them in the end. */
START_TEST(known_ones_are_read_again_in_turn)
{
    struct tree tree = tree_new();
    oc_probe *probe = NULL;
    char path[64];
    int scans = 0;

    for (unsigned pid = 100; pid < 200; pid++)
        tree_process(&tree, pid, "some", 1000);
    probe = open_tree(tree.dir, OC_LOOK_LADDER);
    (void)scan_for(probe, 199);
    tree_process(&tree, 199, "renamed", 1000); /* in the same folder */
    (void)snprintf(path, sizeof path, "proc/%d/stat", 199);
    while (strcmp(scan_for(probe, 199).seen.name, "renamed") != 0)
        ck_assert_int_lt(++scans, 20);
    ck_assert_int_gt(scans, 1);
    oc_probe_close(probe);
    tree_free(&tree);
}
END_TEST

static void count_seen(const struct oc_seen *seen, void *context)
{
    (void)seen;
    ++*(int *)context;
}

START_TEST(the_number_of_processes_is_known_without_a_scan)
{
    oc_probe *probe = open_live(OC_LOOK_LADDER);
    struct oc_sample sample;
    int64_t before = 0;
    int seen = 0;

    ck_assert_int_eq(oc_probe_host_read(probe, &sample), OC_OK);
    ck_assert(oc_sample_has(&sample, OC_METRIC_HOST_PROCESSES));
    before = oc_sample_get(&sample, OC_METRIC_HOST_PROCESSES);
    ck_assert_int_gt(oc_probe_scan(probe, count_seen, &seen), 0);
    /* others come and go meanwhile, and in a PID namespace the machine has more of them */
    ck_assert_int_ge(before, seen - seen / 4 - 8);
    oc_probe_close(probe);
}
END_TEST

#define MANY 100000
#define DEADLINE_NS INT64_C(20000000000)

/* Links to a few folders: each a process of its own, and made in a second. */
static struct tree crowd(void)
{
    struct tree tree = tree_new();
    char path[200], target[16];

    for (unsigned pid = 1; pid <= 4; pid++)
        tree_process(&tree, pid, pid == 1 ? "init" : "worker", 1000 + pid);
    for (unsigned pid = 5; pid <= MANY; pid++) {
        (void)snprintf(path, sizeof path, "%s/proc/%u", tree.dir, pid);
        (void)snprintf(target, sizeof target, "%u", pid % 4 + 1);
        ck_assert_int_eq(symlink(target, path), 0);
    }
    return tree;
}

static int64_t timed_scan(oc_probe *probe, int expected)
{
    int64_t from_ns = oc_clock_mono_ns();
    int seen = 0;

    ck_assert_int_eq(oc_probe_scan(probe, count_seen, &seen), expected);
    ck_assert_int_eq(seen, expected);
    return oc_clock_mono_ns() - from_ns;
}

START_TEST(a_hundred_thousand_processes_are_scanned)
{
    struct tree tree = crowd();
    oc_probe *probe = open_tree(tree.dir, OC_LOOK_LADDER);
    int64_t first_ns = timed_scan(probe, MANY), again_ns = timed_scan(probe, MANY);
    char path[32];
    struct found found;

    for (unsigned pid = MANY - 9; pid <= MANY; pid++) {
        (void)snprintf(path, sizeof path, "proc/%u", pid);
        tree_remove(&tree, path);
    }
    (void)timed_scan(probe, MANY - 10);
    found = scan_for(probe, MANY - 10);
    ck_assert_int_eq(found.times, 1);
    ck_assert_uint_eq(found.seen.flags & OC_SEEN_NEW, 0);
    ck_assert_int_lt(first_ns, DEADLINE_NS);
    ck_assert_int_lt(again_ns, DEADLINE_NS / 4); /* known ones are not all read again */
    printf("%d processes: first scan %d ms, again %d ms\n", MANY, (int)(first_ns / 1000000),
           (int)(again_ns / 1000000));
    oc_probe_close(probe);
    tree_free(&tree);
}
END_TEST

Suite *scan_suite(void)
{
    Suite *suite = suite_create("scan");
    TCase *tcase = tcase_create("scan");

    tcase_add_test(tcase, the_number_of_processes_is_known_without_a_scan);
    tcase_add_test(tcase, each_process_is_seen_once_and_new_once);
    tcase_add_test(tcase, the_size_of_one_that_is_looked_at_is_that_of_its_last_look);
    tcase_add_test(tcase, threads_of_the_kernel_and_zombies_are_marked);
    tcase_add_test(tcase, a_reused_pid_is_new);
    tcase_add_test(tcase, known_ones_are_read_again_in_turn);
    tcase_add_test(tcase, a_hundred_thousand_processes_are_scanned);
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    return suite;
}
