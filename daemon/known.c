#include "daemon/known.h"

#include "base/alloc.h"
#include "base/err.h"

#define FIRST_PLACES 256
#define FORGOTTEN UINT64_MAX /* start_ticks of a place whose PID is not asked for */

void oc_knowns_clear(struct oc_knowns *knowns)
{
    oc_free(knowns->items);
    *knowns = (struct oc_knowns){ 0 };
}

/* Where the PID is, or would be put. */
static struct oc_known *place_of(const struct oc_knowns *knowns, uint32_t pid)
{
    size_t at = (pid * UINT32_C(2654435769)) & (knowns->capacity - 1);

    while (knowns->items[at].pid != 0 && knowns->items[at].pid != pid)
        at = (at + 1) & (knowns->capacity - 1);
    return &knowns->items[at];
}

struct oc_known *oc_knowns_find(const struct oc_knowns *knowns, uint32_t pid)
{
    struct oc_known *place = knowns->capacity && pid ? place_of(knowns, pid) : NULL;

    return place && place->pid == pid && place->start_ticks != FORGOTTEN ? place : NULL;
}

/* Anew with room for `count` and half of it empty. */
static int rebuild(struct oc_knowns *knowns, size_t count, int only_seen)
{
    struct oc_knowns next = { .capacity = FIRST_PLACES };

    while (next.capacity < 2 * (count + 1))
        next.capacity *= 2;
    next.items = oc_calloc(next.capacity, sizeof(next.items[0]));
    if (!next.items)
        return OC_E_NOMEM;
    for (size_t i = 0; i < knowns->capacity; i++) {
        const struct oc_known *item = &knowns->items[i];

        if (item->pid == 0 || item->start_ticks == FORGOTTEN || (only_seen && !item->seen))
            continue;
        *place_of(&next, item->pid) = *item;
        next.used++;
    }
    oc_free(knowns->items);
    *knowns = next;
    return OC_OK;
}

int oc_knowns_put(struct oc_knowns *knowns, uint32_t pid, uint64_t start_ticks,
                  struct oc_known **out_known)
{
    struct oc_known *place = NULL;
    int rc = OC_OK;

    if (knowns->used >= OC_KNOWN_MAX && !oc_knowns_find(knowns, pid))
        return OC_E_TOOBIG;
    if (2 * (knowns->used + 1) > knowns->capacity)
        rc = rebuild(knowns, 2 * knowns->used, 0);
    if (rc < 0)
        return rc;
    place = place_of(knowns, pid);
    if (place->pid == 0)
        knowns->used++;
    if (place->pid == 0 || place->start_ticks != start_ticks)
        *place = (struct oc_known){ .pid = pid, .start_ticks = start_ticks, .seen = 1 };
    *out_known = place;
    return OC_OK;
}

void oc_knowns_forget(struct oc_knowns *knowns, uint32_t pid)
{
    struct oc_known *place = oc_knowns_find(knowns, pid);

    if (place)
        place->start_ticks = FORGOTTEN;
}

void oc_knowns_sweep(struct oc_knowns *knowns)
{
    size_t seen = 0;

    for (size_t i = 0; i < knowns->capacity; i++)
        seen += knowns->items[i].seen;
    if (knowns->used - seen > knowns->used / 4 + 32)
        (void)rebuild(knowns, seen, 1); /* for want of memory: after the next scan */
    for (size_t i = 0; i < knowns->capacity; i++)
        knowns->items[i].seen = 0;
}
