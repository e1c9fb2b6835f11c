/*
 * Who a process is: what a walk tells with OC_WALK_FACTS.
 */
#ifndef OC_PROBES_WINDOWS_IDENTITY_H
#define OC_PROBES_WINDOWS_IDENTITY_H

#include "probes/probe.h"
#include "probes/windows/win.h"

/*
 * Fills in walk->facts, names, cmdline and program_stamp of the process that `process` is, which was opened with `access`.
 * walk->facts.id.pid is given; the rest of these is overwritten. What cannot be had stays "" or unknown, and is no failure.
 * *out_basics is zeroed where it could not be read; may be NULL. cmdline in facts is redacted.
 *
 * With OC_WIN_LIMITED no memory is read, but for the arguments of a w3wp.exe where Windows has no call for them (before 8.1,
 * and Wine): these say the application pool, and are read by a handle of its own. Of a descendant of a worker the pool is
 * its ancestor's.
 *
 * 0, OC_E_GONE (it ended), OC_E_NOMEM.
 * Cost: some 8 calls, 3 for each ancestor up to 6, one list of services at most every 10 s and thread.
 */
int oc_win_identity(struct oc_win *win, oc_win_handle process, enum oc_win_access access,
                    struct oc_walk *walk, struct oc_win_basics *out_basics);

/*
 * The arguments of a process by its own memory, OC_WIN_READ: 32- and 64-bit. Reads what the process could have written:
 * lengths are bounded. Valid UTF-8, yours to free. 0, OC_E_NOENT (none), OC_E_PARSE, OC_E_IO, OC_E_NOMEM.
 */
int oc_win_peb_cmdline(struct oc_win *win, oc_win_handle process,
                       const struct oc_win_basics *basics, char **out_text);

/*
 * The arguments of the process of a limited handle: by the call for them; where Windows has none, of a w3wp.exe alone by
 * oc_win_peb_cmdline() and a handle of its own. image: path or name. Yours to free. 0, OC_E_NOTSUP, OC_E_DENIED, OC_E_GONE …
 */
int oc_win_cmdline(struct oc_win *win, uint32_t pid, oc_win_handle limited, const char *image,
                   char **out_text);

/* ms since 1970 of a FILETIME; 0 for one that is before. Pure. */
int64_t oc_win_unix_ms(uint64_t filetime);

#endif
