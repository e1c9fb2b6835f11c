#include "cli/show/ending.h"

#include "cli/model/recording.h"

#include <stdio.h>

const char *oc_ending_text(enum oc_end end, int status, enum oc_killer killer, const char *scope,
                           char *out, size_t out_bytes)
{
    int has_scope = scope && scope[0];

    if (!has_scope)
        scope = "";
    switch (killer) {
    case OC_KILLER_CGROUP:
        (void)snprintf(out, out_bytes, "killed: out of memory, limit of %s%s",
                       has_scope ? "cgroup " : "its cgroup", scope);
        return out;
    case OC_KILLER_HOST:
        (void)snprintf(out, out_bytes, "killed: the host was out of memory");
        return out;
    case OC_KILLER_OOMD:
        (void)snprintf(out, out_bytes, "killed by systemd-oomd%s%s", has_scope ? ", cgroup " : "",
                       scope);
        return out;
    case OC_KILLER_EARLYOOM:
        (void)snprintf(out, out_bytes, "killed by earlyoom: the host ran out of memory");
        return out;
    case OC_KILLER_KUBELET:
        (void)snprintf(out, out_bytes, "evicted by the kubelet%s%s", has_scope ? ", " : "", scope);
        return out;
    case OC_KILLER_IIS:
        (void)snprintf(out, out_bytes, "recycled by IIS%s%s", has_scope ? ": " : "", scope);
        return out;
    case OC_KILLER_UNKNOWN:
        break;
    }
    return oc_end_text(end, status, out, out_bytes);
}

const char *oc_ending_short(enum oc_end end, int status, enum oc_killer killer, const char *scope,
                            char *out, size_t out_bytes)
{
    if (killer == OC_KILLER_CGROUP)
        (void)snprintf(out, out_bytes, "OOM of %s", scope && scope[0] ? scope : "its cgroup");
    else if (killer == OC_KILLER_HOST)
        (void)snprintf(out, out_bytes, "OOM of the host");
    else if (killer != OC_KILLER_UNKNOWN)
        (void)snprintf(out, out_bytes, "%s", oc_killer_name(killer));
    else
        (void)oc_end_text(end, status, out, out_bytes);
    return out;
}
