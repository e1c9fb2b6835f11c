/* Text in and out: strict numbers, durations, sizes, UTF-8, the nearest of several words, globs. */
#ifndef OC_BASE_TEXT_H
#define OC_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Strict decimal: digits only (a leading '-' for the signed one), no blanks, all of text. 0 or
 * OC_E_PARSE, OC_E_TOOBIG. */
int oc_text_u64(const char *text, uint64_t *out_value);
int oc_text_i64(const char *text, int64_t *out_value);

/*
 * "250ms" "10s" "5m" "1h30m" "7d" "2w" "1y" (365 d); a bare number is refused but for 0.
 * Returns 0, OC_E_PARSE or OC_E_TOOBIG.
 */
int oc_text_duration_ms(const char *text, int64_t *out_ms);

/* "512" "64KiB" "1.5GiB" "10MB"; KiB MiB GiB TiB are powers of 1024, KB MB GB TB of 1000,
 * "k"/"M"/"G" alone of 1024. */
int oc_text_size_bytes(const char *text, uint64_t *out_bytes);

/* "64.0 MiB", "-1.2 KiB"; "90 s", "2 h 05 m", "3 d 4 h". Written to out (≥ 24 bytes), which is
 * returned. */
const char *oc_text_bytes(int64_t bytes, char *out, size_t out_bytes);
const char *oc_text_ms(int64_t ms, char *out, size_t out_bytes);

/* Bytes of the valid UTF-8 character at text, of which left bytes may be read (4 always may of
 * NUL-terminated text); 0 where there is none. */
size_t oc_text_utf8_char(const char *text, size_t left);

/* Whether the len bytes are valid UTF-8 (no overlongs, no surrogates). *out_bad_at: offset of the
 * first bad byte; may be NULL. */
int oc_text_is_utf8(const char *text, size_t len_bytes, size_t *out_bad_at);

/* Copies text cut to fit at a character's edge, with bytes that are not UTF-8 as U+FFFD. Always
 * NUL-terminated. */
void oc_text_copy_utf8(char *out, size_t out_bytes, const char *text, size_t len_bytes);

/* Columns that UTF-8 text takes in a terminal (wide and combining characters counted rightly enough
 * for names). */
size_t oc_text_columns(const char *text);

/* Edits (insert, delete, replace, swap) from a to b, at most limit + 1. */
size_t oc_text_distance(const char *a, const char *b, size_t limit);

/* The word of a NULL-terminated list nearest to text, or NULL where none is within a third of its
 * length. Borrowed. */
const char *oc_text_nearest(const char *text, const char *const *words);

/* Whether a glob matches all of text: '*', '?', '[a-z]', '[!a]', '\\' escapes. Linear in text times
 * pattern; no recursion. */
int oc_text_glob(const char *pattern, const char *text);

/* Copies at most out_bytes - 1 bytes and ends with NUL; returns 0, or OC_E_TOOBIG where it was cut.
 */
int oc_text_copy(char *out, size_t out_bytes, const char *text);

#endif
