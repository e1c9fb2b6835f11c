/* Targets, labels, files of values and drop-ins as they are read. */
#include "base/alloc.h"
#include "base/os.h"
#include "config/config.h"
#include "suites.h"
#include "tests/support/folder.h"

#include <stdio.h>
#include <string.h>

static char folder[128];

static void begin(void)
{
    ck_assert_int_eq(make_folder("oomcast-config", folder, sizeof(folder)), 0);
}

static void end(void) { ck_assert_int_eq(remove_folder(folder), 0); }

static void write_file(const char *name, const char *text)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    ck_assert_int_eq(oc_file_write_atomic(path, text, strlen(text)), OC_OK);
}

/* ---- what is refused ---- */

static const struct {
    const char *target; /* within "targets": [ ] */
    uint32_t column;    /* counted from the target's first byte, from 1 */
    const char *says;
} bad[] = {
    { "{}", 1, "selects nothing" },
    { "{ \"labels\": { \"a\": \"b\" } }", 1, "\"name\": \"*\"" },
    { "\"java\"", 1, "objects such as" },
    { "{ \"nmae\": \"java\" }", 3, "did you mean \"name\"?" },
    { "{ \"zzzzzzzz\": 1 }", 3, "man oomcast.json" },
    { "{ \"name\": [] }", 11, "empty list" },
    { "{ \"name\": \"\" }", 11, "is empty" },
    { "{ \"name\": 5 }", 11, "not a number" },
    { "{ \"name\": [\"a\", 5] }", 17, "not a number" },
    { "{ \"name\": \"/usr/bin/java\" }", 11, "\"exe\" selects by path" },
    { "{ \"exe\": \"java\" }", 10, "\"*/nginx\"" },
    { "{ \"unit\": \"system.slice\" }", 11, "\"cgroup\"" },
    { "{ \"unit\": \"x.timer\" }", 11, ".service or .scope" },
    { "{ \"cgroup\": \"system.slice\" }", 13, "begins with '/'" },
    { "{ \"pidfile\": \"x.pid\" }", 14, "whole path" },
    { "{ \"pidfile\": \"/run/*.pid\" }", 14, "without wildcards" },
    { "{ \"container_id\": \"shop\" }", 19, "\"container\" selects by name" },
    { "{ \"container_id\": \"4c01\" }", 19, "12 to 64" },
    { "{ \"pid\": 0 }", 10, "from 1" },
    { "{ \"pid\": 1.5 }", 10, "from 1" },
    { "{ \"pid\": \"1\" }", 10, "from 1" },
    { "{ \"pid\": 4294967296 }", 10, "from 1" },
    { "{ \"name_regex\": \"(a\" }", 17, "without its end, at character 1" },
    { "{ \"cmdline_regex\": \"(a)\\\\1\" }", 20, "back-reference" },
    { "{ \"cmdline_regex\": \"((a{99}){99}){99}\" }", 20, "too large" },
    { "{ \"name\": \"a\", \"source\": \"pod\" }", 26, "\"cgroup\"" },
    { "{ \"name\": \"a\", \"source\": \"host\" }", 1, "no selectors" },
    { "{ \"name\": \"a\", \"ignore\": 1 }", 26, "true or false" },
    { "{ \"name\": \"a\", \"subject\": \"{nmae}\" }", 27, "{name}" },
    { "{ \"name\": \"a\", \"subject\": \"a}\" }", 27, "in braces" },
    { "{ \"name\": \"a\", \"subject\": \"{1}\" }", 1, "regular expression" },
    { "{ \"name\": \"a\", \"interval\": \"1ms\" }", 28,
      "\"interval\" wants a duration from 100ms" },
    { "{ \"name\": \"a\", \"walk_interval\": \"0s\" }", 33, "\"walk_interval\" wants a duration" },
    { "{ \"min_size\": \"2TiB\" }", 15, "a size from" },
    { "{ \"name\": \"a\", \"labels\": { \"a-b\": \"c\" } }", 35, "letters, digits" },
    { "{ \"name\": \"a\", \"labels\": { \"a\": 1 } }", 33, "a string" },
    { "{ \"name\": \"a\", \"limits\": { \"private_bites\": \"1G\" } }", 28, "\"private_bytes\"" },
    { "{ \"name\": \"a\", \"limits\": { \"private_bytes\": 5 } }", 45, "2GiB" },
    { "{ \"name\": \"a\", \"limits\": { \"thread_count\": \"x\" } }", 44, "whole number" },
    { "{ \"name\": \"a\", \"limits\": { \"cpu_time_ms\": 5 } }", 43, "no limit" },
    { "{ \"name\": { \"from_file\": \"x\" } }", 11, "from the root" },
    { "{ \"name\": { \"from_file\": \"/nonexistent/x\" } }", 11, "/nonexistent/x: not found" },
};

START_TEST(bad_target_is_refused_with_its_place)
{
    static const char head[] = "{ \"targets\": [\n";
    char text[512];
    struct oc_config config;
    struct oc_detail detail = { 0 };

    (void)snprintf(text, sizeof(text), "%s%s ] }", head, bad[_i].target);
    ck_assert_int_lt(oc_config_parse("f.json", text, strlen(text), &config, &detail), 0);
    ck_assert_msg(strstr(detail.text, bad[_i].says) != NULL, "%s: %s", bad[_i].target, detail.text);
    ck_assert_msg(detail.line == 2 && detail.column == bad[_i].column, "%s: %s", bad[_i].target,
                  detail.text);
}
END_TEST

/* A target for each selector list of the maximum, and beyond. */
START_TEST(targets_and_words_have_a_maximum)
{
    struct oc_config config;
    struct oc_detail detail = { 0 };
    struct oc_buf text;

    oc_buf_init(&text, 1u << 20);
    for (size_t count = OC_TARGET_WORDS_MAX; count <= OC_TARGET_WORDS_MAX + 1; count++) {
        oc_buf_reset(&text);
        oc_buf_puts(&text, "{ \"targets\": [{ \"name\": [ \"a\"");
        for (size_t i = 1; i < count; i++)
            oc_buf_puts(&text, ", \"a\"");
        oc_buf_puts(&text, "] }] }");
        ck_assert_int_eq(oc_config_parse("t", text.data, text.len_bytes, &config, &detail),
                         count > OC_TARGET_WORDS_MAX ? OC_E_TOOBIG : OC_OK);
        if (count == OC_TARGET_WORDS_MAX)
            oc_config_clear(&config);
    }
    for (size_t count = OC_TARGETS_MAX; count <= OC_TARGETS_MAX + 1; count++) {
        oc_buf_reset(&text);
        oc_buf_puts(&text, "{ \"targets\": [ { \"pid\": 1 }");
        for (size_t i = 1; i < count; i++)
            oc_buf_puts(&text, ", { \"pid\": 1 }");
        oc_buf_puts(&text, "] }");
        ck_assert_int_eq(oc_config_parse("t", text.data, text.len_bytes, &config, &detail),
                         count > OC_TARGETS_MAX ? OC_E_TOOBIG : OC_OK);
        if (count == OC_TARGETS_MAX)
            oc_config_clear(&config);
    }
    oc_buf_clear(&text);
}
END_TEST

/* ---- what is taken ---- */

START_TEST(target_takes_every_key)
{
    static const char text[] =
        "{ \"labels\": { \"site\": \"a\", \"team\": \"all\" }, \"targets\": [ {\n"
        "  \"target\": \"shop\", \"name\": [\"java\", \"node*\"], \"name_regex\": \"^j\",\n"
        "  \"cmdline_regex\": [\"-jar (x)\", \"y\"], \"exe\": \"*/java\", \"pid\": [1, 2],\n"
        "  \"pidfile\": \"/run/x.pid\", \"unit\": [\"nginx\", \"a@*.service\"],\n"
        "  \"cgroup\": \"/a/\", \"container_id\": \"4c01db0b339c\", \"container\": \"c\",\n"
        "  \"pod\": \"p\", \"namespace\": \"n\", \"pod_container\": \"pc\", \"user\": \"root\",\n"
        "  \"iis_app_pool\": \"Shop*\", \"service\": \"w3svc\",\n"
        "  \"min_size\": \"1MiB\", \"ignore\": false, \"source\": \"cgroup\",\n"
        "  \"children\": \"fold\", \"subject\": \"j:{1}\", \"labels\": { \"team\": \"shop\" },\n"
        "  \"interval\": \"1s\", \"walk_interval\": \"1h\", \"pages\": true,\n"
        "  \"limits\": { \"private_bytes\": \"2GiB\", \"thread_count\": 500 } } ] }";
    struct oc_config config;
    struct oc_detail detail = { 0 };
    const struct oc_target *target = NULL;

    ck_assert_msg(oc_config_parse("t.json", text, sizeof(text) - 1, &config, &detail) == OC_OK,
                  "%s", detail.text);
    ck_assert_uint_eq(config.targets.count, 1);
    target = &config.targets.items[0];
    ck_assert_str_eq(target->name, "shop");
    ck_assert_str_eq(target->file, "t.json");
    ck_assert_uint_eq(target->line, 1);
    ck_assert_uint_eq(target->selectors, (1u << OC_SELECT_COUNT) - 1);
    ck_assert_uint_eq(target->words[OC_SELECT_NAME].count, 2);
    ck_assert_str_eq(target->words[OC_SELECT_UNIT].items[0], "nginx.service");
    ck_assert_str_eq(target->words[OC_SELECT_UNIT].items[1], "a@*.service");
    ck_assert_str_eq(target->words[OC_SELECT_CGROUP].items[0], "/a");
    ck_assert_uint_eq(target->pids[1], 2);
    ck_assert_uint_eq(target->min_size_bytes, 1u << 20);
    ck_assert_int_eq(target->source, OC_TARGET_CGROUP);
    ck_assert_int_eq(target->children, OC_CHILDREN_FOLD);
    ck_assert_int_eq(target->pages, 1);
    ck_assert_int_eq(target->interval_ms, 1000);
    ck_assert_int_eq(target->walk_interval_ms, 3600000);
    ck_assert_uint_eq(target->limit_count, 2);
    ck_assert_uint_eq(target->limits[0].metric, OC_METRIC_PRIVATE);
    ck_assert_uint_eq(target->limits[0].value, UINT64_C(2) << 30);
    ck_assert_uint_eq(target->labels.count, 2);
    ck_assert_str_eq(target->labels.items[0].value, "a");
    ck_assert_str_eq(target->labels.items[1].value, "shop");
    oc_config_clear(&config);
}
END_TEST

START_TEST(target_keys_are_all_documented)
{
    size_t count = 0;
    const struct oc_target_key *keys = oc_target_key_table(&count);

    for (size_t i = 0; i < count; i++) {
        char text[512];
        struct oc_config config;
        struct oc_detail detail = { 0 };
        int is_host = strcmp(keys[i].key, "source") == 0;

        ck_assert(keys[i].text && keys[i].example);
        (void)snprintf(text, sizeof(text), "{ \"targets\": [{ %s \"%s\": %s }] }",
                       is_host || keys[i].selector == OC_SELECT_CMDLINE_REGEX ? "\"name\": \"*\","
                       : keys[i].selector < OC_SELECT_COUNT                   ? ""
                                                            : "\"cmdline_regex\": \"(a)\",",
                       keys[i].key, keys[i].example);
        ck_assert_msg(oc_config_parse("t", text, strlen(text), &config, &detail) == OC_OK, "%s: %s",
                      text, detail.text);
        oc_config_clear(&config);
    }
    for (unsigned i = 0; i < OC_SELECT_COUNT; i++) {
        size_t found = 0;

        for (size_t j = 0; j < count; j++)
            found += keys[j].selector == i &&
                     strcmp(keys[j].key, oc_selector_name((enum oc_selector)i)) == 0;
        ck_assert_uint_eq(found, 1);
    }
}
END_TEST

/* ---- values from files ---- */

START_TEST(value_is_read_from_its_file_and_never_told)
{
    struct oc_config config;
    struct oc_detail detail = { 0 };
    char text[1024], path[256];

    write_file("site", "berlin\n");
    write_file("loud", "loud");
    (void)snprintf(path, sizeof(path), "%s/site", folder);
    (void)snprintf(text, sizeof(text),
                   "{ \"labels\": { \"site\": { \"from_file\": \"%s\" } }, \"targets\": "
                   "[{ \"name\": [\"a\", { \"from_file\": \"%s\" }] }] }",
                   path, path);
    ck_assert_msg(oc_config_parse("t", text, strlen(text), &config, &detail) == OC_OK, "%s",
                  detail.text);
    ck_assert_str_eq(config.labels.items[0].value, "berlin");
    ck_assert_str_eq(config.targets.items[0].words[OC_SELECT_NAME].items[1], "berlin");
    ck_assert_str_eq(oc_config_secret(&config, "berlin"), path);
    ck_assert_ptr_null(oc_config_secret(&config, "a"));
    oc_config_clear(&config);
    (void)snprintf(text, sizeof(text), "{ \"log_level\": { \"from_file\": \"%s/loud\" } }", folder);
    ck_assert_int_eq(oc_config_parse("t", text, strlen(text), &config, &detail), OC_E_INVAL);
    ck_assert_msg(strstr(detail.text, "/loud says") && !strstr(detail.text, "\"loud\""), "%s",
                  detail.text);
}
END_TEST

START_TEST(value_file_without_text_is_refused)
{
    static const char *const texts[] = { "", "\n\n", "\xff\xfe" };
    struct oc_config config;
    struct oc_detail detail = { 0 };
    char text[512];

    (void)snprintf(text, sizeof(text), "{ \"data_dir\": { \"from_file\": \"%s/x\" } }", folder);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_file("x", texts[i]);
        ck_assert_int_eq(oc_config_parse("t", text, strlen(text), &config, &detail), OC_E_INVAL);
        ck_assert_ptr_nonnull(strstr(detail.text, "holds no text"));
    }
}
END_TEST

/* ---- drop-ins ---- */

static const struct oc_option *option_of(const char *key)
{
    size_t count = 0;
    const struct oc_option *options = oc_option_table(&count);

    while (strcmp(options->key, key) != 0)
        options++;
    return options;
}

START_TEST(drop_ins_win_and_their_targets_stand_first)
{
    struct oc_config config;
    struct oc_detail detail = { 0 };
    char path[256], drop[256];
    const char *file = NULL;
    uint32_t line = 0;

    (void)snprintf(path, sizeof(path), "%s/oomcast.json", folder);
    (void)snprintf(drop, sizeof(drop), "%s/conf.d", folder);
    write_file("oomcast.json", "{ \"interval\": \"1s\",\n \"batch\": \"2s\", \"labels\": "
                               "{ \"a\": \"1\" }, \"targets\": [{ \"name\": \"main\" }] }");
    ck_assert_int_eq(oc_config_load_all(path, &config, &detail), OC_OK); /* none is none */
    ck_assert_uint_eq(config.targets.count, 1);
    oc_config_clear(&config);
    ck_assert_int_eq(oc_os_mkdir_all(drop), OC_OK);
    write_file("conf.d/20-b.json", "{ \"targets\": [{ \"name\": \"b\" }, { \"name\": \"c\" }] }");
    write_file("conf.d/10-a.json", "{\n\n\"interval\": \"3s\", \"labels\": { \"b\": \"2\" }, "
                                   "\"targets\": [{ \"name\": \"a\" }] }");
    write_file("conf.d/ignored.txt", "no JSON");
    ck_assert_msg(oc_config_load_all(path, &config, &detail) == OC_OK, "%s", detail.text);
    ck_assert_int_eq(config.interval_ms, 3000);
    ck_assert_int_eq(config.batch_ms, 2000);
    ck_assert_uint_eq(config.labels.count, 2);
    ck_assert_uint_eq(config.targets.count, 4);
    ck_assert_str_eq(config.targets.items[0].words[OC_SELECT_NAME].items[0], "b");
    ck_assert_str_eq(config.targets.items[1].words[OC_SELECT_NAME].items[0], "c");
    ck_assert_str_eq(config.targets.items[2].words[OC_SELECT_NAME].items[0], "a");
    ck_assert_str_eq(config.targets.items[3].words[OC_SELECT_NAME].items[0], "main");
    ck_assert_uint_eq(config.targets.items[3].labels.count, 2);
    oc_config_origin(&config, option_of("interval"), &file, &line);
    ck_assert_ptr_nonnull(strstr(file, "10-a.json"));
    ck_assert_uint_eq(line, 3);
    oc_config_origin(&config, option_of("batch"), &file, &line);
    ck_assert_ptr_nonnull(strstr(file, "oomcast.json"));
    oc_config_origin(&config, option_of("min_size"), &file, &line);
    ck_assert_ptr_null(file);
    ck_assert_uint_eq(oc_config_file_count(&config), 3);
    oc_config_clear(&config);
    write_file("conf.d/30-bad.json", "{ \"interval\": 1 }");
    ck_assert_int_eq(oc_config_load_all(path, &config, &detail), OC_E_INVAL);
    ck_assert_ptr_nonnull(strstr(detail.text, "30-bad.json:1:15"));
}
END_TEST

Suite *load_target_suite(void)
{
    Suite *suite = suite_create("loading targets");
    TCase *refused = tcase_create("refused");
    TCase *taken = tcase_create("taken");

    tcase_add_checked_fixture(taken, begin, end);
    tcase_add_loop_test(refused, bad_target_is_refused_with_its_place, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(refused, targets_and_words_have_a_maximum);
    tcase_add_test(taken, target_takes_every_key);
    tcase_add_test(taken, target_keys_are_all_documented);
    tcase_add_test(taken, value_is_read_from_its_file_and_never_told);
    tcase_add_test(taken, value_file_without_text_is_refused);
    tcase_add_test(taken, drop_ins_win_and_their_targets_stand_first);
    suite_add_tcase(suite, refused);
    suite_add_tcase(suite, taken);
    return suite;
}
