#include "probes/family.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define SPANS_MAX 16   /* generated parts of a name: the last ones, since a path's end says more */
#define TRIED_TOKENS 6 /* words of a name that are tried for a generated part without digits */
#define SEED_NAMES 8u  /* of one shape make it a place where a word may be a generated part too */
#define SAME_LENGTH_MIN 64u /* words of one length in one place: nobody names files so */
#define WORD_MIN_BYTES 4u
#define LONG_HEX_BYTES 16u
#define HEX_BYTES 8u
#define UUID_BYTES 36u
#define FIRST_SLOTS 256u

static const struct {
    uint32_t rows;      /* of this kind in a census */
    uint32_t fold_from; /* different names of a shape; fewer stay apart */
} kinds[OC_FAMILY_KINDS] = {
    [OC_FAMILY_MODULE] = { 512, 4 },
    [OC_FAMILY_MAPPING] = { 256, 4 },
    [OC_FAMILY_THREAD] = { 128, 2 },
    [OC_FAMILY_FD] = { 128, 4 },
};
_Static_assert(512 + 256 + 128 + 128 <= OC_CENSUS_FAMILIES_MAX, "rows of all kinds");

#define NO_GROUP UINT32_MAX

struct name {
    uint64_t bytes;
    uint32_t at, len;
    uint32_t hash;
    uint32_t count, deleted;
    uint32_t group; /* that it is folded into, or NO_GROUP */
    uint8_t kind;
};

struct span {
    uint16_t start, len;
};
struct spans {
    unsigned count;
    struct span items[SPANS_MAX];
};

/* Names of one shape. */
struct group {
    uint64_t hash;
    uint64_t bytes;
    uint32_t first; /* name that its shape is drawn from: the least */
    uint32_t distinct, count, deleted;
    uint32_t differs;   /* bit for each span whose text is not the same for all */
    struct spans spans; /* of the first that came */
    uint32_t spans_of;
    uint16_t min_len[SPANS_MAX], max_len[SPANS_MAX];
    uint8_t kind;
};

/* What a kind had beyond the maxima. */
struct rest {
    uint64_t bytes;
    uint32_t count, deleted;
};

struct oc_families {
    struct name *names;
    size_t name_count, name_capacity;
    uint32_t *slots; /* name's index from 1 */
    size_t slot_count;
    char *text;
    size_t text_bytes, text_capacity;
    size_t kind_names[OC_FAMILY_KINDS];
    struct rest rest[OC_FAMILY_KINDS];
    uint8_t has_kind[OC_FAMILY_KINDS];
    struct group *groups;
    size_t group_count, group_capacity;
    uint32_t *group_slots;
    size_t group_slot_count;
    int is_truncated;
};

oc_families *oc_families_new(void) { return oc_calloc(1, sizeof(oc_families)); }

static void empty(oc_families *families)
{
    oc_free(families->names);
    oc_free(families->slots);
    oc_free(families->text);
    oc_free(families->groups);
    oc_free(families->group_slots);
    memset(families, 0, sizeof *families);
}

void oc_families_free(oc_families *families)
{
    if (!families)
        return;
    empty(families);
    oc_free(families);
}

/* ---- names, each once ---- */

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t hash_end(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

#define HASH_START UINT64_C(0xcbf29ce484222325)

static size_t find_name(const oc_families *families, unsigned kind, const char *text, size_t len,
                        uint32_t hash)
{
    size_t at = hash & (families->slot_count - 1);

    while (families->slots[at] != 0) {
        const struct name *name = &families->names[families->slots[at] - 1];

        if (name->hash == hash && name->kind == kind && name->len == len &&
            memcmp(families->text + name->at, text, len) == 0)
            break;
        at = (at + 1) & (families->slot_count - 1);
    }
    return at;
}

static int grow_slots(oc_families *families)
{
    const size_t count = families->slot_count ? families->slot_count * 2 : FIRST_SLOTS;
    uint32_t *slots = oc_calloc(count, sizeof *slots);

    if (!slots)
        return OC_E_NOMEM;
    for (size_t i = 0; i < families->name_count; i++) {
        size_t at = families->names[i].hash & (count - 1);

        while (slots[at] != 0)
            at = (at + 1) & (count - 1);
        slots[at] = (uint32_t)i + 1;
    }
    oc_free(families->slots);
    families->slots = slots;
    families->slot_count = count;
    return OC_OK;
}

/* Appends a name with its text; OC_E_TOOBIG: a maximum is met. */
static int append_name(oc_families *families, unsigned kind, const char *text, size_t len,
                       uint32_t hash)
{
    int rc = families->kind_names[kind] == OC_FAMILY_NAMES_MAX ? OC_E_TOOBIG : OC_OK;

    if (rc == OC_OK)
        rc = oc_array_grow((void **)&families->text, &families->text_capacity,
                           families->text_bytes + len + 1, 1, OC_FAMILY_TEXT_MAX);
    if (rc == OC_OK)
        rc = oc_array_grow((void **)&families->names, &families->name_capacity,
                           families->name_count + 1, sizeof *families->names,
                           OC_FAMILY_NAMES_MAX * (size_t)OC_FAMILY_KINDS);
    if (rc != OC_OK)
        return rc;
    memcpy(families->text + families->text_bytes, text, len);
    families->names[families->name_count++] = (struct name){ .at = (uint32_t)families->text_bytes,
                                                             .len = (uint32_t)len,
                                                             .hash = hash,
                                                             .group = NO_GROUP,
                                                             .kind = (uint8_t)kind };
    families->text_bytes += len;
    families->kind_names[kind]++;
    return OC_OK;
}

static void count_rest(oc_families *families, unsigned kind, uint32_t count, uint64_t bytes,
                       uint32_t deleted)
{
    families->rest[kind].count += count;
    families->rest[kind].bytes += bytes;
    families->rest[kind].deleted += deleted;
    families->is_truncated = 1;
}

void oc_families_add_rest(oc_families *families, enum oc_family_kind kind, uint32_t count)
{
    if (count == 0)
        return;
    families->has_kind[kind] = 1;
    count_rest(families, kind, count, 0, 0);
}

/* Names end at a NUL, which shapes are told apart by. */
static size_t name_bytes(const char *text, size_t len_bytes)
{
    const size_t len = len_bytes < OC_FAMILY_NAME_MAX ? len_bytes : OC_FAMILY_NAME_MAX;
    const char *nul = memchr(text, '\0', len);

    return nul ? (size_t)(nul - text) : len;
}

int oc_families_add(oc_families *families, enum oc_family_kind kind, const char *text,
                    size_t len_bytes, uint32_t count, uint64_t bytes, uint32_t deleted_count)
{
    const size_t len = name_bytes(text, len_bytes);
    const uint32_t hash = (uint32_t)hash_end(hash_bytes(HASH_START ^ kind, text, len));
    struct name *name = NULL;
    size_t slot = 0;
    int rc = OC_OK;

    families->has_kind[kind] = 1;
    if (families->name_count * 2 >= families->slot_count)
        rc = grow_slots(families);
    if (rc != OC_OK)
        return rc;
    slot = find_name(families, kind, text, len, hash);
    if (families->slots[slot] == 0) {
        rc = append_name(families, kind, text, len, hash);
        if (rc == OC_E_TOOBIG) {
            count_rest(families, kind, count, bytes, deleted_count);
            return OC_OK;
        }
        if (rc != OC_OK)
            return rc;
        families->slots[slot] = (uint32_t)families->name_count;
    }
    name = &families->names[families->slots[slot] - 1];
    name->count += count;
    name->bytes += bytes;
    name->deleted += deleted_count;
    return OC_OK;
}

/* ---- generated parts ---- */

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
static void add_span(struct spans *spans, size_t start, size_t end)
{
    if (spans->count == SPANS_MAX) {
        memmove(spans->items, spans->items + 1, (SPANS_MAX - 1) * sizeof spans->items[0]);
        spans->count--;
    }
    spans->items[spans->count++] = (struct span){ (uint16_t)start, (uint16_t)(end - start) };
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
    return len >= WORD_MIN_BYTES && turns >= 2;
}

/* Numbers in a word: of "worker12", "libfoo2bar". */
static void add_numbers(struct spans *spans, const char *text, size_t start, size_t end)
{
    for (size_t at = start; at < end; at++) {
        const size_t from = at;

        while (at < end && is_digit(text[at]))
            at++;
        if (at > from)
            add_span(spans, from, at);
    }
}

/* Parts that look generated by themselves. */
static void find_spans(const char *text, size_t len, struct spans *out_spans)
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

/* All words. */
static void find_words(const char *text, size_t len, struct spans *out_words)
{
    out_words->count = 0;
    for (size_t at = 0; at < len;) {
        const size_t end = word_end(text, len, at);

        if (end > at)
            add_span(out_words, at, end);
        at = end + (end == at);
    }
}

static size_t span_end(struct span span) { return (size_t)span.start + span.len; }

/* The spans with a word as another one, in place of those within it. 0: it is part of a UUID. */
static int with_word(const struct spans *spans, struct span word, struct spans *out)
{
    int is_in = 0;

    out->count = 0;
    for (unsigned i = 0; i < spans->count; i++) {
        const struct span span = spans->items[i];

        if (span.start >= word.start && span_end(span) <= span_end(word))
            continue;
        if (span.start < span_end(word) && word.start < span_end(span))
            return 0;
        if (!is_in && span.start > word.start) {
            add_span(out, word.start, span_end(word));
            is_in = 1;
        }
        add_span(out, span.start, span_end(span));
    }
    if (!is_in)
        add_span(out, word.start, span_end(word));
    return 1;
}

static uint64_t shape_hash(unsigned kind, const char *text, size_t len, const struct spans *spans)
{
    uint64_t hash = HASH_START ^ kind;
    size_t at = 0;

    for (unsigned i = 0; i < spans->count; i++) {
        hash = hash_bytes(hash, text + at, spans->items[i].start - at);
        hash = hash_bytes(hash, "", 1); /* no name holds it */
        at = span_end(spans->items[i]);
    }
    return hash_end(hash_bytes(hash, text + at, len - at));
}

/* ---- groups ---- */

static size_t group_slot(const oc_families *families, uint64_t hash)
{
    size_t at = (size_t)hash & (families->group_slot_count - 1);

    while (families->group_slots[at] != 0 &&
           families->groups[families->group_slots[at] - 1].hash != hash)
        at = (at + 1) & (families->group_slot_count - 1);
    return at;
}

static int grow_group_slots(oc_families *families)
{
    const size_t count = families->group_slot_count ? families->group_slot_count * 2 : FIRST_SLOTS;
    uint32_t *slots = oc_calloc(count, sizeof *slots);

    if (!slots)
        return OC_E_NOMEM;
    for (size_t i = 0; families->groups && i < families->group_count; i++) {
        size_t at = (size_t)families->groups[i].hash & (count - 1);

        while (slots[at] != 0)
            at = (at + 1) & (count - 1);
        slots[at] = (uint32_t)i + 1;
    }
    oc_free(families->group_slots);
    families->group_slots = slots;
    families->group_slot_count = count;
    return OC_OK;
}

/* The group of a shape, or NULL. */
static struct group *find_group(const oc_families *families, uint64_t hash)
{
    uint32_t index = 0;

    if (families->group_slots)
        index = families->group_slots[group_slot(families, hash)];
    return index ? &families->groups[index - 1] : NULL;
}

static int add_group(oc_families *families, uint64_t hash, uint32_t name, const struct spans *spans,
                     struct group **out_group)
{
    struct group *group = NULL;
    int rc = OC_OK;

    if (families->group_count * 2 >= families->group_slot_count)
        rc = grow_group_slots(families);
    if (rc == OC_OK)
        rc = oc_array_grow((void **)&families->groups, &families->group_capacity,
                           families->group_count + 1, sizeof *families->groups, UINT32_MAX / 2);
    if (rc != OC_OK)
        return rc;
    families->group_slots[group_slot(families, hash)] = (uint32_t)families->group_count + 1;
    group = &families->groups[families->group_count++];
    *group = (struct group){ .hash = hash,
                             .first = name,
                             .spans = *spans,
                             .spans_of = name,
                             .kind = families->names[name].kind };
    memset(group->min_len, 0xff, sizeof group->min_len);
    *out_group = group;
    return OC_OK;
}

static const char *name_text(const oc_families *families, uint32_t name)
{
    return families->text + families->names[name].at;
}

static int is_less(const oc_families *families, uint32_t a, uint32_t b)
{
    const struct name *x = &families->names[a], *y = &families->names[b];
    const int order =
        memcmp(name_text(families, a), name_text(families, b), x->len < y->len ? x->len : y->len);

    return order < 0 || (order == 0 && x->len < y->len);
}

/* Takes a name in, whose generated parts are `spans`. */
static void join(oc_families *families, struct group *group, uint32_t index,
                 const struct spans *spans)
{
    struct name *name = &families->names[index];
    const char *text = name_text(families, index);
    const char *first = name_text(families, group->spans_of);

    for (unsigned i = 0; i < spans->count && i < group->spans.count; i++) {
        const struct span a = group->spans.items[i], b = spans->items[i];

        if (a.len != b.len || memcmp(first + a.start, text + b.start, a.len) != 0)
            group->differs |= 1u << i;
        if (b.len < group->min_len[i])
            group->min_len[i] = b.len;
        if (b.len > group->max_len[i])
            group->max_len[i] = b.len;
    }
    if (is_less(families, index, group->first))
        group->first = index;
    group->distinct++;
    group->count += name->count;
    group->bytes += name->bytes;
    group->deleted += name->deleted;
    name->group = (uint32_t)(group - families->groups);
}

/* Names whose parts look generated by themselves. */
static int group_by_shape(oc_families *families)
{
    for (size_t i = 0; i < families->name_count; i++) {
        const struct name *name = &families->names[i];
        const char *text = families->text + name->at;
        struct group *group = NULL;
        struct spans spans;
        uint64_t hash = 0;
        int rc = OC_OK;

        find_spans(text, name->len, &spans);
        if (spans.count == 0)
            continue;
        hash = shape_hash(name->kind, text, name->len, &spans);
        group = find_group(families, hash);
        if (!group)
            rc = add_group(families, hash, (uint32_t)i, &spans, &group);
        if (rc != OC_OK)
            return rc;
        join(families, group, (uint32_t)i, &spans);
    }
    return OC_OK;
}

static int is_folded(const struct group *group)
{
    return group->distinct >= kinds[group->kind].fold_from;
}

/* Groups that are too small let their names go. */
static void dissolve_small(oc_families *families)
{
    for (size_t i = 0; i < families->name_count; i++) {
        struct name *name = &families->names[i];

        if (name->group != NO_GROUP && !is_folded(&families->groups[name->group]))
            name->group = NO_GROUP;
    }
}

/* ---- words without digits among generated ones: "qrt-abcd.dll" beside "qrt-x6cw.dll" ---- */

static unsigned index_of(const struct spans *spans, struct span word)
{
    unsigned i = 0;

    while (i < spans->count && spans->items[i].start != word.start)
        i++;
    return i;
}

static struct group *seeded_group(const oc_families *families, const struct name *name,
                                  const struct spans *spans, struct span word,
                                  struct spans *out_spans)
{
    const char *text = families->text + name->at;
    struct group *group = NULL;
    unsigned at = 0;

    if (!with_word(spans, word, out_spans))
        return NULL;
    group = find_group(families, shape_hash(name->kind, text, name->len, out_spans));
    at = index_of(out_spans, word);
    if (!group || group->distinct < SEED_NAMES || at >= group->spans.count ||
        !(group->differs >> at & 1u) || word.len < group->min_len[at] ||
        word.len > group->max_len[at])
        return NULL;
    return group;
}

static int has_seeds(const oc_families *families)
{
    for (size_t i = 0; i < families->group_count; i++) {
        if (families->groups[i].distinct >= SEED_NAMES)
            return 1;
    }
    return 0;
}

static void join_seeded(oc_families *families)
{
    if (!has_seeds(families))
        return;
    for (size_t i = 0; i < families->name_count; i++) {
        const struct name *name = &families->names[i];
        struct spans words, spans, tried;

        if (name->group != NO_GROUP)
            continue;
        find_words(families->text + name->at, name->len, &words);
        find_spans(families->text + name->at, name->len, &spans);
        for (unsigned w = 0; w < words.count && w < TRIED_TOKENS; w++) {
            struct group *group =
                seeded_group(families, name, &spans, words.items[words.count - 1 - w], &tried);

            if (group) {
                join(families, group, (uint32_t)i, &tried);
                break;
            }
        }
    }
}

/* ---- many words of one length in one place: "abqzkw.so", "wqpoxm.so" … ---- */

struct place {
    uint64_t hash;
    uint32_t names;
    uint16_t len;
    uint16_t is_even; /* all words in it are of one length */
};

static uint64_t place_hash(const oc_families *families, const struct name *name, struct span word)
{
    const struct spans alone = { 1, { word } };

    /* Not that of a shape: a group that was let go may have the same. And never 0. */
    return ~shape_hash(name->kind, families->text + name->at, name->len, &alone) | 1;
}

static struct place *find_place(struct place *places, size_t count, uint64_t hash)
{
    size_t at = (size_t)(hash >> 1) & (count - 1);

    while (places[at].hash != 0 && places[at].hash != hash)
        at = (at + 1) & (count - 1);
    return &places[at];
}

static void count_places(const oc_families *families, struct place *places, size_t place_count)
{
    for (size_t i = 0; i < families->name_count; i++) {
        const struct name *name = &families->names[i];
        struct spans words;

        if (name->group != NO_GROUP)
            continue;
        find_words(families->text + name->at, name->len, &words);
        for (unsigned w = 0; w < words.count && w < TRIED_TOKENS; w++) {
            const struct span word = words.items[words.count - 1 - w];
            const uint64_t hash = place_hash(families, name, word);
            struct place *place = find_place(places, place_count, hash);

            if (place->hash == 0)
                *place = (struct place){ hash, 0, word.len, 1 };
            place->names++;
            place->is_even &= place->len == word.len;
        }
    }
}

static int join_places(oc_families *families, struct place *places, size_t place_count)
{
    for (size_t i = 0; i < families->name_count; i++) {
        const struct name *name = &families->names[i];
        struct spans words;

        if (name->group != NO_GROUP)
            continue;
        find_words(families->text + name->at, name->len, &words);
        for (unsigned w = 0; w < words.count && w < TRIED_TOKENS; w++) {
            const struct span word = words.items[words.count - 1 - w];
            const struct spans alone = { 1, { word } };
            const uint64_t hash = place_hash(families, name, word);
            const struct place *place = find_place(places, place_count, hash);
            struct group *group = NULL;
            int rc = OC_OK;

            if (place->names < SAME_LENGTH_MIN || !place->is_even || word.len < WORD_MIN_BYTES)
                continue;
            group = find_group(families, hash);
            if (!group)
                rc = add_group(families, hash, (uint32_t)i, &alone, &group);
            if (rc != OC_OK)
                return rc;
            join(families, group, (uint32_t)i, &alone);
            break;
        }
    }
    return OC_OK;
}

static int group_by_place(oc_families *families)
{
    size_t loose = 0, place_count = FIRST_SLOTS;
    struct place *places = NULL;
    int rc = OC_OK;

    for (size_t i = 0; i < families->name_count; i++)
        loose += families->names[i].group == NO_GROUP;
    if (loose < SAME_LENGTH_MIN)
        return OC_OK;
    while (place_count < loose * TRIED_TOKENS * 5 / 4)
        place_count *= 2;
    places = oc_calloc(place_count, sizeof *places);
    if (!places)
        return OC_E_NOMEM;
    count_places(families, places, place_count);
    rc = join_places(families, places, place_count);
    oc_free(places);
    return rc;
}

/* ---- rows ---- */

/* A family to be: of a group, or of a name that stays alone. */
struct row {
    uint64_t bytes;
    uint32_t count, distinct, deleted;
    uint32_t name;
    uint32_t group; /* or NO_GROUP */
    uint8_t kind;
    const oc_families *families; /* for the sort */
};

static int by_size(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    if (x->name == y->name)
        return 0;
    return is_less(x->families, x->name, y->name) ? -1 : 1;
}

static int make_rows(const oc_families *families, struct row **out_rows, size_t *out_count)
{
    struct row *rows = oc_malloc((families->name_count + families->group_count) * sizeof *rows);
    size_t count = 0;

    if (!rows)
        return OC_E_NOMEM;
    for (size_t i = 0; i < families->group_count; i++) {
        const struct group *group = &families->groups[i];

        if (is_folded(group))
            rows[count++] =
                (struct row){ group->bytes, group->count, group->distinct, group->deleted,
                              group->first, (uint32_t)i,  group->kind,     families };
    }
    for (size_t i = 0; i < families->name_count; i++) {
        const struct name *name = &families->names[i];

        if (name->group == NO_GROUP)
            rows[count++] = (struct row){ name->bytes, name->count, 1,          name->deleted,
                                          (uint32_t)i, NO_GROUP,    name->kind, families };
    }
    if (count > 1)
        qsort(rows, count, sizeof *rows, by_size);
    *out_rows = rows;
    *out_count = count;
    return OC_OK;
}

/* As text that is valid UTF-8. */
static int add_text(struct oc_census *census, const char *text, size_t len, uint32_t *out_at)
{
    char valid[OC_FAMILY_NAME_MAX * 3 + 1]; /* U+FFFD is three bytes */

    if (oc_text_is_utf8(text, len, NULL))
        return oc_census_add_text(census, text, len, out_at);
    oc_text_copy_utf8(valid, sizeof valid, text, len);
    return oc_census_add_text(census, valid, strlen(valid), out_at);
}

/* The name of a group's first with '*' where its members differ. */
static int add_shape(const oc_families *families, const struct group *group,
                     struct oc_census *census, uint32_t *out_at)
{
    const struct name *name = &families->names[group->spans_of];
    const char *text = families->text + name->at;
    char shape[OC_FAMILY_NAME_MAX + SPANS_MAX];
    size_t at = 0, len = 0;

    for (unsigned i = 0; i < group->spans.count; i++) {
        const struct span span = group->spans.items[i];

        if (!(group->differs >> i & 1u))
            continue;
        memcpy(shape + len, text + at, span.start - at);
        len += span.start - at;
        shape[len++] = '*';
        at = span_end(span);
    }
    memcpy(shape + len, text + at, name->len - at);
    return add_text(census, shape, len + name->len - at, out_at);
}

static int add_family(const oc_families *families, const struct row *row, struct oc_census *census)
{
    const struct name *name = &families->names[row->name];
    struct oc_family family = {
        .kind = row->kind, .count = row->count, .distinct = row->distinct, .bytes = row->bytes
    };
    int rc = add_text(census, families->text + name->at, name->len, &family.example);

    family.name = family.example;
    if (rc == OC_OK && row->group != NO_GROUP) {
        rc = add_shape(families, &families->groups[row->group], census, &family.name);
        family.flags |= OC_FAMILY_FOLDED;
    }
    if (row->deleted * UINT64_C(2) > row->count)
        family.flags |= OC_FAMILY_DELETED;
    if (rc == OC_OK)
        census->families[census->family_count++] = family;
    return rc;
}

/* What is beyond the rows of a kind, as one. */
static int add_rest(const oc_families *families, unsigned kind, const struct row *rows,
                    size_t count, struct oc_census *census)
{
    const struct rest *rest = &families->rest[kind];
    struct oc_family family = { .kind = (uint8_t)kind,
                                .flags = OC_FAMILY_FOLDED,
                                .count = rest->count,
                                .distinct = rest->count,
                                .bytes = rest->bytes };
    uint64_t deleted = rest->deleted;
    int rc = OC_OK;

    for (size_t i = 0; i < count; i++) {
        family.count += rows[i].count;
        family.distinct += rows[i].distinct;
        family.bytes += rows[i].bytes;
        deleted += rows[i].deleted;
    }
    if (family.count == 0)
        return OC_OK;
    if (deleted * 2 > family.count)
        family.flags |= OC_FAMILY_DELETED;
    rc = oc_census_add_text(census, "*", 1, &family.name);
    family.example = family.name;
    if (rc == OC_OK && count > 0)
        rc = add_text(census, name_text(families, rows[0].name), families->names[rows[0].name].len,
                      &family.example);
    if (rc == OC_OK)
        census->families[census->family_count++] = family;
    return rc;
}

static int add_kind(const oc_families *families, unsigned kind, const struct row *rows,
                    size_t count, struct oc_census *census)
{
    const size_t max = kinds[kind].rows - 1;
    int rc = OC_OK;

    for (size_t i = 0; i < count && i < max && rc == OC_OK; i++)
        rc = add_family(families, &rows[i], census);
    if (rc == OC_OK)
        rc = add_rest(families, kind, rows + (count < max ? count : max),
                      count < max ? 0 : count - max, census);
    if (families->has_kind[kind])
        census->has_families |= (uint8_t)(1u << kind);
    return rc;
}

static int fill_census(const oc_families *families, struct oc_census *census)
{
    struct row *rows = NULL;
    size_t count = 0, from = 0;
    int rc = make_rows(families, &rows, &count);

    if (rc != OC_OK)
        return rc;
    census->families = oc_calloc(OC_CENSUS_FAMILIES_MAX, sizeof *census->families);
    if (!census->families)
        rc = OC_E_NOMEM;
    for (unsigned kind = 0; kind < OC_FAMILY_KINDS && rc == OC_OK; kind++) {
        size_t to = from;

        while (to < count && rows[to].kind == kind)
            to++;
        rc = add_kind(families, kind, rows + from, to - from, census);
        from = to;
    }
    oc_free(rows);
    return rc;
}

static int fold(oc_families *families)
{
    int rc = group_by_shape(families);

    if (rc != OC_OK)
        return rc;
    dissolve_small(families);
    join_seeded(families);
    return group_by_place(families);
}

/* To their size: what a census holds is kept for a while. */
static void trim(struct oc_census *census)
{
    void *less =
        census->family_count == 0
            ? NULL
            : oc_realloc(census->families, census->family_count * sizeof *census->families);

    if (less)
        census->families = less;
}

int oc_families_finish(oc_families *families, struct oc_census *census)
{
    int rc = fold(families);

    if (rc == OC_OK)
        rc = fill_census(families, census);
    if (rc == OC_E_TOOBIG) { /* the census's text is full: what there is stands */
        families->is_truncated = 1;
        rc = OC_OK;
    }
    if (rc == OC_OK) {
        trim(census);
        census->is_truncated |= (uint8_t)families->is_truncated;
    } else {
        oc_free(census->families);
        census->families = NULL;
        census->family_count = 0;
        census->has_families = 0;
    }
    empty(families);
    return rc;
}
