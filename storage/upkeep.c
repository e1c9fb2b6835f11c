#include "storage/store_impl.h"

void oc_upkeep_free(struct oc_upkeep *upkeep) { (void)upkeep; }

int oc_store_maintain(oc_store *store, int64_t now_boot_ms, int64_t now_unix_ms, int64_t budget_us)
{
    (void)store;
    (void)now_boot_ms;
    (void)now_unix_ms;
    (void)budget_us;
    return 0;
}
