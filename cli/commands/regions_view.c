#include "cli/commands/regions_view.h"

#include "cli/show/table.h"
#include "cli/show/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FREE_NUMBER 0 /* of usages, types and states alike */
#define NAME_AT 58    /* columns before the name in a list */
#define LEAST_NAME_COLUMNS 8

_Static_assert(FREE_NUMBER == OC_USAGE_FREE && FREE_NUMBER == OC_REGION_NONE &&
                   FREE_NUMBER == OC_REGION_FREE,
               "free regions come last in each table");

enum { COLUMN_TOTAL = 4, COLUMN_RESIDENT = 7 };

static void ratio_cell(struct oc_table *table, uint64_t part, uint64_t whole)
{
    if (whole == 0)
        oc_table_cell(table, NULL);
    else
        oc_table_cellf(table, "%.1f", 100.0 * (double)part / (double)whole);
}

static void bytes_cell(struct oc_table *table, uint64_t bytes)
{
    if (bytes > INT64_MAX)
        oc_table_cell(table, NULL);
    else
        oc_table_bytes(table, (int64_t)bytes);
}

/* Free space of 64 bits is 128 TiB: shares of it would be noughts, so they are of what is mapped. */
static void sum_row(struct oc_table *table, const struct oc_regions *regions, const char *name,
                    const struct oc_region_sum *sum, int is_free)
{
    oc_table_cell(table, name);
    oc_table_cellf(table, "%" PRIu64, sum->count);
    bytes_cell(table, sum->bytes);
    ratio_cell(table, sum->bytes, is_free ? 0 : regions->busy_bytes);
    ratio_cell(table, sum->bytes, regions->total_bytes);
    if (is_free)
        oc_table_cell(table, NULL);
    else
        bytes_cell(table, sum->commit_bytes);
    ratio_cell(table, sum->commit_bytes, is_free ? 0 : regions->commit_bytes);
    bytes_cell(table, is_free ? OC_RESIDENT_UNKNOWN : sum->resident_bytes);
    bytes_cell(table, sum->largest_bytes);
}

/* A blank line and a head in the middle of a table. */
static void section(struct oc_table *table, const char *title)
{
    for (int line = 0; line < 2; line++) {
        oc_table_cell(table, line == 0 ? " " : title);
        for (size_t c = 1; c < table->column_count; c++)
            oc_table_cell(table, " ");
    }
}

typedef const char *name_fn(unsigned number);

static const char *type_name(unsigned type)
{
    return type == OC_REGION_NONE ? "(free)" : oc_region_type_name(type);
}

static void sum_rows(struct oc_table *table, const struct oc_regions *regions,
                     const struct oc_region_sum *sums, size_t count, name_fn *name)
{
    unsigned order[OC_USAGE_COUNT];
    size_t rows = oc_regions_order(sums, count, FREE_NUMBER, order);

    for (size_t i = 0; i < rows; i++)
        sum_row(table, regions, name(order[i]), &sums[order[i]], order[i] == FREE_NUMBER);
}

int oc_regions_tables(struct oc_cli *cli, const struct oc_regions *regions)
{
    static const struct oc_column columns[] = {
        { "USAGE", OC_ALIGN_LEFT, 0, 0 },
        { "COUNT", OC_ALIGN_RIGHT, 0, 0 },
        { "SIZE", OC_ALIGN_RIGHT, 0, 0 },
        { "%BUSY", OC_ALIGN_RIGHT, 0, OC_GOES(3) },
        { "%TOTAL", OC_ALIGN_RIGHT, 0, OC_GOES(1) },
        { "COMMITTED", OC_ALIGN_RIGHT, 0, 0 },
        { "%COMMIT", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
        { "IN RAM", OC_ALIGN_RIGHT, 0, 0 },
        { "LARGEST", OC_ALIGN_RIGHT, 0, OC_GOES(4) },
        { 0 },
    };
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    sum_rows(&table, regions, regions->usages, OC_USAGE_COUNT, oc_usage_name);
    section(&table, "TYPE");
    sum_rows(&table, regions, regions->types, OC_REGION_TYPES, type_name);
    section(&table, "STATE");
    sum_rows(&table, regions, regions->states, OC_REGION_STATES, oc_region_state_name);
    if (!regions->is_32bit)
        oc_table_hide(&table, COLUMN_TOTAL);
    if (!regions->has_resident)
        oc_table_hide(&table, COLUMN_RESIDENT);
    rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    return rc;
}

void oc_regions_notes(struct oc_cli *cli, const struct oc_regions *regions)
{
    char text[32];

    if (regions->largest_free_bytes > 0)
        oc_buf_printf(
            &cli->out, "Largest free block: %s at %012" PRIx64 "\n",
            oc_value_text((int64_t)regions->largest_free_bytes, OC_UNIT_BYTES, text, sizeof(text)),
            regions->largest_free_start);
    if (regions->arenas > 0)
        oc_buf_printf(&cli->out, "malloc arenas beside the main one: %" PRIu64 "\n",
                      regions->arenas);
    if (regions->unexplained_bytes > 0)
        oc_buf_printf(
            &cli->out,
            "Unexplained: %s, %.1f %% of what is committed, is Private: large malloc\n"
            "blocks, memory that a program maps by itself, a runtime that is not known.\n",
            oc_value_text((int64_t)regions->unexplained_bytes, OC_UNIT_BYTES, text, sizeof(text)),
            regions->commit_bytes
                ? 100.0 * (double)regions->unexplained_bytes / (double)regions->commit_bytes
                : 0.0);
}

/* ---- a list ---- */

const char *oc_regions_protection(unsigned protect, char out[5])
{
    out[0] = protect & OC_PROTECT_READ ? 'r' : '-';
    out[1] = protect & OC_PROTECT_WRITE ? 'w' : '-';
    out[2] = protect & OC_PROTECT_EXECUTE ? 'x' : '-';
    out[3] = protect & OC_PROTECT_SHARED ? 's' : 'p';
    out[4] = '\0';
    return out;
}

/* "MEM_COMMIT" is "commit" here: the prefix is worth no column. */
static const char *short_word(unsigned state)
{
    static const char *const words[OC_REGION_STATES] = { "free", "commit", "reserve" };

    return state < OC_REGION_STATES ? words[state] : "?";
}

static const char *short_type(unsigned type)
{
    static const char *const words[OC_REGION_TYPES] = { "", "image", "mapped", "private" };

    return type < OC_REGION_TYPES ? words[type] : "?";
}

void oc_regions_list_head(struct oc_cli *cli, int has_resident)
{
    oc_buf_puts(&cli->out, cli->color ? "\033[1m" : "");
    oc_buf_printf(&cli->out, "%-12s %11s %s%-7s %-7s %-4s %-11s NAME", "START", "SIZE",
                  has_resident ? "    IN RAM " : "", "STATE", "TYPE", "PROT", "USAGE");
    oc_buf_puts(&cli->out, cli->color ? "\033[0m\n" : "\n");
}

/* A long path keeps its end: that tells one from the other. */
static void put_name(struct oc_cli *cli, const char *name, size_t at)
{
    struct oc_buf text;
    size_t room = cli->is_tty && (size_t)cli->width > at ? (size_t)cli->width - at : 0;

    oc_buf_init(&text, 16384);
    oc_buf_escaped(&text, name);
    if (text.data)
        oc_value_keep_end(text.data, room >= LEAST_NAME_COLUMNS ? room : 0, cli->utf8, &cli->out);
    oc_buf_clear(&text);
}

void oc_regions_list_line(struct oc_cli *cli, const struct oc_region *region, int has_resident)
{
    int is_free = region->state == OC_REGION_FREE;
    char size[32], resident[32] = "-", protection[5] = "-";
    size_t at = NAME_AT;

    (void)oc_value_bytes((int64_t)region->bytes, size, sizeof(size));
    if (!is_free)
        (void)oc_regions_protection(region->protect, protection);
    oc_buf_printf(&cli->out, "%012" PRIx64 " %11s ", region->start, size);
    if (has_resident) {
        if (!is_free && region->resident_bytes != OC_RESIDENT_UNKNOWN)
            (void)oc_value_bytes((int64_t)region->resident_bytes, resident, sizeof(resident));
        oc_buf_printf(&cli->out, "%10s ", resident);
        at += 11;
    }
    oc_buf_printf(&cli->out, "%-7s %-7s %-4s ", short_word(region->state),
                  is_free ? "" : short_type(region->type), is_free ? "" : protection);
    if (region->name && region->name[0]) {
        oc_buf_printf(&cli->out, "%-11s ", oc_usage_name(region->usage));
        put_name(cli, region->name, at);
    } else {
        oc_buf_puts(&cli->out, oc_usage_name(region->usage));
    }
    oc_buf_putc(&cli->out, '\n');
}

/* ---- JSON ---- */

static void json_sums(struct oc_json *json, const char *key, const char *name_key, name_fn *name,
                      const struct oc_region_sum *sums, size_t count,
                      const struct oc_regions *regions)
{
    unsigned order[OC_USAGE_COUNT];
    size_t rows = oc_regions_order(sums, count, FREE_NUMBER, order);

    oc_json_key(json, key);
    oc_json_array(json);
    for (size_t i = 0; i < rows; i++) {
        const struct oc_region_sum *sum = &sums[order[i]];

        oc_json_object(json);
        oc_json_put_str(json, name_key, name(order[i]));
        oc_json_put_u64(json, "count", sum->count);
        oc_json_put_u64(json, "size_bytes", sum->bytes);
        oc_json_put_u64(json, "commit_bytes", sum->commit_bytes);
        oc_json_put_u64(json, "largest_bytes", sum->largest_bytes);
        if (order[i] != FREE_NUMBER && sum->resident_bytes != OC_RESIDENT_UNKNOWN)
            oc_json_put_u64(json, "resident_bytes", sum->resident_bytes);
        if (order[i] != FREE_NUMBER && regions->busy_bytes > 0)
            oc_json_put_dbl(json, "busy_ratio", (double)sum->bytes / (double)regions->busy_bytes);
        if (regions->total_bytes > 0)
            oc_json_put_dbl(json, "total_ratio", (double)sum->bytes / (double)regions->total_bytes);
        oc_json_object_end(json);
    }
    oc_json_array_end(json);
}

void oc_regions_json(struct oc_json *json, const struct oc_regions *regions)
{
    char text[24];

    json_sums(json, "usages", "usage", oc_usage_name, regions->usages, OC_USAGE_COUNT, regions);
    json_sums(json, "types", "type", type_name, regions->types, OC_REGION_TYPES, regions);
    json_sums(json, "states", "state", oc_region_state_name, regions->states, OC_REGION_STATES,
              regions);
    oc_json_put_u64(json, "busy_bytes", regions->busy_bytes);
    oc_json_put_u64(json, "commit_bytes", regions->commit_bytes);
    oc_json_put_u64(json, "unexplained_bytes", regions->unexplained_bytes);
    if (regions->has_resident)
        oc_json_put_u64(json, "resident_bytes", regions->resident_bytes);
    if (regions->largest_free_bytes > 0) {
        oc_json_put_u64(json, "largest_free_bytes", regions->largest_free_bytes);
        (void)snprintf(text, sizeof(text), "0x%" PRIx64, regions->largest_free_start);
        oc_json_put_str(json, "largest_free_start", text);
    }
    oc_json_put_u64(json, "arenas", regions->arenas);
}

void oc_regions_json_region(struct oc_json *json, const struct oc_region *region)
{
    char text[24];

    oc_json_object(json);
    (void)snprintf(text, sizeof(text), "0x%" PRIx64, region->start);
    oc_json_put_str(json, "start", text);
    oc_json_put_u64(json, "size_bytes", region->bytes);
    oc_json_put_str(json, "usage", oc_usage_name(region->usage));
    oc_json_put_str(json, "state", oc_region_state_name(region->state));
    if (region->state != OC_REGION_FREE) {
        oc_json_put_str(json, "type", oc_region_type_name(region->type));
        oc_json_put_str(json, "protection", oc_regions_protection(region->protect, text));
        if (region->resident_bytes != OC_RESIDENT_UNKNOWN)
            oc_json_put_u64(json, "resident_bytes", region->resident_bytes);
        if (region->inode) {
            oc_json_put_u64(json, "inode", region->inode);
            oc_json_put_u64(json, "offset_bytes", region->offset);
        }
        if (region->name && region->name[0])
            oc_json_put_str(json, "name", region->name);
    }
    oc_json_object_end(json);
}
