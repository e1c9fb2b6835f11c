#include "daemon/source.h"

#include "daemon/forecast_track.h"

#include "base/alloc.h"

#include <string.h>

#define FIRST_PIDS 256
#define DELETED UINT32_MAX
#define FIRST_VALUES 16
#define MORE_VALUES 4

void oc_sources_init(struct oc_sources *sources) { memset(sources, 0, sizeof(*sources)); }

static void free_source(struct oc_source *source)
{
    oc_free(source->last.values);
    oc_free(source->walk);
    oc_limits_free(source->limits);
    oc_tracks_free(source->tracks);
    oc_free(source->killer_scope);
    oc_free(source->held_as);
    oc_free(source->tenant);
    oc_free(source->plan);
    oc_free(source);
}

void oc_sources_clear(struct oc_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (sources->slots[i])
            free_source(sources->slots[i]);
    }
    oc_free(sources->slots);
    oc_free(sources->pids);
    oc_sources_init(sources);
}

static int free_slot(struct oc_sources *sources, uint32_t *out_slot)
{
    void *slots = sources->slots;
    int rc = OC_OK;

    for (size_t i = sources->free_hint; i < sources->count; i++) {
        if (!sources->slots[i]) {
            *out_slot = (uint32_t)i;
            return OC_OK;
        }
    }
    rc = oc_array_grow(&slots, &sources->capacity, sources->count + 1, sizeof(sources->slots[0]),
                       OC_MAX_SOURCES);
    if (rc < 0)
        return rc;
    sources->slots = slots;
    sources->slots[sources->count] = NULL;
    *out_slot = (uint32_t)sources->count++;
    return OC_OK;
}

int oc_sources_add(struct oc_sources *sources, enum oc_source_kind kind,
                   struct oc_source **out_source)
{
    struct oc_source *source = NULL;
    uint32_t slot = 0;
    int rc = free_slot(sources, &slot);

    if (rc < 0)
        return rc;
    source = oc_calloc(1, sizeof(*source));
    if (!source)
        return OC_E_NOMEM;
    source->slot = slot;
    source->kind = (uint8_t)kind;
    source->cgroup_slot = OC_NO_SLOT;
    source->target = OC_TARGET_NONE;
    sources->slots[slot] = source;
    sources->free_hint = slot + 1;
    sources->live[kind]++;
    *out_source = source;
    return OC_OK;
}

struct oc_source *oc_sources_at(const struct oc_sources *sources, uint64_t slot)
{
    return slot < sources->count ? sources->slots[slot] : NULL;
}

/* ---- by PID ---- */

static size_t pid_home(const struct oc_sources *sources, uint32_t pid)
{
    return (pid * UINT32_C(2654435769)) & (sources->pid_capacity - 1); /* a power of 2 */
}

static uint32_t pid_of(const struct oc_source *source) { return source->id_of_proc.pid; }

/* The place of a PID in the index, or SIZE_MAX. */
static size_t find_pid(const struct oc_sources *sources, uint32_t pid)
{
    size_t at = 0;

    if (sources->pid_capacity == 0)
        return SIZE_MAX;
    for (at = pid_home(sources, pid); sources->pids[at] != 0;
         at = (at + 1) & (sources->pid_capacity - 1)) {
        uint32_t entry = sources->pids[at];

        if (entry != DELETED && pid_of(sources->slots[entry - 1]) == pid)
            return at;
    }
    return SIZE_MAX;
}

struct oc_source *oc_sources_by_pid(const struct oc_sources *sources, uint32_t pid)
{
    size_t at = find_pid(sources, pid);

    return at == SIZE_MAX ? NULL : sources->slots[sources->pids[at] - 1];
}

static void put_pid(struct oc_sources *sources, const struct oc_source *source)
{
    size_t at = pid_home(sources, pid_of(source));

    while (sources->pids[at] != 0)
        at = (at + 1) & (sources->pid_capacity - 1);
    sources->pids[at] = source->slot + 1;
    sources->pid_used++;
}

/* Makes the index anew, large enough that half of it stays empty, and without deleted entries. */
static int rebuild_pids(struct oc_sources *sources)
{
    uint32_t *old = sources->pids;
    size_t old_capacity = sources->pid_capacity;
    size_t capacity = FIRST_PIDS;

    while (capacity < 4 * ((size_t)sources->live[OC_SOURCE_PROCESS] + 1))
        capacity *= 2;
    sources->pids = oc_calloc(capacity, sizeof(sources->pids[0]));
    if (!sources->pids) {
        sources->pids = old;
        return OC_E_NOMEM;
    }
    sources->pid_capacity = capacity;
    sources->pid_used = 0;
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i] != 0 && old[i] != DELETED)
            put_pid(sources, sources->slots[old[i] - 1]);
    }
    oc_free(old);
    return OC_OK;
}

int oc_sources_index_pid(struct oc_sources *sources, struct oc_source *source)
{
    if (2 * (sources->pid_used + 1) > sources->pid_capacity) {
        int rc = rebuild_pids(sources);

        if (rc < 0)
            return rc;
    }
    put_pid(sources, source);
    return OC_OK;
}

void oc_sources_forget_pid(struct oc_sources *sources, const struct oc_source *source)
{
    size_t at = source->kind == OC_SOURCE_PROCESS ? find_pid(sources, pid_of(source)) : SIZE_MAX;

    if (at != SIZE_MAX && sources->pids[at] == source->slot + 1)
        sources->pids[at] = DELETED;
}

void oc_sources_remove(struct oc_sources *sources, struct oc_source *source)
{
    oc_sources_forget_pid(sources, source);
    sources->live[source->kind]--;
    sources->slots[source->slot] = NULL;
    if (source->slot < sources->free_hint)
        sources->free_hint = source->slot;
    free_source(source);
}

/* ---- last samples ---- */

static unsigned count_bits(uint64_t bits)
{
    unsigned count = 0;

    for (; bits; bits &= bits - 1)
        count++;
    return count;
}

static unsigned lowest_bit(uint64_t bits)
{
#if defined(__GNUC__)
    return (unsigned)__builtin_ctzll(bits);
#else
    unsigned bit = 0;

    while (!(bits >> bit & 1))
        bit++;
    return bit;
#endif
}

static int make_values(struct oc_last *last, unsigned wanted)
{
    unsigned capacity = wanted <= FIRST_VALUES ? FIRST_VALUES : wanted + MORE_VALUES;
    int64_t *values = oc_realloc(last->values, capacity * sizeof(values[0]));

    if (!values)
        return OC_E_NOMEM;
    last->values = values;
    last->capacity = (uint8_t)capacity;
    return OC_OK;
}

int oc_last_keep(struct oc_last *last, const struct oc_sample *sample)
{
    int64_t *out = NULL;
    uint64_t differs = 0;

    if (sample->known != last->known || !last->values) {
        unsigned wanted = count_bits(sample->known);

        if ((wanted > last->capacity || !last->values) && make_values(last, wanted) < 0)
            return OC_E_NOMEM;
        last->known = sample->known;
        differs = 1;
    }
    out = last->values;
    for (uint64_t bits = sample->known; bits; bits &= bits - 1, out++) {
        int64_t value = sample->values[lowest_bit(bits)];

        differs |= (uint64_t)(*out ^ value);
        *out = value;
    }
    return differs ? OC_OK : OC_LAST_SAME;
}

void oc_last_get(const struct oc_last *last, struct oc_sample *out_sample)
{
    const int64_t *in = last->values;

    out_sample->known = last->known;
    for (uint64_t bits = last->known; bits; bits &= bits - 1)
        out_sample->values[lowest_bit(bits)] = *in++;
}

int oc_last_value(const struct oc_last *last, unsigned bit, int64_t *out_value)
{
    uint64_t mask = UINT64_C(1) << bit;

    if (!last->values || !(last->known & mask))
        return OC_E_NOENT;
    *out_value = last->values[count_bits(last->known & (mask - 1))];
    return OC_OK;
}
