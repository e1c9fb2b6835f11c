/* What the parts of the transport by libcurl share: one transfer, and who says what is sent. */
#ifndef OC_NOTIFY_WEB_H
#define OC_NOTIFY_WEB_H

#include "base/buf.h"
#include "notify/attempt.h"
#include "notify/origin.h"

#include <curl/curl.h>

struct oc_transfer {
    struct oc_web *web;
    struct oc_attempt *attempt;
    CURL *easy;
    struct curl_slist *lines; /* headers, or who a mail is to */
    char origin[OC_ORIGIN_BYTES], moved_to[OC_ORIGIN_BYTES];
    int64_t retry_after_ms;
    size_t header_bytes;
    struct oc_buf mail; /* SMTP: all of it */
    size_t mail_at;
    struct oc_transfer *next, **link; /* of those under way, or of those kept for reuse */
};

/* Fill in what is sent and where. 0; below it *out says why: OC_E_INVAL (settings that cannot be used), OC_E_NOMEM. */
int oc_web_http(struct oc_transfer *transfer, struct oc_outcome *out);
int oc_web_mail(struct oc_transfer *transfer, struct oc_outcome *out);

/* "name: value" for transfer->lines. 0, OC_E_NOMEM, OC_E_INVAL: it holds the end of a line. */
int oc_web_line(struct oc_transfer *transfer, const char *name, const char *value);

/* A header of an answer: what the notifier heeds of it. text need not end with NUL. */
void oc_web_header(struct oc_transfer *transfer, const char *text, size_t len_bytes,
                   int64_t now_unix_ms);

#endif
