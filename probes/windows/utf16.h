/* UTF-16 of Windows and UTF-8 of ours. Pure; what is no character becomes U+FFFD. */
#ifndef OC_PROBES_WINDOWS_UTF16_H
#define OC_PROBES_WINDOWS_UTF16_H

#include <stddef.h>

/* Up to `units` units of little-endian UTF-16, which need not be aligned, up to a NUL; cut at a character's edge, always
 * NUL-terminated. Returns bytes without the NUL. out_bytes > 0. */
size_t oc_win_utf8(const void *text, size_t units, char *out, size_t out_bytes);

/* The same back: UTF-8 up to its NUL into out, without one. Returns units, at most max_units. */
size_t oc_win_utf16(const char *text, void *out, size_t max_units);

#endif
