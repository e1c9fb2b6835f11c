/* Walks at bad moments: of what is stopped, ends, changes without pause, and without memory. */
#include "walks.h"

#include "base/alloc.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(a_stopped_process_is_walked)
{
    struct fixture fixture = SHAPES_OF("threads=3");
    struct walk_sums sums = { 0 };
    struct oc_walk found;
    int status = 0;

    ck_assert_int_eq(kill(fixture.pid, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(fixture.pid, &status, WUNTRACED), fixture.pid);
    found = walk_whole(fixture.pid, WALK_ALL, &sums);
    ck_assert_uint_eq(sums.bytes, status_bytes(fixture.pid, "VmSize"));
    ck_assert_uint_eq(family_named(&found.census, OC_FAMILY_THREAD, "worker-*")->count, 3);
    oc_walk_clear(&found);
    ck_assert_int_eq(kill(fixture.pid, SIGCONT), 0);
    fixture_end(&fixture);
}
END_TEST

START_TEST(a_zombie_is_gone)
{
    struct fixture fixture = SHAPES_OF("threads=1");
    siginfo_t info;

    ck_assert_int_eq(kill(fixture.pid, SIGKILL), 0);
    ck_assert_int_eq(waitid(P_PID, (id_t)fixture.pid, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(walk_try(fixture.pid, WALK_ALL), OC_E_GONE);
    fixture_reap(&fixture);
    ck_assert_int_eq(walk_try(fixture.pid, WALK_ALL), OC_E_GONE);
}
END_TEST

/* Killed at some moment of a walk: it is gone, or it was whole before. */
START_TEST(a_dying_process_is_gone_or_whole)
{
    for (int i = 0; i < 10; i++) {
        struct fixture fixture = SHAPES_OF("mappings=3000", "touched_kib=8192");
        int rc = OC_OK, walks = 0;

        ck_assert_int_eq(kill(fixture.pid, SIGKILL), 0);
        while (rc == OC_OK && walks++ < 1000) {
            const struct oc_walk_request request = { .pid = (uint32_t)fixture.pid,
                                                     .want = WALK_ALL };
            struct oc_walk found;

            rc = oc_probe_walk(NULL, &request, &found);
            if (rc != OC_OK)
                break;
            if (found.census.has_regions)
                ck_assert_uint_ge(usage_count(&found, OC_USAGE_PRIVATE), 3000);
            oc_walk_clear(&found);
        }
        ck_assert_int_eq(rc, OC_E_GONE);
        fixture_reap(&fixture);
    }
}
END_TEST

START_TEST(a_process_that_maps_without_pause_is_walked_in_bounds)
{
    struct fixture fixture = SHAPES_OF("mappings=500", "churn=2");

    for (int i = 0; i < 50; i++) {
        struct walk_sums sums = { 0 };
        struct oc_walk found = walk_whole(fixture.pid, OC_WALK_USUAL, &sums);

        ck_assert_int_eq(sums.gaps, 0);
        ck_assert_uint_eq(oc_census_sum_bytes(&found.census, OC_USAGE_COUNT, ANY_TYPE, ANY_STATE) -
                              usage_bytes(&found, OC_USAGE_FREE, ANY_STATE),
                          sums.bytes);
        ck_assert_uint_ge(usage_count(&found, OC_USAGE_PRIVATE), 500);
        ck_assert_int_lt(oc_sample_get(&found.sample, OC_METRIC_MAPPINGS), 1000);
        oc_walk_clear(&found);
    }
    fixture_end(&fixture);
}
END_TEST

/* The sum of the old program's first mappings and the new one's others would be nobody's. */
START_TEST(a_process_that_becomes_another_program_is_looked_at_again)
{
    struct fixture fixture = SHAPES_OF("mappings=2000");
    struct oc_walk found;

    ck_assert_int_eq(write(fixture.in_fd, "exec\n", 5), 5);
    for (;;) {
        const struct oc_walk_request request = { .pid = (uint32_t)fixture.pid,
                                                 .want = OC_WALK_USUAL };
        uint32_t count = 0;

        ck_assert_int_eq(oc_probe_walk(NULL, &request, &found), OC_OK);
        count = usage_count(&found, OC_USAGE_PRIVATE);
        oc_walk_clear(&found);
        ck_assert(count >= 2000 || count < 50);
        if (count < 50)
            break;
    }
    fixture_end(&fixture);
}
END_TEST

START_TEST(no_memory_is_said_and_nothing_is_left)
{
    struct fixture fixture = SHAPES_OF("mappings=100", "threads=4", "modules=10");
    int64_t live = 0;
    int rc = OC_E_NOMEM, nth = 0;

    ck_assert_int_eq(walk_try(fixture.pid, WALK_ALL), OC_OK);
    live = oc_alloc_live();
    while (rc != OC_OK && nth < 500) {
        oc_alloc_fail_at((uint64_t)++nth, 1);
        rc = walk_try(fixture.pid, WALK_ALL);
        oc_alloc_fail_at(0, 0);
        ck_assert(rc == OC_OK || rc == OC_E_NOMEM);
        ck_assert_int_eq(oc_alloc_live(), live);
    }
    ck_assert_int_eq(rc, OC_OK);
    ck_assert_int_gt(nth, 10);
    fixture_end(&fixture);
}
END_TEST

Suite *moments_suite(void)
{
    Suite *suite = suite_create("moments");
    TCase *tcase = tcase_create("moments");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_stopped_process_is_walked);
    tcase_add_test(tcase, a_zombie_is_gone);
    tcase_add_test(tcase, a_dying_process_is_gone_or_whole);
    tcase_add_test(tcase, a_process_that_maps_without_pause_is_walked_in_bounds);
    tcase_add_test(tcase, a_process_that_becomes_another_program_is_looked_at_again);
    tcase_add_test(tcase, no_memory_is_said_and_nothing_is_left);
    suite_add_tcase(suite, tcase);
    return suite;
}
