#include "config/config.h"
#include "config/scan.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <cjson/cJSON.h>

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_OPTIONS 64

/* What one load works with: the scan for places, the config being filled. */
struct loader {
    struct oc_config_scan scan;
    struct oc_config *config;
    struct oc_detail *detail;
};

static void *field(struct oc_config *config, const struct oc_option *option)
{
    return (char *)config + option->offset;
}

/* ---- defaults ---- */

/* "5%", whole. 0 or OC_E_PARSE. */
static int parse_percent(const char *text, int64_t *out_percent)
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

static void set_default(struct oc_config *config, const struct oc_option *option)
{
    int rc = OC_OK;

    switch (option->type) {
    case OC_OPTION_DURATION:
        rc = oc_text_duration_ms(option->def, field(config, option));
        break;
    case OC_OPTION_SIZE:
        rc = oc_text_size_bytes(option->def, field(config, option));
        break;
    case OC_OPTION_PERCENT:
        rc = parse_percent(option->def, field(config, option));
        break;
    case OC_OPTION_WORD:
    case OC_OPTION_PATH:
        rc = oc_text_copy(field(config, option), (size_t)option->max, option->def);
        break;
    case OC_OPTION_NAMES:
        break; /* none */
    }
    (void)rc; /* a test walks the rows */
}

void oc_config_init(struct oc_config *config)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);

    memset(config, 0, sizeof(*config));
    for (size_t i = 0; i < count; i++)
        set_default(config, &options[i]);
}

void oc_config_clear(struct oc_config *config)
{
    oc_free(config->names);
    config->names = NULL;
    config->name_count = 0;
}

/* ---- values ---- */

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

static int fail_at(struct loader *l, uint32_t node, int code, const char *text)
{
    size_t offset = node == OC_SCAN_NONE ? 0 : l->scan.nodes[node].offset;

    return oc_config_scan_fail(&l->scan, offset, code, l->detail, "%s", text);
}

static int fail_type(struct loader *l, uint32_t node, const char *key, const char *wanted,
                     const cJSON *value)
{
    char text[240];

    (void)snprintf(text, sizeof(text), "\"%s\" wants %s, not %s", key, wanted, kind_of(value));
    return fail_at(l, node, OC_E_INVAL, text);
}

static int fail_value(struct loader *l, uint32_t node, const char *key, const char *wanted,
                      const char *got)
{
    char text[320];

    (void)snprintf(text, sizeof(text), "\"%s\" wants %s, not \"%.100s\"", key, wanted, got);
    return fail_at(l, node, OC_E_INVAL, text);
}

static int fail_unknown(struct loader *l, uint32_t node, const char *key, const char *const *known)
{
    const char *nearest = oc_text_nearest(key, known);
    size_t offset = l->scan.nodes[node].key_offset;

    if (nearest)
        return oc_config_scan_fail(&l->scan, offset, OC_E_INVAL, l->detail,
                                   "no option is called \"%.63s\"; did you mean \"%s\"?", key,
                                   nearest);
    return oc_config_scan_fail(&l->scan, offset, OC_E_INVAL, l->detail,
                               "no option is called \"%.63s\"; oomcastd --help lists them", key);
}

/* A duration as a person writes it, exact: "100ms", "10s", "7d". */
static void write_duration(int64_t ms, char *out, size_t out_bytes)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" } };
    size_t i = 0;

    while (ms == 0 || ms % units[i].ms != 0) {
        if (units[i].ms == 1)
            break;
        i++;
    }
    (void)snprintf(out, out_bytes, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
}

static int load_duration(struct loader *l, const struct oc_option *option, uint32_t node,
                         const cJSON *value, int64_t *out_ms)
{
    const char *wanted = "a duration such as \"10s\"";
    char low[32];
    char high[32];
    char range[96];
    int64_t ms = 0;

    if (!cJSON_IsString(value))
        return fail_type(l, node, option->key, wanted, value);
    if (oc_text_duration_ms(value->valuestring, &ms) < 0)
        return fail_value(l, node, option->key, wanted, value->valuestring);
    if (ms < option->min || ms > option->max) {
        write_duration(option->min, low, sizeof(low));
        write_duration(option->max, high, sizeof(high));
        (void)snprintf(range, sizeof(range), "a duration from %s to %s", low, high);
        return fail_value(l, node, option->key, range, value->valuestring);
    }
    *out_ms = ms;
    return OC_OK;
}

static int load_size(struct loader *l, const struct oc_option *option, uint32_t node,
                     const cJSON *value, uint64_t *out_bytes)
{
    const char *wanted = "a size such as \"64MiB\"";
    char low[32];
    char high[32];
    char range[96];
    uint64_t bytes = 0;

    if (!cJSON_IsString(value))
        return fail_type(l, node, option->key, wanted, value);
    if (oc_text_size_bytes(value->valuestring, &bytes) < 0)
        return fail_value(l, node, option->key, wanted, value->valuestring);
    if (bytes < (uint64_t)option->min || bytes > (uint64_t)option->max) {
        (void)snprintf(range, sizeof(range), "a size from %s to %s",
                       oc_text_bytes(option->min, low, sizeof(low)),
                       oc_text_bytes(option->max, high, sizeof(high)));
        return fail_value(l, node, option->key, range, value->valuestring);
    }
    *out_bytes = bytes;
    return OC_OK;
}

static int load_percent(struct loader *l, const struct oc_option *option, uint32_t node,
                        const cJSON *value, int64_t *out_percent)
{
    char wanted[80];
    int64_t percent = 0;

    (void)snprintf(wanted, sizeof(wanted), "a share from \"%d%%\" to \"%d%%\"", (int)option->min,
                   (int)option->max);
    if (!cJSON_IsString(value))
        return fail_type(l, node, option->key, wanted, value);
    if (parse_percent(value->valuestring, &percent) < 0 || percent < option->min ||
        percent > option->max)
        return fail_value(l, node, option->key, wanted, value->valuestring);
    *out_percent = percent;
    return OC_OK;
}

static int load_word(struct loader *l, const struct oc_option *option, uint32_t node,
                     const cJSON *value, char *out)
{
    char wanted[120] = "one of";
    size_t used = strlen(wanted);

    for (size_t i = 0; option->words[i]; i++) {
        if (cJSON_IsString(value) && strcmp(option->words[i], value->valuestring) == 0)
            return oc_text_copy(out, (size_t)option->max, option->words[i]);
        used += (size_t)snprintf(wanted + used, sizeof(wanted) - used, " \"%s\"", option->words[i]);
        assert(used < sizeof(wanted));
    }
    if (!cJSON_IsString(value))
        return fail_type(l, node, option->key, wanted, value);
    return fail_value(l, node, option->key, wanted, value->valuestring);
}

static int load_path(struct loader *l, const struct oc_option *option, uint32_t node,
                     const cJSON *value, char *out)
{
    if (!cJSON_IsString(value))
        return fail_type(l, node, option->key, "a path", value);
    if (strlen(value->valuestring) >= (size_t)option->max)
        return fail_at(l, node, OC_E_INVAL, "this path is too long");
    return oc_text_copy(out, (size_t)option->max, value->valuestring);
}

/* ---- names ---- */

static int load_glob(struct loader *l, uint32_t node, const cJSON *value,
                     struct oc_config_name *out_name)
{
    if (!cJSON_IsString(value))
        return fail_type(l, node, "name", "a glob such as \"java*\"", value);
    if (value->valuestring[0] == '\0')
        return fail_at(l, node, OC_E_INVAL, "an empty name matches nothing");
    if (strlen(value->valuestring) >= sizeof(out_name->glob))
        return fail_at(l, node, OC_E_INVAL, "a name of more than 63 bytes matches nothing");
    return oc_text_copy(out_name->glob, sizeof(out_name->glob), value->valuestring);
}

/* {"name": GLOB, "interval": DURATION} */
static int load_name_object(struct loader *l, uint32_t node, const cJSON *object,
                            struct oc_config_name *out_name)
{
    static const char *const keys[] = { "name", "interval", NULL };
    const struct oc_option *interval = oc_option_table(&(size_t){ 0 });
    const cJSON *value = NULL;
    int rc = OC_OK;

    cJSON_ArrayForEach(value, object)
    {
        uint32_t child = oc_config_scan_member(&l->scan, node, value->string);

        if (strcmp(value->string, "name") == 0)
            rc = load_glob(l, child, value, out_name);
        else if (strcmp(value->string, "interval") == 0)
            rc = load_duration(l, interval, child, value, &out_name->interval_ms);
        else
            rc = fail_unknown(l, child, value->string, keys);
        if (rc < 0)
            return rc;
    }
    if (out_name->glob[0] == '\0')
        return fail_at(l, node, OC_E_INVAL, "this entry has no \"name\"");
    return OC_OK;
}

static int load_names(struct loader *l, uint32_t node, const cJSON *array)
{
    const cJSON *value = NULL;
    struct oc_config_name *names = NULL;
    size_t count = 0;
    int rc = OC_OK;

    if (!cJSON_IsArray(array))
        return fail_type(l, node, "names", "an array such as [\"java*\"]", array);
    if (cJSON_GetArraySize(array) > OC_CONFIG_MAX_NAMES)
        return fail_at(l, node, OC_E_TOOBIG, "more than 256 names");
    names = oc_calloc((size_t)cJSON_GetArraySize(array) + 1, sizeof(*names));
    if (!names)
        return oc_detail_set(l->detail, OC_E_NOMEM, "%.200s: out of memory", l->scan.name);
    cJSON_ArrayForEach(value, array)
    {
        uint32_t item = oc_config_scan_item(&l->scan, node, count);

        rc = cJSON_IsObject(value) ? load_name_object(l, item, value, &names[count])
                                   : load_glob(l, item, value, &names[count]);
        if (rc < 0)
            goto out;
        count++;
    }
    oc_free(l->config->names);
    l->config->names = names;
    l->config->name_count = count;
    names = NULL;
out:
    oc_free(names);
    return rc;
}

/* ---- the file ---- */

static int load_option(struct loader *l, const struct oc_option *option, uint32_t node,
                       const cJSON *value)
{
    void *out = field(l->config, option);

    switch (option->type) {
    case OC_OPTION_DURATION:
        return load_duration(l, option, node, value, out);
    case OC_OPTION_SIZE:
        return load_size(l, option, node, value, out);
    case OC_OPTION_PERCENT:
        return load_percent(l, option, node, value, out);
    case OC_OPTION_WORD:
        return load_word(l, option, node, value, out);
    case OC_OPTION_PATH:
        return load_path(l, option, node, value, out);
    case OC_OPTION_NAMES:
        return load_names(l, node, value);
    }
    return OC_E_INVAL;
}

static int load_key(struct loader *l, const cJSON *value)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);
    const char *keys[MAX_OPTIONS + 1] = { NULL };
    uint32_t node = oc_config_scan_member(&l->scan, 0, value->string);

    assert(count <= MAX_OPTIONS);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(options[i].key, value->string) == 0)
            return load_option(l, &options[i], node, value);
        keys[i] = options[i].key;
    }
    return fail_unknown(l, node, value->string, keys);
}

static int load_root(struct loader *l, const cJSON *root)
{
    const cJSON *value = NULL;

    if (!cJSON_IsObject(root))
        return fail_at(l, 0, OC_E_INVAL, "the file wants one object: { \"interval\": \"10s\" }");
    cJSON_ArrayForEach(value, root)
    {
        int rc = load_key(l, value);

        if (rc < 0)
            return rc;
    }
    return OC_OK;
}

int oc_config_parse(const char *name, const char *text, size_t len_bytes,
                    struct oc_config *out_config, struct oc_detail *detail)
{
    struct oc_config config;
    struct loader l = { .config = &config, .detail = detail };
    cJSON *root = NULL;
    int rc = OC_OK;

    if (len_bytes > OC_CONFIG_MAX_FILE_BYTES)
        return oc_detail_set(detail, OC_E_TOOBIG, "%.200s: larger than 1 MiB", name);
    oc_config_init(&config);
    rc = oc_config_scan_text(name, text, len_bytes, &l.scan, detail);
    if (rc < 0)
        return rc;
    root = cJSON_ParseWithLength(l.scan.text, l.scan.len_bytes + 1);
    if (!root) { /* the scanner let it through: memory alone is left */
        rc = oc_detail_set(detail, OC_E_NOMEM, "%.200s: out of memory", name);
        goto out;
    }
    rc = load_root(&l, root);
out:
    cJSON_Delete(root);
    oc_config_scan_clear(&l.scan);
    if (rc < 0)
        oc_config_clear(&config);
    else
        *out_config = config;
    return rc;
}

int oc_config_load(const char *path, struct oc_config *out_config, struct oc_detail *detail)
{
    char *text = NULL;
    size_t len_bytes = 0;
    int rc = oc_file_read(path, OC_CONFIG_MAX_FILE_BYTES, &text, &len_bytes);

    if (rc == OC_E_TOOBIG)
        return oc_detail_set(detail, rc, "%.200s: larger than 1 MiB", path);
    if (rc < 0)
        return oc_detail_set(detail, rc, "%.200s: %s", path, oc_err_text(rc));
    rc = oc_config_parse(path, text, len_bytes, out_config, detail);
    oc_free(text);
    return rc;
}
