/* What the rules are told of lives: under whose name a cgroup's limits stand, how a life is ended by plan, who is missing. */
#include "base/alloc.h"
#include "daemon/walks.h"
#include "suites.h"
#include "tests/unit/daemon/daemon_fixture.h"
#include "tests/unit/daemon/target_fixture.h"

#include <stdio.h>
#include <string.h>

static struct oc_plan plan; /* that walks find */

static int planned_walk(const struct oc_probe_options *options,
                        const struct oc_walk_request *request, struct oc_walk *out_walk)
{
    (void)options;
    memset(out_walk, 0, sizeof(*out_walk));
    out_walk->facts.id.pid = request->pid;
    out_walk->facts.start_unix_ms = 1000;
    out_walk->plan = plan;
    return OC_OK;
}

static void on_change(const struct oc_alert_change *change, void *context)
{
    (void)change;
    (void)context;
}

/* Alerts without their receivers: the rules alone. */
static void setup(void)
{
    const struct oc_alerts_options options = { .instance = "unit" };
    struct oc_rules rules = { 0 };

    fixture_setup();
    plan = (struct oc_plan){ 0 };
    ck_assert_int_eq(oc_alerts_new(&options, on_change, NULL, &d->alerting.rules), OC_OK);
    ck_assert_int_eq(oc_rules_default(&rules), OC_OK);
    ck_assert_int_eq(oc_alerts_set_rules(d->alerting.rules, &rules, 1), OC_OK);
    oc_rules_clear(&rules);
}

static void teardown(void)
{
    oc_alerts *rules = d->alerting.rules;

    finish();
    oc_alerts_free(rules);
    oc_free(d->alerting.subjects);
    fixture_teardown();
}

static void start_in(uint32_t pid, const char *name, const char *cgroup)
{
    struct oc_proc_facts facts = { .id = { .pid = pid, .start_ticks = 1000 + pid } };

    (void)snprintf(facts.name, sizeof(facts.name), "%s", name);
    (void)snprintf(facts.cgroup, sizeof(facts.cgroup), "%s", cgroup);
    ck_assert_int_eq(oc_fake_start(d->probe, &facts), OC_OK);
    oc_fake_set(d->probe, pid, OC_METRIC_RSS, 100 * MIB);
}

static const struct oc_source *box;

static int box_is_told(void)
{
    for (size_t i = 0; i < d->sources.count; i++) {
        const struct oc_source *source = d->sources.slots[i];

        if (source && source->cgroup && strcmp(oc_cgroup_path(source->cgroup), "/box") == 0)
            box = source;
    }
    return box && box->alert_subject != 0;
}

/* The cgroup of the process, once the rules know it. */
static void find_box(void)
{
    box = NULL;
    run_until(box_is_told);
}

static uint32_t handle_of(const char *subject)
{
    return oc_alerts_subject(d->alerting.rules, subject, OC_SOURCE_PROCESS);
}

/* ---- whose cgroup it is ---- */

START_TEST(limits_of_a_services_cgroup_are_told_under_its_name)
{
    ck_assert_int_eq(oc_fake_cgroup(d->probe, "/box", 7), OC_OK);
    start_in(10, "shop", "/box");
    start_in(11, "shop", "/box");
    begin();
    run_until_watched(2);
    find_box();
    ck_assert_uint_eq(box->alert_subject, handle_of("proc:shop") + 1);
}
END_TEST

START_TEST(a_cgroup_of_several_is_told_by_its_path)
{
    ck_assert_int_eq(oc_fake_cgroup(d->probe, "/box", 7), OC_OK);
    start_in(10, "shop", "/box");
    begin();
    run_until_watched(1);
    find_box();
    start_in(11, "mail", "/box"); /* who moves in later counts too */
    run_until_watched(2);
    ck_assert_uint_eq(box->alert_subject, handle_of("cgroup:/box") + 1);
}
END_TEST

START_TEST(what_is_around_a_services_cgroup_keeps_its_path)
{
    ck_assert_int_eq(oc_fake_cgroup(d->probe, "/box", 7), OC_OK);
    ck_assert_int_eq(oc_fake_cgroup(d->probe, "/box/in", 8), OC_OK);
    start_in(10, "shop", "/box/in");
    begin();
    run_until_watched(1);
    find_box();
    ck_assert_uint_eq(box->alert_subject, handle_of("cgroup:/box") + 1);
}
END_TEST

/* It goes with the last in it: what its subject's lives did before is not forgotten. */
START_TEST(its_lives_are_remembered_though_the_cgroup_goes_with_each)
{
    ck_assert_int_eq(oc_fake_cgroup(d->probe, "/box", 7), OC_OK);
    start_in(10, "shop", "/box");
    begin();
    run_until_watched(1);
    find_box();
    oc_fake_end(d->probe, 10, OC_END_EXITED, 1);
    run_until_watched(0);
    ck_assert_uint_eq(d->alerting.subjects[handle_of("proc:shop")].is_known, 1);
}
END_TEST

/* ---- planned ends ---- */

static int is_walked(void)
{
    const struct oc_source *source = oc_sources_by_pid(&d->sources, 10);

    return source && source->last_walk_mono_ms != 0;
}

static void walk_again(void)
{
    struct oc_source *source = oc_sources_by_pid(&d->sources, 10);

    ck_assert_ptr_nonnull(source);
    source->last_walk_mono_ms = 0;
    oc_walks_want(d, source);
    run_until(is_walked);
}

static char told[OC_PLAN_TEXT_BYTES];

static int on_life(const struct oc_life_row *row, void *context)
{
    (void)context;
    if (row->kind == OC_SOURCE_PROCESS && row->facts.id.pid == 10)
        (void)snprintf(told, sizeof(told), "%s", row->plan);
    return 0;
}

static const char *stored_plan(void)
{
    const struct oc_life_filter filter = { .until_unix_ms = INT64_MAX };
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;

    ck_assert_msg(oc_reader_open(d->store_path, &reader, &detail) == OC_OK, "%s", detail.text);
    ck_assert_int_ge(oc_reader_lives(reader, &filter, on_life, NULL), 1);
    oc_reader_close(reader);
    return told;
}

START_TEST(the_plan_of_a_life_is_told_in_words)
{
    start_walkers(planned_walk);
    plan = (struct oc_plan){
        .every_ms = 29 * 3600000, .time_count = 2, .minutes = { 180, 915 }, .requests = 100000
    };
    start_process(10, "worker", 100 * MIB);
    begin();
    run_until_watched(1);
    run_until(is_walked);
    finish();
    ck_assert_str_eq(stored_plan(), "every 1 d 5 h, at 03:00, 15:15, after 100000 requests");
}
END_TEST

START_TEST(the_plan_of_a_life_is_that_of_its_last_walk)
{
    const struct oc_source *source = NULL;

    start_walkers(planned_walk);
    start_process(10, "worker", 100 * MIB);
    begin();
    run_until_watched(1);
    run_until(is_walked);
    source = oc_sources_by_pid(&d->sources, 10);
    ck_assert_ptr_null(source->plan);
    plan = (struct oc_plan){ .every_ms = 29 * 3600000, .time_count = 1, .minutes = { 180 } };
    walk_again();
    ck_assert_ptr_nonnull(source->plan);
    ck_assert_int_eq(source->plan->plan.every_ms, 29 * 3600000);
    ck_assert_int_eq(source->plan->start_unix_ms, 1000);
    plan = (struct oc_plan){ 0 }; /* switched off: it keeps nothing quiet any more */
    walk_again();
    ck_assert_ptr_null(source->plan);
    finish();
    ck_assert_str_eq(stored_plan(), "");
}
END_TEST

static int both_are_walked(void)
{
    const struct oc_source *a = oc_sources_by_pid(&d->sources, 10);
    const struct oc_source *b = oc_sources_by_pid(&d->sources, 11);

    return a && b && a->last_walk_mono_ms != 0 && b->last_walk_mono_ms != 0 && a->subject &&
           a->subject->sum && a->subject->sum->alert_subject != 0;
}

static int is_said_planned(const struct oc_alert *alert, void *context)
{
    *(int *)context |= strstr(alert->why, "restarted by plan") != NULL;
    return 0;
}

/* What is said of the growth of a web garden, all workers in sum. */
static int sum_is_planned(void)
{
    struct oc_forecast_row row = { .forecast = { .state = OC_FORECAST_LEAKING,
                                                 .metric = OC_METRIC_PRIVATE,
                                                 .growth_per_h = 1e9,
                                                 .growth_error_per_h = 1 } };
    int is_planned = 0;

    start_walkers(planned_walk);
    start_process(10, "worker", 100 * MIB);
    start_process(11, "worker", 100 * MIB);
    begin();
    run_until_watched(2);
    run_until(both_are_walked);
    oc_alerting_forecasts(d, oc_sources_by_pid(&d->sources, 10)->subject->sum, &row, 1);
    ck_assert_int_eq(oc_alerts_each(d->alerting.rules, is_said_planned, &is_planned), 1);
    return is_planned;
}

START_TEST(a_sum_ends_by_plan_where_each_of_its_lives_does)
{
    plan = (struct oc_plan){ .time_count = 1, .minutes = { 180 } };
    ck_assert(sum_is_planned());
}
END_TEST

START_TEST(a_sum_of_lives_without_a_plan_has_none) { ck_assert(!sum_is_planned()); }
END_TEST

/* ---- missing ---- */

static int is_told(void)
{
    const struct oc_source *source = oc_sources_by_pid(&d->sources, 10);

    return source && source->alert_subject != 0;
}

static void end_the_only_one(enum oc_end end)
{
    name_subject(add_target(&d->config, "worker"), "pool:Shop");
    select_word(&d->config.targets.items[0], OC_SELECT_NAME, "worker");
    start_process(10, "worker", 100 * MIB);
    begin();
    run_until_watched(1);
    run_until(is_told);
    oc_fake_end(d->probe, 10, end, 1);
    run_until_watched(0);
}

START_TEST(a_recycled_worker_is_not_missing)
{
    end_the_only_one(OC_END_RECYCLED);
    ck_assert_uint_eq(d->alerting.rests[0], 1);
}
END_TEST

START_TEST(a_crashed_worker_is)
{
    end_the_only_one(OC_END_EXITED);
    ck_assert_uint_eq(d->alerting.rests[0], 0);
}
END_TEST

Suite *facts_suite(void)
{
    Suite *suite = suite_create("facts");
    TCase *tests = tcase_create("facts");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, limits_of_a_services_cgroup_are_told_under_its_name);
    tcase_add_test(tests, a_cgroup_of_several_is_told_by_its_path);
    tcase_add_test(tests, what_is_around_a_services_cgroup_keeps_its_path);
    tcase_add_test(tests, its_lives_are_remembered_though_the_cgroup_goes_with_each);
    tcase_add_test(tests, the_plan_of_a_life_is_told_in_words);
    tcase_add_test(tests, the_plan_of_a_life_is_that_of_its_last_walk);
    tcase_add_test(tests, a_sum_ends_by_plan_where_each_of_its_lives_does);
    tcase_add_test(tests, a_sum_of_lives_without_a_plan_has_none);
    tcase_add_test(tests, a_recycled_worker_is_not_missing);
    tcase_add_test(tests, a_crashed_worker_is);
    suite_add_tcase(suite, tests);
    return suite;
}
