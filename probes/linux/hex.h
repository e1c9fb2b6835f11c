/* Addresses as the kernel writes them: hex in lower case. For the two parsers of maps, where each ns counts. */
#ifndef OC_PROBES_LINUX_HEX_H
#define OC_PROBES_LINUX_HEX_H

#include <stdint.h>

/* 16 + the digit; 0: no digit. A newline is none, so that a line bounds its numbers. */
static const uint8_t oc_lx_hex_value[256] = {
    ['0'] = 16, ['1'] = 17, ['2'] = 18, ['3'] = 19, ['4'] = 20, ['5'] = 21, ['6'] = 22, ['7'] = 23,
    ['8'] = 24, ['9'] = 25, ['a'] = 26, ['b'] = 27, ['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31,
};

/* The number at `at`, which some other character ends; its high digits are lost beyond 16. Where it ends. */
static inline const char *oc_lx_hex(const char *at, uint64_t *out_value)
{
    uint64_t value = 0;
    unsigned digit = 0;

    while ((digit = oc_lx_hex_value[(unsigned char)*at]) != 0) {
        value = value << 4 | (digit & 15u);
        at++;
    }
    *out_value = value;
    return at;
}

#endif
