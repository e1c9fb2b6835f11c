#include "cli/show/value.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_CHAR_BYTES 4

/* Number and unit apart; three digits that count. */
static const char *scale_bytes(int64_t bytes, char *number, size_t number_bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = (double)bytes;
    size_t unit = 0;

    while ((value >= 999.95 || value <= -999.95) && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1024.0;
        unit++;
    }
    (void)snprintf(number, number_bytes, unit == 0 ? "%.0f" : "%.1f", value);
    return units[unit];
}

const char *oc_value_bytes(int64_t bytes, char *out, size_t out_bytes)
{
    char number[24];
    const char *unit = scale_bytes(bytes, number, sizeof(number));

    (void)snprintf(out, out_bytes, "%s %3s", number, unit);
    return out;
}

const char *oc_value_span(int64_t ms, char *out, size_t out_bytes)
{
    const char *sign = ms < 0 ? "-" : "";
    int64_t s;

    if (ms < 0)
        ms = -ms;
    s = ms / 1000;
    if (ms < 1000)
        (void)snprintf(out, out_bytes, "%s%" PRId64 " ms", sign, ms);
    else if (s < 60)
        (void)snprintf(out, out_bytes, "%s%.1f s", sign, (double)(ms - ms % 100) / 1000.0);
    else if (s < 3600)
        (void)snprintf(out, out_bytes, "%s%" PRId64 " m %02" PRId64 " s", sign, s / 60, s % 60);
    else if (s < 86400)
        (void)snprintf(out, out_bytes, "%s%" PRId64 " h %02" PRId64 " m", sign, s / 3600,
                       s / 60 % 60);
    else
        (void)snprintf(out, out_bytes, "%s%" PRId64 " d %" PRId64 " h", sign, s / 86400,
                       s / 3600 % 24);
    return out;
}

const char *oc_value_text(int64_t value, enum oc_unit unit, char *out, size_t out_bytes)
{
    char number[24];
    const char *scale;

    switch (unit) {
    case OC_UNIT_BYTES:
        scale = scale_bytes(value, number, sizeof(number));
        (void)snprintf(out, out_bytes, "%s %s", number, scale);
        return out;
    case OC_UNIT_MS:
        return oc_value_span(value, out, out_bytes);
    case OC_UNIT_US:
        if (value > -1000000 && value < 1000000) {
            (void)snprintf(out, out_bytes, "%.1f ms", (double)value / 1000.0);
            return out;
        }
        return oc_value_span(value / 1000, out, out_bytes);
    case OC_UNIT_COUNT:
        break;
    }
    (void)snprintf(out, out_bytes, "%" PRId64, value);
    return out;
}

const char *oc_value_change(int64_t value, enum oc_unit unit, char *out, size_t out_bytes)
{
    if (value == 0) {
        (void)snprintf(out, out_bytes, "0");
    } else if (value > 0 && out_bytes > 1) {
        out[0] = '+';
        (void)oc_value_text(value, unit, out + 1, out_bytes - 1);
    } else {
        (void)oc_value_text(value, unit, out, out_bytes);
    }
    return out;
}

/* Bytes of the UTF-8 character that begins with lead. */
static size_t char_bytes(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xe0)
        return 2;
    return lead < 0xf0 ? 3 : MAX_CHAR_BYTES;
}

void oc_value_cut(const char *text, size_t columns, int utf8, struct oc_buf *out)
{
    size_t used = 0;

    if (columns == 0)
        return;
    while (*text) {
        char one[MAX_CHAR_BYTES + 1] = "";
        size_t len = char_bytes((unsigned char)*text);
        size_t wide;

        for (size_t i = 0; i < len && text[i]; i++)
            one[i] = text[i];
        wide = oc_text_columns(one);
        if (used + wide > columns - 1)
            break;
        oc_buf_puts(out, one);
        used += wide;
        text += strlen(one);
    }
    if (*text) {
        oc_buf_puts(out, utf8 ? "…" : "~");
        used++;
    }
    oc_buf_spaces(out, columns - used);
}

void oc_value_keep_end(const char *text, size_t columns, int utf8, struct oc_buf *out)
{
    if (columns > 0 && oc_text_columns(text) > columns) {
        while (*text && oc_text_columns(text) > columns - 1)
            text += char_bytes((unsigned char)*text);
        oc_buf_puts(out, utf8 ? "…" : "~");
    }
    oc_buf_puts(out, text);
}
