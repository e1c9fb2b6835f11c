/* How long a server asks to wait: the Retry-After header, in seconds or as a date (RFC 9110 10.2.3). Pure; fuzzed. */
#ifndef OC_NOTIFY_RETRY_AFTER_H
#define OC_NOTIFY_RETRY_AFTER_H

#include <stddef.h>
#include <stdint.h>

#define OC_RETRY_AFTER_MAX_MS INT64_C(86400000) /* longer waits are cut to a day */

/* In ms from now_unix_ms; at least 1 s where it asks for something at all, at most a day. 0: it asks for nothing that
 * can be read, or for a time that is past. text need not end with NUL. */
int64_t oc_retry_after_ms(const char *text, size_t len_bytes, int64_t now_unix_ms);

/* "Sun, 06 Nov 1994 08:49:37 GMT", and the two old forms "Sunday, 06-Nov-94 08:49:37 GMT" (in the hundred years round
 * now) and "Sun Nov  6 08:49:37 1994". 0 or OC_E_PARSE. */
int oc_http_date(const char *text, size_t len_bytes, int64_t now_unix_ms, int64_t *out_unix_ms);

#endif
