/* The config in force, as a file that says where each value came from. */
#include "config/value.h"

#include <inttypes.h>
#include <string.h>

static void put_string(const struct oc_config *config, struct oc_buf *out, const char *text)
{
    const char *path = oc_config_secret(config, text);

    if (path)
        oc_buf_puts(out, "{ \"from_file\": ");
    oc_buf_json_string(out, path ? path : text);
    if (path)
        oc_buf_puts(out, " }");
}

void oc_config_write_labels(const struct oc_config *config, const struct oc_labels *labels,
                            struct oc_buf *out)
{
    oc_buf_puts(out, labels->count > 0 ? "{ " : "{");
    for (size_t i = 0; i < labels->count; i++) {
        oc_buf_printf(out, "%s\"%s\": ", i > 0 ? ", " : "", labels->items[i].key);
        put_string(config, out, labels->items[i].value);
    }
    oc_buf_puts(out, labels->count > 0 ? " }" : "}");
}

/* ---- values of a target's keys ---- */

static void put_words(const struct oc_config *config, const struct oc_target_key *key,
                      const struct oc_target *target, struct oc_buf *out)
{
    const struct oc_words *words = &target->words[key->selector];

    if (words->count > 1)
        oc_buf_putc(out, '[');
    for (size_t i = 0; i < words->count; i++) {
        if (i > 0)
            oc_buf_puts(out, ", ");
        if (key->type == OC_TARGET_KEY_PIDS)
            oc_buf_puts(out, words->items[i]);
        else
            put_string(config, out, words->items[i]);
    }
    if (words->count > 1)
        oc_buf_putc(out, ']');
}

static void put_size(struct oc_buf *out, uint64_t bytes)
{
    char text[40];

    oc_config_value_write_size(bytes, text, sizeof(text));
    oc_buf_json_string(out, text);
}

static void put_limits(const struct oc_target *target, struct oc_buf *out)
{
    oc_buf_puts(out, "{ ");
    for (size_t i = 0; i < target->limit_count; i++) {
        const struct oc_metric_row *row = oc_metric_by_number(target->limits[i].metric);

        oc_buf_printf(out, "%s\"%s\": ", i > 0 ? ", " : "", row ? row->name : "?");
        if (row && row->unit == OC_UNIT_BYTES)
            put_size(out, target->limits[i].value);
        else
            oc_buf_printf(out, "%" PRIu64, target->limits[i].value);
    }
    oc_buf_puts(out, " }");
}

static int64_t duration_of(const struct oc_target *target, const char *key)
{
    return strcmp(key, "interval") == 0 ? target->interval_ms : target->walk_interval_ms;
}

static const char *text_of(const struct oc_target *target, const char *key)
{
    if (strcmp(key, "subject") == 0)
        return target->subject;
    return strncmp(target->name, "targets[", 8) == 0 ? NULL : target->name;
}

static unsigned word_of(const struct oc_target *target, const char *key)
{
    return strcmp(key, "source") == 0 ? (unsigned)target->source : (unsigned)target->children;
}

static unsigned usual_word_of(const struct oc_target *target, const char *key)
{
    return strcmp(key, "children") == 0 ? (unsigned)oc_target_usual_children(target) : 0;
}

static int flag_of(const struct oc_target *target, const char *key)
{
    if (strcmp(key, "expected") == 0)
        return target->expected;
    if (strcmp(key, "counters") == 0)
        return target->counters;
    return strcmp(key, "ignore") == 0 ? target->ignore : target->pages;
}

/* Whether a key says more than the default. */
static int is_set(const struct oc_target *target, const struct oc_target_key *key)
{
    switch (key->type) {
    case OC_TARGET_KEY_WORDS:
    case OC_TARGET_KEY_REGEXES:
    case OC_TARGET_KEY_PIDS:
    case OC_TARGET_KEY_SIZE:
        return (target->selectors & (1u << key->selector)) != 0;
    case OC_TARGET_KEY_WORD:
        return word_of(target, key->key) != usual_word_of(target, key->key);
    case OC_TARGET_KEY_BOOL:
        return flag_of(target, key->key);
    case OC_TARGET_KEY_TEXT:
        return text_of(target, key->key) != NULL;
    case OC_TARGET_KEY_LABELS:
        return target->labels.count > 0;
    case OC_TARGET_KEY_DURATION:
        return duration_of(target, key->key) > 0;
    case OC_TARGET_KEY_LIMITS:
        return target->limit_count > 0;
    }
    return 0;
}

static void put_value(const struct oc_config *config, const struct oc_target_key *key,
                      const struct oc_target *target, struct oc_buf *out)
{
    char text[40];

    switch (key->type) {
    case OC_TARGET_KEY_WORDS:
    case OC_TARGET_KEY_REGEXES:
    case OC_TARGET_KEY_PIDS:
        put_words(config, key, target, out);
        break;
    case OC_TARGET_KEY_SIZE:
        put_size(out, target->min_size_bytes);
        break;
    case OC_TARGET_KEY_WORD:
        oc_buf_json_string(out, key->words[word_of(target, key->key)]);
        break;
    case OC_TARGET_KEY_BOOL:
        oc_buf_puts(out, "true");
        break;
    case OC_TARGET_KEY_TEXT:
        put_string(config, out, text_of(target, key->key));
        break;
    case OC_TARGET_KEY_LABELS:
        oc_config_write_labels(config, &target->labels, out);
        break;
    case OC_TARGET_KEY_DURATION:
        oc_config_value_write_duration(duration_of(target, key->key), text, sizeof(text));
        oc_buf_json_string(out, text);
        break;
    case OC_TARGET_KEY_LIMITS:
        put_limits(target, out);
        break;
    }
}

void oc_config_write_target(const struct oc_config *config, const struct oc_target *target,
                            struct oc_buf *out)
{
    size_t count = 0, written = 0;
    const struct oc_target_key *keys = oc_target_key_table(&count);

    oc_buf_puts(out, "{ ");
    for (size_t i = 0; i < count; i++) {
        if (!is_set(target, &keys[i]))
            continue;
        oc_buf_printf(out, "%s\"%s\": ", written++ > 0 ? ", " : "", keys[i].key);
        put_value(config, &keys[i], target, out);
    }
    oc_buf_puts(out, " }");
}

/* ---- all of it ---- */

/* "// FILE:LINE"; a control character in a file's name would end the comment. */
static void put_place(struct oc_buf *out, const char *file, uint32_t line)
{
    oc_buf_puts(out, " // ");
    oc_buf_escaped(out, file ? file : "default");
    if (file)
        oc_buf_printf(out, ":%" PRIu32, line);
    oc_buf_putc(out, '\n');
}

static void put_targets(const struct oc_config *config, struct oc_buf *out)
{
    oc_buf_puts(out, config->targets.count > 0 ? "  \"targets\": [\n" : "  \"targets\": []\n");
    for (size_t i = 0; i < config->targets.count; i++) {
        const struct oc_target *target = &config->targets.items[i];

        oc_buf_puts(out, "    ");
        oc_config_write_target(config, target, out);
        if (i + 1 < config->targets.count)
            oc_buf_putc(out, ',');
        put_place(out, target->file, target->line);
    }
    if (config->targets.count > 0)
        oc_buf_puts(out, "  ]\n");
}

static void put_section(const struct oc_config *config, const struct oc_option *option,
                        struct oc_buf *out)
{
    size_t count = oc_config_section_count(config, option);

    oc_buf_printf(out, "  \"%s\": [%s\n", option->key, count > 0 ? "" : "],");
    for (size_t i = 0; i < count; i++) {
        const char *file = NULL;
        uint32_t line = 0;

        oc_buf_puts(out, "    ");
        oc_config_write_section_item(config, option, i, out, &file, &line);
        if (i + 1 < count)
            oc_buf_putc(out, ',');
        put_place(out, file, line);
    }
    if (count > 0)
        oc_buf_puts(out, "  ],\n");
}

void oc_config_write_all(const struct oc_config *config, struct oc_buf *out)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);

    oc_buf_puts(out, "{\n");
    for (size_t i = 0; i < count; i++) {
        const char *file = NULL;
        uint32_t line = 0;

        if (options[i].type == OC_OPTION_SECTION)
            put_section(config, &options[i], out);
        if (options[i].type == OC_OPTION_TARGETS || options[i].type == OC_OPTION_SECTION)
            continue;
        oc_config_origin(config, &options[i], &file, &line);
        oc_buf_printf(out, "  \"%s\": ", options[i].key);
        if (options[i].type == OC_OPTION_LABELS)
            oc_config_write_labels(config, &config->labels, out);
        else
            oc_config_write_value(config, &options[i], out);
        oc_buf_putc(out, ',');
        put_place(out, file, line);
    }
    put_targets(config, out);
    oc_buf_puts(out, "}\n");
}
