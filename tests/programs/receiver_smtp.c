/* SMTP as far as a client of tests needs it: STARTTLS, AUTH PLAIN and LOGIN, one message after the other. */
#include "receiver.h"

#include "base/os.h"
#include "base/text.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void say(struct conn *conn, const char *line) { conn_send(conn, line, strlen(line)); }

/* "451" is said in place of the answer at the step that it belongs to; else the usual one. */
static void say_or(struct conn *conn, const char *word, const char *usual)
{
    if (strtol(word, NULL, 10) >= 400) {
        say(conn, word);
        say(conn, " made up\r\n");
    } else {
        say(conn, usual);
    }
}

void smtp_greet(struct conn *conn)
{
    const char *word = conn->server->behaviours[0];

    if (strcmp(word, "hang") == 0)
        conn->hangs = 1;
    else
        say_or(conn, strcmp(word, "421") == 0 ? word : "", "220 receiver ESMTP\r\n");
}

static void say_hello(struct conn *conn)
{
    say(conn, "250-receiver\r\n");
    if (conn->server->tls && !conn->ssl)
        say(conn, "250-STARTTLS\r\n");
    if (conn->server->user)
        say(conn, "250-AUTH PLAIN LOGIN\r\n");
    say(conn, "250 8BITMIME\r\n");
}

static void check_login(struct conn *conn, const char *user, const char *password)
{
    conn->mail.is_authenticated = conn->server->user && strcmp(user, conn->server->user) == 0 &&
                                  strcmp(password, conn->server->password) == 0;
    (void)oc_text_copy(conn->mail.user, sizeof(conn->mail.user), user);
    say(conn, conn->mail.is_authenticated ? "235 welcome\r\n" : "535 not you\r\n");
}

/* NUL user NUL password, in base64. */
static void login_plain(struct conn *conn, const char *base64)
{
    unsigned char text[512] = "";
    size_t len = strlen(base64);
    const char *user = NULL;

    if (len == 0 || len > 600 ||
        EVP_DecodeBlock(text, (const unsigned char *)base64, (int)len) < 0) {
        say(conn, "501 no base64\r\n");
        return;
    }
    user = (const char *)text + strlen((const char *)text) + 1;
    check_login(conn, user, user + strlen(user) + 1);
}

static void take_from(struct conn *conn, const char *address, const char *word)
{
    if (conn->server->user && !conn->mail.is_authenticated) {
        say(conn, "530 log in first\r\n");
        return;
    }
    (void)oc_text_copy(conn->mail.from, sizeof(conn->mail.from), address);
    oc_buf_reset(&conn->mail.to);
    say_or(conn, strcmp(word, "530") == 0 ? word : "", "250 ok\r\n");
}

static void take_to(struct conn *conn, const char *address, const char *word)
{
    if (strncmp(word, "55", 2) == 0 || strcmp(word, "450") == 0) {
        say_or(conn, word, "");
        return;
    }
    if (conn->mail.to.len_bytes > 0)
        oc_buf_putc(&conn->mail.to, ',');
    oc_buf_json_string(&conn->mail.to, address);
    say(conn, "250 ok\r\n");
}

static void take_word(struct conn *conn, char *line)
{
    const char *word = conn->server->behaviours[0];

    if (strncasecmp(line, "EHLO", 4) == 0 || strncasecmp(line, "HELO", 4) == 0) {
        say_hello(conn);
    } else if (strcasecmp(line, "STARTTLS") == 0 && conn->server->tls && !conn->ssl) {
        say(conn, "220 go ahead\r\n");
        conn_begin_tls(conn);
    } else if (strncasecmp(line, "AUTH PLAIN ", 11) == 0) {
        login_plain(conn, line + 11);
    } else if (strcasecmp(line, "AUTH PLAIN") == 0) {
        conn->mail.wants_login = 1;
        say(conn, "334 \r\n");
    } else if (strncasecmp(line, "MAIL FROM:", 10) == 0) {
        take_from(conn, line + 10, word);
    } else if (strncasecmp(line, "RCPT TO:", 8) == 0) {
        take_to(conn, line + 8, word);
    } else if (strcasecmp(line, "DATA") == 0) {
        conn->mail.in_data = 1;
        oc_buf_reset(&conn->mail.data);
        say(conn, "354 go on\r\n");
    } else if (strcasecmp(line, "QUIT") == 0) {
        say(conn, "221 bye\r\n");
    } else if (strcasecmp(line, "RSET") == 0 || strcasecmp(line, "NOOP") == 0) {
        say(conn, "250 ok\r\n");
    } else {
        say(conn, "500 what?\r\n");
    }
}

static void write_down(struct conn *conn, const char *word)
{
    struct oc_buf line;

    oc_buf_init(&line, 2 * INPUT_MAX);
    oc_buf_printf(&line, "{\"n\":%" PRIu64 ",\"connection\":%" PRIu64 ",\"t_unix_ms\":%" PRId64,
                  conn->server->requests, conn->number, oc_clock_unix_ms());
    oc_buf_printf(&line, ",\"tls\":%s,\"behaviour\":", conn->ssl ? "true" : "false");
    oc_buf_json_string(&line, word);
    oc_buf_puts(&line, ",\"from\":");
    oc_buf_json_string(&line, conn->mail.from);
    oc_buf_printf(&line, ",\"to\":[%s],\"user\":", conn->mail.to.data ? conn->mail.to.data : "");
    oc_buf_json_string(&line, conn->mail.user);
    oc_buf_puts(&line, ",\"body\":");
    oc_buf_json_string(&line, conn->mail.data.data ? conn->mail.data.data : "");
    oc_buf_puts(&line, "}\n");
    receiver_write_down(conn->server, &line);
    oc_buf_clear(&line);
}

static void end_message(struct conn *conn)
{
    const char *word = receiver_behaviour(conn->server, "");

    conn->mail.in_data = 0;
    conn->server->requests++;
    write_down(conn, word);
    if (strcmp(word, "reset") == 0)
        conn_reset(conn);
    else if (strcmp(word, "hang") == 0)
        conn->hangs = 1;
    else
        say_or(conn, word, "250 queued\r\n");
}

static void take_line(struct conn *conn, char *line)
{
    if (conn->mail.in_data && strcmp(line, ".") == 0) {
        end_message(conn);
    } else if (conn->mail.in_data) {
        oc_buf_puts(&conn->mail.data, line[0] == '.' ? line + 1 : line);
        oc_buf_puts(&conn->mail.data, "\r\n");
    } else if (conn->mail.wants_login) {
        conn->mail.wants_login = 0;
        login_plain(conn, line);
    } else {
        take_word(conn, line);
    }
}

void smtp_input(struct conn *conn)
{
    char *end = NULL;

    while (!conn->closing && !conn->hangs && conn->input.len_bytes > 0 &&
           (end = strstr(conn->input.data, "\r\n")) != NULL) {
        size_t len = (size_t)(end - conn->input.data);

        *end = '\0';
        take_line(conn, conn->input.data);
        conn_used(conn, len + 2);
    }
}
