/* The suites of test_probe_walks, and a walk as they need it. */
#ifndef OC_TEST_PROBES_WALKS_H
#define OC_TEST_PROBES_WALKS_H

#include "suites.h"

Suite *maps_suite(void);
Suite *classify_suite(void);
Suite *family_suite(void);
Suite *spaces_suite(void);
Suite *moments_suite(void);
Suite *runtimes_suite(void);

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

#define ANY_TYPE OC_REGION_TYPES
#define ANY_STATE OC_REGION_STATES

/* The row of a kind and name, or NULL. */
const struct oc_family *family_named(const struct oc_census *census, enum oc_family_kind kind,
                                     const char *name);

/* ---- a process of tests/programs/shapes ---- */
struct fixture shapes_start(const char *const *orders); /* ended by NULL */
#define SHAPES_OF(...) shapes_start((const char *const[]){ __VA_ARGS__, NULL })

#define WALK_ALL (OC_WALK_USUAL | OC_WALK_PAGES)
struct walk_sums {
    uint64_t bytes, private_writable;
    uint64_t end; /* of the last region */
    int gaps;     /* regions that do not begin where the last one ended */
    int heaps;    /* named "[heap]" */
    int lied;     /* files that are called like the kernel's words, told as something else */
};

/* A walk that works out, yours to clear; its regions summed up unless sums is NULL. */
struct oc_walk walk_whole(pid_t pid, unsigned want, struct walk_sums *sums);
int walk_try(pid_t pid, unsigned want); /* what it returned */

/* Of a line of /proc/PID/status in KiB. */
uint64_t status_bytes(pid_t pid, const char *key);

/* Sums over a census's cells. */
uint64_t usage_bytes(const struct oc_walk *walk, unsigned usage, unsigned state);
uint32_t usage_count(const struct oc_walk *walk, unsigned usage);

#endif
