/* Rows of walks and limits that do not hold together, hostile ones, and files of an older schema. */
#include "alert_fixture.h"
#include "held.h"

#include "base/os.h"
#include "tests/support/folder.h"

#include <zstd.h>

/* ---- damage ---- */

static char finding[2048]; /* all of a check */

static void take_finding(const char *text, void *context)
{
    size_t used = strlen(finding);

    (void)context;
    (void)snprintf(finding + used, sizeof finding - used, "%s\n", text);
}

static int check_store(void)
{
    oc_reader *reader = walk_reader();
    int findings;

    finding[0] = '\0';
    findings = oc_reader_check(reader, take_finding, NULL, NULL);
    oc_reader_close(reader);
    return findings;
}

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    char *error = NULL;

    ck_assert_int_eq(sqlite3_open(walk_path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &error) == SQLITE_OK, "%s: %s", sql, error);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static void put_forecasts(uint32_t source)
{
    struct oc_forecast_row row = { .limit = limit_of(OC_LIMIT_CGROUP_MAX, 5, "/a"),
                                   .forecast = { .state = OC_FORECAST_LEAKING,
                                                 .metric = OC_METRIC_PRIVATE,
                                                 .t_ms = 3000,
                                                 .limit = 5,
                                                 .chance = 0.5,
                                                 .p10_s = 100,
                                                 .p50_s = 200,
                                                 .p90_s = 300 } };
    struct oc_accuracy more = { .judged = 2, .inside = 1 };
    char name[16];

    (void)snprintf(name, sizeof name, "%u", source);
    ck_assert_int_eq(oc_store_forecasts(store, source, &row, 1), 0);
    ck_assert_int_eq(oc_store_memory_put(store, OC_MEMORY_SERIES, name, 7, "series", 6), 0);
    ck_assert_int_eq(oc_store_memory_put(store, OC_MEMORY_IMAGE, "/bin/one", 7, "prior", 5), 0);
    ck_assert_int_eq(
        oc_store_accuracy(store, source, OC_METRIC_PRIVATE, OC_LIMIT_CGROUP_MAX, 3000, &more), 0);
}

static void put_alerts(void)
{
    struct oc_alert alert = made_alert(1, OC_ALERT_FIRING);
    struct oc_alert_decision decision = made_decision(1, OC_ALERT_PENDING, OC_ALERT_FIRING, "why");
    struct oc_outbox_row row = made_outbox(1, OC_OUTBOX_WAITING, "{}");
    struct oc_silence silence = made_silence(1, INT64_C(4000000000000));

    ck_assert_int_eq(oc_store_alert(store, &alert), 0);
    alert = made_alert(2, OC_ALERT_RESOLVED);
    ck_assert_int_eq(oc_store_alert(store, &alert), 0);
    ck_assert_int_eq(oc_store_alert_decision(store, &decision), 0);
    ck_assert_int_eq(oc_store_outbox(store, &row), 0);
    ck_assert_int_eq(oc_store_silence(store, &silence), 0);
}

/* A store with some of everything, closed. */
static uint32_t put_everything(void)
{
    const char *const labels[] = { "env", "prod", NULL };
    struct oc_limit limits[2] = { limit_of(OC_LIMIT_CGROUP_MAX, 1 << 30, "/a"),
                                  limit_of(OC_LIMIT_CGROUP_MAX, 2u << 30, "/a/b") };
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    put_walks(source, 1, 30);
    put_limits(source, 1000, limits, 2);
    limits[0].value = 5;
    put_limits(source, 2000, limits, 2);
    ck_assert_int_eq(oc_store_subject_labels(store, source, labels), 0);
    put_forecasts(source);
    put_alerts();
    walk_close();
    return source;
}

START_TEST(a_check_finds_what_does_not_hold_together)
{
    static const struct {
        const char *sql, *finding;
    } damages[] = {
        { "DELETE FROM walk WHERE t = 600000", "without their walk" },
        { "UPDATE walk SET source = 99 WHERE t = 600000", "walks without their source" },
        { "UPDATE walk SET cpu_us = -1 WHERE t = 600000", "numbers that cannot be" },
        { "UPDATE walk SET id = (SELECT max(id) FROM walk) WHERE t = 1200000", "share their rows" },
        { "UPDATE region_total SET cell = cell + 1000", "numbers that cannot be" },
        { "UPDATE region_total SET bytes = -1", "numbers that cannot be" },
        { "DELETE FROM family WHERE name = 'socket'", "without their family" },
        { "UPDATE family_count SET count = -1", "numbers that cannot be" },
        { "UPDATE module SET source = 99", "modules without their source" },
        { "DELETE FROM text WHERE text LIKE '/tmp/%'", "modules without their name" },
        { "UPDATE module_gone SET loaded = unloaded + 1", "went before they came" },
        { "UPDATE limit_value SET source = 99", "limits without their source" },
        { "DELETE FROM text WHERE text = '/a'", "limits without their place" },
        { "UPDATE limit_value SET value = -1", "numbers that cannot be" },
        { "UPDATE limit_value SET end_ms = 0 WHERE end_ms", "end before they begin" },
        { "UPDATE limit_value SET end_ms = 2500 WHERE end_ms = 2000",
          "begin before the one before them ends" },
        { "UPDATE subject_label SET subject = 99", "labels without their subject" },
        { "UPDATE forecast_series SET source = 99", "series of forecasts without their source" },
        { "UPDATE forecast_series SET place = 99", "series of forecasts without their place" },
        { "UPDATE forecast_series SET kind = 999", "series of forecasts with numbers that cannot" },
        { "DELETE FROM forecast_series", "forecasts without their series" },
        { "UPDATE forecast SET p50 = 400", "forecasts with numbers that cannot be" },
        { "UPDATE forecast SET chance = 2", "forecasts with numbers that cannot be" },
        { "UPDATE forecast SET state = -1", "forecasts with numbers that cannot be" },
        { "UPDATE forecaster SET name = '99' WHERE kind = 1", "of sources that do not run" },
        { "UPDATE forecaster SET bytes = x'' WHERE kind = 4", "memories of the forecaster that" },
        { "UPDATE forecaster SET bytes = zeroblob(20000) WHERE kind = 4", "memories of the forec" },
        { "UPDATE forecaster SET key = -1", "memories of the forecaster that cannot be" },
        { "UPDATE forecast_record SET inside = 3", "records of forecasts with numbers that" },
        { "UPDATE forecast_record SET watched_s = -1", "records of forecasts with numbers that" },
        { "UPDATE alert SET state = 9", "alerts with numbers that cannot be" },
        { "UPDATE alert SET subject = x'00'", "alerts with numbers that cannot be" },
        { "UPDATE alert SET ended_unix_ms = 5 WHERE episode = 2", "alerts with times that cannot" },
        { "UPDATE alert SET state = 1, fingerprint = 5", "alerts that are there twice" },
        { "UPDATE alert_decision SET to_state = -1", "decisions of alerts with numbers that" },
        { "UPDATE outbox SET state = 4", "rows of the outbox with numbers that cannot be" },
        { "UPDATE outbox SET body = NULL", "rows of the outbox that wait without a body" },
        { "UPDATE silence SET end_unix_ms = 5", "silences that cannot be" },
        { "DELETE FROM silence_matcher", "silences that cannot be" },
        { "DELETE FROM silence", "matchers without their silence" },
        { "UPDATE silence_matcher SET name = ''", "matchers of silences that cannot be" },
    };

    (void)put_everything();
    ck_assert_msg(check_store() == 0, "%s", finding);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        char sound[200];

        (void)snprintf(sound, sizeof(sound), "%s.sound", walk_path);
        ck_assert_int_eq(copy_file(walk_path, sound), 0);
        run_sql(damages[i].sql);
        ck_assert_msg(check_store() > 0, "%s", damages[i].sql);
        ck_assert_msg(strstr(finding, damages[i].finding) != NULL, "%s: %s", damages[i].sql,
                      finding);
        remove_database(walk_path);
        ck_assert_int_eq(oc_file_rename(sound, walk_path), OC_OK);
    }
}
END_TEST

static int any_event(const struct oc_module_event *event, void *context)
{
    (void)context;
    return event->name == NULL;
}

static int any_point(const struct oc_family_point *point, void *context)
{
    (void)context;
    return point->count == UINT32_MAX && point->bytes == 1;
}

static int any_span(const struct oc_limit_span *span, void *context)
{
    (void)context;
    return span->limit->kind == 0;
}

static int any_forecast(const struct oc_forecast_span *span, void *context)
{
    (void)context;
    return span->row->forecast.p50_s == -1.0;
}

static int any_record(const struct oc_accuracy_row *row, void *context)
{
    (void)context;
    return row->sum.judged == UINT64_MAX;
}

static int any_alert(const struct oc_alert *alert, void *context)
{
    (void)context;
    ck_assert_uint_lt(alert->state, OC_ALERT_STATES);
    ck_assert_uint_gt(alert->episode, 0);
    return 0;
}

static int any_decision(const struct oc_alert_decision *decision, void *context)
{
    (void)context;
    return !decision->rule || !decision->subject || !decision->reason;
}

static int any_outbox(const struct oc_outbox_row *row, void *context)
{
    (void)context;
    ck_assert_uint_le(row->state, OC_OUTBOX_DROPPED);
    return row->body && row->body_bytes == SIZE_MAX;
}

/* A silence that lost what it is for would silence everything. */
static int any_silence(const struct oc_silence *silence, void *context)
{
    (void)context;
    ck_assert_uint_gt(silence->matcher_count, 0);
    ck_assert_uint_le(silence->matcher_count, OC_SILENCE_MATCHERS_MAX);
    return 0;
}

static void ask_of_alerts(oc_reader *reader, uint32_t source)
{
    static struct oc_evidence evidence;
    struct oc_alert_filter all = { .until_unix_ms = INT64_MAX };
    struct oc_evidence_query query = { .source = source, .until_unix_ms = INT64_MAX };

    (void)oc_reader_alerts(reader, &all, any_alert, NULL);
    (void)oc_reader_decisions(reader, &all, 0, any_decision, NULL);
    (void)oc_reader_outbox(reader, OC_OUTBOX_ANY, 1, any_outbox, NULL);
    (void)oc_reader_silences(reader, any_silence, NULL);
    (void)oc_reader_evidence(reader, &query, &evidence);
    query = (struct oc_evidence_query){ .subject = "one", .until_unix_ms = WALK_UNIX_MS };
    (void)oc_reader_evidence(reader, &query, &evidence);
}

/* Asks all there is to ask: an answer or a code, and no word about crashes. */
static void ask_everything(uint32_t source)
{
    struct oc_census census = { 0 };
    struct oc_db_info info;
    oc_reader *reader = NULL;
    struct oc_detail detail = { 0 };
    char text[256] = "";
    int64_t unix_ms;
    void *bytes = NULL;
    size_t len_bytes = 0;

    if (oc_reader_open(walk_path, &reader, &detail) < 0)
        return;
    if (oc_reader_census(reader, source, INT64_MAX, 1, &census, &unix_ms) == 0) {
        for (size_t i = 0; i < census.total_count; i++)
            ck_assert_uint_lt(census.totals[i].usage, OC_USAGE_COUNT);
        for (size_t i = 0; i < census.family_count; i++)
            ck_assert_uint_lt(census.families[i].kind, OC_FAMILY_KINDS);
    }
    oc_census_clear(&census);
    (void)oc_reader_modules(reader, source, 0, INT64_MAX, any_event, NULL);
    (void)oc_reader_family(reader, source, OC_FAMILY_MODULE, "qrt-*.dll", 0, INT64_MAX, any_point,
                           NULL);
    (void)oc_reader_limits(reader, OC_READER_ALL_SOURCES, 0, INT64_MAX, any_span, NULL);
    (void)oc_reader_labels(reader, "proc:one", take_label, text);
    (void)oc_reader_forecasts(
        reader,
        &(struct oc_forecast_filter){ .source = OC_READER_ALL_SOURCES, .until_unix_ms = INT64_MAX },
        any_forecast, NULL);
    (void)oc_reader_forecasts(reader,
                              &(struct oc_forecast_filter){ .source = source, .now_only = 1 },
                              any_forecast, NULL);
    (void)oc_reader_accuracy(reader, any_record, NULL);
    if (oc_reader_series(reader, source, 7, &bytes, &len_bytes) == 0)
        oc_free(bytes);
    ask_of_alerts(reader, source);
    (void)oc_reader_info(reader, &info);
    (void)oc_reader_check(reader, take_finding, NULL, NULL);
    (void)sqlite3_exec(
        oc_reader_sqlite(reader),
        "SELECT * FROM walks; SELECT * FROM regions; SELECT * FROM families; SELECT "
        "* FROM modules; SELECT * FROM limits; SELECT * FROM labels; SELECT * FROM "
        "lives; SELECT * FROM forecasts; SELECT * FROM accuracy; SELECT * FROM alerts; "
        "SELECT * FROM alert_log; SELECT * FROM outbox; SELECT * FROM silences",
        NULL, NULL, NULL);
    oc_reader_close(reader);
}

static int columns_of(const char *table)
{
    char sql[100];

    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM pragma_table_info('%s')", table);
    return (int)held_number(walk_path, sql);
}

static int any_memory(const char *name, uint32_t key, const void *bytes, size_t len_bytes,
                      void *context)
{
    (void)bytes;
    (void)context;
    return !name && key && len_bytes;
}

/* Whatever the rows before are. */
static void say_something(uint32_t source)
{
    struct oc_forecast_row row = {
        .limit = limit_of(OC_LIMIT_CGROUP_MAX, 5, "/a"),
        .forecast = { .state = OC_FORECAST_FLAT, .metric = OC_METRIC_PRIVATE, .t_ms = 400 * MINUTE }
    };
    struct oc_accuracy more = { .judged = 1 };
    struct oc_alert alert = made_alert(1, OC_ALERT_RESOLVED);
    uint64_t episode = 0;

    (void)oc_store_alerts(store, any_alert, NULL);
    (void)oc_store_outbox_open(store, any_outbox, NULL);
    (void)oc_store_silences(store, 0, any_silence, NULL);
    (void)oc_store_alert_episode(store, &episode);
    (void)oc_store_alert(store, &alert);
    for (int kind = OC_MEMORY_SERIES; kind <= OC_MEMORY_IMAGE; kind++)
        (void)oc_store_memory(store, (enum oc_memory_kind)kind, any_memory, NULL);
    (void)oc_store_forecasts(store, source, &row, 1);
    (void)oc_store_memory_put(store, OC_MEMORY_SUBJECT, "proc:one", 7, "x", 1);
    (void)oc_store_accuracy(store, source, OC_METRIC_PRIVATE, OC_LIMIT_CGROUP_MAX, 400 * MINUTE,
                            &more);
}

/* The writer goes on with what it finds. */
static void write_on(uint32_t source)
{
    struct oc_census census = { 0 };

    walk_open_at(400 * MINUTE);
    (void)walk_begin("proc:one", 11);
    made_census(&census, 31);
    (void)made_walk(source, 400 * MINUTE, &census);
    say_something(source);
    (void)oc_store_commit(store, OC_DURABLE_BATCH, 400 * MINUTE); /* or a code */
    (void)oc_store_close(store);
    store = NULL;
}

/* One column of one table becomes anything at all; the writer goes on with it too. */
START_TEST(hostile_rows_crash_nobody)
{
    static const char *const tables[] = { "walk",
                                          "region_total",
                                          "family",
                                          "family_count",
                                          "module",
                                          "module_gone",
                                          "limit_value",
                                          "text",
                                          "subject_label",
                                          "forecast",
                                          "forecaster",
                                          "forecast_series",
                                          "forecast_record",
                                          "alert",
                                          "alert_decision",
                                          "outbox",
                                          "silence",
                                          "silence_matcher",
                                          "source",
                                          "life",
                                          "subject" };
    const size_t read_only = 3; /* the last ones: the writer refuses what it cannot use */
    static const char *const values[] = { "NULL",    "-1",     "9223372036854775807",
                                          "'text'",  "0.5",    "zeroblob(70000)",
                                          "1 << 62", "x'00ff'" };
    uint32_t source = put_everything();
    int done = 0;

    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (int column = 0; column < columns_of(tables[t]); column++) {
            char sql[400], sound[200];
            sqlite3 *db = NULL;
            sqlite3_stmt *names = NULL;

            (void)snprintf(sound, sizeof(sound), "%s.sound", walk_path);
            ck_assert_int_eq(copy_file(walk_path, sound), 0);
            ck_assert_int_eq(sqlite3_open(walk_path, &db), SQLITE_OK);
            (void)snprintf(sql, sizeof sql,
                           "SELECT name FROM pragma_table_info('%s') WHERE cid = %d", tables[t],
                           column);
            ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &names, NULL), SQLITE_OK);
            if (sqlite3_step(names) == SQLITE_ROW) {
                (void)snprintf(
                    sql, sizeof sql, "UPDATE OR IGNORE %s SET %s = %s", tables[t],
                    (const char *)sqlite3_column_text(names, 0),
                    values[(size_t)(column + (int)t) % (sizeof values / sizeof *values)]);
                (void)sqlite3_finalize(names);
                done += sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
            } else {
                (void)sqlite3_finalize(names);
            }
            ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
            ask_everything(source);
            if (t < sizeof tables / sizeof *tables - read_only) {
                write_on(source);
                ask_everything(source);
            }
            remove_database(walk_path);
            ck_assert_int_eq(oc_file_rename(sound, walk_path), OC_OK);
        }
    }
    ck_assert_int_gt(done, 30);
}
END_TEST

/* ---- short memory ---- */

static int ask_of_forecasts(oc_reader *reader, uint32_t source)
{
    struct oc_forecast_filter filter = { .source = source, .now_only = 1 };
    void *bytes = NULL;
    size_t len_bytes = 0;
    int rc = oc_reader_forecasts(reader, &filter, any_forecast, NULL);

    if (rc == 1)
        rc = oc_reader_accuracy(reader, any_record, NULL);
    if (rc == 1)
        rc = oc_reader_series(reader, source, 7, &bytes, &len_bytes);
    oc_free(bytes);
    return rc;
}

START_TEST(questions_leak_nothing_where_memory_is_short)
{
    uint32_t source = put_everything();
    int64_t unix_ms = 0, live = -1;
    int rc = OC_E_NOMEM;

    for (uint64_t nth = 0; rc == OC_E_NOMEM; nth++) { /* 0: none fails */
        struct oc_census census = { 0 };
        oc_reader *reader = walk_reader();

        oc_alloc_fail_at(nth, 0);
        rc = oc_reader_census(reader, source, INT64_MAX, 1, &census, &unix_ms);
        if (rc == 0)
            rc = ask_of_forecasts(reader, source);
        oc_alloc_fail_at(0, 0);
        oc_census_clear(&census);
        oc_reader_close(reader);
        ck_assert_msg(rc == 0 || (rc == OC_E_NOMEM && nth > 0), "%d: %d", (int)nth, rc);
        if (nth == 0) {
            live = oc_alloc_live();
            rc = OC_E_NOMEM;
        }
        ck_assert_int_eq(oc_alloc_live(), live);
    }
}
END_TEST

/* ---- the manual ---- */

/* Every block of SQL in it. Returns how many there were. */
static int run_examples(sqlite3 *db, char *text)
{
    static const char begin[] = "```sql\n";
    int count = 0;

    for (char *at = strstr(text, begin); at; at = strstr(at, begin)) {
        char *end = strstr(at + sizeof begin - 1, "```"), *error = NULL;

        ck_assert_ptr_nonnull(end);
        *end = '\0';
        at += sizeof begin - 1;
        ck_assert_msg(sqlite3_exec(db, at, NULL, NULL, &error) == SQLITE_OK, "%s: %s", at, error);
        at = end + 1;
        count++;
    }
    return count;
}

START_TEST(examples_of_the_manual_run)
{
    char *text = NULL;
    size_t bytes = 0;
    oc_reader *reader;

    (void)put_everything();
    ck_assert_int_eq(oc_file_read(OC_TEST_DATA "/../../docs/storage.md", 1u << 20, &text, &bytes),
                     0);
    reader = walk_reader();
    ck_assert_int_ge(run_examples(oc_reader_sqlite(reader), text), 25);
    oc_reader_close(reader);
    oc_free(text);
}
END_TEST

/* ---- an older file ---- */

/* As version 1 left it: the tables of the later migrations are taken out again. */
static void make_version_1(void)
{
    run_sql("DROP TABLE forecast; DROP TABLE forecast_series; DROP TABLE forecaster;"
            "DROP TABLE forecast_record;"
            "DROP TABLE alert; DROP TABLE alert_decision; DROP TABLE outbox; DROP TABLE silence;"
            "DROP TABLE silence_matcher;"
            "DROP TABLE text; DROP TABLE walk; DROP TABLE region_total; DROP TABLE family;"
            "DROP TABLE family_count; DROP TABLE module; DROP TABLE module_gone;"
            "DROP TABLE limit_value; DROP TABLE subject_label;"
            "ALTER TABLE source DROP COLUMN killer; ALTER TABLE source DROP COLUMN killer_scope;"
            "ALTER TABLE life DROP COLUMN plan;"
            "PRAGMA user_version = 1");
}

START_TEST(a_file_of_version_1_is_upgraded_with_its_data_and_a_backup)
{
    struct oc_store_report report = { 0 };
    struct oc_detail detail = { 0 };
    struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
    struct oc_tick tick;
    oc_reader *reader = NULL;
    uint32_t source;

    walk_open_at(0);
    source = walk_begin("proc:one", 11);
    oc_tick_init(&tick);
    for (int step = 1; step <= 3; step++) {
        oc_tick_begin(&tick, step * 1000);
        oc_sample_set(&sample, OC_METRIC_PRIVATE, 100 * step);
        oc_tick_put(&tick, source, &sample);
        ck_assert_int_eq(oc_store_append(store, &tick), 0);
    }
    oc_tick_clear(&tick);
    walk_close();
    make_version_1();
    ck_assert_int_eq(oc_reader_open(walk_path, &reader, &detail), OC_E_NOTSUP);
    walk_options.now_boot_ms = 5000;
    walk_options.now_unix_ms = WALK_UNIX_MS + 5000;
    ck_assert_msg(oc_store_open(&walk_options, &store, &report, &detail) == 0, "%s", detail.text);
    ck_assert_str_ne(report.backup, "");
    ck_assert_int_eq(held_number(report.backup, "PRAGMA user_version"), 1);
    ck_assert_int_eq(held_number(report.backup, "SELECT count(*) FROM life"), 1);
    ck_assert_int_eq(held_number(walk_path, "PRAGMA user_version"), OC_SCHEMA_VERSION);
    ck_assert_uint_eq(walk_begin("proc:one", 11), source);
    put_walks(source, 1, 3);
    check_walk(source, 2);
    ck_assert_int_eq(life_of(11).killer, OC_KILLER_UNKNOWN);
    ck_assert_str_eq(ask("SELECT sum(value) FROM samples WHERE metric = 'private_bytes'"), "600\n");
    ck_assert_int_eq(check_store(), 0);
}
END_TEST

/* The bytes of a file that an earlier oomcast wrote. */
static void unpack_store(const char *name)
{
    static char bytes[1 << 18];
    char from[512], *packed = NULL;
    size_t packed_bytes = 0, unpacked;

    (void)snprintf(from, sizeof from, "%s/stores/%s", OC_TEST_DATA, name);
    ck_assert_int_eq(oc_file_read(from, 1u << 20, &packed, &packed_bytes), 0);
    unpacked = ZSTD_decompress(bytes, sizeof bytes, packed, packed_bytes);
    oc_free(packed);
    ck_assert(!ZSTD_isError(unpacked));
    ck_assert_int_eq(oc_file_write_atomic(walk_path, bytes, unpacked), 0);
}

START_TEST(a_file_of_schema_2_is_upgraded_with_its_data_and_a_backup)
{
    struct oc_store_report report = { 0 };
    struct oc_detail detail = { 0 };
    oc_reader *reader = NULL;
    uint32_t source;

    unpack_store("schema-2.db.zst");
    ck_assert_int_eq(held_number(walk_path, "PRAGMA user_version"), 2);
    ck_assert_int_eq(oc_reader_open(walk_path, &reader, &detail), OC_E_NOTSUP);
    walk_options.now_boot_ms = 310000;
    walk_options.now_unix_ms = WALK_UNIX_MS + 310000;
    ck_assert_msg(oc_store_open(&walk_options, &store, &report, &detail) == 0, "%s", detail.text);
    ck_assert_int_eq(held_number(report.backup, "PRAGMA user_version"), 2);
    ck_assert_int_eq(held_number(report.backup, "SELECT count(*) FROM life"), 2);
    ck_assert_int_eq(held_number(walk_path, "PRAGMA user_version"), OC_SCHEMA_VERSION);
    source = walk_begin("proc:one", 11);
    ck_assert_uint_eq(source, 1);
    put_walks(source, 30, 32);
    put_forecasts(source);
    walk_commit(32 * 10 * MINUTE);
    check_walk(source, 17);
    check_walk(source, 31);
    ck_assert_int_eq(life_of(12).killer, OC_KILLER_CGROUP);
    ck_assert_str_eq(ask("SELECT sum(value), count(*) FROM samples WHERE source = 1 AND metric = "
                         "'private_bytes'"),
                     "4515000|300\n");
    ck_assert_str_eq(ask("SELECT count(*), sum(value) FROM limits"), "3|3221225477\n");
    ck_assert_str_eq(ask("SELECT key, value FROM labels"), "env|prod\n");
    ck_assert_str_eq(ask("SELECT state, p50_s, is_now FROM forecasts"), "leaking|200.0|1\n");
    ck_assert_msg(check_store() == 0, "%s", finding);
}
END_TEST

START_TEST(a_file_of_schema_3_is_upgraded_with_its_data_and_a_backup)
{
    struct oc_store_report report = { 0 };
    struct oc_detail detail = { 0 };
    struct oc_alert alert = made_alert(1, OC_ALERT_FIRING);
    oc_reader *reader = NULL;

    unpack_store("schema-3.db.zst");
    ck_assert_int_eq(held_number(walk_path, "PRAGMA user_version"), 3);
    ck_assert_int_eq(oc_reader_open(walk_path, &reader, &detail), OC_E_NOTSUP);
    walk_options.now_boot_ms = 310000;
    walk_options.now_unix_ms = WALK_UNIX_MS + 310000;
    ck_assert_msg(oc_store_open(&walk_options, &store, &report, &detail) == 0, "%s", detail.text);
    ck_assert_int_eq(held_number(report.backup, "PRAGMA user_version"), 3);
    ck_assert_int_eq(held_number(report.backup, "SELECT count(*) FROM forecast"), 1);
    ck_assert_int_eq(held_number(walk_path, "PRAGMA user_version"), OC_SCHEMA_VERSION);
    ck_assert_uint_eq(walk_begin("proc:one", 11), 1);
    put_walks(1, 30, 32);
    ck_assert_int_eq(oc_store_alert(store, &alert), 0);
    walk_commit(32 * 10 * MINUTE);
    check_walk(1, 17);
    check_walk(1, 31);
    ck_assert_int_eq(life_of(12).killer, OC_KILLER_CGROUP);
    ck_assert_str_eq(ask("SELECT sum(value), count(*) FROM samples WHERE source = 1 AND metric = "
                         "'private_bytes'"),
                     "4515000|300\n");
    ck_assert_str_eq(ask("SELECT state, p50_s, is_now FROM forecasts"), "leaking|200.0|1\n");
    ck_assert_str_eq(ask("SELECT judged, inside FROM accuracy"), "2|1\n");
    ck_assert_str_eq(ask("SELECT state, subject FROM alerts"), "firing|proc:leak-1\n");
    ck_assert_msg(check_store() == 0, "%s", finding);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("damage");
    TCase *tests = tcase_create("damage");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, walk_setup, walk_teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, a_check_finds_what_does_not_hold_together);
    tcase_add_test(tests, hostile_rows_crash_nobody);
    tcase_add_test(tests, questions_leak_nothing_where_memory_is_short);
    tcase_add_test(tests, examples_of_the_manual_run);
    tcase_add_test(tests, a_file_of_version_1_is_upgraded_with_its_data_and_a_backup);
    tcase_add_test(tests, a_file_of_schema_2_is_upgraded_with_its_data_and_a_backup);
    tcase_add_test(tests, a_file_of_schema_3_is_upgraded_with_its_data_and_a_backup);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
