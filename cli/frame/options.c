#include "cli/cli.h"

#include "base/metric.h"
#include "base/text.h"
#include "cli/show/timespec.h"

#include <stdio.h>
#include <string.h>

static const struct {
    struct oc_cli_option option;
    unsigned bit;
} common_bits[] = {
    { { "db", 0, OC_CLI_TEXT, "PATH", "the store: its file, or the folder of oomcast.db", NULL },
      OC_CLI_HAS_DB },
    { { "since", 0, OC_CLI_TIME, "TIME", "from then on: 6h, 2d, today, 14:30, RFC 3339", NULL },
      OC_CLI_HAS_RANGE },
    { { "until", 0, OC_CLI_TIME, "TIME", "up to then", NULL }, OC_CLI_HAS_RANGE },
    { { "json", 0, OC_CLI_FLAG, NULL, "JSON, figures in plain units", NULL }, OC_CLI_HAS_JSON },
    { { "csv", 0, OC_CLI_FLAG, NULL, "CSV, figures in plain units", NULL }, OC_CLI_HAS_CSV },
    { { "root", 0, OC_CLI_TEXT, "DIR", "look at the system below DIR: /host, in a container",
        NULL },
      OC_CLI_HAS_ROOT },
    { { "no-color", 0, OC_CLI_FLAG, NULL, "no escape sequences (as does NO_COLOR)", NULL }, 0 },
    { { "help", 'h', OC_CLI_FLAG, NULL, "this text", NULL }, 0 },
};

#define COMMON_COUNT (sizeof(common_bits) / sizeof(common_bits[0]))

size_t oc_cli_common_count(void) { return COMMON_COUNT; }

const struct oc_cli_option *oc_cli_common_option(size_t row) { return &common_bits[row].option; }

int oc_cli_common_applies(const struct oc_cli_command *command, size_t row)
{
    return common_bits[row].bit == 0 || (command && (command->common & common_bits[row].bit) != 0);
}

/* The option of a command, by index over its own and then the common ones; NULL at the end. */
const struct oc_cli_option *oc_cli_option_at(const struct oc_cli_command *command, size_t index)
{
    size_t row = 0;

    if (command && command->options) {
        while (command->options[row].name && row < index)
            row++;
        if (command->options[row].name)
            return &command->options[row];
    }
    index -= row;
    for (row = 0; row < COMMON_COUNT; row++) {
        if (!oc_cli_common_applies(command, row))
            continue;
        if (index-- == 0)
            return &common_bits[row].option;
    }
    return NULL;
}

/* ---- getters ---- */

static const struct oc_cli_value *find_value(const struct oc_cli *cli, const char *name)
{
    for (size_t i = cli->value_count; i-- > 0;) { /* the last one counts */
        if (strcmp(cli->values[i].option->name, name) == 0)
            return &cli->values[i];
    }
    return NULL;
}

int oc_cli_has(const struct oc_cli *cli, const char *name) { return find_value(cli, name) != NULL; }

const char *oc_cli_text(const struct oc_cli *cli, const char *name, const char *fallback)
{
    const struct oc_cli_value *value = find_value(cli, name);

    return value ? value->text : fallback;
}

int64_t oc_cli_number(const struct oc_cli *cli, const char *name, int64_t fallback)
{
    const struct oc_cli_value *value = find_value(cli, name);

    return value ? value->number : fallback;
}

/* ---- values ---- */

static int bad_word(const struct oc_cli_option *option, const char *text, struct oc_detail *detail)
{
    const char *nearest = oc_text_nearest(text, option->words);
    struct oc_buf all;
    int rc;

    oc_buf_init(&all, 400);
    for (size_t i = 0; option->words[i]; i++)
        oc_buf_printf(&all, "%s%s", i ? ", " : "", option->words[i]);
    if (nearest)
        rc = oc_detail_set(detail, OC_E_INVAL, "--%s: no such word '%s'; did you mean '%s'?",
                           option->name, text, nearest);
    else
        rc = oc_detail_set(detail, OC_E_INVAL, "--%s: no such word '%s'; it takes %s", option->name,
                           text, all.data ? all.data : "");
    oc_buf_clear(&all);
    return rc;
}

static int near_without(const char *metric, const char *unit, const char *text)
{
    size_t len = strlen(metric), unit_len = strlen(unit);
    char stem[80];
    const char *const words[] = { stem, NULL };

    if (len <= unit_len || strcmp(metric + len - unit_len, unit) != 0)
        return 1;
    oc_text_copy_utf8(stem, sizeof(stem), metric, len - unit_len);
    return oc_text_nearest(text, words) != NULL;
}

/* The unit may be missing from what was meant too. */
static const char *nearest_metric(const char *text)
{
    static const char *const units[] = { "", "_bytes", "_count" };
    const char *nearest = NULL;
    char name[80];

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && !nearest; i++) {
        (void)snprintf(name, sizeof(name), "%.60s%s", text, units[i]);
        nearest = oc_metric_nearest(name);
        if (nearest && !near_without(nearest, units[i], text))
            nearest = NULL; /* a common unit makes no two names alike */
    }
    return nearest;
}

static int bad_metric(const char *text, struct oc_detail *detail)
{
    const char *nearest = nearest_metric(text);

    if (nearest)
        return oc_detail_set(detail, OC_E_INVAL, "no metric '%s'; did you mean '%s'?", text,
                             nearest);
    return oc_detail_set(detail, OC_E_INVAL, "no metric '%s'; 'oomcast metrics' lists them", text);
}

int oc_cli_metric(const char *text, unsigned *out_number, struct oc_detail *detail)
{
    const struct oc_metric_row *row = oc_metric_by_name(text);

    if (!row)
        return bad_metric(text, detail);
    *out_number = row->number;
    return OC_OK;
}

static int parse_word(const struct oc_cli_option *option, const char *text, int64_t *out_number,
                      struct oc_detail *detail)
{
    for (size_t i = 0; option->words[i]; i++) {
        if (strcmp(option->words[i], text) == 0) {
            *out_number = (int64_t)i;
            return OC_OK;
        }
    }
    return bad_word(option, text, detail);
}

static int parse_int(const char *text, int64_t *out_number)
{
    int64_t number;

    if (oc_text_i64(text, &number) || number < 0)
        return OC_E_PARSE;
    *out_number = number;
    return OC_OK;
}

static int parse_value(const struct oc_cli *cli, const struct oc_cli_option *option,
                       const char *text, int64_t *out_number, struct oc_detail *detail)
{
    unsigned metric = 0;
    int rc;

    switch (option->type) {
    case OC_CLI_FLAG:
    case OC_CLI_TEXT:
        return OC_OK;
    case OC_CLI_WORD:
        return parse_word(option, text, out_number, detail);
    case OC_CLI_METRIC:
        rc = oc_cli_metric(text, &metric, detail);
        if (!rc)
            *out_number = metric;
        return rc;
    case OC_CLI_INT:
        if (!parse_int(text, out_number))
            return OC_OK;
        return oc_detail_set(detail, OC_E_INVAL, "--%s takes a number, not '%s'", option->name,
                             text);
    case OC_CLI_DURATION:
        if (!oc_text_duration_ms(text, out_number))
            return OC_OK;
        return oc_detail_set(detail, OC_E_INVAL,
                             "--%s takes a duration such as 500ms, 10s or 1h30m, not '%s'",
                             option->name, text);
    case OC_CLI_TIME:
        if (!oc_timespec_parse(text, cli->now_unix_ms, out_number))
            return OC_OK;
        return oc_detail_set(detail, OC_E_INVAL,
                             "--%s takes a time such as 6h, yesterday, 14:30 or "
                             "2026-11-23T14:30:00Z, not '%s'",
                             option->name, text);
    }
    return OC_E_INVAL;
}

static int take_value(struct oc_cli *cli, const struct oc_cli_option *option, const char *text,
                      struct oc_detail *detail)
{
    struct oc_cli_value value = { .option = option, .text = text, .number = 1 };
    int rc;

    if (cli->value_count == OC_CLI_MAX_OPTIONS)
        return oc_detail_set(detail, OC_E_TOOBIG, "more than %d options", OC_CLI_MAX_OPTIONS);
    rc = parse_value(cli, option, text, &value.number, detail);
    if (rc)
        return rc;
    cli->values[cli->value_count++] = value;
    return OC_OK;
}

/* ---- names ---- */

static int unknown_option(const struct oc_cli *cli, const char *name, size_t len,
                          struct oc_detail *detail)
{
    const char *words[OC_CLI_MAX_OPTIONS + COMMON_COUNT + 1] = { NULL };
    const struct oc_cli_option *option;
    const char *nearest;
    char copy[64] = "";
    size_t count = 0;

    while (count < OC_CLI_MAX_OPTIONS + COMMON_COUNT &&
           (option = oc_cli_option_at(cli->command, count)) != NULL)
        words[count++] = option->name;
    oc_text_copy_utf8(copy, sizeof(copy), name, len);
    nearest = oc_text_nearest(copy, words);
    if (nearest)
        return oc_detail_set(detail, OC_E_INVAL, "no option '--%s'; did you mean '--%s'?", copy,
                             nearest);
    return oc_detail_set(detail, OC_E_INVAL, "no option '--%s'", copy);
}

static const struct oc_cli_option *find_long(const struct oc_cli *cli, const char *name, size_t len)
{
    const struct oc_cli_option *option;

    for (size_t i = 0; (option = oc_cli_option_at(cli->command, i)) != NULL; i++) {
        if (strlen(option->name) == len && memcmp(option->name, name, len) == 0)
            return option;
    }
    return NULL;
}

static const struct oc_cli_option *find_letter(const struct oc_cli *cli, char letter)
{
    const struct oc_cli_option *option;

    for (size_t i = 0; (option = oc_cli_option_at(cli->command, i)) != NULL; i++) {
        if (option->letter == letter)
            return option;
    }
    return NULL;
}

/* inline_value: what stands behind '=' or the letter; NULL: none. *at moves on where the next word
 * is the value. */
static int take_option(struct oc_cli *cli, const struct oc_cli_option *option,
                       const char *inline_value, int argc, char **argv, int *at,
                       struct oc_detail *detail)
{
    if (option->type == OC_CLI_FLAG) {
        if (inline_value)
            return oc_detail_set(detail, OC_E_INVAL, "--%s takes no value", option->name);
        return take_value(cli, option, "", detail);
    }
    if (inline_value)
        return take_value(cli, option, inline_value, detail);
    if (*at + 1 >= argc)
        return oc_detail_set(detail, OC_E_INVAL, "--%s needs a value: --%s %s", option->name,
                             option->name, option->placeholder);
    *at += 1;
    return take_value(cli, option, argv[*at], detail);
}

static int parse_long(struct oc_cli *cli, int argc, char **argv, int *at, struct oc_detail *detail)
{
    const char *name = argv[*at] + 2;
    size_t len = strcspn(name, "=");
    const struct oc_cli_option *option = find_long(cli, name, len);

    if (!option)
        return unknown_option(cli, name, len, detail);
    return take_option(cli, option, name[len] ? name + len + 1 : NULL, argc, argv, at, detail);
}

static int parse_letters(struct oc_cli *cli, int argc, char **argv, int *at,
                         struct oc_detail *detail)
{
    const char *letters = argv[*at] + 1;

    for (; *letters; letters++) {
        const struct oc_cli_option *option = find_letter(cli, *letters);
        int rc;

        if (!option)
            return oc_detail_set(detail, OC_E_INVAL, "no option '-%c'", *letters);
        if (option->type != OC_CLI_FLAG)
            return take_option(cli, option, letters[1] ? letters + 1 : NULL, argc, argv, at,
                               detail);
        rc = take_value(cli, option, "", detail);
        if (rc)
            return rc;
    }
    return OC_OK;
}

static int take_arg(struct oc_cli *cli, const char *text, struct oc_detail *detail)
{
    if (cli->arg_count == OC_CLI_MAX_ARGS)
        return oc_detail_set(detail, OC_E_TOOBIG, "more than %d arguments", OC_CLI_MAX_ARGS);
    cli->args[cli->arg_count++] = text;
    return OC_OK;
}

static int parse_words(struct oc_cli *cli, int argc, char **argv, struct oc_detail *detail)
{
    int only_args = 0;

    for (int at = 0; at < argc; at++) {
        const char *word = argv[at];
        int rc;

        if (!only_args && strcmp(word, "--") == 0) {
            if (cli->command && cli->command->takes_command) {
                cli->rest = argv + at + 1;
                return OC_OK;
            }
            only_args = 1;
            continue;
        }
        if (!only_args && strncmp(word, "--", 2) == 0)
            rc = parse_long(cli, argc, argv, &at, detail);
        else if (!only_args && word[0] == '-' && word[1])
            rc = parse_letters(cli, argc, argv, &at, detail);
        else
            rc = take_arg(cli, word, detail);
        if (rc)
            return rc;
    }
    return OC_OK;
}

static int check_counts(const struct oc_cli *cli, struct oc_detail *detail)
{
    const struct oc_cli_command *command = cli->command;

    if (cli->arg_count > command->max_args) {
        if (command->takes_command)
            return oc_detail_set(detail, OC_E_INVAL,
                                 "'%s' is one too many; a command to run stands behind '--'",
                                 cli->args[command->max_args]);
        return oc_detail_set(detail, OC_E_INVAL, "'%s' is one argument too many",
                             cli->args[command->max_args]);
    }
    if (cli->arg_count < command->min_args && !cli->rest)
        return oc_detail_set(detail, OC_E_INVAL, "something is missing: oomcast %s %s",
                             command->name, command->usage);
    if (oc_cli_has(cli, "json") && oc_cli_has(cli, "csv"))
        return oc_detail_set(detail, OC_E_INVAL, "--json and --csv exclude each other");
    return OC_OK;
}

int oc_cli_parse(struct oc_cli *cli, int argc, char **argv, struct oc_detail *detail)
{
    int rc = parse_words(cli, argc, argv, detail);

    if (rc || oc_cli_has(cli, "help"))
        return rc;
    rc = check_counts(cli, detail);
    if (rc)
        return rc;
    cli->format = oc_cli_has(cli, "json")  ? OC_FORMAT_JSON
                  : oc_cli_has(cli, "csv") ? OC_FORMAT_CSV
                                           : OC_FORMAT_TABLE;
    cli->since_unix_ms = oc_cli_number(cli, "since", 0);
    cli->until_unix_ms = oc_cli_number(cli, "until", INT64_MAX);
    if (cli->since_unix_ms >= cli->until_unix_ms)
        return oc_detail_set(detail, OC_E_INVAL, "--since is not before --until");
    return OC_OK;
}
