/* Inside explain/ alone: the larger parts of an explanation's text. */
#ifndef OC_EXPLAIN_PARTS_H
#define OC_EXPLAIN_PARTS_H

#include "explain/explain.h"
#include "explain/page.h"

/* Figures now, in a line or two. */
void oc_explain_put_figures(struct oc_explain_page *page, const struct oc_evidence *evidence);
/* The same with what may be touched, families and the nearest limits. */
void oc_explain_put_look(struct oc_explain_page *page, const struct oc_evidence *evidence);
/* The table of shares with its notes; nothing where there are none. */
void oc_explain_put_shares(struct oc_explain_page *page, const struct oc_explanation *explanation);

#endif
