/* Which rules are in force for a subject: words are looked at here, and not again until something changes. */
#include "alert/engine.h"

#include "base/alloc.h"
#include "base/identity.h"
#include "base/text.h"

#include <string.h>

/* ---- words ---- */

int oc_match_subject(const struct oc_strings *globs, const char *subject)
{
    for (size_t i = 0; i < globs->count; i++) {
        if (oc_subject_is_meant(subject, globs->items[i]))
            return 1;
    }
    return globs->count == 0;
}

static const char *label_of(const char *const *pairs, const char *key, size_t key_bytes)
{
    for (; pairs && pairs[0]; pairs += 2) {
        if (strncmp(pairs[0], key, key_bytes) == 0 && pairs[0][key_bytes] == '\0')
            return pairs[1];
    }
    return NULL;
}

int oc_match_labels(const struct oc_strings *globs, const char *const *pairs)
{
    for (size_t i = 0; i < globs->count; i++) {
        const char *sign = strchr(globs->items[i], '=');
        const char *value =
            sign ? label_of(pairs, globs->items[i], (size_t)(sign - globs->items[i])) : NULL;

        if (!value || !oc_text_glob(sign + 1, value))
            return 0;
    }
    return 1;
}

int oc_rule_matches(const struct oc_rule *rule, const char *subject, const char *const *label_pairs)
{
    return !rule->is_off && oc_match_subject(&rule->subjects, subject) &&
           oc_match_labels(&rule->labels, label_pairs);
}

/* ---- sets ---- */

/* Of two rules with one name and severity the first is in force: their alerts would be the same. */
static int is_taken(const struct oc_rules *rules, const struct oc_rule_set *set,
                    const struct oc_rule *rule)
{
    for (unsigned i = 0; i < set->count; i++) {
        const struct oc_rule *other = &rules->items[set->rules[i]];

        if (other->severity == rule->severity && strcmp(other->name, rule->name) == 0)
            return 1;
    }
    return 0;
}

static void add_severity(const struct oc_rules *rules, unsigned severity, const char *name,
                         const char *const *pairs, struct oc_rule_set *set)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct oc_rule *rule = &rules->items[i];

        if (rule->severity == severity && oc_rule_matches(rule, name, pairs) &&
            !is_taken(rules, set, rule))
            set->rules[set->count++] = (uint16_t)i;
    }
}

static void note_wants(const struct oc_rules *rules, struct oc_rule_set *set)
{
    for (unsigned i = 0; i < set->count; i++) {
        const struct oc_rule *rule = &rules->items[set->rules[i]];

        set->kinds |= OC_KIND_BIT(rule->kind);
        if ((rule->kind == OC_RULE_THRESHOLD || rule->kind == OC_RULE_GROWTH) && rule->metric > 0 &&
            rule->metric < OC_METRIC_MAX)
            set->metrics[OC_METRIC_BLOCK(rule->metric)] |= OC_METRIC_BIT(rule->metric);
    }
}

static void note_windows(const struct oc_windows *windows, const char *name,
                         struct oc_rule_set *set)
{
    for (size_t i = 0; i < windows->count && i < OC_WINDOWS_MAX; i++) {
        if (oc_match_subject(&windows->items[i].subjects, name))
            set->windows |= UINT64_C(1) << i;
    }
}

struct oc_rule_set *oc_engine_compile(const struct oc_rules *rules,
                                      const struct oc_windows *windows, const char *name,
                                      const char *const *pairs)
{
    struct oc_rule_set *set = oc_calloc(1, sizeof(*set) + rules->count * sizeof(set->rules[0]));

    if (!set)
        return NULL;
    add_severity(rules, OC_SEVERITY_CRITICAL, name, pairs, set);
    add_severity(rules, OC_SEVERITY_WARN, name, pairs, set);
    note_wants(rules, set);
    note_windows(windows, name, set);
    return set;
}

/* The slot of the rule that an alert is of; the set's count: there is none. */
static unsigned slot_of(const struct oc_rules *rules, const struct oc_rule_set *set,
                        const struct oc_alert *alert)
{
    unsigned slot = 0;

    for (; slot < set->count; slot++) {
        const struct oc_rule *rule = &rules->items[set->rules[slot]];

        if (rule->kind == alert->kind && rule->severity == alert->severity &&
            strcmp(rule->name, alert->rule) == 0)
            break;
    }
    return slot;
}

int oc_engine_slot(const struct oc_alerts *alerts, const struct oc_engine_subject *subject,
                   const struct oc_alert *alert, unsigned *out_slot)
{
    if (!subject->set)
        return OC_E_NOENT;
    *out_slot = slot_of(&alerts->rules, subject->set, alert);
    return *out_slot < subject->set->count ? OC_OK : OC_E_NOENT;
}

/* Those that have a place in the new set; the others are left for the caller in old_lives. */
static void move_lives(const struct oc_alerts *alerts, const struct oc_rule_set *set,
                       struct oc_live **from, unsigned from_count, struct oc_live **to)
{
    for (unsigned i = 0; i < from_count; i++) {
        struct oc_live *live = from[i];
        unsigned slot = live ? slot_of(&alerts->rules, set, &live->alert) : set->count;

        if (slot >= set->count)
            continue;
        live->slot = (uint16_t)slot;
        to[slot] = live;
        from[i] = NULL;
    }
}

void oc_engine_use(struct oc_alerts *alerts, uint32_t handle, struct oc_rule_set *take_set,
                   struct oc_live **take_lives, int64_t now_ms)
{
    struct oc_engine_subject *subject = &alerts->subjects[handle];
    struct oc_live **old_lives = subject->lives;
    unsigned old_count = subject->set ? subject->set->count : 0;

    oc_free(subject->set);
    subject->set = take_set;
    subject->lives = take_lives;
    move_lives(alerts, take_set, old_lives, old_count, take_lives);
    for (unsigned i = 0; i < old_count; i++) {
        if (!old_lives[i])
            continue;
        old_lives[i]->slot = UINT16_MAX; /* it has no rule any more */
        if (!old_lives[i]->is_resting)
            oc_state_end(alerts, old_lives[i], OC_ALERT_RESOLVED,
                         "no rule of that name is in force for it any more", now_ms);
        oc_live_drop(alerts, old_lives[i]);
    }
    oc_free(old_lives);
}
