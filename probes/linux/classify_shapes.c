/* Stacks and malloc arenas: what the shape of mappings, and stack pointers, say. */
#include "probes/linux/classify.h"

#define GUARD_MAX_BYTES (64 * OC_LX_KIB) /* glibc: a page; JVM: up to 16 of them */
#define GLIBC_STACK_BYTES (8 * OC_LX_MIB)
#define STACK_MAX_BYTES (64 * OC_LX_MIB)
#define ARENA_BYTES (64 * OC_LX_MIB)  /* HEAP_MAX_SIZE of glibc on 64 bits */
#define ARENA_BYTES_32BIT (OC_LX_MIB) /* on 32 */

/* ---- stacks ---- */

/* The mapping right below, if it is a stack's guard by its size. */
static struct oc_lx_mapping *guard_of(struct oc_lx_mapping *mappings, size_t i)
{
    struct oc_lx_mapping *below = i > 0 ? &mappings[i - 1] : NULL;

    if (!below || below->end != mappings[i].start || !oc_lx_is_anon(below) ||
        !oc_lx_is_none(below) || below->usage != OC_LX_UNTOLD ||
        oc_lx_bytes_of(below) > GUARD_MAX_BYTES)
        return NULL;
    return below;
}

static void learn_stack_size(struct oc_lx_space *space, uint64_t bytes)
{
    const size_t max = sizeof space->stack_sizes / sizeof space->stack_sizes[0];

    for (size_t i = 0; i < space->stack_size_count; i++) {
        if (space->stack_sizes[i] == bytes)
            return;
    }
    if (space->stack_size_count < max)
        space->stack_sizes[space->stack_size_count++] = bytes;
}

static void tell_stack(struct oc_lx_space *space, size_t i, size_t thread)
{
    struct oc_lx_mapping *mapping = &space->mappings[i], *guard = guard_of(space->mappings, i);

    mapping->thread = thread < space->thread_count ? (uint32_t)thread + 1 : 0;
    if (mapping->usage == OC_LX_UNTOLD)
        oc_lx_tell(mapping, OC_USAGE_STACK, OC_LX_LABEL_STACK);
    if (guard) {
        oc_lx_tell(guard, OC_USAGE_STACK, OC_LX_LABEL_STACK);
        guard->thread = mapping->thread;
        learn_stack_size(space, oc_lx_bytes_of(mapping));
    }
    if (mapping->thread)
        space->threads[thread].stack_bytes =
            oc_lx_bytes_of(mapping) + (guard ? oc_lx_bytes_of(guard) : 0);
}

/*
 * A stack pointer in anonymous memory makes a stack of it; in a heap it is that of a coroutine or
 * of a Go program, whose threads run on the heap.
 */
static int may_be_stack(const struct oc_lx_space *space, const struct oc_lx_mapping *mapping)
{
    if (mapping->backing == OC_LX_STACK)
        return 1;
    if (mapping->backing == OC_LX_NAMED)
        return mapping->usage == OC_USAGE_STACK;
    if (oc_lx_is_go_heap(space, mapping->start))
        return 0;
    return oc_lx_is_anon(mapping) && oc_lx_is_writable(mapping) &&
           oc_lx_bytes_of(mapping) <= OC_LX_GIB;
}

/* Both ascend: each mapping takes the stack pointers that lie in it. */
void oc_lx_find_stacks(struct oc_lx_space *space)
{
    size_t thread = 0;

    for (size_t i = 0; i < space->count; i++) {
        const struct oc_lx_mapping *mapping = &space->mappings[i];

        while (thread < space->thread_count &&
               space->threads[thread].stack_pointer < mapping->start)
            thread++;
        if (thread == space->thread_count)
            return;
        if (space->threads[thread].stack_pointer < mapping->end && may_be_stack(space, mapping))
            tell_stack(space, i, thread);
    }
}

/* Where no thread was seen in it: one that ran just then, or has ended, its stack kept for the next. */
static int is_stack_size(const struct oc_lx_space *space, uint64_t bytes, uint64_t guard_bytes)
{
    const uint64_t whole = bytes + guard_bytes;

    if (bytes == GLIBC_STACK_BYTES)
        return 1;
    for (size_t i = 0; i < space->stack_size_count; i++) {
        if (space->stack_sizes[i] == bytes)
            return 1;
    }
    if (space->knows_threads)
        return 0;
    /* Sizes that people and runtimes ask for: powers of two, with the guard or beside it. */
    return bytes <= STACK_MAX_BYTES && whole >= 64 * OC_LX_KIB &&
           ((bytes & (bytes - 1)) == 0 || (whole & (whole - 1)) == 0);
}

void oc_lx_find_stack_shapes(struct oc_lx_space *space)
{
    for (size_t i = 1; i < space->count; i++) {
        const struct oc_lx_mapping *mapping = &space->mappings[i];
        const struct oc_lx_mapping *guard = NULL;

        if (mapping->usage != OC_LX_UNTOLD || !oc_lx_is_anon(mapping) ||
            !oc_lx_is_writable(mapping))
            continue;
        guard = guard_of(space->mappings, i);
        if (guard && is_stack_size(space, oc_lx_bytes_of(mapping), oc_lx_bytes_of(guard)))
            tell_stack(space, i, SIZE_MAX);
    }
}

/* ---- glibc arenas ---- */

/* Memory from a multiple of 64 MiB on, the rest up to the next one reserved. */
void oc_lx_find_arenas(struct oc_lx_space *space)
{
    const uint64_t whole = space->is_32bit ? ARENA_BYTES_32BIT : ARENA_BYTES;

    for (size_t i = 0; i + 1 < space->count; i++) {
        struct oc_lx_mapping *first = &space->mappings[i], *rest = first + 1;
        const uint64_t end = first->start + whole;

        if (first->usage != OC_LX_UNTOLD || first->start % whole != 0 || !oc_lx_is_anon(first) ||
            oc_lx_is_go_heap(space, first->start) || !oc_lx_is_writable(first) ||
            first->end != rest->start || rest->usage != OC_LX_UNTOLD || !oc_lx_is_anon(rest) ||
            !oc_lx_is_none(rest))
            continue;
        /* A guard that lies right above is one mapping with the reserve. */
        if (rest->end < end || rest->end > end + GUARD_MAX_BYTES)
            continue;
        oc_lx_tell(first, OC_USAGE_HEAP, OC_LX_LABEL_ARENA);
        oc_lx_tell(rest, OC_USAGE_HEAP, OC_LX_LABEL_ARENA);
    }
}
