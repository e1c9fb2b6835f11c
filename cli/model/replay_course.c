#include "cli/model/replay_course.h"

#include "base/alloc.h"
#include "cli/model/replay_plan.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ASIDE ((size_t)4000000) /* of what is told beside a figure: a month of seconds */
#define PARKED_MS INT64_C(86400000) /* a series waits so long for the next life */
#define PROGRESS_SAMPLES 65536

struct aside {
    int64_t t_ms;
    int64_t value;
};

/* A life that ended, whose series may still teach, or go on. */
struct ended {
    oc_replay_lane *lane; /* owned; NULL: another life has it */
    const struct oc_replay_life *life;
    int is_taught;
};

struct run {
    const struct oc_replay_course *course;
    struct oc_prior prior;
    struct ended *ended;
    size_t ended_count, ended_capacity;
    int64_t busy_until_ms; /* the last end of all lives so far */
    const char *exe;       /* of the life before; borrowed */
    /* of the life at hand */
    const struct oc_replay_life *life;
    oc_replay_lane *lane;
    struct oc_replay_plan plan; /* of its limits */
    struct aside *asides;
    size_t aside_count, aside_capacity, next_aside;
    unsigned aside_metric;
    int64_t processes; /* of a sum; -1: not known yet */
    int64_t last_ms;
    uint64_t until_progress;
};

int oc_replay_falls(unsigned metric)
{
    return metric == OC_METRIC_LARGEST_FREE || metric == OC_METRIC_HOST_AVAILABLE ||
           metric == OC_METRIC_HOST_FREE || metric == OC_METRIC_HOST_SWAP_FREE;
}

/* ---- lives before ---- */

static enum oc_replay_over over_of(const struct run *run, const struct oc_replay_life *life)
{
    if (life->end_unix_ms > run->course->query->until_unix_ms)
        return OC_OVER_NOT_YET;
    if (life->end == OC_END_RECYCLED)
        return OC_OVER_RESTARTED;
    if (life->end == OC_END_OOM_KILLED || life->killer != OC_KILLER_UNKNOWN)
        return OC_OVER_KILLED;
    switch (life->end) {
    case OC_END_RUNNING:
    case OC_END_UNWATCHED:
        return OC_OVER_NOT_YET;
    case OC_END_EXITED:
        return life->status == 0 ? OC_OVER_RESTARTED : OC_OVER_UNASKED;
    case OC_END_SIGNALED:
        return life->status == SIGTERM || life->status == SIGINT ? OC_OVER_RESTARTED
                                                                 : OC_OVER_UNASKED;
    default:
        return OC_OVER_RESTARTED;
    }
}

static int by_end(const void *a, const void *b)
{
    const struct ended *x = a, *y = b;
    int64_t end_x = x->life->end_unix_ms, end_y = y->life->end_unix_ms;

    return (end_x > end_y) - (end_x < end_y);
}

/* Lives that had ended by now teach; those whose series nobody will go on with are let go. */
static void learn(struct run *run, int64_t now_ms)
{
    size_t kept = 0;

    if (run->ended_count > 1)
        qsort(run->ended, run->ended_count, sizeof(*run->ended), by_end);
    for (size_t i = 0; i < run->ended_count; i++) {
        struct ended *ended = &run->ended[i];
        int is_over = ended->life->end_unix_ms <= now_ms;
        int is_newest =
            is_over && (i + 1 == run->ended_count || run->ended[i + 1].life->end_unix_ms > now_ms);

        if (is_over && !ended->is_taught) {
            oc_series_teach(oc_replay_lane_series(ended->lane),
                            oc_replay_lane_was_killed(ended->lane) ? OC_LIFE_KILLED
                                                                   : OC_LIFE_PLANNED,
                            &run->prior);
            ended->is_taught = 1;
        }
        if (is_over && !is_newest)
            oc_replay_lane_free(ended->lane);
        else
            run->ended[kept++] = *ended;
    }
    run->ended_count = kept;
}

/* The series of the life before, where one life at a time runs under the name. NULL: a new one. */
static oc_replay_lane *take_parked(struct run *run)
{
    struct ended *newest = run->ended_count > 0 ? &run->ended[0] : NULL;
    oc_replay_lane *lane;

    if (!newest || run->busy_until_ms > run->life->begin_unix_ms ||
        newest->life->end_unix_ms + PARKED_MS < run->life->begin_unix_ms)
        return NULL;
    lane = newest->lane;
    run->ended_count = 0; /* those that had not ended would have kept it busy */
    return lane;
}

static int make_lane(struct run *run)
{
    const struct oc_replay_lane_options options = { .subject = run->life->subject,
                                                    .metric = run->course->metric,
                                                    .falls = oc_replay_falls(run->course->metric) };
    int rc = oc_replay_lane_new(run->course->replay, &options, &run->lane);

    if (!rc && run->prior.lives > 0)
        oc_series_set_prior(oc_replay_lane_series(run->lane), &run->prior);
    return rc;
}

static int begin_life(struct run *run)
{
    const struct oc_replay_life *life = run->life;
    int rc = OC_OK;

    learn(run, life->begin_unix_ms);
    if (run->exe && life->exe[0] && run->exe[0] && strcmp(run->exe, life->exe) != 0)
        oc_prior_discount(&run->prior);
    run->exe = life->exe;
    run->lane = take_parked(run);
    if (!run->lane)
        rc = make_lane(run);
    if (rc)
        return rc;
    oc_replay_lane_begin(run->lane, life->source, life->pid);
    oc_replay_lane_no_limits(run->lane, life->begin_unix_ms); /* those of the life before */
    run->processes = -1;
    run->last_ms = life->begin_unix_ms;
    return oc_replay_plan_make(&run->plan, life, run->course->metric);
}

static int keep_ended(struct run *run)
{
    void *ended = run->ended;
    int rc = oc_array_grow(&ended, &run->ended_capacity, run->ended_count + 1, sizeof(*run->ended),
                           OC_REPLAY_MAX_LIVES);

    run->ended = ended;
    if (!rc) {
        run->ended[run->ended_count++] = (struct ended){ .lane = run->lane, .life = run->life };
        run->lane = NULL;
    }
    return rc;
}

static int end_life(struct run *run)
{
    const struct oc_replay_life *life = run->life;
    enum oc_replay_over over = over_of(run, life);
    int rc = OC_OK;

    oc_replay_lane_end(run->lane, over,
                       over == OC_OVER_NOT_YET || life->end_unix_ms == INT64_MAX
                           ? run->last_ms
                           : life->end_unix_ms);
    if (life->end_unix_ms > run->busy_until_ms)
        run->busy_until_ms = life->end_unix_ms;
    if (over != OC_OVER_NOT_YET && life->end != OC_END_EXECED)
        rc = keep_ended(run);
    oc_replay_lane_free(run->lane);
    run->lane = NULL;
    return rc;
}

/* ---- samples ---- */

static int take_aside(const struct oc_point *point, void *context)
{
    struct run *run = context;
    void *asides = run->asides;
    int rc = oc_array_grow(&asides, &run->aside_capacity, run->aside_count + 1,
                           sizeof(struct aside), MAX_ASIDE);

    run->asides = asides;
    if (rc)
        return 1; /* the rest goes without */
    run->asides[run->aside_count++] = (struct aside){ point->t_unix_ms, point->last };
    return 0;
}

static void tell_aside(struct run *run, const struct aside *aside)
{
    if (run->life->kind != OC_SOURCE_GROUP) {
        oc_replay_lane_feed_companion(run->lane, run->aside_metric, aside->t_ms,
                                      (double)aside->value);
        return;
    }
    if (run->processes >= 0 && aside->value != run->processes)
        oc_replay_lane_rebase(run->lane); /* a process joined the sum, or left it */
    run->processes = aside->value;
}

static void say_progress(struct run *run)
{
    const struct oc_replay_course *course = run->course;

    run->until_progress = PROGRESS_SAMPLES;
    if (course->query->progress)
        course->query->progress(course->replay->samples, course->lives_done, course->lives_in_all,
                                course->query->context);
}

static int take_point(const struct oc_point *point, void *context)
{
    struct run *run = context;
    int64_t t_ms = point->t_unix_ms;

    while (run->next_aside < run->aside_count && run->asides[run->next_aside].t_ms <= t_ms)
        tell_aside(run, &run->asides[run->next_aside++]);
    if (oc_replay_plan_is_due(&run->plan, t_ms))
        oc_replay_plan_apply(&run->plan, run->lane, t_ms);
    if (point->count <= 1)
        oc_replay_lane_feed(run->lane, t_ms, (double)point->last);
    else
        oc_replay_lane_feed_range(run->lane, t_ms, (double)point->min, (double)point->max,
                                  (double)point->last, (uint32_t)point->count);
    run->last_ms = t_ms;
    if (--run->until_progress == 0)
        say_progress(run);
    return run->course->replay->err != OC_OK;
}

/* What is told beside a figure; 0: nothing. As the daemon pairs them. */
static unsigned aside_of(const struct run *run)
{
    if (run->life->kind == OC_SOURCE_GROUP)
        return OC_METRIC_PROCESSES;
    switch (run->course->metric) {
    case OC_METRIC_PRIVATE:
    case OC_METRIC_VIRTUAL:
        return OC_METRIC_MAPPINGS;
    case OC_METRIC_MAPPINGS:
        return OC_METRIC_MODULES;
    case OC_METRIC_CGROUP_CHARGE:
        return OC_METRIC_CGROUP_TASKS;
    default:
        return 0;
    }
}

/* What is told beside it is read whole first: 64 MiB at most. */
static int feed_life(struct run *run)
{
    const struct oc_replay_life *life = run->life;
    const struct oc_replay_query *query = run->course->query;
    struct oc_range range = { .since_unix_ms = query->since_unix_ms,
                              .until_unix_ms = query->until_unix_ms,
                              .precision = OC_PRECISE_EXACT };
    int rc = OC_OK;

    run->aside_count = run->next_aside = 0;
    run->aside_metric = range.metric = aside_of(run);
    if (range.metric)
        rc = oc_reader_range(run->course->reader, life->source, &range, take_aside, run);
    range.metric = run->course->metric;
    if (rc >= 0)
        rc = oc_reader_range(run->course->reader, life->source, &range, take_point, run);
    return rc < 0 ? rc : run->course->replay->err;
}

/* ---- the course ---- */

static int has_limit(const struct oc_replay_life *life, unsigned metric)
{
    for (size_t i = 0; i < life->span_count; i++) {
        if (life->spans[i].metric == metric)
            return 1;
    }
    return 0;
}

static int run_life(struct run *run)
{
    int rc = begin_life(run);

    if (!rc)
        rc = feed_life(run);
    if (!rc)
        rc = end_life(run);
    return rc;
}

int oc_replay_course_run(const struct oc_replay_course *course)
{
    struct run run = { .course = course,
                       .busy_until_ms = INT64_MIN,
                       .until_progress = PROGRESS_SAMPLES };
    int rc = OC_OK;

    for (size_t i = 0; i < course->count && !rc; i++) {
        run.life = &course->lives[i];
        if (has_limit(run.life, course->metric))
            rc = run_life(&run);
    }
    oc_replay_lane_free(run.lane);
    for (size_t i = 0; i < run.ended_count; i++)
        oc_replay_lane_free(run.ended[i].lane);
    oc_free(run.ended);
    oc_replay_plan_clear(&run.plan);
    oc_free(run.asides);
    return rc;
}
