#include "daemon/walker.h"

#include "daemon/cgroups.h"
#include "daemon/daemon.h"

#include "base/alloc.h"
#include "base/log.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)
#define STACK_BYTES (512u << 10)
#define TARGET_SHARE 100 /* a walk's cost is at most 1 % of the time to the target's next one */
#define TOTAL_SHARE 20   /* 5 % of a core for all walks */
#define BURST_NS (20 * NS_PER_MS)
#define MAX_REQUESTS OC_MAX_SOURCES
#define STUCK_MS 5000 /* worth a line in the log */
#define MAX_RESULTS 32
#define RESULT_WAIT_NS (100 * NS_PER_MS) /* many walks in a row wake the loop once for all */

struct request {
    uint32_t slot;
    uint32_t pid;
    uint64_t start_ticks;
};

struct result {
    struct request request;
    int rc;
    struct oc_walk walk;
};

struct oc_walker {
    struct oc_daemon *daemon;
    uv_thread_t thread;
    uv_async_t done;
    struct oc_probe_options options; /* strings outlive the thread: they are argv's */

    uv_mutex_t mutex; /* guards all below */
    uv_cond_t changed;
    struct request *requests; /* a ring */
    size_t capacity, first, count;
    struct request current;
    size_t result_first, result_count; /* of a ring; those wait for the loop */
    int64_t result_since_ns;           /* the oldest of them */
    int told;                          /* the loop was woken for them */
    int64_t begun_mono_ns;             /* of the walk under way; 0: none */
    int stop, stopped;
    struct oc_walker_stats stats;

    struct result
        results[MAX_RESULTS]; /* the loop's those that wait; the one behind is the thread's */
    int64_t balance_ns;       /* the thread's own: CPU time that it may still use */
    int64_t balance_at_ns;
    int said_stuck;
};

/* ---- the thread ---- */

/* What the budget says: how long to rest before the next walk. */
static int64_t rest_ns(struct oc_walker *w, int64_t now_ns)
{
    w->balance_ns += (now_ns - w->balance_at_ns) / TOTAL_SHARE;
    w->balance_at_ns = now_ns;
    if (w->balance_ns > BURST_NS)
        w->balance_ns = BURST_NS;
    return w->balance_ns >= 0 ? 0 : -w->balance_ns * TOTAL_SHARE;
}

/*
 * With the mutex held: wakes the loop where results have waited long enough, or nothing will come
 * to wait for. Returns how long the rest may wait on.
 */
static int64_t tell_loop(struct oc_walker *w, int64_t now_ns)
{
    int64_t left_ns = w->result_since_ns + RESULT_WAIT_NS - now_ns;

    if (w->result_count == 0 || w->told)
        return INT64_MAX;
    if (left_ns > 0 && w->count > 0 && w->result_count < MAX_RESULTS)
        return left_ns;
    w->told = 1;
    (void)uv_async_send(&w->done);
    return INT64_MAX;
}

static void take_request(struct oc_walker *w, int64_t now_ns)
{
    w->current = w->requests[w->first];
    w->first = (w->first + 1) % w->capacity;
    w->count--;
    w->begun_mono_ns = now_ns;
}

/* With the mutex held: sleeps until there is a request and a right to work on it. 0: stop. */
static int next_request(struct oc_walker *w)
{
    while (!w->stop) {
        int64_t now_ns = oc_clock_mono_ns();
        int64_t wait_ns = tell_loop(w, now_ns);
        int64_t rest = 0;

        if (w->count == 0 || w->result_count == MAX_RESULTS) {
            uv_cond_wait(&w->changed, &w->mutex);
            continue;
        }
        rest = rest_ns(w, now_ns);
        if (rest == 0) {
            take_request(w, now_ns);
            return 1;
        }
        (void)uv_cond_timedwait(&w->changed, &w->mutex,
                                (uint64_t)(rest < wait_ns ? rest : wait_ns));
    }
    return 0;
}

/* Where the walk at hand goes: taking from the front does not move it. */
static struct result *free_result(struct oc_walker *w)
{
    return &w->results[(w->result_first + w->result_count) % MAX_RESULTS];
}

static void walk_one(struct oc_walker *w, struct result *result)
{
    struct oc_walk_request request = { .pid = result->request.pid,
                                       .start_ticks = result->request.start_ticks,
                                       .want = OC_WALK_FACTS | OC_WALK_COUNTS };
    int64_t cpu_ns = oc_clock_thread_cpu_ns();

    result->rc = oc_probe_walk(&w->options, &request, &result->walk);
    cpu_ns = oc_clock_thread_cpu_ns() - cpu_ns;
    w->balance_ns -= cpu_ns;
    uv_mutex_lock(&w->mutex);
    if (w->result_count++ == 0)
        w->result_since_ns = oc_clock_mono_ns();
    w->begun_mono_ns = 0;
    w->stats.walks++;
    w->stats.failed += result->rc < 0 ? 1 : 0;
    w->stats.cpu_us += (uint64_t)cpu_ns / 1000;
    uv_mutex_unlock(&w->mutex);
}

static void walker_main(void *argument)
{
    struct oc_walker *w = argument;

    uv_mutex_lock(&w->mutex);
    while (next_request(w)) {
        struct result *result = free_result(w);

        result->request = w->current;
        uv_mutex_unlock(&w->mutex);
        walk_one(w, result);
        uv_mutex_lock(&w->mutex);
    }
    w->stopped = 1;
    uv_cond_broadcast(&w->changed);
    uv_mutex_unlock(&w->mutex);
}

/* ---- a result, on the loop ---- */

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

static void take_result(struct oc_daemon *daemon, struct oc_source *source,
                        const struct oc_walk *walk)
{
    char path[sizeof(walk->facts.cgroup)];

    if (source->state != OC_SOURCE_TICKING || !source->proc)
        return;
    keep_figures(source, walk);
    send_facts(daemon, source, walk);
    oc_probe_adopt(daemon->probe, source->proc, walk);
    if (daemon->args.pids_path || walk->facts.cgroup[0] != '/')
        return;
    memcpy(path, walk->facts.cgroup, sizeof(path));
    if (source->cgroup_slot != OC_NO_SLOT &&
        strcmp(oc_cgroup_path(oc_sources_at(&daemon->sources, source->cgroup_slot)->cgroup),
               path) != 0)
        oc_cgroups_move(daemon, source, path);
}

static void take_one(struct oc_daemon *daemon, const struct result *result)
{
    struct oc_source *source = oc_sources_at(&daemon->sources, result->request.slot);
    int64_t now_ms = oc_now_mono_ms();
    int64_t pause_ms = result->rc < 0 ? 0 : result->walk.cpu_ns / NS_PER_MS * TARGET_SHARE;
    int64_t interval_ms = daemon->config.walk_interval_ms;

    if (!source || !source->walk_pending || source->id_of_proc.pid != result->request.pid ||
        source->id_of_proc.start_ticks != result->request.start_ticks)
        return;
    source->walk_pending = 0;
    source->last_walk_mono_ms = now_ms;
    source->next_walk_mono_ms = now_ms + (pause_ms > interval_ms ? pause_ms : interval_ms);
    if (result->rc == OC_OK)
        take_result(daemon, source, &result->walk);
}

static void take_results(struct oc_walker *w)
{
    size_t first = 0, count = 0;

    uv_mutex_lock(&w->mutex);
    first = w->result_first;
    count = w->result_count;
    uv_mutex_unlock(&w->mutex);
    for (size_t i = 0; i < count; i++)
        take_one(w->daemon, &w->results[(first + i) % MAX_RESULTS]);
    uv_mutex_lock(&w->mutex);
    w->result_first = (w->result_first + count) % MAX_RESULTS;
    w->result_count -= count;
    w->result_since_ns = oc_clock_mono_ns();
    w->told = 0;
    uv_cond_signal(&w->changed);
    uv_mutex_unlock(&w->mutex);
}

static void on_done(uv_async_t *handle) { take_results(handle->data); }

/* ---- asking ---- */

/* With the mutex held. */
static int make_room(struct oc_walker *w)
{
    size_t capacity = w->capacity ? 2 * w->capacity : 64;
    struct request *ring = NULL;

    if (w->count < w->capacity)
        return OC_OK;
    if (capacity > MAX_REQUESTS)
        return OC_E_TOOBIG;
    ring = oc_malloc(capacity * sizeof(ring[0]));
    if (!ring)
        return OC_E_NOMEM;
    for (size_t i = 0; w->capacity && i < w->count; i++)
        ring[i] = w->requests[(w->first + i) % w->capacity];
    oc_free(w->requests);
    w->requests = ring;
    w->capacity = capacity;
    w->first = 0;
    return OC_OK;
}

int oc_walker_may(const struct oc_source *source, int64_t now_mono_ms)
{
    return source->kind == OC_SOURCE_PROCESS && !source->walk_pending &&
           (source->last_walk_mono_ms == 0 ||
            now_mono_ms - source->last_walk_mono_ms >= OC_WALK_GAP_MS);
}

int oc_walker_is_due(const struct oc_source *source, int64_t now_mono_ms)
{
    return source->group && source->moved && source->next_walk_mono_ms > 0 &&
           now_mono_ms >= source->next_walk_mono_ms && oc_walker_may(source, now_mono_ms);
}

void oc_walker_want(struct oc_daemon *daemon, struct oc_source *source)
{
    struct oc_walker *w = daemon->walker;
    struct request request = { .slot = source->slot,
                               .pid = source->id_of_proc.pid,
                               .start_ticks = source->id_of_proc.start_ticks };

    if (!w || !oc_walker_may(source, oc_now_mono_ms()))
        return;
    uv_mutex_lock(&w->mutex);
    if (make_room(w) == OC_OK) {
        w->requests[(w->first + w->count++) % w->capacity] = request;
        source->walk_pending = 1;
        source->moved = 0; /* what it does from here on, the walk may not see */
        uv_cond_signal(&w->changed);
    }
    uv_mutex_unlock(&w->mutex);
}

static void say_when_stuck(struct oc_daemon *daemon)
{
    struct oc_walker *w = daemon->walker;
    struct oc_walker_stats stats;

    oc_walker_stats(w, &stats);
    if (stats.stuck_ms >= STUCK_MS && !w->said_stuck)
        oc_log(OC_LOG_WARN, "walk_stuck", oc_i64("pid", stats.stuck_pid),
               oc_i64("ms", stats.stuck_ms), oc_str("then", "walks of others wait; ticks go on"));
    if (stats.stuck_ms < STUCK_MS && w->said_stuck)
        oc_log(OC_LOG_INFO, "walk_goes_on", oc_u64("waiting", stats.waiting));
    w->said_stuck = stats.stuck_ms >= STUCK_MS;
}

/* One that did not run since its last walk has the mappings that it had. */
void oc_walker_round(struct oc_daemon *daemon)
{
    int64_t now_ms = oc_now_mono_ms();

    if (!daemon->walker)
        return;
    say_when_stuck(daemon);
    take_results(daemon->walker); /* those behind which one is stuck */
    if (daemon->args.look > OC_LOOK_LADDER)
        return; /* what a look reads is pinned */
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];

        if (source && oc_walker_is_due(source, now_ms))
            oc_walker_want(daemon, source);
    }
}

uint32_t oc_walker_now(struct oc_daemon *daemon, uint32_t pid, uint32_t *out_fresh)
{
    int64_t now_ms = oc_now_mono_ms();
    uint32_t count = 0;

    *out_fresh = 0;
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];

        if (!source || source->kind != OC_SOURCE_PROCESS || !source->group ||
            (pid != 0 && source->id_of_proc.pid != pid))
            continue;
        if (!source->walk_pending && !oc_walker_may(source, now_ms)) {
            ++*out_fresh;
            continue;
        }
        oc_walker_want(daemon, source);
        count++;
    }
    return count;
}

void oc_walker_stats(oc_walker *walker, struct oc_walker_stats *out_stats)
{
    uv_mutex_lock(&walker->mutex);
    *out_stats = walker->stats;
    out_stats->waiting = walker->count;
    if (walker->begun_mono_ns > 0)
        out_stats->stuck_ms = (oc_clock_mono_ns() - walker->begun_mono_ns) / NS_PER_MS;
    out_stats->stuck_pid = walker->current.pid;
    uv_mutex_unlock(&walker->mutex);
}

/* ---- start and stop ---- */

static void destroy(struct oc_walker *w)
{
    uv_cond_destroy(&w->changed);
    uv_mutex_destroy(&w->mutex);
    oc_free(w->requests);
    oc_free(w);
}

static void on_closed(uv_handle_t *handle) { destroy(handle->data); }

int oc_walker_start(struct oc_daemon *daemon, oc_walker **out_walker)
{
    uv_thread_options_t options = { .flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES };
    struct oc_walker *w = oc_calloc(1, sizeof(*w));

    if (!w)
        return OC_E_NOMEM;
    w->daemon = daemon;
    w->options = daemon->probe_options;
    w->done.data = w;
    w->balance_ns = BURST_NS;
    w->balance_at_ns = oc_clock_mono_ns();
    if (uv_mutex_init(&w->mutex) != 0) {
        oc_free(w);
        return OC_E_NOMEM;
    }
    if (uv_cond_init(&w->changed) != 0) {
        uv_mutex_destroy(&w->mutex);
        oc_free(w);
        return OC_E_NOMEM;
    }
    if (uv_async_init(&daemon->loop, &w->done, on_done) != 0) {
        destroy(w);
        return OC_E_NOMEM;
    }
    if (uv_thread_create_ex(&w->thread, &options, walker_main, w) != 0) {
        uv_close((uv_handle_t *)&w->done, on_closed);
        return OC_E_NOMEM;
    }
    *out_walker = w;
    return OC_OK;
}

static void abandon(uv_handle_t *handle) { (void)handle; } /* the thread still has it */

void oc_walker_stop(oc_walker *walker, int64_t timeout_ms)
{
    int64_t until_ns = oc_clock_mono_ns() + timeout_ms * NS_PER_MS;
    int stopped = 0;

    if (!walker)
        return;
    uv_mutex_lock(&walker->mutex);
    walker->stop = 1;
    uv_cond_broadcast(&walker->changed);
    while (!walker->stopped && oc_clock_mono_ns() < until_ns)
        (void)uv_cond_timedwait(&walker->changed, &walker->mutex, (uint64_t)(10 * NS_PER_MS));
    stopped = walker->stopped;
    uv_mutex_unlock(&walker->mutex);
    if (stopped) {
        (void)uv_thread_join(&walker->thread);
        uv_close((uv_handle_t *)&walker->done, on_closed);
    } else {
        uv_close((uv_handle_t *)&walker->done, abandon);
    }
}
