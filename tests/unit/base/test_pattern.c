#include "base/alloc.h"
#include "base/pattern.h"
#include "suites.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

struct match_case {
    const char *pattern, *text;
    int matches;
    size_t begin[3], end[3]; /* of the groups; begin > end: none */
};

static const struct match_case matches[] = {
    { "java", "xjavax", 1, { 1, 1, 1 }, { 5, 0, 0 } },
    { "^java$", "java", 1, { 0, 1, 1 }, { 4, 0, 0 } },
    { "^java$", "javac", 0, { 0 }, { 0 } },
    { "", "x", 1, { 0, 1, 1 }, { 0, 0, 0 } },
    { "app=([a-z]+)-([0-9]+)", "x app=shop-12 y", 1, { 2, 6, 11 }, { 13, 10, 13 } },
    { "(a)|(b)", "b", 1, { 0, 1, 0 }, { 1, 0, 1 } },
    { "(?:a|b)(c)", "bc", 1, { 0, 1, 1 }, { 2, 2, 0 } },
    { "(?i)JaVa", "jAvA", 1, { 0, 1, 1 }, { 4, 0, 0 } },
    { "JaVa", "jAvA", 0, { 0 }, { 0 } },
    { "\\.jar\\b", "shop.jar x", 1, { 4, 1, 1 }, { 8, 0, 0 } },
    { "[[:digit:]]{2,3}x", "1234x", 1, { 1, 1, 1 }, { 5, 0, 0 } },
    { "[]a]+", "x]a]", 1, { 1, 1, 1 }, { 4, 0, 0 } },
    { "[^ ]+$", "a bc", 1, { 2, 1, 1 }, { 4, 0, 0 } },
    { "a+?", "aaa", 1, { 0, 1, 1 }, { 1, 0, 0 } },
    { "n.{2}de",
      "n\xc3\xb6"
      "de",
      1,
      { 0, 1, 1 },
      { 5, 0, 0 } }, /* bytes, not letters */
    { "\xc3\xb6|\xc3\xa4", "x\xc3\xa4", 1, { 1, 1, 1 }, { 3, 0, 0 } },
    { "\xff", "a\xff", 1, { 1, 1, 1 }, { 2, 0, 0 } },
};

static void check_match(const struct match_case *c)
{
    struct oc_detail detail = { 0 };
    struct oc_span groups[OC_PATTERN_GROUPS];
    oc_pattern *pattern = NULL;

    ck_assert_msg(oc_pattern_new(c->pattern, &pattern, &detail) == OC_OK, "%s: %s", c->pattern,
                  detail.text);
    ck_assert_msg(oc_pattern_match(pattern, c->text, strlen(c->text), NULL) == c->matches, "%s: %s",
                  c->pattern, c->text);
    ck_assert_int_eq(oc_pattern_match(pattern, c->text, strlen(c->text), groups), c->matches);
    for (size_t i = 0; c->matches && i < 3; i++)
        ck_assert_msg(groups[i].begin == c->begin[i] && groups[i].end == c->end[i],
                      "%s: group %zu is %zu-%zu", c->pattern, i, groups[i].begin, groups[i].end);
    oc_pattern_free(pattern);
}

START_TEST(pattern_matches_and_captures) { check_match(&matches[_i]); }
END_TEST

START_TEST(pattern_heeds_no_locale)
{
    if (!setlocale(LC_ALL, "C.UTF-8")) {
        printf("SKIP pattern_heeds_no_locale: no locale C.UTF-8\n");
        return;
    }
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++)
        check_match(&matches[i]);
    (void)setlocale(LC_ALL, "C");
}
END_TEST

struct bad_pattern {
    const char *pattern;
    int rc;
    uint32_t column;
};

static const struct bad_pattern refused[] = {
    { "(a)\\1", OC_E_NOTSUP, 4 },
    { "(?=a)", OC_E_NOTSUP, 1 },
    { "*a", OC_E_PARSE, 1 },
    { "a|+", OC_E_PARSE, 3 },
    { "a**", OC_E_PARSE, 3 },
    { "a{", OC_E_PARSE, 3 },
    { "a{1", OC_E_PARSE, 2 },
    { "a{,3}", OC_E_PARSE, 3 },
    { "a{~1}", OC_E_PARSE, 3 },
    { "a{3,2}", OC_E_PARSE, 2 },
    { "a{256}", OC_E_TOOBIG, 3 },
    { "a{99999999999}", OC_E_TOOBIG, 3 },
    { "(a", OC_E_PARSE, 1 },
    { "a)", OC_E_PARSE, 2 },
    { "[a", OC_E_PARSE, 1 },
    { "[[:alpha", OC_E_PARSE, 3 },
    { "[[:foo:]]", OC_E_PARSE, 0 },
    { "[z-a]", OC_E_PARSE, 0 },
    { "[\xc3\xa4]", OC_E_PARSE, 2 },
    { "\xc3\xa4*", OC_E_PARSE, 3 },
    { "\\", OC_E_PARSE, 1 },
    { "\\q", OC_E_PARSE, 1 },
    { "\\Qa\\E", OC_E_PARSE, 1 },
    { "\\x{263a}", OC_E_PARSE, 1 },
    { "(a{99}){99}", OC_E_TOOBIG, 8 },
    { "((a{9}){99}){99}", OC_E_TOOBIG, 13 },
    { "((){99})((){99}){99}{99}", OC_E_TOOBIG, 21 },
    { "((^){99}){99}{99}", OC_E_TOOBIG, 14 },
    { "(((((a{255}){255}){255}){255}){255}){255}", OC_E_TOOBIG, 13 },
    { "((a{0,20}){0,20}){0,20}", OC_E_TOOBIG, 11 },
    { "(a?){255}(a?){255}", OC_E_TOOBIG, 5 },
    { ".{0,255}.{0,255}x", OC_E_TOOBIG, 9 },
    { "((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))", OC_E_TOOBIG, 33 },
};

START_TEST(pattern_says_what_it_refuses_and_where)
{
    const struct bad_pattern *c = &refused[_i];
    struct oc_detail detail = { 0 };
    oc_pattern *pattern = NULL;
    int rc = oc_pattern_new(c->pattern, &pattern, &detail);

    ck_assert_msg(rc == c->rc, "%s: %d %s", c->pattern, rc, detail.text);
    ck_assert_msg(detail.column == c->column, "%s: %u %s", c->pattern, detail.column, detail.text);
    ck_assert(detail.text[0] != '\0' && pattern == NULL);
    ck_assert_int_eq(oc_pattern_new(c->pattern, &pattern, NULL), c->rc);
}
END_TEST

/*
 * Patterns that take a backtracking matcher longer than the universe lasts, on texts where they
 * almost match; and the largest that are let through.
 */
static const struct hard_pattern {
    const char *pattern;
    char letter;
} hard[] = {
    { "(a*)*b", 'a' },
    { "(a|aa)+$", 'a' },
    { "(a|aa)+$", 'b' },
    { "(a|a)*b", 'a' },
    { "(x+x+)+y", 'x' },
    { "^(([a-z])+.)+[A-Z]([a-z])+$", 'a' },
    { "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[0-9]", 'a' },
    { "(a?){30}a{30}", 'a' },
    { "([a-z]+)*([a-z]+)*([a-z]+)*=", 'a' },
    { "(a{1,8}){1,8}b", 'a' },
    { "((a*)+)+b", 'a' },
};

START_TEST(pattern_is_linear_in_hard_cases)
{
    static char text[64u << 10];
    struct oc_detail detail = { 0 };
    struct oc_span groups[OC_PATTERN_GROUPS];
    oc_pattern *pattern = NULL;

    memset(text, hard[_i].letter, sizeof(text));
    ck_assert_msg(oc_pattern_new(hard[_i].pattern, &pattern, &detail) == OC_OK, "%s: %s",
                  hard[_i].pattern, detail.text);
    ck_assert_int_ge(oc_pattern_match(pattern, text, sizeof(text), groups), 0);
    oc_pattern_free(pattern);
}
END_TEST

START_TEST(pattern_of_a_thousand_bytes_is_the_longest)
{
    char text[OC_PATTERN_MAX_BYTES + 2];
    struct oc_detail detail = { 0 };
    oc_pattern *pattern = NULL;

    memset(text, 'a', sizeof(text));
    text[OC_PATTERN_MAX_BYTES + 1] = '\0';
    ck_assert_int_eq(oc_pattern_new(text, &pattern, &detail), OC_E_TOOBIG);
    text[OC_PATTERN_MAX_BYTES] = '\0';
    ck_assert_msg(oc_pattern_new(text, &pattern, &detail) == OC_OK, "%s", detail.text);
    ck_assert_int_eq(oc_pattern_match(pattern, text, OC_PATTERN_MAX_BYTES, NULL), 1);
    ck_assert_int_eq(oc_pattern_match(pattern, text, OC_PATTERN_MAX_BYTES - 1, NULL), 0);
    oc_pattern_free(pattern);
    oc_pattern_free(NULL);
}
END_TEST

/* Each alternative is a step from each other, and each group something to compare on the way. */
START_TEST(pattern_of_many_groups_in_a_repeat_is_refused)
{
    struct oc_detail detail = { 0 };
    oc_pattern *pattern = NULL;
    char text[512];

    for (int count = 20; count <= 60; count += 40) {
        size_t len = 1;

        text[0] = '(';
        for (int i = 0; i < count; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, i > 0 ? "|(a)" : "(a)");
        (void)snprintf(text + len, sizeof(text) - len, ")*b");
        ck_assert_int_eq(oc_pattern_new(text, &pattern, &detail), count > 20 ? OC_E_TOOBIG : OC_OK);
        if (count == 20)
            oc_pattern_free(pattern);
    }
    ck_assert_ptr_nonnull(strstr(detail.text, "too many groups"));
}
END_TEST

START_TEST(pattern_says_when_memory_runs_out)
{
    oc_pattern *pattern = NULL;

    oc_alloc_fail_at(1, 0);
    ck_assert_int_eq(oc_pattern_new("a", &pattern, NULL), OC_E_NOMEM);
    oc_alloc_fail_at(0, 0);
    ck_assert_ptr_null(pattern);
}
END_TEST

Suite *pattern_suite(void)
{
    Suite *suite = suite_create("pattern");
    TCase *tcase = tcase_create("pattern");

    tcase_add_loop_test(tcase, pattern_matches_and_captures, 0,
                        sizeof(matches) / sizeof(matches[0]));
    tcase_add_test(tcase, pattern_heeds_no_locale);
    tcase_add_loop_test(tcase, pattern_says_what_it_refuses_and_where, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_loop_test(tcase, pattern_is_linear_in_hard_cases, 0, sizeof(hard) / sizeof(hard[0]));
    tcase_add_test(tcase, pattern_of_a_thousand_bytes_is_the_longest);
    tcase_add_test(tcase, pattern_of_many_groups_in_a_repeat_is_refused);
    tcase_add_test(tcase, pattern_says_when_memory_runs_out);
    suite_add_tcase(suite, tcase);
    return suite;
}
