#include "win_made.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define REGIONS_MAX 4096
#define PAGE 0x1000u
#define READWRITE 4u
#define READONLY 2u
#define EXECUTE_READ 0x20u
#define EXECUTE_WRITECOPY 0x80u

#define IMAGE 0x400000u
#define HEAP 0x600000u
#define SEGMENT 0x800000u
#define LARGE_BLOCK 0xa00000u
#define STACK 0xc00000u
#define STACK_BYTES 0x100000u
#define PEB 0xe00000u
#define PEB32 (PEB + PAGE)
#define TEB (PEB + 2 * PAGE)
#define TEB32 (PEB + 4 * PAGE)
#define BLOCK_PAGES 5u
#define SECTIONS 0x1000000u
#define GC_HEAP 0x2000000u
#define MAPPED 0x5000000u
#define CLR 0x70000000u

struct made {
    struct oc_fake_win *fake;
    struct oc_fake_win_process *process;
    struct oc_win_region regions[REGIONS_MAX];
    unsigned char header[PAGE], heap[PAGE], segment[PAGE], block[PAGE], blocks[BLOCK_PAGES * PAGE];
    struct oc_fake_win_bytes bytes[5];
    struct oc_fake_win_file files[3];
};

static void put(unsigned char *bytes, unsigned at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        bytes[at + i] = (unsigned char)(value >> 8 * i);
}

static void add_part(struct made *made, uint64_t allocation, uint64_t base, uint64_t size,
                     uint32_t state, uint32_t type, uint32_t asked, uint32_t protect)
{
    struct oc_win_region *region = &made->regions[made->process->region_count++];

    ck_assert_uint_le(made->process->region_count, REGIONS_MAX);
    *region = (struct oc_win_region){ .base = base,
                                      .size = size,
                                      .allocation_base = allocation,
                                      .allocation_protect = asked,
                                      .state = state,
                                      .protect = protect,
                                      .type = type };
}

void made_add(struct made *made, uint64_t base, uint64_t size, uint32_t state, uint32_t type,
              uint32_t protect)
{
    add_part(made, base, base, size, state, type, protect, state == OC_MEM_COMMIT ? protect : 0);
}

/* So much committed, the rest reserved. */
static void add_private(struct made *made, uint64_t base, uint64_t commit_bytes, uint64_t bytes)
{
    add_part(made, base, base, commit_bytes, OC_MEM_COMMIT, OC_MEM_PRIVATE, READWRITE, READWRITE);
    if (bytes > commit_bytes)
        add_part(made, base, base + commit_bytes, bytes - commit_bytes, OC_MEM_RESERVE,
                 OC_MEM_PRIVATE, READWRITE, 0);
}

static void add_image(struct made *made, uint64_t base, uint64_t bytes)
{
    add_part(made, base, base, PAGE, OC_MEM_COMMIT, OC_MEM_IMAGE, EXECUTE_WRITECOPY, READONLY);
    add_part(made, base, base + PAGE, bytes - PAGE, OC_MEM_COMMIT, OC_MEM_IMAGE, EXECUTE_WRITECOPY,
             EXECUTE_READ);
}

/* In the order of their addresses. */
static void add_regions(struct made *made)
{
    add_image(made, IMAGE, 0x41000);
    add_private(made, HEAP, 0x10000, 0x100000);
    add_private(made, SEGMENT, 0x20000, 0x200000);
    add_private(made, LARGE_BLOCK, 0x101000, 0x101000);
    add_part(made, STACK, STACK, STACK_BYTES - 0x3000, OC_MEM_RESERVE, OC_MEM_PRIVATE, READWRITE,
             0);
    add_part(made, STACK, STACK + STACK_BYTES - 0x3000, 0x3000, OC_MEM_COMMIT, OC_MEM_PRIVATE,
             READWRITE, READWRITE);
    add_private(made, PEB, BLOCK_PAGES * PAGE, 0x100000);
    for (unsigned i = 0; i < MADE_SECTIONS; i++)
        made_add(made, SECTIONS + i * UINT64_C(0x10000), MADE_SECTION_BYTES, OC_MEM_COMMIT,
                 OC_MEM_MAPPED, READWRITE);
    add_private(made, GC_HEAP, 0x100000, MADE_GC_BYTES);
    made_add(made, MAPPED, 0x40000, OC_MEM_COMMIT, OC_MEM_MAPPED, READONLY);
    add_image(made, CLR, 0x700000);
}

static void fill_header(struct made *made)
{
    unsigned char *bytes = made->header;

    memcpy(bytes, "MZ", 2);
    put(bytes, 0x3c, 0x80, 4);
    memcpy(bytes + 0x80, "PE", 2);
    put(bytes, 0x80 + 4, 0x14c, 2);
    put(bytes, 0x80 + 24, 0x10b, 2);
}

static void fill_heaps(struct made *made)
{
    unsigned char *heap = made->heap, *segment = made->segment;

    put(heap, 0x08, 0xffeeffee, 4);
    put(heap, 0x60, 0xeeffeeff, 4);
    put(heap, 0x10, HEAP + 0xa4, 4); /* its own segment's place in the list, which is not it */
    put(heap, 0xa4, SEGMENT + 0x10, 4);
    put(heap, 0xa8, SEGMENT + 0x10, 4);
    put(segment, 0x08, 0xffeeffee, 4);
    put(segment, 0x10, HEAP + 0xa4, 4);
    put(segment, 0x14, HEAP + 0xa4, 4);
    put(segment, 0x18, HEAP, 4);
    put(heap, 0x9c, LARGE_BLOCK, 4);
    put(heap, 0xa0, LARGE_BLOCK, 4);
    put(made->block, 0, HEAP + 0x9c, 4);
    put(made->block, 4, HEAP + 0x9c, 4);
}

static void fill_blocks(struct made *made)
{
    unsigned char *bytes = made->blocks;

    put(bytes, 0x10, IMAGE, 8);
    put(bytes, PEB32 - PEB + 0x08, IMAGE, 4);
    put(bytes, PEB32 - PEB + 0x88, 1, 4);
    put(bytes, PEB32 - PEB + 0x90, PEB32 + 0x800, 4);
    put(bytes, PEB32 - PEB + 0x800, HEAP, 4);
    put(bytes, TEB - PEB, TEB32, 8);
    put(bytes, TEB32 - PEB + 0x04, STACK + STACK_BYTES, 4);
    put(bytes, TEB32 - PEB + 0x08, STACK + STACK_BYTES - 0x3000, 4);
    put(bytes, TEB32 - PEB + 0xe0c, STACK, 4);
}

static void give(struct made *made, uint64_t address, const unsigned char *bytes, size_t len)
{
    made->bytes[made->process->bytes_count++] = (struct oc_fake_win_bytes){ address, bytes, len };
}

static void give_all(struct made *made)
{
    struct oc_fake_win_process *process = made->process;

    process->regions = made->regions;
    process->bytes = made->bytes;
    give(made, IMAGE, made->header, sizeof made->header);
    give(made, HEAP, made->heap, sizeof made->heap);
    give(made, SEGMENT, made->segment, sizeof made->segment);
    give(made, LARGE_BLOCK, made->block, sizeof made->block);
    give(made, PEB, made->blocks, sizeof made->blocks);
    made->files[0] = (struct oc_fake_win_file){
        IMAGE, "\\Device\\HarddiskVolume3\\Windows\\SysWOW64\\inetsrv\\w3wp.exe"
    };
    made->files[1] = (struct oc_fake_win_file){
        CLR, "\\Device\\HarddiskVolume3\\Windows\\Microsoft.NET\\Framework\\v4.0.30319\\clr.dll"
    };
    made->files[2] =
        (struct oc_fake_win_file){ MAPPED, "\\Device\\HarddiskVolume3\\Windows\\locale.nls" };
    process->files = made->files;
    process->file_count = 3;
}

struct made *made_worker(void)
{
    struct made *made = calloc(1, sizeof *made);

    ck_assert_ptr_nonnull(made);
    ck_assert_int_eq(oc_fake_win_open(&made->fake), OC_OK);
    made->process = oc_fake_win_start(made->fake, MADE_PID, "w3wp.exe");
    made->process->image = "C:\\Windows\\SysWOW64\\inetsrv\\w3wp.exe";
    made->process->cmdline = "c:\\windows\\syswow64\\inetsrv\\w3wp.exe -ap \"Shop\" -v \"v4.0\"";
    made->process->basics = (struct oc_win_basics){
        .peb = PEB, .peb32 = PEB32, .is_32bit = 1, .has_protection = 1, .has_job = 1, .is_in_job = 1
    };
    made->process->memory.private_usage = UINT64_C(300) << 20;
    made->process->memory.virtual_size = UINT64_C(900) << 20;
    made->process->thread_count = 1;
    made->process->tids[0] = MADE_TID;
    made->process->tebs[0] = TEB;
    add_regions(made);
    fill_header(made);
    fill_heaps(made);
    fill_blocks(made);
    give_all(made);
    return made;
}

void made_free(struct made *made)
{
    ck_assert_uint_eq(oc_fake_win_handles(made->fake), 0);
    ck_assert_uint_eq(oc_fake_win_faults(made->fake), 0);
    oc_fake_win_close(made->fake);
    free(made);
}

struct oc_win *made_table(struct made *made) { return oc_fake_win_table(made->fake); }
struct oc_fake_win *made_fake(struct made *made) { return made->fake; }
struct oc_fake_win_process *made_process(struct made *made) { return made->process; }

void made_set_unused(struct made *made)
{
    made->regions[made->process->region_count - 1].protect = 1;
}

void made_set_large(struct made *made) { put(made->header, 0x80 + 22, 0x20, 2); }

void made_set_wide(struct made *made)
{
    put(made->header, 0x80 + 24, 0x20b, 2);
    made->process->basics.is_32bit = 0;
    made->process->basics.peb32 = 0;
}
