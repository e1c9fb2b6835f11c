/* Rules and receivers: their words, and the memory that they hold. */
#include "base/rule.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

static const char *const kind_names[OC_RULE_KINDS] = {
    [OC_RULE_FORECAST] = "forecast",   [OC_RULE_THRESHOLD] = "threshold",
    [OC_RULE_GROWTH] = "growth",       [OC_RULE_FAMILY] = "family_growth",
    [OC_RULE_EXHAUSTED] = "exhausted", [OC_RULE_OOM_KILL] = "oom_kill",
    [OC_RULE_MISSING] = "missing",     [OC_RULE_RESTART_LOOP] = "restart_loop",
    [OC_RULE_DEGRADED] = "degraded",   [OC_RULE_HEAP_CAP] = "heap_cap",
    [OC_RULE_NO_LIMIT] = "no_limit",
};
static const char *const type_names[OC_RECEIVER_TYPES] = {
    [OC_RECEIVER_WEBHOOK] = "webhook", [OC_RECEIVER_ALERTMANAGER] = "alertmanager",
    [OC_RECEIVER_SLACK] = "slack",     [OC_RECEIVER_TEAMS] = "teams",
    [OC_RECEIVER_EMAIL] = "email",     [OC_RECEIVER_JOURNAL] = "journal",
    [OC_RECEIVER_HOOK] = "hook",       [OC_RECEIVER_HEARTBEAT] = "heartbeat",
};

const char *oc_severity_name(unsigned severity)
{
    static const char *const names[] = { "", "warning", "critical" };

    return severity < sizeof(names) / sizeof(names[0]) ? names[severity] : "";
}

static const char *name_of(const char *const *names, unsigned count, unsigned number)
{
    return number > 0 && number < count ? names[number] : "?";
}

static unsigned number_of(const char *const *names, unsigned count, const char *name)
{
    for (unsigned i = 1; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return 0;
}

const char *oc_rule_kind_name(unsigned kind) { return name_of(kind_names, OC_RULE_KINDS, kind); }

unsigned oc_rule_kind_of(const char *name) { return number_of(kind_names, OC_RULE_KINDS, name); }

const char *oc_receiver_type_name(unsigned type)
{
    return name_of(type_names, OC_RECEIVER_TYPES, type);
}

unsigned oc_receiver_type_of(const char *name)
{
    return number_of(type_names, OC_RECEIVER_TYPES, name);
}

/* ---- words ---- */

void oc_strings_clear(struct oc_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        oc_free(strings->items[i]);
    oc_free(strings->items);
    *strings = (struct oc_strings){ 0 };
}

static char *copy_of(const char *text, size_t len_bytes)
{
    char *copy = oc_malloc(len_bytes + 1);

    if (copy) {
        memcpy(copy, text, len_bytes);
        copy[len_bytes] = '\0';
    }
    return copy;
}

int oc_strings_add(struct oc_strings *strings, const char *text, size_t len_bytes)
{
    char **items = oc_realloc(strings->items, (strings->count + 1) * sizeof(*items));

    if (!items)
        return OC_E_NOMEM;
    strings->items = items;
    items[strings->count] = copy_of(text, len_bytes);
    if (!items[strings->count])
        return OC_E_NOMEM;
    strings->count++;
    return OC_OK;
}

int oc_strings_copy(const struct oc_strings *from, struct oc_strings *out)
{
    struct oc_strings copy = { 0 };

    for (size_t i = 0; i < from->count; i++) {
        if (oc_strings_add(&copy, from->items[i], strlen(from->items[i])) < 0) {
            oc_strings_clear(&copy);
            return OC_E_NOMEM;
        }
    }
    *out = copy;
    return OC_OK;
}

/* Secrets do not stay in memory that is given back. */
static void wipe(char *text)
{
    volatile char *at = text;

    while (at && *at)
        *at++ = '\0';
}

static void wipe_strings(struct oc_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        wipe(strings->items[i]);
    oc_strings_clear(strings);
}

/* A NULL stays one. 0 or OC_E_NOMEM. */
static int copy_text(const char *from, char **out)
{
    *out = from ? copy_of(from, strlen(from)) : NULL;
    return from && !*out ? OC_E_NOMEM : OC_OK;
}

/* ---- rules ---- */

void oc_rule_clear(struct oc_rule *rule)
{
    oc_strings_clear(&rule->subjects);
    oc_strings_clear(&rule->labels);
    oc_strings_clear(&rule->families);
    oc_free(rule->file);
    *rule = (struct oc_rule){ 0 };
}

void oc_rules_clear(struct oc_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        oc_rule_clear(&rules->items[i]);
    oc_free(rules->items);
    *rules = (struct oc_rules){ 0 };
}

static int copy_rule(const struct oc_rule *from, struct oc_rule *out)
{
    *out = *from;
    out->subjects = out->labels = out->families = (struct oc_strings){ 0 };
    out->file = NULL;
    if (oc_strings_copy(&from->subjects, &out->subjects) < 0 ||
        oc_strings_copy(&from->labels, &out->labels) < 0 ||
        oc_strings_copy(&from->families, &out->families) < 0 ||
        copy_text(from->file, &out->file) < 0) {
        oc_rule_clear(out);
        return OC_E_NOMEM;
    }
    return OC_OK;
}

int oc_rules_copy(const struct oc_rules *from, struct oc_rules *out)
{
    struct oc_rules copy = { 0 };

    if (from->count > 0)
        copy.items = oc_calloc(from->count, sizeof(*copy.items));
    if (from->count > 0 && !copy.items)
        return OC_E_NOMEM;
    for (; copy.count < from->count; copy.count++) {
        if (copy_rule(&from->items[copy.count], &copy.items[copy.count]) < 0) {
            oc_rules_clear(&copy);
            return OC_E_NOMEM;
        }
    }
    *out = copy;
    return OC_OK;
}

/* ---- windows ---- */

static void clear_window(struct oc_window *window)
{
    oc_strings_clear(&window->subjects);
    oc_free(window->file);
    *window = (struct oc_window){ 0 };
}

void oc_windows_clear(struct oc_windows *windows)
{
    for (size_t i = 0; i < windows->count; i++)
        clear_window(&windows->items[i]);
    oc_free(windows->items);
    *windows = (struct oc_windows){ 0 };
}

static int copy_window(const struct oc_window *from, struct oc_window *out)
{
    *out = *from;
    out->subjects = (struct oc_strings){ 0 };
    out->file = NULL;
    if (oc_strings_copy(&from->subjects, &out->subjects) < 0 ||
        copy_text(from->file, &out->file) < 0) {
        clear_window(out);
        return OC_E_NOMEM;
    }
    return OC_OK;
}

int oc_windows_copy(const struct oc_windows *from, struct oc_windows *out)
{
    struct oc_windows copy = { 0 };

    if (from->count > 0)
        copy.items = oc_calloc(from->count, sizeof(*copy.items));
    if (from->count > 0 && !copy.items)
        return OC_E_NOMEM;
    for (; copy.count < from->count; copy.count++) {
        if (copy_window(&from->items[copy.count], &copy.items[copy.count]) < 0) {
            oc_windows_clear(&copy);
            return OC_E_NOMEM;
        }
    }
    *out = copy;
    return OC_OK;
}

/* ---- receivers ---- */

void oc_receiver_clear(struct oc_receiver *receiver)
{
    oc_strings_clear(&receiver->subjects);
    oc_strings_clear(&receiver->labels);
    oc_strings_clear(&receiver->rules);
    oc_strings_clear(&receiver->argv);
    oc_strings_clear(&receiver->to);
    wipe_strings(&receiver->urls);
    wipe_strings(&receiver->signing);
    wipe(receiver->secret);
    oc_free(receiver->secret);
    oc_free(receiver->file);
    *receiver = (struct oc_receiver){ 0 };
}

void oc_receivers_clear(struct oc_receivers *receivers)
{
    for (size_t i = 0; i < receivers->count; i++)
        oc_receiver_clear(&receivers->items[i]);
    oc_free(receivers->items);
    *receivers = (struct oc_receivers){ 0 };
}

static int copy_lists(const struct oc_receiver *from, struct oc_receiver *out)
{
    if (oc_strings_copy(&from->subjects, &out->subjects) < 0 ||
        oc_strings_copy(&from->labels, &out->labels) < 0 ||
        oc_strings_copy(&from->rules, &out->rules) < 0 ||
        oc_strings_copy(&from->urls, &out->urls) < 0 ||
        oc_strings_copy(&from->argv, &out->argv) < 0 || oc_strings_copy(&from->to, &out->to) < 0 ||
        oc_strings_copy(&from->signing, &out->signing) < 0)
        return OC_E_NOMEM;
    return OC_OK;
}

static int copy_receiver(const struct oc_receiver *from, struct oc_receiver *out)
{
    const struct oc_strings none = { 0 };

    *out = *from;
    out->subjects = out->labels = out->rules = out->urls = none;
    out->argv = out->to = out->signing = none;
    out->secret = out->file = NULL;
    if (copy_lists(from, out) < 0 || copy_text(from->secret, &out->secret) < 0 ||
        copy_text(from->file, &out->file) < 0) {
        oc_receiver_clear(out);
        return OC_E_NOMEM;
    }
    return OC_OK;
}

int oc_receivers_copy(const struct oc_receivers *from, struct oc_receivers *out)
{
    struct oc_receivers copy = { 0 };

    if (from->count > 0)
        copy.items = oc_calloc(from->count, sizeof(*copy.items));
    if (from->count > 0 && !copy.items)
        return OC_E_NOMEM;
    for (; copy.count < from->count; copy.count++) {
        if (copy_receiver(&from->items[copy.count], &copy.items[copy.count]) < 0) {
            oc_receivers_clear(&copy);
            return OC_E_NOMEM;
        }
    }
    *out = copy;
    return OC_OK;
}
