/* Limits out of samples: what each is, and what counts against it. */
#include "probes/probe.h"

#include <string.h>

/* Limits that a sample of a cgroup tells of: the figure of each limit, and what it is a limit of. */
struct told {
    enum oc_limit_kind kind;
    enum oc_metric value;
};

static const struct told cgroup_limits[] = {
    { OC_LIMIT_CGROUP_MAX, OC_METRIC_CGROUP_LIMIT },
    { OC_LIMIT_CGROUP_HIGH, OC_METRIC_CGROUP_HIGH },
    { OC_LIMIT_CGROUP_SWAP, OC_METRIC_CGROUP_SWAP_LIMIT },
    { OC_LIMIT_CGROUP_MEMSW, OC_METRIC_CGROUP_MEMSW_LIMIT },
    { OC_LIMIT_CGROUP_TASKS, OC_METRIC_CGROUP_TASKS_LIMIT },
};

/* A path that is too long keeps its end, which tells it apart; cut at a character's edge. */
static void set_where(struct oc_limit *limit, const char *path)
{
    static const char cut[] = "\xe2\x80\xa6"; /* … */
    const size_t cut_bytes = sizeof cut - 1;
    size_t len_bytes = strlen(path);

    if (len_bytes < sizeof limit->where) {
        memcpy(limit->where, path, len_bytes + 1);
        return;
    }
    path += len_bytes - (sizeof limit->where - 1 - cut_bytes);
    while ((*path & 0xc0) == 0x80)
        path++;
    memcpy(limit->where, cut, cut_bytes);
    memcpy(limit->where + cut_bytes, path, strlen(path) + 1);
}

static void fill_use(struct oc_limit *limit, const struct oc_sample *sample)
{
    enum oc_metric metric = (enum oc_metric)limit->metric;

    if (limit->metric == 0 || !oc_sample_has(sample, metric) || oc_sample_get(sample, metric) < 0)
        return;
    limit->use = (uint64_t)oc_sample_get(sample, metric);
    limit->has_use = 1;
}

static void add(struct oc_limits *limits, enum oc_limit_kind kind, uint64_t value,
                const struct oc_sample *sample, const char *where)
{
    struct oc_limit limit = { .kind = (uint8_t)kind,
                              .metric = oc_limit_row(kind)->metric,
                              .value = value };

    set_where(&limit, where);
    fill_use(&limit, sample);
    (void)oc_limits_add(limits, &limit); /* too many: the list says that it is cut */
}

void oc_limits_of_cgroup(const struct oc_sample *sample, const char *path,
                         struct oc_limits *out_limits)
{
    out_limits->count = 0;
    out_limits->is_truncated = 0;
    for (size_t i = 0; i < sizeof cgroup_limits / sizeof *cgroup_limits; i++) {
        const struct told *told = &cgroup_limits[i];

        if (oc_sample_has(sample, told->value) && oc_sample_get(sample, told->value) >= 0)
            add(out_limits, told->kind, (uint64_t)oc_sample_get(sample, told->value), sample, path);
    }
}

/* Without swap known its total is not either: no limit is better than a wrong one. */
static int host_total(const struct oc_sample *sample, uint64_t *out_bytes)
{
    if (!oc_sample_has(sample, OC_METRIC_HOST_TOTAL) ||
        !oc_sample_has(sample, OC_METRIC_HOST_SWAP_TOTAL))
        return 0;
    *out_bytes = (uint64_t)oc_sample_get(sample, OC_METRIC_HOST_TOTAL) +
                 (uint64_t)oc_sample_get(sample, OC_METRIC_HOST_SWAP_TOTAL);
    return 1;
}

/*
 * Windows has page files in place of swap, which the commit limit is made of: what is used of RAM without swap being known
 * is RAM alone there, and no figure of Linux.
 */
static int host_physical(const struct oc_sample *sample, uint64_t *out_bytes)
{
    if (!oc_sample_has(sample, OC_METRIC_HOST_TOTAL) ||
        !oc_sample_has(sample, OC_METRIC_HOST_USED) ||
        oc_sample_has(sample, OC_METRIC_HOST_SWAP_TOTAL))
        return 0;
    *out_bytes = (uint64_t)oc_sample_get(sample, OC_METRIC_HOST_TOTAL);
    return 1;
}

/* The page files grow: what the limit may become is what refuses memory in the end. */
static int host_commit(const struct oc_sample *sample, uint64_t *out_bytes)
{
    enum oc_metric metric = OC_METRIC_HOST_COMMIT_LIMIT;

    if (oc_sample_has(sample, OC_METRIC_HOST_COMMIT_MAX))
        metric = OC_METRIC_HOST_COMMIT_MAX;
    if (!oc_sample_has(sample, metric) || oc_sample_get(sample, metric) < 0)
        return 0;
    *out_bytes = (uint64_t)oc_sample_get(sample, metric);
    return 1;
}

void oc_limits_of_host(const struct oc_sample *sample, int commit_is_enforced,
                       struct oc_limits *out_limits)
{
    uint64_t total_bytes = 0;

    out_limits->count = 0;
    out_limits->is_truncated = 0;
    if (host_total(sample, &total_bytes))
        add(out_limits, OC_LIMIT_HOST_MEMORY, total_bytes, sample, "");
    if (host_physical(sample, &total_bytes))
        add(out_limits, OC_LIMIT_HOST_PHYSICAL, total_bytes, sample, "");
    if (commit_is_enforced == 1 && host_commit(sample, &total_bytes))
        add(out_limits, OC_LIMIT_COMMIT, total_bytes, sample, "");
}

void oc_limits_use(struct oc_limit *limits, size_t count, const struct oc_sample *sample)
{
    for (size_t i = 0; i < count; i++) {
        if (!limits[i].has_use)
            fill_use(&limits[i], sample);
    }
}
