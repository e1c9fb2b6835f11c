/* Where the threads' stacks and environment blocks are: read from the blocks, nothing is stopped for it. */
#include "probes/windows/walk.h"

#include "base/alloc.h"
#include "probes/windows/list.h"

#define FIRST_LIST_BYTES ((size_t)1 << 20)
#define LIST_BYTES_MAX ((size_t)64 << 20)
#define LIST_TRIES 4 /* it grows between two questions */

/* NT_TIB and what lies behind it, of a 64-bit and of a 32-bit thread: winternl.h and the public symbols of ntdll. */
struct teb {
    uint8_t pointer_bytes;
    uint16_t stack_base, stack_limit, deallocation_stack;
    uint16_t bytes; /* of the block, in whole pages */
};
static const struct teb teb64 = { 8, 0x08, 0x10, 0x1478, 0x2000 };
static const struct teb teb32 = { 4, 0x04, 0x08, 0xe0c, 0x1000 };
#define AT_TEB32                                                                                   \
    0 /* NtTib.ExceptionList of a WOW64 thread's 64-bit block points to the 32-bit one */

static int mark_peb(struct oc_win_walker *walker, uint64_t address)
{
    const struct oc_win_mark mark = { .start = address,
                                      .end = address + OC_WIN_PAGE_BYTES,
                                      .usage = OC_USAGE_PEB,
                                      .label = OC_WIN_LABEL_PEB };

    return address ? oc_win_space_mark(&walker->space, &mark) : OC_OK;
}

static uint64_t number_at(struct oc_win_walker *walker, uint64_t address, unsigned bytes)
{
    unsigned char number[8];

    if (oc_win_walk_read(walker, address, number, bytes) != OC_OK)
        return 0;
    return oc_win_number(number, bytes);
}

static int mark_teb(struct oc_win_walker *walker, const struct teb *teb, uint64_t address,
                    uint32_t tid)
{
    const uint64_t stack = number_at(walker, address + teb->deallocation_stack, teb->pointer_bytes);
    const uint64_t base = number_at(walker, address + teb->stack_base, teb->pointer_bytes);
    struct oc_win_mark mark = { .start = address,
                                .end = address + teb->bytes,
                                .tid = tid,
                                .usage = OC_USAGE_TEB,
                                .label = OC_WIN_LABEL_TEB };
    int rc = oc_win_space_mark(&walker->space, &mark);

    if (rc != OC_OK || stack == 0 || base <= stack)
        return rc;
    mark.start = stack;
    mark.end = base;
    mark.usage = OC_USAGE_STACK;
    mark.label = OC_WIN_LABEL_STACK;
    mark.is_whole = 1;
    return oc_win_space_mark(&walker->space, &mark);
}

static int look_at_thread(struct oc_win_walker *walker, uint32_t tid)
{
    uint64_t address = 0, narrow = 0;
    int rc = OC_OK;

    if (tid == 0 || walker->win->thread_teb(walker->win, tid, &address) != OC_OK || address == 0)
        return OC_OK; /* it ended, or is not ours to see */
    if (walker->basics.is_32bit)
        narrow = number_at(walker, address + AT_TEB32, 8);
    rc = mark_teb(walker, &teb64, address, tid);
    if (rc == OC_OK && narrow != 0 && narrow < UINT32_MAX)
        rc = mark_teb(walker, &teb32, narrow, tid);
    return rc;
}

static int look_at_threads(struct oc_win_walker *walker, const void *bytes, size_t len_bytes)
{
    struct oc_win_list list;
    struct oc_win_entry entry;
    int rc = OC_OK;

    oc_win_list_begin(&list, bytes, len_bytes, (uint64_t)(uintptr_t)bytes);
    while ((rc = oc_win_list_next(&list, &entry)) == 1 && entry.pid != walker->request->pid)
        ;
    if (rc != 1)
        return OC_OK;
    rc = OC_OK;
    for (uint32_t i = 0; i < entry.thread_count && i < OC_WIN_THREADS_MAX && rc == OC_OK; i++)
        rc = look_at_thread(walker, oc_win_entry_tid(&entry, i));
    return rc;
}

/* The list of all processes; *out_bytes is yours to free. 0 or a code. */
static int read_list(struct oc_win *win, void **out_bytes, size_t *out_len)
{
    size_t room_bytes = FIRST_LIST_BYTES, len_bytes = 0;
    void *bytes = NULL;
    int rc = OC_E_TOOBIG;

    for (int i = 0; i < LIST_TRIES && rc == OC_E_TOOBIG && room_bytes <= LIST_BYTES_MAX; i++) {
        oc_free(bytes);
        bytes = oc_malloc(room_bytes);
        if (!bytes)
            return OC_E_NOMEM;
        len_bytes = 0;
        rc = win->list(win, bytes, room_bytes, &len_bytes);
        if (rc == OC_E_TOOBIG)
            room_bytes = (len_bytes > room_bytes ? len_bytes : room_bytes) * 5 / 4;
    }
    if (rc != OC_OK) {
        oc_free(bytes);
        return rc;
    }
    *out_bytes = bytes;
    *out_len = len_bytes;
    return OC_OK;
}

int oc_win_walk_threads(struct oc_win_walker *walker)
{
    void *bytes = NULL;
    size_t len_bytes = 0;
    int rc = mark_peb(walker, walker->basics.peb);

    if (rc == OC_OK)
        rc = mark_peb(walker, walker->basics.peb32);
    if (rc != OC_OK)
        return rc;
    rc = read_list(walker->win, &bytes, &len_bytes);
    if (rc != OC_OK)
        return rc == OC_E_NOMEM ? rc : OC_OK; /* stacks stay unexplained */
    rc = look_at_threads(walker, bytes, len_bytes);
    oc_free(bytes);
    return rc;
}
