/* "targets": their keys, and what no key alone can know. */
#include "config/value.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_KEYS 40

static const struct oc_option *option_of(const char *key)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(options[i].key, key) == 0)
            return &options[i];
    }
    return NULL;
}

/* ---- limits ---- */

static int load_limit_value(struct oc_loader *l, const struct oc_metric_row *row, uint32_t node,
                            const cJSON *value, uint64_t *out_value)
{
    if (row->unit == OC_UNIT_BYTES) {
        const char *wanted = "a size such as \"2GiB\"";

        if (!cJSON_IsString(value))
            return oc_config_value_fail_type(l, node, row->name, wanted, value);
        if (oc_text_size_bytes(value->valuestring, out_value) < 0 || *out_value == 0)
            return oc_config_value_fail_text(l, node, row->name, wanted, value->valuestring);
        return OC_OK;
    }
    if (!cJSON_IsNumber(value) || value->valuedouble < 1 || value->valuedouble > 1e15 ||
        (double)(uint64_t)value->valuedouble != value->valuedouble)
        return oc_config_value_fail_type(l, node, row->name, "a whole number from 1", value);
    *out_value = (uint64_t)value->valuedouble;
    return OC_OK;
}

/* A ceiling is set for what goes up and down and is counted in bytes or things. */
static int can_have_limit(const struct oc_metric_row *row)
{
    return row && row->kind == OC_KIND_GAUGE &&
           (row->unit == OC_UNIT_BYTES || row->unit == OC_UNIT_COUNT) &&
           OC_METRIC_BLOCK(row->number) != OC_BLOCK_SELF;
}

static int fail_metric(struct oc_loader *l, uint32_t node, const char *key)
{
    const char *known[2] = { oc_metric_nearest(key), NULL };

    if (oc_metric_by_name(key))
        return oc_config_value_fail(
            l, node, OC_E_INVAL,
            "this metric can have no limit: a limit is for bytes and counts that "
            "go up and down");
    return oc_config_value_fail_unknown(l, node, "metric", key, known);
}

static int load_limits(const struct oc_target_loader *t, uint32_t node, const cJSON *value)
{
    const cJSON *item = NULL;

    if (!cJSON_IsObject(value))
        return oc_config_value_fail_type(
            t->l, node, "limits", "an object such as { \"private_bytes\": \"2GiB\" }", value);
    cJSON_ArrayForEach(item, value)
    {
        uint32_t child = oc_config_scan_member(&t->l->scan, node, item->string);
        const struct oc_metric_row *row = oc_metric_by_name(item->string);
        struct oc_user_limit limit = { 0 };
        int rc = OC_OK;

        if (!can_have_limit(row))
            return fail_metric(t->l, child, item->string);
        if (t->target->limit_count == OC_USER_LIMITS_MAX)
            return oc_config_value_fail(t->l, child, OC_E_TOOBIG, "more than 8 limits");
        rc = load_limit_value(t->l, row, child, item, &limit.value);
        if (rc < 0)
            return rc;
        limit.metric = row->number;
        t->target->limits[t->target->limit_count++] = limit;
    }
    return OC_OK;
}

/* ---- the other keys ---- */

static int load_text(const struct oc_target_loader *t, uint32_t node, const cJSON *value)
{
    int is_subject = strcmp(t->key->key, "subject") == 0;
    char **out = is_subject ? &t->target->subject : &t->target->name;
    const char *text = NULL;
    size_t at = 0;
    int rc = oc_config_value_text(t->l, t->key->key, OC_SUBJECT_BYTES - 1, node, value, &text);

    if (rc < 0)
        return rc;
    if (is_subject && oc_subject_check(text, &at) < 0)
        return oc_config_value_fail_text(
            t->l, node, "subject",
            "{name} {exe} {user} {unit} {slice} {cgroup} {container} "
            "{container_id} {pod} {namespace} {pod_container} {workload} "
            "{pool} {service} {pid} or {1} to {9} in braces",
            text + at);
    oc_free(*out);
    *out = oc_strdup(text);
    return *out ? OC_OK : oc_config_value_nomem(t->l);
}

static int load_duration(const struct oc_target_loader *t, uint32_t node, const cJSON *value)
{
    const char *key = t->key->key;
    int is_walk = strcmp(key, "walk_interval") == 0;

    return oc_config_value_duration(t->l, option_of(key), key, node, value,
                                    is_walk ? &t->target->walk_interval_ms
                                            : &t->target->interval_ms);
}

static int load_choice(const struct oc_target_loader *t, uint32_t node, const cJSON *value)
{
    size_t index = 0;
    int rc = oc_config_value_word(t->l, t->key->key, t->key->words, node, value, &index);

    if (rc < 0)
        return rc;
    if (strcmp(t->key->key, "source") == 0)
        t->target->source = (enum oc_target_source)index;
    else
        t->target->children = (enum oc_target_children)index;
    return OC_OK;
}

static int *flag_of(const struct oc_target_loader *t)
{
    if (strcmp(t->key->key, "pages") == 0)
        return &t->target->pages;
    if (strcmp(t->key->key, "counters") == 0)
        return &t->target->counters;
    return strcmp(t->key->key, "expected") == 0 ? &t->target->expected : &t->target->ignore;
}

static int load_value(const struct oc_target_loader *t, uint32_t node, const cJSON *value)
{
    const char *key = t->key->key;

    switch (t->key->type) {
    case OC_TARGET_KEY_WORDS:
    case OC_TARGET_KEY_REGEXES:
    case OC_TARGET_KEY_PIDS:
        return oc_config_load_selector(t, node, value);
    case OC_TARGET_KEY_SIZE:
        return oc_config_value_size(t->l, option_of(key), key, node, value,
                                    &t->target->min_size_bytes);
    case OC_TARGET_KEY_WORD:
        return load_choice(t, node, value);
    case OC_TARGET_KEY_BOOL:
        return oc_config_value_bool(t->l, key, node, value, flag_of(t));
    case OC_TARGET_KEY_TEXT:
        return load_text(t, node, value);
    case OC_TARGET_KEY_LABELS:
        return oc_config_load_labels(t->l, node, value, &t->target->labels);
    case OC_TARGET_KEY_DURATION:
        return load_duration(t, node, value);
    case OC_TARGET_KEY_LIMITS:
        return load_limits(t, node, value);
    }
    return OC_E_INVAL;
}

/* ---- one target ---- */

static int load_target_key(struct oc_loader *l, struct oc_target *target, uint32_t node,
                           const cJSON *value)
{
    const char *known[MAX_KEYS + 1] = { NULL };
    size_t count = 0;
    const struct oc_target_key *keys = oc_target_key_table(&count);

    for (size_t i = 0; i < count && i < MAX_KEYS; i++) {
        struct oc_target_loader t = { l, target, &keys[i] };
        int rc = OC_OK;

        known[i] = keys[i].key;
        if (strcmp(keys[i].key, value->string) != 0)
            continue;
        rc = load_value(&t, node, value);
        if (rc == OC_OK && keys[i].selector < OC_SELECT_COUNT)
            target->selectors |= 1u << keys[i].selector;
        return rc;
    }
    return oc_config_value_fail_unknown(l, node, "key of a target", value->string, known);
}

static int uses_captures(const char *subject)
{
    for (; subject && *subject; subject++) {
        if (subject[0] == '{' && subject[1] >= '1' && subject[1] <= '9')
            return 1;
    }
    return 0;
}

/* What no key alone can know. */
static int check_target(struct oc_loader *l, uint32_t node, const struct oc_target *target)
{
    static const uint32_t regexes = 1u << OC_SELECT_NAME_REGEX | 1u << OC_SELECT_CMDLINE_REGEX;

    if (target->source == OC_TARGET_HOST && (target->selectors || target->ignore))
        return oc_config_value_fail(
            l, node, OC_E_INVAL, "a target of the host takes no selectors and cannot be ignored");
    if (target->source != OC_TARGET_HOST && target->selectors == 0)
        return oc_config_value_fail(
            l, node, OC_E_INVAL,
            "this target selects nothing, so every process would match; where "
            "that is meant, say \"name\": \"*\" or a \"min_size\"");
    if (target->expected && target->ignore)
        return oc_config_value_fail(l, node, OC_E_INVAL,
                                    "what is ignored is not watched, so it cannot be expected");
    if (target->expected && target->source == OC_TARGET_HOST)
        return oc_config_value_fail(l, node, OC_E_INVAL,
                                    "the host is always there: \"expected\" is for processes");
    if (target->counters && target->pages)
        return oc_config_value_fail(l, node, OC_E_INVAL,
                                    "\"pages\" are read by walks, and \"counters\" says that there "
                                    "are none");
    if (uses_captures(target->subject) && !(target->selectors & regexes))
        return oc_config_value_fail(
            l, node, OC_E_INVAL,
            "{1} in \"subject\" is a group of a regular expression, and this "
            "target has none");
    return OC_OK;
}

static int load_target(struct oc_loader *l, uint32_t node, const cJSON *object, size_t index,
                       struct oc_target *target)
{
    const cJSON *value = NULL;
    char name[32];
    int rc = OC_OK;

    if (!cJSON_IsObject(object))
        return oc_config_value_fail_type(l, node, "targets",
                                         "objects such as { \"name\": \"java*\" }", object);
    target->line = oc_config_value_line(l, node);
    target->file = oc_strdup(l->scan.name);
    (void)snprintf(name, sizeof(name), "targets[%zu]", index);
    target->name = oc_strdup(name);
    if (!target->file || !target->name)
        return oc_config_value_nomem(l);
    cJSON_ArrayForEach(value, object)
    {
        rc =
            load_target_key(l, target, oc_config_scan_member(&l->scan, node, value->string), value);
        if (rc < 0)
            return rc;
    }
    if (!cJSON_GetObjectItemCaseSensitive(object, "children"))
        target->children = oc_target_usual_children(target);
    return check_target(l, node, target);
}

/* ---- all targets of a file ---- */

static int load_each(struct oc_loader *l, uint32_t node, const cJSON *array,
                     struct oc_targets *targets)
{
    const cJSON *value = NULL;

    cJSON_ArrayForEach(value, array)
    {
        size_t index = targets->count++;
        int rc = load_target(l, oc_config_scan_item(&l->scan, node, index), value, index,
                             &targets->items[index]);

        if (rc < 0)
            return rc;
    }
    return OC_OK;
}

int oc_config_load_targets(struct oc_loader *l, uint32_t node, const cJSON *value)
{
    struct oc_targets *before = &l->config->targets;
    struct oc_targets targets = { NULL, 0 };
    size_t count = 0;
    int rc = OC_OK;

    if (!cJSON_IsArray(value))
        return oc_config_value_fail_type(l, node, "targets", "an array of objects", value);
    count = (size_t)cJSON_GetArraySize(value);
    if (count + before->count > OC_TARGETS_MAX)
        return oc_config_value_fail(l, node, OC_E_TOOBIG, "more than 512 targets");
    if (count == 0)
        return OC_OK;
    targets.items = oc_calloc(count + before->count, sizeof(*targets.items));
    if (!targets.items)
        return oc_config_value_nomem(l);
    rc = load_each(l, node, value, &targets);
    if (rc < 0) {
        oc_targets_clear(&targets);
        return rc;
    }
    if (before->count > 0)
        memcpy(targets.items + count, before->items, before->count * sizeof(*before->items));
    targets.count = count + before->count;
    oc_free(before->items);
    *before = targets;
    return OC_OK;
}
