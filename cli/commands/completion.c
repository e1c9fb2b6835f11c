/* Shell completion: loops over the tables, so that it never lags behind them. */
#include "cli/cli.h"

#include "base/metric.h"

#include <string.h>

/* Option names "--since --until …", its words where it takes some, metric names for METRIC. */
static void bash_words(struct oc_buf *out, const struct oc_cli_option *option)
{
    if (option->type == OC_CLI_METRIC) {
        for (unsigned number = 0; number < OC_METRIC_MAX; number++) {
            const struct oc_metric_row *row = oc_metric_by_number(number);

            if (row)
                oc_buf_printf(out, " %s", row->name);
        }
        return;
    }
    for (size_t i = 0; option->words && option->words[i]; i++)
        oc_buf_printf(out, " %s", option->words[i]);
}

static void bash_command(struct oc_buf *out, const struct oc_cli_command *command)
{
    const struct oc_cli_option *option;

    oc_buf_printf(out, "    %s)\n        case $prev in\n", command->name);
    for (size_t i = 0; (option = oc_cli_option_at(command, i)) != NULL; i++) {
        if (option->type == OC_CLI_FLAG)
            continue;
        oc_buf_printf(out, "        --%s", option->name);
        if (option->letter)
            oc_buf_printf(out, "|-%c", option->letter);
        oc_buf_puts(out, ") ");
        if (option->words || option->type == OC_CLI_METRIC) {
            oc_buf_puts(out, "COMPREPLY=($(compgen -W \"");
            bash_words(out, option);
            oc_buf_puts(out, "\" -- \"$cur\")); return;;\n");
        } else {
            oc_buf_puts(out, "COMPREPLY=($(compgen -f -- \"$cur\")); return;;\n");
        }
    }
    oc_buf_puts(out, "        esac\n        opts=\"");
    for (size_t i = 0; (option = oc_cli_option_at(command, i)) != NULL; i++)
        oc_buf_printf(out, "%s--%s", i ? " " : "", option->name);
    oc_buf_puts(out, "\";;\n");
}

static void print_bash(struct oc_buf *out)
{
    const struct oc_cli_command *const *commands = oc_cli_commands();

    oc_buf_puts(out, "# bash completion for oomcast: source <(oomcast completion bash)\n"
                     "_oomcast()\n{\n"
                     "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
                     "opts=\n"
                     "    COMPREPLY=()\n"
                     "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                     "        COMPREPLY=($(compgen -W \"");
    for (size_t i = 0; commands[i]; i++)
        oc_buf_printf(out, "%s%s", i ? " " : "", commands[i]->name);
    oc_buf_puts(out, "\" -- \"$cur\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; commands[i]; i++)
        bash_command(out, commands[i]);
    oc_buf_puts(out, "    esac\n"
                     "    case $cur in\n"
                     "    -*) COMPREPLY=($(compgen -W \"$opts\" -- \"$cur\"));;\n"
                     "    *) COMPREPLY=($(compgen -f -- \"$cur\"));;\n"
                     "    esac\n}\ncomplete -F _oomcast oomcast\n");
}

/* In single quotes; within brackets of a zsh specification ':' and ']' are its own. */
static void zsh_quoted(struct oc_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            oc_buf_puts(out, "'\\''");
        else if (strchr(":[]\\", *text))
            oc_buf_printf(out, "\\%c", *text);
        else
            oc_buf_putc(out, *text);
    }
}

static void zsh_option(struct oc_buf *out, const struct oc_cli_option *option)
{
    oc_buf_printf(out, "            '--%s%s[", option->name,
                  option->type == OC_CLI_FLAG ? "" : "=");
    zsh_quoted(out, option->text);
    oc_buf_puts(out, "]");
    if (option->type != OC_CLI_FLAG) {
        oc_buf_printf(out, ":%s:", option->placeholder);
        if (option->words || option->type == OC_CLI_METRIC) {
            oc_buf_puts(out, "(");
            bash_words(out, option);
            oc_buf_puts(out, ")");
        } else {
            oc_buf_puts(out, "_files");
        }
    }
    oc_buf_puts(out, "' \\\n");
}

static void print_zsh(struct oc_buf *out)
{
    const struct oc_cli_command *const *commands = oc_cli_commands();

    oc_buf_puts(out, "#compdef oomcast\n# oomcast completion zsh > a folder of $fpath/_oomcast\n"
                     "_oomcast()\n{\n    local -a commands\n    commands=(\n");
    for (size_t i = 0; commands[i]; i++) {
        oc_buf_printf(out, "        '%s:", commands[i]->name);
        zsh_quoted(out, commands[i]->summary);
        oc_buf_puts(out, "'\n");
    }
    oc_buf_puts(out, "    )\n    if (( CURRENT == 2 )); then\n"
                     "        _describe command commands\n        return\n    fi\n"
                     "    case ${words[2]} in\n");
    for (size_t i = 0; commands[i]; i++) {
        const struct oc_cli_option *option;

        oc_buf_printf(out, "    %s)\n        _arguments \\\n", commands[i]->name);
        for (size_t o = 0; (option = oc_cli_option_at(commands[i], o)) != NULL; o++)
            zsh_option(out, option);
        oc_buf_puts(out, "            '*:file:_files';;\n");
    }
    oc_buf_puts(out, "    esac\n}\n_oomcast \"$@\"\n");
}

static void fish_quoted(struct oc_buf *out, const char *text)
{
    oc_buf_putc(out, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            oc_buf_putc(out, '\\');
        oc_buf_putc(out, *text);
    }
    oc_buf_putc(out, '\'');
}

static void fish_command(struct oc_buf *out, const struct oc_cli_command *command)
{
    const struct oc_cli_option *option;

    oc_buf_printf(out, "complete -c oomcast -n __fish_use_subcommand -f -a %s -d ", command->name);
    fish_quoted(out, command->summary);
    oc_buf_putc(out, '\n');
    for (size_t i = 0; (option = oc_cli_option_at(command, i)) != NULL; i++) {
        oc_buf_printf(out, "complete -c oomcast -n '__fish_seen_subcommand_from %s' -l %s",
                      command->name, option->name);
        if (option->letter)
            oc_buf_printf(out, " -s %c", option->letter);
        if (option->words || option->type == OC_CLI_METRIC) {
            oc_buf_puts(out, " -x -a '");
            bash_words(out, option);
            oc_buf_puts(out, "'");
        } else if (option->type != OC_CLI_FLAG) {
            oc_buf_puts(out, " -r");
        }
        oc_buf_puts(out, " -d ");
        fish_quoted(out, option->text);
        oc_buf_putc(out, '\n');
    }
}

static void print_fish(struct oc_buf *out)
{
    const struct oc_cli_command *const *commands = oc_cli_commands();

    oc_buf_puts(out, "# oomcast completion fish > ~/.config/fish/completions/oomcast.fish\n");
    for (size_t i = 0; commands[i]; i++)
        fish_command(out, commands[i]);
}

static int run_completion(struct oc_cli *cli)
{
    const char *shell = cli->args[0];

    if (strcmp(shell, "bash") == 0)
        print_bash(&cli->out);
    else if (strcmp(shell, "zsh") == 0)
        print_zsh(&cli->out);
    else if (strcmp(shell, "fish") == 0)
        print_fish(&cli->out);
    else
        return oc_cli_usage(cli, "no completion for '%s'; there is bash, zsh and fish", shell);
    return OC_EXIT_OK;
}

static const struct oc_cli_example completion_examples[] = {
    { "source <(oomcast completion bash)", "in this shell" },
    { "oomcast completion fish > ~/.config/fish/completions/oomcast.fish", "for every fish" },
    { 0 },
};

const struct oc_cli_command oc_cmd_completion = {
    .name = "completion",
    .summary = "completion of this program for bash, zsh or fish",
    .usage = "bash|zsh|fish",
    .examples = completion_examples,
    .min_args = 1,
    .max_args = 1,
    .run = run_completion,
};
