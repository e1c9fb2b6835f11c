/*
 * The cursor behind the virtual tables: all samples (or rows of an upper tier) that a filter lets
 * through, source by source out of the chunks; then what the journal alone holds, tick by tick, or
 * the rows that an upper tier has not got yet, made from the tiers below.
 */
#ifndef OC_STORAGE_SQL_CURSOR_H
#define OC_STORAGE_SQL_CURSOR_H

#include "base/buf.h"
#include "base/err.h"
#include "storage/read/scan.h"
#include "storage/read/unsealed.h"

#include <stddef.h>
#include <stdint.h>

#define OC_VTABLE_MAX_SOURCES (1u << 24)
#define OC_VTABLE_MAX_CELLS (1u << 23) /* values of one row of the journal */

/* What is asked for. All of it must hold; sqlite3_value pointers are borrowed during the call. */
struct oc_vfilter {
    sqlite3_value *subject, *glob, *source, *pid; /* NULL: any */
    int64_t since_unix_ms, until_unix_ms;         /* [since, until] */
    int metric;                                   /* number; -1: any; -2: one that does not exist */
};

struct oc_vsource {
    uint32_t source, boot, pid; /* pid 0: no process */
    uint8_t kind;
    size_t subject_at; /* in names */
    int64_t sealed_boot_ms[OC_BLOCK_COUNT];
    int sealed_is_known;
};

/* What the figures of a row of an upper tier are. */
struct oc_vtier {
    int64_t count, min, max;
    double mean;
};

/* A value out of the journal, or a row that an upper tier has not got yet. */
struct oc_vcell {
    size_t source_index;
    int64_t t_boot_ms, value;
    struct oc_vtier tier;
    unsigned metric;
};

enum oc_vphase { OC_VPHASE_CHUNKS, OC_VPHASE_JOURNAL, OC_VPHASE_TAIL, OC_VPHASE_END };

struct oc_vcursor {
    struct oc_scan scan;
    enum oc_tier tier;
    struct oc_vfilter filter; /* only its numbers after oc_vcursor_filter() */

    struct oc_buf names;
    struct oc_vsource *sources;
    size_t source_count, source_capacity;

    enum oc_vphase phase;
    size_t source_index;  /* of the row now */
    sqlite3_stmt *chunks; /* of that source; NULL: not begun */
    struct oc_chunk_row row;
    int chunk_is_open, column_is_open;
    uint32_t column; /* next to look at */
    uint32_t index;  /* of the row now in the column; UINT32_MAX before the first */

    sqlite3_stmt *journal;
    oc_replay *replay;
    struct oc_unsealed unsealed;
    unsigned tail_metric; /* of an upper tier: figure by figure, then source by source */
    size_t tail_source;
    struct oc_vcell *cells;
    size_t cell_count, cell_capacity, cell;

    /* the row now */
    unsigned metric;
    int64_t t_boot_ms, t_unix_ms;
    int64_t rowid;
    struct oc_detail detail; /* of the last failure */
};

/* 0 or OC_E_NOMEM; oc_vcursor_clear() takes a half-built one. */
int oc_vcursor_init(struct oc_vcursor *cursor, sqlite3 *db, enum oc_tier tier);
void oc_vcursor_clear(struct oc_vcursor *cursor);

/* Begins anew and goes to the first row. 0 or a code (detail says where). */
int oc_vcursor_filter(struct oc_vcursor *cursor, const struct oc_vfilter *filter);
int oc_vcursor_next(struct oc_vcursor *cursor);
int oc_vcursor_at_end(const struct oc_vcursor *cursor);

/* Of the row now. */
const struct oc_vsource *oc_vcursor_source(const struct oc_vcursor *cursor);
const char *
oc_vcursor_subject(const struct oc_vcursor *cursor);       /* borrowed until the next filter */
int64_t oc_vcursor_value(const struct oc_vcursor *cursor); /* raw samples; last of a tier */
struct oc_vtier oc_vcursor_tier(const struct oc_vcursor *cursor); /* tiers only */

#endif
