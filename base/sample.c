#include "base/sample.h"

const char *oc_end_name(enum oc_end end)
{
    switch (end) {
    case OC_END_RUNNING:
        return "running";
    case OC_END_EXITED:
        return "exited";
    case OC_END_SIGNALED:
        return "signaled";
    case OC_END_EXECED:
        return "execed";
    case OC_END_OOM_KILLED:
        return "oom_killed";
    case OC_END_UNWATCHED:
        return "unwatched";
    case OC_END_RECYCLED:
        return "recycled";
    case OC_END_UNKNOWN:
        break;
    }
    return "unknown";
}

const char *oc_source_kind_name(enum oc_source_kind kind)
{
    switch (kind) {
    case OC_SOURCE_SELF:
        return "self";
    case OC_SOURCE_PROCESS:
        return "process";
    case OC_SOURCE_CGROUP:
        return "cgroup";
    case OC_SOURCE_HOST:
        return "host";
    case OC_SOURCE_GROUP:
        return "group";
    }
    return "unknown";
}

const char *oc_killer_name(enum oc_killer killer)
{
    static const char *const names[] = { "",         "cgroup limit", "host", "systemd-oomd",
                                         "earlyoom", "kubelet",      "IIS" };

    return (unsigned)killer < sizeof names / sizeof *names ? names[killer] : "";
}
