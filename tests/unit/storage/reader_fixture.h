/* A store made table by table, so that a test knows every value in it. */
#ifndef OC_TEST_READER_FIXTURE_H
#define OC_TEST_READER_FIXTURE_H

#include "storage/format/chunk.h"
#include "storage/format/journal.h"
#include "storage/reader.h"

#include <sqlite3.h>
#include <stdint.h>

#define FIXTURE_BOOT_UNIX_MS INT64_C(1700000000000) /* wall clock when boot 1 began */

struct fixture {
    char folder[128], path[144];
    sqlite3 *db;
    oc_codec *codec;
    struct oc_journal_writer journal;
    struct oc_packed packed[64]; /* last sample by source, for deltas */
    uint32_t next_chunk[64];
    int64_t journal_t0_ms, journal_t1_ms;
    int64_t next_row;
};

/* What a metric of a source is at a time: the tests' only truth. */
int64_t fixture_value(uint32_t source, unsigned metric, int64_t t_boot_ms);

void fixture_begin(struct fixture *fixture); /* with boot 1, at FIXTURE_BOOT_UNIX_MS */
void fixture_end(struct fixture *fixture);
void fixture_sql(struct fixture *fixture, const char *sql);
oc_reader *fixture_reader(struct fixture *fixture);

/* end_ms < 0: it runs. A process (kind) also gets a life with this pid. */
void fixture_source(struct fixture *fixture, uint32_t source, enum oc_source_kind kind,
                    const char *subject, uint32_t pid, int64_t begin_ms, int64_t end_ms);

/* count samples of RSS and THREADS, step_ms apart, by fixture_value(). */
void fixture_raw(struct fixture *fixture, uint32_t source, int64_t t0_ms, int64_t step_ms,
                 unsigned count);

/* Rows of an upper tier over samples step_ms apart that fill [t0, t0 + rows * resolution). */
void fixture_tier(struct fixture *fixture, const char *table, uint32_t source, int64_t t0_ms,
                  int64_t resolution_ms, unsigned rows, int64_t step_ms);

/* Journal rows: begin, ticks of some sources, end. keyed: all are resets. */
void fixture_row_begin(struct fixture *fixture);
void fixture_tick(struct fixture *fixture, int64_t t_ms, const uint32_t *sources, unsigned count,
                  int keyed);
void fixture_row_end(struct fixture *fixture, int keyed);

/* A copy of the file alone, as bytes: *out_bytes is yours to free(). The database is checkpointed. */
unsigned char *fixture_bytes(struct fixture *fixture, size_t *out_count);

#endif
