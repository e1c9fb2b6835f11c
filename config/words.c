#include "config/words.h"

#include "base/text.h"
#include "config/value.h"

static const struct oc_recipe recipes[] = {
    { "A service of systemd, all of its processes, looked at each second.",
      "{ \"unit\": \"nginx.service\", \"interval\": \"1s\" }" },
    { "JVMs, called by their jar: \"java:shop-api\".",
      "{ \"name\": \"java\", \"cmdline_regex\": \"-jar ([^ ]*/)?([^/ ]+)[.]jar\", \"subject\": "
      "\"java:{2}\" }" },
    { "Containers of Docker or Podman, by name.", "{ \"container\": \"shop-*\" }" },
    { "A namespace of Kubernetes: one subject for each workload and container.",
      "{ \"namespace\": \"prod\", \"labels\": { \"env\": \"prod\" } }" },
    { "A server with the workers that it starts, as one subject, and a ceiling of your own.",
      "{ \"name\": \"postgres\", \"children\": \"fold\", \"limits\": { \"private_bytes\": "
      "\"8GiB\" } }" },
    { "Windows: each application pool of IIS, with what its workers start.",
      "{ \"iis_app_pool\": \"*\" }" },
    { "Windows: a service.", "{ \"service\": \"MSSQL$*\" }" },
    { "Never look at these.", "{ \"user\": \"backup\", \"ignore\": true }" },
    { "All else that is large.", "{ \"min_size\": \"64MiB\" }" },
    { 0 },
};

const struct oc_recipe *oc_config_recipes(void) { return recipes; }

static const struct oc_recipe rules[] = {
    { "A default rule with another horizon. Its other values stay.",
      "{ \"name\": \"MemoryLimitForecast\", \"severity\": \"warning\", \"horizon\": \"12h\" }" },
    { "One that is not wanted.", "{ \"name\": \"NoMemoryLimit\", \"enabled\": false }" },
    { "A bound of your own, for some subjects.",
      "{ \"name\": \"ManyThreads\", \"kind\": \"threshold\", \"subjects\": \"unit:shop*\", "
      "\"metric\": \"thread_count\", \"enter\": 500, \"clear\": 400 }" },
    { "Growth by the hour, whatever the limit.",
      "{ \"name\": \"GrowsFast\", \"kind\": \"growth\", \"enter\": \"500MiB\", \"for\": "
      "\"15m\" }" },
    { 0 },
};

static const struct oc_recipe receivers[] = {
    { "Alertmanager, all of its peers.",
      "{ \"name\": \"am\", \"type\": \"alertmanager\", \"urls\": [\"http://127.0.0.1:9093\"] }" },
    { "Mail by the machine's own server.",
      "{ \"name\": \"mail\", \"type\": \"email\", \"url\": \"smtp://127.0.0.1:25\", \"starttls\": "
      "false, \"from\": \"oomcast@example.org\", \"to\": \"ops@example.org\" }" },
    { "The journal, with fields.", "{ \"name\": \"journal\", \"type\": \"journal\" }" },
    { 0 },
};

static const struct oc_recipe maintenance[] = {
    { "Sunday night.", "{ \"name\": \"patching\", \"from\": \"23:00\", \"to\": \"02:00\", "
                       "\"days\": \"sun\" }" },
    { 0 },
};

static const struct oc_recipe restarts[] = {
    { "Restarted each night by a timer.",
      "{ \"name\": \"nightly\", \"at\": \"03:30\", \"subjects\": \"java:*\" }" },
    { 0 },
};

const struct oc_recipe *oc_config_section_recipes(const struct oc_section *section)
{
    if (section == oc_section_rules())
        return rules;
    if (section == oc_section_receivers())
        return receivers;
    return section == oc_section_maintenance() ? maintenance : restarts;
}

void oc_config_write_bounds(const struct oc_option *option, struct oc_buf *out)
{
    char low[40] = "", high[40] = "";

    switch (option->type) {
    case OC_OPTION_DURATION:
        oc_config_value_write_duration(option->min, low, sizeof(low));
        oc_config_value_write_duration(option->max, high, sizeof(high));
        break;
    case OC_OPTION_SIZE:
        oc_config_value_write_size((uint64_t)option->min, low, sizeof(low));
        oc_config_value_write_size((uint64_t)option->max, high, sizeof(high));
        break;
    case OC_OPTION_PERCENT:
        (void)oc_text_copy(low, sizeof(low), "1%");
        (void)oc_text_copy(high, sizeof(high), "100%");
        break;
    case OC_OPTION_WORD:
        oc_buf_puts(out, "one of");
        for (size_t i = 0; option->words[i]; i++)
            oc_buf_printf(out, "%s %s", i > 0 ? "," : "", option->words[i]);
        return;
    case OC_OPTION_PATH:
    case OC_OPTION_LABELS:
    case OC_OPTION_TARGETS:
    case OC_OPTION_SECTION:
        return;
    }
    oc_buf_printf(out, "%s to %s", low, high);
}
