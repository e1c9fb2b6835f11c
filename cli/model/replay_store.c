#include "cli/model/replay_store.h"

#include "base/alloc.h"
#include "cli/model/party.h"
#include "cli/model/replay_course.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SPANS ((size_t)100000) /* of one life */
#define MAX_METRICS 64             /* that have limits, of one subject */

struct lives {
    struct oc_replay_life *items;
    size_t count, capacity;
    int rc;
};

struct loading {
    const struct oc_replay_query *query;
    struct oc_replay_life *life;
    int rc;
};

static void clear_life(struct oc_replay_life *life)
{
    for (size_t i = 0; i < life->span_count; i++)
        oc_free(life->spans[i].where);
    oc_free(life->spans);
    oc_free(life->subject);
    oc_free(life->exe);
}

static void clear_lives(struct lives *lives)
{
    for (size_t i = 0; i < lives->count; i++)
        clear_life(&lives->items[i]);
    oc_free(lives->items);
}

/* ---- which lives ---- */

static int take_life(const struct oc_life_row *row, void *context)
{
    struct lives *lives = context;
    void *items = lives->items;
    struct oc_replay_life *life;

    lives->rc = oc_array_grow(&items, &lives->capacity, lives->count + 1, sizeof(*lives->items),
                              OC_REPLAY_MAX_LIVES);
    lives->items = items;
    if (lives->rc)
        return 1;
    life = &lives->items[lives->count];
    *life = (struct oc_replay_life){ .source = row->source,
                                     .pid = row->facts.id.pid,
                                     .kind = row->kind,
                                     .end = row->end,
                                     .status = row->status,
                                     .killer = row->killer,
                                     .begin_unix_ms = row->begin_unix_ms,
                                     .end_unix_ms = row->end_unix_ms };
    life->subject = oc_strdup(row->subject);
    life->exe = oc_strdup(row->facts.exe);
    lives->count++;
    lives->rc = life->subject && life->exe ? OC_OK : OC_E_NOMEM;
    return lives->rc != OC_OK;
}

static int find_lives(oc_reader *reader, const struct oc_replay_query *query, const char *word,
                      struct lives *lives)
{
    struct oc_life_filter filter = { .since_unix_ms = query->since_unix_ms,
                                     .until_unix_ms = query->until_unix_ms };
    int rc;

    filter.pid = oc_party_pid(word);
    if (!filter.pid)
        filter.subject = word;
    rc = oc_reader_lives(reader, &filter, take_life, lives);
    return rc < 0 ? rc : lives->rc;
}

/* By subject and kind, in the order in which they began; the same source once. */
static int in_order(const void *a, const void *b)
{
    const struct oc_replay_life *x = a, *y = b;
    int order = strcmp(x->subject, y->subject);

    if (order != 0)
        return order;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->begin_unix_ms != y->begin_unix_ms)
        return x->begin_unix_ms < y->begin_unix_ms ? -1 : 1;
    return (x->source > y->source) - (x->source < y->source);
}

static void sort_lives(struct lives *lives)
{
    size_t kept = 0;

    if (lives->count > 1)
        qsort(lives->items, lives->count, sizeof(*lives->items), in_order);
    for (size_t i = 0; i < lives->count; i++) {
        if (kept > 0 && lives->items[kept - 1].source == lives->items[i].source)
            clear_life(&lives->items[i]);
        else
            lives->items[kept++] = lives->items[i];
    }
    lives->count = kept;
}

/* ---- the cgroups that they were in ---- */

struct paths {
    char **items;
    size_t count, capacity;
    int rc;
};

static int has_path(const struct paths *paths, const char *path)
{
    for (size_t i = 0; i < paths->count; i++) {
        if (strcmp(paths->items[i], path) == 0)
            return 1;
    }
    return 0;
}

/* A cgroup and those above it: any of their limits may be met. */
static int take_cgroup(const struct oc_life_row *row, void *context)
{
    struct paths *paths = context;
    char path[sizeof(row->facts.cgroup)];
    void *items = paths->items;

    (void)snprintf(path, sizeof(path), "%s", row->facts.cgroup);
    while (path[0] == '/' && path[1] != '\0' && !has_path(paths, path)) {
        char *copy = oc_strdup(path);

        paths->rc = copy ? oc_array_grow(&items, &paths->capacity, paths->count + 1, sizeof(char *),
                                         OC_REPLAY_MAX_LIVES)
                         : OC_E_NOMEM;
        paths->items = items;
        if (paths->rc) {
            oc_free(copy);
            return 1;
        }
        paths->items[paths->count++] = copy;
        *strrchr(path, '/') = '\0';
    }
    return 0;
}

/* A path as a glob that means itself alone. */
static void escape_path(const char *path, char *out, size_t out_bytes)
{
    size_t at = (size_t)snprintf(out, out_bytes, "cgroup:");

    for (; *path && at + 2 < out_bytes; path++) {
        if (strchr("*?[\\", *path))
            out[at++] = '\\';
        out[at++] = *path;
    }
    out[at] = '\0';
}

static int find_cgroups(oc_reader *reader, const struct oc_replay_query *query, struct lives *lives)
{
    struct oc_life_filter filter = { .processes_only = 1,
                                     .since_unix_ms = query->since_unix_ms,
                                     .until_unix_ms = query->until_unix_ms };
    struct paths paths = { 0 };
    char word[1100];
    int rc;

    filter.pid = oc_party_pid(query->word);
    if (!filter.pid)
        filter.subject = query->word;
    rc = oc_reader_lives(reader, &filter, take_cgroup, &paths);
    rc = rc < 0 ? rc : paths.rc;
    for (size_t i = 0; i < paths.count; i++) {
        escape_path(paths.items[i], word, sizeof(word));
        if (!rc)
            rc = find_lives(reader, query, word, lives);
        oc_free(paths.items[i]);
    }
    oc_free(paths.items);
    return rc;
}

/* ---- their limits ---- */

static int add_span(struct oc_replay_life *life, const struct oc_replay_span *span)
{
    void *spans = life->spans;
    char *where = oc_strdup(span->where);
    int rc = where ? oc_array_grow(&spans, &life->span_capacity, life->span_count + 1,
                                   sizeof(*span), MAX_SPANS)
                   : OC_E_NOMEM;

    life->spans = spans;
    if (rc) {
        oc_free(where);
        return rc;
    }
    life->spans[life->span_count] = *span;
    life->spans[life->span_count++].where = where;
    return OC_OK;
}

static int take_span(const struct oc_limit_span *row, void *context)
{
    static char nowhere[] = "";
    struct loading *loading = context;
    struct oc_replay_span span = { .metric = row->limit->metric,
                                   .kind = row->limit->kind,
                                   .where = nowhere,
                                   .value = (double)row->limit->value,
                                   .from_unix_ms = row->from_unix_ms,
                                   .until_unix_ms = row->until_unix_ms };
    char where[OC_LIMIT_WHERE_BYTES];

    if (span.metric == 0 || (loading->query->metric && span.metric != loading->query->metric))
        return 0;
    (void)snprintf(where, sizeof(where), "%s", row->limit->where);
    span.where = where;
    loading->rc = add_span(loading->life, &span);
    return loading->rc != OC_OK;
}

/* What counts most, where nobody named a figure. */
static unsigned usual_metric(const struct oc_replay_life *life)
{
    switch (life->kind) {
    case OC_SOURCE_CGROUP:
        return OC_METRIC_CGROUP_CHARGE;
    case OC_SOURCE_HOST:
        return OC_METRIC_HOST_USED;
    default:
        return OC_METRIC_PRIVATE;
    }
}

static int load_limits(oc_reader *reader, const struct oc_replay_query *query,
                       struct oc_replay_life *life)
{
    static char nowhere[] = "";
    struct loading loading = { query, life, OC_OK };
    struct oc_replay_span given = { .kind = OC_LIMIT_USER,
                                    .where = nowhere,
                                    .value = query->limit,
                                    .from_unix_ms = INT64_MIN,
                                    .until_unix_ms = INT64_MAX };
    int rc;

    if (!(fabs(query->limit) <= DBL_MAX)) {
        rc = oc_reader_limits(reader, life->source, query->since_unix_ms, query->until_unix_ms,
                              take_span, &loading);
        return rc < 0 ? rc : loading.rc;
    }
    given.metric = (uint16_t)(query->metric ? query->metric : usual_metric(life));
    return add_span(life, &given);
}

/* ---- running ---- */

/* Figures that have a limit in any of these lives. Returns how many. */
static size_t metrics_of(const struct oc_replay_life *lives, size_t count,
                         unsigned out_metrics[MAX_METRICS])
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < lives[i].span_count; k++) {
            size_t at = 0;

            while (at < found && out_metrics[at] != lives[i].spans[k].metric)
                at++;
            if (at == found && found < MAX_METRICS)
                out_metrics[found++] = lives[i].spans[k].metric;
        }
    }
    return found;
}

static int is_same_course(const struct oc_replay_life *a, const struct oc_replay_life *b)
{
    return a->kind == b->kind && strcmp(a->subject, b->subject) == 0;
}

static int run_courses(struct oc_replay *replay, oc_reader *reader,
                       const struct oc_replay_query *query, const struct lives *lives)
{
    int rc = OC_OK;

    for (size_t i = 0, next = 0; i < lives->count && !rc; i = next) {
        struct oc_replay_course course = { .replay = replay,
                                           .reader = reader,
                                           .query = query,
                                           .lives = &lives->items[i],
                                           .lives_done = i,
                                           .lives_in_all = lives->count };
        unsigned metrics[MAX_METRICS];
        size_t metric_count;

        for (next = i;
             next < lives->count && is_same_course(&lives->items[i], &lives->items[next]);)
            next++;
        course.count = next - i;
        metric_count = metrics_of(course.lives, course.count, metrics);
        for (size_t k = 0; k < metric_count && !rc; k++) {
            course.metric = metrics[k];
            rc = oc_replay_course_run(&course);
        }
    }
    return rc;
}

static int no_lives(const struct oc_replay_query *query, struct oc_detail *detail)
{
    if (!query->word)
        return oc_detail_set(detail, OC_E_NOENT, "the store has nothing of that time");
    return oc_detail_set(detail, OC_E_NOENT,
                         "nothing of '%s' in that time; 'oomcast lives' lists what there is",
                         query->word);
}

int oc_replay_of_store(struct oc_replay *replay, oc_reader *reader,
                       const struct oc_replay_query *query, struct oc_detail *detail)
{
    struct lives lives = { 0 };
    int rc = find_lives(reader, query, query->word, &lives);

    if (!rc && query->word)
        rc = find_cgroups(reader, query, &lives);
    if (!rc && lives.count == 0)
        rc = no_lives(query, detail);
    if (!rc)
        sort_lives(&lives);
    for (size_t i = 0; i < lives.count && !rc; i++) {
        rc = load_limits(reader, query, &lives.items[i]);
        replay->lives += lives.items[i].span_count > 0;
    }
    if (!rc)
        rc = run_courses(replay, reader, query, &lives);
    clear_lives(&lives);
    return rc;
}
