/* Bytes of a terminal → keys. */
#include "suites.h"

#include "cli/show/screen.h"

#include <string.h>

static const struct {
    const char *bytes;
    int key, taken;
} cases[] = {
    { "q", 'q', 1 },
    { "qx", 'q', 1 },
    { "\003", OC_KEY_CTRL_C, 1 },
    { "\033[A", OC_KEY_UP, 3 },
    { "\033OB", OC_KEY_DOWN, 3 },
    { "\033[5~", OC_KEY_PAGE_UP, 4 },
    { "\033[6~x", OC_KEY_PAGE_DOWN, 4 },
    { "\033[H", OC_KEY_HOME, 3 },
    { "\033[F", OC_KEY_END, 3 },
    { "\033", 0, 1 },
    { "\033[1;5C", 0, 6 },  /* control and right: unknown, and no 'C' is left behind */
    { "\033[200~q", 0, 6 }, /* a paste begins */
    { "\033[12", 0, 4 },    /* cut */
    { "\xc3\xa9", 0xc3, 1 },
};

START_TEST(keys_are_told_apart)
{
    int key = -1;

    ck_assert_int_eq(oc_key_parse(cases[_i].bytes, (int)strlen(cases[_i].bytes), &key),
                     cases[_i].taken);
    ck_assert_int_eq(key, cases[_i].key);
}
END_TEST

Suite *keys_suite(void)
{
    Suite *suite = suite_create("keys");
    TCase *tcase = tcase_create("keys");

    tcase_add_loop_test(tcase, keys_are_told_apart, 0, sizeof(cases) / sizeof(cases[0]));
    suite_add_tcase(suite, tcase);
    return suite;
}
