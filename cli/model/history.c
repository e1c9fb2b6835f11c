#include "cli/model/history.h"

#include "base/alloc.h"
#include "base/text.h"
#include "cli/show/axis.h"
#include "cli/show/calendar.h"
#include "cli/show/timespec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Offsets from UTC lie less than 27 hours apart: no more steps can come by changes of the clock, as
 * only those longer than an hour follow it. One for a part of a step. */
#define STEPS_BY_CLOCK 28

/* Points of all steps of a range, where lives are added up. */
struct bins {
    struct oc_point *sum;  /* of all lanes so far; count 0: none */
    struct oc_point *lane; /* of the sources of a lane so far */
    int64_t *lane_ms;      /* how long it was there in the step; 0: not at all */
    struct oc_point *one;  /* of the source now being read */
    int64_t *begin_ms;     /* where each begins, and where the last ends: count + 1 */
    size_t count;
    size_t run;     /* the first of those now being read, which are equally wide */
    int64_t run_ms; /* how wide */
};

unsigned oc_history_default_metric(uint8_t kind)
{
    switch ((enum oc_source_kind)kind) {
    case OC_SOURCE_CGROUP:
        return OC_METRIC_CGROUP_CURRENT;
    case OC_SOURCE_HOST:
        return OC_METRIC_HOST_AVAILABLE;
    case OC_SOURCE_SELF:
    case OC_SOURCE_PROCESS:
    case OC_SOURCE_GROUP:
        break;
    }
    return OC_METRIC_PRIVATE;
}

int oc_history_kind_has(uint8_t kind, unsigned metric)
{
    switch ((enum oc_block)OC_METRIC_BLOCK(metric)) {
    case OC_BLOCK_PROCESS:
        return kind == OC_SOURCE_PROCESS || kind == OC_SOURCE_SELF || kind == OC_SOURCE_GROUP;
    case OC_BLOCK_CGROUP:
        return kind == OC_SOURCE_CGROUP;
    case OC_BLOCK_HOST:
        return kind == OC_SOURCE_HOST;
    case OC_BLOCK_SELF:
        return kind == OC_SOURCE_SELF;
    case OC_BLOCK_COUNT:
        break;
    }
    return 0;
}

/* ---- which sources ---- */

struct collect {
    struct oc_history *history;
    int rc;
};

static int take_life(const struct oc_life_row *row, void *context)
{
    struct collect *collect = context;
    struct oc_history *history = collect->history;
    void *sources = history->sources;
    struct oc_history_source *source;

    collect->rc = oc_array_grow(&sources, &history->source_capacity, history->source_count + 1,
                                sizeof(*source), OC_HISTORY_MAX_SOURCES);
    history->sources = sources;
    if (collect->rc)
        return 1;
    source = &history->sources[history->source_count++];
    source->source = row->source;
    source->pid = row->facts.id.pid;
    source->kind = row->kind;
    source->begin_unix_ms = row->begin_unix_ms;
    source->last_unix_ms = row->last_unix_ms;
    (void)oc_text_copy(source->subject, sizeof(source->subject), row->subject);
    return 0;
}

static int by_begin(const void *a, const void *b)
{
    const struct oc_history_source *x = a, *y = b;

    if (x->begin_unix_ms != y->begin_unix_ms)
        return x->begin_unix_ms < y->begin_unix_ms ? -1 : 1;
    return x->source < y->source ? -1 : x->source > y->source;
}

static int collect_sources(struct oc_history *history, oc_reader *reader,
                           const struct oc_history_ask *ask, struct oc_detail *detail)
{
    struct oc_life_filter filter = { .subject = ask->subject,
                                     .pid = ask->pid,
                                     .since_unix_ms = ask->since_unix_ms,
                                     .until_unix_ms = ask->until_unix_ms };
    struct collect collect = { .history = history };
    int rc = oc_reader_lives(reader, &filter, take_life, &collect);

    if (collect.rc == OC_E_TOOBIG)
        return oc_detail_set(detail, OC_E_TOOBIG,
                             "more than %d lives in that time; narrow it by --since, --until or "
                             "the subject",
                             OC_HISTORY_MAX_SOURCES);
    if (history->source_count > 1)
        qsort(history->sources, history->source_count, sizeof(*history->sources), by_begin);
    return rc < 0 ? rc : collect.rc;
}

/* The lives of a subject are added up here, so that its group would count them twice; but how many
 * there are only the group knows. */
static int takes_part(uint8_t kind, unsigned metric)
{
    return oc_history_kind_has(kind, metric) &&
           (kind == OC_SOURCE_GROUP) == (metric == OC_METRIC_PROCESSES);
}

/* Sources that have the metric, all others go. */
static int keep_fitting(struct oc_history *history, const struct oc_history_ask *ask,
                        struct oc_detail *detail)
{
    size_t kept = 0;

    if (history->source_count == 0)
        return oc_detail_set(detail, OC_E_NOENT, "%s", "nothing of that name in that time");
    history->metric =
        ask->metric ? ask->metric : oc_history_default_metric(history->sources[0].kind);
    for (size_t i = 0; i < history->source_count; i++) {
        if (takes_part(history->sources[i].kind, history->metric))
            history->sources[kept++] = history->sources[i];
    }
    if (kept == 0 && history->metric == OC_METRIC_PROCESSES)
        return oc_detail_set(detail, OC_E_NOENT,
                             "'%s' was never more than one process in that time",
                             history->sources[0].subject);
    if (kept == 0)
        return oc_detail_set(detail, OC_E_INVAL, "%s is a metric of a %s, and '%s' is a %s",
                             oc_metric_by_number(history->metric)->name,
                             oc_block_name((enum oc_block)OC_METRIC_BLOCK(history->metric)),
                             history->sources[0].subject,
                             oc_source_kind_name((enum oc_source_kind)history->sources[0].kind));
    history->source_count = kept;
    return OC_OK;
}

/* The part of the range where there is something. */
static void clip_range(struct oc_history *history, const struct oc_history_ask *ask)
{
    int64_t begin = INT64_MAX, end = 0;

    for (size_t i = 0; i < history->source_count; i++) {
        if (history->sources[i].begin_unix_ms < begin)
            begin = history->sources[i].begin_unix_ms;
        if (history->sources[i].last_unix_ms > end)
            end = history->sources[i].last_unix_ms;
    }
    history->t0_unix_ms = begin > ask->since_unix_ms ? begin : ask->since_unix_ms;
    history->t1_unix_ms = end + 1 < ask->until_unix_ms ? end + 1 : ask->until_unix_ms;
    if (history->t1_unix_ms <= history->t0_unix_ms)
        history->t1_unix_ms = history->t0_unix_ms + 1;
}

/* Steps of a round width that begin at round times of the local clock. */
static int choose_step(struct oc_history *history, const struct oc_history_ask *ask,
                       struct oc_detail *detail)
{
    int64_t span_ms = history->t1_unix_ms - history->t0_unix_ms;

    history->step_ms = ask->step_ms;
    if (history->step_ms <= 0)
        history->step_ms =
            oc_axis_round_span(span_ms / (int64_t)(ask->points ? ask->points : 1) + 1);
    history->t0_unix_ms = oc_calendar_begin(history->t0_unix_ms, history->step_ms);
    if (history->t0_unix_ms < 0)
        history->t0_unix_ms = 0;
    if ((history->t1_unix_ms - history->t0_unix_ms) / history->step_ms >= OC_HISTORY_MAX_STEPS)
        return oc_detail_set(detail, OC_E_TOOBIG,
                             "that would be more than %d steps; choose a longer --step",
                             OC_HISTORY_MAX_STEPS);
    return OC_OK;
}

/* ---- points ---- */

static int put_point(struct oc_history_line *line, const struct oc_point *point)
{
    void *points = line->points;
    int rc = oc_array_grow(&points, &line->capacity, line->count + 1, sizeof(*point),
                           OC_HISTORY_MAX_STEPS);

    line->points = points;
    if (rc)
        return rc;
    line->points[line->count++] = *point;
    oc_trend_add_point(&line->trend, point);
    return OC_OK;
}

static int take_binned(const struct oc_point *point, void *context)
{
    struct bins *bins = context;
    int64_t index = (point->t_unix_ms - bins->begin_ms[bins->run]) / bins->run_ms;

    if (index >= 0 && bins->run + (size_t)index < bins->count)
        bins->one[bins->run + (size_t)index] = *point;
    return 0;
}

/* How much of a step's time a source was there. */
static int64_t present_ms(const struct bins *bins, size_t step,
                          const struct oc_history_source *source)
{
    int64_t begin_ms = bins->begin_ms[step], end_ms = bins->begin_ms[step + 1];

    if (begin_ms < source->begin_unix_ms)
        begin_ms = source->begin_unix_ms;
    if (end_ms > source->last_unix_ms)
        end_ms = source->last_unix_ms;
    return end_ms > begin_ms ? end_ms - begin_ms : 1;
}

/* What comes after the lane's end: both are never there at once, so nothing is added up. */
static void join(struct oc_point *lane, int64_t *lane_ms, const struct oc_point *next, int64_t ms)
{
    if (*lane_ms == 0) {
        *lane = *next;
    } else {
        lane->min = next->min < lane->min ? next->min : lane->min;
        lane->max = next->max > lane->max ? next->max : lane->max;
        lane->mean =
            (lane->mean * (double)*lane_ms + next->mean * (double)ms) / (double)(*lane_ms + ms);
        lane->last = next->last;
        lane->count += next->count;
    }
    *lane_ms += ms;
}

/* Between two points of a source its last value stands: it was silent since nothing moved. */
static void join_one(struct bins *bins, const struct oc_history_source *source)
{
    struct oc_point next = { 0 };
    size_t end = bins->count;
    int begun = 0;

    while (end > 0 && bins->one[end - 1].count == 0)
        end--;
    for (size_t i = 0; i < end; i++) {
        if (bins->one[i].count > 0) {
            next = bins->one[i];
            begun = 1;
        } else {
            next.min = next.max = next.first = next.last;
            next.mean = (double)next.last;
            next.count = 0;
        }
        if (begun)
            join(&bins->lane[i], &bins->lane_ms[i], &next, present_ms(bins, i, source));
    }
}

static void add_lane(struct bins *bins)
{
    for (size_t i = 0; i < bins->count; i++) {
        const struct oc_point *lane = &bins->lane[i];
        struct oc_point *sum = &bins->sum[i];

        if (bins->lane_ms[i] == 0)
            continue;
        sum->min += lane->min;
        sum->max += lane->max;
        sum->first += lane->first;
        sum->last += lane->last;
        sum->mean += lane->mean;
        sum->count += lane->count;
    }
}

/* The first step that is not as wide as bins->run. Only a change of the clock makes one differ. */
static size_t end_of_run(const struct bins *bins)
{
    size_t end = bins->run + 1;

    while (end < bins->count && bins->begin_ms[end + 1] - bins->begin_ms[end] == bins->run_ms)
        end++;
    return end;
}

static int read_run(struct oc_history *history, oc_reader *reader, const struct oc_history_ask *ask,
                    uint32_t source, struct bins *bins, size_t end)
{
    struct oc_range range = { .since_unix_ms = bins->begin_ms[bins->run],
                              .until_unix_ms = bins->begin_ms[end],
                              .step_ms = bins->run_ms,
                              .metric = history->metric,
                              .precision = ask->precision };

    if (range.until_unix_ms > history->t1_unix_ms)
        range.until_unix_ms = history->t1_unix_ms;
    return oc_reader_range(reader, source, &range, take_binned, bins);
}

static int read_binned(struct oc_history *history, oc_reader *reader,
                       const struct oc_history_ask *ask, const struct oc_history_source *source,
                       struct bins *bins)
{
    int rc = OC_OK;
    size_t end;

    memset(bins->one, 0, bins->count * sizeof(*bins->one));
    for (bins->run = 0; bins->run < bins->count && rc >= 0; bins->run = end) {
        bins->run_ms = bins->begin_ms[bins->run + 1] - bins->begin_ms[bins->run];
        end = end_of_run(bins);
        rc = read_run(history, reader, ask, source->source, bins, end);
    }
    if (rc < 0)
        return rc;
    join_one(bins, source);
    return OC_OK;
}

static int same_line(const struct oc_history_line *line, const struct oc_history_source *source,
                     int each)
{
    return !each && strcmp(line->subject, source->subject) == 0;
}

static int flush_bins(struct oc_history_line *line, const struct bins *bins)
{
    int rc = OC_OK;

    for (size_t i = 0; i < bins->count && !rc; i++) {
        if (bins->sum[i].count == 0)
            continue;
        bins->sum[i].t_unix_ms = bins->begin_ms[i];
        rc = put_point(line, &bins->sum[i]);
    }
    return rc;
}

static int load_lane(struct oc_history *history, oc_reader *reader,
                     const struct oc_history_ask *ask, const struct oc_history_line *line,
                     size_t first_source, size_t lane, struct bins *bins)
{
    int rc = OC_OK;

    memset(bins->lane_ms, 0, bins->count * sizeof(*bins->lane_ms));
    for (size_t i = first_source; i < history->source_count && !rc; i++) {
        const struct oc_history_source *source = &history->sources[i];

        if (source->lane == lane && (i == first_source || same_line(line, source, ask->each)))
            rc = read_binned(history, reader, ask, source, bins);
    }
    if (!rc)
        add_lane(bins);
    return rc;
}

/* The first lane that is free again when a source begins; *count lanes end at ends_ms. */
static size_t free_lane(const struct oc_history_source *source, int64_t *ends_ms, size_t *count)
{
    size_t lane = 0;

    while (lane < *count && ends_ms[lane] > source->begin_unix_ms)
        lane++;
    if (lane == *count)
        *count += 1;
    ends_ms[lane] = source->last_unix_ms;
    return lane;
}

/* A restart is no moment when there are two: only lives that overlap are added up. Sources stand in
 * the order of their beginnings. 0 or OC_E_NOMEM. */
static int lay_lanes(struct oc_history *history, const struct oc_history_line *line,
                     size_t first_source, int each, size_t *out_count)
{
    int64_t *ends_ms = oc_calloc(history->source_count, sizeof(*ends_ms));

    *out_count = 0;
    if (!ends_ms)
        return OC_E_NOMEM;
    for (size_t i = first_source; i < history->source_count; i++) {
        struct oc_history_source *source = &history->sources[i];

        if (i == first_source || same_line(line, source, each))
            source->lane = free_lane(source, ends_ms, out_count);
    }
    oc_free(ends_ms);
    return OC_OK;
}

static int load_line(struct oc_history *history, oc_reader *reader,
                     const struct oc_history_ask *ask, struct oc_history_line *line,
                     size_t first_source, struct bins *bins)
{
    size_t lane_count;
    int rc = lay_lanes(history, line, first_source, ask->each, &lane_count);

    memset(bins->sum, 0, bins->count * sizeof(*bins->sum));
    for (size_t lane = 0; lane < lane_count && !rc; lane++)
        rc = load_lane(history, reader, ask, line, first_source, lane, bins);
    return rc ? rc : flush_bins(line, bins);
}

struct raw {
    struct oc_history_line *line;
    int rc;
};

static int take_raw(const struct oc_point *point, void *context)
{
    struct raw *raw = context;

    raw->rc = put_point(raw->line, point);
    return raw->rc != OC_OK;
}

static int load_raw(struct oc_history *history, oc_reader *reader, struct oc_history_line *line,
                    uint32_t source)
{
    struct oc_range range = { .since_unix_ms = history->t0_unix_ms,
                              .until_unix_ms = history->t1_unix_ms,
                              .metric = history->metric,
                              .precision = OC_PRECISE_EXACT };
    struct raw raw = { .line = line };
    int rc = oc_reader_range(reader, source, &range, take_raw, &raw);

    return rc < 0 ? rc : raw.rc;
}

/* ---- lines ---- */

static struct oc_history_line *new_line(struct oc_history *history,
                                        const struct oc_history_source *source, int each)
{
    struct oc_history_line *line;

    if (history->line_count == OC_HISTORY_MAX_LINES)
        return NULL;
    line = &history->lines[history->line_count++];
    (void)oc_text_copy(line->subject, sizeof(line->subject), source->subject);
    if (each && source->pid)
        (void)snprintf(line->name, sizeof(line->name), "%s %" PRIu32, source->subject, source->pid);
    else
        (void)snprintf(line->name, sizeof(line->name), "%s", source->subject);
    return line;
}

/* Counts its sources; the PID stays where all are one process. */
static void count_sources(const struct oc_history *history, struct oc_history_line *line,
                          size_t first_source, int each)
{
    line->pid = history->sources[first_source].pid;
    for (size_t i = first_source; i < history->source_count; i++) {
        if (i != first_source && !same_line(line, &history->sources[i], each))
            continue;
        line->sources++;
        if (history->sources[i].pid != line->pid)
            line->pid = 0;
    }
}

static int has_line(const struct oc_history *history, const struct oc_history_source *source)
{
    for (size_t i = 0; i < history->line_count; i++) {
        if (strcmp(history->lines[i].subject, source->subject) == 0)
            return 1;
    }
    return 0;
}

/* bins NULL: every sample. */
static int load_lines(struct oc_history *history, oc_reader *reader,
                      const struct oc_history_ask *ask, struct bins *bins, struct oc_detail *detail)
{
    int each = ask->each || ask->every_sample;
    int rc = OC_OK;

    for (size_t i = 0; i < history->source_count && !rc; i++) {
        struct oc_history_line *line;

        if (!each && has_line(history, &history->sources[i]))
            continue;
        line = new_line(history, &history->sources[i], each);
        if (!line)
            return oc_detail_set(detail, OC_E_TOOBIG,
                                 "more than %d %s at a time; narrow it by the name, a PID, --since "
                                 "or --until",
                                 OC_HISTORY_MAX_LINES, each ? "lives" : "subjects");
        count_sources(history, line, i, each);
        rc = bins ? load_line(history, reader, ask, line, i, bins)
                  : load_raw(history, reader, line, history->sources[i].source);
    }
    return rc;
}

/* Where the steps begin, and where the last ends. Returns how many; room for one more is there. */
static size_t lay_steps(const struct oc_history *history, int64_t *out_begin_ms, size_t most)
{
    size_t count = 0;

    out_begin_ms[0] = history->t0_unix_ms;
    while (out_begin_ms[count] < history->t1_unix_ms && count < most) {
        out_begin_ms[count + 1] = oc_calendar_next(out_begin_ms[count], history->step_ms);
        count++;
    }
    return count;
}

static int load_binned(struct oc_history *history, oc_reader *reader,
                       const struct oc_history_ask *ask, struct oc_detail *detail)
{
    int64_t span_ms = history->t1_unix_ms - history->t0_unix_ms;
    size_t most = (size_t)(span_ms / history->step_ms) + STEPS_BY_CLOCK;
    struct bins bins = { .begin_ms = NULL };
    int rc = OC_E_NOMEM;

    bins.begin_ms = oc_calloc(most + 1, sizeof(*bins.begin_ms));
    bins.sum = oc_calloc(most, sizeof(*bins.sum));
    bins.lane = oc_calloc(most, sizeof(*bins.lane));
    bins.lane_ms = oc_calloc(most, sizeof(*bins.lane_ms));
    bins.one = oc_calloc(most, sizeof(*bins.one));
    if (bins.begin_ms && bins.sum && bins.lane && bins.lane_ms && bins.one) {
        bins.count = lay_steps(history, bins.begin_ms, most);
        rc = load_lines(history, reader, ask, &bins, detail);
    }
    oc_free(bins.begin_ms);
    oc_free(bins.sum);
    oc_free(bins.lane);
    oc_free(bins.lane_ms);
    oc_free(bins.one);
    return rc;
}

int oc_history_load(struct oc_history *history, oc_reader *reader, const struct oc_history_ask *ask,
                    struct oc_detail *detail)
{
    int rc = collect_sources(history, reader, ask, detail);

    if (!rc)
        rc = keep_fitting(history, ask, detail);
    if (rc)
        return rc;
    clip_range(history, ask);
    if (ask->every_sample)
        return load_lines(history, reader, ask, NULL, detail);
    rc = choose_step(history, ask, detail);
    return rc ? rc : load_binned(history, reader, ask, detail);
}

void oc_history_clear(struct oc_history *history)
{
    for (size_t i = 0; i < history->line_count; i++)
        oc_free(history->lines[i].points);
    oc_free(history->sources);
    memset(history, 0, sizeof(*history));
}
