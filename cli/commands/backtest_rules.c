/* oomcast backtest --rules: which rules are tried, what they said, and whether that was expected. */
#include "cli/commands/backtest.h"

#include "base/alloc.h"
#include "base/os.h"
#include "cli/show/json.h"
#include "config/config.h"

#include <math.h>
#include <string.h>

#define MS_PER_S 1000.0

int oc_backtest_rules(struct oc_cli *cli, struct oc_rules *out_rules,
                      struct oc_windows *out_windows)
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
    if (out_windows) {
        *out_windows = config.windows;
        config.windows = (struct oc_windows){ 0 };
    }
    oc_config_clear(&config);
    return OC_EXIT_OK;
}

int oc_backtest_try(struct oc_cli *cli, struct oc_replay_tried *out_tried)
{
    const unsigned replayed = 1u << OC_RULE_FORECAST | 1u << OC_RULE_THRESHOLD |
                              1u << OC_RULE_GROWTH | 1u << OC_RULE_EXHAUSTED;
    int exit_code = oc_backtest_rules(cli, &out_tried->rules, &out_tried->windows);

    for (size_t i = 0; i < out_tried->rules.count; i++) {
        if (!(replayed >> out_tried->rules.items[i].kind & 1u))
            out_tried->rules.items[i].is_off = 1;
    }
    return exit_code;
}

/* ---- what they said ---- */

static void show_json(struct oc_cli *cli, const struct oc_replay_tried *tried)
{
    struct oc_json json;

    oc_json_init(&json, &cli->out);
    oc_json_array(&json);
    for (size_t i = 0; i < tried->count; i++) {
        const struct oc_tried_change *change = &tried->items[i];

        oc_json_object(&json);
        if (change->t_ms >= OC_BACKTEST_LEAST_WALL_MS)
            oc_json_put_time(&json, "t", change->t_ms);
        else
            oc_json_put_dbl(&json, "t", (double)change->t_ms / MS_PER_S);
        oc_json_put_str(&json, "subject", change->subject);
        oc_json_put_str(&json, "rule", change->rule);
        oc_json_put_str(&json, "severity", oc_severity_name(change->severity));
        oc_json_put_str(&json, "state", oc_alert_state_name(change->state));
        oc_json_put_bool(&json, "told", change->is_told);
        oc_json_put_str(&json, "reason", change->reason);
        oc_json_object_end(&json);
    }
    oc_json_array_end(&json);
    oc_buf_putc(&cli->out, '\n');
}

static void show_lines(struct oc_cli *cli, const struct oc_replay_tried *tried)
{
    oc_buf_puts(&cli->out, OC_TRIED_HEAD "\n");
    for (size_t i = 0; i < tried->count; i++) {
        oc_buf_puts(&cli->out, "# ");
        oc_buf_escaped(&cli->out, tried->items[i].reason);
        oc_buf_putc(&cli->out, '\n');
        oc_tried_write(&tried->items[i], &cli->out);
        oc_buf_putc(&cli->out, '\n');
    }
}

/* An exit code. */
static int hold_against(struct oc_cli *cli, const struct oc_replay_tried *tried, const char *path)
{
    struct oc_detail detail = { 0 };
    char *text = NULL;
    size_t len_bytes = 0;
    int rc = oc_file_read(path, OC_EXPECT_MAX_BYTES, &text, &len_bytes);

    if (rc < 0)
        return oc_cli_error(cli, "%s: %s", path, oc_err_text(rc));
    rc = oc_tried_compare(tried, text, len_bytes, &cli->out, &detail);
    oc_free(text);
    if (rc < 0)
        return oc_cli_error(cli, "%s: %s", path, detail.text);
    if (rc > 0)
        oc_cli_note(cli, "%d differences from %s: - was expected, + was said", rc, path);
    return rc > 0 ? OC_EXIT_ERROR : OC_EXIT_OK;
}

int oc_backtest_tried(struct oc_cli *cli, struct oc_replay_tried *tried)
{
    if (tried->err)
        return oc_cli_error(cli, "%s", oc_err_text(tried->err));
    oc_replay_tried_sort(tried);
    if (tried->dropped)
        oc_cli_note(cli, "only the first %zu changes are kept", tried->count);
    if (oc_cli_has(cli, "expect"))
        return hold_against(cli, tried, oc_cli_text(cli, "expect", ""));
    if (cli->format == OC_FORMAT_JSON)
        show_json(cli, tried);
    else
        show_lines(cli, tried);
    return OC_EXIT_OK;
}
