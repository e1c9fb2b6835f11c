#include "daemon/groups.h"

#include "daemon/walks.h"

#include "base/alloc.h"
#include "base/os.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS INT64_C(1000000)
#define SLICE_NS (5 * NS_PER_MS) /* of reading, then the loop looks around */
#define CLOCK_EVERY 16           /* reads between two looks at the clock */

int oc_groups_init(struct oc_groups *groups, uv_loop_t *loop, oc_probe *probe, oc_writer *writer,
                   const struct oc_clock *clock, const struct oc_groups_hooks *hooks)
{
    memset(groups, 0, sizeof(*groups));
    groups->loop = loop;
    groups->probe = probe;
    groups->writer = writer;
    groups->clock = clock;
    groups->hooks = *hooks;
    groups->idle.data = groups;
    return uv_idle_init(loop, &groups->idle) == 0 ? OC_OK : OC_E_NOMEM;
}

/* ---- the timer of a group ---- */

static void on_timer(uv_timer_t *timer);
static void enqueue_births(struct oc_group *group);
static void close_group(struct oc_group *group);

static void arm(struct oc_group *group)
{
    int64_t now_ms = oc_clock_mono_ns() / NS_PER_MS;
    int64_t wait_ms = oc_schedule_next_ms(&group->schedule) - now_ms;

    uv_update_time(group->owner->loop);
    (void)uv_timer_start(&group->timer, on_timer, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

/* ---- membership ---- */

static int by_id(const void *a, const void *b)
{
    const struct oc_source *x = *(struct oc_source *const *)a;
    const struct oc_source *y = *(struct oc_source *const *)b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* Takes out those that left. */
static void compact(struct oc_group *group)
{
    size_t count = 0;

    for (size_t i = 0; i < group->count; i++) {
        if (group->members[i])
            group->members[count++] = group->members[i];
    }
    group->count = count;
}

/* Takes in the newly born behind the others. Returns 0 or OC_E_NOMEM (they wait on). */
static int take_in_born(struct oc_group *group)
{
    void *members = group->members;
    size_t before = group->count;
    int rc = oc_array_grow(&members, &group->capacity, group->live, sizeof(group->members[0]),
                           OC_GROUP_MEMBERS);

    if (rc < 0)
        return rc;
    group->members = members;
    while (group->born) {
        group->members[group->count++] = group->born;
        group->born = group->born->next_born;
    }
    qsort(group->members + before, group->count - before, sizeof(group->members[0]), by_id);
    return OC_OK;
}

static struct oc_group *find_group(const struct oc_groups *groups, enum oc_group_class class,
                                   int32_t interval_ms)
{
    for (struct oc_group *group = groups->list; group; group = group->next) {
        if (group->class == class && group->interval_ms == interval_ms &&
            group->live < OC_GROUP_MEMBERS)
            return group;
    }
    return NULL;
}

/* The lowest phase that no group of the interval has. */
static uint32_t free_phase(const struct oc_groups *groups, int32_t interval_ms)
{
    uint32_t phase = 0;
    const struct oc_group *group = groups->list;

    while (group) {
        if (group->interval_ms == interval_ms && group->phase == phase) {
            phase++;
            group = groups->list;
        } else {
            group = group->next;
        }
    }
    return phase;
}

static int make_group(struct oc_groups *groups, enum oc_group_class class, int32_t interval_ms,
                      struct oc_group **out_group)
{
    struct oc_group *group = oc_calloc(1, sizeof(*group));

    if (!group)
        return OC_E_NOMEM;
    group->owner = groups;
    group->class = class;
    group->number = groups->next_number++;
    group->phase = free_phase(groups, interval_ms);
    group->interval_ms = interval_ms;
    group->timer.data = group;
    group->must_key = 1;
    (void)uv_timer_init(groups->loop, &group->timer); /* cannot fail */
    oc_schedule_init(&group->schedule, oc_clock_mono_ns() / NS_PER_MS, interval_ms, group->phase);
    group->next = groups->list;
    groups->list = group;
    arm(group);
    *out_group = group;
    return OC_OK;
}

int oc_groups_join(struct oc_groups *groups, struct oc_source *source, enum oc_group_class class)
{
    struct oc_group *group = find_group(groups, class, source->interval_ms);
    int rc = OC_OK;

    assert(!source->group);
    if (!group)
        rc = make_group(groups, class, source->interval_ms, &group);
    if (rc < 0)
        return rc;
    source->group = group;
    source->must_put = 1;
    source->next_born = group->born;
    group->born = source;
    group->live++;
    enqueue_births(group);
    return OC_OK;
}

static void leave_born(struct oc_group *group, struct oc_source *source)
{
    struct oc_source **at = &group->born;

    while (*at && *at != source)
        at = &(*at)->next_born;
    if (*at)
        *at = source->next_born;
}

/* A linear search: a source leaves once in its life. */
void oc_groups_leave(struct oc_groups *groups, struct oc_source *source)
{
    struct oc_group *group = source->group;

    (void)groups;
    if (!group)
        return;
    source->group = NULL;
    group->live--;
    for (size_t i = 0; i < group->count; i++) {
        if (group->members[i] == source) {
            group->members[i] = NULL;
            return;
        }
    }
    leave_born(group, source);
}

/* ---- one tick ---- */

static void put_last(struct oc_groups *groups, struct oc_source *source)
{
    struct oc_sample sample;

    sample.block = OC_BLOCK_PROCESS;
    oc_last_get(&source->last, &sample);
    oc_tick_put(&groups->message->tick, source->id, &sample);
}

/* The figures of a walk go into one sample, at the time when they were learned. */
static void merge_walk(struct oc_source *source, struct oc_sample *sample)
{
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        uint64_t mask = OC_METRIC_BIT(bit);

        if (!(source->walk->known & mask) || (sample->known & mask))
            continue;
        sample->values[bit] = source->walk->values[bit];
        sample->known |= mask;
    }
    source->has_walk = 0;
    source->must_put = 1; /* without them again next time */
}

static void feed(struct oc_groups *groups, struct oc_source *source, const struct oc_sample *sample)
{
    if (groups->hooks.fed)
        groups->hooks.fed(groups->hooks.context, source, groups->message->tick.t_ms, sample);
}

static void put_walked(struct oc_groups *groups, struct oc_source *source)
{
    struct oc_sample sample;

    sample.block = OC_BLOCK_PROCESS;
    oc_last_get(&source->last, &sample);
    merge_walk(source, &sample);
    oc_tick_put(&groups->message->tick, source->id, &sample);
    feed(groups, source, &sample);
}

static void put_same(struct oc_groups *groups, struct oc_source *source)
{
    int must_put = groups->keyed || source->must_put;

    if (source->has_last && source->has_walk) {
        put_walked(groups, source);
        return;
    }
    feed(groups, source, NULL);
    if (source->has_last && must_put) {
        source->must_put = 0;
        put_last(groups, source);
    } else if (!must_put) {
        oc_tick_same(&groups->message->tick, source->id);
    }
}

/*
 * Whether it did anything since the sample before: one that did not has the mappings that it had,
 * though its resident size may move (reclaim). What cannot be told counts as moved; a first sample
 * does not, the first walk comes with it.
 */
static int has_moved(const struct oc_last *last, const struct oc_sample *sample)
{
    static const unsigned char bits[] = { OC_METRIC_CPU_TIME, OC_METRIC_VIRTUAL, OC_METRIC_COMMIT };
    int64_t before = 0;

    if (!last->values)
        return 0;
    if (!oc_sample_has(sample, OC_METRIC_CPU_TIME))
        return 1;
    for (size_t i = 0; i < sizeof(bits); i++) {
        if (sample->known & OC_METRIC_BIT(bits[i]) &&
            (oc_last_value(last, bits[i], &before) < 0 || before != sample->values[bits[i]]))
            return 1;
    }
    return 0;
}

static void note_activity(struct oc_source *source, const struct oc_sample *sample)
{
    if ((!source->moved || !source->ran) && has_moved(&source->last, sample)) {
        source->moved = 1;
        source->ran = 1;
    }
    oc_walks_note_growth(source, sample);
}

static int is_kept(const struct oc_source *source)
{
    return source->kind == OC_SOURCE_PROCESS || source->kind == OC_SOURCE_GROUP;
}

/* A pinned look reads each tick; where it finds the figures that the store has, "same" says so. */
static void put_new(struct oc_groups *groups, struct oc_source *source, struct oc_sample *sample)
{
    int kept = OC_OK;

    if (source->kind == OC_SOURCE_PROCESS)
        note_activity(source, sample);
    if (is_kept(source)) /* the others are few, and seldom the same */
        kept = oc_last_keep(&source->last, sample);
    source->has_last = is_kept(source) && kept >= 0;
    if (kept == OC_LAST_SAME) {
        put_same(groups, source);
        return;
    }
    source->must_put = 0;
    if (source->has_walk)
        merge_walk(source, sample);
    oc_tick_put(&groups->message->tick, source->id, sample);
    feed(groups, source, sample);
}

static int read_source(struct oc_groups *groups, struct oc_source *source, struct oc_sample *sample)
{
    switch (source->kind) {
    case OC_SOURCE_PROCESS:
    case OC_SOURCE_SELF:
        return oc_probe_read(groups->probe, source->proc, sample);
    case OC_SOURCE_CGROUP:
        return oc_probe_cgroup_read(groups->probe, source->cgroup, sample);
    case OC_SOURCE_HOST:
        return oc_probe_host_read(groups->probe, sample);
    case OC_SOURCE_GROUP:
        return oc_subject_sum(source->subject, sample);
    }
    return OC_E_INVAL;
}

static void tick_source(struct oc_groups *groups, struct oc_source *source)
{
    struct oc_sample sample;
    int rc = read_source(groups, source, &sample);

    if (rc == OC_READ_SAME) {
        put_same(groups, source);
    } else if (rc == OC_OK) {
        put_new(groups, source, &sample);
        if (groups->hooks.sampled &&
            (source->kind == OC_SOURCE_CGROUP || source->kind == OC_SOURCE_HOST))
            groups->hooks.sampled(groups->hooks.context, source, &sample);
    } else {
        source->must_put = 1;
        if (rc == OC_E_GONE) {
            source->gone++;
            groups->found_gone = 1;
        }
        return;
    }
    if (source->kind == OC_SOURCE_SELF && groups->hooks.more)
        groups->hooks.more(groups->hooks.context, source, &groups->message->tick);
}

/* The scheduled time where the tick is on time: keeps the time column compressible. */
static int64_t tick_time_ms(const struct oc_groups *groups, const struct oc_group *group,
                            int64_t now_ms)
{
    int64_t mono_ms = group->due.late ? now_ms : group->due.due_mono_ms;

    return oc_clock_boot_ms(groups->clock, mono_ms);
}

static void abandon_tick(struct oc_groups *groups, struct oc_group *group)
{
    groups->stats.failed++;
    group->must_key = 1;
    group->queued = 0;
    group->births_only = 0;
    oc_writer_give_back(groups->writer, groups->message);
    groups->message = NULL;
    groups->current = NULL;
    arm(group);
}

/* What the tick at hand is to read. */
static int choose_members(struct oc_groups *groups, struct oc_group *group)
{
    size_t old_count = 0;
    int rc = OC_OK;

    compact(group);
    old_count = group->count;
    if (group->born)
        rc = take_in_born(group);
    if (rc < 0)
        return rc;
    if (!group->births_only && group->unsorted) {
        qsort(group->members, group->count, sizeof(group->members[0]), by_id);
        group->unsorted = 0;
    }
    if (group->count > old_count) {
        if (group->births_only)
            group->unsorted = 1;
        else
            qsort(group->members, group->count, sizeof(group->members[0]), by_id);
    }
    groups->at = group->births_only ? old_count : 0;
    groups->end = group->count;
    return OC_OK;
}

/* A tick of the newly born alone leans on none before it, and none leans on it. */
static void choose_chain(struct oc_groups *groups, struct oc_group *group)
{
    assert(groups->message);
    if (group->births_only) {
        groups->message->group = UINT32_MAX;
        groups->keyed = 1;
        return;
    }
    groups->message->group = group->number;
    groups->keyed = oc_writer_wants_key(groups->writer, &group->epoch) || group->must_key;
    group->must_key = 0;
}

/* It may have waited for its turn since its timer fired. */
static void note_lateness(struct oc_group *group, int64_t now_ms)
{
    if (!group->births_only &&
        now_ms - group->due.due_mono_ms > oc_schedule_tolerance_ms(group->interval_ms))
        group->due.late = 1;
}

/* Returns 0, or a code: then there is no tick at hand. */
static int begin_tick(struct oc_groups *groups, struct oc_group *group)
{
    struct oc_clock_reading reading = oc_clock_read();
    int rc = choose_members(groups, group);

    groups->current = group;
    groups->message = NULL;
    if (rc == OC_OK) {
        groups->message = oc_writer_message(groups->writer, OC_MESSAGE_TICK);
        rc = groups->message ? OC_OK : OC_E_NOMEM;
    }
    if (rc == OC_OK) {
        groups->hooks.tick(groups->hooks.context, &reading);
        rc = oc_probe_tick_begin(groups->probe, reading.mono_ns);
    }
    if (rc < 0) {
        abandon_tick(groups, group);
        return rc;
    }
    choose_chain(groups, group);
    note_lateness(group, reading.mono_ns / NS_PER_MS);
    oc_tick_begin(&groups->message->tick, tick_time_ms(groups, group, reading.mono_ns / NS_PER_MS));
    groups->found_gone = 0;
    groups->begin_ns = reading.mono_ns;
    return OC_OK;
}

static void count_tick(struct oc_groups *groups, const struct oc_group *group, int64_t now_ns)
{
    uint64_t took_us = (uint64_t)(now_ns - groups->begin_ns) / 1000;

    if (took_us > groups->stats.worst_us)
        groups->stats.worst_us = took_us;
    groups->stats.samples += groups->message->tick.source_count;
    if (group->births_only)
        return;
    groups->stats.ticks++;
    groups->stats.late += group->due.late ? 1 : 0;
    groups->stats.skipped += (uint64_t)group->due.skipped;
}

static void end_tick(struct oc_groups *groups)
{
    struct oc_group *group = groups->current;
    struct oc_message *message = groups->message;

    if (message->tick.bytes.err < 0) {
        abandon_tick(groups, group);
    } else {
        count_tick(groups, group, oc_clock_mono_ns());
        groups->message = NULL;
        groups->current = NULL;
        group->queued = 0;
        group->births_only = 0;
        if (message->tick.source_count > 0)
            oc_writer_push(groups->writer, message);
        else
            oc_writer_give_back(groups->writer, message);
        arm(group);
    }
    if (group->born)
        enqueue_births(group);
    if (groups->found_gone)
        groups->hooks.gone(groups->hooks.context);
}

/* Reads up to a slice's time. Returns 1 when the tick is complete. */
static int read_slice(struct oc_groups *groups, int64_t until_ns)
{
    struct oc_group *group = groups->current;

    while (groups->at < groups->end) {
        struct oc_source *source = group->members[groups->at++];

        if (source)
            tick_source(groups, source);
        if (source && group->births_only)
            source->must_put = 1;
        if (groups->at % CLOCK_EVERY == 0 && oc_clock_mono_ns() >= until_ns)
            return groups->at >= groups->end;
    }
    return 1;
}

/* ---- turns ---- */

static struct oc_group *next_due(struct oc_groups *groups)
{
    struct oc_group *group = groups->due_first;

    if (group) {
        groups->due_first = group->next_due;
        if (!groups->due_first)
            groups->due_last = NULL;
        group->next_due = NULL;
    }
    return group;
}

/* Works on due ticks for one slice; the idle handle brings it back while there is more. */
static void work(struct oc_groups *groups)
{
    int64_t until_ns = oc_clock_mono_ns() + SLICE_NS;

    while (groups->current || groups->due_first) {
        if (!groups->current && begin_tick(groups, next_due(groups)) < 0)
            continue;
        if (!read_slice(groups, until_ns))
            return;
        end_tick(groups);
        if (oc_clock_mono_ns() >= until_ns)
            break;
    }
    if (!groups->current && !groups->due_first)
        (void)uv_idle_stop(&groups->idle);
}

static void on_idle(uv_idle_t *idle) { work(idle->data); }

static void enqueue(struct oc_group *group)
{
    struct oc_groups *groups = group->owner;

    group->queued = 1;
    if (groups->due_last)
        groups->due_last->next_due = group;
    else
        groups->due_first = group;
    groups->due_last = group;
    (void)uv_idle_start(&groups->idle, on_idle);
}

static void enqueue_births(struct oc_group *group)
{
    if (group->queued)
        return;
    group->births_only = 1;
    group->due = (struct oc_due){ .due_mono_ms = oc_clock_mono_ns() / NS_PER_MS };
    enqueue(group);
}

static void on_timer(uv_timer_t *timer)
{
    struct oc_group *group = timer->data;
    struct oc_groups *groups = group->owner;

    if (group == groups->current)
        return; /* its births are being read; the timer is set again after them */
    if (!oc_schedule_take(&group->schedule, oc_clock_mono_ns() / NS_PER_MS, &group->due)) {
        arm(group);
        return;
    }
    if (group->live == 0) {
        close_group(group);
        return;
    }
    group->births_only = 0;
    if (!group->queued)
        enqueue(group);
    if (!groups->current)
        work(groups);
}

/* ---- the end ---- */

static void free_group(uv_handle_t *handle)
{
    struct oc_group *group = handle->data;

    oc_free(group->members);
    oc_free(group);
}

static void close_group(struct oc_group *group)
{
    struct oc_group **at = &group->owner->list;

    while (*at != group)
        at = &(*at)->next;
    *at = group->next;
    uv_close((uv_handle_t *)&group->timer, free_group);
}

void oc_groups_close(struct oc_groups *groups)
{
    oc_writer_give_back(groups->writer, groups->message);
    groups->message = NULL;
    groups->current = NULL;
    groups->due_first = NULL;
    groups->due_last = NULL;
    while (groups->list)
        close_group(groups->list);
    uv_close((uv_handle_t *)&groups->idle, NULL);
}
