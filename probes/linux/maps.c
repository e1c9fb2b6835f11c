#include "probes/linux/maps.h"

#include "base/census.h"
#include "base/err.h"
#include "probes/linux/hex.h"

#include <string.h>

static inline const char *decimal(const char *at, uint64_t *out_value)
{
    uint64_t value = 0;

    while (*at >= '0' && *at <= '9')
        value = value * 10 + (uint64_t)(*at++ - '0');
    *out_value = value;
    return at;
}

static int starts(const struct oc_lx_line *line, const char *prefix, size_t prefix_bytes)
{
    return line->name_bytes >= prefix_bytes && memcmp(line->name, prefix, prefix_bytes) == 0;
}
#define STARTS(line, literal) starts((line), (literal), sizeof(literal) - 1)

static enum oc_lx_backing backing_of_path(const struct oc_lx_line *line)
{
    if (STARTS(line, "/memfd:"))
        return OC_LX_MEMFD;
    if (STARTS(line, "/dev/shm/") || STARTS(line, "/SYSV"))
        return OC_LX_SHM;
    /* What mmap() of shared anonymous memory is called; a real /dev/zero has no such inode. */
    if (line->deleted && line->name_bytes == 9 && STARTS(line, "/dev/zero"))
        return OC_LX_SHM;
    if (line->deleted && STARTS(line, "/[aio]"))
        return OC_LX_OTHER_NODE; /* of io_submit(): shared with the kernel */
    if (line->deleted && STARTS(line, "/anon_hugepage")) /* of MAP_HUGETLB: no file but in name */
        return line->protect & OC_PROTECT_SHARED ? OC_LX_SHM : OC_LX_ANON;
    return OC_LX_FILE;
}

static enum oc_lx_backing backing_of_word(const struct oc_lx_line *line)
{
    if (line->name_bytes == 6 && STARTS(line, "[heap]"))
        return OC_LX_BRK;
    if (STARTS(line, "[stack"))
        return OC_LX_STACK;
    if (STARTS(line, "[anon:"))
        return OC_LX_NAMED;
    if (STARTS(line, "[anon_shmem:"))
        return OC_LX_SHM;
    if (STARTS(line, "[vsyscall]"))
        return OC_LX_VSYSCALL;
    return OC_LX_KERNEL;
}

/* A name in brackets is the kernel's word only without a slash before it: files begin with one. */
static enum oc_lx_backing backing_of(const struct oc_lx_line *line)
{
    if (line->name_bytes == 0)
        return OC_LX_ANON;
    if (line->name[0] == '/')
        return backing_of_path(line);
    if (line->name[0] == '[')
        return backing_of_word(line);
    if (STARTS(line, "(unreachable)/"))
        return OC_LX_FILE; /* of another mount namespace */
    return OC_LX_OTHER_NODE;
}

static void take_name(const char *at, const char *newline, struct oc_lx_line *line)
{
    static const char deleted[] = " (deleted)";
    const size_t deleted_bytes = sizeof deleted - 1;
    size_t bytes = 0;

    while (at < newline && *at == ' ')
        at++;
    bytes = (size_t)(newline - at);
    line->deleted = 0;
    if (bytes > deleted_bytes && newline[-1] == ')' &&
        memcmp(newline - deleted_bytes, deleted, deleted_bytes) == 0) {
        line->deleted = 1;
        bytes -= deleted_bytes;
    }
    line->name = at;
    line->name_bytes = bytes < OC_LX_NAME_MAX ? bytes : OC_LX_NAME_MAX;
    line->backing = (uint8_t)backing_of(line);
    if (line->backing == OC_LX_ANON)
        line->name_bytes = 0;
}

static uint8_t protect_of(const char *at)
{
    return (uint8_t)((at[0] == 'r' ? OC_PROTECT_READ : 0) | (at[1] == 'w' ? OC_PROTECT_WRITE : 0) |
                     (at[2] == 'x' ? OC_PROTECT_EXECUTE : 0) |
                     (at[3] == 's' ? OC_PROTECT_SHARED : 0));
}

int oc_lx_line_parse(const char *text, const char *newline, struct oc_lx_line *out_line)
{
    struct oc_lx_line line;
    uint64_t major = 0, minor = 0;
    const char *at = oc_lx_hex(text, &line.start);

    if (at == text || *at != '-')
        return OC_E_PARSE;
    at = oc_lx_hex(at + 1, &line.end);
    if (*at != ' ' || newline - at < 6 || line.end < line.start)
        return OC_E_PARSE;
    line.protect = protect_of(at + 1);
    if (at[5] != ' ')
        return OC_E_PARSE;
    at = oc_lx_hex(at + 6, &line.offset);
    if (*at != ' ')
        return OC_E_PARSE;
    at = oc_lx_hex(at + 1, &major);
    if (*at != ':')
        return OC_E_PARSE;
    at = oc_lx_hex(at + 1, &minor);
    if (*at != ' ')
        return OC_E_PARSE;
    at = decimal(at + 1, &line.inode);
    if (*at != ' ' && at != newline)
        return OC_E_PARSE;
    line.major = (uint32_t)major;
    line.minor = (uint32_t)minor;
    take_name(at, newline, &line);
    *out_line = line;
    return OC_OK;
}

int oc_lx_smaps_key_parse(const char *line, const char *newline, uint64_t *out_rss_bytes)
{
    const char *at = line;
    uint64_t kib = 0;

    while (at < newline && *at != ':')
        at++;
    if (at == newline)
        return OC_E_PARSE;
    if (at - line != 3 || memcmp(line, "Rss", 3) != 0)
        return 0;
    for (at++; at < newline && *at == ' ';)
        at++;
    if (*at < '0' || *at > '9')
        return OC_E_PARSE;
    (void)decimal(at, &kib);
    *out_rss_bytes = kib < UINT64_C(1) << 50 ? kib << 10 : 0;
    return 1;
}
