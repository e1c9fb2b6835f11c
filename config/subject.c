/* What a process is called: the template of its target, or a default that says how it was chosen. */
#include "config/target.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SHORT_ID_DIGITS 12 /* of a container's id, as docker ps shows it */
#define KEY_BYTES 32

enum key {
    KEY_NAME,
    KEY_EXE,
    KEY_USER,
    KEY_UNIT,
    KEY_SLICE,
    KEY_CGROUP,
    KEY_CONTAINER,
    KEY_CONTAINER_ID,
    KEY_POD,
    KEY_NAMESPACE,
    KEY_POD_CONTAINER,
    KEY_WORKLOAD,
    KEY_POOL,
    KEY_SERVICE,
    KEY_PID,
    KEY_COUNT
};

static const char *const keys[KEY_COUNT + 1] = {
    "name",      "exe",          "user", "unit",      "slice",         "cgroup",
    "container", "container_id", "pod",  "namespace", "pod_container", "workload",
    "pool",      "service",      "pid",  NULL
};

const char *const *oc_subject_keys(void) { return keys; }

/* Text that is put together and cut where it is full. */
struct subject {
    char text[4 * OC_SUBJECT_BYTES];
    size_t len;
};

static void add(struct subject *s, const char *text, size_t len)
{
    size_t room = sizeof(s->text) - 1 - s->len;

    if (len > room)
        len = room;
    memcpy(s->text + s->len, text, len);
    s->len += len;
}

static void add_text(struct subject *s, const char *text)
{
    if (text && text[0])
        add(s, text, strlen(text));
    else
        add(s, "-", 1);
}

/* ---- values of keys ---- */

static const char *file_of(const char *exe)
{
    const char *slash = exe ? strrchr(exe, exe[0] == '/' ? '/' : '\\') : NULL;

    return slash ? slash + 1 : exe;
}

static void add_user(struct subject *s, const struct oc_match_facts *facts)
{
    char number[24] = "";

    if (facts->names && facts->names->user[0]) {
        add_text(s, facts->names->user);
        return;
    }
    if (facts->uid >= 0)
        (void)snprintf(number, sizeof(number), "%" PRId64, facts->uid);
    add_text(s, number);
}

static void add_short_id(struct subject *s, const struct oc_identity *identity)
{
    if (identity && identity->container_id[0])
        add(s, identity->container_id, SHORT_ID_DIGITS);
    else
        add_text(s, NULL);
}

static void add_workload(struct subject *s, const struct oc_proc_names *names)
{
    char workload[sizeof(names->pod)] = "";

    if (names)
        oc_identity_workload(names->pod, workload, sizeof(workload));
    add_text(s, workload);
}

static void add_pid(struct subject *s, uint32_t pid)
{
    char number[16];

    (void)snprintf(number, sizeof(number), "%" PRIu32, pid);
    add_text(s, number);
}

static void add_key(struct subject *s, enum key key, const struct oc_match_facts *facts)
{
    const struct oc_identity *identity = facts->identity;
    const struct oc_proc_names *names = facts->names;

    switch (key) {
    case KEY_NAME:
        add_text(s, facts->name);
        break;
    case KEY_EXE:
        add_text(s, file_of(facts->exe));
        break;
    case KEY_USER:
        add_user(s, facts);
        break;
    case KEY_UNIT:
        add_text(s, identity ? identity->unit : NULL);
        break;
    case KEY_SLICE:
        add_text(s, identity ? identity->slice : NULL);
        break;
    case KEY_CGROUP:
        add_text(s, facts->cgroup);
        break;
    case KEY_CONTAINER:
        if (names && names->container[0])
            add_text(s, names->container);
        else
            add_short_id(s, identity);
        break;
    case KEY_CONTAINER_ID:
        add_short_id(s, identity);
        break;
    case KEY_POD:
        add_text(s, names ? names->pod : NULL);
        break;
    case KEY_NAMESPACE:
        add_text(s, names ? names->pod_namespace : NULL);
        break;
    case KEY_POD_CONTAINER:
        add_text(s, names ? names->pod_container : NULL);
        break;
    case KEY_WORKLOAD:
        add_workload(s, names);
        break;
    case KEY_POOL:
        add_text(s, names ? names->app_pool : NULL);
        break;
    case KEY_SERVICE:
        add_text(s, names ? names->service : NULL);
        break;
    case KEY_PID:
        add_pid(s, facts->pid);
        break;
    case KEY_COUNT:
        break;
    }
}

/* ---- captures ---- */

/* A match of one of the patterns, with its groups; the text that they are of, or NULL. */
static const char *captured(oc_pattern *const *patterns, size_t count, const char *text,
                            struct oc_span groups[OC_PATTERN_GROUPS])
{
    for (size_t i = 0; text && i < count; i++) {
        if (oc_pattern_match(patterns[i], text, strlen(text), groups) == 1)
            return text;
    }
    return NULL;
}

static void add_capture(struct subject *s, const struct oc_target *target,
                        const struct oc_match_facts *facts, unsigned number)
{
    struct oc_span groups[OC_PATTERN_GROUPS];
    const char *text =
        captured(target->cmdline_regexes, target->words[OC_SELECT_CMDLINE_REGEX].count,
                 facts->cmdline, groups);

    if (!text)
        text = captured(target->name_regexes, target->words[OC_SELECT_NAME_REGEX].count,
                        facts->name, groups);
    if (text && groups[number].begin < groups[number].end)
        add(s, text + groups[number].begin, groups[number].end - groups[number].begin);
    else
        add_text(s, NULL);
}

/* ---- templates ---- */

/* The key within braces at hand: its index, KEY_COUNT + a capture's number; -1: neither. */
static int key_at(const char *brace, size_t *out_len)
{
    size_t len = strcspn(brace + 1, "}");

    if (brace[1 + len] != '}' || len == 0 || len >= KEY_BYTES)
        return -1;
    *out_len = len + 2;
    if (len == 1 && brace[1] >= '1' && brace[1] <= '9')
        return KEY_COUNT + (brace[1] - '0');
    for (int i = 0; i < KEY_COUNT; i++) {
        if (strlen(keys[i]) == len && memcmp(keys[i], brace + 1, len) == 0)
            return i;
    }
    return -1;
}

int oc_subject_check(const char *text, size_t *out_at)
{
    for (size_t i = 0; text[i]; i++) {
        size_t len = 0;

        if (text[i] == '}') {
            *out_at = i;
            return OC_E_PARSE;
        }
        if (text[i] != '{')
            continue;
        if (key_at(text + i, &len) < 0) {
            *out_at = i;
            return OC_E_PARSE;
        }
        i += len - 1;
    }
    return OC_OK;
}

uint32_t oc_subject_needs(const struct oc_target *target)
{
    static const uint32_t needs[KEY_COUNT] = {
        [KEY_EXE] = 1u << OC_SELECT_EXE,
        [KEY_USER] = 1u << OC_SELECT_USER,
        [KEY_UNIT] = 1u << OC_SELECT_UNIT,
        [KEY_SLICE] = 1u << OC_SELECT_UNIT,
        [KEY_CGROUP] = 1u << OC_SELECT_CGROUP,
        [KEY_CONTAINER] = 1u << OC_SELECT_CONTAINER,
        [KEY_CONTAINER_ID] = 1u << OC_SELECT_CONTAINER_ID,
        [KEY_POD] = 1u << OC_SELECT_POD,
        [KEY_NAMESPACE] = 1u << OC_SELECT_POD_NAMESPACE,
        [KEY_POD_CONTAINER] = 1u << OC_SELECT_POD_CONTAINER,
        [KEY_WORKLOAD] = 1u << OC_SELECT_POD,
        [KEY_POOL] = 1u << OC_SELECT_IIS_APP_POOL,
        [KEY_SERVICE] = 1u << OC_SELECT_SERVICE,
    };
    const char *text = target->subject ? target->subject : "";
    uint32_t all = 0;

    if (!target->subject && (target->selectors & OC_SELECTS_POD))
        all |= OC_SELECTS_POD;
    if (!target->subject && (target->selectors & OC_SELECTS_CONTAINER))
        all |= 1u << OC_SELECT_CONTAINER;
    if (!target->subject)
        all |= target->selectors & OC_SELECTS_WINDOWS;
    for (; *text; text++) {
        size_t len = 0;
        int key = *text == '{' ? key_at(text, &len) : -1;

        if (key >= 0 && key < KEY_COUNT)
            all |= needs[key];
    }
    return all;
}

static void add_template(struct subject *s, const struct oc_target *target, const char *text,
                         const struct oc_match_facts *facts)
{
    while (*text) {
        size_t len = 1;
        int key = *text == '{' ? key_at(text, &len) : -1;

        if (key < 0)
            add(s, text, 1);
        else if (key < KEY_COUNT)
            add_key(s, (enum key)key, facts);
        else
            add_capture(s, target, facts, (unsigned)(key - KEY_COUNT));
        text += key < 0 ? 1 : len;
    }
}

static const char *default_template(const struct oc_target *target,
                                    const struct oc_match_facts *facts)
{
    if (target->source == OC_TARGET_HOST)
        return "host";
    if ((target->selectors & OC_SELECTS_POD) && facts->names && facts->names->pod[0])
        return facts->names->pod_container[0]
                   ? "k8s:{namespace}/{workload}/{pod_container}"
                   : "k8s:{namespace}/{workload}"; /* of the pod itself */
    if (target->selectors & OC_SELECTS_CONTAINER)
        return "container:{container}";
    if (target->selectors & (1u << OC_SELECT_UNIT))
        return "unit:{unit}";
    if (target->selectors & (1u << OC_SELECT_IIS_APP_POOL))
        return "pool:{pool}";
    if (target->selectors & (1u << OC_SELECT_SERVICE))
        return "service:{service}";
    return target->source == OC_TARGET_CGROUP ? "cgroup:{cgroup}" : "proc:{name}";
}

void oc_target_subject(const struct oc_target *target, const struct oc_match_facts *facts,
                       char out[OC_SUBJECT_BYTES])
{
    struct subject s = { .len = 0 };

    add_template(&s, target, target->subject ? target->subject : default_template(target, facts),
                 facts);
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.text[i] < 0x20 || s.text[i] == 0x7F)
            s.text[i] = '?';
    }
    if (s.len == 0)
        add_text(&s, NULL);
    oc_text_copy_utf8(out, OC_SUBJECT_BYTES, s.text, s.len);
}
