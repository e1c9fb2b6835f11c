/*
 * Integers as bytes: seven bits each, least first, the top bit says that more follow; signed ones
 * with the sign in bit 0. Reading is checked: bytes from a file are never trusted.
 */
#ifndef OC_STORAGE_FORMAT_VARINT_H
#define OC_STORAGE_FORMAT_VARINT_H

#include <stddef.h>
#include <stdint.h>

#define OC_VARINT_MAX_BYTES 10

static inline uint64_t oc_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static inline int64_t oc_unzigzag(uint64_t coded)
{
    return (int64_t)((coded >> 1) ^ (0 - (coded & 1)));
}

/* a - b and a + b that wrap instead of being undefined: both ends of a column agree on it. */
static inline int64_t oc_wrap_sub(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline int64_t oc_wrap_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* Writes at most OC_VARINT_MAX_BYTES to at; returns the byte after them. */
static inline uint8_t *oc_varint_put(uint8_t *at, uint64_t value)
{
    while (value >= 128) {
        *at++ = (uint8_t)(value | 128);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* The rest of oc_varint_get: more than one byte, or none left. */
static inline const uint8_t *oc_varint_get_long(const uint8_t *at, const uint8_t *end,
                                                uint64_t *out_value)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
        uint8_t byte = *at++;

        value |= (uint64_t)(byte & 127) << shift;
        if (!(byte & 128)) {
            *out_value = value;
            return at;
        }
    }
    return NULL;
}

/* Reads one from [at, end); returns the byte after it, or NULL where the bytes end or run on. */
static inline const uint8_t *oc_varint_get(const uint8_t *at, const uint8_t *end,
                                           uint64_t *out_value)
{
    if (at < end && !(*at & 128)) {
        *out_value = *at;
        return at + 1;
    }
    return oc_varint_get_long(at, end, out_value);
}

#endif
