/* What may be shown of addresses and answers, for secrets are in neither. Pure; fuzzed. */
#ifndef OC_NOTIFY_ORIGIN_H
#define OC_NOTIFY_ORIGIN_H

#include "base/rule.h"

#include <stddef.h>

#define OC_ORIGIN_BYTES 128

/* "https://hooks.example.com:8443" of a URL: no user, no path, no query, which may be secret. "?" of what is no URL; what
 * is not printable in it as '?'. Cut to fit. */
void oc_origin(const char *url, char out[OC_ORIGIN_BYTES]);

/* Overwrites in text what is secret of this receiver: password, token, signing secrets, what its URLs hold beyond their
 * origin. Never longer. A careless server may answer with what it was sent. */
void oc_scrub(const struct oc_receiver *receiver, char *text);

#endif
