#include "daemon/args.h"
#include "daemon/pidfile.h"
#include "daemon/request.h"
#include "daemon/source.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

/* ---- the command line ---- */

#define MAX_WORDS 8

struct args_case {
    const char *words[MAX_WORDS];
    int rc;
    const char *says;
};

static const struct args_case args_cases[] = {
    { { NULL }, OC_OK, NULL },
    { { "--foreground", "--pids-from", "f", "--interval", "1000ms", "--data", "d", NULL },
      OC_OK,
      NULL },
    { { "--interval=100ms", "--rung=regions", "--ack-fd=9", NULL }, OC_OK, NULL },
    { { "--look", "basic", NULL }, OC_OK, NULL },
    { { "--interval", "99ms", NULL }, OC_E_INVAL, "100ms to 1h" },
    { { "--interval", NULL }, OC_E_INVAL, "wants a value" },
    { { "--interval=", NULL }, OC_E_INVAL, "wants a value" },
    { { "--rung", "all", NULL }, OC_E_INVAL, "least, basic" },
    { { "--log-level", "warn", "--log-format=json", NULL }, OC_OK, NULL },
    { { "--log-level", "loud", NULL }, OC_E_INVAL, "does not know 'loud'" },
    { { "--log-format", "xml", NULL }, OC_E_INVAL, "does not know 'xml'" },
    { { "--ack-fd", "-1", NULL }, OC_E_INVAL, "descriptor" },
    { { "--intervall", "1s", NULL }, OC_E_INVAL, "did you mean --interval" },
    { { "--qqqqqq", NULL }, OC_E_INVAL, "--help lists them" },
    { { "pids", NULL }, OC_E_INVAL, "unknown option 'pids'" },
    { { "--foreground=yes", NULL }, OC_E_INVAL, "takes no value" },
};

START_TEST(args_are_taken_or_refused_with_the_mend)
{
    const struct args_case *c = &args_cases[_i];
    char words[MAX_WORDS + 1][64] = { "oomcastd" };
    char *argv[MAX_WORDS + 1] = { words[0] };
    int argc = 1;
    struct oc_args args;
    struct oc_detail detail = { 0 };
    int rc = 0;

    for (; c->words[argc - 1]; argc++) {
        (void)snprintf(words[argc], sizeof(words[argc]), "%s", c->words[argc - 1]);
        argv[argc] = words[argc];
    }
    rc = oc_args_parse(argc, argv, &args, &detail);
    ck_assert_msg(rc == c->rc, "%s", detail.text);
    if (c->says)
        ck_assert_msg(strstr(detail.text, c->says) != NULL, "%s", detail.text);
}
END_TEST

START_TEST(args_give_the_figures)
{
    char *argv[] = { (char *)"oomcastd", (char *)"--interval=1500ms",
                     (char *)"--rung",   (char *)"pss",
                     (char *)"--ack-fd", (char *)"3",
                     (char *)"--data",   (char *)"/tmp/x" };
    struct oc_args args;
    struct oc_detail detail;

    ck_assert_int_eq(oc_args_parse(8, argv, &args, &detail), OC_OK);
    ck_assert_int_eq(args.interval_ms, 1500);
    ck_assert_int_eq(args.look, OC_LOOK_PSS);
    ck_assert_int_eq(args.ack_fd, 3);
    ck_assert_str_eq(args.data_dir, "/tmp/x");
    ck_assert_ptr_null(args.pids_path);
}
END_TEST

START_TEST(help_names_every_option_of_the_bench)
{
    static const char *const names[] = { "--foreground", "--pids-from", "--interval", "--data",
                                         "--rung",       "--ack-fd",    "Examples:" };
    struct oc_buf text;

    oc_buf_init(&text, 65536);
    oc_args_help(&text);
    ck_assert_int_eq(text.err, OC_OK);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_ptr_nonnull(strstr(text.data, names[i]));
    oc_buf_clear(&text);
}
END_TEST

/* ---- requests ---- */

struct request_case {
    const char *line;
    int rc;
    enum oc_command command;
    uint32_t pid;
};

static const struct request_case requests[] = {
    { "{\"cmd\":\"status\"}", OC_OK, OC_COMMAND_STATUS, 0 },
    { " {\"cmd\" : \"reload\"} \r", OC_OK, OC_COMMAND_RELOAD, 0 },
    { "{\"cmd\":\"walk-now\",\"pid\":12}", OC_OK, OC_COMMAND_WALK_NOW, 12 },
    { "{\"cmd\":\"stop\"}", OC_OK, OC_COMMAND_STOP, 0 },
    { "{\"cmd\":\"destroy\"}", OC_E_NOTSUP, 0, 0 },
    { "{\"cmd\":\"status\",\"x\":1}", OC_E_NOTSUP, 0, 0 },
    { "{\"cmd\":\"walk-now\",\"pid\":-3}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"walk-now\",\"pid\":1e99}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"walk-now\",\"pid\":\"1\"}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"alerts\"}", OC_OK, OC_COMMAND_ALERTS, 0 },
    { "{\"cmd\":\"silences\"}", OC_OK, OC_COMMAND_SILENCES, 0 },
    { "{\"cmd\":\"silence\",\"match\":[\"subject=a*\"],\"for\":\"2h\"}", OC_OK, OC_COMMAND_SILENCE,
      0 },
    { "{\"cmd\":\"silence\",\"match\":[\"severity!=critical\"],\"end_unix_ms\":1e12,"
      "\"author\":\"ann\",\"comment\":\"deploy\"}",
      OC_OK, OC_COMMAND_SILENCE, 0 },
    { "{\"cmd\":\"silence\",\"for\":\"2h\"}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"silence\",\"match\":[],\"for\":\"2h\"}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"silence\",\"match\":[\"a=b\"]}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"silence\",\"match\":[\"a=b\"],\"for\":\"2h\",\"end_unix_ms\":5}", OC_E_INVAL, 0,
      0 },
    { "{\"cmd\":\"silence\",\"match\":[\"nothing\"],\"for\":\"2h\"}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"silence\",\"match\":[\"=x\"],\"for\":\"2h\"}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"silence\",\"match\":[\"a=b\"],\"for\":\"0\"}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"silence\",\"match\":[1],\"for\":\"1h\"}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"silence\",\"match\":[\"a=1\",\"a=1\",\"a=1\",\"a=1\",\"a=1\",\"a=1\","
      "\"a=1\",\"a=1\",\"a=1\"],\"for\":\"1h\"}",
      OC_E_TOOBIG, 0, 0 },
    { "{\"cmd\":\"unsilence\",\"id\":7}", OC_OK, OC_COMMAND_UNSILENCE, 0 },
    { "{\"cmd\":\"unsilence\"}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"unsilence\",\"id\":0}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"ack\"}", OC_OK, OC_COMMAND_ACK, 0 },
    { "{\"cmd\":\"ack\",\"fingerprint\":\"00ffA1\"}", OC_OK, OC_COMMAND_ACK, 0 },
    { "{\"cmd\":\"ack\",\"fingerprint\":\"xyz\"}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"ack\",\"fingerprint\":\"00112233445566778\"}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"ack\",\"subject\":\"unit:*\"}", OC_OK, OC_COMMAND_ACK, 0 },
    { "{\"cmd\":\"ack\",\"receiver\":\"ops\"}", OC_E_NOTSUP, 0, 0 },
    { "{\"cmd\":\"test\",\"receiver\":\"ops\"}", OC_OK, OC_COMMAND_TEST, 0 },
    { "{\"cmd\":\"test\"}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"test\",\"receiver\":7}", OC_E_INVAL, 0, 0 },
    { "{\"cmd\":\"retry\"}", OC_OK, OC_COMMAND_RETRY, 0 },
    { "{\"cmd\":1}", OC_E_PARSE, 0, 0 },
    { "{}", OC_E_PARSE, 0, 0 },
    { "", OC_E_PARSE, 0, 0 },
    { "[]", OC_E_PARSE, 0, 0 },
    { "{\"cmd\":\"status\"} {", OC_E_PARSE, 0, 0 },
    { "{\"cmd\":\"status\"", OC_E_PARSE, 0, 0 },
    { "{\"cmd\":\"\xff\"}", OC_E_PARSE, 0, 0 },
    { "status", OC_E_PARSE, 0, 0 },
};

START_TEST(requests_are_taken_or_refused)
{
    const struct request_case *c = &requests[_i];
    struct oc_request request = { 0 };
    struct oc_detail detail = { 0 };
    int rc = oc_request_parse(c->line, strlen(c->line), &request, &detail);

    ck_assert_msg(rc == c->rc, "%s: %d %s", c->line, rc, detail.text);
    if (rc == OC_OK) {
        ck_assert_int_eq(request.command, c->command);
        ck_assert_uint_eq(request.pid, c->pid);
    } else {
        ck_assert_str_ne(detail.text, "");
    }
}
END_TEST

START_TEST(what_changes_nothing_is_for_everybody)
{
    for (int command = OC_COMMAND_STATUS; command <= OC_COMMAND_RETRY; command++) {
        struct oc_request request = { .command = (enum oc_command)command };

        ck_assert_int_eq(oc_request_changes(&request), command != OC_COMMAND_STATUS &&
                                                           command != OC_COMMAND_ALERTS &&
                                                           command != OC_COMMAND_SILENCES);
    }
}
END_TEST

START_TEST(a_silence_has_what_was_said)
{
    static const char line[] =
        "{\"cmd\":\"silence\",\"match\":[\"subject=unit:*\",\"severity!=critical\"],"
        "\"for\":\"90m\",\"author\":\"ann\",\"comment\":\"deploy\"}";
    struct oc_request request = { 0 };
    struct oc_detail detail = { 0 };

    ck_assert_int_eq(oc_request_parse(line, strlen(line), &request, &detail), OC_OK);
    ck_assert_int_eq(request.for_ms, 90 * 60000);
    ck_assert_uint_eq(request.silence.matcher_count, 2);
    ck_assert_str_eq(request.silence.matchers[0].name, "subject");
    ck_assert_str_eq(request.silence.matchers[0].glob, "unit:*");
    ck_assert_int_eq(request.silence.matchers[0].is_negative, 0);
    ck_assert_str_eq(request.silence.matchers[1].glob, "critical");
    ck_assert_int_eq(request.silence.matchers[1].is_negative, 1);
    ck_assert_str_eq(request.silence.author, "ann");
    ck_assert_str_eq(request.silence.comment, "deploy");
}
END_TEST

START_TEST(a_fingerprint_is_hexadecimal)
{
    static const char line[] = "{\"cmd\":\"ack\",\"fingerprint\":\"0fA9\"}";
    struct oc_request request = { 0 };
    struct oc_detail detail = { 0 };

    ck_assert_int_eq(oc_request_parse(line, strlen(line), &request, &detail), OC_OK);
    ck_assert_uint_eq(request.fingerprint, 0xfa9);
}
END_TEST

/* ---- pidfiles ---- */

static const struct {
    const char *text;
    uint32_t pid; /* 0: none */
} pidfiles[] = {
    { "123", 123 }, { "123\n", 123 },    { "  7\r\n", 7 }, { "42 nginx\n", 42 }, { "", 0 },
    { "\n", 0 },    { "-1", 0 },         { "0", 0 },       { "99999999999", 0 }, { "12x", 0 },
    { "1.5", 0 },   { "4294967296", 0 },
};

START_TEST(pidfiles_say_a_number_or_nothing)
{
    uint32_t pid = 0;
    int rc = oc_pidfile_parse(pidfiles[_i].text, strlen(pidfiles[_i].text), &pid);

    ck_assert_int_eq(rc, pidfiles[_i].pid ? OC_OK : OC_E_PARSE);
    ck_assert_uint_eq(pid, pidfiles[_i].pid);
}
END_TEST

Suite *words_suite(void)
{
    Suite *suite = suite_create("words");
    TCase *tcase = tcase_create("words");

    tcase_add_loop_test(tcase, args_are_taken_or_refused_with_the_mend, 0,
                        sizeof(args_cases) / sizeof(args_cases[0]));
    tcase_add_test(tcase, args_give_the_figures);
    tcase_add_test(tcase, help_names_every_option_of_the_bench);
    tcase_add_loop_test(tcase, requests_are_taken_or_refused, 0,
                        sizeof(requests) / sizeof(requests[0]));
    tcase_add_test(tcase, what_changes_nothing_is_for_everybody);
    tcase_add_test(tcase, a_silence_has_what_was_said);
    tcase_add_test(tcase, a_fingerprint_is_hexadecimal);
    tcase_add_loop_test(tcase, pidfiles_say_a_number_or_nothing, 0,
                        sizeof(pidfiles) / sizeof(pidfiles[0]));
    suite_add_tcase(suite, tcase);
    return suite;
}
