/* What the next large allocation of a 32-bit process will be: the floor under its largest free block. Pure. */
#ifndef OC_PROBES_WINDOWS_GC_H
#define OC_PROBES_WINDOWS_GC_H

#include <stdint.h>

struct oc_win_gc_facts {
    int is_dotnet;
    uint32_t cpu_count;     /* 0: unknown */
    uint64_t largest_bytes; /* the largest allocation of its GC heap; 0: none was seen */
};

struct oc_win_gc_next {
    uint64_t bytes;
    const char *why; /* a few words: what it is the next request of. Borrowed for ever */
};

/*
 * The GC of .NET takes addresses by segments, all or nothing: workstation 16 MiB; server 64 MiB, with more than four CPUs 32,
 * with more than eight 16 (gc.cpp, get_valid_segment_size on 32 bits), and at its start for all CPUs in one piece, by which
 * it is told. An object beyond that wants a segment of its size: the largest one that was seen counts where it is larger.
 * Without .NET: an NT heap grows by at least 1 MiB once it is large, and blocks of that size are what programs ask for.
 */
void oc_win_gc_next(const struct oc_win_gc_facts *facts, struct oc_win_gc_next *out_next);

#endif
