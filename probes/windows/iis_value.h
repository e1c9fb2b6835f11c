/* Values as IIS's schema writes them. Pure; OC_E_PARSE leaves the output as it was. */
#ifndef OC_PROBES_WINDOWS_IIS_VALUE_H
#define OC_PROBES_WINDOWS_IIS_VALUE_H

#include <stdint.h>

/* timeSpan: "00:20:00", "1.05:00:00", "29:00:00" (hours may exceed a day). */
int oc_win_iis_span_ms(const char *text, int64_t *out_ms);
/* A time of the day, "03:00:00": its minute. */
int oc_win_iis_minute(const char *text, uint16_t *out_minute);
int oc_win_iis_bool(const char *text, int *out_value); /* "true" "false", any case */
int oc_win_iis_uint(const char *text, uint32_t *out_value);
/* logEventOnRecycle, "Time, Memory": the OC_PLAN_… bits that are named. Words that we have no bit for are passed over. */
int oc_win_iis_reasons(const char *text, uint8_t *out_bits);

#endif
