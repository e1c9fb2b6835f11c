/* Values of rules, receivers and windows, each by its type. */
#include "config/section.h"

#include "base/alloc.h"
#include "base/metric.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_STRING_BYTES 2048
#define MAX_STRINGS 64
#define MAX_BOUND 1e18 /* an EiB, and far from where a double is no whole number of bytes */

/* ---- what a text must be ---- */

static const char *wrong_name(const char *text)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-.";

    if (text[strspn(text, letters)] != '\0')
        return "may hold letters, digits, '_', '-' and '.' only";
    return NULL;
}

static const char *wrong_address(const char *text)
{
    const char *at = strchr(text, '@');

    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7F || strchr("<>,;:\"()[]\\", *c))
            return "wants a plain address such as \"ops@example.org\"";
    }
    if (!at || at == text || at[1] == '\0' || strchr(at + 1, '@'))
        return "wants an address such as \"ops@example.org\"";
    return NULL;
}

static const char *wrong_matcher(const char *text)
{
    const char *equals = strchr(text, '=');

    if (!equals || equals == text)
        return "wants \"key=glob\", such as \"team=shop*\"";
    return NULL;
}

static const char *wrong_path(const char *text)
{
    return text[0] == '/' || text[0] == '\\' || (text[0] != '\0' && text[1] == ':')
               ? NULL
               : "wants a whole path, from the root";
}

static const char *wrong_url(const char *text, const char *const *schemes, const char *otherwise)
{
    struct oc_url url;
    const char *why = oc_config_url_split(text, schemes, &url);

    return why && strstr(why, "scheme") ? otherwise : why;
}

const char *oc_config_wrong(const struct oc_section_key *key, const char *text)
{
    static const char *const web[] = { "https://", "http://", NULL };
    static const char *const proxies[] = { "http://", "https://", "socks5://", "socks5h://", NULL };

    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            return "holds a control character, such as a newline";
    }
    switch (key->type) {
    case OC_SECTION_NAME:
        return wrong_name(text);
    case OC_SECTION_PATH:
        return wrong_path(text);
    case OC_SECTION_LINK:
        return wrong_url(text, web, "wants a URL that begins with https:// or http://");
    case OC_SECTION_PROXY:
        return wrong_url(text, proxies,
                         "wants a URL that begins with http://, https://, socks5:// or socks5h://");
    case OC_SECTION_ADDRESS:
    case OC_SECTION_ADDRESSES:
        return wrong_address(text);
    case OC_SECTION_MATCHERS:
        return wrong_matcher(text);
    default:
        return NULL;
    }
}

/* "KEY" and what is wrong; never the text itself, which may be a secret. */
static int fail_key(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                    const char *why)
{
    char text[300];

    (void)snprintf(text, sizeof(text), "\"%s\" %s", key->key, why);
    return oc_config_value_fail(l, node, OC_E_INVAL, text);
}

/* ---- values ---- */

static int load_text(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                     const cJSON *value, char *out)
{
    const char *text = NULL, *why = NULL;
    int rc = oc_config_value_text(l, key->key, (size_t)key->max - 1, node, value, &text);

    if (rc < 0)
        return rc;
    why = oc_config_wrong(key, text);
    return why ? fail_key(l, key, node, why) : oc_text_copy(out, (size_t)key->max, text);
}

static int load_string(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                       const cJSON *value, struct oc_strings *out)
{
    const char *text = NULL, *why = NULL;
    int rc = oc_config_value_text(l, key->key, MAX_STRING_BYTES, node, value, &text);

    if (rc < 0)
        return rc;
    why = oc_config_wrong(key, text);
    if (why)
        return fail_key(l, key, node, why);
    return oc_strings_add(out, text, strlen(text)) < 0 ? oc_config_value_nomem(l) : OC_OK;
}

int oc_config_load_strings(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                           const cJSON *value, struct oc_strings *out)
{
    int max = key->max > 0 ? (int)key->max : MAX_STRINGS;
    const cJSON *item = NULL;
    size_t at = 0;

    oc_strings_clear(out);
    if (cJSON_IsString(value))
        return load_string(l, key, node, value, out);
    if (!cJSON_IsArray(value))
        return oc_config_value_fail_type(l, node, key->key,
                                         key->type == OC_SECTION_MATCHERS
                                             ? "texts such as [\"team=shop*\"]"
                                             : "a string or an array of strings",
                                         value);
    if (cJSON_GetArraySize(value) == 0)
        return fail_key(l, key, node, "is an empty list; where all are meant, leave it out");
    if (cJSON_GetArraySize(value) > max)
        return oc_config_value_fail(l, node, OC_E_TOOBIG, "this list is too long");
    cJSON_ArrayForEach(item, value)
    {
        int rc = load_string(l, key, oc_config_scan_item(&l->scan, node, at++), item, out);

        if (rc < 0)
            return rc;
    }
    return OC_OK;
}

static int load_severity(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                         const cJSON *value, uint8_t *out)
{
    static const char *const words[] = { "warning", "critical", NULL };
    size_t index = 0;
    int rc = oc_config_value_word(l, key->key, words, node, value, &index);

    if (rc == OC_OK)
        *out = (uint8_t)(OC_SEVERITY_WARN + index);
    return rc;
}

static int load_flag(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                     const cJSON *value, uint8_t *out)
{
    int flag = 0;
    int rc = oc_config_value_bool(l, key->key, node, value, &flag);

    if (rc == OC_OK)
        *out = (uint8_t)(key->type == OC_SECTION_OFF ? !flag : flag);
    return rc;
}

static int load_duration(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                         const cJSON *value, int64_t *out_ms)
{
    const struct oc_option bounds = { .min = key->min, .max = key->max };

    return oc_config_value_duration(l, &bounds, key->key, node, value, out_ms);
}

static int load_count(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                      const cJSON *value, uint32_t *out)
{
    double number = cJSON_IsNumber(value) ? value->valuedouble : -1;
    char wanted[80];

    (void)snprintf(wanted, sizeof(wanted), "a whole number from %" PRId64 " to %" PRId64, key->min,
                   key->max);
    if (!cJSON_IsNumber(value))
        return oc_config_value_fail_type(l, node, key->key, wanted, value);
    if (number < (double)key->min || number > (double)key->max ||
        number != (double)(uint32_t)number) {
        char why[120];

        (void)snprintf(why, sizeof(why), "wants %s", wanted);
        return fail_key(l, key, node, why);
    }
    *out = (uint32_t)number;
    return OC_OK;
}

static int load_share(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                      const cJSON *value, double *out)
{
    if (!cJSON_IsNumber(value))
        return oc_config_value_fail_type(l, node, key->key, "a number such as 0.5", value);
    if (!(value->valuedouble > 0 && value->valuedouble <= 1))
        return fail_key(l, key, node,
                        "wants a number above 0 and at most 1: 0.5 is one chance in two");
    *out = value->valuedouble;
    return OC_OK;
}

static int load_metric(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                       const cJSON *value, uint16_t *out)
{
    const struct oc_metric_row *row = NULL;
    const char *text = NULL, *known[2] = { NULL, NULL };
    int rc = oc_config_value_text(l, key->key, MAX_STRING_BYTES, node, value, &text);

    if (rc < 0)
        return rc;
    row = oc_metric_by_name(text);
    if (!row) {
        known[0] = oc_metric_nearest(text);
        return oc_config_value_fail_unknown(l, node, "metric", text, known);
    }
    *out = row->number;
    return OC_OK;
}

/* In the unit of the rule's metric, which is loaded by now: a size for bytes, else a number. */
static int load_bound(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                      const cJSON *value, const struct oc_rule *rule, double *out)
{
    const struct oc_metric_row *row = oc_metric_by_number(rule->metric);
    uint64_t bytes = 0;

    if (rule->kind == OC_RULE_FAMILY || (row && row->unit != OC_UNIT_BYTES)) {
        if (!cJSON_IsNumber(value))
            return oc_config_value_fail_type(l, node, key->key, "a number", value);
        *out = value->valuedouble;
    } else {
        if (!cJSON_IsString(value))
            return oc_config_value_fail_type(l, node, key->key, "a size such as \"2GiB\"", value);
        if (oc_text_size_bytes(value->valuestring, &bytes) < 0)
            return oc_config_value_fail_text(l, node, key->key, "a size such as \"2GiB\"",
                                             value->valuestring);
        *out = (double)bytes;
    }
    if (*out > MAX_BOUND)
        return fail_key(l, key, node, "is too large to be met");
    if (rule->kind != OC_RULE_THRESHOLD && !(*out > 0))
        return fail_key(l, key, node, "wants growth by the hour, above 0");
    return *out < 0 ? fail_key(l, key, node, "wants a number from 0") : OC_OK;
}

/* ---- times ---- */

/* "HH:MM", up to 24:00. */
static int load_time(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                     const cJSON *value, int32_t *out_minute)
{
    const char *text = cJSON_IsString(value) ? value->valuestring : "";
    int32_t minute = -1;

    if (!cJSON_IsString(value))
        return oc_config_value_fail_type(l, node, key->key, "a time such as \"03:30\"", value);
    if (strlen(text) == 5 && strspn(text, "0123456789") == 2 && text[2] == ':' &&
        strspn(text + 3, "0123456789") == 2 && text[3] < '6')
        minute = ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0';
    if (minute < 0 || minute > 1440 || (minute == 1440 && key->type == OC_SECTION_TIME))
        return oc_config_value_fail_text(
            l, node, key->key, "a time of day from \"00:00\" to \"23:59\", two digits each", text);
    *out_minute = minute;
    return OC_OK;
}

static int load_until(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                      const cJSON *value, struct oc_window *window)
{
    int32_t minute = 0;
    int rc = load_time(l, key, node, value, &minute);

    if (rc < 0)
        return rc;
    if (minute <= window->begin_minute)
        minute += 1440;
    window->duration_ms = (int64_t)(minute - window->begin_minute) * 60000;
    return OC_OK;
}

static int load_days(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                     const cJSON *value, uint8_t *out)
{
    static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };
    const struct oc_section_key texts = { .key = key->key, .type = OC_SECTION_TEXT, .max = 7 };
    struct oc_strings words = { NULL, 0 };
    int rc = oc_config_load_strings(l, &texts, node, value, &words);

    *out = 0;
    for (size_t i = 0; i < words.count && rc == OC_OK; i++) {
        size_t day = 0;

        while (days[day] && strcmp(days[day], words.items[i]) != 0)
            day++;
        if (days[day])
            *out = (uint8_t)(*out | 1u << day);
        else
            rc = oc_config_value_fail_text(
                l, node, key->key, "days such as \"mon\", \"tue\" … \"sun\"", words.items[i]);
    }
    oc_strings_clear(&words);
    return rc;
}

/* ---- one key ---- */

int oc_config_load_field(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                         const cJSON *value, void *item)
{
    void *out = (char *)item + key->offset;

    switch (key->type) {
    case OC_SECTION_NAME:
    case OC_SECTION_TEXT:
    case OC_SECTION_PATH:
    case OC_SECTION_LINK:
    case OC_SECTION_PROXY:
    case OC_SECTION_ADDRESS:
        return load_text(l, key, node, value, out);
    case OC_SECTION_KIND:
        return OC_OK; /* it is there */
    case OC_SECTION_SEVERITY:
        return load_severity(l, key, node, value, out);
    case OC_SECTION_FLAG:
    case OC_SECTION_OFF:
        return load_flag(l, key, node, value, out);
    case OC_SECTION_DURATION:
        return load_duration(l, key, node, value, out);
    case OC_SECTION_COUNT:
        return load_count(l, key, node, value, out);
    case OC_SECTION_SHARE:
        return load_share(l, key, node, value, out);
    case OC_SECTION_METRIC:
        return load_metric(l, key, node, value, out);
    case OC_SECTION_BOUND:
        return load_bound(l, key, node, value, item, out);
    case OC_SECTION_GLOBS:
    case OC_SECTION_MATCHERS:
    case OC_SECTION_ADDRESSES:
    case OC_SECTION_ARGV:
        return oc_config_load_strings(l, key, node, value, out);
    case OC_SECTION_URL:
    case OC_SECTION_URLS:
    case OC_SECTION_SECRET:
    case OC_SECTION_SIGNING:
    case OC_SECTION_BEARER:
    case OC_SECTION_BASIC:
    case OC_SECTION_HEADER:
        return oc_config_load_delivery(l, key, node, value, item);
    case OC_SECTION_TIME:
        return load_time(l, key, node, value, out);
    case OC_SECTION_UNTIL:
        return load_until(l, key, node, value, item);
    case OC_SECTION_DAYS:
        return load_days(l, key, node, value, out);
    }
    return OC_E_INVAL;
}
