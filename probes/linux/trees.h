/* The cgroup hierarchies that figures come from, and the folder of a cgroup in them. */
#ifndef OC_PROBES_LINUX_TREES_H
#define OC_PROBES_LINUX_TREES_H

#include "probes/linux/roots.h"

#include <stddef.h>

#define OC_LX_CGROUP_PATH_MAX 4096

enum oc_lx_cgroup_version { OC_LX_CGROUP_NONE = 0, OC_LX_CGROUP_V1 = 1, OC_LX_CGROUP_V2 = 2 };

struct oc_lx_tree {
    enum oc_lx_cgroup_version version;
    char dir[400]; /* where it is mounted */
    char root
        [256]; /* paths of processes begin with it, and the mount begins below it; "": all is mounted */
    char above
        [512]; /* our cgroup namespace's root as the mount has it: paths start there; "": the same */
    int is_whole; /* its top is the machine's: nothing above it that we do not see */
};

struct oc_lx_trees {
    struct oc_lx_tree memory; /* the one with memory.* files */
    struct oc_lx_tree pids;   /* with pids.*: of version 2 the same mostly */
};

/*
 * Finds them: by the mounts of our own namespace (of a capture those of its PID 1) below the root, else where they
 * mostly are. What is not found has version OC_LX_CGROUP_NONE. proc_fd: the proc folder.
 * Cost: one file, a few more; below a namespace of our own up to 20,000 folders, once.
 */
void oc_lx_trees_find(const struct oc_lx_roots *roots, int proc_fd, struct oc_lx_trees *out_trees);

/* What /proc/PID/cgroup calls the hierarchy: NULL is version 2. */
const char *oc_lx_tree_controller(const struct oc_lx_tree *tree, const char *controller);

/*
 * A path out of /proc/PID/cgroup as seen from the top of what is mounted: "/../x" is another's than
 * our namespace's. The same mostly. 0, OC_E_NOENT (it leads out of what we see), OC_E_TOOBIG.
 */
int oc_lx_tree_path(const struct oc_lx_tree *tree, const char *raw, size_t raw_bytes, char *out,
                    size_t out_bytes);

/*
 * As oc_lx_tree_path(), for who has found no trees: a walk. Costs a readlink() in the machine's own
 * cgroup namespace, where paths are whole; in another the trees are found for it.
 */
int oc_lx_trees_path(const struct oc_lx_roots *roots, int proc_fd, const char *raw,
                     size_t raw_bytes, char *out, size_t out_bytes);

/* The folder of such a path. 0, OC_E_NOENT (not mounted, or it leads out), OC_E_TOOBIG. */
int oc_lx_tree_folder(const struct oc_lx_tree *tree, const char *path, char *out, size_t out_bytes);

#endif
