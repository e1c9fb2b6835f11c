/*
 * The frame of the program `oomcast`: a command is one row (struct oc_cli_command) in a file of
 * its own; parsing, --help, the manual and shell completion are loops over the rows.
 *
 * A command's run function gets its parsed options in a struct oc_cli, writes its answer to
 * cli->out (flushed by the frame, or by oc_cli_flush() where it grows long), says errors by
 * oc_cli_error() and returns an exit code.
 */
#ifndef OC_CLI_CLI_H
#define OC_CLI_CLI_H

#include "base/buf.h"
#include "base/err.h"
#include "storage/reader.h"

#include <stddef.h>
#include <stdint.h>

/* Stable and documented: scripts rely on them. */
enum oc_exit {
    OC_EXIT_OK = 0,
    OC_EXIT_ERROR = 1, /* it could not be done; standard error says why and what to do next */
    OC_EXIT_USAGE = 2  /* the command line is wrong */
};

/* What an option takes. Values are checked while parsing, so a getter cannot fail. */
enum oc_cli_type {
    OC_CLI_FLAG,     /* no value */
    OC_CLI_TEXT,     /* any text */
    OC_CLI_INT,      /* ≥ 0 */
    OC_CLI_DURATION, /* "100ms" "10s" "1h30m" */
    OC_CLI_TIME,     /* as --since takes it */
    OC_CLI_METRIC,   /* a name of the metric table */
    OC_CLI_WORD      /* one of .words */
};

struct oc_cli_option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* 'n' for -n; 0: none */
    enum oc_cli_type type;
    const char *placeholder;  /* "PATH"; NULL for a flag */
    const char *text;         /* for --help, one line if it can be, no full stop */
    const char *const *words; /* OC_CLI_WORD: NULL-terminated */
};

struct oc_cli_example {
    const char *command; /* NULL ends a list */
    const char *text;
};

/* Options that several commands share; --help and --no-color are everybody's. */
#define OC_CLI_HAS_DB 1u    /* --db PATH */
#define OC_CLI_HAS_RANGE 2u /* --since, --until */
#define OC_CLI_HAS_JSON 4u
#define OC_CLI_HAS_CSV 8u
#define OC_CLI_HAS_ROOT 16u /* --root DIR: the system that is looked at */

struct oc_cli;

struct oc_cli_command {
    const char *name;
    const char *summary;      /* one line, no full stop */
    const char *usage;        /* what follows the name: "[OPTION]... SUBJECT [METRIC]" */
    const char *text;         /* some paragraphs for --help and the manual; may be NULL */
    const char *exits;        /* what its exit codes mean beside the common ones; may be NULL */
    const char *plugin_exits; /* what they mean in place of the common ones; NULL: those hold */
    unsigned common;          /* OC_CLI_HAS_… */
    const struct oc_cli_option *options;   /* ended by a NULL name; may be NULL */
    const struct oc_cli_example *examples; /* ended by a NULL command */
    size_t min_args, max_args;             /* positional arguments; max SIZE_MAX: any */
    int takes_command; /* what follows "--" is a command (cli->rest), not arguments */
    int (*run)(struct oc_cli *cli);
    int (*refuse)(struct oc_cli *cli,
                  const char *why); /* answers a wrong command line; NULL: as all do */
};

enum oc_cli_format { OC_FORMAT_TABLE, OC_FORMAT_JSON, OC_FORMAT_CSV };

#define OC_CLI_MAX_OPTIONS 32
#define OC_CLI_MAX_ARGS 64

struct oc_cli_value {
    const struct oc_cli_option *option; /* never NULL */
    const char *text;                   /* as written; borrowed from argv */
    int64_t number; /* a count, ms, unix ms or metric number, as the type says */
};

struct oc_cli {
    const struct oc_cli_command *command;
    struct oc_cli_value values[OC_CLI_MAX_OPTIONS];
    size_t value_count;
    const char *args[OC_CLI_MAX_ARGS]; /* positional, borrowed from argv */
    size_t arg_count;
    char **rest; /* the command after "--", NULL-terminated; NULL: none */

    enum oc_cli_format format;
    int is_tty; /* standard output */
    int color;  /* escape sequences may be used: a terminal, and neither --no-color nor NO_COLOR */
    int utf8;   /* the locale takes more than ASCII */
    int width, height; /* of the terminal; 100 × 30 where there is none */

    int64_t now_unix_ms;                  /* at start */
    int64_t since_unix_ms, until_unix_ms; /* --since, --until; 0 and INT64_MAX: not given */
    char db_path[1024]; /* of the store, once oc_cli_find_store() was called; else "" */

    struct oc_buf out; /* what goes to standard output */
};

/* ---- options ---- */

/* Whether an option was given (by its name without dashes). */
int oc_cli_has(const struct oc_cli *cli, const char *name);
/* Its value as written, or fallback (may be NULL). Borrowed until the end of the program. */
const char *oc_cli_text(const struct oc_cli *cli, const char *name, const char *fallback);
/* Its value as a number: a count, ms of a duration, unix ms of a time, the number of a metric. */
int64_t oc_cli_number(const struct oc_cli *cli, const char *name, int64_t fallback);

/* ---- errors ---- */

/*
 * Writes "oomcast NAME: …" to standard error, control characters escaped, and returns
 * OC_EXIT_ERROR. The text ends with what to do next where there is something to do.
 */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int oc_cli_error(const struct oc_cli *cli, const char *format, ...);

/* The same with a hint at --help; returns OC_EXIT_USAGE. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int oc_cli_usage(const struct oc_cli *cli, const char *format, ...);

/* A warning or a progress line on standard error; no exit code. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void oc_cli_note(const struct oc_cli *cli, const char *format, ...);

/* ---- output ---- */

/* Writes cli->out to standard output and empties it. 0, OC_E_IO (a closed pipe, say) or OC_E_NOMEM.
 */
int oc_cli_flush(struct oc_cli *cli);

/* ---- the store ---- */

/*
 * Finds the store: --db (a file, or the folder of oomcast.db), OOMCAST_DB, the system's, the
 * user's; the first that is there. cli->db_path then has its path. Without any it is the user's.
 */
void oc_cli_find_store(struct oc_cli *cli);

/* Finds and opens it. On failure an error with its mend has been said. 0 or a code. */
int oc_cli_open_store(struct oc_cli *cli, oc_reader **out_reader);

/* ---- the table of commands ---- */

/* All commands in the order of --help; ended by NULL. Borrowed for ever. */
const struct oc_cli_command *const *oc_cli_commands(void);

/* The options that common bits stand for, and whether a command (NULL: none) has one. */
size_t oc_cli_common_count(void);
const struct oc_cli_option *oc_cli_common_option(size_t row);
int oc_cli_common_applies(const struct oc_cli_command *command, size_t row);

/* A command's options by index, its own first; NULL at the end. command may be NULL. */
const struct oc_cli_option *oc_cli_option_at(const struct oc_cli_command *command, size_t index);

/* A metric by name; *detail names the nearest. 0 or OC_E_INVAL. */
int oc_cli_metric(const char *text, unsigned *out_number, struct oc_detail *detail);

/* Parses and runs. The whole program but main(). Returns the exit code. */
int oc_cli_main(int argc, char **argv);

/*
 * Common options may stand before the command: moves the command to argv[1], and them behind it. argc
 * ≥ 2. 0, or OC_E_NOENT where nothing but options is there, which leaves argv as it is.
 */
int oc_cli_command_first(int argc, char **argv);

/*
 * Parses what follows the command's name into *cli (zeroed, command, now_unix_ms set). On failure
 * *detail says what is wrong and names the nearest. Returns 0, OC_E_INVAL, OC_E_TOOBIG. Pure but
 * for the local time zone.
 */
int oc_cli_parse(struct oc_cli *cli, int argc, char **argv, struct oc_detail *detail);

extern const struct oc_cli_command oc_cmd_status, oc_cmd_doctor, oc_cmd_top, oc_cmd_history,
    oc_cmd_lives, oc_cmd_watch, oc_cmd_sql, oc_cmd_db, oc_cmd_metrics, oc_cmd_reload,
    oc_cmd_walk_now, oc_cmd_regions, oc_cmd_modules, oc_cmd_limits, oc_cmd_diff, oc_cmd_export,
    oc_cmd_config, oc_cmd_backtest, oc_cmd_completion, oc_cmd_help, oc_cmd_version, oc_cmd_forecast, oc_cmd_explain,
    oc_cmd_accuracy, oc_cmd_alerts, oc_cmd_silence, oc_cmd_check, oc_cmd_service;

#endif
