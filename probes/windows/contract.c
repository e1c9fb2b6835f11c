/* The calls of probes/probe.h on Windows: each with the real table. */
#include "probes/windows/contract.h"

#include "probes/windows/iis.h"
#include "probes/windows/record.h"

int oc_probe_open(const struct oc_probe_options *options, oc_probe **out_probe,
                  struct oc_detail *detail)
{
    static const struct oc_probe_options none; /* all defaults */
    struct oc_win *win = NULL;
    int rc = oc_win_open(&win);

    if (rc != OC_OK)
        return oc_detail_set(detail, rc, "Windows' calls that tell of processes are not there");
    return oc_win_probe_open(win, oc_win_close, options ? options : &none, out_probe);
}

int oc_probe_walk(const struct oc_probe_options *options, const struct oc_walk_request *request,
                  struct oc_walk *out_walk)
{
    struct oc_win *win = NULL;
    int rc = oc_win_open(&win);

    (void)options; /* there is one Windows: no roots */
    if (rc == OC_OK)
        rc = oc_win_walk(win, request, out_walk);
    oc_win_close(win);
    return rc;
}

int oc_probe_limits(const struct oc_probe_options *options, uint32_t pid,
                    struct oc_limits *out_limits)
{
    struct oc_win *win = NULL;
    int rc = oc_win_open(&win);

    (void)options;
    if (rc == OC_OK)
        rc = oc_win_limits(win, pid, out_limits);
    oc_win_close(win);
    return rc;
}

/* Windows never promises what it has not. */
int oc_probe_commit_is_enforced(const struct oc_probe_options *options)
{
    (void)options;
    return 1;
}

int oc_probe_app_pools(const struct oc_probe_options *options, oc_app_pool_fn *fn, void *context,
                       struct oc_detail *detail)
{
    struct oc_win *win = NULL;
    int rc = oc_win_open(&win);

    (void)options;
    if (rc == OC_OK)
        rc = oc_win_iis_pools(win, fn, context, detail);
    oc_win_close(win);
    return rc;
}

int oc_probe_doctor(const struct oc_probe_options *options, uint32_t pid, oc_ability_fn *fn,
                    void *context)
{
    struct oc_win *win = NULL;
    int rc = oc_win_open(&win);

    (void)options;
    if (rc == OC_OK)
        rc = oc_win_doctor(win, pid, fn, context);
    oc_win_close(win);
    return rc;
}

int oc_probe_record(const struct oc_probe_options *options, uint32_t pid, struct oc_buf *out,
                    struct oc_detail *detail)
{
    struct oc_win *win = NULL;
    int rc = oc_win_open(&win);

    (void)options;
    if (rc == OC_OK)
        rc = oc_win_record(win, pid, out);
    oc_win_close(win);
    return rc == OC_OK ? rc : oc_detail_set(detail, rc, "%s", oc_err_text(rc));
}
