/* What is written from the tables: starter file, schema, manual, the config in force; and the recipes of the docs. */
#include "base/alloc.h"
#include "base/os.h"
#include "config/config.h"
#include "config/section.h"
#include "config/words.h"
#include "suites.h"
#include "tests/support/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct oc_buf text;

static void begin(void) { oc_buf_init(&text, 1u << 20); }

static void end(void) { oc_buf_clear(&text); }

static void load(const char *name, const char *json, size_t len, struct oc_config *config)
{
    struct oc_detail detail = { 0 };

    ck_assert_msg(oc_config_parse(name, json, len, config, &detail) == OC_OK, "%s", detail.text);
}

START_TEST(starter_file_loads_and_changes_nothing)
{
    struct oc_config config, defaults;

    oc_config_init(&defaults);
    oc_config_write_sample(&text);
    ck_assert_int_eq(text.err, OC_OK);
    load("sample", text.data, text.len_bytes, &config);
    ck_assert_uint_eq(config.targets.count, 0);
    ck_assert_int_eq(config.interval_ms, defaults.interval_ms);
    oc_config_clear(&config);
}
END_TEST

/* With the comment marks of options and recipes taken off, as a person would. */
START_TEST(starter_file_loads_uncommented)
{
    struct oc_config config;
    size_t options = 0, recipes = 0, out = 0;

    oc_config_write_sample(&text);
    for (size_t i = 0; i < text.len_bytes; i++) {
        const char *at = text.data + i;

        if (strncmp(at, "// \"", 4) == 0 || strncmp(at, "// {", 4) == 0)
            i += 3;
        text.data[out++] = text.data[i];
    }
    (void)oc_option_table(&options);
    while (oc_config_recipes()[recipes].text)
        recipes++;
    load("uncommented", text.data, out, &config);
    ck_assert_uint_eq(config.targets.count, recipes);
    ck_assert_uint_gt(config.receivers.count, 0);
    ck_assert_uint_eq(config.windows.count, 2);
    for (size_t i = 0; i < options; i++) {
        const char *file = NULL;
        uint32_t line = 0;

        oc_config_origin(&config, &oc_option_table(&options)[i], &file, &line);
        ck_assert_msg(file != NULL, "%s", oc_option_table(&options)[i].key);
    }
    oc_config_clear(&config);
}
END_TEST

START_TEST(config_in_force_is_written_and_loads_the_same)
{
    static const char json[] =
        "{ \"interval\": \"250ms\", \"walk_budget\": \"7%\", \"labels\": { \"a\": \"b\" },\n"
        "  \"targets\": [ { \"target\": \"x\", \"name\": [\"a\", \"b\\n\"], \"pid\": [1, 2],\n"
        "    \"name_regex\": \"(a|b)\", \"subject\": \"{1}\", \"min_size\": \"1536KiB\",\n"
        "    \"source\": \"cgroup\", \"children\": \"fold\", \"pages\": true, \"interval\": "
        "\"90s\",\n"
        "    \"limits\": { \"private_bytes\": \"2GiB\", \"thread_count\": 5 } },\n"
        "    { \"unit\": \"y\", \"ignore\": true } ] }";
    struct oc_config config, again;
    struct oc_buf second;

    oc_buf_init(&second, 1u << 20);
    load("first", json, sizeof(json) - 1, &config);
    oc_config_write_all(&config, &text);
    ck_assert_ptr_nonnull(strstr(text.data, "\"interval\": \"250ms\", // first:1"));
    ck_assert_ptr_nonnull(strstr(text.data, "// default"));
    load("first", text.data, text.len_bytes, &again);
    ck_assert_int_eq(again.walk_budget_percent, 7);
    ck_assert_uint_eq(again.targets.count, 2);
    for (size_t i = 0; i < 2; i++) {
        oc_buf_reset(&text);
        oc_buf_reset(&second);
        oc_config_write_target(&config, &config.targets.items[i], &text);
        oc_config_write_target(&again, &again.targets.items[i], &second);
        ck_assert_str_eq(text.data, second.data);
    }
    oc_config_clear(&config);
    oc_config_clear(&again);
    oc_buf_clear(&second);
}
END_TEST

START_TEST(text_of_a_file_is_written_as_its_path)
{
    char folder[128], json[1024], path[256];
    struct oc_config config;

    ck_assert_int_eq(make_folder("oomcast-config", folder, sizeof(folder)), 0);
    (void)snprintf(path, sizeof(path), "%s/secret", folder);
    ck_assert_int_eq(oc_file_write_atomic(path, "hunter2\n", 8), OC_OK);
    (void)snprintf(json, sizeof(json),
                   "{ \"labels\": { \"k\": { \"from_file\": \"%s\" } }, \"targets\": [{ \"name\": "
                   "{ \"from_file\": \"%s\" } }] }",
                   path, path);
    load("t", json, strlen(json), &config);
    ck_assert_str_eq(config.labels.items[0].value, "hunter2");
    oc_config_write_all(&config, &text);
    ck_assert_ptr_null(strstr(text.data, "hunter2"));
    ck_assert_ptr_nonnull(strstr(text.data, path));
    oc_config_clear(&config);
    ck_assert_int_eq(remove_folder(folder), 0);
}
END_TEST

START_TEST(iis_starter_is_in_force_as_it_stands)
{
    struct oc_config config;
    size_t live = 0;

    oc_config_write_iis_sample(&text);
    load("iis", text.data, text.len_bytes, &config);
    ck_assert_uint_eq(config.targets.count, 2);
    ck_assert_uint_eq(config.targets.items[0].selectors, 1u << OC_SELECT_IIS_APP_POOL);
    ck_assert_int_eq(config.targets.items[1].counters, 1);
    oc_config_clear(&config);
    /* and each line that is commented out would be taken, one at a time */
    for (char *at = text.data; (at = strstr(at, "// {")) != NULL; at += 2) {
        memset(at, ' ', 2);
        load("iis", text.data, text.len_bytes, &config);
        oc_config_clear(&config);
        memcpy(at, "//", 2);
        live++;
    }
    ck_assert_uint_eq(live, 6);
}
END_TEST

START_TEST(manual_and_docs_have_every_key)
{
    size_t options = 0, keys = 0, len = 0;
    const struct oc_option *option = oc_option_table(&options);
    const struct oc_target_key *key = oc_target_key_table(&keys);
    char *docs = NULL;
    char word[80];

    oc_config_write_manual(&text);
    ck_assert_int_eq(text.err, OC_OK);
    ck_assert_int_eq(oc_file_read(OC_TEST_DATA "/../../docs/config.md", 1u << 20, &docs, &len),
                     OC_OK);
    for (size_t i = 0; i < options; i++) {
        (void)snprintf(word, sizeof(word), "\\fB%s\\fR", option[i].key);
        ck_assert_msg(strstr(text.data, word) != NULL, "%s", word);
    }
    for (size_t i = 0; i < keys; i++) {
        (void)snprintf(word, sizeof(word), "\\fB%s\\fR", key[i].key);
        ck_assert_msg(strstr(text.data, word) != NULL, "%s", word);
        (void)snprintf(word, sizeof(word), "`%s`", key[i].key);
        ck_assert_msg(strstr(docs, word) != NULL, "%s", word);
    }
    for (const struct oc_section *const *section = oc_sections(); *section; section++) {
        for (size_t i = 0; i < (*section)->key_count; i++) {
            (void)snprintf(word, sizeof(word), "\\fB%s\\fR", (*section)->keys[i].key);
            ck_assert_msg(strstr(text.data, word) != NULL, "%s", word);
            (void)snprintf(word, sizeof(word), "`%s`", (*section)->keys[i].key);
            ck_assert_msg(strstr(docs, word) != NULL, "%s", word);
        }
    }
    oc_free(docs);
}
END_TEST

START_TEST(recipes_of_the_docs_load)
{
    static const char open[] = "```json\n";
    size_t len = 0, count = 0;
    char *docs = NULL, *at = NULL;

    if (!oc_file_exists("/etc/hostname")) {
        printf("SKIP recipes_of_the_docs_load: no /etc/hostname, which one of them reads\n");
        return;
    }
    ck_assert_int_eq(oc_file_read(OC_TEST_DATA "/../../docs/config.md", 1u << 20, &docs, &len),
                     OC_OK);
    for (at = strstr(docs, open); at; at = strstr(at, open)) {
        struct oc_config config;
        char *json = at + sizeof(open) - 1;
        char *close = strstr(json, "```");

        ck_assert_ptr_nonnull(close);
        load("recipe", json, (size_t)(close - json), &config);
        ck_assert(config.targets.count > 0 || config.labels.count > 0 ||
                  config.receivers.count > 0 || config.windows.count > 0);
        oc_config_clear(&config);
        at = close + 3;
        count++;
    }
    ck_assert_uint_ge(count, 8);
    oc_free(docs);
}
END_TEST

/* By a validator of others, where one is installed. */
static const char validate[] =
    "import json, re, sys\n"
    "import jsonschema\n"
    "schema = json.load(open(sys.argv[1]))\n"
    "jsonschema.Draft202012Validator.check_schema(schema)\n"
    "v = jsonschema.Draft202012Validator(schema)\n"
    "def read(p):\n"
    "    return json.loads(re.sub(r'(?m)^\\s*//.*$| // .*$', '', open(p).read()))\n"
    "v.validate(read(sys.argv[2]))\n"
    "v.validate(read(sys.argv[3]))\n"
    "for bad in ({'nmae': 1}, {'targets': [{}]}, {'interval': 5}, {'interval': '5x'},\n"
    "            {'targets': [{'name': []}]}, {'targets': [{'name': 'a', 'x': 1}]},\n"
    "            {'labels': {'a-b': 'c'}}, {'log_level': 'loud'},\n"
    "            {'rules': [{'kind': 'growth'}]}, {'receivers': [{'name': 'a', 'type': 'x'}]},\n"
    "            {'receivers': [{'name': 'a'}]}, {'restarts': [{'name': 'a', 'at': '3:00'}]},\n"
    "            {'maintenance': [{'name': 'a', 'from': '01:00'}]}):\n"
    "    assert not v.is_valid(bad), bad\n";

static void write_to(const char *folder, const char *name, const char *bytes, size_t len)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    ck_assert_int_eq(oc_file_write_atomic(path, bytes, len), OC_OK);
}

START_TEST(schema_is_valid_and_takes_what_we_take)
{
    char folder[128], command[700];

    if (system("python3 -c 'import jsonschema' 2>/dev/null") != 0) {
        printf("SKIP schema_is_valid_and_takes_what_we_take: no python3-jsonschema\n");
        return;
    }
    ck_assert_int_eq(make_folder("oomcast-config", folder, sizeof(folder)), 0);
    oc_config_write_schema(&text);
    ck_assert_int_eq(text.err, OC_OK);
    write_to(folder, "schema", text.data, text.len_bytes);
    oc_buf_reset(&text);
    oc_config_write_sample(&text);
    write_to(folder, "sample", text.data, text.len_bytes);
    oc_buf_reset(&text);
    oc_buf_puts(&text, "{ \"targets\": [ { \"source\": \"host\" }");
    for (size_t i = 0; oc_config_recipes()[i].text; i++)
        oc_buf_printf(&text, ", %s", oc_config_recipes()[i].target);
    oc_buf_puts(&text, "]");
    for (const struct oc_section *const *section = oc_sections(); *section; section++) {
        const struct oc_recipe *recipes = oc_config_section_recipes(*section);

        oc_buf_printf(&text, ", \"%s\": [", (*section)->key);
        for (size_t i = 0; recipes[i].text; i++)
            oc_buf_printf(&text, "%s%s", i > 0 ? ", " : "", recipes[i].target);
        oc_buf_puts(&text, "]");
    }
    oc_buf_puts(&text, " }");
    write_to(folder, "recipes", text.data, text.len_bytes);
    write_to(folder, "validate.py", validate, sizeof(validate) - 1);
    (void)snprintf(command, sizeof(command),
                   "python3 %s/validate.py %s/schema %s/sample %s/recipes", folder, folder, folder,
                   folder);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(remove_folder(folder), 0);
}
END_TEST

Suite *written_suite(void)
{
    Suite *suite = suite_create("written");
    TCase *tcase = tcase_create("written");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, starter_file_loads_and_changes_nothing);
    tcase_add_test(tcase, starter_file_loads_uncommented);
    tcase_add_test(tcase, config_in_force_is_written_and_loads_the_same);
    tcase_add_test(tcase, text_of_a_file_is_written_as_its_path);
    tcase_add_test(tcase, iis_starter_is_in_force_as_it_stands);
    tcase_add_test(tcase, manual_and_docs_have_every_key);
    tcase_add_test(tcase, recipes_of_the_docs_load);
    tcase_add_test(tcase, schema_is_valid_and_takes_what_we_take);
    suite_add_tcase(suite, tcase);
    return suite;
}
