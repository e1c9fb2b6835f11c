#include "daemon/status.h"

#include "daemon/daemon.h"

#define OLDEST 5

/* Those whose last walk is longest ago, the oldest first. */
struct oldest {
    const struct oc_source *sources[OLDEST];
    size_t count;
};

/* Of all that are walked: what their cost does to the intervals. */
struct stretch {
    uint64_t stretched;
    int64_t longest_ms;
};

static void note_age(struct oldest *oldest, const struct oc_source *source)
{
    size_t at = oldest->count < OLDEST ? oldest->count++ : OLDEST;

    for (; at > 0 && oldest->sources[at - 1]->last_walk_mono_ms > source->last_walk_mono_ms; at--) {
        if (at < OLDEST)
            oldest->sources[at] = oldest->sources[at - 1];
    }
    if (at < OLDEST)
        oldest->sources[at] = source;
}

static void look_at_all(const struct oc_daemon *daemon, struct oldest *oldest,
                        struct stretch *stretch)
{
    for (size_t i = 0; i < daemon->sources.count; i++) {
        const struct oc_source *source = daemon->sources.slots[i];
        int64_t interval_ms = 0;

        if (!source || source->kind != OC_SOURCE_PROCESS || source->last_walk_mono_ms == 0)
            continue;
        note_age(oldest, source);
        interval_ms = oc_walks_interval_ms(daemon, source);
        stretch->stretched += source->walk_pause_ms > interval_ms;
        if (source->walk_pause_ms > interval_ms)
            interval_ms = source->walk_pause_ms;
        if (interval_ms > stretch->longest_ms)
            stretch->longest_ms = interval_ms;
    }
}

static void put_budget(const struct oc_daemon *daemon, const struct oc_walker_stats *stats,
                       struct oc_buf *out)
{
    int64_t up_us = (oc_clock_mono_ns() - daemon->started_mono_ns) / 1000 + 1;

    oc_status_u64(out, "cpu_us", stats->cpu_us);
    oc_buf_printf(out, "\"share_percent\":%.3f,", 100.0 * (double)stats->cpu_us / (double)up_us);
    oc_status_i64(out, "budget_percent", daemon->config.walk_budget_percent);
    oc_status_i64(out, "target_budget_percent", daemon->config.walk_target_budget_percent);
    oc_status_u64(out, "longest_stall_us", stats->worst_stall_us);
    if (stats->worst_stall_us > 0)
        oc_status_u64(out, "longest_stall_pid", stats->worst_stall_pid);
}

static void put_oldest(const struct oc_daemon *daemon, const struct oldest *oldest,
                       struct oc_buf *out)
{
    int64_t now_ms = oc_now_mono_ms();

    if (oldest->count == 0)
        return;
    oc_buf_puts(out, "\"last_walks\":[");
    for (size_t i = 0; i < oldest->count; i++) {
        const struct oc_source *source = oldest->sources[i];

        oc_buf_putc(out, '{');
        oc_status_u64(out, "pid", source->id_of_proc.pid);
        oc_status_text(out, "subject", source->subject ? source->subject->name : source->name);
        oc_status_i64(out, "age_ms", now_ms - source->last_walk_mono_ms);
        if (source->walk_pause_ms > oc_walks_interval_ms(daemon, source))
            oc_status_i64(out, "stretched_to_ms", source->walk_pause_ms);
        oc_status_close(out, "},");
    }
    oc_status_close(out, "],");
}

void oc_status_walks(struct oc_daemon *daemon, const struct oc_writer_stats *writer,
                     struct oc_buf *out)
{
    struct oc_walker_stats stats;
    struct oldest oldest = { .count = 0 };
    struct stretch stretch = { 0, 0 };

    if (!daemon->walker)
        return;
    oc_walker_stats(daemon->walker, &stats);
    look_at_all(daemon, &oldest, &stretch);
    oc_buf_puts(out, "\"walks\":{");
    oc_status_u64(out, "made", stats.made[OC_JOB_WALK]);
    oc_status_u64(out, "failed", stats.failed[OC_JOB_WALK]);
    oc_status_u64(out, "waiting", stats.waiting[OC_JOB_WALK]);
    oc_status_u64(out, "stored", writer->stored_walks);
    oc_status_u64(out, "lost", writer->lost_walks);
    put_budget(daemon, &stats, out);
    oc_status_u64(out, "stretched", stretch.stretched);
    oc_status_i64(out, "longest_interval_ms", stretch.longest_ms);
    oc_status_i64(out, "under_way_ms", stats.stuck_ms);
    oc_status_u64(out, "limit_looks", stats.made[OC_JOB_LIMITS]);
    oc_status_u64(out, "looked_into", stats.made[OC_JOB_FACTS]);
    oc_status_u64(out, "looked_into_cpu_us", stats.facts_cpu_us);
    oc_status_close(out, "},");
    put_oldest(daemon, &oldest, out);
}
