/* The manual page of oomcastd, made from the table of its options. */
#include "daemon/args.h"

static void put_section(struct oc_buf *out, const char *name)
{
    oc_buf_printf(out, ".SH %s\n", name);
}

static void put_entry(struct oc_buf *out, const char *name, const char *value, const char *text)
{
    oc_buf_puts(out, ".TP\n\\fB");
    oc_buf_roff(out, name);
    oc_buf_puts(out, "\\fR");
    if (value)
        oc_buf_printf(out, " \\fI%s\\fR", value);
    oc_buf_putc(out, '\n');
    oc_buf_roff(out, text);
    oc_buf_putc(out, '\n');
}

static void put_options(struct oc_buf *out)
{
    const char *name = NULL, *value = NULL, *text = NULL;

    put_section(out, "OPTIONS");
    oc_buf_puts(out, "What is given here is stronger than the config file.\n");
    for (size_t i = 0; oc_args_option(i, &name, &value, &text) == OC_OK; i++) {
        if (text)
            put_entry(out, name, value, text);
    }
}

struct row {
    const char *name, *text;
};

static const struct row files[] = {
    { "/etc/oomcast/oomcast.json", "The config, where --config names no other." },
    { "/etc/oomcast/conf.d/*.json",
      "Drop-ins, read after it in the order of their names; their values win, and their targets "
      "stand first." },
    { "/var/lib/oomcast", "Store, lock and control socket of a daemon that root or the service "
                          "runs; for others ~/.local/state/oomcast." },
    { 0 },
};
static const struct row signals[] = {
    { "TERM, INT", "It ends within 2 seconds, with everything saved." },
    { "HUP", "It reads the config again: as a whole or, where something is wrong, not at all." },
    { 0 },
};
static const struct row statuses[] = {
    { "0", "It ended as told." },
    { "1", "It could not run, or could not save." },
    { "2", "The command line is wrong." },
    { 0 },
};
static const struct row examples[] = {
    { "oomcastd", "Every process over 64 MiB of this machine, every 10 seconds." },
    { "oomcastd --data ./run1 --interval 1s", "Into a store in a folder of its own." },
    { "systemctl reload oomcastd", "The service takes the changed config." },
    { 0 },
};

static const struct {
    const char *heading;
    const struct row *rows;
} sections[] = {
    { "FILES", files },
    { "SIGNALS", signals },
    { "EXIT STATUS", statuses },
    { "EXAMPLES", examples },
};

static void put_sections(struct oc_buf *out)
{
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        put_section(out, sections[i].heading);
        for (const struct row *row = sections[i].rows; row->name; row++)
            put_entry(out, row->name, NULL, row->text);
    }
}

void oc_args_manual(struct oc_buf *out_roff)
{
    oc_buf_puts(out_roff,
                ".TH OOMCASTD 8 \"\" \"oomcast\"\n.SH NAME\noomcastd \\- watches the memory of "
                "processes\n.SH SYNOPSIS\n\\fBoomcastd\\fR [\\fIOPTION\\fR]...\n"
                ".SH DESCRIPTION\nSamples processes, their cgroups and the host into one SQLite "
                "store, which \\fBoomcast\\fR(1) shows. It never forks, stays in the foreground, "
                "and speaks to nothing but its control socket and systemd.\n.PP\n"
                "With no option and no config: every process over 64 MiB, every 10 seconds.\n");
    put_options(out_roff);
    put_sections(out_roff);
    put_section(out_roff, "SEE ALSO");
    oc_buf_puts(out_roff, "\\fBoomcast\\fR(1), \\fBoomcast.json\\fR(5)\n");
}
