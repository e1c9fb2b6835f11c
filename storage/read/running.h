/* Sources that have not ended, and what the journal holds of them beyond their last chunk. */
#ifndef OC_STORAGE_READ_RUNNING_H
#define OC_STORAGE_READ_RUNNING_H

#include "storage/read/reader_impl.h"

#define OC_RUNNING_MAX (1u << 20)

struct oc_running {
    uint32_t source, boot, pid;
    uint8_t kind;
    uint8_t seen_blocks;           /* bit per block whose newest sample was given */
    uint32_t held[OC_BLOCK_COUNT]; /* for oc_reader_latest(): place + 1 in its list; 0: none */
    int64_t sealed_boot_ms;  /* of the last sealed sample of its main block; INT64_MIN: none */
    uint64_t unsealed_count; /* samples of its main block in the journal alone */
    int64_t last_boot_ms;    /* of the last of them */
    char subject[256];       /* longer ones are cut */
    char name[64];
};

struct oc_running_list {
    struct oc_running *items; /* in ascending source id */
    size_t count, capacity;
};

/* Within a read transaction. 0, OC_E_TOOBIG or a code. oc_running_clear() takes a half-built one. */
int oc_running_load(struct oc_running_list *list, oc_reader *reader);
void oc_running_clear(struct oc_running_list *list);

/* NULL where there is none. Borrowed from the list. */
struct oc_running *oc_running_find(const struct oc_running_list *list, uint32_t source);

/* Fills what is about samples not yet sealed: one pass over the journal. 0 or a code. */
int oc_running_count(struct oc_running_list *list, oc_reader *reader);

#endif
