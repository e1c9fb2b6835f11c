/* What is sent by HTTP: who it is to, what proves that it is from here, and what is heeded of the answer. */
#include "notify/web.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "notify/encode.h"
#include "notify/retry_after.h"
#include "notify/sign.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LEVEL_PATH "/api/v2/alerts"
#define URL_MAX_BYTES 4096

/* ---- who it is from ---- */

static int add_auth(struct oc_transfer *transfer)
{
    const struct oc_receiver *settings = &transfer->attempt->target->settings;
    const char *secret = settings->secret ? settings->secret : "";
    CURL *easy = transfer->easy;

    switch ((enum oc_auth)settings->auth) {
    case OC_AUTH_BEARER:
        if (strpbrk(secret, "\r\n"))
            return OC_E_INVAL;
        (void)curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        return curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, secret) == CURLE_OK ? OC_OK
                                                                                  : OC_E_NOMEM;
    case OC_AUTH_BASIC:
        (void)curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        if (curl_easy_setopt(easy, CURLOPT_USERNAME, settings->user) != CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_PASSWORD, secret) != CURLE_OK)
            return OC_E_NOMEM;
        return OC_OK;
    case OC_AUTH_HEADER:
        return oc_web_line(transfer, settings->user, secret);
    case OC_AUTH_NONE:
        break;
    }
    return OC_OK;
}

/* Standard Webhooks: the id also where nothing is signed, so that a repeat can be told. */
static int add_signature(struct oc_transfer *transfer)
{
    const struct oc_attempt *attempt = transfer->attempt;
    const struct oc_strings *secrets = &attempt->target->settings.signing;
    int64_t now_s = oc_clock_unix_ms() / 1000;
    struct oc_buf signature;
    char timestamp[24];
    int rc = OC_OK;

    (void)snprintf(timestamp, sizeof(timestamp), "%" PRId64, now_s);
    rc = oc_web_line(transfer, "webhook-id", attempt->delivery.id);
    if (rc == OC_OK)
        rc = oc_web_line(transfer, "webhook-timestamp", timestamp);
    if (rc < 0 || secrets->count == 0)
        return rc;
    oc_buf_init(&signature, 8192);
    rc = oc_sign(secrets, attempt->delivery.id, now_s,
                 attempt->delivery.body ? attempt->delivery.body : "", attempt->delivery.body_bytes,
                 &signature);
    if (rc == OC_OK)
        rc = oc_web_line(transfer, "webhook-signature", signature.data);
    oc_buf_clear(&signature);
    return rc == OC_E_PARSE ? OC_E_INVAL : rc;
}

static int add_headers(struct oc_transfer *transfer)
{
    const struct oc_wire_delivery *delivery = &transfer->attempt->delivery;
    int rc = oc_web_line(transfer, "Expect", ""); /* no wait for a "100 Continue" */

    if (rc == OC_OK && delivery->content_type[0])
        rc = oc_web_line(transfer, "Content-Type", delivery->content_type);
    if (rc == OC_OK && transfer->attempt->target->settings.type == OC_RECEIVER_WEBHOOK)
        rc = add_signature(transfer);
    return rc == OC_OK ? add_auth(transfer) : rc;
}

/* ---- where it goes ---- */

/* Alertmanager's are told by the peer alone. */
static void put_url(const struct oc_receiver *settings, const char *url, struct oc_buf *out)
{
    size_t len = strlen(url);
    size_t path = sizeof(LEVEL_PATH) - 1;

    if (settings->type != OC_RECEIVER_ALERTMANAGER) {
        oc_buf_puts(out, url);
        return;
    }
    while (len > 0 && url[len - 1] == '/')
        len--;
    oc_buf_add(out, url, len);
    if (len < path || strncmp(url + len - path, LEVEL_PATH, path) != 0)
        oc_buf_puts(out, LEVEL_PATH);
}

static int set_url(struct oc_transfer *transfer, struct oc_outcome *out)
{
    const struct oc_receiver *settings = &transfer->attempt->target->settings;
    uint32_t index = transfer->attempt->delivery.url;
    struct oc_buf url;
    int rc = OC_OK;

    if (index >= settings->urls.count) {
        oc_outcome_set(out, OC_DELIVERY_SLOW, "the receiver has no url %u", index);
        return OC_E_INVAL;
    }
    oc_origin(settings->urls.items[index], transfer->origin);
    oc_buf_init(&url, URL_MAX_BYTES);
    put_url(settings, settings->urls.items[index], &url);
    rc = url.err;
    if (rc == OC_OK && curl_easy_setopt(transfer->easy, CURLOPT_URL, url.data) != CURLE_OK)
        rc = OC_E_NOMEM;
    if (rc == OC_E_TOOBIG)
        oc_outcome_set(out, OC_DELIVERY_SLOW, "the url is longer than %d bytes", URL_MAX_BYTES);
    oc_buf_clear(&url);
    return rc;
}

int oc_web_http(struct oc_transfer *transfer, struct oc_outcome *out)
{
    const struct oc_wire_delivery *delivery = &transfer->attempt->delivery;
    CURL *easy = transfer->easy;
    int rc = set_url(transfer, out);

    if (rc < 0)
        return rc;
    if (curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK)
        return OC_E_NOTSUP; /* an old libcurl */
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "oomcast-notify/" OC_VERSION);
    if (transfer->attempt->target->settings.type == OC_RECEIVER_HEARTBEAT) {
        (void)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    } else {
        (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, delivery->body ? delivery->body : "");
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)delivery->body_bytes);
    }
    rc = add_headers(transfer);
    if (rc == OC_E_INVAL)
        oc_outcome_set(out, OC_DELIVERY_SLOW,
                       "a header, token or signing secret of the receiver cannot be used");
    if (rc == OC_OK && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->lines) != CURLE_OK)
        rc = OC_E_NOMEM;
    return rc;
}

/* ---- what is heeded of an answer ---- */

/* The value of "name: value", its length in *out_len; NULL: another header. */
static const char *value_of(const char *text, size_t len, const char *name, size_t *out_len)
{
    size_t name_len = strlen(name);

    if (len <= name_len || !oc_same_name(text, name, name_len) || text[name_len] != ':')
        return NULL;
    text += name_len + 1;
    len -= name_len + 1;
    while (len > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        len--;
    }
    while (len > 0 && (text[len - 1] == '\r' || text[len - 1] == '\n' || text[len - 1] == ' '))
        len--;
    *out_len = len;
    return text;
}

void oc_web_header(struct oc_transfer *transfer, const char *text, size_t len_bytes,
                   int64_t now_unix_ms)
{
    size_t len = 0;
    const char *value = value_of(text, len_bytes, "Retry-After", &len);
    char url[512];

    if (value) {
        transfer->retry_after_ms = oc_retry_after_ms(value, len, now_unix_ms);
        return;
    }
    value = value_of(text, len_bytes, "Location", &len);
    if (!value)
        return;
    oc_text_copy_utf8(url, sizeof(url), value, len);
    if (strstr(url, "://"))
        oc_origin(url, transfer->moved_to);
}
