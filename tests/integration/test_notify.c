/* The real oomcast-notify and servers that behave in every way that servers do. */
#include "tests/integration/harness.h"
#include "tests/integration/notify_run.h"

#include "base/alloc.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <check.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct notify_run run;

static void setup(void) { notify_setup(&run); }
static void teardown(void) { notify_teardown(&run); }

static const char *url_of(const struct notify_server *server, const char *path)
{
    static char url[256];

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", server->port, path);
    return url;
}

static const char *path_in(const char *name)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", run.dir, name);
    return path;
}

/* A receiver at that address is told of, and a delivery of the same name goes to it. */
static void send_to(const char *name, unsigned type, const char *url, int64_t timeout_ms)
{
    struct oc_receiver settings;

    notify_settings(&settings, name, type, url);
    settings.timeout_ms = timeout_ms;
    notify_tell(&run, &settings);
    oc_receiver_clear(&settings);
    notify_deliver(&run, name, name, "{\"a\":1}");
}

/* ---- what servers answer ---- */

struct behaviour {
    const char *word;
    enum oc_delivery_outcome outcome;
    int32_t status;
    int64_t retry_after_ms;
    int64_t timeout_ms;
    const char *why; /* a part of it */
};

static const struct behaviour behaviours[] = {
    { "ok", OC_DELIVERY_SENT, 200, 0, 20000, "" },
    { "202", OC_DELIVERY_SENT, 202, 0, 20000, "" },
    { "204", OC_DELIVERY_SENT, 204, 0, 20000, "" },
    { "302:http:%2f%2fx", OC_DELIVERY_SLOW, 302, 0, 20000, "redirects are not followed" },
    { "400", OC_DELIVERY_NEVER, 400, 0, 20000, "refused it (400): ok" },
    { "401", OC_DELIVERY_SLOW, 401, 0, 20000, "credentials" },
    { "403", OC_DELIVERY_SLOW, 403, 0, 20000, "forbids" },
    { "404", OC_DELIVERY_SLOW, 404, 0, 20000, "nothing at that address" },
    { "408", OC_DELIVERY_LATER, 408, 0, 20000, "later" },
    { "413", OC_DELIVERY_NEVER, 413, 0, 20000, "refused" },
    { "425", OC_DELIVERY_LATER, 425, 0, 20000, "later" },
    { "429:7", OC_DELIVERY_LATER, 429, 7000, 20000, "later" },
    { "500", OC_DELIVERY_LATER, 500, 0, 20000, "failed (500)" },
    { "503:999999999", OC_DELIVERY_LATER, 503, 86400000, 20000, "failed (503)" },
    { "hang", OC_DELIVERY_LATER, 0, 0, 300, "no answer from http://127.0.0.1:" },
    { "reset", OC_DELIVERY_LATER, 0, 0, 20000, "broke the connection" },
    { "close", OC_DELIVERY_LATER, 0, 0, 20000, "broke the connection" },
    { "garbage", OC_DELIVERY_LATER, 0, 0, 20000, "not in HTTP" },
    { "big", OC_DELIVERY_SENT, 200, 0, 20000, "" },
    { "slow:2", OC_DELIVERY_SENT, 200, 0, 20000, "" },
    { "slow", OC_DELIVERY_LATER, 0, 0, 300, "no answer from" },
};
#define BEHAVIOURS ((int)(sizeof(behaviours) / sizeof(behaviours[0])))

START_TEST(each_answer_has_its_outcome)
{
    const struct behaviour *b = &behaviours[_i];
    struct notify_server *server = notify_serve(&run, NULL);
    struct oc_wire_report report;
    char path[64];

    notify_start(&run, NULL);
    (void)snprintf(path, sizeof(path), "/do/%s", b->word);
    send_to("r", OC_RECEIVER_WEBHOOK, url_of(server, path), b->timeout_ms);
    notify_result(&run, "r", &report);
    ck_assert_msg(report.outcome == b->outcome && report.status == b->status, "%s: %d, %d, '%s'",
                  b->word, (int)report.outcome, (int)report.status, report.why);
    ck_assert_int_eq(report.retry_after_ms, b->retry_after_ms);
    ck_assert_msg(strstr(report.why, b->why) != NULL, "%s: '%s'", b->word, report.why);
    ck_assert_ptr_null(strstr(report.why, "/do/")); /* what is behind the host may be a secret */
}
END_TEST

START_TEST(nobody_listens)
{
    struct oc_wire_report report;

    notify_start(&run, NULL);
    send_to("port", OC_RECEIVER_WEBHOOK, "http://127.0.0.1:9/secret", 20000);
    notify_result(&run, "port", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_LATER);
    ck_assert_str_eq(report.why, "no connection to http://127.0.0.1:9: Connection refused");
    send_to("name", OC_RECEIVER_WEBHOOK, "http://no-such-host.invalid/secret", 20000);
    notify_result(&run, "name", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_LATER);
    send_to("kind", OC_RECEIVER_WEBHOOK, "file:///etc/passwd", 20000);
    notify_result(&run, "kind", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SLOW);
    ck_assert_str_eq(report.answer, "");
}
END_TEST

/* A name server on 127.0.0.9 that takes questions and never answers, for this process alone. Its socket, or -1. */
static int be_silent_name_server(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(53) };
    char path[160];
    FILE *file = NULL;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)snprintf(path, sizeof(path), "%s/resolv.conf", run.dir);
    file = fopen(path, "we");
    if (!file)
        return -1;
    (void)fputs("nameserver 127.0.0.9\n", file);
    (void)fclose(file);
    (void)chmod(path, 0644);
    (void)inet_pton(AF_INET, "127.0.0.9", &address.sin_addr);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
        unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* libcurl waits for a lookup that it cannot break off, unless it is told not to: then the other's answer came too late. */
START_TEST(silent_name_server_holds_up_nobody)
{
    struct notify_server *server = notify_serve(&run, NULL);
    int fd = be_silent_name_server();
    struct oc_wire_report report;

    if (fd < 0) {
        (void)printf("SKIP silent_name_server_holds_up_nobody: may not mount\n");
        return;
    }
    notify_start(&run, NULL);
    send_to("works", OC_RECEIVER_WEBHOOK, url_of(server, "/do/delay:600"), 3000);
    send_to("name", OC_RECEIVER_WEBHOOK, "http://some.example.org/", 300);
    notify_result(&run, "works", &report);
    ck_assert_msg(report.outcome == OC_DELIVERY_SENT, "%s", report.why);
    notify_result(&run, "name", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_LATER);
    ck_assert_str_eq(report.why, "no connection to http://some.example.org within 0.3 s");
    (void)umount("/etc/resolv.conf");
    (void)close(fd);
}
END_TEST

/* ---- what is sent ---- */

START_TEST(webhook_is_signed_by_each_secret)
{
    struct notify_server *server = notify_serve(&run, NULL);
    struct oc_receiver settings;
    struct oc_wire_report report;
    char *got = NULL;

    notify_start(&run, NULL);
    notify_settings(&settings, "w", OC_RECEIVER_WEBHOOK, url_of(server, "/hook"));
    ck_assert_int_eq(
        oc_strings_add(&settings.signing, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38), OC_OK);
    ck_assert_int_eq(oc_strings_add(&settings.signing, "the old one", 11), OC_OK);
    settings.auth = OC_AUTH_BEARER;
    settings.secret = oc_strdup("token-of-the-receiver");
    notify_tell(&run, &settings);
    oc_receiver_clear(&settings);
    notify_deliver(&run, "msg_1", "w", "{\"x\":\"\\u00e9\"}");
    notify_result(&run, "msg_1", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SENT);
    got = notify_served(server, 1);
    ck_assert_ptr_nonnull(strstr(got, "\"method\":\"POST\",\"path\":\"/hook\""));
    ck_assert_ptr_nonnull(strstr(got, "\"webhook-id\":\"msg_1\""));
    ck_assert_ptr_nonnull(strstr(got, "\"webhook-timestamp\":\""));
    ck_assert_ptr_nonnull(strstr(got, "\"webhook-signature\":\"v1,"));
    ck_assert_ptr_nonnull(strstr(got, "= v1,")); /* both secrets */
    ck_assert_ptr_nonnull(strstr(got, "\"authorization\":\"Bearer token-of-the-receiver\""));
    ck_assert_ptr_nonnull(strstr(got, "\"content-type\":\"application/json\""));
    oc_free(got);
}
END_TEST

START_TEST(basic_and_header_prove_who_it_is)
{
    struct notify_server *server = notify_serve(&run, NULL);
    struct oc_receiver settings;
    struct oc_wire_report report;
    char *got = NULL;

    notify_start(&run, NULL);
    notify_settings(&settings, "b", OC_RECEIVER_SLACK, url_of(server, "/"));
    settings.auth = OC_AUTH_BASIC;
    (void)oc_text_copy(settings.user, sizeof(settings.user), "ops");
    settings.secret = oc_strdup("password");
    notify_tell(&run, &settings);
    (void)oc_text_copy(settings.name, sizeof(settings.name), "h");
    (void)oc_text_copy(settings.user, sizeof(settings.user), "X-Api-Key");
    settings.auth = OC_AUTH_HEADER;
    notify_tell(&run, &settings);
    oc_receiver_clear(&settings);
    notify_deliver(&run, "1", "b", "{}");
    notify_result(&run, "1", &report);
    notify_deliver(&run, "2", "h", "{}");
    notify_result(&run, "2", &report);
    got = notify_served(server, 2);
    ck_assert_ptr_nonnull(strstr(got, "\"authorization\":\"Basic b3BzOnBhc3N3b3Jk\""));
    ck_assert_ptr_nonnull(strstr(got, "\"x-api-key\":\"password\""));
    ck_assert_ptr_null(strstr(got, "webhook-id")); /* of webhooks alone */
    oc_free(got);
}
END_TEST

START_TEST(secrets_that_a_server_echoes_are_not_shown)
{
    struct notify_server *server = notify_serve(&run, NULL);
    struct oc_receiver settings;
    struct oc_wire_report report;

    notify_start(&run, NULL);
    notify_settings(&settings, "e", OC_RECEIVER_WEBHOOK, url_of(server, "/do/echo/T0PS/s3cr3t"));
    settings.auth = OC_AUTH_BASIC;
    (void)oc_text_copy(settings.user, sizeof(settings.user), "ops");
    settings.secret = oc_strdup("password");
    notify_tell(&run, &settings);
    oc_receiver_clear(&settings);
    notify_deliver(&run, "e", "e", "{}");
    notify_result(&run, "e", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_NEVER);
    ck_assert_ptr_nonnull(strstr(report.answer, "Authorization: Basic ****"));
    ck_assert_ptr_null(strstr(report.answer, "b3BzOnBhc3N3b3Jk"));
    ck_assert_ptr_null(strstr(report.answer, "s3cr3t"));
    ck_assert_ptr_null(strstr(report.why, "s3cr3t"));
}
END_TEST

START_TEST(alertmanager_is_posted_to_each_peer)
{
    struct notify_server *one = notify_serve(&run, NULL), *two = notify_serve(&run, NULL);
    struct oc_receiver settings;
    struct oc_wire_report report;
    struct oc_wire_delivery delivery = { .id = "level-1",
                                         .receiver = "am",
                                         .url = 1,
                                         .body = (char *)(uintptr_t) "[]",
                                         .body_bytes = 2 };
    char *got = NULL;

    notify_start(&run, NULL);
    notify_settings(&settings, "am", OC_RECEIVER_ALERTMANAGER, url_of(one, "/"));
    ck_assert_int_eq(
        oc_strings_add(&settings.urls, url_of(two, "/prefix"), strlen(url_of(two, "/prefix"))),
        OC_OK);
    notify_tell(&run, &settings);
    oc_receiver_clear(&settings);
    notify_deliver_with(&run, &delivery);
    notify_result(&run, "level-1", &report);
    got = notify_served(two, 1);
    ck_assert_ptr_nonnull(strstr(got, "\"path\":\"/prefix/api/v2/alerts\""));
    oc_free(got);
    delivery.url = 0;
    notify_deliver_with(&run, &delivery);
    notify_result(&run, "level-1", &report);
    got = notify_served(one, 1);
    ck_assert_ptr_nonnull(strstr(got, "\"path\":\"/api/v2/alerts\""));
    oc_free(got);
    delivery.url = 2;
    notify_deliver_with(&run, &delivery);
    notify_result(&run, "level-1", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SLOW);
}
END_TEST

START_TEST(heartbeat_is_a_get)
{
    struct notify_server *server = notify_serve(&run, NULL);
    struct oc_wire_report report;
    char *got = NULL;

    notify_start(&run, NULL);
    send_to("beat", OC_RECEIVER_HEARTBEAT, url_of(server, "/ping/uuid"), 20000);
    notify_result(&run, "beat", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SENT);
    got = notify_served(server, 1);
    ck_assert_ptr_nonnull(strstr(got, "\"method\":\"GET\",\"path\":\"/ping/uuid\""));
    oc_free(got);
}
END_TEST

START_TEST(proxy_of_the_receiver_is_used_and_none_of_the_environment)
{
    struct notify_server *server = notify_serve(&run, NULL);
    struct oc_receiver settings;
    struct oc_wire_report report;
    char *got = NULL;

    (void)setenv("http_proxy", "http://127.0.0.1:9", 1);
    notify_start(&run, NULL);
    (void)unsetenv("http_proxy");
    send_to("direct", OC_RECEIVER_WEBHOOK, url_of(server, "/direct"), 20000);
    notify_result(&run, "direct", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SENT);
    notify_settings(&settings, "proxied", OC_RECEIVER_WEBHOOK, "http://elsewhere.invalid/x");
    (void)snprintf(settings.proxy, sizeof(settings.proxy), "http://127.0.0.1:%u", server->port);
    notify_tell(&run, &settings);
    oc_receiver_clear(&settings);
    notify_deliver(&run, "proxied", "proxied", "{}");
    notify_result(&run, "proxied", &report);
    ck_assert_int_eq(report.outcome, OC_DELIVERY_SENT);
    got = notify_served(server, 2);
    ck_assert_ptr_nonnull(strstr(got, "\"path\":\"http://elsewhere.invalid/x\""));
    oc_free(got);
}
END_TEST

START_TEST(connections_are_used_again)
{
    struct notify_server *server = notify_serve(&run, NULL);
    struct oc_wire_report report;
    char *got = NULL;

    notify_start(&run, NULL);
    for (int i = 0; i < 5; i++) {
        send_to("again", OC_RECEIVER_WEBHOOK, url_of(server, "/"), 20000);
        notify_result(&run, "again", &report);
        ck_assert_int_eq(report.outcome, OC_DELIVERY_SENT);
    }
    got = notify_served(server, 5);
    ck_assert_ptr_nonnull(strstr(got, "\"connection\":1"));
    ck_assert_ptr_null(strstr(got, "\"connection\":2"));
    oc_free(got);
}
END_TEST

/* ---- TLS ---- */

static struct notify_server *serve_tls(const char *name, const char *subject,
                                       const char *const *more)
{
    const char *words[16] = { "--cert", NULL, "--key", NULL };
    char cert[256], key[256];
    size_t count = 4;

    if (notify_certificate(&run, name, subject) < 0)
        return NULL;
    (void)snprintf(cert, sizeof(cert), "%s/%s.pem", run.dir, name);
    (void)snprintf(key, sizeof(key), "%s/%s.key", run.dir, name);
    words[1] = cert;
    words[3] = key;
    for (; more && *more; more++)
        words[count++] = *more;
    words[count] = NULL;
    return notify_serve(&run, words);
}

static void check_tls(unsigned port, const char *ca_file, enum oc_delivery_outcome outcome,
                      const char *why)
{
    struct oc_receiver settings;
    struct oc_wire_report report;
    char url[64];

    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", port);
    notify_settings(&settings, "t", OC_RECEIVER_TEAMS, url);
    (void)oc_text_copy(settings.ca_file, sizeof(settings.ca_file), ca_file);
    notify_tell(&run, &settings);
    oc_receiver_clear(&settings);
    notify_deliver(&run, "t", "t", "{}");
    notify_result(&run, "t", &report);
    ck_assert_msg(report.outcome == outcome && strstr(report.why, why), "%d: %s",
                  (int)report.outcome, report.why);
}

START_TEST(certificates_are_always_checked)
{
    struct notify_server *good = serve_tls("good", "IP:127.0.0.1", NULL), *other = NULL;

    if (!good) {
        (void)printf(
            "SKIP certificates_are_always_checked: no openssl to make certificates with\n");
        return;
    }
    other = serve_tls("other", "DNS:elsewhere.invalid", NULL);
    ck_assert_ptr_nonnull(other);
    notify_start(&run, NULL);
    check_tls(good->port, "", OC_DELIVERY_SLOW, "is not trusted: set ca_file");
    check_tls(good->port, path_in("good.pem"), OC_DELIVERY_SENT, "");
    check_tls(good->port, path_in("other.pem"), OC_DELIVERY_SLOW, "is not signed by ca_file");
    check_tls(other->port, path_in("other.pem"), OC_DELIVERY_SLOW, "is for another name");
    check_tls(good->port, path_in("none.pem"), OC_DELIVERY_SLOW, "cannot be read");
}
END_TEST

/* ---- mail ---- */

struct mail {
    const char *behave;
    const char *user; /* that the receiver has; NULL: none */
    int has_tls, wants_tls;
    enum oc_delivery_outcome outcome;
    int32_t status;
    const char *why;
};

static const struct mail mails[] = {
    { "ok", NULL, 1, 1, OC_DELIVERY_SENT, 250, "" },
    { "ok", "ops", 1, 1, OC_DELIVERY_SENT, 250, "" },
    { "ok", "wrong", 1, 1, OC_DELIVERY_SLOW, 535, "user and password" },
    { "ok", NULL, 0, 0, OC_DELIVERY_SENT, 250, "" },
    { "ok", NULL, 0, 1, OC_DELIVERY_SLOW, 0, "offers no STARTTLS" },
    { "421", NULL, 1, 1, OC_DELIVERY_LATER, 421, "later" },
    { "451", NULL, 1, 1, OC_DELIVERY_LATER, 451, "later" },
    { "450", NULL, 1, 1, OC_DELIVERY_LATER, 450, "later" },
    { "550", NULL, 1, 1, OC_DELIVERY_NEVER, 550, "refused the mail" },
    { "554", NULL, 1, 1, OC_DELIVERY_NEVER, 554, "refused the mail" },
    { "530", NULL, 1, 1, OC_DELIVERY_SLOW, 530, "user and password" },
    { "reset", NULL, 1, 1, OC_DELIVERY_LATER, 0, "" },
};
#define MAILS ((int)(sizeof(mails) / sizeof(mails[0])))

static struct notify_server *serve_mail(const struct mail *mail)
{
    const char *plain[] = { "--smtp", "--behave", mail->behave, NULL };
    const char *secured[] = { "--smtp", "--behave", mail->behave, "--starttls", NULL };

    if (mail->user) {
        const char *login[] = { "--smtp", "--behave",   mail->behave, "--starttls", "--user",
                                "ops",    "--password", "pass word",  NULL };

        return serve_tls("mail", "IP:127.0.0.1", login);
    }
    return mail->has_tls ? serve_tls("mail", "IP:127.0.0.1", secured) : notify_serve(&run, plain);
}

static void tell_mail(const struct mail *mail, unsigned port)
{
    struct oc_receiver settings;
    char url[64];

    (void)snprintf(url, sizeof(url), "smtp://127.0.0.1:%u", port);
    notify_settings(&settings, "m", OC_RECEIVER_EMAIL, url);
    settings.starttls = mail->wants_tls != 0;
    (void)oc_text_copy(settings.from, sizeof(settings.from), "oomcast <oomcast@example.com>");
    ck_assert_int_eq(oc_strings_add(&settings.to, "a@example.com", 13), OC_OK);
    ck_assert_int_eq(oc_strings_add(&settings.to, "B <b@example.com>", 17), OC_OK);
    if (mail->has_tls)
        (void)oc_text_copy(settings.ca_file, sizeof(settings.ca_file), path_in("mail.pem"));
    if (mail->user) {
        (void)oc_text_copy(settings.user, sizeof(settings.user), mail->user);
        settings.secret = oc_strdup("pass word");
    }
    notify_tell(&run, &settings);
    oc_receiver_clear(&settings);
}

static void deliver_mail(void)
{
    char *fields[] = { (char *)(uintptr_t) "Subject", (char *)(uintptr_t) "Speicher wird \xc3\xbc"
                                                                          "ber\r\nBcc: evil@x" };
    struct oc_wire_delivery delivery = { .id = "m",
                                         .receiver = "m",
                                         .body = (char *)(uintptr_t) "one\n.two\n",
                                         .body_bytes = 9,
                                         .content_type = "text/plain; charset=utf-8",
                                         .fields = { .items = fields, .count = 2 } };

    notify_deliver_with(&run, &delivery);
}

START_TEST(mail_goes_out_or_says_why)
{
    const struct mail *mail = &mails[_i];
    struct notify_server *server = serve_mail(mail);
    struct oc_wire_report report;
    char *got = NULL;

    if (!server) {
        (void)printf("SKIP mail_goes_out_or_says_why: no openssl to make certificates with\n");
        return;
    }
    notify_start(&run, NULL);
    tell_mail(mail, server->port);
    deliver_mail();
    notify_result(&run, "m", &report);
    ck_assert_msg(report.outcome == mail->outcome && strstr(report.why, mail->why), "%s: %d '%s'",
                  mail->behave, (int)report.outcome, report.why);
    if (mail->status != 0)
        ck_assert_int_eq(report.status, mail->status);
    if (mail->outcome != OC_DELIVERY_SENT)
        return;
    got = notify_served(server, 1);
    ck_assert_ptr_nonnull(strstr(got, "\"from\":\"<oomcast@example.com>"));
    ck_assert_ptr_nonnull(strstr(got, "\"to\":[\"<a@example.com>\",\"<b@example.com>\"]"));
    ck_assert_ptr_nonnull(strstr(got, "To: a@example.com,\\r\\n B <b@example.com>\\r\\n"));
    ck_assert_ptr_nonnull(strstr(got, "Subject: =?UTF-8?B?"));
    ck_assert_ptr_null(strstr(got, "\\nBcc:"));
    ck_assert_ptr_nonnull(strstr(got, "\\r\\n\\r\\none\\r\\n.two\\r\\n\""));
    ck_assert_ptr_nonnull(strstr(got, mail->has_tls ? "\"tls\":true" : "\"tls\":false"));
    oc_free(got);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("notify");
    TCase *web = tcase_create("web"), *mail = tcase_create("mail");

    tcase_set_timeout(web, 120);
    tcase_add_checked_fixture(web, setup, teardown);
    tcase_add_loop_test(web, each_answer_has_its_outcome, 0, BEHAVIOURS);
    tcase_add_test(web, nobody_listens);
    tcase_add_test(web, webhook_is_signed_by_each_secret);
    tcase_add_test(web, basic_and_header_prove_who_it_is);
    tcase_add_test(web, secrets_that_a_server_echoes_are_not_shown);
    tcase_add_test(web, alertmanager_is_posted_to_each_peer);
    tcase_add_test(web, heartbeat_is_a_get);
    tcase_add_test(web, proxy_of_the_receiver_is_used_and_none_of_the_environment);
    tcase_add_test(web, connections_are_used_again);
    tcase_add_test(web, certificates_are_always_checked);
    tcase_add_test(web, silent_name_server_holds_up_nobody);
    suite_add_tcase(suite, web);
    tcase_set_timeout(mail, 120);
    tcase_add_checked_fixture(mail, setup, teardown);
    tcase_add_loop_test(mail, mail_goes_out_or_says_why, 0, MAILS);
    suite_add_tcase(suite, mail);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());
    int failed = 0;

    (void)signal(SIGPIPE, SIG_IGN);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
