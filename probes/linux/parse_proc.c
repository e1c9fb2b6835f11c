#include "probes/linux/parse.h"

#include "base/err.h"
#include "probes/linux/hex.h"

#include <string.h>

#define OC_LX_DIGITS_MAX 19 /* of any number below 2^63 */

/* The decimal number at `at`; gives where it ends, or NULL where there is none or it is too long. */
static inline const char *decimal(const char *at, const char *end, uint64_t *out_value)
{
    const char *begin = at;
    uint64_t value = 0;

    for (; at < end && (unsigned char)(*at - '0') < 10; at++)
        value = value * 10 + (unsigned char)(*at - '0');
    if (at == begin || at - begin > OC_LX_DIGITS_MAX || value > INT64_MAX)
        return NULL;
    *out_value = value;
    return at;
}

static inline const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

int oc_lx_statm_parse(const char *text, size_t len_bytes, unsigned page_shift,
                      struct oc_lx_statm *out_statm)
{
    const char *at = text, *end = text + len_bytes;
    uint64_t pages[6]; /* size resident shared text lib data */

    for (int i = 0; i < 6; i++) {
        at = decimal(at, end, &pages[i]);
        if (!at || at == end || *at != ' ' || pages[i] > (uint64_t)INT64_MAX >> page_shift)
            return OC_E_PARSE; /* a seventh follows, so a blank must */
        at++;
    }
    out_statm->size_bytes = pages[0] << page_shift;
    out_statm->resident_bytes = pages[1] << page_shift;
    out_statm->shared_bytes = pages[2] << page_shift;
    out_statm->data_bytes = pages[5] << page_shift;
    return OC_OK;
}

/* ---- status ---- */

struct status_key {
    const char *text; /* with its colon */
    uint8_t len_bytes;
    uint8_t kib;
};

static const struct status_key status_keys[OC_LX_STATUS_FIELDS] = {
    [OC_LX_PPID] = { "PPid:", 5, 0 },          [OC_LX_UID] = { "Uid:", 4, 0 },
    [OC_LX_VM_PEAK] = { "VmPeak:", 7, 1 },     [OC_LX_VM_SIZE] = { "VmSize:", 7, 1 },
    [OC_LX_VM_HWM] = { "VmHWM:", 6, 1 },       [OC_LX_VM_RSS] = { "VmRSS:", 6, 1 },
    [OC_LX_RSS_ANON] = { "RssAnon:", 8, 1 },   [OC_LX_RSS_FILE] = { "RssFile:", 8, 1 },
    [OC_LX_RSS_SHMEM] = { "RssShmem:", 9, 1 }, [OC_LX_VM_DATA] = { "VmData:", 7, 1 },
    [OC_LX_VM_STK] = { "VmStk:", 6, 1 },       [OC_LX_VM_PTE] = { "VmPTE:", 6, 1 },
    [OC_LX_VM_SWAP] = { "VmSwap:", 7, 1 },     [OC_LX_THREADS] = { "Threads:", 8, 0 },
};

/* Which "VmX…" line, by the two letters that tell them apart; -1: none of ours. */
static int vm_field(const char *line)
{
    switch (line[2]) {
    case 'P':
        return line[3] == 'e' ? OC_LX_VM_PEAK : OC_LX_VM_PTE;
    case 'S':
        return line[3] == 'i' ? OC_LX_VM_SIZE : line[3] == 't' ? OC_LX_VM_STK : OC_LX_VM_SWAP;
    case 'H':
        return OC_LX_VM_HWM;
    case 'R':
        return OC_LX_VM_RSS;
    case 'D':
        return OC_LX_VM_DATA;
    default:
        return -1;
    }
}

/* Which line this may be; the whole key is compared afterwards. */
static int status_field(const char *line)
{
    switch (line[0]) {
    case 'V':
        return vm_field(line);
    case 'R':
        return line[3] == 'A' ? OC_LX_RSS_ANON : line[3] == 'F' ? OC_LX_RSS_FILE : OC_LX_RSS_SHMEM;
    case 'P':
        return OC_LX_PPID;
    case 'U':
        return OC_LX_UID;
    case 'T':
        return OC_LX_THREADS;
    default:
        return -1;
    }
}

/* Takes the value of a line of ours; gives where to look for its newline. */
static const char *status_line(const char *line, const char *end, struct oc_lx_status *status)
{
    int field = end - line > 10 ? status_field(line) : -1;
    const struct status_key *key = NULL;
    const char *at = NULL;
    uint64_t value = 0;

    if (field < 0)
        return line;
    key = &status_keys[field];
    if (memcmp(line, key->text, key->len_bytes) != 0)
        return line;
    at = decimal(skip_blanks(line + key->len_bytes, end), end, &value);
    if (!at || (key->kib && value > (uint64_t)INT64_MAX >> 10))
        return line;
    status->values[field] = key->kib ? value << 10 : value;
    status->have |= 1u << field;
    return at;
}

int oc_lx_status_parse(const char *text, size_t len_bytes, struct oc_lx_status *out_status)
{
    const char *at = text, *end = text + len_bytes;

    out_status->have = 0;
    while (at < end && !oc_lx_status_has(out_status, OC_LX_THREADS)) {
        at = status_line(at, end, out_status);
        if (end - at > 3 && at[3] == '\n') /* " kB\n": spares the search */
            at += 3;
        else
            at = memchr(at, '\n', (size_t)(end - at));
        if (!at)
            break;
        at++;
    }
    return oc_lx_status_has(out_status, OC_LX_THREADS) ? OC_OK : OC_E_PARSE;
}

/* ---- stat ---- */

/* Fields after the name, numbered as in proc_pid_stat(5); the state is 3. */
enum {
    STAT_PPID = 4,
    STAT_FLAGS = 9,
    STAT_MINFLT = 10,
    STAT_MAJFLT = 12,
    STAT_UTIME = 14,
    STAT_STIME = 15,
    STAT_THREADS = 20,
    STAT_START = 22,
    STAT_RSS = 24,
    STAT_STACK = 28,
    STAT_FIELDS,
    STAT_EXIT = 52
};

/*
 * Reads the numbers from field 4 up to the stack's, the last one that living processes are asked
 * for; a negative one, or one beyond 63 bits, is taken as 0. Gives where they end, or NULL.
 */
static const char *stat_numbers(const char *at, const char *end, uint64_t *out_values)
{
    for (int field = STAT_PPID; field <= STAT_STACK; field++) {
        const char *begin = at + 1, *next = NULL;

        if (end - at < 2 || *at != ' ')
            return NULL;
        next = decimal(begin, end, &out_values[field]);
        at = next ? next : begin;
        while (at < end && *at != ' ' && *at != '\n')
            at++;
        if (at == begin)
            return NULL;
    }
    return at;
}

/* The last field of all, where the kernel has it (3.5 on). */
static int stat_exit_code(const char *at, const char *end)
{
    const char *last = memrchr(at, ' ', (size_t)(end - at));
    int blanks = 0;
    uint64_t code = 0;

    for (const char *c = at; c < end; c++)
        blanks += *c == ' ';
    if (!last || blanks < STAT_EXIT - STAT_STACK || !decimal(last + 1, end, &code))
        return 0;
    return (int)(code & 0xffff);
}

int oc_lx_stat_parse(const char *text, size_t len_bytes, struct oc_lx_stat *out_stat)
{
    const char *end = text + len_bytes;
    const char *open = memchr(text, '(', len_bytes);
    const char *close = memrchr(text, ')', len_bytes); /* the name may hold others */
    uint64_t values[STAT_FIELDS] = { 0 };
    const char *at = NULL;

    if (!open || !close || close < open || end - close < 4 || close[1] != ' ')
        return OC_E_PARSE;
    at = stat_numbers(close + 3, end, values);
    if (!at)
        return OC_E_PARSE;
    out_stat->name = open + 1;
    out_stat->name_bytes = (size_t)(close - open - 1);
    out_stat->state = close[2];
    out_stat->parent_pid = (uint32_t)values[STAT_PPID];
    out_stat->flags = (uint32_t)values[STAT_FLAGS];
    out_stat->minor_faults = values[STAT_MINFLT];
    out_stat->major_faults = values[STAT_MAJFLT];
    out_stat->cpu_ticks = values[STAT_UTIME] + values[STAT_STIME];
    out_stat->threads = values[STAT_THREADS];
    out_stat->start_ticks = values[STAT_START];
    out_stat->rss_pages = values[STAT_RSS];
    out_stat->start_stack = values[STAT_STACK];
    out_stat->exit_code = close[2] == 'Z' ? stat_exit_code(at, end) : 0;
    return OC_OK;
}

/* ---- maps ---- */

/* A file of code: not memfd (the JIT of .NET), nor System V or shared anonymous memory. */
static int is_module(const char *at, const char *newline)
{
    const char *path = memchr(at, '/', (size_t)(newline - at));
    size_t len_bytes = path ? (size_t)(newline - path) : 0;

    if (!path)
        return 0;
    return !(len_bytes >= 7 && memcmp(path, "/memfd:", 7) == 0) &&
           !(len_bytes >= 5 && memcmp(path, "/SYSV", 5) == 0) &&
           !(len_bytes >= 9 && memcmp(path, "/dev/zero", 9) == 0);
}

/* One line "from-to perms offset dev inode [path]", that ends at newline. */
static inline int maps_line(const char *line, const char *newline, struct oc_lx_maps *maps)
{
    uint64_t from = 0, to = 0;
    const char *at = oc_lx_hex(line, &from);

    if (*at != '-')
        return OC_E_PARSE;
    at = oc_lx_hex(at + 1, &to);
    if (*at != ' ' || newline - at < 5 || to < from)
        return OC_E_PARSE;
    maps->mappings++;
    if (at[3] == 'x' && newline[-1] != ' ' && is_module(at + 5, newline))
        maps->modules++;
    if (newline[-1] == ']' && newline - line > 6 && memcmp(newline - 6, "[heap]", 6) == 0 &&
        !memchr(at, '/', (size_t)(newline - at))) /* a file may be called so */
        maps->heap_bytes += to - from;
    return OC_OK;
}

int oc_lx_maps_parse(const char *text, size_t len_bytes, struct oc_lx_maps *maps,
                     size_t *out_used_bytes)
{
    const char *line = text, *end = text + len_bytes, *newline = NULL;

    while (line < end && (newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        int rc = maps_line(line, newline, maps);

        if (rc != OC_OK)
            return rc;
        line = newline + 1;
    }
    *out_used_bytes = (size_t)(line - text);
    return OC_OK;
}

/* ---- smaps_rollup, cgroup ---- */

int oc_lx_rollup_parse(const char *text, size_t len_bytes, struct oc_lx_rollup *out_rollup)
{
    static const char *const keys[] = { "Pss", "Private_Clean", "Private_Dirty" };
    uint64_t kib[3] = { 0 };

    if (oc_lx_keyed_parse(text, len_bytes, keys, 3, kib) != 7)
        return OC_E_PARSE;
    out_rollup->pss_bytes = kib[0];
    out_rollup->uss_bytes = kib[1] + kib[2];
    return OC_OK;
}

/* Whether the comma-separated list has the word. */
static int list_has(const char *list, size_t len_bytes, const char *word)
{
    size_t word_bytes = strlen(word);

    while (len_bytes >= word_bytes) {
        const char *comma = memchr(list, ',', len_bytes);
        size_t item_bytes = comma ? (size_t)(comma - list) : len_bytes;

        if (item_bytes == word_bytes && memcmp(list, word, word_bytes) == 0)
            return 1;
        if (!comma)
            break;
        len_bytes -= item_bytes + 1;
        list = comma + 1;
    }
    return 0;
}

/* "9:memory,cpu:/path": whether it is the hierarchy sought; then its path. */
static int cgroup_line(const char *line, const char *newline, const char *controller,
                       const char **out_path)
{
    const char *list = memchr(line, ':', (size_t)(newline - line));
    const char *path = list ? memchr(list + 1, ':', (size_t)(newline - list - 1)) : NULL;
    size_t list_bytes = path ? (size_t)(path - list - 1) : 0;

    if (!path || newline - path < 2 || path[1] != '/')
        return 0;
    if (controller ? !list_has(list + 1, list_bytes, controller) : list_bytes != 0)
        return 0;
    *out_path = path + 1;
    return 1;
}

int oc_lx_cgroup_parse(const char *text, size_t len_bytes, const char *controller,
                       const char **out_path, size_t *out_path_bytes)
{
    static const char deleted[] = " (deleted)"; /* the kernel's word for a removed cgroup */
    const size_t deleted_bytes = sizeof deleted - 1;
    const char *line = text, *end = text + len_bytes, *newline = NULL, *path = NULL;

    for (; line < end; line = newline + 1) {
        newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline)
            break;
        if (!cgroup_line(line, newline, controller, &path))
            continue;
        *out_path = path;
        *out_path_bytes = (size_t)(newline - path);
        if (*out_path_bytes > deleted_bytes &&
            memcmp(newline - deleted_bytes, deleted, deleted_bytes) == 0)
            *out_path_bytes -= deleted_bytes;
        return OC_OK;
    }
    return OC_E_NOENT;
}
