/* A look at a process of this machine, with no daemon: what regions, modules and limits share. */
#ifndef OC_CLI_COMMANDS_LOOK_H
#define OC_CLI_COMMANDS_LOOK_H

#include "cli/cli.h"
#include "cli/model/party.h"
#include "cli/show/json.h"
#include "probes/probe.h"

/* Walks it. On failure an error with its mend has been said. An exit code; *out_walk is yours. */
int oc_look_walk(struct oc_cli *cli, const struct oc_walk_request *request,
                 struct oc_walk *out_walk);

/* Says why a walk without mappings has none. Returns OC_EXIT_ERROR. */
int oc_look_hidden(struct oc_cli *cli, const struct oc_walk *walk);

/* "java (pid 4711) of user web, a JVM, 64-bit" and its command line, as the head of an answer. */
void oc_look_head(struct oc_cli *cli, const struct oc_walk *walk);

/* What the look took, and how long the process may have waited for it. */
void oc_look_cost(struct oc_cli *cli, const struct oc_walk *walk);
void oc_look_json_cost(struct oc_json *json, const struct oc_walk *walk);

/* "walk of 14:05:10, 3 m 12 s ago". */
const char *oc_look_age(const struct oc_cli *cli, int64_t t_unix_ms, char *out, size_t out_bytes);

/* Opens the store and finds the processes of a word at --at, or now. On failure an error has been
 * said. An exit code; *out_reader and *party (zeroed) are yours. */
int oc_look_party(struct oc_cli *cli, const char *word, int64_t at_unix_ms, oc_reader **out_reader,
                  struct oc_party *party);

/* Says that none of a party has a walk. Returns OC_EXIT_ERROR. */
int oc_look_no_walk(struct oc_cli *cli, const struct oc_party *party, int64_t at_unix_ms);

#endif
