/*
 * A stage for alerts: a folder, a daemon, a receiver on the loopback, processes that a rule is about; asked by shell lines
 * (cli_run.h), in which $O is oomcast, $D the folder, and the store is found by itself. Asserts on failure.
 */
#ifndef OC_TESTS_INTEGRATION_ALERT_STAGE_H
#define OC_TESTS_INTEGRATION_ALERT_STAGE_H

#include <stdint.h>
#include <sys/types.h>

#define STAGE_DEADLINE_MS 30000

/* The folder alone. */
void stage_begin(const char *name);
/* Ends what runs, and removes the folder. */
void stage_end(void);
const char *stage_dir(void);

/* A process of a name that holds so much; "64M". */
pid_t stage_leaker(const char *name, const char *base);

/* A receiver of HTTP that behaves so (NULL: ok). It writes what it gets to $D/received, its port to $D/port. The same port again
 * after stage_receiver_stop(). */
void stage_receiver(const char *behave);
void stage_receiver_stop(void);

/* $D/config.json; the text goes through a here-document of the shell, so that $(cat "$D/port") may stand in it. */
void stage_config(const char *text);
/* Settings for a look five times a second at processes "alert-*", a rule TooBig (critical, private bytes of 40 MiB, at once), and
 * a group_wait of a second; more: further members, beginning with a comma. */
void stage_config_too_big(const char *more);

void stage_daemon(void);
/* Ends it: SIGTERM in order, SIGKILL not. */
void stage_daemon_stop(int signal_number);
pid_t stage_daemon_pid(void);

/* Any other program: killed by stage_end(). */
pid_t stage_program(char *const argv[]);
void stage_program_stop(pid_t pid, int signal_number);

/* A TCP port of the loopback that is free now. */
int stage_free_port(void);
/* Whether a shell line succeeds; before any test runs. */
int stage_can(const char *line);
/* Whether a program can be run; where not, says "SKIP test: why". */
int stage_has(const char *program, const char *test, const char *package);

/* A shell line that is to succeed before the deadline. */
void eventually(const char *line);
void eventually_within(const char *line, int64_t within_ms);
/* One that is to succeed now. */
void at_once(const char *line);

#endif
