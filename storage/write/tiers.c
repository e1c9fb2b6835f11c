#include "storage/write/upkeep_impl.h"

#include "base/alloc.h"
#include "base/err.h"
#include "storage/format/varint.h"

#include <string.h>

/* Rows of a chunk: four hours of minutes, a week of hours; until then the tier below answers. */
#define OC_MINUTE_ROWS 240
#define OC_HOUR_ROWS 168

struct tier_plan {
    enum oc_tier tier, below;
    int64_t row_ms;
    unsigned rows;
};

static struct tier_plan plan_of(enum oc_tier tier)
{
    return (struct tier_plan){ .tier = tier,
                               .below = (enum oc_tier)(tier - 1),
                               .row_ms = oc_tiers[tier].resolution_ms,
                               .rows = tier == OC_TIER_MINUTE ? OC_MINUTE_ROWS : OC_HOUR_ROWS };
}

/* ---- where to begin and end ---- */

static int64_t floor_to(int64_t t_ms, int64_t step_ms)
{
    return t_ms - ((t_ms % step_ms) + step_ms) % step_ms;
}

/* ---- folding rows into longer rows ---- */

static struct oc_fold_column *column_of(struct oc_upkeep *upkeep, unsigned bit)
{
    struct oc_fold_column *column = &upkeep->columns[bit];
    int64_t *memory;

    if (!column->count) {
        memory = oc_malloc(OC_FOLD_ROWS * (5 * sizeof *memory + 1));
        if (!memory)
            return NULL;
        column->count = memory;
        column->last = memory + OC_FOLD_ROWS;
        column->low = memory + (size_t)2 * OC_FOLD_ROWS;
        column->high = memory + (size_t)3 * OC_FOLD_ROWS;
        column->excess = memory + (size_t)4 * OC_FOLD_ROWS;
        column->known = (uint8_t *)(memory + (size_t)5 * OC_FOLD_ROWS);
    }
    if (!column->is_used) {
        memset(column->known, 0, OC_FOLD_ROWS);
        column->is_used = 1;
        column->sum = 0;
        column->has_first = 0;
    }
    return column;
}

/* What is folded in at a time: one raw value, or a row of the tier below. */
struct part {
    int64_t count, last, min, max, sum;
};

static void fold(struct oc_fold_column *column, unsigned row, const struct part *part)
{
    if (!column->has_first)
        column->first = part->last;
    column->has_first = 1;
    if (!column->known[row]) {
        column->known[row] = 1;
        column->count[row] = column->excess[row] = 0;
        column->low[row] = part->min;
        column->high[row] = part->max;
    }
    column->count[row] += part->count;
    column->last[row] = part->last;
    if (part->min < column->low[row])
        column->low[row] = part->min;
    if (part->max > column->high[row])
        column->high[row] = part->max;
    column->excess[row] = oc_wrap_add(column->excess[row], part->sum);
    column->sum += (double)part->sum;
}

/* The samples of a chunk that lie in this piece, and the row that each belongs to. */
struct piece {
    const struct tier_plan *plan;
    int64_t from_ms, until_ms;
    uint32_t first, end; /* of the chunk now open */
};

/* Finds the row of each sample in [from, until); times must be ascending over all chunks. */
static void place_rows(struct oc_upkeep *upkeep, struct piece *piece, uint32_t sample_count)
{
    const int64_t *t = upkeep->times;
    int64_t row_end_ms = INT64_MIN; /* of the row of the sample before, in this chunk */

    piece->first = 0;
    while (piece->first < sample_count && t[piece->first] < piece->from_ms)
        piece->first++;
    for (piece->end = piece->first; piece->end < sample_count; piece->end++) {
        int64_t begin_ms;

        if (t[piece->end] >= piece->until_ms)
            break;
        if (t[piece->end] >= row_end_ms) {
            begin_ms = floor_to(t[piece->end], piece->plan->row_ms);
            row_end_ms = begin_ms + piece->plan->row_ms;
            if (!upkeep->fold_rows || upkeep->fold_times[upkeep->fold_rows - 1] < begin_ms) {
                if (upkeep->fold_rows == piece->plan->rows)
                    break;
                upkeep->fold_times[upkeep->fold_rows++] = begin_ms;
            }
        }
        upkeep->rows[piece->end] = (uint16_t)(upkeep->fold_rows - 1);
    }
}

static int fold_raw(struct oc_upkeep *upkeep, const struct oc_chunk *chunk, unsigned index,
                    const struct piece *piece)
{
    unsigned bit = OC_COLUMN_NUMBER(chunk->columns[index].id) % OC_BLOCK_METRICS;
    struct oc_fold_column *column;
    int rc = oc_chunk_values(chunk, index, upkeep->values, upkeep->known);

    if (rc < 0)
        return rc;
    column = column_of(upkeep, bit);
    if (!column)
        return OC_E_NOMEM;
    for (uint32_t i = piece->first; i < piece->end; i++) {
        struct part part = { 1, upkeep->values[i], upkeep->values[i], upkeep->values[i],
                             upkeep->values[i] };

        if (!upkeep->known[i])
            continue;
        fold(column, upkeep->rows[i], &part);
    }
    return OC_OK;
}

static int tier_scratch(struct oc_upkeep *upkeep)
{
    for (int i = 0; i < 5; i++) {
        if (!upkeep->tier_values[i])
            upkeep->tier_values[i] =
                oc_malloc(OC_CHUNK_MAX_SAMPLES * sizeof *upkeep->tier_values[i]);
        if (!upkeep->tier_values[i])
            return OC_E_NOMEM;
    }
    return OC_OK;
}

static int fold_tier(struct oc_upkeep *upkeep, const struct oc_chunk *chunk, unsigned index,
                     const struct piece *piece)
{
    unsigned number = OC_COLUMN_NUMBER(chunk->columns[index].id);
    struct oc_tier_columns in;
    struct oc_fold_column *column;
    int rc = tier_scratch(upkeep);

    if (rc < 0)
        return rc;
    in = (struct oc_tier_columns){ upkeep->tier_values[0], upkeep->tier_values[1],
                                   upkeep->tier_values[2], upkeep->tier_values[3],
                                   upkeep->tier_values[4] };
    rc = oc_chunk_tier(chunk, number, &in, upkeep->known);
    if (rc < 0)
        return rc;
    column = column_of(upkeep, number % OC_BLOCK_METRICS);
    if (!column)
        return OC_E_NOMEM;
    for (uint32_t i = piece->first; i < piece->end; i++) {
        struct part part = { in.count[i], in.last[i], in.min[i], in.max[i], in.sum[i] };

        if (!in.count[i])
            continue;
        fold(column, upkeep->rows[i], &part);
    }
    return OC_OK;
}

/* Folds a chunk of the tier below. Returns 1 where the piece is full or its end was passed. */
static int fold_chunk(oc_store *store, const void *blob, size_t blob_bytes, struct piece *piece)
{
    struct oc_upkeep *upkeep = store->upkeep;
    struct oc_chunk chunk;
    int rc = oc_chunk_open(upkeep->reader, blob, blob_bytes, &chunk);

    if (rc == OC_OK)
        rc = oc_chunk_times(&chunk, upkeep->times);
    if (rc < 0)
        return rc;
    place_rows(upkeep, piece, chunk.sample_count);
    for (unsigned c = 0; c < chunk.column_count && rc == OC_OK; c++) {
        unsigned role = OC_COLUMN_ROLE(chunk.columns[c].id);

        if (piece->plan->below == OC_TIER_RAW && role == OC_ROLE_VALUE)
            rc = fold_raw(upkeep, &chunk, c, piece);
        else if (piece->plan->below != OC_TIER_RAW && role == OC_ROLE_COUNT)
            rc = fold_tier(upkeep, &chunk, c, piece);
    }
    return rc < 0 ? rc : piece->end < chunk.sample_count;
}

static int fold_chunks(oc_store *store, const struct oc_upkeep_source *source, unsigned block,
                       struct piece *piece, int64_t from_rowid)
{
    sqlite3_stmt *statement = oc_upkeep_tier_statement(store, piece->plan->below, OC_TIER_AFTER);
    int rc = OC_OK, sql_rc = SQLITE_DONE;

    if (!statement)
        return oc_sqlite_err(store->last_sqlite_rc);
    oc_upkeep_bind_source(statement, source->id);
    (void)sqlite3_bind_int64(statement, 1, from_rowid);
    (void)sqlite3_bind_int64(statement, 3, block);
    while (rc == OC_OK && (sql_rc = sqlite3_step(statement)) == SQLITE_ROW) {
        if (sqlite3_column_int64(statement, 2) < piece->from_ms)
            continue;
        rc = fold_chunk(store, sqlite3_column_blob(statement, 5),
                        (size_t)sqlite3_column_bytes(statement, 5), piece);
        if (rc == OC_E_PARSE || rc == OC_E_NEWER)
            rc = OC_OK; /* a damaged chunk leaves a gap */
    }
    (void)sqlite3_reset(statement); /* says again what step said */
    if (rc < 0)
        return rc;
    return rc == 1 ? OC_OK : oc_sqlite_err(sql_rc);
}

/* ---- the chunk ---- */

/* min, max and sum become what is stored beside the last value. Adds up the summary. */
static void finish_column(struct oc_fold_column *column, unsigned number, unsigned rows,
                          struct oc_summary *out_summary)
{
    struct oc_summary sum = { .number = number, .first = column->first, .sum = column->sum };

    for (unsigned i = 0; i < rows; i++) {
        int64_t low, high;

        if (!column->known[i])
            continue;
        low = column->low[i];
        high = column->high[i];
        if (sum.count == 0 || low < sum.min)
            sum.min = low;
        if (sum.count == 0 || high > sum.max)
            sum.max = high;
        sum.count += (uint64_t)column->count[i];
        sum.last = column->last[i];
        column->excess[i] =
            oc_wrap_sub(column->excess[i], (int64_t)((uint64_t)column->count[i] * (uint64_t)low));
        column->low[i] = oc_wrap_sub(column->last[i], low);
        column->high[i] = oc_wrap_sub(high, column->last[i]);
    }
    *out_summary = sum;
}

static int add_columns(oc_store *store, unsigned block)
{
    struct oc_upkeep *upkeep = store->upkeep;
    unsigned rows = upkeep->fold_rows;
    int rc = oc_chunk_begin(store->codec, upkeep->fold_times, rows);

    for (unsigned bit = 0; bit < OC_BLOCK_METRICS && rc == OC_OK; bit++) {
        struct oc_fold_column *c = &upkeep->columns[bit];
        unsigned number = OC_METRIC_NUMBER(block, bit);
        struct oc_summary summary;
        const int64_t *parts[] = { c->last, c->low, c->high, c->excess, c->count };

        if (!c->is_used)
            continue;
        finish_column(c, number, rows, &summary);
        if (!summary.count)
            continue;
        for (unsigned role = OC_ROLE_LAST; role <= OC_ROLE_COUNT && rc == OC_OK; role++)
            rc = oc_chunk_add(store->codec, OC_COLUMN_ID(number, role), parts[role - OC_ROLE_LAST],
                              c->known);
        if (rc == OC_OK)
            rc = oc_chunk_summarize(store->codec, &summary, rows);
    }
    return rc;
}

struct put {
    enum oc_tier tier;
    struct oc_chunk_put chunk;
};

static int put_chunk(oc_store *store, void *context)
{
    const struct put *put = context;

    return oc_store_put_chunk(store, oc_upkeep_tier_statement(store, put->tier, OC_TIER_PUT),
                              &put->chunk);
}

static int write_chunk(oc_store *store, unsigned block, enum oc_tier tier, int64_t rowid)
{
    struct oc_upkeep *upkeep = store->upkeep;
    struct put put = { .tier = tier,
                       .chunk = { .rowid = rowid,
                                  .t0_ms = upkeep->fold_times[0],
                                  .t1_ms = upkeep->fold_times[upkeep->fold_rows - 1],
                                  .block = block,
                                  .rows = upkeep->fold_rows } };
    int rc = add_columns(store, block);

    if (rc == OC_OK)
        rc = oc_chunk_end(store->codec, &put.chunk.blobs);
    return rc == OC_OK ? oc_upkeep_transaction(store, put_chunk, &put) : rc;
}

/* Above the chunk that is found; the source's first rowid where there is none. 0 or a code. */
static int rowid_above(oc_store *store, const struct oc_tier_question *question, int64_t *out_rowid)
{
    struct oc_tier_chunk found;
    int rc = oc_upkeep_find(store, question, &found);

    if (rc >= 0)
        *out_rowid = rc == 1 ? found.rowid + 1 : OC_CHUNK_ROWID(question->source, 0);
    return rc < 0 ? rc : OC_OK;
}

static int fold_piece(oc_store *store, const struct oc_upkeep_source *source, unsigned block,
                      struct piece *piece)
{
    struct oc_upkeep *upkeep = store->upkeep;
    struct oc_tier_question before = { .tier = piece->plan->below,
                                       .which = OC_TIER_BEFORE,
                                       .source = source->id,
                                       .block = block,
                                       .before_ms = piece->from_ms };
    struct oc_tier_question last = { .tier = piece->plan->tier,
                                     .which = OC_TIER_LAST_ANY,
                                     .source = source->id };
    int64_t from_rowid = 0, rowid = 0;
    int rc = rowid_above(store, &before, &from_rowid);

    upkeep->fold_rows = 0;
    for (int i = 0; i < OC_BLOCK_METRICS; i++)
        upkeep->columns[i].is_used = 0;
    if (rc == OC_OK)
        rc = fold_chunks(store, source, block, piece, from_rowid);
    if (rc < 0 || !upkeep->fold_rows)
        return rc;
    rc = rowid_above(store, &last, &rowid);
    if (rc == OC_OK)
        rc = write_chunk(store, block, piece->plan->tier, rowid);
    if (rc == OC_OK && piece->plan->tier == OC_TIER_MINUTE)
        rc = oc_merge_step(store, source->id, block, piece->from_ms,
                           upkeep->fold_times[upkeep->fold_rows - 1] + piece->plan->row_ms);
    return rc < 0 ? rc : 1;
}

/* Whether a chunk's worth of rows waits to be made: 1, 0 or a code. */
static int is_full(oc_store *store, const struct oc_upkeep_source *source,
                   const struct piece *piece, int64_t last_ms)
{
    struct oc_tier_question question = { .tier = piece->plan->below,
                                         .which = OC_TIER_FIRST,
                                         .source = source->id };
    struct oc_tier_chunk first = { .t0_ms = last_ms };
    int64_t begin_ms = piece->from_ms;

    if (begin_ms == INT64_MIN) {
        int rc = oc_upkeep_find(store, &question, &first);

        if (rc < 0)
            return rc;
        begin_ms = first.t0_ms;
    }
    return piece->until_ms - begin_ms >= (int64_t)piece->plan->rows * piece->plan->row_ms;
}

int oc_tiers_step(oc_store *store, const struct oc_upkeep_source *source, unsigned block,
                  enum oc_tier tier)
{
    struct tier_plan plan = plan_of(tier);
    struct piece piece = { .plan = &plan, .from_ms = INT64_MIN };
    struct oc_tier_question question = {
        .tier = plan.below, .which = OC_TIER_LAST, .source = source->id, .block = block
    };
    struct oc_tier_chunk below, done;
    int rc = oc_upkeep_find(store, &question, &below);

    if (rc <= 0)
        return rc;
    question.tier = tier;
    rc = oc_upkeep_find(store, &question, &done);
    if (rc < 0)
        return rc;
    if (rc == 1)
        piece.from_ms = done.t1_ms + plan.row_ms;
    /* the row in which the last sample lies may still grow, unless it was the last one for ever */
    piece.until_ms = source->ended ? INT64_MAX : floor_to(below.t1_ms, plan.row_ms);
    if (piece.from_ms > below.t1_ms)
        return OC_OK;
    rc = source->ended ? 1 : is_full(store, source, &piece, below.t1_ms);
    return rc == 1 ? fold_piece(store, source, block, &piece) : rc;
}
