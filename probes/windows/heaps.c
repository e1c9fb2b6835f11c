/*
 * NT heaps: from the list in the process environment block, through their own lists of segments and large blocks. Nothing
 * enters the process, and it goes on meanwhile: what is read is believed only where its signatures and links fit. Under Wine
 * the list is empty and the default heap is of another make: its first segment is told alone. A segment heap (Windows 10 and
 * later, where a program asks for it) is told by its first allocation alone: its inner lists differ between versions.
 */
#include "probes/windows/walk.h"

#define HEAD_BYTES 0x140u

#define SEGMENT_SIGNATURE 0xffeeffeeu
#define SEGMENT_HEAP_SIGNATURE 0xddeeddeeu
#define HEAP_SIGNATURE 0xeeffeeffu

/* Fields of PEB, _HEAP and _HEAP_SEGMENT, by the public symbols of ntdll from Windows 10 1607 on. */
struct layout {
    uint8_t pointer_bytes;
    uint16_t peb_heap, peb_count, peb_heaps;
    uint16_t segment_signature, segment_links, segment_heap;
    uint16_t heap_signature, large_blocks, segments;
};
static const struct layout wide = { 8, 0x30, 0xe8, 0xf0, 0x10, 0x18, 0x28, 0x98, 0x110, 0x120 };
static const struct layout narrow = { 4, 0x18, 0x88, 0x90, 0x08, 0x10, 0x18, 0x60, 0x9c, 0xa4 };

struct look {
    struct oc_win_walker *walker;
    const struct layout *layout;
    uint32_t links; /* that were followed */
};

static uint64_t pointer_in(const struct look *look, const unsigned char *bytes, unsigned at)
{
    return oc_win_number(bytes + at, look->layout->pointer_bytes);
}

static int mark_heap(struct look *look, uint64_t address, enum oc_win_label label)
{
    const struct oc_win_mark mark = { .start = address,
                                      .end = address + OC_WIN_PAGE_BYTES,
                                      .usage = OC_USAGE_HEAP,
                                      .label = (uint8_t)label,
                                      .is_whole = 1 };

    return oc_win_space_mark(&look->walker->space, &mark);
}

/* Whether the segment that a link lies in is one of this heap. */
static int is_segment(struct look *look, uint64_t segment, uint64_t heap)
{
    unsigned char head[0x30];

    return oc_win_walk_read(look->walker, segment, head, sizeof head) == OC_OK &&
           oc_win_number(head + look->layout->segment_signature, 4) == SEGMENT_SIGNATURE &&
           pointer_in(look, head, look->layout->segment_heap) == heap;
}

/*
 * Follows a list from its head: 0 or OC_E_NOMEM. It ends where the links do not fit, since the process may be at it.
 * segment_links: where they stand in what they link, of segments; 0 in large blocks, which have no signature.
 */
static int follow(struct look *look, uint64_t head, uint64_t heap, unsigned links_at,
                  enum oc_win_label label)
{
    const unsigned size = look->layout->pointer_bytes;
    unsigned char pair[16];
    uint64_t before = head, at = 0;
    int rc = OC_OK;

    if (oc_win_walk_read(look->walker, head, pair, 2 * (size_t)size) != OC_OK)
        return OC_OK;
    at = oc_win_number(pair, size);
    while (at != head && at > OC_WIN_LOWEST && look->links++ < OC_WIN_HEAP_LINKS_MAX) {
        if (oc_win_walk_read(look->walker, at, pair, 2 * (size_t)size) != OC_OK ||
            oc_win_number(pair + size, size) != before)
            break;
        if (links_at == 0 || is_segment(look, at - links_at, heap))
            rc = mark_heap(look, at - links_at, label);
        if (rc != OC_OK)
            break;
        before = at;
        at = oc_win_number(pair, size);
    }
    return rc;
}

static int look_at_heap(struct look *look, uint64_t heap)
{
    const struct layout *layout = look->layout;
    unsigned char head[HEAD_BYTES];
    uint32_t signature = 0;
    int rc = OC_OK;

    if (heap < OC_WIN_LOWEST || oc_win_walk_read(look->walker, heap, head, sizeof head) != OC_OK)
        return OC_OK;
    signature = (uint32_t)oc_win_number(head + layout->segment_signature, 4);
    if (signature == SEGMENT_HEAP_SIGNATURE)
        return mark_heap(look, heap, OC_WIN_LABEL_SEGMENT_HEAP);
    if (signature != SEGMENT_SIGNATURE)
        return OC_OK;
    rc = mark_heap(look, heap, OC_WIN_LABEL_NT_HEAP);
    if (rc != OC_OK || oc_win_number(head + layout->heap_signature, 4) != HEAP_SIGNATURE)
        return rc;
    rc = follow(look, heap + layout->segments, heap, layout->segment_links, OC_WIN_LABEL_NT_HEAP);
    if (rc == OC_OK)
        rc = follow(look, heap + layout->large_blocks, heap, 0, OC_WIN_LABEL_HEAP_BLOCK);
    return rc;
}

static uint64_t pointer_at(struct look *look, uint64_t address)
{
    unsigned char bytes[8] = { 0 };

    if (oc_win_walk_read(look->walker, address, bytes, look->layout->pointer_bytes) != OC_OK)
        return 0;
    return pointer_in(look, bytes, 0);
}

static int look_at_all(struct oc_win_walker *walker, const struct layout *layout, uint64_t peb)
{
    struct look look = { .walker = walker, .layout = layout };
    unsigned char count_bytes[4] = { 0 };
    uint64_t count = 0, heaps = 0;
    int rc = OC_OK;

    if (peb == 0)
        return OC_OK;
    if (oc_win_walk_read(walker, peb + layout->peb_count, count_bytes, 4) == OC_OK)
        count = oc_win_number(count_bytes, 4);
    heaps = pointer_at(&look, peb + layout->peb_heaps);
    if (count == 0 || heaps == 0)
        return look_at_heap(&look, pointer_at(&look, peb + layout->peb_heap));
    if (count > OC_WIN_HEAPS_MAX) {
        count = OC_WIN_HEAPS_MAX;
        walker->space.is_truncated = 1;
    }
    for (uint64_t i = 0; i < count && rc == OC_OK; i++)
        rc = look_at_heap(&look, pointer_at(&look, heaps + i * layout->pointer_bytes));
    return rc;
}

int oc_win_walk_heaps(struct oc_win_walker *walker)
{
    int rc = look_at_all(walker, &wide, walker->basics.peb);

    if (rc == OC_OK)
        rc = look_at_all(walker, &narrow, walker->basics.peb32);
    return rc;
}
