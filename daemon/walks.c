#include "daemon/walks.h"

#include "daemon/cgroups.h"
#include "daemon/daemon.h"
#include "daemon/matching.h"
#include "daemon/watch.h"

#include "base/alloc.h"
#include "base/log.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)
#define ROUND_MS 5000
#define SPACE_PART 20 /* of the time until address space runs out, between two walks */
#define STUCK_MS 5000 /* worth a line in the log */

/* ---- when ---- */

int oc_walks_may(const struct oc_source *source, int64_t gap_ms, int64_t now_mono_ms)
{
    return source->kind == OC_SOURCE_PROCESS && !source->walk_pending &&
           (source->last_walk_mono_ms == 0 || now_mono_ms - source->last_walk_mono_ms >= gap_ms);
}

int oc_walks_is_due(const struct oc_source *source, int64_t interval_ms, int64_t gap_ms,
                    int64_t now_mono_ms)
{
    int64_t since_ms = now_mono_ms - source->last_walk_mono_ms;

    if (!source->group || !oc_walks_may(source, gap_ms, now_mono_ms))
        return 0;
    if (source->last_walk_mono_ms == 0)
        return 1;
    if (since_ms < source->walk_pause_ms)
        return 0;
    return source->grew || (source->moved && since_ms >= interval_ms);
}

static int is_far(int64_t before, int64_t now)
{
    int64_t moved = now > before ? now - before : before - now;

    return moved >= OC_WALK_GROWTH_BYTES && moved >= before / OC_WALK_GROWTH_PART;
}

/* The first sample after a birth is what the first walk sees. */
static void note_one(struct oc_source *source, const struct oc_sample *sample,
                     enum oc_metric metric, int64_t *walked_bytes)
{
    if (!oc_sample_has(sample, metric))
        return;
    if (*walked_bytes == 0)
        *walked_bytes = oc_sample_get(sample, metric);
    else if (is_far(*walked_bytes, oc_sample_get(sample, metric)))
        source->grew = 1;
}

void oc_walks_note_growth(struct oc_source *source, const struct oc_sample *sample)
{
    note_one(source, sample, OC_METRIC_VIRTUAL, &source->walked_virtual_bytes);
    note_one(source, sample, OC_METRIC_COMMIT, &source->walked_commit_bytes);
}

int64_t oc_walks_interval_ms(const struct oc_daemon *daemon, const struct oc_source *source)
{
    const struct oc_target *target = oc_target_of(daemon, source);
    int64_t interval_ms = target && target->walk_interval_ms ? target->walk_interval_ms
                                                             : daemon->config.walk_interval_ms;
    int64_t space_ms = source->tracks ? oc_tracks_space_ms(source->tracks) : INT64_MAX;

    /* the largest hole is known of walks alone, and it is what ends a process of 32 bits */
    if (space_ms / SPACE_PART >= interval_ms)
        return interval_ms;
    return space_ms / SPACE_PART > daemon->config.walk_gap_ms ? space_ms / SPACE_PART
                                                              : daemon->config.walk_gap_ms;
}

/* ---- asking ---- */

/* What it does from here on, the walk may not see. */
static void note_asked(struct oc_source *source)
{
    source->walk_pending = 1;
    source->moved = 0;
    source->grew = 0;
    if (oc_last_value(&source->last, OC_METRIC_VIRTUAL, &source->walked_virtual_bytes) < 0)
        source->walked_virtual_bytes = 0;
    if (oc_last_value(&source->last, OC_METRIC_COMMIT, &source->walked_commit_bytes) < 0)
        source->walked_commit_bytes = 0;
}

static unsigned wanted(const struct oc_target *target)
{
    if (target && target->counters)
        return OC_WALK_FACTS;
    return OC_WALK_USUAL | (target && target->pages ? OC_WALK_PAGES : 0);
}

void oc_walks_want(struct oc_daemon *daemon, struct oc_source *source)
{
    const struct oc_target *target = oc_target_of(daemon, source);
    struct oc_job job = { .kind = OC_JOB_WALK,
                          .want = wanted(target),
                          .slot = source->slot,
                          .pid = source->id_of_proc.pid,
                          .start_ticks = source->id_of_proc.start_ticks };

    if (daemon->walker && oc_walks_may(source, daemon->config.walk_gap_ms, oc_now_mono_ms()) &&
        oc_walker_ask(daemon->walker, &job) == OC_OK) /* else with the next round */
        note_asked(source);
}

static int is_by_counters(const struct oc_daemon *daemon, const struct oc_source *source)
{
    const struct oc_target *target = oc_target_of(daemon, source);

    return target && target->counters;
}

static void want_limits(struct oc_daemon *daemon, struct oc_source *source)
{
    struct oc_job job = { .kind = OC_JOB_LIMITS,
                          .want = OC_WALK_LIMITS,
                          .slot = source->slot,
                          .pid = source->id_of_proc.pid,
                          .start_ticks = source->id_of_proc.start_ticks };

    if (!daemon->walker || source->limits_pending || source->walk_pending ||
        is_by_counters(daemon, source))
        return;
    if (oc_walker_ask(daemon->walker, &job) < 0)
        return;
    source->limits_pending = 1;
    source->ran = 0;
}

static void say_when_stuck(struct oc_daemon *daemon)
{
    struct oc_walker_stats stats;
    int is_stuck = 0;

    oc_walker_stats(daemon->walker, &stats);
    is_stuck = stats.stuck_ms >= STUCK_MS;
    if (is_stuck && !daemon->walks.said_stuck)
        oc_log(OC_LOG_WARN, "walk_stuck", oc_i64("pid", stats.stuck_pid),
               oc_i64("ms", stats.stuck_ms),
               oc_str("then", "others are walked by the other thread; ticks go on"));
    if (!is_stuck && daemon->walks.said_stuck)
        oc_log(OC_LOG_INFO, "walk_goes_on", oc_u64("waiting", stats.waiting[OC_JOB_WALK]));
    daemon->walks.said_stuck = is_stuck;
}

/* One that did not run since its last walk has the mappings that it had. */
void oc_walks_round(struct oc_daemon *daemon)
{
    int64_t now_ms = oc_now_mono_ms();

    if (!daemon->walker)
        return;
    say_when_stuck(daemon);
    if (daemon->args.look > OC_LOOK_LADDER)
        return; /* what a look reads is pinned */
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];

        if (!source || source->kind != OC_SOURCE_PROCESS || !source->group)
            continue;
        if (oc_walks_is_due(source, oc_walks_interval_ms(daemon, source),
                            daemon->config.walk_gap_ms, now_ms))
            oc_walks_want(daemon, source);
        else if (source->ran && now_ms >= source->next_limits_mono_ms)
            want_limits(daemon, source);
    }
}

uint32_t oc_walks_now(struct oc_daemon *daemon, uint32_t pid, uint32_t *out_fresh)
{
    int64_t now_ms = oc_now_mono_ms();
    uint32_t count = 0;

    *out_fresh = 0;
    oc_limits_look_soon(daemon);
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];

        if (!source || source->kind != OC_SOURCE_PROCESS || !source->group ||
            (pid != 0 && source->id_of_proc.pid != pid))
            continue;
        if (!source->walk_pending && !oc_walks_may(source, daemon->config.walk_gap_ms, now_ms)) {
            want_limits(daemon, source);
            ++*out_fresh;
            continue;
        }
        oc_walks_want(daemon, source);
        count++;
    }
    return count;
}

/* ---- a result ---- */

static void send_facts(struct oc_daemon *daemon, struct oc_source *source,
                       const struct oc_walk *walk)
{
    struct oc_message *message = NULL;

    if (source->has_facts)
        return;
    message = oc_writer_message(daemon->writer, OC_MESSAGE_FACTS);
    if (message)
        message->facts = oc_malloc(sizeof(*message->facts));
    if (!message || !message->facts) { /* with the next walk, then */
        oc_writer_give_back(daemon->writer, message);
        daemon->troubles.no_memory++;
        return;
    }
    *message->facts = walk->facts;
    message->facts->id = source->id_of_proc; /* a walk knows of no execs */
    message->source = source->id;
    source->has_facts = 1;
    oc_writer_push(daemon->writer, message);
}

static void send_census(struct oc_daemon *daemon, const struct oc_source *source,
                        struct oc_walk *walk)
{
    struct oc_message *message = NULL;

    if (!walk->census.has_regions && !walk->census.has_modules && !walk->census.has_families)
        return;
    message = oc_writer_message(daemon->writer, OC_MESSAGE_WALK);
    if (message)
        message->census = oc_malloc(sizeof(*message->census));
    if (!message || !message->census) {
        oc_writer_give_back(daemon->writer, message);
        daemon->troubles.no_memory++;
        return;
    }
    oc_census_move(&walk->census, message->census);
    message->source = source->id;
    message->walk = (struct oc_store_walk){ .boot_ms = oc_now_boot_ms(),
                                            .cpu_us = walk->cpu_ns / 1000,
                                            .wall_us = walk->wall_ns / 1000,
                                            .stall_us = walk->stall_ns / 1000 };
    oc_writer_push(daemon->writer, message);
}

static void keep_figures(struct oc_source *source, const struct oc_walk *walk)
{
    if (walk->sample.known == 0)
        return;
    if (!source->walk)
        source->walk = oc_malloc(sizeof(*source->walk));
    if (!source->walk)
        return;
    *source->walk = walk->sample;
    source->has_walk = 1;
}

static void note_cgroup(struct oc_daemon *daemon, struct oc_source *source,
                        const struct oc_walk *walk)
{
    char path[sizeof(walk->facts.cgroup)];

    if (daemon->args.pids_path || walk->facts.cgroup[0] != '/')
        return;
    memcpy(path, walk->facts.cgroup, sizeof(path));
    if (source->cgroup_slot != OC_NO_SLOT &&
        strcmp(oc_cgroup_path(oc_sources_at(&daemon->sources, source->cgroup_slot)->cgroup),
               path) != 0)
        oc_cgroups_move(daemon, source, path);
}

static void tell_plan(struct oc_daemon *daemon, const struct oc_source *source,
                      const struct oc_plan *plan)
{
    struct oc_message *message = oc_writer_message(daemon->writer, OC_MESSAGE_PLAN);
    char text[OC_PLAN_TEXT_BYTES];

    if (message)
        message->text = oc_strdup(oc_plan_text(plan, text));
    if (!message || !message->text) { /* what is shown is an older one, then */
        oc_writer_give_back(daemon->writer, message);
        daemon->troubles.no_memory++;
        return;
    }
    message->source = source->id;
    oc_writer_push(daemon->writer, message);
}

/* One that was taken back, or cannot be read any more, keeps no alert quiet. */
static void keep_plan(struct oc_daemon *daemon, struct oc_source *source,
                      const struct oc_walk *walk)
{
    static const struct oc_plan none;
    const struct oc_planned *kept = source->plan;

    if (oc_plan_is_same(kept ? &kept->plan : &none, &walk->plan))
        return;
    if (!source->plan)
        source->plan = oc_malloc(sizeof(*source->plan));
    if (!source->plan) {
        daemon->troubles.no_memory++;
        return;
    }
    *source->plan = (struct oc_planned){ walk->plan, walk->facts.start_unix_ms };
    tell_plan(daemon, source, &walk->plan);
    if (!oc_plan_is_known(&walk->plan)) {
        oc_free(source->plan);
        source->plan = NULL;
    }
}

static void take_walk(struct oc_daemon *daemon, struct oc_source *source, struct oc_walk *walk)
{
    if (source->state != OC_SOURCE_TICKING || !source->proc)
        return;
    keep_figures(source, walk);
    keep_plan(daemon, source, walk);
    send_facts(daemon, source, walk);
    oc_forecast_program(daemon, source, walk->facts.exe, walk->program_stamp);
    oc_alerting_walk(daemon, source, walk);
    send_census(daemon, source, walk);
    oc_limits_of_walk(daemon, source, walk->limits, walk->limit_count);
    oc_probe_adopt(daemon->probe, source->proc, walk);
    note_cgroup(daemon, source, walk);
}

static void on_walk(struct oc_daemon *daemon, struct oc_source *source,
                    struct oc_job_result *result)
{
    int64_t now_ms = oc_now_mono_ms();

    if (!source->walk_pending)
        return;
    source->walk_pending = 0;
    source->last_walk_mono_ms = now_ms;
    source->next_limits_mono_ms = now_ms + OC_LIMITS_INTERVAL_MS;
    if (result->rc < 0)
        return;
    source->walk_pause_ms =
        result->walk.cpu_ns * 100 / daemon->config.walk_target_budget_percent / NS_PER_MS;
    take_walk(daemon, source, &result->walk);
}

static void on_limits(struct oc_daemon *daemon, struct oc_source *source,
                      const struct oc_job_result *result)
{
    source->limits_pending = 0;
    source->next_limits_mono_ms = oc_now_mono_ms() + OC_LIMITS_INTERVAL_MS;
    if (result->rc == OC_OK && source->state == OC_SOURCE_TICKING)
        oc_limits_of_walk(daemon, source, result->walk.limits, result->walk.limit_count);
}

/* The source that a job was for, unless its slot is another's by now. */
static struct oc_source *source_of(const struct oc_daemon *daemon, const struct oc_job *job)
{
    struct oc_source *source = oc_sources_at(&daemon->sources, job->slot);

    if (!source || source->id_of_proc.pid != job->pid ||
        source->id_of_proc.start_ticks != job->start_ticks)
        return NULL;
    return source;
}

static void take_one(struct oc_daemon *daemon, struct oc_job_result *result)
{
    struct oc_source *source = source_of(daemon, &result->job);

    if (result->job.kind == OC_JOB_FACTS)
        oc_matching_facts(daemon, source, result);
    else if (source && result->job.kind == OC_JOB_WALK)
        on_walk(daemon, source, result);
    else if (source)
        on_limits(daemon, source, result);
}

void oc_walks_take(void *context)
{
    struct oc_daemon *daemon = context;
    struct oc_job_result *result = NULL;

    while ((result = oc_walker_take(daemon->walker)) != NULL) {
        take_one(daemon, result);
        oc_job_result_free(result);
    }
}

/* ---- start and stop ---- */

static void on_timer(uv_timer_t *timer)
{
    const struct oc_daemon *daemon = timer->data;

    oc_walks_round(timer->data);
    uv_timer_set_repeat(
        timer,
        (uint64_t)(daemon->config.walk_gap_ms < ROUND_MS ? daemon->config.walk_gap_ms : ROUND_MS));
}

int oc_walks_start(struct oc_daemon *daemon)
{
    struct oc_walker_options options = {
        .probe = &daemon->probe_options,
        .walk = daemon->walk ? daemon->walk : oc_probe_walk,
        .budget_percent = daemon->config.walk_budget_percent,
        .done = oc_walks_take,
        .context = daemon,
    };
    int rc = oc_walker_start(&daemon->loop, &options, &daemon->walker);

    if (rc < 0)
        return rc;
    daemon->walks.timer.data = daemon;
    (void)uv_timer_init(&daemon->loop, &daemon->walks.timer); /* neither can fail */
    (void)uv_timer_start(&daemon->walks.timer, on_timer, ROUND_MS, ROUND_MS);
    return OC_OK;
}

void oc_walks_stop(struct oc_daemon *daemon, int64_t timeout_ms)
{
    if (!daemon->walker)
        return;
    uv_close((uv_handle_t *)&daemon->walks.timer, NULL);
    oc_walker_stop(daemon->walker, timeout_ms);
    daemon->walker = NULL;
}
