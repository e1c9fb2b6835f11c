/* The lines of the pipe: what both ends share. */
#include "alert/wire.h"

#include "alert/fields.h"
#include "alert/json.h"
#include "base/alloc.h"

#include <string.h>

#define WIRE_VERSION 1
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Words of each line, which no table of fields names. */
static const char *const words_to[] = { "v", "do", NULL };
static const char *const words_from[] = { "v", "is", NULL };

static int parse_line(const char *line, size_t len_bytes, cJSON **out_root,
                      struct oc_detail *detail)
{
    if (len_bytes > OC_WIRE_LINE_MAX)
        return oc_detail_set(detail, OC_E_TOOBIG, "a line of more than %u bytes", OC_WIRE_LINE_MAX);
    if (memchr(line, '\n', len_bytes))
        return oc_detail_set(detail, OC_E_PARSE, "a line holds a newline");
    return oc_json_parse(line, len_bytes, out_root, detail);
}

/* The number of the word that says what a line is; 0: none. key: "do" or "is". */
static int find_what(const cJSON *root, const char *key, const char *const *words, unsigned count,
                     unsigned *out_what, struct oc_detail *detail)
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(root, "v");
    const cJSON *what = cJSON_GetObjectItemCaseSensitive(root, key);

    if (!cJSON_IsNumber(version))
        return oc_detail_set(detail, OC_E_PARSE, "\"v\" is missing");
    if (version->valuedouble < WIRE_VERSION || version->valuedouble > WIRE_VERSION)
        return oc_detail_set(detail, OC_E_NOTSUP, "version %g of the pipe's words, not %d",
                             version->valuedouble, WIRE_VERSION);
    for (unsigned i = 1; i < count && cJSON_IsString(what); i++) {
        if (strcmp(words[i], what->valuestring) == 0) {
            *out_what = i;
            return OC_OK;
        }
    }
    return oc_detail_set(detail, OC_E_PARSE, "\"%s\" is none of its words", key);
}

/* A line that is too long is taken back whole. */
static void end_line(struct oc_buf *out, size_t begin)
{
    oc_buf_puts(out, "}\n");
    if (out->err || out->len_bytes - begin <= (size_t)OC_WIRE_LINE_MAX + 1)
        return;
    out->len_bytes = begin;
    out->data[begin] = '\0';
    out->err = OC_E_TOOBIG;
}

/* ---- to notify ---- */

static const char *const do_words[] = { [OC_WIRE_RECEIVER] = "receiver",
                                        [OC_WIRE_FORGET] = "forget",
                                        [OC_WIRE_DELIVER] = "deliver",
                                        [OC_WIRE_QUIT] = "quit" };

static const char *auth_name(unsigned auth)
{
    static const char *const names[] = { [OC_AUTH_NONE] = "none",
                                         [OC_AUTH_BEARER] = "bearer",
                                         [OC_AUTH_BASIC] = "basic",
                                         [OC_AUTH_HEADER] = "header" };

    return auth < COUNT(names) ? names[auth] : "?";
}

#define RECEIVER_FIELD(of, what)                                                                   \
    .name = #of, .type = (what), .offset = offsetof(struct oc_receiver, of)
static const struct oc_field receiver_fields[] = {
    { RECEIVER_FIELD(name, OC_FIELD_TEXT), .is_needed = 1, .bytes = OC_RULE_NAME_BYTES },
    { RECEIVER_FIELD(type, OC_FIELD_WORD), .is_needed = 1, .bytes = OC_RECEIVER_TYPES,
      .word = oc_receiver_type_name },
    { RECEIVER_FIELD(auth, OC_FIELD_WORD), .bytes = OC_AUTH_HEADER + 1, .word = auth_name },
    { RECEIVER_FIELD(starttls, OC_FIELD_U8), .max = 1 },
    { RECEIVER_FIELD(urls, OC_FIELD_STRINGS) },
    { RECEIVER_FIELD(argv, OC_FIELD_STRINGS) },
    { RECEIVER_FIELD(to, OC_FIELD_STRINGS) },
    { RECEIVER_FIELD(from, OC_FIELD_TEXT), .bytes = sizeof(((struct oc_receiver *)0)->from) },
    { RECEIVER_FIELD(user, OC_FIELD_TEXT), .bytes = sizeof(((struct oc_receiver *)0)->user) },
    { RECEIVER_FIELD(secret, OC_FIELD_OWNED) },
    { RECEIVER_FIELD(signing, OC_FIELD_STRINGS) },
    { RECEIVER_FIELD(ca_file, OC_FIELD_TEXT), .bytes = sizeof(((struct oc_receiver *)0)->ca_file) },
    { RECEIVER_FIELD(proxy, OC_FIELD_TEXT), .bytes = sizeof(((struct oc_receiver *)0)->proxy) },
    { RECEIVER_FIELD(timeout_ms, OC_FIELD_I64) },
    { RECEIVER_FIELD(interval_ms, OC_FIELD_I64) },
};

#define DELIVERY_FIELD(of, what)                                                                   \
    .name = #of, .type = (what), .offset = offsetof(struct oc_wire_delivery, of)
static const struct oc_field delivery_fields[] = {
    { DELIVERY_FIELD(id, OC_FIELD_TEXT), .is_needed = 1, .bytes = OC_OUTBOX_ID_BYTES },
    { DELIVERY_FIELD(receiver, OC_FIELD_TEXT), .is_needed = 1, .bytes = OC_RULE_NAME_BYTES },
    { DELIVERY_FIELD(url, OC_FIELD_U32) },
    { DELIVERY_FIELD(body, OC_FIELD_OWNED) },
    { DELIVERY_FIELD(content_type, OC_FIELD_TEXT),
      .bytes = sizeof(((struct oc_wire_delivery *)0)->content_type) },
    { DELIVERY_FIELD(fields, OC_FIELD_PAIRS) },
};

static void wipe(char *text, size_t len_bytes)
{
    volatile char *at = text;

    for (size_t i = 0; at && i < len_bytes; i++)
        at[i] = '\0';
}

void oc_wire_command_clear(struct oc_wire_command *command)
{
    oc_receiver_clear(&command->receiver);
    wipe(command->delivery.body, command->delivery.body_bytes);
    oc_free(command->delivery.body);
    oc_strings_clear(&command->delivery.fields);
    *command = (struct oc_wire_command){ 0 };
}

static int check_receiver(const struct oc_receiver *receiver, struct oc_detail *detail)
{
    if (receiver->timeout_ms < 0 || receiver->interval_ms < 0)
        return oc_detail_set(detail, OC_E_PARSE, "a time of the receiver is below 0");
    return OC_OK;
}

static int read_command(const cJSON *root, struct oc_wire_command *command,
                        struct oc_detail *detail)
{
    int rc = OC_OK;

    switch (command->what) {
    case OC_WIRE_RECEIVER:
        rc = oc_fields_read(receiver_fields, COUNT(receiver_fields), root, words_to,
                            &command->receiver, detail);
        return rc < 0 ? rc : check_receiver(&command->receiver, detail);
    case OC_WIRE_DELIVER:
        rc = oc_fields_read(delivery_fields, COUNT(delivery_fields), root, words_to,
                            &command->delivery, detail);
        if (command->delivery.body)
            command->delivery.body_bytes = strlen(command->delivery.body);
        return rc;
    default:
        return oc_fields_read(NULL, 0, root, words_to, command, detail);
    }
}

int oc_wire_command_parse(const char *line, size_t len_bytes, struct oc_wire_command *out_command,
                          struct oc_detail *detail)
{
    struct oc_wire_command command = { 0 };
    unsigned what = 0;
    cJSON *root = NULL;
    int rc = parse_line(line, len_bytes, &root, detail);

    if (rc < 0)
        return rc;
    rc = find_what(root, "do", do_words, COUNT(do_words), &what, detail);
    command.what = (enum oc_wire_do)what;
    if (rc == OC_OK)
        rc = read_command(root, &command, detail);
    oc_json_free(root);
    if (rc < 0)
        oc_wire_command_clear(&command);
    else
        *out_command = command;
    return rc;
}

void oc_wire_command_write(const struct oc_wire_command *command, struct oc_buf *out)
{
    const size_t begin = out->len_bytes;

    oc_buf_printf(out, "{\"v\":%d,\"do\":\"%s\"", WIRE_VERSION, do_words[command->what]);
    if (command->what == OC_WIRE_RECEIVER)
        oc_fields_write(receiver_fields, COUNT(receiver_fields), &command->receiver, 0, out);
    if (command->what == OC_WIRE_DELIVER)
        oc_fields_write(delivery_fields, COUNT(delivery_fields), &command->delivery, 0, out);
    end_line(out, begin);
}

/* ---- from notify ---- */

static const char *const is_words[] = {
    [OC_WIRE_READY] = "ready", [OC_WIRE_RESULT] = "result", [OC_WIRE_NOTE] = "note"
};

/* LOST is what the daemon says of a notifier that died: never a word of the pipe. */
static const char *outcome_name(unsigned outcome)
{
    static const char *const names[] = { [OC_DELIVERY_SENT] = "sent",
                                         [OC_DELIVERY_LATER] = "later",
                                         [OC_DELIVERY_SLOW] = "slow",
                                         [OC_DELIVERY_NEVER] = "never" };

    return outcome < COUNT(names) ? names[outcome] : "later";
}

/* A report with its words as bytes, as rows of a table want them. */
struct report {
    struct oc_wire_report plain;
    uint8_t outcome;
};
#define REPORT_FIELD(of, what)                                                                     \
    .name = #of, .type = (what), .offset = offsetof(struct report, plain.of)
static const struct oc_field ready_fields[] = {
    { REPORT_FIELD(version, OC_FIELD_TEXT), .is_needed = 1,
      .bytes = sizeof(((struct oc_wire_report *)0)->version) },
};
static const struct oc_field result_fields[] = {
    { REPORT_FIELD(id, OC_FIELD_TEXT), .is_needed = 1, .bytes = OC_OUTBOX_ID_BYTES },
    { .name = "outcome",
      .type = OC_FIELD_WORD,
      .is_needed = 1,
      .bytes = OC_DELIVERY_NEVER + 1,
      .offset = offsetof(struct report, outcome),
      .word = outcome_name },
    { REPORT_FIELD(status, OC_FIELD_I32), .max = 999 },
    { REPORT_FIELD(retry_after_ms, OC_FIELD_I64) },
    { REPORT_FIELD(why, OC_FIELD_TEXT), .bytes = OC_ALERT_WHY_BYTES },
    { REPORT_FIELD(answer, OC_FIELD_TEXT), .bytes = OC_WIRE_ANSWER_MAX + 1 },
    { REPORT_FIELD(took_ms, OC_FIELD_I64) },
};
static const struct oc_field note_fields[] = {
    { REPORT_FIELD(level, OC_FIELD_TEXT), .is_needed = 1,
      .bytes = sizeof(((struct oc_wire_report *)0)->level) },
    { REPORT_FIELD(text, OC_FIELD_TEXT), .is_needed = 1,
      .bytes = sizeof(((struct oc_wire_report *)0)->text) },
};

static const struct {
    const struct oc_field *fields;
    size_t count;
} report_fields[] = {
    [OC_WIRE_READY] = { ready_fields, COUNT(ready_fields) },
    [OC_WIRE_RESULT] = { result_fields, COUNT(result_fields) },
    [OC_WIRE_NOTE] = { note_fields, COUNT(note_fields) },
};

static int is_level(const char *level)
{
    static const char *const levels[] = { "debug", "info", "warn", "error" };

    for (size_t i = 0; i < COUNT(levels); i++) {
        if (strcmp(level, levels[i]) == 0)
            return 1;
    }
    return 0;
}

static int check_report(const struct oc_wire_report *report, struct oc_detail *detail)
{
    if (report->status < 0 || report->retry_after_ms < 0 || report->took_ms < 0)
        return oc_detail_set(detail, OC_E_PARSE, "a number of the report is below 0");
    if (report->what == OC_WIRE_NOTE && !is_level(report->level))
        return oc_detail_set(detail, OC_E_PARSE, "\"level\" is none of its words");
    return OC_OK;
}

int oc_wire_report_parse(const char *line, size_t len_bytes, struct oc_wire_report *out_report,
                         struct oc_detail *detail)
{
    struct report report = { 0 };
    unsigned what = 0;
    cJSON *root = NULL;
    int rc = parse_line(line, len_bytes, &root, detail);

    if (rc < 0)
        return rc;
    rc = find_what(root, "is", is_words, COUNT(is_words), &what, detail);
    if (rc == OC_OK)
        rc = oc_fields_read(report_fields[what].fields, report_fields[what].count, root, words_from,
                            &report, detail);
    report.plain.what = (enum oc_wire_is)what;
    report.plain.outcome = (enum oc_delivery_outcome)report.outcome;
    if (rc == OC_OK)
        rc = check_report(&report.plain, detail);
    oc_json_free(root);
    if (rc == OC_OK)
        *out_report = report.plain;
    return rc;
}

void oc_wire_report_write(const struct oc_wire_report *report, struct oc_buf *out)
{
    const struct report whole = { .plain = *report, .outcome = (uint8_t)report->outcome };
    const size_t begin = out->len_bytes;

    oc_buf_printf(out, "{\"v\":%d,\"is\":\"%s\"", WIRE_VERSION, is_words[report->what]);
    oc_fields_write(report_fields[report->what].fields, report_fields[report->what].count, &whole,
                    0, out);
    end_line(out, begin);
}
