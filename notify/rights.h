/* Giving up what the notifier does not need: it talks to the network, so it must be able to do nothing else. */
#ifndef OC_NOTIFY_RIGHTS_H
#define OC_NOTIFY_RIGHTS_H

#include "base/err.h"
#include "notify/args.h"

/*
 * Closes inherited descriptors above standard error, drops capabilities, user and groups, new privileges and core files;
 * gets SIGTERM when the parent ends. May start the program again with --bare, where only that loses what was inherited.
 *
 * What could not be given up is said in *note ("" nothing): it goes on, for an alert matters more. OC_E_DENIED: user
 * names somebody that it cannot become.
 */
int oc_rights_drop(const struct oc_notify_args *args, char *const *argv, struct oc_detail *note);

#endif
