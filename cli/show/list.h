/* "one, two, three": items of a list, wrapped below the first. */
#ifndef OC_CLI_SHOW_LIST_H
#define OC_CLI_SHOW_LIST_H

#include "base/buf.h"

#include <stddef.h>

struct oc_list {
    struct oc_buf *out; /* borrowed */
    size_t indent;      /* columns before each line; the caller has filled those of the first */
    size_t width;       /* of a line; an item alone may be longer */
    size_t at;          /* the column */
};

/* columns: of the terminal, 0: none. Lines are never so long that nobody would read them. */
void oc_list_begin(struct oc_list *list, struct oc_buf *out, size_t indent, int columns);

/* Appended as it is: a text from outside has been escaped. */
void oc_list_item(struct oc_list *list, const char *text);

#endif
