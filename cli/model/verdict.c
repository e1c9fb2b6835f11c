#include "cli/model/verdict.h"

#include "base/alloc.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PROMISED 0.8 /* what p10 … p90 is to hold */
#define CHANCE 2.0   /* standard deviations that chance explains */

struct loading {
    struct oc_verdicts *verdicts;
    const char *word;
    int rc;
};

static struct oc_verdict *find(struct oc_verdicts *verdicts, const struct oc_accuracy_row *row)
{
    for (size_t i = verdicts->count; i-- > 0;) { /* rows of a subject stand together */
        struct oc_verdict *item = &verdicts->items[i];

        if (strcmp(item->subject, row->subject) == 0 &&
            (!verdicts->by_limit ||
             (item->metric == row->metric && item->limit_kind == row->limit_kind)))
            return item;
    }
    return NULL;
}

static struct oc_verdict *add(struct loading *loading, const struct oc_accuracy_row *row)
{
    struct oc_verdicts *verdicts = loading->verdicts;
    void *items = verdicts->items;
    struct oc_verdict *item;

    loading->rc = oc_array_grow(&items, &verdicts->capacity, verdicts->count + 1, sizeof(*item),
                                OC_VERDICTS_MAX);
    verdicts->items = items;
    if (loading->rc)
        return NULL;
    item = &verdicts->items[verdicts->count++];
    memset(item, 0, sizeof(*item));
    (void)oc_text_copy(item->subject, sizeof(item->subject), row->subject);
    if (verdicts->by_limit) {
        item->metric = row->metric;
        item->limit_kind = row->limit_kind;
    }
    return item;
}

static int take_row(const struct oc_accuracy_row *row, void *context)
{
    struct loading *loading = context;
    struct oc_verdicts *verdicts = loading->verdicts;
    struct oc_verdict *item;

    if (loading->word && !oc_subject_is_meant(row->subject, loading->word))
        return 0;
    item = find(verdicts, row);
    if (!item)
        item = add(loading, row);
    if (!item)
        return 1;
    oc_accuracy_add(&item->sum, &row->sum);
    oc_accuracy_add(&verdicts->all, &row->sum);
    if (!verdicts->first_unix_ms || row->first_unix_ms < verdicts->first_unix_ms)
        verdicts->first_unix_ms = row->first_unix_ms;
    if (row->last_unix_ms > verdicts->last_unix_ms)
        verdicts->last_unix_ms = row->last_unix_ms;
    return 0;
}

static int most_judged_first(const void *a, const void *b)
{
    const struct oc_verdict *x = a, *y = b;
    int names = strcmp(x->subject, y->subject);

    if (x->sum.judged != y->sum.judged)
        return x->sum.judged < y->sum.judged ? 1 : -1;
    if (x->sum.alarms != y->sum.alarms)
        return x->sum.alarms < y->sum.alarms ? 1 : -1;
    if (names)
        return names;
    if (x->metric != y->metric)
        return x->metric < y->metric ? -1 : 1;
    return (x->limit_kind > y->limit_kind) - (x->limit_kind < y->limit_kind);
}

int oc_verdicts_load(struct oc_verdicts *verdicts, oc_reader *reader, const char *word)
{
    struct loading loading = { .verdicts = verdicts, .word = word };
    int rc = oc_reader_accuracy(reader, take_row, &loading);

    if (rc < 0 || loading.rc)
        return rc < 0 ? rc : loading.rc;
    if (verdicts->count > 1)
        qsort(verdicts->items, verdicts->count, sizeof(*verdicts->items), most_judged_first);
    return OC_OK;
}

void oc_verdicts_clear(struct oc_verdicts *verdicts)
{
    oc_free(verdicts->items);
    memset(verdicts, 0, sizeof(*verdicts));
}

/* ---- figures ---- */

double oc_verdict_inside(const struct oc_accuracy *sum)
{
    return sum->judged ? (double)sum->inside / (double)sum->judged : NAN;
}

double oc_verdict_inside_error(const struct oc_accuracy *sum)
{
    return sum->judged ? sqrt(PROMISED * (1 - PROMISED) / (double)sum->judged) : NAN;
}

double oc_verdict_error(const struct oc_accuracy *sum)
{
    return sum->errors ? exp(sum->error_sum / (double)sum->errors) : NAN;
}

double oc_verdict_lead_s(const struct oc_accuracy *sum)
{
    return sum->foretold ? sum->lead_s_sum / (double)sum->foretold : NAN;
}

const char *oc_verdict_word(const struct oc_accuracy *sum)
{
    double off;

    if (sum->judged < OC_VERDICT_LEAST)
        return "too few";
    off = (oc_verdict_inside(sum) - PROMISED) / oc_verdict_inside_error(sum);
    if (off < -CHANCE)
        return "they are too narrow";
    if (sum->ends < OC_VERDICT_LEAST_ENDS)
        return "too few ends to tell yet";
    return off > CHANCE ? "they are wider than need be" : "as promised";
}
