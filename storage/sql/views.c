#include "storage/sql/views.h"

#include "base/err.h"
#include "base/sample.h"
#include "storage/read/scan.h"
#include "storage/sql/view_parts.h"

#define OC_VIEWS_MAX_BYTES 65536

static const char *kind_name(int kind) { return oc_source_kind_name((enum oc_source_kind)kind); }

static const char *end_name(int end) { return oc_end_name((enum oc_end)end); }

static const char *block_name(int block) { return oc_block_name((enum oc_block)block); }

void oc_view_names(struct oc_buf *sql, const char *column, int count, const char *(*name)(int))
{
    oc_buf_printf(sql, "CASE %s", column);
    for (int i = 0; i < count; i++)
        if (name(i))
            oc_buf_printf(sql, " WHEN %d THEN '%s'", i, name(i));
    oc_buf_printf(sql, " ELSE %s END", column);
}

static const char *killer_name(int killer)
{
    return killer ? oc_killer_name((enum oc_killer)killer) : NULL;
}

static void add_subjects(struct oc_buf *sql)
{
    oc_buf_puts(
        sql,
        "CREATE TEMP VIEW IF NOT EXISTS subjects AS SELECT id, name, kind, "
        "sum(is_one) AS sources, sum(running) AS running, " OC_VIEW_READABLE(
            "min(begin_unix_ms)") " AS first, " OC_VIEW_READABLE("max(last_unix_ms)") " AS last "
                                                                                      "FROM "
                                                                                      "(SELECT "
                                                                                      "b.id, "
                                                                                      "b.name, ");
    oc_view_names(sql, "b.kind", OC_SOURCE_KINDS, kind_name);
    oc_buf_puts(sql,
                " AS kind, s.kind <> 4 AS is_one, s.end_ms IS NULL AND s.kind <> 4 AS "
                "running, " OC_VIEW_UNIX_MS("s.begin_ms") " AS begin_unix_ms, " OC_VIEW_UNIX_MS(
                    "coalesce(s.end_ms, (SELECT "
                    "max(s.begin_ms, j.t1) FROM main.journal j "
                    "WHERE j.boot = s.boot ORDER BY j.id DESC "
                    "LIMIT 1), s.begin_ms)") " AS last_unix_ms "
                                             "FROM "
                                             "main.subject b "
                                             "JOIN main.source "
                                             "s ON s.subject = "
                                             "b.id) "
                                             "GROUP BY id "
                                             "ORDER BY name;");
}

static void add_lives(struct oc_buf *sql)
{
    oc_buf_puts(sql, "CREATE TEMP VIEW IF NOT EXISTS lives AS SELECT s.id AS source, "
                     "b.name AS subject, ");
    oc_view_names(sql, "s.kind", OC_SOURCE_KINDS, kind_name);
    oc_buf_puts(
        sql,
        " AS kind, l.pid, l.name, " OC_VIEW_READABLE(OC_VIEW_UNIX_MS(
            "s.begin_ms")) " AS begin, " OC_VIEW_READABLE(OC_VIEW_UNIX_MS("s.end_ms")) " AS end, ");
    oc_view_names(sql, "s.\"end\"", OC_END_RECYCLED + 1, end_name);
    oc_buf_puts(sql, " AS ended, nullif(s.status, -1) AS status, ");
    oc_view_names(sql, "nullif(s.killer, 0)", OC_KILLER_IIS + 1, killer_name);
    oc_buf_puts(
        sql,
        " AS killer, s.killer_scope, s.interval_ms, l.uid, "
        "l.parent_pid, l.exec_count, l.exe, l.cmdline, l.cgroup, " OC_VIEW_UNIX_MS(
            "s.begin_ms") " AS begin_unix_ms, " OC_VIEW_UNIX_MS("s.end_ms") " AS end_unix_ms FROM "
                                                                            "main.source s "
                                                                            "JOIN main.subject b "
                                                                            "ON b.id = s.subject "
                                                                            "LEFT JOIN main.life l "
                                                                            "ON l.source = s.id;");
}

static void add_chunks_of(struct oc_buf *sql, const char *table)
{
    oc_buf_printf(sql, "SELECT '%s' AS tier, s.id AS source, b.name AS subject, ", table);
    oc_view_names(sql, "k.block", OC_BLOCK_COUNT, block_name);
    oc_buf_puts(
        sql, " AS block, " OC_VIEW_READABLE(OC_VIEW_UNIX_MS("k.t0")) " AS first, " OC_VIEW_READABLE(
                 OC_VIEW_UNIX_MS("k.t1")) " AS last, k.n AS rows, "
                                          "length(k.summary) AS summary_bytes, length(k.data) AS "
                                          "data_bytes, k.id, ");
    oc_buf_printf(sql,
                  OC_VIEW_UNIX_MS("k.t0") " AS first_unix_ms, " OC_VIEW_UNIX_MS(
                      "k.t1") " AS last_unix_ms "
                              "FROM main.\"%s\" k JOIN main.source s ON s.id = k.id >> 24 "
                              "JOIN main.subject b ON b.id = s.subject",
                  table);
}

static void add_chunks(struct oc_buf *sql)
{
    oc_buf_puts(sql, "CREATE TEMP VIEW IF NOT EXISTS chunks AS ");
    for (int tier = OC_TIER_COUNT - 1; tier >= 0; tier--) {
        if (tier < OC_TIER_COUNT - 1)
            oc_buf_puts(sql, " UNION ALL ");
        add_chunks_of(sql, oc_tiers[tier].table);
    }
    oc_buf_puts(sql, ";");
}

int oc_views_create(struct sqlite3 *db)
{
    struct oc_buf sql;
    int rc;

    oc_buf_init(&sql, OC_VIEWS_MAX_BYTES);
    add_subjects(&sql);
    add_lives(&sql);
    add_chunks(&sql);
    oc_views_add_walks(&sql);
    oc_views_add_forecasts(&sql);
    oc_views_add_alerts(&sql);
    rc = sql.err ? sql.err : oc_scan_code(sqlite3_exec(db, sql.data, NULL, NULL, NULL));
    oc_buf_clear(&sql);
    return rc;
}
