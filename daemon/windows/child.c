#include "daemon/child.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/os.h"
#include "base/text.h"
#include "base/windows/spawn.h"
#include "daemon/windows/token.h"

#include <io.h>
#include <windows.h>

const char oc_child_program[] = "oomcast-notify.exe";

#define STATUS_NO_DLL_INIT                                                                         \
    0xC0000142u /* a library of its found itself without a right that it needs */

struct oc_child {
    struct oc_spawned spawned;
    uv_async_t async; /* told by a thread of the system's */
    void (*ended)(void *context, int64_t status, int signal_number);
    void *context;
    uint32_t status;
};

/* Once a child with a restricted token could not even begin, the next ones have ours, and say so: alerts matter more. */
static int restricts_nobody;

static void on_process_ended(uint32_t status, void *context)
{
    oc_child *child = context;

    child->status = status;
    (void)uv_async_send(&child->async);
}

static void on_async(uv_async_t *async)
{
    oc_child *child = async->data;
    void (*ended)(void *, int64_t, int) = child->ended;

    child->ended = NULL;
    if (!ended)
        return;
    if (child->status == STATUS_NO_DLL_INIT)
        restricts_nobody = 1;
    ended(child->context, child->status, 0);
}

static void on_closed(uv_handle_t *handle) { oc_free(handle->data); }

/* ---- the start ---- */

/* Both ends are the loops', here and there. 0 or libuv's code. */
static int make_pipe(uv_pipe_t *ours, int ours_at, int *out_theirs)
{
    uv_file fds[2] = { -1, -1 };
    int rc = uv_pipe(fds, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE);

    if (rc != 0)
        return rc;
    rc = uv_pipe_open(ours, fds[ours_at]);
    if (rc != 0)
        (void)_close(fds[ours_at]);
    *out_theirs = fds[1 - ours_at];
    return rc;
}

/* NULL: it has ours, because that gives no more than the token would, or because there is none to be had. */
static HANDLE make_token(void)
{
    HANDLE token = NULL;

    if (restricts_nobody || !oc_os_is_admin() || oc_token_restricted(&token) != 0)
        return NULL;
    return token;
}

static DWORD spawn(const struct oc_child_start *start, oc_child *child, const int theirs[2])
{
    char program[1024];
    char *argv[] = { program, NULL };
    struct oc_spawn spawn = { .argv = argv,
                              .environment = start->environment,
                              .streams = { (HANDLE)_get_osfhandle(theirs[0]),
                                           (HANDLE)_get_osfhandle(theirs[1]),
                                           GetStdHandle(STD_ERROR_HANDLE) },
                              .token = make_token(),
                              .ended = on_process_ended,
                              .context = child };
    DWORD error = ERROR_FILENAME_EXCED_RANGE;

    if (oc_text_copy(program, sizeof(program), start->program) == OC_OK)
        error = oc_spawn(&spawn, &child->spawned);
    if (error != 0 && spawn.token) {
        (void)CloseHandle(spawn.token);
        spawn.token = NULL;
        if (error != ERROR_FILE_NOT_FOUND && error != ERROR_PATH_NOT_FOUND)
            error = oc_spawn(&spawn, &child->spawned);
    }
    if (spawn.token)
        (void)CloseHandle(spawn.token);
    return error;
}

int oc_child_start(uv_loop_t *loop, const struct oc_child_start *start, uv_pipe_t *in,
                   uv_pipe_t *out, oc_child **out_child)
{
    oc_child *child = oc_calloc(1, sizeof(*child));
    int theirs[2] = { -1, -1 };
    DWORD error = 0;
    int rc = UV_ENOMEM;

    if (!child || uv_async_init(loop, &child->async, on_async) != 0) {
        oc_free(child);
        return rc;
    }
    child->async.data = child;
    rc = make_pipe(in, 1, &theirs[0]);
    if (rc == 0)
        rc = make_pipe(out, 0, &theirs[1]);
    if (rc == 0) {
        error = spawn(start, child, theirs);
        rc = error == 0 ? 0 : uv_translate_sys_error((int)error);
    }
    for (size_t i = 0; i < 2; i++) {
        if (theirs[i] >= 0)
            (void)_close(theirs[i]);
    }
    if (rc != 0) {
        oc_child_close(child);
        return rc;
    }
    child->ended = start->ended;
    child->context = start->context;
    *out_child = child;
    return 0;
}

/* ---- the rest ---- */

uint32_t oc_child_pid(const oc_child *child) { return child->spawned.pid; }

void oc_child_kill(oc_child *child) { oc_spawn_kill(&child->spawned); }

/* Its standard input is closed with the pipe: that is how it is told here. */
void oc_child_ask_to_end(oc_child *child) { (void)child; }

void oc_child_close(oc_child *child)
{
    if (!child)
        return;
    child->ended = NULL;
    oc_spawn_clear(&child->spawned);
    uv_close((uv_handle_t *)&child->async, on_closed);
}
