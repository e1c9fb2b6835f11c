#include "storage/sql/cursor.h"

#include "base/alloc.h"
#include "storage/read/range.h"

#include <string.h>

#define OC_VTABLE_NAMES_BYTES (64u << 20)

int oc_vcursor_init(struct oc_vcursor *cursor, sqlite3 *db, enum oc_tier tier)
{
    memset(cursor, 0, sizeof *cursor);
    oc_buf_init(&cursor->names, OC_VTABLE_NAMES_BYTES);
    cursor->tier = tier;
    cursor->phase = OC_VPHASE_END;
    return oc_scan_init(&cursor->scan, db);
}

/* Ends what is open, keeps the memory. */
static void rewind_cursor(struct oc_vcursor *cursor)
{
    (void)sqlite3_finalize(cursor->chunks);
    (void)sqlite3_finalize(cursor->journal);
    oc_replay_free(cursor->replay);
    cursor->chunks = NULL;
    cursor->journal = NULL;
    cursor->replay = NULL;
    cursor->chunk_is_open = cursor->column_is_open = 0;
    cursor->source_count = cursor->source_index = 0;
    cursor->cell_count = cursor->cell = 0;
    cursor->rowid = 0;
    cursor->phase = OC_VPHASE_END;
    oc_buf_reset(&cursor->names);
}

void oc_vcursor_clear(struct oc_vcursor *cursor)
{
    rewind_cursor(cursor);
    oc_buf_clear(&cursor->names);
    oc_free(cursor->sources);
    oc_free(cursor->cells);
    oc_unsealed_clear(&cursor->unsealed);
    oc_scan_clear(&cursor->scan);
}

/* ---- the sources that are asked for ---- */

static int add_source(struct oc_vcursor *cursor, sqlite3_stmt *statement)
{
    const unsigned char *subject = sqlite3_column_text(statement, 3);
    void *sources = cursor->sources;
    struct oc_vsource *item;
    int rc = oc_array_grow(&sources, &cursor->source_capacity, cursor->source_count + 1,
                           sizeof *cursor->sources, OC_VTABLE_MAX_SOURCES);

    cursor->sources = sources;
    if (rc < 0)
        return rc;
    item = &cursor->sources[cursor->source_count++];
    memset(item, 0, sizeof *item);
    item->source = (uint32_t)sqlite3_column_int64(statement, 0);
    item->boot = (uint32_t)sqlite3_column_int64(statement, 1);
    item->kind = (uint8_t)sqlite3_column_int(statement, 2);
    item->pid = (uint32_t)sqlite3_column_int64(statement, 4);
    item->subject_at = cursor->names.len_bytes;
    oc_buf_puts(&cursor->names, subject ? (const char *)subject : "");
    oc_buf_putc(&cursor->names, '\0');
    return cursor->names.err;
}

static int load_sources(struct oc_vcursor *cursor, const struct oc_vfilter *filter)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(
        cursor->scan.db, &statement,
        "SELECT s.id, s.boot, s.kind, b.name, l.pid FROM main.source s "
        "JOIN main.subject b ON b.id = s.subject LEFT JOIN main.life l ON l.source = s.id "
        "WHERE 1%s%s%s%s ORDER BY s.id",
        filter->subject ? " AND b.name = ?1" : "", filter->glob ? " AND b.name GLOB ?2" : "",
        filter->source ? " AND s.id = ?3" : "", filter->pid ? " AND l.pid = ?4" : "");

    if (rc < 0)
        return oc_detail_set(&cursor->detail, rc, "this database is not an oomcast store: %s",
                             sqlite3_errmsg(cursor->scan.db));
    if (filter->subject)
        sqlite3_bind_value(statement, 1, filter->subject);
    if (filter->glob)
        sqlite3_bind_value(statement, 2, filter->glob);
    if (filter->source)
        sqlite3_bind_value(statement, 3, filter->source);
    if (filter->pid)
        sqlite3_bind_value(statement, 4, filter->pid);
    while (rc == OC_OK && (step = sqlite3_step(statement)) == SQLITE_ROW)
        rc = add_source(cursor, statement);
    (void)sqlite3_finalize(statement);
    return rc < 0 ? rc : oc_scan_code(step);
}

/* ---- chunks ---- */

/* Until is inclusive here and exclusive for the clock. */
static int64_t until_exclusive(const struct oc_vcursor *cursor)
{
    int64_t until_unix_ms = cursor->filter.until_unix_ms;

    return until_unix_ms < INT64_MAX ? until_unix_ms + 1 : INT64_MAX;
}

/* The least and the greatest boot time that may be asked for: 1, or 0 where there is none. */
static int boot_bounds(const struct oc_vcursor *cursor, uint32_t boot, int64_t *out_begin_ms,
                       int64_t *out_end_ms)
{
    struct oc_clockmap_span span;
    size_t index = 0;

    *out_begin_ms = INT64_MAX;
    *out_end_ms = INT64_MIN;
    while (oc_clockmap_next_span(&cursor->scan.clock, boot, cursor->filter.since_unix_ms,
                                 until_exclusive(cursor), &index, &span)) {
        if (span.begin_boot_ms < *out_begin_ms)
            *out_begin_ms = span.begin_boot_ms;
        if (span.end_boot_ms > *out_end_ms)
            *out_end_ms = span.end_boot_ms;
    }
    return *out_begin_ms < *out_end_ms;
}

static int begin_source(struct oc_vcursor *cursor)
{
    const struct oc_vsource *item = &cursor->sources[cursor->source_index];
    unsigned block =
        cursor->filter.metric < 0 ? OC_BLOCK_COUNT : OC_METRIC_BLOCK(cursor->filter.metric);
    int64_t begin_boot_ms, end_boot_ms;

    if (!boot_bounds(cursor, item->boot, &begin_boot_ms, &end_boot_ms))
        end_boot_ms = begin_boot_ms = INT64_MIN; /* finds nothing */
    return oc_scan_chunks(&cursor->scan, cursor->tier, item->source, block, begin_boot_ms,
                          end_boot_ms, &cursor->chunks);
}

static int chunk_failed(struct oc_vcursor *cursor, int rc)
{
    return oc_detail_set(&cursor->detail, rc, "chunk %lld of table %s: %s",
                         (long long)cursor->row.id, oc_tiers[cursor->tier].table, oc_err_text(rc));
}

static int open_chunk(struct oc_vcursor *cursor)
{
    int rc = oc_scan_open_chunk(&cursor->scan, &cursor->row);

    if (rc < 0)
        return chunk_failed(cursor, rc);
    cursor->chunk_is_open = 1;
    cursor->column_is_open = 0;
    cursor->column = 0;
    return OC_OK;
}

/* The next chunk, of this source or of one that follows: 1, 0 at the end, or a code. */
static int next_chunk(struct oc_vcursor *cursor)
{
    int rc = 0;

    for (;;) {
        if (cursor->chunks)
            rc = oc_scan_next_chunk(cursor->chunks, &cursor->row);
        if (rc < 0)
            return chunk_failed(cursor, rc);
        if (rc == 1) {
            rc = open_chunk(cursor);
            return rc < 0 ? rc : 1;
        }
        if (cursor->chunks)
            cursor->source_index++;
        (void)sqlite3_finalize(cursor->chunks);
        cursor->chunks = NULL;
        if (cursor->source_index >= cursor->source_count)
            return 0;
        rc = begin_source(cursor);
        if (rc < 0)
            return rc;
    }
}

static int is_first_of_metric(const struct oc_chunk *chunk, uint32_t column)
{
    return column == 0 || OC_COLUMN_NUMBER(chunk->columns[column].id) !=
                              OC_COLUMN_NUMBER(chunk->columns[column - 1].id);
}

static int decode_column(struct oc_vcursor *cursor, unsigned metric)
{
    if (cursor->tier == OC_TIER_RAW)
        return oc_scan_raw_column(&cursor->scan, metric);
    return oc_scan_tier_column(&cursor->scan, metric);
}

/* The next metric of the open chunk: 1, 0 (no more) or a code. */
static int next_column(struct oc_vcursor *cursor)
{
    const struct oc_chunk *chunk = &cursor->scan.chunk;

    while (cursor->column < chunk->column_count) {
        uint32_t column = cursor->column++;
        unsigned metric = OC_COLUMN_NUMBER(chunk->columns[column].id);
        int rc;

        if (!is_first_of_metric(chunk, column) ||
            (cursor->filter.metric >= 0 && (unsigned)cursor->filter.metric != metric))
            continue;
        rc = decode_column(cursor, metric);
        if (rc < 0)
            return chunk_failed(cursor, rc);
        if (rc == 0)
            continue;
        cursor->metric = metric;
        cursor->index = UINT32_MAX;
        cursor->column_is_open = 1;
        return 1;
    }
    return 0;
}

/* Takes a time as that of the row now; whether the filter lets it through. */
static int take_time(struct oc_vcursor *cursor, uint32_t boot, int64_t t_boot_ms)
{
    cursor->t_boot_ms = t_boot_ms;
    cursor->t_unix_ms = oc_clockmap_unix_ms(&cursor->scan.clock, boot, t_boot_ms);
    return cursor->t_unix_ms >= cursor->filter.since_unix_ms &&
           cursor->t_unix_ms <= cursor->filter.until_unix_ms;
}

static int next_in_column(struct oc_vcursor *cursor)
{
    const struct oc_scan *scan = &cursor->scan;
    uint32_t boot = cursor->sources[cursor->source_index].boot;

    while (++cursor->index < scan->chunk.sample_count) {
        uint32_t i = cursor->index;
        int known = cursor->tier == OC_TIER_RAW ? scan->known[i] : scan->count[i] > 0;

        if (known && take_time(cursor, boot, scan->times[i]))
            return 1;
    }
    cursor->column_is_open = 0;
    return 0;
}

static int next_chunk_row(struct oc_vcursor *cursor)
{
    int rc = 1;

    while (rc == 1) {
        if (cursor->column_is_open) {
            if (next_in_column(cursor))
                return 1;
        } else if (cursor->chunk_is_open) {
            rc = next_column(cursor);
            if (rc == 0) {
                cursor->chunk_is_open = 0;
                rc = 1;
            }
        } else {
            rc = next_chunk(cursor);
        }
    }
    return rc;
}

/* ---- the journal ---- */

static struct oc_vsource *find_source(const struct oc_vcursor *cursor, uint32_t source)
{
    size_t low = 0, high = cursor->source_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (cursor->sources[middle].source == source)
            return &cursor->sources[middle];
        if (cursor->sources[middle].source < source)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static int know_sealed(struct oc_vcursor *cursor, struct oc_vsource *item)
{
    int rc = OC_OK;

    if (!item->sealed_is_known)
        rc = oc_scan_sealed(&cursor->scan, item->source, item->sealed_boot_ms);
    item->sealed_is_known = rc == OC_OK;
    return rc;
}

static int add_cell(struct oc_vcursor *cursor, const struct oc_vcell *cell)
{
    void *cells = cursor->cells;
    int rc = oc_array_grow(&cells, &cursor->cell_capacity, cursor->cell_count + 1,
                           sizeof *cursor->cells, OC_VTABLE_MAX_CELLS);

    cursor->cells = cells;
    if (rc == OC_OK)
        cursor->cells[cursor->cell_count++] = *cell;
    return rc;
}

static uint64_t wanted_bits(const struct oc_vcursor *cursor, unsigned block)
{
    if (cursor->filter.metric < 0)
        return UINT64_MAX;
    return OC_METRIC_BLOCK(cursor->filter.metric) == block ? OC_METRIC_BIT(cursor->filter.metric)
                                                           : 0;
}

static int add_sample(struct oc_vcursor *cursor, const struct oc_vsource *item,
                      const struct oc_sample *sample, int64_t t_boot_ms)
{
    uint64_t bits = sample->known & wanted_bits(cursor, sample->block);
    struct oc_vcell cell = { .source_index = (size_t)(item - cursor->sources),
                             .t_boot_ms = t_boot_ms };
    int rc = OC_OK;

    for (unsigned bit = 0; bits && rc == OC_OK; bit++, bits >>= 1) {
        if (!(bits & 1))
            continue;
        cell.metric = OC_METRIC_NUMBER((unsigned)sample->block, bit);
        cell.value = sample->values[bit];
        rc = add_cell(cursor, &cell);
    }
    return rc;
}

static int on_replayed(uint32_t source, int64_t t_boot_ms, const struct oc_sample *sample, int same,
                       void *context)
{
    struct oc_vcursor *cursor = context;
    struct oc_vsource *item = find_source(cursor, source);
    int rc;

    (void)same;
    if (!item || !take_time(cursor, item->boot, t_boot_ms))
        return 0;
    rc = know_sealed(cursor, item);
    if (rc < 0 || t_boot_ms <= item->sealed_boot_ms[sample->block])
        return rc;
    return add_sample(cursor, item, sample, t_boot_ms);
}

/* 1 (begun), 0 (nothing there) or a code. */
static int begin_journal(struct oc_vcursor *cursor)
{
    struct oc_scan_replay what = { .only_source = UINT32_MAX };
    int64_t newest_boot_ms, end_boot_ms;
    int rc;

    if (cursor->source_count == 0)
        return 0;
    rc = oc_scan_newest_tick(&cursor->scan, &what.boot, &newest_boot_ms);
    if (rc != 1 || !boot_bounds(cursor, what.boot, &what.begin_boot_ms, &end_boot_ms))
        return rc < 0 ? rc : 0;
    if (cursor->source_count == 1)
        what.only_source = cursor->sources[0].source;
    cursor->replay = oc_replay_new(what.only_source);
    if (!cursor->replay)
        return OC_E_NOMEM;
    rc = oc_scan_journal_rows(&cursor->scan, &what, &cursor->journal);
    return rc < 0 ? rc : 1;
}

/* Replays the next row into cells: 1, 0 at the end, or a code. */
static int next_journal_row(struct oc_vcursor *cursor)
{
    int step = sqlite3_step(cursor->journal);
    const void *blob;
    int rc;

    if (step != SQLITE_ROW)
        return oc_scan_code(step);
    blob = sqlite3_column_blob(cursor->journal, 2);
    cursor->cell_count = 0;
    cursor->cell = SIZE_MAX;
    rc = blob ? oc_replay_row(cursor->replay, sqlite3_column_int(cursor->journal, 1), blob,
                              (size_t)sqlite3_column_bytes(cursor->journal, 2), on_replayed, cursor)
              : OC_E_PARSE;
    if (rc < 0)
        return oc_detail_set(&cursor->detail, rc, "row %lld of table journal: %s",
                             (long long)sqlite3_column_int64(cursor->journal, 0), oc_err_text(rc));
    return 1;
}

/* ---- rows that an upper tier has not got yet ---- */

static int has_block(const struct oc_vsource *item, unsigned block)
{
    switch (item->kind) {
    case OC_SOURCE_PROCESS:
        return block == OC_BLOCK_PROCESS;
    case OC_SOURCE_CGROUP:
        return block == OC_BLOCK_CGROUP;
    case OC_SOURCE_HOST:
        return block == OC_BLOCK_HOST;
    default:
        return 1;
    }
}

static int add_tail_row(const struct oc_point *point, void *context)
{
    struct oc_vcursor *cursor = context;
    const struct oc_vcell cell = { .source_index = cursor->tail_source,
                                   .t_boot_ms = point->t_unix_ms, /* of oc_range_boot() */
                                   .value = point->last,
                                   .tier = { .count = (int64_t)point->count,
                                             .min = point->min,
                                             .max = point->max,
                                             .mean = point->mean },
                                   .metric = cursor->tail_metric };

    if (take_time(cursor, cursor->sources[cursor->tail_source].boot, cell.t_boot_ms) &&
        add_cell(cursor, &cell) < 0)
        return 1;
    return 0;
}

static int64_t floor_to(int64_t t_ms, int64_t step_ms)
{
    int64_t past = t_ms % step_ms;

    return t_ms < INT64_MIN + step_ms ? t_ms : t_ms - (past < 0 ? past + step_ms : past);
}

static int fill_tail(struct oc_vcursor *cursor)
{
    const struct oc_vsource *item = &cursor->sources[cursor->tail_source];
    int64_t tier_end_ms;
    struct oc_boot_range wanted = { .source = item->source,
                                    .boot = item->boot,
                                    .metric = cursor->tail_metric,
                                    .step_ms = oc_tiers[cursor->tier].resolution_ms };
    int rc;

    if (!has_block(item, OC_METRIC_BLOCK(wanted.metric)) ||
        !boot_bounds(cursor, item->boot, &wanted.begin_boot_ms, &wanted.end_boot_ms))
        return OC_OK;
    rc = oc_scan_tier_end(&cursor->scan, cursor->tier, item->source, OC_METRIC_BLOCK(wanted.metric),
                          &tier_end_ms);
    wanted.begin_boot_ms = floor_to(wanted.begin_boot_ms, wanted.step_ms);
    if (tier_end_ms > wanted.begin_boot_ms)
        wanted.begin_boot_ms = tier_end_ms;
    if (rc == OC_OK && wanted.begin_boot_ms < wanted.end_boot_ms)
        rc = oc_range_boot(&cursor->scan, &cursor->unsealed, &wanted, add_tail_row, cursor);
    if (rc < 0)
        return oc_detail_set(&cursor->detail, rc, "source %lu: %s", (unsigned long)item->source,
                             oc_err_text(rc));
    return OC_OK;
}

static int is_wanted_metric(const struct oc_vcursor *cursor, unsigned metric)
{
    return oc_metric_by_number(metric) &&
           (cursor->filter.metric < 0 || (unsigned)cursor->filter.metric == metric);
}

/* The next source, or the next figure from the first source on: 1, 0 at the end, or a code. */
static int next_tail(struct oc_vcursor *cursor)
{
    int rc;

    while (cursor->tail_source >= cursor->source_count ||
           !is_wanted_metric(cursor, cursor->tail_metric)) {
        cursor->tail_source = 0;
        if (++cursor->tail_metric >= OC_METRIC_MAX || cursor->source_count == 0)
            return 0;
    }
    cursor->cell_count = 0;
    cursor->cell = SIZE_MAX;
    rc = fill_tail(cursor);
    cursor->tail_source++;
    return rc < 0 ? rc : 1;
}

static int next_cell(struct oc_vcursor *cursor)
{
    int rc = 1;

    while (++cursor->cell >= cursor->cell_count && rc == 1)
        rc = cursor->phase == OC_VPHASE_TAIL ? next_tail(cursor) : next_journal_row(cursor);
    if (rc != 1)
        return rc;
    cursor->source_index = cursor->cells[cursor->cell].source_index;
    cursor->metric = cursor->cells[cursor->cell].metric;
    (void)take_time(cursor, cursor->sources[cursor->source_index].boot,
                    cursor->cells[cursor->cell].t_boot_ms);
    return 1;
}

/* ---- all rows ---- */

/* After the chunks. */
static int enter_rest(struct oc_vcursor *cursor)
{
    int rc = 0;

    cursor->cell_count = 0;
    cursor->cell = SIZE_MAX;
    cursor->tail_metric = 0;
    cursor->tail_source = 0;
    cursor->phase = OC_VPHASE_TAIL;
    if (cursor->tier == OC_TIER_RAW) {
        rc = begin_journal(cursor);
        cursor->phase = rc == 1 ? OC_VPHASE_JOURNAL : OC_VPHASE_END;
    }
    return rc < 0 ? rc : OC_OK;
}

int oc_vcursor_next(struct oc_vcursor *cursor)
{
    int rc = 0;

    cursor->rowid++;
    if (cursor->phase == OC_VPHASE_CHUNKS) {
        rc = next_chunk_row(cursor);
        if (rc != 0)
            return rc < 0 ? rc : OC_OK;
        rc = enter_rest(cursor);
    }
    if (rc == OC_OK && cursor->phase != OC_VPHASE_END) {
        rc = next_cell(cursor);
        if (rc == 0)
            cursor->phase = OC_VPHASE_END;
    }
    return rc < 0 ? rc : OC_OK;
}

int oc_vcursor_filter(struct oc_vcursor *cursor, const struct oc_vfilter *filter)
{
    int rc;

    rewind_cursor(cursor);
    cursor->detail.text[0] = '\0';
    cursor->filter = *filter;
    if (filter->metric == -2)
        return OC_OK;
    rc = load_sources(cursor, filter);
    if (rc == OC_OK)
        rc = oc_scan_load_clock(&cursor->scan);
    if (rc < 0)
        return rc;
    cursor->phase = OC_VPHASE_CHUNKS;
    return oc_vcursor_next(cursor);
}

int oc_vcursor_at_end(const struct oc_vcursor *cursor) { return cursor->phase == OC_VPHASE_END; }

const struct oc_vsource *oc_vcursor_source(const struct oc_vcursor *cursor)
{
    return &cursor->sources[cursor->source_index];
}

const char *oc_vcursor_subject(const struct oc_vcursor *cursor)
{
    return cursor->names.data + cursor->sources[cursor->source_index].subject_at;
}

int64_t oc_vcursor_value(const struct oc_vcursor *cursor)
{
    return cursor->phase == OC_VPHASE_CHUNKS ? cursor->scan.values[cursor->index]
                                             : cursor->cells[cursor->cell].value;
}

struct oc_vtier oc_vcursor_tier(const struct oc_vcursor *cursor)
{
    const struct oc_scan *scan = &cursor->scan;
    uint32_t i = cursor->index;

    if (cursor->phase != OC_VPHASE_CHUNKS)
        return cursor->cells[cursor->cell].tier;
    return (struct oc_vtier){ .count = scan->count[i],
                              .min = scan->min[i],
                              .max = scan->max[i],
                              .mean = (double)scan->sum[i] / (double)scan->count[i] };
}
