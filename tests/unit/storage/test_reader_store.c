/* The reading side on what the writing side writes, while it is open. */
#include "made.h"

#include "base/alloc.h"
#include "storage/reader.h"
#include "storage/store.h"
#include "tests/support/folder.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOURCES = 30, TICK = 10000, TICKS = 1300 };
#define UNIX_MS INT64_C(1700000000000)

static char folder[128], path[160];
static oc_store *store;
static oc_reader *reader;
static uint32_t ids[SOURCES];

static int64_t last_of(int i, int ticks)
{
    /* every third source ticks at every second tick only */
    return i % 3 == 0 ? (ticks - 1) / 2 * 2 : ticks - 1;
}

static void begin_sources(void)
{
    for (int i = 0; i < SOURCES; i++) {
        struct oc_proc_facts facts = { .id = { .pid = 1000 + (uint32_t)i, .start_ticks = 7 },
                                       .uid = 0 };
        char subject[80];

        (void)snprintf(facts.name, sizeof facts.name, "made%d", i % 7);
        (void)snprintf(subject, sizeof subject, "proc:%s", facts.name);
        ck_assert_int_eq(oc_store_source_begin(store,
                                               &(struct oc_source_info){ .kind = OC_SOURCE_PROCESS,
                                                                         .subject = subject,
                                                                         .begin_boot_ms = 0,
                                                                         .facts = &facts,
                                                                         .interval_ms = TICK },
                                               &ids[i]),
                         OC_OK);
    }
}

static void write_ticks(int from, int to)
{
    struct oc_tick tick;

    oc_tick_init(&tick);
    for (int t = from; t < to; t++) {
        oc_tick_begin(&tick, (int64_t)t * TICK);
        for (int i = 0; i < SOURCES; i++) {
            struct oc_sample sample;

            if (i % 3 == 0 && t % 2 != 0)
                continue;
            made_sample(ids[i], t, &sample);
            oc_tick_put(&tick, ids[i], &sample);
        }
        ck_assert_int_eq(oc_store_append(store, &tick), OC_OK);
        ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, (int64_t)t * TICK), OC_OK);
    }
    oc_tick_clear(&tick);
}

static void set_up(void)
{
    struct oc_store_options options = {
        .path = path, .boot_id = "boot", .now_unix_ms = UNIX_MS, .sync_interval_ms = INT32_MAX
    };
    struct oc_store_report report;
    struct oc_detail detail = { 0 };

    ck_assert_int_eq(make_folder("oomcast-both", folder, sizeof folder), 0);
    (void)snprintf(path, sizeof path, "%s/oomcast.db", folder);
    ck_assert_msg(oc_store_open(&options, &store, &report, &detail) == OC_OK, "%s", detail.text);
    begin_sources();
    write_ticks(0, TICKS);
    ck_assert_msg(oc_reader_open(path, &reader, &detail) == OC_OK, "%s", detail.text);
}

static void tear_down(void)
{
    oc_reader_close(reader);
    (void)oc_store_close(store);
    ck_assert_int_eq(remove_folder(folder), 0);
}

static int64_t value_at(uint32_t source, int64_t tick, enum oc_metric metric)
{
    struct oc_sample sample;

    made_sample(source, tick, &sample);
    return oc_sample_has(&sample, metric) ? oc_sample_get(&sample, metric) : INT64_MIN;
}

struct expecting {
    uint32_t source;
    int64_t tick;
    int stride;
    enum oc_metric metric;
};

static int see_point(const struct oc_point *point, void *context)
{
    struct expecting *expecting = context;

    while (value_at(expecting->source, expecting->tick, expecting->metric) == INT64_MIN)
        expecting->tick += expecting->stride;
    ck_assert_int_eq(point->t_unix_ms, UNIX_MS + expecting->tick * TICK);
    ck_assert_int_eq(point->last, value_at(expecting->source, expecting->tick, expecting->metric));
    expecting->tick += expecting->stride;
    return 0;
}

START_TEST(every_sample_written_is_read)
{
    static const enum oc_metric metrics[] = { OC_METRIC_RSS, OC_METRIC_CPU_TIME,
                                              OC_METRIC_MAPPINGS };

    for (int i = 0; i < SOURCES; i += 4) {
        for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
            const struct oc_range range = { .until_unix_ms = INT64_MAX, .metric = metrics[m] };
            struct expecting expecting = { .source = ids[i],
                                           .stride = i % 3 == 0 ? 2 : 1,
                                           .metric = metrics[m] };
            int count = oc_reader_range(reader, ids[i], &range, see_point, &expecting);

            if (metrics[m] == OC_METRIC_MAPPINGS)
                ck_assert_int_gt(count, 0);
            else
                ck_assert_int_eq(count, last_of(i, TICKS) / expecting.stride + 1);
        }
    }
}
END_TEST

/* One source after the other, the same figure: what the journal has of it is kept in memory. */
START_TEST(ranges_of_many_sources_follow_the_writer)
{
    const struct oc_range range = { .until_unix_ms = INT64_MAX, .metric = OC_METRIC_RSS };
    const struct oc_range tail = { .since_unix_ms = UNIX_MS + (int64_t)(TICKS - 5) * TICK,
                                   .until_unix_ms = INT64_MAX,
                                   .metric = OC_METRIC_RSS };

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < SOURCES; i++) {
            int stride = i % 3 == 0 ? 2 : 1, ticks = TICKS + round * 4;
            struct expecting expecting = { .source = ids[i],
                                           .stride = stride,
                                           .metric = OC_METRIC_RSS };

            if (round % 2 == 1)
                expecting.tick = (TICKS - 5 + stride - 1) / stride * stride;
            ck_assert_int_eq(oc_reader_range(reader, ids[i], round % 2 == 1 ? &tail : &range,
                                             see_point, &expecting),
                             (last_of(i, ticks) -
                              (round % 2 == 1 ? (TICKS - 5 + stride - 1) / stride * stride : 0)) /
                                     stride +
                                 1);
        }
        write_ticks(TICKS + round * 4, TICKS + round * 4 + 4);
    }
}
END_TEST

static int see_latest(const struct oc_latest_row *row, void *context)
{
    int *ticks = context;
    int64_t tick = (row->t_unix_ms - UNIX_MS) / TICK;
    int i = (int)row->pid - 1000;

    ck_assert_int_eq(tick, last_of(i, *ticks));
    ck_assert_uint_eq(row->source, ids[i]);
    ck_assert_int_eq(oc_sample_get(row->sample, OC_METRIC_RSS),
                     value_at(row->source, tick, OC_METRIC_RSS));
    return 0;
}

START_TEST(latest_follows_the_writer)
{
    int ticks = TICKS;

    ck_assert_int_eq(oc_reader_latest(reader, see_latest, &ticks), SOURCES);
    write_ticks(TICKS, TICKS + 3);
    ticks = TICKS + 3;
    ck_assert_int_eq(oc_reader_latest(reader, see_latest, &ticks), SOURCES);
}
END_TEST

static int see_life(const struct oc_life_row *row, void *context)
{
    int i = (int)row->facts.id.pid - 1000;

    (void)context;
    ck_assert_uint_eq(row->samples, (uint64_t)(last_of(i, TICKS) / (i % 3 == 0 ? 2 : 1) + 1));
    ck_assert_int_eq(row->last_unix_ms, UNIX_MS + last_of(i, TICKS) * TICK);
    ck_assert_int_eq(row->end, OC_END_RUNNING);
    return 0;
}

START_TEST(lives_count_all_samples)
{
    ck_assert_int_eq(oc_reader_lives(reader, NULL, see_life, NULL), SOURCES);
}
END_TEST

static void see_finding(const char *text, void *context)
{
    (void)context;
    ck_abort_msg("%s", text);
}

START_TEST(what_is_written_is_sound)
{
    struct oc_db_info info;

    ck_assert_int_eq(oc_reader_check(reader, see_finding, NULL, NULL), 0);
    ck_assert_int_eq(oc_reader_info(reader, &info), OC_OK);
    ck_assert_uint_gt(info.raw_chunks, SOURCES);
    ck_assert_int_eq(info.last_unix_ms, UNIX_MS + (int64_t)(TICKS - 1) * TICK);
}
END_TEST

static int64_t one_number(const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number;

    ck_assert_int_eq(sqlite3_prepare_v2(oc_reader_sqlite(reader), sql, -1, &statement, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return number;
}

START_TEST(sql_has_every_sample_once)
{
    int64_t expected = 0;

    for (int i = 0; i < SOURCES; i++)
        expected += last_of(i, TICKS) / (i % 3 == 0 ? 2 : 1) + 1;
    ck_assert_int_eq(one_number("SELECT count(*) FROM samples WHERE metric = 'rss_bytes'"),
                     expected);
    ck_assert_int_eq(one_number("SELECT count(DISTINCT source || ' ' || t) FROM samples "
                                "WHERE metric = 'rss_bytes'"),
                     expected);
    ck_assert_int_eq(
        one_number("SELECT count(*) FROM samples WHERE metric = 'rss_bytes' AND pid = 1001"),
        TICKS);
}
END_TEST

START_TEST(an_ended_source_is_whole_and_no_longer_latest)
{
    struct expecting expecting = { .source = ids[1], .stride = 1, .metric = OC_METRIC_RSS };
    const struct oc_range range = { .until_unix_ms = INT64_MAX, .metric = OC_METRIC_RSS };
    int ticks = TICKS;

    ck_assert_int_eq(oc_store_source_end(store, ids[1], (int64_t)TICKS * TICK, OC_END_EXITED, 0),
                     OC_OK);
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, (int64_t)TICKS * TICK), OC_OK);
    ck_assert_int_eq(oc_reader_range(reader, ids[1], &range, see_point, &expecting), TICKS);
    ck_assert_int_eq(oc_reader_latest(reader, see_latest, &ticks), SOURCES - 1);
}
END_TEST

START_TEST(a_closed_store_reads_the_same)
{
    struct expecting expecting = { .source = ids[2], .stride = 1, .metric = OC_METRIC_RSS };
    const struct oc_range range = { .until_unix_ms = INT64_MAX, .metric = OC_METRIC_RSS };
    int ticks = TICKS;

    ck_assert_int_eq(oc_store_close(store), OC_OK);
    store = NULL;
    oc_reader_close(reader);
    reader = NULL;
    ck_assert_int_eq(oc_reader_open(path, &reader, NULL), OC_OK);
    ck_assert_int_eq(oc_reader_range(reader, ids[2], &range, see_point, &expecting), TICKS);
    ck_assert_int_eq(oc_reader_latest(reader, see_latest, &ticks), SOURCES);
}
END_TEST

/* ---- days of it, with the chores of the writing side ---- */

enum { DAYS = 9, DAY_TICKS = 8640, HOUR = 3600000 };

static void maintain(int64_t now_ms)
{
    int more = 1;

    for (int i = 0; more > 0 && i < 10000; i++)
        more = oc_store_maintain(store, now_ms, UNIX_MS + now_ms, 1000000);
    ck_assert_int_eq(more, 0);
}

/* Three sources; one is of a short life each day. Samples are made without made_sample()'s cost. */
static void write_days(void)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
    struct oc_tick tick;

    oc_tick_init(&tick);
    for (int64_t t = TICKS; t < (int64_t)DAYS * DAY_TICKS; t++) {
        oc_tick_begin(&tick, t * TICK);
        for (int i = 0; i < 3; i++) {
            if (i == 2 && t / 360 % 5 == 0)
                continue; /* hours without a sample */
            sample.known = 0;
            oc_sample_set(&sample, OC_METRIC_RSS, (t * t / (7 + i) % 1000 + t) * 4096);
            oc_tick_put(&tick, ids[i], &sample);
        }
        ck_assert_int_eq(oc_store_append(store, &tick), OC_OK);
        if (t % 60 == 0)
            ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, t * TICK), OC_OK);
        if (t % 360 == 0)
            maintain(t * TICK);
    }
    oc_tick_clear(&tick);
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, (int64_t)DAYS * DAY_TICKS * TICK),
                     OC_OK);
}

struct both {
    struct oc_point at[DAYS * 24 * 60];
    int count;
};
static struct both coarse, exact;

static int keep_point(const struct oc_point *point, void *context)
{
    struct both *both = context;

    ck_assert_int_lt(both->count, DAYS * 24 * 60);
    both->at[both->count++] = *point;
    return 0;
}

static void compare_tiers(uint32_t source, int64_t step_ms)
{
    struct oc_range range = { .since_unix_ms = UNIX_MS + 3 * 24 * (int64_t)HOUR,
                              .until_unix_ms = UNIX_MS + DAYS * 24 * (int64_t)HOUR,
                              .step_ms = step_ms,
                              .metric = OC_METRIC_RSS };

    coarse.count = exact.count = 0;
    ck_assert_int_gt(oc_reader_range(reader, source, &range, keep_point, &coarse), 0);
    range.precision = OC_PRECISE_EXACT;
    ck_assert_int_gt(oc_reader_range(reader, source, &range, keep_point, &exact), 0);
    ck_assert_int_eq(coarse.count, exact.count);
    for (int i = 0; i < exact.count; i++) {
        const struct oc_point *a = &coarse.at[i], *b = &exact.at[i];

        ck_assert_int_eq(a->t_unix_ms, b->t_unix_ms);
        ck_assert_uint_eq(a->count, b->count);
        ck_assert_int_eq(a->min, b->min);
        ck_assert_int_eq(a->max, b->max);
        ck_assert_int_eq(a->last, b->last);
        ck_assert_double_eq_tol(a->mean, b->mean, 1.0);
    }
}

START_TEST(tiers_say_what_the_samples_say)
{
    struct oc_db_info info;

    write_days();
    ck_assert_int_eq(oc_reader_info(reader, &info), OC_OK);
    ck_assert_uint_gt(info.minute_chunks, 0);
    ck_assert_uint_gt(info.hour_chunks, 0);
    for (int i = 0; i < 3; i++) {
        compare_tiers(ids[i], 60000);
        compare_tiers(ids[i], 600000);
        compare_tiers(ids[i], HOUR);
        compare_tiers(ids[i], 24 * HOUR);
    }
    ck_assert_int_eq(oc_reader_check(reader, see_finding, NULL, NULL), 0);
    ck_assert_int_eq(one_number("SELECT sum(count) FROM samples_hour WHERE pid = 1001 AND "
                                "metric = 'rss_bytes'"),
                     DAYS * DAY_TICKS);
    ck_assert_int_eq(one_number("SELECT sum(count) FROM samples_minute WHERE pid = 1001 AND "
                                "metric = 'rss_bytes'"),
                     DAYS * DAY_TICKS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reader_store");
    TCase *tcase = tcase_create("reader_store");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, every_sample_written_is_read);
    tcase_add_test(tcase, ranges_of_many_sources_follow_the_writer);
    tcase_add_test(tcase, latest_follows_the_writer);
    tcase_add_test(tcase, lives_count_all_samples);
    tcase_add_test(tcase, what_is_written_is_sound);
    tcase_add_test(tcase, sql_has_every_sample_once);
    tcase_add_test(tcase, an_ended_source_is_whole_and_no_longer_latest);
    tcase_add_test(tcase, a_closed_store_reads_the_same);
    tcase_add_test(tcase, tiers_say_what_the_samples_say);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
