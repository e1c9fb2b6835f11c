#include "probes/family_parts.h"

#include <string.h>

#define LONG_HEX_BYTES 16u
#define HEX_BYTES 8u
#define UUID_BYTES 36u

uint64_t oc_name_hash_bytes(uint64_t hash, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

uint64_t oc_name_hash_end(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static int is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t word_end(const char *text, size_t len, size_t at)
{
    while (at < len && is_word(text[at]))
        at++;
    return at;
}

/* With too many, the first ones go: they stay as they stand. */
static void add_span(struct oc_name_spans *spans, size_t start, size_t end)
{
    if (spans->count == OC_NAME_SPANS_MAX) {
        memmove(spans->items, spans->items + 1, (OC_NAME_SPANS_MAX - 1) * sizeof spans->items[0]);
        spans->count--;
    }
    spans->items[spans->count++] =
        (struct oc_name_span){ (uint16_t)start, (uint16_t)(end - start) };
}

static int is_uuid(const char *text, size_t left)
{
    if (left < UUID_BYTES || (left > UUID_BYTES && is_word(text[UUID_BYTES])))
        return 0;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        const int is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash ? text[i] != '-' : !is_hex(text[i]))
            return 0;
    }
    return 1;
}

/* Whether a word with digits is generated as a whole: "x6cw", "9b2k", "deadbeef01", "1234". */
static int is_generated(const char *word, size_t len)
{
    size_t digits = 0, hexes = 0, turns = 0;

    for (size_t i = 0; i < len; i++) {
        digits += (size_t)is_digit(word[i]);
        hexes += (size_t)is_hex(word[i]);
        turns += (size_t)(i > 0 && is_digit(word[i]) != is_digit(word[i - 1]));
    }
    if (digits == len)
        return 1;
    if (hexes == len && (len >= LONG_HEX_BYTES || (len >= HEX_BYTES && digits >= 2)))
        return 1;
    return len >= OC_NAME_WORD_BYTES && turns >= 2;
}

/* Numbers in a word: of "worker12", "libfoo2bar". */
static void add_numbers(struct oc_name_spans *spans, const char *text, size_t start, size_t end)
{
    for (size_t at = start; at < end; at++) {
        const size_t from = at;

        while (at < end && is_digit(text[at]))
            at++;
        if (at > from)
            add_span(spans, from, at);
    }
}

void oc_name_find_spans(const char *text, size_t len, struct oc_name_spans *out_spans)
{
    out_spans->count = 0;
    for (size_t at = 0; at < len;) {
        const size_t end = word_end(text, len, at);

        if (end == at) {
            at++;
            continue;
        }
        if (is_uuid(text + at, len - at)) {
            add_span(out_spans, at, at + UUID_BYTES);
            at += UUID_BYTES;
            continue;
        }
        if (is_generated(text + at, end - at))
            add_span(out_spans, at, end);
        else
            add_numbers(out_spans, text, at, end);
        at = end;
    }
}

void oc_name_find_words(const char *text, size_t len, struct oc_name_spans *out_words)
{
    out_words->count = 0;
    for (size_t at = 0; at < len;) {
        const size_t end = word_end(text, len, at);

        if (end > at)
            add_span(out_words, at, end);
        at = end + (end == at);
    }
}

int oc_name_with_word(const struct oc_name_spans *spans, struct oc_name_span word,
                      struct oc_name_spans *out)
{
    int is_in = 0;

    out->count = 0;
    for (unsigned i = 0; i < spans->count; i++) {
        const struct oc_name_span span = spans->items[i];

        if (span.start >= word.start && oc_name_span_end(span) <= oc_name_span_end(word))
            continue;
        if (span.start < oc_name_span_end(word) && word.start < oc_name_span_end(span))
            return 0;
        if (!is_in && span.start > word.start) {
            add_span(out, word.start, oc_name_span_end(word));
            is_in = 1;
        }
        add_span(out, span.start, oc_name_span_end(span));
    }
    if (!is_in)
        add_span(out, word.start, oc_name_span_end(word));
    return 1;
}

uint64_t oc_name_shape_hash(unsigned kind, const char *text, size_t len,
                            const struct oc_name_spans *spans)
{
    uint64_t hash = OC_NAME_HASH_START ^ kind;
    size_t at = 0;

    for (unsigned i = 0; i < spans->count; i++) {
        hash = oc_name_hash_bytes(hash, text + at, spans->items[i].start - at);
        hash = oc_name_hash_bytes(hash, "", 1); /* no name holds it */
        at = oc_name_span_end(spans->items[i]);
    }
    return oc_name_hash_end(oc_name_hash_bytes(hash, text + at, len - at));
}
