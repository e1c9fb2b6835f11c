#include "tests/integration/alert_stage.h"

#include "tests/integration/cli_run.h"
#include "tests/integration/harness.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define POLL_US 50000
#define MAX_PROGRAMS 32
#define STOP_MS 20000

static struct {
    char dir[128];
    pid_t daemon, receiver;
    pid_t programs[MAX_PROGRAMS];
    size_t program_count;
    int port;
} stage;

static char *word(const char *text) { return (char *)(uintptr_t)text; }

const char *stage_dir(void) { return stage.dir; }
pid_t stage_daemon_pid(void) { return stage.daemon; }

void stage_begin(const char *name)
{
    memset(&stage, 0, sizeof(stage));
    ck_assert_int_eq(make_folder(name, stage.dir, sizeof(stage.dir)), 0);
    ck_assert_int_eq(setenv("D", stage.dir, 1), 0);
    ck_assert_int_eq(setenv("OOMCAST_DB", stage.dir, 1), 0);
    ck_assert_int_eq(setenv("LC_ALL", "C.UTF-8", 1), 0);
}

void stage_end(void)
{
    stop(stage.daemon, SIGKILL);
    stop(stage.receiver, SIGKILL);
    for (size_t i = 0; i < stage.program_count; i++)
        stop(stage.programs[i], SIGKILL);
    remove_folder(stage.dir);
}

/* ---- waiting ---- */

void eventually_within(const char *line, int64_t within_ms)
{
    int64_t deadline_ms = now_ms() + within_ms;

    while (run(line) != 0) {
        ck_assert_msg(now_ms() < deadline_ms, "%s: %s%s", line, out, err);
        (void)usleep(POLL_US);
    }
}

void eventually(const char *line) { eventually_within(line, STAGE_DEADLINE_MS); }

void at_once(const char *line) { ck_assert_msg(run(line) == 0, "%s: %s%s", line, out, err); }

/* ---- programs ---- */

pid_t stage_program(char *const argv[])
{
    pid_t pid = start(argv, STDIN_FILENO, STDIN_FILENO);

    ck_assert_int_gt(pid, 0);
    ck_assert_uint_lt(stage.program_count, MAX_PROGRAMS);
    stage.programs[stage.program_count++] = pid;
    return pid;
}

void stage_program_stop(pid_t pid, int signal_number)
{
    for (size_t i = 0; i < stage.program_count; i++) {
        if (stage.programs[i] == pid)
            stage.programs[i] = 0;
    }
    stop(pid, signal_number);
}

pid_t stage_leaker(const char *name, const char *base)
{
    char *argv[] = { getenv("OC_LEAKER"), word("idle"),  word("--base"), word(base), word("--name"),
                     word(name),          word("--for"), word("900"),    NULL };
    pid_t pid = start_ready(argv);

    ck_assert_int_gt(pid, 0);
    ck_assert_uint_lt(stage.program_count, MAX_PROGRAMS);
    stage.programs[stage.program_count++] = pid;
    return pid;
}

void stage_receiver(const char *behave)
{
    char out_file[200], port_file[200], port[16];
    char *argv[] = { getenv("OC_RECEIVER"),
                     word("--port"),
                     port,
                     word("--out"),
                     out_file,
                     word("--port-file"),
                     port_file,
                     word("--behave"),
                     word(behave ? behave : "ok"),
                     NULL };

    (void)snprintf(out_file, sizeof(out_file), "%s/received", stage.dir);
    (void)snprintf(port_file, sizeof(port_file), "%s/port", stage.dir);
    (void)snprintf(port, sizeof(port), "%d", stage.port);
    stage.receiver = start_ready(argv);
    ck_assert_int_gt(stage.receiver, 0);
    eventually("test -s \"$D/port\"");
    at_once("cat \"$D/port\"");
    stage.port = (int)strtol(out, NULL, 10);
}

void stage_receiver_stop(void)
{
    stop(stage.receiver, SIGKILL);
    stage.receiver = 0;
}

int stage_free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

/* Without run(), which may only be called while a test runs. */
int stage_can(const char *line)
{
    char *argv[] = { word("/bin/sh"), word("-c"), word(line), NULL };
    pid_t pid = start(argv, STDIN_FILENO, STDIN_FILENO);
    int status = -1;

    return pid > 0 && wait_end(pid, now_ms() + STOP_MS, &status) == 0 && status == 0;
}

int stage_has(const char *program, const char *test, const char *package)
{
    char line[300];

    (void)snprintf(line, sizeof(line), "command -v %s >/dev/null", program);
    if (stage_can(line))
        return 1;
    printf("SKIP %s: no %s here (package %s)\n", test, program, package);
    return 0;
}

/* ---- the daemon ---- */

void stage_config(const char *text)
{
    static char line[8192];
    int len = snprintf(line, sizeof(line), "cat >\"$D/config.json\" <<END\n%s\nEND\n", text);

    ck_assert_int_lt(len, (int)sizeof(line) - 1);
    at_once(line);
    at_once("\"$O\" config check \"$D/config.json\"");
}

void stage_config_too_big(const char *more)
{
    static char text[6144];

    (void)snprintf(
        text, sizeof(text),
        "{ \"interval\": \"200ms\", \"discovery_interval\": \"1s\", \"batch\": \"100ms\", "
        "\"group_wait\": \"1s\",\n"
        "  \"targets\": [ { \"name\": \"alert-*\" } ],\n"
        "  \"rules\": [ { \"name\": \"TooBig\", \"kind\": \"threshold\", \"metric\": "
        "\"private_bytes\", \"enter\": \"40MiB\", \"for\": \"0s\", \"keep\": \"0s\", "
        "\"severity\": \"critical\" } ]%s }",
        more);
    stage_config(text);
}

void stage_daemon(void)
{
    char config[200];
    char *argv[] = { getenv("OC_OOMCASTD"),
                     word("--foreground"),
                     word("--data"),
                     stage.dir,
                     word("--config"),
                     config,
                     NULL };

    (void)snprintf(config, sizeof(config), "%s/config.json", stage.dir);
    stage.daemon = start(argv, STDIN_FILENO, STDIN_FILENO);
    ck_assert_int_gt(stage.daemon, 0);
    eventually("\"$O\" status");
}

void stage_daemon_stop(int signal_number)
{
    int status = 0;

    ck_assert_int_eq(kill(stage.daemon, signal_number), 0);
    ck_assert_int_eq(wait_end(stage.daemon, now_ms() + STOP_MS, &status), 0);
    stage.daemon = 0;
}
