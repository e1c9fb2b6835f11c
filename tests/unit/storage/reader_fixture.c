#include "reader_fixture.h"

#include "storage/format/schema.h"
#include "tests/support/folder.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { METRICS = 2 };
static const enum oc_metric metrics[METRICS] = { OC_METRIC_RSS, OC_METRIC_THREADS };

int64_t fixture_value(uint32_t source, unsigned metric, int64_t t_boot_ms)
{
    int64_t wave = t_boot_ms / 10000 % 97;

    return (int64_t)source * 1000000 + (int64_t)metric * 1000 + (wave * wave % 89) * 4096;
}

void fixture_sql(struct fixture *fixture, const char *sql)
{
    char *error = NULL;
    int rc = sqlite3_exec(fixture->db, sql, NULL, NULL, &error);

    ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql, error ? error : "");
    sqlite3_free(error);
}

void fixture_begin(struct fixture *fixture)
{
    char sql[256];

    memset(fixture, 0, sizeof *fixture);
    ck_assert_int_eq(make_folder("oomcast-reader", fixture->folder, sizeof fixture->folder), 0);
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/oomcast.db", fixture->folder);
    ck_assert_int_eq(sqlite3_open(fixture->path, &fixture->db), SQLITE_OK);
    ck_assert_int_eq(oc_schema_create(fixture->db), OC_OK);
    fixture_sql(fixture, "PRAGMA journal_mode=WAL");
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO boot VALUES(1, 'boot-one'); INSERT INTO clock VALUES(1, 0, %lld)",
                   (long long)FIXTURE_BOOT_UNIX_MS);
    fixture_sql(fixture, sql);
    fixture->codec = oc_codec_new();
    ck_assert_ptr_nonnull(fixture->codec);
    oc_journal_writer_init(&fixture->journal, 1u << 22);
    fixture->next_row = 1;
}

void fixture_end(struct fixture *fixture)
{
    oc_codec_free(fixture->codec);
    oc_journal_writer_clear(&fixture->journal);
    for (size_t i = 0; i < sizeof fixture->packed / sizeof *fixture->packed; i++)
        oc_packed_clear(&fixture->packed[i]);
    (void)sqlite3_close(fixture->db);
    ck_assert_int_eq(remove_folder(fixture->folder), 0);
}

oc_reader *fixture_reader(struct fixture *fixture)
{
    oc_reader *reader = NULL;
    struct oc_detail detail = { 0 };
    int rc = oc_reader_open(fixture->path, &reader, &detail);

    ck_assert_msg(rc == OC_OK, "%s", detail.text);
    return reader;
}

void fixture_source(struct fixture *fixture, uint32_t source, enum oc_source_kind kind,
                    const char *subject, uint32_t pid, int64_t begin_ms, int64_t end_ms)
{
    char *sql = sqlite3_mprintf(
        "INSERT OR IGNORE INTO subject(name, kind) VALUES(%Q, %d);"
        "INSERT INTO source(id, subject, kind, boot, begin_ms, end_ms, end, status, interval_ms) "
        "SELECT %u, id, %d, 1, %lld, %s, %d, %d, 10000 FROM subject WHERE name = %Q;",
        subject, (int)kind, source, (int)kind, (long long)begin_ms,
        end_ms < 0 ? "NULL" : "CAST(0 AS INTEGER)", end_ms < 0 ? OC_END_RUNNING : OC_END_EXITED,
        end_ms < 0 ? -1 : 3, subject);

    fixture_sql(fixture, sql);
    sqlite3_free(sql);
    if (end_ms >= 0) {
        sql = sqlite3_mprintf("UPDATE source SET end_ms = %lld WHERE id = %u", (long long)end_ms,
                              source);
        fixture_sql(fixture, sql);
        sqlite3_free(sql);
    }
    if (kind != OC_SOURCE_PROCESS)
        return;
    sql = sqlite3_mprintf("INSERT INTO life(source, pid, start_ticks, exec_count, uid, name) "
                          "VALUES(%u, %u, %lld, 0, 1000, %Q)",
                          source, pid, (long long)begin_ms / 10, strchr(subject, ':') + 1);
    fixture_sql(fixture, sql);
    sqlite3_free(sql);
}

static void put_chunk(struct fixture *fixture, const char *table, uint32_t source, int64_t t0_ms,
                      int64_t t1_ms, unsigned rows)
{
    struct oc_chunk_blobs blobs;
    sqlite3_stmt *statement;
    char sql[128];

    ck_assert_int_eq(oc_chunk_end(fixture->codec, &blobs), OC_OK);
    (void)snprintf(sql, sizeof sql, "INSERT INTO %s VALUES(?, 0, ?, ?, ?, ?, ?)", table);
    ck_assert_int_eq(sqlite3_prepare_v2(fixture->db, sql, -1, &statement, NULL), SQLITE_OK);
    sqlite3_bind_int64(statement, 1, OC_CHUNK_ROWID(source, fixture->next_chunk[source]++));
    sqlite3_bind_int64(statement, 2, t0_ms);
    sqlite3_bind_int64(statement, 3, t1_ms);
    sqlite3_bind_int64(statement, 4, rows);
    sqlite3_bind_blob(statement, 5, blobs.summary, (int)blobs.summary_bytes, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 6, blobs.data, (int)blobs.data_bytes, SQLITE_STATIC);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_DONE);
    (void)sqlite3_finalize(statement);
}

void fixture_raw(struct fixture *fixture, uint32_t source, int64_t t0_ms, int64_t step_ms,
                 unsigned count)
{
    static int64_t times[OC_CHUNK_MAX_SAMPLES], values[OC_CHUNK_MAX_SAMPLES];

    for (unsigned i = 0; i < count; i++)
        times[i] = t0_ms + (int64_t)i * step_ms;
    ck_assert_int_eq(oc_chunk_begin(fixture->codec, times, count), OC_OK);
    for (int m = 0; m < METRICS; m++) {
        for (unsigned i = 0; i < count; i++)
            values[i] = fixture_value(source, metrics[m], times[i]);
        ck_assert_int_eq(
            oc_chunk_add(fixture->codec, OC_COLUMN_ID(metrics[m], OC_ROLE_VALUE), values, NULL),
            OC_OK);
    }
    for (int m = 0; m < METRICS; m++) {
        struct oc_summary summary;

        for (unsigned i = 0; i < count; i++)
            values[i] = fixture_value(source, metrics[m], times[i]);
        oc_summary_of(metrics[m], values, NULL, count, &summary);
        ck_assert_int_eq(oc_chunk_summarize(fixture->codec, &summary, count), OC_OK);
    }
    put_chunk(fixture, "raw", source, times[0], times[count - 1], count);
}

/* One row of a tier: what the samples in [t, t + resolution) come to. */
static struct oc_summary tier_row(uint32_t source, unsigned metric, int64_t t_ms,
                                  int64_t resolution_ms, int64_t step_ms)
{
    struct oc_summary row = { .number = metric };

    for (int64_t at = t_ms; at < t_ms + resolution_ms; at += step_ms) {
        int64_t value = fixture_value(source, metric, at);

        row.min = row.count == 0 || value < row.min ? value : row.min;
        row.max = row.count == 0 || value > row.max ? value : row.max;
        row.first = row.count == 0 ? value : row.first;
        row.last = value;
        row.sum += (double)value;
        row.count++;
    }
    return row;
}

static int64_t role_of(const struct oc_summary *row, enum oc_role role)
{
    switch (role) {
    case OC_ROLE_LOW:
        return row->last - row->min;
    case OC_ROLE_HIGH:
        return row->max - row->last;
    case OC_ROLE_EXCESS:
        return (int64_t)row->sum - (int64_t)row->count * row->min;
    case OC_ROLE_COUNT:
        return (int64_t)row->count;
    default:
        return row->last;
    }
}

void fixture_tier(struct fixture *fixture, const char *table, uint32_t source, int64_t t0_ms,
                  int64_t resolution_ms, unsigned rows, int64_t step_ms)
{
    static int64_t times[OC_CHUNK_MAX_SAMPLES], values[OC_CHUNK_MAX_SAMPLES];

    for (unsigned i = 0; i < rows; i++)
        times[i] = t0_ms + (int64_t)i * resolution_ms;
    ck_assert_int_eq(oc_chunk_begin(fixture->codec, times, rows), OC_OK);
    for (int m = 0; m < METRICS; m++) {
        for (int role = OC_ROLE_LAST; role <= OC_ROLE_COUNT; role++) {
            for (unsigned i = 0; i < rows; i++) {
                struct oc_summary row =
                    tier_row(source, metrics[m], times[i], resolution_ms, step_ms);

                values[i] = role_of(&row, (enum oc_role)role);
            }
            ck_assert_int_eq(
                oc_chunk_add(fixture->codec, OC_COLUMN_ID(metrics[m], role), values, NULL), OC_OK);
        }
    }
    for (int m = 0; m < METRICS; m++) {
        struct oc_summary all =
            tier_row(source, metrics[m], t0_ms, (int64_t)rows * resolution_ms, step_ms);

        ck_assert_int_eq(oc_chunk_summarize(fixture->codec, &all, rows), OC_OK);
    }
    put_chunk(fixture, table, source, times[0], times[rows - 1], rows);
}

/* ---- the journal ---- */

void fixture_row_begin(struct fixture *fixture)
{
    oc_journal_writer_reset(&fixture->journal);
    fixture->journal_t0_ms = INT64_MAX;
}

void fixture_tick(struct fixture *fixture, int64_t t_ms, const uint32_t *sources, unsigned count,
                  int keyed)
{
    if (t_ms < fixture->journal_t0_ms)
        fixture->journal_t0_ms = t_ms;
    fixture->journal_t1_ms = t_ms;
    oc_journal_tick_begin(&fixture->journal, t_ms);
    for (unsigned i = 0; i < count; i++) {
        struct oc_packed *packed = &fixture->packed[sources[i]];
        struct oc_sample sample = { .block = OC_BLOCK_PROCESS };
        uint8_t body[OC_DELTA_MAX_BYTES];
        enum oc_delta_kind kind;
        size_t bytes;

        for (int m = 0; m < METRICS; m++)
            oc_sample_set(&sample, metrics[m], fixture_value(sources[i], metrics[m], t_ms));
        if (!keyed && oc_packed_equals(packed, &sample)) {
            oc_journal_same(&fixture->journal, sources[i]);
            continue;
        }
        bytes = oc_delta_put(packed, &sample, keyed, body, &kind);
        oc_journal_sample(&fixture->journal, sources[i], OC_BLOCK_PROCESS, kind, body, bytes);
        ck_assert_int_eq(oc_packed_set(packed, &sample), OC_OK);
    }
    oc_journal_tick_end(&fixture->journal);
}

void fixture_row_end(struct fixture *fixture, int keyed)
{
    size_t bytes = fixture->journal.body.len_bytes;
    unsigned char *blob = malloc(bytes + 2);
    sqlite3_stmt *statement;

    ck_assert_ptr_nonnull(blob);
    ck_assert_int_eq(fixture->journal.body.err, OC_OK);
    blob[0] = 1; /* version */
    blob[1] = 0; /* stored */
    memcpy(blob + 2, fixture->journal.body.data, bytes);
    ck_assert_int_eq(sqlite3_prepare_v2(fixture->db, "INSERT INTO journal VALUES(?, 1, ?, ?, ?, ?)",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    sqlite3_bind_int64(statement, 1, fixture->next_row++);
    sqlite3_bind_int64(statement, 2, fixture->journal_t0_ms);
    sqlite3_bind_int64(statement, 3, fixture->journal_t1_ms);
    sqlite3_bind_int(statement, 4, keyed);
    sqlite3_bind_blob(statement, 5, blob, (int)bytes + 2, SQLITE_TRANSIENT);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_DONE);
    (void)sqlite3_finalize(statement);
    free(blob);
}

unsigned char *fixture_bytes(struct fixture *fixture, size_t *out_count)
{
    FILE *file;
    unsigned char *bytes;
    long size;

    fixture_sql(fixture, "PRAGMA wal_checkpoint(TRUNCATE)");
    (void)sqlite3_close(
        fixture->db); /* reading it beside an open connection would drop its locks */
    fixture->db = NULL;
    file = fopen(fixture->path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    rewind(file);
    bytes = malloc((size_t)size);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, (size_t)size, file), (size_t)size);
    (void)fclose(file);
    *out_count = (size_t)size;
    return bytes;
}
