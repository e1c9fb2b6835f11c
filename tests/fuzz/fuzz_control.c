/* target: fuzz_control.c deps: daemon_dep */
#include "daemon/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct oc_request request;
    struct oc_detail detail;

    (void)oc_request_parse((const char *)bytes, len_bytes, &request, &detail);
    return 0;
}
