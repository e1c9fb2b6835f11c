/* A config file, and a process that its targets are tried on. */
/* target: fuzz_config.c deps: config_dep */
#include "config/config.h"

#include "base/text.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

static void match(const struct oc_config *config)
{
    static const struct oc_proc_names names = { .user = "app", .pod = "web-5d8f7c6b9-x2x4z" };
    struct oc_identity identity;
    struct oc_match_facts facts = {
        .pid = 42,
        .name = "a-very-long-nam",
        .exe = "/bin/a-very-long-name",
        .cmdline = "java -jar x",
        .cgroup = "/system.slice/x.service",
        .identity = &identity,
        .names = &names,
    };
    struct oc_match_result result;
    char subject[OC_SUBJECT_BYTES];

    oc_identity_of_cgroup(facts.cgroup, &identity);
    for (size_t i = 0; i < config->targets.count; i++) {
        (void)oc_target_match(&config->targets.items[i], &facts, &result);
        oc_target_subject(&config->targets.items[i], &facts, subject);
        assert(subject[0] && oc_text_is_utf8(subject, strlen(subject), NULL));
    }
    if (oc_targets_match(&config->targets, &facts, &result) == OC_MATCH_YES)
        assert(result.target < config->targets.count);
}

/* What is in force, written as a file, loads as the same; but for secrets, which are not written. */
static void write_and_load(const struct oc_config *config)
{
    struct oc_buf text;
    struct oc_config again;
    struct oc_detail detail;

    oc_buf_init(&text, 16u << 20);
    oc_config_write_all(config, &text);
    if (text.err == OC_OK && text.len_bytes <= OC_CONFIG_MAX_FILE_BYTES) {
        int rc = oc_config_parse("again", text.data, text.len_bytes, &again, &detail);

        if (rc < 0) {
            assert(strstr(text.data, "(hidden)") && strstr(detail.text, "config show"));
        } else {
            assert(again.targets.count == config->targets.count);
            assert(again.rules.count == config->rules.count);
            assert(again.receivers.count == config->receivers.count);
            assert(again.windows.count == config->windows.count);
            oc_config_clear(&again);
        }
    }
    oc_buf_clear(&text);
}

static void on_warning(const struct oc_config_warning *warning, void *context)
{
    (void)context;
    assert(warning->text[0] && warning->file && warning->line > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct oc_config config;
    struct oc_detail detail;

    if (oc_config_parse("fuzz", (const char *)bytes, len_bytes, &config, &detail) < 0)
        return 0;
    match(&config);
    write_and_load(&config);
    (void)oc_config_warnings(&config, on_warning, NULL);
    oc_config_clear(&config);
    return 0;
}
