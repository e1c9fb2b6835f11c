/* target: fuzz_wire.c deps: alert_dep
 * The pipe between oomcastd and oomcast-notify, both ends: what one takes, it writes in a form that it takes again. */
#include "alert/wire.h"
#include "base/alloc.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

#define WRITTEN_MAX (8u << 20)

static void try_command(const char *line, size_t len_bytes)
{
    struct oc_wire_command command, again;
    struct oc_detail detail;
    struct oc_buf first, second;

    if (oc_wire_command_parse(line, len_bytes, &command, &detail) != OC_OK)
        return;
    oc_buf_init(&first, WRITTEN_MAX);
    oc_buf_init(&second, WRITTEN_MAX);
    oc_wire_command_write(&command, &first);
    if (first.err == OC_OK) {
        assert(oc_wire_command_parse(first.data, first.len_bytes - 1, &again, &detail) == OC_OK);
        oc_wire_command_write(&again, &second);
        assert(second.err == OC_OK && strcmp(first.data, second.data) == 0);
        oc_wire_command_clear(&again);
    }
    oc_wire_command_clear(&command);
    oc_buf_clear(&first);
    oc_buf_clear(&second);
}

static void try_report(const char *line, size_t len_bytes)
{
    struct oc_wire_report report, again;
    struct oc_detail detail;
    struct oc_buf written;

    if (oc_wire_report_parse(line, len_bytes, &report, &detail) != OC_OK)
        return;
    oc_buf_init(&written, WRITTEN_MAX);
    oc_wire_report_write(&report, &written);
    assert(written.err == OC_OK);
    assert(oc_wire_report_parse(written.data, written.len_bytes - 1, &again, &detail) == OC_OK);
    assert(strcmp(report.id, again.id) == 0 && strcmp(report.why, again.why) == 0 &&
           report.outcome == again.outcome && report.status == again.status);
    oc_buf_clear(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    try_command((const char *)bytes, len_bytes);
    try_report((const char *)bytes, len_bytes);
    return 0;
}
