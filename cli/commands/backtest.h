/* What the files of oomcast backtest share. */
#ifndef OC_CLI_COMMANDS_BACKTEST_H
#define OC_CLI_COMMANDS_BACKTEST_H

#include "cli/cli.h"
#include "cli/model/replay.h"
#include "forecast/forecast.h"

/* What --gate, --alert and --sure say over the defaults. An exit code; the error has been said. */
int oc_backtest_settings(const struct oc_cli *cli, struct oc_forecast_settings *out_settings);

/* --limit as a number, a size with a unit, or NAN where it is not given. An exit code. */
int oc_backtest_limit(const struct oc_cli *cli, double *out_limit);

/* --stream: a trace on standard input, JSON lines on standard output. Returns an exit code. */
int oc_backtest_stream(struct oc_cli *cli);

/* What was replayed, as text or JSON. 0 or OC_E_NOMEM. */
int oc_backtest_show(struct oc_cli *cli, const struct oc_replay *replay);

#endif
