#include "daemon/discover.h"

#include "daemon/choose.h"
#include "daemon/daemon.h"
#include "daemon/labels.h"
#include "daemon/limits.h"
#include "daemon/matching.h"
#include "daemon/refit.h"
#include "daemon/watch.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define MAX_CANDIDATES OC_MAX_SOURCES
#define ATTACH_AT_ONCE 64 /* begins without an answer: bounds their memory and a turn's work */
#define PIDS_MAX_BYTES (4u << 20)
#define SOONER 10 /* an early scan comes after this part of the interval at least */

static int add_candidate(struct oc_daemon *daemon, const struct oc_candidate *candidate)
{
    struct oc_discovery *discovery = &daemon->discovery;
    void *candidates = discovery->candidates;
    int rc = oc_array_grow(&candidates, &discovery->capacity, discovery->count + 1,
                           sizeof(discovery->candidates[0]), MAX_CANDIDATES);

    if (rc < 0)
        return rc;
    discovery->candidates = candidates;
    discovery->candidates[discovery->count++] = *candidate;
    return OC_OK;
}

void oc_discovery_add(struct oc_daemon *daemon, uint32_t pid, uint32_t target, uint32_t folder_pid)
{
    struct oc_candidate candidate = { .pid = pid, .target = target, .folder_pid = folder_pid };

    if (add_candidate(daemon, &candidate) < 0)
        daemon->troubles.no_memory++;
}

/* ---- attaching ---- */

static void note_attach(struct oc_daemon *daemon, uint32_t pid, int rc)
{
    struct oc_troubles *troubles = &daemon->troubles;

    if (rc == OC_E_NOFILE && troubles->no_descriptor++ == 0)
        oc_log(OC_LOG_WARN, "descriptors_exhausted", oc_i64("pid", pid),
               oc_str("then", "processes beyond are not watched; raise LimitNOFILE"));
    else if ((rc == OC_E_NOMEM || rc == OC_E_TOOBIG) && troubles->no_memory++ == 0)
        oc_log(OC_LOG_WARN, "process_not_watched", oc_i64("pid", pid),
               oc_str("err", oc_err_name(rc)));
    else if (rc == OC_E_DENIED && troubles->hidden++ == 0)
        oc_log(
            OC_LOG_WARN, "process_hidden", oc_i64("pid", pid),
            oc_str("why", "/proc is mounted with hidepid and it is another user's"),
            oc_str("mend", "run as root, with CAP_SYS_PTRACE, or in the group of its gid= option"));
    else if (rc == OC_E_GONE && daemon->args.pids_path)
        daemon->discovery.missing++;
}

void oc_discovery_attach(struct oc_daemon *daemon, uint32_t pid, const struct oc_watch_as *as)
{
    note_attach(daemon, pid, oc_watch_process(daemon, pid, as));
}

/* Its ancestor may have ended since the scan: then it is nobody's. */
static void attach_candidate(struct oc_daemon *daemon, const struct oc_candidate *candidate)
{
    struct oc_watch_as as = { .target = candidate->target };
    char subject[OC_SUBJECT_BYTES];

    if (candidate->folder_pid) {
        const struct oc_source *folder = oc_sources_by_pid(&daemon->sources, candidate->folder_pid);

        if (!folder || !folder->subject)
            return;
        (void)oc_text_copy(subject, sizeof(subject), folder->subject->name);
        as = (struct oc_watch_as){ .target = folder->target, .subject = subject, .folded = 1 };
    }
    oc_discovery_attach(daemon, candidate->pid, &as);
}

static void say_missing(const struct oc_daemon *daemon)
{
    if (daemon->discovery.missing > 0)
        oc_log(OC_LOG_WARN, "pids_missing", oc_str("file", daemon->args.pids_path),
               oc_u64("count", daemon->discovery.missing),
               oc_str("then", "they are no processes now and are left out"));
}

/* Said when it begins and when it ends; what it costs is time. */
static void note_unkept(struct oc_daemon *daemon)
{
    uint64_t before = daemon->troubles.unkept;
    uint64_t now = oc_probe_unkept(daemon->probe);

    daemon->troubles.unkept = now;
    if (now > 0 && before == 0)
        oc_log(OC_LOG_WARN, "descriptors_scarce", oc_u64("processes", now),
               oc_str("then", "these are opened at each look; raise LimitNOFILE"));
    if (now == 0 && before > 0)
        oc_log(OC_LOG_INFO, "descriptors_suffice",
               oc_u64("processes", daemon->sources.live[OC_SOURCE_PROCESS]));
}

void oc_discovery_pump(struct oc_daemon *daemon)
{
    struct oc_discovery *discovery = &daemon->discovery;
    int room = ATTACH_AT_ONCE;

    if (daemon->sources.beginning > 0)
        return;
    while (discovery->at < discovery->count && room-- > 0) {
        struct oc_candidate candidate = discovery->candidates[discovery->at++];

        attach_candidate(daemon, &candidate);
        if (room == 0 && daemon->sources.beginning == 0)
            room = ATTACH_AT_ONCE; /* all of them failed: no answer will bring us back */
    }
    if (discovery->at < discovery->count)
        return;
    if (discovery->count > 0 && daemon->args.pids_path)
        say_missing(daemon);
    discovery->at = 0;
    discovery->count = 0;
    note_unkept(daemon);
    if (discovery->listed)
        oc_leftovers_settle(daemon);
}

/* ---- the PID file ---- */

/* One PID a line; blank lines and lines that begin with # are skipped. */
static int parse_pids(struct oc_daemon *daemon, char *text, struct oc_detail *detail)
{
    uint32_t line_number = 0;

    for (char *line = text, *next = NULL; line; line = next) {
        struct oc_candidate candidate = { .target = OC_TARGET_NONE };
        uint64_t pid = 0;
        size_t len = strcspn(line, "\n");
        int rc = OC_OK;

        line_number++;
        next = line[len] ? line + len + 1 : NULL;
        while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == ' '))
            len--;
        line[len] = '\0';
        if (len == 0 || line[0] == '#')
            continue;
        if (oc_text_u64(line, &pid) < 0 || pid == 0 || pid > UINT32_MAX)
            return oc_detail_set(detail, OC_E_PARSE, "%.200s:%u: '%.40s' is no PID",
                                 daemon->args.pids_path, (unsigned)line_number, line);
        candidate.pid = (uint32_t)pid;
        rc = add_candidate(daemon, &candidate);
        if (rc < 0)
            return oc_detail_set(detail, rc, "%.200s: %s", daemon->args.pids_path, oc_err_text(rc));
    }
    return OC_OK;
}

int oc_discovery_read_pids(struct oc_daemon *daemon, struct oc_detail *detail)
{
    const char *path = daemon->args.pids_path;
    char *text = NULL;
    size_t len_bytes = 0;
    size_t before = daemon->discovery.count;
    int rc = OC_OK;

    if (!path)
        return OC_OK;
    rc = oc_file_read(path, PIDS_MAX_BYTES, &text, &len_bytes);
    if (rc < 0)
        return oc_detail_set(detail, rc, "%.200s: %s", path, oc_err_text(rc));
    daemon->discovery.missing = 0;
    rc = parse_pids(daemon, text, detail);
    oc_free(text);
    if (rc < 0)
        daemon->discovery.count = before;
    return rc;
}

/* ---- the scan ---- */

static void note_replaced(struct oc_discovery *discovery, uint32_t slot)
{
    void *replaced = discovery->replaced;

    if (oc_array_grow(&replaced, &discovery->replaced_capacity, discovery->replaced_count + 1,
                      sizeof(discovery->replaced[0]), OC_MAX_SOURCES) < 0)
        return; /* its next read finds it gone */
    discovery->replaced = replaced;
    discovery->replaced[discovery->replaced_count++] = slot;
}

/* The probe must not be called from here: what is to be done is noted. */
static void on_seen(const struct oc_seen *seen, void *context)
{
    struct oc_daemon *daemon = context;
    const struct oc_source *source = oc_sources_by_pid(&daemon->sources, seen->pid);

    if (source && source->id_of_proc.start_ticks == seen->start_ticks)
        return;
    if (source)
        note_replaced(&daemon->discovery, source->slot);
    if (seen->pid != oc_os_pid())
        oc_matching_seen(daemon, seen);
}

static void end_replaced(struct oc_daemon *daemon)
{
    struct oc_discovery *discovery = &daemon->discovery;

    for (size_t i = 0; i < discovery->replaced_count; i++) {
        struct oc_source *source = oc_sources_at(&daemon->sources, discovery->replaced[i]);

        if (source && source->proc)
            oc_watch_end(daemon, source, OC_END_UNKNOWN, -1);
    }
    discovery->replaced_count = 0;
}

static void scan(struct oc_daemon *daemon)
{
    struct oc_discovery *discovery = &daemon->discovery;
    int64_t begin_ns = oc_clock_mono_ns();
    uint64_t took_us = 0;
    int rc = OC_OK;

    if (discovery->at < discovery->count)
        return; /* those of the last scan are still being attached */
    oc_matching_pidfiles(daemon);
    rc = oc_probe_scan(daemon->probe, on_seen, daemon);
    if (rc >= 0)
        oc_knowns_sweep(&discovery->knowns);
    took_us = (uint64_t)(oc_clock_mono_ns() - begin_ns) / 1000;
    if (took_us > discovery->scan_worst_us)
        discovery->scan_worst_us = took_us;
    discovery->scans++;
    discovery->last_scan_mono_ms = begin_ns / 1000000;
    discovery->listed |= rc >= 0;
    if (rc >= 0)
        discovery->processes = (uint64_t)rc;
    else if (daemon->troubles.scan_failed++ == 0)
        oc_log(OC_LOG_WARN, "scan_failed", oc_str("err", oc_err_name(rc)),
               oc_str("then", "it is tried again"));
    oc_watch_events(daemon); /* a scan may find ends and execs */
    end_replaced(daemon);
    oc_discovery_pump(daemon);
}

static void arm(struct oc_daemon *daemon);

static void on_timer(uv_timer_t *timer)
{
    struct oc_daemon *daemon = timer->data;

    daemon->discovery.soon = 0;
    if (!daemon->args.pids_path)
        scan(daemon);
    else
        oc_discovery_pump(daemon);
    oc_limits_tell_again(daemon);
    arm(daemon);
}

static void arm(struct oc_daemon *daemon)
{
    if (daemon->discovery.soon)
        return; /* the scan itself brought news: the timer is set for an early one */
    uv_update_time(&daemon->loop);
    (void)uv_timer_start(&daemon->discovery.timer, on_timer, (uint64_t)daemon->config.discovery_ms,
                         0);
}

void oc_discovery_soon(struct oc_daemon *daemon)
{
    struct oc_discovery *discovery = &daemon->discovery;
    int64_t gap_ms = daemon->config.discovery_ms / SOONER;
    int64_t wait_ms = discovery->last_scan_mono_ms + gap_ms - oc_now_mono_ms();

    if (discovery->soon || daemon->args.pids_path ||
        uv_is_closing((uv_handle_t *)&discovery->timer))
        return;
    discovery->soon = 1;
    uv_update_time(&daemon->loop);
    (void)uv_timer_start(&discovery->timer, on_timer, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

int oc_discovery_start(struct oc_daemon *daemon, struct oc_detail *detail)
{
    int rc = OC_OK;

    (void)uv_timer_init(&daemon->loop, &daemon->discovery.timer); /* cannot fail */
    daemon->discovery.timer.data = daemon;
    oc_discovery_note_config(daemon);
    if (daemon->args.pids_path) {
        rc = oc_discovery_read_pids(daemon, detail);
        if (rc < 0) {
            oc_discovery_close(daemon);
            return rc;
        }
        daemon->discovery.listed = 1;
        oc_discovery_pump(daemon);
    } else {
        scan(daemon);
    }
    arm(daemon);
    return OC_OK;
}

void oc_discovery_close(struct oc_daemon *daemon)
{
    uv_close((uv_handle_t *)&daemon->discovery.timer, NULL);
    oc_free(daemon->discovery.candidates);
    oc_free(daemon->discovery.replaced);
    oc_knowns_clear(&daemon->discovery.knowns);
    daemon->discovery.candidates = NULL;
    daemon->discovery.replaced = NULL;
    daemon->discovery.count = 0;
    daemon->discovery.at = 0;
}

/* ---- another config ---- */

void oc_discovery_note_config(struct oc_daemon *daemon)
{
    daemon->discovery.folds = oc_choose_folds(&daemon->config);
    daemon->discovery.has_pidfiles =
        (oc_targets_need(&daemon->config.targets) & (1u << OC_SELECT_PIDFILE)) != 0;
}

void oc_discovery_reload(struct oc_daemon *daemon)
{
    oc_refit_all(daemon);
    oc_labels_tell_all(daemon);
    oc_discovery_pump(daemon);
    daemon->discovery.last_scan_mono_ms = 0;
    oc_discovery_soon(daemon);
}
