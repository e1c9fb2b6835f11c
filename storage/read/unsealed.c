#include "storage/read/unsealed.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

void oc_unsealed_clear(struct oc_unsealed *unsealed)
{
    oc_free(unsealed->samples);
    oc_free(unsealed->ends);
    memset(unsealed, 0, sizeof *unsealed);
}

/* The ends of a source's list; NULL: short memory, or an id beyond the maximum. */
static struct oc_unsealed_ends *ends_of(struct oc_unsealed *unsealed, uint32_t source)
{
    void *ends = unsealed->ends;
    size_t wanted = (size_t)source + 1, had = unsealed->source_count;

    if (wanted <= had)
        return &unsealed->ends[source];
    if (oc_array_grow(&ends, &unsealed->source_capacity, wanted, sizeof *unsealed->ends,
                      OC_UNSEALED_MAX_SOURCE) < 0)
        return NULL;
    unsealed->ends = ends;
    memset(unsealed->ends + had, 0, (wanted - had) * sizeof *unsealed->ends);
    unsealed->source_count = wanted;
    return &unsealed->ends[source];
}

static int add(struct oc_unsealed *unsealed, uint32_t source, int64_t t_boot_ms, int64_t value)
{
    struct oc_unsealed_ends *ends = ends_of(unsealed, source);
    void *samples = unsealed->samples;

    if (!ends || oc_array_grow(&samples, &unsealed->capacity, unsealed->count + 1,
                               sizeof *unsealed->samples, OC_UNSEALED_MAX_SAMPLES) < 0)
        return OC_E_TOOBIG;
    unsealed->samples = samples;
    unsealed->samples[unsealed->count++] =
        (struct oc_unsealed_sample){ .t_boot_ms = t_boot_ms, .value = value };
    if (ends->last)
        unsealed->samples[ends->last - 1].next = (uint32_t)unsealed->count;
    else
        ends->first = (uint32_t)unsealed->count;
    ends->last = (uint32_t)unsealed->count;
    return OC_OK;
}

static int take_sample(uint32_t source, int64_t t_boot_ms, const struct oc_sample *sample, int same,
                       void *context)
{
    struct oc_unsealed *unsealed = context;

    (void)same;
    if (sample->block != OC_METRIC_BLOCK(unsealed->metric) ||
        !(sample->known & OC_METRIC_BIT(unsealed->metric)))
        return 0;
    return add(unsealed, source, t_boot_ms, sample->values[unsealed->metric % OC_BLOCK_METRICS]);
}

static int make(struct oc_unsealed *unsealed, struct oc_scan *scan)
{
    const struct oc_scan_replay what = { .boot = unsealed->boot,
                                         .only_source = UINT32_MAX,
                                         .begin_boot_ms = unsealed->begin_boot_ms };
    oc_replay *replay = oc_replay_new(what.only_source);
    int rc;

    unsealed->count = unsealed->source_count = 0;
    if (!replay)
        return OC_E_NOMEM;
    rc = oc_scan_journal(scan, &what, replay, take_sample, unsealed);
    oc_replay_free(replay);
    return rc;
}

int oc_unsealed_prepare(struct oc_unsealed *unsealed, struct oc_scan *scan, unsigned metric,
                        uint32_t boot, int64_t begin_boot_ms)
{
    int is_of_it = unsealed->is_asked && unsealed->metric == metric && unsealed->boot == boot;
    int64_t row = 0;
    int rc = oc_scan_code(oc_sqlite_number(scan->db, "SELECT max(id) FROM main.journal", &row));

    if (rc < 0)
        return rc;
    if (is_of_it && unsealed->is_made && unsealed->last_row == row &&
        unsealed->begin_boot_ms <= begin_boot_ms)
        return 1;
    if (!is_of_it || begin_boot_ms < unsealed->begin_boot_ms)
        unsealed->begin_boot_ms = begin_boot_ms;
    unsealed->is_asked = 1;
    unsealed->is_made = 0;
    unsealed->metric = metric;
    unsealed->boot = boot;
    unsealed->last_row = row;
    if (!is_of_it)
        return 0;
    rc = make(unsealed, scan);
    unsealed->is_made = rc == OC_OK;
    return rc == OC_E_TOOBIG ? 0 : rc < 0 ? rc : 1;
}

const struct oc_unsealed_sample *oc_unsealed_first(const struct oc_unsealed *unsealed,
                                                   uint32_t source)
{
    if (source >= unsealed->source_count || !unsealed->ends[source].first)
        return NULL;
    return &unsealed->samples[unsealed->ends[source].first - 1];
}

const struct oc_unsealed_sample *oc_unsealed_next(const struct oc_unsealed *unsealed,
                                                  const struct oc_unsealed_sample *sample)
{
    return sample->next ? &unsealed->samples[sample->next - 1] : NULL;
}
