/* Runs a fuzz target over each file of a folder, without libFuzzer: seeds and old finds as tests.
 */
#include "base/alloc.h"
#include "base/os.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_SEED_BYTES (1u << 24)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

static int replay_file(const char *folder, const char *name)
{
    char path[1024] = "";
    char *text = NULL;
    size_t len_bytes = 0;

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path) ||
        oc_file_read(path, MAX_SEED_BYTES, &text, &len_bytes) != 0) {
        fprintf(stderr, "cannot read %s\n", path);
        return 0;
    }
    (void)LLVMFuzzerTestOneInput((const uint8_t *)text, len_bytes);
    oc_free(text);
    return 1;
}

int main(int argc, char **argv)
{
    int replayed = 0;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;

    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (struct dirent *entry = NULL; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.')
            replayed += replay_file(argv[1], entry->d_name);
    }
    (void)closedir(folder);
    printf("%d seeds\n", replayed);
    return replayed > 0 ? 0 : 1; /* a target without a seed is an oversight */
}
