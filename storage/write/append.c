#include "storage/write/store_impl.h"

#include "base/err.h"

/* A chunk ends early where its open bytes would be more than this: 512 wild samples of 16 figures. */
#define OC_TAIL_MAX_BYTES (40u << 10)

static void make_due(oc_store *store, uint32_t source, struct oc_tail *tail)
{
    if (!tail->due)
        oc_store_note_due(store, source);
    tail->due = 1;
}

/* The first chunk of a source ends anywhere from a quarter of the limit on, so that sources that began together do not all end a chunk together. */
static uint32_t first_limit(const oc_store *store, uint32_t source)
{
    uint32_t limit = store->options.seal_samples, least = limit / 4 + 1;

    return least + (uint32_t)((source * UINT64_C(2654435761) & UINT32_MAX) * (limit - least) >> 32);
}

static void note_first(oc_store *store, struct oc_open_source *source, struct oc_tail *tail,
                       int64_t row)
{
    tail->first_row = row;
    tail->seal_samples =
        tail->seal_samples ? store->options.seal_samples : first_limit(store, source->id);
}

/* Memory for open samples is three quarters full: the larger half of the tails end their chunks early. */
static int is_pressed(const oc_store *store, const struct oc_tail *tail)
{
    uint64_t max_bytes = store->options.max_open_bytes;

    return (uint64_t)store->pool.used_blocks * OC_POOL_BLOCK_BYTES > max_bytes / 4 * 3 &&
           (uint64_t)tail->bytes * store->source_count > max_bytes / 2;
}

/* Whether the open samples are enough for a chunk. Age is staggered as the count is. */
static void check_due(oc_store *store, uint32_t source, struct oc_tail *tail)
{
    int64_t age_ms = store->options.seal_age_ms / store->options.seal_samples * tail->seal_samples;

    if (tail->sample_count >= tail->seal_samples || tail->bytes >= OC_TAIL_MAX_BYTES ||
        tail->last_t_ms - tail->t0_ms >= age_ms || is_pressed(store, tail))
        make_due(store, source, tail);
}

/* The oldest open samples go, so that the newest can be kept. Returns 0 where none could. */
static int lose_oldest(oc_store *store, const struct oc_tail *but)
{
    struct oc_tail *oldest = NULL;

    for (size_t i = 0; i < store->source_count; i++)
        for (struct oc_tail *s = &store->sources[i]->tail; s; s = s->next)
            if (s != but && s->first_block != OC_POOL_NONE && (!oldest || s->t0_ms < oldest->t0_ms))
                oldest = s;
    if (!oldest)
        return 0;
    store->stats.lost_samples += oldest->sample_count;
    oc_tail_empty(oldest, &store->pool);
    return 1;
}

/* Puts a sample that differs (or begins the open ones) into the tail. */
static int put_open(oc_store *store, struct oc_tail *tail, int64_t t_ms,
                    const struct oc_sample *sample)
{
    uint8_t body[OC_DELTA_MAX_BYTES];
    enum oc_delta_kind kind;
    int rc;

    do {
        size_t bytes = oc_delta_put(&tail->last, sample, tail->sample_count == 0, body, &kind);

        rc = oc_tail_sample(tail, &store->pool, t_ms, sample, kind, body, bytes);
    } while (rc == OC_E_TOOBIG && lose_oldest(store, tail));
    return rc;
}

/* The last sample once more. */
static int same_open(oc_store *store, struct oc_tail *tail, int64_t t_ms)
{
    struct oc_sample sample;
    int rc;

    if (tail->sample_count == 0) {
        oc_packed_get(&tail->last, &sample);
        return put_open(store, tail, t_ms, &sample);
    }
    do
        rc = oc_tail_same(tail, &store->pool, t_ms);
    while (rc == OC_E_TOOBIG && lose_oldest(store, tail));
    return rc;
}

/* ---- from a tick ---- */

static void count_sample(oc_store *store, const struct oc_tail *tail)
{
    store->stats.samples++;
    store->stats.values += oc_popcount64(tail->last.known);
    store->samples_since_keyed++;
}

/* The sample now last in the tail, into the journal: whole where this is its first since the keyed row. */
static void journal_last(oc_store *store, uint32_t source, struct oc_tail *tail)
{
    struct oc_sample sample;
    uint8_t body[OC_DELTA_MAX_BYTES];
    enum oc_delta_kind kind;
    size_t bytes;

    oc_packed_get(&tail->last, &sample);
    bytes = oc_delta_put(&tail->last, &sample, tail->epoch != store->epoch, body, &kind);
    oc_journal_sample(&store->journal, source, tail->block, kind, body, bytes);
    tail->epoch = store->epoch;
}

/* Whether every block of the source is in the journal since the keyed row, up to date and next in time. */
static int plain_same(const oc_store *store, const struct oc_open_source *source)
{
    for (const struct oc_tail *s = &source->tail; s; s = s->next)
        if (!s->has_last || s->epoch != store->epoch)
            return 0;
    return 1;
}

static int append_same(oc_store *store, struct oc_open_source *source, int64_t t_ms)
{
    int plain = plain_same(store, source), rc = OC_OK;

    if (!source->has_tail)
        return OC_E_NOENT;
    for (struct oc_tail *s = &source->tail; s; s = s->next)
        if (!s->has_last || s->stale || t_ms <= s->last_t_ms)
            return OC_E_INVAL;
    for (struct oc_tail *s = &source->tail; s && rc == OC_OK; s = s->next) {
        if (s->sample_count == 0)
            note_first(store, source, s, store->next_row);
        rc = same_open(store, s, t_ms);
        if (rc < 0)
            break;
        if (!plain)
            journal_last(store, source->id, s);
        count_sample(store, s);
        check_due(store, source->id, s);
    }
    if (plain && rc == OC_OK)
        oc_journal_same(&store->journal, source->id);
    return rc;
}

/* A whole sample of one block. */
static int append_sample(oc_store *store, struct oc_open_source *source, int64_t t_ms,
                         const struct oc_sample *sample)
{
    struct oc_tail *tail = oc_store_tail(source, sample->block, 1);
    uint8_t body[OC_DELTA_MAX_BYTES];
    enum oc_delta_kind kind;
    size_t bytes;
    int rc;

    if (!tail)
        return OC_E_NOMEM;
    if (tail->has_last && t_ms <= tail->last_t_ms)
        return OC_E_INVAL;
    tail->stale = 0;
    if (!tail->next && tail == &source->tail && tail->has_last &&
        oc_packed_equals(&tail->last, sample))
        return append_same(store, source, t_ms);
    bytes = oc_delta_put(&tail->last, sample, tail->epoch != store->epoch || !tail->has_last, body,
                         &kind);
    if (tail->sample_count == 0)
        note_first(store, source, tail, store->next_row);
    if (tail->sample_count && kind != OC_DELTA_RESET) {
        rc = oc_tail_sample(tail, &store->pool, t_ms, sample, kind, body, bytes);
        if (rc == OC_E_TOOBIG)
            rc = put_open(store, tail, t_ms, sample);
    } else {
        rc = put_open(store, tail, t_ms, sample);
    }
    if (rc < 0) {
        tail->stale = 1;
        return rc;
    }
    tail->epoch = store->epoch;
    oc_journal_sample(&store->journal, source->id, tail->block, kind, body, bytes);
    count_sample(store, tail);
    check_due(store, source->id, tail);
    return OC_OK;
}

static int append_entry(oc_store *store, const struct oc_tick_entry *entry, int64_t t_ms)
{
    struct oc_open_source *source = oc_store_find(store, entry->source);

    if (!source || source->ended)
        return OC_E_NOENT;
    return entry->same ? append_same(store, source, t_ms)
                       : append_sample(store, source, t_ms, &entry->sample);
}

/* The journal of the batch grew beyond its maximum or memory: what it holds is kept by sealing all with the next commit. */
static void drop_journal(oc_store *store)
{
    oc_journal_writer_reset(&store->journal);
    store->must_seal_all = 1;
    store->epoch++;
    store->batch_keyed = 1;
    store->samples_since_keyed = 0;
}

int oc_store_append(oc_store *store, const struct oc_tick *tick)
{
    struct oc_tick_cursor cursor;
    struct oc_tick_entry entry;
    int rc, short_rc = OC_OK;

    if (store->journal.body.err)
        drop_journal(store);
    if (store->journal.sample_count == 0)
        store->batch_t0_ms = store->batch_t1_ms = tick->t_ms;
    store->batch_t0_ms = tick->t_ms < store->batch_t0_ms ? tick->t_ms : store->batch_t0_ms;
    store->batch_t1_ms = tick->t_ms > store->batch_t1_ms ? tick->t_ms : store->batch_t1_ms;
    store->source_hint = 0;
    oc_tick_cursor_init(&cursor, tick->bytes.data, tick->bytes.len_bytes);
    oc_journal_tick_begin(&store->journal, tick->t_ms);
    while ((rc = oc_tick_next(&cursor, &entry)) == 1) {
        int entry_rc = append_entry(store, &entry, tick->t_ms);

        store->stats.dropped_entries += entry_rc < 0;
        if (entry_rc == OC_E_NOMEM)
            short_rc = entry_rc; /* the rest may still fit: told at the end */
    }
    oc_journal_tick_end(&store->journal);
    if (store->journal.body.err)
        drop_journal(store);
    return rc < 0 ? rc : short_rc;
}

/* ---- from the journal ---- */

int oc_store_take_back(oc_store *store, struct oc_open_source *source, int64_t t_ms,
                       const struct oc_sample *sample, int same, int64_t row)
{
    struct oc_tail *tail = oc_store_tail(source, sample->block, 1);
    int rc;

    if (!tail)
        return OC_E_NOMEM;
    if (tail->has_last && t_ms <= tail->last_t_ms)
        return 0;
    if (t_ms <= source->sealed_until_ms[sample->block]) { /* in a chunk: only the last one counts */
        rc = oc_packed_set(&tail->last, sample);
        tail->has_last = rc == OC_OK;
        tail->last_t_ms = t_ms;
        tail->seal_samples = store->options.seal_samples;
        return rc;
    }
    if (tail->sample_count == 0)
        note_first(store, source, tail, row);
    rc =
        same && tail->has_last ? same_open(store, tail, t_ms) : put_open(store, tail, t_ms, sample);
    if (rc < 0)
        return rc;
    check_due(store, source->id, tail);
    return 1;
}
