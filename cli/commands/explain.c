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

/* ---- the store ---- */

/* What the store knows of a word; NULL reader: there is no store, or none that may be read. */
static int read_stored(struct explain *explain, oc_reader *reader, const char *word)
{
    const struct oc_cli *cli = explain->cli;
    const uint32_t pid = oc_party_pid(word);
    const struct oc_evidence_query query = { .subject = pid ? NULL : word,
                                             .pid = pid,
                                             .want_ended = oc_cli_has(cli, "life"),
                                             .since_unix_ms = cli->since_unix_ms,
                                             .until_unix_ms = cli->until_unix_ms };

    return oc_reader_evidence(reader, &query, &explain->evidence);
}

/* Nobody of that name: the party's error names those that are near. */
static int say_unknown(struct explain *explain, const char *word)
{
    struct oc_party party = { 0 };
    oc_reader *reader = NULL;
    const int exit_code = oc_look_party(explain->cli, word, INT64_MAX, &reader, &party);

    oc_party_clear(&party);
    oc_reader_close(reader);
    if (exit_code)
        return exit_code;
    return oc_cli_error(
        explain->cli,
        oc_cli_has(explain->cli, "life")
            ? "no process of %s has ended; 'oomcast lives' lists them"
            : "nothing is known of %s in that time; 'oomcast lives' says when it ran",
        word);
}

/* From the store, which must be there. On success the evidence is filled in. */
static int ask_store(struct explain *explain, const char *word)
{
    oc_reader *reader = NULL;
    int rc;

    if (oc_cli_open_store(explain->cli, &reader))
        return OC_EXIT_ERROR;
    rc = read_stored(explain, reader, word);
    oc_reader_close(reader);
    if (rc == OC_E_NOENT)
        return say_unknown(explain, word);
    return rc ? oc_cli_error(explain->cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

static int explain_life(struct explain *explain, const char *word)
{
    struct oc_cli *cli = explain->cli;
    const int exit_code = ask_store(explain, word);

    if (exit_code)
        return exit_code;
    if (cli->format == OC_FORMAT_JSON)
        oc_explain_life_json(&explain->evidence, &cli->out);
    else
        oc_explain_life_text(&explain->evidence, columns_of(cli), &cli->out);
    return OC_EXIT_OK;
}

static int explain_stored(struct explain *explain, const char *word)
{
    const int exit_code = ask_store(explain, word);

    return exit_code ? exit_code : answer(explain);
}

/* Whether the store knows this process, and that it runs: then it knows more than a look can say. */
static int is_watched(struct explain *explain, uint32_t pid)
{
    char word[16];
    oc_reader *reader = NULL;
    int rc;

    (void)snprintf(word, sizeof(word), "%" PRIu32, pid);
    oc_cli_find_store(explain->cli);
    if (oc_reader_open(explain->cli->db_path, &reader, NULL))
        return 0;
    rc = read_stored(explain, reader, word);
    oc_reader_close(reader);
    return rc == OC_OK && explain->evidence.is_live;
}

static int explain_pid(struct explain *explain, uint32_t pid)
{
    const int is_past = explain->cli->since_unix_ms > 0 || explain->cli->until_unix_ms < INT64_MAX;

    if (is_past)
        return explain_stored(explain, explain->cli->args[0]);
    if (explain->for_ms == 0 && !oc_cli_has(explain->cli, "resident") && is_watched(explain, pid))
        return answer(explain);
    memset(&explain->evidence, 0, sizeof(explain->evidence));
    return explain_live(explain, pid);
}

/* Of a subject the process that grew most. */
static int look_at_subject(struct explain *explain, const char *word)
{
    const int exit_code = ask_store(explain, word);
    const uint32_t pid = explain->evidence.pid;

    if (exit_code)
        return exit_code;
    if (pid == 0 || !explain->evidence.is_live)
        return oc_cli_error(explain->cli, "no process of %s runs now", word);
    memset(&explain->evidence, 0, sizeof(explain->evidence));
    return explain_live(explain, pid);
}

/* ---- what is asked ---- */

static int check_asked(const struct explain *explain)
{
    const struct oc_cli *cli = explain->cli;
    const int is_past = cli->since_unix_ms > 0 || cli->until_unix_ms < INT64_MAX;
    const int looks = explain->for_ms > 0 || oc_cli_has(cli, "resident");

    if (explain->for_ms > 0 && explain->for_ms < LEAST_FOR_MS)
        return oc_cli_usage(cli, "--for %s: a second at least, better minutes",
                            oc_cli_text(cli, "for", ""));
    if (looks && is_past)
        return oc_cli_usage(cli, "--for and --resident look at a process now, --since and --until "
                                 "ask the store");
    if (looks && oc_cli_has(cli, "life"))
        return oc_cli_usage(cli, "--life tells of an end: there is nothing to look at");
    return OC_EXIT_OK;
}

static int run_asked(struct explain *explain)
{
    const char *word = explain->cli->args[0];
    const uint32_t pid = oc_party_pid(word);
    const int exit_code = check_asked(explain);

    if (exit_code)
        return exit_code;
    if (oc_cli_has(explain->cli, "life"))
        return explain_life(explain, word);
    if (pid)
        return explain_pid(explain, pid);
    if (explain->for_ms > 0 || oc_cli_has(explain->cli, "resident"))
        return look_at_subject(explain, word);
    return explain_stored(explain, word);
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
    { "for", 0, OC_CLI_DURATION, "TIME", "look at a process of this machine for so long", NULL },
    { "life", 0, OC_CLI_FLAG, NULL,
      "of the one that ended last: who ended it, which limit, and how wrong the forecast was",
      NULL },
    { "resident", 0, OC_CLI_FLAG, NULL,
      "look at pages: RAM of each usage, which stalls the process for some ms a GiB", NULL },
    { 0 },
};

static const struct oc_cli_example explain_examples[] = {
    { "oomcast explain unit:shop.service", "since its growth began, as the daemon saw it" },
    { "oomcast explain shop --since 6h --json | jq '.causes[0].title'", "for a script" },
    { "oomcast explain 1234", "any process, with no daemon: what one look can say" },
    { "oomcast explain 1234 --for 2m",
      "looks again for two minutes; Ctrl-C: what is known so far" },
    { "oomcast explain shop --life", "after the end: was it memory, and was it foretold" },
    { 0 },
};

const struct oc_cli_command oc_cmd_explain = {
    .name = "explain",
    .summary = "why something grows, and what to do next",
    .usage = "[OPTION]... SUBJECT|PID",
    .text = "Says since when it grows and by how much, which share of that each region usage, "
            "heap, family, "
            "the stacks, page cache, shared memory, the kernel and other processes have, and what "
            "is left "
            "unexplained; which known causes fit, with what was seen and what speaks against them; "
            "and what "
            "to do next, as commands with the PID filled in. Commands that stop or slow the "
            "process say so.\n\n"
            "Of what is watched the answer comes from the store. Of any other process of this "
            "machine a look "
            "says what is there; --for looks again and again and says what grows. Growth is "
            "measured in RAM; "
            "shares marked ~ are told from address space, cut to what came.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_RANGE | OC_CLI_HAS_JSON | OC_CLI_HAS_ROOT,
    .options = explain_options,
    .examples = explain_examples,
    .min_args = 1,
    .max_args = 1,
    .run = run_explain,
};
