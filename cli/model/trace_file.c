#include "cli/model/trace_file.h"

#include "base/alloc.h"

#include <string.h>

#define BLOCK_BYTES ((size_t)65536) /* read at once; no line is longer */

struct reading {
    FILE *file;
    const struct oc_trace_calls *calls;
    void *context;
    struct oc_trace trace;
    char *block; /* BLOCK_BYTES + 1 */
    size_t begin, end;
};

static int take_head(struct reading *reading, struct oc_detail *detail)
{
    int taken = oc_trace_head(&reading->trace, reading->block + reading->begin, detail);

    if (taken < 0)
        return taken;
    reading->begin += (size_t)taken;
    return reading->calls->head(&reading->trace, reading->context);
}

/* Up to the last newline in the block. */
static int take_lines(struct reading *reading, struct oc_detail *detail)
{
    size_t last = reading->end;
    struct oc_trace_row row;

    while (last > reading->begin && reading->block[last - 1] != '\n')
        last--;
    if (last == reading->begin)
        return OC_OK;
    if (reading->trace.line == 0) {
        int rc = take_head(reading, detail);

        if (rc)
            return rc;
    }
    while (reading->begin < last) {
        int taken = oc_trace_row(&reading->trace, reading->block + reading->begin, &row, detail);

        if (taken < 0)
            return taken;
        reading->begin += (size_t)taken;
        reading->calls->row(&reading->trace, &row, reading->context);
    }
    return reading->calls->pause ? reading->calls->pause(&reading->trace, reading->context) : OC_OK;
}

/* What is left of the last line moves to the front, and the block is filled. Returns the bytes read. */
static size_t fill(struct reading *reading)
{
    size_t left = reading->end - reading->begin, got;

    memmove(reading->block, reading->block + reading->begin, left);
    got = fread(reading->block + left, 1, BLOCK_BYTES - left, reading->file);
    reading->begin = 0;
    reading->end = left + got;
    return got;
}

static int read_all(struct reading *reading, struct oc_detail *detail)
{
    while (fill(reading) > 0) {
        int rc = take_lines(reading, detail);

        if (rc)
            return rc;
        if (reading->begin == 0 && reading->end == BLOCK_BYTES)
            return oc_detail_set(detail, OC_E_TOOBIG, "a line is longer than 64 KiB");
    }
    if (ferror(reading->file))
        return oc_detail_set(detail, OC_E_IO, "it cannot be read");
    if (reading->end > reading->begin) { /* the last line may lack its newline */
        reading->block[reading->end++] = '\n';
        return take_lines(reading, detail);
    }
    if (reading->trace.line == 0)
        return oc_detail_set(detail, OC_E_PARSE,
                             "it is empty; a trace begins with a line such as t,value");
    return OC_OK;
}

int oc_trace_read(FILE *file, const struct oc_trace_calls *calls, void *context,
                  struct oc_detail *detail)
{
    struct reading reading = { .file = file, .calls = calls, .context = context };
    int rc;

    reading.block = oc_malloc(BLOCK_BYTES + 1);
    if (!reading.block)
        return OC_E_NOMEM;
    rc = read_all(&reading, detail);
    oc_free(reading.block);
    return rc;
}
