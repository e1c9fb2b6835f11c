/* A growable buffer of bytes or text with a maximum, and the JSON and terminal words written to it.
 */
#ifndef OC_BASE_BUF_H
#define OC_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/*
 * All append calls are safe after a failure: the first error (OC_E_NOMEM, OC_E_TOOBIG) stays in
 * .err, later calls do nothing, so that a caller checks once at the end.
 */
struct oc_buf {
    char *data; /* NUL-terminated whenever data != NULL */
    size_t len_bytes;
    size_t cap_bytes;
    size_t max_bytes; /* set by init; 0 would allow nothing */
    int err;
};

void oc_buf_init(struct oc_buf *buf, size_t max_bytes);
/* In memory of the caller's, which is all that it will ever have: what must be said when there is no other. It is not
 * cleared. What does not fit is OC_E_TOOBIG; what came before it stands. */
void oc_buf_init_fixed(struct oc_buf *buf, char *room, size_t room_bytes);
void oc_buf_clear(struct oc_buf *buf); /* frees; as after init */
void oc_buf_reset(struct oc_buf *buf); /* empties, keeps the memory, clears .err */

/* Makes room for more_bytes and returns where they go, or NULL. oc_buf_used() then takes them in.
 */
void *oc_buf_reserve(struct oc_buf *buf, size_t more_bytes);
void oc_buf_used(struct oc_buf *buf, size_t bytes);

void oc_buf_add(struct oc_buf *buf, const void *bytes, size_t len_bytes);
void oc_buf_puts(struct oc_buf *buf, const char *text);
void oc_buf_putc(struct oc_buf *buf, char c);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void oc_buf_printf(struct oc_buf *buf, const char *format, ...);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 0)))
#endif
void oc_buf_vprintf(struct oc_buf *buf, const char *format, va_list args);
void oc_buf_spaces(struct oc_buf *buf, size_t count);

/* A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void oc_buf_json_string(struct oc_buf *buf, const char *text);

/*
 * Text for a terminal or a log line: C0 and C1 controls, DEL and bytes that are not UTF-8 are
 * written as \n, \t, \e, \xNN; a backslash is doubled only where such an escape could be misread, and never where it stands
 * in every path (Windows, whose names hold no controls).
 */
void oc_buf_escaped(struct oc_buf *buf, const char *text);

/* Text of a manual page: what roff would read for itself ('.', '\'', '\\', '-') is escaped. */
void oc_buf_roff(struct oc_buf *buf, const char *text);

/* A CSV field, quoted where RFC 4180 asks for it. */
void oc_buf_csv_field(struct oc_buf *buf, const char *text);

#endif
