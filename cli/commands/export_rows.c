#include "cli/commands/export.h"

#include "cli/model/history.h"

#include "base/alloc.h"
#include "base/os.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WALKS 1000000u /* of one source */
#define FLUSH_BYTES (1u << 20)
#define PROGRESS_AFTER_NS INT64_C(1500000000)
#define PROGRESS_EVERY_NS INT64_C(250000000)
#define PROGRESS_ROWS 1024 /* between two looks at the clock */

/* ---- writing ---- */

/* The progress line is only for who sees it and whose answer goes elsewhere. */
static int may_say(const struct oc_export *export)
{
    return oc_term_is_tty(OC_STDERR) == 1 && !export->cli->is_tty;
}

static void say_progress(struct oc_export *export)
{
    int64_t now_ns = oc_clock_mono_ns();

    if (now_ns - export->begin_ns < PROGRESS_AFTER_NS ||
        now_ns - export->said_ns < PROGRESS_EVERY_NS || !may_say(export))
        return;
    export->said_ns = now_ns;
    export->has_said = 1;
    (void)fprintf(stderr, "\r%3zu %%  %" PRIu64 " rows\033[K",
                  export->steps ? 100 * export->done / export->steps : 0, export->rows.count);
    (void)fflush(stderr);
}

void oc_export_end_progress(const struct oc_export *export)
{
    if (export->has_said)
        (void)fputs("\r\033[K", stderr);
}

/* 1: go no further. */
static int row_end(struct oc_export *export)
{
    oc_rows_end(&export->rows);
    if (export->cli->out.len_bytes > FLUSH_BYTES || export->cli->out.err)
        export->rc = oc_cli_flush(export->cli);
    if (export->rows.count % PROGRESS_ROWS == 0)
        say_progress(export);
    return export->rc != OC_OK;
}

static void put_source(struct oc_export *export)
{
    oc_rows_str(&export->rows, export->now->subject);
    oc_rows_u64(&export->rows, export->now->source);
    if (export->now->pid)
        oc_rows_u64(&export->rows, export->now->pid);
    else
        oc_rows_none(&export->rows);
}

/* ---- samples ---- */

static const char *const sample_columns[] = { "time", "subject", "source", "pid",
                                              "kind", "metric",  "value",  NULL };

static int take_point(const struct oc_point *point, void *context)
{
    struct oc_export *export = context;

    oc_rows_time(&export->rows, point->t_unix_ms);
    put_source(export);
    oc_rows_str(&export->rows, oc_source_kind_name((enum oc_source_kind) export->now->kind));
    oc_rows_str(&export->rows, oc_metric_by_number(export->metric)->name);
    oc_rows_i64(&export->rows, point->last);
    return row_end(export);
}

static int wants_metric(const struct oc_cli *cli, unsigned metric)
{
    int any = 0;

    for (size_t i = 0; i < cli->value_count; i++) {
        if (strcmp(cli->values[i].option->name, "metric") != 0)
            continue;
        any = 1;
        if (cli->values[i].number == (int64_t)metric)
            return 1;
    }
    return !any;
}

static size_t metric_count(const struct oc_cli *cli)
{
    size_t count = 0;

    for (unsigned metric = 0; metric < OC_METRIC_MAX; metric++)
        count += oc_metric_by_number(metric) && wants_metric(cli, metric);
    return count;
}

/* All sources of a metric before the next one: what the journal has of it is read once. */
static int put_samples(struct oc_export *export)
{
    struct oc_range range = { .precision = OC_PRECISE_EXACT };
    int rc = OC_OK;

    export->steps = metric_count(export->cli) * export->count;
    range.since_unix_ms = export->cli->since_unix_ms > 0 ? export->cli->since_unix_ms : 0;
    range.until_unix_ms = export->cli->until_unix_ms;
    if (range.until_unix_ms > export->cli->now_unix_ms)
        range.until_unix_ms = export->cli->now_unix_ms + 1;
    for (unsigned metric = 0; metric < OC_METRIC_MAX && rc >= 0 && !export->rc; metric++) {
        if (!oc_metric_by_number(metric) || !wants_metric(export->cli, metric))
            continue;
        export->metric = range.metric = metric;
        for (size_t i = 0; i < export->count && rc >= 0 && !export->rc; i++) {
            export->now = &export->sources[i];
            export->done++;
            if (oc_history_kind_has(export->now->kind, metric))
                rc = oc_reader_range(export->reader, export->now->source, &range, take_point,
                                     export);
        }
    }
    return rc < 0 ? rc : export->rc;
}

/* ---- walks ---- */

static const char *const region_columns[] = { "time",          "subject",        "source",
                                              "pid",           "usage",          "type",
                                              "state",         "count",          "size_bytes",
                                              "largest_bytes", "resident_bytes", NULL };
static const char *const family_columns[] = { "time",  "subject",  "source",     "pid",
                                              "kind",  "family",   "is_folded",  "is_deleted",
                                              "count", "distinct", "size_bytes", "example",
                                              NULL };

static int put_regions_of(struct oc_export *export, const struct oc_census *census,
                          int64_t t_unix_ms)
{
    for (size_t i = 0; i < census->total_count; i++) {
        const struct oc_region_total *cell = &census->totals[i];

        oc_rows_time(&export->rows, t_unix_ms);
        put_source(export);
        oc_rows_str(&export->rows, oc_usage_name(cell->usage));
        oc_rows_str(&export->rows,
                    cell->type == OC_REGION_NONE ? NULL : oc_region_type_name(cell->type));
        oc_rows_str(&export->rows, oc_region_state_name(cell->state));
        oc_rows_u64(&export->rows, cell->count);
        oc_rows_u64(&export->rows, cell->bytes);
        oc_rows_u64(&export->rows, cell->largest_bytes);
        if (cell->resident_bytes == OC_RESIDENT_UNKNOWN)
            oc_rows_none(&export->rows);
        else
            oc_rows_u64(&export->rows, cell->resident_bytes);
        if (row_end(export))
            return export->rc;
    }
    return OC_OK;
}

static int put_families_of(struct oc_export *export, const struct oc_census *census,
                           int64_t t_unix_ms)
{
    for (size_t i = 0; i < census->family_count; i++) {
        const struct oc_family *family = &census->families[i];

        oc_rows_time(&export->rows, t_unix_ms);
        put_source(export);
        oc_rows_str(&export->rows, oc_family_kind_name(family->kind));
        oc_rows_str(&export->rows, oc_census_text(census, family->name));
        oc_rows_bool(&export->rows, (family->flags & OC_FAMILY_FOLDED) != 0);
        oc_rows_bool(&export->rows, (family->flags & OC_FAMILY_DELETED) != 0);
        oc_rows_u64(&export->rows, family->count);
        oc_rows_u64(&export->rows, family->distinct);
        if (family->kind == OC_FAMILY_FD)
            oc_rows_none(&export->rows);
        else
            oc_rows_u64(&export->rows, family->bytes);
        oc_rows_str(&export->rows, oc_census_text(census, family->example));
        if (row_end(export))
            return export->rc;
    }
    return OC_OK;
}

typedef int walk_fn(struct oc_export *export, const struct oc_census *census, int64_t t_unix_ms);

/* The times of a source's walks in the range, the newest first: each leads to the one before. */
static int list_walks(struct oc_export *export, int64_t **out_times, size_t *out_count)
{
    int64_t at_ms = export->cli->until_unix_ms;
    void *times = NULL;
    size_t count = 0, capacity = 0;
    int rc = OC_OK;

    if (at_ms != INT64_MAX)
        at_ms--;
    for (;;) {
        struct oc_census census = { 0 };
        int64_t t_ms = 0;

        rc = oc_reader_census(export->reader, export->now->source, at_ms, 0, &census, &t_ms);
        oc_census_clear(&census);
        if (rc || t_ms < export->cli->since_unix_ms)
            break;
        rc = oc_array_grow(&times, &capacity, count + 1, sizeof(int64_t), MAX_WALKS);
        if (rc)
            break;
        ((int64_t *)times)[count++] = t_ms;
        at_ms = t_ms - 1;
    }
    *out_times = times;
    *out_count = count;
    return rc == OC_E_NOENT ? OC_OK : rc;
}

static int put_walks_of(struct oc_export *export, walk_fn *fn)
{
    int64_t *times = NULL;
    size_t count = 0;
    int rc = list_walks(export, &times, &count);

    while (!rc && count-- > 0) {
        struct oc_census census = { 0 };
        int64_t t_ms;

        rc = oc_reader_census(export->reader, export->now->source, times[count], 0, &census, &t_ms);
        if (!rc)
            rc = fn(export, &census, t_ms);
        oc_census_clear(&census);
        if (rc == OC_E_NOENT) /* retention was faster */
            rc = OC_OK;
        say_progress(export);
    }
    oc_free(times);
    return rc;
}

static int put_walks(struct oc_export *export, walk_fn *fn)
{
    int rc = OC_OK;

    export->steps = export->count;
    for (size_t i = 0; i < export->count && !rc; i++) {
        export->now = &export->sources[i];
        export->done = i;
        if (export->now->kind == OC_SOURCE_PROCESS || export->now->kind == OC_SOURCE_SELF)
            rc = put_walks_of(export, fn);
    }
    return rc;
}

/* ---- modules, limits, lives ---- */

static const char *const module_columns[] = { "subject",    "source", "pid",      "module", "base",
                                              "size_bytes", "loaded", "unloaded", NULL };
static const char *const limit_columns[] = { "from",  "until", "subject", "source", "pid", "kind",
                                             "limit", "where", "metric",  "value",  NULL };
static const char *const life_columns[] = { "subject", "source", "pid",          "kind",
                                            "begin",   "end",    "last_sample",  "ended",
                                            "status",  "killer", "killer_scope", "samples",
                                            "uid",     "parent", "name",         "command",
                                            NULL };

static int take_module(const struct oc_module_event *event, void *context)
{
    struct oc_export *export = context;
    char base[24];

    put_source(export);
    oc_rows_str(&export->rows, event->name);
    (void)snprintf(base, sizeof(base), "0x%" PRIx64, event->base);
    oc_rows_str(&export->rows, base);
    oc_rows_u64(&export->rows, event->bytes);
    oc_rows_time(&export->rows, event->loaded_unix_ms);
    oc_rows_time(&export->rows, event->unloaded_unix_ms);
    return row_end(export);
}

static int take_limit(const struct oc_limit_span *span, void *context)
{
    struct oc_export *export = context;
    const struct oc_limit_row *row = oc_limit_row(span->limit->kind);
    const struct oc_metric_row *metric = oc_metric_by_number(span->limit->metric);

    oc_rows_time(&export->rows, span->from_unix_ms);
    oc_rows_time(&export->rows, span->until_unix_ms);
    put_source(export);
    oc_rows_str(&export->rows, oc_source_kind_name((enum oc_source_kind) export->now->kind));
    oc_rows_str(&export->rows, row ? row->name : "?");
    oc_rows_str(&export->rows, span->limit->where[0] ? span->limit->where : NULL);
    oc_rows_str(&export->rows, metric ? metric->name : NULL);
    oc_rows_u64(&export->rows, span->limit->value);
    return row_end(export);
}

static int put_each(struct oc_export *export, enum oc_export_what what)
{
    int rc = OC_OK;

    export->steps = export->count;
    for (size_t i = 0; i < export->count && rc >= 0 && !export->rc; i++) {
        int64_t since_ms = export->cli->since_unix_ms, until_ms = export->cli->until_unix_ms;

        export->now = &export->sources[i];
        export->done = i;
        if (what == OC_EXPORT_MODULES)
            rc = oc_reader_modules(export->reader, export->now->source, since_ms, until_ms,
                                   take_module, export);
        else
            rc = oc_reader_limits(export->reader, export->now->source, since_ms, until_ms,
                                  take_limit, export);
        if (rc == OC_E_NOENT)
            rc = OC_OK;
    }
    return rc < 0 ? rc : export->rc;
}

int oc_export_compare(const void *a, const void *b)
{
    const struct oc_export_source *x = a, *y = b;

    return (x->source > y->source) - (x->source < y->source);
}

static void text_or_none(struct oc_export *export, const char *text)
{
    oc_rows_str(&export->rows, text && text[0] ? text : NULL);
}

static int take_life_row(const struct oc_life_row *row, void *context)
{
    struct oc_export *export = context;
    struct oc_export_source key = { .source = row->source };
    const char *killer = oc_killer_name(row->killer);

    if (!bsearch(&key, export->sources, export->count, sizeof(key), oc_export_compare))
        return 0;
    oc_rows_str(&export->rows, row->subject);
    oc_rows_u64(&export->rows, row->source);
    if (row->facts.id.pid)
        oc_rows_u64(&export->rows, row->facts.id.pid);
    else
        oc_rows_none(&export->rows);
    oc_rows_str(&export->rows, oc_source_kind_name((enum oc_source_kind)row->kind));
    oc_rows_time(&export->rows, row->begin_unix_ms);
    oc_rows_time(&export->rows, row->end_unix_ms);
    oc_rows_time(&export->rows, row->last_unix_ms);
    oc_rows_str(&export->rows, oc_end_name(row->end));
    if (row->status >= 0 && row->end != OC_END_RUNNING)
        oc_rows_i64(&export->rows, row->status);
    else
        oc_rows_none(&export->rows);
    text_or_none(export, killer);
    text_or_none(export, row->killer_scope);
    oc_rows_u64(&export->rows, row->samples);
    if (row->facts.uid >= 0 && row->facts.id.pid)
        oc_rows_i64(&export->rows, row->facts.uid);
    else
        oc_rows_none(&export->rows);
    if (row->facts.parent_pid)
        oc_rows_u64(&export->rows, row->facts.parent_pid);
    else
        oc_rows_none(&export->rows);
    text_or_none(export, row->facts.name);
    text_or_none(export, row->facts.cmdline[0] ? row->facts.cmdline : row->facts.exe);
    return row_end(export);
}

static int put_lives(struct oc_export *export)
{
    struct oc_life_filter filter = { .since_unix_ms = export->cli->since_unix_ms,
                                     .until_unix_ms = export->cli->until_unix_ms };
    int rc = oc_reader_lives(export->reader, &filter, take_life_row, export);

    return rc < 0 ? rc : export->rc;
}

int oc_export_rows(struct oc_export *export, enum oc_export_what what)
{
    static const char *const *const columns[] = { sample_columns, region_columns, family_columns,
                                                  module_columns, limit_columns,  life_columns };

    oc_rows_begin(&export->rows,
                  export->cli->format == OC_FORMAT_JSON ? OC_ROWS_JSON_LINES : OC_ROWS_CSV,
                  columns[what], &export->cli->out);
    switch (what) {
    case OC_EXPORT_SAMPLES:
        return put_samples(export);
    case OC_EXPORT_REGIONS:
        return put_walks(export, put_regions_of);
    case OC_EXPORT_FAMILIES:
        return put_walks(export, put_families_of);
    case OC_EXPORT_MODULES:
    case OC_EXPORT_LIMITS:
        return put_each(export, what);
    case OC_EXPORT_LIVES:
        break;
    }
    return put_lives(export);
}
