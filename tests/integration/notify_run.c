#include "tests/integration/notify_run.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "tests/integration/harness.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CAME_MAX (64u << 20)
#define WORDS_MAX 24

void notify_setup(struct notify_run *run)
{
    *run = (struct notify_run){ .to_fd = -1, .from_fd = -1 };
    ck_assert_int_eq(make_folder("oomcast-notify", run->dir, sizeof(run->dir)), 0);
    ck_assert_int_eq(chmod(run->dir, 0755), 0); /* as nobody, it reads certificates there */
    oc_buf_init(&run->came, CAME_MAX);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void notify_teardown(struct notify_run *run)
{
    close_fd(&run->to_fd);
    close_fd(&run->from_fd);
    stop(run->pid, SIGKILL);
    for (size_t i = 0; i < run->server_count; i++)
        stop(run->servers[i].pid, SIGTERM);
    oc_buf_clear(&run->came);
    (void)remove_folder(run->dir);
}

static const char *needed(const char *variable)
{
    const char *value = getenv(variable);

    ck_assert_msg(value != NULL, "%s is not set", variable);
    return value;
}

/* argv of first and then words, NULL at the end. */
static void put_words(char *argv[WORDS_MAX], const char *first, const char *const *words)
{
    size_t count = 0;

    argv[count++] = (char *)(uintptr_t)first;
    for (; words && *words; words++) {
        ck_assert_uint_lt(count, WORDS_MAX - 1);
        argv[count++] = (char *)(uintptr_t)*words;
    }
    argv[count] = NULL;
}

/* ---- servers ---- */

struct notify_server *notify_serve(struct notify_run *run, const char *const *words)
{
    size_t index = run->server_count;
    struct notify_server *server = &run->servers[index];
    char port_file[192];
    char *argv[WORDS_MAX], *text = NULL, *out_path = NULL;
    size_t count = 0, bytes = 0;

    ck_assert_uint_lt(index, NOTIFY_SERVERS_MAX);
    (void)snprintf(port_file, sizeof(port_file), "%s/port%zu", run->dir, index);
    out_path = oc_strdup(run->dir);
    ck_assert_ptr_nonnull(out_path);
    (void)snprintf(server->out, sizeof(server->out), "%s/got%zu", out_path, index);
    oc_free(out_path);
    put_words(argv, needed("OC_RECEIVER"), words);
    while (argv[count])
        count++;
    ck_assert_uint_lt(count + 4, WORDS_MAX);
    argv[count++] = (char *)(uintptr_t) "--port-file";
    argv[count++] = port_file;
    argv[count++] = (char *)(uintptr_t) "--out";
    argv[count++] = server->out;
    argv[count] = NULL;
    server->pid = start_ready(argv);
    ck_assert_int_gt(server->pid, 0);
    ck_assert_int_eq(oc_file_read(port_file, 64, &text, &bytes), OC_OK);
    server->port = (unsigned)strtoul(text, NULL, 10);
    oc_free(text);
    run->server_count++;
    return server;
}

static size_t count_lines(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += *text == '\n';
    return count;
}

char *notify_served(const struct notify_server *server, size_t lines)
{
    const struct timespec pause = { .tv_nsec = 5000000 };
    int64_t deadline_ms = now_ms() + NOTIFY_DEADLINE_MS;

    for (;;) {
        char *text = NULL;
        size_t bytes = 0;

        ck_assert_int_eq(oc_file_read(server->out, CAME_MAX, &text, &bytes), OC_OK);
        if (count_lines(text) >= lines)
            return text;
        oc_free(text);
        ck_assert_msg(now_ms() < deadline_ms, "the server did not get %zu requests", lines);
        (void)nanosleep(&pause, NULL);
    }
}

int notify_certificate(const struct notify_run *run, const char *name, const char *subject)
{
    char command[1024];
    int status = 0;

    (void)snprintf(
        command, sizeof(command),
        "umask 022; openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=%s "
        "-addext subjectAltName=%s -keyout %s/%s.key -out %s/%s.pem >%s/openssl.log 2>&1",
        name, subject, run->dir, name, run->dir, name, run->dir);
    status = system(command); /* NOLINT(cert-env33-c): of words of the tests' own */
    return status == 0 ? 0 : -1;
}

/* ---- the pipe ---- */

static void read_some(struct notify_run *run)
{
    for (;;) {
        void *room = oc_buf_reserve(&run->came, 65536);
        ssize_t got = 0;

        ck_assert_ptr_nonnull(room);
        got = read(run->from_fd, room, 65536);
        if (got <= 0) {
            if (got == 0)
                close_fd(&run->from_fd);
            return;
        }
        oc_buf_used(&run->came, (size_t)got);
    }
}

/* Until something comes, or can be written where that is wanted. */
static void wait_some(struct notify_run *run, int wants_write)
{
    struct pollfd fds[2] = { { .fd = run->from_fd, .events = POLLIN },
                             { .fd = wants_write ? run->to_fd : -1, .events = POLLOUT } };

    ck_assert_msg(poll(fds, 2, NOTIFY_DEADLINE_MS) > 0, "nothing came from oomcast-notify");
    if (run->from_fd >= 0 && fds[0].revents)
        read_some(run);
}

void notify_say(struct notify_run *run, const char *bytes, size_t len_bytes)
{
    size_t at = 0;

    while (at < len_bytes) {
        ssize_t wrote = write(run->to_fd, bytes + at, len_bytes - at);

        if (wrote > 0)
            at += (size_t)wrote;
        else if (errno == EAGAIN)
            wait_some(run, 1);
        else if (errno == EPIPE)
            return; /* it ended: whoever waits for an answer hears so */
        else
            ck_abort_msg("the pipe broke: %s", strerror(errno));
    }
}

static void say_command(struct notify_run *run, const struct oc_wire_command *command)
{
    struct oc_buf line;

    oc_buf_init(&line, OC_WIRE_LINE_MAX + 1);
    oc_wire_command_write(command, &line);
    ck_assert_int_eq(line.err, OC_OK);
    notify_say(run, line.data, line.len_bytes);
    oc_buf_clear(&line);
}

void notify_tell(struct notify_run *run, const struct oc_receiver *settings)
{
    struct oc_wire_command command = { .what = OC_WIRE_RECEIVER, .receiver = *settings };

    say_command(run, &command);
}

void notify_deliver_with(struct notify_run *run, const struct oc_wire_delivery *delivery)
{
    struct oc_wire_command command = { .what = OC_WIRE_DELIVER, .delivery = *delivery };

    say_command(run, &command);
}

void notify_deliver(struct notify_run *run, const char *id, const char *receiver, const char *body)
{
    struct oc_wire_delivery delivery = { .body = (char *)(uintptr_t)body,
                                         .body_bytes = strlen(body),
                                         .content_type = "application/json" };

    (void)oc_text_copy(delivery.id, sizeof(delivery.id), id);
    (void)oc_text_copy(delivery.receiver, sizeof(delivery.receiver), receiver);
    notify_deliver_with(run, &delivery);
}

typedef int wanted_fn(const struct oc_wire_report *report, const void *context);

/* Takes the first report that is wanted out of what came. 1, or 0: it has not come. */
static int take(struct notify_run *run, wanted_fn *wanted, const void *context,
                struct oc_wire_report *out)
{
    char *at = run->came.data;
    char *newline = NULL;

    while (at &&
           (newline = memchr(at, '\n', run->came.len_bytes - (size_t)(at - run->came.data)))) {
        struct oc_detail detail = { 0 };
        size_t len = (size_t)(newline - at);

        ck_assert_msg(oc_wire_report_parse(at, len, out, &detail) == OC_OK, "%.*s: %s", (int)len,
                      at, detail.text);
        if (wanted(out, context)) {
            run->came.len_bytes -= len + 1;
            memmove(at, newline + 1, run->came.len_bytes - (size_t)(at - run->came.data) + 1);
            run->results += out->what == OC_WIRE_RESULT;
            return 1;
        }
        at = newline + 1;
    }
    return 0;
}

/* 1, or 0: it ended. */
static int await_or_end(struct notify_run *run, wanted_fn *wanted, const void *context,
                        struct oc_wire_report *out)
{
    while (!take(run, wanted, context, out)) {
        if (run->from_fd < 0)
            return 0;
        wait_some(run, 0);
    }
    return 1;
}

static void await(struct notify_run *run, wanted_fn *wanted, const void *context,
                  struct oc_wire_report *out)
{
    ck_assert_msg(await_or_end(run, wanted, context, out),
                  "oomcast-notify ended: what was awaited never came");
}

static int is_result_of(const struct oc_wire_report *report, const void *id)
{
    return report->what == OC_WIRE_RESULT && strcmp(report->id, id) == 0;
}

static int is_of_kind(const struct oc_wire_report *report, const void *what)
{
    return report->what == *(const enum oc_wire_is *)what;
}

void notify_result(struct notify_run *run, const char *id, struct oc_wire_report *out_report)
{
    await(run, is_result_of, id, out_report);
}

int notify_result_or_end(struct notify_run *run, const char *id, struct oc_wire_report *out_report)
{
    return await_or_end(run, is_result_of, id, out_report);
}

void notify_report(struct notify_run *run, enum oc_wire_is what, struct oc_wire_report *out_report)
{
    await(run, is_of_kind, &what, out_report);
}

void notify_wait_results(struct notify_run *run, uint64_t count)
{
    struct oc_wire_report report;

    while (run->results < count)
        notify_report(run, OC_WIRE_RESULT, &report);
}

/* ---- the notifier ---- */

static void spawn(struct notify_run *run, const char *const *words)
{
    char *argv[WORDS_MAX];
    int to[2], from[2];

    put_words(argv, needed("OC_NOTIFY"), words);
    ck_assert_int_eq(pipe2(to, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(from, O_CLOEXEC), 0);
    run->pid = fork();
    ck_assert_int_ge(run->pid, 0);
    if (run->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (dup2(to[0], STDIN_FILENO) < 0 || dup2(from[1], STDOUT_FILENO) < 0)
            _exit(126);
        execv(argv[0], argv);
        _exit(127);
    }
    (void)close(to[0]);
    (void)close(from[1]);
    run->to_fd = to[1];
    run->from_fd = from[0];
    ck_assert_int_eq(fcntl(run->to_fd, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(fcntl(run->from_fd, F_SETFL, O_NONBLOCK), 0);
}

void notify_start(struct notify_run *run, const char *const *words)
{
    struct oc_wire_report ready;

    spawn(run, words);
    notify_report(run, OC_WIRE_READY, &ready);
    ck_assert_str_ne(ready.version, "");
}

void notify_start_any(struct notify_run *run, const char *const *words)
{
    const enum oc_wire_is what = OC_WIRE_READY;
    struct oc_wire_report ready;

    spawn(run, words);
    (void)await_or_end(run, is_of_kind, &what, &ready);
}

int notify_end(struct notify_run *run)
{
    int status = 0;

    ck_assert_int_eq(wait_end(run->pid, now_ms() + NOTIFY_DEADLINE_MS, &status), 0);
    run->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* ---- settings ---- */

void notify_settings(struct oc_receiver *out, const char *name, unsigned type, const char *url)
{
    *out = (struct oc_receiver){
        .type = (uint8_t)type, .send_resolved = 1, .starttls = 1, .timeout_ms = 20000
    };
    (void)oc_text_copy(out->name, sizeof(out->name), name);
    if (url)
        ck_assert_int_eq(oc_strings_add(&out->urls, url, strlen(url)), OC_OK);
}
