/* Walks, and what the doctor says. */
#include "suites.h"

#include <string.h>
#include <unistd.h>

static struct oc_walk walk_of(pid_t pid, int want_pages)
{
    const struct oc_walk_request request = { .pid = (uint32_t)pid,
                                             .want = OC_WALK_FACTS | OC_WALK_COUNTS |
                                                     (want_pages ? OC_WALK_PAGES : 0) };
    struct oc_walk walk;

    ck_assert_int_eq(oc_probe_walk(NULL, &request, &walk), OC_OK);
    return walk;
}

START_TEST(a_walk_gives_all_facts_and_regions)
{
    struct fixture fixture = fixture_start("wait");
    struct oc_walk walk = walk_of(fixture.pid, 0);

    ck_assert_str_eq(walk.facts.name, "proc_fixture");
    ck_assert_str_eq(walk.facts.exe, PROC_FIXTURE);
    ck_assert_str_eq(walk.facts.cmdline, PROC_FIXTURE " wait");
    ck_assert_uint_eq(walk.facts.parent_pid, (uint32_t)getpid());
    ck_assert_int_eq(walk.facts.uid, (int64_t)getuid());
    ck_assert_int_gt(oc_sample_get(&walk.sample, OC_METRIC_MAPPINGS), 5);
    ck_assert_int_ge(oc_sample_get(&walk.sample, OC_METRIC_MODULES), 2);
    ck_assert_int_ge(oc_sample_get(&walk.sample, OC_METRIC_FDS), 3);
    ck_known(&walk.sample, OC_METRIC_MEMFD, 0);
    ck_unknown(&walk.sample, OC_METRIC_PSS);
    ck_assert_int_gt(walk.cpu_ns, 0);
    oc_walk_clear(&walk);
    walk = walk_of(fixture.pid, 1);
    ck_assert_int_gt(oc_sample_get(&walk.sample, OC_METRIC_PSS), 4096);
    ck_assert_int_gt(oc_sample_get(&walk.sample, OC_METRIC_USS), 4096);
    oc_walk_clear(&walk);
    fixture_end(&fixture);
}
END_TEST

START_TEST(another_program_has_another_stamp)
{
    struct fixture first = fixture_start("wait"), second = fixture_start("wait");
    struct oc_walk walk = walk_of(first.pid, 0);
    uint64_t stamp = walk.program_stamp;

    ck_assert_uint_ne(stamp, 0);
    oc_walk_clear(&walk);
    walk = walk_of(second.pid, 0);
    ck_assert_uint_eq(walk.program_stamp, stamp);
    oc_walk_clear(&walk);
    walk = walk_of(getpid(), 0);
    ck_assert_uint_ne(walk.program_stamp, stamp);
    oc_walk_clear(&walk);
    fixture_end(&first);
    fixture_end(&second);
}
END_TEST

START_TEST(a_walk_is_of_the_process_that_was_meant)
{
    struct fixture fixture = fixture_start("wait");
    struct oc_walk walk = walk_of(fixture.pid, 0);
    struct oc_walk_request request = { .pid = (uint32_t)fixture.pid,
                                       .start_ticks = walk.facts.id.start_ticks,
                                       .want = OC_WALK_FACTS | OC_WALK_COUNTS };

    oc_walk_clear(&walk);
    ck_assert_int_eq(oc_probe_walk(NULL, &request, &walk), OC_OK);
    oc_walk_clear(&walk);
    request.start_ticks++;
    ck_assert_int_eq(oc_probe_walk(NULL, &request, &walk), OC_E_GONE);
    fixture_end(&fixture);
    request.start_ticks--;
    ck_assert_int_eq(oc_probe_walk(NULL, &request, &walk), OC_E_GONE);
}
END_TEST

START_TEST(memfds_are_counted_once_at_ticks_after_a_walk)
{
    struct fixture fixture = fixture_start("memfd");
    struct oc_walk walk = walk_of(fixture.pid, 0);
    oc_probe *probe = open_live(OC_LOOK_LADDER);
    oc_proc *proc = NULL;
    struct oc_sample sample;

    ck_known(&walk.sample, OC_METRIC_MEMFD, 2 << 20); /* though it has two descriptors */
    ck_assert_uint_eq(walk.memfd_count, 1);
    ck_assert_int_eq(oc_probe_attach(probe, (uint32_t)fixture.pid, &proc), OC_OK);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_unknown(&sample, OC_METRIC_MEMFD);
    oc_probe_adopt(probe, proc, &walk);
    fixture_tell(&fixture, "spin\n");
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_MEMFD, 2 << 20);
    oc_walk_clear(&walk);
    oc_probe_close(probe);
    fixture_end(&fixture);
}
END_TEST

struct told {
    int count, unnamed, bad, unexplained;
    int seen_rss, seen_connector;
    int no_cgroups; /* said once, in place of their 27 figures */
};

static void note(const struct oc_ability *ability, void *context)
{
    struct told *told = context;

    told->count++;
    told->unnamed += ability->figure[0] == 0;
    told->unexplained += (ability->rc == 0) != (ability->why[0] == '\0');
    told->seen_rss += strcmp(ability->figure, "rss_bytes") == 0 && ability->rc == 0;
    told->seen_connector += strcmp(ability->figure, "proc connector") == 0;
    told->no_cgroups += strcmp(ability->figure, "cgroup memory") == 0 && ability->rc != 0;
}

START_TEST(the_doctor_speaks_of_every_figure)
{
    struct told told = { 0 };

    ck_assert_int_eq(oc_probe_doctor(NULL, 0, note, &told), OC_OK);
    ck_assert_int_gt(told.count, told.no_cgroups ? 35 : 60);
    ck_assert_int_eq(told.unnamed, 0);
    ck_assert_int_eq(told.unexplained, 0);
    ck_assert_int_eq(told.seen_rss, 1);
    ck_assert_int_eq(told.seen_connector, 1);
    ck_assert_int_eq(oc_probe_doctor(NULL, 0x7fffffff, note, &told), OC_E_GONE);
}
END_TEST

Suite *walk_suite(void)
{
    Suite *suite = suite_create("walk");
    TCase *tcase = tcase_create("walk");

    tcase_add_test(tcase, a_walk_gives_all_facts_and_regions);
    tcase_add_test(tcase, another_program_has_another_stamp);
    tcase_add_test(tcase, a_walk_is_of_the_process_that_was_meant);
    tcase_add_test(tcase, memfds_are_counted_once_at_ticks_after_a_walk);
    tcase_add_test(tcase, the_doctor_speaks_of_every_figure);
    suite_add_tcase(suite, tcase);
    return suite;
}
