#include "probes/family.h"

#include "base/alloc.h"
#include "base/err.h"
#include "probes/family_fold.h"

#include <string.h>

#define FIRST_SLOTS 256u

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

static size_t find_name(const oc_families *families, unsigned kind, const char *text, size_t len,
                        uint32_t hash)
{
    size_t at = hash & (families->slot_count - 1);

    while (families->slots[at] != 0) {
        const struct oc_family_name *name = &families->names[families->slots[at] - 1];

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
    families->names[families->name_count++] =
        (struct oc_family_name){ .at = (uint32_t)families->text_bytes,
                                 .len = (uint32_t)len,
                                 .hash = hash,
                                 .group = OC_NO_GROUP,
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
    const uint32_t hash =
        (uint32_t)oc_name_hash_end(oc_name_hash_bytes(OC_NAME_HASH_START ^ kind, text, len));
    struct oc_family_name *name = NULL;
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
    int rc = oc_families_fold(families);

    if (rc == OC_OK)
        rc = oc_families_fill(families, census);
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
