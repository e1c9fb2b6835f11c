/* Forecasts, what the forecaster remembers, and the record: into the file, out of it, and away again. */
#include "held.h"
#include "walk_fixture.h"

#include <math.h>

enum { SECOND = 1000, DAY = 86400000 };

/* ---- made up ---- */

static struct oc_forecast_row row_of(unsigned kind, const char *where, unsigned state, int64_t t_ms,
                                     double p50_s)
{
    struct oc_forecast_row row = {
        .limit = { .kind = (uint8_t)kind, .metric = OC_METRIC_PRIVATE, .value = 1 << 30 },
        .forecast = { .state = (uint8_t)state,
                      .metric = OC_METRIC_PRIVATE,
                      .t_ms = t_ms,
                      .since_ms = t_ms / 2,
                      .samples = 1234,
                      .value = 5e8,
                      .limit = kind ? 1 << 30 : NAN,
                      .growth_per_h = 12345.0,
                      .growth_error_per_h = 0.5,
                      .chance = 0.75,
                      .p10_s = p50_s / 2,
                      .p50_s = p50_s,
                      .p90_s = INFINITY,
                      .saved_life_s = NAN }
    };

    (void)snprintf(row.limit.where, sizeof row.limit.where, "%s", where);
    return row;
}

static int say(uint32_t source, const struct oc_forecast_row *rows, size_t count)
{
    int rc = oc_store_forecasts(store, source, rows, count);

    if (rc == 0)
        walk_commit(count ? rows[0].forecast.t_ms : 0);
    return rc;
}

static void say_one(uint32_t source, unsigned state, int64_t t_ms, double p50_s)
{
    struct oc_forecast_row row = row_of(OC_LIMIT_CGROUP_MAX, "/a", state, t_ms, p50_s);

    ck_assert_int_eq(say(source, &row, 1), 0);
}

/* ---- read back ---- */

struct taken {
    int count;
    struct {
        uint32_t source;
        char subject[64];
        struct oc_forecast_row row;
    } items[64];
};

static int take(const struct oc_forecast_span *span, void *context)
{
    struct taken *taken = context;
    int at = taken->count++;

    ck_assert_int_lt(at, 64);
    taken->items[at].source = span->source;
    (void)snprintf(taken->items[at].subject, 64, "%s", span->subject);
    taken->items[at].row = *span->row;
    return 0;
}

static struct taken *ask_for(const struct oc_forecast_filter *filter)
{
    static struct taken taken;
    oc_reader *reader = walk_reader();

    memset(&taken, 0, sizeof taken);
    ck_assert_int_eq(oc_reader_forecasts(reader, filter, take, &taken), taken.count);
    oc_reader_close(reader);
    return &taken;
}

static struct taken *all_of(uint32_t source)
{
    return ask_for(&(struct oc_forecast_filter){ .source = source, .until_unix_ms = INT64_MAX });
}

static struct taken *now_of(uint32_t source)
{
    return ask_for(&(struct oc_forecast_filter){ .source = source, .now_only = 1 });
}

static int64_t rows_in_file(void)
{
    return held_number(walk_path, "SELECT count(*) FROM forecast");
}

/* ---- rows ---- */

START_TEST(a_row_comes_back_as_it_was)
{
    struct oc_forecast_row rows[2] = { row_of(OC_LIMIT_CGROUP_MAX, "/a/b", OC_FORECAST_LEAKING,
                                              60000, 1234.5),
                                       row_of(0, "", OC_FORECAST_GROWING, 60000, NAN) };
    const struct oc_forecast *f;
    struct taken *taken;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    ck_assert_int_eq(say(source, rows, 2), 0);
    taken = now_of(OC_READER_ALL_SOURCES);
    ck_assert_int_eq(taken->count, 2);
    ck_assert_uint_eq(taken->items[0].row.limit.kind, 0); /* in the order of kinds */
    ck_assert(isnan(taken->items[0].row.forecast.limit));
    ck_assert(isnan(taken->items[0].row.forecast.p50_s));
    ck_assert_uint_eq(taken->items[1].source, source);
    ck_assert_str_eq(taken->items[1].subject, "proc:one");
    ck_assert_str_eq(taken->items[1].row.limit.where, "/a/b");
    ck_assert_uint_eq(taken->items[1].row.limit.value, 1 << 30);
    ck_assert_uint_eq(taken->items[1].row.limit.metric, OC_METRIC_PRIVATE);
    f = &taken->items[1].row.forecast;
    ck_assert_uint_eq(f->state, OC_FORECAST_LEAKING);
    ck_assert_uint_eq(f->metric, OC_METRIC_PRIVATE);
    ck_assert_int_eq(f->t_ms, WALK_UNIX_MS + 60000);
    ck_assert_int_eq(f->since_ms, WALK_UNIX_MS + 30000);
    ck_assert_uint_eq(f->samples, 1234);
    ck_assert(f->value == 5e8 && f->limit == 1 << 30 && f->growth_per_h == 12345.0);
    ck_assert(f->growth_error_per_h == 0.5 && f->chance == 0.75);
    ck_assert(f->p10_s == 617.25 && f->p50_s == 1234.5);
    ck_assert(isinf(f->p90_s) && f->p90_s > 0 && isnan(f->saved_life_s));
}
END_TEST

START_TEST(only_news_is_written)
{
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    for (int second = 0; second < 3600; second += 10) /* what was said comes nearer: no news */
        say_one(source, OC_FORECAST_LEAKING, 1000 + second * SECOND, 40000 - second);
    ck_assert_int_eq(rows_in_file(), 6);
    say_one(source, OC_FORECAST_GROWING, 3600 * SECOND, 36000);
    ck_assert_int_eq(rows_in_file(), 7); /* another state */
    say_one(source, OC_FORECAST_GROWING, 3650 * SECOND, 20000);
    ck_assert_int_eq(rows_in_file(), 7); /* it jumps: not so soon */
    say_one(source, OC_FORECAST_GROWING, 3900 * SECOND, 20000);
    ck_assert_int_eq(rows_in_file(), 8);
    say_one(source, OC_FORECAST_GROWING, 3700 * SECOND, 90000);
    ck_assert_int_eq(rows_in_file(), 8); /* time went back */
    say_one(source, OC_FORECAST_GROWING, 4200 * SECOND, 900);
    say_one(source, OC_FORECAST_GROWING, 4240 * SECOND, 600);
    ck_assert_int_eq(rows_in_file(), 9); /* not yet */
    say_one(source, OC_FORECAST_GROWING, 4270 * SECOND, 600);
    ck_assert_int_eq(rows_in_file(), 10); /* near the end it is wanted soon */
    for (int minute = 80; minute < 1440; minute++)
        say_one(source, OC_FORECAST_FLAT, minute * MINUTE, INFINITY);
    ck_assert_int_eq(rows_in_file(), 10 + 4);
    ck_assert_uint_eq(now_of(source)->items[0].row.forecast.state, OC_FORECAST_FLAT);
}
END_TEST

START_TEST(a_jumping_forecast_does_not_fill_the_file)
{
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    for (int i = 1; i < 8640; i++)
        say_one(source, i % 2 ? OC_FORECAST_LEAKING : OC_FORECAST_GROWING, i * 10 * SECOND,
                i % 3 ? 100 : 1e6);
    ck_assert_int_eq(rows_in_file(), 288);
    ck_assert_uint_eq(now_of(source)->items[0].row.forecast.state, OC_FORECAST_LEAKING);
    ck_assert_int_eq(now_of(source)->items[0].row.forecast.t_ms, WALK_UNIX_MS + 86390 * SECOND);
    say_one(source, OC_FORECAST_FLAT, DAY + 1, NAN); /* the next day it may again */
    ck_assert_int_eq(rows_in_file(), 289);
}
END_TEST

START_TEST(what_is_said_no_more_is_not_said_now)
{
    struct oc_forecast_row rows[2] = {
        row_of(OC_LIMIT_CGROUP_MAX, "/a", OC_FORECAST_LEAKING, 1000, 100),
        row_of(OC_LIMIT_CGROUP_HIGH, "/a", OC_FORECAST_LEAKING, 1000, 50)
    };
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    ck_assert_int_eq(say(source, rows, 2), 0);
    ck_assert_int_eq(now_of(source)->count, 2);
    rows[0].forecast.t_ms = 2000;
    ck_assert_int_eq(say(source, rows, 1), 0);
    ck_assert_int_eq(now_of(source)->count, 1);
    ck_assert_uint_eq(now_of(source)->items[0].row.limit.kind, OC_LIMIT_CGROUP_MAX);
    ck_assert_int_eq(all_of(source)->count, 2); /* but it was */
    rows[0].forecast.t_ms = rows[1].forecast.t_ms = 3000;
    ck_assert_int_eq(say(source, rows, 2), 0);
    ck_assert_int_eq(now_of(source)->count, 2); /* and is again */
    ck_assert_int_eq(all_of(source)->count, 3);
    ck_assert_int_eq(say(source, NULL, 0), 0);
    ck_assert_int_eq(now_of(source)->count, 0);
    rows[0].forecast.t_ms = 4000;
    ck_assert_int_eq(say(source, rows, 1), 0);
    ck_assert_int_eq(oc_store_source_end(store, source, 5000, OC_END_EXITED, 0), 0);
    walk_commit(5000);
    ck_assert_int_eq(now_of(source)->count, 0); /* with its source */
    ck_assert_int_eq(say(source, rows, 1), OC_E_NOENT);
    ck_assert_int_eq(all_of(source)->count, 4);
}
END_TEST

START_TEST(a_restart_says_nothing_twice)
{
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    say_one(source, OC_FORECAST_LEAKING, 1000, 40000);
    walk_close();
    walk_open_at(2000);
    ck_assert_uint_eq(walk_begin("proc:one", 11), source);
    say_one(source, OC_FORECAST_LEAKING, 3000, 39998);
    ck_assert_int_eq(rows_in_file(), 1);
    say_one(source, OC_FORECAST_FLAT, 4000, INFINITY);
    ck_assert_int_eq(rows_in_file(), 2);
    ck_assert_int_eq(say(source, NULL, 0), 0);
    ck_assert_int_eq(now_of(source)->count, 0);
}
END_TEST

START_TEST(rows_are_asked_for_by_time_and_source)
{
    struct oc_forecast_filter filter = { .since_unix_ms = WALK_UNIX_MS + HOUR,
                                         .until_unix_ms = WALK_UNIX_MS + 2 * HOUR };
    uint32_t one, two;

    walk_open_at(0);
    one = walk_begin("proc:one", 11);
    two = walk_begin("proc:two", 12);
    for (int hour = 0; hour < 4; hour++) {
        say_one(one, OC_FORECAST_GROWING, hour * HOUR + 1, 90000);
        say_one(two, OC_FORECAST_GROWING, hour * HOUR + 2, 90000);
    }
    filter.source = two;
    ck_assert_int_eq(ask_for(&filter)->count, 1);
    ck_assert_int_eq(ask_for(&filter)->items[0].row.forecast.t_ms, WALK_UNIX_MS + HOUR + 2);
    filter.source = OC_READER_ALL_SOURCES;
    ck_assert_int_eq(ask_for(&filter)->count, 2);
    ck_assert_int_eq(all_of(OC_READER_ALL_SOURCES)->count, 8);
    ck_assert_int_eq(all_of(99)->count, 0);
}
END_TEST

START_TEST(too_many_rows_and_unknown_sources_are_refused)
{
    struct oc_forecast_row rows[65];
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    for (int i = 0; i < 65; i++) {
        char where[16];

        (void)snprintf(where, sizeof where, "/%d", i);
        rows[i] = row_of(OC_LIMIT_CGROUP_MAX, where, OC_FORECAST_FLAT, 1000, NAN);
    }
    ck_assert_int_eq(oc_store_forecasts(store, source, rows, 65), OC_E_TOOBIG);
    ck_assert_int_eq(oc_store_forecasts(store, 99, rows, 1), OC_E_NOENT);
    ck_assert_int_eq(say(source, rows, 64), 0);
    for (int i = 0; i < 64; i++) {
        rows[i].forecast.t_ms = 2000;
        (void)snprintf(rows[i].limit.where, 16, "/other/%d", i);
    }
    ck_assert_int_eq(say(source, rows, 64), 0); /* all of them others */
    ck_assert_int_eq(now_of(source)->count, 64);
    ck_assert_int_eq(rows_in_file(), 128);
}
END_TEST

START_TEST(views_name_what_is_forecast)
{
    struct oc_forecast_row rows[2] = { row_of(OC_LIMIT_CGROUP_HIGH, "/a/b", OC_FORECAST_LEAKING,
                                              60000, 1234.5),
                                       row_of(0, "", OC_FORECAST_SAVED, 60000, NAN) };
    struct oc_accuracy more = { .judged = 4, .inside = 3, .foretold = 2, .lead_s_sum = 5 };
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    ck_assert_int_eq(say(source, rows, 2), 0);
    ck_assert_int_eq(
        oc_store_accuracy(store, source, OC_METRIC_PRIVATE, OC_LIMIT_CGROUP_HIGH, 0, &more), 0);
    walk_commit(60000);
    ck_assert_str_eq(
        ask("SELECT subject, name, scope, place, metric, unit, state, value, limit_value, effect,"
            " growth_per_hour, chance, p50_s, p90_s, saved_life_s, samples, is_now, since_unix_ms,"
            " unix_ms FROM forecasts ORDER BY name"),
        "proc:one||||private_bytes|bytes|saved by restarts|500000000.0|||12345.0|0.75||Inf|"
        "|1234|1|1700000030000|1700000060000\n"
        "proc:one|memory.high|cgroup|/a/b|private_bytes|bytes|leaking|500000000.0|1073741824.0|"
        "stalls|12345.0|0.75|1234.5|Inf||1234|1|1700000030000|1700000060000\n");
    ck_assert_str_eq(ask("SELECT count(*) FROM forecasts WHERE p90_s = 9e999"), "2\n");
    ck_assert_str_eq(ask("SELECT subject, metric, unit, name, judged, coverage, mean_log_error,"
                         " mean_lead_s, last_unix_ms FROM accuracy"),
                     "proc:one|private_bytes|bytes|memory.high|4|0.75||2.5|1700000000000\n");
}
END_TEST

/* ---- growing old ---- */

static void maintain(int64_t now_boot_ms)
{
    ck_assert_int_ge(oc_store_maintain(store, 0, WALK_UNIX_MS, 1000), 0); /* the chores begin */
    for (int rc = 1, round = 0; rc == 1 || round < 2; round++) {
        rc = oc_store_maintain(store, now_boot_ms, WALK_UNIX_MS + now_boot_ms, 1000000);
        ck_assert_int_ge(rc, 0);
    }
}

START_TEST(rows_thin_out_and_go_as_they_grow_old)
{
    struct oc_forecast_row rows[2] = {
        row_of(OC_LIMIT_CGROUP_MAX, "/a", OC_FORECAST_LEAKING, 0, 1e7),
        row_of(OC_LIMIT_CGROUP_HIGH, "/a", OC_FORECAST_FLAT, 0, INFINITY)
    };
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    for (int64_t minute = 0; minute < 2 * 1440; minute += 10) {
        rows[0].forecast.t_ms = rows[1].forecast.t_ms = minute * MINUTE + 1;
        ck_assert_int_eq(say(source, rows, 2), 0);
    }
    ck_assert_int_eq(rows_in_file(), 288 + 8);
    maintain(6 * INT64_C(86400000));
    ck_assert_int_eq(rows_in_file(), 288 + 8);
    maintain(8 * INT64_C(86400000)); /* the first day is older than raw samples are kept */
    ck_assert_int_eq(rows_in_file(), 24 + 144 + 1 + 4);
    maintain(10 * INT64_C(86400000));
    ck_assert_int_eq(rows_in_file(), 2 * 24 + 2);
    maintain(120 * INT64_C(86400000)); /* what is said now stays */
    ck_assert_int_eq(rows_in_file(), 2);
    ck_assert_int_eq(now_of(source)->count, 2);
    ck_assert_int_eq(oc_store_source_end(store, source, 121 * INT64_C(86400000), OC_END_EXITED, 0),
                     0);
    walk_commit(121 * INT64_C(86400000));
    maintain(800 * INT64_C(86400000));
    ck_assert_int_eq(rows_in_file(), 2);
    maintain(900 * INT64_C(86400000)); /* and goes with its life */
    ck_assert_int_eq(rows_in_file(), 0);
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM forecast_series"), 0);
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM source"), 0);
}
END_TEST

START_TEST(places_of_forecasts_are_not_swept_away)
{
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    (void)walk_begin("proc:two", 12);
    say_one(source, OC_FORECAST_LEAKING, 1000, 1e6);
    ck_assert_int_eq(oc_store_source_end(store, source + 1, 2000, OC_END_EXITED, 0), 0);
    walk_commit(2000);
    maintain(900 * INT64_C(86400000)); /* a life is forgotten: then texts are swept */
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM life"), 1);
    ck_assert_str_eq(now_of(source)->items[0].row.limit.where, "/a");
}
END_TEST

/* ---- memory ---- */

struct remembered {
    int count;
    char name[8][32];
    uint32_t key[8];
    char bytes[8][16];
};

static int recall(const char *name, uint32_t key, const void *bytes, size_t len_bytes,
                  void *context)
{
    struct remembered *all = context;
    int at = all->count++;

    ck_assert_int_lt(at, 8);
    (void)snprintf(all->name[at], 32, "%s", name);
    all->key[at] = key;
    (void)snprintf(all->bytes[at], 16, "%.*s", (int)len_bytes, (const char *)bytes);
    return 0;
}

static struct remembered memory_of(enum oc_memory_kind kind)
{
    struct remembered all = { 0 };

    ck_assert_int_eq(oc_store_memory(store, kind, recall, &all), 0);
    return all;
}

static int put(enum oc_memory_kind kind, const char *name, uint32_t key, const char *bytes)
{
    return oc_store_memory_put(store, kind, name, key, bytes, strlen(bytes));
}

START_TEST(memory_is_replaced_as_a_whole_and_goes_with_its_source)
{
    char name[16];
    void *bytes = NULL;
    size_t len_bytes = 0;
    oc_reader *reader;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    (void)snprintf(name, sizeof name, "%u", source);
    ck_assert_int_eq(put(OC_MEMORY_SERIES, name, 7, "first"), 0);
    ck_assert_int_eq(put(OC_MEMORY_SERIES, name, 7, "second, longer"), 0); /* in one batch */
    ck_assert_int_eq(put(OC_MEMORY_SERIES, name, 8, "other"), 0);
    ck_assert_int_eq(put(OC_MEMORY_BOOK, name, 7 << 8 | 2, "book"), 0);
    ck_assert_int_eq(put(OC_MEMORY_SUBJECT, "proc:one", 7, "prior"), 0);
    ck_assert_int_eq(put(OC_MEMORY_IMAGE, "/bin/one", 7, "image"), 0);
    walk_commit(1000);
    ck_assert_int_eq(put(OC_MEMORY_SERIES, name, 8, "x"), 0);
    walk_close();
    walk_open_at(2000);
    ck_assert_int_eq(memory_of(OC_MEMORY_SERIES).count, 2);
    ck_assert_str_eq(memory_of(OC_MEMORY_SERIES).name[0], name);
    ck_assert_uint_eq(memory_of(OC_MEMORY_SERIES).key[0], 7);
    ck_assert_str_eq(memory_of(OC_MEMORY_SERIES).bytes[0], "second, longer");
    ck_assert_str_eq(memory_of(OC_MEMORY_SERIES).bytes[1], "x");
    ck_assert_uint_eq(memory_of(OC_MEMORY_BOOK).key[0], 7 << 8 | 2);
    reader = walk_reader();
    ck_assert_int_eq(oc_reader_series(reader, source, 7, &bytes, &len_bytes), 0);
    ck_assert_uint_eq(len_bytes, 14);
    ck_assert_int_eq(memcmp(bytes, "second, longer", 14), 0);
    oc_free(bytes);
    ck_assert_int_eq(oc_reader_series(reader, source, 9, &bytes, &len_bytes), OC_E_NOENT);
    oc_reader_close(reader);
    ck_assert_uint_eq(walk_begin("proc:one", 11), source);
    ck_assert_int_eq(oc_store_source_end(store, source, 3000, OC_END_EXITED, 0), 0);
    ck_assert_int_eq(put(OC_MEMORY_SERIES, name, 7, "late"), OC_E_NOENT);
    walk_commit(3000);
    ck_assert_int_eq(memory_of(OC_MEMORY_SERIES).count, 0);
    ck_assert_int_eq(memory_of(OC_MEMORY_BOOK).count, 0);
    ck_assert_int_eq(memory_of(OC_MEMORY_SUBJECT).count, 1);
    ck_assert_str_eq(memory_of(OC_MEMORY_IMAGE).bytes[0], "image");
}
END_TEST

START_TEST(a_program_is_told_by_its_subject)
{
    struct oc_prior_program told = { .stamp = 77, .since_unix_ms = 1234 }, got = { 0 };
    oc_reader *reader;

    walk_open_at(0);
    ck_assert_int_eq(oc_store_memory_put(store, OC_MEMORY_SUBJECT, "proc:one", OC_PRIOR_PROGRAM,
                                         &told, sizeof told),
                     0);
    ck_assert_int_eq(put(OC_MEMORY_SUBJECT, "proc:two", OC_PRIOR_PROGRAM, "short"), 0);
    walk_commit(1000);
    reader = walk_reader();
    ck_assert_int_eq(oc_reader_program(reader, "proc:one", &got), 0);
    ck_assert_uint_eq(got.stamp, 77);
    ck_assert_int_eq(got.since_unix_ms, 1234);
    ck_assert_int_eq(oc_reader_program(reader, "proc:two", &got), OC_E_PARSE);
    ck_assert_int_eq(oc_reader_program(reader, "proc:three", &got), OC_E_NOENT);
    ck_assert_uint_eq(got.stamp, 77);
    oc_reader_close(reader);
}
END_TEST

START_TEST(memory_that_cannot_be_is_refused)
{
    static const char large[OC_MEMORY_MAX_BYTES + 1];
    static char long_name[OC_MEMORY_NAME_BYTES + 1];

    memset(long_name, 'x', OC_MEMORY_NAME_BYTES);
    walk_open_at(0);
    (void)walk_begin("proc:one", 11);
    ck_assert_int_eq(put(OC_MEMORY_SERIES, "99", 1, "x"), OC_E_NOENT);
    ck_assert_int_eq(put(OC_MEMORY_SERIES, "1x", 1, "x"), OC_E_NOENT);
    ck_assert_int_eq(put(OC_MEMORY_SERIES, "", 1, "x"), OC_E_NOENT);
    ck_assert_int_eq(put(OC_MEMORY_SUBJECT, "a", 1, ""), OC_E_TOOBIG);
    ck_assert_int_eq(oc_store_memory_put(store, OC_MEMORY_SUBJECT, "a", 1, large, sizeof large),
                     OC_E_TOOBIG);
    ck_assert_int_eq(put(OC_MEMORY_SUBJECT, long_name, 1, "x"), OC_E_TOOBIG);
    ck_assert_int_eq(put(OC_MEMORY_SUBJECT, long_name + 1, 1, "x"), 0);
    walk_commit(1);
    ck_assert_int_eq(memory_of(OC_MEMORY_SUBJECT).count, 1);
}
END_TEST

START_TEST(what_was_learnt_longest_ago_goes_where_it_is_too_much)
{
    char name[32];

    walk_open_at(0);
    for (int i = 0; i < 20010; i++) {
        (void)snprintf(name, sizeof name, "proc:%d", i);
        ck_assert_int_eq(put(OC_MEMORY_SUBJECT, name, 7, "x"), 0);
        if (i % 1000 == 0)
            walk_commit(i);
    }
    walk_commit(30000);
    maintain(3600000);
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM forecaster"), 20000);
}
END_TEST

/* ---- the record ---- */

static int take_record(const struct oc_accuracy_row *row, void *context)
{
    struct oc_accuracy_row *out = context;

    *out = *row;
    return 0;
}

START_TEST(the_record_adds_up_and_outlives_its_source)
{
    struct oc_accuracy once = { .judged = 3,
                                .inside = 2,
                                .early = 1,
                                .late = 4,
                                .censored = 5,
                                .ends = 6,
                                .foretold = 7,
                                .alarms = 8,
                                .false_alarms = 9,
                                .error_sum = 0.25,
                                .errors = 10,
                                .lead_s_sum = 100,
                                .watched_s = 300 };
    struct oc_accuracy_row row = { 0 };
    oc_reader *reader;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    ck_assert_int_eq(oc_store_accuracy(store, source, 7, 1, 1000, &once), 0);
    ck_assert_int_eq(oc_store_accuracy(store, source, 7, 1, 2000, &once), 0);
    walk_commit(2000);
    ck_assert_int_eq(oc_store_source_end(store, source, 3000, OC_END_EXITED, 0), 0);
    walk_commit(3000);
    once.error_sum = NAN; /* adds nothing, and spoils nothing */
    ck_assert_int_eq(oc_store_accuracy(store, source, 7, 1, 4000, &once), 0);
    ck_assert_int_eq(oc_store_accuracy(store, 99, 7, 1, 4000, &once), OC_E_NOENT);
    walk_commit(4000);
    reader = walk_reader();
    ck_assert_int_eq(oc_reader_accuracy(reader, take_record, &row), 1);
    ck_assert_uint_eq(row.metric, 7);
    ck_assert_uint_eq(row.limit_kind, 1);
    ck_assert_int_eq(row.first_unix_ms, WALK_UNIX_MS + 2000); /* of the first batch */
    ck_assert_int_eq(row.last_unix_ms, WALK_UNIX_MS + 4000);
    ck_assert_uint_eq(row.sum.judged, 9);
    ck_assert_uint_eq(row.sum.inside, 6);
    ck_assert_uint_eq(row.sum.false_alarms, 27);
    ck_assert_uint_eq(row.sum.errors, 30);
    ck_assert(row.sum.error_sum == 0.5 && row.sum.watched_s == 900);
    oc_reader_close(reader);
}
END_TEST

START_TEST(records_of_too_many_subjects_become_one)
{
    struct oc_accuracy once = { .judged = 2, .inside = 1, .error_sum = 0.5 };

    walk_open_at(0);
    for (uint32_t i = 1; i <= 20; i++) {
        char subject[32];
        uint32_t source;

        (void)snprintf(subject, sizeof subject, "proc:%u", i);
        source = walk_begin(subject, i);
        for (unsigned metric = 0; metric < 1001; metric++)
            ck_assert_int_eq(oc_store_accuracy(store, source, metric, 1, 0, &once), 0);
        walk_commit(i);
    }
    maintain(3600000);
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM forecast_record"), 20020);
    ck_assert_int_eq(held_number(walk_path, "SELECT count(*) FROM forecast_record WHERE subject = "
                                            "'others' AND judged = 2"),
                     20);
    ck_assert_int_eq(held_number(walk_path, "SELECT sum(judged) FROM forecast_record"), 40040);
    maintain(8000000); /* and once more: nothing is added twice */
    ck_assert_int_eq(held_number(walk_path, "SELECT sum(judged) FROM forecast_record"), 40040);
}
END_TEST

/* ---- samples since ---- */

struct since_taken {
    int count, stop_after;
    int64_t last_ms;
};

static int take_sample(int64_t boot_ms, const struct oc_sample *sample, void *context)
{
    struct since_taken *taken = context;

    ck_assert_int_gt(boot_ms, taken->last_ms);
    ck_assert_uint_eq(sample->block, OC_BLOCK_PROCESS);
    ck_assert(
        !(sample->known & ~(OC_METRIC_BIT(OC_METRIC_PRIVATE) | OC_METRIC_BIT(OC_METRIC_RSS))));
    ck_assert_int_eq(oc_sample_get(sample, OC_METRIC_PRIVATE), boot_ms / 30000 * 4096);
    ck_assert_int_eq(oc_sample_has(sample, OC_METRIC_RSS), boot_ms / 1000 % 7 != 0);
    if (oc_sample_has(sample, OC_METRIC_RSS))
        ck_assert_int_eq(oc_sample_get(sample, OC_METRIC_RSS), 5000 + boot_ms / 60000);
    taken->last_ms = boot_ms;
    return ++taken->count == taken->stop_after;
}

static struct since_taken samples_since(uint32_t source, int64_t boot_ms, int stop_after)
{
    struct oc_since since = { .source = source,
                              .block = OC_BLOCK_PROCESS,
                              .wanted =
                                  OC_METRIC_BIT(OC_METRIC_PRIVATE) | OC_METRIC_BIT(OC_METRIC_RSS),
                              .boot_ms = boot_ms };
    struct since_taken taken = { .stop_after = stop_after, .last_ms = boot_ms };

    ck_assert_int_eq(oc_store_samples_since(store, &since, take_sample, &taken), taken.count);
    return taken;
}

/* A second apart, some the same as the one before; a figure that is not asked for, one that comes and goes. */
static void append_seconds(uint32_t source, int from, int until)
{
    struct oc_tick tick;

    oc_tick_init(&tick);
    for (int second = from; second < until; second++) {
        struct oc_sample sample = { .block = OC_BLOCK_PROCESS };

        oc_tick_begin(&tick, second * SECOND);
        oc_sample_set(&sample, OC_METRIC_PRIVATE, second / 30 * 4096);
        oc_sample_set(&sample, OC_METRIC_THREADS, second / 50);
        if (second % 7)
            oc_sample_set(&sample, OC_METRIC_RSS, 5000 + second / 60);
        oc_tick_put(&tick, source, &sample);
        ck_assert_int_eq(oc_store_append(store, &tick), 0);
        walk_commit(second * SECOND);
    }
    oc_tick_clear(&tick);
}

START_TEST(samples_come_back_from_chunks_and_from_what_is_open)
{
    uint32_t source;

    walk_options.seal_samples = 64;
    walk_open_at(0);
    (void)walk_begin("proc:zero", 10);
    source = walk_begin("proc:one", 11);
    append_seconds(source, 1, 1000);
    ck_assert_int_gt(held_number(walk_path, "SELECT count(*) FROM raw"), 10);
    for (int restarted = 0; restarted < 2; restarted++) {
        ck_assert_int_eq(samples_since(source, INT64_MIN, 0).count, 999);
        ck_assert_int_eq(samples_since(source, 0, 0).count, 999);
        ck_assert_int_eq(samples_since(source, 699999, 0).count, 300);
        ck_assert_int_eq(samples_since(source, 700000, 0).count, 299);
        ck_assert_int_eq(samples_since(source, 990000, 0).count, 9);
        ck_assert_int_eq(samples_since(source, 999000, 0).count, 0);
        ck_assert_int_eq(samples_since(source, 0, 17).count, 17);
        ck_assert_int_eq(samples_since(source, 990000, 3).count, 3);
        ck_assert_int_eq(samples_since(source - 1, 0, 0).count, 0);
        walk_close();
        walk_open_at(1000 * SECOND);
    }
    ck_assert_uint_eq(walk_begin("proc:one", 11), source);
    append_seconds(source, 1000, 1100);
    ck_assert_int_eq(samples_since(source, 699999, 0).count, 400);
    ck_assert_int_eq(
        oc_store_samples_since(store, &(struct oc_since){ .source = 99 }, take_sample, NULL),
        OC_E_NOENT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("forecasts");
    TCase *tests = tcase_create("forecasts");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, walk_setup, walk_teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, a_row_comes_back_as_it_was);
    tcase_add_test(tests, only_news_is_written);
    tcase_add_test(tests, a_jumping_forecast_does_not_fill_the_file);
    tcase_add_test(tests, what_is_said_no_more_is_not_said_now);
    tcase_add_test(tests, a_restart_says_nothing_twice);
    tcase_add_test(tests, rows_are_asked_for_by_time_and_source);
    tcase_add_test(tests, too_many_rows_and_unknown_sources_are_refused);
    tcase_add_test(tests, views_name_what_is_forecast);
    tcase_add_test(tests, rows_thin_out_and_go_as_they_grow_old);
    tcase_add_test(tests, places_of_forecasts_are_not_swept_away);
    tcase_add_test(tests, samples_come_back_from_chunks_and_from_what_is_open);
    tcase_add_test(tests, what_was_learnt_longest_ago_goes_where_it_is_too_much);
    tcase_add_test(tests, memory_is_replaced_as_a_whole_and_goes_with_its_source);
    tcase_add_test(tests, a_program_is_told_by_its_subject);
    tcase_add_test(tests, memory_that_cannot_be_is_refused);
    tcase_add_test(tests, the_record_adds_up_and_outlives_its_source);
    tcase_add_test(tests, records_of_too_many_subjects_become_one);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
