/*
 * The address space of a process as a walk collects it: regions in the order of their addresses, the allocations
 * (VirtualAlloc, MapViewOfFile, a loaded image) that they are parts of, what is known of addresses (stacks, heaps, environment
 * blocks), and what each is for. Pure: fed with regions, no system calls.
 */
#ifndef OC_PROBES_WINDOWS_SPACE_H
#define OC_PROBES_WINDOWS_SPACE_H

#include "base/census.h"
#include "probes/windows/win.h"

#include <stddef.h>
#include <stdint.h>

#define OC_WIN_GRANULE_BYTES UINT64_C(0x10000) /* allocations begin at multiples of it */
#define OC_WIN_LOWEST UINT64_C(0x10000)        /* below it nothing can be allocated */
#define OC_WIN_PAGE_BYTES UINT64_C(4096)
/* Mapped memory without a file that is larger is no assembly from bytes. */
#define OC_WIN_SECTION_MAX_BYTES (UINT64_C(4) << 20)

/* At once; a process with more is classified piece by piece, at the edge of an allocation. */
#define OC_WIN_SPACE_FULL (1u << 16)
#define OC_WIN_SPACE_MAX (1u << 18)
#define OC_WIN_SPACE_TEXT_MAX (16u << 20)
#define OC_WIN_MARKS_MAX (1u << 17)

/* What tells of an allocation or a range beside its name. */
enum oc_win_label {
    OC_WIN_LABEL_NONE,
    OC_WIN_LABEL_STACK,
    OC_WIN_LABEL_NT_HEAP,
    OC_WIN_LABEL_HEAP_BLOCK, /* of an NT heap: too large for a segment of it */
    OC_WIN_LABEL_SEGMENT_HEAP,
    OC_WIN_LABEL_GC_HEAP, /* by its shape */
    OC_WIN_LABEL_SECTION, /* small, mapped, without a file */
    OC_WIN_LABEL_CODE,
    OC_WIN_LABEL_TEB,
    OC_WIN_LABEL_PEB,
    OC_WIN_LABELS
};
/* "NT heap", "thread stack" …; "" none. Borrowed for ever. */
const char *oc_win_label_text(unsigned label);

enum oc_win_runtime { OC_WIN_NATIVE, OC_WIN_PYTHON, OC_WIN_NODE, OC_WIN_JVM, OC_WIN_DOTNET };
const char *oc_win_runtime_name(enum oc_win_runtime runtime); /* "dotnet", …; "" native */
/* What a module says of the runtime, by its file's name. Pure. */
enum oc_win_runtime oc_win_runtime_of(const char *path);

/* What was read of the process itself, by address. */
struct oc_win_mark {
    uint64_t start, end;
    uint32_t tid;     /* of a stack or TEB; 0: none */
    uint8_t usage;    /* enum oc_usage */
    uint8_t label;    /* enum oc_win_label */
    uint8_t is_whole; /* all of the allocation around start, which is private */
};

struct oc_win_allocation {
    uint64_t base, end;   /* end: of its last region that was seen */
    uint32_t name;        /* in the text; 0: none */
    uint32_t tid;         /* of a stack */
    uint8_t type;         /* enum oc_region_type */
    uint8_t usage, label; /* by oc_win_classify() */
    uint8_t flags;        /* OC_WIN_ALLOCATION_… */
};
#define OC_WIN_ALLOCATION_WRITABLE 1u   /* asked for as read and write */
#define OC_WIN_ALLOCATION_EXECUTABLE 2u /* asked for as executable */
#define OC_WIN_ALLOCATION_RUNS 4u       /* a region of it is executable */

struct oc_win_block {
    uint64_t start, end;
    uint32_t allocation; /* index */
    uint8_t state;       /* enum oc_region_state, never free */
    uint8_t protect;     /* OC_PROTECT_… */
};

struct oc_win_space {
    uint64_t top;      /* end of what the process can use */
    int is_32bit;      /* set before the first region, as top */
    int is_wine_32bit; /* unused space is partly reserved without access there: it counts as free */
    struct oc_win_block *blocks; /* owned, as all below; ascending */
    size_t count, capacity;
    struct oc_win_allocation *allocations;
    size_t allocation_count, allocation_capacity;
    struct oc_win_mark *marks; /* by start once oc_win_space_sort_marks() was called */
    size_t mark_count, mark_capacity;
    char *text;
    size_t text_bytes, text_capacity;
    enum oc_win_runtime runtime; /* of the modules that were added so far */
    int is_truncated;            /* a maximum was met */
};

void oc_win_space_clear(struct oc_win_space *space); /* frees; zeroes it */

/* Adds what is known of a range. Too many, or an empty one: passed over. 0 or OC_E_NOMEM. */
int oc_win_space_mark(struct oc_win_space *space, const struct oc_win_mark *mark);
void oc_win_space_sort_marks(struct oc_win_space *space); /* before the first oc_win_classify() */

/*
 * Takes the next region, cut to what lies below the top; free ones and those of no size are passed over. 1: taken, and
 * *out_is_new says whether it begins an allocation; 0: passed over; OC_E_TOOBIG: classify what is there, call
 * oc_win_space_next() and add it again; OC_E_NOMEM.
 */
int oc_win_space_add(struct oc_win_space *space, const struct oc_win_region *region,
                     int *out_is_new);
/* The file's name of the last allocation. 0 or OC_E_NOMEM. */
int oc_win_space_name(struct oc_win_space *space, const char *name);
void oc_win_space_next(struct oc_win_space *space); /* forgets blocks and allocations */

/* Says of all allocations what they are for. O(n log marks). */
void oc_win_classify(struct oc_win_space *space);

/*
 * The first mark that ends behind an address and stands in for a range alone (TEB, PEB), from *at on, which the caller
 * starts at 0 and keeps for ascending addresses; NULL: none. Borrowed.
 */
const struct oc_win_mark *oc_win_space_mark_behind(const struct oc_win_space *space,
                                                   uint64_t address, size_t *at);

static inline const char *oc_win_space_text(const struct oc_win_space *space, uint32_t at)
{
    return at != 0 && at < space->text_bytes ? space->text + at : "";
}

#endif
