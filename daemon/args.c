#include "daemon/args.h"

#include "base/text.h"
#include "config/config.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define MIN_INTERVAL_MS 100
#define MAX_INTERVAL_MS 3600000
#define MAX_FD 65535
#define HELP_COLUMNS 100
#define HELP_INDENT 24

enum arg_type { ARG_FLAG, ARG_TEXT, ARG_WORD, ARG_DURATION, ARG_FD, ARG_LOOK };

struct arg {
    const char *name;
    const char *value; /* what --help calls it; NULL: a flag */
    enum arg_type type;
    size_t offset;    /* in struct oc_args */
    const char *text; /* NULL: not in --help (a second name) */
};

#define AT(member) offsetof(struct oc_args, member)

static const struct arg table[] = {
    { "--config", "FILE", ARG_TEXT, AT(config_path),
      "Read the options from FILE (JSON with // comments), then from the files of conf.d beside it. "
      "Without it: from the system's or the user's file, where there is one." },
    { "--data", "DIR", ARG_TEXT, AT(data_dir),
      "Keep the store (oomcast.db), its lock and the control socket in DIR." },
    { "--interval", "TIME", ARG_DURATION, AT(interval_ms),
      "Time between two samples, 100ms to 1h (10s)." },
    { "--pids-from", "FILE", ARG_TEXT, AT(pids_path),
      "Watch exactly the processes of FILE, one PID a line, and look for no others." },
    { "--rung", "LOOK", ARG_LOOK, AT(look),
      "Read the same each tick: least (statm), basic (status), pss (smaps_rollup too) or "
      "regions (maps too). Without it: no more than what moved asks for." },
    { "--look", "LOOK", ARG_LOOK, AT(look), NULL },
    { "--ack-fd", "N", ARG_FD, AT(ack_fd),
      "After each commit write a line 'SOURCE T_MS' to descriptor N for every sample saved." },
    { "--foreground", NULL, ARG_FLAG, AT(foreground),
      "Stay in the foreground. It always does; the option says so." },
    { "--no-connector", NULL, ARG_FLAG, AT(no_connector),
      "Do without the kernel's process events, even where they are allowed." },
    { "--log-level", "LEVEL", ARG_WORD, AT(log_level), "error, warn, info or debug (info)." },
    { "--log-format", "FORMAT", ARG_WORD, AT(log_format),
      "text, json, or auto: the journal where it listens, else text (auto)." },
    { "--root", "DIR", ARG_TEXT, AT(root),
      "Watch the system whose root is mounted at DIR, such as /host in a container." },
    { "--proc-root", "DIR", ARG_TEXT, AT(proc_root), "Look at DIR instead of /proc." },
    { "--cgroup-root", "DIR", ARG_TEXT, AT(cgroup_root), "Look at DIR instead of /sys/fs/cgroup." },
    { "--help", NULL, ARG_FLAG, AT(help), "Show this text." },
    { "--version", NULL, ARG_FLAG, AT(version), "Show the version." },
    { "--man", NULL, ARG_FLAG, AT(manual), NULL },
};
#define ARG_COUNT (sizeof(table) / sizeof(table[0]))

/* In the order of enum oc_look. */
static const char *const looks[] = { "ladder", "least", "basic", "pss", "regions", NULL };

static void *member(struct oc_args *args, const struct arg *arg)
{
    return (char *)args + arg->offset;
}

static int set_look(const struct arg *arg, const char *value, int64_t *out,
                    struct oc_detail *detail)
{
    for (int i = 0; looks[i]; i++) {
        if (strcmp(looks[i], value) == 0) {
            *out = i;
            return OC_OK;
        }
    }
    return oc_detail_set(detail, OC_E_INVAL, "%s wants least, basic, pss or regions, not '%.80s'",
                         arg->name, value);
}

static int set_duration(const struct arg *arg, const char *value, int64_t *out,
                        struct oc_detail *detail)
{
    int64_t ms = 0;

    if (oc_text_duration_ms(value, &ms) < 0 || ms < MIN_INTERVAL_MS || ms > MAX_INTERVAL_MS)
        return oc_detail_set(detail, OC_E_INVAL,
                             "%s wants a time from 100ms to 1h such as 10s, not '%.80s'", arg->name,
                             value);
    *out = ms;
    return OC_OK;
}

static int set_fd(const struct arg *arg, const char *value, int64_t *out, struct oc_detail *detail)
{
    uint64_t fd = 0;

    if (oc_text_u64(value, &fd) < 0 || fd > MAX_FD)
        return oc_detail_set(detail, OC_E_INVAL, "%s wants the number of a descriptor, not '%.80s'",
                             arg->name, value);
    *out = (int64_t)fd;
    return OC_OK;
}

/* The words of the config's option of the same name: "--log-level" is "log_level" there. */
static const char *const *words_of(const struct arg *arg)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);

    for (size_t i = 0; i < count; i++) {
        const char *a = arg->name + 2;
        const char *b = options[i].key;

        while (*a && (*a == *b || (*a == '-' && *b == '_'))) {
            a++;
            b++;
        }
        if (*a == '\0' && *b == '\0')
            return options[i].words;
    }
    return NULL;
}

static int set_word(const struct arg *arg, const char *value, const char **out,
                    struct oc_detail *detail)
{
    const char *const *words = words_of(arg);

    for (size_t i = 0; words && words[i]; i++) {
        if (strcmp(words[i], value) == 0) {
            *out = value;
            return OC_OK;
        }
    }
    return oc_detail_set(detail, OC_E_INVAL, "%s does not know '%.80s'; --help lists the words",
                         arg->name, value);
}

static int set_value(const struct arg *arg, const char *value, struct oc_args *args,
                     struct oc_detail *detail)
{
    if (value[0] == '\0')
        return oc_detail_set(detail, OC_E_INVAL, "%s wants a value", arg->name);
    switch (arg->type) {
    case ARG_LOOK:
        return set_look(arg, value, member(args, arg), detail);
    case ARG_WORD:
        return set_word(arg, value, member(args, arg), detail);
    case ARG_DURATION:
        return set_duration(arg, value, member(args, arg), detail);
    case ARG_FD:
        return set_fd(arg, value, member(args, arg), detail);
    case ARG_TEXT:
        *(const char **)member(args, arg) = value;
        return OC_OK;
    case ARG_FLAG:
        break;
    }
    return oc_detail_set(detail, OC_E_INVAL, "%s takes no value", arg->name);
}

static const struct arg *find_arg(const char *text, size_t len_bytes)
{
    for (size_t i = 0; i < ARG_COUNT; i++) {
        if (strlen(table[i].name) == len_bytes && memcmp(table[i].name, text, len_bytes) == 0)
            return &table[i];
    }
    return NULL;
}

static int fail_unknown(const char *text, struct oc_detail *detail)
{
    const char *names[ARG_COUNT + 1] = { NULL };
    const char *nearest = NULL;

    for (size_t i = 0; i < ARG_COUNT; i++)
        names[i] = table[i].name;
    nearest = oc_text_nearest(text, names);
    if (nearest)
        return oc_detail_set(detail, OC_E_INVAL, "unknown option '%.80s'; did you mean %s?", text,
                             nearest);
    return oc_detail_set(detail, OC_E_INVAL, "unknown option '%.80s'; --help lists them", text);
}

/* The option at argv[*at]; *at goes on to its value where that is a word of its own. */
static int parse_one(int argc, char *const *argv, int *at, struct oc_args *args,
                     struct oc_detail *detail)
{
    const char *text = argv[*at];
    const char *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : strlen(text);
    const struct arg *arg = find_arg(text, len);

    if (!arg)
        return fail_unknown(text, detail);
    if (equals)
        return set_value(arg, equals + 1, args, detail);
    if (arg->type == ARG_FLAG) {
        *(int *)member(args, arg) = 1;
        return OC_OK;
    }
    if (*at + 1 >= argc)
        return oc_detail_set(detail, OC_E_INVAL, "%s wants a value: %s %s", arg->name, arg->name,
                             arg->value);
    ++*at;
    return set_value(arg, argv[*at], args, detail);
}

int oc_args_parse(int argc, char *const *argv, struct oc_args *out_args, struct oc_detail *detail)
{
    struct oc_args args = { .ack_fd = -1, .look = -1 };

    for (int at = 1; at < argc; at++) {
        int rc = parse_one(argc, argv, &at, &args, detail);

        if (rc < 0)
            return rc;
    }
    *out_args = args;
    return OC_OK;
}

int oc_args_option(size_t index, const char **out_name, const char **out_value,
                   const char **out_text)
{
    if (index >= ARG_COUNT)
        return OC_E_NOENT;
    *out_name = table[index].name;
    *out_value = table[index].value;
    *out_text = table[index].text;
    return OC_OK;
}

/* Words of text behind what is on the line already, broken at HELP_COLUMNS. */
static void put_wrapped(struct oc_buf *out, size_t indent, const char *text)
{
    size_t column = indent;

    while (*text) {
        size_t len = strcspn(text, " ");

        if (column > indent && column + 1 + len > HELP_COLUMNS) {
            oc_buf_putc(out, '\n');
            oc_buf_spaces(out, indent);
            column = indent;
        } else if (column > indent) {
            oc_buf_putc(out, ' ');
            column++;
        }
        oc_buf_add(out, text, len);
        column += len;
        text += len;
        text += *text == ' ';
    }
}

static void put_entry(struct oc_buf *out, const char *left, const char *text)
{
    size_t len = strlen(left);

    oc_buf_puts(out, "  ");
    oc_buf_puts(out, left);
    oc_buf_spaces(out, len + 4 < HELP_INDENT ? HELP_INDENT - len - 2 : 2);
    put_wrapped(out, HELP_INDENT, text);
    oc_buf_putc(out, '\n');
}

static void put_keys(struct oc_buf *out)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);

    for (size_t i = 0; i < count; i++) {
        char text[400];

        (void)snprintf(text, sizeof(text), "%s%s%s%s", options[i].text,
                       options[i].def[0] ? " (" : "", options[i].def, options[i].def[0] ? ")" : "");
        put_entry(out, options[i].key, text);
    }
}

void oc_args_help(struct oc_buf *out_text)
{
    oc_buf_puts(out_text,
                "Usage: oomcastd [OPTION]...\n"
                "Watches the memory of processes into an SQLite store; oomcast shows it.\n\n"
                "With no option: every process over 64 MiB, every 10 seconds, into the user's\n"
                "state folder (root: /var/lib/oomcast).\n\n"
                "Options:\n");
    for (size_t i = 0; i < ARG_COUNT; i++) {
        char left[64];

        if (!table[i].text)
            continue;
        (void)snprintf(left, sizeof(left), "%s%s%s", table[i].name, table[i].value ? " " : "",
                       table[i].value ? table[i].value : "");
        put_entry(out_text, left, table[i].text);
    }
    oc_buf_puts(out_text, "\nKeys of the config file, { \"interval\": \"10s\" } and so on:\n");
    put_keys(out_text);
    oc_buf_puts(out_text,
                "\nExamples:\n"
                "  oomcastd                                  watch this machine\n"
                "  oomcastd --config /etc/oomcast.json       with options from a file\n"
                "  pgrep java > pids; oomcastd --pids-from pids --interval 1s --data ./run1\n"
                "\nSignals: TERM and INT end it within 2 seconds with everything saved; HUP reads\n"
                "the config again.\n"
                "Exit status: 0 ended as told, 1 it could not run, 2 wrong usage.\n");
}
