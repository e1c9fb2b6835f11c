/* Why a target does not have a process that it could be expected to have, and what is odd about a target. */
#include "cli/model/coverage.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MANY 20 /* processes of a machine from which "nearly all" is worth a word */
#define NEARLY_ALL_PERCENT 90
#define NEAREST_OF 8 /* names of a target whose nearest is looked for */

/* ---- what is missing ---- */

size_t oc_coverage_of(const struct oc_coverage *coverage, uint32_t target)
{
    size_t count = 0;

    for (size_t i = 0; i < coverage->count; i++)
        count += coverage->items[i].target == target && !coverage->items[i].is_folded;
    return count;
}

/* A target of everything: who is not there has been taken, and nobody asks why. */
static int takes_all(const struct oc_target *target)
{
    if (target->source == OC_TARGET_HOST || target->selectors != 1u << OC_SELECT_NAME)
        return 0;
    for (size_t i = 0; i < target->words[OC_SELECT_NAME].count; i++) {
        if (strcmp(target->words[OC_SELECT_NAME].items[i], "*") == 0)
            return 1;
    }
    return 0;
}

static int wants_name(const struct oc_target *target, const char *name)
{
    const struct oc_words *globs = &target->words[OC_SELECT_NAME];

    for (size_t i = 0; i < globs->count; i++) {
        if (oc_text_glob(globs->items[i], name))
            return 1;
    }
    for (size_t i = 0; i < target->words[OC_SELECT_NAME_REGEX].count; i++) {
        if (oc_pattern_match(target->name_regexes[i], name, strlen(name), NULL) == 1)
            return 1;
    }
    return 0;
}

/* For each name whether the target has a process of it; NULL: no memory. */
static unsigned char *names_of(const struct oc_coverage *coverage, uint32_t target)
{
    unsigned char *has = oc_calloc(coverage->count + 1, 1);

    for (size_t i = 0; has && i < coverage->count; i++) {
        if (coverage->items[i].target == target && !coverage->items[i].is_folded)
            has[coverage->items[i].name_group] = 1;
    }
    return has;
}

int oc_coverage_namesakes(const struct oc_coverage *coverage, uint32_t target, size_t **out_items,
                          size_t *out_count)
{
    static const uint32_t by_name = 1u << OC_SELECT_NAME | 1u << OC_SELECT_NAME_REGEX;
    const struct oc_target *wanted = &coverage->config->targets.items[target];
    unsigned char *has = names_of(coverage, target);
    size_t *items = oc_calloc(coverage->count + 1, sizeof(*items));
    size_t count = 0;

    for (size_t i = 0; has && items && !takes_all(wanted) && i < coverage->count; i++) {
        const struct oc_covered *process = &coverage->items[i];

        if (process->target != target &&
            ((wanted->selectors & by_name) ? wants_name(wanted, process->name)
                                           : has[process->name_group]))
            items[count++] = i;
    }
    oc_free(has);
    if (!has || !items) {
        oc_free(items);
        return OC_E_NOMEM;
    }
    *out_items = items;
    *out_count = count;
    return OC_OK;
}

static void say_has(char *out, size_t out_bytes, const char *what, const char *value)
{
    if (value[0])
        (void)snprintf(out, out_bytes, "its %s is %.160s", what, value);
    else
        (void)snprintf(out, out_bytes, "it has no %s", what);
}

static void say_size(char *out, size_t out_bytes, const struct oc_target *target,
                     uint64_t rss_bytes)
{
    char has[32], wanted[32];

    (void)snprintf(out, out_bytes, "it has %s, not %s", oc_text_bytes((int64_t)rss_bytes, has, 32),
                   oc_text_bytes((int64_t)target->min_size_bytes, wanted, 32));
}

static void say_failed(char *out, size_t out_bytes, const struct oc_target *target,
                       enum oc_selector failed, const struct oc_match_facts *facts)
{
    char number[24];

    switch (failed) {
    case OC_SELECT_CMDLINE_REGEX:
        (void)snprintf(out, out_bytes, "its command line does not match");
        break;
    case OC_SELECT_EXE:
        say_has(out, out_bytes, "exe", facts->exe);
        break;
    case OC_SELECT_UNIT:
        say_has(out, out_bytes, "unit", facts->identity->unit);
        break;
    case OC_SELECT_CGROUP:
        say_has(out, out_bytes, "cgroup", facts->cgroup);
        break;
    case OC_SELECT_CONTAINER_ID:
        say_has(out, out_bytes, "container", facts->identity->container_id);
        break;
    case OC_SELECT_CONTAINER:
        say_has(out, out_bytes, "container", facts->names->container);
        break;
    case OC_SELECT_POD:
        say_has(out, out_bytes, "pod", facts->names->pod);
        break;
    case OC_SELECT_POD_NAMESPACE:
        say_has(out, out_bytes, "namespace", facts->names->pod_namespace);
        break;
    case OC_SELECT_POD_CONTAINER:
        say_has(out, out_bytes, "container", facts->names->pod_container);
        break;
    case OC_SELECT_USER:
        (void)snprintf(number, sizeof(number), "%" PRId64, facts->uid);
        say_has(out, out_bytes, "user", facts->names->user[0] ? facts->names->user : number);
        break;
    case OC_SELECT_IIS_APP_POOL:
        say_has(out, out_bytes, "application pool", facts->names->app_pool);
        break;
    case OC_SELECT_SERVICE:
        say_has(out, out_bytes, "service", facts->names->service);
        break;
    case OC_SELECT_MIN_SIZE:
        say_size(out, out_bytes, target, facts->rss_bytes);
        break;
    case OC_SELECT_PIDFILE:
        (void)snprintf(out, out_bytes, "the pidfile does not name it");
        break;
    case OC_SELECT_NAME:
    case OC_SELECT_NAME_REGEX:
    case OC_SELECT_PID:
    case OC_SELECT_COUNT:
        (void)snprintf(out, out_bytes, "its %s is another", oc_selector_name(failed));
        break;
    }
}

void oc_coverage_why(const struct oc_coverage *coverage, uint32_t target,
                     const struct oc_covered *process, char *out, size_t out_bytes)
{
    const struct oc_target *targets = coverage->config->targets.items;
    struct oc_match_result result = { 0 };
    struct oc_coverage_look look = { 0 };

    if (oc_coverage_look(coverage, process, &look) < 0) {
        (void)snprintf(out, out_bytes, "it could not be looked at, or has ended");
        return;
    }
    if (oc_target_match(&targets[target], &look.facts, &result) == OC_MATCH_NO)
        say_failed(out, out_bytes, &targets[target], (enum oc_selector)result.failed, &look.facts);
    else if (process->target != OC_TARGET_NONE)
        (void)snprintf(out, out_bytes, "%.100s stands before and %s it",
                       targets[process->target].name,
                       targets[process->target].ignore ? "ignores" : "takes");
    else
        (void)snprintf(out, out_bytes, "not all that it takes could be read");
    oc_walk_clear(&look.walk);
}

/* ---- what is odd ---- */

/* The name of a running process that is nearest to what the target wants; NULL: none is near. */
static const char *nearest_name(const struct oc_coverage *coverage, const struct oc_target *target)
{
    const struct oc_words *globs = &target->words[OC_SELECT_NAME];
    const char *nearest = NULL;

    for (size_t i = 0; !nearest && i < globs->count && i < NEAREST_OF; i++) {
        for (size_t j = 0; !nearest && j < coverage->count; j++) {
            const char *words[2] = { coverage->items[j].name, NULL };

            nearest = oc_text_nearest(globs->items[i], words);
        }
    }
    return nearest;
}

static void say_pidfile(const struct oc_coverage *coverage, const struct oc_target *target,
                        char *out, size_t out_bytes)
{
    const struct oc_words *files = &target->words[OC_SELECT_PIDFILE];

    for (size_t i = 0; i < files->count; i++) {
        uint32_t pid = target->pidfile_pids[i];

        if (pid == 0)
            (void)snprintf(out, out_bytes, "it matches nothing: %.150s %s", files->items[i],
                           oc_file_exists(files->items[i]) ? "holds no process id"
                                                           : "is not there, or may not be read");
        else if (!oc_coverage_find(coverage, pid))
            (void)snprintf(out, out_bytes,
                           "it matches nothing: %.150s names %" PRIu32 ", and no process has that",
                           files->items[i], pid);
    }
}

static void say_nothing(const struct oc_coverage *coverage, const struct oc_target *target,
                        char *out, size_t out_bytes)
{
    const char *nearest = nearest_name(coverage, target);

    (void)snprintf(out, out_bytes, "it matches nothing");
    if (nearest && !wants_name(target, nearest))
        (void)snprintf(out, out_bytes, "it matches nothing; there is a process called %.63s",
                       nearest);
    if (target->selectors & (1u << OC_SELECT_PIDFILE))
        say_pidfile(coverage, target, out, out_bytes);
}

void oc_coverage_oddity(const struct oc_coverage *coverage, uint32_t target, char *out,
                        size_t out_bytes)
{
    const struct oc_targets *targets = &coverage->config->targets;
    size_t has = oc_coverage_of(coverage, target);

    out[0] = '\0';
    if (targets->items[target].source == OC_TARGET_HOST)
        return;
    for (uint32_t i = 0; i < target; i++) {
        if (takes_all(&targets->items[i])) {
            (void)snprintf(out, out_bytes,
                           "it can never match: %.100s stands before it and takes every process",
                           targets->items[i].name);
            return;
        }
    }
    if (has == 0)
        say_nothing(coverage, &targets->items[target], out, out_bytes);
    else if (coverage->count >= MANY && has * 100 >= coverage->count * NEARLY_ALL_PERCENT)
        (void)snprintf(out, out_bytes, "it matches %zu of the %zu processes here", has,
                       coverage->count);
}
