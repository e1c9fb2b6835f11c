/* Rules, receivers and windows in force, as objects that a file could hold. Secrets stay hidden. */
#include "config/section.h"

#include "base/metric.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- secrets ---- */

/* The path of the file that a text came from, as an object. 0: it stands in the config itself. */
static int put_file(const struct oc_config *config, struct oc_buf *out, const char *text)
{
    const char *path = oc_config_secret(config, text);

    if (!path)
        return 0;
    oc_buf_puts(out, "{ \"from_file\": ");
    oc_buf_json_string(out, path);
    oc_buf_puts(out, " }");
    return 1;
}

static void put_string(const struct oc_config *config, struct oc_buf *out, const char *text)
{
    if (!put_file(config, out, text))
        oc_buf_json_string(out, text);
}

static void put_secret(const struct oc_config *config, struct oc_buf *out, const char *text)
{
    if (!put_file(config, out, text))
        oc_buf_puts(out, "\"" OC_CONFIG_HIDDEN "\"");
}

/* Of a URL that may be a secret: its scheme and host. The path of a peer of Alertmanager is none. */
static void put_url(const struct oc_config *config, struct oc_buf *out, const char *text,
                    const char *const *schemes, int hides_rest)
{
    struct oc_url url;
    char shown[2200];
    size_t rest = 0;

    if (put_file(config, out, text))
        return;
    if (oc_config_url_split(text, schemes, &url)) {
        oc_buf_puts(out, "\"" OC_CONFIG_HIDDEN "\"");
        return;
    }
    rest = url.scheme + url.user + url.host;
    (void)snprintf(shown, sizeof(shown), "%.*s%s%.*s%s", (int)url.scheme, text,
                   url.user > 0 ? OC_CONFIG_HIDDEN "@" : "", (int)url.host,
                   text + url.scheme + url.user,
                   url.rest <= 1 ? text + rest
                   : hides_rest  ? "/" OC_CONFIG_HIDDEN
                                 : text + rest);
    oc_buf_json_string(out, shown);
}

/* ---- values ---- */

static void put_list(const struct oc_config *config, struct oc_buf *out,
                     const struct oc_strings *strings, const struct oc_section_key *key,
                     const struct oc_receiver *receiver)
{
    int is_one = key->type == OC_SECTION_URL;

    oc_buf_puts(out, is_one ? "" : "[");
    for (size_t i = 0; i < strings->count; i++) {
        if (i > 0)
            oc_buf_puts(out, ", ");
        if (key->type == OC_SECTION_SIGNING)
            put_secret(config, out, strings->items[i]);
        else if (key->type == OC_SECTION_URL || key->type == OC_SECTION_URLS)
            put_url(config, out, strings->items[i], oc_config_url_schemes(receiver->type),
                    receiver->type != OC_RECEIVER_ALERTMANAGER);
        else
            put_string(config, out, strings->items[i]);
    }
    oc_buf_puts(out, is_one ? "" : "]");
}

static void put_auth(const struct oc_config *config, struct oc_buf *out,
                     const struct oc_section_key *key, const struct oc_receiver *receiver)
{
    if (key->type == OC_SECTION_BEARER) {
        put_secret(config, out, receiver->secret);
        return;
    }
    oc_buf_puts(out, key->type == OC_SECTION_BASIC ? "{ \"user\": " : "{ \"name\": ");
    put_string(config, out, receiver->user);
    oc_buf_puts(out, key->type == OC_SECTION_BASIC ? ", \"password\": " : ", \"value\": ");
    put_secret(config, out, receiver->secret);
    oc_buf_puts(out, " }");
}

static void put_duration(struct oc_buf *out, int64_t ms)
{
    char text[40];

    oc_config_value_write_duration(ms, text, sizeof(text));
    oc_buf_json_string(out, text);
}

static void put_bound(struct oc_buf *out, const struct oc_rule *rule, double value)
{
    const struct oc_metric_row *row = oc_metric_by_number(rule->metric);
    char text[40];

    if (rule->kind == OC_RULE_FAMILY || (row && row->unit != OC_UNIT_BYTES)) {
        oc_buf_printf(out, "%.15g", value);
        return;
    }
    oc_config_value_write_size((uint64_t)value, text, sizeof(text));
    oc_buf_json_string(out, text);
}

static void put_time(struct oc_buf *out, int64_t minute)
{
    oc_buf_printf(out, "\"%02d:%02d\"", (int)(minute / 60), (int)(minute % 60));
}

static void put_days(struct oc_buf *out, unsigned days)
{
    static const char *const names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };
    const char *separator = "[";

    for (unsigned i = 0; i < 7; i++) {
        if (!(days & (1u << i)))
            continue;
        oc_buf_printf(out, "%s\"%s\"", separator, names[i]);
        separator = ", ";
    }
    oc_buf_putc(out, ']');
}

/* "24:00" for a whole day from midnight, else the time of day. */
static void put_until(struct oc_buf *out, const struct oc_window *window)
{
    int64_t minute = window->begin_minute + window->duration_ms / 60000;

    put_time(out, minute > 1440 ? minute - 1440 : minute);
}

/* Whether a key says something: what is empty is left out. */
static int is_set(const struct oc_section_key *key, const void *item)
{
    const void *field = (const char *)item + key->offset;
    const struct oc_receiver *receiver = item; /* where the type is one of a receiver's */
    double number = 0;

    switch (key->type) {
    case OC_SECTION_NAME:
    case OC_SECTION_TEXT:
    case OC_SECTION_PATH:
    case OC_SECTION_LINK:
    case OC_SECTION_PROXY:
    case OC_SECTION_ADDRESS:
        return *(const char *)field != '\0';
    case OC_SECTION_GLOBS:
    case OC_SECTION_MATCHERS:
    case OC_SECTION_ADDRESSES:
    case OC_SECTION_ARGV:
    case OC_SECTION_SIGNING:
        return ((const struct oc_strings *)field)->count > 0;
    case OC_SECTION_URL:
        return receiver->urls.count == 1;
    case OC_SECTION_URLS:
        return receiver->urls.count > 1;
    case OC_SECTION_SECRET:
        return receiver->secret != NULL;
    case OC_SECTION_BEARER:
        return receiver->auth == OC_AUTH_BEARER;
    case OC_SECTION_BASIC:
        return receiver->auth == OC_AUTH_BASIC;
    case OC_SECTION_HEADER:
        return receiver->auth == OC_AUTH_HEADER;
    case OC_SECTION_METRIC:
        return *(const uint16_t *)field != 0;
    case OC_SECTION_BOUND:
        number = *(const double *)field;
        return number == number;
    case OC_SECTION_DAYS:
        return *(const uint8_t *)field != 0;
    case OC_SECTION_OFF:
        return *(const uint8_t *)field != 0; /* true is what all are */
    case OC_SECTION_DURATION:
        return *(const int64_t *)field != 0 || key->min == 0;
    default:
        return 1;
    }
}

static void put_value(const struct oc_config *config, const struct oc_section *section,
                      const struct oc_section_key *key, const void *item, struct oc_buf *out)
{
    static const char *const proxies[] = { "http://", "https://", "socks5://", "socks5h://", NULL };
    const void *field = (const char *)item + key->offset;

    switch (key->type) {
    case OC_SECTION_NAME:
    case OC_SECTION_TEXT:
    case OC_SECTION_PATH:
    case OC_SECTION_LINK:
    case OC_SECTION_ADDRESS:
        put_string(config, out, field);
        break;
    case OC_SECTION_PROXY:
        put_url(config, out, field, proxies, 0);
        break;
    case OC_SECTION_KIND:
        oc_buf_json_string(out, section->kind_name(*(const uint8_t *)field));
        break;
    case OC_SECTION_SEVERITY:
        oc_buf_json_string(out, oc_severity_name(*(const uint8_t *)field));
        break;
    case OC_SECTION_FLAG:
        oc_buf_puts(out, *(const uint8_t *)field ? "true" : "false");
        break;
    case OC_SECTION_OFF:
        oc_buf_puts(out, *(const uint8_t *)field ? "false" : "true");
        break;
    case OC_SECTION_DURATION:
        put_duration(out, *(const int64_t *)field);
        break;
    case OC_SECTION_COUNT:
        oc_buf_printf(out, "%" PRIu32, *(const uint32_t *)field);
        break;
    case OC_SECTION_SHARE:
        oc_buf_printf(out, "%.15g", *(const double *)field);
        break;
    case OC_SECTION_METRIC:
        oc_buf_json_string(out, oc_metric_by_number(*(const uint16_t *)field)->name);
        break;
    case OC_SECTION_BOUND:
        put_bound(out, item, *(const double *)field);
        break;
    case OC_SECTION_SECRET:
        put_secret(config, out, ((const struct oc_receiver *)item)->secret);
        break;
    case OC_SECTION_BEARER:
    case OC_SECTION_BASIC:
    case OC_SECTION_HEADER:
        put_auth(config, out, key, item);
        break;
    case OC_SECTION_TIME:
        put_time(out, *(const int32_t *)field);
        break;
    case OC_SECTION_UNTIL:
        put_until(out, item);
        break;
    case OC_SECTION_DAYS:
        put_days(out, *(const uint8_t *)field);
        break;
    default:
        put_list(config, out, field, key, item);
        break;
    }
}

void oc_config_write_item(const struct oc_config *config, const struct oc_section *section,
                          const void *item, struct oc_buf *out)
{
    unsigned kind = section->kind_key ? *((const uint8_t *)item + section->kind_offset) : 0;
    size_t written = 0;

    oc_buf_puts(out, "{ ");
    for (size_t i = 0; i < section->key_count; i++) {
        const struct oc_section_key *key = &section->keys[i];

        if (!oc_section_knows(key, kind) || !is_set(key, item))
            continue;
        oc_buf_printf(out, "%s\"%s\": ", written++ > 0 ? ", " : "", key->key);
        put_value(config, section, key, item, out);
    }
    oc_buf_puts(out, " }");
}

/* ---- by option ---- */

/* Item number index of "maintenance" or "restarts", which lie in one list. NULL: none. */
static const struct oc_window *window_at(const struct oc_config *config, int is_restart,
                                         size_t index)
{
    for (size_t i = 0; i < config->windows.count; i++) {
        if (config->windows.items[i].is_restart == is_restart && index-- == 0)
            return &config->windows.items[i];
    }
    return NULL;
}

size_t oc_config_section_count(const struct oc_config *config, const struct oc_option *option)
{
    const struct oc_section *section = option->section();
    size_t count = 0;

    if (section == oc_section_rules())
        return config->rules.count;
    if (section == oc_section_receivers())
        return config->receivers.count;
    while (window_at(config, section == oc_section_restarts(), count))
        count++;
    return count;
}

void oc_config_write_section_item(const struct oc_config *config, const struct oc_option *option,
                                  size_t index, struct oc_buf *out, const char **out_file,
                                  uint32_t *out_line)
{
    const struct oc_section *section = option->section();

    if (section == oc_section_rules()) {
        const struct oc_rule *rule = &config->rules.items[index];

        oc_config_write_item(config, section, rule, out);
        *out_file = rule->file;
        *out_line = rule->line;
    } else if (section == oc_section_receivers()) {
        const struct oc_receiver *receiver = &config->receivers.items[index];

        oc_config_write_item(config, section, receiver, out);
        *out_file = receiver->file;
        *out_line = receiver->line;
    } else {
        const struct oc_window *window = window_at(config, section == oc_section_restarts(), index);

        oc_config_write_item(config, section, window, out);
        *out_file = window->file;
        *out_line = window->line;
    }
}
