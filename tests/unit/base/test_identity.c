#include "base/identity.h"
#include "suites.h"

#include <string.h>

#define ID "4c01db0b339c9b1f8b4d1f0b8e1a5c0f4e52b7d91a2c3d4e5f60718293a4b5c6"
#define ID2 "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define UID "2f0a7cf1-77c1-4fa2-9a5b-8f2a4e0c1d3e"
#define UID_ "2f0a7cf1_77c1_4fa2_9a5b_8f2a4e0c1d3e"
#define HASH_UID "8d2b0e1f3a4c5d6e7f8091a2b3c4d5e6"

struct path_case {
    const char *path, *unit, *slice, *container_id, *pod_uid;
};

static const struct path_case paths[] = {
    { "/", "", "", "", "" },
    { "", "", "", "", "" },
    { "/init.scope", "init.scope", "", "", "" },
    { "/system.slice/nginx.service", "nginx.service", "system.slice", "", "" },
    { "/system.slice/nginx.service (deleted)", "nginx.service", "system.slice", "", "" },
    { "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service",
      "system-getty.slice", "", "" },
    { "/system.slice/postgresql@15-main.service/backend", "postgresql@15-main.service",
      "system.slice", "", "" },
    { "/system.slice/_cgroup.service", "cgroup.service", "system.slice", "", "" },
    /* users */
    { "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "user-1000.slice", "", "" },
    { "/user.slice/user-1000.slice/user@1000.service/app.slice/mpd.service", "mpd.service",
      "app.slice", "", "" },
    { "/user.slice/user-1000.slice/user@1000.service/app.slice/"
      "vte-spawn-2f0a7cf1-77c1-4fa2-9a5b-8f2a4e0c1d3e.scope",
      "user@1000.service", "app.slice", "", "" },
    /* Docker */
    { "/system.slice/docker-" ID ".scope", "docker-" ID ".scope", "system.slice", ID, "" },
    { "/docker/" ID, "", "", ID, "" },
    { "/docker/" ID "/system.slice/ssh.service", "ssh.service", "system.slice", ID, "" },
    { "/system.slice/docker.service", "docker.service", "system.slice", "", "" },
    /* Podman */
    { "/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope", "machine.slice", ID,
      "" },
    { "/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", "machine.slice",
      "", "" },
    { "/machine.slice/machine-libpod_pod_" ID2 ".slice/libpod-" ID ".scope", "libpod-" ID ".scope",
      "machine-libpod_pod_" ID2 ".slice", ID, "" },
    { "/libpod_parent/libpod-" ID, "", "", ID, "" },
    { "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope/container",
      "user@1000.service", "user.slice", ID, "" },
    /* Kubernetes: containerd, CRI-O, both layouts */
    { "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_
      ".slice/cri-containerd-" ID ".scope",
      "cri-containerd-" ID ".scope", "kubepods-burstable-pod" UID_ ".slice", ID, UID },
    { "/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID ".scope/container", "crio-" ID ".scope",
      "kubepods-pod" UID_ ".slice", ID, UID },
    { "/kubepods.slice/kubepods-pod" UID_ ".slice/crio-conmon-" ID ".scope",
      "crio-conmon-" ID ".scope", "kubepods-pod" UID_ ".slice", "", UID },
    { "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/docker-" ID
      ".scope",
      "docker-" ID ".scope", "kubepods-besteffort-pod" UID_ ".slice", ID, UID },
    { "/kubepods/burstable/pod" UID "/" ID, "", "", ID, UID },
    { "/kubepods/pod" UID, "", "", "", UID },
    { "/kubepods/burstable/pod" HASH_UID "/" ID, "", "", ID, HASH_UID },
    { "/system.slice/containerd.service/kubepods-burstable-pod" UID_ ".slice:cri-containerd:" ID,
      "containerd.service", "kubepods-burstable-pod" UID_ ".slice", ID, UID },
    { "/k8s.io/" ID, "", "", ID, "" },
    /* nested: kind, k3s, a node in a container */
    { "/system.slice/docker-" ID2
      ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
      "kubelet-kubepods-burstable-pod" UID_ ".slice/cri-containerd-" ID ".scope",
      "cri-containerd-" ID ".scope", "kubelet-kubepods-burstable-pod" UID_ ".slice", ID, UID },
    { "/docker/" ID2 "/kubelet/kubepods/besteffort/pod" UID "/" ID, "", "", ID, UID },
    { "/docker/" ID2 "/kubelet/kubepods/besteffort/pod" UID, "", "", "", UID },
    { "/system.slice/k3s.service/kubepods/burstable/pod" UID "/" ID, "k3s.service", "system.slice",
      ID, UID },
    { "/../../pod" UID "/" ID, "", "", ID, UID },
    { "/ecs/0123456789abcdef0123456789abcdef/" ID, "", "", ID, "" },
    /* what only looks like it */
    { "/lxc/web", "", "", "", "" },
    { "/podman/tripod-1", "", "", "", "" },
    { "/kubepods/podinfo", "", "", "", "" },
    { "/docker/" ID "0", "", "", "", "" },
    { "/x/a" ID, "", "", "", "" },
    { "/.service/.scope/.slice", "", "", "", "" },
};

START_TEST(identity_is_read_from_a_cgroup_path)
{
    const struct path_case *c = &paths[_i];
    struct oc_identity identity;

    memset(&identity, 0x5A, sizeof(identity));
    oc_identity_of_cgroup(c->path, &identity);
    ck_assert_msg(strcmp(identity.unit, c->unit) == 0, "%s: unit %s", c->path, identity.unit);
    ck_assert_msg(strcmp(identity.slice, c->slice) == 0, "%s: slice %s", c->path, identity.slice);
    ck_assert_msg(strcmp(identity.container_id, c->container_id) == 0, "%s: container %s", c->path,
                  identity.container_id);
    ck_assert_msg(strcmp(identity.pod_uid, c->pod_uid) == 0, "%s: pod %s", c->path,
                  identity.pod_uid);
}
END_TEST

static const char *const workloads[][2] = {
    { "web-5d8f7c6b9-x2x4z", "web" },
    { "coredns-5dd5756b68-pnt9f", "coredns" },
    { "web-2-5d8f7c6b9-x2x4z", "web-2" },
    { "fluentd-x2x4z", "fluentd" },
    { "backup-28391820-x7k2p", "backup" },
    { "backup-1616161616-x7k2p", "backup" },
    { "db-0", "db" },
    { "db-12", "db" },
    { "kafka-broker-0", "kafka-broker" },
    { "kube-apiserver-node-a", "kube-apiserver-node-a" },
    { "nginx", "nginx" },
    { "web-20240101", "web-20240101" },
    { "my-nginx", "my-nginx" },
    { "0", "0" },
    { "-0", "-0" },
    { "x2x4z", "x2x4z" },
    { "", "" },
};

START_TEST(workload_is_a_pod_without_what_was_generated)
{
    char out[64];

    oc_identity_workload(workloads[_i][0], out, sizeof(out));
    ck_assert_str_eq(out, workloads[_i][1]);
}
END_TEST

START_TEST(workload_is_cut_to_what_fits)
{
    char out[4];

    oc_identity_workload("kafka-0", out, sizeof(out));
    ck_assert_str_eq(out, "kaf");
}
END_TEST

Suite *identity_suite(void)
{
    Suite *suite = suite_create("identity");
    TCase *tcase = tcase_create("identity");

    tcase_add_loop_test(tcase, identity_is_read_from_a_cgroup_path, 0,
                        sizeof(paths) / sizeof(paths[0]));
    tcase_add_loop_test(tcase, workload_is_a_pod_without_what_was_generated, 0,
                        sizeof(workloads) / sizeof(workloads[0]));
    tcase_add_test(tcase, workload_is_cut_to_what_fits);
    suite_add_tcase(suite, tcase);
    return suite;
}
