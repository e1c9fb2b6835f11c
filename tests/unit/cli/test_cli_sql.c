/* `oomcast sql` and `oomcast db` as the program runs them, on a store that is open elsewhere. */
#include "../storage/reader_fixture.h"

#include "base/os.h"
#include "cli/cli.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TICK = 10000 };

static struct fixture store;
static char out_path[160], err_path[160], in_path[160];
static char out_text[65536], err_text[8192];

static void set_up(void)
{
    fixture_begin(&store);
    fixture_source(&store, 1, OC_SOURCE_PROCESS, "proc:a\tb", 100, 0, 100 * TICK);
    fixture_source(&store, 2, OC_SOURCE_HOST, "host", 0, 0, -1);
    fixture_raw(&store, 1, 0, TICK, 100);
    (void)snprintf(out_path, sizeof out_path, "%s/out", store.folder);
    (void)snprintf(err_path, sizeof err_path, "%s/err", store.folder);
    (void)snprintf(in_path, sizeof in_path, "%s/in", store.folder);
}

static void tear_down(void)
{
    (void)unlink(out_path);
    (void)unlink(err_path);
    (void)unlink(in_path);
    fixture_end(&store);
}

static int to_file(const char *path, int fd, int flags)
{
    int kept = dup(fd), file = open(path, flags, 0600);

    ck_assert_int_ge(kept, 0);
    ck_assert_int_ge(file, 0);
    ck_assert_int_ge(dup2(file, fd), 0); /* fd; 0 of Windows */
    (void)close(file);
    return kept;
}

static void back(int kept, int fd)
{
    ck_assert_int_ge(dup2(kept, fd), 0);
    (void)close(kept);
}

static void read_back(const char *path, char *text, size_t bytes)
{
    FILE *file = fopen(path, "rb");
    size_t got;

    ck_assert_ptr_nonnull(file);
    got = fread(text, 1, bytes - 1, file);
    text[got] = '\0';
    (void)fclose(file);
}

/* Runs the program with --db; its exit code. input: NULL: none. */
static int run(const char *const *args, const char *input)
{
    char *argv[16] = { "oomcast", (char *)(uintptr_t)args[0], "--db", store.path };
    FILE *file = fopen(in_path, "wb");
    int argc = 4, in, out, err, code;

    ck_assert_ptr_nonnull(file);
    (void)fputs(input ? input : "", file);
    (void)fclose(file);
    for (int i = 1; args[i]; i++)
        argv[argc++] = (char *)(uintptr_t)args[i];
    (void)fflush(NULL);
    in = to_file(in_path, STDIN_FILENO, O_RDONLY);
    out = to_file(out_path, STDOUT_FILENO, O_WRONLY | O_CREAT | O_TRUNC);
    err = to_file(err_path, STDERR_FILENO, O_WRONLY | O_CREAT | O_TRUNC);
    code = oc_cli_main(argc, argv);
    (void)fflush(NULL);
    back(in, STDIN_FILENO);
    back(out, STDOUT_FILENO);
    back(err, STDERR_FILENO);
    clearerr(stdin);
    read_back(out_path, out_text, sizeof out_text);
    read_back(err_path, err_text, sizeof err_text);
    return code;
}

struct expected {
    const char *args[6];
    const char *input;
    int code;
    const char *out, *err; /* are in it; NULL: it is empty */
};

static void check_run(const struct expected *expected)
{
    int code = run(expected->args, expected->input);

    ck_assert_msg(code == expected->code, "%s %s: %d %.200s", expected->args[0], expected->args[1],
                  code, err_text);
    if (expected->out)
        ck_assert_msg(strstr(out_text, expected->out) != NULL, "%.400s", out_text);
    else
        ck_assert_str_eq(out_text, "");
    if (expected->err)
        ck_assert_msg(strstr(err_text, expected->err) != NULL, "%.400s", err_text);
    else
        ck_assert_str_eq(err_text, "");
}

static const struct expected runs[] = {
    { { "sql", "SELECT count(*) AS n FROM samples" }, NULL, 0, "200", NULL },
    { { "sql", "--json", "SELECT 1 AS a, NULL AS b, 'x\"' AS c; SELECT 2.5 AS d" },
      NULL,
      0,
      "[{\"a\":1,\"b\":null,\"c\":\"x\\\"\"}]\n[{\"d\":2.5}]\n",
      NULL },
    { { "sql", "--csv", "SELECT 'a,b' AS x, 2 AS y" }, NULL, 0, "x,y\r\n\"a,b\",2\r\n", NULL },
    { { "sql", "SELECT name FROM subjects WHERE kind = 'process'" }, NULL, 0, "proc:a\\tb", NULL },
    { { "sql" }, "SELECT 41 + 1 AS answer;\n", 0, "42", NULL },
    { { "sql" }, "", 0, NULL, NULL },
    { { "sql" }, "SELECT 1;\n SELEC 2;\n", 1, "1", "line 2, column 2: near \"SELEC\"" },
    { { "sql", "SELECT nope FROM samples" }, NULL, 1, NULL, "no such column: nope" },
    { { "sql", "DELETE FROM source" }, NULL, 1, NULL, "reading only" },
    { { "sql", "SELECT 1", "SELECT 2" }, NULL, 2, NULL, "--help" },
    { { "db", "info" }, NULL, 0, "raw chunks             1\n", NULL },
    { { "db", "info", "--json" }, NULL, 0, "\"raw_values\":200", NULL },
    { { "db", "check" }, NULL, 0, "sound\n", NULL },
    { { "db", "check", "--json" }, NULL, 0, "{\"findings\":[],\"sound\":true}\n", NULL },
    { { "db", "vacum" }, NULL, 2, NULL, "did you mean 'vacuum'?" },
    { { "db" }, NULL, 2, NULL, "--help" },
};

START_TEST(each_command_line_gives_its_answer) { check_run(&runs[_i]); }
END_TEST

START_TEST(more_columns_than_a_table_takes_are_refused)
{
    char sql[400] = "SELECT 1 AS c0";

    for (int i = 1; i < 30; i++)
        (void)snprintf(sql + strlen(sql), sizeof sql - strlen(sql), ", %d", i);
    check_run(&(struct expected){ { "sql", sql }, NULL, 1, NULL, "use --csv or --json" });
    check_run(&(struct expected){ { "sql", "--csv", sql }, NULL, 0, "c0,", NULL });
}
END_TEST

START_TEST(a_long_table_comes_in_full)
{
    const char *const args[] = { "sql", "SELECT a.t FROM samples a, samples b LIMIT 4500", NULL };
    size_t lines = 0;

    ck_assert_int_eq(run(args, NULL), 0);
    for (const char *at = out_text; *at; at++)
        lines += *at == '\n';
    ck_assert_uint_ge(lines, 4500);
}
END_TEST

START_TEST(check_tells_its_findings)
{
    fixture_sql(&store, "UPDATE raw SET data = x'00'");
    check_run(&(struct expected){ { "db", "check" }, NULL, 1, "cannot be unpacked", "1 finding" });
    check_run(
        &(struct expected){ { "db", "check", "--json" }, NULL, 1, "\"sound\":false", "1 finding" });
}
END_TEST

START_TEST(vacuum_waits_for_no_daemon)
{
    char path[160];
    oc_lock *lock = NULL;
    uint32_t holder = 0;

    (void)snprintf(path, sizeof path, "%s/oomcastd.lock", store.folder);
    ck_assert_int_eq(oc_lock_take(path, &lock, &holder), OC_OK);
    check_run(&(struct expected){ { "db", "vacuum" }, NULL, 1, NULL, "is writing this store" });
    oc_lock_release(lock);
    check_run(&(struct expected){ { "db", "vacuum" }, NULL, 0, " -> ", NULL });
    (void)unlink(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_sql");
    TCase *tcase = tcase_create("cli_sql");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, each_command_line_gives_its_answer, 0,
                        (int)(sizeof runs / sizeof *runs));
    tcase_add_test(tcase, more_columns_than_a_table_takes_are_refused);
    tcase_add_test(tcase, a_long_table_comes_in_full);
    tcase_add_test(tcase, check_tells_its_findings);
    tcase_add_test(tcase, vacuum_waits_for_no_daemon);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
