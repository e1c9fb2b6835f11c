#include "cli/show/spark.h"

#include "base/err.h"

#include <math.h>

#define STEPS 8
#define LEAST_SWING 0.01 /* of the highest: below it a line is called flat */

static int find_bounds(const int64_t *values, size_t count, double *out_low, double *out_high)
{
    int seen = 0;

    for (size_t i = 0; i < count; i++) {
        double value = (double)values[i];

        if (values[i] == OC_SPARK_NONE)
            continue;
        if (!seen || value < *out_low)
            *out_low = value;
        if (!seen || value > *out_high)
            *out_high = value;
        seen = 1;
    }
    return seen;
}

void oc_spark(const int64_t *values, size_t count, int utf8, struct oc_buf *out)
{
    static const char *const bars[STEPS] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    static const char *const plain[STEPS] = { "_", ".", ",", "-", "=", "+", "*", "#" };
    const char *const *steps = utf8 ? bars : plain;
    double low = 0, high = 0, swing;

    (void)find_bounds(values, count, &low, &high);
    swing = fmax(high - low, fabs(high) * LEAST_SWING);
    for (size_t i = 0; i < count; i++) {
        double part;

        if (values[i] == OC_SPARK_NONE) {
            oc_buf_putc(out, ' ');
            continue;
        }
        part = swing > 0 ? ((double)values[i] - low) / swing : 0;
        oc_buf_puts(out, steps[(int)(part * (STEPS - 1) + 0.5)]);
    }
}
