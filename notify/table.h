/* The receivers in force, by name. An attempt keeps the one that it began with, also when new ones have come. */
#ifndef OC_NOTIFY_TABLE_H
#define OC_NOTIFY_TABLE_H

#include "base/rule.h"

#include <stdint.h>

struct oc_target {
    struct oc_receiver settings;
    uint32_t users;           /* attempts that hold it */
    uint32_t active;          /* of them, under way */
    int64_t last_run_mono_ms; /* HOOK: begin of the last run; 0: none yet */
    int is_known;             /* in the table, not of a time before a reload */
};

struct oc_table {
    struct oc_target *items[OC_RECEIVERS_MAX * 2]; /* in force, and remembered: only for last_run */
    uint32_t count;
};

/* Takes the settings over (*take_settings is empty then), in place of those of the same name. 0, OC_E_NOMEM, OC_E_TOOBIG. */
int oc_table_put(struct oc_table *table, struct oc_receiver *take_settings);
/* All of them; when a hook ran last is remembered until the next time. */
void oc_table_forget(struct oc_table *table);
void oc_table_clear(struct oc_table *table);
/* NULL: there is none of that name. Borrowed; oc_target_use() keeps it. */
struct oc_target *oc_table_find(const struct oc_table *table, const char *name);

void oc_target_use(struct oc_target *target);
void oc_target_release(struct oc_target *target);

#endif
