/* Datagrams of the proc connector. */
/* target: fuzz_cn_proc.c deps: probes_dep */
#include "probes/linux/parse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *bytes = malloc(size ? size : 1);
    struct oc_lx_cn_event event;
    size_t at = 0, before = 0;

    if (!bytes)
        return 0;
    if (size)
        memcpy(bytes, data, size);
    while (oc_lx_cn_parse(bytes, size, &at, &event) == 1) {
        assert(at > before && at <= size); /* it always moves on */
        before = at;
    }
    free(bytes);
    return 0;
}
