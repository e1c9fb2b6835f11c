#include "reader_fixture.h"

#include "base/alloc.h"
#include "base/os.h"
#include "storage/format/schema.h"
#include "storage/read/clock.h"
#include "storage/read/fold.h"
#include "tests/support/rights.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MINUTE = 60000, HOUR = 3600000, TICK = 10000 };

static struct fixture store;

static void set_up(void) { fixture_begin(&store); }
static void tear_down(void) { fixture_end(&store); }

static int64_t unix_of(int64_t boot_ms) { return FIXTURE_BOOT_UNIX_MS + boot_ms; }

/*
 * Source 1: 2 hours of hour rows, 3 h of minute rows, raw chunks of 100 samples from the second
 * hour on, then a tail in the journal; each finer one overlaps the coarser.
 */
static void fill_layers(void)
{
    const uint32_t one[] = { 1 };

    fixture_source(&store, 1, OC_SOURCE_PROCESS, "proc:worker", 4711, 0, -1);
    fixture_tier(&store, "hour", 1, 0, HOUR, 2, TICK);
    fixture_tier(&store, "minute", 1, 30 * MINUTE, MINUTE, 120, TICK);
    for (int64_t t = HOUR; t < 3 * HOUR; t += 100 * TICK)
        fixture_raw(&store, 1, t, TICK,
                    t + 100 * TICK > 3 * HOUR ? (unsigned)((3 * HOUR - t) / TICK) : 100);
    for (int64_t t = 3 * HOUR - 20 * TICK; t < 3 * HOUR + 60 * TICK; t += 20 * TICK) {
        fixture_row_begin(&store);
        for (int i = 0; i < 20; i++)
            fixture_tick(&store, t + i * TICK, one, 1, i == 0 && t % (2 * 20 * TICK) == 0);
        fixture_row_end(&store, t % (2 * 20 * TICK) == 0);
    }
}

/* ---- points ---- */

struct points {
    struct oc_point at[4096];
    size_t count;
};
static struct points got;

static int take_point(const struct oc_point *point, void *context)
{
    struct points *points = context;

    ck_assert_uint_lt(points->count, sizeof points->at / sizeof *points->at);
    points->at[points->count++] = *point;
    return 0;
}

static int ask(oc_reader *reader, int64_t since_boot_ms, int64_t until_boot_ms, int64_t step_ms,
               enum oc_precision precision)
{
    const struct oc_range range = { .since_unix_ms = unix_of(since_boot_ms),
                                    .until_unix_ms = unix_of(until_boot_ms),
                                    .step_ms = step_ms,
                                    .metric = OC_METRIC_RSS,
                                    .precision = precision };

    got.count = 0;
    return oc_reader_range(reader, 1, &range, take_point, &got);
}

/* What the samples every TICK in [t, t + step) come to. */
static void check_point(const struct oc_point *point, int64_t t_boot_ms, int64_t step_ms)
{
    int64_t min = INT64_MAX, max = INT64_MIN, last = 0;
    uint64_t count = 0;
    double sum = 0;

    for (int64_t t = t_boot_ms; t < t_boot_ms + step_ms; t += TICK) {
        last = fixture_value(1, OC_METRIC_RSS, t);
        min = last < min ? last : min;
        max = last > max ? last : max;
        sum += (double)last;
        count++;
    }
    ck_assert_int_eq(point->t_unix_ms, unix_of(t_boot_ms));
    ck_assert_uint_eq(point->count, count);
    ck_assert_int_eq(point->min, min);
    ck_assert_int_eq(point->max, max);
    ck_assert_int_eq(point->last, last);
    ck_assert_double_eq_tol(point->mean, sum / (double)count, 1.0);
}

START_TEST(range_joins_tiers_chunks_and_journal_without_gap_or_overlap)
{
    static const struct {
        int64_t step_ms;
        enum oc_precision precision;
    } cases[] = { { HOUR, OC_PRECISE_AUTO },
                  { 10 * MINUTE, OC_PRECISE_AUTO },
                  { MINUTE, OC_PRECISE_AUTO },
                  { 30 * MINUTE, OC_PRECISE_AUTO } };
    int64_t step_ms = cases[_i].step_ms;
    /* the hour tier reaches back further than the minute tier */
    int64_t since_ms = step_ms >= HOUR ? 0 : 30 * MINUTE, until_ms = 3 * HOUR + 10 * MINUTE;
    oc_reader *reader;
    int count;

    fill_layers();
    reader = fixture_reader(&store);
    if (step_ms < HOUR)
        since_ms = HOUR; /* before it the hour rows stand in: other points */
    count = ask(reader, since_ms, until_ms, step_ms, cases[_i].precision);
    ck_assert_int_eq(count, (int)((until_ms - since_ms + step_ms - 1) / step_ms));
    for (int i = 0; i < count; i++) {
        int64_t t = since_ms + i * step_ms;

        check_point(&got.at[i], t, t + step_ms > until_ms ? until_ms - t : step_ms);
    }
    oc_reader_close(reader);
}
END_TEST

START_TEST(exact_range_gives_every_sample)
{
    oc_reader *reader;
    int count;

    fill_layers();
    reader = fixture_reader(&store);
    count = ask(reader, HOUR, 3 * HOUR + 60 * TICK, 0, OC_PRECISE_EXACT);
    ck_assert_int_eq(count, 2 * HOUR / TICK + 60);
    for (int i = 0; i < count; i++)
        check_point(&got.at[i], HOUR + i * TICK, TICK);
    count = ask(reader, HOUR + 5 * TICK, 2 * HOUR + 5 * TICK, 7 * TICK, OC_PRECISE_EXACT);
    for (int i = 0; i + 1 < count; i++)
        check_point(&got.at[i], HOUR + 5 * TICK + i * 7 * TICK, 7 * TICK);
    oc_reader_close(reader);
}
END_TEST

START_TEST(exact_range_falls_back_to_tiers_where_raw_is_gone)
{
    oc_reader *reader;
    uint64_t samples = 0;

    fill_layers();
    reader = fixture_reader(&store);
    ck_assert_int_gt(ask(reader, 0, 4 * HOUR, 5 * MINUTE, OC_PRECISE_EXACT), 0);
    for (size_t i = 0; i < got.count; i++)
        samples += got.at[i].count;
    /* hour row 0 and (of the minute tier, which begins in it) rows of the second hour's start are
     * not counted twice */
    ck_assert_uint_eq(samples, 3 * HOUR / TICK + 60);
    oc_reader_close(reader);
}
END_TEST

START_TEST(a_coarse_tier_does_not_stand_in_for_raw_samples_that_are_there)
{
    oc_reader *reader;

    fixture_source(&store, 1, OC_SOURCE_PROCESS, "proc:worker", 4711, 0, -1);
    fixture_tier(&store, "hour", 1, 0, HOUR, 1, TICK);
    fixture_raw(&store, 1, 0, TICK, 360);
    reader = fixture_reader(&store);
    ck_assert_int_eq(ask(reader, 0, 50 * MINUTE, 2 * MINUTE, OC_PRECISE_AUTO), 25);
    for (int i = 0; i < 25; i++)
        check_point(&got.at[i], i * 2 * MINUTE, 2 * MINUTE);
    oc_reader_close(reader);
}
END_TEST

/* A life of less than an hour, with its row of an hour that began before it. */
START_TEST(an_hour_s_row_does_not_stand_in_for_a_life_that_began_within_it)
{
    oc_reader *reader;

    fixture_source(&store, 1, OC_SOURCE_PROCESS, "proc:worker", 4711, 50 * MINUTE, -1);
    fixture_tier(&store, "hour", 1, 0, HOUR, 1, TICK);
    fixture_tier(&store, "minute", 1, 50 * MINUTE, MINUTE, 5, TICK);
    fixture_raw(&store, 1, 50 * MINUTE + TICK, TICK, 30);
    reader = fixture_reader(&store);
    for (int precision = OC_PRECISE_AUTO; precision <= OC_PRECISE_EXACT; precision++) {
        ck_assert_int_eq(ask(reader, 0, 4 * HOUR, 0, (enum oc_precision)precision), 30);
        for (int i = 0; i < 30; i++)
            check_point(&got.at[i], 50 * MINUTE + (i + 1) * TICK, TICK);
    }
    oc_reader_close(reader);
}
END_TEST

static int stop_at_third(const struct oc_point *point, void *context)
{
    int *count = context;

    (void)point;
    return ++*count == 3;
}

START_TEST(range_stops_when_told)
{
    const struct oc_range range = { .since_unix_ms = 0,
                                    .until_unix_ms = INT64_MAX,
                                    .step_ms = 0,
                                    .metric = OC_METRIC_RSS,
                                    .precision = OC_PRECISE_EXACT };
    oc_reader *reader;
    int count = 0;

    fill_layers();
    reader = fixture_reader(&store);
    ck_assert_int_eq(oc_reader_range(reader, 1, &range, stop_at_third, &count), 3);
    ck_assert_int_eq(count, 3);
    oc_reader_close(reader);
}
END_TEST

START_TEST(range_of_what_is_not_there)
{
    struct oc_range range = { .until_unix_ms = INT64_MAX, .metric = OC_METRIC_SWAP };
    oc_reader *reader;

    fill_layers();
    reader = fixture_reader(&store);
    got.count = 0;
    ck_assert_int_eq(oc_reader_range(reader, 1, &range, take_point, &got), 0);
    range.metric = OC_METRIC_CGROUP_ANON;
    ck_assert_int_eq(oc_reader_range(reader, 1, &range, take_point, &got), 0);
    ck_assert_int_eq(oc_reader_range(reader, 99, &range, take_point, &got), OC_E_NOENT);
    range.step_ms = -1;
    ck_assert_int_eq(oc_reader_range(reader, 1, &range, take_point, &got), OC_E_INVAL);
    range.step_ms = 0;
    range.metric = OC_METRIC_MAX;
    ck_assert_int_eq(oc_reader_range(reader, 1, &range, take_point, &got), OC_E_INVAL);
    ck_assert_uint_eq(got.count, 0);
    oc_reader_close(reader);
}
END_TEST

START_TEST(points_are_in_order_though_the_clock_was_set_back)
{
    oc_reader *reader;

    fixture_source(&store, 1, OC_SOURCE_PROCESS, "proc:worker", 1, 0, -1);
    fixture_raw(&store, 1, 0, TICK, 100);
    fixture_sql(&store, "INSERT INTO clock SELECT 1, 500000, unix_ms + 500000 - 300000 FROM clock");
    reader = fixture_reader(&store);
    ck_assert_int_eq(ask(reader, 0, HOUR, 0, OC_PRECISE_EXACT), 100);
    for (size_t i = 1; i < got.count; i++)
        ck_assert_int_le(got.at[i - 1].t_unix_ms, got.at[i].t_unix_ms);
    ck_assert_int_eq(got.at[99].t_unix_ms, unix_of(100 * TICK - TICK - 300000));
    ck_assert_int_eq(ask(reader, 0, HOUR, 100000, OC_PRECISE_EXACT), 7);
    ck_assert_uint_eq(got.at[2].count, 20); /* gone through twice */
    oc_reader_close(reader);
}
END_TEST

/* ---- what there is ---- */

static void fill_many(void)
{
    const uint32_t two[] = { 2, 3 };

    fixture_source(&store, 1, OC_SOURCE_PROCESS, "proc:worker", 100, 0, 100 * TICK);
    fixture_source(&store, 2, OC_SOURCE_PROCESS, "proc:worker", 101, 200 * TICK, -1);
    fixture_source(&store, 3, OC_SOURCE_PROCESS, "proc:db", 102, 0, -1);
    fixture_source(&store, 4, OC_SOURCE_PROCESS, "proc:silent", 103, 0, -1);
    fixture_source(&store, 5, OC_SOURCE_PROCESS, "proc:new", 104, 300 * TICK, -1);
    fixture_source(&store, 6, OC_SOURCE_HOST, "host", 0, 0, -1);
    fixture_raw(&store, 1, 0, TICK, 100);
    fixture_raw(&store, 3, 0, TICK, 250);
    fixture_raw(&store, 4, 0, TICK, 50);
    for (int64_t t = 240; t < 300; t += 10) {
        fixture_row_begin(&store);
        for (int i = 0; i < 10; i++)
            fixture_tick(&store, (t + i) * TICK, two, 2, (t == 240 || t == 280) && i == 0);
        fixture_row_end(&store, t == 240 || t == 280);
    }
}

struct seen {
    int count;
    char text[2048];
};

static int see_subject(const struct oc_subject_row *row, void *context)
{
    struct seen *seen = context;

    seen->count++;
    (void)snprintf(seen->text + strlen(seen->text), sizeof seen->text - strlen(seen->text),
                   "%s %u/%u %lld-%lld; ", row->name, row->running, row->sources,
                   (long long)(row->first_unix_ms - FIXTURE_BOOT_UNIX_MS) / TICK,
                   (long long)(row->last_unix_ms - FIXTURE_BOOT_UNIX_MS) / TICK);
    return 0;
}

START_TEST(subjects_are_listed_by_name)
{
    struct seen seen = { 0 };
    oc_reader *reader;

    fill_many();
    reader = fixture_reader(&store);
    ck_assert_int_eq(oc_reader_subjects(reader, see_subject, &seen), 5);
    ck_assert_str_eq(seen.text, "host 1/1 0-299; proc:db 1/1 0-299; proc:new 1/1 300-300; "
                                "proc:silent 1/1 0-299; proc:worker 1/2 0-299; ");
    oc_reader_close(reader);
}
END_TEST

static int see_life(const struct oc_life_row *row, void *context)
{
    struct seen *seen = context;

    seen->count++;
    (void)snprintf(seen->text + strlen(seen->text), sizeof seen->text - strlen(seen->text),
                   "%u %s pid %u %s %d last %lld n %llu; ", row->source, row->facts.name,
                   row->facts.id.pid, oc_end_name(row->end), row->status,
                   row->last_unix_ms ? (long long)(row->last_unix_ms - FIXTURE_BOOT_UNIX_MS) / TICK
                                     : -1,
                   (unsigned long long)row->samples);
    return 0;
}

START_TEST(lives_tell_their_end_and_count_their_samples)
{
    struct seen seen = { 0 };
    oc_reader *reader;

    fill_many();
    reader = fixture_reader(&store);
    ck_assert_int_eq(
        oc_reader_lives(reader, &(struct oc_life_filter){ .processes_only = 1 }, see_life, &seen),
        5);
    ck_assert_str_eq(seen.text, "1 worker pid 100 exited 3 last 99 n 100; "
                                "2 worker pid 101 running -1 last 299 n 60; "
                                "3 db pid 102 running -1 last 299 n 300; "
                                "4 silent pid 103 running -1 last 49 n 50; "
                                "5 new pid 104 running -1 last -1 n 0; ");
    oc_reader_close(reader);
}
END_TEST

START_TEST(lives_are_filtered)
{
    static const struct {
        struct oc_life_filter filter;
        int count;
    } cases[] = {
        { { .subject = "proc:w*" }, 2 },
        { { .subject = "proc:w*", .running_only = 1 }, 1 },
        { { .pid = 102 }, 1 },
        { { .subject = "host" }, 1 },
        { { .until_unix_ms = FIXTURE_BOOT_UNIX_MS + 150 * TICK }, 4 },
        { { .since_unix_ms = FIXTURE_BOOT_UNIX_MS + 150 * TICK }, 5 },
        { { .subject = "nobody" }, 0 },
    };
    struct seen seen = { 0 };
    oc_reader *reader;

    fill_many();
    reader = fixture_reader(&store);
    ck_assert_int_eq(oc_reader_lives(reader, &cases[_i].filter, see_life, &seen), cases[_i].count);
    ck_assert_int_eq(seen.count, cases[_i].count);
    oc_reader_close(reader);
}
END_TEST

static int see_latest(const struct oc_latest_row *row, void *context)
{
    int64_t *t_ms = context;
    int64_t t_boot_ms = row->t_unix_ms - FIXTURE_BOOT_UNIX_MS;

    ck_assert_uint_lt(row->source, 8);
    ck_assert_int_eq(t_ms[row->source], 0);
    ck_assert(oc_sample_has(row->sample, OC_METRIC_RSS));
    ck_assert_int_eq(oc_sample_get(row->sample, OC_METRIC_RSS),
                     fixture_value(row->source, OC_METRIC_RSS, t_boot_ms));
    ck_assert_uint_eq(row->pid, 99 + row->source);
    t_ms[row->source] = t_boot_ms / TICK;
    return 0;
}

START_TEST(latest_is_the_newest_sample_of_each_running_source)
{
    int64_t t_ms[8] = { 0 };
    oc_reader *reader;

    fill_many();
    reader = fixture_reader(&store);
    ck_assert_int_eq(oc_reader_latest(reader, see_latest, t_ms), 3);
    ck_assert_int_eq(t_ms[1], 0); /* ended */
    ck_assert_int_eq(t_ms[2], 299);
    ck_assert_int_eq(t_ms[3], 299);
    ck_assert_int_eq(t_ms[4], 49); /* only a chunk has it */
    oc_reader_close(reader);
}
END_TEST

START_TEST(latest_finds_a_source_that_was_silent_since_the_last_keyed_row)
{
    const uint32_t five[] = { 5 };
    int64_t t_ms[8] = { 0 };
    oc_reader *reader;

    fill_many();
    fixture_sql(&store, "DELETE FROM journal WHERE id > 2");
    store.next_row = 3;
    fixture_row_begin(&store);
    fixture_tick(&store, 300 * TICK, five, 1, 1);
    fixture_row_end(&store, 1);
    reader = fixture_reader(&store);
    ck_assert_int_eq(oc_reader_latest(reader, see_latest, t_ms), 4);
    ck_assert_int_eq(t_ms[2], 259);
    ck_assert_int_eq(t_ms[3], 259);
    ck_assert_int_eq(t_ms[5], 300);
    oc_reader_close(reader);
}
END_TEST

/* ---- opening ---- */

static int open_code(const char *path, struct oc_detail *detail)
{
    oc_reader *reader = NULL;
    int rc = oc_reader_open(path, &reader, detail);

    oc_reader_close(reader);
    return rc;
}

START_TEST(open_says_what_is_wrong)
{
    static const struct {
        const char *sql, *says;
        int rc;
    } cases[] = {
        { "PRAGMA application_id = 99", "another program", OC_E_FOREIGN },
        { "PRAGMA user_version = 77", "newer oomcast", OC_E_NEWER },
        { "PRAGMA user_version = 0", "older oomcast", OC_E_NOTSUP },
    };
    struct oc_detail detail = { 0 };

    fixture_sql(&store, cases[_i].sql);
    ck_assert_int_eq(open_code(store.path, &detail), cases[_i].rc);
    ck_assert_ptr_nonnull(strstr(detail.text, cases[_i].says));
    ck_assert_ptr_nonnull(strstr(detail.text, store.path));
}
END_TEST

START_TEST(open_refuses_a_file_that_is_no_database)
{
    struct oc_detail detail = { 0 };
    FILE *file;

    fixture_sql(&store, "PRAGMA journal_mode=DELETE");
    (void)sqlite3_close(store.db);
    store.db = NULL;
    file = fopen(store.path, "wb");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 1000; i++)
        (void)fputs("this is no database", file);
    (void)fclose(file);
    ck_assert_int_eq(open_code(store.path, &detail), OC_E_FOREIGN);
    ck_assert_ptr_nonnull(strstr(detail.text, "not an oomcast store"));
    ck_assert_int_eq(open_code("/nonexistent/oomcast.db", &detail), OC_E_NOENT);
    ck_assert_ptr_nonnull(strstr(detail.text, "oomcastd"));
}
END_TEST

START_TEST(reads_beside_an_open_writer)
{
    struct seen seen = { 0 };
    oc_reader *reader;

    fill_many();
    reader = fixture_reader(&store);
    fixture_sql(&store, "BEGIN IMMEDIATE");
    fixture_source(&store, 9, OC_SOURCE_PROCESS, "proc:late", 9, 0, -1);
    ck_assert_int_eq(oc_reader_subjects(reader, see_subject, &seen), 5);
    fixture_sql(&store, "COMMIT");
    ck_assert_int_eq(oc_reader_subjects(reader, see_subject, &seen), 6);
    /* no transaction is left open that would hold the log */
    fixture_sql(&store, "PRAGMA wal_checkpoint(TRUNCATE)");
    ck_assert_int_ne(sqlite3_get_autocommit(oc_reader_sqlite(reader)), 0);
    oc_reader_close(reader);
}
END_TEST

/* ---- a reader who may write nothing ---- */

/* The folder and the files belong to root and to the group of nobody, who may read them. */
static void give_to_group(unsigned folder_mode, unsigned file_mode)
{
    static const char *const suffixes[] = { "", "-wal", "-shm" };

    ck_assert_int_eq(give_to_nobodys_group(store.folder, folder_mode), 0);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char path[160];

        (void)snprintf(path, sizeof path, "%s%s", store.path, suffixes[i]);
        if (oc_file_exists(path))
            ck_assert_int_eq(give_to_nobodys_group(path, file_mode), 0);
    }
}

static int count_as_nobody(struct oc_detail *detail)
{
    struct seen seen = { 0 };
    oc_reader *reader = NULL;
    int rc;

    ck_assert_int_eq(become_nobody(), 0);
    rc = oc_reader_open(store.path, &reader, detail);
    if (rc == OC_OK)
        rc = oc_reader_subjects(reader, see_subject, &seen);
    oc_reader_close(reader);
    ck_assert_int_eq(become_root(), 0);
    return rc;
}

static void remove_one(const char *suffix)
{
    char path[160];

    (void)snprintf(path, sizeof path, "%s%s", store.path, suffix);
    (void)oc_file_remove(path);
}

START_TEST(a_member_of_the_group_reads_without_writing)
{
    struct oc_detail detail = { 0 };

    if (!can_be_nobody()) {
        (void)printf("SKIP a_member_of_the_group_reads_without_writing: not root\n");
        return;
    }
    fill_many();
    give_to_group(0750, 0640);
    ck_assert_int_eq(count_as_nobody(&detail), 5); /* beside the writer */
    fixture_sql(&store, "PRAGMA wal_checkpoint(TRUNCATE)");
    (void)sqlite3_close(store.db);
    store.db = NULL;
    remove_one("-wal");
    remove_one("-shm");
    ck_assert_int_eq(count_as_nobody(&detail), 5); /* offline, with no log */
    give_to_group(0750, 0600);
    ck_assert_int_eq(count_as_nobody(&detail), OC_E_DENIED);
    ck_assert_ptr_nonnull(strstr(detail.text, "group"));
    give_to_group(0700, 0640);
    ck_assert_int_eq(count_as_nobody(&detail), OC_E_DENIED);
}
END_TEST

START_TEST(a_log_that_cannot_be_read_safely_is_refused)
{
    struct oc_detail detail = { 0 };
    char copy[160], command[700];

    if (!can_be_nobody()) {
        (void)printf("SKIP a_log_that_cannot_be_read_safely_is_refused: not root\n");
        return;
    }
    fill_many();
    /* as after a kill -9 and a copy that forgot one file */
    (void)snprintf(copy, sizeof copy, "%s/copy.db", store.folder);
    (void)snprintf(command, sizeof command, "cp '%s' '%s' && cp '%s-wal' '%s-wal'", store.path,
                   copy, store.path, copy);
    ck_assert_int_eq(system(command), 0);
    (void)sqlite3_close(store.db);
    store.db = NULL;
    (void)snprintf(command, sizeof command, "mv '%s' '%s' && mv '%s-wal' '%s-wal'", copy,
                   store.path, copy, store.path);
    ck_assert_int_eq(system(command), 0);
    remove_one("-shm");
    give_to_group(0750, 0640);
    ck_assert_int_eq(count_as_nobody(&detail), OC_E_DENIED);
    ck_assert_ptr_nonnull(strstr(detail.text, "write-ahead log"));
}
END_TEST

/* ---- check and info ---- */

static void see_finding(const char *text, void *context)
{
    struct seen *seen = context;

    seen->count++;
    (void)snprintf(seen->text + strlen(seen->text), sizeof seen->text - strlen(seen->text), "%s; ",
                   text);
}

START_TEST(check_finds_nothing_in_a_sound_store)
{
    struct seen seen = { 0 };
    oc_reader *reader;
    int findings;

    fill_layers();
    reader = fixture_reader(&store);
    findings = oc_reader_check(reader, see_finding, NULL, &seen);
    ck_assert_msg(findings == 0, "%s", seen.text);
    oc_reader_close(reader);
}
END_TEST

START_TEST(check_finds_what_does_not_hold_together)
{
    static const struct {
        const char *sql, *says;
    } cases[] = {
        { "UPDATE raw SET data = x'0102030405' WHERE id = (SELECT min(id) FROM raw)", "unpacked" },
        { "UPDATE raw SET summary = (SELECT summary FROM raw ORDER BY id DESC LIMIT 1) "
          "WHERE id = (SELECT min(id) FROM raw)",
          "summary" },
        { "UPDATE raw SET t1 = t1 + 1", "times" },
        { "UPDATE raw SET n = n - 1", "times" },
        { "UPDATE raw SET t0 = t1 + 1", "row does not hold" },
        { "UPDATE hour SET summary = x'01'", "summary cannot be read" },
        { "UPDATE minute SET id = 77 << 24", "no such source" },
        { "UPDATE journal SET data = x'ffff' WHERE id = 2", "journal row 2" },
        { "DELETE FROM subject", "without their subject" },
        { "DELETE FROM clock", "no wall clock" },
    };
    struct seen seen = { 0 };
    oc_reader *reader;

    fill_layers();
    fixture_sql(&store, cases[_i].sql);
    reader = fixture_reader(&store);
    ck_assert_int_gt(oc_reader_check(reader, see_finding, NULL, &seen), 0);
    ck_assert_msg(strstr(seen.text, cases[_i].says) != NULL, "%s", seen.text);
    oc_reader_close(reader);
}
END_TEST

START_TEST(info_counts)
{
    struct oc_db_info info;
    oc_reader *reader;

    fill_layers();
    reader = fixture_reader(&store);
    ck_assert_int_eq(oc_reader_info(reader, &info), OC_OK);
    ck_assert_uint_eq(info.subjects, 1);
    ck_assert_uint_eq(info.sources, 1);
    ck_assert_uint_eq(info.hour_chunks, 1);
    ck_assert_uint_eq(info.minute_chunks, 1);
    ck_assert_uint_eq(info.raw_chunks, 8);
    ck_assert_uint_eq(info.raw_values, 2 * 720);
    ck_assert_uint_eq(info.journal_rows, 4);
    ck_assert_int_eq(info.first_unix_ms, unix_of(0));
    ck_assert_int_eq(info.last_unix_ms, unix_of(3 * HOUR + 59 * TICK));
    ck_assert_int_eq(info.schema_version, OC_SCHEMA_VERSION);
    ck_assert_uint_gt(info.file_bytes + info.wal_bytes, 0);
    oc_reader_close(reader);
}
END_TEST

START_TEST(info_does_not_begin_before_the_source)
{
    struct oc_db_info info;
    oc_reader *reader;

    fixture_source(&store, 1, OC_SOURCE_PROCESS, "proc:worker", 4711, 30 * MINUTE + 5 * TICK, -1);
    fixture_tier(&store, "hour", 1, 0, HOUR, 2, TICK);
    fixture_tier(&store, "minute", 1, 30 * MINUTE, MINUTE, 90, TICK);
    fixture_raw(&store, 1, HOUR, TICK, 100); /* older ones were dropped */
    reader = fixture_reader(&store);
    ck_assert_int_eq(oc_reader_info(reader, &info), OC_OK);
    ck_assert_int_eq(info.first_unix_ms, unix_of(30 * MINUTE + 5 * TICK));
    oc_reader_close(reader);
}
END_TEST

/* ---- a hostile file ---- */

static int ignore_subject(const struct oc_subject_row *row, void *context)
{
    (void)row;
    (void)context;
    return 0;
}

static int ignore_life(const struct oc_life_row *row, void *context)
{
    (void)row;
    (void)context;
    return 0;
}

static int ignore_latest(const struct oc_latest_row *row, void *context)
{
    (void)row;
    (void)context;
    return 0;
}

static int ignore_point(const struct oc_point *point, void *context)
{
    (void)point;
    (void)context;
    return 0;
}

static void ask_everything(const char *path)
{
    const struct oc_range exact = { .until_unix_ms = INT64_MAX,
                                    .metric = OC_METRIC_RSS,
                                    .precision = OC_PRECISE_EXACT };
    const struct oc_range coarse = { .until_unix_ms = INT64_MAX,
                                     .step_ms = HOUR,
                                     .metric = OC_METRIC_RSS };
    oc_reader *reader = NULL;
    struct oc_db_info info;

    if (oc_reader_open(path, &reader, NULL) < 0)
        return;
    (void)oc_reader_subjects(reader, ignore_subject, NULL);
    (void)oc_reader_lives(reader, NULL, ignore_life, NULL);
    (void)oc_reader_latest(reader, ignore_latest, NULL);
    (void)oc_reader_range(reader, 1, &exact, ignore_point, NULL);
    (void)oc_reader_range(reader, 1, &coarse, ignore_point, NULL);
    (void)oc_reader_check(reader, NULL, NULL, NULL);
    (void)oc_reader_info(reader, &info);
    (void)sqlite3_exec(oc_reader_sqlite(reader),
                       "SELECT total(value) FROM samples; SELECT total(mean) FROM samples_hour; "
                       "SELECT * FROM lives; SELECT * FROM chunks",
                       NULL, NULL, NULL);
    oc_reader_close(reader);
}

static void write_file(const char *path, const unsigned char *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, count, file), count);
    ck_assert_int_eq(fclose(file), 0);
}

static void remove_beside(const char *path)
{
    char other[200];

    (void)snprintf(other, sizeof other, "%s-wal", path);
    (void)unlink(other);
    (void)snprintf(other, sizeof other, "%s-shm", path);
    (void)unlink(other);
}

START_TEST(a_damaged_file_gives_errors_or_right_data_and_no_crash)
{
    uint64_t seed = 42;
    unsigned char *bytes, *bad;
    size_t count;

    fill_layers();
    bytes = fixture_bytes(&store, &count);
    bad = malloc(count);
    ck_assert_ptr_nonnull(bad);
    for (int round = 0; round < 200; round++) {
        size_t keep = count;

        memcpy(bad, bytes, count);
        for (int flips = 1 << round % 8; flips > 0; flips--) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bad[(seed >> 33) % count] ^= (unsigned char)(1u << (seed >> 30 & 7));
        }
        if (round % 10 == 9)
            keep = (size_t)(seed >> 33) % count;
        write_file(store.path, bad, keep);
        remove_beside(store.path);
        ask_everything(store.path);
    }
    free(bad);
    free(bytes);
    remove_beside(store.path);
}
END_TEST

START_TEST(each_failing_allocation_is_survived)
{
    uint64_t count;

    fill_layers();
    ask_everything(store.path);
    oc_alloc_fail_at(0, 0);
    ask_everything(store.path);
    count = oc_alloc_count();
    for (uint64_t nth = 1; nth <= count; nth += 1 + count / 200) {
        int64_t live = oc_alloc_live();

        oc_alloc_fail_at(nth, nth % 2 == 0);
        ask_everything(store.path);
        oc_alloc_fail_at(0, 0);
        ck_assert_int_eq(oc_alloc_live(), live);
    }
}
END_TEST

/* ---- the clock alone ---- */

START_TEST(clock_spans_cut_a_range)
{
    struct oc_clockmap clock = { 0 };
    struct oc_clockmap_span span;
    size_t index = 0;

    ck_assert_int_eq(oc_clockmap_add(&clock, 1, 1000, 501000), OC_OK);
    ck_assert_int_eq(oc_clockmap_add(&clock, 2, 0, 800000), OC_OK);
    ck_assert_int_eq(oc_clockmap_add(&clock, 2, 5000, 900000), OC_OK);
    ck_assert_int_eq(oc_clockmap_unix_ms(&clock, 1, 0), 500000);
    ck_assert_int_eq(oc_clockmap_unix_ms(&clock, 1, 3000), 503000);
    ck_assert_int_eq(oc_clockmap_unix_ms(&clock, 2, 4999), 804999);
    ck_assert_int_eq(oc_clockmap_unix_ms(&clock, 2, 5001), 900001);
    ck_assert_int_eq(oc_clockmap_unix_ms(&clock, 3, 7), 7);
    ck_assert_int_eq(oc_clockmap_next_span(&clock, 2, 801000, 901000, &index, &span), 1);
    ck_assert_int_eq(span.begin_boot_ms, 1000);
    ck_assert_int_eq(span.end_boot_ms, 5000);
    ck_assert_int_eq(oc_clockmap_next_span(&clock, 2, 801000, 901000, &index, &span), 1);
    ck_assert_int_eq(span.begin_boot_ms, 5000);
    ck_assert_int_eq(span.end_boot_ms, 6000);
    ck_assert_int_eq(oc_clockmap_next_span(&clock, 2, 801000, 901000, &index, &span), 0);
    ck_assert_int_eq(oc_clockmap_goes_back(&clock, 2, 0, INT64_MAX), 0);
    ck_assert_int_eq(oc_clockmap_add(&clock, 2, 6000, 890000), OC_OK);
    ck_assert_int_eq(oc_clockmap_goes_back(&clock, 2, 0, INT64_MAX), 1);
    oc_clockmap_clear(&clock);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reader");
    TCase *tcase = tcase_create("reader");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, range_joins_tiers_chunks_and_journal_without_gap_or_overlap, 0, 4);
    tcase_add_test(tcase, exact_range_gives_every_sample);
    tcase_add_test(tcase, exact_range_falls_back_to_tiers_where_raw_is_gone);
    tcase_add_test(tcase, a_coarse_tier_does_not_stand_in_for_raw_samples_that_are_there);
    tcase_add_test(tcase, an_hour_s_row_does_not_stand_in_for_a_life_that_began_within_it);
    tcase_add_test(tcase, range_stops_when_told);
    tcase_add_test(tcase, range_of_what_is_not_there);
    tcase_add_test(tcase, points_are_in_order_though_the_clock_was_set_back);
    tcase_add_test(tcase, subjects_are_listed_by_name);
    tcase_add_test(tcase, lives_tell_their_end_and_count_their_samples);
    tcase_add_loop_test(tcase, lives_are_filtered, 0, 7);
    tcase_add_test(tcase, latest_is_the_newest_sample_of_each_running_source);
    tcase_add_test(tcase, latest_finds_a_source_that_was_silent_since_the_last_keyed_row);
    tcase_add_loop_test(tcase, open_says_what_is_wrong, 0, 3);
    tcase_add_test(tcase, open_refuses_a_file_that_is_no_database);
    tcase_add_test(tcase, reads_beside_an_open_writer);
    tcase_add_test(tcase, a_member_of_the_group_reads_without_writing);
    tcase_add_test(tcase, a_log_that_cannot_be_read_safely_is_refused);
    tcase_add_test(tcase, check_finds_nothing_in_a_sound_store);
    tcase_add_loop_test(tcase, check_finds_what_does_not_hold_together, 0, 10);
    tcase_add_test(tcase, info_counts);
    tcase_add_test(tcase, info_does_not_begin_before_the_source);
    tcase_add_test(tcase, a_damaged_file_gives_errors_or_right_data_and_no_crash);
    tcase_add_test(tcase, each_failing_allocation_is_survived);
    tcase_add_test(tcase, clock_spans_cut_a_range);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
