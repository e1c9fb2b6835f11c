/* What people ask of alerts by the control channel, and what the status says of them. */
#include "daemon/alert.h"

#include "daemon/daemon.h"
#include "daemon/request.h"
#include "daemon/status.h"

#include "base/log.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LISTED_MAX 150 /* alerts in an answer; the rest is counted. The store has them all */

/* ---- alerts ---- */

static void put_number(struct oc_buf *out, const char *key, double value)
{
    if (oc_is_number(value))
        oc_buf_printf(out, "\"%s\":%.9g,", key, value);
}

static void put_forecast(struct oc_buf *out, const struct oc_forecast_row *about)
{
    const struct oc_limit_row *row = oc_limit_row(about->limit.kind);

    if (about->limit.kind == 0 && about->forecast.state == 0)
        return;
    if (row)
        oc_status_text(out, "limit_kind", row->name);
    if (row)
        oc_status_u64(out, "limit", about->limit.value);
    if (about->limit.where[0])
        oc_status_text(out, "limit_where", about->limit.where);
    oc_status_text(out, "forecast_state", oc_forecast_state_name(about->forecast.state));
    put_number(out, "p10_s", about->forecast.p10_s);
    put_number(out, "p50_s", about->forecast.p50_s);
    put_number(out, "p90_s", about->forecast.p90_s);
    put_number(out, "growth_per_h", about->forecast.growth_per_h);
    oc_status_i64(out, "forecast_unix_ms", about->forecast.t_ms);
}

static void put_alert(const struct oc_alert *alert, struct oc_buf *out)
{
    oc_buf_printf(out, "{\"fingerprint\":\"%016" PRIx64 "\",", alert->fingerprint);
    oc_status_u64(out, "episode", alert->episode);
    oc_status_text(out, "rule", alert->rule);
    oc_status_text(out, "subject", alert->subject);
    oc_status_text(out, "severity", oc_severity_name(alert->severity));
    oc_status_text(out, "state", oc_alert_state_name(alert->state));
    oc_status_u64(out, "mutes", alert->mutes);
    oc_status_i64(out, "pending_unix_ms", alert->pending_unix_ms);
    oc_status_i64(out, "firing_unix_ms", alert->firing_unix_ms);
    if (alert->pid)
        oc_status_u64(out, "pid", alert->pid);
    put_number(out, "value", alert->value);
    put_number(out, "bound", alert->bound);
    put_number(out, "chance", alert->chance);
    put_forecast(out, &alert->about);
    oc_status_text(out, "why", alert->why);
    oc_status_close(out, "},");
}

struct listing {
    struct oc_buf *out;
    uint64_t listed, more;
};

static int list_alert(const struct oc_alert *alert, void *context)
{
    struct listing *listing = context;

    if (listing->listed == LISTED_MAX) {
        listing->more++;
        return 0;
    }
    listing->listed++;
    put_alert(alert, listing->out);
    return 0;
}

static void answer_alerts(const struct oc_daemon *daemon, struct oc_buf *out)
{
    struct listing listing = { .out = out };

    oc_buf_puts(out, "{\"ok\":true,\"alerts\":[");
    (void)oc_alerts_each(daemon->alerting.rules, list_alert, &listing);
    oc_status_close(out, "],");
    oc_status_u64(out, "more", listing.more);
    oc_status_close(out, "}");
}

/* ---- silences ---- */

static void put_silence(const struct oc_silence *silence, struct oc_buf *out)
{
    oc_buf_putc(out, '{');
    oc_status_u64(out, "id", silence->id);
    oc_status_i64(out, "begin_unix_ms", silence->begin_unix_ms);
    oc_status_i64(out, "end_unix_ms", silence->end_unix_ms);
    oc_status_text(out, "author", silence->author);
    oc_status_text(out, "comment", silence->comment);
    oc_buf_puts(out, "\"match\":[");
    for (uint32_t i = 0; i < silence->matcher_count; i++) {
        char text[sizeof(silence->matchers[i].name) + OC_SILENCE_TEXT_BYTES + 3];

        (void)snprintf(text, sizeof(text), "%s%s=%s", silence->matchers[i].name,
                       silence->matchers[i].is_negative ? "!" : "", silence->matchers[i].glob);
        oc_buf_json_string(out, text);
        oc_buf_putc(out, ',');
    }
    oc_status_close(out, "]},");
}

static void answer_silences(const struct oc_daemon *daemon, struct oc_buf *out)
{
    size_t count = 0;
    const struct oc_silence *silences = oc_alerts_silences(daemon->alerting.rules, &count);
    struct listing listing = { .out = out };

    oc_buf_puts(out, "{\"ok\":true,\"silences\":[");
    for (size_t i = 0; i < count; i++) {
        if (listing.listed == LISTED_MAX)
            listing.more++;
        else
            put_silence(&silences[i], out);
        listing.listed += listing.listed < LISTED_MAX;
    }
    oc_status_close(out, "],");
    oc_status_u64(out, "more", listing.more);
    oc_status_close(out, "}");
}

/* What was said to the person holds after a restart too. */
static void store_silence(struct oc_daemon *daemon, const struct oc_silence *silence)
{
    struct oc_alerting *a = &daemon->alerting;

    if (oc_alert_ops_silence(&a->ops, silence) < 0)
        daemon->troubles.no_memory++;
    a->is_durable = 1;
    oc_alerting_want_turn(daemon);
}

static void silence(struct oc_daemon *daemon, const struct oc_request *request, const char *author,
                    struct oc_buf *out)
{
    struct oc_silence new = request->silence;
    int64_t now_ms = oc_alerting_now_ms(daemon);
    int rc = OC_OK;

    if (new.begin_unix_ms == 0)
        new.begin_unix_ms = now_ms;
    if (request->for_ms > 0)
        new.end_unix_ms = new.begin_unix_ms + request->for_ms;
    if (new.author[0] == '\0')
        (void)oc_text_copy(new.author, sizeof(new.author), author);
    rc = new.end_unix_ms <= now_ms ? OC_E_INVAL
                                   : oc_alerts_silence(daemon->alerting.rules, &new, now_ms);
    if (rc < 0) {
        oc_request_refuse(out, oc_err_name(rc),
                          rc == OC_E_INVAL    ? "it would end before it begins, or is over already"
                          : rc == OC_E_TOOBIG ? "there are too many silences: end some"
                                              : oc_err_text(rc));
        return;
    }
    store_silence(daemon, &new);
    oc_log(OC_LOG_INFO, "silenced", oc_u64("id", new.id), oc_str("author", new.author),
           oc_str("comment", new.comment), oc_i64("end_unix_ms", new.end_unix_ms));
    oc_buf_printf(out, "{\"ok\":true,\"id\":%" PRIu64 ",\"end_unix_ms\":%" PRId64 "}", new.id,
                  new.end_unix_ms);
}

static const struct oc_silence *find_silence(const struct oc_daemon *daemon, uint64_t id)
{
    size_t count = 0;
    const struct oc_silence *silences = oc_alerts_silences(daemon->alerting.rules, &count);

    for (size_t i = 0; i < count; i++) {
        if (silences[i].id == id)
            return &silences[i];
    }
    return NULL;
}

static void unsilence(struct oc_daemon *daemon, uint64_t id, struct oc_buf *out)
{
    const struct oc_silence *found = find_silence(daemon, id);
    int64_t now_ms = oc_alerting_now_ms(daemon);
    struct oc_silence over;

    if (!found) {
        oc_request_refuse(out, "not_found", "there is no such silence, or it has ended");
        return;
    }
    over = *found;
    (void)oc_alerts_unsilence(daemon->alerting.rules, id, now_ms);
    over.end_unix_ms = now_ms;
    store_silence(daemon, &over);
    oc_log(OC_LOG_INFO, "unsilenced", oc_u64("id", id));
    oc_buf_puts(out, "{\"ok\":true}");
}

/* ---- receivers ---- */

static void ack(struct oc_daemon *daemon, const struct oc_request *request, struct oc_buf *out)
{
    int count =
        oc_alerts_ack(daemon->alerting.rules, request->fingerprint,
                      request->subject[0] ? request->subject : NULL, oc_alerting_now_ms(daemon));

    oc_buf_printf(out, "{\"ok\":true,\"acked\":%d}", count > 0 ? count : 0);
}

static void retry(struct oc_daemon *daemon, const struct oc_request *request, struct oc_buf *out)
{
    const char *name = request->receiver[0] ? request->receiver : NULL;
    int count = 0;

    if (name && !oc_alerting_receiver(daemon, name)) {
        oc_request_refuse(out, "not_found", "the config has no receiver of that name");
        return;
    }
    count = oc_dispatch_retry(daemon->alerting.dispatch, name, oc_alerting_now_ms(daemon));
    oc_alerting_want_turn(daemon);
    oc_buf_printf(out, "{\"ok\":true,\"tried\":%d}", count > 0 ? count : 0);
}

/* Returns 1 where the answer follows. */
static int test(struct oc_daemon *daemon, const struct oc_request *request, uint64_t client,
                struct oc_buf *out)
{
    const struct oc_receiver *receiver = oc_alerting_receiver(daemon, request->receiver);
    struct oc_detail detail = { 0 };
    int rc = OC_OK;

    if (!receiver) {
        oc_request_refuse(out, "not_found", "the config has no receiver of that name");
        return 0;
    }
    rc = oc_alert_level_test(daemon, receiver, client, &detail);
    if (rc < 0)
        oc_request_refuse(out, oc_err_name(rc), detail.text);
    return rc == OC_OK;
}

int oc_alerting_asked(struct oc_daemon *daemon, const struct oc_request *request,
                      const char *author, uint64_t client, struct oc_buf *out)
{
    if (!daemon->alerting.rules) {
        oc_request_refuse(out, "not_supported", "this daemon has no alerts");
        return 0;
    }
    switch (request->command) {
    case OC_COMMAND_ALERTS:
        answer_alerts(daemon, out);
        break;
    case OC_COMMAND_SILENCES:
        answer_silences(daemon, out);
        break;
    case OC_COMMAND_SILENCE:
        silence(daemon, request, author, out);
        break;
    case OC_COMMAND_UNSILENCE:
        unsilence(daemon, request->id, out);
        break;
    case OC_COMMAND_ACK:
        ack(daemon, request, out);
        break;
    case OC_COMMAND_RETRY:
        retry(daemon, request, out);
        break;
    case OC_COMMAND_TEST:
        return test(daemon, request, client, out);
    default:
        oc_request_refuse(out, "not_supported", "no command of alerts");
        break;
    }
    return 0;
}

/* ---- status ---- */

void oc_alerting_put_receiver(const struct oc_receiver_state *state, struct oc_buf *out)
{
    oc_buf_putc(out, '{');
    oc_status_text(out, "receiver", state->name);
    oc_status_text(out, "type", oc_receiver_type_name(state->type));
    oc_status_u64(out, "waiting", state->waiting);
    oc_status_u64(out, "parked", state->parked);
    oc_status_u64(out, "in_flight", state->in_flight);
    oc_status_u64(out, "sent", state->sent);
    oc_status_u64(out, "failed", state->failed);
    oc_status_u64(out, "dropped", state->dropped);
    oc_status_u64(out, "digests", state->digests);
    if (state->last_sent_unix_ms)
        oc_status_i64(out, "last_sent_unix_ms", state->last_sent_unix_ms);
    if (state->failing_since_unix_ms) {
        oc_status_i64(out, "failing_since_unix_ms", state->failing_since_unix_ms);
        oc_status_i64(out, "status", state->status);
        oc_status_text(out, "why", state->why ? state->why : "");
    }
    oc_status_close(out, "},");
}

/* Those that are reached outside the outbox have their own. */
static int put_receiver(const struct oc_receiver_state *state, void *context)
{
    if (state->type != OC_RECEIVER_ALERTMANAGER && state->type != OC_RECEIVER_HEARTBEAT)
        oc_alerting_put_receiver(state, context);
    return 0;
}

static void put_notifier(const struct oc_alerting *a, struct oc_buf *out)
{
    struct oc_notifier_stats stats;

    oc_notifier_stats(a->notifier, &stats);
    oc_buf_puts(out, "\"notifier\":{");
    oc_status_text(out, "state", oc_notifier_state_name(stats.state));
    if (stats.pid)
        oc_status_u64(out, "pid", stats.pid);
    oc_status_u64(out, "starts", stats.starts);
    oc_status_u64(out, "deaths", stats.deaths);
    oc_status_u64(out, "answers", stats.answers);
    oc_status_u64(out, "under_way", stats.under_way);
    oc_status_u64(out, "queued_bytes", stats.queued_bytes);
    if (stats.why[0])
        oc_status_text(out, "why", stats.why);
    oc_status_close(out, "},");
}

void oc_alerting_status(const struct oc_daemon *daemon, struct oc_buf *out)
{
    const struct oc_alerting *a = &daemon->alerting;
    struct oc_alerts_stats stats;

    if (!a->rules || !a->notifier)
        return;
    oc_alerts_stats(a->rules, &stats);
    oc_buf_puts(out, "\"alerts\":{");
    oc_status_u64(out, "rules", daemon->config.rules.count);
    oc_status_u64(out, "watched_subjects", stats.subjects);
    oc_status_u64(out, "pending", stats.pending);
    oc_status_u64(out, "firing", stats.firing);
    oc_status_u64(out, "muted", stats.muted);
    oc_status_u64(out, "changes", stats.changes);
    oc_status_u64(out, "refused_alerts", stats.refused);
    oc_status_u64(out, "not_durable", a->not_durable);
    oc_status_u64(out, "held", a->held_count);
    put_notifier(a, out);
    oc_buf_puts(out, "\"receivers\":[");
    (void)oc_dispatch_each(a->dispatch, put_receiver, out);
    oc_alert_level_status(daemon, out);
    oc_status_close(out, "]},");
}
