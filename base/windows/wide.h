/*
 * Text and codes between the rooms and Windows: UTF-8 inside, UTF-16 in each call, whatever the code page of the machine.
 * For the windows/ folders alone.
 */
#ifndef OC_BASE_WINDOWS_WIDE_H
#define OC_BASE_WINDOWS_WIDE_H

#include <stddef.h>
#include <wchar.h>

/* Units of the longest path that is taken: the room for each path buffer. */
#define OC_WIDE_PATH_UNITS 4096

/* UTF-8 to UTF-16, NUL-terminated. OC_E_TOOBIG beyond out_units, OC_E_PARSE where it is not UTF-8. */
int oc_wide_from_utf8(wchar_t *out, size_t out_units, const char *text);

/* UTF-16 to UTF-8, NUL-terminated; half a surrogate pair comes out as U+FFFD. OC_E_TOOBIG beyond out_bytes. */
int oc_wide_to_utf8(char *out, size_t out_bytes, const wchar_t *text);

/*
 * A path as Windows' calls take it: '/' is '\', and a long one that begins at a drive or a server gets the prefix that lifts
 * the bound of 260 (`\\?\`). Codes as oc_wide_from_utf8().
 */
int oc_wide_path(wchar_t *out, size_t out_units, const char *path);

/* The code of what GetLastError() or a registry call gave. Unknown ones are OC_E_IO. */
int oc_err_from_windows(unsigned long error_number);

#endif
