/* Base64, and names that are the same in any case. Pure. */
#ifndef OC_NOTIFY_ENCODE_H
#define OC_NOTIFY_ENCODE_H

#include <stddef.h>

/* Room for the base64 of so many bytes, with the NUL. */
#define OC_BASE64_ROOM(bytes) (((bytes) + 2) / 3 * 4 + 1)

/* Standard base64 with padding; out has OC_BASE64_ROOM(len_bytes) bytes. */
void oc_base64_write(const void *bytes, size_t len_bytes, char *out);
/* Strict: whole groups of four, padding at the end alone. The count of bytes, at most max_bytes; OC_E_PARSE, OC_E_TOOBIG. */
int oc_base64_read(const char *text, size_t len_bytes, unsigned char *out, size_t max_bytes);

/* 1: the first len bytes of both are the same, but for the case of A to Z. */
int oc_same_name(const char *a, const char *b, size_t len_bytes);

#endif
