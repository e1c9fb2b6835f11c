/* Inside explain/ alone: JSON piece by piece. Empty texts, unknown numbers and times are left out. */
#ifndef OC_EXPLAIN_JSON_H
#define OC_EXPLAIN_JSON_H

#include "base/buf.h"
#include "base/forecast.h"

#include <stdint.h>

struct oc_explain_json {
    struct oc_buf *out; /* borrowed */
    int has_before;     /* a value stands before in this object or array */
};

void oc_explain_json_open(struct oc_explain_json *json, char bracket);
void oc_explain_json_close(struct oc_explain_json *json, char bracket);
void oc_explain_json_item(struct oc_explain_json *json); /* a value follows that has no key */
void oc_explain_json_key(struct oc_explain_json *json, const char *key);
void oc_explain_json_text(struct oc_explain_json *json, const char *key, const char *value);
void oc_explain_json_integer(struct oc_explain_json *json, const char *key, int64_t value);
void oc_explain_json_number(struct oc_explain_json *json, const char *key, double value);
void oc_explain_json_flag(struct oc_explain_json *json, const char *key, int value);
void oc_explain_json_time(struct oc_explain_json *json, const char *key, int64_t unix_ms);
void oc_explain_json_forecast(struct oc_explain_json *json, const char *key,
                              const struct oc_forecast_row *row);

#endif
