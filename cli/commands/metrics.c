/* The table of metrics, as the reference for people and programs. docs/metrics.md is its --markdown. */
#include "cli/commands/metrics.h"
#include "cli/cli.h"
#include "cli/show/json.h"
#include "cli/show/table.h"

#include "base/metric.h"

#include <string.h>

static const char *kind_name(const struct oc_metric_row *row)
{
    return row->kind == OC_KIND_COUNTER ? "counter" : "gauge";
}

static const char *rung_text(const struct oc_metric_row *row)
{
    switch ((enum oc_rung)row->rung) {
    case OC_RUNG_TICK:
        return "each tick";
    case OC_RUNG_WALK:
        return "at walks";
    case OC_RUNG_PAGES:
        return "only where asked for";
    }
    return "";
}

typedef void row_fn(const struct oc_metric_row *row, void *context);

/* Rows of a block in the order of their numbers. */
static void each_row(enum oc_block block, row_fn *fn, void *context)
{
    for (unsigned bit = 0; bit < OC_BLOCK_METRICS; bit++) {
        const struct oc_metric_row *row = oc_metric_by_number(OC_METRIC_NUMBER(block, bit));

        if (row)
            fn(row, context);
    }
}

/* ---- markdown ---- */

static void markdown_cell(struct oc_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            oc_buf_putc(out, '\\');
        oc_buf_putc(out, *text);
    }
}

static void markdown_row(const struct oc_metric_row *row, void *context)
{
    struct oc_buf *out = context;

    oc_buf_printf(out, "| %u | `%s` | %s | %s | ", row->number, row->name, kind_name(row),
                  rung_text(row));
    markdown_cell(out, row->text);
    oc_buf_puts(out, " | ");
    markdown_cell(out, row->linux_source ? row->linux_source : "–");
    oc_buf_puts(out, " | ");
    markdown_cell(out, row->windows_source ? row->windows_source : "–");
    oc_buf_puts(out, " |\n");
}

void oc_metrics_markdown(struct oc_buf *out)
{
    static const char *const titles[OC_BLOCK_COUNT] = { "Of a process", "Of a cgroup",
                                                        "Of the host", "Of oomcastd itself" };

    oc_buf_puts(out,
                "# Metrics\n\n"
                "Made from the table in `base/metric.c` by `oomcast metrics --markdown`; a test "
                "holds them equal.\n\n"
                "The number stands in stored chunks and is never given to another metric. The name "
                "is the one in SQL, JSON, CSV and on the command line, where its unit may be left "
                "out (`rss` for `rss_bytes`). A gauge goes up and down; a counter only grows "
                "within one life. What could not be read is unknown (SQL NULL, no JSON key), never "
                "0.\n");
    for (int block = 0; block < OC_BLOCK_COUNT; block++) {
        oc_buf_printf(out, "\n## %s\n\n", titles[block]);
        oc_buf_puts(out, "| number | name | kind | read | what it is | Linux | Windows |\n"
                         "|---:|---|---|---|---|---|---|\n");
        each_row((enum oc_block)block, markdown_row, out);
    }
}

/* ---- table and JSON ---- */

static void table_row(const struct oc_metric_row *row, void *context)
{
    struct oc_table *table = context;

    oc_table_cell(table, row->name);
    oc_table_cell(table, kind_name(row));
    oc_table_cell(table, rung_text(row));
    oc_table_cell(table, row->text);
}

static int print_table(struct oc_cli *cli)
{
    static const struct oc_column columns[] = { { "METRIC", OC_ALIGN_LEFT, 0, 0 },
                                                { "KIND", OC_ALIGN_LEFT, 0, 0 },
                                                { "READ", OC_ALIGN_LEFT, 0, 0 },
                                                { "WHAT IT IS", OC_ALIGN_LEFT, 0, OC_SHRINKS },
                                                { 0 } };
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    int rc = OC_OK;

    for (int block = 0; block < OC_BLOCK_COUNT && !rc; block++) {
        struct oc_table table;

        oc_buf_printf(&cli->out, "%s%s\n", block ? "\n" : "", oc_block_name((enum oc_block)block));
        oc_table_init(&table, columns);
        each_row((enum oc_block)block, table_row, &table);
        rc = oc_table_print(&table, &style, &cli->out);
        oc_table_clear(&table);
    }
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

static void json_row(const struct oc_metric_row *row, void *context)
{
    struct oc_json *json = context;

    oc_json_object(json);
    oc_json_put_u64(json, "number", row->number);
    oc_json_put_str(json, "name", row->name);
    oc_json_put_str(json, "of", oc_block_name((enum oc_block)OC_METRIC_BLOCK(row->number)));
    oc_json_put_str(json, "unit", oc_unit_name((enum oc_unit)row->unit));
    oc_json_put_str(json, "kind", kind_name(row));
    oc_json_put_str(json, "read", rung_text(row));
    oc_json_put_str(json, "text", row->text);
    if (row->linux_source)
        oc_json_put_str(json, "linux_source", row->linux_source);
    if (row->windows_source)
        oc_json_put_str(json, "windows_source", row->windows_source);
    oc_json_object_end(json);
}

static void print_json(struct oc_cli *cli)
{
    struct oc_json json;

    oc_json_init(&json, &cli->out);
    oc_json_array(&json);
    for (int block = 0; block < OC_BLOCK_COUNT; block++)
        each_row((enum oc_block)block, json_row, &json);
    oc_json_array_end(&json);
    oc_buf_putc(&cli->out, '\n');
}

/* One metric in full. */
static int print_one(struct oc_cli *cli, const char *name)
{
    struct oc_detail detail = { 0 };
    const struct oc_metric_row *row;
    unsigned number;

    if (oc_cli_metric(name, &number, &detail))
        return oc_cli_usage(cli, "%s", detail.text);
    row = oc_metric_by_number(number);
    oc_buf_printf(&cli->out, "%s (number %u, a %s, of a %s, read %s)\n\n%s\n\n", row->name,
                  row->number, kind_name(row),
                  oc_block_name((enum oc_block)OC_METRIC_BLOCK(number)), rung_text(row), row->text);
    oc_buf_printf(&cli->out, "Linux:   %s\nWindows: %s\n",
                  row->linux_source ? row->linux_source : "unknown there",
                  row->windows_source ? row->windows_source : "unknown there");
    return OC_EXIT_OK;
}

static int run_metrics(struct oc_cli *cli)
{
    if (oc_cli_has(cli, "markdown")) {
        oc_metrics_markdown(&cli->out);
        return OC_EXIT_OK;
    }
    if (cli->format == OC_FORMAT_JSON) {
        print_json(cli);
        return OC_EXIT_OK;
    }
    return cli->arg_count > 0 ? print_one(cli, cli->args[0]) : print_table(cli);
}

static const struct oc_cli_option metrics_options[] = {
    { "markdown", 0, OC_CLI_FLAG, NULL, "the reference page docs/metrics.md", NULL },
    { 0 },
};

static const struct oc_cli_example metrics_examples[] = {
    { "oomcast metrics", "every figure that can be asked for" },
    { "oomcast metrics private", "one of them in full: what it is and where it comes from" },
    { 0 },
};

const struct oc_cli_command oc_cmd_metrics = {
    .name = "metrics",
    .summary = "the figures there are: names, units, sources",
    .usage = "[OPTION]... [METRIC]",
    .common = OC_CLI_HAS_JSON,
    .options = metrics_options,
    .examples = metrics_examples,
    .max_args = 1,
    .run = run_metrics,
};
