#include "notify/encode.h"

#include "base/err.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void oc_base64_write(const void *bytes, size_t len_bytes, char *out)
{
    const unsigned char *in = bytes;

    for (size_t at = 0; at < len_bytes; at += 3) {
        size_t left = len_bytes - at;
        uint32_t group = (uint32_t)in[at] << 16;

        if (left > 1)
            group |= (uint32_t)in[at + 1] << 8;
        if (left > 2)
            group |= in[at + 2];
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = '=';
        *out++ = '=';
        if (left > 1)
            out[-2] = digits[group >> 6 & 63];
        if (left > 2)
            out[-1] = digits[group & 63];
    }
    *out = '\0';
}

/* Four characters as 24 bits. 0 or OC_E_PARSE. */
static int read_group(const char *text, size_t padding, uint32_t *out_group)
{
    uint32_t group = 0;

    for (size_t i = 0; i < 4; i++) {
        const char *digit = memchr(digits, text[i], sizeof(digits) - 1);

        if (!digit && (i < 4 - padding || text[i] != '='))
            return OC_E_PARSE;
        group = group << 6 | (digit ? (uint32_t)(digit - digits) : 0);
    }
    *out_group = group;
    return OC_OK;
}

int oc_base64_read(const char *text, size_t len_bytes, unsigned char *out, size_t max_bytes)
{
    size_t padding = 0, count = 0;

    if (len_bytes == 0 || len_bytes % 4 != 0)
        return OC_E_PARSE;
    while (padding < 2 && text[len_bytes - 1 - padding] == '=')
        padding++;
    if (len_bytes / 4 * 3 - padding > max_bytes)
        return OC_E_TOOBIG;
    for (size_t at = 0; at < len_bytes; at += 4) {
        size_t absent = at + 4 == len_bytes ? padding : 0;
        uint32_t group = 0;

        if (read_group(text + at, absent, &group) < 0)
            return OC_E_PARSE;
        for (size_t i = 0; i < 3 - absent; i++)
            out[count++] = (unsigned char)(group >> (16 - 8 * i));
    }
    return (int)count;
}

static char lower(char c) { return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); }

int oc_same_name(const char *a, const char *b, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++) {
        if (lower(a[i]) != lower(b[i]))
            return 0;
        if (a[i] == '\0')
            return 1;
    }
    return 1;
}
