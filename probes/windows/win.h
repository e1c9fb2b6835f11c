/*
 * What the probe asks of Windows, as a table of calls with plain types. calls.c holds the real ones and is the only
 * file of this folder that knows <windows.h>; all others are strict C17 over this header, so that they are compiled,
 * tested and fuzzed on Linux too, over recorded or made-up answers.
 *
 * The rules of the house stand here, and the counters let tests assert them:
 *   - a tick opens no handle in steady state, and reads O(1) a process;
 *   - OC_WIN_READ is opened for processes that a target names alone, never for lsass or a protected process;
 *   - nothing enters the target: no Toolhelp heap list, no RtlQueryProcessDebugInformation, no thread, nothing
 *     suspended, nothing written.
 *
 * Every call returns 0 or a code: OC_E_GONE (no such process any more), OC_E_DENIED, OC_E_NOTSUP (this Windows, or Wine,
 * has no such call), OC_E_NOMEM, OC_E_TOOBIG, OC_E_IO. Outputs are untouched on failure. Text is UTF-8.
 */
#ifndef OC_PROBES_WINDOWS_WIN_H
#define OC_PROBES_WINDOWS_WIN_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef uintptr_t oc_win_handle; /* 0: none */

enum oc_win_access {
    OC_WIN_LIMITED, /* PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE */
    OC_WIN_READ     /* PROCESS_QUERY_INFORMATION | PROCESS_VM_READ as well: regions and memory */
};

/* Which call was made: counters by it. */
enum oc_win_call {
    OC_WIN_CALL_LIST,
    OC_WIN_CALL_OPEN,
    OC_WIN_CALL_CLOSE,
    OC_WIN_CALL_MEMORY,
    OC_WIN_CALL_TIMES,
    OC_WIN_CALL_HANDLES,
    OC_WIN_CALL_EXITED,
    OC_WIN_CALL_IMAGE,
    OC_WIN_CALL_BASICS,
    OC_WIN_CALL_CMDLINE,
    OC_WIN_CALL_USER,
    OC_WIN_CALL_HOST,
    OC_WIN_CALL_QUERY,
    OC_WIN_CALL_MAPPED_NAME,
    OC_WIN_CALL_READ,
    OC_WIN_CALL_THREAD_TEB,
    OC_WIN_CALL_SERVICES,
    OC_WIN_CALL_FILE,
    OC_WIN_CALL_WAIT,
    OC_WIN_CALL_EVENTS,
    OC_WIN_CALL_SIGNAL,
    OC_WIN_CALL_COUNT
};
const char *
oc_win_call_name(enum oc_win_call call); /* "NtQuerySystemInformation", "VirtualQueryEx" … */

struct oc_win_counts {
    uint64_t calls[OC_WIN_CALL_COUNT];
    int64_t ns[OC_WIN_CALL_COUNT]; /* only while has_times: doctor */
    uint64_t reads_opened;         /* OPEN with OC_WIN_READ */
    int has_times;
};

/* PROCESS_MEMORY_COUNTERS_EX. Cleared before the call: what stays 0 is not known (Wine leaves private_usage out). */
struct oc_win_memory {
    uint64_t private_usage, pagefile_usage, working_set, peak_working_set;
    uint64_t fault_count;
    uint64_t
        virtual_size; /* VM_COUNTERS.VirtualSize; 0: unknown. Wine's is Unix's and may exceed the address space */
};

struct oc_win_times {
    uint64_t created; /* FILETIME: 100 ns since 1601, UTC */
    uint64_t cpu_ns;  /* kernel and user */
};

struct oc_win_basics {
    uint64_t peb;   /* 64-bit PEB's address; 0: unknown */
    uint64_t peb32; /* of a 32-bit process its own; 0: none. Wine says 1: then peb + 0x1000 */
    uint32_t parent_pid;
    uint32_t session;
    uint8_t is_32bit;     /* WOW64 */
    uint8_t is_protected; /* PsProtection is not 0 */
    uint8_t is_in_job;
    uint8_t has_session, has_protection, has_job; /* the figure above is known */
};

struct oc_win_host {
    uint64_t total_phys, avail_phys;
    uint64_t commit_total, commit_limit, commit_peak;
    uint64_t commit_max; /* commit_limit with all page files at their largest; 0: unknown */
    uint64_t pool_paged, pool_nonpaged;
    uint32_t processes, threads, handles, cpu_count;
    uint64_t top_address; /* lpMaximumApplicationAddress + 1 of a 64-bit process */
};

/* MEMORY_BASIC_INFORMATION, Windows' own numbers. */
struct oc_win_region {
    uint64_t base, size, allocation_base;
    uint32_t allocation_protect, state, protect, type;
};
#define OC_MEM_COMMIT 0x1000u
#define OC_MEM_RESERVE 0x2000u
#define OC_MEM_FREE 0x10000u
#define OC_MEM_PRIVATE 0x20000u
#define OC_MEM_MAPPED 0x40000u
#define OC_MEM_IMAGE 0x1000000u

/* A service that runs: names by PID (svchost has several). Borrowed during the call. */
typedef void oc_win_service_fn(uint32_t pid, const char *name, void *context);

/* A record of the event log, the fields that are looked at. Borrowed during the call. */
struct oc_win_record {
    const char *source; /* "Microsoft-Windows-WAS", ".NET Runtime", "Application Error" … */
    uint32_t id;
    uint32_t pid; /* the one that the text is about; 0: it names none */
    int64_t unix_ms;
    const char *strings[12]; /* insertion strings in order; NULL beyond string_count */
    uint32_t string_count;
};
typedef void oc_win_record_fn(const struct oc_win_record *record, void *context);

struct oc_win {
    /* SYSTEM_PROCESS_INFORMATION of all processes, 64-bit layout, as Windows writes it. OC_E_TOOBIG: *out_bytes is what it
     * wants now. */
    int (*list)(struct oc_win *, void *out, size_t max_bytes, size_t *out_bytes);
    int (*open)(struct oc_win *, uint32_t pid, enum oc_win_access access, oc_win_handle *out);
    void (*close)(struct oc_win *, oc_win_handle handle);
    int (*memory)(struct oc_win *, oc_win_handle, struct oc_win_memory *out);
    int (*times)(struct oc_win *, oc_win_handle, struct oc_win_times *out);
    int (*handles)(struct oc_win *, oc_win_handle, uint32_t *out_count);
    /* 1: it ended, with its code; 0: it runs. Never waits. */
    int (*exited)(struct oc_win *, oc_win_handle, uint32_t *out_code);
    int (*image)(struct oc_win *, oc_win_handle, char *out, size_t out_bytes);
    int (*basics)(struct oc_win *, oc_win_handle, struct oc_win_basics *out);
    /* ProcessCommandLineInformation (8.1 and later); OC_E_NOTSUP: read the PEB. */
    int (*cmdline)(struct oc_win *, oc_win_handle, char *out, size_t out_bytes);
    int (*user)(struct oc_win *, oc_win_handle, char *out, size_t out_bytes); /* "DOMAIN\\name" */
    int (*host)(struct oc_win *, struct oc_win_host *out);
    /* VirtualQueryEx: the region that holds the address. OC_E_NOENT beyond the last. OC_WIN_READ. */
    int (*query)(struct oc_win *, oc_win_handle, uint64_t address, struct oc_win_region *out);
    /* GetMappedFileName; OC_E_NOENT: no file. As Windows says it: "\\Device\\HarddiskVolume3\\…", under Wine "\\??\\C:\\…". */
    int (*mapped_name)(struct oc_win *, oc_win_handle, uint64_t address, char *out,
                       size_t out_bytes);
    /* All of it, or OC_E_IO. Retried by nobody: the target writes meanwhile. */
    int (*read)(struct oc_win *, oc_win_handle, uint64_t address, void *out, size_t bytes);
    int (*thread_teb)(struct oc_win *, uint32_t tid, uint64_t *out_address);
    int (*services)(struct oc_win *, oc_win_service_fn *fn, void *context);
    /* A whole file of the system (IIS's configuration), and when it changed (FILETIME). out_text is the caller's to free
     * with oc_free; NULL: only the time is asked for. 32-bit redirection is off. */
    int (*file)(struct oc_win *, const char *path, size_t max_bytes, char **out_text,
                size_t *out_bytes, uint64_t *out_changed);
    /* Calls fn(tag) on a thread of its own once the process ended, until unwait. */
    int (*wait)(struct oc_win *, oc_win_handle, void (*fn)(uint64_t tag, void *context),
                uint64_t tag, void *context, void **out_wait);
    void (*unwait)(struct oc_win *, void *wait); /* returns once fn will not run any more */
    /* Records of the event logs since the call before (the first: since now), System and Application. OC_E_NOTSUP on Wine. */
    int (*records)(struct oc_win *, oc_win_record_fn *fn, void *context);
    /* A signal that is set until it is reset (a manual-reset event), from any thread: what the loop waits for. */
    int (*signal_new)(struct oc_win *, oc_win_handle *out);
    void (*signal_set)(struct oc_win *, oc_win_handle signal);
    void (*signal_reset)(struct oc_win *, oc_win_handle signal);
    void (*signal_free)(struct oc_win *, oc_win_handle signal); /* 0 is ignored */

    int is_wine;
    int is_elevated;       /* a member of the administrators, with its rights in force; or SYSTEM */
    int has_debug;         /* SeDebugPrivilege is held and enabled */
    uint32_t build;        /* of Windows: 14393 is Server 2016 */
    char system_root[260]; /* "C:\\Windows" */
    struct oc_win_counts
        counts; /* the calls themselves count; atomic is not needed: one thread each */
};

/* The real ones (calls.c), on Windows alone. Yours to free. */
int oc_win_open(struct oc_win **out_win);
void oc_win_close(struct oc_win *win);

#endif
