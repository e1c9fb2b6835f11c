/* A notice as JSON and back. Numbers of enums are written as words: people read outboxes too. */
#include "alert/notice.h"

#include "alert/fields.h"
#include "alert/json.h"
#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

#define NOTICE_VERSION 1
#define TAIL_BYTES 64 /* "more" and what closes the object */
#define LABEL_TEXTS_MAX (2 * (OC_ALERT_LABELS_MAX + 8))
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *kind_name(unsigned kind)
{
    static const char *const names[] = {
        [OC_NOTICE_ALERTS] = "alerts", [OC_NOTICE_DIGEST] = "digest", [OC_NOTICE_TEST] = "test"
    };

    return kind < COUNT(names) ? names[kind] : "?";
}

#define NOTICE_SIZE(of) sizeof(((struct oc_notice *)0)->of)
#define NOTICE_FIELD(of, what) .name = #of, .type = (what), .offset = offsetof(struct oc_notice, of)
static const struct oc_field notice_fields[] = {
    { NOTICE_FIELD(id, OC_FIELD_TEXT), .is_needed = 1, .bytes = OC_OUTBOX_ID_BYTES },
    { NOTICE_FIELD(receiver, OC_FIELD_TEXT), .is_needed = 1, .bytes = OC_RULE_NAME_BYTES },
    { NOTICE_FIELD(instance, OC_FIELD_TEXT), .bytes = NOTICE_SIZE(instance) },
    { NOTICE_FIELD(group_key, OC_FIELD_TEXT), .bytes = NOTICE_SIZE(group_key) },
    { NOTICE_FIELD(kind, OC_FIELD_WORD), .is_needed = 1, .bytes = OC_NOTICE_TEST + 1,
      .word = kind_name },
    { NOTICE_FIELD(severity, OC_FIELD_WORD), .bytes = OC_SEVERITY_CRITICAL + 1,
      .word = oc_severity_name },
    { NOTICE_FIELD(is_firing, OC_FIELD_U8), .max = 1 },
    { NOTICE_FIELD(not_durable, OC_FIELD_U8), .max = 1 },
    { NOTICE_FIELD(made_unix_ms, OC_FIELD_I64) },
    { NOTICE_FIELD(more, OC_FIELD_U32) },
    { NOTICE_FIELD(firing, OC_FIELD_U32) },
    { NOTICE_FIELD(ended, OC_FIELD_U32) },
    { NOTICE_FIELD(folded, OC_FIELD_U32) },
};
#define HEAD_FIELDS 9 /* those that are known before the alerts are written */

/* An alert with its labels as a list, as rows of a table want them. */
struct told_alert {
    struct oc_notice_alert plain;
    struct oc_strings labels;
};
#define ALERT_FIELD(of, what)                                                                      \
    .name = #of, .type = (what), .offset = offsetof(struct told_alert, plain.alert.of)
#define ALERT_SIZE(of) sizeof(((struct oc_alert *)0)->of)
static const struct oc_field alert_fields[] = {
    { ALERT_FIELD(fingerprint, OC_FIELD_HEX64), .is_needed = 1 },
    { ALERT_FIELD(episode, OC_FIELD_U64) },
    { ALERT_FIELD(rule, OC_FIELD_TEXT), .is_needed = 1, .bytes = ALERT_SIZE(rule) },
    { ALERT_FIELD(subject, OC_FIELD_TEXT), .bytes = ALERT_SIZE(subject) },
    { ALERT_FIELD(kind, OC_FIELD_WORD), .bytes = OC_RULE_KINDS, .word = oc_rule_kind_name },
    { ALERT_FIELD(severity, OC_FIELD_WORD), .bytes = OC_SEVERITY_CRITICAL + 1,
      .word = oc_severity_name },
    { ALERT_FIELD(state, OC_FIELD_WORD), .bytes = OC_ALERT_STATES, .word = oc_alert_state_name },
    { ALERT_FIELD(mutes, OC_FIELD_U8) },
    { ALERT_FIELD(was_told, OC_FIELD_U8) },
    { ALERT_FIELD(not_durable, OC_FIELD_U8) },
    { ALERT_FIELD(source_kind, OC_FIELD_U8) },
    { ALERT_FIELD(flaps, OC_FIELD_U32) },
    { ALERT_FIELD(pending_unix_ms, OC_FIELD_I64) },
    { ALERT_FIELD(firing_unix_ms, OC_FIELD_I64) },
    { ALERT_FIELD(ended_unix_ms, OC_FIELD_I64) },
    { ALERT_FIELD(changed_unix_ms, OC_FIELD_I64) },
    { ALERT_FIELD(acked_unix_ms, OC_FIELD_I64) },
    { ALERT_FIELD(source, OC_FIELD_U32) },
    { ALERT_FIELD(pid, OC_FIELD_U32) },
    { ALERT_FIELD(value, OC_FIELD_DOUBLE) },
    { ALERT_FIELD(bound, OC_FIELD_DOUBLE) },
    { ALERT_FIELD(chance, OC_FIELD_DOUBLE) },
    { ALERT_FIELD(why, OC_FIELD_TEXT), .bytes = ALERT_SIZE(why) },
    { .name = "labels", .type = OC_FIELD_STRINGS, .offset = offsetof(struct told_alert, labels) },
    { .name = "explanation",
      .type = OC_FIELD_OWNED,
      .offset = offsetof(struct told_alert, plain.explanation) },
    { .name = "runbook_url",
      .type = OC_FIELD_OWNED,
      .offset = offsetof(struct told_alert, plain.runbook_url) },
    { .name = "next", .type = OC_FIELD_OWNED, .offset = offsetof(struct told_alert, plain.next) },
};

#define ABOUT_FIELD(as, of, what)                                                                  \
    .name = (as), .type = (what), .offset = offsetof(struct oc_forecast_row, of)
static const struct oc_field about_fields[] = {
    { ABOUT_FIELD("limit_kind", limit.kind, OC_FIELD_U8) },
    { ABOUT_FIELD("limit_metric", limit.metric, OC_FIELD_U16) },
    { ABOUT_FIELD("limit_value", limit.value, OC_FIELD_U64) },
    { ABOUT_FIELD("limit_where", limit.where, OC_FIELD_TEXT), .bytes = OC_LIMIT_WHERE_BYTES },
    { ABOUT_FIELD("state", forecast.state, OC_FIELD_U8), .max = OC_FORECAST_STATES - 1 },
    { ABOUT_FIELD("metric", forecast.metric, OC_FIELD_U16) },
    { ABOUT_FIELD("t_ms", forecast.t_ms, OC_FIELD_I64) },
    { ABOUT_FIELD("since_ms", forecast.since_ms, OC_FIELD_I64) },
    { ABOUT_FIELD("samples", forecast.samples, OC_FIELD_U64) },
    { ABOUT_FIELD("value", forecast.value, OC_FIELD_DOUBLE) },
    { ABOUT_FIELD("limit", forecast.limit, OC_FIELD_DOUBLE) },
    { ABOUT_FIELD("growth_per_h", forecast.growth_per_h, OC_FIELD_DOUBLE) },
    { ABOUT_FIELD("growth_error_per_h", forecast.growth_error_per_h, OC_FIELD_DOUBLE) },
    { ABOUT_FIELD("chance", forecast.chance, OC_FIELD_DOUBLE) },
    { ABOUT_FIELD("p10_s", forecast.p10_s, OC_FIELD_DOUBLE) },
    { ABOUT_FIELD("p50_s", forecast.p50_s, OC_FIELD_DOUBLE) },
    { ABOUT_FIELD("p90_s", forecast.p90_s, OC_FIELD_DOUBLE) },
    { ABOUT_FIELD("saved_life_s", forecast.saved_life_s, OC_FIELD_DOUBLE) },
};

/* ---- memory ---- */

static void clear_alert(struct oc_notice_alert *alert)
{
    for (char **text = alert->labels; text && *text; text++)
        oc_free(*text);
    oc_free(alert->labels);
    oc_free(alert->explanation);
    oc_free(alert->runbook_url);
    oc_free(alert->next);
}

void oc_notice_clear(struct oc_notice *notice)
{
    for (size_t i = 0; i < notice->count; i++)
        clear_alert(&notice->alerts[i]);
    oc_free(notice->alerts);
    *notice = (struct oc_notice){ 0 };
}

/* ---- writing ---- */

/* Text of others, cut to what a notice takes of it; NULL stays. */
static char *cut(const char *text, char *out, size_t out_bytes)
{
    if (!text)
        return NULL;
    oc_text_copy_utf8(out, out_bytes, text, strlen(text));
    return out;
}

static int is_about_something(const struct oc_forecast_row *about)
{
    return about->limit.kind != 0 || about->forecast.state != 0 || about->forecast.t_ms != 0 ||
           about->forecast.metric != 0;
}

static void write_alert(const struct oc_notice_alert *alert, struct oc_buf *out)
{
    char explanation[OC_NOTICE_EXPLAIN_BYTES], next[OC_NOTICE_EXPLAIN_BYTES];
    struct told_alert told = { .plain = *alert, .labels = { .items = alert->labels } };

    told.plain.explanation = cut(alert->explanation, explanation, sizeof(explanation));
    told.plain.next = cut(alert->next, next, sizeof(next));
    while (alert->labels && alert->labels[told.labels.count] && told.labels.count < LABEL_TEXTS_MAX)
        told.labels.count++;
    oc_buf_putc(out, '{');
    oc_fields_write(alert_fields, COUNT(alert_fields), &told, 1, out);
    if (is_about_something(&alert->alert.about)) {
        oc_buf_puts(out, ",\"about\":{");
        oc_fields_write(about_fields, COUNT(about_fields), &alert->alert.about, 1, out);
        oc_buf_putc(out, '}');
    }
    oc_buf_putc(out, '}');
}

/* Whether the alert went in; else all of it is taken back. */
static int add_alert(const struct oc_notice_alert *alert, int is_first, size_t end_max,
                     struct oc_buf *out)
{
    const size_t begin = out->len_bytes;

    if (out->err)
        return 0;
    if (!is_first)
        oc_buf_putc(out, ',');
    write_alert(alert, out);
    if (out->err == OC_E_NOMEM || (out->err == OC_OK && out->len_bytes <= end_max))
        return !out->err;
    out->err = OC_OK;
    out->len_bytes = begin;
    out->data[begin] = '\0';
    return 0;
}

void oc_notice_write(const struct oc_notice *notice, struct oc_buf *out_json)
{
    const size_t room = out_json->max_bytes - out_json->len_bytes;
    const size_t bytes = room < OC_NOTICE_MAX_BYTES ? room : OC_NOTICE_MAX_BYTES;
    const size_t end_max =
        out_json->len_bytes + (bytes > 2 * TAIL_BYTES ? bytes - 2 * TAIL_BYTES : 0);
    struct oc_notice tail = *notice;
    size_t told = 0;

    oc_buf_printf(out_json, "{\"v\":%d", NOTICE_VERSION);
    oc_fields_write(notice_fields, HEAD_FIELDS, notice, 0, out_json);
    oc_buf_puts(out_json, ",\"alerts\":[");
    while (told < notice->count && told < OC_NOTICE_ALERTS_MAX &&
           add_alert(&notice->alerts[told], told == 0, end_max, out_json))
        told++;
    tail.more += (uint32_t)(notice->count - told);
    oc_buf_putc(out_json, ']');
    oc_fields_write(notice_fields + HEAD_FIELDS, COUNT(notice_fields) - HEAD_FIELDS, &tail, 0,
                    out_json);
    oc_buf_putc(out_json, '}');
}

/* ---- reading ---- */

/* The list becomes pairs with a NULL behind them. */
static int take_labels(struct told_alert *told, struct oc_detail *detail)
{
    char **items = NULL;

    if (told->labels.count == 0)
        return OC_OK;
    if (told->labels.count % 2 != 0 || told->labels.count > LABEL_TEXTS_MAX)
        return oc_detail_set(detail, OC_E_PARSE, "\"labels\" wants pairs");
    items = oc_realloc(told->labels.items, (told->labels.count + 1) * sizeof(*items));
    if (!items)
        return oc_detail_set(detail, OC_E_NOMEM, "out of memory");
    items[told->labels.count] = NULL;
    told->plain.labels = items;
    told->labels = (struct oc_strings){ 0 };
    return OC_OK;
}

static int read_alert(const cJSON *object, struct oc_notice_alert *out, struct oc_detail *detail)
{
    static const char *const others[] = { "about", NULL };
    const cJSON *about = cJSON_GetObjectItemCaseSensitive(object, "about");
    struct told_alert told = { 0 };
    int rc = oc_fields_read(alert_fields, COUNT(alert_fields), object, others, &told, detail);

    if (rc == OC_OK && about)
        rc = oc_fields_read(about_fields, COUNT(about_fields), about, NULL, &told.plain.alert.about,
                            detail);
    if (rc == OC_OK)
        rc = take_labels(&told, detail);
    if (rc < 0) {
        oc_strings_clear(&told.labels);
        clear_alert(&told.plain);
        return rc;
    }
    *out = told.plain;
    return OC_OK;
}

static int read_alerts(const cJSON *list, struct oc_notice *notice, struct oc_detail *detail)
{
    const int count = cJSON_GetArraySize(list);
    const cJSON *item = NULL;

    if (!cJSON_IsArray(list))
        return oc_detail_set(detail, OC_E_PARSE, "\"alerts\" wants a list");
    if (count > OC_NOTICE_ALERTS_MAX)
        return oc_detail_set(detail, OC_E_TOOBIG, "more than %d alerts", OC_NOTICE_ALERTS_MAX);
    if (count == 0)
        return OC_OK;
    notice->alerts = oc_calloc((size_t)count, sizeof(*notice->alerts));
    if (!notice->alerts)
        return oc_detail_set(detail, OC_E_NOMEM, "out of memory");
    cJSON_ArrayForEach(item, list)
    {
        const int rc = read_alert(item, &notice->alerts[notice->count], detail);

        if (rc < 0)
            return rc;
        notice->count++;
    }
    return OC_OK;
}

static int read_notice(const cJSON *root, struct oc_notice *notice, struct oc_detail *detail)
{
    static const char *const others[] = { "v", "alerts", NULL };
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(root, "v");
    int rc = OC_OK;

    if (!cJSON_IsNumber(version) || version->valueint != NOTICE_VERSION)
        return oc_detail_set(detail, OC_E_PARSE, "\"v\" is not %d", NOTICE_VERSION);
    rc = oc_fields_read(notice_fields, COUNT(notice_fields), root, others, notice, detail);
    if (rc < 0)
        return rc;
    return read_alerts(cJSON_GetObjectItemCaseSensitive(root, "alerts"), notice, detail);
}

int oc_notice_read(const char *json, size_t len_bytes, struct oc_notice *out_notice,
                   struct oc_detail *detail)
{
    struct oc_notice notice = { 0 };
    cJSON *root = NULL;
    int rc = OC_OK;

    if (len_bytes > OC_NOTICE_MAX_BYTES)
        return oc_detail_set(detail, OC_E_TOOBIG, "a notice of more than %u bytes",
                             OC_NOTICE_MAX_BYTES);
    rc = oc_json_parse(json, len_bytes, &root, detail);
    if (rc < 0)
        return rc;
    rc = read_notice(root, &notice, detail);
    oc_json_free(root);
    if (rc < 0)
        oc_notice_clear(&notice);
    else
        *out_notice = notice;
    return rc;
}
