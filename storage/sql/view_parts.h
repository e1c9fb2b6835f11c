/* What the views share: times as text, and numbers as names. For storage/sql/ alone. */
#ifndef OC_STORAGE_SQL_VIEW_PARTS_H
#define OC_STORAGE_SQL_VIEW_PARTS_H

#include "base/buf.h"

/* Unix ms of a time of source s: by the clock row at or before it, else by the boot's first. */
#define OC_VIEW_UNIX_MS(t)                                                                         \
    "(" t " + coalesce((SELECT c.unix_ms - c.boot_ms FROM main.clock c WHERE c.boot = s.boot "     \
    "AND c.boot_ms <= " t " ORDER BY c.boot_ms DESC LIMIT 1), (SELECT c.unix_ms - c.boot_ms "      \
    "FROM main.clock c WHERE c.boot = s.boot ORDER BY c.boot_ms LIMIT 1), 0))"

/* In the local time zone, as the CLI shows it. */
#define OC_VIEW_READABLE(unix_ms)                                                                  \
    "strftime('%Y-%m-%d %H:%M:%S', " unix_ms " / 1000, 'unixepoch', 'localtime')"

/* CASE column WHEN 0 THEN 'name of 0' … ELSE column END; numbers without a name (NULL) are left out. */
void oc_view_names(struct oc_buf *sql, const char *column, int count, const char *(*name)(int));

/* Names for oc_view_names(), of kinds of limits and numbers of metrics. */
const char *oc_view_limit_name(int kind);
const char *oc_view_limit_scope(int kind);
const char *oc_view_limit_effect(int kind);
const char *oc_view_metric_name(int number);

/* Views of forecasts and of the record of what came of them. */
void oc_views_add_forecasts(struct oc_buf *sql);

/* Views of alerts, what was decided of them, the outbox and silences. */
void oc_views_add_alerts(struct oc_buf *sql);

/* Views of walks, limits and labels: CREATE statements appended to sql. */
void oc_views_add_walks(struct oc_buf *sql);

#endif
