/* How `oomcast config check` and `config show` say what they know. */
#ifndef OC_CLI_COMMANDS_CONFIG_VIEW_H
#define OC_CLI_COMMANDS_CONFIG_VIEW_H

#include "cli/cli.h"
#include "cli/model/coverage.h"

/* For each target what it matches, and why others of the same name are not among them. */
void oc_config_view_check(struct oc_cli *cli, const struct oc_coverage *coverage);
void oc_config_view_check_json(struct oc_cli *cli, const struct oc_coverage *coverage);
/* The config with the origin of each value, as JSON without comments. */
void oc_config_view_show_json(struct oc_cli *cli, const struct oc_config *config);

#endif
