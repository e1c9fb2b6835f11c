#include "daemon/writer.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/os.h"
#include "config/target.h"

#include <stdatomic.h>
#include <string.h>

#define NS_PER_MS INT64_C(1000000)
#define QUEUE_BYTES (4u << 20)
#define STACK_BYTES (512u << 10)
#define EARLY_BYTES (256u << 10) /* so much waiting is taken in before the batch is due */
#define ACK_MAX_BYTES (4u << 20)
#define RETRY_MS 1000        /* between two tries of a store that fails */
#define CHORE_BUDGET_US 3000 /* after a commit */
#define CHORE_PAUSE_MS 50    /* between two helpings of chores, while there are more */
#define BATCH_SLACK 8        /* a batch within 1/8 of its time is due: saves a wake-up */

struct oc_writer {
    struct oc_queue queue;
    uv_thread_t thread;
    uv_async_t answered;
    oc_store *store;
    oc_writer_begun_fn *begun;
    oc_writer_replayed_fn *replayed;
    oc_writer_corrupt_fn *corrupt;
    oc_writer_turn_fn *turned;
    void *context;
    int ack_fd;

    /* guarded by queue.mutex */
    struct oc_message *answers, *answers_tail;
    struct oc_writer_stats stats;
    int64_t batch_ms;
    int idle;   /* the thread waits with nothing to do: a push must wake it */
    int urgent; /* a begin, a replay or an alert waits: take it in at once */
    int stop, stopped;
    int is_corrupt; /* to be told to the loop; -1: it was */
    uint64_t turn;  /* of alerts: the last that is on the disk */
    int is_turn;    /* that, or whether the store fails, is to be told */

    atomic_int degraded;

    /* the thread's own */
    struct oc_buf acks;
    int64_t last_commit_ns;
    int batch_open; /* the store holds what no commit has saved */
    int64_t batch_due_ns;
    int more_chores;
    int error;           /* of the last round */
    uint64_t taken_turn; /* of alerts: the last that the store took in */
    int must_sync;       /* someone waits to be told */
    uint64_t refused_samples;
    uint64_t stored_walks, refused_walks;
    uint64_t refused_words;
};

/* ---- acknowledgements ---- */

static void note_acks(struct oc_writer *w, const struct oc_tick *tick)
{
    struct oc_tick_cursor cursor;
    struct oc_tick_entry entry;
    int64_t last = -1; /* a source may have several blocks */

    if (w->ack_fd < 0)
        return;
    oc_tick_cursor_init(&cursor, tick->bytes.data, tick->bytes.len_bytes);
    while (oc_tick_next(&cursor, &entry) == 1) {
        if (entry.source != last)
            oc_buf_printf(&w->acks, "%lu %lld\n", (unsigned long)entry.source,
                          (long long)tick->t_ms);
        last = entry.source;
    }
}

/* After a commit only. Lines that find no reader are let go: the data is safe all the same. */
static void send_acks(struct oc_writer *w)
{
    size_t sent = 0;

    while (w->ack_fd >= 0 && sent < w->acks.len_bytes) {
        uv_fs_t request;
        uv_buf_t bytes = uv_buf_init(w->acks.data + sent, (unsigned)(w->acks.len_bytes - sent));
        int rc = uv_fs_write(NULL, &request, w->ack_fd, &bytes, 1, -1, NULL);

        uv_fs_req_cleanup(&request);
        if (rc <= 0)
            break;
        sent += (size_t)rc;
    }
    oc_buf_reset(&w->acks);
}

/* ---- the store's good and bad times ---- */

/* The loop hears how far alerts are, and whether the store fails. */
static void tell_turn_now(struct oc_writer *w)
{
    uv_mutex_lock(&w->queue.mutex);
    w->is_turn = 1;
    uv_mutex_unlock(&w->queue.mutex);
    (void)uv_async_send(&w->answered);
}

static void begin_degraded(struct oc_writer *w, int rc)
{
    uv_mutex_lock(&w->queue.mutex);
    w->stats.error = rc;
    if (!w->stats.degraded) {
        w->stats.degraded = 1;
        w->stats.degraded_count++;
        w->stats.degraded_since_boot_ms = oc_clock_boot_ns() / NS_PER_MS;
    }
    if (rc == OC_E_CORRUPT && w->is_corrupt == 0) {
        w->is_corrupt = 1;
        (void)uv_async_send(&w->answered);
    }
    uv_mutex_unlock(&w->queue.mutex);
    if (atomic_exchange(&w->degraded, 1))
        return;
    tell_turn_now(w);
    oc_log(OC_LOG_WARN, "store_failing", oc_str("path", oc_store_path(w->store)),
           oc_str("err", oc_err_name(rc)), oc_str("why", oc_err_text(rc)),
           oc_str("then", "sampling goes on in memory; the oldest goes first when it is full"));
}

static void end_degraded(struct oc_writer *w)
{
    uint64_t lost = 0;
    int64_t since_ms = 0;

    if (!atomic_exchange(&w->degraded, 0))
        return;
    uv_mutex_lock(&w->queue.mutex);
    w->stats.degraded = 0;
    w->stats.error = OC_OK;
    since_ms = w->stats.degraded_since_boot_ms;
    lost = w->queue.lost_samples;
    uv_mutex_unlock(&w->queue.mutex);
    tell_turn_now(w);
    oc_log(OC_LOG_INFO, "store_works_again", oc_str("path", oc_store_path(w->store)),
           oc_i64("after_ms", oc_clock_boot_ns() / NS_PER_MS - since_ms),
           oc_u64("lost_samples_since_start", lost));
}

/* Whether a failure is the store's, so that trying again later helps, and not the message's. */
static int is_store_failure(int rc)
{
    return rc == OC_E_NOSPC || rc == OC_E_IO || rc == OC_E_BUSY || rc == OC_E_CORRUPT ||
           rc == OC_E_DENIED || rc == OC_E_NOFILE;
}

/* ---- messages ---- */

static int store_tick(struct oc_writer *w, struct oc_message *message)
{
    int rc = oc_store_append(w->store, &message->tick);

    if (rc >= 0)
        note_acks(w, &message->tick);
    else if (!is_store_failure(rc))
        w->refused_samples += message->tick.source_count;
    return rc;
}

static int store_walk(struct oc_writer *w, struct oc_message *message)
{
    int rc = OC_OK;

    message->walk.census = message->census;
    rc = oc_store_walk(w->store, message->source, &message->walk);
    if (rc >= 0)
        w->stored_walks++;
    else if (!is_store_failure(rc))
        w->refused_walks++;
    return rc;
}

static int store_labels(struct oc_writer *w, const struct oc_message *message)
{
    const char *pairs[4 * OC_LABELS_MAX + 1];
    size_t count = 0;

    for (const char *at = message->text; *at && count < 4 * OC_LABELS_MAX; at += strlen(at) + 1) {
        pairs[count++] = at;
        at += strlen(at) + 1;
        pairs[count++] = at;
    }
    pairs[count] = NULL;
    return oc_store_subject_labels(w->store, message->source, pairs);
}

static int on_replay_sample(int64_t boot_ms, const struct oc_sample *sample, void *context)
{
    return oc_past_add(context, boot_ms, sample) < 0;
}

static int store_replay(struct oc_writer *w, struct oc_message *message)
{
    const struct oc_since since = { .source = message->source,
                                    .block = message->past->block,
                                    .wanted = message->past->wanted,
                                    .boot_ms = message->past->since_ms };

    return oc_store_samples_since(w->store, &since, on_replay_sample, message->past);
}

static int store_alerts(struct oc_writer *w, struct oc_message *message)
{
    int rc = oc_alert_ops_store(&message->ops, w->store);

    if (rc < 0)
        return rc;
    w->taken_turn = message->turn;
    w->must_sync |= message->is_durable;
    return OC_OK;
}

static int store_message(struct oc_writer *w, struct oc_message *message)
{
    switch (message->kind) {
    case OC_MESSAGE_TICK:
        return store_tick(w, message);
    case OC_MESSAGE_BEGIN:
        return oc_store_source_begin(w->store, &message->info, &message->source);
    case OC_MESSAGE_FACTS:
        return oc_store_source_facts(w->store, message->source, message->facts);
    case OC_MESSAGE_END:
        return oc_store_source_end(w->store, message->source, message->boot_ms, message->end,
                                   message->status);
    case OC_MESSAGE_CLOCK:
        return oc_store_clock(w->store, message->boot_ms, message->unix_ms);
    case OC_MESSAGE_WALK:
        return store_walk(w, message);
    case OC_MESSAGE_LIMITS:
        return oc_store_limits(w->store, message->source, message->boot_ms, message->limits,
                               message->limit_count);
    case OC_MESSAGE_LABELS:
        return store_labels(w, message);
    case OC_MESSAGE_KILLER:
        return oc_store_source_killer(w->store, message->source, message->killer, message->text);
    case OC_MESSAGE_PLAN:
        return oc_store_source_plan(w->store, message->source, message->text);
    case OC_MESSAGE_FORECASTS:
        return oc_store_forecasts(w->store, message->source, message->forecasts,
                                  message->forecast_count);
    case OC_MESSAGE_MEMORY:
        return oc_store_memory_put(w->store, message->memory, message->text, message->key,
                                   message->bytes, message->len_bytes);
    case OC_MESSAGE_ACCURACY:
        return oc_store_accuracy(w->store, message->source, message->metric, message->limit_kind,
                                 message->boot_ms, &message->accuracy);
    case OC_MESSAGE_PAST:
        return store_replay(w, message);
    case OC_MESSAGE_ALERTS:
        return store_alerts(w, message);
    }
    return OC_E_INVAL;
}

static void answer(struct oc_writer *w, struct oc_message *message)
{
    message->next = NULL;
    uv_mutex_lock(&w->queue.mutex);
    if (w->answers_tail)
        w->answers_tail->next = message;
    else
        w->answers = message;
    w->answers_tail = message;
    uv_mutex_unlock(&w->queue.mutex);
}

static void open_batch(struct oc_writer *w)
{
    int64_t now_ns = oc_clock_mono_ns();
    int64_t batch_ns = 0;

    if (w->batch_open)
        return;
    uv_mutex_lock(&w->queue.mutex);
    batch_ns = w->batch_ms * NS_PER_MS;
    uv_mutex_unlock(&w->queue.mutex);
    w->batch_open = 1;
    w->batch_due_ns = w->last_commit_ns + batch_ns - batch_ns / BATCH_SLACK;
    if (w->batch_due_ns < now_ns)
        w->batch_due_ns = now_ns;
}

static void note_refused(struct oc_writer *w, const struct oc_message *message, int rc)
{
    oc_log(OC_LOG_DEBUG, "store_refused", oc_i64("message", message->kind),
           oc_str("err", oc_err_name(rc)));
    if (rc != OC_E_NOENT) /* of a source that has ended nobody asks again */
        w->refused_words +=
            message->kind == OC_MESSAGE_LIMITS || message->kind == OC_MESSAGE_LABELS;
}

static int is_asked(const struct oc_message *message)
{
    return message->kind == OC_MESSAGE_BEGIN || message->kind == OC_MESSAGE_PAST;
}

/* Whether a message that failed waits at the front for better times. No alert is given up. */
static int must_wait(const struct oc_message *message, int rc)
{
    return message->kind == OC_MESSAGE_ALERTS ||
           (is_store_failure(rc) && message->kind != OC_MESSAGE_PAST);
}

/* Takes in all that is queued. Returns 0, or the failure of the store; the rest then waits. */
static int drain(struct oc_writer *w)
{
    struct oc_message *message = NULL;
    int answered = 0;
    int rc = OC_OK;

    while ((message = oc_queue_pop(&w->queue)) != NULL) {
        rc = store_message(w, message);
        if (rc < 0 && must_wait(message, rc)) {
            oc_queue_put_back(&w->queue, message);
            break;
        }
        if (rc < 0)
            note_refused(w, message, rc);
        message->rc = rc < 0 ? rc : OC_OK;
        rc = OC_OK;
        if (message->kind != OC_MESSAGE_PAST)
            open_batch(w);
        if (is_asked(message)) {
            answer(w, message);
            answered = 1;
        } else {
            oc_queue_give_back(&w->queue, message);
        }
    }
    if (answered)
        (void)uv_async_send(&w->answered);
    return rc;
}

/* ---- commits ---- */

static void publish(struct oc_writer *w, int64_t took_us)
{
    struct oc_store_stats stats = { 0 };

    oc_store_stats(w->store, &stats);
    uv_mutex_lock(&w->queue.mutex);
    w->stats.store = stats;
    w->stats.lost_samples = w->refused_samples + stats.lost_samples + stats.dropped_entries;
    w->stats.stored_walks = w->stored_walks;
    w->stats.refused_words = w->refused_words;
    w->stats.lost_walks = w->refused_walks;
    if (took_us > 0 && (uint64_t)took_us > w->stats.commit_worst_us)
        w->stats.commit_worst_us = (uint64_t)took_us;
    uv_mutex_unlock(&w->queue.mutex);
}

/* After a commit: who waits for a turn of alerts to be on the disk hears of it. */
static void tell_turn(struct oc_writer *w)
{
    int is_news = 0;

    w->must_sync = 0;
    uv_mutex_lock(&w->queue.mutex);
    is_news = w->turn != w->taken_turn;
    w->turn = w->taken_turn;
    w->is_turn |= is_news;
    uv_mutex_unlock(&w->queue.mutex);
    if (is_news)
        (void)uv_async_send(&w->answered);
}

static int commit(struct oc_writer *w)
{
    int64_t begin_ns = oc_clock_mono_ns();
    int rc = oc_store_commit(w->store, w->must_sync ? OC_DURABLE_NOW : OC_DURABLE_BATCH,
                             oc_clock_boot_ns() / NS_PER_MS);

    w->last_commit_ns = begin_ns;
    if (rc >= 0) {
        w->batch_open = 0;
        tell_turn(w);
        send_acks(w);
        w->more_chores = 1;
    }
    publish(w, (oc_clock_mono_ns() - begin_ns) / 1000);
    return rc;
}

/* Returns 0 or the store's failure. */
static int do_chores(struct oc_writer *w)
{
    int rc = oc_store_maintain(w->store, oc_clock_boot_ns() / NS_PER_MS, oc_clock_unix_ms(),
                               CHORE_BUDGET_US);

    w->more_chores = rc == 1;
    return rc < 0 && is_store_failure(rc) ? rc : OC_OK;
}

/* ---- the thread ---- */

/* With the mutex held. Until when to sleep: 0 for not at all, INT64_MAX until somebody wakes it. */
static int64_t sleep_until(const struct oc_writer *w, int64_t now_ns)
{
    int64_t until_ns = INT64_MAX;

    if (w->stop)
        return 0;
    if (atomic_load(&w->degraded))
        return w->last_commit_ns + RETRY_MS * NS_PER_MS;
    if (w->urgent || w->queue.queued_bytes > EARLY_BYTES)
        return 0;
    if (w->batch_open)
        until_ns = w->batch_due_ns;
    if (w->more_chores && now_ns + CHORE_PAUSE_MS * NS_PER_MS < until_ns)
        until_ns = now_ns + CHORE_PAUSE_MS * NS_PER_MS;
    return until_ns;
}

/* Sleeps until there is something to do. Returns whether to stop. */
static int wait_for_work(struct oc_writer *w)
{
    int64_t now_ns = oc_clock_mono_ns();
    int64_t until_ns = 0;
    int stop = 0;

    uv_mutex_lock(&w->queue.mutex);
    until_ns = sleep_until(w, now_ns);
    if (until_ns == INT64_MAX) {
        w->idle = 1;
        while (!w->queue.head && !w->stop)
            uv_cond_wait(&w->queue.filled, &w->queue.mutex);
        w->idle = 0;
    } else if (until_ns > now_ns) {
        (void)uv_cond_timedwait(&w->queue.filled, &w->queue.mutex, (uint64_t)(until_ns - now_ns));
    }
    w->urgent = 0;
    stop = w->stop;
    uv_mutex_unlock(&w->queue.mutex);
    return stop;
}

/* One round in good times. Returns 0 or the store's failure. */
static int work(struct oc_writer *w, int stop)
{
    int rc = drain(w);

    if (rc >= 0 && w->batch_open && (stop || w->must_sync || oc_clock_mono_ns() >= w->batch_due_ns))
        rc = commit(w);
    if (rc >= 0 && w->more_chores && !stop)
        rc = do_chores(w);
    return rc;
}

/* One round while the store fails: nothing more goes into it before it could save what it has. */
static int work_degraded(struct oc_writer *w, int stop)
{
    int rc = OC_OK;

    if (!stop && oc_clock_mono_ns() < w->last_commit_ns + RETRY_MS * NS_PER_MS)
        return w->error; /* woken early */
    rc = commit(w);
    if (rc < 0)
        return rc;
    end_degraded(w);
    w->batch_due_ns = 0;
    return work(w, stop);
}

static void writer_main(void *argument)
{
    struct oc_writer *w = argument;
    int stop = 0;

    while (!stop) {
        stop = wait_for_work(w);
        w->error = atomic_load(&w->degraded) ? work_degraded(w, stop) : work(w, stop);
        if (w->error < 0)
            begin_degraded(w, w->error);
    }
    uv_mutex_lock(&w->queue.mutex);
    w->stopped = 1;
    uv_cond_broadcast(&w->queue.filled);
    uv_mutex_unlock(&w->queue.mutex);
}

/* ---- the loop's side ---- */

static void on_answered(uv_async_t *handle)
{
    struct oc_writer *w = handle->data;
    struct oc_message *message = NULL;
    int is_corrupt = 0, is_turn = 0;
    uint64_t turn = 0;

    uv_mutex_lock(&w->queue.mutex);
    turn = w->turn;
    is_turn = w->is_turn;
    w->is_turn = 0;
    message = w->answers;
    w->answers = NULL;
    w->answers_tail = NULL;
    is_corrupt = w->is_corrupt == 1;
    if (is_corrupt)
        w->is_corrupt = -1;
    uv_mutex_unlock(&w->queue.mutex);
    if (is_corrupt && w->corrupt)
        w->corrupt(w->context);
    if (is_turn && w->turned)
        w->turned(w->context, turn, atomic_load(&w->degraded));
    while (message) {
        struct oc_message *next = message->next;

        if (message->kind == OC_MESSAGE_BEGIN)
            w->begun(w->context, message->slot, message->rc, message->source);
        else if (w->replayed)
            w->replayed(w->context, message);
        oc_queue_give_back(&w->queue, message);
        message = next;
    }
}

static void free_writer(uv_handle_t *handle)
{
    struct oc_writer *w = handle->data;

    while (w->answers) {
        struct oc_message *next = w->answers->next;

        oc_queue_give_back(&w->queue, w->answers);
        w->answers = next;
    }
    oc_queue_clear(&w->queue);
    oc_buf_clear(&w->acks);
    oc_free(w);
}

static int start_thread(struct oc_writer *w)
{
    uv_thread_options_t options = { .flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES };

    return uv_thread_create_ex(&w->thread, &options, writer_main, w) == 0 ? OC_OK : OC_E_NOMEM;
}

int oc_writer_start(uv_loop_t *loop, oc_store *store, const struct oc_writer_options *options,
                    oc_writer **out_writer)
{
    struct oc_writer *w = oc_calloc(1, sizeof(*w));
    int rc = OC_OK;

    if (!w)
        return OC_E_NOMEM;
    w->store = store;
    w->begun = options->begun;
    w->replayed = options->replayed;
    w->corrupt = options->corrupt;
    w->turned = options->turned;
    w->context = options->context;
    w->ack_fd = options->ack_fd;
    w->batch_ms = options->batch_ms;
    w->last_commit_ns = oc_clock_mono_ns() - options->batch_ms * NS_PER_MS;
    oc_buf_init(&w->acks, ACK_MAX_BYTES);
    rc = oc_queue_init(&w->queue, options->queue_bytes ? options->queue_bytes : QUEUE_BYTES);
    if (rc < 0) {
        oc_free(w);
        return rc;
    }
    w->answered.data = w;
    if (uv_async_init(loop, &w->answered, on_answered) != 0) {
        oc_queue_clear(&w->queue);
        oc_free(w);
        return OC_E_NOMEM;
    }
    publish(w, 0);
    rc = start_thread(w);
    if (rc < 0) {
        uv_close((uv_handle_t *)&w->answered, free_writer);
        return rc;
    }
    *out_writer = w;
    return OC_OK;
}

struct oc_message *oc_writer_message(oc_writer *writer, enum oc_message_kind kind)
{
    return oc_queue_take_spare(&writer->queue, kind);
}

void oc_writer_give_back(oc_writer *writer, struct oc_message *take_message)
{
    oc_queue_give_back(&writer->queue, take_message);
}

void oc_writer_push(oc_writer *writer, struct oc_message *take_message)
{
    int is_urgent = is_asked(take_message) ||
                    (take_message->kind == OC_MESSAGE_ALERTS && take_message->is_durable);

    oc_queue_push(&writer->queue, take_message);
    uv_mutex_lock(&writer->queue.mutex);
    if (is_urgent)
        writer->urgent = 1;
    if (writer->idle || is_urgent ||
        (writer->queue.queued_bytes > EARLY_BYTES && !atomic_load(&writer->degraded)))
        uv_cond_signal(&writer->queue.filled);
    uv_mutex_unlock(&writer->queue.mutex);
}

int oc_writer_wants_key(oc_writer *writer, uint64_t *epoch)
{
    uint64_t now = oc_queue_epoch(&writer->queue);
    int changed = now != *epoch;

    *epoch = now;
    return changed || atomic_load(&writer->degraded);
}

int oc_writer_is_degraded(oc_writer *writer) { return atomic_load(&writer->degraded); }

void oc_writer_set_batch(oc_writer *writer, int64_t batch_ms)
{
    uv_mutex_lock(&writer->queue.mutex);
    writer->batch_ms = batch_ms;
    uv_mutex_unlock(&writer->queue.mutex);
}

void oc_writer_stats(oc_writer *writer, struct oc_writer_stats *out_stats)
{
    uv_mutex_lock(&writer->queue.mutex);
    *out_stats = writer->stats;
    out_stats->queued_bytes = writer->queue.queued_bytes;
    out_stats->lost_samples += writer->queue.lost_samples;
    out_stats->lost_walks += writer->queue.lost_walks;
    uv_mutex_unlock(&writer->queue.mutex);
}

int oc_writer_stop(oc_writer *writer, int64_t timeout_ms)
{
    int64_t until_ns = oc_clock_mono_ns() + timeout_ms * NS_PER_MS;
    int stopped = 0;

    uv_mutex_lock(&writer->queue.mutex);
    writer->stop = 1;
    uv_cond_broadcast(&writer->queue.filled);
    while (!writer->stopped) {
        int64_t left_ns = until_ns - oc_clock_mono_ns();

        if (left_ns <= 0)
            break;
        (void)uv_cond_timedwait(&writer->queue.filled, &writer->queue.mutex, (uint64_t)left_ns);
    }
    stopped = writer->stopped;
    uv_mutex_unlock(&writer->queue.mutex);
    if (!stopped) {
        uv_unref((uv_handle_t *)&writer->answered); /* the loop may end without it */
        return OC_E_TIMEOUT;
    }
    (void)uv_thread_join(&writer->thread);
    uv_close((uv_handle_t *)&writer->answered, free_writer);
    return OC_OK;
}
