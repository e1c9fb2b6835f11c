/* Explanations: asked for as an alert begins or its subject dies, kept for the notices that tell of it. */
#include "daemon/alert.h"

#include "daemon/daemon.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

#define FRESH_MS 600000 /* one that is older is asked for again with the next notice */

static struct oc_alert_known_why *find(struct oc_alerting *a, uint64_t fingerprint)
{
    for (size_t i = 0; i < OC_ALERT_WHYS_MAX; i++) {
        if (a->whys[i].fingerprint == fingerprint)
            return &a->whys[i];
    }
    return NULL;
}

static void empty(struct oc_alert_known_why *why)
{
    oc_free(why->text);
    oc_free(why->then);
    oc_free(why->end);
    *why = (struct oc_alert_known_why){ 0 };
}

/* A place for one: of no free one, that which was asked for longest ago. */
static struct oc_alert_known_why *place(struct oc_alerting *a, uint64_t fingerprint)
{
    struct oc_alert_known_why *why = find(a, fingerprint);

    if (!why)
        why = find(a, 0);
    for (size_t i = 0; !why && i < OC_ALERT_WHYS_MAX; i++) {
        if (i == 0 || a->whys[i].asked_ms < why->asked_ms)
            why = &a->whys[i];
    }
    return why;
}

/* What is about no process or cgroup has nothing to be explained by. */
static int is_explained(const struct oc_alert *alert)
{
    return alert->kind != OC_RULE_DEGRADED && alert->kind != OC_RULE_MISSING;
}

static void ask(struct oc_daemon *daemon, const struct oc_alert *alert, int is_over)
{
    struct oc_alerting *a = &daemon->alerting;
    struct oc_alert_known_why *why = NULL;
    struct oc_explain_question question = { .fingerprint = alert->fingerprint,
                                            .episode = alert->episode,
                                            .source = alert->source,
                                            .pid = alert->pid,
                                            .is_over = (uint8_t)is_over };

    if (!a->explainer || !is_explained(alert))
        return;
    (void)oc_text_copy(question.subject, sizeof(question.subject), alert->subject);
    if (oc_explainer_ask(a->explainer, &question) < 0)
        return; /* many at once: the notice goes without */
    why = place(a, alert->fingerprint);
    if (why->fingerprint != alert->fingerprint || why->episode != alert->episode)
        empty(why);
    why->fingerprint = alert->fingerprint;
    why->episode = alert->episode;
    why->asked_ms = oc_alerting_now_ms(daemon);
    if (is_over && !why->end && (why->end = oc_malloc(sizeof(*why->end))) != NULL)
        *why->end = *alert;
}

void oc_alerting_ask_why(struct oc_daemon *daemon, const struct oc_alert *alert)
{
    struct oc_alert_known_why *why = NULL;
    int64_t now_ms = oc_alerting_now_ms(daemon);

    if (alert->state == OC_ALERT_DIED) {
        ask(daemon, alert, 1);
        return;
    }
    if (alert->state == OC_ALERT_RESOLVED || alert->state == OC_ALERT_INACTIVE) {
        why = find(&daemon->alerting, alert->fingerprint);
        if (why && alert->fingerprint != 0)
            empty(why);
        return;
    }
    if (alert->state != OC_ALERT_FIRING)
        return;
    why = find(&daemon->alerting, alert->fingerprint);
    if (!why || why->episode != alert->episode || now_ms - why->asked_ms > FRESH_MS)
        ask(daemon, alert, 0);
}

/* The notice that waits is written anew, with the reason. One that went without stays as it is. */
static void tell_with_why(struct oc_daemon *daemon, const struct oc_alert_known_why *why)
{
    const struct oc_alert *alert =
        why->is_over ? why->end
                     : oc_alerts_by_fingerprint(daemon->alerting.rules, why->fingerprint);

    if (!alert || alert->episode != why->episode ||
        (!why->is_over && alert->state != OC_ALERT_FIRING))
        return;
    (void)oc_alerting_tell(daemon, alert);
    oc_alerting_want_turn(daemon);
}

void oc_alerting_take_whys(void *context)
{
    struct oc_daemon *daemon = context;
    struct oc_alerting *a = &daemon->alerting;
    struct oc_explain_answer *answer = NULL;

    while (a->explainer && (answer = oc_explainer_take(a->explainer)) != NULL) {
        struct oc_alert_known_why *why = find(a, answer->fingerprint);

        if (why && why->episode == answer->episode && answer->text) {
            oc_free(why->text);
            oc_free(why->then);
            why->text = answer->text;
            why->then = answer->then;
            why->is_over = answer->is_over;
            why->known_ms = oc_alerting_now_ms(daemon);
            answer->text = NULL;
            answer->then = NULL;
            tell_with_why(daemon, why);
        }
        oc_explain_answer_free(answer);
    }
}

const struct oc_alert_known_why *oc_alerting_why(const struct oc_daemon *daemon,
                                                 const struct oc_alert *alert)
{
    for (size_t i = 0; i < OC_ALERT_WHYS_MAX; i++) {
        const struct oc_alert_known_why *why = &daemon->alerting.whys[i];

        if (why->fingerprint == alert->fingerprint && why->episode == alert->episode)
            return why;
    }
    return NULL;
}

void oc_alerting_free_whys(struct oc_alerting *a)
{
    for (size_t i = 0; i < OC_ALERT_WHYS_MAX; i++)
        empty(&a->whys[i]);
}
