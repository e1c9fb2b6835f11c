/* The keys of rules, receivers and windows. */
#include "config/section.h"

#include "base/rule.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define KEYS(rows) .keys = (rows), .key_count = sizeof(rows) / sizeof((rows)[0])

/* ---- rules ---- */

#define R(member) offsetof(struct oc_rule, member)
#define R_SIZE(member) (int64_t)sizeof(((struct oc_rule *)0)->member)
#define FORECAST (1u << OC_RULE_FORECAST)
#define THRESHOLD (1u << OC_RULE_THRESHOLD)
#define GROWTH (1u << OC_RULE_GROWTH)
#define FAMILY (1u << OC_RULE_FAMILY)
#define LOOP (1u << OC_RULE_RESTART_LOOP)
#define BOUNDED (THRESHOLD | GROWTH | FAMILY)

static const struct oc_section_key rule_keys[] = {
    { "name", OC_SECTION_NAME, 0, ~0u, R(name), 0, OC_RULE_NAME_BYTES, 0, "\"TooManyThreads\"",
      "What the alert is called (its label `alertname`): letters, digits and '_'. The name of a "
      "default rule takes that one's place, and begins with its values." },
    { "kind", OC_SECTION_KIND, 0, 0, R(kind), 0, 0, 0, "\"threshold\"",
      "What it looks for. Only a rule with the name of a default one may leave it out." },
    { "severity", OC_SECTION_SEVERITY, 0, 0, R(severity), 0, 0, "warning", "\"critical\"",
      "\"warning\" or \"critical\". Two rules may have one name where this differs; the critical "
      "one keeps the other quiet." },
    { "enabled", OC_SECTION_OFF, 0, 0, R(is_off), 0, 0, "true", "false",
      "false switches the default rules of this name off." },
    { "subjects", OC_SECTION_GLOBS, 0, 0, R(subjects), 0, 0, 0, "[\"unit:shop*\", \"java:*\"]",
      "Globs of the subjects it is for, with or without what stands before the colon; none: all." },
    { "labels", OC_SECTION_MATCHERS, 0, 0, R(labels), 0, 0, 0, "[\"env=prod\"]",
      "\"key=glob\" of the subjects' labels: all must match." },
    { "metric", OC_SECTION_METRIC, THRESHOLD | GROWTH, THRESHOLD, R(metric), 0, 0, 0,
      "\"thread_count\"",
      "The metric, as `oomcast metrics` has it. growth: without it whatever "
      "the forecasts are of, in bytes." },
    { "below", OC_SECTION_FLAG, THRESHOLD, 0, R(is_below), 0, 0, "false", "true",
      "The condition is that the metric is at or below enter, not above." },
    { "enter", OC_SECTION_BOUND, BOUNDED, BOUNDED, R(enter), 0, 0, 0, "500",
      "The bound: a size for bytes, else a number. growth, family_growth: by the hour." },
    { "clear", OC_SECTION_BOUND, BOUNDED, 0, R(clear), 0, 0, 0, "400",
      "Where the condition is over, below enter (with below: above it), so that a value near the "
      "bound is not told again and again; without it, as enter." },
    { "families", OC_SECTION_GLOBS, FAMILY, 0, R(families), 0, 0, 0, "\"qrt-*\"",
      "Globs of the families' names; none: all." },
    { "horizon", OC_SECTION_DURATION, FORECAST, 0, R(horizon_ms), MINUTE, 365 * DAY, 0, "\"24h\"",
      "How far ahead: it fires where a limit is likely met within. It is over when that is "
      "unlikely within 1.5 times of it." },
    { "chance", OC_SECTION_SHARE, FORECAST, 0, R(chance), 0, 0, 0, "0.5",
      "How likely: above 0, at most 1." },
    { "count", OC_SECTION_COUNT, LOOP, 0, R(count), 2, 1000, 0, "5",
      "So many lives must end within window." },
    { "window", OC_SECTION_DURATION, LOOP | GROWTH | FAMILY, 0, R(window_ms), MINUTE, 30 * DAY, 0,
      "\"1h\"", "The time in which lives are counted, or over which growth is taken." },
    { "for", OC_SECTION_DURATION, 0, 0, R(for_ms), 0, 7 * DAY, 0, "\"5m\"",
      "The condition must hold so long before the alert fires." },
    { "keep", OC_SECTION_DURATION, 0, 0, R(keep_ms), 0, 7 * DAY, 0, "\"5m\"",
      "It must be over so long before the alert resolves." },
    { "renotify", OC_SECTION_DURATION, 0, 0, R(renotify_ms), MINUTE, 30 * DAY, 0, "\"12h\"",
      "In place of the common one." },
    { "runbook_url", OC_SECTION_LINK, 0, 0, R(runbook_url), 0, R_SIZE(runbook_url), 0,
      "\"https://wiki.example.org/memory\"", "A page that tells what to do; it is sent along." },
};

static const char *const rule_mistakes[][2] = {
    { "type", "kind" },
    { "alert", "name" },
    { "alertname", "name" },
    { "threshold", "enter" },
    { "above", "enter" },
    { "value", "enter" },
    { "max", "enter" },
    { "duration", "for" },
    { "within", "horizon" },
    { "probability", "chance" },
    { "subject", "subjects" },
    { "label", "labels" },
    { "family", "families" },
    { "runbook", "runbook_url" },
    { "repeat", "renotify" },
    { "disabled", "enabled" },
    { NULL, NULL },
};

static const struct oc_section rules = {
    .key = "rules",
    .one = "rule",
    .kind_key = "kind",
    .kind_name = oc_rule_kind_name,
    .kind_of = oc_rule_kind_of,
    .kind_count = OC_RULE_KINDS,
    .kind_offset = R(kind),
    .max_items = OC_RULES_MAX,
    .mistakes = rule_mistakes,
    KEYS(rule_keys),
    .text = "A rule says when an alert fires. The default rules are in force without any config: "
            "MemoryLimitForecast (warning within 24 h, critical within 4 h), MemoryExhausted, "
            "OutOfMemoryKill, RestartLoop, SubjectMissing, OomcastDegraded, HeapCapAboveLimit and "
            "NoMemoryLimit. Rules stand beside them; one with a default's name takes its place. "
            "Rules of a drop-in take the place of those of the same name and severity.",
};

/* ---- receivers ---- */

#define V(member) offsetof(struct oc_receiver, member)
#define V_SIZE(member) (int64_t)sizeof(((struct oc_receiver *)0)->member)
#define WEBHOOK (1u << OC_RECEIVER_WEBHOOK)
#define ALERTMANAGER (1u << OC_RECEIVER_ALERTMANAGER)
#define SLACK (1u << OC_RECEIVER_SLACK)
#define TEAMS (1u << OC_RECEIVER_TEAMS)
#define EMAIL (1u << OC_RECEIVER_EMAIL)
#define JOURNAL (1u << OC_RECEIVER_JOURNAL)
#define HOOK (1u << OC_RECEIVER_HOOK)
#define HEARTBEAT (1u << OC_RECEIVER_HEARTBEAT)
#define HTTP (WEBHOOK | ALERTMANAGER | SLACK | TEAMS | HEARTBEAT)
#define TOLD (WEBHOOK | ALERTMANAGER | SLACK | TEAMS | EMAIL | JOURNAL | HOOK)

static const struct oc_section_key receiver_keys[] = {
    { "name", OC_SECTION_NAME, 0, ~0u, V(name), 0, OC_RULE_NAME_BYTES, 0, "\"ops\"",
      "What the receiver is called in messages and in `oomcast alerts test`." },
    { "type", OC_SECTION_KIND, 0, ~0u, V(type), 0, 0, 0, "\"slack\"", "Where it sends to." },
    { "url", OC_SECTION_URL, HTTP | EMAIL, 0, V(urls), 0, 0, 0,
      "{ \"from_file\": \"/etc/oomcast/ops.url\" }",
      "Where: https:// or http://, of email smtp://host:587 or smtps://host:465. Slack's and "
      "Teams' URLs are secrets: better from a file." },
    { "urls", OC_SECTION_URLS, ALERTMANAGER, 0, V(urls), 0, 8, 0,
      "[\"http://am-1:9093\", \"http://am-2:9093\"]",
      "Each peer of a cluster, in place of url: all of them are told." },
    { "argv", OC_SECTION_ARGV, HOOK, HOOK, V(argv), 0, 64, 0, "[\"/etc/oomcast/hooks/capture\"]",
      "The program, by its whole path, and its arguments; no shell. It gets the alerts as JSON on "
      "standard input and OOMCAST_ variables. It is refused where it, its folder or the config "
      "could be written by others." },
    { "from", OC_SECTION_ADDRESS, EMAIL, EMAIL, V(from), 0, V_SIZE(from), 0,
      "\"oomcast@example.org\"", "Sender's address." },
    { "to", OC_SECTION_ADDRESSES, EMAIL, EMAIL, V(to), 0, 64, 0, "[\"ops@example.org\"]",
      "Addresses." },
    { "user", OC_SECTION_TEXT, EMAIL, 0, V(user), 0, V_SIZE(user), 0, "\"oomcast\"",
      "Name at the mail server." },
    { "password", OC_SECTION_SECRET, EMAIL, 0, V(secret), 0, 0, 0,
      "{ \"from_file\": \"/etc/oomcast/smtp.password\" }", "And its password." },
    { "starttls", OC_SECTION_FLAG, EMAIL, 0, V(starttls), 0, 0, "true", "false",
      "Send only once the connection is encrypted; false: also in clear." },
    { "bearer", OC_SECTION_BEARER, WEBHOOK | ALERTMANAGER | HEARTBEAT, 0, V(secret), 0, 0, 0,
      "{ \"from_file\": \"/etc/oomcast/ops.token\" }", "Token of an Authorization header." },
    { "basic", OC_SECTION_BASIC, WEBHOOK | ALERTMANAGER | HEARTBEAT, 0, V(secret), 0, 0, 0,
      "{ \"user\": \"oomcast\", \"password\": { \"from_file\": \"/etc/oomcast/ops.password\" } }",
      "User and password of basic authentication." },
    { "header", OC_SECTION_HEADER, WEBHOOK | ALERTMANAGER | HEARTBEAT, 0, V(secret), 0, 0, 0,
      "{ \"name\": \"X-Api-Key\", \"value\": { \"from_file\": \"/etc/oomcast/ops.key\" } }",
      "A header of its own. One of bearer, basic and header." },
    { "signing_secrets", OC_SECTION_SIGNING, WEBHOOK, 0, V(signing), 0, 4, 0,
      "[{ \"from_file\": \"/etc/oomcast/ops.signing\" }]",
      "Signs messages as Standard Webhooks has it: \"whsec_\" and 24 to 64 bytes in base64. Of "
      "several each signs, so that they can be rotated." },
    { "ca_file", OC_SECTION_PATH, HTTP | EMAIL, 0, V(ca_file), 0, V_SIZE(ca_file), 0,
      "\"/etc/oomcast/ca.pem\"", "Certificates to trust in place of the system's." },
    { "proxy", OC_SECTION_PROXY, HTTP | EMAIL, 0, V(proxy), 0, V_SIZE(proxy), 0,
      "\"http://proxy:3128\"", "A proxy: http://, https:// or socks5h://." },
    { "timeout", OC_SECTION_DURATION, TOLD | HEARTBEAT, 0, V(timeout_ms), SECOND, 5 * MINUTE, "10s",
      "\"20s\"", "Of one attempt, the hook's run too." },
    { "interval", OC_SECTION_DURATION, HEARTBEAT | HOOK | ALERTMANAGER, 0, V(interval_ms), 0, DAY,
      0, "\"5m\"",
      "heartbeat: time between two requests (5m). alertmanager: between two posts of all that "
      "fires "
      "(1m). hook: least time between two runs (0)." },
    { "min_severity", OC_SECTION_SEVERITY, TOLD, 0, V(min_severity), 0, 0, "warning",
      "\"critical\"", "What it is told: this and worse." },
    { "subjects", OC_SECTION_GLOBS, TOLD, 0, V(subjects), 0, 0, 0, "[\"unit:shop*\"]",
      "Only alerts of these subjects, as in a rule; none: all." },
    { "labels", OC_SECTION_MATCHERS, TOLD, 0, V(labels), 0, 0, 0, "[\"team=shop\"]",
      "Only alerts with these labels, \"key=glob\"; all must match." },
    { "rules", OC_SECTION_GLOBS, TOLD, 0, V(rules), 0, 0, 0, "[\"Memory*\"]",
      "Only alerts of these rules, by globs of their names; none: all." },
    { "send_resolved", OC_SECTION_FLAG, TOLD, 0, V(send_resolved), 0, 0, "true", "false",
      "It is told the end of an alert too." },
    { "max_per_hour", OC_SECTION_COUNT, TOLD & ~ALERTMANAGER, 0, V(max_per_hour), 0, 100000, "20",
      "60", "Messages an hour; the rest comes as a digest. 0: no bound." },
};

static const char *const receiver_mistakes[][2] = {
    { "kind", "type" },
    { "webhook_url", "url" },
    { "api_url", "url" },
    { "address", "url" },
    { "endpoint", "url" },
    { "host", "url" },
    { "smarthost", "url" },
    { "token", "bearer" },
    { "bearer_token", "bearer" },
    { "basic_auth", "basic" },
    { "headers", "header" },
    { "username", "user" },
    { "password_file", "password" },
    { "secret", "signing_secrets" },
    { "signing_secret", "signing_secrets" },
    { "command", "argv" },
    { "cmd", "argv" },
    { "program", "argv" },
    { "email", "to" },
    { "recipients", "to" },
    { "sender", "from" },
    { "severity", "min_severity" },
    { "subject", "subjects" },
    { "label", "labels" },
    { "rule", "rules" },
    { "resolved", "send_resolved" },
    { "rate_limit", "max_per_hour" },
    { "ca", "ca_file" },
    { NULL, NULL },
};

static const struct oc_section receivers = {
    .key = "receivers",
    .one = "receiver",
    .kind_key = "type",
    .kind_name = oc_receiver_type_name,
    .kind_of = oc_receiver_type_of,
    .kind_count = OC_RECEIVER_TYPES,
    .kind_offset = V(type),
    .max_items = OC_RECEIVERS_MAX,
    .mistakes = receiver_mistakes,
    KEYS(receiver_keys),
    .text = "A receiver is where alerts go. With none, they stand in `oomcast alerts` and in the "
            "daemon's log alone. Types: webhook (the JSON of Alertmanager's webhook), alertmanager "
            "(its API v2), slack, teams (a Workflow's webhook), email, journal (systemd's, with "
            "fields), hook (a program), heartbeat (a GET every interval, so that a daemon that "
            "died is noticed elsewhere). Secrets belong into files of their own: { \"from_file\": "
            "PATH }. A receiver of a drop-in takes the place of one of the same name.",
};

/* ---- windows ---- */

#define W(member) offsetof(struct oc_window, member)

static const char *const window_mistakes[][2] = {
    { "begin", "from" },    { "start", "from" },       { "end", "to" },    { "until", "to" },
    { "weekdays", "days" }, { "subject", "subjects" }, { "time", "from" }, { NULL, NULL },
};
static const char *const restart_mistakes[][2] = {
    { "from", "at" },       { "time", "at" },          { "start", "at" }, { "begin", "at" },
    { "weekdays", "days" }, { "subject", "subjects" }, { NULL, NULL },
};

static const struct oc_section_key maintenance_keys[] = {
    { "name", OC_SECTION_NAME, 0, ~0u, W(name), 0, OC_RULE_NAME_BYTES, 0, "\"patching\"",
      "What it is called in `oomcast alerts log`." },
    { "from", OC_SECTION_TIME, 0, ~0u, W(begin_minute), 0, 0, 0, "\"02:00\"",
      "When it begins, by local time." },
    { "to", OC_SECTION_UNTIL, 0, ~0u, W(duration_ms), 0, 0, 0, "\"04:30\"",
      "When it ends; at or before from: on the next day. \"24:00\" is midnight." },
    { "days", OC_SECTION_DAYS, 0, 0, W(days), 0, 0, 0, "[\"sat\", \"sun\"]",
      "The days on which it begins, \"mon\" to \"sun\"; none: each." },
    { "subjects", OC_SECTION_GLOBS, 0, 0, W(subjects), 0, 0, 0, "\"unit:shop*\"",
      "Globs of subjects; none: all." },
};

static const struct oc_section maintenance = {
    .key = "maintenance",
    .one = "maintenance window",
    .max_items = OC_WINDOWS_MAX,
    .mistakes = window_mistakes,
    KEYS(maintenance_keys),
    .text = "Times that come again, in which alerts are kept back. What still fires at the end is "
            "told then.",
};

static const struct oc_section_key restart_keys[] = {
    { "name", OC_SECTION_NAME, 0, ~0u, W(name), 0, OC_RULE_NAME_BYTES, 0, "\"nightly\"",
      "What it is called." },
    { "at", OC_SECTION_TIME, 0, ~0u, W(begin_minute), 0, 0, 0, "\"03:30\"",
      "When the subjects are restarted, by local time." },
    { "days", OC_SECTION_DAYS, 0, 0, W(days), 0, 0, 0, "\"sun\"",
      "The days, \"mon\" to \"sun\"; none: each." },
    { "subjects", OC_SECTION_GLOBS, 0, 0, W(subjects), 0, 0, 0, "\"java:*\"",
      "Globs of subjects; none: all." },
};

static const struct oc_section restarts = {
    .key = "restarts",
    .one = "restart",
    .max_items = OC_WINDOWS_MAX,
    .mistakes = restart_mistakes,
    KEYS(restart_keys),
    .text = "Planned restarts: a limit that will be met only behind the next one is shown, and no "
            "alert.",
};

const struct oc_section *oc_section_rules(void) { return &rules; }

const struct oc_section *oc_section_receivers(void) { return &receivers; }

const struct oc_section *oc_section_maintenance(void) { return &maintenance; }

const struct oc_section *oc_section_restarts(void) { return &restarts; }

const struct oc_section *const *oc_sections(void)
{
    static const struct oc_section *const all[] = { &rules, &receivers, &maintenance, &restarts,
                                                    NULL };

    return all;
}

int oc_section_knows(const struct oc_section_key *key, unsigned kind)
{
    return key->kinds == 0 || (key->kinds & (1u << kind)) != 0;
}
