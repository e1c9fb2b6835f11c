/* History out of a real store: two processes of one subject, one of them silent at times. */
#include "suites.h"

#include "cli/model/history.h"
#include "cli/model/overview.h"
#include "local_time.h"
#include "storage/store.h"
#include "tests/support/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOOT "11111111-2222-3333-4444-555555555555"
#define T0_UNIX INT64_C(1790000000000)
#define T0_BOOT INT64_C(5000000)
#define SECONDS 60
#define BUSY_BYTES(s) (1000 + 10 * (int64_t)(s))
#define QUIET_BYTES 500
#define HOUR_MS INT64_C(3600000)
#define AUTUMN_UNIX INT64_C(1792792800000) /* 2026-10-24 00:00 in Berlin, a day before the change */
#define AUTUMN_HOURS 73
#define AGAIN_HOUR 12
#define AGAIN_BYTES 1000
#define QUIET_END 40 /* the second process ends then */

static char dir[128], path[160];
static oc_reader *reader;
static struct oc_history history;
static struct oc_detail detail;

static uint32_t begin_process_at(oc_store *store, const char *subject, uint32_t pid,
                                 int64_t boot_ms)
{
    struct oc_proc_facts facts = { .id = { pid, 0, pid }, .uid = -1 };
    struct oc_source_info info = { .kind = OC_SOURCE_PROCESS,
                                   .subject = subject,
                                   .begin_boot_ms = boot_ms,
                                   .facts = &facts,
                                   .interval_ms = 1000 };
    uint32_t source = 0;

    (void)snprintf(facts.name, sizeof(facts.name), "%s", subject + 5);
    ck_assert_int_eq(oc_store_source_begin(store, &info, &source), 0);
    return source;
}

static uint32_t begin_process(oc_store *store, const char *subject, uint32_t pid)
{
    return begin_process_at(store, subject, pid, T0_BOOT);
}

static void put(struct oc_tick *tick, uint32_t source, int64_t bytes)
{
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

    oc_sample_set(&sample, OC_METRIC_PRIVATE, bytes);
    oc_tick_put(tick, source, &sample);
}

/* The quiet one says something every 10 s only: between them its last value stands. */
static void write_samples(oc_store *store, uint32_t busy, uint32_t quiet, uint32_t other)
{
    struct oc_tick tick;

    oc_tick_init(&tick);
    for (int s = 0; s < SECONDS; s++) {
        oc_tick_begin(&tick, T0_BOOT + s * 1000);
        put(&tick, busy, BUSY_BYTES(s));
        if (s % 10 == 0 && s < QUIET_END)
            put(&tick, quiet, QUIET_BYTES);
        put(&tick, other, 7);
        ck_assert_int_eq(oc_store_append(store, &tick), 0);
        if (s == QUIET_END - 1)
            ck_assert_int_eq(
                oc_store_source_end(store, quiet, T0_BOOT + s * 1000, OC_END_EXITED, 0), 0);
    }
    oc_tick_clear(&tick);
}

static oc_store *open_store(int64_t now_unix_ms)
{
    struct oc_store_options options = {
        .path = path, .boot_id = BOOT, .now_boot_ms = T0_BOOT, .now_unix_ms = now_unix_ms
    };
    struct oc_store_report report;
    oc_store *store = NULL;

    memset(&history, 0, sizeof(history));
    ck_assert_int_eq(make_folder("oomcast-history", dir, sizeof(dir)), 0);
    (void)snprintf(path, sizeof(path), "%s/oomcast.db", dir);
    ck_assert_int_eq(oc_store_open(&options, &store, &report, &detail), 0);
    return store;
}

static void close_and_read(oc_store *store, int64_t now_boot_ms)
{
    ck_assert_int_eq(oc_store_commit(store, OC_DURABLE_BATCH, now_boot_ms), 0);
    ck_assert_int_eq(oc_store_close(store), 0);
    ck_assert_msg(oc_reader_open(path, &reader, &detail) == 0, "%s", detail.text);
}

static void begin(void)
{
    oc_store *store = open_store(T0_UNIX);
    uint32_t busy = begin_process(store, "proc:web", 11);
    uint32_t quiet = begin_process(store, "proc:web", 12);

    write_samples(store, busy, quiet, begin_process(store, "proc:other", 13));
    close_and_read(store, T0_BOOT + SECONDS * 1000);
}

/* A sample at the beginning of every hour, which is its value; and a process that is started again
 * after some hours. */
static void begin_autumn(void)
{
    oc_store *store = open_store(AUTUMN_UNIX);
    uint32_t source = begin_process(store, "proc:web", 11);
    uint32_t again = begin_process(store, "proc:again", 12);
    struct oc_tick tick;

    (void)set_local_time(BERLIN);
    oc_tick_init(&tick);
    for (int hour = 0; hour < AUTUMN_HOURS; hour++) {
        int64_t boot_ms = T0_BOOT + hour * HOUR_MS;

        if (hour == AGAIN_HOUR) {
            ck_assert_int_eq(oc_store_source_end(store, again, boot_ms, OC_END_EXITED, 0), 0);
            again = begin_process_at(store, "proc:again", 13, boot_ms);
        }
        oc_tick_begin(&tick, boot_ms);
        put(&tick, source, hour);
        put(&tick, again, hour < AGAIN_HOUR ? AGAIN_BYTES : 2 * AGAIN_BYTES);
        ck_assert_int_eq(oc_store_append(store, &tick), 0);
    }
    oc_tick_clear(&tick);
    close_and_read(store, T0_BOOT + AUTUMN_HOURS * HOUR_MS);
}

static void end(void)
{
    oc_history_clear(&history);
    oc_reader_close(reader);
    ck_assert_int_eq(remove_folder(dir), 0);
}

static void end_autumn(void)
{
    end();
    restore_local_time();
}

static struct oc_history_ask ask_for(const char *subject)
{
    return (struct oc_history_ask){ .subject = subject, .until_unix_ms = INT64_MAX, .points = 30 };
}

static int load(const struct oc_history_ask *ask)
{
    return oc_history_load(&history, reader, ask, &detail);
}

START_TEST(lives_of_a_subject_are_summed_up)
{
    struct oc_history_ask ask = ask_for("proc:web");
    const struct oc_history_line *line = &history.lines[0];

    ask.step_ms = 1000;
    ck_assert_msg(load(&ask) == 0, "%s", detail.text);
    ck_assert_uint_eq(history.line_count, 1);
    ck_assert_uint_eq(line->sources, 2);
    ck_assert_uint_eq(line->pid, 0);
    ck_assert_uint_eq(line->count, SECONDS);
    for (int s = 0; s < SECONDS; s++) {
        int64_t quiet = s <= QUIET_END - 10 ? QUIET_BYTES : 0; /* up to its last sample */

        ck_assert_int_eq(line->points[s].t_unix_ms, T0_UNIX + s * 1000);
        ck_assert_int_eq(line->points[s].max, BUSY_BYTES(s) + quiet);
        ck_assert_int_eq(line->points[s].last, BUSY_BYTES(s) + quiet);
    }
}
END_TEST

START_TEST(steps_hold_min_mean_max)
{
    struct oc_history_ask ask = ask_for("proc:web");
    const struct oc_point *point;

    ask.step_ms = 10000;
    ask.each = 1;
    ask.precision = OC_PRECISE_EXACT;
    ck_assert_msg(load(&ask) == 0, "%s", detail.text);
    ck_assert_uint_eq(history.line_count, 2);
    point = &history.lines[0].points[1];
    ck_assert_uint_eq(history.lines[0].pid, 11);
    ck_assert_int_eq(point->min, BUSY_BYTES(10));
    ck_assert_int_eq(point->max, BUSY_BYTES(19));
    ck_assert_int_eq(point->first, BUSY_BYTES(10));
    ck_assert_int_eq(point->last, BUSY_BYTES(19));
    ck_assert_double_eq_tol(point->mean, 1145, 1e-6);
    ck_assert_uint_eq(point->count, 10);
}
END_TEST

START_TEST(every_sample_is_a_point)
{
    struct oc_history_ask ask = ask_for(NULL);

    ask.pid = 11;
    ask.every_sample = 1;
    ck_assert_msg(load(&ask) == 0, "%s", detail.text);
    ck_assert_uint_eq(history.lines[0].count, SECONDS);
    ck_assert_int_eq(history.lines[0].points[59].last, BUSY_BYTES(59));
    ck_assert_uint_eq(history.lines[0].trend.count, SECONDS);
}
END_TEST

START_TEST(a_glob_gives_a_line_each)
{
    struct oc_history_ask ask = ask_for("proc:*");

    ck_assert_msg(load(&ask) == 0, "%s", detail.text);
    ck_assert_uint_eq(history.line_count, 2);
    ck_assert_uint_le(history.lines[0].count, 31);
}
END_TEST

START_TEST(a_range_cuts)
{
    struct oc_history_ask ask = ask_for("proc:other");

    ask.since_unix_ms = T0_UNIX + 20000;
    ask.until_unix_ms = T0_UNIX + 30000;
    ask.every_sample = 1;
    ck_assert_msg(load(&ask) == 0, "%s", detail.text);
    ck_assert_uint_eq(history.lines[0].count, 10);
    ck_assert_int_eq(history.lines[0].points[0].t_unix_ms, T0_UNIX + 20000);
}
END_TEST

START_TEST(what_is_not_there_is_said)
{
    struct oc_history_ask ask = ask_for("proc:nobody");

    ck_assert_int_eq(load(&ask), OC_E_NOENT);
    ask = ask_for("proc:web");
    ask.metric = OC_METRIC_HOST_AVAILABLE;
    ck_assert_int_eq(load(&ask), OC_E_INVAL);
    ck_assert_ptr_nonnull(strstr(detail.text, "is a metric of a host"));
    oc_history_clear(&history);
    ask = ask_for("proc:web");
    ask.step_ms = 1;
    ask.since_unix_ms = 0;
    ck_assert_int_eq(load(&ask), 0);
    ck_assert_uint_eq(history.lines[0].count, SECONDS);
}
END_TEST

START_TEST(words_mean_subjects)
{
    static const struct {
        const char *word, *subject;
        int is_meant;
    } cases[] = {
        { "nginx", "proc:nginx", 1 },
        { "nginx", "unit:nginx", 1 },
        { "nginx", "nginx", 1 },
        { "nginx", "proc:nginx2", 0 },
        { "proc:x", "proc:x", 1 },
        { "proc:x", "unit:x", 0 },
        { "host", "host", 1 },
        { "host", "proc:host", 0 },
        { "oomcastd", "oomcastd", 1 },
        { "oomcastd", "proc:oomcastd", 0 },
        { "cgroup:/a", "cgroup:/a", 1 },
        { "/a", "cgroup:/a", 1 },
        { "ng*", "proc:nginx", 1 },
        { "proc:ng*", "unit:nginx", 0 },
        { "shop", "k8s:prod/shop/app", 0 },
        { "prod/shop/*", "k8s:prod/shop/app", 1 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_int_eq(oc_subject_is_meant(cases[i].subject, cases[i].word), cases[i].is_meant);
}
END_TEST

START_TEST(overview_counts)
{
    struct oc_overview overview;

    ck_assert_int_eq(oc_overview_read(reader, &overview), 0);
    ck_assert_uint_eq(overview.subjects, 2);
    ck_assert_uint_eq(overview.sources, 3);
    ck_assert_int_eq(overview.first_unix_ms, T0_UNIX);
    ck_assert_uint_gt(overview.file_bytes, 0);
}
END_TEST

START_TEST(a_day_is_a_local_one_where_the_clock_changes)
{
    static const int midnights[] = { 0, 24, 49,
                                     AUTUMN_HOURS }; /* in hours: the second day has 25 */
    struct oc_history_ask ask = ask_for("proc:web");
    const struct oc_history_line *line = &history.lines[0];

    ask.step_ms = 24 * HOUR_MS;
    ask.precision = _i ? OC_PRECISE_EXACT : OC_PRECISE_AUTO;
    ck_assert_msg(load(&ask) == 0, "%s", detail.text);
    ck_assert_uint_eq(line->count, 3);
    for (int day = 0; day < 3; day++) {
        ck_assert_int_eq(line->points[day].t_unix_ms, AUTUMN_UNIX + midnights[day] * HOUR_MS);
        ck_assert_int_eq(line->points[day].min, midnights[day]);
        ck_assert_int_eq(line->points[day].max, midnights[day + 1] - 1);
        ck_assert_int_eq((int)line->points[day].count, midnights[day + 1] - midnights[day]);
    }
}
END_TEST

START_TEST(lives_that_follow_one_another_are_not_added_up)
{
    struct oc_history_ask ask = ask_for("proc:again");
    const struct oc_point *day;

    ask.step_ms = 24 * HOUR_MS;
    ck_assert_msg(load(&ask) == 0, "%s", detail.text);
    ck_assert_uint_eq(history.line_count, 1);
    ck_assert_uint_eq(history.lines[0].sources, 2);
    day = &history.lines[0].points[0];
    ck_assert_int_eq(day->min, AGAIN_BYTES);
    ck_assert_int_eq(day->max, 2 * AGAIN_BYTES);
    ck_assert_int_eq(day->first, AGAIN_BYTES);
    ck_assert_int_eq(day->last, 2 * AGAIN_BYTES);
    ck_assert_double_eq_tol(day->mean, 1.5 * AGAIN_BYTES, 0.05 * AGAIN_BYTES);
    ck_assert_uint_eq(day->count, 24);
    ck_assert_int_eq(history.lines[0].points[1].max, 2 * AGAIN_BYTES);
}
END_TEST

Suite *history_suite(void)
{
    Suite *suite = suite_create("history");
    TCase *tcase = tcase_create("history");
    TCase *autumn = tcase_create("autumn");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, lives_of_a_subject_are_summed_up);
    tcase_add_test(tcase, steps_hold_min_mean_max);
    tcase_add_test(tcase, every_sample_is_a_point);
    tcase_add_test(tcase, a_glob_gives_a_line_each);
    tcase_add_test(tcase, a_range_cuts);
    tcase_add_test(tcase, what_is_not_there_is_said);
    tcase_add_test(tcase, words_mean_subjects);
    tcase_add_test(tcase, overview_counts);
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(autumn, begin_autumn, end_autumn);
    tcase_add_loop_test(autumn, a_day_is_a_local_one_where_the_clock_changes, 0, 2);
    tcase_add_test(autumn, lives_that_follow_one_another_are_not_added_up);
    if (set_local_time(BERLIN))
        suite_add_tcase(suite, autumn);
    restore_local_time();
    return suite;
}
