/* When a process is walked: as it grew or its interval has passed, not while idle, not twice within ten seconds. */
#include "base/os.h"
#include "daemon/source.h"
#include "daemon/walks.h"
#include "suites.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)
#define INTERVAL_MS 600000
#define GAP_MS 10000
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
    return oc_walks_is_due(source, INTERVAL_MS, GAP_MS, now_ms);
}

START_TEST(one_that_did_not_run_is_never_due)
{
    struct oc_source source = walked(1000);

    source.moved = 0;
    ck_assert_int_eq(is_due(&source, DAY_MS), 0);
    ck_assert_int_eq(oc_walks_may(&source, GAP_MS, DAY_MS), 1); /* who asks gets one */
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

START_TEST(none_begins_within_the_gap_after_the_last)
{
    struct oc_source source = walked(1000);

    source.grew = 1;
    ck_assert_int_eq(oc_walks_may(&source, GAP_MS, 1000 + GAP_MS - 1), 0);
    ck_assert_int_eq(is_due(&source, 1000 + GAP_MS - 1), 0);
    ck_assert_int_eq(oc_walks_may(&source, GAP_MS, 1000 + GAP_MS), 1);
    ck_assert_int_eq(is_due(&source, 1000 + GAP_MS), 1);
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

    ck_assert_int_eq(oc_walks_may(&source, GAP_MS, 1), 1);
    ck_assert_int_eq(is_due(&source, 1), 1);
    source.kind = OC_SOURCE_CGROUP;
    ck_assert_int_eq(oc_walks_may(&source, GAP_MS, 1), 0);
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

/* ---- the threads ---- */

#define JOBS 20
#define JOB_CPU_NS INT64_C(5000000)
#define BUDGET_PERCENT 25
#define BURST_NS INT64_C(20000000)
#define DEADLINE_NS INT64_C(30000000000)

static int burn(const struct oc_probe_options *options, const struct oc_walk_request *request,
                struct oc_walk *out_walk)
{
    int64_t until_ns = oc_clock_thread_cpu_ns() + JOB_CPU_NS;

    (void)options;
    while (oc_clock_thread_cpu_ns() < until_ns)
        continue;
    if (request->pid % 2)
        return OC_E_GONE;
    memset(out_walk, 0, sizeof(*out_walk));
    return OC_OK;
}

static unsigned taken, failed;
static oc_walker *walker;

static void on_results(void *context)
{
    struct oc_job_result *result = NULL;

    (void)context;
    while ((result = oc_walker_take(walker)) != NULL) {
        taken++;
        failed += result->rc == OC_E_GONE;
        oc_job_result_free(result);
    }
}

START_TEST(all_walks_together_keep_their_budget)
{
    struct oc_probe_options probe = { .root = NULL };
    struct oc_walker_options options = {
        .probe = &probe, .walk = burn, .budget_percent = BUDGET_PERCENT, .done = on_results
    };
    struct oc_walker_stats stats;
    int64_t begin_ns = oc_clock_mono_ns(), took_ns = 0;
    uv_loop_t loop;

    taken = 0;
    failed = 0;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(oc_walker_start(&loop, &options, &walker), OC_OK);
    for (uint32_t i = 0; i < JOBS; i++) {
        struct oc_job job = { .kind = OC_JOB_WALK, .pid = i + 1, .slot = i };

        ck_assert_int_eq(oc_walker_ask(walker, &job), OC_OK);
    }
    while (taken < JOBS && oc_clock_mono_ns() - begin_ns < DEADLINE_NS)
        (void)uv_run(&loop, UV_RUN_ONCE);
    took_ns = oc_clock_mono_ns() - begin_ns;
    oc_walker_stats(walker, &stats);
    ck_assert_uint_eq(taken, JOBS);
    ck_assert_uint_eq(failed, JOBS / 2);
    ck_assert_uint_eq(stats.made[OC_JOB_WALK], JOBS);
    ck_assert_uint_eq(stats.waiting[OC_JOB_WALK], 0);
    /* what was used is what there was to use, and what the last jobs of both threads still owe */
    ck_assert_int_le((int64_t)stats.cpu_us * 1000,
                     took_ns / 100 * BUDGET_PERCENT + BURST_NS + 4 * JOB_CPU_NS);
    oc_walker_stop(walker, 10000);
    while (uv_run(&loop, UV_RUN_DEFAULT) != 0)
        continue;
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

Suite *walker_suite(void)
{
    Suite *suite = suite_create("walker");
    TCase *tcase = tcase_create("walker");

    tcase_add_test(tcase, one_that_did_not_run_is_never_due);
    tcase_add_test(tcase, one_that_ran_is_due_once_its_interval_has_passed);
    tcase_add_test(tcase, none_begins_within_the_gap_after_the_last);
    tcase_add_test(tcase, a_dear_walk_stretches_the_interval_whatever_grows);
    tcase_add_test(tcase, the_first_waits_for_nothing);
    tcase_add_test(tcase, growth_is_an_eighth_and_sixteen_mebibytes_since_the_last_walk);
    tcase_add_test(tcase, all_walks_together_keep_their_budget);
    suite_add_tcase(suite, tcase);
    return suite;
}
