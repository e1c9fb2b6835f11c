/* What is read of answers: Retry-After, dates, and which outcome each end of a talk has. */
#include "notify/outcome.h"
#include "notify/retry_after.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS INT64_C(784111767000) /* Sun, 06 Nov 1994 08:49:27 GMT */

struct wait {
    const char *text;
    int64_t ms;
};

static const struct wait waits[] = {
    { "0", 0 },
    { "1", 1000 },
    { " 120\r\n", 120000 },
    { "86400", 86400000 },
    { "86401", 86400000 },
    { "999999999", 86400000 },
    { "99999999999999999999", 86400000 },
    { "Sun, 06 Nov 1994 08:49:37 GMT", 10000 },
    { "Sunday, 06-Nov-94 08:49:37 GMT", 10000 },
    { "Sun Nov  6 08:49:37 1994", 10000 },
    { "Sun, 06 Nov 1994 08:49:17 GMT", 0 }, /* past */
    { "Tue, 08 Nov 1994 08:49:37 GMT", 86400000 },
    { "Fri, 31 Dec 9999 23:59:59 GMT", 86400000 },
    { "", 0 },
    { " ", 0 },
    { "-5", 0 },
    { "+5", 0 },
    { "5 s", 0 },
    { "1.5", 0 },
    { "1e9", 0 },
    { "Sun, 32 Nov 1994 08:49:37 GMT", 0 },
    { "Sun, 06 Nov 1994 24:49:37 GMT", 0 },
    { "Sun, 06 Nix 1994 08:49:37 GMT", 0 },
    { "Sun, 06 Nov 1994", 0 },
    { "Sun, 06 Nov 19940000000000000000 08:49:37 GMT", 0 },
    { "a b c d e f g h i j k", 0 },
};
#define WAITS ((int)(sizeof(waits) / sizeof(waits[0])))

START_TEST(retry_after_is_read)
{
    const struct wait *wait = &waits[_i];
    int64_t ms = oc_retry_after_ms(wait->text, strlen(wait->text), NOW_MS);

    ck_assert_msg(ms == wait->ms, "'%s': %lld", wait->text, (long long)ms);
}
END_TEST

START_TEST(dates_of_leap_years_are_right)
{
    int64_t ms = 0;
    static const char leap[] = "Thu, 29 Feb 2024 12:00:00 GMT";
    static const char first[] = "Thu, 01 Jan 1970 00:00:00 GMT";
    static const char century[] = "Mon, 01 Mar 2100 00:00:00 GMT";

    ck_assert_int_eq(oc_http_date(leap, sizeof(leap) - 1, NOW_MS, &ms), OC_OK);
    ck_assert_int_eq(ms, INT64_C(1709208000000));
    ck_assert_int_eq(oc_http_date(first, sizeof(first) - 1, NOW_MS, &ms), OC_OK);
    ck_assert_int_eq(ms, 0);
    ck_assert_int_eq(oc_http_date(century, sizeof(century) - 1, NOW_MS, &ms), OC_OK);
    ck_assert_int_eq(ms, INT64_C(4107542400000));
}
END_TEST

START_TEST(two_digits_are_the_year_nearest_to_now)
{
    static const char text[] = "Friday, 01-Jan-27 00:00:00 GMT";
    int64_t ms = 0;

    ck_assert_int_eq(oc_http_date(text, sizeof(text) - 1, INT64_C(1790000000000), &ms), OC_OK);
    ck_assert_int_eq(ms, INT64_C(1798761600000));
}
END_TEST

struct end {
    CURLcode code;
    int32_t status;
    enum oc_delivery_outcome http, smtp;
};

static const struct end ends[] = {
    { CURLE_OK, 200, OC_DELIVERY_SENT, OC_DELIVERY_SENT },
    { CURLE_WRITE_ERROR, 200, OC_DELIVERY_SENT, OC_DELIVERY_LATER }, /* cut at 64 KiB */
    { CURLE_OPERATION_TIMEDOUT, 204, OC_DELIVERY_SENT, OC_DELIVERY_LATER },
    { CURLE_OK, 101, OC_DELIVERY_LATER, OC_DELIVERY_SENT },
    { CURLE_OK, 410, OC_DELIVERY_NEVER, OC_DELIVERY_SENT },
    { CURLE_OK, 407, OC_DELIVERY_SLOW, OC_DELIVERY_SENT },
    { CURLE_OK, 599, OC_DELIVERY_LATER, OC_DELIVERY_SENT },
    { CURLE_COULDNT_RESOLVE_HOST, 0, OC_DELIVERY_LATER, OC_DELIVERY_LATER },
    { CURLE_COULDNT_RESOLVE_PROXY, 0, OC_DELIVERY_LATER, OC_DELIVERY_LATER },
    { CURLE_COULDNT_CONNECT, 0, OC_DELIVERY_LATER, OC_DELIVERY_LATER },
    { CURLE_PEER_FAILED_VERIFICATION, 220, OC_DELIVERY_SENT, OC_DELIVERY_SLOW },
    { CURLE_PEER_FAILED_VERIFICATION, 0, OC_DELIVERY_SLOW, OC_DELIVERY_SLOW },
    { CURLE_USE_SSL_FAILED, 500, OC_DELIVERY_LATER, OC_DELIVERY_SLOW },
    { CURLE_SSL_CACERT_BADFILE, 0, OC_DELIVERY_SLOW, OC_DELIVERY_SLOW },
    { CURLE_SSL_CONNECT_ERROR, 0, OC_DELIVERY_LATER, OC_DELIVERY_LATER },
    { CURLE_LOGIN_DENIED, 535, OC_DELIVERY_LATER, OC_DELIVERY_SLOW },
    { CURLE_LOGIN_DENIED, 0, OC_DELIVERY_SLOW, OC_DELIVERY_SLOW },
    { CURLE_SEND_ERROR, 550, OC_DELIVERY_LATER, OC_DELIVERY_NEVER },
    { CURLE_SEND_ERROR, 451, OC_DELIVERY_NEVER, OC_DELIVERY_LATER },
    { CURLE_SEND_ERROR, 0, OC_DELIVERY_LATER, OC_DELIVERY_LATER },
    { CURLE_WEIRD_SERVER_REPLY, 0, OC_DELIVERY_LATER, OC_DELIVERY_LATER },
    { CURLE_URL_MALFORMAT, 0, OC_DELIVERY_SLOW, OC_DELIVERY_SLOW },
    { CURLE_UNSUPPORTED_PROTOCOL, 0, OC_DELIVERY_SLOW, OC_DELIVERY_SLOW },
    { CURLE_OUT_OF_MEMORY, 0, OC_DELIVERY_LATER, OC_DELIVERY_LATER },
    { CURLE_HTTP2, 0, OC_DELIVERY_LATER, OC_DELIVERY_LATER },
};
#define ENDS ((int)(sizeof(ends) / sizeof(ends[0])))

START_TEST(each_end_has_its_outcome_and_a_reason)
{
    const struct end *end = &ends[_i];
    const struct oc_talk talk = { .code = end->code,
                                  .status = end->status,
                                  .origin = "https://example.com",
                                  .moved_to = "",
                                  .said = "",
                                  .ca_file = "",
                                  .timeout_ms = 1500 };
    struct oc_outcome http = { 0 }, smtp = { 0 };

    oc_outcome_http(&talk, &http);
    oc_outcome_smtp(&talk, &smtp);
    ck_assert_msg(http.outcome == end->http && smtp.outcome == end->smtp, "%d, %d: %d %d",
                  (int)end->code, (int)end->status, (int)http.outcome, (int)smtp.outcome);
    ck_assert_int_eq(http.why[0] == '\0', http.outcome == OC_DELIVERY_SENT);
    ck_assert_int_eq(smtp.why[0] == '\0', smtp.outcome == OC_DELIVERY_SENT);
    ck_assert_int_eq(http.status, end->status);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notify_answers");
    TCase *all = tcase_create("all");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_loop_test(all, retry_after_is_read, 0, WAITS);
    tcase_add_test(all, dates_of_leap_years_are_right);
    tcase_add_test(all, two_digits_are_the_year_nearest_to_now);
    tcase_add_loop_test(all, each_end_has_its_outcome_and_a_reason, 0, ENDS);
    suite_add_tcase(suite, all);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
