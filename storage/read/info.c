#include "storage/read/walk.h"

#include "base/buf.h"
#include "base/os.h"

#include <string.h>

struct gathering {
    oc_reader *reader;
    struct oc_db_info *info;
    enum oc_tier tier;
};

static void widen(struct oc_db_info *info, int64_t first_unix_ms, int64_t last_unix_ms)
{
    if (info->first_unix_ms == 0 || first_unix_ms < info->first_unix_ms)
        info->first_unix_ms = first_unix_ms;
    if (last_unix_ms > info->last_unix_ms)
        info->last_unix_ms = last_unix_ms;
}

static void add_raw(struct gathering *gathering, const struct oc_chunk_row *row)
{
    int count = oc_scan_summaries(&gathering->reader->scan, row);

    for (int i = 0; i < count; i++)
        gathering->info->raw_values += gathering->reader->scan.summaries[i].count;
    gathering->info->raw_bytes += (uint64_t)sqlite3_column_bytes(row->statement, 5);
    gathering->info->raw_bytes += (uint64_t)sqlite3_column_bytes(row->statement, 6);
}

/* Its first sample: an upper tier's row is dated to the whole minute or hour, be its source younger. */
static int64_t first_sample_ms(const struct oc_walk_row *row, enum oc_tier tier)
{
    int is_later = tier != OC_TIER_RAW && row->begin_boot_ms > row->chunk.t0_boot_ms;

    return is_later ? row->begin_boot_ms : row->chunk.t0_boot_ms;
}

static int add_chunk(const struct oc_walk_row *row, void *context)
{
    struct gathering *gathering = context;
    struct oc_db_info *info = gathering->info;
    const struct oc_clockmap *clock = &gathering->reader->scan.clock;
    int64_t t0_boot_ms = first_sample_ms(row, gathering->tier);

    if (gathering->tier == OC_TIER_HOUR)
        info->hour_chunks++;
    else if (gathering->tier == OC_TIER_MINUTE)
        info->minute_chunks++;
    else
        info->raw_chunks++;
    if (row->boot >= 0)
        widen(info, oc_clockmap_unix_ms(clock, (uint32_t)row->boot, t0_boot_ms),
              oc_clockmap_unix_ms(clock, (uint32_t)row->boot, row->chunk.t1_boot_ms));
    if (gathering->tier == OC_TIER_RAW)
        add_raw(gathering, &row->chunk);
    return OC_OK;
}

static int add_journal_row(sqlite3_stmt *statement, void *context)
{
    struct gathering *gathering = context;
    const struct oc_clockmap *clock = &gathering->reader->scan.clock;
    uint32_t boot = (uint32_t)sqlite3_column_int64(statement, 5);

    gathering->info->journal_rows++;
    gathering->info->journal_bytes += (uint64_t)sqlite3_column_bytes(statement, 2);
    widen(gathering->info, oc_clockmap_unix_ms(clock, boot, sqlite3_column_int64(statement, 3)),
          oc_clockmap_unix_ms(clock, boot, sqlite3_column_int64(statement, 4)));
    return OC_OK;
}

static void add_file_sizes(oc_reader *reader, struct oc_db_info *info)
{
    struct oc_buf wal;

    (void)oc_file_size(reader->path, &info->file_bytes); /* 0 where it cannot be had */
    oc_buf_init(&wal, 16384);
    oc_buf_printf(&wal, "%s-wal", reader->path);
    if (wal.err == OC_OK)
        (void)oc_file_size(wal.data, &info->wal_bytes);
    oc_buf_clear(&wal);
}

static int add_numbers(oc_reader *reader, struct oc_db_info *info)
{
    const char *const sql[] = { "PRAGMA user_version",
                                "PRAGMA freelist_count",
                                "PRAGMA page_size",
                                "SELECT count(*) FROM main.subject",
                                "SELECT count(*) FROM main.source",
                                "SELECT count(*) FROM main.walk",
                                "SELECT count(*) FROM main.family",
                                ("SELECT (SELECT count(*) FROM main.module) + "
                                 "(SELECT count(*) FROM main.module_gone)"),
                                "SELECT count(*) FROM main.limit_value",
                                "SELECT count(*) FROM main.forecast",
                                "SELECT count(*) FROM main.forecast_record",
                                "SELECT count(*) FROM main.forecaster",
                                "SELECT total(length(bytes)) FROM main.forecaster",
                                "SELECT count(*) FROM main.alert",
                                "SELECT count(*) FROM main.alert WHERE state IN (1, 2)",
                                "SELECT count(*) FROM main.alert_decision",
                                "SELECT count(*) FROM main.outbox",
                                "SELECT count(*) FROM main.outbox WHERE state IN (0, 1)",
                                "SELECT count(*) FROM main.silence" };
    int64_t numbers[sizeof sql / sizeof *sql] = { 0 };
    int rc = OC_OK;

    for (size_t i = 0; i < sizeof sql / sizeof *sql && rc == OC_OK; i++)
        rc = oc_scan_code(oc_sqlite_number(reader->scan.db, sql[i], &numbers[i]));
    info->schema_version = numbers[0];
    info->free_bytes_in_file = (uint64_t)numbers[1] * (uint64_t)numbers[2];
    info->subjects = (uint64_t)numbers[3];
    info->sources = (uint64_t)numbers[4];
    info->walks = (uint64_t)numbers[5];
    info->families = (uint64_t)numbers[6];
    info->modules = (uint64_t)numbers[7];
    info->limits = (uint64_t)numbers[8];
    info->forecasts = (uint64_t)numbers[9];
    info->accuracies = (uint64_t)numbers[10];
    info->memories = (uint64_t)numbers[11];
    info->memory_bytes = (uint64_t)numbers[12];
    info->alerts = (uint64_t)numbers[13];
    info->alerts_open = (uint64_t)numbers[14];
    info->decisions = (uint64_t)numbers[15];
    info->outbox = (uint64_t)numbers[16];
    info->outbox_open = (uint64_t)numbers[17];
    info->silences = (uint64_t)numbers[18];
    return rc;
}

int oc_reader_info(oc_reader *reader, struct oc_db_info *out_info)
{
    struct oc_db_info info;
    struct gathering gathering = { .reader = reader, .info = &info };
    int rc;

    memset(&info, 0, sizeof info);
    add_file_sizes(reader, &info);
    rc = add_numbers(reader, &info);
    for (int tier = 0; tier < OC_TIER_COUNT && rc == OC_OK; tier++) {
        gathering.tier = (enum oc_tier)tier;
        rc = oc_walk_chunks(reader, gathering.tier, add_chunk, &gathering);
    }
    if (rc == OC_OK)
        rc = oc_walk_journal(reader, add_journal_row, &gathering);
    if (rc == OC_OK)
        *out_info = info;
    return rc;
}
