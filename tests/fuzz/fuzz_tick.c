/* The bytes of a tick. target: fuzz_tick.c deps: storage_dep */
#include "storage/tick.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oc_tick_cursor cursor;
    struct oc_tick_entry entry;
    int count = 0;

    oc_tick_cursor_init(&cursor, data, size);
    while (oc_tick_next(&cursor, &entry) == 1 && count++ < 100000)
        ;
    return 0;
}
