/* oomcast backtest --rules: which rules are tried, and what they say as lines. */
#include "cli/commands/backtest.h"

#include "config/config.h"

#include <string.h>

int oc_backtest_rules(struct oc_cli *cli, struct oc_rules *out_rules)
{
    const char *path = oc_cli_text(cli, "rules", "default");
    struct oc_detail detail = { 0 };
    struct oc_config config;
    int rc = strcmp(path, "default") == 0 ? oc_config_default(&config, &detail)
                                          : oc_config_load_all(path, &config, &detail);

    if (rc < 0)
        return oc_cli_error(cli, "%s", detail.text[0] ? detail.text : oc_err_text(rc));
    *out_rules = config.rules;
    config.rules = (struct oc_rules){ 0 };
    oc_config_clear(&config);
    return OC_EXIT_OK;
}
