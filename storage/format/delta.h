/*
 * One sample as what changed since the one before of the same source and block: the same bytes in
 * the journal and in the open samples in memory.
 *
 *   body   := (unless OC_DELTA_SAME_KNOWN: varint (known ^ known before; before a reset it is 0))
 *             | varint changed | a step for each bit set in changed, in turn
 *   changed: bit i is the i-th known figure (i-th set bit of known)
 *   step   := (d & 1023) == 0: varint zigzag(d / 1024) * 2
 *             else varint zigzag(d) * 2 + 1; where that would not fit: varint 1, varint zigzag(d)
 *   d      := value - value before (0 where it was unknown), wrapping
 *
 * Memory is counted in KiB or pages by the OS: the first form saves a byte for most figures.
 */
#ifndef OC_STORAGE_FORMAT_DELTA_H
#define OC_STORAGE_FORMAT_DELTA_H

#include "base/sample.h"

#include <stddef.h>
#include <stdint.h>

enum oc_delta_kind {
    OC_DELTA_SAME_KNOWN = 0, /* the same figures are known as before */
    OC_DELTA_KNOWN = 1,      /* others are */
    OC_DELTA_RESET = 2       /* nothing before it is needed */
};

#define OC_DELTA_MAX_BYTES (10 + 10 + 64 * 11)

/* The sample before: its known values, packed in the order of bits. */
struct oc_packed {
    uint64_t known;
    int64_t *values; /* owned; room for value_cap */
    uint32_t value_cap;
};

void oc_packed_clear(struct oc_packed *packed);

/* Makes room for count values. 0 or OC_E_NOMEM (then as before). */
int oc_packed_reserve(struct oc_packed *packed, unsigned count);

unsigned oc_popcount64(uint64_t bits);

/* Takes over the sample's known values. 0 or OC_E_NOMEM. */
int oc_packed_set(struct oc_packed *packed, const struct oc_sample *sample);

/* Gives known and values to *out_sample; its block is the caller's business. */
void oc_packed_get(const struct oc_packed *packed, struct oc_sample *out_sample);

/* Whether the sample says just what packed holds. */
int oc_packed_equals(const struct oc_packed *packed, const struct oc_sample *sample);

/*
 * Writes the body for sample after packed to out (OC_DELTA_MAX_BYTES) and gives its kind. With
 * reset, packed is not looked at. Returns the number of bytes.
 */
size_t oc_delta_put(const struct oc_packed *packed, const struct oc_sample *sample, int reset,
                    uint8_t *out, enum oc_delta_kind *out_kind);

/* Reads a body at [at, end) into *packed. *out_end: the byte after it. 0, OC_E_PARSE, OC_E_NOMEM.
 */
int oc_delta_get(struct oc_packed *packed, enum oc_delta_kind kind, const uint8_t *at,
                 const uint8_t *end, const uint8_t **out_end);

/* Finds the end of a body without decoding it; known_count: figures known before. */
const uint8_t *oc_delta_skip(enum oc_delta_kind kind, const uint8_t *at, const uint8_t *end);

#endif
