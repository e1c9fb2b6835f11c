#include "probes/linux/lx.h"

void oc_lx_cgroup_find_dir(struct oc_lx_probe *probe, const char *cgroup_root)
{
    (void)probe;
    (void)cgroup_root;
}
int oc_lx_cgroup_attach(oc_probe *probe, const char *path, oc_cgroup **out_cgroup)
{
    (void)probe;
    (void)path;
    (void)out_cgroup;
    return OC_E_NOTSUP;
}
void oc_lx_cgroup_detach(oc_probe *probe, oc_cgroup *cgroup)
{
    (void)probe;
    (void)cgroup;
}
int oc_lx_cgroup_read(oc_probe *probe, oc_cgroup *cgroup, struct oc_sample *out_sample)
{
    (void)probe;
    (void)cgroup;
    (void)out_sample;
    return OC_E_GONE;
}
void oc_lx_cgroup_on_ready(struct oc_lx_probe *probe, struct oc_lx_cgroup *cgroup)
{
    (void)probe;
    (void)cgroup;
}
