#include "daemon/os.h"

#include "base/os.h"
#include "base/windows/service.h"

#include <windows.h>

void oc_process_init(void)
{
    /* a service has nobody who could answer a dialog */
    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
    (void)HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
    /* a DLL that lies beside the program or in the folder at hand is not ours */
    (void)SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
    oc_term_init();
}

int oc_data_dir_make(const char *path)
{
    int rc = oc_os_mkdir_all(path);

    /* Anybody may make a folder in ProgramData, also before us. Elsewhere an administrator said what it is to be. */
    if (rc == OC_OK && oc_service_is_system_folder(path) && oc_os_is_admin())
        rc = oc_service_secure_folder(path);
    return rc;
}
