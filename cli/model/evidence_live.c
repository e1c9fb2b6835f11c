#include "cli/model/evidence_live.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <string.h>

#define WALK_WANTS                                                                                 \
    (OC_WALK_FACTS | OC_WALK_COUNTS | OC_WALK_REGIONS | OC_WALK_FAMILIES | OC_WALK_LIMITS)

static void put_value(struct oc_moved *moved, int is_then, int64_t value)
{
    if (is_then) {
        moved->has_then = 1;
        moved->then = value;
    } else {
        moved->has_now = 1;
        moved->now = value;
    }
}

/* Every figure of a sample, then or now. */
static void put_sample(struct oc_evidence *evidence, const struct oc_sample *sample, int is_then)
{
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        if (sample->known & OC_METRIC_BIT(bit))
            put_value(&evidence->metrics[OC_METRIC_NUMBER(sample->block, bit)], is_then,
                      sample->values[bit]);
    }
}

/* What came now becomes what was then, before the second look. */
static void first_becomes_then(struct oc_evidence *evidence)
{
    for (size_t i = 0; i < sizeof(evidence->metrics) / sizeof(evidence->metrics[0]); i++) {
        struct oc_moved *moved = &evidence->metrics[i];

        if (moved->has_now && !moved->has_then)
            put_value(moved, 1, moved->now);
    }
    evidence->is_one_look = 0;
}

/* ---- looks ---- */

static void look_around(struct oc_live *live)
{
    struct oc_sample sample = { .block = OC_BLOCK_CGROUP };

    if (live->cgroup && oc_probe_cgroup_read(live->probe, live->cgroup, &sample) == OC_OK)
        put_sample(live->evidence, &sample, 0);
    memset(&sample, 0, sizeof(sample));
    sample.block = OC_BLOCK_HOST;
    if (oc_probe_host_read(live->probe, &sample) == OC_OK)
        put_sample(live->evidence, &sample, 0);
}

static int look(struct oc_live *live)
{
    int rc = oc_probe_tick_begin(live->probe, oc_clock_mono_ns());

    if (!rc)
        rc = oc_probe_read(live->probe, live->proc, &live->sample);
    if (rc < 0)
        return rc;
    put_sample(live->evidence, &live->sample, 0);
    look_around(live);
    live->evidence->samples++;
    live->evidence->now_unix_ms = oc_clock_unix_ms();
    return OC_OK;
}

int oc_live_look(struct oc_live *live)
{
    int rc;

    if (live->evidence->is_one_look)
        first_becomes_then(live->evidence);
    rc = look(live);
    if (rc == OC_E_GONE)
        live->evidence->is_live = 0;
    return rc;
}

/* ---- walks ---- */

static void take_facts(struct oc_evidence *evidence, const struct oc_walk *walk)
{
    (void)oc_text_copy(evidence->name, sizeof(evidence->name), walk->facts.name);
    (void)oc_text_copy(evidence->exe, sizeof(evidence->exe), walk->facts.exe);
    (void)oc_text_copy(evidence->cgroup, sizeof(evidence->cgroup), walk->facts.cgroup);
    (void)oc_text_copy(evidence->cmdline, sizeof(evidence->cmdline), walk->facts.cmdline);
    (void)oc_text_copy(evidence->runtime, sizeof(evidence->runtime), walk->census.runtime);
}

static void keep_walk(struct oc_live *live, struct oc_walk *walk)
{
    struct oc_evidence *evidence = live->evidence;
    struct oc_census *place;

    if (live->walk_count < OC_LIVE_WALKS)
        live->walk_count++;
    place = &live->walks[live->walk_count - 1];
    oc_census_clear(place);
    oc_census_move(&walk->census, place);
    evidence->walk_now_unix_ms = oc_clock_unix_ms();
    if (live->walk_count == 1)
        evidence->walk_then_unix_ms = evidence->walk_now_unix_ms;
}

static int walk_now(struct oc_live *live)
{
    const struct oc_proc_facts *facts = oc_proc_facts(live->proc);
    const struct oc_walk_request request = { .pid = facts->id.pid,
                                             .start_ticks = facts->id.start_ticks,
                                             .want = live->want };
    struct oc_walk walk = { 0 };
    int rc = oc_probe_walk(&live->options, &request, &walk);

    if (rc)
        return rc;
    walk.sample.block = OC_BLOCK_PROCESS;
    put_sample(live->evidence, &walk.sample, 0);
    oc_probe_adopt(live->probe, live->proc, &walk);
    take_facts(live->evidence, &walk);
    keep_walk(live, &walk);
    oc_walk_clear(&walk);
    return OC_OK;
}

int oc_live_walk(struct oc_live *live)
{
    int rc;

    if (live->evidence->is_one_look)
        first_becomes_then(live->evidence);
    rc = walk_now(live);
    if (rc == OC_E_GONE)
        live->evidence->is_live = 0;
    return rc;
}

/* ---- begin and end ---- */

static int take_limits(struct oc_live *live)
{
    struct oc_evidence *evidence = live->evidence;
    struct oc_limits *limits = oc_calloc(1, sizeof(*limits)); /* some tens of KiB */
    int rc = limits ? oc_probe_limits(&live->options, evidence->pid, limits) : OC_E_NOMEM;

    if (!rc) {
        oc_limits_sort(limits);
        evidence->limit_count =
            limits->count < OC_EVIDENCE_LIMITS ? limits->count : OC_EVIDENCE_LIMITS;
        memcpy(evidence->limits, limits->items,
               evidence->limit_count * sizeof(evidence->limits[0]));
    }
    oc_free(limits);
    return rc;
}

/* The cgroup's own figures are a help, not a need; those of the root are the host's. */
static void attach_cgroup(struct oc_live *live)
{
    const char *path = live->evidence->cgroup;

    if (path[0] && strcmp(path, "/") != 0)
        (void)oc_probe_cgroup_attach(live->probe, path, &live->cgroup);
}

static void begin_evidence(struct oc_evidence *evidence, uint32_t pid)
{
    evidence->pid = pid;
    evidence->source_kind = OC_SOURCE_PROCESS;
    evidence->is_live = 1;
    evidence->is_one_look = 1;
    evidence->status = -1;
    evidence->then_unix_ms = oc_clock_unix_ms();
    evidence->now_unix_ms = evidence->then_unix_ms;
    (void)oc_text_copy(evidence->os, sizeof(evidence->os), oc_os_name());
}

int oc_live_begin(struct oc_live *live, const struct oc_probe_options *options, uint32_t pid,
                  int with_pages, struct oc_evidence *evidence)
{
    int rc;

    live->options = *options;
    live->options.look = OC_LOOK_BASIC; /* a person waits: status each time, no gate */
    live->want = WALK_WANTS | (with_pages ? OC_WALK_RESIDENT : 0);
    live->evidence = evidence;
    live->sample.block = OC_BLOCK_PROCESS;
    begin_evidence(evidence, pid);
    rc = oc_probe_open(&live->options, &live->probe, NULL);
    if (!rc)
        rc = oc_probe_attach(live->probe, pid, &live->proc);
    if (!rc)
        rc = walk_now(live);
    if (!rc) {
        attach_cgroup(live);
        rc = look(live);
    }
    return rc ? rc : take_limits(live);
}

/* memory.stat is read every 10 s at most: what is asked for anew is fresh. */
static void look_at_cgroup_anew(struct oc_live *live)
{
    if (!live->cgroup)
        return;
    oc_probe_cgroup_detach(live->probe, live->cgroup);
    live->cgroup = NULL;
    attach_cgroup(live);
    look_around(live);
}

void oc_live_end(struct oc_live *live)
{
    if (!live->evidence->is_one_look)
        look_at_cgroup_anew(live);
    (void)take_limits(live); /* with their use now; of a process that ended those that are known */
    oc_evidence_of_walks(live->evidence, live->walks, live->walk_count);
}

void oc_live_clear(struct oc_live *live)
{
    for (size_t i = 0; i < OC_LIVE_WALKS; i++)
        oc_census_clear(&live->walks[i]);
    if (live->cgroup)
        oc_probe_cgroup_detach(live->probe, live->cgroup);
    if (live->proc)
        oc_probe_detach(live->probe, live->proc);
    oc_probe_close(live->probe);
    memset(live, 0, sizeof(*live));
}
