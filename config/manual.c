/* The manual of the config file, oomcast.json(5), from the tables. */
#include "config/section.h"
#include "config/words.h"

static void put_section(struct oc_buf *out, const char *name)
{
    oc_buf_printf(out, ".SH %s\n", name);
}

static void put_text(struct oc_buf *out, const char *text)
{
    oc_buf_roff(out, text);
    oc_buf_putc(out, '\n');
}

static void put_key(struct oc_buf *out, const char *key)
{
    oc_buf_puts(out, ".TP\n\\fB");
    oc_buf_roff(out, key);
    oc_buf_puts(out, "\\fR");
}

static void put_options(struct oc_buf *out)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);

    put_section(out, "OPTIONS");
    for (size_t i = 0; i < count; i++) {
        struct oc_buf bounds;

        oc_buf_init(&bounds, 1024);
        oc_config_write_bounds(&options[i], &bounds);
        put_key(out, options[i].key);
        if (options[i].def[0]) {
            oc_buf_puts(out, " (default ");
            oc_buf_roff(out, options[i].def);
            oc_buf_putc(out, ')');
        }
        oc_buf_putc(out, '\n');
        put_text(out, options[i].text);
        if (bounds.len_bytes > 0) {
            oc_buf_puts(out, options[i].type == OC_OPTION_WORD ? "It is " : "From ");
            oc_buf_roff(out, bounds.data);
            oc_buf_puts(out, ".\n");
        }
        put_text(out, options[i].reload == OC_RELOAD_LIVE ? "A reload takes it."
                                                          : "A change waits for a restart.");
        oc_buf_clear(&bounds);
    }
}

static void put_targets(struct oc_buf *out)
{
    size_t count = 0;
    const struct oc_target_key *keys = oc_target_key_table(&count);

    put_section(out, "TARGETS");
    put_text(out, "A target is an object of \"targets\". All of its selectors must match; of a "
                  "selector with an array one value must. The first target that matches a process "
                  "decides. With no target at all, every process of min_size is watched. A target "
                  "without selectors is an error: where every process is meant, \"name\" is "
                  "\"*\".");
    oc_buf_puts(out, ".PP\n");
    put_text(out, "In globs '*' is any text, '?' one character, '[a-z]' one of these, and a "
                  "backslash takes the next character as it is; they match from beginning to end. "
                  "Regular expressions are POSIX extended ones, with (?i) for any case. They match "
                  "anywhere, byte by byte, in a time that grows no faster than the text: "
                  "back-references and repeats that multiply are refused.");
    for (size_t i = 0; i < count; i++) {
        put_key(out, keys[i].key);
        oc_buf_putc(out, '\n');
        put_text(out, keys[i].text);
        oc_buf_puts(out, ".br\nExample: ");
        put_text(out, keys[i].example);
    }
}

/* For which kinds a key is, where not for all. */
static void put_kinds(struct oc_buf *out, const struct oc_section *section,
                      const struct oc_section_key *key)
{
    const char *separator = " (";

    if (key->kinds == 0)
        return;
    for (unsigned i = 1; i < section->kind_count; i++) {
        if (!oc_section_knows(key, i))
            continue;
        oc_buf_puts(out, separator);
        oc_buf_roff(out, section->kind_name(i));
        separator = ", ";
    }
    oc_buf_putc(out, ')');
}

static void put_item_section(struct oc_buf *out, const struct oc_section *section)
{
    char title[32] = "";

    for (size_t i = 0; section->key[i] && i + 1 < sizeof(title); i++)
        title[i] = (char)(section->key[i] - 'a' + 'A');
    put_section(out, title);
    put_text(out, section->text);
    if (section->kind_key) {
        oc_buf_printf(out, ".PP\nEach \\fB%s\\fR is one of", section->kind_key);
        for (unsigned i = 1; i < section->kind_count; i++) {
            oc_buf_puts(out, i > 1 ? ", " : " ");
            oc_buf_roff(out, section->kind_name(i));
        }
        oc_buf_puts(out, ".\n");
    }
    for (size_t i = 0; i < section->key_count; i++) {
        const struct oc_section_key *key = &section->keys[i];

        put_key(out, key->key);
        put_kinds(out, section, key);
        if (key->def) {
            oc_buf_puts(out, " (default ");
            oc_buf_roff(out, key->def);
            oc_buf_putc(out, ')');
        }
        oc_buf_putc(out, '\n');
        put_text(out, key->text);
        oc_buf_puts(out, ".br\nExample: ");
        put_text(out, key->example);
    }
}

static void put_recipes(struct oc_buf *out)
{
    const struct oc_recipe *recipes = oc_config_recipes();

    put_section(out, "EXAMPLES");
    for (size_t i = 0; recipes[i].text; i++) {
        put_text(out, recipes[i].text);
        oc_buf_puts(out, ".PP\n.nf\n.RS 2\n");
        put_text(out, recipes[i].target);
        oc_buf_puts(out, ".RE\n.fi\n.PP\n");
    }
}

static void put_files(struct oc_buf *out)
{
    put_section(out, "FILES");
    put_key(out, "/etc/oomcast/oomcast.json");
    put_text(out, "\nThe config of the service and of root; for others "
                  "~/.config/oomcast/oomcast.json stands before it.");
    put_key(out, "/etc/oomcast/conf.d/*.json");
    put_text(out, "\nDrop-ins of the file beside them, in the order of their names. Their values "
                  "win, labels one by one, and their targets stand first.");
}

void oc_config_write_manual(struct oc_buf *out)
{
    oc_buf_puts(out, ".TH OOMCAST.JSON 5 \"\" \"oomcast\"\n.SH NAME\noomcast.json \\- which "
                     "processes oomcastd watches, how, and who is told\n.SH DESCRIPTION\n");
    put_text(out, "One JSON object, with comments from // to the end of the line. Durations and "
                  "sizes are strings with units: \"10s\", \"1h30m\", \"512MiB\". In place of any "
                  "string, { \"from_file\": \"/a/path\" } takes the text of a file, which is never "
                  "shown or logged.");
    oc_buf_puts(out, ".PP\n");
    put_text(out, "An unknown key, a wrong type, a value out of its range or a key given twice is "
                  "an error with file, line and column, and nothing of the file is taken.");
    oc_buf_puts(out, ".PP\n\\fBoomcast config check\\fR says what the targets match on this "
                     "machine; \\fBoomcast reload\\fR makes the daemon read the files again: all "
                     "of them, or, where something is wrong, none.\n");
    put_options(out);
    put_targets(out);
    for (const struct oc_section *const *section = oc_sections(); *section; section++)
        put_item_section(out, *section);
    put_recipes(out);
    put_files(out);
    put_section(out, "SEE ALSO");
    oc_buf_puts(out, "\\fBoomcast\\fR(1), \\fBoomcastd\\fR(8)\n");
}
