/* A notice as JSON: what is written is read again, damage is told. */
#include "alert/notice.h"
#include "base/alloc.h"
#include "base/text.h"

#include <check.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct oc_detail detail;
static struct oc_buf json;

static void begin(void) { oc_buf_init(&json, OC_NOTICE_MAX_BYTES); }

static void end(void) { oc_buf_clear(&json); }

static struct oc_notice_alert full_alert(void)
{
    struct oc_notice_alert told = { 0 };
    struct oc_alert *alert = &told.alert;

    alert->fingerprint = UINT64_C(0xfedcba9876543210);
    alert->episode = UINT64_MAX;
    (void)oc_text_copy(alert->rule, sizeof(alert->rule), "MemoryLimitForecast");
    (void)oc_text_copy(alert->subject, sizeof(alert->subject), "unit:sh\"op\n.service");
    alert->kind = OC_RULE_FORECAST;
    alert->severity = OC_SEVERITY_CRITICAL;
    alert->state = OC_ALERT_DIED;
    alert->mutes = OC_ALERT_ACKED;
    alert->flaps = 3;
    alert->firing_unix_ms = 1700000000000;
    alert->ended_unix_ms = 1700000001000;
    alert->source = 7;
    alert->pid = 4711;
    alert->value = 0.1;
    alert->bound = (double)NAN;
    alert->chance = 0.63;
    alert->about.limit.kind = OC_LIMIT_CGROUP_MAX;
    alert->about.limit.value = UINT64_MAX - 1;
    (void)oc_text_copy(alert->about.limit.where, sizeof(alert->about.limit.where),
                       "/system.slice/shop.service");
    alert->about.forecast.state = OC_FORECAST_LEAKING;
    alert->about.forecast.value = 123456789.0;
    alert->about.forecast.p10_s = 7200;
    alert->about.forecast.p50_s = 10800;
    alert->about.forecast.p90_s = (double)INFINITY;
    alert->about.forecast.saved_life_s = (double)NAN;
    (void)oc_text_copy(alert->why, sizeof(alert->why),
                       "private bytes will meet memory.max \xe2\x80\xa6");
    told.labels = oc_calloc(3, sizeof(char *));
    told.labels[0] = oc_strdup("team");
    told.labels[1] = oc_strdup("shop");
    told.explanation = oc_strdup("92 % of it is heap\n8 % unexplained");
    told.next = oc_strdup("heaptrack -p 4711");
    return told;
}

static struct oc_notice full_notice(size_t count)
{
    struct oc_notice notice = { .kind = OC_NOTICE_ALERTS,
                                .severity = OC_SEVERITY_CRITICAL,
                                .is_firing = 1,
                                .made_unix_ms = 1700000002000,
                                .folded = 2 };

    (void)oc_text_copy(notice.id, sizeof(notice.id), "msg_1");
    (void)oc_text_copy(notice.receiver, sizeof(notice.receiver), "ops");
    (void)oc_text_copy(notice.instance, sizeof(notice.instance), "web-1");
    (void)oc_text_copy(notice.group_key, sizeof(notice.group_key),
                       "{}/{rule=\"MemoryLimitForecast\"}");
    notice.alerts = oc_calloc(count ? count : 1, sizeof(*notice.alerts));
    for (; notice.count < count; notice.count++)
        notice.alerts[notice.count] = full_alert();
    notice.ended = (uint32_t)count;
    return notice;
}

START_TEST(notice_comes_through_whole)
{
    struct oc_notice notice = full_notice(2), got = { 0 };
    const struct oc_alert *was = &notice.alerts[1].alert, *is = NULL;

    oc_notice_write(&notice, &json);
    ck_assert_int_eq(json.err, OC_OK);
    ck_assert_msg(oc_notice_read(json.data, json.len_bytes, &got, &detail) == OC_OK, "%s",
                  detail.text);
    ck_assert_str_eq(got.id, "msg_1");
    ck_assert_str_eq(got.group_key, notice.group_key);
    ck_assert_uint_eq(got.count, 2);
    ck_assert_uint_eq(got.ended, 2);
    ck_assert_uint_eq(got.folded, 2);
    ck_assert_int_eq(got.made_unix_ms, notice.made_unix_ms);
    is = &got.alerts[1].alert;
    ck_assert(is->fingerprint == was->fingerprint && is->episode == was->episode);
    ck_assert_str_eq(is->subject, was->subject);
    ck_assert_uint_eq(is->state, OC_ALERT_DIED);
    ck_assert_uint_eq(is->mutes, was->mutes);
    ck_assert_double_eq(is->value, 0.1);
    ck_assert_double_nan(is->bound);
    ck_assert(is->about.limit.value == was->about.limit.value);
    ck_assert_str_eq(is->about.limit.where, was->about.limit.where);
    ck_assert_double_infinite(is->about.forecast.p90_s);
    ck_assert_double_nan(is->about.forecast.saved_life_s);
    ck_assert_str_eq(is->why, was->why);
    ck_assert_str_eq(got.alerts[1].labels[1], "shop");
    ck_assert_ptr_null(got.alerts[1].labels[2]);
    ck_assert_str_eq(got.alerts[1].explanation, notice.alerts[1].explanation);
    ck_assert_ptr_null(got.alerts[1].runbook_url);
    oc_notice_clear(&notice);
    oc_notice_clear(&got);
}
END_TEST

START_TEST(empty_notice_comes_through)
{
    struct oc_notice notice = full_notice(0), got = { 0 };

    oc_notice_write(&notice, &json);
    ck_assert_int_eq(oc_notice_read(json.data, json.len_bytes, &got, &detail), OC_OK);
    ck_assert_uint_eq(got.count, 0);
    oc_notice_clear(&notice);
    oc_notice_clear(&got);
}
END_TEST

START_TEST(what_does_not_fit_is_counted)
{
    struct oc_notice notice = full_notice(80), got = { 0 };

    notice.more = 5;
    oc_notice_write(&notice, &json);
    ck_assert_int_eq(oc_notice_read(json.data, json.len_bytes, &got, &detail), OC_OK);
    ck_assert_uint_eq(got.count, OC_NOTICE_ALERTS_MAX);
    ck_assert_uint_eq(got.more, 5 + 30);
    oc_notice_clear(&got);
    oc_buf_clear(&json);
    oc_buf_init(&json, 8000);
    oc_notice_write(&notice, &json);
    ck_assert_int_eq(json.err, OC_OK);
    ck_assert_uint_le(json.len_bytes, 8000);
    ck_assert_int_eq(oc_notice_read(json.data, json.len_bytes, &got, &detail), OC_OK);
    ck_assert_uint_gt(got.count, 2);
    ck_assert_uint_eq(got.more, 85 - got.count);
    oc_notice_clear(&notice);
    oc_notice_clear(&got);
}
END_TEST

START_TEST(long_explanations_are_cut)
{
    struct oc_notice notice = full_notice(50), got = { 0 };

    for (size_t i = 0; i < notice.count; i++) {
        oc_free(notice.alerts[i].explanation);
        notice.alerts[i].explanation = oc_malloc(100001);
        memset(notice.alerts[i].explanation, '\n', 100000); /* two bytes each */
        notice.alerts[i].explanation[100000] = '\0';
    }
    oc_notice_write(&notice, &json);
    ck_assert_int_eq(json.err, OC_OK);
    ck_assert_int_eq(oc_notice_read(json.data, json.len_bytes, &got, &detail), OC_OK);
    ck_assert_uint_eq(got.count + got.more, 50);
    ck_assert_uint_gt(got.count, 20);
    ck_assert_uint_lt(strlen(got.alerts[0].explanation), OC_NOTICE_EXPLAIN_BYTES);
    oc_notice_clear(&notice);
    oc_notice_clear(&got);
}
END_TEST

START_TEST(each_prefix_and_each_flipped_byte_is_told_or_read)
{
    struct oc_notice notice = full_notice(1), got = { 0 };

    oc_notice_write(&notice, &json);
    for (size_t len = 0; len < json.len_bytes; len++)
        ck_assert_int_eq(oc_notice_read(json.data, len, &got, &detail), OC_E_PARSE);
    for (size_t i = 0; i < json.len_bytes; i++) {
        json.data[i] ^= 1;
        if (oc_notice_read(json.data, json.len_bytes, &got, &detail) == OC_OK)
            oc_notice_clear(&got);
        json.data[i] ^= 1;
    }
    oc_notice_clear(&notice);
}
END_TEST

static const char *const bad[] = {
    "",
    "{}",
    "{\"v\":2}",
    "{\"v\":1,\"id\":\"a\",\"receiver\":\"b\",\"kind\":\"alerts\"}",
    "{\"v\":1,\"id\":\"a\",\"receiver\":\"b\",\"kind\":\"alert\",\"alerts\":[]}",
    "{\"v\":1,\"id\":\"a\",\"receiver\":\"b\",\"kind\":\"alerts\",\"alerts\":[1]}",
    "{\"v\":1,\"id\":\"a\",\"receiver\":\"b\",\"kind\":\"alerts\",\"alerts\":[{}]}",
    "{\"v\":1,\"id\":\"a\",\"receiver\":\"b\",\"kind\":\"alerts\",\"alerts\":[],\"more\":-1}",
    "{\"v\":1,\"id\":\"a\",\"receiver\":\"b\",\"kind\":\"alerts\",\"alerts\":[],\"x\":1}",
    "{\"v\":1,\"id\":\"a\",\"receiver\":\"b\",\"kind\":\"alerts\",\"alerts\":[{\"fingerprint\":"
    "\"00\",\"rule\":\"R\"}]}",
    "{\"v\":1,\"id\":\"a\",\"receiver\":\"b\",\"kind\":\"alerts\",\"alerts\":[{\"fingerprint\":"
    "\"0000000000000000\",\"rule\":\"R\",\"labels\":[\"a\"]}]}",
    "{\"v\":1,\"id\":\"a\",\"receiver\":\"b\",\"kind\":\"alerts\",\"alerts\":[{\"fingerprint\":"
    "\"0000000000000000\",\"rule\":\"R\",\"state\":\"dead\"}]}",
    "{\"v\":1,\"id\":\"a\",\"receiver\":\"b\",\"kind\":\"alerts\",\"alerts\":[{\"fingerprint\":"
    "\"0000000000000000\",\"rule\":\"R\",\"about\":{\"state\":99}}]}",
    "{\"v\":1,\"id\":\"a\",\"receiver\":\"b\",\"kind\":\"alerts\",\"alerts\":[{\"fingerprint\":"
    "\"0000000000000000\",\"rule\":\"R\",\"value\":1e999}]}",
};

START_TEST(damage_is_told)
{
    struct oc_notice got = { 0 };

    ck_assert_msg(oc_notice_read(bad[_i], strlen(bad[_i]), &got, &detail) == OC_E_PARSE, "%s",
                  bad[_i]);
    ck_assert_ptr_null(got.alerts);
}
END_TEST

START_TEST(want_of_memory_is_told_from_damage)
{
    struct oc_notice notice = full_notice(3), got = { 0 };
    int64_t live = 0;
    int rc = OC_E_NOMEM;

    oc_notice_write(&notice, &json);
    live = oc_alloc_live();
    for (uint64_t nth = 1; rc != OC_OK && nth < 2000; nth++) {
        oc_alloc_fail_at(nth, 0);
        rc = oc_notice_read(json.data, json.len_bytes, &got, &detail);
        oc_alloc_fail_at(0, 0);
        ck_assert(rc == OC_OK || rc == OC_E_NOMEM);
        if (rc != OC_OK)
            ck_assert_int_eq(oc_alloc_live(), live);
    }
    ck_assert_int_eq(rc, OC_OK);
    oc_notice_clear(&got);
    ck_assert_int_eq(oc_alloc_live(), live);
    oc_notice_clear(&notice);
}
END_TEST

static Suite *notice_suite(void)
{
    Suite *suite = suite_create("notice");
    TCase *tcase = tcase_create("notice");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, notice_comes_through_whole);
    tcase_add_test(tcase, empty_notice_comes_through);
    tcase_add_test(tcase, what_does_not_fit_is_counted);
    tcase_add_test(tcase, long_explanations_are_cut);
    tcase_add_test(tcase, each_prefix_and_each_flipped_byte_is_told_or_read);
    tcase_add_loop_test(tcase, damage_is_told, 0, (int)(sizeof(bad) / sizeof(bad[0])));
    tcase_add_test(tcase, want_of_memory_is_told_from_damage);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    cJSON_Hooks hooks = { .malloc_fn = oc_malloc, .free_fn = oc_free };
    SRunner *runner = NULL;
    int failed = 0;

    cJSON_InitHooks(&hooks);
    runner = srunner_create(notice_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
