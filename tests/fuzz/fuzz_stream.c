/* Traces as oomcast backtest takes them: the head, and rows up to the first that is refused. */
/* target: fuzz_stream.c deps: cli_dep */
#include "cli/model/replay_file.h"
#include "cli/model/trace.h"

#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

static void check_head(const struct oc_trace *trace)
{
    uint16_t metric = 0;
    unsigned companion = oc_trace_companion(trace, &metric);

    assert(trace->column_count >= 2 && trace->column_count <= OC_TRACE_MAX_COLUMNS);
    assert(trace->t_at < trace->column_count && trace->value_at < trace->column_count);
    assert(companion == OC_TRACE_NONE || companion < trace->column_count);
    for (unsigned i = 0; i < trace->column_count; i++)
        assert(oc_text_is_utf8(trace->names[i], strlen(trace->names[i]), NULL));
}

static void check_row(const struct oc_trace *trace, const struct oc_trace_row *row)
{
    assert(isfinite(row->inc));
    assert(fabs((double)row->t_ms) <= OC_TRACE_MAX_TIME_S * 1000);
    assert(fabs((double)row->t_ms - trace->fields[trace->t_at] * 1000) <=
           1 + fabs((double)row->t_ms) * 1e-15);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    char *text = malloc(len_bytes + 1); /* of the exact size, so that a byte too far is found */
    struct oc_trace trace;
    struct oc_detail detail = { 0 };
    size_t at = 0;
    int taken;

    if (!text)
        return 0;
    if (len_bytes)
        memcpy(text, bytes, len_bytes);
    text[len_bytes] = '\n';
    taken = oc_trace_head(&trace, text, &detail);
    if (taken > 0)
        check_head(&trace);
    while (taken > 0) {
        struct oc_trace_row row = { 0 };

        at += (size_t)taken;
        assert(text[at - 1] == '\n');
        if (at > len_bytes)
            break;
        taken = oc_trace_row(&trace, text + at, &row, &detail);
        if (taken > 0)
            check_row(&trace, &row);
    }
    if (taken < 0)
        assert(strncmp(detail.text, "line ", 5) == 0 && detail.text[0] != '\0');
    free(text);
    return 0;
}
