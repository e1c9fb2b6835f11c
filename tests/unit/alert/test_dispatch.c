/* Who is told of which alert and when, over hours of a made clock. */
#include "base/alloc.h"
#include "dispatch_rig.h"

#include <check.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct oc_receivers receivers;

static void begin(void)
{
    receivers = (struct oc_receivers){ 0 };
    (void)rig_receiver(&receivers, "ops");
    rig_open(&rig, &receivers, NULL);
}

static void end(void)
{
    rig_close(&rig);
    oc_receivers_clear(&receivers);
}

static void reopen(void)
{
    rig_close(&rig);
    rig_open(&rig, &receivers, NULL);
}

static const struct rig_attempt *last(void) { return &rig.attempts[rig.attempt_count - 1]; }

/* ---- groups ---- */

START_TEST(alert_of_an_hour_is_one_message_and_one_end)
{
    struct oc_alert alert = rig_alert(1, "MemoryLimitForecast", OC_SEVERITY_WARN);

    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 29 * SECOND);
    ck_assert_uint_eq(rig.attempt_count, 0);
    rig_run(&rig, 59 * MINUTE + 31 * SECOND);
    ck_assert_uint_eq(rig.attempt_count, 1);
    ck_assert_int_eq(rig.attempts[0].at_ms, RIG_BEGIN + 30 * SECOND);
    ck_assert_uint_eq(rig.told_count, 1);
    rig_say(&rig, &alert, OC_ALERT_RESOLVED);
    rig_run(&rig, 24 * HOUR);
    ck_assert_uint_eq(rig.attempt_count, 2);
    ck_assert_uint_eq(rig_told_of(&rig, alert.fingerprint, OC_ALERT_FIRING), 1);
    ck_assert_uint_eq(rig_told_of(&rig, alert.fingerprint, OC_ALERT_RESOLVED), 1);
    ck_assert_uint_eq(last()->is_firing, 0);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_SENT), 2);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_WAITING), 0);
}
END_TEST

START_TEST(what_comes_together_is_told_together)
{
    struct oc_alert alerts[20];

    for (unsigned i = 0; i < 20; i++) {
        alerts[i] = rig_alert(i, "MemoryLimitForecast", OC_SEVERITY_WARN);
        rig_say(&rig, &alerts[i], OC_ALERT_FIRING);
        rig_run(&rig, SECOND);
    }
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 1);
    ck_assert_uint_eq(rig.attempts[0].firing, 20);
}
END_TEST

START_TEST(rules_are_groups_of_their_own)
{
    struct oc_alert a = rig_alert(1, "MemoryLimitForecast", OC_SEVERITY_WARN);
    struct oc_alert b = rig_alert(1, "RestartLoop", OC_SEVERITY_CRITICAL);

    rig_say(&rig, &a, OC_ALERT_FIRING);
    rig_say(&rig, &b, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 2);
    ck_assert_uint_eq(rig.attempts[0].severity, OC_SEVERITY_CRITICAL); /* first */
}
END_TEST

START_TEST(later_warnings_of_a_group_are_five_minutes_apart)
{
    struct oc_alert a = rig_alert(1, "R", OC_SEVERITY_WARN),
                    b = rig_alert(2, "R", OC_SEVERITY_WARN);

    rig_say(&rig, &a, OC_ALERT_FIRING);
    rig_run(&rig, 40 * SECOND);
    rig_say(&rig, &b, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 2);
    ck_assert_int_eq(rig.attempts[1].at_ms, RIG_BEGIN + 30 * SECOND + 5 * MINUTE);
    ck_assert_uint_eq(rig.attempts[1].firing, 1);
}
END_TEST

START_TEST(critical_ones_of_a_group_wait_half_a_minute)
{
    struct oc_alert a = rig_alert(1, "R", OC_SEVERITY_WARN),
                    b = rig_alert(2, "R", OC_SEVERITY_WARN);
    struct oc_alert c = rig_alert(3, "R", OC_SEVERITY_CRITICAL);

    rig_say(&rig, &a, OC_ALERT_FIRING);
    rig_run(&rig, 40 * SECOND);
    rig_say(&rig, &b, OC_ALERT_FIRING);
    rig_run(&rig, 10 * SECOND);
    rig_say(&rig, &c, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 2);
    ck_assert_int_eq(rig.attempts[1].at_ms, RIG_BEGIN + 70 * SECOND);
    ck_assert_uint_eq(rig.attempts[1].firing, 2);
    ck_assert_uint_eq(rig.attempts[1].alerts[0].fingerprint == c.fingerprint, 1); /* worst first */
}
END_TEST

START_TEST(explanation_that_comes_late_is_told)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, SECOND);
    ck_assert_ptr_nonnull(strstr(rig.store.rows[0].body, "it grows"));
    rig.explanation = "92 % of it is heap"; /* the rig looks at what is sent */
    rig_run(&rig, MINUTE);
    ck_assert_uint_eq(rig.attempt_count, 1);
    ck_assert_ptr_nonnull(strstr(rig.store.rows[0].body, "92 % of it is heap"));
}
END_TEST

START_TEST(want_of_memory_for_it_does_not_hold_up_a_message)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, SECOND);
    rig.fail_describe = 1;
    rig_run(&rig, MINUTE);
    ck_assert_uint_eq(rig.attempt_count, 1);
}
END_TEST

START_TEST(row_is_stored_in_the_turn_of_the_change)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig_say(&rig, &alert, OC_ALERT_FIRING);
    (void)oc_dispatch_tick(rig.dispatch, rig.now_ms);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_WAITING), 1);
    ck_assert_int_eq(rig.store.rows[0].row.next_unix_ms, RIG_BEGIN + 30 * SECOND);
    rig_run(&rig, MINUTE);
    rig_say(&rig, &alert, OC_ALERT_RESOLVED);
    (void)oc_dispatch_tick(rig.dispatch, rig.now_ms);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_WAITING), 1);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_SENT), 1);
}
END_TEST

/* ---- reminders ---- */

START_TEST(what_still_fires_is_told_again_after_four_hours)
{
    struct oc_alert a = rig_alert(1, "R", OC_SEVERITY_WARN),
                    b = rig_alert(2, "R", OC_SEVERITY_WARN);

    rig_say(&rig, &a, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    rig_say(&rig, &b, OC_ALERT_FIRING);
    rig_run(&rig, 23 * HOUR);
    /* a at 0, 4, 8, 12, 16, 20; b an hour later each */
    ck_assert_uint_eq(rig_told_of(&rig, a.fingerprint, OC_ALERT_FIRING), 6);
    ck_assert_uint_eq(rig_told_of(&rig, b.fingerprint, OC_ALERT_FIRING), 6);
}
END_TEST

START_TEST(acked_ones_are_not_told_again)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    alert.mutes = OC_ALERT_ACKED;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 24 * HOUR);
    ck_assert_uint_eq(rig.attempt_count, 1);
    rig_say(&rig, &alert, OC_ALERT_RESOLVED);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig_told_of(&rig, alert.fingerprint, OC_ALERT_RESOLVED), 1);
}
END_TEST

START_TEST(a_rule_has_its_own_time_to_remind)
{
    struct oc_rule rule = { .name = "R", .renotify_ms = HOUR };
    const struct oc_rules rules = { .items = &rule, .count = 1 };
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    oc_dispatch_set_renotify(rig.dispatch, &rules);
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 4 * HOUR + 30 * MINUTE);
    ck_assert_uint_eq(rig.attempt_count, 5);
}
END_TEST

/* ---- mutes ---- */

START_TEST(muted_one_is_told_when_it_is_unmuted)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    alert.mutes = OC_ALERT_SILENCED;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 0);
    alert.mutes = 0;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, MINUTE);
    ck_assert_uint_eq(rig.attempt_count, 1);
}
END_TEST

START_TEST(muted_one_that_nobody_knows_of_ends_quietly)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    alert.mutes = OC_ALERT_INHIBITED;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    rig_say(&rig, &alert, OC_ALERT_RESOLVED);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 0);
    ck_assert_uint_eq(rig.store.count, 0);
}
END_TEST

START_TEST(who_was_told_is_told_the_end_also_when_muted_meanwhile)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    alert.mutes = OC_ALERT_SILENCED;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 24 * HOUR); /* no reminders */
    ck_assert_uint_eq(rig.attempt_count, 1);
    rig_say(&rig, &alert, OC_ALERT_RESOLVED);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig_told_of(&rig, alert.fingerprint, OC_ALERT_RESOLVED), 1);
}
END_TEST

START_TEST(muted_while_its_group_waits_is_not_told)
{
    struct oc_alert warn = rig_alert(1, "R", OC_SEVERITY_WARN);
    struct oc_alert critical = rig_alert(1, "R", OC_SEVERITY_CRITICAL);

    rig_say(&rig, &warn, OC_ALERT_FIRING);
    rig_run(&rig, 10 * SECOND);
    rig_say(&rig, &critical, OC_ALERT_FIRING);
    warn.mutes = OC_ALERT_INHIBITED;
    rig_say(&rig, &warn, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 1);
    ck_assert_uint_eq(rig.attempts[0].firing, 1);
    rig_say(&rig, &warn, OC_ALERT_RESOLVED);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 1);
}
END_TEST

START_TEST(what_comes_and_goes_while_its_group_waits_is_no_news)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 10 * SECOND);
    rig_say(&rig, &alert, OC_ALERT_RESOLVED);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 0);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_WAITING), 0);
}
END_TEST

START_TEST(death_while_its_group_waits_is_told)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 10 * SECOND);
    rig_say(&rig, &alert, OC_ALERT_DIED);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 1);
    ck_assert_uint_eq(rig_told_of(&rig, alert.fingerprint, OC_ALERT_DIED), 1);
}
END_TEST

START_TEST(who_wants_no_resolutions_hears_of_deaths_alone)
{
    struct oc_alert a = rig_alert(1, "R", OC_SEVERITY_WARN),
                    b = rig_alert(2, "R", OC_SEVERITY_WARN);

    receivers.items[0].send_resolved = 0;
    reopen();
    rig_say(&rig, &a, OC_ALERT_FIRING);
    rig_say(&rig, &b, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    rig_say(&rig, &a, OC_ALERT_RESOLVED);
    rig_say(&rig, &b, OC_ALERT_DIED);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 2);
    ck_assert_uint_eq(rig.attempts[1].count, 1);
    ck_assert_uint_eq(rig.attempts[1].alerts[0].state, OC_ALERT_DIED);
    rig_say(&rig, &a, OC_ALERT_FIRING); /* again: it is told */
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 3);
}
END_TEST

/* ---- whom ---- */

static int takes(void (*set)(struct oc_receiver *receiver))
{
    static const char *const labels[] = { "team", "shop", "env", "prod", NULL };
    struct oc_receivers one = { 0 };
    struct oc_receiver *receiver = rig_receiver(&one, "r");
    struct oc_alert alert = rig_alert(7, "MemoryLimitForecast", OC_SEVERITY_WARN);
    int is_taken = 0;

    set(receiver);
    is_taken = oc_receiver_takes(receiver, &alert, labels);
    oc_receivers_clear(&one);
    return is_taken;
}

static void add(struct oc_strings *strings, const char *text)
{
    ck_assert_int_eq(oc_strings_add(strings, text, strlen(text)), OC_OK);
}

static void all(struct oc_receiver *r) { (void)r; }
static void critical_only(struct oc_receiver *r) { r->min_severity = OC_SEVERITY_CRITICAL; }
static void heartbeat(struct oc_receiver *r) { r->type = OC_RECEIVER_HEARTBEAT; }
static void subject(struct oc_receiver *r) { add(&r->subjects, "s0007*"); }
static void other_subject(struct oc_receiver *r) { add(&r->subjects, "unit:x*"); }
static void two_subjects(struct oc_receiver *r)
{
    add(&r->subjects, "unit:x*");
    add(&r->subjects, "unit:s*");
}
static void labels(struct oc_receiver *r)
{
    add(&r->labels, "team=sh*");
    add(&r->labels, "env=prod");
}
static void other_label(struct oc_receiver *r)
{
    add(&r->labels, "team=sh*");
    add(&r->labels, "env=test");
}
static void no_label(struct oc_receiver *r) { add(&r->labels, "zone=*"); }
static void rule(struct oc_receiver *r) { add(&r->rules, "Memory*"); }
static void other_rule(struct oc_receiver *r) { add(&r->rules, "RestartLoop"); }

START_TEST(receivers_take_what_their_globs_mean)
{
    ck_assert_int_eq(takes(all), 1);
    ck_assert_int_eq(takes(critical_only), 0);
    ck_assert_int_eq(takes(heartbeat), 0);
    ck_assert_int_eq(takes(subject), 1);
    ck_assert_int_eq(takes(other_subject), 0);
    ck_assert_int_eq(takes(two_subjects), 1);
    ck_assert_int_eq(takes(labels), 1);
    ck_assert_int_eq(takes(other_label), 0);
    ck_assert_int_eq(takes(no_label), 0);
    ck_assert_int_eq(takes(rule), 1);
    ck_assert_int_eq(takes(other_rule), 0);
}
END_TEST

START_TEST(each_receiver_is_told_what_it_takes)
{
    struct oc_alert a = rig_alert(1, "R", OC_SEVERITY_WARN);
    struct oc_alert b = rig_alert(2, "R", OC_SEVERITY_CRITICAL);

    rig_receiver(&receivers, "pager")->min_severity = OC_SEVERITY_CRITICAL;
    rig_receiver(&receivers, "peer")->type = OC_RECEIVER_ALERTMANAGER;
    reopen();
    rig_say(&rig, &a, OC_ALERT_FIRING);
    rig_say(&rig, &b, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 2);
    for (size_t i = 0; i < 2; i++)
        ck_assert_uint_eq(rig.attempts[i].count,
                          strcmp(rig.attempts[i].receiver, "ops") == 0 ? 2 : 1);
}
END_TEST

/* ---- settings ---- */

START_TEST(new_receiver_is_told_what_fires)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    (void)rig_receiver(&receivers, "second");
    ck_assert_int_eq(oc_dispatch_set_receivers(rig.dispatch, &receivers, rig.now_ms), OC_OK);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 2);
    ck_assert_str_eq(rig.attempts[1].receiver, "second");
    rig_say(&rig, &alert, OC_ALERT_RESOLVED);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 4);
}
END_TEST

START_TEST(rows_of_a_receiver_that_is_gone_are_dropped)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);
    const struct oc_receivers none = { 0 };

    rig.answer = rig_500;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, MINUTE);
    ck_assert_int_eq(oc_dispatch_set_receivers(rig.dispatch, &none, rig.now_ms), OC_OK);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_DROPPED), 1);
    ck_assert_str_eq(rig.store.rows[0].why, "its receiver is gone");
    rig_say(&rig, &alert, OC_ALERT_RESOLVED);
    rig.flight_count = 0;
    rig_run(&rig, HOUR);
}
END_TEST

START_TEST(times_may_change_while_it_runs)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    oc_dispatch_set_times(rig.dispatch, SECOND, MINUTE, 2 * HOUR);
    rig_run(&rig, 3 * HOUR + MINUTE); /* at 2 h and 4 h */
    ck_assert_uint_eq(rig.attempt_count, 3);
    rig_say(&rig, &alert, OC_ALERT_RESOLVED);
    rig_run(&rig, 2 * MINUTE);
    ck_assert_uint_eq(rig.attempt_count, 4);
}
END_TEST

/* ---- flapping ---- */

START_TEST(flapping_within_an_interval_is_folded_to_its_last_state)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, MINUTE);
    for (int i = 0; i < 100; i++) { /* each 20 s */
        rig_say(&rig, &alert, i % 2 ? OC_ALERT_FIRING : OC_ALERT_RESOLVED);
        rig_run(&rig, 20 * SECOND);
    }
    rig_say(&rig, &alert, OC_ALERT_RESOLVED);
    rig_run(&rig, HOUR);
    ck_assert_uint_le(rig.attempt_count, 9); /* half an hour, 5 min apart */
    ck_assert_uint_eq(rig_last_of(&rig, "ops", alert.fingerprint), OC_ALERT_RESOLVED);
}
END_TEST

static Suite *dispatch_suite(void)
{
    Suite *suite = suite_create("dispatch");
    TCase *tcase = tcase_create("dispatch");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, alert_of_an_hour_is_one_message_and_one_end);
    tcase_add_test(tcase, what_comes_together_is_told_together);
    tcase_add_test(tcase, rules_are_groups_of_their_own);
    tcase_add_test(tcase, later_warnings_of_a_group_are_five_minutes_apart);
    tcase_add_test(tcase, critical_ones_of_a_group_wait_half_a_minute);
    tcase_add_test(tcase, explanation_that_comes_late_is_told);
    tcase_add_test(tcase, want_of_memory_for_it_does_not_hold_up_a_message);
    tcase_add_test(tcase, row_is_stored_in_the_turn_of_the_change);
    tcase_add_test(tcase, what_still_fires_is_told_again_after_four_hours);
    tcase_add_test(tcase, acked_ones_are_not_told_again);
    tcase_add_test(tcase, a_rule_has_its_own_time_to_remind);
    tcase_add_test(tcase, muted_one_is_told_when_it_is_unmuted);
    tcase_add_test(tcase, muted_one_that_nobody_knows_of_ends_quietly);
    tcase_add_test(tcase, who_was_told_is_told_the_end_also_when_muted_meanwhile);
    tcase_add_test(tcase, muted_while_its_group_waits_is_not_told);
    tcase_add_test(tcase, what_comes_and_goes_while_its_group_waits_is_no_news);
    tcase_add_test(tcase, death_while_its_group_waits_is_told);
    tcase_add_test(tcase, who_wants_no_resolutions_hears_of_deaths_alone);
    tcase_add_test(tcase, receivers_take_what_their_globs_mean);
    tcase_add_test(tcase, each_receiver_is_told_what_it_takes);
    tcase_add_test(tcase, new_receiver_is_told_what_fires);
    tcase_add_test(tcase, rows_of_a_receiver_that_is_gone_are_dropped);
    tcase_add_test(tcase, times_may_change_while_it_runs);
    tcase_add_test(tcase, flapping_within_an_interval_is_folded_to_its_last_state);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    cJSON_Hooks hooks = { .malloc_fn = oc_malloc, .free_fn = oc_free };
    SRunner *runner = NULL;
    int failed = 0;

    cJSON_InitHooks(&hooks);
    runner = srunner_create(dispatch_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
