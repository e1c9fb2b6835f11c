/* The limits that a process has by itself: rlimits, mappings, a 32-bit address space. */
#include "probes/linux/limits.h"

#include "base/text.h"
#include "probes/linux/lx.h"
#include "probes/linux/roots.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/utsname.h>
#include <unistd.h>

#define LIMITS_BYTES 4096
#define STATUS_BYTES 8192
#define INIT_USER_NAMESPACE "user:[4026531837]" /* PROC_USER_INIT_INO of the kernel */

#define COMPAT_BYTES                                                                               \
    UINT64_C(0xffffe000) /* a 32-bit program on a 64-bit kernel (IA32_PAGE_OFFSET) */
#define THREE_GIB_BYTES UINT64_C(0xc0000000) /* on a 32-bit kernel, or with ADDR_LIMIT_3GB */

struct look {
    int proc_fd, dir_fd;
    int64_t uid;
    const char *user;
    struct oc_limit *limits;
    uint32_t count;
    int is_short; /* its address space is limited: then its largest hole matters */
};

static ssize_t read_at(int dir_fd, const char *name, char *text, size_t max_bytes)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t got_bytes = 0;

    if (fd < 0)
        return OC_E_NOENT;
    got_bytes = oc_lx_read_all(fd, text, max_bytes);
    (void)close(fd);
    return got_bytes;
}

/* Adds one; OC_LX_MAX is none. */
static struct oc_limit *add(struct look *look, enum oc_limit_kind kind, uint64_t value)
{
    struct oc_limit *limit = &look->limits[look->count];

    if (value == OC_LX_MAX || look->count == OC_WALK_LIMITS_MAX)
        return NULL;
    *limit = (struct oc_limit){ .kind = (uint8_t)kind,
                                .metric = oc_limit_row(kind)->metric,
                                .value = value };
    look->count++;
    return limit;
}

/* ---- rlimits ---- */

static int in_initial_user_namespace(const struct look *look)
{
    char target[64] = "";

    if (readlinkat(look->dir_fd, "ns/user", target, sizeof target - 1) <= 0)
        return 1; /* not ours to see; most are */
    return strcmp(target, INIT_USER_NAMESPACE) == 0;
}

/* The kernel lets root and who has these rights go beyond it (copy_process() in kernel/fork.c). */
static int is_exempt_from_nproc(const struct look *look)
{
    const uint64_t rights = UINT64_C(1) << CAP_SYS_RESOURCE | UINT64_C(1) << CAP_SYS_ADMIN;
    char text[STATUS_BYTES];
    uint64_t effective = 0;
    ssize_t len_bytes = 0;

    if (!in_initial_user_namespace(look))
        return 0;
    if (look->uid == 0)
        return 1;
    len_bytes = read_at(look->dir_fd, "status", text, sizeof text);
    return len_bytes > 0 && oc_lx_caps_parse(text, (size_t)len_bytes, &effective) == OC_OK &&
           (effective & rights) != 0;
}

static void add_nproc(struct look *look, uint64_t value)
{
    struct oc_limit *limit = NULL;

    if (value == OC_LX_MAX || is_exempt_from_nproc(look))
        return;
    limit = add(look, OC_LIMIT_RLIMIT_NPROC, value);
    if (limit && look->user[0] != '\0')
        (void)oc_text_copy(limit->where, sizeof limit->where, look->user);
    else if (limit && look->uid >= 0)
        (void)snprintf(limit->where, sizeof limit->where, "%lld", (long long)look->uid);
}

static void add_rlimits(struct look *look)
{
    char text[LIMITS_BYTES];
    struct oc_lx_rlimits rlimits;
    ssize_t len_bytes = read_at(look->dir_fd, "limits", text, sizeof text);

    if (len_bytes <= 0 || oc_lx_rlimits_parse(text, (size_t)len_bytes, &rlimits) != OC_OK)
        return;
    look->is_short = rlimits.as_bytes != OC_LX_MAX;
    (void)add(look, OC_LIMIT_RLIMIT_AS, rlimits.as_bytes);
    (void)add(look, OC_LIMIT_RLIMIT_DATA, rlimits.data_bytes);
    (void)add(look, OC_LIMIT_RLIMIT_STACK, rlimits.stack_bytes);
    add_nproc(look, rlimits.nproc_count);
    (void)add(look, OC_LIMIT_RLIMIT_NOFILE, rlimits.nofile_count);
}

/* ---- the address space ---- */

static void add_max_map_count(struct look *look)
{
    char text[64];
    uint64_t value = OC_LX_MAX;
    ssize_t len_bytes = read_at(look->proc_fd, "sys/vm/max_map_count", text, sizeof text);

    if (len_bytes > 0 && oc_lx_number_parse(text, (size_t)len_bytes, &value) == OC_OK)
        (void)add(look, OC_LIMIT_MAX_MAP_COUNT, value);
}

static int is_32bit_program(const struct look *look)
{
    unsigned char head[EI_NIDENT];
    ssize_t len_bytes = read_at(look->dir_fd, "exe", (char *)head, sizeof head);

    return len_bytes == (ssize_t)sizeof head && memcmp(head, ELFMAG, SELFMAG) == 0 &&
           head[EI_CLASS] == ELFCLASS32;
}

static int is_64bit_kernel(void)
{
    struct utsname names;

    return sizeof(void *) == 8 || (uname(&names) == 0 && strstr(names.machine, "64") != NULL);
}

/* Hexadecimal, as /proc/PID/personality has it; 0 where it is not ours to see. */
static unsigned long personality_of(const struct look *look)
{
    char text[32];
    ssize_t len_bytes = read_at(look->dir_fd, "personality", text, sizeof text - 1);

    text[len_bytes > 0 ? len_bytes : 0] = '\0';
    return strtoul(text, NULL, 16);
}

static uint64_t address_space_bytes(const struct look *look)
{
    if (is_64bit_kernel() && !(personality_of(look) & (unsigned long)ADDR_LIMIT_3GB))
        return COMPAT_BYTES;
    return THREE_GIB_BYTES;
}

static void add_address_space(struct look *look)
{
    int is_32bit = is_32bit_program(look);

    if (is_32bit)
        (void)add(look, OC_LIMIT_ADDRESS_SPACE, address_space_bytes(look));
    if (is_32bit || look->is_short)
        (void)add(look, OC_LIMIT_LARGEST_FREE, 0);
}

uint32_t oc_lx_walk_limits(int proc_fd, int dir_fd, int64_t uid, const char *user,
                           struct oc_limit *out_limits)
{
    struct look look = { proc_fd, dir_fd, uid, user, out_limits, 0, 0 };

    add_rlimits(&look);
    add_max_map_count(&look);
    add_address_space(&look);
    return look.count;
}

int oc_probe_commit_is_enforced(const struct oc_probe_options *options)
{
    char path[OC_LX_ROOT_BYTES + 32], text[32];
    struct oc_lx_roots roots;
    uint64_t mode = 0;
    ssize_t len_bytes = 0;
    int fd = -1, rc = oc_lx_roots_of(options, &roots);

    if (rc != OC_OK)
        return rc;
    (void)snprintf(path, sizeof path, "%s/sys/vm/overcommit_memory", roots.proc);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return OC_E_NOENT;
    len_bytes = oc_lx_pread(fd, text, sizeof text);
    (void)close(fd);
    if (len_bytes <= 0 || oc_lx_number_parse(text, (size_t)len_bytes, &mode) != OC_OK)
        return OC_E_PARSE;
    return mode == 2;
}
