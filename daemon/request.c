#include "daemon/request.h"

#include "base/text.h"

#include <cjson/cJSON.h>

#include <ctype.h>
#include <string.h>

#define MAX_EXACT 9007199254740992.0 /* 2^53: whole numbers up to here are exact in JSON */
#define MAX_SILENCE_MS (INT64_C(366) * 86400000)

static const char *const commands[] = {
    /* in the order of enum oc_command */
    "status",  "reload",    "walk-now", "stop", "alerts", "silences",
    "silence", "unsilence", "ack",      "test", "retry",  NULL
};

static int parse_command(const cJSON *value, struct oc_request *request, struct oc_detail *detail)
{
    const char *nearest = NULL;

    if (!cJSON_IsString(value))
        return oc_detail_set(detail, OC_E_PARSE, "a request is {\"cmd\":\"status\"}");
    for (int i = 0; commands[i]; i++) {
        if (strcmp(commands[i], value->valuestring) == 0) {
            request->command = (enum oc_command)i;
            return OC_OK;
        }
    }
    nearest = oc_text_nearest(value->valuestring, commands);
    return oc_detail_set(detail, OC_E_NOTSUP, "no command '%.40s'%s%s", value->valuestring,
                         nearest ? "; did you mean " : "", nearest ? nearest : "");
}

/* ---- values ---- */

static int parse_pid(const cJSON *value, struct oc_request *request, struct oc_detail *detail)
{
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= 1 && value->valuedouble <= UINT32_MAX))
        return oc_detail_set(detail, OC_E_INVAL, "\"pid\" wants a number from 1");
    request->pid = (uint32_t)value->valuedouble;
    return OC_OK;
}

static int parse_id(const cJSON *value, struct oc_request *request, struct oc_detail *detail)
{
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= 1 && value->valuedouble <= MAX_EXACT))
        return oc_detail_set(detail, OC_E_INVAL, "\"id\" wants a number from 1");
    request->id = (uint64_t)value->valuedouble;
    return OC_OK;
}

static int parse_time(const cJSON *value, int64_t *out_unix_ms, struct oc_detail *detail)
{
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= 1 && value->valuedouble <= MAX_EXACT))
        return oc_detail_set(detail, OC_E_INVAL, "\"%s\" wants unix milliseconds", value->string);
    *out_unix_ms = (int64_t)value->valuedouble;
    return OC_OK;
}

static int parse_begin(const cJSON *value, struct oc_request *request, struct oc_detail *detail)
{
    return parse_time(value, &request->silence.begin_unix_ms, detail);
}

static int parse_end(const cJSON *value, struct oc_request *request, struct oc_detail *detail)
{
    return parse_time(value, &request->silence.end_unix_ms, detail);
}

static int parse_for(const cJSON *value, struct oc_request *request, struct oc_detail *detail)
{
    if (!cJSON_IsString(value) || oc_text_duration_ms(value->valuestring, &request->for_ms) < 0 ||
        request->for_ms <= 0 || request->for_ms > MAX_SILENCE_MS)
        return oc_detail_set(detail, OC_E_INVAL,
                             "\"for\" wants a duration as \"2h\", of a year at most");
    return OC_OK;
}

static int parse_fingerprint(const cJSON *value, struct oc_request *request,
                             struct oc_detail *detail)
{
    const char *text = cJSON_IsString(value) ? value->valuestring : "";
    uint64_t number = 0;
    size_t len = strspn(text, "0123456789abcdefABCDEF");

    if (len == 0 || len > 16 || text[len] != '\0')
        return oc_detail_set(detail, OC_E_INVAL, "\"fingerprint\" wants up to 16 hex digits");
    for (; *text; text++) {
        unsigned c = (unsigned char)*text;

        number = number << 4 | (c <= '9' ? c - '0' : (c | 0x20u) - 'a' + 10);
    }
    request->fingerprint = number;
    return OC_OK;
}

static int parse_text(const cJSON *value, char *out, size_t out_bytes, struct oc_detail *detail)
{
    if (!cJSON_IsString(value))
        return oc_detail_set(detail, OC_E_INVAL, "\"%s\" wants a text", value->string);
    if (oc_text_copy(out, out_bytes, value->valuestring) < 0)
        return oc_detail_set(detail, OC_E_TOOBIG, "\"%s\" is longer than %u bytes", value->string,
                             (unsigned)out_bytes - 1);
    return OC_OK;
}

static int parse_subject(const cJSON *value, struct oc_request *request, struct oc_detail *detail)
{
    return parse_text(value, request->subject, sizeof(request->subject), detail);
}

static int parse_receiver(const cJSON *value, struct oc_request *request, struct oc_detail *detail)
{
    return parse_text(value, request->receiver, sizeof(request->receiver), detail);
}

static int parse_author(const cJSON *value, struct oc_request *request, struct oc_detail *detail)
{
    return parse_text(value, request->silence.author, sizeof(request->silence.author), detail);
}

static int parse_comment(const cJSON *value, struct oc_request *request, struct oc_detail *detail)
{
    return parse_text(value, request->silence.comment, sizeof(request->silence.comment), detail);
}

/* ---- matchers ---- */

static size_t name_length(const char *text)
{
    size_t len = 0;

    while (isalnum((unsigned char)text[len]) || text[len] == '_')
        len++;
    return len;
}

/* "NAME=GLOB", "NAME!=GLOB". */
static int parse_matcher(const char *text, struct oc_silence_matcher *out, struct oc_detail *detail)
{
    size_t len = name_length(text);
    const char *glob = text + len;

    out->is_negative = *glob == '!';
    glob += out->is_negative;
    if (len == 0 || len >= sizeof(out->name) || *glob != '=' || glob[1] == '\0')
        return oc_detail_set(
            detail, OC_E_INVAL,
            "'%.60s' is no matcher: they are as subject=unit:shop* or severity!=critical", text);
    memcpy(out->name, text, len);
    out->name[len] = '\0';
    if (oc_text_copy(out->glob, sizeof(out->glob), glob + 1) < 0)
        return oc_detail_set(detail, OC_E_TOOBIG, "the glob of %s is longer than %u bytes",
                             out->name, (unsigned)sizeof(out->glob) - 1);
    return OC_OK;
}

static int parse_match(const cJSON *value, struct oc_request *request, struct oc_detail *detail)
{
    struct oc_silence *silence = &request->silence;
    const cJSON *item = NULL;
    int rc = OC_OK;

    if (!cJSON_IsArray(value))
        return oc_detail_set(detail, OC_E_INVAL, "\"match\" wants [\"subject=unit:shop*\", …]");
    silence->matcher_count = 0;
    cJSON_ArrayForEach(item, value)
    {
        if (!cJSON_IsString(item))
            rc = oc_detail_set(detail, OC_E_INVAL, "a matcher is a text: \"subject=unit:shop*\"");
        else if (silence->matcher_count == OC_SILENCE_MATCHERS_MAX)
            rc = oc_detail_set(detail, OC_E_TOOBIG, "a silence has at most %d matchers",
                               OC_SILENCE_MATCHERS_MAX);
        else
            rc = parse_matcher(item->valuestring, &silence->matchers[silence->matcher_count++],
                               detail);
        if (rc < 0)
            break;
    }
    return rc;
}

/* ---- keys ---- */

#define FOR(command) (1u << (command))

static const struct key {
    const char *name;
    unsigned commands; /* bits: those that take it */
    int (*parse)(const cJSON *value, struct oc_request *request, struct oc_detail *detail);
} keys[] = {
    { "pid", ~0u, parse_pid }, /* any took it from the first day */
    { "id", FOR(OC_COMMAND_UNSILENCE), parse_id },
    { "fingerprint", FOR(OC_COMMAND_ACK), parse_fingerprint },
    { "subject", FOR(OC_COMMAND_ACK), parse_subject },
    { "receiver", FOR(OC_COMMAND_TEST) | FOR(OC_COMMAND_RETRY), parse_receiver },
    { "match", FOR(OC_COMMAND_SILENCE), parse_match },
    { "for", FOR(OC_COMMAND_SILENCE), parse_for },
    { "begin_unix_ms", FOR(OC_COMMAND_SILENCE), parse_begin },
    { "end_unix_ms", FOR(OC_COMMAND_SILENCE), parse_end },
    { "author", FOR(OC_COMMAND_SILENCE), parse_author },
    { "comment", FOR(OC_COMMAND_SILENCE), parse_comment },
};

static int parse_key(const cJSON *value, struct oc_request *request, struct oc_detail *detail)
{
    if (strcmp(value->string, "cmd") == 0)
        return OC_OK;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(value->string, keys[i].name) == 0 &&
            keys[i].commands >> (unsigned)request->command & 1)
            return keys[i].parse(value, request, detail);
    }
    return oc_detail_set(detail, OC_E_NOTSUP, "no key '%.40s' in this request", value->string);
}

/* What a command cannot do without. */
static int check(const struct oc_request *request, struct oc_detail *detail)
{
    const struct oc_silence *silence = &request->silence;

    switch (request->command) {
    case OC_COMMAND_SILENCE:
        if (silence->matcher_count == 0)
            return oc_detail_set(detail, OC_E_INVAL, "a silence wants \"match\"");
        if ((request->for_ms > 0) == (silence->end_unix_ms > 0))
            return oc_detail_set(detail, OC_E_INVAL,
                                 "a silence wants \"for\" or \"end_unix_ms\", and not both");
        return OC_OK;
    case OC_COMMAND_UNSILENCE:
        return request->id ? OC_OK : oc_detail_set(detail, OC_E_INVAL, "which silence? \"id\"");
    case OC_COMMAND_TEST:
        return request->receiver[0]
                   ? OC_OK
                   : oc_detail_set(detail, OC_E_INVAL, "which receiver? \"receiver\"");
    default:
        return OC_OK;
    }
}

static int parse_object(const cJSON *root, struct oc_request *request, struct oc_detail *detail)
{
    const cJSON *value = NULL;
    int rc = parse_command(cJSON_GetObjectItemCaseSensitive(root, "cmd"), request, detail);

    cJSON_ArrayForEach(value, root)
    {
        if (rc < 0)
            break;
        rc = parse_key(value, request, detail);
    }
    return rc < 0 ? rc : check(request, detail);
}

int oc_request_parse(const char *line, size_t len_bytes, struct oc_request *out_request,
                     struct oc_detail *detail)
{
    struct oc_request request = { 0 };
    const char *end = NULL;
    cJSON *root = NULL;
    int rc = OC_OK;

    if (!oc_text_is_utf8(line, len_bytes, NULL))
        return oc_detail_set(detail, OC_E_PARSE, "the request is not UTF-8");
    root = cJSON_ParseWithLengthOpts(line, len_bytes, &end, 0);
    while (end && end < line + len_bytes && strchr(" \t\r\n", *end) && *end)
        end++;
    if (!cJSON_IsObject(root) || end != line + len_bytes)
        rc = oc_detail_set(detail, OC_E_PARSE, "a request is one JSON object on one line");
    else
        rc = parse_object(root, &request, detail);
    cJSON_Delete(root);
    if (rc == OC_OK)
        *out_request = request;
    return rc;
}

int oc_request_changes(const struct oc_request *request)
{
    return request->command != OC_COMMAND_STATUS && request->command != OC_COMMAND_ALERTS &&
           request->command != OC_COMMAND_SILENCES;
}

void oc_request_refuse(struct oc_buf *out_json, const char *word, const char *text)
{
    oc_buf_puts(out_json, "{\"ok\":false,\"error\":");
    oc_buf_json_string(out_json, word);
    oc_buf_puts(out_json, ",\"text\":");
    oc_buf_json_string(out_json, text);
    oc_buf_putc(out_json, '}');
}
