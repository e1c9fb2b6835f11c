/* What is no error, and hardly meant: rules that match nothing, receivers that nothing reaches, secrets in clear. */
#include "config/section.h"

#include "base/os.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct warner {
    const struct oc_config *config;
    oc_config_warning_fn *fn;
    void *context;
    int count;
};

#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
static void
warn(struct warner *w, const char *file, uint32_t line, const char *format, ...)
{
    struct oc_config_warning warning = { .file = file, .line = line };
    va_list args;

    va_start(args, format);
    (void)vsnprintf(warning.text, sizeof(warning.text), format, args);
    va_end(args);
    w->count++;
    w->fn(&warning, w->context);
}

/* ---- labels ---- */

/* What a rule, a receiver or a window is for. */
struct wanted {
    const struct oc_strings *subjects, *labels;
    int is_of_alerts; /* labels are the alert's: those that all have among them; else the subject's alone */
};

/* Labels that each alert has beside the subject's own. */
static int is_of_alerts(const char *key, size_t len)
{
    static const char *const keys[] = { "alertname", "severity", "instance", "subject" };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strlen(keys[i]) == len && memcmp(keys[i], key, len) == 0)
            return 1;
    }
    return 0;
}

static int has_label(const char *matcher, const struct oc_labels *labels, int is_of_alert)
{
    size_t len = strcspn(matcher, "=");

    if (is_of_alert && is_of_alerts(matcher, len))
        return 1;
    for (size_t i = 0; i < labels->count; i++) {
        if (strlen(labels->items[i].key) == len && memcmp(labels->items[i].key, matcher, len) == 0)
            return oc_text_glob(matcher + len + 1, labels->items[i].value);
    }
    return 0;
}

static int has_labels(const struct wanted *wanted, const struct oc_labels *labels)
{
    for (size_t i = 0; i < wanted->labels->count; i++) {
        if (!has_label(wanted->labels->items[i], labels, wanted->is_of_alerts))
            return 0;
    }
    return 1;
}

/* ---- what subjects there could be ---- */

/* As oc_subject_is_meant(): a glob without a colon is for what stands behind one too. */
static int word_meets(const char *word, const char *pattern, int is_template)
{
    char longer[2200];
    int (*meets)(const char *, const char *) =
        is_template ? oc_config_glob_meets_template : oc_config_globs_meet;

    if (meets(word, pattern))
        return 1;
    if (strchr(word, ':'))
        return 0;
    (void)snprintf(longer, sizeof(longer), "*:%s", word);
    return meets(longer, pattern);
}

/* Names that a target's processes have without a template: see oc_target_subject(). */
static int meets_default(const char *word, const struct oc_target *target)
{
    const struct oc_words *units = &target->words[OC_SELECT_UNIT];
    int has_unit = (target->selectors & (1u << OC_SELECT_UNIT)) != 0;

    if ((target->selectors & OC_SELECTS_POD) && word_meets(word, "k8s:*", 0))
        return 1;
    if (target->selectors & OC_SELECTS_WINDOWS)
        return word_meets(word, "pool:*", 0) || word_meets(word, "service:*", 0);
    if (target->selectors & OC_SELECTS_CONTAINER)
        return word_meets(word, "container:*", 0);
    for (size_t i = 0; has_unit && i < units->count; i++) {
        char pattern[1100];

        (void)snprintf(pattern, sizeof(pattern), "unit:%s", units->items[i]);
        if (word_meets(word, pattern, 0))
            return 1;
    }
    return !has_unit && word_meets(word, "proc:*", 0);
}

static int target_meets(const char *word, const struct oc_target *target)
{
    if (target->ignore || target->source == OC_TARGET_HOST)
        return 0;
    return target->subject ? word_meets(word, target->subject, 1) : meets_default(word, target);
}

/* Whether any subject could have the name, and the labels; the host, the daemon and cgroups are always there. */
static int can_be(const struct oc_config *config, const char *word, const struct wanted *wanted)
{
    static const char *const always[] = { "host", "oomcastd", "cgroup:*" };

    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
        if (word_meets(word, always[i], 0) && has_labels(wanted, &config->labels))
            return 1;
    }
    for (size_t i = 0; i < config->targets.count; i++) {
        const struct oc_target *target = &config->targets.items[i];

        if (has_labels(wanted, &target->labels) &&
            (target->source == OC_TARGET_HOST ? word_meets(word, "host", 0)
                                              : target_meets(word, target)))
            return 1;
    }
    return config->targets.count == 0 && has_labels(wanted, &config->labels) &&
           word_meets(word, "proc:*", 0);
}

static int any_can_be(const struct oc_config *config, const struct wanted *wanted)
{
    for (size_t i = 0; i < wanted->subjects->count; i++) {
        if (can_be(config, wanted->subjects->items[i], wanted))
            return 1;
    }
    return wanted->subjects->count == 0 && can_be(config, "*", wanted);
}

/* ---- rules ---- */

static void check_rule(struct warner *w, const struct oc_rule *rule)
{
    const struct wanted wanted = { &rule->subjects, &rule->labels, 0 };
    int expects = 0;

    if (!any_can_be(w->config, &wanted)) {
        warn(w, rule->file, rule->line,
             "the rule %.63s can never match: no target gives a subject of that name%s", rule->name,
             rule->labels.count > 0 ? " and those labels" : "");
        return;
    }
    for (size_t i = 0; i < w->config->targets.count; i++)
        expects |= w->config->targets.items[i].expected;
    if (rule->kind == OC_RULE_MISSING && !expects)
        warn(w, rule->file, rule->line,
             "the rule %.63s can never match: no target is \"expected\": true", rule->name);
}

static void check_rules(struct warner *w)
{
    const struct oc_rules *rules = &w->config->rules;
    const struct oc_rule *first = NULL;

    for (size_t i = 0; i < rules->count; i++) {
        if (rules->items[i].is_builtin || rules->items[i].is_off)
            continue;
        check_rule(w, &rules->items[i]);
        first = first ? first : &rules->items[i];
    }
    for (size_t i = 0; i < w->config->receivers.count; i++) {
        if (w->config->receivers.items[i].type != OC_RECEIVER_HEARTBEAT)
            return;
    }
    if (first)
        warn(w, first->file, first->line,
             "there are rules and no receiver: alerts stand in `oomcast alerts` and in the "
             "daemon's log alone");
}

/* ---- receivers ---- */

static int takes_rule(const struct oc_receiver *receiver, const struct oc_rule *rule)
{
    if (rule->is_off || rule->severity < receiver->min_severity)
        return 0;
    for (size_t i = 0; i < receiver->rules.count; i++) {
        if (oc_text_glob(receiver->rules.items[i], rule->name))
            return 1;
    }
    return receiver->rules.count == 0;
}

static void check_reach(struct warner *w, const struct oc_receiver *receiver)
{
    const struct wanted wanted = { &receiver->subjects, &receiver->labels, 1 };
    int is_reached = 0;

    for (size_t i = 0; i < w->config->rules.count; i++)
        is_reached |= takes_rule(receiver, &w->config->rules.items[i]);
    if (!is_reached)
        warn(w, receiver->file, receiver->line,
             "nothing reaches the receiver %.63s: no rule that is in force has such a name%s",
             receiver->name, receiver->min_severity > OC_SEVERITY_WARN ? " and that severity" : "");
    else if (!any_can_be(w->config, &wanted))
        warn(w, receiver->file, receiver->line,
             "nothing reaches the receiver %.63s: no target gives a subject of that name%s",
             receiver->name, receiver->labels.count > 0 ? " and those labels" : "");
}

static int is_clear(const struct oc_config *config, const char *text)
{
    return text && text[0] && !oc_config_secret(config, text);
}

/* A URL that is the only thing that a sender must know. */
static int is_secret_url(const struct oc_receiver *receiver, const char *text)
{
    struct oc_url url;

    if (receiver->type == OC_RECEIVER_SLACK || receiver->type == OC_RECEIVER_TEAMS)
        return 1;
    return !oc_config_url_split(text, oc_config_url_schemes(receiver->type), &url) && url.user > 0;
}

static void check_secrets(struct warner *w, const struct oc_receiver *receiver)
{
    const char *what = NULL;

    if (is_clear(w->config, receiver->secret))
        what = "password or token";
    for (size_t i = 0; i < receiver->signing.count; i++) {
        if (is_clear(w->config, receiver->signing.items[i]))
            what = "signing secret";
    }
    for (size_t i = 0; i < receiver->urls.count; i++) {
        if (is_clear(w->config, receiver->urls.items[i]) &&
            is_secret_url(receiver, receiver->urls.items[i]))
            what = "URL, which is a secret,";
    }
    if (what)
        warn(w, receiver->file, receiver->line,
             "the %s of the receiver %.63s stands in the config itself: { \"from_file\": "
             "\"/etc/oomcast/…\" } keeps it apart",
             what, receiver->name);
}

/* Whether what goes to the URL can be read on the way. */
static int is_open(const struct oc_receiver *receiver, const char *text)
{
    struct oc_url url;

    if (oc_config_url_split(text, oc_config_url_schemes(receiver->type), &url) ||
        oc_config_url_is_local(text, &url))
        return 0;
    if (receiver->type == OC_RECEIVER_EMAIL)
        return strncmp(text, "smtp://", 7) == 0 && !receiver->starttls;
    return strncmp(text, "http://", 7) == 0;
}

static void check_way(struct warner *w, const struct oc_receiver *receiver)
{
    for (size_t i = 0; i < receiver->urls.count; i++) {
        const char *text = receiver->urls.items[i];

        if (!is_open(receiver, text) || (!receiver->secret && !is_secret_url(receiver, text)))
            continue;
        warn(w, receiver->file, receiver->line,
             "the receiver %.63s sends its secret over the network in clear: %s", receiver->name,
             receiver->type == OC_RECEIVER_EMAIL ? "\"starttls\": true encrypts it"
                                                 : "https:// encrypts it");
        return;
    }
}

static void check_hook(struct warner *w, const struct oc_receiver *receiver)
{
    if (receiver->type == OC_RECEIVER_HOOK && !oc_file_exists(receiver->argv.items[0]))
        warn(w, receiver->file, receiver->line,
             "the program of the hook %.63s is not there: %.200s", receiver->name,
             receiver->argv.items[0]);
}

static void check_receivers(struct warner *w)
{
    for (size_t i = 0; i < w->config->receivers.count; i++) {
        const struct oc_receiver *receiver = &w->config->receivers.items[i];

        if (receiver->type != OC_RECEIVER_HEARTBEAT)
            check_reach(w, receiver);
        check_secrets(w, receiver);
        check_way(w, receiver);
        check_hook(w, receiver);
    }
}

/* ---- windows ---- */

static void check_windows(struct warner *w)
{
    static const struct oc_strings none = { NULL, 0 };

    for (size_t i = 0; i < w->config->windows.count; i++) {
        const struct oc_window *window = &w->config->windows.items[i];
        const struct wanted wanted = { &window->subjects, &none, 0 };

        if (!any_can_be(w->config, &wanted))
            warn(w, window->file, window->line,
                 "%.63s of \"%s\" can never match: no target gives a subject of that name",
                 window->name, window->is_restart ? "restarts" : "maintenance");
    }
}

/* ---- labels of alerts ---- */

static void check_labels(struct warner *w, const struct oc_labels *labels, const char *file,
                         uint32_t line)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (is_of_alerts(labels->items[i].key, strlen(labels->items[i].key)))
            warn(w, file, line,
                 "the label \"%.63s\" is one that each alert has of its own: alerts leave this "
                 "one out",
                 labels->items[i].key);
    }
}

static void check_all_labels(struct warner *w)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);
    const char *file = NULL;
    uint32_t line = 0;
    int before = w->count;

    for (size_t i = 0; i < count; i++) {
        if (options[i].type == OC_OPTION_LABELS)
            oc_config_origin(w->config, &options[i], &file, &line);
    }
    if (file)
        check_labels(w, &w->config->labels, file, line);
    for (size_t i = 0; i < w->config->targets.count && w->count == before; i++) {
        const struct oc_target *target = &w->config->targets.items[i];

        check_labels(w, &target->labels, target->file, target->line);
    }
}

int oc_config_warnings(const struct oc_config *config, oc_config_warning_fn *fn, void *context)
{
    struct warner w = { config, fn, context, 0 };

    check_rules(&w);
    check_receivers(&w);
    check_windows(&w);
    check_all_labels(&w);
    return w.count;
}
