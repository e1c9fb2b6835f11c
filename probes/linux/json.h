/*
 * The least reader of JSON that finds a name in a file of Docker's or Podman's. It checks no more
 * than it needs: what is no JSON yields nothing, or ends early. Pure.
 */
#ifndef OC_PROBES_LINUX_JSON_H
#define OC_PROBES_LINUX_JSON_H

#include <stddef.h>

enum oc_lx_json_kind {
    OC_LX_JSON_OPEN,  /* { or [ */
    OC_LX_JSON_CLOSE, /* } or ] */
    OC_LX_JSON_KEY,   /* a string before a colon */
    OC_LX_JSON_STRING,
    OC_LX_JSON_OTHER /* a number, true, false, null */
};

struct oc_lx_json {
    const char *at, *end;
    unsigned depth; /* of what was given last: 1 for what is directly in the outermost brackets */
    enum oc_lx_json_kind kind;
    const char *text; /* of a key or string, without its quotes, escapes as they stand; borrowed */
    size_t text_bytes;
};

void oc_lx_json_init(struct oc_lx_json *json, const char *text, size_t len_bytes);
/* The next token: 1, or 0 at the end, and where it is cut or odd. */
int oc_lx_json_next(struct oc_lx_json *json);
/* Whether the token is this key or string; one with escapes is none. */
int oc_lx_json_is(const struct oc_lx_json *json, enum oc_lx_json_kind kind, const char *text);

#endif
