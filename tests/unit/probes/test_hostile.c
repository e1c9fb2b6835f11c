/* Files that are cut, odd or gone at any moment; no descriptor left; no memory left. */
#include "suites.h"

#include "base/alloc.h"
#include "base/os.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char *const files[] = { "proc/70/statm", "proc/70/stat", "proc/70/status",
                                     "proc/70/cgroup" };
#define FILE_COUNT 4

static int acceptable(int rc)
{
    return rc == OC_OK || rc == OC_READ_SAME || rc == OC_E_GONE || rc == OC_E_IO;
}

static void use(oc_probe *probe)
{
    struct oc_sample sample;
    oc_proc *proc = NULL;
    int rc = oc_probe_attach(probe, 70, &proc);

    ck_assert(acceptable(rc));
    if (rc != OC_OK)
        return;
    ck_assert_ptr_nonnull(oc_proc_facts(proc)->name);
    for (int i = 0; i < 3; i++)
        ck_assert(acceptable(oc_probe_read(probe, proc, &sample)));
    oc_probe_detach(probe, proc);
}

static void ignore(const struct oc_seen *seen, void *context)
{
    (void)seen;
    (void)context;
}

START_TEST(files_cut_anywhere_never_harm)
{
    struct tree tree = tree_new();
    char path[512], *text = NULL;
    size_t bytes = 0;

    tree_process(&tree, 70, "x", 1000);
    (void)snprintf(path, sizeof path, "%s/%s", tree.dir, files[_i]);
    ck_assert_int_eq(oc_file_read(path, 4096, &text, &bytes), OC_OK);
    for (size_t cut = 0; cut < bytes; cut += 1 + bytes / 40) {
        tree_write_bytes(&tree, files[_i], text, cut);
        for (int look = 0; look < OC_LOOK_COUNT; look++) {
            oc_probe *probe = open_tree(tree.dir, (enum oc_look)look);

            use(probe);
            ck_assert_int_ge(oc_probe_scan(probe, ignore, NULL), 0);
            oc_probe_close(probe);
        }
    }
    oc_free(text);
    tree_free(&tree);
}
END_TEST

/* As when it ends between two reads: file after file is no more. */
START_TEST(a_process_may_end_between_any_two_reads)
{
    for (unsigned gone = 0; gone < 1u << FILE_COUNT; gone++) {
        struct tree tree = tree_new();
        oc_probe *probe = NULL;
        oc_proc *proc = NULL;
        struct oc_sample sample;

        tree_process(&tree, 70, "x", 1000);
        probe = open_tree(tree.dir, (enum oc_look)_i);
        ck_assert_int_eq(oc_probe_attach(probe, 70, &proc), OC_OK);
        for (unsigned file = 0; file < FILE_COUNT; file++) {
            if (gone >> file & 1)
                tree_remove(&tree, files[file]);
        }
        ck_assert(acceptable(oc_probe_read(probe, proc, &sample)));
        use(probe);
        oc_probe_close(probe);
        tree_free(&tree);
    }
}
END_TEST

START_TEST(bytes_that_are_no_text_never_harm)
{
    struct tree tree = tree_new();
    oc_probe *probe = NULL;
    char noise[300];

    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 167 + 13);
    tree_process(&tree, 70, "x", 1000);
    tree_write_bytes(&tree, files[_i], noise, sizeof noise);
    probe = open_tree(tree.dir, OC_LOOK_LADDER);
    use(probe);
    oc_probe_close(probe);
    tree_free(&tree);
}
END_TEST

START_TEST(one_spare_descriptor_keeps_the_looks_going)
{
    struct fixture fixture = fixture_start("wait");
    struct rlimit before, tight;
    oc_probe *probe = NULL;
    oc_proc *proc = NULL;
    struct oc_sample sample;
    int full = dup(0);

    close(full);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    probe = open_live(OC_LOOK_LADDER);
    ck_assert_int_eq(oc_probe_attach(probe, (uint32_t)fixture.pid, &proc), OC_OK);
    full = dup(0);
    close(full);
    tight = before;
    tight.rlim_cur = (rlim_t)full; /* no number below it is free */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
    ck_assert_int_eq(dup(0), -1);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_assert(oc_sample_has(&sample, OC_METRIC_RSS));
    ck_assert(oc_sample_has(&sample, OC_METRIC_THREADS));
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    oc_probe_close(probe);
    fixture_end(&fixture);
}
END_TEST

/* Everything from opening to closing, with each allocation failing in turn. */
static int whole_use(const char *dir)
{
    char proc_root[300], cgroup_root[300];
    const struct oc_probe_options options = { .proc_root = proc_root, .cgroup_root = cgroup_root };
    const struct oc_walk_request request = { .pid = 70,
                                             .want =
                                                 OC_WALK_FACTS | OC_WALK_COUNTS | OC_WALK_PAGES };
    static struct oc_walk walk;
    struct oc_sample sample;
    oc_probe *probe = NULL;
    oc_proc *proc = NULL;
    oc_cgroup *cgroup = NULL;
    int rc = OC_OK;

    (void)snprintf(proc_root, sizeof proc_root, "%s/proc", dir);
    (void)snprintf(cgroup_root, sizeof cgroup_root, "%s/cgroup", dir);
    rc = oc_probe_open(&options, &probe, NULL);
    if (rc != OC_OK)
        return rc;
    rc = oc_probe_scan(probe, ignore, NULL);
    if (rc >= 0)
        rc = oc_probe_attach(probe, 70, &proc);
    if (rc == OC_OK)
        rc = oc_probe_read(probe, proc, &sample);
    if (rc == OC_OK)
        rc = oc_probe_cgroup_attach(probe, "/a", &cgroup);
    if (rc == OC_OK)
        rc = oc_probe_walk(&options, &request, &walk);
    if (rc == OC_OK) {
        oc_probe_adopt(probe, proc, &walk);
        oc_walk_clear(&walk);
    }
    oc_probe_close(probe);
    return rc;
}

START_TEST(every_allocation_may_fail)
{
    struct tree tree = tree_new();
    int64_t live = 0;
    uint64_t nth = 0;
    int rc = OC_E_NOMEM;

    tree_process(&tree, 70, "x", 1000);
    tree_write(&tree, "cgroup/cgroup.controllers", "memory\n");
    tree_write(&tree, "cgroup/a/memory.current", "5\n");
    live = oc_alloc_live();
    for (nth = 1; nth < 100; nth++) {
        oc_alloc_fail_at(nth, 0);
        rc = whole_use(tree.dir);
        ck_assert(rc == OC_OK || rc == OC_E_NOMEM);
        ck_assert_int_eq(oc_alloc_live(), live);
        if (rc == OC_OK && oc_alloc_count() < nth)
            break;
    }
    oc_alloc_fail_at(0, 0);
    ck_assert_int_eq(rc, OC_OK);
    ck_assert_uint_gt(nth, 5);
    tree_free(&tree);
}
END_TEST

START_TEST(looks_allocate_nothing)
{
    oc_probe *probe = open_live((enum oc_look)_i);
    oc_proc *proc = NULL;
    struct oc_sample sample;
    uint64_t before = 0;

    ck_assert_int_eq(oc_probe_attach(probe, (uint32_t)getpid(), &proc), OC_OK);
    before = oc_alloc_count();
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(oc_probe_tick_begin(probe, i * INT64_C(1000000000)), OC_OK);
        ck_assert_int_ge(oc_probe_read(probe, proc, &sample), 0);
        ck_assert_int_eq(oc_probe_host_read(probe, &sample), OC_OK);
    }
    ck_assert_uint_eq(oc_alloc_count(), before);
    oc_probe_close(probe);
}
END_TEST

Suite *hostile_suite(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tcase = tcase_create("hostile");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, files_cut_anywhere_never_harm, 0, FILE_COUNT);
    tcase_add_loop_test(tcase, a_process_may_end_between_any_two_reads, 0, OC_LOOK_COUNT);
    tcase_add_loop_test(tcase, bytes_that_are_no_text_never_harm, 0, FILE_COUNT);
    tcase_add_test(tcase, one_spare_descriptor_keeps_the_looks_going);
    tcase_add_test(tcase, every_allocation_may_fail);
    tcase_add_loop_test(tcase, looks_allocate_nothing, 0, OC_LOOK_COUNT);
    suite_add_tcase(suite, tcase);
    return suite;
}
