#include "notify/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SAID_BYTES 100

/* OpenSSL's X509_V_…, as libcurl gives them; where it refused the name itself, it leaves UNSPECIFIED. */
#define V_OK 0
#define V_UNSPECIFIED 1
#define V_NOT_YET_VALID 9
#define V_EXPIRED 10

void oc_outcome_set(struct oc_outcome *out, enum oc_delivery_outcome outcome, const char *format,
                    ...)
{
    va_list args;

    out->outcome = outcome;
    va_start(args, format);
    (void)vsnprintf(out->why, sizeof(out->why), format, args);
    va_end(args);
}

/* ": what it said" in one line, or nothing. */
static void said(const struct oc_talk *talk, char out[SAID_BYTES])
{
    size_t at = 0;
    const char *text = talk->said + strspn(talk->said, " \t\r\n");

    out[0] = '\0';
    if (*text == '\0')
        return;
    memcpy(out, ": ", 2);
    for (at = 2; *text && *text != '\n' && *text != '\r' && at < SAID_BYTES - 1; text++)
        out[at++] = *text;
    out[at] = '\0';
}

static const char *os_text(const struct oc_talk *talk)
{
    return talk->os_error ? strerror(talk->os_error) : "it could not be reached";
}

static void certificate(const struct oc_talk *talk, struct oc_outcome *out)
{
    if (talk->verify == V_EXPIRED || talk->verify == V_NOT_YET_VALID)
        oc_outcome_set(out, OC_DELIVERY_SLOW, "the certificate of %s is %s", talk->origin,
                       talk->verify == V_EXPIRED ? "expired" : "not valid yet: check the clock");
    else if (talk->verify == V_OK || talk->verify == V_UNSPECIFIED)
        oc_outcome_set(out, OC_DELIVERY_SLOW, "the certificate of %s is for another name",
                       talk->origin);
    else if (talk->ca_file[0])
        oc_outcome_set(out, OC_DELIVERY_SLOW,
                       "the certificate of %s is not signed by ca_file %.80s", talk->origin,
                       talk->ca_file);
    else
        oc_outcome_set(out, OC_DELIVERY_SLOW, "the certificate of %s is not trusted: set ca_file",
                       talk->origin);
}

/* Of a talk in which no answer says more. */
static void no_answer(const struct oc_talk *talk, struct oc_outcome *out)
{
    double seconds = (double)talk->timeout_ms / 1000.0;

    switch ((int)talk->code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        oc_outcome_set(out, OC_DELIVERY_LATER, "the host of %s is not known", talk->origin);
        break;
    case CURLE_COULDNT_RESOLVE_PROXY:
        oc_outcome_set(out, OC_DELIVERY_LATER, "the host of the proxy is not known");
        break;
    case CURLE_COULDNT_CONNECT:
        oc_outcome_set(out, OC_DELIVERY_LATER, "no connection to %s: %s", talk->origin,
                       os_text(talk));
        break;
    case CURLE_OPERATION_TIMEDOUT:
        oc_outcome_set(out, OC_DELIVERY_LATER,
                       talk->is_connected ? "no answer from %s within %.3g s"
                                          : "no connection to %s within %.3g s",
                       talk->origin, seconds);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
        certificate(talk, out);
        break;
    case CURLE_SSL_CACERT_BADFILE:
        if (talk->ca_file[0])
            oc_outcome_set(out, OC_DELIVERY_SLOW, "ca_file %.160s cannot be read", talk->ca_file);
        else
            oc_outcome_set(out, OC_DELIVERY_SLOW,
                           "this machine trusts nobody: install ca-certificates, or set ca_file");
        break;
    case CURLE_SSL_CONNECT_ERROR:
        oc_outcome_set(out, OC_DELIVERY_LATER, "%s did not come to terms on TLS", talk->origin);
        break;
    case CURLE_USE_SSL_FAILED:
        oc_outcome_set(out, OC_DELIVERY_SLOW,
                       "%s offers no STARTTLS: use smtps:// or \"starttls\": false", talk->origin);
        break;
    case CURLE_LOGIN_DENIED:
        oc_outcome_set(out, OC_DELIVERY_SLOW, "%s refused user and password", talk->origin);
        break;
    case CURLE_UNSUPPORTED_PROTOCOL:
        /* Also libcurl's word for an answer that begins with no status line. */
        oc_outcome_set(out, talk->is_connected ? OC_DELIVERY_LATER : OC_DELIVERY_SLOW,
                       talk->is_connected ? "%s answered, but not in HTTP"
                                          : "%s is of no kind that is spoken here",
                       talk->origin);
        break;
    case CURLE_WEIRD_SERVER_REPLY:
        oc_outcome_set(out, OC_DELIVERY_LATER, "%s gave an answer that makes no sense",
                       talk->origin);
        break;
    case CURLE_URL_MALFORMAT:
        oc_outcome_set(out, OC_DELIVERY_SLOW, "the url is none that can be used");
        break;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        oc_outcome_set(out, OC_DELIVERY_LATER, "%s broke the connection before it answered",
                       talk->origin);
        break;
    case CURLE_OUT_OF_MEMORY:
        oc_outcome_set(out, OC_DELIVERY_LATER, "out of memory");
        break;
    default:
        oc_outcome_set(out, OC_DELIVERY_LATER, "%s: %s", talk->origin,
                       curl_easy_strerror(talk->code));
        break;
    }
}

/* ---- HTTP ---- */

static void refused(const struct oc_talk *talk, struct oc_outcome *out)
{
    char text[SAID_BYTES];

    said(talk, text);
    oc_outcome_set(out, OC_DELIVERY_NEVER, "%s refused it (%d)%s", talk->origin, (int)talk->status,
                   text);
}

static void moved(const struct oc_talk *talk, struct oc_outcome *out)
{
    oc_outcome_set(out, OC_DELIVERY_SLOW,
                   "%s moved it%s%s (%d): redirects are not followed, mend the url", talk->origin,
                   talk->moved_to[0] ? " to " : "", talk->moved_to, (int)talk->status);
}

void oc_outcome_http(const struct oc_talk *talk, struct oc_outcome *out)
{
    int status = talk->status;

    out->status = status;
    if (status >= 200 && status < 300)
        oc_outcome_set(out, OC_DELIVERY_SENT, "%s", "");
    else if (status < 200)
        no_answer(talk, out);
    else if (status < 400)
        moved(talk, out);
    else if (status == 401)
        oc_outcome_set(out, OC_DELIVERY_SLOW, "%s did not take the credentials (401)",
                       talk->origin);
    else if (status == 403)
        oc_outcome_set(out, OC_DELIVERY_SLOW, "%s forbids it (403)", talk->origin);
    else if (status == 404)
        oc_outcome_set(out, OC_DELIVERY_SLOW, "%s has nothing at that address (404)", talk->origin);
    else if (status == 407)
        oc_outcome_set(out, OC_DELIVERY_SLOW, "the proxy wants a login (407)");
    else if (status == 408 || status == 425 || status == 429)
        oc_outcome_set(out, OC_DELIVERY_LATER, "%s asks to come again later (%d)", talk->origin,
                       status);
    else if (status < 500)
        refused(talk, out);
    else
        oc_outcome_set(out, OC_DELIVERY_LATER, "%s failed (%d)", talk->origin, status);
}

/* ---- SMTP ---- */

static int wants_login(int status)
{
    return status == 530 || status == 534 || status == 535 || status == 538;
}

void oc_outcome_smtp(const struct oc_talk *talk, struct oc_outcome *out)
{
    int status = talk->status;

    out->status = status;
    if (talk->code == CURLE_OK)
        oc_outcome_set(out, OC_DELIVERY_SENT, "%s", "");
    else if (wants_login(status))
        oc_outcome_set(out, OC_DELIVERY_SLOW, "%s did not take user and password (%d)",
                       talk->origin, status);
    else if (talk->code == CURLE_USE_SSL_FAILED || talk->code == CURLE_PEER_FAILED_VERIFICATION)
        no_answer(talk, out);
    else if (status >= 500 && status < 600)
        oc_outcome_set(out, OC_DELIVERY_NEVER, "%s refused the mail (%d)", talk->origin, status);
    else if (status >= 400 && status < 500)
        oc_outcome_set(out, OC_DELIVERY_LATER, "%s asks to come again later (%d)", talk->origin,
                       status);
    else
        no_answer(talk, out);
}
