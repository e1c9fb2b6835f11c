#include "daemon/reload.h"

#include "daemon/daemon.h"
#include "daemon/logging.h"
#include "daemon/refit.h"

#include "base/log.h"
#include "base/text.h"

#include <string.h>

/* The command line is stronger than the file. */
static int apply_args(const struct oc_daemon *daemon, struct oc_config *config,
                      struct oc_detail *detail)
{
    const struct oc_args *args = &daemon->args;

    if (args->interval_ms > 0)
        config->interval_ms = args->interval_ms;
    if (args->data_dir && oc_text_copy(config->data_dir, sizeof(config->data_dir), args->data_dir))
        return oc_detail_set(detail, OC_E_TOOBIG, "--data: the path is too long");
    if (args->log_level) /* the words were checked with the command line */
        (void)oc_text_copy(config->log_level, sizeof(config->log_level), args->log_level);
    if (args->log_format)
        (void)oc_text_copy(config->log_format, sizeof(config->log_format), args->log_format);
    return OC_OK;
}

/* The file that was named, else the one at its usual place, where there is one. */
static void find_file(struct oc_daemon *daemon)
{
    char *path = daemon->config_path;

    if (daemon->args.config_path) /* as long as the system takes it; else reading it says so */
        (void)oc_text_copy(path, sizeof(daemon->config_path), daemon->args.config_path);
    else if (oc_os_config_path(path, sizeof(daemon->config_path)) < 0 || !oc_file_exists(path))
        path[0] = '\0';
}

static int read_config(struct oc_daemon *daemon, struct oc_config *out_config,
                       struct oc_detail *detail)
{
    struct oc_config config;
    int rc = OC_OK;

    find_file(daemon);
    if (daemon->config_path[0])
        rc = oc_config_load_all(daemon->config_path, &config, detail);
    else
        rc = oc_config_default(&config, detail);
    if (rc < 0)
        return rc;
    rc = apply_args(daemon, &config, detail);
    if (rc < 0)
        oc_config_clear(&config);
    else
        *out_config = config;
    return rc;
}

int oc_config_start(struct oc_daemon *daemon, struct oc_detail *detail)
{
    int rc = read_config(daemon, &daemon->config, detail);

    if (rc == OC_OK && daemon->config_path[0])
        daemon->config_unix_ms = oc_clock_unix_ms();
    return rc;
}

static int differs(const struct oc_option *option, const struct oc_config *a,
                   const struct oc_config *b)
{
    const char *x = (const char *)a + option->offset;
    const char *y = (const char *)b + option->offset;

    switch (option->type) {
    case OC_OPTION_DURATION:
    case OC_OPTION_SIZE:
    case OC_OPTION_PERCENT:
        return memcmp(x, y, sizeof(int64_t)) != 0;
    case OC_OPTION_WORD:
    case OC_OPTION_PATH:
        return strcmp(x, y) != 0;
    default:
        return 0;
    }
}

static void say_what_waits(const struct oc_config *old, const struct oc_config *new)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);

    for (size_t i = 0; i < count; i++) {
        if (options[i].reload == OC_RELOAD_RESTART && differs(&options[i], old, new))
            oc_log(OC_LOG_WARN, "option_needs_restart", oc_str("option", options[i].key));
    }
}

static void take_config(struct oc_daemon *daemon, struct oc_config *take_config)
{
    say_what_waits(&daemon->config, take_config);
    oc_refit_map(daemon, take_config);
    oc_config_clear(&daemon->config);
    daemon->config = *take_config;
    daemon->config_unix_ms = daemon->config_path[0] ? oc_clock_unix_ms() : 0;
    daemon->reloads++;
    oc_logging_set_level(daemon->config.log_level);
    oc_writer_set_batch(daemon->writer, daemon->config.batch_ms);
    if (daemon->walker)
        oc_walker_set_budget(daemon->walker, daemon->config.walk_budget_percent);
    oc_alerting_reload(daemon);
    oc_discovery_reload(daemon);
}

int oc_reload(struct oc_daemon *daemon)
{
    struct oc_config config;
    struct oc_detail detail = { 0 };
    int rc = OC_OK;

    oc_service_reloading();
    rc = oc_discovery_read_pids(daemon, &detail);
    if (rc == OC_OK)
        rc = read_config(daemon, &config, &detail);
    if (rc == OC_OK)
        take_config(daemon, &config);
    daemon->config_error = detail;
    if (rc < 0)
        oc_log(OC_LOG_WARN, "config_kept", oc_str("why", detail.text),
               oc_str("then", "the config that was in force stays"));
    else
        oc_log(OC_LOG_INFO, "reloaded", oc_i64("interval_ms", daemon->config.interval_ms),
               oc_u64("targets", daemon->config.targets.count));
    oc_service_ready("watching");
    return rc;
}
