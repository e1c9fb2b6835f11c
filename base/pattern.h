/*
 * Regular expressions (POSIX extended, by TRE) in linear time, whatever the pattern and the text:
 * what would not be linear (back-references), or would need much memory (large or nested counted
 * repeats), is refused when it is compiled. UTF-8 bytes are matched as bytes.
 */
#ifndef OC_BASE_PATTERN_H
#define OC_BASE_PATTERN_H

#include "base/err.h"

#include <stddef.h>

typedef struct oc_pattern oc_pattern;

#define OC_PATTERN_MAX_BYTES 1024
#define OC_PATTERN_GROUPS 10 /* the whole match, and \1 … \9 of a template */

/*
 * Compiles. 0, OC_E_PARSE (*detail says what is wrong and where in the pattern), OC_E_TOOBIG
 * (too long, or repeats that multiply), OC_E_NOTSUP (a back-reference), OC_E_NOMEM.
 */
int oc_pattern_new(const char *text, oc_pattern **out_pattern, struct oc_detail *detail);
void oc_pattern_free(oc_pattern *pattern);

struct oc_span {
    size_t begin, end; /* bytes of the text; begin > end: the group took no part */
};
/*
 * Whether it matches anywhere in the text (anchors as written). out_groups (NULL: not wanted) has
 * OC_PATTERN_GROUPS entries. 1, 0, or OC_E_NOMEM. Linear in the text times the pattern. Thread-safe
 * on one pattern.
 */
int oc_pattern_match(const oc_pattern *pattern, const char *text, size_t len_bytes,
                     struct oc_span *out_groups);

#endif
