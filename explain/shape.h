/* Inside explain/ alone: the shapes of known causes. Each says how well the evidence fits it. */
#ifndef OC_EXPLAIN_SHAPE_H
#define OC_EXPLAIN_SHAPE_H

#include "explain/view.h"

/*
 * How well it fits, 0 (not at all) … 1; fills in the cause's evidence and what speaks against it, and a title or a mend that
 * is better than the table's. What needs figures that are not known does not fit.
 */
typedef double oc_shape_fn(const struct oc_explain_view *view, struct oc_cause *cause);

/* shape_things.c: what comes in numbers */
oc_shape_fn oc_shape_modules, oc_shape_mappings, oc_shape_threads, oc_shape_descriptors,
    oc_shape_processes, oc_shape_sections;
/* shape_heaps.c: memory of an allocator or a runtime */
oc_shape_fn oc_shape_native_heap, oc_shape_arenas, oc_shape_managed_heap, oc_shape_loader_heap,
    oc_shape_jit, oc_shape_unknown;
/* shape_files.c: what has a file behind it */
oc_shape_fn oc_shape_cache, oc_shape_shared, oc_shape_mapped_files;
/* shape_limits.c: what a limit has to do with it */
oc_shape_fn oc_shape_heap_cap, oc_shape_fragmentation;

#define OC_SAY(field, ...) oc_explain_say((field), sizeof(field), __VA_ARGS__)

/* "LoaderHeap +48.0 MiB (62 % of the growth); " where the usage grew. */
void oc_shape_say_usage(const struct oc_explain_view *view, unsigned usage, char *out,
                        size_t out_bytes);
/* Whether it grows evenly, or has stopped: adjusts the confidence and says it. */
double oc_shape_course(const struct oc_evidence_family *family, double confidence,
                       struct oc_cause *cause);
/* The limit of a kind; NULL: none is known. The least of several. */
const struct oc_limit *oc_shape_limit(const struct oc_explain_view *view, unsigned kind);
/* Change of a usage's committed and reserved space, and of its regions. */
int64_t oc_shape_space(const struct oc_explain_view *view, unsigned usage);

/* system_words.c: in the words of the system at hand, where the table's are another's. */
void oc_shape_in_own_words(const struct oc_explain_view *view, struct oc_cause *cause);

/* The mend that fits the runtime, from causes.c's table. */
const char *oc_shape_mend(unsigned kind, unsigned runtime);

#endif
