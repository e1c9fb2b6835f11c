#include "daemon/walker.h"

#include "base/alloc.h"
#include "base/os.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)
#define STACK_BYTES (512u << 10)
#define BURST_NS (20 * NS_PER_MS)        /* what a rested budget allows at once */
#define FACTS_PERCENT 10                 /* of a core, while new processes are looked into */
#define FACTS_BURST_NS (200 * NS_PER_MS) /* those of a start on a machine of 1,000 processes */
#define MAX_WAITING 65536                /* jobs of a kind */
#define MAX_RESULTS 32                   /* done or under way: 7 KiB each, besides what they hold */
#define RESULT_WAIT_NS (100 * NS_PER_MS) /* many in a row wake the loop once for all */
#define NO_MEMORY_WAIT_NS (1000 * NS_PER_MS)

enum lane_of { LANE_FACTS, LANE_WALKS, LANES };

/* Jobs that wait, and the CPU time that they may still use. */
struct lane {
    struct oc_job *ring;
    size_t capacity, first, count;
    int64_t percent, burst_ns;
    int64_t balance_ns, balance_at_ns;
};

struct worker {
    struct oc_walker *walker;
    uv_thread_t thread;
    uint32_t pid;          /* of the job at hand */
    int64_t begun_mono_ns; /* 0: none */
    int started, stopped;
};

struct oc_walker {
    uv_async_t done;
    void (*on_done)(void *context);
    void *context;
    oc_walk_fn *walk;
    struct oc_probe_options options;

    uv_mutex_t mutex; /* guards all below */
    uv_cond_t changed;
    struct lane lanes[LANES];
    struct worker workers[OC_WALKER_THREADS];
    struct oc_job_result *results, **results_end;
    size_t result_count; /* done or under way */
    size_t ready_count;
    int64_t ready_since_ns; /* the oldest of them */
    int told;               /* the loop was woken for them */
    int stop;
    struct oc_walker_stats stats;
};

void oc_job_result_free(struct oc_job_result *take_result)
{
    if (!take_result)
        return;
    oc_walk_clear(&take_result->walk);
    oc_free(take_result);
}

/* ---- lanes; all with the mutex held ---- */

static enum lane_of lane_for(const struct oc_job *job)
{
    return job->kind == OC_JOB_FACTS ? LANE_FACTS : LANE_WALKS;
}

static int grow(struct lane *lane)
{
    size_t capacity = lane->capacity ? 2 * lane->capacity : 64;
    struct oc_job *ring = NULL;

    if (lane->count < lane->capacity)
        return OC_OK;
    if (capacity > MAX_WAITING)
        return OC_E_TOOBIG;
    ring = oc_malloc(capacity * sizeof(ring[0]));
    if (!ring)
        return OC_E_NOMEM;
    for (size_t i = 0; lane->capacity && i < lane->count; i++)
        ring[i] = lane->ring[(lane->first + i) % lane->capacity];
    oc_free(lane->ring);
    lane->ring = ring;
    lane->capacity = capacity;
    lane->first = 0;
    return OC_OK;
}

/* How long to rest before the next job of the lane: its share of a core pays off what it owes. */
static int64_t rest_ns(struct lane *lane, int64_t now_ns)
{
    lane->balance_ns += (now_ns - lane->balance_at_ns) / 100 * lane->percent;
    lane->balance_at_ns = now_ns;
    if (lane->balance_ns > lane->burst_ns)
        lane->balance_ns = lane->burst_ns;
    return lane->balance_ns >= 0 ? 0 : -lane->balance_ns / lane->percent * 100 + 1;
}

/*
 * Wakes the loop where results have waited long enough, or nothing will come to wait for. Returns
 * how long the rest may wait on.
 */
static int64_t tell_loop(struct oc_walker *w, int64_t now_ns)
{
    int64_t left_ns = w->ready_since_ns + RESULT_WAIT_NS - now_ns;
    int more_to_come = w->lanes[LANE_FACTS].count + w->lanes[LANE_WALKS].count > 0;

    if (w->ready_count == 0 || w->told)
        return INT64_MAX;
    if (left_ns > 0 && more_to_come && w->result_count < MAX_RESULTS)
        return left_ns;
    w->told = 1;
    (void)uv_async_send(&w->done);
    return INT64_MAX;
}

static void take_job(struct oc_walker *w, struct lane *lane, struct worker *worker,
                     struct oc_job *out_job, int64_t now_ns)
{
    *out_job = lane->ring[lane->first];
    lane->first = (lane->first + 1) % lane->capacity;
    lane->count--;
    worker->pid = out_job->pid;
    worker->begun_mono_ns = now_ns;
    w->stats.waiting[out_job->kind]--;
    w->result_count++;
}

/* The lane whose turn it is, or NULL and how long to wait for one. */
static struct lane *ready_lane(struct oc_walker *w, int64_t now_ns, int64_t *out_wait_ns)
{
    for (int i = 0; i < LANES; i++) {
        int64_t rest = 0;

        if (w->lanes[i].count == 0)
            continue;
        rest = rest_ns(&w->lanes[i], now_ns);
        if (rest == 0)
            return &w->lanes[i];
        if (rest < *out_wait_ns)
            *out_wait_ns = rest;
    }
    return NULL;
}

/* Sleeps until there is a job and a right to work on it. NULL: stop. */
static struct oc_job_result *next_job(struct oc_walker *w, struct worker *worker)
{
    while (!w->stop) {
        int64_t now_ns = oc_clock_mono_ns();
        int64_t wait_ns = tell_loop(w, now_ns);
        struct lane *lane = w->result_count < MAX_RESULTS ? ready_lane(w, now_ns, &wait_ns) : NULL;
        struct oc_job_result *result = lane ? oc_calloc(1, sizeof(*result)) : NULL;

        if (result) {
            take_job(w, lane, worker, &result->job, now_ns);
            return result;
        }
        if (lane)
            wait_ns = NO_MEMORY_WAIT_NS;
        if (wait_ns == INT64_MAX)
            uv_cond_wait(&w->changed, &w->mutex);
        else
            (void)uv_cond_timedwait(&w->changed, &w->mutex, (uint64_t)wait_ns);
    }
    return NULL;
}

static void count(struct oc_walker *w, const struct oc_job_result *result, int64_t cpu_ns)
{
    struct oc_walker_stats *stats = &w->stats;
    uint64_t stall_us = result->rc < 0 ? 0 : (uint64_t)result->walk.stall_ns / 1000;

    w->lanes[lane_for(&result->job)].balance_ns -= cpu_ns;
    stats->made[result->job.kind]++;
    stats->failed[result->job.kind] += result->rc < 0;
    if (result->job.kind == OC_JOB_FACTS)
        stats->facts_cpu_us += (uint64_t)cpu_ns / 1000;
    else
        stats->cpu_us += (uint64_t)cpu_ns / 1000;
    if (stall_us > stats->worst_stall_us) {
        stats->worst_stall_us = stall_us;
        stats->worst_stall_pid = result->job.pid;
    }
}

static void put_result(struct oc_walker *w, struct oc_job_result *result)
{
    result->next = NULL;
    *w->results_end = result;
    w->results_end = &result->next;
    if (w->ready_count++ == 0)
        w->ready_since_ns = oc_clock_mono_ns();
}

/* ---- the threads ---- */

/* Without the mutex. Returns the CPU time that it took. */
static int64_t do_job(struct oc_walker *w, struct oc_job_result *result)
{
    struct oc_walk_request request = { .pid = result->job.pid,
                                       .start_ticks = result->job.start_ticks,
                                       .want = result->job.want };
    int64_t begin_ns = oc_clock_thread_cpu_ns();

    result->rc = w->walk(&w->options, &request, &result->walk);
    return oc_clock_thread_cpu_ns() - begin_ns;
}

static void worker_main(void *argument)
{
    struct worker *worker = argument;
    struct oc_walker *w = worker->walker;
    struct oc_job_result *result = NULL;

    uv_mutex_lock(&w->mutex);
    while ((result = next_job(w, worker)) != NULL) {
        int64_t cpu_ns = 0;

        uv_mutex_unlock(&w->mutex);
        cpu_ns = do_job(w, result);
        uv_mutex_lock(&w->mutex);
        worker->begun_mono_ns = 0;
        count(w, result, cpu_ns);
        put_result(w, result);
    }
    worker->stopped = 1;
    uv_cond_broadcast(&w->changed);
    uv_mutex_unlock(&w->mutex);
}

/* ---- the loop's side ---- */

static void on_done(uv_async_t *handle)
{
    struct oc_walker *w = handle->data;

    uv_mutex_lock(&w->mutex);
    w->told = 0;
    uv_mutex_unlock(&w->mutex);
    w->on_done(w->context);
}

int oc_walker_ask(oc_walker *walker, const struct oc_job *job)
{
    struct lane *lane = &walker->lanes[lane_for(job)];
    int rc = OC_OK;

    uv_mutex_lock(&walker->mutex);
    rc = grow(lane);
    if (rc == OC_OK) {
        lane->ring[(lane->first + lane->count++) % lane->capacity] = *job;
        walker->stats.waiting[job->kind]++;
        uv_cond_signal(&walker->changed);
    }
    uv_mutex_unlock(&walker->mutex);
    return rc;
}

struct oc_job_result *oc_walker_take(oc_walker *walker)
{
    struct oc_job_result *result = NULL;

    uv_mutex_lock(&walker->mutex);
    result = walker->results;
    if (result) {
        walker->results = result->next;
        if (!walker->results)
            walker->results_end = &walker->results;
        walker->ready_count--;
        walker->ready_since_ns = oc_clock_mono_ns();
        if (walker->result_count-- == MAX_RESULTS)
            uv_cond_broadcast(&walker->changed);
    }
    uv_mutex_unlock(&walker->mutex);
    return result;
}

void oc_walker_set_budget(oc_walker *walker, int64_t budget_percent)
{
    uv_mutex_lock(&walker->mutex);
    walker->lanes[LANE_WALKS].percent = budget_percent;
    uv_mutex_unlock(&walker->mutex);
}

void oc_walker_stats(oc_walker *walker, struct oc_walker_stats *out_stats)
{
    int64_t now_ns = oc_clock_mono_ns();

    uv_mutex_lock(&walker->mutex);
    *out_stats = walker->stats;
    for (int i = 0; i < OC_WALKER_THREADS; i++) {
        const struct worker *worker = &walker->workers[i];
        int64_t for_ms = (now_ns - worker->begun_mono_ns) / NS_PER_MS;

        if (worker->begun_mono_ns == 0)
            continue;
        out_stats->under_way++;
        if (for_ms >= out_stats->stuck_ms) {
            out_stats->stuck_ms = for_ms;
            out_stats->stuck_pid = worker->pid;
        }
    }
    uv_mutex_unlock(&walker->mutex);
}

/* ---- start and stop ---- */

static void destroy(struct oc_walker *w)
{
    struct oc_job_result *result = NULL;

    while ((result = oc_walker_take(w)) != NULL)
        oc_job_result_free(result);
    uv_cond_destroy(&w->changed);
    uv_mutex_destroy(&w->mutex);
    for (int i = 0; i < LANES; i++)
        oc_free(w->lanes[i].ring);
    oc_free(w);
}

static void on_closed(uv_handle_t *handle) { destroy(handle->data); }

static struct oc_walker *make(const struct oc_walker_options *options)
{
    struct oc_walker *w = oc_calloc(1, sizeof(*w));
    int64_t now_ns = oc_clock_mono_ns();

    if (!w)
        return NULL;
    w->walk = options->walk;
    w->options = *options->probe;
    w->on_done = options->done;
    w->context = options->context;
    w->done.data = w;
    w->results_end = &w->results;
    w->lanes[LANE_FACTS] = (struct lane){ .percent = FACTS_PERCENT, .burst_ns = FACTS_BURST_NS };
    w->lanes[LANE_WALKS] =
        (struct lane){ .percent = options->budget_percent, .burst_ns = BURST_NS };
    for (int i = 0; i < LANES; i++) {
        w->lanes[i].balance_ns = w->lanes[i].burst_ns;
        w->lanes[i].balance_at_ns = now_ns;
    }
    if (uv_mutex_init(&w->mutex) != 0) {
        oc_free(w);
        return NULL;
    }
    if (uv_cond_init(&w->changed) != 0) {
        uv_mutex_destroy(&w->mutex);
        oc_free(w);
        return NULL;
    }
    return w;
}

static int start_threads(struct oc_walker *w)
{
    uv_thread_options_t options = { .flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES };

    for (int i = 0; i < OC_WALKER_THREADS; i++) {
        struct worker *worker = &w->workers[i];

        worker->walker = w;
        if (uv_thread_create_ex(&worker->thread, &options, worker_main, worker) != 0)
            return i == 0 ? OC_E_NOMEM : OC_OK; /* one does, though it may be held up */
        worker->started = 1;
    }
    return OC_OK;
}

int oc_walker_start(uv_loop_t *loop, const struct oc_walker_options *options,
                    oc_walker **out_walker)
{
    struct oc_walker *w = make(options);

    if (!w)
        return OC_E_NOMEM;
    if (uv_async_init(loop, &w->done, on_done) != 0) {
        destroy(w);
        return OC_E_NOMEM;
    }
    if (start_threads(w) < 0) {
        uv_close((uv_handle_t *)&w->done, on_closed);
        return OC_E_NOMEM;
    }
    *out_walker = w;
    return OC_OK;
}

/* With the mutex held. */
static int all_stopped(const struct oc_walker *w)
{
    for (int i = 0; i < OC_WALKER_THREADS; i++) {
        if (w->workers[i].started && !w->workers[i].stopped)
            return 0;
    }
    return 1;
}

static void abandon(uv_handle_t *handle) { (void)handle; } /* a thread still has it */

void oc_walker_stop(oc_walker *walker, int64_t timeout_ms)
{
    int64_t until_ns = oc_clock_mono_ns() + timeout_ms * NS_PER_MS;
    int stopped = 0;

    if (!walker)
        return;
    uv_mutex_lock(&walker->mutex);
    walker->stop = 1;
    uv_cond_broadcast(&walker->changed);
    while (!all_stopped(walker) && oc_clock_mono_ns() < until_ns)
        (void)uv_cond_timedwait(&walker->changed, &walker->mutex, (uint64_t)(10 * NS_PER_MS));
    stopped = all_stopped(walker);
    uv_mutex_unlock(&walker->mutex);
    for (int i = 0; stopped && i < OC_WALKER_THREADS; i++) {
        if (walker->workers[i].started)
            (void)uv_thread_join(&walker->workers[i].thread);
    }
    uv_close((uv_handle_t *)&walker->done, stopped ? on_closed : abandon);
}
