/*
 * The rows of walks: how a cell is numbered, a text hashed, and what a source looked like at a time,
 * put together from rows that hold what changed. For the writer, which writes what differs from it,
 * and for readers.
 */
#ifndef OC_STORAGE_FORMAT_WALK_ROWS_H
#define OC_STORAGE_FORMAT_WALK_ROWS_H

#include "base/census.h"
#include "storage/format/sqlite_api.h"

#include <stddef.h>
#include <stdint.h>

/* Bits of walk.seen and walk.known; the family kinds follow from OC_WALK_FAMILY(0) on. */
#define OC_WALK_REGIONS 1u
#define OC_WALK_MODULES 2u
#define OC_WALK_TRUNCATED 4u
#define OC_WALK_32BIT 8u
#define OC_WALK_FAMILY(kind) (16u << (kind))
#define OC_WALK_FAMILIES (15u * 16u)

#define OC_WALK_CELL(usage, type, state) ((usage) << 4 | (type) << 2 | (state))
#define OC_WALK_CELLS 256u
/* Whether a number is that of a cell. */
int oc_walk_cell_is_sound(int64_t cell);

/* All rows of every so many walks: a reader goes back no further. */
#define OC_WALK_KEYED_EVERY 24

/* 32 bits, signed as SQLite keeps them. In files for ever. */
int32_t oc_text_hash(const char *text, size_t len_bytes);

#define OC_WALK_MAX_FAMILIES 65536 /* that a source has at a time: more is damage */

struct oc_walk_cell {
    uint32_t count; /* 0: none */
    uint8_t is_set; /* a row said so */
    uint64_t bytes, largest_bytes, resident_bytes;
};

struct oc_walk_family {
    int64_t family; /* row of table family */
    uint32_t count; /* 0: gone */
    uint32_t names;
    uint64_t bytes;
    uint8_t deleted;
};

/* What was known of a source at a time. */
struct oc_walk_state {
    int64_t t_boot_ms; /* of the last walk by then; INT64_MIN: there was none */
    int64_t regions_boot_ms; /* of the last that saw them, as far as was looked; INT64_MIN: none */
    unsigned seen, known;
    unsigned walks; /* rows looked at: since the last keyed one, that one too */
    int has_keyed;
    uint64_t largest_free_bytes, largest_free_start;
    uint32_t arena_count;
    char runtime[16];
    uint8_t has_runtime;
    struct oc_walk_cell cells[OC_WALK_CELLS];
    struct oc_walk_family *families; /* owned; ascending by .family */
    size_t family_count, family_cap;
};

/* Statements of a connection. */
struct oc_walk_rows {
    sqlite3_stmt *walks, *cells, *families;
};
/* 0, or an SQLite code. oc_walk_rows_clear() takes a half-built one. */
int oc_walk_rows_init(struct oc_walk_rows *rows, sqlite3 *db);
void oc_walk_rows_clear(struct oc_walk_rows *rows);

/*
 * The state of a source after its last walk at or before a boot time, in the transaction now open.
 * *state is zeroed or was used before: its memory is used again. 0, OC_E_NOMEM, OC_E_CORRUPT (more
 * families than can be) or a code. Cost: a seek for each walk back to the last keyed one: 0.2 ms.
 */
int oc_walk_state_load(struct oc_walk_rows *rows, uint32_t source, int64_t until_boot_ms,
                       struct oc_walk_state *state);
void oc_walk_state_clear(struct oc_walk_state *state);
/* A family of the state, or NULL. Borrowed until the next call that changes it. */
struct oc_walk_family *oc_walk_state_family(const struct oc_walk_state *state, int64_t family);

/* An unsigned figure out of a column, with what cannot be taken for 0. */
uint64_t oc_walk_u64(sqlite3_stmt *statement, int column);
uint32_t oc_walk_u32(sqlite3_stmt *statement, int column);

#endif
