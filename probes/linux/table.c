#include "probes/linux/lx.h"

#include "base/alloc.h"

/* Fibonacci hashing: PIDs come in runs. */
static size_t slot_of(const struct oc_lx_table *table, uint32_t pid)
{
    return (size_t)(pid * UINT32_C(2654435769)) & (table->capacity - 1);
}

static size_t find_slot(const struct oc_lx_table *table, uint32_t pid)
{
    size_t at = slot_of(table, pid);

    while (table->slots[at] && table->slots[at]->pid != pid)
        at = (at + 1) & (table->capacity - 1);
    return at;
}

struct oc_lx_proc *oc_lx_table_find(const struct oc_lx_table *table, uint32_t pid)
{
    return table->capacity ? table->slots[find_slot(table, pid)] : NULL;
}

static int grow(struct oc_lx_table *table)
{
    struct oc_lx_table wider = { NULL, table->capacity ? table->capacity * 2 : 64, table->count };

    if (table->count >= OC_LX_PROCS_MAX)
        return OC_E_NOMEM;
    wider.slots = oc_calloc(wider.capacity, sizeof *wider.slots);
    if (!wider.slots)
        return OC_E_NOMEM;
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->slots[i])
            wider.slots[find_slot(&wider, table->slots[i]->pid)] = table->slots[i];
    }
    oc_free(table->slots);
    *table = wider;
    return OC_OK;
}

int oc_lx_table_add(struct oc_lx_table *table, struct oc_lx_proc *proc)
{
    size_t at = 0;

    if (table->count * 2 >= table->capacity) {
        int rc = grow(table);

        if (rc != OC_OK)
            return rc;
    }
    at = find_slot(table, proc->pid);
    if (!table->slots[at])
        table->count++;
    proc->older = table->slots[at];
    table->slots[at] = proc;
    return OC_OK;
}

/* Moves later ones of the run into the gap, so that no search ends early. */
static void close_gap(struct oc_lx_table *table, size_t gap)
{
    size_t mask = table->capacity - 1;

    for (size_t at = (gap + 1) & mask; table->slots[at]; at = (at + 1) & mask) {
        size_t home = slot_of(table, table->slots[at]->pid);

        if (((at - home) & mask) >= ((at - gap) & mask)) {
            table->slots[gap] = table->slots[at];
            table->slots[at] = NULL;
            gap = at;
        }
    }
}

void oc_lx_table_remove(struct oc_lx_table *table, const struct oc_lx_proc *proc)
{
    size_t slot = find_slot(table, proc->pid);
    struct oc_lx_proc **link = &table->slots[slot];

    while (*link && *link != proc)
        link = &(*link)->older;
    if (!*link)
        return;
    *link = proc->older;
    if (table->slots[slot])
        return;
    table->count--;
    close_gap(table, slot);
}

void oc_lx_table_clear(struct oc_lx_table *table)
{
    oc_free(table->slots);
    *table = (struct oc_lx_table){ NULL, 0, 0 };
}
