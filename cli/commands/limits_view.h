/* How limits are written: tables and JSON. */
#ifndef OC_CLI_COMMANDS_LIMITS_VIEW_H
#define OC_CLI_COMMANDS_LIMITS_VIEW_H

#include "cli/cli.h"
#include "cli/model/ceilings.h"
#include "cli/show/json.h"

/* Those of some processes, in their order, and what happens to who meets them. 0 or a code. */
int oc_limits_table(struct oc_cli *cli, const struct oc_ceilings *ceilings);
void oc_limits_legend(struct oc_cli *cli, const struct oc_ceilings *ceilings);
/* The member "limits" of the object now open. */
void oc_limits_json(struct oc_json *json, const struct oc_ceilings *ceilings);

/* A row, or an object, for each subject. 0 or a code. */
int oc_limits_table_all(struct oc_cli *cli, const struct oc_nearest *all, size_t count);
void oc_limits_json_all(struct oc_cli *cli, const struct oc_nearest *all, size_t count);

#endif
