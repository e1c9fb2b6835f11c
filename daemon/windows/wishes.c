/* The service control manager's wishes come on its own thread; Ctrl+C and a closed console by libuv's signals. */
#include "daemon/os.h"

#include "base/alloc.h"
#include "daemon/windows/host.h"

#include <windows.h>

static const int numbers[] = { SIGINT, SIGBREAK, SIGHUP /* the console is closed */ };
#define COUNT (sizeof(numbers) / sizeof(numbers[0]))

struct oc_wishes {
    uv_async_t wake;
    uv_signal_t signals[COUNT];
    unsigned signal_count, open_handles;
    oc_wish_fn *fn;
    void *context;
};

/* What was asked and not yet taken; the control handler knows nothing else of us. */
static struct {
    SRWLOCK lock;
    oc_wishes *current;
    unsigned pending; /* enum oc_host_wish */
} box = { .lock = SRWLOCK_INIT };

void oc_wishes_post(enum oc_host_wish wish)
{
    AcquireSRWLockExclusive(&box.lock);
    box.pending |= (unsigned)wish;
    if (box.current)
        (void)uv_async_send(&box.current->wake);
    ReleaseSRWLockExclusive(&box.lock);
}

static void on_wake(uv_async_t *wake)
{
    struct oc_wishes *wishes = wake->data;
    unsigned pending = 0;

    AcquireSRWLockExclusive(&box.lock);
    pending = box.pending;
    box.pending = 0;
    ReleaseSRWLockExclusive(&box.lock);
    if (pending & OC_HOST_PRESHUTDOWN)
        wishes->fn(wishes->context, OC_WISH_STOP, "the machine shuts down");
    else if (pending & OC_HOST_STOP)
        wishes->fn(wishes->context, OC_WISH_STOP, "stopped by the service manager");
    else if (pending & OC_HOST_RELOAD)
        wishes->fn(wishes->context, OC_WISH_RELOAD, "asked by the service manager");
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct oc_wishes *wishes = handle->data;

    wishes->fn(wishes->context, OC_WISH_STOP,
               number == SIGHUP ? "the console was closed" : "interrupted");
}

/* A service has no console. 0 or a code. */
static int start_signals(struct oc_wishes *wishes, uv_loop_t *loop)
{
    for (size_t i = 0; i < COUNT && !oc_host_is_service(); i++) {
        uv_signal_t *handle = &wishes->signals[i];

        handle->data = wishes;
        if (uv_signal_init(loop, handle) != 0)
            return OC_E_IO;
        wishes->signal_count++;
        wishes->open_handles++;
        if (uv_signal_start(handle, on_signal, numbers[i]) != 0)
            return OC_E_IO;
    }
    return OC_OK;
}

int oc_wishes_start(uv_loop_t *loop, oc_wish_fn *fn, void *context, oc_wishes **out_wishes)
{
    struct oc_wishes *wishes = oc_calloc(1, sizeof(*wishes));

    if (!wishes)
        return OC_E_NOMEM;
    wishes->fn = fn;
    wishes->context = context;
    wishes->wake.data = wishes;
    if (uv_async_init(loop, &wishes->wake, on_wake) != 0) {
        oc_free(wishes);
        return OC_E_IO;
    }
    wishes->open_handles = 1;
    if (start_signals(wishes, loop) < 0) {
        oc_wishes_stop(wishes);
        return OC_E_IO;
    }
    AcquireSRWLockExclusive(&box.lock);
    box.current = wishes;
    if (box.pending)
        (void)uv_async_send(&wishes->wake); /* asked while the parts were starting */
    ReleaseSRWLockExclusive(&box.lock);
    *out_wishes = wishes;
    return OC_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct oc_wishes *wishes = handle->data;

    if (--wishes->open_handles == 0)
        oc_free(wishes);
}

void oc_wishes_stop(oc_wishes *wishes)
{
    if (!wishes)
        return;
    AcquireSRWLockExclusive(&box.lock);
    if (box.current == wishes)
        box.current = NULL;
    ReleaseSRWLockExclusive(&box.lock);
    for (unsigned i = 0; i < wishes->signal_count; i++)
        uv_close((uv_handle_t *)&wishes->signals[i], on_closed);
    uv_close((uv_handle_t *)&wishes->wake, on_closed);
}
