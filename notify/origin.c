#include "notify/origin.h"

#include "base/alloc.h"
#include "notify/encode.h"

#include <string.h>

#define SECRET_MIN_BYTES 4 /* shorter ones would blacken words that are no secrets */
#define LOGIN_BYTES 1024

/* Past "scheme://" and "user:password@"; NULL: no URL. */
static const char *host_of(const char *url, size_t *out_len)
{
    size_t scheme =
        strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
    const char *host = url + scheme + 3;
    size_t len = 0;

    if (scheme == 0 || strncmp(url + scheme, "://", 3) != 0)
        return NULL;
    len = strcspn(host, "/?#\\");
    for (size_t i = len; i > 0; i--) {
        if (host[i - 1] == '@') {
            host += i;
            len -= i;
            break;
        }
    }
    *out_len = len;
    return host;
}

void oc_origin(const char *url, char out[OC_ORIGIN_BYTES])
{
    size_t len = 0, at = 0;
    const char *host = host_of(url, &len);
    size_t scheme = host ? (size_t)(strstr(url, "://") - url) + 3 : 0;

    if (!host || scheme > 16) {
        memcpy(out, "?", 2);
        return;
    }
    for (size_t i = 0; i < scheme + len && at < OC_ORIGIN_BYTES - 1; i++) {
        char c = i < scheme ? url[i] : host[i - scheme];

        out[at++] = (char)(c > ' ' && c < 0x7f ? c : '?');
    }
    out[at] = '\0';
}

/* ---- secrets ---- */

static void blacken(char *text, const char *secret)
{
    size_t len = secret ? strlen(secret) : 0;
    char *at = text;

    if (len < SECRET_MIN_BYTES)
        return;
    while ((at = strstr(at, secret)) != NULL) {
        memset(at, '*', len);
        at += len;
    }
}

/* As HTTP and SMTP send it: user:password, and NUL user NUL password, in base64. */
static void blacken_login(char *text, const struct oc_receiver *receiver)
{
    size_t user = strlen(receiver->user);
    size_t secret = receiver->secret ? strlen(receiver->secret) : 0;
    char login[LOGIN_BYTES], base64[OC_BASE64_ROOM(LOGIN_BYTES)];

    if (secret == 0 || user + secret + 2 > sizeof(login))
        return;
    memcpy(login, receiver->user, user);
    login[user] = ':';
    memcpy(login + user + 1, receiver->secret, secret);
    oc_base64_write(login, user + 1 + secret, base64);
    blacken(text, base64);
    login[0] = '\0';
    memcpy(login + 1, receiver->user, user);
    login[user + 1] = '\0';
    memcpy(login + user + 2, receiver->secret, secret);
    oc_base64_write(login, user + 2 + secret, base64);
    blacken(text, base64);
}

/* "user:password" of a URL, as it is, the password alone, and as HTTP sends it. */
static void blacken_user(char *text, const char *user, size_t len)
{
    char base64[OC_BASE64_ROOM(LOGIN_BYTES)];
    char *copy = len > 0 && len < LOGIN_BYTES ? oc_strndup(user, len) : NULL;

    if (!copy)
        return;
    blacken(text, copy);
    if (strchr(copy, ':'))
        blacken(text, strchr(copy, ':') + 1);
    oc_base64_write(copy, len, base64);
    blacken(text, base64);
    oc_free(copy);
}

static void blacken_url(char *text, const char *url)
{
    size_t len = 0;
    const char *host = host_of(url, &len);
    const char *begin = strstr(url, "://");

    if (!host || !begin)
        return;
    blacken(text, host + len); /* path and query */
    if (host[len] == '/')
        blacken(text, host + len + 1);
    begin += 3;
    if (host > begin)
        blacken_user(text, begin, (size_t)(host - begin - 1));
}

void oc_scrub(const struct oc_receiver *receiver, char *text)
{
    for (size_t i = 0; i < receiver->urls.count; i++)
        blacken_url(text, receiver->urls.items[i]);
    blacken(text, receiver->secret);
    blacken_login(text, receiver);
    for (size_t i = 0; i < receiver->signing.count; i++)
        blacken(text, receiver->signing.items[i]);
}
