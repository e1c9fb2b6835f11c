/* Aligned columns for a terminal, CSV for a pipe. Cells are escaped; numbers stand right. */
#ifndef OC_CLI_SHOW_TABLE_H
#define OC_CLI_SHOW_TABLE_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum oc_align {
    OC_ALIGN_LEFT,
    OC_ALIGN_RIGHT,
    OC_ALIGN_PATH /* left; where it is cut it keeps its end, which tells one path from another */
};

struct oc_column {
    const char *title; /* NULL ends a list */
    enum oc_align align;
    size_t max_columns; /* a longer cell is cut with "…"; 0: never */
    int narrow;         /* what it does in a terminal that is too narrow: OC_SHRINKS, OC_GOES(n) */
};

#define OC_SHRINKS 1       /* gives way, down to some columns; the widest first */
#define OC_GOES(n) ((n)*2) /* goes altogether before cells are cut short; the greatest n first */

#define OC_TABLE_MAX_COLUMNS 24
#define OC_TABLE_MAX_CELLS (1u << 20)

struct oc_table {
    const struct oc_column *columns;
    size_t column_count;
    struct oc_buf text; /* all cells, NUL-terminated one after the other */
    uint32_t *offsets;  /* of each cell in text */
    size_t cell_count, cell_cap;
    uint32_t hidden; /* bit for each column that is left out */
    int err;         /* the first failure stays; oc_table_print() gives it */
};

/* columns is borrowed until clear. */
void oc_table_init(struct oc_table *table, const struct oc_column *columns);
void oc_table_clear(struct oc_table *table);
void oc_table_reset(struct oc_table *table); /* empties, keeps the memory */

/* The next cell of the row; control characters are escaped. NULL and "" become "-". */
void oc_table_cell(struct oc_table *table, const char *text);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void oc_table_cellf(struct oc_table *table, const char *format, ...);
/* "64.0 MiB", right for an aligned column. */
void oc_table_bytes(struct oc_table *table, int64_t bytes);

/* Leaves a column out. */
void oc_table_hide(struct oc_table *table, size_t column);
/* Leaves a column out where none of its cells, which are all there by now, has something to say. */
void oc_table_hide_empty(struct oc_table *table, size_t column);

/* Columns that it takes where each flexible column gives way down to flexible_columns. */
size_t oc_table_width(const struct oc_table *table, size_t flexible_columns);

struct oc_table_style {
    int width; /* of the terminal; 0: as wide as it gets */
    int color; /* a bold head */
    int utf8;  /* "…" rather than "~" where a cell is cut */
};

/* Appends head and rows to *out, each ended by a newline. 0, OC_E_NOMEM or OC_E_TOOBIG. */
int oc_table_print(const struct oc_table *table, const struct oc_table_style *style,
                   struct oc_buf *out);

#endif
