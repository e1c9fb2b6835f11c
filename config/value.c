#include "config/section.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_VALUE_FILE_BYTES 4096

/* ---- what is wrong ---- */

static const char *kind_of(const cJSON *value)
{
    if (cJSON_IsString(value))
        return "a string";
    if (cJSON_IsNumber(value))
        return "a number";
    if (cJSON_IsBool(value))
        return "true or false";
    if (cJSON_IsArray(value))
        return "an array";
    return cJSON_IsObject(value) ? "an object" : "null";
}

int oc_config_value_fail(struct oc_loader *l, uint32_t node, int code, const char *text)
{
    size_t offset = node == OC_SCAN_NONE ? 0 : l->scan.nodes[node].offset;

    return oc_config_scan_fail(&l->scan, offset, code, l->detail, "%s", text);
}

int oc_config_value_fail_type(struct oc_loader *l, uint32_t node, const char *key,
                              const char *wanted, const cJSON *value)
{
    char text[240];

    (void)snprintf(text, sizeof(text), "\"%s\" wants %s, not %s", key, wanted, kind_of(value));
    return oc_config_value_fail(l, node, OC_E_INVAL, text);
}

int oc_config_value_fail_text(struct oc_loader *l, uint32_t node, const char *key,
                              const char *wanted, const char *got)
{
    const char *path = oc_config_secret(l->config, got);
    char text[400];

    if (path)
        (void)snprintf(text, sizeof(text), "\"%s\" wants %s, not what %.100s says", key, wanted,
                       path);
    else
        (void)snprintf(text, sizeof(text), "\"%s\" wants %s, not \"%.100s\"", key, wanted, got);
    return oc_config_value_fail(l, node, OC_E_INVAL, text);
}

int oc_config_value_fail_unknown(struct oc_loader *l, uint32_t node, const char *of,
                                 const char *key, const char *const *known)
{
    const char *nearest = oc_text_nearest(key, known);
    size_t offset = l->scan.nodes[node].key_offset;
    const char *path = oc_config_secret(l->config, key);

    if (path)
        return oc_config_scan_fail(&l->scan, offset, OC_E_INVAL, l->detail,
                                   "no %s is called what %.100s says", of, path);
    if (nearest)
        return oc_config_scan_fail(&l->scan, offset, OC_E_INVAL, l->detail,
                                   "no %s is called \"%.63s\"; did you mean \"%s\"?", of, key,
                                   nearest);
    return oc_config_scan_fail(&l->scan, offset, OC_E_INVAL, l->detail,
                               "no %s is called \"%.63s\"; 'man oomcast.json' has them all", of,
                               key);
}

int oc_config_value_nomem(struct oc_loader *l)
{
    return oc_detail_set(l->detail, OC_E_NOMEM, "%.200s: out of memory", l->scan.name);
}

uint32_t oc_config_value_line(const struct oc_loader *l, uint32_t node)
{
    uint32_t line = 0, column = 0;

    oc_config_scan_place(l->scan.text, l->scan.len_bytes,
                         node == OC_SCAN_NONE ? 0 : l->scan.nodes[node].offset, &line, &column);
    return line;
}

/* ---- as people write them ---- */

void oc_config_value_write_duration(int64_t ms, char *out, size_t out_bytes)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = { { INT64_C(365) * 86400000, "y" },
                  { 86400000, "d" },
                  { 3600000, "h" },
                  { 60000, "m" },
                  { 1000, "s" },
                  { 1, "ms" } };
    size_t i = 0;

    while (units[i].ms > 1 && (ms == 0 || ms % units[i].ms != 0))
        i++;
    (void)snprintf(out, out_bytes, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
}

void oc_config_value_write_size(uint64_t bytes, char *out, size_t out_bytes)
{
    static const char *const units[] = { "", "KiB", "MiB", "GiB", "TiB" };
    size_t i = 0;

    while (i + 1 < sizeof(units) / sizeof(units[0]) && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        i++;
    }
    (void)snprintf(out, out_bytes, "%" PRIu64 "%s", bytes, units[i]);
}

int oc_config_value_parse_percent(const char *text, int64_t *out_percent)
{
    char digits[8];
    size_t len = strlen(text);
    uint64_t percent = 0;

    if (len < 2 || len > sizeof(digits) || text[len - 1] != '%')
        return OC_E_PARSE;
    memcpy(digits, text, len - 1);
    digits[len - 1] = '\0';
    if (oc_text_u64(digits, &percent) < 0)
        return OC_E_PARSE;
    *out_percent = (int64_t)percent;
    return OC_OK;
}

/* ---- values ---- */

int oc_config_value_duration(struct oc_loader *l, const struct oc_option *option, const char *key,
                             uint32_t node, const cJSON *value, int64_t *out_ms)
{
    const char *wanted = "a duration such as \"10s\"";
    char low[32], high[32], range[96];
    int64_t ms = 0;

    if (!cJSON_IsString(value))
        return oc_config_value_fail_type(l, node, key, wanted, value);
    if (oc_text_duration_ms(value->valuestring, &ms) < 0)
        return oc_config_value_fail_text(l, node, key, wanted, value->valuestring);
    if (ms < option->min || ms > option->max) {
        oc_config_value_write_duration(option->min, low, sizeof(low));
        oc_config_value_write_duration(option->max, high, sizeof(high));
        (void)snprintf(range, sizeof(range), "a duration from %s to %s", low, high);
        return oc_config_value_fail_text(l, node, key, range, value->valuestring);
    }
    *out_ms = ms;
    return OC_OK;
}

int oc_config_value_size(struct oc_loader *l, const struct oc_option *option, const char *key,
                         uint32_t node, const cJSON *value, uint64_t *out_bytes)
{
    const char *wanted = "a size such as \"64MiB\"";
    char low[32], high[32], range[96];
    uint64_t bytes = 0;

    if (!cJSON_IsString(value))
        return oc_config_value_fail_type(l, node, key, wanted, value);
    if (oc_text_size_bytes(value->valuestring, &bytes) < 0)
        return oc_config_value_fail_text(l, node, key, wanted, value->valuestring);
    if (bytes < (uint64_t)option->min || bytes > (uint64_t)option->max) {
        (void)snprintf(range, sizeof(range), "a size from %s to %s",
                       oc_text_bytes(option->min, low, sizeof(low)),
                       oc_text_bytes(option->max, high, sizeof(high)));
        return oc_config_value_fail_text(l, node, key, range, value->valuestring);
    }
    *out_bytes = bytes;
    return OC_OK;
}

static int read_percent(struct oc_loader *l, const struct oc_option *option, uint32_t node,
                        const cJSON *value, int64_t *out_percent)
{
    char wanted[80];
    int64_t percent = 0;

    (void)snprintf(wanted, sizeof(wanted), "a share from \"%d%%\" to \"%d%%\"", (int)option->min,
                   (int)option->max);
    if (!cJSON_IsString(value))
        return oc_config_value_fail_type(l, node, option->key, wanted, value);
    if (oc_config_value_parse_percent(value->valuestring, &percent) < 0 || percent < option->min ||
        percent > option->max)
        return oc_config_value_fail_text(l, node, option->key, wanted, value->valuestring);
    *out_percent = percent;
    return OC_OK;
}

int oc_config_value_word(struct oc_loader *l, const char *key, const char *const *words,
                         uint32_t node, const cJSON *value, size_t *out_index)
{
    char wanted[120] = "one of";
    size_t used = strlen(wanted);

    for (size_t i = 0; words[i]; i++) {
        if (cJSON_IsString(value) && strcmp(words[i], value->valuestring) == 0) {
            *out_index = i;
            return OC_OK;
        }
        used += (size_t)snprintf(wanted + used, sizeof(wanted) - used, " \"%s\"", words[i]);
        assert(used < sizeof(wanted));
    }
    if (!cJSON_IsString(value))
        return oc_config_value_fail_type(l, node, key, wanted, value);
    return oc_config_value_fail_text(l, node, key, wanted, value->valuestring);
}

int oc_config_value_text(struct oc_loader *l, const char *key, size_t max_bytes, uint32_t node,
                         const cJSON *value, const char **out_text)
{
    char text[120];

    if (!cJSON_IsString(value))
        return oc_config_value_fail_type(l, node, key, "a string", value);
    if (value->valuestring[0] == '\0') {
        (void)snprintf(text, sizeof(text), "\"%.63s\" is empty", key);
        return oc_config_value_fail(l, node, OC_E_INVAL, text);
    }
    if (strlen(value->valuestring) > max_bytes) {
        (void)snprintf(text, sizeof(text), "\"%.63s\" has more than %zu bytes", key, max_bytes);
        return oc_config_value_fail(l, node, OC_E_INVAL, text);
    }
    *out_text = value->valuestring;
    return OC_OK;
}

int oc_config_value_bool(struct oc_loader *l, const char *key, uint32_t node, const cJSON *value,
                         int *out)
{
    if (!cJSON_IsBool(value))
        return oc_config_value_fail_type(l, node, key, "true or false", value);
    *out = cJSON_IsTrue(value) != 0;
    return OC_OK;
}

static int read_option_word(struct oc_loader *l, const struct oc_option *option, uint32_t node,
                            const cJSON *value, char *out)
{
    size_t index = 0;
    int rc = oc_config_value_word(l, option->key, option->words, node, value, &index);

    return rc < 0 ? rc : oc_text_copy(out, (size_t)option->max, option->words[index]);
}

static int read_path(struct oc_loader *l, const struct oc_option *option, uint32_t node,
                     const cJSON *value, char *out)
{
    if (!cJSON_IsString(value))
        return oc_config_value_fail_type(l, node, option->key, "a path", value);
    if (strlen(value->valuestring) >= (size_t)option->max)
        return oc_config_value_fail(l, node, OC_E_INVAL, "this path is too long");
    return oc_text_copy(out, (size_t)option->max, value->valuestring);
}

static int load_section(struct oc_loader *l, const struct oc_option *option, uint32_t node,
                        const cJSON *value)
{
    const struct oc_section *section = option->section();

    if (section == oc_section_rules())
        return oc_config_load_rules(l, node, value);
    if (section == oc_section_receivers())
        return oc_config_load_receivers(l, node, value);
    return oc_config_load_windows(l, section, node, value);
}

int oc_config_value_option(struct oc_loader *l, const struct oc_option *option, uint32_t node,
                           const cJSON *value)
{
    void *out = (char *)l->config + option->offset;

    switch (option->type) {
    case OC_OPTION_DURATION:
        return oc_config_value_duration(l, option, option->key, node, value, out);
    case OC_OPTION_SIZE:
        return oc_config_value_size(l, option, option->key, node, value, out);
    case OC_OPTION_PERCENT:
        return read_percent(l, option, node, value, out);
    case OC_OPTION_WORD:
        return read_option_word(l, option, node, value, out);
    case OC_OPTION_PATH:
        return read_path(l, option, node, value, out);
    case OC_OPTION_LABELS:
        return oc_config_load_labels(l, node, value, out);
    case OC_OPTION_TARGETS:
        return oc_config_load_targets(l, node, value);
    case OC_OPTION_SECTION:
        return load_section(l, option, node, value);
    }
    return OC_E_INVAL;
}

/* ---- {"from_file": PATH} ---- */

static int is_whole_path(const char *path)
{
    return path[0] == '/' || path[0] == '\\' || (path[0] != '\0' && path[1] == ':');
}

/* The text of a file without the newline at its end. */
static int read_value_file(struct oc_loader *l, uint32_t node, const char *path, char **out_text)
{
    char *text = NULL;
    size_t len = 0;
    char why[600];
    int rc = OC_OK;

    if (!is_whole_path(path))
        return oc_config_value_fail_text(l, node, "from_file", "a path from the root", path);
    rc = oc_file_read(path, MAX_VALUE_FILE_BYTES, &text, &len);
    if (rc == OC_E_NOMEM)
        return oc_config_value_nomem(l);
    if (rc < 0) {
        (void)snprintf(why, sizeof(why), "%.200s: %s", path, oc_err_text(rc));
        return oc_config_value_fail(l, node, rc, why);
    }
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    if (len == 0 || strlen(text) != len || !oc_text_is_utf8(text, len, NULL)) {
        (void)snprintf(why, sizeof(why), "%.200s holds no text", path);
        oc_free(text);
        return oc_config_value_fail(l, node, OC_E_INVAL, why);
    }
    *out_text = text;
    return OC_OK;
}

static int is_from_file(const cJSON *value)
{
    return cJSON_IsObject(value) && value->child && !value->child->next &&
           strcmp(value->child->string, "from_file") == 0 && cJSON_IsString(value->child);
}

/* The file's text in place of the object. */
static int resolve_one(struct oc_loader *l, uint32_t node, cJSON *parent, cJSON *value,
                       cJSON **out_text)
{
    const char *path = value->child->valuestring;
    char *text = NULL;
    cJSON *item = NULL;
    int rc = read_value_file(l, node, path, &text);

    if (rc < 0)
        return rc;
    item = cJSON_CreateString(text);
    if (!item || oc_config_origins_add_secret(l->config, text, path) < 0) {
        cJSON_Delete(item);
        oc_free(text);
        return oc_config_value_nomem(l);
    }
    oc_free(text);
    item->string = value->string; /* the key goes with it */
    value->string = NULL;
    if (!cJSON_ReplaceItemViaPointer(parent, value, item)) {
        cJSON_Delete(item);
        return oc_config_value_nomem(l);
    }
    *out_text = item;
    return OC_OK;
}

static int resolve(struct oc_loader *l, uint32_t node, cJSON *parent)
{
    uint32_t child = l->scan.nodes[node].first_child;

    for (cJSON *value = parent->child; value; value = value->next) {
        int rc = OC_OK;

        if (is_from_file(value))
            rc = resolve_one(l, child, parent, value, &value);
        else if (cJSON_IsObject(value) || cJSON_IsArray(value))
            rc = resolve(l, child, value);
        if (rc < 0)
            return rc;
        child = l->scan.nodes[child].next_sibling;
    }
    return OC_OK;
}

int oc_config_value_resolve_files(struct oc_loader *l, cJSON *root) { return resolve(l, 0, root); }
