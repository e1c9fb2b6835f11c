#include "cli/model/families.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define NO_LINE UINT32_MAX

int oc_shape_matches(const char *shape, const char *name)
{
    const char *star = NULL, *retry = NULL;

    while (*name) {
        if (*shape == '*') {
            star = ++shape;
            retry = name;
        } else if (*shape == *name) {
            shape++;
            name++;
        } else if (star) {
            shape = star;
            name = ++retry;
        } else {
            return 0;
        }
    }
    while (*shape == '*')
        shape++;
    return *shape == '\0';
}

static int add_line(struct oc_modules *modules, const char *name, uint32_t *out_line)
{
    void *items = modules->items;
    struct oc_module_line *line;
    int rc = oc_array_grow(&items, &modules->capacity, modules->count + 1, sizeof(*line),
                           OC_CENSUS_MODULES_MAX + OC_CENSUS_FAMILIES_MAX);

    modules->items = items;
    if (rc)
        return rc;
    line = &modules->items[modules->count];
    memset(line, 0, sizeof(*line));
    line->name = name;
    line->base = UINT64_MAX;
    *out_line = (uint32_t)modules->count++;
    return OC_OK;
}

static void add_module(struct oc_module_line *line, const struct oc_module *module)
{
    line->count++;
    line->bytes += module->bytes;
    line->flags |= module->flags;
    if (module->base < line->base)
        line->base = module->base;
}

static int is_of(const struct oc_family *family, const struct oc_census *census, const char *name)
{
    const char *shape = oc_census_text(census, family->name);

    return family->flags & OC_FAMILY_FOLDED ? oc_shape_matches(shape, name)
                                            : strcmp(shape, name) == 0;
}

/* A family that has become one row takes its modules out of the list. */
static int fold_family(struct oc_modules *modules, const struct oc_census *census,
                       const struct oc_family *family)
{
    uint32_t line = NO_LINE;

    for (size_t i = 0; i < census->module_count; i++) {
        const struct oc_module *module = &census->modules[i];

        if (modules->line_of[i] != NO_LINE ||
            !is_of(family, census, oc_census_text(census, module->name)))
            continue;
        if (line == NO_LINE) {
            int rc = add_line(modules, oc_census_text(census, family->name), &line);

            if (rc)
                return rc;
        }
        modules->line_of[i] = line;
        add_module(&modules->items[line], module);
    }
    return OC_OK;
}

static int fold_all(struct oc_modules *modules, const struct oc_census *census)
{
    int rc = OC_OK;

    for (size_t i = 0; i < census->family_count && !rc; i++) {
        const struct oc_family *family = &census->families[i];
        const char *name = oc_census_text(census, family->name);

        if (family->kind == OC_FAMILY_MODULE && family->count >= OC_MODULES_FOLD_FROM &&
            strcmp(name, "*") != 0)
            rc = fold_family(modules, census, family);
    }
    return rc;
}

int oc_modules_of(struct oc_modules *modules, const struct oc_census *census,
                  enum oc_module_fold fold)
{
    int rc = OC_OK;

    modules->line_of = oc_malloc((census->module_count + 1) * sizeof(*modules->line_of));
    if (!modules->line_of)
        return OC_E_NOMEM;
    for (size_t i = 0; i < census->module_count; i++) {
        modules->line_of[i] = NO_LINE;
        modules->bytes += census->modules[i].bytes;
    }
    modules->module_count = census->module_count;
    if (fold == OC_MODULES_FOLDED)
        rc = fold_all(modules, census);
    for (size_t i = 0; i < census->module_count && !rc; i++) {
        const struct oc_module *module = &census->modules[i];

        if (modules->line_of[i] != NO_LINE)
            continue;
        rc = add_line(modules, oc_census_text(census, module->name), &modules->line_of[i]);
        if (!rc)
            add_module(&modules->items[modules->line_of[i]], module);
    }
    return rc;
}

void oc_modules_clear(struct oc_modules *modules)
{
    oc_free(modules->items);
    oc_free(modules->line_of);
    memset(modules, 0, sizeof(*modules));
}

/* ---- since when ---- */

struct since {
    struct oc_modules *modules;
    const struct oc_census *census;
    int64_t at_unix_ms;
};

/* The module at a base, by bisection: the census has them in that order. */
static size_t find_base(const struct oc_census *census, uint64_t base)
{
    size_t low = 0, high = census->module_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (census->modules[middle].base < base)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int take_event(const struct oc_module_event *event, void *context)
{
    struct since *since = context;
    const struct oc_census *census = since->census;
    size_t at = find_base(census, event->base);
    struct oc_module_line *line;

    if (event->unloaded_unix_ms <= since->at_unix_ms || at == census->module_count ||
        census->modules[at].base != event->base ||
        strcmp(oc_census_text(census, census->modules[at].name), event->name) != 0)
        return 0;
    line = &since->modules->items[since->modules->line_of[at]];
    if (line->since_unix_ms == 0 || event->loaded_unix_ms < line->since_unix_ms)
        line->since_unix_ms = event->loaded_unix_ms;
    return 0;
}

int oc_modules_since(struct oc_modules *modules, const struct oc_census *census, oc_reader *reader,
                     uint32_t source, int64_t at_unix_ms)
{
    struct since since = { modules, census, at_unix_ms == INT64_MAX ? INT64_MAX - 1 : at_unix_ms };
    int rc = oc_reader_modules(reader, source, 0, since.at_unix_ms + 1, take_event, &since);

    return rc < 0 && rc != OC_E_NOENT ? rc : OC_OK;
}

/* ---- order ---- */

static int compare(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

static int families_first(const struct oc_module_line *x, const struct oc_module_line *y)
{
    return (x->count < OC_MODULES_FOLD_FROM) - (y->count < OC_MODULES_FOLD_FROM);
}

static int by_base(const void *a, const void *b)
{
    const struct oc_module_line *x = a, *y = b;

    return compare(x->base, y->base);
}

static int by_name(const void *a, const void *b)
{
    const struct oc_module_line *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order : by_base(a, b);
}

static int by_bytes(const void *a, const void *b)
{
    const struct oc_module_line *x = a, *y = b;
    int order = families_first(x, y);

    if (!order)
        order = compare(y->bytes, x->bytes);
    return order ? order : by_name(a, b);
}

static int by_count(const void *a, const void *b)
{
    const struct oc_module_line *x = a, *y = b;
    int order = compare(y->count, x->count);

    return order ? order : by_bytes(a, b);
}

static int by_age(const void *a, const void *b)
{
    const struct oc_module_line *x = a, *y = b;
    int order = families_first(x, y);

    if (!order)
        order = compare((uint64_t)y->since_unix_ms, (uint64_t)x->since_unix_ms);
    return order ? order : by_bytes(a, b);
}

void oc_modules_sort(struct oc_modules *modules, enum oc_module_sort sort)
{
    static int (*const orders[])(const void *, const void *) = { by_bytes, by_count, by_age,
                                                                 by_name, by_base };

    if (modules->count > 1)
        qsort(modules->items, modules->count, sizeof(*modules->items), orders[sort]);
}
