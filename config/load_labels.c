/* "labels": of all subjects, and of one target over them. */
#include "config/value.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

static int is_label_key(const char *key)
{
    size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

    return len > 0 && key[len] == '\0' && !(key[0] >= '0' && key[0] <= '9');
}

/* In its place by the order of keys, over one of the same key. OC_E_TOOBIG: there are enough. */
static int set_label(struct oc_labels *labels, const char *key, const char *value)
{
    size_t at = 0;

    while (at < labels->count && strcmp(labels->items[at].key, key) < 0)
        at++;
    if (at == labels->count || strcmp(labels->items[at].key, key) != 0) {
        if (labels->count == OC_LABELS_MAX)
            return OC_E_TOOBIG;
        memmove(&labels->items[at + 1], &labels->items[at],
                (labels->count - at) * sizeof(labels->items[0]));
        labels->count++;
    }
    (void)oc_text_copy(labels->items[at].key, sizeof(labels->items[at].key), key);
    (void)oc_text_copy(labels->items[at].value, sizeof(labels->items[at].value), value);
    return OC_OK;
}

int oc_config_load_labels(struct oc_loader *l, uint32_t node, const cJSON *value,
                          struct oc_labels *labels)
{
    const cJSON *item = NULL;

    if (!cJSON_IsObject(value))
        return oc_config_value_fail_type(l, node, "labels",
                                         "an object such as { \"team\": \"shop\" }", value);
    cJSON_ArrayForEach(item, value)
    {
        uint32_t child = oc_config_scan_member(&l->scan, node, item->string);
        const char *text = NULL;
        int rc = OC_OK;

        if (!is_label_key(item->string))
            return oc_config_value_fail(
                l, child, OC_E_INVAL,
                "the key of a label is letters, digits and '_', no digit first");
        rc = oc_config_value_text(l, item->string, OC_LABEL_VALUE_BYTES - 1, child, item, &text);
        if (rc < 0)
            return rc;
        if (set_label(labels, item->string, text) < 0)
            return oc_config_value_fail(l, child, OC_E_TOOBIG, "more than 32 labels");
    }
    return OC_OK;
}

int oc_config_load_finish(struct oc_config *config, struct oc_detail *detail)
{
    for (size_t i = 0; i < config->targets.count; i++) {
        struct oc_target *target = &config->targets.items[i];
        struct oc_labels labels = config->labels;

        for (size_t j = 0; j < target->labels.count; j++) {
            if (set_label(&labels, target->labels.items[j].key, target->labels.items[j].value) < 0)
                return oc_detail_set(detail, OC_E_TOOBIG,
                                     "%.200s:%" PRIu32 ": with the labels of all, this target has "
                                     "more than 32",
                                     target->file, target->line);
        }
        target->labels = labels;
    }
    return OC_OK;
}
