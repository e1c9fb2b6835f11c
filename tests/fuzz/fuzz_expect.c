/* What rules are expected to say, as oomcast backtest --expect takes it. */
/* target: fuzz_expect.c deps: cli_dep */
#include "cli/model/replay_tried.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    char subject[] = "unit:\"a\",b";
    struct oc_tried_change items[] = {
        { .t_ms = -1500, .subject = subject, .rule = "R", .severity = OC_SEVERITY_WARN },
        { .t_ms = 700980000, .subject = subject, .rule = "S", .severity = OC_SEVERITY_CRITICAL },
    };
    const struct oc_replay_tried tried = { .items = items, .count = 2 };
    char *text =
        malloc(len_bytes ? len_bytes : 1); /* of the exact size, so that a byte too far is found */
    struct oc_buf out;
    int differences;

    assert(text);
    memcpy(text, bytes, len_bytes);
    oc_buf_init(&out, (size_t)1 << 20);
    differences = oc_tried_compare(&tried, text, len_bytes, &out, NULL);
    assert(differences >= 0 || differences == OC_E_PARSE);
    assert(differences != 0 || out.len_bytes == 0);
    oc_buf_clear(&out);
    free(text);
    return 0;
}
