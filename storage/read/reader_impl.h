/* What the files of the reader share. */
#ifndef OC_STORAGE_READ_READER_IMPL_H
#define OC_STORAGE_READ_READER_IMPL_H

#include "storage/format/walk_rows.h"
#include "storage/read/scan.h"
#include "storage/read/unsealed.h"
#include "storage/reader.h"

struct oc_reader {
    char *path;          /* owned */
    struct oc_scan scan; /* its db is ours */
    struct oc_unsealed unsealed;
    struct oc_walk_rows walk_rows; /* made when they are first asked for */
    struct oc_walk_state walk_state;
    sqlite3_stmt *limits; /* of one source; the same */
    int has_views;        /* and the virtual tables */
};

/* The boot of a source: 0, OC_E_NOENT (no such source) or a code. */
int oc_reader_boot_of(oc_reader *reader, uint32_t source, uint32_t *out_boot);

/*
 * A short read transaction, so that all of an answer is of one moment, with the clock table read
 * in it. 0 or a code. oc_reader_end() may be called whatever oc_reader_begin() gave.
 */
int oc_reader_begin(oc_reader *reader);
void oc_reader_end(oc_reader *reader);

/* The census of a walk at a boot time; in a read transaction. 0 or a code: then *out holds a part, to be cleared. */
int oc_reader_make_census(oc_reader *reader, uint32_t source, int64_t t_boot_ms, int want_modules,
                          struct oc_census *out);

/* The block that every source of a kind has: enum oc_block of an enum oc_source_kind. */
unsigned oc_reader_main_block(unsigned kind);

#endif
