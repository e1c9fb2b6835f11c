#include "cli/model/ceilings.h"

#include "base/alloc.h"
#include "base/text.h"
#include "probes/probe.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_BACK_MS INT64_C(7200000) /* for walks, which may be rare */

enum oc_unit oc_limit_unit(const struct oc_limit *limit)
{
    const struct oc_metric_row *metric = oc_metric_by_number(limit->metric);
    const struct oc_limit_row *row = oc_limit_row(limit->kind);

    if (metric)
        return (enum oc_unit)metric->unit;
    return row ? (enum oc_unit)row->unit : OC_UNIT_COUNT;
}

int oc_ceilings_add(struct oc_ceilings *ceilings, const struct oc_ceiling *ceiling)
{
    void *items = ceilings->items;
    int rc = oc_array_grow(&items, &ceilings->capacity, ceilings->count + 1, sizeof(*ceiling),
                           OC_CEILINGS_MAX);

    ceilings->items = items;
    if (rc)
        return rc;
    ceilings->items[ceilings->count++] = *ceiling;
    return OC_OK;
}

void oc_ceilings_clear(struct oc_ceilings *ceilings)
{
    oc_free(ceilings->items);
    memset(ceilings, 0, sizeof(*ceilings));
}

static int nearest_first(const void *a, const void *b)
{
    const struct oc_ceiling *x = a, *y = b;
    double near_x = oc_limit_ratio(&x->limit), near_y = oc_limit_ratio(&y->limit);

    if (x->limit.has_use != y->limit.has_use)
        return x->limit.has_use ? -1 : 1;
    if (x->limit.has_use && (near_x < near_y || near_x > near_y))
        return near_x < near_y ? 1 : -1;
    if (x->limit.kind != y->limit.kind)
        return x->limit.kind < y->limit.kind ? -1 : 1;
    return strcmp(x->limit.where, y->limit.where);
}

void oc_ceilings_sort(struct oc_ceilings *ceilings)
{
    if (ceilings->count > 1)
        qsort(ceilings->items, ceilings->count, sizeof(*ceilings->items), nearest_first);
}

/* ---- from the store ---- */

struct loading {
    struct oc_ceiling_store *store;
    int rc;
};

static int take_life(const struct oc_life_row *row, void *context)
{
    struct loading *loading = context;
    struct oc_ceiling_store *store = loading->store;
    void *sources = store->sources;
    struct oc_ceiling_source *source;

    loading->rc = oc_array_grow(&sources, &store->capacity, store->count + 1, sizeof(*source),
                                OC_CEILING_SOURCES_MAX);
    store->sources = sources;
    if (loading->rc)
        return 1;
    source = &store->sources[store->count++];
    memset(source, 0, sizeof(*source));
    source->source = row->source;
    source->pid = row->facts.id.pid;
    source->kind = row->kind;
    (void)oc_text_copy(source->subject, sizeof(source->subject), row->subject);
    return 0;
}

static int by_source(const void *a, const void *b)
{
    const struct oc_ceiling_source *x = a, *y = b;

    return (x->source > y->source) - (x->source < y->source);
}

static struct oc_ceiling_source *find_source(const struct oc_ceiling_store *store, uint32_t id)
{
    struct oc_ceiling_source key = { .source = id };

    if (store->count == 0)
        return NULL;
    return bsearch(&key, store->sources, store->count, sizeof(*store->sources), by_source);
}

static int take_span(const struct oc_limit_span *span, void *context)
{
    struct loading *loading = context;
    struct oc_ceiling_source *source = find_source(loading->store, span->source);
    struct oc_ceiling ceiling = { .limit = *span->limit,
                                  .since_unix_ms = span->from_unix_ms,
                                  .pid = source ? source->pid : 0,
                                  .source = span->source,
                                  .processes = source && source->kind == OC_SOURCE_PROCESS };

    if (!source || span->until_unix_ms != INT64_MAX)
        return 0; /* of one that ended, or of a value that changed */
    ceiling.limit.has_use = 0;
    loading->rc = oc_ceilings_add(&source->limits, &ceiling);
    return loading->rc != OC_OK;
}

static int take_latest(const struct oc_latest_row *row, void *context)
{
    struct loading *loading = context;
    struct oc_ceiling_source *source = find_source(loading->store, row->source);

    if (!source)
        return 0;
    for (size_t i = 0; i < source->limits.count; i++)
        oc_limits_use(&source->limits.items[i].limit, 1, row->sample);
    if (row->t_unix_ms > loading->store->newest_unix_ms)
        loading->store->newest_unix_ms = row->t_unix_ms;
    return 0;
}

static int take_point(const struct oc_point *point, void *context)
{
    *(struct oc_point *)context = *point;
    return 0;
}

/* What only walks know (mappings, the stack) is not in every sample: the last one that has it. */
static int look_back(struct oc_ceiling_source *source, struct oc_limit *limit, oc_reader *reader,
                     int64_t until_unix_ms)
{
    struct oc_point point = { 0 };
    struct oc_range range = { .since_unix_ms = until_unix_ms - LOOK_BACK_MS,
                              .until_unix_ms = until_unix_ms,
                              .step_ms = LOOK_BACK_MS,
                              .metric = limit->metric,
                              .precision = OC_PRECISE_EXACT };
    int rc = oc_reader_range(reader, source->source, &range, take_point, &point);

    if (rc < 0)
        return rc == OC_E_NOENT ? OC_OK : rc;
    if (point.count > 0 && point.last >= 0) {
        limit->use = (uint64_t)point.last;
        limit->has_use = 1;
    }
    return OC_OK;
}

/* All processes of a metric before the next one: what the journal has of it is read once. */
static int look_back_metric(struct oc_ceiling_store *store, oc_reader *reader, unsigned metric,
                            const struct oc_party_member *members, size_t count)
{
    int rc = OC_OK;

    for (size_t i = 0; i < count && !rc; i++) {
        struct oc_ceiling_source *source = find_source(store, members[i].source);

        for (size_t c = 0; source && c < source->limits.count && !rc; c++) {
            struct oc_limit *limit = &source->limits.items[c].limit;

            if (!limit->has_use && limit->metric == metric)
                rc = look_back(source, limit, reader, store->newest_unix_ms + 1);
        }
    }
    return rc;
}

int oc_ceiling_store_look_back(struct oc_ceiling_store *store, oc_reader *reader,
                               const struct oc_party_member *members, size_t count)
{
    int rc = OC_OK;

    if (store->newest_unix_ms < LOOK_BACK_MS)
        return OC_OK; /* no figures at all */
    for (unsigned metric = 1; metric < OC_METRIC_MAX && !rc; metric++) {
        if (oc_metric_by_number(metric))
            rc = look_back_metric(store, reader, metric, members, count);
    }
    return rc;
}

int oc_ceiling_store_load(struct oc_ceiling_store *store, oc_reader *reader)
{
    struct oc_life_filter filter = { .running_only = 1, .until_unix_ms = INT64_MAX };
    struct loading loading = { .store = store };
    int rc = oc_reader_lives(reader, &filter, take_life, &loading);

    if (rc < 0 || loading.rc)
        return rc < 0 ? rc : loading.rc;
    if (store->count > 1)
        qsort(store->sources, store->count, sizeof(*store->sources), by_source);
    rc = oc_reader_limits(reader, OC_READER_ALL_SOURCES, INT64_MAX - 1, INT64_MAX, take_span,
                          &loading);
    if (rc < 0 || loading.rc)
        return rc < 0 ? rc : loading.rc;
    rc = oc_reader_latest(reader, take_latest, &loading);
    return rc < 0 ? rc : OC_OK;
}

void oc_ceiling_store_clear(struct oc_ceiling_store *store)
{
    for (size_t i = 0; i < store->count; i++)
        oc_ceilings_clear(&store->sources[i].limits);
    oc_free(store->sources);
    memset(store, 0, sizeof(*store));
}

/* ---- of some processes ---- */

/* A cgroup's limits hold for all below it. */
static int is_above(const char *cgroup, const char *path)
{
    size_t len = strlen(cgroup);

    if (strcmp(cgroup, "/") == 0)
        return path[0] == '/';
    return len > 0 && strncmp(cgroup, path, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int concerns(const struct oc_ceiling_source *source, const struct oc_limit *limit,
                    const struct oc_party_member *members, size_t count)
{
    if (source->kind == OC_SOURCE_HOST)
        return 1;
    for (size_t i = 0; i < count; i++) {
        if (source->source == members[i].source)
            return 1;
        if (source->kind == OC_SOURCE_CGROUP && is_above(limit->where, members[i].cgroup))
            return 1;
        if (source->kind == OC_SOURCE_GROUP && strcmp(source->subject, members[i].subject) == 0)
            return 1;
    }
    return 0;
}

/* Of the same limit of two processes the nearer one stands for both. */
static int merge(struct oc_ceilings *ceilings, const struct oc_ceiling *ceiling)
{
    for (size_t i = 0; i < ceilings->count && ceiling->processes; i++) {
        struct oc_ceiling *other = &ceilings->items[i];
        uint32_t processes = other->processes + ceiling->processes;

        if (!other->processes || other->limit.kind != ceiling->limit.kind ||
            other->limit.metric != ceiling->limit.metric ||
            strcmp(other->limit.where, ceiling->limit.where) != 0)
            continue;
        if (nearest_first(ceiling, other) < 0)
            *other = *ceiling;
        other->processes = processes;
        return OC_OK;
    }
    return oc_ceilings_add(ceilings, ceiling);
}

int oc_ceilings_of(struct oc_ceilings *ceilings, const struct oc_ceiling_store *store,
                   const struct oc_party_member *members, size_t count)
{
    int rc = OC_OK;

    for (size_t s = 0; s < store->count; s++) {
        const struct oc_ceiling_source *source = &store->sources[s];

        for (size_t i = 0; i < source->limits.count && !rc; i++) {
            if (concerns(source, &source->limits.items[i].limit, members, count))
                rc = merge(ceilings, &source->limits.items[i]);
        }
    }
    return rc;
}

static int add_all(struct oc_ceilings *ceilings, const struct oc_ceiling_source *source)
{
    int rc = OC_OK;

    for (size_t i = 0; i < source->limits.count && !rc; i++)
        rc = oc_ceilings_add(ceilings, &source->limits.items[i]);
    return rc;
}

int oc_ceilings_of_others(struct oc_ceilings *ceilings, const struct oc_ceiling_store *store,
                          const char *word)
{
    int named = 0;

    for (size_t i = 0; i < store->count; i++) {
        if (oc_subject_is_meant(store->sources[i].subject, word) &&
            store->sources[i].kind != OC_SOURCE_CGROUP && store->sources[i].kind != OC_SOURCE_HOST)
            return 0;
    }
    for (size_t i = 0; i < store->count; i++) {
        int rc;

        if (!oc_subject_is_meant(store->sources[i].subject, word))
            continue;
        rc = add_all(ceilings, &store->sources[i]);
        if (rc)
            return rc;
        named++;
    }
    return named;
}

void oc_ceilings_since(struct oc_ceilings *ceilings, const struct oc_ceiling_store *store,
                       uint32_t source_id)
{
    for (size_t s = 0; s < store->count; s++) {
        const struct oc_ceiling_source *source = &store->sources[s];

        if (source->kind == OC_SOURCE_PROCESS && source->source != source_id)
            continue;
        for (size_t i = 0; i < source->limits.count; i++) {
            const struct oc_ceiling *known = &source->limits.items[i];

            for (size_t c = 0; c < ceilings->count; c++) {
                struct oc_ceiling *ceiling = &ceilings->items[c];

                if (ceiling->limit.kind == known->limit.kind &&
                    ceiling->limit.value == known->limit.value &&
                    strcmp(ceiling->limit.where, known->limit.where) == 0) {
                    ceiling->since_unix_ms = known->since_unix_ms;
                    ceiling->source = known->source;
                }
            }
        }
    }
}

/* ---- of all subjects ---- */

static int find_nearest(const struct oc_ceiling_store *store, const struct oc_party *party,
                        size_t *at, struct oc_nearest *out_nearest)
{
    const struct oc_party_member *first = &party->items[*at];
    struct oc_ceilings ceilings = { 0 };
    size_t count = 1;
    int rc;

    while (*at + count < party->count && strcmp(first[count].subject, first->subject) == 0)
        count++;
    rc = oc_ceilings_of(&ceilings, store, first, count);
    oc_ceilings_sort(&ceilings);
    memset(out_nearest, 0, sizeof(*out_nearest));
    out_nearest->subject = first->subject;
    out_nearest->processes = count;
    if (ceilings.count > 0) {
        out_nearest->has_limit = 1;
        out_nearest->ceiling = ceilings.items[0];
    }
    oc_ceilings_clear(&ceilings);
    *at += count;
    return rc;
}

static int by_nearness(const void *a, const void *b)
{
    const struct oc_nearest *x = a, *y = b;
    double near_x =
        x->has_limit && x->ceiling.limit.has_use ? oc_limit_ratio(&x->ceiling.limit) : -1;
    double near_y =
        y->has_limit && y->ceiling.limit.has_use ? oc_limit_ratio(&y->ceiling.limit) : -1;

    if (near_x < near_y || near_x > near_y)
        return near_x < near_y ? 1 : -1;
    return strcmp(x->subject, y->subject);
}

int oc_nearest_of_all(const struct oc_ceiling_store *store, const struct oc_party *party,
                      struct oc_nearest **out_all, size_t *out_count)
{
    struct oc_nearest *all = oc_calloc(party->count + 1, sizeof(*all));
    size_t count = 0;
    int rc = all ? OC_OK : OC_E_NOMEM;

    for (size_t at = 0; at < party->count && !rc;)
        rc = find_nearest(store, party, &at, &all[count++]);
    if (rc) {
        oc_free(all);
        return rc;
    }
    if (count > 1)
        qsort(all, count, sizeof(*all), by_nearness);
    *out_all = all;
    *out_count = count;
    return OC_OK;
}
