/* `oomcast sql`: questions in SQL over the store, read only. */
#include "cli/cli.h"
#include "cli/show/json.h"
#include "cli/show/table.h"

#include "base/alloc.h"
#include "base/os.h"
#include "storage/reader.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define OC_SQL_MAX_BYTES (1u << 20)
#define OC_SQL_BATCH_ROWS 2000 /* a table is laid out by so many rows */
#define OC_SQL_FLUSH_BYTES 65536
#define OC_SQL_PROGRESS_OPS 20000 /* steps of SQLite's machine between two looks at Ctrl-C */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static int on_progress(void *context)
{
    (void)context;
    return interrupted != 0;
}

/* ---- where the query comes from ---- */

static int read_stdin(struct oc_buf *sql)
{
    char block[4096];
    size_t got;

    while ((got = fread(block, 1, sizeof block, stdin)) > 0)
        oc_buf_add(sql, block, got);
    return ferror(stdin) ? OC_E_IO : sql->err;
}

static int get_query(struct oc_cli *cli, struct oc_buf *sql)
{
    if (cli->arg_count > 0) {
        oc_buf_puts(sql, cli->args[0]);
        return sql->err;
    }
    if (oc_term_is_tty(OC_STDIN))
        oc_cli_note(cli, "reading SQL from the terminal; end with Ctrl-D");
    return read_stdin(sql);
}

/* ---- errors point at the place ---- */

/* Offset of the error in the text of this statement, or -1. */
static int error_offset(sqlite3 *db)
{
#if SQLITE_VERSION_NUMBER >= 3038000
    return sqlite3_error_offset(db);
#else
    (void)db;
    return -1;
#endif
}

struct place {
    int line;     /* from 1 */
    size_t begin; /* of the line in the text */
    size_t length;
    size_t column; /* from 0, bytes */
};

static void find_place(const char *sql, size_t offset, struct place *out_place)
{
    size_t length = strlen(sql);

    *out_place = (struct place){ .line = 1 };
    if (offset > length)
        offset = length;
    for (size_t i = 0; i < offset; i++) {
        if (sql[i] == '\n') {
            out_place->line++;
            out_place->begin = i + 1;
        }
    }
    out_place->column = offset - out_place->begin;
    out_place->length = strcspn(sql + out_place->begin, "\n");
}

static void show_place(struct oc_cli *cli, const char *sql, const struct place *place)
{
    char *line = oc_strndup(sql + place->begin, place->length);

    if (line) {
        oc_cli_note(cli, "%s", line);
        oc_cli_note(cli, "%*s^", (int)place->column, "");
    }
    oc_free(line);
}

static int say_error(struct oc_cli *cli, sqlite3 *db, const char *sql, const char *statement)
{
    int offset = error_offset(db);
    struct place place;
    int code;

    if (interrupted)
        return oc_cli_error(cli, "interrupted");
    if (sqlite3_errcode(db) == SQLITE_READONLY)
        return oc_cli_error(cli, "%s: the store is open for reading only", sqlite3_errmsg(db));
    if (offset < 0)
        return oc_cli_error(cli, "%s", sqlite3_errmsg(db));
    find_place(sql, (size_t)(statement - sql) + (size_t)offset, &place);
    code = oc_cli_error(cli, "line %d, column %d: %s", place.line, (int)place.column + 1,
                        sqlite3_errmsg(db));
    show_place(cli, sql, &place);
    return code;
}

/* ---- one value ---- */

static void add_hex(struct oc_buf *out, const unsigned char *bytes, int count)
{
    for (int i = 0; i < count; i++)
        oc_buf_printf(out, "%02x", bytes[i]);
}

/* The text of a column; blobs in hex through *scratch. NULL where it is SQL's NULL. */
static const char *column_text(sqlite3_stmt *statement, int column, struct oc_buf *scratch)
{
    if (sqlite3_column_type(statement, column) != SQLITE_BLOB)
        return (const char *)sqlite3_column_text(statement, column);
    oc_buf_reset(scratch);
    oc_buf_puts(scratch, "");
    add_hex(scratch, sqlite3_column_blob(statement, column),
            sqlite3_column_bytes(statement, column));
    return scratch->data;
}

static void json_column(struct oc_json *json, sqlite3_stmt *statement, int column,
                        struct oc_buf *scratch)
{
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        oc_json_i64(json, sqlite3_column_int64(statement, column));
        break;
    case SQLITE_FLOAT:
        oc_json_dbl(json, sqlite3_column_double(statement, column));
        break;
    default: /* NULL becomes null */
        oc_json_str(json, column_text(statement, column, scratch));
    }
}

/* ---- a whole answer ---- */

struct answer {
    struct oc_cli *cli;
    sqlite3_stmt *statement;
    int columns;
    struct oc_buf scratch;
    int rc; /* of the last step: SQLITE_ROW, SQLITE_DONE or an error */
};

static int next_row(struct answer *answer)
{
    answer->rc = interrupted ? SQLITE_INTERRUPT : sqlite3_step(answer->statement);
    return answer->rc == SQLITE_ROW;
}

/* Keeps what waits to be written small. 0 or a code. */
static int flush_if_long(struct oc_cli *cli)
{
    return cli->out.len_bytes > OC_SQL_FLUSH_BYTES ? oc_cli_flush(cli) : cli->out.err;
}

static int print_json(struct answer *answer)
{
    struct oc_json json;
    int rc = OC_OK;

    oc_json_init(&json, &answer->cli->out);
    oc_json_array(&json);
    while (rc == OC_OK && next_row(answer)) {
        oc_json_object(&json);
        for (int i = 0; i < answer->columns; i++) {
            oc_json_key(&json, sqlite3_column_name(answer->statement, i));
            json_column(&json, answer->statement, i, &answer->scratch);
        }
        oc_json_object_end(&json);
        rc = flush_if_long(answer->cli);
    }
    oc_json_array_end(&json);
    oc_buf_putc(&answer->cli->out, '\n');
    return rc;
}

static void csv_line(struct answer *answer, int head)
{
    struct oc_buf *out = &answer->cli->out;

    for (int i = 0; i < answer->columns; i++) {
        const char *text = head ? sqlite3_column_name(answer->statement, i)
                                : column_text(answer->statement, i, &answer->scratch);

        if (i > 0)
            oc_buf_putc(out, ',');
        oc_buf_csv_field(out, text ? text : "");
    }
    oc_buf_puts(out, "\r\n");
}

static int print_csv(struct answer *answer)
{
    int rc = OC_OK;

    csv_line(answer, 1);
    while (rc == OC_OK && next_row(answer)) {
        csv_line(answer, 0);
        rc = flush_if_long(answer->cli);
    }
    return rc;
}

/* Numbers stand right: decided by the first row. */
static void describe_columns(struct answer *answer, struct oc_column *out_columns)
{
    for (int i = 0; i < answer->columns; i++) {
        int type = sqlite3_column_type(answer->statement, i);

        out_columns[i] = (struct oc_column){
            .title = sqlite3_column_name(answer->statement, i),
            .align =
                type == SQLITE_INTEGER || type == SQLITE_FLOAT ? OC_ALIGN_RIGHT : OC_ALIGN_LEFT,
        };
    }
    out_columns[answer->columns] = (struct oc_column){ .title = NULL };
}

static int print_batch(struct answer *answer, struct oc_table *table)
{
    const struct oc_table_style style = { .color = answer->cli->color, .utf8 = answer->cli->utf8 };
    int more = 1;
    int rc;

    for (int row = 0; more && row < OC_SQL_BATCH_ROWS; row++) {
        for (int i = 0; i < answer->columns; i++)
            oc_table_cell(table, column_text(answer->statement, i, &answer->scratch));
        more = next_row(answer);
    }
    rc = oc_table_print(table, &style, &answer->cli->out);
    oc_table_reset(table);
    return rc < 0 ? rc : oc_cli_flush(answer->cli);
}

static int print_table(struct answer *answer)
{
    struct oc_column columns[OC_TABLE_MAX_COLUMNS + 1];
    struct oc_table table;
    int rc = OC_OK;

    (void)next_row(answer);
    describe_columns(answer, columns);
    oc_table_init(&table, columns);
    if (answer->rc == SQLITE_DONE)
        rc = oc_table_print(&table, &(struct oc_table_style){ .color = answer->cli->color },
                            &answer->cli->out);
    while (rc == OC_OK && answer->rc == SQLITE_ROW)
        rc = print_batch(answer, &table);
    oc_table_clear(&table);
    return rc;
}

static int print_answer(struct answer *answer)
{
    if (answer->cli->format == OC_FORMAT_JSON)
        return print_json(answer);
    if (answer->cli->format == OC_FORMAT_CSV)
        return print_csv(answer);
    return print_table(answer);
}

static int run_statement(struct oc_cli *cli, sqlite3 *db, const char *sql, const char *text,
                         sqlite3_stmt *statement)
{
    struct answer answer = { .cli = cli, .statement = statement };
    int rc = OC_OK;

    answer.columns = sqlite3_column_count(statement);
    if (cli->format == OC_FORMAT_TABLE && answer.columns > OC_TABLE_MAX_COLUMNS)
        return oc_cli_error(cli,
                            "%d columns are too many for a table (at most %d); use --csv or --json",
                            answer.columns, OC_TABLE_MAX_COLUMNS);
    oc_buf_init(&answer.scratch, (size_t)4 * OC_SQL_MAX_BYTES);
    if (answer.columns > 0)
        rc = print_answer(&answer);
    else
        (void)next_row(&answer);
    oc_buf_clear(&answer.scratch);
    if (rc < 0)
        return oc_cli_error(cli, "cannot write the answer: %s", oc_err_text(rc));
    if (answer.rc != SQLITE_DONE)
        return say_error(cli, db, sql, text);
    return OC_EXIT_OK;
}

static int run_all(struct oc_cli *cli, sqlite3 *db, const char *sql)
{
    const char *at = sql;
    int code = OC_EXIT_OK;

    while (code == OC_EXIT_OK && *at) {
        sqlite3_stmt *statement = NULL;
        const char *tail = NULL;

        if (sqlite3_prepare_v2(db, at, -1, &statement, &tail) != SQLITE_OK)
            return say_error(cli, db, sql, at);
        if (statement)
            code = run_statement(cli, db, sql, at, statement);
        sqlite3_finalize(statement);
        at = tail;
    }
    return code;
}

static int run(struct oc_cli *cli)
{
    oc_reader *reader = NULL;
    struct oc_buf sql;
    int code = OC_EXIT_ERROR;
    int rc;

    oc_buf_init(&sql, OC_SQL_MAX_BYTES);
    rc = get_query(cli, &sql);
    if (rc < 0) {
        code = oc_cli_error(cli, "cannot read the query: %s", oc_err_text(rc));
        goto out;
    }
    if (oc_cli_open_store(cli, &reader) < 0)
        goto out;
    (void)signal(SIGINT, on_interrupt);
    sqlite3_progress_handler(oc_reader_sqlite(reader), OC_SQL_PROGRESS_OPS, on_progress, NULL);
    code = run_all(cli, oc_reader_sqlite(reader), sql.data ? sql.data : "");
    (void)signal(SIGINT, SIG_DFL);
out:
    oc_reader_close(reader);
    oc_buf_clear(&sql);
    return code;
}

static const struct oc_cli_example examples[] = {
    { "oomcast sql \"SELECT * FROM subjects\"", "what is in the store" },
    { "oomcast sql \"SELECT datetime(t/1000, 'unixepoch') AS at, value FROM samples WHERE subject "
      "= "
      "'proc:nginx' AND metric = 'rss_bytes' ORDER BY t DESC LIMIT 10\"",
      "the ten newest samples of a figure" },
    { "oomcast sql --csv \"SELECT t, max FROM samples_hour WHERE subject = 'host' AND metric = "
      "'host_available_bytes'\" > host.csv",
      "a year by the hour, for a spreadsheet" },
    { "oomcast sql < report.sql", "statements from a file" },
    { NULL, NULL },
};

const struct oc_cli_command oc_cmd_sql = {
    .name = "sql",
    .summary = "ask the store in SQL",
    .usage = "[OPTION]... [QUERY]",
    .text =
        "Runs QUERY (without one: what standard input holds) on the store, read only, beside a "
        "running oomcastd or offline. Statements are separated by semicolons.\n"
        "\n"
        "Beside the plain tables there are the virtual tables samples(subject, source, metric, "
        "t, value), samples_minute and samples_hour(subject, source, metric, t, min, max, mean, "
        "last, count), and the views subjects, lives and chunks. t is Unix time in ms. A "
        "condition on subject, source, metric or t reads only what it needs.\n"
        "\n"
        "A long answer holds the store's write-ahead log from being emptied while it is read.",
    .common = OC_CLI_HAS_DB | OC_CLI_HAS_JSON | OC_CLI_HAS_CSV,
    .examples = examples,
    .min_args = 0,
    .max_args = 1,
    .run = run,
};
