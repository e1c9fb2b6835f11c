/* oomcast service install, uninstall. */
#include "cli/service.h"

#include "base/os.h"
#include "base/windows/service.h"
#include "base/windows/wide.h"
#include "cli/windows/manager.h"

#include <stdio.h>
#include <string.h>

#include <lm.h>

#define PROGRAM L"oomcastd.exe"
#define DISPLAY_NAME L"oomcast"
#define DESCRIPTION                                                                                \
    L"Samples the memory of processes, forecasts when they run out, and warns in time."
#define EVENT_KEY L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" OC_EVENT_SOURCE
#define COMMAND_UNITS (3 * OC_WIDE_PATH_UNITS)
#define PRESHUTDOWN_MS 20000
#define FORGET_FAILURES_S 86400

/*
 * All that is left of LocalSystem's rights: to open the processes that are watched, to pass folders, to give
 * oomcast-notify a token with less (its quota is set anew).
 */
#define PRIVILEGES L"SeDebugPrivilege\0SeChangeNotifyPrivilege\0SeIncreaseQuotaPrivilege\0"

/* ---- what is started ---- */

/* oomcastd.exe beside this program. */
static int program_path(wchar_t out[OC_WIDE_PATH_UNITS], struct oc_detail *detail)
{
    DWORD len = GetModuleFileNameW(NULL, out, OC_WIDE_PATH_UNITS);
    wchar_t *slash = NULL;

    if (len == 0 || len >= OC_WIDE_PATH_UNITS)
        return oc_manager_fail("cannot tell where this program is", GetLastError(), detail);
    slash = wcsrchr(out, L'\\');
    if (!slash || (size_t)(slash - out) + 2 + wcslen(PROGRAM) > OC_WIDE_PATH_UNITS)
        return oc_detail_set(detail, OC_E_TOOBIG, "the path of this program is too long");
    (void)wmemcpy(slash + 1, PROGRAM, wcslen(PROGRAM) + 1);
    if (GetFileAttributesW(out) == INVALID_FILE_ATTRIBUTES)
        return oc_manager_fail("oomcastd.exe is not beside this program", GetLastError(), detail);
    return OC_OK;
}

/* Adds ` OPTION "FULL PATH"`: a service's folder is System32. */
static int add_path(wchar_t *command, const wchar_t *option, const char *path,
                    struct oc_detail *detail)
{
    wchar_t given[OC_WIDE_PATH_UNITS], full[OC_WIDE_PATH_UNITS];
    size_t at = wcslen(command);
    DWORD len = 0;
    int rc = oc_wide_from_utf8(given, OC_WIDE_PATH_UNITS, path);

    if (rc == OC_OK && wcschr(given, L'"'))
        rc = OC_E_INVAL;
    if (rc < 0)
        return oc_detail_set(detail, rc, "%.300s: %s", path, oc_err_text(rc));
    len = GetFullPathNameW(given, OC_WIDE_PATH_UNITS, full, NULL);
    while (len > 3 && len < OC_WIDE_PATH_UNITS && full[len - 1] == L'\\')
        full[--len] = L'\0'; /* it would take the quote for a letter */
    if (len == 0 || len >= OC_WIDE_PATH_UNITS || at + wcslen(option) + len + 5 > COMMAND_UNITS)
        return oc_detail_set(detail, OC_E_TOOBIG, "%.300s: the path is too long", path);
    (void)swprintf(command + at, COMMAND_UNITS - at, L" %ls \"%ls\"", option, full);
    return OC_OK;
}

/* The quotes matter: without them C:\Program.exe could be started. */
static int command_line(const struct oc_service_plan *plan, wchar_t out[COMMAND_UNITS],
                        struct oc_detail *detail)
{
    wchar_t program[OC_WIDE_PATH_UNITS];
    int rc = program_path(program, detail);

    if (rc < 0)
        return rc;
    (void)swprintf(out, COMMAND_UNITS, L"\"%ls\"", program);
    if (plan->config_path)
        rc = add_path(out, L"--config", plan->config_path, detail);
    if (rc == OC_OK && plan->data_dir)
        rc = add_path(out, L"--data", plan->data_dir, detail);
    return rc;
}

/* ---- what is worth having, and no reason to fail ---- */

static DWORD set_level(SC_HANDLE service, DWORD level, void *value)
{
    return ChangeServiceConfig2W(service, level, value) ? ERROR_SUCCESS : GetLastError();
}

static DWORD set_description(SC_HANDLE service)
{
    wchar_t text[] = DESCRIPTION;
    SERVICE_DESCRIPTIONW value = { text };

    return set_level(service, SERVICE_CONFIG_DESCRIPTION, &value);
}

static DWORD set_delayed(SC_HANDLE service)
{
    SERVICE_DELAYED_AUTO_START_INFO value = { TRUE };

    return set_level(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &value);
}

static DWORD set_failure_actions(SC_HANDLE service)
{
    SC_ACTION again[] = { { SC_ACTION_RESTART, 5000 },
                          { SC_ACTION_RESTART, 60000 },
                          { SC_ACTION_RESTART, 300000 } };
    SERVICE_FAILURE_ACTIONSW value = { .dwResetPeriod = FORGET_FAILURES_S,
                                       .cActions = sizeof(again) / sizeof(again[0]),
                                       .lpsaActions = again };

    return set_level(service, SERVICE_CONFIG_FAILURE_ACTIONS, &value);
}

/* Also where it says itself that it failed, not only where it crashes. */
static DWORD set_failure_flag(SC_HANDLE service)
{
    SERVICE_FAILURE_ACTIONS_FLAG value = { TRUE };

    return set_level(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &value);
}

static DWORD set_service_sid(SC_HANDLE service)
{
    SERVICE_SID_INFO value = { SERVICE_SID_TYPE_UNRESTRICTED };

    return set_level(service, SERVICE_CONFIG_SERVICE_SID_INFO, &value);
}

static DWORD set_privileges(SC_HANDLE service)
{
    wchar_t names[] = PRIVILEGES;
    SERVICE_REQUIRED_PRIVILEGES_INFOW value = { names };

    return set_level(service, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &value);
}

static DWORD set_preshutdown(SC_HANDLE service)
{
    SERVICE_PRESHUTDOWN_INFO value = { PRESHUTDOWN_MS };

    return set_level(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, &value);
}

static DWORD put_event_source(SC_HANDLE service)
{
    struct oc_detail ignored;
    wchar_t program[OC_WIDE_PATH_UNITS];
    DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    HKEY key = NULL;
    LSTATUS error = ERROR_FILE_NOT_FOUND;

    (void)service;
    if (program_path(program, &ignored) < 0)
        return ERROR_FILE_NOT_FOUND;
    error =
        RegCreateKeyExW(HKEY_LOCAL_MACHINE, EVENT_KEY, 0, NULL, 0, KEY_SET_VALUE, NULL, &key, NULL);
    if (error == ERROR_SUCCESS)
        error = RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ, (const BYTE *)program,
                               (DWORD)((wcslen(program) + 1) * sizeof(*program)));
    if (error == ERROR_SUCCESS)
        error = RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD, (const BYTE *)&types,
                               sizeof(types));
    if (key)
        (void)RegCloseKey(key);
    return (DWORD)error;
}

static DWORD make_readers(SC_HANDLE service)
{
    wchar_t name[] = OC_READERS_GROUP;
    wchar_t comment[] = L"May read what oomcast has stored, and ask for its status.";
    LOCALGROUP_INFO_1 group = { name, comment };
    DWORD wrong_field = 0;
    DWORD error = NetLocalGroupAdd(NULL, 1, (BYTE *)&group, &wrong_field);

    (void)service;
    return error == ERROR_ALIAS_EXISTS || error == NERR_GroupExists ? ERROR_SUCCESS : error;
}

static const struct {
    const char *text;
    DWORD (*fn)(SC_HANDLE service);
} extras[] = {
    { "its description", set_description },
    { "starts with the machine, after what is more urgent", set_delayed },
    { "started again after 5 s, 1 min, 5 min where it fails", set_failure_actions },
    { "the same where it says that it failed", set_failure_flag },
    { "a SID of its own", set_service_sid },
    { "rights cut to SeDebug, SeChangeNotify and SeIncreaseQuota", set_privileges },
    { "20 s to save everything when the machine shuts down", set_preshutdown },
    { "source of the event log", put_event_source },
    { "group 'oomcast readers'", make_readers },
};

static void put_extras(SC_HANDLE service, const struct oc_service_plan *plan)
{
    for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++) {
        DWORD error = extras[i].fn(service);
        struct oc_detail why = { 0 };

        if (error == ERROR_SUCCESS) {
            plan->done(plan->context, extras[i].text);
            continue;
        }
        (void)oc_manager_fail("Windows says", error, &why);
        plan->not_done(plan->context, extras[i].text, why.text);
    }
}

/* ---- the folder ---- */

/* The system's is for administrators and readers; another one is as the administrator made it. */
static int make_folder(const struct oc_service_plan *plan, struct oc_detail *detail)
{
    char path[OC_WIDE_PATH_UNITS], text[OC_WIDE_PATH_UNITS + 80];
    int rc = OC_OK;

    if (plan->data_dir)
        return OC_OK;
    rc = oc_os_system_state_dir(path, sizeof(path));
    if (rc == OC_OK)
        rc = oc_os_mkdir_all(path);
    if (rc == OC_OK)
        rc = oc_service_secure_folder(path);
    if (rc < 0)
        return oc_detail_set(detail, rc, "cannot make the folder of its data: %s", oc_err_text(rc));
    (void)snprintf(text, sizeof(text), "%s, for administrators and readers alone", path);
    plan->done(plan->context, text);
    return OC_OK;
}

/* Who could write the program could become the system. */
static void check_program(const struct oc_service_plan *plan)
{
    struct oc_detail detail = { 0 };
    wchar_t wide[OC_WIDE_PATH_UNITS];
    char path[OC_WIDE_PATH_UNITS];

    if (program_path(wide, &detail) == OC_OK &&
        oc_wide_to_utf8(path, sizeof(path), wide) == OC_OK &&
        oc_file_guarded(path, &detail) == OC_E_DENIED)
        plan->not_done(plan->context, "a program that nobody else can change", detail.text);
}

/* ---- install and uninstall ---- */

static int make_service(SC_HANDLE manager, const wchar_t *command, SC_HANDLE *out_service,
                        struct oc_detail *detail)
{
    SC_HANDLE service = CreateServiceW(manager, OC_SERVICE_NAME, DISPLAY_NAME, SERVICE_ALL_ACCESS,
                                       SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
                                       SERVICE_ERROR_NORMAL, command, NULL, NULL, NULL, NULL, NULL);

    if (!service && GetLastError() == ERROR_SERVICE_EXISTS) {
        int rc = oc_manager_service(manager, SERVICE_ALL_ACCESS, &service, detail);

        if (rc < 0)
            return rc;
        if (!ChangeServiceConfigW(service, SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
                                  SERVICE_ERROR_NORMAL, command, NULL, NULL, NULL, L"LocalSystem",
                                  NULL, DISPLAY_NAME)) {
            rc = oc_manager_fail("cannot change the service", GetLastError(), detail);
            (void)CloseServiceHandle(service);
            return rc;
        }
    }
    if (!service)
        return oc_manager_fail("cannot make the service", GetLastError(), detail);
    *out_service = service;
    return OC_OK;
}

int oc_service_install(const struct oc_service_plan *plan, struct oc_detail *detail)
{
    wchar_t command[COMMAND_UNITS];
    SC_HANDLE manager = NULL, service = NULL;
    int rc = command_line(plan, command, detail);

    if (rc == OC_OK)
        rc = oc_manager_open(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE, &manager, detail);
    if (rc < 0)
        return rc;
    rc = make_service(manager, command, &service, detail);
    (void)CloseServiceHandle(manager);
    if (rc < 0)
        return rc;
    put_extras(service, plan); /* the readers before the folder that names them */
    (void)CloseServiceHandle(service);
    check_program(plan);
    return make_folder(plan, detail);
}

int oc_service_uninstall(struct oc_detail *detail)
{
    SC_HANDLE manager = NULL, service = NULL;
    int rc = oc_manager_open(SC_MANAGER_CONNECT, &manager, detail);

    if (rc < 0)
        return rc;
    rc =
        oc_manager_service(manager, SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE, &service, detail);
    if (rc == OC_OK) {
        rc = oc_manager_stop(service, detail);
        if (rc == OC_OK && !DeleteService(service))
            rc = oc_manager_fail("cannot remove the service", GetLastError(), detail);
        (void)CloseServiceHandle(service);
    }
    (void)CloseServiceHandle(manager);
    if (rc == OC_OK)
        (void)RegDeleteKeyW(HKEY_LOCAL_MACHINE, EVENT_KEY);
    return rc;
}
