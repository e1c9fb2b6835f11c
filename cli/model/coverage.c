#include "cli/model/coverage.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIDFILE_BYTES 64
#define MANY 20 /* processes of a machine from which "nearly all" is worth a word */
#define NEARLY_ALL_PERCENT 90
#define MAX_GENERATIONS 64

/* ---- one process ---- */

/* All facts of a process; the walk is the caller's to clear. */
struct look {
    struct oc_walk walk;
    struct oc_identity identity;
    struct oc_match_facts facts;
};

static int look_at(const struct oc_coverage *coverage, const struct oc_covered *process,
                   struct look *out)
{
    struct oc_walk_request request = { .pid = process->pid, .want = OC_WALK_FACTS };
    int rc = oc_probe_walk(&coverage->options, &request, &out->walk);

    if (rc < 0)
        return rc;
    oc_identity_of_cgroup(out->walk.facts.cgroup, &out->identity);
    out->facts = (struct oc_match_facts){ .pid = process->pid,
                                          .name = out->walk.facts.name,
                                          .rss_bytes = process->rss_bytes,
                                          .uid = out->walk.facts.uid,
                                          .exe = out->walk.facts.exe,
                                          .cmdline = out->walk.cmdline ? out->walk.cmdline
                                                                       : out->walk.facts.cmdline,
                                          .cgroup = out->walk.facts.cgroup,
                                          .identity = &out->identity,
                                          .names = &out->walk.names };
    return OC_OK;
}

/* With no target, size decides. */
static enum oc_match match(const struct oc_config *config, const struct oc_match_facts *facts,
                           struct oc_match_result *out_result)
{
    if (config->targets.count > 0)
        return oc_targets_match(&config->targets, facts, out_result);
    out_result->target = 0;
    return facts->rss_bytes >= config->min_size_bytes ? OC_MATCH_YES : OC_MATCH_NO;
}

static int folds(const struct oc_config *config)
{
    for (size_t i = 0; i < config->targets.count; i++) {
        if (config->targets.items[i].children == OC_CHILDREN_FOLD)
            return 1;
    }
    return 0;
}

static int set_subject(const struct oc_coverage *coverage, struct oc_covered *process,
                       const struct oc_match_facts *facts)
{
    static const struct oc_target by_size; /* no template: the default */
    const struct oc_targets *targets = &coverage->config->targets;
    char subject[OC_SUBJECT_BYTES];

    oc_target_subject(targets->count > 0 ? &targets->items[process->target] : &by_size, facts,
                      subject);
    process->subject = oc_strdup(subject);
    return process->subject ? OC_OK : OC_E_NOMEM;
}

/* What the name and the size say may be enough; else the files of the process are read. */
static int cover(const struct oc_coverage *coverage, struct oc_covered *process)
{
    struct oc_match_facts seen = {
        .pid = process->pid, .name = process->name, .rss_bytes = process->rss_bytes, .uid = -1
    };
    struct oc_match_result result = { .target = OC_TARGET_NONE };
    enum oc_match matched = match(coverage->config, &seen, &result);
    struct look look = { 0 };
    int rc = OC_OK;

    process->target = OC_TARGET_NONE;
    if (matched == OC_MATCH_NO && !folds(coverage->config))
        return OC_OK;
    if (look_at(coverage, process, &look) < 0) {
        process->is_unsure = matched != OC_MATCH_NO;
        return OC_OK;
    }
    process->parent_pid = look.walk.facts.parent_pid;
    matched = match(coverage->config, &look.facts, &result);
    if (matched == OC_MATCH_YES) {
        process->target = result.target;
        rc = set_subject(coverage, process, &look.facts);
    }
    process->is_unsure = matched == OC_MATCH_UNSURE;
    oc_walk_clear(&look.walk);
    return rc;
}

/* ---- all of them ---- */

static void take_seen(const struct oc_seen *seen, void *context)
{
    struct oc_coverage *coverage = context;
    struct oc_covered *process = NULL;
    void *items = coverage->items;

    if (coverage->err || (seen->flags & (OC_SEEN_KERNEL_THREAD | OC_SEEN_ZOMBIE)) ||
        seen->pid == oc_os_pid())
        return;
    coverage->err = oc_array_grow(&items, &coverage->capacity, coverage->count + 1,
                                  sizeof(*coverage->items), OC_COVERAGE_MAX);
    coverage->items = items;
    if (coverage->err)
        return;
    process = &coverage->items[coverage->count++];
    memset(process, 0, sizeof(*process));
    process->pid = seen->pid;
    process->rss_bytes = seen->rss_bytes;
    (void)oc_text_copy(process->name, sizeof(process->name), seen->name);
}

static int by_pid(const void *a, const void *b)
{
    const struct oc_covered *x = a, *y = b;

    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static const struct oc_covered *find(const struct oc_coverage *coverage, uint32_t pid)
{
    struct oc_covered key = { .pid = pid };

    return bsearch(&key, coverage->items, coverage->count, sizeof(key), by_pid);
}

/* The target of the nearest ancestor that has one, where that folds its descendants. */
static void fold(const struct oc_coverage *coverage, struct oc_covered *process)
{
    const struct oc_covered *above = process;

    for (int i = 0; i < MAX_GENERATIONS && above; i++) {
        above = above->parent_pid ? find(coverage, above->parent_pid) : NULL;
        if (!above || above->target == OC_TARGET_NONE || above->is_folded)
            continue;
        if (coverage->config->targets.items[above->target].children == OC_CHILDREN_FOLD &&
            !coverage->config->targets.items[above->target].ignore) {
            process->target = above->target;
            process->is_folded = 1;
            process->subject = oc_strdup(above->subject);
        }
        return;
    }
}

static int read_pidfile(const char *path, uint32_t *out_pid, void *context)
{
    char *text = NULL;
    size_t len = 0;
    uint64_t pid = 0;
    int rc = oc_file_read(path, PIDFILE_BYTES, &text, &len);

    (void)context;
    if (rc < 0)
        return rc;
    text[strspn(text, "0123456789")] = '\0';
    rc = oc_text_u64(text, &pid);
    oc_free(text);
    if (rc < 0 || pid == 0 || pid > UINT32_MAX)
        return OC_E_PARSE;
    *out_pid = (uint32_t)pid;
    return OC_OK;
}

static int scan(struct oc_coverage *coverage, struct oc_detail *detail)
{
    oc_probe *probe = NULL;
    int rc = oc_probe_open(&coverage->options, &probe, detail);

    if (rc < 0)
        return rc;
    rc = oc_probe_scan(probe, take_seen, coverage);
    oc_probe_close(probe);
    return rc < 0 ? rc : coverage->err;
}

int oc_coverage_read(const struct oc_probe_options *options, struct oc_config *config,
                     struct oc_coverage *out_coverage, struct oc_detail *detail)
{
    struct oc_coverage coverage = { .config = config, .options = *options };
    int rc = OC_OK;

    coverage.options.no_connector = 1;
    oc_targets_read_pidfiles(&config->targets, read_pidfile, NULL);
    rc = scan(&coverage, detail);
    if (rc == OC_OK && coverage.count > 0)
        qsort(coverage.items, coverage.count, sizeof(*coverage.items), by_pid);
    for (size_t i = 0; rc == OC_OK && i < coverage.count; i++)
        rc = cover(&coverage, &coverage.items[i]);
    for (size_t i = 0; rc == OC_OK && folds(config) && i < coverage.count; i++) {
        if (coverage.items[i].target == OC_TARGET_NONE)
            fold(&coverage, &coverage.items[i]);
    }
    if (rc < 0)
        oc_coverage_clear(&coverage);
    else
        *out_coverage = coverage;
    return rc;
}

void oc_coverage_clear(struct oc_coverage *coverage)
{
    for (size_t i = 0; i < coverage->count; i++)
        oc_free(coverage->items[i].subject);
    oc_free(coverage->items);
    coverage->items = NULL;
    coverage->count = coverage->capacity = 0;
}

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

static int has_name(const struct oc_coverage *coverage, uint32_t target, const char *name)
{
    for (size_t i = 0; i < coverage->count; i++) {
        if (coverage->items[i].target == target && !coverage->items[i].is_folded &&
            strcmp(coverage->items[i].name, name) == 0)
            return 1;
    }
    return 0;
}

int oc_coverage_is_namesake(const struct oc_coverage *coverage, uint32_t target,
                            const struct oc_covered *process)
{
    const struct oc_target *wanted = &coverage->config->targets.items[target];
    uint32_t by_name = 1u << OC_SELECT_NAME | 1u << OC_SELECT_NAME_REGEX;

    if (process->target == target || takes_all(wanted))
        return 0;
    if (wanted->selectors & by_name)
        return wants_name(wanted, process->name);
    return has_name(coverage, target, process->name);
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
    struct look look = { 0 };

    if (look_at(coverage, process, &look) < 0) {
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

    for (size_t i = 0; !nearest && i < globs->count; i++) {
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
        else if (!find(coverage, pid))
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
