#include "cli/model/top.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "cli/show/spark.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t blocks[OC_TOP_ABOUTS] = { OC_BLOCK_PROCESS, OC_BLOCK_CGROUP };

static const enum oc_metric metrics[OC_TOP_ABOUTS][OC_TOP_FIGURES] = {
    { OC_METRIC_PRIVATE, OC_METRIC_RSS, OC_METRIC_SWAP, OC_METRIC_VIRTUAL, OC_METRIC_THREADS,
      OC_METRIC_FDS },
    { OC_METRIC_CGROUP_CURRENT, OC_METRIC_CGROUP_ANON, OC_METRIC_CGROUP_SWAP,
      OC_METRIC_CGROUP_LIMIT, OC_METRIC_CGROUP_TASKS, OC_METRIC_CGROUP_EVENTS_OOM_KILL },
};

void oc_top_init(struct oc_top *top, enum oc_top_about about, int64_t span_ms)
{
    memset(top, 0, sizeof(*top));
    top->about = about;
    top->bucket_ms = span_ms / OC_TOP_BUCKETS;
    if (top->bucket_ms < 1)
        top->bucket_ms = 1;
}

void oc_top_clear(struct oc_top *top)
{
    oc_free(top->sources);
    oc_free(top->by_subject);
    oc_free(top->rows);
    memset(top, 0, sizeof(*top));
}

/* ---- taking samples ---- */

/* Moves the past of all sources on to the bucket of now; what was not seen between stood. */
static void shift_buckets(struct oc_top *top, int64_t now_unix_ms)
{
    int64_t bucket = now_unix_ms / top->bucket_ms;
    int64_t by = bucket - top->bucket;

    if (by <= 0)
        return;
    if (by > OC_TOP_BUCKETS)
        by = OC_TOP_BUCKETS;
    top->bucket = bucket;
    for (size_t i = 0; i < top->count; i++) {
        int64_t *past = top->sources[i].past;
        int64_t stands = past[OC_TOP_BUCKETS - 1];

        memmove(past, past + by, (size_t)(OC_TOP_BUCKETS - by) * sizeof(*past));
        for (size_t b = (size_t)(OC_TOP_BUCKETS - by); b < OC_TOP_BUCKETS; b++)
            past[b] = stands;
    }
}

/* Pairs become one, the later of the two; they pair as the wider buckets' numbers have it. */
static void widen_past(int64_t *past, int newest_alone)
{
    size_t from = OC_TOP_BUCKETS, to = OC_TOP_BUCKETS;

    if (newest_alone) {
        from -= 1;
        to -= 1;
    }
    while (to > 0) {
        int64_t later = from > 0 ? past[from - 1] : OC_SPARK_NONE;
        int64_t earlier = from > 1 ? past[from - 2] : OC_SPARK_NONE;

        past[--to] = later == OC_SPARK_NONE ? earlier : later;
        from = from > 2 ? from - 2 : 0;
    }
}

void oc_top_widen(struct oc_top *top)
{
    for (size_t i = 0; i < top->count; i++)
        widen_past(top->sources[i].past, top->bucket % 2 == 0);
    top->bucket /= 2;
    top->bucket_ms *= 2;
}

void oc_top_begin(struct oc_top *top, int64_t now_unix_ms)
{
    top->generation++;
    top->hint = 0;
    top->err = OC_OK;
    top->host.sample.known = 0;
    shift_buckets(top, now_unix_ms);
}

/* Where the source is or would be. */
static size_t place_of(const struct oc_top *top, uint32_t source)
{
    size_t low = 0, high = top->count;

    if (top->hint < top->count && top->sources[top->hint].source == source)
        return top->hint;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (top->sources[middle].source < source)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct oc_top_source *insert(struct oc_top *top, size_t at, uint32_t source)
{
    void *sources = top->sources;
    struct oc_top_source *item;

    top->err =
        oc_array_grow(&sources, &top->capacity, top->count + 1, sizeof(*item), OC_TOP_MAX_SOURCES);
    top->sources = sources;
    if (top->err)
        return NULL;
    item = &top->sources[at];
    memmove(item + 1, item, (top->count - at) * sizeof(*item));
    top->count++;
    memset(item, 0, sizeof(*item));
    item->source = source;
    item->cpu_ratio = -1;
    for (size_t b = 0; b < OC_TOP_BUCKETS; b++)
        item->past[b] = OC_SPARK_NONE;
    return item;
}

static void take_cpu(struct oc_top_source *item, const struct oc_latest_row *row)
{
    int64_t cpu_ms, ms;

    if (!oc_sample_has(row->sample, OC_METRIC_CPU_TIME)) {
        item->cpu_ratio = -1;
        return;
    }
    cpu_ms = oc_sample_get(row->sample, OC_METRIC_CPU_TIME);
    ms = row->t_unix_ms - item->cpu_t_ms;
    if (item->cpu_t_ms > 0 && ms <= 0)
        return; /* the same sample as before */
    if (item->cpu_t_ms > 0)
        item->cpu_ratio = (double)(cpu_ms - item->cpu_ms) / (double)ms;
    item->cpu_ms = cpu_ms;
    item->cpu_t_ms = row->t_unix_ms;
}

static void take_process(struct oc_top *top, struct oc_top_source *item,
                         const struct oc_latest_row *row)
{
    int64_t *newest = &item->past[OC_TOP_BUCKETS - 1];

    take_cpu(item, row);
    item->pid = row->pid;
    item->kind = row->kind;
    item->t_unix_ms = row->t_unix_ms;
    item->generation = top->generation;
    item->sample = *row->sample;
    (void)oc_text_copy(item->subject, sizeof(item->subject), row->subject);
    (void)oc_text_copy(item->name, sizeof(item->name), row->name);
    if (oc_sample_has(row->sample, metrics[top->about][0]))
        *newest = oc_sample_get(row->sample, metrics[top->about][0]);
}

int oc_top_take(const struct oc_latest_row *row, void *context)
{
    struct oc_top *top = context;
    struct oc_top_source *item = NULL;
    size_t at;

    if (row->t_unix_ms > top->newest_unix_ms)
        top->newest_unix_ms = row->t_unix_ms;
    if (row->sample->block == OC_BLOCK_HOST) {
        top->host.t_unix_ms = row->t_unix_ms;
        top->host.sample = *row->sample;
    }
    if (row->sample->block != blocks[top->about] || row->kind == OC_SOURCE_GROUP)
        return 0; /* a group's processes are here themselves */
    at = place_of(top, row->source);
    if (at < top->count && top->sources[at].source == row->source)
        item = &top->sources[at];
    else
        item = insert(top, at, row->source);
    if (!item)
        return 1;
    top->hint = at + 1;
    take_process(top, item, row);
    return 0;
}

int oc_top_end(struct oc_top *top)
{
    size_t kept = 0;

    for (size_t i = 0; i < top->count; i++) {
        if (top->sources[i].generation != top->generation)
            continue;
        if (kept != i)
            top->sources[kept] = top->sources[i];
        kept++;
    }
    top->count = kept;
    return top->err;
}

/* ---- rows ---- */

static void add_source(enum oc_top_about about, struct oc_top_row *row,
                       const struct oc_top_source *item)
{
    row->count++;
    for (int figure = 0; figure < OC_TOP_FIGURES; figure++) {
        enum oc_metric metric = metrics[about][figure];

        if (!oc_sample_has(&item->sample, metric))
            continue;
        row->figures[figure] += oc_sample_get(&item->sample, metric);
        row->known |= UINT64_C(1) << figure;
    }
    if (item->cpu_ratio >= 0)
        row->cpu_ratio = (row->cpu_ratio < 0 ? 0 : row->cpu_ratio) + item->cpu_ratio;
    for (size_t b = 0; b < OC_TOP_BUCKETS; b++) {
        if (item->past[b] == OC_SPARK_NONE)
            continue;
        row->past[b] = (row->past[b] == OC_SPARK_NONE ? 0 : row->past[b]) + item->past[b];
    }
}

/* Half a past would look like growth: it is shown once that of all its processes is there. */
static void finish_past(const struct oc_top *top, struct oc_top_row *row)
{
    int complete = 1;

    for (size_t i = 0; i < row->count; i++)
        complete &= oc_top_row_source(top, row, i)->backfilled;
    if (!complete && row->count > 1) {
        for (size_t b = 0; b + 1 < OC_TOP_BUCKETS; b++)
            row->past[b] = OC_SPARK_NONE;
    }
    for (size_t b = 0; b + 1 < OC_TOP_BUCKETS; b++) {
        if (row->past[b] == OC_SPARK_NONE || !(row->known & (1u << OC_TOP_PRIVATE)))
            continue;
        row->has_change = 1;
        row->change_bytes = row->figures[OC_TOP_PRIVATE] - row->past[b];
        return;
    }
}

static double key_of(const struct oc_top_row *row, enum oc_top_sort sort)
{
    static const enum oc_top_figure figures[] = {
        [OC_TOP_BY_PRIVATE] = OC_TOP_PRIVATE, [OC_TOP_BY_RSS] = OC_TOP_RSS,
        [OC_TOP_BY_SWAP] = OC_TOP_SWAP,       [OC_TOP_BY_VIRTUAL] = OC_TOP_VIRTUAL,
        [OC_TOP_BY_THREADS] = OC_TOP_THREADS, [OC_TOP_BY_FDS] = OC_TOP_FDS,
    };

    if (sort == OC_TOP_BY_CPU)
        return row->cpu_ratio;
    if (sort == OC_TOP_BY_CHANGE)
        return row->has_change ? (double)row->change_bytes : -1e300;
    if (sort == OC_TOP_BY_TTL)
        return row->ahead ? -oc_outlook_time_s(row->ahead) : -INFINITY;
    if (sort == OC_TOP_BY_NAME)
        return 0;
    return row->known & (1u << figures[sort]) ? (double)row->figures[figures[sort]] : -1;
}

static int compare_rows(const void *a, const void *b)
{
    const struct oc_top_row *x = a, *y = b;
    int names;

    if (x->key != y->key)
        return x->key < y->key ? 1 : -1;
    names = strcmp(x->name, y->name);
    if (names)
        return names;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int compare_rows_reverse(const void *a, const void *b) { return compare_rows(b, a); }

/* qsort has no context: what is sorted carries its own. */
struct named {
    const char *subject;
    size_t index;
};

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int names = strcmp(x->subject, y->subject);

    if (names)
        return names;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int group_by_subject(struct oc_top *top)
{
    struct named *named = oc_malloc((top->count + 1) * sizeof(*named));
    void *by_subject = top->by_subject;
    int rc;

    if (!named)
        return OC_E_NOMEM;
    rc = oc_array_grow(&by_subject, &top->by_subject_capacity, top->count + 1,
                       sizeof(*top->by_subject), OC_TOP_MAX_SOURCES + 1);
    top->by_subject = by_subject;
    if (!rc) {
        for (size_t i = 0; i < top->count; i++)
            named[i] = (struct named){ top->sources[i].subject, i };
        qsort(named, top->count, sizeof(*named), compare_named);
        for (size_t i = 0; i < top->count; i++)
            top->by_subject[i] = named[i].index;
        top->by_subject_count = top->count;
    }
    oc_free(named);
    return rc;
}

static struct oc_top_row *new_row(struct oc_top *top, size_t first_source,
                                  const struct oc_top_source *item, int each)
{
    void *rows = top->rows;
    struct oc_top_row *row;

    top->err = oc_array_grow(&rows, &top->row_capacity, top->row_count + 1, sizeof(*row),
                             OC_TOP_MAX_SOURCES);
    top->rows = rows;
    if (top->err)
        return NULL;
    row = &top->rows[top->row_count++];
    memset(row, 0, sizeof(*row));
    row->name =
        each && item->name[0] && top->about == OC_TOP_PROCESSES ? item->name : item->subject;
    row->first_source = first_source;
    row->cpu_ratio = -1;
    for (size_t b = 0; b < OC_TOP_BUCKETS; b++)
        row->past[b] = OC_SPARK_NONE;
    return row;
}

static int fill_rows(struct oc_top *top, int each)
{
    struct oc_top_row *row = NULL;
    const struct oc_top_source *before = NULL;

    top->row_count = top->subject_count = 0;
    top->source_count = top->by_subject_count;
    for (size_t i = 0; i < top->by_subject_count; i++) {
        const struct oc_top_source *item = &top->sources[top->by_subject[i]];
        int same = before && strcmp(before->subject, item->subject) == 0;

        top->subject_count += !same;
        if (!row || each || !same)
            row = new_row(top, i, item, each);
        if (!row)
            return top->err;
        add_source(top->about, row, item);
        row->pid = row->count == 1 ? item->pid : 0;
        before = item;
    }
    return OC_OK;
}

/* The most urgent of what is forecast of its sources. */
static void find_ahead(const struct oc_top *top, struct oc_top_row *row)
{
    for (size_t i = 0; i < row->count && top->outlook; i++) {
        const struct oc_outlook_row *ahead =
            oc_outlook_best(top->outlook, oc_top_row_source(top, row, i)->source);

        if (ahead && (!row->ahead || oc_outlook_is_before(ahead, row->ahead)))
            row->ahead = ahead;
    }
}

int oc_top_make_rows(struct oc_top *top, enum oc_top_sort sort, int reverse, int each)
{
    int rc = group_by_subject(top);

    if (!rc)
        rc = fill_rows(top, each);
    if (rc)
        return rc;
    for (size_t i = 0; i < top->row_count; i++) {
        finish_past(top, &top->rows[i]);
        find_ahead(top, &top->rows[i]);
        top->rows[i].key = key_of(&top->rows[i], sort);
    }
    if (top->row_count > 1)
        qsort(top->rows, top->row_count, sizeof(*top->rows),
              reverse ? compare_rows_reverse : compare_rows);
    return OC_OK;
}

const struct oc_top_source *oc_top_row_source(const struct oc_top *top,
                                              const struct oc_top_row *row, size_t index)
{
    return &top->sources[top->by_subject[row->first_source + index]];
}

/* ---- the past ---- */

struct filling {
    struct oc_top_source *item;
    int64_t first_bucket, bucket_ms;
};

static int take_point(const struct oc_point *point, void *context)
{
    struct filling *filling = context;
    int64_t b = point->t_unix_ms / filling->bucket_ms - filling->first_bucket;

    if (b >= 0 && b < OC_TOP_BUCKETS && filling->item->past[b] == OC_SPARK_NONE)
        filling->item->past[b] = point->last;
    return 0;
}

static int backfill_source(struct oc_top *top, oc_reader *reader, struct oc_top_source *item)
{
    struct filling filling = { .item = item,
                               .first_bucket = top->bucket - OC_TOP_BUCKETS + 1,
                               .bucket_ms = top->bucket_ms };
    struct oc_range range = { .since_unix_ms = filling.first_bucket * top->bucket_ms,
                              .until_unix_ms = (top->bucket + 1) * top->bucket_ms,
                              .step_ms = top->bucket_ms,
                              .metric = metrics[top->about][0] };
    int rc = oc_reader_range(reader, item->source, &range, take_point, &filling);

    if (rc < 0)
        return rc;
    item->backfilled = 1;
    for (size_t b = 1; b < OC_TOP_BUCKETS; b++) { /* silent since nothing moved: the last stands */
        if (item->past[b] == OC_SPARK_NONE)
            item->past[b] = item->past[b - 1];
    }
    return OC_OK;
}

int oc_top_backfill(struct oc_top *top, oc_reader *reader, size_t first, size_t count,
                    int64_t deadline_mono_ns)
{
    for (size_t r = first; r < first + count && r < top->row_count; r++) {
        for (size_t i = 0; i < top->rows[r].count; i++) {
            size_t index = top->by_subject[top->rows[r].first_source + i];
            int rc;

            if (top->sources[index].backfilled)
                continue;
            if (oc_clock_mono_ns() > deadline_mono_ns)
                return OC_OK;
            rc = backfill_source(top, reader, &top->sources[index]);
            if (rc)
                return rc;
        }
    }
    return OC_OK;
}
