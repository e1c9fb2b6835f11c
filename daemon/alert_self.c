/* How oomcastd itself does, and which subjects are expected and not there: looked at every few seconds. */
#include "daemon/alert.h"

#include "daemon/daemon.h"
#include "daemon/matching.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define LOOK_MS 2000
#define FORGET_EVERY_MS 60000
#define FAILING_MS 300000 /* of a receiver or the notifier, before it is told through the others */
#define STUCK_MS 60000    /* of a walk */
#define STORE_MS 5000     /* of the store: a moment's refusal is no trouble */
#define LOST_MS 600000    /* how long lost samples are remembered */
#define SHORT_MS 600000   /* and memory that was short */

/* ---- troubles ---- */

static struct oc_alert_trouble *find(struct oc_alerting *a, const char *text)
{
    for (size_t i = 0; i < OC_ALERT_TROUBLES_MAX; i++) {
        if (strcmp(a->troubles[i].text, text) == 0)
            return &a->troubles[i];
    }
    return NULL;
}

static void tell_rules(struct oc_daemon *daemon, enum oc_alert_event_kind kind, const char *text)
{
    struct oc_alerting *a = &daemon->alerting;
    struct oc_alert_event event = { .kind = kind, .text = text };
    uint32_t handle = oc_alerts_subject(a->rules, "oomcastd", OC_SOURCE_SELF);

    if (handle != OC_ALERT_NO_SUBJECT)
        oc_alerts_event(a->rules, handle, &event, oc_alerting_now_ms(daemon));
}

/* It is so now; told once it has been so for after_ms. The text is what it is known by. */
static void note(struct oc_daemon *daemon, const char *text, int64_t after_ms)
{
    struct oc_alerting *a = &daemon->alerting;
    struct oc_alert_trouble *trouble = find(a, text);
    int64_t now_ms = oc_now_mono_ms();

    if (!trouble) {
        trouble = find(a, "");
        if (!trouble)
            return;
        (void)oc_text_copy(trouble->text, sizeof(trouble->text), text);
        trouble->since_mono_ms = now_ms;
    }
    trouble->is_seen = 1;
    if (now_ms - trouble->since_mono_ms < after_ms)
        return;
    trouble->is_told = 1;
    tell_rules(daemon, OC_ALERT_EVENT_DEGRADED, text);
}

static void end_unseen(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;

    for (size_t i = 0; i < OC_ALERT_TROUBLES_MAX; i++) {
        struct oc_alert_trouble *trouble = &a->troubles[i];

        if (trouble->text[0] == '\0')
            continue;
        if (!trouble->is_seen) {
            if (trouble->is_told)
                tell_rules(daemon, OC_ALERT_EVENT_HEALTHY, trouble->text);
            *trouble = (struct oc_alert_trouble){ 0 };
        }
        trouble->is_seen = 0;
    }
}

/* ---- what is looked at ---- */

static void look_at_store(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;
    struct oc_writer_stats stats;
    int64_t now_ms = oc_now_mono_ms();

    oc_writer_stats(daemon->writer, &stats);
    if (stats.degraded)
        note(daemon, "the store cannot be written", STORE_MS);
    if (stats.lost_samples != a->lost_samples)
        a->lost_mono_ms = now_ms;
    a->lost_samples = stats.lost_samples;
    if (a->lost_mono_ms != 0 && now_ms - a->lost_mono_ms < LOST_MS)
        note(daemon, "samples are lost", 0);
}

static void look_at_walks(struct oc_daemon *daemon)
{
    struct oc_walker_stats stats;

    if (!daemon->walker)
        return;
    oc_walker_stats(daemon->walker, &stats);
    if (stats.stuck_ms >= STUCK_MS)
        note(daemon, "a walk of a process is stuck", 0);
}

static void note_receiver(struct oc_daemon *daemon, const char *name)
{
    char text[120];

    (void)snprintf(text, sizeof(text), "the receiver %.64s fails", name);
    note(daemon, text, 0);
}

static int on_receiver(const struct oc_receiver_state *state, void *context)
{
    struct oc_daemon *daemon = context;

    if (state->failing_since_unix_ms > 0 &&
        oc_alerting_now_ms(daemon) - state->failing_since_unix_ms >= FAILING_MS)
        note_receiver(daemon, state->name);
    return 0;
}

static void look_at_receivers(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;
    struct oc_notifier_stats stats;

    oc_notifier_stats(a->notifier, &stats);
    if (stats.failing_since_mono_ms > 0 &&
        oc_now_mono_ms() - stats.failing_since_mono_ms >= FAILING_MS)
        note(daemon, "oomcast-notify does not run", 0);
    (void)oc_dispatch_each(a->dispatch, on_receiver, daemon);
    for (size_t i = 0; i < daemon->config.receivers.count; i++) {
        const char *name = daemon->config.receivers.items[i].name;
        int64_t since_ms = oc_alert_level_failing_since(daemon, name);

        if (since_ms > 0 && oc_now_mono_ms() - since_ms >= FAILING_MS)
            note_receiver(daemon, name);
    }
}

static void look_at_rules(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;
    struct oc_alerts_stats stats;
    int64_t now_ms = oc_now_mono_ms();

    oc_alerts_stats(a->rules, &stats);
    if (stats.refused != a->refused)
        a->refused_mono_ms = now_ms;
    a->refused = stats.refused;
    if (a->refused_mono_ms != 0 && now_ms - a->refused_mono_ms < SHORT_MS)
        note(daemon, "there is no room or memory for more alerts", 0);
}

/* ---- who is expected ---- */

/* What its subject is called while nobody has it: as far as the config's words say so, else the target's name. */
static void expected_subject(const struct oc_target *target, char out[OC_ALERT_SUBJECT_BYTES])
{
    static const struct {
        enum oc_selector selector;
        const char *prefix;
    } usual[] = { { OC_SELECT_UNIT, "unit:" },
                  { OC_SELECT_CONTAINER, "container:" },
                  { OC_SELECT_NAME, "proc:" } };

    if (target->subject && !strchr(target->subject, '{')) {
        (void)oc_text_copy(out, OC_ALERT_SUBJECT_BYTES, target->subject);
        return;
    }
    for (size_t i = 0; !target->subject && i < sizeof(usual) / sizeof(usual[0]); i++) {
        const struct oc_words *words = &target->words[usual[i].selector];

        if (words->count != 1 || strpbrk(words->items[0], "*?[\\"))
            continue;
        (void)snprintf(out, OC_ALERT_SUBJECT_BYTES, "%s%.600s", usual[i].prefix, words->items[0]);
        return;
    }
    (void)snprintf(out, OC_ALERT_SUBJECT_BYTES, "target:%.600s", target->name);
}

static void look_at_expected(struct oc_daemon *daemon)
{
    const struct oc_targets *targets = &daemon->config.targets;
    uint32_t counts[OC_TARGETS_MAX];
    char subject[OC_ALERT_SUBJECT_BYTES];
    int any = 0;

    for (size_t i = 0; i < targets->count; i++)
        any |= targets->items[i].expected;
    if (!any || !daemon->discovery.listed || daemon->sources.beginning > 0 ||
        daemon->discovery.at < daemon->discovery.count)
        return;
    oc_matching_count(daemon, counts);
    for (size_t i = 0; i < targets->count; i++) {
        int is_there = counts[i] > 0 || daemon->alerting.rests[i];
        struct oc_alert_event event = { .kind = is_there ? OC_ALERT_EVENT_PRESENT
                                                         : OC_ALERT_EVENT_MISSING };
        uint32_t handle = 0;

        if (!targets->items[i].expected)
            continue;
        expected_subject(&targets->items[i], subject);
        handle = oc_alerts_subject(daemon->alerting.rules, subject, OC_SOURCE_PROCESS);
        if (handle != OC_ALERT_NO_SUBJECT)
            oc_alerts_event(daemon->alerting.rules, handle, &event, oc_alerting_now_ms(daemon));
    }
}

/* ---- rounds ---- */

void oc_alert_self_round(struct oc_daemon *daemon)
{
    struct oc_alerting *a = &daemon->alerting;
    int64_t now_ms = oc_now_mono_ms();

    if (now_ms < a->self_due_mono_ms)
        return;
    a->self_due_mono_ms = now_ms + LOOK_MS;
    look_at_store(daemon);
    look_at_walks(daemon);
    look_at_receivers(daemon);
    look_at_rules(daemon);
    end_unseen(daemon);
    look_at_expected(daemon);
    if (now_ms < a->forget_due_mono_ms)
        return;
    a->forget_due_mono_ms = now_ms + FORGET_EVERY_MS;
    oc_alerting_forget_old(daemon);
}
