/* Who has which part of a growth: sums hold, what is measured comes before what is told from address space. */
#include "tests/unit/explain/made.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct oc_evidence evidence;
static struct oc_explanation explanation;

/* Parts of what stands at the left edge: families are within their usages, descriptors beside. */
static double sum_of_parts(void)
{
    double sum = 0;

    for (size_t i = 0; i < explanation.share_count; i++) {
        if (explanation.shares[i].kind != OC_SHARE_FAMILY)
            sum += explanation.shares[i].part;
    }
    return sum;
}

START_TEST(shares_of_a_growth_add_up)
{
    made_quiet(&evidence, "");
    made_grows(&evidence, OC_USAGE_HEAP, 10 * MIB, 70 * MIB);
    made_grows(&evidence, OC_USAGE_PRIVATE, 10 * MIB, 40 * MIB);
    evidence.metrics[OC_METRIC_PRIVATE].now += 10 * MIB; /* of nobody */
    oc_explain(&evidence, &explanation);
    ck_assert_uint_eq(explanation.metric, OC_METRIC_PRIVATE);
    ck_assert_int_eq(explanation.grew_bytes, 100 * MIB);
    ck_assert_double_eq_tol(explanation.growth_per_h, 100.0 * MIB / 3, MIB);
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_USAGE, "Heap")->part, 0.6, 0.001);
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_USAGE, "Private")->part, 0.3, 0.001);
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_UNEXPLAINED, NULL)->part, 0.1, 0.001);
    ck_assert_double_eq_tol(sum_of_parts(), 1, 0.001);
    ck_assert_double_eq_tol(explanation.explained_part, 0.6,
                            0.001); /* Private is of no known use */
    ck_assert_uint_eq(explanation.shares[explanation.share_count - 1].kind, OC_SHARE_UNEXPLAINED);
}
END_TEST

/* A heap that took 400 MiB of address space, of which 100 MiB were touched. */
START_TEST(address_space_gets_no_more_than_came_in_ram)
{
    made_quiet(&evidence, "");
    made_moved(&evidence.usage_commit[OC_USAGE_HEAP], 10 * MIB, 310 * MIB);
    made_moved(&evidence.usage_commit[OC_USAGE_MANAGED_HEAP], 10 * MIB, 110 * MIB);
    made_metric(&evidence, OC_METRIC_PRIVATE, 100 * MIB, 200 * MIB);
    oc_explain(&evidence, &explanation);
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_USAGE, "Heap")->part, 0.75, 0.001);
    ck_assert(share_of(&explanation, OC_SHARE_USAGE, "Heap")->is_estimate);
    ck_assert_double_eq_tol(sum_of_parts(), 1, 0.001);
    ck_assert_ptr_null(share_of(&explanation, OC_SHARE_UNEXPLAINED, NULL));
}
END_TEST

/* Where pages were looked at, they say it, whatever the address space did. */
START_TEST(pages_that_were_looked_at_are_believed)
{
    made_quiet(&evidence, "");
    made_moved(&evidence.usage_commit[OC_USAGE_HEAP], 10 * MIB, 510 * MIB);
    made_moved(&evidence.usage_resident[OC_USAGE_HEAP], 10 * MIB, 30 * MIB);
    made_moved(&evidence.usage_resident[OC_USAGE_PRIVATE], 10 * MIB, 90 * MIB);
    made_metric(&evidence, OC_METRIC_PRIVATE, 100 * MIB, 200 * MIB);
    oc_explain(&evidence, &explanation);
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_USAGE, "Heap")->part, 0.2, 0.001);
    ck_assert(!share_of(&explanation, OC_SHARE_USAGE, "Heap")->is_estimate);
}
END_TEST

/* 8 MiB of address space a thread, of which next to nothing is touched. */
START_TEST(stacks_are_not_taken_for_all_they_may_touch)
{
    made_quiet(&evidence, "");
    made_metric(&evidence, OC_METRIC_THREADS, 20, 120);
    made_moved(&evidence.usage_commit[OC_USAGE_STACK], 160 * MIB, 960 * MIB);
    made_moved(&evidence.usage_commit[OC_USAGE_HEAP], 10 * MIB, 100 * MIB);
    made_metric(&evidence, OC_METRIC_PRIVATE, 100 * MIB, 200 * MIB);
    oc_explain(&evidence, &explanation);
    ck_assert_double_gt(share_of(&explanation, OC_SHARE_USAGE, "Heap")->part, 0.8);
    ck_assert_double_lt(share_of(&explanation, OC_SHARE_STACKS, NULL)->part, 0.1);
    ck_assert_int_eq(share_of(&explanation, OC_SHARE_STACKS, NULL)->count, 100);
}
END_TEST

/* A JVM commits its heap whole, and touches it little by little. */
START_TEST(space_that_was_there_before_is_touched)
{
    made_quiet(&evidence, "jvm");
    made_moved(&evidence.usage_commit[OC_USAGE_MANAGED_HEAP], 960 * MIB, 960 * MIB);
    made_metric(&evidence, OC_METRIC_PRIVATE, 200 * MIB, 700 * MIB);
    oc_explain(&evidence, &explanation);
    ck_assert_double_gt(share_of(&explanation, OC_SHARE_USAGE, "ManagedHeap")->part, 0.9);
    ck_assert(share_of(&explanation, OC_SHARE_USAGE, "ManagedHeap")->is_estimate);
    ck_assert(strstr(cause_of(&explanation, OC_CAUSE_MANAGED_HEAP)->evidence, "touched now"));
    ck_assert_double_le(sum_of_parts(), 1.001);
    /* no more than was untouched */
    made_metric(&evidence, OC_METRIC_PRIVATE, 900 * MIB, 1400 * MIB);
    oc_explain(&evidence, &explanation);
    ck_assert_double_lt(share_of(&explanation, OC_SHARE_USAGE, "ManagedHeap")->part, 0.25);
    ck_assert_double_gt(share_of(&explanation, OC_SHARE_UNEXPLAINED, NULL)->part, 0.7);
    /* where pages were looked at, they did not come there */
    made_metric(&evidence, OC_METRIC_PRIVATE, 200 * MIB, 700 * MIB);
    made_moved(&evidence.usage_resident[OC_USAGE_MANAGED_HEAP], 100 * MIB, 100 * MIB);
    oc_explain(&evidence, &explanation);
    ck_assert_ptr_null(share_of(&explanation, OC_SHARE_USAGE, "ManagedHeap"));
}
END_TEST

START_TEST(loader_heaps_of_dotnet_are_in_its_memfds)
{
    made_quiet(&evidence, "dotnet");
    made_grows(&evidence, OC_USAGE_HEAP, 10 * MIB, 110 * MIB);
    made_metric(&evidence, OC_METRIC_MEMFD, 10 * MIB, 110 * MIB);
    made_moved(&evidence.usage_commit[OC_USAGE_LOADER_HEAP], 10 * MIB, 90 * MIB);
    made_moved(&evidence.usage_commit[OC_USAGE_JIT], 10 * MIB, 30 * MIB);
    made_family(&evidence, OC_FAMILY_MAPPING, 0, "/memfd:doublemapper", 90, 1000);
    oc_explain(&evidence, &explanation);
    ck_assert_int_eq(explanation.grew_bytes, 200 * MIB);
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_USAGE, "Heap")->part, 0.5, 0.001);
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_USAGE, "LoaderHeap")->part, 0.4, 0.001);
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_USAGE, "JIT")->part, 0.1, 0.001);
    ck_assert_int_eq(share_of(&explanation, OC_SHARE_FAMILY, "/memfd:doublemapper")->count, 910);
    ck_assert_double_eq_tol(sum_of_parts(), 1, 0.001);
}
END_TEST

/* The limit is the cgroup's: the process that is told in full, the others, the kernel, the cache. */
START_TEST(a_cgroup_is_shared_out_among_its_processes)
{
    made_quiet(&evidence, "");
    made_grows(&evidence, OC_USAGE_HEAP, 10 * MIB, 50 * MIB);
    made_member(&evidence, 7, 100 * MIB, 140 * MIB);
    made_member(&evidence, 8, 10 * MIB, 40 * MIB);
    made_metric(&evidence, OC_METRIC_CGROUP_CURRENT, 200 * MIB, 300 * MIB);
    made_metric(&evidence, OC_METRIC_CGROUP_CHARGE, 200 * MIB, 280 * MIB);
    made_metric(&evidence, OC_METRIC_CGROUP_ANON, 150 * MIB, 220 * MIB);
    made_metric(&evidence, OC_METRIC_CGROUP_FILE, 20 * MIB, 40 * MIB);
    made_metric(&evidence, OC_METRIC_CGROUP_SHMEM, 0, 0);
    made_metric(&evidence, OC_METRIC_CGROUP_SLAB_UNRECLAIMABLE, 5 * MIB, 15 * MIB);
    evidence.has_forecast = 1;
    evidence.forecast.forecast.metric = OC_METRIC_CGROUP_CURRENT;
    oc_explain(&evidence, &explanation);
    ck_assert_uint_eq(explanation.metric, OC_METRIC_CGROUP_CURRENT);
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_USAGE, "Heap")->part, 0.4, 0.001);
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_MEMBER, NULL)->part, 0.3, 0.001);
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_CACHE, NULL)->part, 0.2, 0.001);
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_KERNEL, NULL)->part, 0.1, 0.001);
    ck_assert_double_eq_tol(sum_of_parts(), 1, 0.001);
}
END_TEST

START_TEST(a_count_is_shared_out_among_its_families)
{
    made_quiet(&evidence, "");
    made_metric(&evidence, OC_METRIC_THREADS, 20, 120);
    made_family(&evidence, OC_FAMILY_THREAD, OC_FAMILY_FOLDED, "worker-*", 10, 90);
    made_family(&evidence, OC_FAMILY_THREAD, 0, "timer", 1, 11);
    oc_explain(&evidence, &explanation);
    ck_assert_uint_eq(explanation.metric, OC_METRIC_THREADS);
    ck_assert_int_eq(explanation.grew_bytes, 100);
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_FAMILY, "worker-*")->part, 0.8, 0.001);
    ck_assert_int_eq(share_of(&explanation, OC_SHARE_UNEXPLAINED, NULL)->count, 10);
    ck_assert_double_eq_tol(explanation.explained_part, 0.9, 0.001);
}
END_TEST

/* More families than there is room for: none is written beyond the end, and the last is what is left. */
START_TEST(too_many_shares_stay_within_their_room)
{
    made_quiet(&evidence, "jvm");
    for (unsigned usage = OC_USAGE_IMAGE; usage < OC_USAGE_COUNT; usage++)
        made_grows(&evidence, usage, 10 * MIB, 20 * MIB);
    while (evidence.family_count < OC_EVIDENCE_FAMILIES) {
        static const char *const names[] = { "glibc arena", "JVM heap", "metaspace", "code cache" };

        made_family(&evidence, OC_FAMILY_MAPPING, 0, names[evidence.family_count % 4], 1, 50);
    }
    while (evidence.member_count < OC_EVIDENCE_MEMBERS)
        made_member(&evidence, (uint32_t)evidence.member_count, MIB, 9 * MIB);
    evidence.metrics[OC_METRIC_PRIVATE].now += 200 * MIB;
    oc_explain(&evidence, &explanation);
    ck_assert_uint_le(explanation.share_count, OC_EXPLAIN_SHARES);
    ck_assert_uint_eq(explanation.shares[explanation.share_count - 1].kind, OC_SHARE_UNEXPLAINED);
}
END_TEST

START_TEST(unknown_figures_are_never_zero)
{
    memset(&evidence, 0, sizeof(evidence));
    evidence.source_kind = OC_SOURCE_PROCESS;
    oc_explain(&evidence, &explanation);
    ck_assert_uint_eq(explanation.evidence, OC_EVIDENCE_NONE);
    ck_assert_uint_eq(explanation.share_count, 0);
    ck_assert(isnan(explanation.growth_per_h));
    ck_assert(isnan(explanation.explained_part));
    made_quiet(&evidence, "");
    made_grows(&evidence, OC_USAGE_HEAP, 10 * MIB, 60 * MIB);
    evidence.usage_commit[OC_USAGE_HEAP].has_then = 0; /* no walk then */
    oc_explain(&evidence, &explanation);
    ck_assert_ptr_null(share_of(&explanation, OC_SHARE_USAGE, "Heap"));
    ck_assert_double_eq_tol(share_of(&explanation, OC_SHARE_UNEXPLAINED, NULL)->part, 1, 0.001);
}
END_TEST

/* Whatever stands in the evidence, parts are numbers or unknown, and nothing overflows. */
START_TEST(extreme_figures_do_no_harm)
{
    made_quiet(&evidence, "dotnet");
    made_metric(&evidence, OC_METRIC_PRIVATE, 0, INT64_MAX / 4);
    made_metric(&evidence, OC_METRIC_MEMFD, INT64_MAX / 4, 0);
    for (unsigned usage = 0; usage < OC_USAGE_COUNT; usage++)
        made_moved(&evidence.usage_commit[usage], usage % 2 ? 0 : INT64_MAX / 4,
                   usage % 2 ? INT64_MAX / 4 : 0);
    oc_explain(&evidence, &explanation);
    ck_assert_double_le(sum_of_parts(), 1.001);
    ck_assert_double_ge(explanation.explained_part, 0);
}
END_TEST

/* ---- how much it is worth ---- */

START_TEST(evidence_is_weighed)
{
    made_quiet(&evidence, "");
    made_grows(&evidence, OC_USAGE_HEAP, 10 * MIB, 60 * MIB);
    oc_explain(&evidence, &explanation);
    ck_assert_uint_eq(explanation.evidence, OC_EVIDENCE_GOOD);
    evidence.walks = 1;
    oc_explain(&evidence, &explanation);
    ck_assert_uint_eq(explanation.evidence, OC_EVIDENCE_THIN);
    ck_assert(strstr(explanation.thin, "one walk only"));
    evidence.walks = 18;
    evidence.samples = 3;
    oc_explain(&evidence, &explanation);
    ck_assert_uint_eq(explanation.evidence, OC_EVIDENCE_THIN);
    ck_assert(strstr(explanation.thin, "3 samples"));
    evidence.samples = 1000;
    evidence.now_unix_ms = evidence.then_unix_ms + 60000;
    evidence.metrics[OC_METRIC_PRIVATE].then = 10 * GIB;
    evidence.metrics[OC_METRIC_PRIVATE].now = 10 * GIB + 50 * MIB;
    oc_explain(&evidence, &explanation);
    ck_assert_uint_eq(explanation.evidence, OC_EVIDENCE_THIN);
    ck_assert(strstr(explanation.thin, "60 s"));
    made_one_look(&evidence, "");
    oc_explain(&evidence, &explanation);
    ck_assert_uint_eq(explanation.evidence, OC_EVIDENCE_THIN);
    ck_assert(strstr(explanation.thin, "one look"));
}
END_TEST

START_TEST(what_the_forecast_takes_for_no_leak_counts_less)
{
    double alone;

    made_quiet(&evidence, "jvm");
    made_grows(&evidence, OC_USAGE_MANAGED_HEAP, 10 * MIB, 60 * MIB);
    oc_explain(&evidence, &explanation);
    alone = explanation.causes[0].confidence;
    evidence.has_forecast = 1;
    evidence.forecast.forecast.metric = OC_METRIC_PRIVATE;
    evidence.forecast.forecast.state = OC_FORECAST_LEAKING;
    oc_explain(&evidence, &explanation);
    ck_assert_double_eq_tol(explanation.causes[0].confidence, alone, 1e-9);
    evidence.forecast.forecast.state = OC_FORECAST_WARMING;
    oc_explain(&evidence, &explanation);
    ck_assert_double_lt(explanation.causes[0].confidence, alone);
    ck_assert(strstr(explanation.causes[0].against, "takes the growth for warming"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shares");
    TCase *tcase = tcase_create("shares");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, shares_of_a_growth_add_up);
    tcase_add_test(tcase, address_space_gets_no_more_than_came_in_ram);
    tcase_add_test(tcase, pages_that_were_looked_at_are_believed);
    tcase_add_test(tcase, stacks_are_not_taken_for_all_they_may_touch);
    tcase_add_test(tcase, space_that_was_there_before_is_touched);
    tcase_add_test(tcase, loader_heaps_of_dotnet_are_in_its_memfds);
    tcase_add_test(tcase, a_cgroup_is_shared_out_among_its_processes);
    tcase_add_test(tcase, a_count_is_shared_out_among_its_families);
    tcase_add_test(tcase, too_many_shares_stay_within_their_room);
    tcase_add_test(tcase, unknown_figures_are_never_zero);
    tcase_add_test(tcase, extreme_figures_do_no_harm);
    tcase_add_test(tcase, evidence_is_weighed);
    tcase_add_test(tcase, what_the_forecast_takes_for_no_leak_counts_less);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
