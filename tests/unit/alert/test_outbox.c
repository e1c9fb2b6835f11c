/* Deliveries: failures, outages, rates, bounds, restarts at every point, memory that fails. */
#include "base/alloc.h"
#include "base/text.h"
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

static int keep_state(const struct oc_receiver_state *state, void *context)
{
    struct oc_receiver_state *out = context;

    *out = *state;
    return 1;
}

static struct oc_receiver_state state_of_first(void)
{
    struct oc_receiver_state state = { 0 };

    (void)oc_dispatch_each(rig.dispatch, keep_state, &state);
    return state;
}

static struct oc_delivery_result down_for_an_hour(const struct oc_notice *notice, int64_t now_ms)
{
    return now_ms < RIG_BEGIN + HOUR ? rig_500(notice, now_ms) : rig_ok(notice, now_ms);
}

static struct oc_delivery_result busy_once(const struct oc_notice *notice, int64_t now_ms)
{
    struct oc_delivery_result result = rig_500(notice, now_ms);

    if (now_ms >= RIG_BEGIN + 2 * MINUTE)
        return rig_ok(notice, now_ms);
    result.status = 429;
    result.retry_after_ms = 20 * MINUTE;
    return result;
}

static struct oc_delivery_result absurd_retry_after(const struct oc_notice *notice, int64_t now_ms)
{
    struct oc_delivery_result result = rig_500(notice, now_ms);

    if (now_ms > RIG_BEGIN + HOUR)
        return rig_ok(notice, now_ms);
    result.retry_after_ms = INT64_MAX;
    return result;
}

/* ---- failures ---- */

START_TEST(repeat_has_the_same_id_and_waits_longer)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig.answer = down_for_an_hour;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 2 * HOUR);
    ck_assert_uint_ge(rig.attempt_count, 10);
    ck_assert_uint_le(rig.attempt_count, 18);
    ck_assert_uint_eq(rig_taken(&rig), 1);
    for (size_t i = 1; i < rig.attempt_count; i++) {
        const int64_t apart_ms = rig.attempts[i].at_ms - rig.attempts[i - 1].at_ms;

        ck_assert_str_eq(rig.attempts[i].id, rig.attempts[0].id);
        ck_assert_int_ge(apart_ms, 4 * SECOND);
        ck_assert_int_le(apart_ms, 12 * MINUTE + SECOND);
    }
    ck_assert_int_le(last()->at_ms, RIG_BEGIN + HOUR + 13 * MINUTE);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_SENT), 1);
}
END_TEST

START_TEST(receiver_that_fails_is_said_to)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig.answer = down_for_an_hour;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 30 * MINUTE);
    ck_assert_int_eq(state_of_first().failing_since_unix_ms, RIG_BEGIN + 30 * SECOND + RIG_LATENCY);
    ck_assert_int_eq(state_of_first().status, 500);
    ck_assert_str_eq(state_of_first().why, "500");
    ck_assert_uint_ge(state_of_first().failed, 5);
    rig_run(&rig, HOUR);
    ck_assert_int_eq(state_of_first().failing_since_unix_ms, 0);
    ck_assert_uint_eq(state_of_first().sent, 1);
}
END_TEST

START_TEST(outage_is_followed_by_the_latest_state_of_each_alert)
{
    struct oc_alert alerts[30];

    rig.answer = down_for_an_hour;
    for (unsigned i = 0; i < 30; i++) {
        alerts[i] = rig_alert(i, "R", OC_SEVERITY_WARN);
        rig_say(&rig, &alerts[i], OC_ALERT_FIRING);
        rig_run(&rig, MINUTE);
        if (i % 3 == 0)
            rig_say(&rig, &alerts[i], i % 2 ? OC_ALERT_RESOLVED : OC_ALERT_DIED);
    }
    rig_run(&rig, 2 * HOUR);
    ck_assert_uint_le(rig_taken(&rig), 2);
    ck_assert_uint_gt(last()->folded, 0);
    for (unsigned i = 0; i < 30; i++)
        ck_assert_uint_eq(rig_last_of(&rig, "ops", alerts[i].fingerprint), alerts[i].state);
    /* a dead receiver costs its retries only */
    ck_assert_uint_le(rig.attempt_count, 20);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_WAITING), 0);
    ck_assert_uint_eq(state_of_first().dropped, 0);
}
END_TEST

START_TEST(retry_after_is_honoured)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);
    struct oc_alert other = rig_alert(1, "Q", OC_SEVERITY_CRITICAL);

    rig.answer = busy_once;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, MINUTE);
    rig_say(&rig, &other, OC_ALERT_FIRING); /* nor is anything else sent before */
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 3);
    ck_assert_int_ge(rig.attempts[1].at_ms, rig.attempts[0].at_ms + 20 * MINUTE);
    ck_assert_int_le(rig.attempts[1].at_ms, rig.attempts[0].at_ms + 21 * MINUTE);
    ck_assert_uint_eq(rig.attempts[1].severity, OC_SEVERITY_CRITICAL);
}
END_TEST

START_TEST(retry_after_is_capped_at_a_day)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig.answer = absurd_retry_after;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 25 * HOUR);
    ck_assert_uint_eq(rig_taken(&rig), 1);
    ck_assert_int_ge(rig.attempts[1].at_ms, rig.attempts[0].at_ms + 24 * HOUR);
}
END_TEST

START_TEST(denied_one_is_tried_each_quarter_of_an_hour)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig.answer = rig_403;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 2 * HOUR);
    ck_assert_uint_eq(rig.attempt_count, 8);
}
END_TEST

START_TEST(refused_one_is_parked_until_someone_says_so)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);
    char id[OC_OUTBOX_ID_BYTES];

    rig.answer = rig_400;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 2 * HOUR);
    ck_assert_uint_eq(rig.attempt_count, 1);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_PARKED), 1);
    ck_assert_str_eq(rig.store.rows[0].why, "400");
    ck_assert_uint_eq(state_of_first().parked, 1);
    rig.answer = rig_ok;
    ck_assert_int_eq(oc_dispatch_retry(rig.dispatch, "nobody", rig.now_ms), 0);
    ck_assert_int_eq(oc_dispatch_retry(rig.dispatch, "ops", rig.now_ms), 1);
    rig_run(&rig, MINUTE);
    ck_assert_uint_eq(rig_taken(&rig), 1);
    (void)oc_text_copy(id, sizeof(id), rig.attempts[0].id);
    ck_assert_str_eq(last()->id, id);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_PARKED), 0);
}
END_TEST

START_TEST(reload_tries_parked_ones_again)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig.answer = rig_400;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 2 * HOUR);
    rig.answer = rig_ok;
    ck_assert_int_eq(oc_dispatch_set_receivers(rig.dispatch, &receivers, rig.now_ms), OC_OK);
    rig_run(&rig, MINUTE);
    ck_assert_uint_eq(rig_taken(&rig), 1);
}
END_TEST

START_TEST(parked_one_that_is_out_of_date_is_told_as_it_is)
{
    struct oc_alert a = rig_alert(1, "R", OC_SEVERITY_WARN),
                    b = rig_alert(2, "R", OC_SEVERITY_WARN);

    rig.answer = rig_400;
    rig_say(&rig, &a, OC_ALERT_FIRING);
    rig_say(&rig, &b, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    rig.answer = rig_ok;
    rig_say(&rig, &a, OC_ALERT_RESOLVED);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig_taken(&rig), 1);
    ck_assert_int_eq(oc_dispatch_retry(rig.dispatch, NULL, rig.now_ms), 1);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig_taken(&rig), 2);
    ck_assert_uint_eq(last()->count, 1); /* b alone: the end of a was told */
    ck_assert_uint_eq(last()->alerts[0].fingerprint == b.fingerprint, 1);
    ck_assert_uint_eq(rig_last_of(&rig, "ops", a.fingerprint), OC_ALERT_RESOLVED);
}
END_TEST

START_TEST(parked_one_does_not_hold_up_the_others)
{
    struct oc_alert a = rig_alert(1, "R", OC_SEVERITY_WARN),
                    b = rig_alert(2, "R", OC_SEVERITY_WARN);

    rig.answer = rig_400;
    rig_say(&rig, &a, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    rig.answer = rig_ok;
    rig_say(&rig, &b, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig_taken(&rig), 1);
    ck_assert_uint_eq(rig_last_of(&rig, "ops", b.fingerprint), OC_ALERT_FIRING);
}
END_TEST

START_TEST(critical_goes_first_after_an_outage)
{
    struct oc_alert warn = rig_alert(1, "A", OC_SEVERITY_WARN);
    struct oc_alert critical = rig_alert(1, "B", OC_SEVERITY_CRITICAL);
    size_t i = 0;

    rig.answer = down_for_an_hour;
    rig_say(&rig, &warn, OC_ALERT_FIRING);
    rig_run(&rig, 10 * MINUTE);
    rig_say(&rig, &critical, OC_ALERT_FIRING);
    rig_run(&rig, 2 * HOUR);
    while (rig.attempts[i].outcome != OC_DELIVERY_SENT)
        i++;
    ck_assert_uint_eq(rig.attempts[i].severity, OC_SEVERITY_CRITICAL);
    ck_assert_uint_eq(rig_taken(&rig), 2);
}
END_TEST

START_TEST(lost_ones_are_sent_again_with_the_same_id)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);
    struct oc_delivery_result late = { .outcome = OC_DELIVERY_SENT, .why = "" };

    rig.is_mute = 1;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, MINUTE);
    oc_dispatch_lost(rig.dispatch, rig.now_ms);
    rig.flight_count = 0;
    late.id = rig.attempts[0].id;
    ck_assert_int_eq(oc_dispatch_result(rig.dispatch, &late, rig.now_ms), OC_E_NOENT);
    rig.is_mute = 0;
    rig_run(&rig, MINUTE);
    ck_assert_uint_eq(rig.attempt_count, 2);
    ck_assert_str_eq(rig.attempts[0].id, rig.attempts[1].id);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_SENT), 1);
    late.id = rig.attempts[0].id;
    ck_assert_int_eq(oc_dispatch_result(rig.dispatch, &late, rig.now_ms), OC_E_NOENT);
}
END_TEST

START_TEST(notifier_that_dies_again_and_again_is_given_time)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig.is_mute = 1;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, MINUTE);
    for (int i = 0; i < 360; i++) {
        oc_dispatch_lost(rig.dispatch, rig.now_ms);
        rig.flight_count = 0;
        rig_run(&rig, 10 * SECOND);
    }
    ck_assert_uint_le(rig.attempt_count, 20);
    rig.is_mute = 0;
    oc_dispatch_lost(rig.dispatch, rig.now_ms);
    rig.flight_count = 0;
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(state_of_first().sent, 1);
}
END_TEST

START_TEST(in_flight_is_bounded)
{
    struct oc_alert alerts[100];

    receivers.items[0].max_per_hour = 0;
    for (int i = 0; i < 20; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "r%d", i);
        rig_receiver(&receivers, name)->max_per_hour = 0;
    }
    reopen();
    rig.is_mute = 1;
    for (unsigned i = 0; i < 100; i++) {
        char rule[16];

        (void)snprintf(rule, sizeof(rule), "R%u", i);
        alerts[i] = rig_alert(i, rule, OC_SEVERITY_WARN);
        rig_say(&rig, &alerts[i], OC_ALERT_FIRING);
    }
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.flight_count, 64);
    ck_assert_uint_eq(state_of_first().in_flight, 8);
}
END_TEST

START_TEST(hook_is_run_with_time_between)
{
    struct oc_alert alert;

    receivers.items[0].type = OC_RECEIVER_HOOK;
    receivers.items[0].interval_ms = 10 * MINUTE;
    reopen();
    for (unsigned i = 0; i < 5; i++) {
        const char rule[2] = { (char)('A' + i), '\0' };

        alert = rig_alert(i, rule, OC_SEVERITY_CRITICAL);
        rig_say(&rig, &alert, OC_ALERT_FIRING);
    }
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 5);
    for (size_t i = 1; i < 5; i++)
        ck_assert_int_ge(rig.attempts[i].at_ms, rig.attempts[i - 1].at_ms + 10 * MINUTE);
    ck_assert_uint_eq(state_of_first().failed, 0);
}
END_TEST

/* ---- rates ---- */

START_TEST(what_is_over_the_rate_comes_as_digests)
{
    static struct oc_alert alerts[200];
    size_t in_hour = 0;

    for (unsigned i = 0; i < 200; i++) { /* a rule each: 200 messages else */
        char rule[16];

        (void)snprintf(rule, sizeof(rule), "R%u", i);
        alerts[i] = rig_alert(i, rule, OC_SEVERITY_WARN);
        rig_say(&rig, &alerts[i], OC_ALERT_FIRING);
        rig_run(&rig, 20 * SECOND);
    }
    rig_run(&rig, HOUR);
    for (size_t i = 0; i < rig.attempt_count; i++) {
        in_hour = 0;
        for (size_t k = i; k < rig.attempt_count; k++)
            in_hour += rig.attempts[k].at_ms < rig.attempts[i].at_ms + HOUR;
        ck_assert_uint_le(in_hour, 20);
    }
    for (unsigned i = 0; i < 200; i++)
        ck_assert_uint_eq(rig_last_of(&rig, "ops", alerts[i].fingerprint), OC_ALERT_FIRING);
    ck_assert_uint_ge(state_of_first().digests, 3);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_WAITING), 0);
    ck_assert_uint_eq(state_of_first().dropped, 0);
}
END_TEST

START_TEST(digest_of_a_receiver_that_fails_is_folded_too)
{
    static struct oc_alert alerts[40];

    rig.answer = down_for_an_hour;
    for (unsigned i = 0; i < 40; i++) {
        char rule[16];

        (void)snprintf(rule, sizeof(rule), "R%u", i);
        alerts[i] = rig_alert(i, rule, OC_SEVERITY_WARN);
        rig_say(&rig, &alerts[i], OC_ALERT_FIRING);
        rig_run(&rig, 30 * SECOND);
    }
    for (unsigned i = 0; i < 20; i++)
        rig_say(&rig, &alerts[i], OC_ALERT_RESOLVED);
    rig_run(&rig, 4 * HOUR);
    for (unsigned i = 0; i < 40; i++)
        ck_assert_uint_eq(rig_last_of(&rig, "ops", alerts[i].fingerprint), alerts[i].state);
    ck_assert_uint_le(rig_taken(&rig), 40);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_WAITING), 0);
}
END_TEST

START_TEST(storm_of_2000_is_few_messages_a_person_reads)
{
    static struct oc_alert alerts[4000];
    const int64_t live = oc_alloc_live();

    for (unsigned i = 0; i < 2000; i++) {
        alerts[i] = rig_alert(i, "MemoryLimitForecast", OC_SEVERITY_CRITICAL);
        alerts[2000 + i] = rig_alert(i, "MemoryExhausted", OC_SEVERITY_WARN);
        rig_say(&rig, &alerts[i], OC_ALERT_FIRING);
        rig_say(&rig, &alerts[2000 + i], OC_ALERT_FIRING);
        if (i % 100 == 0)
            rig_run(&rig, SECOND);
    }
    rig_run(&rig, 10 * MINUTE);
    ck_assert_uint_eq(rig.attempt_count, 2);
    ck_assert_uint_eq(rig.attempts[0].firing, 2000);
    ck_assert_uint_eq(rig.attempts[0].count, OC_NOTICE_ALERTS_MAX);
    ck_assert_uint_eq(rig.attempts[0].more, 1950);
    ck_assert_uint_le(rig.body_bytes_max, OC_NOTICE_MAX_BYTES);
    for (unsigned i = 0; i < 4000; i++)
        rig_say(&rig, &alerts[i], OC_ALERT_RESOLVED);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 4);
    ck_assert_uint_eq(last()->ended, 2000);
    ck_assert_uint_eq(rig.told_count, 4000);
    /* what has ended and was told is forgotten */
    rig_run(&rig, 24 * HOUR);
    ck_assert_int_le(oc_alloc_live() - live, 16);
}
END_TEST

/* ---- bounds ---- */

START_TEST(old_rows_are_dropped_and_counted)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig.answer = rig_500;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 6 * 24 * HOUR);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_WAITING), 1);
    rig_run(&rig, 25 * HOUR);
    ck_assert_uint_eq(state_of_first().dropped, 1);
    ck_assert_str_eq(rig.store.rows[0].why, "too old");
}
END_TEST

START_TEST(rows_beyond_the_maximum_are_dropped_warnings_first)
{
    const struct oc_dispatch_options options = { .instance = "host", .max_rows = 10, .seed = 1 };
    struct oc_alert alert;
    unsigned critical = 0;

    rig_close(&rig);
    rig_open(&rig, &receivers, &options);
    rig.answer = rig_500;
    for (unsigned i = 0; i < 30; i++) {
        char rule[16];

        (void)snprintf(rule, sizeof(rule), "R%u", i);
        alert = rig_alert(i, rule, i < 5 ? OC_SEVERITY_CRITICAL : OC_SEVERITY_WARN);
        rig_say(&rig, &alert, OC_ALERT_FIRING);
        rig_run(&rig, SECOND);
    }
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_WAITING), 10);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_DROPPED), 20);
    ck_assert_uint_eq(state_of_first().dropped, 20);
    for (size_t i = 0; i < rig.store.count; i++)
        critical += rig.store.rows[i].row.state == OC_OUTBOX_WAITING &&
                    rig.store.rows[i].row.severity == OC_SEVERITY_CRITICAL;
    ck_assert_uint_eq(critical, 5);
}
END_TEST

START_TEST(bytes_beyond_the_maximum_are_dropped)
{
    const struct oc_dispatch_options options = { .instance = "h", .max_bytes = 8000, .seed = 1 };
    size_t bytes = 0;

    rig_close(&rig);
    rig_open(&rig, &receivers, &options);
    rig.answer = rig_500;
    for (unsigned i = 0; i < 30; i++) {
        char rule[16];
        struct oc_alert alert;

        (void)snprintf(rule, sizeof(rule), "R%u", i);
        alert = rig_alert(i, rule, OC_SEVERITY_WARN);
        rig_say(&rig, &alert, OC_ALERT_FIRING);
        rig_run(&rig, SECOND);
    }
    for (size_t i = 0; i < rig.store.count; i++) {
        if (rig.store.rows[i].row.state == OC_OUTBOX_WAITING)
            bytes += rig.store.rows[i].row.body_bytes;
    }
    ck_assert_uint_le(bytes, 8000);
    ck_assert_uint_gt(rig_rows(&rig, OC_OUTBOX_WAITING), 2);
    ck_assert_uint_gt(state_of_first().dropped, 10);
}
END_TEST

/* ---- the clock ---- */

START_TEST(clock_that_jumps_changes_nothing)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);
    static const int64_t jumps[] = { -400 * 24 * HOUR, 400 * 24 * HOUR };

    rig.answer = rig_500;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, 10 * SECOND);
    for (size_t i = 0; i < 2; i++) {
        rig.now_ms += jumps[i];
        for (size_t k = 0; k < rig.flight_count; k++)
            rig.flights[k].at_ms += jumps[i];
        oc_dispatch_clock(rig.dispatch, jumps[i]);
        rig_run(&rig, 25 * SECOND);
    }
    ck_assert_uint_ge(rig.attempt_count, 2); /* due 30 s after, and tried again */
    ck_assert_uint_le(rig.attempt_count, 5);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_DROPPED), 0);
}
END_TEST

/* ---- restarts ---- */

/* A little drama: what a person is to know in the end is in `alerts`. */
#define DRAMA_ALERTS 6
static struct oc_alert drama[DRAMA_ALERTS];

static struct oc_delivery_result flaky(const struct oc_notice *notice, int64_t now_ms)
{
    return now_ms / SECOND % 7 < 3 ? rig_500(notice, now_ms) : rig_ok(notice, now_ms);
}

static void drama_step(int step)
{
    const unsigned i = (unsigned)step % DRAMA_ALERTS;

    if (step < DRAMA_ALERTS)
        rig_say(&rig, &drama[i], OC_ALERT_FIRING);
    else if (step < 2 * DRAMA_ALERTS && i % 2 == 0)
        rig_say(&rig, &drama[i], i % 4 ? OC_ALERT_RESOLVED : OC_ALERT_DIED);
    else if (step >= 2 * DRAMA_ALERTS && i == 0)
        rig_say(&rig, &drama[i], OC_ALERT_FIRING);
}

static int was_told(uint64_t fingerprint)
{
    for (size_t i = 0; i < rig.told_count; i++) {
        if (rig.told[i] == fingerprint)
            return 1;
    }
    return 0;
}

/* What the caller does at start: rows, and alerts that fire. */
static void restart(int is_alerts_first)
{
    if (!is_alerts_first)
        rig_kill(&rig, &receivers, NULL);
    else
        oc_dispatch_lost(rig.dispatch, rig.now_ms);
    for (unsigned i = 0; i < DRAMA_ALERTS; i++) {
        const char *labels[] = { "alertname", drama[i].rule, "subject", drama[i].subject, NULL };

        if (drama[i].state == OC_ALERT_FIRING && !is_alerts_first)
            ck_assert_int_eq(oc_dispatch_restore_alert(
                                 rig.dispatch, &drama[i], labels,
                                 was_told(drama[i].fingerprint) ? drama[i].firing_unix_ms : 0),
                             OC_OK);
    }
    rig.flight_count = 0;
}

/* A repeat is what it was, under the same id. */
static void check_repeats(void)
{
    for (size_t i = 0; i < rig.attempt_count; i++) {
        for (size_t k = i + 1; k < rig.attempt_count; k++) {
            if (strcmp(rig.attempts[i].id, rig.attempts[k].id) != 0)
                continue;
            ck_assert_uint_eq(rig.attempts[i].count, rig.attempts[k].count);
            for (size_t n = 0; n < rig.attempts[i].count; n++)
                ck_assert(rig.attempts[i].alerts[n].fingerprint ==
                              rig.attempts[k].alerts[n].fingerprint &&
                          rig.attempts[i].alerts[n].state == rig.attempts[k].alerts[n].state);
        }
    }
}

static int tells_of(const struct rig_attempt *attempt, uint64_t fingerprint)
{
    for (size_t i = 0; i < attempt->count; i++) {
        if (attempt->alerts[i].fingerprint == fingerprint)
            return 1;
    }
    return 0;
}

/* Of each alert nothing older comes after something newer: ids ascend in the order of making. */
static void check_order(void)
{
    check_repeats();
    for (unsigned n = 0; n < DRAMA_ALERTS; n++) {
        const char *newest = "";

        for (size_t i = 0; i < rig.attempt_count; i++) {
            if (!tells_of(&rig.attempts[i], drama[n].fingerprint))
                continue;
            ck_assert_int_ge(strcmp(rig.attempts[i].id, newest), 0);
            newest = rig.attempts[i].id;
        }
    }
}

static void play(int kill_at, int is_lost)
{
    int point = 0;

    rig.answer = flaky;
    rig.latency_ms = 2500;
    for (unsigned i = 0; i < DRAMA_ALERTS; i++)
        drama[i] = rig_alert(i, i < 3 ? "R" : "Q", i % 2 ? OC_SEVERITY_CRITICAL : OC_SEVERITY_WARN);
    for (int step = 0; step < 3 * DRAMA_ALERTS; step++) {
        drama_step(step);
        /* the change and its row are one transaction */
        (void)oc_dispatch_tick(rig.dispatch, rig.now_ms);
        for (int part = 0; part < 40; part++) {
            rig_run(&rig, 1300);
            if (point++ == kill_at)
                restart(is_lost);
        }
    }
    rig_run(&rig, HOUR);
}

START_TEST(killed_at_any_point_nothing_is_lost)
{
    play(_i, 0);
    for (unsigned i = 0; i < DRAMA_ALERTS; i++)
        ck_assert_msg(rig_last_of(&rig, "ops", drama[i].fingerprint) == drama[i].state,
                      "killed at %d: alert %u is %u, told %u", _i, i, drama[i].state,
                      rig_last_of(&rig, "ops", drama[i].fingerprint));
    check_order();
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_WAITING), 0);
}
END_TEST

/* All at once, a rule each, over the rate; then all end. */
static void play_digests(int kill_at)
{
    int point = 0;

    rig.answer = flaky;
    rig.latency_ms = 2500;
    for (unsigned i = 0; i < DRAMA_ALERTS; i++) {
        const char rule[2] = { (char)('A' + i), '\0' };

        drama[i] = rig_alert(i, rule, i % 2 ? OC_SEVERITY_CRITICAL : OC_SEVERITY_WARN);
    }
    for (unsigned state = OC_ALERT_FIRING; state <= OC_ALERT_RESOLVED; state++) {
        for (unsigned i = 0; i < DRAMA_ALERTS; i++)
            rig_say(&rig, &drama[i], state);
        (void)oc_dispatch_tick(rig.dispatch, rig.now_ms);
        for (int part = 0; part < 60; part++) {
            rig_run(&rig, 1300);
            if (point++ == kill_at)
                restart(0);
        }
    }
    rig_run(&rig, 4 * HOUR);
}

#define DIGEST_POINTS 120
START_TEST(killed_at_any_point_of_digests_nothing_is_lost)
{
    static size_t digests;

    receivers.items[0].max_per_hour = 3;
    reopen();
    play_digests(_i);
    for (unsigned i = 0; i < DRAMA_ALERTS; i++)
        ck_assert_uint_eq(rig_last_of(&rig, "ops", drama[i].fingerprint), drama[i].state);
    check_order();
    for (size_t i = 0; i < rig.attempt_count; i++)
        digests += rig.attempts[i].kind == OC_NOTICE_DIGEST;
    if (_i == DIGEST_POINTS - 1)
        ck_assert_uint_ge(digests, DIGEST_POINTS);
}
END_TEST

START_TEST(notifier_killed_at_any_point_nothing_is_lost)
{
    play(_i, 1);
    for (unsigned i = 0; i < DRAMA_ALERTS; i++)
        ck_assert_uint_eq(rig_last_of(&rig, "ops", drama[i].fingerprint), drama[i].state);
    check_order();
}
END_TEST

START_TEST(what_was_answered_is_not_told_again_after_a_restart)
{
    const char *labels[] = { "alertname", "R", NULL };
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);

    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, HOUR);
    for (int i = 0; i < 5; i++) {
        rig_kill(&rig, &receivers, NULL);
        ck_assert_int_eq(
            oc_dispatch_restore_alert(rig.dispatch, &alert, labels, alert.firing_unix_ms), OC_OK);
        rig_run(&rig, 10 * MINUTE);
    }
    ck_assert_uint_eq(rig.attempt_count, 1);
    rig_say(&rig, &alert, OC_ALERT_RESOLVED);
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 2);
    ck_assert_uint_eq(rig_last_of(&rig, "ops", alert.fingerprint), OC_ALERT_RESOLVED);
}
END_TEST

START_TEST(damaged_rows_are_dropped_with_the_reason)
{
    struct oc_outbox_row row = {
        .id = "msg_1", .receiver = "ops", .body = "{", .body_bytes = 1, .why = ""
    };

    ck_assert_int_eq(oc_dispatch_restore_row(rig.dispatch, &row), OC_E_PARSE);
    (void)oc_text_copy(row.id, sizeof(row.id), "msg_2");
    row.body = "";
    row.body_bytes = 0;
    ck_assert_int_eq(oc_dispatch_restore_row(rig.dispatch, &row), OC_E_PARSE);
    (void)oc_text_copy(row.id, sizeof(row.id), "msg_3");
    (void)oc_text_copy(row.receiver, sizeof(row.receiver), "nobody");
    ck_assert_int_eq(oc_dispatch_restore_row(rig.dispatch, &row), OC_OK);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_DROPPED), 3);
    ck_assert_str_eq(rig.store.rows[2].why, "its receiver is gone");
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig.attempt_count, 0);
}
END_TEST

START_TEST(ids_ascend_also_when_the_clock_was_set_back)
{
    struct oc_alert a = rig_alert(1, "A", OC_SEVERITY_WARN),
                    b = rig_alert(1, "B", OC_SEVERITY_WARN);

    rig.answer = rig_500;
    rig_say(&rig, &a, OC_ALERT_FIRING);
    rig_run(&rig, MINUTE);
    rig.now_ms -= 24 * HOUR;
    rig_kill(&rig, &receivers, NULL);
    rig_say(&rig, &b, OC_ALERT_FIRING);
    rig_run(&rig, MINUTE);
    ck_assert_uint_eq(rig.store.count, 2);
    ck_assert_int_lt(strcmp(rig.store.rows[0].row.id, rig.store.rows[1].row.id), 0);
}
END_TEST

/* ---- memory ---- */

START_TEST(any_allocation_may_fail_once)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);
    struct oc_alert more = rig_alert(2, "R", OC_SEVERITY_CRITICAL);
    const char *labels[] = { "alertname", "R", NULL };
    int rc = OC_OK;

    oc_alloc_fail_at((uint64_t)_i + 1, 0);
    alert.state = more.state = OC_ALERT_FIRING;
    alert.firing_unix_ms = more.firing_unix_ms = rig.now_ms;
    rc = oc_dispatch_alert(rig.dispatch, &alert, labels, rig.now_ms);
    if (rc < 0)
        ck_assert_int_eq(oc_dispatch_alert(rig.dispatch, &alert, labels, rig.now_ms), OC_OK);
    rig_run(&rig, 10 * SECOND);
    rc = oc_dispatch_alert(rig.dispatch, &more, labels, rig.now_ms);
    if (rc < 0)
        ck_assert_int_eq(oc_dispatch_alert(rig.dispatch, &more, labels, rig.now_ms), OC_OK);
    rig_run(&rig, 40 * SECOND);
    ck_assert_uint_eq(rig.attempt_count, 1);
    ck_assert_int_le(rig.attempts[0].at_ms, RIG_BEGIN + 32 * SECOND); /* at most one retry later */
    ck_assert_uint_eq(rig.attempts[0].firing, 2);
    alert.state = OC_ALERT_RESOLVED;
    alert.ended_unix_ms = rig.now_ms;
    rc = oc_dispatch_alert(rig.dispatch, &alert, labels, rig.now_ms);
    ck_assert_int_eq(rc, OC_OK);
    rig_run(&rig, HOUR);
    oc_alloc_fail_at(0, 0);
    ck_assert_uint_eq(rig_last_of(&rig, "ops", alert.fingerprint), OC_ALERT_RESOLVED);
    ck_assert_uint_eq(rig_last_of(&rig, "ops", more.fingerprint), OC_ALERT_FIRING);
    ck_assert_uint_eq(rig_told_of(&rig, alert.fingerprint, OC_ALERT_FIRING), 1);
}
END_TEST

START_TEST(any_allocation_may_fail_in_a_digest_or_a_fold)
{
    static struct oc_alert alerts[12];

    receivers.items[0].max_per_hour = 5;
    reopen();
    rig.answer = down_for_an_hour;
    for (unsigned i = 0; i < 12; i++) {
        alerts[i] = rig_alert(i, i % 2 ? "R" : "Q", OC_SEVERITY_WARN);
        rig_say(&rig, &alerts[i], OC_ALERT_FIRING);
        rig_run(&rig, MINUTE);
    }
    for (unsigned i = 0; i < 6; i++)
        rig_say(&rig, &alerts[i], OC_ALERT_RESOLVED);
    oc_alloc_fail_at((uint64_t)_i * 3 + 1, 0);
    rig_run(&rig, 3 * HOUR);
    oc_alloc_fail_at(0, 0);
    for (unsigned i = 0; i < 12; i++)
        ck_assert_uint_eq(rig_last_of(&rig, "ops", alerts[i].fingerprint), alerts[i].state);
    ck_assert_uint_eq(rig_rows(&rig, OC_OUTBOX_WAITING), 0);
}
END_TEST

START_TEST(restore_may_fail_and_be_said_again)
{
    struct oc_alert alert = rig_alert(1, "R", OC_SEVERITY_WARN);
    int rc = OC_E_NOMEM;

    rig.is_mute = 1;
    rig_say(&rig, &alert, OC_ALERT_FIRING);
    rig_run(&rig, MINUTE);
    for (uint64_t nth = 1; rc != OC_OK && nth < 300; nth++) {
        const struct oc_receivers none = { 0 };
        int64_t live = 0;

        /* a new one without the rows: they are given by hand */
        rig.store.rows[0].row.state = OC_OUTBOX_SENT;
        rig_kill(&rig, &none, NULL);
        ck_assert_int_eq(oc_dispatch_set_receivers(rig.dispatch, &receivers, rig.now_ms), OC_OK);
        rig.store.rows[0].row.state = OC_OUTBOX_WAITING;
        live = oc_alloc_live();
        oc_alloc_fail_at(nth, 0);
        rc = oc_dispatch_restore_row(rig.dispatch, &rig.store.rows[0].row);
        oc_alloc_fail_at(0, 0);
        ck_assert(rc == OC_OK || rc == OC_E_NOMEM);
        if (rc == OC_E_NOMEM)
            ck_assert_int_le(oc_alloc_live() - live, 4); /* a group, and room for rows */
    }
    ck_assert_int_eq(rc, OC_OK);
    rig.is_mute = 0;
    rig_run(&rig, MINUTE);
    ck_assert_uint_eq(state_of_first().sent, 1);
    ck_assert_str_eq(rig.attempts[0].id, last()->id);
}
END_TEST

/* ---- many ---- */

START_TEST(ten_thousand_rows_are_restored_and_sent)
{
    receivers.items[0].max_per_hour = 0;
    for (int i = 0; i < 5; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "r%d", i);
        rig_receiver(&receivers, name)->max_per_hour = 0;
    }
    reopen();
    for (unsigned i = 0; i < 10000; i++) {
        struct oc_notice notice = { 0 };
        struct oc_notice_alert one = { .alert = rig_alert(i, "R", OC_SEVERITY_WARN) };
        struct oc_outbox_row row = { .why = "" };
        struct oc_buf json;

        one.alert.state = OC_ALERT_FIRING;
        (void)snprintf(notice.id, sizeof(notice.id), "msg_%013u%010u", 1u, i);
        (void)snprintf(notice.receiver, sizeof(notice.receiver), "r%u", i % 5);
        notice.alerts = &one;
        notice.count = notice.firing = 1;
        notice.is_firing = 1;
        oc_buf_init(&json, OC_NOTICE_MAX_BYTES);
        oc_notice_write(&notice, &json);
        row = (struct oc_outbox_row){ .group = i < 5000 ? 1 : i, /* of one group, and of many */
                                      .severity = OC_SEVERITY_WARN,
                                      .made_unix_ms = rig.now_ms,
                                      .next_unix_ms = rig.now_ms,
                                      .why = "",
                                      .body = json.data,
                                      .body_bytes = json.len_bytes };
        (void)oc_text_copy(row.id, sizeof(row.id), notice.id);
        (void)oc_text_copy(row.receiver, sizeof(row.receiver), notice.receiver);
        ck_assert_int_eq(oc_dispatch_restore_row(rig.dispatch, &row), OC_OK);
        oc_buf_clear(&json);
    }
    rig_run(&rig, HOUR);
    ck_assert_uint_eq(rig_taken(&rig), 10000);
}
END_TEST

static Suite *outbox_suite(void)
{
    Suite *suite = suite_create("outbox");
    TCase *tcase = tcase_create("outbox");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, repeat_has_the_same_id_and_waits_longer);
    tcase_add_test(tcase, receiver_that_fails_is_said_to);
    tcase_add_test(tcase, outage_is_followed_by_the_latest_state_of_each_alert);
    tcase_add_test(tcase, retry_after_is_honoured);
    tcase_add_test(tcase, retry_after_is_capped_at_a_day);
    tcase_add_test(tcase, denied_one_is_tried_each_quarter_of_an_hour);
    tcase_add_test(tcase, refused_one_is_parked_until_someone_says_so);
    tcase_add_test(tcase, reload_tries_parked_ones_again);
    tcase_add_test(tcase, parked_one_that_is_out_of_date_is_told_as_it_is);
    tcase_add_test(tcase, parked_one_does_not_hold_up_the_others);
    tcase_add_test(tcase, critical_goes_first_after_an_outage);
    tcase_add_test(tcase, lost_ones_are_sent_again_with_the_same_id);
    tcase_add_test(tcase, notifier_that_dies_again_and_again_is_given_time);
    tcase_add_test(tcase, in_flight_is_bounded);
    tcase_add_test(tcase, hook_is_run_with_time_between);
    tcase_add_test(tcase, what_is_over_the_rate_comes_as_digests);
    tcase_add_test(tcase, digest_of_a_receiver_that_fails_is_folded_too);
    tcase_add_test(tcase, storm_of_2000_is_few_messages_a_person_reads);
    tcase_add_test(tcase, old_rows_are_dropped_and_counted);
    tcase_add_test(tcase, rows_beyond_the_maximum_are_dropped_warnings_first);
    tcase_add_test(tcase, bytes_beyond_the_maximum_are_dropped);
    tcase_add_test(tcase, clock_that_jumps_changes_nothing);
    tcase_add_loop_test(tcase, killed_at_any_point_nothing_is_lost, 0, 40 * 3 * DRAMA_ALERTS);
    tcase_add_loop_test(tcase, killed_at_any_point_of_digests_nothing_is_lost, 0, DIGEST_POINTS);
    tcase_add_loop_test(tcase, notifier_killed_at_any_point_nothing_is_lost, 0,
                        40 * 3 * DRAMA_ALERTS);
    tcase_add_test(tcase, what_was_answered_is_not_told_again_after_a_restart);
    tcase_add_test(tcase, damaged_rows_are_dropped_with_the_reason);
    tcase_add_test(tcase, ids_ascend_also_when_the_clock_was_set_back);
    tcase_add_loop_test(tcase, any_allocation_may_fail_once, 0, 120);
    tcase_add_loop_test(tcase, any_allocation_may_fail_in_a_digest_or_a_fold, 0, 200);
    tcase_add_test(tcase, restore_may_fail_and_be_said_again);
    tcase_add_test(tcase, ten_thousand_rows_are_restored_and_sent);
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    cJSON_Hooks hooks = { .malloc_fn = oc_malloc, .free_fn = oc_free };
    SRunner *runner = NULL;
    int failed = 0;

    cJSON_InitHooks(&hooks);
    runner = srunner_create(outbox_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
