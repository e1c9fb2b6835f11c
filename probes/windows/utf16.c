#include "probes/windows/utf16.h"

#include "base/text.h"

#include <stdint.h>
#include <string.h>

/* The character at text, of one unit or a pair; returns units taken. A lone surrogate is U+FFFD. */
static size_t take_utf16(const unsigned char *text, size_t units, uint32_t *out_char)
{
    uint32_t c = (uint32_t)text[0] | (uint32_t)text[1] << 8, low = 0;

    *out_char = c;
    if (c < 0xd800 || c >= 0xe000)
        return 1;
    if (units > 1)
        low = (uint32_t)text[2] | (uint32_t)text[3] << 8;
    if (c >= 0xdc00 || low < 0xdc00 || low >= 0xe000) {
        *out_char = 0xfffd;
        return 1;
    }
    *out_char = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    return 2;
}

/* Bytes of a character as UTF-8. */
static size_t put_utf8(uint32_t c, char out[4])
{
    static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t len_bytes = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = len_bytes - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)(first[len_bytes] | c);
    return len_bytes;
}

size_t oc_win_utf8(const void *text, size_t units, char *out, size_t out_bytes)
{
    const unsigned char *from = text;
    size_t used = 0;

    for (size_t i = 0; i < units;) {
        uint32_t c = 0;
        char one[4];
        size_t one_bytes = 0;

        i += take_utf16(from + 2 * i, units - i, &c);
        one_bytes = put_utf8(c, one);
        if (c == 0 || used + one_bytes >= out_bytes)
            break;
        memcpy(out + used, one, one_bytes);
        used += one_bytes;
    }
    out[used] = '\0';
    return used;
}

/* The character at text of len_bytes bytes. */
static uint32_t take_utf8(const char *text, size_t len_bytes)
{
    static const unsigned char mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t c = (uint32_t)((unsigned char)text[0] & mask[len_bytes]);

    for (size_t i = 1; i < len_bytes; i++)
        c = c << 6 | ((unsigned char)text[i] & 0x3fu);
    return c;
}

static void put_unit(unsigned char *out, uint32_t unit)
{
    out[0] = (unsigned char)(unit & 0xff);
    out[1] = (unsigned char)(unit >> 8 & 0xff);
}

size_t oc_win_utf16(const char *text, void *out, size_t max_units)
{
    unsigned char *to = out;
    size_t units = 0;

    while (*text != '\0') {
        size_t len_bytes = oc_text_utf8_char(text, 4);
        uint32_t c = len_bytes ? take_utf8(text, len_bytes) : 0xfffd;

        if (units + (c > 0xffff ? 2 : 1) > max_units)
            break;
        if (c > 0xffff) {
            put_unit(to + 2 * units++, 0xd800 + ((c - 0x10000) >> 10));
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        put_unit(to + 2 * units++, c);
        text += len_bytes ? len_bytes : 1;
    }
    return units;
}
