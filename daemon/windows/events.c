/* Waits for the probe's event on a thread of its own and hands each round to the loop; it waits anew once the loop has been
 * there, so that an event that stays set calls again and none is lost. */
#include "daemon/os.h"

#include "base/alloc.h"

#include <windows.h>

struct oc_event_watch {
    uv_async_t wake;
    HANDLE thread;
    HANDLE event;   /* the probe's; borrowed */
    HANDLE handled; /* the loop was there */
    HANDLE end;
    void (*fn)(void *);
    void *context;
};

static DWORD WINAPI wait_for_events(void *context)
{
    struct oc_event_watch *watch = context;
    HANDLE event_or_end[2] = { watch->end, watch->event };
    HANDLE handled_or_end[2] = { watch->end, watch->handled };

    while (WaitForMultipleObjects(2, event_or_end, FALSE, INFINITE) == WAIT_OBJECT_0 + 1) {
        (void)uv_async_send(&watch->wake);
        if (WaitForMultipleObjects(2, handled_or_end, FALSE, INFINITE) != WAIT_OBJECT_0 + 1)
            break;
    }
    return 0;
}

static void on_wake(uv_async_t *wake)
{
    struct oc_event_watch *watch = wake->data;

    watch->fn(watch->context);
    (void)SetEvent(watch->handled);
}

static void free_watch(struct oc_event_watch *watch)
{
    if (watch->handled)
        (void)CloseHandle(watch->handled);
    if (watch->end)
        (void)CloseHandle(watch->end);
    oc_free(watch);
}

static void on_closed(uv_handle_t *handle) { free_watch(handle->data); }

int oc_event_watch_start(uv_loop_t *loop, int fd, void (*fn)(void *), void *context,
                         oc_event_watch **out_watch)
{
    struct oc_event_watch *watch = oc_calloc(1, sizeof(*watch));

    if (!watch)
        return OC_E_NOMEM;
    watch->fn = fn;
    watch->context = context;
    watch->wake.data = watch;
    watch->event = (HANDLE)(intptr_t)fd; /* handles have 32 bits that count */
    watch->handled = CreateEventW(NULL, FALSE, FALSE, NULL);
    watch->end = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!watch->handled || !watch->end || uv_async_init(loop, &watch->wake, on_wake) != 0) {
        free_watch(watch);
        return OC_E_IO;
    }
    watch->thread = CreateThread(NULL, 0, wait_for_events, watch, 0, NULL);
    if (!watch->thread) {
        uv_close((uv_handle_t *)&watch->wake, on_closed);
        return OC_E_NOMEM;
    }
    *out_watch = watch;
    return OC_OK;
}

void oc_event_watch_stop(oc_event_watch *watch)
{
    if (!watch)
        return;
    (void)SetEvent(watch->end);
    (void)WaitForSingleObject(watch->thread, INFINITE); /* it waits for nothing else */
    (void)CloseHandle(watch->thread);
    uv_close((uv_handle_t *)&watch->wake, on_closed);
}
