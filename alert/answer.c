/* What comes of a delivery: told, tried again, parked. */
#include "alert/dispatch_own.h"
#include "base/text.h"

#include <string.h>

#define BACKOFF_FIRST_MS INT64_C(5000)
#define BACKOFF_MAX_MS 600000
#define BACKOFF_STEPS 7 /* 5 s × 2^7 is above 10 min */
#define JITTER_PERCENT 20
#define SLOW_MS 900000
#define RETRY_AFTER_MAX_MS INT64_C(86400000)
#define LOSTS_AT_ONCE 3

static int64_t backoff_ms(oc_dispatch *dispatch, uint32_t failures)
{
    const uint32_t steps = failures > BACKOFF_STEPS ? BACKOFF_STEPS : failures - (failures > 0);
    const int64_t plain_ms = BACKOFF_FIRST_MS << steps;
    const int64_t capped_ms = plain_ms < BACKOFF_MAX_MS ? plain_ms : BACKOFF_MAX_MS;
    const int64_t percent =
        100 - JITTER_PERCENT + (int64_t)(oc_dispatch_random(dispatch) % (2 * JITTER_PERCENT + 1));

    return capped_ms * percent / 100;
}

static int64_t later_of(int64_t a, int64_t b) { return a > b ? a : b; }

static void hurry(struct oc_box *box, int64_t now_ms)
{
    for (size_t i = 0; i < OC_CLASSES; i++) {
        for (struct oc_row *row = box->classes[i].first; row; row = row->next_in_class) {
            if (row->heap == &box->waiting && row->plain.attempts > 0 &&
                row->plain.next_unix_ms > now_ms)
                oc_row_put_off(row, now_ms);
        }
    }
}

/* All of it is tried now. */
static void unpause(struct oc_box *box, int64_t now_ms)
{
    box->paused_until_ms = 0;
    box->failures = 0;
    hurry(box, now_ms);
}

static void note_failure(struct oc_row *row, const struct oc_delivery_result *result,
                         int64_t now_ms)
{
    struct oc_box *box = row->group->to;

    row->plain.status = box->status = result->status;
    oc_text_copy_utf8(row->why, sizeof(row->why), result->why, strlen(result->why));
    (void)oc_text_copy(box->why, sizeof(box->why), row->why);
    box->failed++;
    if (box->failing_since_ms == 0)
        box->failing_since_ms = now_ms;
}

static void took_it(oc_dispatch *dispatch, struct oc_row *row,
                    const struct oc_delivery_result *result, int64_t now_ms)
{
    struct oc_box *box = row->group->to;
    const int was_out = box->failures >= OC_FOLD_AFTER;

    row->plain.status = box->status = result->status;
    box->sent++;
    box->last_sent_ms = now_ms;
    box->failing_since_ms = box->paused_until_ms = 0;
    box->failures = 0;
    if (was_out)
        hurry(box, now_ms);
    oc_row_end(dispatch, row, OC_OUTBOX_SENT, "", now_ms);
}

static void wait_again(oc_dispatch *dispatch, struct oc_row *row, int64_t row_ms, int64_t box_ms,
                       int64_t now_ms)
{
    struct oc_box *box = row->group->to;

    row->plain.next_unix_ms = now_ms + row_ms;
    box->paused_until_ms = later_of(box->paused_until_ms, now_ms + box_ms);
    oc_group_place(row->group);
    oc_row_store(dispatch, row, 0);
    if (row->failures >= OC_FOLD_AFTER)
        oc_group_mark(dispatch, row->group);
}

/* Answers to what was handed over before the last failure say nothing new. */
static void count_failure(struct oc_row *row, int64_t now_ms)
{
    struct oc_box *box = row->group->to;

    row->failures++;
    if (row->handed_ms >= box->last_failure_ms || box->failures == 0)
        box->failures++;
    box->last_failure_ms = now_ms;
}

static void failed_for_now(oc_dispatch *dispatch, struct oc_row *row,
                           const struct oc_delivery_result *result, int64_t now_ms)
{
    const int64_t asked_ms =
        result->retry_after_ms < RETRY_AFTER_MAX_MS ? result->retry_after_ms : RETRY_AFTER_MAX_MS;

    count_failure(row, now_ms);
    wait_again(dispatch, row, later_of(backoff_ms(dispatch, row->failures), asked_ms),
               later_of(backoff_ms(dispatch, row->group->to->failures), asked_ms), now_ms);
}

static void was_lost(oc_dispatch *dispatch, struct oc_row *row, int64_t now_ms)
{
    const int64_t wait_ms =
        ++row->losts > LOSTS_AT_ONCE ? backoff_ms(dispatch, row->losts - LOSTS_AT_ONCE) : 0;

    wait_again(dispatch, row, wait_ms, 0, now_ms);
}

static void answer(oc_dispatch *dispatch, struct oc_row *row,
                   const struct oc_delivery_result *result, int64_t now_ms)
{
    if (result->outcome == OC_DELIVERY_SENT) {
        took_it(dispatch, row, result, now_ms);
        return;
    }
    if (result->outcome == OC_DELIVERY_LOST) {
        was_lost(dispatch, row, now_ms);
        return;
    }
    row->losts = 0;
    note_failure(row, result, now_ms);
    if (result->outcome == OC_DELIVERY_NEVER) {
        oc_row_park(row);
        oc_row_store(dispatch, row, 0);
    } else if (result->outcome == OC_DELIVERY_SLOW) {
        count_failure(row, now_ms);
        wait_again(dispatch, row, SLOW_MS, SLOW_MS, now_ms);
    } else {
        failed_for_now(dispatch, row, result, now_ms);
    }
}

static struct oc_row *take_in_flight(oc_dispatch *dispatch, uint32_t i)
{
    struct oc_row *row = dispatch->in_flight[i];

    dispatch->in_flight[i] = dispatch->in_flight[--dispatch->in_flight_count];
    row->is_in_flight = 0;
    row->group->to->in_flight--;
    return row;
}

int oc_dispatch_result(oc_dispatch *dispatch, const struct oc_delivery_result *result,
                       int64_t now_ms)
{
    struct oc_row *row = NULL;
    struct oc_box *box = NULL;
    uint32_t i = 0;

    while (i < dispatch->in_flight_count &&
           strcmp(dispatch->in_flight[i]->plain.id, result->id) != 0)
        i++;
    if (i == dispatch->in_flight_count)
        return OC_E_NOENT;
    row = take_in_flight(dispatch, i);
    box = row->group->to;
    answer(dispatch, row, result, now_ms);
    if (result->outcome != OC_DELIVERY_LOST) { /* else it may be gone: the next tick tries */
        (void)oc_dispatch_update(dispatch, now_ms);
        oc_box_serve(dispatch, box, now_ms);
    }
    return OC_OK;
}

void oc_dispatch_lost(oc_dispatch *dispatch, int64_t now_ms)
{
    const struct oc_delivery_result lost = { .outcome = OC_DELIVERY_LOST, .why = "" };

    while (dispatch->in_flight_count > 0)
        answer(dispatch, take_in_flight(dispatch, 0), &lost, now_ms);
}

int oc_dispatch_retry(oc_dispatch *dispatch, const char *receiver, int64_t now_ms)
{
    int count = 0;

    for (size_t i = 0; i < dispatch->box_count; i++) {
        struct oc_box *box = dispatch->boxes[i];

        if (receiver && strcmp(box->receiver->name, receiver) != 0)
            continue;
        count += (int)(box->rows - box->in_flight);
        while (box->classes[0].first)
            oc_row_unpark(dispatch, box->classes[0].first, now_ms);
        unpause(box, now_ms);
    }
    return count;
}
