/* What the files of the test receiver share: connections with or without TLS, what a request is answered with, what is written down. */
#ifndef OC_TESTS_PROGRAMS_RECEIVER_H
#define OC_TESTS_PROGRAMS_RECEIVER_H

#include "base/buf.h"

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <uv.h>

#define BEHAVIOURS_MAX 64
#define INPUT_MAX (32u << 20)

struct receiver {
    uv_loop_t loop;
    uv_tcp_t tcp;
    uv_signal_t signals[2];
    SSL_CTX *tls; /* NULL: none */
    FILE *out;    /* NULL: nothing is written down */
    const char *behaviours[BEHAVIOURS_MAX];
    size_t behaviour_count;
    uint64_t requests, connections;
    int is_smtp; /* else HTTP */
    int tls_at_once;
    const char *user, *password; /* SMTP: asked for; NULL: not */
};

/* SMTP: where in the talk a client is. */
struct mail {
    char from[256];
    struct oc_buf to; /* as items of a JSON list */
    struct oc_buf data;
    char user[128];
    int is_authenticated, in_data, wants_login;
};

struct conn {
    uv_tcp_t tcp;
    uv_timer_t timer;
    struct receiver *server;
    uint64_t number;
    SSL *ssl; /* NULL: plain */
    BIO *from_net, *to_net;
    struct oc_buf input; /* plain bytes not yet used */
    struct oc_buf drip;  /* an answer that goes out byte by byte, or later */
    size_t drip_at;
    int is_dripping; /* else all of it, once */
    int waits;       /* nothing more is answered until the timer says so */
    int hangs;       /* nothing is answered any more */
    int closing, open_handles;
    struct mail mail;
};

/* The answer that is due: by the path "/do/WORD/…", else the next word of --behave. Borrowed until the next call. */
const char *receiver_behaviour(struct receiver *server, const char *path);
/* A line of JSON to the file. */
void receiver_write_down(struct receiver *server, const struct oc_buf *line);

/* ---- connections ---- */
void conn_accept(struct receiver *server);
void conn_send(struct conn *conn, const void *bytes, size_t len_bytes);
/* Takes len_bytes off the front of what came. */
void conn_used(struct conn *conn, size_t len_bytes);
void conn_begin_tls(struct conn *conn);
void conn_close(struct conn *conn);
/* With a reset in place of an orderly end. */
void conn_reset(struct conn *conn);
/* Sends conn->drip byte by byte each interval_ms, or all of it once after that. */
void conn_send_later(struct conn *conn, uint64_t interval_ms, int byte_by_byte);

/* ---- what came; each returns when more bytes are wanted ---- */
void http_input(struct conn *conn);
void smtp_greet(struct conn *conn);
void smtp_input(struct conn *conn);

#endif
