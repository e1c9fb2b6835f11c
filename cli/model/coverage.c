#include "cli/model/coverage.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIDFILE_BYTES 64
#define MAX_GENERATIONS 64

/* ---- one process ---- */

int oc_coverage_look(const struct oc_coverage *coverage, const struct oc_covered *process,
                     struct oc_coverage_look *out)
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
    struct oc_coverage_look look = { 0 };
    int rc = OC_OK;

    process->target = OC_TARGET_NONE;
    if (matched == OC_MATCH_NO && !folds(coverage->config))
        return OC_OK;
    rc = oc_coverage_look(coverage, process, &look);
    if (rc < 0) { /* one that has ended meanwhile is nobody's */
        process->is_unsure = matched != OC_MATCH_NO && rc != OC_E_GONE;
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

const struct oc_covered *oc_coverage_find(const struct oc_coverage *coverage, uint32_t pid)
{
    struct oc_covered key = { .pid = pid };

    return bsearch(&key, coverage->items, coverage->count, sizeof(key), by_pid);
}

/* The target of the nearest ancestor that has one, where that folds its descendants. */
static void fold(const struct oc_coverage *coverage, struct oc_covered *process)
{
    const struct oc_covered *above = process;

    if (oc_target_is_bystander(process->name))
        return;
    for (int i = 0; i < MAX_GENERATIONS && above; i++) {
        above = above->parent_pid ? oc_coverage_find(coverage, above->parent_pid) : NULL;
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

static int by_name(const void *a, const void *b)
{
    const struct oc_covered *x = a, *y = b;

    return strcmp(x->name, y->name);
}

/* Numbers the names, and leaves the processes by their PIDs. */
static void put_in_order(struct oc_coverage *coverage)
{
    struct oc_covered *items = coverage->items;

    if (coverage->count == 0)
        return;
    qsort(items, coverage->count, sizeof(*items), by_name);
    for (size_t i = 1; i < coverage->count; i++)
        items[i].name_group =
            items[i - 1].name_group + (strcmp(items[i].name, items[i - 1].name) != 0);
    qsort(items, coverage->count, sizeof(*items), by_pid);
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
    if (rc == OC_OK)
        put_in_order(&coverage);
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
