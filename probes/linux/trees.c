#include "probes/linux/trees.h"

#include "base/alloc.h"
#include "base/text.h"
#include "probes/linux/lx.h"
#include "probes/linux/mounts.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MOUNTS_BYTES (4u << 20) /* a node with thousands of mounts */
#define FOLDERS_MAX 20000

/* ---- paths ---- */

const char *oc_lx_tree_controller(const struct oc_lx_tree *tree, const char *controller)
{
    return tree->version == OC_LX_CGROUP_V1 ? controller : NULL;
}

/* Whether a step of the path is "..". */
static int leads_up(const char *path)
{
    for (const char *at = strstr(path, "/.."); at; at = strstr(at + 3, "/..")) {
        if (at[3] == '/' || at[3] == '\0')
            return 1;
    }
    return 0;
}

static const char *below(const char *path, const char *prefix)
{
    size_t len_bytes = strlen(prefix);

    if (strncmp(path, prefix, len_bytes) != 0)
        return NULL;
    return path[len_bytes] == '/' || path[len_bytes] == '\0' ? path + len_bytes : NULL;
}

/* Takes one ".." off the front of what is left, and one step off the end of out. */
static int step_up(const char **rest, char *out)
{
    char *slash = strrchr(out, '/');

    if (!slash)
        return OC_E_NOENT;
    *slash = '\0';
    *rest += 3;
    return OC_OK;
}

int oc_lx_tree_path(const struct oc_lx_tree *tree, const char *raw, size_t raw_bytes, char *out,
                    size_t out_bytes)
{
    char path[OC_LX_CGROUP_PATH_MAX] = "", joined[OC_LX_CGROUP_PATH_MAX];
    const char *rest = path;
    int len_bytes = 0;

    if (raw_bytes >= sizeof path)
        return OC_E_TOOBIG;
    memcpy(path, raw, raw_bytes);
    path[raw_bytes] = '\0';
    (void)oc_text_copy(joined, sizeof joined, tree->above);
    while (below(rest, "/..")) {
        if (step_up(&rest, joined) != OC_OK)
            return OC_E_NOENT;
    }
    if (rest[0] == '/' && rest[1] == '\0' && joined[0] != '\0')
        rest++;
    len_bytes = snprintf(out, out_bytes, "%s%s", joined, joined[0] || rest[0] ? rest : "/");
    return len_bytes < 0 || (size_t)len_bytes >= out_bytes ? OC_E_TOOBIG : OC_OK;
}

int oc_lx_tree_folder(const struct oc_lx_tree *tree, const char *path, char *out, size_t out_bytes)
{
    const char *rest = below(path, tree->root);
    int len_bytes = 0;

    if (tree->version == OC_LX_CGROUP_NONE || path[0] != '/' || leads_up(path) || !rest)
        return OC_E_NOENT;
    len_bytes = snprintf(out, out_bytes, "%s%s", tree->dir, rest);
    return len_bytes < 0 || (size_t)len_bytes >= out_bytes ? OC_E_TOOBIG : OC_OK;
}

/* ---- what a folder is ---- */

static int is_there(const char *dir, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* Whether the version 2 hierarchy at dir has the controller: on a hybrid system it may not. */
static int has_controller(const char *dir, const char *controller)
{
    static const char *const blanks = " \n";
    char path[512], text[512] = "", *state = NULL;
    int fd = -1;
    ssize_t got_bytes = 0;

    (void)snprintf(path, sizeof path, "%s/cgroup.controllers", dir);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    got_bytes = oc_lx_pread(fd, text, sizeof text - 1);
    (void)close(fd);
    text[got_bytes > 0 ? got_bytes : 0] = '\0';
    for (const char *word = strtok_r(text, blanks, &state); word;
         word = strtok_r(NULL, blanks, &state)) {
        if (strcmp(word, controller) == 0)
            return 1;
    }
    return 0;
}

/* ---- by the mounts ---- */

struct finder {
    const struct oc_lx_roots *roots;
    int is_capture; /* points of mounts are below the root too */
    char *text;
    size_t text_bytes;
};

static int read_mounts(struct finder *finder, int proc_fd)
{
    struct statfs volume;
    int fd = openat(proc_fd, "self/mountinfo", O_RDONLY | O_CLOEXEC);
    ssize_t len_bytes = 0;

    finder->is_capture = fstatfs(proc_fd, &volume) != 0 || volume.f_type != PROC_SUPER_MAGIC;
    if (fd < 0 && finder->is_capture)
        fd = openat(proc_fd, "1/mountinfo", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return OC_E_NOENT;
    finder->text = oc_malloc(MOUNTS_BYTES);
    len_bytes = finder->text ? oc_lx_read_all(fd, finder->text, MOUNTS_BYTES) : OC_E_NOMEM;
    (void)close(fd);
    finder->text_bytes = len_bytes > 0 ? (size_t)len_bytes : 0;
    return len_bytes > 0 ? OC_OK : OC_E_NOENT;
}

/* Where the mount is, for us; 0: not below the root. */
static int place(const struct finder *finder, const struct oc_lx_mount *mount, char *out,
                 size_t out_bytes)
{
    int len_bytes = 0;

    if (!finder->is_capture && !below(mount->point, finder->roots->root))
        return 0;
    len_bytes = snprintf(out, out_bytes, "%s%s", finder->is_capture ? finder->roots->root : "",
                         mount->point);
    return len_bytes > 0 && (size_t)len_bytes < out_bytes;
}

/* Whether the mount at dir has the controller's files. */
static int fits(const struct oc_lx_mount *mount, const char *dir, const char *controller)
{
    if (mount->is_v2)
        return has_controller(dir, controller);
    return oc_lx_mount_has(mount, controller) && is_there(dir, "");
}

/* Those in the usual place come first; of two there the later, which may cover the other. */
static int is_better(const struct finder *finder, const struct oc_lx_tree *tree, const char *dir)
{
    const char *usual = finder->roots->cgroup;

    if (tree->version == OC_LX_CGROUP_NONE)
        return 1;
    return (below(dir, usual) != NULL) >= (below(tree->dir, usual) != NULL);
}

static void take_mount(const struct finder *finder, const struct oc_lx_mount *mount,
                       const char *controller, struct oc_lx_tree *tree)
{
    char dir[sizeof tree->dir];

    if (!place(finder, mount, dir, sizeof dir) || !fits(mount, dir, controller) ||
        !is_better(finder, tree, dir))
        return;
    (void)oc_text_copy(tree->dir, sizeof tree->dir, dir);
    tree->version = mount->is_v2 ? OC_LX_CGROUP_V2 : OC_LX_CGROUP_V1;
    tree->above[0] = '\0';
    if (oc_text_copy(tree->root, sizeof tree->root, mount->root[1] ? mount->root : "") != OC_OK)
        tree->version = OC_LX_CGROUP_NONE;
}

/* ---- a namespace of our own, and a mount that shows what is above it ---- */

struct hunt {
    uint64_t inode; /* of our namespace's root */
    unsigned left;  /* folders that may still be looked at */
    char path[sizeof(((struct oc_lx_tree *)0)->above)];
};

/* The cgroup of this inode, `depth` steps below the folder; its path below that grows in hunt->path. */
static int search(struct hunt *hunt, int dir_fd, unsigned depth)
{
    size_t path_bytes = strlen(hunt->path);
    DIR *dir = fdopendir(dir_fd);
    const struct dirent *entry = NULL;
    int found = 0;

    if (!dir) {
        (void)close(dir_fd);
        return 0;
    }
    while (!found && hunt->left > 0 && (entry = readdir(dir)) != NULL) {
        size_t room_bytes = sizeof hunt->path - path_bytes;
        int sub_fd = -1;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
            strlen(entry->d_name) + 2 > room_bytes)
            continue;
        hunt->left--;
        (void)snprintf(hunt->path + path_bytes, room_bytes, "/%s", entry->d_name);
        if (depth == 1) {
            found = (uint64_t)entry->d_ino == hunt->inode;
            continue;
        }
        sub_fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        found = sub_fd >= 0 && search(hunt, sub_fd, depth - 1);
    }
    if (!found)
        hunt->path[path_bytes] = '\0';
    (void)closedir(dir);
    return found;
}

/* The inode of our namespace's root, where some mount of the same kind begins at it. */
static int find_own_root(const struct finder *finder, const struct oc_lx_tree *tree,
                         const char *controller, uint64_t *out_inode)
{
    struct oc_lx_mount mount;
    char dir[sizeof tree->dir];
    struct stat info;
    size_t at_bytes = 0;

    while (oc_lx_mount_next(finder->text, finder->text_bytes, &at_bytes, &mount)) {
        if (strcmp(mount.root, "/") != 0 || mount.is_v2 != (tree->version == OC_LX_CGROUP_V2) ||
            (!mount.is_v2 && !oc_lx_mount_has(&mount, controller)))
            continue;
        (void)snprintf(dir, sizeof dir, "%s%.120s", finder->is_capture ? finder->roots->root : "",
                       mount.point); /* anywhere: it may be outside the root that is looked at */
        if (stat(dir, &info) != 0)
            continue;
        *out_inode = (uint64_t)info.st_ino;
        return 1;
    }
    return 0;
}

/* "/../..": the mount begins two steps above our namespace. Finds the way down to it. */
static void look_above(const struct finder *finder, const char *controller, struct oc_lx_tree *tree)
{
    struct hunt hunt = { 0, FOLDERS_MAX, "" };
    unsigned depth = 0;
    const char *at = tree->root;
    int fd = -1;

    for (; below(at, "/.."); at += 3)
        depth++;
    if (depth == 0)
        return;
    tree->root[0] = '\0';
    if (*at != '\0' || !find_own_root(finder, tree, controller, &hunt.inode))
        return;
    fd = open(tree->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && search(&hunt, fd, depth))
        (void)oc_text_copy(tree->above, sizeof tree->above, hunt.path);
}

static void find_by_mounts(const struct finder *finder, const char *controller,
                           struct oc_lx_tree *tree)
{
    struct oc_lx_mount mount;
    size_t at_bytes = 0;

    while (oc_lx_mount_next(finder->text, finder->text_bytes, &at_bytes, &mount))
        take_mount(finder, &mount, controller, tree);
    look_above(finder, controller, tree);
}

/* ---- where they mostly are ---- */

static int try_dir(struct oc_lx_tree *tree, enum oc_lx_cgroup_version version, const char *root,
                   const char *sub, const char *sign)
{
    (void)snprintf(tree->dir, sizeof tree->dir, "%s%s", root, sub);
    if (version == OC_LX_CGROUP_V2 ? has_controller(tree->dir, sign) : is_there(tree->dir, sign))
        tree->version = version;
    return tree->version != OC_LX_CGROUP_NONE;
}

/* A file of its root tells a version 1 hierarchy of memory; of pids its folder's name must do. */
static void find_usual(const char *root, struct oc_lx_trees *trees)
{
    (void)(try_dir(&trees->memory, OC_LX_CGROUP_V1, root, "/memory", "memory.usage_in_bytes") ||
           try_dir(&trees->memory, OC_LX_CGROUP_V1, root, "", "memory.usage_in_bytes") ||
           try_dir(&trees->memory, OC_LX_CGROUP_V2, root, "", "memory") ||
           try_dir(&trees->memory, OC_LX_CGROUP_V2, root, "/unified", "memory"));
    (void)(try_dir(&trees->pids, OC_LX_CGROUP_V1, root, "/pids", "") ||
           try_dir(&trees->pids, OC_LX_CGROUP_V2, root, "", "pids") ||
           try_dir(&trees->pids, OC_LX_CGROUP_V2, root, "/unified", "pids"));
}

#define INIT_CGROUP_NAMESPACE "cgroup:[4026531835]" /* PROC_CGROUP_INIT_INO of the kernel */

/* Whether our cgroup namespace is another than the machine's. */
static int in_own_namespace(int proc_fd)
{
    char target[64] = "";

    return readlinkat(proc_fd, "self/ns/cgroup", target, sizeof target - 1) > 0 &&
           strcmp(target, INIT_CGROUP_NAMESPACE) != 0;
}

/*
 * Of version 2 only the machine's own root has no charge. The roots of version 1 are all alike: there the
 * namespace tells, and what is mounted.
 */
static int is_whole(const struct oc_lx_tree *tree, int proc_fd)
{
    if (tree->version != OC_LX_CGROUP_V1)
        return tree->version == OC_LX_CGROUP_V2 && !is_there(tree->dir, "memory.current");
    return !in_own_namespace(proc_fd) && tree->root[0] == '\0';
}

void oc_lx_trees_find(const struct oc_lx_roots *roots, int proc_fd, struct oc_lx_trees *out_trees)
{
    struct finder finder = { .roots = roots };

    memset(out_trees, 0, sizeof *out_trees);
    if (!roots->is_fixed_cgroup && read_mounts(&finder, proc_fd) == OC_OK) {
        find_by_mounts(&finder, "memory", &out_trees->memory);
        find_by_mounts(&finder, "pids", &out_trees->pids);
    }
    oc_free(finder.text);
    if (out_trees->memory.version == OC_LX_CGROUP_NONE) {
        memset(out_trees, 0, sizeof *out_trees);
        find_usual(roots->cgroup, out_trees);
    }
    out_trees->memory.is_whole = is_whole(&out_trees->memory, proc_fd);
}

int oc_lx_trees_path(const struct oc_lx_roots *roots, int proc_fd, const char *raw,
                     size_t raw_bytes, char *out, size_t out_bytes)
{
    struct oc_lx_trees trees = { 0 };

    if (in_own_namespace(proc_fd))
        oc_lx_trees_find(roots, proc_fd, &trees);
    return oc_lx_tree_path(&trees.memory, raw, raw_bytes, out, out_bytes);
}
