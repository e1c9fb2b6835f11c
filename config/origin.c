/* Where the values of a config came from: which file, which line, and which texts are of files of their own. */
#include "config/value.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <string.h>

#define MAX_OPTIONS 64
#define MAX_FILES 512
#define MAX_SECRETS 1024

struct secret {
    char *text, *path; /* owned */
};

struct oc_config_origins {
    struct {
        uint32_t file, line; /* file from 1; 0: the default */
    } options[MAX_OPTIONS];
    char **files; /* owned */
    size_t file_count, file_capacity;
    struct secret *secrets; /* owned */
    size_t secret_count, secret_capacity;
};

static struct oc_config_origins *origins_of(struct oc_config *config)
{
    if (!config->origins)
        config->origins = oc_calloc(1, sizeof(*config->origins));
    return config->origins;
}

static size_t index_of(const struct oc_option *option)
{
    size_t count = 0;

    return (size_t)(option - oc_option_table(&count));
}

int oc_config_origins_add_file(struct oc_config *config, const char *name, uint32_t *out_file)
{
    struct oc_config_origins *origins = origins_of(config);
    void *files = NULL;
    int rc = OC_OK;

    if (!origins)
        return OC_E_NOMEM;
    files = origins->files;
    rc = oc_array_grow(&files, &origins->file_capacity, origins->file_count + 1,
                       sizeof(*origins->files), MAX_FILES);
    origins->files = files;
    if (rc < 0)
        return rc;
    origins->files[origins->file_count] = oc_strdup(name);
    if (!origins->files[origins->file_count])
        return OC_E_NOMEM;
    *out_file = (uint32_t)++origins->file_count;
    return OC_OK;
}

void oc_config_origins_set(struct oc_config *config, const struct oc_option *option, uint32_t file,
                           uint32_t line)
{
    size_t index = index_of(option);

    if (!config->origins || index >= MAX_OPTIONS)
        return;
    config->origins->options[index].file = file;
    config->origins->options[index].line = line;
}

int oc_config_origins_add_secret(struct oc_config *config, const char *text, const char *path)
{
    struct oc_config_origins *origins = origins_of(config);
    struct secret secret = { NULL, NULL };
    void *secrets = NULL;
    int rc = OC_OK;

    if (!origins)
        return OC_E_NOMEM;
    secrets = origins->secrets;
    rc = oc_array_grow(&secrets, &origins->secret_capacity, origins->secret_count + 1,
                       sizeof(*origins->secrets), MAX_SECRETS);
    origins->secrets = secrets;
    if (rc < 0)
        return rc;
    secret.text = oc_strdup(text);
    secret.path = oc_strdup(path);
    if (!secret.text || !secret.path) {
        oc_free(secret.text);
        oc_free(secret.path);
        return OC_E_NOMEM;
    }
    origins->secrets[origins->secret_count++] = secret;
    return OC_OK;
}

void oc_config_origins_free(struct oc_config_origins *origins)
{
    if (!origins)
        return;
    for (size_t i = 0; i < origins->file_count; i++)
        oc_free(origins->files[i]);
    oc_free(origins->files);
    for (size_t i = 0; i < origins->secret_count; i++) {
        memset(origins->secrets[i].text, 0, strlen(origins->secrets[i].text));
        oc_free(origins->secrets[i].text);
        oc_free(origins->secrets[i].path);
    }
    oc_free(origins->secrets);
    oc_free(origins);
}

const char *oc_config_secret(const struct oc_config *config, const char *text)
{
    const struct oc_config_origins *origins = config->origins;

    for (size_t i = 0; origins && text && i < origins->secret_count; i++) {
        if (strcmp(origins->secrets[i].text, text) == 0)
            return origins->secrets[i].path;
    }
    return NULL;
}

size_t oc_config_file_count(const struct oc_config *config)
{
    return config->origins ? config->origins->file_count : 0;
}

const char *oc_config_file(const struct oc_config *config, size_t index)
{
    return index < oc_config_file_count(config) ? config->origins->files[index] : NULL;
}

void oc_config_origin(const struct oc_config *config, const struct oc_option *option,
                      const char **out_file, uint32_t *out_line)
{
    const struct oc_config_origins *origins = config->origins;
    size_t index = index_of(option);

    *out_file = NULL;
    *out_line = 0;
    if (!origins || index >= MAX_OPTIONS || origins->options[index].file == 0)
        return;
    *out_file = origins->files[origins->options[index].file - 1];
    *out_line = origins->options[index].line;
}

void oc_config_write_value(const struct oc_config *config, const struct oc_option *option,
                           struct oc_buf *out)
{
    const void *value = (const char *)config + option->offset;
    char text[40] = "";

    switch (option->type) {
    case OC_OPTION_DURATION:
        oc_config_value_write_duration(*(const int64_t *)value, text, sizeof(text));
        break;
    case OC_OPTION_SIZE:
        oc_config_value_write_size(*(const uint64_t *)value, text, sizeof(text));
        break;
    case OC_OPTION_PERCENT:
        oc_buf_printf(out, "\"%" PRId64 "%%\"", *(const int64_t *)value);
        return;
    case OC_OPTION_WORD:
    case OC_OPTION_PATH:
        if (oc_config_secret(config, value)) {
            oc_buf_puts(out, "{ \"from_file\": ");
            oc_buf_json_string(out, oc_config_secret(config, value));
            oc_buf_puts(out, " }");
        } else {
            oc_buf_json_string(out, value);
        }
        return;
    case OC_OPTION_LABELS:
    case OC_OPTION_TARGETS:
    case OC_OPTION_SECTION:
        return; /* more than a value: the caller writes them one by one */
    }
    oc_buf_json_string(out, text);
}
