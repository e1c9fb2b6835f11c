/*
 * The daemon's state: all of it is the loop thread's own. Each part has a file of its own, and
 * main.c starts them top to bottom and stops them in reverse.
 */
#ifndef OC_DAEMON_DAEMON_H
#define OC_DAEMON_DAEMON_H

#include "base/os.h"
#include "config/config.h"
#include "daemon/alert.h"
#include "daemon/args.h"
#include "daemon/clock.h"
#include "daemon/control.h"
#include "daemon/discover.h"
#include "daemon/forecast.h"
#include "daemon/groups.h"
#include "daemon/leftover.h"
#include "daemon/os.h"
#include "daemon/source.h"
#include "daemon/subject.h"
#include "daemon/walks.h"
#include "daemon/writer.h"

#include <stdint.h>
#include <uv.h>

#define OC_VERSION "0.1.0"
#define OC_SYSTEM_INTERVAL_MS                                                                      \
    10000 /* of oomcastd itself; of the host where only PIDs are watched */

/* What goes wrong again and again is said once, when it begins, and counted. */
struct oc_troubles {
    uint64_t unkept;        /* processes without a kept descriptor, as said last */
    uint64_t hidden;        /* processes that /proc does not show to this user */
    uint64_t no_descriptor; /* a process could not be watched for want of one */
    uint64_t no_memory;
    uint64_t untold; /* limits and labels that could not be told for want of it */
    uint64_t cgroup_denied;
    uint64_t scan_failed;
};

struct oc_daemon {
    uv_loop_t loop;
    struct oc_args args;
    struct oc_config config;
    struct oc_detail config_error; /* text "": the last (re)load was good */
    int64_t config_unix_ms;        /* when the config in force was read; 0: there is no file */
    char config_path[512];         /* the file that is read; "": there is none */
    uint64_t reloads;
    char data_dir[512];
    char store_path[540];
    char lock_path[540];
    oc_lock *lock;
    oc_store *store;
    struct oc_store_report store_report;
    oc_probe *probe;
    struct oc_probe_options probe_options;
    struct oc_clock clock;
    oc_writer *writer;
    struct oc_sources sources;
    struct oc_subjects subjects;
    struct oc_groups groups;
    oc_walker *walker; /* NULL: none runs */
    struct oc_walks walks;
    oc_walk_fn *walk;             /* a test's own; NULL: oc_probe_walk() */
    struct oc_limits limits_room; /* of the cgroup or host at hand: too large for a stack */
    struct oc_discovery discovery;
    struct oc_leftovers leftovers;
    struct oc_forecasts forecasts;
    struct oc_alerting alerting;
    oc_control *control;
    oc_event_watch *events;
    oc_wishes *wishes;
    uv_timer_t alive;
    int64_t started_mono_ns;
    struct oc_troubles troubles;
    uint64_t missed_words; /* limits and labels that were not taken in, as they were counted last */
    int stopping;
    int anew; /* stopping to begin again: the store found itself corrupt */
    int exit_code;
};

static inline int64_t oc_now_mono_ms(void) { return oc_clock_mono_ns() / 1000000; }
static inline int64_t oc_now_boot_ms(void) { return oc_clock_boot_ns() / 1000000; }

/* Ends the loop; the parts are stopped by main() afterwards. */
void oc_daemon_stop(struct oc_daemon *daemon, const char *why);

#endif
