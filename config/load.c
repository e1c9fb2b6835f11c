/* Files into a config: defaults, then the file, then its drop-ins. */
#include "config/config.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "config/section.h"

#include <cjson/cJSON.h>

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_OPTIONS 64
#define PATH_BYTES 4096

/* ---- defaults ---- */

static void set_default(struct oc_config *config, const struct oc_option *option)
{
    void *field = (char *)config + option->offset;
    int rc = OC_OK;

    switch (option->type) {
    case OC_OPTION_DURATION:
        rc = oc_text_duration_ms(option->def, field);
        break;
    case OC_OPTION_SIZE:
        rc = oc_text_size_bytes(option->def, field);
        break;
    case OC_OPTION_PERCENT:
        rc = oc_config_value_parse_percent(option->def, field);
        break;
    case OC_OPTION_WORD:
    case OC_OPTION_PATH:
        rc = oc_text_copy(field, (size_t)option->max, option->def);
        break;
    case OC_OPTION_LABELS:
    case OC_OPTION_TARGETS:
    case OC_OPTION_SECTION:
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
    oc_targets_clear(&config->targets);
    oc_rules_clear(&config->rules);
    oc_receivers_clear(&config->receivers);
    oc_windows_clear(&config->windows);
    oc_config_origins_free(config->origins);
    config->origins = NULL;
    config->labels.count = 0;
}

/* ---- one file ---- */

static int load_key(struct oc_loader *l, const cJSON *value)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);
    const char *keys[MAX_OPTIONS + 1] = { NULL };
    uint32_t node = oc_config_scan_member(&l->scan, 0, value->string);

    assert(count <= MAX_OPTIONS);
    for (size_t i = 0; i < count; i++) {
        int rc = OC_OK;

        keys[i] = options[i].key;
        if (strcmp(options[i].key, value->string) != 0)
            continue;
        rc = oc_config_value_option(l, &options[i], node, value);
        if (rc == OC_OK)
            oc_config_origins_set(l->config, &options[i], l->file, oc_config_value_line(l, node));
        return rc;
    }
    return oc_config_value_fail_unknown(l, node, "option", value->string, keys);
}

static int load_root(struct oc_loader *l, cJSON *root)
{
    const cJSON *value = NULL;
    int rc = OC_OK;

    if (!cJSON_IsObject(root))
        return oc_config_value_fail(l, 0, OC_E_INVAL,
                                    "the file wants one object: { \"interval\": \"10s\" }");
    if (!root->child)
        return OC_OK;
    if (oc_config_origins_add_file(l->config, l->scan.name, &l->file) < 0)
        return oc_config_value_nomem(l);
    rc = oc_config_value_resolve_files(l, root);
    if (rc < 0)
        return rc;
    cJSON_ArrayForEach(value, root)
    {
        rc = load_key(l, value);
        if (rc < 0)
            return rc;
    }
    return OC_OK;
}

/* Over what is in the config already, which is the caller's to clear on failure. */
static int add_text(const char *name, const char *text, size_t len_bytes, struct oc_config *config,
                    struct oc_detail *detail)
{
    struct oc_loader l = { .config = config, .detail = detail };
    cJSON *root = NULL;
    int rc = OC_OK;

    if (len_bytes > OC_CONFIG_MAX_FILE_BYTES)
        return oc_detail_set(detail, OC_E_TOOBIG, "%.200s: larger than 1 MiB", name);
    rc = oc_config_scan_text(name, text, len_bytes, &l.scan, detail);
    if (rc < 0)
        return rc;
    root = cJSON_ParseWithLength(l.scan.text, l.scan.len_bytes + 1);
    if (root)
        rc = load_root(&l, root);
    else /* the scanner let it through: memory alone is left */
        rc = oc_config_value_nomem(&l);
    cJSON_Delete(root);
    oc_config_scan_clear(&l.scan);
    return rc;
}

static int add_file(const char *path, struct oc_config *config, struct oc_detail *detail)
{
    char *text = NULL;
    size_t len_bytes = 0;
    int rc = oc_file_read(path, OC_CONFIG_MAX_FILE_BYTES, &text, &len_bytes);

    if (rc == OC_E_TOOBIG)
        return oc_detail_set(detail, rc, "%.200s: larger than 1 MiB", path);
    if (rc < 0)
        return oc_detail_set(detail, rc, "%.200s: %s", path, oc_err_text(rc));
    rc = add_text(path, text, len_bytes, config, detail);
    oc_free(text);
    return rc;
}

/* ---- drop-ins ---- */

/* "FOLDER/conf.d" for "FOLDER/oomcast.json". */
static int drop_in_folder(const char *path, char out[PATH_BYTES])
{
    size_t folder = strlen(path);
    int len = 0;

    while (folder > 0 && path[folder - 1] != '/' && path[folder - 1] != '\\')
        folder--;
    len = snprintf(out, PATH_BYTES, "%.*sconf.d", (int)folder, path);
    return len < 0 || len >= PATH_BYTES ? OC_E_TOOBIG : OC_OK;
}

static int add_drop_ins(const char *path, struct oc_config *config, struct oc_detail *detail)
{
    char folder[PATH_BYTES], file[PATH_BYTES + 300];
    char *names = NULL;
    int rc = drop_in_folder(path, folder);

    if (rc == OC_OK)
        rc = oc_dir_list(folder, ".json", OC_CONFIG_MAX_DROP_INS, &names);
    if (rc == OC_E_NOENT)
        return OC_OK;
    if (rc < 0)
        return oc_detail_set(detail, rc, "%.200s: %s", folder, oc_err_text(rc));
    for (const char *name = names; name && *name && rc == OC_OK; name += strlen(name) + 1) {
        (void)snprintf(file, sizeof(file), "%s/%s", folder, name);
        rc = add_file(file, config, detail);
    }
    oc_free(names);
    return rc;
}

/* ---- all of it ---- */

static int finish(int rc, struct oc_config *config, struct oc_config *out_config,
                  struct oc_detail *detail)
{
    if (rc == OC_OK)
        rc = oc_config_load_finish(config, detail);
    if (rc == OC_OK)
        rc = oc_config_finish_rules(config, detail);
    if (rc < 0)
        oc_config_clear(config);
    else
        *out_config = *config;
    return rc;
}

static int finish_files(int rc, struct oc_config *config, struct oc_config *out_config,
                        struct oc_detail *detail)
{
    if (rc == OC_OK)
        rc = oc_config_check_hooks(config, detail);
    return finish(rc, config, out_config, detail);
}

/* What stands in place of targets where there are none; Linux has nothing to say: every process of min_size. */
#define USUAL_NAME "default"

static int selects_processes(const struct oc_config *config)
{
    for (size_t i = 0; i < config->targets.count; i++) {
        if (config->targets.items[i].source != OC_TARGET_HOST)
            return 1;
    }
    return 0;
}

static int add_usual(const char *os, struct oc_config *config, struct oc_detail *detail)
{
    char text[400];
    int len = 0;

    if (strcmp(os, "windows") != 0 || selects_processes(config))
        return OC_OK;
    len = snprintf(text, sizeof(text),
                   "{ \"targets\": [\n"
                   "{ \"target\": \"pools of IIS\", \"iis_app_pool\": \"*\" },\n"
                   "{ \"target\": \"all that is large, by counters\", \"min_size\": \"%" PRIu64
                   "\", \"counters\": true }\n] }",
                   config->min_size_bytes);
    return add_text(USUAL_NAME, text, (size_t)len, config, detail);
}

int oc_config_default_of(const char *os, struct oc_config *out_config, struct oc_detail *detail)
{
    struct oc_config config;

    oc_config_init(&config);
    return finish(add_usual(os, &config, detail), &config, out_config, detail);
}

int oc_config_default(struct oc_config *out_config, struct oc_detail *detail)
{
    return oc_config_default_of(oc_os_name(), out_config, detail);
}

int oc_config_parse(const char *name, const char *text, size_t len_bytes,
                    struct oc_config *out_config, struct oc_detail *detail)
{
    struct oc_config config;

    oc_config_init(&config);
    return finish(add_text(name, text, len_bytes, &config, detail), &config, out_config, detail);
}

int oc_config_load(const char *path, struct oc_config *out_config, struct oc_detail *detail)
{
    struct oc_config config;

    oc_config_init(&config);
    return finish_files(add_file(path, &config, detail), &config, out_config, detail);
}

int oc_config_load_all(const char *path, struct oc_config *out_config, struct oc_detail *detail)
{
    struct oc_config config;
    int rc = OC_OK;

    oc_config_init(&config);
    rc = add_file(path, &config, detail);
    if (rc == OC_OK)
        rc = add_drop_ins(path, &config, detail);
    if (rc == OC_OK)
        rc = add_usual(oc_os_name(), &config, detail);
    return finish_files(rc, &config, out_config, detail);
}
