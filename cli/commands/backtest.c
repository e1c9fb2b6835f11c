/* oomcast backtest: what the forecaster would have said, replayed. */
#include "cli/commands/backtest.h"

#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- running ---- */

static int run_backtest(struct oc_cli *cli)
{
    if (oc_cli_number(cli, "every", 1) == 0)
        return oc_cli_usage(cli, "--every takes a number from 1 on");
    return oc_backtest_stream(cli);
}

static const struct oc_cli_option backtest_options[] = {
    { "stream", 0, OC_CLI_FLAG, NULL, "a trace on standard input, JSON lines on standard output",
      NULL },
    { "limit", 0, OC_CLI_TEXT, "VALUE", "the limit: a number, or a size such as 2GiB", NULL },
    { "every", 0, OC_CLI_INT, "N", "with --stream: a forecast after each N samples; 10", NULL },
    { "metric", 'm', OC_CLI_METRIC, "METRIC", "what the values are; private_bytes", NULL },
    { "gate", 0, OC_CLI_TEXT, "SHARE",
      "no alert before growth was seen for this share of its way to the limit", NULL },
    { "alert", 0, OC_CLI_TEXT, "ODDS", "log odds from which it is a leak; more: quieter and later",
      NULL },
    { "sure", 0, OC_CLI_TEXT, "ODDS", "log odds from which an interval has an upper end", NULL },
    { 0 },
};

static const struct oc_cli_example backtest_examples[] = {
    { "oomcast backtest --stream --limit 2GiB --every 60 < trace.csv",
      "alerts and forecasts as JSON lines, for a program" },
    { 0 },
};

const struct oc_cli_command oc_cmd_backtest = {
    .name = "backtest",
    .summary = "what the forecaster would have said, replayed",
    .usage = "[OPTION]... --stream",
    .text = "Replays a trace through the forecaster.",
    .options = backtest_options,
    .examples = backtest_examples,
    .run = run_backtest,
};
