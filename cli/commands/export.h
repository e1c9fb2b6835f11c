/* What the parts of `oomcast export` share: which sources, and their rows. */
#ifndef OC_CLI_COMMANDS_EXPORT_H
#define OC_CLI_COMMANDS_EXPORT_H

#include "cli/cli.h"
#include "cli/show/rows.h"
#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

#define OC_EXPORT_MAX_SOURCES 1000000u

struct oc_export_source {
    uint32_t source, pid;
    uint8_t kind;
    int64_t begin_unix_ms, end_unix_ms;
    char subject[OC_SUBJECT_NAME_BYTES];
};

struct oc_export {
    struct oc_cli *cli;
    oc_reader *reader;
    struct oc_export_source *sources; /* owned; by id, once they are sorted */
    size_t count, capacity;
    struct oc_rows rows;
    const struct oc_export_source *now; /* whose rows come */
    unsigned metric;                    /* of samples */
    size_t done, steps;                 /* of the progress line */
    int64_t begin_ns, said_ns;
    int has_said;
    int rc;
};

enum oc_export_what {
    OC_EXPORT_SAMPLES,
    OC_EXPORT_REGIONS,
    OC_EXPORT_FAMILIES,
    OC_EXPORT_MODULES,
    OC_EXPORT_LIMITS,
    OC_EXPORT_LIVES
};

/* Writes all rows, as it reads. 0 or a code. */
int oc_export_rows(struct oc_export *export, enum oc_export_what what);

/* Takes the progress line away, if there is one. */
void oc_export_end_progress(const struct oc_export *export);

/* By id: for qsort() and bsearch(). */
int oc_export_compare(const void *a, const void *b);

#endif
