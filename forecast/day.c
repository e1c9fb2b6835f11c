#include "forecast/series_impl.h"

/* Two hours are over: their floor against that of the same ones yesterday. */
static void close_part(struct oc_series *series)
{
    unsigned at = (unsigned)series->day_part % DAY_PARTS;
    float gain = series->part_low - series->day_low[at];

    if (series->day_known >= DAY_PARTS) {
        float weight =
            1.0F / (float)(series->day_count < DAY_PARTS ? series->day_count + 1 : DAY_PARTS);
        float sign = (float)(gain > 0.0F) - (float)(gain < 0.0F);

        series->day_gain += weight * (gain - series->day_gain);
        series->day_up += weight * (sign - series->day_up);
        if (series->day_count < UINT16_MAX)
            series->day_count++;
    }
    series->day_low[at] = series->part_low;
    if (series->day_known < UINT16_MAX)
        series->day_known++;
}

void oc_day_note(struct oc_series *series, int64_t t_ms, float low)
{
    int64_t part = t_ms / DAY_PART_MS;
    int32_t now = (int32_t)(part % INT32_C(1000000));

    if (series->day_part == now) {
        series->part_low = low < series->part_low ? low : series->part_low;
        return;
    }
    if (series->day_part >= 0)
        close_part(series);
    if (series->day_part >= 0 &&
        now != series->day_part + 1) { /* a gap: what was known is of other hours */
        series->day_known = 0;
    }
    series->day_part = now;
    series->part_low = low;
}
