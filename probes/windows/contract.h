/*
 * What contract.c hands the calls of probes/probe.h to, each with a table of Windows' calls: the real one there, a made one
 * in tests. Returns and errors as probes/probe.h says of each.
 */
#ifndef OC_PROBES_WINDOWS_CONTRACT_H
#define OC_PROBES_WINDOWS_CONTRACT_H

#include "probes/probe.h"
#include "probes/windows/win.h"

/* ---- probe.c: takes win, also where it fails ---- */
int oc_win_probe_open(struct oc_win *take_win, void (*free_win)(struct oc_win *),
                      const struct oc_probe_options *options, oc_probe **out_probe);

/* ---- walk.c, limits.c ---- */
int oc_win_walk(struct oc_win *win, const struct oc_walk_request *request,
                struct oc_walk *out_walk);
int oc_win_limits(struct oc_win *win, uint32_t pid, struct oc_limits *out_limits);

/* ---- doctor.c ---- */
int oc_win_doctor(struct oc_win *win, uint32_t pid, oc_ability_fn *fn, void *context);

#endif
