/*
 * What Windows' own event log says of processes: which worker IIS ends and why, what crashed, and that memory runs out. A
 * missing record proves nothing: logEventOnRecycle may leave it out (struct oc_plan, unlogged). Pure.
 *
 * Sources: Microsoft's pages "IIS Application Pool Recycling" and "IIS Application Pool Availability" for the ids of
 * Microsoft-Windows-WAS and the order of what they name.
 */
#ifndef OC_PROBES_WINDOWS_RECORDS_H
#define OC_PROBES_WINDOWS_RECORDS_H

#include "probes/windows/win.h"

#define OC_WIN_TOLD_BYTES 300
#define OC_WIN_REASONS_MAX 64

struct oc_win_told {
    uint32_t pid;   /* 0: it names none */
    char pool[200]; /* "": it names none */
    /* IIS ends the worker, or all of the pool where no PID is named, by plan: why, in a few words ("private memory limit").
     * NULL: it is no such record. Borrowed for ever. */
    const char *reason;
    char text
        [OC_WIN_TOLD_BYTES]; /* "WAS 5077: worker 4711 of pool Shop is recycled: virtual memory limit"; one line */
};

/* 1 with *out_told filled, 0 where the record says nothing that matters here. */
int oc_win_record_tell(const struct oc_win_record *record, struct oc_win_told *out_told);

/* Reasons that were told of late, held until the workers end. Zeroed: none; the oldest give way. */
struct oc_win_reasons {
    struct oc_win_reason {
        uint32_t pid;
        char pool[200];
        const char *reason;
        int64_t unix_ms;
    } items[OC_WIN_REASONS_MAX];
    uint32_t next;
};

void oc_win_reasons_note(struct oc_win_reasons *reasons, const struct oc_win_told *told,
                         int64_t unix_ms);
/* Why a worker that ended then was ended by plan; NULL: nothing was told. pool "" : unknown. A recycled worker may take minutes
 * to end; its successor starts meanwhile. */
const char *oc_win_reasons_of(const struct oc_win_reasons *reasons, uint32_t pid, const char *pool,
                              int64_t start_unix_ms, int64_t end_unix_ms);

#endif
