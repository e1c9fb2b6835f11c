/*
 * Lines of /proc/PID/maps and smaps. Pure: pieces of text in, mappings out; the text may be hostile
 * or cut.
 */
#ifndef OC_PROBES_LINUX_MAPS_H
#define OC_PROBES_LINUX_MAPS_H

#include <stddef.h>
#include <stdint.h>

/* What backs a mapping, as its name tells. */
enum oc_lx_backing {
    OC_LX_ANON,      /* nothing: no name */
    OC_LX_FILE,      /* a path */
    OC_LX_MEMFD,     /* "/memfd:NAME" */
    OC_LX_SHM,       /* "/dev/shm/…", "/SYSV…", "/dev/zero", "[anon_shmem:NAME]" */
    OC_LX_BRK,       /* "[heap]" */
    OC_LX_STACK,     /* "[stack]", and "[stack:TID]" of kernels up to 4.4 */
    OC_LX_NAMED,     /* "[anon:NAME]": a name that the process gave */
    OC_LX_KERNEL,    /* "[vdso]", "[vvar]" … */
    OC_LX_VSYSCALL,  /* "[vsyscall]": shown with each process, of none */
    OC_LX_OTHER_NODE /* "anon_inode:…", "socket:…", and what else is no path */
};

#define OC_LX_NAME_MAX 4096u /* longer names are cut at their end: a path has no more */

/* A line as it stands. */
struct oc_lx_line {
    uint64_t start, end;
    uint64_t offset;
    uint64_t inode;
    uint32_t major, minor;
    uint8_t protect;  /* OC_PROTECT_… */
    uint8_t backing;  /* enum oc_lx_backing */
    uint8_t deleted;  /* " (deleted)" stood behind the name; it is taken off */
    const char *name; /* in the text; a newline in it is "\012", as the kernel writes it */
    size_t name_bytes;
};

/*
 * One line "from-to perms offset dev inode [name]" that ends at `newline` (which is in the text).
 * 0 or OC_E_PARSE.
 */
int oc_lx_line_parse(const char *line, const char *newline, struct oc_lx_line *out_line);

/*
 * A line of smaps below a mapping's: "Rss:   12 kB" gives 1 and the bytes, another key gives 0,
 * what is no key OC_E_PARSE.
 */
int oc_lx_smaps_key_parse(const char *line, const char *newline, uint64_t *out_rss_bytes);

/* Whether a line of smaps is a key's and not a mapping's. */
static inline int oc_lx_is_smaps_key(const char *line)
{
    return *line >= 'A' && *line <= 'Z'; /* addresses are in lower case */
}

#endif
