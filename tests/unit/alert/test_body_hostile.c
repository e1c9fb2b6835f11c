/* Bodies of hostile names and of too much: each parses, stays text, and within what its service takes. */
#include "base/alloc.h"
#include "base/text.h"
#include "tests/unit/alert/body_fixture.h"

#include <stdio.h>
#include <string.h>

/* ---- what a hostile process could have named ---- */

static const char *const hostile[] = {
    "plain",
    "\"quoted\\\" and \\",
    "two\nlines\r\nBcc: all@example.org\r\n\r\nbody",
    "<script>alert('x')</script>&amp;<!--",
    "@channel <!channel> <@U123> @here <https://evil|click>",
    "*bold* _it_ ~no~ `code` ```block``` [a](https://evil) # h | t",
    "\x1b[31mred\x1b]0;title\x07 \x9b",
    "bad \xff\xfe\xc3 utf8 \xed\xa0\x80",
    "\xe2\x80\xaegnp.exe \xe2\x81\xa6x",
    "=?UTF-8?B?SGVsbG8=?= =?x",
    "--=_oomcast_=--",
    ".",
    "${jndi:ldap://x} $(reboot) `reboot` ; rm -rf %s%n",
    "\xf0\x9f\x98\x80 emoji :smile:",
};
#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

/* A name everywhere where one may stand. */
static void make_hostile(const char *text)
{
    static char explanation[OC_NOTICE_EXPLAIN_BYTES * 2];
    static char *labels[9];

    make_notice(1, text);
    (void)snprintf(explanation, sizeof(explanation), "of %s:\n%s", text, text);
    (void)oc_text_copy(alerts[0].alert.why, sizeof(alerts[0].alert.why), text);
    (void)oc_text_copy(alerts[0].alert.rule, sizeof(alerts[0].alert.rule), text);
    (void)oc_text_copy(alerts[0].alert.about.limit.where, sizeof(alerts[0].alert.about.limit.where),
                       text);
    (void)oc_text_copy(notice.instance, sizeof(notice.instance), text);
    (void)oc_text_copy(notice.group_key, sizeof(notice.group_key), text);
    (void)oc_text_copy(notice.id, sizeof(notice.id), text);
    alerts[0].explanation = explanation;
    alerts[0].next = explanation;
    alerts[0].runbook_url = explanation;
    for (int i = 0; i < 8; i++)
        labels[i] = i % 2 ? explanation : (char *)"key";
    labels[0] = "alertname";
    labels[8] = NULL;
    alerts[0].labels = labels;
}

/* No control but a line's end, and none of those that turn the direction. */
static int is_control(const unsigned char *c)
{
    return (*c < 0x20 && *c != '\n') || *c == 0x7F ||
           (c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0) ||
           (c[0] == 0xE2 && c[1] == 0x80 && c[2] >= 0xA8 && c[2] <= 0xAE);
}

/* An assertion for all of it: check notes each in a file. */
static void is_clean(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;

    ck_assert(oc_text_is_utf8(text, strlen(text), NULL));
    while (*c && !is_control(c))
        c++;
    ck_assert_msg(*c == '\0', "0x%02x in %s", *c, text);
}

static void fields_are_clean(void)
{
    for (size_t at = 0; at < body.fields.len_bytes;) {
        const char *key = body.fields.data + at, *value = key + strlen(key) + 1;

        is_clean(key);
        is_clean(value);
        ck_assert_ptr_null(strpbrk(value, "\r\n"));
        at = (size_t)(value - body.fields.data) + strlen(value) + 1;
    }
}

START_TEST(hostile_names_stay_within_json)
{
    static const unsigned types[] = { OC_RECEIVER_WEBHOOK, OC_RECEIVER_HOOK };
    cJSON *root = NULL;

    make_hostile(hostile[_i]);
    for (size_t i = 0; i < 2; i++) {
        write_body(types[i]);
        fields_are_clean();
        root = parsed();
        ck_assert_int_eq(cJSON_GetArraySize(member(root, "alerts")), 1);
        ck_assert_int_eq(cJSON_GetArraySize(root), 10);
        is_clean(
            member(member(member(root, "alerts")->child, "annotations"), "summary")->valuestring);
        cJSON_Delete(root);
    }
    oc_buf_reset(&body.text);
    ck_assert_int_eq(oc_body_write_level(alerts, 1, NOW, &body.text), OC_OK);
    cJSON_Delete(parsed());
}
END_TEST

/* Texts of a type below a value. */
static void each_text(const cJSON *value, const char *type, void (*fn)(const char *))
{
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(value, "type");
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(value, "text");

    if (cJSON_IsString(kind) && strcmp(kind->valuestring, type) == 0 && cJSON_IsString(text))
        fn(text->valuestring);
    for (const cJSON *child = value->child; child; child = child->next) {
        if (cJSON_IsObject(child) || cJSON_IsArray(child))
            each_text(child, type, fn);
    }
}

static size_t characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static void plain_is_bounded(const char *text)
{
    is_clean(text);
    ck_assert_uint_gt(strlen(text), 0);
    ck_assert_uint_le(characters(text), 3000);
}

/* Markdown is ours but for what stands in its one code block. */
static void markdown_is_harmless(const char *text)
{
    const char *open = strstr(text, "```"), *close = NULL;

    plain_is_bounded(text);
    ck_assert_ptr_nonnull(open);
    close = strstr(open + 3, "```");
    ck_assert_ptr_nonnull(close);
    ck_assert_str_eq(close, "```");
    for (const char *c = open + 3; c < close; c++) {
        if (*c == '<' || *c == '>' || *c == '`' ||
            (*c == '@' && c[1] != '\xe2' && !(c[-1] >= '0' && c[-1] <= 'z')))
            ck_abort_msg("%s", c);
    }
}

static void check_slack(void)
{
    cJSON *root = NULL;
    const char *text = NULL;

    write_body(OC_RECEIVER_SLACK);
    root = parsed();
    ck_assert_int_le(cJSON_GetArraySize(member(root, "blocks")), 50);
    ck_assert_uint_le(
        characters(member(member(member(root, "blocks")->child, "text"), "text")->valuestring),
        150);
    text = member(root, "text")->valuestring;
    is_clean(text);
    ck_assert(!strpbrk(text, "<>`"));
    each_text(member(root, "blocks"), "plain_text", plain_is_bounded);
    each_text(member(root, "blocks"), "mrkdwn", markdown_is_harmless);
    cJSON_Delete(root);
}

START_TEST(hostile_names_stay_text_in_slack)
{
    make_hostile(hostile[_i]);
    check_slack();
}
END_TEST

static void check_teams(void)
{
    cJSON *root = NULL;
    const cJSON *card = NULL, *fact = NULL;

    write_body(OC_RECEIVER_TEAMS);
    ck_assert_uint_le(body.text.len_bytes, 28000);
    root = parsed();
    has(root, "type", "message");
    card = member(member(root, "attachments")->child, "content");
    has(card, "type", "AdaptiveCard");
    each_text(card, "TextRun", is_clean);
    for (const cJSON *block = member(card, "body")->child; block; block = block->next) {
        const char *type = member(block, "type")->valuestring;

        ck_assert(strcmp(type, "RichTextBlock") == 0 || strcmp(type, "FactSet") == 0);
        if (strcmp(type, "FactSet") != 0)
            continue;
        cJSON_ArrayForEach(fact, member(block, "facts"))
        {
            is_clean(member(fact, "value")->valuestring);
            ck_assert_ptr_null(strpbrk(member(fact, "value")->valuestring, "<>"));
        }
    }
    cJSON_Delete(root);
}

START_TEST(hostile_names_stay_text_in_teams)
{
    make_hostile(hostile[_i]);
    check_teams();
}
END_TEST

/* ---- e-mail ---- */

static int hex(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

/* A part of the multipart, decoded; yours to free. */
static char *decoded(const char *type)
{
    char head[64], *out = oc_malloc(body.text.len_bytes + 1);
    const char *at = NULL, *end = NULL;
    size_t len = 0;

    (void)snprintf(head, sizeof(head), "--=_oomcast_=\r\nContent-Type: %s; charset=utf-8\r\n",
                   type);
    at = strstr(body.text.data, head);
    ck_assert_msg(at != NULL, "%s", head);
    at = strstr(at, "\r\n\r\n") + 4;
    end = strstr(at, "\r\n--=_oomcast_=");
    ck_assert_ptr_nonnull(end);
    for (; at < end; at++) {
        if (at[0] == '=' && at[1] == '\r') {
            at += 2;
        } else if (at[0] == '=') {
            out[len++] = (char)(hex(at[1]) * 16 + hex(at[2]));
            at += 2;
        } else if (at[0] != '\r') {
            out[len++] = *at;
        }
    }
    out[len] = '\0';
    return out;
}

static void check_email(void)
{
    size_t line = 0, boundaries = 0;
    const char *at = NULL;

    write_body(OC_RECEIVER_EMAIL);
    fields_are_clean();
    ck_assert_str_eq(body.content_type, "multipart/alternative; boundary=\"=_oomcast_=\"");
    ck_assert_uint_lt(strlen(body.content_type), 64);
    for (size_t i = 0; i < body.text.len_bytes; i++) {
        char c = body.text.data[i];

        line = c == '\n' ? 0 : line + 1;
        if ((unsigned char)c > 0x7E || ((unsigned char)c < 0x20 && c != '\r' && c != '\n') ||
            line > 78)
            ck_abort_msg("0x%02x in column %zu", (unsigned char)c, line);
    }
    for (at = body.text.data; (at = strstr(at, "--=_oomcast_=")) != NULL; at++)
        boundaries++;
    ck_assert_uint_eq(boundaries, 3);
    ck_assert_ptr_null(strstr(body.text.data, "\r\n.\r\n"));
    ck_assert_ptr_null(strstr(field("Subject"), "=?"));
    ck_assert_uint_le(strlen(field("Subject")), 200);
    ck_assert_int_eq(field("Message-ID")[0], '<');
}

START_TEST(hostile_names_stay_text_in_mail)
{
    char *text = NULL, *html = NULL;

    make_hostile(hostile[_i]);
    check_email();
    text = decoded("text/plain");
    html = decoded("text/html");
    is_clean(text);
    is_clean(html);
    ck_assert_ptr_null(strstr(html, "<script"));
    ck_assert_ptr_null(strstr(html, "<!--"));
    ck_assert_ptr_null(strstr(html, "javascript:"));
    ck_assert_ptr_nonnull(strstr(html, "</html>"));
    oc_free(text);
    oc_free(html);
}
END_TEST

/* ---- too much ---- */

static char many[OC_NOTICE_EXPLAIN_BYTES + 1];

static void make_large(size_t count, char filler)
{
    memset(many, filler, sizeof(many) - 1);
    many[1000] = many[2000] = '\n';
    make_notice(count, many);
    for (size_t i = 0; i < count; i++) {
        alerts[i].explanation = many;
        alerts[i].next = many;
    }
    notice.more = 1950;
    notice.firing = (uint32_t)count + 1950;
}

START_TEST(bodies_stay_within_what_services_take)
{
    static const char fillers[] = { 'a', '<', '"', '&', '\x01', '\xff', '`', '@' };

    for (size_t i = 0; i < sizeof(fillers); i++) {
        make_large(OC_NOTICE_ALERTS_MAX, fillers[i]);
        check_slack();
        check_teams();
        check_email();
        write_body(OC_RECEIVER_WEBHOOK);
        cJSON_Delete(parsed());
    }
}
END_TEST

START_TEST(what_was_left_out_is_said)
{
    char *text = NULL;

    make_large(OC_NOTICE_ALERTS_MAX, 'a');
    write_body(OC_RECEIVER_SLACK);
    ck_assert_ptr_nonnull(strstr(body.text.data, "more alerts: `oomcast alerts` lists them"));
    ck_assert_ptr_nonnull(strstr(body.text.data, "bytes more)"));
    write_body(OC_RECEIVER_TEAMS);
    ck_assert_ptr_nonnull(strstr(body.text.data, "more alerts: `oomcast alerts` lists them"));
    write_body(OC_RECEIVER_EMAIL);
    text = decoded("text/plain");
    ck_assert_ptr_nonnull(strstr(text, "and 1950 more alerts"));
    ck_assert_ptr_nonnull(strstr(text, "2000 fire, 0 ended"));
    oc_free(text);
}
END_TEST

START_TEST(folded_and_lost_durability_are_said)
{
    make_notice(1, "s");
    notice.folded = 3;
    notice.not_durable = 1;
    write_body(OC_RECEIVER_SLACK);
    ck_assert_ptr_nonnull(strstr(body.text.data, "In the place of 3 earlier messages"));
    ck_assert_ptr_nonnull(strstr(body.text.data, "The store could not take it"));
}
END_TEST

/* ---- memory ---- */

START_TEST(bodies_survive_every_allocation_that_fails)
{
    static const unsigned types[] = { OC_RECEIVER_WEBHOOK, OC_RECEIVER_SLACK,   OC_RECEIVER_TEAMS,
                                      OC_RECEIVER_EMAIL,   OC_RECEIVER_JOURNAL, OC_RECEIVER_HOOK };

    make_hostile(hostile[1]);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        int64_t live = oc_alloc_live();
        int rc = OC_E_NOMEM;

        for (uint64_t nth = 1; rc != OC_OK; nth++) {
            struct oc_body fresh;

            oc_body_init(&fresh);
            oc_alloc_fail_at(nth, 0);
            rc = oc_body_write(types[i], &notice, NOW, &fresh);
            oc_alloc_fail_at(0, 0);
            ck_assert(rc == OC_OK || rc == OC_E_NOMEM);
            oc_body_clear(&fresh);
            ck_assert_int_eq(oc_alloc_live(), live);
            ck_assert_uint_lt(nth, 10000);
        }
    }
}
END_TEST

Suite *hostile_suite(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tcase = tcase_create("hostile");

    tcase_add_checked_fixture(tcase, body_setup, body_teardown);
    tcase_add_loop_test(tcase, hostile_names_stay_within_json, 0, HOSTILE);
    tcase_add_loop_test(tcase, hostile_names_stay_text_in_slack, 0, HOSTILE);
    tcase_add_loop_test(tcase, hostile_names_stay_text_in_teams, 0, HOSTILE);
    tcase_add_loop_test(tcase, hostile_names_stay_text_in_mail, 0, HOSTILE);
    tcase_add_test(tcase, bodies_stay_within_what_services_take);
    tcase_add_test(tcase, what_was_left_out_is_said);
    tcase_add_test(tcase, folded_and_lost_durability_are_said);
    tcase_add_test(tcase, bodies_survive_every_allocation_that_fails);
    suite_add_tcase(suite, tcase);
    return suite;
}
