/* Values of the config as they are read: their types, their bounds, and what is said of wrong ones. */
#ifndef OC_CONFIG_VALUE_H
#define OC_CONFIG_VALUE_H

#include "config/config.h"
#include "config/scan.h"

#include <cjson/cJSON.h>

/* What the load of one file works with: the scan for places, the config being filled. */
struct oc_loader {
    struct oc_config_scan scan;
    struct oc_config *config;
    struct oc_detail *detail;
    uint32_t file; /* of the origins */
};

/* All say what is wrong with a value or a key, with its place, and return the code. */
int oc_config_value_fail(struct oc_loader *l, uint32_t node, int code, const char *text);
int oc_config_value_fail_type(struct oc_loader *l, uint32_t node, const char *key,
                              const char *wanted, const cJSON *value);
int oc_config_value_fail_text(struct oc_loader *l, uint32_t node, const char *key,
                              const char *wanted, const char *got);
/* of: "option", "target" … has no such key; the nearest of known is named. */
int oc_config_value_fail_unknown(struct oc_loader *l, uint32_t node, const char *of,
                                 const char *key, const char *const *known);
int oc_config_value_nomem(struct oc_loader *l);

/* The line of a value. */
uint32_t oc_config_value_line(const struct oc_loader *l, uint32_t node);

/* Of an option's type and bounds, into its kind of field. 0, OC_E_INVAL. */
int oc_config_value_duration(struct oc_loader *l, const struct oc_option *option, const char *key,
                             uint32_t node, const cJSON *value, int64_t *out_ms);
int oc_config_value_size(struct oc_loader *l, const struct oc_option *option, const char *key,
                         uint32_t node, const cJSON *value, uint64_t *out_bytes);
int oc_config_value_option(struct oc_loader *l, const struct oc_option *option, uint32_t node,
                           const cJSON *value);
/* The index of a string among words. */
int oc_config_value_word(struct oc_loader *l, const char *key, const char *const *words,
                         uint32_t node, const cJSON *value, size_t *out_index);
/* A string that is not empty, of at most max_bytes; borrowed from the value. */
int oc_config_value_text(struct oc_loader *l, const char *key, size_t max_bytes, uint32_t node,
                         const cJSON *value, const char **out_text);
int oc_config_value_bool(struct oc_loader *l, const char *key, uint32_t node, const cJSON *value,
                         int *out);

/* "5%", whole. 0 or OC_E_PARSE. */
int oc_config_value_parse_percent(const char *text, int64_t *out_percent);
/* A duration as a person writes it, exact: "100ms", "10s", "7d". Sizes the same: "64MiB". */
void oc_config_value_write_duration(int64_t ms, char *out, size_t out_bytes);
void oc_config_value_write_size(uint64_t bytes, char *out, size_t out_bytes);

/* Puts the text of files where {"from_file": PATH} stands, everywhere below root. */
int oc_config_value_resolve_files(struct oc_loader *l, cJSON *root);

/* ---- targets and labels: load_target.c, load_selector.c, load_labels.c ---- */

/* What one key of a target is loaded with. */
struct oc_target_loader {
    struct oc_loader *l;
    struct oc_target *target;
    const struct oc_target_key *key;
};
/* A selector, by its key: one value, or an array of them. */
int oc_config_load_selector(const struct oc_target_loader *t, uint32_t node, const cJSON *value);

/* "labels": {…}, over those that are there. */
int oc_config_load_labels(struct oc_loader *l, uint32_t node, const cJSON *value,
                          struct oc_labels *labels);
/* "targets": […]: they stand before those that are there. */
int oc_config_load_targets(struct oc_loader *l, uint32_t node, const cJSON *value);
/* Gives the targets the labels of all. */
int oc_config_load_finish(struct oc_config *config, struct oc_detail *detail);

/* ---- origins: origin.c ---- */

/* The number of a file, from 1, in the config's origins. */
int oc_config_origins_add_file(struct oc_config *config, const char *name, uint32_t *out_file);
void oc_config_origins_set(struct oc_config *config, const struct oc_option *option, uint32_t file,
                           uint32_t line);
int oc_config_origins_add_secret(struct oc_config *config, const char *text, const char *path);
void oc_config_origins_free(struct oc_config_origins *origins);

#endif
