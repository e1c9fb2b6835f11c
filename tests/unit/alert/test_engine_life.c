/* What an engine lives through: silences and windows, restarts, reloads, flapping, clocks, no memory, too much at once. */
#include "engine_rig.h"

#include "base/alloc.h"
#include "tests/support/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WARN OC_SEVERITY_WARN
#define CRITICAL OC_SEVERITY_CRITICAL
#define FORECAST "MemoryLimitForecast"

static struct rig rig;
static uint32_t shop;

static void begin(void)
{
    (void)set_local_time("UTC");
    rig_begin(&rig, NULL, 0);
    shop = rig_subject(&rig, "unit:shop.service");
}
static void end(void) { rig_end(&rig); }

static void leak_for(int64_t span_ms) { rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 12, span_ms); }

static void use_window(struct oc_window window)
{
    const struct oc_windows windows = { &window, 1 };

    ck_assert_int_eq(oc_alerts_set_windows(rig.alerts, &windows, rig.now_ms), OC_OK);
}

/* ---- windows ---- */

START_TEST(maintenance_keeps_alerts_back_and_tells_them_at_its_end)
{
    use_window((struct oc_window){ .begin_minute = 60, .duration_ms = 2 * RIG_HOUR });
    rig_pass(&rig, 90 * RIG_MINUTE); /* 01:30 */
    leak_for(20 * RIG_MINUTE);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, OC_ALERT_MAINTENANCE);
    rig_forget(&rig);
    leak_for(2 * RIG_HOUR);
    ck_assert_uint_eq(rig.said_count, 1);
    ck_assert_uint_eq(rig_last(&rig)->alert.mutes, 0);
    ck_assert_str_eq(rig_last(&rig)->reason, "maintenance is over");
}
END_TEST

START_TEST(maintenance_of_another_day_keeps_nothing_back)
{
    /* Fridays: it is a Thursday */
    use_window((struct oc_window){ .days = 1u << 5, .begin_minute = 0, .duration_ms = RIG_HOUR });
    leak_for(20 * RIG_MINUTE);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, 0);
}
END_TEST

START_TEST(maintenance_that_began_yesterday_is_still_on)
{
    /* Wednesdays from 23:00 */
    use_window((struct oc_window){
        .days = 1u << 3, .begin_minute = 23 * 60, .duration_ms = 3 * RIG_HOUR });
    leak_for(20 * RIG_MINUTE);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, OC_ALERT_MAINTENANCE);
}
END_TEST

START_TEST(a_limit_beyond_the_next_planned_end_is_shown_not_told)
{
    use_window((struct oc_window){ .begin_minute = 6 * 60, .is_restart = 1 });
    leak_for(20 * RIG_MINUTE); /* in 12 h */
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, OC_ALERT_PLANNED);
}
END_TEST

START_TEST(a_limit_before_the_next_planned_end_is_told)
{
    use_window((struct oc_window){ .begin_minute = 20 * 60, .is_restart = 1 });
    leak_for(20 * RIG_MINUTE);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, 0);
}
END_TEST

/* ---- inhibition ---- */

START_TEST(the_hosts_alert_keeps_those_of_its_processes_quiet)
{
    uint32_t host = oc_alerts_subject(rig.alerts, "host", OC_SOURCE_HOST);
    struct oc_forecast_row row = { 0 };

    leak_for(20 * RIG_MINUTE);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, 0);
    for (int i = 0; i < 30; i++) {
        row = rig_row(&rig, OC_FORECAST_LEAKING, 2);
        row.limit.kind = OC_LIMIT_HOST_MEMORY;
        rig_tell_host(&rig, host, &row);
        leak_for(RIG_MINUTE);
    }
    ck_assert_uint_eq(rig_find(&rig, FORECAST, CRITICAL)->mutes, 0);
    ck_assert_str_eq(rig_find(&rig, FORECAST, CRITICAL)->subject, "host");
    for (int i = 0; i < 60; i++) {
        row.forecast.state = OC_FORECAST_FLAT;
        rig_tell_host(&rig, host, &row);
        leak_for(RIG_MINUTE);
    }
    ck_assert_str_eq(rig_find(&rig, FORECAST, WARN)->subject, "unit:shop.service");
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, 0);
    ck_assert_str_eq(rig_last(&rig)->reason, "no worse alert says it any more");
}
END_TEST

/* ---- acks, flapping ---- */

START_TEST(an_ack_lasts_for_its_episode)
{
    leak_for(20 * RIG_MINUTE);
    rig_forget(&rig);
    ck_assert_int_eq(oc_alerts_ack(rig.alerts, 0, "shop.service", rig.now_ms), 1);
    ck_assert_int_eq(oc_alerts_ack(rig.alerts, 0, "blog*", rig.now_ms), 0);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, OC_ALERT_ACKED);
    ck_assert_int_eq(rig_last(&rig)->is_news, 0);
    rig_go_on(&rig, shop, OC_FORECAST_FLAT, 12, RIG_HOUR);
    leak_for(20 * RIG_MINUTE);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, 0);
}
END_TEST

static void kill_one(void)
{
    const struct oc_alert_event kill = { .kind = OC_ALERT_EVENT_OOM_KILL, .source = 1, .pid = 1 };

    oc_alerts_event(rig.alerts, shop, &kill, rig.now_ms);
}

START_TEST(what_comes_and_goes_is_damped)
{
    for (int i = 0; i < 12; i++) { /* every 20 min; each is over after 15 */
        kill_one();
        rig_pass(&rig, 20 * RIG_MINUTE);
    }
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 4);
    ck_assert(rig_find(&rig, "OutOfMemoryKill", CRITICAL)->mutes & OC_ALERT_FLAPPING);
    ck_assert_uint_eq(rig_find(&rig, "OutOfMemoryKill", CRITICAL)->flaps, 3);
    rig_pass(&rig, RIG_HOUR);
    ck_assert_uint_eq(rig_stats(&rig).firing, 0);
}
END_TEST

START_TEST(each_episode_has_its_number)
{
    kill_one();
    ck_assert_uint_eq(rig_last(&rig)->alert.episode, 1);
    rig_pass(&rig, 20 * RIG_MINUTE);
    oc_alerts_set_episode(rig.alerts, 40);
    kill_one();
    ck_assert_uint_eq(rig_last(&rig)->alert.episode, 41);
    ck_assert_uint_eq(rig_last(&rig)->alert.fingerprint, rig.said[0].alert.fingerprint);
}
END_TEST

/* ---- restarts of the daemon, reloads ---- */

/* A new engine with what the old one's firing alert was. */
static struct oc_alert restart_engine(void)
{
    struct oc_alert alert = *rig_find(&rig, FORECAST, WARN);
    int64_t now_ms = rig.now_ms + 5 * RIG_MINUTE;

    end();
    begin();
    rig.now_ms = now_ms;
    ck_assert_int_eq(oc_alerts_restore(rig.alerts, &alert, rig.now_ms), OC_OK);
    return alert;
}

START_TEST(a_restart_of_the_daemon_begins_nothing_anew)
{
    struct oc_alert before;

    leak_for(20 * RIG_MINUTE);
    oc_alerts_note_told(rig.alerts, rig_find(&rig, FORECAST, WARN)->fingerprint);
    before = restart_engine();
    leak_for(2 * RIG_HOUR);
    ck_assert_uint_eq(rig.said_count, 0);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->episode, before.episode);
    ck_assert_int_eq(rig_find(&rig, FORECAST, WARN)->firing_unix_ms, before.firing_unix_ms);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->was_told, 1);
}
END_TEST

START_TEST(what_is_over_after_a_restart_resolves)
{
    leak_for(20 * RIG_MINUTE);
    (void)restart_engine();
    rig_say_state(&rig, shop, 5, OC_FORECAST_FLAT, 1); /* another id */
    rig_pass(&rig, RIG_MINUTE);
    ck_assert(rig_fires(&rig, FORECAST, WARN)); /* not at once */
    for (int i = 0; i < 60; i++) {
        rig_say_state(&rig, shop, 5, OC_FORECAST_FLAT, 1);
        rig_pass(&rig, RIG_MINUTE);
    }
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_RESOLVED), 1);
}
END_TEST

START_TEST(what_is_never_heard_of_after_a_restart_resolves)
{
    leak_for(20 * RIG_MINUTE);
    (void)restart_engine();
    rig_pass(&rig, 2 * RIG_HOUR);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_RESOLVED), 1);
    ck_assert_ptr_nonnull(strstr(rig_last(&rig)->reason, "not seen since"));
}
END_TEST

START_TEST(a_restored_warning_stays_inhibited)
{
    struct oc_alert warning, critical;

    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 2, 30 * RIG_MINUTE);
    warning = *rig_find(&rig, FORECAST, WARN);
    critical = *rig_find(&rig, FORECAST, CRITICAL);
    ck_assert_uint_eq(warning.mutes, OC_ALERT_INHIBITED);
    end();
    begin();
    rig.now_ms = warning.changed_unix_ms + RIG_MINUTE;
    ck_assert_int_eq(oc_alerts_restore(rig.alerts, &warning, rig.now_ms), OC_OK);
    ck_assert_int_eq(oc_alerts_restore(rig.alerts, &critical, rig.now_ms), OC_OK);
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 2, 10 * RIG_MINUTE);
    ck_assert_uint_eq(rig.said_count, 0);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, OC_ALERT_INHIBITED);
}
END_TEST

static void use_defaults_but(const char *without)
{
    struct oc_rules rules = { 0 };

    ck_assert_int_eq(oc_rules_default(&rules), OC_OK);
    for (size_t i = 0; i < rules.count; i++)
        rules.items[i].is_off = strcmp(rules.items[i].name, without) == 0;
    rig_use(&rig, rules.items, rules.count);
    oc_rules_clear(&rules);
}

START_TEST(a_reload_begins_nothing_anew)
{
    leak_for(20 * RIG_MINUTE);
    rig_forget(&rig);
    use_defaults_but("RestartLoop");
    leak_for(RIG_HOUR);
    ck_assert_uint_eq(rig.said_count, 0);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
}
END_TEST

START_TEST(a_rule_that_is_gone_resolves_its_alerts)
{
    leak_for(20 * RIG_MINUTE);
    use_defaults_but(FORECAST);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_RESOLVED), 1);
    ck_assert_ptr_nonnull(strstr(rig_last(&rig)->reason, "no rule of that name"));
    leak_for(RIG_HOUR);
    ck_assert_uint_eq(rig_stats(&rig).firing, 0);
}
END_TEST

START_TEST(labels_say_which_rules_are_meant)
{
    char *globs[] = { (char *)"team=pay*" };
    struct oc_rule rule = { .name = "OfPayments",
                            .kind = OC_RULE_FORECAST,
                            .severity = WARN,
                            .labels = { globs, 1 },
                            .chance = 0.5,
                            .horizon_ms = 24 * RIG_HOUR };
    const char *const pairs[] = { "team", "payments", "severity", "mine", NULL };
    const char *const *labels = NULL;

    rig_use(&rig, &rule, 1);
    leak_for(20 * RIG_MINUTE);
    ck_assert_uint_eq(rig.said_count, 0);
    ck_assert_uint_eq(oc_alerts_wants(rig.alerts, shop), 0);
    ck_assert_int_eq(oc_alerts_labels(rig.alerts, shop, pairs, rig.now_ms), OC_OK);
    leak_for(20 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, "OfPayments", WARN));
    labels = oc_alerts_labels_of(rig.alerts, rig_find(&rig, "OfPayments", WARN));
    ck_assert_str_eq(labels[3], "warning");
    ck_assert_str_eq(labels[5], "host1");
    ck_assert_str_eq(labels[8], "team");
    ck_assert_ptr_null(labels[10]); /* the user's "severity" is not told beside ours */
}
END_TEST

/* Its warning waits half an hour for growth that pauses; an end is none. */
START_TEST(what_ended_resolves_soon)
{
    const struct oc_alert_event ended = {
        .kind = OC_ALERT_EVENT_ENDED, .source = 1, .pid = 1, .end = OC_END_EXITED
    };

    leak_for(20 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    rig_forget(&rig);
    oc_alerts_event(rig.alerts, shop, &ended, rig.now_ms);
    rig_pass(&rig, RIG_MINUTE);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    rig_pass(&rig, 2 * RIG_MINUTE);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_RESOLVED), 1);
    ck_assert_ptr_nonnull(strstr(rig_last(&rig)->reason, "it exited with 0"));
}
END_TEST

START_TEST(what_pauses_does_not_resolve_soon)
{
    leak_for(20 * RIG_MINUTE);
    rig_go_on(&rig, shop, OC_FORECAST_FLAT, 12, 10 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
}
END_TEST

START_TEST(what_is_not_watched_any_more_resolves)
{
    leak_for(20 * RIG_MINUTE);
    oc_alerts_forget(rig.alerts, shop, rig.now_ms);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_RESOLVED), 1);
    ck_assert_uint_eq(rig_stats(&rig).subjects, 0);
    shop = rig_subject(&rig, "unit:shop.service");
    leak_for(20 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
}
END_TEST

START_TEST(a_jump_of_the_wall_clock_changes_nothing)
{
    leak_for(5 * RIG_MINUTE);
    oc_alerts_clock(rig.alerts, -24 * RIG_HOUR);
    rig.now_ms -= 24 * RIG_HOUR;
    leak_for(10 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    oc_alerts_clock(rig.alerts, 1000 * RIG_HOUR);
    rig.now_ms += 1000 * RIG_HOUR;
    leak_for(10 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 1);
}
END_TEST

/* ---- bounds ---- */

#define CROWD 2000

static void crowd_leaks(int64_t span_ms)
{
    char name[32];

    for (int64_t at = 0; at < span_ms; at += RIG_MINUTE) {
        for (int i = 0; i < CROWD; i++) {
            (void)snprintf(name, sizeof(name), "unit:job-%d.service", i);
            rig_say_state(&rig, rig_subject(&rig, name), (uint32_t)i + 1, OC_FORECAST_LEAKING, 12);
        }
        rig_pass(&rig, RIG_MINUTE);
    }
}

START_TEST(two_thousand_at_once_are_all_told)
{
    int64_t live;

    crowd_leaks(12 * RIG_MINUTE);
    ck_assert_uint_eq(rig_stats(&rig).firing, CROWD);
    ck_assert_uint_eq(rig_stats(&rig).refused, 0);
    live = oc_alloc_live();
    crowd_leaks(12 * RIG_MINUTE);
    ck_assert_int_eq(oc_alloc_live(), live); /* nothing is taken while nothing changes */
}
END_TEST

START_TEST(beyond_the_maximum_they_are_counted)
{
    const struct oc_alerts_options options = { .instance = "h", .max_alerts = 100 };
    struct oc_rules rules = { 0 };

    oc_alerts_free(rig.alerts);
    ck_assert_int_eq(oc_alerts_new(&options, rig_hear, &rig, &rig.alerts), OC_OK);
    ck_assert_int_eq(oc_rules_default(&rules), OC_OK);
    rig_use(&rig, rules.items, rules.count);
    oc_rules_clear(&rules);
    crowd_leaks(12 * RIG_MINUTE);
    ck_assert_uint_eq(rig_stats(&rig).firing, 100);
    ck_assert_uint_gt(rig_stats(&rig).refused, 0);
}
END_TEST

START_TEST(nothing_is_allocated_while_nothing_changes)
{
    uint64_t asked;

    rig_go_on(&rig, shop, OC_FORECAST_FLAT, 1, 5 * RIG_MINUTE);
    leak_for(20 * RIG_MINUTE);
    asked = oc_alloc_count();
    leak_for(RIG_HOUR);
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 33, RIG_HOUR);
    ck_assert_uint_eq(oc_alloc_count(), asked);
}
END_TEST

START_TEST(an_alert_begins_with_no_memory_left)
{
    oc_alloc_fail_at(1, 1);
    leak_for(20 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    kill_one();
    ck_assert(rig_fires(&rig, "OutOfMemoryKill", CRITICAL));
    oc_alloc_fail_at(0, 0);
}
END_TEST

/* All that takes memory. */
static void run_all(void)
{
    static const char *const pairs[] = { "team", "payments", NULL };
    struct oc_silence silence = { .begin_unix_ms = RIG_BEGIN,
                                  .end_unix_ms = RIG_BEGIN + 1000 * RIG_HOUR,
                                  .matcher_count = 1,
                                  .matchers = { { "subject", "nobody", 0 } } };
    struct oc_window window = { .begin_minute = 60, .duration_ms = 1000 };
    const struct oc_windows windows = { &window, 1 };
    struct oc_rules rules = { 0 };
    uint32_t blog = oc_alerts_subject(rig.alerts, "unit:blog.service", OC_SOURCE_PROCESS);

    (void)oc_alerts_labels(rig.alerts, shop, pairs, rig.now_ms);
    (void)oc_alerts_silence(rig.alerts, &silence, rig.now_ms);
    (void)oc_alerts_set_windows(rig.alerts, &windows, rig.now_ms);
    if (oc_rules_default(&rules) == OC_OK)
        (void)oc_alerts_set_rules(rig.alerts, &rules, rig.now_ms);
    oc_rules_clear(&rules);
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 2, 25 * RIG_MINUTE);
    oc_alerts_event(rig.alerts, shop,
                    &(struct oc_alert_event){
                        .kind = OC_ALERT_EVENT_ENDED, .source = 1, .end = OC_END_OOM_KILLED },
                    rig.now_ms);
    oc_alerts_forget(rig.alerts, blog, rig.now_ms);
}

START_TEST(each_allocation_may_fail_once)
{
    uint64_t count;
    int64_t live;

    end();
    live = oc_alloc_live();
    begin();
    oc_alloc_fail_at(0, 0);
    run_all();
    count = oc_alloc_count();
    end();
    for (uint64_t nth = 1; nth <= count; nth++) {
        begin();
        oc_alloc_fail_at(nth, 0);
        run_all();
        oc_alloc_fail_at(0, 0);
        ck_assert_msg(rig_news(&rig, OC_ALERT_DIED) == 2, "allocation %u", (unsigned)nth);
        end();
    }
    ck_assert_int_eq(oc_alloc_live(), live);
    begin();
}
END_TEST

START_TEST(an_engine_is_made_or_not_at_all)
{
    const struct oc_alerts_options options = { .instance = "h" };
    oc_alerts *alerts = NULL;
    int64_t live = oc_alloc_live();

    for (uint64_t nth = 1; nth < 18; nth++) {
        oc_alloc_fail_at(nth, 0);
        ck_assert_int_eq(oc_alerts_new(&options, rig_hear, &rig, &alerts), OC_E_NOMEM);
    }
    oc_alloc_fail_at(0, 0);
    ck_assert_int_eq(oc_alloc_live(), live);
}
END_TEST

/* ---- running ---- */

static void add_lives(TCase *tcase)
{
    tcase_add_test(tcase, a_restart_of_the_daemon_begins_nothing_anew);
    tcase_add_test(tcase, what_is_over_after_a_restart_resolves);
    tcase_add_test(tcase, what_is_never_heard_of_after_a_restart_resolves);
    tcase_add_test(tcase, a_restored_warning_stays_inhibited);
    tcase_add_test(tcase, a_reload_begins_nothing_anew);
    tcase_add_test(tcase, a_rule_that_is_gone_resolves_its_alerts);
    tcase_add_test(tcase, labels_say_which_rules_are_meant);
    tcase_add_test(tcase, what_ended_resolves_soon);
    tcase_add_test(tcase, what_pauses_does_not_resolve_soon);
    tcase_add_test(tcase, what_is_not_watched_any_more_resolves);
    tcase_add_test(tcase, a_jump_of_the_wall_clock_changes_nothing);
}

static void add_bounds(TCase *tcase)
{
    tcase_add_test(tcase, two_thousand_at_once_are_all_told);
    tcase_add_test(tcase, beyond_the_maximum_they_are_counted);
    tcase_add_test(tcase, nothing_is_allocated_while_nothing_changes);
    tcase_add_test(tcase, an_alert_begins_with_no_memory_left);
    tcase_add_test(tcase, each_allocation_may_fail_once);
    tcase_add_test(tcase, an_engine_is_made_or_not_at_all);
}

static Suite *life_suite(void)
{
    Suite *suite = suite_create("life");
    TCase *tcase = tcase_create("life");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, maintenance_keeps_alerts_back_and_tells_them_at_its_end);
    tcase_add_test(tcase, maintenance_of_another_day_keeps_nothing_back);
    tcase_add_test(tcase, maintenance_that_began_yesterday_is_still_on);
    tcase_add_test(tcase, a_limit_beyond_the_next_planned_end_is_shown_not_told);
    tcase_add_test(tcase, a_limit_before_the_next_planned_end_is_told);
    tcase_add_test(tcase, the_hosts_alert_keeps_those_of_its_processes_quiet);
    tcase_add_test(tcase, an_ack_lasts_for_its_episode);
    tcase_add_test(tcase, what_comes_and_goes_is_damped);
    tcase_add_test(tcase, each_episode_has_its_number);
    add_lives(tcase);
    add_bounds(tcase);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(life_suite());
    int failed = 0;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
