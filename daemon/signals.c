#include "daemon/signals.h"

#include "daemon/daemon.h"
#include "daemon/reload.h"

static void on_wish(void *context, enum oc_wish wish, const char *why)
{
    if (wish == OC_WISH_RELOAD)
        (void)oc_reload(context); /* what went wrong is in the log and the status */
    else
        oc_daemon_stop(context, why);
}

static void on_alive(uv_timer_t *timer)
{
    (void)timer;
    oc_service_alive();
}

int oc_signals_start(struct oc_daemon *daemon, struct oc_detail *detail)
{
    int64_t alive_ms = oc_service_alive_interval_ms();
    int rc = oc_wishes_start(&daemon->loop, on_wish, daemon, &daemon->wishes);

    if (rc < 0)
        return oc_detail_set(detail, rc, "cannot wait for signals");
    (void)uv_timer_init(&daemon->loop, &daemon->alive); /* cannot fail */
    if (alive_ms > 0)
        (void)uv_timer_start(&daemon->alive, on_alive, (uint64_t)alive_ms, (uint64_t)alive_ms);
    return OC_OK;
}

void oc_signals_stop(struct oc_daemon *daemon)
{
    oc_wishes_stop(daemon->wishes);
    uv_close((uv_handle_t *)&daemon->alive, NULL);
}
