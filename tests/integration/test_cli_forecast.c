/*
 * forecast, accuracy, top, status and limits as people and scripts run them: in pipes and on a terminal, on a store made with the
 * writer's calls that ended just now.
 */
#include "tests/integration/cli_run.h"
#include "tests/integration/harness.h"
#include "tests/unit/cli/outlook_fixture.h"

#include <check.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define DEADLINE_MS 20000

static void set_up(void)
{
    const char *folder = outlook_fixture_begin((int64_t)time(NULL) * 1000);

    ck_assert_int_eq(setenv("OOMCAST_DB", folder, 1), 0);
    ck_assert_int_eq(setenv("LC_ALL", "C.UTF-8", 1), 0);
}

static void tear_down(void) { outlook_fixture_end(); }

/* ---- pipes ---- */

static const struct {
    const char *line, *key; /* a member that the answer has */
    int exit_code;
} parsed[] = {
    { "\"$O\" forecast --json", "forecasts", 0 },
    { "\"$O\" forecast --all --json", "counts", 0 },
    { "\"$O\" forecast unit:shop.service --json", "history", 0 },
    { "\"$O\" forecast cgroup:/system.slice/shop.service --json", "shares", 0 },
    { "\"$O\" forecast 4711 --json", "state", 0 },
    { "\"$O\" forecast 'proc:*' --json", "forecasts", 0 },
    { "\"$O\" forecast proc:dead --json", "ended", 0 },
    { "\"$O\" forecast host --json", "forecasts", 0 },
    { "\"$O\" forecast \"$(printf 'proc:evil\\033[2J')\" --json", "state", 0 },
    { "\"$O\" accuracy --json", "all", 0 },
    { "\"$O\" accuracy shop.service --limits --json", "subjects", 0 },
    { "\"$O\" top --json", "processes", 0 },
    { "\"$O\" top --cgroups --json", "cgroups", 0 },
    { "\"$O\" limits shop.service --json", "limits", 0 },
    { "\"$O\" status --json", "forecasts", 1 }, /* no daemon */
};

START_TEST(each_json_is_json)
{
    cJSON *root;

    ck_assert_msg(run(parsed[_i].line) == parsed[_i].exit_code, "%s: %s", parsed[_i].line, err);
    root = json();
    ck_assert_msg(cJSON_HasObjectItem(root, parsed[_i].key), "%s: no %s in %.400s", parsed[_i].line,
                  parsed[_i].key, out);
    cJSON_Delete(root);
}
END_TEST

static const char *const plain[] = {
    "\"$O\" forecast",
    "\"$O\" forecast --all",
    "\"$O\" forecast shop.service",
    "\"$O\" forecast --csv",
    "\"$O\" accuracy",
    "\"$O\" accuracy --csv",
    "\"$O\" top --sort ttl",
    "\"$O\" limits shop.service",

    "\"$O\" forecast shop.service --chart",
};

START_TEST(a_pipe_gets_plain_text)
{
    ck_assert_msg(run(plain[_i]) == 0, "%s: %s", plain[_i], err);
    ck_assert_msg(!holds(out, "\033"), "%s", plain[_i]);
    ck_assert_msg(out[0] != '\0', "%s", plain[_i]);
    ck_assert_msg(!holds(out, ",nan") && !holds(out, ",inf") && !holds(out, " nan"), "%s: %s",
                  plain[_i], out);
}
END_TEST

START_TEST(the_table_says_the_soonest_first)
{
    const char *web, *shop;

    ck_assert_int_eq(run("\"$O\" forecast"), 0);
    web = strstr(out, "pool:web");
    shop = strstr(out, "unit:shop.service");
    ck_assert_msg(web && shop && web < shop, "%s", out);
    ck_assert(!holds(out, "proc:flat"));
    ck_assert(holds(out, "4 flat"));
    ck_assert(!holds(out, "STALE")); /* the samples ended just now */
}
END_TEST

START_TEST(json_and_text_say_the_same_time)
{
    cJSON *root;
    const cJSON *first;
    double p50;

    ck_assert_int_eq(run("\"$O\" forecast shop.service --json"), 0);
    root = json();
    first = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "forecasts"), 0);
    p50 = number(cJSON_GetObjectItem(first, "time_to_limit_s"), "p50");
    ck_assert_double_le(p50, 3 * 3600);
    ck_assert_double_ge(p50, 3 * 3600 - 120);
    cJSON_Delete(root);
    ck_assert_int_eq(run("\"$O\" forecast shop.service"), 0);
    ck_assert_msg(holds(out, "dies at memory.max of /system.slice/shop.service in 3 h ("), "%s",
                  out);
}
END_TEST

START_TEST(a_plot_goes_to_a_file)
{
    ck_assert_int_eq(run("\"$O\" forecast shop.service --plot \"$OOMCAST_DB/p.svg\" && "
                         "head -c 4 \"$OOMCAST_DB/p.svg\" && rm \"$OOMCAST_DB/p.svg\""),
                     0);
    ck_assert_str_eq(out, "<svg");
    ck_assert(holds(err, "wrote "));
}
END_TEST

static const struct {
    const char *line;
    int exit_code;
    const char *says;
} wrong[] = {
    { "\"$O\" forecast nobody", 1, "oomcast lives" },
    { "\"$O\" forecast --plot x.svg", 2, "name it" },
    { "\"$O\" forecast shop.service --plot /nonexistent/x.svg", 1, "cannot write" },
    { "\"$O\" forecast --db /nonexistent", 1, "no store at /nonexistent" },
    { "\"$O\" forecast -m nonsense shop.service", 2, "nonsense" },
    { "\"$O\" accuracy nobody", 1, "no record of 'nobody'" },
    { "\"$O\" accuracy --db /nonexistent", 1, "no store at /nonexistent" },
    { "\"$O\" forecast a b", 2, "--help" },
};

START_TEST(errors_say_what_to_do)
{
    ck_assert_msg(run(wrong[_i].line) == wrong[_i].exit_code, "%s: %s", wrong[_i].line, err);
    ck_assert_msg(holds(err, wrong[_i].says), "%s: %s", wrong[_i].line, err);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(help_teaches_with_examples)
{
    ck_assert_int_eq(run("\"$O\" forecast --help"), 0);
    ck_assert(holds(out, "or never"));
    ck_assert(holds(out, "oomcast forecast unit:shop.service"));
    ck_assert_int_eq(run("\"$O\" accuracy --help"), 0);
    ck_assert(holds(out, "FORETOLD"));
    ck_assert_int_eq(run("\"$O\" completion bash"), 0);
    ck_assert(holds(out, "    forecast)"));
    ck_assert(holds(out, "    accuracy)"));
}
END_TEST

/* ---- a terminal ---- */

/* What it draws on a terminal of 24 rows, '\r' left out; its exit code. */
static int run_on_terminal(char *const argv[], unsigned short columns, const char *typed)
{
    struct winsize size = { .ws_row = 24, .ws_col = columns };
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    int fd = -1, status = 0;
    size_t len = 0, kept = 0;
    pid_t pid = forkpty(&fd, NULL, NULL, &size);

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)setenv("TERM", "xterm", 1);
        if (argv[0])
            (void)execv(argv[0], argv);
        _exit(125);
    }
    while (now_ms() < deadline_ms) {
        ssize_t got = read(fd, out + len, CLI_MAX_ANSWER - 1 - len);

        if (got <= 0)
            break;
        len += (size_t)got;
        out[len] = '\0';
        if (typed && holds(out, "q quit")) {
            ck_assert_int_eq(write(fd, typed, strlen(typed)), (ssize_t)strlen(typed));
            typed = NULL;
        }
    }
    for (size_t i = 0; i < len; i++) {
        if (out[i] != '\r')
            out[kept++] = out[i];
    }
    out[kept] = '\0';
    ck_assert_int_eq(wait_end(pid, now_ms() + DEADLINE_MS, &status), 0);
    (void)close(fd);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Columns of a line of UTF-8 in which every character is one wide; escapes are none. */
static int columns_of(const char *line, size_t len)
{
    int columns = 0;

    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\033') {
            while (i < len && line[i] != 'm')
                i++;
            continue;
        }
        columns += ((unsigned char)line[i] & 0xc0) != 0x80;
    }
    return columns;
}

/* Tables and pictures; sentences wrap by themselves. */
static void fits(const char *text, int columns)
{
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        int is_row = memchr(line, '>', len) == line || strncmp(line, "   ", 3) == 0 ||
                     strncmp(line, "proc:", 5) == 0 || strncmp(line, "SUBJECT", 7) == 0;

        ck_assert_msg(!is_row || columns_of(line, len) <= columns, "%.*s", (int)len, line);
        line += len + (line[len] == '\n');
    }
}

START_TEST(a_terminal_gets_the_picture)
{
    char *argv[] = { getenv("OC_OOMCAST"), "forecast", "shop.service", NULL };

    ck_assert_int_eq(run_on_terminal(argv, 80, NULL), 0);
    ck_assert(holds(out, "10-90 %"));
    ck_assert(holds(out, "─────"));
    ck_assert(holds(out, "memory.max 1.0 GiB"));
    ck_assert(holds(out, "\033[31m")); /* the limit is red */
    ck_assert(holds(out, "of that"));  /* shares */
    fits(out, 80);
}
END_TEST

START_TEST(no_color_means_none)
{
    char *argv[] = { getenv("OC_OOMCAST"), "forecast", "shop.service", "--no-color", NULL };

    ck_assert_int_eq(run_on_terminal(argv, 80, NULL), 0);
    ck_assert(!holds(out, "\033"));
    ck_assert(holds(out, "10-90 %"));
}
END_TEST

static const unsigned short widths[] = { 40, 80, 132, 250 };

START_TEST(tables_fit_the_terminal)
{
    char *all[] = { getenv("OC_OOMCAST"), "forecast", "--all", NULL };
    char *one[] = { getenv("OC_OOMCAST"), "forecast", "shop.service", NULL };
    char *record[] = { getenv("OC_OOMCAST"), "accuracy", NULL };

    ck_assert_int_eq(run_on_terminal(all, widths[_i], NULL), 0);
    ck_assert(holds(out, "SUBJECT"));
    if (widths[_i] >= 80)
        fits(out, widths[_i]);
    ck_assert_int_eq(run_on_terminal(one, widths[_i], NULL), 0);
    if (widths[_i] >= 80)
        fits(out, widths[_i]);
    ck_assert_int_eq(run_on_terminal(record, widths[_i], NULL), 0);
    if (widths[_i] >= 80)
        fits(out, widths[_i]);
}
END_TEST

START_TEST(top_sorts_by_time_with_a_key)
{
    char *argv[] = { getenv("OC_OOMCAST"), "top", "-i", "200ms", NULL };

    ck_assert_int_eq(run_on_terminal(argv, 100, "lq"), 0);
    ck_assert(holds(out, "TTL"));
    ck_assert(holds(out, "by ttl"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_forecast");
    TCase *tcase = tcase_create("store");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 120);
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_table_says_the_soonest_first); /* first: the store is fresh */
    tcase_add_test(tcase, json_and_text_say_the_same_time);
    tcase_add_loop_test(tcase, each_json_is_json, 0, COUNT(parsed));
    tcase_add_loop_test(tcase, a_pipe_gets_plain_text, 0, COUNT(plain));
    tcase_add_test(tcase, a_plot_goes_to_a_file);
    tcase_add_loop_test(tcase, errors_say_what_to_do, 0, COUNT(wrong));
    tcase_add_test(tcase, help_teaches_with_examples);
    tcase_add_test(tcase, a_terminal_gets_the_picture);
    tcase_add_test(tcase, no_color_means_none);
    tcase_add_loop_test(tcase, tables_fit_the_terminal, 0, COUNT(widths));
    tcase_add_test(tcase, top_sorts_by_time_with_a_key);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
