/* What a process's user, container and pod are called, by the files of the system it runs on. */
#ifndef OC_PROBES_LINUX_NAMES_H
#define OC_PROBES_LINUX_NAMES_H

#include "base/sample.h"
#include "probes/linux/roots.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Fills in *out_names, "" where there is none or it cannot be told. Stateless; any thread.
 * cgroup_path: "" unknown. Sources, all below the root: /etc/passwd (never NSS: that may ask a
 * network), Docker's config.v2.json, Podman's containers.json, the folders of /var/log/pods and /var/log/containers.
 * Cost: one file; of a container two or three, of a pod two listings besides.
 */
void oc_lx_names(const struct oc_lx_roots *roots, int64_t uid, const char *cgroup_path,
                 struct oc_proc_names *out_names);

/* Pure parts, for tests and fuzzing. Each writes "" or a valid UTF-8 name; 0, OC_E_NOENT or OC_E_PARSE. */
int oc_lx_passwd_parse(const char *text, size_t len_bytes, int64_t uid, char *out_name,
                       size_t out_bytes);
/* Docker's config.v2.json: "Name" of the outermost object, without its slash. */
int oc_lx_docker_name_parse(const char *text, size_t len_bytes, char *out_name, size_t out_bytes);
/* Podman's containers.json: the first of "names" of the object whose "id" it is. */
int oc_lx_podman_name_parse(const char *text, size_t len_bytes, const char *id, char *out_name,
                            size_t out_bytes);
/* "NAMESPACE_POD_UID", a folder in /var/log/pods; OC_E_NOENT: of another pod. */
int oc_lx_pod_folder_parse(const char *folder, const char *pod_uid, struct oc_proc_names *names);
/* "POD_NAMESPACE_CONTAINER-ID.log", a link in /var/log/containers; OC_E_NOENT: of another container. */
int oc_lx_container_log_parse(const char *file, const char *id, struct oc_proc_names *names);

#endif
