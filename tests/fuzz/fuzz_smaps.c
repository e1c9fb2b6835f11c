/* smaps: lines of mappings and keys below them, in any order and cut anywhere. */
/* target: fuzz_smaps.c deps: probes_dep */
#include "probes/linux/maps.h"

#include "base/err.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1); /* of the exact size, so that a byte too far is found */
    const char *line = text, *end = text + size, *newline = NULL;

    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    while (line < end && (newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        struct oc_lx_line parsed;
        uint64_t rss_bytes = 1;
        int rc = oc_lx_smaps_key_parse(line, newline, &rss_bytes);

        assert(rc == 0 || rc == 1 || rc == OC_E_PARSE);
        assert(rc == 1 ? rss_bytes % 1024 == 0 : rss_bytes == 1);
        if (oc_lx_is_smaps_key(line)) /* never both */
            assert(oc_lx_line_parse(line, newline, &parsed) == OC_E_PARSE);
        line = newline + 1;
    }
    free(text);
    return 0;
}
