/* Targets made by hand, for tests of what is done with them. */
#ifndef OC_TESTS_UNIT_DAEMON_TARGET_FIXTURE_H
#define OC_TESTS_UNIT_DAEMON_TARGET_FIXTURE_H

#include "config/config.h"

/* Adds one at the end, called `name`; the config owns it. Borrowed until the next one is added. */
struct oc_target *add_target(struct oc_config *config, const char *name);
/* A word of a selector: a glob, an id, a path. */
void select_word(struct oc_target *target, enum oc_selector selector, const char *word);
void select_cmdline(struct oc_target *target, const char *regex);
void select_size(struct oc_target *target, uint64_t bytes);
void name_subject(struct oc_target *target, const char *subject);

#endif
