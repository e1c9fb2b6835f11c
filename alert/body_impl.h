/* What the bodies share: clean text, cut text, an alert's facts. */
#ifndef OC_ALERT_BODY_IMPL_H
#define OC_ALERT_BODY_IMPL_H

#include "alert/body.h"

#define OC_BODY_MAX_BYTES (640u << 10) /* a line of the pipe holds it, with what JSON adds */

/* ---- text of others, made harmless for where it goes: body_escape.c ---- */

/*
 * One line: controls, line ends and marks that turn the direction of writing become blanks, what is not UTF-8 U+FFFD.
 * At most max_bytes, cut at a character's edge with "…".
 */
void oc_body_line(struct oc_buf *out, const char *text, size_t max_bytes);
/* The same of several lines: their ends stay. */
void oc_body_lines(struct oc_buf *out, const char *text, size_t max_bytes);
/*
 * Text through an escape, so that no more than max_bytes are appended; what was left out is said: "… (1,234 bytes more)".
 * NULL: as it is.
 */
typedef void oc_body_escape_fn(struct oc_buf *out, const char *text);
void oc_body_cut(struct oc_buf *out, const char *text, size_t max_bytes, oc_body_escape_fn *escape);

/* ---- JSON ---- */
void oc_body_json_member(struct oc_buf *out, const char *key, const char *text, int is_first);

/* ---- an alert's facts: body_words.c ---- */
int oc_body_is_firing(const struct oc_alert *alert);
/* "firing", "resolved", "died". Borrowed for ever. */
const char *oc_body_outcome(const struct oc_alert *alert);
/* When it began to fire, or to be pending. */
int64_t oc_body_begin(const struct oc_alert *alert);
/* "memory.max of /system.slice/shop.service (2.0 GiB)"; nothing where there is no limit. */
void oc_body_limit(const struct oc_alert *alert, struct oc_buf *out);
/* A figure in the unit of what the alert is about: "1.9 GiB", "512". */
void oc_body_quantity(const struct oc_alert *alert, double value, struct oc_buf *out);
double oc_body_value(const struct oc_alert *alert); /* NAN: none */
double oc_body_bound(const struct oc_alert *alert);
/* The value of a label; "" where there is none. Borrowed. */
const char *oc_body_label(const struct oc_notice_alert *alert, const char *key);
/* Pairs of its labels, made of the alert where there are none. fn other than 0 ends it. */
typedef int oc_body_pair_fn(const char *name, const char *value, void *context);
void oc_body_each_label(const struct oc_notice *notice, const struct oc_notice_alert *alert,
                        oc_body_pair_fn *fn, void *context);

/* "oomcast db-1: critical: private bytes of … will meet …", "… and 41 more": one line. */
void oc_body_title(const struct oc_notice *notice, struct oc_buf *out);
/* "41 more fire, 3 ended; 2 earlier messages are folded into this one", …: what is not in it; nothing where that is nothing. */
void oc_body_remainder(const struct oc_notice *notice, size_t shown, struct oc_buf *out);
/* "Fires since 2026-11-23 17:00:05Z (12 min)": times of an alert. */
void oc_body_times(const struct oc_alert *alert, int64_t now_unix_ms, struct oc_buf *out);
/* An alert in lines: headline, times, explanation, what to do. full: with the last two. */
void oc_body_alert_text(const struct oc_notice_alert *alert, int64_t now_unix_ms, int full,
                        struct oc_buf *out);

/* ---- one function a kind ---- */
typedef int oc_body_write_fn(const struct oc_notice *notice, int64_t now_unix_ms,
                             struct oc_body *out);
oc_body_write_fn oc_body_webhook, oc_body_slack, oc_body_teams, oc_body_email, oc_body_journal,
    oc_body_hook;
/* The alert as Alertmanager has it, shared by webhook v4 and its API v2 (which has no status and no fingerprint). */
enum oc_body_dialect { OC_BODY_WEBHOOK, OC_BODY_API };
void oc_body_alertmanager(const struct oc_notice *notice, const struct oc_notice_alert *alert,
                          int64_t ends_unix_ms, enum oc_body_dialect dialect, struct oc_buf *out);
/* The notice as text in lines, with so many alerts in full. */
void oc_body_text(const struct oc_notice *notice, int64_t now_unix_ms, size_t full,
                  struct oc_buf *out);
/* Adds a pair to fields; the value as one line. */
void oc_body_field(struct oc_body *body, const char *name, const char *value);
/* Names and values of an alert for the journal and hooks: SUBJECT, RULE … behind a prefix. */
void oc_body_alert_fields(const struct oc_notice *notice, const char *prefix, struct oc_body *out);

#endif
