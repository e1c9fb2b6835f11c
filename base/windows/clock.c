/* Clocks, a boot's identity and the calendar on Windows. */
#include "base/os.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <winternl.h>

#define TICK_NS 100 /* of FILETIME and of the interrupt time */
#define TICKS_PER_MS INT64_C(10000)
#define UNIX_EPOCH_TICKS INT64_C(116444736000000000) /* 1601 to 1970 */

typedef VOID(WINAPI interrupt_time)(PULONGLONG);

/*
 * The precise clocks of Windows 10 stand in kernelbase.dll, for which there is no import library. Looked up at the first
 * question: two threads at once find the same address.
 */
static uint64_t interrupt_ticks(const char *name, interrupt_time **found, uint64_t otherwise)
{
    ULONGLONG ticks = 0;

    if (!*found) {
        HMODULE kernel = GetModuleHandleW(L"kernelbase.dll");
        FARPROC call = kernel ? GetProcAddress(kernel, name) : NULL;

        if (!call)
            return otherwise;
        memcpy(found, &call,
               sizeof(call)); /* ISO C knows no cast between kinds of functions here */
    }
    (*found)(&ticks);
    return ticks;
}

int64_t oc_clock_mono_ns(void)
{
    static interrupt_time *precise;
    ULONGLONG coarse = 0;

    (void)QueryUnbiasedInterruptTime(&coarse); /* stands still in sleep */
    return (int64_t)interrupt_ticks("QueryUnbiasedInterruptTimePrecise", &precise, coarse) *
           TICK_NS;
}

int64_t oc_clock_boot_ns(void)
{
    static interrupt_time *precise;

    return (int64_t)interrupt_ticks("QueryInterruptTimePrecise", &precise,
                                    GetTickCount64() * (uint64_t)TICKS_PER_MS) *
           TICK_NS;
}

static int64_t ticks_of(FILETIME time)
{
    return (int64_t)(((uint64_t)time.dwHighDateTime << 32) | time.dwLowDateTime);
}

static FILETIME filetime_of(int64_t ticks)
{
    return (FILETIME){ (DWORD)((uint64_t)ticks & 0xFFFFFFFFu), (DWORD)((uint64_t)ticks >> 32) };
}

int64_t oc_clock_unix_ms(void)
{
    FILETIME now;

    GetSystemTimePreciseAsFileTime(&now);
    return (ticks_of(now) - UNIX_EPOCH_TICKS) / TICKS_PER_MS;
}

int64_t oc_clock_thread_cpu_ns(void)
{
    FILETIME made, ended, kernel, user;

    if (!GetThreadTimes(GetCurrentThread(), &made, &ended, &kernel, &user))
        return 0;
    return (ticks_of(kernel) + ticks_of(user)) * TICK_NS;
}

/* SYSTEM_TIMEOFDAY_INFORMATION, whose fields winternl.h does not name. */
struct time_of_day {
    LARGE_INTEGER boot_time, current_time, zone_bias;
    ULONG zone_id, reserved;
    ULONGLONG boot_time_bias, sleep_time_bias;
};

/*
 * When the system was started, as it was told then: setting the clock moves the boot time and its bias alike, so that their
 * difference names this boot for as long as it lasts. There is no boot_id on Windows.
 */
int oc_os_boot_id(char out_id[40])
{
    struct time_of_day now = { .zone_id = 0 };
    ULONG got_bytes = 0;
    uint64_t started = 0;

    if (NtQuerySystemInformation(SystemTimeOfDayInformation, &now, sizeof(now), &got_bytes) != 0)
        return OC_E_NOTSUP;
    started = (uint64_t)now.boot_time.QuadPart - now.boot_time_bias;
    (void)snprintf(out_id, 40, "%08x-%04x-%04x-0000-000000000000", (unsigned)(started >> 32),
                   (unsigned)((started >> 16) & 0xFFFF), (unsigned)(started & 0xFFFF));
    return OC_OK;
}

static struct oc_civil civil_of(const SYSTEMTIME *time)
{
    return (struct oc_civil){ time->wYear,   time->wMonth,  time->wDay,          time->wHour,
                              time->wMinute, time->wSecond, time->wMilliseconds, 0 };
}

static int64_t unix_ms_of(const SYSTEMTIME *utc)
{
    FILETIME time;

    return SystemTimeToFileTime(utc, &time) ? (ticks_of(time) - UNIX_EPOCH_TICKS) / TICKS_PER_MS
                                            : 0;
}

/* Its kernel32 exports what it has not: calling that ends the program. */
static int is_wine(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll"), "wine_get_version") != NULL;
}

typedef BOOL WINAPI to_local_fn(const DYNAMIC_TIME_ZONE_INFORMATION *zone, const SYSTEMTIME *utc,
                                SYSTEMTIME *out_local);
typedef BOOL WINAPI to_utc_fn(const DYNAMIC_TIME_ZONE_INFORMATION *zone, const SYSTEMTIME *local,
                              SYSTEMTIME *out_utc);

/* By the rules of that year, not of this one: those of a zone change. Wine has only those of now. */
static BOOL to_local(const SYSTEMTIME *utc, SYSTEMTIME *out_local)
{
    FARPROC call =
        GetProcAddress(GetModuleHandleW(L"kernel32"), "SystemTimeToTzSpecificLocalTimeEx");
    to_local_fn *fn = NULL;

    memcpy(&fn, &call, sizeof(fn));
    return fn && !is_wine() ? fn(NULL, utc, out_local)
                            : SystemTimeToTzSpecificLocalTime(NULL, utc, out_local);
}

static BOOL to_utc(const SYSTEMTIME *local, SYSTEMTIME *out_utc)
{
    FARPROC call =
        GetProcAddress(GetModuleHandleW(L"kernel32"), "TzSpecificLocalTimeToSystemTimeEx");
    to_utc_fn *fn = NULL;

    memcpy(&fn, &call, sizeof(fn));
    return fn && !is_wine() ? fn(NULL, local, out_utc)
                            : TzSpecificLocalTimeToSystemTime(NULL, local, out_utc);
}

void oc_civil_from_unix_ms(int64_t unix_ms, struct oc_civil *out_civil)
{
    FILETIME time = filetime_of(unix_ms * TICKS_PER_MS + UNIX_EPOCH_TICKS);
    SYSTEMTIME utc, local;

    memset(out_civil, 0, sizeof(*out_civil));
    if (!FileTimeToSystemTime(&time, &utc))
        return;
    if (!to_local(&utc, &local))
        local = utc;
    *out_civil = civil_of(&local);
    out_civil->offset_minutes = (int)((unix_ms_of(&local) - unix_ms_of(&utc)) / 60000);
}

/* Fields beyond their range carry over, as mktime() has it: month 13, day 0, hour 25. */
static int64_t carried_unix_ms(const struct oc_civil *civil)
{
    int months = civil->year * 12 + civil->month - 1;
    SYSTEMTIME first = { .wYear = (WORD)(months / 12),
                         .wMonth = (WORD)(months % 12 + 1),
                         .wDay = 1 };
    int64_t minutes = ((int64_t)(civil->day - 1) * 24 + civil->hour) * 60 + civil->minute;

    return unix_ms_of(&first) + (minutes * 60 + civil->second) * 1000 + civil->millisecond;
}

int64_t oc_civil_to_unix_ms(const struct oc_civil *civil)
{
    FILETIME time = filetime_of(carried_unix_ms(civil) * TICKS_PER_MS + UNIX_EPOCH_TICKS);
    SYSTEMTIME local, utc;

    if (!FileTimeToSystemTime(&time, &local))
        return 0;
    if (!to_utc(&local, &utc))
        utc = local;
    return unix_ms_of(&utc);
}
