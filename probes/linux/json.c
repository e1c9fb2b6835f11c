#include "probes/linux/json.h"

#include <string.h>

void oc_lx_json_init(struct oc_lx_json *json, const char *text, size_t len_bytes)
{
    *json = (struct oc_lx_json){ .at = text, .end = text + len_bytes };
}

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void skip_blanks(struct oc_lx_json *json)
{
    while (json->at < json->end && is_blank(*json->at))
        json->at++;
}

/* From behind the opening quote; moves behind the closing one. */
static int take_string(struct oc_lx_json *json)
{
    json->text = json->at;
    for (; json->at < json->end && *json->at != '"'; json->at++) {
        if (*json->at == '\\' && ++json->at == json->end)
            return 0;
    }
    if (json->at == json->end)
        return 0;
    json->text_bytes = (size_t)(json->at - json->text);
    json->at++;
    skip_blanks(json);
    json->kind = OC_LX_JSON_STRING;
    if (json->at < json->end && *json->at == ':') {
        json->kind = OC_LX_JSON_KEY;
        json->at++;
    }
    return 1;
}

/* Its first byte is none of those that end it. */
static int take_other(struct oc_lx_json *json)
{
    static const char ends[] = { ',', ':', '"', '[', ']', '{', '}' };

    json->kind = OC_LX_JSON_OTHER;
    while (json->at < json->end && !is_blank(*json->at) && !memchr(ends, *json->at, sizeof ends))
        json->at++;
    return 1;
}

int oc_lx_json_next(struct oc_lx_json *json)
{
    skip_blanks(json);
    while (json->at < json->end && *json->at == ',') {
        json->at++;
        skip_blanks(json);
    }
    if (json->at == json->end || *json->at == ':')
        return 0;
    if (*json->at == '"') {
        json->at++;
        return take_string(json);
    }
    if (*json->at == '{' || *json->at == '[') {
        json->at++;
        json->depth++;
        json->kind = OC_LX_JSON_OPEN;
        return 1;
    }
    if (*json->at == '}' || *json->at == ']') {
        if (json->depth == 0)
            return 0;
        json->at++;
        json->depth--;
        json->kind = OC_LX_JSON_CLOSE;
        return 1;
    }
    return take_other(json);
}

int oc_lx_json_is(const struct oc_lx_json *json, enum oc_lx_json_kind kind, const char *text)
{
    size_t len_bytes = strlen(text);

    return json->kind == kind && json->text_bytes == len_bytes &&
           memcmp(json->text, text, len_bytes) == 0;
}
