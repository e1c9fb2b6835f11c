/* The command line of oomcastd: one table of options, from which --help comes too. */
#ifndef OC_DAEMON_ARGS_H
#define OC_DAEMON_ARGS_H

#include "base/buf.h"
#include "base/err.h"
#include "probes/probe.h"

#include <stddef.h>
#include <stdint.h>

struct oc_args {
    int help, version, manual;
    int foreground; /* accepted for clarity: oomcastd never forks */
    int no_connector;
    const char *config_path; /* borrowed from argv, as all strings here; NULL: not given */
    const char *pids_path;
    const char *data_dir;
    const char *log_level;
    const char *log_format;
    const char *root;
    const char *proc_root;
    const char *cgroup_root;
    int64_t interval_ms; /* 0: not given */
    int64_t ack_fd;      /* -1: none */
    int64_t look;        /* enum oc_look; -1: not given */
};

/* Returns 0, or OC_E_INVAL with what is wrong and the mend in detail. */
int oc_args_parse(int argc, char *const *argv, struct oc_args *out_args, struct oc_detail *detail);

/* The text of --help. */
void oc_args_help(struct oc_buf *out_text);

/* The manual page, section 8, in roff (manual.c). */
void oc_args_manual(struct oc_buf *out_roff);

/* For the manual: the option at an index, in the order of --help. *out_value: NULL for a flag;
 * *out_text: NULL for one that --help leaves out. 0, or OC_E_NOENT behind the last one. */
int oc_args_option(size_t index, const char **out_name, const char **out_value,
                   const char **out_text);

#endif
