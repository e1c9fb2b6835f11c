/* The engine as others see it: subjects, facts, settings, and what there is. */
#include "alert/engine.h"

#include "base/alloc.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECTS_MAX 65536
#define ALERTS_MAX 20000
#define TICK_MS INT64_C(60000) /* looked at so often at least */
#define NOT_A_NUMBER ((double)NAN)

/* ---- its life ---- */

int oc_alerts_new(const struct oc_alerts_options *options, oc_alert_change_fn *fn, void *context,
                  oc_alerts **out_alerts)
{
    oc_alerts *alerts = oc_calloc(1, sizeof(*alerts));

    if (!alerts)
        return OC_E_NOMEM;
    if (options->instance)
        oc_text_copy_utf8(alerts->instance, sizeof(alerts->instance), options->instance,
                          strlen(options->instance));
    alerts->max_subjects = options->max_subjects ? options->max_subjects : SUBJECTS_MAX;
    alerts->max_alerts = options->max_alerts ? options->max_alerts : ALERTS_MAX;
    alerts->fn = fn;
    alerts->context = context;
    alerts->free_subject = OC_ALERT_NO_SUBJECT;
    alerts->silences_due_ms = alerts->windows_due_ms = OC_NEVER;
    for (size_t i = 0; i < OC_ENGINE_BUCKETS; i++)
        alerts->by_name[i] = OC_ALERT_NO_SUBJECT;
    for (size_t i = 0; i < OC_WINDOWS_MAX; i++)
        alerts->next_restart_ms[i] = OC_NEVER;
    oc_live_refill(alerts);
    if (alerts->spare_count < OC_ENGINE_SPARES) {
        oc_alerts_free(alerts);
        return OC_E_NOMEM;
    }
    *out_alerts = alerts;
    return OC_OK;
}

static void clear_subject(struct oc_engine_subject *subject)
{
    oc_free(subject->name);
    oc_free(subject->set);
    oc_free(subject->lives);
    oc_free(subject->pairs);
    oc_free(subject->ends);
    *subject = (struct oc_engine_subject){ .next = OC_ALERT_NO_SUBJECT, .limited_ms = OC_NO_TIME };
}

static void free_lives(oc_alerts *alerts)
{
    struct oc_live *next = NULL;

    for (struct oc_live *live = alerts->lives; live; live = next) {
        next = live->next;
        oc_free(live);
    }
    for (struct oc_live *live = alerts->spares; live; live = next) {
        next = live->next_bucket;
        oc_free(live);
    }
}

void oc_alerts_free(oc_alerts *alerts)
{
    if (!alerts)
        return;
    free_lives(alerts);
    for (size_t i = 0; i < alerts->subject_count; i++)
        clear_subject(&alerts->subjects[i]);
    oc_free(alerts->subjects);
    oc_free(alerts->silences);
    oc_rules_clear(&alerts->rules);
    oc_windows_clear(&alerts->windows);
    oc_free(alerts);
}

/* ---- subjects ---- */

struct oc_engine_subject *oc_engine_subject(const struct oc_alerts *alerts, uint32_t handle)
{
    if (handle >= alerts->subject_count || !alerts->subjects[handle].name)
        return NULL;
    return &alerts->subjects[handle];
}

static uint64_t hash_of(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    while (*name)
        hash = (hash ^ (unsigned char)*name++) * UINT64_C(1099511628211);
    return hash ^ hash >> 32;
}

static uint32_t find_subject(const struct oc_alerts *alerts, const char *name, uint64_t hash)
{
    uint32_t at = alerts->by_name[hash % OC_ENGINE_BUCKETS];

    while (at != OC_ALERT_NO_SUBJECT &&
           (alerts->subjects[at].hash != hash || strcmp(alerts->subjects[at].name, name) != 0))
        at = alerts->subjects[at].next;
    return at;
}

struct oc_engine_subject *oc_engine_find(const struct oc_alerts *alerts, const char *name)
{
    return oc_engine_subject(alerts, find_subject(alerts, name, hash_of(name)));
}

/* A free slot; OC_ALERT_NO_SUBJECT. */
static uint32_t new_slot(oc_alerts *alerts)
{
    void *items = alerts->subjects;
    uint32_t at = alerts->free_subject;

    if (at != OC_ALERT_NO_SUBJECT) {
        alerts->free_subject = alerts->subjects[at].next;
        return at;
    }
    if (oc_array_grow(&items, &alerts->subject_capacity, alerts->subject_count + 1,
                      sizeof(*alerts->subjects), alerts->max_subjects) < 0)
        return OC_ALERT_NO_SUBJECT;
    alerts->subjects = items;
    at = (uint32_t)alerts->subject_count++;
    alerts->subjects[at] = (struct oc_engine_subject){ .next = OC_ALERT_NO_SUBJECT };
    return at;
}

static void free_slot(oc_alerts *alerts, uint32_t at)
{
    clear_subject(&alerts->subjects[at]);
    alerts->subjects[at].next = alerts->free_subject;
    alerts->free_subject = at;
}

/* 0 or OC_E_NOMEM: nothing of it is left. */
static int fill_subject(oc_alerts *alerts, uint32_t at, const char *name, enum oc_source_kind kind)
{
    struct oc_engine_subject *subject = &alerts->subjects[at];

    *subject = (struct oc_engine_subject){ .next = OC_ALERT_NO_SUBJECT,
                                           .hash = hash_of(name),
                                           .kind = (uint8_t)kind,
                                           .is_host = strcmp(name, "host") == 0,
                                           .limited_ms = OC_NO_TIME };
    subject->name = oc_strdup(name);
    subject->set = oc_engine_compile(&alerts->rules, &alerts->windows, name, NULL);
    if (subject->set)
        subject->lives = oc_calloc(subject->set->count + 1u, sizeof(struct oc_live *));
    return subject->name && subject->lives ? OC_OK : OC_E_NOMEM;
}

static void enter_name(oc_alerts *alerts, uint32_t at)
{
    uint32_t *bucket = &alerts->by_name[alerts->subjects[at].hash % OC_ENGINE_BUCKETS];

    alerts->subjects[at].next = *bucket;
    *bucket = at;
    alerts->subjects_used++;
}

static void leave_name(oc_alerts *alerts, uint32_t at)
{
    uint32_t *link = &alerts->by_name[alerts->subjects[at].hash % OC_ENGINE_BUCKETS];

    while (*link != at)
        link = &alerts->subjects[*link].next;
    *link = alerts->subjects[at].next;
    alerts->subjects_used--;
}

uint32_t oc_alerts_subject(oc_alerts *alerts, const char *name, enum oc_source_kind kind)
{
    char cut[OC_ALERT_SUBJECT_BYTES];
    uint32_t at;

    oc_text_copy_utf8(cut, sizeof(cut), name, strlen(name));
    at = find_subject(alerts, cut, hash_of(cut));
    if (at != OC_ALERT_NO_SUBJECT)
        return at;
    at = new_slot(alerts);
    if (at != OC_ALERT_NO_SUBJECT && fill_subject(alerts, at, cut, kind) == OC_OK) {
        enter_name(alerts, at);
        return at;
    }
    if (at != OC_ALERT_NO_SUBJECT)
        free_slot(alerts, at);
    alerts->refused++;
    return OC_ALERT_NO_SUBJECT;
}

void oc_alerts_forget(oc_alerts *alerts, uint32_t handle, int64_t now_ms)
{
    struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);

    if (!subject)
        return;
    for (unsigned i = 0; i < subject->set->count; i++) {
        struct oc_live *live = subject->lives[i];

        if (!live)
            continue;
        if (!live->is_resting)
            oc_state_end(alerts, live, OC_ALERT_RESOLVED, "no longer watched", now_ms);
        oc_live_drop(alerts, live);
    }
    leave_name(alerts, handle);
    free_slot(alerts, handle);
}

/* ---- rules, windows, labels ---- */

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
    struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);
    struct compiled made = { 0 };
    char **copy = NULL;
    size_t count = 0;

    if (!subject)
        return OC_E_NOENT;
    if (are_same(pairs_of(subject), pairs))
        return OC_OK;
    while (pairs && pairs[count] && pairs[count + 1] && count < (size_t)2 * OC_ALERT_LABELS_MAX)
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

/* ---- facts ---- */

unsigned oc_alerts_wants(oc_alerts *alerts, uint32_t handle)
{
    const struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);
    unsigned wants = 0;

    if (!subject)
        return 0;
    if (subject->set->kinds & OC_KINDS_FORECAST)
        wants |= OC_ALERT_WANTS_FORECASTS;
    for (unsigned i = 0; i < OC_BLOCK_COUNT; i++) {
        if (subject->set->metrics[i])
            wants |= OC_ALERT_WANTS_SAMPLES;
    }
    if (subject->set->kinds & OC_KIND_BIT(OC_RULE_FAMILY))
        wants |= OC_ALERT_WANTS_FAMILIES;
    return wants;
}

uint64_t oc_alerts_wanted_metrics(oc_alerts *alerts, uint32_t handle, unsigned block)
{
    const struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);

    return subject && block < OC_BLOCK_COUNT ? subject->set->metrics[block] : 0;
}

/* A ceiling that ends it before the host's memory does. */
static int is_own_limit(unsigned kind)
{
    return kind == OC_LIMIT_CGROUP_MAX || kind == OC_LIMIT_CGROUP_HIGH ||
           kind == OC_LIMIT_CGROUP_MEMSW || kind == OC_LIMIT_RLIMIT_AS ||
           kind == OC_LIMIT_RLIMIT_DATA || kind == OC_LIMIT_COMMIT ||
           kind == OC_LIMIT_ADDRESS_SPACE || kind == OC_LIMIT_USER;
}

/* Whether any rule could hold: most sources are well, and then nothing more is done. */
static int note_rows(struct oc_engine_subject *subject, const struct oc_forecast_row *rows,
                     size_t count, int64_t now_ms)
{
    int is_of_interest = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_own_limit(rows[i].limit.kind))
            subject->limited_ms = now_ms;
        is_of_interest |= rows[i].forecast.state >= OC_FORECAST_WARMING;
    }
    return is_of_interest;
}

static struct oc_verdict empty_verdict(uint32_t source, uint32_t pid)
{
    return (struct oc_verdict){ .hold = OC_HOLD_OVER,
                                .source = source,
                                .pid = pid,
                                .value = NOT_A_NUMBER,
                                .bound = NOT_A_NUMBER,
                                .chance = NOT_A_NUMBER,
                                .deadline_s = (double)INFINITY };
}

void oc_alerts_forecasts(oc_alerts *alerts, uint32_t handle, uint32_t source, uint32_t pid,
                         const struct oc_forecast_row *rows, size_t count, int64_t now_ms)
{
    struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);

    if (!subject || !(subject->set->kinds & OC_KINDS_FORECAST))
        return;
    if (!note_rows(subject, rows, count, now_ms) && subject->live_count == 0)
        return;
    for (unsigned i = 0; i < subject->set->count; i++) {
        const struct oc_rule *rule = oc_engine_rule(alerts, subject, i);
        struct oc_verdict verdict = empty_verdict(source, pid);

        if (!(OC_KIND_BIT(rule->kind) & OC_KINDS_FORECAST) ||
            (rule->kind == OC_RULE_GROWTH && rule->metric != 0))
            continue;
        oc_rule_judge_forecast(alerts, subject, rule, rows, count, now_ms, &verdict);
        oc_state_judge(alerts, handle, i, &verdict, now_ms);
    }
}

void oc_alerts_sample(oc_alerts *alerts, uint32_t handle, uint32_t source, uint32_t pid,
                      const struct oc_sample *sample, int64_t now_ms)
{
    const struct oc_engine_subject *subject = oc_engine_subject(alerts, handle);

    if (!subject || sample->block >= OC_BLOCK_COUNT ||
        !(subject->set->metrics[sample->block] & sample->known))
        return;
    for (unsigned i = 0; i < subject->set->count; i++) {
        const struct oc_rule *rule = oc_engine_rule(alerts, subject, i);
        struct oc_verdict verdict = empty_verdict(source, pid);

        if (rule->kind != OC_RULE_THRESHOLD || !oc_sample_has(sample, (enum oc_metric)rule->metric))
            continue;
        oc_rule_judge_threshold(rule, (double)oc_sample_get(sample, (enum oc_metric)rule->metric),
                                &verdict);
        oc_state_judge(alerts, handle, i, &verdict, now_ms);
    }
}

void oc_alerts_families(oc_alerts *alerts, uint32_t handle, uint32_t source, uint32_t pid,
                        const struct oc_census *census, int64_t now_ms)
{
    (void)alerts;
    (void)handle;
    (void)source;
    (void)pid;
    (void)census;
    (void)now_ms;
}

/* ---- time ---- */

int64_t oc_alerts_tick(oc_alerts *alerts, int64_t now_ms)
{
    int64_t next_ms = now_ms + TICK_MS;
    struct oc_live *next = NULL;

    oc_live_refill(alerts);
    if (alerts->has_restored)
        oc_inhibit_all(alerts, now_ms);
    if (oc_silence_tick(alerts, now_ms) | oc_window_tick(alerts, now_ms))
        oc_mute_look_all(alerts, OC_ALERT_NO_SUBJECT, now_ms);
    for (struct oc_live *live = alerts->lives; live; live = next) {
        int64_t due_ms;

        next = live->next;
        due_ms = oc_state_tick(alerts, live, now_ms);
        if (due_ms < next_ms)
            next_ms = due_ms;
    }
    if (alerts->silences_due_ms < next_ms)
        next_ms = alerts->silences_due_ms;
    if (alerts->windows_due_ms < next_ms)
        next_ms = alerts->windows_due_ms;
    return next_ms > now_ms ? next_ms : now_ms + 1;
}

static void move(int64_t *time_ms, int64_t delta_ms)
{
    if (*time_ms != 0 && *time_ms != OC_NO_TIME && *time_ms != OC_NEVER)
        *time_ms += delta_ms;
}

void oc_alerts_clock(oc_alerts *alerts, int64_t delta_ms)
{
    for (struct oc_live *live = alerts->lives; live; live = live->next) {
        struct oc_alert *alert = &live->alert;

        move(&alert->pending_unix_ms, delta_ms);
        move(&alert->firing_unix_ms, delta_ms);
        move(&alert->ended_unix_ms, delta_ms);
        move(&alert->changed_unix_ms, delta_ms);
        move(&alert->acked_unix_ms, delta_ms);
        move(&alert->about.forecast.t_ms, delta_ms);
        move(&alert->about.forecast.since_ms, delta_ms);
        move(&live->over_since_ms, delta_ms);
        move(&live->seen_ms, delta_ms);
    }
    for (size_t i = 0; i < alerts->subject_count; i++) {
        struct oc_engine_subject *subject = &alerts->subjects[i];

        for (size_t at = 0; subject->ends && at < OC_ENDS_MAX; at++)
            move(&subject->ends[at], delta_ms);
    }
    /* silences and windows are of the wall clock: they stay, and are looked at anew */
    if (alerts->windows_due_ms != OC_NEVER)
        alerts->windows_due_ms = OC_NO_TIME;
    if (alerts->silences_due_ms != OC_NEVER)
        alerts->silences_due_ms = OC_NO_TIME;
}
