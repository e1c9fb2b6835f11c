/* target: fuzz_pidfile.c deps: daemon_dep */
#include "base/err.h"
#include "daemon/pidfile.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    uint32_t pid = 0;
    int rc = oc_pidfile_parse((const char *)bytes, len_bytes, &pid);

    assert((rc == OC_OK) == (pid != 0));
    return 0;
}
