/*
 * Which processes may be opened, and how. All handles with OC_WIN_READ come from here, so that the rule is in one place.
 */
#ifndef OC_PROBES_WINDOWS_HANDLES_H
#define OC_PROBES_WINDOWS_HANDLES_H

#include "probes/windows/win.h"

/*
 * Opens a process for reading its memory, of a target alone: the caller answers for that. created: FILETIME of the one that
 * is meant, 0: any. First with a limited handle it is asked who it is; lsass, the processes of the system and protected
 * ones are never opened.
 *
 * 0, OC_E_GONE (ended, or the PID is another's), OC_E_DENIED (as above, or Windows refuses), OC_E_NOMEM.
 * Cost: four calls beside the open itself.
 */
int oc_win_open_read(struct oc_win *win, uint32_t pid, uint64_t created,
                     oc_win_handle *out_process);

/* Whether reading its memory is out of the question, by the file's name ("lsass.exe", a whole path too) and basics. Pure. */
int oc_win_is_untouchable(uint32_t pid, const char *image, const struct oc_win_basics *basics);

#endif
