/*
 * The program as a service. The main thread belongs to the service control manager (StartServiceCtrlDispatcher, and the
 * control handler, which only posts what is asked); one thread says how the service does; the body runs in a third.
 */
#include "daemon/os.h"

#include "base/windows/service.h"
#include "daemon/windows/host.h"

#include <windows.h>

#define READY_MS 1500 /* then it counts as running, though it still replays its store */
#define START_HINT_MS 5000
#define STOP_HINT_MS 15000 /* the writer has 1.5 s; a slow disk may need more */
#define EXIT_NO_MANAGER 1
#define ACCEPTED (SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE)

/* The one service of this process: the manager's calls bring no pointer of ours along. */
static struct {
    SRWLOCK lock; /* of all below */
    SERVICE_STATUS_HANDLE handle;
    SERVICE_STATUS status;
    HANDLE ready; /* set once the body says so */
    int (*body)(void *context);
    void *context;
    int exit_code;
    int is_service;
} host = { .lock = SRWLOCK_INIT };

int oc_host_is_service(void) { return host.is_service; }

/* Never back: what stops does not run again. */
static void report(DWORD state, DWORD hint_ms)
{
    AcquireSRWLockExclusive(&host.lock);
    if (host.handle &&
        (state != SERVICE_RUNNING || host.status.dwCurrentState == SERVICE_START_PENDING)) {
        host.status.dwCheckPoint = hint_ms > 0 ? host.status.dwCheckPoint + 1 : 0;
        host.status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
        host.status.dwCurrentState = state;
        host.status.dwControlsAccepted = state == SERVICE_RUNNING ? ACCEPTED : 0;
        host.status.dwWaitHint = hint_ms;
        (void)SetServiceStatus(host.handle, &host.status);
    }
    ReleaseSRWLockExclusive(&host.lock);
}

/* A failure of ours is one for the manager too: its recovery actions start the service again. */
static void report_end(int exit_code)
{
    AcquireSRWLockExclusive(&host.lock);
    if (exit_code != 0) {
        host.status.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
        host.status.dwServiceSpecificExitCode = (DWORD)exit_code;
    }
    ReleaseSRWLockExclusive(&host.lock);
    report(SERVICE_STOPPED, 0);
}

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *context)
{
    (void)type;
    (void)data;
    (void)context;
    switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_PRESHUTDOWN:
        report(SERVICE_STOP_PENDING, STOP_HINT_MS);
        oc_wishes_post(control == SERVICE_CONTROL_STOP ? OC_HOST_STOP : OC_HOST_PRESHUTDOWN);
        return NO_ERROR;
    case SERVICE_CONTROL_PARAMCHANGE:
        oc_wishes_post(OC_HOST_RELOAD);
        return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
        return NO_ERROR; /* the manager gives the last report */
    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

static DWORD WINAPI run_body(void *unused)
{
    (void)unused;
    host.exit_code = host.body(host.context);
    return 0;
}

static void WINAPI service_main(DWORD argc, wchar_t **argv)
{
    HANDLE waited[2] = { NULL, host.ready };

    (void)argc;
    (void)argv; /* of StartService(); ours are those of the command line */
    host.is_service = 1;
    host.handle = RegisterServiceCtrlHandlerExW(OC_SERVICE_NAME, on_control, NULL);
    report(SERVICE_START_PENDING, START_HINT_MS);
    if (oc_syslog_open(NULL) == OC_OK)
        oc_log_set_sink(oc_syslog_sink, NULL); /* also for a config that cannot be read */
    waited[0] = CreateThread(NULL, 0, run_body, NULL, 0, NULL);
    if (!waited[0]) {
        host.exit_code = EXIT_NO_MANAGER;
    } else {
        if (WaitForMultipleObjects(2, waited, FALSE, READY_MS) != WAIT_OBJECT_0)
            report(SERVICE_RUNNING, 0);
        (void)WaitForSingleObject(waited[0], INFINITE);
        (void)CloseHandle(waited[0]);
    }
    report_end(host.exit_code);
}

int oc_service_host(int (*body)(void *context), void *context)
{
    wchar_t name[] = OC_SERVICE_NAME;
    SERVICE_TABLE_ENTRYW table[] = { { name, service_main }, { NULL, NULL } };

    host.body = body;
    host.context = context;
    host.ready = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!host.ready)
        return EXIT_NO_MANAGER;
    if (StartServiceCtrlDispatcherW(table))
        return host.exit_code;
    if (GetLastError() != ERROR_FAILED_SERVICE_CONTROLLER_CONNECT)
        return EXIT_NO_MANAGER;
    return body(context); /* not started by the manager */
}

void oc_service_ready(const char *status)
{
    (void)status; /* there is no place for it */
    if (host.is_service)
        (void)SetEvent(host.ready);
}

void oc_service_reloading(void) {}

void oc_service_stopping(void)
{
    if (host.is_service)
        report(SERVICE_STOP_PENDING, STOP_HINT_MS); /* stopped by the control pipe, too */
}

/* The manager has no watchdog. */
void oc_service_alive(void) {}
int64_t oc_service_alive_interval_ms(void) { return 0; }
