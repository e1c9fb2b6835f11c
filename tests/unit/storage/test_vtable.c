#include "reader_fixture.h"

#include "base/alloc.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MINUTE = 60000, HOUR = 3600000, TICK = 10000 };

static struct fixture store;
static oc_reader *reader;

static void set_up(void)
{
    const uint32_t two[] = { 2, 3 };

    fixture_begin(&store);
    fixture_source(&store, 1, OC_SOURCE_PROCESS, "proc:worker", 100, 0, 100 * TICK);
    fixture_source(&store, 2, OC_SOURCE_PROCESS, "proc:worker", 101, 200 * TICK, -1);
    fixture_source(&store, 3, OC_SOURCE_PROCESS, "proc:db", 102, 0, -1);
    fixture_source(&store, 4, OC_SOURCE_HOST, "host", 0, 0, -1);
    fixture_tier(&store, "hour", 3, 0, HOUR, 5, TICK);
    fixture_tier(&store, "minute", 3, 0, MINUTE, 40, TICK);
    fixture_raw(&store, 1, 0, TICK, 100);
    fixture_raw(&store, 3, 0, TICK, 120);
    fixture_raw(&store, 3, 120 * TICK, TICK, 130);
    for (int64_t t = 240; t < 300; t += 10) {
        fixture_row_begin(&store);
        for (int i = 0; i < 10; i++)
            fixture_tick(&store, (t + i) * TICK, two, 2, (t == 240 || t == 280) && i == 0);
        fixture_row_end(&store, t == 240 || t == 280);
    }
    reader = fixture_reader(&store);
}

static void tear_down(void)
{
    oc_reader_close(reader);
    fixture_end(&store);
}

/* All rows as text, columns by '|', rows by '\n'. Yours to sqlite3_free(). NULL on an error. */
static char *query(const char *sql)
{
    sqlite3 *db = oc_reader_sqlite(reader);
    sqlite3_str *text = sqlite3_str_new(NULL);
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++)
            sqlite3_str_appendf(text, "%s%s", i ? "|" : "", sqlite3_column_text(statement, i));
        sqlite3_str_appendall(text, "\n");
    }
    (void)sqlite3_finalize(statement);
    if (sqlite3_str_length(text) == 0)
        sqlite3_str_appendall(text, "none");
    if (rc != SQLITE_DONE) {
        sqlite3_free(sqlite3_str_finish(text));
        return NULL;
    }
    return sqlite3_str_finish(text);
}

static void check_query(const char *sql, const char *expected)
{
    char *got = query(sql);

    ck_assert_msg(got != NULL, "%s: %s", sql, sqlite3_errmsg(oc_reader_sqlite(reader)));
    ck_assert_msg(strcmp(got, expected) == 0, "%s gave %.300s", sql, got);
    sqlite3_free(got);
}

START_TEST(samples_has_each_sample_once)
{
    char *got = query("SELECT source, metric, t, value FROM samples ORDER BY source, metric, t");
    const char *at = got;
    int count = 0;

    ck_assert_ptr_nonnull(got);
    while (*at) {
        unsigned source;
        char metric[32];
        long long t, value;
        int used = 0;

        ck_assert_int_eq(sscanf(at, "%u|%31[^|]|%lld|%lld%n", &source, metric, &t, &value, &used),
                         4);
        t -= FIXTURE_BOOT_UNIX_MS;
        ck_assert_int_eq(t % TICK, 0);
        ck_assert_int_eq(value, fixture_value(source, oc_metric_by_name(metric)->number, t));
        at += used + 1;
        count++;
    }
    /* 100 of source 1, 60 of 2, 300 of 3; two metrics each */
    ck_assert_int_eq(count, 2 * (100 + 60 + 300));
    sqlite3_free(got);
    check_query("SELECT source, count(DISTINCT t), count(*) FROM samples GROUP BY 1",
                "1|100|200\n2|60|120\n3|300|600\n");
}
END_TEST

/* A '+' before a column keeps SQLite from pushing its condition down: both ways must agree. */
START_TEST(conditions_pushed_down_change_no_answer)
{
    static const char *const columns[] = { "subject", "source", "metric", "t", "pid" };
    static const char *const conditions[] = {
        "subject = 'proc:worker'",
        "subject = 'nobody'",
        "subject GLOB 'proc:*'",
        "subject GLOB '*o*' AND metric = 'rss_bytes'",
        "source = 3",
        "source = 3.0",
        "source = 'x'",
        "source IN (1, 3)",
        "metric = 'thread_count'",
        "metric = 'rss'",
        "metric = 'nonsense'",
        "metric = NULL",
        "metric IN ('rss_bytes', 'thread_count')",
        "t = 1700001000000",
        "t > 1700001000000",
        "t >= 1700001000000.5",
        "t BETWEEN 1700001000000 AND 1700002450000",
        "t < 1700000050000",
        "t <= 1700002900000 AND t > 1700002350000 AND source = 2",
        "t > 9e30",
        "t < '2024-01-01'",
        "t > 'a'",
        "pid = 101",
        "pid = 0",
        "subject = 'proc:db' AND metric = 'rss_bytes' AND t >= 1700001150000 AND t < 1700002600000",
    };
    const char *condition = conditions[_i];
    char plain[512] = "", sql[1024];
    char *pushed, *scanned;

    for (const char *at = condition; *at;) {
        size_t length = 0;

        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            size_t n = strlen(columns[c]);

            if ((at == condition || at[-1] == ' ') && strncmp(at, columns[c], n) == 0 &&
                at[n] == ' ')
                length = n;
        }
        (void)snprintf(plain + strlen(plain), sizeof plain - strlen(plain), "%s%.*s",
                       length ? "+" : "", length ? (int)length : 1, at);
        at += length ? length : 1;
    }
    (void)snprintf(sql, sizeof sql, "SELECT * FROM samples WHERE %s ORDER BY source, metric, t",
                   condition);
    pushed = query(sql);
    (void)snprintf(sql, sizeof sql, "SELECT * FROM samples WHERE %s ORDER BY source, metric, t",
                   plain);
    scanned = query(sql);
    ck_assert_ptr_nonnull(pushed);
    ck_assert_ptr_nonnull(scanned);
    ck_assert_msg(strcmp(pushed, scanned) == 0, "%s (%s): %.200s\nand\n%.200s", condition, plain,
                  pushed, scanned);
    sqlite3_free(pushed);
    sqlite3_free(scanned);
}
END_TEST

START_TEST(tiers_are_tables_too)
{
    check_query("SELECT count(*), sum(count) FROM samples_hour WHERE metric = 'rss_bytes' "
                "AND source = 3",
                "5|1800\n");
    check_query("SELECT count(*) FROM samples_minute m WHERE metric = 'rss_bytes' AND min <> "
                "(SELECT min(value) FROM samples s WHERE s.source = m.source AND s.metric = "
                "m.metric AND s.t >= m.t AND s.t < m.t + 60000)",
                "0\n");
    check_query("SELECT count(*) FROM samples_minute m WHERE abs(mean - "
                "(SELECT avg(value) FROM samples s WHERE s.source = m.source AND s.metric = "
                "m.metric AND s.t >= m.t AND s.t < m.t + 60000)) > 0.01",
                "0\n");
    check_query("SELECT max(max) >= max(last), count(*) FROM samples_minute WHERE t >= "
                "1700000000000 AND t < 1700000120000 AND metric = 'rss_bytes' AND source = 3",
                "1|2\n");
}
END_TEST

/* The minute tier of source 3 ends at 40 min; 1 and 2 have none. */
START_TEST(rows_that_a_tier_has_not_got_yet_are_made_from_below)
{
    check_query("SELECT source, count(*), sum(count), max(t) - min(t) FROM samples_minute "
                "WHERE metric = 'rss_bytes' GROUP BY 1",
                "1|17|100|960000\n2|10|60|540000\n3|50|300|2940000\n");
    check_query("SELECT count(*), count(DISTINCT t || metric) FROM samples_minute "
                "WHERE subject = 'proc:db'",
                "100|100\n");
    check_query("SELECT t - 1700000000000, last, count FROM samples_minute WHERE source = 2 AND "
                "metric = 'thread_count' AND t >= 1700002900000 ORDER BY t",
                "2940000|2273144|6\n");
    check_query("SELECT source, sum(count) FROM samples_hour WHERE metric = 'rss_bytes' "
                "AND source < 3 GROUP BY 1",
                "1|100\n2|60\n");
}
END_TEST

START_TEST(hidden_columns_tell_the_process_and_the_boot)
{
    check_query("SELECT DISTINCT pid, kind, boot FROM samples WHERE source = 2", "101|process|1\n");
    check_query("SELECT count(*) FROM samples WHERE t - boot_ms <> 1700000000000", "0\n");
    check_query("SELECT count(*) FROM pragma_table_info('samples')", "5\n");
}
END_TEST

START_TEST(views_have_names_and_readable_times)
{
    check_query("SELECT name, kind, sources, running FROM subjects",
                "host|host|1|1\nproc:db|process|1|1\nproc:worker|process|2|1\n");
    check_query("SELECT first = strftime('%Y-%m-%d %H:%M:%S', 1700000000, 'unixepoch', "
                "'localtime') FROM subjects WHERE name = 'proc:db'",
                "1\n");
    check_query("SELECT source, pid, name, ended, status, end_unix_ms FROM lives WHERE pid < 102",
                "1|100|worker|exited|3|1700001000000\n2|101|worker|running||\n");
    check_query("SELECT tier, source, subject, block, rows FROM chunks ORDER BY tier, source, "
                "first_unix_ms",
                "hour|3|proc:db|process|5\nminute|3|proc:db|process|40\n"
                "raw|1|proc:worker|process|100\nraw|3|proc:db|process|120\n"
                "raw|3|proc:db|process|130\n");
}
END_TEST

START_TEST(a_join_with_lives_asks_by_source)
{
    check_query("SELECT l.pid, count(*) FROM lives l JOIN samples s ON s.source = l.source "
                "AND s.metric = 'rss_bytes' WHERE l.subject = 'proc:worker' GROUP BY 1",
                "100|100\n101|60\n");
}
END_TEST

START_TEST(a_damaged_chunk_is_named)
{
    fixture_sql(&store, "UPDATE raw SET data = x'0102030405' WHERE id = (SELECT max(id) FROM raw)");
    ck_assert_ptr_null(query("SELECT count(*) FROM samples"));
    ck_assert_ptr_nonnull(strstr(sqlite3_errmsg(oc_reader_sqlite(reader)), "of table raw"));
    check_query("SELECT count(*) FROM samples WHERE source = 1", "200\n");
}
END_TEST

START_TEST(another_database_is_told)
{
    sqlite3 *db = NULL;

    ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    ck_assert_int_eq(oc_vtable_register(db), OC_OK);
    ck_assert_int_ne(sqlite3_exec(db, "SELECT * FROM samples", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_ptr_nonnull(strstr(sqlite3_errmsg(db), "not an oomcast store"));
    (void)sqlite3_close(db);
}
END_TEST

START_TEST(failing_allocations_leak_nothing)
{
    uint64_t count;

    oc_alloc_fail_at(0, 0);
    sqlite3_free(query("SELECT * FROM samples"));
    count = oc_alloc_count();
    for (uint64_t nth = 1; nth <= count; nth += 1 + count / 100) {
        int64_t live = oc_alloc_live();

        oc_alloc_fail_at(nth, 0);
        (void)sqlite3_exec(oc_reader_sqlite(reader), "SELECT * FROM samples", NULL, NULL, NULL);
        oc_alloc_fail_at(0, 0);
        ck_assert_int_eq(oc_alloc_live(), live);
    }
}
END_TEST

/* The sqlite3 program with the extension, on the same store while we have it open. */
START_TEST(the_shell_loads_the_extension)
{
    char command[600], line[256] = "";
    FILE *pipe;

    if (access(OC_SAMPLES_SO, R_OK) != 0 || system("command -v sqlite3 >/dev/null") != 0) {
        (void)printf("SKIP the_shell_loads_the_extension: the sqlite3 program or %s is not there\n",
                     OC_SAMPLES_SO);
        return;
    }
    (void)snprintf(command, sizeof command,
                   "sqlite3 -readonly -bail '%s' -cmd '.load %s' \"SELECT count(*), "
                   "count(DISTINCT source) FROM samples WHERE metric = 'rss_bytes'; SELECT "
                   "count(*) FROM lives;\" 2>&1 | tr '\\n' ' '",
                   store.path, OC_SAMPLES_SO);
    pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, pipe));
    (void)pclose(pipe);
    ck_assert_str_eq(line, "460|3 4 ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vtable");
    TCase *tcase = tcase_create("vtable");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, samples_has_each_sample_once);
    tcase_add_loop_test(tcase, conditions_pushed_down_change_no_answer, 0, 25);
    tcase_add_test(tcase, tiers_are_tables_too);
    tcase_add_test(tcase, rows_that_a_tier_has_not_got_yet_are_made_from_below);
    tcase_add_test(tcase, hidden_columns_tell_the_process_and_the_boot);
    tcase_add_test(tcase, views_have_names_and_readable_times);
    tcase_add_test(tcase, a_join_with_lives_asks_by_source);
    tcase_add_test(tcase, a_damaged_chunk_is_named);
    tcase_add_test(tcase, another_database_is_told);
    tcase_add_test(tcase, failing_allocations_leak_nothing);
    tcase_add_test(tcase, the_shell_loads_the_extension);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
