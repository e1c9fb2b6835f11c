/* target: fuzz_config.c deps: config_dep */
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct oc_config config;
    struct oc_detail detail;

    if (oc_config_parse("fuzz", (const char *)bytes, len_bytes, &config, &detail) == OC_OK)
        oc_config_clear(&config);
    return 0;
}
