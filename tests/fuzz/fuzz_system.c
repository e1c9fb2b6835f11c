/* meminfo, vmstat, memory.stat, memory.events, single numbers, pressure: one text, all parsers. */
/* target: fuzz_system.c deps: probes_dep */
#include "probes/linux/parse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEYS 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[KEYS] = { "MemTotal", "SwapTotal", "oom_kill",
                                            "anon",     "low",       "max" };
    char *text = malloc(size ? size : 1); /* of the exact size, so that a byte too far is found */
    uint64_t values[KEYS] = { 0 }, found = 0, number = 0;
    struct oc_lx_psi psi;

    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    found = oc_lx_keyed_parse(text, size, keys, KEYS, values);
    assert(found < 1u << KEYS);
    for (int i = 0; i < KEYS; i++)
        assert(!(found >> i & 1) || values[i] == OC_LX_MAX || values[i] <= INT64_MAX);
    if (oc_lx_number_parse(text, size, &number) == 0)
        assert(number == OC_LX_MAX || number <= INT64_MAX);
    (void)oc_lx_psi_parse(text, size, &psi);
    free(text);
    return 0;
}
