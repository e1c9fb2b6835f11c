/* Inside explain/ alone: text in lines of a width, as many as may be. */
#ifndef OC_EXPLAIN_PAGE_H
#define OC_EXPLAIN_PAGE_H

#include "base/buf.h"

struct oc_explain_page {
    struct oc_buf *out; /* borrowed */
    unsigned columns;   /* of a line */
    unsigned lines;     /* that may be written; 0: any */
    unsigned used;
};

/*
 * Writes a paragraph, broken at blanks: the first line begins with `first`, the others with as many blanks; at most
 * most_lines lines (0: any), the last of them cut with "...". Control characters are escaped, what is not UTF-8 as well.
 */
void oc_explain_page_put(struct oc_explain_page *page, const char *first, const char *text,
                         unsigned most_lines);
/* The same of a printf format. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
void oc_explain_page_putf(struct oc_explain_page *page, const char *first, unsigned most_lines,
                          const char *format, ...);
/* A command: never broken, since it is to be copied; a line of its own. */
void oc_explain_page_command(struct oc_explain_page *page, const char *first, const char *command);
void oc_explain_page_blank(struct oc_explain_page *page);
int oc_explain_page_is_full(const struct oc_explain_page *page);

#endif
