#include "config/target.h"

#include "base/alloc.h"
#include "base/text.h"
#include "config/target_words.h"

#include <stdio.h>
#include <string.h>

static const char *const selector_names[OC_SELECT_COUNT] = {
    [OC_SELECT_NAME] = "name",
    [OC_SELECT_NAME_REGEX] = "name_regex",
    [OC_SELECT_CMDLINE_REGEX] = "cmdline_regex",
    [OC_SELECT_EXE] = "exe",
    [OC_SELECT_PID] = "pid",
    [OC_SELECT_PIDFILE] = "pidfile",
    [OC_SELECT_UNIT] = "unit",
    [OC_SELECT_CGROUP] = "cgroup",
    [OC_SELECT_CONTAINER_ID] = "container_id",
    [OC_SELECT_CONTAINER] = "container",
    [OC_SELECT_POD] = "pod",
    [OC_SELECT_POD_NAMESPACE] = "namespace",
    [OC_SELECT_POD_CONTAINER] = "pod_container",
    [OC_SELECT_USER] = "user",
    [OC_SELECT_IIS_APP_POOL] = "iis_app_pool",
    [OC_SELECT_SERVICE] = "service",
    [OC_SELECT_MIN_SIZE] = "min_size",
};

const char *oc_selector_name(enum oc_selector selector)
{
    return (unsigned)selector < OC_SELECT_COUNT ? selector_names[selector] : "?";
}

/* ---- words ---- */

static int any_regex(oc_pattern *const *patterns, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (oc_pattern_match(patterns[i], text, strlen(text), NULL) == 1)
            return 1;
    }
    return 0;
}

static int any_number(const uint32_t *numbers, size_t count, uint32_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] != 0 && numbers[i] == number)
            return 1;
    }
    return 0;
}

static enum oc_match yes_or_no(int yes) { return yes ? OC_MATCH_YES : OC_MATCH_NO; }

/* ---- names: the kernel cuts them ---- */

/* The file's name at the end of a path, up to a blank where the path is an argument. */
static size_t file_name(const char *path, int is_argument, const char **out_at)
{
    size_t len = is_argument ? strcspn(path, " ") : strlen(path);
    size_t begin = len;

    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    *out_at = path + begin;
    return len - begin;
}

/*
 * The whole name where comm is as long as the kernel lets it be, from the file's name or argv[0], if
 * one of them begins so. 0: it has none.
 */
static int whole_name(const struct oc_match_facts *facts, const char *path, int is_argument,
                      char out[256])
{
    const char *at = NULL;
    size_t len = path ? file_name(path, is_argument, &at) : 0;

    if (len <= OC_COMM_CUT || len >= 256 || strncmp(at, facts->name, OC_COMM_CUT) != 0)
        return 0;
    memcpy(out, at, len);
    out[len] = '\0';
    return 1;
}

/* Whether what the globs say before their first wildcard could begin with a cut name. */
static int may_begin_so(const struct oc_words *words, const char *name)
{
    for (size_t i = 0; i < words->count; i++) {
        size_t plain = strcspn(words->items[i], "*?[\\");

        if (strncmp(words->items[i], name, plain < OC_COMM_CUT ? plain : OC_COMM_CUT) == 0)
            return 1;
    }
    return 0;
}

static int name_matches(const struct oc_target *target, enum oc_selector selector, const char *name)
{
    const struct oc_words *words = &target->words[selector];

    if (selector == OC_SELECT_NAME)
        return oc_words_have(words, name);
    return any_regex(target->name_regexes, words->count, name);
}

static enum oc_match match_name(const struct oc_target *target, enum oc_selector selector,
                                const struct oc_match_facts *facts)
{
    char whole[256];

    if (name_matches(target, selector, facts->name))
        return OC_MATCH_YES;
    if (strlen(facts->name) != OC_COMM_CUT)
        return OC_MATCH_NO;
    if (selector == OC_SELECT_NAME && !may_begin_so(&target->words[selector], facts->name))
        return OC_MATCH_NO;
    if (whole_name(facts, facts->exe, 0, whole) && name_matches(target, selector, whole))
        return OC_MATCH_YES;
    if (whole_name(facts, facts->cmdline, 1, whole) && name_matches(target, selector, whole))
        return OC_MATCH_YES;
    return facts->exe && facts->cmdline ? OC_MATCH_NO : OC_MATCH_UNSURE;
}

/* ---- the other selectors ---- */

/* A file that was replaced while it ran: the kernel says so behind the path. */
static enum oc_match match_exe(const struct oc_words *words, const char *exe)
{
    static const char tail[] = " (deleted)";
    char whole[sizeof(((struct oc_proc_facts *)0)->exe)];
    size_t len = 0;

    if (!exe)
        return OC_MATCH_UNSURE;
    len = strlen(exe);
    if (len >= sizeof(tail) && strcmp(exe + len - (sizeof(tail) - 1), tail) == 0 &&
        len < sizeof(whole)) {
        memcpy(whole, exe, len);
        whole[len - (sizeof(tail) - 1)] = '\0';
        if (oc_words_have(words, whole))
            return OC_MATCH_YES;
    }
    return yes_or_no(oc_words_have(words, exe) || oc_words_have_drive_path(words, exe));
}

/* A cgroup's path without wildcards stands for all that is below it too. */
static enum oc_match match_cgroup(const struct oc_words *words, const char *cgroup)
{
    if (!cgroup)
        return OC_MATCH_UNSURE;
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->items[i];
        size_t len = strlen(word);

        if (oc_text_glob(word, cgroup))
            return OC_MATCH_YES;
        if (!strpbrk(word, "*?[\\") && strncmp(word, cgroup, len) == 0 && cgroup[len] == '/')
            return OC_MATCH_YES;
    }
    return OC_MATCH_NO;
}

static enum oc_match match_container_id(const struct oc_words *words, const char *id)
{
    for (size_t i = 0; i < words->count; i++) {
        if (id[0] && strncmp(words->items[i], id, strlen(words->items[i])) == 0)
            return OC_MATCH_YES;
    }
    return OC_MATCH_NO;
}

/* What is looked up by an id of the cgroup's path: where the path has none, there is no name either. */
static enum oc_match match_looked_up(const struct oc_words *words, const char *id, const char *name)
{
    if (id && id[0] == '\0')
        return OC_MATCH_NO;
    if (!name)
        return OC_MATCH_UNSURE;
    return yes_or_no(name[0] && oc_words_have(words, name));
}

static enum oc_match match_user(const struct oc_words *words, const struct oc_match_facts *facts)
{
    enum oc_match match = OC_MATCH_NO;

    for (size_t i = 0; i < words->count; i++) {
        uint64_t uid = 0;

        if (oc_text_u64(words->items[i], &uid) == OC_OK) {
            if (facts->uid >= 0 && (uint64_t)facts->uid == uid)
                return OC_MATCH_YES;
            if (facts->uid < 0 && !facts->names)
                match = OC_MATCH_UNSURE;
        } else if (!facts->names) {
            match = OC_MATCH_UNSURE;
        } else if (facts->names->user[0] && oc_text_glob(words->items[i], facts->names->user)) {
            return OC_MATCH_YES;
        }
    }
    return match;
}

static enum oc_match match_cmdline(const struct oc_target *target, const char *cmdline)
{
    if (!cmdline)
        return OC_MATCH_UNSURE;
    return yes_or_no(
        any_regex(target->cmdline_regexes, target->words[OC_SELECT_CMDLINE_REGEX].count, cmdline));
}

/* Names that Windows' services have: the same whatever the case. */
static enum oc_match match_word(const struct oc_words *words, const struct oc_proc_names *names,
                                const char *name)
{
    if (!names)
        return OC_MATCH_UNSURE;
    return yes_or_no(name[0] && oc_words_have_name(words, name));
}

static enum oc_match match_selector(const struct oc_target *target, enum oc_selector selector,
                                    const struct oc_match_facts *facts)
{
    const struct oc_words *words = &target->words[selector];
    const struct oc_identity *identity = facts->identity;
    const struct oc_proc_names *names = facts->names;
    const char *container_id = identity ? identity->container_id : NULL;
    const char *pod_uid = identity ? identity->pod_uid : NULL;

    switch (selector) {
    case OC_SELECT_NAME:
    case OC_SELECT_NAME_REGEX:
        return match_name(target, selector, facts);
    case OC_SELECT_CMDLINE_REGEX:
        return match_cmdline(target, facts->cmdline);
    case OC_SELECT_EXE:
        return match_exe(words, facts->exe);
    case OC_SELECT_PID:
        return yes_or_no(any_number(target->pids, words->count, facts->pid));
    case OC_SELECT_PIDFILE:
        return yes_or_no(any_number(target->pidfile_pids, words->count, facts->pid));
    case OC_SELECT_UNIT:
        return identity ? yes_or_no(identity->unit[0] && oc_words_have(words, identity->unit))
                        : OC_MATCH_UNSURE;
    case OC_SELECT_CGROUP:
        return match_cgroup(words, facts->cgroup);
    case OC_SELECT_CONTAINER_ID:
        return identity ? match_container_id(words, container_id) : OC_MATCH_UNSURE;
    case OC_SELECT_CONTAINER:
        return match_looked_up(words, container_id, names ? names->container : NULL);
    case OC_SELECT_POD:
        return match_looked_up(words, pod_uid, names ? names->pod : NULL);
    case OC_SELECT_POD_NAMESPACE:
        return match_looked_up(words, pod_uid, names ? names->pod_namespace : NULL);
    case OC_SELECT_POD_CONTAINER:
        return match_looked_up(words, pod_uid, names ? names->pod_container : NULL);
    case OC_SELECT_USER:
        return match_user(words, facts);
    case OC_SELECT_IIS_APP_POOL:
        return match_word(words, names, names ? names->app_pool : "");
    case OC_SELECT_SERVICE:
        return match_word(words, names, names ? names->service : "");
    case OC_SELECT_MIN_SIZE:
        return yes_or_no(facts->rss_bytes >= target->min_size_bytes);
    case OC_SELECT_COUNT:
        break;
    }
    return OC_MATCH_NO;
}

/* ---- targets ---- */

enum oc_match oc_target_match(const struct oc_target *target, const struct oc_match_facts *facts,
                              struct oc_match_result *out_result)
{
    struct oc_match_result result = { .target = OC_TARGET_NONE, .failed = OC_SELECT_COUNT };

    for (unsigned i = 0; i < OC_SELECT_COUNT; i++) {
        enum oc_match match = OC_MATCH_YES;

        if (!(target->selectors & (1u << i)))
            continue;
        match = match_selector(target, (enum oc_selector)i, facts);
        if (match == OC_MATCH_NO) {
            result.failed = i;
            result.needs = 0;
            *out_result = result;
            return OC_MATCH_NO;
        }
        if (match == OC_MATCH_UNSURE)
            result.needs |= 1u << i;
    }
    *out_result = result;
    return result.needs ? OC_MATCH_UNSURE : OC_MATCH_YES;
}

enum oc_match oc_targets_match(const struct oc_targets *targets, const struct oc_match_facts *facts,
                               struct oc_match_result *out_result)
{
    *out_result = (struct oc_match_result){ .target = OC_TARGET_NONE, .failed = OC_SELECT_COUNT };
    for (size_t i = 0; i < targets->count; i++) {
        enum oc_match match = OC_MATCH_NO;

        if (targets->items[i].source == OC_TARGET_HOST)
            continue;
        match = oc_target_match(&targets->items[i], facts, out_result);
        if (match == OC_MATCH_NO)
            continue;
        out_result->target = (uint32_t)i;
        return match;
    }
    return OC_MATCH_NO;
}

enum oc_target_children oc_target_usual_children(const struct oc_target *target)
{
    return target->selectors & (1u << OC_SELECT_IIS_APP_POOL) ? OC_CHILDREN_FOLD : OC_CHILDREN_EACH;
}

int oc_target_is_bystander(const char *name) { return strcmp(name, "conhost.exe") == 0; }

uint32_t oc_targets_need(const struct oc_targets *targets)
{
    uint32_t needs = 0;

    for (size_t i = 0; i < targets->count; i++)
        needs |= targets->items[i].selectors;
    return needs;
}

void oc_targets_read_pidfiles(struct oc_targets *targets, oc_pidfile_fn *read, void *context)
{
    for (size_t i = 0; i < targets->count; i++) {
        struct oc_target *target = &targets->items[i];
        const struct oc_words *files = &target->words[OC_SELECT_PIDFILE];

        for (size_t j = 0; j < files->count; j++) {
            uint32_t pid = 0;
            int rc = read(files->items[j], &pid, context);

            target->pidfile_pids[j] = rc < 0 ? 0 : pid;
        }
    }
}

/* ---- the end ---- */

static void free_patterns(oc_pattern **patterns, size_t count)
{
    for (size_t i = 0; patterns && i < count; i++)
        oc_pattern_free(patterns[i]);
    oc_free(patterns);
}

void oc_target_clear(struct oc_target *target)
{
    free_patterns(target->name_regexes, target->words[OC_SELECT_NAME_REGEX].count);
    free_patterns(target->cmdline_regexes, target->words[OC_SELECT_CMDLINE_REGEX].count);
    for (size_t i = 0; i < OC_SELECT_COUNT; i++) {
        for (size_t j = 0; target->words[i].items && j < target->words[i].count; j++)
            oc_free(target->words[i].items[j]);
        oc_free(target->words[i].items);
    }
    oc_free(target->pids);
    oc_free(target->pidfile_pids);
    oc_free(target->name);
    oc_free(target->subject);
    oc_free(target->file);
    memset(target, 0, sizeof(*target));
}

void oc_targets_clear(struct oc_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++)
        oc_target_clear(&targets->items[i]);
    oc_free(targets->items);
    targets->items = NULL;
    targets->count = 0;
}
