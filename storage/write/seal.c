#include "storage/write/store_impl.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

/* A source that stopped ticking without an end is sealed after so many seal ages. */
#define OC_SEAL_IDLE_AGES 2
#define OC_SEAL_SWEEPS_PER_AGE 8

int oc_store_grow_scratch(oc_store *store, size_t rows, size_t columns, size_t bytes)
{
    size_t values = rows * columns;
    void *grown;

    if (bytes > store->seal_bytes_cap) {
        grown = oc_realloc(store->seal_bytes, bytes);
        if (!grown)
            return OC_E_NOMEM;
        store->seal_bytes = grown;
        store->seal_bytes_cap = bytes;
    }
    if (rows > store->seal_rows_cap) {
        oc_free(store->seal_times);
        oc_free(store->seal_known);
        oc_free(store->seal_flags);
        store->seal_rows_cap = 0;
        store->seal_times = oc_malloc(rows * sizeof *store->seal_times);
        store->seal_known = oc_malloc(rows * sizeof *store->seal_known);
        store->seal_flags = oc_malloc(rows);
        if (!store->seal_times || !store->seal_known || !store->seal_flags)
            return OC_E_NOMEM;
        store->seal_rows_cap = rows;
    }
    if (values > store->seal_values_cap) {
        grown = oc_realloc(store->seal_values, values * sizeof *store->seal_values);
        if (!grown)
            return OC_E_NOMEM;
        store->seal_values = grown;
        store->seal_values_cap = values;
    }
    return OC_OK;
}

void oc_store_seal_clear(oc_store *store)
{
    oc_free(store->seal_bytes);
    oc_free(store->seal_times);
    oc_free(store->seal_known);
    oc_free(store->seal_flags);
    oc_free(store->seal_values);
}

/* Figures known in all samples. */
static uint64_t always_known(const oc_store *store, uint32_t rows)
{
    uint64_t always = UINT64_MAX;

    for (uint32_t i = 0; i < rows; i++)
        always &= store->seal_known[i];
    return always;
}

/* In which samples the bit is known. */
static const uint8_t *flags_of(oc_store *store, uint64_t bit, uint32_t rows)
{
    for (uint32_t i = 0; i < rows; i++)
        store->seal_flags[i] = (store->seal_known[i] & bit) != 0;
    return store->seal_flags;
}

/* All columns and their summaries into the codec. */
static int encode_columns(oc_store *store, const struct oc_tail *tail, uint64_t ever)
{
    const int64_t *values = store->seal_values;
    uint32_t rows = tail->sample_count;
    uint64_t always = always_known(store, rows);
    int rc = oc_chunk_begin(store->codec, store->seal_times, rows);

    for (unsigned bit = 0; bit < OC_BLOCK_METRICS && rc == OC_OK; bit++) {
        unsigned number = OC_METRIC_NUMBER(tail->block, bit);
        const uint8_t *flags;
        struct oc_summary summary;

        if (!(ever >> bit & 1))
            continue;
        flags = always >> bit & 1 ? NULL : flags_of(store, UINT64_C(1) << bit, rows);
        oc_summary_of(number, values, flags, rows, &summary);
        rc = oc_chunk_add(store->codec, OC_COLUMN_ID(number, OC_ROLE_VALUE), values, flags);
        if (rc == OC_OK)
            rc = oc_chunk_summarize(store->codec, &summary, rows);
        values += rows;
    }
    return rc;
}

int oc_store_tail_columns(oc_store *store, const struct oc_tail *tail, uint64_t *out_ever)
{
    int rc = oc_store_grow_scratch(store, tail->sample_count, 0, tail->bytes + OC_DELTA_MAX_BYTES);

    if (rc == OC_OK)
        rc = oc_tail_ever(tail, &store->pool, store->seal_bytes, out_ever);
    if (rc == OC_OK)
        rc = oc_store_grow_scratch(store, tail->sample_count, oc_popcount64(*out_ever), 0);
    if (rc == OC_OK)
        rc = oc_tail_columns(tail, &store->pool, store->seal_bytes, *out_ever, store->seal_times,
                             store->seal_known, store->seal_values);
    return rc;
}

static int encode(oc_store *store, const struct oc_tail *tail, struct oc_chunk_blobs *out_blobs)
{
    uint64_t ever = 0;
    int rc = oc_store_tail_columns(store, tail, &ever);

    if (rc == OC_OK)
        rc = encode_columns(store, tail, ever);
    return rc == OC_OK ? oc_chunk_end(store->codec, out_blobs) : rc;
}

static int seal_tail(oc_store *store, struct oc_open_source *source, struct oc_tail *tail)
{
    struct oc_chunk_put put = { .rowid = OC_CHUNK_ROWID(source->id, source->next_chunk),
                                .block = tail->block,
                                .t0_ms = tail->t0_ms,
                                .t1_ms = tail->last_t_ms,
                                .rows = tail->sample_count };
    int rc = encode(store, tail, &put.blobs);

    if (rc < 0)
        return rc;
    rc = oc_store_put_chunk(store, oc_store_statement(store, OC_SQL_RAW_PUT), &put);
    if (rc < 0)
        return rc;
    source->next_chunk++;
    tail->sealing = 1;
    return OC_OK;
}

static int seal_source(oc_store *store, struct oc_open_source *source)
{
    int rc = OC_OK;

    for (struct oc_tail *s = &source->tail; s && rc == OC_OK; s = s->next)
        if (s->sample_count && !s->sealing && (s->due || source->ended || store->must_seal_all))
            rc = seal_tail(store, source, s);
    return rc;
}

/* ---- which sources ---- */

void oc_store_note_due(oc_store *store, uint32_t source)
{
    if (store->due_count < OC_STORE_DUE_LIST)
        store->due[store->due_count] = source;
    store->due_count++;
}

/* The i-th source that may be due: from the list, or of all where it did not hold them. NULL: it left. */
static struct oc_open_source *due_source(oc_store *store, size_t i)
{
    if (store->must_seal_all || store->due_count > OC_STORE_DUE_LIST)
        return store->sources[i];
    return oc_store_find(store, store->due[i]);
}

static size_t due_sources(const oc_store *store)
{
    return store->must_seal_all || store->due_count > OC_STORE_DUE_LIST ? store->source_count
                                                                        : store->due_count;
}

int oc_store_seal_due(oc_store *store)
{
    size_t count = due_sources(store);
    int rc = OC_OK;

    for (size_t i = 0; i < count && rc == OC_OK; i++) {
        struct oc_open_source *source = due_source(store, i);

        if (source)
            rc = seal_source(store, source);
    }
    return rc;
}

void oc_store_sealed(oc_store *store)
{
    size_t count = due_sources(store);
    int any_ended = 0;

    for (size_t i = 0; i < count; i++) {
        struct oc_open_source *source = due_source(store, i);

        for (struct oc_tail *s = source ? &source->tail : NULL; s; s = s->next) {
            if (!s->sealing)
                continue;
            store->stats.chunks++;
            if (store->must_seal_all)
                s->seal_samples = 0; /* they must not all end together the next time */
            oc_tail_empty(s, &store->pool);
        }
        any_ended |= source && source->ended;
    }
    store->due_count = 0;
    store->must_seal_all = 0;
    if (any_ended)
        oc_store_drop_ended(store);
}

void oc_store_unsealed(oc_store *store)
{
    size_t count = due_sources(store);

    for (size_t i = 0; i < count; i++) {
        struct oc_open_source *source = due_source(store, i);

        for (struct oc_tail *s = source ? &source->tail : NULL; s; s = s->next) {
            source->next_chunk -= s->sealing;
            s->sealing = 0;
        }
    }
}

void oc_store_sweep(oc_store *store, int64_t now_boot_ms)
{
    int64_t age_ms = store->options.seal_age_ms;

    if (now_boot_ms - store->swept_boot_ms < age_ms / OC_SEAL_SWEEPS_PER_AGE)
        return;
    store->swept_boot_ms = now_boot_ms;
    for (size_t i = 0; i < store->source_count; i++)
        for (struct oc_tail *s = &store->sources[i]->tail; s; s = s->next)
            if (s->sample_count && !s->due &&
                now_boot_ms - s->t0_ms >= OC_SEAL_IDLE_AGES * age_ms) {
                s->due = 1;
                oc_store_note_due(store, store->sources[i]->id);
            }
}
