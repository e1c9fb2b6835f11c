/* What is made from the tables: help, man pages, completion, docs/metrics.md. */
#include "suites.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands/metrics.h"
#include "cli/frame/help.h"
#include "tests/support/folder.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static struct oc_cli cli;

static void begin(void)
{
    memset(&cli, 0, sizeof(cli));
    oc_buf_init(&cli.out, 1u << 20);
}

static void end(void) { oc_buf_clear(&cli.out); }

static size_t command_count(void)
{
    size_t count = 0;

    while (oc_cli_commands()[count])
        count++;
    return count;
}

START_TEST(every_command_is_described)
{
    const struct oc_cli_command *const *commands = oc_cli_commands();

    for (size_t i = 0; i < command_count(); i++) {
        const struct oc_cli_command *command = commands[i];
        const struct oc_cli_option *option;

        ck_assert(command->run != NULL);
        ck_assert_uint_gt(strlen(command->summary), 10);
        ck_assert_msg(command->summary[strlen(command->summary) - 1] != '.', "%s", command->name);
        ck_assert_uint_le(command->min_args, command->max_args);
        for (size_t o = 0; (option = oc_cli_option_at(command, o)) != NULL; o++) {
            ck_assert_uint_gt(strlen(option->text), 5);
            ck_assert_msg((option->type == OC_CLI_FLAG) == (option->placeholder == NULL), "%s --%s",
                          command->name, option->name);
            ck_assert_msg((option->type == OC_CLI_WORD) == (option->words != NULL), "%s --%s",
                          command->name, option->name);
        }
    }
}
END_TEST

static int takes_anything(const struct oc_cli_command *command)
{
    return command->options || command->max_args > 0;
}

START_TEST(commands_with_options_have_examples)
{
    const struct oc_cli_command *const *commands = oc_cli_commands();

    for (size_t i = 0; i < command_count(); i++)
        ck_assert_msg(!takes_anything(commands[i]) || commands[i]->examples != NULL, "%s",
                      commands[i]->name);
}
END_TEST

START_TEST(no_two_options_of_a_command_are_alike)
{
    const struct oc_cli_command *const *commands = oc_cli_commands();

    for (size_t i = 0; i < command_count(); i++) {
        const struct oc_cli_option *a, *b;

        for (size_t x = 0; (a = oc_cli_option_at(commands[i], x)) != NULL; x++)
            for (size_t y = x + 1; (b = oc_cli_option_at(commands[i], y)) != NULL; y++) {
                ck_assert_str_ne(a->name, b->name);
                ck_assert_msg(!a->letter || a->letter != b->letter, "%s -%c", commands[i]->name,
                              a->letter);
            }
    }
}
END_TEST

START_TEST(help_fits_a_terminal)
{
    const struct oc_cli_command *const *commands = oc_cli_commands();

    oc_help_overview(&cli);
    for (size_t i = 0; i < command_count(); i++)
        oc_help_command(&cli, commands[i]);
    for (char *line = cli.out.data, *newline; (newline = strchr(line, '\n')) != NULL;
         line = newline + 1) {
        *newline = '\0';
        if (strncmp(line, "  oomcast", 9) != 0) /* a command is to be copied: it is not wrapped */
            ck_assert_msg(oc_text_columns(line) <= 100, "%s", line);
        ck_assert_msg(*line == '\0' || newline[-1] != ' ', "blank at the end: %s", line);
    }
}
END_TEST

START_TEST(man_pages_are_roff)
{
    const struct oc_cli_command *const *commands = oc_cli_commands();

    for (size_t i = 0; i <= command_count(); i++) { /* the last, NULL: of the program */
        oc_buf_reset(&cli.out);
        oc_help_man(commands[i], &cli.out);
        ck_assert_int_eq(strncmp(cli.out.data, ".TH ", 4), 0);
        ck_assert_ptr_nonnull(strstr(cli.out.data, ".SH NAME\n"));
        ck_assert_ptr_nonnull(strstr(cli.out.data, ".SH EXIT STATUS\n"));
        for (const char *line = cli.out.data; line; line = strchr(line, '\n')) {
            line += *line == '\n';
            if (*line == '.') /* a request of ours, no text that begins with a dot */
                ck_assert_msg(isupper((unsigned char)line[1]), "%.40s", line);
        }
    }
}
END_TEST

START_TEST(writes_the_man_page_of_every_command)
{
    const struct oc_cli_command *const *commands = oc_cli_commands();
    char dir[128], path[256];

    ck_assert_int_eq(make_folder("oomcast-pages", dir, sizeof(dir)), 0);
    (void)snprintf(path, sizeof(path), "%s/man/man1", dir);
    cli.command = &oc_cmd_help;
    cli.values[0].option = &oc_cmd_help.options[1];
    ck_assert_str_eq(cli.values[0].option->name, "man-dir");
    cli.values[0].text = path;
    cli.value_count = 1;
    ck_assert_int_eq(oc_cmd_help.run(&cli), OC_EXIT_OK);
    for (size_t i = 0; i <= command_count(); i++) {
        (void)snprintf(path, sizeof(path), "%s/man/man1/oomcast%s%s.1", dir, commands[i] ? "-" : "",
                       commands[i] ? commands[i]->name : "");
        ck_assert_msg(oc_file_exists(path), "%s", path);
    }
    ck_assert_int_eq(remove_folder(dir), 0);
}
END_TEST

static int complete(const char *shell)
{
    cli.command = &oc_cmd_completion;
    cli.args[0] = shell;
    cli.arg_count = 1;
    return oc_cmd_completion.run(&cli);
}

START_TEST(completion_knows_every_command)
{
    static const char *const shells[] = { "bash", "zsh", "fish" };
    const struct oc_cli_command *const *commands = oc_cli_commands();

    ck_assert_int_eq(complete(shells[_i]), OC_EXIT_OK);
    for (size_t i = 0; i < command_count(); i++)
        ck_assert_ptr_nonnull(strstr(cli.out.data, commands[i]->name));
    ck_assert_ptr_nonnull(strstr(cli.out.data, "private_bytes"));
}
END_TEST

static const struct {
    const char *path, *mend;
    void (*make)(struct oc_buf *out);
} pages[] = {
    { OC_TEST_DATA "/../../docs/metrics.md", "oomcast metrics --markdown", oc_metrics_markdown },
    { OC_TEST_DATA "/../../docs/commands.md", "oomcast help --markdown", oc_help_markdown },
};

START_TEST(pages_are_those_of_the_tables)
{
    struct oc_buf page;
    char *text = NULL;
    size_t len_bytes = 0;

    oc_buf_init(&page, 1u << 20);
    pages[_i].make(&page);
    ck_assert_int_eq(oc_file_read(pages[_i].path, 1u << 20, &text, &len_bytes), 0);
    ck_assert_msg(strcmp(text, page.data) == 0, "%s is old; make it anew: %s", pages[_i].path,
                  pages[_i].mend);
    oc_free(text);
    oc_buf_clear(&page);
}
END_TEST

START_TEST(a_misspelt_command_has_a_nearest)
{
    const char *nearest = NULL;

    ck_assert_ptr_null(oc_cli_find_command("hisotry", &nearest));
    ck_assert_str_eq(nearest, "history");
    ck_assert_ptr_null(oc_cli_find_command("qqqqqqqq", &nearest));
    ck_assert_ptr_null(nearest);
    ck_assert_ptr_eq(oc_cli_find_command("top", &nearest), &oc_cmd_top);
}
END_TEST

Suite *pages_suite(void)
{
    Suite *suite = suite_create("pages");
    TCase *tcase = tcase_create("pages");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, every_command_is_described);
    tcase_add_test(tcase, commands_with_options_have_examples);
    tcase_add_test(tcase, no_two_options_of_a_command_are_alike);
    tcase_add_test(tcase, help_fits_a_terminal);
    tcase_add_test(tcase, man_pages_are_roff);
    tcase_add_test(tcase, writes_the_man_page_of_every_command);
    tcase_add_loop_test(tcase, completion_knows_every_command, 0, 3);
    tcase_add_loop_test(tcase, pages_are_those_of_the_tables, 0, 2);
    tcase_add_test(tcase, a_misspelt_command_has_a_nearest);
    suite_add_tcase(suite, tcase);
    return suite;
}
