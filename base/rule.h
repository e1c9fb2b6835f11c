/* Rules and receivers as the config says them: plain types that the rooms share. */
#ifndef OC_BASE_RULE_H
#define OC_BASE_RULE_H

#include <stddef.h>
#include <stdint.h>

#define OC_RULE_NAME_BYTES 64
#define OC_RULES_MAX 256
#define OC_RECEIVERS_MAX 32
#define OC_WINDOWS_MAX 64

enum oc_severity { OC_SEVERITY_NONE = 0, OC_SEVERITY_WARN = 1, OC_SEVERITY_CRITICAL = 2 };
const char *oc_severity_name(unsigned severity); /* "warning" "critical"; "" else */

/* Numbers are in stores for ever. The names are config words ("forecast", "family_growth" …). */
enum oc_rule_kind {
    OC_RULE_FORECAST = 1,  /* P(limit within horizon) >= chance, and it leaks or grows */
    OC_RULE_THRESHOLD = 2, /* a metric beyond a bound */
    OC_RULE_GROWTH = 3,    /* a metric grows by more than enter an hour */
    OC_RULE_FAMILY =
        4, /* a family of modules, mappings, threads or descriptors grows by enter an hour */
    OC_RULE_EXHAUSTED = 5, /* a limit whose effect is "fails" is met: requests fail, it lives on */
    OC_RULE_OOM_KILL = 6,  /* a process of it was killed for want of memory */
    OC_RULE_RESTART_LOOP = 7, /* `count` lives ended within `window` */
    OC_RULE_MISSING = 8,      /* a subject that is expected has no process */
    OC_RULE_DEGRADED = 9, /* oomcastd itself: the store fails, samples are lost, a receiver fails */
    OC_RULE_HEAP_CAP = 10, /* heap cap and native memory together are above the container's limit */
    OC_RULE_NO_LIMIT = 11  /* it leaks, and nothing but the host's memory ends it */
};
#define OC_RULE_KINDS 12
const char *oc_rule_kind_name(unsigned kind);
unsigned oc_rule_kind_of(const char *name); /* 0: there is none */

/* Words, each NUL-terminated, owned by who holds it. */
struct oc_strings {
    char **items;
    size_t count;
};
void oc_strings_clear(struct oc_strings *strings);
int oc_strings_add(struct oc_strings *strings, const char *text,
                   size_t len_bytes);                                       /* 0, OC_E_NOMEM */
int oc_strings_copy(const struct oc_strings *from, struct oc_strings *out); /* 0, OC_E_NOMEM */

/* "key=value" pairs by globs, as matchers of rules and receivers; count 0: all match. */
struct oc_rule {
    char name[OC_RULE_NAME_BYTES]; /* alertname: [A-Za-z_][A-Za-z0-9_]* */
    uint8_t kind;                  /* enum oc_rule_kind */
    uint8_t severity;
    uint8_t is_below;           /* THRESHOLD: the condition is value <= enter */
    uint8_t is_builtin;         /* made by oc_rules_default() */
    uint8_t is_off;             /* named in the config to switch a default off */
    uint16_t metric;            /* THRESHOLD, GROWTH: number; 0: whatever the forecasts are of */
    struct oc_strings subjects; /* globs, as oc_subject_is_meant(); none: all */
    struct oc_strings labels;   /* "key=glob": all must match; none: all */
    struct oc_strings families; /* FAMILY: globs of family names; none: all */
    double enter,
        clear;     /* bounds in the metric's unit; GROWTH, FAMILY: an hour. clear NAN: as enter */
    double chance; /* FORECAST: 0.5 */
    int64_t horizon_ms;    /* FORECAST: 24 h, 4 h; cleared at 1.5 times of it */
    int64_t for_ms;        /* the condition must hold so long */
    int64_t keep_ms;       /* and be over so long before it resolves */
    int64_t window_ms;     /* RESTART_LOOP; GROWTH, FAMILY: over which growth is taken */
    uint32_t count;        /* RESTART_LOOP: lives */
    int64_t renotify_ms;   /* 0: the common one */
    char runbook_url[512]; /* "": none */
    uint32_t line;         /* where it stands, for messages; 0: a default */
    char *file;            /* owned; NULL */
};
struct oc_rules {
    struct oc_rule *items; /* owned */
    size_t count;
};
void oc_rule_clear(struct oc_rule *rule);
void oc_rules_clear(struct oc_rules *rules);
int oc_rules_copy(const struct oc_rules *from, struct oc_rules *out); /* 0, OC_E_NOMEM */
/*
 * The rules that are in force without any config: forecast warn and critical, exhausted, oom kill,
 * restart loop, missing, degraded, heap cap, no limit. A rule of the config with the name of one
 * takes its place ("enabled": false switches it off). 0, OC_E_NOMEM.
 */
int oc_rules_default(struct oc_rules *out_rules);

/* ---- windows in time ---- */

/* A recurring time of the config, by local time: maintenance (alerts are kept back), or a planned end of the subject's lives. */
struct oc_window {
    char name[OC_RULE_NAME_BYTES];
    struct oc_strings subjects; /* globs; none: all */
    uint8_t days;               /* bit 0 Sunday … bit 6 Saturday; 0: each */
    uint8_t is_restart; /* subjects are restarted at its beginning: a limit beyond it is no alert */
    int32_t begin_minute; /* of the day */
    int64_t duration_ms;  /* of maintenance; of a restart 0 */
    uint32_t line;
    char *file; /* owned */
};
struct oc_windows {
    struct oc_window *items; /* owned */
    size_t count;
};
void oc_windows_clear(struct oc_windows *windows);
int oc_windows_copy(const struct oc_windows *from, struct oc_windows *out);

/* ---- receivers ---- */

enum oc_receiver_type {
    OC_RECEIVER_WEBHOOK = 1,
    OC_RECEIVER_ALERTMANAGER = 2,
    OC_RECEIVER_SLACK = 3,
    OC_RECEIVER_TEAMS = 4,
    OC_RECEIVER_EMAIL = 5,
    OC_RECEIVER_JOURNAL = 6,
    OC_RECEIVER_HOOK = 7,
    OC_RECEIVER_HEARTBEAT = 8
};
#define OC_RECEIVER_TYPES 9
const char *oc_receiver_type_name(unsigned type); /* config words */
unsigned oc_receiver_type_of(const char *name);   /* 0: there is none */

enum oc_auth { OC_AUTH_NONE, OC_AUTH_BEARER, OC_AUTH_BASIC, OC_AUTH_HEADER };

struct oc_receiver {
    char name[OC_RULE_NAME_BYTES];
    uint8_t type;                              /* enum oc_receiver_type */
    uint8_t min_severity;                      /* enum oc_severity: what it is told; warn: all */
    uint8_t send_resolved;                     /* 1 by default */
    uint8_t auth;                              /* enum oc_auth */
    uint8_t starttls;                          /* EMAIL: 1 (the default): refused without it */
    struct oc_strings subjects, labels, rules; /* globs of what it is told; none: all */
    struct oc_strings
        urls; /* of ALERTMANAGER each peer; EMAIL: smtp:// or smtps://; else one. May hold a secret */
    struct oc_strings argv; /* HOOK: the program and its arguments */
    struct oc_strings to;   /* EMAIL */
    char from[256];         /* EMAIL */
    char user[256];         /* AUTH_BASIC, EMAIL; AUTH_HEADER: the header's name */
    char *secret;           /* owned; password, token, the header's value; NULL: none */
    struct oc_strings
        signing; /* secrets of Standard Webhooks ("whsec_…"): the first signs, the others as well, for rotation */
    char ca_file[512];     /* "": the system's */
    char proxy[512];       /* "": none */
    int64_t timeout_ms;    /* of one attempt; 10 s */
    int64_t interval_ms;   /* HEARTBEAT: 5 min; HOOK: at least so long between two runs */
    uint32_t max_per_hour; /* messages; 20; 0: no bound. The rest comes as a digest */
    uint32_t line;
    char *file; /* owned */
};
struct oc_receivers {
    struct oc_receiver *items; /* owned */
    size_t count;
};
void oc_receiver_clear(struct oc_receiver *receiver); /* secrets are overwritten first */
void oc_receivers_clear(struct oc_receivers *receivers);
int oc_receivers_copy(const struct oc_receivers *from, struct oc_receivers *out);

#endif
