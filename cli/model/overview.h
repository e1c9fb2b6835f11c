/* What a store holds, at a glance: from its tables of subjects and sources, not from its chunks. */
#ifndef OC_CLI_MODEL_OVERVIEW_H
#define OC_CLI_MODEL_OVERVIEW_H

#include "storage/reader.h"

#include <stdint.h>

struct oc_overview {
    uint64_t subjects, sources, running;
    int64_t first_unix_ms, last_unix_ms; /* 0: it holds nothing */
    uint64_t file_bytes, wal_bytes;
};

/* 0 or a code. Cost: a row for each source there ever was; oc_reader_info() looks at each chunk. */
int oc_overview_read(oc_reader *reader, struct oc_overview *out_overview);

#endif
