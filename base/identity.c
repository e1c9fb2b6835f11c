#include "base/identity.h"

#include "base/text.h"

#include <string.h>

#define CONTAINER_ID_DIGITS 64
#define UUID_LEN 36
#define STATIC_POD_DIGITS 32 /* pods from a file on the node: a hash in place of a UUID */

/* What Kubernetes makes names of: no vowels, nothing that looks like another; and what is left of
 * it where the digits of a number are mapped to it, as in the hash of a ReplicaSet. */
#define SUFFIX_LETTERS "bcdfghjklmnpqrstvwxz2456789"
#define HASH_LETTERS "bcdf456789"
#define POD_SUFFIX_LEN 5
#define HASH_MIN 6
#define HASH_MAX 10
#define CRON_MIN 8 /* minutes since 1970; seconds, ten digits, before Kubernetes 1.21 */
#define CRON_MAX 10
#define ORDINAL_MAX 4

/* A part of a path: not NUL-terminated. */
struct part {
    const char *at;
    size_t len;
};

static int is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t count_hex(const char *at, size_t len)
{
    size_t count = 0;

    while (count < len && is_hex(at[count]))
        count++;
    return count;
}

static int ends_with(struct part part, const char *tail)
{
    size_t len = strlen(tail);

    return part.len > len && memcmp(part.at + part.len - len, tail, len) == 0;
}

static struct part without_end(struct part part, const char *tail)
{
    if (ends_with(part, tail))
        part.len -= strlen(tail);
    return part;
}

static void keep(char *out, size_t out_bytes, struct part part)
{
    oc_text_copy_utf8(out, out_bytes, part.at, part.len);
}

/* ---- one part of a path ---- */

/*
 * "<id>" "docker-<id>.scope" "libpod-<id>" "cri-containerd-<id>.scope" "crio-<id>". The monitor of
 * a container ("crio-conmon-<id>") is no process of it.
 */
static void take_container(struct part part, struct oc_identity *out)
{
    struct part prefix = without_end(part, ".scope");
    struct part id = { NULL, CONTAINER_ID_DIGITS };

    if (prefix.len < CONTAINER_ID_DIGITS)
        return;
    prefix.len -= CONTAINER_ID_DIGITS;
    id.at = prefix.at + prefix.len;
    if (count_hex(id.at, id.len) != id.len)
        return;
    if (prefix.len > 0 && (!ends_with(prefix, "-") || ends_with(prefix, "conmon-")))
        return;
    keep(out->container_id, sizeof(out->container_id), id);
}

/* The bytes of a pod's UID at hand: a UUID with '-' or '_' (systemd's layout), or a static pod's hash. */
static size_t pod_uid_len(const char *at, size_t len)
{
    size_t i = 0;

    if (len == STATIC_POD_DIGITS && count_hex(at, len) == len)
        return len;
    if (len != UUID_LEN)
        return 0;
    for (i = 0; i < len; i++) {
        int is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash ? at[i] != '-' && at[i] != '_' : !is_hex(at[i]))
            return 0;
    }
    return len;
}

/* "pod<uid>", "kubepods-burstable-pod<uid>.slice". A container above it is the node itself, in a container. */
static void take_pod(struct part part, struct oc_identity *out)
{
    struct part name = without_end(part, ".slice");

    for (size_t i = 0; i + 3 < name.len; i++) {
        struct part uid = { name.at + i + 3, name.len - i - 3 };

        if (memcmp(name.at + i, "pod", 3) != 0 || (i > 0 && name.at[i - 1] != '-'))
            continue;
        if (pod_uid_len(uid.at, uid.len) == 0)
            continue;
        keep(out->pod_uid, sizeof(out->pod_uid), uid);
        for (char *c = out->pod_uid; *c; c++)
            *c = *c == '_' ? '-' : *c;
        out->container_id[0] = '\0';
        return;
    }
}

static void take_unit(struct part part, struct oc_identity *out, int *has_service)
{
    if (part.at[0] ==
        '_') { /* systemd puts it before names that the kernel might take for its own */
        part.at++;
        part.len--;
    }
    if (ends_with(part, ".slice")) {
        keep(out->slice, sizeof(out->slice), part);
    } else if (ends_with(part, ".service")) {
        keep(out->unit, sizeof(out->unit), part);
        *has_service = 1;
    } else if (!*has_service && ends_with(part, ".scope")) {
        keep(out->unit, sizeof(out->unit), part);
    }
}

void oc_identity_of_cgroup(const char *path, struct oc_identity *out_identity)
{
    struct part whole = without_end((struct part){ path, strlen(path) }, " (deleted)");
    const char *end = whole.at + whole.len;
    int has_service = 0;

    memset(out_identity, 0, sizeof(*out_identity));
    for (const char *at = path; at < end;) {
        size_t len = strcspn(at, "/:"); /* containerd: "….slice:cri-containerd:<id>" */
        struct part part = { at, len < (size_t)(end - at) ? len : (size_t)(end - at) };

        if (part.len > 0) {
            take_container(part, out_identity);
            take_pod(part, out_identity);
            take_unit(part, out_identity, &has_service);
        }
        at += part.len + 1;
    }
}

/* ---- names of pods ---- */

/* Whether name[…len] ends with '-' and min to max letters of a kind, and something before; *out_len without that. */
static int has_suffix(const char *name, size_t len, const char *letters, size_t min, size_t max,
                      size_t *out_len)
{
    size_t count = 0;

    while (count < len && name[len - count - 1] != '-' && strchr(letters, name[len - count - 1]))
        count++;
    if (count < min || count > max || count + 1 >= len || name[len - count - 1] != '-')
        return 0;
    *out_len = len - count - 1;
    return 1;
}

void oc_identity_workload(const char *pod, char *out, size_t out_bytes)
{
    size_t len = strlen(pod);

    if (has_suffix(pod, len, SUFFIX_LETTERS, POD_SUFFIX_LEN, POD_SUFFIX_LEN, &len)) {
        if (!has_suffix(pod, len, HASH_LETTERS, HASH_MIN, HASH_MAX, &len))
            (void)has_suffix(pod, len, "0123456789", CRON_MIN, CRON_MAX, &len);
    } else {
        (void)has_suffix(pod, len, "0123456789", 1, ORDINAL_MAX, &len);
    }
    oc_text_copy_utf8(out, out_bytes, pod, len);
}

int oc_subject_is_meant(const char *subject, const char *word)
{
    const char *behind = strchr(subject, ':');

    if (oc_text_glob(word, subject))
        return 1;
    return behind && !strchr(word, ':') && strcmp(word, "host") != 0 &&
           strcmp(word, "oomcastd") != 0 && oc_text_glob(word, behind + 1);
}
