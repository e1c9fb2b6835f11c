/* Bodies: each parses, says what it should, and lets nothing through that a process could have named. */
#include "alert/body.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <check.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1795456800000) /* 2026-11-23T18:00:00Z */
#define MINUTE INT64_C(60000)

static struct oc_body body;
static struct oc_notice notice;

static void setup(void)
{
    oc_body_init(&body);
    memset(&notice, 0, sizeof(notice));
}

/* Of notices that a test made: the alerts' strings are its own. */
static void teardown(void) { oc_body_clear(&body); }

/* ---- alerts to tell of ---- */

static struct oc_notice_alert alerts[OC_NOTICE_ALERTS_MAX];

static void make_alert(struct oc_notice_alert *out, const char *subject)
{
    struct oc_alert *alert = &out->alert;

    memset(out, 0, sizeof(*out));
    (void)oc_text_copy(alert->rule, sizeof(alert->rule), "MemoryLimitForecast");
    (void)oc_text_copy(alert->subject, sizeof(alert->subject), subject);
    (void)oc_text_copy(alert->why, sizeof(alert->why), "P(limit in 4 h) 0.63 >= 0.5 for 2 min");
    alert->fingerprint = 0xabc;
    alert->kind = OC_RULE_FORECAST;
    alert->severity = OC_SEVERITY_CRITICAL;
    alert->state = OC_ALERT_FIRING;
    alert->firing_unix_ms = NOW - 12 * MINUTE;
    alert->pid = 77;
    alert->value = alert->chance = 0.63;
    alert->bound = 0.5;
    alert->about.limit.kind = OC_LIMIT_CGROUP_MAX;
    alert->about.limit.value = UINT64_C(2) << 30;
    (void)oc_text_copy(alert->about.limit.where, sizeof(alert->about.limit.where),
                       "/system.slice/shop.service");
    alert->about.forecast = (struct oc_forecast){ .metric = OC_METRIC_CGROUP_CURRENT,
                                                  .state = OC_FORECAST_LEAKING,
                                                  .t_ms = NOW,
                                                  .since_ms = NOW - 60 * MINUTE,
                                                  .value = 1.5 * 1073741824,
                                                  .growth_per_h = 100.0 * 1048576,
                                                  .p10_s = 7200,
                                                  .p50_s = 10800,
                                                  .p90_s = 18000 };
}

static void make_notice(size_t count, const char *subject)
{
    for (size_t i = 0; i < count; i++)
        make_alert(&alerts[i], subject);
    notice.alerts = alerts;
    notice.count = count;
    notice.is_firing = 1;
    notice.firing = (uint32_t)count;
    notice.severity = OC_SEVERITY_CRITICAL;
    (void)oc_text_copy(notice.id, sizeof(notice.id), "msg_1");
    (void)oc_text_copy(notice.receiver, sizeof(notice.receiver), "ops");
    (void)oc_text_copy(notice.instance, sizeof(notice.instance), "db-1.example.org");
    (void)oc_text_copy(notice.group_key, sizeof(notice.group_key), "{}/{rule=\"x\"}");
}

static void write_body(unsigned type)
{
    ck_assert_int_eq(oc_body_write(type, &notice, NOW, &body), OC_OK);
    ck_assert_uint_gt(body.text.len_bytes, 0);
    ck_assert(oc_text_is_utf8(body.text.data, body.text.len_bytes, NULL));
}

static cJSON *parsed(void)
{
    cJSON *root = cJSON_ParseWithLengthOpts(body.text.data, body.text.len_bytes + 1, NULL, 1);

    ck_assert_msg(root != NULL, "%s", body.text.data);
    return root;
}

static const cJSON *member(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);

    ck_assert_msg(value != NULL, "no %s", key);
    return value;
}

static void has(const cJSON *object, const char *key, const char *text)
{
    ck_assert_str_eq(member(object, key)->valuestring, text);
}

static const char *field(const char *name)
{
    for (size_t at = 0; at < body.fields.len_bytes;) {
        const char *key = body.fields.data + at, *value = key + strlen(key) + 1;

        if (strcmp(key, name) == 0)
            return value;
        at = (size_t)(value - body.fields.data) + strlen(value) + 1;
    }
    return NULL;
}

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

/* ---- what a hostile process could have named ---- */

static const char *const hostile[] = {
    "plain",
    "\"quoted\\\" and \\",
    "two\nlines\r\nBcc: all@example.org\r\n\r\nbody",
    "<script>alert('x')</script>&amp;<!--",
    "@channel <!channel> <@U123> @here <https://evil|click>",
    "*bold* _it_ ~no~ `code` ```block``` [a](https://evil) # h | t",
    "\x1b[31mred\x1b]0;title\x07 \x9b",
    "bad \xff\xfe\xc3 utf8 \xed\xa0\x80",
    "\xe2\x80\xaegnp.exe \xe2\x81\xa6x",
    "=?UTF-8?B?SGVsbG8=?= =?x",
    "--=_oomcast_=--",
    ".",
    "${jndi:ldap://x} $(reboot) `reboot` ; rm -rf %s%n",
    "\xf0\x9f\x98\x80 emoji :smile:",
};
#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

/* A name everywhere where one may stand. */
static void make_hostile(const char *text)
{
    static char explanation[OC_NOTICE_EXPLAIN_BYTES * 2];
    static char *labels[9];

    make_notice(1, text);
    (void)snprintf(explanation, sizeof(explanation), "of %s:\n%s", text, text);
    (void)oc_text_copy(alerts[0].alert.why, sizeof(alerts[0].alert.why), text);
    (void)oc_text_copy(alerts[0].alert.rule, sizeof(alerts[0].alert.rule), text);
    (void)oc_text_copy(alerts[0].alert.about.limit.where, sizeof(alerts[0].alert.about.limit.where),
                       text);
    (void)oc_text_copy(notice.instance, sizeof(notice.instance), text);
    (void)oc_text_copy(notice.group_key, sizeof(notice.group_key), text);
    (void)oc_text_copy(notice.id, sizeof(notice.id), text);
    alerts[0].explanation = explanation;
    alerts[0].next = explanation;
    alerts[0].runbook_url = explanation;
    for (int i = 0; i < 8; i++)
        labels[i] = i % 2 ? explanation : (char *)"key";
    labels[0] = "alertname";
    labels[8] = NULL;
    alerts[0].labels = labels;
}

/* No control but a line's end, and none of those that turn the direction. */
static int is_control(const unsigned char *c)
{
    return (*c < 0x20 && *c != '\n') || *c == 0x7F ||
           (c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0) ||
           (c[0] == 0xE2 && c[1] == 0x80 && c[2] >= 0xA8 && c[2] <= 0xAE);
}

/* An assertion for all of it: check notes each in a file. */
static void is_clean(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;

    ck_assert(oc_text_is_utf8(text, strlen(text), NULL));
    while (*c && !is_control(c))
        c++;
    ck_assert_msg(*c == '\0', "0x%02x in %s", *c, text);
}

static void fields_are_clean(void)
{
    for (size_t at = 0; at < body.fields.len_bytes;) {
        const char *key = body.fields.data + at, *value = key + strlen(key) + 1;

        is_clean(key);
        is_clean(value);
        ck_assert_ptr_null(strpbrk(value, "\r\n"));
        at = (size_t)(value - body.fields.data) + strlen(value) + 1;
    }
}

START_TEST(hostile_names_stay_within_json)
{
    static const unsigned types[] = { OC_RECEIVER_WEBHOOK, OC_RECEIVER_HOOK };
    cJSON *root = NULL;

    make_hostile(hostile[_i]);
    for (size_t i = 0; i < 2; i++) {
        write_body(types[i]);
        fields_are_clean();
        root = parsed();
        ck_assert_int_eq(cJSON_GetArraySize(member(root, "alerts")), 1);
        ck_assert_int_eq(cJSON_GetArraySize(root), 10);
        is_clean(
            member(member(member(root, "alerts")->child, "annotations"), "summary")->valuestring);
        cJSON_Delete(root);
    }
    oc_buf_reset(&body.text);
    ck_assert_int_eq(oc_body_write_level(alerts, 1, NOW, &body.text), OC_OK);
    cJSON_Delete(parsed());
}
END_TEST

/* Texts of a type below a value. */
static void each_text(const cJSON *value, const char *type, void (*fn)(const char *))
{
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(value, "type");
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(value, "text");

    if (cJSON_IsString(kind) && strcmp(kind->valuestring, type) == 0 && cJSON_IsString(text))
        fn(text->valuestring);
    for (const cJSON *child = value->child; child; child = child->next) {
        if (cJSON_IsObject(child) || cJSON_IsArray(child))
            each_text(child, type, fn);
    }
}

static size_t characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static void plain_is_bounded(const char *text)
{
    is_clean(text);
    ck_assert_uint_gt(strlen(text), 0);
    ck_assert_uint_le(characters(text), 3000);
}

/* Markdown is ours but for what stands in its one code block. */
static void markdown_is_harmless(const char *text)
{
    const char *open = strstr(text, "```"), *close = NULL;

    plain_is_bounded(text);
    ck_assert_ptr_nonnull(open);
    close = strstr(open + 3, "```");
    ck_assert_ptr_nonnull(close);
    ck_assert_str_eq(close, "```");
    for (const char *c = open + 3; c < close; c++) {
        if (*c == '<' || *c == '>' || *c == '`' ||
            (*c == '@' && c[1] != '\xe2' && !(c[-1] >= '0' && c[-1] <= 'z')))
            ck_abort_msg("%s", c);
    }
}

static void check_slack(void)
{
    cJSON *root = NULL;
    const char *text = NULL;

    write_body(OC_RECEIVER_SLACK);
    root = parsed();
    ck_assert_int_le(cJSON_GetArraySize(member(root, "blocks")), 50);
    ck_assert_uint_le(
        characters(member(member(member(root, "blocks")->child, "text"), "text")->valuestring),
        150);
    text = member(root, "text")->valuestring;
    is_clean(text);
    ck_assert(!strpbrk(text, "<>`"));
    each_text(member(root, "blocks"), "plain_text", plain_is_bounded);
    each_text(member(root, "blocks"), "mrkdwn", markdown_is_harmless);
    cJSON_Delete(root);
}

START_TEST(hostile_names_stay_text_in_slack)
{
    make_hostile(hostile[_i]);
    check_slack();
}
END_TEST

static void check_teams(void)
{
    cJSON *root = NULL;
    const cJSON *card = NULL, *fact = NULL;

    write_body(OC_RECEIVER_TEAMS);
    ck_assert_uint_le(body.text.len_bytes, 28000);
    root = parsed();
    has(root, "type", "message");
    card = member(member(root, "attachments")->child, "content");
    has(card, "type", "AdaptiveCard");
    each_text(card, "TextRun", is_clean);
    for (const cJSON *block = member(card, "body")->child; block; block = block->next) {
        const char *type = member(block, "type")->valuestring;

        ck_assert(strcmp(type, "RichTextBlock") == 0 || strcmp(type, "FactSet") == 0);
        if (strcmp(type, "FactSet") != 0)
            continue;
        cJSON_ArrayForEach(fact, member(block, "facts"))
        {
            is_clean(member(fact, "value")->valuestring);
            ck_assert_ptr_null(strpbrk(member(fact, "value")->valuestring, "<>"));
        }
    }
    cJSON_Delete(root);
}

START_TEST(hostile_names_stay_text_in_teams)
{
    make_hostile(hostile[_i]);
    check_teams();
}
END_TEST

/* ---- e-mail ---- */

static int hex(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

/* A part of the multipart, decoded; yours to free. */
static char *decoded(const char *type)
{
    char head[64], *out = oc_malloc(body.text.len_bytes + 1);
    const char *at = NULL, *end = NULL;
    size_t len = 0;

    (void)snprintf(head, sizeof(head), "--=_oomcast_=\r\nContent-Type: %s; charset=utf-8\r\n",
                   type);
    at = strstr(body.text.data, head);
    ck_assert_msg(at != NULL, "%s", head);
    at = strstr(at, "\r\n\r\n") + 4;
    end = strstr(at, "\r\n--=_oomcast_=");
    ck_assert_ptr_nonnull(end);
    for (; at < end; at++) {
        if (at[0] == '=' && at[1] == '\r') {
            at += 2;
        } else if (at[0] == '=') {
            out[len++] = (char)(hex(at[1]) * 16 + hex(at[2]));
            at += 2;
        } else if (at[0] != '\r') {
            out[len++] = *at;
        }
    }
    out[len] = '\0';
    return out;
}

static void check_email(void)
{
    size_t line = 0, boundaries = 0;
    const char *at = NULL;

    write_body(OC_RECEIVER_EMAIL);
    fields_are_clean();
    ck_assert_str_eq(body.content_type, "multipart/alternative; boundary=\"=_oomcast_=\"");
    ck_assert_uint_lt(strlen(body.content_type), 64);
    for (size_t i = 0; i < body.text.len_bytes; i++) {
        char c = body.text.data[i];

        line = c == '\n' ? 0 : line + 1;
        if ((unsigned char)c > 0x7E || ((unsigned char)c < 0x20 && c != '\r' && c != '\n') ||
            line > 78)
            ck_abort_msg("0x%02x in column %zu", (unsigned char)c, line);
    }
    for (at = body.text.data; (at = strstr(at, "--=_oomcast_=")) != NULL; at++)
        boundaries++;
    ck_assert_uint_eq(boundaries, 3);
    ck_assert_ptr_null(strstr(body.text.data, "\r\n.\r\n"));
    ck_assert_ptr_null(strstr(field("Subject"), "=?"));
    ck_assert_uint_le(strlen(field("Subject")), 200);
    ck_assert_int_eq(field("Message-ID")[0], '<');
}

START_TEST(hostile_names_stay_text_in_mail)
{
    char *text = NULL, *html = NULL;

    make_hostile(hostile[_i]);
    check_email();
    text = decoded("text/plain");
    html = decoded("text/html");
    is_clean(text);
    is_clean(html);
    ck_assert_ptr_null(strstr(html, "<script"));
    ck_assert_ptr_null(strstr(html, "<!--"));
    ck_assert_ptr_null(strstr(html, "javascript:"));
    ck_assert_ptr_nonnull(strstr(html, "</html>"));
    oc_free(text);
    oc_free(html);
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

/* ---- too much ---- */

static char many[OC_NOTICE_EXPLAIN_BYTES + 1];

static void make_large(size_t count, char filler)
{
    memset(many, filler, sizeof(many) - 1);
    many[1000] = many[2000] = '\n';
    make_notice(count, many);
    for (size_t i = 0; i < count; i++) {
        alerts[i].explanation = many;
        alerts[i].next = many;
    }
    notice.more = 1950;
    notice.firing = (uint32_t)count + 1950;
}

START_TEST(bodies_stay_within_what_services_take)
{
    static const char fillers[] = { 'a', '<', '"', '&', '\x01', '\xff', '`', '@' };

    for (size_t i = 0; i < sizeof(fillers); i++) {
        make_large(OC_NOTICE_ALERTS_MAX, fillers[i]);
        check_slack();
        check_teams();
        check_email();
        write_body(OC_RECEIVER_WEBHOOK);
        cJSON_Delete(parsed());
    }
}
END_TEST

START_TEST(what_was_left_out_is_said)
{
    char *text = NULL;

    make_large(OC_NOTICE_ALERTS_MAX, 'a');
    write_body(OC_RECEIVER_SLACK);
    ck_assert_ptr_nonnull(strstr(body.text.data, "more alerts: `oomcast alerts` lists them"));
    ck_assert_ptr_nonnull(strstr(body.text.data, "bytes more)"));
    write_body(OC_RECEIVER_TEAMS);
    ck_assert_ptr_nonnull(strstr(body.text.data, "more alerts: `oomcast alerts` lists them"));
    write_body(OC_RECEIVER_EMAIL);
    text = decoded("text/plain");
    ck_assert_ptr_nonnull(strstr(text, "and 1950 more alerts"));
    ck_assert_ptr_nonnull(strstr(text, "2000 fire, 0 ended"));
    oc_free(text);
}
END_TEST

START_TEST(folded_and_lost_durability_are_said)
{
    make_notice(1, "s");
    notice.folded = 3;
    notice.not_durable = 1;
    write_body(OC_RECEIVER_SLACK);
    ck_assert_ptr_nonnull(strstr(body.text.data, "In the place of 3 earlier messages"));
    ck_assert_ptr_nonnull(strstr(body.text.data, "The store could not take it"));
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

/* ---- memory ---- */

START_TEST(bodies_survive_every_allocation_that_fails)
{
    static const unsigned types[] = { OC_RECEIVER_WEBHOOK, OC_RECEIVER_SLACK,   OC_RECEIVER_TEAMS,
                                      OC_RECEIVER_EMAIL,   OC_RECEIVER_JOURNAL, OC_RECEIVER_HOOK };

    make_hostile(hostile[1]);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        int64_t live = oc_alloc_live();
        int rc = OC_E_NOMEM;

        for (uint64_t nth = 1; rc != OC_OK; nth++) {
            struct oc_body fresh;

            oc_body_init(&fresh);
            oc_alloc_fail_at(nth, 0);
            rc = oc_body_write(types[i], &notice, NOW, &fresh);
            oc_alloc_fail_at(0, 0);
            ck_assert(rc == OC_OK || rc == OC_E_NOMEM);
            oc_body_clear(&fresh);
            ck_assert_int_eq(oc_alloc_live(), live);
            ck_assert_uint_lt(nth, 10000);
        }
    }
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

static void add_hostile(Suite *suite)
{
    TCase *tcase = tcase_create("hostile");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, hostile_names_stay_within_json, 0, HOSTILE);
    tcase_add_loop_test(tcase, hostile_names_stay_text_in_slack, 0, HOSTILE);
    tcase_add_loop_test(tcase, hostile_names_stay_text_in_teams, 0, HOSTILE);
    tcase_add_loop_test(tcase, hostile_names_stay_text_in_mail, 0, HOSTILE);
    tcase_add_test(tcase, bodies_stay_within_what_services_take);
    tcase_add_test(tcase, what_was_left_out_is_said);
    tcase_add_test(tcase, folded_and_lost_durability_are_said);
    tcase_add_test(tcase, bodies_survive_every_allocation_that_fails);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("bodies");
    TCase *tcase = tcase_create("said");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_checked_fixture(tcase, setup, teardown);
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
    add_hostile(suite);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
