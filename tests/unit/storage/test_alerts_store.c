/* Alerts, decisions, the outbox and silences: into the store, over a restart, and out again. */
#include "alert_fixture.h"

#include "base/err.h"

static struct oc_alert_filter all = { .until_unix_ms = INT64_MAX };

static void put_alert(struct oc_alert alert) { ck_assert_int_eq(oc_store_alert(store, &alert), 0); }

static void put_outbox(struct oc_outbox_row row)
{
    ck_assert_int_eq(oc_store_outbox(store, &row), 0);
}

static void put_silence(struct oc_silence silence)
{
    ck_assert_int_eq(oc_store_silence(store, &silence), 0);
}

static void put_decision(struct oc_alert_decision decision)
{
    ck_assert_int_eq(oc_store_alert_decision(store, &decision), 0);
}

static void commit_now(void)
{
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_NOW, walk_options.now_boot_ms), 0);
}

static void read_alerts(const struct oc_alert_filter *filter, struct got_alerts *got)
{
    oc_reader *reader = walk_reader();

    memset(got, 0, sizeof *got);
    ck_assert_int_ge(oc_reader_alerts(reader, filter, take_alert, got), 0);
    oc_reader_close(reader);
}

/* ---- alerts ---- */

START_TEST(an_alert_comes_back_as_it_was)
{
    static struct got_alerts got;
    struct oc_alert firing = made_alert(1, OC_ALERT_FIRING), empty = { .episode = 2 };
    struct oc_alert ended = made_alert(3, OC_ALERT_DIED);

    empty.state = OC_ALERT_PENDING;
    empty.value = empty.bound = empty.chance = NAN;
    empty.about.forecast.value = empty.about.forecast.limit = NAN;
    walk_open_at(0);
    put_alert(firing);
    put_alert(empty);
    put_alert(ended);
    commit_now();
    read_alerts(&all, &got);
    ck_assert_int_eq(got.count, 3);
    check_alert(&got.items[0], &ended);
    check_alert(&got.items[1], &empty);
    check_alert(&got.items[2], &firing);
    walk_close();
    walk_open_at(1000);
    memset(&got, 0, sizeof got);
    ck_assert_int_eq(oc_store_alerts(store, take_alert, &got), 2);
    check_alert(&got.items[0], &firing);
    check_alert(&got.items[1], &empty);
    got.count = 0;
    got.most = 1;
    ck_assert_int_eq(oc_store_alerts(store, take_alert, &got), 1);
}
END_TEST

START_TEST(an_alert_replaces_the_row_of_its_episode)
{
    static struct got_alerts got;
    struct oc_alert_filter now = { .now_only = 1 };
    uint64_t episode = 99;

    walk_open_at(0);
    ck_assert_int_eq(oc_store_alert_episode(store, &episode), 0);
    ck_assert_uint_eq(episode, 0);
    put_alert(made_alert(7, OC_ALERT_PENDING));
    put_alert(made_alert(7, OC_ALERT_FIRING));
    commit_now();
    read_alerts(&now, &got);
    ck_assert_int_eq(got.count, 1);
    ck_assert_uint_eq(got.items[0].state, OC_ALERT_FIRING);
    put_alert(made_alert(7, OC_ALERT_RESOLVED));
    commit_now();
    read_alerts(&now, &got);
    ck_assert_int_eq(got.count, 0);
    read_alerts(&all, &got);
    ck_assert_int_eq(got.count, 1);
    ck_assert_int_eq(oc_store_alert_episode(store, &episode), 0);
    ck_assert_uint_eq(episode, 7);
}
END_TEST

START_TEST(alerts_are_found_by_subject_rule_and_time)
{
    static struct got_alerts got;
    struct oc_alert_filter filter = { .subject = "leak-2" };

    walk_open_at(0);
    put_alert(made_alert(1, OC_ALERT_RESOLVED));
    put_alert(made_alert(2, OC_ALERT_FIRING));
    put_alert(made_alert(3, OC_ALERT_RESOLVED));
    commit_now();
    read_alerts(&filter, &got);
    ck_assert_int_eq(got.count, 1);
    filter = (struct oc_alert_filter){ .rule = "Memory*" };
    read_alerts(&filter, &got);
    ck_assert_int_eq(got.count, 3);
    filter.rule = "Other*";
    read_alerts(&filter, &got);
    ck_assert_int_eq(got.count, 0);
    filter = (struct oc_alert_filter){ .since_unix_ms = WALK_UNIX_MS + 1800,
                                       .until_unix_ms = WALK_UNIX_MS + 2500 };
    read_alerts(&filter, &got); /* 1 was over, 3 had not begun */
    ck_assert_int_eq(got.count, 1);
    ck_assert_uint_eq(got.items[0].episode, 2);
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    struct oc_alert alert = made_alert(0, OC_ALERT_FIRING);
    struct oc_silence silence = made_silence(0, 5);
    struct oc_outbox_row row = made_outbox(1, OC_OUTBOX_WAITING, "x");

    walk_open_at(0);
    ck_assert_int_eq(oc_store_alert(store, &alert), OC_E_INVAL);
    ck_assert_int_eq(oc_store_silence(store, &silence), OC_E_INVAL);
    silence.id = 1;
    silence.matcher_count = OC_SILENCE_MATCHERS_MAX + 1;
    ck_assert_int_eq(oc_store_silence(store, &silence), OC_E_INVAL);
    row.body_bytes = 100u << 20;
    ck_assert_int_eq(oc_store_outbox(store, &row), OC_E_TOOBIG);
}
END_TEST

/* ---- decisions ---- */

static const char *decisions(const struct oc_alert_filter *filter, uint64_t episode)
{
    static char text[1024];
    oc_reader *reader = walk_reader();

    text[0] = '\0';
    ck_assert_int_ge(oc_reader_decisions(reader, filter, episode, take_decision, text), 0);
    oc_reader_close(reader);
    return text;
}

START_TEST(decisions_come_back_in_their_order)
{
    struct oc_alert_filter other = { .subject = "other" };
    struct oc_alert_filter now = { .now_only = 1 };

    walk_open_at(0);
    put_decision(made_decision(2, OC_ALERT_INACTIVE, OC_ALERT_PENDING, "it leaks"));
    put_decision(made_decision(1, OC_ALERT_INACTIVE, OC_ALERT_PENDING, "it grows"));
    put_decision(made_decision(1, OC_ALERT_PENDING, OC_ALERT_INACTIVE, "not for long enough"));
    put_alert(made_alert(2, OC_ALERT_PENDING));
    commit_now();
    ck_assert_str_eq(decisions(&all, 0),
                     "1 0>1 it grows\n1 1>0 not for long enough\n2 0>1 it leaks\n");
    ck_assert_str_eq(decisions(&all, 2), "2 0>1 it leaks\n");
    ck_assert_str_eq(decisions(&now, 0), "2 0>1 it leaks\n");
    ck_assert_str_eq(decisions(&other, 0), "");
}
END_TEST

/* ---- the outbox ---- */

START_TEST(the_outbox_keeps_a_body_that_is_not_said_again)
{
    static struct got_outbox got;
    struct oc_outbox_row row = made_outbox(1, OC_OUTBOX_WAITING, "{\"n\":1}");

    walk_open_at(0);
    put_outbox(made_outbox(2, OC_OUTBOX_WAITING, "{\"n\":2}"));
    put_outbox(row);
    put_outbox(made_outbox(3, OC_OUTBOX_SENT, "{\"n\":3}"));
    commit_now();
    row.body = NULL;
    row.state = OC_OUTBOX_PARKED;
    row.attempts = 5;
    row.status = 403;
    row.why = "403 Forbidden";
    put_outbox(row);
    commit_now();
    walk_close();
    walk_open_at(1000);
    memset(&got, 0, sizeof got);
    ck_assert_int_eq(oc_store_outbox_open(store, take_outbox, &got), 2);
    ck_assert_str_eq(got.items[0].id, "msg_0000000000000001");
    ck_assert_uint_eq(got.items[0].state, OC_OUTBOX_PARKED);
    ck_assert_uint_eq(got.items[0].attempts, 5);
    ck_assert_int_eq(got.items[0].status, 403);
    ck_assert_uint_eq(got.items[0].group, UINT64_MAX - 3);
    ck_assert_uint_eq(got.items[0].body_bytes, 7);
    ck_assert_str_eq(got.whys[0], "403 Forbidden");
    ck_assert_str_eq(got.bodies[0], "{\"n\":1}");
    ck_assert_str_eq(got.bodies[1], "{\"n\":2}");
}
END_TEST

START_TEST(the_outbox_is_read_by_state_with_or_without_bodies)
{
    static struct got_outbox got;
    oc_reader *reader;

    walk_open_at(0);
    put_outbox(made_outbox(1, OC_OUTBOX_WAITING, "one"));
    put_outbox(made_outbox(2, OC_OUTBOX_DROPPED, "two"));
    commit_now();
    reader = walk_reader();
    ck_assert_int_eq(oc_reader_outbox(reader, OC_OUTBOX_ANY, 0, take_outbox, &got), 2);
    ck_assert_str_eq(got.bodies[0], "(none)");
    ck_assert_int_eq(got.items[1].done_unix_ms, WALK_UNIX_MS + 22);
    memset(&got, 0, sizeof got);
    ck_assert_int_eq(oc_reader_outbox(reader, OC_OUTBOX_DROPPED, 1, take_outbox, &got), 1);
    ck_assert_str_eq(got.bodies[0], "two");
    oc_reader_close(reader);
}
END_TEST

/* ---- silences ---- */

START_TEST(silences_come_back_with_their_matchers)
{
    static struct got_silences got;
    struct oc_silence changed = made_silence(2, WALK_UNIX_MS + 9000);
    oc_reader *reader;

    walk_open_at(0);
    put_silence(made_silence(1, WALK_UNIX_MS + 1000));
    put_silence(made_silence(2, WALK_UNIX_MS + 5000));
    commit_now();
    changed.matcher_count = 1;
    put_silence(changed);
    commit_now();
    walk_close();
    walk_open_at(2000);
    ck_assert_int_eq(oc_store_silences(store, WALK_UNIX_MS + 2000, take_silence, &got), 1);
    ck_assert_uint_eq(got.items[0].id, 2);
    ck_assert_uint_eq(got.items[0].matcher_count, 1);
    ck_assert_int_eq(got.items[0].end_unix_ms, WALK_UNIX_MS + 9000);
    memset(&got, 0, sizeof got);
    reader = walk_reader();
    ck_assert_int_eq(oc_reader_silences(reader, take_silence, &got), 2);
    oc_reader_close(reader);
    ck_assert_str_eq(got.items[0].author, "ann");
    ck_assert_str_eq(got.items[0].comment, "a \"known\" leak; it's <b>");
    ck_assert_uint_eq(got.items[0].matcher_count, 2);
    ck_assert_str_eq(got.items[0].matchers[0].name, "subject");
    ck_assert_str_eq(got.items[0].matchers[0].glob, "proc:leak-*");
    ck_assert_int_eq(got.items[0].matchers[1].is_negative, 1);
}
END_TEST

/* ---- what grows old ---- */

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    char *error = NULL;

    ck_assert_int_eq(sqlite3_open(walk_path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &error) == SQLITE_OK, "%s: %s", sql, error);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* One pass of retention, so many days after the start. */
static void grow_old(int64_t days)
{
    int64_t now_ms = days * 24 * HOUR;
    int rc = oc_store_maintain(store, 0, WALK_UNIX_MS, 1000);

    ck_assert_int_ge(rc, 0);
    do
        rc = oc_store_maintain(store, now_ms, WALK_UNIX_MS + now_ms, 1000000);
    while (rc == 1);
    ck_assert_int_eq(rc, 0);
}

START_TEST(what_is_old_goes_what_is_open_stays)
{
    walk_open_at(0);
    for (uint64_t episode = 1; episode <= 4; episode++)
        put_alert(made_alert(episode, episode == 2 ? OC_ALERT_FIRING : OC_ALERT_RESOLVED));
    put_decision(made_decision(1, OC_ALERT_PENDING, OC_ALERT_FIRING, "old"));
    put_outbox(made_outbox(1, OC_OUTBOX_WAITING, "one"));
    put_outbox(made_outbox(2, OC_OUTBOX_SENT, "two"));
    put_outbox(made_outbox(3, OC_OUTBOX_PARKED, "three"));
    put_silence(made_silence(1, WALK_UNIX_MS + 1000));
    put_silence(made_silence(2, INT64_C(4000000000000)));
    commit_now();
    grow_old(6);
    ck_assert_str_eq(ask("SELECT count(*), (SELECT count(*) FROM outbox) FROM alerts"), "4|3\n");
    walk_close();
    walk_open_at(0);
    grow_old(8);
    ck_assert_str_eq(ask("SELECT group_concat(state) FROM outbox"), "waiting,parked\n");
    ck_assert_str_eq(ask("SELECT count(*) FROM alert_log"), "1\n");
    walk_close();
    walk_open_at(0);
    grow_old(91);
    ck_assert_str_eq(ask("SELECT group_concat(id) FROM silences"), "2\n");
    ck_assert_str_eq(ask("SELECT count(*) FROM main.silence_matcher"), "2\n");
    ck_assert_str_eq(ask("SELECT count(*) FROM alert_log"), "0\n");
    ck_assert_str_eq(ask("SELECT count(*) FROM alerts"), "4\n");
    walk_close();
    walk_open_at(0);
    grow_old(731); /* the last episode stays, so that none comes twice */
    ck_assert_str_eq(ask("SELECT group_concat(episode) FROM alerts"), "2,4\n");
}
END_TEST

START_TEST(of_too_many_the_oldest_go)
{
    walk_options.max_file_bytes = 16 << 20; /* a sixty-fourth of what the maxima are of */
    walk_open_at(0);
    put_alert(made_alert(1, OC_ALERT_FIRING));
    put_outbox(made_outbox(1, OC_OUTBOX_SENT, "x"));
    put_decision(made_decision(1, 0, 1, "x"));
    commit_now();
    walk_close();
    run_sql(
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2600) INSERT "
        "INTO alert SELECT i, i, rule, subject, kind, severity, 3, mutes, was_told, not_durable, "
        "source_kind, flaps, NULL, NULL, i, NULL, 1700000000000 + i, source, pid, value, bound, "
        "chance, why, limit_kind, limit_place, metric, forecast_state, forecast_unix_ms, "
        "since_unix_ms, samples, last, ceiling, growth, growth_error, goes_on, p10, p50, p90, "
        "saved_life FROM alert, n;"
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2600) INSERT "
        "INTO outbox SELECT i, 'msg_' || i, receiver, group_key, 2, severity, is_digest, "
        "attempts, made_unix_ms, next_unix_ms, done_unix_ms + i, status, why, body FROM outbox, "
        "n;"
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT "
        "INTO alert_decision SELECT i, t_unix_ms + i, episode, fingerprint, from_state, to_state, "
        "mutes, rule, subject, reason FROM alert_decision, n");
    walk_open_at(0);
    grow_old(1);
    ck_assert_str_eq(
        ask("SELECT count(*), min(episode), max(episode) FROM alerts WHERE NOT is_now"),
        "1562|1039|2600\n");
    ck_assert_str_eq(ask("SELECT count(*) FROM alerts WHERE is_now"), "1\n");
    ck_assert_str_eq(ask("SELECT count(*), max(row) FROM main.outbox"), "1000|2600\n");
    ck_assert_str_eq(ask("SELECT count(*), max(id) FROM alert_log"), "3125|5000\n");
}
END_TEST

START_TEST(rows_that_cannot_be_are_skipped_and_counted)
{
    static struct got_alerts alerts;
    static struct got_outbox outbox;
    static struct got_silences silences;
    struct oc_store_stats stats;

    walk_open_at(0);
    put_alert(made_alert(1, OC_ALERT_FIRING));
    put_alert(made_alert(2, OC_ALERT_FIRING));
    put_outbox(made_outbox(1, OC_OUTBOX_WAITING, "one"));
    put_outbox(made_outbox(2, OC_OUTBOX_WAITING, "two"));
    put_silence(made_silence(1, INT64_C(4000000000000)));
    put_silence(made_silence(2, INT64_C(4000000000000)));
    commit_now();
    walk_close();
    run_sql("UPDATE alert SET severity = 77 WHERE episode = 1; UPDATE outbox SET body = NULL WHERE "
            "body = 'one'; UPDATE silence_matcher SET name = '' WHERE silence = 1 AND n = 1");
    walk_open_at(1000);
    ck_assert_int_eq(oc_store_alerts(store, take_alert, &alerts), 1);
    ck_assert_uint_eq(alerts.items[0].episode, 2);
    ck_assert_int_eq(oc_store_outbox_open(store, take_outbox, &outbox), 1);
    ck_assert_str_eq(outbox.bodies[0], "two");
    ck_assert_int_eq(oc_store_silences(store, WALK_UNIX_MS, take_silence, &silences), 1);
    ck_assert_uint_eq(silences.items[0].id, 2);
    oc_store_stats(store, &stats);
    ck_assert_uint_eq(stats.skipped_rows, 3);
}
END_TEST

/* ---- for SQL ---- */

START_TEST(views_are_readable)
{
    struct oc_outbox_row row = made_outbox(1, OC_OUTBOX_PARKED, "{}");

    walk_open_at(0);
    row.why = "refused";
    row.status = 404;
    put_alert(made_alert(1, OC_ALERT_FIRING));
    put_decision(made_decision(1, OC_ALERT_PENDING, OC_ALERT_FIRING, "for 2 min"));
    put_outbox(row);
    put_silence(made_silence(4, INT64_C(4000000000000)));
    commit_now();
    ck_assert_str_eq(
        ask("SELECT rule, kind, severity, subject, state, muted, limit_name, place, "
            "metric, forecast, p50_s, chance IS NULL, is_now, firing IS NOT NULL, ended "
            "IS NULL, fingerprint FROM alerts"),
        "MemoryLimitForecast|forecast|critical|proc:leak-1|firing|silenced acked|"
        "memory.max|/a/b|cgroup_charge_bytes|leaking|200.0|1|1|1|1|fedcba9876543211\n");
    ck_assert_str_eq(ask("SELECT episode, rule, before, state, muted, reason FROM alert_log"),
                     "1|MemoryLimitForecast|pending|firing||for 2 min\n");
    ck_assert_str_eq(ask("SELECT id, receiver, state, severity, status, why, body FROM outbox "
                         "WHERE made IS NOT NULL AND next IS NOT NULL AND done IS NULL"),
                     "msg_0000000000000001|ops|parked|warning|404|refused|{}\n");
    ck_assert_str_eq(ask("SELECT id, matchers, author, is_now FROM silences"),
                     "4|subject=proc:leak-*, severity!=critical|ann|1\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alerts_store");
    TCase *tests = tcase_create("alerts_store");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, walk_setup, walk_teardown);
    tcase_add_test(tests, an_alert_comes_back_as_it_was);
    tcase_add_test(tests, an_alert_replaces_the_row_of_its_episode);
    tcase_add_test(tests, alerts_are_found_by_subject_rule_and_time);
    tcase_add_test(tests, what_cannot_be_is_refused);
    tcase_add_test(tests, decisions_come_back_in_their_order);
    tcase_add_test(tests, the_outbox_keeps_a_body_that_is_not_said_again);
    tcase_add_test(tests, the_outbox_is_read_by_state_with_or_without_bodies);
    tcase_add_test(tests, silences_come_back_with_their_matchers);
    tcase_add_test(tests, what_is_old_goes_what_is_open_stays);
    tcase_add_test(tests, of_too_many_the_oldest_go);
    tcase_add_test(tests, rows_that_cannot_be_are_skipped_and_counted);
    tcase_add_test(tests, views_are_readable);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
