/* When a process is walked: not while idle, not twice within ten seconds. */
#include "daemon/walker.h"

#include "daemon/source.h"
#include "suites.h"

#define DAY_MS INT64_C(86400000)

struct oc_group; /* any will do */

static struct oc_source walked(int64_t last_ms, int64_t next_ms)
{
    static char group;

    return (struct oc_source){ .kind = OC_SOURCE_PROCESS,
                               .group = (struct oc_group *)(void *)&group,
                               .moved = 1,
                               .last_walk_mono_ms = last_ms,
                               .next_walk_mono_ms = next_ms };
}

START_TEST(one_that_did_not_run_is_never_due)
{
    struct oc_source source = walked(1000, 601000);

    source.moved = 0;
    ck_assert_int_eq(oc_walker_is_due(&source, DAY_MS), 0);
    ck_assert_int_eq(oc_walker_may(&source, DAY_MS), 1); /* who asks gets one */
}
END_TEST

START_TEST(one_that_ran_is_due_once_its_interval_has_passed)
{
    struct oc_source source = walked(1000, 601000);

    ck_assert_int_eq(oc_walker_is_due(&source, 600999), 0);
    ck_assert_int_eq(oc_walker_is_due(&source, 601000), 1);
    source.walk_pending = 1;
    ck_assert_int_eq(oc_walker_is_due(&source, 601000), 0);
}
END_TEST

START_TEST(none_begins_within_ten_seconds_of_the_last)
{
    struct oc_source source = walked(1000, 1);

    ck_assert_int_eq(oc_walker_may(&source, 1000 + OC_WALK_GAP_MS - 1), 0);
    ck_assert_int_eq(oc_walker_is_due(&source, 1000 + OC_WALK_GAP_MS - 1), 0);
    ck_assert_int_eq(oc_walker_may(&source, 1000 + OC_WALK_GAP_MS), 1);
    ck_assert_int_eq(oc_walker_is_due(&source, 1000 + OC_WALK_GAP_MS), 1);
}
END_TEST

START_TEST(the_first_waits_for_nothing)
{
    struct oc_source source = walked(0, 0);

    ck_assert_int_eq(oc_walker_may(&source, 1), 1);
    ck_assert_int_eq(oc_walker_is_due(&source, DAY_MS), 0); /* it is asked for at birth */
    source.kind = OC_SOURCE_CGROUP;
    ck_assert_int_eq(oc_walker_may(&source, 1), 0);
}
END_TEST

Suite *walker_suite(void)
{
    Suite *suite = suite_create("walker");
    TCase *tcase = tcase_create("walker");

    tcase_add_test(tcase, one_that_did_not_run_is_never_due);
    tcase_add_test(tcase, one_that_ran_is_due_once_its_interval_has_passed);
    tcase_add_test(tcase, none_begins_within_ten_seconds_of_the_last);
    tcase_add_test(tcase, the_first_waits_for_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
