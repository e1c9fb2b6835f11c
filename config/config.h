/*
 * The options of the daemon and where they come from. One table (option.c) makes --help, the
 * sample file, the schema and the manual; target.h has the targets.
 */
#ifndef OC_CONFIG_CONFIG_H
#define OC_CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/rule.h"
#include "config/target.h"

#include <stddef.h>
#include <stdint.h>

#define OC_CONFIG_MAX_FILE_BYTES (1u << 20)
#define OC_CONFIG_MAX_DROP_INS 256

struct oc_config {
    int64_t interval_ms;                /* 100 ms … 1 h; 10 s */
    int64_t discovery_ms;               /* 10 s */
    int64_t batch_ms;                   /* 1 s */
    int64_t walk_interval_ms;           /* 10 min; 0 is refused */
    int64_t walk_gap_ms;                /* at least so long between two walks of a process; 10 s */
    int64_t walk_budget_percent;        /* of a core, for all walks; 5 */
    int64_t walk_target_budget_percent; /* of a core, for the walks of one process; 1 */
    uint64_t min_size_bytes;            /* 64 MiB; used when there are no targets */
    int64_t raw_keep_ms, minute_keep_ms, hour_keep_ms;
    uint64_t store_max_bytes;
    char forecast[8];               /* on off */
    uint64_t forecast_memory_bytes; /* of all series; 64 MiB */
    char instance[256];             /* what alerts call this machine; "": its host name */
    int64_t group_wait_ms, group_interval_ms, renotify_ms; /* of notices: 30 s, 5 min, 4 h */
    char data_dir[512];                                    /* "": the user's state folder */
    char log_level[16];                                    /* error warn info debug */
    char log_format[16];                                   /* auto text json */
    struct oc_labels labels;                               /* of all subjects */
    struct oc_targets targets;                             /* none: every process of min_size */
    struct oc_rules
        rules; /* in force: the file's, and the defaults whose place none of them takes */
    struct oc_receivers receivers; /* with their secrets */
    struct oc_windows windows;     /* "maintenance" and "restarts" */
    struct oc_config_origins
        *origins; /* owned: where each value came from; NULL: all are defaults */
};

struct oc_option;

/* The defaults of the options alone: no rules. */
void oc_config_init(struct oc_config *config);
void oc_config_clear(struct oc_config *config);

/* What runs with no config at all, the default rules too. 0 or OC_E_NOMEM. */
int oc_config_default(struct oc_config *out_config, struct oc_detail *detail);
/* The same on an OS of that name: on Windows there are two targets, all pools of IIS in full and, by counters, every
 * process of min_size; they also stand in for those of files that select no process (oc_config_load_all()). */
int oc_config_default_of(const char *os, struct oc_config *out_config, struct oc_detail *detail);

/*
 * Reads JSON with // comments over the defaults into *out_config (untouched on failure).
 * name is what errors call the text. Returns 0, OC_E_PARSE or OC_E_INVAL (detail: line, column,
 * what is wrong, nearest known key), OC_E_TOOBIG, OC_E_NOMEM.
 */
int oc_config_parse(const char *name, const char *text, size_t len_bytes,
                    struct oc_config *out_config, struct oc_detail *detail);
/* The same of a file. OC_E_DENIED: a hook's program, or the file that names it, could be written by others. */
int oc_config_load(const char *path, struct oc_config *out_config, struct oc_detail *detail);

/*
 * The file, then each *.json of the folder "conf.d" beside it in the order of their names, over the
 * defaults. A drop-in's values win over what came before, and its targets stand before those
 * of the files before it. No such folder is no failure. As oc_config_load().
 */
int oc_config_load_all(const char *path, struct oc_config *out_config, struct oc_detail *detail);

/* ---- for people: cli `config`, the packages, the manual ---- */

/* Where the value of an option came from: *out_file NULL for a default. Borrowed until clear. */
void oc_config_origin(const struct oc_config *config, const struct oc_option *option,
                      const char **out_file, uint32_t *out_line);
/* The files that were read, in their order. Borrowed until clear; NULL beyond the last. */
size_t oc_config_file_count(const struct oc_config *config);
const char *oc_config_file(const struct oc_config *config, size_t index);
/* The path that a text was read from ({"from_file": PATH}): such a text is never shown. NULL: none. */
const char *oc_config_secret(const struct oc_config *config, const char *text);
/* The value in force as a file would write it: "\"10s\"", {"from_file": …}. Of labels and targets nothing. */
void oc_config_write_value(const struct oc_config *config, const struct oc_option *option,
                           struct oc_buf *out);
void oc_config_write_labels(const struct oc_config *config, const struct oc_labels *labels,
                            struct oc_buf *out);
/* How many items a section has that are in force, and one of them as an object on one line; secrets that stand in
 * the file are not shown. Its place: *out_file NULL for a default. */
size_t oc_config_section_count(const struct oc_config *config, const struct oc_option *option);
void oc_config_write_section_item(const struct oc_config *config, const struct oc_option *option,
                                  size_t index, struct oc_buf *out, const char **out_file,
                                  uint32_t *out_line);
/* A target as an object on one line, the labels of all among its own. */
void oc_config_write_target(const struct oc_config *config, const struct oc_target *target,
                            struct oc_buf *out);
/* All of it as one file, with a comment behind each value that says where it came from. It loads, but for secrets
 * that stand in the files themselves: they are not shown, and what stands in their place is refused. */
void oc_config_write_all(const struct oc_config *config, struct oc_buf *out);
/* A JSON Schema (2020-12) of the whole file, targets too. */
void oc_config_write_schema(struct oc_buf *out);
/* A starter file: every option commented with its default, recipes for targets. It loads as it is. */
void oc_config_write_sample(struct oc_buf *out);
/* The same for a machine with IIS: shorter, with targets that are in force. */
void oc_config_write_iis_sample(struct oc_buf *out);
/* The manual of the config file, section 5, in troff. */
void oc_config_write_manual(struct oc_buf *out);

/* What is no error and hardly meant; never with a secret. */
struct oc_config_warning {
    const char *file; /* borrowed during the call */
    uint32_t line;
    char text[400];
};
typedef void oc_config_warning_fn(const struct oc_config_warning *warning, void *context);
/*
 * Rules that can never match a subject of the targets, receivers that nothing reaches, rules without a receiver,
 * secrets that stand in the config or go over the network in clear, hooks whose program is not there. Returns how many.
 */
int oc_config_warnings(const struct oc_config *config, oc_config_warning_fn *fn, void *context);

/* ---- the option table ---- */
enum oc_option_type {
    OC_OPTION_DURATION,
    OC_OPTION_SIZE,
    OC_OPTION_PERCENT,
    OC_OPTION_WORD,
    OC_OPTION_PATH,
    OC_OPTION_LABELS,
    OC_OPTION_TARGETS,
    OC_OPTION_SECTION /* rules, receivers, maintenance, restarts */
};
enum oc_reload { OC_RELOAD_LIVE, OC_RELOAD_RESTART };
struct oc_section;
struct oc_option {
    const char *key;
    enum oc_option_type type;
    enum oc_reload reload;
    size_t offset;                             /* in struct oc_config */
    int64_t min, max;                          /* durations in ms, sizes in bytes, percent */
    const char *def;                           /* as written in a file */
    const char *const *words;                  /* OC_OPTION_WORD: those allowed, NULL-terminated */
    const struct oc_section *(*section)(void); /* OC_OPTION_SECTION */
    const char *text;
};
/* The rows; *out_count how many. Borrowed for ever. */
const struct oc_option *oc_option_table(size_t *out_count);

/* ---- the keys of a target ---- */
enum oc_target_key_type {
    OC_TARGET_KEY_WORDS, /* a string or several */
    OC_TARGET_KEY_REGEXES,
    OC_TARGET_KEY_PIDS,
    OC_TARGET_KEY_SIZE,
    OC_TARGET_KEY_WORD, /* one of .words */
    OC_TARGET_KEY_BOOL,
    OC_TARGET_KEY_TEXT,
    OC_TARGET_KEY_LABELS,
    OC_TARGET_KEY_DURATION,
    OC_TARGET_KEY_LIMITS
};
struct oc_target_key {
    const char *key;
    enum oc_target_key_type type;
    unsigned selector; /* enum oc_selector; OC_SELECT_COUNT: none */
    const char *const *words;
    const char *example; /* a value in JSON */
    const char *text;
};
const struct oc_target_key *oc_target_key_table(size_t *out_count);

#endif
