/* From the outbox to the notifier, and its answers back. */
#include "daemon/alert.h"

#include "daemon/daemon.h"

#include "alert/body.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 10000 /* of an attempt, where the receiver says nothing */

/* ---- what a notice says ---- */

static int copy_text(const char *text, char **out)
{
    if (!text || !text[0])
        return OC_OK;
    *out = oc_strdup(text);
    return *out ? OC_OK : OC_E_NOMEM;
}

/* Key, value, … NULL; each its own memory. */
static int copy_labels(const char *const *pairs, char ***out)
{
    size_t count = 0;
    char **labels = NULL;

    while (pairs && pairs[count])
        count++;
    labels = oc_calloc(count + 1, sizeof(*labels));
    if (!labels)
        return OC_E_NOMEM;
    *out = labels; /* the notice's from here on, also half made */
    for (size_t i = 0; i < count; i++) {
        labels[i] = oc_strdup(pairs[i]);
        if (!labels[i])
            return OC_E_NOMEM;
    }
    return OC_OK;
}

int oc_alerting_describe(const struct oc_alert *alert, struct oc_notice_alert *out, void *context)
{
    struct oc_daemon *daemon = context;
    struct oc_alerting *a = &daemon->alerting;
    const struct oc_rule *rule = oc_alerting_rule(daemon, alert);
    const struct oc_alert_known_why *why = oc_alerting_why(daemon, alert);
    const struct oc_alert *now = NULL;
    int rc = copy_labels(oc_alerts_labels_of(a->rules, alert), &out->labels);

    if (rc == OC_OK && rule)
        rc = copy_text(rule->runbook_url, &out->runbook_url);
    if (rc == OC_OK && why)
        rc = copy_text(why->text, &out->explanation);
    if (rc == OC_OK && why)
        rc = copy_text(why->then, &out->next);
    now = oc_alerts_by_fingerprint(a->rules, alert->fingerprint);
    if (now && now->episode == alert->episode && now->state == alert->state)
        out->alert = *now; /* its figures as of the last look */
    if (alert->state == OC_ALERT_FIRING)
        oc_alerting_ask_why(daemon, alert); /* for the reminder, where this one is old */
    return rc;
}

/* ---- the outbox ---- */

void oc_alerting_store_row(const struct oc_outbox_row *row, void *context)
{
    struct oc_daemon *daemon = context;
    struct oc_alerting *a = &daemon->alerting;

    if (oc_alert_ops_outbox(&a->ops, row) < 0)
        daemon->troubles
            .no_memory++; /* it is sent from memory; after a restart it may be missing */
    else if (row->state == OC_OUTBOX_WAITING && row->attempts == 0)
        a->is_durable = 1;
    oc_alerting_want_turn(daemon);
}

/* In the store with the row that tells it: after a restart it is not told anew. */
void oc_alerting_told(uint64_t fingerprint, void *context)
{
    struct oc_daemon *daemon = context;
    struct oc_alerting *a = &daemon->alerting;
    const struct oc_alert *alert = oc_alerts_by_fingerprint(a->rules, fingerprint);
    int was_told = alert && alert->was_told;

    oc_alerts_note_told(a->rules, fingerprint);
    alert = oc_alerts_by_fingerprint(a->rules, fingerprint);
    if (alert && !was_told && oc_alert_ops_alert(&a->ops, alert, 0) < 0)
        daemon->troubles.no_memory++;
    oc_alerting_want_turn(daemon);
}

/* ---- on the way to the notifier ---- */

static void free_held(struct oc_alert_held *held)
{
    oc_free(held->notice);
    oc_free(held);
}

static struct oc_alert_held *hold(const struct oc_outbox_row *row, const struct oc_notice *notice)
{
    struct oc_alert_held *held = oc_calloc(1, sizeof(*held));
    struct oc_buf json;

    if (!held)
        return NULL;
    oc_buf_init(&json, OC_NOTICE_MAX_BYTES);
    oc_notice_write(notice, &json);
    if (json.err) {
        oc_buf_clear(&json);
        oc_free(held);
        return NULL;
    }
    held->notice = json.data;
    held->notice_bytes = json.len_bytes;
    held->since_mono_ms = oc_now_mono_ms();
    (void)oc_text_copy(held->id, sizeof(held->id), row->id);
    (void)oc_text_copy(held->receiver, sizeof(held->receiver), row->receiver);
    return held;
}

static void answer_later(struct oc_daemon *daemon, const char *id, const char *why)
{
    struct oc_delivery_result result = { .id = id, .outcome = OC_DELIVERY_LATER, .why = why };

    (void)oc_dispatch_result(daemon->alerting.dispatch, &result, oc_alerting_now_ms(daemon));
}

/* It may not be answered from here: one that cannot be held is answered at the end of the turn. */
void oc_alerting_send_row(const struct oc_outbox_row *row, const struct oc_notice *notice,
                          const struct oc_receiver *receiver, void *context)
{
    struct oc_daemon *daemon = context;
    struct oc_alerting *a = &daemon->alerting;
    struct oc_alert_held *held = hold(row, notice);

    (void)receiver;
    if (!held) {
        daemon->troubles.no_memory++;
        if (a->unheld_count < OC_ALERT_UNHELD_MAX)
            (void)oc_text_copy(a->unheld[a->unheld_count++], OC_OUTBOX_ID_BYTES, row->id);
        return;
    }
    held->turn = a->is_durable ? a->turn : a->wanted_turn; /* its row, and the alerts' */
    held->not_durable = (a->is_failing && held->turn > a->done_turn) ||
                        (a->unkept[0] && strcmp(a->unkept, held->id) == 0);
    if (a->last_held)
        a->last_held->next = held;
    else
        a->held = held;
    a->last_held = held;
    a->held_count++;
}

static int may_go(const struct oc_alerting *a, const struct oc_alert_held *held)
{
    return held->turn <= a->done_turn || held->not_durable;
}

static void mark_not_durable(struct oc_notice *notice)
{
    notice->not_durable = 1;
    for (size_t i = 0; i < notice->count; i++)
        notice->alerts[i].alert.not_durable = 1;
}

/* Name, value, … out of "NAME NUL value NUL …". */
static int copy_fields(const struct oc_buf *fields, struct oc_strings *out)
{
    const char *at = fields->data, *end = fields->data ? at + fields->len_bytes : NULL;
    int rc = OC_OK;

    while (rc == OC_OK && at && at < end) {
        size_t len = strlen(at);

        rc = oc_strings_add(out, at, len);
        at += len + 1;
    }
    return rc;
}

/* Hands a body over as that of a delivery; its memory stays the body's. */
int oc_alerting_deliver_body(struct oc_daemon *daemon, const char *id,
                             const struct oc_receiver *receiver, uint32_t url,
                             const struct oc_body *body)
{
    struct oc_wire_delivery delivery = { .url = url };
    int rc = body ? copy_fields(&body->fields, &delivery.fields) : OC_OK;

    (void)oc_text_copy(delivery.id, sizeof(delivery.id), id);
    (void)oc_text_copy(delivery.receiver, sizeof(delivery.receiver), receiver->name);
    if (body && body->text.data) {
        delivery.body = body->text.data;
        delivery.body_bytes = body->text.len_bytes;
    }
    if (body && body->content_type)
        (void)oc_text_copy(delivery.content_type, sizeof(delivery.content_type),
                           body->content_type);
    if (rc == OC_OK)
        rc = oc_notifier_deliver(daemon->alerting.notifier, &delivery,
                                 receiver->timeout_ms > 0 ? receiver->timeout_ms : TIMEOUT_MS);
    oc_strings_clear(&delivery.fields);
    return rc;
}

static int deliver(struct oc_daemon *daemon, const struct oc_alert_held *held)
{
    const struct oc_receiver *receiver = oc_alerting_receiver(daemon, held->receiver);
    struct oc_notice notice = { 0 };
    struct oc_detail detail = { 0 };
    struct oc_body body;
    int rc =
        receiver ? oc_notice_read(held->notice, held->notice_bytes, &notice, &detail) : OC_E_NOENT;

    if (rc < 0)
        return rc;
    if (held->not_durable)
        mark_not_durable(&notice);
    oc_body_init(&body);
    rc = oc_body_write(receiver->type, &notice, oc_alerting_now_ms(daemon), &body);
    if (rc == OC_OK)
        rc = oc_alerting_deliver_body(daemon, held->id, receiver, 0, &body);
    oc_body_clear(&body);
    oc_notice_clear(&notice);
    return rc;
}

static void take_first(struct oc_alerting *a)
{
    struct oc_alert_held *held = a->held;

    a->held = held->next;
    if (!a->held)
        a->last_held = NULL;
    a->held_count--;
    free_held(held);
}

static void answer_unheld(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;

    while (a->unheld_count > 0) {
        a->unheld_count--;
        answer_later(daemon, a->unheld[a->unheld_count], "no memory");
        oc_alerting_want_turn(daemon);
    }
}

void oc_alerting_release(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;

    answer_unheld(daemon);
    while (a->held && !a->is_stopping && may_go(a, a->held)) {
        int rc = deliver(daemon, a->held);

        if (rc == OC_E_AGAIN)
            return; /* the notifier says when */
        if (rc < 0) {
            answer_later(daemon, a->held->id, oc_err_text(rc));
            oc_alerting_want_turn(daemon);
        } else {
            a->not_durable += a->held->not_durable != 0;
        }
        take_first(a);
    }
}

void oc_alerting_release_from_memory(struct oc_daemon *daemon, int64_t older_than_mono_ms)
{
    struct oc_alerting *a = &daemon->alerting;
    uint32_t count = 0;

    for (struct oc_alert_held *held = a->held; held; held = held->next) {
        if (held->turn <= a->done_turn || held->not_durable ||
            held->since_mono_ms > older_than_mono_ms)
            continue;
        held->not_durable = 1;
        count++;
    }
    if (count > 0)
        oc_log(OC_LOG_WARN, "alert_not_durable", oc_u64("notices", count),
               oc_str("then", "sent from memory: the store cannot be written"));
}

void oc_alerting_free_held(struct oc_alerting *a)
{
    while (a->held)
        take_first(a);
}

/* ---- answers ---- */

void oc_alerting_ready(void *daemon) { oc_alerting_release(daemon); }

void oc_alerting_answered(void *context, const struct oc_wire_report *report)
{
    struct oc_daemon *daemon = context;
    struct oc_delivery_result result = { .id = report->id,
                                         .outcome = report->outcome,
                                         .status = report->status,
                                         .retry_after_ms = report->retry_after_ms,
                                         .why = report->why };

    if (oc_alert_level_answered(daemon, report))
        return;
    (void)oc_dispatch_result(daemon->alerting.dispatch, &result, oc_alerting_now_ms(daemon));
    oc_alerting_want_turn(daemon);
}
