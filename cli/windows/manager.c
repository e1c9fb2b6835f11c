/* oomcast service start, stop, status. */
#include "cli/windows/manager.h"

#include "base/alloc.h"
#include "base/text.h"
#include "base/windows/service.h"
#include "base/windows/wide.h"
#include "cli/service.h"

#include <stdio.h>
#include <string.h>

#define WAIT_MS 30000
#define LOOK_MS 50
#define CONFIG_BYTES 8192 /* the most that QueryServiceConfig() gives */

static const struct {
    DWORD number;
    enum oc_service_state state;
} states[] = {
    { SERVICE_STOPPED, OC_SERVICE_STOPPED },
    { SERVICE_START_PENDING, OC_SERVICE_STARTING },
    { SERVICE_RUNNING, OC_SERVICE_RUNNING },
    { SERVICE_STOP_PENDING, OC_SERVICE_STOPPING },
};

/* Windows' own sentence, in the language of the machine, without its line end. */
int oc_manager_fail(const char *what, DWORD error, struct oc_detail *detail)
{
    wchar_t wide[256] = L"";
    char text[512] = "";
    DWORD len = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                               error, 0, wide, sizeof(wide) / sizeof(wide[0]), NULL);

    while (len > 0 && wcschr(L"\r\n .", wide[len - 1]))
        wide[--len] = L'\0';
    (void)oc_wide_to_utf8(text, sizeof(text), wide);
    return oc_detail_set(detail, oc_err_from_windows(error), "%s: %.300s (error %lu)", what, text,
                         (unsigned long)error);
}

int oc_manager_open(DWORD access, SC_HANDLE *out_manager, struct oc_detail *detail)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, access);

    if (!manager)
        return oc_manager_fail("cannot reach the service manager", GetLastError(), detail);
    *out_manager = manager;
    return OC_OK;
}

int oc_manager_service(SC_HANDLE manager, DWORD access, SC_HANDLE *out_service,
                       struct oc_detail *detail)
{
    SC_HANDLE service = OpenServiceW(manager, OC_SERVICE_NAME, access);
    DWORD error = service ? 0 : GetLastError();

    if (error == ERROR_SERVICE_DOES_NOT_EXIST)
        return oc_detail_set(detail, OC_E_NOENT,
                             "the service is not installed: oomcast service install");
    if (error)
        return oc_manager_fail("cannot open the service", error, detail);
    *out_service = service;
    return OC_OK;
}

/* ---- how it does ---- */

static int query(SC_HANDLE service, SERVICE_STATUS_PROCESS *out_status, struct oc_detail *detail)
{
    DWORD wanted_bytes = 0;

    if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)out_status,
                              sizeof(*out_status), &wanted_bytes))
        return oc_manager_fail("cannot ask for the service", GetLastError(), detail);
    return OC_OK;
}

static enum oc_service_state state_of(const SERVICE_STATUS_PROCESS *status)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (states[i].number == status->dwCurrentState)
            return states[i].state;
    }
    return OC_SERVICE_STOPPING; /* pausing and its like: we accept none of these */
}

static uint32_t exit_code_of(const SERVICE_STATUS_PROCESS *status)
{
    return status->dwWin32ExitCode == ERROR_SERVICE_SPECIFIC_ERROR
               ? status->dwServiceSpecificExitCode
               : status->dwWin32ExitCode;
}

static int read_config(SC_HANDLE service, struct oc_service_status *status,
                       struct oc_detail *detail)
{
    QUERY_SERVICE_CONFIGW *config = oc_calloc(1, CONFIG_BYTES);
    DWORD wanted_bytes = 0;
    int rc = OC_OK;

    if (!config)
        return oc_detail_set(detail, OC_E_NOMEM, "out of memory");
    if (!QueryServiceConfigW(service, config, CONFIG_BYTES, &wanted_bytes)) {
        rc = oc_manager_fail("cannot ask for the service's config", GetLastError(), detail);
    } else {
        status->starts_at_boot = config->dwStartType == SERVICE_AUTO_START;
        (void)oc_wide_to_utf8(status->account, sizeof(status->account),
                              config->lpServiceStartName ? config->lpServiceStartName : L"");
        (void)oc_wide_to_utf8(status->command, sizeof(status->command),
                              config->lpBinaryPathName ? config->lpBinaryPathName : L"");
    }
    oc_free(config);
    return rc;
}

int oc_service_look(struct oc_service_status *out_status, struct oc_detail *detail)
{
    struct oc_service_status status = { .state = OC_SERVICE_NONE };
    SERVICE_STATUS_PROCESS now = { 0 };
    SC_HANDLE manager = NULL, service = NULL;
    int rc = oc_manager_open(SC_MANAGER_CONNECT, &manager, detail);

    if (rc < 0)
        return rc;
    rc = oc_manager_service(manager, SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG, &service, detail);
    if (rc == OC_OK) {
        rc = query(service, &now, detail);
        if (rc == OC_OK)
            rc = read_config(service, &status, detail);
        status.state = state_of(&now);
        status.pid = now.dwProcessId;
        status.exit_code = exit_code_of(&now);
        (void)CloseServiceHandle(service);
    } else if (rc == OC_E_NOENT) {
        rc = OC_OK; /* that is an answer */
    }
    (void)CloseServiceHandle(manager);
    if (rc == OC_OK)
        *out_status = status;
    return rc;
}

/* ---- start and stop ---- */

/* Until it left the state on the way. *out_status is the last one seen. */
static int wait_out(SC_HANDLE service, DWORD pending, SERVICE_STATUS_PROCESS *out_status,
                    struct oc_detail *detail)
{
    ULONGLONG until_ms = GetTickCount64() + WAIT_MS;
    int rc = OC_OK;

    for (;;) {
        rc = query(service, out_status, detail);
        if (rc < 0 || out_status->dwCurrentState != pending)
            return rc;
        if (GetTickCount64() >= until_ms)
            return oc_detail_set(detail, OC_E_TIMEOUT, "the service is still on its way after %d s",
                                 WAIT_MS / 1000);
        Sleep(LOOK_MS); /* the manager tells of nothing */
    }
}

static int start(SC_HANDLE service, struct oc_detail *detail)
{
    SERVICE_STATUS_PROCESS status = { 0 };
    int rc = OC_OK;

    if (!StartServiceW(service, 0, NULL) && GetLastError() != ERROR_SERVICE_ALREADY_RUNNING)
        return oc_manager_fail("cannot start the service", GetLastError(), detail);
    rc = wait_out(service, SERVICE_START_PENDING, &status, detail);
    if (rc < 0 || status.dwCurrentState == SERVICE_RUNNING)
        return rc;
    return oc_detail_set(detail, OC_E_GONE,
                         "the service ended with %lu while it started; the event log (Application, "
                         "source oomcast) says why",
                         (unsigned long)exit_code_of(&status));
}

int oc_manager_stop(SC_HANDLE service, struct oc_detail *detail)
{
    SERVICE_STATUS_PROCESS status = { 0 };
    SERVICE_STATUS ignored;
    int rc = wait_out(service, SERVICE_START_PENDING, &status, detail);

    if (rc < 0 || status.dwCurrentState == SERVICE_STOPPED)
        return rc;
    if (!ControlService(service, SERVICE_CONTROL_STOP, &ignored) &&
        GetLastError() != ERROR_SERVICE_NOT_ACTIVE && status.dwCurrentState == SERVICE_RUNNING)
        return oc_manager_fail("cannot stop the service", GetLastError(), detail);
    rc = wait_out(service, SERVICE_STOP_PENDING, &status, detail);
    if (rc < 0 || status.dwCurrentState == SERVICE_STOPPED)
        return rc;
    return oc_detail_set(detail, OC_E_IO, "the service did not stop");
}

/* Opens it and does something with it. */
static int with_service(DWORD access, int (*fn)(SC_HANDLE, struct oc_detail *),
                        struct oc_detail *detail)
{
    SC_HANDLE manager = NULL, service = NULL;
    int rc = oc_manager_open(SC_MANAGER_CONNECT, &manager, detail);

    if (rc < 0)
        return rc;
    rc = oc_manager_service(manager, access | SERVICE_QUERY_STATUS, &service, detail);
    if (rc == OC_OK) {
        rc = fn(service, detail);
        (void)CloseServiceHandle(service);
    }
    (void)CloseServiceHandle(manager);
    return rc;
}

int oc_service_start(struct oc_detail *detail)
{
    return with_service(SERVICE_START, start, detail);
}

int oc_service_stop(struct oc_detail *detail)
{
    return with_service(SERVICE_STOP, oc_manager_stop, detail);
}
