#include "cli/show/table.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/show/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_TEXT_BYTES (64u << 20)
#define MAX_CELL_BYTES 2048u
#define GAP 2             /* blanks between two columns */
#define LEAST_FLEXIBLE 10 /* what a flexible column keeps */

void oc_table_init(struct oc_table *table, const struct oc_column *columns)
{
    memset(table, 0, sizeof(*table));
    table->columns = columns;
    while (columns[table->column_count].title && table->column_count < OC_TABLE_MAX_COLUMNS)
        table->column_count++;
    oc_buf_init(&table->text, MAX_TEXT_BYTES);
}

void oc_table_clear(struct oc_table *table)
{
    oc_buf_clear(&table->text);
    oc_free(table->offsets);
    table->offsets = NULL;
    table->cell_count = table->cell_cap = 0;
}

void oc_table_reset(struct oc_table *table)
{
    oc_buf_reset(&table->text);
    table->cell_count = 0;
    table->hidden = 0;
    table->err = OC_OK;
}

static int reserve_cell(struct oc_table *table)
{
    void *offsets = table->offsets;
    int rc;

    if (table->err)
        return table->err;
    rc = oc_array_grow(&offsets, &table->cell_cap, table->cell_count + 1, sizeof(*table->offsets),
                       OC_TABLE_MAX_CELLS);
    table->offsets = offsets;
    table->err = rc;
    return rc;
}

void oc_table_cell(struct oc_table *table, const char *text)
{
    if (reserve_cell(table))
        return;
    table->offsets[table->cell_count++] = (uint32_t)table->text.len_bytes;
    oc_buf_escaped(&table->text, text && *text ? text : "-");
    oc_buf_putc(&table->text, '\0');
    table->err = table->text.err;
}

void oc_table_cellf(struct oc_table *table, const char *format, ...)
{
    char text[MAX_CELL_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    oc_table_cell(table, text);
}

void oc_table_bytes(struct oc_table *table, int64_t bytes)
{
    char text[32];

    oc_table_cell(table, oc_value_bytes(bytes, text, sizeof(text)));
}

/* ---- layout ---- */

static const char *cell_text(const struct oc_table *table, size_t cell)
{
    return table->text.data + table->offsets[cell];
}

void oc_table_hide(struct oc_table *table, size_t column)
{
    table->hidden |= UINT32_C(1) << column;
}

void oc_table_hide_empty(struct oc_table *table, size_t column)
{
    for (size_t cell = column; cell < table->cell_count && !table->err;
         cell += table->column_count) {
        if (strcmp(cell_text(table, cell), "-") != 0)
            return;
    }
    oc_table_hide(table, column);
}

static void natural_widths(const struct oc_table *table, size_t *widths)
{
    for (size_t c = 0; c < table->column_count; c++)
        widths[c] = oc_text_columns(table->columns[c].title);
    if (table->column_count == 0)
        return;
    for (size_t cell = 0; cell < table->cell_count; cell++) {
        size_t c = cell % table->column_count;
        size_t columns = oc_text_columns(cell_text(table, cell));

        if (columns > widths[c])
            widths[c] = columns;
    }
    for (size_t c = 0; c < table->column_count; c++) {
        size_t max = table->columns[c].max_columns;

        if (max && widths[c] > max)
            widths[c] = max;
        if (table->hidden & (UINT32_C(1) << c))
            widths[c] = 0;
    }
}

static size_t total_width(const struct oc_table *table, const size_t *widths)
{
    size_t total = 0;

    for (size_t c = 0; c < table->column_count; c++) {
        if (widths[c] > 0)
            total += (total > 0 ? GAP : 0) + widths[c];
    }
    return total;
}

size_t oc_table_width(const struct oc_table *table, size_t flexible_columns)
{
    size_t widths[OC_TABLE_MAX_COLUMNS];

    natural_widths(table, widths);
    for (size_t c = 0; c < table->column_count; c++) {
        if ((table->columns[c].narrow & OC_SHRINKS) && widths[c] > flexible_columns)
            widths[c] = flexible_columns;
    }
    return total_width(table, widths);
}

/* The widest flexible column that may still give way; column_count: none. */
static size_t widest_flexible(const struct oc_table *table, const size_t *widths)
{
    size_t best = table->column_count;

    for (size_t c = 0; c < table->column_count; c++) {
        if ((table->columns[c].narrow & OC_SHRINKS) && widths[c] > LEAST_FLEXIBLE &&
            (best == table->column_count || widths[c] > widths[best]))
            best = c;
    }
    return best;
}

/* How wide it is where all that shrinks has shrunk. */
static size_t least_width(const struct oc_table *table, const size_t *widths)
{
    size_t least[OC_TABLE_MAX_COLUMNS];

    for (size_t c = 0; c < table->column_count; c++)
        least[c] = (table->columns[c].narrow & OC_SHRINKS) && widths[c] > LEAST_FLEXIBLE
                       ? LEAST_FLEXIBLE
                       : widths[c];
    return total_width(table, least);
}

/* Takes one column away: its width is 0 then. 0: none may go. */
static int drop_column(const struct oc_table *table, size_t *widths)
{
    size_t best = 0;

    for (size_t c = 1; c < table->column_count; c++) {
        if (widths[c] > 0 &&
            (widths[best] == 0 || table->columns[c].narrow > table->columns[best].narrow))
            best = c;
    }
    if (table->columns[best].narrow < OC_GOES(1))
        return 0;
    widths[best] = 0;
    return 1;
}

static void fit_widths(const struct oc_table *table, size_t width, size_t *widths)
{
    size_t total;

    while (width > 0 && least_width(table, widths) > width && drop_column(table, widths))
        continue;
    total = total_width(table, widths);

    while (width > 0 && total > width) {
        size_t c = widest_flexible(table, widths);

        if (c == table->column_count)
            break; /* nothing left to give: the terminal wraps */
        widths[c]--;
        total--;
    }
}

/* ---- printing ---- */

static void put_cell(const char *text, size_t width, enum oc_align align, int last, int utf8,
                     struct oc_buf *out)
{
    size_t columns = oc_text_columns(text);

    if (columns > width && align == OC_ALIGN_PATH) {
        oc_value_keep_end(text, width, utf8, out);
        return;
    }
    if (columns > width) {
        oc_value_cut(text, width, utf8, out);
        return;
    }
    if (align == OC_ALIGN_RIGHT)
        oc_buf_spaces(out, width - columns);
    oc_buf_puts(out, text);
    if (align != OC_ALIGN_RIGHT && !last)
        oc_buf_spaces(out, width - columns);
}

static void put_row(const struct oc_table *table, size_t first_cell, const size_t *widths,
                    const struct oc_table_style *style, struct oc_buf *out)
{
    size_t last = table->column_count;
    int begun = 0;

    while (last > 0 && widths[last - 1] == 0)
        last--;
    for (size_t c = 0; c < last; c++) {
        const struct oc_column *column = &table->columns[c];
        int is_head = first_cell == SIZE_MAX;
        const char *text = is_head ? column->title : "";

        if (widths[c] == 0)
            continue;
        if (!is_head && first_cell + c < table->cell_count)
            text = cell_text(table, first_cell + c);
        if (begun++)
            oc_buf_spaces(out, GAP);
        put_cell(text, widths[c], column->align, c + 1 == last, style->utf8, out);
    }
    while (out->len_bytes > 0 && out->data[out->len_bytes - 1] == ' ')
        out->data[--out->len_bytes] = '\0'; /* of a cell that is a blank */
}

int oc_table_print(const struct oc_table *table, const struct oc_table_style *style,
                   struct oc_buf *out)
{
    size_t widths[OC_TABLE_MAX_COLUMNS];

    if (table->err)
        return table->err;
    natural_widths(table, widths);
    fit_widths(table, style->width > 0 ? (size_t)style->width : 0, widths);
    if (style->color)
        oc_buf_puts(out, "\033[1m");
    put_row(table, SIZE_MAX, widths, style, out);
    oc_buf_puts(out, style->color ? "\033[0m\n" : "\n");
    for (size_t cell = 0; cell < table->cell_count; cell += table->column_count) {
        put_row(table, cell, widths, style, out);
        oc_buf_putc(out, '\n');
    }
    return out->err;
}
