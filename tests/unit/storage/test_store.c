#include "held.h"
#include "made.h"

#include "base/alloc.h"
#include "base/os.h"
#include "storage/store.h"
#include "tests/support/folder.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOURCES = 40, TICKS = 700 };

static char dir[128], path[160];
static struct oc_store_options options;
static struct oc_store_report report;
static struct oc_detail detail;
static struct oc_tick tick;

static void setup(void)
{
    ck_assert_int_eq(make_folder("oomcast-test", dir, sizeof dir), 0);
    snprintf(path, sizeof path, "%s/oomcast.db", dir);
    options = (struct oc_store_options){ .path = path,
                                         .boot_id = "boot-a",
                                         .now_boot_ms = 1000,
                                         .now_unix_ms = 1700000001000,
                                         .seal_samples = 64 };
    oc_tick_init(&tick);
}

static void teardown(void)
{
    oc_tick_clear(&tick);
    ck_assert_int_eq(remove_folder(dir), 0);
}

static oc_store *open_store(void)
{
    oc_store *store = NULL;

    ck_assert_msg(oc_store_open(&options, &store, &report, &detail) == 0, "%s", detail.text);
    return store;
}

static struct oc_proc_facts facts_of(uint32_t pid)
{
    struct oc_proc_facts facts = { .id = { .pid = pid, .start_ticks = pid * 100u }, .uid = 0 };

    snprintf(facts.name, sizeof facts.name, "proc%u", pid);
    return facts;
}

static uint32_t begin_process(oc_store *store, uint32_t pid)
{
    struct oc_proc_facts facts = facts_of(pid);
    char subject[80];
    struct oc_source_info info = { .kind = OC_SOURCE_PROCESS,
                                   .subject = subject,
                                   .begin_boot_ms = 1000,
                                   .facts = &facts,
                                   .interval_ms = 1000 };
    uint32_t source = UINT32_MAX;

    snprintf(subject, sizeof subject, "proc:%s", facts.name);
    ck_assert_int_eq(oc_store_source_begin(store, &info, &source), 0);
    return source;
}

static void begin_processes(oc_store *store)
{
    for (uint32_t i = 1; i <= SOURCES; i++)
        ck_assert_uint_eq(begin_process(store, 100 + i), i);
}

/* A tick of sources 1 … SOURCES at step seconds. */
static void make_tick(int64_t step)
{
    struct oc_sample now, before;

    oc_tick_begin(&tick, step * 1000);
    for (uint32_t s = 1; s <= SOURCES; s++) {
        made_sample(s, step, &now);
        made_sample(s, step - 1, &before);
        if (step != 1 && step % 10 != 0 && now.known == before.known &&
            memcmp(now.values + 1, before.values + 1, 15 * 8) == 0)
            oc_tick_same(&tick, s);
        else
            oc_tick_put(&tick, s, &now);
    }
    ck_assert_int_eq(tick.bytes.err, 0);
}

static void append_steps(oc_store *store, int64_t from, int64_t to)
{
    for (int64_t step = from; step < to; step++) {
        make_tick(step);
        ck_assert_int_eq(oc_store_append(store, &tick), 0);
        ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, step * 1000), 0);
    }
}

/* ---- which samples are there ---- */

static uint8_t seen[SOURCES + 1][2000];

static int see(uint32_t source, int64_t t_ms, const struct oc_sample *sample, int same,
               void *context)
{
    struct oc_sample want;

    (void)same;
    (void)context;
    ck_assert_uint_le(source, SOURCES);
    ck_assert_int_lt(t_ms / 1000, 2000);
    made_sample(source, t_ms / 1000, &want);
    ck_assert_uint_eq(sample->known, want.known);
    for (unsigned bit = 0; bit < 64; bit++)
        if (want.known >> bit & 1)
            ck_assert_int_eq(sample->values[bit], want.values[bit]);
    seen[source][t_ms / 1000] = 1;
    return 0;
}

static void expect_steps(int64_t from, int64_t to)
{
    memset(seen, 0, sizeof seen);
    ck_assert_int_eq(held_each(path, see, NULL), 0);
    for (uint32_t s = 1; s <= SOURCES; s++)
        for (int64_t step = 0; step < 2000; step++)
            ck_assert_msg(seen[s][step] == (step >= from && step < to), "source %u step %d: %d", s,
                          (int)step, seen[s][step]);
}

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;

    ck_assert_int_eq(sqlite3_open(path, &db), 0);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), 0);
    sqlite3_close(db);
}

START_TEST(all_samples_are_in_chunks_or_journal)
{
    oc_store *store = open_store();
    struct oc_store_stats stats;

    ck_assert_int_eq(report.created, 1);
    begin_processes(store);
    append_steps(store, 1, TICKS);
    oc_store_stats(store, &stats);
    ck_assert_uint_eq(stats.samples, SOURCES * (TICKS - 1));
    ck_assert_uint_eq(stats.dropped_entries, 0);
    ck_assert_uint_gt(stats.chunks, SOURCES * (TICKS / 64 - 2));
    expect_steps(1, TICKS);
    ck_assert_int_eq(oc_store_close(store), 0);
    expect_steps(1, TICKS);
    ck_assert_int_lt(held_number(path, "SELECT count(*) FROM journal"), 400);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM source"), SOURCES);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM life WHERE name LIKE 'proc1%'"),
                     SOURCES);
}
END_TEST

START_TEST(open_samples_go_on_after_a_stop)
{
    oc_store *store = open_store();

    begin_processes(store);
    append_steps(store, 1, 100);
    ck_assert_int_eq(oc_store_close(store), 0);
    store = open_store();
    ck_assert_int_eq(report.created, 0);
    ck_assert_uint_gt(report.recovered_samples, 0);
    ck_assert_uint_eq(report.ended_lives, 0);
    begin_processes(store);
    append_steps(store, 100, 300);
    ck_assert_int_eq(oc_store_close(store), 0);
    expect_steps(1, 300);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM source"), SOURCES);
}
END_TEST

START_TEST(sources_of_another_boot_are_ended)
{
    oc_store *store = open_store();

    begin_processes(store);
    append_steps(store, 1, 100);
    ck_assert_int_eq(oc_store_close(store), 0);
    options.boot_id = "boot-b";
    options.now_boot_ms = 500;
    store = open_store();
    ck_assert_uint_eq(report.ended_lives, SOURCES);
    ck_assert_uint_eq(begin_process(store, 101), SOURCES + 1);
    ck_assert_int_eq(oc_store_close(store), 0);
    expect_steps(1, 100);
    ck_assert_int_eq(
        held_number(path, "SELECT count(*) FROM source WHERE end = 1 AND end_ms = 99000"), SOURCES);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM source WHERE end_ms IS NULL"), 1);
}
END_TEST

START_TEST(sources_not_taken_up_are_ended_after_a_while)
{
    oc_store *store = open_store();

    begin_processes(store);
    append_steps(store, 1, 10);
    ck_assert_int_eq(oc_store_close(store), 0);
    options.now_boot_ms = 20000;
    store = open_store();
    (void)begin_process(store, 101);
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, 30000), 0);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM source WHERE end_ms IS NULL"),
                     SOURCES);
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, 300000), 0);
    ck_assert_int_eq(oc_store_close(store), 0);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM source WHERE end_ms IS NULL"), 1);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM source WHERE end = 6"), SOURCES - 1);
    expect_steps(1, 10);
}
END_TEST

START_TEST(end_seals_and_says_how)
{
    oc_store *store = open_store();

    begin_processes(store);
    append_steps(store, 1, 10);
    ck_assert_int_eq(oc_store_source_end(store, 3, 9500, OC_END_SIGNALED, 9), 0);
    ck_assert_int_eq(oc_store_source_end(store, 3, 9500, OC_END_SIGNALED, 9), OC_E_NOENT);
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_NOW, 10000), 0);
    ck_assert_int_eq(
        held_number(path, "SELECT count(*) FROM source WHERE id = 3 AND end = 3 AND status = 9"),
        1);
    ck_assert_int_eq(held_number(path, "SELECT n FROM raw WHERE id >> 24 = 3"), 9);
    /* the same process seen once more (it was only left) has the same id */
    ck_assert_uint_eq(begin_process(store, 103), 3);
    append_steps(store, 10, 20);
    ck_assert_int_eq(oc_store_close(store), 0);
    ck_assert_int_eq(
        held_number(path, "SELECT count(*) FROM source WHERE id = 3 AND end_ms IS NULL"), 1);
    expect_steps(1, 20);
}
END_TEST

/* Loop: how it ended; whether both are in one batch. */
START_TEST(a_life_is_taken_up_again_unless_another_program_took_it_over)
{
    const enum oc_end end = _i < 2 ? OC_END_EXECED : OC_END_UNWATCHED;
    oc_store *store = open_store();
    uint32_t first = begin_process(store, 101), second = 0;

    if (_i % 2)
        ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, 9000), 0);
    ck_assert_int_eq(oc_store_source_end(store, first, 9500, end, -1), 0);
    if (_i % 2)
        ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, 9600), 0);
    second = begin_process(store, 101);
    ck_assert_int_eq(second == first, end != OC_END_EXECED);
    ck_assert_uint_eq(begin_process(store, 101), second);
    ck_assert_int_eq(oc_store_close(store), 0);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM source WHERE end = 4"),
                     end == OC_END_EXECED);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM source WHERE end_ms IS NULL"), 1);
}
END_TEST

START_TEST(self_is_source_0_in_every_boot)
{
    struct oc_source_info info = { .kind = OC_SOURCE_SELF,
                                   .subject = "oomcastd",
                                   .interval_ms = 1000 };
    struct oc_sample sample = { .block = OC_BLOCK_SELF };
    uint32_t source;
    oc_store *store;

    for (int boot = 0; boot < 3; boot++) {
        char boot_id[16];

        snprintf(boot_id, sizeof boot_id, "boot-%d", boot);
        options.boot_id = boot_id;
        store = open_store();
        ck_assert_int_eq(oc_store_source_begin(store, &info, &source), 0);
        ck_assert_uint_eq(source, 0);
        for (int t = 1; t < 20; t++) {
            oc_tick_begin(&tick, t * 1000);
            oc_sample_set(&sample, OC_METRIC_SELF_TARGETS, t * boot);
            oc_tick_put(&tick, 0, &sample);
            sample.block = OC_BLOCK_PROCESS;
            oc_tick_put(&tick, 0, &sample);
            sample.block = OC_BLOCK_SELF;
            ck_assert_int_eq(oc_store_append(store, &tick), 0);
        }
        ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, 20000), 0);
        ck_assert_int_eq(oc_store_close(store), 0);
    }
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM source"), 3);
    ck_assert_int_eq(held_number(path, "SELECT sum(n) FROM raw WHERE id >> 24 > 0"), 2 * 2 * 19);
    ck_assert_int_eq(held_number(path, "SELECT boot FROM source WHERE id = 0"), 3);
}
END_TEST

START_TEST(damaged_journal_row_costs_no_more_than_up_to_the_next_keyed_one)
{
    oc_store *store = open_store();
    int64_t rows;

    options.seal_samples = 2000; /* all stays in the journal */
    ck_assert_int_eq(oc_store_close(store), 0);
    store = open_store();
    begin_processes(store);
    append_steps(store, 1, 200);
    ck_assert_int_eq(oc_store_close(store), 0);
    rows = held_number(path, "SELECT count(*) FROM journal");
    ck_assert_int_eq(rows, 199);
    run_sql("UPDATE journal SET data = x'01000000ff' WHERE id = 20");
    ck_assert_int_gt(held_number(path, "SELECT count(*) FROM journal WHERE keyed"), 2);
    store = open_store();
    ck_assert_uint_lt(report.recovered_samples, SOURCES * 199);
    ck_assert_uint_gt(report.recovered_samples, SOURCES * 130);
    begin_processes(store);
    append_steps(store, 200, 220);
    ck_assert_int_eq(oc_store_close(store), 0);
    run_sql("DELETE FROM journal WHERE id = 20");
}
END_TEST

START_TEST(seldom_sources_do_not_keep_the_journal_of_the_others)
{
    oc_store *store = open_store();
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
    uint64_t state = 1;

    begin_processes(store);
    for (int64_t step = 1; step < 1500; step++) { /* incompressible: some 20 MiB of journal */
        oc_tick_begin(&tick, step * 1000);
        for (uint32_t s = 1; s < SOURCES; s++) {
            for (int bit = 1; bit < 64; bit++) {
                sample.known |= UINT64_C(1) << bit;
                sample.values[bit] = (int64_t)(made_u64(&state) >> 16);
            }
            oc_tick_put(&tick, s, &sample);
        }
        if (step % 400 == 1) {
            made_sample(SOURCES, step, &sample);
            oc_tick_put(&tick, SOURCES, &sample);
        }
        ck_assert_int_eq(oc_store_append(store, &tick), 0);
        ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, step * 1000), 0);
    }
    ck_assert_int_lt(held_number(path, "SELECT sum(length(data)) FROM journal"), 14 << 20);
    ck_assert_int_eq(oc_store_close(store), 0);
}
END_TEST

START_TEST(bad_entries_are_counted_and_left_out)
{
    oc_store *store = open_store();
    struct oc_sample sample;
    struct oc_store_stats stats;

    begin_processes(store);
    oc_tick_begin(&tick, 1000);
    made_sample(1, 1, &sample);
    oc_tick_put(&tick, 1, &sample);
    oc_tick_put(&tick, 999, &sample); /* unknown */
    oc_tick_same(&tick, 2);           /* nothing came before */
    ck_assert_int_eq(oc_store_append(store, &tick), 0);
    ck_assert_int_eq(oc_store_append(store, &tick), 0); /* the same time again */
    oc_store_stats(store, &stats);
    ck_assert_uint_eq(stats.samples, 1);
    ck_assert_uint_eq(stats.dropped_entries, 5);
    ck_assert_int_eq(oc_store_close(store), 0);
}
END_TEST

/* ---- files that are not ours, or not whole ---- */

START_TEST(foreign_file_is_refused)
{
    oc_store *store;

    run_sql("CREATE TABLE theirs(x)");
    ck_assert_int_eq(oc_store_open(&options, &store, &report, &detail), OC_E_FOREIGN);
    ck_assert_ptr_nonnull(strstr(detail.text, path));
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM theirs"), 0);
}
END_TEST

START_TEST(newer_file_is_refused)
{
    oc_store *store = open_store();

    ck_assert_int_eq(oc_store_close(store), 0);
    run_sql("PRAGMA user_version=99");
    ck_assert_int_eq(oc_store_open(&options, &store, &report, &detail), OC_E_NEWER);
}
END_TEST

START_TEST(older_file_is_upgraded_after_a_backup)
{
    oc_store *store;

    run_sql("PRAGMA application_id=1869573475; CREATE TABLE early(x); INSERT INTO early VALUES(7)");
    store = open_store();
    ck_assert_int_ne(report.backup[0], 0);
    ck_assert_int_eq(held_number(report.backup, "SELECT x FROM early"), 7);
    ck_assert_int_eq(held_number(path, "PRAGMA user_version"), OC_SCHEMA_VERSION);
    ck_assert_int_eq(oc_store_close(store), 0);
}
END_TEST

static void overwrite(long at, size_t bytes)
{
    FILE *file = fopen(path, "r+b");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, at, SEEK_SET), 0);
    for (size_t i = 0; i < bytes; i++)
        fputc((int)(i * 37 & 255), file);
    fclose(file);
}

START_TEST(corrupt_file_is_set_aside_and_a_new_one_begun)
{
    static const long places[] = { 0, 100, 4096 };
    oc_store *store = open_store();

    begin_processes(store);
    append_steps(store, 1, 200);
    ck_assert_int_eq(oc_store_close(store), 0);
    overwrite(places[_i], 6000);
    store = open_store();
    ck_assert_int_ne(report.set_aside[0], 0);
    ck_assert(oc_file_exists(report.set_aside));
    begin_processes(store);
    append_steps(store, 1, 20);
    ck_assert_int_eq(oc_store_close(store), 0);
    expect_steps(1, 20);
}
END_TEST

START_TEST(file_has_the_settings_that_only_an_empty_one_takes)
{
    oc_store *store = open_store();

    ck_assert_int_eq(oc_store_close(store), 0);
    ck_assert_int_eq(held_number(path, "PRAGMA auto_vacuum"), 2);
    ck_assert_int_eq(held_number(path, "PRAGMA application_id"), OC_SCHEMA_APPLICATION_ID);
    ck_assert_int_eq(held_number(path, "PRAGMA page_size"), 4096);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM clock"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("store");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, all_samples_are_in_chunks_or_journal);
    tcase_add_test(tests, open_samples_go_on_after_a_stop);
    tcase_add_test(tests, sources_of_another_boot_are_ended);
    tcase_add_test(tests, sources_not_taken_up_are_ended_after_a_while);
    tcase_add_loop_test(tests, a_life_is_taken_up_again_unless_another_program_took_it_over, 0, 4);
    tcase_add_test(tests, end_seals_and_says_how);
    tcase_add_test(tests, self_is_source_0_in_every_boot);
    tcase_add_test(tests, damaged_journal_row_costs_no_more_than_up_to_the_next_keyed_one);
    tcase_add_test(tests, seldom_sources_do_not_keep_the_journal_of_the_others);
    tcase_add_test(tests, bad_entries_are_counted_and_left_out);
    tcase_add_test(tests, foreign_file_is_refused);
    tcase_add_test(tests, newer_file_is_refused);
    tcase_add_test(tests, older_file_is_upgraded_after_a_backup);
    tcase_add_loop_test(tests, corrupt_file_is_set_aside_and_a_new_one_begun, 0, 3);
    tcase_add_test(tests, file_has_the_settings_that_only_an_empty_one_takes);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
