/*
 * A recording: everything that the probe asked of a Windows, with the answers and the time of each call, as text. Made on a
 * machine that nobody here has, replayed in tests. Redacted: command lines, and text in memory that was read, as everywhere
 * (base/redact.h); names of users and their folders become numbers; of IIS's configuration only the application pools stay,
 * without accounts. Names of programs, services, pools and paths stay: they are what the probe goes by.
 *
 * Lines: what was asked, with what it was asked of; the code; nanoseconds; figures; text at the end, "%XX" for what is no
 * plain character. Version 1 begins "oomcast-windows-record 1"; '#' begins a remark.
 */
#ifndef OC_PROBES_WINDOWS_RECORD_H
#define OC_PROBES_WINDOWS_RECORD_H

#include "base/buf.h"
#include "base/err.h"
#include "probes/windows/win.h"

#define OC_WIN_RECORD_MAX_BYTES ((size_t)64 << 20)
#define OC_WIN_RECORD_LINES_MAX (1u << 19)
#define OC_WIN_RECORD_HEAD "oomcast-windows-record 1"

/* ---- the format ---- */

#define OC_WIN_RECORD_KEYS 3
#define OC_WIN_RECORD_NUMBERS 14

enum oc_win_record_kind { /* after enum oc_win_call */
                          OC_WIN_RECORD_SYSTEM = OC_WIN_CALL_COUNT,
                          OC_WIN_RECORD_ENTRY, /* of the list before it */
                          OC_WIN_RECORD_THREAD, /* of the entry before it; of looked-at processes alone */
                          OC_WIN_RECORD_SERVICE, /* of the services before it */
                          OC_WIN_RECORD_KINDS
};

struct oc_win_record_row {
    const char *name;
    uint8_t keys, numbers, has_text;
};
/* NULL: such a call is not recorded. Borrowed for ever. */
const struct oc_win_record_row *oc_win_record_row(unsigned kind);

struct oc_win_answer {
    unsigned kind;
    int rc;
    int64_t ns;
    uint64_t keys[OC_WIN_RECORD_KEYS], numbers[OC_WIN_RECORD_NUMBERS];
    const char *text; /* NULL: none; may hold any bytes */
    size_t text_bytes;
};
/* Appends a line. */
void oc_win_answer_write(struct oc_buf *out, const struct oc_win_answer *answer);
/* Parses a line of len bytes without its end; text is decoded into room for len bytes. 0 or OC_E_PARSE. Pure. */
int oc_win_answer_parse(const char *line, size_t len, char *room, struct oc_win_answer *out_answer);

/* ---- writing ---- */

/*
 * A table that asks `inner`, which is borrowed, and writes down each answer. What waits is passed on. Close it before inner.
 * 0 or OC_E_NOMEM.
 */
int oc_win_recorder_open(struct oc_win *inner, struct oc_win **out_win);
void oc_win_recorder_close(struct oc_win *recorder);
/* What was written until now; .err says whether it is whole. Borrowed until the recorder is closed. */
const struct oc_buf *oc_win_recorder_text(const struct oc_win *recorder);

/*
 * Records the machine and a process, or with pid 0 all IIS workers, at most 16, and where there are none ourselves: walks,
 * limits, a tick, pools. The recording is appended to *out. 0, OC_E_GONE, OC_E_NOMEM, OC_E_TOOBIG.
 */
int oc_win_record(struct oc_win *win, uint32_t pid, struct oc_buf *out);

/* ---- replaying ---- */

/*
 * A table that gives the answers of a recording: to the same question those in their order, the last one again and again. A
 * region that was not asked for at this address is looked for among all of the process. What was not recorded is
 * OC_E_NOTSUP. The text is copied. 0, OC_E_PARSE (detail: line), OC_E_NEWER, OC_E_TOOBIG, OC_E_NOMEM.
 */
int oc_win_replay_open(const char *text, size_t len_bytes, struct oc_win **out_win,
                       struct oc_detail *detail);
void oc_win_replay_close(struct oc_win *replay);
/* The process that was opened first; 0: none. */
uint32_t oc_win_replay_pid(const struct oc_win *replay);

/* ---- redaction, pure; in place, never longer ---- */

/* The folder of a user in a path or command line: "\Users\anna\x" is "\Users\*\x". */
void oc_win_redact_path(char *text);
/* UTF-16 text of a process's memory: secrets and users' folders become '*'. What is no text stays. */
void oc_win_redact_memory(unsigned char *bytes, size_t len_bytes);
/* IIS's configuration: only its application pools stay, without accounts. Yours to free; NULL: no memory. */
char *oc_win_redact_config(const char *text, size_t len_bytes);

#endif
