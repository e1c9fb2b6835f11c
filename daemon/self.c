#include "daemon/self.h"

#include "daemon/daemon.h"

void oc_self_more(void *context, struct oc_source *source, struct oc_tick *tick)
{
    struct oc_daemon *daemon = context;
    struct oc_sample sample;
    struct oc_writer_stats writer;
    const struct oc_tick_stats *ticks = &daemon->groups.stats;

    oc_writer_stats(daemon->writer, &writer);
    sample.block = OC_BLOCK_SELF;
    sample.known = 0;
    oc_sample_set(&sample, OC_METRIC_SELF_TARGETS, daemon->sources.live[OC_SOURCE_PROCESS]);
    oc_sample_set(&sample, OC_METRIC_SELF_SAMPLES, (int64_t)ticks->samples);
    oc_sample_set(&sample, OC_METRIC_SELF_LATE_TICKS, (int64_t)ticks->late);
    oc_sample_set(&sample, OC_METRIC_SELF_SKIPPED_TICKS, (int64_t)(ticks->skipped + ticks->failed));
    oc_sample_set(&sample, OC_METRIC_SELF_LOST_SAMPLES, (int64_t)writer.lost_samples);
    oc_sample_set(&sample, OC_METRIC_SELF_QUEUE, (int64_t)writer.queued_bytes);
    oc_sample_set(&sample, OC_METRIC_SELF_COMMITS, (int64_t)writer.store.commits);
    oc_sample_set(&sample, OC_METRIC_SELF_COMMIT_WORST_US, (int64_t)writer.commit_worst_us);
    oc_sample_set(&sample, OC_METRIC_SELF_TICK_WORST_US, (int64_t)ticks->worst_us);
    oc_sample_set(&sample, OC_METRIC_SELF_STORE,
                  (int64_t)(writer.store.file_bytes + writer.store.wal_bytes));
    if (daemon->walker) {
        struct oc_walker_stats walks;

        oc_walker_stats(daemon->walker, &walks);
        oc_sample_set(&sample, OC_METRIC_SELF_WALKS, (int64_t)walks.made[OC_JOB_WALK]);
        oc_sample_set(&sample, OC_METRIC_SELF_WALK_CPU_US, (int64_t)walks.cpu_us);
    }
    oc_tick_put(tick, source->id, &sample);
}
