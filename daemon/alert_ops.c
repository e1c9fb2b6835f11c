#include "daemon/alert_ops.h"

#include "base/alloc.h"

#include <stdatomic.h>
#include <string.h>

#define RESERVE_SLOTS 24
#define SLOT_BYTES 4096u /* the largest payload but for bodies: a silence */

struct slot {
    _Alignas(max_align_t) unsigned char bytes[SLOT_BYTES];
};

static struct slot reserve[RESERVE_SLOTS];
static atomic_int is_taken[RESERVE_SLOTS];
static atomic_size_t waiting_bytes; /* of all that live, on both threads */

void oc_alert_ops_init(void)
{
    for (size_t i = 0; i < RESERVE_SLOTS; i++) { /* touched: what is not resident is not taken */
        if (atomic_load(&is_taken[i]) == 0)
            memset(reserve[i].bytes, 0xa5, sizeof(reserve[i].bytes));
    }
}

static struct oc_alert_op *take_slot(void)
{
    for (size_t i = 0; i < RESERVE_SLOTS; i++) {
        int free_slot = 0;

        if (atomic_compare_exchange_strong(&is_taken[i], &free_slot, 1))
            return (struct oc_alert_op *)(void *)reserve[i].bytes;
    }
    return NULL;
}

static void free_op(struct oc_alert_op *op)
{
    (void)atomic_fetch_sub(&waiting_bytes, op->bytes);
    if (op->is_reserved)
        atomic_store(&is_taken[(struct slot *)(void *)op - reserve], 0);
    else
        oc_free(op);
}

static void *payload_of(struct oc_alert_op *op)
{
    return (unsigned char *)op + (sizeof(*op) + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) *
                                     _Alignof(max_align_t);
}

static size_t room_of(size_t payload_bytes)
{
    return (sizeof(struct oc_alert_op) + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) *
               _Alignof(max_align_t) +
           payload_bytes;
}

/* A new one, appended; NULL with *out_rc. */
static void *add(struct oc_alert_ops *ops, enum oc_alert_op_kind kind, size_t payload_bytes,
                 int *out_rc)
{
    size_t bytes = room_of(payload_bytes);
    struct oc_alert_op *op = NULL;
    int is_reserved = 0;

    *out_rc = OC_E_TOOBIG;
    if (atomic_load(&waiting_bytes) + bytes > OC_ALERT_OPS_MAX_BYTES)
        return NULL;
    *out_rc = OC_E_NOMEM;
    op = oc_malloc(bytes);
    if (!op && bytes <= SLOT_BYTES) {
        op = take_slot();
        is_reserved = op != NULL;
    }
    if (!op)
        return NULL;
    *op = (struct oc_alert_op){ .bytes = bytes,
                                .kind = (uint8_t)kind,
                                .is_reserved = (uint8_t)is_reserved };
    (void)atomic_fetch_add(&waiting_bytes, bytes);
    if (ops->last)
        ops->last->next = op;
    else
        ops->first = op;
    ops->last = op;
    ops->bytes += bytes;
    *out_rc = OC_OK;
    return payload_of(op);
}

int oc_alert_ops_alert(struct oc_alert_ops *ops, const struct oc_alert *alert, int is_news)
{
    int rc = OC_OK;
    void *payload = add(ops, OC_ALERT_OP_ALERT, sizeof(*alert), &rc);

    if (!payload)
        return rc;
    memcpy(payload, alert, sizeof(*alert));
    ops->last->is_news = is_news != 0;
    return OC_OK;
}

static const char *put_text(char **at, const char *text, size_t len_bytes)
{
    char *begin = *at;

    if (len_bytes > 0)
        memcpy(begin, text, len_bytes);
    begin[len_bytes] = '\0';
    *at = begin + len_bytes + 1;
    return begin;
}

static size_t length_of(const char *text) { return text ? strlen(text) : 0; }

int oc_alert_ops_decision(struct oc_alert_ops *ops, const struct oc_alert_decision *decision)
{
    size_t rule = length_of(decision->rule), subject = length_of(decision->subject),
           reason = length_of(decision->reason);
    int rc = OC_OK;
    struct oc_alert_decision *copy =
        add(ops, OC_ALERT_OP_DECISION, sizeof(*copy) + rule + subject + reason + 3, &rc);
    char *at = NULL;

    if (!copy)
        return rc;
    at = (char *)(copy + 1);
    *copy = *decision;
    copy->rule = put_text(&at, decision->rule, rule);
    copy->subject = put_text(&at, decision->subject, subject);
    copy->reason = put_text(&at, decision->reason, reason);
    return OC_OK;
}

int oc_alert_ops_outbox(struct oc_alert_ops *ops, const struct oc_outbox_row *row)
{
    size_t why = length_of(row->why), body = row->body ? row->body_bytes : 0;
    int rc = OC_OK;
    struct oc_outbox_row *copy = add(ops, OC_ALERT_OP_OUTBOX, sizeof(*copy) + why + body + 2, &rc);
    char *at = NULL;

    if (!copy)
        return rc;
    at = (char *)(copy + 1);
    *copy = *row;
    copy->why = put_text(&at, row->why, why);
    copy->body = row->body ? put_text(&at, row->body, body) : NULL;
    return OC_OK;
}

int oc_alert_ops_silence(struct oc_alert_ops *ops, const struct oc_silence *silence)
{
    int rc = OC_OK;
    void *payload = add(ops, OC_ALERT_OP_SILENCE, sizeof(*silence), &rc);

    if (payload)
        memcpy(payload, silence, sizeof(*silence));
    return rc;
}

const struct oc_alert *oc_alert_op_alert(const struct oc_alert_op *op)
{
    union {
        const struct oc_alert_op *from;
        struct oc_alert_op *to;
    } cast = { .from = op };

    return op->kind == OC_ALERT_OP_ALERT ? payload_of(cast.to) : NULL;
}

static int store_one(struct oc_alert_op *op, oc_store *store)
{
    const void *payload = payload_of(op);

    switch ((enum oc_alert_op_kind)op->kind) {
    case OC_ALERT_OP_ALERT:
        return oc_store_alert(store, payload);
    case OC_ALERT_OP_DECISION:
        return oc_store_alert_decision(store, payload);
    case OC_ALERT_OP_OUTBOX:
        return oc_store_outbox(store, payload);
    case OC_ALERT_OP_SILENCE:
        return oc_store_silence(store, payload);
    }
    return OC_E_INVAL;
}

static void drop_first(struct oc_alert_ops *ops)
{
    struct oc_alert_op *op = ops->first;

    ops->first = op->next;
    if (!ops->first)
        ops->last = NULL;
    ops->bytes -= op->bytes;
    free_op(op);
}

int oc_alert_ops_store(struct oc_alert_ops *ops, oc_store *store)
{
    while (ops->first) {
        int rc = store_one(ops->first, store);

        if (rc < 0 && rc != OC_E_INVAL)
            return rc;
        drop_first(ops);
    }
    return OC_OK;
}

void oc_alert_ops_clear(struct oc_alert_ops *ops)
{
    while (ops->first)
        drop_first(ops);
}
