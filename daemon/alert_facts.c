/* What the rules are told: lives, samples, forecasts, walks. In the steady state a test of a byte a sample. */
#include "daemon/alert.h"

#include "daemon/daemon.h"
#include "daemon/labels.h"
#include "daemon/watch.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define FORGET_MS (INT64_C(24) * 3600000) /* after the last source of a subject ended */

/* ---- subjects ---- */

static const char *name_of(const struct oc_source *source, char *room, size_t room_bytes)
{
    if (source->kind == OC_SOURCE_HOST)
        return "host";
    if (source->kind == OC_SOURCE_SELF)
        return "oomcastd";
    if (source->subject)
        return source->subject->name;
    if (source->held_as)
        return source->held_as;
    if (source->tenant)
        return source->tenant; /* the limit of a service is told under its name */
    (void)snprintf(room, room_bytes, "cgroup:%s",
                   source->cgroup ? oc_cgroup_path(source->cgroup) : "");
    return room;
}

/* Its place in our list; NULL: no memory. */
static struct oc_alert_subject *entry_of(struct oc_alerting *a, uint32_t handle)
{
    void *items = a->subjects;
    size_t before = a->subject_capacity;

    if (handle < a->subject_count)
        return &a->subjects[handle];
    if (oc_array_grow(&items, &a->subject_capacity, (size_t)handle + 1, sizeof(a->subjects[0]),
                      (size_t)OC_MAX_SOURCES * 2) < 0)
        return NULL;
    a->subjects = items;
    if (a->subject_capacity > before)
        memset(a->subjects + before, 0, (a->subject_capacity - before) * sizeof(a->subjects[0]));
    a->subject_count = (size_t)handle + 1;
    return &a->subjects[handle];
}

static void set_labels(struct oc_daemon *daemon, const struct oc_source *source, uint32_t handle)
{
    const char *pairs[4 * OC_LABELS_MAX + 1];
    const struct oc_subject *tenant =
        source->tenant ? oc_subjects_find(&daemon->subjects, source->tenant) : NULL;
    const struct oc_target *target =
        oc_target_of(daemon, tenant && !source->held_as ? tenant->members : source);

    (void)oc_labels_merge(&daemon->config.labels, target ? &target->labels : NULL, pairs);
    (void)oc_alerts_labels(daemon->alerting.rules, handle, pairs, oc_alerting_now_ms(daemon));
}

static void look_what_is_wanted(struct oc_daemon *daemon, struct oc_source *source)
{
    struct oc_alerting *a = &daemon->alerting;

    source->alert_wants = (uint8_t)oc_alerts_wants(a->rules, source->alert_subject - 1);
}

static int is_life(const struct oc_source *source) { return source->kind == OC_SOURCE_PROCESS; }

/* A cgroup that is told under the name of who is in it. */
static int is_tenants(const struct oc_source *source)
{
    return source->kind == OC_SOURCE_CGROUP && source->tenant && !source->held_as;
}

static void tell_event(struct oc_daemon *daemon, const struct oc_source *source,
                       const struct oc_alert_event *event)
{
    oc_alerts_event(daemon->alerting.rules, source->alert_subject - 1, event,
                    oc_alerting_now_ms(daemon));
}

void oc_alerting_begin(struct oc_daemon *daemon, struct oc_source *source)
{
    struct oc_alerting *a = &daemon->alerting;
    struct oc_alert_event event = { .kind = OC_ALERT_EVENT_BEGAN,
                                    .source = source->id,
                                    .pid = source->id_of_proc.pid };
    struct oc_alert_subject *entry = NULL;
    char room[OC_ALERT_SUBJECT_BYTES];
    uint32_t handle = 0;

    if (!a->rules || source->alert_subject != 0)
        return;
    handle = oc_alerts_subject(a->rules, name_of(source, room, sizeof(room)),
                               (enum oc_source_kind)source->kind);
    entry = handle == OC_ALERT_NO_SUBJECT ? NULL : entry_of(a, handle);
    if (!entry) {
        daemon->troubles.no_memory++;
        return;
    }
    entry->live++;
    entry->is_known = 1;
    source->alert_subject = handle + 1;
    set_labels(daemon, source, handle);
    look_what_is_wanted(daemon, source);
    if (is_life(source) || source->kind == OC_SOURCE_CGROUP)
        tell_event(daemon, source, &event);
}

void oc_alerting_end(struct oc_daemon *daemon, struct oc_source *source)
{
    struct oc_alerting *a = &daemon->alerting;
    struct oc_alert_event event = { .kind = OC_ALERT_EVENT_ENDED,
                                    .source = source->id,
                                    .pid = source->id_of_proc.pid,
                                    .end = source->end,
                                    .status = source->end_status,
                                    .killer = (enum oc_killer)source->killer,
                                    .text = source->killer_scope };
    struct oc_alert_subject *entry = NULL;

    if (!a->rules || source->alert_subject == 0)
        return;
    if (is_life(source) && source->target < OC_TARGETS_MAX)
        a->rests[source->target] = (uint8_t)oc_source_ended_by_plan(source);
    tell_event(daemon, source, &event);
    entry = &a->subjects[source->alert_subject - 1];
    entry->live--;
    entry->ended_mono_ms = oc_now_mono_ms();
    if (!is_tenants(source)) /* a cgroup goes with the last in it, however that one ended */
        entry->was_left = source->end == OC_END_UNWATCHED;
    if (entry->live == 0 && entry->was_left && !daemon->stopping) {
        entry->is_known = 0;
        oc_alerts_forget(a->rules, source->alert_subject - 1, oc_alerting_now_ms(daemon));
    }
    source->alert_subject = 0;
    source->alert_wants = 0;
}

/* ---- whose cgroup it is ---- */

/* It has another name by now: what was told under the old one ends there. */
static void settle_name(struct oc_daemon *daemon, struct oc_source *source)
{
    char room[OC_ALERT_SUBJECT_BYTES];
    const enum oc_end end = source->end;

    if (source->alert_subject == 0 ||
        oc_alerts_subject(daemon->alerting.rules, name_of(source, room, sizeof(room)),
                          (enum oc_source_kind)source->kind) == source->alert_subject - 1)
        return;
    source->end = OC_END_UNWATCHED;
    oc_alerting_end(daemon, source);
    source->end = end;
    oc_alerting_begin(daemon, source);
}

/* Whether it changes whose it is. */
static int note_tenant(struct oc_daemon *daemon, struct oc_source *cgroup, const char *subject)
{
    const int is_another = cgroup->tenant && strcmp(cgroup->tenant, subject) != 0;

    if (cgroup->is_shared || (cgroup->tenant && !is_another))
        return 0;
    /* renamed by another config: the last of the old name is gone */
    cgroup->is_shared = is_another && oc_subjects_find(&daemon->subjects, cgroup->tenant);
    oc_free(cgroup->tenant);
    cgroup->tenant = cgroup->is_shared ? NULL : oc_strdup(subject);
    return 1;
}

void oc_alerting_moved_in(struct oc_daemon *daemon, struct oc_source *cgroup,
                          const struct oc_source *process)
{
    if (process->kind == OC_SOURCE_PROCESS && process->subject &&
        note_tenant(daemon, cgroup, process->subject->name))
        settle_name(daemon, cgroup);
}

void oc_alerting_name_again(struct oc_daemon *daemon, struct oc_source *cgroup)
{
    settle_name(daemon, cgroup);
}

static void find_tenants(struct oc_daemon *daemon)
{
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];

        if (!source || source->kind != OC_SOURCE_CGROUP)
            continue;
        oc_free(source->tenant);
        source->tenant = NULL;
        source->is_shared = 0;
    }
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];
        struct oc_source *cgroup =
            source ? oc_sources_at(&daemon->sources, source->cgroup_slot) : NULL;

        if (cgroup && source->kind == OC_SOURCE_PROCESS && source->subject)
            (void)note_tenant(daemon, cgroup, source->subject->name);
    }
}

/* ---- kills, and what is long over ---- */

void oc_alerting_oom_kill(struct oc_daemon *daemon, struct oc_source *source, const char *scope)
{
    struct oc_alert_event event = { .kind = OC_ALERT_EVENT_OOM_KILL,
                                    .source = source->id,
                                    .pid = source->id_of_proc.pid,
                                    .killer = (enum oc_killer)source->killer,
                                    .text = scope };

    if (daemon->alerting.rules && source->alert_subject != 0)
        tell_event(daemon, source, &event);
}

/* Nothing of theirs was seen for a day: what a restart loop or a missing one leaves behind. */
void oc_alerting_forget_old(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;
    int64_t before_ms = oc_now_mono_ms() - FORGET_MS;

    for (uint32_t i = 0; i < a->subject_count; i++) {
        struct oc_alert_subject *entry = &a->subjects[i];

        if (!entry->is_known || entry->live > 0 || entry->ended_mono_ms > before_ms)
            continue;
        entry->is_known = 0;
        oc_alerts_forget(a->rules, i, oc_alerting_now_ms(daemon));
    }
}

void oc_alerting_relabel(struct oc_daemon *daemon)
{
    find_tenants(daemon);
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];

        if (!source || source->alert_subject == 0)
            continue;
        settle_name(daemon, source);
        if (source->alert_subject == 0)
            continue;
        set_labels(daemon, source, source->alert_subject - 1);
        look_what_is_wanted(daemon, source);
    }
}

/* ---- samples ---- */

static void tell_sample(struct oc_daemon *daemon, struct oc_source *source,
                        const struct oc_sample *sample)
{
    struct oc_sample last = { .block = OC_BLOCK_PROCESS };

    if (!sample && !source->last.values)
        return;
    if (!sample)
        oc_last_get(&source->last, &last);
    oc_alerts_sample(daemon->alerting.rules, source->alert_subject - 1, source->id,
                     source->id_of_proc.pid, sample ? sample : &last, oc_alerting_now_ms(daemon));
}

void oc_alerting_fed(void *context, struct oc_source *source, int64_t t_ms,
                     const struct oc_sample *sample)
{
    struct oc_daemon *daemon = context;

    oc_forecast_fed(daemon, source, t_ms, sample);
    if (source->alert_wants & OC_ALERT_WANTS_SAMPLES)
        tell_sample(daemon, source, sample);
}

/* ---- forecasts ---- */

static int64_t next_end_ms(const struct oc_source *life, int64_t now_ms)
{
    return life->plan ? oc_plan_next_unix_ms(&life->plan->plan, life->plan->start_unix_ms, now_ms)
                      : 0;
}

/* When the system will end it by plan, of a sum the last of its lives; 0: nothing is known of that. */
static int64_t planned_ms(const struct oc_source *source, int64_t now_ms)
{
    int64_t last_ms = 0;

    if (source->kind != OC_SOURCE_GROUP || !source->subject)
        return next_end_ms(source, now_ms);
    for (const struct oc_source *life = source->subject->members; life; life = life->next_member) {
        int64_t at_ms = next_end_ms(life, now_ms);

        if (at_ms == 0)
            return 0;
        last_ms = at_ms > last_ms ? at_ms : last_ms;
    }
    return last_ms;
}

void oc_alerting_forecasts(struct oc_daemon *daemon, struct oc_source *source,
                           struct oc_forecast_row *rows, size_t count)
{
    struct oc_alerting *a = &daemon->alerting;
    struct oc_alert_outlook outlook;
    int64_t now_ms = 0;

    if (!a->rules || source->alert_subject == 0 ||
        !(source->alert_wants & OC_ALERT_WANTS_FORECASTS))
        return;
    now_ms = oc_alerting_now_ms(daemon);
    for (size_t i = 0; i < count; i++) {
        rows[i].forecast.t_ms += a->unix_minus_boot_ms;
        rows[i].forecast.since_ms += a->unix_minus_boot_ms;
    }
    if (is_life(source) && oc_alert_container_limit(daemon, source) != UINT64_MAX)
        oc_alerts_limited(a->rules, source->alert_subject - 1, now_ms);
    outlook = (struct oc_alert_outlook){ .source = source->id,
                                         .pid = source->id_of_proc.pid,
                                         .planned_ms = planned_ms(source, now_ms),
                                         .rows = rows,
                                         .count = count };
    oc_alerts_forecasts(a->rules, source->alert_subject - 1, &outlook, now_ms);
}

/* ---- walks ---- */

void oc_alerting_walk(struct oc_daemon *daemon, struct oc_source *source,
                      const struct oc_walk *walk)
{
    struct oc_alerting *a = &daemon->alerting;

    if (!a->rules || source->alert_subject == 0)
        return;
    if (source->alert_wants & OC_ALERT_WANTS_FAMILIES)
        oc_alerts_families(a->rules, source->alert_subject - 1, source->id, source->id_of_proc.pid,
                           &walk->census, oc_alerting_now_ms(daemon));
    oc_alert_cap_walk(daemon, source, walk);
}
