/* The one parser of command lines. */
#include "suites.h"

#include "base/metric.h"
#include "cli/cli.h"

#include <string.h>

#define NOW INT64_C(1790000000000)

static const char *const words[] = { "small", "large", NULL };
static const struct oc_cli_option options[] = {
    { "interval", 'i', OC_CLI_DURATION, "TIME", "", NULL },
    { "metric", 'm', OC_CLI_METRIC, "METRIC", "", NULL },
    { "size", 0, OC_CLI_WORD, "SIZE", "", words },
    { "limit", 'n', OC_CLI_INT, "N", "", NULL },
    { "out", 'o', OC_CLI_TEXT, "FILE", "", NULL },
    { "all", 'a', OC_CLI_FLAG, NULL, "", NULL },
    { 0 },
};

static const struct oc_cli_command command = {
    .name = "try",
    .usage = "[OPTION]... NAME [PART]",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_RANGE | OC_CLI_HAS_JSON | OC_CLI_HAS_CSV,
    .options = options,
    .min_args = 1,
    .max_args = 2,
};

static const struct oc_cli_command runner = {
    .name = "run", .usage = "-- COMMAND", .min_args = 1, .max_args = 1, .takes_command = 1
};

static struct oc_cli cli;
static struct oc_detail detail;

static int parse(const struct oc_cli_command *of, const char *first, ...)
{
    static char *argv[16]; /* what is parsed points into it */
    int argc = 0;
    va_list args;

    memset(&cli, 0, sizeof(cli));
    memset(&detail, 0, sizeof(detail));
    cli.command = of;
    cli.now_unix_ms = NOW;
    va_start(args, first);
    for (const char *word = first; word; word = va_arg(args, const char *))
        argv[argc++] = (char *)word;
    va_end(args);
    argv[argc] = NULL;
    return oc_cli_parse(&cli, argc, argv, &detail);
}

START_TEST(takes_options_and_arguments_in_any_order)
{
    static const char *const shapes[][8] = {
        { "name", "--interval", "10s", "-n", "5", "part", NULL },
        { "--interval=10s", "-n5", "name", "part", NULL },
        { "-i10s", "name", "--limit", "5", "--", "part", NULL },
        { "-ai", "10s", "name", "--limit=5", "part", NULL },
    };
    const char *const *s = shapes[_i];

    ck_assert_int_eq(parse(&command, s[0], s[1], s[2], s[3], s[4], s[5], s[6], NULL), OC_OK);
    ck_assert_int_eq(oc_cli_number(&cli, "interval", 0), 10000);
    ck_assert_int_eq(oc_cli_number(&cli, "limit", 0), 5);
    ck_assert_uint_eq(cli.arg_count, 2);
    ck_assert_str_eq(cli.args[0], "name");
    ck_assert_str_eq(cli.args[1], "part");
}
END_TEST

START_TEST(converts_by_type)
{
    ck_assert_int_eq(parse(&command, "x", "--metric", "rss", "--size", "large", "--since", "1h",
                           "--out", "-", NULL),
                     OC_OK);
    ck_assert_int_eq(oc_cli_number(&cli, "metric", 0), OC_METRIC_RSS);
    ck_assert_int_eq(oc_cli_number(&cli, "size", -1), 1);
    ck_assert_int_eq(cli.since_unix_ms, NOW - 3600000);
    ck_assert_int_eq(cli.until_unix_ms, INT64_MAX);
    ck_assert_str_eq(oc_cli_text(&cli, "out", NULL), "-");
    ck_assert(!oc_cli_has(&cli, "all"));
    ck_assert_ptr_null(oc_cli_text(&cli, "db", NULL));
}
END_TEST

START_TEST(the_last_of_an_option_counts)
{
    ck_assert_int_eq(parse(&command, "x", "-n1", "-n2", NULL), OC_OK);
    ck_assert_int_eq(oc_cli_number(&cli, "limit", 0), 2);
}
END_TEST

START_TEST(leaves_a_command_behind_two_dashes_alone)
{
    ck_assert_int_eq(parse(&runner, "--", "ls", "--json", "-h", NULL), OC_OK);
    ck_assert_str_eq(cli.rest[0], "ls");
    ck_assert_str_eq(cli.rest[1], "--json");
    ck_assert_str_eq(cli.rest[2], "-h");
    ck_assert(!oc_cli_has(&cli, "help"));
    ck_assert_uint_eq(cli.arg_count, 0);
}
END_TEST

static const struct {
    const char *words[5];
    const char *says;
} wrong[] = {
    { { "x", "--intervall=1s" }, "did you mean '--interval'" },
    { { "x", "--jsn" }, "did you mean '--json'" },
    { { "x", "--zzzzzz" }, "no option '--zzzzzz'" },
    { { "x", "-z" }, "no option '-z'" },
    { { "x", "--interval" }, "needs a value" },
    { { "x", "--interval", "10" }, "such as 500ms" },
    { { "x", "--all=yes" }, "takes no value" },
    { { "x", "--limit", "-3" }, "takes a number" },
    { { "x", "--limit", "3x" }, "takes a number" },
    { { "x", "--size", "larg" }, "did you mean 'large'" },
    { { "x", "--size", "qqqqqqqq" }, "it takes small, large" },
    { { "x", "--metric", "privat" }, "did you mean 'private" },
    { { "x", "--metric", "qqqqqqqqqqq" }, "oomcast metrics" },
    { { "x", "--since", "soon" }, "takes a time" },
    { { "x", "--since", "1h", "--until", "2h" }, "not before" },
    { { "x", "--json", "--csv" }, "exclude each other" },
    { { "x", "y", "z" }, "'z' is one argument too many" },
    { { "--all" }, "something is missing" },
};

START_TEST(says_what_is_wrong_and_what_is_near)
{
    const char *const *w = wrong[_i].words;

    ck_assert_int_ne(parse(&command, w[0], w[1], w[2], w[3], w[4], NULL), OC_OK);
    ck_assert_msg(strstr(detail.text, wrong[_i].says) != NULL, "said: %s", detail.text);
}
END_TEST

START_TEST(help_needs_nothing_else)
{
    ck_assert_int_eq(parse(&command, "--help", NULL), OC_OK);
    ck_assert(oc_cli_has(&cli, "help"));
    ck_assert_int_eq(parse(&command, "-h", "a", "b", "c", NULL), OC_OK);
}
END_TEST

START_TEST(too_many_words_are_refused)
{
    char *argv[OC_CLI_MAX_ARGS + 2];

    memset(&cli, 0, sizeof(cli));
    cli.command = &command;
    for (int i = 0; i < OC_CLI_MAX_ARGS + 1; i++)
        argv[i] = (char *)"x";
    argv[OC_CLI_MAX_ARGS + 1] = NULL;
    ck_assert_int_eq(oc_cli_parse(&cli, OC_CLI_MAX_ARGS + 1, argv, &detail), OC_E_TOOBIG);
    memset(&cli, 0, sizeof(cli));
    cli.command = &command;
    for (int i = 0; i < OC_CLI_MAX_OPTIONS + 1; i++)
        argv[i] = (char *)"-a";
    ck_assert_int_eq(oc_cli_parse(&cli, OC_CLI_MAX_OPTIONS + 1, argv, &detail), OC_E_TOOBIG);
}
END_TEST

START_TEST(common_options_may_stand_before_the_command)
{
    static const char *const lines[][2][6] = {
        { { "top", "-1" }, { "top", "-1" } },
        { { "--db", "top", "top", "-1" }, { "top", "--db", "top", "-1" } },
        { { "--db=x", "--json", "top" }, { "top", "--db=x", "--json" } },
        { { "--no-color", "--help" }, { "--help", "--no-color" } },
        { { "--dbx", "top" }, { "--dbx", "top" } }, /* said to be wrong later */
        { { "-", "--", "" }, { "-", "--", "" } },
        { { "--db", "x" }, { NULL } },
        { { "--json", "--db" }, { NULL } },
    };
    char *argv[8] = { (char *)"oomcast" };
    int argc = 1;

    for (const char *const *word = lines[_i][0]; *word; word++)
        argv[argc++] = (char *)*word;
    ck_assert_int_eq(oc_cli_command_first(argc, argv), lines[_i][1][0] ? OC_OK : OC_E_NOENT);
    for (int i = 1; lines[_i][1][0] && i < argc; i++)
        ck_assert_str_eq(argv[i], lines[_i][1][i - 1]);
}
END_TEST

Suite *options_suite(void)
{
    Suite *suite = suite_create("options");
    TCase *tcase = tcase_create("options");

    tcase_add_loop_test(tcase, takes_options_and_arguments_in_any_order, 0, 4);
    tcase_add_test(tcase, converts_by_type);
    tcase_add_test(tcase, the_last_of_an_option_counts);
    tcase_add_test(tcase, leaves_a_command_behind_two_dashes_alone);
    tcase_add_loop_test(tcase, says_what_is_wrong_and_what_is_near, 0,
                        sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(tcase, help_needs_nothing_else);
    tcase_add_test(tcase, too_many_words_are_refused);
    tcase_add_loop_test(tcase, common_options_may_stand_before_the_command, 0, 8);
    suite_add_tcase(suite, tcase);
    return suite;
}
