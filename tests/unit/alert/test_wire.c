/* The words of the pipe: what is written is read again, and nothing else is taken. */
#include "alert/json.h"
#include "alert/wire.h"
#include "base/alloc.h"
#include "base/text.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct oc_detail detail;

static int parse_command(const char *line, struct oc_wire_command *out)
{
    return oc_wire_command_parse(line, strlen(line), out, &detail);
}

static int parse_report(const char *line, struct oc_wire_report *out)
{
    return oc_wire_report_parse(line, strlen(line), out, &detail);
}

static void add(struct oc_strings *strings, const char *text)
{
    ck_assert_int_eq(oc_strings_add(strings, text, strlen(text)), OC_OK);
}

/* ---- both ways ---- */

START_TEST(receiver_comes_through_whole)
{
    struct oc_wire_command command = { .what = OC_WIRE_RECEIVER }, got;
    struct oc_receiver *r = &command.receiver;
    struct oc_buf line;

    (void)oc_text_copy(r->name, sizeof(r->name), "ops");
    r->type = OC_RECEIVER_EMAIL;
    r->auth = OC_AUTH_BASIC;
    r->starttls = 1;
    add(&r->urls, "smtp://mail.example:587");
    add(&r->to, "a@example.com");
    add(&r->to, "b@example.com");
    add(&r->signing, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    (void)oc_text_copy(r->from, sizeof(r->from), "oomcast@example.com");
    (void)oc_text_copy(r->user, sizeof(r->user), "me \"quoted\"\n");
    r->secret = oc_strdup("p\xc3\xa4ss\\word\t");
    (void)oc_text_copy(r->ca_file, sizeof(r->ca_file), "/etc/ca.pem");
    (void)oc_text_copy(r->proxy, sizeof(r->proxy), "http://proxy:3128");
    r->timeout_ms = 10000;
    r->interval_ms = 300000;
    oc_buf_init(&line, OC_WIRE_LINE_MAX + 1);
    oc_wire_command_write(&command, &line);
    ck_assert_int_eq(line.err, OC_OK);
    ck_assert_ptr_eq(strchr(line.data, '\n'), line.data + line.len_bytes - 1);
    ck_assert_int_eq(oc_wire_command_parse(line.data, line.len_bytes - 1, &got, &detail), OC_OK);
    ck_assert_int_eq(got.what, OC_WIRE_RECEIVER);
    ck_assert_str_eq(got.receiver.name, "ops");
    ck_assert_int_eq(got.receiver.type, OC_RECEIVER_EMAIL);
    ck_assert_int_eq(got.receiver.auth, OC_AUTH_BASIC);
    ck_assert_int_eq(got.receiver.starttls, 1);
    ck_assert_str_eq(got.receiver.user, r->user);
    ck_assert_str_eq(got.receiver.secret, r->secret);
    ck_assert_uint_eq(got.receiver.to.count, 2);
    ck_assert_str_eq(got.receiver.to.items[1], "b@example.com");
    ck_assert_str_eq(got.receiver.signing.items[0], r->signing.items[0]);
    ck_assert_int_eq(got.receiver.interval_ms, 300000);
    oc_wire_command_clear(&command);
    oc_wire_command_clear(&got);
    oc_buf_clear(&line);
}
END_TEST

START_TEST(delivery_comes_through_whole)
{
    struct oc_wire_command command = { .what = OC_WIRE_DELIVER }, got;
    struct oc_wire_delivery *d = &command.delivery;
    struct oc_buf line;

    (void)oc_text_copy(d->id, sizeof(d->id), "msg_01");
    (void)oc_text_copy(d->receiver, sizeof(d->receiver), "ops");
    d->url = 3;
    d->body = oc_strdup("{\"a\":\"line\\n\"}\n\x01\xf0\x9f\x98\x80");
    d->body_bytes = strlen(d->body);
    (void)oc_text_copy(d->content_type, sizeof(d->content_type), "application/json");
    add(&d->fields, "Subject");
    add(&d->fields, "it leaks");
    oc_buf_init(&line, OC_WIRE_LINE_MAX + 1);
    oc_wire_command_write(&command, &line);
    ck_assert_int_eq(oc_wire_command_parse(line.data, line.len_bytes - 1, &got, &detail), OC_OK);
    ck_assert_str_eq(got.delivery.id, "msg_01");
    ck_assert_uint_eq(got.delivery.url, 3);
    ck_assert_str_eq(got.delivery.body, d->body);
    ck_assert_uint_eq(got.delivery.body_bytes, d->body_bytes);
    ck_assert_uint_eq(got.delivery.fields.count, 2);
    ck_assert_str_eq(got.delivery.fields.items[1], "it leaks");
    oc_wire_command_clear(&command);
    oc_wire_command_clear(&got);
    oc_buf_clear(&line);
}
END_TEST

START_TEST(delivery_without_a_body_has_none)
{
    struct oc_wire_command got;

    ck_assert_int_eq(
        parse_command("{\"v\":1,\"do\":\"deliver\",\"id\":\"beat-1\",\"receiver\":\"h\"}", &got),
        OC_OK);
    ck_assert_ptr_null(got.delivery.body);
    ck_assert_uint_eq(got.delivery.body_bytes, 0);
    oc_wire_command_clear(&got);
}
END_TEST

START_TEST(report_comes_through_whole)
{
    struct oc_wire_report report = { .what = OC_WIRE_RESULT,
                                     .id = "msg_01",
                                     .outcome = OC_DELIVERY_LATER,
                                     .status = 429,
                                     .retry_after_ms = 86400000,
                                     .took_ms = 12,
                                     .why = "429 Too Many Requests" };
    struct oc_wire_report got;
    struct oc_buf line;

    /* an answer full of bytes that are no text: cut, but never refused by the other end */
    memset(report.answer, 0xff, OC_WIRE_ANSWER_MAX);
    oc_buf_init(&line, OC_WIRE_LINE_MAX + 1);
    oc_wire_report_write(&report, &line);
    ck_assert_int_eq(oc_wire_report_parse(line.data, line.len_bytes - 1, &got, &detail), OC_OK);
    ck_assert_int_eq(got.outcome, OC_DELIVERY_LATER);
    ck_assert_int_eq(got.status, 429);
    ck_assert_int_eq(got.retry_after_ms, 86400000);
    ck_assert_int_eq(got.took_ms, 12);
    ck_assert_str_eq(got.why, report.why);
    ck_assert_uint_gt(strlen(got.answer), 400);
    oc_buf_clear(&line);
}
END_TEST

START_TEST(line_that_is_too_long_is_taken_back)
{
    struct oc_wire_command command = { .what = OC_WIRE_DELIVER,
                                       .delivery = { .id = "a", .receiver = "b" } };
    struct oc_buf line;

    command.delivery.body = oc_malloc(OC_WIRE_LINE_MAX + 1);
    memset(command.delivery.body, 'x', OC_WIRE_LINE_MAX);
    command.delivery.body[OC_WIRE_LINE_MAX] = '\0';
    command.delivery.body_bytes = OC_WIRE_LINE_MAX;
    oc_buf_init(&line, 4u * OC_WIRE_LINE_MAX);
    oc_buf_puts(&line, "before\n");
    oc_wire_command_write(&command, &line);
    ck_assert_int_eq(line.err, OC_E_TOOBIG);
    ck_assert_str_eq(line.data, "before\n");
    oc_wire_command_clear(&command);
    oc_buf_clear(&line);
}
END_TEST

/* ---- refused ---- */

static const struct {
    const char *line;
    int rc;
} bad_commands[] = {
    { "", OC_E_PARSE },
    { "[]", OC_E_PARSE },
    { "{}", OC_E_PARSE },
    { "{\"v\":1}", OC_E_PARSE },
    { "{\"do\":\"quit\"}", OC_E_PARSE },
    { "{\"v\":\"1\",\"do\":\"quit\"}", OC_E_PARSE },
    { "{\"v\":2,\"do\":\"dance\"}", OC_E_NOTSUP },
    { "{\"v\":1,\"do\":\"dance\"}", OC_E_PARSE },
    { "{\"v\":1,\"do\":null}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"quit\",\"now\":1}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"quit\",\"is\":\"ready\"}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"quit\",\"do\":\"quit\"}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"quit\"} x", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"quit\"}{}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"quit\",}", OC_E_PARSE },
    { "{\"v\":01,\"do\":\"quit\"}", OC_E_PARSE },
    { "{\"v\":1.,\"do\":\"quit\"}", OC_E_PARSE },
    { "{\"v\":1e,\"do\":\"quit\"}", OC_E_PARSE },
    { "{\"v\":1,\n\"do\":\"quit\"}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"receiver\":\"x\"}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"\",\"receiver\":\"x\"}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":1,\"receiver\":\"x\"}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"0123456789012345678901234567890123456789\","
      "\"receiver\":\"x\"}",
      OC_E_TOOBIG },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"a\",\"receiver\":\"x\",\"url\":-1}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"a\",\"receiver\":\"x\",\"url\":1.5}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"a\",\"receiver\":\"x\",\"url\":4294967296}",
      OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"a\",\"receiver\":\"x\",\"url\":1e999}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"a\",\"receiver\":\"x\",\"body\":\"\\u0000\"}",
      OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"a\",\"receiver\":\"x\",\"body\":\"\\ud800\"}",
      OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"a\",\"receiver\":\"x\",\"body\":\"\xff\"}",
      OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"a\",\"receiver\":\"x\",\"body\":\"\t\"}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"a\",\"receiver\":\"x\",\"body\":\"\\x\"}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"a\",\"receiver\":\"x\",\"fields\":{\"a\":1}}",
      OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"a\",\"receiver\":\"x\",\"fields\":{\"a\":\"\",\"a\":"
      "\"\"}}",
      OC_E_PARSE },
    { "{\"v\":1,\"do\":\"deliver\",\"id\":\"a\",\"receiver\":\"x\",\"fields\":[]}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"receiver\",\"name\":\"x\"}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"receiver\",\"name\":\"x\",\"type\":\"?\"}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"receiver\",\"name\":\"x\",\"type\":\"pigeon\"}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"receiver\",\"name\":\"x\",\"type\":\"hook\",\"argv\":\"/bin/sh\"}",
      OC_E_PARSE },
    { "{\"v\":1,\"do\":\"receiver\",\"name\":\"x\",\"type\":\"hook\",\"argv\":[1]}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"receiver\",\"name\":\"x\",\"type\":\"hook\",\"starttls\":2}", OC_E_PARSE },
    { "{\"v\":1,\"do\":\"receiver\",\"name\":\"x\",\"type\":\"hook\",\"timeout_ms\":-1}",
      OC_E_PARSE },
    { "{\"v\":1,\"do\":\"receiver\",\"name\":\"x\",\"type\":\"hook\",\"auth\":\"magic\"}",
      OC_E_PARSE },
    { "{\"v\":1,\"do\":[[[[[[[[[[]]]]]]]]]]}", OC_E_TOOBIG },
};

START_TEST(bad_command_is_refused)
{
    struct oc_wire_command got;

    detail.text[0] = '\0';
    ck_assert_msg(parse_command(bad_commands[_i].line, &got) == bad_commands[_i].rc, "%s: %s",
                  bad_commands[_i].line, detail.text);
    ck_assert_str_ne(detail.text, "");
}
END_TEST

static const char *const bad_reports[] = {
    "{\"v\":1,\"is\":\"ready\"}",
    "{\"v\":1,\"is\":\"ready\",\"version\":\"\"}",
    "{\"v\":1,\"is\":\"result\",\"id\":\"a\"}",
    "{\"v\":1,\"is\":\"result\",\"id\":\"a\",\"outcome\":\"lost\"}",
    "{\"v\":1,\"is\":\"result\",\"id\":\"a\",\"outcome\":\"sent\",\"status\":1000}",
    "{\"v\":1,\"is\":\"result\",\"id\":\"a\",\"outcome\":\"sent\",\"status\":-1}",
    "{\"v\":1,\"is\":\"result\",\"id\":\"a\",\"outcome\":\"sent\",\"retry_after_ms\":-1}",
    "{\"v\":1,\"is\":\"result\",\"id\":\"a\",\"outcome\":\"sent\",\"retry_after_ms\":1e300}",
    "{\"v\":1,\"is\":\"note\",\"level\":\"panic\",\"text\":\"x\"}",
    "{\"v\":1,\"is\":\"note\",\"level\":\"warn\",\"text\":\"\"}",
    "{\"v\":1,\"do\":\"quit\"}",
};

START_TEST(bad_report_is_refused)
{
    struct oc_wire_report got;

    ck_assert_msg(parse_report(bad_reports[_i], &got) == OC_E_PARSE, "%s", bad_reports[_i]);
}
END_TEST

START_TEST(refusal_never_quotes_a_secret)
{
    struct oc_wire_command got;

    ck_assert_int_eq(parse_command("{\"v\":1,\"do\":\"receiver\",\"name\":\"x\",\"type\":\"hook\","
                                   "\"secret\":\"hunter2\",\"user\":1}",
                                   &got),
                     OC_E_PARSE);
    ck_assert_ptr_null(strstr(detail.text, "hunter2"));
    ck_assert_int_eq(parse_command("{\"v\":1,\"do\":\"receiver\",\"secret\":\"hunter2\\q\"}", &got),
                     OC_E_PARSE);
    ck_assert_ptr_null(strstr(detail.text, "hunter2"));
}
END_TEST

START_TEST(a_prefix_of_a_line_is_refused)
{
    static const char line[] = "{\"v\":1,\"do\":\"deliver\",\"id\":\"a\",\"receiver\":\"x\","
                               "\"body\":\"\\u00e9\",\"fields\":{\"a\":\"b\"}}";
    struct oc_wire_command got;

    for (size_t len = 0; len + 1 < sizeof(line); len++)
        ck_assert_int_eq(oc_wire_command_parse(line, len, &got, &detail), OC_E_PARSE);
    ck_assert_int_eq(parse_command(line, &got), OC_OK);
    oc_wire_command_clear(&got);
}
END_TEST

START_TEST(want_of_memory_is_told_from_damage)
{
    static const char line[] = "{\"v\":1,\"do\":\"receiver\",\"name\":\"x\",\"type\":\"hook\","
                               "\"argv\":[\"/bin/true\",\"a\"],\"secret\":\"s\"}";
    const int64_t live = oc_alloc_live();
    struct oc_wire_command got;
    int rc = OC_E_NOMEM;

    for (uint64_t nth = 1; rc != OC_OK && nth < 200; nth++) {
        oc_alloc_fail_at(nth, 0);
        rc = parse_command(line, &got);
        oc_alloc_fail_at(0, 0);
        ck_assert(rc == OC_OK || rc == OC_E_NOMEM);
        if (rc == OC_E_NOMEM)
            ck_assert_int_eq(oc_alloc_live(), live);
    }
    ck_assert_int_eq(rc, OC_OK);
    oc_wire_command_clear(&got);
    ck_assert_int_eq(oc_alloc_live(), live);
}
END_TEST

static Suite *wire_suite(void)
{
    Suite *suite = suite_create("wire");
    TCase *both = tcase_create("both ways");
    TCase *refused = tcase_create("refused");

    tcase_add_test(both, receiver_comes_through_whole);
    tcase_add_test(both, delivery_comes_through_whole);
    tcase_add_test(both, delivery_without_a_body_has_none);
    tcase_add_test(both, report_comes_through_whole);
    tcase_add_test(both, line_that_is_too_long_is_taken_back);
    tcase_add_loop_test(refused, bad_command_is_refused, 0,
                        (int)(sizeof(bad_commands) / sizeof(bad_commands[0])));
    tcase_add_loop_test(refused, bad_report_is_refused, 0,
                        (int)(sizeof(bad_reports) / sizeof(bad_reports[0])));
    tcase_add_test(refused, refusal_never_quotes_a_secret);
    tcase_add_test(refused, a_prefix_of_a_line_is_refused);
    tcase_add_test(refused, want_of_memory_is_told_from_damage);
    suite_add_tcase(suite, both);
    suite_add_tcase(suite, refused);
    return suite;
}

int main(void)
{
    cJSON_Hooks hooks = { .malloc_fn = oc_malloc, .free_fn = oc_free };
    SRunner *runner = NULL;
    int failed = 0;

    cJSON_InitHooks(&hooks);
    runner = srunner_create(wire_suite());
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
