/* What a cgroup's path says of who runs in it: systemd unit, container, pod. Pure. */
#ifndef OC_BASE_IDENTITY_H
#define OC_BASE_IDENTITY_H

#include <stddef.h>

struct oc_identity {
    char unit[256];  /* "nginx.service": the innermost service, else scope; "" none */
    char slice[256]; /* "system.slice"; "" none */
    char container_id
        [65];         /* 64 hex digits, as Docker, containerd, CRI-O and Podman write them; "" */
    char pod_uid[64]; /* of Kubernetes, with dashes; "" */
};

/* From a cgroup path of version 1 or 2, systemd's or cgroupfs's layout. What it does not say is "". */
void oc_identity_of_cgroup(const char *path, struct oc_identity *out_identity);

/*
 * The workload of a pod: its name without what ReplicaSet, Deployment, DaemonSet, Job and
 * StatefulSet append ("web-5d8f7c6b9-x2x4z" → "web", "db-0" → "db"). A name without such a suffix stays.
 */
void oc_identity_workload(const char *pod, char *out, size_t out_bytes);

/*
 * Whether a word means a subject: a glob of all of it, or, for a word without ':', of what stands
 * behind its first ':', so that "nginx" finds "proc:nginx" and "unit:nginx" too. "host" and "oomcastd"
 * mean these alone.
 */
int oc_subject_is_meant(const char *subject, const char *word);

#endif
