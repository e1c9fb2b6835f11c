/* "rules": of the files over each other, and of all over the defaults. */
#include "config/section.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

/* ---- with what a rule begins ---- */

/* What a rule of a kind begins with where no default rule is of that kind. */
static struct oc_rule plain_rule(unsigned kind)
{
    struct oc_rule rule = { .kind = (uint8_t)kind, .severity = OC_SEVERITY_WARN };

    rule.enter = rule.clear = (double)NAN;
    rule.for_ms = 5 * MINUTE;
    rule.keep_ms = 5 * MINUTE;
    if (kind == OC_RULE_GROWTH || kind == OC_RULE_FAMILY)
        rule.window_ms = HOUR;
    return rule;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsString(value) ? value->valuestring : "";
}

/* 0: said otherwise, or not at all. */
static unsigned severity_of(const cJSON *object)
{
    const char *text = text_of(object, "severity");

    for (unsigned i = OC_SEVERITY_WARN; i <= OC_SEVERITY_CRITICAL; i++) {
        if (strcmp(text, oc_severity_name(i)) == 0)
            return i;
    }
    return 0;
}

static int is_off(const cJSON *object)
{
    return cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(object, "enabled"));
}

/* The first default of a name, kind or severity; ""and 0: any. NULL: none. */
static const struct oc_rule *find_default(const struct oc_rules *defaults, const char *name,
                                          unsigned kind, unsigned severity)
{
    for (size_t i = 0; i < defaults->count; i++) {
        const struct oc_rule *rule = &defaults->items[i];

        if ((name[0] == '\0' || strcmp(rule->name, name) == 0) &&
            (kind == 0 || rule->kind == kind) && (severity == 0 || rule->severity == severity))
            return rule;
    }
    return NULL;
}

static size_t count_named(const struct oc_rules *defaults, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < defaults->count; i++)
        count += strcmp(defaults->items[i].name, name) == 0;
    return count;
}

static int fail_no_kind(struct oc_loader *l, uint32_t node, const struct oc_rules *defaults,
                        const char *name)
{
    const char *known[OC_RULES_MAX + 1] = { NULL };
    const char *nearest = NULL;
    char text[260];

    for (size_t i = 0; i < defaults->count && i < OC_RULES_MAX; i++)
        known[i] = defaults->items[i].name;
    nearest = oc_text_nearest(name, known);
    if (nearest)
        (void)snprintf(text, sizeof(text),
                       "this rule has no \"kind\"; if a default rule is meant, its name is \"%s\"",
                       nearest);
    else
        (void)snprintf(text, sizeof(text),
                       "this rule has no \"kind\", such as \"threshold\", and no default rule is "
                       "called \"%.63s\"",
                       name);
    return oc_config_value_fail(l, node, OC_E_INVAL, text);
}

/* The default that a name is of; of its own severity where there is one. NULL: none. */
static const struct oc_rule *named_default(const struct oc_rules *defaults, const char *name,
                                           unsigned kind, unsigned severity)
{
    const struct oc_rule *rule = NULL;

    if (name[0] == '\0')
        return NULL;
    rule = find_default(defaults, name, kind, severity);
    return rule ? rule : find_default(defaults, name, kind, 0);
}

/* The values that a rule begins with: of the default whose place it takes, else of its kind. */
static int choose_base(struct oc_loader *l, const struct oc_rules *defaults, uint32_t node,
                       const cJSON *object, struct oc_rule *out_rule)
{
    const char *name = text_of(object, "name");
    unsigned kind = 0, severity = severity_of(object);
    const struct oc_rule *base = NULL;
    int rc = oc_config_load_kind(l, oc_section_rules(), node, object, &kind);

    if (rc < 0)
        return rc;
    if (count_named(defaults, name) > 1 && !severity && !is_off(object))
        return oc_config_value_fail(l, node, OC_E_INVAL,
                                    "there are two default rules of this name: say which by "
                                    "\"severity\": \"warning\" or \"critical\"");
    base = named_default(defaults, name, kind, severity);
    if (!base && kind == 0)
        return fail_no_kind(l, node, defaults, name);
    if (!severity)
        severity = base ? base->severity : OC_SEVERITY_WARN;
    if (!base)
        base = find_default(defaults, "", kind, severity);
    if (!base)
        base = find_default(defaults, "", kind, 0);
    *out_rule = base ? *base : plain_rule(kind);
    out_rule->severity = (uint8_t)severity;
    out_rule->is_builtin = 0;
    return OC_OK;
}

/* ---- what no key alone can know ---- */

static int fail_at(struct oc_loader *l, uint32_t node, const char *key, const char *text)
{
    uint32_t child = oc_config_scan_member(&l->scan, node, key);

    return oc_config_value_fail(l, child == OC_SCAN_NONE ? node : child, OC_E_INVAL, text);
}

static int check_rule(struct oc_loader *l, uint32_t node, const struct oc_rule *rule)
{
    if (strpbrk(rule->name, "-.") || (rule->name[0] >= '0' && rule->name[0] <= '9'))
        return fail_at(l, node, "name",
                       "the name of a rule is letters, digits and '_', no digit first: it is the "
                       "label `alertname`");
    if (rule->clear == rule->clear && !rule->is_below && rule->clear > rule->enter)
        return fail_at(l, node, "clear",
                       "\"clear\" is on the wrong side: the alert begins at \"enter\" and above, "
                       "so it must end at or below that");
    if (rule->clear == rule->clear && rule->is_below && rule->clear < rule->enter)
        return fail_at(l, node, "clear",
                       "\"clear\" is on the wrong side: the alert begins at \"enter\" and below, "
                       "so it must end at or above that");
    if (rule->kind == OC_RULE_FAMILY && rule->enter != rule->enter)
        return fail_at(l, node, "enter", "\"enter\" is missing");
    return OC_OK;
}

static struct oc_rule *find_same(struct oc_rules *rules, const struct oc_rule *rule)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (strcmp(rules->items[i].name, rule->name) == 0 &&
            rules->items[i].severity == rule->severity)
            return &rules->items[i];
    }
    return NULL;
}

/* ---- one rule ---- */

/* Takes *rule over, in the place of one of the same name and severity of an earlier file. */
static int add_rule(struct oc_loader *l, uint32_t node, struct oc_rule *take_rule)
{
    struct oc_rules *rules = &l->config->rules;
    struct oc_rule *same = find_same(rules, take_rule);
    struct oc_rule *items = NULL;
    char text[160];

    if (same && strcmp(same->file, take_rule->file) == 0) {
        (void)snprintf(text, sizeof(text),
                       "there is a rule of this name and severity already, at line %" PRIu32,
                       same->line);
        oc_rule_clear(take_rule);
        return oc_config_value_fail(l, node, OC_E_INVAL, text);
    }
    if (same) {
        oc_rule_clear(same);
        *same = *take_rule;
        return OC_OK;
    }
    if (rules->count == OC_RULES_MAX) {
        oc_rule_clear(take_rule);
        return oc_config_value_fail(l, node, OC_E_TOOBIG, "more than 256 rules");
    }
    items = oc_realloc(rules->items, (rules->count + 1) * sizeof(*items));
    if (!items) {
        oc_rule_clear(take_rule);
        return oc_config_value_nomem(l);
    }
    rules->items = items;
    items[rules->count++] = *take_rule;
    return OC_OK;
}

/* "enabled": false without a severity is for all defaults of the name. */
static int add_switched_off(struct oc_loader *l, const struct oc_rules *defaults, uint32_t node,
                            const struct oc_rule *like)
{
    int rc = OC_OK;

    for (size_t i = 0; i < defaults->count && rc == OC_OK; i++) {
        struct oc_rule rule = defaults->items[i];

        if (strcmp(rule.name, like->name) != 0)
            continue;
        rule.is_off = 1;
        rule.is_builtin = 0;
        rule.line = like->line;
        rule.file = oc_strdup(like->file);
        rc = rule.file ? add_rule(l, node, &rule) : oc_config_value_nomem(l);
    }
    return rc;
}

static int load_rule(struct oc_loader *l, const struct oc_rules *defaults, uint32_t node,
                     const cJSON *object)
{
    struct oc_rule rule = { .name = "" };
    int rc = OC_OK;

    if (!cJSON_IsObject(object))
        return oc_config_value_fail_type(
            l, node, "rules",
            "objects such as { \"name\": \"MemoryLimitForecast\", \"severity\": \"warning\", "
            "\"horizon\": \"12h\" }",
            object);
    rc = choose_base(l, defaults, node, object, &rule);
    if (rc < 0)
        return rc;
    rule.line = oc_config_value_line(l, node);
    rule.file = oc_strdup(l->scan.name);
    if (!rule.file)
        return oc_config_value_nomem(l);
    rc = oc_config_load_item(l, oc_section_rules(), node, object, &rule);
    if (rc == OC_OK && !rule.is_off)
        rc = oc_config_check_wanted(l, oc_section_rules(), node, object, rule.kind);
    if (rc == OC_OK)
        rc = check_rule(l, node, &rule);
    if (rc == OC_OK && rule.is_off && !severity_of(object) && count_named(defaults, rule.name) > 1)
        rc = add_switched_off(l, defaults, node, &rule);
    else if (rc == OC_OK)
        return add_rule(l, node, &rule);
    oc_rule_clear(&rule);
    return rc;
}

/* ---- all of them ---- */

int oc_config_load_rules(struct oc_loader *l, uint32_t node, const cJSON *value)
{
    struct oc_rules defaults = { NULL, 0 };
    const cJSON *item = NULL;
    size_t at = 0;
    int rc = OC_OK;

    if (!cJSON_IsArray(value))
        return oc_config_value_fail_type(l, node, "rules", "an array of objects", value);
    if (oc_rules_default(&defaults) < 0)
        return oc_config_value_nomem(l);
    cJSON_ArrayForEach(item, value)
    {
        rc = load_rule(l, &defaults, oc_config_scan_item(&l->scan, node, at++), item);
        if (rc < 0)
            break;
    }
    oc_rules_clear(&defaults);
    return rc;
}

/* Whether a rule of the files stands in the place of a default one: its name, and its severity where there are two of that. */
static int is_taken(const struct oc_rules *defaults, const struct oc_rule *rule,
                    const struct oc_rules *files)
{
    int is_only = count_named(defaults, rule->name) == 1;

    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->items[i].name, rule->name) == 0 &&
            (is_only || files->items[i].severity == rule->severity))
            return 1;
    }
    return 0;
}

/* Defaults first, in their order: those of the files behind them. */
int oc_config_finish_rules(struct oc_config *config, struct oc_detail *detail)
{
    struct oc_rules defaults = { NULL, 0 }, *files = &config->rules;
    struct oc_rule *items = NULL;
    size_t count = 0;

    if (oc_rules_default(&defaults) == OC_OK)
        items = oc_calloc(defaults.count + files->count, sizeof(*items));
    if (!items) {
        oc_rules_clear(&defaults);
        return oc_detail_set(detail, OC_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < defaults.count; i++) {
        if (!is_taken(&defaults, &defaults.items[i], files))
            items[count++] = defaults.items[i]; /* which holds nothing of its own */
    }
    if (count + files->count > OC_RULES_MAX) {
        oc_free(items);
        oc_free(defaults.items);
        return oc_detail_set(detail, OC_E_TOOBIG,
                             "with the default ones there are more than 256 rules");
    }
    for (size_t i = 0; i < files->count; i++)
        items[count++] = files->items[i];
    oc_free(defaults.items);
    oc_free(files->items);
    *files = (struct oc_rules){ items, count };
    return OC_OK;
}
