#include "cli/commands/modules_view.h"

#include "cli/show/table.h"
#include "cli/show/timespec.h"
#include "cli/show/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROOM_FOR_EXAMPLES 120 /* columns of a terminal */
#define FLUSH_BYTES (1u << 20)

/* ---- families ---- */

enum { COLUMN_COUNT_H = 4, COLUMN_SIZE_H, COLUMN_FAMILY, COLUMN_EXAMPLE }; /* of families */

static void growth_cells(struct oc_table *table, const struct oc_family_row *row)
{
    char text[32];

    if (!row->has_growth) {
        oc_table_cell(table, NULL);
        oc_table_cell(table, NULL);
        return;
    }
    if (fabs(row->count_per_h) < 0.05)
        oc_table_cell(table, "0");
    else
        oc_table_cellf(table, fabs(row->count_per_h) < 10 ? "%+.1f" : "%+.0f", row->count_per_h);
    oc_table_cell(table, oc_value_change((int64_t)llround(row->bytes_per_h), OC_UNIT_BYTES, text,
                                         sizeof(text)));
}

static void family_row(struct oc_table *table, const struct oc_family_row *row)
{
    oc_table_cell(table, oc_family_kind_name(row->kind));
    oc_table_cellf(table, "%" PRIu64, row->count);
    oc_table_cellf(table, "%" PRIu64, row->distinct);
    if (row->kind == OC_FAMILY_FD)
        oc_table_cell(table, NULL);
    else
        oc_table_bytes(table, (int64_t)row->bytes);
    growth_cells(table, row);
    oc_table_cellf(table, "%s%s", row->name, row->flags & OC_FAMILY_DELETED ? " (deleted)" : "");
    oc_table_cell(table, strcmp(row->name, row->example) == 0 ? NULL : row->example);
}

int oc_modules_put_families(struct oc_cli *cli, const struct oc_family_rows *families, size_t limit)
{
    static const struct oc_column columns[] = {
        { "KIND", OC_ALIGN_LEFT, 0, 0 },
        { "COUNT", OC_ALIGN_RIGHT, 0, 0 },
        { "NAMES", OC_ALIGN_RIGHT, 0, OC_GOES(2) },
        { "SIZE", OC_ALIGN_RIGHT, 0, 0 },
        { "COUNT/H", OC_ALIGN_RIGHT, 0, 0 },
        { "SIZE/H", OC_ALIGN_RIGHT, 0, OC_GOES(1) },
        { "FAMILY", OC_ALIGN_PATH, 72, OC_SHRINKS },
        { "FOR EXAMPLE", OC_ALIGN_PATH, 60, OC_SHRINKS | OC_GOES(3) },
        { 0 },
    };
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    size_t shown[OC_FAMILY_KINDS] = { 0 }, all[OC_FAMILY_KINDS] = { 0 };
    struct oc_table table;
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < families->count; i++) {
        const struct oc_family_row *row = &families->items[i];

        if (row->kind >= OC_FAMILY_KINDS)
            continue;
        all[row->kind]++;
        if (limit > 0 && shown[row->kind] == limit)
            continue;
        shown[row->kind]++;
        family_row(&table, row);
    }
    oc_table_hide_empty(&table, COLUMN_COUNT_H);
    oc_table_hide_empty(&table, COLUMN_SIZE_H);
    oc_table_hide_empty(&table, COLUMN_EXAMPLE);
    if (style.width > 0 && style.width < ROOM_FOR_EXAMPLES)
        oc_table_hide(&table, COLUMN_EXAMPLE);
    rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    for (unsigned kind = 0; kind < OC_FAMILY_KINDS; kind++) {
        if (shown[kind] < all[kind])
            oc_buf_printf(&cli->out, "%zu more families of %ss; --limit 0 shows all\n",
                          all[kind] - shown[kind], oc_family_kind_name(kind));
        else if (!(families->kinds & (1u << kind)))
            oc_buf_printf(&cli->out, "%ss could not be read\n", oc_family_kind_name(kind));
    }
    return rc;
}

/* ---- modules ---- */

static void module_row(const struct oc_cli *cli, struct oc_table *table,
                       const struct oc_module_line *line)
{
    char text[32];

    oc_table_cellf(table, "%" PRIu32, line->count);
    oc_table_bytes(table, (int64_t)line->bytes);
    oc_table_cell(table,
                  line->since_unix_ms
                      ? oc_timespec_short(line->since_unix_ms, cli->now_unix_ms, text, sizeof(text))
                      : NULL);
    oc_table_cellf(table, "%012" PRIx64, line->base);
    oc_table_cellf(table, "%s%s", line->name, line->flags & OC_MODULE_DELETED ? " (deleted)" : "");
}

int oc_modules_put_list(struct oc_cli *cli, const struct oc_modules *modules, size_t limit)
{
    static const struct oc_column columns[] = {
        { "COUNT", OC_ALIGN_RIGHT, 0, 0 },          { "SIZE", OC_ALIGN_RIGHT, 0, 0 },
        { "SINCE", OC_ALIGN_LEFT, 0, 0 },           { "BASE", OC_ALIGN_LEFT, 0, OC_GOES(1) },
        { "MODULE", OC_ALIGN_PATH, 0, OC_SHRINKS }, { 0 },
    };
    struct oc_table_style style = { cli->is_tty ? cli->width : 0, cli->color, cli->utf8 };
    struct oc_table table;
    char text[32];
    int rc;

    oc_table_init(&table, columns);
    for (size_t i = 0; i < modules->count && (limit == 0 || i < limit); i++)
        module_row(cli, &table, &modules->items[i]);
    oc_table_hide_empty(&table, 2); /* since: only the store knows it */
    rc = oc_table_print(&table, &style, &cli->out);
    oc_table_clear(&table);
    oc_buf_printf(&cli->out, "\n%" PRIu64 " modules, %s of address space", modules->module_count,
                  oc_value_text((int64_t)modules->bytes, OC_UNIT_BYTES, text, sizeof(text)));
    if (limit > 0 && modules->count > limit)
        oc_buf_printf(&cli->out, "; %zu of %zu rows, --limit 0 shows all", limit, modules->count);
    oc_buf_puts(&cli->out, "\n");
    return rc;
}

/* ---- JSON ---- */

void oc_modules_json_families(struct oc_json *json, const struct oc_family_rows *families,
                              unsigned kinds)
{
    oc_json_key(json, "families");
    oc_json_array(json);
    for (size_t i = 0; i < families->count; i++) {
        const struct oc_family_row *row = &families->items[i];

        if (!(kinds & (1u << row->kind)))
            continue;
        oc_json_object(json);
        oc_json_put_str(json, "kind", oc_family_kind_name(row->kind));
        oc_json_put_str(json, "name", row->name);
        oc_json_put_bool(json, "is_folded", (row->flags & OC_FAMILY_FOLDED) != 0);
        oc_json_put_bool(json, "is_deleted", (row->flags & OC_FAMILY_DELETED) != 0);
        oc_json_put_str(json, "example", row->example);
        oc_json_put_u64(json, "count", row->count);
        oc_json_put_u64(json, "distinct", row->distinct);
        if (row->kind != OC_FAMILY_FD)
            oc_json_put_u64(json, "size_bytes", row->bytes);
        if (row->has_growth) {
            oc_json_put_dbl(json, "count_per_hour", row->count_per_h);
            oc_json_put_dbl(json, "size_bytes_per_hour", row->bytes_per_h);
        }
        oc_json_object_end(json);
    }
    oc_json_array_end(json);
}

int oc_modules_json_list(struct oc_cli *cli, struct oc_json *json, const struct oc_modules *modules)
{
    int rc = OC_OK;
    char text[24];

    oc_json_key(json, "modules");
    oc_json_array(json);
    for (size_t i = 0; i < modules->count && !rc; i++) {
        const struct oc_module_line *line = &modules->items[i];

        oc_json_object(json);
        oc_json_put_str(json, "name", line->name);
        (void)snprintf(text, sizeof(text), "0x%" PRIx64, line->base);
        oc_json_put_str(json, "base", text);
        oc_json_put_u64(json, "size_bytes", line->bytes);
        oc_json_put_bool(json, "is_deleted", (line->flags & OC_MODULE_DELETED) != 0);
        oc_json_put_time(json, "loaded", line->since_unix_ms);
        oc_json_object_end(json);
        if (cli->out.len_bytes > FLUSH_BYTES)
            rc = oc_cli_flush(cli);
    }
    oc_json_array_end(json);
    return rc;
}
