/* What is sent by SMTP. */
#include "notify/web.h"

#include "base/os.h"
#include "base/text.h"
#include "notify/mail_text.h"

#include <string.h>

/* "Ops <ops@example.com>" is ops@example.com to the server. */
static void address_of(const char *text, char *out, size_t out_bytes)
{
    const char *open = strrchr(text, '<');
    const char *close = open ? strchr(open, '>') : NULL;

    if (close)
        oc_text_copy_utf8(out, out_bytes, open + 1, (size_t)(close - open - 1));
    else
        (void)oc_text_copy(out, out_bytes, text);
}

static size_t give_mail(char *bytes, size_t size, size_t count, void *context)
{
    struct oc_transfer *transfer = context;
    size_t left = transfer->mail.len_bytes - transfer->mail_at;
    size_t now = size * count < left ? size * count : left;

    if (now > 0)
        memcpy(bytes, transfer->mail.data + transfer->mail_at, now);
    transfer->mail_at += now;
    return now;
}

/* libcurl begins anew where a kept connection turns out to be dead. */
static int rewind_mail(void *context, curl_off_t offset, int origin)
{
    struct oc_transfer *transfer = context;

    if (origin != SEEK_SET || offset < 0 || (size_t)offset > transfer->mail.len_bytes)
        return CURL_SEEKFUNC_FAIL;
    transfer->mail_at = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static int set_people(struct oc_transfer *transfer)
{
    const struct oc_receiver *settings = &transfer->attempt->target->settings;
    CURL *easy = transfer->easy;
    char address[sizeof(settings->from) + 2];
    int rc = OC_OK;

    address_of(settings->from, address, sizeof(address));
    if (strpbrk(address, "\r\n") || curl_easy_setopt(easy, CURLOPT_MAIL_FROM, address) != CURLE_OK)
        return OC_E_INVAL;
    for (size_t i = 0; i < settings->to.count && rc == OC_OK; i++) {
        address_of(settings->to.items[i], address, sizeof(address));
        rc = oc_web_line(transfer, "", address);
    }
    if (rc == OC_OK)
        (void)curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, transfer->lines);
    return rc;
}

static void set_login(struct oc_transfer *transfer)
{
    const struct oc_receiver *settings = &transfer->attempt->target->settings;

    if (!settings->user[0])
        return;
    (void)curl_easy_setopt(transfer->easy, CURLOPT_USERNAME, settings->user);
    (void)curl_easy_setopt(transfer->easy, CURLOPT_PASSWORD,
                           settings->secret ? settings->secret : "");
}

int oc_web_mail(struct oc_transfer *transfer, struct oc_outcome *out)
{
    const struct oc_receiver *settings = &transfer->attempt->target->settings;
    CURL *easy = transfer->easy;
    int rc = OC_OK;

    if (settings->urls.count == 0 || settings->to.count == 0) {
        oc_outcome_set(out, OC_DELIVERY_SLOW, "the receiver has no server, or nobody to write to");
        return OC_E_INVAL;
    }
    oc_origin(settings->urls.items[0], transfer->origin);
    oc_mail_write(settings, &transfer->attempt->delivery, oc_clock_unix_ms(), &transfer->mail);
    if (transfer->mail.err < 0)
        return transfer->mail.err;
    if (curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps") != CURLE_OK)
        return OC_E_NOTSUP; /* an old libcurl */
    (void)curl_easy_setopt(easy, CURLOPT_URL, settings->urls.items[0]);
    /* A kept connection that began in clear is taken without a look at what certificates this receiver trusts. */
    (void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_USE_SSL,
                           (long)(settings->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    /* One address that is refused must not keep the others from being told. */
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_mail);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_mail);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->mail.len_bytes);
    set_login(transfer);
    rc = set_people(transfer);
    if (rc == OC_E_INVAL)
        oc_outcome_set(out, OC_DELIVERY_SLOW, "an address of the receiver cannot be used");
    return rc;
}
