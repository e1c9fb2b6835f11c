/* A point in time as people write it: --since and --until. */
#ifndef OC_CLI_SHOW_TIMESPEC_H
#define OC_CLI_SHOW_TIMESPEC_H

#include <stddef.h>
#include <stdint.h>

/*
 * "6h" "2d" "1h30m" (that long ago), "now", "today", "yesterday" (their midnight), "14:30"
 * "14:30:05" (the last time it was so), "2026-11-23", "2026-11-23 14:30", RFC 3339
 * ("2026-11-23T14:30:00Z", "+01:00", fractions), "@1790000000" (Unix seconds). Local time where no
 * offset is given. Returns 0 or OC_E_PARSE.
 */
int oc_timespec_parse(const char *text, int64_t now_unix_ms, int64_t *out_unix_ms);

/* RFC 3339 with the local offset and ms only where they are not 0: "2026-11-23T14:30:00+01:00".
 * out_bytes ≥ 40. Returned. */
const char *oc_timespec_format(int64_t unix_ms, char *out, size_t out_bytes);

/* For tables: "14:30:05" if it is today's, else "11-23 14:30", with the year where it is another.
 * out_bytes ≥ 24. Returned. */
const char *oc_timespec_short(int64_t unix_ms, int64_t now_unix_ms, char *out, size_t out_bytes);

#endif
