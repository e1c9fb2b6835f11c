/* Programs that the notifier runs: a job each, which ends with them. */
#include "notify/os.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/os.h"
#include "base/windows/spawn.h"
#include "base/windows/wide.h"

#include <io.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#define VALUE_MAX_BYTES 1024

struct oc_program {
    struct oc_program_start start; /* what it calls */
    struct oc_spawned spawned;
    uv_async_t ended; /* told by a thread of the system's */
    uv_pipe_t input;
    uv_write_t write;
    char *bytes; /* that are written to it */
    uint32_t status;
    int open_handles;
    int never_ran, is_over, is_input_closed;
};

/* ---- its environment ---- */

/* What Windows' own programs cannot do without. PATH is made: an administrator's own folders are not looked through. */
static const char *const kept[] = {
    "SystemRoot", "SystemDrive",     "windir",       "ComSpec",
    "PATHEXT",    "ProgramData",     "ProgramFiles", "TEMP",
    "TMP",        "COMPUTERNAME",    "USERNAME",     "USERPROFILE",
    "PUBLIC",     "ALLUSERSPROFILE",
};
#define KEPT_COUNT (sizeof(kept) / sizeof(kept[0]))

static int read_variable(const char *name, char *out, size_t out_bytes)
{
    wchar_t wide_name[64], value[VALUE_MAX_BYTES];
    DWORD len = 0;

    if (oc_wide_from_utf8(wide_name, 64, name) < 0)
        return OC_E_TOOBIG;
    len = GetEnvironmentVariableW(wide_name, value, VALUE_MAX_BYTES);
    if (len == 0 || len >= VALUE_MAX_BYTES)
        return OC_E_NOENT;
    return oc_wide_to_utf8(out, out_bytes, value);
}

const char *const *oc_program_environment(void)
{
    static char values[KEPT_COUNT + 1][VALUE_MAX_BYTES];
    static const char *words[2 * (KEPT_COUNT + 1) + 1];
    size_t count = 0;
    char root[VALUE_MAX_BYTES / 8] = "C:\\Windows";

    (void)read_variable("SystemRoot", root, sizeof(root));
    for (size_t i = 0; i < KEPT_COUNT; i++) {
        if (read_variable(kept[i], values[i], VALUE_MAX_BYTES) < 0)
            continue;
        words[count++] = kept[i];
        words[count++] = values[i];
    }
    (void)snprintf(values[KEPT_COUNT], VALUE_MAX_BYTES,
                   "%s\\System32;%s;%s\\System32\\Wbem;%s\\System32\\WindowsPowerShell\\v1.0;"
                   "%s\\System32\\inetsrv",
                   root, root, root, root, root);
    words[count++] = "PATH";
    words[count++] = values[KEPT_COUNT];
    words[count] = NULL;
    return words;
}

/* ---- its end ---- */

static void one_closed(oc_program *program)
{
    struct oc_program_start start = program->start;
    int never_ran = program->never_ran;

    if (--program->open_handles > 0)
        return;
    oc_free(program->bytes);
    oc_free(program);
    if (!never_ran)
        start.closed(start.context);
}

static void on_closed(uv_handle_t *handle) { one_closed(handle->data); }

static void close_input(oc_program *program)
{
    if (!program->is_input_closed)
        uv_close((uv_handle_t *)&program->input, on_closed);
    program->is_input_closed = 1;
}

void oc_program_close(oc_program *program)
{
    oc_spawn_kill(&program->spawned);
    oc_spawn_clear(&program->spawned); /* from here on ended() does not come any more */
    program->is_over = 1;
    close_input(program);
    uv_close((uv_handle_t *)&program->ended, on_closed);
}

void oc_program_kill(oc_program *program) { oc_spawn_kill(&program->spawned); }

/* On a thread of the system's. */
static void on_process_ended(uint32_t status, void *context)
{
    oc_program *program = context;

    program->status = status;
    (void)uv_async_send(&program->ended);
}

static void on_ended(uv_async_t *async)
{
    oc_program *program = async->data;

    if (program->is_over)
        return;
    program->is_over = 1;
    program->start.ended(program->start.context, program->status, 0);
}

/* What it wrote before it ended came to the loop's queue before its end did. */
size_t oc_program_rest(uv_pipe_t *output, void *out, size_t out_bytes)
{
    (void)output;
    (void)out;
    (void)out_bytes;
    return 0;
}

/* ---- its beginning ---- */

static void on_written(uv_write_t *write, int status)
{
    (void)status; /* it need not read it */
    close_input(write->data);
}

/* Feeds it. What it does not read goes when it ends. */
static int feed(oc_program *program)
{
    uv_buf_t bytes = uv_buf_init(program->bytes, (unsigned)program->start.input_bytes);

    program->write.data = program;
    return uv_write(&program->write, (uv_stream_t *)&program->input, &bytes, 1, on_written);
}

/* Its ends are ordinary files to it; ours are the loop's. */
static int make_pipes(oc_program *program, uv_pipe_t *output, int child_fds[2])
{
    uv_file in[2] = { -1, -1 }, out[2] = { -1, -1 };
    int rc = uv_pipe(in, 0, UV_NONBLOCK_PIPE);

    if (rc != 0)
        return rc;
    child_fds[0] = in[0];
    rc = uv_pipe_open(&program->input, in[1]);
    if (rc != 0) {
        (void)_close(in[1]);
        return rc;
    }
    rc = uv_pipe(out, UV_NONBLOCK_PIPE, 0);
    if (rc != 0)
        return rc;
    child_fds[1] = out[1];
    rc = uv_pipe_open(output, out[0]);
    if (rc != 0)
        (void)_close(out[0]);
    return rc;
}

static int spawn(oc_program *program, const int child_fds[2])
{
    char folder[VALUE_MAX_BYTES] = "C:\\Windows";
    HANDLE input = (HANDLE)_get_osfhandle(child_fds[0]);
    HANDLE output = (HANDLE)_get_osfhandle(child_fds[1]);
    struct oc_spawn spawn = { .argv = program->start.argv,
                              .environment = program->start.environment,
                              .folder = folder,
                              .streams = { input, output, output },
                              .wants_job = 1,
                              .ended = on_process_ended,
                              .context = program };
    unsigned long error = 0;

    (void)read_variable("SystemRoot", folder, sizeof(folder));
    error = oc_spawn(&spawn, &program->spawned);
    return error == 0 ? 0 : uv_translate_sys_error((int)error);
}

static oc_program *make(uv_loop_t *loop, const struct oc_program_start *start)
{
    oc_program *program = oc_calloc(1, sizeof(*program));

    if (!program)
        return NULL;
    program->bytes = oc_malloc(start->input_bytes + 1);
    if (!program->bytes || uv_async_init(loop, &program->ended, on_ended) != 0) {
        oc_free(program->bytes);
        oc_free(program);
        return NULL;
    }
    if (start->input_bytes > 0)
        memcpy(program->bytes, start->input, start->input_bytes);
    (void)uv_pipe_init(loop, &program->input, 0); /* cannot fail */
    program->start = *start;
    program->ended.data = program->input.data = program;
    program->open_handles = 2;
    return program;
}

int oc_program_start(uv_loop_t *loop, const struct oc_program_start *start, uv_pipe_t *output,
                     oc_program **out_program)
{
    int child_fds[2] = { -1, -1 };
    oc_program *program = NULL;
    int rc = 0;

    if (oc_file_guarded(start->argv[0], NULL) == OC_E_DENIED)
        return UV_EPERM; /* it was in order when the config was read */
    program = make(loop, start);
    if (!program)
        return UV_ENOMEM;
    rc = make_pipes(program, output, child_fds);
    if (rc == 0)
        rc = spawn(program, child_fds);
    for (size_t i = 0; i < 2; i++) {
        if (child_fds[i] >= 0)
            (void)_close(child_fds[i]);
    }
    if (rc == 0 && feed(program) != 0)
        close_input(program);
    if (rc == 0) {
        *out_program = program;
        return 0;
    }
    program->never_ran = 1;
    oc_program_close(program);
    return rc;
}
