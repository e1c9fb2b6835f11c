/* mountinfo: the mounts of cgroup hierarchies, and paths of processes in them. */
/* target: fuzz_mountinfo.c deps: probes_dep */
#include "probes/linux/mounts.h"
#include "probes/linux/trees.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the mount and the path say, the folder lies below where the tree is mounted. */
static void place(const struct oc_lx_mount *mount, const char *raw, size_t raw_bytes)
{
    struct oc_lx_tree tree = { .version = OC_LX_CGROUP_V2, .dir = "/cg" };
    char path[OC_LX_CGROUP_PATH_MAX], folder[OC_LX_CGROUP_PATH_MAX + 8];

    if (strlen(mount->root) >= sizeof tree.root)
        return;
    if (strstr(mount->root, "/..")) /* our namespace as it is found then */
        memcpy(tree.above, "/a/b", sizeof "/a/b");
    else if (mount->root[1] != '\0')
        memcpy(tree.root, mount->root, strlen(mount->root) + 1);
    if (oc_lx_tree_path(&tree, raw, raw_bytes, path, sizeof path) != 0)
        return;
    assert(strlen(path) < sizeof path);
    if (oc_lx_tree_folder(&tree, path, folder, sizeof folder) != 0)
        return;
    assert(strncmp(folder, "/cg", 3) == 0);
    assert(folder[3] == '\0' || folder[3] == '/');
    assert(!strstr(folder, "/../"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1); /* of the exact size, so that a byte too far is found */
    struct oc_lx_mount mount;
    size_t at = 0, before = 0, raw_bytes = 0;

    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    while (raw_bytes < size && text[raw_bytes] != '\n' && text[raw_bytes] != '\0')
        raw_bytes++; /* its first line is a path too */
    while (oc_lx_mount_next(text, size, &at, &mount)) {
        assert(at > before && at <= size);
        before = at;
        assert(mount.root[0] == '/' && mount.point[0] == '/');
        assert(strlen(mount.root) < sizeof mount.root && strlen(mount.point) < sizeof mount.point);
        assert(mount.options >= text && mount.options + mount.options_bytes <= text + size);
        (void)oc_lx_mount_has(&mount, "memory");
        place(&mount, text, raw_bytes);
    }
    free(text);
    return 0;
}
