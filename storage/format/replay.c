#include "storage/format/journal.h"

#include "base/alloc.h"
#include "base/err.h"

#include <assert.h>
#include <string.h>

#define OC_REPLAY_MAX_STATES (1u << 20)

/* The last sample of a source and block. */
struct replay_state {
    struct oc_packed packed;
    int64_t t_ms;
    uint32_t source;
    uint8_t block;
    uint8_t is_set; /* known since the last keyed row */
};

struct oc_replay {
    struct replay_state *states; /* in the order of first sight */
    size_t state_count, state_cap;
    uint32_t *slots; /* hash of (source, block): index into states + 1; 0: free */
    size_t slot_count;
    uint32_t only_source;
    uint64_t skipped;
    struct oc_sample sample; /* for fn */
};

oc_replay *oc_replay_new(uint32_t only_source)
{
    oc_replay *replay = oc_calloc(1, sizeof *replay);

    if (replay)
        replay->only_source = only_source;
    return replay;
}

void oc_replay_free(oc_replay *replay)
{
    if (!replay)
        return;
    for (size_t i = 0; i < replay->state_count; i++)
        oc_packed_clear(&replay->states[i].packed);
    oc_free(replay->states);
    oc_free(replay->slots);
    oc_free(replay);
}

uint64_t oc_replay_skipped(const oc_replay *replay) { return replay->skipped; }

/* Where (source, block) is or would be. Neighbours in id are neighbours here. */
static size_t slot_of(const oc_replay *replay, uint32_t source, unsigned block)
{
    size_t mask = replay->slot_count - 1;
    size_t slot = ((size_t)source * 2 + (size_t)block * 7) & mask;

    for (; replay->slots[slot]; slot = (slot + 1) & mask) {
        const struct replay_state *state = &replay->states[replay->slots[slot] - 1];

        if (state->source == source && state->block == block)
            break;
    }
    return slot;
}

static int grow_slots(oc_replay *replay)
{
    size_t wanted = replay->slot_count ? replay->slot_count * 2 : 64;
    uint32_t *slots = oc_calloc(wanted, sizeof *slots);

    if (!slots)
        return OC_E_NOMEM;
    oc_free(replay->slots);
    replay->slots = slots;
    replay->slot_count = wanted;
    assert(replay->states || replay->state_count == 0);
    for (size_t i = 0; i < replay->state_count; i++)
        slots[slot_of(replay, replay->states[i].source, replay->states[i].block)] = (uint32_t)i + 1;
    return OC_OK;
}

static struct replay_state *find(const oc_replay *replay, uint32_t source, unsigned block)
{
    uint32_t index = replay->slot_count ? replay->slots[slot_of(replay, source, block)] : 0;

    return index ? &replay->states[index - 1] : NULL;
}

/* The state of (source, block), made where there was none. NULL where memory is short. */
static struct replay_state *find_or_add(oc_replay *replay, uint32_t source, unsigned block)
{
    struct replay_state *state = find(replay, source, block);
    void *states = replay->states;
    size_t count = replay->state_count;

    if (state)
        return state;
    if ((count + 1) * 2 > replay->slot_count && grow_slots(replay) < 0)
        return NULL;
    if (oc_array_grow(&states, &replay->state_cap, count + 1, sizeof *state, OC_REPLAY_MAX_STATES) <
        0)
        return NULL;
    replay->states = states;
    state = &replay->states[count];
    *state = (struct replay_state){ .source = source, .block = (uint8_t)block };
    replay->slots[slot_of(replay, source, block)] = (uint32_t)count + 1;
    replay->state_count++;
    return state;
}

static int give(oc_replay *replay, const struct replay_state *state, int same, oc_replay_fn *fn,
                void *context)
{
    if (!fn)
        return OC_OK;
    replay->sample.block = state->block;
    oc_packed_get(&state->packed, &replay->sample);
    return fn(state->source, state->t_ms, &replay->sample, same, context);
}

static int replay_sample(oc_replay *replay, const struct oc_journal_entry *entry, oc_replay_fn *fn,
                         void *context)
{
    struct replay_state *state;
    const uint8_t *after;
    int rc;

    if (entry->block >= OC_BLOCK_COUNT) {
        replay->skipped++; /* a block of a newer oomcast */
        return OC_OK;
    }
    state = find_or_add(replay, entry->source, entry->block);
    if (!state)
        return OC_E_NOMEM;
    if (entry->kind != OC_DELTA_RESET && !state->is_set) {
        replay->skipped++;
        return OC_OK;
    }
    rc = oc_delta_get(&state->packed, entry->kind, entry->body, entry->body + entry->body_bytes,
                      &after);
    if (rc < 0)
        return rc;
    state->is_set = 1;
    state->t_ms = entry->t_ms;
    return give(replay, state, 0, fn, context);
}

/* All blocks of a source stand as they were. */
static int replay_same(oc_replay *replay, uint32_t source, int64_t t_ms, oc_replay_fn *fn,
                       void *context)
{
    int rc = OC_OK, found = 0;

    for (unsigned block = 0; block < OC_BLOCK_COUNT && rc == OC_OK; block++) {
        struct replay_state *state = find(replay, source, block);

        if (!state || !state->is_set)
            continue;
        found = 1;
        state->t_ms = t_ms;
        rc = give(replay, state, 1, fn, context);
    }
    if (!found)
        replay->skipped++;
    return rc;
}

static int replay_sames(oc_replay *replay, const struct oc_journal_entry *entry, oc_replay_fn *fn,
                        void *context)
{
    uint32_t first = entry->source, last = entry->source + entry->same_count - 1;
    int rc = OC_OK;

    if (replay->only_source != UINT32_MAX) {
        if (replay->only_source < first || replay->only_source > last)
            return OC_OK;
        first = last = replay->only_source;
    }
    if (last - first > OC_REPLAY_MAX_STATES)
        return OC_E_PARSE;
    for (uint32_t source = first; rc == OC_OK; source++) {
        rc = replay_same(replay, source, entry->t_ms, fn, context);
        if (source == last)
            break;
    }
    return rc;
}

static int replay_entry(oc_replay *replay, const struct oc_journal_entry *entry, oc_replay_fn *fn,
                        void *context)
{
    if (entry->same_count)
        return replay_sames(replay, entry, fn, context);
    if (replay->only_source != UINT32_MAX && entry->source != replay->only_source)
        return OC_OK;
    return replay_sample(replay, entry, fn, context);
}

int oc_replay_row(oc_replay *replay, int keyed, const void *blob, size_t blob_bytes,
                  oc_replay_fn *fn, void *context)
{
    struct oc_journal_cursor cursor;
    struct oc_journal_entry entry;
    uint8_t *owned;
    const uint8_t *body;
    size_t body_bytes;
    int rc = oc_journal_unpack(blob, blob_bytes, &owned, &body, &body_bytes);

    if (rc < 0)
        return rc;
    for (size_t i = 0; keyed && i < replay->state_count; i++)
        replay->states[i].is_set = 0;
    oc_journal_cursor_init(&cursor, body, body_bytes);
    while ((rc = oc_journal_next(&cursor, &entry)) == 1) {
        rc = replay_entry(replay, &entry, fn, context);
        if (rc != OC_OK)
            break;
    }
    oc_free(owned);
    return rc;
}

int oc_replay_each(const oc_replay *replay, oc_replay_fn *fn, void *context)
{
    struct oc_sample sample;
    int rc = OC_OK;

    for (size_t i = 0; i < replay->state_count && rc == OC_OK; i++) {
        const struct replay_state *state = &replay->states[i];

        if (!state->packed.known && !state->is_set)
            continue;
        sample.block = state->block;
        oc_packed_get(&state->packed, &sample);
        rc = fn(state->source, state->t_ms, &sample, 0, context);
    }
    return rc;
}
