#include "base/text.h"

#include "base/err.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

int oc_text_u64(const char *text, uint64_t *out_value)
{
    uint64_t value = 0;

    if (!*text)
        return OC_E_PARSE;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');

        if (*text < '0' || *text > '9')
            return OC_E_PARSE;
        if (value > (UINT64_MAX - digit) / 10)
            return OC_E_TOOBIG;
        value = value * 10 + digit;
    }
    *out_value = value;
    return OC_OK;
}

int oc_text_i64(const char *text, int64_t *out_value)
{
    int negative = *text == '-';
    uint64_t value = 0;
    int rc = oc_text_u64(text + negative, &value);

    if (rc)
        return rc;
    if (value > (uint64_t)INT64_MAX + (uint64_t)negative)
        return OC_E_TOOBIG;
    *out_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return OC_OK;
}

/* A decimal number with an optional fraction; *text is moved behind it. */
static int take_decimal(const char **text, double *out_value)
{
    const char *at = *text;
    double value = 0, scale = 1;
    int digits = 0;

    for (; *at >= '0' && *at <= '9'; at++, digits++)
        value = value * 10 + (*at - '0');
    if (*at == '.')
        for (at++; *at >= '0' && *at <= '9'; at++, digits++)
            value += (*at - '0') * (scale /= 10);
    if (!digits || digits > 18)
        return digits ? OC_E_TOOBIG : OC_E_PARSE;
    *text = at;
    *out_value = value;
    return OC_OK;
}

struct unit_row {
    const char *word;
    double factor;
};

static const struct unit_row time_units[] = {
    { "ms", 1 },     { "s", 1e3 },     { "min", 60e3 },      { "m", 60e3 },
    { "h", 3600e3 }, { "d", 86400e3 }, { "w", 7 * 86400e3 }, { "y", 365 * 86400e3 },
};

static const struct unit_row size_units[] = {
    { "KiB", 1024.0 },
    { "MiB", 1048576.0 },
    { "GiB", 1073741824.0 },
    { "TiB", 1099511627776.0 },
    { "KB", 1e3 },
    { "kB", 1e3 },
    { "MB", 1e6 },
    { "GB", 1e9 },
    { "TB", 1e12 },
    { "k", 1024.0 },
    { "K", 1024.0 },
    { "M", 1048576.0 },
    { "G", 1073741824.0 },
    { "T", 1099511627776.0 },
    { "B", 1 },
};

/* The unit at *text, moved behind it; NULL where there is none. */
static const struct unit_row *take_unit(const char **text, const struct unit_row *rows,
                                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len_bytes = strlen(rows[i].word);

        if (strncmp(*text, rows[i].word, len_bytes) == 0) {
            *text += len_bytes;
            return &rows[i];
        }
    }
    return NULL;
}

int oc_text_duration_ms(const char *text, int64_t *out_ms)
{
    double total = 0;

    if (strcmp(text, "0") == 0) {
        *out_ms = 0;
        return OC_OK;
    }
    if (!*text)
        return OC_E_PARSE;
    while (*text) {
        const struct unit_row *unit = NULL;
        double value = 0;
        int rc = take_decimal(&text, &value);

        if (rc)
            return rc;
        unit = take_unit(&text, time_units, sizeof time_units / sizeof *time_units);
        if (!unit)
            return OC_E_PARSE;
        total += value * unit->factor;
    }
    if (total > 1e15) /* 30,000 years */
        return OC_E_TOOBIG;
    *out_ms = (int64_t)llround(total);
    return OC_OK;
}

int oc_text_size_bytes(const char *text, uint64_t *out_bytes)
{
    const struct unit_row *unit = NULL;
    double value = 0;
    int rc = 0;

    if (oc_text_u64(text, out_bytes) == OC_OK)
        return OC_OK;
    rc = take_decimal(&text, &value);
    if (rc)
        return rc;
    while (*text == ' ')
        text++;
    unit = take_unit(&text, size_units, sizeof size_units / sizeof *size_units);
    if (!unit || *text)
        return OC_E_PARSE;
    if (value * unit->factor > 9e18)
        return OC_E_TOOBIG;
    *out_bytes = (uint64_t)llround(value * unit->factor);
    return OC_OK;
}

const char *oc_text_bytes(int64_t bytes, char *out, size_t out_bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = fabs((double)bytes);
    size_t unit = 0;

    for (; value >= 1023.95 && unit + 1 < sizeof units / sizeof *units; unit++)
        value /= 1024;
    (void)snprintf(out, out_bytes, unit ? "%s%.1f %s" : "%s%.0f %s", bytes < 0 ? "-" : "", value,
                   units[unit]);
    return out;
}

const char *oc_text_ms(int64_t ms, char *out, size_t out_bytes)
{
    const char *sign = ms < 0 ? "-" : "";
    uint64_t all = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    uint64_t s = all / 1000;

    if (all < 1000)
        (void)snprintf(out, out_bytes, "%s%" PRIu64 " ms", sign, all);
    else if (s < 100)
        (void)snprintf(out, out_bytes, "%s%" PRIu64 " s", sign, s);
    else if (s < 3600)
        (void)snprintf(out, out_bytes, "%s%" PRIu64 " min %02" PRIu64 " s", sign, s / 60, s % 60);
    else if (s < 86400)
        (void)snprintf(out, out_bytes, "%s%" PRIu64 " h %02" PRIu64 " min", sign, s / 3600,
                       s / 60 % 60);
    else
        (void)snprintf(out, out_bytes, "%s%" PRIu64 " d %" PRIu64 " h", sign, s / 86400,
                       s / 3600 % 24);
    return out;
}

size_t oc_text_utf8_char(const char *text, size_t left)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t len_bytes = at[0] < 0x80   ? 1
                       : at[0] < 0xc2 ? 0
                       : at[0] < 0xe0 ? 2
                       : at[0] < 0xf0 ? 3
                       : at[0] < 0xf5 ? 4
                                      : 0;

    if (!len_bytes || len_bytes > left)
        return 0;
    for (size_t i = 1; i < len_bytes; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return len_bytes;
}

int oc_text_is_utf8(const char *text, size_t len_bytes, size_t *out_bad_at)
{
    size_t at = 0;

    while (at < len_bytes) {
        size_t n = oc_text_utf8_char(text + at, len_bytes - at);

        if (!n) {
            if (out_bad_at)
                *out_bad_at = at;
            return 0;
        }
        at += n;
    }
    return 1;
}

void oc_text_copy_utf8(char *out, size_t out_bytes, const char *text, size_t len_bytes)
{
    size_t from = 0, to = 0;

    while (from < len_bytes) {
        size_t n = oc_text_utf8_char(text + from, len_bytes - from);
        const char *bytes = n ? text + from : "\xef\xbf\xbd"; /* U+FFFD */
        size_t width = n ? n : 3;

        if (to + width >= out_bytes)
            break;
        memcpy(out + to, bytes, width);
        to += width;
        from += n ? n : 1;
    }
    if (out_bytes)
        out[to] = '\0';
}

static uint32_t code_point(const unsigned char *at, size_t n)
{
    static const unsigned char first_mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t code = at[0] & first_mask[n];

    for (size_t i = 1; i < n; i++)
        code = code << 6 | (at[i] & 0x3fu);
    return code;
}

/* 0 for the usual combining marks, 2 for East Asian wide and emoji, 1 else (after UAX #11, by
 * ranges). */
static size_t char_columns(uint32_t c)
{
    if ((c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f))
        return 0;
    if ((c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
        (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
        (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
        (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
        (c >= 0x20000 && c <= 0x3fffd))
        return 2;
    return 1;
}

size_t oc_text_columns(const char *text)
{
    size_t columns = 0, left = strlen(text);

    while (left) {
        size_t n = oc_text_utf8_char(text, left);

        columns += n ? char_columns(code_point((const unsigned char *)text, n)) : 1;
        text += n ? n : 1;
        left -= n ? n : 1;
    }
    return columns;
}

#define DISTANCE_MAX 63 /* longer words are never near */

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t low = a < b ? a : b;

    return low < c ? low : c;
}

size_t oc_text_distance(const char *a, const char *b, size_t limit)
{
    size_t row[3][DISTANCE_MAX + 1]; /* two back, last, this */
    size_t na = strlen(a), nb = strlen(b);

    if (na > DISTANCE_MAX || nb > DISTANCE_MAX)
        return limit + 1;
    for (size_t j = 0; j <= nb; j++)
        row[1][j] = j;
    for (size_t i = 1; i <= na; i++) {
        row[2][0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t cost = a[i - 1] != b[j - 1];

            row[2][j] = min3(row[1][j] + 1, row[2][j - 1] + 1, row[1][j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                row[0][j - 2] + 1 < row[2][j])
                row[2][j] = row[0][j - 2] + 1;
        }
        memcpy(row[0], row[1], sizeof row[0]);
        memcpy(row[1], row[2], sizeof row[1]);
    }
    return row[1][nb] > limit ? limit + 1 : row[1][nb];
}

const char *oc_text_nearest(const char *text, const char *const *words)
{
    size_t best = strlen(text) / 3 + 1;
    const char *nearest = NULL;

    for (; *words; words++) {
        size_t distance = oc_text_distance(text, *words, best);

        if (distance < best || (distance == best && !nearest)) {
            best = distance;
            nearest = *words;
        }
    }
    return nearest;
}

/* Whether c is in the class that begins behind '['; *end: behind its ']'; NULL where it never ends.
 */
static int in_class(const char *class, char c, const char **end)
{
    int negated = *class == '!' || *class == '^', found = 0;
    const char *at = class + negated, *first = at;

    for (; *at && (*at != ']' || at == first); at++) {
        if (at[1] == '-' && at[2] && at[2] != ']') {
            found |= (unsigned char)c >= (unsigned char)at[0] &&
                     (unsigned char)c <= (unsigned char)at[2];
            at += 2;
        } else {
            found |= *at == c;
        }
    }
    *end = *at ? at + 1 : NULL;
    return found != negated;
}

/* Whether the pattern's one item at *pattern takes c; *pattern is moved behind it. */
static int item_takes(const char **pattern, char c)
{
    const char *end = NULL;
    int takes = 0;

    switch (**pattern) {
    case '?':
        ++*pattern;
        return 1;
    case '[':
        takes = in_class(*pattern + 1, c, &end);
        if (end) {
            *pattern = end;
            return takes;
        }
        break; /* an open class is a plain '[' */
    case '\\':
        *pattern += (*pattern)[1] != '\0';
        break;
    default:
        break;
    }
    return *(*pattern)++ == c;
}

int oc_text_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL; /* behind the last '*', and where its text may end */

    while (*text) {
        const char *next = pattern;

        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern && item_takes(&next, *text)) {
            pattern = next;
            text++;
        } else if (star) {
            pattern = star;
            text = ++retry;
        } else {
            return 0;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

int oc_text_copy(char *out, size_t out_bytes, const char *text)
{
    size_t len_bytes = strlen(text);
    size_t fits = len_bytes < out_bytes ? len_bytes : out_bytes - 1;

    memcpy(out, text, fits);
    out[fits] = '\0';
    return fits == len_bytes ? OC_OK : OC_E_TOOBIG;
}
