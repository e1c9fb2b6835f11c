/* Reading the config, at start and again: a bad one keeps the old one and says so. */
#ifndef OC_DAEMON_RELOAD_H
#define OC_DAEMON_RELOAD_H

#include "base/err.h"

struct oc_daemon;

/* At start: defaults, then the file, then the command line. 0 or a code with detail. */
int oc_config_start(struct oc_daemon *daemon, struct oc_detail *detail);

/*
 * Reads the file again and puts it in force as a whole. On failure the old config stays, the log
 * and daemon->config_error name the place. Options that need a restart are named in the log.
 */
int oc_reload(struct oc_daemon *daemon);

#endif
