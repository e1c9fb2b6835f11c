#include "daemon/limits.h"

#include "daemon/daemon.h"
#include "daemon/labels.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

void oc_limits_free(struct oc_kept_limits *limits)
{
    for (uint32_t i = 0; limits && i < limits->count; i++)
        oc_free(limits->items[i].where);
    oc_free(limits);
}

/* The path of a cgroup need not be kept for each limit: the source has it. */
static const char *where_of(const struct oc_source *source, const struct oc_kept_limit *limit)
{
    if (limit->where)
        return limit->where;
    return source->cgroup ? oc_cgroup_path(source->cgroup) : "";
}

static int is_same(const struct oc_source *source, const struct oc_limit *limits, size_t count)
{
    const struct oc_kept_limits *kept = source->limits;

    if (!kept || kept->count != count)
        return 0;
    for (size_t i = 0; i < count; i++) {
        const struct oc_kept_limit *item = &kept->items[i];

        if (item->kind != limits[i].kind || item->metric != limits[i].metric ||
            item->value != limits[i].value)
            return 0;
        if (!source->cgroup && strcmp(where_of(source, item), limits[i].where) != 0)
            return 0;
    }
    return 1;
}

/* 0 or OC_E_NOMEM: then the old ones stay. */
static int keep(struct oc_source *source, const struct oc_limit *limits, size_t count)
{
    struct oc_kept_limits *kept = oc_calloc(1, sizeof(*kept) + count * sizeof(kept->items[0]));

    if (!kept)
        return OC_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct oc_kept_limit *item = &kept->items[kept->count++];

        *item = (struct oc_kept_limit){ .kind = limits[i].kind,
                                        .metric = limits[i].metric,
                                        .value = limits[i].value };
        if (source->cgroup || limits[i].where[0] == '\0')
            continue;
        item->where = oc_strdup(limits[i].where);
        if (!item->where) {
            oc_limits_free(kept);
            return OC_E_NOMEM;
        }
    }
    oc_limits_free(source->limits);
    source->limits = kept;
    return OC_OK;
}

/* ---- what the config sets ---- */

/* A subject's sums are what its limit is about; a process has it while there are none. */
static const struct oc_target *limits_target(const struct oc_daemon *daemon,
                                             const struct oc_source *source)
{
    if (source->kind == OC_SOURCE_PROCESS && source->subject && source->subject->sum)
        return NULL;
    return oc_target_of(daemon, source);
}

static size_t user_limits(const struct oc_target *target, struct oc_limit *out, size_t room)
{
    size_t count = 0;

    for (size_t i = 0; target && i < target->limit_count && count < room; i++)
        out[count++] = (struct oc_limit){ .kind = OC_LIMIT_USER,
                                          .metric = target->limits[i].metric,
                                          .value = target->limits[i].value };
    return count;
}

/* ---- telling ---- */

static void fill(const struct oc_source *source, struct oc_limit *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct oc_kept_limit *item = &source->limits->items[i];

        out[i] =
            (struct oc_limit){ .kind = item->kind, .metric = item->metric, .value = item->value };
        (void)oc_text_copy(out[i].where, sizeof(out[i].where), where_of(source, item));
    }
}

void oc_limits_tell(struct oc_daemon *daemon, struct oc_source *source)
{
    const struct oc_target *target = limits_target(daemon, source);
    size_t own = source->limits ? source->limits->count : 0;
    size_t count = own + (target ? target->limit_count : 0);
    struct oc_message *message = NULL;

    if (source->state != OC_SOURCE_TICKING || (count == 0 && !source->told_limits))
        return;
    message = oc_writer_message(daemon->writer, OC_MESSAGE_LIMITS);
    if (message)
        message->limits = oc_calloc(count + 1, sizeof(message->limits[0]));
    if (!message || !message->limits) {
        oc_writer_give_back(daemon->writer, message);
        daemon->troubles.no_memory++;
        daemon->troubles.untold++;
        return;
    }
    fill(source, message->limits, own);
    message->limit_count = own + user_limits(target, message->limits + own, count - own);
    oc_forecast_limits(daemon, source, message->limits, message->limit_count);
    message->source = source->id;
    message->boot_ms = oc_now_boot_ms();
    source->told_limits = message->limit_count > 0;
    oc_writer_push(daemon->writer, message);
}

void oc_limits_tell_again(struct oc_daemon *daemon)
{
    struct oc_writer_stats stats;
    uint64_t missed = 0;

    oc_writer_stats(daemon->writer, &stats);
    missed = stats.refused_words + daemon->troubles.untold;
    if (missed == daemon->missed_words)
        return;
    daemon->missed_words = missed;
    for (size_t i = 0; i < daemon->sources.count; i++) {
        if (daemon->sources.slots[i])
            oc_limits_tell(daemon, daemon->sources.slots[i]);
    }
    oc_labels_tell_all(daemon);
}

static void take(struct oc_daemon *daemon, struct oc_source *source, const struct oc_limit *limits,
                 size_t count)
{
    if (is_same(source, limits, count))
        return;
    if (keep(source, limits, count) < 0) {
        daemon->troubles.no_memory++;
        return;
    }
    oc_limits_tell(daemon, source);
}

void oc_limits_of_walk(struct oc_daemon *daemon, struct oc_source *source,
                       const struct oc_limit *limits, size_t count)
{
    if (count > 0)
        take(daemon, source, limits, count);
}

void oc_limits_sampled(void *context, struct oc_source *source, const struct oc_sample *sample)
{
    struct oc_daemon *daemon = context;
    int64_t now_ms = oc_now_mono_ms();
    struct oc_limits *limits = &daemon->limits_room;

    if (source->next_limits_mono_ms > now_ms)
        return;
    source->next_limits_mono_ms = now_ms + OC_LIMITS_LOOK_MS;
    limits->count = 0;
    limits->is_truncated = 0;
    if (source->kind == OC_SOURCE_CGROUP)
        oc_limits_of_cgroup(sample, oc_cgroup_path(source->cgroup), limits);
    else
        oc_limits_of_host(sample, oc_probe_commit_is_enforced(&daemon->probe_options) == 1, limits);
    if (limits->count > 0 || source->limits)
        take(daemon, source, limits->items, limits->count);
}

void oc_limits_look_soon(struct oc_daemon *daemon)
{
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];

        if (source && (source->kind == OC_SOURCE_CGROUP || source->kind == OC_SOURCE_HOST))
            source->next_limits_mono_ms = 0;
    }
}
