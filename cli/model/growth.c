#include "cli/model/growth.h"

#include "base/alloc.h"
#include "cli/model/history.h"

#include <stdlib.h>
#include <string.h>

#define RECENT_MS INT64_C(600000) /* samples this close to a moment stand for it */
#define ROUND_MS 10000            /* of discovery: as often as the daemon looks by default */
#define MS_PER_HOUR 3600000.0
#define ROWS_MAX (OC_FAMILIES_MAX * 2 + 256)

/* ---- a moment ---- */

static int take_point(const struct oc_point *point, void *context)
{
    *(struct oc_point *)context = *point;
    return 0;
}

/* The last value by then; *out_point's count is 0 where there is none. */
static int value_at(oc_reader *reader, const struct oc_party_member *member, unsigned metric,
                    int64_t at_unix_ms, struct oc_point *out_point)
{
    struct oc_range range = { .until_unix_ms = at_unix_ms + 1,
                              .metric = metric,
                              .precision = OC_PRECISE_EXACT };
    int64_t begin_ms = member->begin_unix_ms;
    int rc;

    memset(out_point, 0, sizeof(*out_point));
    if (member->last_unix_ms && member->last_unix_ms < at_unix_ms)
        range.until_unix_ms = member->last_unix_ms + 1; /* it had ended, or nobody looks now */
    range.since_unix_ms = range.until_unix_ms - RECENT_MS;
    if (range.since_unix_ms < begin_ms)
        range.since_unix_ms = begin_ms;
    range.step_ms = range.until_unix_ms - range.since_unix_ms;
    if (range.step_ms <= 0)
        return OC_OK;
    rc = oc_reader_range(reader, member->source, &range, take_point, out_point);
    if (rc == 0 && range.since_unix_ms > begin_ms) {
        range.since_unix_ms = begin_ms;
        range.step_ms = range.until_unix_ms - begin_ms;
        range.precision = OC_PRECISE_AUTO;
        rc = oc_reader_range(reader, member->source, &range, take_point, out_point);
    }
    return rc < 0 && rc != OC_E_NOENT ? rc : OC_OK;
}

/* Pages that processes share would count once for each. */
static int adds_up(unsigned metric)
{
    switch (metric) {
    case OC_METRIC_RSS:
    case OC_METRIC_RSS_FILE:
    case OC_METRIC_RSS_SHMEM:
    case OC_METRIC_RSS_PEAK:
    case OC_METRIC_LARGEST_FREE:
        return 0;
    default:
        return 1;
    }
}

static int sum_metric(struct oc_moment *moment, oc_reader *reader, unsigned metric)
{
    struct oc_point point;
    int64_t sum = 0;

    for (size_t i = 0; i < moment->party.count; i++) {
        int rc = value_at(reader, &moment->party.items[i], metric, moment->t_unix_ms, &point);

        if (rc)
            return rc;
        if (point.count == 0)
            return OC_OK; /* unknown of one is unknown of all */
        sum += point.last;
    }
    oc_sample_set(&moment->sample, (enum oc_metric)metric, sum);
    return OC_OK;
}

static int load_metrics(struct oc_moment *moment, oc_reader *reader)
{
    int rc = OC_OK;

    moment->sample.block = OC_BLOCK_PROCESS;
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS && !rc; bit++) {
        const struct oc_metric_row *row =
            oc_metric_by_number(OC_METRIC_NUMBER(OC_BLOCK_PROCESS, bit));

        if (row && row->kind == OC_KIND_GAUGE && (moment->party.count == 1 || adds_up(row->number)))
            rc = sum_metric(moment, reader, row->number);
    }
    return rc;
}

static int load_walks(struct oc_moment *moment, oc_reader *reader)
{
    int rc = OC_OK;

    for (size_t i = 0; i < moment->party.count && !rc; i++) {
        struct oc_census census = { 0 };
        int64_t t_ms;

        rc = oc_reader_census(reader, moment->party.items[i].source, moment->t_unix_ms, 0, &census,
                              &t_ms);
        if (rc == OC_E_NOENT) {
            rc = OC_OK;
            continue;
        }
        if (rc)
            break;
        oc_regions_add(&moment->regions, &census);
        rc = oc_family_rows_add(&moment->families, &census);
        oc_census_clear(&census);
        moment->walked++;
        if (moment->walk_unix_ms == 0 || t_ms < moment->walk_unix_ms)
            moment->walk_unix_ms = t_ms;
    }
    return rc;
}

/* ---- where nothing is known of a moment ---- */

struct first {
    int64_t after_unix_ms, begin_unix_ms; /* begin: INT64_MAX: none found */
};

static int take_first(const struct oc_life_row *row, void *context)
{
    struct first *first = context;

    if (row->begin_unix_ms >= first->after_unix_ms && row->begin_unix_ms < first->begin_unix_ms)
        first->begin_unix_ms = row->begin_unix_ms;
    return 0;
}

/* When the first of its processes after a moment began; INT64_MAX: none. */
static int first_begin(oc_reader *reader, const char *word, int64_t after_ms, int64_t by_ms,
                       int64_t *out_ms)
{
    struct oc_life_filter filter = { .processes_only = 1,
                                     .since_unix_ms = after_ms,
                                     .until_unix_ms = by_ms };
    struct first first = { after_ms, INT64_MAX };
    int rc;

    filter.pid = oc_party_pid(word);
    if (!filter.pid)
        filter.subject = word;
    rc = oc_reader_lives(reader, &filter, take_first, &first);
    *out_ms = first.begin_unix_ms;
    return rc < 0 ? rc : OC_OK;
}

/* Nobody ran then: the first that did begin afterwards does. */
static int find_later(struct oc_moment *moment, oc_reader *reader, const char *word,
                      int64_t by_unix_ms, struct oc_detail *detail)
{
    int64_t begin_ms = INT64_MAX;
    int rc = first_begin(reader, word, moment->t_unix_ms, by_unix_ms, &begin_ms);

    if (rc || begin_ms == INT64_MAX)
        return rc ? rc : OC_E_NOENT;
    oc_party_clear(&moment->party);
    moment->t_unix_ms = begin_ms;
    moment->is_first = 1;
    return oc_party_load(&moment->party, reader, word, begin_ms, detail);
}

/* It ran then, but had not been walked: the first walk of any of them stands in. */
static int move_to_first_walk(struct oc_moment *moment, oc_reader *reader, int64_t by_unix_ms)
{
    int64_t first_ms = INT64_MAX;

    for (size_t i = 0; i < moment->party.count; i++) {
        int64_t t_ms = 0;
        int rc = oc_first_walk(reader, moment->party.items[i].source, by_unix_ms, &t_ms);

        if (rc != OC_OK && rc != OC_E_NOENT)
            return rc;
        if (rc == OC_OK && t_ms < first_ms)
            first_ms = t_ms;
    }
    if (first_ms == INT64_MAX || first_ms <= moment->t_unix_ms)
        return OC_OK;
    moment->t_unix_ms = first_ms;
    moment->is_first = 1;
    return OC_OK;
}

/* Processes that were found in one round of discovery begin and are walked one after the other. */
static int take_whole_round(struct oc_moment *moment, oc_reader *reader, const char *word,
                            int64_t by_unix_ms, struct oc_detail *detail)
{
    struct oc_party party = { 0 };
    int rc;

    if (moment->t_unix_ms + ROUND_MS >= by_unix_ms)
        return OC_OK;
    rc = oc_party_load(&party, reader, word, moment->t_unix_ms + ROUND_MS, detail);
    if (rc || party.has_ended) { /* those of the beginning are better than none */
        oc_party_clear(&party);
        return OC_OK;
    }
    moment->t_unix_ms += ROUND_MS;
    oc_party_clear(&moment->party);
    moment->party = party;
    return OC_OK;
}

int oc_moment_load(struct oc_moment *moment, oc_reader *reader, const char *word,
                   int64_t at_unix_ms, int64_t by_unix_ms, struct oc_detail *detail)
{
    int rc;

    moment->t_unix_ms = at_unix_ms;
    rc = oc_party_load(&moment->party, reader, word, at_unix_ms, detail);
    if (rc == OC_E_NOENT || (rc == OC_OK && moment->party.has_ended && by_unix_ms > at_unix_ms)) {
        int later = find_later(moment, reader, word, by_unix_ms, detail);

        if (later != OC_E_NOENT)
            rc = later;
    }
    if (!rc && by_unix_ms > moment->t_unix_ms)
        rc = move_to_first_walk(moment, reader, by_unix_ms);
    if (!rc && moment->is_first)
        rc = take_whole_round(moment, reader, word, by_unix_ms, detail);
    if (!rc)
        rc = load_walks(moment, reader);
    if (!rc)
        rc = load_metrics(moment, reader);
    return rc;
}

int oc_moment_of(struct oc_moment *moment, oc_reader *reader, const struct oc_party_member *member,
                 int64_t at_unix_ms)
{
    int rc;

    moment->t_unix_ms = at_unix_ms;
    moment->party.items = oc_calloc(1, sizeof(*member));
    if (!moment->party.items)
        return OC_E_NOMEM;
    moment->party.items[0] = *member;
    moment->party.count = moment->party.capacity = 1;
    rc = load_walks(moment, reader);
    return rc ? rc : load_metrics(moment, reader);
}

void oc_moment_clear(struct oc_moment *moment)
{
    oc_party_clear(&moment->party);
    oc_family_rows_clear(&moment->families);
    memset(moment, 0, sizeof(*moment));
}

/* ---- what changed ---- */

const char *oc_growth_about_name(unsigned about)
{
    static const char *const names[] = { "metric", "region", "module", "mapping", "thread", "fd" };

    return about < OC_GROWTH_ABOUTS ? names[about] : "?";
}

static int put_row(struct oc_growth *growth, const struct oc_growth_row *row, double hours)
{
    void *items = growth->items;
    struct oc_growth_row *copy;
    int rc;

    if (row->before == row->after && row->with_change == 0) {
        growth->same++;
        return OC_OK;
    }
    rc = oc_array_grow(&items, &growth->capacity, growth->count + 1, sizeof(*row), ROWS_MAX);
    growth->items = items;
    if (rc)
        return rc;
    copy = &growth->items[growth->count++];
    *copy = *row;
    copy->per_hour = hours > 0 ? ((double)row->after - (double)row->before) / hours : 0;
    return OC_OK;
}

static double hours_between(int64_t a_ms, int64_t b_ms)
{
    return b_ms > a_ms ? (double)(b_ms - a_ms) / MS_PER_HOUR : 0;
}

static int compare_metrics(struct oc_growth *growth, const struct oc_moment *before,
                           const struct oc_moment *after)
{
    uint64_t known = before->sample.known & after->sample.known;
    double hours = hours_between(before->t_unix_ms, after->t_unix_ms);
    int rc = OC_OK;

    for (unsigned bit = 0; bit < OC_BLOCK_METRICS && !rc; bit++) {
        const struct oc_metric_row *metric =
            oc_metric_by_number(OC_METRIC_NUMBER(OC_BLOCK_PROCESS, bit));
        struct oc_growth_row row = { .about = OC_GROWTH_METRIC };

        if (!metric || !(known & OC_METRIC_BIT(bit)))
            continue;
        row.unit = metric->unit;
        row.name = metric->name;
        row.before = before->sample.values[bit];
        row.after = after->sample.values[bit];
        rc = put_row(growth, &row, hours);
    }
    return rc;
}

static int compare_regions(struct oc_growth *growth, const struct oc_moment *before,
                           const struct oc_moment *after, double hours)
{
    int rc = OC_OK;

    for (unsigned usage = OC_USAGE_FREE + 1; usage < OC_USAGE_COUNT && !rc; usage++) {
        const struct oc_region_sum *x = &before->regions.usages[usage];
        const struct oc_region_sum *y = &after->regions.usages[usage];
        struct oc_growth_row row = { .about = OC_GROWTH_REGION,
                                     .unit = OC_UNIT_BYTES,
                                     .name = oc_usage_name(usage),
                                     .before = (int64_t)x->commit_bytes,
                                     .after = (int64_t)y->commit_bytes,
                                     .with_change = (int64_t)y->count - (int64_t)x->count };

        if (x->count > 0 || y->count > 0)
            rc = put_row(growth, &row, hours);
    }
    return rc;
}

static const struct oc_family_row *find_family(const struct oc_family_rows *families, unsigned kind,
                                               const char *name)
{
    for (size_t i = 0; i < families->count; i++) {
        if (families->items[i].kind == kind && strcmp(families->items[i].name, name) == 0)
            return &families->items[i];
    }
    return NULL;
}

/* before or after may be NULL: there was none. */
static int compare_family(struct oc_growth *growth, const struct oc_family_row *before,
                          const struct oc_family_row *after, double hours)
{
    const struct oc_family_row *any = after ? after : before;
    struct oc_growth_row row = { .unit = OC_UNIT_COUNT, .name = any->name };

    row.about = (uint8_t)(OC_GROWTH_MODULE + any->kind);
    row.before = before ? (int64_t)before->count : 0;
    row.after = after ? (int64_t)after->count : 0;
    row.with_change = (after ? (int64_t)after->bytes : 0) - (before ? (int64_t)before->bytes : 0);
    return put_row(growth, &row, hours);
}

static int compare_families(struct oc_growth *growth, const struct oc_moment *before,
                            const struct oc_moment *after, double hours)
{
    unsigned kinds = before->families.kinds & after->families.kinds;
    int rc = OC_OK;

    for (size_t i = 0; i < after->families.count && !rc; i++) {
        const struct oc_family_row *row = &after->families.items[i];

        if (row->kind < OC_FAMILY_KINDS && (kinds & (1u << row->kind)))
            rc = compare_family(growth, find_family(&before->families, row->kind, row->name), row,
                                hours);
    }
    for (size_t i = 0; i < before->families.count && !rc; i++) {
        const struct oc_family_row *row = &before->families.items[i];

        if (row->kind < OC_FAMILY_KINDS && (kinds & (1u << row->kind)) &&
            !find_family(&after->families, row->kind, row->name))
            rc = compare_family(growth, row, NULL, hours);
    }
    return rc;
}

static int most_grown_first(const void *a, const void *b)
{
    const struct oc_growth_row *x = a, *y = b;
    int64_t grown_x = x->after - x->before, grown_y = y->after - y->before;

    if (x->about != y->about)
        return x->about < y->about ? -1 : 1;
    if (x->unit != y->unit) /* bytes before counts */
        return x->unit < y->unit ? -1 : 1;
    if (grown_x != grown_y)
        return grown_x < grown_y ? 1 : -1;
    if (x->with_change != y->with_change)
        return x->with_change < y->with_change ? 1 : -1;
    return strcmp(x->name, y->name);
}

/*
 * Regions are address space and private_bytes is memory in use: a region that grew may explain as
 * much as it grew, not more. What neither a heap, a stack nor a runtime explains is left.
 */
static void reconcile(struct oc_growth *growth, const struct oc_moment *before,
                      const struct oc_moment *after)
{
    static const unsigned named[] = { OC_USAGE_HEAP, OC_USAGE_STACK, OC_USAGE_MANAGED_HEAP,
                                      OC_USAGE_LOADER_HEAP, OC_USAGE_JIT };
    int64_t explained = 0;

    if (!oc_sample_has(&before->sample, OC_METRIC_PRIVATE) ||
        !oc_sample_has(&after->sample, OC_METRIC_PRIVATE) || !before->walked || !after->walked)
        return;
    growth->has_private = 1;
    growth->private_change = oc_sample_get(&after->sample, OC_METRIC_PRIVATE) -
                             oc_sample_get(&before->sample, OC_METRIC_PRIVATE);
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        int64_t grown = (int64_t)after->regions.usages[named[i]].commit_bytes -
                        (int64_t)before->regions.usages[named[i]].commit_bytes;

        if (grown > 0)
            explained += grown;
    }
    if (growth->private_change <= 0)
        return;
    if (explained > growth->private_change)
        explained = growth->private_change;
    growth->explained_bytes = explained;
    growth->unexplained_bytes = growth->private_change - explained;
}

static void count_common(struct oc_growth *growth, const struct oc_moment *before,
                         const struct oc_moment *after)
{
    for (size_t i = 0; i < before->party.count; i++) {
        for (size_t j = 0; j < after->party.count; j++)
            growth->common += before->party.items[i].source == after->party.items[j].source;
    }
}

int oc_growth_of(struct oc_growth *growth, const struct oc_moment *before,
                 const struct oc_moment *after)
{
    int of_one = before->party.count == 1 && after->party.count == 1;
    double hours = of_one ? hours_between(before->walk_unix_ms, after->walk_unix_ms)
                          : hours_between(before->t_unix_ms, after->t_unix_ms);
    int rc = compare_metrics(growth, before, after);

    if (!rc && before->walked && after->walked)
        rc = compare_regions(growth, before, after, hours);
    if (!rc && before->walked && after->walked)
        rc = compare_families(growth, before, after, hours);
    if (rc)
        return rc;
    reconcile(growth, before, after);
    count_common(growth, before, after);
    if (growth->count > 1)
        qsort(growth->items, growth->count, sizeof(*growth->items), most_grown_first);
    return OC_OK;
}

void oc_growth_clear(struct oc_growth *growth)
{
    oc_free(growth->items);
    memset(growth, 0, sizeof(*growth));
}
