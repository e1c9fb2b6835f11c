#include "cli/commands/config_view.h"

#include "base/alloc.h"
#include "base/text.h"
#include "cli/show/json.h"
#include "cli/show/table.h"
#include "cli/show/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_MATCHES 10
#define SHOWN_OTHERS 5
#define JSON_OTHERS 1000
#define WHY_BYTES 320

static const struct oc_column columns[] = {
    { "PID", OC_ALIGN_RIGHT, 0, 0 },
    { "NAME", OC_ALIGN_LEFT, 20, 0 },
    { "RSS", OC_ALIGN_RIGHT, 0, OC_GOES(1) },
    { "SUBJECT", OC_ALIGN_LEFT, 0, OC_SHRINKS },
    { 0 },
};

/* ---- people ---- */

static void put_title(struct oc_cli *cli, const char *name, const struct oc_target *target)
{
    oc_buf_puts(&cli->out, cli->color ? "\n\033[1m" : "\n");
    oc_buf_escaped(&cli->out, name);
    oc_buf_puts(&cli->out, cli->color ? "\033[0m" : "");
    if (target) {
        oc_buf_puts(&cli->out, " (");
        oc_buf_escaped(&cli->out, target->file);
        oc_buf_printf(&cli->out, ":%" PRIu32 ")", target->line);
    }
}

static void put_mark(struct oc_cli *cli, const char *text)
{
    oc_buf_puts(&cli->out, cli->color ? "  \033[33m! " : "  ! ");
    oc_buf_escaped(&cli->out, text);
    oc_buf_puts(&cli->out, cli->color ? "\033[0m\n" : "\n");
}

static const char *plural(size_t count) { return count == 1 ? "" : "es"; }

static void put_count(struct oc_cli *cli, const struct oc_coverage *coverage, uint32_t index,
                      const struct oc_target *target)
{
    size_t count = oc_coverage_of(coverage, index), folded = 0;

    for (size_t i = 0; i < coverage->count; i++)
        folded += coverage->items[i].target == index && coverage->items[i].is_folded;
    oc_buf_printf(&cli->out, ": %zu process%s", count, plural(count));
    if (folded > 0)
        oc_buf_printf(&cli->out, ", and %zu below them", folded);
    if (target && target->ignore)
        oc_buf_puts(&cli->out, ", ignored");
    else if (target && target->source == OC_TARGET_CGROUP)
        oc_buf_puts(&cli->out, "; their cgroups are watched");
    oc_buf_putc(&cli->out, '\n');
}

static void put_rows(struct oc_cli *cli, const struct oc_coverage *coverage, uint32_t index)
{
    struct oc_table_style style = { cli->is_tty ? cli->width - 2 : 0, cli->color, cli->utf8 };
    size_t max = oc_cli_has(cli, "all") ? SIZE_MAX : SHOWN_MATCHES, count = 0;
    struct oc_table table;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < coverage->count; i++) {
        const struct oc_covered *process = &coverage->items[i];

        if (process->target != index || process->is_folded || count++ >= max)
            continue;
        oc_table_cellf(&table, "%" PRIu32, process->pid);
        oc_table_cell(&table, process->name);
        oc_table_bytes(&table, (int64_t)process->rss_bytes);
        oc_table_cell(&table, process->subject);
    }
    if (count > 0)
        (void)oc_table_print(&table, &style, &cli->out);
    if (count > max)
        oc_buf_printf(&cli->out, "  and %zu more; --all lists them\n", count - max);
    oc_table_clear(&table);
}

static void put_others(struct oc_cli *cli, const struct oc_coverage *coverage, uint32_t index)
{
    size_t max = oc_cli_has(cli, "all") ? SIZE_MAX : SHOWN_OTHERS, count = 0;
    size_t *others = NULL;
    char why[WHY_BYTES];

    if (oc_coverage_namesakes(coverage, index, &others, &count) < 0)
        return;
    if (count > 0)
        oc_buf_puts(&cli->out, "  Others of the name that it does not have:\n");
    for (size_t i = 0; i < count && i < max; i++) {
        const struct oc_covered *process = &coverage->items[others[i]];

        oc_coverage_why(coverage, index, process, why, sizeof(why));
        oc_buf_printf(&cli->out, "    %" PRIu32 " ", process->pid);
        oc_buf_escaped(&cli->out, process->name);
        oc_buf_puts(&cli->out, ": ");
        oc_buf_escaped(&cli->out, why);
        oc_buf_putc(&cli->out, '\n');
    }
    if (count > max)
        oc_buf_printf(&cli->out, "    and %zu more\n", count - max);
    oc_free(others);
}

static void put_target(struct oc_cli *cli, const struct oc_coverage *coverage, uint32_t index)
{
    const struct oc_target *target = &coverage->config->targets.items[index];
    char oddity[WHY_BYTES];

    put_title(cli, target->name, target);
    if (target->source == OC_TARGET_HOST) {
        oc_buf_puts(&cli->out, ": the host\n");
        return;
    }
    put_count(cli, coverage, index, target);
    oc_coverage_oddity(coverage, index, oddity, sizeof(oddity));
    if (oddity[0])
        put_mark(cli, oddity);
    put_rows(cli, coverage, index);
    put_others(cli, coverage, index);
}

static void put_files(struct oc_cli *cli, const struct oc_coverage *coverage)
{
    const struct oc_config *config = coverage->config;
    size_t files = oc_config_file_count(config), unsure = 0;

    for (size_t i = 0; i < files; i++) {
        oc_buf_escaped(&cli->out, oc_config_file(config, i));
        oc_buf_puts(&cli->out, ": no mistakes\n");
    }
    if (files == 0)
        oc_buf_puts(&cli->out, "No value is set: all are defaults\n");
    for (size_t i = 0; i < coverage->count; i++)
        unsure += coverage->items[i].is_unsure;
    if (unsure > 0)
        oc_buf_printf(&cli->out,
                      "%zu of %zu processes could not be looked at in full: run this as root, or "
                      "as oomcastd's user\n",
                      unsure, coverage->count);
}

static void put_warning(const struct oc_config_warning *warning, void *context)
{
    char text[sizeof(warning->text) + 300];

    (void)snprintf(text, sizeof(text), "%.200s:%" PRIu32 ": %s", warning->file, warning->line,
                   warning->text);
    put_mark(context, text);
}

void oc_config_view_check(struct oc_cli *cli, const struct oc_coverage *coverage)
{
    const struct oc_config *config = coverage->config;
    char size[32], title[80];

    put_files(cli, coverage);
    (void)oc_config_warnings(config, put_warning, cli);
    for (uint32_t i = 0; i < config->targets.count; i++)
        put_target(cli, coverage, i);
    if (config->targets.count > 0)
        return;
    (void)snprintf(title, sizeof(title), "No targets, so every process from %s (min_size)",
                   oc_text_bytes((int64_t)config->min_size_bytes, size, sizeof(size)));
    put_title(cli, title, NULL);
    put_count(cli, coverage, 0, NULL);
    put_rows(cli, coverage, 0);
}

/* ---- programs ---- */

static void json_processes(struct oc_json *json, const struct oc_coverage *coverage, uint32_t index)
{
    oc_json_key(json, "processes");
    oc_json_array(json);
    for (size_t i = 0; i < coverage->count; i++) {
        const struct oc_covered *process = &coverage->items[i];

        if (process->target != index)
            continue;
        oc_json_object(json);
        oc_json_put_u64(json, "pid", process->pid);
        oc_json_put_str(json, "name", process->name);
        oc_json_put_u64(json, "rss_bytes", process->rss_bytes);
        oc_json_put_str(json, "subject", process->subject);
        if (process->is_folded)
            oc_json_put_bool(json, "folded", 1);
        oc_json_object_end(json);
    }
    oc_json_array_end(json);
}

/* Each is looked at again: so many, unless all are asked for. */
static void json_others(struct oc_cli *cli, struct oc_json *json,
                        const struct oc_coverage *coverage, uint32_t index)
{
    size_t max = oc_cli_has(cli, "all") ? SIZE_MAX : JSON_OTHERS, count = 0;
    size_t *others = NULL;
    char why[WHY_BYTES];

    if (oc_coverage_namesakes(coverage, index, &others, &count) < 0)
        return;
    oc_json_put_u64(json, "other_count", count);
    oc_json_key(json, "others");
    oc_json_array(json);
    for (size_t i = 0; i < count && i < max; i++) {
        const struct oc_covered *process = &coverage->items[others[i]];

        oc_coverage_why(coverage, index, process, why, sizeof(why));
        oc_json_object(json);
        oc_json_put_u64(json, "pid", process->pid);
        oc_json_put_str(json, "name", process->name);
        oc_json_put_str(json, "why", why);
        oc_json_object_end(json);
    }
    oc_json_array_end(json);
    oc_free(others);
}

static void json_target(struct oc_cli *cli, struct oc_json *json,
                        const struct oc_coverage *coverage, uint32_t index)
{
    static const char *const sources[] = { "process", "cgroup", "host" };
    const struct oc_target *target = &coverage->config->targets.items[index];
    char oddity[WHY_BYTES];

    oc_json_object(json);
    oc_json_put_str(json, "target", target->name);
    oc_json_put_str(json, "file", target->file);
    oc_json_put_u64(json, "line", target->line);
    oc_json_put_str(json, "source", sources[target->source]);
    oc_json_put_bool(json, "ignore", target->ignore);
    oc_coverage_oddity(coverage, index, oddity, sizeof(oddity));
    if (oddity[0])
        oc_json_put_str(json, "oddity", oddity);
    json_processes(json, coverage, index);
    json_others(cli, json, coverage, index);
    oc_json_object_end(json);
}

static void json_files(struct oc_json *json, const struct oc_config *config)
{
    oc_json_key(json, "files");
    oc_json_array(json);
    for (size_t i = 0; i < oc_config_file_count(config); i++)
        oc_json_str(json, oc_config_file(config, i));
    oc_json_array_end(json);
}

static void json_warning(const struct oc_config_warning *warning, void *context)
{
    struct oc_json *json = context;

    oc_json_object(json);
    oc_json_put_str(json, "file", warning->file);
    oc_json_put_u64(json, "line", warning->line);
    oc_json_put_str(json, "text", warning->text);
    oc_json_object_end(json);
}

void oc_config_view_check_json(struct oc_cli *cli, const struct oc_coverage *coverage)
{
    const struct oc_config *config = coverage->config;
    struct oc_json json;

    oc_json_init(&json, &cli->out);
    oc_json_object(&json);
    oc_json_put_bool(&json, "ok", 1);
    json_files(&json, config);
    oc_json_key(&json, "warnings");
    oc_json_array(&json);
    (void)oc_config_warnings(config, json_warning, &json);
    oc_json_array_end(&json);
    oc_json_put_u64(&json, "process_count", coverage->count);
    if (config->targets.count == 0) {
        oc_json_put_u64(&json, "min_size_bytes", config->min_size_bytes);
        json_processes(&json, coverage, 0);
    }
    oc_json_key(&json, "targets");
    oc_json_array(&json);
    for (uint32_t i = 0; i < config->targets.count; i++)
        json_target(cli, &json, coverage, i);
    oc_json_array_end(&json);
    oc_json_object_end(&json);
    oc_buf_putc(&cli->out, '\n');
}

static void json_option(struct oc_cli *cli, const struct oc_config *config,
                        const struct oc_option *option)
{
    const char *file = NULL;
    uint32_t line = 0;

    oc_config_origin(config, option, &file, &line);
    oc_buf_printf(&cli->out, "\"%s\":{\"value\":", option->key);
    if (option->type == OC_OPTION_LABELS)
        oc_config_write_labels(config, &config->labels, &cli->out);
    else
        oc_config_write_value(config, option, &cli->out);
    if (file) {
        oc_buf_puts(&cli->out, ",\"file\":");
        oc_buf_json_string(&cli->out, file);
        oc_buf_printf(&cli->out, ",\"line\":%" PRIu32, line);
    }
    oc_buf_puts(&cli->out, "},");
}

/* "rules": [{"value": {…}, "file": …, "line": …}, …], */
static void json_section(struct oc_cli *cli, const struct oc_config *config,
                         const struct oc_option *option)
{
    size_t count = oc_config_section_count(config, option);

    oc_buf_printf(&cli->out, "\"%s\":[", option->key);
    for (size_t i = 0; i < count; i++) {
        const char *file = NULL;
        uint32_t line = 0;

        oc_buf_puts(&cli->out, i > 0 ? ",{\"value\":" : "{\"value\":");
        oc_config_write_section_item(config, option, i, &cli->out, &file, &line);
        if (file) {
            oc_buf_puts(&cli->out, ",\"file\":");
            oc_buf_json_string(&cli->out, file);
            oc_buf_printf(&cli->out, ",\"line\":%" PRIu32, line);
        }
        oc_buf_putc(&cli->out, '}');
    }
    oc_buf_puts(&cli->out, "],");
}

void oc_config_view_show_json(struct oc_cli *cli, const struct oc_config *config)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);

    oc_buf_putc(&cli->out, '{');
    for (size_t i = 0; i < count; i++) {
        if (options[i].type == OC_OPTION_SECTION)
            json_section(cli, config, &options[i]);
        else if (options[i].type != OC_OPTION_TARGETS)
            json_option(cli, config, &options[i]);
    }
    oc_buf_puts(&cli->out, "\"targets\":[");
    for (size_t i = 0; i < config->targets.count; i++) {
        const struct oc_target *target = &config->targets.items[i];

        oc_buf_puts(&cli->out, i > 0 ? ",{\"value\":" : "{\"value\":");
        oc_config_write_target(config, target, &cli->out);
        oc_buf_puts(&cli->out, ",\"file\":");
        oc_buf_json_string(&cli->out, target->file);
        oc_buf_printf(&cli->out, ",\"line\":%" PRIu32 "}", target->line);
    }
    oc_buf_puts(&cli->out, "]}\n");
}
