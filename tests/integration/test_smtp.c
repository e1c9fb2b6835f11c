/* Mail by a real SMTP server: alerts arrive as mail that a mail program can read, encrypted, and once. */
#include "tests/integration/alert_stage.h"
#include "tests/integration/cli_run.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PYTHON "/usr/bin/python3" /* Debian's own: the package's module is there */
#define EXIT_SKIPPED 77           /* meson's word for it */

static int tls_port, clear_port;
static pid_t server, big;

/* ---- the servers ---- */

static pid_t start_server(int port, int with_tls, const char *folder)
{
    static char listen[64], cert[200], key[200], maildir[200];
    char *argv[] = { (char *)(uintptr_t)PYTHON,
                     (char *)(uintptr_t) "-m",
                     (char *)(uintptr_t) "aiosmtpd",
                     (char *)(uintptr_t) "-n",
                     (char *)(uintptr_t) "-l",
                     listen,
                     (char *)(uintptr_t) "-c",
                     (char *)(uintptr_t) "aiosmtpd.handlers.Mailbox",
                     maildir,
                     with_tls ? (char *)(uintptr_t) "--tlscert" : NULL,
                     cert,
                     (char *)(uintptr_t) "--tlskey",
                     key,
                     NULL };
    char line[100];
    pid_t pid;

    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%d", port);
    (void)snprintf(maildir, sizeof(maildir), "%s/%s", stage_dir(), folder);
    (void)snprintf(cert, sizeof(cert), "%s/cert.pem", stage_dir());
    (void)snprintf(key, sizeof(key), "%s/key.pem", stage_dir());
    pid = stage_program(argv);
    (void)snprintf(line, sizeof(line), "bash -c 'exec 3<>/dev/tcp/127.0.0.1/%d'", port);
    eventually(line);
    return pid;
}

static void make_certificate(const char *name)
{
    char line[400];

    (void)snprintf(line, sizeof(line),
                   "cd \"$D\" && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=%s "
                   "-addext subjectAltName=IP:127.0.0.1 -keyout %s.key -out %s.crt",
                   name, name, name);
    at_once(line);
}

static void write_mail_reader(void)
{
    at_once(
        "cat >\"$D/mails.py\" <<'END'\n"
        "import email, email.policy, os, sys\n"
        "for name in sorted(os.listdir(sys.argv[1])):\n"
        "    mail = email.message_from_binary_file(open(os.path.join(sys.argv[1], name), 'rb'), "
        "policy=email.policy.default)\n"
        "    for defect in list(mail.defects) + [d for part in mail.walk() for d in "
        "part.defects]:\n"
        "        print('DEFECT', defect)\n"
        "    print('MAIL', mail['From'], '|', mail['To'], '|', mail['Message-ID'], '|', "
        "mail['Date'], '|', mail['Subject'])\n"
        "    for kind in ('plain', 'html'):\n"
        "        body = mail.get_body(preferencelist=(kind,))\n"
        "        print(kind.upper(), body.get_content() if body else 'NONE')\n"
        "END");
}

#define MAILS PYTHON " \"$D/mails.py\" \"$D/mail/new\""

static void set_up(void)
{
    char port[16];

    stage_begin("smtp");
    at_once("chmod 755 \"$D\""); /* the notifier has rights of its own */
    make_certificate("own");
    make_certificate("other");
    at_once("cd \"$D\" && cp own.crt cert.pem && cp own.key key.pem && chmod 644 *.crt");
    write_mail_reader();
    tls_port = stage_free_port();
    server = start_server(tls_port, 1, "mail");
    clear_port = stage_free_port();
    (void)start_server(clear_port, 0, "clear");
    (void)snprintf(port, sizeof(port), "%d", tls_port);
    ck_assert_int_eq(setenv("TLS", port, 1), 0);
    (void)snprintf(port, sizeof(port), "%d", clear_port);
    ck_assert_int_eq(setenv("CLEAR", port, 1), 0);
    stage_config_too_big(
        ", \"receivers\": [\n"
        "  { \"name\": \"mail\", \"type\": \"email\", \"url\": \"smtp://127.0.0.1:$TLS\", "
        "\"ca_file\": "
        "\"$D/own.crt\", \"from\": \"oomcast@example.org\", \"to\": [\"ann@example.org\", "
        "\"bob@example.org\"] },\n"
        "  { \"name\": \"untrusted\", \"type\": \"email\", \"url\": \"smtp://127.0.0.1:$TLS\", "
        "\"ca_file\": \"$D/other.crt\", \"from\": \"oomcast@example.org\", \"to\": "
        "[\"ann@example.org\"], \"rules\": [\"Nothing\"] },\n"
        "  { \"name\": \"refused\", \"type\": \"email\", \"url\": \"smtp://127.0.0.1:$CLEAR\", "
        "\"from\": \"oomcast@example.org\", \"to\": [\"ann@example.org\"], \"rules\": "
        "[\"Nothing\"] },\n"
        "  { \"name\": \"clear\", \"type\": \"email\", \"url\": \"smtp://127.0.0.1:$CLEAR\", "
        "\"starttls\": false, \"from\": \"oomcast@example.org\", \"to\": [\"ann@example.org\"], "
        "\"rules\": [\"Nothing\"] } ]");
    stage_daemon();
}

/* ---- mail ---- */

START_TEST(a_test_mail_arrives)
{
    at_once("\"$O\" alerts test mail");
    ck_assert_msg(holds(out, "sent: answer 250"), "%s", out);
    eventually("test \"$(ls \"$D/mail/new\" | wc -l)\" -eq 1");
    at_once("rm \"$D\"/mail/new/*");
}
END_TEST

START_TEST(an_alert_is_one_readable_mail)
{
    (void)stage_leaker("alert-small", "16M");
    big = stage_leaker("alert-<b>ig", "64M");
    eventually("ls \"$D\"/mail/new/*");
    at_once(MAILS);
    ck_assert_msg(holds(out, "MAIL oomcast@example.org | ann@example.org, bob@example.org | <"),
                  "%s", out);
    ck_assert_msg(holds(out, "critical: proc:alert-<b>ig") && holds(out, "PLAIN ") && !holds(out, "alert-small"), "%s",
                  out);
    ck_assert_msg(!holds(out, "DEFECT") && !holds(out, "HTML NONE") && !holds(out, "PLAIN NONE"),
                  "%s", out);
    ck_assert_msg(holds(strstr(out, "HTML "), "&lt;b&gt;ig") &&
                      !holds(strstr(out, "HTML "), "<b>ig"),
                  "%s", out);
    at_once("test \"$(ls \"$D/mail/new\" | wc -l)\" -eq 1");
}
END_TEST

START_TEST(what_waited_for_the_server_arrives_once)
{
    stage_program_stop(server, SIGKILL);
    stage_program_stop(big, SIGTERM); /* its end is to be told */
    eventually("\"$O\" alerts outbox | grep -q waiting");
    server = start_server(tls_port, 1, "mail");
    eventually_within("test \"$(ls \"$D/mail/new\" | wc -l)\" -eq 2", 60000);
    eventually("\"$O\" alerts outbox | grep -q 'Nothing waits'");
    at_once(MAILS " | grep ^MAIL | cut -d'|' -f 3 | sort -u | wc -l | grep -qx 2"); /* ids differ */
}
END_TEST

/* ---- who is not trusted ---- */

START_TEST(no_mail_goes_to_a_server_that_is_not_trusted)
{
    ck_assert_int_eq(run("\"$O\" alerts test untrusted"), 1);
    ck_assert_msg(holds(out, "certificate"), "%s%s", out, err);
    ck_assert_int_eq(run("\"$O\" alerts test refused"), 1); /* it cannot encrypt */
    ck_assert_int_ne(run("ls \"$D\"/clear/new/*"), 0);
    at_once("\"$O\" alerts test clear");
    eventually("ls \"$D\"/clear/new/*");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smtp");
    TCase *tcase = tcase_create("real");
    SRunner *runner;
    int failed;

    if (!stage_can(PYTHON " -c 'import aiosmtpd' 2>/dev/null")) {
        printf("SKIP smtp: no aiosmtpd here (package python3-aiosmtpd)\n");
        return EXIT_SKIPPED;
    }
    if (!stage_has("openssl", "smtp", "openssl"))
        return EXIT_SKIPPED;
    tcase_set_timeout(tcase, 200);
    tcase_add_unchecked_fixture(tcase, set_up, stage_end);
    tcase_add_test(tcase, a_test_mail_arrives);
    tcase_add_test(tcase, an_alert_is_one_readable_mail);
    tcase_add_test(tcase, what_waited_for_the_server_arrives_once);
    tcase_add_test(tcase, no_mail_goes_to_a_server_that_is_not_trusted);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
