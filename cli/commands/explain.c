/* oomcast explain: why something grows, from the store or by looks of our own. */
#include "cli/cli.h"
#include "cli/commands/look.h"
#include "cli/frame/repeat.h"
#include "cli/model/evidence_live.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "explain/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOOK_MS 1000      /* between two looks of --for */
#define LEAST_FOR_MS 1000 /* shorter, and noise is all there is */
#define LOOKS_LEAST 5     /* in a short one */
#define WIDEST 100        /* columns: longer lines are hard to read */

/* The two large ones off the stack. */
struct explain {
    struct oc_cli *cli;
    struct oc_evidence evidence;
    struct oc_explanation explanation;
    struct oc_live live;
    int64_t for_ms;
    int shows_progress; /* a line on standard error that is rewritten */
};

/* ---- the answer ---- */

static unsigned columns_of(const struct oc_cli *cli)
{
    if (!cli->is_tty)
        return 80;
    return cli->width < WIDEST ? (unsigned)cli->width : WIDEST;
}

static int answer(struct explain *explain)
{
    struct oc_cli *cli = explain->cli;

    oc_explain(&explain->evidence, &explain->explanation);
    if (cli->format == OC_FORMAT_JSON)
        oc_explain_json(&explain->evidence, &explain->explanation, &cli->out);
    else
        oc_explain_text(&explain->evidence, &explain->explanation, columns_of(cli), 0, &cli->out);
    return OC_EXIT_OK;
}

/* ---- a live process ---- */

static int cannot_look(const struct explain *explain, uint32_t pid, int rc)
{
    if (rc == OC_E_GONE || rc == OC_E_NOENT)
        return oc_cli_error(explain->cli,
                            "no process %" PRIu32 " here; 'oomcast explain %" PRIu32
                            " --life' says how it ended, if it was watched",
                            pid, pid);
    if (rc == OC_E_DENIED)
        return oc_cli_error(explain->cli,
                            "process %" PRIu32 " may not be looked at: run this as root (sudo); "
                            "'oomcast doctor %" PRIu32 "' says what is missing",
                            pid, pid);
    return oc_cli_error(explain->cli, "cannot look at process %" PRIu32 ": %s", pid,
                        oc_err_text(rc));
}

static void show_progress(const struct explain *explain, int64_t ms)
{
    const struct oc_moved *own = &explain->evidence.metrics[OC_METRIC_PRIVATE];
    char gone[32], all[32], bytes[32];

    if (!explain->shows_progress)
        return;
    (void)fprintf(
        stderr, "\r%s of %s, private %s%s\033[K", oc_text_ms(ms / 1000 * 1000, gone, sizeof(gone)),
        oc_text_ms(explain->for_ms, all, sizeof(all)),
        oc_moved_known(own) && own->now >= own->then ? "+" : "",
        oc_text_bytes(oc_moved_known(own) ? own->now - own->then : 0, bytes, sizeof(bytes)));
    (void)fflush(stderr);
}

/* Walks at even distances, so that the courses of families are known. The last one comes at the end. */
static int look_again(int64_t ms, void *context)
{
    struct explain *explain = context;
    const int64_t next = (int64_t)explain->live.walk_count;
    int rc = oc_live_look(&explain->live);

    if (!rc && ms < explain->for_ms && ms * (OC_LIVE_WALKS - 1) >= next * explain->for_ms)
        rc = oc_live_walk(&explain->live);
    show_progress(explain, ms);
    return rc;
}

static int look_for_a_while(struct explain *explain)
{
    int64_t interval_ms = explain->for_ms / LOOKS_LEAST;
    int rc;

    interval_ms = interval_ms < LOOK_MS ? interval_ms : LOOK_MS;
    rc = oc_cli_repeat(interval_ms, explain->for_ms, look_again, explain);
    if (explain->shows_progress)
        (void)fputs("\r\033[K", stderr);
    if (rc == OC_CLI_INTERRUPTED)
        oc_cli_note(explain->cli, "stopped early: this is what is known so far");
    if (rc == 0 || rc == OC_CLI_INTERRUPTED)
        rc = oc_live_walk(&explain->live);
    if (rc != OC_E_GONE)
        return rc;
    oc_cli_note(explain->cli, "the process ended meanwhile: this is what is known so far");
    return OC_OK;
}

static int explain_live(struct explain *explain, uint32_t pid)
{
    const struct oc_cli *cli = explain->cli;
    const struct oc_probe_options options = { .root = oc_cli_text(cli, "root", NULL),
                                              .no_connector = 1 };
    int rc = oc_live_begin(&explain->live, &options, pid, oc_cli_has(cli, "resident"),
                           &explain->evidence);

    if (rc)
        return cannot_look(explain, pid, rc);
    if (explain->for_ms > 0)
        rc = look_for_a_while(explain);
    if (rc)
        return cannot_look(explain, pid, rc);
    oc_live_end(&explain->live);
    return answer(explain);
}

/* ---- what is asked ---- */

static int run_asked(struct explain *explain)
{
    const uint32_t pid = oc_party_pid(explain->cli->args[0]);

    if (explain->for_ms > 0 && explain->for_ms < LEAST_FOR_MS)
        return oc_cli_usage(explain->cli, "--for %s: a second at least, better minutes",
                            oc_cli_text(explain->cli, "for", ""));
    if (pid == 0)
        return oc_cli_error(explain->cli, "'%s' is no process id", explain->cli->args[0]);
    return explain_live(explain, pid);
}

static int run_explain(struct oc_cli *cli)
{
    struct explain *explain = oc_calloc(1, sizeof(*explain));
    int exit_code;

    if (!explain)
        return oc_cli_error(cli, "%s", oc_err_text(OC_E_NOMEM));
    explain->cli = cli;
    explain->for_ms = oc_cli_number(cli, "for", 0);
    explain->shows_progress = oc_term_is_tty(OC_STDERR) == 1;
    exit_code = run_asked(explain);
    oc_live_clear(&explain->live);
    oc_free(explain);
    return exit_code;
}

static const struct oc_cli_option explain_options[] = {
    { "for", 0, OC_CLI_DURATION, "TIME", "look at a live process for so long, with no store",
      NULL },
    { "resident", 0, OC_CLI_FLAG, NULL,
      "with a look of our own: RAM of each usage; walks page tables, which stalls the process",
      NULL },
    { 0 },
};

static const struct oc_cli_example explain_examples[] = {
    { "oomcast explain 1234", "any process, with no daemon: what one look can say" },
    { "oomcast explain 1234 --for 2m", "looks again for two minutes: what grows" },
    { 0 },
};

const struct oc_cli_command oc_cmd_explain = {
    .name = "explain",
    .summary = "why something grows, and what to do next",
    .usage = "[OPTION]... SUBJECT|PID",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON | OC_CLI_HAS_ROOT,
    .options = explain_options,
    .examples = explain_examples,
    .min_args = 1,
    .max_args = 1,
    .run = run_explain,
};
