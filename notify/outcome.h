/* What came of an attempt, in the words that oomcastd decides by and a person reads. Pure. */
#ifndef OC_NOTIFY_OUTCOME_H
#define OC_NOTIFY_OUTCOME_H

#include "alert/wire.h"

#include <curl/curl.h>
#include <stdint.h>

struct oc_outcome {
    enum oc_delivery_outcome outcome;
    int32_t status;         /* HTTP, SMTP or exit status; 0: none */
    int64_t retry_after_ms; /* 0: nothing was asked for */
    char why[OC_ALERT_WHY_BYTES];
};

/* Sets outcome and why; the rest is left. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void oc_outcome_set(struct oc_outcome *out, enum oc_delivery_outcome outcome, const char *format,
                    ...);

/* What is known of a talk that came to an end. Strings are borrowed. */
struct oc_talk {
    CURLcode code;
    int32_t status;       /* of the last answer; 0: none came */
    const char *origin;   /* oc_origin() of the address */
    const char *moved_to; /* of a redirect, its origin; "": none */
    const char *said;     /* the answer's beginning, secrets taken out; "" */
    const char *ca_file;  /* "": the system's */
    int os_error;         /* errno of a connection that failed; 0: unknown */
    long verify;          /* OpenSSL's verdict of the certificate; 0: it was in order */
    int is_connected;     /* a connection stood */
    int64_t timeout_ms;
};
/* 2xx is sent; 408, 425, 429, 5xx, no answer: later; 3xx, 401, 403, 404, 407, certificates: slow; other 4xx: never. */
void oc_outcome_http(const struct oc_talk *talk, struct oc_outcome *out);
/* 2xx is sent; 4yz, no answer: later; 530, 534, 535, 538, no TLS: slow; other 5yz: never. */
void oc_outcome_smtp(const struct oc_talk *talk, struct oc_outcome *out);

#endif
