/* The suites of test_probe_walks, and a walk as they need it. */
#ifndef OC_TEST_PROBES_WALKS_H
#define OC_TEST_PROBES_WALKS_H

#include "suites.h"

Suite *maps_suite(void);
Suite *classify_suite(void);
Suite *family_suite(void);
Suite *spaces_suite(void);
Suite *runtimes_suite(void);

#define ANY_TYPE OC_REGION_TYPES
#define ANY_STATE OC_REGION_STATES

/* The row of a kind and name, or NULL. */
const struct oc_family *family_named(const struct oc_census *census, enum oc_family_kind kind,
                                     const char *name);

#endif
