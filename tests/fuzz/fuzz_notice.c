/* target: fuzz_notice.c deps: alert_dep
 * Bodies of the outbox, which a store may have damaged: what is read is written in a form that is read again. */
#include "alert/notice.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct oc_notice notice, again;
    struct oc_detail detail;
    struct oc_buf first, second;

    if (oc_notice_read((const char *)bytes, len_bytes, &notice, &detail) != OC_OK)
        return 0;
    oc_buf_init(&first, OC_NOTICE_MAX_BYTES);
    oc_buf_init(&second, OC_NOTICE_MAX_BYTES);
    oc_notice_write(&notice, &first);
    assert(first.err == OC_OK);
    assert(oc_notice_read(first.data, first.len_bytes, &again, &detail) == OC_OK);
    oc_notice_write(&again, &second);
    assert(second.err == OC_OK && strcmp(first.data, second.data) == 0);
    oc_notice_clear(&notice);
    oc_notice_clear(&again);
    oc_buf_clear(&first);
    oc_buf_clear(&second);
    return 0;
}
