/*
 * What a receiver is sent: a notice as the body of its kind. What processes, labels and people named is
 * escaped for where it goes (JSON, HTML mail, Slack, Markdown, the journal). Pure.
 *
 * body_webhook.c  Alertmanager's webhook v4: version "4", groupKey, truncatedAlerts, status, receiver, groupLabels,
 *                 commonLabels, commonAnnotations, externalURL, alerts[]: status, labels, annotations, startsAt, endsAt
 *                 (0001-01-01T00:00:00Z while firing), generatorURL, fingerprint (16 hex digits)
 * body_level.c    Alertmanager API v2 POST /api/v2/alerts: labels, annotations, startsAt, endsAt, generatorURL
 * body_slack.c body_teams.c body_email.c body_journal.c body_hook.c body_text.c
 */
#ifndef OC_ALERT_BODY_H
#define OC_ALERT_BODY_H

#include "alert/notice.h"
#include "base/buf.h"
#include "base/rule.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A body, and pairs of name and value beside it. EMAIL: the text is a multipart; fields are Subject, Message-ID,
 * In-Reply-To, References (the notifier adds From, To, Date and the types). JOURNAL: the text is MESSAGE, fields
 * are PRIORITY, MESSAGE_ID and OOMCAST_…; HOOK: the text is the webhook's JSON for standard input, fields are
 * variables. OOMCAST_… are of the notice's first alert: ID INSTANCE COUNT SUBJECT RULE KIND SEVERITY STATUS (firing,
 * resolved, died) FINGERPRINT PID METRIC VALUE BOUND LIMIT LIMIT_OF GROWTH_PER_HOUR P10_SECONDS P50_SECONDS P90_SECONDS
 * CHANCE SUMMARY RUNBOOK_URL, TEST=1; figures without units, what is unknown absent. Values are one line each.
 */
struct oc_body {
    struct oc_buf text;       /* the body */
    const char *content_type; /* borrowed for ever; NULL: none */
    struct oc_buf fields; /* NAME NUL value NUL … */
};
void oc_body_init(struct oc_body *body);
void oc_body_clear(struct oc_body *body);

/* 0, OC_E_NOMEM, OC_E_TOOBIG, OC_E_NOTSUP (HEARTBEAT and ALERTMANAGER have none of a notice). now: for ages. */
int oc_body_write(unsigned receiver_type, const struct oc_notice *notice, int64_t now_unix_ms,
                  struct oc_body *out_body);

/* Alertmanager v2: firing ones with endsAt = now + 4 min, ended ones with their end. alerts as in a notice. */
int oc_body_write_level(const struct oc_notice_alert *alerts, size_t count, int64_t now_unix_ms,
                        struct oc_buf *out_json);

/* A made alert that looks like a real one, for `alerts test`. 0 or OC_E_NOMEM. */
int oc_notice_sample(const char *instance, const char *receiver, int64_t now_unix_ms,
                     struct oc_notice *out_notice);

/* ---- words that all share ---- */

/* "private bytes of unit:shop.service will meet memory.max of /system.slice/shop.service in 3 h (2 h - 5 h)": one line. */
void oc_alert_headline(const struct oc_alert *alert, struct oc_buf *out);
/* Annotations: pairs name NUL value NUL: summary, description, limit, limit_kind, pid, value, bound, growth_per_hour, p10, p50, p90
 * (durations), expected_at (RFC 3339), since, chance, explanation, next, runbook_url. What is unknown is absent. */
void oc_alert_annotations(const struct oc_notice_alert *alert, struct oc_buf *out);
/* RFC 3339 in UTC with milliseconds. */
void oc_alert_time(int64_t unix_ms, struct oc_buf *out);
void oc_escape_html(struct oc_buf *out, const char *text);
void oc_escape_slack(struct oc_buf *out, const char *text);    /* & < > and mentions */
void oc_escape_markdown(struct oc_buf *out, const char *text); /* of Adaptive Cards */

#endif
