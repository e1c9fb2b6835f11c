#include "cli/frame/repeat.h"

#include "base/err.h"

#include <signal.h>
#include <string.h>
#include <uv.h>

enum { SIGNALS = 3 };
static const int end_signals[SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

struct repeat {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t signals[SIGNALS];
    oc_cli_repeat_fn *fn;
    void *context;
    uint64_t begin_ms;
    int64_t for_ms;
    int rc;
};

static void end(struct repeat *repeat, int rc)
{
    repeat->rc = rc;
    uv_stop(&repeat->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    end(handle->data, OC_CLI_INTERRUPTED);
}

static void on_timer(uv_timer_t *timer)
{
    struct repeat *repeat = timer->data;
    const int64_t ms = (int64_t)(uv_now(&repeat->loop) - repeat->begin_ms);
    const int rc = repeat->fn(ms, repeat->context);

    if (rc || ms >= repeat->for_ms)
        end(repeat, rc);
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static int start(struct repeat *repeat, int64_t interval_ms)
{
    int rc = uv_timer_init(&repeat->loop, &repeat->timer);

    repeat->timer.data = repeat;
    for (size_t i = 0; i < SIGNALS && rc == 0; i++) {
        rc = uv_signal_init(&repeat->loop, &repeat->signals[i]);
        repeat->signals[i].data = repeat;
        if (rc == 0)
            rc = uv_signal_start(&repeat->signals[i], on_signal, end_signals[i]);
    }
    uv_update_time(&repeat->loop);
    repeat->begin_ms = uv_now(&repeat->loop);
    if (rc == 0)
        rc = uv_timer_start(&repeat->timer, on_timer, (uint64_t)interval_ms, (uint64_t)interval_ms);
    return rc;
}

int oc_cli_repeat(int64_t interval_ms, int64_t for_ms, oc_cli_repeat_fn *fn, void *context)
{
    struct repeat repeat = { .fn = fn, .context = context, .for_ms = for_ms };

    if (uv_loop_init(&repeat.loop))
        return OC_E_NOMEM;
    if (start(&repeat, interval_ms))
        repeat.rc = OC_E_IO;
    else
        (void)uv_run(&repeat.loop, UV_RUN_DEFAULT);
    uv_walk(&repeat.loop, close_handle, NULL);
    (void)uv_run(&repeat.loop, UV_RUN_DEFAULT); /* the close callbacks */
    (void)uv_loop_close(&repeat.loop);
    return repeat.rc;
}
