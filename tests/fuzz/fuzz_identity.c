/* A cgroup's path, and the name of a pod. */
/* target: fuzz_identity.c deps: base_dep */
#include "base/identity.h"

#include "base/text.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oc_identity identity;
    char text[1025], workload[64];

    if (size > sizeof(text) - 1)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    oc_identity_of_cgroup(text, &identity);
    assert(oc_text_is_utf8(identity.unit, strlen(identity.unit), NULL));
    assert(oc_text_is_utf8(identity.slice, strlen(identity.slice), NULL));
    assert(strlen(identity.container_id) == 0 || strlen(identity.container_id) == 64);
    oc_identity_workload(text, workload, sizeof(workload));
    assert(strlen(workload) <= strlen(text) * 3);
    return 0;
}
