#include "probes/windows/win.h"

static const char *const names[OC_WIN_CALL_COUNT] = {
    [OC_WIN_CALL_LIST] = "NtQuerySystemInformation",
    [OC_WIN_CALL_OPEN] = "OpenProcess",
    [OC_WIN_CALL_CLOSE] = "CloseHandle",
    [OC_WIN_CALL_MEMORY] = "NtQueryInformationProcess memory",
    [OC_WIN_CALL_TIMES] = "GetProcessTimes",
    [OC_WIN_CALL_HANDLES] = "GetProcessHandleCount",
    [OC_WIN_CALL_EXITED] = "WaitForSingleObject",
    [OC_WIN_CALL_IMAGE] = "QueryFullProcessImageName",
    [OC_WIN_CALL_BASICS] = "NtQueryInformationProcess basics",
    [OC_WIN_CALL_CMDLINE] = "NtQueryInformationProcess command line",
    [OC_WIN_CALL_USER] = "OpenProcessToken",
    [OC_WIN_CALL_HOST] = "GetPerformanceInfo",
    [OC_WIN_CALL_QUERY] = "VirtualQueryEx",
    [OC_WIN_CALL_MAPPED_NAME] = "GetMappedFileName",
    [OC_WIN_CALL_READ] = "ReadProcessMemory",
    [OC_WIN_CALL_THREAD_TEB] = "NtQueryInformationThread",
    [OC_WIN_CALL_SERVICES] = "EnumServicesStatusEx",
    [OC_WIN_CALL_FILE] = "CreateFile",
    [OC_WIN_CALL_WAIT] = "RegisterWaitForSingleObject",
    [OC_WIN_CALL_EVENTS] = "event log",
    [OC_WIN_CALL_SIGNAL] = "CreateEvent",
};

const char *oc_win_call_name(enum oc_win_call call)
{
    return (unsigned)call < OC_WIN_CALL_COUNT ? names[call] : "";
}
