/* The part: its turns from what was decided to what is stored, its rounds, its end. */
#include "daemon/alert.h"

#include "daemon/daemon.h"

#include "base/alloc.h"
#include "base/log.h"

#include <string.h>

#define ROUND_MS 1000
#define HELD_MS 3000 /* for the store's word; then it is sent from memory */
#define STOP_MS 500  /* for answers that are under way */
#define EXPLAINER_STOP_MS 200
#define TICK_MAX_MS 60000

int64_t oc_alerting_now_ms(const struct oc_daemon *daemon)
{
    return oc_now_boot_ms() + daemon->alerting.unix_minus_boot_ms;
}

const struct oc_receiver *oc_alerting_receiver(const struct oc_daemon *daemon, const char *name)
{
    const struct oc_receivers *receivers = &daemon->config.receivers;

    for (size_t i = 0; i < receivers->count; i++) {
        if (strcmp(receivers->items[i].name, name) == 0)
            return &receivers->items[i];
    }
    return NULL;
}

const struct oc_rule *oc_alerting_rule(const struct oc_daemon *daemon, const struct oc_alert *alert)
{
    const struct oc_rules *rules = &daemon->config.rules;

    for (size_t i = 0; i < rules->count; i++) {
        if (rules->items[i].severity == alert->severity &&
            strcmp(rules->items[i].name, alert->rule) == 0)
            return &rules->items[i];
    }
    return NULL;
}

/* ---- what is decided ---- */

/* For the store, and, once the rules are done, for the dispatch: they must not be called from here. */
void oc_alerting_changed(const struct oc_alert_change *change, void *context)
{
    struct oc_daemon *daemon = context;
    struct oc_alerting *a = &daemon->alerting;
    int is_kept = oc_alert_ops_alert(&a->ops, change->alert, change->is_news) == OC_OK &&
                  oc_alert_ops_decision(&a->ops, &change->why) == OC_OK;

    oc_alerting_say(change->alert, change->from);
    if (!is_kept) {
        daemon->troubles.no_memory++;
        a->missed_news = 1;
    }
    a->is_durable |= change->is_news != 0;
    oc_alerting_want_turn(daemon);
}

int oc_alerting_tell(struct oc_daemon *daemon, const struct oc_alert *alert)
{
    struct oc_alerting *a = &daemon->alerting;

    return oc_dispatch_alert(a->dispatch, alert, oc_alerts_labels_of(a->rules, alert),
                             oc_alerting_now_ms(daemon));
}

static int tell_again(const struct oc_alert *alert, void *context)
{
    struct oc_daemon *daemon = context;

    if (alert->state == OC_ALERT_FIRING && oc_alerting_tell(daemon, alert) < 0)
        daemon->alerting.missed_news = 1;
    return 0;
}

/* 0, or OC_E_NOMEM: it is told in the next round, and nothing is stored ahead of it. */
static int tell_news(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;

    for (struct oc_alert_op *op = a->ops.first; op; op = op->next) {
        const struct oc_alert *alert = op->is_news ? oc_alert_op_alert(op) : NULL;

        if (!alert)
            continue;
        if (oc_alerting_tell(daemon, alert) < 0)
            return OC_E_NOMEM;
        op->is_news = 0;
        oc_alerting_ask_why(daemon, alert);
        oc_alert_level_note(daemon, alert);
    }
    if (!a->missed_news)
        return OC_OK;
    a->missed_news = 0;
    (void)oc_alerts_each(a->rules, tell_again, daemon);
    return OC_OK;
}

/* ---- the end of a turn ---- */

/* 0, or OC_E_NOMEM: what was decided waits for the next turn. */
static int send_ops(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;
    struct oc_message *message = NULL;

    if (!a->ops.first)
        return OC_OK;
    message = oc_writer_message(daemon->writer, OC_MESSAGE_ALERTS);
    if (!message)
        return OC_E_NOMEM;
    message->ops = a->ops;
    message->turn = a->turn++;
    message->is_durable = a->is_durable;
    if (a->is_durable)
        a->wanted_turn = message->turn;
    a->ops = (struct oc_alert_ops){ 0 };
    a->is_durable = 0;
    oc_writer_push(daemon->writer, message);
    return OC_OK;
}

static void end_turn(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;

    (void)uv_prepare_stop(&a->turn_end); /* what is decided from here on starts it anew */
    if (tell_news(daemon) < 0) {         /* the next round tries again */
        daemon->troubles.no_memory++;
        return;
    }
    a->dispatch_due_ms = oc_dispatch_tick(a->dispatch, oc_alerting_now_ms(daemon));
    if (send_ops(daemon) < 0)
        daemon->troubles.no_memory++;
    oc_alerting_release(daemon);
}

static void on_turn_end(uv_prepare_t *handle) { end_turn(handle->data); }

void oc_alerting_want_turn(struct oc_daemon *daemon)
{
    if (daemon->alerting.is_open)
        (void)uv_prepare_start(&daemon->alerting.turn_end, on_turn_end); /* cannot fail */
}

void oc_alerting_turned(void *context, uint64_t turn, int is_failing)
{
    struct oc_daemon *daemon = context;
    struct oc_alerting *a = &daemon->alerting;

    if (turn > a->done_turn)
        a->done_turn = turn;
    a->is_failing = is_failing;
    if (is_failing)
        oc_alerting_release_from_memory(daemon, INT64_MAX);
    oc_alerting_release(daemon);
}

/* ---- rounds ---- */

static void on_round(uv_timer_t *timer)
{
    struct oc_daemon *daemon = timer->data;
    struct oc_alerting *a = &daemon->alerting;
    int64_t now_ms = oc_alerting_now_ms(daemon);

    oc_alert_self_round(daemon);
    if (now_ms >= a->rules_due_ms || a->rules_due_ms > now_ms + TICK_MAX_MS)
        a->rules_due_ms = oc_alerts_tick(a->rules, now_ms);
    if (now_ms >= a->dispatch_due_ms || a->dispatch_due_ms > now_ms + TICK_MAX_MS || a->ops.first ||
        a->missed_news)
        oc_alerting_want_turn(daemon);
    oc_alert_level_round(daemon);
    oc_alerting_release_from_memory(daemon, oc_now_mono_ms() - HELD_MS);
    oc_alerting_release(daemon);
    oc_notifier_round(a->notifier);
}

void oc_alerting_clock(struct oc_daemon *daemon, int64_t moved_ms)
{
    struct oc_alerting *a = &daemon->alerting;

    if (!a->rules)
        return;
    a->unix_minus_boot_ms += moved_ms;
    oc_alerts_clock(a->rules, moved_ms);
    oc_dispatch_clock(a->dispatch, moved_ms);
    a->rules_due_ms = 0;
    a->dispatch_due_ms = 0;
}

/* ---- start and stop ---- */

static int start_notifier(struct oc_daemon *daemon)
{
    struct oc_notifier_options options = { .answered = oc_alerting_answered,
                                           .ready = oc_alerting_ready,
                                           .context = daemon };
    int rc = oc_notifier_new(&daemon->loop, &options, &daemon->alerting.notifier);

    if (rc == OC_OK)
        oc_notifier_set_receivers(daemon->alerting.notifier, &daemon->config.receivers);
    return rc;
}

int oc_alerting_start(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;
    int rc = OC_OK;

    if (!a->rules)
        return OC_OK;
    rc = start_notifier(daemon);
    if (rc == OC_OK)
        rc = oc_explainer_start(&daemon->loop, daemon->store_path, oc_alerting_take_whys, daemon,
                                &a->explainer);
    if (rc < 0) {
        oc_notifier_close(a->notifier);
        a->notifier = NULL;
        return rc;
    }
    a->turn_end.data = daemon;
    a->timer.data = daemon;
    (void)uv_prepare_init(&daemon->loop, &a->turn_end); /* none of these can fail */
    (void)uv_timer_init(&daemon->loop, &a->timer);
    (void)uv_timer_start(&a->timer, on_round, ROUND_MS, ROUND_MS);
    a->is_open = 1;
    oc_alerting_want_turn(daemon); /* what goes on from before */
    return OC_OK;
}

/* What is under way is answered as a rule; what is not is sent again after the next start. */
static void wait_for_answers(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;
    int64_t until_ms = oc_now_mono_ms() + STOP_MS;
    struct oc_notifier_stats stats;

    a->is_stopping = 1;
    oc_notifier_quit(a->notifier);
    (void)uv_timer_start(&a->timer, on_round, STOP_MS, 0); /* the loop does not sleep beyond */
    for (;;) {
        oc_notifier_stats(a->notifier, &stats);
        if (stats.pid == 0 || stats.under_way == 0 || oc_now_mono_ms() >= until_ms)
            return;
        (void)uv_run(&daemon->loop, UV_RUN_ONCE);
    }
}

void oc_alerting_stop(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;

    if (!a->is_open)
        return;
    wait_for_answers(daemon);
    (void)send_ops(daemon);
    a->is_open = 0;
    oc_notifier_close(a->notifier);
    a->notifier = NULL;
    oc_explainer_stop(a->explainer, EXPLAINER_STOP_MS);
    a->explainer = NULL;
    uv_close((uv_handle_t *)&a->timer, NULL);
    uv_close((uv_handle_t *)&a->turn_end, NULL);
}

void oc_alerting_clear(struct oc_alerting *a)
{
    oc_alert_ops_clear(&a->ops);
    oc_alerting_free_held(a);
    oc_alerting_free_whys(a);
    oc_alert_level_free(a);
    oc_free(a->subjects);
    oc_dispatch_free(a->dispatch);
    oc_alerts_free(a->rules);
    *a = (struct oc_alerting){ 0 };
}
