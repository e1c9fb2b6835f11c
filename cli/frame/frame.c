#include "cli/cli.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "cli/frame/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OUT_BYTES                                                                              \
    (64u << 20) /* one answer held in memory; what may be longer is flushed as it grows */
#define MAX_MESSAGE_BYTES ((size_t)4096)
#define DEFAULT_WIDTH 100
#define DEFAULT_HEIGHT 30

static const struct oc_cli_command *const commands[] = {
    &oc_cmd_top,
    &oc_cmd_forecast,
    &oc_cmd_explain,
    &oc_cmd_alerts,
    &oc_cmd_silence,
    &oc_cmd_check,
    &oc_cmd_history,
    &oc_cmd_lives,
    &oc_cmd_watch,
    &oc_cmd_regions,
    &oc_cmd_modules,
    &oc_cmd_limits,
    &oc_cmd_diff,
    &oc_cmd_status,
    &oc_cmd_doctor,
    &oc_cmd_accuracy,
    &oc_cmd_backtest,
    &oc_cmd_sql,
    &oc_cmd_export,
    &oc_cmd_db,
    &oc_cmd_walk_now,
    &oc_cmd_reload,
    &oc_cmd_config,
    &oc_cmd_metrics,
    &oc_cmd_service,
    &oc_cmd_completion,
    &oc_cmd_help,
    &oc_cmd_version,
    NULL,
};

const struct oc_cli_command *const *oc_cli_commands(void) { return commands; }

/* ---- messages ---- */

#if defined(__GNUC__)
__attribute__((format(printf, 2, 0)))
#endif
static void
say(const struct oc_cli *cli, const char *format, va_list args)
{
    struct oc_buf text, line;

    oc_buf_init(&text, MAX_MESSAGE_BYTES);
    oc_buf_init(&line, 5 * MAX_MESSAGE_BYTES); /* an escape is at most four bytes */
    oc_buf_vprintf(&text, format, args);
    oc_buf_puts(&line, "oomcast");
    if (cli && cli->command)
        oc_buf_printf(&line, " %s", cli->command->name);
    oc_buf_puts(&line, ": ");
    oc_buf_escaped(&line, text.data ? text.data : format);
    oc_buf_putc(&line, '\n');
    (void)fflush(stdout); /* what was said before stands before */
    if (line.data)
        (void)oc_term_write(OC_STDERR, line.data, line.len_bytes);
    else
        (void)fputs("oomcast: out of memory\n", stderr);
    oc_buf_clear(&line);
    oc_buf_clear(&text);
}

int oc_cli_error(const struct oc_cli *cli, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(cli, format, args);
    va_end(args);
    return OC_EXIT_ERROR;
}

void oc_cli_note(const struct oc_cli *cli, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(cli, format, args);
    va_end(args);
}

int oc_cli_usage(const struct oc_cli *cli, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(cli, format, args);
    va_end(args);
    if (cli && cli->command)
        (void)fprintf(stderr, "Try 'oomcast %s --help'.\n", cli->command->name);
    else
        (void)fputs("Try 'oomcast --help'.\n", stderr);
    return OC_EXIT_USAGE;
}

/* ---- output ---- */

int oc_cli_flush(struct oc_cli *cli)
{
    int rc = cli->out.err;

    if (!rc && cli->out.len_bytes > 0)
        rc = oc_term_write(OC_STDOUT, cli->out.data, cli->out.len_bytes);
    if (!rc && fflush(stdout) != 0)
        rc = OC_E_IO;
    oc_buf_reset(&cli->out);
    return rc;
}

/* ---- surroundings ---- */

static const char *first_env(const char *const *names)
{
    for (; *names; names++) {
        const char *value = getenv(*names);

        if (value && *value)
            return value;
    }
    return "";
}

static int locale_is_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG", NULL };
    static const char *const forms[] = { "UTF-8", "utf-8", "UTF8", "utf8", NULL };
    const char *locale = first_env(names);

    for (size_t i = 0; forms[i]; i++) {
        if (strstr(locale, forms[i]))
            return 1;
    }
    return getenv("WT_SESSION") != NULL; /* Windows Terminal; Windows sets none of the others */
}

void oc_cli_look_around(struct oc_cli *cli)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    oc_term_init();
    cli->is_tty = oc_term_is_tty(OC_STDOUT) == 1;
    cli->width = DEFAULT_WIDTH;
    cli->height = DEFAULT_HEIGHT;
    if (oc_term_size(OC_STDOUT, &cli->width, &cli->height) || cli->width < 20 || cli->height < 5) {
        cli->width = DEFAULT_WIDTH;
        cli->height = DEFAULT_HEIGHT;
    }
    cli->utf8 = locale_is_utf8();
    cli->color = cli->is_tty && !(no_color && *no_color) && !oc_cli_has(cli, "no-color") &&
                 !(term && strcmp(term, "dumb") == 0);
}

/* ---- running ---- */

static const struct oc_cli_command *find_command(const char *name)
{
    for (size_t i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

/* The command that begins so; NULL: none, or more than one. */
static const char *command_from(const char *beginning)
{
    const char *found = NULL;

    for (size_t i = 0; commands[i]; i++) {
        if (strncmp(commands[i]->name, beginning, strlen(beginning)) != 0)
            continue;
        if (found)
            return NULL;
        found = commands[i]->name;
    }
    return found;
}

const struct oc_cli_command *oc_cli_find_command(const char *name, const char **out_nearest)
{
    const char *words[sizeof(commands) / sizeof(commands[0])] = { NULL };
    const struct oc_cli_command *command = find_command(name);

    for (size_t i = 0; commands[i]; i++)
        words[i] = commands[i]->name;
    *out_nearest = command ? NULL : oc_text_nearest(name, words);
    if (!command && !*out_nearest)
        *out_nearest = command_from(name);
    return command;
}

static int unknown_command(const struct oc_cli *cli, const char *name)
{
    const char *nearest;

    (void)oc_cli_find_command(name, &nearest);
    if (name[0] == '-')
        return oc_cli_usage(cli, "a command's options stand behind it: oomcast COMMAND %s", name);
    if (nearest)
        return oc_cli_usage(cli, "no command '%s'; did you mean '%s'?", name, nearest);
    return oc_cli_usage(cli, "no command '%s'", name);
}

static int run_command(struct oc_cli *cli, int argc, char **argv)
{
    struct oc_detail detail = { 0 };
    int exit_code;
    int rc;

    rc = oc_cli_parse(cli, argc, argv, &detail);
    oc_cli_look_around(cli);
    if (rc && cli->command->refuse) {
        exit_code = cli->command->refuse(cli, detail.text[0] ? detail.text : oc_err_text(rc));
    } else if (rc) {
        return oc_cli_usage(cli, "%s", detail.text[0] ? detail.text : oc_err_text(rc));
    } else if (oc_cli_has(cli, "help")) {
        oc_help_command(cli, cli->command);
        exit_code = OC_EXIT_OK;
    } else {
        exit_code = cli->command->run(cli);
    }
    rc = oc_cli_flush(cli);
    if (rc && exit_code == OC_EXIT_OK)
        exit_code = oc_cli_error(cli, "cannot write the answer: %s", oc_err_text(rc));
    return exit_code;
}

static int is_word(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

/* A common option, which may stand before the command too. NULL: another word. */
static const struct oc_cli_option *leading_option(const char *word)
{
    size_t len = strcspn(word, "=");

    for (size_t row = 0; row < oc_cli_common_count(); row++) {
        const struct oc_cli_option *option = oc_cli_common_option(row);

        if (strcmp(word, "--help") != 0 && strncmp(word, "--", 2) == 0 &&
            strlen(option->name) == len - 2 && memcmp(word + 2, option->name, len - 2) == 0)
            return option;
    }
    return NULL;
}

int oc_cli_command_first(int argc, char **argv)
{
    int at = 1;
    char *name;

    while (at < argc) {
        const struct oc_cli_option *option = leading_option(argv[at]);

        if (!option)
            break;
        at += option->type == OC_CLI_FLAG || strchr(argv[at], '=') ? 1 : 2;
    }
    if (at >= argc)
        return OC_E_NOENT;
    name = argv[at];
    memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof(*argv));
    argv[1] = name;
    return OC_OK;
}

static int dispatch(struct oc_cli *cli, int argc, char **argv)
{
    static char *none[] = { NULL };
    const char *name;

    if (argc > 1 && oc_cli_command_first(argc, argv))
        return oc_cli_usage(cli, "a command is missing");
    name = argc > 1 ? argv[1] : "help";
    if (is_word(name, "--help", "-h", "help"))
        cli->command = &oc_cmd_help;
    else if (is_word(name, "--version", "-V", "version"))
        cli->command = &oc_cmd_version;
    else
        cli->command = find_command(name);
    if (!cli->command)
        return unknown_command(cli, name);
    return argc > 2 ? run_command(cli, argc - 2, argv + 2) : run_command(cli, 0, none);
}

int oc_cli_main(int argc, char **argv)
{
    static struct oc_cli cli; /* a few KiB: off the stack */
    int exit_code;

    oc_alloc_init();
    memset(&cli, 0, sizeof(cli));
    oc_buf_init(&cli.out, MAX_OUT_BYTES);
    cli.now_unix_ms = oc_clock_unix_ms();
    exit_code = dispatch(&cli, argc, argv);
    oc_buf_clear(&cli.out);
    return exit_code;
}
