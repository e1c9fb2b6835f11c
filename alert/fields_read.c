/* Structs from JSON objects. */
#include "alert/fields.h"

#include "base/alloc.h"
#include "base/rule.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

#define HEX_DIGITS 16

static int fail(struct oc_detail *detail, int code, const char *name, const char *what)
{
    return oc_detail_set(detail, code, "\"%.60s\" %s", name, what);
}

static int nomem(struct oc_detail *detail)
{
    return oc_detail_set(detail, OC_E_NOMEM, "out of memory");
}

static const char *string_of(const cJSON *value)
{
    return cJSON_IsString(value) ? value->valuestring : NULL;
}

static int read_text(const struct oc_field *field, const cJSON *value, char *out,
                     struct oc_detail *detail)
{
    const char *text = string_of(value);

    if (!text)
        return fail(detail, OC_E_PARSE, field->name, "wants a string");
    if (field->is_needed && !*text)
        return fail(detail, OC_E_PARSE, field->name, "is empty");
    if (strlen(text) >= field->bytes)
        return fail(detail, OC_E_TOOBIG, field->name, "is too long");
    return oc_text_copy(out, field->bytes, text);
}

static int read_owned(const struct oc_field *field, const cJSON *value, char **out,
                      struct oc_detail *detail)
{
    const char *text = string_of(value);

    if (!text)
        return fail(detail, OC_E_PARSE, field->name, "wants a string");
    *out = oc_strdup(text);
    return *out ? OC_OK : nomem(detail);
}

static int read_strings(const struct oc_field *field, const cJSON *value, struct oc_strings *out,
                        struct oc_detail *detail)
{
    const cJSON *item = NULL;

    if (!cJSON_IsArray(value))
        return fail(detail, OC_E_PARSE, field->name, "wants a list");
    cJSON_ArrayForEach(item, value)
    {
        const char *text = string_of(item);

        if (!text)
            return fail(detail, OC_E_PARSE, field->name, "wants a list of strings");
        if (oc_strings_add(out, text, strlen(text)) < 0)
            return nomem(detail);
    }
    return OC_OK;
}

static int has_pair(const struct oc_strings *pairs, const char *name)
{
    for (size_t i = 0; i + 1 < pairs->count; i += 2) {
        if (strcmp(pairs->items[i], name) == 0)
            return 1;
    }
    return 0;
}

static int read_pairs(const struct oc_field *field, const cJSON *value, struct oc_strings *out,
                      struct oc_detail *detail)
{
    const cJSON *item = NULL;

    if (!cJSON_IsObject(value))
        return fail(detail, OC_E_PARSE, field->name, "wants an object");
    cJSON_ArrayForEach(item, value)
    {
        const char *text = string_of(item);

        if (!text || !*item->string)
            return fail(detail, OC_E_PARSE, field->name, "wants an object of strings");
        if (out->count >= 2 * (size_t)OC_FIELDS_MAX)
            return fail(detail, OC_E_TOOBIG, field->name, "has too many entries");
        if (has_pair(out, item->string))
            return fail(detail, OC_E_PARSE, field->name, "has an entry twice");
        if (oc_strings_add(out, item->string, strlen(item->string)) < 0 ||
            oc_strings_add(out, text, strlen(text)) < 0)
            return nomem(detail);
    }
    return OC_OK;
}

static int read_word(const struct oc_field *field, const cJSON *value, uint8_t *out,
                     struct oc_detail *detail)
{
    const char *text = string_of(value);
    const int is_word = text && *text && *text != '?'; /* what tables say of gaps */

    for (unsigned i = 0; is_word && i < field->bytes; i++) {
        if (strcmp(field->word(i), text) == 0) {
            *out = (uint8_t)i;
            return OC_OK;
        }
    }
    return fail(detail, OC_E_PARSE, field->name, "is none of its words");
}

static int64_t highest(const struct oc_field *field)
{
    if (field->max > 0)
        return field->max;
    switch (field->type) {
    case OC_FIELD_U8:
        return UINT8_MAX;
    case OC_FIELD_U16:
        return UINT16_MAX;
    case OC_FIELD_U32:
        return UINT32_MAX;
    case OC_FIELD_I32:
        return INT32_MAX;
    default:
        return OC_FIELD_EXACT_MAX;
    }
}

static int64_t lowest(const struct oc_field *field)
{
    if (field->type == OC_FIELD_I64)
        return -OC_FIELD_EXACT_MAX;
    return field->type == OC_FIELD_I32 ? INT32_MIN : 0;
}

static int read_whole(const struct oc_field *field, const cJSON *value, void *out,
                      struct oc_detail *detail)
{
    const double number = cJSON_IsNumber(value) ? value->valuedouble : (double)NAN;

    if (!(number >= (double)lowest(field) && number <= (double)highest(field)) ||
        trunc(number) != number)
        return fail(detail, OC_E_PARSE, field->name, "wants a whole number in its bounds");
    switch (field->type) {
    case OC_FIELD_U8:
        *(uint8_t *)out = (uint8_t)number;
        break;
    case OC_FIELD_U16:
        *(uint16_t *)out = (uint16_t)number;
        break;
    case OC_FIELD_U32:
        *(uint32_t *)out = (uint32_t)number;
        break;
    case OC_FIELD_I32:
        *(int32_t *)out = (int32_t)number;
        break;
    default:
        *(int64_t *)out = (int64_t)number;
    }
    return OC_OK;
}

static int read_u64(const struct oc_field *field, const cJSON *value, uint64_t *out,
                    struct oc_detail *detail)
{
    const char *text = string_of(value);

    if (!text || oc_text_u64(text, out) < 0)
        return fail(detail, OC_E_PARSE, field->name, "wants a string of digits");
    return OC_OK;
}

static int read_hex64(const struct oc_field *field, const cJSON *value, uint64_t *out,
                      struct oc_detail *detail)
{
    static const char digits[] = "0123456789abcdef";
    const char *text = string_of(value);
    uint64_t number = 0;

    if (!text || strlen(text) != HEX_DIGITS || strspn(text, digits) != HEX_DIGITS)
        return fail(detail, OC_E_PARSE, field->name, "wants 16 hex digits");
    for (; *text; text++)
        number = number << 4 | (uint64_t)(strchr(digits, *text) - digits);
    *out = number;
    return OC_OK;
}

static int read_double(const struct oc_field *field, const cJSON *value, double *out,
                       struct oc_detail *detail)
{
    const char *text = string_of(value);

    if (cJSON_IsNumber(value) && value->valuedouble - value->valuedouble == 0)
        *out = value->valuedouble;
    else if (text && strcmp(text, "inf") == 0)
        *out = (double)INFINITY;
    else if (text && strcmp(text, "-inf") == 0)
        *out = -(double)INFINITY;
    else if (!cJSON_IsNull(value))
        return fail(detail, OC_E_PARSE, field->name, "wants a number");
    return OC_OK;
}

static int read_value(const struct oc_field *field, const cJSON *value, void *out,
                      struct oc_detail *detail)
{
    switch (field->type) {
    case OC_FIELD_TEXT:
        return read_text(field, value, out, detail);
    case OC_FIELD_OWNED:
        return read_owned(field, value, out, detail);
    case OC_FIELD_STRINGS:
        return read_strings(field, value, out, detail);
    case OC_FIELD_PAIRS:
        return read_pairs(field, value, out, detail);
    case OC_FIELD_WORD:
        return read_word(field, value, out, detail);
    case OC_FIELD_U64:
        return read_u64(field, value, out, detail);
    case OC_FIELD_HEX64:
        return read_hex64(field, value, out, detail);
    case OC_FIELD_DOUBLE:
        return read_double(field, value, out, detail);
    default:
        return read_whole(field, value, out, detail);
    }
}

static size_t index_of(const struct oc_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return i;
    }
    return count;
}

/* The caller's own words are numbered behind the fields; SIZE_MAX: it is none of either. */
static size_t number_of(const struct oc_field *fields, size_t count, const char *const *others,
                        const char *name)
{
    const size_t i = index_of(fields, count, name);

    for (size_t other = 0; i == count && others && others[other]; other++) {
        if (strcmp(others[other], name) == 0)
            return count + other;
    }
    return i < count ? i : SIZE_MAX;
}

/* Unknown is unknown, never 0. */
static void set_absent(const struct oc_field *fields, size_t count, void *out)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].type == OC_FIELD_DOUBLE)
            *(double *)(void *)((char *)out + fields[i].offset) = (double)NAN;
    }
}

static int check_needed(const struct oc_field *fields, size_t count, uint64_t seen,
                        struct oc_detail *detail)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].is_needed && !(seen >> i & 1u))
            return fail(detail, OC_E_PARSE, fields[i].name, "is missing");
    }
    return OC_OK;
}

int oc_fields_read(const struct oc_field *fields, size_t count, const cJSON *object,
                   const char *const *others, void *out, struct oc_detail *detail)
{
    const cJSON *value = NULL;
    uint64_t seen = 0;
    int rc = OC_OK;

    if (!cJSON_IsObject(object))
        return oc_detail_set(detail, OC_E_PARSE, "an object is missing");
    set_absent(fields, count, out);
    cJSON_ArrayForEach(value, object)
    {
        const size_t i = number_of(fields, count, others, value->string);

        if (i == SIZE_MAX)
            return fail(detail, OC_E_PARSE, value->string, "is no word of it");
        if (seen >> i & 1u)
            return fail(detail, OC_E_PARSE, value->string, "is there twice");
        seen |= UINT64_C(1) << i;
        if (i < count)
            rc = read_value(&fields[i], value, (char *)out + fields[i].offset, detail);
        if (rc < 0)
            return rc;
    }
    return check_needed(fields, count, seen, detail);
}
