#include "probes/windows/list.h"

#include "base/err.h"
#include "probes/windows/utf16.h"

#include <string.h>

/* Offsets in SYSTEM_PROCESS_INFORMATION of a 64-bit Windows since Vista, and in its threads. */
enum {
    NEXT = 0x00,
    THREADS = 0x04,
    HARD_FAULTS = 0x10,
    CREATED = 0x20,
    USER_TIME = 0x28,
    KERNEL_TIME = 0x30,
    NAME_BYTES = 0x38,
    NAME_ADDRESS = 0x40,
    PID = 0x50,
    PARENT = 0x58,
    HANDLES = 0x60,
    SESSION = 0x64,
    VIRTUAL = 0x78,
    FAULTS = 0x80,
    PEAK_WORKING_SET = 0x88,
    WORKING_SET = 0x90,
    PAGEFILE = 0xb8,
    PRIVATE_PAGES = 0xc8,
    ENTRY_BYTES = 0x100,
    THREAD_PID = 0x28,
    THREAD_TID = 0x30,
    THREAD_BYTES = 0x50
};

#define NAME_BYTES_MAX 512u /* 255 units: a file's name is not longer */
#define THREADS_MAX 65536u

static uint32_t u32(const unsigned char *at)
{
    uint32_t value = 0;

    memcpy(&value, at,
           sizeof value); /* both ends are little-endian: the same machine, or its recording */
    return value;
}

static uint64_t u64(const unsigned char *at)
{
    uint64_t value = 0;

    memcpy(&value, at, sizeof value);
    return value;
}

void oc_win_list_begin(struct oc_win_list *list, const void *bytes, size_t len_bytes,
                       uint64_t address)
{
    list->bytes = bytes;
    list->len_bytes = len_bytes;
    list->address = address;
    list->at = 0;
}

/* The name where it lies within the answer; "" else. */
static void read_name(const struct oc_win_list *list, const unsigned char *at, char *out,
                      size_t out_bytes)
{
    size_t name_bytes = u32(at + NAME_BYTES) & 0xffff;
    uint64_t offset = u64(at + NAME_ADDRESS) - list->address;

    out[0] = '\0';
    if (name_bytes == 0 || name_bytes > NAME_BYTES_MAX || offset > list->len_bytes ||
        name_bytes > list->len_bytes - offset)
        return;
    (void)oc_win_utf8(list->bytes + offset, name_bytes / 2, out, out_bytes);
}

static void read_entry(const struct oc_win_list *list, const unsigned char *at,
                       struct oc_win_entry *entry)
{
    entry->pid = u32(at + PID);
    entry->parent_pid = u32(at + PARENT);
    entry->session = u32(at + SESSION);
    entry->thread_count = u32(at + THREADS);
    entry->handle_count = u32(at + HANDLES);
    entry->fault_count = u32(at + FAULTS);
    entry->hard_fault_count = u32(at + HARD_FAULTS);
    entry->created = u64(at + CREATED);
    entry->cpu_ns = (u64(at + USER_TIME) + u64(at + KERNEL_TIME)) * 100;
    entry->virtual_bytes = u64(at + VIRTUAL);
    entry->working_set_bytes = u64(at + WORKING_SET);
    entry->peak_working_set_bytes = u64(at + PEAK_WORKING_SET);
    entry->pagefile_bytes = u64(at + PAGEFILE);
    entry->private_page_bytes = u64(at + PRIVATE_PAGES);
    entry->threads = at + ENTRY_BYTES;
    read_name(list, at, entry->name, sizeof entry->name);
}

int oc_win_list_next(struct oc_win_list *list, struct oc_win_entry *out_entry)
{
    const size_t left = list->len_bytes - list->at;
    const unsigned char *at = NULL;
    size_t next = 0;

    if (left == 0)
        return 0;
    if (left < ENTRY_BYTES)
        return OC_E_PARSE;
    at = list->bytes + list->at;
    next = u32(at + NEXT);
    if (u32(at + THREADS) > THREADS_MAX ||
        u32(at + THREADS) > (left - ENTRY_BYTES) / THREAD_BYTES ||
        (next != 0 && (next < ENTRY_BYTES || next > left)))
        return OC_E_PARSE;
    read_entry(list, at, out_entry);
    list->at = next == 0 ? list->len_bytes : list->at + next;
    return 1;
}

uint32_t oc_win_entry_tid(const struct oc_win_entry *entry, uint32_t i)
{
    const unsigned char *thread = entry->threads + (size_t)i * THREAD_BYTES;

    return u32(thread + THREAD_PID) == entry->pid ? u32(thread + THREAD_TID) : 0;
}

uint64_t oc_win_entry_private(const struct oc_win_entry *entry)
{
    return entry->private_page_bytes > entry->pagefile_bytes ? entry->private_page_bytes
                                                             : entry->pagefile_bytes;
}

/* ---- writing ---- */

static void put32(unsigned char *at, uint32_t value) { memcpy(at, &value, sizeof value); }
static void put64(unsigned char *at, uint64_t value) { memcpy(at, &value, sizeof value); }

static void write_threads(unsigned char *at, const struct oc_win_entry *entry, const uint32_t *tids)
{
    for (uint32_t i = 0; i < entry->thread_count; i++) {
        put64(at + (size_t)i * THREAD_BYTES + THREAD_PID, entry->pid);
        put64(at + (size_t)i * THREAD_BYTES + THREAD_TID, tids ? tids[i] : entry->pid + i);
    }
}

static void write_entry(unsigned char *at, const struct oc_win_entry *entry)
{
    put32(at + THREADS, entry->thread_count);
    put32(at + HARD_FAULTS, entry->hard_fault_count);
    put64(at + CREATED, entry->created);
    put64(at + USER_TIME, entry->cpu_ns / 100);
    put64(at + PID, entry->pid);
    put64(at + PARENT, entry->parent_pid);
    put32(at + HANDLES, entry->handle_count);
    put32(at + SESSION, entry->session);
    put64(at + VIRTUAL, entry->virtual_bytes);
    put32(at + FAULTS, entry->fault_count);
    put64(at + PEAK_WORKING_SET, entry->peak_working_set_bytes);
    put64(at + WORKING_SET, entry->working_set_bytes);
    put64(at + PAGEFILE, entry->pagefile_bytes);
    put64(at + PRIVATE_PAGES, entry->private_page_bytes);
}

size_t oc_win_list_write(unsigned char *out, size_t max_bytes, uint64_t address,
                         const struct oc_win_entry *entry, const uint32_t *tids, int is_last)
{
    unsigned char name[2 * sizeof entry->name];
    const size_t name_at = ENTRY_BYTES + (size_t)entry->thread_count * THREAD_BYTES;
    const size_t name_bytes = 2 * oc_win_utf16(entry->name, name, sizeof name / 2);
    const size_t used = (name_at + name_bytes + 2 + 7) / 8 * 8;

    if (entry->thread_count > THREADS_MAX || used > max_bytes)
        return 0;
    memset(out, 0, used);
    write_entry(out, entry);
    write_threads(out + ENTRY_BYTES, entry, tids);
    memcpy(out + name_at, name, name_bytes);
    put32(out + NAME_BYTES, (uint32_t)(name_bytes | (name_bytes + 2) << 16));
    put64(out + NAME_ADDRESS, name_bytes ? address + name_at : 0);
    put32(out + NEXT, is_last ? 0 : (uint32_t)used);
    return used;
}
