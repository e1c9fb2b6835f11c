/* Base64 and names, the digest of the OS, and who may run a hook. */
#include "notify/encode.h"
#include "notify/os.h"

#include "base/err.h"

#include <check.h>
#include <string.h>

struct pair {
    const char *text, *base64;
};

/* RFC 4648, section 10. */
static const struct pair pairs[] = {
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
};
#define PAIRS ((int)(sizeof(pairs) / sizeof(pairs[0])))

START_TEST(base64_is_that_of_the_rfc)
{
    const struct pair *pair = &pairs[_i];
    char out[OC_BASE64_ROOM(8)];
    unsigned char back[8] = { 0 };

    oc_base64_write(pair->text, strlen(pair->text), out);
    ck_assert_str_eq(out, pair->base64);
    if (out[0] == '\0')
        return;
    ck_assert_int_eq(oc_base64_read(out, strlen(out), back, sizeof(back)), (int)strlen(pair->text));
    ck_assert_int_eq(memcmp(back, pair->text, strlen(pair->text)), 0);
}
END_TEST

START_TEST(what_is_no_base64_is_refused)
{
    static const char *const bad[] = { "",     "A",    "AA",       "AAA",  "A===",
                                       "AA=A", "=AAA", "AA==AAAA", "AA-_", "AAA\n" };
    unsigned char out[16];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(oc_base64_read(bad[i], strlen(bad[i]), out, sizeof(out)) == OC_E_PARSE,
                      "'%s' was read", bad[i]);
    ck_assert_int_eq(oc_base64_read("AAAAAAAA", 8, out, 5), OC_E_TOOBIG);
}
END_TEST

START_TEST(names_are_the_same_in_any_case)
{
    ck_assert_int_eq(oc_same_name("Retry-After: 5", "retry-AFTER", 11), 1);
    ck_assert_int_eq(oc_same_name("Retry-Bfter", "retry-after", 11), 0);
    ck_assert_int_eq(oc_same_name("Re", "Retry", 5), 0);
    ck_assert_int_eq(oc_same_name("@[`{", "`{@[", 4), 0); /* beside the letters */
}
END_TEST

/* RFC 4231, test case 2. */
START_TEST(digest_is_that_of_the_rfc)
{
    static const char data[] = "what do ya want for nothing?";
    static const unsigned char wanted[] = { 0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e };
    unsigned char mac[OC_SHA256_BYTES];

    ck_assert_int_eq(oc_hmac_sha256("Jefe", 4, data, sizeof(data) - 1, mac), OC_OK);
    ck_assert_int_eq(memcmp(mac, wanted, sizeof(wanted)), 0);
}
END_TEST

START_TEST(what_a_program_finds_in_its_environment_has_a_path)
{
    const char *const *words = oc_program_environment();
    int paths = 0;

    for (size_t i = 0; words[i]; i += 2) {
        ck_assert_ptr_nonnull(words[i + 1]);
        paths += strcmp(words[i], "PATH") == 0;
    }
    ck_assert_int_eq(paths, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notify_encode");
    TCase *tcase = tcase_create("encode");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_loop_test(tcase, base64_is_that_of_the_rfc, 0, PAIRS);
    tcase_add_test(tcase, what_is_no_base64_is_refused);
    tcase_add_test(tcase, names_are_the_same_in_any_case);
    tcase_add_test(tcase, digest_is_that_of_the_rfc);
    tcase_add_test(tcase, what_a_program_finds_in_its_environment_has_a_path);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
