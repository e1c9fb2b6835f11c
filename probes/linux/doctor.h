/* What the two files of the doctor share. */
#ifndef OC_PROBES_LINUX_DOCTOR_H
#define OC_PROBES_LINUX_DOCTOR_H

#include "probes/linux/lx.h"

struct oc_lx_doctor {
    struct oc_lx_probe *probe;
    uint32_t pid;
    struct oc_sample look, walk;
    oc_ability_fn *fn;
    void *context;
};

extern const char oc_lx_doctor_ptrace_mend[];

void oc_lx_doctor_ok(const struct oc_lx_doctor *doctor, const char *figure);
void oc_lx_doctor_tell(const struct oc_lx_doctor *doctor, const char *figure, int rc,
                       const char *why, const char *mend);

/* ---- doctor_limits.c ---- */
/* What says limits, killers and names. */
void oc_lx_doctor_limits(const struct oc_lx_doctor *doctor, const struct oc_probe_options *options);

#endif
