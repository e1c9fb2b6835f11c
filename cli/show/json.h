/* JSON written piece by piece: commas, nesting and escapes are taken care of. */
#ifndef OC_CLI_SHOW_JSON_H
#define OC_CLI_SHOW_JSON_H

#include "base/buf.h"

#include <stdint.h>

#define OC_JSON_MAX_DEPTH 16

struct oc_json {
    struct oc_buf *out; /* borrowed */
    int depth;
    unsigned char begun[OC_JSON_MAX_DEPTH]; /* a value stands before in this object or array */
    int after_key;
};

void oc_json_init(struct oc_json *json, struct oc_buf *out);
void oc_json_object(struct oc_json *json);
void oc_json_object_end(struct oc_json *json);
void oc_json_array(struct oc_json *json);
void oc_json_array_end(struct oc_json *json);
void oc_json_key(struct oc_json *json, const char *key);

void oc_json_str(struct oc_json *json, const char *value); /* NULL: null */
void oc_json_i64(struct oc_json *json, int64_t value);
void oc_json_u64(struct oc_json *json, uint64_t value);
void oc_json_dbl(struct oc_json *json, double value); /* not finite: null */
void oc_json_bool(struct oc_json *json, int value);

/* Key and value in one. */
void oc_json_put_str(struct oc_json *json, const char *key, const char *value);
void oc_json_put_i64(struct oc_json *json, const char *key, int64_t value);
void oc_json_put_u64(struct oc_json *json, const char *key, uint64_t value);
void oc_json_put_dbl(struct oc_json *json, const char *key, double value);
void oc_json_put_bool(struct oc_json *json, const char *key, int value);
/* RFC 3339 in the local zone; left out where unix_ms is 0 or INT64_MAX. */
void oc_json_put_time(struct oc_json *json, const char *key, int64_t unix_ms);

#endif
