/* Handing over what is due: the most urgent first, within the rate. */
#include "alert/dispatch_own.h"

#define HOUR_MS 3600000
#define OF_ONE_MAX 8
#define RATE_LOOK_MS 30000
#define PACE_SPARE_MS 1000 /* the notifier counts from when it runs */

static int64_t later_of(int64_t a, int64_t b) { return a > b ? a : b; }

/* ---- handing over ---- */

static void move_due(struct oc_box *box, int64_t now_ms)
{
    while (box->waiting.count > 0 && box->waiting.items[0]->plain.next_unix_ms <= now_ms) {
        struct oc_row *row = box->waiting.items[0];

        oc_heap_remove(row);
        oc_heap_add(&box->ready, row);
    }
}

void oc_row_put_off(struct oc_row *row, int64_t until_ms)
{
    row->plain.next_unix_ms = until_ms;
    oc_heap_remove(row);
    oc_heap_add(&row->group->to->waiting, row);
}

/* It was told now what the row says. */
static void note_told(oc_dispatch *dispatch, struct oc_told *told, int64_t now_ms)
{
    const int64_t again_ms = now_ms + oc_renotify_of(dispatch, told->group->rule);

    told->heard = told->said;
    told->again = OC_AGAIN_NOT;
    told->told_ms = now_ms;
    told->group->last_ms = now_ms;
    if (told->heard != OC_SAID_FIRING)
        return;
    if (again_ms < dispatch->next_scan_ms)
        dispatch->next_scan_ms = again_ms;
    if (dispatch->calls.told)
        dispatch->calls.told(told->entry->alert.fingerprint, dispatch->calls.context);
}

/* A hook's program has time between two runs. */
static int is_paced(const struct oc_box *box)
{
    return box->receiver->type == OC_RECEIVER_HOOK && box->receiver->interval_ms > 0;
}

static void start(oc_dispatch *dispatch, struct oc_row *row, int64_t now_ms)
{
    struct oc_group *group = row->group;
    struct oc_box *box = group->to;

    if (!row->is_counted)
        oc_rate_count(&box->rate, now_ms);
    row->is_counted = 1;
    row->plain.attempts++;
    oc_heap_remove(row);
    row->is_in_flight = 1;
    row->handed_ms = now_ms;
    row->handed_count = row->told_count;
    row->was_parked = 0;
    dispatch->in_flight[dispatch->in_flight_count++] = row;
    box->in_flight++;
    if (is_paced(box))
        box->paced_until_ms = now_ms + box->receiver->interval_ms + PACE_SPARE_MS;
    group->last_ms = now_ms;
    if (group->open == row)
        group->open = NULL;
    for (struct oc_told *told = row->told; told; told = told->next_in_row)
        note_told(dispatch, told, now_ms);
}

/* 0, or OC_E_NOMEM: not now. */
static int hand_over(oc_dispatch *dispatch, struct oc_row *row, int64_t now_ms)
{
    struct oc_notice notice = { 0 };
    int rc = OC_E_NOMEM;

    if (row == row->group->open && !row->group->is_dirty && !row->plain.is_digest)
        (void)oc_row_fold(dispatch, row, now_ms); /* explanations come late: else as it was */
    if (!row->group->is_dirty || (row != row->group->open && !row->was_parked))
        rc = oc_notice_read(row->body, row->plain.body_bytes, &notice, NULL);
    if (rc == OC_E_NOMEM) { /* or it is still to be written anew */
        oc_row_put_off(row, now_ms + OC_TICK_AGAIN_MS);
        return OC_E_NOMEM;
    }
    if (rc < 0) {
        row->group->to->dropped++;
        oc_row_end(dispatch, row, OC_OUTBOX_DROPPED, "its body is damaged", now_ms);
        return OC_OK;
    }
    start(dispatch, row, now_ms);
    if (dispatch->calls.send)
        dispatch->calls.send(&row->plain, &notice, row->group->to->receiver,
                             dispatch->calls.context);
    oc_notice_clear(&notice);
    return OC_OK;
}

/* ---- what is next ---- */

/* All that is due, as a list. */
static struct oc_row *list_ready(const struct oc_box *box)
{
    struct oc_row *list = NULL;

    for (size_t i = 0; i < box->ready.count; i++) {
        box->ready.items[i]->next_folded = list;
        list = box->ready.items[i];
    }
    return list;
}

/* All that is due becomes one row. NULL: not now, for want of memory. */
static struct oc_row *make_digest(oc_dispatch *dispatch, struct oc_box *box, int64_t now_ms)
{
    struct oc_row *digest = NULL, *list = NULL;

    if (!box->digests &&
        oc_group_put(dispatch, box, oc_group_key(box->receiver, "{digest}"), "", &box->digests) < 0)
        return NULL;
    list = list_ready(box);
    if (oc_row_new(dispatch, box->digests, NULL, now_ms, &digest) < 0 || !digest)
        return NULL;
    digest->next_folded = list;
    if (oc_row_fold(dispatch, digest, now_ms) < 0) {
        oc_row_free(dispatch, digest);
        return NULL;
    }
    box->last_digest_ms = now_ms;
    box->digest_count++;
    move_due(box, now_ms);
    return digest;
}

/* While a digest is undelivered nothing else goes: what is newer of its alerts must not come before it. */
static struct oc_row *after_digest(oc_dispatch *dispatch, struct oc_box *box, struct oc_row *digest,
                                   int64_t now_ms)
{
    if (box->in_flight > 0 || digest->heap != &box->ready)
        return NULL;
    if (digest->failures >= OC_FOLD_AFTER && box->ready.count > 1)
        return make_digest(dispatch, box, now_ms);
    return digest;
}

/* Over the rate: NULL until a digest may go. */
static struct oc_row *over_rate(oc_dispatch *dispatch, struct oc_box *box, int64_t now_ms)
{
    const uint32_t max = box->receiver->max_per_hour, kept = oc_rate_kept(max);
    const int64_t apart_ms = kept > 0 ? HOUR_MS / kept : 0;

    if (oc_rate_used(&box->rate, now_ms) >= max || box->in_flight > 0)
        return NULL;
    if (box->last_digest_ms > 0 && now_ms < box->last_digest_ms + apart_ms)
        return NULL;
    if (box->ready.count > 1)
        return make_digest(dispatch, box, now_ms);
    box->last_digest_ms = now_ms;
    return box->ready.items[0];
}

static int is_over_rate(struct oc_box *box, int64_t now_ms)
{
    const uint32_t max = box->receiver->max_per_hour;

    return max > 0 && oc_rate_used(&box->rate, now_ms) >= max - oc_rate_kept(max);
}

static struct oc_row *next_row(oc_dispatch *dispatch, struct oc_box *box, int64_t now_ms)
{
    struct oc_row *digest = box->digests ? box->digests->first : NULL; /* undelivered */

    move_due(box, now_ms);
    if (box->ready.count == 0)
        return NULL;
    if (digest)
        return after_digest(dispatch, box, digest, now_ms);
    if (box->ready.items[0]->is_counted || !is_over_rate(box, now_ms))
        return box->ready.items[0];
    return over_rate(dispatch, box, now_ms);
}

/* A receiver that fails gets one at a time, a program too. */
static int has_room(const oc_dispatch *dispatch, const struct oc_box *box)
{
    return dispatch->in_flight_count < dispatch->options.max_in_flight &&
           box->in_flight < (box->failures > 0 || is_paced(box) ? 1 : OF_ONE_MAX);
}

static int64_t rests_until(const struct oc_box *box)
{
    return later_of(box->paused_until_ms, box->paced_until_ms);
}

void oc_box_serve(oc_dispatch *dispatch, struct oc_box *box, int64_t now_ms)
{
    while (has_room(dispatch, box) && now_ms >= rests_until(box)) {
        struct oc_row *row = next_row(dispatch, box, now_ms);

        if (!row || hand_over(dispatch, row, now_ms) < 0)
            return;
    }
}

int64_t oc_box_due(const oc_dispatch *dispatch, const struct oc_box *box, int64_t now_ms)
{
    const int64_t look_ms = box->receiver->max_per_hour > 0 ? RATE_LOOK_MS : OC_TICK_AGAIN_MS;
    int64_t due_ms = OC_NEVER;

    if (!has_room(dispatch, box))
        return OC_NEVER; /* an answer comes first */
    if (box->ready.count > 0)
        due_ms = rests_until(box) > now_ms ? rests_until(box) : now_ms + look_ms;
    if (box->waiting.count > 0) {
        const int64_t next_ms =
            later_of(box->waiting.items[0]->plain.next_unix_ms, rests_until(box));

        due_ms = next_ms < due_ms ? next_ms : due_ms;
    }
    return due_ms;
}
