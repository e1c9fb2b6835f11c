/* Shares in their order, with the families of each usage behind it. */
#include "explain/share.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FAMILIES_OF_A_USAGE 3
#define DESCRIPTOR_FAMILIES 2
#define FAMILY_LEAST 8 /* members that came: fewer are no family that grows */

static int more_first(const void *a, const void *b)
{
    const struct oc_share *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->count < y->count ? 1 : x->count > y->count ? -1 : strcmp(x->name, y->name);
}

static int is_of(const struct oc_share *share, const struct oc_evidence_family *family)
{
    const unsigned usage = oc_explain_family_usage(family);

    return (share->kind == OC_SHARE_USAGE || share->kind == OC_SHARE_STACKS) &&
           usage < OC_USAGE_COUNT && strcmp(share->name, oc_usage_name(usage)) == 0;
}

/* The part of its usage that its address space is of that usage's. */
static double family_ratio(const struct oc_explain_view *view,
                           const struct oc_evidence_family *family)
{
    const unsigned usage = oc_explain_family_usage(family);
    const int64_t all = oc_explain_change(&view->evidence->usage_commit[usage]);
    const int64_t bytes = oc_explain_change(&family->bytes);

    if (all <= 0 || bytes <= 0)
        return 0;
    return bytes < all ? (double)bytes / (double)all : 1;
}

static void put_families(struct oc_explain_view *view, const struct oc_share *share)
{
    const struct oc_evidence *evidence = view->evidence;
    size_t put = 0;

    for (size_t i = 0; i < evidence->family_count && put < FAMILIES_OF_A_USAGE; i++) {
        const struct oc_evidence_family *family = &evidence->families[i];
        double ratio;

        if (!is_of(share, family) || oc_explain_change(&family->count) <= 0)
            continue;
        ratio = family_ratio(view, family);
        oc_explain_add_family(view, family, (int64_t)((double)share->bytes * ratio),
                              share->part * ratio);
        put++;
    }
}

void oc_explain_add_descriptors(struct oc_explain_view *view)
{
    const struct oc_evidence *evidence = view->evidence;
    size_t put = 0;

    for (size_t i = 0; i < evidence->family_count && put < DESCRIPTOR_FAMILIES; i++) {
        if (evidence->families[i].kind != OC_FAMILY_FD ||
            oc_explain_change(&evidence->families[i].count) < FAMILY_LEAST)
            continue;
        oc_explain_add_family(view, &evidence->families[i], 0, (double)NAN);
        put++;
    }
}

void oc_explain_arrange_shares(struct oc_explain_view *view)
{
    struct oc_explanation *out = view->out;
    struct oc_share tops[OC_EXPLAIN_SHARES];
    const size_t count = out->share_count;

    memcpy(tops, out->shares, count * sizeof(tops[0]));
    qsort(tops, count, sizeof(tops[0]), more_first);
    out->share_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (out->share_count + (count - i) + FAMILIES_OF_A_USAGE + 1 >
            OC_EXPLAIN_SHARES) { /* no room for families */
            out->shares[out->share_count++] = tops[i];
            continue;
        }
        out->shares[out->share_count++] = tops[i];
        put_families(view, &tops[i]);
    }
}
