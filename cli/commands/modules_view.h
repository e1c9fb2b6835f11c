/* How modules and families are written: tables and JSON. */
#ifndef OC_CLI_COMMANDS_MODULES_VIEW_H
#define OC_CLI_COMMANDS_MODULES_VIEW_H

#include "cli/cli.h"
#include "cli/model/families.h"
#include "cli/show/json.h"

/* At most `limit` rows (of each kind of families); 0 is all. 0 or a code. */
int oc_modules_put_families(struct oc_cli *cli, const struct oc_family_rows *families,
                            size_t limit);
int oc_modules_put_list(struct oc_cli *cli, const struct oc_modules *modules, size_t limit);

/* Members of the object now open: "families", of the kinds of a mask, and "modules". */
void oc_modules_json_families(struct oc_json *json, const struct oc_family_rows *families,
                              unsigned kinds);
/* Flushed as it grows: 0 or a code. */
int oc_modules_json_list(struct oc_cli *cli, struct oc_json *json,
                         const struct oc_modules *modules);

#endif
