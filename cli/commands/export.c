/* oomcast export: what the store holds, row by row, for other programs. */
#include "cli/cli.h"
#include "cli/model/history.h"
#include "cli/model/party.h"
#include "cli/show/rows.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SOURCES 1000000u
#define MAX_WALKS 1000000u /* of one source */
#define FLUSH_BYTES (1u << 20)
#define PROGRESS_AFTER_NS INT64_C(1500000000)
#define PROGRESS_EVERY_NS INT64_C(250000000)
#define PROGRESS_ROWS 1024 /* between two looks at the clock */

struct source {
    uint32_t source, pid;
    uint8_t kind;
    int64_t begin_unix_ms, end_unix_ms;
    char subject[128];
};

struct export
{
    struct oc_cli *cli;
    oc_reader *reader;
    struct source *sources; /* owned */
    size_t count, capacity;
    struct oc_rows rows;
    const struct source *now; /* whose rows come */
    unsigned metric;          /* of samples */
    size_t done, steps;       /* of the progress line */
    int64_t begin_ns, said_ns;
    int has_said;
    int rc;
};

enum what { WHAT_SAMPLES, WHAT_REGIONS, WHAT_FAMILIES, WHAT_MODULES, WHAT_LIMITS, WHAT_LIVES };
static const char *const what_words[] = { "samples", "regions", "families", "modules",
                                          "limits",  "lives",   NULL };

/* ---- writing ---- */

/* The progress line is only for who sees it and whose answer goes elsewhere. */
static int may_say(const struct export *export)
{
    return oc_term_is_tty(OC_STDERR) == 1 && !export->cli->is_tty;
}

static void say_progress(struct export *export)
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

static void end_progress(struct export *export)
{
    if (export->has_said)
        (void)fputs("\r\033[K", stderr);
}

/* 1: go no further. */
static int row_end(struct export *export)
{
    oc_rows_end(&export->rows);
    if (export->cli->out.len_bytes > FLUSH_BYTES || export->cli->out.err)
        export->rc = oc_cli_flush(export->cli);
    if (export->rows.count % PROGRESS_ROWS == 0)
        say_progress(export);
    return export->rc != OC_OK;
}

static void put_source(struct export *export)
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
    struct export *export = context;

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
static int put_samples(struct export *export)
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

static int put_regions_of(struct export *export, const struct oc_census *census, int64_t t_unix_ms)
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

static int put_families_of(struct export *export, const struct oc_census *census, int64_t t_unix_ms)
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

typedef int walk_fn(struct export *export, const struct oc_census *census, int64_t t_unix_ms);

/* The times of a source's walks in the range, the newest first: each leads to the one before. */
static int list_walks(struct export *export, int64_t **out_times, size_t *out_count)
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

static int put_walks_of(struct export *export, walk_fn *fn)
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

static int put_walks(struct export *export, walk_fn *fn)
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
    struct export *export = context;
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
    struct export *export = context;
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

static int put_each(struct export *export, enum what what)
{
    int rc = OC_OK;

    export->steps = export->count;
    for (size_t i = 0; i < export->count && rc >= 0 && !export->rc; i++) {
        int64_t since_ms = export->cli->since_unix_ms, until_ms = export->cli->until_unix_ms;

        export->now = &export->sources[i];
        export->done = i;
        if (what == WHAT_MODULES)
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

static int compare_ids(const void *a, const void *b)
{
    const struct source *x = a, *y = b;

    return (x->source > y->source) - (x->source < y->source);
}

static void text_or_none(struct export *export, const char *text)
{
    oc_rows_str(&export->rows, text && text[0] ? text : NULL);
}

static int take_life_row(const struct oc_life_row *row, void *context)
{
    struct export *export = context;
    struct source key = { .source = row->source };
    const char *killer = oc_killer_name(row->killer);

    if (!bsearch(&key, export->sources, export->count, sizeof(key), compare_ids))
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

static int put_lives(struct export *export)
{
    struct oc_life_filter filter = { .since_unix_ms = export->cli->since_unix_ms,
                                     .until_unix_ms = export->cli->until_unix_ms };
    int rc = oc_reader_lives(export->reader, &filter, take_life_row, export);

    return rc < 0 ? rc : export->rc;
}

/* ---- which ---- */

static int take_source(const struct oc_life_row *row, void *context)
{
    struct export *export = context;
    void *sources = export->sources;
    struct source *source;

    export->rc =
        oc_array_grow(&sources, &export->capacity, export->count + 1, sizeof(*source), MAX_SOURCES);
    export->sources = sources;
    if (export->rc)
        return 1;
    source = &export->sources[export->count++];
    source->source = row->source;
    source->pid = row->facts.id.pid;
    source->kind = row->kind;
    source->begin_unix_ms = row->begin_unix_ms;
    source->end_unix_ms = row->end_unix_ms;
    (void)oc_text_copy(source->subject, sizeof(source->subject), row->subject);
    return 0;
}

static int find_sources(struct export *export, const char *word)
{
    struct oc_life_filter filter = { .since_unix_ms = export->cli->since_unix_ms,
                                     .until_unix_ms = export->cli->until_unix_ms };
    char subject[512];
    size_t before = export->count;
    int rc;

    filter.pid = oc_party_pid(word);
    if (word && !filter.pid) {
        if (oc_history_subject(word, subject, sizeof(subject)))
            return oc_cli_usage(export->cli, "that name is too long");
        filter.subject = subject;
    }
    rc = oc_reader_lives(export->reader, &filter, take_source, export);
    if (rc < 0 || export->rc)
        return oc_cli_error(export->cli, "%s", oc_err_text(rc < 0 ? rc : export->rc));
    if (export->count == before && word)
        return oc_cli_error(export->cli,
                            "the store has nothing of '%s' in that time; 'oomcast lives' lists "
                            "what there is",
                            word);
    return OC_EXIT_OK;
}

/* In the order of their ids, each once. */
static void sort_sources(struct export *export)
{
    size_t kept = 0;

    if (export->count > 1)
        qsort(export->sources, export->count, sizeof(*export->sources), compare_ids);
    for (size_t i = 0; i < export->count; i++) {
        if (kept == 0 || export->sources[kept - 1].source != export->sources[i].source)
            export->sources[kept++] = export->sources[i];
    }
    export->count = kept;
}

static int find_all(struct export *export)
{
    struct oc_cli *cli = export->cli;
    int exit_code = cli->arg_count == 0 ? find_sources(export, NULL) : OC_EXIT_OK;

    for (size_t i = 0; i < cli->arg_count && !exit_code; i++)
        exit_code = find_sources(export, cli->args[i]);
    sort_sources(export);
    return exit_code;
}

static int put_all(struct export *export, enum what what)
{
    static const char *const *const columns[] = { sample_columns, region_columns, family_columns,
                                                  module_columns, limit_columns,  life_columns };

    oc_rows_begin(&export->rows,
                  export->cli->format == OC_FORMAT_JSON ? OC_ROWS_JSON_LINES : OC_ROWS_CSV,
                  columns[what], &export->cli->out);
    switch (what) {
    case WHAT_SAMPLES:
        return put_samples(export);
    case WHAT_REGIONS:
        return put_walks(export, put_regions_of);
    case WHAT_FAMILIES:
        return put_walks(export, put_families_of);
    case WHAT_MODULES:
    case WHAT_LIMITS:
        return put_each(export, what);
    case WHAT_LIVES:
        break;
    }
    return put_lives(export);
}

static int run_export(struct oc_cli *cli)
{
    struct export export = { .cli = cli, .begin_ns = oc_clock_mono_ns() };
    enum what what = (enum what)oc_cli_number(cli, "what", WHAT_SAMPLES);
    int exit_code, rc;

    if (what != WHAT_SAMPLES && oc_cli_has(cli, "metric"))
        return oc_cli_usage(cli, "--metric is for samples; --what %s has none", what_words[what]);
    if (oc_cli_open_store(cli, &export.reader))
        return OC_EXIT_ERROR;
    exit_code = find_all(&export);
    if (!exit_code) {
        rc = put_all(&export, what);
        end_progress(&export);
        if (rc)
            exit_code =
                oc_cli_error(cli, "%s after %" PRIu64 " rows", oc_err_text(rc), export.rows.count);
    }
    oc_free(export.sources);
    oc_reader_close(export.reader);
    return exit_code;
}

static const struct oc_cli_option export_options[] = {
    { "what", 'w', OC_CLI_WORD, "WHAT", "samples", what_words },
    { "metric", 'm', OC_CLI_METRIC, "METRIC", "of samples: only this one; may be given again",
      NULL },
    { 0 },
};

static const struct oc_cli_example export_examples[] = {
    { "oomcast export --since 1d > day.csv", "all samples of the last day" },
    { "oomcast export nginx -m private -m swap --json | gzip > nginx.jsonl.gz",
      "two figures of one subject, as JSON lines" },
    { "oomcast export --what regions java --since yesterday", "what each walk found" },
    { "oomcast export --what limits", "each limit, from when to when it was so" },
    { 0 },
};

const struct oc_cli_command oc_cmd_export = {
    .name = "export",
    .summary = "samples, walks, limits, lives: rows for other programs",
    .usage = "[OPTION]... [SUBJECT|PID]...",
    .text =
        "Writes CSV, or with --json an object a line, as it reads: a large store needs no more "
        "memory than a small one. Columns keep their names and order; times are RFC 3339 with "
        "milliseconds where there are any, figures in plain units; what is unknown is an empty "
        "field, and no key.\n\n"
        "Samples come by metric, then by source and time; where raw ones are gone, rows of the "
        "finest tier that is left. A source of the kind \"group\" is the sum of a subject's "
        "processes: leave it out, or take it alone. regions and families have a row for each walk, "
        "modules one from load to unload, limits one for each value.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_RANGE | OC_CLI_HAS_JSON | OC_CLI_HAS_CSV,
    .options = export_options,
    .examples = export_examples,
    .max_args = OC_CLI_MAX_ARGS,
    .run = run_export,
};
