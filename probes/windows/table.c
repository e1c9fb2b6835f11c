#include "probes/windows/probe_windows.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES ((size_t)256 << 10) /* of 300 processes with 3,000 threads */
#define MORE_BYTES ((size_t)64 << 10)   /* processes start while we ask */
#define TRIES 4

static int by_pid(const void *a, const void *b)
{
    const struct oc_win_entry *left = a, *right = b;

    return left->pid < right->pid ? -1 : left->pid > right->pid;
}

static int make_room(struct oc_win_table *table, size_t wanted_bytes)
{
    unsigned char *bytes = NULL;

    if (wanted_bytes > OC_WIN_LIST_BYTES_MAX)
        return OC_E_TOOBIG;
    bytes = oc_realloc(table->bytes, wanted_bytes);
    if (!bytes)
        return OC_E_NOMEM;
    table->bytes = bytes;
    table->max_bytes = wanted_bytes;
    return OC_OK;
}

static int ask(struct oc_win_probe *probe, size_t *out_bytes)
{
    struct oc_win_table *table = &probe->table;
    size_t wanted_bytes = FIRST_BYTES;
    int rc = table->bytes ? OC_OK : make_room(table, FIRST_BYTES);

    for (int i = 0; rc == OC_OK && i < TRIES; i++) {
        rc = probe->win->list(probe->win, table->bytes, table->max_bytes, &wanted_bytes);
        if (rc != OC_E_TOOBIG)
            break;
        if (wanted_bytes < table->max_bytes)
            wanted_bytes = table->max_bytes;
        rc = make_room(table, wanted_bytes + MORE_BYTES);
    }
    if (rc == OC_OK)
        *out_bytes = wanted_bytes;
    return rc;
}

static int parse(struct oc_win_table *table, size_t len_bytes)
{
    struct oc_win_list list;
    struct oc_win_entry entry;
    size_t count = 0;
    int sorted = 1, rc = OC_OK;

    oc_win_list_begin(&list, table->bytes, len_bytes, (uint64_t)(uintptr_t)table->bytes);
    while ((rc = oc_win_list_next(&list, &entry)) == 1) {
        if (entry.pid == 0)
            continue; /* the idle process: no process */
        if (count == table->capacity) {
            rc = oc_array_grow((void **)&table->entries, &table->capacity, count + 1,
                               sizeof *table->entries, OC_WIN_ENTRIES_MAX);
            if (rc != OC_OK)
                return rc;
        }
        sorted = sorted && (count == 0 || table->entries[count - 1].pid < entry.pid);
        table->entries[count++] = entry;
    }
    table->count = count;
    if (!sorted)
        qsort(table->entries, count, sizeof *table->entries, by_pid);
    return rc;
}

int oc_win_table_read(struct oc_win_probe *probe)
{
    size_t len_bytes = 0;
    int rc = ask(probe, &len_bytes);

    if (rc == OC_OK)
        rc = parse(&probe->table, len_bytes);
    probe->table.is_there = rc == OC_OK;
    if (rc == OC_OK)
        probe->table.mono_ns = probe->now_mono_ns;
    return rc;
}

int oc_win_table_fresh(struct oc_win_probe *probe)
{
    if (probe->table.is_there && probe->table.mono_ns == probe->now_mono_ns)
        return OC_OK;
    return oc_win_table_read(probe);
}

const struct oc_win_entry *oc_win_table_find(const struct oc_win_table *table, uint32_t pid,
                                             uint64_t created)
{
    const struct oc_win_entry key = { .pid = pid }, *entry = NULL;

    if (table->is_there && table->count > 0)
        entry = bsearch(&key, table->entries, table->count, sizeof key, by_pid);
    return entry && (created == 0 || entry->created == created) ? entry : NULL;
}

void oc_win_table_clear(struct oc_win_table *table)
{
    oc_free(table->bytes);
    oc_free(table->entries);
    memset(table, 0, sizeof *table);
}
