/*
 * Arrays of objects in the config: "rules", "receivers", "maintenance", "restarts". One table of keys for
 * each; loading, `config show`, the schema and the manual are loops over these rows.
 */
#ifndef OC_CONFIG_SECTION_H
#define OC_CONFIG_SECTION_H

#include "config/value.h"

enum oc_section_type {
    OC_SECTION_NAME,  /* char[]: letters, digits, '_' (of receivers and windows '-' and '.' too) */
    OC_SECTION_TEXT,  /* char[] of at most max bytes with its NUL */
    OC_SECTION_PATH,  /* the same, a path from the root */
    OC_SECTION_LINK,  /* the same, http:// or https:// */
    OC_SECTION_PROXY, /* the same, of a proxy; its password is never shown */
    OC_SECTION_ADDRESS,  /* the same, an e-mail address */
    OC_SECTION_KIND,     /* uint8_t */
    OC_SECTION_SEVERITY, /* uint8_t */
    OC_SECTION_FLAG,     /* uint8_t */
    OC_SECTION_OFF,      /* uint8_t: true is 0 */
    OC_SECTION_DURATION, /* int64_t, ms */
    OC_SECTION_COUNT,    /* uint32_t */
    OC_SECTION_SHARE,    /* double, above 0 to 1 */
    OC_SECTION_METRIC,   /* uint16_t */
    OC_SECTION_BOUND,    /* double, in the unit of the rule's metric */
    OC_SECTION_GLOBS,    /* struct oc_strings: one or several */
    OC_SECTION_MATCHERS, /* the same, "key=glob" */
    OC_SECTION_ADDRESSES,
    OC_SECTION_ARGV,
    OC_SECTION_URL,     /* struct oc_strings of one; may hold a secret */
    OC_SECTION_URLS,    /* of several */
    OC_SECTION_SECRET,  /* char *, owned */
    OC_SECTION_SIGNING, /* struct oc_strings, "whsec_…" */
    OC_SECTION_BEARER,  /* of struct oc_receiver: auth and secret */
    OC_SECTION_BASIC,   /* { "user", "password" } */
    OC_SECTION_HEADER,  /* { "name", "value" } */
    OC_SECTION_TIME,    /* int32_t, minutes of the day */
    OC_SECTION_UNTIL,   /* int64_t: from begin_minute of struct oc_window to a time of day, in ms */
    OC_SECTION_DAYS     /* uint8_t, bit 0 Sunday */
};

struct oc_section_key {
    const char *key;
    enum oc_section_type type;
    uint32_t kinds;  /* 1 << the kinds that know it; 0: all */
    uint32_t wanted; /* 1 << the kinds that cannot do without it */
    size_t offset;   /* in the item */
    int64_t min, max;
    const char *def;     /* as written; NULL: none, or by kind */
    const char *example; /* in JSON */
    const char *text;
};

struct oc_section {
    const char *key;      /* "rules" */
    const char *one;      /* "rule" */
    const char *kind_key; /* "kind"; NULL: all are of one kind, 0 */
    const char *(*kind_name)(unsigned kind);
    unsigned (*kind_of)(const char *name);
    unsigned kind_count;
    size_t kind_offset;
    uint32_t max_items;
    const char *const (
        *mistakes)[2]; /* words that people write and those that they mean; NULL ends */
    const struct oc_section_key *keys;
    size_t key_count;
    const char *text; /* for the manual */
};

const struct oc_section *oc_section_rules(void);
const struct oc_section *oc_section_receivers(void);
const struct oc_section *oc_section_maintenance(void);
const struct oc_section *oc_section_restarts(void);
/* The four, ended by NULL. */
const struct oc_section *const *oc_sections(void);
int oc_section_knows(const struct oc_section_key *key, unsigned kind);

/* ---- one item ---- */

/*
 * Fills the keys that object has into item, whose kind (and all defaults) are there. Keys that nobody or
 * another kind knows, wrong values and those missing that all want are errors. 0 or a code.
 */
int oc_config_load_item(struct oc_loader *l, const struct oc_section *section, uint32_t node,
                        const cJSON *object, void *item);
/* That object has what its kind cannot do without. */
int oc_config_check_wanted(struct oc_loader *l, const struct oc_section *section, uint32_t node,
                           const cJSON *object, unsigned kind);
/* The kind that object names; 0: it names none. 0 or OC_E_INVAL. */
int oc_config_load_kind(struct oc_loader *l, const struct oc_section *section, uint32_t node,
                        const cJSON *object, unsigned *out_kind);
/* The value of one key: load_field.c. */
int oc_config_load_field(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                         const cJSON *value, void *item);
/* One value of a receiver: urls, secrets, auth. */
int oc_config_load_delivery(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                            const cJSON *value, void *item);
/* Texts of a list, each as its type wants it. */
int oc_config_load_strings(struct oc_loader *l, const struct oc_section_key *key, uint32_t node,
                           const cJSON *value, struct oc_strings *out);
/* Whether text may stand where key's type is wanted; what is wrong otherwise, without the text. */
const char *oc_config_wrong(const struct oc_section_key *key, const char *text);

/* ---- whole arrays: those of this file, over what is there ---- */

int oc_config_load_rules(struct oc_loader *l, uint32_t node, const cJSON *value);
int oc_config_load_receivers(struct oc_loader *l, uint32_t node, const cJSON *value);
int oc_config_load_windows(struct oc_loader *l, const struct oc_section *section, uint32_t node,
                           const cJSON *value);
/* The default rules whose place none takes. */
int oc_config_finish_rules(struct oc_config *config, struct oc_detail *detail);

/* ",\n  \"rules\": {…}" and so on: their schemas among the $defs. */
void oc_config_write_section_schemas(struct oc_buf *out);

/* That no hook, nor the config that names it, could have been written by others. 0, OC_E_DENIED. */
int oc_config_check_hooks(const struct oc_config *config, struct oc_detail *detail);

/* ---- globs: meet.c ---- */

/* Whether some text matches both; in doubt 1. A template's braces stand for any text. Cost: length times length. */
int oc_config_globs_meet(const char *glob, const char *other);
int oc_config_glob_meets_template(const char *glob, const char *text);

/* ---- URLs: url.c ---- */

struct oc_url {
    size_t scheme, user, host,
        rest; /* lengths: "https://" "user:password@" "host:port" "/path?query" */
};
/* NULL, or what is wrong with it (never its text). schemes: "http://", … ended by NULL. */
const char *oc_config_url_split(const char *text, const char *const *schemes, struct oc_url *out);
const char *const *oc_config_url_schemes(unsigned receiver_type);
/* Whether its host is this machine. */
int oc_config_url_is_local(const char *text, const struct oc_url *url);

/* What `config show` writes in the place of a secret that stands in the file itself. */
#define OC_CONFIG_HIDDEN "(hidden)"
/* Items as objects on one line. */
void oc_config_write_item(const struct oc_config *config, const struct oc_section *section,
                          const void *item, struct oc_buf *out);

#endif
