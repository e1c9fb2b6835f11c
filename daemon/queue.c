#include "daemon/queue.h"

#include "base/alloc.h"

#include <string.h>

#define MAX_SPARE 4 /* more than circulate in steady state; the rest of a backlog is freed */

int oc_queue_init(struct oc_queue *queue, size_t max_bytes)
{
    memset(queue, 0, sizeof(*queue));
    queue->max_bytes = max_bytes;
    if (uv_mutex_init(&queue->mutex) != 0)
        return OC_E_NOMEM;
    if (uv_cond_init(&queue->filled) != 0) {
        uv_mutex_destroy(&queue->mutex);
        return OC_E_NOMEM;
    }
    return OC_OK;
}

/* ---- what is asked of the past ---- */

void oc_past_free(struct oc_past *past)
{
    if (!past)
        return;
    oc_free(past->times);
    oc_free(past->known);
    oc_free(past->values);
    oc_free(past);
}

static int grow_past(struct oc_past *past)
{
    uint32_t capacity = past->capacity ? 2 * past->capacity : 64;
    int64_t *times = oc_realloc(past->times, capacity * sizeof(times[0]));
    uint64_t *known = NULL;
    int64_t *values = NULL;

    if (!times)
        return OC_E_NOMEM;
    past->times = times;
    known = oc_realloc(past->known, capacity * sizeof(known[0]));
    if (!known)
        return OC_E_NOMEM;
    past->known = known;
    values = oc_realloc(past->values, (size_t)capacity * past->width * sizeof(values[0]));
    if (!values)
        return OC_E_NOMEM;
    past->values = values;
    past->capacity = capacity;
    return OC_OK;
}

int oc_past_add(struct oc_past *past, int64_t t_ms, const struct oc_sample *sample)
{
    int64_t *out = NULL;

    if (past->count == OC_PAST_SAMPLES_MAX) {
        past->is_cut = 1;
        return OC_E_TOOBIG;
    }
    if (past->count == past->capacity) {
        int rc = grow_past(past);

        if (rc < 0)
            return rc;
    }
    out = past->values + (size_t)past->count * past->width;
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        uint64_t mask = UINT64_C(1) << bit;

        if (past->wanted & mask)
            *out++ = sample->known & mask ? sample->values[bit] : 0;
    }
    past->times[past->count] = t_ms;
    past->known[past->count++] = sample->known & past->wanted;
    return OC_OK;
}

/* ---- messages ---- */

/* Lets go of what belongs to one use of a message; the memory of its tick stays. */
static void empty_message(struct oc_message *message)
{
    oc_free(message->subject);
    oc_free(message->facts);
    oc_free(message->limits);
    oc_free(message->text);
    oc_free(message->forecasts);
    oc_free(message->bytes);
    oc_past_free(message->past);
    oc_alert_ops_clear(&message->ops);
    if (message->census)
        oc_census_clear(message->census);
    oc_free(message->census);
    message->subject = NULL;
    message->facts = NULL;
    message->limits = NULL;
    message->text = NULL;
    message->forecasts = NULL;
    message->bytes = NULL;
    message->past = NULL;
    message->census = NULL;
    message->limit_count = 0;
    message->forecast_count = 0;
    message->len_bytes = 0;
    message->charge_bytes = 0;
}

static void free_message(struct oc_message *message)
{
    empty_message(message);
    oc_tick_clear(&message->tick);
    oc_free(message);
}

static void free_list(struct oc_message *message)
{
    while (message) {
        struct oc_message *next = message->next;

        free_message(message);
        message = next;
    }
}

void oc_queue_clear(struct oc_queue *queue)
{
    free_list(queue->head);
    free_list(queue->spare);
    uv_cond_destroy(&queue->filled);
    uv_mutex_destroy(&queue->mutex);
    memset(queue, 0, sizeof(*queue));
}

struct oc_message *oc_queue_take_spare(struct oc_queue *queue, enum oc_message_kind kind)
{
    struct oc_message *message = NULL;

    uv_mutex_lock(&queue->mutex);
    message = queue->spare;
    if (message) {
        queue->spare = message->next;
        queue->spare_count--;
    }
    uv_mutex_unlock(&queue->mutex);
    if (!message) {
        message = oc_calloc(1, sizeof(*message));
        if (!message)
            return NULL;
        oc_tick_init(&message->tick);
    }
    message->next = NULL;
    message->kind = kind;
    return message;
}

/* With the mutex held. Messages that carried no tick hold little: they are kept all the same. */
static struct oc_message *keep_spare(struct oc_queue *queue, struct oc_message *message)
{
    empty_message(message);
    if (queue->spare_count >= MAX_SPARE)
        return message;
    message->next = queue->spare;
    queue->spare = message;
    queue->spare_count++;
    return NULL;
}

void oc_queue_give_back(struct oc_queue *queue, struct oc_message *take_message)
{
    struct oc_message *too_many = NULL;

    if (!take_message)
        return;
    uv_mutex_lock(&queue->mutex);
    too_many = keep_spare(queue, take_message);
    uv_mutex_unlock(&queue->mutex);
    if (too_many)
        free_message(too_many);
}

/* What is queued of the kinds that may be dropped. */
static void count_queued(struct oc_queue *queue, const struct oc_message *message, int by)
{
    if (message->kind == OC_MESSAGE_TICK)
        queue->queued_ticks += (uint32_t)by;
    else if (message->kind == OC_MESSAGE_WALK)
        queue->queued_walks += (uint32_t)by;
}

static void unlink_message(struct oc_queue *queue, struct oc_message *before,
                           struct oc_message *message)
{
    if (before)
        before->next = message->next;
    else
        queue->head = message->next;
    if (queue->tail == message)
        queue->tail = before;
    queue->queued_bytes -= message->charge_bytes;
    count_queued(queue, message, -1);
}

static void lose_tick(struct oc_queue *queue, struct oc_message *message)
{
    queue->lost_samples += message->tick.source_count;
    queue->lost_ticks++;
    free_message(message);
}

/*
 * With the mutex held: takes out the oldest tick, and those of its group that lean on it.
 * *out_leans: a further tick of *out_group, put behind, would lean on a dropped one.
 * Returns 0 where there is no tick.
 */
static int drop_oldest(struct oc_queue *queue, uint32_t *out_group, int *out_leans)
{
    struct oc_message *before = NULL;
    struct oc_message *message = queue->head;
    int dropped = 0;
    uint32_t group = 0;

    while (message) {
        struct oc_message *next = message->next;
        int is_tick = message->kind == OC_MESSAGE_TICK && (!dropped || message->group == group);

        if (is_tick && dropped && message->tick.keyed) {
            *out_leans = 0;
            break;
        }
        if (!is_tick) {
            before = message;
            message = next;
            continue;
        }
        group = message->group;
        dropped = 1;
        *out_leans = 1;
        unlink_message(queue, before, message);
        lose_tick(queue, message);
        message = next;
    }
    *out_group = group;
    queue->epoch += dropped ? 1 : 0;
    return dropped;
}

static void lose_walk(struct oc_queue *queue, struct oc_message *message)
{
    queue->lost_walks++;
    free_message(message);
}

/* With the mutex held. Returns whether there was one. The store compares the next with the last that it has. */
static int drop_oldest_walk(struct oc_queue *queue)
{
    struct oc_message *before = NULL;
    struct oc_message *message = queue->queued_walks > 0 ? queue->head : NULL;

    while (message && message->kind != OC_MESSAGE_WALK) {
        before = message;
        message = message->next;
    }
    if (!message)
        return 0;
    unlink_message(queue, before, message);
    lose_walk(queue, message);
    return 1;
}

static int is_full(const struct oc_queue *queue, const struct oc_message *message)
{
    return queue->queued_bytes + message->charge_bytes > queue->max_bytes;
}

/* With the mutex held: makes room for a tick. Returns 0 where it leans on one that had to go. */
static int make_room(struct oc_queue *queue, const struct oc_message *message)
{
    int fits = 1;

    while (is_full(queue, message) && drop_oldest_walk(queue))
        continue;
    while (is_full(queue, message)) {
        uint32_t group = 0;
        int leans = 0;

        if (!drop_oldest(queue, &group, &leans))
            break; /* the one message larger than the queue: let it pass */
        if (group == message->group)
            fits = !leans || message->tick.keyed;
    }
    return fits;
}

/* With the mutex held. */
static void append(struct oc_queue *queue, struct oc_message *message)
{
    if (queue->tail)
        queue->tail->next = message;
    else
        queue->head = message;
    queue->tail = message;
    queue->queued_bytes += message->charge_bytes;
    count_queued(queue, message, 1);
}

/* The memory that it holds while it is queued. */
static size_t charge_of(const struct oc_message *message)
{
    size_t bytes = sizeof(*message);

    if (message->kind == OC_MESSAGE_TICK)
        bytes += message->tick.bytes.cap_bytes;
    else if (message->kind == OC_MESSAGE_WALK)
        bytes += sizeof(*message->census) + oc_census_bytes(message->census);
    else if (message->kind == OC_MESSAGE_MEMORY)
        bytes += message->len_bytes;
    else if (message->kind == OC_MESSAGE_ALERTS)
        bytes = 0; /* they have a maximum of their own: no sample has to go for them */
    return bytes;
}

/*
 * With the mutex held. One that is larger than all of the queue passes where ticks do not need the
 * room: that of a process of many modules must reach the store at all.
 */
static void push_walk(struct oc_queue *queue, struct oc_message *message)
{
    while (is_full(queue, message) && drop_oldest_walk(queue))
        continue;
    if (is_full(queue, message) && queue->queued_bytes > queue->max_bytes / 2)
        lose_walk(queue, message);
    else
        append(queue, message);
}

void oc_queue_push(struct oc_queue *queue, struct oc_message *take_message)
{
    struct oc_message *message = take_message;

    message->next = NULL;
    message->charge_bytes = charge_of(message);
    uv_mutex_lock(&queue->mutex);
    if (message->kind == OC_MESSAGE_WALK)
        push_walk(queue, message);
    else if (message->kind == OC_MESSAGE_TICK && !make_room(queue, message))
        lose_tick(queue, message);
    else
        append(queue, message);
    uv_mutex_unlock(&queue->mutex);
}

struct oc_message *oc_queue_pop(struct oc_queue *queue)
{
    struct oc_message *message = NULL;

    uv_mutex_lock(&queue->mutex);
    message = queue->head;
    if (message)
        unlink_message(queue, NULL, message);
    uv_mutex_unlock(&queue->mutex);
    return message;
}

void oc_queue_put_back(struct oc_queue *queue, struct oc_message *take_message)
{
    uv_mutex_lock(&queue->mutex);
    take_message->next = queue->head;
    queue->head = take_message;
    if (!queue->tail)
        queue->tail = take_message;
    queue->queued_bytes += take_message->charge_bytes;
    count_queued(queue, take_message, 1);
    uv_mutex_unlock(&queue->mutex);
}

uint64_t oc_queue_epoch(struct oc_queue *queue)
{
    uint64_t epoch = 0;

    uv_mutex_lock(&queue->mutex);
    epoch = queue->epoch;
    uv_mutex_unlock(&queue->mutex);
    return epoch;
}
