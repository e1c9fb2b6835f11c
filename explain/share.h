/* Inside explain/ alone: shares in the making. */
#ifndef OC_EXPLAIN_SHARE_H
#define OC_EXPLAIN_SHARE_H

#include "explain/view.h"

/* Adds one with its part of the growth; NULL where there is no more room: the last place is for what is unexplained. */
struct oc_share *oc_explain_add_share(struct oc_explain_view *view, unsigned kind, const char *name,
                                      int64_t bytes);
void oc_explain_add_family(struct oc_explain_view *view, const struct oc_evidence_family *family,
                           int64_t bytes, double part);
/* Whether the metric counts things; their families or usages are the shares then. */
int oc_explain_share_things(struct oc_explain_view *view);
/* Largest first, with the families of each behind it. */
void oc_explain_arrange_shares(struct oc_explain_view *view);
/* Descriptors have no bytes of their own, but each keeps a buffer somewhere. */
void oc_explain_add_descriptors(struct oc_explain_view *view);

#endif
