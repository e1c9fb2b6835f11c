/* --help, the manual and shell completion: loops over the table of commands. */
#ifndef OC_CLI_FRAME_HELP_H
#define OC_CLI_FRAME_HELP_H

#include "cli/cli.h"

/* Appended to cli->out. */
void oc_help_overview(struct oc_cli *cli);
void oc_help_command(struct oc_cli *cli, const struct oc_cli_command *command);

/* A man page: of a command, or with NULL of the program. Appended to *out. */
void oc_help_man(const struct oc_cli_command *command, struct oc_buf *out);

/* docs/commands.md: all commands. Appended to *out. */
void oc_help_markdown(struct oc_buf *out);

/* The command of a name, or NULL and the nearest name (or NULL). */
const struct oc_cli_command *oc_cli_find_command(const char *name, const char **out_nearest);

/* Terminal, colours, locale: fills is_tty, color, utf8, width, height. */
void oc_cli_look_around(struct oc_cli *cli);

#endif
