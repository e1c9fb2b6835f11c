#include "cli/show/axis.h"

#include "base/os.h"
#include "cli/show/calendar.h"
#include "cli/show/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)
#define FROM_ZERO_BELOW 0.6 /* of the highest: lower ones are worth seeing against 0 */
#define LEAST_SPAN 0.1      /* of the highest: what moves less is drawn as (nearly) flat */

/* The smallest of 1, 2, 5, 10 … (bytes: of a power of 1024) that is at least `rough`. */
static double round_up_step(double rough, enum oc_unit unit)
{
    static const double factors[] = { 1, 2, 5, 10, 20, 50, 100, 200, 500 };
    static const double binary[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512 };
    double base = 1;
    double big = unit == OC_UNIT_BYTES ? 1024 : 1000;
    const double *list = unit == OC_UNIT_BYTES ? binary : factors;
    size_t count = unit == OC_UNIT_BYTES ? 10 : 9;

    for (int power = 0; power < 7; power++) {
        for (size_t i = 0; i < count; i++) {
            if (list[i] * base >= rough)
                return list[i] * base;
        }
        base *= big;
    }
    return rough;
}

static void add_ticks(struct oc_axis *axis, double first)
{
    axis->tick_count = 0;
    for (size_t i = 0; i < OC_AXIS_MAX_TICKS; i++) {
        double tick = first + (double)i * axis->step;

        if (tick > axis->high + axis->step * 1e-6)
            break;
        axis->ticks[axis->tick_count++] = tick;
    }
}

void oc_axis_values(struct oc_axis *axis, double low, double high, enum oc_unit unit,
                    size_t max_ticks)
{
    double span = high - low;
    double least = fabs(high) * LEAST_SPAN;

    if (low >= 0 && low < high * FROM_ZERO_BELOW)
        low = 0;
    if (span < least) {
        low -= (least - span) / 2;
        high += (least - span) / 2;
    }
    if (high - low < 1)
        high = low + 1;
    axis->step = fmax(1, round_up_step((high - low) / (double)(max_ticks - 1), unit));
    axis->low = floor(low / axis->step) * axis->step;
    axis->high = ceil(high / axis->step) * axis->step;
    if (axis->high <= axis->low)
        axis->high = axis->low + axis->step;
    add_ticks(axis, axis->low);
}

int64_t oc_axis_round_span(int64_t span_ms)
{
    static const int64_t steps[] = {
        10,
        20,
        50,
        100,
        200,
        500,
        1000,
        2000,
        5000,
        10000,
        15000,
        30000,
        MINUTE_MS,
        2 * MINUTE_MS,
        5 * MINUTE_MS,
        10 * MINUTE_MS,
        15 * MINUTE_MS,
        30 * MINUTE_MS,
        HOUR_MS,
        2 * HOUR_MS,
        3 * HOUR_MS,
        6 * HOUR_MS,
        12 * HOUR_MS,
        DAY_MS,
        2 * DAY_MS,
        7 * DAY_MS,
        14 * DAY_MS,
        30 * DAY_MS,
        91 * DAY_MS,
        182 * DAY_MS,
        365 * DAY_MS,
    };

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (steps[i] >= span_ms)
            return steps[i];
    }
    return span_ms;
}

/* Round times of the local clock. */
static void add_clock_ticks(struct oc_axis *axis, int64_t t0_unix_ms, int64_t t1_unix_ms,
                            int64_t step_ms)
{
    int64_t tick_ms = oc_calendar_begin(t0_unix_ms, step_ms);

    if (tick_ms < t0_unix_ms)
        tick_ms = oc_calendar_next(tick_ms, step_ms);
    for (axis->tick_count = 0; axis->tick_count < OC_AXIS_MAX_TICKS && tick_ms <= t1_unix_ms;
         tick_ms = oc_calendar_next(tick_ms, step_ms))
        axis->ticks[axis->tick_count++] = (double)tick_ms;
}

void oc_axis_time(struct oc_axis *axis, int64_t t0_unix_ms, int64_t t1_unix_ms, int64_t origin_ms,
                  size_t max_ticks)
{
    int64_t step_ms;

    if (t1_unix_ms <= t0_unix_ms)
        t1_unix_ms = t0_unix_ms + 1;
    step_ms = oc_axis_round_span((t1_unix_ms - t0_unix_ms) /
                                 (int64_t)(max_ticks > 1 ? max_ticks - 1 : 1));
    axis->low = (double)t0_unix_ms;
    axis->high = (double)t1_unix_ms;
    axis->step = (double)step_ms;
    if (origin_ms == 0) {
        add_clock_ticks(axis, t0_unix_ms, t1_unix_ms, step_ms);
    } else {
        int64_t steps = (t0_unix_ms - origin_ms + step_ms - 1) / step_ms;

        add_ticks(axis, (double)(origin_ms + steps * step_ms));
    }
}

/* Decimals that tell ticks of this step apart in a unit of this size. */
static int decimals(double step, double size)
{
    double part = step / size;

    if (part - floor(part) < 1e-9)
        return 0;
    if (part * 10 - floor(part * 10) < 1e-9)
        return 1;
    return part >= 0.1 ? 2 : 3;
}

static const char *bytes_label(double step, double value, char *out, size_t out_bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
    double size = 1;
    size_t unit = 0;

    while (fabs(value) >= size * 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        size *= 1024;
        unit++;
    }
    if (value == 0)
        (void)snprintf(out, out_bytes, "0");
    else
        (void)snprintf(out, out_bytes, "%.*f %s", decimals(step, size), value / size, units[unit]);
    return out;
}

const char *oc_axis_value_label(const struct oc_axis *axis, double value, enum oc_unit unit,
                                char *out, size_t out_bytes)
{
    if (unit == OC_UNIT_BYTES)
        return bytes_label(axis->step, value, out, out_bytes);
    return oc_value_text((int64_t)llround(value), unit, out, out_bytes);
}

static const char *span_label(double step, double ms, char *out, size_t out_bytes)
{
    if (fabs(ms) < 0.5)
        (void)snprintf(out, out_bytes, "0");
    else if (ms < 120e3 && step < 60e3)
        (void)snprintf(out, out_bytes, "%.*f s", step < 1000 ? (step < 100 ? 2 : 1) : 0, ms / 1000);
    else if (ms < 7200e3 && step >= 60e3)
        (void)snprintf(out, out_bytes, "%.0f m", ms / 60e3);
    else
        return oc_value_span((int64_t)ms, out, out_bytes);
    return out;
}

const char *oc_axis_time_label(const struct oc_axis *axis, double t_ms, int64_t origin_ms,
                               char *out, size_t out_bytes)
{
    struct oc_civil c;
    int many_days = axis->high - axis->low > (double)DAY_MS;

    if (origin_ms)
        return span_label(axis->step, t_ms - (double)origin_ms, out, out_bytes);
    oc_civil_from_unix_ms((int64_t)t_ms, &c);
    if (axis->step >= (double)(30 * DAY_MS))
        (void)snprintf(out, out_bytes, "%04d-%02d-%02d", c.year, c.month, c.day);
    else if (axis->step >= (double)DAY_MS)
        (void)snprintf(out, out_bytes, "%02d-%02d", c.month, c.day);
    else if (many_days)
        (void)snprintf(out, out_bytes, "%02d-%02d %02d:%02d", c.month, c.day, c.hour, c.minute);
    else if (axis->step >= (double)MINUTE_MS)
        (void)snprintf(out, out_bytes, "%02d:%02d", c.hour, c.minute);
    else
        (void)snprintf(out, out_bytes, "%02d:%02d:%02d", c.hour, c.minute, c.second);
    return out;
}
