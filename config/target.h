/*
 * Targets: which processes (or cgroups, or the host) are watched, how, and what they are called.
 * Selectors of a target are ANDed, lists within a selector ORed, the first target that matches
 * decides. Pure: facts come as arguments.
 */
#ifndef OC_CONFIG_TARGET_H
#define OC_CONFIG_TARGET_H

#include "base/err.h"
#include "base/identity.h"
#include "base/metric.h"
#include "base/pattern.h"
#include "base/sample.h"

#include <stddef.h>
#include <stdint.h>

#define OC_TARGETS_MAX 512
#define OC_TARGET_WORDS_MAX 256 /* of one selector */
#define OC_LABELS_MAX 32
#define OC_LABEL_KEY_BYTES 64
#define OC_LABEL_VALUE_BYTES 256
#define OC_USER_LIMITS_MAX 8
#define OC_SUBJECT_BYTES 256
#define OC_COMM_CUT 15 /* Linux keeps so many bytes of a name */

enum oc_target_source { OC_TARGET_PROCESS, OC_TARGET_CGROUP, OC_TARGET_HOST };
enum oc_target_children {
    OC_CHILDREN_EACH, /* only what matches by itself */
    OC_CHILDREN_FOLD /* descendants that no target matches belong to the subject of the one above */
};

/* Selectors: a bit each, for what a target has and for what a match needs to know. */
enum oc_selector {
    OC_SELECT_NAME,
    OC_SELECT_NAME_REGEX,
    OC_SELECT_CMDLINE_REGEX,
    OC_SELECT_EXE,
    OC_SELECT_PID,
    OC_SELECT_PIDFILE,
    OC_SELECT_UNIT,
    OC_SELECT_CGROUP,
    OC_SELECT_CONTAINER_ID,
    OC_SELECT_CONTAINER,
    OC_SELECT_POD,
    OC_SELECT_POD_NAMESPACE,
    OC_SELECT_POD_CONTAINER,
    OC_SELECT_USER,
    OC_SELECT_IIS_APP_POOL,
    OC_SELECT_SERVICE,
    OC_SELECT_MIN_SIZE,
    OC_SELECT_COUNT
};
/* Selectors by what an orchestrator calls a process. */
#define OC_SELECTS_POD                                                                             \
    (1u << OC_SELECT_POD | 1u << OC_SELECT_POD_NAMESPACE | 1u << OC_SELECT_POD_CONTAINER)
#define OC_SELECTS_CONTAINER (1u << OC_SELECT_CONTAINER_ID | 1u << OC_SELECT_CONTAINER)
/* By names that Windows alone gives. */
#define OC_SELECTS_WINDOWS (1u << OC_SELECT_IIS_APP_POOL | 1u << OC_SELECT_SERVICE)
/* The key of a selector in the config ("name", "cmdline_regex" …). Borrowed for ever. */
const char *oc_selector_name(enum oc_selector selector);

struct oc_labels {
    size_t count;
    struct oc_label {
        char key[OC_LABEL_KEY_BYTES]; /* [a-zA-Z_][a-zA-Z0-9_]* */
        char value[OC_LABEL_VALUE_BYTES];
    } items[OC_LABELS_MAX]; /* by key: stable */
};

struct oc_user_limit {
    uint16_t metric;
    uint64_t value;
};

struct oc_target {
    char *name; /* owned: what errors and status call it: "targets[3]", or its "target" key */
    uint32_t selectors; /* 1 << enum oc_selector */
    struct oc_words {
        char **items; /* owned */
        size_t count;
    } words[OC_SELECT_COUNT];                     /* globs, ids, paths as written; of PID unused */
    oc_pattern **name_regexes, **cmdline_regexes; /* owned, in step with words[…] */
    uint32_t *pids; /* owned; in step with words[OC_SELECT_PID].count */
    uint32_t
        *pidfile_pids; /* owned; in step with words[OC_SELECT_PIDFILE]: 0 where it names none */
    uint64_t min_size_bytes;
    enum oc_target_source source;
    enum oc_target_children children;
    int ignore;
    int pages;                /* walks read PSS and USS too */
    int counters;             /* no walk reads its memory: counters and facts alone */
    int expected;             /* that its subject has no process is an alert */
    int64_t interval_ms;      /* 0: the common one */
    int64_t walk_interval_ms; /* 0: the common one */
    char *subject;            /* owned: template; NULL: the default */
    struct oc_labels labels;  /* its own over the global ones */
    struct oc_user_limit limits[OC_USER_LIMITS_MAX];
    size_t limit_count;
    uint32_t line; /* where it stands in its file, for messages */
    char *file;    /* owned */
};

struct oc_targets {
    struct oc_target *items; /* owned */
    size_t count;
};

/*
 * What is known of a process now. A NULL pointer (or have_… 0) is "not looked at yet"; "" is "has
 * none". name, pid and rss are always known.
 */
struct oc_match_facts {
    uint32_t pid;
    const char *name; /* comm */
    uint64_t rss_bytes;
    int64_t uid; /* -1: not known */
    const char *exe;
    const char *cmdline; /* unredacted, whole */
    const char *cgroup;
    const struct oc_identity *identity; /* of cgroup; NULL with it */
    const struct oc_proc_names *names;
};

#define OC_TARGET_NONE UINT32_MAX

enum oc_match { OC_MATCH_NO, OC_MATCH_YES, OC_MATCH_UNSURE };

struct oc_match_result {
    uint32_t target; /* index; OC_TARGET_NONE with OC_MATCH_NO */
    uint32_t needs;  /* OC_MATCH_UNSURE: selectors (bits) whose facts are missing */
    uint32_t
        failed; /* OC_MATCH_NO, for `config check`: the selector of the last target tried that said no */
};

/*
 * The first target that matches, those of the host aside: a target of cgroups stands for the
 * cgroup of the process that it matches. `name` and `name_regex` look at comm and, where the kernel cut that at
 * OC_COMM_CUT bytes, at the whole name that exe or cmdline has. OC_MATCH_UNSURE where facts that it needs are not known yet: ask
 * for them (a walk with OC_WALK_FACTS) and try again. An ignoring target is a match: the caller
 * looks at ->ignore. min_size is looked at with the others: a process that grows into it matches later.
 */
enum oc_match oc_targets_match(const struct oc_targets *targets, const struct oc_match_facts *facts,
                               struct oc_match_result *out_result);

/* One target alone, for `config check`: out->failed names the first selector that says no. */
enum oc_match oc_target_match(const struct oc_target *target, const struct oc_match_facts *facts,
                              struct oc_match_result *out_result);

/* Whether any target could match by facts that this name has: prunes looks at cmdline of the many. */
uint32_t oc_targets_need(const struct oc_targets *targets); /* union of selectors (bits) in use */

/*
 * The subject of a process that a target matched: its template with {name} {exe} {user} {unit}
 * {slice} {container} {container_id} {pod} {namespace} {pod_container} {workload} {cgroup} {pool} {service}
 * {pid} {1}…{9} (captures of the regex that matched), or the default: "k8s:NAMESPACE/WORKLOAD/CONTAINER",
 * "container:NAME", "unit:UNIT", "pool:POOL", "service:SERVICE" where the target selects by these, else
 * "proc:NAME", of cgroups "cgroup:PATH", "host". {exe} is the file's name, {container_id} its first 12 digits, {container}
 * these where it has no name; captures are of cmdline_regex where there is one. What is not known
 * is "-". Control characters become '?'. Never empty, cut at OC_SUBJECT_BYTES.
 */
void oc_target_subject(const struct oc_target *target, const struct oc_match_facts *facts,
                       char out[OC_SUBJECT_BYTES]);

/* Selectors (bits) whose facts the subject wants to be known, beside those that the match needed. */
uint32_t oc_subject_needs(const struct oc_target *target);

/* 0, or OC_E_PARSE where a template is wrong: *out_at is the byte of the brace. */
int oc_subject_check(const char *text, size_t *out_at);
/* The keys of templates, ended by NULL. Borrowed for ever. */
const char *const *oc_subject_keys(void);

/*
 * Pidfiles are read by the caller (a file may lie or hang): gives the PIDs that targets' pidfiles
 * name now. read: fills *out_pid for a path, 0 or a code. Called each discovery round; matching
 * uses what it found last.
 */
typedef int oc_pidfile_fn(const char *path, uint32_t *out_pid, void *context);
void oc_targets_read_pidfiles(struct oc_targets *targets, oc_pidfile_fn *read, void *context);

/* What a target does with children where it does not say: a pool of IIS is its workers and all that they start. */
enum oc_target_children oc_target_usual_children(const struct oc_target *target);

/* Whether the system starts a program of that name below others for its own ends (conhost.exe): it belongs to nobody's subject
 * but where a target names it. */
int oc_target_is_bystander(const char *name);

void oc_target_clear(struct oc_target *target); /* frees what it holds; zeroes it */
void oc_targets_clear(struct oc_targets *targets);

#endif
