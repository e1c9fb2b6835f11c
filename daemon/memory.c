#include "daemon/memory.h"

#include "base/alloc.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <uv.h>

/*
 * libuv aborts where it gets no memory for its table of descriptors; it is the one thing here that
 * would take the daemon down with it. A reserve, used for that alone and never given back, serves
 * it when the heap does not. Untouched it is not resident.
 */
#define RESERVE_BYTES (256u << 10)
#define HEAD_BYTES 16u /* in front of each piece: its size, for a move to the reserve */

static _Alignas(16) unsigned char reserve[RESERVE_BYTES];
static size_t reserve_used;

static int is_reserved(const void *memory)
{
    uintptr_t at = (uintptr_t)memory;

    return at >= (uintptr_t)reserve && at < (uintptr_t)reserve + RESERVE_BYTES;
}

static void *behind_head(unsigned char *piece, size_t bytes)
{
    if (!piece)
        return NULL;
    memcpy(piece, &bytes, sizeof(bytes));
    return piece + HEAD_BYTES;
}

static unsigned char *head_of(void *memory) { return (unsigned char *)memory - HEAD_BYTES; }

static void *take_reserve(size_t bytes)
{
    size_t rounded = (bytes + HEAD_BYTES - 1) / HEAD_BYTES * HEAD_BYTES;
    unsigned char *piece = reserve + reserve_used;

    if (bytes > RESERVE_BYTES || reserve_used + HEAD_BYTES + rounded > RESERVE_BYTES)
        return NULL;
    reserve_used += HEAD_BYTES + rounded;
    return behind_head(piece, bytes);
}

static void *take(size_t bytes)
{
    if (bytes > SIZE_MAX - HEAD_BYTES)
        return NULL;
    return behind_head(oc_malloc(HEAD_BYTES + bytes), bytes);
}

static void *take_zeroed(size_t count, size_t bytes)
{
    if (bytes != 0 && count > (SIZE_MAX - HEAD_BYTES) / bytes)
        return NULL;
    return behind_head(oc_calloc(1, HEAD_BYTES + count * bytes), count * bytes);
}

static void give(void *memory)
{
    if (memory && !is_reserved(memory))
        oc_free(head_of(memory));
}

static void *grow(void *memory, size_t bytes)
{
    size_t old_bytes = 0;
    void *larger = take(bytes);

    if (!larger)
        larger = take_reserve(bytes);
    if (!larger || !memory)
        return larger;
    memcpy(&old_bytes, head_of(memory), sizeof(old_bytes));
    memcpy(larger, memory, old_bytes < bytes ? old_bytes : bytes);
    give(memory);
    return larger;
}

void oc_memory_init(void)
{
    cJSON_Hooks hooks = { .malloc_fn = oc_malloc, .free_fn = oc_free };

    (void)uv_replace_allocator(take, grow, take_zeroed, give);
    cJSON_InitHooks(&hooks);
}
