/* "targets" and "labels": what they hold, and what is wrong with targets that could never match. */
#include "config/value.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_KEYS 40
#define MAX_WORD_BYTES 1024
#define MAX_NAME_BYTES 255 /* of a file */
#define MIN_ID_DIGITS 12
#define MAX_ID_DIGITS 64

/* What one target is loaded with. */
struct target_loader {
    struct oc_loader *l;
    struct oc_target *target;
    const struct oc_target_key *key;
};

static const struct oc_option *option_of(const char *key)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(options[i].key, key) == 0)
            return &options[i];
    }
    return NULL;
}

/* ---- labels ---- */

static int is_label_key(const char *key)
{
    size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

    return len > 0 && key[len] == '\0' && !(key[0] >= '0' && key[0] <= '9');
}

/* In its place by the order of keys, over one of the same key. OC_E_TOOBIG: there are enough. */
static int set_label(struct oc_labels *labels, const char *key, const char *value)
{
    size_t at = 0;

    while (at < labels->count && strcmp(labels->items[at].key, key) < 0)
        at++;
    if (at == labels->count || strcmp(labels->items[at].key, key) != 0) {
        if (labels->count == OC_LABELS_MAX)
            return OC_E_TOOBIG;
        memmove(&labels->items[at + 1], &labels->items[at],
                (labels->count - at) * sizeof(labels->items[0]));
        labels->count++;
    }
    (void)oc_text_copy(labels->items[at].key, sizeof(labels->items[at].key), key);
    (void)oc_text_copy(labels->items[at].value, sizeof(labels->items[at].value), value);
    return OC_OK;
}

int oc_config_load_labels(struct oc_loader *l, uint32_t node, const cJSON *value,
                          struct oc_labels *labels)
{
    const cJSON *item = NULL;

    if (!cJSON_IsObject(value))
        return oc_config_value_fail_type(l, node, "labels",
                                         "an object such as { \"team\": \"shop\" }", value);
    cJSON_ArrayForEach(item, value)
    {
        uint32_t child = oc_config_scan_member(&l->scan, node, item->string);
        const char *text = NULL;
        int rc = OC_OK;

        if (!is_label_key(item->string))
            return oc_config_value_fail(
                l, child, OC_E_INVAL,
                "the key of a label is letters, digits and '_', no digit first");
        rc = oc_config_value_text(l, item->string, OC_LABEL_VALUE_BYTES - 1, child, item, &text);
        if (rc < 0)
            return rc;
        if (set_label(labels, item->string, text) < 0)
            return oc_config_value_fail(l, child, OC_E_TOOBIG, "more than 32 labels");
    }
    return OC_OK;
}

int oc_config_load_finish(struct oc_config *config, struct oc_detail *detail)
{
    for (size_t i = 0; i < config->targets.count; i++) {
        struct oc_target *target = &config->targets.items[i];
        struct oc_labels labels = config->labels;

        for (size_t j = 0; j < target->labels.count; j++) {
            if (set_label(&labels, target->labels.items[j].key, target->labels.items[j].value) < 0)
                return oc_detail_set(detail, OC_E_TOOBIG,
                                     "%.200s:%" PRIu32 ": with the labels of all, this target has "
                                     "more than 32",
                                     target->file, target->line);
        }
        target->labels = labels;
    }
    return OC_OK;
}

/* ---- words ---- */

static int has_wildcard(const char *word) { return strpbrk(word, "*?[\\") != NULL; }

static int ends_with(const char *word, const char *tail)
{
    size_t len = strlen(word), tail_len = strlen(tail);

    return len > tail_len && strcmp(word + len - tail_len, tail) == 0;
}

static int fail(const struct target_loader *t, uint32_t node, const char *text)
{
    return oc_config_value_fail(t->l, node, OC_E_INVAL, text);
}

/* "nginx" is "nginx.service". Processes belong to services and scopes alone. */
static int check_unit(const struct target_loader *t, uint32_t node, char word[MAX_WORD_BYTES + 1])
{
    static const char *const others[] = { ".socket", ".timer", ".mount", ".target",
                                          ".path",   ".swap",  ".device" };

    if (ends_with(word, ".slice"))
        return fail(t, node,
                    "a slice holds units, not processes: \"cgroup\": \"/system.slice\" selects "
                    "all below it");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (ends_with(word, others[i]))
            return fail(t, node, "no process belongs to such a unit: name a .service or .scope");
    }
    if (!has_wildcard(word) && !ends_with(word, ".service") && !ends_with(word, ".scope")) {
        if (strlen(word) + sizeof(".service") > MAX_WORD_BYTES)
            return fail(t, node, "this name of a unit is too long");
        strcat(word, ".service");
    }
    return OC_OK;
}

static int check_path(const struct target_loader *t, uint32_t node, const char *word,
                      const char *text)
{
    if (word[0] == '/' || word[0] == '*' || word[0] == '?' || word[0] == '[' || word[0] == '\\' ||
        (word[0] != '\0' && word[1] == ':'))
        return OC_OK;
    return fail(t, node, text);
}

static int check_id(const struct target_loader *t, uint32_t node, const char *word)
{
    size_t len = strspn(word, "0123456789abcdef");

    if (word[len] != '\0' || len < MIN_ID_DIGITS || len > MAX_ID_DIGITS)
        return fail(t, node,
                    "a container's id is 12 to 64 hex digits in lower case; \"container\" selects "
                    "by name");
    return OC_OK;
}

/* Words that could never match, and forms that people write. */
static int check_word(const struct target_loader *t, uint32_t node, char word[MAX_WORD_BYTES + 1])
{
    size_t len = strlen(word);

    switch (t->key->selector) {
    case OC_SELECT_NAME:
        if (strchr(word, '/'))
            return fail(t, node, "a name has no '/': \"exe\" selects by path");
        if (!has_wildcard(word) && len > MAX_NAME_BYTES)
            return fail(t, node, "no name is as long as this");
        return OC_OK;
    case OC_SELECT_UNIT:
        return check_unit(t, node, word);
    case OC_SELECT_EXE:
        return check_path(t, node, word,
                          "an exe is a whole path, as \"/usr/sbin/nginx\" or \"*/nginx\"");
    case OC_SELECT_CGROUP:
        if (len > 1 && word[len - 1] == '/')
            word[len - 1] = '\0';
        return check_path(t, node, word, "a cgroup begins with '/', or with '*'");
    case OC_SELECT_PIDFILE:
        return has_wildcard(word) ? fail(t, node, "a pidfile is one path, without wildcards")
                                  : check_path(t, node, word, "a pidfile is a whole path");
    case OC_SELECT_CONTAINER_ID:
        return check_id(t, node, word);
    default:
        return OC_OK;
    }
}

static int load_word(const struct target_loader *t, uint32_t node, const cJSON *value,
                     char **out_word)
{
    char word[MAX_WORD_BYTES + 1] = "";
    const char *text = NULL;
    int rc = oc_config_value_text(t->l, t->key->key, MAX_WORD_BYTES, node, value, &text);

    if (rc < 0)
        return rc;
    (void)oc_text_copy(word, sizeof(word), text);
    rc = check_word(t, node, word);
    if (rc < 0)
        return rc;
    *out_word = oc_strdup(word);
    return *out_word ? OC_OK : oc_config_value_nomem(t->l);
}

/* ---- selectors: one value, or an array of them ---- */

/* Where the compiled or read form of each word goes; NULL: words alone. */
static int make_room(const struct target_loader *t, size_t count)
{
    struct oc_words *words = &t->target->words[t->key->selector];

    words->items = oc_calloc(count, sizeof(*words->items));
    if (!words->items)
        return OC_E_NOMEM;
    switch (t->key->selector) {
    case OC_SELECT_NAME_REGEX:
        t->target->name_regexes = oc_calloc(count, sizeof(oc_pattern *));
        return t->target->name_regexes ? OC_OK : OC_E_NOMEM;
    case OC_SELECT_CMDLINE_REGEX:
        t->target->cmdline_regexes = oc_calloc(count, sizeof(oc_pattern *));
        return t->target->cmdline_regexes ? OC_OK : OC_E_NOMEM;
    case OC_SELECT_PID:
        t->target->pids = oc_calloc(count, sizeof(uint32_t));
        return t->target->pids ? OC_OK : OC_E_NOMEM;
    case OC_SELECT_PIDFILE:
        t->target->pidfile_pids = oc_calloc(count, sizeof(uint32_t));
        return t->target->pidfile_pids ? OC_OK : OC_E_NOMEM;
    default:
        return OC_OK;
    }
}

static int load_regex(const struct target_loader *t, uint32_t node, size_t at)
{
    struct oc_target *target = t->target;
    oc_pattern **patterns =
        t->key->selector == OC_SELECT_NAME_REGEX ? target->name_regexes : target->cmdline_regexes;
    struct oc_detail why = { 0 };
    int rc = oc_pattern_new(target->words[t->key->selector].items[at], &patterns[at], &why);

    if (rc == OC_E_NOMEM)
        return oc_config_value_nomem(t->l);
    return rc < 0 ? oc_config_value_fail(t->l, node, OC_E_INVAL, why.text) : OC_OK;
}

static int load_pid(const struct target_loader *t, uint32_t node, const cJSON *value, size_t at)
{
    double number = cJSON_IsNumber(value) ? value->valuedouble : 0;
    uint32_t pid = number >= 1 && number <= (double)UINT32_MAX ? (uint32_t)number : 0;
    char text[16];

    if (pid == 0 || (double)pid != number)
        return fail(t, node, "a pid is a whole number from 1");
    t->target->pids[at] = pid;
    (void)snprintf(text, sizeof(text), "%" PRIu32, pid);
    t->target->words[OC_SELECT_PID].items[at] = oc_strdup(text);
    return t->target->words[OC_SELECT_PID].items[at] ? OC_OK : oc_config_value_nomem(t->l);
}

static int load_item(const struct target_loader *t, uint32_t node, const cJSON *value, size_t at)
{
    struct oc_words *words = &t->target->words[t->key->selector];
    int rc = OC_OK;

    words->count = at + 1;
    if (t->key->type == OC_TARGET_KEY_PIDS)
        return load_pid(t, node, value, at);
    rc = load_word(t, node, value, &words->items[at]);
    if (rc == OC_OK && t->key->type == OC_TARGET_KEY_REGEXES)
        rc = load_regex(t, node, at);
    return rc;
}

static int load_selector(const struct target_loader *t, uint32_t node, const cJSON *value)
{
    size_t count = cJSON_IsArray(value) ? (size_t)cJSON_GetArraySize(value) : 1;
    const cJSON *item = NULL;
    size_t at = 0;
    int rc = OC_OK;

    if (count == 0)
        return fail(t, node, "an empty list selects nothing");
    if (count > OC_TARGET_WORDS_MAX)
        return oc_config_value_fail(t->l, node, OC_E_TOOBIG, "more than 256 values");
    if (make_room(t, count) < 0)
        return oc_config_value_nomem(t->l);
    if (!cJSON_IsArray(value))
        return load_item(t, node, value, 0);
    cJSON_ArrayForEach(item, value)
    {
        rc = load_item(t, oc_config_scan_item(&t->l->scan, node, at), item, at);
        if (rc < 0)
            return rc;
        at++;
    }
    return OC_OK;
}

/* ---- limits ---- */

static int load_limit_value(struct oc_loader *l, const struct oc_metric_row *row, uint32_t node,
                            const cJSON *value, uint64_t *out_value)
{
    if (row->unit == OC_UNIT_BYTES) {
        const char *wanted = "a size such as \"2GiB\"";

        if (!cJSON_IsString(value))
            return oc_config_value_fail_type(l, node, row->name, wanted, value);
        if (oc_text_size_bytes(value->valuestring, out_value) < 0 || *out_value == 0)
            return oc_config_value_fail_text(l, node, row->name, wanted, value->valuestring);
        return OC_OK;
    }
    if (!cJSON_IsNumber(value) || value->valuedouble < 1 || value->valuedouble > 1e15 ||
        (double)(uint64_t)value->valuedouble != value->valuedouble)
        return oc_config_value_fail_type(l, node, row->name, "a whole number from 1", value);
    *out_value = (uint64_t)value->valuedouble;
    return OC_OK;
}

/* A ceiling is set for what goes up and down and is counted in bytes or things. */
static int can_have_limit(const struct oc_metric_row *row)
{
    return row && row->kind == OC_KIND_GAUGE &&
           (row->unit == OC_UNIT_BYTES || row->unit == OC_UNIT_COUNT) &&
           OC_METRIC_BLOCK(row->number) != OC_BLOCK_SELF;
}

static int fail_metric(struct oc_loader *l, uint32_t node, const char *key)
{
    const char *known[2] = { oc_metric_nearest(key), NULL };

    if (oc_metric_by_name(key))
        return oc_config_value_fail(
            l, node, OC_E_INVAL,
            "this metric can have no limit: a limit is for bytes and counts that "
            "go up and down");
    return oc_config_value_fail_unknown(l, node, "metric", key, known);
}

static int load_limits(const struct target_loader *t, uint32_t node, const cJSON *value)
{
    const cJSON *item = NULL;

    if (!cJSON_IsObject(value))
        return oc_config_value_fail_type(
            t->l, node, "limits", "an object such as { \"private_bytes\": \"2GiB\" }", value);
    cJSON_ArrayForEach(item, value)
    {
        uint32_t child = oc_config_scan_member(&t->l->scan, node, item->string);
        const struct oc_metric_row *row = oc_metric_by_name(item->string);
        struct oc_user_limit limit = { 0 };
        int rc = OC_OK;

        if (!can_have_limit(row))
            return fail_metric(t->l, child, item->string);
        if (t->target->limit_count == OC_USER_LIMITS_MAX)
            return oc_config_value_fail(t->l, child, OC_E_TOOBIG, "more than 8 limits");
        rc = load_limit_value(t->l, row, child, item, &limit.value);
        if (rc < 0)
            return rc;
        limit.metric = row->number;
        t->target->limits[t->target->limit_count++] = limit;
    }
    return OC_OK;
}

/* ---- the other keys ---- */

static int load_text(const struct target_loader *t, uint32_t node, const cJSON *value)
{
    int is_subject = strcmp(t->key->key, "subject") == 0;
    char **out = is_subject ? &t->target->subject : &t->target->name;
    const char *text = NULL;
    size_t at = 0;
    int rc = oc_config_value_text(t->l, t->key->key, OC_SUBJECT_BYTES - 1, node, value, &text);

    if (rc < 0)
        return rc;
    if (is_subject && oc_subject_check(text, &at) < 0)
        return oc_config_value_fail_text(
            t->l, node, "subject",
            "{name} {exe} {user} {unit} {slice} {cgroup} {container} "
            "{container_id} {pod} {namespace} {pod_container} {workload} "
            "{pid} or {1} to {9} in braces",
            text + at);
    oc_free(*out);
    *out = oc_strdup(text);
    return *out ? OC_OK : oc_config_value_nomem(t->l);
}

static int load_duration(const struct target_loader *t, uint32_t node, const cJSON *value)
{
    const char *key = t->key->key;
    int is_walk = strcmp(key, "walk_interval") == 0;

    return oc_config_value_duration(t->l, option_of(key), key, node, value,
                                    is_walk ? &t->target->walk_interval_ms
                                            : &t->target->interval_ms);
}

static int load_choice(const struct target_loader *t, uint32_t node, const cJSON *value)
{
    size_t index = 0;
    int rc = oc_config_value_word(t->l, t->key->key, t->key->words, node, value, &index);

    if (rc < 0)
        return rc;
    if (strcmp(t->key->key, "source") == 0)
        t->target->source = (enum oc_target_source)index;
    else
        t->target->children = (enum oc_target_children)index;
    return OC_OK;
}

static int load_value(const struct target_loader *t, uint32_t node, const cJSON *value)
{
    const char *key = t->key->key;

    switch (t->key->type) {
    case OC_TARGET_KEY_WORDS:
    case OC_TARGET_KEY_REGEXES:
    case OC_TARGET_KEY_PIDS:
        return load_selector(t, node, value);
    case OC_TARGET_KEY_SIZE:
        return oc_config_value_size(t->l, option_of(key), key, node, value,
                                    &t->target->min_size_bytes);
    case OC_TARGET_KEY_WORD:
        return load_choice(t, node, value);
    case OC_TARGET_KEY_BOOL:
        return oc_config_value_bool(t->l, key, node, value,
                                    strcmp(key, "pages") == 0 ? &t->target->pages
                                                              : &t->target->ignore);
    case OC_TARGET_KEY_TEXT:
        return load_text(t, node, value);
    case OC_TARGET_KEY_LABELS:
        return oc_config_load_labels(t->l, node, value, &t->target->labels);
    case OC_TARGET_KEY_DURATION:
        return load_duration(t, node, value);
    case OC_TARGET_KEY_LIMITS:
        return load_limits(t, node, value);
    }
    return OC_E_INVAL;
}

/* ---- one target ---- */

static int load_target_key(struct oc_loader *l, struct oc_target *target, uint32_t node,
                           const cJSON *value)
{
    const char *known[MAX_KEYS + 1] = { NULL };
    size_t count = 0;
    const struct oc_target_key *keys = oc_target_key_table(&count);

    for (size_t i = 0; i < count && i < MAX_KEYS; i++) {
        struct target_loader t = { l, target, &keys[i] };
        int rc = OC_OK;

        known[i] = keys[i].key;
        if (strcmp(keys[i].key, value->string) != 0)
            continue;
        rc = load_value(&t, node, value);
        if (rc == OC_OK && keys[i].selector < OC_SELECT_COUNT)
            target->selectors |= 1u << keys[i].selector;
        return rc;
    }
    return oc_config_value_fail_unknown(l, node, "key of a target", value->string, known);
}

static int uses_captures(const char *subject)
{
    for (; subject && *subject; subject++) {
        if (subject[0] == '{' && subject[1] >= '1' && subject[1] <= '9')
            return 1;
    }
    return 0;
}

/* What no key alone can know. */
static int check_target(struct oc_loader *l, uint32_t node, const struct oc_target *target)
{
    static const uint32_t regexes = 1u << OC_SELECT_NAME_REGEX | 1u << OC_SELECT_CMDLINE_REGEX;

    if (target->source == OC_TARGET_HOST && (target->selectors || target->ignore))
        return oc_config_value_fail(
            l, node, OC_E_INVAL, "a target of the host takes no selectors and cannot be ignored");
    if (target->source != OC_TARGET_HOST && target->selectors == 0)
        return oc_config_value_fail(
            l, node, OC_E_INVAL,
            "this target selects nothing, so every process would match; where "
            "that is meant, say \"name\": \"*\" or a \"min_size\"");
    if (uses_captures(target->subject) && !(target->selectors & regexes))
        return oc_config_value_fail(
            l, node, OC_E_INVAL,
            "{1} in \"subject\" is a group of a regular expression, and this "
            "target has none");
    return OC_OK;
}

static int load_target(struct oc_loader *l, uint32_t node, const cJSON *object, size_t index,
                       struct oc_target *target)
{
    const cJSON *value = NULL;
    char name[32];
    int rc = OC_OK;

    if (!cJSON_IsObject(object))
        return oc_config_value_fail_type(l, node, "targets",
                                         "objects such as { \"name\": \"java*\" }", object);
    target->line = oc_config_value_line(l, node);
    target->file = oc_strdup(l->scan.name);
    (void)snprintf(name, sizeof(name), "targets[%zu]", index);
    target->name = oc_strdup(name);
    if (!target->file || !target->name)
        return oc_config_value_nomem(l);
    cJSON_ArrayForEach(value, object)
    {
        rc =
            load_target_key(l, target, oc_config_scan_member(&l->scan, node, value->string), value);
        if (rc < 0)
            return rc;
    }
    return check_target(l, node, target);
}

/* ---- all targets of a file ---- */

static int load_each(struct oc_loader *l, uint32_t node, const cJSON *array,
                     struct oc_targets *targets)
{
    const cJSON *value = NULL;

    cJSON_ArrayForEach(value, array)
    {
        size_t index = targets->count++;
        int rc = load_target(l, oc_config_scan_item(&l->scan, node, index), value, index,
                             &targets->items[index]);

        if (rc < 0)
            return rc;
    }
    return OC_OK;
}

int oc_config_load_targets(struct oc_loader *l, uint32_t node, const cJSON *value)
{
    struct oc_targets *before = &l->config->targets;
    struct oc_targets targets = { NULL, 0 };
    size_t count = 0;
    int rc = OC_OK;

    if (!cJSON_IsArray(value))
        return oc_config_value_fail_type(l, node, "targets", "an array of objects", value);
    count = (size_t)cJSON_GetArraySize(value);
    if (count + before->count > OC_TARGETS_MAX)
        return oc_config_value_fail(l, node, OC_E_TOOBIG, "more than 512 targets");
    if (count == 0)
        return OC_OK;
    targets.items = oc_calloc(count + before->count, sizeof(*targets.items));
    if (!targets.items)
        return oc_config_value_nomem(l);
    rc = load_each(l, node, value, &targets);
    if (rc < 0) {
        oc_targets_clear(&targets);
        return rc;
    }
    if (before->count > 0)
        memcpy(targets.items + count, before->items, before->count * sizeof(*before->items));
    targets.count = count + before->count;
    oc_free(before->items);
    *before = targets;
    return OC_OK;
}
