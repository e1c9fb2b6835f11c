#include "base/alloc.h"

#include "base/err.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint_fast64_t asked;   /* allocations since the last oc_alloc_fail_at() */
static atomic_uint_fast64_t fail_at; /* 0: never */
static atomic_int fail_forever;
static atomic_int_fast64_t live;

static int must_fail(void)
{
    uint64_t n = atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed) + 1;
    uint64_t at = atomic_load_explicit(&fail_at, memory_order_relaxed);

    return at && (n == at || (n > at && atomic_load(&fail_forever)));
}

static void *counted(void *memory)
{
    if (memory)
        (void)atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return memory;
}

void *oc_malloc(size_t size_bytes)
{
    return must_fail() ? NULL : counted(malloc(size_bytes ? size_bytes : 1));
}

void *oc_calloc(size_t count, size_t size_bytes)
{
    if (!count || !size_bytes)
        count = size_bytes = 1;
    return must_fail() ? NULL : counted(calloc(count, size_bytes));
}

void *oc_realloc(void *memory, size_t size_bytes)
{
    void *moved = NULL;

    if (!memory)
        return oc_malloc(size_bytes);
    if (must_fail())
        return NULL;
    moved = realloc(memory, size_bytes ? size_bytes : 1);
    return moved;
}

void oc_free(void *memory)
{
    if (memory)
        (void)atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    free(memory);
}

char *oc_strndup(const char *text, size_t max_bytes)
{
    const char *end = memchr(text, '\0', max_bytes);
    size_t len_bytes = end ? (size_t)(end - text) : max_bytes;
    char *copy = oc_malloc(len_bytes + 1);

    if (!copy)
        return NULL;
    memcpy(copy, text, len_bytes);
    copy[len_bytes] = '\0';
    return copy;
}

char *oc_strdup(const char *text) { return oc_strndup(text, strlen(text)); }

int oc_array_grow(void **array, size_t *capacity, size_t wanted, size_t item_bytes, size_t max)
{
    size_t next = *capacity ? *capacity : 8;
    void *moved = NULL;

    if (wanted <= *capacity)
        return OC_OK;
    if (wanted > max || (item_bytes && max > SIZE_MAX / item_bytes))
        return OC_E_TOOBIG;
    while (next < wanted)
        next = next > max / 2 ? max : next * 2;
    moved = oc_realloc(*array, next * item_bytes);
    if (!moved)
        return OC_E_NOMEM;
    *array = moved;
    *capacity = next;
    return OC_OK;
}

void oc_alloc_fail_at(uint64_t nth, int forever)
{
    atomic_store(&fail_at, 0);
    atomic_store(&asked, 0);
    atomic_store(&fail_forever, forever);
    atomic_store(&fail_at, nth);
}

uint64_t oc_alloc_count(void) { return atomic_load(&asked); }

int64_t oc_alloc_live(void) { return atomic_load(&live); }

void oc_alloc_init(void)
{
    const char *text = getenv("OOMCAST_FAIL_ALLOC");
    char *end = NULL;
    unsigned long long nth = 0;

    if (!text || !*text)
        return;
    nth = strtoull(text, &end, 10);
    if (end != text)
        oc_alloc_fail_at(nth, *end == '+');
}
