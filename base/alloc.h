/*
 * The only allocator: wired into SQLite, cJSON and libuv too, so that a test can make the Nth
 * allocation fail and count what is left at the end.
 */
#ifndef OC_BASE_ALLOC_H
#define OC_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

/* As malloc, calloc, realloc, free. A size of 0 gives a pointer that may be freed. Thread-safe. */
void *oc_malloc(size_t size_bytes);
void *oc_calloc(size_t count, size_t size_bytes);
void *oc_realloc(void *memory, size_t size_bytes);
void oc_free(void *memory);

/* A copy of text (of at most max_bytes bytes of it), or NULL. Yours to free with oc_free(). */
char *oc_strdup(const char *text);
char *oc_strndup(const char *text, size_t max_bytes);

/*
 * Grows an array to hold at least wanted items: doubles *capacity, never beyond max.
 * Returns 0, OC_E_TOOBIG (wanted > max) or OC_E_NOMEM; the array is untouched on failure.
 */
int oc_array_grow(void **array, size_t *capacity, size_t wanted, size_t item_bytes, size_t max);

/*
 * For tests. Makes allocation number nth (from 1, counted from this call) fail, and with
 * `forever` set also all after it; 0 turns it off. Environment OOMCAST_FAIL_ALLOC=N[+] does the
 * same for a whole program ('+': and all after) when oc_alloc_init() is called.
 */
void oc_alloc_fail_at(uint64_t nth, int forever);

/* Allocations asked for since the last oc_alloc_fail_at() or start, and blocks not yet freed. */
uint64_t oc_alloc_count(void);
int64_t oc_alloc_live(void);

/* Reads OOMCAST_FAIL_ALLOC. Called first in main(). */
void oc_alloc_init(void);

#endif
