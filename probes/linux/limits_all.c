/* Every limit that one process can meet, for a question of a person: what ticks and walks read, once. */
#include "probes/linux/limits.h"
#include "probes/linux/lx.h"
#include "probes/linux/roots.h"

#include "base/alloc.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NONE_BYTES (UINT64_C(1) << 62) /* version 1 writes "no limit" as 2^63 less a page */

struct question {
    const struct oc_probe_options *options;
    oc_probe *probe;
    uint32_t pid;
    struct oc_limits *limits;
    int64_t uid;
    char cgroup[OC_LX_CGROUP_PATH_MAX];
};

static void take(struct question *question, const struct oc_limits *limits)
{
    for (size_t i = 0; i < limits->count; i++)
        (void)oc_limits_add(question->limits, &limits->items[i]);
}

/* ---- the process's own ---- */

struct tasks {
    struct question *question;
    uint64_t count;
};

/* Adds the threads of a process of the user. */
static void count_tasks(const struct oc_seen *seen, void *context)
{
    struct tasks *tasks = context;
    struct oc_lx_probe *probe = oc_lx_probe_of(tasks->question->probe);
    struct oc_lx_status status = { 0 };
    char path[32], text[4096];
    ssize_t len_bytes = 0;

    (void)snprintf(path, sizeof path, "%u/status", seen->pid);
    len_bytes = oc_lx_read_path(probe, path, text, sizeof text);
    if (len_bytes > 0)
        (void)oc_lx_status_parse(text, (size_t)len_bytes, &status);
    if (oc_lx_status_has(&status, OC_LX_UID) && oc_lx_status_has(&status, OC_LX_THREADS) &&
        (int64_t)status.values[OC_LX_UID] == tasks->question->uid)
        tasks->count += status.values[OC_LX_THREADS];
}

/* All threads of all processes of its user: what RLIMIT_NPROC counts. 7 µs a process. */
static void use_of_nproc(struct question *question, struct oc_limit *limit)
{
    struct tasks tasks = { question, 0 };

    if (question->uid < 0 || oc_probe_scan(question->probe, count_tasks, &tasks) < 0)
        return;
    limit->use = tasks.count;
    limit->has_use = tasks.count > 0;
}

static int own_limits(struct question *question)
{
    const struct oc_walk_request request = { .pid = question->pid,
                                             .want = OC_WALK_FACTS | OC_WALK_COUNTS |
                                                     OC_WALK_REGIONS | OC_WALK_LIMITS };
    struct oc_walk *walk = oc_calloc(1, sizeof *walk);
    struct oc_sample look = { 0 };
    oc_proc *proc = NULL;
    int rc = OC_E_NOMEM;

    if (!walk)
        return rc;
    rc = oc_probe_attach(question->probe, question->pid, &proc);
    if (rc == OC_OK)
        rc = oc_probe_read(question->probe, proc, &look);
    if (rc == OC_OK)
        rc = oc_probe_walk(question->options, &request, walk);
    if (rc != OC_OK)
        goto out;
    question->uid = walk->facts.uid;
    (void)oc_text_copy(question->cgroup, sizeof question->cgroup,
                       oc_lx_proc_of(proc)->cgroup_path ? oc_lx_proc_of(proc)->cgroup_path : "");
    oc_limits_use(walk->limits, walk->limit_count, &walk->sample);
    oc_limits_use(walk->limits, walk->limit_count, &look);
    for (uint32_t i = 0; i < walk->limit_count; i++) {
        if (walk->limits[i].kind == OC_LIMIT_RLIMIT_NPROC)
            use_of_nproc(question, &walk->limits[i]);
        (void)oc_limits_add(question->limits, &walk->limits[i]);
    }
    oc_walk_clear(walk);
out:
    oc_probe_detach(question->probe, proc);
    oc_free(walk);
    return rc;
}

/* ---- of the cgroups above it ---- */

/* Its cgroup in the pids hierarchy, where that is another than memory's. */
static int pids_path(struct question *question, char *out, size_t out_bytes)
{
    struct oc_lx_probe *probe = oc_lx_probe_of(question->probe);
    const struct oc_lx_tree *tree = &probe->trees.pids;
    const char *raw = NULL;
    size_t raw_bytes = 0;
    char path[32];
    ssize_t len_bytes = 0;

    if (tree->version == OC_LX_CGROUP_NONE || probe->trees.memory.version == OC_LX_CGROUP_V2)
        return OC_E_NOENT;
    (void)snprintf(path, sizeof path, "%u/cgroup", question->pid);
    len_bytes = oc_lx_read_path(probe, path, probe->text, OC_LX_TEXT_BYTES);
    if (len_bytes <= 0 ||
        oc_lx_cgroup_parse(probe->text, (size_t)len_bytes, oc_lx_tree_controller(tree, "pids"),
                           &raw, &raw_bytes) != OC_OK)
        return OC_E_NOENT;
    return oc_lx_tree_path(tree, raw, raw_bytes, out, out_bytes);
}

static void tasks_of_cgroups(struct question *question, struct oc_limits *scratch)
{
    char path[OC_LX_CGROUP_PATH_MAX];
    int rc = pids_path(question, path, sizeof path);

    for (; rc == OC_OK; rc = oc_cgroup_parent_path(path, path, sizeof path)) {
        struct oc_sample sample = { .block = OC_BLOCK_CGROUP };

        oc_lx_tasks_read(oc_lx_probe_of(question->probe), path, &sample);
        oc_limits_of_cgroup(&sample, path, scratch);
        take(question, scratch);
    }
}

/* The lowest limit of a kind among those found; OC_LX_MAX: none. */
static uint64_t lowest(const struct oc_limits *limits, enum oc_limit_kind kind)
{
    uint64_t low = OC_LX_MAX;

    for (size_t i = 0; i < limits->count; i++) {
        if (limits->items[i].kind == kind && limits->items[i].value < low)
            low = limits->items[i].value;
    }
    return low;
}

/*
 * The lowest limit of all ancestors, also of those above what is mounted here, stands in memory.stat
 * of version 1. Lower than all that we see, it is one of theirs; what counts against it is not known.
 */
static void memory_above(struct question *question)
{
    static const char *const keys[] = { "hierarchical_memory_limit", "hierarchical_memsw_limit" };
    static const enum oc_limit_kind kinds[] = { OC_LIMIT_CGROUP_MAX, OC_LIMIT_CGROUP_MEMSW };
    struct oc_lx_probe *probe = oc_lx_probe_of(question->probe);
    char path[OC_LX_CGROUP_PATH_MAX + sizeof probe->trees.memory.dir];
    uint64_t values[2] = { OC_LX_MAX, OC_LX_MAX }, found = 0;
    ssize_t len_bytes = -1;
    int fd = -1;

    if (probe->trees.memory.version != OC_LX_CGROUP_V1 ||
        oc_lx_tree_folder(&probe->trees.memory, question->cgroup, path,
                          sizeof path - sizeof "/memory.stat") != OC_OK)
        return;
    memcpy(path + strlen(path), "/memory.stat", sizeof "/memory.stat");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        len_bytes = oc_lx_pread(fd, probe->text, OC_LX_TEXT_BYTES);
        (void)close(fd);
    }
    if (len_bytes > 0)
        found = oc_lx_keyed_parse(probe->text, (size_t)len_bytes, keys, 2, values);
    for (int i = 0; i < 2; i++) {
        struct oc_limit limit = { .kind = (uint8_t)kinds[i],
                                  .metric = oc_limit_row(kinds[i])->metric,
                                  .value = values[i],
                                  .where = "above what is mounted here" };

        if ((found >> i & 1) && values[i] < NONE_BYTES &&
            values[i] < lowest(question->limits, kinds[i]))
            (void)oc_limits_add(question->limits, &limit);
    }
}

static void memory_of_cgroups(struct question *question, struct oc_limits *scratch)
{
    const int has_own_tasks =
        oc_lx_probe_of(question->probe)->trees.memory.version == OC_LX_CGROUP_V1;
    char path[OC_LX_CGROUP_PATH_MAX];
    int rc = oc_text_copy(path, sizeof path, question->cgroup);

    if (path[0] == '\0')
        return;
    for (; rc == OC_OK; rc = oc_cgroup_parent_path(path, path, sizeof path)) {
        struct oc_sample sample;
        oc_cgroup *cgroup = NULL;

        if (oc_probe_cgroup_attach(question->probe, path, &cgroup) != OC_OK)
            continue; /* not ours to see: others above it may be */
        if (oc_probe_cgroup_read(question->probe, cgroup, &sample) == OC_OK) {
            if (has_own_tasks) /* by the process's path in that hierarchy */
                sample.known &= ~OC_METRIC_BIT(OC_METRIC_CGROUP_TASKS_LIMIT);
            oc_limits_of_cgroup(&sample, path, scratch);
            take(question, scratch);
        }
        oc_probe_cgroup_detach(question->probe, cgroup);
    }
}

static void host_limits(struct question *question, struct oc_limits *scratch)
{
    struct oc_sample sample;

    if (oc_probe_host_read(question->probe, &sample) != OC_OK)
        return;
    oc_limits_of_host(&sample, oc_probe_commit_is_enforced(question->options), scratch);
    take(question, scratch);
}

int oc_probe_limits(const struct oc_probe_options *options, uint32_t pid,
                    struct oc_limits *out_limits)
{
    struct oc_probe_options mine = options ? *options : (struct oc_probe_options){ 0 };
    struct question question = { .options = options, .pid = pid, .uid = -1 };
    struct oc_limits *lists = oc_calloc(2, sizeof *lists); /* 27 KiB each */
    int rc = OC_E_NOMEM;

    if (!lists)
        return rc;
    question.limits = &lists[0];
    mine.look = OC_LOOK_LADDER;
    mine.no_connector = 1;
    rc = oc_probe_open(&mine, &question.probe, NULL);
    if (rc == OC_OK)
        rc = own_limits(&question);
    if (rc != OC_OK)
        goto out;
    memory_of_cgroups(&question, &lists[1]);
    memory_above(&question);
    tasks_of_cgroups(&question, &lists[1]);
    host_limits(&question, &lists[1]);
    *out_limits = lists[0];
out:
    oc_probe_close(question.probe);
    oc_free(lists);
    return rc;
}

/* IIS is not of this OS. */
int oc_probe_app_pools(const struct oc_probe_options *options, oc_app_pool_fn *fn, void *context,
                       struct oc_detail *detail)
{
    (void)options;
    (void)fn;
    (void)context;
    return oc_detail_set(detail, OC_E_NOTSUP, "there is no IIS on Linux");
}
