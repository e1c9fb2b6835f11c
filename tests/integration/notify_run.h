/* A real oomcast-notify under test, spoken to as oomcastd does, and the servers that it delivers to. */
#ifndef OC_TESTS_INTEGRATION_NOTIFY_RUN_H
#define OC_TESTS_INTEGRATION_NOTIFY_RUN_H

#include "alert/wire.h"
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NOTIFY_DEADLINE_MS 30000
#define NOTIFY_SERVERS_MAX 4

struct notify_server {
    pid_t pid;
    unsigned port;
    char out[192]; /* what it got */
};

struct notify_run {
    char dir[128];
    pid_t pid;
    int to_fd, from_fd; /* its standard input and output; -1: closed */
    struct oc_buf came; /* reports not yet asked for */
    struct notify_server servers[NOTIFY_SERVERS_MAX];
    size_t server_count;
    uint64_t results; /* that came */
};

/* All assert on failure. */
void notify_setup(struct notify_run *run);
void notify_teardown(struct notify_run *run);

/* Starts it with these further words (NULL at the end) and waits until it is ready. */
void notify_start(struct notify_run *run, const char *const *words);
/* The same where it may end before it is ready: run->from_fd is -1 then. */
void notify_start_any(struct notify_run *run, const char *const *words);
/* Its exit status, once it ended; -signal where one ended it. */
int notify_end(struct notify_run *run);

/* Starts a test receiver with these words; its url is "http://127.0.0.1:PORT". */
struct notify_server *notify_serve(struct notify_run *run, const char *const *words);
/* All that it wrote down, NUL-terminated; yours to free with oc_free(). Waits until it has at least `lines`. */
char *notify_served(const struct notify_server *server, size_t lines);

/* A self-signed certificate for 127.0.0.1 (or another name) in the run's folder: NAME.pem, NAME.key. 0; -1: no openssl. */
int notify_certificate(const struct notify_run *run, const char *name, const char *subject);

/* ---- the pipe ---- */
void notify_say(struct notify_run *run, const char *bytes, size_t len_bytes); /* reads meanwhile */
void notify_tell(struct notify_run *run, const struct oc_receiver *settings);
void notify_deliver(struct notify_run *run, const char *id, const char *receiver, const char *body);
void notify_deliver_with(struct notify_run *run, const struct oc_wire_delivery *delivery);
/* Waits for the result of that id; what comes meanwhile is kept for later. */
void notify_result(struct notify_run *run, const char *id, struct oc_wire_report *out_report);
/* The same where it may end instead: 1, or 0, and run->from_fd is -1. */
int notify_result_or_end(struct notify_run *run, const char *id, struct oc_wire_report *out_report);
/* Waits for the next report of that kind. */
void notify_report(struct notify_run *run, enum oc_wire_is what, struct oc_wire_report *out_report);
/* Reads and drops until so many results came in all. */
void notify_wait_results(struct notify_run *run, uint64_t count);

/* Receivers of a kind as a config would make them; texts are copied. */
void notify_settings(struct oc_receiver *out, const char *name, unsigned type, const char *url);

#endif
