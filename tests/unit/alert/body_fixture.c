#include "tests/unit/alert/body_fixture.h"

#include "base/text.h"

#include <string.h>

struct oc_body body;
struct oc_notice notice;

void body_setup(void)
{
    oc_body_init(&body);
    memset(&notice, 0, sizeof(notice));
}

/* Of notices that a test made: the alerts' strings are its own. */
void body_teardown(void) { oc_body_clear(&body); }

/* ---- alerts to tell of ---- */

struct oc_notice_alert alerts[OC_NOTICE_ALERTS_MAX];

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

void make_notice(size_t count, const char *subject)
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

void write_body(unsigned type)
{
    ck_assert_int_eq(oc_body_write(type, &notice, NOW, &body), OC_OK);
    ck_assert_uint_gt(body.text.len_bytes, 0);
    ck_assert(oc_text_is_utf8(body.text.data, body.text.len_bytes, NULL));
}

cJSON *parsed(void)
{
    cJSON *root = cJSON_ParseWithLengthOpts(body.text.data, body.text.len_bytes + 1, NULL, 1);

    ck_assert_msg(root != NULL, "%s", body.text.data);
    return root;
}

const cJSON *member(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);

    ck_assert_msg(value != NULL, "no %s", key);
    return value;
}

void has(const cJSON *object, const char *key, const char *text)
{
    ck_assert_str_eq(member(object, key)->valuestring, text);
}

const char *field(const char *name)
{
    for (size_t at = 0; at < body.fields.len_bytes;) {
        const char *key = body.fields.data + at, *value = key + strlen(key) + 1;

        if (strcmp(key, name) == 0)
            return value;
        at = (size_t)(value - body.fields.data) + strlen(value) + 1;
    }
    return NULL;
}
