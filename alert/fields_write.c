/* Structs as JSON objects. */
#include "alert/fields.h"

#include "base/rule.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

static const void *at_const(const struct oc_field *field, const void *from)
{
    return (const char *)from + field->offset;
}

/* A whole number of any of the types, but U64 and HEX64. */
static int64_t whole_of(const struct oc_field *field, const void *from)
{
    const void *at = at_const(field, from);

    switch (field->type) {
    case OC_FIELD_U16:
        return *(const uint16_t *)at;
    case OC_FIELD_U32:
        return *(const uint32_t *)at;
    case OC_FIELD_I32:
        return *(const int32_t *)at;
    case OC_FIELD_I64:
        return *(const int64_t *)at;
    default:
        return *(const uint8_t *)at;
    }
}

static int is_empty(const struct oc_field *field, const void *from)
{
    const void *at = at_const(field, from);
    double number = 0;

    switch (field->type) {
    case OC_FIELD_TEXT:
        return !*(const char *)at;
    case OC_FIELD_OWNED:
        return !*(char *const *)at;
    case OC_FIELD_STRINGS:
    case OC_FIELD_PAIRS:
        return ((const struct oc_strings *)at)->count == 0;
    case OC_FIELD_U64:
    case OC_FIELD_HEX64:
        return *(const uint64_t *)at == 0;
    case OC_FIELD_DOUBLE:
        number = *(const double *)at;
        return number != number;
    default:
        return whole_of(field, from) == 0;
    }
}

/* What is not UTF-8 grows when it is replaced: cut so that it fits where it is read. */
static void write_text(const char *text, size_t field_bytes, struct oc_buf *out)
{
    char clean[OC_FIELD_TEXT_MAX];

    oc_text_copy_utf8(clean, field_bytes < sizeof(clean) ? field_bytes : sizeof(clean), text,
                      strlen(text));
    oc_buf_json_string(out, clean);
}

static void write_strings(const struct oc_strings *strings, struct oc_buf *out)
{
    oc_buf_putc(out, '[');
    for (size_t i = 0; i < strings->count; i++) {
        if (i > 0)
            oc_buf_putc(out, ',');
        oc_buf_json_string(out, strings->items[i]);
    }
    oc_buf_putc(out, ']');
}

static void write_pairs(const struct oc_strings *pairs, struct oc_buf *out)
{
    oc_buf_putc(out, '{');
    for (size_t i = 0; i + 1 < pairs->count; i += 2) {
        if (i > 0)
            oc_buf_putc(out, ',');
        oc_buf_json_string(out, pairs->items[i]);
        oc_buf_putc(out, ':');
        oc_buf_json_string(out, pairs->items[i + 1]);
    }
    oc_buf_putc(out, '}');
}

static void write_whole(int64_t whole, struct oc_buf *out)
{
    if (whole > OC_FIELD_EXACT_MAX)
        whole = OC_FIELD_EXACT_MAX;
    if (whole < -OC_FIELD_EXACT_MAX)
        whole = -OC_FIELD_EXACT_MAX;
    oc_buf_printf(out, "%" PRId64, whole);
}

static void write_double(double number, struct oc_buf *out)
{
    if (number != number)
        oc_buf_puts(out, "null"); /* needed, and unknown: never 0 */
    else if (number - number == 0)
        oc_buf_printf(out, "%.17g", number);
    else
        oc_buf_puts(out, number > 0 ? "\"inf\"" : "\"-inf\"");
}

static void write_value(const struct oc_field *field, const void *from, struct oc_buf *out)
{
    const void *at = at_const(field, from);

    switch (field->type) {
    case OC_FIELD_TEXT:
        write_text(at, field->bytes, out);
        break;
    case OC_FIELD_OWNED:
        oc_buf_json_string(out, *(char *const *)at ? *(char *const *)at : "");
        break;
    case OC_FIELD_STRINGS:
        write_strings(at, out);
        break;
    case OC_FIELD_PAIRS:
        write_pairs(at, out);
        break;
    case OC_FIELD_WORD:
        oc_buf_json_string(out, field->word(*(const uint8_t *)at));
        break;
    case OC_FIELD_U64:
        oc_buf_printf(out, "\"%" PRIu64 "\"", *(const uint64_t *)at);
        break;
    case OC_FIELD_HEX64:
        oc_buf_printf(out, "\"%016" PRIx64 "\"", *(const uint64_t *)at);
        break;
    case OC_FIELD_DOUBLE:
        write_double(*(const double *)at, out);
        break;
    default:
        write_whole(whole_of(field, from), out);
    }
}

void oc_fields_write(const struct oc_field *fields, size_t count, const void *from, int is_first,
                     struct oc_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        if (!fields[i].is_needed && is_empty(&fields[i], from))
            continue;
        if (!is_first)
            oc_buf_putc(out, ',');
        is_first = 0;
        oc_buf_printf(out, "\"%s\":", fields[i].name);
        write_value(&fields[i], from, out);
    }
}
