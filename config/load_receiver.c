/* "receivers": where alerts go, and the secrets that it takes. No message here holds one. */
#include "config/section.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000)
#define MAX_POST_MS (120 * SECOND) /* half of what a post promises Alertmanager */
#define MAX_SECRET_BYTES 4000
#define MIN_SIGNING_BYTES 24
#define MAX_SIGNING_BYTES 64

static int fail(struct oc_loader *l, uint32_t node, const char *text)
{
    return oc_config_value_fail(l, node, OC_E_INVAL, text);
}

static int fail_key(struct oc_loader *l, const char *key, uint32_t node, const char *why)
{
    char text[300];

    (void)snprintf(text, sizeof(text), "\"%s\" %s", key, why);
    return fail(l, node, text);
}

/* ---- URLs ---- */

static int check_url(struct oc_loader *l, const char *key, uint32_t node,
                     const struct oc_receiver *receiver, const char *text)
{
    struct oc_url url;
    const char *why = oc_config_url_split(text, oc_config_url_schemes(receiver->type), &url);

    if (!why)
        return OC_OK;
    if (!strstr(why, "scheme"))
        return fail_key(l, key, node, why);
    return fail_key(l, key, node,
                    receiver->type == OC_RECEIVER_EMAIL
                        ? "wants a URL that begins with smtp:// or smtps://, such as "
                          "\"smtp://mail.example.org:587\""
                        : "wants a URL that begins with https:// or http://, such as "
                          "\"https://alerts.example.org/hook\"");
}

static int load_urls(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                     const cJSON *value, struct oc_receiver *receiver)
{
    int rc = OC_OK;

    if (receiver->urls.count > 0)
        return fail(l, node, "\"url\" and \"urls\" stand for the same: one of them");
    if (key->type == OC_SECTION_URL && !cJSON_IsString(value))
        return oc_config_value_fail_type(l, node, key->key,
                                         receiver->type == OC_RECEIVER_ALERTMANAGER
                                             ? "one URL (several are \"urls\")"
                                             : "one URL",
                                         value);
    rc = oc_config_load_strings(l, key, node, value, &receiver->urls);
    for (size_t i = 0; i < receiver->urls.count && rc == OC_OK; i++)
        rc = check_url(l, key->key,
                       cJSON_IsArray(value) ? oc_config_scan_item(&l->scan, node, i) : node,
                       receiver, receiver->urls.items[i]);
    return rc;
}

/* ---- secrets ---- */

static int load_secret(struct oc_loader *l, const char *key, uint32_t node, const cJSON *value,
                       struct oc_receiver *receiver)
{
    const char *text = NULL;
    int rc = oc_config_value_text(l, key, MAX_SECRET_BYTES, node, value, &text);

    if (rc < 0)
        return rc;
    if (strstr(text, OC_CONFIG_HIDDEN))
        return fail_key(l, key, node,
                        "holds what `config show` writes in the place of a secret: put the secret "
                        "there, or { \"from_file\": PATH }");
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            return fail_key(l, key, node, "holds a control character, such as a newline");
    }
    receiver->secret = oc_strdup(text);
    return receiver->secret ? OC_OK : oc_config_value_nomem(l);
}

static int is_base64(const char *text, size_t *out_bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strspn(text, digits), padding = strspn(text + len, "=");

    *out_bytes = len * 3 / 4;
    return text[len + padding] == '\0' && len % 4 != 1 &&
           (padding == 0 || (padding <= 2 && (len + padding) % 4 == 0));
}

static int load_signing(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                        const cJSON *value, struct oc_receiver *receiver)
{
    int rc = oc_config_load_strings(l, key, node, value, &receiver->signing);

    for (size_t i = 0; i < receiver->signing.count && rc == OC_OK; i++) {
        const char *text = receiver->signing.items[i];
        size_t bytes = 0;

        if (strncmp(text, "whsec_", 6) != 0 || !is_base64(text + 6, &bytes) ||
            bytes < MIN_SIGNING_BYTES || bytes > MAX_SIGNING_BYTES)
            rc = fail_key(l, key->key,
                          cJSON_IsArray(value) ? oc_config_scan_item(&l->scan, node, i) : node,
                          "wants \"whsec_\" and 24 to 64 bytes in base64: `echo whsec_$(openssl "
                          "rand -base64 32)` makes one");
    }
    return rc;
}

/* ---- authentication ---- */

static int is_header_name(const char *name)
{
    static const char *const ours[] = { "content-type", "content-length", "host",
                                        "transfer-encoding", NULL };
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

    for (size_t i = 0; ours[i]; i++) {
        size_t at = 0;

        while (ours[i][at] && (name[at] | 0x20) == ours[i][at])
            at++;
        if (ours[i][at] == '\0' && name[at] == '\0')
            return 0;
    }
    return name[strspn(name, letters)] == '\0';
}

/* { "user" or "name": TEXT, "password" or "value": SECRET } and nothing else. */
static int load_pair(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                     const cJSON *value, struct oc_receiver *receiver)
{
    int is_basic = key->type == OC_SECTION_BASIC;
    const char *names[] = { is_basic ? "user" : "name", is_basic ? "password" : "value", NULL };
    const cJSON *first = cJSON_GetObjectItemCaseSensitive(value, names[0]);
    const cJSON *second = cJSON_GetObjectItemCaseSensitive(value, names[1]), *item = NULL;
    const char *text = NULL;
    char wanted[120];
    int rc = OC_OK;

    (void)snprintf(wanted, sizeof(wanted), "an object { \"%s\": …, \"%s\": … }", names[0],
                   names[1]);
    if (!cJSON_IsObject(value))
        return oc_config_value_fail_type(l, node, key->key, wanted, value);
    cJSON_ArrayForEach(item, value)
    {
        if (strcmp(item->string, names[0]) != 0 && strcmp(item->string, names[1]) != 0)
            return oc_config_value_fail_unknown(l,
                                                oc_config_scan_member(&l->scan, node, item->string),
                                                key->key, item->string, names);
    }
    if (!first || !second) {
        (void)snprintf(wanted, sizeof(wanted), "wants both \"%s\" and \"%s\"", names[0], names[1]);
        return fail_key(l, key->key, node, wanted);
    }
    rc = oc_config_value_text(l, names[0], sizeof(receiver->user) - 1,
                              oc_config_scan_member(&l->scan, node, names[0]), first, &text);
    if (rc < 0)
        return rc;
    if (is_basic ? strpbrk(text, ":\r\n") != NULL : !is_header_name(text))
        return fail_key(l, names[0], oc_config_scan_member(&l->scan, node, names[0]),
                        is_basic ? "holds a colon or a newline"
                                 : "is no header that can be set: letters, digits and '-'");
    (void)oc_text_copy(receiver->user, sizeof(receiver->user), text);
    return load_secret(l, names[1], oc_config_scan_member(&l->scan, node, names[1]), second,
                       receiver);
}

static int load_auth(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                     const cJSON *value, struct oc_receiver *receiver)
{
    if (receiver->auth != OC_AUTH_NONE)
        return fail(l, node, "one of \"bearer\", \"basic\" and \"header\", not several");
    if (key->type == OC_SECTION_BEARER) {
        receiver->auth = OC_AUTH_BEARER;
        return load_secret(l, key->key, node, value, receiver);
    }
    receiver->auth = key->type == OC_SECTION_BASIC ? OC_AUTH_BASIC : OC_AUTH_HEADER;
    return load_pair(l, key, node, value, receiver);
}

int oc_config_load_delivery(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                            const cJSON *value, void *item)
{
    struct oc_receiver *receiver = item;

    switch (key->type) {
    case OC_SECTION_URL:
    case OC_SECTION_URLS:
        return load_urls(l, key, node, value, receiver);
    case OC_SECTION_SECRET:
        return load_secret(l, key->key, node, value, receiver);
    case OC_SECTION_SIGNING:
        return load_signing(l, key, node, value, receiver);
    default:
        return load_auth(l, key, node, value, receiver);
    }
}

/* ---- what no key alone can know ---- */

static uint32_t child_of(const struct oc_loader *l, uint32_t node, const char *key)
{
    uint32_t child = oc_config_scan_member(&l->scan, node, key);

    return child == OC_SCAN_NONE ? node : child;
}

static int check_email(struct oc_loader *l, uint32_t node, const struct oc_receiver *receiver)
{
    if (receiver->user[0] && !receiver->secret)
        return fail(l, child_of(l, node, "user"), "\"user\" without a \"password\"");
    if (!receiver->user[0] && receiver->secret)
        return fail(l, child_of(l, node, "password"), "\"password\" without a \"user\"");
    return OC_OK;
}

static int check_receiver(struct oc_loader *l, uint32_t node, const struct oc_receiver *receiver)
{
    int is_silent = receiver->type == OC_RECEIVER_JOURNAL || receiver->type == OC_RECEIVER_HOOK;

    if (!is_silent && receiver->urls.count == 0) {
        char text[160];

        (void)snprintf(text, sizeof(text), "a receiver of type \"%s\" wants a \"url\"%s",
                       oc_receiver_type_name(receiver->type),
                       receiver->type == OC_RECEIVER_EMAIL
                           ? ", such as \"smtp://mail.example.org:587\""
                       : receiver->type == OC_RECEIVER_ALERTMANAGER ? " or \"urls\""
                                                                    : "");
        return fail(l, node, text);
    }
    if (receiver->type == OC_RECEIVER_HOOK) {
        static const struct oc_section_key path = { .key = "argv", .type = OC_SECTION_PATH };

        if (oc_config_wrong(&path, receiver->argv.items[0]))
            return fail(l, child_of(l, node, "argv"),
                        "the program of \"argv\" wants its whole path, such as "
                        "\"/etc/oomcast/hooks/capture\": there is no shell, and no PATH");
    }
    if (receiver->type == OC_RECEIVER_HEARTBEAT && receiver->interval_ms < 10 * SECOND)
        return fail(l, child_of(l, node, "interval"), "a heartbeat's \"interval\" is at least 10s");
    if (receiver->type == OC_RECEIVER_ALERTMANAGER &&
        (receiver->interval_ms < SECOND || receiver->interval_ms > MAX_POST_MS))
        return fail(
            l, child_of(l, node, "interval"),
            "an alertmanager's \"interval\" is 1s to 2m: it takes an alert for over that it "
            "has not heard of for 4m");
    return receiver->type == OC_RECEIVER_EMAIL ? check_email(l, node, receiver) : OC_OK;
}

/* ---- one receiver ---- */

static void set_defaults(struct oc_receiver *receiver)
{
    receiver->min_severity = OC_SEVERITY_WARN;
    receiver->send_resolved = 1;
    receiver->starttls = receiver->type == OC_RECEIVER_EMAIL;
    receiver->timeout_ms = 10 * SECOND;
    if (receiver->type == OC_RECEIVER_HEARTBEAT)
        receiver->interval_ms = 300 * SECOND;
    else if (receiver->type == OC_RECEIVER_ALERTMANAGER)
        receiver->interval_ms = 60 * SECOND;
    receiver->max_per_hour = receiver->type == OC_RECEIVER_ALERTMANAGER ? 0 : 20;
}

static int add_receiver(struct oc_loader *l, uint32_t node, struct oc_receiver *take_receiver)
{
    struct oc_receivers *receivers = &l->config->receivers;
    struct oc_receiver *items = NULL;
    char text[120];

    for (size_t i = 0; i < receivers->count; i++) {
        struct oc_receiver *same = &receivers->items[i];

        if (strcmp(same->name, take_receiver->name) != 0)
            continue;
        if (strcmp(same->file, take_receiver->file) != 0) {
            oc_receiver_clear(same);
            *same = *take_receiver;
            return OC_OK;
        }
        (void)snprintf(text, sizeof(text),
                       "there is a receiver of this name already, at line %" PRIu32, same->line);
        oc_receiver_clear(take_receiver);
        return fail(l, node, text);
    }
    if (receivers->count == OC_RECEIVERS_MAX) {
        oc_receiver_clear(take_receiver);
        return oc_config_value_fail(l, node, OC_E_TOOBIG, "more than 32 receivers");
    }
    items = oc_realloc(receivers->items, (receivers->count + 1) * sizeof(*items));
    if (!items) {
        oc_receiver_clear(take_receiver);
        return oc_config_value_nomem(l);
    }
    receivers->items = items;
    items[receivers->count++] = *take_receiver;
    return OC_OK;
}

static int load_receiver(struct oc_loader *l, uint32_t node, const cJSON *object)
{
    const struct oc_section *section = oc_section_receivers();
    struct oc_receiver receiver = { .name = "" };
    unsigned type = 0;
    int rc = OC_OK;

    if (!cJSON_IsObject(object))
        return oc_config_value_fail_type(
            l, node, "receivers",
            "objects such as { \"name\": \"ops\", \"type\": \"webhook\", \"url\": … }", object);
    rc = oc_config_load_kind(l, section, node, object, &type);
    if (rc == OC_OK && type == 0)
        rc = fail(l, node,
                  "this receiver has no \"type\": webhook, alertmanager, slack, teams, email, "
                  "journal, hook or heartbeat");
    if (rc < 0)
        return rc;
    receiver.type = (uint8_t)type;
    set_defaults(&receiver);
    receiver.line = oc_config_value_line(l, node);
    receiver.file = oc_strdup(l->scan.name);
    if (!receiver.file)
        return oc_config_value_nomem(l);
    rc = oc_config_load_item(l, section, node, object, &receiver);
    if (rc == OC_OK)
        rc = oc_config_check_wanted(l, section, node, object, type);
    if (rc == OC_OK)
        rc = check_receiver(l, node, &receiver);
    if (rc == OC_OK)
        return add_receiver(l, node, &receiver);
    oc_receiver_clear(&receiver);
    return rc;
}

int oc_config_load_receivers(struct oc_loader *l, uint32_t node, const cJSON *value)
{
    const cJSON *item = NULL;
    size_t at = 0;

    if (!cJSON_IsArray(value))
        return oc_config_value_fail_type(l, node, "receivers", "an array of objects", value);
    cJSON_ArrayForEach(item, value)
    {
        int rc = load_receiver(l, oc_config_scan_item(&l->scan, node, at++), item);

        if (rc < 0)
            return rc;
    }
    return OC_OK;
}
