#include "cli/show/json.h"

#include "cli/show/timespec.h"

#include <assert.h>
#include <float.h>
#include <inttypes.h>
#include <string.h>

void oc_json_init(struct oc_json *json, struct oc_buf *out)
{
    memset(json, 0, sizeof(*json));
    json->out = out;
}

/* The comma before a value, where it is not the first and no key stands before it. */
static void before_value(struct oc_json *json)
{
    if (!json->after_key && json->begun[json->depth])
        oc_buf_putc(json->out, ',');
    json->begun[json->depth] = 1;
    json->after_key = 0;
}

static void open_nest(struct oc_json *json, char bracket)
{
    before_value(json);
    oc_buf_putc(json->out, bracket);
    assert(json->depth + 1 < OC_JSON_MAX_DEPTH);
    json->begun[++json->depth] = 0;
}

static void close_nest(struct oc_json *json, char bracket)
{
    assert(json->depth > 0);
    json->depth--;
    oc_buf_putc(json->out, bracket);
}

void oc_json_object(struct oc_json *json) { open_nest(json, '{'); }

void oc_json_object_end(struct oc_json *json) { close_nest(json, '}'); }

void oc_json_array(struct oc_json *json) { open_nest(json, '['); }

void oc_json_array_end(struct oc_json *json) { close_nest(json, ']'); }

void oc_json_key(struct oc_json *json, const char *key)
{
    before_value(json);
    oc_buf_json_string(json->out, key);
    oc_buf_putc(json->out, ':');
    json->after_key = 1;
}

void oc_json_str(struct oc_json *json, const char *value)
{
    before_value(json);
    if (value)
        oc_buf_json_string(json->out, value);
    else
        oc_buf_puts(json->out, "null");
}

void oc_json_i64(struct oc_json *json, int64_t value)
{
    before_value(json);
    oc_buf_printf(json->out, "%" PRId64, value);
}

void oc_json_u64(struct oc_json *json, uint64_t value)
{
    before_value(json);
    oc_buf_printf(json->out, "%" PRIu64, value);
}

void oc_json_dbl(struct oc_json *json, double value)
{
    before_value(json);
    if (value >= -DBL_MAX && value <= DBL_MAX) /* NaN is neither; isfinite() warns on mingw */
        oc_buf_printf(json->out, "%.15g", value);
    else
        oc_buf_puts(json->out, "null");
}

void oc_json_bool(struct oc_json *json, int value)
{
    before_value(json);
    oc_buf_puts(json->out, value ? "true" : "false");
}

void oc_json_put_str(struct oc_json *json, const char *key, const char *value)
{
    oc_json_key(json, key);
    oc_json_str(json, value);
}

void oc_json_put_i64(struct oc_json *json, const char *key, int64_t value)
{
    oc_json_key(json, key);
    oc_json_i64(json, value);
}

void oc_json_put_u64(struct oc_json *json, const char *key, uint64_t value)
{
    oc_json_key(json, key);
    oc_json_u64(json, value);
}

void oc_json_put_dbl(struct oc_json *json, const char *key, double value)
{
    oc_json_key(json, key);
    oc_json_dbl(json, value);
}

void oc_json_put_bool(struct oc_json *json, const char *key, int value)
{
    oc_json_key(json, key);
    oc_json_bool(json, value);
}

void oc_json_put_time(struct oc_json *json, const char *key, int64_t unix_ms)
{
    char text[48];

    if (unix_ms == 0 || unix_ms == INT64_MAX)
        return;
    oc_json_put_str(json, key, oc_timespec_format(unix_ms, text, sizeof(text)));
}
