/* The table of shares. */
#include "explain/parts.h"
#include "explain/shape.h"

#include "base/text.h"

#include <string.h>

#define OPEN_PART 0.2 /* unexplained: more than what came since the last walk */
#define COUNT_COLUMNS 10
#define NUMBER_COLUMNS 12
#define PART_COLUMNS 8

static int is_inner(const struct oc_share *share) { return share->kind == OC_SHARE_FAMILY; }

/* A line of the table: the name is cut, the figures stand one below the other. */
static void put_share(struct oc_explain_page *page, const struct oc_share *share, unsigned unit)
{
    const unsigned figures = NUMBER_COLUMNS + PART_COLUMNS + COUNT_COLUMNS + 3;
    const unsigned room = page->columns > figures + 20 ? page->columns - figures : 20;
    struct oc_buf name;
    char number[40] = "", part[24], count[40] = "";
    size_t columns;

    oc_buf_init(&name, 1024);
    oc_buf_puts(&name, is_inner(share) ? "  " : "");
    oc_buf_escaped(&name, share->name);
    if (share->bytes && unit == OC_UNIT_BYTES)
        (void)oc_explain_signed(share->bytes, OC_UNIT_BYTES, number, sizeof(number));
    if (share->count)
        (void)oc_explain_signed(share->count, OC_UNIT_COUNT, count, sizeof(count));
    (void)oc_explain_percent(share->part, part, sizeof(part));
    oc_explain_say(part, sizeof(part), "%s", share->is_estimate ? " ~" : "  ");
    columns = oc_text_columns(name.data ? name.data : "");
    if (columns > room) { /* a long name has a line of its own */
        oc_explain_page_put(page, is_inner(share) ? "  " : "", share->name, 2);
        oc_buf_reset(&name);
        columns = 0;
    }
    if (!oc_explain_page_is_full(page)) {
        oc_buf_puts(page->out, name.data ? name.data : "");
        oc_buf_spaces(page->out, room - columns);
        oc_buf_printf(page->out, "%*s %*s", NUMBER_COLUMNS, number, PART_COLUMNS, part);
        if (count[0])
            oc_buf_printf(page->out, " %*s", COUNT_COLUMNS, count);
        while (page->out->len_bytes > 0 && page->out->data[page->out->len_bytes - 1] == ' ')
            page->out->len_bytes--;
        oc_buf_putc(page->out, '\n');
        page->used++;
    }
    oc_buf_clear(&name);
}

void oc_explain_put_shares(struct oc_explain_page *page, const struct oc_explanation *explanation)
{
    const unsigned figures = NUMBER_COLUMNS + PART_COLUMNS + COUNT_COLUMNS + 3;
    const unsigned room = page->columns > figures + 20 ? page->columns - figures : 20;
    const struct oc_metric_row *row = oc_metric_by_number(explanation->metric);
    const unsigned unit = row ? row->unit : OC_UNIT_BYTES;
    int has_estimate = 0, has_private = 0, is_open = 0;
    char explained[16];

    if (explanation->share_count == 0)
        return;
    oc_explain_page_blank(page);
    oc_buf_puts(page->out, "WHAT");
    oc_buf_spaces(page->out, room - 4);
    oc_buf_printf(page->out, "%*s %*s %*s\n", NUMBER_COLUMNS, "GREW BY", PART_COLUMNS, "SHARE  ",
                  COUNT_COLUMNS, "COUNT");
    for (size_t i = 0; i < explanation->share_count; i++) {
        const struct oc_share *share = &explanation->shares[i];

        put_share(page, share, unit);
        has_estimate |= share->is_estimate;
        is_open |= share->kind == OC_SHARE_UNEXPLAINED && share->part >= OPEN_PART;
        has_private |= share->kind == OC_SHARE_USAGE &&
                       strcmp(share->name, oc_usage_name(OC_USAGE_PRIVATE)) == 0;
    }
    oc_explain_page_putf(
        page, "", 2, "explained: %s%s",
        oc_explain_percent(explanation->explained_part, explained, sizeof(explained)),
        has_private ? " (Private is memory of no known use: it counts as unexplained)" : "");
    if (has_estimate)
        oc_explain_page_put(
            page, "",
            "~ told from address space, cut to what came in RAM: pages were not looked at", 2);
    if (has_estimate && is_open)
        oc_explain_page_put(
            page, "",
            "what is unexplained may be space that was there before and was touched "
            "since: 'oomcast explain PID --for 2m --resident' looks at pages",
            3);
}
