#include "daemon/request.h"

#include "base/text.h"

#include <cjson/cJSON.h>

#include <string.h>

static const char *const commands[] = { /* in the order of enum oc_command */
                                        "status", "reload", "walk-now", "stop", NULL
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

static int parse_pid(const cJSON *value, struct oc_request *request, struct oc_detail *detail)
{
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= 1 && value->valuedouble <= UINT32_MAX))
        return oc_detail_set(detail, OC_E_INVAL, "\"pid\" wants a number from 1");
    request->pid = (uint32_t)value->valuedouble;
    return OC_OK;
}

static int parse_object(const cJSON *root, struct oc_request *request, struct oc_detail *detail)
{
    const cJSON *value = NULL;
    int rc = parse_command(cJSON_GetObjectItemCaseSensitive(root, "cmd"), request, detail);

    cJSON_ArrayForEach(value, root)
    {
        if (rc < 0)
            break;
        if (strcmp(value->string, "pid") == 0)
            rc = parse_pid(value, request, detail);
        else if (strcmp(value->string, "cmd") != 0)
            rc = oc_detail_set(detail, OC_E_NOTSUP, "no key '%.40s' in a request", value->string);
    }
    return rc;
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
    return request->command != OC_COMMAND_STATUS;
}

void oc_request_refuse(struct oc_buf *out_json, const char *word, const char *text)
{
    oc_buf_puts(out_json, "{\"ok\":false,\"error\":");
    oc_buf_json_string(out_json, word);
    oc_buf_puts(out_json, ",\"text\":");
    oc_buf_json_string(out_json, text);
    oc_buf_putc(out_json, '}');
}
