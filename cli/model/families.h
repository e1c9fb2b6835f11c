/*
 * Families of modules, mappings, threads and descriptors as a person wants them: the census's, how
 * fast each grows as the store knows it, and modules with those of one family folded to a row.
 */
#ifndef OC_CLI_MODEL_FAMILIES_H
#define OC_CLI_MODEL_FAMILIES_H

#include "base/census.h"
#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

#define OC_FAMILIES_MAX (64u * OC_CENSUS_FAMILIES_MAX) /* of several processes */

struct oc_family_row {
    uint8_t kind, flags; /* as in struct oc_family */
    uint8_t has_growth;
    uint32_t processes; /* that have it */
    uint64_t count, distinct, bytes;
    double count_per_h, bytes_per_h;
    char *name, *example; /* owned */
};

struct oc_family_rows {
    struct oc_family_row *items; /* owned */
    size_t count, capacity;
    unsigned kinds; /* bit for each kind that every process was looked at for */
    size_t processes;
};

/* Adds those of a process to *families (zeroed at first); same kind and name become one row.
 * 0, OC_E_NOMEM, OC_E_TOOBIG. Cost: linear but for the rows that there are already. */
int oc_family_rows_add(struct oc_family_rows *families, const struct oc_census *census);
void oc_family_rows_clear(struct oc_family_rows *families);

/*
 * How fast a process's families grew up to the walk of until_unix_ms, from since_unix_ms on (or
 * its first walk), added to the rows' figures. A family that it has not got in the store is left
 * alone, and so are all where less than half a minute lies between. 0 or a code.
 */
int oc_family_rows_growth(struct oc_family_rows *families, oc_reader *reader, uint32_t source,
                          int64_t since_unix_ms, int64_t until_unix_ms);

enum oc_family_sort {
    OC_FAMILIES_BY_GROWTH, /* of the count an hour, then by bytes */
    OC_FAMILIES_BY_BYTES,
    OC_FAMILIES_BY_COUNT,
    OC_FAMILIES_BY_NAME
};
/* By kind, within it by `sort`. */
void oc_family_rows_sort(struct oc_family_rows *families, enum oc_family_sort sort);

/* When the first walk of a source was, if there is one by then. 0, OC_E_NOENT or a code. Some 40
 * questions of the store. */
int oc_first_walk(oc_reader *reader, uint32_t source, int64_t by_unix_ms, int64_t *out_unix_ms);

/* ---- modules ---- */

#define OC_MODULES_FOLD_FROM 3 /* so many of a family become a row */

struct oc_module_line {
    uint64_t base;         /* of a family: the lowest */
    uint64_t bytes;        /* all of them */
    uint32_t count;        /* 1: a module */
    uint8_t flags;         /* OC_MODULE_… */
    int64_t since_unix_ms; /* 0: unknown; of a family: of the first of them */
    const char *name;      /* of the census */
};

struct oc_modules {
    struct oc_module_line *items; /* owned */
    size_t count, capacity;
    uint64_t module_count, bytes;
    uint32_t *line_of; /* owned: of each module of the census */
};

enum oc_module_fold { OC_MODULES_FOLDED, OC_MODULES_EACH };

/* Fills *modules (zeroed). Names are borrowed from the census. 0 or OC_E_NOMEM. Cost: modules times
 * families that fold. */
int oc_modules_of(struct oc_modules *modules, const struct oc_census *census,
                  enum oc_module_fold fold);
void oc_modules_clear(struct oc_modules *modules);

/* When each was loaded, as the store knows it. Before they are sorted. 0 or a code. */
int oc_modules_since(struct oc_modules *modules, const struct oc_census *census, oc_reader *reader,
                     uint32_t source, int64_t at_unix_ms);

enum oc_module_sort {
    OC_MODULES_BY_BYTES,
    OC_MODULES_BY_COUNT,
    OC_MODULES_BY_AGE, /* the newest first */
    OC_MODULES_BY_NAME,
    OC_MODULES_BY_BASE
};
/* Families stand before modules, but by name or base. */
void oc_modules_sort(struct oc_modules *modules, enum oc_module_sort sort);

/* Whether a name is of a shape, in which '*' stands for anything. Linear in practice; no recursion.
 */
int oc_shape_matches(const char *shape, const char *name);

#endif
