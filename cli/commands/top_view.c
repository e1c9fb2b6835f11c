#include "cli/commands/top_view.h"

#include "base/text.h"
#include "cli/commands/forecast_view.h"
#include "cli/show/spark.h"
#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include <inttypes.h>
#include <string.h>

#define HEAD_LINES 4 /* two of text, a blank one, the titles */
#define FOOT_LINES 1
#define LEAST_ROWS 3
#define OLD_MS 60000 /* a store whose newest sample is older is said to stand still */
#define NAME_COLUMNS 40
#define LEAST_NAME_COLUMNS 20 /* a column goes before names are cut to less */

const char *const oc_top_sort_words[] = { "private", "change", "rss", "swap", "virtual", "threads",
                                          "fds",     "cpu",    "ttl", "name", NULL };

/* ---- columns ---- */

enum cell {
    CELL_NAME,
    CELL_PID,
    CELL_PRIVATE,
    CELL_CHANGE,
    CELL_TTL,
    CELL_RSS,
    CELL_SWAP,
    CELL_VIRTUAL,
    CELL_THREADS,
    CELL_FDS,
    CELL_CPU,
    CELL_PAST,
    CELL_COUNT
};

static const struct oc_column columns_of[CELL_COUNT] = {
    [CELL_NAME] = { "", OC_ALIGN_LEFT, NAME_COLUMNS, OC_SHRINKS },
    [CELL_PID] = { "", OC_ALIGN_RIGHT, 0, 0 },
    [CELL_PRIVATE] = { "", OC_ALIGN_RIGHT, 0, 0 },
    [CELL_CHANGE] = { "", OC_ALIGN_RIGHT, 0, 0 },
    [CELL_TTL] = { "", OC_ALIGN_RIGHT, 0, 0 },
    [CELL_RSS] = { "", OC_ALIGN_RIGHT, 0, 0 },
    [CELL_SWAP] = { "", OC_ALIGN_RIGHT, 0, 0 },
    [CELL_VIRTUAL] = { "", OC_ALIGN_RIGHT, 0, 0 },
    [CELL_THREADS] = { "", OC_ALIGN_RIGHT, 0, 0 },
    [CELL_FDS] = { "", OC_ALIGN_RIGHT, 0, 0 },
    [CELL_CPU] = { "", OC_ALIGN_RIGHT, 0, 0 },
    [CELL_PAST] = { "", OC_ALIGN_LEFT, 0, 0 },
};

static const char *const titles[OC_TOP_ABOUTS][CELL_COUNT] = {
    { "SUBJECT", "PID", "PRIVATE", "CHANGE", "TTL", "RSS", "SWAP", "VIRTUAL", "THR", "FDS", "CPU",
      "PAST" },
    { "CGROUP", "", "CURRENT", "CHANGE", "TTL", "ANON", "SWAP", "LIMIT", "TASKS", "OOM", "CPU",
      "PAST" },
};

/* Where the terminal is too narrow they go in this order: the most telling ones stay. */
static const enum cell dispensable[] = { CELL_VIRTUAL, CELL_FDS, CELL_THREADS, CELL_CPU,
                                         CELL_SWAP,    CELL_RSS, CELL_PAST,    CELL_CHANGE };

static int any_ahead(const struct oc_top *top)
{
    for (size_t r = 0; r < top->row_count; r++) {
        if (top->rows[r].ahead && oc_outlook_urgency(top->rows[r].ahead) <= OC_URGENCY_SAVED)
            return 1;
    }
    return 0;
}

/* A column that would be empty is left out. */
static int says_nothing(const struct oc_top *top, enum cell cell)
{
    static const enum oc_top_figure figures[CELL_COUNT] = {
        [CELL_VIRTUAL] = OC_TOP_VIRTUAL, [CELL_THREADS] = OC_TOP_THREADS, [CELL_FDS] = OC_TOP_FDS
    };
    const struct oc_sample *host = &top->host.sample;

    if (cell == CELL_PID)
        return top->about == OC_TOP_CGROUPS;
    if (cell == CELL_TTL)
        return !any_ahead(top);
    for (size_t r = 0; figures[cell] && r < top->row_count; r++) {
        if (top->rows[r].known & (UINT64_C(1) << figures[cell]))
            return 0;
    }
    if (figures[cell])
        return 1;
    if (cell == CELL_SWAP)
        return oc_sample_has(host, OC_METRIC_HOST_SWAP_TOTAL) &&
               oc_sample_get(host, OC_METRIC_HOST_SWAP_TOTAL) == 0;
    if (cell != CELL_CPU)
        return 0;
    for (size_t r = 0; r < top->row_count; r++) {
        if (top->rows[r].cpu_ratio >= 0)
            return 0;
    }
    return 1;
}

static void put_figure(struct oc_table *table, const struct oc_top_row *row,
                       enum oc_top_figure figure, int is_bytes)
{
    if (!(row->known & (UINT64_C(1) << figure)))
        oc_table_cell(table, NULL);
    else if (is_bytes)
        oc_table_bytes(table, row->figures[figure]);
    else
        oc_table_cellf(table, "%" PRId64, row->figures[figure]);
}

static void put_change(struct oc_table *table, const struct oc_top_row *row)
{
    char text[32] = "";

    if (!row->has_change) {
        oc_table_cell(table, NULL);
        return;
    }
    if (row->change_bytes > 0)
        text[0] = '+';
    (void)oc_value_bytes(row->change_bytes, text + (row->change_bytes > 0), sizeof(text) - 1);
    oc_table_cell(table, row->change_bytes ? text : "0   B");
}

static void put_ttl(struct oc_table *table, const struct oc_top_row *row)
{
    char text[40];

    oc_table_cell(table, row->ahead ? oc_forecast_time(row->ahead, text, sizeof(text)) : NULL);
}

static void put_past(struct oc_table *table, const struct oc_top_row *row, int utf8)
{
    struct oc_buf spark;

    oc_buf_init(&spark, 256);
    oc_spark(row->past, OC_TOP_BUCKETS, utf8, &spark);
    oc_table_cell(table, spark.data);
    oc_buf_clear(&spark);
}

static void put_cell(struct oc_table *table, const struct oc_top_row *row, enum cell cell, int utf8)
{
    switch (cell) {
    case CELL_NAME:
        oc_table_cell(table, row->name);
        return;
    case CELL_PID:
        if (row->count > 1)
            oc_table_cellf(table, utf8 ? "%" PRIu32 "×" : "%" PRIu32 "x", row->count);
        else
            oc_table_cellf(table, "%" PRIu32, row->pid);
        return;
    case CELL_PRIVATE:
        put_figure(table, row, OC_TOP_PRIVATE, 1);
        return;
    case CELL_CHANGE:
        put_change(table, row);
        return;
    case CELL_TTL:
        put_ttl(table, row);
        return;
    case CELL_RSS:
        put_figure(table, row, OC_TOP_RSS, 1);
        return;
    case CELL_SWAP:
        put_figure(table, row, OC_TOP_SWAP, 1);
        return;
    case CELL_VIRTUAL:
        put_figure(table, row, OC_TOP_VIRTUAL, 1);
        return;
    case CELL_THREADS:
        put_figure(table, row, OC_TOP_THREADS, 0);
        return;
    case CELL_FDS:
        put_figure(table, row, OC_TOP_FDS, 0);
        return;
    case CELL_CPU:
        if (row->cpu_ratio < 0)
            oc_table_cell(table, NULL);
        else
            oc_table_cellf(table, "%.1f %%", row->cpu_ratio * 100);
        return;
    case CELL_PAST:
        put_past(table, row, utf8);
        return;
    case CELL_COUNT:
        return;
    }
}

/* ---- head and foot ---- */

static void put_line(const struct oc_top_view *view, const struct oc_buf *line, struct oc_buf *out)
{
    const char *text = line->data ? line->data : "";

    if (view->width > 0 && oc_text_columns(text) > (size_t)view->width)
        oc_value_cut(text, (size_t)view->width, view->utf8, out);
    else
        oc_buf_puts(out, text);
}

static void put_summary(const struct oc_top *top, const struct oc_top_view *view,
                        struct oc_buf *line)
{
    char text[40];
    int64_t age_ms = view->now_unix_ms - top->newest_unix_ms;

    oc_buf_printf(line, "oomcast  %s  ",
                  oc_timespec_short(view->now_unix_ms, view->now_unix_ms, text, sizeof(text)));
    if (top->about == OC_TOP_CGROUPS)
        oc_buf_printf(line, "%zu cgroup%s", top->source_count, top->source_count == 1 ? "" : "s");
    else
        oc_buf_printf(line, "%zu process%s of %zu subject%s", top->source_count,
                      top->source_count == 1 ? "" : "es", top->subject_count,
                      top->subject_count == 1 ? "" : "s");
    if (view->paused)
        oc_buf_puts(line, "  PAUSED");
    if (top->newest_unix_ms == 0)
        oc_buf_puts(line, "  no sample yet");
    else if (age_ms > OLD_MS)
        oc_buf_printf(line, "  NOTHING NEW for %s: does oomcastd run?",
                      oc_value_span(age_ms, text, sizeof(text)));
    oc_buf_puts(line, "  ");
    oc_buf_escaped(line, view->store);
}

static void put_host(const struct oc_top *top, struct oc_buf *line)
{
    const struct oc_sample *host = &top->host.sample;
    char text[40];

    if (oc_sample_has(host, OC_METRIC_HOST_AVAILABLE) &&
        oc_sample_has(host, OC_METRIC_HOST_TOTAL)) {
        int64_t total = oc_sample_get(host, OC_METRIC_HOST_TOTAL);
        int64_t available = oc_sample_get(host, OC_METRIC_HOST_AVAILABLE);

        oc_buf_printf(line, "host  %s available",
                      oc_value_text(available, OC_UNIT_BYTES, text, sizeof(text)));
        oc_buf_printf(line, " of %s (%.0f %%)",
                      oc_value_text(total, OC_UNIT_BYTES, text, sizeof(text)),
                      total > 0 ? 100.0 * (double)available / (double)total : 0.0);
    }
    if (oc_sample_has(host, OC_METRIC_HOST_SWAP_TOTAL) &&
        oc_sample_has(host, OC_METRIC_HOST_SWAP_FREE)) {
        int64_t swap = oc_sample_get(host, OC_METRIC_HOST_SWAP_TOTAL);
        int64_t used = swap - oc_sample_get(host, OC_METRIC_HOST_SWAP_FREE);

        if (swap > 0) {
            oc_buf_printf(line, "  swap %s used",
                          oc_value_text(used, OC_UNIT_BYTES, text, sizeof(text)));
            oc_buf_printf(line, " of %s", oc_value_text(swap, OC_UNIT_BYTES, text, sizeof(text)));
        } else {
            oc_buf_puts(line, "  no swap");
        }
    }
    if (oc_sample_has(host, OC_METRIC_HOST_OOM_KILLS))
        oc_buf_printf(line, "  OOM kills since boot %" PRId64,
                      oc_sample_get(host, OC_METRIC_HOST_OOM_KILLS));
}

static void put_head(const struct oc_top *top, const struct oc_top_view *view, struct oc_buf *out)
{
    struct oc_buf line;

    oc_buf_init(&line, 4096);
    put_summary(top, view, &line);
    put_line(view, &line, out);
    oc_buf_putc(out, '\n');
    oc_buf_reset(&line);
    put_host(top, &line);
    put_line(view, &line, out);
    oc_buf_puts(out, "\n\n");
    oc_buf_clear(&line);
}

static void put_foot(const struct oc_top *top, const struct oc_top_view *view, struct oc_buf *out)
{
    struct oc_buf line;
    char span[32];
    size_t fit = oc_top_view_rows(view);

    oc_buf_init(&line, 1024);
    oc_buf_printf(&line, "by %s%s  change and past of %s", oc_top_sort_words[view->sort],
                  view->reverse ? " (reversed)" : "",
                  oc_value_span(view->span_ms, span, sizeof(span)));
    if (top->row_count > fit)
        oc_buf_printf(&line, "  rows %zu-%zu of %zu", view->first_row + 1,
                      view->first_row + fit < top->row_count ? view->first_row + fit
                                                             : top->row_count,
                      top->row_count);
    oc_buf_puts(&line, "  ? keys  q quit");
    if (view->color)
        oc_buf_puts(out, "\033[2m");
    put_line(view, &line, out);
    if (view->color)
        oc_buf_puts(out, "\033[0m");
    oc_buf_clear(&line);
}

static void put_help(struct oc_buf *out)
{
    oc_buf_puts(out, "Keys\n\n"
                     "  p c r s v t f u n   sort by private, change, rss, swap, virtual, threads,\n"
                     "                      fds, cpu (u), name\n"
                     "  l                   sort by the time to the limit that is met first\n"
                     "  R                   reverse\n"
                     "  e                   subjects or each process\n"
                     "  g                   processes or cgroups\n"
                     "  space               stand still\n"
                     "  arrows, page up/down, home, end   scroll\n"
                     "  q, Ctrl-C           quit\n\n"
                     "PRIVATE is memory of the process alone, in RAM or swap. CHANGE is what it\n"
                     "gained over the time that PAST shows. TTL is the time to the limit that is\n"
                     "forecast to be met first. '-' is unknown.\n\n"
                     "Any key goes back.");
}

/* ---- the whole ---- */

size_t oc_top_view_rows(const struct oc_top_view *view)
{
    int rows = view->height - HEAD_LINES - FOOT_LINES;

    if (view->height <= 0)
        return SIZE_MAX / 2;
    return (size_t)(rows < LEAST_ROWS ? LEAST_ROWS : rows);
}

static void fill_table(const struct oc_top *top, const struct oc_top_view *view, const int *show,
                       struct oc_table *table)
{
    size_t end = view->first_row + oc_top_view_rows(view);

    for (size_t r = view->first_row; r < end && r < top->row_count; r++) {
        for (int cell = 0; cell < CELL_COUNT; cell++) {
            if (show[cell])
                put_cell(table, &top->rows[r], (enum cell)cell, view->utf8);
        }
    }
}

/* Tries it with these columns. 1: it fits and stands in *out; 0: it is too wide; or a code. */
static int try_rows(const struct oc_top *top, const struct oc_top_view *view, const int *show,
                    int must_fit, struct oc_buf *out)
{
    struct oc_column columns[CELL_COUNT + 1] = { 0 };
    struct oc_table_style style = { view->width, view->color, view->utf8 };
    struct oc_table table;
    size_t count = 0;
    int rc = 0;

    for (int cell = 0; cell < CELL_COUNT; cell++) {
        if (show[cell]) {
            columns[count] = columns_of[cell];
            columns[count++].title = titles[top->about][cell];
        }
    }
    if (top->about == OC_TOP_CGROUPS)
        columns[0].max_columns = 0; /* paths are told apart by their ends */
    else if (view->each)
        columns[0].title = "PROCESS";
    oc_table_init(&table, columns);
    fill_table(top, view, show, &table);
    if (!must_fit || table.err ||
        oc_table_width(&table, LEAST_NAME_COLUMNS) <= (size_t)view->width) {
        rc = oc_table_print(&table, &style, out);
        rc = rc ? rc : 1;
    }
    oc_table_clear(&table);
    return rc;
}

static int put_rows(const struct oc_top *top, const struct oc_top_view *view, struct oc_buf *out)
{
    size_t dropped = 0, droppable = sizeof(dispensable) / sizeof(dispensable[0]);
    int show[CELL_COUNT];
    int rc;

    for (int cell = 0; cell < CELL_COUNT; cell++)
        show[cell] = !says_nothing(top, (enum cell)cell);
    do {
        rc = try_rows(top, view, show, view->width > 0 && dropped < droppable, out);
        if (rc == 0)
            show[dispensable[dropped++]] = 0;
    } while (rc == 0);
    return rc < 0 ? rc : OC_OK;
}

/* Down to the last line, so that the foot stands there. */
static void pad(const struct oc_top *top, const struct oc_top_view *view, struct oc_buf *out)
{
    size_t fit = oc_top_view_rows(view);
    size_t used = top->row_count > view->first_row ? top->row_count - view->first_row : 0;

    for (; used < fit; used++)
        oc_buf_putc(out, '\n');
}

int oc_top_draw(const struct oc_top *top, const struct oc_top_view *view, struct oc_buf *out)
{
    int rc;

    if (view->help) {
        put_help(out);
        return out->err;
    }
    put_head(top, view, out);
    rc = put_rows(top, view, out);
    if (rc)
        return rc;
    if (view->height > 0) {
        pad(top, view, out);
        put_foot(top, view, out);
    }
    return out->err;
}
