/* URLs of receivers and proxies: their parts, and what is wrong with them. */
#include "config/section.h"

#include "base/text.h"

#include <string.h>

const char *const *oc_config_url_schemes(unsigned receiver_type)
{
    static const char *const http[] = { "https://", "http://", NULL };
    static const char *const mail[] = { "smtp://", "smtps://", NULL };

    return receiver_type == OC_RECEIVER_EMAIL ? mail : http;
}

static size_t scheme_len(const char *text, const char *const *schemes)
{
    for (size_t i = 0; schemes[i]; i++) {
        if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
            return strlen(schemes[i]);
    }
    return 0;
}

/* A port behind the host: digits up to 65535. "[::1]:25" has its colons in brackets. */
static const char *check_host(const char *host, size_t len)
{
    const char *colon = NULL;
    size_t digits = 0;
    unsigned port = 0;

    for (size_t i = 0; i < len; i++) {
        if (host[i] == ']')
            colon = NULL;
        else if (host[i] == ':')
            colon = host + i;
    }
    if (len == 0 || colon == host)
        return "has no host";
    if (!colon || (host[0] == '[' && host[len - 1] == ']'))
        return NULL;
    for (const char *at = colon + 1; at < host + len; at++, digits++) {
        if (*at < '0' || *at > '9' || digits == 5)
            return "has a port that is no number";
        port = port * 10 + (unsigned)(*at - '0');
    }
    return port >= 1 && port <= 65535 ? NULL : "has a port that is not from 1 to 65535";
}

const char *oc_config_url_split(const char *text, const char *const *schemes, struct oc_url *out)
{
    struct oc_url url = { 0 };
    const char *authority = NULL, *user = NULL;
    size_t len = 0;

    if (strstr(text, OC_CONFIG_HIDDEN))
        return "holds what `config show` writes in the place of a secret: put the secret there, or "
               "{ \"from_file\": PATH }";
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7F || strchr("\"<>\\^`{|}", *at))
            return "holds a blank or another character that no URL has";
    }
    url.scheme = scheme_len(text, schemes);
    if (url.scheme == 0)
        return strstr(text, "://") ? "has a scheme that is not for this type"
                                   : "does not say how: it begins with no scheme";
    authority = text + url.scheme;
    len = strcspn(authority, "/?#");
    for (size_t i = 0; i < len; i++) {
        if (authority[i] == '@')
            user = authority + i;
    }
    url.user = user ? (size_t)(user - authority) + 1 : 0;
    url.host = len - url.user;
    url.rest = strlen(authority + len);
    *out = url;
    return check_host(authority + url.user, url.host);
}

int oc_config_url_is_local(const char *text, const struct oc_url *url)
{
    static const char *const names[] = { "localhost", "127.", "[::1]", NULL };
    const char *host = text + url->scheme + url->user;

    for (size_t i = 0; names[i]; i++) {
        size_t len = strlen(names[i]);

        if (url->host >= len && strncmp(host, names[i], len) == 0 &&
            (names[i][len - 1] == '.' || url->host == len || host[len] == ':'))
            return 1;
    }
    return 0;
}
