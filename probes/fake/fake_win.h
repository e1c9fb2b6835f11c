/*
 * A made Windows for tests of probes/windows: processes with regions, bytes and names as the test says, and the rules
 * asserted. The table is given to what is tested; no <windows.h>, so that it runs everywhere.
 *
 * Of one thread. Text and arrays are borrowed: they stay until the fake is closed. A PID that is not there is a bug of the
 * test where the function says nothing else.
 */
#ifndef OC_PROBES_FAKE_WIN_H
#define OC_PROBES_FAKE_WIN_H

#include "probes/windows/win.h"

#define OC_FAKE_WIN_PROCS_MAX 4096
#define OC_FAKE_WIN_HANDLES_MAX 16384
#define OC_FAKE_WIN_TIDS_MAX 64

/* So many bytes of a process's memory. */
struct oc_fake_win_bytes {
    uint64_t address;
    const void *bytes;
    size_t len_bytes;
};

struct oc_fake_win_file {
    uint64_t allocation_base; /* as of the regions' */
    const char *name;
};

/* A process: fill in what the test needs after oc_fake_win_start(); what is left is unknown or 0. */
struct oc_fake_win_process {
    uint32_t pid;
    const char *name;    /* in the list: "w3wp.exe" */
    const char *image;   /* NULL: OC_E_DENIED */
    const char *cmdline; /* NULL: OC_E_NOTSUP, as on Wine */
    const char *user;    /* NULL: OC_E_DENIED */
    struct oc_win_memory memory;
    struct oc_win_times times;
    struct oc_win_basics basics;
    uint32_t handles;
    uint32_t thread_count; /* ≤ OC_FAKE_WIN_TIDS_MAX */
    uint32_t tids[OC_FAKE_WIN_TIDS_MAX];
    uint64_t tebs[OC_FAKE_WIN_TIDS_MAX]; /* 0: OC_E_DENIED */
    /* Ascending; what lies between is free, and beyond the last up to top_address of the host too. */
    const struct oc_win_region *regions;
    size_t region_count;
    const struct oc_fake_win_bytes
        *bytes; /* elsewhere committed memory reads as zeroes, the rest fails */
    size_t bytes_count;
    const struct oc_fake_win_file *files;
    size_t file_count;
    int open_code;         /* what opening it gives; 0: works */
    int read_code;         /* with OC_WIN_READ; 0: works */
    int is_untargeted;     /* a handle with OC_WIN_READ fails the test: oc_fake_win_faults() */
    uint64_t reads_opened; /* counted */
    /* ---- the fake's own ---- */
    int has_ended;
    uint32_t exit_code;
};

typedef struct oc_fake_win oc_fake_win;

/* 0 or OC_E_NOMEM. The host has 8 CPUs, 16 GiB RAM and the addresses of a 64-bit Windows. */
int oc_fake_win_open(oc_fake_win **out_fake);
void oc_fake_win_close(oc_fake_win *fake);
struct oc_win *oc_fake_win_table(oc_fake_win *fake); /* borrowed */

/* Zeroed but for pid, name and times.created, which is later for each; NULL: no room. Borrowed until the fake is closed. */
struct oc_fake_win_process *oc_fake_win_start(oc_fake_win *fake, uint32_t pid, const char *name);
/* Waits on it call back at once, on this thread; the PID is free once no handle is left. */
void oc_fake_win_end(oc_fake_win *fake, uint32_t pid, uint32_t exit_code);

/* What host gives from now on; yours to change. */
struct oc_win_host *oc_fake_win_host(oc_fake_win *fake);
void oc_fake_win_service(oc_fake_win *fake, uint32_t pid, const char *name); /* at most 64 */
/* A file of the system; changed is renewed with each call of the same path. text NULL: removed. At most 16. */
void oc_fake_win_set_file(oc_fake_win *fake, const char *path, const char *text);
/* From now on there is an event log; without this reading it gives OC_E_NOTSUP, as on Wine. */
void oc_fake_win_open_log(oc_fake_win *fake);
/* A record that the next call of records gives; at most 64. Opens the log. */
void oc_fake_win_record(oc_fake_win *fake, const struct oc_win_record *record);
/* The call gives this code from now on; 0 ends that. */
void oc_fake_win_fail(oc_fake_win *fake, enum oc_win_call call, int code);

size_t oc_fake_win_handles(const oc_fake_win *fake); /* open ones of processes */
size_t oc_fake_win_waits(const oc_fake_win *fake);
int oc_fake_win_is_signalled(const oc_fake_win *fake); /* any signal of it is set */
/* How often a rule was broken: OC_WIN_READ of an untargeted, protected or lsass process, a handle closed twice. */
unsigned oc_fake_win_faults(const oc_fake_win *fake);

#endif
