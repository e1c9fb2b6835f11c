/* The labels of subjects: the config's global ones and those of the target, which win. */
#ifndef OC_DAEMON_LABELS_H
#define OC_DAEMON_LABELS_H

#include "config/target.h"

struct oc_daemon;
struct oc_source;

/*
 * Both by key, as pairs key, value, … ended by NULL; they borrow from the two (own may be NULL).
 * out_pairs has room for 4 * OC_LABELS_MAX + 1. Returns how many labels. Pure.
 */
size_t oc_labels_merge(const struct oc_labels *global, const struct oc_labels *own,
                       const char **out_pairs);

/* Tells the store the labels of a source's subject, once for each subject and config. */
void oc_labels_tell(struct oc_daemon *daemon, struct oc_source *source);

/* The config changed: all subjects are told again; the store writes what differs. */
void oc_labels_tell_all(struct oc_daemon *daemon);

#endif
