/* Alertmanager's JSON: its webhook, version 4, and the alerts that its API v2 takes. */
#include "alert/body_impl.h"

#include <inttypes.h>
#include <string.h>

#define NOT_ENDED "0001-01-01T00:00:00Z" /* Go's zero time: what Alertmanager writes */
#define LEVEL_AHEAD_MS (4 * 60000)
#define ROOM_BYTES                                                                                 \
    (OC_BODY_MAX_BYTES - (128u << 10)) /* an alert is smaller than what is kept free */

/* ---- members ---- */

struct members {
    struct oc_buf *out;
    int count;
};

static int put_member(const char *name, const char *value, void *context)
{
    struct members *members = context;

    oc_body_json_member(members->out, name, value, members->count++ == 0);
    return 0;
}

static void put_labels(const struct oc_notice *notice, const struct oc_notice_alert *alert,
                       struct oc_buf *out)
{
    struct members members = { out, 0 };

    oc_buf_puts(out, "\"labels\":{");
    oc_body_each_label(notice, alert, put_member, &members);
    oc_buf_putc(out, '}');
}

static void put_annotations(const struct oc_notice_alert *alert, struct oc_buf *out)
{
    struct members members = { out, 0 };
    struct oc_buf pairs;

    oc_buf_init(&pairs, 64u << 10);
    oc_alert_annotations(alert, &pairs);
    if (pairs.err)
        out->err = pairs.err;
    oc_buf_puts(out, ",\"annotations\":{");
    for (size_t at = 0; at < pairs.len_bytes;) {
        const char *name = pairs.data + at, *value = name + strlen(name) + 1;

        (void)put_member(name, value, &members);
        at = (size_t)(value - pairs.data) + strlen(value) + 1;
    }
    oc_buf_putc(out, '}');
    oc_buf_clear(&pairs);
}

static void put_time(const char *name, int64_t unix_ms, struct oc_buf *out)
{
    oc_buf_printf(out, ",\"%s\":\"", name);
    if (unix_ms > 0)
        oc_alert_time(unix_ms, out);
    else
        oc_buf_puts(out, NOT_ENDED);
    oc_buf_putc(out, '"');
}

void oc_body_alertmanager(const struct oc_notice *notice, const struct oc_notice_alert *alert,
                          int64_t ends_unix_ms, enum oc_body_dialect dialect, struct oc_buf *out)
{
    oc_buf_putc(out, '{');
    if (dialect == OC_BODY_WEBHOOK)
        oc_buf_printf(out, "\"status\":\"%s\",",
                      oc_body_is_firing(&alert->alert) ? "firing" : "resolved");
    put_labels(notice, alert, out);
    put_annotations(alert, out);
    put_time("startsAt", oc_body_begin(&alert->alert), out);
    put_time("endsAt", ends_unix_ms, out);
    if (dialect == OC_BODY_WEBHOOK)
        oc_buf_printf(out, ",\"generatorURL\":\"\",\"fingerprint\":\"%016" PRIx64 "\"",
                      alert->alert.fingerprint);
    oc_buf_putc(out, '}');
}

/* ---- what all alerts of the notice have ---- */

struct common {
    const struct oc_notice *notice;
    struct members members;
};

static int has_label(const struct oc_notice_alert *alert, const char *name, const char *value)
{
    return strcmp(oc_body_label(alert, name), value) == 0;
}

static int put_common(const char *name, const char *value, void *context)
{
    struct common *common = context;

    for (size_t i = 1; i < common->notice->count; i++) {
        if (!has_label(&common->notice->alerts[i], name, value))
            return 0;
    }
    return put_member(name, value, &common->members);
}

static void put_common_labels(const struct oc_notice *notice, struct oc_buf *out)
{
    struct common common = { notice, { out, 0 } };

    oc_buf_puts(out, ",\"commonLabels\":{");
    if (notice->count > 0)
        oc_body_each_label(notice, &notice->alerts[0], put_common, &common);
    oc_buf_putc(out, '}');
}

/* A group is a rule's alerts; a digest has those of several. */
static void put_group_labels(const struct oc_notice *notice, struct oc_buf *out)
{
    oc_buf_puts(out, ",\"groupLabels\":{");
    for (size_t i = 1; i < notice->count; i++) {
        if (strcmp(notice->alerts[i].alert.rule, notice->alerts[0].alert.rule) != 0) {
            oc_buf_putc(out, '}');
            return;
        }
    }
    if (notice->count > 0)
        oc_body_json_member(out, "alertname", notice->alerts[0].alert.rule, 1);
    oc_buf_putc(out, '}');
}

/* As many as find room, which is all but of damaged ones. Returns how many. */
static size_t put_alerts(const struct oc_notice *notice, struct oc_buf *out)
{
    size_t shown = 0;

    for (; shown < notice->count && out->len_bytes < ROOM_BYTES; shown++) {
        const struct oc_alert *alert = &notice->alerts[shown].alert;

        if (shown > 0)
            oc_buf_putc(out, ',');
        oc_body_alertmanager(notice, &notice->alerts[shown],
                             oc_body_is_firing(alert) ? 0 : alert->ended_unix_ms, OC_BODY_WEBHOOK,
                             out);
    }
    return shown;
}

int oc_body_webhook(const struct oc_notice *notice, int64_t now_unix_ms, struct oc_body *out)
{
    struct oc_buf *text = &out->text;
    size_t shown = 0;

    (void)now_unix_ms;
    out->content_type = "application/json";
    oc_buf_puts(text, "{\"version\":\"4\"");
    oc_body_json_member(text, "groupKey", notice->group_key, 0);
    oc_body_json_member(text, "status", notice->is_firing ? "firing" : "resolved", 0);
    oc_body_json_member(text, "receiver", notice->receiver, 0);
    put_group_labels(notice, text);
    put_common_labels(notice, text);
    oc_buf_puts(text, ",\"commonAnnotations\":{},\"externalURL\":\"\",\"alerts\":[");
    shown = put_alerts(notice, text);
    oc_buf_printf(text, "],\"truncatedAlerts\":%" PRIu64 "}",
                  (uint64_t)(notice->count - shown) + notice->more);
    return OC_OK;
}

int oc_body_write_level(const struct oc_notice_alert *alerts, size_t count, int64_t now_unix_ms,
                        struct oc_buf *out_json)
{
    oc_buf_putc(out_json, '[');
    for (size_t i = 0; i < count; i++) {
        const struct oc_alert *alert = &alerts[i].alert;

        if (i > 0)
            oc_buf_putc(out_json, ',');
        oc_body_alertmanager(NULL, &alerts[i],
                             oc_body_is_firing(alert) ? now_unix_ms + LEVEL_AHEAD_MS
                                                      : alert->ended_unix_ms,
                             OC_BODY_API, out_json);
    }
    oc_buf_putc(out_json, ']');
    return out_json->err;
}
