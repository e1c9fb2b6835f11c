/*
 * Lives that an earlier run left open: those that this run does not find again ended while nobody
 * watched. They are ended as unknown once what there is has been looked through.
 */
#ifndef OC_DAEMON_LEFTOVER_H
#define OC_DAEMON_LEFTOVER_H

#include "storage/store.h"

#include <stddef.h>

struct oc_daemon;

struct oc_leftovers {
    struct oc_store_left *items;
    size_t count, capacity;
    size_t at; /* settled up to here */
};

/* Asks the store, which is still the caller's: before the writer has it. For want of memory some
 * are left to the store, which closes them after two minutes. */
void oc_leftovers_load(struct oc_daemon *daemon);

/*
 * Ends those that are no more; those that live and are not watched now are left to the store.
 * Bounded: called again, it goes on where it was. Once all candidates are attached.
 */
void oc_leftovers_settle(struct oc_daemon *daemon);

void oc_leftovers_clear(struct oc_leftovers *leftovers);

#endif
