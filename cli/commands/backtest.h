/* What the files of oomcast backtest share. */
#ifndef OC_CLI_COMMANDS_BACKTEST_H
#define OC_CLI_COMMANDS_BACKTEST_H

#include "base/rule.h"
#include "cli/cli.h"
#include "cli/model/replay.h"
#include "cli/model/replay_tried.h"
#include "forecast/forecast.h"

/* What --gate, --alert and --sure say over the defaults. An exit code; the error has been said. */
int oc_backtest_settings(const struct oc_cli *cli, struct oc_forecast_settings *out_settings);

/* --limit as a number, a size with a unit, or NAN where it is not given. An exit code. */
int oc_backtest_limit(const struct oc_cli *cli, double *out_limit);

/*
 * The rules that --rules names: those of a config, or "default"; windows too, where they are wanted (NULL: not). Yours to
 * clear. An exit code.
 */
int oc_backtest_rules(struct oc_cli *cli, struct oc_rules *out_rules,
                      struct oc_windows *out_windows);

/* Those of them that a replay can try, into *out_tried. An exit code. */
int oc_backtest_try(struct oc_cli *cli, struct oc_replay_tried *out_tried);
/* What they said; with --expect how that differs: then the exit code is 1. */
int oc_backtest_tried(struct oc_cli *cli, struct oc_replay_tried *tried);

/* --stream: a trace on standard input, JSON lines on standard output. Returns an exit code. */
int oc_backtest_stream(struct oc_cli *cli);

#define OC_BACKTEST_LEAST_WALL_MS                                                                  \
    INT64_C(100000000000) /* 1973: times below count from a trace's own beginning */

/* What was replayed, for people and as JSON. 0 or OC_E_NOMEM. */
int oc_backtest_text(struct oc_cli *cli, const struct oc_replay *replay);
int oc_backtest_json(struct oc_cli *cli, const struct oc_replay *replay);

/* "memory.max", or "limit" where it was given with a trace. Borrowed for ever. */
const char *oc_backtest_limit_name(const struct oc_replay_name *name);

/* Whether a limit was met with no alert standing. */
static inline int oc_backtest_is_miss(const struct oc_replay_end *end)
{
    return (end->alerts & (1u << OC_METHOD_FORECAST)) == 0;
}

#endif
