/* Samples of a source that runs, back out of the store: what came after a state that was saved. */
#include "storage/write/store_impl.h"

#include "base/err.h"

#include <string.h>

/* Samples as columns in the store's scratch memory: seal_times, seal_known, seal_values. */
struct giving {
    oc_store *store;
    const struct oc_since *since;
    oc_store_sample_fn *fn;
    void *context;
    int64_t given_ms; /* up to here: nothing is told twice */
    int given, stopped;
    struct oc_sample sample;
};

/* Row i; the columns are those of the bits in `ever`, `rows` values each. */
static void give_row(struct giving *giving, uint64_t ever, uint32_t rows, uint32_t i)
{
    const int64_t *values = giving->store->seal_values + i;
    uint64_t known = giving->store->seal_known[i] & giving->since->wanted;

    giving->sample.known = known;
    for (uint64_t bits = ever; bits; bits &= bits - 1, values += rows) {
        uint64_t bit = bits & (0 - bits);

        if (known & bit)
            giving->sample.values[oc_popcount64(bit - 1)] = *values;
    }
    giving->given_ms = giving->store->seal_times[i];
    giving->given++;
    giving->stopped = giving->fn(giving->given_ms, &giving->sample, giving->context) != 0;
}

static void give_rows(struct giving *giving, uint64_t ever, uint32_t rows)
{
    for (uint32_t i = 0; i < rows && !giving->stopped; i++)
        if (giving->store->seal_times[i] > giving->given_ms)
            give_row(giving, ever, rows, i);
}

/* ---- from a chunk ---- */

/* The wanted columns of the open chunk, side by side; *out_ever says which it has. */
static int decode_chunk(oc_store *store, const struct oc_since *since, const struct oc_chunk *chunk,
                        uint64_t *out_ever)
{
    uint32_t rows = chunk->sample_count;
    int64_t *values = store->seal_values;

    *out_ever = 0;
    memset(store->seal_known, 0, rows * sizeof *store->seal_known);
    for (uint64_t bits = since->wanted; bits; bits &= bits - 1) {
        uint64_t bit = bits & (0 - bits);
        unsigned number = OC_METRIC_NUMBER(since->block, oc_popcount64(bit - 1));
        int column = oc_chunk_find(chunk, number, OC_ROLE_VALUE), rc;

        if (column < 0)
            continue;
        rc = oc_chunk_values(chunk, (unsigned)column, values, store->seal_flags);
        if (rc < 0)
            return rc;
        for (uint32_t i = 0; i < rows; i++)
            store->seal_known[i] |= store->seal_flags[i] ? bit : 0;
        values += rows;
        *out_ever |= bit;
    }
    return oc_chunk_times(chunk, store->seal_times);
}

static int give_chunk(struct giving *giving, const void *blob, size_t blob_bytes)
{
    oc_store *store = giving->store;
    struct oc_chunk chunk;
    uint64_t ever = 0;
    int rc = blob ? oc_chunk_open(store->codec, blob, blob_bytes, &chunk) : OC_E_PARSE;

    if (rc == OC_OK)
        rc = oc_store_grow_scratch(store, chunk.sample_count, oc_popcount64(giving->since->wanted),
                                   0);
    if (rc == OC_OK)
        rc = decode_chunk(store, giving->since, &chunk, &ever);
    if (rc == OC_E_PARSE || rc == OC_E_NEWER)
        return OC_OK; /* damage is a gap: what follows is told all the same */
    if (rc == OC_OK)
        give_rows(giving, ever, chunk.sample_count);
    return rc;
}

static int give_chunks(struct giving *giving)
{
    sqlite3_stmt *statement = oc_store_statement(giving->store, OC_SQL_RAW_SINCE);
    int step = SQLITE_DONE, rc = OC_OK;

    if (!statement)
        return oc_sqlite_err(giving->store->last_sqlite_rc);
    (void)sqlite3_bind_int64(statement, 1, OC_CHUNK_ROWID(giving->since->source, 0));
    (void)sqlite3_bind_int64(statement, 2,
                             OC_CHUNK_ROWID(giving->since->source, OC_CHUNK_NUMBER_MAX));
    (void)sqlite3_bind_int64(statement, 3, giving->since->block);
    (void)sqlite3_bind_int64(statement, 4, giving->since->boot_ms);
    while (rc == OC_OK && !giving->stopped && (step = sqlite3_step(statement)) == SQLITE_ROW)
        rc = give_chunk(giving, sqlite3_column_blob(statement, 0),
                        (size_t)sqlite3_column_bytes(statement, 0));
    (void)sqlite3_reset(statement); /* says again what step said */
    return rc < 0 || giving->stopped ? rc : oc_sqlite_err(step);
}

/* ---- from what is not yet sealed ---- */

static int give_tail(struct giving *giving, const struct oc_tail *tail)
{
    oc_store *store = giving->store;
    uint64_t ever = 0;
    int rc;

    if (tail->sample_count == 0 || tail->last_t_ms <= giving->given_ms)
        return OC_OK;
    rc = oc_store_tail_columns(store, tail, &ever);
    if (rc == OC_OK)
        give_rows(giving, ever, tail->sample_count);
    return rc;
}

int oc_store_samples_since(oc_store *store, const struct oc_since *since, oc_store_sample_fn *fn,
                           void *context)
{
    struct giving giving = {
        .store = store, .since = since, .fn = fn, .context = context, .given_ms = since->boot_ms
    };
    struct oc_open_source *open = oc_store_find(store, since->source);
    const struct oc_tail *tail;
    int rc;

    if (!open || since->block >= OC_BLOCK_COUNT)
        return OC_E_NOENT;
    giving.sample.block = (uint8_t)since->block;
    rc = give_chunks(&giving);
    tail = oc_store_tail(open, since->block, 0);
    if (rc == OC_OK && tail && !giving.stopped)
        rc = give_tail(&giving, tail);
    return rc < 0 ? rc : giving.given;
}
