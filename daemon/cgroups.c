#include "daemon/cgroups.h"

#include "daemon/daemon.h"
#include "daemon/watch.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define MAX_PATH_BYTES 512
#define MAX_DEPTH 64

/* Linear: there are tens of them, asked for once in a process's life. */
static struct oc_source *find(const struct oc_daemon *daemon, const char *path)
{
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];

        if (source && source->cgroup && strcmp(oc_cgroup_path(source->cgroup), path) == 0)
            return source;
    }
    return NULL;
}

static char *subject_of(const char *path)
{
    size_t bytes = sizeof("cgroup:") + strlen(path);
    char *subject = oc_malloc(bytes);

    if (subject)
        (void)snprintf(subject, bytes, "cgroup:%s", path);
    return subject;
}

static void note_trouble(struct oc_daemon *daemon, const char *path, int rc)
{
    if (rc == OC_E_NOENT || rc == OC_E_NOTSUP || rc == OC_E_GONE)
        return; /* this machine, or this path seen from our namespace, has none */
    if (daemon->troubles.cgroup_denied++ == 0)
        oc_log(OC_LOG_WARN, "cgroup_unreadable", oc_str("cgroup", path),
               oc_str("err", oc_err_name(rc)), oc_str("then", "its figures are missing"));
}

static struct oc_source *watch_cgroup(struct oc_daemon *daemon, const char *path)
{
    struct oc_source *source = NULL;
    oc_cgroup *cgroup = NULL;
    int rc = oc_probe_cgroup_attach(daemon->probe, path, &cgroup);

    if (rc < 0) {
        note_trouble(daemon, path, rc);
        return NULL;
    }
    rc = oc_sources_add(&daemon->sources, OC_SOURCE_CGROUP, &source);
    if (rc < 0) {
        oc_probe_cgroup_detach(daemon->probe, cgroup);
        return NULL;
    }
    source->cgroup = cgroup;
    source->interval_ms = oc_watch_interval_ms(daemon, source);
    oc_cgroup_set_tag(cgroup, source->slot);
    rc = oc_watch_begin(daemon, source, subject_of(path), NULL);
    if (rc < 0) {
        oc_probe_cgroup_detach(daemon->probe, cgroup);
        oc_sources_remove(&daemon->sources, source);
        return NULL;
    }
    return source;
}

/*
 * The cgroup of a path and its ancestors, made where they are missing. Upwards in a loop: each
 * new one is named by the one below it. Returns the slot of the lowest that can be watched.
 */
static uint32_t use_path(struct oc_daemon *daemon, const char *path)
{
    char at[MAX_PATH_BYTES];
    char parent[MAX_PATH_BYTES];
    uint32_t lowest = OC_NO_SLOT;
    struct oc_source *below = NULL;
    int rc = oc_text_copy(at, sizeof(at), path);

    for (int depth = 0; rc == OC_OK && depth < MAX_DEPTH; depth++) {
        struct oc_source *source = find(daemon, at);
        int known = source != NULL;

        if (!source)
            source = watch_cgroup(daemon, at);
        if (source && below) {
            below->cgroup_slot = source->slot;
            source->users++;
        }
        if (source && lowest == OC_NO_SLOT)
            lowest = source->slot;
        if (known)
            break; /* its ancestors are there */
        if (source)
            below = source;
        rc = oc_cgroup_parent_path(at, parent, sizeof(parent));
        if (rc == OC_OK)
            rc = oc_text_copy(at, sizeof(at), parent);
    }
    return lowest;
}

void oc_cgroups_use(struct oc_daemon *daemon, struct oc_source *process, const char *path)
{
    char copy[MAX_PATH_BYTES]; /* path may be the probe's, and new cgroups are attached */

    if (path[0] != '/' || oc_text_copy(copy, sizeof(copy), path) < 0)
        return;
    process->cgroup_slot = use_path(daemon, copy);
    if (process->cgroup_slot != OC_NO_SLOT)
        oc_sources_at(&daemon->sources, process->cgroup_slot)->users++;
}

void oc_cgroups_move(struct oc_daemon *daemon, struct oc_source *process, const char *path)
{
    struct oc_source former = { .cgroup_slot = process->cgroup_slot };

    process->cgroup_slot = OC_NO_SLOT;
    oc_cgroups_use(daemon, process, path);
    oc_cgroups_release(daemon, &former); /* after the new use: what both share stays */
}

void oc_cgroups_release(struct oc_daemon *daemon, struct oc_source *source)
{
    struct oc_source *cgroup = oc_sources_at(&daemon->sources, source->cgroup_slot);

    source->cgroup_slot = OC_NO_SLOT;
    if (cgroup && cgroup->users > 0 && --cgroup->users == 0)
        oc_watch_end(daemon, cgroup, OC_END_UNWATCHED, -1); /* which releases its parent */
}

void oc_cgroups_gone(struct oc_daemon *daemon, struct oc_source *cgroup)
{
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *user = daemon->sources.slots[i];

        if (user && user->cgroup_slot == cgroup->slot)
            user->cgroup_slot = OC_NO_SLOT;
    }
    oc_watch_end(daemon, cgroup, OC_END_UNKNOWN, -1);
}
