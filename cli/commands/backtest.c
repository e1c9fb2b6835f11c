/* oomcast backtest: what the forecaster would have said, replayed. */
#include "cli/commands/backtest.h"

#include "base/os.h"
#include "base/text.h"
#include "cli/model/replay_file.h"
#include "cli/model/replay_store.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRESS_AFTER_NS INT64_C(1500000000)
#define PROGRESS_EVERY_NS INT64_C(250000000)

/* ---- options that are numbers ---- */

/* A plain number with all of its text. 0 or OC_E_PARSE. */
static int parse_number(const char *text, double *out_value)
{
    char *end = NULL;

    if (strspn(text, "+-.0123456789eE") != strlen(text))
        return OC_E_PARSE; /* strtod() would take blanks, words and hexadecimal */
    *out_value = strtod(text, &end);
    return end != text && *end == '\0' && fabs(*out_value) <= DBL_MAX ? OC_OK : OC_E_PARSE;
}

/* An option's number within its bounds; untouched where it is not given. An exit code. */
static int take_number(const struct oc_cli *cli, const char *name, double least, double most,
                       double *inout_value)
{
    const char *text = oc_cli_text(cli, name, NULL);
    double value = 0;

    if (!text)
        return OC_EXIT_OK;
    if (parse_number(text, &value) || value < least || value > most)
        return oc_cli_usage(cli, "--%s takes a number from %g to %g, not '%s'", name, least, most,
                            text);
    *inout_value = value;
    return OC_EXIT_OK;
}

int oc_backtest_settings(const struct oc_cli *cli, struct oc_forecast_settings *out_settings)
{
    int exit_code;

    oc_forecast_settings_init(out_settings);
    exit_code = take_number(cli, "gate", 0, 1, &out_settings->gate);
    if (!exit_code)
        exit_code = take_number(cli, "alert", -50, 50, &out_settings->alert);
    if (!exit_code)
        exit_code = take_number(cli, "sure", -50, 50, &out_settings->sure);
    return exit_code;
}

int oc_backtest_limit(const struct oc_cli *cli, double *out_limit)
{
    const char *text = oc_cli_text(cli, "limit", NULL);
    uint64_t bytes;

    *out_limit = (double)NAN;
    if (!text || !parse_number(text, out_limit))
        return OC_EXIT_OK;
    if (oc_text_size_bytes(text, &bytes))
        return oc_cli_usage(cli, "--limit takes a number or a size such as 2GiB, not '%s'", text);
    *out_limit = (double)bytes;
    return OC_EXIT_OK;
}

/* ---- progress ---- */

struct progress {
    struct oc_cli *cli;
    int64_t begin_ns, said_ns;
    int has_said;
};

/* For who sees it: long work says how far it is. */
static void say_progress(struct progress *progress, uint64_t samples, int percent)
{
    int64_t now_ns = oc_clock_mono_ns();

    if (now_ns - progress->begin_ns < PROGRESS_AFTER_NS ||
        now_ns - progress->said_ns < PROGRESS_EVERY_NS || oc_term_is_tty(OC_STDERR) != 1)
        return;
    progress->said_ns = now_ns;
    progress->has_said = 1;
    if (percent >= 0)
        (void)fprintf(stderr, "\r%3d %%  %" PRIu64 " samples\033[K", percent, samples);
    else
        (void)fprintf(stderr, "\r%" PRIu64 " samples\033[K", samples);
    (void)fflush(stderr);
}

static void on_rows(uint64_t samples, void *context) { say_progress(context, samples, -1); }

static void on_lives(uint64_t samples, size_t done, size_t all, void *context)
{
    say_progress(context, samples, all ? (int)(100 * done / all) : 0);
}

/* ---- running ---- */

static int replay_file(struct oc_cli *cli, struct oc_replay *replay, double limit,
                       struct progress *progress)
{
    const char *path = oc_cli_text(cli, "file", "-");
    struct oc_replay_file file = { .path = path,
                                   .name = cli->arg_count ? cli->args[0] : "",
                                   .metric = (unsigned)oc_cli_number(cli, "metric", 0),
                                   .limit = limit,
                                   .ends_met = oc_cli_has(cli, "died"),
                                   .progress = on_rows,
                                   .context = progress };
    struct oc_detail detail = { 0 };
    int rc = oc_replay_of_file(replay, &file, &detail);

    if (!rc)
        return OC_EXIT_OK;
    return oc_cli_error(cli, "%s: %s", path, detail.text[0] ? detail.text : oc_err_text(rc));
}

static int replay_store(struct oc_cli *cli, struct oc_replay *replay, double limit,
                        struct progress *progress)
{
    struct oc_replay_query query = { .word = cli->arg_count ? cli->args[0] : NULL,
                                     .since_unix_ms = cli->since_unix_ms,
                                     .until_unix_ms = cli->until_unix_ms,
                                     .metric = (unsigned)oc_cli_number(cli, "metric", 0),
                                     .limit = limit,
                                     .progress = on_lives,
                                     .context = progress };
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;
    int rc;

    if (oc_cli_open_store(cli, &reader))
        return OC_EXIT_ERROR;
    if (query.until_unix_ms == INT64_MAX)
        query.until_unix_ms = cli->now_unix_ms + 1000;
    rc = oc_replay_of_store(replay, reader, &query, &detail);
    oc_reader_close(reader);
    if (rc)
        return oc_cli_error(cli, "%s", detail.text[0] ? detail.text : oc_err_text(rc));
    if (replay->series == 0)
        return oc_cli_error(cli, "no limit was in force: nothing can run out. Give one by --limit, "
                                 "or see 'oomcast limits'");
    return OC_EXIT_OK;
}

static int replay_and_show(struct oc_cli *cli, struct oc_replay *replay, double limit)
{
    struct progress progress = { .cli = cli, .begin_ns = oc_clock_mono_ns() };
    int exit_code = oc_cli_has(cli, "file") ? replay_file(cli, replay, limit, &progress)
                                            : replay_store(cli, replay, limit, &progress);
    int rc;

    if (progress.has_said)
        (void)fputs("\r\033[K", stderr);
    if (exit_code)
        return exit_code;
    if (replay->tried)
        return oc_backtest_tried(cli, replay->tried);
    oc_replay_sort(replay);
    rc = cli->format == OC_FORMAT_JSON ? oc_backtest_json(cli, replay)
                                       : oc_backtest_text(cli, replay);
    return rc ? oc_cli_error(cli, "%s", oc_err_text(rc)) : OC_EXIT_OK;
}

static int run_replay(struct oc_cli *cli)
{
    struct oc_forecast_settings settings;
    struct oc_replay_tried tried = { 0 };
    struct oc_replay replay;
    double limit = 0;
    int exit_code = oc_backtest_settings(cli, &settings);

    if (!exit_code)
        exit_code = oc_backtest_limit(cli, &limit);
    if (!exit_code && oc_cli_has(cli, "rules"))
        exit_code = oc_backtest_try(cli, &tried);
    if (exit_code)
        return exit_code;
    if (oc_replay_init(&replay, &settings, oc_cli_has(cli, "compare")))
        exit_code = oc_cli_error(cli, "%s", oc_err_text(OC_E_NOMEM));
    replay.tried = oc_cli_has(cli, "rules") ? &tried : NULL;
    if (!exit_code)
        exit_code = replay_and_show(cli, &replay, limit);
    oc_replay_clear(&replay);
    oc_replay_tried_clear(&tried);
    return exit_code;
}

/* The first of the options that was given; NULL: none. */
static const char *first_given(const struct oc_cli *cli, const char *const *names)
{
    while (*names && !oc_cli_has(cli, *names))
        names++;
    return *names;
}

static int check_replay(const struct oc_cli *cli)
{
    static const char *const of_store[] = { "db", "since", "until", NULL };
    const char *odd = first_given(cli, of_store);

    if (oc_cli_has(cli, "every"))
        return oc_cli_usage(cli, "--every belongs to --stream");
    if (oc_cli_has(cli, "file") && odd)
        return oc_cli_usage(cli, "--%s is about the store, and --file about a trace", odd);
    if (oc_cli_has(cli, "expect") && !oc_cli_has(cli, "rules"))
        return oc_cli_usage(cli, "--expect is about what --rules say");
    if (oc_cli_has(cli, "compare") && oc_cli_has(cli, "rules"))
        return oc_cli_usage(cli, "--compare and --rules are two questions: one at a time");
    if (oc_cli_has(cli, "died") && !oc_cli_has(cli, "file"))
        return oc_cli_usage(cli, "--died belongs to --file: the store knows how lives ended");
    return OC_EXIT_OK;
}

static int check_stream(const struct oc_cli *cli)
{
    static const char *const of_others[] = { "file",   "compare", "rows",  "died", "json",
                                             "expect", "since",   "until", "db",   NULL };
    const char *odd = first_given(cli, of_others);

    if (odd)
        return oc_cli_usage(cli, "--%s does not go with --stream", odd);
    if (cli->arg_count > 0)
        return oc_cli_usage(cli, "--stream takes its trace from standard input, no subject");
    if (oc_cli_number(cli, "every", 1) == 0)
        return oc_cli_usage(cli, "--every takes a number from 1 on");
    return OC_EXIT_OK;
}

static int run_backtest(struct oc_cli *cli)
{
    int is_stream = oc_cli_has(cli, "stream");
    int exit_code = is_stream ? check_stream(cli) : check_replay(cli);

    if (exit_code)
        return exit_code;
    return is_stream ? oc_backtest_stream(cli) : run_replay(cli);
}

static const struct oc_cli_option backtest_options[] = {
    { "metric", 'm', OC_CLI_METRIC, "METRIC",
      "only this figure; with --file or --stream what its values are", NULL },
    { "limit", 0, OC_CLI_TEXT, "VALUE",
      "as if this had been the limit: a number, or a size such as 2GiB", NULL },
    { "compare", 0, OC_CLI_FLAG, NULL, "thresholds and straight lines (predict_linear) beside it",
      NULL },
    { "gate", 0, OC_CLI_TEXT, "SHARE",
      "0 to 1: no alert before growth was seen for this share of its whole way", NULL },
    { "alert", 0, OC_CLI_TEXT, "ODDS",
      "log odds from which it is a leak; more is quieter, and later", NULL },
    { "sure", 0, OC_CLI_TEXT, "ODDS", "log odds from which an interval has an upper end", NULL },
    { "rows", 'n', OC_CLI_INT, "N", "at most so many alerts, and ends; 40, 0 is all", NULL },
    { "file", 'f', OC_CLI_TEXT, "FILE.csv", "a trace in place of the store; - is standard input",
      NULL },
    { "died", 0, OC_CLI_FLAG, NULL, "with --file: it ends since the limit was met", NULL },
    { "stream", 0, OC_CLI_FLAG, NULL,
      "a trace on standard input, JSON lines on standard output: for programs that score", NULL },
    { "rules", 0, OC_CLI_TEXT, "CONFIG",
      "what the rules of a config would have alerted; default: those without one", NULL },
    { "expect", 0, OC_CLI_TEXT, "FILE",
      "with --rules: held against that, as such an answer; a difference is exit code 1", NULL },
    { "every", 0, OC_CLI_INT, "N", "with --stream: a forecast after each N samples; 10", NULL },
    { 0 },
};

static const struct oc_cli_example backtest_examples[] = {
    { "oomcast backtest --since 7d --compare",
      "the last week of this machine, and what rules would have said" },
    { "oomcast backtest unit:shop.service --since 2d --limit 4GiB",
      "whether another limit would have changed what is said" },
    { "oomcast backtest java --alert 4", "how many alerts are left if it is to be surer" },
    { "oomcast backtest --file trace.csv --limit 2GiB --died --json | jq .alerts",
      "a recording from elsewhere" },
    { "oomcast backtest --file leak.csv --rules oomcast.json > leak.expected",
      "which alerts the rules of a config would have raised, to be kept as a test of them" },
    { "oomcast backtest --file leak.csv --rules oomcast.json --expect leak.expected",
      "whether they still do" },
    { "oomcast backtest --stream --limit 2147483648 --every 60 < trace.csv",
      "alerts and forecasts as JSON lines, as they would have come" },
    { 0 },
};

const struct oc_cli_command oc_cmd_backtest = {
    .name = "backtest",
    .summary = "what would have been said when: the past, replayed through the forecaster",
    .usage = "[OPTION]... [SUBJECT|PID]",
    .text =
        "Replays samples of the store against the limits that were in force, sample by sample and "
        "life by life, and says which alerts would have been raised, for how long ahead, and what "
        "really came. Nothing is known before its time: what earlier lives taught counts from "
        "their end on. The cgroups of a subject's processes come with it. It begins without a "
        "memory of what was before --since.\n\n"
        "An alert is right where the limit was met (a kill by it counts too), false where it was "
        "taken back. One that ended with a restart or a change of the limit, or that still "
        "stands, is neither. Limits that were met without one are listed as not foretold. An "
        "interval is judged by whether the end lay in it; one whose upper "
        "end passed without an end was wrong.\n\n"
        "A trace is CSV whose first line names its columns: t (seconds, of any clock), value, and "
        "where known inc (another number after each restart), limit, and further figures such as "
        "modules or threads, which confirm or refute growth. With --stream each line of the "
        "answer is a JSON object: {\"t\", \"alert\"} when an alert is raised or cleared, {\"t\", "
        "\"eta\", \"lo\", \"hi\"} after each N samples, in seconds from t; null is never.\n\n"
        "--rules tries rules of kind forecast, threshold, growth and exhausted on each figure by "
        "itself, "
        "and prints a line for each alert that begins, ends, or is told or kept back from then on. "
        "A line of --expect may leave fields empty, which stand for anything; lines with # are "
        "passed over.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_RANGE | OC_CLI_HAS_JSON,
    .options = backtest_options,
    .examples = backtest_examples,
    .max_args = 1,
    .run = run_backtest,
};
