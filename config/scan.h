/*
 * A strict scan of JSON with // comments, before cJSON builds the values. cJSON keeps no places,
 * lets duplicate keys, bad UTF-8 and trailing text pass and rounds large integers; this does not.
 */
#ifndef OC_CONFIG_SCAN_H
#define OC_CONFIG_SCAN_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define OC_SCAN_MAX_DEPTH 32
#define OC_SCAN_MAX_NODES 16384
#define OC_SCAN_MAX_KEYS                                                                           \
    1024 /* of one object: duplicates are found by comparing each with each   \
                               */
#define OC_SCAN_KEY_BYTES 64
#define OC_SCAN_NONE UINT32_MAX

/* One value and where it stands. */
struct oc_config_scan_node {
    uint32_t offset;             /* of the value's first byte */
    uint32_t key_offset;         /* of its key's quote; of the value where it has no key */
    uint32_t parent;             /* OC_SCAN_NONE at the root */
    uint32_t next_sibling;       /* OC_SCAN_NONE at the last */
    uint32_t first_child;        /* OC_SCAN_NONE where there is none */
    char key[OC_SCAN_KEY_BYTES]; /* decoded; "" in an array */
};

struct oc_config_scan {
    const char *name; /* what errors call the text; borrowed */
    char *text;       /* owned: the text with comments and a byte order mark as blanks */
    size_t len_bytes;
    struct oc_config_scan_node *nodes; /* owned; [0] is the root */
    size_t node_count, node_capacity;
};

/*
 * Scans text into *out_scan, which is then cleared by oc_config_scan_clear(). name is kept as it is.
 * Returns 0, OC_E_PARSE (detail has line and column), OC_E_TOOBIG (depth, nodes, keys of an
 * object) or OC_E_NOMEM; *out_scan is empty on failure.
 * Cost: linear in the text, but for objects with many keys.
 */
int oc_config_scan_text(const char *name, const char *text, size_t len_bytes,
                        struct oc_config_scan *out_scan, struct oc_detail *detail);
void oc_config_scan_clear(struct oc_config_scan *scan);

/* The node of a key of an object, or of item number index of an array; OC_SCAN_NONE where there is
 * none. */
uint32_t oc_config_scan_member(const struct oc_config_scan *scan, uint32_t node, const char *key);
uint32_t oc_config_scan_item(const struct oc_config_scan *scan, uint32_t node, size_t index);

/* Line and column (in characters, from 1) of a byte of a text. */
void oc_config_scan_place(const char *text, size_t len_bytes, size_t offset, uint32_t *out_line,
                          uint32_t *out_column);

/*
 * Fills *detail with the place of a byte and "NAME:LINE:COLUMN: " before the printf text.
 * detail may be NULL. Returns code.
 */
#if defined(__GNUC__)
__attribute__((format(printf, 5, 6)))
#endif
int oc_config_scan_fail(const struct oc_config_scan *scan, size_t offset, int code, struct oc_detail *detail,
                 const char *format, ...);

#endif
