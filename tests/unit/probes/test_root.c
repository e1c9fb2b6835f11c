/* Another system's files below a root: where its cgroups are, what its users, containers and pods are called. */
#include "suites.h"

#include "probes/linux/mounts.h"
#include "probes/linux/names.h"
#include "probes/linux/trees.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define POD_UID "5b1f4c1e-7a42-4c7d-9a5c-2f6d0b8e1a34"
#define POD_SLICE                                                                                  \
    "/kubepods.slice/kubepods-burstable.slice/"                                                    \
    "kubepods-burstable-pod5b1f4c1e_7a42_4c7d_9a5c_2f6d0b8e1a34.slice"

/* ---- a node of Kubernetes, captured ---- */

static const struct oc_probe_options node = { .root = OC_TEST_DATA "/linux-6.1-kubernetes/" };

static void count(const struct oc_seen *seen, void *context)
{
    (void)seen;
    ++*(int *)context;
}

START_TEST(a_root_is_scanned_and_read)
{
    oc_probe *probe = NULL;
    oc_proc *proc = NULL;
    oc_cgroup *cgroup = NULL;
    struct oc_sample sample;
    int seen = 0;

    ck_assert_int_eq(oc_probe_open(&node, &probe, NULL), OC_OK);
    ck_assert_int_eq(oc_probe_scan(probe, count, &seen), 4);
    ck_assert_int_eq(seen, 4);
    ck_assert_int_eq(oc_probe_attach(probe, 4242, &proc), OC_OK);
    ck_assert_int_eq(strncmp(oc_proc_facts(proc)->cgroup, POD_SLICE, strlen(POD_SLICE)), 0);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_RSS, 25000 * 4096);
    ck_assert_int_eq(oc_probe_cgroup_attach(probe, POD_SLICE, &cgroup), OC_OK);
    ck_assert_int_eq(oc_probe_cgroup_read(probe, cgroup, &sample), OC_OK);
    ck_known(&sample, OC_METRIC_CGROUP_LIMIT, 268435456);
    ck_known(&sample, OC_METRIC_CGROUP_TASKS, 10);
    ck_known(&sample, OC_METRIC_CGROUP_TASKS_LIMIT, 1024);
    oc_probe_close(probe);
}
END_TEST

START_TEST(limits_below_a_root_are_its_own)
{
    struct oc_limits *limits = calloc(1, sizeof *limits);
    int of_memory = 0;

    ck_assert_int_eq(oc_probe_limits(&node, 4242, limits), OC_OK);
    for (size_t i = 0; i < limits->count; i++) {
        const struct oc_limit *limit = &limits->items[i];

        of_memory += limit->kind == OC_LIMIT_CGROUP_MAX;
        if (limit->kind == OC_LIMIT_MAX_MAP_COUNT)
            ck_assert_uint_eq(limit->value, 262144);
        if (limit->kind == OC_LIMIT_RLIMIT_NPROC)
            ck_assert_str_eq(limit->where, "shop");
        ck_assert_int_ne(limit->kind, OC_LIMIT_COMMIT);
    }
    ck_assert_int_eq(of_memory,
                     3); /* the container, its pod, all pods; "max" between them is none */
    free(limits);
}
END_TEST

static struct oc_proc_names names_below(const struct oc_probe_options *options, int64_t uid,
                                        const char *cgroup)
{
    struct oc_proc_names names;
    struct oc_lx_roots roots;

    ck_assert_int_eq(oc_lx_roots_of(options, &roots), OC_OK);
    oc_lx_names(&roots, uid, cgroup, &names);
    return names;
}

START_TEST(a_pod_has_names)
{
    struct oc_proc_names names = names_below(
        &node, 1001,
        POD_SLICE
        "/cri-containerd-3f9a0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c.scope");

    ck_assert_str_eq(names.user, "shop");
    ck_assert_str_eq(names.pod, "web-5d8f7c6b9-x2x4z");
    ck_assert_str_eq(names.pod_namespace, "shop");
    ck_assert_str_eq(names.pod_container, "web");
    ck_assert_str_eq(names.container, "");
    /* the process that holds it together is in the pod, and is not that container */
    names = names_below(
        &node, 65535,
        POD_SLICE
        "/cri-containerd-77aa1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d.scope");
    ck_assert_str_eq(names.user, "");
    ck_assert_str_eq(names.pod, "web-5d8f7c6b9-x2x4z");
    ck_assert_str_eq(names.pod_container, "");
    names = names_below(&node, 0, "/system.slice/kubelet.service");
    ck_assert_str_eq(names.user, "root");
    ck_assert_str_eq(names.pod, "");
}
END_TEST

/* ---- our own system by another way ---- */

START_TEST(our_own_root_by_another_path_is_live)
{
    const struct oc_probe_options options = { .root = "/proc/self/root" };
    struct oc_limits *limits = calloc(1, sizeof *limits);
    struct oc_proc_names names = names_below(&options, 0, "/");
    oc_probe *probe = NULL;
    oc_proc *proc = NULL;
    struct oc_sample sample;

    ck_assert_int_eq(oc_probe_open(&options, &probe, NULL), OC_OK);
    ck_assert_int_eq(oc_probe_attach(probe, (uint32_t)getpid(), &proc), OC_OK);
    ck_assert_int_eq(oc_probe_read(probe, proc, &sample), OC_OK);
    ck_assert(oc_sample_has(&sample,
                            OC_METRIC_CPU_TIME)); /* of the clock, so the PID is taken for ours */
    ck_assert_int_eq(oc_probe_limits(&options, (uint32_t)getpid(), limits), OC_OK);
    ck_assert_uint_gt(limits->count, 1);
    ck_assert_str_eq(names.user, "root");
    oc_probe_close(probe);
    free(limits);
}
END_TEST

START_TEST(a_root_that_is_not_there_is_an_error)
{
    const struct oc_probe_options options = { .root = "/nonexistent" };
    struct oc_detail detail = { 0 };
    oc_probe *probe = NULL;
    char long_path[OC_LX_ROOT_BYTES + 10];
    const struct oc_probe_options too_long = { .root = long_path };

    ck_assert_int_eq(oc_probe_open(&options, &probe, &detail), OC_E_NOENT);
    ck_assert_ptr_nonnull(strstr(detail.text, "/nonexistent/proc"));
    memset(long_path, 'x', sizeof long_path);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';
    ck_assert_int_eq(oc_probe_open(&too_long, &probe, &detail), OC_E_TOOBIG);
}
END_TEST

/* ---- names ---- */

START_TEST(users_are_found_by_their_number)
{
    static const char text[] =
        "# comment\n\nroot:x:0:0:root:/root:/bin/sh\nbad\n:x:7:7::/:\nno:x::0::/:\n"
        "+::::::\na:x:12:1::/:\nb:x:12:1::/:\nc:x:12a:1::/:\n"
        "big:x:99999999999999999999:1::/:\nlast:x:4294967294:1::/:/x";
    static const struct {
        int64_t uid;
        const char *name; /* NULL: none */
    } cases[] = { { 0, "root" }, { 12, "a" }, { 7, NULL }, { 1, NULL }, { 4294967294, "last" } };
    char name[64] = "";
    int rc = oc_lx_passwd_parse(text, strlen(text), cases[_i].uid, name, sizeof name);

    ck_assert_int_eq(rc, cases[_i].name ? OC_OK : OC_E_NOENT);
    ck_assert_str_eq(name, cases[_i].name ? cases[_i].name : "");
}
END_TEST

START_TEST(docker_tells_a_containers_name)
{
    static const struct {
        const char *text;
        int rc;
        const char *name;
    } cases[] = {
        { "{\"State\":{\"Name\":\"no\"},\"Mounts\":[{\"Name\":\"vol\"}],\"Name\":\"/"
          "web-1\",\"X\":1}",
          OC_OK, "web-1" },
        { " { \"Name\" : \"db\" } ", OC_OK, "db" },
        { "{\"A\":\"\\\"Name\\\":\",\"B\":[1,2,{\"Name\":\"x\"}]}", OC_E_NOENT, "" },
        { "{\"Name\":5}", OC_E_PARSE, "" },
        { "{\"Name\":\"/cut", OC_E_PARSE, "" },
        { "", OC_E_NOENT, "" },
        { "}}}}{\"Name\":\"x\"}", OC_E_NOENT, "" },
        { "[[[[[[[[[[[[[[[[[[[[[[", OC_E_NOENT, "" },
    };
    char name[64] = "";

    ck_assert_int_eq(
        oc_lx_docker_name_parse(cases[_i].text, strlen(cases[_i].text), name, sizeof name),
        cases[_i].rc);
    ck_assert_str_eq(name, cases[_i].name);
}
END_TEST

START_TEST(podman_tells_a_containers_name)
{
    static const char text[] =
        "[{\"id\":\"" ID_A "\",\"names\":[\"first\",\"alias\"],\"layer\":\"x\"},"
        "{\"names\":[\"second\"],\"metadata\":\"{\\\"id\\\":1}\",\"id\":\"" ID_B "\"},"
        "{\"id\":\"cc\"}]";
    char name[64] = "";

    ck_assert_int_eq(oc_lx_podman_name_parse(text, strlen(text), ID_A, name, sizeof name), OC_OK);
    ck_assert_str_eq(name, "first");
    ck_assert_int_eq(oc_lx_podman_name_parse(text, strlen(text), ID_B, name, sizeof name), OC_OK);
    ck_assert_str_eq(name, "second");
    ck_assert_int_eq(oc_lx_podman_name_parse(text, strlen(text), "cc", name, sizeof name),
                     OC_E_NOENT);
    ck_assert_int_eq(oc_lx_podman_name_parse(text, strlen(text), "x", name, sizeof name),
                     OC_E_NOENT);
}
END_TEST

START_TEST(logs_of_pods_tell_their_names)
{
    struct oc_proc_names names = { .user = "" };

    ck_assert_int_eq(oc_lx_pod_folder_parse("ns_pod-1_" POD_UID, POD_UID, &names), OC_OK);
    ck_assert_str_eq(names.pod, "pod-1");
    ck_assert_str_eq(names.pod_namespace, "ns");
    ck_assert_int_eq(oc_lx_pod_folder_parse("ns_pod-1_other", POD_UID, &names), OC_E_NOENT);
    ck_assert_int_eq(oc_lx_pod_folder_parse("ns_" POD_UID, POD_UID, &names), OC_E_PARSE);
    ck_assert_int_eq(oc_lx_pod_folder_parse("", POD_UID, &names), OC_E_PARSE);
    ck_assert_int_eq(oc_lx_container_log_parse("p_n_my-app-" ID_A ".log", ID_A, &names), OC_OK);
    ck_assert_str_eq(names.pod_container, "my-app");
    ck_assert_int_eq(oc_lx_container_log_parse("p_n_my-app-" ID_A ".log", ID_B, &names),
                     OC_E_NOENT);
    ck_assert_int_eq(oc_lx_container_log_parse(ID_A ".log", ID_A, &names), OC_E_NOENT);
    ck_assert_int_eq(oc_lx_container_log_parse("p-" ID_A ".log", ID_A, &names), OC_E_PARSE);
}
END_TEST

/* Docker's folder is often a link to a larger disk: it stays below the root. */
START_TEST(containers_are_found_behind_links_below_the_root)
{
    struct tree tree = tree_new();
    const struct oc_probe_options options = { .root = tree.dir };
    char link_path[200];
    struct oc_proc_names names;

    tree_write(&tree, "big/docker/containers/" ID_A "/config.v2.json", "{\"Name\":\"/shop\"}");
    tree_write(&tree, "var/lib/containers/storage/overlay-containers/containers.json",
               "[{\"id\":\"" ID_B "\",\"names\":[\"pod-man\"]}]");
    (void)snprintf(link_path, sizeof link_path, "%s/var/lib/docker", tree.dir);
    ck_assert_int_eq(symlink("/big/docker", link_path), 0);
    names = names_below(&options, 0, "/system.slice/docker-" ID_A ".scope");
    ck_assert_str_eq(names.container, "shop");
    ck_assert_str_eq(names.user, ""); /* no passwd there; ours is not asked */
    names = names_below(&options, 0, "/machine.slice/libpod-" ID_B ".scope");
    ck_assert_str_eq(names.container, "pod-man");
    names = names_below(&options, 0, "/system.slice/docker-" ID_B "c.scope");
    ck_assert_str_eq(names.container, "");
    tree_free(&tree);
}
END_TEST

/* ---- mounts and trees ---- */

START_TEST(mounts_are_taken_apart)
{
    static const char text[] =
        "20 1 0:1 / / rw - ext4 /dev/sda rw\n"
        "bad line\n"
        "31 23 0:28 / /mnt/with\\040blank\\134x rw,relatime shared:1 master:2 - cgroup2 none "
        "rw,nsdelegate\n"
        "32 23 0:29 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,xattr,memory\n"
        "33 23 0:29 relative /x rw - cgroup cgroup rw,memory\n"
        "34 23 0:29 / /x rw - cgroup\n"
        "35 23 0:29 / /cut rw - cgroup2 cgroup2 rw";
    struct oc_lx_mount mount;
    size_t at = 0;

    ck_assert_int_eq(oc_lx_mount_next(text, strlen(text), &at, &mount), 1);
    ck_assert(mount.is_v2);
    ck_assert_str_eq(mount.point, "/mnt/with blank\\x");
    ck_assert_int_eq(oc_lx_mount_next(text, strlen(text), &at, &mount), 1);
    ck_assert(!mount.is_v2);
    ck_assert_str_eq(mount.root, "/docker/abc");
    ck_assert(oc_lx_mount_has(&mount, "memory"));
    ck_assert(!oc_lx_mount_has(&mount, "mem"));
    ck_assert(!oc_lx_mount_has(&mount, "pids"));
    ck_assert_int_eq(oc_lx_mount_next(text, strlen(text), &at, &mount), 0);
}
END_TEST

static struct oc_lx_trees find_trees(const struct tree *tree)
{
    const struct oc_probe_options options = { .root = tree->dir };
    struct oc_lx_roots roots;
    struct oc_lx_trees trees;
    int fd = -1;

    ck_assert_int_eq(oc_lx_roots_of(&options, &roots), OC_OK);
    fd = open(roots.proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    oc_lx_trees_find(&roots, fd, &trees);
    close(fd);
    return trees;
}

static void ck_folder(const struct oc_lx_tree *tree, const struct tree *at, const char *path,
                      const char *folder)
{
    char out[5000], expected[300];

    (void)snprintf(expected, sizeof expected, "%s%s", at->dir, folder ? folder : "");
    ck_assert_int_eq(oc_lx_tree_folder(tree, path, out, sizeof out), folder ? OC_OK : OC_E_NOENT);
    if (folder)
        ck_assert_str_eq(out, expected);
}

START_TEST(custom_mount_points_are_found)
{
    struct tree tree = tree_new();
    struct oc_lx_trees trees;

    tree_write(&tree, "proc/1/mountinfo",
               "31 23 0:28 / /cg/mem rw - cgroup cgroup rw,memory\n"
               "32 23 0:29 / /cg/p rw - cgroup cgroup rw,pids\n"
               "33 23 0:30 / /cg/two rw - cgroup2 cgroup2 rw\n");
    tree_write(&tree, "cg/mem/cgroup.procs", "");
    tree_write(&tree, "cg/p/cgroup.procs", "");
    tree_write(&tree, "cg/two/cgroup.controllers", "cpu hugetlb\n");
    trees = find_trees(&tree);
    ck_assert_int_eq(trees.memory.version, OC_LX_CGROUP_V1);
    ck_assert_int_eq(trees.pids.version, OC_LX_CGROUP_V1);
    ck_assert(trees.memory.is_whole);
    ck_folder(&trees.memory, &tree, "/a/b", "/cg/mem/a/b");
    ck_folder(&trees.pids, &tree, "/", "/cg/p/");
    ck_folder(&trees.memory, &tree, "/a/../b", NULL);
    ck_folder(&trees.memory, &tree, "a", NULL);
    tree_free(&tree);
}
END_TEST

START_TEST(a_part_of_a_tree_is_mounted)
{
    struct tree tree = tree_new();
    struct oc_lx_trees trees;

    tree_write(&tree, "proc/1/mountinfo",
               "31 23 0:28 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    tree_write(&tree, "sys/fs/cgroup/memory/cgroup.procs", "");
    trees = find_trees(&tree);
    ck_assert(!trees.memory.is_whole);
    ck_folder(&trees.memory, &tree, "/docker/abc", "/sys/fs/cgroup/memory");
    ck_folder(&trees.memory, &tree, "/docker/abc/x", "/sys/fs/cgroup/memory/x");
    ck_folder(&trees.memory, &tree, "/docker/abcd", NULL);
    ck_folder(&trees.memory, &tree, "/docker", NULL);
    tree_free(&tree);
}
END_TEST

static void ck_path(const struct oc_lx_tree *tree, const char *raw, const char *path)
{
    char out[5000];

    ck_assert_int_eq(oc_lx_tree_path(tree, raw, strlen(raw), out, sizeof out),
                     path ? OC_OK : OC_E_NOENT);
    if (path)
        ck_assert_str_eq(out, path);
}

/* A daemon in a pod: its own namespace begins two steps below what it has mounted of the host. */
START_TEST(paths_above_our_namespace_are_resolved)
{
    struct tree tree = tree_new();
    struct oc_lx_trees trees;
    char from[200], to[200];

    tree_write(&tree, "proc/1/mountinfo",
               "31 23 0:28 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
               "32 23 0:28 / /own rw - cgroup2 cgroup2 rw\n");
    tree_write(&tree, "sys/fs/cgroup/cgroup.controllers", "memory pids\n");
    tree_write(&tree, "sys/fs/cgroup/a/x/cgroup.procs", "");
    tree_write(&tree, "sys/fs/cgroup/pods/us/cgroup.procs", "");
    tree_write(&tree, "sys/fs/cgroup/pods/them/cgroup.procs", "");
    (void)snprintf(from, sizeof from, "%s/sys/fs/cgroup/pods/us", tree.dir);
    (void)snprintf(to, sizeof to, "%s/own", tree.dir);
    ck_assert_int_eq(symlink(from, to), 0); /* the same folder, as a bind mount is */
    trees = find_trees(&tree);
    ck_assert_int_eq(trees.memory.version, OC_LX_CGROUP_V2);
    ck_path(&trees.memory, "/", "/pods/us");
    ck_path(&trees.memory, "/sub", "/pods/us/sub");
    ck_path(&trees.memory, "/../them", "/pods/them");
    ck_path(&trees.memory, "/../../a/x", "/a/x");
    ck_path(&trees.memory, "/../..", "/");
    ck_path(&trees.memory, "/../../../a", NULL);
    ck_path(&trees.memory, "/..x", "/pods/us/..x");
    ck_folder(&trees.memory, &tree, "/pods/them", "/sys/fs/cgroup/pods/them");
    tree_free(&tree);
}
END_TEST

START_TEST(paths_of_an_ordinary_tree_stay)
{
    static const struct oc_lx_tree tree = { .version = OC_LX_CGROUP_V2 };

    ck_path(&tree, "/", "/");
    ck_path(&tree, "/a/b", "/a/b");
    ck_path(&tree, "/../a", NULL);
}
END_TEST

Suite *root_suite(void)
{
    Suite *suite = suite_create("root");
    TCase *tcase = tcase_create("root");

    tcase_add_test(tcase, a_root_is_scanned_and_read);
    tcase_add_test(tcase, limits_below_a_root_are_its_own);
    tcase_add_test(tcase, a_pod_has_names);
    tcase_add_test(tcase, our_own_root_by_another_path_is_live);
    tcase_add_test(tcase, a_root_that_is_not_there_is_an_error);
    tcase_add_loop_test(tcase, users_are_found_by_their_number, 0, 5);
    tcase_add_loop_test(tcase, docker_tells_a_containers_name, 0, 8);
    tcase_add_test(tcase, podman_tells_a_containers_name);
    tcase_add_test(tcase, logs_of_pods_tell_their_names);
    tcase_add_test(tcase, containers_are_found_behind_links_below_the_root);
    tcase_add_test(tcase, mounts_are_taken_apart);
    tcase_add_test(tcase, custom_mount_points_are_found);
    tcase_add_test(tcase, a_part_of_a_tree_is_mounted);
    tcase_add_test(tcase, paths_above_our_namespace_are_resolved);
    tcase_add_test(tcase, paths_of_an_ordinary_tree_stay);
    suite_add_tcase(suite, tcase);
    return suite;
}
