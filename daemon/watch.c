#include "daemon/watch.h"

#include "daemon/cgroups.h"
#include "daemon/choose.h"
#include "daemon/daemon.h"
#include "daemon/labels.h"
#include "daemon/refit.h"
#include "daemon/sums.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define GONE_READS 2 /* without an event: then nobody will say how it ended */
#define GONE_MS                                                                                    \
    2000 /* but so long at least: a large process takes a while to give back its memory */
#define GONE_MOST 200 /* reads: the count is a byte */

const struct oc_target *oc_target_of(const struct oc_daemon *daemon, const struct oc_source *source)
{
    return oc_choose_target(&daemon->config, source->target);
}

int32_t oc_watch_interval_ms(const struct oc_daemon *daemon, const struct oc_source *source)
{
    const struct oc_target *target = oc_target_of(daemon, source);

    if (source->kind == OC_SOURCE_SELF)
        return OC_SYSTEM_INTERVAL_MS;
    if (source->kind == OC_SOURCE_HOST && daemon->args.pids_path)
        return OC_SYSTEM_INTERVAL_MS;
    return (int32_t)(target && target->interval_ms ? target->interval_ms
                                                   : daemon->config.interval_ms);
}

static enum oc_group_class class_of(const struct oc_source *source)
{
    return source->kind == OC_SOURCE_PROCESS ? OC_GROUP_PROCESSES : OC_GROUP_SYSTEM;
}

void oc_watch_set_interval(struct oc_daemon *daemon, struct oc_source *source)
{
    int32_t interval_ms = oc_watch_interval_ms(daemon, source);

    if (interval_ms == source->interval_ms)
        return;
    source->interval_ms = interval_ms;
    if (source->state == OC_SOURCE_BEGINNING)
        return; /* it joins its group once it has its id */
    oc_groups_leave(&daemon->groups, source);
    if (oc_groups_join(&daemon->groups, source, class_of(source)) < 0)
        oc_watch_end(daemon, source, OC_END_UNWATCHED, -1);
}

/* ---- the beginning ---- */

int oc_watch_begin(struct oc_daemon *daemon, struct oc_source *source, char *take_subject,
                   const struct oc_proc_facts *facts)
{
    struct oc_message *message = oc_writer_message(daemon->writer, OC_MESSAGE_BEGIN);

    if (!message || !take_subject)
        goto no_memory;
    message->subject = take_subject;
    take_subject = NULL;
    if (facts) {
        message->facts = oc_malloc(sizeof(*facts));
        if (!message->facts)
            goto no_memory;
        *message->facts = *facts;
    }
    message->slot = source->slot;
    message->info = (struct oc_source_info){
        .kind = source->kind,
        .subject = message->subject,
        .begin_boot_ms = oc_now_boot_ms(),
        .facts = message->facts,
        .cgroup_inode = source->cgroup ? oc_cgroup_inode(source->cgroup) : 0,
        .interval_ms = source->interval_ms,
    };
    source->state = OC_SOURCE_BEGINNING;
    daemon->sources.beginning++;
    oc_writer_push(daemon->writer, message);
    return OC_OK;
no_memory:
    oc_free(take_subject);
    oc_writer_give_back(daemon->writer, message);
    return OC_E_NOMEM;
}

/* Puts it under its subject, as the config says by these facts where none was given. */
static int join_subject(struct oc_daemon *daemon, struct oc_source *source,
                        const struct oc_proc_facts *facts, const struct oc_watch_as *as)
{
    struct oc_choose_facts known;
    char subject[OC_SUBJECT_BYTES];

    if (as->subject)
        return oc_subjects_join(&daemon->subjects, source, as->subject);
    oc_choose_from_facts(facts, 0, &known);
    oc_choose_subject(&daemon->config, as->target, &known.match, subject);
    return oc_subjects_join(&daemon->subjects, source, subject);
}

static void leave_subject(struct oc_daemon *daemon, struct oc_source *source)
{
    if (source->kind != OC_SOURCE_PROCESS)
        return;
    oc_sums_leaving(daemon, source);
    oc_subjects_leave(&daemon->subjects, source);
}

static void remove_source(struct oc_daemon *daemon, struct oc_source *source)
{
    leave_subject(daemon, source);
    oc_sources_remove(&daemon->sources, source);
}

/* Makes the source of a process that is attached, and asks for its id. proc stays the caller's on failure. */
static int begin_life(struct oc_daemon *daemon, oc_proc *proc, const struct oc_watch_as *as)
{
    const struct oc_proc_facts *facts = oc_proc_facts(proc);
    struct oc_source *source = NULL;
    int rc = oc_sources_add(&daemon->sources, OC_SOURCE_PROCESS, &source);

    if (rc < 0)
        return rc;
    source->proc = proc;
    source->id_of_proc = facts->id;
    source->parent_pid = facts->parent_pid;
    source->target = as->target;
    source->folded = as->folded != 0;
    source->interval_ms = oc_watch_interval_ms(daemon, source);
    (void)oc_text_copy(source->name, sizeof(source->name), facts->name);
    rc = join_subject(daemon, source, facts, as);
    if (rc == OC_OK)
        rc = oc_sources_index_pid(&daemon->sources, source);
    if (rc == OC_OK)
        rc = oc_watch_begin(daemon, source, oc_strdup(source->subject->name), facts);
    if (rc < 0) {
        remove_source(daemon, source);
        return rc;
    }
    oc_proc_set_tag(proc, source->slot);
    if (!daemon->args.pids_path)
        oc_cgroups_use(daemon, source, oc_proc_facts(proc)->cgroup);
    oc_sums_joined(daemon, source);
    return OC_OK;
}

int oc_watch_process(struct oc_daemon *daemon, uint32_t pid, const struct oc_watch_as *as)
{
    oc_proc *proc = NULL;
    int rc = OC_OK;

    if (oc_sources_by_pid(&daemon->sources, pid))
        return OC_E_EXISTS;
    rc = oc_probe_attach(daemon->probe, pid, &proc);
    if (rc < 0)
        return rc;
    rc = begin_life(daemon, proc, as);
    if (rc < 0)
        oc_probe_detach(daemon->probe, proc);
    return rc;
}

static int watch_host(struct oc_daemon *daemon)
{
    struct oc_source *source = NULL;
    int rc = oc_sources_add(&daemon->sources, OC_SOURCE_HOST, &source);

    if (rc < 0)
        return rc;
    source->target = oc_choose_host(&daemon->config);
    source->interval_ms = oc_watch_interval_ms(daemon, source);
    return oc_watch_begin(daemon, source, oc_strdup("host"), NULL);
}

static int watch_self(struct oc_daemon *daemon)
{
    struct oc_source *source = NULL;
    oc_proc *proc = NULL;
    int rc = oc_probe_attach(daemon->probe, oc_os_pid(), &proc);

    if (rc < 0)
        return rc;
    rc = oc_sources_add(&daemon->sources, OC_SOURCE_SELF, &source);
    if (rc < 0) {
        oc_probe_detach(daemon->probe, proc);
        return rc;
    }
    source->proc = proc;
    source->id_of_proc = oc_proc_facts(proc)->id;
    source->interval_ms = oc_watch_interval_ms(daemon, source);
    oc_proc_set_tag(proc, source->slot);
    return oc_watch_begin(daemon, source, oc_strdup("oomcastd"), oc_proc_facts(proc));
}

int oc_watch_system(struct oc_daemon *daemon)
{
    int rc = watch_self(daemon);

    /* A folder of captures has no oomcastd. */
    if (rc == OC_E_GONE && (daemon->args.proc_root || daemon->args.root))
        rc = OC_OK;
    return rc < 0 ? rc : watch_host(daemon);
}

/* ---- the answer ---- */

static void detach(struct oc_daemon *daemon, struct oc_source *source)
{
    if (source->proc)
        oc_probe_detach(daemon->probe, source->proc);
    if (source->cgroup)
        oc_probe_cgroup_detach(daemon->probe, source->cgroup);
    source->proc = NULL;
    source->cgroup = NULL;
}

static void send_end(struct oc_daemon *daemon, const struct oc_source *source)
{
    struct oc_message *message = oc_writer_message(daemon->writer, OC_MESSAGE_END);

    if (!message) { /* the store takes the life for running until its next opening */
        daemon->troubles.no_memory++;
        return;
    }
    message->source = source->id;
    message->boot_ms = source->end_boot_ms;
    message->end = source->end;
    message->status = source->end_status;
    oc_writer_push(daemon->writer, message);
}

/* Who ended it, ahead of its end. */
static void send_killer(struct oc_daemon *daemon, struct oc_source *source)
{
    struct oc_message *message = NULL;

    if (source->killer == OC_KILLER_UNKNOWN)
        return;
    message = oc_writer_message(daemon->writer, OC_MESSAGE_KILLER);
    if (!message) {
        daemon->troubles.no_memory++;
        return;
    }
    message->source = source->id;
    message->killer = (enum oc_killer)source->killer;
    message->text = source->killer_scope;
    source->killer_scope = NULL;
    oc_writer_push(daemon->writer, message);
}

/* It has its id: what hangs on it can be told. */
static void tell_store(struct oc_daemon *daemon, struct oc_source *source)
{
    oc_labels_tell(daemon, source);
    oc_alerting_begin(daemon, source);
    oc_forecast_begin(daemon, source);
    oc_limits_tell(daemon, source);
    if (source->kind == OC_SOURCE_PROCESS)
        oc_walks_want(daemon, source);
}

/* Without an id it cannot be watched. */
static void refuse(struct oc_daemon *daemon, struct oc_source *source)
{
    detach(daemon, source);
    oc_cgroups_release(daemon, source);
    if (source->kind == OC_SOURCE_GROUP && source->subject)
        source->subject->sum = NULL;
    remove_source(daemon, source);
}

void oc_watch_begun(void *context, uint32_t slot, int rc, uint32_t id)
{
    struct oc_daemon *daemon = context;
    struct oc_source *source = oc_sources_at(&daemon->sources, slot);

    daemon->sources.beginning--;
    if (!source)
        return;
    source->id = id;
    source->state = OC_SOURCE_TICKING;
    if (rc == OC_OK && !source->ended)
        rc = oc_groups_join(&daemon->groups, source, class_of(source));
    if (rc < 0) {
        oc_log(OC_LOG_WARN, "source_refused", oc_str("name", source->name),
               oc_i64("pid", source->id_of_proc.pid), oc_str("err", oc_err_name(rc)));
        refuse(daemon, source);
    } else if (source->ended) {
        send_killer(daemon, source);
        send_end(daemon, source);
        remove_source(daemon, source);
    } else {
        tell_store(daemon, source);
    }
    oc_discovery_pump(daemon);
}

/* ---- the end ---- */

void oc_watch_end(struct oc_daemon *daemon, struct oc_source *source, enum oc_end end, int status)
{
    source->end = end;
    source->end_status = status;
    source->end_boot_ms = oc_now_boot_ms();
    oc_forecast_end(daemon, source); /* while it is under its subject, and its cgroup is known */
    oc_alerting_end(daemon, source);
    oc_groups_leave(&daemon->groups, source);
    detach(daemon, source);
    oc_cgroups_release(daemon, source);
    leave_subject(daemon, source);
    if (source->state == OC_SOURCE_BEGINNING) {
        source->ended = 1; /* and so when its id has come */
        oc_sources_forget_pid(&daemon->sources, source);
        return;
    }
    send_killer(daemon, source);
    send_end(daemon, source);
    remove_source(daemon, source);
}

void oc_watch_renew(struct oc_daemon *daemon, struct oc_source *source, enum oc_end end,
                    const struct oc_watch_as *as)
{
    struct oc_source former = *source;
    struct oc_source *next = NULL;
    int rc = OC_OK;

    source->proc = NULL;
    source->cgroup_slot = OC_NO_SLOT;
    if (source->subject && end != OC_END_EXECED) /* exec goes on counting */
        oc_subjects_keep_counters(source);
    source->last = (struct oc_last){ 0 };
    oc_watch_end(daemon, source, end, -1);
    rc = begin_life(daemon, former.proc, as);
    next = rc < 0 ? NULL : oc_sources_by_pid(&daemon->sources, former.id_of_proc.pid);
    if (next) { /* "same" from now on means the last look, be it from before this event */
        next->last = former.last;
        next->has_last = former.has_last;
    } else {
        oc_free(former.last.values);
    }
    oc_cgroups_release(daemon, &former); /* after the new life took it: it stays watched */
    if (rc < 0) {
        daemon->troubles.no_memory++;
        oc_probe_detach(daemon->probe, former.proc);
    }
}

/*
 * The same process is another program now: one life ends, and the next begins where the config wants
 * it too. It stays wanted whatever its size, as any that shrinks. Where more must be known of it, it
 * is asked as one that is new.
 */
static void on_exec(struct oc_daemon *daemon, struct oc_source *source)
{
    uint32_t pid = source->id_of_proc.pid;
    struct oc_watch_as as = { .target = OC_TARGET_NONE };
    char subject[OC_SUBJECT_BYTES];

    oc_knowns_forget(&daemon->discovery.knowns, pid);
    if (daemon->args.pids_path || oc_refit_exec(daemon, source, &as, subject)) {
        oc_watch_renew(daemon, source, OC_END_EXECED, &as);
        return;
    }
    oc_watch_end(daemon, source, OC_END_EXECED, -1);
    oc_discovery_soon(daemon);
}

static void on_oom_kill(struct oc_daemon *daemon, struct oc_source *source)
{
    oc_forecast_oom_kill(daemon, source);
    oc_alerting_oom_kill(daemon, source, oc_cgroup_path(source->cgroup));
    oc_log(OC_LOG_WARN, "cgroup_oom_kill", oc_str("cgroup", oc_cgroup_path(source->cgroup)));
}

static void note_killer(struct oc_daemon *daemon, struct oc_source *source,
                        const struct oc_event *event)
{
    const char *scope = event->killer_scope ? event->killer_scope : "";

    source->killer = (uint8_t)event->killer;
    source->killer_scope = scope[0] ? oc_strdup(scope) : NULL;
    if (event->killer == OC_KILLER_IIS || event->end == OC_END_RECYCLED) {
        oc_log(OC_LOG_INFO, "process_recycled", oc_i64("pid", source->id_of_proc.pid),
               oc_str("name", source->name), oc_str("why", scope));
        return;
    }
    oc_log(OC_LOG_WARN, "process_killed", oc_i64("pid", source->id_of_proc.pid),
           oc_str("name", source->name), oc_str("by", oc_killer_name(event->killer)),
           oc_str("scope", scope));
    oc_forecast_victim(daemon, source);
    oc_alerting_oom_kill(daemon, source, scope);
}

static void on_end(struct oc_daemon *daemon, struct oc_source *source, const struct oc_event *event)
{
    if (event->killer != OC_KILLER_UNKNOWN)
        note_killer(daemon, source, event);
    oc_watch_end(daemon, source, event->end, event->status);
}

static void on_event(struct oc_daemon *daemon, const struct oc_event *event)
{
    struct oc_source *source = oc_sources_at(&daemon->sources, event->tag);

    switch (event->kind) {
    case OC_EVENT_PROC_END:
        if (source && source->proc && source->kind == OC_SOURCE_PROCESS)
            on_end(daemon, source, event);
        break;
    case OC_EVENT_PROC_EXEC:
        if (source && source->proc && source->kind == OC_SOURCE_PROCESS)
            on_exec(daemon, source);
        break;
    case OC_EVENT_PROC_START:
    case OC_EVENT_RESCAN:
        oc_discovery_soon(daemon);
        break;
    case OC_EVENT_CGROUP_OOM_KILL:
        if (source && source->cgroup)
            on_oom_kill(daemon, source);
        break;
    case OC_EVENT_CGROUP_GONE:
        if (source && source->cgroup)
            oc_cgroups_gone(daemon, source);
        break;
    case OC_EVENT_TOLD:
        oc_log(OC_LOG_INFO, "system_says", oc_u64("pid", event->pid),
               oc_str("what", event->killer_scope));
        break;
    }
}

void oc_watch_events(void *context)
{
    struct oc_daemon *daemon = context;
    struct oc_event event;
    int rc = OC_OK;

    while ((rc = oc_probe_next_event(daemon->probe, &event)) == 1)
        on_event(daemon, &event);
    if (rc < 0)
        oc_discovery_soon(daemon);
}

static int gone_reads(const struct oc_source *source)
{
    int reads = source->interval_ms > 0 ? GONE_MS / source->interval_ms : 0;

    return reads < GONE_READS ? GONE_READS : reads > GONE_MOST ? GONE_MOST : reads;
}

void oc_watch_gone(void *context)
{
    struct oc_daemon *daemon = context;

    oc_watch_events(daemon);
    for (size_t i = 0; i < daemon->sources.count; i++) {
        struct oc_source *source = daemon->sources.slots[i];

        if (!source || source->gone == 0)
            continue;
        if (source->kind == OC_SOURCE_CGROUP)
            oc_cgroups_gone(daemon, source);
        else if (source->kind == OC_SOURCE_PROCESS && source->gone >= gone_reads(source))
            oc_watch_end(daemon, source, OC_END_UNKNOWN, -1);
    }
}
