/* What is written: signatures, mails, origins in place of addresses, answers without secrets; and the table of receivers. */
#include "notify/args.h"
#include "notify/mail_text.h"
#include "notify/origin.h"
#include "notify/sign.h"
#include "notify/table.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- signatures ---- */

/* The example of the Standard Webhooks specification. */
START_TEST(signature_is_that_of_the_specification)
{
    static const char body[] = "{\"test\": 2432232314}";
    static const char wanted[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    char *items[] = { (char *)(uintptr_t) "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
    struct oc_strings secrets = { .items = items, .count = 1 };
    struct oc_buf out;

    oc_buf_init(&out, 1024);
    ck_assert_int_eq(
        oc_sign(&secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, sizeof(body) - 1, &out),
        OC_OK);
    ck_assert_str_eq(out.data, wanted);
    oc_buf_clear(&out);
}
END_TEST

START_TEST(each_secret_signs)
{
    char *items[] = { (char *)(uintptr_t) "plain words", (char *)(uintptr_t) "whsec_AAAA" };
    struct oc_strings secrets = { .items = items, .count = 2 };
    struct oc_buf out;

    oc_buf_init(&out, 1024);
    ck_assert_int_eq(oc_sign(&secrets, "i", 1, "", 0, &out), OC_OK);
    ck_assert_int_eq(strncmp(out.data, "v1,", 3), 0);
    ck_assert_ptr_nonnull(strstr(out.data + 3, " v1,"));
    oc_buf_clear(&out);
}
END_TEST

START_TEST(secret_that_is_no_base64_is_refused)
{
    static const char *const bad[] = { "whsec_", "whsec_!!!!", "whsec_AAA", "whsec_A" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *items[] = { (char *)(uintptr_t)bad[i] };
        struct oc_strings secrets = { .items = items, .count = 1 };
        struct oc_buf out;

        oc_buf_init(&out, 1024);
        ck_assert_int_eq(oc_sign(&secrets, "i", 1, "x", 1, &out), OC_E_PARSE);
        oc_buf_clear(&out);
    }
}
END_TEST

/* ---- origins ---- */

static const char *const origins[][2] = {
    { "https://hooks.slack.com/services/T0/B0/secret", "https://hooks.slack.com" },
    { "http://user:pass@host:81/x", "http://host:81" },
    { "http://a@b@host", "http://host" },
    { "https://host?token=x", "https://host" },
    { "https://host#x", "https://host" },
    { "smtp://[::1]:25", "smtp://[::1]:25" },
    { "http://ho\x1b[31mst/", "http://ho?[31mst" },
    { "http://", "http://" },
    { "nonsense", "?" },
    { "://x", "?" },
    { "averyveryverylongscheme://x", "?" },
    { "", "?" },
};

START_TEST(origin_is_all_that_is_shown)
{
    char origin[OC_ORIGIN_BYTES];

    oc_origin(origins[_i][0], origin);
    ck_assert_str_eq(origin, origins[_i][1]);
}
END_TEST

START_TEST(long_origin_is_cut)
{
    char url[1000] = "https://", origin[OC_ORIGIN_BYTES];

    memset(url + 8, 'h', sizeof(url) - 9);
    oc_origin(url, origin);
    ck_assert_uint_eq(strlen(origin), OC_ORIGIN_BYTES - 1);
}
END_TEST

START_TEST(secrets_are_blackened)
{
    struct oc_receiver receiver = { .user = "ops" };
    char text[] = "path /services/T0/secret?x=1, services/T0/secret?x=1, user me:pw12 hunter22 and "
                  "again hunter22, b3BzOmh1bnRlcjIy, whsec_abc.";

    receiver.secret = oc_strdup("hunter22");
    ck_assert_int_eq(oc_strings_add(&receiver.urls, "https://me:pw12@h/services/T0/secret?x=1", 40),
                     OC_OK);
    ck_assert_int_eq(oc_strings_add(&receiver.signing, "whsec_abc", 9), OC_OK);
    oc_scrub(&receiver, text);
    ck_assert_ptr_null(strstr(text, "T0"));
    ck_assert_ptr_null(strstr(text, "hunter22"));
    ck_assert_ptr_null(strstr(text, "pw12"));
    ck_assert_ptr_null(strstr(text, "b3Bz"));
    ck_assert_ptr_null(strstr(text, "whsec_"));
    ck_assert_ptr_nonnull(strstr(text, "and again"));
    oc_receiver_clear(&receiver);
}
END_TEST

/* ---- mails ---- */

static char *mail_of(const char *subject, const char *type, const char *body)
{
    char *fields[] = { (char *)(uintptr_t) "Subject", (char *)(uintptr_t)subject };
    char *to[] = { (char *)(uintptr_t) "a@example.com" };
    struct oc_receiver receiver = { .from = "o@example.com", .to = { .items = to, .count = 1 } };
    struct oc_wire_delivery delivery = { .body = (char *)(uintptr_t)body,
                                         .body_bytes = strlen(body),
                                         .fields = { .items = fields, .count = 2 } };
    struct oc_buf out;
    char *text = NULL;

    (void)oc_text_copy(delivery.content_type, sizeof(delivery.content_type), type);
    oc_buf_init(&out, 1u << 20);
    oc_mail_write(&receiver, &delivery, INT64_C(784111777000), &out);
    ck_assert_int_eq(out.err, OC_OK);
    text = oc_strdup(out.data);
    oc_buf_clear(&out);
    return text;
}

START_TEST(mail_has_headers_and_lines)
{
    char *text = mail_of("plain", "text/plain; charset=utf-8", "one\r\ntwo\n\nlast");

    ck_assert_str_eq(text, "Date: Sun, 06 Nov 1994 08:49:37 +0000\r\nFrom: o@example.com\r\n"
                           "To: a@example.com\r\nSubject: plain\r\n"
                           "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                           "Content-Type: text/plain; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: 8bit\r\n\r\none\r\ntwo\r\n\r\nlast\r\n");
    oc_free(text);
}
END_TEST

START_TEST(mail_subject_cannot_add_headers)
{
    char *text = mail_of("x\r\nBcc: everybody@example.com\r\n\r\nbody", "text/plain", "b");

    ck_assert_ptr_null(strstr(text, "Bcc"));
    ck_assert_ptr_nonnull(strstr(text, "Subject: =?UTF-8?B?"));
    oc_free(text);
}
END_TEST

START_TEST(mail_subject_of_many_letters_is_whole_words)
{
    struct oc_buf subject;
    char *text = NULL;

    oc_buf_init(&subject, 65536);
    for (int i = 0; i < 200; i++)
        oc_buf_puts(&subject, "\xe2\x82\xac");
    text = mail_of(subject.data, "text/plain", "b");
    oc_buf_clear(&subject);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        ck_assert_uint_lt(strcspn(line, "\n"), 90);
    /* Each word decodes by itself: 14 times three bytes. */
    ck_assert_ptr_nonnull(strstr(text, "=?UTF-8?B?4oKs4oKs"));
    oc_free(text);
}
END_TEST

START_TEST(mail_with_long_lines_is_base64)
{
    char body[3001], *text = NULL;

    memset(body, 'x', 3000);
    body[3000] = '\0';
    text = mail_of("s", "text/plain", body);
    ck_assert_ptr_nonnull(strstr(text, "Content-Transfer-Encoding: base64"));
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        ck_assert_uint_lt(strcspn(line, "\n"), 100);
    oc_free(text);
}
END_TEST

/* ---- the table ---- */

static void put(struct oc_table *table, const char *name)
{
    struct oc_receiver settings = { .type = OC_RECEIVER_HOOK };

    (void)oc_text_copy(settings.name, sizeof(settings.name), name);
    ck_assert_int_eq(oc_table_put(table, &settings), OC_OK);
}

START_TEST(table_keeps_what_an_attempt_holds)
{
    struct oc_table table = { .count = 0 };
    struct oc_target *held = NULL;
    int64_t live = oc_alloc_live();

    put(&table, "a");
    held = oc_table_find(&table, "a");
    oc_target_use(held);
    held->last_run_mono_ms = 7;
    put(&table, "a"); /* another in its place */
    ck_assert_ptr_ne(oc_table_find(&table, "a"), held);
    ck_assert_int_eq(oc_table_find(&table, "a")->last_run_mono_ms, 7);
    oc_table_forget(&table);
    ck_assert_ptr_null(oc_table_find(&table, "a"));
    ck_assert_str_eq(held->settings.name, "a");
    put(&table, "a");
    ck_assert_int_eq(oc_table_find(&table, "a")->last_run_mono_ms, 7);
    oc_target_release(held);
    oc_table_clear(&table);
    ck_assert_int_eq(oc_alloc_live(), live);
}
END_TEST

START_TEST(table_is_bounded)
{
    struct oc_table table = { .count = 0 };
    struct oc_receiver one_more = { .name = "one more" };

    for (int i = 0; i < OC_RECEIVERS_MAX * 2; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "%d", i);
        put(&table, name);
    }
    ck_assert_int_eq(oc_table_put(&table, &one_more), OC_E_TOOBIG);
    oc_table_clear(&table);
}
END_TEST

/* ---- the command line ---- */

START_TEST(options_are_read_or_refused)
{
    char *good[] = { (char *)(uintptr_t) "n", (char *)(uintptr_t) "--user",
                     (char *)(uintptr_t) "x" };
    char *unknown[] = { (char *)(uintptr_t) "n", (char *)(uintptr_t) "--fly" };
    char *cut[] = { (char *)(uintptr_t) "n", (char *)(uintptr_t) "--journal" };
    struct oc_notify_args args;
    struct oc_detail detail;
    struct oc_buf text;

    ck_assert_int_eq(oc_notify_args_parse(3, good, &args, &detail), OC_OK);
    ck_assert_str_eq(args.user, "x");
    ck_assert_int_eq(oc_notify_args_parse(2, unknown, &args, &detail), OC_E_INVAL);
    ck_assert_int_eq(oc_notify_args_parse(2, cut, &args, &detail), OC_E_INVAL);
    oc_buf_init(&text, 65536);
    oc_notify_args_help(&text);
    oc_notify_args_manual(&text);
    ck_assert_ptr_nonnull(strstr(text.data, "--version"));
    ck_assert_ptr_nonnull(strstr(text.data, ".TH OOMCAST-NOTIFY 8"));
    oc_buf_clear(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notify_text");
    TCase *all = tcase_create("all");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_test(all, signature_is_that_of_the_specification);
    tcase_add_test(all, each_secret_signs);
    tcase_add_test(all, secret_that_is_no_base64_is_refused);
    tcase_add_loop_test(all, origin_is_all_that_is_shown, 0,
                        (int)(sizeof(origins) / sizeof(origins[0])));
    tcase_add_test(all, long_origin_is_cut);
    tcase_add_test(all, secrets_are_blackened);
    tcase_add_test(all, mail_has_headers_and_lines);
    tcase_add_test(all, mail_subject_cannot_add_headers);
    tcase_add_test(all, mail_subject_of_many_letters_is_whole_words);
    tcase_add_test(all, mail_with_long_lines_is_base64);
    tcase_add_test(all, table_keeps_what_an_attempt_holds);
    tcase_add_test(all, table_is_bounded);
    tcase_add_test(all, options_are_read_or_refused);
    suite_add_tcase(suite, all);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
