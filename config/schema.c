/* The JSON Schema of the config file, from the tables. */
#include "config/section.h"

#include <inttypes.h>

/* A size; "0" and a bare number are bytes. */
#define SIZE_PATTERN "^[0-9]+([.][0-9]+)? *([KMGT]iB|[kKMGT]B|[kKMGT]|B)?$"
#define DURATION_PATTERN "^(0|([0-9]+([.][0-9]+)?(ms|s|min|m|h|d|w|y))+)$"

static void put_words(struct oc_buf *out, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        if (i > 0)
            oc_buf_puts(out, ", ");
        oc_buf_json_string(out, words[i]);
    }
}

/* A value that may stand in a file of its own too. */
static void put_or_file(struct oc_buf *out, const char *schema)
{
    oc_buf_printf(out, "\"anyOf\": [ %s, { \"$ref\": \"#/$defs/from_file\" } ]", schema);
}

static void put_enum(struct oc_buf *out, const char *const *words)
{
    oc_buf_puts(out, "\"anyOf\": [ { \"enum\": [ ");
    put_words(out, words);
    oc_buf_puts(out, " ] }, { \"$ref\": \"#/$defs/from_file\" } ]");
}

static void put_option_type(struct oc_buf *out, const struct oc_option *option)
{
    switch (option->type) {
    case OC_OPTION_DURATION:
        oc_buf_puts(out, "\"$ref\": \"#/$defs/duration\"");
        break;
    case OC_OPTION_SIZE:
        oc_buf_puts(out, "\"$ref\": \"#/$defs/size\"");
        break;
    case OC_OPTION_PERCENT:
        put_or_file(out, "{ \"type\": \"string\", \"pattern\": \"^[0-9]{1,3}%$\" }");
        break;
    case OC_OPTION_WORD:
        put_enum(out, option->words);
        break;
    case OC_OPTION_PATH:
        put_or_file(out, "{ \"type\": \"string\" }");
        break;
    case OC_OPTION_LABELS:
        oc_buf_puts(out, "\"$ref\": \"#/$defs/labels\"");
        break;
    case OC_OPTION_TARGETS:
        oc_buf_printf(out,
                      "\"type\": \"array\", \"maxItems\": %d, \"items\": { \"$ref\": "
                      "\"#/$defs/target\" }",
                      OC_TARGETS_MAX);
        break;
    case OC_OPTION_SECTION:
        oc_buf_printf(out,
                      "\"type\": \"array\", \"maxItems\": %" PRIu32 ", \"items\": { \"$ref\": "
                      "\"#/$defs/%s\" }",
                      option->section()->max_items, option->key);
        break;
    }
}

static void put_default(struct oc_buf *out, const struct oc_option *option)
{
    oc_buf_puts(out, ", \"default\": ");
    if (option->type == OC_OPTION_LABELS || option->type == OC_OPTION_TARGETS ||
        option->type == OC_OPTION_SECTION)
        oc_buf_puts(out, option->def);
    else
        oc_buf_json_string(out, option->def);
}

static void put_property(struct oc_buf *out, size_t index, const char *key, const char *text)
{
    oc_buf_printf(out, "%s    \"%s\": {\n      \"description\": ", index > 0 ? ",\n" : "", key);
    oc_buf_json_string(out, text);
    oc_buf_puts(out, ",\n      ");
}

static void put_options(struct oc_buf *out)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);

    for (size_t i = 0; i < count; i++) {
        put_property(out, i, options[i].key, options[i].text);
        put_option_type(out, &options[i]);
        put_default(out, &options[i]);
        oc_buf_puts(out, "\n    }");
    }
}

static void put_key_type(struct oc_buf *out, const struct oc_target_key *key)
{
    switch (key->type) {
    case OC_TARGET_KEY_WORDS:
    case OC_TARGET_KEY_REGEXES:
        oc_buf_puts(out, "\"$ref\": \"#/$defs/texts\"");
        break;
    case OC_TARGET_KEY_PIDS:
        oc_buf_puts(out, "\"$ref\": \"#/$defs/pids\"");
        break;
    case OC_TARGET_KEY_SIZE:
        oc_buf_puts(out, "\"$ref\": \"#/$defs/size\"");
        break;
    case OC_TARGET_KEY_WORD:
        put_enum(out, key->words);
        break;
    case OC_TARGET_KEY_BOOL:
        oc_buf_puts(out, "\"type\": \"boolean\"");
        break;
    case OC_TARGET_KEY_TEXT:
        oc_buf_puts(out, "\"$ref\": \"#/$defs/text\"");
        break;
    case OC_TARGET_KEY_LABELS:
        oc_buf_puts(out, "\"$ref\": \"#/$defs/labels\"");
        break;
    case OC_TARGET_KEY_DURATION:
        oc_buf_puts(out, "\"$ref\": \"#/$defs/duration\"");
        break;
    case OC_TARGET_KEY_LIMITS:
        oc_buf_puts(out, "\"$ref\": \"#/$defs/limits\"");
        break;
    }
}

static void put_target(struct oc_buf *out)
{
    size_t count = 0;
    const struct oc_target_key *keys = oc_target_key_table(&count);

    oc_buf_puts(out,
                ",\n  \"target\": {\n  \"type\": \"object\",\n  \"additionalProperties\": false,\n"
                "  \"properties\": {\n");
    for (size_t i = 0; i < count; i++) {
        put_property(out, i, keys[i].key, keys[i].text);
        put_key_type(out, &keys[i]);
        oc_buf_printf(out, ", \"examples\": [ %s ]\n    }", keys[i].example);
    }
    oc_buf_puts(out, "\n  },\n  \"anyOf\": [\n");
    for (size_t i = 0; i < count; i++) {
        if (keys[i].selector < OC_SELECT_COUNT)
            oc_buf_printf(out, "    { \"required\": [ \"%s\" ] },\n", keys[i].key);
    }
    oc_buf_puts(out, "    { \"properties\": { \"source\": { \"const\": \"host\" } }, \"required\": "
                     "[ \"source\" ] }\n  ]\n  }\n");
}

static void put_values(struct oc_buf *out)
{
    oc_buf_puts(out, "  \"from_file\": {\n    \"description\": \"The text of a file in place of "
                     "a string.\",\n    \"type\": \"object\", \"additionalProperties\": false, "
                     "\"required\": [ \"from_file\" ],\n    \"properties\": { \"from_file\": { "
                     "\"type\": \"string\" } }\n  },\n  \"duration\": { ");
    put_or_file(out, "{ \"type\": \"string\", \"pattern\": \"" DURATION_PATTERN "\" }");
    oc_buf_puts(out, " },\n  \"size\": { ");
    put_or_file(out, "{ \"type\": \"string\", \"pattern\": \"" SIZE_PATTERN "\" }");
    oc_buf_puts(out, " },\n  \"text\": { ");
    put_or_file(out, "{ \"type\": \"string\", \"minLength\": 1 }");
    oc_buf_printf(
        out,
        " },\n  \"texts\": { \"anyOf\": [ { \"$ref\": \"#/$defs/text\" },\n    { \"type\": "
        "\"array\", \"items\": { \"$ref\": \"#/$defs/text\" }, \"minItems\": 1, "
        "\"maxItems\": %d } ] },\n",
        OC_TARGET_WORDS_MAX);
    oc_buf_printf(out,
                  "  \"pid\": { \"type\": \"integer\", \"minimum\": 1, \"maximum\": %" PRIu32
                  " },\n  \"pids\": { \"anyOf\": [ { \"$ref\": \"#/$defs/pid\" },\n    { \"type\": "
                  "\"array\", \"items\": { \"$ref\": \"#/$defs/pid\" }, \"minItems\": 1, "
                  "\"maxItems\": %d } ] },\n",
                  UINT32_MAX, OC_TARGET_WORDS_MAX);
    oc_buf_printf(out,
                  "  \"labels\": { \"type\": \"object\", \"maxProperties\": %d,\n    "
                  "\"propertyNames\": { \"pattern\": \"^[a-zA-Z_][a-zA-Z0-9_]*$\", \"maxLength\": "
                  "%d },\n    \"additionalProperties\": { \"$ref\": \"#/$defs/text\" } },\n",
                  OC_LABELS_MAX, OC_LABEL_KEY_BYTES - 1);
    oc_buf_printf(out,
                  "  \"limits\": { \"type\": \"object\", \"maxProperties\": %d,\n    "
                  "\"additionalProperties\": { \"anyOf\": [ { \"$ref\": \"#/$defs/size\" }, { "
                  "\"type\": \"integer\", \"minimum\": 1 } ] } }",
                  OC_USER_LIMITS_MAX);
    oc_config_write_section_schemas(out);
}

void oc_config_write_schema(struct oc_buf *out)
{
    oc_buf_puts(out, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                     "  \"title\": \"oomcast.json\",\n  \"description\": \"The config of oomcastd: "
                     "JSON with // comments.\",\n  \"type\": \"object\",\n  "
                     "\"additionalProperties\": false,\n  \"properties\": {\n");
    put_options(out);
    oc_buf_puts(out, "\n  },\n  \"$defs\": {\n");
    put_values(out);
    put_target(out);
    oc_buf_puts(out, "  }\n}\n");
}
