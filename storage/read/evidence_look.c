/* The first and the last figures of sources within a span: from the chunks at its ends and the journal. */
#include "storage/read/evidence.h"

#include <string.h>

#define OC_LOOK_SLACK_MS                                                                           \
    INT64_C(60000)             /* figures that are read seldom are found so near an end … */
#define OC_LOOK_SLACK_SHARE 10 /* … or within this part of the span */
#define OC_LOOK_CHUNKS 3       /* opened at each end */
#define OC_LOOK_TAIL_MS INT64_C(600000) /* of the journal: its last figures are in it */

/* ---- what was found ---- */

static void feed_value(struct oc_look *look, unsigned number, int64_t t_ms, int64_t value)
{
    struct oc_look_cell *cell;

    if (number < look->base || number - look->base >= look->cell_count ||
        t_ms < look->since_boot_ms || t_ms > look->until_boot_ms || !oc_evidence_can_be(t_ms))
        return;
    cell = &look->cells[number - look->base];
    if (!cell->has || t_ms < cell->then_ms) {
        cell->then_ms = t_ms;
        cell->then = value;
    }
    if (!cell->has || t_ms >= cell->now_ms) {
        cell->now_ms = t_ms;
        cell->now = value;
    }
    cell->has = 1;
    if (t_ms < look->first_ms)
        look->first_ms = t_ms;
    if (t_ms > look->last_ms)
        look->last_ms = t_ms;
}

static void feed_sample(struct oc_look *look, int64_t t_ms, const struct oc_sample *sample)
{
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++)
        if (sample->known >> bit & 1)
            feed_value(look, OC_METRIC_NUMBER(sample->block, bit), t_ms, sample->values[bit]);
}

void oc_look_moved(const struct oc_look *look, unsigned number, struct oc_moved *out_moved)
{
    const struct oc_look_cell *cell;
    int64_t slack_ms;

    *out_moved = (struct oc_moved){ 0 };
    if (number < look->base || number - look->base >= look->cell_count)
        return;
    cell = &look->cells[number - look->base];
    if (!cell->has)
        return;
    slack_ms = (look->last_ms - look->first_ms) / OC_LOOK_SLACK_SHARE;
    if (slack_ms < OC_LOOK_SLACK_MS)
        slack_ms = OC_LOOK_SLACK_MS;
    out_moved->has_now = cell->now_ms >= look->last_ms - slack_ms;
    out_moved->has_then =
        cell->then_ms <= look->first_ms + slack_ms && cell->then_ms < cell->now_ms;
    out_moved->then = out_moved->has_then ? cell->then : 0;
    out_moved->now = out_moved->has_now ? cell->now : 0;
}

/* ---- chunks ---- */

static void feed_raw(struct oc_look *look, struct oc_scan *scan, unsigned number)
{
    if (oc_scan_raw_column(scan, number) != 1)
        return;
    for (uint32_t i = 0; i < scan->chunk.sample_count; i++)
        if (scan->known[i])
            feed_value(look, number, scan->times[i], scan->values[i]);
}

/* What a row of an upper tier keeps is the last value in it: of its end, or of that of the span. */
static void feed_tier(struct oc_look *look, struct oc_scan *scan, unsigned number,
                      int64_t resolution_ms)
{
    if (oc_scan_tier_column(scan, number) != 1)
        return;
    for (uint32_t i = 0; i < scan->chunk.sample_count; i++) {
        int64_t end_ms = scan->times[i] + resolution_ms;

        if (end_ms > look->until_boot_ms && scan->times[i] <= look->until_boot_ms)
            end_ms = look->until_boot_ms;
        if (scan->count[i] > 0)
            feed_value(look, number, end_ms, scan->values[i]);
    }
}

static int feed_chunk(struct oc_look *look, struct oc_scan *scan, enum oc_tier tier,
                      const struct oc_chunk_row *row)
{
    int rc = oc_scan_open_chunk(scan, row);

    if (rc < 0) /* one that is damaged is left out */
        return rc == OC_E_NOMEM ? rc : OC_OK;
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        unsigned number = OC_METRIC_NUMBER(row->block, bit);

        if (number < look->base || number - look->base >= look->cell_count)
            continue;
        if (tier == OC_TIER_RAW)
            feed_raw(look, scan, number);
        else
            feed_tier(look, scan, number, oc_tiers[tier].resolution_ms);
    }
    return OC_OK;
}

struct chunks {
    enum oc_tier tier;
    unsigned block;
    int64_t begin_ms, end_ms; /* [begin, end) */
};

/* Opens the first chunks of a span, as far as stop (from the first found on). The number, or a code. */
static int feed_chunks(struct oc_look *look, struct oc_scan *scan, const struct chunks *chunks)
{
    sqlite3_stmt *statement = NULL;
    struct oc_chunk_row row;
    int fed = 0;
    int rc = oc_scan_chunks(scan, chunks->tier, look->source, chunks->block, chunks->begin_ms,
                            chunks->end_ms, &statement);

    while (rc == OC_OK && fed < OC_LOOK_CHUNKS) {
        int next = oc_scan_next_chunk(statement, &row);

        if (next != 1) {
            rc = next == OC_E_CORRUPT ? OC_OK : next;
            break;
        }
        rc = feed_chunk(look, scan, chunks->tier, &row);
        fed++;
        if (row.t1_boot_ms > chunks->begin_ms + OC_LOOK_SLACK_MS)
            break;
    }
    (void)sqlite3_finalize(statement); /* nothing is running */
    return rc < 0 ? rc : fed;
}

static int64_t plus(int64_t a_ms, int64_t b_ms)
{
    return a_ms > INT64_MAX - b_ms ? INT64_MAX : a_ms + b_ms;
}

/*
 * Where the figures of a block begin: in raw chunks, else, where a coarser tier reaches further back, in that.
 * *out_begin_ms: when; INT64_MAX: nowhere.
 */
static int find_begin(struct oc_scan *scan, const struct oc_look *look, unsigned block,
                      enum oc_tier *out_tier, int64_t *out_begin_ms)
{
    *out_begin_ms = INT64_MAX;
    for (int tier = OC_TIER_RAW; tier < OC_TIER_COUNT; tier++) {
        int64_t first_ms;
        int rc = oc_scan_first(scan, (enum oc_tier)tier, look->source, block, &first_ms);

        if (rc < 0)
            return rc;
        if (oc_evidence_can_be(first_ms) && first_ms < look->since_boot_ms)
            first_ms = look->since_boot_ms;
        if (!oc_evidence_can_be(first_ms) ||
            plus(first_ms, 2 * oc_tiers[tier].resolution_ms) >= *out_begin_ms)
            continue;
        *out_begin_ms = first_ms;
        *out_tier = (enum oc_tier)tier;
    }
    return OC_OK;
}

static int feed_begin(struct oc_look *look, struct oc_scan *scan, unsigned block)
{
    enum oc_tier tier = OC_TIER_RAW;
    struct chunks chunks = { .block = block };
    int rc = find_begin(scan, look, block, &tier, &chunks.begin_ms);

    if (rc < 0 || chunks.begin_ms > look->until_boot_ms)
        return rc;
    chunks.tier = tier;
    chunks.end_ms = plus(look->until_boot_ms, 1);
    rc = feed_chunks(look, scan, &chunks);
    return rc < 0 ? rc : OC_OK;
}

/* The last chunk by the end of the span: of the finest tier that has one. */
static int feed_end(struct oc_look *look, struct oc_scan *scan, unsigned block)
{
    int rc = OC_OK;

    for (int tier = OC_TIER_RAW; tier < OC_TIER_COUNT && rc == 0; tier++) {
        int64_t ends[OC_BLOCK_COUNT];
        int64_t margin_ms = OC_LOOK_SLACK_MS + 2 * oc_tiers[tier].resolution_ms;
        struct chunks chunks = { .tier = (enum oc_tier)tier, .block = block };

        rc = oc_scan_ends(scan, (enum oc_tier)tier, look->source, ends);
        if (rc < 0 || !oc_evidence_can_be(ends[block]))
            continue;
        chunks.begin_ms = ends[block] < look->until_boot_ms ? ends[block] : look->until_boot_ms;
        chunks.end_ms = chunks.begin_ms + 1;
        chunks.begin_ms -= margin_ms;
        if (chunks.end_ms > look->since_boot_ms)
            rc = feed_chunks(look, scan, &chunks);
    }
    return rc < 0 ? rc : OC_OK;
}

static int has_block(const struct oc_look *look, unsigned block)
{
    unsigned first = OC_METRIC_NUMBER(block, 0);

    return first < look->base + look->cell_count && first + OC_BLOCK_METRICS > look->base;
}

static int count_raw(oc_reader *reader, struct oc_look *look)
{
    sqlite3_stmt *statement = NULL;
    int step = SQLITE_DONE;
    int rc = oc_scan_prepare(reader->scan.db, &statement,
                             "SELECT ifnull(sum(n), 0) FROM main.raw WHERE id BETWEEN ?1 AND ?2 "
                             "AND block = ?3 AND t1 >= ?4 AND t0 <= ?5");

    if (rc == OC_OK) {
        (void)sqlite3_bind_int64(statement, 1, OC_CHUNK_ROWID(look->source, 0));
        (void)sqlite3_bind_int64(statement, 2, OC_CHUNK_ROWID(look->source, OC_CHUNK_NUMBER_MAX));
        (void)sqlite3_bind_int64(statement, 3, look->main_block);
        (void)sqlite3_bind_int64(statement, 4, look->since_boot_ms);
        (void)sqlite3_bind_int64(statement, 5, look->until_boot_ms);
        step = sqlite3_step(statement);
        if (step == SQLITE_ROW && sqlite3_column_int64(statement, 0) > 0)
            look->samples = (uint64_t)sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement); /* step told */
    return rc < 0 ? rc : oc_scan_code(step);
}

static int look_at_chunks(oc_reader *reader, struct oc_look *look)
{
    int64_t sealed[OC_BLOCK_COUNT];
    int rc = oc_scan_sealed(&reader->scan, look->source, sealed);

    if (rc < 0)
        return rc;
    look->sealed_boot_ms = sealed[look->main_block];
    if (!oc_evidence_can_be(look->sealed_boot_ms))
        look->sealed_boot_ms = INT64_MIN;
    for (unsigned block = 0; block < OC_BLOCK_COUNT && rc == OC_OK; block++) {
        if (!has_block(look, block))
            continue;
        rc = feed_begin(look, &reader->scan, block);
        if (rc == OC_OK)
            rc = feed_end(look, &reader->scan, block);
    }
    return rc;
}

/* ---- the journal ---- */

struct looking {
    struct oc_look *looks; /* ascending source */
    size_t count;
    int64_t begin_ms; /* what the replay has from before is not counted */
};

static struct oc_look *find_look(const struct looking *looking, uint32_t source)
{
    size_t low = 0, high = looking->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (looking->looks[middle].source == source)
            return &looking->looks[middle];
        if (looking->looks[middle].source < source)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static int take_replayed(uint32_t source, int64_t t_ms, const struct oc_sample *sample, int same,
                         void *context)
{
    const struct looking *looking = context;
    struct oc_look *look = find_look(looking, source);

    (void)same;
    if (!look)
        return 0;
    if (sample->block == look->main_block && t_ms > look->sealed_boot_ms &&
        t_ms >= looking->begin_ms && t_ms >= look->since_boot_ms && t_ms <= look->until_boot_ms)
        look->samples++;
    feed_sample(look, t_ms, sample);
    return 0;
}

/*
 * From the first figure of one of them that no chunk has. Where chunks have it, only what came last
 * is looked for: to replay an hour of 1,000 sources takes 30 ms.
 */
static int64_t journal_begin(const struct oc_look *looks, size_t count, int64_t newest_ms)
{
    int64_t begin_ms = INT64_MAX;

    for (size_t i = 0; i < count; i++) {
        const struct oc_look *look = &looks[i];
        int64_t last_ms = look->until_boot_ms < newest_ms ? look->until_boot_ms : newest_ms;
        int64_t from_ms = look->since_boot_ms;

        if (look->sealed_boot_ms > from_ms)
            from_ms = look->sealed_boot_ms > last_ms - OC_LOOK_TAIL_MS ? look->sealed_boot_ms
                                                                       : last_ms - OC_LOOK_TAIL_MS;
        if (from_ms < begin_ms)
            begin_ms = from_ms;
    }
    return begin_ms;
}

/* What was not replayed was sampled at its interval. */
static void count_skipped(struct oc_look *look, int64_t begin_ms)
{
    if (look->interval_ms > 0 && look->sealed_boot_ms > look->since_boot_ms &&
        begin_ms > look->sealed_boot_ms && begin_ms <= look->last_ms)
        look->samples += (uint64_t)((begin_ms - look->sealed_boot_ms - 1) / look->interval_ms);
}
static int look_at_journal(oc_reader *reader, struct oc_look *looks, size_t count)
{
    struct looking looking = { .looks = looks, .count = count };
    struct oc_scan_replay what = { .boot = looks[0].boot,
                                   .only_source = count == 1 ? looks[0].source : UINT32_MAX };
    oc_replay *replay;
    uint32_t newest_boot = 0;
    int64_t newest_ms = 0;
    int rc = oc_scan_newest_tick(&reader->scan, &newest_boot, &newest_ms);

    if (rc != 1 || newest_boot != what.boot) /* of an earlier boot all is in chunks */
        return rc < 0 ? rc : OC_OK;
    what.begin_boot_ms = looking.begin_ms = journal_begin(looks, count, newest_ms);
    replay = oc_replay_new(what.only_source);
    if (!replay)
        return OC_E_NOMEM;
    rc = oc_scan_journal(&reader->scan, &what, replay, take_replayed, &looking);
    oc_replay_free(replay);
    for (size_t i = 0; i < count && rc == OC_OK; i++)
        count_skipped(&looks[i], what.begin_boot_ms);
    return rc;
}

int oc_look(oc_reader *reader, struct oc_look *looks, size_t count)
{
    int rc = OC_OK;

    for (size_t i = 0; i < count && rc == OC_OK; i++) {
        looks[i].first_ms = INT64_MAX;
        looks[i].last_ms = INT64_MIN;
        looks[i].samples = 0;
        looks[i].since_boot_ms = oc_evidence_clamp(looks[i].since_boot_ms);
        looks[i].until_boot_ms = oc_evidence_clamp(looks[i].until_boot_ms);
        rc = look_at_chunks(reader, &looks[i]);
        if (rc == OC_OK && looks[i].cell_count > 1) /* of members nobody asks */
            rc = count_raw(reader, &looks[i]);
    }
    return rc == OC_OK && count ? look_at_journal(reader, looks, count) : rc;
}
