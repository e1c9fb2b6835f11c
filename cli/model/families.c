#include "cli/model/families.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_SPAN_MS 30000 /* a growth per hour of less would be noise times 120 */
#define MS_PER_HOUR 3600000.0

/* ---- adding up ---- */

static struct oc_family_row *find_row(const struct oc_family_rows *families, size_t count,
                                      unsigned kind, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (families->items[i].kind == kind && strcmp(families->items[i].name, name) == 0)
            return &families->items[i];
    }
    return NULL;
}

static int new_row(struct oc_family_rows *families, const struct oc_census *census,
                   const struct oc_family *family)
{
    void *items = families->items;
    struct oc_family_row *row;
    int rc = oc_array_grow(&items, &families->capacity, families->count + 1, sizeof(*row),
                           OC_FAMILIES_MAX);

    families->items = items;
    if (rc)
        return rc;
    row = &families->items[families->count];
    memset(row, 0, sizeof(*row));
    row->kind = family->kind;
    row->flags = family->flags;
    row->name = oc_strdup(oc_census_text(census, family->name));
    row->example = oc_strdup(oc_census_text(census, family->example));
    families->count++; /* clear frees what is there of it */
    return row->name && row->example ? OC_OK : OC_E_NOMEM;
}

static int add_family(struct oc_family_rows *families, size_t known, const struct oc_census *census,
                      const struct oc_family *family)
{
    struct oc_family_row *row =
        find_row(families, known, family->kind, oc_census_text(census, family->name));

    if (!row) {
        int rc = new_row(families, census, family);

        if (rc)
            return rc;
        row = &families->items[families->count - 1];
    }
    row->processes++;
    row->count += family->count;
    row->bytes += family->bytes;
    if (family->distinct > row->distinct)
        row->distinct = family->distinct; /* of several processes: at least so many */
    return OC_OK;
}

int oc_family_rows_add(struct oc_family_rows *families, const struct oc_census *census)
{
    size_t known = families->count; /* within a census no two are alike */
    int rc = OC_OK;

    families->kinds =
        families->processes++ == 0 ? census->has_families : families->kinds & census->has_families;
    for (size_t i = 0; i < census->family_count && !rc; i++)
        rc = add_family(families, known, census, &census->families[i]);
    return rc;
}

void oc_family_rows_clear(struct oc_family_rows *families)
{
    for (size_t i = 0; i < families->count; i++) {
        oc_free(families->items[i].name);
        oc_free(families->items[i].example);
    }
    oc_free(families->items);
    memset(families, 0, sizeof(*families));
}

/* ---- growth ---- */

int oc_first_walk(oc_reader *reader, uint32_t source, int64_t by_unix_ms, int64_t *out_unix_ms)
{
    int64_t none_ms = 0, some_ms = by_unix_ms, found_ms = 0;
    struct oc_census census = { 0 };
    int rc = oc_reader_census(reader, source, by_unix_ms, 0, &census, &found_ms);

    /* There is a walk by some_ms, and none by none_ms. */
    while (rc == OC_OK) {
        int64_t middle_ms;

        oc_census_clear(&census);
        some_ms = found_ms < some_ms ? found_ms : some_ms;
        if (some_ms - none_ms <= 1)
            break;
        middle_ms = none_ms + (some_ms - none_ms) / 2;
        rc = oc_reader_census(reader, source, middle_ms, 0, &census, &found_ms);
        if (rc == OC_E_NOENT) {
            none_ms = middle_ms;
            found_ms = some_ms;
            rc = OC_OK;
        }
    }
    if (rc == OC_OK)
        *out_unix_ms = some_ms;
    return rc;
}

struct course {
    int has_first;
    struct oc_family_point first, last;
};

static int take_point(const struct oc_family_point *point, void *context)
{
    struct course *course = context;

    if (!course->has_first)
        course->first = *point;
    course->has_first = 1;
    course->last = *point;
    return 0;
}

static int grow_row(struct oc_family_row *row, oc_reader *reader, uint32_t source, int64_t since_ms,
                    int64_t until_ms)
{
    struct course course = { 0 };
    double hours = (double)(until_ms - since_ms) / MS_PER_HOUR;
    int rc = oc_reader_family(reader, source, (enum oc_family_kind)row->kind, row->name, since_ms,
                              until_ms + 1, take_point, &course);

    if (rc == OC_E_NOENT)
        return OC_OK;
    if (rc < 0 || !course.has_first)
        return rc < 0 ? rc : OC_OK;
    if (course.first.t_unix_ms > since_ms) /* there was none of it before */
        memset(&course.first, 0, sizeof(course.first));
    row->count_per_h += ((double)course.last.count - (double)course.first.count) / hours;
    row->bytes_per_h += ((double)course.last.bytes - (double)course.first.bytes) / hours;
    row->has_growth = 1;
    return OC_OK;
}

int oc_family_rows_growth(struct oc_family_rows *families, oc_reader *reader, uint32_t source,
                          int64_t since_unix_ms, int64_t until_unix_ms)
{
    int64_t first_ms;
    int rc = oc_first_walk(reader, source, until_unix_ms, &first_ms);

    if (rc == OC_E_NOENT)
        return OC_OK;
    if (rc)
        return rc;
    if (first_ms > since_unix_ms)
        since_unix_ms = first_ms;
    if (until_unix_ms - since_unix_ms < LEAST_SPAN_MS)
        return OC_OK;
    for (size_t i = 0; i < families->count && !rc; i++)
        rc = grow_row(&families->items[i], reader, source, since_unix_ms, until_unix_ms);
    return rc;
}

/* ---- order: a comparison for each way, since qsort() hands nothing on ---- */

static int descending(double a, double b) { return (a < b) - (a > b); }

static int by_kind(const struct oc_family_row *x, const struct oc_family_row *y)
{
    return (x->kind > y->kind) - (x->kind < y->kind);
}

static int by_bytes(const void *a, const void *b)
{
    const struct oc_family_row *x = a, *y = b;
    int order = by_kind(x, y);

    if (!order)
        order = descending((double)x->bytes, (double)y->bytes);
    if (!order)
        order = descending((double)x->count, (double)y->count);
    return order ? order : strcmp(x->name, y->name);
}

static int by_growth(const void *a, const void *b)
{
    const struct oc_family_row *x = a, *y = b;
    int order = by_kind(x, y);

    if (!order)
        order = descending(x->has_growth ? x->count_per_h : 0, y->has_growth ? y->count_per_h : 0);
    return order ? order : by_bytes(a, b);
}

static int by_count(const void *a, const void *b)
{
    const struct oc_family_row *x = a, *y = b;
    int order = by_kind(x, y);

    if (!order)
        order = descending((double)x->count, (double)y->count);
    return order ? order : by_bytes(a, b);
}

static int by_name(const void *a, const void *b)
{
    const struct oc_family_row *x = a, *y = b;
    int order = by_kind(x, y);

    return order ? order : strcmp(x->name, y->name);
}

void oc_family_rows_sort(struct oc_family_rows *families, enum oc_family_sort sort)
{
    static int (*const orders[])(const void *, const void *) = { by_growth, by_bytes, by_count,
                                                                 by_name };

    if (families->count > 1)
        qsort(families->items, families->count, sizeof(*families->items), orders[sort]);
}
