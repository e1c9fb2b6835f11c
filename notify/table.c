#include "notify/table.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

/* Freed with the last that holds it: the table is one. */
void oc_target_use(struct oc_target *target) { target->users++; }

void oc_target_release(struct oc_target *target)
{
    if (--target->users > 0)
        return;
    oc_receiver_clear(&target->settings);
    oc_free(target);
}

static uint32_t index_of(const struct oc_table *table, const char *name)
{
    uint32_t i = 0;

    while (i < table->count && strcmp(table->items[i]->settings.name, name) != 0)
        i++;
    return i;
}

static void remove_at(struct oc_table *table, uint32_t index)
{
    struct oc_target *gone = table->items[index];

    table->items[index] = table->items[--table->count];
    gone->is_known = 0;
    oc_target_release(gone);
}

int oc_table_put(struct oc_table *table, struct oc_receiver *take_settings)
{
    uint32_t at = index_of(table, take_settings->name);
    struct oc_target *target = NULL;

    if (at == table->count && table->count == OC_RECEIVERS_MAX * 2)
        return OC_E_TOOBIG;
    target = oc_calloc(1, sizeof(*target));
    if (!target)
        return OC_E_NOMEM;
    target->settings = *take_settings;
    *take_settings = (struct oc_receiver){ 0 };
    target->users = 1;
    target->is_known = 1;
    if (at < table->count) {
        target->last_run_mono_ms = table->items[at]->last_run_mono_ms;
        remove_at(table, at);
    }
    table->items[table->count++] = target;
    return OC_OK;
}

void oc_table_forget(struct oc_table *table)
{
    for (uint32_t i = table->count; i > 0; i--) {
        struct oc_target *target = table->items[i - 1];

        if (target->is_known && target->last_run_mono_ms > 0)
            target->is_known = 0;
        else
            remove_at(table, i - 1);
    }
}

void oc_table_clear(struct oc_table *table)
{
    while (table->count > 0)
        remove_at(table, table->count - 1);
}

struct oc_target *oc_table_find(const struct oc_table *table, const char *name)
{
    uint32_t at = index_of(table, name);

    return at < table->count && table->items[at]->is_known ? table->items[at] : NULL;
}
