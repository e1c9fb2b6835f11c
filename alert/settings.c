/* Rules, windows and labels as they are set: compiled for each subject before anything changes. */
#include "alert/engine.h"

#include "base/alloc.h"

#include <string.h>

static const char *const *pairs_of(const struct oc_engine_subject *subject)
{
    return (const char *const *)subject->pairs;
}

struct compiled {
    struct oc_rule_set *set;
    struct oc_live **lives;
};

static void free_compiled(struct compiled *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        oc_free(items[i].set);
        oc_free(items[i].lives);
    }
    oc_free(items);
}

static int compile_one(const struct oc_rules *rules, const struct oc_windows *windows,
                       const char *name, const char *const *pairs, struct compiled *out)
{
    out->set = oc_engine_compile(rules, windows, name, pairs);
    if (!out->set)
        return OC_E_NOMEM;
    out->lives = oc_calloc(out->set->count + 1u, sizeof(struct oc_live *));
    return out->lives ? OC_OK : OC_E_NOMEM;
}

/* For all subjects, before anything is changed. 0 or OC_E_NOMEM. */
static int compile_all(const oc_alerts *alerts, const struct oc_rules *rules,
                       const struct oc_windows *windows, struct compiled **out_items)
{
    struct compiled *items = oc_calloc(alerts->subject_count + 1, sizeof(*items));

    if (!items)
        return OC_E_NOMEM;
    for (size_t i = 0; i < alerts->subject_count; i++) {
        const struct oc_engine_subject *subject = &alerts->subjects[i];

        if (subject->name &&
            compile_one(rules, windows, subject->name, pairs_of(subject), &items[i]) < 0) {
            free_compiled(items, alerts->subject_count);
            return OC_E_NOMEM;
        }
    }
    *out_items = items;
    return OC_OK;
}

static void use_all(oc_alerts *alerts, struct compiled *take_items, int64_t now_ms)
{
    for (size_t i = 0; i < alerts->subject_count; i++) {
        if (take_items[i].set)
            oc_engine_use(alerts, (uint32_t)i, take_items[i].set, take_items[i].lives, now_ms);
    }
    oc_free(take_items);
    oc_mute_look_all(alerts, OC_ALERT_NO_SUBJECT, now_ms);
}

int oc_alerts_set_rules(oc_alerts *alerts, const struct oc_rules *rules, int64_t now_ms)
{
    struct oc_rules copy = { 0 }, old = alerts->rules;
    struct compiled *items = NULL;

    if (oc_rules_copy(rules, &copy) < 0)
        return OC_E_NOMEM;
    if (compile_all(alerts, &copy, &alerts->windows, &items) < 0) {
        oc_rules_clear(&copy);
        return OC_E_NOMEM;
    }
    alerts->rules = copy;
    use_all(alerts, items, now_ms);
    oc_rules_clear(&old);
    return OC_OK;
}

int oc_alerts_set_windows(oc_alerts *alerts, const struct oc_windows *windows, int64_t now_ms)
{
    struct oc_windows copy = { 0 };
    struct compiled *items = NULL;

    if (oc_windows_copy(windows, &copy) < 0)
        return OC_E_NOMEM;
    if (compile_all(alerts, &alerts->rules, &copy, &items) < 0) {
        oc_windows_clear(&copy);
        return OC_E_NOMEM;
    }
    oc_windows_clear(&alerts->windows);
    alerts->windows = copy;
    alerts->windows_due_ms = OC_NO_TIME;
    for (size_t i = 0; i < OC_WINDOWS_MAX; i++)
        alerts->next_restart_ms[i] = OC_NEVER;
    (void)oc_window_tick(alerts, now_ms);
    use_all(alerts, items, now_ms);
    return OC_OK;
}

static int are_same(const char *const *a, const char *const *b)
{
    size_t i = 0;

    for (; a && b && a[i] && b[i]; i++) {
        if (strcmp(a[i], b[i]) != 0)
            return 0;
    }
    return (!a || !a[i]) && (!b || !b[i]);
}

/* Pointers and their strings in one block. NULL: no memory. */
static char **copy_pairs(const char *const *pairs, size_t count)
{
    size_t bytes = (count + 1) * sizeof(char *);
    char **copy = NULL;
    char *at = NULL;

    for (size_t i = 0; i < count; i++)
        bytes += strlen(pairs[i]) + 1;
    copy = oc_malloc(bytes);
    if (!copy)
        return NULL;
    at = (char *)(copy + count + 1);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(pairs[i]) + 1;

        copy[i] = memcpy(at, pairs[i], len);
        at += len;
    }
    copy[count] = NULL;
    return copy;
}

int oc_alerts_labels(oc_alerts *alerts, uint32_t handle, const char *const *pairs, int64_t now_ms)
{
    static const char *const none[] = { NULL };
    struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);
    struct compiled made = { 0 };
    char **copy = NULL;
    size_t count = 0;

    if (!subject)
        return OC_E_NOENT;
    if (!pairs)
        pairs = none;
    if (are_same(pairs_of(subject), pairs))
        return OC_OK;
    while (pairs[count] && pairs[count + 1] && count < (size_t)2 * OC_ALERT_LABELS_MAX)
        count += 2;
    copy = copy_pairs(pairs, count);
    if (!copy || compile_one(&alerts->rules, &alerts->windows, subject->name,
                             (const char *const *)copy, &made) < 0) {
        oc_free(copy);
        oc_free(made.set);
        return OC_E_NOMEM;
    }
    oc_free(subject->pairs);
    subject->pairs = copy;
    oc_engine_use(alerts, handle, made.set, made.lives, now_ms);
    oc_mute_look_all(alerts, handle, now_ms);
    return OC_OK;
}
