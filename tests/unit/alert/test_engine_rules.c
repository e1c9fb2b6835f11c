/* The rules that are not about a limit ahead: growth, families, loops, who is missing, what is too large or has no bound. */
#include "engine_rig.h"

#include <stdio.h>
#include <stdlib.h>

#define WARN OC_SEVERITY_WARN
#define CRITICAL OC_SEVERITY_CRITICAL

static struct rig rig;
static uint32_t shop;

static void begin_with(struct oc_rule *rules, size_t count)
{
    rig_begin(&rig, rules, count);
    shop = rig_subject(&rig, "unit:shop.service");
}

static void begin(void) { begin_with(NULL, 0); }
static void end(void) { rig_end(&rig); }

static void use(struct oc_rule rule)
{
    end();
    begin_with(&rule, 1);
}

static void tell(uint32_t subject, const struct oc_alert_event *event)
{
    oc_alerts_event(rig.alerts, subject, event, rig.now_ms);
}

/* ---- growth ---- */

static struct oc_rule growth_rule(unsigned metric, double enter)
{
    return (struct oc_rule){ .name = "Grows",
                             .kind = OC_RULE_GROWTH,
                             .severity = WARN,
                             .metric = (uint16_t)metric,
                             .enter = enter,
                             .clear = (double)NAN,
                             .window_ms = RIG_HOUR,
                             .for_ms = RIG_MINUTE,
                             .keep_ms = RIG_MINUTE };
}

/* A value for each minute of a while. */
static void sample_minutes(int begin_minute, int end_minute, int64_t (*value)(int minute))
{
    for (int i = begin_minute; i < end_minute; i++) {
        rig_sample(&rig, shop, OC_METRIC_THREADS, value(i));
        rig_pass(&rig, RIG_MINUTE);
    }
}
static int64_t ten_an_hour(int minute) { return 100 + minute / 6; }
static int64_t saw(int minute) { return 100 + minute % 5 * 50; }

START_TEST(alerts_when_a_metric_grows_too_fast)
{
    use(growth_rule(OC_METRIC_THREADS, 8));
    sample_minutes(0, 40, ten_an_hour);
    ck_assert_uint_eq(rig.said_count, 0); /* not seen for long enough */
    sample_minutes(40, 160, ten_an_hour);
    ck_assert(rig_fires(&rig, "Grows", WARN));
}
END_TEST

START_TEST(stays_quiet_when_a_metric_comes_and_goes)
{
    use(growth_rule(OC_METRIC_THREADS, 8));
    sample_minutes(0, 300, saw);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

START_TEST(stays_quiet_when_it_grows_more_slowly)
{
    use(growth_rule(OC_METRIC_THREADS, 20));
    sample_minutes(0, 300, ten_an_hour);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

START_TEST(alerts_when_what_is_forecast_grows_too_fast)
{
    use(growth_rule(0, RIG_GIB / 20));
    rig_go_on(&rig, shop, OC_FORECAST_GROWING, 100, 5 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, "Grows", WARN));
    rig_go_on(&rig, shop, OC_FORECAST_FLAT, 100, 5 * RIG_MINUTE);
    ck_assert_uint_eq(rig_stats(&rig).firing, 0);
}
END_TEST

/* ---- families ---- */

static struct oc_rule family_rule(double enter)
{
    struct oc_rule rule = growth_rule(0, enter);

    rule.kind = OC_RULE_FAMILY;
    rule.for_ms = 0;
    rule.window_ms = 2 * RIG_HOUR;
    return rule;
}

static void walk_for(int walks, uint32_t first, uint32_t step)
{
    char text[] = "\0qrt-*.dll\0libc.so";
    struct oc_family families[] = {
        { .kind = OC_FAMILY_MODULE, .count = first, .name = 1 },
        { .kind = OC_FAMILY_MODULE, .count = 1, .name = 11 },
    };
    const struct oc_census census = {
        .families = families, .family_count = 2, .text = text, .text_bytes = sizeof(text)
    };

    for (int i = 0; i < walks; i++) {
        oc_alerts_families(rig.alerts, shop, 1, 1, &census, rig.now_ms);
        rig_pass(&rig, 10 * RIG_MINUTE);
        families[0].count += step;
    }
}

START_TEST(alerts_when_a_family_grows)
{
    use(family_rule(20));
    ck_assert_uint_eq(oc_alerts_wants(rig.alerts, shop), OC_ALERT_WANTS_FAMILIES);
    walk_for(30, 100, 5); /* 30 an hour */
    ck_assert(rig_fires(&rig, "Grows", WARN));
    ck_assert_ptr_nonnull(strstr(rig_find(&rig, "Grows", WARN)->why, "qrt-*.dll"));
}
END_TEST

START_TEST(stays_quiet_when_families_stand)
{
    use(family_rule(20));
    walk_for(30, 10000, 0);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

/* ---- restart loops ---- */

static void end_life(uint32_t subject, enum oc_end how, int status)
{
    const struct oc_alert_event over = {
        .kind = OC_ALERT_EVENT_ENDED, .source = 1, .pid = 1, .end = how, .status = status
    };

    tell(subject, &over);
    rig_pass(&rig, RIG_MINUTE);
}

START_TEST(alerts_when_lives_end_badly_again_and_again)
{
    for (int i = 0; i < 5; i++)
        end_life(shop, OC_END_EXITED, 1);
    ck_assert(rig_fires(&rig, "RestartLoop", WARN));
    ck_assert_ptr_nonnull(strstr(rig_find(&rig, "RestartLoop", WARN)->why, "5 lives"));
    rig_pass(&rig, RIG_HOUR);
    ck_assert_uint_eq(rig_stats(&rig).firing, 0);
}
END_TEST

START_TEST(stays_quiet_when_it_is_restarted_by_plan)
{
    for (int i = 0; i < 20; i++)
        end_life(shop, i % 2 ? OC_END_EXITED : OC_END_SIGNALED, i % 2 ? 0 : 15);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

START_TEST(stays_quiet_when_a_compiler_fails_again_and_again)
{
    uint32_t compiler = rig_subject(&rig, "proc:cc1plus");

    for (int i = 0; i < 20; i++)
        end_life(compiler, OC_END_EXITED, 1);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

START_TEST(stays_quiet_when_ends_are_far_apart)
{
    for (int i = 0; i < 20; i++) {
        end_life(shop, OC_END_SIGNALED, 11);
        rig_pass(&rig, 10 * RIG_MINUTE);
    }
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

/* ---- who is missing, and a daemon that cannot tell ---- */

START_TEST(alerts_when_an_expected_subject_is_missing)
{
    tell(shop, &(struct oc_alert_event){ .kind = OC_ALERT_EVENT_MISSING });
    rig_pass(&rig, 2 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, "SubjectMissing", CRITICAL));
    tell(shop, &(struct oc_alert_event){ .kind = OC_ALERT_EVENT_BEGAN, .source = 2 });
    rig_pass(&rig, RIG_MINUTE);
    ck_assert_uint_eq(rig_stats(&rig).firing, 0);
}
END_TEST

START_TEST(stays_quiet_when_a_restart_takes_a_moment)
{
    tell(shop, &(struct oc_alert_event){ .kind = OC_ALERT_EVENT_MISSING });
    rig_pass(&rig, 30 * RIG_SECOND);
    tell(shop, &(struct oc_alert_event){ .kind = OC_ALERT_EVENT_PRESENT });
    rig_pass(&rig, RIG_HOUR);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 0);
}
END_TEST

START_TEST(a_degraded_daemon_says_so_and_that_nothing_is_missing_for_sure)
{
    uint32_t self = oc_alerts_subject(rig.alerts, "oomcastd", OC_SOURCE_SELF);
    const struct oc_alert_event full = { .kind = OC_ALERT_EVENT_DEGRADED,
                                         .text = "the store cannot be written" };
    const struct oc_alert_event lost = { .kind = OC_ALERT_EVENT_DEGRADED,
                                         .text = "samples are lost" };

    tell(self, &full);
    tell(shop, &(struct oc_alert_event){ .kind = OC_ALERT_EVENT_MISSING });
    tell(self, &lost);
    tell(self, &full); /* it is said again while it lasts */
    rig_pass(&rig, 2 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, "OomcastDegraded", WARN));
    ck_assert_str_eq(rig_find(&rig, "OomcastDegraded", WARN)->why,
                     "the store cannot be written, and 1 more");
    ck_assert_uint_eq(rig_find(&rig, "SubjectMissing", CRITICAL)->mutes, OC_ALERT_INHIBITED);
    tell(self, &(struct oc_alert_event){ .kind = OC_ALERT_EVENT_HEALTHY,
                                         .text = "the store cannot be written" });
    rig_pass(&rig, 5 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, "OomcastDegraded", WARN)); /* samples are still lost */
    tell(self, &(struct oc_alert_event){ .kind = OC_ALERT_EVENT_HEALTHY });
    rig_pass(&rig, 5 * RIG_MINUTE);
    ck_assert(!rig_find(&rig, "OomcastDegraded", WARN));
    ck_assert_uint_eq(rig_find(&rig, "SubjectMissing", CRITICAL)->mutes, 0);
}
END_TEST

START_TEST(stays_quiet_when_the_daemon_is_degraded_for_a_moment)
{
    uint32_t self = oc_alerts_subject(rig.alerts, "oomcastd", OC_SOURCE_SELF);

    tell(self, &(struct oc_alert_event){ .kind = OC_ALERT_EVENT_DEGRADED, .text = "late" });
    rig_pass(&rig, 30 * RIG_SECOND);
    tell(self, &(struct oc_alert_event){ .kind = OC_ALERT_EVENT_HEALTHY, .text = "late" });
    rig_pass(&rig, RIG_HOUR);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 0);
}
END_TEST

/* ---- what was set wrongly ---- */

START_TEST(alerts_when_a_heap_cap_does_not_fit_its_container)
{
    struct oc_alert_event cap = { .kind = OC_ALERT_EVENT_HEAP_CAP,
                                  .source = 1,
                                  .pid = 7,
                                  .value = 3 * RIG_GIB,
                                  .bound = 2 * RIG_GIB };

    tell(shop, &cap);
    rig_pass(&rig, 10 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, "HeapCapAboveLimit", WARN));
    ck_assert_ptr_nonnull(strstr(rig_find(&rig, "HeapCapAboveLimit", WARN)->why, "3.0 GiB"));
    rig_pass(&rig, 5 * RIG_HOUR); /* it is said once */
    ck_assert(rig_fires(&rig, "HeapCapAboveLimit", WARN));
    cap.value = (double)NAN;
    tell(shop, &cap);
    rig_pass(&rig, 20 * RIG_MINUTE);
    ck_assert_uint_eq(rig_stats(&rig).firing, 0);
}
END_TEST

START_TEST(stays_quiet_when_a_heap_cap_fits)
{
    const struct oc_alert_event cap = { .kind = OC_ALERT_EVENT_HEAP_CAP,
                                        .source = 1,
                                        .value = (double)NAN };

    tell(shop, &cap);
    rig_pass(&rig, RIG_HOUR);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

static struct oc_forecast_row free_row(unsigned state)
{
    struct oc_forecast_row row = rig_row(&rig, state, 100);

    row.limit = (struct oc_limit){ .metric = OC_METRIC_PRIVATE };
    row.forecast.metric = OC_METRIC_PRIVATE;
    row.forecast.limit = (double)NAN;
    return row;
}

/* The host leaks so fast, its end is weeks off; the process grows as rig_row() says. */
static void host_leaks(double growth_per_h, unsigned state)
{
    uint32_t host = oc_alerts_subject(rig.alerts, "host", OC_SOURCE_HOST);
    struct oc_forecast_row row = rig_row(&rig, state, 500);

    row.limit = (struct oc_limit){ .kind = OC_LIMIT_HOST_MEMORY, .metric = OC_METRIC_HOST_USED };
    row.forecast.growth_per_h = growth_per_h;
    rig_tell_host(&rig, host, &row);
}

static void grow_freely(double host_growth, unsigned host_state)
{
    for (int i = 0; i < 60; i++) {
        const struct oc_forecast_row row = free_row(OC_FORECAST_GROWING);

        host_leaks(host_growth, host_state);
        rig_tell(&rig, shop, 1, &row, 1);
        rig_pass(&rig, RIG_MINUTE);
    }
}

START_TEST(alerts_when_a_leak_has_no_limit_but_the_host)
{
    grow_freely(RIG_GIB / 9, OC_FORECAST_LEAKING);
    ck_assert(rig_fires(&rig, "NoMemoryLimit", WARN));
}
END_TEST

START_TEST(stays_quiet_when_the_host_is_well)
{
    grow_freely(RIG_GIB / 9, OC_FORECAST_FLAT);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

START_TEST(stays_quiet_when_another_leaks_into_the_host)
{
    grow_freely(RIG_GIB, OC_FORECAST_LEAKING);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

START_TEST(stays_quiet_when_it_has_a_limit_of_its_own)
{
    rig_say_state(&rig, shop, 3, OC_FORECAST_FLAT, 1); /* its cgroup has memory.max */
    grow_freely(RIG_GIB / 9, OC_FORECAST_LEAKING);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

START_TEST(stays_quiet_when_its_cgroup_has_a_limit)
{
    oc_alerts_limited(rig.alerts, shop, rig.now_ms);
    grow_freely(RIG_GIB / 9, OC_FORECAST_LEAKING);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

/* ---- running ---- */

static Suite *rules_suite(void)
{
    Suite *suite = suite_create("rules");
    TCase *tcase = tcase_create("rules");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, alerts_when_a_metric_grows_too_fast);
    tcase_add_test(tcase, stays_quiet_when_a_metric_comes_and_goes);
    tcase_add_test(tcase, stays_quiet_when_it_grows_more_slowly);
    tcase_add_test(tcase, alerts_when_what_is_forecast_grows_too_fast);
    tcase_add_test(tcase, alerts_when_a_family_grows);
    tcase_add_test(tcase, stays_quiet_when_families_stand);
    tcase_add_test(tcase, alerts_when_lives_end_badly_again_and_again);
    tcase_add_test(tcase, stays_quiet_when_it_is_restarted_by_plan);
    tcase_add_test(tcase, stays_quiet_when_a_compiler_fails_again_and_again);
    tcase_add_test(tcase, stays_quiet_when_ends_are_far_apart);
    tcase_add_test(tcase, alerts_when_an_expected_subject_is_missing);
    tcase_add_test(tcase, stays_quiet_when_a_restart_takes_a_moment);
    tcase_add_test(tcase, a_degraded_daemon_says_so_and_that_nothing_is_missing_for_sure);
    tcase_add_test(tcase, stays_quiet_when_the_daemon_is_degraded_for_a_moment);
    tcase_add_test(tcase, alerts_when_a_heap_cap_does_not_fit_its_container);
    tcase_add_test(tcase, stays_quiet_when_a_heap_cap_fits);
    tcase_add_test(tcase, alerts_when_a_leak_has_no_limit_but_the_host);
    tcase_add_test(tcase, stays_quiet_when_the_host_is_well);
    tcase_add_test(tcase, stays_quiet_when_another_leaks_into_the_host);
    tcase_add_test(tcase, stays_quiet_when_it_has_a_limit_of_its_own);
    tcase_add_test(tcase, stays_quiet_when_its_cgroup_has_a_limit);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(rules_suite());
    int failed = 0;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
