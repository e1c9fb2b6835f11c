#include "cli/frame/help.h"

#include "base/os.h"

#include <stdio.h>

#ifndef OC_VERSION
#define OC_VERSION "0.0.0"
#endif

#define MAX_PAGE_BYTES (1u << 20)

static int write_page(const char *folder, const struct oc_cli_command *command)
{
    struct oc_buf page;
    char path[1024];
    int written = snprintf(path, sizeof(path), "%s/oomcast%s%s.1", folder, command ? "-" : "",
                           command ? command->name : "");
    int rc;

    if (written < 0 || (size_t)written >= sizeof(path))
        return OC_E_TOOBIG;
    oc_buf_init(&page, MAX_PAGE_BYTES);
    oc_help_man(command, &page);
    rc = page.err ? page.err : oc_file_write_atomic(path, page.data, page.len_bytes);
    oc_buf_clear(&page);
    return rc;
}

/* A page for each command, and the one of the program: what packages install. */
static int write_pages(struct oc_cli *cli, const char *folder)
{
    const struct oc_cli_command *const *commands = oc_cli_commands();
    int rc = oc_os_mkdir_all(folder);

    if (!rc)
        rc = write_page(folder, NULL);
    for (size_t i = 0; commands[i] && !rc; i++)
        rc = write_page(folder, commands[i]);
    return rc ? oc_cli_error(cli, "cannot write to %s: %s", folder, oc_err_text(rc)) : OC_EXIT_OK;
}

static int run_help(struct oc_cli *cli)
{
    const struct oc_cli_command *command = NULL;
    const char *nearest = NULL;

    if (cli->arg_count > 0) {
        command = oc_cli_find_command(cli->args[0], &nearest);
        if (!command && nearest)
            return oc_cli_usage(cli, "no command '%s'; did you mean '%s'?", cli->args[0], nearest);
        if (!command)
            return oc_cli_usage(cli, "no command '%s'", cli->args[0]);
    }
    if (oc_cli_has(cli, "man-dir"))
        return write_pages(cli, oc_cli_text(cli, "man-dir", ""));
    if (oc_cli_has(cli, "markdown"))
        oc_help_markdown(&cli->out);
    else if (oc_cli_has(cli, "man"))
        oc_help_man(command, &cli->out);
    else if (command)
        oc_help_command(cli, command);
    else
        oc_help_overview(cli);
    return OC_EXIT_OK;
}

static const struct oc_cli_option help_options[] = {
    { "man", 0, OC_CLI_FLAG, NULL, "as a man page (roff)", NULL },
    { "man-dir", 0, OC_CLI_TEXT, "DIR", "all man pages into a folder, which is made", NULL },
    { "markdown", 0, OC_CLI_FLAG, NULL, "the page docs/commands.md: all commands", NULL },
    { 0 },
};

static const struct oc_cli_example help_examples[] = {
    { "oomcast help history", "options and examples of a command" },
    { "oomcast help --man watch | man -l -", "its man page" },
    { 0 },
};

const struct oc_cli_command oc_cmd_help = {
    .name = "help",
    .summary = "commands, options, examples; man pages",
    .usage = "[OPTION]... [COMMAND]",
    .options = help_options,
    .examples = help_examples,
    .max_args = 1,
    .run = run_help,
};

static int run_version(struct oc_cli *cli)
{
    oc_buf_puts(&cli->out, "oomcast " OC_VERSION "\n");
    return OC_EXIT_OK;
}

const struct oc_cli_command oc_cmd_version = {
    .name = "version",
    .summary = "the version of this program",
    .usage = "",
    .run = run_version,
};
