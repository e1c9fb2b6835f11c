#include "cli/model/shares.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static int take_point(const struct oc_point *point, void *context)
{
    *(struct oc_point *)context = *point;
    return 0;
}

/* What a figure gained in the time; OC_E_NOENT where nothing of it is known. */
static int read_change(oc_reader *reader, const struct oc_outlook_source *source, unsigned metric,
                       int64_t since_unix_ms, int64_t until_unix_ms, int64_t *out_change)
{
    struct oc_point point = { 0 };
    struct oc_range range = { .since_unix_ms = since_unix_ms,
                              .until_unix_ms = until_unix_ms,
                              .step_ms = until_unix_ms - since_unix_ms,
                              .metric = metric };
    int rc = oc_reader_range(reader, source->source, &range, take_point, &point);

    if (rc < 0)
        return rc;
    if (point.count == 0)
        return OC_E_NOENT;
    *out_change = source->begin_unix_ms > since_unix_ms ? point.last : point.last - point.first;
    return OC_OK;
}

static int add_process(struct oc_shares *shares, oc_reader *reader,
                       const struct oc_outlook_source *source, int64_t until_unix_ms)
{
    void *items = shares->items;
    int64_t change = 0;
    int rc = read_change(reader, source, OC_METRIC_PRIVATE, shares->since_unix_ms, until_unix_ms,
                         &change);

    if (rc == OC_E_NOENT || (!rc && change <= 0))
        return OC_OK; /* one that shrinks takes nothing away from those that grow */
    if (!rc)
        rc = oc_array_grow(&items, &shares->capacity, shares->count + 1, sizeof(*shares->items),
                           OC_SHARES_MAX);
    shares->items = items;
    if (rc)
        return rc;
    shares->items[shares->count++] =
        (struct oc_share){ source, change, (double)change / (double)shares->change_bytes };
    return OC_OK;
}

static int greatest_first(const void *a, const void *b)
{
    const struct oc_share *x = a, *y = b;

    if (x->change_bytes != y->change_bytes)
        return x->change_bytes < y->change_bytes ? 1 : -1;
    return (x->source->source > y->source->source) - (x->source->source < y->source->source);
}

int oc_shares_load(struct oc_shares *shares, oc_reader *reader, const struct oc_outlook *outlook,
                   const struct oc_outlook_source *cgroup, unsigned metric, int64_t since_unix_ms)
{
    int64_t until_unix_ms = outlook->newest_unix_ms + 1;
    int rc;

    if (since_unix_ms < cgroup->begin_unix_ms)
        since_unix_ms = cgroup->begin_unix_ms;
    if (since_unix_ms < 0 || since_unix_ms >= until_unix_ms)
        return OC_E_NOENT;
    shares->since_unix_ms = since_unix_ms;
    rc = read_change(reader, cgroup, metric, since_unix_ms, until_unix_ms, &shares->change_bytes);
    if (rc || shares->change_bytes <= 0)
        return rc ? rc : OC_E_NOENT;
    shares->rest = 1;
    for (size_t i = 0; i < outlook->count && !rc; i++) {
        const struct oc_outlook_source *source = &outlook->sources[i];

        if (source->kind == OC_SOURCE_PROCESS && oc_outlook_is_above(cgroup, source->cgroup))
            rc = add_process(shares, reader, source, until_unix_ms);
    }
    for (size_t i = 0; i < shares->count; i++)
        shares->rest -= shares->items[i].share;
    if (shares->count > 1)
        qsort(shares->items, shares->count, sizeof(*shares->items), greatest_first);
    return rc;
}

void oc_shares_clear(struct oc_shares *shares)
{
    oc_free(shares->items);
    memset(shares, 0, sizeof(*shares));
}
