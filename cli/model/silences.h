/* Silences as a person writes and reads them. */
#ifndef OC_CLI_MODEL_SILENCES_H
#define OC_CLI_MODEL_SILENCES_H

#include "base/alert.h"
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Adds a matcher: "NAME=GLOB", "NAME!=GLOB", or a word without a name in front, which is a subject ("unit:shop.service",
 * "nginx"). NAME is subject, alertname, severity or a label. 0, OC_E_INVAL, OC_E_TOOBIG; *detail says what.
 */
int oc_silence_add_matcher(struct oc_silence *silence, const char *word, struct oc_detail *detail);

/* "subject=unit:shop.service severity!=critical", as it was written. */
void oc_silence_matchers_text(const struct oc_silence *silence, struct oc_buf *out);

/* The request that has the daemon take it in, for so long from now on: one line of JSON. */
void oc_silence_request(const struct oc_silence *silence, int64_t for_ms, struct oc_buf *out);

/* Whether it is in force at a time. */
int oc_silence_is_active(const struct oc_silence *silence, int64_t now_unix_ms);

#endif
