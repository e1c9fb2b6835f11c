#include "held.h"
#include "made.h"

#include "storage/store.h"
#include "tests/support/folder.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOURCES = 4, STEP_MS = 10000 };
#define DAY_MS INT64_C(86400000)
#define NO_LIMIT_US INT64_C(60000000)

static const int64_t unix_0 = 1700000000000;
static char dir[128], path[160];
static struct oc_store_options options;
static oc_store *store;
static struct oc_tick tick;

static void setup(void)
{
    ck_assert_int_eq(make_folder("oomcast-upkeep", dir, sizeof dir), 0);
    snprintf(path, sizeof path, "%s/oomcast.db", dir);
    options = (struct oc_store_options){ .path = path, .boot_id = "boot", .now_unix_ms = unix_0 };
    oc_tick_init(&tick);
}

static void teardown(void)
{
    ck_assert_int_eq(oc_store_close(store), 0);
    store = NULL;
    oc_tick_clear(&tick);
    ck_assert_int_eq(remove_folder(dir), 0);
}

static void open_store(void)
{
    struct oc_store_report report;
    struct oc_detail detail;

    ck_assert_int_eq(oc_store_open(&options, &store, &report, &detail), 0);
    for (uint32_t i = 1; i <= SOURCES; i++) {
        struct oc_proc_facts facts = { .id = { .pid = i }, .name = "made" };
        struct oc_source_info info = { .kind = OC_SOURCE_PROCESS,
                                       .subject = "proc:made",
                                       .facts = &facts,
                                       .interval_ms = STEP_MS };
        uint32_t source;

        ck_assert_int_eq(oc_store_source_begin(store, &info, &source), 0);
        ck_assert_uint_eq(source, i);
    }
}

static void maintain(int64_t boot_ms)
{
    int rc;

    do
        rc = oc_store_maintain(store, boot_ms, unix_0 + boot_ms, NO_LIMIT_US);
    while (rc == 1);
    ck_assert_int_eq(rc, 0);
}

/* Steps [from, to) of STEP_MS, committed by the dozen. */
static void run_steps(int64_t from, int64_t to)
{
    struct oc_sample sample;

    for (int64_t step = from; step < to; step++) {
        oc_tick_begin(&tick, step * STEP_MS);
        for (uint32_t s = 1; s <= SOURCES; s++) {
            made_sample(s, step, &sample);
            oc_tick_put(&tick, s, &sample);
        }
        ck_assert_int_eq(oc_store_append(store, &tick), 0);
        if (step % 12)
            continue;
        ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, step * STEP_MS), 0);
        maintain(step * STEP_MS);
    }
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, to * STEP_MS), 0);
}

static void end_all(int64_t boot_ms)
{
    for (uint32_t s = 1; s <= SOURCES; s++)
        ck_assert_int_eq(oc_store_source_end(store, s, boot_ms, OC_END_EXITED, 0), 0);
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, boot_ms), 0);
}

/* ---- what the tiers must say ---- */

struct want {
    int64_t count, last, min, max, sum;
};

static struct want want_of(uint32_t source, unsigned metric, int64_t begin_ms, int64_t row_ms,
                           int64_t first_step, int64_t end_step)
{
    struct want want = { 0 };

    for (int64_t step = begin_ms / STEP_MS; step < (begin_ms + row_ms) / STEP_MS; step++) {
        struct oc_sample sample;

        made_sample(source, step, &sample);
        if (step < first_step || step >= end_step || !(sample.known >> metric & 1))
            continue;
        want.last = sample.values[metric];
        want.min = want.count == 0 || want.last < want.min ? want.last : want.min;
        want.max = want.count == 0 || want.last > want.max ? want.last : want.max;
        want.sum += want.last;
        want.count++;
    }
    return want;
}

static int64_t columns[5][OC_CHUNK_MAX_SAMPLES], times[OC_CHUNK_MAX_SAMPLES];
static uint8_t known[OC_CHUNK_MAX_SAMPLES];

static void check_metric(const struct oc_chunk *chunk, uint32_t source, unsigned metric,
                         int64_t row_ms, int64_t first_step, int64_t end_step)
{
    struct oc_tier_columns c = { columns[0], columns[1], columns[2], columns[3], columns[4] };

    ck_assert_int_eq(oc_chunk_tier(chunk, metric, &c, known), 1);
    for (unsigned i = 0; i < chunk->sample_count; i++) {
        struct want want = want_of(source, metric, times[i], row_ms, first_step, end_step);

        ck_assert_int_eq(c.count[i], want.count);
        if (!want.count)
            continue;
        ck_assert_int_eq(c.last[i], want.last);
        ck_assert_int_eq(c.min[i], want.min);
        ck_assert_int_eq(c.max[i], want.max);
        ck_assert_int_eq(c.sum[i], want.sum);
    }
}

/* Holds each row of a tier against the samples. Returns the number of rows of source 1. */
static int64_t check_tier(const char *table, int64_t row_ms, int64_t first_step, int64_t end_step)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    oc_codec *codec = oc_codec_new();
    char sql[80];
    int64_t rows = 0, last = -1;
    uint32_t last_source = 0;

    snprintf(sql, sizeof sql, "SELECT id, data, t0, t1 FROM %s ORDER BY id", table);
    ck_assert_int_eq(sqlite3_open(path, &db), 0);
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), 0);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        uint32_t source = OC_CHUNK_SOURCE(sqlite3_column_int64(stmt, 0));
        struct oc_chunk chunk;

        ck_assert_int_eq(oc_chunk_open(codec, sqlite3_column_blob(stmt, 1),
                                       (size_t)sqlite3_column_bytes(stmt, 1), &chunk),
                         0);
        ck_assert_int_eq(oc_chunk_times(&chunk, times), 0);
        ck_assert_int_eq(times[0], sqlite3_column_int64(stmt, 2));
        ck_assert_int_eq(times[chunk.sample_count - 1], sqlite3_column_int64(stmt, 3));
        ck_assert(source != last_source || times[0] > last);
        last = times[chunk.sample_count - 1];
        last_source = source;
        rows += source == 1 ? chunk.sample_count : 0;
        check_metric(&chunk, source, OC_METRIC_RSS, row_ms, first_step, end_step);
        check_metric(&chunk, source, OC_METRIC_CPU_TIME, row_ms, first_step, end_step);
        check_metric(&chunk, source, OC_METRIC_MAPPINGS, row_ms, first_step, end_step);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    oc_codec_free(codec);
    return rows;
}

static uint8_t seen[SOURCES + 1][100000];

static int see(uint32_t source, int64_t t_ms, const struct oc_sample *sample, int same,
               void *context)
{
    struct oc_sample want;

    (void)same;
    (void)context;
    made_sample(source, t_ms / STEP_MS, &want);
    ck_assert_uint_eq(sample->known, want.known);
    for (unsigned bit = 0; bit < 64; bit++)
        if (want.known >> bit & 1)
            ck_assert_int_eq(sample->values[bit], want.values[bit]);
    seen[source][t_ms / STEP_MS] = 1;
    return 0;
}

START_TEST(upper_tiers_say_what_the_samples_said)
{
    const int64_t end = 30 * 360; /* thirty hours */
    int64_t minutes;

    open_store();
    run_steps(1, end);
    minutes = check_tier("minute", 60000, 1, end);
    ck_assert_int_ge(minutes, 24 * 60);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM hour"), 0);
    end_all(end * STEP_MS);
    maintain(end * STEP_MS + DAY_MS);
    ck_assert_int_eq(check_tier("minute", 60000, 1, end), 30 * 60);
    ck_assert_int_eq(check_tier("hour", 3600000, 1, end), 30);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM source WHERE upkeep = 1"), 0);
    /* the summaries are of the samples, not of the rows */
    memset(seen, 0, sizeof seen);
    ck_assert_int_eq(held_each(path, see, NULL), 0);
    for (uint32_t s = 1; s <= SOURCES; s++)
        for (int64_t step = 1; step < end; step++)
            ck_assert_int_eq(seen[s][step], 1);
}
END_TEST

START_TEST(short_chunks_are_put_together)
{
    open_store();
    run_steps(1, 10 * 360);
    /* an hour is 360 samples here: four of them become one */
    ck_assert_int_gt(held_number(path, "SELECT max(n) FROM raw"), 1000);
    ck_assert_int_lt(held_number(path, "SELECT count(*) FROM raw WHERE id >> 24 = 1"), 7);
    memset(seen, 0, sizeof seen);
    ck_assert_int_eq(held_each(path, see, NULL), 0);
    for (int64_t step = 1; step < 10 * 360; step++)
        ck_assert_int_eq(seen[2][step], 1);
}
END_TEST

#define NTH_CHUNK " = (SELECT id FROM raw WHERE id >> 24 = 1 ORDER BY id LIMIT 1 OFFSET %d)"

static void damage_chunk(int nth)
{
    sqlite3 *db = NULL;
    char sql[160];

    snprintf(sql, sizeof sql, "UPDATE raw SET data = x'0102' WHERE id" NTH_CHUNK, nth);
    ck_assert_int_eq(sqlite3_open(path, &db), 0);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), 0);
    sqlite3_close(db);
}

static int64_t chunk_number(const char *column, int nth)
{
    char sql[160];

    snprintf(sql, sizeof sql, "SELECT %s FROM raw WHERE id" NTH_CHUNK, column, nth);
    return held_number(path, sql);
}

/* The first of four hours, and two later ones. */
START_TEST(a_damaged_chunk_costs_only_its_own_time)
{
    const int64_t end = 10 * 360;
    int64_t begin_ms, end_ms;

    open_store();
    run_steps(1, 3 * 360 + 180);
    damage_chunk(_i);
    begin_ms = chunk_number("t0", _i);
    end_ms = chunk_number("t1", _i) + STEP_MS; /* the next sample */
    run_steps(3 * 360 + 180, end);
    end_all(end * STEP_MS);
    maintain(end * STEP_MS + DAY_MS / 2);
    ck_assert_int_eq(held_number(path, "SELECT sum(n) FROM minute WHERE id >> 24 = 2"), 10 * 60);
    ck_assert_int_eq(held_number(path, "SELECT sum(n) FROM minute WHERE id >> 24 = 1"),
                     10 * 60 - (end_ms / 60000 - (begin_ms + 59999) / 60000) -
                         (begin_ms < 60000)); /* there was nothing in the minute before it */
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM hour WHERE id >> 24 = 1"), 1);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM source WHERE upkeep = 1"), 0);
    /* those around it are put together all the same */
    ck_assert_int_gt(held_number(path, "SELECT max(n) FROM raw WHERE id >> 24 = 1 AND t1 <"
                                       " 4 * 3600000"),
                     600);
}
END_TEST

START_TEST(each_tier_is_kept_as_long_as_told)
{
    const int64_t end = 5 * 360, end_ms = end * STEP_MS;

    open_store();
    run_steps(1, end);
    end_all(end_ms);
    maintain(end_ms + DAY_MS);
    ck_assert_int_gt(held_number(path, "SELECT count(*) FROM raw"), 0);
    maintain(end_ms + 8 * DAY_MS);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM raw"), 0);
    ck_assert_int_gt(held_number(path, "SELECT count(*) FROM minute"), 0);
    maintain(end_ms + 91 * DAY_MS);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM minute"), 0);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM hour"), SOURCES);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM life"), SOURCES);
    maintain(end_ms + 731 * DAY_MS);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM hour"), 0);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM source"), 0);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM life"), 0);
    ck_assert_int_eq(held_number(path, "SELECT count(*) FROM subject"), 0);
}
END_TEST

START_TEST(cap_drops_the_oldest_raw_chunks_first)
{
    int64_t newest;

    options.max_file_bytes = 260000; /* 36 empty tables and indexes take half of it */
    open_store();
    run_steps(1, 72 * 360);
    maintain(72 * 360 * STEP_MS + 7200000);
    ck_assert_int_lt(held_number(path, "SELECT (page_count - freelist_count) * 4096 FROM"
                                       " pragma_page_count, pragma_freelist_count"),
                     280000);
    newest = held_number(path, "SELECT max(t1) FROM raw");
    ck_assert_int_gt(newest, 70 * 3600000);
    ck_assert_int_gt(held_number(path, "SELECT min(t0) FROM raw"), 3600000);
    ck_assert_int_lt(held_number(path, "SELECT min(t0) FROM minute"), 3600000);
}
END_TEST

START_TEST(budget_bounds_a_call)
{
    int calls = 0, rc;

    open_store();
    for (int64_t step = 1; step < 12 * 360; step++) {
        struct oc_sample sample;

        oc_tick_begin(&tick, step * STEP_MS);
        for (uint32_t s = 1; s <= SOURCES; s++) {
            made_sample(s, step, &sample);
            oc_tick_put(&tick, s, &sample);
        }
        ck_assert_int_eq(oc_store_append(store, &tick), 0);
        ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, step * STEP_MS), 0);
    }
    (void)oc_store_maintain(store, 0, unix_0, 1);
    do {
        rc = oc_store_maintain(store, 12 * 3600000, unix_0 + 12 * 3600000, 1);
        calls++;
    } while (rc == 1);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_gt(calls, SOURCES);
    ck_assert_int_gt(check_tier("minute", 60000, 1, 12 * 360), 400);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upkeep");
    TCase *tests = tcase_create("upkeep");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, upper_tiers_say_what_the_samples_said);
    tcase_add_test(tests, short_chunks_are_put_together);
    tcase_add_loop_test(tests, a_damaged_chunk_costs_only_its_own_time, 0, 3);
    tcase_add_test(tests, each_tier_is_kept_as_long_as_told);
    tcase_add_test(tests, cap_drops_the_oldest_raw_chunks_first);
    tcase_add_test(tests, budget_bounds_a_call);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
