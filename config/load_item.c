/* Rules, receivers and windows, key by key: the same for all, from their tables. */
#include "config/section.h"

#include <stdio.h>
#include <string.h>

#define MAX_KEYS 40

/* ---- keys that nobody knows, or another kind does ---- */

static const struct oc_section_key *find_key(const struct oc_section *section, const char *key)
{
    for (size_t i = 0; i < section->key_count; i++) {
        if (strcmp(section->keys[i].key, key) == 0)
            return &section->keys[i];
    }
    return NULL;
}

static int fail_unknown(struct oc_loader *l, const struct oc_section *section, uint32_t node,
                        const char *key)
{
    const char *known[MAX_KEYS + 1] = { NULL };
    char of[48];

    for (size_t i = 0; i < section->key_count && i < MAX_KEYS; i++)
        known[i] = section->keys[i].key;
    for (size_t i = 0; section->mistakes[i][0]; i++) {
        if (strcmp(section->mistakes[i][0], key) == 0)
            return oc_config_scan_fail(&l->scan, l->scan.nodes[node].key_offset, OC_E_INVAL,
                                       l->detail,
                                       "no key of a %s is called \"%.63s\"; did you mean \"%s\"?",
                                       section->one, key, section->mistakes[i][1]);
    }
    (void)snprintf(of, sizeof(of), "key of a %s", section->one);
    return oc_config_value_fail_unknown(l, node, of, key, known);
}

static int fail_other_kind(struct oc_loader *l, const struct oc_section *section,
                           const struct oc_section_key *key, uint32_t node, unsigned kind)
{
    char text[320];
    size_t used = 0;

    used = (size_t)snprintf(text, sizeof(text), "a %s of %s \"%s\" has no \"%s\"; it is for",
                            section->one, section->kind_key, section->kind_name(kind), key->key);
    for (unsigned i = 1; i < section->kind_count && used < sizeof(text); i++) {
        if (oc_section_knows(key, i))
            used +=
                (size_t)snprintf(text + used, sizeof(text) - used, " %s", section->kind_name(i));
    }
    return oc_config_scan_fail(&l->scan, l->scan.nodes[node].key_offset, OC_E_INVAL, l->detail,
                               "%s", text);
}

static unsigned kind_of(const struct oc_section *section, const void *item)
{
    return section->kind_key ? *((const uint8_t *)item + section->kind_offset) : 0;
}

static int check_keys(struct oc_loader *l, const struct oc_section *section, uint32_t node,
                      const cJSON *object, unsigned kind)
{
    const cJSON *value = NULL;

    cJSON_ArrayForEach(value, object)
    {
        const struct oc_section_key *key = find_key(section, value->string);
        uint32_t child = oc_config_scan_member(&l->scan, node, value->string);

        if (!key)
            return fail_unknown(l, section, child, value->string);
        if (!oc_section_knows(key, kind))
            return fail_other_kind(l, section, key, child, kind);
    }
    return OC_OK;
}

static int fail_missing(struct oc_loader *l, const struct oc_section *section,
                        const struct oc_section_key *key, uint32_t node, unsigned kind)
{
    char text[320];

    if (key->wanted == ~0u)
        (void)snprintf(text, sizeof(text), "this %s has no \"%s\", such as %s", section->one,
                       key->key, key->example);
    else
        (void)snprintf(text, sizeof(text), "a %s of %s \"%s\" wants \"%s\", such as %s",
                       section->one, section->kind_key, section->kind_name(kind), key->key,
                       key->example);
    return oc_config_value_fail(l, node, OC_E_INVAL, text);
}

/* ---- one item ---- */

int oc_config_load_kind(struct oc_loader *l, const struct oc_section *section, uint32_t node,
                        const cJSON *object, unsigned *out_kind)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, section->kind_key);
    uint32_t child = oc_config_scan_member(&l->scan, node, section->kind_key);
    const char *known[16] = { NULL };
    char of[48];

    *out_kind = 0;
    if (!value)
        return OC_OK;
    if (!cJSON_IsString(value))
        return oc_config_value_fail_type(l, child, section->kind_key, "a word", value);
    *out_kind = section->kind_of(value->valuestring);
    if (*out_kind)
        return OC_OK;
    for (unsigned i = 1; i < section->kind_count; i++)
        known[i - 1] = section->kind_name(i);
    (void)snprintf(of, sizeof(of), "%s of a %s", section->kind_key, section->one);
    return oc_config_value_fail_unknown(l, child, of, value->valuestring, known);
}

int oc_config_load_item(struct oc_loader *l, const struct oc_section *section, uint32_t node,
                        const cJSON *object, void *item)
{
    unsigned kind = kind_of(section, item);
    int rc = check_keys(l, section, node, object, kind);

    for (size_t i = 0; i < section->key_count && rc == OC_OK; i++) {
        const struct oc_section_key *key = &section->keys[i];
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key->key);

        if (value)
            rc = oc_config_load_field(l, key, oc_config_scan_member(&l->scan, node, key->key),
                                      value, item);
        else if (key->wanted == ~0u)
            rc = fail_missing(l, section, key, node, kind);
    }
    return rc;
}

int oc_config_check_wanted(struct oc_loader *l, const struct oc_section *section, uint32_t node,
                           const cJSON *object, unsigned kind)
{
    for (size_t i = 0; i < section->key_count; i++) {
        const struct oc_section_key *key = &section->keys[i];

        if ((key->wanted & (1u << kind)) != 0 &&
            !cJSON_GetObjectItemCaseSensitive(object, key->key))
            return fail_missing(l, section, key, node, kind);
    }
    return OC_OK;
}
