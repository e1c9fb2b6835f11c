/* From facts to alerts: each rule, and the states of an alert. */
#include "engine_rig.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

#define WARN OC_SEVERITY_WARN
#define CRITICAL OC_SEVERITY_CRITICAL
#define FORECAST "MemoryLimitForecast"

static struct rig rig;
static uint32_t shop;

static void begin_with(struct oc_rule *rules, size_t count)
{
    rig_begin(&rig, rules, count);
    shop = rig_subject(&rig, "unit:shop.service");
}

static void begin(void) { begin_with(NULL, 0); }

static void end(void) { rig_end(&rig); }

/* ---- forecast ---- */

START_TEST(alerts_when_a_leak_will_meet_its_limit_within_a_day)
{
    const struct oc_alert *alert = NULL;

    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 12, 20 * RIG_MINUTE);
    alert = rig_find(&rig, FORECAST, WARN);
    ck_assert_ptr_nonnull(alert);
    ck_assert_uint_eq(alert->state, OC_ALERT_FIRING);
    ck_assert_str_eq(alert->subject, "unit:shop.service");
    ck_assert_ptr_nonnull(strstr(alert->why, "will meet memory.max of /system.slice/shop.service"));
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 1);
    ck_assert_ptr_nonnull(strstr(rig_last(&rig)->reason, "P(limit in 24 h) 0."));
    ck_assert(!rig_find(&rig, FORECAST, CRITICAL));
}
END_TEST

START_TEST(stays_quiet_when_the_limit_is_far_or_the_growth_not_sure)
{
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 48, 5 * RIG_HOUR);
    rig_go_on(&rig, shop, OC_FORECAST_GROWING, 2, 5 * RIG_HOUR); /* not sure to be a leak */
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

START_TEST(stays_quiet_when_nothing_grows)
{
    static const unsigned states[] = { OC_FORECAST_LEARNING, OC_FORECAST_FLAT, OC_FORECAST_CYCLIC,
                                       OC_FORECAST_WARMING };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        rig_go_on(&rig, shop, states[i], 1, RIG_HOUR);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

START_TEST(stays_quiet_when_a_leak_is_said_for_a_moment)
{
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 12, 3 * RIG_MINUTE);
    rig_go_on(&rig, shop, OC_FORECAST_FLAT, 12, RIG_HOUR);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 0);
    ck_assert_uint_eq(rig_stats(&rig).pending, 0);
}
END_TEST

START_TEST(alerts_critically_within_four_hours_and_the_warning_is_kept_quiet)
{
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 2, 25 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, FORECAST, CRITICAL));
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    ck_assert_uint_eq(rig_find(&rig, FORECAST, CRITICAL)->mutes, 0);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, OC_ALERT_INHIBITED);
}
END_TEST

START_TEST(one_alert_whatever_the_limits_and_the_nearest_is_named)
{
    struct oc_forecast_row rows[3];

    for (int i = 0; i < 3; i++)
        rows[i] = rig_row(&rig, OC_FORECAST_LEAKING, 20 - 5 * i);
    (void)oc_text_copy(rows[2].limit.where, sizeof(rows[2].limit.where), "/system.slice");
    for (int i = 0; i < 20; i++) {
        rig_tell(&rig, shop, 1, rows, 3);
        rig_pass(&rig, RIG_MINUTE);
    }
    ck_assert_uint_eq(rig_stats(&rig).firing, 1);
    ck_assert_str_eq(rig_find(&rig, FORECAST, WARN)->about.limit.where, "/system.slice");
}
END_TEST

START_TEST(resolves_only_beyond_one_and_a_half_horizons_and_when_it_stays_so)
{
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 12, 20 * RIG_MINUTE);
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 33, 5 * RIG_HOUR); /* between the bounds */
    rig_go_on(&rig, shop, OC_FORECAST_GROWING, 12, 5 * RIG_HOUR);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 60, 20 * RIG_MINUTE); /* for a while */
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 12, 20 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_RESOLVED), 0);
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 60, 2 * RIG_HOUR);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_RESOLVED), 1);
    ck_assert_uint_eq(rig_stats(&rig).firing, 0);
    ck_assert_ptr_nonnull(strstr(rig_last(&rig)->reason, "P(limit in 36 h)"));
}
END_TEST

START_TEST(a_warning_is_not_told_anew_when_all_is_over)
{
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 2, 25 * RIG_MINUTE);
    rig_forget(&rig);
    rig_go_on(&rig, shop, OC_FORECAST_FLAT, 2,
              25 * RIG_MINUTE); /* the critical one resolves first */
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    ck_assert(!rig_fires(&rig, FORECAST, CRITICAL));
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 0);
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 12, RIG_MINUTE); /* it is not over after all */
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 1);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, 0);
}
END_TEST

START_TEST(resolves_when_it_grows_no_more)
{
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 2, 25 * RIG_MINUTE);
    rig_go_on(&rig, shop, OC_FORECAST_FLAT, 2, 2 * RIG_HOUR);
    ck_assert_uint_eq(rig_stats(&rig).firing, 0);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_RESOLVED), 2);
    ck_assert_ptr_nonnull(strstr(rig_last(&rig)->reason, "it does not grow any more"));
}
END_TEST

START_TEST(saved_by_restarts_is_shown_and_not_told)
{
    rig_go_on(&rig, shop, OC_FORECAST_SAVED, 10, 20 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, OC_ALERT_PLANNED);
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 10, 20 * RIG_MINUTE); /* it outlasts them */
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, 0);
    ck_assert_int_eq(rig_last(&rig)->is_news, 1);
}
END_TEST

START_TEST(an_earlier_limit_of_another_process_takes_over)
{
    for (int i = 0; i < 20; i++) {
        rig_say_state(&rig, shop, 1, OC_FORECAST_LEAKING, 20);
        rig_say_state(&rig, shop, 2, OC_FORECAST_LEAKING, 10);
        rig_say_state(&rig, shop, 3, OC_FORECAST_FLAT, 1);
        rig_pass(&rig, RIG_MINUTE);
    }
    ck_assert_uint_eq(rig_stats(&rig).firing, 1);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->source, 2);
    for (int i = 0; i < 60; i++) { /* the other still leaks */
        rig_say_state(&rig, shop, 1, OC_FORECAST_LEAKING, 20);
        rig_say_state(&rig, shop, 2, OC_FORECAST_FLAT, 10);
        rig_pass(&rig, RIG_MINUTE);
    }
    ck_assert(rig_fires(&rig, FORECAST, WARN));
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->source, 1);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 1);
}
END_TEST

/* ---- threshold ---- */

static struct oc_rule threshold(double enter, double clear)
{
    return (struct oc_rule){ .name = "TooMuch",
                             .kind = OC_RULE_THRESHOLD,
                             .severity = WARN,
                             .metric = OC_METRIC_RSS,
                             .enter = enter,
                             .clear = clear,
                             .for_ms = 5 * RIG_MINUTE,
                             .keep_ms = RIG_MINUTE };
}

static void sample_for(int64_t value, int64_t span_ms)
{
    for (int64_t at = 0; at < span_ms; at += 10 * RIG_SECOND) {
        rig_sample(&rig, shop, OC_METRIC_RSS, value);
        rig_pass(&rig, 10 * RIG_SECOND);
    }
}

START_TEST(alerts_when_a_metric_is_beyond_its_bound_for_long_enough)
{
    struct oc_rule rule = threshold(1000, 800);

    end();
    begin_with(&rule, 1);
    ck_assert_uint_eq(oc_alerts_wants(rig.alerts, shop), OC_ALERT_WANTS_SAMPLES);
    ck_assert_uint_eq(oc_alerts_wanted_metrics(rig.alerts, shop, OC_BLOCK_PROCESS),
                      OC_METRIC_BIT(OC_METRIC_RSS));
    sample_for(1000, 6 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, "TooMuch", WARN));
    sample_for(900, RIG_HOUR); /* between the bounds */
    ck_assert(rig_fires(&rig, "TooMuch", WARN));
    sample_for(799, 2 * RIG_MINUTE);
    ck_assert_uint_eq(rig_stats(&rig).firing, 0);
    ck_assert_uint_eq(rig_last(&rig)->alert.state, OC_ALERT_RESOLVED);
}
END_TEST

START_TEST(stays_quiet_when_a_metric_peaks)
{
    struct oc_rule rule = threshold(1000, 800);

    end();
    begin_with(&rule, 1);
    for (int i = 0; i < 20; i++) {
        sample_for(5000, 4 * RIG_MINUTE);
        sample_for(999, RIG_MINUTE);
    }
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 0);
}
END_TEST

START_TEST(alerts_when_a_metric_is_too_low)
{
    struct oc_rule rule = threshold(100, 200);

    rule.is_below = 1;
    end();
    begin_with(&rule, 1);
    sample_for(99, 6 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, "TooMuch", WARN));
    sample_for(201, 2 * RIG_MINUTE);
    ck_assert_uint_eq(rig_stats(&rig).firing, 0);
}
END_TEST

/* ---- exhausted ---- */

static struct oc_forecast_row met(unsigned kind)
{
    struct oc_forecast_row row = rig_row(&rig, OC_FORECAST_EXHAUSTED, 0);

    row.limit.kind = (uint8_t)kind;
    row.limit.where[0] = '\0';
    return row;
}

START_TEST(alerts_when_a_limit_is_met_at_which_requests_fail)
{
    const struct oc_forecast_row row = met(OC_LIMIT_RLIMIT_AS);

    rig_tell(&rig, shop, 1, &row, 1);
    rig_pass(&rig, 70 * RIG_SECOND);
    ck_assert(rig_fires(&rig, "MemoryExhausted", CRITICAL));
    ck_assert(!rig_find(&rig, FORECAST, CRITICAL)); /* said once */
}
END_TEST

START_TEST(stays_quiet_when_it_is_met_for_a_moment)
{
    const struct oc_forecast_row row = met(OC_LIMIT_RLIMIT_NOFILE);

    rig_tell(&rig, shop, 1, &row, 1);
    rig_pass(&rig, 30 * RIG_SECOND);
    rig_go_on(&rig, shop, OC_FORECAST_FLAT, 1, RIG_HOUR);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 0);
}
END_TEST

START_TEST(a_met_limit_takes_the_place_of_its_forecast)
{
    const struct oc_forecast_row row = met(OC_LIMIT_RLIMIT_AS);

    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 1, 25 * RIG_MINUTE);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, CRITICAL)->mutes, 0);
    for (int i = 0; i < 5; i++) {
        rig_tell(&rig, shop, 1, &row, 1);
        rig_pass(&rig, RIG_MINUTE);
    }
    ck_assert_uint_eq(rig_find(&rig, "MemoryExhausted", CRITICAL)->mutes, 0);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, CRITICAL)->mutes, OC_ALERT_INHIBITED);
}
END_TEST

/* ---- kills and other ends ---- */

static void tell_event(enum oc_alert_event_kind kind, enum oc_end how, int status,
                       enum oc_killer killer, const char *text)
{
    const struct oc_alert_event event = {
        .kind = kind,
        .source = 1,
        .pid = 1,
        .end = how,
        .status = status,
        .killer = killer,
        .text = text,
    };

    oc_alerts_event(rig.alerts, shop, &event, rig.now_ms);
}

START_TEST(alerts_when_a_process_is_killed_for_want_of_memory)
{
    tell_event(OC_ALERT_EVENT_OOM_KILL, OC_END_RUNNING, 0, OC_KILLER_CGROUP, "/system.slice/shop");
    ck_assert(rig_fires(&rig, "OutOfMemoryKill", CRITICAL));
    ck_assert_ptr_nonnull(
        strstr(rig_find(&rig, "OutOfMemoryKill", CRITICAL)->why, "/system.slice/shop"));
    rig_pass(&rig, 10 * RIG_MINUTE);
    tell_event(OC_ALERT_EVENT_OOM_KILL, OC_END_RUNNING, 0, OC_KILLER_CGROUP, "/system.slice/shop");
    rig_pass(&rig, 10 * RIG_MINUTE);
    ck_assert(rig_fires(&rig, "OutOfMemoryKill", CRITICAL)); /* since the second one */
    rig_pass(&rig, 10 * RIG_MINUTE);
    ck_assert_uint_eq(rig_stats(&rig).firing, 0);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 1);
}
END_TEST

START_TEST(a_kill_is_told_once_of_its_process_not_of_its_cgroup)
{
    uint32_t cgroup = oc_alerts_subject(rig.alerts, "cgroup:/a", OC_SOURCE_CGROUP);
    const struct oc_alert_event by_cgroup = { .kind = OC_ALERT_EVENT_OOM_KILL,
                                              .source = 9,
                                              .text = "/a" };

    oc_alerts_event(rig.alerts, cgroup, &by_cgroup, rig.now_ms);
    ck_assert_uint_eq(rig_last(&rig)->alert.mutes, 0); /* nobody is known to have died */
    tell_event(OC_ALERT_EVENT_OOM_KILL, OC_END_RUNNING, 0, OC_KILLER_CGROUP, "/b");
    ck_assert_uint_eq(rig.said_count, 2);
    tell_event(OC_ALERT_EVENT_OOM_KILL, OC_END_RUNNING, 0, OC_KILLER_CGROUP, "/a");
    ck_assert_str_eq(rig_last(&rig)->alert.subject, "cgroup:/a");
    ck_assert_uint_eq(rig_last(&rig)->alert.mutes, OC_ALERT_INHIBITED);
}
END_TEST

START_TEST(stays_quiet_when_a_process_is_killed_by_anything_else)
{
    tell_event(OC_ALERT_EVENT_ENDED, OC_END_SIGNALED, 9, OC_KILLER_UNKNOWN, NULL);
    rig_pass(&rig, RIG_MINUTE);
    ck_assert_uint_eq(rig.said_count, 0);
}
END_TEST

START_TEST(who_dies_of_it_while_it_fires_died)
{
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 2, 25 * RIG_MINUTE);
    rig_forget(&rig);
    tell_event(OC_ALERT_EVENT_ENDED, OC_END_OOM_KILLED, 9, OC_KILLER_CGROUP, "/system.slice");
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_DIED), 2); /* both severities */
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 0);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_RESOLVED), 0);
    ck_assert_ptr_nonnull(strstr(rig_last(&rig)->reason, "killed for want of memory"));
    ck_assert_uint_eq(rig_stats(&rig).firing, 0);
}
END_TEST

START_TEST(a_kill_ends_what_fires_of_its_cgroup)
{
    uint32_t cgroup =
        oc_alerts_subject(rig.alerts, "cgroup:/system.slice/shop.service", OC_SOURCE_CGROUP);

    rig_go_on(&rig, cgroup, OC_FORECAST_LEAKING, 2, 25 * RIG_MINUTE);
    rig_forget(&rig);
    tell_event(OC_ALERT_EVENT_OOM_KILL, OC_END_RUNNING, 0, OC_KILLER_CGROUP,
               "/system.slice/blog.service"); /* another's */
    ck_assert(rig_fires(&rig, FORECAST, CRITICAL));
    tell_event(OC_ALERT_EVENT_OOM_KILL, OC_END_RUNNING, 0, OC_KILLER_CGROUP,
               "/system.slice/shop.service");
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_DIED), 2);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_FIRING), 1); /* the first kill */
}
END_TEST

START_TEST(a_crash_at_a_limit_is_a_death_by_it)
{
    struct oc_forecast_row row = rig_row(&rig, OC_FORECAST_LEAKING, 0.1);

    row.limit.kind = OC_LIMIT_RLIMIT_AS;
    row.forecast.value = 1.97 * RIG_GIB;
    for (int i = 0; i < 20; i++) {
        rig_tell(&rig, shop, 1, &row, 1);
        rig_pass(&rig, RIG_MINUTE);
    }
    tell_event(OC_ALERT_EVENT_ENDED, OC_END_SIGNALED, 6, OC_KILLER_UNKNOWN, NULL);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_DIED), 2);
}
END_TEST

/* Its last figure is minutes old, and well below the limit: the end came when it was to come. */
static void crash_after(double p10_s)
{
    struct oc_forecast_row row = rig_row(&rig, OC_FORECAST_LEAKING, 0.1);

    row.limit.kind = OC_LIMIT_ADDRESS_SPACE;
    row.forecast.value = 1.7 * RIG_GIB;
    row.forecast.p10_s = p10_s;
    for (int i = 0; i < 20; i++) {
        rig_tell(&rig, shop, 1, &row, 1);
        rig_pass(&rig, RIG_MINUTE);
    }
    tell_event(OC_ALERT_EVENT_ENDED, OC_END_EXITED, -532462766, OC_KILLER_UNKNOWN, NULL);
}

START_TEST(a_crash_at_the_time_that_was_forecast_is_a_death)
{
    crash_after(50);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_DIED), 2);
}
END_TEST

START_TEST(a_crash_well_before_it_is_none)
{
    crash_after(6000);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_DIED), 0);
}
END_TEST

START_TEST(a_planned_restart_resolves_it)
{
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 12, 20 * RIG_MINUTE);
    tell_event(OC_ALERT_EVENT_ENDED, OC_END_SIGNALED, 15, OC_KILLER_UNKNOWN, NULL);
    ck_assert(rig_fires(&rig, FORECAST, WARN)); /* it may go on at once */
    for (int i = 0; i < 60; i++) {
        rig_say_state(&rig, shop, 2, OC_FORECAST_LEARNING, 1);
        rig_pass(&rig, RIG_MINUTE);
    }
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_RESOLVED), 1);
    ck_assert_uint_eq(rig_news(&rig, OC_ALERT_DIED), 0);
    ck_assert_ptr_nonnull(strstr(rig_last(&rig)->reason, "signal 15"));
}
END_TEST

/* ---- silences ---- */

static struct oc_silence silence_of(const char *name, const char *glob, int64_t span_ms)
{
    struct oc_silence silence = { .begin_unix_ms = rig.now_ms,
                                  .end_unix_ms = rig.now_ms + span_ms,
                                  .author = "kim",
                                  .comment = "deploy",
                                  .matcher_count = 1 };

    (void)oc_text_copy(silence.matchers[0].name, sizeof(silence.matchers[0].name), name);
    (void)oc_text_copy(silence.matchers[0].glob, sizeof(silence.matchers[0].glob), glob);
    return silence;
}

START_TEST(what_is_silenced_is_told_at_its_end_if_it_still_fires)
{
    struct oc_silence silence = silence_of("subject", "shop*", 2 * RIG_HOUR);

    ck_assert_int_eq(oc_alerts_silence(rig.alerts, &silence, rig.now_ms), OC_OK);
    ck_assert_uint_eq(silence.id, 1);
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 12, RIG_HOUR);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, OC_ALERT_SILENCED);
    rig_forget(&rig);
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 12, 2 * RIG_HOUR);
    ck_assert_uint_eq(rig.said_count, 1);
    ck_assert_int_eq(rig_last(&rig)->is_news, 1);
    ck_assert_uint_eq(rig_last(&rig)->alert.mutes, 0);
    ck_assert_str_eq(rig_last(&rig)->reason, "no longer silenced");
}
END_TEST

START_TEST(a_silence_for_others_changes_nothing)
{
    struct oc_silence silence = silence_of("subject", "unit:blog.service", 2 * RIG_HOUR);

    ck_assert_int_eq(oc_alerts_silence(rig.alerts, &silence, rig.now_ms), OC_OK);
    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 12, RIG_HOUR);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, 0);
}
END_TEST

START_TEST(a_silence_that_is_taken_back_is_over_at_once)
{
    struct oc_silence silence = silence_of("severity", "warning", 2 * RIG_HOUR);

    rig_go_on(&rig, shop, OC_FORECAST_LEAKING, 12, RIG_HOUR);
    ck_assert_int_eq(oc_alerts_silence(rig.alerts, &silence, rig.now_ms), OC_OK);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, OC_ALERT_SILENCED);
    ck_assert_int_eq(oc_alerts_unsilence(rig.alerts, silence.id, rig.now_ms), OC_OK);
    ck_assert_uint_eq(rig_find(&rig, FORECAST, WARN)->mutes, 0);
    ck_assert_int_eq(oc_alerts_unsilence(rig.alerts, silence.id, rig.now_ms), OC_E_NOENT);
}
END_TEST

START_TEST(a_silence_that_makes_no_sense_is_refused)
{
    struct oc_silence silence = silence_of("subject", "*", -1);

    ck_assert_int_eq(oc_alerts_silence(rig.alerts, &silence, rig.now_ms), OC_E_INVAL);
    silence.end_unix_ms = rig.now_ms + RIG_HOUR;
    silence.matcher_count = 0;
    ck_assert_int_eq(oc_alerts_silence(rig.alerts, &silence, rig.now_ms), OC_E_INVAL);
}
END_TEST

/* ---- running ---- */

static Suite *engine_suite(void)
{
    Suite *suite = suite_create("engine");
    TCase *tcase = tcase_create("rules");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, alerts_when_a_leak_will_meet_its_limit_within_a_day);
    tcase_add_test(tcase, stays_quiet_when_the_limit_is_far_or_the_growth_not_sure);
    tcase_add_test(tcase, stays_quiet_when_nothing_grows);
    tcase_add_test(tcase, stays_quiet_when_a_leak_is_said_for_a_moment);
    tcase_add_test(tcase, alerts_critically_within_four_hours_and_the_warning_is_kept_quiet);
    tcase_add_test(tcase, one_alert_whatever_the_limits_and_the_nearest_is_named);
    tcase_add_test(tcase, resolves_only_beyond_one_and_a_half_horizons_and_when_it_stays_so);
    tcase_add_test(tcase, a_warning_is_not_told_anew_when_all_is_over);
    tcase_add_test(tcase, resolves_when_it_grows_no_more);
    tcase_add_test(tcase, saved_by_restarts_is_shown_and_not_told);
    tcase_add_test(tcase, an_earlier_limit_of_another_process_takes_over);
    tcase_add_test(tcase, alerts_when_a_metric_is_beyond_its_bound_for_long_enough);
    tcase_add_test(tcase, stays_quiet_when_a_metric_peaks);
    tcase_add_test(tcase, alerts_when_a_metric_is_too_low);
    tcase_add_test(tcase, alerts_when_a_limit_is_met_at_which_requests_fail);
    tcase_add_test(tcase, stays_quiet_when_it_is_met_for_a_moment);
    tcase_add_test(tcase, a_met_limit_takes_the_place_of_its_forecast);
    tcase_add_test(tcase, alerts_when_a_process_is_killed_for_want_of_memory);
    tcase_add_test(tcase, a_kill_is_told_once_of_its_process_not_of_its_cgroup);
    tcase_add_test(tcase, stays_quiet_when_a_process_is_killed_by_anything_else);
    tcase_add_test(tcase, who_dies_of_it_while_it_fires_died);
    tcase_add_test(tcase, a_kill_ends_what_fires_of_its_cgroup);
    tcase_add_test(tcase, a_crash_at_a_limit_is_a_death_by_it);
    tcase_add_test(tcase, a_crash_at_the_time_that_was_forecast_is_a_death);
    tcase_add_test(tcase, a_crash_well_before_it_is_none);
    tcase_add_test(tcase, a_planned_restart_resolves_it);
    tcase_add_test(tcase, what_is_silenced_is_told_at_its_end_if_it_still_fires);
    tcase_add_test(tcase, a_silence_for_others_changes_nothing);
    tcase_add_test(tcase, a_silence_that_is_taken_back_is_over_at_once);
    tcase_add_test(tcase, a_silence_that_makes_no_sense_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(engine_suite());
    int failed = 0;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
