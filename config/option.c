#include "config/config.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define YEAR (365 * DAY)
#define MIB (INT64_C(1) << 20)
#define TIB (INT64_C(1) << 40)

static const char *const log_levels[] = { "error", "warn", "info", "debug", 0 };
static const char *const on_off[] = { "on", "off", 0 };
static const char *const log_formats[] = { "auto", "text", "json", 0 };

static const struct oc_option table[] = {
    {
        .key = "interval",
        .type = OC_OPTION_DURATION,
        .reload = OC_RELOAD_LIVE,
        .offset = offsetof(struct oc_config, interval_ms),
        .min = 100,
        .max = HOUR,
        .def = "10s",
        .text = "Time between two samples of a process.",
    },
    {
        .key = "discovery_interval",
        .type = OC_OPTION_DURATION,
        .reload = OC_RELOAD_LIVE,
        .offset = offsetof(struct oc_config, discovery_ms),
        .min = SECOND,
        .max = HOUR,
        .def = "10s",
        .text = "Time between two looks for new processes.",
    },
    {
        .key = "batch",
        .type = OC_OPTION_DURATION,
        .reload = OC_RELOAD_LIVE,
        .offset = offsetof(struct oc_config, batch_ms),
        .min = 10,
        .max = MINUTE,
        .def = "1s",
        .text = "Samples of so long are written in one go; a crash can lose as much.",
    },
    {
        .key = "walk_interval",
        .type = OC_OPTION_DURATION,
        .reload = OC_RELOAD_LIVE,
        .offset = offsetof(struct oc_config, walk_interval_ms),
        .min = 10 * SECOND,
        .max = 7 * DAY,
        .def = "10m",
        .text = "Time between two walks of a process's mappings; longer where a walk is dear.",
    },
    {
        .key = "walk_budget",
        .type = OC_OPTION_PERCENT,
        .reload = OC_RELOAD_LIVE,
        .offset = offsetof(struct oc_config, walk_budget_percent),
        .min = 1,
        .max = 100,
        .def = "5%",
        .text = "Share of a core that all walks together may use; they wait for their turn.",
    },
    {
        .key = "walk_target_budget",
        .type = OC_OPTION_PERCENT,
        .reload = OC_RELOAD_LIVE,
        .offset = offsetof(struct oc_config, walk_target_budget_percent),
        .min = 1,
        .max = 100,
        .def = "1%",
        .text = "Share of a core that the walks of one process may use; dearer ones are made more "
                "rarely.",
    },
    {
        .key = "min_size",
        .type = OC_OPTION_SIZE,
        .reload = OC_RELOAD_LIVE,
        .offset = offsetof(struct oc_config, min_size_bytes),
        .min = 0,
        .max = TIB,
        .def = "64MiB",
        .text = "With no targets given, every process whose resident size reached this is watched.",
    },
    {
        .key = "labels",
        .type = OC_OPTION_LABELS,
        .reload = OC_RELOAD_LIVE,
        .offset = offsetof(struct oc_config, labels),
        .def = "{}",
        .text = "Labels of all subjects: keys of letters, digits and '_', and their texts.",
    },
    {
        .key = "targets",
        .type = OC_OPTION_TARGETS,
        .reload = OC_RELOAD_LIVE,
        .offset = offsetof(struct oc_config, targets),
        .def = "[]",
        .text = "Which processes are watched, how, and what they are called; the first that "
                "matches decides.",
    },
    {
        .key = "forecast",
        .type = OC_OPTION_WORD,
        .reload = OC_RELOAD_RESTART,
        .offset = offsetof(struct oc_config, forecast),
        .max = sizeof(((struct oc_config *)0)->forecast),
        .def = "on",
        .words = on_off,
        .text = "Whether it is forecast when what grows will meet its limits.",
    },
    {
        .key = "forecast_memory",
        .type = OC_OPTION_SIZE,
        .reload = OC_RELOAD_RESTART,
        .offset = offsetof(struct oc_config, forecast_memory_bytes),
        .min = MIB,
        .max = 64 * 1024 * MIB,
        .def = "64MiB",
        .text = "Most memory for forecasts; what finds no room is not forecast, and counted.",
    },
    {
        .key = "instance",
        .type = OC_OPTION_PATH,
        .reload = OC_RELOAD_RESTART,
        .offset = offsetof(struct oc_config, instance),
        .max = sizeof(((struct oc_config *)0)->instance),
        .def = "",
        .text = "What alerts call this machine (their label `instance`); empty: its host name.",
    },
    {
        .key = "group_wait",
        .type = OC_OPTION_DURATION,
        .reload = OC_RELOAD_LIVE,
        .offset = offsetof(struct oc_config, group_wait_ms),
        .min = SECOND,
        .max = HOUR,
        .def = "30s",
        .text = "The first news of a group of alerts waits so long, so that what comes together is "
                "told together.",
    },
    {
        .key = "group_interval",
        .type = OC_OPTION_DURATION,
        .reload = OC_RELOAD_LIVE,
        .offset = offsetof(struct oc_config, group_interval_ms),
        .min = SECOND,
        .max = DAY,
        .def = "5m",
        .text = "Time between two messages about one group of alerts, where something is new.",
    },
    {
        .key = "renotify",
        .type = OC_OPTION_DURATION,
        .reload = OC_RELOAD_LIVE,
        .offset = offsetof(struct oc_config, renotify_ms),
        .min = MINUTE,
        .max = 30 * DAY,
        .def = "4h",
        .text = "What still fires is told again after so long, but for what someone acknowledged.",
    },
    {
        .key = "raw_keep",
        .type = OC_OPTION_DURATION,
        .reload = OC_RELOAD_RESTART,
        .offset = offsetof(struct oc_config, raw_keep_ms),
        .min = HOUR,
        .max = 10 * YEAR,
        .def = "7d",
        .text = "How long every sample is kept.",
    },
    {
        .key = "minute_keep",
        .type = OC_OPTION_DURATION,
        .reload = OC_RELOAD_RESTART,
        .offset = offsetof(struct oc_config, minute_keep_ms),
        .min = HOUR,
        .max = 20 * YEAR,
        .def = "90d",
        .text = "How long min, max, mean and last of each minute are kept.",
    },
    {
        .key = "hour_keep",
        .type = OC_OPTION_DURATION,
        .reload = OC_RELOAD_RESTART,
        .offset = offsetof(struct oc_config, hour_keep_ms),
        .min = DAY,
        .max = 50 * YEAR,
        .def = "2y",
        .text = "How long min, max, mean and last of each hour are kept.",
    },
    {
        .key = "store_max",
        .type = OC_OPTION_SIZE,
        .reload = OC_RELOAD_RESTART,
        .offset = offsetof(struct oc_config, store_max_bytes),
        .min = 8 * MIB,
        .max = 16 * TIB,
        .def = "1GiB",
        .text = "Largest size of the store; beyond it the oldest samples go first.",
    },
    {
        .key = "data_dir",
        .type = OC_OPTION_PATH,
        .reload = OC_RELOAD_RESTART,
        .offset = offsetof(struct oc_config, data_dir),
        .max = sizeof(((struct oc_config *)0)->data_dir),
        .def = "",
        .text = "Folder of the store, its lock and the control socket; empty: the user's state "
                "folder.",
    },
    {
        .key = "log_level",
        .type = OC_OPTION_WORD,
        .reload = OC_RELOAD_LIVE,
        .offset = offsetof(struct oc_config, log_level),
        .max = sizeof(((struct oc_config *)0)->log_level),
        .def = "info",
        .words = log_levels,
        .text = "What is logged: this and all that is worse.",
    },
    {
        .key = "log_format",
        .type = OC_OPTION_WORD,
        .reload = OC_RELOAD_RESTART,
        .offset = offsetof(struct oc_config, log_format),
        .max = sizeof(((struct oc_config *)0)->log_format),
        .def = "auto",
        .words = log_formats,
        .text = "Lines of text or of JSON; auto: the journal's own form where it listens, else "
                "text.",
    },
};

const struct oc_option *oc_option_table(size_t *out_count)
{
    *out_count = sizeof(table) / sizeof(table[0]);
    return table;
}
