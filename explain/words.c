/* Figures and times as people read them. */
#include "explain/view.h"

#include "base/os.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void oc_explain_say(char *out, size_t out_bytes, const char *format, ...)
{
    const size_t used = strlen(out);
    va_list args;

    if (used + 1 >= out_bytes)
        return;
    va_start(args, format);
    (void)vsnprintf(out + used, out_bytes - used, format, args);
    va_end(args);
}

const char *oc_explain_amount(int64_t value, unsigned unit, char *out, size_t out_bytes)
{
    if (unit == OC_UNIT_BYTES)
        return oc_text_bytes(value, out, out_bytes);
    (void)snprintf(out, out_bytes, "%" PRId64, value);
    return out;
}

const char *oc_explain_signed(int64_t value, unsigned unit, char *out, size_t out_bytes)
{
    if (value <= 0)
        return oc_explain_amount(value, unit, out, out_bytes);
    out[0] = '+';
    (void)oc_explain_amount(value, unit, out + 1, out_bytes - 1);
    return out;
}

const char *oc_explain_rate(double per_hour, unsigned unit, char *out, size_t out_bytes)
{
    if (!(fabs(per_hour) < 9e18))
        (void)oc_text_copy(out, out_bytes, "-");
    else if (unit != OC_UNIT_BYTES && fabs(per_hour) < 10)
        (void)snprintf(out, out_bytes, "%.1f/h", per_hour);
    else {
        (void)oc_explain_amount((int64_t)llround(per_hour), unit, out, out_bytes);
        oc_explain_say(out, out_bytes, "/h");
    }
    return out;
}

const char *oc_explain_percent(double part, char *out, size_t out_bytes)
{
    if (!(fabs(part) < 1e6))
        (void)oc_text_copy(out, out_bytes, "-");
    else if (part > 0 && part < 0.005)
        (void)oc_text_copy(out, out_bytes, "< 1 %");
    else
        (void)snprintf(out, out_bytes, "%.0f %%", part * 100);
    return out;
}

const char *oc_explain_span(double seconds, char *out, size_t out_bytes)
{
    if (seconds != seconds)
        (void)oc_text_copy(out, out_bytes, "-");
    else if (!(fabs(seconds) < 1e12))
        (void)oc_text_copy(out, out_bytes, "never");
    else
        (void)oc_text_ms((int64_t)llround(seconds) * 1000, out, out_bytes);
    return out;
}

const char *oc_explain_time(int64_t unix_ms, int64_t now_unix_ms, char *out, size_t out_bytes)
{
    struct oc_civil then, now;

    oc_civil_from_unix_ms(unix_ms, &then);
    oc_civil_from_unix_ms(now_unix_ms, &now);
    if (then.year == now.year && then.month == now.month && then.day == now.day)
        (void)snprintf(out, out_bytes, "%02d:%02d:%02d", then.hour, then.minute, then.second);
    else
        (void)snprintf(out, out_bytes, "%04d-%02d-%02d %02d:%02d", then.year, then.month, then.day,
                       then.hour, then.minute);
    return out;
}

void oc_explain_limit(const struct oc_limit *limit, char *out, size_t out_bytes)
{
    const struct oc_limit_row *row = oc_limit_row(limit->kind);
    char value[40];

    out[0] = '\0';
    oc_explain_say(out, out_bytes, "%s", row ? row->name : "limit");
    if (limit->where[0])
        oc_explain_say(out, out_bytes, " of %.200s", limit->where);
    oc_explain_say(out, out_bytes, " (%s)",
                   oc_explain_amount((int64_t)limit->value, row ? row->unit : OC_UNIT_BYTES, value,
                                     sizeof(value)));
}
