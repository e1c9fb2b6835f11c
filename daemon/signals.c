#include "daemon/signals.h"

#include "daemon/daemon.h"
#include "daemon/reload.h"

#include <signal.h>

static void on_end(uv_signal_t *handle, int number)
{
    oc_daemon_stop(handle->data, number == SIGINT ? "interrupted" : "terminated");
}

static void on_hup(uv_signal_t *handle, int number)
{
    (void)number;
    (void)oc_reload(handle->data); /* what went wrong is in the log and the status */
}

static void on_alive(uv_timer_t *timer)
{
    (void)timer;
    oc_service_alive();
}

static int watch(struct oc_daemon *daemon, uv_signal_t *handle, uv_signal_cb fn, int number)
{
    handle->data = daemon;
    return uv_signal_init(&daemon->loop, handle) != 0 || uv_signal_start(handle, fn, number) != 0;
}

int oc_signals_start(struct oc_daemon *daemon, struct oc_detail *detail)
{
    int64_t alive_ms = oc_service_alive_interval_ms();

    (void)uv_timer_init(&daemon->loop, &daemon->alive); /* cannot fail */
    if (alive_ms > 0)
        (void)uv_timer_start(&daemon->alive, on_alive, (uint64_t)alive_ms, (uint64_t)alive_ms);
    if (watch(daemon, &daemon->on_term, on_end, SIGTERM) != 0 ||
        watch(daemon, &daemon->on_int, on_end, SIGINT) != 0 ||
        watch(daemon, &daemon->on_hup, on_hup, SIGHUP) != 0) {
        oc_signals_stop(daemon);
        return oc_detail_set(detail, OC_E_IO, "cannot wait for signals");
    }
    return OC_OK;
}

static void close_signal(uv_signal_t *handle)
{
    if (handle->data && handle->loop && !uv_is_closing((uv_handle_t *)handle))
        uv_close((uv_handle_t *)handle, NULL);
}

void oc_signals_stop(struct oc_daemon *daemon)
{
    close_signal(&daemon->on_term);
    close_signal(&daemon->on_int);
    close_signal(&daemon->on_hup);
    uv_close((uv_handle_t *)&daemon->alive, NULL);
}
