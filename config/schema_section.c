/* The JSON Schema of rules, receivers and windows. */
#include "config/section.h"

#include <inttypes.h>
#include <string.h>

#define TEXT_REF "\"$ref\": \"#/$defs/text\""

static void put_kinds(struct oc_buf *out, const struct oc_section *section)
{
    oc_buf_puts(out, "\"enum\": [ ");
    for (unsigned i = 1; i < section->kind_count; i++)
        oc_buf_printf(out, "%s\"%s\"", i > 1 ? ", " : "", section->kind_name(i));
    oc_buf_puts(out, " ]");
}

/* An object of two texts. */
static void put_pair(struct oc_buf *out, const char *first, const char *second)
{
    oc_buf_printf(out,
                  "\"type\": \"object\", \"additionalProperties\": false, \"required\": [ "
                  "\"%s\", \"%s\" ], \"properties\": { \"%s\": { " TEXT_REF
                  " }, \"%s\": { " TEXT_REF " } }",
                  first, second, first, second);
}

static void put_type(struct oc_buf *out, const struct oc_section *section,
                     const struct oc_section_key *key)
{
    switch (key->type) {
    case OC_SECTION_KIND:
        put_kinds(out, section);
        break;
    case OC_SECTION_SEVERITY:
        oc_buf_puts(out, "\"enum\": [ \"warning\", \"critical\" ]");
        break;
    case OC_SECTION_FLAG:
    case OC_SECTION_OFF:
        oc_buf_puts(out, "\"type\": \"boolean\"");
        break;
    case OC_SECTION_DURATION:
        oc_buf_puts(out, "\"$ref\": \"#/$defs/duration\"");
        break;
    case OC_SECTION_COUNT:
        oc_buf_printf(out, "\"type\": \"integer\", \"minimum\": %" PRId64 ", \"maximum\": %" PRId64,
                      key->min, key->max);
        break;
    case OC_SECTION_SHARE:
        oc_buf_puts(out, "\"type\": \"number\", \"exclusiveMinimum\": 0, \"maximum\": 1");
        break;
    case OC_SECTION_BOUND:
        oc_buf_puts(out, "\"anyOf\": [ { \"$ref\": \"#/$defs/size\" }, { \"type\": "
                         "\"number\", \"minimum\": 0 } ]");
        break;
    case OC_SECTION_GLOBS:
    case OC_SECTION_MATCHERS:
    case OC_SECTION_ADDRESSES:
    case OC_SECTION_ARGV:
    case OC_SECTION_SIGNING:
    case OC_SECTION_URLS:
        oc_buf_puts(out, "\"$ref\": \"#/$defs/texts\"");
        break;
    case OC_SECTION_BASIC:
        put_pair(out, "user", "password");
        break;
    case OC_SECTION_HEADER:
        put_pair(out, "name", "value");
        break;
    case OC_SECTION_TIME:
    case OC_SECTION_UNTIL:
        oc_buf_puts(out, "\"type\": \"string\", \"pattern\": \"^[0-2][0-9]:[0-5][0-9]$\"");
        break;
    case OC_SECTION_DAYS:
        oc_buf_puts(out, "\"$ref\": \"#/$defs/days\"");
        break;
    default:
        oc_buf_puts(out, TEXT_REF);
        break;
    }
}

static void put_section(struct oc_buf *out, const struct oc_section *section)
{
    oc_buf_printf(out,
                  ",\n  \"%s\": {\n  \"type\": \"object\",\n  \"additionalProperties\": false,\n"
                  "  \"properties\": {\n",
                  section->key);
    for (size_t i = 0; i < section->key_count; i++) {
        const struct oc_section_key *key = &section->keys[i];

        oc_buf_printf(out, "%s    \"%s\": {\n      \"description\": ", i > 0 ? ",\n" : "",
                      key->key);
        oc_buf_json_string(out, key->text);
        oc_buf_puts(out, ",\n      ");
        put_type(out, section, key);
        oc_buf_printf(out, ", \"examples\": [ %s ]\n    }", key->example);
    }
    oc_buf_puts(out, "\n  },\n  \"required\": [ ");
    for (size_t i = 0; i < section->key_count; i++) {
        if (section->keys[i].wanted == ~0u)
            oc_buf_printf(out, "%s\"%s\"", i > 0 ? ", " : "", section->keys[i].key);
    }
    oc_buf_puts(out, " ]\n  }");
}

void oc_config_write_section_schemas(struct oc_buf *out)
{
    static const char days[] = "{ \"enum\": [ \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", "
                               "\"sat\", \"sun\" ] }";

    oc_buf_printf(out,
                  ",\n  \"days\": { \"anyOf\": [ %s,\n    { \"type\": \"array\", \"minItems\": "
                  "1, \"items\": %s } ] }",
                  days, days);
    for (const struct oc_section *const *section = oc_sections(); *section; section++)
        put_section(out, *section);
}
