#include "daemon/child.h"

#include "base/alloc.h"

#include <signal.h>

const char oc_child_program[] = "oomcast-notify";

struct oc_child {
    uv_process_t process;
    void (*ended)(void *context, int64_t status, int signal_number);
    void *context;
};

static void on_exit(uv_process_t *process, int64_t status, int signal_number)
{
    oc_child *child = process->data;

    if (child->ended)
        child->ended(child->context, status, signal_number);
}

static void on_closed(uv_handle_t *handle) { oc_free(handle->data); }

int oc_child_start(uv_loop_t *loop, const struct oc_child_start *start, uv_pipe_t *in,
                   uv_pipe_t *out, oc_child **out_child)
{
    char name[sizeof(oc_child_program)];
    char *argv[] = { name, NULL };
    uv_stdio_container_t stdio[3] = {
        { .flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_READABLE_PIPE),
          .data.stream = (uv_stream_t *)in },
        { .flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE),
          .data.stream = (uv_stream_t *)out },
        { .flags = UV_INHERIT_FD, .data.fd = 2 },
    };
    uv_process_options_t options = { .exit_cb = on_exit,
                                     .file = start->program,
                                     .args = argv,
                                     .env = (char **)start->environment,
                                     .stdio_count = 3,
                                     .stdio = stdio };
    oc_child *child = oc_calloc(1, sizeof(*child));
    int rc = UV_ENOMEM;

    if (!child)
        return rc;
    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = oc_child_program[i];
    child->process.data = child;
    child->ended = start->ended;
    child->context = start->context;
    rc = uv_spawn(loop, &child->process, &options);
    if (rc != 0) {
        oc_child_close(child); /* the handle was made also where it fails */
        return rc;
    }
    *out_child = child;
    return 0;
}

uint32_t oc_child_pid(const oc_child *child)
{
    return (uint32_t)uv_process_get_pid(&child->process);
}

void oc_child_kill(oc_child *child) { (void)uv_process_kill(&child->process, SIGKILL); }

void oc_child_ask_to_end(oc_child *child) { (void)uv_process_kill(&child->process, SIGTERM); }

void oc_child_close(oc_child *child)
{
    if (!child)
        return;
    child->ended = NULL;
    uv_close((uv_handle_t *)&child->process, on_closed);
}
