/* What the starter file and the manual say alike. */
#ifndef OC_CONFIG_WORDS_H
#define OC_CONFIG_WORDS_H

#include "config/section.h"

struct oc_recipe {
    const char *text;   /* a sentence */
    const char *target; /* an object of "targets", in lines */
};
/* Ended by a NULL text. */
const struct oc_recipe *oc_config_recipes(void);
/* Items of "rules", "receivers" …: .target is one of them. */
const struct oc_recipe *oc_config_section_recipes(const struct oc_section *section);

/* The bounds of an option: "100ms to 1h", "one of error, warn"; "" where it has none. */
void oc_config_write_bounds(const struct oc_option *option, struct oc_buf *out);

#endif
