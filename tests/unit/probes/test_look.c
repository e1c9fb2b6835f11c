/* Looks at real processes of this machine. */
#include "suites.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static oc_proc *attach(oc_probe *probe, pid_t pid, uint64_t tag)
{
    oc_proc *proc = NULL;

    ck_assert_int_eq(oc_probe_attach(probe, (uint32_t)pid, &proc), OC_OK);
    oc_proc_set_tag(proc, tag);
    ck_assert_uint_eq(oc_proc_tag(proc), tag);
    return proc;
}

START_TEST(what_has_not_run_is_not_read)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_live(OC_LOOK_LADDER);
    oc_proc *proc = attach(probe, fixture.pid, 1);
    struct oc_sample sample, untouched = { 0 };
    int looks = 0, whole = 0;

    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    for (; looks < 240; looks++)
        whole += oc_probe_read(probe, proc, &untouched) == OC_OK;
    ck_assert_int_le(whole, 4); /* every 60th at most, and only if something shows */
    if (whole == 0)
        ck_assert_uint_eq(untouched.known, 0);
    oc_probe_close(probe);
    fixture_end(&fixture);
}
END_TEST

START_TEST(growth_is_seen_at_the_next_look)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_live(OC_LOOK_LADDER);
    oc_proc *proc = attach(probe, fixture.pid, 1);
    struct oc_sample before, after;

    ck_assert_int_eq(oc_probe_read(probe, proc, &before), OC_OK);
    fixture_tell(&fixture, "grow\n");
    ck_assert_int_eq(oc_probe_read(probe, proc, &after), OC_OK);
    ck_assert_int_ge(oc_sample_get(&after, OC_METRIC_RSS_ANON) -
                         oc_sample_get(&before, OC_METRIC_RSS_ANON),
                     3 << 20);
    ck_assert_int_ge(oc_sample_get(&after, OC_METRIC_MINOR_FAULTS) -
                         oc_sample_get(&before, OC_METRIC_MINOR_FAULTS),
                     1);
    ck_assert_int_ge(oc_sample_get(&after, OC_METRIC_RSS_PEAK),
                     oc_sample_get(&after, OC_METRIC_RSS) - (1 << 20));
    ck_assert_int_eq(oc_sample_get(&after, OC_METRIC_THREADS), 1);
    oc_probe_close(probe);
    fixture_end(&fixture);
}
END_TEST

START_TEST(cpu_time_is_counted)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_live(OC_LOOK_LADDER);
    oc_proc *proc = attach(probe, fixture.pid, 1);
    struct oc_sample sample;

    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    fixture_tell(&fixture, "spin\n");
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_assert_int_ge(oc_sample_get(&sample, OC_METRIC_CPU_TIME), 15);
    oc_probe_close(probe);
    fixture_end(&fixture);
}
END_TEST

START_TEST(every_pinned_look_reads_a_real_process_each_time)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_live((enum oc_look)_i);
    oc_proc *proc = attach(probe, fixture.pid, 1);
    struct oc_sample sample;

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
        ck_assert_int_gt(oc_sample_get(&sample, OC_METRIC_RSS), 4096);
        ck_assert_int_gt(oc_sample_get(&sample, OC_METRIC_VIRTUAL), 4096);
    }
    ck_assert_int_eq(oc_sample_has(&sample, OC_METRIC_PSS) != 0, _i >= OC_LOOK_PSS);
    ck_assert_int_eq(oc_sample_has(&sample, OC_METRIC_MAPPINGS) != 0, _i == OC_LOOK_REGIONS);
    oc_probe_close(probe);
    fixture_end(&fixture);
}
END_TEST

START_TEST(regions_follow_an_exec)
{
    struct fixture fixture = fixture_start("wait");
    oc_probe *probe = open_live(OC_LOOK_REGIONS);
    oc_proc *proc = attach(probe, fixture.pid, 1);
    struct oc_sample sample;

    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    fixture_tell(&fixture, "exec\n"); /* the kept maps are of the memory that went */
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_assert_int_gt(oc_sample_get(&sample, OC_METRIC_MAPPINGS), 5);
    ck_assert_int_gt(oc_sample_get(&sample, OC_METRIC_PSS), 4096);
    oc_probe_close(probe);
    fixture_end(&fixture);
}
END_TEST

START_TEST(a_leader_that_ended_before_its_threads_is_not_gone)
{
    static const enum oc_look looks[] = { OC_LOOK_LADDER, OC_LOOK_LEAST, OC_LOOK_BASIC,
                                          OC_LOOK_REGIONS };
    struct fixture fixture = fixture_start("leaderless");
    oc_probe *probe = open_live(looks[_i]);
    oc_proc *proc = attach(probe, fixture.pid, 1);
    struct oc_sample sample;

    fixture_tell(&fixture, "spin\n"); /* by now the leader has ended */
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_assert_int_gt(oc_sample_get(&sample, OC_METRIC_RSS), 4 << 20);
    fixture_tell(&fixture, "grow\n");
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_assert_int_gt(oc_sample_get(&sample, OC_METRIC_RSS), 8 << 20);
    fixture_end(&fixture);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
    oc_probe_close(probe);
}
END_TEST

START_TEST(few_descriptors_are_kept_where_few_are_allowed)
{
    const struct oc_probe_options options = { .max_descriptors = 8, .no_connector = 1 };
    struct fixture fixtures[4];
    oc_proc *procs[4];
    oc_probe *probe = NULL;
    struct oc_sample sample;
    int before = open_descriptors();

    ck_assert_int_eq(oc_probe_open(&options, &probe, NULL), OC_OK);
    ck_assert_int_eq(oc_probe_tick_begin(probe, 1), OC_OK);
    for (int i = 0; i < 4; i++)
        fixtures[i] = fixture_start("wait");
    before += 2 * 4; /* the pipes of those */
    for (int i = 0; i < 4; i++)
        procs[i] = attach(probe, fixtures[i].pid, (uint64_t)i);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) {
            fixture_tell(&fixtures[i], "spin\n");
            ck_assert_int_eq(oc_probe_read(probe, procs[i], &sample), OC_OK);
            ck_assert(oc_sample_has(&sample, OC_METRIC_RSS));
            ck_assert(oc_sample_has(&sample, OC_METRIC_THREADS));
        }
    }
    ck_assert_int_le(open_descriptors() - before, 8 + 2); /* the proc root, the spare one */
    oc_probe_close(probe);
    for (int i = 0; i < 4; i++)
        fixture_end(&fixtures[i]);
}
END_TEST

START_TEST(closing_gives_all_descriptors_back)
{
    struct fixture fixture = fixture_start("wait");
    struct oc_sample sample;
    int before = open_descriptors();
    oc_probe *probe = NULL;

    probe = open_live(OC_LOOK_REGIONS);
    (void)oc_probe_read(probe, attach(probe, fixture.pid, 1), &sample);
    (void)oc_probe_read(probe, attach(probe, getpid(), 2), &sample);
    oc_probe_close(probe);
    ck_assert_int_eq(open_descriptors(), before);
    fixture_end(&fixture);
}
END_TEST

/* Beyond 1000 statm alone stays open; the 11 are a reserve for the daemon's own. */
START_TEST(with_very_many_processes_one_descriptor_each_is_kept)
{
    enum { MANY = 1100 };
    const struct oc_probe_options options = { .max_descriptors = 100000, .no_connector = 1 };
    struct rlimit before, wide;
    struct oc_sample sample;
    oc_probe *probe = NULL;
    oc_proc *procs[MANY];
    int open_before = open_descriptors(), at_1000 = 0;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    wide = before;
    wide.rlim_cur = before.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &wide), 0);
    if (wide.rlim_cur < 4096) {
        printf("SKIP with_very_many_processes_one_descriptor_each_is_kept: few are allowed\n");
        return;
    }
    ck_assert_int_eq(oc_probe_open(&options, &probe, NULL), OC_OK);
    ck_assert_int_eq(oc_probe_tick_begin(probe, 1), OC_OK);
    for (int i = 0; i < MANY; i++) {
        procs[i] = attach(probe, getpid(), (uint64_t)i);
        ck_assert_int_eq(oc_probe_read(probe, procs[i], &sample), OC_OK);
        if (i == 999)
            at_1000 = open_descriptors();
    }
    ck_assert_int_ge(at_1000 - open_before, 2000); /* pidfds too */
    ck_assert_int_le(open_descriptors() - open_before, MANY + 16);
    ck_assert_int_eq(oc_probe_read(probe, procs[0], &sample) < 0, 0);
    for (int i = 900; i < MANY; i++)
        oc_probe_detach(probe, procs[i]);
    ck_assert_int_le(open_descriptors() - open_before, 900 + 16);
    for (int i = 0; i < 900; i++) /* few again: each gets its own back at its next look */
        ck_assert_int_ge(oc_probe_read(probe, procs[i], &sample), 0);
    ck_assert_int_ge(open_descriptors() - open_before, 1800);
    oc_probe_close(probe);
    ck_assert_int_eq(open_descriptors(), open_before);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

/* One that was thinned out and ended meanwhile: the next look finds it, and its end is told. */
START_TEST(one_that_ended_while_there_were_too_many_is_found_gone)
{
    enum { MANY = 1020 };
    const struct oc_probe_options options = { .max_descriptors = 100000, .no_connector = 1 };
    struct fixture fixture = fixture_start("wait");
    struct oc_sample sample;
    oc_probe *probe = NULL;
    oc_proc *proc = NULL, *procs[MANY];

    ck_assert_int_eq(oc_probe_open(&options, &probe, NULL), OC_OK);
    ck_assert_int_eq(oc_probe_tick_begin(probe, 1), OC_OK);
    proc = attach(probe, fixture.pid, 7);
    for (int i = 0; i < MANY; i++)
        procs[i] = attach(probe, getpid(), 0);
    (void)fixture_end(&fixture);
    for (int i = 0; i < MANY; i++)
        oc_probe_detach(probe, procs[i]);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_E_GONE);
    (void)await_event(probe, OC_EVENT_PROC_END, 7);
    oc_probe_close(probe);
}
END_TEST

static void note_denied(const struct oc_ability *ability, void *context)
{
    if (strcmp(ability->figure, "pss_bytes") != 0)
        return;
    ck_assert_int_eq(ability->rc, OC_E_DENIED);
    ck_assert_ptr_nonnull(strstr(ability->mend, "CAP_SYS_PTRACE"));
    *(int *)context = 1;
}

/* Figure by figure, never as a whole. */
START_TEST(of_another_users_process_what_can_be_seen_is_seen)
{
    struct fixture fixture;
    struct oc_sample sample;
    oc_probe *probe = NULL;
    oc_proc *proc = NULL;
    int told = 0;

    if (geteuid() != 0) {
        printf("SKIP of_another_users_process_what_can_be_seen_is_seen: not root\n");
        return;
    }
    fixture = fixture_start("wait");
    ck_assert_int_eq(seteuid(65534), 0);
    probe = open_live(OC_LOOK_REGIONS);
    proc = attach(probe, fixture.pid, 1);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_assert(oc_sample_has(&sample, OC_METRIC_RSS));
    ck_assert(oc_sample_has(&sample, OC_METRIC_RSS_ANON));
    ck_assert(!oc_sample_has(&sample, OC_METRIC_PSS));
    ck_assert(!oc_sample_has(&sample, OC_METRIC_MAPPINGS));
    ck_assert_int_eq(oc_proc_facts(proc)->uid, 0);
    oc_probe_close(probe);
    ck_assert_int_eq(oc_probe_doctor(NULL, (uint32_t)fixture.pid, note_denied, &told), OC_OK);
    ck_assert_int_eq(told, 1);
    ck_assert_int_eq(seteuid(0), 0);
    fixture_end(&fixture);
}
END_TEST

Suite *look_suite(void)
{
    Suite *suite = suite_create("look");
    TCase *tcase = tcase_create("look");

    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, what_has_not_run_is_not_read);
    tcase_add_test(tcase, growth_is_seen_at_the_next_look);
    tcase_add_test(tcase, cpu_time_is_counted);
    tcase_add_loop_test(tcase, every_pinned_look_reads_a_real_process_each_time, OC_LOOK_LEAST,
                        OC_LOOK_COUNT);
    tcase_add_test(tcase, regions_follow_an_exec);
    tcase_add_loop_test(tcase, a_leader_that_ended_before_its_threads_is_not_gone, 0, 4);
    tcase_add_test(tcase, few_descriptors_are_kept_where_few_are_allowed);
    tcase_add_test(tcase, with_very_many_processes_one_descriptor_each_is_kept);
    tcase_add_test(tcase, one_that_ended_while_there_were_too_many_is_found_gone);
    tcase_add_test(tcase, of_another_users_process_what_can_be_seen_is_seen);
    tcase_add_test(tcase, closing_gives_all_descriptors_back);
    suite_add_tcase(suite, tcase);
    return suite;
}
