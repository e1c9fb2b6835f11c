/* All rows of a table in short transactions, so that the writer's log can be emptied meanwhile. */
#ifndef OC_STORAGE_READ_WALK_H
#define OC_STORAGE_READ_WALK_H

#include "storage/read/reader_impl.h"

#define OC_WALK_BATCH 500 /* rows a transaction: some ms */

struct oc_walk_row {
    struct oc_chunk_row chunk;
    int64_t boot;          /* of its source; -1: there is no such source */
    int64_t begin_boot_ms; /* of its source */
};

/* fn returns 0 to go on, or a code. */
typedef int oc_walk_fn(const struct oc_walk_row *row, void *context);

/*
 * Calls fn for each chunk of a tier in ascending id. A row with bounds that cannot be has
 * chunk.t0_boot_ms > chunk.t1_boot_ms or chunk.block ≥ OC_BLOCK_COUNT: fn looks. 0, what fn
 * returned, or a code.
 */
int oc_walk_chunks(oc_reader *reader, enum oc_tier tier, oc_walk_fn *fn, void *context);

/* The same for rows of the journal: statement has id, keyed, data, t0, t1, boot. */
typedef int oc_walk_journal_fn(sqlite3_stmt *statement, void *context);
int oc_walk_journal(oc_reader *reader, oc_walk_journal_fn *fn, void *context);

#endif
