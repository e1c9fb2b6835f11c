/* Programs that the notifier runs: a process group each, standard input as a file in memory. */
#include "notify/os.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct oc_program {
    uv_process_t process;
    struct oc_program_start start; /* what it calls; the rest is not ours any more */
    int never_ran;
};

const char *const *oc_program_environment(void)
{
    static const char *const words[] = {
        "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG", "C.UTF-8",
        NULL,
    };

    return words;
}

/* Nobody has to feed it, and it may be opened again as /dev/stdin. -1: errno. */
static int make_input(const struct oc_program_start *start)
{
    int fd = memfd_create("oomcast-hook", MFD_CLOEXEC);
    size_t at = 0;

    while (fd >= 0 && at < start->input_bytes) {
        ssize_t wrote = write(fd, start->input + at, start->input_bytes - at);

        if (wrote <= 0) {
            (void)close(fd);
            return -1;
        }
        at += (size_t)wrote;
    }
    if (fd >= 0)
        (void)lseek(fd, 0, SEEK_SET);
    return fd;
}

/* Not all of libcurl's sockets are closed by an exec of their own accord. Kernels before 5.11 cannot: there the hook has them. */
static void close_on_exec(void)
{
#if defined(SYS_close_range) && defined(CLOSE_RANGE_CLOEXEC)
    (void)syscall(SYS_close_range, (unsigned)STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
#endif
}

/* oomcastd is the last to be killed when memory runs out. What a person runs by a hook is not to be so. */
static void make_killable(pid_t pid)
{
    char path[64], text[16] = "";
    FILE *file = NULL;
    long own = 0;

    file = fopen("/proc/self/oom_score_adj", "re");
    if (file && fgets(text, sizeof(text), file))
        own = strtol(text, NULL, 10);
    if (file)
        (void)fclose(file);
    (void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
    file = own < 0 ? fopen(path, "we") : NULL;
    if (!file)
        return;
    (void)fputs("0", file);
    (void)fclose(file);
}

static void on_ended(uv_process_t *process, int64_t status, int signal_number)
{
    oc_program *program = process->data;

    program->start.ended(program->start.context, status, signal_number);
}

static void on_closed(uv_handle_t *handle)
{
    oc_program *program = handle->data;
    struct oc_program_start start = program->start;
    int never_ran = program->never_ran;

    oc_free(program);
    if (!never_ran)
        start.closed(start.context);
}

static int spawn(uv_loop_t *loop, oc_program *program, int input_fd, int output_fd)
{
    uv_stdio_container_t streams[3] = {
        { .flags = UV_INHERIT_FD, .data.fd = input_fd },
        { .flags = UV_INHERIT_FD, .data.fd = output_fd },
        { .flags = UV_INHERIT_FD, .data.fd = output_fd },
    };
    uv_process_options_t options = { .exit_cb = on_ended,
                                     .file = program->start.argv[0],
                                     .args = (char **)program->start.argv,
                                     .env = (char **)program->start.environment,
                                     .cwd = "/",
                                     .flags = UV_PROCESS_DETACHED, /* a group of its own */
                                     .stdio_count = 3,
                                     .stdio = streams };
    int rc = 0;

    close_on_exec();
    rc = uv_spawn(loop, &program->process, &options);
    if (rc == 0) {
        make_killable(program->process.pid);
        return 0;
    }
    program->never_ran = 1;
    uv_close((uv_handle_t *)&program->process, on_closed);
    return rc;
}

int oc_program_start(uv_loop_t *loop, const struct oc_program_start *start, uv_pipe_t *output,
                     oc_program **out_program)
{
    oc_program *program = NULL;
    int fds[2] = { -1, -1 };
    int rc = UV_ENOMEM, input_fd = make_input(start);

    if (input_fd < 0 || pipe2(fds, O_CLOEXEC) != 0)
        goto out;
    rc = uv_pipe_open(output, fds[0]);
    if (rc != 0)
        goto out;
    fds[0] = -1; /* output's from here on */
    program = oc_calloc(1, sizeof(*program));
    rc = UV_ENOMEM;
    if (!program)
        goto out;
    program->start = *start;
    program->process.data = program;
    rc = spawn(loop, program, input_fd, fds[1]);
    if (rc == 0)
        *out_program = program;
out:
    if (input_fd >= 0)
        (void)close(input_fd);
    for (size_t i = 0; i < 2; i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
    return rc;
}

size_t oc_program_rest(uv_pipe_t *output, void *out, size_t out_bytes)
{
    uv_os_fd_t fd = -1;
    ssize_t got = 0;

    if (uv_fileno((uv_handle_t *)output, &fd) != 0)
        return 0;
    got = read(fd, out, out_bytes);
    return got > 0 ? (size_t)got : 0;
}

void oc_program_kill(oc_program *program)
{
    if (program->process.pid > 0)
        (void)kill(-program->process.pid, SIGKILL);
}

void oc_program_close(oc_program *program)
{
    uv_close((uv_handle_t *)&program->process, on_closed);
}
