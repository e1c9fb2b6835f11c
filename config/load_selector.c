/* Selectors of targets: one value or several, and those that could never match. */
#include "config/value.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_WORD_BYTES 1024
#define MAX_NAME_BYTES 255 /* of a file */
#define MIN_ID_DIGITS 12
#define MAX_ID_DIGITS 64

/* ---- words ---- */

static int has_wildcard(const char *word) { return strpbrk(word, "*?[\\") != NULL; }

static int ends_with(const char *word, const char *tail)
{
    size_t len = strlen(word), tail_len = strlen(tail);

    return len > tail_len && strcmp(word + len - tail_len, tail) == 0;
}

static int fail(const struct oc_target_loader *t, uint32_t node, const char *text)
{
    return oc_config_value_fail(t->l, node, OC_E_INVAL, text);
}

/* "nginx" is "nginx.service". Processes belong to services and scopes alone. */
static int check_unit(const struct oc_target_loader *t, uint32_t node,
                      char word[MAX_WORD_BYTES + 1])
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
        memcpy(word + strlen(word), ".service", sizeof(".service"));
    }
    return OC_OK;
}

static int check_path(const struct oc_target_loader *t, uint32_t node, const char *word,
                      const char *text)
{
    if (word[0] == '/' || word[0] == '*' || word[0] == '?' || word[0] == '[' || word[0] == '\\' ||
        (word[0] != '\0' && word[1] == ':'))
        return OC_OK;
    return fail(t, node, text);
}

static int check_id(const struct oc_target_loader *t, uint32_t node, const char *word)
{
    size_t len = strspn(word, "0123456789abcdef");

    if (word[len] != '\0' || len < MIN_ID_DIGITS || len > MAX_ID_DIGITS)
        return fail(t, node,
                    "a container's id is 12 to 64 hex digits in lower case; \"container\" selects "
                    "by name");
    return OC_OK;
}

/* Words that could never match, and forms that people write. */
static int check_word(const struct oc_target_loader *t, uint32_t node,
                      char word[MAX_WORD_BYTES + 1])
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

static int load_word(const struct oc_target_loader *t, uint32_t node, const cJSON *value,
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
static int make_room(const struct oc_target_loader *t, size_t count)
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

static int load_regex(const struct oc_target_loader *t, uint32_t node, size_t at)
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

static int load_pid(const struct oc_target_loader *t, uint32_t node, const cJSON *value, size_t at)
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

static int load_item(const struct oc_target_loader *t, uint32_t node, const cJSON *value, size_t at)
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

int oc_config_load_selector(const struct oc_target_loader *t, uint32_t node, const cJSON *value)
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
