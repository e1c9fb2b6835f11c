#include "notify/args.h"

#include "notify/os.h"

#include <stddef.h>
#include <string.h>

struct arg {
    const char *name;
    const char *value; /* what --help calls it; NULL: a flag */
    size_t offset;
    const char *text;             /* NULL: not for people */
    const char *(*os_text)(void); /* in its place, where it is the OS's */
};
#define AT(member) offsetof(struct oc_notify_args, member)

static const struct arg table[] = {
    { "--user", "NAME", AT(user), NULL, oc_user_option_text },
    { "--journal", "SOCKET", AT(journal), NULL, oc_journal_option_text },
    { "--help", NULL, AT(help), "Show this text.", NULL },
    { "--version", NULL, AT(version), "Show the version.", NULL },
    { "--man", NULL, AT(manual), NULL, NULL },
    { "--bare", NULL, AT(is_bare), NULL, NULL },
};
#define ARG_COUNT (sizeof(table) / sizeof(table[0]))

static const struct arg *find_arg(const char *name)
{
    for (size_t i = 0; i < ARG_COUNT; i++) {
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    }
    return NULL;
}

int oc_notify_args_parse(int argc, char *const *argv, struct oc_notify_args *out_args,
                         struct oc_detail *detail)
{
    struct oc_notify_args args = { .journal = oc_journal_default() };

    for (int i = 1; i < argc; i++) {
        const struct arg *arg = find_arg(argv[i]);
        char *at = NULL;

        if (!arg)
            return oc_detail_set(detail, OC_E_INVAL, "unknown option '%.80s'; --help lists them",
                                 argv[i]);
        at = (char *)&args + arg->offset;
        if (!arg->value) {
            *(int *)(void *)at = 1;
        } else if (i + 1 < argc && argv[i + 1][0] != '\0') {
            *(const char **)(void *)at = argv[++i];
        } else {
            return oc_detail_set(detail, OC_E_INVAL, "%s wants a value: %s %s", arg->name,
                                 arg->name, arg->value);
        }
    }
    *out_args = args;
    return OC_OK;
}

/* ---- help ---- */

/* NULL: not for people, or nothing here. */
static const char *text_of(const struct arg *arg)
{
    return arg->os_text ? arg->os_text() : arg->text;
}

void oc_notify_args_help(struct oc_buf *out)
{
    oc_buf_puts(out, "usage: oomcast-notify [options]\n\n"
                     "Delivers alerts for oomcastd, which starts it: deliveries come in on "
                     "standard input, what came of "
                     "them\ngoes out on standard output, a JSON object a line. Ends when standard "
                     "input is closed.\n\n");
    for (size_t i = 0; i < ARG_COUNT; i++) {
        const char *value = table[i].value ? table[i].value : "";

        if (text_of(&table[i]))
            oc_buf_printf(out, "  %-10s%-8s%s\n", table[i].name, value, text_of(&table[i]));
    }
}

/* ---- the manual page ---- */

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

static const char about[] = "It is the only part of oomcast that speaks to a network and that runs "
                            "programs of yours. oomcastd starts it when the "
                            "config has receivers, and again when it ended; nobody else needs to.";
static const char what[] = "It gives up all rights that it has: no capabilities, no new "
                           "privileges, no core files, nothing inherited but its "
                           "three streams; started by root it goes on as the user oomcast-notify, "
                           "or nobody. It keeps nothing: receivers and "
                           "their secrets come over the pipe, deliveries are tried once, and "
                           "oomcastd decides what is tried again.";
static const struct {
    const char *name, *text;
} statuses[] = {
    { "0", "Standard input was closed, or it was told to end." },
    { "1", "It could not run, or nobody takes what it says any more." },
    { "2", "The command line is wrong." },
};

void oc_notify_args_manual(struct oc_buf *out)
{
    oc_buf_puts(out, ".TH OOMCAST-NOTIFY 8 \"\" \"oomcast " OC_VERSION "\" \"oomcast\"\n"
                     ".SH NAME\noomcast\\-notify \\- delivers the alerts of oomcastd\n"
                     ".SH SYNOPSIS\n.B oomcast\\-notify\n[\\fIoptions\\fR]\n.SH DESCRIPTION\n");
    oc_buf_roff(out, about);
    oc_buf_puts(out, "\n.PP\n");
    oc_buf_roff(out, what);
    oc_buf_puts(out, "\n.SH OPTIONS\n");
    for (size_t i = 0; i < ARG_COUNT; i++) {
        if (text_of(&table[i]))
            put_entry(out, table[i].name, table[i].value, text_of(&table[i]));
    }
    oc_buf_puts(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        put_entry(out, statuses[i].name, NULL, statuses[i].text);
    oc_buf_puts(out,
                ".SH SEE ALSO\n\\fBoomcastd\\fR(8), \\fBoomcast\\fR(1), \\fBoomcast.json\\fR(5)\n");
}
