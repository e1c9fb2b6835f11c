/* Rows of the outbox: their order, their lists, their bounds. */
#include "alert/dispatch_own.h"
#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define IDS_OF_A_MS 10000
#define PARKED_CLASS 0

/* ---- ids ---- */

uint64_t oc_dispatch_random(oc_dispatch *dispatch)
{
    uint64_t x = dispatch->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Ascending, also when the clock goes back; the last digits keep apart what two runs make. */
static void write_id(oc_dispatch *dispatch, int64_t now_ms, char *out)
{
    if (now_ms > dispatch->id_ms) {
        dispatch->id_ms = now_ms;
        dispatch->id_count = 0;
    } else if (++dispatch->id_count == IDS_OF_A_MS) {
        dispatch->id_ms++;
        dispatch->id_count = 0;
    }
    (void)snprintf(out, OC_OUTBOX_ID_BYTES, "msg_%013" PRId64 "%04" PRIu32 "%06" PRIu64,
                   dispatch->id_ms, dispatch->id_count, oc_dispatch_random(dispatch) % 1000000);
}

/* ---- lists ---- */

static uint8_t class_of(const struct oc_row *row)
{
    if (row->plain.state == OC_OUTBOX_PARKED)
        return PARKED_CLASS;
    return row->plain.severity == OC_SEVERITY_CRITICAL ? 2 : 1;
}

static void leave_class(struct oc_row *row)
{
    struct oc_box *box = row->group->to;

    if (row->prev_in_class)
        row->prev_in_class->next_in_class = row->next_in_class;
    else
        box->classes[row->class].first = row->next_in_class;
    if (row->next_in_class)
        row->next_in_class->prev_in_class = row->prev_in_class;
    else
        box->classes[row->class].last = row->prev_in_class;
    row->prev_in_class = row->next_in_class = NULL;
}

static void enter_class(struct oc_row *row)
{
    struct oc_box *box = row->group->to;

    row->class = class_of(row);
    row->prev_in_class = box->classes[row->class].last;
    if (row->prev_in_class)
        row->prev_in_class->next_in_class = row;
    else
        box->classes[row->class].first = row;
    box->classes[row->class].last = row;
}

void oc_row_set_class(struct oc_row *row)
{
    if (row->class == class_of(row))
        return;
    leave_class(row);
    enter_class(row);
}

static void leave_group(struct oc_row *row)
{
    struct oc_group *group = row->group;

    if (row->prev_in_group)
        row->prev_in_group->next_in_group = row->next_in_group;
    else if (group->first == row)
        group->first = row->next_in_group;
    if (row->next_in_group)
        row->next_in_group->prev_in_group = row->prev_in_group;
    else if (group->last == row)
        group->last = row->prev_in_group;
    row->prev_in_group = row->next_in_group = NULL;
    if (group->open == row)
        group->open = NULL;
    if (!group->first)
        group->rank = 0;
}

/* Older ones stand before newer ones. */
static void enter_group(struct oc_row *row)
{
    struct oc_group *group = row->group;
    struct oc_row *before = group->last;

    while (before && before->order > row->order)
        before = before->prev_in_group;
    row->prev_in_group = before;
    row->next_in_group = before ? before->next_in_group : group->first;
    if (before)
        before->next_in_group = row;
    else
        group->first = row;
    if (row->next_in_group)
        row->next_in_group->prev_in_group = row;
    else
        group->last = row;
}

void oc_group_place(struct oc_group *group)
{
    struct oc_row *row = group->first;

    for (struct oc_row *other = row ? row->next_in_group : NULL; other && other->heap;
         other = other->next_in_group)
        oc_heap_remove(other); /* an older one came before it */
    if (!row)
        return;
    oc_heap_remove(row);
    if (row->is_in_flight || !row->body)
        return;
    row->rank = group->rank;
    oc_heap_add(&group->to->waiting, row);
}

/* ---- rows ---- */

int oc_row_new(oc_dispatch *dispatch, struct oc_group *group, const char *id, int64_t now_ms,
               struct oc_row **out_row)
{
    struct oc_box *box = group->to;
    struct oc_row *row = NULL;

    if (oc_heap_reserve(&box->waiting, box->rows + 1u) < 0 ||
        oc_heap_reserve(&box->ready, box->rows + 1u) < 0)
        return OC_E_NOMEM;
    row = oc_calloc(1, sizeof(*row));
    if (!row)
        return OC_E_NOMEM;
    if (id)
        (void)oc_text_copy(row->plain.id, sizeof(row->plain.id), id);
    else
        write_id(dispatch, now_ms, row->plain.id);
    (void)oc_text_copy(row->plain.receiver, sizeof(row->plain.receiver), box->receiver->name);
    row->plain.group = group->key;
    row->plain.made_unix_ms = row->plain.next_unix_ms = now_ms;
    row->plain.is_digest = group == box->digests;
    row->plain.why = row->why;
    row->group = group;
    row->order = dispatch->next_order++;
    enter_class(row);
    enter_group(row);
    group->open = row;
    box->rows++;
    dispatch->rows++;
    *out_row = row;
    return OC_OK;
}

void oc_row_set_body(oc_dispatch *dispatch, struct oc_row *row, char *take_body, size_t bytes)
{
    dispatch->bytes += bytes;
    dispatch->bytes -= row->plain.body_bytes;
    oc_free(row->body);
    row->body = take_body;
    row->plain.body = row->body;
    row->plain.body_bytes = bytes;
}

void oc_row_free(oc_dispatch *dispatch, struct oc_row *row)
{
    struct oc_group *group = row->group;
    struct oc_box *box = group->to;

    for (uint32_t i = 0; row->is_in_flight && i < dispatch->in_flight_count; i++) {
        if (dispatch->in_flight[i] == row) {
            dispatch->in_flight[i] = dispatch->in_flight[--dispatch->in_flight_count];
            box->in_flight--;
            break;
        }
    }
    oc_heap_remove(row);
    leave_class(row);
    leave_group(row);
    if (row->plain.state == OC_OUTBOX_PARKED)
        box->parked--;
    box->rows--;
    dispatch->rows--;
    while (row->told) {
        struct oc_told *told = row->told;

        oc_told_leave(told);
        oc_told_settle(dispatch, told);
    }
    oc_row_set_body(dispatch, row, NULL, 0);
    oc_free(row);
    oc_group_place(group);
}

void oc_row_store(oc_dispatch *dispatch, const struct oc_row *row, int with_body)
{
    struct oc_outbox_row plain = row->plain;

    if (!with_body) {
        plain.body = NULL;
        plain.body_bytes = 0;
    }
    if (dispatch->calls.store)
        dispatch->calls.store(&plain, dispatch->calls.context);
}

void oc_row_end(oc_dispatch *dispatch, struct oc_row *row, unsigned state, const char *why,
                int64_t now_ms)
{
    const uint8_t before = row->plain.state;

    row->plain.state = (uint8_t)state;
    row->plain.done_unix_ms = now_ms;
    (void)oc_text_copy(row->why, sizeof(row->why), why);
    oc_row_store(dispatch, row, 0);
    row->plain.state = before; /* as its lists know it */
    oc_row_free(dispatch, row);
}

void oc_row_park(struct oc_row *row)
{
    struct oc_group *group = row->group;

    oc_heap_remove(row);
    leave_group(row);
    row->plain.state = OC_OUTBOX_PARKED;
    group->to->parked++;
    oc_row_set_class(row);
    oc_group_place(group);
}

void oc_row_unpark(oc_dispatch *dispatch, struct oc_row *row, int64_t now_ms)
{
    row->plain.state = OC_OUTBOX_WAITING;
    row->plain.next_unix_ms = now_ms;
    row->was_parked = 1;
    row->group->to->parked--;
    enter_group(row);
    oc_row_set_class(row);
    oc_row_store(dispatch, row, 0);
    oc_group_place(row->group);
    oc_group_mark(dispatch,
                  row->group); /* something newer may have been said: then they are folded */
}

/* ---- bounds ---- */

/* The first of a list that is not under way. */
static struct oc_row *idle_in(struct oc_row *row)
{
    while (row && row->is_in_flight)
        row = row->next_in_class;
    return row;
}

/* Parked ones first, then warnings, then what is critical; of these the oldest. */
static struct oc_row *expendable_of(const struct oc_box *box)
{
    struct oc_row *row = NULL;

    for (size_t i = 0; i < OC_CLASSES && !row; i++)
        row = idle_in(box->classes[i].first);
    return row;
}

/* What it says counts as told, or it would come back at once. */
static void drop(oc_dispatch *dispatch, struct oc_row *row, const char *why, int64_t now_ms)
{
    for (struct oc_told *told = row->told; told; told = told->next_in_row) {
        told->heard = told->said;
        told->told_ms = now_ms;
    }
    row->group->to->dropped++;
    oc_row_end(dispatch, row, OC_OUTBOX_DROPPED, why, now_ms);
}

static void drop_old(oc_dispatch *dispatch, struct oc_box *box, int64_t now_ms)
{
    const int64_t oldest_ms = now_ms - dispatch->options.max_age_ms;

    for (size_t i = 0; i < OC_CLASSES; i++) {
        struct oc_row *row = idle_in(box->classes[i].first);

        while (row && row->plain.made_unix_ms < oldest_ms) {
            drop(dispatch, row, "too old", now_ms);
            row = idle_in(box->classes[i].first);
        }
    }
}

static struct oc_box *fullest(const oc_dispatch *dispatch)
{
    struct oc_box *full = NULL;

    for (size_t i = 0; i < dispatch->box_count; i++) {
        if (!full || dispatch->boxes[i]->rows > full->rows)
            full = dispatch->boxes[i];
    }
    return full;
}

static int is_over(const oc_dispatch *dispatch)
{
    return dispatch->rows > dispatch->options.max_rows ||
           dispatch->bytes > dispatch->options.max_bytes;
}

void oc_box_bound(oc_dispatch *dispatch, struct oc_box *box, int64_t now_ms)
{
    struct oc_row *row = NULL;

    drop_old(dispatch, box, now_ms);
    while (box->rows > OC_ROWS_OF_ONE_MAX && (row = expendable_of(box)))
        drop(dispatch, row, "too many for this receiver", now_ms);
    while (is_over(dispatch) && (row = expendable_of(fullest(dispatch))))
        drop(dispatch, row, "the outbox is full", now_ms);
}
