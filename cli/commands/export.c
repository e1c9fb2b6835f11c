/* oomcast export: what the store holds, row by row, for other programs. */
#include "cli/commands/export.h"
#include "cli/cli.h"
#include "cli/model/history.h"
#include "cli/model/party.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const what_words[] = { "samples", "regions", "families", "modules",
                                          "limits",  "lives",   NULL };

/* ---- which ---- */

static int take_source(const struct oc_life_row *row, void *context)
{
    struct oc_export *export = context;
    void *sources = export->sources;
    struct oc_export_source *source;

    export->rc = oc_array_grow(&sources, &export->capacity, export->count + 1, sizeof(*source),
                               OC_EXPORT_MAX_SOURCES);
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

static int find_sources(struct oc_export *export, const char *word)
{
    struct oc_life_filter filter = { .since_unix_ms = export->cli->since_unix_ms,
                                     .until_unix_ms = export->cli->until_unix_ms };
    size_t before = export->count;
    int rc;

    filter.pid = oc_party_pid(word);
    if (!filter.pid)
        filter.subject = word;
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
static void sort_sources(struct oc_export *export)
{
    size_t kept = 0;

    if (export->count > 1)
        qsort(export->sources, export->count, sizeof(*export->sources), oc_export_compare);
    for (size_t i = 0; i < export->count; i++) {
        if (kept == 0 || export->sources[kept - 1].source != export->sources[i].source)
            export->sources[kept++] = export->sources[i];
    }
    export->count = kept;
}

static int find_all(struct oc_export *export)
{
    struct oc_cli *cli = export->cli;
    int exit_code = cli->arg_count == 0 ? find_sources(export, NULL) : OC_EXIT_OK;

    for (size_t i = 0; i < cli->arg_count && !exit_code; i++)
        exit_code = find_sources(export, cli->args[i]);
    sort_sources(export);
    return exit_code;
}

static int run_export(struct oc_cli *cli)
{
    struct oc_export export = { .cli = cli, .begin_ns = oc_clock_mono_ns() };
    enum oc_export_what what = (enum oc_export_what)oc_cli_number(cli, "what", OC_EXPORT_SAMPLES);
    int exit_code, rc;

    if (what != OC_EXPORT_SAMPLES && oc_cli_has(cli, "metric"))
        return oc_cli_usage(cli, "--metric is for samples; --what %s has none", what_words[what]);
    if (oc_cli_open_store(cli, &export.reader))
        return OC_EXIT_ERROR;
    exit_code = find_all(&export);
    if (!exit_code) {
        rc = oc_export_rows(&export, what);
        oc_export_end_progress(&export);
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
