/* Names of a hostile process, one a line, the first byte of each its kind: none is lost. */
/* target: fuzz_family.c deps: probes_dep */
#include "probes/family.h"

#include "base/err.h"
#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct oc_census *census, uint32_t names)
{
    uint32_t count = 0;

    assert(census->family_count <= OC_CENSUS_FAMILIES_MAX);
    for (size_t i = 0; i < census->family_count; i++) {
        const struct oc_family *family = &census->families[i];
        const char *name = oc_census_text(census, family->name);

        assert(i == 0 || census->families[i - 1].kind <= family->kind);
        assert(family->distinct <= family->count && family->count > 0);
        assert(oc_text_is_utf8(name, strlen(name), NULL));
        assert(!(family->flags & OC_FAMILY_FOLDED) || strchr(name, '*'));
        count += family->count;
    }
    assert(count == names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    oc_families *families = oc_families_new();
    struct oc_census census;
    const uint8_t *line = data, *end = data + size, *newline = NULL;
    uint32_t names = 0;

    if (!families)
        return 0;
    memset(&census, 0, sizeof census);
    while (line < end && (newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        if (newline > line) {
            const char *name = (const char *)line + 1;

            if (oc_families_add(families, line[0] % OC_FAMILY_KINDS, name,
                                (size_t)(newline - line) - 1, 1, line[0], line[0] & 1) != OC_OK)
                abort();
            names++;
        }
        line = newline + 1;
    }
    if (oc_families_finish(families, &census) != OC_OK)
        abort();
    check(&census, names);
    oc_families_free(families);
    oc_census_clear(&census);
    return 0;
}
