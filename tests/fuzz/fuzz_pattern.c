/* A pattern, a NUL, and a text; and the same bytes as a command line that is redacted. */
/* target: fuzz_pattern.c deps: base_dep */
#include "base/pattern.h"
#include "base/redact.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match(const char *pattern_text, const char *text, size_t len)
{
    struct oc_span groups[OC_PATTERN_GROUPS];
    struct oc_detail detail;
    oc_pattern *pattern = NULL;

    if (oc_pattern_new(pattern_text, &pattern, &detail) < 0)
        return;
    if (oc_pattern_match(pattern, text, len, groups) == 1) {
        assert(groups[0].begin <= groups[0].end && groups[0].end <= len);
        for (size_t i = 1; i < OC_PATTERN_GROUPS; i++)
            assert(groups[i].begin > groups[i].end || groups[i].end <= len);
    }
    oc_pattern_free(pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2049];
    size_t len = 0;

    if (size > sizeof(text) - 1)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    len = strlen(text);
    match(text, len < size ? text + len + 1 : text, len < size ? size - len - 1 : len);
    oc_redact(text);
    assert(strlen(text) <= len);
    return 0;
}
