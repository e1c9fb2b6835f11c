/* Signatures of webhooks as https://www.standardwebhooks.com says them. Pure. */
#ifndef OC_NOTIFY_SIGN_H
#define OC_NOTIFY_SIGN_H

#include "base/buf.h"
#include "base/rule.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Appends "v1,BASE64" of each secret, blanks between: HMAC-SHA256 over "id.timestamp.body". A secret that begins with
 * "whsec_" is the base64 behind it, another its bytes as they are. 0, OC_E_PARSE (no base64 behind whsec_), OC_E_NOMEM.
 */
int oc_sign(const struct oc_strings *secrets, const char *id, int64_t timestamp_s, const char *body,
            size_t body_bytes, struct oc_buf *out);

#endif
