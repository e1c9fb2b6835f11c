/* The scripted probe keeps the contract of the real ones. */
#include "suites.h"

#include "probes/fake/fake.h"

static int grow(uint32_t pid, int64_t now_mono_ns, struct oc_sample *sample, void *context)
{
    (void)pid;
    (void)context;
    oc_sample_set(sample, OC_METRIC_PRIVATE, now_mono_ns / 1000);
    return OC_OK;
}

static void count(const struct oc_seen *seen, void *context)
{
    (void)seen;
    ++*(int *)context;
}

START_TEST(a_scripted_life_from_start_to_end)
{
    const struct oc_proc_facts facts = { .id = { 7, 0, 100 }, .name = "app" };
    struct oc_sample sample;
    struct oc_event event;
    oc_probe *probe = NULL;
    oc_proc *proc = NULL;
    int seen = 0;

    ck_assert_int_eq(oc_fake_open(&probe), OC_OK);
    ck_assert_int_eq(oc_fake_start(probe, &facts), OC_OK);
    ck_assert_int_eq(oc_fake_start(probe, &facts), OC_E_EXISTS);
    ck_assert_int_eq(oc_probe_scan(probe, count, &seen), 1);
    ck_assert_int_eq(seen, 1);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    ck_assert_int_eq(event.kind, OC_EVENT_PROC_START);
    oc_fake_set(probe, 7, OC_METRIC_RSS, 4096);
    ck_assert_int_eq(oc_probe_attach(probe, 7, &proc), OC_OK);
    oc_proc_set_tag(proc, 3);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_RSS, 4096);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_READ_SAME);
    oc_fake_set_fill(probe, grow, NULL);
    ck_assert_int_eq(oc_probe_tick_begin(probe, 5000), OC_OK);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_PRIVATE, 5);
    oc_fake_exec(probe, 7, "other");
    ck_assert_str_eq(oc_proc_facts(proc)->name, "other");
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    ck_assert_int_eq(event.kind, OC_EVENT_PROC_EXEC);
    oc_fake_end(probe, 7, OC_END_EXITED, 1);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    ck_assert_int_eq(event.kind, OC_EVENT_PROC_END);
    ck_assert_uint_eq(event.tag, 3);
    oc_probe_detach(probe, proc);
    ck_assert_int_eq(oc_probe_attach(probe, 7, &proc), OC_E_GONE);
    oc_probe_close(probe);
}
END_TEST

START_TEST(scripted_cgroups_and_host)
{
    struct oc_sample sample;
    struct oc_event event;
    oc_probe *probe = NULL;
    oc_cgroup *cgroup = NULL;

    ck_assert_int_eq(oc_fake_open(&probe), OC_OK);
    ck_assert_int_eq(oc_fake_cgroup(probe, "/a", 11), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_attach(probe, "/b", &cgroup), OC_E_NOENT);
    ck_assert_int_eq(oc_probe_cgroup_attach(probe, "/a", &cgroup), OC_OK);
    ck_assert_uint_eq(oc_cgroup_inode(cgroup), 11);
    oc_cgroup_set_tag(cgroup, 4);
    oc_fake_cgroup_set(probe, "/a", OC_METRIC_CGROUP_CURRENT, 9);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_CGROUP_CURRENT, 9);
    oc_fake_host_set(probe, OC_METRIC_HOST_TOTAL, 8);
    ck_assert_int_eq(oc_probe_host_read(probe, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_HOST_TOTAL, 8);
    oc_fake_cgroup_end(probe, "/a");
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_E_GONE);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    ck_assert_int_eq(event.kind, OC_EVENT_CGROUP_GONE);
    ck_assert_uint_eq(event.tag, 4);
    oc_fake_lose_events(probe);
    ck_assert_int_eq(oc_probe_next_event(probe, &event), 1);
    ck_assert_int_eq(event.kind, OC_EVENT_RESCAN);
    oc_probe_close(probe);
}
END_TEST

Suite *fake_suite(void)
{
    Suite *suite = suite_create("fake");
    TCase *tcase = tcase_create("fake");

    tcase_add_test(tcase, a_scripted_life_from_start_to_end);
    tcase_add_test(tcase, scripted_cgroups_and_host);
    suite_add_tcase(suite, tcase);
    return suite;
}
