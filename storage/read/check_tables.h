/* Questions to plain tables, each of which counts rows that cannot be. */
#ifndef OC_STORAGE_READ_CHECK_TABLES_H
#define OC_STORAGE_READ_CHECK_TABLES_H

#include <stddef.h>

struct oc_check {
    const char *sql, *text; /* a number, and of what: "walks without their source" */
};
extern const struct oc_check oc_checks[];
extern const size_t oc_check_count;

#endif
