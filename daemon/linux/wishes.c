/* TERM and INT end the daemon, HUP reloads. */
#include "daemon/os.h"

#include "base/alloc.h"

#include <signal.h>

static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
#define COUNT (sizeof(numbers) / sizeof(numbers[0]))

struct oc_wishes {
    uv_signal_t signals[COUNT];
    unsigned open_handles;
    oc_wish_fn *fn;
    void *context;
};

static void on_signal(uv_signal_t *handle, int number)
{
    struct oc_wishes *wishes = handle->data;

    if (number == SIGHUP)
        wishes->fn(wishes->context, OC_WISH_RELOAD, "hung up");
    else
        wishes->fn(wishes->context, OC_WISH_STOP, number == SIGINT ? "interrupted" : "terminated");
}

int oc_wishes_start(uv_loop_t *loop, oc_wish_fn *fn, void *context, oc_wishes **out_wishes)
{
    struct oc_wishes *wishes = oc_calloc(1, sizeof(*wishes));

    if (!wishes)
        return OC_E_NOMEM;
    wishes->fn = fn;
    wishes->context = context;
    for (size_t i = 0; i < COUNT; i++) {
        uv_signal_t *handle = &wishes->signals[i];

        handle->data = wishes;
        if (uv_signal_init(loop, handle) != 0)
            break;
        wishes->open_handles++;
        if (uv_signal_start(handle, on_signal, numbers[i]) != 0)
            break;
        if (i + 1 == COUNT) {
            *out_wishes = wishes;
            return OC_OK;
        }
    }
    oc_wishes_stop(wishes);
    return OC_E_IO;
}

static void on_closed(uv_handle_t *handle)
{
    struct oc_wishes *wishes = handle->data;

    if (--wishes->open_handles == 0)
        oc_free(wishes);
}

void oc_wishes_stop(oc_wishes *wishes)
{
    unsigned open_handles = wishes ? wishes->open_handles : 0;

    for (unsigned i = 0; i < open_handles; i++)
        uv_close((uv_handle_t *)&wishes->signals[i], on_closed);
    if (open_handles == 0)
        oc_free(wishes);
}
