#include "storage/read/clock.h"

#include "base/alloc.h"
#include "base/err.h"

#include <string.h>

static int64_t minus(int64_t a, int64_t b)
{
    if (b > 0 && a < INT64_MIN + b)
        return INT64_MIN;
    if (b < 0 && a > INT64_MAX + b)
        return INT64_MAX;
    return a - b;
}

void oc_clockmap_clear(struct oc_clockmap *clock)
{
    oc_free(clock->rows);
    memset(clock, 0, sizeof *clock);
}

int oc_clockmap_add(struct oc_clockmap *clock, uint32_t boot, int64_t boot_ms, int64_t unix_ms)
{
    void *rows = clock->rows;
    int rc = oc_array_grow(&rows, &clock->capacity, clock->count + 1, sizeof *clock->rows,
                           OC_CLOCK_MAX_ROWS);

    clock->rows = rows;
    if (rc < 0)
        return rc;
    clock->rows[clock->count++] =
        (struct oc_clockmap_row){ .boot = boot, .boot_ms = boot_ms, .unix_ms = unix_ms };
    return OC_OK;
}

/* Index of the first row of a boot that is later than boot_ms; rows of the boot itself are before it. */
static size_t after(const struct oc_clockmap *clock, uint32_t boot, int64_t boot_ms)
{
    size_t low = 0, high = clock->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct oc_clockmap_row *row = &clock->rows[middle];

        if (row->boot < boot || (row->boot == boot && row->boot_ms <= boot_ms))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int is_of(const struct oc_clockmap *clock, size_t index, uint32_t boot)
{
    return index < clock->count && clock->rows[index].boot == boot;
}

int64_t oc_clockmap_unix_ms(const struct oc_clockmap *clock, uint32_t boot, int64_t boot_ms)
{
    size_t next = after(clock, boot, boot_ms);
    const struct oc_clockmap_row *row;

    if (next > 0 && is_of(clock, next - 1, boot))
        row = &clock->rows[next - 1];
    else if (is_of(clock, next, boot))
        row = &clock->rows[next];
    else
        return boot_ms;
    return minus(boot_ms, minus(row->boot_ms, row->unix_ms));
}

static size_t first_of(const struct oc_clockmap *clock, uint32_t boot)
{
    return boot == 0 ? 0 : after(clock, boot - 1, INT64_MAX);
}

/* The whole span that begins with row `first + index`; the first one reaches back for ever. */
static void whole_span(const struct oc_clockmap *clock, size_t first, size_t at,
                       struct oc_clockmap_span *out_span)
{
    const struct oc_clockmap_row *row = &clock->rows[at];

    out_span->begin_boot_ms = at == first ? INT64_MIN : row->boot_ms;
    out_span->end_boot_ms =
        is_of(clock, at + 1, row->boot) ? clock->rows[at + 1].boot_ms : INT64_MAX;
    out_span->offset_ms = minus(row->unix_ms, row->boot_ms);
}

/* Saturating, so that boot time + offset cannot overflow within what is left. */
static int cut(struct oc_clockmap_span *span, int64_t since_unix_ms, int64_t until_unix_ms)
{
    int64_t since_boot_ms = minus(since_unix_ms, span->offset_ms);
    int64_t until_boot_ms = minus(until_unix_ms, span->offset_ms);

    if (span->begin_boot_ms < since_boot_ms)
        span->begin_boot_ms = since_boot_ms;
    if (span->end_boot_ms > until_boot_ms)
        span->end_boot_ms = until_boot_ms;
    return span->begin_boot_ms < span->end_boot_ms;
}

int oc_clockmap_next_span(const struct oc_clockmap *clock, uint32_t boot, int64_t since_unix_ms,
                          int64_t until_unix_ms, size_t *index, struct oc_clockmap_span *out_span)
{
    size_t first = first_of(clock, boot);

    while (is_of(clock, first + *index, boot)) {
        whole_span(clock, first, first + *index, out_span);
        (*index)++;
        if (cut(out_span, since_unix_ms, until_unix_ms))
            return 1;
    }
    if (*index == 0 &&
        !is_of(clock, first, boot)) { /* a boot without rows: see oc_clockmap_unix_ms() */
        *out_span = (struct oc_clockmap_span){ INT64_MIN, INT64_MAX, 0 };
        *index = 1;
        return cut(out_span, since_unix_ms, until_unix_ms);
    }
    return 0;
}

int oc_clockmap_goes_back(const struct oc_clockmap *clock, uint32_t boot, int64_t since_unix_ms,
                          int64_t until_unix_ms)
{
    struct oc_clockmap_span span;
    int64_t last_unix_ms = INT64_MIN;
    size_t index = 0;

    while (oc_clockmap_next_span(clock, boot, since_unix_ms, until_unix_ms, &index, &span)) {
        int64_t begin_unix_ms = span.begin_boot_ms == INT64_MIN
                                    ? INT64_MIN
                                    : minus(span.begin_boot_ms, -span.offset_ms);

        if (begin_unix_ms < last_unix_ms)
            return 1;
        last_unix_ms =
            span.end_boot_ms == INT64_MAX ? INT64_MAX : minus(span.end_boot_ms, -span.offset_ms);
    }
    return 0;
}

/* Few boots are in a file: a sort by insertion will do. */
size_t oc_clockmap_boots(const struct oc_clockmap *clock, uint32_t *out_boots, size_t max_boots)
{
    size_t count = 0;

    for (size_t i = 0; i < clock->count; i++) {
        uint32_t boot = clock->rows[i].boot;
        int64_t unix_ms = clock->rows[i].unix_ms;
        size_t at = count;

        if (i > 0 && clock->rows[i - 1].boot == boot)
            continue;
        if (count < max_boots) {
            while (at > 0 && clock->rows[first_of(clock, out_boots[at - 1])].unix_ms > unix_ms) {
                out_boots[at] = out_boots[at - 1];
                at--;
            }
            out_boots[at] = boot;
        }
        count++;
    }
    return count;
}
