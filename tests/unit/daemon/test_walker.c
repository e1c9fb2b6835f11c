/* When a process is walked: as it grew or its interval has passed, not while idle, not twice within ten seconds. */
#include "daemon/source.h"
#include "daemon/walks.h"
#include "suites.h"

#define DAY_MS INT64_C(86400000)
#define INTERVAL_MS 600000
#define MIB (INT64_C(1) << 20)

struct oc_group; /* any will do */

static struct oc_source walked(int64_t last_ms)
{
    static char group;

    return (struct oc_source){ .kind = OC_SOURCE_PROCESS,
                               .group = (struct oc_group *)(void *)&group,
                               .moved = 1,
                               .last_walk_mono_ms = last_ms };
}

static int is_due(const struct oc_source *source, int64_t now_ms)
{
    return oc_walks_is_due(source, INTERVAL_MS, now_ms);
}

START_TEST(one_that_did_not_run_is_never_due)
{
    struct oc_source source = walked(1000);

    source.moved = 0;
    ck_assert_int_eq(is_due(&source, DAY_MS), 0);
    ck_assert_int_eq(oc_walks_may(&source, DAY_MS), 1); /* who asks gets one */
}
END_TEST

START_TEST(one_that_ran_is_due_once_its_interval_has_passed)
{
    struct oc_source source = walked(1000);

    ck_assert_int_eq(is_due(&source, 600999), 0);
    ck_assert_int_eq(is_due(&source, 601000), 1);
    source.walk_pending = 1;
    ck_assert_int_eq(is_due(&source, 601000), 0);
}
END_TEST

START_TEST(none_begins_within_ten_seconds_of_the_last)
{
    struct oc_source source = walked(1000);

    source.grew = 1;
    ck_assert_int_eq(oc_walks_may(&source, 1000 + OC_WALK_GAP_MS - 1), 0);
    ck_assert_int_eq(is_due(&source, 1000 + OC_WALK_GAP_MS - 1), 0);
    ck_assert_int_eq(oc_walks_may(&source, 1000 + OC_WALK_GAP_MS), 1);
    ck_assert_int_eq(is_due(&source, 1000 + OC_WALK_GAP_MS), 1);
}
END_TEST

START_TEST(a_dear_walk_stretches_the_interval_whatever_grows)
{
    struct oc_source source = walked(1000);

    source.walk_pause_ms = 2 * INTERVAL_MS;
    source.grew = 1;
    ck_assert_int_eq(is_due(&source, 1000 + INTERVAL_MS), 0);
    ck_assert_int_eq(is_due(&source, 1000 + 2 * INTERVAL_MS - 1), 0);
    ck_assert_int_eq(is_due(&source, 1000 + 2 * INTERVAL_MS), 1);
}
END_TEST

START_TEST(the_first_waits_for_nothing)
{
    struct oc_source source = walked(0);

    ck_assert_int_eq(oc_walks_may(&source, 1), 1);
    ck_assert_int_eq(is_due(&source, 1), 1);
    source.kind = OC_SOURCE_CGROUP;
    ck_assert_int_eq(oc_walks_may(&source, 1), 0);
}
END_TEST

static void note_space(struct oc_source *source, int64_t virtual_bytes, int64_t commit_bytes)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    oc_sample_set(&sample, OC_METRIC_VIRTUAL, virtual_bytes);
    oc_sample_set(&sample, OC_METRIC_COMMIT, commit_bytes);
    oc_walks_note_growth(source, &sample);
}

START_TEST(growth_is_an_eighth_and_sixteen_mebibytes_since_the_last_walk)
{
    struct oc_source source = walked(1000);

    note_space(&source, 1024 * MIB, 64 * MIB); /* the first sample: what the walk saw */
    ck_assert_int_eq(source.grew, 0);
    note_space(&source, 1024 * MIB + 127 * MIB, 64 * MIB + 15 * MIB);
    ck_assert_int_eq(source.grew, 0);
    note_space(&source, 1024 * MIB + 127 * MIB, 64 * MIB + 16 * MIB);
    ck_assert_int_eq(source.grew, 1);
    source.grew = 0;
    note_space(&source, 1024 * MIB - 128 * MIB, 64 * MIB); /* what it gave back counts too */
    ck_assert_int_eq(source.grew, 1);
}
END_TEST

Suite *walker_suite(void)
{
    Suite *suite = suite_create("walker");
    TCase *tcase = tcase_create("walker");

    tcase_add_test(tcase, one_that_did_not_run_is_never_due);
    tcase_add_test(tcase, one_that_ran_is_due_once_its_interval_has_passed);
    tcase_add_test(tcase, none_begins_within_ten_seconds_of_the_last);
    tcase_add_test(tcase, a_dear_walk_stretches_the_interval_whatever_grows);
    tcase_add_test(tcase, the_first_waits_for_nothing);
    tcase_add_test(tcase, growth_is_an_eighth_and_sixteen_mebibytes_since_the_last_walk);
    suite_add_tcase(suite, tcase);
    return suite;
}
