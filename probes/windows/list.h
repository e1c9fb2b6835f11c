/*
 * SYSTEM_PROCESS_INFORMATION: all processes and their threads in one answer. Pure: bytes in, entries out.
 */
#ifndef OC_PROBES_WINDOWS_LIST_H
#define OC_PROBES_WINDOWS_LIST_H

#include <stddef.h>
#include <stdint.h>

/* One process. Figures that are 0 may be unknown: Wine leaves private_page_bytes and some others out. */
struct oc_win_entry {
    uint32_t pid, parent_pid, session;
    uint32_t thread_count, handle_count;
    uint32_t fault_count, hard_fault_count; /* 32 bits of Windows': they come round */
    uint64_t created;                       /* FILETIME */
    uint64_t cpu_ns;                        /* kernel and user */
    uint64_t virtual_bytes, working_set_bytes, peak_working_set_bytes;
    uint64_t pagefile_bytes, private_page_bytes;
    char name[64];                /* "w3wp.exe", UTF-8; "" the idle process */
    const unsigned char *threads; /* borrowed of the list; for oc_win_entry_tid() */
};

struct oc_win_list {
    const unsigned char *bytes;
    size_t len_bytes;
    uint64_t address; /* where Windows wrote it: names are pointers into it */
    size_t at;        /* of the next entry; len_bytes: none is left */
};

/* address: of bytes, where it is not a recording. */
void oc_win_list_begin(struct oc_win_list *list, const void *bytes, size_t len_bytes,
                       uint64_t address);
/* 1: *out_entry is the next; 0: there is none left; OC_E_PARSE: what follows is no list. */
int oc_win_list_next(struct oc_win_list *list, struct oc_win_entry *out_entry);

/* The thread number i < thread_count, which is of its process; 0: it is of another. */
uint32_t oc_win_entry_tid(const struct oc_win_entry *entry, uint32_t i);

/* max(PrivatePageCount, PagefileUsage): either may be left out. */
uint64_t oc_win_entry_private(const struct oc_win_entry *entry);

/* For tests and recordings: writes an entry with its threads. Returns bytes used, 0 where there is no room. is_last: no other follows. */
size_t oc_win_list_write(unsigned char *out, size_t max_bytes, uint64_t address,
                         const struct oc_win_entry *entry, const uint32_t *tids, int is_last);

#endif
