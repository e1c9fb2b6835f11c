#include "cli/frame/help.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define TEXT_WIDTH 78
#define MAX_OPTION_COLUMNS 30

static void head(struct oc_cli *cli, const char *text)
{
    oc_buf_printf(&cli->out, cli->color ? "\n\033[1m%s\033[0m\n" : "\n%s\n", text);
}

/* Words of text wrapped at width, each line after `indent` blanks; the first begins at column `at`.
 */
static void wrap(struct oc_buf *out, const char *text, size_t indent, size_t at)
{
    int first = 1;

    while (*text) {
        size_t len = strcspn(text, " \n");

        if (!first && at + 1 + len > TEXT_WIDTH) {
            oc_buf_putc(out, '\n');
            oc_buf_spaces(out, indent);
            at = indent;
        } else if (!first && len > 0) {
            oc_buf_putc(out, ' ');
            at++;
        }
        oc_buf_add(out, text, len);
        at += len;
        first = 0;
        text += len;
        if (*text)
            text++;
    }
    oc_buf_putc(out, '\n');
}

/* Paragraphs, parted by "\n\n". */
static void paragraphs(struct oc_buf *out, const char *text)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t len = end ? (size_t)(end - text) : strlen(text);
        char copy[1024];

        oc_text_copy_utf8(copy, sizeof(copy), text, len);
        wrap(out, copy, 0, 0);
        if (!end)
            break;
        oc_buf_putc(out, '\n');
        text = end + 2;
    }
}

static size_t option_head(const struct oc_cli_option *option, char *out, size_t out_bytes)
{
    int len;

    if (option->letter)
        len = snprintf(out, out_bytes, "  -%c, --%s", option->letter, option->name);
    else
        len = snprintf(out, out_bytes, "      --%s", option->name);
    if (option->placeholder && len > 0)
        len += snprintf(out + len, out_bytes - (size_t)len, " %s", option->placeholder);
    return len < 0 ? 0 : (size_t)len;
}

static void option_text(const struct oc_cli_option *option, struct oc_buf *text)
{
    oc_buf_puts(text, option->text);
    if (option->type != OC_CLI_WORD)
        return;
    oc_buf_puts(text, ": ");
    for (size_t i = 0; option->words[i]; i++)
        oc_buf_printf(text, "%s%s", i ? ", " : "", option->words[i]);
}

static void options(struct oc_cli *cli, const struct oc_cli_command *command)
{
    const struct oc_cli_option *option;
    char left[96];
    size_t width = 0;
    struct oc_buf text;

    for (size_t i = 0; (option = oc_cli_option_at(command, i)) != NULL; i++) {
        size_t len = option_head(option, left, sizeof(left));

        if (len > width && len <= MAX_OPTION_COLUMNS)
            width = len;
    }
    oc_buf_init(&text, 1024);
    for (size_t i = 0; (option = oc_cli_option_at(command, i)) != NULL; i++) {
        size_t len = option_head(option, left, sizeof(left));

        oc_buf_reset(&text);
        option_text(option, &text);
        oc_buf_puts(&cli->out, left);
        oc_buf_spaces(&cli->out, len < width ? width - len + 2 : 2);
        wrap(&cli->out, text.data ? text.data : "", width + 2, width + 2);
    }
    oc_buf_clear(&text);
}

static void examples(struct oc_cli *cli, const struct oc_cli_command *command)
{
    head(cli, "Examples");
    for (size_t i = 0; command->examples[i].command; i++)
        oc_buf_printf(&cli->out, "  %s\n      %s\n", command->examples[i].command,
                      command->examples[i].text);
}

void oc_help_command(struct oc_cli *cli, const struct oc_cli_command *command)
{
    struct oc_buf *out = &cli->out;

    oc_buf_printf(out, "oomcast %s: %s\n\nUsage: oomcast %s%s%s\n", command->name, command->summary,
                  command->name, command->usage[0] ? " " : "", command->usage);
    if (command->text) {
        oc_buf_putc(out, '\n');
        paragraphs(out, command->text);
    }
    head(cli, "Options");
    options(cli, command);
    if (command->examples)
        examples(cli, command);
    head(cli, "Exit codes");
    oc_buf_printf(out, "  %s\n",
                  command->plugin_exits
                      ? command->plugin_exits
                      : "0 done, 1 it could not be done, 2 the command line is wrong");
    if (command->exits) {
        oc_buf_puts(out, "  ");
        wrap(out, command->exits, 2, 2);
    }
}

void oc_help_overview(struct oc_cli *cli)
{
    const struct oc_cli_command *const *commands = oc_cli_commands();

    oc_buf_puts(&cli->out, "oomcast: what the processes of this machine do with its memory\n"
                           "\nUsage: oomcast COMMAND [OPTION]... [ARGUMENT]...\n");
    head(cli, "Commands");
    for (size_t i = 0; commands[i]; i++)
        oc_buf_printf(&cli->out, "  %-11s %s\n", commands[i]->name, commands[i]->summary);
    head(cli, "First steps");
    oc_buf_puts(&cli->out, "  oomcast watch PID          look at a process: no daemon, no config\n"
                           "  oomcast regions PID        what its memory is made of\n"
                           "  oomcast limits PID         every ceiling that it can meet\n"
                           "  oomcast watch -- COMMAND   record a run of a command\n"
                           "  oomcastd --foreground      start to watch this machine\n"
                           "  oomcast top                see it live\n"
                           "  oomcast COMMAND --help     options and examples of a command\n");
    oc_buf_puts(&cli->out, "\nThe store is looked for at --db PATH, $OOMCAST_DB, the system's, the "
                           "user's.\n");
}

/* ---- the manual ---- */

static void roff_paragraphs(struct oc_buf *out, const char *text)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        char copy[1024];

        oc_text_copy_utf8(copy, sizeof(copy), text, end ? (size_t)(end - text) : strlen(text));
        oc_buf_roff(out, copy);
        oc_buf_puts(out, end ? "\n.PP\n" : "\n");
        if (!end)
            break;
        text = end + 2;
    }
}

static void man_options(const struct oc_cli_command *command, struct oc_buf *out)
{
    const struct oc_cli_option *option;
    struct oc_buf text;

    oc_buf_init(&text, 1024);
    for (size_t i = 0; (option = oc_cli_option_at(command, i)) != NULL; i++) {
        oc_buf_puts(out, ".TP\n");
        if (option->letter)
            oc_buf_printf(out, "\\fB\\-%c\\fR, ", option->letter);
        oc_buf_puts(out, "\\fB\\-\\-");
        oc_buf_roff(out, option->name);
        oc_buf_puts(out, "\\fR");
        if (option->placeholder)
            oc_buf_printf(out, " \\fI%s\\fR", option->placeholder);
        oc_buf_putc(out, '\n');
        oc_buf_reset(&text);
        option_text(option, &text);
        oc_buf_roff(out, text.data ? text.data : "");
        oc_buf_putc(out, '\n');
    }
    oc_buf_clear(&text);
}

static void man_examples(const struct oc_cli_command *command, struct oc_buf *out)
{
    oc_buf_puts(out, ".SH EXAMPLES\n");
    for (size_t i = 0; command->examples[i].command; i++) {
        oc_buf_puts(out, ".TP\n\\fB");
        oc_buf_roff(out, command->examples[i].command);
        oc_buf_puts(out, "\\fR\n");
        oc_buf_roff(out, command->examples[i].text);
        oc_buf_putc(out, '\n');
    }
}

static void man_exits(const struct oc_cli_command *command, struct oc_buf *out)
{
    oc_buf_puts(out, ".SH EXIT STATUS\n");
    if (command && command->plugin_exits) {
        roff_paragraphs(out, command->plugin_exits);
        return;
    }
    oc_buf_puts(out, "0: done. 1: it could not be done; standard error says why. 2: the command "
                     "line is wrong.\n");
    if (command && command->exits) {
        oc_buf_puts(out, ".PP\n");
        roff_paragraphs(out, command->exits);
    }
}

static void man_command(const struct oc_cli_command *command, struct oc_buf *out)
{
    oc_buf_puts(out, ".TH \"OOMCAST\\-");
    for (const char *c = command->name; *c; c++) {
        if (*c == '-')
            oc_buf_puts(out, "\\-");
        else
            oc_buf_putc(out, *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
    }
    oc_buf_puts(out, "\" 1 \"\" \"oomcast\"\n.SH NAME\noomcast\\-");
    oc_buf_roff(out, command->name);
    oc_buf_puts(out, " \\- ");
    oc_buf_roff(out, command->summary);
    oc_buf_puts(out, "\n.SH SYNOPSIS\n\\fBoomcast ");
    oc_buf_roff(out, command->name);
    oc_buf_puts(out, "\\fR ");
    oc_buf_roff(out, command->usage);
    oc_buf_putc(out, '\n');
    if (command->text) {
        oc_buf_puts(out, ".SH DESCRIPTION\n");
        roff_paragraphs(out, command->text);
    }
    oc_buf_puts(out, ".SH OPTIONS\n");
    man_options(command, out);
    if (command->examples)
        man_examples(command, out);
    man_exits(command, out);
    oc_buf_puts(out, ".SH SEE ALSO\n\\fBoomcast\\fR(1)\n");
}

static void man_overview(struct oc_buf *out)
{
    const struct oc_cli_command *const *commands = oc_cli_commands();

    oc_buf_puts(out,
                ".TH OOMCAST 1 \"\" \"oomcast\"\n.SH NAME\noomcast \\- what the processes of "
                "this machine do with its memory\n.SH SYNOPSIS\n\\fBoomcast\\fR "
                "\\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n"
                ".SH DESCRIPTION\nAsks the store that the daemon \\fBoomcastd\\fR writes, while it "
                "writes or offline, and looks at any process without it.\n.SH COMMANDS\n");
    for (size_t i = 0; commands[i]; i++) {
        oc_buf_puts(out, ".TP\n\\fB");
        oc_buf_roff(out, commands[i]->name);
        oc_buf_puts(out, "\\fR\n");
        oc_buf_roff(out, commands[i]->summary);
        oc_buf_putc(out, '\n');
    }
    man_exits(NULL, out);
    oc_buf_puts(out, ".SH ENVIRONMENT\n.TP\n\\fBOOMCAST_DB\\fR\nThe store, where \\-\\-db is not "
                     "given.\n.TP\n\\fBNO_COLOR\\fR\nNo escape sequences.\n.SH SEE ALSO\n"
                     "\\fBoomcast help\\fR, \\fBoomcastd \\-\\-help\\fR\n");
}

void oc_help_man(const struct oc_cli_command *command, struct oc_buf *out)
{
    if (command)
        man_command(command, out);
    else
        man_overview(out);
}

/* ---- the page ---- */

static void markdown_options(const struct oc_cli_command *command, struct oc_buf *out)
{
    const struct oc_cli_option *option;

    oc_buf_puts(out, "| option | |\n|---|---|\n");
    for (size_t i = 0; (option = oc_cli_option_at(command, i)) != NULL; i++) {
        oc_buf_puts(out, "| `");
        if (option->letter)
            oc_buf_printf(out, "-%c`, `", option->letter);
        oc_buf_printf(out, "--%s%s%s` | ", option->name, option->placeholder ? " " : "",
                      option->placeholder ? option->placeholder : "");
        option_text(option, out);
        oc_buf_puts(out, " |\n");
    }
}

/* In a table cell of Markdown a '|' would end it; in a block of code nothing is escaped. */
static void markdown_examples(const struct oc_cli_command *command, struct oc_buf *out)
{
    oc_buf_puts(out, "\n```sh\n");
    for (size_t i = 0; command->examples[i].command; i++)
        oc_buf_printf(out, "%s# %s\n%s\n", i ? "\n" : "", command->examples[i].text,
                      command->examples[i].command);
    oc_buf_puts(out, "```\n");
}

static void markdown_command(const struct oc_cli_command *command, struct oc_buf *out)
{
    oc_buf_printf(
        out, "\n## oomcast %s\n\n%c%s.\n\n`oomcast %s%s%s`\n\n", command->name,
        command->summary[0] >= 'a' && command->summary[0] <= 'z' ? command->summary[0] - 'a' + 'A'
                                                                 : command->summary[0],
        command->summary + 1, command->name, command->usage[0] ? " " : "", command->usage);
    if (command->text)
        oc_buf_printf(out, "%s\n\n", command->text);
    markdown_options(command, out);
    if (command->exits || command->plugin_exits)
        oc_buf_printf(out, "\nExit codes: %s.\n",
                      command->exits ? command->exits : command->plugin_exits);
    if (command->examples)
        markdown_examples(command, out);
}

void oc_help_markdown(struct oc_buf *out)
{
    const struct oc_cli_command *const *commands = oc_cli_commands();

    oc_buf_puts(
        out, "# Commands\n\n"
             "Made from the table of commands by `oomcast help --markdown`; a test holds them "
             "equal.\n\n"
             "The store is looked for at `--db PATH`, `$OOMCAST_DB`, the system's, the user's. A "
             "time is `6h` or `2d` (that long ago), `today`, `yesterday`, `14:30`, a date, RFC "
             "3339 or `@` and Unix seconds; without an offset it is local. In tables bytes are "
             "written for people and `-` is unknown; in JSON and CSV figures stand in the unit "
             "that ends their name, and what is unknown has no key, or an empty field.\n\n"
             "Exit codes: 0 done; 1 it could not be done, standard error says why and what to do "
             "next; 2 the command line is wrong. Some commands have more.\n");
    for (size_t i = 0; commands[i]; i++)
        markdown_command(commands[i], out);
}
