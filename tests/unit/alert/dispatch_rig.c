#include "dispatch_rig.h"

#include "base/alloc.h"
#include "base/text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text, size_t bytes)
{
    char *out = malloc(bytes + 1);

    memcpy(out, text, bytes);
    out[bytes] = '\0';
    return out;
}

/* ---- answers ---- */

static struct oc_delivery_result answer(enum oc_delivery_outcome outcome, int status,
                                        const char *why)
{
    return (struct oc_delivery_result){ .outcome = outcome, .status = status, .why = why };
}

struct oc_delivery_result rig_ok(const struct oc_notice *notice, int64_t now_ms)
{
    (void)notice;
    (void)now_ms;
    return answer(OC_DELIVERY_SENT, 200, "");
}

struct oc_delivery_result rig_500(const struct oc_notice *notice, int64_t now_ms)
{
    (void)notice;
    (void)now_ms;
    return answer(OC_DELIVERY_LATER, 500, "500");
}

struct oc_delivery_result rig_400(const struct oc_notice *notice, int64_t now_ms)
{
    (void)notice;
    (void)now_ms;
    return answer(OC_DELIVERY_NEVER, 400, "400");
}

struct oc_delivery_result rig_403(const struct oc_notice *notice, int64_t now_ms)
{
    (void)notice;
    (void)now_ms;
    return answer(OC_DELIVERY_SLOW, 403, "403");
}

/* ---- the caller's side ---- */

/* What was stored as sent was answered: it is never sent again. */
static void check_unanswered(const struct rig *rig, const char *id)
{
    for (size_t i = rig->store.count; i-- > 0;) {
        if (strcmp(rig->store.rows[i].row.id, id) == 0) {
            ck_assert_uint_eq(rig->store.rows[i].row.state, OC_OUTBOX_WAITING);
            return;
        }
    }
}

static struct rig_stored *stored(struct rig_store *store, const char *id)
{
    for (size_t i = store->count; i-- > 0;) {
        if (strcmp(store->rows[i].row.id, id) == 0)
            return &store->rows[i];
    }
    if (store->count == store->capacity) {
        store->capacity = store->capacity ? 2 * store->capacity : 64;
        store->rows = realloc(store->rows, store->capacity * sizeof(*store->rows));
    }
    store->rows[store->count] = (struct rig_stored){ .body = NULL };
    return &store->rows[store->count++];
}

static void on_store(const struct oc_outbox_row *row, void *context)
{
    struct rig *rig = context;
    struct rig_stored *at = stored(&rig->store, row->id);
    char *body = row->body ? copy(row->body, row->body_bytes) : at->body;
    const size_t bytes = row->body ? row->body_bytes : at->row.body_bytes;

    if (row->body)
        free(at->body);
    free(at->why);
    at->row = *row;
    at->body = body;
    at->why = copy(row->why, strlen(row->why));
    at->row.body = at->body;
    at->row.body_bytes = bytes;
    at->row.why = at->why;
    rig->store.writes++;
    if (bytes > rig->body_bytes_max)
        rig->body_bytes_max = bytes;
}

static void on_send(const struct oc_outbox_row *row, const struct oc_notice *notice,
                    const struct oc_receiver *receiver, void *context)
{
    struct rig *rig = context;
    struct rig_attempt *attempt = NULL;

    ck_assert_str_eq(row->id, notice->id);
    check_unanswered(rig, row->id);
    ck_assert_str_eq(receiver->name, notice->receiver);
    ck_assert_uint_lt(rig->flight_count, sizeof(rig->flights) / sizeof(rig->flights[0]));
    if (rig->attempt_count == rig->attempt_capacity) {
        rig->attempt_capacity = rig->attempt_capacity ? 2 * rig->attempt_capacity : 64;
        rig->attempts = realloc(rig->attempts, rig->attempt_capacity * sizeof(*rig->attempts));
    }
    attempt = &rig->attempts[rig->attempt_count];
    *attempt = (struct rig_attempt){ .at_ms = rig->now_ms,
                                     .kind = notice->kind,
                                     .severity = notice->severity,
                                     .is_firing = notice->is_firing,
                                     .firing = notice->firing,
                                     .ended = notice->ended,
                                     .more = notice->more,
                                     .folded = notice->folded,
                                     .count = notice->count };
    (void)oc_text_copy(attempt->id, sizeof(attempt->id), row->id);
    (void)oc_text_copy(attempt->receiver, sizeof(attempt->receiver), receiver->name);
    for (size_t i = 0; i < notice->count; i++) {
        attempt->alerts[i].fingerprint = notice->alerts[i].alert.fingerprint;
        attempt->alerts[i].state = notice->alerts[i].alert.state;
    }
    ck_assert_uint_eq(notice->firing + notice->ended, notice->count + notice->more);
    if (rig->explanation && notice->count > 0)
        ck_assert_str_eq(notice->alerts[0].explanation, rig->explanation);
    (void)oc_text_copy(rig->flights[rig->flight_count].id,
                       sizeof(rig->flights[rig->flight_count].id), row->id);
    rig->flights[rig->flight_count].result = rig->answer(notice, rig->now_ms);
    attempt->outcome = rig->flights[rig->flight_count].result.outcome;
    rig->flights[rig->flight_count].at_ms = rig->now_ms + rig->latency_ms;
    rig->flights[rig->flight_count++].attempt = rig->attempt_count++;
}

static void on_told(uint64_t fingerprint, void *context)
{
    struct rig *rig = context;

    ck_assert_uint_lt(rig->told_count, sizeof(rig->told) / sizeof(rig->told[0]));
    rig->told[rig->told_count++] = fingerprint;
}

static int on_describe(const struct oc_alert *alert, struct oc_notice_alert *out, void *context)
{
    const struct rig *rig = context;

    (void)alert;
    if (rig->fail_describe)
        return OC_E_NOMEM;
    out->explanation = oc_strdup(rig->explanation ? rig->explanation : "it grows");
    return out->explanation ? OC_OK : OC_E_NOMEM;
}

/* ---- the rig ---- */

struct oc_receiver *rig_receiver(struct oc_receivers *receivers, const char *name)
{
    struct oc_receiver *receiver = NULL;

    receivers->items =
        oc_realloc(receivers->items, (receivers->count + 1) * sizeof(*receivers->items));
    receiver = &receivers->items[receivers->count++];
    *receiver = (struct oc_receiver){ .type = OC_RECEIVER_WEBHOOK,
                                      .min_severity = OC_SEVERITY_WARN,
                                      .send_resolved = 1,
                                      .max_per_hour = 20 };
    (void)oc_text_copy(receiver->name, sizeof(receiver->name), name);
    return receiver;
}

static void start(struct rig *rig, const struct oc_receivers *receivers,
                  const struct oc_dispatch_options *options)
{
    const struct oc_dispatch_calls calls = {
        .describe = on_describe, .store = on_store, .send = on_send, .told = on_told, .context = rig
    };
    const struct oc_dispatch_options usual = { .instance = "host", .seed = 7 };

    ck_assert_int_eq(oc_dispatch_new(options ? options : &usual, &calls, &rig->dispatch), OC_OK);
    ck_assert_int_eq(oc_dispatch_set_receivers(rig->dispatch, receivers, rig->now_ms), OC_OK);
    rig->next_ms = rig->now_ms;
}

void rig_open(struct rig *rig, const struct oc_receivers *receivers,
              const struct oc_dispatch_options *options)
{
    memset(rig, 0, sizeof(*rig));
    rig->now_ms = RIG_BEGIN;
    rig->answer = rig_ok;
    rig->latency_ms = RIG_LATENCY;
    start(rig, receivers, options);
}

void rig_close(struct rig *rig)
{
    oc_dispatch_free(rig->dispatch);
    for (size_t i = 0; i < rig->store.count; i++) {
        free(rig->store.rows[i].body);
        free(rig->store.rows[i].why);
    }
    free(rig->store.rows);
    free(rig->attempts);
}

void rig_kill(struct rig *rig, const struct oc_receivers *receivers,
              const struct oc_dispatch_options *options)
{
    const size_t count = rig->store.count;

    oc_dispatch_free(rig->dispatch);
    rig->flight_count = 0;
    start(rig, receivers, options);
    for (size_t i = 0; i < count; i++) {
        if (rig->store.rows[i].row.state <= OC_OUTBOX_PARKED)
            ck_assert_int_eq(oc_dispatch_restore_row(rig->dispatch, &rig->store.rows[i].row),
                             OC_OK);
    }
}

static void give_answers(struct rig *rig)
{
    for (size_t i = 0; i < rig->flight_count;) {
        struct oc_delivery_result result = rig->flights[i].result;
        char id[OC_OUTBOX_ID_BYTES];

        if (rig->is_mute || rig->flights[i].at_ms > rig->now_ms) {
            i++;
            continue;
        }
        (void)oc_text_copy(id, sizeof(id), rig->flights[i].id);
        result.id = id;
        rig->flights[i] = rig->flights[--rig->flight_count];
        ck_assert_int_eq(oc_dispatch_result(rig->dispatch, &result, rig->now_ms), OC_OK);
    }
}

static int64_t next_answer(const struct rig *rig)
{
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < rig->flight_count && !rig->is_mute; i++) {
        if (rig->flights[i].at_ms < next_ms)
            next_ms = rig->flights[i].at_ms;
    }
    return next_ms;
}

void rig_run(struct rig *rig, int64_t ms)
{
    const int64_t end_ms = rig->now_ms + ms;

    for (;;) {
        int64_t next_ms = 0;

        give_answers(rig);
        rig->next_ms = oc_dispatch_tick(rig->dispatch, rig->now_ms);
        ck_assert_int_le(rig->next_ms, rig->now_ms + MINUTE);
        next_ms = next_answer(rig) < rig->next_ms ? next_answer(rig) : rig->next_ms;
        if (next_ms <= rig->now_ms)
            next_ms = rig->now_ms + 1;
        if (next_ms > end_ms)
            break;
        rig->now_ms = next_ms;
    }
    rig->now_ms = end_ms;
}

/* ---- alerts ---- */

struct oc_alert rig_alert(unsigned number, const char *rule, unsigned severity)
{
    struct oc_alert alert = { .episode = number + 1,
                              .kind = OC_RULE_FORECAST,
                              .severity = (uint8_t)severity,
                              .pid = 4711 + number };

    (void)oc_text_copy(alert.rule, sizeof(alert.rule), rule);
    (void)snprintf(alert.subject, sizeof(alert.subject), "unit:s%04u.service", number);
    alert.fingerprint = ((uint64_t)number + 1) * UINT64_C(0x9e3779b97f4a7c15) + severity;
    for (const char *at = rule; *at; at++)
        alert.fingerprint = alert.fingerprint * 31 + (unsigned char)*at;
    return alert;
}

void rig_say(struct rig *rig, struct oc_alert *alert, unsigned state)
{
    const char *labels[] = { "alertname", alert->rule, "subject", alert->subject, NULL };

    if (state == OC_ALERT_FIRING && alert->state != OC_ALERT_FIRING)
        alert->firing_unix_ms = rig->now_ms;
    if (state != OC_ALERT_FIRING)
        alert->ended_unix_ms = rig->now_ms;
    alert->state = (uint8_t)state;
    alert->changed_unix_ms = rig->now_ms;
    ck_assert_int_eq(oc_dispatch_alert(rig->dispatch, alert, labels, rig->now_ms), OC_OK);
}

size_t rig_taken(const struct rig *rig)
{
    size_t taken = 0;

    for (size_t i = 0; i < rig->attempt_count; i++)
        taken += rig->attempts[i].outcome == OC_DELIVERY_SENT;
    return taken;
}

size_t rig_told_of(const struct rig *rig, uint64_t fingerprint, unsigned state)
{
    size_t found = 0;

    for (size_t i = 0; i < rig->attempt_count; i++) {
        const struct rig_attempt *attempt = &rig->attempts[i];

        for (size_t k = 0; k < attempt->count && attempt->outcome == OC_DELIVERY_SENT; k++)
            found +=
                attempt->alerts[k].fingerprint == fingerprint && attempt->alerts[k].state == state;
    }
    return found;
}

unsigned rig_last_of(const struct rig *rig, const char *receiver, uint64_t fingerprint)
{
    unsigned last = OC_ALERT_INACTIVE;

    for (size_t i = 0; i < rig->attempt_count; i++) {
        const struct rig_attempt *attempt = &rig->attempts[i];

        if (attempt->outcome != OC_DELIVERY_SENT || strcmp(attempt->receiver, receiver) != 0)
            continue;
        for (size_t k = 0; k < attempt->count; k++) {
            if (attempt->alerts[k].fingerprint == fingerprint)
                last = attempt->alerts[k].state;
        }
    }
    return last;
}

size_t rig_rows(const struct rig *rig, unsigned state)
{
    size_t found = 0;

    for (size_t i = 0; i < rig->store.count; i++)
        found += rig->store.rows[i].row.state == state;
    return found;
}
