/*
 * receiver: where tests have alerts sent to. Speaks HTTP/1.1 or SMTP, with TLS where it is given a certificate, answers
 * as it is told and writes what it got to a file, a JSON object a line.
 */
#include "receiver.h"

#include "base/alloc.h"
#include "base/text.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define BACKLOG 512

struct options {
    const char *port, *out, *port_file, *behave, *cert, *key, *user, *password;
    int smtp, starttls, help;
};

static const char help[] =
    "usage: receiver [options]\n"
    "\n"
    "Listens on 127.0.0.1, prints 'listening on 127.0.0.1:PORT' and takes what comes until "
    "SIGTERM.\n"
    "\n"
    "  --port N           listen there (0: any that is free)\n"
    "  --port-file FILE   write the port to FILE, once it listens\n"
    "  --out FILE         append what came to FILE, a JSON object a line: n, connection, "
    "t_unix_ms, tls, behaviour,\n"
    "                     method, path, headers (names in lower case), body; of mail: from, to, "
    "user, body\n"
    "  --behave LIST      how requests are answered: words with commas between, one after the "
    "other, the last for\n"
    "                     all the rest (ok). A path that begins with /do/WORD is answered by that "
    "word.\n"
    "  --cert FILE --key FILE   speak TLS with this certificate and its key\n"
    "  --smtp             take mail\n"
    "  --starttls         TLS once the client asks for it, not from the beginning\n"
    "  --user U --password P    mail: only who logs in with these\n"
    "  --help             this text\n"
    "\n"
    "Words: ok (200) · STATUS (500, 202 …) · STATUS:TEXT (with Retry-After: TEXT; of 3xx Location: "
    "TEXT) · hang · reset · close ·\n"
    "  garbage (no HTTP) · big[:BYTES] (10 MiB of body) · slow[:MS] (a byte each 100 ms) · "
    "delay:MS (ok, later) ·\n"
    "  echo (400, with all that came as its body)\n"
    "Mail: ok · 421 (in place of a greeting) · 530 (at MAIL) · 450, 55x (at RCPT) · other codes "
    "(of the message) · hang · reset\n";

/* ---- what is answered, what is written down ---- */

const char *receiver_behaviour(struct receiver *server, const char *path)
{
    static char word[256];
    size_t at = server->requests > 0 ? (size_t)server->requests - 1 : 0;

    if (strncmp(path, "/do/", 4) == 0) {
        size_t len = strcspn(path + 4, "/?");

        if (len >= sizeof(word))
            len = sizeof(word) - 1;
        memcpy(word, path + 4, len);
        word[len] = '\0';
        return word;
    }
    return server->behaviours[at < server->behaviour_count ? at : server->behaviour_count - 1];
}

void receiver_write_down(struct receiver *server, const struct oc_buf *line)
{
    if (!server->out || line->err < 0)
        return;
    (void)fwrite(line->data, 1, line->len_bytes, server->out);
    (void)fflush(server->out);
}

/* ---- options ---- */

static int set_option(struct options *options, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **at;
    } texts[] = {
        { "--port", &options->port },           { "--out", &options->out },
        { "--port-file", &options->port_file }, { "--behave", &options->behave },
        { "--cert", &options->cert },           { "--key", &options->key },
        { "--user", &options->user },           { "--password", &options->password },
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(name, texts[i].name) == 0 && value) {
            *texts[i].at = value;
            return 2;
        }
    }
    options->smtp |= strcmp(name, "--smtp") == 0;
    options->starttls |= strcmp(name, "--starttls") == 0;
    options->help |= strcmp(name, "--help") == 0;
    return strcmp(name, "--smtp") == 0 || strcmp(name, "--starttls") == 0 ||
                   strcmp(name, "--help") == 0
               ? 1
               : 0;
}

static int parse(int argc, char **argv, struct options *out)
{
    int taken = 0;

    for (int i = 1; i < argc; i += taken) {
        taken = set_option(out, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
        if (taken == 0) {
            (void)fprintf(stderr, "receiver: '%s' is no option, or wants a value: --help\n",
                          argv[i]);
            return -1;
        }
    }
    return 0;
}

/* Cuts list at its commas. */
static void set_behaviours(struct receiver *server, char *list)
{
    for (char *word = strtok(list, ","); word && server->behaviour_count < BEHAVIOURS_MAX;
         word = strtok(NULL, ","))
        server->behaviours[server->behaviour_count++] = word;
    if (server->behaviour_count == 0)
        server->behaviours[server->behaviour_count++] = "ok";
}

static int start_tls(struct receiver *server, const struct options *options)
{
    server->tls = SSL_CTX_new(TLS_server_method());
    if (!server->tls || SSL_CTX_use_certificate_chain_file(server->tls, options->cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(server->tls, options->key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        return -1;
    }
    server->tls_at_once = !options->starttls;
    return 0;
}

/* ---- the server ---- */

static void on_connection(uv_stream_t *stream, int status)
{
    if (status == 0)
        conn_accept(stream->data);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(handle->loop);
}

static int tell_port(const struct receiver *server, const char *path)
{
    struct sockaddr_in address;
    int bytes = sizeof(address);
    FILE *file = NULL;
    int ok = 0;

    if (uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&address, &bytes) != 0)
        return -1;
    if (path) {
        file = fopen(path, "w");
        if (!file)
            return -1;
        ok = fprintf(file, "%u\n", ntohs(address.sin_port)) > 0;
        if (fclose(file) != 0 || !ok)
            return -1;
    }
    (void)printf("listening on 127.0.0.1:%u\n", ntohs(address.sin_port));
    return fflush(stdout) == 0 ? 0 : -1;
}

static int listen_at(struct receiver *server, const struct options *options)
{
    struct sockaddr_in address;
    uint64_t port = 0;

    if (options->port && (oc_text_u64(options->port, &port) < 0 || port > 65535))
        return -1;
    server->tcp.data = server;
    if (uv_tcp_init(&server->loop, &server->tcp) != 0 ||
        uv_ip4_addr("127.0.0.1", (int)port, &address) != 0 ||
        uv_tcp_bind(&server->tcp, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&server->tcp, BACKLOG, on_connection) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        (void)uv_signal_init(&server->loop, &server->signals[i]);
        (void)uv_signal_start(&server->signals[i], on_signal, i == 0 ? SIGTERM : SIGINT);
    }
    return tell_port(server, options->port_file);
}

static int run(struct receiver *server, const struct options *options)
{
    char *list = oc_strdup(options->behave ? options->behave : "ok");

    if (!list)
        return 1;
    set_behaviours(server, list);
    server->is_smtp = options->smtp;
    server->user = options->user;
    server->password = options->password ? options->password : "";
    server->out = options->out ? fopen(options->out, "a") : NULL;
    if ((options->out && !server->out) || (options->cert && start_tls(server, options) < 0) ||
        uv_loop_init(&server->loop) != 0 || listen_at(server, options) < 0) {
        (void)fprintf(stderr, "receiver: cannot start: port, files or certificate\n");
        oc_free(list);
        return 1;
    }
    (void)uv_run(&server->loop, UV_RUN_DEFAULT);
    if (server->out)
        (void)fclose(server->out);
    SSL_CTX_free(server->tls);
    oc_free(list);
    return 0; /* connections and loop end with the process */
}

int main(int argc, char **argv)
{
    static struct receiver server;
    struct options options = { 0 };

    (void)signal(SIGPIPE, SIG_IGN);
    if (parse(argc, argv, &options) < 0)
        return 2;
    if (options.help)
        return fputs(help, stdout) >= 0 ? 0 : 1;
    return run(&server, &options);
}
