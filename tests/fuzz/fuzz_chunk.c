/* Chunks and summaries as they may lie in a damaged file. target: fuzz_chunk.c deps: storage_dep */
#include "storage/format/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static oc_codec *codec;
    static int64_t values[5][OC_CHUNK_MAX_SAMPLES];
    static uint8_t known[OC_CHUNK_MAX_SAMPLES];
    struct oc_tier_columns tier = { values[0], values[1], values[2], values[3], values[4] };
    struct oc_summary summaries[64];
    struct oc_chunk chunk;

    codec = codec ? codec : oc_codec_new();
    (void)oc_summary_read(data, size, 512, summaries, 64);
    if (!codec || oc_chunk_open(codec, data, size, &chunk) < 0)
        return 0;
    (void)oc_chunk_times(&chunk, values[0]);
    for (unsigned c = 0; c < chunk.column_count; c++) {
        (void)oc_chunk_values(&chunk, c, values[0], known);
        (void)oc_chunk_tier(&chunk, OC_COLUMN_NUMBER(chunk.columns[c].id), &tier, known);
    }
    return 0;
}
