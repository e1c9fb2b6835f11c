#include "probes/windows/pe.h"

#include "base/err.h"

#define MAGIC_PE32 0x10bu
#define MAGIC_PE32_PLUS 0x20bu
#define LARGE_ADDRESS_AWARE 0x20u
#define AT_LFANEW 0x3cu
/* Behind "PE\0\0". */
#define AT_MACHINE 4u
#define AT_CHARACTERISTICS 22u
#define AT_MAGIC 24u
#define HEAD_BYTES 26u

#define TOP_2_GIB UINT64_C(0x7fff0000)
#define TOP_4_GIB UINT64_C(0xffff0000)

static uint16_t u16_at(const unsigned char *bytes) { return (uint16_t)(bytes[0] | bytes[1] << 8); }

static uint32_t u32_at(const unsigned char *bytes)
{
    return u16_at(bytes) | (uint32_t)u16_at(bytes + 2) << 16;
}

int oc_win_pe_parse(const unsigned char *bytes, size_t len_bytes, struct oc_win_pe *out_pe)
{
    uint32_t at = 0;
    uint16_t magic = 0;

    if (len_bytes < AT_LFANEW + 4 || bytes[0] != 'M' || bytes[1] != 'Z')
        return OC_E_PARSE;
    at = u32_at(bytes + AT_LFANEW);
    if (at > len_bytes || len_bytes - at < HEAD_BYTES || bytes[at] != 'P' || bytes[at + 1] != 'E' ||
        bytes[at + 2] != 0 || bytes[at + 3] != 0)
        return OC_E_PARSE;
    magic = u16_at(bytes + at + AT_MAGIC);
    if (magic != MAGIC_PE32 && magic != MAGIC_PE32_PLUS)
        return OC_E_PARSE;
    out_pe->is_32bit = magic == MAGIC_PE32;
    out_pe->is_large_address_aware =
        (u16_at(bytes + at + AT_CHARACTERISTICS) & LARGE_ADDRESS_AWARE) != 0;
    out_pe->machine = u16_at(bytes + at + AT_MACHINE);
    return OC_OK;
}

uint64_t oc_win_pe_top(const struct oc_win_pe *pe, uint64_t top_address)
{
    if (!pe->is_32bit)
        return top_address;
    return pe->is_large_address_aware ? TOP_4_GIB : TOP_2_GIB;
}
