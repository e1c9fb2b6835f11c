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

/* as: what a target that asks for it calls it; NULL: by its path. */
static struct oc_source *watch_cgroup(struct oc_daemon *daemon, const char *path, const char *as,
                                      uint32_t target)
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
    source->target = target;
    source->interval_ms = oc_watch_interval_ms(daemon, source);
    oc_cgroup_set_tag(cgroup, source->slot);
    rc = oc_watch_begin(daemon, source, as ? oc_strdup(as) : subject_of(path), NULL);
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
            source = watch_cgroup(daemon, at, NULL, OC_TARGET_NONE);
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
    if (process->cgroup_slot == OC_NO_SLOT)
        return;
    oc_sources_at(&daemon->sources, process->cgroup_slot)->users++;
    oc_alerting_moved_in(daemon, oc_sources_at(&daemon->sources, process->cgroup_slot), process);
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

/* The same cgroup as another subject's from now on: another series; who is in it stays in it. */
static int rename_to(struct oc_daemon *daemon, struct oc_source *cgroup, const char *subject)
{
    cgroup->end = OC_END_UNWATCHED;
    oc_forecast_end(daemon, cgroup);
    oc_alerting_end(daemon, cgroup);
    if (cgroup->state == OC_SOURCE_TICKING) {
        struct oc_message *message = oc_writer_message(daemon->writer, OC_MESSAGE_END);

        if (!message)
            return OC_E_NOMEM;
        message->source = cgroup->id;
        message->boot_ms = oc_now_boot_ms();
        message->end = OC_END_UNWATCHED;
        message->status = -1;
        oc_writer_push(daemon->writer, message);
        oc_groups_leave(&daemon->groups, cgroup);
    }
    oc_limits_free(cgroup->limits);
    cgroup->limits = NULL;
    cgroup->told_limits = 0;
    return oc_watch_begin(daemon, cgroup, oc_strdup(subject), NULL);
}

static int is_held_as(const struct oc_source *cgroup, const char *subject)
{
    return cgroup->held_as && strcmp(cgroup->held_as, subject) == 0;
}

/* Watched as that subject and no other, whoever is in it. */
static int hold(struct oc_source *cgroup, const char *subject)
{
    char *held_as = oc_strdup(subject);

    if (!held_as)
        return OC_E_NOMEM;
    cgroup->users += cgroup->held_as == NULL;
    oc_free(cgroup->held_as);
    cgroup->held_as = held_as;
    return OC_OK;
}

/* A new one, with its ancestors. */
static int hold_new(struct oc_daemon *daemon, const char *path, uint32_t target,
                    const char *subject)
{
    struct oc_source *cgroup = watch_cgroup(daemon, path, subject, target);
    char parent[MAX_PATH_BYTES];

    if (!cgroup)
        return OC_OK; /* it was said why */
    if (oc_cgroup_parent_path(path, parent, sizeof(parent)) == OC_OK)
        oc_cgroups_use(daemon, cgroup, parent);
    return hold(cgroup, subject);
}

int oc_cgroups_hold(struct oc_daemon *daemon, const char *path, uint32_t target,
                    const char *subject)
{
    struct oc_source *cgroup = path[0] == '/' ? find(daemon, path) : NULL;
    int rc = OC_OK;

    if (!cgroup)
        return path[0] == '/' ? hold_new(daemon, path, target, subject) : OC_OK;
    cgroup->target = target;
    if (is_held_as(cgroup, subject))
        return OC_OK;
    if (cgroup->state == OC_SOURCE_BEGINNING)
        return OC_E_BUSY;
    cgroup->interval_ms = oc_watch_interval_ms(daemon, cgroup);
    rc = rename_to(daemon, cgroup, subject);
    return rc < 0 ? rc : hold(cgroup, subject);
}

void oc_cgroups_let_go(struct oc_daemon *daemon, struct oc_source *cgroup)
{
    struct oc_source holder = { .cgroup_slot = cgroup->slot };

    oc_free(cgroup->held_as);
    cgroup->held_as = NULL;
    oc_alerting_name_again(daemon, cgroup);
    oc_cgroups_release(daemon, &holder);
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
