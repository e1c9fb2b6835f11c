/* Figures as people read them. */
#ifndef OC_CLI_SHOW_VALUE_H
#define OC_CLI_SHOW_VALUE_H

#include "base/buf.h"
#include "base/metric.h"

#include <stddef.h>
#include <stdint.h>

/* "64.0 MiB", "  512   B" ends as wide: units of a right-aligned column stand one below the other.
 * out_bytes ≥ 24. Returned. */
const char *oc_value_bytes(int64_t bytes, char *out, size_t out_bytes);

/* By unit: bytes as above without padding, counts plain, times as durations ("12.3 s"). out_bytes
 * ≥ 32. Returned. */
const char *oc_value_text(int64_t value, enum oc_unit unit, char *out, size_t out_bytes);

/* The same with a sign: "+1.2 MiB", "0", "-3". */
const char *oc_value_change(int64_t value, enum oc_unit unit, char *out, size_t out_bytes);

/* Appends text cut to exactly `columns` columns, the last of them "…" ("~" without utf8). text is
 * escaped UTF-8. */
void oc_value_cut(const char *text, size_t columns, int utf8, struct oc_buf *out);

/* Appends text that keeps its end where it is longer than `columns` (0: any length): "…/lib/x.so".
 * Never padded. text is escaped UTF-8. */
void oc_value_keep_end(const char *text, size_t columns, int utf8, struct oc_buf *out);

/* A span: "850 ms", "12.3 s", "4 m 05 s", "2 h 05 m", "3 d 4 h". */
const char *oc_value_span(int64_t ms, char *out, size_t out_bytes);

#endif
