/* Discovery: one list of all processes, and which of them are new. */
#include "probes/windows/probe_windows.h"

#include "base/alloc.h"

#include <string.h>

#define SYSTEM_PID 4u

/* Parts of the system that are listed as processes: Registry, Memory Compression, Secure System. */
static int is_of_kernel(const struct oc_win_entry *entry)
{
    return entry->pid == SYSTEM_PID ||
           (entry->parent_pid == SYSTEM_PID && !strchr(entry->name, '.'));
}

static void tell(const struct oc_win_entry *entry, int is_new, oc_seen_fn *fn, void *context)
{
    struct oc_seen seen = { .pid = entry->pid,
                            .start_ticks = entry->created,
                            .rss_bytes = entry->working_set_bytes };

    if (is_of_kernel(entry)) {
        seen.flags |= OC_SEEN_KERNEL_THREAD;
        seen.rss_bytes = 0;
    }
    if (entry->thread_count == 0) /* it ended, and somebody holds a handle */
        seen.flags |= OC_SEEN_ZOMBIE;
    if (is_new)
        seen.flags |= OC_SEEN_NEW;
    memcpy(seen.name, entry->name, sizeof seen.name);
    fn(&seen, context);
}

/* Both lists are by PID: k moves along. */
static int is_known(const struct oc_win_probe *probe, const struct oc_win_entry *entry, size_t *k)
{
    while (*k < probe->known_count && probe->known[*k].pid < entry->pid)
        (*k)++;
    return *k < probe->known_count && probe->known[*k].pid == entry->pid &&
           probe->known[*k].created == entry->created;
}

static void swap_known(struct oc_win_probe *probe)
{
    struct oc_win_known *known = probe->known;
    size_t capacity = probe->known_capacity;

    probe->known = probe->known_next;
    probe->known_capacity = probe->next_capacity;
    probe->known_next = known;
    probe->next_capacity = capacity;
    probe->known_count = probe->table.count;
}

int oc_win_scan(oc_probe *base, oc_seen_fn *fn, void *context)
{
    struct oc_win_probe *probe = oc_win_probe_of(base);
    struct oc_win_table *table = &probe->table;
    size_t k = 0;
    int rc = oc_win_table_read(probe);

    if (rc == OC_OK && probe->next_capacity < table->count)
        rc = oc_array_grow((void **)&probe->known_next, &probe->next_capacity, table->count,
                           sizeof *probe->known_next, OC_WIN_ENTRIES_MAX);
    if (rc != OC_OK)
        return rc;
    for (size_t i = 0; i < table->count; i++) {
        const struct oc_win_entry *entry = &table->entries[i];

        probe->known_next[i] = (struct oc_win_known){ entry->pid, entry->created };
        tell(entry, !is_known(probe, entry, &k), fn, context);
    }
    swap_known(probe);
    return (int)table->count;
}
