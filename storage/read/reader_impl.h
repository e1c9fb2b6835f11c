/* What the files of the reader share. */
#ifndef OC_STORAGE_READ_READER_IMPL_H
#define OC_STORAGE_READ_READER_IMPL_H

#include "storage/read/scan.h"
#include "storage/read/unsealed.h"
#include "storage/reader.h"

struct oc_reader {
    char *path;          /* owned */
    struct oc_scan scan; /* its db is ours */
    struct oc_unsealed unsealed;
};

/*
 * A short read transaction, so that all of an answer is of one moment, with the clock table read
 * in it. 0 or a code. oc_reader_end() may be called whatever oc_reader_begin() gave.
 */
int oc_reader_begin(oc_reader *reader);
void oc_reader_end(oc_reader *reader);

/* The only_source of a replay that takes all. */
#define OC_READER_ALL_SOURCES UINT32_MAX

/* The block that every source of a kind has: enum oc_block of an enum oc_source_kind. */
unsigned oc_reader_main_block(unsigned kind);

#endif
