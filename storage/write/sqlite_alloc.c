#include "storage/write/sqlite_alloc.h"

#include "base/alloc.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

/* SQLite asks how large a block is: its size stands before it, in what keeps the block aligned. */
union block_head {
    int size;
    max_align_t align;
};

static int rounded(int size_bytes) { return (size_bytes + 7) & ~7; }

static void *block_malloc(int size_bytes)
{
    union block_head *head = oc_malloc(sizeof *head + (size_t)size_bytes);

    if (!head)
        return NULL;
    head->size = size_bytes;
    return head + 1;
}

static void block_free(void *memory)
{
    if (memory)
        oc_free((union block_head *)memory - 1);
}

static void *block_realloc(void *memory, int size_bytes)
{
    union block_head *head = (union block_head *)memory - 1;

    head = oc_realloc(head, sizeof *head + (size_t)size_bytes);
    if (!head)
        return NULL;
    head->size = size_bytes;
    return head + 1;
}

static int block_size(void *memory) { return memory ? ((union block_head *)memory - 1)->size : 0; }

static int nothing_to_init(void *context)
{
    (void)context;
    return SQLITE_OK;
}

static void nothing_to_end(void *context) { (void)context; }

void oc_sqlite_init(void)
{
    static const sqlite3_mem_methods methods = { block_malloc,   block_free, block_realloc,
                                                 block_size,     rounded,    nothing_to_init,
                                                 nothing_to_end, NULL };

    /* refused (SQLITE_MISUSE) once SQLite is in use: then all is as it was set up before */
    (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}
