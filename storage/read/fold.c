#include "storage/read/fold.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

void oc_fold_init(struct oc_fold *fold, const struct oc_range *range, int hold, oc_point_fn *fn,
                  void *context)
{
    memset(fold, 0, sizeof *fold);
    fold->since_unix_ms = range->since_unix_ms;
    fold->step_ms = range->step_ms;
    fold->hold = hold;
    fold->fn = fn;
    fold->context = context;
}

void oc_fold_clear(struct oc_fold *fold)
{
    oc_free(fold->held);
    memset(fold, 0, sizeof *fold);
}

int64_t oc_fold_step_begin(const struct oc_fold *fold, int64_t unix_ms)
{
    int64_t past;

    if (fold->step_ms <= 0)
        return unix_ms;
    past = (unix_ms - fold->since_unix_ms) % fold->step_ms;
    return unix_ms - (past < 0 ? past + fold->step_ms : past);
}

static void give(struct oc_fold *fold, const struct oc_point *point)
{
    if (fold->stopped)
        return;
    fold->given++;
    if (fold->fn(point, fold->context))
        fold->stopped = 1;
}

static void keep(struct oc_fold *fold, const struct oc_point *point)
{
    void *held = fold->held;
    int rc = oc_array_grow(&held, &fold->held_capacity, fold->held_count + 1, sizeof *fold->held,
                           OC_FOLD_MAX_HELD);

    fold->held = held;
    if (rc < 0)
        fold->err = rc;
    else
        fold->held[fold->held_count++] = *point;
}

static void flush(struct oc_fold *fold)
{
    if (fold->now.count == 0)
        return;
    fold->now.mean = fold->now_sum / (double)fold->now.count;
    if (fold->hold)
        keep(fold, &fold->now);
    else
        give(fold, &fold->now);
    fold->now.count = 0;
}

static void begin(struct oc_fold *fold, int64_t step_unix_ms, const struct oc_fold_sum *sum)
{
    fold->now = (struct oc_point){ .t_unix_ms = step_unix_ms,
                                   .count = sum->count,
                                   .min = sum->min,
                                   .max = sum->max,
                                   .first = sum->first,
                                   .last = sum->last };
    fold->now_sum = sum->sum;
}

void oc_fold_add(struct oc_fold *fold, int64_t unix_ms, const struct oc_fold_sum *sum)
{
    int64_t step_unix_ms = oc_fold_step_begin(fold, unix_ms);
    struct oc_point *now = &fold->now;

    if (fold->stopped || fold->err || sum->count == 0)
        return;
    if (fold->step_ms <= 0 || now->count == 0 || now->t_unix_ms != step_unix_ms) {
        flush(fold);
        begin(fold, step_unix_ms, sum);
        return;
    }
    now->count += sum->count;
    now->min = sum->min < now->min ? sum->min : now->min;
    now->max = sum->max > now->max ? sum->max : now->max;
    now->last = sum->last;
    fold->now_sum += sum->sum;
}

void oc_fold_value(struct oc_fold *fold, int64_t unix_ms, int64_t value)
{
    struct oc_fold_sum one = {
        .count = 1, .min = value, .max = value, .first = value, .last = value, .sum = (double)value
    };

    oc_fold_add(fold, unix_ms, &one);
}

/* By time; equal steps by the order of coming is enough: qsort is not stable, and first/last of a
 * step that the clock went through twice have no better meaning. */
static int by_time(const void *a, const void *b)
{
    const struct oc_point *left = a, *right = b;

    return (left->t_unix_ms > right->t_unix_ms) - (left->t_unix_ms < right->t_unix_ms);
}

static void merge(struct oc_point *into, const struct oc_point *other)
{
    double all = (double)(into->count + other->count);

    into->mean =
        into->mean * ((double)into->count / all) + other->mean * ((double)other->count / all);
    into->count += other->count;
    into->min = other->min < into->min ? other->min : into->min;
    into->max = other->max > into->max ? other->max : into->max;
    into->last = other->last;
}

static void give_held(struct oc_fold *fold)
{
    size_t i = 0;

    if (fold->held_count > 1)
        qsort(fold->held, fold->held_count, sizeof *fold->held, by_time);
    while (i < fold->held_count) {
        struct oc_point point = fold->held[i++];

        while (fold->step_ms > 0 && i < fold->held_count &&
               fold->held[i].t_unix_ms == point.t_unix_ms)
            merge(&point, &fold->held[i++]);
        give(fold, &point);
    }
}

int64_t oc_fold_end(struct oc_fold *fold)
{
    if (!fold->err)
        flush(fold);
    if (!fold->err && fold->hold)
        give_held(fold);
    return fold->err ? fold->err : fold->given;
}
