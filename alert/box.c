/* Receivers: who takes what, and what happens to their rows when the settings change. */
#include "alert/dispatch_own.h"
#include "base/alloc.h"
#include "base/identity.h"
#include "base/text.h"

#include <string.h>

/* ---- who takes what ---- */

static const char *label_of(const char *const *pairs, const char *name, size_t name_bytes)
{
    for (; pairs && pairs[0] && pairs[1]; pairs += 2) {
        if (strlen(pairs[0]) == name_bytes && memcmp(pairs[0], name, name_bytes) == 0)
            return pairs[1];
    }
    return NULL;
}

/* "key=glob" */
static int has_label(const char *const *pairs, const char *wanted)
{
    const char *equals = strchr(wanted, '=');
    const char *value = NULL;

    if (!equals)
        return 0;
    value = label_of(pairs, wanted, (size_t)(equals - wanted));
    return value && oc_text_glob(equals + 1, value);
}

static int is_any_subject(const struct oc_strings *globs, const char *subject)
{
    for (size_t i = 0; i < globs->count; i++) {
        if (oc_subject_is_meant(subject, globs->items[i]))
            return 1;
    }
    return globs->count == 0;
}

static int is_any_rule(const struct oc_strings *globs, const char *rule)
{
    for (size_t i = 0; i < globs->count; i++) {
        if (oc_text_glob(globs->items[i], rule))
            return 1;
    }
    return globs->count == 0;
}

int oc_receiver_takes(const struct oc_receiver *receiver, const struct oc_alert *alert,
                      const char *const *label_pairs)
{
    if (receiver->type == OC_RECEIVER_HEARTBEAT || alert->severity < receiver->min_severity)
        return 0;
    for (size_t i = 0; i < receiver->labels.count; i++) {
        if (!has_label(label_pairs, receiver->labels.items[i]))
            return 0;
    }
    return is_any_subject(&receiver->subjects, alert->subject) &&
           is_any_rule(&receiver->rules, alert->rule);
}

int oc_box_is_fed(const struct oc_box *box)
{
    return box->receiver->type != OC_RECEIVER_HEARTBEAT &&
           box->receiver->type != OC_RECEIVER_ALERTMANAGER;
}

struct oc_box *oc_box_find(const oc_dispatch *dispatch, const char *name)
{
    for (size_t i = 0; i < dispatch->box_count; i++) {
        if (strcmp(dispatch->boxes[i]->receiver->name, name) == 0)
            return dispatch->boxes[i];
    }
    return NULL;
}

/* ---- what fires, to those that do not know of it ---- */

static int offer(oc_dispatch *dispatch, struct oc_box *box)
{
    for (size_t i = 0; i < OC_ENTRY_BUCKETS; i++) {
        for (struct oc_entry *entry = dispatch->entries[i]; entry; entry = entry->next) {
            struct oc_told *told = NULL;

            if (!entry->is_confirmed || !oc_alert_fires(&entry->alert) ||
                (entry->alert.mutes & OC_ALERT_MUTES) || oc_told_find(entry, box) ||
                !oc_receiver_takes(box->receiver, &entry->alert,
                                   (const char *const *)entry->labels))
                continue;
            if (oc_told_put(dispatch, entry, box, &told) < 0)
                return OC_E_NOMEM;
            oc_group_mark(dispatch, told->group);
        }
    }
    return OC_OK;
}

int oc_boxes_offer(oc_dispatch *dispatch)
{
    for (size_t i = 0; i < dispatch->box_count; i++) {
        struct oc_box *box = dispatch->boxes[i];

        if (!box->is_offered && oc_box_is_fed(box) && offer(dispatch, box) < 0)
            return OC_E_NOMEM;
        box->is_offered = 1;
    }
    return OC_OK;
}

/* ---- rows in their order ---- */

static int is_sooner(const struct oc_row *a, const struct oc_row *b)
{
    if (a->plain.next_unix_ms != b->plain.next_unix_ms)
        return a->plain.next_unix_ms < b->plain.next_unix_ms;
    return a->order < b->order;
}

static int is_more_urgent(const struct oc_row *a, const struct oc_row *b)
{
    return a->rank != b->rank ? a->rank > b->rank : a->order < b->order;
}

/* ---- settings ---- */

static struct oc_box *new_box(void)
{
    struct oc_box *box = oc_calloc(1, sizeof(*box));

    if (box) {
        box->waiting.is_before = is_sooner;
        box->ready.is_before = is_more_urgent;
    }
    return box;
}

static void free_box(oc_dispatch *dispatch, struct oc_box *box)
{
    oc_known_forget(dispatch, box);
    oc_free(box->waiting.items);
    oc_free(box->ready.items);
    oc_free(box);
}

static void drop_rows(oc_dispatch *dispatch, struct oc_box *box, int64_t now_ms)
{
    for (size_t i = 0; i < OC_CLASSES; i++) {
        while (box->classes[i].first)
            oc_row_end(dispatch, box->classes[i].first, OC_OUTBOX_DROPPED, "its receiver is gone",
                       now_ms);
    }
}

/* The box that goes on under a new setting, or NULL. */
static struct oc_box *kept_box(const oc_dispatch *dispatch, const struct oc_receiver *receiver)
{
    struct oc_box *box = oc_box_find(dispatch, receiver->name);

    return box && box->receiver->type == receiver->type ? box : NULL;
}

struct boxes {
    struct oc_box *items[OC_RECEIVERS_MAX];
    uint8_t is_new[OC_RECEIVERS_MAX];
    size_t count;
};

static int make_boxes(const oc_dispatch *dispatch, const struct oc_receivers *receivers,
                      struct boxes *boxes)
{
    for (; boxes->count < receivers->count; boxes->count++) {
        struct oc_box *box = kept_box(dispatch, &receivers->items[boxes->count]);

        boxes->is_new[boxes->count] = !box;
        boxes->items[boxes->count] = box ? box : new_box();
        if (!boxes->items[boxes->count])
            return OC_E_NOMEM;
    }
    return OC_OK;
}

static int is_kept(const struct boxes *boxes, const struct oc_box *box)
{
    for (size_t i = 0; i < boxes->count; i++) {
        if (boxes->items[i] == box)
            return 1;
    }
    return 0;
}

static void take_boxes(oc_dispatch *dispatch, const struct boxes *boxes,
                       struct oc_receivers *receivers, int64_t now_ms)
{
    for (size_t i = 0; i < dispatch->box_count; i++) {
        if (is_kept(boxes, dispatch->boxes[i]))
            continue;
        drop_rows(dispatch, dispatch->boxes[i], now_ms);
        free_box(dispatch, dispatch->boxes[i]);
    }
    for (size_t i = 0; i < boxes->count; i++) {
        dispatch->boxes[i] = boxes->items[i];
        dispatch->boxes[i]->receiver = &receivers->items[i];
        dispatch->boxes[i]->is_offered = 0;
    }
    dispatch->box_count = boxes->count;
    oc_receivers_clear(&dispatch->receivers);
    dispatch->receivers = *receivers;
}

int oc_dispatch_set_receivers(oc_dispatch *dispatch, const struct oc_receivers *receivers,
                              int64_t now_ms)
{
    struct oc_receivers copy = { 0 };
    struct boxes boxes = { .count = 0 };

    if (receivers->count > OC_RECEIVERS_MAX)
        return OC_E_TOOBIG;
    if (oc_receivers_copy(receivers, &copy) < 0)
        return OC_E_NOMEM;
    if (make_boxes(dispatch, &copy, &boxes) < 0) {
        for (size_t i = 0; i < boxes.count; i++) {
            if (boxes.is_new[i])
                oc_free(boxes.items[i]);
        }
        oc_receivers_clear(&copy);
        return OC_E_NOMEM;
    }
    take_boxes(dispatch, &boxes, &copy, now_ms);
    (void)oc_dispatch_retry(dispatch, NULL, now_ms);
    return OC_OK;
}

int oc_dispatch_each(const oc_dispatch *dispatch, oc_receiver_state_fn *fn, void *context)
{
    for (size_t i = 0; i < dispatch->box_count; i++) {
        const struct oc_box *box = dispatch->boxes[i];
        const struct oc_receiver_state state = {
            .name = box->receiver->name,
            .type = box->receiver->type,
            .waiting = box->rows - box->parked - box->in_flight,
            .parked = box->parked,
            .in_flight = box->in_flight,
            .sent = box->sent,
            .failed = box->failed,
            .dropped = box->dropped,
            .digests = box->digest_count,
            .failing_since_unix_ms = box->failing_since_ms,
            .last_sent_unix_ms = box->last_sent_ms,
            .status = box->status,
            .why = box->why,
        };

        if (fn(&state, context) != 0)
            break;
    }
    return (int)dispatch->box_count;
}
