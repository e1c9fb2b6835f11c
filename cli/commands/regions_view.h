/* How regions are written: the three tables, a list, JSON. */
#ifndef OC_CLI_COMMANDS_REGIONS_VIEW_H
#define OC_CLI_COMMANDS_REGIONS_VIEW_H

#include "cli/cli.h"
#include "cli/model/regions.h"
#include "cli/show/json.h"

/* By usage, type and state, one below the other in the same columns. 0 or a code. */
int oc_regions_tables(struct oc_cli *cli, const struct oc_regions *regions);

/* What the tables leave to be said: the largest hole, what nothing explains. */
void oc_regions_notes(struct oc_cli *cli, const struct oc_regions *regions);

/* The head of a listing, and a line of it. */
void oc_regions_list_head(struct oc_cli *cli, int has_resident);
void oc_regions_list_line(struct oc_cli *cli, const struct oc_region *region, int has_resident);

/* Members of the object now open: "usages": [...] and so on; a region is an object of an array. */
void oc_regions_json(struct oc_json *json, const struct oc_regions *regions);
void oc_regions_json_region(struct oc_json *json, const struct oc_region *region);

/* Reached by tests: "r-xp". */
const char *oc_regions_protection(unsigned protect, char out[5]);

#endif
