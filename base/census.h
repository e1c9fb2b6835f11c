/*
 * What a walk finds: what the address space of a process is made of, in WinDbg's words, its
 * modules, and families. Plain values that probes/ makes, storage/ keeps, explain/ and cli/ read.
 */
#ifndef OC_BASE_CENSUS_H
#define OC_BASE_CENSUS_H

#include <stddef.h>
#include <stdint.h>

/* Numbers are in stores for ever. */
enum oc_usage {
    OC_USAGE_FREE = 0,         /* no mapping */
    OC_USAGE_IMAGE = 1,        /* of a file that is mapped executable too */
    OC_USAGE_HEAP = 2,         /* native heaps: brk, malloc arenas, named allocators */
    OC_USAGE_STACK = 3,        /* of threads, with their guard pages */
    OC_USAGE_MAPPED_FILE = 4,  /* other files */
    OC_USAGE_MANAGED_HEAP = 5, /* of a garbage collector */
    OC_USAGE_LOADER_HEAP = 6,  /* class and method data: .NET loader heaps, JVM metaspace */
    OC_USAGE_JIT = 7,          /* code made at run time */
    OC_USAGE_SHARED = 8,       /* shared anonymous memory, tmpfs, SysV, memfd */
    OC_USAGE_PRIVATE = 9,      /* other anonymous memory: the part that nothing explains */
    OC_USAGE_KERNEL = 10,      /* vdso, vvar, vsyscall */
    OC_USAGE_UNUSABLE = 11,    /* Windows: too small or misaligned to be allocated */
    OC_USAGE_SECTION = 12, /* Windows: small mapped memory without a file: assemblies from bytes */
    OC_USAGE_TEB = 13,     /* Windows: thread environment blocks */
    OC_USAGE_PEB = 14,     /* Windows: the process environment block */
    OC_USAGE_COUNT
};
enum oc_region_type {
    OC_REGION_NONE = 0,
    OC_REGION_IMAGE,
    OC_REGION_MAPPED,
    OC_REGION_PRIVATE,
    OC_REGION_TYPES
};
enum oc_region_state { OC_REGION_FREE = 0, OC_REGION_COMMIT, OC_REGION_RESERVE, OC_REGION_STATES };

/* "Image", "ManagedHeap" …; "MEM_IMAGE" …; "MEM_COMMIT" …. Borrowed for ever; "?" out of range. */
const char *oc_usage_name(unsigned usage);
const char *oc_region_type_name(unsigned type);
const char *oc_region_state_name(unsigned state);
/* A sentence on what a usage is, for tables' notes and the manual. Borrowed for ever. */
const char *oc_usage_text(unsigned usage);
/* The usage of a name, in any case; OC_USAGE_COUNT: none. */
unsigned oc_usage_by_name(const char *name);

#define OC_RESIDENT_UNKNOWN UINT64_MAX

/* One cell of usage × type × state. */
struct oc_region_total {
    uint8_t usage, type, state;
    uint32_t count;          /* regions */
    uint64_t bytes;          /* of address space */
    uint64_t largest_bytes;  /* the largest of them */
    uint64_t resident_bytes; /* in RAM; OC_RESIDENT_UNKNOWN unless the walk looked at pages */
};

/* One region, for a listing. */
struct oc_region {
    uint64_t start, bytes;
    uint8_t usage, type, state;
    uint8_t protect; /* OC_PROTECT_… */
    uint64_t offset; /* in the file */
    uint64_t inode;
    uint64_t resident_bytes; /* as above */
    const char *name; /* path, "[heap]", "glibc arena", "stack of worker-3"; "" none. Borrowed */
};
#define OC_PROTECT_READ 1u
#define OC_PROTECT_WRITE 2u
#define OC_PROTECT_EXECUTE 4u
#define OC_PROTECT_SHARED 8u

/* A module: one file (or memfd) that is mapped with code in it. */
struct oc_module {
    uint64_t base;  /* lowest address of it */
    uint64_t bytes; /* of address space, all its mappings */
    uint64_t inode; /* 0: none */
    uint32_t name;  /* oc_census_text(): its path */
    uint8_t flags;  /* OC_MODULE_… */
};
#define OC_MODULE_DELETED 1u /* its file is gone or was replaced */

/* Numbers are in stores for ever. */
enum oc_family_kind {
    OC_FAMILY_MODULE = 0,
    OC_FAMILY_MAPPING = 1, /* mapped files and memory with a name that are no modules */
    OC_FAMILY_THREAD = 2,  /* by thread name */
    OC_FAMILY_FD = 3,      /* by what a descriptor is open on: "socket", "pipe", a folded path */
    OC_FAMILY_KINDS
};
const char *oc_family_kind_name(unsigned kind); /* "module" "mapping" "thread" "fd" */

/*
 * Things of one kind whose names are one once generated parts are taken out ("qrt-x6cw.dll",
 * "qrt-9b2k.dll": "qrt-*.dll"), or one name many times.
 */
struct oc_family {
    uint8_t kind;      /* enum oc_family_kind */
    uint8_t flags;     /* OC_FAMILY_… */
    uint32_t count;    /* members now */
    uint32_t distinct; /* different names among them */
    uint64_t bytes;    /* of address space; 0 for descriptors */
    uint32_t name;     /* oc_census_text(): the shape, or the one name */
    uint32_t example;  /* oc_census_text(): the name of one member */
};
#define OC_FAMILY_FOLDED 1u  /* the name is a shape: '*' stands for what differs */
#define OC_FAMILY_DELETED 2u /* most files of it are deleted */

#define OC_CENSUS_MODULES_MAX 65536u
#define OC_CENSUS_FAMILIES_MAX 1024u /* beyond, the smallest of a kind become one, "*" */
#define OC_CENSUS_TEXT_MAX (16u << 20)

/* All of it. Zeroed is empty. */
struct oc_census {
    struct oc_region_total *totals; /* owned, as all below; by usage, type, state */
    size_t total_count;
    struct oc_family *families; /* by kind, then by bytes and count descending */
    size_t family_count;
    struct oc_module *modules; /* by base */
    size_t module_count;
    char *text; /* NUL-terminated strings */
    size_t text_bytes;
    uint64_t largest_free_bytes; /* largest hole below the top of the address space; 0: unknown */
    uint64_t largest_free_start;
    uint32_t arena_count; /* malloc arenas beside the main one */
    uint8_t has_regions;  /* totals are known */
    uint8_t has_modules;  /* the list is whole */
    uint8_t has_families; /* bit for each enum oc_family_kind that was looked at */
    uint8_t is_truncated; /* a maximum above was met: counts hold, lists are cut */
    uint8_t is_32bit;     /* 1: yes, 0: no or unknown */
    char runtime[16];     /* "dotnet", "jvm", "node", "go", "python"; "": none was recognised */
};

static inline const char *oc_census_text(const struct oc_census *census, uint32_t at)
{
    return at < census->text_bytes ? census->text + at : "";
}

void oc_census_clear(struct oc_census *census); /* frees what it holds; zeroes it */
/* Moves all to *out; the source is empty afterwards. */
void oc_census_move(struct oc_census *from, struct oc_census *out);
/* A string's place in the text, added where it is new only if the caller says so by itself: appends. 0, OC_E_NOMEM, OC_E_TOOBIG. */
int oc_census_add_text(struct oc_census *census, const char *text, size_t len_bytes,
                       uint32_t *out_at);
/* Heap memory that it holds: for bounds of queues. */
size_t oc_census_bytes(const struct oc_census *census);

#define OC_CENSUS_CELLS ((size_t)OC_USAGE_COUNT * OC_REGION_TYPES * OC_REGION_STATES)
/* Copies the cells that count anything to the census, which has none yet. cells: OC_CENSUS_CELLS of them, by usage, type and
 * state; without has_resident what is in RAM is unknown. 0 or OC_E_NOMEM. */
int oc_census_take_totals(struct oc_census *census, const struct oc_region_total *cells,
                          int has_resident);

/* Sums over cells: OC_USAGE_COUNT, OC_REGION_TYPES or OC_REGION_STATES for any. */
uint64_t oc_census_sum_bytes(const struct oc_census *census, unsigned usage, unsigned type,
                             unsigned state);

#endif
