/* Bodies: what each says. */
#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "tests/unit/alert/body_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what each says ---- */

START_TEST(headline_says_what_meets_which_limit_when)
{
    make_notice(1, "unit:shop.service");
    oc_alert_headline(&alerts[0].alert, &body.text);
    ck_assert_str_eq(body.text.data, "memory of unit:shop.service will meet memory.max of "
                                     "/system.slice/shop.service in 3 h (2 h - 5 h)");
}
END_TEST

START_TEST(headline_of_the_end_tells_died_from_over)
{
    make_notice(1, "unit:shop.service");
    alerts[0].alert.state = OC_ALERT_RESOLVED;
    alerts[0].alert.ended_unix_ms = NOW;
    oc_alert_headline(&alerts[0].alert, &body.text);
    ck_assert_ptr_nonnull(strstr(body.text.data, "MemoryLimitForecast is over after 12 min"));
    ck_assert_ptr_null(strstr(body.text.data, "died"));
    oc_buf_reset(&body.text);
    alerts[0].alert.state = OC_ALERT_DIED;
    oc_alert_headline(&alerts[0].alert, &body.text);
    ck_assert_ptr_nonnull(strstr(body.text.data, "died while MemoryLimitForecast was firing"));
}
END_TEST

START_TEST(times_are_rfc_3339)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        { NOW, "2026-11-23T18:00:00.000Z" },          { 951782399999, "2000-02-28T23:59:59.999Z" },
        { 951782400000, "2000-02-29T00:00:00.000Z" }, { 0, "1970-01-01T00:00:00.000Z" },
        { -1, "1969-12-31T23:59:59.999Z" },           { 4107542400000, "2100-03-01T00:00:00.000Z" },
        { INT64_MAX, "0001-01-01T00:00:00.000Z" },    { INT64_MIN, "0001-01-01T00:00:00.000Z" }
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        oc_buf_reset(&body.text);
        oc_alert_time(cases[i].ms, &body.text);
        ck_assert_str_eq(body.text.data, cases[i].text);
    }
}
END_TEST

START_TEST(webhook_is_version_4_of_alertmanager)
{
    cJSON *root = NULL;
    const cJSON *alert = NULL;

    make_notice(2, "unit:shop.service");
    alerts[1].alert.state = OC_ALERT_DIED;
    alerts[1].alert.ended_unix_ms = NOW;
    notice.firing = 1;
    notice.ended = 1;
    notice.more = 7;
    write_body(OC_RECEIVER_WEBHOOK);
    ck_assert_str_eq(body.content_type, "application/json");
    root = parsed();
    has(root, "version", "4");
    has(root, "groupKey", "{}/{rule=\"x\"}");
    ck_assert_int_eq(member(root, "truncatedAlerts")->valueint, 7);
    has(root, "status", "firing");
    has(root, "receiver", "ops");
    has(member(root, "groupLabels"), "alertname", "MemoryLimitForecast");
    ck_assert(cJSON_IsObject(member(root, "commonAnnotations")));
    ck_assert(cJSON_IsString(member(root, "externalURL")));
    ck_assert_int_eq(cJSON_GetArraySize(member(root, "alerts")), 2);
    alert = member(root, "alerts")->child;
    has(alert, "status", "firing");
    has(alert, "startsAt", "2026-11-23T17:48:00.000Z");
    has(alert, "endsAt", "0001-01-01T00:00:00Z");
    has(alert, "fingerprint", "0000000000000abc");
    has(member(alert, "labels"), "instance", "db-1.example.org");
    has(member(alert, "labels"), "severity", "critical");
    has(member(alert, "annotations"), "limit",
        "memory.max of /system.slice/shop.service (2.0 GiB)");
    has(member(alert, "annotations"), "p50", "3 h");
    has(member(alert, "annotations"), "expected_at", "2026-11-23T21:00:00.000Z");
    has(member(alert, "annotations"), "value", "1.5 GiB");
    has(member(alert, "annotations"), "pid", "77");
    has(alert->next, "status", "resolved");
    has(alert->next, "endsAt", "2026-11-23T18:00:00.000Z");
    has(member(alert->next, "annotations"), "outcome", "died");
    ck_assert(!cJSON_HasObjectItem(member(alert->next, "annotations"), "p50"));
    cJSON_Delete(root);
}
END_TEST

START_TEST(what_is_unknown_is_absent)
{
    cJSON *root = NULL;
    const cJSON *annotations = NULL;

    make_notice(1, "unit:shop.service");
    alerts[0].alert.kind = OC_RULE_OOM_KILL;
    alerts[0].alert.value = alerts[0].alert.bound = alerts[0].alert.chance = (double)NAN;
    alerts[0].alert.pid = 0;
    memset(&alerts[0].alert.about, 0, sizeof(alerts[0].alert.about));
    write_body(OC_RECEIVER_WEBHOOK);
    root = parsed();
    annotations = member(member(root, "alerts")->child, "annotations");
    for (const cJSON *item = annotations->child; item; item = item->next)
        ck_assert_msg(strcmp(item->string, "summary") == 0 ||
                          strcmp(item->string, "description") == 0,
                      "%s", item->string);
    cJSON_Delete(root);
    ck_assert_ptr_null(strstr(body.text.data, "nan"));
}
END_TEST

/* A bound of the config's, with no forecast: its unit is that of the metric. */
START_TEST(figures_of_a_threshold_have_their_unit)
{
    cJSON *root = NULL;
    const cJSON *annotations = NULL;

    make_notice(1, "unit:shop.service");
    alerts[0].alert.kind = OC_RULE_THRESHOLD;
    alerts[0].alert.value = 3.0 * 1073741824;
    alerts[0].alert.bound = 2.0 * 1073741824;
    memset(&alerts[0].alert.about, 0, sizeof(alerts[0].alert.about));
    alerts[0].alert.about.forecast.metric = OC_METRIC_RSS;
    write_body(OC_RECEIVER_HOOK);
    ck_assert_str_eq(field("OOMCAST_VALUE"), "3221225472");
    ck_assert_str_eq(field("OOMCAST_METRIC"), "rss_bytes");
    ck_assert_ptr_null(field("OOMCAST_GROWTH_PER_HOUR"));
    root = parsed();
    annotations = member(member(root, "alerts")->child, "annotations");
    has(annotations, "value", "3.0 GiB");
    has(annotations, "bound", "2.0 GiB");
    ck_assert(!cJSON_HasObjectItem(annotations, "growth_per_hour"));
    ck_assert(!cJSON_HasObjectItem(annotations, "since"));
    cJSON_Delete(root);
}
END_TEST

START_TEST(common_labels_are_those_that_all_have)
{
    char *first[] = { "alertname", "A", "team", "x", "subject", "s1", NULL };
    char *second[] = { "alertname", "A", "team", "x", "subject", "s2", NULL };
    cJSON *root = NULL;

    make_notice(2, "s");
    alerts[0].labels = first;
    alerts[1].labels = second;
    write_body(OC_RECEIVER_WEBHOOK);
    root = parsed();
    ck_assert_int_eq(cJSON_GetArraySize(member(root, "commonLabels")), 2);
    has(member(root, "commonLabels"), "team", "x");
    cJSON_Delete(root);
}
END_TEST

START_TEST(level_body_ends_four_minutes_ahead)
{
    cJSON *root = NULL;

    make_notice(2, "unit:shop.service");
    alerts[1].alert.state = OC_ALERT_RESOLVED;
    alerts[1].alert.ended_unix_ms = NOW - MINUTE;
    ck_assert_int_eq(oc_body_write_level(alerts, 2, NOW, &body.text), OC_OK);
    root = parsed();
    ck_assert_int_eq(cJSON_GetArraySize(root), 2);
    has(root->child, "endsAt", "2026-11-23T18:04:00.000Z");
    has(root->child->next, "endsAt", "2026-11-23T17:59:00.000Z");
    ck_assert(!cJSON_HasObjectItem(root->child, "status"));
    ck_assert(!cJSON_HasObjectItem(root->child, "fingerprint"));
    cJSON_Delete(root);
    oc_buf_reset(&body.text);
    ck_assert_int_eq(oc_body_write_level(alerts, 0, NOW, &body.text), OC_OK);
    ck_assert_str_eq(body.text.data, "[]");
}
END_TEST

START_TEST(hook_gets_variables_and_json)
{
    make_notice(1, "unit:shop.service");
    write_body(OC_RECEIVER_HOOK);
    cJSON_Delete(parsed());
    ck_assert_str_eq(field("OOMCAST_SUBJECT"), "unit:shop.service");
    ck_assert_str_eq(field("OOMCAST_RULE"), "MemoryLimitForecast");
    ck_assert_str_eq(field("OOMCAST_STATUS"), "firing");
    ck_assert_str_eq(field("OOMCAST_PID"), "77");
    ck_assert_str_eq(field("OOMCAST_LIMIT"), "memory.max");
    ck_assert_str_eq(field("OOMCAST_P50_SECONDS"), "10800");
    ck_assert_str_eq(field("OOMCAST_VALUE"), "1610612736");
    ck_assert_ptr_null(field("OOMCAST_TEST"));
}
END_TEST

START_TEST(journal_has_fields_and_a_priority)
{
    static const struct {
        unsigned severity;
        int is_firing;
        const char *priority;
    } cases[] = { { OC_SEVERITY_CRITICAL, 1, "2" },
                  { OC_SEVERITY_WARN, 1, "4" },
                  { OC_SEVERITY_CRITICAL, 0, "5" } };

    for (size_t i = 0; i < 3; i++) {
        make_notice(1, "unit:shop.service");
        notice.severity = (uint8_t)cases[i].severity;
        notice.is_firing = (uint8_t)cases[i].is_firing;
        write_body(OC_RECEIVER_JOURNAL);
        ck_assert_str_eq(field("PRIORITY"), cases[i].priority);
        ck_assert_str_eq(field("OOMCAST_SUBJECT"), "unit:shop.service");
        ck_assert_uint_eq(strlen(field("MESSAGE_ID")), 32);
    }
}
END_TEST

START_TEST(other_kinds_have_no_body)
{
    make_notice(1, "s");
    ck_assert_int_eq(oc_body_write(OC_RECEIVER_HEARTBEAT, &notice, NOW, &body), OC_E_NOTSUP);
    ck_assert_int_eq(oc_body_write(OC_RECEIVER_ALERTMANAGER, &notice, NOW, &body), OC_E_NOTSUP);
    ck_assert_int_eq(oc_body_write(99, &notice, NOW, &body), OC_E_NOTSUP);
}
END_TEST

START_TEST(mail_ids_are_the_same_in_a_repeat)
{
    char id[200], thread[200];

    make_notice(1, "s");
    write_body(OC_RECEIVER_EMAIL);
    (void)oc_text_copy(id, sizeof(id), field("Message-ID"));
    (void)oc_text_copy(thread, sizeof(thread), field("References"));
    ck_assert_str_eq(id, "<msg1@db-1.example.org.oomcast>");
    write_body(OC_RECEIVER_EMAIL);
    ck_assert_str_eq(field("Message-ID"), id);
    (void)oc_text_copy(notice.id, sizeof(notice.id), "msg_2");
    write_body(OC_RECEIVER_EMAIL);
    ck_assert_str_ne(field("Message-ID"), id);
    ck_assert_str_eq(field("References"), thread);
}
END_TEST

START_TEST(sample_is_told_as_a_test_everywhere)
{
    static const unsigned types[] = { OC_RECEIVER_WEBHOOK, OC_RECEIVER_SLACK,   OC_RECEIVER_TEAMS,
                                      OC_RECEIVER_EMAIL,   OC_RECEIVER_JOURNAL, OC_RECEIVER_HOOK };
    struct oc_notice sample;

    ck_assert_int_eq(oc_notice_sample("db-1", "ops", NOW, &sample), OC_OK);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        ck_assert_int_eq(oc_body_write(types[i], &sample, NOW, &body), OC_OK);
        ck_assert(strstr(body.text.data, "test") || strstr(body.text.data, "TEST"));
        ck_assert_ptr_nonnull(strstr(body.text.data, "sample.service"));
    }
    ck_assert_str_eq(field("OOMCAST_TEST"), "1");
    oc_notice_clear(&sample);
}
END_TEST

/* ---- whole bodies, as a person may read them ---- */

static const struct {
    unsigned type;
    const char *name;
} golden[] = {
    { OC_RECEIVER_WEBHOOK, "webhook.json" }, { OC_RECEIVER_SLACK, "slack.json" },
    { OC_RECEIVER_TEAMS, "teams.json" },     { OC_RECEIVER_EMAIL, "email.txt" },
    { OC_RECEIVER_JOURNAL, "journal.txt" },  { OC_RECEIVER_HOOK, "hook.txt" },
};

/* A firing alert, one that died and one that is over. */
static void make_three(void)
{
    make_notice(3, "unit:shop.service");
    alerts[0].explanation = (char *)"private bytes grow by 100 MiB an hour\n  97 %  Heap\n"
                                    "   3 %  unexplained";
    alerts[0].next = (char *)"oomcast explain 77\nheaptrack -p 77";
    alerts[0].runbook_url = (char *)"https://wiki.example.org/memory?a=1&b=2";
    (void)oc_text_copy(alerts[1].alert.subject, sizeof(alerts[1].alert.subject), "java:<\"k\">");
    alerts[1].alert.state = OC_ALERT_DIED;
    (void)oc_text_copy(alerts[1].alert.why, sizeof(alerts[1].alert.why),
                       "killed by the OOM killer of /system.slice");
    alerts[2].alert.state = OC_ALERT_RESOLVED;
    alerts[1].alert.ended_unix_ms = alerts[2].alert.ended_unix_ms = NOW;
    notice.firing = 1;
    notice.ended = 2;
}

static void put_fields(struct oc_buf *out)
{
    for (size_t at = 0; at < body.fields.len_bytes;) {
        const char *key = body.fields.data + at, *value = key + strlen(key) + 1;

        oc_buf_printf(out, "%s: %s\n", key, value);
        at = (size_t)(value - body.fields.data) + strlen(value) + 1;
    }
}

/* OOMCAST_RENEW=1 writes them anew: the difference is then read, and committed. */
START_TEST(bodies_are_as_they_were)
{
    struct oc_buf all;
    char path[300];
    char *kept = NULL;
    size_t len = 0;

    make_three();
    write_body(golden[_i].type);
    oc_buf_init(&all, 1u << 20);
    put_fields(&all);
    oc_buf_puts(&all, all.len_bytes > 0 ? "\n" : "");
    for (size_t i = 0; i < body.text.len_bytes; i++) { /* a checkout may turn line ends */
        if (body.text.data[i] != '\r')
            oc_buf_putc(&all, body.text.data[i]);
    }
    oc_buf_puts(&all, body.text.data[body.text.len_bytes - 1] == '\n' ? "" : "\n");
    (void)snprintf(path, sizeof(path), OC_TEST_DATA "/bodies/%s", golden[_i].name);
    if (getenv("OOMCAST_RENEW"))
        ck_assert_int_eq(oc_file_write_atomic(path, all.data, all.len_bytes), OC_OK);
    ck_assert_msg(oc_file_read(path, 1u << 20, &kept, &len) == OC_OK, "%s", path);
    ck_assert_msg(len == all.len_bytes && memcmp(kept, all.data, len) == 0, "%s:\n%s", path,
                  all.data);
    oc_free(kept);
    oc_buf_clear(&all);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bodies");
    TCase *tcase = tcase_create("said");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(tcase, body_setup, body_teardown);
    tcase_add_test(tcase, headline_says_what_meets_which_limit_when);
    tcase_add_test(tcase, headline_of_the_end_tells_died_from_over);
    tcase_add_test(tcase, times_are_rfc_3339);
    tcase_add_test(tcase, webhook_is_version_4_of_alertmanager);
    tcase_add_test(tcase, what_is_unknown_is_absent);
    tcase_add_test(tcase, figures_of_a_threshold_have_their_unit);
    tcase_add_test(tcase, common_labels_are_those_that_all_have);
    tcase_add_test(tcase, level_body_ends_four_minutes_ahead);
    tcase_add_test(tcase, hook_gets_variables_and_json);
    tcase_add_test(tcase, journal_has_fields_and_a_priority);
    tcase_add_test(tcase, other_kinds_have_no_body);
    tcase_add_test(tcase, mail_ids_are_the_same_in_a_repeat);
    tcase_add_test(tcase, sample_is_told_as_a_test_everywhere);
    tcase_add_loop_test(tcase, bodies_are_as_they_were, 0, sizeof(golden) / sizeof(golden[0]));
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_add_suite(runner, hostile_suite());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
