/*
 * What the reader and the virtual tables share: a connection's codec, clock and scratch memory,
 * and the few questions to the tables of chunks and the journal.
 */
#ifndef OC_STORAGE_READ_SCAN_H
#define OC_STORAGE_READ_SCAN_H

#include "base/metric.h"
#include "storage/format/chunk.h"
#include "storage/format/journal.h"
#include "storage/format/schema.h"
#include "storage/format/sqlite_api.h"
#include "storage/format/tier.h"
#include "storage/read/clock.h"

#include <stdint.h>

#define OC_SCAN_MAX_SUMMARIES OC_BLOCK_METRICS
#define OC_SCAN_LAST_CHUNKS 16 /* looked at, from the newest, for the last of each block */

#define OC_SCAN_MAX_TIME_MS (INT64_C(1) << 53) /* 285,000 years: beyond it a row is damaged */

/* Statements kept prepared, one of each for each tier. */
enum oc_kept { OC_KEPT_SEEK, OC_KEPT_LAST, OC_KEPT_NEWEST, OC_KEPT_COUNT };

struct oc_scan {
    sqlite3 *db; /* borrowed */
    sqlite3_stmt *kept[OC_TIER_COUNT][OC_KEPT_COUNT];
    struct oc_clockmap clock;
    oc_codec *codec;
    struct oc_chunk chunk; /* the one now open */
    struct oc_summary summaries[OC_SCAN_MAX_SUMMARIES];
    /* OC_CHUNK_MAX_SAMPLES each */
    int64_t *times, *values, *count, *min, *max, *sum;
    uint8_t *known;
};

/* oc_sqlite_err() of a file that we did not write: what is missing in it is damage. */
int oc_scan_code(int sqlite_code);

/* 0 or OC_E_NOMEM. oc_scan_clear() takes a half-built one. */
int oc_scan_init(struct oc_scan *scan, sqlite3 *db);
void oc_scan_clear(struct oc_scan *scan);

/* Reads the clock table again (some rows a boot). 0 or a code. */
int oc_scan_load_clock(struct oc_scan *scan);

/* sqlite3_prepare_v2() with a printf format of SQLite's. 0 or a code. Yours to finalize. */
int oc_scan_prepare(sqlite3 *db, sqlite3_stmt **out_statement, const char *format, ...);

/* A row of a table of chunks; summary and data are asked for when needed. */
struct oc_chunk_row {
    int64_t id;
    unsigned block;
    int64_t t0_boot_ms, t1_boot_ms; /* of the first and last row */
    uint32_t rows;
    sqlite3_stmt *statement; /* borrowed: for the blobs */
};

/*
 * Chunks of a source in a tier of which a part may lie in [begin, end) of boot time, in ascending
 * time; block OC_BLOCK_COUNT: all. Cost: O(log) to the first, then a page each.
 */
int oc_scan_chunks(struct oc_scan *scan, enum oc_tier tier, uint32_t source, unsigned block,
                   int64_t begin_boot_ms, int64_t end_boot_ms, sqlite3_stmt **out_statement);
/* 1, 0, OC_E_CORRUPT (bounds that cannot be) or another code. */
int oc_scan_next_chunk(sqlite3_stmt *statement, struct oc_chunk_row *out_row);

/* The record of a metric in the row's summary: 1 with *out_summary, 0 (it has none) or a code. */
int oc_scan_summary(struct oc_scan *scan, const struct oc_chunk_row *row, unsigned metric,
                    struct oc_summary *out_summary);
/* All records into scan->summaries: how many, or a code. */
int oc_scan_summaries(struct oc_scan *scan, const struct oc_chunk_row *row);

/* Unpacks the row's data into scan->chunk and its times into scan->times (boot time). 0 or a code. */
int oc_scan_open_chunk(struct oc_scan *scan, const struct oc_chunk_row *row);

/* Values of a raw column into scan->values and scan->known: 1, 0 (no such metric) or a code. */
int oc_scan_raw_column(struct oc_scan *scan, unsigned metric);

/* A metric of an upper tier into scan->count, values (last), min, max, sum: 1, 0 or a code. */
int oc_scan_tier_column(struct oc_scan *scan, unsigned metric);

/* Boot time of the first chunk of a block in a tier; INT64_MAX: none. 0 or a code. */
int oc_scan_first(struct oc_scan *scan, enum oc_tier tier, uint32_t source, unsigned block,
                  int64_t *out_t0_boot_ms);

/* Boot time of the end of the last row of a block in an upper tier; INT64_MIN: none. 0 or a code. */
int oc_scan_tier_end(struct oc_scan *scan, enum oc_tier tier, uint32_t source, unsigned block,
                     int64_t *out_end_boot_ms);

/* Boot time of the last row of each block in a tier; INT64_MIN: none. 0 or a code. */
int oc_scan_ends(struct oc_scan *scan, enum oc_tier tier, uint32_t source,
                 int64_t out_boot_ms[OC_BLOCK_COUNT]);

/* Boot time of the last sealed sample of each block; INT64_MIN: none. 0 or a code. */
int oc_scan_sealed(struct oc_scan *scan, uint32_t source, int64_t out_boot_ms[OC_BLOCK_COUNT]);

/*
 * Replays the journal of a boot from the last keyed row that holds all from begin_boot_ms on
 * (INT64_MAX: from the last keyed row at all). only_source: UINT32_MAX for all. fn as in journal.h.
 */
struct oc_scan_replay {
    uint32_t boot, only_source;
    int64_t begin_boot_ms;
};
/* replay is new: its only_source is the one of what. */
int oc_scan_journal(struct oc_scan *scan, const struct oc_scan_replay *what, oc_replay *replay,
                    oc_replay_fn *fn, void *context);

/* Boot and time of the newest tick in the journal: 1, 0 (it is empty) or a code. */
int oc_scan_newest_tick(struct oc_scan *scan, uint32_t *out_boot, int64_t *out_boot_ms);

/* The statement behind it, for callers that take row by row: id, keyed, data. */
int oc_scan_journal_rows(struct oc_scan *scan, const struct oc_scan_replay *what,
                         sqlite3_stmt **out_statement);

#endif
