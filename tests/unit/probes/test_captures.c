/* Whole looks at other kernels: trees of tests/data. */
#include "suites.h"

#include <string.h>

#define KIB(n) ((int64_t)(n)*1024)
#define MIB(n) ((int64_t)(n)*1048576)

static struct oc_sample look_once(oc_probe *probe, uint32_t pid)
{
    struct oc_sample sample;
    oc_proc *proc = NULL;

    ck_assert_int_eq(oc_probe_attach(probe, pid, &proc), OC_OK);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_assert_uint_eq(sample.block, OC_BLOCK_PROCESS);
    oc_probe_detach(probe, proc);
    return sample;
}

START_TEST(ladder_gives_every_figure_of_a_tick)
{
    oc_probe *probe = open_capture("linux-6.1-cgroup2", OC_LOOK_LADDER);
    struct oc_sample sample = look_once(probe, 812);

    ck_known(&sample, OC_METRIC_VIRTUAL, MIB(1024));
    ck_known(&sample, OC_METRIC_RSS, MIB(200));
    ck_known(&sample, OC_METRIC_RSS_ANON, MIB(150));
    ck_known(&sample, OC_METRIC_RSS_FILE, MIB(40));
    ck_known(&sample, OC_METRIC_RSS_SHMEM, MIB(10));
    ck_known(&sample, OC_METRIC_SWAP, MIB(50));
    ck_known(&sample, OC_METRIC_PRIVATE, MIB(200));
    ck_known(&sample, OC_METRIC_COMMIT, 128033 * 4096);
    ck_known(&sample, OC_METRIC_PAGE_TABLE, MIB(1));
    ck_known(&sample, OC_METRIC_RSS_PEAK, KIB(300000));
    ck_known(&sample, OC_METRIC_THREADS, 12);
    ck_known(&sample, OC_METRIC_MINOR_FAULTS, 60000);
    ck_known(&sample, OC_METRIC_MAJOR_FAULTS, 120);
    ck_known(&sample, OC_METRIC_CPU_TIME, 20000);
    ck_unknown(&sample, OC_METRIC_PSS);
    ck_unknown(&sample, OC_METRIC_MAPPINGS);
    ck_unknown(&sample, OC_METRIC_MEMFD);
    ck_unknown(&sample, OC_METRIC_FDS);
    oc_probe_close(probe);
}
END_TEST

START_TEST(facts_are_those_of_the_process)
{
    oc_probe *probe = open_capture("linux-6.1-cgroup2", OC_LOOK_LADDER);
    const struct oc_proc_facts *facts = NULL;
    oc_proc *proc = NULL;

    ck_assert_int_eq(oc_probe_attach(probe, 812, &proc), OC_OK);
    facts = oc_proc_facts(proc);
    ck_assert_uint_eq(facts->id.pid, 812);
    ck_assert_uint_eq(facts->id.start_ticks, 4200);
    ck_assert_uint_eq(facts->id.exec_count, 0);
    ck_assert_uint_eq(facts->parent_pid, 1);
    ck_assert_int_eq(facts->uid, 33);
    ck_assert_str_eq(facts->name, "app");
    ck_assert_str_eq(facts->cgroup, "/system.slice/app.service");
    ck_assert_str_eq(facts->cmdline, "");
    ck_assert_int_eq(facts->start_unix_ms, 1700000042000);
    oc_probe_close(probe); /* lets go of what is still attached */
}
END_TEST

START_TEST(least_reads_statm_alone)
{
    oc_probe *probe = open_capture("linux-6.1-cgroup2", OC_LOOK_LEAST);
    struct oc_sample sample = look_once(probe, 812);

    ck_known(&sample, OC_METRIC_RSS, MIB(200));
    ck_known(&sample, OC_METRIC_RSS_ANON, MIB(150));
    ck_unknown(&sample, OC_METRIC_SWAP); /* the host has swap, and nobody asked status */
    ck_unknown(&sample, OC_METRIC_PRIVATE);
    ck_unknown(&sample, OC_METRIC_THREADS);
    oc_probe_close(probe);
}
END_TEST

START_TEST(swap_is_known_to_be_none_where_the_host_has_none)
{
    oc_probe *probe = open_capture("linux-4.19-cgroup1", OC_LOOK_LEAST);
    struct oc_sample sample = look_once(probe, 812);

    ck_known(&sample, OC_METRIC_SWAP, 0);
    ck_known(&sample, OC_METRIC_PRIVATE, MIB(150));
    oc_probe_close(probe);
}
END_TEST

START_TEST(basic_reads_status)
{
    oc_probe *probe = open_capture("linux-6.1-cgroup2", OC_LOOK_BASIC);
    struct oc_sample sample = look_once(probe, 812);

    ck_known(&sample, OC_METRIC_VIRTUAL, MIB(1024));
    ck_known(&sample, OC_METRIC_RSS, MIB(200));
    ck_known(&sample, OC_METRIC_PRIVATE, MIB(200));
    ck_known(&sample, OC_METRIC_COMMIT, KIB(512132));
    ck_known(&sample, OC_METRIC_THREADS, 12);
    ck_unknown(&sample, OC_METRIC_MINOR_FAULTS);
    oc_probe_close(probe);
}
END_TEST

START_TEST(pss_and_regions_read_their_files_too)
{
    oc_probe *probe = open_capture("linux-6.1-cgroup2", OC_LOOK_PSS);
    struct oc_sample sample = look_once(probe, 812);

    ck_known(&sample, OC_METRIC_RSS, MIB(200));
    ck_known(&sample, OC_METRIC_PSS, KIB(180000));
    ck_known(&sample, OC_METRIC_USS, KIB(166800));
    ck_unknown(&sample, OC_METRIC_MAPPINGS);
    oc_probe_close(probe);
    probe = open_capture("linux-6.1-cgroup2", OC_LOOK_REGIONS);
    sample = look_once(probe, 812);
    ck_known(&sample, OC_METRIC_PSS, KIB(180000));
    ck_known(&sample, OC_METRIC_MAPPINGS, 8);
    ck_known(&sample, OC_METRIC_MODULES, 2);
    ck_known(&sample, OC_METRIC_BRK_HEAP, MIB(1));
    oc_probe_close(probe);
}
END_TEST

START_TEST(what_an_old_kernel_does_not_tell_stays_unknown)
{
    oc_probe *probe = open_capture("linux-3.10-cgroup1", OC_LOOK_BASIC);
    struct oc_sample sample = look_once(probe, 812);

    ck_known(&sample, OC_METRIC_RSS, MIB(200));
    ck_known(&sample, OC_METRIC_SWAP, MIB(50));
    ck_unknown(&sample, OC_METRIC_RSS_ANON);
    ck_unknown(&sample, OC_METRIC_PRIVATE);
    ck_assert_int_eq(oc_probe_host_read(probe, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_HOST_TOTAL, KIB(16303428));
    ck_unknown(&sample, OC_METRIC_HOST_AVAILABLE);
    ck_unknown(&sample, OC_METRIC_HOST_OOM_KILLS);
    ck_unknown(&sample, OC_METRIC_HOST_PSI_SOME_US);
    oc_probe_close(probe);
}
END_TEST

START_TEST(a_kernel_thread_has_no_memory_to_know_of)
{
    static const enum oc_look looks[] = { OC_LOOK_LADDER, OC_LOOK_LEAST, OC_LOOK_BASIC, OC_LOOK_PSS,
                                          OC_LOOK_REGIONS };
    oc_probe *probe = open_capture("linux-6.1-cgroup2", looks[_i]);
    struct oc_sample sample = look_once(probe, 2);

    ck_unknown(&sample, OC_METRIC_RSS);
    ck_unknown(&sample, OC_METRIC_PRIVATE);
    ck_unknown(&sample, OC_METRIC_PSS);
    if (looks[_i] == OC_LOOK_LADDER) {
        ck_known(&sample, OC_METRIC_CPU_TIME, 70);
        ck_known(&sample, OC_METRIC_THREADS, 1);
    }
    oc_probe_close(probe);
}
END_TEST

START_TEST(a_zombie_is_gone)
{
    static const enum oc_look looks[] = { OC_LOOK_LADDER, OC_LOOK_LEAST, OC_LOOK_BASIC };
    oc_probe *probe = open_capture("linux-6.1-cgroup2", looks[_i]);
    struct oc_sample sample;
    struct oc_event event;
    oc_proc *proc = NULL;

    ck_assert_int_eq(oc_probe_attach(probe, 900, &proc), OC_OK);
    oc_proc_set_tag(proc, 5);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    ck_assert_int_eq(event.kind, OC_EVENT_PROC_END);
    ck_assert_uint_eq(event.tag, 5);
    ck_assert_int_eq(event.end, OC_END_EXITED);
    ck_assert_int_eq(event.status, 3);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 0);
    oc_probe_close(probe);
}
END_TEST

START_TEST(host_figures_are_read)
{
    oc_probe *probe = open_capture("linux-6.1-cgroup2", OC_LOOK_LADDER);
    struct oc_sample sample;

    ck_assert_int_eq(oc_probe_host_read(probe, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_HOST_TOTAL, KIB(16303428));
    ck_known(&sample, OC_METRIC_HOST_AVAILABLE, KIB(8389356));
    ck_known(&sample, OC_METRIC_HOST_FREE, KIB(824052));
    ck_known(&sample, OC_METRIC_HOST_SWAP_TOTAL, KIB(2097148));
    ck_known(&sample, OC_METRIC_HOST_SWAP_FREE, KIB(1048574));
    ck_known(&sample, OC_METRIC_HOST_COMMIT, KIB(9065548));
    ck_known(&sample, OC_METRIC_HOST_COMMIT_LIMIT, KIB(12342040));
    ck_known(&sample, OC_METRIC_HOST_SHMEM, KIB(108872));
    ck_known(&sample, OC_METRIC_HOST_SLAB_UNRECLAIMABLE, KIB(122504));
    ck_known(&sample, OC_METRIC_HOST_PAGE_TABLES, KIB(41836));
    ck_known(&sample, OC_METRIC_HOST_PSI_SOME_US, 123456);
    ck_known(&sample, OC_METRIC_HOST_PSI_FULL_US, 4567);
    ck_known(&sample, OC_METRIC_HOST_OOM_KILLS, 3);
    ck_unknown(&sample, OC_METRIC_HOST_PROCESSES); /* not before a scan */
    oc_probe_close(probe);
}
END_TEST

START_TEST(a_capture_of_a_real_kernel_is_read_whole)
{
    oc_probe *probe = open_capture("linux-6.18-hybrid", OC_LOOK_LADDER);
    struct oc_sample sample = look_once(probe, 1054);
    oc_cgroup *cgroup = NULL;

    ck_known(&sample, OC_METRIC_VIRTUAL, 1251 * 4096);
    ck_known(&sample, OC_METRIC_RSS, 593 * 4096);
    ck_known(&sample, OC_METRIC_RSS_ANON, (593 - 373) * 4096);
    ck_known(&sample, OC_METRIC_THREADS, 1);
    ck_known(&sample, OC_METRIC_MINOR_FAULTS, 328);
    ck_assert_int_eq(oc_probe_cgroup_attach(probe, "/app", &cgroup), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_assert(oc_sample_has(&sample, OC_METRIC_CGROUP_CHARGE));
    ck_unknown(&sample, OC_METRIC_CGROUP_LIMIT);
    oc_probe_close(probe);
}
END_TEST

START_TEST(a_root_that_is_not_there_is_an_error)
{
    const struct oc_probe_options options = { .proc_root = "/nonexistent/proc" };
    struct oc_detail detail = { 0 };
    oc_probe *probe = NULL;

    ck_assert_int_eq(oc_probe_open(&options, &probe, &detail), OC_E_NOENT);
    ck_assert_ptr_null(probe);
    ck_assert_ptr_nonnull(strstr(detail.text, "/nonexistent/proc"));
}
END_TEST

Suite *captures_suite(void)
{
    Suite *suite = suite_create("captures");
    TCase *tcase = tcase_create("captures");

    tcase_add_test(tcase, ladder_gives_every_figure_of_a_tick);
    tcase_add_test(tcase, facts_are_those_of_the_process);
    tcase_add_test(tcase, least_reads_statm_alone);
    tcase_add_test(tcase, swap_is_known_to_be_none_where_the_host_has_none);
    tcase_add_test(tcase, basic_reads_status);
    tcase_add_test(tcase, pss_and_regions_read_their_files_too);
    tcase_add_test(tcase, what_an_old_kernel_does_not_tell_stays_unknown);
    tcase_add_loop_test(tcase, a_kernel_thread_has_no_memory_to_know_of, 0, 5);
    tcase_add_loop_test(tcase, a_zombie_is_gone, 0, 3);
    tcase_add_test(tcase, host_figures_are_read);
    tcase_add_test(tcase, a_capture_of_a_real_kernel_is_read_whole);
    tcase_add_test(tcase, a_root_that_is_not_there_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}
