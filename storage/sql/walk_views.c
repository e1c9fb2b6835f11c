/* The views over walks, limits and labels. */
#include "storage/sql/view_parts.h"

#include "base/census.h"
#include "base/limit.h"
#include "base/metric.h"

/* Source s, its subject b. */
#define OF_SOURCE "JOIN main.source s ON s.id = %s.source JOIN main.subject b ON b.id = s.subject"
#define OF_WALK "JOIN main.source s ON s.id = w.source JOIN main.subject b ON b.id = s.subject"

static const char *usage_name(int usage) { return oc_usage_name((unsigned)usage); }
static const char *type_name(int type) { return oc_region_type_name((unsigned)type); }
static const char *state_name(int state) { return oc_region_state_name((unsigned)state); }
static const char *kind_name(int kind) { return oc_family_kind_name((unsigned)kind); }

const char *oc_view_limit_name(int kind)
{
    const struct oc_limit_row *row = kind > 0 ? oc_limit_row((unsigned)kind) : NULL;

    return row ? row->name : NULL;
}

const char *oc_view_limit_scope(int kind)
{
    const struct oc_limit_row *row = kind > 0 ? oc_limit_row((unsigned)kind) : NULL;

    return row ? oc_limit_scope_name(row->scope) : NULL;
}

const char *oc_view_limit_effect(int kind)
{
    const struct oc_limit_row *row = kind > 0 ? oc_limit_row((unsigned)kind) : NULL;

    return row ? oc_limit_effect_name(row->effect) : NULL;
}

const char *oc_view_metric_name(int number)
{
    const struct oc_metric_row *row = number > 0 ? oc_metric_by_number((unsigned)number) : NULL;

    return row ? row->name : NULL;
}

static void add_walks(struct oc_buf *sql)
{
    oc_buf_puts(sql,
                "CREATE TEMP VIEW IF NOT EXISTS walks AS SELECT w.source, b.name AS subject, ");
    oc_buf_puts(sql, OC_VIEW_READABLE(OC_VIEW_UNIX_MS(
                         "w.t")) " AS time, w.cpu_us, w.wall_us, w.stall_us, "
                                 "w.largest_free AS largest_free_bytes, w.arenas AS arena_count, "
                                 "w.runtime, (w.seen & 4) <> 0 AS is_truncated, " OC_VIEW_UNIX_MS(
                                     "w.t") " AS unix_ms FROM main.walk w " OF_WALK ";");
}

static void add_regions(struct oc_buf *sql)
{
    oc_buf_puts(sql,
                "CREATE TEMP VIEW IF NOT EXISTS regions AS SELECT w.source, b.name AS subject, ");
    oc_buf_puts(sql, OC_VIEW_READABLE(OC_VIEW_UNIX_MS("w.t")) " AS time, ");
    oc_view_names(sql, "r.cell >> 4", OC_USAGE_COUNT, usage_name);
    oc_buf_puts(sql, " AS usage, ");
    oc_view_names(sql, "(r.cell >> 2 & 3)", OC_REGION_TYPES, type_name);
    oc_buf_puts(sql, " AS type, ");
    oc_view_names(sql, "(r.cell & 3)", OC_REGION_STATES, state_name);
    oc_buf_puts(sql, " AS state, r.count, r.bytes, r.largest AS largest_bytes, "
                     "r.resident AS resident_bytes, " OC_VIEW_UNIX_MS(
                         "w.t") " AS unix_ms FROM main.walk w CROSS JOIN main.region_total r "
                                "ON r.walk = w.id " OF_WALK ";");
}

static void add_families(struct oc_buf *sql)
{
    oc_buf_puts(sql,
                "CREATE TEMP VIEW IF NOT EXISTS families AS SELECT w.source, b.name AS subject, ");
    oc_buf_puts(sql, OC_VIEW_READABLE(OC_VIEW_UNIX_MS("w.t")) " AS time, ");
    oc_view_names(sql, "f.kind", OC_FAMILY_KINDS, kind_name);
    oc_buf_puts(sql,
                " AS kind, f.name AS family, c.count, c.names AS distinct_names, c.bytes, "
                "c.deleted AS is_deleted, ifnull(f.example, f.name) AS example, " OC_VIEW_UNIX_MS(
                    "w.t") " AS unix_ms FROM main.walk w CROSS JOIN main.family_count c "
                           "ON c.walk = w.id JOIN main.family f ON f.id = c.family " OF_WALK ";");
}

static void add_modules_of(struct oc_buf *sql, const char *table, const char *unloaded)
{
    oc_buf_puts(sql, "SELECT w.source, b.name AS subject, x.text AS module, w.base, w.bytes, "
                     "w.inode, (w.flags & 1) <> 0 AS is_deleted, ");
    oc_buf_puts(sql, OC_VIEW_READABLE(OC_VIEW_UNIX_MS("w.loaded")) " AS loaded, ");
    oc_buf_puts(sql, unloaded);
    oc_buf_puts(sql, OC_VIEW_UNIX_MS("w.loaded") " AS loaded_unix_ms");
    oc_buf_printf(sql, " FROM main.%s w LEFT JOIN main.text x ON x.id = w.name " OF_WALK, table);
}

static void add_modules(struct oc_buf *sql)
{
    oc_buf_puts(sql, "CREATE TEMP VIEW IF NOT EXISTS modules AS ");
    add_modules_of(sql, "module", "NULL AS unloaded, NULL AS unloaded_unix_ms, ");
    oc_buf_puts(sql, " UNION ALL ");
    add_modules_of(sql, "module_gone",
                   OC_VIEW_READABLE(OC_VIEW_UNIX_MS("w.unloaded")) " AS unloaded, " OC_VIEW_UNIX_MS(
                       "w.unloaded") " AS unloaded_unix_ms, ");
    oc_buf_puts(sql, ";");
}

static void add_limits(struct oc_buf *sql)
{
    oc_buf_puts(sql, "CREATE TEMP VIEW IF NOT EXISTS limits AS SELECT l.source, "
                     "b.name AS subject, ");
    oc_view_names(sql, "l.kind", OC_LIMIT_KINDS, oc_view_limit_name);
    oc_buf_puts(sql, " AS name, ");
    oc_view_names(sql, "l.kind", OC_LIMIT_KINDS, oc_view_limit_scope);
    oc_buf_puts(sql, " AS scope, nullif(x.text, '') AS place, ");
    oc_view_names(sql, "nullif(l.metric, 0)", OC_METRIC_MAX, oc_view_metric_name);
    oc_buf_puts(sql, " AS metric, l.value, ");
    oc_view_names(sql, "l.kind", OC_LIMIT_KINDS, oc_view_limit_effect);
    oc_buf_puts(sql, " AS effect, " OC_VIEW_READABLE(OC_VIEW_UNIX_MS("l.begin_ms")) " AS begin, ");
    oc_buf_puts(sql, OC_VIEW_READABLE(OC_VIEW_UNIX_MS("ifnull(l.end_ms, s.end_ms)")) " AS end, ");
    oc_buf_puts(sql, OC_VIEW_UNIX_MS("l.begin_ms") " AS begin_unix_ms, ");
    oc_buf_puts(sql, OC_VIEW_UNIX_MS("ifnull(l.end_ms, s.end_ms)") " AS end_unix_ms ");
    oc_buf_printf(
        sql, "FROM main.limit_value l LEFT JOIN main.text x ON x.id = l.place " OF_SOURCE ";", "l");
}

static void add_labels(struct oc_buf *sql)
{
    oc_buf_puts(sql, "CREATE TEMP VIEW IF NOT EXISTS labels AS SELECT b.name AS subject, l.key, "
                     "l.value FROM main.subject_label l JOIN main.subject b ON b.id = l.subject;");
}

void oc_views_add_walks(struct oc_buf *sql)
{
    add_walks(sql);
    add_regions(sql);
    add_families(sql);
    add_modules(sql);
    add_limits(sql);
    add_labels(sql);
}
