#include "daemon/os.h"

#include "base/alloc.h"

struct oc_event_watch {
    uv_poll_t poll;
    void (*fn)(void *);
    void *context;
};

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct oc_event_watch *watch = poll->data;

    (void)status;
    (void)events;
    watch->fn(watch->context);
}

static void free_watch(uv_handle_t *handle) { oc_free(handle->data); }

int oc_event_watch_start(uv_loop_t *loop, int fd, void (*fn)(void *), void *context,
                         oc_event_watch **out_watch)
{
    struct oc_event_watch *watch = oc_calloc(1, sizeof(*watch));

    if (!watch)
        return OC_E_NOMEM;
    watch->fn = fn;
    watch->context = context;
    watch->poll.data = watch;
    if (uv_poll_init(loop, &watch->poll, fd) != 0) {
        oc_free(watch);
        return OC_E_IO;
    }
    if (uv_poll_start(&watch->poll, UV_READABLE, on_readable) != 0) {
        uv_close((uv_handle_t *)&watch->poll, free_watch);
        return OC_E_IO;
    }
    *out_watch = watch;
    return OC_OK;
}

void oc_event_watch_stop(oc_event_watch *watch)
{
    if (watch)
        uv_close((uv_handle_t *)&watch->poll, free_watch);
}
