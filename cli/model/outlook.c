#include "cli/model/outlook.h"

#include "base/alloc.h"
#include "base/text.h"
#include "base/ahead.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STALE_MS INT64_C(60000)
#define STALE_TICKS 3

/* ---- one row ---- */

static double time_left(double said_s, double age_s)
{
    if (!oc_ahead_is_known(said_s))
        return said_s;
    return said_s > age_s ? said_s - age_s : 0;
}

static void age_row(struct oc_outlook_row *row, int64_t now_unix_ms)
{
    const struct oc_forecast *said = &row->said.forecast;
    double age_s = now_unix_ms > said->t_ms ? (double)(now_unix_ms - said->t_ms) / 1000.0 : 0;

    row->p10_s = time_left(said->p10_s, age_s);
    row->p50_s = time_left(said->p50_s, age_s);
    row->p90_s = time_left(said->p90_s, age_s);
}

enum oc_urgency oc_outlook_urgency(const struct oc_outlook_row *row)
{
    int in_sight = row->said.limit.kind && oc_ahead_is_known(row->p50_s);

    switch (row->said.forecast.state) {
    case OC_FORECAST_EXHAUSTED:
        return row->said.limit.kind ? OC_URGENCY_MET : OC_URGENCY_NONE;
    case OC_FORECAST_LEAKING:
        return in_sight ? OC_URGENCY_SURE : OC_URGENCY_GROWS;
    case OC_FORECAST_GROWING:
        return in_sight ? OC_URGENCY_MAYBE : OC_URGENCY_GROWS;
    case OC_FORECAST_SAVED:
        return OC_URGENCY_SAVED;
    default:
        return OC_URGENCY_NONE;
    }
}

double oc_outlook_time_s(const struct oc_outlook_row *row)
{
    enum oc_urgency urgency = oc_outlook_urgency(row);

    if (urgency == OC_URGENCY_MET)
        return 0;
    return urgency == OC_URGENCY_SURE || urgency == OC_URGENCY_MAYBE ? row->p50_s : INFINITY;
}

/* Of two that nothing is forecast of, the livelier state is said. */
static int calmness(const struct oc_outlook_row *row)
{
    static const int ranks[OC_FORECAST_STATES] = {
        [OC_FORECAST_EXHAUSTED] = 0, [OC_FORECAST_LEAKING] = 1,  [OC_FORECAST_SAVED] = 2,
        [OC_FORECAST_GROWING] = 3,   [OC_FORECAST_WARMING] = 4,  [OC_FORECAST_CYCLIC] = 5,
        [OC_FORECAST_FLAT] = 6,      [OC_FORECAST_LEARNING] = 7,
    };

    return row->said.forecast.state < OC_FORECAST_STATES ? ranks[row->said.forecast.state]
                                                         : OC_FORECAST_STATES;
}

int oc_outlook_is_before(const struct oc_outlook_row *a, const struct oc_outlook_row *b)
{
    enum oc_urgency x = oc_outlook_urgency(a), y = oc_outlook_urgency(b);
    double time_a = oc_outlook_time_s(a), time_b = oc_outlook_time_s(b);

    if (x != y)
        return x < y;
    if (time_a < time_b || time_a > time_b)
        return time_a < time_b;
    if (calmness(a) != calmness(b))
        return calmness(a) < calmness(b);
    /* of the calm the series itself, of what grows its limit */
    return x == OC_URGENCY_NONE ? !a->said.limit.kind && b->said.limit.kind
                                : a->said.limit.kind && !b->said.limit.kind;
}

int oc_outlook_is_moving(const struct oc_outlook_row *row)
{
    return oc_outlook_urgency(row) != OC_URGENCY_NONE;
}

/* ---- loading ---- */

struct loading {
    struct oc_outlook *outlook;
    int rc;
};

static int take_life(const struct oc_life_row *life, void *context)
{
    struct loading *loading = context;
    struct oc_outlook *outlook = loading->outlook;
    void *sources = outlook->sources;
    struct oc_outlook_source *source;

    loading->rc = oc_array_grow(&sources, &outlook->capacity, outlook->count + 1, sizeof(*source),
                                OC_OUTLOOK_MAX_SOURCES);
    outlook->sources = sources;
    if (loading->rc)
        return 1;
    source = &outlook->sources[outlook->count++];
    memset(source, 0, sizeof(*source));
    source->source = life->source;
    source->pid = life->kind == OC_SOURCE_PROCESS ? life->facts.id.pid : 0;
    source->kind = life->kind;
    source->interval_ms = life->interval_ms;
    source->begin_unix_ms = life->begin_unix_ms;
    source->last_unix_ms = life->last_unix_ms;
    source->best = OC_OUTLOOK_NONE;
    (void)oc_text_copy(source->subject, sizeof(source->subject), life->subject);
    (void)oc_text_copy(source->cgroup, sizeof(source->cgroup), life->facts.cgroup);
    return 0;
}

static int by_source(const void *a, const void *b)
{
    const struct oc_outlook_source *x = a, *y = b;

    return (x->source > y->source) - (x->source < y->source);
}

static struct oc_outlook_source *find(const struct oc_outlook *outlook, uint32_t id)
{
    struct oc_outlook_source key = { .source = id };

    if (outlook->count == 0)
        return NULL;
    return bsearch(&key, outlook->sources, outlook->count, sizeof(*outlook->sources), by_source);
}

/* Of a row without a limit the series' metric tells it from others. */
static int is_same(const struct oc_forecast_row *a, const struct oc_forecast_row *b)
{
    return a->limit.kind == b->limit.kind && a->forecast.metric == b->forecast.metric &&
           strcmp(a->limit.where, b->limit.where) == 0;
}

/* Rows of one source and limit come in the order of time: the newest stands. */
static struct oc_outlook_row *row_of(const struct oc_outlook *outlook, size_t source,
                                     const struct oc_forecast_row *said)
{
    for (size_t i = outlook->row_count; i-- > 0 && outlook->rows[i].source == source;) {
        if (is_same(&outlook->rows[i].said, said))
            return &outlook->rows[i];
    }
    return NULL;
}

static int take_forecast(const struct oc_forecast_span *span, void *context)
{
    struct loading *loading = context;
    struct oc_outlook *outlook = loading->outlook;
    struct oc_outlook_source *source = find(outlook, span->source);
    void *rows = outlook->rows;
    struct oc_outlook_row *row;
    size_t index;

    if (!source)
        return 0;
    index = (size_t)(source - outlook->sources);
    row = row_of(outlook, index, span->row);
    if (!row) {
        loading->rc = oc_array_grow(&rows, &outlook->row_capacity, outlook->row_count + 1,
                                    sizeof(*row), OC_OUTLOOK_MAX_ROWS);
        outlook->rows = rows;
        if (loading->rc)
            return 1;
        row = &outlook->rows[outlook->row_count++];
        row->source = index;
    }
    row->said = *span->row;
    age_row(row, outlook->now_unix_ms);
    return 0;
}

static int by_row_source(const void *a, const void *b)
{
    const struct oc_outlook_row *x = a, *y = b;

    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    if (x->said.limit.kind != y->said.limit.kind)
        return x->said.limit.kind < y->said.limit.kind ? -1 : 1;
    if (x->said.forecast.metric != y->said.forecast.metric)
        return x->said.forecast.metric < y->said.forecast.metric ? -1 : 1;
    return strcmp(x->said.limit.where, y->said.limit.where);
}

static void index_rows(struct oc_outlook *outlook)
{
    if (outlook->row_count > 1)
        qsort(outlook->rows, outlook->row_count, sizeof(*outlook->rows), by_row_source);
    for (size_t i = 0; i < outlook->row_count; i++) {
        struct oc_outlook_source *source = &outlook->sources[outlook->rows[i].source];

        if (source->row_count++ == 0)
            source->first_row = i;
    }
}

/* ---- what is the most urgent of a source ---- */

static void take_better(const struct oc_outlook *outlook, struct oc_outlook_source *source,
                        size_t row)
{
    if (row != OC_OUTLOOK_NONE &&
        (source->best == OC_OUTLOOK_NONE ||
         oc_outlook_is_before(&outlook->rows[row], &outlook->rows[source->best])))
        source->best = row;
}

int oc_outlook_is_above(const struct oc_outlook_source *cgroup, const char *path)
{
    const char *name = strncmp(cgroup->subject, "cgroup:", 7) == 0 ? cgroup->subject + 7 : "";
    size_t len = strlen(name);

    if (strcmp(name, "/") == 0)
        return path[0] == '/';
    return len > 0 && strncmp(name, path, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int is_urgent(const struct oc_outlook *outlook, const struct oc_outlook_source *source)
{
    return source->best != OC_OUTLOOK_NONE &&
           oc_outlook_urgency(&outlook->rows[source->best]) <= OC_URGENCY_MAYBE;
}

/* A cgroup that fills up concerns those in it that grow; the sum of a subject all of it. */
static int is_shared_with(const struct oc_outlook *outlook, const struct oc_outlook_source *shared,
                          const struct oc_outlook_source *source)
{
    if (source->kind != OC_SOURCE_PROCESS)
        return 0;
    if (shared->kind == OC_SOURCE_GROUP)
        return strcmp(shared->subject, source->subject) == 0;
    return shared->kind == OC_SOURCE_CGROUP && source->best != OC_OUTLOOK_NONE &&
           oc_outlook_is_moving(&outlook->rows[source->best]) &&
           oc_outlook_is_above(shared, source->cgroup);
}

static void find_best(struct oc_outlook *outlook)
{
    for (size_t s = 0; s < outlook->count; s++) {
        struct oc_outlook_source *source = &outlook->sources[s];

        source->best = OC_OUTLOOK_NONE;
        for (size_t i = 0; i < source->row_count; i++)
            take_better(outlook, source, source->first_row + i);
    }
    for (size_t s = 0; s < outlook->count; s++) {
        const struct oc_outlook_source *shared = &outlook->sources[s];

        if ((shared->kind != OC_SOURCE_GROUP && shared->kind != OC_SOURCE_CGROUP) ||
            !is_urgent(outlook, shared))
            continue;
        for (size_t i = 0; i < outlook->count; i++) {
            if (is_shared_with(outlook, shared, &outlook->sources[i]))
                take_better(outlook, &outlook->sources[i], shared->best);
        }
    }
}

static void find_newest(struct oc_outlook *outlook)
{
    int64_t slack_ms = STALE_MS;

    for (size_t s = 0; s < outlook->count; s++) {
        const struct oc_outlook_source *source = &outlook->sources[s];

        if (source->last_unix_ms <= outlook->newest_unix_ms)
            continue;
        outlook->newest_unix_ms = source->last_unix_ms;
        slack_ms = (int64_t)source->interval_ms * STALE_TICKS;
    }
    if (slack_ms < STALE_MS)
        slack_ms = STALE_MS;
    outlook->is_stale =
        outlook->newest_unix_ms > 0 && outlook->now_unix_ms - outlook->newest_unix_ms > slack_ms;
}

static int load(struct oc_outlook *outlook, oc_reader *reader, const struct oc_life_filter *lives,
                const struct oc_forecast_filter *forecasts)
{
    struct loading loading = { .outlook = outlook };
    int rc = oc_reader_lives(reader, lives, take_life, &loading);

    if (rc < 0 || loading.rc)
        return rc < 0 ? rc : loading.rc;
    if (outlook->count > 1)
        qsort(outlook->sources, outlook->count, sizeof(*outlook->sources), by_source);
    find_newest(outlook);
    rc = oc_reader_forecasts(reader, forecasts, take_forecast, &loading);
    if (rc < 0 || loading.rc)
        return rc < 0 ? rc : loading.rc;
    index_rows(outlook);
    find_best(outlook);
    return OC_OK;
}

int oc_outlook_load(struct oc_outlook *outlook, oc_reader *reader, int64_t now_unix_ms)
{
    struct oc_life_filter lives = { .running_only = 1, .until_unix_ms = INT64_MAX };
    struct oc_forecast_filter forecasts = { .source = OC_READER_ALL_SOURCES,
                                            .until_unix_ms = INT64_MAX,
                                            .now_only = 1 };

    outlook->now_unix_ms = now_unix_ms;
    return load(outlook, reader, &lives, &forecasts);
}

static void take_member(struct oc_outlook_source *source, const struct oc_party_member *member)
{
    memset(source, 0, sizeof(*source));
    source->source = member->source;
    source->pid = member->pid;
    source->kind = member->kind;
    source->begin_unix_ms = member->begin_unix_ms;
    source->last_unix_ms = member->last_unix_ms;
    source->best = OC_OUTLOOK_NONE;
    (void)oc_text_copy(source->subject, sizeof(source->subject), member->subject);
    (void)oc_text_copy(source->cgroup, sizeof(source->cgroup), member->cgroup);
}

int oc_outlook_load_member(struct oc_outlook *outlook, oc_reader *reader,
                           const struct oc_party_member *member)
{
    struct loading loading = { .outlook = outlook };
    struct oc_forecast_filter forecasts = { .source = member->source, .until_unix_ms = INT64_MAX };
    int rc;

    outlook->sources = oc_calloc(1, sizeof(*outlook->sources));
    if (!outlook->sources)
        return OC_E_NOMEM;
    outlook->count = outlook->capacity = 1;
    take_member(&outlook->sources[0], member);
    rc = oc_reader_forecasts(reader, &forecasts, take_forecast, &loading);
    if (rc < 0 || loading.rc)
        return rc < 0 ? rc : loading.rc;
    outlook->newest_unix_ms = member->last_unix_ms;
    outlook->is_stale = 1;
    index_rows(outlook);
    find_best(outlook);
    return outlook->row_count ? OC_OK : OC_E_NOENT;
}

void oc_outlook_clear(struct oc_outlook *outlook)
{
    oc_free(outlook->sources);
    oc_free(outlook->rows);
    memset(outlook, 0, sizeof(*outlook));
}

void oc_outlook_age(struct oc_outlook *outlook, int64_t now_unix_ms)
{
    outlook->now_unix_ms = now_unix_ms;
    for (size_t i = 0; i < outlook->row_count; i++)
        age_row(&outlook->rows[i], now_unix_ms);
    find_newest(outlook);
}

/* ---- questions ---- */

const struct oc_outlook_source *oc_outlook_source(const struct oc_outlook *outlook, uint32_t source)
{
    return find(outlook, source);
}

const struct oc_outlook_row *oc_outlook_best(const struct oc_outlook *outlook, uint32_t source)
{
    const struct oc_outlook_source *found = find(outlook, source);

    return found && found->best != OC_OUTLOOK_NONE ? &outlook->rows[found->best] : NULL;
}

const struct oc_outlook_row *oc_outlook_of_limit(const struct oc_outlook *outlook, uint32_t source,
                                                 const struct oc_limit *limit)
{
    const struct oc_outlook_source *found = find(outlook, source);

    for (size_t i = 0; found && i < found->row_count; i++) {
        const struct oc_outlook_row *row = &outlook->rows[found->first_row + i];

        if (row->said.limit.kind == limit->kind && row->said.forecast.metric == limit->metric &&
            strcmp(row->said.limit.where, limit->where) == 0)
            return row;
    }
    return NULL;
}
