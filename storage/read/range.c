#include "storage/read/range.h"

#include "base/alloc.h"
#include "storage/read/fold.h"

#include <string.h>

#define OC_RANGE_FINE_STEPS 4 /* so many points of a tier in a step: its edges hardly matter */

struct ranging {
    struct oc_scan *scan;
    struct oc_unsealed *unsealed;
    const struct oc_range *range;
    struct oc_fold fold;
    uint32_t source, boot;
    unsigned block;
    int64_t sealed_boot_ms; /* of the last sample in a raw chunk */
    int64_t tier_begin_boot_ms[OC_TIER_COUNT];
    int64_t born_boot_ms;         /* the source's first sample came by then, at the latest */
    struct oc_clockmap_span span; /* now being answered; .begin moves with what is done */
    int64_t done_boot_ms;         /* end of the last row of a tier that was taken */
};

/* Whether a tier's rows answer steps of this width: they fit whole, or are fine beside it. */
static int suits(const struct oc_range *range, enum oc_tier tier)
{
    int64_t resolution_ms = oc_tiers[tier].resolution_ms;

    if (range->precision == OC_PRECISE_EXACT || range->step_ms <= 0)
        return resolution_ms == 0;
    if (resolution_ms == 0)
        return 1;
    return range->step_ms % resolution_ms == 0 ||
           range->step_ms / resolution_ms >= OC_RANGE_FINE_STEPS;
}

static int same_step(const struct ranging *ranging, int64_t a_boot_ms, int64_t b_boot_ms)
{
    int64_t offset_ms = ranging->span.offset_ms;

    return ranging->range->step_ms > 0 &&
           oc_fold_step_begin(&ranging->fold, a_boot_ms + offset_ms) ==
               oc_fold_step_begin(&ranging->fold, b_boot_ms + offset_ms);
}

static int within(const struct ranging *ranging, int64_t boot_ms)
{
    return boot_ms >= ranging->span.begin_boot_ms && boot_ms < ranging->span.end_boot_ms;
}

/* ---- whole chunks ---- */

static void done(struct ranging *ranging, int64_t end_boot_ms)
{
    if (end_boot_ms > ranging->done_boot_ms)
        ranging->done_boot_ms = end_boot_ms;
}

static void add_summary(struct ranging *ranging, int64_t boot_ms, const struct oc_summary *summary)
{
    const struct oc_fold_sum sum = { .count = summary->count,
                                     .min = summary->min,
                                     .max = summary->max,
                                     .first = summary->first,
                                     .last = summary->last,
                                     .sum = summary->sum };

    oc_fold_add(&ranging->fold, boot_ms + ranging->span.offset_ms, &sum);
}

/* 1 where the summary told all that is asked of the chunk, 0 where it must be opened, or a code. */
static int take_whole(struct ranging *ranging, enum oc_tier tier, const struct oc_chunk_row *row)
{
    int64_t resolution_ms = oc_tiers[tier].resolution_ms, middle_ms = resolution_ms / 2;
    int64_t t0_boot_ms = row->t0_boot_ms + middle_ms, t1_boot_ms = row->t1_boot_ms + middle_ms;
    struct oc_summary summary;
    int rc;

    if (!within(ranging, t0_boot_ms) || !within(ranging, t1_boot_ms) ||
        !same_step(ranging, t0_boot_ms, t1_boot_ms))
        return 0;
    rc = oc_scan_summary(ranging->scan, row, ranging->range->metric, &summary);
    if (rc == 1)
        add_summary(ranging, t0_boot_ms, &summary);
    if (resolution_ms > 0)
        done(ranging, row->t1_boot_ms + resolution_ms);
    return rc < 0 ? rc : 1;
}

/* ---- opened chunks ---- */

static int take_raw_rows(struct ranging *ranging)
{
    struct oc_scan *scan = ranging->scan;
    int rc = oc_scan_raw_column(scan, ranging->range->metric);

    for (uint32_t i = 0; rc == 1 && i < scan->chunk.sample_count; i++) {
        if (scan->known[i] && within(ranging, scan->times[i]))
            oc_fold_value(&ranging->fold, scan->times[i] + ranging->span.offset_ms,
                          scan->values[i]);
    }
    return rc;
}

static int take_tier_rows(struct ranging *ranging, int64_t resolution_ms)
{
    struct oc_scan *scan = ranging->scan;
    int rc = oc_scan_tier_column(scan, ranging->range->metric);

    for (uint32_t i = 0; rc == 1 && i < scan->chunk.sample_count; i++) {
        int64_t middle_boot_ms = scan->times[i] + resolution_ms / 2;
        struct oc_fold_sum sum = { .min = scan->min[i],
                                   .max = scan->max[i],
                                   .first = scan->values[i], /* a tier keeps the last one only */
                                   .last = scan->values[i],
                                   .sum = (double)scan->sum[i] };

        if (scan->count[i] <= 0 || !within(ranging, middle_boot_ms))
            continue;
        sum.count = (uint64_t)scan->count[i];
        done(ranging, scan->times[i] + resolution_ms);
        oc_fold_add(&ranging->fold, middle_boot_ms + ranging->span.offset_ms, &sum);
    }
    return rc;
}

static int take_chunk(struct ranging *ranging, enum oc_tier tier, const struct oc_chunk_row *row)
{
    int rc = take_whole(ranging, tier, row);

    if (rc != 0)
        return rc < 0 ? rc : OC_OK;
    rc = oc_scan_open_chunk(ranging->scan, row);
    if (rc < 0)
        return rc;
    rc = tier == OC_TIER_RAW ? take_raw_rows(ranging)
                             : take_tier_rows(ranging, oc_tiers[tier].resolution_ms);
    return rc < 0 ? rc : OC_OK;
}

/* ---- the tiers in turn, coarse and old ones first ---- */

/*
 * Until when a tier is asked: where it suits, to its end; else only before the finer ones begin, and
 * not at all (INT64_MIN) where they begin with the source: its row would be of the same samples.
 */
static int64_t tier_limit(const struct ranging *ranging, enum oc_tier tier)
{
    int64_t limit = INT64_MAX;

    if (suits(ranging->range, tier))
        return limit;
    for (int finer = 0; finer < (int)tier; finer++) {
        if (ranging->tier_begin_boot_ms[finer] < limit)
            limit = ranging->tier_begin_boot_ms[finer];
    }
    return limit <= ranging->born_boot_ms ? INT64_MIN : limit;
}

static int take_tier(struct ranging *ranging, enum oc_tier tier)
{
    int64_t end_boot_ms = ranging->span.end_boot_ms, limit_boot_ms = tier_limit(ranging, tier);
    sqlite3_stmt *statement = NULL;
    struct oc_chunk_row row;
    int rc;

    if (limit_boot_ms == INT64_MIN)
        return OC_OK;
    /* A row that begins before the limit is taken whole, and finer ones go on after it. */
    if (limit_boot_ms < OC_SCAN_MAX_TIME_MS &&
        limit_boot_ms + oc_tiers[tier].resolution_ms / 2 < end_boot_ms)
        ranging->span.end_boot_ms = limit_boot_ms + oc_tiers[tier].resolution_ms / 2;
    ranging->done_boot_ms = ranging->span.begin_boot_ms;
    rc = oc_scan_chunks(ranging->scan, tier, ranging->source, ranging->block,
                        ranging->span.begin_boot_ms, ranging->span.end_boot_ms, &statement);
    while (rc == OC_OK && !ranging->fold.stopped && (rc = oc_scan_next_chunk(statement, &row)) == 1)
        rc = take_chunk(ranging, tier, &row);
    (void)sqlite3_finalize(statement);
    ranging->span.end_boot_ms = end_boot_ms;
    ranging->span.begin_boot_ms = ranging->done_boot_ms;
    return rc;
}

/* ---- what the journal alone has ---- */

static void take_unsealed(struct ranging *ranging, int64_t t_boot_ms, int64_t value)
{
    if (t_boot_ms > ranging->sealed_boot_ms && within(ranging, t_boot_ms))
        oc_fold_value(&ranging->fold, t_boot_ms + ranging->span.offset_ms, value);
}

static int take_journal_sample(uint32_t source, int64_t t_boot_ms, const struct oc_sample *sample,
                               int same, void *context)
{
    struct ranging *ranging = context;
    unsigned metric = ranging->range->metric;

    (void)same;
    if (source == ranging->source && sample->block == ranging->block &&
        (sample->known & OC_METRIC_BIT(metric)))
        take_unsealed(ranging, t_boot_ms, sample->values[metric % OC_BLOCK_METRICS]);
    return ranging->fold.stopped;
}

static int replay_journal(struct ranging *ranging, int64_t begin_boot_ms)
{
    const struct oc_scan_replay what = { .boot = ranging->boot,
                                         .only_source = ranging->source,
                                         .begin_boot_ms = begin_boot_ms };
    oc_replay *replay = oc_replay_new(what.only_source);
    int rc;

    if (!replay)
        return OC_E_NOMEM;
    rc = oc_scan_journal(ranging->scan, &what, replay, take_journal_sample, ranging);
    oc_replay_free(replay);
    return rc < 0 ? rc : OC_OK;
}

static int take_journal(struct ranging *ranging)
{
    int64_t begin_boot_ms = ranging->span.begin_boot_ms;
    const struct oc_unsealed_sample *sample;
    int rc;

    if (ranging->fold.stopped || ranging->span.end_boot_ms <= ranging->sealed_boot_ms)
        return OC_OK;
    rc = oc_unsealed_prepare(ranging->unsealed, ranging->scan, ranging->range->metric,
                             ranging->boot, begin_boot_ms);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return replay_journal(ranging, begin_boot_ms > ranging->sealed_boot_ms
                                           ? begin_boot_ms
                                           : ranging->sealed_boot_ms);
    for (sample = oc_unsealed_first(ranging->unsealed, ranging->source); sample;
         sample = oc_unsealed_next(ranging->unsealed, sample))
        take_unsealed(ranging, sample->t_boot_ms, sample->value);
    return OC_OK;
}

static int take_span(struct ranging *ranging)
{
    int rc = OC_OK;

    for (int tier = OC_TIER_COUNT - 1; tier >= 0 && rc == OC_OK; tier--) {
        if (ranging->span.begin_boot_ms < ranging->span.end_boot_ms)
            rc = take_tier(ranging, (enum oc_tier)tier);
    }
    if (rc == OC_OK && ranging->span.begin_boot_ms < ranging->span.end_boot_ms)
        rc = take_journal(ranging);
    return rc;
}

/* ---- a question ---- */

static int find_boot(struct ranging *ranging)
{
    sqlite3_stmt *statement = NULL;
    int step;
    int rc = oc_scan_prepare(ranging->scan->db, &statement,
                             "SELECT boot FROM main.source WHERE id = ?1");

    if (rc < 0)
        return rc;
    sqlite3_bind_int64(statement, 1, (int64_t)ranging->source);
    step = sqlite3_step(statement);
    ranging->boot = (uint32_t)sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    if (step == SQLITE_ROW)
        return OC_OK;
    return step == SQLITE_DONE ? OC_E_NOENT : oc_scan_code(step);
}

/* A process is read at its first sight, and then by ticks. */
static int find_birth(struct ranging *ranging)
{
    sqlite3_stmt *statement = NULL;
    int step;
    int rc = oc_scan_prepare(ranging->scan->db, &statement,
                             "SELECT begin_ms + 2 * interval_ms FROM main.source WHERE id = ?1");

    if (rc < 0)
        return rc;
    sqlite3_bind_int64(statement, 1, (int64_t)ranging->source);
    step = sqlite3_step(statement);
    ranging->born_boot_ms = step == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : INT64_MIN;
    (void)sqlite3_finalize(statement);
    return step == SQLITE_ROW || step == SQLITE_DONE ? OC_OK : oc_scan_code(step);
}

/* Where the tiers begin and the sealed samples end. */
static int find_tiers(struct ranging *ranging)
{
    int64_t sealed[OC_BLOCK_COUNT];
    int rc = oc_scan_sealed(ranging->scan, ranging->source, sealed);

    ranging->sealed_boot_ms = sealed[ranging->block];
    if (rc == OC_OK)
        rc = find_birth(ranging);
    for (int tier = 0; tier < OC_TIER_COUNT && rc == OC_OK; tier++)
        rc = oc_scan_first(ranging->scan, (enum oc_tier)tier, ranging->source, ranging->block,
                           &ranging->tier_begin_boot_ms[tier]);
    return rc;
}

static int answer(struct ranging *ranging, oc_point_fn *fn, void *context)
{
    const struct oc_range *range = ranging->range;
    struct oc_clockmap *clock = &ranging->scan->clock;
    size_t index = 0;
    int rc = find_boot(ranging);

    if (rc == OC_OK)
        rc = find_tiers(ranging);
    if (rc < 0)
        return rc;
    oc_fold_init(
        &ranging->fold, range,
        oc_clockmap_goes_back(clock, ranging->boot, range->since_unix_ms, range->until_unix_ms), fn,
        context);
    while (rc == OC_OK && !ranging->fold.stopped &&
           oc_clockmap_next_span(clock, ranging->boot, range->since_unix_ms, range->until_unix_ms,
                                 &index, &ranging->span))
        rc = take_span(ranging);
    if (rc == OC_OK)
        rc = (int)oc_fold_end(&ranging->fold);
    oc_fold_clear(&ranging->fold);
    return rc;
}

int oc_range_boot(struct oc_scan *scan, struct oc_unsealed *unsealed,
                  const struct oc_boot_range *wanted, oc_point_fn *fn, void *context)
{
    const struct oc_range range = { .step_ms = wanted->step_ms, .metric = wanted->metric };
    struct ranging ranging = { .scan = scan,
                               .unsealed = unsealed,
                               .range = &range,
                               .source = wanted->source,
                               .boot = wanted->boot,
                               .block = OC_METRIC_BLOCK(wanted->metric),
                               .span = { .begin_boot_ms = wanted->begin_boot_ms,
                                         .end_boot_ms = wanted->end_boot_ms } };
    int rc = find_tiers(&ranging);

    if (rc < 0)
        return rc;
    oc_fold_init(&ranging.fold, &range, 0, fn, context);
    rc = take_span(&ranging);
    if (rc == OC_OK)
        rc = (int)oc_fold_end(&ranging.fold);
    oc_fold_clear(&ranging.fold);
    return rc;
}

int oc_range_unix(struct oc_scan *scan, struct oc_unsealed *unsealed, uint32_t source,
                  const struct oc_range *range, oc_point_fn *fn, void *context)
{
    struct ranging ranging = {
        .scan = scan, .unsealed = unsealed, .range = range, .source = source
    };

    if (range->metric >= OC_METRIC_MAX || range->step_ms < 0 || range->since_unix_ms < 0)
        return OC_E_INVAL;
    ranging.block = OC_METRIC_BLOCK(range->metric);
    return answer(&ranging, fn, context);
}
