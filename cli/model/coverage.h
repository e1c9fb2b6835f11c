/* What the targets of a config match on this machine, and why not the others. */
#ifndef OC_CLI_MODEL_COVERAGE_H
#define OC_CLI_MODEL_COVERAGE_H

#include "config/config.h"
#include "probes/probe.h"

#include <stddef.h>
#include <stdint.h>

#define OC_COVERAGE_MAX 1000000u /* processes */

/* One process that was looked at. */
struct oc_covered {
    uint32_t pid, parent_pid; /* parent 0: unknown */
    uint64_t rss_bytes;
    uint32_t target;     /* OC_TARGET_NONE: none */
    uint32_t name_group; /* processes of one name have one number, below their count */
    uint8_t is_folded;   /* a descendant of what the target matched */
    uint8_t is_unsure;   /* what it takes could not be read */
    char name[64];
    char *subject; /* owned; NULL with no target */
};

struct oc_coverage {
    const struct oc_config *config;  /* borrowed */
    struct oc_probe_options options; /* borrowed texts */
    struct oc_covered *items;        /* owned; by pid */
    size_t count, capacity;
    int err; /* the first failure while scanning */
};

/*
 * Looks at all processes, but kernel threads, zombies and this one. Reads the pidfiles of *targets
 * first. 0, OC_E_NOMEM, or what opening the probe said (*detail).
 */
int oc_coverage_read(const struct oc_probe_options *options, struct oc_config *config,
                     struct oc_coverage *out_coverage, struct oc_detail *detail);
void oc_coverage_clear(struct oc_coverage *coverage);

/* The process of a PID, or NULL. Borrowed. */
const struct oc_covered *oc_coverage_find(const struct oc_coverage *coverage, uint32_t pid);

/* All facts of a process; the walk is the caller's to clear. 0, or as oc_probe_walk(). */
struct oc_coverage_look {
    struct oc_walk walk;
    struct oc_identity identity;
    struct oc_match_facts facts;
};
int oc_coverage_look(const struct oc_coverage *coverage, const struct oc_covered *process,
                     struct oc_coverage_look *out);

/* How many a target has, descendants that it folds not counted. */
size_t oc_coverage_of(const struct oc_coverage *coverage, uint32_t target);

/*
 * Processes that the target does not have, and that somebody could expect there: their name is as the
 * target wants it, or that of one that it has. Indices, the caller's to free. 0 or OC_E_NOMEM.
 */
int oc_coverage_namesakes(const struct oc_coverage *coverage, uint32_t target, size_t **out_items,
                          size_t *out_count);

/* Why the target does not have this process: "its user is root". Looks at it again. */
void oc_coverage_why(const struct oc_coverage *coverage, uint32_t target,
                     const struct oc_covered *process, char *out, size_t out_bytes);

/*
 * What is odd about a target: it matches nothing (and what is nearest), nearly everything, or stands
 * behind one that takes all. "" where nothing is.
 */
void oc_coverage_oddity(const struct oc_coverage *coverage, uint32_t target, char *out,
                        size_t out_bytes);

#endif
