#include "cli/show/list.h"

#include "base/text.h"

#define MAX_WIDTH 96

void oc_list_begin(struct oc_list *list, struct oc_buf *out, size_t indent, int columns)
{
    list->out = out;
    list->indent = list->at = indent;
    list->width = columns > 0 && columns < MAX_WIDTH ? (size_t)columns : MAX_WIDTH;
}

void oc_list_item(struct oc_list *list, const char *text)
{
    size_t columns = oc_text_columns(text);

    /* a comma comes behind it, where another follows */
    if (list->at > list->indent && list->at + 2 + columns + 1 > list->width) {
        oc_buf_puts(list->out, ",\n");
        oc_buf_spaces(list->out, list->indent);
        list->at = list->indent;
    } else if (list->at > list->indent) {
        oc_buf_puts(list->out, ", ");
        list->at += 2;
    }
    oc_buf_puts(list->out, text);
    list->at += columns;
}
