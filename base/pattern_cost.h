/* Reads a pattern before the regex library does: says what is wrong with it, and what it would cost. */
#ifndef OC_BASE_PATTERN_COST_H
#define OC_BASE_PATTERN_COST_H

#include "base/err.h"

#include <stddef.h>

/*
 * 0 where text (of len_bytes) is a pattern that is cheap enough to compile and to match: at most
 * some thousand steps for each byte of a text. OC_E_PARSE, OC_E_NOTSUP (a back-reference),
 * OC_E_TOOBIG (repeats that multiply) with *detail, its column the byte, from 1.
 * Linear in the pattern; nothing is allocated.
 */
int oc_pattern_check(const char *text, size_t len_bytes, struct oc_detail *detail);

#endif
