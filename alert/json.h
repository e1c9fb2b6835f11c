/*
 * Strict JSON for lines of the pipe and bodies of the outbox. cJSON builds the values, but lets much pass that is no
 * JSON and cannot say whether it had no memory: a check of ours runs first. Pure.
 */
#ifndef OC_ALERT_JSON_H
#define OC_ALERT_JSON_H

#include "base/err.h"

#include <cjson/cJSON.h>
#include <stddef.h>

#define OC_JSON_DEPTH_MAX 8

/*
 * Parses one object, and nothing after it. 0, OC_E_PARSE (no object, bad UTF-8, control characters, a NUL written as \u0000,
 * half a surrogate pair), OC_E_TOOBIG (deeper than OC_JSON_DEPTH_MAX) or OC_E_NOMEM. *detail says where (column: the byte, from 1)
 * and never quotes the text, which may hold secrets. The tree is yours: oc_json_free().
 */
int oc_json_parse(const char *text, size_t len_bytes, cJSON **out_root, struct oc_detail *detail);

/* Deletes a tree; its strings are overwritten first. NULL is allowed. */
void oc_json_free(cJSON *root);

#endif
