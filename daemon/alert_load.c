/* Going on after a restart: alerts, notices and silences of the store; the settings, also after a reload. */
#include "daemon/alert.h"

#include "daemon/daemon.h"

#include "base/log.h"
#include "base/text.h"
#include "storage/reader.h"

#include <string.h>

#define LABELS_MAX 64 /* of a subject, as pairs */

/* ---- settings ---- */

int oc_alerting_settle(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;
    int64_t now_ms = oc_alerting_now_ms(daemon);
    int rc = oc_alerts_set_rules(a->rules, &daemon->config.rules, now_ms);

    if (rc == OC_OK)
        rc = oc_alerts_set_windows(a->rules, &daemon->config.windows, now_ms);
    if (rc == OC_OK)
        rc = oc_dispatch_set_receivers(a->dispatch, &daemon->config.receivers, now_ms);
    if (rc == OC_OK)
        oc_dispatch_set_renotify(a->dispatch, &daemon->config.rules);
    oc_dispatch_set_times(a->dispatch, daemon->config.group_wait_ms,
                          daemon->config.group_interval_ms, daemon->config.renotify_ms);
    a->rules_due_ms = 0;
    return rc;
}

/* What could not be taken for want of memory stays as it was; the next reload tries again. */
void oc_alerting_reload(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;
    int rc = OC_OK;

    if (!a->rules)
        return;
    rc = oc_alerting_settle(daemon);
    if (rc < 0)
        oc_log(OC_LOG_WARN, "alert_settings_kept", oc_str("err", oc_err_name(rc)),
               oc_str("then", "rules or receivers are as they were"));
    oc_notifier_set_receivers(a->notifier, &daemon->config.receivers);
    oc_alert_level_reload(daemon);
    oc_alerting_relabel(daemon);
    a->missed_news = 1; /* a receiver that is new is to hear of what fires */
    oc_alerting_want_turn(daemon);
}

/* ---- what the store has ---- */

struct loading {
    struct oc_daemon *daemon;
    oc_reader *reader; /* for labels; NULL: none could be opened */
    uint64_t alerts, rows, silences, refused;
    const char *pairs[2 * LABELS_MAX + 1];
    size_t pair_count;
    struct oc_buf text; /* that the pairs are of */
};

static int on_label(const char *key, const char *value, void *context)
{
    struct loading *loading = context;

    oc_buf_add(&loading->text, key, strlen(key) + 1);
    oc_buf_add(&loading->text, value, strlen(value) + 1);
    return ++loading->pair_count >= LABELS_MAX;
}

/* Receivers are chosen by labels: they must be known before a source of the subject is. */
static void restore_labels(struct loading *loading, const char *subject, uint32_t handle)
{
    struct oc_alerting *a = &loading->daemon->alerting;
    const char *at = NULL;

    loading->pair_count = 0;
    oc_buf_reset(&loading->text);
    if (!loading->reader || oc_reader_labels(loading->reader, subject, on_label, loading) < 0 ||
        loading->text.err || loading->pair_count == 0)
        return;
    at = loading->text.data;
    for (size_t i = 0; i < 2 * loading->pair_count; i++) {
        loading->pairs[i] = at;
        at += strlen(at) + 1;
    }
    loading->pairs[2 * loading->pair_count] = NULL;
    (void)oc_alerts_labels(a->rules, handle, loading->pairs, oc_alerting_now_ms(loading->daemon));
}

/* When it was told last, as far as reminders go: they keep their rhythm over a restart. */
static int64_t told_ms(const struct oc_daemon *daemon, const struct oc_alert *alert, int64_t now_ms)
{
    const struct oc_rule *rule = oc_alerting_rule(daemon, alert);
    int64_t every_ms =
        rule && rule->renotify_ms > 0 ? rule->renotify_ms : daemon->config.renotify_ms;
    int64_t age_ms = now_ms - alert->firing_unix_ms;

    if (!alert->was_told)
        return 0;
    if (every_ms <= 0 || age_ms <= 0)
        return alert->firing_unix_ms;
    return alert->firing_unix_ms + age_ms / every_ms * every_ms;
}

static int on_alert(const struct oc_alert *alert, void *context)
{
    struct loading *loading = context;
    struct oc_daemon *daemon = loading->daemon;
    struct oc_alerting *a = &daemon->alerting;
    int64_t now_ms = oc_alerting_now_ms(daemon);
    uint32_t handle =
        oc_alerts_subject(a->rules, alert->subject, (enum oc_source_kind)alert->source_kind);

    if (handle != OC_ALERT_NO_SUBJECT)
        restore_labels(loading, alert->subject, handle);
    /* who was told of it comes first: where its rule is gone, restoring it ends it, and they are to hear that */
    if (alert->state == OC_ALERT_FIRING &&
        oc_dispatch_restore_alert(a->dispatch, alert, oc_alerts_labels_of(a->rules, alert),
                                  told_ms(daemon, alert, now_ms)) < 0)
        loading->refused++;
    if (oc_alerts_restore(a->rules, alert, now_ms) < 0)
        loading->refused++;
    else
        loading->alerts++;
    return 0;
}

static int on_row(const struct oc_outbox_row *row, void *context)
{
    struct loading *loading = context;
    int rc = oc_dispatch_restore_row(loading->daemon->alerting.dispatch, row);

    loading->rows += rc == OC_OK;
    loading->refused += rc < 0;
    return 0;
}

static int on_silence(const struct oc_silence *silence, void *context)
{
    struct loading *loading = context;
    struct oc_silence copy = *silence;
    int rc = oc_alerts_silence(loading->daemon->alerting.rules, &copy,
                               oc_alerting_now_ms(loading->daemon));

    loading->silences += rc == OC_OK;
    loading->refused += rc < 0;
    return 0;
}

/* What cannot be read is said; the daemon goes on with what the facts say. */
static int load_all(struct loading *loading)
{
    struct oc_daemon *daemon = loading->daemon;
    struct oc_alerting *a = &daemon->alerting;
    uint64_t episode = 0;
    struct oc_detail detail = { 0 };
    int rc = oc_store_alert_episode(daemon->store, &episode);

    if (rc < 0)
        return rc;
    oc_alerts_set_episode(a->rules, episode);
    (void)oc_reader_open(daemon->store_path, &loading->reader, &detail);
    rc = oc_store_silences(daemon->store, oc_alerting_now_ms(daemon), on_silence, loading);
    if (rc >= 0)
        rc = oc_store_alerts(daemon->store, on_alert, loading);
    if (rc >= 0)
        rc = oc_store_outbox_open(daemon->store, on_row, loading);
    oc_reader_close(loading->reader);
    return rc < 0 ? rc : OC_OK;
}

static void load(struct oc_daemon *daemon)
{
    struct loading loading = { .daemon = daemon };
    int rc = OC_OK;

    oc_buf_init(&loading.text, 64u << 10);
    rc = load_all(&loading);
    oc_buf_clear(&loading.text);
    if (rc < 0)
        oc_log(OC_LOG_WARN, "alerts_not_loaded", oc_str("err", oc_err_name(rc)),
               oc_str("then", "what fires may be told again"));
    if (loading.refused > 0)
        oc_log(OC_LOG_WARN, "alerts_refused", oc_u64("count", loading.refused));
    if (loading.alerts + loading.rows + loading.silences > 0)
        oc_log(OC_LOG_INFO, "alerts_loaded", oc_u64("alerts", loading.alerts),
               oc_u64("waiting", loading.rows), oc_u64("silences", loading.silences));
}

/* ---- the beginning ---- */

static int make_rules(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;
    struct oc_alerts_options options = { .instance = a->instance };

    return oc_alerts_new(&options, oc_alerting_changed, daemon, &a->rules);
}

static int make_dispatch(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;
    const struct oc_config *config = &daemon->config;
    struct oc_dispatch_options options = {
        .instance = a->instance,
        .group_wait_ms = config->group_wait_ms,
        .group_interval_ms = config->group_interval_ms,
        .renotify_ms = config->renotify_ms,
        .seed = (uint64_t)oc_clock_mono_ns() ^ (uint64_t)oc_clock_unix_ms() << 20 ^ oc_os_pid(),
    };
    struct oc_dispatch_calls calls = { .describe = oc_alerting_describe,
                                       .store = oc_alerting_store_row,
                                       .send = oc_alerting_send_row,
                                       .told = oc_alerting_told,
                                       .context = daemon };

    return oc_dispatch_new(&options, &calls, &a->dispatch);
}

int oc_alerting_load(struct oc_daemon *daemon, struct oc_detail *detail)
{
    struct oc_alerting *a = &daemon->alerting;
    int rc = OC_OK;

    oc_alert_ops_init();
    a->unix_minus_boot_ms = oc_clock_unix_ms() - oc_now_boot_ms();
    a->turn = 1;
    if (daemon->config.instance[0])
        (void)oc_text_copy(a->instance, sizeof(a->instance), daemon->config.instance);
    else if (oc_os_hostname(a->instance, sizeof(a->instance)) < 0)
        (void)oc_text_copy(a->instance, sizeof(a->instance), "localhost");
    rc = make_rules(daemon);
    if (rc == OC_OK)
        rc = make_dispatch(daemon);
    if (rc == OC_OK)
        rc = oc_alerting_settle(daemon);
    if (rc < 0)
        return oc_detail_set(detail, rc, "alerts: %s", oc_err_text(rc));
    load(daemon);
    /* Those of receivers that are gone are dropped now that they are known. */
    rc = oc_dispatch_set_receivers(a->dispatch, &daemon->config.receivers,
                                   oc_alerting_now_ms(daemon));
    return rc < 0 ? oc_detail_set(detail, rc, "alerts: %s", oc_err_text(rc)) : rc;
}
