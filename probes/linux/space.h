/*
 * The address space of a process as a walk collects it: mappings in the order of their addresses,
 * the files among them, stack pointers of threads; and what each mapping is for. Pure: fed with
 * parsed lines, no system calls.
 */
#ifndef OC_PROBES_LINUX_SPACE_H
#define OC_PROBES_LINUX_SPACE_H

#include "base/census.h"
#include "probes/linux/maps.h"

#include <stddef.h>
#include <stdint.h>

/* At once; a process with more is classified piece by piece, and what spans two pieces is not seen as one. */
#define OC_LX_SPACE_MAX (1u << 17)
#define OC_LX_SPACE_FILES_MAX (1u << 17)
#define OC_LX_SPACE_TEXT_MAX (16u << 20)
#define OC_LX_TMPFS_MAX 64u     /* mounts of tmpfs; files of more are taken for files */
#define OC_LX_THREADS_MAX 4096u /* whose stack pointers are looked at: some 8 µs each */

/* What tells of a mapping beside its name. */
enum oc_lx_label {
    OC_LX_LABEL_NONE,
    OC_LX_LABEL_STACK,
    OC_LX_LABEL_ARENA,
    OC_LX_LABEL_GC_HEAP,
    OC_LX_LABEL_GO_HEAP,
    OC_LX_LABEL_JVM_HEAP,
    OC_LX_LABEL_V8_HEAP,
    OC_LX_LABEL_METASPACE,
    OC_LX_LABEL_CODE,
    OC_LX_LABELS
};
/* "glibc arena", "JVM heap" …; "" none. Borrowed for ever. */
const char *oc_lx_label_text(unsigned label);

struct oc_lx_mapping {
    uint64_t start, end, offset;
    uint64_t resident_bytes;    /* OC_RESIDENT_UNKNOWN: not looked at */
    uint32_t file;              /* of the files, from 1; 0: none */
    uint32_t name;              /* in the text, where there is no file; 0: none */
    uint32_t thread;            /* whose stack it is, from 1; 0: none */
    uint8_t protect;            /* OC_PROTECT_… */
    uint8_t backing;            /* enum oc_lx_backing */
    uint8_t usage, type, state; /* by oc_lx_classify() */
    uint8_t label;              /* enum oc_lx_label */
};

#define OC_LX_MAPPED_CODE 1u    /* executable mappings */
#define OC_LX_MAPPED_DELETED 2u /* its file is gone or was replaced */
#define OC_LX_MAPPED_IMAGE 4u   /* a module */

/* All mappings of one file, memfd or segment. */
struct oc_lx_mapped {
    uint64_t inode;
    uint64_t base; /* lowest address */
    uint64_t bytes;
    uint32_t major, minor;
    uint32_t name; /* in the text */
    uint32_t mappings;
    uint32_t hash;
    uint8_t backing;
    uint8_t flags; /* OC_LX_MAPPED_… */
};

struct oc_lx_thread {
    uint64_t stack_pointer; /* 0: unknown */
    uint64_t stack_bytes;   /* of its stack's mappings, guard included; by oc_lx_classify() */
    char name[16];          /* comm, raw; "": not read */
};

enum oc_lx_runtime { OC_LX_NATIVE, OC_LX_PYTHON, OC_LX_NODE, OC_LX_GO, OC_LX_JVM, OC_LX_DOTNET };
const char *oc_lx_runtime_name(enum oc_lx_runtime runtime); /* "dotnet", …; "" native */

struct oc_lx_space {
    struct oc_lx_mapping *mappings; /* owned, as all below; ascending, none overlaps */
    size_t count, capacity;
    struct oc_lx_mapped *files;
    size_t file_count, file_capacity;
    uint32_t *file_slots; /* index from 1 by hash; 0: free */
    size_t slot_count;
    char *text;
    size_t text_bytes, text_capacity;
    struct oc_lx_thread *threads; /* by stack pointer */
    size_t thread_count;
    uint32_t more_threads;      /* that were not looked at */
    int knows_threads;          /* all threads' stack pointers are there, but for running ones */
    enum oc_lx_runtime runtime; /* by oc_lx_classify(), from what was added so far */
    size_t files_judged;
    uint32_t tmpfs[OC_LX_TMPFS_MAX]; /* minor numbers of file systems in memory; their major is 0 */
    size_t tmpfs_count;
    int needs_mounts;        /* a file is of no block device: mounts say whether it is memory */
    uint64_t last_end;       /* of what was added */
    uint8_t *granules;       /* of /memfd:java_heap that were seen, a bit for 2 MiB */
    uint64_t stack_sizes[8]; /* that threads here have */
    size_t stack_size_count;
    int is_32bit;     /* nothing lies above 4 GiB; by oc_lx_classify() */
    int is_truncated; /* a maximum was met */
};

void oc_lx_space_clear(struct oc_lx_space *space); /* frees; zeroes it */
/*
 * Takes the next line. One that overlaps what is there, since a mapping changed between two reads,
 * is cut to its new part, and dropped where nothing is left. 1: taken, 0: dropped, OC_E_NOMEM,
 * OC_E_TOOBIG: classify what is there, take it, and call oc_lx_space_next().
 */
int oc_lx_space_add(struct oc_lx_space *space, const struct oc_lx_line *line,
                    uint64_t resident_bytes);
/* Forgets the mappings, not the files and names. */
void oc_lx_space_next(struct oc_lx_space *space);
/* Sorts the threads by their stack pointers; before the first oc_lx_classify(). */
void oc_lx_space_sort_threads(struct oc_lx_space *space);

/*
 * Notes a mount of a file system in memory; a line of /proc/PID/mountinfo that ends at `newline`.
 * Others, and odd ones, are passed over. Before oc_lx_classify(), where needs_mounts says so.
 */
void oc_lx_space_add_mount(struct oc_lx_space *space, const char *line, const char *newline);

/* Says of all mappings what they are. Linear. */
void oc_lx_classify(struct oc_lx_space *space);

static inline const char *oc_lx_space_text(const struct oc_lx_space *space, uint32_t at)
{
    return at != 0 && at < space->text_bytes ? space->text + at : "";
}
/* Path or "[heap]", …; "" none. Borrowed until the next oc_lx_space_add(). */
const char *oc_lx_mapping_name(const struct oc_lx_space *space,
                               const struct oc_lx_mapping *mapping);

#endif
