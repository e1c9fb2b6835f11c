/* How `oomcast top` looks: text made of the model. */
#ifndef OC_CLI_COMMANDS_TOP_VIEW_H
#define OC_CLI_COMMANDS_TOP_VIEW_H

#include "base/buf.h"
#include "cli/model/top.h"

#include <stdint.h>

struct oc_top_view {
    int width, height; /* height 0: all rows, no foot */
    int color, utf8;
    enum oc_top_sort sort;
    int reverse, each, paused, help;
    size_t first_row; /* scrolled to */
    int64_t now_unix_ms, span_ms;
    const char *store; /* its path */
};

/* How many rows of the table fit. */
size_t oc_top_view_rows(const struct oc_top_view *view);

/* Appends the screen, lines ended by '\n' but for the last of a live one. 0 or a code. */
int oc_top_draw(const struct oc_top *top, const struct oc_top_view *view, struct oc_buf *out);

/* All of it as JSON or CSV, each process with every figure of its newest sample. */
void oc_top_json(const struct oc_top *top, size_t max_rows, struct oc_buf *out);
void oc_top_csv(const struct oc_top *top, size_t max_rows, struct oc_buf *out);

/* "private", "change" …; ended by NULL, in the order of enum oc_top_sort. */
extern const char *const oc_top_sort_words[];

#endif
