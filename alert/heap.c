/* Rows by what is next: a binary heap in which each row knows its place. */
#include "alert/dispatch_own.h"
#include "base/alloc.h"

int oc_heap_reserve(struct oc_heap *heap, size_t count)
{
    size_t capacity = heap->capacity ? heap->capacity : 16;
    struct oc_row **items = NULL;

    if (count <= heap->capacity)
        return OC_OK;
    while (capacity < count)
        capacity *= 2;
    items = oc_realloc(heap->items, capacity * sizeof(struct oc_row *));
    if (!items)
        return OC_E_NOMEM;
    heap->items = items;
    heap->capacity = capacity;
    return OC_OK;
}

static void put(struct oc_heap *heap, size_t at, struct oc_row *row)
{
    heap->items[at] = row;
    row->heap_at = at;
}

static void rise(struct oc_heap *heap, size_t at)
{
    struct oc_row *row = heap->items[at];

    while (at > 0 && heap->is_before(row, heap->items[(at - 1) / 2])) {
        put(heap, at, heap->items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(heap, at, row);
}

static void sink(struct oc_heap *heap, size_t at)
{
    struct oc_row *row = heap->items[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < heap->count && heap->is_before(heap->items[child + 1], heap->items[child]))
            child++;
        if (child >= heap->count || !heap->is_before(heap->items[child], row))
            break;
        put(heap, at, heap->items[child]);
        at = child;
    }
    put(heap, at, row);
}

void oc_heap_add(struct oc_heap *heap, struct oc_row *row)
{
    row->heap = heap;
    put(heap, heap->count++, row);
    rise(heap, heap->count - 1);
}

void oc_heap_remove(struct oc_row *row)
{
    struct oc_heap *heap = row->heap;
    const size_t at = row->heap_at;
    struct oc_row *moved = NULL;

    if (!heap)
        return;
    row->heap = NULL;
    if (at == --heap->count)
        return;
    moved = heap->items[heap->count];
    put(heap, at, moved);
    rise(heap, at);
    sink(heap, moved->heap_at);
}
