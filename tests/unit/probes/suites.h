/* The suites of this program, and what they share: a process to look at, a tree to change. */
#ifndef OC_TEST_PROBES_SUITES_H
#define OC_TEST_PROBES_SUITES_H

#include "probes/probe.h"

#include <check.h>
#include <sys/types.h>

Suite *parse_suite(void);
Suite *captures_suite(void);
Suite *look_suite(void);
Suite *life_suite(void);
Suite *scan_suite(void);
Suite *cgroup_suite(void);
Suite *hostile_suite(void);
Suite *walk_suite(void);
Suite *fake_suite(void);
Suite *kernels_suite(void);
Suite *killer_suite(void);
Suite *limits_suite(void);
Suite *root_suite(void);

/* ---- a process of ours: tests/programs/proc_fixture ---- */
struct fixture {
    pid_t pid;
    int in_fd, out_fd;
};
struct fixture fixture_start(const char *mode); /* ready */
struct fixture fixture_run(const char *const *args); /* any program, that says "ready" */
void fixture_tell(const struct fixture *fixture,
                  const char *line);      /* and waits until it has done it */
int fixture_end(struct fixture *fixture); /* closes its input, reaps it: its wait status */
void fixture_reap(struct fixture *fixture);

/* Waits for an event of the kind and tag with a deadline of 10 s; fails the test without it. */
struct oc_event await_event(oc_probe *probe, enum oc_event_kind kind, uint64_t tag);

int open_descriptors(void); /* of this process */

/* ---- probes ---- */
oc_probe *open_live(enum oc_look look);
oc_probe *open_capture(const char *tree, enum oc_look look); /* of tests/data */
oc_probe *open_tree(const char *dir, enum oc_look look);

/* ---- a tree of files that a test may change ---- */
struct tree {
    char dir[128];
};
struct tree tree_new(void);
void tree_write(const struct tree *tree, const char *path,
                const char *text); /* makes folders too */
void tree_write_bytes(const struct tree *tree, const char *path, const void *bytes, size_t len);
void tree_remove(const struct tree *tree, const char *path);
void tree_free(const struct tree *tree);
/* A process with the usual files. */
void tree_process(const struct tree *tree, unsigned pid, const char *name, unsigned start);

#define ck_known(sample, metric, value)                                                            \
    do {                                                                                           \
        ck_assert_msg(oc_sample_has((sample), (metric)), "%s is unknown", #metric);                \
        ck_assert_int_eq(oc_sample_get((sample), (metric)), (value));                              \
    } while (0)
#define ck_unknown(sample, metric) ck_assert(!oc_sample_has((sample), (metric)))

#endif
