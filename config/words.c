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
    { "Never look at these.", "{ \"user\": \"backup\", \"ignore\": true }" },
    { "All else that is large.", "{ \"min_size\": \"64MiB\" }" },
    { 0 },
};

const struct oc_recipe *oc_config_recipes(void) { return recipes; }

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
        return;
    }
    oc_buf_printf(out, "%s to %s", low, high);
}
