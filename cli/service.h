/*
 * oomcastd as a service of the system: what `oomcast service` does. windows/ fulfils it; on Linux the package brings
 * systemd's unit, and every call gives OC_E_NOTSUP with what to do instead in *detail.
 *
 * All return 0 or a code with a sentence in *detail: OC_E_DENIED (wants an administrator), OC_E_NOENT (there is no such
 * service), OC_E_TIMEOUT (it did not get there in time), OC_E_GONE (it ended while it started), OC_E_IO …
 */
#ifndef OC_CLI_SERVICE_H
#define OC_CLI_SERVICE_H

#include "base/err.h"

#include <stdint.h>

enum oc_service_state {
    OC_SERVICE_NONE, /* not installed */
    OC_SERVICE_STOPPED,
    OC_SERVICE_STARTING,
    OC_SERVICE_RUNNING,
    OC_SERVICE_STOPPING,
    OC_SERVICE_STATES
};
/* "not installed", "stopped", "starting", "running", "stopping". */
const char *oc_service_state_name(enum oc_service_state state);

struct oc_service_status {
    enum oc_service_state state;
    uint32_t pid;       /* 0: none */
    uint32_t exit_code; /* of its last run */
    int starts_at_boot;
    char account[128];  /* "LocalSystem" */
    char command[1200]; /* what is started */
};

struct oc_service_plan {
    const char *config_path; /* NULL: the system's */
    const char *data_dir;    /* NULL: the system's */
    /* What was done, and what this system could not be told: it is worth having, and no reason to fail. */
    void (*done)(void *context, const char *text);
    void (*not_done)(void *context, const char *text, const char *why);
    void *context;
};

/* Installs it, or sets an installed one to what is asked; does not start it. */
int oc_service_install(const struct oc_service_plan *plan, struct oc_detail *detail);
/* Stops and removes it; config and data stay. */
int oc_service_uninstall(struct oc_detail *detail);
/* Both wait until it is there. 0 also where it was. */
int oc_service_start(struct oc_detail *detail);
int oc_service_stop(struct oc_detail *detail);
int oc_service_look(struct oc_service_status *out_status, struct oc_detail *detail);

#endif
