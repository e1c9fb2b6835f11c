/*
 * Whom a word means at a moment: the processes of a subject, or a PID, as the store knows them.
 */
#ifndef OC_CLI_MODEL_PARTY_H
#define OC_CLI_MODEL_PARTY_H

#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

#define OC_PARTY_MAX 4096

struct oc_party_member {
    uint32_t source, pid;
    uint8_t kind; /* enum oc_source_kind: a process, or oomcastd */
    enum oc_end end;
    int status;
    enum oc_killer killer;
    uint64_t start_ticks;
    int64_t begin_unix_ms, end_unix_ms; /* end: INT64_MAX while it runs */
    int64_t last_unix_ms;               /* of its last sample; 0: none */
    char subject[OC_SUBJECT_NAME_BYTES], name[64], cgroup[512];
};

struct oc_party {
    struct oc_party_member *items; /* owned; by subject, then by their beginnings */
    size_t count, capacity;
    int has_ended; /* none ran at that moment: this is the one that ended last before it */
};

/* The PID that a word is; 0: it is a name. */
uint32_t oc_party_pid(const char *word);

/*
 * The processes of a word (a PID, a subject's name or glob; NULL: of all subjects) at a moment
 * (INT64_MAX: now). Where none ran then, the one that ended last before it. Fills *party (zeroed).
 * OC_E_NOENT (no such name, or nothing of it by then), OC_E_TOOBIG; *detail says it with the mend.
 */
int oc_party_load(struct oc_party *party, oc_reader *reader, const char *word, int64_t at_unix_ms,
                  struct oc_detail *detail);
void oc_party_clear(struct oc_party *party);

#endif
