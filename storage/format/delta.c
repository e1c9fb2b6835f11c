#include "storage/format/delta.h"

#include "base/alloc.h"
#include "base/err.h"
#include "storage/format/varint.h"

#include <string.h>

#define OC_PACKED_STEP 4  /* room for values grows by these */
#define OC_STEP_UNIT 1024 /* the OS counts memory in KiB or pages */
#define OC_STEP_LONG 1    /* what a plain step of 0 would be, which there never is */
#define OC_STEP_MAX_PLAIN (UINT64_MAX >> 1)

unsigned oc_popcount64(uint64_t bits)
{
    /* sums of ever wider fields; the builtin is a call to a table where the CPU is not known */
    bits -= (bits >> 1) & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + ((bits >> 2) & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(bits * UINT64_C(0x0101010101010101) >> 56);
}

static unsigned lowest_bit(uint64_t bits)
{
#if defined(__GNUC__)
    return (unsigned)__builtin_ctzll(bits);
#else
    unsigned bit = 0;

    for (; !(bits & 1); bits >>= 1)
        bit++;
    return bit;
#endif
}

void oc_packed_clear(struct oc_packed *packed)
{
    oc_free(packed->values);
    *packed = (struct oc_packed){ 0 };
}

int oc_packed_reserve(struct oc_packed *packed, unsigned count)
{
    int64_t *values;
    uint32_t cap = (count + OC_PACKED_STEP - 1) / OC_PACKED_STEP * OC_PACKED_STEP;

    if (count <= packed->value_cap)
        return OC_OK;
    values = oc_realloc(packed->values, cap * sizeof *values);
    if (!values)
        return OC_E_NOMEM;
    packed->values = values;
    packed->value_cap = cap;
    return OC_OK;
}

int oc_packed_set(struct oc_packed *packed, const struct oc_sample *sample)
{
    int64_t *out;
    int rc = oc_packed_reserve(packed, oc_popcount64(sample->known));

    if (rc < 0)
        return rc;
    out = packed->values;
    for (uint64_t bits = sample->known; bits; bits &= bits - 1)
        *out++ = sample->values[lowest_bit(bits)];
    packed->known = sample->known;
    return OC_OK;
}

void oc_packed_get(const struct oc_packed *packed, struct oc_sample *out_sample)
{
    const int64_t *in = packed->values;

    out_sample->known = packed->known;
    for (uint64_t bits = packed->known; bits; bits &= bits - 1)
        out_sample->values[lowest_bit(bits)] = *in++;
}

int oc_packed_equals(const struct oc_packed *packed, const struct oc_sample *sample)
{
    const int64_t *in = packed->values;

    if (packed->known != sample->known)
        return 0;
    for (uint64_t bits = sample->known; bits; bits &= bits - 1)
        if (sample->values[lowest_bit(bits)] != *in++)
            return 0;
    return 1;
}

/* The values that the sample's known figures had before, in their order; 0 where there was none. */
static void before_of(const struct oc_packed *packed, uint64_t known, int64_t *out_before)
{
    const int64_t *in = packed->values;
    uint64_t was = packed->known;

    for (uint64_t bits = known | was; bits; bits &= bits - 1) {
        uint64_t bit = bits & (0 - bits);
        int64_t value = was & bit ? *in++ : 0;

        if (known & bit)
            *out_before++ = value;
    }
}

static uint8_t *step_put(uint8_t *at, int64_t step)
{
    uint64_t coded;

    if (step % OC_STEP_UNIT == 0)
        return oc_varint_put(at, oc_zigzag(step / OC_STEP_UNIT) << 1);
    coded = oc_zigzag(step);
    if (coded <= OC_STEP_MAX_PLAIN)
        return oc_varint_put(at, coded << 1 | 1);
    *at++ = OC_STEP_LONG;
    return oc_varint_put(at, coded);
}

static const uint8_t *step_get(const uint8_t *at, const uint8_t *end, int64_t *out_step)
{
    uint64_t coded;

    at = oc_varint_get(at, end, &coded);
    if (!at)
        return NULL;
    if (coded == OC_STEP_LONG) {
        at = oc_varint_get(at, end, &coded);
        *out_step = at ? oc_unzigzag(coded) : 0;
    } else if (coded & 1) {
        *out_step = oc_unzigzag(coded >> 1);
    } else {
        *out_step = (int64_t)((uint64_t)oc_unzigzag(coded >> 1) * OC_STEP_UNIT);
    }
    return at;
}

size_t oc_delta_put(const struct oc_packed *packed, const struct oc_sample *sample, int reset,
                    uint8_t *out, enum oc_delta_kind *out_kind)
{
    static const struct oc_packed nothing = { 0 };
    int64_t before[OC_BLOCK_METRICS], steps[OC_BLOCK_METRICS];
    const int64_t *was = before;
    const struct oc_packed *from = reset ? &nothing : packed;
    uint64_t changed = 0;
    unsigned rank = 0, step_count = 0;
    uint8_t *at = out;

    *out_kind = reset ? OC_DELTA_RESET : OC_DELTA_KNOWN;
    if (!reset && from->known == sample->known) {
        *out_kind = OC_DELTA_SAME_KNOWN;
        was = from->values;
    } else {
        at = oc_varint_put(at, from->known ^ sample->known);
        before_of(from, sample->known, before);
    }
    for (uint64_t bits = sample->known; bits; bits &= bits - 1, rank++) {
        int64_t value = sample->values[lowest_bit(bits)];

        if (value == was[rank])
            continue;
        changed |= UINT64_C(1) << rank;
        steps[step_count++] = oc_wrap_sub(value, was[rank]);
    }
    at = oc_varint_put(at, changed);
    for (unsigned i = 0; i < step_count; i++)
        at = step_put(at, steps[i]);
    return (size_t)(at - out);
}

/* Lays packed out for another set of known figures: those new begin at 0. */
static int relay(struct oc_packed *packed, uint64_t known)
{
    int64_t before[OC_BLOCK_METRICS];
    unsigned count = oc_popcount64(known);
    int rc = oc_packed_reserve(packed, count);

    if (rc < 0)
        return rc;
    before_of(packed, known, before);
    if (count)
        memcpy(packed->values, before, count * sizeof *before);
    packed->known = known;
    return OC_OK;
}

int oc_delta_get(struct oc_packed *packed, enum oc_delta_kind kind, const uint8_t *at,
                 const uint8_t *end, const uint8_t **out_end)
{
    uint64_t other, changed;
    int rc;

    if (kind == OC_DELTA_RESET)
        packed->known = 0;
    if (kind != OC_DELTA_SAME_KNOWN) {
        at = oc_varint_get(at, end, &other);
        if (!at)
            return OC_E_PARSE;
        rc = relay(packed, packed->known ^ other);
        if (rc < 0)
            return rc;
    }
    at = oc_varint_get(at, end, &changed);
    if (!at)
        return OC_E_PARSE;
    for (; changed; changed &= changed - 1) {
        unsigned rank = lowest_bit(changed);
        int64_t step;

        if (rank >= oc_popcount64(packed->known))
            return OC_E_PARSE;
        at = step_get(at, end, &step);
        if (!at)
            return OC_E_PARSE;
        packed->values[rank] = oc_wrap_add(packed->values[rank], step);
    }
    *out_end = at;
    return OC_OK;
}

const uint8_t *oc_delta_skip(enum oc_delta_kind kind, const uint8_t *at, const uint8_t *end)
{
    uint64_t ignored, changed;
    int64_t step;

    if (kind != OC_DELTA_SAME_KNOWN)
        at = oc_varint_get(at, end, &ignored);
    if (at)
        at = oc_varint_get(at, end, &changed);
    if (!at)
        return NULL;
    for (; changed && at; changed &= changed - 1)
        at = step_get(at, end, &step);
    return at;
}
