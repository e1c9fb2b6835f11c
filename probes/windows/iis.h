/*
 * IIS: which application pool a worker serves (its command line says it), and what IIS will do to it (its
 * configuration says that). Nothing here asks IIS itself: two files are read, no COM, no appcmd.
 *
 * Sources: w3wp.exe's arguments as WAS writes them; the schema IIS_schema.xml of system.applicationHost/applicationPools.
 */
#ifndef OC_PROBES_WINDOWS_IIS_H
#define OC_PROBES_WINDOWS_IIS_H

#include "probes/probe.h"
#include "probes/windows/win.h"

#define OC_WIN_IIS_CONFIG_MAX_BYTES (8u << 20) /* a host of 1,000 sites has about 1 MiB */
#define OC_WIN_IIS_POOLS_MAX 4096
#define OC_WIN_IIS_TEXT_BYTES 260

/* ---- a worker's command line ---- */

struct oc_win_worker {
    char pool[200];                     /* -ap */
    char clr[16];                       /* -v: "v4.0"; "" no managed code */
    char config[OC_WIN_IIS_TEXT_BYTES]; /* -h: its own copy of the configuration; "" none */
};

/*
 * Whether a program is an IIS worker: 1 with *out_worker filled, else 0. exe may be a path in any form or a name, cmdline
 * is the whole line with its quotes. Pure.
 */
int oc_win_worker_parse(const char *exe, const char *cmdline, struct oc_win_worker *out_worker);

/* Whether a path, in any form, or a name is that of w3wp.exe. Pure. */
int oc_win_is_worker(const char *path);

/* ---- the configuration ---- */

/* Of IIS's own on this Windows. Fits 400 bytes. */
void oc_win_iis_config_path(const struct oc_win *win, char *out, size_t out_bytes);

/* Owned by nobody: fields are of fixed size. */
struct oc_win_pool {
    char name[200];
    char clr[16];
    int is_32bit;
    int is_auto_start;
    uint32_t max_processes;                      /* above 1: a web garden */
    uint64_t memory_bytes, private_memory_bytes; /* 0: not set */
    struct oc_plan plan;
};

/*
 * Calls back for each pool of a configuration, its own values over those of applicationPoolDefaults over IIS's own. Returns
 * how many, OC_E_PARSE (detail: line, column), OC_E_TOOBIG (more than OC_WIN_IIS_POOLS_MAX), OC_E_NOMEM. UTF-8 or UTF-16
 * with its mark. External entities and DTDs are refused. Pure.
 */
typedef void oc_win_pool_fn(const struct oc_win_pool *pool, void *context);
int oc_win_iis_parse(const char *text, size_t len, oc_win_pool_fn *fn, void *context,
                     struct oc_detail *detail);

/* ---- what walks, the doctor and people ask ---- */

/*
 * Fills in names.app_pool and clr of a process whose other facts are known (exe, cmdline, parent, start): of a worker by its
 * command line, of what a worker started its ancestor's, of conhost.exe nobody's. Handles are limited ones; the arguments of a
 * w3wp.exe alone are asked for (oc_win_cmdline()). 0 or OC_E_NOMEM.
 * Cost: of a worker none; without IIS one question for a file; else four calls for each of at most six ancestors.
 */
int oc_win_iis_names(struct oc_win *win, struct oc_walk *walk);

/*
 * With OC_WALK_LIMITS in want, of a process whose facts are known (names.app_pool: of a worker or what descends from one):
 * its plan, and of a worker OC_LIMIT_IIS_… behind the limits that the walk has, with their use where its sample knows it.
 * cmdline is the whole one; NULL: unknown. A process that IIS knows nothing of is no failure. 0 or OC_E_NOMEM.
 * The worker's own copy of the configuration is asked first: it is small, and right where IIS shares a configuration. Only
 * a path on a drive is followed: whoever starts a program may call it w3wp.exe.
 * Cost: a process without a pool nothing; else one file read and parsed, some ms for the 1 MiB of 1,000 sites.
 */
int oc_win_iis_walk(struct oc_win *win, unsigned want, const char *cmdline, struct oc_walk *walk);

/* The pool of a worker by the same files. 0, OC_E_NOENT (nobody knows it), OC_E_NOTSUP (no IIS), OC_E_DENIED, OC_E_PARSE,
 * OC_E_NOMEM. */
int oc_win_iis_pool(struct oc_win *win, const struct oc_win_worker *worker,
                    struct oc_win_pool *out_pool);
/* The limits that a pool sets its workers, appended to *count of at most max. */
void oc_win_iis_put_limits(const struct oc_win_pool *pool, struct oc_limit *limits, uint32_t *count,
                           uint32_t max);

/* oc_probe_app_pools(). */
int oc_win_iis_pools(struct oc_win *win, oc_app_pool_fn *fn, void *context,
                     struct oc_detail *detail);

/* What the doctor says of IIS: whether its configuration can be read, and settings that are hardly meant. Nothing where
 * there is no IIS. 0 or OC_E_NOMEM. */
int oc_win_iis_doctor(struct oc_win *win, oc_ability_fn *fn, void *context);

#endif
