/* Samples and summaries in, points of one step each out. Pure arithmetic. */
#ifndef OC_STORAGE_READ_FOLD_H
#define OC_STORAGE_READ_FOLD_H

#include "storage/reader.h"

#define OC_FOLD_MAX_HELD (1u << 20) /* points kept back where time is not in order */

/* What several samples come to. count > 0. */
struct oc_fold_sum {
    uint64_t count;
    int64_t min, max, first, last;
    double sum;
};

struct oc_fold {
    int64_t since_unix_ms, step_ms; /* step 0: each sample is a point */
    oc_point_fn *fn;
    void *context;
    struct oc_point now; /* of the step being filled; count 0: none */
    double now_sum;
    struct oc_point *held; /* with hold: all points, until the end */
    size_t held_count, held_capacity;
    int hold;
    int stopped; /* fn asked to stop */
    int err;     /* the first error: OC_E_NOMEM or OC_E_TOOBIG */
    int64_t given;
};

/*
 * hold: times may go back (the wall clock was set back within the range), so points are kept and
 * put in order at the end; costs 64 bytes a point, at most OC_FOLD_MAX_HELD of them.
 */
void oc_fold_init(struct oc_fold *fold, const struct oc_range *range, int hold, oc_point_fn *fn,
                  void *context);
void oc_fold_clear(struct oc_fold *fold);

/* Beginning of the step that holds a time. Overflow is not possible for times of this millennium. */
int64_t oc_fold_step_begin(const struct oc_fold *fold, int64_t unix_ms);

/* Takes in samples that all lie in the step of unix_ms. */
void oc_fold_add(struct oc_fold *fold, int64_t unix_ms, const struct oc_fold_sum *sum);
void oc_fold_value(struct oc_fold *fold, int64_t unix_ms, int64_t value);

/* Gives the last point, and those held. Returns the number of points given, or .err. */
int64_t oc_fold_end(struct oc_fold *fold);

#endif
