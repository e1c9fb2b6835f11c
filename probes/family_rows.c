/* Groups and names that are alone as rows of a census. */
#include "probes/family_fold.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* A family to be: of a group, or of a name that stays alone. */
struct row {
    uint64_t bytes;
    uint32_t count, distinct, deleted;
    uint32_t name;
    uint32_t group; /* or OC_NO_GROUP */
    uint8_t kind;
    const oc_families *families; /* for the sort */
};

static int by_size(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    if (x->name == y->name)
        return 0;
    return oc_family_is_less(x->families, x->name, y->name) ? -1 : 1;
}

static int make_rows(const oc_families *families, struct row **out_rows, size_t *out_count)
{
    struct row *rows = oc_malloc((families->name_count + families->group_count) * sizeof *rows);
    size_t count = 0;

    if (!rows)
        return OC_E_NOMEM;
    for (size_t i = 0; i < families->group_count; i++) {
        const struct oc_family_group *group = &families->groups[i];

        if (oc_family_is_folded(group))
            rows[count++] =
                (struct row){ group->bytes, group->count, group->distinct, group->deleted,
                              group->first, (uint32_t)i,  group->kind,     families };
    }
    for (size_t i = 0; i < families->name_count; i++) {
        const struct oc_family_name *name = &families->names[i];

        if (name->group == OC_NO_GROUP)
            rows[count++] = (struct row){ name->bytes, name->count, 1,          name->deleted,
                                          (uint32_t)i, OC_NO_GROUP, name->kind, families };
    }
    if (count > 1)
        qsort(rows, count, sizeof *rows, by_size);
    *out_rows = rows;
    *out_count = count;
    return OC_OK;
}

/* As text that is valid UTF-8. */
static int add_text(struct oc_census *census, const char *text, size_t len, uint32_t *out_at)
{
    char valid[OC_FAMILY_NAME_MAX * 3 + 1]; /* U+FFFD is three bytes */

    if (oc_text_is_utf8(text, len, NULL))
        return oc_census_add_text(census, text, len, out_at);
    oc_text_copy_utf8(valid, sizeof valid, text, len);
    return oc_census_add_text(census, valid, strlen(valid), out_at);
}

/* The name of a group's first with '*' where its members differ. */
static int add_shape(const oc_families *families, const struct oc_family_group *group,
                     struct oc_census *census, uint32_t *out_at)
{
    const struct oc_family_name *name = &families->names[group->spans_of];
    const char *text = families->text + name->at;
    char shape[OC_FAMILY_NAME_MAX + OC_NAME_SPANS_MAX];
    size_t at = 0, len = 0;

    for (unsigned i = 0; i < group->spans.count; i++) {
        const struct oc_name_span span = group->spans.items[i];

        if (!(group->differs >> i & 1u))
            continue;
        memcpy(shape + len, text + at, span.start - at);
        len += span.start - at;
        shape[len++] = '*';
        at = oc_name_span_end(span);
    }
    memcpy(shape + len, text + at, name->len - at);
    return add_text(census, shape, len + name->len - at, out_at);
}

static int add_family(const oc_families *families, const struct row *row, struct oc_census *census)
{
    const struct oc_family_name *name = &families->names[row->name];
    struct oc_family family = {
        .kind = row->kind, .count = row->count, .distinct = row->distinct, .bytes = row->bytes
    };
    int rc = add_text(census, families->text + name->at, name->len, &family.example);

    family.name = family.example;
    if (rc == OC_OK && row->group != OC_NO_GROUP) {
        rc = add_shape(families, &families->groups[row->group], census, &family.name);
        family.flags |= OC_FAMILY_FOLDED;
    }
    if (row->deleted * UINT64_C(2) > row->count)
        family.flags |= OC_FAMILY_DELETED;
    if (rc == OC_OK)
        census->families[census->family_count++] = family;
    return rc;
}

/* What is beyond the rows of a kind, as one. */
static int add_rest(const oc_families *families, unsigned kind, const struct row *rows,
                    size_t count, struct oc_census *census)
{
    const struct oc_family_rest *rest = &families->rest[kind];
    struct oc_family family = { .kind = (uint8_t)kind,
                                .flags = OC_FAMILY_FOLDED,
                                .count = rest->count,
                                .distinct = rest->count,
                                .bytes = rest->bytes };
    uint64_t deleted = rest->deleted;
    int rc = OC_OK;

    for (size_t i = 0; i < count; i++) {
        family.count += rows[i].count;
        family.distinct += rows[i].distinct;
        family.bytes += rows[i].bytes;
        deleted += rows[i].deleted;
    }
    if (family.count == 0)
        return OC_OK;
    if (deleted * 2 > family.count)
        family.flags |= OC_FAMILY_DELETED;
    rc = oc_census_add_text(census, "*", 1, &family.name);
    family.example = family.name;
    if (rc == OC_OK && count > 0)
        rc = add_text(census, oc_family_name_text(families, rows[0].name),
                      families->names[rows[0].name].len, &family.example);
    if (rc == OC_OK)
        census->families[census->family_count++] = family;
    return rc;
}

static int add_kind(const oc_families *families, unsigned kind, const struct row *rows,
                    size_t count, struct oc_census *census)
{
    const size_t max = oc_family_bounds[kind].rows - 1;
    int rc = OC_OK;

    for (size_t i = 0; i < count && i < max && rc == OC_OK; i++)
        rc = add_family(families, &rows[i], census);
    if (rc == OC_OK)
        rc = add_rest(families, kind, rows + (count < max ? count : max),
                      count < max ? 0 : count - max, census);
    if (families->has_kind[kind])
        census->has_families |= (uint8_t)(1u << kind);
    return rc;
}

int oc_families_fill(const oc_families *families, struct oc_census *census)
{
    struct row *rows = NULL;
    size_t count = 0, from = 0;
    int rc = make_rows(families, &rows, &count);

    if (rc != OC_OK)
        return rc;
    census->families = oc_calloc(OC_CENSUS_FAMILIES_MAX, sizeof *census->families);
    if (!census->families)
        rc = OC_E_NOMEM;
    for (unsigned kind = 0; kind < OC_FAMILY_KINDS && rc == OC_OK; kind++) {
        size_t to = from;

        while (to < count && rows[to].kind == kind)
            to++;
        rc = add_kind(families, kind, rows + from, to - from, census);
        from = to;
    }
    oc_free(rows);
    return rc;
}
