/* The starter file: every option with its default, behind comment marks, and recipes for targets. */
#include "config/words.h"

#include <string.h>

#define LINE_COLUMNS 96

/* Text as comments, its lines broken between words. */
static void put_comment(struct oc_buf *out, const char *margin, const char *text)
{
    size_t room = LINE_COLUMNS - strlen(margin) - 3;

    while (*text) {
        size_t len = strlen(text);

        if (len > room) {
            len = room;
            while (len > 1 && text[len] != ' ')
                len--;
        }
        oc_buf_printf(out, "%s// %.*s\n", margin, (int)len, text);
        text += len;
        while (*text == ' ')
            text++;
    }
}

static void put_option(struct oc_buf *out, const struct oc_option *option)
{
    struct oc_buf text;

    oc_buf_init(&text, 4096);
    oc_buf_puts(&text, option->text);
    if (option->type != OC_OPTION_PATH && option->type != OC_OPTION_LABELS) {
        oc_buf_puts(&text, " From ");
        if (option->type == OC_OPTION_WORD) {
            oc_buf_reset(&text);
            oc_buf_printf(&text, "%s It is ", option->text);
        }
        oc_config_write_bounds(option, &text);
        oc_buf_putc(&text, '.');
    }
    if (option->reload == OC_RELOAD_RESTART)
        oc_buf_puts(&text, " A change waits for a restart.");
    if (text.data)
        put_comment(out, "  ", text.data);
    else
        out->err = text.err;
    oc_buf_printf(
        out, option->type == OC_OPTION_LABELS ? "  // \"%s\": %s,\n\n" : "  // \"%s\": \"%s\",\n\n",
        option->key, option->def);
    oc_buf_clear(&text);
}

static void put_recipes(struct oc_buf *out, const struct oc_recipe *recipes)
{
    for (size_t i = 0; recipes[i].text; i++) {
        put_comment(out, "    ", recipes[i].text);
        oc_buf_printf(out, "    // %s%s\n", recipes[i].target, recipes[i + 1].text ? "," : "");
    }
}

static void put_section(struct oc_buf *out, const struct oc_section *section)
{
    put_comment(out, "  ", section->text);
    oc_buf_printf(out, "  \"%s\": [\n", section->key);
    put_recipes(out, oc_config_section_recipes(section));
    oc_buf_puts(out, "  ],\n\n");
}

void oc_config_write_sample(struct oc_buf *out)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);

    put_comment(out, "",
                "The config of oomcastd: JSON with comments. Every line that is commented out "
                "shows a default. 'man oomcast.json' has all of it; 'oomcast config check' says "
                "what the targets match here; 'oomcast reload' takes the file. Files in conf.d "
                "beside this one are read after it, and win.");
    oc_buf_puts(out, "{\n");
    for (size_t i = 0; i < count; i++) {
        if (options[i].type == OC_OPTION_SECTION)
            put_section(out, options[i].section());
        else if (options[i].type != OC_OPTION_TARGETS)
            put_option(out, &options[i]);
    }
    put_comment(out, "  ",
                "Which processes are watched, how, and what they are called. The first target that "
                "matches decides. With none, every process of min_size is watched. Take the marks "
                "off those that you want; no comma stands behind the last.");
    oc_buf_puts(out, "  \"targets\": [\n");
    put_recipes(out, oc_config_recipes());
    oc_buf_puts(out, "  ]\n}\n");
}
