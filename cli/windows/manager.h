/* The service control manager, for the files of this folder. */
#ifndef OC_CLI_WINDOWS_MANAGER_H
#define OC_CLI_WINDOWS_MANAGER_H

#include "base/err.h"

#include <windows.h>

/* Connects to it; OC_E_DENIED without the right. *out_manager is closed by CloseServiceHandle(). */
int oc_manager_open(DWORD access, SC_HANDLE *out_manager, struct oc_detail *detail);
/* Our service. OC_E_NOENT: not installed. */
int oc_manager_service(SC_HANDLE manager, DWORD access, SC_HANDLE *out_service,
                       struct oc_detail *detail);
/* "WHAT: Access is denied." of GetLastError(); returns its code. */
int oc_manager_fail(const char *what, DWORD error, struct oc_detail *detail);
/* Stops it where it runs and waits. */
int oc_manager_stop(SC_HANDLE service, struct oc_detail *detail);

#endif
