/* Where the store is, and what to say where it cannot be read. */
#include "cli/cli.h"

#include "base/os.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORE_NAME "oomcast.db"

static int join(char *out, size_t out_bytes, const char *folder)
{
    size_t len = strlen(folder);
    char separator[2] = { oc_path_separator(), '\0' };
    const char *slash =
        len > 0 && (folder[len - 1] == '/' || folder[len - 1] == '\\') ? "" : separator;
    int written = snprintf(out, out_bytes, "%s%s%s", folder, slash, STORE_NAME);

    return written < 0 || (size_t)written >= out_bytes ? OC_E_TOOBIG : OC_OK;
}

static int ends_in_db(const char *path)
{
    size_t len = strlen(path);

    return len >= 3 && strcmp(path + len - 3, ".db") == 0;
}

static int is_folder(const char *path)
{
    char itself[sizeof(((struct oc_cli *)0)->db_path)];
    int written = snprintf(itself, sizeof(itself), "%s/.", path);

    return written > 0 && (size_t)written < sizeof(itself) && oc_file_exists(itself) == 1;
}

/* A path that a person gave: the file, or its folder, which may be closed to us or not be there yet. */
static void take_given(struct oc_cli *cli, const char *path)
{
    char joined[sizeof(cli->db_path)];
    int is_file = ends_in_db(path) || oc_file_exists(path) == 1;

    if (join(joined, sizeof(joined), path) == OC_OK && (!is_file || is_folder(path)))
        (void)oc_text_copy(cli->db_path, sizeof(cli->db_path), joined);
    else
        (void)oc_text_copy(cli->db_path, sizeof(cli->db_path), path);
}

static int try_folder(int (*dir)(char *, size_t), char *out_path, size_t out_bytes)
{
    char folder[960];
    int rc = dir(folder, sizeof(folder));

    if (!rc)
        rc = join(out_path, out_bytes, folder);
    if (rc) {
        out_path[0] = '\0';
        return rc;
    }
    return oc_file_readable(out_path);
}

void oc_cli_find_store(struct oc_cli *cli)
{
    char system_path[sizeof(cli->db_path)], user_path[sizeof(cli->db_path)];
    const char *given = oc_cli_text(cli, "db", getenv("OOMCAST_DB"));
    int system_rc, user_rc;

    if (given && *given) {
        take_given(cli, given);
        return;
    }
    system_rc = try_folder(oc_os_system_state_dir, system_path, sizeof(system_path));
    user_rc = try_folder(oc_os_user_state_dir, user_path, sizeof(user_path));
    /* A system's store that may not be read is worth an error only where there is no other. */
    (void)oc_text_copy(cli->db_path, sizeof(cli->db_path),
                       system_rc == OC_OK || (system_rc == OC_E_DENIED && user_rc != OC_OK)
                           ? system_path
                           : user_path);
}

static void say_no_store(struct oc_cli *cli)
{
    if (oc_cli_has(cli, "db"))
        (void)oc_cli_error(cli, "no store at %s; start one with: oomcastd --data DIR",
                           cli->db_path);
    else
        (void)oc_cli_error(cli,
                           "no store yet at %s; start the daemon (oomcastd --foreground), or name "
                           "another store with --db PATH; 'oomcast watch PID' needs none",
                           cli->db_path);
}

/* The folder may hide whose the file is; then it tells itself which group one has to be in. */
static void say_denied(const struct oc_cli *cli, const struct oc_detail *detail)
{
    char folder[sizeof(cli->db_path)], user[64] = "", group[64] = "";
    size_t slash = oc_path_folder_bytes(cli->db_path);

    (void)oc_text_copy(folder, sizeof(folder), cli->db_path);
    if (slash > 0)
        folder[slash - 1] = '\0';
    if (oc_file_owner(folder, user, sizeof(user), group, sizeof(group)) == OC_OK &&
        strcmp(group, "root") == 0)
        (void)oc_cli_error(cli, "%s belongs to root: run this as root (sudo)", folder);
    else if (slash > 1 && !oc_file_exists(cli->db_path) && group[0])
        (void)oc_cli_error(cli,
                           "%s may not be entered: it belongs to user %s and group %s; join the "
                           "group (as root: usermod -aG %s USER, then log in again)",
                           folder, user, group, group);
    else
        (void)oc_cli_error(cli, "%s", detail->text[0] ? detail->text : oc_err_text(OC_E_DENIED));
}

int oc_cli_open_store(struct oc_cli *cli, oc_reader **out_reader)
{
    struct oc_detail detail = { 0 };
    int rc;

    oc_cli_find_store(cli);
    rc = oc_reader_open(cli->db_path, out_reader, &detail);
    if (rc == OC_E_NOENT)
        say_no_store(cli);
    else if (rc == OC_E_DENIED)
        say_denied(cli, &detail);
    else if (rc)
        (void)oc_cli_error(cli, "%s", detail.text[0] ? detail.text : oc_err_text(rc));
    return rc;
}
