/* Hook programs: a process group each, its alert on standard input, its output bounded, killed when its time is over. */
#include "notify/transport.h"

#include "base/alloc.h"
#include "base/text.h"
#include "notify/courier.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_LATER 75 /* EX_TEMPFAIL of sysexits.h */
#define WORDS_MAX 64  /* of the environment and of argv */
#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct oc_hook {
    uv_process_t process;
    uv_timer_t timer;
    uv_pipe_t output;
    struct oc_attempt *attempt; /* NULL: it has been ended */
    struct oc_outcome outcome;
    int is_over_time, open_handles;
    int has_process;              /* its handle lives, whether or not a program runs */
    char bytes[4096];             /* of its output, on the way */
    struct oc_hook *next, **link; /* of those that run */
};

/* ---- what it is given ---- */

struct words {
    char *items[WORDS_MAX + 1];
    size_t count;
};

static void clear_words(struct words *words)
{
    while (words->count > 0)
        oc_free(words->items[--words->count]);
}

static int add_word(struct words *words, const char *name, const char *value)
{
    size_t len = strlen(name) + strlen(value) + 2;
    char *word = words->count < WORDS_MAX ? oc_malloc(len) : NULL;

    if (!word)
        return OC_E_NOMEM;
    (void)snprintf(word, len, "%s%s%s", name, name[0] ? "=" : "", value);
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
    return OC_OK;
}

/* Nothing of our own environment: what it runs in is the same on each machine. */
static int make_environment(const struct oc_strings *fields, struct words *out)
{
    int rc = add_word(out, "", PATH_DEFAULT);

    if (rc == OC_OK)
        rc = add_word(out, "LANG", "C.UTF-8");
    for (size_t i = 0; i + 1 < fields->count && rc == OC_OK; i += 2) {
        if (strncmp(fields->items[i], "OOMCAST_", 8) == 0 && !strchr(fields->items[i], '='))
            rc = add_word(out, fields->items[i], fields->items[i + 1]);
    }
    return rc;
}

static int make_argv(const struct oc_strings *argv, struct words *out)
{
    int rc = OC_OK;

    for (size_t i = 0; i < argv->count && rc == OC_OK; i++)
        rc = add_word(out, "", argv->items[i]);
    return rc;
}

/* Standard input as a file in memory: nobody has to feed it, and it may be opened again as /dev/stdin. -1: errno. */
static int make_input(const struct oc_wire_delivery *delivery)
{
    int fd = memfd_create("oomcast-hook", MFD_CLOEXEC);
    size_t at = 0;

    while (fd >= 0 && at < delivery->body_bytes) {
        ssize_t wrote = write(fd, delivery->body + at, delivery->body_bytes - at);

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

/* ---- its end ---- */

static void on_closed(uv_handle_t *handle)
{
    struct oc_hook *hook = handle->data;
    struct oc_attempt *attempt = hook->attempt;
    struct oc_outcome outcome = hook->outcome;

    if (--hook->open_handles > 0)
        return;
    if (hook->link) {
        *hook->link = hook->next;
        if (hook->next)
            hook->next->link = hook->link;
    }
    oc_free(hook);
    if (attempt)
        oc_attempt_done(attempt, &outcome);
}

static void close_all(struct oc_hook *hook)
{
    uv_close((uv_handle_t *)&hook->timer, on_closed);
    uv_close((uv_handle_t *)&hook->output, on_closed);
    if (hook->has_process)
        uv_close((uv_handle_t *)&hook->process, on_closed);
}

static const char *program(const struct oc_hook *hook)
{
    return hook->attempt->target->settings.argv.items[0];
}

static void judge(struct oc_hook *hook, int64_t status, int signal_number)
{
    struct oc_outcome *out = &hook->outcome;
    double seconds = (double)hook->attempt->target->settings.timeout_ms / 1000.0;

    out->status = (int32_t)status;
    if (hook->is_over_time)
        oc_outcome_set(out, OC_DELIVERY_NEVER, "%.120s was killed: it took more than %.3g s",
                       program(hook), seconds);
    else if (signal_number != 0)
        oc_outcome_set(out, OC_DELIVERY_NEVER, "%.120s ended by signal %d", program(hook),
                       signal_number);
    else if (status == EXIT_LATER)
        oc_outcome_set(out, OC_DELIVERY_LATER, "%.120s asks to be run again later (status %d)",
                       program(hook), EXIT_LATER);
    else if (status != 0)
        oc_outcome_set(out, OC_DELIVERY_NEVER, "%.120s failed with status %d", program(hook),
                       (int)status);
    else
        oc_outcome_set(out, OC_DELIVERY_SENT, "%s", "");
}

/* What it wrote last may still be in the pipe. */
static void take_rest(struct oc_hook *hook)
{
    uv_os_fd_t fd = -1;
    ssize_t got = 0;

    if (uv_fileno((uv_handle_t *)&hook->output, &fd) != 0)
        return;
    while ((got = read(fd, hook->bytes, sizeof(hook->bytes))) > 0) {
        if (oc_attempt_answer(hook->attempt, hook->bytes, (size_t)got) < 0)
            return;
    }
}

static void on_ended(uv_process_t *process, int64_t status, int signal_number)
{
    struct oc_hook *hook = process->data;

    take_rest(hook);
    judge(hook, status, signal_number);
    close_all(hook);
}

static void kill_group(struct oc_hook *hook)
{
    if (hook->process.pid > 0)
        (void)kill(-hook->process.pid, SIGKILL);
}

static void on_time(uv_timer_t *timer)
{
    struct oc_hook *hook = timer->data;

    hook->is_over_time = 1;
    kill_group(hook);
}

/* ---- its output: the beginning is kept, the rest read and dropped, so that it can go on ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *out_buf)
{
    struct oc_hook *hook = handle->data;

    (void)suggested_bytes;
    *out_buf = uv_buf_init(hook->bytes, sizeof(hook->bytes));
}

static void on_output(uv_stream_t *stream, ssize_t got_bytes, const uv_buf_t *buf)
{
    struct oc_hook *hook = stream->data;

    if (got_bytes < 0)
        (void)uv_read_stop(stream);
    else if (hook->attempt)
        (void)oc_attempt_answer(hook->attempt, buf->base, (size_t)got_bytes);
}

/* ---- its beginning ---- */

/* Not all of libcurl's sockets are closed by an exec of their own accord. Kernels before 5.11 cannot: there the hook has them. */
static void close_on_exec(void)
{
#if defined(SYS_close_range) && defined(CLOSE_RANGE_CLOEXEC)
    (void)syscall(SYS_close_range, (unsigned)STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
#endif
}

static int spawn(uv_loop_t *loop, struct oc_hook *hook, int input_fd, int output_fd)
{
    const struct oc_attempt *attempt = hook->attempt;
    struct words environment = { .count = 0 }, argv = { .count = 0 };
    uv_stdio_container_t streams[3] = {
        { .flags = UV_INHERIT_FD, .data.fd = input_fd },
        { .flags = UV_INHERIT_FD, .data.fd = output_fd },
        { .flags = UV_INHERIT_FD, .data.fd = output_fd },
    };
    uv_process_options_t options = { .exit_cb = on_ended,
                                     .cwd = "/",
                                     .flags = UV_PROCESS_DETACHED, /* a group of its own */
                                     .stdio_count = 3,
                                     .stdio = streams };
    int rc = make_environment(&attempt->delivery.fields, &environment);

    if (rc == OC_OK)
        rc = make_argv(&attempt->target->settings.argv, &argv);
    options.file = argv.items[0];
    options.args = argv.items;
    options.env = environment.items;
    if (rc == OC_OK) {
        hook->has_process = 1;
        hook->open_handles++;
        close_on_exec();
        rc = uv_spawn(loop, &hook->process, &options);
    } else {
        rc = UV_ENOMEM;
    }
    clear_words(&environment);
    clear_words(&argv);
    return rc;
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

/* The handles live from here on: they go in on_closed(). Takes read_fd. */
static int set_up(uv_loop_t *loop, struct oc_hook *hook, int read_fd)
{
    hook->process.data = hook->timer.data = hook->output.data = hook;
    (void)uv_timer_init(loop, &hook->timer);
    (void)uv_pipe_init(loop, &hook->output, 0); /* neither can fail */
    hook->open_handles = 2;
    if (uv_pipe_open(&hook->output, read_fd) == 0)
        return OC_OK;
    (void)close(read_fd);
    return OC_E_IO;
}

static void link_in(struct oc_hook **list, struct oc_hook *hook)
{
    hook->next = *list;
    hook->link = list;
    if (hook->next)
        hook->next->link = &hook->next;
    *list = hook;
}

/* Ends one that never ran; its attempt is the caller's. */
static void give_up(struct oc_hook *hook)
{
    hook->attempt = NULL;
    close_all(hook);
}

static int run(struct oc_courier *courier, struct oc_hook *hook, int input_fd, int pipe_fds[2],
               struct oc_outcome *out)
{
    struct oc_target *target = hook->attempt->target;
    int64_t timeout_ms = target->settings.timeout_ms > 0 ? target->settings.timeout_ms : 10000;
    int rc = set_up(&courier->loop, hook, pipe_fds[0]);

    if (rc < 0) {
        oc_outcome_set(out, OC_DELIVERY_LATER, "no pipe for the hook: %s", oc_err_text(rc));
        give_up(hook);
        return rc;
    }
    rc = spawn(&courier->loop, hook, input_fd, pipe_fds[1]);
    if (rc < 0) {
        oc_outcome_set(out,
                       rc == UV_ENOMEM || rc == UV_EAGAIN ? OC_DELIVERY_LATER : OC_DELIVERY_SLOW,
                       "%.120s cannot be run: %s", program(hook), uv_strerror(rc));
        give_up(hook);
        return OC_E_IO;
    }
    make_killable(hook->process.pid);
    link_in(&courier->hooks, hook);
    target->last_run_mono_ms = oc_courier_now(courier);
    (void)uv_timer_start(&hook->timer, on_time, (uint64_t)timeout_ms, 0);
    (void)uv_read_start((uv_stream_t *)&hook->output, on_alloc, on_output);
    return OC_OK;
}

/* How long it still has to wait; 0: it may run. */
static int64_t pause_ms(const struct oc_target *target, int64_t now_ms)
{
    int64_t next_ms = target->last_run_mono_ms + target->settings.interval_ms;

    return target->last_run_mono_ms > 0 && next_ms > now_ms ? next_ms - now_ms : 0;
}

int oc_hook_start(struct oc_courier *courier, struct oc_attempt *attempt, struct oc_outcome *out)
{
    struct oc_hook *hook = NULL;
    int pipe_fds[2] = { -1, -1 };
    int input_fd = -1, rc = OC_E_IO;
    char wait[24];

    if (attempt->target->settings.argv.count == 0) {
        oc_outcome_set(out, OC_DELIVERY_SLOW, "the hook names no program");
        return OC_E_INVAL;
    }
    out->retry_after_ms = pause_ms(attempt->target, oc_courier_now(courier));
    if (out->retry_after_ms > 0) {
        oc_outcome_set(out, OC_DELIVERY_LATER, "it ran a while ago: not again for %s",
                       oc_text_ms(out->retry_after_ms, wait, sizeof(wait)));
        return OC_E_AGAIN;
    }
    hook = oc_calloc(1, sizeof(*hook));
    input_fd = make_input(&attempt->delivery);
    if (!hook || input_fd < 0 || pipe2(pipe_fds, O_CLOEXEC) != 0) {
        oc_outcome_set(out, OC_DELIVERY_LATER, "no memory or descriptor for the hook");
        oc_free(hook);
    } else {
        hook->attempt = attempt;
        rc = run(courier, hook, input_fd, pipe_fds, out);
    }
    if (input_fd >= 0)
        (void)close(input_fd);
    if (pipe_fds[1] >= 0)
        (void)close(pipe_fds[1]);
    return rc;
}

void oc_hooks_kill(struct oc_courier *courier)
{
    for (struct oc_hook *hook = courier->hooks; hook; hook = hook->next)
        kill_group(hook);
}
